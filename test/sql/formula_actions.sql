-- formulas in conditions, values, texts and selectors of actions
\pset format unaligned
\pset tuples_only on
SELECT sigma.create_input_table('{"id": "fa_orders", "name": "Fa Orders", "columns": [
    {"name": "Region", "type": "text"}, {"name": "Amount", "type": "number"}, {"name": "Due Date", "type": "date"},
    {"name": "Ok", "type": "checkbox"}, {"name": "Tags", "type": "multi-select"}]}');
SELECT sigma.create_variable('{"id": "fa_limit", "kind": "control", "type": "number", "default_value": 10, "scope": "session"}');

-- conditions: only true holds; Null and false do not
CREATE FUNCTION pg_temp.holds(formula text, context jsonb DEFAULT '{}') RETURNS bool LANGUAGE sql AS
    $$SELECT sigma.evaluate_condition(jsonb_build_object('type', 'custom_formula', 'formula', formula), context)$$;
SELECT pg_temp.holds('1 < 2'), pg_temp.holds('1 > 2'), pg_temp.holds('Null'), pg_temp.holds('Null = 1');
SELECT pg_temp.holds('[Control/a] > 1', '{"controls": {"a": 2}}'), pg_temp.holds('[Control/a] > 1', '{"controls": {"a": 1}}'),
       pg_temp.holds('[Control/a] > 1');
-- a bare name is a control's; one that nobody knows is null
SELECT pg_temp.holds('[a] = "x"', '{"controls": {"a": "x"}}'), pg_temp.holds('[nobody knows] = "x"'), pg_temp.holds('IsNull([nobody knows])');
SELECT pg_temp.holds('[a]', '{"controls": {"a": true}}'), pg_temp.holds('[a]', '{"controls": {"a": false}}'), pg_temp.holds('[a]');
SELECT pg_temp.holds('[fa_limit] = 10'), pg_temp.holds('[fa_limit] = 10', '{"controls": {"fa_limit": 11}}');
-- ranges, lists, JSON: what the context holds decides
SELECT pg_temp.holds('[r].min < 5 and [Control/r].max > 5', '{"controls": {"r": {"min": 1, "max": 9}}}');
SELECT pg_temp.holds('[Selection/Amount] > 100', '{"selection": {"rows": [{"Amount": 150}]}}');
SELECT pg_temp.holds('Text([ActionVar/answer].label) = "good"', '{"action_variables": {"answer": {"label": "good"}}}');
SELECT pg_temp.holds('[Form/Due] < Date("2024-06-01")', '{"form": {"Due": "2024-05-31"}}');
-- the same formula for values of other kinds
SELECT c ->> 'a', pg_temp.holds('[a] = [b]', jsonb_build_object('controls', c))
FROM jsonb_array_elements('[{"a": 1, "b": 1.0}, {"a": "1", "b": "1"}, {"a": true, "b": true}, {"a": [1], "b": [1]}, {"a": null, "b": 1}]') c;
-- all conditions of an array
SELECT sigma.evaluate_condition('[{"type": "custom_formula", "formula": "1 = 1"}, {"type": "custom_formula", "formula": "1 = 2"}]', '{}');

-- results of a model
CREATE FUNCTION pg_temp.result(condition jsonb, value jsonb) RETURNS bool LANGUAGE sql AS
    $$SELECT sigma.evaluate_condition(condition || '{"type": "ai_result", "variable": "v"}', jsonb_build_object('action_variables', jsonb_build_object('v', value)))$$;
SELECT pg_temp.result('{"threshold": 0.5}', '0.5'), pg_temp.result('{"threshold": 0.5}', '0.4'), pg_temp.result('{"threshold": 0.5}', 'null');
SELECT pg_temp.result('{"threshold": 0.5, "operator": "<"}', '0.4'), pg_temp.result('{"expected_value": "good"}', '"good"'), pg_temp.result('{"expected_value": "good"}', '"bad"');
SELECT pg_temp.result('{"operator": "in", "expected_value": ["good", "fair"]}', '"fair"'), pg_temp.result('{"operator": "is_null"}', 'null');

-- refused: SQLSTATE, message, place, hint
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused.sql'
\i :include
CREATE FUNCTION pg_temp.action(doc jsonb) RETURNS text LANGUAGE sql AS
    $$SELECT pg_temp.refused(format('SELECT sigma.create_action(%L)', doc || '{"id": "fa_refused"}'))$$;
SELECT f, pg_temp.action(jsonb_build_object('type', 'modal', 'subtype', 'close', 'conditions', jsonb_build_array(jsonb_build_object('type', 'custom_formula', 'formula', f))))
FROM (VALUES ('1 + 1'), ('"a"'), ('[Control/a] + 1'), ('1 +'), ('Frob(1)'), ('Len(1) > 2'), ('[fa_nowhere/x] = 1'), ('[Fa Orders/Amount] > 1'), ('If([Control/a], 1, 2)')) x (f);
-- a reference alone can be told only when it is there
SELECT pg_temp.refused($$SELECT pg_temp.holds('[a]', '{"controls": {"a": 5}}')$$);
SELECT pg_temp.refused($$SELECT pg_temp.holds('[a] + 1 > 2', '{"controls": {"a": "x"}}')$$);
-- values: what the column can never read
SELECT f, pg_temp.action(jsonb_build_object('type', 'data_modification', 'subtype', 'insert_row', 'target', 'fa_orders', 'values', jsonb_build_object(c, jsonb_build_object('type', 'formula', 'formula', f))))
FROM (VALUES ('Amount', '1 = 1'), ('Amount', 'Date("2024-01-01")'), ('Due Date', '1 + 1'), ('Ok', 'Today()'), ('Tags', '1 + 1'), ('Amount', 'Upper("1", 2)'), ('Region', '[a] & ')) x (c, f);
-- selectors: columns of the table, controls that are declared, logical
SELECT f, pg_temp.action(jsonb_build_object('type', 'data_modification', 'subtype', 'delete_rows', 'target', 'fa_orders', 'selector', jsonb_build_object('formula', f)))
FROM (VALUES ('[Amuont] > 1'), ('[Amount]'), ('[Amount] > "x"'), ('[Region] > 1'), ('[fa_limti] = [Amount]'), ('[Due Date] = "2024-01-01"'), ('[Amount] >')) x (f);

-- a run: values, texts, controls set by an earlier step, rows written by an earlier step
SELECT sigma.create_action_sequence('{"id": "fa_run",
    "condition": {"type": "custom_formula", "formula": "[Control/n]>0 and not IsNull([Selection/Region])"},
    "actions": [
        {"id": "fa_1", "type": "data_modification", "subtype": "insert_rows", "target": "fa_orders", "rows": [
            {"Region": {"type": "formula", "formula": "Upper([Selection/Region])"}, "Amount": {"type": "formula", "formula": "[Control/n] * 2 / 3"},
             "Due Date": {"type": "formula", "formula": "DateAdd(\"day\", 1, Date(\"2024-02-28\"))"}, "Ok": {"type": "formula", "formula": "[Control/n] > 1"},
             "Tags": {"type": "formula", "formula": "SplitToArray(\"a,b\", \",\")"}},
            {"Region": "EAST", "Amount": 1}, {"Region": "NORTH", "Amount": {"type": "formula", "formula": "1 / 0"}}]},
        {"id": "fa_2", "type": "control", "subtype": "set_value", "target": "n", "value": {"type": "formula", "formula": "[Control/n] + 1"}},
        {"id": "fa_3", "type": "data_modification", "subtype": "update_rows", "target": "fa_orders",
         "values": {"Amount": {"type": "formula", "formula": "[Control/n] * 100"}}, "selector": {"formula": "[amount] < [Control/n] and [due_date]=Date(\"2024-02-29\")"}},
        {"id": "fa_4", "type": "data_modification", "subtype": "delete_rows", "target": "fa_orders", "selector": {"match": {"Amount": {"op": ">", "value": {"type": "formula", "formula": "[Control/n] * 1000"}}}}},
        {"id": "fa_5", "type": "modal", "subtype": "close", "conditions": [{"type": "custom_formula", "formula": "[Control/n] > 1000"}]},
        {"id": "fa_6", "type": "navigation", "subtype": "open_link", "output_variable": "link",
         "target": "https://example.test/{{ Lower( [Selection/Region] ) }}?n={{[Control/n]*1.50}}&d={{Date(\"2024-02-29\")}}&l={{SplitToArray(\"a,b\", \",\")}}&none={{Null}}&t={{1=1}}&b={{{{"}],
    "execution_config": {"success_alert": {"title": "{{[Control/n]}} of {{Round([Control/n] / 3, 2)}}", "message": "{{If([Control/n] > 5, \"many\", \"few\")}}"}}}');
SELECT condition, jsonb_path_query(actions, '$.**.formula') FROM sigma.sigma_action_sequences WHERE id = 'fa_run';
SELECT r ->> 'status', r ->> 'rows_changed', r -> 'controls', r -> 'alert', r -> 'warnings', r #> '{effects,1,target}'
FROM sigma.execute_sequence('fa_run', '{"controls": {"n": 6}, "selection": {"rows": [{"Region": "west"}]}}') r;
SELECT s ->> 'action_id', s ->> 'status', s ->> 'rows' FROM sigma.sigma_execution_history h, jsonb_array_elements(h.result -> 'actions') s WHERE sequence_id = 'fa_run';
SELECT "Region", "Amount", "Due Date", "Ok", "Tags" FROM sigds.sigds_fa_orders ORDER BY sigma_row_id;
-- its condition is not true
SELECT r ->> 'status', r ->> 'reason' FROM sigma.execute_sequence('fa_run', '{"controls": {"n": 0}, "selection": {"rows": [{"Region": "west"}]}}') r;
SELECT r ->> 'status', r ->> 'reason' FROM sigma.execute_sequence('fa_run', '{"selection": {"rows": [{"Region": "west"}]}}') r;
-- kinds of values that do not fit are the step's error, and undo the run
SELECT r ->> 'status', r ->> 'rolled_back', (r -> 'error') - 'hint' FROM sigma.execute_sequence('fa_run', '{"controls": {"n": 5}, "selection": {"rows": [{"Region": 7}]}}') r;
SELECT count(*) FROM sigds.sigds_fa_orders;

-- a failing alert is a warning: the run is over
SELECT sigma.create_action_sequence('{"id": "fa_alert", "actions": [{"type": "control", "subtype": "set_value", "target": "n", "value": 1}],
    "execution_config": {"success_alert": {"title": "{{[Control/m] + 1}}"}}}');
SELECT r ->> 'status', r -> 'alert', r -> 'warnings' FROM sigma.execute_sequence('fa_alert', '{"controls": {"m": "x"}}') r;
SELECT r ->> 'status', r -> 'alert', r -> 'warnings' FROM sigma.execute_sequence('fa_alert', '{"controls": {"m": 1}}') r;

-- selectors: kinds that change from run to run, Null matches nothing, one row or none
SELECT sigma.create_action('{"id": "fa_find", "type": "data_modification", "subtype": "update_rows", "target": "fa_orders",
    "values": {"Ok": true}, "selector": {"formula": "[Amount] >= [fa_limit]"}}');
SELECT c, r ->> 'status', r -> 'rows_changed', r #>> '{error,message}'
FROM (VALUES (1, '{}'::jsonb), (2, '{"controls": {"fa_limit": 1}}'), (3, '{"controls": {"fa_limit": null}}'), (4, '{"controls": {"fa_limit": 1000}}')) v (c, x),
     sigma.execute_action('fa_find', x) r ORDER BY c;
SELECT sigma.create_action('{"id": "fa_one", "type": "data_modification", "subtype": "delete_row", "target": "fa_orders", "selector": {"formula": "Contains([Region], [Selection/part])"}}');
SELECT c, r ->> 'status', r -> 'rows_changed', r #>> '{error,sqlstate}', r #>> '{error,message}'
FROM (VALUES (1, '{"selection": {"rows": [{"part": "ST"}]}}'::jsonb), (2, '{"selection": {"rows": [{"part": "EAST"}, {"part": "x"}]}}'), (3, '{"selection": {"rows": [{"part": "EAST"}]}}'), (4, '{"selection": {"rows": [{"part": "EAST"}]}}')) v (c, x),
     sigma.execute_action('fa_one', x) r ORDER BY c;
SELECT "Region", "Amount", "Ok" FROM sigds.sigds_fa_orders ORDER BY sigma_row_id;

-- rows of tables and of the selection: what earlier steps have written is seen
SELECT sigma.create_action_sequence('{"id": "fa_rows", "actions": [
    {"id": "fa_r1", "type": "data_modification", "subtype": "insert_rows", "target": "fa_orders", "rows": [{"Region": "WEST", "Amount": 30}, {"Region": "EAST", "Amount": 10}]},
    {"id": "fa_r2", "type": "variable", "subtype": "set", "target": "total", "value": {"type": "formula", "formula": "Sum([Fa Orders/Amount])"}},
    {"id": "fa_r3", "type": "data_modification", "subtype": "update_rows", "target": "fa_orders", "values": {"Amount": {"type": "formula", "formula": "Lookup([Fa Orders/Amount], [Selection/Region], [Fa Orders/Region]) + 1"}},
     "selector": {"formula": "[Amount] = Max([fa_orders/Amount]) and [Region] = \"WEST\""}},
    {"id": "fa_r4", "type": "variable", "subtype": "set", "target": "total2", "value": {"type": "formula", "formula": "Sum([Fa Orders/Amount]) + Sum([Selection/n])"}},
    {"id": "fa_r5", "type": "modal", "subtype": "close", "conditions": [{"type": "custom_formula", "formula": "CountIf([Fa Orders/Region] = \"WEST\") > 1"}]},
    {"id": "fa_r6", "type": "navigation", "subtype": "open_link", "target": "{{CallText(\"pg_catalog.upper\", [Selection/Region])}}"}]}');
BEGIN;
SELECT r ->> 'status', r -> 'variables', r -> 'rows_changed', r -> 'effects', r -> 'error' FROM sigma.execute_sequence('fa_rows', '{"selection": {"rows": [{"Region": "EAST", "n": 4}]}}') r;
SELECT r ->> 'status', r -> 'variables', r -> 'rows_changed', r -> 'effects', r -> 'error' FROM sigma.execute_sequence('fa_rows', '{"selection": {"rows": [{"Region": "EAST", "n": 4}, {"n": 5}]}}') r;
ROLLBACK;
-- refused: many rows where one is needed, functions that nobody trusts
CREATE ROLE regress_fa_author;
GRANT CREATE ON SCHEMA public TO regress_fa_author;
SET ROLE regress_fa_author;
CREATE FUNCTION public.fa_untrusted(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
RESET ROLE;
SELECT f, pg_temp.action(jsonb_build_object('type', 'variable', 'subtype', 'set', 'target', 'v', 'value', jsonb_build_object('type', 'formula', 'formula', f)))
FROM (VALUES ('[Fa Orders/Amount] + 1'), ('Sum([Fa Orders/Nope])'), ('Sum([Fa Orders/Region])'), ('CallText("public.fa_untrusted", "x")'), ('CallText("public.fa_nowhere", "x")')) x (f);
DROP OWNED BY regress_fa_author;
DROP ROLE regress_fa_author;

-- rights and row security are the caller's
CREATE ROLE regress_fa_user;
GRANT USAGE ON SCHEMA sigma, sigds TO regress_fa_user;
GRANT SELECT, UPDATE, DELETE ON sigds.sigds_fa_orders TO regress_fa_user;
GRANT EXECUTE ON FUNCTION sigma.execute_action TO regress_fa_user;
INSERT INTO sigds.sigds_fa_orders ("Region", "Amount") VALUES ('SOUTH', 50), ('SOUTH', 60);
ALTER TABLE sigds.sigds_fa_orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY fa_policy ON sigds.sigds_fa_orders TO regress_fa_user USING ("Amount" < 60);
SET ROLE regress_fa_user;
SELECT r ->> 'status', r -> 'rows_changed', r #>> '{error,message}' FROM sigma.execute_action('fa_find', '{"controls": {"fa_limit": 40}}') r;
RESET ROLE;
REVOKE UPDATE ON sigds.sigds_fa_orders FROM regress_fa_user;
SET ROLE regress_fa_user;
SELECT r ->> 'status', r #>> '{error,message}' FROM sigma.execute_action('fa_find', '{"controls": {"fa_limit": 40}}') r;
RESET ROLE;
DROP POLICY fa_policy ON sigds.sigds_fa_orders;
ALTER TABLE sigds.sigds_fa_orders DISABLE ROW LEVEL SECURITY;
SELECT "Region", "Amount", "Ok" FROM sigds.sigds_fa_orders WHERE "Region" = 'SOUTH' ORDER BY "Amount";
DROP OWNED BY regress_fa_user;
DROP ROLE regress_fa_user;

-- the search_path of a run means nothing
CREATE SCHEMA fa_evil;
CREATE FUNCTION fa_evil.upper(text) RETURNS text LANGUAGE sql AS $$SELECT 'evil'$$;
CREATE FUNCTION fa_evil.gt(numeric, numeric) RETURNS bool LANGUAGE sql AS $$SELECT true$$;
CREATE OPERATOR fa_evil.> (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = fa_evil.gt);
SET search_path = fa_evil, pg_catalog;
SELECT sigma.evaluate_condition('{"type": "custom_formula", "formula": "Upper([a]) = \"X\" and not 1.5 > [n]"}', '{"controls": {"a": "x", "n": 2}}');
RESET search_path;
DROP OPERATOR fa_evil.>(numeric, numeric);
DROP FUNCTION fa_evil.gt, fa_evil.upper;
DROP SCHEMA fa_evil;

-- a program of its own for each of these: neither they nor their plans stay
DO $$
DECLARE
    kept constant text[] = '{sigma formula,SPI Plan,CachedPlan,CachedPlanSource,CachedPlanQuery}';
    before bigint;
    later bigint;
BEGIN
    FOR i IN 1..200 LOOP
        PERFORM sigma.evaluate_condition('{"type": "custom_formula", "formula": "[a] + 1 > 1"}', '{"controls": {"a": 1}}');
        IF i = 50 THEN SELECT count(*) INTO before FROM pg_catalog.pg_backend_memory_contexts WHERE name = ANY (kept); END IF;
    END LOOP;
    SELECT count(*) INTO later FROM pg_catalog.pg_backend_memory_contexts WHERE name = ANY (kept);
    RAISE NOTICE '%', CASE WHEN later - before < 20 THEN 'steady' ELSE format('%s more contexts', later - before) END;
END
$$;

DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'fa\_%' OR action_id LIKE 'fa\_%';
SELECT sigma.delete_action_sequence('fa_run'), sigma.delete_action_sequence('fa_alert'), sigma.delete_action_sequence('fa_rows'), sigma.delete_action('fa_find'), sigma.delete_action('fa_one');
SELECT sigma.delete_variable('fa_limit'), sigma.delete_input_table('fa_orders', purge => true);
