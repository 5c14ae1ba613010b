-- columns of input tables have identity: add, rename, swap, retype, drop, reorder
\pset null '<null>'
-- the columns of a definition, without their ids
CREATE FUNCTION pg_temp.defined(id text) RETURNS SETOF jsonb LANGUAGE sql AS $$
    SELECT c - 'id' FROM sigma.sigma_input_tables t, jsonb_array_elements(t.columns) WITH ORDINALITY AS e (c, n)
    WHERE t.id = defined.id ORDER BY n
$$;
-- the ids by name
CREATE FUNCTION pg_temp.ids(id text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(c->>'name', c->>'id') FROM sigma.sigma_input_tables t, jsonb_array_elements(t.columns) c WHERE t.id = ids.id
$$;
-- the columns of the data table
CREATE FUNCTION pg_temp.physical(id text) RETURNS TABLE (name name, type text, "default" text) LANGUAGE sql AS $$
    SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid)
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = ('sigds.sigds_' || id)::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT LIKE 'sigma\_%' ORDER BY attname COLLATE "C"
$$;
CREATE FUNCTION pg_temp.indexes(id text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(pg_get_indexdef(indexrelid), '_[A-Z0-9]{10}_key', '_<column>_key')
    FROM pg_index WHERE indrelid = ('sigds.sigds_' || id)::regclass AND NOT indisprimary ORDER BY 1
$$;
\getenv test PG_ABS_SRCDIR
\set include :test '/include/failure.sql'
\i :include

SELECT sigma.create_input_table('{"id": "co_t", "columns": [
    {"name": "a", "type": "text", "unique": true, "description": "first"},
    {"name": "b", "type": "number", "default_value": 1},
    {"name": "c", "type": "date"}],
    "validation_rules": {"a": {"max_length": 20}, "b": {"min": 0}}}');
INSERT INTO sigds.sigds_co_t (a, b, c) VALUES ('one', 1, '2026-01-01'), ('two', 2, '2026-01-02');
CREATE TEMP TABLE co_before AS SELECT pg_temp.ids('co_t') AS ids;
CREATE TEMP TABLE co_stamps AS SELECT sigma_row_id, sigma_created_at, sigma_updated_at, sigma_created_by, sigma_updated_by FROM sigds.sigds_co_t;

-- add: existing rows get the default
SELECT sigma.add_column('co_t', '{"name": "d", "type": "text", "defaultValue": "new"}') ~ '^[A-Z0-9]{10}$' AS id;
SELECT sigma.add_column('co_t', '{"name": "first", "type": "integer"}', 0) IS NOT NULL AS added;
SELECT sigma.add_column('co_t', '{"name": "third", "type": "checkbox"}', at_position => 2) IS NOT NULL AS added;
SELECT pg_temp.defined('co_t');
SELECT a, b, c, d, first, third FROM sigds.sigds_co_t ORDER BY sigma_row_id;

-- rename: by function, by id, by renamed_from; rules follow, the index stays
SELECT sigma.rename_column('co_t', 'a', 'A "new" name');
SELECT validation_rules FROM sigma.sigma_input_tables WHERE id = 'co_t';
SELECT pg_temp.indexes('co_t');
SELECT sigma.update_input_table('co_t', jsonb_build_object('columns', jsonb_agg(CASE c->>'name' WHEN 'b' THEN c || '{"name": "B"}' ELSE c END ORDER BY n)))
    FROM sigma.sigma_input_tables, jsonb_array_elements(columns) WITH ORDINALITY AS e (c, n) WHERE id = 'co_t';
SELECT validation_rules FROM sigma.sigma_input_tables WHERE id = 'co_t';
-- an entry that says only what it is called now keeps the rest
UPDATE sigma.sigma_input_tables SET columns = '[
    {"name": "a", "renamed_from": "A \"new\" name"}, {"name": "b", "renamed_from": "B"},
    {"name": "c", "type": "date"}, {"name": "d", "type": "text", "default_value": "new"},
    {"name": "first", "type": "integer"}, {"name": "third", "type": "checkbox"}]' WHERE id = 'co_t';
SELECT pg_temp.defined('co_t');
SELECT validation_rules FROM sigma.sigma_input_tables WHERE id = 'co_t';
SELECT ids - 'd' - 'first' - 'third' = pg_temp.ids('co_t') - 'd' - 'first' - 'third' AS "ids are kept" FROM co_before;

-- two columns change names, with their rules, their values and their ids
SELECT sigma.update_input_table('co_t', '{"columns": [
    {"name": "b", "renamed_from": "a"}, {"name": "a", "renamed_from": "b"}, {"name": "c", "type": "date"},
    {"name": "third", "renamed_from": "first"}, {"name": "d", "renamed_from": "third"}, {"name": "first", "renamed_from": "d"}]}');
SELECT a, b, c, d, first, third FROM sigds.sigds_co_t ORDER BY sigma_row_id;
SELECT validation_rules FROM sigma.sigma_input_tables WHERE id = 'co_t';
SELECT pg_temp.ids('co_t')->'a' = ids->'b' AND pg_temp.ids('co_t')->'b' = ids->'a' AS swapped FROM co_before;
SELECT pg_temp.failure($$INSERT INTO sigds.sigds_co_t (a) VALUES (-1)$$);
SELECT pg_temp.failure($$INSERT INTO sigds.sigds_co_t (b) VALUES ('one')$$);

-- order is the definition's
SELECT sigma.update_input_table('co_t', jsonb_build_object('columns', jsonb_agg(c ORDER BY c->>'name')))
    FROM sigma.sigma_input_tables, jsonb_array_elements(columns) c WHERE id = 'co_t';
SELECT c->>'name' FROM sigma.sigma_input_tables, jsonb_array_elements(columns) WITH ORDINALITY AS e (c, n) WHERE id = 'co_t' ORDER BY n;

-- drop, and add another of the name in the same list
SELECT sigma.drop_column('co_t', 'third');
SELECT sigma.update_input_table('co_t', '{"columns": [
    {"name": "a", "type": "number", "default_value": 1}, {"name": "b", "type": "text", "unique": true},
    {"name": "c", "drop": true}, {"name": "d", "type": "checkbox"}, {"name": "first", "drop": true}, {"name": "first", "type": "number"}]}');
SELECT pg_temp.defined('co_t');
SELECT * FROM pg_temp.physical('co_t');
-- the rules of a dropped column go with it
SELECT sigma.drop_column('co_t', 'b');
SELECT validation_rules FROM sigma.sigma_input_tables WHERE id = 'co_t';
SELECT pg_temp.indexes('co_t');
-- no change touched a row
SELECT count(*) FROM (SELECT sigma_row_id, sigma_created_at, sigma_updated_at, sigma_created_by, sigma_updated_by FROM sigds.sigds_co_t
    EXCEPT SELECT * FROM co_stamps) touched;

-- alter: keys given are set, null takes away
SELECT sigma.alter_column('co_t', 'a', '{"defaultValue": 5, "required": true, "description": "altered"}');
SELECT sigma.alter_column('co_t', 'a', '{"default_value": null, "name": "a2"}');
SELECT pg_temp.defined('co_t');
SELECT * FROM pg_temp.physical('co_t');
SELECT sigma.update_input_table('co_t', '{}');

-- what a list must not do
SELECT pg_temp.failure($$SELECT sigma.update_input_table('co_t', '{"columns": [{"name": "a2", "type": "number"}]}')$$);
SELECT pg_temp.failure($$UPDATE sigma.sigma_input_tables SET columns = '[]' WHERE id = 'co_t'$$);
SELECT pg_temp.failure($$UPDATE sigma.sigma_input_tables SET columns = NULL WHERE id = 'co_t'$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('co_t', '{"columns": [{"name": "a2", "drop": true}, {"name": "d", "drop": true}, {"name": "first", "drop": true}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('co_t', '{"columns": [{"name": "x", "renamed_from": "frist"}, {"name": "a2"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('co_t', '{"columns": [{"name": "a2", "type": "number"}, {"name": "d", "type": "checkbox"}, {"name": "first", "type": "number"}, {"name": "nope", "drop": true}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('co_t', '{"columns": [{"name": "x", "renamed_from": "d"}, {"name": "y", "renamed_from": "d"}, {"name": "a2", "type": "number"}, {"name": "first", "type": "number"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('co_t', '{"columns": [{"name": "first", "renamed_from": "d"}, {"name": "a2", "type": "number"}, {"name": "first", "type": "number"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('co_t', '{"columns": [{"name": "a2", "type": "number"}, {"name": "a2", "type": "number"}, {"name": "d", "type": "checkbox"}, {"name": "first", "type": "number"}]}')$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('co_t', '{"validation_rules": {"b": {"min": 3}}}')$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('co_t', '{"csv_data": "a,b"}')$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('co_t', '{"name": "d", "type": "text"}')$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('co_t', '{"name": "e", "type": "text"}', 4)$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('co_t', '{"name": "e", "type": "text"}', -1)$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('co_t', '{"name": "e"}')$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('co_t', '{"name": "e", "type": "text", "drop": true}')$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('co_t', '{"name": "e", "type": "number", "default_value": "x"}')$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('co_tt', '{"name": "e", "type": "text"}')$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('co_t', NULL)$$);
SELECT pg_temp.failure($$SELECT sigma.rename_column('co_t', 'd', 'first')$$);
SELECT pg_temp.failure($$SELECT sigma.rename_column('co_t', 'd', 'sigma_d')$$);
SELECT pg_temp.failure($$SELECT sigma.rename_column('co_t', 'd', '')$$);
SELECT pg_temp.failure($$SELECT sigma.rename_column('co_t', 'dd', 'e')$$);
SELECT pg_temp.failure($$SELECT sigma.rename_column('co_t', NULL, 'e')$$);
SELECT pg_temp.failure($$SELECT sigma.drop_column('co_t', 'frist')$$);
SELECT pg_temp.failure($$SELECT sigma.alter_column('co_t', 'd', '{"drop": true}')$$);
SELECT pg_temp.failure($$SELECT sigma.alter_column('co_t', 'd', '{"id": "AAAAAAAAAA"}')$$);
SELECT pg_temp.failure($$SELECT sigma.alter_column('co_t', 'd', '{"colour": "red"}')$$);
SELECT pg_temp.failure($$SELECT sigma.alter_column('co_t', 'd', '{"name": null}')$$);
SELECT pg_temp.defined('co_t');
-- the last column stays
SELECT sigma.drop_column('co_t', 'd'), sigma.drop_column('co_t', 'first');
SELECT pg_temp.failure($$SELECT sigma.drop_column('co_t', 'a2')$$);
-- a view of somebody's that needs a column keeps it
CREATE VIEW co_view AS SELECT a2 FROM sigds.sigds_co_t;
SELECT sigma.add_column('co_t', '{"name": "z", "type": "text"}') IS NOT NULL AS added;
SELECT split_part(pg_temp.failure($$SELECT sigma.drop_column('co_t', 'a2')$$), E'\n', 1);
SELECT split_part(pg_temp.failure($$SELECT sigma.delete_input_table('co_t', true)$$), E'\n', 1);
DROP VIEW co_view;

-- unique: an index, made only where values are unique
SELECT sigma.create_input_table('{"id": "co_u", "columns": [{"name": "t", "type": "text"}, {"name": "n", "type": "number"}]}');
INSERT INTO sigds.sigds_co_u (t, n) VALUES ('a', 1), ('A', 2), ('b', 2), (NULL, 3), (NULL, 4);
SELECT pg_temp.failure($$SELECT sigma.alter_column('co_u', 'n', '{"unique": true}')$$);
SELECT pg_temp.failure($$SELECT sigma.alter_column('co_u', 't', '{"unique": "ignore_case"}')$$);
SELECT sigma.alter_column('co_u', 't', '{"unique": true}')->'changed';
SELECT pg_temp.indexes('co_u');
DELETE FROM sigds.sigds_co_u WHERE t = 'A';
SELECT sigma.alter_column('co_u', 't', '{"unique": "ignore_case"}')->'changed';
SELECT pg_temp.indexes('co_u');
SELECT sigma.update_input_table('co_u', '{"validation_rules": {"n": {"unique": true}}}');
SELECT pg_temp.indexes('co_u');
SELECT sigma.update_input_table('co_u', '{"validation_rules": null}');
SELECT sigma.alter_column('co_u', 't', '{"unique": null}')->'changed';
SELECT pg_temp.indexes('co_u');

-- rules over rows that break them: the rows are kept and counted
SELECT sigma.update_input_table('co_u', '{"validation_rules": {"n": {"min": 3}, "t": {"required": true}}}')->'changed';
SELECT sigma.table_info('co_u')->'flagged';
SELECT count(*) FROM sigds.sigds_co_u;
SELECT sigma.add_column('co_u', '{"name": "must", "type": "text", "required": true}') IS NOT NULL AS added;

SELECT sigma.delete_input_table(id, true) FROM unnest(ARRAY['co_t', 'co_u']) id;
DROP TABLE co_before, co_stamps;
