-- A run is taken back through the edit log: all its tables, or nothing.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

SELECT count(sigma.create_input_table(jsonb_build_object('id', id, 'columns', '[{"name": "name", "type": "text", "unique": true}, {"name": "n", "type": "integer"}]'::jsonb,
    'data_entry_permission', permission))) FROM (VALUES ('ur_a', 'published'), ('ur_b', 'draft'), ('ur_c', 'published')) t(id, permission);
INSERT INTO sigds.sigds_ur_a (name, n) VALUES ('one', 1), ('two', 2), ('three', 3);
INSERT INTO sigds.sigds_ur_b (name, n) VALUES ('old', 0);
SELECT sigma.publish('ur_b') ->> 'inserted';
SELECT sigma.create_action_sequence('{"id": "ur_s", "actions": [
    {"type": "data_modification", "subtype": "update_rows", "target": "ur_a", "selector": {"formula": "[n] < 3"}, "values": {"n": "[Control/n]"}},
    {"type": "data_modification", "subtype": "delete_rows", "target": "ur_a", "selector": {"match": {"name": "three"}}},
    {"type": "data_modification", "subtype": "insert_row", "target": "ur_b", "values": {"name": "new", "n": "[Control/n]"}},
    {"type": "data_modification", "subtype": "update_rows", "target": "ur_b", "selector": {"match": {"name": "new"}}, "values": {"n": 8}},
    {"type": "variable", "subtype": "set", "target": "ur_v", "value": 1}]}');
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
    SELECT (SELECT 'a ' || coalesce(string_agg(sigma_row_id || ':' || name || '=' || n, ' ' ORDER BY sigma_row_id), 'none') FROM sigds.sigds_ur_a) || ', b ' ||
           (SELECT coalesce(string_agg(sigma_row_id || ':' || name || '=' || n, ' ' ORDER BY sigma_row_id), 'none') FROM sigds.sigds_ur_b) $$;
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    message = regexp_replace(message, '[0-9a-f]{8}-[0-9a-f-]{27}|(?<=edit )\d+', '…');
    RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
END $$;

--
-- taken back, with ids and stamps
--
SELECT pg_temp.rows();
SELECT sigma_created_at AS made FROM sigds.sigds_ur_a WHERE name = 'three' \gset
SELECT sigma.execute_sequence('ur_s', '{"controls": {"n": 7}}') ->> 'execution_id' AS run \gset
SELECT pg_temp.rows();
SELECT sigma.undo_run(:'run') - 'execution_id';
SELECT pg_temp.rows(), sigma_created_at = :'made' FROM sigds.sigds_ur_a WHERE name = 'three';
SELECT sigma.rebuild('ur_a', true) ->> 'differences', sigma.rebuild('ur_b', true) ->> 'differences';
-- logged as one statement per table, and in history
SELECT count(DISTINCT statement), count(*) FILTER (WHERE edit ? 'undo'), bool_and(metadata ->> 'origin' = 'undo') FROM sigds.sigds_wal_ur_a
WHERE metadata ->> 'executionId' = (SELECT execution_id FROM sigma.sigma_execution_history WHERE metadata ->> 'undo_of' = :'run');
SELECT action_type, sequence_id, status, rows_changed, result -> 'tables', metadata ->> 'undo_of' = :'run', metadata -> 'edits' ? 'ur_b'
FROM sigma.sigma_execution_history WHERE action_type = 'undo_run';
-- once
SELECT pg_temp.refused(format('SELECT sigma.undo_run(%L)', :'run'));
-- the undo can be undone, and the run then once more
SELECT execution_id AS undo FROM sigma.sigma_execution_history WHERE metadata ->> 'undo_of' = :'run' \gset
SELECT sigma.undo_run(:'undo') - 'execution_id';
SELECT pg_temp.rows();
SELECT sigma.undo_run(:'run') - 'execution_id';
SELECT pg_temp.rows();
-- the caller's own undo passes over what is taken back
SELECT sigma.undo('ur_a') ->> 'rows';
SELECT pg_temp.rows();
SELECT sigma.redo('ur_a') ->> 'rows';
SELECT pg_temp.rows();

--
-- later edits of the same cells: nothing is changed, in no table
--
SELECT sigma.execute_sequence('ur_s', '{"controls": {"n": 5}}') ->> 'execution_id' AS run \gset
UPDATE sigds.sigds_ur_a SET n = 50 WHERE name = 'one';
UPDATE sigds.sigds_ur_b SET n = 80 WHERE name = 'new';
SELECT jsonb_pretty(sigma.undo_run(:'run') - 'execution_id');
SELECT pg_temp.rows();
-- of other cells: they stay
UPDATE sigds.sigds_ur_a SET n = 5 WHERE name = 'one';
UPDATE sigds.sigds_ur_b SET n = 8 WHERE name = 'new';
UPDATE sigds.sigds_ur_a SET name = 'renamed' WHERE name = 'two';
SELECT sigma.undo_run(:'run') - 'execution_id';
SELECT pg_temp.rows();
UPDATE sigds.sigds_ur_a SET name = 'two' WHERE name = 'renamed';
-- published meanwhile: the draft is taken back
SELECT sigma.execute_sequence('ur_s', '{"controls": {"n": 6}}') ->> 'execution_id' AS run \gset
SELECT sigma.publish('ur_b') ->> 'inserted';
SELECT sigma.undo_run(:'run') - 'execution_id';
SELECT string_agg(name, ',') FROM sigds.sigds_ur_b;
SELECT string_agg(name, ',' ORDER BY name) FROM sigma_views.ur_b;
SELECT sigma.publish('ur_b') ->> 'deleted';

--
-- with the runs that it started: by a step, and by the rows that it wrote
--
SELECT sigma.create_action_sequence('{"id": "ur_follow", "trigger": {"type": "row_change", "table_id": "ur_a", "operations": ["update"]}, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "ur_c", "values": {"name": {"type": "formula", "formula": "Text(Count([Selection/name])) & \" rows\""}}}]}');
SELECT sigma.create_action_sequence('{"id": "ur_outer", "actions": [{"type": "flow", "subtype": "run_sequence", "target": "ur_s"}]}');
SELECT sigma.execute_sequence('ur_outer', '{"controls": {"n": 4}}') ->> 'execution_id' AS run \gset
SELECT pg_temp.rows(), string_agg(name, ',') FROM sigds.sigds_ur_c;
SELECT sigma.undo_run(:'run') - 'execution_id';
SELECT pg_temp.rows(), string_agg(name, ',') FROM sigds.sigds_ur_c;
SELECT sigma.delete_action_sequence('ur_outer'), sigma.delete_action_sequence('ur_follow');

--
-- nothing to take back; what is refused
--
SELECT sigma.execute_sequence('ur_s', '{"controls": {"n": "x"}}') ->> 'execution_id' AS run \gset
SELECT sigma.undo_run(:'run') - 'execution_id';
SELECT pg_temp.refused('SELECT sigma.undo_run(''no such run'')');
SELECT pg_temp.refused('SELECT sigma.undo_run(NULL)');
-- without a log
SELECT sigma.create_input_table('{"id": "ur_silent", "columns": [{"name": "n", "type": "integer"}], "governance_config": {"audit": false}}');
SELECT sigma.create_action_sequence('{"id": "ur_silent", "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "ur_c", "values": {"n": 1}},
    {"type": "data_modification", "subtype": "insert_row", "target": "ur_silent", "values": {"n": 1}}]}');
SELECT sigma.execute_sequence('ur_silent') ->> 'execution_id' AS run \gset
SELECT pg_temp.refused(format('SELECT sigma.undo_run(%L)', :'run'));
SELECT count(*) FROM sigds.sigds_ur_c WHERE n = 1;
SELECT sigma.delete_action_sequence('ur_silent'), sigma.delete_input_table('ur_silent', purge => true);
-- compacted
SELECT sigma.execute_sequence('ur_s', '{"controls": {"n": 3}}') ->> 'execution_id' AS run \gset
SELECT sigma.compact_log('ur_a', '0') ->> 'table_id';
SELECT pg_temp.refused(format('SELECT sigma.undo_run(%L)', :'run'));
DELETE FROM sigds.sigds_ur_b WHERE name = 'new';
UPDATE sigds.sigds_ur_a SET n = 1;
-- as the caller: one table that he may not write is enough
SELECT sigma.execute_sequence('ur_s', '{"controls": {"n": 2}}') ->> 'execution_id' AS run \gset
CREATE ROLE regress_ur_editor;
SELECT sigma.grant_access('regress_ur_editor', 'editor', 'ur_a');
GRANT SELECT ON sigma.sigma_execution_history TO regress_ur_editor;
SET ROLE regress_ur_editor;
SELECT pg_temp.refused(format('SELECT sigma.undo_run(%L)', :'run'));
RESET ROLE;
REVOKE SELECT ON sigma.sigma_execution_history FROM regress_ur_editor;
SELECT sigma.grant_access('regress_ur_editor', 'editor', 'ur_b');
SET ROLE regress_ur_editor;
-- another one's run he does not see
SELECT pg_temp.refused(format('SELECT sigma.undo_run(%L)', :'run'));
-- his own he does
DELETE FROM sigds.sigds_ur_b WHERE name = 'new';
SELECT sigma.execute_sequence('ur_s', '{"controls": {"n": 1}, "metadata": {}}') ->> 'status';
SELECT status FROM sigma.run_history() LIMIT 1;
SELECT execution_id AS own FROM sigma.run_history() LIMIT 1 \gset
SELECT sigma.undo_run(:'own') -> 'conflicts';
RESET ROLE;
SELECT role, action_type FROM sigma.sigma_execution_history WHERE metadata ->> 'undo_of' = :'own';
SELECT sigma.revoke_access('regress_ur_editor');
DROP ROLE regress_ur_editor;

SELECT sigma.delete_action_sequence('ur_s');
SELECT sigma.delete_input_table(id, purge => true) FROM (VALUES ('ur_a'), ('ur_b'), ('ur_c')) t(id);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'ur\_%' OR action_type = 'undo_run';
