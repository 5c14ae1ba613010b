-- Steps that call functions and procedures: which one, its arguments, its result, whose rights.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.refused(doc jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    code text; said text; at text; hint text;
BEGIN
    PERFORM sigma.create_action('{"id": "steps_procedure_act", "type": "stored_procedure"}' || doc);
    PERFORM sigma.delete_action('steps_procedure_act');
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
    PERFORM sigma.create_action('{"id": "steps_procedure_act", "type": "stored_procedure"}' || doc);
    r := sigma.execute_action('steps_procedure_act', context);
    PERFORM sigma.delete_action('steps_procedure_act');
    RETURN concat_ws(' ', r ->> 'status', 'rows=' || (r #>> '{actions,0,rows}'), 'result=' || (r #> '{actions,0,result}')::text,
                     r #>> '{error,sqlstate}', r #>> '{error,message}', r #>> '{error,detail}', r #>> '{error,hint}');
END
$$;

CREATE SCHEMA steps_procedure;
SET search_path = steps_procedure, public;
CREATE TABLE log (at int GENERATED ALWAYS AS IDENTITY, said text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE FUNCTION add(a int, b int DEFAULT 10) RETURNS int LANGUAGE sql AS 'SELECT a + b';
CREATE FUNCTION echo(a int) RETURNS text LANGUAGE sql AS $$SELECT 'integer ' || a$$;
CREATE FUNCTION echo(a text) RETURNS text LANGUAGE sql AS $$SELECT 'text ' || a$$;
CREATE FUNCTION echo(a numeric, b text) RETURNS text LANGUAGE sql AS $$SELECT 'two ' || a || b$$;
CREATE FUNCTION types(i2 int2, i8 int8, n numeric, f4 float4, f8 float8, t text, v varchar, d date, ts timestamp, tz timestamptz, b bool, j jsonb, js json)
    RETURNS text LANGUAGE sql SET timezone = 'America/New_York' AS $$SELECT concat_ws('|', i2, i8, n, f4, f8, t, v, d, ts, tz AT TIME ZONE 'UTC', b, j, js)$$;
CREATE FUNCTION others(p positive, m mood, u uuid, a int[], r pair, i interval) RETURNS text LANGUAGE sql AS $$SELECT concat_ws('|', p, m, u, a::text, r::text, i)$$;
CREATE FUNCTION out2(x int, OUT twice int, OUT label text) LANGUAGE sql AS $$SELECT x * 2, 'is ' || x$$;
CREATE FUNCTION out1(x int, OUT twice int) LANGUAGE sql AS $$SELECT x * 2$$;
CREATE FUNCTION tab(n int) RETURNS TABLE (i int, day date) LANGUAGE sql AS $$SELECT g, date '2026-01-31' + g FROM generate_series(1, n) g$$;
CREATE FUNCTION nums(n int) RETURNS SETOF int LANGUAGE sql AS $$SELECT generate_series(1, n)$$;
CREATE FUNCTION whole(a int) RETURNS pair LANGUAGE sql AS $$SELECT ROW(a, 'b')::steps_procedure.pair$$;
CREATE FUNCTION nothing(t text) RETURNS void LANGUAGE sql AS $$INSERT INTO steps_procedure.log (said) VALUES (t)$$;
CREATE FUNCTION many(VARIADIC v int[]) RETURNS int LANGUAGE sql AS $$SELECT sum(x)::int FROM unnest(v) x$$;
CREATE FUNCTION wide(n int, size int) RETURNS SETOF text LANGUAGE sql AS $$SELECT repeat(md5(g::text), size) FROM generate_series(1, n) g$$;
CREATE FUNCTION fails(t text) RETURNS int LANGUAGE plpgsql AS $$BEGIN INSERT INTO steps_procedure.log (said) VALUES (t); RAISE EXCEPTION 'no %', t USING ERRCODE = 'P0042', HINT = 'try again'; END$$;
CREATE PROCEDURE note(t text) LANGUAGE sql AS $$INSERT INTO steps_procedure.log (said) VALUES (t)$$;
CREATE PROCEDURE sums(a int, INOUT b int, OUT c text, d text DEFAULT 'd') LANGUAGE plpgsql AS $$BEGIN b := a + b; c := 'c' || d; END$$;
CREATE PROCEDURE one(INOUT b int) LANGUAGE plpgsql AS $$BEGIN b := b + 1; END$$;
CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$BEGIN INSERT INTO steps_procedure.log (said) VALUES ('before'); COMMIT; INSERT INTO steps_procedure.log (said) VALUES ('after'); END$$;
CREATE PROCEDURE rolls_back() LANGUAGE plpgsql AS $$BEGIN ROLLBACK; END$$;
CREATE FUNCTION anything(a anyelement) RETURNS text LANGUAGE sql AS $$SELECT a::text$$;
CREATE FUNCTION rows_of_record() RETURNS SETOF record LANGUAGE sql AS $$SELECT 1, 2$$;
CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
RESET search_path;

-- scalars; arguments in order, by name, with defaults
SELECT pg_temp.act('{"target": "steps_procedure.add", "arguments": [1, 2]}');
SELECT pg_temp.act('{"target": "steps_procedure.add", "arguments": [1]}');
SELECT pg_temp.act('{"target": "steps_procedure.add", "arguments": {"b": "[Control/b]", "a": {"type": "formula", "formula": "[Control/b] * 2"}}}', '{"controls": {"b": 5}}');
SELECT pg_temp.act('{"target": "STEPS_procedure.Add", "arguments": {"a": "7"}}');
SELECT pg_temp.act('{"target": "steps_procedure.add", "arguments": {"a": "[ActionVar/none]", "b": 1}}');
SELECT pg_temp.act('{"target": "pg_catalog.upper(text)", "arguments": ["[Selection/Name]"]}', '{"selection": {"rows": [{"Name": "ann"}]}}');
-- overloads: chosen by types, stored with them
SELECT pg_temp.act('{"target": "steps_procedure.echo(int)", "arguments": [7]}');
SELECT pg_temp.act('{"target": "steps_procedure.echo ( text )", "arguments": [7]}');
SELECT pg_temp.act('{"target": "steps_procedure.echo(numeric(10, 2), text)", "arguments": [7, "b"]}');
-- every type
SELECT pg_temp.act('{"target": "steps_procedure.types", "arguments": [1, "2", 3.50, 0.5, "1e3", "text", 8, "2026-01-31", "2026-01-31T01:02:03", "2026-01-31 01:02:03", "yes", {"type": "note", "k": [1]}, [1, null]]}');
SELECT pg_temp.act('{"target": "steps_procedure.others", "arguments": [3, "happy", "6ecd8c99-4036-403d-bf84-cf8400f67836", [1, null, 3], {"a": 1, "b": "x"}, "1 day"]}');
SELECT pg_temp.act('{"target": "steps_procedure.others", "arguments": ["[Control/p]", "[Control/m]", null, "[Control/a]", null, null]}', '{"controls": {"p": 3, "m": "sad", "a": []}}');
-- what comes back: output arguments, rows, tables, nothing
SELECT pg_temp.act('{"target": "steps_procedure.out2", "arguments": [4]}');
SELECT pg_temp.act('{"target": "steps_procedure.out1", "arguments": [4]}');
SELECT pg_temp.act('{"target": "steps_procedure.whole", "arguments": [4]}');
SELECT pg_temp.act('{"target": "steps_procedure.tab", "arguments": [2]}');
SELECT pg_temp.act('{"target": "steps_procedure.nums", "arguments": [3]}');
SELECT pg_temp.act('{"target": "steps_procedure.nums", "arguments": [0]}');
SELECT pg_temp.act('{"target": "steps_procedure.many", "arguments": [[1, 2, 3]]}');
SELECT pg_temp.act('{"target": "steps_procedure.nothing", "arguments": ["void"]}');
-- procedures
SELECT pg_temp.act('{"target": "steps_procedure.note", "arguments": ["procedure"]}');
SELECT pg_temp.act('{"target": "steps_procedure.sums", "arguments": [1, 2]}');
SELECT pg_temp.act('{"target": "steps_procedure.sums", "arguments": {"b": 2, "a": 5, "d": "!"}}');
SELECT pg_temp.act('{"target": "steps_procedure.one", "arguments": ["[Control/b]"]}', '{"controls": {"b": 41}}');
SELECT said FROM steps_procedure.log ORDER BY at;

-- later steps use the result
SELECT sigma.create_input_table('{"id": "steps_procedure_t", "columns": [{"name": "n", "type": "integer"}, {"name": "t", "type": "text"}]}');
SELECT sigma.create_action_sequence('{"id": "steps_procedure_seq", "actions": [
    {"type": "stored_procedure", "target": "steps_procedure.out2", "arguments": ["[Control/x]"], "output_variable": "out"},
    {"type": "stored_procedure", "target": "steps_procedure.add", "arguments": [{"type": "formula", "formula": "Number([ActionVar/out].twice)"}], "output_variable": "sum"},
    {"type": "data_modification", "subtype": "insert_row", "target": "steps_procedure_t", "values": {"n": "[ActionVar/sum]", "t": {"type": "formula", "formula": "Text([ActionVar/out].label)"}}}]}');
SELECT r ->> 'status', r -> 'variables' FROM sigma.execute_sequence('steps_procedure_seq', '{"controls": {"x": 4}}') AS r;
SELECT n, t FROM sigds.sigds_steps_procedure_t;
SELECT jsonb_path_query_array(actions, '$[*].target') FROM sigma.sigma_action_sequences WHERE id = 'steps_procedure_seq';
SELECT object, path FROM sigma.dependents('function:steps_procedure.out2');

--
-- failures are contained; the transaction cannot be ended
--
TRUNCATE steps_procedure.log;
SELECT pg_temp.act('{"target": "steps_procedure.fails", "arguments": ["way"]}');
SELECT pg_temp.act('{"target": "steps_procedure.commits"}');
SELECT pg_temp.act('{"target": "steps_procedure.rolls_back"}');
SELECT count(*) FROM steps_procedure.log;
-- a failing one ends the run whatever stop_on_error says, unless it says "continue" itself
SELECT sigma.create_action_sequence('{"id": "steps_procedure_stop", "stop_on_error": false, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "steps_procedure_t", "values": {"n": "[Control/x]"}},
    {"type": "stored_procedure", "target": "steps_procedure.fails", "arguments": ["way"]},
    {"type": "data_modification", "subtype": "insert_row", "target": "steps_procedure_t", "values": {"n": 100}}]}');
SELECT r ->> 'status', r ->> 'rolled_back', jsonb_path_query_array(r, '$.actions[*].status') FROM sigma.execute_sequence('steps_procedure_stop', '{"controls": {"x": 1}}') AS r;
SELECT r ->> 'status', r ->> 'rolled_back', jsonb_path_query_array(r, '$.actions[*].status') FROM sigma.execute_sequence('steps_procedure_stop', '{"controls": {"x": "many"}}') AS r;
-- within a branch too
SELECT sigma.create_action_sequence('{"id": "steps_procedure_branch", "stop_on_error": false, "actions": [
    {"type": "flow", "subtype": "if_else", "branches": [{"condition": {"type": "custom_formula", "formula": "True"}, "actions": [
        {"type": "stored_procedure", "target": "steps_procedure.fails", "arguments": ["way"]}]}]},
    {"type": "data_modification", "subtype": "insert_row", "target": "steps_procedure_t", "values": {"n": 100}}]}');
SELECT r ->> 'status', r ->> 'rolled_back', r #>> '{error,sqlstate}' FROM sigma.execute_sequence('steps_procedure_branch') AS r;
SELECT sigma.update_action_sequence('steps_procedure_stop', jsonb_build_object('actions', jsonb_set(actions, '{1,error_handling}', '"continue"'))) FROM sigma.sigma_action_sequences WHERE id = 'steps_procedure_stop';
SELECT r ->> 'status', r ->> 'failed_actions', jsonb_path_query_array(r, '$.actions[*].status') FROM sigma.execute_sequence('steps_procedure_stop', '{"controls": {"x": 1}}') AS r;
SELECT count(*) FROM sigds.sigds_steps_procedure_t;
-- values of the run that cannot be read; results that are too large
SELECT pg_temp.act('{"target": "steps_procedure.add", "arguments": ["[Control/x]"]}', context)
FROM unnest('{"{\"controls\": {\"x\": \"many\"}}", "{\"controls\": {\"x\": 1.5}}", "{\"controls\": {\"x\": 3000000000}}", "{\"controls\": {\"x\": [1]}}"}'::jsonb[]) AS context;
SELECT pg_temp.act('{"target": "steps_procedure.others", "arguments": ["[Control/p]", "[Control/m]", null, null, null, null]}', context)
FROM unnest('{"{\"controls\": {\"p\": 0}}", "{\"controls\": {\"m\": \"angry\"}}"}'::jsonb[]) AS context;
SELECT left(pg_temp.act('{"target": "steps_procedure.nums", "arguments": [10000]}'), 30);
SELECT pg_temp.act('{"target": "steps_procedure.nums", "arguments": [10001]}');
SELECT pg_temp.act('{"target": "steps_procedure.wide", "arguments": [100, 30000]}');

--
-- refused when saved
--
SELECT pg_temp.refused('{"target": "steps_procedure.ad"}');
SELECT pg_temp.refused('{"target": "steps_procedures.add"}');
SELECT pg_temp.refused('{"target": "steps_procedure.echo", "arguments": [1]}');
SELECT pg_temp.refused('{"target": "steps_procedure.echo(date)", "arguments": [1]}');
SELECT pg_temp.refused('{"target": "steps_procedure.echo(nonsense)", "arguments": [1]}');
SELECT pg_temp.refused('{"target": "steps_procedure.echo(int", "arguments": [1]}');
SELECT pg_temp.refused('{"target": "steps_procedure.echo(int; drop)", "arguments": [1]}');
SELECT pg_temp.refused('{"target": "SELECT 1"}');
SELECT pg_temp.refused('{"target": "a.b.c.d"}');
SELECT pg_temp.refused('{}');
SELECT pg_temp.refused('{"target": "steps_procedure.add"}');
SELECT pg_temp.refused('{"target": "steps_procedure.add", "arguments": [1, 2, 3]}');
SELECT pg_temp.refused('{"target": "steps_procedure.add", "arguments": {"aa": 1}}');
SELECT pg_temp.refused('{"target": "steps_procedure.add", "arguments": {"b": 1}}');
SELECT pg_temp.refused('{"target": "steps_procedure.add", "arguments": {"a": "x"}}');
SELECT pg_temp.refused('{"target": "steps_procedure.add", "arguments": [1, 3000000000]}');
SELECT pg_temp.refused('{"target": "steps_procedure.add", "arguments": 7}');
SELECT pg_temp.refused('{"target": "steps_procedure.others", "arguments": [0, null, null, null, null, null]}');
SELECT pg_temp.refused('{"target": "steps_procedure.others", "arguments": [1, "angry", null, null, null, null]}');
SELECT pg_temp.refused('{"target": "steps_procedure.anything", "arguments": [1]}');
SELECT pg_temp.refused('{"target": "steps_procedure.rows_of_record"}');
SELECT pg_temp.refused('{"target": "steps_procedure.fired"}');
SELECT pg_temp.refused('{"target": "steps_procedure.total", "arguments": [1]}');
-- what acts as whoever calls it is no step
SELECT pg_temp.refused('{"target": "pg_catalog.pg_read_file(text)", "arguments": ["x"]}');
SELECT pg_temp.refused('{"target": "query_to_xml", "arguments": ["SELECT 1", true, true, ""]}');
SELECT pg_temp.refused('{"target": "sigma.grant_access", "arguments": ["x", "admin"]}');
SELECT pg_temp.refused('{"target": "set_config", "arguments": ["role", "x", false]}');

--
-- rights: called as who runs the step; only functions whose owner everybody trusts, or his own
--
CREATE ROLE regress_steps_procedure_builder;
CREATE ROLE regress_steps_procedure_viewer;
SELECT sigma.grant_access('regress_steps_procedure_builder', 'builder'), sigma.grant_access('regress_steps_procedure_viewer', 'viewer');
GRANT USAGE, CREATE ON SCHEMA steps_procedure TO regress_steps_procedure_builder;
GRANT USAGE ON SCHEMA steps_procedure TO regress_steps_procedure_viewer;
CREATE FUNCTION steps_procedure.me() RETURNS text LANGUAGE sql AS 'SELECT current_user';
CREATE FUNCTION steps_procedure.for_builders() RETURNS text LANGUAGE sql AS 'SELECT current_user';
REVOKE EXECUTE ON FUNCTION steps_procedure.for_builders FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steps_procedure.for_builders TO regress_steps_procedure_builder;
CREATE FUNCTION pg_temp.call(id text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', r ->> 'status', r #>> '{actions,0,result}', r #>> '{error,sqlstate}', r #>> '{error,message}') FROM sigma.execute_action(id) AS r
$$;
SET ROLE regress_steps_procedure_builder;
CREATE FUNCTION steps_procedure.evil() RETURNS text LANGUAGE sql AS 'SELECT ''evil as '' || current_user';
SELECT sigma.create_action('{"id": "steps_procedure_me", "type": "stored_procedure", "target": "steps_procedure.me"}');
SELECT sigma.create_action('{"id": "steps_procedure_evil", "type": "stored_procedure", "target": "steps_procedure.evil"}');
SELECT sigma.create_action('{"id": "steps_procedure_builders", "type": "stored_procedure", "target": "steps_procedure.for_builders"}');
SELECT pg_temp.refused('{"target": "steps_procedure.note", "arguments": ["x"]}');
SELECT id, pg_temp.call(id) FROM unnest('{steps_procedure_me,steps_procedure_evil,steps_procedure_builders}'::text[]) AS id;
SET ROLE regress_steps_procedure_viewer;
SELECT id, pg_temp.call(id) FROM unnest('{steps_procedure_me,steps_procedure_evil,steps_procedure_builders}'::text[]) AS id;
SELECT pg_temp.refused('{"target": "steps_procedure.me"}');
RESET ROLE;
SELECT id, pg_temp.call(id) FROM unnest('{steps_procedure_me,steps_procedure_evil,steps_procedure_builders}'::text[]) AS id;
SELECT pg_temp.refused('{"target": "steps_procedure.evil"}');
-- a builder's function under an earlier schema of the path, or one that fits better, is not called instead
SET search_path = steps_procedure, public;
SELECT sigma.create_action('{"id": "steps_procedure_path", "type": "stored_procedure", "target": "add", "arguments": [1, 2]}');
SELECT target FROM sigma.sigma_actions WHERE id = 'steps_procedure_path';
CREATE SCHEMA steps_procedure_trap;
GRANT ALL ON SCHEMA steps_procedure_trap TO regress_steps_procedure_builder;
SET ROLE regress_steps_procedure_builder;
CREATE FUNCTION steps_procedure_trap.add(a int, b int) RETURNS text LANGUAGE sql AS $$SELECT 'trapped'$$;
CREATE FUNCTION steps_procedure.add(a bigint, b bigint) RETURNS text LANGUAGE sql AS $$SELECT 'trapped'$$;
CREATE FUNCTION steps_procedure_trap.jsonb_to_record(jsonb) RETURNS record LANGUAGE sql AS $$SELECT 'trapped'$$;
RESET ROLE;
SET search_path = steps_procedure_trap, pg_catalog;
SELECT sigma.execute_action('steps_procedure_path') #>> '{actions,0,result}';
RESET search_path;
-- a function that goes, changes hands or comes back
SELECT sigma.create_action('{"id": "steps_procedure_gone", "type": "stored_procedure", "target": "steps_procedure.out1", "arguments": [1]}');
SELECT pg_temp.call('steps_procedure_gone');
DROP FUNCTION steps_procedure.out1;
SELECT pg_temp.call('steps_procedure_gone');
CREATE FUNCTION steps_procedure.out1(x int, OUT twice int) LANGUAGE sql AS $$SELECT x * 200$$;
SELECT pg_temp.call('steps_procedure_gone');
ALTER FUNCTION steps_procedure.out1 OWNER TO regress_steps_procedure_builder;
SELECT pg_temp.call('steps_procedure_gone');
CREATE OR REPLACE FUNCTION steps_procedure.me() RETURNS text LANGUAGE sql AS $$SELECT 'another ' || current_user$$;
SELECT pg_temp.call('steps_procedure_me');

DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'steps\_procedure%';
DELETE FROM sigma.sigma_actions WHERE id LIKE 'steps\_procedure%';
SET client_min_messages = warning;
DROP SCHEMA steps_procedure, steps_procedure_trap CASCADE;
DROP OWNED BY regress_steps_procedure_builder, regress_steps_procedure_viewer;
DROP ROLE regress_steps_procedure_builder, regress_steps_procedure_viewer;
SELECT sigma.delete_input_table('steps_procedure_t', purge => true);
