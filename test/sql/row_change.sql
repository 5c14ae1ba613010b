-- Sequences that start when rows change: once per statement, after it, as the writer.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

SELECT sigma.create_input_table('{"id": "rc_t", "name": "Rows", "data_entry_permission": "published", "columns": [
    {"name": "Name", "type": "text", "unique": true}, {"name": "N", "type": "integer"}, {"name": "Status", "type": "text", "editable": false}]}');
SELECT sigma.create_input_table('{"id": "rc_log", "data_entry_permission": "published", "columns": [{"name": "what", "type": "text"}, {"name": "who", "type": "text"}]}');
CREATE FUNCTION pg_temp.attached(t text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(substr(tgname, 16), ' ' ORDER BY tgname), 'none') FROM pg_trigger
    WHERE tgrelid = ('sigds.sigds_' || t)::regclass AND tgname LIKE 'sigma_2_change%' $$;
-- the runs since the last look, in the order in which they began
CREATE TEMP TABLE seen AS SELECT execution_id FROM sigma.sigma_execution_history;
CREATE FUNCTION pg_temp.runs() RETURNS SETOF text LANGUAGE sql AS $$
    WITH new AS (SELECT * FROM sigma.sigma_execution_history h WHERE sequence_id LIKE 'rc\_%' AND execution_id NOT IN (SELECT s.execution_id FROM seen s)),
         noted AS (INSERT INTO seen SELECT execution_id FROM new)
    SELECT concat_ws(' ', sequence_id, status, reason, error_message, context -> 'metadata' ->> 'operation', context -> 'metadata' ->> 'row_count',
                     (SELECT string_agg(r ->> 'Name', ',') FROM jsonb_array_elements(context -> 'selection' -> 'rows') r))
    FROM new ORDER BY start_time, sequence_id $$;
CREATE FUNCTION pg_temp.rebuilt(t text) RETURNS text LANGUAGE sql AS $$ SELECT 'differences ' || (sigma.rebuild(t, true) ->> 'differences') $$;

--
-- what is attached, and when
--
SELECT pg_temp.attached('rc_t');
SELECT sigma.create_action_sequence('{"id": "rc_note", "trigger": {"type": "row_change", "table_id": "rc_t"}, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "rc_log", "values": {
        "what": {"type": "formula", "formula": "Coalesce(ArrayJoin(Json([Selection/Name]), \"+\"), Text([Selection/Name]))"},
        "who": {"type": "formula", "formula": "CurrentUserEmail()"}}}]}');
SELECT pg_temp.attached('rc_t');
SELECT sigma.update_action_sequence('rc_note', '{"trigger": {"type": "row_change", "table_id": "rc_t", "operations": ["delete"]}}');
SELECT pg_temp.attached('rc_t');
SELECT sigma.update_action_sequence('rc_note', '{"trigger": {"type": "row_change", "table_id": "rc_log", "operations": ["delete"]}}');
SELECT pg_temp.attached('rc_t'), pg_temp.attached('rc_log');
SELECT sigma.update_action_sequence('rc_note', '{"trigger": {"type": "row_change", "table_id": "rc_t"}}');
SELECT sigma.pause_sequence('rc_note');
SELECT pg_temp.attached('rc_t'), pg_temp.attached('rc_log');
SELECT sigma.resume_sequence('rc_note');

--
-- once per statement, whatever the statement is; no rows, no change: nothing
--
INSERT INTO sigds.sigds_rc_t ("Name", "N") VALUES ('a', 1), ('b', 2);
SELECT pg_temp.runs();
UPDATE sigds.sigds_rc_t SET "N" = 5;
SELECT pg_temp.runs();
UPDATE sigds.sigds_rc_t SET "N" = 5;
UPDATE sigds.sigds_rc_t SET "N" = 6 WHERE false;
SELECT pg_temp.runs();
DELETE FROM sigds.sigds_rc_t WHERE "Name" = 'b';
SELECT pg_temp.runs();
\copy sigds.sigds_rc_t ("Name", "N") FROM stdin
c	3
d	4
\.
SELECT pg_temp.runs();
-- operations of one statement are changes of their own
INSERT INTO sigds.sigds_rc_t ("Name", "N") VALUES ('d', 40), ('e', 5) ON CONFLICT ("Name") DO UPDATE SET "N" = excluded."N";
SELECT pg_temp.runs();
MERGE INTO sigds.sigds_rc_t t USING (VALUES ('c', NULL), ('d', 41), ('f', 6)) v(name, n) ON t."Name" = v.name
    WHEN MATCHED AND n IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET "N" = n WHEN NOT MATCHED THEN INSERT ("Name", "N") VALUES (name, n);
SELECT pg_temp.runs();
WITH gone AS (DELETE FROM sigds.sigds_rc_t WHERE "Name" = 'f' RETURNING "N") INSERT INTO sigds.sigds_rc_t ("Name", "N") SELECT 'g', "N" FROM gone;
SELECT pg_temp.runs();
-- functions, too
SELECT sigma.handle_data_entry('rc_t', '[{"Name": "h", "N": 8}, {"Name": "i", "N": 9}]') ->> 'accepted';
SELECT sigma.import_csv('rc_t', E'Name,N\nj,10\n') ->> 'inserted';
SELECT sigma.fill('rc_t', '{"match": {"Name": ["h", "i"]}}', '{"N": 0}') ->> 'rows';
SELECT pg_temp.runs();
SELECT sigma.undo('rc_t') ->> 'rows';
SELECT pg_temp.runs();
-- a prepared statement that was planned before there was a sequence
PREPARE rc_insert AS INSERT INTO sigds.sigds_rc_log (what) VALUES ($1);
EXECUTE rc_insert('x');
SELECT sigma.create_action_sequence('{"id": "rc_on_log", "trigger": {"type": "row_change", "table_id": "rc_log", "operations": "insert"}, "actions": [
    {"type": "variable", "subtype": "set", "target": "rc_v", "value": 1}]}');
EXECUTE rc_insert('y');
SELECT pg_temp.runs();
SELECT sigma.delete_action_sequence('rc_on_log');
DEALLOCATE rc_insert;
-- the app user is the writer's
SET sigma.user_email = 'mara@example.com';
INSERT INTO sigds.sigds_rc_t ("Name") VALUES ('k');
RESET sigma.user_email;
SELECT what, who FROM sigds.sigds_rc_log WHERE who = 'mara@example.com';
SELECT sigma.delete_action_sequence('rc_note');
SELECT count(*) FROM pg_temp.runs();
DELETE FROM sigds.sigds_rc_t;
SELECT pg_temp.rebuilt('rc_t');

--
-- what the selection holds: of updates also what was there before
--
SELECT sigma.create_action_sequence('{"id": "rc_status", "trigger": {"type": "row_change", "table_id": "rc_t", "operations": ["insert", "update"], "columns": ["N"]},
    "condition": {"type": "selection_value", "column": "N", "operator": ">", "expected_value": 1},
    "actions": [{"type": "data_modification", "subtype": "update_rows", "target": "rc_t", "selector": {"selection": true}, "values": {"Status": "seen"}}]}');
INSERT INTO sigds.sigds_rc_t ("Name", "N") VALUES ('a', 1), ('b', 2);
UPDATE sigds.sigds_rc_t SET "Name" = upper("Name");
UPDATE sigds.sigds_rc_t SET "N" = CASE "Name" WHEN 'A' THEN 7 ELSE "N" END;
SELECT pg_temp.runs();
SELECT context -> 'selection' FROM sigma.sigma_execution_history WHERE sequence_id = 'rc_status' ORDER BY start_time DESC LIMIT 1;
SELECT "Name", "N", "Status" FROM sigds.sigds_rc_t ORDER BY "Name";
SELECT pg_temp.rebuilt('rc_t');
-- columns follow a rename
SELECT sigma.rename_column('rc_t', 'N', 'Number');
SELECT trigger -> 'columns' FROM sigma.sigma_action_sequences WHERE id = 'rc_status';
UPDATE sigds.sigds_rc_t SET "Number" = 8;
SELECT pg_temp.runs();
SELECT sigma.rename_column('rc_t', 'Number', 'N');

--
-- a sequence that writes the table that starts it starts others, not itself
--
SELECT sigma.create_action_sequence('{"id": "rc_twice", "trigger": {"type": "row_change", "table_id": "rc_t"}, "actions": [
    {"type": "data_modification", "subtype": "update_rows", "target": "rc_t", "selector": {"selection": true}, "values": {"N": {"type": "formula", "formula": "[Selection/N] * 2"}}}]}');
INSERT INTO sigds.sigds_rc_t ("Name", "N") VALUES ('c', 3);
SELECT pg_temp.runs();
SELECT "Name", "N", "Status" FROM sigds.sigds_rc_t ORDER BY "Name";
SELECT pg_temp.rebuilt('rc_t');
SELECT sigma.delete_action_sequence('rc_twice');
SELECT sigma.delete_action_sequence('rc_status');
-- a chain of sequences ends after 16
SELECT count(sigma.create_input_table(jsonb_build_object('id', 'rc_chain_' || i, 'columns', '[{"name": "n", "type": "integer"}]'::jsonb, 'data_entry_permission', 'published'))) FROM generate_series(0, 18) i;
SELECT count(sigma.create_action_sequence(jsonb_build_object('id', 'rc_chain_' || i, 'trigger', jsonb_build_object('type', 'row_change', 'table_id', 'rc_chain_' || i),
    'actions', jsonb_build_array(jsonb_build_object('type', 'data_modification', 'subtype', 'insert_row', 'target', 'rc_chain_' || i + 1, 'values', '{"n": 1}'::jsonb)))))
FROM generate_series(0, 17) i;
INSERT INTO sigds.sigds_rc_chain_0 (n) VALUES (1);
CREATE FUNCTION pg_temp.rows_of(i int, OUT n bigint) LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT count(*) FROM sigds.sigds_rc_chain_' || i INTO n; END $$;
SELECT i, pg_temp.rows_of(i) FROM generate_series(14, 18) i;
SELECT sequence_id, status, result -> 'error' ->> 'sqlstate', error_message FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'rc\_chain%' AND status <> 'success';
SELECT count(sigma.delete_action_sequence('rc_chain_' || i)) FROM generate_series(0, 17) i;
SELECT count(sigma.delete_input_table('rc_chain_' || i, purge => true)) FROM generate_series(0, 18) i;
SELECT count(*) FROM pg_temp.runs();

--
-- a failure leaves the rows, is a warning, and stands in history
--
SELECT sigma.create_action_sequence('{"id": "rc_fail", "trigger": {"type": "row_change", "table_id": "rc_t", "operations": ["insert"]}, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "rc_log", "values": {"what": "before the failure"}},
    {"type": "data_modification", "subtype": "insert_row", "target": "rc_t", "values": {"Name": "[Selection/Name]"}}]}');
SELECT sigma.create_action_sequence('{"id": "rc_ok", "trigger": {"type": "row_change", "table_id": "rc_t", "operations": ["insert"]}, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "rc_log", "values": {"what": "the other one"}}]}');
DELETE FROM sigds.sigds_rc_log;
BEGIN;
INSERT INTO sigds.sigds_rc_t ("Name") VALUES ('stays');
COMMIT;
SELECT "Name" FROM sigds.sigds_rc_t WHERE "Name" = 'stays';
SELECT what FROM sigds.sigds_rc_log;
SELECT pg_temp.runs();
-- one that cannot be compiled any more is a failure like any other
SELECT sigma.create_input_table('{"id": "rc_gone", "columns": [{"name": "n", "type": "integer"}]}');
SELECT sigma.update_action_sequence('rc_fail', '{"actions": [{"type": "data_modification", "subtype": "insert_row", "target": "rc_gone", "values": {"n": 1}}]}');
\set VERBOSITY terse
SELECT sigma.delete_input_table('rc_gone', purge => true, cascade => true);
\set VERBOSITY default
INSERT INTO sigds.sigds_rc_t ("Name") VALUES ('stays too');
SELECT pg_temp.runs();
-- the writer's rollback takes the runs with it
BEGIN;
SET LOCAL client_min_messages = error;
INSERT INTO sigds.sigds_rc_t ("Name") VALUES ('goes');
ROLLBACK;
SELECT count(*) FROM pg_temp.runs();
-- a write that is refused starts nothing
INSERT INTO sigds.sigds_rc_t ("Name") VALUES ('stays');
SELECT count(*) FROM pg_temp.runs();
SELECT sigma.delete_action_sequence('rc_fail');
SELECT sigma.delete_action_sequence('rc_ok');
DELETE FROM sigds.sigds_rc_t;

--
-- a cancel is never swallowed; the sequence's own limit is its failure
--
SELECT sigma.create_action_sequence('{"id": "rc_slow", "trigger": {"type": "row_change", "table_id": "rc_t", "operations": ["insert"]}, "timeout_ms": 600000, "actions": [
    {"id": "rc_wait", "type": "variable", "subtype": "set", "target": "rc_v", "value": 1}]}');
SET sigma.allow_injection = on;
SELECT sigma.inject('rc_wait', 'slow', '{"ms": 600000}');
SET statement_timeout = 1000;
INSERT INTO sigds.sigds_rc_t ("Name") VALUES ('canceled');
RESET statement_timeout;
SELECT count(*) FROM sigds.sigds_rc_t WHERE "Name" = 'canceled';
SELECT sigma.update_action_sequence('rc_slow', '{"timeout_ms": 50}');
SELECT sigma.clear_injections();
SELECT sigma.inject('rc_wait', 'slow', '{"ms": 600000}');
INSERT INTO sigds.sigds_rc_t ("Name") VALUES ('late');
SELECT count(*) FROM sigds.sigds_rc_t WHERE "Name" = 'late';
SELECT sigma.clear_injections();
RESET sigma.allow_injection;
SELECT pg_temp.runs();
SELECT sigma.delete_action_sequence('rc_slow');
DELETE FROM sigds.sigds_rc_t;

--
-- in an import and an undo the sequence's own edits are statements of their own
--
SELECT sigma.create_action_sequence('{"id": "rc_own", "trigger": {"type": "row_change", "table_id": "rc_t", "operations": ["insert"]}, "actions": [
    {"type": "data_modification", "subtype": "update_rows", "target": "rc_t", "selector": {"selection": true}, "values": {"Status": "imported"}}]}');
SELECT sigma.import_csv('rc_t', E'Name,N\np,1\nq,2\n') ->> 'inserted';
SELECT count(DISTINCT statement) FROM sigds.sigds_wal_rc_t
WHERE statement >= (SELECT max(statement) FROM sigds.sigds_wal_rc_t WHERE edit ? 'importCsv');
DELETE FROM sigds.sigds_rc_t WHERE "Name" = 'p';
-- the row comes back with its id and its value, and is imported again as far as the sequence goes
SELECT sigma.undo('rc_t') ->> 'rows';
SELECT "Name", "Status", "N" FROM sigds.sigds_rc_t ORDER BY 1;
SELECT pg_temp.rebuilt('rc_t');
SELECT count(*) FROM pg_temp.runs();

--
-- large changes: the selection is cut off, the count is not
--
INSERT INTO sigds.sigds_rc_t ("Name", "N") SELECT 'm' || i, i FROM generate_series(1, 10002) i;
SELECT context -> 'metadata', jsonb_array_length(context -> 'selection' -> 'rows'), rows_changed FROM sigma.sigma_execution_history WHERE sequence_id = 'rc_own' ORDER BY start_time DESC LIMIT 1;
SELECT sigma.delete_action_sequence('rc_own');
DELETE FROM sigds.sigds_rc_t;

--
-- as the writer: with his rights, and of the rows what he may read
--
CREATE ROLE regress_rc_writer;
GRANT USAGE ON SCHEMA sigds TO regress_rc_writer;
GRANT INSERT, UPDATE ("N"), SELECT (sigma_row_id, "Name") ON sigds.sigds_rc_t TO regress_rc_writer;
SELECT sigma.create_action_sequence('{"id": "rc_rights", "trigger": {"type": "row_change", "table_id": "rc_t", "operations": ["insert"]}, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "rc_log", "values": {"what": "[Selection/Name]"}}]}');
SET ROLE regress_rc_writer;
INSERT INTO sigds.sigds_rc_t ("Name", "N") VALUES ('secret', 1);
RESET ROLE;
SELECT role, context -> 'selection' -> 'rows' -> 0 FROM sigma.sigma_execution_history WHERE sequence_id = 'rc_rights';
SELECT sigma.delete_action_sequence('rc_rights');
DROP OWNED BY regress_rc_writer;
DROP ROLE regress_rc_writer;
SELECT count(*) FROM pg_temp.runs();

--
-- linked tables: what is entered is an update
--
CREATE TABLE rc_source (k int PRIMARY KEY, v text);
INSERT INTO rc_source VALUES (1, 'one'), (2, 'two');
SELECT sigma.create_input_table('{"id": "rc_linked", "type": "linked", "source": "public.rc_source", "key_columns": ["k"], "linked_columns": ["v"],
    "columns": [{"name": "note", "type": "text"}], "data_entry_permission": "published"}');
SELECT sigma.create_action_sequence('{"id": "rc_entered", "trigger": {"type": "row_change", "table_id": "rc_linked", "operations": ["update"]}, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "rc_log", "values": {"what": "[Selection/note]"}}]}');
DELETE FROM sigds.sigds_rc_log;
UPDATE sigds.sigds_rc_linked SET note = 'first' WHERE k = 1;
UPDATE sigds.sigds_rc_linked SET note = 'again' WHERE k = 1;
SELECT sigma.handle_data_entry('rc_linked', '[{"k": 2, "note": "by key"}]') ->> 'accepted';
SELECT what FROM sigds.sigds_rc_log ORDER BY sigma_row_id;
SELECT context -> 'metadata', context -> 'selection' -> 'rows' FROM sigma.sigma_execution_history WHERE sequence_id = 'rc_entered' ORDER BY start_time;
\set VERBOSITY terse
SELECT sigma.create_action_sequence('{"id": "rc_never", "trigger": {"type": "row_change", "table_id": "rc_linked", "operations": ["insert"]}, "actions": [
    {"type": "variable", "subtype": "set", "target": "rc_v", "value": 1}]}');
\set VERBOSITY default
SELECT sigma.delete_action_sequence('rc_entered');
SELECT sigma.delete_input_table('rc_linked', purge => true);
DROP TABLE rc_source;

--
-- what is refused
--
CREATE FUNCTION pg_temp.refused(trigger jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text;
BEGIN
    PERFORM sigma.create_action_sequence(jsonb_build_object('id', 'rc_bad', 'trigger', trigger, 'actions', '[{"type": "variable", "subtype": "set", "target": "rc_v", "value": 1}]'::jsonb));
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, message, detail, hint);
END $$;
SELECT pg_temp.refused('{"type": "row_change", "table_id": "rc_tt"}');
SELECT pg_temp.refused('{"type": "row_change", "table_id": "rc_t", "columns": ["Nmae"]}');
SELECT pg_temp.refused('{"type": "row_change", "table_id": "rc_t", "operations": ["insert"], "columns": ["N"]}');
SELECT pg_temp.refused('{"type": "row_change", "table_id": "rc_t", "when": "later"}');
SELECT pg_temp.refused('{"type": "row_change", "table_id": "rc_t", "operations": ["truncate"]}');
-- the table is in use
SELECT sigma.create_action_sequence('{"id": "rc_use", "trigger": {"type": "row_change", "table_id": "rc_t"}, "actions": [{"type": "variable", "subtype": "set", "target": "rc_v", "value": 1}]}');
SELECT sigma.delete_input_table('rc_t');
SELECT sigma.delete_action_sequence('rc_use');
-- the trigger function is of no use elsewhere
CREATE TABLE rc_other (a int);
CREATE TRIGGER rc BEFORE INSERT ON rc_other FOR EACH ROW EXECUTE FUNCTION sigma.start_row_change('rc_t');
INSERT INTO rc_other VALUES (1);
DROP TRIGGER rc ON rc_other;
CREATE TRIGGER rc AFTER INSERT ON rc_other REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION sigma.start_row_change('rc_t');
INSERT INTO rc_other VALUES (1);
DROP TABLE rc_other;

--
-- a table that is made anew under its sequence's eyes
--
SELECT sigma.create_action_sequence('{"id": "rc_again", "trigger": {"type": "row_change", "table_id": "rc_t", "operations": ["delete"]}, "actions": [{"type": "variable", "subtype": "set", "target": "rc_v", "value": 1}]}');
\set VERBOSITY terse
SELECT sigma.delete_input_table('rc_t', purge => true, cascade => true);
\set VERBOSITY default
SELECT sigma.create_input_table('{"id": "rc_t", "columns": [{"name": "Name", "type": "text"}]}');
SELECT pg_temp.attached('rc_t');
INSERT INTO sigds.sigds_rc_t ("Name") VALUES ('x');
DELETE FROM sigds.sigds_rc_t;
SELECT pg_temp.runs();
SELECT sigma.delete_action_sequence('rc_again');
SELECT sigma.delete_input_table('rc_t', purge => true);
SELECT sigma.delete_input_table('rc_log', purge => true);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'rc\_%';
