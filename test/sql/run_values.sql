-- What values may read: the row that an update writes, the rows of a source, declared names.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.refused(doc jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    code text; said text; at text; hint text;
BEGIN
    PERFORM sigma.create_action('{"id": "run_values_act", "type": "data_modification", "target": "run_values_t"}' || doc);
    PERFORM sigma.delete_action('run_values_act');
    RETURN 'NOT REFUSED';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, at = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', code, said, nullif(at, ''), nullif(hint, ''));
END
$$;
CREATE FUNCTION pg_temp.act(doc jsonb, context jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r jsonb;
BEGIN
    PERFORM sigma.create_action('{"id": "run_values_act", "type": "data_modification", "target": "run_values_t"}' || doc);
    r := sigma.execute_action('run_values_act', context);
    PERFORM sigma.delete_action('run_values_act');
    RETURN concat_ws(' ', r ->> 'status', 'rows=' || (r #>> '{actions,0,rows}'), r #>> '{error,sqlstate}', r #>> '{error,message}');
END
$$;
CREATE FUNCTION pg_temp.set_all(column_name text, formula text, context jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.act(jsonb_build_object('subtype', 'update_rows', 'selector', '{"match": {"sigma_row_id": {"op": "is_not_null"}}}'::jsonb,
        'values', jsonb_build_object(column_name, jsonb_build_object('type', 'formula', 'formula', formula))), context)
$$;

SELECT sigma.create_input_table('{"id": "run_values_t", "name": "Run values", "columns": [
    {"name": "Name", "type": "text", "unique": true}, {"name": "n", "type": "integer"}, {"name": "amount", "type": "number"}, {"name": "ratio", "type": "float"}, {"name": "day", "type": "date"},
    {"name": "at", "type": "datetime"}, {"name": "ok", "type": "checkbox"}, {"name": "tags", "type": "multi-select", "validation": {"values": ["x", "y"]}}, {"name": "doc", "type": "json"},
    {"name": "Twice", "type": "number", "formula": "[n] * 2"}]}');
SELECT sigma.create_variable('{"id": "run_values_v", "type": "number", "default_value": 100}');
INSERT INTO sigds.sigds_run_values_t ("Name", n, amount, day, ok, tags) VALUES ('a', 1, 1.50, '2026-01-31', true, '{x}'), ('b', 2, NULL, NULL, NULL, '{x,y}');

-- an update reads the row as it was, computed columns too; everything else is the run's
SELECT pg_temp.set_all('n', '[n] + 1');
SELECT pg_temp.set_all('amount', '[Twice] * [Control/f] + Coalesce([amount], 0)', '{"controls": {"f": 10}}');
SELECT pg_temp.set_all('ratio', '[amount] / 8');
SELECT pg_temp.set_all('day', 'DateAdd("day", [n], [day])');
SELECT pg_temp.set_all('at', '[day]');
SELECT pg_temp.set_all('ok', '[n] > 2 And [Selection/on]', '{"selection": {"rows": [{"on": true}]}}');
SELECT pg_temp.set_all('tags', 'If([n] = 2, [tags], Null)');
SELECT pg_temp.set_all('doc', '[Name]');
SELECT pg_temp.set_all('Name', '[Name] & "-" & Text([n])');
SELECT "Name", n, amount, ratio, day, at, ok, tags, doc FROM sigds.sigds_run_values_t ORDER BY sigma_row_id;
SELECT pg_temp.set_all('doc', '[n] * 1.5'), pg_temp.set_all('n', '[amount] / 41.5');
SELECT n, doc FROM sigds.sigds_run_values_t ORDER BY sigma_row_id;
-- values of another type become the column's as data entry reads them; a number that is not whole is no integer
SELECT pg_temp.set_all('Name', '[amount]'), pg_temp.set_all('Name', '[at]'), pg_temp.set_all('Name', 'If([n] > 1, [Name], Text([n]))'), pg_temp.set_all('n', '[n] / 3');
SELECT "Name" FROM sigds.sigds_run_values_t ORDER BY sigma_row_id;
UPDATE sigds.sigds_run_values_t SET "Name" = chr(96 + sigma_row_id::int), n = sigma_row_id, amount = 1;

-- with a selector that is a formula, and values beside; the variable is read where no column has its name
SELECT pg_temp.act('{"subtype": "update_row", "selector": {"formula": "[Name] = [Control/who]"}, "values": {"n": {"type": "formula", "formula": "[n] + [run_values_v] + [Control/add]"}, "amount": "[Control/add]"}}',
    '{"controls": {"who": "b", "add": 5}}');
SELECT pg_temp.act('{"subtype": "update_row", "selector": {"match": {"Name": "a"}}, "values": {"n": {"type": "formula", "formula": "[n] + Sum([Run values/n])"}}}');
SELECT pg_temp.act('{"subtype": "upsert_row", "values": {"Name": "b", "n": "[Control/n]"}}', '{"controls": {"n": 1}}');
SELECT "Name", n, amount FROM sigds.sigds_run_values_t ORDER BY sigma_row_id;
-- a stored step runs again and again, for values of other kinds
SELECT sigma.create_action('{"id": "run_values_add", "type": "data_modification", "subtype": "update_rows", "target": "run_values_t", "selector": {"match": {"Name": "a"}},
    "values": {"amount": {"type": "formula", "formula": "[amount] + Number([Control/x])"}}}');
SELECT sigma.execute_action('run_values_add', '{"controls": {"x": 1}}') ->> 'status', sigma.execute_action('run_values_add', '{"controls": {"x": "2"}}') ->> 'status', sigma.execute_action('run_values_add') ->> 'status';
SELECT amount FROM sigds.sigds_run_values_t WHERE "Name" = 'a';
-- a renamed column is followed
SELECT sigma.rename_column('run_values_t', 'amount', 'Total') > 0;
SELECT parameters -> 'values' FROM sigma.sigma_actions WHERE id = 'run_values_add';
SELECT sigma.rename_column('run_values_t', 'Total', 'amount') > 0;

--
-- rows of a table or a query
--
SELECT sigma.create_input_table('{"id": "run_values_s", "name": "Run values source", "data_entry_permission": "draft", "columns": [
    {"name": "name", "type": "text"}, {"name": "n", "type": "integer"}, {"name": "Twice", "type": "number", "formula": "[n] * 2"}]}');
INSERT INTO sigds.sigds_run_values_s (name, n) VALUES ('s1', 10), ('s2', 20);
SELECT sigma.publish('run_values_s') ->> 'inserted';
INSERT INTO sigds.sigds_run_values_s (name, n) VALUES ('s3', 30);
SELECT pg_temp.act('{"subtype": "insert_rows", "source": "run_values_s"}');
SELECT "Name", n FROM sigds.sigds_run_values_t WHERE "Name" LIKE 's%' ORDER BY 1;
SELECT pg_temp.act('{"subtype": "insert_rows", "source": "run_values_s"}');
DELETE FROM sigds.sigds_run_values_t WHERE "Name" LIKE 's%';
-- values for every row: of the row, of the run, constant; they come before columns of the same name
SELECT pg_temp.act('{"subtype": "insert_rows", "source": "run_values_s", "values": {"Name": {"type": "formula", "formula": "[name] & [Control/suffix]"}, "amount": {"type": "formula", "formula": "[Twice] + 0.5"}, "ok": true, "tags": ["x"]}}',
    '{"controls": {"suffix": "!"}}');
SELECT "Name", n, amount, ok, tags FROM sigds.sigds_run_values_t WHERE "Name" LIKE 's%' ORDER BY 1;
CREATE TABLE run_values_plain (name varchar(10), n numeric, extra date);
INSERT INTO run_values_plain VALUES ('p1', 7, '2026-05-05'), ('p2', 8, NULL);
SELECT pg_temp.act('{"subtype": "insert_rows", "source": "run_values_plain", "values": {"day": {"type": "formula", "formula": "[extra]"}}}');
SELECT pg_temp.act('{"subtype": "insert_rows", "source": "SELECT ''q'' || g AS name, g AS n FROM pg_catalog.generate_series(1, 3) AS g -- three"}');
SELECT pg_temp.act('{"subtype": "insert_rows", "source": "VALUES (1, ''v'')", "values": {"n": {"type": "formula", "formula": "[column1] * 5"}, "Name": {"type": "formula", "formula": "[column2]"}}}');
SELECT "Name", n, day FROM sigds.sigds_run_values_t WHERE "Name" ~ '^[pqv]' ORDER BY 1;
-- as one statement: rules hold, and nothing is left of a failure
INSERT INTO run_values_plain VALUES ('p3', 1.5, NULL);
SELECT pg_temp.act('{"subtype": "insert_rows", "source": "SELECT ''z'' || name AS name, n FROM public.run_values_plain ORDER BY 1"}');
SELECT count(*) FROM sigds.sigds_run_values_t WHERE "Name" LIKE 'z%';
SELECT pg_temp.act('{"subtype": "insert_rows", "source": "SELECT 1 AS n WHERE false"}');

-- rights: who runs it reads the source, a viewer of it what is published
CREATE ROLE regress_run_values;
SELECT sigma.grant_access('regress_run_values', 'viewer', 'run_values_s'), sigma.grant_access('regress_run_values', 'editor', 'run_values_t');
DELETE FROM sigds.sigds_run_values_t WHERE "Name" LIKE 's%';
SELECT sigma.create_action('{"id": "run_values_copy", "type": "data_modification", "subtype": "insert_rows", "target": "run_values_t", "source": "run_values_s"}');
SELECT sigma.create_action('{"id": "run_values_secret", "type": "data_modification", "subtype": "insert_rows", "target": "run_values_t", "source": "SELECT name FROM public.run_values_plain"}');
SET ROLE regress_run_values;
SELECT sigma.execute_action('run_values_copy') ->> 'status';
SELECT r ->> 'status', r #>> '{error,sqlstate}', r #>> '{error,message}' FROM sigma.execute_action('run_values_secret') AS r;
RESET ROLE;
SELECT "Name" FROM sigds.sigds_run_values_t WHERE "Name" LIKE 's%' ORDER BY 1;

-- a query calls only what a step may call, whoever runs it
CREATE ROLE regress_run_values_builder;
SELECT sigma.grant_access('regress_run_values_builder', 'builder');
CREATE SCHEMA run_values_own AUTHORIZATION regress_run_values_builder;
GRANT USAGE ON SCHEMA run_values_own TO PUBLIC;
SET ROLE regress_run_values_builder;
CREATE FUNCTION run_values_own.evil() RETURNS text LANGUAGE sql AS 'SELECT current_user::text';
CREATE DOMAIN run_values_own.trap AS text CHECK (run_values_own.evil() IS NOT NULL);
SELECT sigma.create_action_sequence('{"id": "run_values_evil", "actions": [{"type": "flow", "subtype": "for_each", "rows": "SELECT run_values_own.evil() AS who", "actions": [
    {"type": "variable", "subtype": "set", "target": "run_values_who", "value": "[Selection/who]"}]}]}');
SELECT sigma.create_action_sequence('{"id": "run_values_trap", "actions": [{"type": "flow", "subtype": "for_each", "rows": "SELECT (SELECT ''x''::run_values_own.trap) AS who", "actions": [
    {"type": "variable", "subtype": "set", "target": "run_values_who", "value": "[Selection/who]"}]}]}');
SELECT r ->> 'status', r #>> '{variables,run_values_who}' FROM sigma.execute_sequence('run_values_evil') AS r;
RESET ROLE;
SELECT id, r ->> 'status', r #>> '{error,sqlstate}', r #>> '{error,message}' FROM unnest('{run_values_evil,run_values_trap}'::text[]) AS id, sigma.execute_sequence(id) AS r;
-- literals are read when a query is analysed: not as types that others have made, or that hold such
SET ROLE regress_run_values_builder;
CREATE FUNCTION run_values_own.tell(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    IF current_user <> 'regress_run_values_builder' THEN RAISE EXCEPTION 'called as another role'; END IF; RETURN true; END $$;
CREATE DOMAIN run_values_own.word AS text CHECK (run_values_own.tell(VALUE));
CREATE TYPE run_values_own.pair AS (a integer, b run_values_own.word);
CREATE TYPE run_values_own.mood AS ENUM ('good', 'bad');
CREATE TABLE run_values_own.list (a run_values_own.word[]);
SELECT sigma.create_action_sequence(jsonb_build_object('id', 'run_values_read_' || n, 'actions', jsonb_build_array(jsonb_build_object(
    'type', 'flow', 'subtype', 'for_each', 'rows', query, 'actions', '[]'::jsonb))))
FROM unnest(ARRAY[
    'SELECT ''{x}''::run_values_own.word[] AS a',
    'SELECT ''(1,x)''::run_values_own.pair AS a',
    'SELECT 1 AS a FROM run_values_own.list WHERE a = ''{x}''',
    'SELECT jsonb_populate_record(NULL::run_values_own.pair, ''{"b": "x"}'') AS a',
    'SELECT * FROM jsonb_to_recordset(''[{"b": "x"}]'') AS r(b run_values_own.word)',
    'SELECT ''good''::run_values_own.mood AS a, numeric(5, 2) ''1.234'' AS b, ''x'' || g AS c, count(*) FROM generate_series(1, 2) AS g GROUP BY ''x'' || g'
]) WITH ORDINALITY AS q(query, n) ORDER BY n;
SELECT id, sigma.execute_sequence(id) ->> 'status' FROM sigma.sigma_action_sequences WHERE id LIKE 'run\_values\_read%' ORDER BY id;
RESET ROLE;
SELECT id, r ->> 'status', r #>> '{error,sqlstate}', r #>> '{error,message}'
FROM sigma.sigma_action_sequences, sigma.execute_sequence(id) AS r WHERE id LIKE 'run\_values\_read%' ORDER BY id;
SELECT id, sigma.explain_sequence(id) LIKE '%may not use type run_values_own.word%' FROM sigma.sigma_action_sequences
WHERE id LIKE 'run\_values\_read%' ORDER BY id;
SELECT * FROM sigma.check() WHERE object LIKE '%run\_values\_read%';
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "SELECT ''{x}''::run_values_own.word[] AS \"Name\""}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "SELECT 1 AS \"Name\"; SELECT ''{x}''::run_values_own.word[]"}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "INSERT INTO run_values_own.list VALUES (''{x}'')"}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "SELECT pg_catalog.pg_read_file(''x'') AS \"Name\""}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "SELECT x::text AS \"Name\" FROM pg_catalog.query_to_xml(''SELECT 1'', true, true, ''a'') AS x"}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "WITH c AS (SELECT run_values_own.evil() AS \"Name\") SELECT * FROM c"}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "SELECT pg_catalog.upper(relname) AS \"Name\", pg_catalog.count(*)::int AS n FROM pg_catalog.pg_class GROUP BY 1"}');
-- rows of an input table in a loop: those that the caller is shown, computed columns too
SELECT sigma.create_action_sequence('{"id": "run_values_loop", "actions": [{"type": "flow", "subtype": "for_each", "rows": "run_values_s", "actions": [
    {"type": "variable", "subtype": "set", "target": "run_values_who", "value": {"type": "formula", "formula": "Coalesce([ActionVar/run_values_who], \"\") & [Selection/name] & Text([Selection/Twice]) & \" \""}}]}]}');
SELECT r ->> 'status', r #>> '{variables,run_values_who}' FROM sigma.execute_sequence('run_values_loop') AS r;
SET ROLE regress_run_values;
SELECT r ->> 'status', r #>> '{variables,run_values_who}' FROM sigma.execute_sequence('run_values_loop') AS r;
RESET ROLE;
SELECT r ->> 'status', r #>> '{variables,run_values_who}' FROM sigma.execute_sequence('run_values_loop') AS r;
DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'run\_values%';
SET client_min_messages = warning;
DROP SCHEMA run_values_own CASCADE;
RESET client_min_messages;
DROP OWNED BY regress_run_values_builder;
DROP ROLE regress_run_values_builder;

--
-- refused when saved
--
SELECT pg_temp.refused('{"subtype": "insert_row", "values": {"n": {"type": "formula", "formula": "[amount] * 2"}}}');
SELECT pg_temp.refused('{"subtype": "insert_row", "values": {"n": {"type": "formula", "formula": "[nothing]"}}}');
SELECT pg_temp.refused('{"subtype": "update_rows", "selector": {"row_id": 1}, "values": {"n": {"type": "formula", "formula": "[nothing] + 1"}}}');
SELECT pg_temp.refused('{"subtype": "update_rows", "selector": {"row_id": 1}, "values": {"n": {"type": "formula", "formula": "[n] + [amuont]"}}}');
SELECT pg_temp.refused('{"subtype": "update_rows", "selector": {"row_id": 1}, "values": {"n": {"type": "formula", "formula": "[Name]"}}}');
SELECT pg_temp.refused('{"subtype": "update_rows", "selector": {"row_id": 1}, "values": {"ok": {"type": "formula", "formula": "[n] + 1"}}}');
SELECT pg_temp.refused('{"subtype": "update_rows", "selector": {"row_id": 1}, "values": {"day": {"type": "formula", "formula": "[n]"}}}');
SELECT pg_temp.refused('{"subtype": "upsert_row", "values": {"Name": "x", "n": {"type": "formula", "formula": "[n] + 1"}}}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "run_values_plain"}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "run_values_none"}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "SELECT 1 AS nothing"}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "run_values_s", "values": {"n": {"type": "formula", "formula": "[nothing]"}}}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "SELECT 1 AS one", "values": {"n": 1}}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "DELETE FROM public.run_values_plain RETURNING name"}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "SELECT 1 AS n; DROP TABLE public.run_values_plain"}');
SELECT pg_temp.refused('{"subtype": "insert_rows", "source": "SELECT true AS n"}');
-- names in conditions and texts too
SELECT pg_temp.refused('{"subtype": "delete_rows", "selector": {"row_id": 1}, "conditions": {"type": "custom_formula", "formula": "[nothing] > 1"}}');
SELECT pg_temp.refused('{"type": "navigation", "subtype": "open_link", "target": "https://x.example/{{[nothing]}}"}');
SELECT pg_temp.refused('{"subtype": "insert_row", "values": {"n": {"type": "formula", "formula": "[run_values_v] + [run_values_v.min]"}}}');

DELETE FROM sigma.sigma_actions WHERE id LIKE 'run\_values%';
DROP OWNED BY regress_run_values;
DROP ROLE regress_run_values;
DROP TABLE run_values_plain;
SELECT sigma.delete_variable('run_values_v');
SELECT sigma.delete_input_table('run_values_t', purge => true), sigma.delete_input_table('run_values_s', purge => true);
