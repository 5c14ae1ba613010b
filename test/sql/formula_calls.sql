-- formulas that call functions of the database, and which ones stored formulas may call
-- https://help.sigmacomputing.com/docs/passthrough-functions-overview
\pset null ~
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE regress_formula_author;
CREATE ROLE regress_formula_user;
CREATE SCHEMA formula_calls;
CREATE SCHEMA formula_calls_author AUTHORIZATION regress_formula_author;
SELECT sigma.grant_access('regress_formula_author', 'builder'), sigma.grant_access('regress_formula_user', 'viewer');
GRANT USAGE, CREATE ON SCHEMA formula_calls TO regress_formula_author;
GRANT USAGE ON SCHEMA formula_calls, formula_calls_author TO regress_formula_user;
SET search_path = formula_calls;

-- the outcome of a formula, or its error
CREATE FUNCTION outcome(formula text, context jsonb = '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    RETURN coalesce(sigma.eval(formula::sigma.formula, context)::text, 'Null');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ': ' || SQLERRM || CASE WHEN hint <> '' THEN ' -- ' || hint ELSE '' END;
END
$$;
-- the same as a condition, whose author may be another than who runs it
CREATE FUNCTION stored(formula text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN coalesce(sigma.evaluate_condition(jsonb_build_object('type', 'custom_formula', 'formula', formula), '{}')::text, 'Null');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;

-- names: folded, qualified, quoted; overloads; defaults and VARIADIC
CREATE FUNCTION f(a text, b int = 7) RETURNS text LANGUAGE sql RETURN a || b;
CREATE FUNCTION "Weird ""; DROP TABLE x; --"(a text) RETURNS text LANGUAGE sql RETURN 'weird ' || a;
CREATE FUNCTION rest(VARIADIC a text[]) RETURNS int LANGUAGE sql RETURN cardinality(a);
CREATE FUNCTION two(a int) RETURNS text LANGUAGE sql RETURN 'int ' || a;
CREATE FUNCTION two(a date) RETURNS text LANGUAGE sql RETURN 'date ' || a;
CREATE FUNCTION zone(a timestamptz) RETURNS timestamptz LANGUAGE sql STABLE RETURN a + '1 hour';
CREATE FUNCTION rows_of() RETURNS SETOF int LANGUAGE sql RETURN 1;
CREATE FUNCTION record_of(OUT a int, OUT b text) LANGUAGE sql RETURN (1, 'x');
CREATE FUNCTION nothing() RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION same(a anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT a';
CREATE PROCEDURE proc() LANGUAGE sql AS 'SELECT';
CREATE AGGREGATE product(numeric) (SFUNC = numeric_mul, STYPE = numeric, INITCOND = 1);
SELECT f, outcome(f, '{"controls": {"n": 2}}') FROM unnest(ARRAY[
    'CallText("F", "x")', 'CallText("formula_calls.F", "x", 1)', 'CallText("FORMULA_CALLS.f", "x", 1.6)', 'CallText("Snowflake.formula_calls.f", "x")',
    'CallText("""Weird """"; DROP TABLE x; --""", "x")', 'CallText("formula_calls.""Weird """"; DROP TABLE x; --""", "x")', 'CallText("f(""x""); --", "x")', 'CallText("f", 1, 2)',
    'CallNumber("rest", "a", "b", "c")', 'CallNumber("rest")', 'CallText("two", 5)', 'CallText("two", Date("2024-05-17"))', 'CallText("two", [Control/n])', 'CallText("two", "x")', 'CallText("two", Null)',
    'CallDatetime("zone", Date("2024-05-17 10:00:00"))', 'CallNumber("rows_of")', 'CallText("record_of")', 'CallText("nothing")', 'CallText("proc")',
    'CallText("same", 1)', 'CallVariant("same", Array(1, "a"))', 'CallNumber("same", "12")', 'CallNumber("same", "x")', 'CallLogical("same", "yes")', 'CallDatetime("same", 0)',
    'CallText("ff", "x")', 'CallText("formula_calls.ff", "x")', 'CallText("nowhere.f", "x")', 'CallText("f")', 'CallText("f", Array(1), 2, 3)', 'CallNumber("product", 1)',
    'AggNumber("product", [Selection/x])', 'CallText("int4in", "1")', 'CallText("float8", 1)']) AS f;
SELECT outcome('AggNumber("product", [Selection/x])', '{"selection": {"rows": [{"x": 2}, {"x": 3}, {"x": 7}]}}');
SELECT sigma.formula_sql('CallText("f", "it''s", 1)'), sigma.formula_sql('CallDatetime("zone", Now())');
SET TimeZone = 'America/New_York';
SELECT outcome('CallDatetime("zone", Date("2024-05-17 10:00:00"))');
RESET TimeZone;

-- the rights are the caller's
CREATE FUNCTION guarded() RETURNS text LANGUAGE sql RETURN 'let in';
REVOKE EXECUTE ON FUNCTION guarded() FROM PUBLIC;
SELECT outcome('CallText("formula_calls.guarded")');
SET ROLE regress_formula_user;
SELECT outcome('CallText("formula_calls.guarded")'), outcome('CallText("formula_calls.f", "x")');
RESET ROLE;
GRANT EXECUTE ON FUNCTION guarded() TO regress_formula_user;
SET ROLE regress_formula_user;
SELECT outcome('CallText("formula_calls.guarded")');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION guarded() FROM regress_formula_user;
SET ROLE regress_formula_user;
SELECT outcome('CallText("formula_calls.guarded")');
RESET ROLE;
REVOKE USAGE ON SCHEMA formula_calls FROM regress_formula_user;
SET ROLE regress_formula_user;
SELECT sigma.eval('CallText("formula_calls.f", "x")');
RESET ROLE;

-- what a stored formula may call: what its author cannot have made
SET ROLE regress_formula_author;
CREATE FUNCTION formula_calls_author.evil(a text = '') RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'this ran';
    RETURN true;
END
$$;
CREATE DOMAIN formula_calls_author.trap AS text CHECK (formula_calls_author.evil(VALUE));
CREATE AGGREGATE formula_calls_author.evil_agg(bool) (SFUNC = booland_statefunc, STYPE = bool);
RESET ROLE;
CREATE FUNCTION trusting(a formula_calls_author.trap) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION fine(a text) RETURNS bool LANGUAGE sql RETURN a = 'x';
CREATE FUNCTION poly(a anyelement) RETURNS bool LANGUAGE sql AS 'SELECT a IS NOT NULL';
SELECT f, stored(f) FROM unnest(ARRAY[
    'CallLogical("formula_calls.fine", "x")', 'CallLogical("formula_calls.poly", "x")', 'CallLogical("starts_with", "ab", "a")', 'CallNumber("random") >= 0', 'CallText("gen_random_uuid") != ""',
    'CallDatetime("clock_timestamp") > Date("2024-01-01")', 'CallText("pg_sleep", 0) = ""', 'CallText("current_setting", "server_version") != ""', 'CallText("sigma.fn_output", 1) = "1"',
    'CallLogical("formula_calls_author.evil")', 'CallLogical("formula_calls_author.evil", "x")', 'AggLogical("formula_calls_author.evil_agg", [Selection/x])', 'CallLogical("formula_calls.trusting", "x")',
    'CallText("query_to_xml", "SELECT formula_calls_author.evil()", True, True, "") != ""', 'CallText("table_to_xml", "pg_class", True, True, "") != ""',
    'CallText("set_config", "search_path", "formula_calls_author", False) != ""', 'CallNumber("lo_import", "/etc/passwd") > 0', 'CallText("pg_read_file", "/etc/passwd") != ""', 'CallLogical("pg_reload_conf")',
    'CallText("domain_in", "x", 1, 2) = "x"', 'CallText("int4in", "1") = "1"', 'CallVariant("sigma.eval", "CallLogical(""formula_calls_author.evil"")") = Null',
    'CallVariant("sigma.execute_sequence", "x", Json("{}")) = Null', 'CallText("sigma.grant_access", "regress_formula_author", "admin") = ""', 'CallNumber("pg_advisory_lock", 1) = 1']) AS f;
-- whoever typed it may call anything
SELECT outcome('CallLogical("formula_calls_author.evil")'), outcome('CallText("set_config", "formula_calls.x", "1", True)');
-- an overload that fits better, made later, is not called
SELECT stored('CallLogical("formula_calls.poly", "x")');
SET ROLE regress_formula_author;
CREATE FUNCTION formula_calls.poly(a text) RETURNS bool LANGUAGE sql AS 'SELECT formula_calls_author.evil(a)';
RESET ROLE;
SELECT stored('CallLogical("formula_calls.poly", "x")');
-- nor one that the search_path of whoever runs it puts first
SET ROLE regress_formula_author;
CREATE FUNCTION formula_calls_author.fine(a text) RETURNS bool LANGUAGE sql AS 'SELECT formula_calls_author.evil(a)';
CREATE FUNCTION formula_calls_author.starts_with(a text, b text) RETURNS bool LANGUAGE sql AS 'SELECT formula_calls_author.evil(a)';
RESET ROLE;
SELECT stored('CallLogical("fine", "x")');
SET search_path = formula_calls_author, formula_calls;
SELECT stored('CallLogical("fine", "x")'), stored('CallLogical("starts_with", "ab", "a")'), stored('CallLogical("formula_calls.fine", "x")');
SET search_path = formula_calls_author, formula_calls, pg_catalog;
SELECT stored('CallLogical("starts_with", "ab", "a")'), stored('CallLogical("pg_catalog.starts_with", "ab", "a")'), stored('StartsWith("ab", "a")');
SET search_path = formula_calls;

-- checked when it is saved, and again when it is compiled
SELECT sigma.create_action_sequence('{"id": "formula_calls_bad", "condition": {"type": "custom_formula", "formula": "CallLogical(\"formula_calls_author.evil\")"}, "actions": [{"type": "modal", "subtype": "close"}]}');
SELECT sigma.create_action_sequence('{"id": "formula_calls_bad", "condition": {"type": "custom_formula", "formula": "CallLogical(\"formula_calls.fien\", \"x\")"}, "actions": [{"type": "modal", "subtype": "close"}]}');
SELECT sigma.create_action_sequence('{"id": "formula_calls_seq", "condition": {"type": "custom_formula", "formula": "CallLogical(\"formula_calls.fine\", \"x\")"}, "actions": [{"type": "modal", "subtype": "close"}]}');
CREATE FUNCTION run() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result jsonb := sigma.execute_sequence('formula_calls_seq', '{}');
BEGIN
    RETURN concat_ws(' ', result ->> 'status', result ->> 'reason', result #>> '{error,sqlstate}', result #>> '{error,message}');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
SELECT run();
ALTER FUNCTION fine(text) OWNER TO regress_formula_author;
SELECT run();
ALTER FUNCTION fine(text) OWNER TO CURRENT_USER;
SELECT run();
DROP FUNCTION fine(text);
SELECT run();
CREATE FUNCTION fine(a text) RETURNS bool LANGUAGE sql RETURN a = 'y';
SELECT run();

-- values of a type of one's own become text by its output function, not by its owner's cast
SET ROLE regress_formula_author;
CREATE TYPE formula_calls_author.mood AS ENUM ('sad', 'glad');
CREATE FUNCTION formula_calls_author.shown(formula_calls_author.mood) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'this ran';
    RETURN 'shown';
END
$$;
RESET ROLE;
CREATE CAST (formula_calls_author.mood AS text) WITH FUNCTION formula_calls_author.shown(formula_calls_author.mood);
CREATE TABLE moods (mood formula_calls_author.mood);
INSERT INTO moods VALUES ('glad'), (NULL), ('sad');
SELECT outcome('ListAgg([moods/mood])'), outcome('CallText("same", First([moods/mood]))');

-- rules call functions too, under the same conditions
SELECT sigma.create_input_table('{"id": "formula_calls", "columns": [{"name": "A", "type": "text", "validation": {"formula": "CallLogical(\"formula_calls_author.evil\", [A])"}}]}');
SELECT sigma.create_input_table('{"id": "formula_calls", "columns": [{"name": "A", "type": "text", "validation": {"formula": "CallLogical(\"starts_with\", [A], \"a\")"}}]}');
INSERT INTO sigds.sigds_formula_calls ("A") VALUES ('abc');
INSERT INTO sigds.sigds_formula_calls ("A") VALUES ('xyz');
SELECT sigma.delete_input_table('formula_calls', true), sigma.delete_action_sequence('formula_calls_seq');

-- who saves a formula needs EXECUTE on what it calls: others, who have it, would call that for him
CREATE FUNCTION admin_only(a text) RETURNS bool LANGUAGE sql RETURN true;
REVOKE EXECUTE ON FUNCTION admin_only(text) FROM PUBLIC;
GRANT USAGE ON SCHEMA formula_calls TO regress_formula_author;
SET ROLE regress_formula_author;
SELECT sigma.create_input_table('{"id": "formula_calls", "columns": [{"name": "A", "type": "text", "validation": {"formula": "CallLogical(\"formula_calls.admin_only\", [A])"}}]}');
SELECT sigma.create_input_table('{"id": "formula_calls", "columns": [{"name": "A", "type": "text"}], "governance_config": {"row_filter": "CallLogical(\"formula_calls.admin_only\", [A])"}}');
SELECT sigma.create_input_table('{"id": "formula_calls", "columns": [{"name": "A", "type": "text"}, {"name": "B", "type": "checkbox", "formula": "CallLogical(\"formula_calls.admin_only\", [A])"}]}');
SELECT sigma.create_action_sequence('{"id": "formula_calls_seq", "condition": {"type": "custom_formula", "formula": "CallLogical(\"formula_calls.admin_only\", \"x\")"}, "actions": [{"type": "modal", "subtype": "close"}]}');
RESET ROLE;
GRANT EXECUTE ON FUNCTION admin_only(text) TO regress_formula_author;
SET ROLE regress_formula_author;
SELECT sigma.create_input_table('{"id": "formula_calls", "columns": [{"name": "A", "type": "text", "validation": {"formula": "CallLogical(\"formula_calls.admin_only\", [A])"}}, {"name": "B", "type": "checkbox", "formula": "CallLogical(\"formula_calls.admin_only\", [A])"}]}');
SELECT sigma.create_action_sequence('{"id": "formula_calls_seq", "condition": {"type": "custom_formula", "formula": "CallLogical(\"formula_calls.admin_only\", \"x\")"}, "actions": [{"type": "modal", "subtype": "close"}]}');
RESET ROLE;
SELECT run();
SELECT sigma.delete_input_table('formula_calls', true), sigma.delete_action_sequence('formula_calls_seq');

-- what an extension brings was not made for this, unless it only computes
CREATE FUNCTION from_extension(a text) RETURNS bool LANGUAGE sql VOLATILE RETURN true;
ALTER EXTENSION plpgsql ADD FUNCTION from_extension(text);
SELECT stored('CallLogical("formula_calls.from_extension", "x")'), outcome('CallLogical("formula_calls.from_extension", "x")');
ALTER FUNCTION from_extension(text) IMMUTABLE;
SELECT stored('CallLogical("formula_calls.from_extension", "x")');
ALTER EXTENSION plpgsql DROP FUNCTION from_extension(text);

-- a schema that gets another name: what was found in it is looked for anew
CREATE SCHEMA formula_calls_one;
CREATE SCHEMA formula_calls_two;
CREATE TABLE formula_calls_one.here AS SELECT 1 AS x;
CREATE TABLE formula_calls_two.here AS SELECT 2 AS x;
SET search_path = formula_calls_one, formula_calls_two, formula_calls;
SELECT outcome('Sum([here/x])');
ALTER SCHEMA formula_calls_one RENAME TO formula_calls_three;
SELECT outcome('Sum([here/x])');
ALTER SCHEMA formula_calls_three RENAME TO formula_calls_one;
SELECT outcome('Sum([here/x])');
DROP SCHEMA formula_calls_one, formula_calls_two CASCADE;

RESET search_path;
DROP SCHEMA formula_calls, formula_calls_author CASCADE;
DROP OWNED BY regress_formula_author, regress_formula_user;
DROP ROLE regress_formula_author, regress_formula_user;
