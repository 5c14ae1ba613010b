-- What steps read of other tables: what whoever runs them is shown.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

SELECT sigma.create_input_table('{"id": "run_reads_t", "name": "Run reads", "columns": [
    {"name": "Name", "type": "text"}, {"name": "Qty", "type": "integer"}, {"name": "Twice", "type": "number", "formula": "[Qty] * 2"}]}');
SELECT sigma.create_input_table('{"id": "run_reads_open", "data_entry_permission": "published", "columns": [{"name": "Qty", "type": "integer"}]}');
INSERT INTO sigds.sigds_run_reads_t ("Name", "Qty") VALUES ('a', 1), ('b', 2);
INSERT INTO sigds.sigds_run_reads_open ("Qty") VALUES (5);
SELECT sigma.publish('run_reads_t') ->> 'inserted';
INSERT INTO sigds.sigds_run_reads_t ("Name", "Qty") VALUES ('draft', 10);
UPDATE sigds.sigds_run_reads_t SET "Qty" = 20 WHERE "Name" = 'a';
SELECT sigma.create_action_sequence('{"id": "run_reads_seq", "condition": {"type": "custom_formula", "formula": "Count([Run reads/Qty]) > 0"}, "actions": [
    {"type": "variable", "subtype": "set", "target": "run_reads_sum", "value": {"type": "formula", "formula": "Sum([Run reads/Twice])"}},
    {"type": "variable", "subtype": "set", "target": "run_reads_by", "value": {"type": "formula", "formula": "Lookup([run_reads_t/Qty], [Control/name], [run_reads_t/Name])"}},
    {"type": "variable", "subtype": "set", "target": "run_reads_open", "value": {"type": "formula", "formula": "Sum([run_reads_open/Qty])"}},
    {"type": "variable", "subtype": "set", "target": "run_reads_first", "value": {"type": "formula", "formula": "First([run_reads_t/Name])"}}]}');
CREATE FUNCTION pg_temp.run(context jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', r ->> 'status', r -> 'variables', r #>> '{error,sqlstate}', r #>> '{error,message}')
    FROM sigma.execute_sequence('run_reads_seq', '{"controls": {"name": "a"}}' || context) AS r
$$;
CREATE ROLE regress_run_reads_viewer;
CREATE ROLE regress_run_reads_editor;
CREATE ROLE regress_run_reads_nobody;
SELECT sigma.grant_access('regress_run_reads_viewer', 'viewer'), sigma.grant_access('regress_run_reads_editor', 'editor'), sigma.grant_access('regress_run_reads_nobody', 'builder');

-- who may read the table reads the draft; one who asks for the published version, and a viewer, what is published
SELECT pg_temp.run();
SELECT pg_temp.run('{"mode": "draft"}');
SELECT pg_temp.run('{"mode": "published"}');
SELECT pg_temp.run();
SET ROLE regress_run_reads_viewer;
SELECT pg_temp.run();
SELECT sigma.eval('Sum([Run reads/Qty])');
SELECT sigma.evaluate_condition('{"type": "custom_formula", "formula": "Sum([Run reads/Qty]) = 3"}', '{}');
SET ROLE regress_run_reads_editor;
SELECT pg_temp.run();
SET sigma.mode = published;
SELECT pg_temp.run();
RESET sigma.mode;
SET ROLE regress_run_reads_nobody;
SELECT pg_temp.run();
RESET ROLE;

-- what a run has written it reads
SELECT sigma.create_action_sequence('{"id": "run_reads_own", "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "run_reads_t", "values": {"Name": "own", "Qty": 1000}},
    {"type": "variable", "subtype": "set", "target": "run_reads_sum", "value": {"type": "formula", "formula": "Sum([Run reads/Qty])"}}]}');
SET ROLE regress_run_reads_editor;
SELECT r ->> 'status', r -> 'variables' FROM sigma.execute_sequence('run_reads_own') AS r;
RESET ROLE;

-- a right that comes and goes counts at once
SELECT sigma.grant_access('regress_run_reads_viewer', 'editor', 'run_reads_t');
SET ROLE regress_run_reads_viewer;
SELECT pg_temp.run();
RESET ROLE;
SELECT sigma.revoke_access('regress_run_reads_viewer', 'editor', 'run_reads_t');
SET ROLE regress_run_reads_viewer;
SELECT pg_temp.run();
RESET ROLE;
CREATE ROLE regress_run_reads_group;
SELECT sigma.grant_access('regress_run_reads_group', 'editor', 'run_reads_t');
GRANT regress_run_reads_group TO regress_run_reads_viewer;
SET ROLE regress_run_reads_viewer;
SELECT pg_temp.run();
RESET ROLE;
REVOKE regress_run_reads_group FROM regress_run_reads_viewer;
SET ROLE regress_run_reads_viewer;
SELECT pg_temp.run();
-- the table by its own name is the table
SELECT sigma.eval('Sum([sigds.sigds_run_reads_t/Qty])');
RESET ROLE;

DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'run\_reads%';
SELECT sigma.delete_input_table('run_reads_t', purge => true), sigma.delete_input_table('run_reads_open', purge => true);
DROP OWNED BY regress_run_reads_viewer, regress_run_reads_editor, regress_run_reads_nobody, regress_run_reads_group;
DROP ROLE regress_run_reads_viewer, regress_run_reads_editor, regress_run_reads_nobody, regress_run_reads_group;
