-- Linked tables: entry columns beside the rows of a source
-- (https://help.sigmacomputing.com/docs/create-new-input-tables: distinct keys, live read-only columns)
\set VERBOSITY terse
\pset null '·'
\getenv test PG_ABS_SRCDIR
\set include :test '/include/failure.sql'
\i :include
-- which indexes a statement reads, and how many tables as a whole
CREATE FUNCTION pg_temp.lookup(statement text, OUT indexes text[], OUT scans bigint) LANGUAGE plpgsql AS
    $$DECLARE plan jsonb; BEGIN EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan;
    SELECT array_agg(n->>'Index Name' ORDER BY n->>'Index Name') FILTER (WHERE n ? 'Index Name'), count(*) FILTER (WHERE n->>'Node Type' = 'Seq Scan') INTO indexes, scans
    FROM jsonb_path_query(plan, 'strict $.**?(exists (@."Node Type"))') AS n; END$$;
SET sigma.user_email = 'ann@example.com';
CREATE TABLE public.lt_sales (id int PRIMARY KEY, region text, rev numeric);
INSERT INTO lt_sales SELECT g, 'r' || g % 3, g * 10 FROM generate_series(1, 5) g;
SELECT sigma.create_input_table('{"id": "lt", "name": "lt Plan", "type": "linked", "source": "lt_sales", "key_columns": ["id"],
    "linked_columns": ["region", {"column": "rev", "name": "Revenue"}],
    "columns": [{"name": "Adj", "type": "number", "validation": {"min": 0}}, {"name": "Note", "type": "text", "default_value": "n/a"}, {"name": "Tags", "type": "multi-select"}]}');
SELECT source, key_columns, linked_columns FROM sigma.sigma_input_tables WHERE id = 'lt';
SELECT id, region, "Revenue", "Adj", "Note", "Tags", sigma_created_by FROM sigds.sigds_lt ORDER BY id;

-- the first edit of a row makes its entry, later ones change it; RETURNING shows the stamps
UPDATE sigds.sigds_lt SET "Adj" = 5 WHERE id = 2 RETURNING id, "Revenue", "Adj", sigma_created_by, sigma_updated_at = sigma_created_at AS fresh;
UPDATE sigds.sigds_lt SET "Adj" = 6, "Note" = NULL WHERE id = 2;
UPDATE sigds.sigds_lt SET "Adj" = "Revenue" / 10, "Tags" = '{a}' WHERE id > 1;
UPDATE sigds.sigds_lt SET "Adj" = "Adj" WHERE id = 1;           -- changes nothing: no entry
UPDATE sigds.sigds_lt SET "Adj" = 9 WHERE id = 99;
SELECT id, region, "Revenue", trunc("Adj") AS "Adj", "Note", "Tags", sigma_created_by FROM sigds.sigds_lt ORDER BY id;
SELECT id, trunc("Adj") AS "Adj", "Note" FROM sigds.sigds_entry_lt ORDER BY 1;
PREPARE lt_edit AS UPDATE sigds.sigds_lt SET "Note" = $2 WHERE id = $1;
EXECUTE lt_edit (5, 'prepared');
WITH edited AS (UPDATE sigds.sigds_lt SET "Note" = 'cte' WHERE id IN (3, 4) RETURNING id) SELECT count(*) FROM edited;
SELECT id, "Note" FROM sigds.sigds_lt ORDER BY id;
-- joins that meet a row twice
SELECT pg_temp.failure('UPDATE sigds.sigds_lt t SET "Adj" = v.n FROM (VALUES (1, 1), (1, 2)) v (id, n) WHERE t.id = v.id');

-- rules as elsewhere; all or nothing
SELECT pg_temp.failure('UPDATE sigds.sigds_lt SET "Adj" = -1 WHERE id = 1');
SELECT pg_temp.failure('UPDATE sigds.sigds_lt SET "Adj" = CASE id WHEN 5 THEN -2 ELSE 3 END');
SELECT pg_temp.failure($$UPDATE sigds.sigds_lt SET "Tags" = '{a,NULL}' WHERE id = 1$$);
SELECT count(*) FROM sigds.sigds_entry_lt WHERE id = 1;
-- a rule that is newer than an entry meets the columns that change
SELECT sigma.alter_column('lt', 'Note', '{"validation": {"max_length": 3}}')->'changed' AS changed;
UPDATE sigds.sigds_lt SET "Adj" = 33 WHERE id = 5;
SELECT pg_temp.failure($$UPDATE sigds.sigds_lt SET "Note" = 'long' WHERE id = 5$$);
SELECT sigma.alter_column('lt', 'Note', '{"validation": null}')->'changed' AS changed;

-- what is the source's is read-only, and no row comes or goes
SELECT pg_temp.failure('UPDATE sigds.sigds_lt SET "Revenue" = 1 WHERE id = 1');
SELECT pg_temp.failure('UPDATE sigds.sigds_lt SET id = 7 WHERE id = 1');
SELECT pg_temp.failure('INSERT INTO sigds.sigds_lt (id) VALUES (7)');
SELECT pg_temp.failure('DELETE FROM sigds.sigds_lt WHERE id = 1');
UPDATE sigds.sigds_lt SET sigma_updated_by = 'forged', "Adj" = 4 WHERE id = 4;
SELECT sigma_updated_by FROM sigds.sigds_lt WHERE id = 4;
SET sigma.mode = published;
SELECT pg_temp.failure('UPDATE sigds.sigds_lt SET "Adj" = 1 WHERE id = 1');
RESET sigma.mode;
-- protected and not editable columns, limits
SELECT sigma.update_input_table('lt', '{"allow_bulk_operations": false, "max_rows": 5, "columns": [{"name": "Adj"}, {"name": "Note", "protected": true}, {"name": "Tags", "editable": false}]}')->'changed' AS changed;
UPDATE sigds.sigds_lt SET "Adj" = 1 WHERE id = 1;
SELECT pg_temp.failure($$UPDATE sigds.sigds_lt SET "Note" = 'x' WHERE id = 1$$);
SELECT pg_temp.failure($$UPDATE sigds.sigds_lt SET "Tags" = '{x}' WHERE id = 1$$);
SELECT pg_temp.failure('UPDATE sigds.sigds_lt SET "Adj" = 2 WHERE id < 3');
INSERT INTO lt_sales VALUES (6, 'r0', 60);
SELECT pg_temp.failure('UPDATE sigds.sigds_lt SET "Adj" = 2 WHERE id = 6');
SELECT sigma.update_input_table('lt', '{"allow_bulk_operations": true, "max_rows": null, "columns": [{"name": "Adj"}, {"name": "Note", "protected": false}, {"name": "Tags", "editable": true}]}')->'changed' AS changed;

-- live: the source changes, keys go and come back with what was entered for them
UPDATE lt_sales SET rev = 1000 WHERE id = 5;
DELETE FROM lt_sales WHERE id IN (1, 5);
SELECT id, "Revenue", trunc("Adj") AS "Adj" FROM sigds.sigds_lt ORDER BY id;
SELECT key, entries->'Note' AS note, updated_by FROM sigma.orphans('lt');
SELECT sigma.table_info('lt')->'orphans' AS orphans, sigma.table_info('lt')->'row_count' AS rows;
INSERT INTO lt_sales VALUES (5, 'back', 55);
SELECT id, region, "Note" FROM sigds.sigds_lt WHERE id = 5;
SELECT key FROM sigma.orphans('lt');

-- draft and published; the edit log has one statement for what an UPDATE wrote
SELECT count(*), count("Adj") FROM sigma_views."lt Plan";
SELECT operation, key = jsonb_build_object('id', new->'id') AS keyed, old FROM sigma.publish_preview('lt', 2);
SELECT operation, key, old, new->'id' AS new_id FROM sigma.publish_preview('lt') ORDER BY key;
SELECT sigma.publish('lt') - 'edit_num' - 'from_edit' AS published;
UPDATE sigds.sigds_lt SET "Adj" = id * 100 WHERE id IN (2, 6);
SELECT id, "Revenue", trunc("Adj") AS "Adj" FROM sigma_views."lt Plan" ORDER BY id;
SELECT operation, key, trunc((old->'Adj')::numeric) AS old, new->'Adj' AS new FROM sigma.publish_preview('lt');
SELECT count(*), count(DISTINCT statement) FROM sigds.sigds_wal_lt WHERE edit_num > (SELECT max(edit_num) FROM sigds.sigds_wal_lt WHERE edit ? 'publish');
SELECT sigma.discard_draft('lt') - 'edit_num' AS taken_back;
SELECT id, trunc("Adj") AS "Adj" FROM sigds.sigds_lt WHERE id IN (2, 6) ORDER BY id;

-- one key of a million is an index lookup in the source and among the entries
INSERT INTO lt_sales SELECT g, 'bulk', g FROM generate_series(1000, 1000000) g;
UPDATE sigds.sigds_lt SET "Adj" = id WHERE id BETWEEN 1000 AND 3000;
ANALYZE lt_sales, sigds.sigds_entry_lt;
SELECT * FROM pg_temp.lookup('SELECT * FROM sigds.sigds_lt WHERE id = 3');
SELECT sigma.update_input_table('lt', '{"data_entry_permission": "published"}')->'changed' AS changed;
SELECT * FROM pg_temp.lookup('SELECT * FROM sigma_views."lt Plan" WHERE id = 3');
SELECT * FROM pg_temp.lookup('UPDATE sigds.sigds_lt SET "Adj" = 1 WHERE id = 3');
CREATE TEMP TABLE lt_keep AS SELECT * FROM lt_sales WHERE id < 1000;
TRUNCATE lt_sales;
INSERT INTO lt_sales TABLE lt_keep;

-- columns change; views keep their grants
CREATE ROLE regress_lt_editor;
CREATE ROLE regress_lt_viewer;
GRANT USAGE ON SCHEMA sigds, sigma_views TO regress_lt_editor, regress_lt_viewer;
GRANT SELECT, UPDATE ON sigds.sigds_lt TO regress_lt_editor;
GRANT SELECT ON sigds.sigds_entry_lt TO regress_lt_editor;
GRANT SELECT ON sigma_views."lt Plan", sigds.sigds_shown_lt TO regress_lt_viewer;
SELECT sigma.update_input_table('lt', '{"name": "lt Plan 2", "linked_columns": ["rev"], "columns": [{"name": "Adjust", "renamed_from": "Adj"}, {"name": "Note", "drop": true}, {"name": "Tags"}, {"name": "Due", "type": "date"}]}')->'dropped' AS dropped;
SELECT id, rev, trunc("Adjust") AS "Adjust", "Tags", "Due" FROM sigma_views."lt Plan 2" WHERE id < 4 ORDER BY id;
-- rights: UPDATE on the view is enough to enter, if the source may be read; entries are not written past it
SET ROLE regress_lt_editor;
SELECT pg_temp.failure('SELECT id FROM sigds.sigds_lt');
RESET ROLE;
GRANT SELECT ON lt_sales TO regress_lt_editor;
SET ROLE regress_lt_editor;
UPDATE sigds.sigds_lt SET "Due" = '2026-01-01' WHERE id = 2 RETURNING id, "Due";
UPDATE sigds.sigds_lt SET "Due" = '2026-01-02' WHERE id IN (2, 3);
SELECT pg_temp.failure($$UPDATE sigds.sigds_entry_lt SET "Due" = NULL$$);
SELECT pg_temp.failure($$INSERT INTO sigds.sigds_entry_lt (id) VALUES (77)$$);
SELECT pg_temp.failure($$UPDATE lt_sales SET rev = 0$$);
RESET ROLE;
SET ROLE regress_lt_viewer;
SELECT pg_temp.failure('SELECT id FROM sigma_views."lt Plan 2"');
RESET ROLE;
GRANT SELECT ON lt_sales TO regress_lt_viewer;
SET ROLE regress_lt_viewer;
SELECT id, "Due" FROM sigma_views."lt Plan 2" WHERE id IN (2, 3) ORDER BY id;
SELECT pg_temp.failure('SELECT * FROM sigds.sigds_lt');
SELECT pg_temp.failure('SELECT * FROM sigds.sigds_entry_lt');
RESET ROLE;
SELECT sigma.update_input_table('lt', '{"data_entry_permission": "draft"}')->'changed' AS changed;

-- dropping the source needs CASCADE and keeps what was entered
SELECT pg_temp.failure('DROP TABLE lt_sales');
\set VERBOSITY terse
DROP TABLE lt_sales CASCADE;
SELECT status, relation, published_view FROM sigma.list_input_tables() WHERE id = 'lt';
SELECT i->'status' AS status, i->'warnings' AS warnings, i->'orphans' AS orphans FROM sigma.table_info('lt') AS i;
SELECT sigma.sync_warehouse('lt')->'details'->0->'status' AS status;
SELECT status FROM sigma.sigma_input_tables WHERE id = 'lt';
SELECT sigma.add_column('lt', '{"name": "Later", "type": "checkbox"}') IS NOT NULL AS added;
CREATE TABLE public.lt_sales (id text, rev numeric);
SELECT s->'status' AS status, s->'details'->0->'drift' AS drift FROM sigma.sync_warehouse('lt') AS s;
SELECT pg_temp.failure($$SELECT sigma.rename_column('lt', 'Due', 'Day')$$);
DROP TABLE lt_sales;
CREATE TABLE public.lt_sales (id bigint, rev numeric);
INSERT INTO lt_sales VALUES (2, 22), (2, 21), (NULL, 1), (NULL, 0);
SELECT s->'status' AS status, s->'details'->0->'status' AS "table" FROM sigma.sync_warehouse('lt') AS s;
-- keys that repeat show one row, that of the first linked values; a null key is a key
UPDATE sigds.sigds_lt SET "Later" = true WHERE id IS NULL;
UPDATE sigds.sigds_lt SET "Due" = '2026-02-02' WHERE id IS NULL;
SELECT id, rev, "Due", "Later" FROM sigds.sigds_lt ORDER BY id;
SELECT id, "Due" FROM sigds.sigds_entry_lt WHERE id IS NULL;
SELECT status FROM sigma.list_input_tables() WHERE id = 'lt';
SELECT sigma.delete_input_table('lt');
SELECT to_regclass('sigds.sigds_lt') AS view, count(*) > 0 AS entries FROM sigds.sigds_entry_lt;
SELECT sigma.create_input_table('{"id": "lt", "type": "linked", "source": "public.lt_sales", "key_columns": ["id"],
    "columns": [{"name": "Adjust", "type": "number"}, {"name": "Tags", "type": "multi-select"}, {"name": "Due", "type": "date"}, {"name": "Later", "type": "checkbox"}]}');
SELECT id, "Due", "Later" FROM sigds.sigds_lt ORDER BY id;
SELECT sigma.delete_input_table('lt', purge => true);

-- keys of several columns and other types, over views
CREATE TYPE public.lt_level AS ENUM ('low', 'high');
CREATE DOMAIN public.lt_code AS varchar(9);
CREATE TABLE public.lt_wide (u uuid, l lt_level, c lt_code, p char(4), d date, s timestamptz, b bool, f float4, n numeric(9, 2), x json, v text);
INSERT INTO lt_wide SELECT md5(g::text)::uuid, (ARRAY['low', 'high'])[g % 2 + 1]::lt_level, 'c' || g, 'p' || g, date '2026-01-01' + g,
    timestamptz '2026-01-01 00:00:00+00' + g * interval '1 hour', g > 1, g / 2.0, g, '{}', 'v' || g FROM generate_series(1, 3) g;
INSERT INTO lt_wide (u, v) VALUES (md5('1')::uuid, 'nulls');
CREATE VIEW public."lt View" AS SELECT * FROM lt_wide;
SELECT sigma.create_input_table('{"id": "lt_w", "type": "linked", "source": "public.\"lt View\"", "key_columns": ["u", "l", "c", "p", "d", "s", "b", "f", "n"], "linked_columns": ["v", "x"], "columns": [{"name": "E", "type": "text"}]}');
SELECT string_agg(attname || ' ' || format_type(atttypid, NULL), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'sigds.sigds_entry_lt_w'::regclass AND attnum > 0;
SET TimeZone = 'Asia/Tokyo';
UPDATE sigds.sigds_lt_w SET "E" = 'for ' || v;
RESET TimeZone;
UPDATE sigds.sigds_lt_w SET "E" = "E" || '!' WHERE n = 2;
SELECT v, "E" FROM sigds.sigds_lt_w ORDER BY v;
SELECT count(*) FROM sigma.orphans('lt_w');
SELECT pg_temp.failure($$DROP VIEW "lt View"$$);
SELECT pg_temp.failure($$SELECT sigma.delete_input_table('lt_w', true)$$);
DROP VIEW "lt View";
DROP TABLE lt_wide;

-- over an input table, by its row ids; over a linked table; renames follow
SELECT sigma.create_input_table('{"id": "lt_s", "name": "lt Source", "columns": [{"name": "Code", "type": "text"}, {"name": "Amount", "type": "number"}, {"name": "Spare", "type": "text"}]}');
INSERT INTO sigds.sigds_lt_s ("Code", "Amount") VALUES ('a', 1), ('b', 2), ('b', 7);
SELECT sigma.create_page('{"id": "lt_page", "children": [{"id": "lt_grid", "type": "input_table", "source": "lt_s"}]}');
SELECT sigma.create_input_table('{"id": "lt_1", "type": "linked", "source": "lt_grid", "key_columns": ["Code"], "linked_columns": ["Amount"], "columns": [{"name": "One", "type": "text"}]}');
SELECT sigma.create_input_table('{"id": "lt_2", "type": "linked", "source": "lt_1", "key_columns": ["Code"], "linked_columns": ["One"], "columns": [{"name": "Two", "type": "text"}]}');
SELECT sigma.create_input_table('{"id": "lt_3", "type": "linked", "source": "lt_s", "key_columns": ["sigma_row_id"], "linked_columns": ["Code"], "columns": [{"name": "Three", "type": "text"}]}');
SELECT source FROM sigma.sigma_input_tables WHERE id = 'lt_1';
UPDATE sigds.sigds_lt_1 SET "One" = 'one ' || "Code";
UPDATE sigds.sigds_lt_2 SET "Two" = 'two ' || "One" WHERE "Code" = 'b';
UPDATE sigds.sigds_lt_3 SET "Three" = 'row ' || "Row ID";
GRANT SELECT ON sigma_views.lt_2 TO regress_lt_viewer;
SELECT jsonb_path_query_array(sigma.update_input_table('lt_s', '{"columns": [{"name": "Key", "renamed_from": "Code"}, {"name": "Amount"}, {"name": "Spare", "drop": true}]}'), '$.affected[*].object') AS affected;
SELECT "Key", "One", "Two" FROM sigds.sigds_lt_2 ORDER BY 1;
SELECT "Row ID", "Code", "Three" FROM sigds.sigds_lt_3 ORDER BY 1;
SELECT has_table_privilege('regress_lt_viewer', 'sigma_views.lt_2', 'SELECT') AS kept;
SELECT pg_temp.failure($$SELECT sigma.drop_column('lt_s', 'Amount')$$);
SELECT pg_temp.failure($$SELECT sigma.alter_column('lt_s', 'Key', '{"type": "integer"}')$$);
SELECT pg_temp.failure($$SELECT sigma.delete_input_table('lt_s')$$);
-- the draft of the source, and what is published of both
SELECT count(*) FROM sigma_views.lt_1;
SELECT sigma.publish('lt_s')->'inserted' AS inserted;
SELECT "Key", "Amount", "One" FROM sigma_views.lt_1 ORDER BY 1;
SELECT sigma.publish('lt_1')->'inserted' AS inserted;
SELECT "Key", "Amount", "One" FROM sigma_views.lt_1 ORDER BY 1;

-- bad definitions
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "source": "nowhere", "key_columns": ["a"], "columns": [{"name": "E", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "source": "lt_s", "key_columns": ["Kay"], "columns": [{"name": "E", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "source": "lt_s", "key_columns": ["Key", "Key"], "columns": [{"name": "E", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "source": "lt_s", "key_columns": ["sigma_created_at"], "columns": [{"name": "E", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "source": "lt_s", "key_columns": ["Key"], "linked_columns": ["Amaunt"], "columns": [{"name": "E", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "source": "lt_s", "key_columns": ["Key"], "linked_columns": ["sigma_created_at"], "columns": [{"name": "E", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "source": "lt_s", "key_columns": ["Key"], "columns": [{"name": "Key", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "source": "lt_page", "key_columns": ["Key"], "columns": [{"name": "E", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "source": "sigds.sigds_seq_lt_s", "key_columns": ["last_value"], "columns": [{"name": "E", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "source": "sigma.sigma_input_tables", "key_columns": ["columns"], "columns": [{"name": "E", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "key_columns": ["a"], "columns": [{"name": "E", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('lt_1', '{"source": "lt_2"}')$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('lt_1', '{"key_columns": ["Amount"]}')$$);
SELECT pg_temp.failure($$SELECT sigma.orphans('lt_s')$$);
SELECT pg_temp.failure($$SELECT sigma.orphans('nowhere')$$);
SELECT pg_temp.failure($$SELECT sigma.sync_warehouse('nowhere')$$);
-- the builder must be able to read the source
CREATE TABLE public.lt_secret (a int);
GRANT USAGE ON SCHEMA sigma TO regress_lt_editor;
GRANT EXECUTE ON FUNCTION sigma.create_input_table(jsonb), sigma.sync_warehouse(text) TO regress_lt_editor;
GRANT SELECT, INSERT ON sigma.sigma_input_tables TO regress_lt_editor;
SELECT sigma.create_input_table('{"id": "lt_ok", "columns": [{"name": "A", "type": "text"}]}');
SET ROLE regress_lt_editor;
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "lt_bad", "type": "linked", "source": "public.lt_secret", "key_columns": ["a"], "columns": [{"name": "E", "type": "text"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.sync_warehouse('lt_ok')$$);
RESET ROLE;
-- a view that its owner dropped comes back
DROP VIEW sigma_views.lt_ok;
SELECT sigma.sync_warehouse('lt_ok')->'details'->0->'status' AS status, to_regclass('sigma_views.lt_ok') AS view;
ALTER TABLE sigds.sigds_lt_ok ADD COLUMN by_hand int;
SELECT s->'status' AS status, s->'details'->0->'drift' AS drift FROM sigma.sync_warehouse('lt_ok') AS s;
-- without columns there is one to begin with
SELECT sigma.create_input_table('{"id": "lt_min", "type": "linked", "source": "public.lt_secret", "key_columns": "a"}');
SELECT columns->0->>'name' AS name, count(*) FROM sigma.sigma_input_tables, sigds.sigds_lt_min WHERE id = 'lt_min' GROUP BY 1;

-- the source that is an input table goes: entries stay, through a second table that stands on the first, and are back with it
SELECT pg_temp.failure($$SELECT sigma.delete_input_table('lt_s', purge => true)$$);
SELECT sigma.delete_input_table('lt_s', purge => true, cascade => true);
SELECT id, status, relation, published_view FROM sigma.list_input_tables() WHERE id ~ '^lt_[123]$' ORDER BY id;
SELECT key, entries FROM sigma.orphans('lt_2');
SELECT status, count(*) FROM (SELECT jsonb_array_elements(sigma.sync_warehouse(id)->'details')->>'status' AS status FROM unnest(ARRAY['lt_1', 'lt_2']) AS id) AS s GROUP BY 1;
SELECT sigma.create_input_table('{"id": "lt_s", "columns": [{"name": "Key", "type": "text"}, {"name": "Amount", "type": "number"}]}');
INSERT INTO sigds.sigds_lt_s VALUES ('a', 11), ('c', 33);
SELECT sigma.sync_warehouse('lt_1')->'status' AS one, sigma.sync_warehouse('lt_2')->'status' AS two, sigma.sync_warehouse('lt_3')->'status' AS three;
SELECT "Key", "One" FROM sigds.sigds_lt_1 ORDER BY 1;
SELECT "Key", "One", "Two" FROM sigds.sigds_lt_2 ORDER BY 1;
-- all definitions in one statement, in whatever order; what was entered can be adopted again
BEGIN;
SELECT sigma.delete_layout_element('lt_page');
DELETE FROM sigma.sigma_input_tables WHERE id ~ '^lt_[s123]$';
SELECT count(*) FROM sigds.sigds_entry_lt_1;
ROLLBACK;

SELECT sigma.delete_input_table(id, purge => true) FROM unnest(ARRAY['lt_min', 'lt_ok', 'lt_3', 'lt_2', 'lt_1']) id;
SELECT sigma.delete_layout_element('lt_page');
SELECT sigma.delete_input_table('lt_s', purge => true);
DROP TABLE lt_sales, lt_secret;
DROP DOMAIN lt_code;
DROP TYPE lt_level;
DROP OWNED BY regress_lt_editor, regress_lt_viewer;
DROP ROLE regress_lt_editor, regress_lt_viewer;
RESET sigma.user_email;
SELECT relname FROM pg_class WHERE relnamespace IN ('sigds'::regnamespace, 'sigma_views'::regnamespace) AND relname ~ 'lt(_|$)';
