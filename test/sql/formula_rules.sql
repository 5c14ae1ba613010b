-- rules that are formulas: of a column, of the row; on every path of writing
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT sigma.create_input_table('{
    "id": "frules", "name": "Budgets",
    "columns": [
        {"name": "Item",   "type": "text", "required": true},
        {"name": "Spend",  "type": "number", "validation": {"min": 0, "formula": "[Spend] <= [Budget] * 2"}},
        {"name": "Budget", "type": "number"},
        {"name": "Starts", "type": "date"},
        {"name": "Ends",   "type": "date", "validation": {"formula": "[Ends] >= [Starts]", "message": "ends before it starts"}},
        {"name": "Note",   "type": "text"}],
    "validation_rules": {"Note": {"formula": "Len([Note]) < 10", "severity": "warn"}},
    "row_rules": [
        {"formula": "If([Budget] > 1000, IsNotNull([Note]), True)", "message": "large budgets need a note"},
        {"formula": "[Item] != \"none\""},
        {"formula": "Contains(Coalesce([note], \"\"), \"!\") = False", "severity": "warn", "message": "no shouting"}]}');

-- good rows; Null passes
INSERT INTO sigds.sigds_frules ("Item", "Spend", "Budget", "Starts", "Ends") VALUES
    ('a', 10, 10, '2024-01-01', '2024-01-02'), ('b', 5, NULL, NULL, '2024-01-01'), ('c', NULL, NULL, NULL, NULL);

-- plain SQL: all failures of a row; the constraint is that of the first one
INSERT INTO sigds.sigds_frules ("Item", "Spend", "Budget", "Starts", "Ends") VALUES ('none', -1, 5000, '2024-02-01', '2024-01-31');
INSERT INTO sigds.sigds_frules ("Item", "Spend", "Budget") VALUES ('d', 21, 10);
INSERT INTO sigds.sigds_frules ("Item", "Budget") VALUES ('d', 1001);
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; con text; col text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, con = CONSTRAINT_NAME, col = COLUMN_NAME;
    RETURN concat_ws(' ', state, con, nullif(col, ''));
END $$;
SELECT pg_temp.refused($$INSERT INTO sigds.sigds_frules ("Item", "Spend", "Budget") VALUES ('d', 21, 10)$$);
SELECT pg_temp.refused($$INSERT INTO sigds.sigds_frules ("Item", "Budget") VALUES ('d', 1001)$$);
SELECT pg_temp.refused($$INSERT INTO sigds.sigds_frules ("Item") VALUES ('none')$$);
SELECT pg_temp.refused($$MERGE INTO sigds.sigds_frules t USING (VALUES (1)) v(i) ON t.sigma_row_id = 1 WHEN MATCHED THEN UPDATE SET "Spend" = 999$$);

-- COPY
COPY sigds.sigds_frules ("Item", "Spend", "Budget") FROM stdin;
e	1	1
f	9	1
\.
SELECT "Item" FROM sigds.sigds_frules ORDER BY sigma_row_id;

-- UPDATE: a rule is looked at where a column that it reads has changed, a row rule where any has
UPDATE sigds.sigds_frules SET "Budget" = 1 WHERE "Item" = 'a';
UPDATE sigds.sigds_frules SET "Item" = 'none' WHERE "Item" = 'c';
UPDATE sigma.sigma_input_tables SET validation_rules = jsonb_set(validation_rules, '{Budget}', '{"formula": "[Budget] < 5"}') WHERE id = 'frules';
SELECT sigma.table_info('frules') -> 'flagged' AS flagged;
UPDATE sigds.sigds_frules SET "Starts" = '2023-12-01' WHERE "Item" = 'a';
UPDATE sigds.sigds_frules SET "Budget" = 9 WHERE "Item" = 'a';
UPDATE sigma.sigma_input_tables SET row_rules = row_rules || '{"formula": "[Budget] < 7"}' WHERE id = 'frules';
UPDATE sigds.sigds_frules SET "Starts" = '2023-11-01' WHERE "Item" = 'a';
UPDATE sigma.sigma_input_tables SET row_rules = row_rules - 3, validation_rules = validation_rules - 'Budget' WHERE id = 'frules';

-- entry: strict, partial, sigma; a row that is updated is looked at as a whole
SELECT sigma.handle_data_entry('frules', '[{"Item": "g", "Spend": 9, "Budget": 1}, {"Item": "none", "Budget": 2000}]');
SELECT jsonb_pretty(r -> 'errors') AS errors, jsonb_pretty(r -> 'warnings') AS warnings, r -> 'accepted' AS accepted
FROM sigma.handle_data_entry('frules', '[
    {"Item": "g", "Spend": 9, "Budget": 1},
    {"sigma_row_id": 1, "Spend": 100},
    {"sigma_row_id": 1, "Budget": 1},
    {"sigma_row_id": 2, "Budget": 3},
    {"Item": "h", "Note": "rather long, really!"},
    {"Item": "i", "Budget": 2000, "Spend": "lots"}]', 'partial') AS r;
SELECT f ->> 'row' AS "row", f ->> 'column' AS "column", f ->> 'rule' AS rule, f ->> 'severity' AS severity, f ->> 'message' AS message
FROM sigma.handle_data_entry('frules', '[{"Item": "j", "Spend": -1, "Budget": -5}, {"Item": "k", "Spend": 9, "Budget": 1}]', 'sigma') AS r,
     jsonb_array_elements(r -> 'errors' || (r -> 'warnings')) AS f;
SELECT "Item", "Spend", "Budget", "Note" FROM sigds.sigds_frules WHERE "Item" IN ('b', 'h', 'j') ORDER BY 1;

-- validate_data says the same
SELECT * FROM sigma.validate_data('frules', '[{"Item": "none", "Spend": 9, "Budget": 1, "Note": "!"}, {"sigma_row_id": 1, "Ends": "2020-01-01"}]');

-- import
SELECT f ->> 'line' AS line, f ->> 'column' AS "column", f ->> 'message' AS message
FROM sigma.import_csv('frules', E'Item,Spend,Budget\nl,1,1\nm,5,1\nnone,,\n', '{"mode": "partial"}') AS r, jsonb_array_elements(r -> 'errors') AS f;

-- a rule over rows that break it: kept, and counted
SET client_min_messages = notice;
UPDATE sigma.sigma_input_tables SET row_rules = '[{"formula": "[Spend] > 1"}]' WHERE id = 'frules';
SELECT sigma.table_info('frules') -> 'flagged' AS flagged;
SET client_min_messages = warning;

-- what is wrong is refused with path and character
CREATE FUNCTION pg_temp.save(columns jsonb, more jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; msg text; det text; hin text;
BEGIN
    PERFORM sigma.create_input_table(jsonb_build_object('id', 'frules_bad', 'columns', columns) || more);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, msg = MESSAGE_TEXT, det = PG_EXCEPTION_DETAIL, hin = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', state || ' ' || msg, det, hin);
END $$;
SELECT pg_temp.save('[{"name": "a", "type": "number", "validation": {"formula": "[a] >"}}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "validation": {"formula": "[b] > [aa]"}}]');
SELECT pg_temp.save('[{"name": "a", "type": "number", "validation": {"formula": "[a] + 1"}}]');
SELECT pg_temp.save('[{"name": "a", "type": "number", "validation": {"formula": "[a] = \"x\""}}]');
SELECT pg_temp.save('[{"name": "a", "type": "number", "validation": {"formula": "[sigma_row_id] > 0"}}]');
SELECT pg_temp.save('[{"name": "a", "type": "number", "validation": {"formula": "[Budgets/Spend] > 0"}}]');
SELECT pg_temp.save('[{"name": "a", "type": "number", "validation": {"formula": "[Control/x] > 0"}}]');
SELECT pg_temp.save('[{"name": "a", "type": "number", "validation": {"formula": "Foo([a])"}}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}]', '{"validation_rules": {"a": {"formula": "[b] > 0"}}}');
SELECT pg_temp.save('[{"name": "a", "type": "number"}]', '{"row_rules": [{"formula": "[a] > 0"}, {"formula": "[c] > 0"}]}');
SELECT pg_temp.save('[{"name": "a", "type": "number", "validation": {"formula": "[a] > 0"}}]', '{"validation_rules": {"a": {"formula": "[a] > 1"}}}');
SELECT pg_temp.save('[{"name": "a", "type": "number", "validation": {"formula": ""}}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}]', '{"row_rules": [{"message": "x"}]}');
-- a column that a rule names cannot go, or become of another type, without it
SELECT sigma.drop_column('frules', 'Starts', true);
SELECT sigma.alter_column('frules', 'Starts', '{"type": "text"}', true);

-- an error while a formula is computed says which one
SELECT sigma.create_input_table('{"id": "frules_big", "columns": [{"name": "n", "type": "integer", "validation": {"formula": "[n] * [n] > 0"}}]}');
\set SHOW_CONTEXT always
INSERT INTO sigds.sigds_frules_big VALUES (9223372036854775807);
\set SHOW_CONTEXT never

-- who writes needs rights on the data table, none on the functions that formulas come to
SELECT pg_temp.save('[{"name": "t", "type": "text", "validation": {"formula": "Sqrt(Number([t])) >= Sqrt(4) and [t] != Text(Sqrt(9))"}}]');
CREATE ROLE regress_formula_writer;
GRANT USAGE ON SCHEMA sigds TO regress_formula_writer;
GRANT INSERT, SELECT ON sigds.sigds_frules_bad TO regress_formula_writer;
SET ROLE regress_formula_writer;
INSERT INTO sigds.sigds_frules_bad VALUES ('4');
INSERT INTO sigds.sigds_frules_bad VALUES ('1');
INSERT INTO sigds.sigds_frules_bad VALUES ('nine');
SELECT t FROM sigds.sigds_frules_bad;
RESET ROLE;
REVOKE ALL ON SCHEMA sigds FROM regress_formula_writer;
SELECT sigma.delete_input_table('frules_bad', true);
DROP ROLE regress_formula_writer;

-- on functions of others he needs EXECUTE, whoever wrote before him in the session
CREATE FUNCTION public.frules_next(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
REVOKE EXECUTE ON FUNCTION public.frules_next(numeric) FROM PUBLIC;
SELECT sigma.create_input_table('{"id": "frules_call", "columns": [{"name": "a", "type": "number", "validation": {"formula": "CallNumber(\"frules_next\", [a]) > CallNumber(\"frules_next\", 1)"}}]}');
SELECT columns -> 0 -> 'validation' ->> 'formula' AS formula FROM sigma.sigma_input_tables WHERE id = 'frules_call';
CREATE ROLE regress_formula_caller;
GRANT USAGE ON SCHEMA sigds TO regress_formula_caller;
GRANT INSERT ON sigds.sigds_frules_call TO regress_formula_caller;
INSERT INTO sigds.sigds_frules_call VALUES (3);
SET ROLE regress_formula_caller;
INSERT INTO sigds.sigds_frules_call VALUES (3);
RESET ROLE;
GRANT EXECUTE ON FUNCTION public.frules_next(numeric) TO regress_formula_caller;
SET ROLE regress_formula_caller;
INSERT INTO sigds.sigds_frules_call VALUES (3);
INSERT INTO sigds.sigds_frules_call VALUES (0);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION public.frules_next(numeric) FROM regress_formula_caller;
SET ROLE regress_formula_caller;
INSERT INTO sigds.sigds_frules_call VALUES (3);
RESET ROLE;
-- ... and they belong to a superuser, or to the owner of sigds
ALTER FUNCTION public.frules_next(numeric) OWNER TO regress_formula_caller;
INSERT INTO sigds.sigds_frules_call VALUES (3);
SELECT sigma.update_input_table('frules_call', '{"columns": [{"name": "a", "type": "number", "validation": {"formula": "CallNumber(\"public.frules_next\", [a]) > 1"}}]}');
SELECT sigma.delete_input_table('frules_call', true);
DROP FUNCTION public.frules_next(numeric);
REVOKE ALL ON SCHEMA sigds FROM regress_formula_caller;
DROP ROLE regress_formula_caller;

-- a rule follows the search_path of nobody
CREATE SCHEMA frules_path;
CREATE FUNCTION frules_path.gt(numeric, numeric) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR frules_path.> (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = frules_path.gt);
SET search_path = frules_path, pg_catalog;
SELECT sigma.create_input_table('{"id": "frules_path", "columns": [{"name": "n", "type": "number", "validation": {"formula": "[n] > 1"}}]}');
INSERT INTO sigds.sigds_frules_path VALUES (2);
INSERT INTO sigds.sigds_frules_path VALUES (1);
RESET search_path;
SELECT sigma.delete_input_table(id, true) FROM (VALUES ('frules'), ('frules_big'), ('frules_path')) AS t(id);
DROP SCHEMA frules_path CASCADE;

-- a rule that does not say the same twice is asked once for each row that is written: what it said is what is reported
CREATE SEQUENCE public.frules_turns;
CREATE FUNCTION public.frules_turn() RETURNS bool LANGUAGE sql VOLATILE AS $$SELECT nextval('public.frules_turns') % 2 = 0$$;
SELECT sigma.create_input_table('{"id": "frules_turn", "columns": [{"name": "a", "type": "text", "validation": {"formula": "CallLogical(\"frules_turn\")"}}]}');
INSERT INTO sigds.sigds_frules_turn VALUES ('refused');
INSERT INTO sigds.sigds_frules_turn VALUES ('second');
INSERT INTO sigds.sigds_frules_turn VALUES ('refused');
SELECT a, (SELECT last_value FROM public.frules_turns) AS asked FROM sigds.sigds_frules_turn;
-- beside other rules: a column that fails before it, and a row rule
SELECT sigma.update_input_table('frules_turn', '{"columns": [{"name": "a", "type": "text", "required": true, "validation": {"formula": "True"}}], "row_rules": [{"formula": "CallLogical(\"frules_turn\")"}]}')->'changed' AS changed;
SELECT setval('public.frules_turns', 10);
INSERT INTO sigds.sigds_frules_turn VALUES (NULL);
INSERT INTO sigds.sigds_frules_turn VALUES ('passes'), ('refused');
SELECT a, (SELECT last_value FROM public.frules_turns) AS asked FROM sigds.sigds_frules_turn;
SELECT sigma.delete_input_table('frules_turn', true);
DROP FUNCTION public.frules_turn();
DROP SEQUENCE public.frules_turns;
