-- input tables: a row of the catalog makes a data table, and lets it go
\pset null '<null>'
CREATE FUNCTION pg_temp.structure(id text) RETURNS TABLE (name name, type text, "default" text) LANGUAGE sql AS $$
    SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid)
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = ('sigds.sigds_' || id)::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
$$;
CREATE FUNCTION pg_temp.triggers(id text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = ('sigds.sigds_' || id)::regclass ORDER BY tgname
$$;
CREATE FUNCTION pg_temp.indexes(id text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(pg_get_indexdef(indexrelid), '_[A-Z0-9]{10}_key', '_<column>_key')
    FROM pg_index WHERE indrelid = ('sigds.sigds_' || id)::regclass ORDER BY 1
$$;
-- the error of a statement, with its SQLSTATE
\getenv test PG_ABS_SRCDIR
\set include :test '/include/failure.sql'
\i :include

-- every column type, defaults as literals of the type, in the order given
SELECT sigma.create_input_table('{
    "id": "it_all", "name": "All types", "type": "empty",
    "columns": [
        {"name": "text", "type": "text", "default_value": "it''s \"x\""},
        {"name": "Number", "type": "number", "default_value": 1.50},
        {"name": "int", "type": "int", "default_value": 7},
        {"name": "f", "type": "float", "default_value": 0.1},
        {"name": "d", "type": "date", "default_value": "2026-02-28"},
        {"name": "dt", "type": "timestamp", "default_value": "2026-02-28 12:30:00"},
        {"name": "c", "type": "bool", "default_value": false},
        {"name": "dd", "type": "dropdown", "validation": {"values": ["a", "b"]}, "default_value": "a"},
        {"name": "ms", "type": "multi-select", "validation": {"values": ["x", "y z"]}, "default_value": ["x", "y z"]},
        {"name": "js", "type": "json", "default_value": {"k": [1, null]}},
        {"name": "fi", "type": "file"},
        {"name": "a \"quoted\" näme", "type": "text"}
    ]}');
SELECT * FROM pg_temp.structure('it_all');
SELECT pg_temp.triggers('it_all');
SELECT pg_temp.indexes('it_all');
SELECT obj_description('sigds.sigds_it_all'::regclass);
SELECT relname, relkind, relowner = nspowner AS "owned by the owner of sigds"
    FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = 'sigds' AND relname ~ '^sigds_(seq_)?it_all$' ORDER BY 1;
SELECT type, data_entry_permission, max_rows, allow_bulk_operations, status, created_at IS NOT NULL AS stamped,
    (SELECT bool_and(c->>'id' ~ '^[A-Z0-9]{10}$') AND count(DISTINCT c->>'id') = 12 FROM jsonb_array_elements(columns) c) AS ids
    FROM sigma.sigma_input_tables WHERE id = 'it_all';

-- defaults hold for plain inserts
INSERT INTO sigds.sigds_it_all (int) VALUES (1);
SELECT text, "Number", int, f, d, dt, c, dd, ms, js, fi, "a ""quoted"" näme" FROM sigds.sigds_it_all;

-- limits bring triggers that count
SELECT sigma.create_input_table('{"id": "it_limit", "columns": [{"name": "a", "type": "text"}], "max_rows": 10}');
SELECT pg_temp.triggers('it_limit');
SELECT sigma.create_input_table('{"id": "it_single", "columns": [{"name": "a", "type": "text"}], "allow_bulk_operations": false}');
SELECT count(*) FROM pg_temp.triggers('it_single');

-- unique columns, said in three places
SELECT sigma.create_input_table('{"id": "it_unique", "name": "IT unique", "columns": [
    {"name": "a", "type": "text", "unique": true},
    {"name": "B b", "type": "text", "validation": {"unique": "ignore_case"}},
    {"name": "c", "type": "integer"}], "validation_rules": {"c": {"unique": true}}}');
SELECT pg_temp.indexes('it_unique');

-- a table without columns begins as Sigma's does: one text column, three blank rows
SELECT sigma.create_input_table('{"id": "it_blank"}');
SELECT sigma_row_id, "Column 1" FROM sigds.sigds_it_blank ORDER BY 1;
SELECT sigma.create_input_table('{"id": "it_blank_limit", "max_rows": 2, "allow_bulk_operations": false}');
SELECT count(*) FROM sigds.sigds_it_blank_limit;

-- an id is made where there is none
SELECT sigma.create_input_table('{"name": "it made", "columns": [{"name": "a", "type": "text"}]}') AS made \gset
SELECT :'made' ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' AS is_uuid, to_regclass('sigds.sigds_' || replace(:'made', '-', '_')) IS NOT NULL AS has_table;

INSERT INTO sigma.sigma_input_tables (name, columns) VALUES ('it unnamed', '[{"name": "a", "type": "text"}]')
    RETURNING id IS NOT NULL AND to_regclass('sigds.sigds_' || replace(id, '-', '_')) IS NULL AS "made, its table comes after the statement";
SELECT sigma.delete_input_table(id, true) FROM sigma.sigma_input_tables WHERE name = 'it unnamed';

-- plain DML does the same work, many rows in a statement too
INSERT INTO sigma.sigma_input_tables (id, columns) VALUES
    ('it_dml_1', '[{"name": "a", "type": "text"}]'), ('it_dml_2', '[{"name": "b", "type": "number"}]');
SELECT * FROM pg_temp.structure('it_dml_2') WHERE name = 'b';
INSERT INTO sigma.sigma_input_tables (id, columns) VALUES ('it_dml_1', '[{"name": "a", "type": "text"}, {"name": "z", "type": "date"}]')
    ON CONFLICT (id) DO UPDATE SET columns = excluded.columns;
SELECT * FROM pg_temp.structure('it_dml_1') WHERE name IN ('a', 'z');
INSERT INTO sigma.sigma_input_tables (id, columns) VALUES ('it_dml_1', '[{"name": "other", "type": "text"}]') ON CONFLICT DO NOTHING;
SELECT count(*) FROM pg_temp.structure('it_dml_1') WHERE name = 'other';

SELECT id, name, type, data_entry_permission, status, column_count, row_count, relation, edit_log, published_view, created_at IS NOT NULL AS created
    FROM sigma.list_input_tables() WHERE id LIKE 'it\_%' ORDER BY id COLLATE "C";
SELECT jsonb_pretty(jsonb_set(sigma.table_info('it_single'), '{columns,0,id}', '"<id>"') - 'last_edit');
SELECT jsonb_object_agg(key, jsonb_typeof(value)) AS last_edit FROM jsonb_each(sigma.table_info('it_single') -> 'last_edit');

-- delete keeps the rows; the same id takes the table up again
INSERT INTO sigds.sigds_it_limit (a) VALUES ('kept');
SELECT sigma.delete_input_table('it_limit'), sigma.delete_input_table('it_limit');
SELECT a FROM sigds.sigds_it_limit;
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_limit", "columns": [{"name": "a", "type": "number"}, {"name": "b", "type": "text"}]}')$$);
SELECT sigma.create_input_table('{"id": "it_limit", "columns": [{"name": "a", "type": "text", "unique": true, "default_value": "d"}]}');
SELECT sigma_row_id, a FROM sigds.sigds_it_limit;
SELECT * FROM pg_temp.structure('it_limit') WHERE name = 'a';
SELECT pg_temp.indexes('it_limit');
SELECT pg_temp.triggers('it_limit');
INSERT INTO sigds.sigds_it_limit DEFAULT VALUES RETURNING sigma_row_id, a;
-- indexes, defaults and limits of the first life are gone in the third
DELETE FROM sigma.sigma_input_tables WHERE id = 'it_limit';
INSERT INTO sigma.sigma_input_tables (id, columns, max_rows) VALUES ('it_limit', '[{"name": "a", "type": "text"}]', 5);
SELECT * FROM pg_temp.structure('it_limit') WHERE name = 'a';
SELECT pg_temp.indexes('it_limit');
SELECT count(*) FROM pg_temp.triggers('it_limit');
-- more rows than the limit are not adopted, nor duplicates under a unique rule
DELETE FROM sigma.sigma_input_tables WHERE id = 'it_limit';
SELECT pg_temp.failure($$INSERT INTO sigma.sigma_input_tables (id, columns, max_rows) VALUES ('it_limit', '[{"name": "a", "type": "text"}]', 1)$$);
SELECT sigma.create_input_table('{"id": "it_limit", "columns": [{"name": "a", "type": "text"}]}');
INSERT INTO sigds.sigds_it_limit (a) VALUES ('kept'), ('kept');
DELETE FROM sigma.sigma_input_tables WHERE id = 'it_limit';
SELECT pg_temp.failure($$INSERT INTO sigma.sigma_input_tables (id, columns) VALUES ('it_limit', '[{"name": "a", "type": "text", "unique": true}]')$$);
-- purge drops what a deletion kept
SELECT sigma.delete_input_table('it_limit', purge => true), sigma.delete_input_table('it_limit', purge => true);
SELECT to_regclass('sigds.sigds_it_limit'), to_regclass('sigds.sigds_seq_it_limit');
SELECT sigma.delete_input_table('it_all', true);
SELECT to_regclass('sigds.sigds_it_all'), to_regclass('sigds.sigds_seq_it_all');

-- a table that was not made for the id is not taken
CREATE TABLE sigds.sigds_it_foreign (a text, sigma_row_id bigint PRIMARY KEY, sigma_created_at timestamptz,
    sigma_updated_at timestamptz, sigma_created_by text, sigma_updated_by text);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_foreign", "columns": [{"name": "a", "type": "text"}]}')$$);
-- but a dump that is being restored brings its tables itself: they are looked at and not touched
BEGIN;
SET LOCAL check_function_bodies = off;
INSERT INTO sigma.sigma_input_tables (id, columns, max_rows, updated_at) VALUES ('it_foreign', '[{"id": "AAAAAAAAAA", "name": "a", "type": "text", "unique": true}]', 3, '2020-01-01');
SELECT columns, updated_at FROM sigma.sigma_input_tables WHERE id = 'it_foreign';
SELECT count(*) FROM pg_temp.triggers('it_foreign');
SELECT pg_temp.indexes('it_foreign');
SELECT pg_temp.failure($$INSERT INTO sigma.sigma_input_tables (id, columns) VALUES ('it_foreign2', '[{"name": "a", "type": "text"}]')$$);
SELECT split_part(pg_temp.failure($$INSERT INTO sigma.sigma_input_tables (id, columns) VALUES ('IT_foreign', '[{"name": "a", "type": "text"}]')$$), E'\n', 1);
ROLLBACK;
BEGIN;
SET LOCAL check_function_bodies = off;
SELECT pg_temp.failure($$INSERT INTO sigma.sigma_input_tables (id, columns) VALUES ('it_foreign', '[{"name": "a", "type": "date"}]')$$);
ROLLBACK;
DROP TABLE sigds.sigds_it_foreign;

-- names
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_single", "columns": [{"name": "a", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "IT-Single", "columns": [{"name": "a", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_other", "name": "IT unique", "columns": [{"name": "a", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_other", "name": "it_single", "columns": [{"name": "a", "type": "text"}]}')$$);
SELECT pg_temp.failure($$UPDATE sigma.sigma_input_tables SET name = 'it_single' WHERE name = 'it made'$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "WAL_x", "columns": [{"name": "a", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "pub-x", "columns": [{"name": "a", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "entry x", "columns": [{"name": "a", "type": "text"}]}')$$);
SELECT pg_temp.failure(format('SELECT sigma.create_input_table(%L)', format('{"id": "%s", "columns": [{"name": "a", "type": "text"}]}', repeat('x', 52))));
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "", "columns": [{"name": "a", "type": "text"}]}')$$);
-- 51 characters fit, with unique columns of the same ids in two such tables
SELECT sigma.create_input_table(format('{"id": "it_%s%s", "columns": [{"id": "SAMEIDHERE", "name": "a", "type": "text", "unique": true}]}', repeat('x', 47), n)::jsonb) FROM generate_series(1, 2) n;
SELECT count(*), count(DISTINCT relname), max(length(relname)) FROM pg_class WHERE relname LIKE 'sigds\_it\_xxx%key';
SELECT sigma.delete_input_table(format('it_%s%s', repeat('x', 47), n), true) FROM generate_series(1, 2) n;

-- what cannot be is refused when it is written, and leaves nothing behind
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": []}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "type": "csv"}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "type": "api"}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": [{"name": "a", "type": "uuid"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": [{"name": "a", "type": "text"}, {"name": "a", "type": "date"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": [{"name": "sigma_x", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": [{"name": "SIGMA_row_id", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": [{"name": "ctid", "type": "text"}]}')$$);
SELECT pg_temp.failure(format('SELECT sigma.create_input_table(%L)', format('{"id": "it_bad", "columns": [{"name": "%s", "type": "text"}]}', repeat('ä', 32))));
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": [{"name": "a", "type": "date", "default_value": "tomorrow"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": [{"name": "a", "type": "text", "renamed_from": "b"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": [{"name": "a", "type": "text", "drop": true}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": [{"name": "a", "type": "text"}], "validation_rules": {"b": {"required": true}}}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "colums": []}')$$);
SELECT pg_temp.failure($$INSERT INTO sigma.sigma_input_tables (id, columns) VALUES ('it_bad', '{}')$$);
SELECT pg_temp.failure($$INSERT INTO sigma.sigma_input_tables (id, columns) VALUES ('it_bad', '[1]')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table(NULL)$$);
-- what comes later is refused too
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "type": "linked", "source": "public.x", "key_columns": ["id"], "columns": [{"name": "a", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": [{"name": "a", "type": "number"}], "row_rules": [{"unique": ["b"]}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "it_bad", "columns": [{"name": "a", "type": "number"}], "governance_config": {"editors": ["x"]}}')$$);
SELECT count(*) FROM sigma.sigma_input_tables WHERE id ILIKE 'it_bad';
SELECT to_regclass('sigds.sigds_it_bad'), to_regclass('sigds.sigds_seq_it_bad');

-- a rolled back creation leaves nothing behind either
BEGIN;
SELECT sigma.create_input_table('{"id": "it_gone"}');
ROLLBACK;
SELECT to_regclass('sigds.sigds_it_gone'), to_regclass('sigds.sigds_seq_it_gone');
-- nor does the note of blank rows outlive a savepoint
BEGIN;
SAVEPOINT s;
SELECT sigma.create_input_table('{"id": "it_gone"}');
ROLLBACK TO s;
SELECT sigma.create_input_table('{"id": "it_gone", "columns": [{"name": "Column 1", "type": "text"}]}');
SELECT count(*) FROM sigds.sigds_it_gone;
ROLLBACK;

-- id and type are fixed
SELECT pg_temp.failure($$UPDATE sigma.sigma_input_tables SET id = 'it_renamed' WHERE id = 'it_single'$$);
SELECT pg_temp.failure($$UPDATE sigma.sigma_input_tables SET type = 'csv' WHERE id = 'it_single'$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('it_singel', '{"name": "x"}')$$);
SELECT pg_temp.failure($$SELECT sigma.table_info('it_singel')$$);
-- the catalog is not truncated
SELECT pg_temp.failure('TRUNCATE sigma.' || relname)
    FROM pg_class WHERE relnamespace = 'sigma'::regnamespace AND relkind = 'r' AND relname ~ '^sigma_(input|layout|action|variab|execution_h)' ORDER BY relname;

-- a table in use is not changed (https://www.postgresql.org/docs/current/errcodes-appendix.html: 55006)
SELECT pg_temp.failure($$WITH w AS (INSERT INTO sigds.sigds_it_unique (a) VALUES ('x') RETURNING 1)
    UPDATE sigma.sigma_input_tables SET columns = columns || '[{"name": "n", "type": "text"}]' WHERE id = 'it_unique' AND EXISTS (SELECT FROM w)$$);
SELECT pg_temp.failure($$WITH w AS (INSERT INTO sigds.sigds_it_unique (a) VALUES ('x') RETURNING 1)
    UPDATE sigma.sigma_input_tables SET validation_rules = '{"c": {"unique": true, "max": 3}}' WHERE id = 'it_unique' AND EXISTS (SELECT FROM w)$$);
SELECT pg_temp.failure($$WITH w AS (INSERT INTO sigds.sigds_it_unique (a) VALUES ('x') RETURNING 1)
    DELETE FROM sigma.sigma_input_tables WHERE id = 'it_unique' AND EXISTS (SELECT FROM w)$$);
BEGIN;
DECLARE reading CURSOR FOR SELECT * FROM sigds.sigds_it_unique;
FETCH reading;
SELECT pg_temp.failure($$UPDATE sigma.sigma_input_tables SET validation_rules = '{"c": {"unique": true, "max": 3}}' WHERE id = 'it_unique'$$);
ROLLBACK;

-- limits: lowered no further than there are rows
INSERT INTO sigds.sigds_it_dml_1 (a) VALUES ('1'), ('2'), ('3');
SELECT pg_temp.failure($$SELECT sigma.update_input_table('it_dml_1', '{"max_rows": 2}')$$);
SELECT sigma.update_input_table('it_dml_1', '{"max_rows": 3}');
SELECT count(*) FROM pg_temp.triggers('it_dml_1');
SELECT sigma.update_input_table('it_dml_1', '{"max_rows": null, "data_entry_permission": "published", "metadata": {"k": 1}, "name": "Renamed"}');
SELECT count(*) FROM pg_temp.triggers('it_dml_1');
SELECT name, data_entry_permission, max_rows, metadata FROM sigma.sigma_input_tables WHERE id = 'it_dml_1';

-- what the owner of sigds breaks is said, and can be cleared away
BEGIN;
ALTER TABLE sigds.sigds_it_dml_1 ADD COLUMN by_hand integer;
SELECT sigma.table_info('it_dml_1')->'warnings';
SELECT pg_temp.failure($$SELECT sigma.delete_input_table('it_dml_1'), sigma.create_input_table('{"id": "it_dml_1", "columns": [{"name": "b", "type": "number"}]}')$$);
ALTER TABLE sigds.sigds_it_dml_1 DROP COLUMN by_hand;
SELECT sigma.table_info('it_dml_1')->'warnings';
DROP VIEW sigma_views."Renamed";
ALTER TABLE sigds.sigds_it_dml_1 ALTER COLUMN sigma_created_by TYPE varchar(9);
SELECT sigma.table_info('it_dml_1')->'warnings';
ROLLBACK;
BEGIN;
UPDATE sigma.sigma_input_tables SET validation_rules = '{"a": {"required": true}}' WHERE id = 'it_dml_1';
ALTER TABLE sigds.sigds_it_dml_1 DROP COLUMN a CASCADE;
SELECT sigma.table_info('it_dml_1')->'warnings';
ROLLBACK;
BEGIN;
DROP VIEW sigma_views."Renamed";
ALTER TABLE sigds.sigds_it_dml_1 ALTER COLUMN a TYPE varchar(10);
SELECT sigma.table_info('it_dml_1')->'warnings';
ROLLBACK;
DROP TRIGGER sigma_0_validate ON sigds.sigds_it_dml_2;
SELECT sigma.table_info('it_dml_2')->'warnings';
SELECT sigma.update_input_table('it_dml_2', '{"validation_rules": {"b": {"min": 0}}}')->'changed';
DROP TABLE sigds.sigds_it_dml_2 CASCADE;
SELECT sigma.table_info('it_dml_2')->'warnings';
SELECT relation, row_count FROM sigma.list_input_tables() WHERE id = 'it_dml_2';
SELECT pg_temp.failure($$SELECT sigma.add_column('it_dml_2', '{"name": "c", "type": "text"}')$$);
SELECT sigma.delete_input_table('it_dml_2');
SELECT sigma.create_input_table('{"id": "it_dml_2", "columns": [{"name": "a", "type": "text"}]}');
SELECT sigma.create_input_table('{"id": "it_broken", "columns": [{"name": "a", "type": "text", "unique": true}]}');
INSERT INTO sigds.sigds_it_broken (a) VALUES ('x');
ALTER TABLE sigds.sigds_it_broken DROP COLUMN sigma_row_id CASCADE;
SELECT pg_temp.failure($$SELECT sigma.validate_data('it_broken', '{"a": "x"}')$$);
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('it_broken', '{"a": "y"}')$$);
SELECT pg_temp.failure($$INSERT INTO sigds.sigds_it_broken (a) VALUES ('y')$$);
SELECT sigma.update_input_table('it_broken', '{"validation_rules": {"a": {"min_length": 2}}}')->'changed';
SELECT sigma.table_info('it_broken')->'flagged';
SELECT sigma.create_input_table('{"id": "it_numbers", "columns": [{"name": "a", "type": "text"}]}');
INSERT INTO sigds.sigds_it_numbers (a) VALUES ('x');
DROP SEQUENCE sigds.sigds_seq_it_numbers;
SELECT pg_temp.failure($$INSERT INTO sigds.sigds_it_numbers (a) VALUES ('y')$$);
CREATE SEQUENCE sigds.sigds_seq_it_numbers START 7;
ALTER TABLE sigds.sigds_it_numbers SET (fillfactor = 90);
INSERT INTO sigds.sigds_it_numbers (a) VALUES ('z') RETURNING sigma_row_id;
-- rows that were written past the triggers are refused, not trusted
SET session_replication_role = replica;
UPDATE sigma.sigma_input_tables SET columns = NULL WHERE id = 'it_dml_2';
RESET session_replication_role;
SELECT pg_temp.failure($$UPDATE sigma.sigma_input_tables SET columns = '[{"name": "a", "type": "text"}]' WHERE id = 'it_dml_2'$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('it_dml_2', '{"name": "c", "type": "text"}')$$);
SET session_replication_role = replica;
UPDATE sigma.sigma_input_tables SET columns = '{"a": 1}', validation_rules = '[{}]' WHERE id = 'it_dml_2';
RESET session_replication_role;
SELECT pg_temp.failure($$SELECT sigma.add_column('it_dml_2', '{"name": "c", "type": "text"}')$$);
SELECT pg_temp.failure($$UPDATE sigma.sigma_input_tables SET max_rows = 1 WHERE id = 'it_dml_2'$$);
SELECT pg_temp.failure($$INSERT INTO sigds.sigds_it_dml_2 VALUES ('x')$$);
-- blank rows come whatever version the client edits, and do not use up a limit on bulk writes
SET sigma.mode = published;
SELECT sigma.create_input_table('{"id": "it_mode"}');
RESET sigma.mode;
SELECT count(*), count(sigma_created_by) FROM sigds.sigds_it_mode;
-- the trigger functions are for their triggers
SELECT pg_temp.failure('CREATE TEMP TABLE it_x (id text); CREATE TRIGGER t BEFORE INSERT ON it_x FOR EACH ROW EXECUTE FUNCTION sigma.check_input_table(); INSERT INTO it_x VALUES (1)');

SELECT sigma.delete_input_table(id, true) FROM sigma.list_input_tables() WHERE id LIKE 'it\_%' OR name = 'it made' ORDER BY id COLLATE "C";
SELECT relname FROM pg_class WHERE relnamespace = 'sigds'::regnamespace AND relname LIKE 'sigds\_%it\_%';
