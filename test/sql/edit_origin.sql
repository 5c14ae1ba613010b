-- Who, when, in which transaction, from where: what the edit log says of every kind of write.
\pset format unaligned
CREATE ROLE regress_eo_editor;
SELECT sigma.create_input_table('{"id": "eo", "name": "Orders", "columns": [{"name": "k", "type": "integer"}, {"name": "n", "type": "integer"}], "governance_config": {"editors": ["regress_eo_editor"]}}');
SELECT sigma.grant_access('regress_eo_editor', 'editor');
-- a step's own change, and one that a procedure makes
CREATE PROCEDURE public.eo_call(k bigint) LANGUAGE sql AS $$ INSERT INTO sigds.sigds_eo (k) VALUES (k) $$;
GRANT EXECUTE ON PROCEDURE public.eo_call(bigint) TO regress_eo_editor;
SELECT sigma.create_action_sequence('{"id": "eo_run", "actions": [
    {"id": "eo_add", "type": "data_modification", "subtype": "insert_row", "target": "eo", "values": {"k": 1}},
    {"id": "eo_proc", "type": "stored_procedure", "target": "public.eo_call", "parameters": {"arguments": {"k": 2}}}]}');
CREATE FUNCTION pg_temp.edits(since bigint) RETURNS TABLE (edit text, origin text, "user" text, role text, application text, title text, "table" text, run boolean, own_transaction boolean, at_statement boolean, keys text)
LANGUAGE sql AS $$
    SELECT coalesce((SELECT string_agg(k, ',' ORDER BY k) FROM jsonb_object_keys(edit) AS k WHERE k ~ '^(add|update|delete|import|publish|undo|restore)'), '?'),
           metadata ->> 'origin', metadata ->> 'userEmail', metadata ->> 'role', metadata ->> 'application', metadata ->> 'elementTitle', metadata ->> 'tableName',
           w.metadata ? 'executionId' AND EXISTS (SELECT FROM sigma.sigma_execution_history AS h WHERE h.execution_id::text = w.metadata ->> 'executionId'),
           xact = pg_current_xact_id_if_assigned(), "timestamp" BETWEEN pg_postmaster_start_time() AND clock_timestamp(),
           (SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(metadata) AS k)
    FROM sigds.sigds_wal_eo AS w WHERE edit_num > since ORDER BY edit_num $$;
SELECT max(edit_num) AS since FROM sigds.sigds_wal_eo \gset
SELECT coalesce(nullif(:'since', '')::bigint, 0) AS since \gset
SET application_name = 'eo client';
SET ROLE regress_eo_editor;
SET sigma.user_email = 'ann@example.com';

-- plain SQL
BEGIN;
INSERT INTO sigds.sigds_eo (k, n) VALUES (10, 1), (11, 1);
UPDATE sigds.sigds_eo SET n = 2 WHERE k = 10;
SELECT * FROM pg_temp.edits(:since);
-- both are of this transaction; of one statement each, whose rows stand together
SELECT count(DISTINCT xact) AS transactions, count(DISTINCT statement) AS statements, bool_and(statement = edit_num) AS begins FROM sigds.sigds_wal_eo WHERE edit_num > :since;
COMMIT;
COPY sigds.sigds_eo (k) FROM stdin;
12
\.
SELECT max(edit_num) AS since FROM sigds.sigds_wal_eo \gset

-- functions: entry, an import, taking it back; a function of somebody's own is plain SQL
CREATE FUNCTION pg_temp.own() RETURNS void LANGUAGE sql AS $$ INSERT INTO sigds.sigds_eo (k) VALUES (13) $$;
SELECT sigma.handle_data_entry('eo', '{"k": 20, "n": 1}') IS NOT NULL AS entry;
SELECT sigma.import_csv('eo', E'k,n\n30,1\n') ->> 'inserted' AS imported;
SELECT sigma.undo('eo') IS NOT NULL AS undone;
SELECT pg_temp.own();
SELECT edit, origin, "user", role, application, run FROM pg_temp.edits(:since);
SELECT max(edit_num) AS since FROM sigds.sigds_wal_eo \gset

-- a run: who started it, its own user where it is given one, and its id, which the history knows; both kinds of steps
SELECT sigma.execute_sequence('eo_run') ->> 'status' AS status;
SELECT sigma.execute_sequence('eo_run', '{"user_id": "bob@example.com"}') ->> 'status' AS status;
SELECT edit, origin, "user", role, application, keys FROM pg_temp.edits(:since);
-- the run is over: what comes after has no part in it
INSERT INTO sigds.sigds_eo (k) VALUES (40);
RESET ROLE;
SELECT origin, run, count(*) FROM pg_temp.edits(:since) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(DISTINCT w.metadata ->> 'executionId') AS runs, count(*) AS edits, bool_and(h.sequence_id = 'eo_run' AND h.user_id = w.metadata ->> 'userEmail' AND h.role = w.metadata ->> 'role') AS as_in_history
FROM sigds.sigds_wal_eo AS w JOIN sigma.sigma_execution_history AS h ON h.execution_id::text = w.metadata ->> 'executionId' AND h.action_id IS NULL WHERE w.edit_num > :since;
SELECT max(edit_num) AS since FROM sigds.sigds_wal_eo \gset

-- a setting names the app user, not the role, the origin or a run
SET sigma.user_email = 'root@example.com';
SELECT set_config('sigma.origin', 'action', false), set_config('sigma.execution_id', 'mine', false) \g /dev/null
DELETE FROM sigds.sigds_eo WHERE k = 40;
SELECT edit, origin, "user", role = session_user AS own_role, run, keys FROM pg_temp.edits(:since);

RESET application_name;
RESET sigma.user_email;
SELECT sigma.delete_action_sequence('eo_run');
SELECT sigma.delete_input_table('eo', purge => true);
DROP PROCEDURE public.eo_call(bigint);
SELECT sigma.revoke_access('regress_eo_editor');
DROP OWNED BY regress_eo_editor;
DROP ROLE regress_eo_editor;
