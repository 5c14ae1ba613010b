-- The edit log: what every kind of statement leaves there, who may change it, when it is not kept
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
-- The entries of a log since the last call, numbers counted from 1, ids of columns left out.
CREATE TEMP TABLE seen (id text PRIMARY KEY, edit_num bigint);
CREATE FUNCTION pg_temp.entries(id text, OUT n bigint, OUT of bigint, OUT edit jsonb, OUT by text, OUT origin text)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
    since bigint = coalesce((SELECT s.edit_num FROM seen s WHERE s.id = entries.id), 0);
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT row_number() OVER w, statement - min(edit_num) OVER () + 1,
                regexp_replace(edit::text, ''"id": "[A-Z0-9]{10}"(, )?'', '''', ''g'')::jsonb,
                metadata ->> ''userEmail'', metadata ->> ''origin''
         FROM sigds.sigds_wal_%s WHERE edit_num > %s WINDOW w AS (ORDER BY edit_num) ORDER BY edit_num', id, since);
    EXECUTE format('INSERT INTO seen SELECT %L, max(edit_num) FROM sigds.sigds_wal_%s
                    ON CONFLICT ON CONSTRAINT seen_pkey DO UPDATE SET edit_num = excluded.edit_num', id, id);
END
$$;

-- an empty table with Sigma's defaults (https://community.sigmacomputing.com/t/how-to-use-the-wal-for-global-input-table-audit-logging/2622)
SELECT sigma.create_input_table('{"id": "log_blank", "name": "Log blank"}');
SELECT * FROM pg_temp.entries('log_blank');
SELECT ds_id, metadata - 'application' - 'workbookId' AS metadata, metadata ? 'workbookId' AS workbook,
       xact < settled AS settled_later, instance = (SELECT instance FROM sigma.sigma_instance) AS ours, hash
FROM sigds.sigds_wal_log_blank ORDER BY edit_num LIMIT 1;

-- every kind of statement is one statement of the log
SELECT sigma.create_input_table('{"id": "log_t", "columns": [{"name": "a", "type": "text", "unique": true}, {"name": "n", "type": "number"}, {"name": "flag", "type": "checkbox"}]}');
SELECT count(*) FROM pg_temp.entries('log_t');
SET sigma.user_email = 'ann@example.com';
INSERT INTO sigds.sigds_log_t (a, n) VALUES ('one', 1.50);
INSERT INTO sigds.sigds_log_t (a, n, flag) VALUES ('two', 2, true), ('three', NULL, false);
UPDATE sigds.sigds_log_t SET n = n + 1 WHERE a = 'one';
UPDATE sigds.sigds_log_t SET n = coalesce(n, 0), flag = true WHERE a <> 'one';
UPDATE sigds.sigds_log_t SET n = n WHERE a = 'one';
UPDATE sigds.sigds_log_t SET n = 7 WHERE false;
DELETE FROM sigds.sigds_log_t WHERE a = 'three';
RESET sigma.user_email;
SELECT * FROM pg_temp.entries('log_t');
COPY sigds.sigds_log_t (a, n) FROM STDIN;
four	4
five	5
\.
INSERT INTO sigds.sigds_log_t (a, n) VALUES ('five', 0), ('six', 6) ON CONFLICT (a) DO UPDATE SET n = 55;
MERGE INTO sigds.sigds_log_t t USING (VALUES ('four', 44), ('six', NULL), ('seven', 7)) AS s(a, n) ON t.a = s.a
    WHEN MATCHED AND s.n IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT (a, n) VALUES (s.a, s.n);
WITH gone AS (DELETE FROM sigds.sigds_log_t WHERE a = 'four'), new AS (INSERT INTO sigds.sigds_log_t (a) VALUES ('eight'))
    UPDATE sigds.sigds_log_t SET flag = false WHERE a = 'seven';
SELECT * FROM pg_temp.entries('log_t');
SELECT r ->> 'edit_num' AS edit_num
FROM sigma.handle_data_entry('log_t', '[{"sigma_row_id": 1, "n": 11}, {"sigma_row_id": 2, "_delete": true}, {"a": "nine"}]') AS r \gset
SELECT max(edit_num) = :edit_num AS last_entry FROM sigds.sigds_wal_log_t;
SELECT r ->> 'accepted' AS accepted FROM sigma.import_csv('log_t', E'a,n\nten,10\neleven,x\n', '{"mode": "partial"}') AS r;
SELECT r ->> 'accepted' AS accepted, r -> 'edit_num' AS nothing FROM sigma.import_csv('log_t', E'a,n\ntwelve,12\n', '{"dry_run": true}') AS r;
SELECT * FROM pg_temp.entries('log_t');

-- what is rolled back was never logged
BEGIN;
INSERT INTO sigds.sigds_log_t (a) VALUES ('lost');
ROLLBACK;
DO $$
BEGIN
    BEGIN
        INSERT INTO sigds.sigds_log_t (a) VALUES ('lost too');
        RAISE EXCEPTION 'back';
    EXCEPTION WHEN raise_exception THEN
        INSERT INTO sigds.sigds_log_t (a) VALUES ('kept');
    END;
END
$$;
-- a trigger that writes the rows that it was fired for comes after them, also by its name
CREATE FUNCTION log_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sigds.sigds_log_t t SET n = 100 FROM fresh f WHERE t.sigma_row_id = f.sigma_row_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER a_touch AFTER INSERT ON sigds.sigds_log_t REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_touch();
INSERT INTO sigds.sigds_log_t (a) VALUES ('touched');
DROP TRIGGER a_touch ON sigds.sigds_log_t;
SELECT * FROM pg_temp.entries('log_t');
DROP FUNCTION log_touch();

-- columns: what they were, and the values that go with them
SELECT sigma.add_column('log_t', '{"name": "added", "type": "integer", "default_value": 5}', 1) IS NOT NULL AS added;
SELECT sigma.rename_column('log_t', 'flag', 'sign');
SELECT sigma.alter_column('log_t', 'sign', '{"type": "text"}') -> 'retyped' -> 0 -> 'converted' AS converted;
SELECT sigma.drop_column('log_t', 'sign');
SELECT sigma.update_input_table('log_t', '{"columns": [{"name": "n", "renamed_from": "a"}, {"name": "a", "renamed_from": "n"}, {"name": "added", "drop": true}]}') -> 'renamed' AS renamed;
SELECT n, of, edit #- '{deleteColumn,values}' #- '{updateColumn,values}' AS edit,
       (SELECT jsonb_agg(v ORDER BY v -> 0) FROM jsonb_array_elements(coalesce(edit #> '{deleteColumn,values}', edit #> '{updateColumn,values}')) AS v) AS values
FROM pg_temp.entries('log_t');

-- every value comes into the log as it is
SELECT sigma.create_input_table('{"id": "log_v", "columns": [{"name": "t", "type": "text"}, {"name": "n", "type": "number"}, {"name": "i", "type": "integer"}, {"name": "f", "type": "float"},
    {"name": "d", "type": "date"}, {"name": "dt", "type": "datetime"}, {"name": "c", "type": "checkbox"}, {"name": "m", "type": "multi-select"}, {"name": "j", "type": "json"}]}');
SELECT count(*) FROM pg_temp.entries('log_v');
SET DateStyle = 'SQL, DMY';
INSERT INTO sigds.sigds_log_v (t, n, i, f, d, dt, c, m, j) VALUES
    (E'tab\t"quote" \\ ü', 12345678901234567890.123450, -9223372036854775808, '-0', '2024-02-29', '2024-02-29 23:59:59.999999', true, '{x,"y z",""}', '{"b": [1, null, 2.0]}'),
    ('', 0.00, 9223372036854775807, 0.1, '0001-01-01', '9999-12-31 00:00:00', false, '{}', 'null'),
    ('null', 1e-20, 0, 1e-7, NULL, NULL, NULL, NULL, '{"$json": 1}');
RESET DateStyle;
SELECT jsonb_pretty(edit -> 'addRows' -> 'rows') AS rows FROM pg_temp.entries('log_v');
-- more than 1,000 rows and more than 1 MB begin a new entry
INSERT INTO sigds.sigds_log_v (i) SELECT generate_series(1, 2001);
INSERT INTO sigds.sigds_log_v (t) SELECT repeat('x', 300000) FROM generate_series(1, 4);
SELECT n, of, jsonb_array_length(edit #> '{addRows,rows}') AS rows, edit ? 'addRow' AS one FROM pg_temp.entries('log_v');
SELECT attcompression IN ('l', '') AS compressed_cheaply FROM pg_attribute WHERE attrelid = 'sigds.sigds_wal_log_v'::regclass AND attname = 'edit';

-- append-only, for its owner too, and by way of a parent
SELECT pg_temp.failure('UPDATE sigds.sigds_wal_log_t SET edit = NULL');
SELECT pg_temp.failure('DELETE FROM sigds.sigds_wal_log_t WHERE false');
SELECT pg_temp.failure('TRUNCATE sigds.sigds_wal_log_t');
BEGIN;
CREATE TABLE log_parent (LIKE sigds.sigds_wal_log_t);
ALTER TABLE sigds.sigds_wal_log_t INHERIT log_parent;
SELECT pg_temp.failure('DELETE FROM log_parent');
ROLLBACK;
-- a writer needs no right on the log, and has none
CREATE ROLE regress_log_writer;
GRANT USAGE ON SCHEMA sigds, sigma TO regress_log_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON sigds.sigds_log_v TO regress_log_writer;
SET ROLE regress_log_writer;
INSERT INTO sigds.sigds_log_v (t) VALUES ('theirs');
SELECT pg_temp.failure('SELECT FROM sigds.sigds_wal_log_v');
SELECT pg_temp.failure('INSERT INTO sigds.sigds_wal_log_v DEFAULT VALUES');
SELECT pg_temp.failure('SELECT nextval(''sigma.sigma_edit_num'')');
RESET ROLE;
SELECT metadata ->> 'role' AS role, metadata ->> 'userEmail' = session_user AS email FROM sigds.sigds_wal_log_v ORDER BY edit_num DESC LIMIT 1;
DROP OWNED BY regress_log_writer;
DROP ROLE regress_log_writer;
-- nothing is logged for a replica's rows
SELECT count(*) >= 0 AS so_far FROM pg_temp.entries('log_v');
SET session_replication_role = replica;
INSERT INTO sigds.sigds_log_v (sigma_row_id, t) VALUES (-1, 'replica');
DELETE FROM sigds.sigds_log_v WHERE sigma_row_id = -1;
RESET session_replication_role;
SELECT * FROM pg_temp.entries('log_v');

-- entries of many rows and columns are, byte by byte, the documents that PostgreSQL makes of the same text
SELECT sigma.create_input_table(jsonb_build_object('id', 'log_wide', 'columns', (SELECT jsonb_agg(jsonb_build_object('name', 'c' || i,
    'type', (ARRAY['text', 'number', 'json', 'checkbox', 'multi-select', 'integer', 'date', 'float', 'file'])[i % 9 + 1])) FROM generate_series(1, 70) AS i)));
INSERT INTO sigds.sigds_log_wide (c1, c2, c3, c4, c9, c68, c70)
SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE i / 4.0 END, CASE i % 4 WHEN 0 THEN 'null' WHEN 1 THEN '{"a": [1, null, {"b": "c"}]}' WHEN 2 THEN '{"$json": 1}' ELSE '[]' END::jsonb,
    i % 2 = 0, CASE i % 3 WHEN 0 THEN '{}' WHEN 1 THEN '{x,"y z"}' END::text[], repeat('t', i % 11), -i, NULL FROM generate_series(1, 1500) AS i;
UPDATE sigds.sigds_log_wide SET c9 = c9 || '!', c1 = -0.50, c3 = NOT c3, c10 = 1e20 WHERE sigma_row_id % 40 = 0;
DELETE FROM sigds.sigds_log_wide WHERE sigma_row_id <= 1100;
DELETE FROM sigds.sigds_log_wide WHERE sigma_row_id = 1101;
SELECT jsonb_object_keys(edit) AS operation, count(*), bool_and(record_image_eq(ROW(edit), ROW(edit::text::jsonb))) AS same,
       sum(jsonb_array_length(edit #> '{addRows,rows}')) AS added, sum(jsonb_array_length(edit #> '{deleteRows,rows}')) AS deleted
FROM sigds.sigds_wal_log_wide WHERE NOT edit ? 'addColumn' GROUP BY 1 ORDER BY 1;
SELECT sigma.rebuild('log_wide', true) -> 'differences' AS differences;
SELECT sigma.delete_input_table('log_wide', true);

-- no log where nobody wants one; it begins with what is there when somebody does
SELECT sigma.create_input_table('{"id": "log_off", "columns": [{"name": "a", "type": "text"}], "governance_config": {"audit": false}}');
SELECT to_regclass('sigds.sigds_wal_log_off') AS log, edit_log FROM sigma.list_input_tables() WHERE id = 'log_off';
INSERT INTO sigds.sigds_log_off (a) VALUES ('unseen');
SELECT r ->> 'inserted' AS inserted, r -> 'edit_num' AS edit_num FROM sigma.handle_data_entry('log_off', '{"a": "unseen too"}') AS r;
-- a log that somebody dropped
DROP TABLE sigds.sigds_wal_log_blank;
SELECT pg_temp.failure($$INSERT INTO sigds.sigds_log_blank DEFAULT VALUES$$);
SELECT sigma.table_info('log_blank') -> 'warnings' AS warnings;

-- purging takes the log, deleting does not
SELECT sigma.delete_input_table('log_t');
SELECT to_regclass('sigds.sigds_wal_log_t') AS kept;
SELECT sigma.delete_input_table('log_t', purge => true);
SELECT to_regclass('sigds.sigds_wal_log_t') AS gone;
SELECT sigma.delete_input_table(id, purge => true) FROM unnest(ARRAY['log_blank', 'log_v', 'log_off']) AS id;
