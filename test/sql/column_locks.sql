-- editable: false and protected: true hold on every path. A protected column is written
-- by nobody, a fixed one by defaults, imports and sequence runs
-- (https://help.sigmacomputing.com/docs/create-new-input-tables).
SELECT sigma.create_input_table('{"id": "locks", "name": "Locks", "data_entry_permission": "published",
    "columns": [{"name": "key", "type": "text", "unique": true}, {"name": "free", "type": "text"},
                {"name": "fixed", "type": "text", "default_value": "made", "editable": false}]}');
INSERT INTO sigds.sigds_locks VALUES ('a', 'x', DEFAULT), ('b', 'x', 'made');
SELECT sigma.create_action_sequence(format('{"id": "locks_%s", "trigger": {"type": "manual"}, "actions": [%s]}', id, action)::jsonb)
FROM (VALUES
    ('insert', '{"type": "data_modification", "subtype": "insert_row", "target": "locks", "parameters": {"values": {"key": "run", "fixed": "by a run"}}}'),
    ('update', '{"type": "data_modification", "subtype": "update_rows", "target": "locks", "parameters": {"values": {"fixed": "by a run"}, "selector": {"match": {"key": "a"}}}}'),
    ('upsert', '{"type": "data_modification", "subtype": "upsert_row", "target": "locks", "parameters": {"values": {"key": "a", "fixed": "upserted"}, "key": ["key"]}}'),
    ('delete', '{"type": "data_modification", "subtype": "delete_rows", "target": "locks", "parameters": {"selector": {"match": {"key": "a"}}}}')) AS v (id, action);

CREATE FUNCTION locks_try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result jsonb;
BEGIN
    IF statement LIKE 'call %' THEN
        EXECUTE 'SELECT sigma.' || substr(statement, 6) INTO result;
        RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = coalesce(result -> 'error' ->> 'sqlstate', result -> 'errors' -> 0 ->> 'rule', 'ok')
            || coalesce(': ' || (SELECT string_agg(DISTINCT fixed, ', ' ORDER BY fixed) FROM sigds.sigds_locks), '');
    END IF;
    EXECUTE statement;
    RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = 'ok: ' || (SELECT string_agg(DISTINCT fixed, ', ' ORDER BY fixed) FROM sigds.sigds_locks);
EXCEPTION WHEN SQLSTATE 'P0099' THEN
    RETURN SQLERRM;
WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
CREATE TABLE locks_paths (n int GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO locks_paths (statement) VALUES
    ('INSERT INTO sigds.sigds_locks (key, fixed) VALUES (''c'', ''mine'')'),
    ('INSERT INTO sigds.sigds_locks (key) VALUES (''c'')'),
    ('INSERT INTO sigds.sigds_locks (key, fixed) SELECT ''c'', ''mine'''),
    ('UPDATE sigds.sigds_locks SET fixed = ''mine'''),
    ('UPDATE sigds.sigds_locks SET fixed = NULL'),
    ('UPDATE sigds.sigds_locks SET fixed = DEFAULT, free = ''y'''),
    ('UPDATE sigds.sigds_locks SET fixed = fixed, free = ''y'''),
    ('INSERT INTO sigds.sigds_locks (key) VALUES (''a'') ON CONFLICT (key) DO UPDATE SET fixed = ''mine'''),
    ('INSERT INTO sigds.sigds_locks (key) VALUES (''a'') ON CONFLICT (key) DO UPDATE SET free = ''y'''),
    ('MERGE INTO sigds.sigds_locks AS l USING (VALUES (''a'')) AS v (key) ON l.key = v.key WHEN MATCHED THEN UPDATE SET fixed = ''mine'''),
    ('MERGE INTO sigds.sigds_locks AS l USING (VALUES (''a'')) AS v (key) ON l.key = v.key || ''x'' WHEN NOT MATCHED THEN INSERT (key, fixed) VALUES (''c'', ''mine'')'),
    ('WITH w AS (UPDATE sigds.sigds_locks SET fixed = ''mine'' RETURNING 1) SELECT count(*) FROM w'),
    ('UPDATE sigma_views."Locks" SET fixed = ''mine'''),
    ('DELETE FROM sigds.sigds_locks WHERE key = ''b'''),
    ('call handle_data_entry(''locks'', ''{"key": "c", "fixed": "mine"}'')'),
    ('call handle_data_entry(''locks'', ''{"key": "c", "fixed": "mine"}'', ''partial'')'),
    ('call handle_data_entry(''locks'', ''{"key": "c", "fixed": "mine"}'', ''sigma'')'),
    ('call handle_data_entry(''locks'', ''{"key": "a", "fixed": "mine"}'', ''strict'', ''{"key": ["key"], "on_conflict": "update"}'')'),
    ('call handle_data_entry(''locks'', ''{"key": "a", "free": "y"}'', ''strict'', ''{"key": ["key"], "on_conflict": "update"}'')'),
    ('call import_csv(''locks'', E''key,fixed\nc,imported'')'),
    ('call import_csv(''locks'', E''key,fixed\na,imported'', ''{"key": ["key"], "on_conflict": "update"}'')'),
    ('call execute_sequence(''locks_insert'')'),
    ('call execute_sequence(''locks_update'')'),
    ('call execute_sequence(''locks_upsert'')'),
    ('call execute_sequence(''locks_delete'')'),
    ('SET LOCAL session_replication_role = origin; SET LOCAL sigma.origin = ''action''; UPDATE sigds.sigds_locks SET fixed = ''mine''');
SELECT statement, locks_try(statement) AS "not editable" FROM locks_paths ORDER BY n;
-- a run is over when it is over, also after an error inside
SELECT sigma.execute_sequence('locks_update') ->> 'status';
UPDATE sigds.sigds_locks SET fixed = 'mine';
SELECT sigma.update_input_table('locks', '{"columns": [{"name": "key"}, {"name": "free"}, {"name": "fixed", "protected": true}]}') -> 'changed';
SELECT statement, locks_try(statement) AS "protected" FROM locks_paths ORDER BY n;
-- the structure of a protected column
SELECT locks_try('call alter_column(''locks'', ''fixed'', ''{"type": "number"}'')'),
       locks_try('call alter_column(''locks'', ''fixed'', ''{"protected": false, "type": "number"}'')');
-- what the draft changed before goes back with discard_draft, as what was published comes back
SELECT sigma.update_input_table('locks', '{"data_entry_permission": "draft", "columns": [{"name": "key"}, {"name": "free"}, {"name": "fixed", "protected": false, "editable": true}]}') IS NOT NULL;
SELECT sigma.publish('locks') IS NOT NULL;
UPDATE sigds.sigds_locks SET fixed = 'drafted' WHERE key = 'b';
SELECT sigma.update_input_table('locks', '{"columns": [{"name": "key"}, {"name": "free"}, {"name": "fixed", "protected": true}]}') IS NOT NULL;
SELECT sigma.discard_draft('locks') -> 'updated';
SELECT key, fixed FROM sigds.sigds_locks ORDER BY key;

SELECT bool_and(sigma.delete_action_sequence('locks_' || id)) FROM unnest(ARRAY['insert', 'update', 'upsert', 'delete']) AS id;
SELECT sigma.delete_input_table('locks', true);
DROP TABLE locks_paths;
DROP FUNCTION locks_try;
