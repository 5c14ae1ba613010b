-- What the edit log is for: tables as they were, history, undo, redo, restore, rebuild, compacting
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, 'edit \d+', 'edit N');
END
$$;
-- the result of undo, redo and restore without numbers that other tests move
CREATE FUNCTION pg_temp.shown(result jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT result - 'table_id' - 'edit_num' || jsonb_build_object('undone', jsonb_array_length(result -> 'undone'))
        || CASE WHEN jsonb_typeof(result -> 'edit_num') = 'null' THEN '{"edit_num": null}' ELSE '{}' END::jsonb
$$;
CREATE FUNCTION pg_temp.right_log(id text) RETURNS bool LANGUAGE sql AS $$ SELECT (sigma.rebuild(id, true) ->> 'differences')::int = 0 $$;
SELECT sigma.create_input_table('{"id": "tt", "columns": [{"name": "a", "type": "text", "unique": true}, {"name": "n", "type": "number"}, {"name": "m", "type": "multi-select"}, {"name": "j", "type": "json"}]}');
CREATE VIEW pg_temp.tt AS SELECT sigma_row_id AS id, to_jsonb(t) - 'sigma_row_id' - 'sigma_created_at' - 'sigma_updated_at' - 'sigma_created_by' - 'sigma_updated_by' AS row FROM sigds.sigds_tt t ORDER BY 1;
SELECT max(edit_num) AS made, clock_timestamp() AS before FROM sigds.sigds_wal_tt \gset
INSERT INTO sigds.sigds_tt (a, n, m, j) VALUES ('x', 1.50, '{p,q}', '{"k": [1, null]}'), ('y', 2, '{}', 'null'), ('z', NULL, NULL, NULL);
UPDATE sigds.sigds_tt SET n = coalesce(n, 0) + 1;
SELECT max(edit_num) AS middle, clock_timestamp() AS between FROM sigds.sigds_wal_tt \gset
DELETE FROM sigds.sigds_tt WHERE a = 'y';
UPDATE sigds.sigds_tt SET a = 'zz' WHERE a = 'z';

-- as it was, by number and by time; equal to to_jsonb() of its rows
SELECT row - 'sigma_created_at' - 'sigma_updated_at' - 'sigma_created_by' - 'sigma_updated_by' AS row FROM sigma.as_of_edit('tt', :middle) AS row;
SELECT count(*) FROM (SELECT sigma.as_of_edit('tt', :middle) EXCEPT SELECT sigma.as_of('tt', :'between')) AS d;
SELECT count(*) FROM sigma.as_of('tt', :'before');
-- before the table was made there is nothing to be asked for, whichever function asks
SELECT f AS function, pg_temp.failure('SELECT sigma.' || f) FROM unnest(ARRAY['as_of(''tt'', ''2000-01-01'')', 'as_of(NULL::sigds.sigds_tt, ''2000-01-01'')', 'as_of_edit(''tt'', 0)',
    'diff(''tt'', 0)', 'restore(''tt'', 0)']) AS f;
DO $$
DECLARE
    hint text;
BEGIN
    PERFORM sigma.as_of('tt', '2000-01-01');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RAISE NOTICE '%', hint;
END
$$;
SELECT min(edit_num) < :made, min("timestamp") < :'before' FROM sigds.sigds_wal_tt;
-- cells of a row are in the order of its columns, whether a statement wrote one row or more
BEGIN;
SELECT sigma.create_input_table('{"id": "tt_order", "columns": [{"name": "zebra", "type": "integer"}, {"name": "b", "type": "integer"}, {"name": "aa", "type": "integer"}]}');
INSERT INTO sigds.sigds_tt_order VALUES (1, 2, 3);
INSERT INTO sigds.sigds_tt_order VALUES (4, 5, 6), (7, 8, 9);
UPDATE sigds.sigds_tt_order SET zebra = 0, aa = 0 WHERE b = 2;
SELECT operation, row_id, string_agg("column", ' ') AS columns FROM (SELECT * FROM sigma.history('tt_order') WHERE row_id IS NOT NULL) AS h GROUP BY edit_num, operation, row_id ORDER BY edit_num, row_id;
ROLLBACK;
SELECT count(*) FROM (SELECT sigma.as_of('tt', now()) EXCEPT SELECT to_jsonb(t) FROM sigds.sigds_tt t) AS d;
SELECT a, n, m, j, sigma_row_id FROM sigma.as_of(NULL::sigds.sigds_tt, :'between');
-- cell by cell
SELECT operation, "column", old, new FROM sigma.history('tt', 2);
SELECT row_id, operation, "column", old, new FROM sigma.diff('tt', :middle);
SELECT row_id, operation, "column", old, new FROM sigma.diff('tt', :made, :middle) WHERE row_id = 3;

-- steps back and forth
SELECT pg_temp.shown(sigma.undo('tt'));
SELECT pg_temp.shown(sigma.undo('tt'));
SELECT * FROM pg_temp.tt;
SELECT row_id, operation, "column", old, new FROM sigma.diff('tt', :middle);
SELECT created.sigma_created_at = now.sigma_created_at AS created_as_before
    FROM sigma.as_of(NULL::sigds.sigds_tt, :'between') AS created JOIN sigds.sigds_tt now USING (sigma_row_id) WHERE sigma_row_id = 2;
SELECT pg_temp.shown(sigma.redo('tt', 2));
SELECT * FROM pg_temp.tt;
SELECT pg_temp.shown(sigma.redo('tt'));
SELECT pg_temp.shown(sigma.undo('tt', 100));
SELECT * FROM pg_temp.tt;
SELECT pg_temp.shown(sigma.undo('tt'));
SELECT pg_temp.shown(sigma.redo('tt'));
SELECT * FROM pg_temp.tt;
-- an edit ends what can be redone; the undo of others' edits is theirs
SELECT pg_temp.shown(sigma.undo('tt'));
SET sigma.user_email = 'bob@example.com';
INSERT INTO sigds.sigds_tt (a, n) VALUES ('bob', 9);
SELECT pg_temp.shown(sigma.redo('tt'));
RESET sigma.user_email;
INSERT INTO sigds.sigds_tt (a) VALUES ('mine');
SELECT pg_temp.shown(sigma.redo('tt'));
SELECT pg_temp.shown(sigma.undo('tt'));
SELECT pg_temp.right_log('tt');

-- a later edit of the same cells: nothing changes, the conflicts come back
INSERT INTO sigds.sigds_tt (a, n) VALUES ('c1', 1), ('c2', 2);
SET sigma.user_email = 'bob@example.com';
UPDATE sigds.sigds_tt SET n = 22 WHERE a = 'c2';
DELETE FROM sigds.sigds_tt WHERE a = 'c1';
RESET sigma.user_email;
SELECT jsonb_pretty(sigma.undo('tt') #- '{conflicts,0,row_id}' #- '{conflicts,1,row_id}') AS refused;
SET sigma.user_email = 'bob@example.com';
SELECT pg_temp.shown(sigma.undo('tt', 2));
RESET sigma.user_email;
SELECT pg_temp.shown(sigma.undo('tt'));
-- one of the same row, but of other cells, is no conflict
UPDATE sigds.sigds_tt SET n = 10 WHERE a = 'bob';
SET sigma.user_email = 'bob@example.com';
UPDATE sigds.sigds_tt SET a = 'robert' WHERE a = 'bob';
RESET sigma.user_email;
SELECT pg_temp.shown(sigma.undo('tt'));
SELECT row FROM pg_temp.tt;

-- columns are steps too, with the values that went with them
SELECT pg_temp.shown(sigma.restore('tt', :middle));
SELECT * FROM pg_temp.tt;
SELECT sigma.rename_column('tt', 'n', 'number') AS renamed;
SELECT sigma.alter_column('tt', 'number', '{"type": "text"}') IS NOT NULL AS retyped;
SELECT sigma.drop_column('tt', 'm') AS dropped;
SELECT sigma.add_column('tt', '{"name": "new", "type": "integer", "default_value": 3}') IS NOT NULL AS added;
UPDATE sigds.sigds_tt SET new = NULL WHERE a = 'y';
SELECT * FROM pg_temp.tt;
SELECT pg_temp.shown(sigma.undo('tt', 3));
SELECT * FROM pg_temp.tt;
SELECT pg_temp.shown(sigma.undo('tt', 2));
SELECT * FROM pg_temp.tt;
SELECT pg_temp.shown(sigma.redo('tt', 2));
SELECT * FROM pg_temp.tt;
SELECT pg_temp.shown(sigma.undo('tt'));
SELECT operation, "column", old - 'id' AS old, new - 'id' AS new FROM sigma.diff('tt', :middle) WHERE row_id IS NULL;
SELECT pg_temp.shown(sigma.restore('tt', :middle));
SELECT count(*) FROM sigma.diff('tt', :middle);
SELECT pg_temp.right_log('tt');
SELECT count(*) FROM (SELECT sigma.as_of_edit('tt', :middle) - 'sigma_updated_at' EXCEPT SELECT to_jsonb(t) - 'sigma_updated_at' FROM sigds.sigds_tt t) AS d;
-- an import, with what it replaced, is one step
SELECT r ->> 'deleted' AS deleted, r ->> 'inserted' AS inserted FROM sigma.import_csv('tt', E'a,n\none,1\ntwo,2\n', '{"replace": true}') AS r;
SELECT pg_temp.shown(sigma.undo('tt'));
SELECT row FROM pg_temp.tt;
-- a protected column is not written, not even back
UPDATE sigds.sigds_tt SET n = 5 WHERE a = 'x';
SELECT sigma.alter_column('tt', 'n', '{"protected": true}') IS NOT NULL AS locked;
SELECT pg_temp.failure($$SELECT sigma.undo('tt', 2)$$);
SELECT sigma.alter_column('tt', 'n', '{"protected": false}') IS NOT NULL AS unlocked;

-- the log knows what the table must be
SET session_replication_role = replica;
UPDATE sigds.sigds_tt SET n = 99 WHERE a = 'x';
DELETE FROM sigds.sigds_tt WHERE a = 'y';
INSERT INTO sigds.sigds_tt (sigma_row_id, a) VALUES (9999, 'past the log');
RESET session_replication_role;
SELECT sigma.rebuild('tt', true) - 'edits' AS checked;
SELECT sigma.rebuild('tt') - 'edits' AS mended;
SELECT sigma.rebuild('tt') - 'edits' AS nothing_to_mend;
SELECT row FROM pg_temp.tt;

-- a shorter log, from a checkpoint on
SELECT max(edit_num) AS last FROM sigds.sigds_wal_tt \gset
SELECT (r ->> 'removed')::int > 20 AS removed, (r ->> 'checkpoint_edit')::bigint = :last AS checkpoint, (r ->> 'bytes_freed')::int > 1000 AS freed
    FROM sigma.compact_log('tt', '0 seconds') AS r;
SELECT count(*) AS entries FROM sigds.sigds_wal_tt;
SELECT pg_temp.right_log('tt');
SELECT sigma.compact_log('tt', '0 seconds') AS again;
INSERT INTO sigds.sigds_tt (a) VALUES ('after');
SELECT pg_temp.shown(sigma.undo('tt', 2));
SELECT pg_temp.right_log('tt');
SELECT sigma.compact_log('tt', '1 day') ->> 'removed' AS young_entries_stay;
SELECT pg_temp.failure('SELECT sigma.compact_log(''tt'', ''-1 day'')');
SELECT count(*) FROM sigma.as_of_edit('tt', :last);
SELECT pg_temp.failure(format('SELECT sigma.as_of_edit(''tt'', %s)', :last - 1));
SELECT pg_temp.failure(format('SELECT sigma.restore(''tt'', %s)', :last - 1));
SELECT pg_temp.failure(format('SELECT sigma.diff(''tt'', %s)', :made));
-- a checkpoint has numbers of entries that went, and no more of them, also where rows are longer than what made them so
SELECT sigma.create_input_table('{"id": "tt_long", "columns": [{"name": "n", "type": "integer"}]}');
SELECT sigma.create_input_table('{"id": "tt_beside", "columns": [{"name": "n", "type": "integer"}]}');
DO $$
BEGIN
    FOR i IN 1 .. 4 LOOP
        INSERT INTO sigds.sigds_tt_long SELECT g FROM generate_series(1, 500) AS g;
        INSERT INTO sigds.sigds_tt_beside VALUES (i);
    END LOOP;
END
$$;
SELECT sigma.add_column('tt_long', jsonb_build_object('name', 't', 'type', 'text', 'default_value', repeat('x', 5000))) IS NOT NULL AS added;
CREATE TEMP TABLE numbers AS SELECT edit_num FROM sigds.sigds_wal_tt_long;
SELECT (r ->> 'removed')::int = (SELECT count(*) FROM numbers) AS removed, (r ->> 'checkpoint_edit')::bigint = (SELECT max(edit_num) FROM numbers) AS checkpoint
    FROM sigma.compact_log('tt_long', '0 seconds') AS r;
SELECT count(*) > 1 AS more_than_one, bool_and(edit_num IN (TABLE numbers)) AS own_numbers, bool_and(statement = (SELECT min(edit_num) FROM sigds.sigds_wal_tt_long)) AS one_statement
    FROM sigds.sigds_wal_tt_long;
SELECT pg_temp.right_log('tt_long');
INSERT INTO sigds.sigds_tt_long (n) VALUES (0);
SELECT pg_temp.right_log('tt_long');
DROP TABLE numbers;
-- together its entries are the table after the last of them: amid them there is no past
SELECT min(edit_num) AS first, max(edit_num) FILTER (WHERE edit ? 'checkpoint') AS last, to_char(min("timestamp"), 'YYYY-MM-DD HH24:MI:SS.US TZH:TZM') AS at FROM sigds.sigds_wal_tt_long \gset
SELECT count(*) FROM sigma.as_of_edit('tt_long', :last);
SELECT pg_temp.failure(format('SELECT sigma.as_of_edit(''tt_long'', %s)', :first)) AS amid;
SELECT count(*) FROM sigma.as_of('tt_long', :'at');
SELECT pg_temp.failure(format('SELECT sigma.as_of(''tt_long'', %L::timestamptz - interval ''1 microsecond'')', :'at'));
-- after the last number there is nothing to take back
SELECT sigma.restore('tt_long', 9223372036854775807) AS restored;
SELECT sigma.delete_input_table(id, purge => true) FROM unnest(ARRAY['tt_long', 'tt_beside']) AS id;

-- no log, no past
SELECT sigma.update_input_table('tt', '{"governance_config": {"audit": false}}') -> 'changed' AS changed;
INSERT INTO sigds.sigds_tt (a) VALUES ('unlogged');
SELECT f AS function, pg_temp.failure('SELECT sigma.' || f) FROM unnest(ARRAY['as_of(''tt'', now())', 'as_of_edit(''tt'', 1)', 'as_of(NULL::sigds.sigds_tt, now())',
    'history(''tt'')', 'diff(''tt'', 1)', 'undo(''tt'')', 'redo(''tt'')', 'restore(''tt'', 1)', 'rebuild(''tt'')', 'compact_log(''tt'', ''1 day'')', 'verify_log(''tt'')']) AS f;
SELECT sigma.update_input_table('tt', '{"governance_config": null}') -> 'changed' AS changed;
SELECT pg_temp.right_log('tt');
INSERT INTO sigds.sigds_tt (a) VALUES ('logged again');
SELECT pg_temp.shown(sigma.undo('tt', 2));
SELECT pg_temp.right_log('tt');

-- adopted again, with other columns of the same names, the log goes on
SELECT sigma.delete_input_table('tt');
SELECT sigma.create_input_table('{"id": "tt", "columns": [{"name": "a", "type": "text"}, {"name": "n", "type": "number"}, {"name": "m", "type": "multi-select"}, {"name": "j", "type": "json"}]}');
INSERT INTO sigds.sigds_tt (a) VALUES ('adopted');
SELECT pg_temp.right_log('tt');
SELECT pg_temp.shown(sigma.undo('tt', 2));

-- a chain of hashes names the entry that was changed
SELECT checked, broken_edit, reason FROM sigma.verify_log('tt');
SELECT sigma.create_input_table('{"id": "tt_chain", "columns": [{"name": "a", "type": "text"}], "governance_config": {"tamper_evident": true}}');
INSERT INTO sigds.sigds_tt_chain (a) VALUES ('one');
BEGIN;
INSERT INTO sigds.sigds_tt_chain (a) VALUES ('lost');
ROLLBACK;
INSERT INTO sigds.sigds_tt_chain (a) SELECT 'many' FROM generate_series(1, 2500);
SELECT count(*) = count(hash) AS all_hashed, bool_and(length(hash) = 32) AS sha256 FROM sigds.sigds_wal_tt_chain;
SELECT checked, broken_edit, reason FROM sigma.verify_log('tt_chain');
BEGIN;
ALTER TABLE sigds.sigds_wal_tt_chain DISABLE TRIGGER USER;
UPDATE sigds.sigds_wal_tt_chain SET edit = jsonb_set(edit, '{addRow,values,a}', '"forged"') WHERE edit ? 'addRow';
SELECT checked, broken_edit = (SELECT edit_num FROM sigds.sigds_wal_tt_chain WHERE edit #>> '{addRow,values,a}' = 'forged') AS found, reason FROM sigma.verify_log('tt_chain');
ROLLBACK;
BEGIN;
ALTER TABLE sigds.sigds_wal_tt_chain DISABLE TRIGGER USER;
DELETE FROM sigds.sigds_wal_tt_chain WHERE edit ? 'addRow';
SELECT checked, broken_edit = (SELECT min(edit_num) FROM sigds.sigds_wal_tt_chain WHERE edit ? 'addRows') AS found FROM sigma.verify_log('tt_chain');
ROLLBACK;
SELECT (sigma.compact_log('tt_chain', '0 seconds') ->> 'removed')::int AS removed;
INSERT INTO sigds.sigds_tt_chain (a) VALUES ('two');
SELECT checked, broken_edit, reason FROM sigma.verify_log('tt_chain');
SELECT pg_temp.right_log('tt_chain');

-- who may see the past, and change it
CREATE ROLE regress_tt_reader;
CREATE ROLE regress_tt_partly;
CREATE ROLE regress_tt_editor;
GRANT USAGE ON SCHEMA sigma, sigds TO regress_tt_reader, regress_tt_partly, regress_tt_editor;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sigma TO regress_tt_reader, regress_tt_partly, regress_tt_editor;
GRANT SELECT (a, sigma_row_id) ON sigds.sigds_tt TO regress_tt_partly;
GRANT SELECT, INSERT, UPDATE, DELETE ON sigds.sigds_tt TO regress_tt_editor;
UPDATE sigds.sigds_tt SET n = 1, a = 'secret ' || sigma_row_id WHERE a = 'x';
SET ROLE regress_tt_reader;
SELECT pg_temp.failure('SELECT sigma.' || f) FROM unnest(ARRAY['as_of(''tt'', now())', 'as_of(NULL::sigds.sigds_tt, now())', 'history(''tt'')', 'diff(''tt'', 1)',
    'undo(''tt'')', 'rebuild(''tt'')', 'compact_log(''tt'', ''0'')']) AS f;
SET ROLE regress_tt_partly;
SELECT DISTINCT k AS shown FROM sigma.as_of('tt', now()) AS row, jsonb_object_keys(row) AS k ORDER BY 1;
SELECT DISTINCT "column" FROM sigma.history('tt') WHERE row_id IS NOT NULL ORDER BY 1;
SELECT pg_temp.failure('SELECT sigma.as_of(NULL::sigds.sigds_tt, now())');
SELECT pg_temp.failure('SELECT sigma.undo(''tt'')');
SET ROLE regress_tt_editor;
SELECT pg_temp.shown(sigma.undo('tt')) - 'conflicts' AS the_app_user_is_the_same;
SELECT pg_temp.failure('SELECT sigma.rebuild(''tt'')');
SELECT pg_temp.failure('SELECT sigma.compact_log(''tt'', ''0'')');
RESET ROLE;
ALTER TABLE sigds.sigds_tt ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON sigds.sigds_tt USING (a <> 'y');
SET ROLE regress_tt_editor;
SELECT pg_temp.failure('SELECT sigma.as_of(''tt'', now())');
SELECT pg_temp.failure('SELECT sigma.history(''tt'')');
SELECT pg_temp.failure('SELECT sigma.diff(''tt'', 1)');
RESET ROLE;
DROP OWNED BY regress_tt_reader, regress_tt_partly, regress_tt_editor;
DROP ROLE regress_tt_reader, regress_tt_partly, regress_tt_editor;

-- wrong arguments
SELECT pg_temp.failure('SELECT sigma.' || f) FROM unnest(ARRAY['as_of(''nowhere'', now())', 'as_of(''tt'', NULL)', 'as_of_edit(''tt'', NULL)', 'as_of(NULL::pg_class, now())',
    'history(NULL)', 'history(''tt'', key => ''{}'')', 'diff(''tt'', NULL)', 'undo(''tt'', 0)', 'undo(''nowhere'')', 'restore(''tt'', NULL)', 'rebuild(NULL)',
    'compact_log(''tt'', NULL)', 'verify_log(NULL)']) AS f;
DROP VIEW pg_temp.tt;
SELECT sigma.delete_input_table(id, purge => true) FROM unnest(ARRAY['tt', 'tt_chain']) AS id;

-- a column that goes takes its values into more than one entry, and brings all of them back; a fresh backend has little memory to spare
SELECT sigma.create_input_table('{"id": "tt_drop", "columns": [{"name": "t", "type": "text"}, {"name": "n", "type": "integer"}]}');
INSERT INTO sigds.sigds_tt_drop SELECT repeat('v' || g % 10, 50), g FROM generate_series(1, 3500) AS g;
\c -
SELECT sigma.drop_column('tt_drop', 't') AS dropped;
SELECT count(*) AS entries FROM sigds.sigds_wal_tt_drop WHERE edit ? 'deleteColumn';
SELECT sigma.undo('tt_drop') ->> 'columns' AS columns;
SELECT count(*) AS differ FROM sigds.sigds_tt_drop WHERE t IS DISTINCT FROM repeat('v' || n % 10, 50);
SELECT sigma.delete_input_table('tt_drop', purge => true);
