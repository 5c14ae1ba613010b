-- Steps that run other steps: branches, loops, the end of a run.
-- Branches are asked when they are reached and the first true one is taken:
-- https://help.sigmacomputing.com/docs/build-if-else-control-flow-in-an-action-sequence
\set QUIET 1
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

-- a run on one line: its steps with those that they hold, then the error
CREATE FUNCTION pg_temp.steps(actions jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT string_agg(concat_ws(' ', s ->> 'action_id', s ->> 'status', 'rows=' || (s ->> 'rows'), 'times=' || (s ->> 'times'), 'failed=' || NULLIF(s ->> 'failed', '0'),
                                        CASE WHEN s ->> 'attempts' <> coalesce(s ->> 'times', '1') THEN 'attempts=' || (s ->> 'attempts') END,
                                        'result=' || (s ->> 'result'), s #>> '{error,sqlstate}', '#' || (s #>> '{error,row}'), '[' || pg_temp.steps(s -> 'actions') || ']'),
                              ', ' ORDER BY n)
            FROM jsonb_array_elements(actions) WITH ORDINALITY AS a (s, n));
END $$;
CREATE FUNCTION pg_temp.show(result jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', result ->> 'status', CASE WHEN (result ->> 'rolled_back')::bool THEN 'rolled back' END, 'done=' || (result ->> 'actions_executed'),
                     'failed=' || (result ->> 'failed_actions'), 'rows=' || (result ->> 'rows_changed'), result #>> '{error,sqlstate}', '@' || (result #>> '{error,index}'),
                     result #>> '{error,action_id}', result #>> '{error,path}', '#' || (result #>> '{error,row}')) || coalesce(': ' || pg_temp.steps(result -> 'actions'), '')
$$;
SELECT sigma.create_input_table('{"id": "flow_t", "columns": [
    {"name": "k", "type": "text"}, {"name": "n", "type": "integer", "validation": {"max": 100}}]}');
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(concat_ws('=', k, n), ' ' ORDER BY sigma_row_id), 'none') FROM sigds.sigds_flow_t
$$;

--
-- if_else
--
SELECT sigma.create_action_sequence('{"id": "flow_if", "actions": [
    {"id": "before", "type": "control", "subtype": "set_value", "target": "size", "value": "[Control/n]"},
    {"id": "choose", "type": "flow", "subtype": "if_else", "output_variable": "taken", "branches": [
        {"condition": {"type": "control_value", "control_id": "size", "operator": ">", "expected_value": 100}, "actions": [
            {"id": "big", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "big", "n": 100}, "output_variable": "row"}]},
        {"condition": {"type": "control_value", "control_id": "size", "operator": ">", "expected_value": 10}, "actions": [
            {"id": "middle", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "middle", "n": "[Control/size]"}, "output_variable": "row"},
            {"id": "inner", "type": "flow", "subtype": "if_else", "branches": [
                {"condition": {"type": "custom_formula", "formula": "[Control/size] > 50"}, "actions": [{"id": "half", "type": "variable", "subtype": "set", "target": "half", "value": true}]}]}]}],
        "else": [{"id": "small", "type": "variable", "subtype": "set", "target": "small", "value": true}]},
    {"id": "after", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "after"}}]}');
SELECT pg_temp.show(r), (r -> 'variables') - 'row' FROM sigma.execute_sequence('flow_if', '{"controls": {"n": 500}}') AS r;
SELECT pg_temp.show(r), (r -> 'variables') - 'row' FROM sigma.execute_sequence('flow_if', '{"controls": {"n": 20}}') AS r;
SELECT pg_temp.show(r), (r -> 'variables') - 'row' FROM sigma.execute_sequence('flow_if', '{"controls": {"n": 60}}') AS r;
SELECT pg_temp.show(r), r -> 'variables' FROM sigma.execute_sequence('flow_if', '{"controls": {"n": 1}}') AS r;
-- unknown is not true
SELECT pg_temp.show(r), r -> 'variables' FROM sigma.execute_sequence('flow_if') AS r;
SELECT pg_temp.rows();
DELETE FROM sigds.sigds_flow_t;
-- no branch and no else: nothing is done; a step within names its place where it fails
SELECT sigma.create_action_sequence('{"id": "flow_none", "actions": [
    {"id": "choose", "type": "flow", "subtype": "if_else", "output_variable": "taken", "branches": [
        {"condition": {"type": "custom_formula", "formula": "[Control/go]"}, "actions": [
            {"id": "ok", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"n": 1}},
            {"id": "bad", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"n": 101}}]}]}]}');
SELECT pg_temp.show(r), r -> 'variables' FROM sigma.execute_sequence('flow_none') AS r;
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_none', '{"controls": {"go": true}}') AS r;
-- not atomic: what was done in the branch stays
SELECT sigma.update_action_sequence('flow_none', '{"execution_config": {"atomic": false}}');
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_none', '{"controls": {"go": true}}') AS r;
DELETE FROM sigds.sigds_flow_t;
-- with stop_on_error false the step alone is undone
SELECT sigma.update_action_sequence('flow_none', '{"stop_on_error": false, "execution_config": {"atomic": true}}');
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_none', '{"controls": {"go": true}}') AS r;
DELETE FROM sigds.sigds_flow_t;

--
-- for_each: the selection
--
SELECT sigma.create_action_sequence('{"id": "flow_each", "actions": [
    {"id": "loop", "type": "flow", "subtype": "for_each", "rows": "selection", "output_variable": "rows", "actions": [
        {"id": "add", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "[Selection/k]", "n": "[Selection/n]"}},
        {"id": "sum", "type": "variable", "subtype": "set", "target": "sum", "value": {"type": "formula", "formula": "Coalesce([ActionVar/sum], 0) + [Selection/n]"}},
        {"id": "show", "type": "navigation", "subtype": "open_link", "target": "https://example.com/[Selection/k]", "conditions": {"type": "selection_value", "column": "n", "operator": ">", "expected_value": 1}}]},
    {"id": "after", "type": "variable", "subtype": "set", "target": "all", "value": "[Selection/k]"}]}');
SELECT pg_temp.show(r), r -> 'variables', jsonb_path_query_array(r, '$.effects[*].target') FROM sigma.execute_sequence('flow_each',
    '{"selection": {"rows": [{"k": "a", "n": 1}, {"k": "b", "n": 2}, {"k": "c", "n": 3}]}}') AS r;
SELECT pg_temp.rows();
-- the rows one by one, in their order; none is no error
SELECT pg_temp.show(r), r -> 'variables' FROM sigma.execute_sequence('flow_each', '{"selection": {"rows": []}}') AS r;
SELECT pg_temp.show(r), r -> 'variables' FROM sigma.execute_sequence('flow_each') AS r;
DELETE FROM sigds.sigds_flow_t;
-- a failure: the error says at which row
SELECT pg_temp.show(r), r -> 'variables', r -> 'effects', pg_temp.rows() FROM sigma.execute_sequence('flow_each',
    '{"selection": {"rows": [{"k": "a", "n": 1}, {"k": "b", "n": 200}, {"k": "c", "n": 3}]}}') AS r;
SELECT sigma.update_action_sequence('flow_each', '{"stop_on_error": false}');
SELECT pg_temp.show(r), r -> 'variables', r #>> '{error,message}', pg_temp.rows() FROM sigma.execute_sequence('flow_each',
    '{"selection": {"rows": [{"k": "a", "n": 101}, {"k": "b", "n": 2}, {"k": "c", "n": 103}]}}') AS r;
DELETE FROM sigds.sigds_flow_t;
SELECT sigma.update_action_sequence('flow_each', '{"stop_on_error": true, "execution_config": {"atomic": false}}');
SELECT pg_temp.show(r), r -> 'variables', pg_temp.rows() FROM sigma.execute_sequence('flow_each',
    '{"selection": {"rows": [{"k": "a", "n": 1}, {"k": "b", "n": 200}, {"k": "c", "n": 3}]}}') AS r;
DELETE FROM sigds.sigds_flow_t;
-- a step's own error_handling, in the loop and of the loop
CREATE FUNCTION pg_temp.define(id text, step jsonb, loop jsonb DEFAULT '{}', extra jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT sigma.create_action_sequence(jsonb_build_object('id', id, 'actions', jsonb_build_array(
        '{"id": "first", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "first"}}'::jsonb,
        '{"id": "loop", "type": "flow", "subtype": "for_each", "rows": "selection"}'::jsonb || jsonb_build_object('actions', jsonb_build_array(
            '{"id": "add", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"n": "[Selection/n]"}, "output_variable": "last"}'::jsonb || step,
            '{"id": "link", "type": "navigation", "subtype": "open_link", "target": "https://example.com/[Selection/n]"}'::jsonb)) || loop,
        '{"id": "end", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "end"}}'::jsonb)) || extra)
$$;
SELECT '{"selection": {"rows": [{"n": 1}, {"n": 200}, {"n": 3}]}}' AS three \gset
SELECT pg_temp.define('flow_step_continue', '{"error_handling": "continue"}');
SELECT pg_temp.show(r), jsonb_array_length(r -> 'effects'), pg_temp.rows() FROM sigma.execute_sequence('flow_step_continue', :'three') AS r;
DELETE FROM sigds.sigds_flow_t;
SELECT pg_temp.define('flow_loop_continue', '{}', '{"error_handling": "continue"}');
SELECT pg_temp.show(r), r -> 'effects', r -> 'variables', pg_temp.rows() FROM sigma.execute_sequence('flow_loop_continue', :'three') AS r;
DELETE FROM sigds.sigds_flow_t;
SELECT pg_temp.define('flow_loop_continue_loose', '{}', '{"error_handling": "continue"}', '{"execution_config": {"atomic": false}}');
SELECT pg_temp.show(r), r -> 'effects', pg_temp.rows() FROM sigma.execute_sequence('flow_loop_continue_loose', :'three') AS r;
DELETE FROM sigds.sigds_flow_t;
SELECT pg_temp.define('flow_loop_retry', '{}', '{"error_handling": "retry", "retry": {"times": 2, "backoff_ms": 1}}');
SELECT pg_temp.show(r), r -> 'effects', pg_temp.rows() FROM sigma.execute_sequence('flow_loop_retry', :'three') AS r;
SELECT pg_temp.define('flow_step_retry', '{"error_handling": "retry", "retry": {"times": 2, "backoff_ms": 1}}');
SELECT pg_temp.show(r), r -> 'effects', pg_temp.rows() FROM sigma.execute_sequence('flow_step_retry', :'three') AS r;
-- a retry that succeeds is no failure
SET sigma.allow_injection = on;
SELECT sigma.inject('link', 'error', '{"times": 2}');
SELECT pg_temp.show(r), jsonb_array_length(r -> 'effects'), pg_temp.rows() FROM sigma.execute_sequence('flow_loop_retry', '{"selection": {"rows": [{"n": 1}, {"n": 2}]}}') AS r;
SELECT sigma.clear_injections();
RESET sigma.allow_injection;
DELETE FROM sigds.sigds_flow_t;

--
-- for_each: a table, a relation, a query
--
CREATE TABLE "flow source" (id int PRIMARY KEY, "k" text, n int);
INSERT INTO "flow source" VALUES (1, 'one', 1), (2, 'two', 2), (3, NULL, 3);
INSERT INTO sigds.sigds_flow_t (k, n) VALUES ('x', 10), ('y', 20);
CREATE FUNCTION pg_temp.over(id text, rows text, max_rows int DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT sigma.create_action_sequence(jsonb_build_object('id', id, 'actions', jsonb_build_array(
        '{"id": "loop", "type": "flow", "subtype": "for_each"}'::jsonb || jsonb_strip_nulls(jsonb_build_object('rows', rows, 'max_rows', max_rows)) || jsonb_build_object('actions', jsonb_build_array(
            '{"id": "link", "type": "navigation", "subtype": "open_link", "target": "[Selection/k]:[Selection/n]"}'::jsonb)))))
$$;
CREATE FUNCTION pg_temp.try(id text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', pg_temp.show(r), jsonb_path_query_array(r, '$.effects[*].target'), r #>> '{error,message}', r #>> '{error,hint}') FROM sigma.execute_sequence(id) AS r
$$;
SELECT pg_temp.over('flow_over_table', 'flow_t'), pg_temp.try('flow_over_table');
SELECT pg_temp.over('flow_over_relation', '"flow source"'), pg_temp.try('flow_over_relation');
SELECT pg_temp.over('flow_over_schema', 'public."flow source"'), pg_temp.try('flow_over_schema');
SELECT pg_temp.over('flow_over_query', 'SELECT upper(k) AS k, n * 2 AS n FROM "flow source" ORDER BY id DESC -- the last first'), pg_temp.try('flow_over_query');
SELECT pg_temp.over('flow_over_values', 'VALUES (1), (2)'), pg_temp.try('flow_over_values');
SELECT pg_temp.over('flow_over_with', 'WITH r AS (SELECT k FROM "flow source") SELECT k, 1 AS n FROM r ORDER BY k'), pg_temp.try('flow_over_with');
-- more rows than may be: nothing is begun
SELECT pg_temp.over('flow_over_much', 'SELECT i AS n FROM generate_series(1, 4) AS i', 3), pg_temp.try('flow_over_much');
SELECT pg_temp.over('flow_over_default', 'SELECT i AS n FROM generate_series(1, 10001) AS i'), pg_temp.try('flow_over_default');
SELECT pg_temp.over('flow_over_selection', 'selection', 2), pg_temp.show(sigma.execute_sequence('flow_over_selection', :'three'));
-- the rows are those at the beginning of the loop, though the loop writes the table; a row of a table is its current row
SELECT sigma.create_action_sequence('{"id": "flow_own", "actions": [{"id": "loop", "type": "flow", "subtype": "for_each", "rows": "flow_t", "actions": [
    {"id": "copy", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "copy", "n": "[Selection/n]"}},
    {"id": "mark", "type": "data_modification", "subtype": "update_row", "target": "flow_t", "selector": {"current_row": true}, "values": {"k": "seen"}}]}]}');
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_own') AS r;
DELETE FROM sigds.sigds_flow_t;
-- loops in loops: [Selection/...] is the row of the innermost
SELECT sigma.create_action_sequence('{"id": "flow_nested", "actions": [
    {"id": "outer", "type": "flow", "subtype": "for_each", "rows": "selection", "actions": [
        {"id": "keep", "type": "variable", "subtype": "set", "target": "k", "value": "[Selection/k]"},
        {"id": "inner", "type": "flow", "subtype": "for_each", "rows": "SELECT i FROM generate_series(1, 2) AS i", "actions": [
            {"id": "if", "type": "flow", "subtype": "if_else", "branches": [{"condition": {"type": "custom_formula", "formula": "[ActionVar/k] = \"b\""}, "actions": [
                {"id": "add", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "[ActionVar/k]", "n": "[Selection/i]"}}]}]}]},
        {"id": "back", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "[Selection/k]"}}]}]}');
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_nested', '{"selection": {"rows": [{"k": "a"}, {"k": "b"}, {"k": "c"}]}}') AS r;
DELETE FROM sigds.sigds_flow_t;

--
-- stop
--
SELECT sigma.create_action_sequence('{"id": "flow_stop", "actions": [
    {"id": "first", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "first"}},
    {"id": "loop", "type": "flow", "subtype": "for_each", "rows": "selection", "actions": [
        {"id": "add", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"n": "[Selection/n]"}},
        {"id": "enough", "type": "flow", "subtype": "stop", "message": "enough at [Selection/n]", "conditions": {"type": "selection_value", "column": "n", "expected_value": 200}},
        {"id": "last", "type": "variable", "subtype": "set", "target": "last", "value": "[Selection/n]"}]},
    {"id": "end", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "end"}}]}');
SELECT pg_temp.show(r), r -> 'variables', pg_temp.rows() FROM sigma.execute_sequence('flow_stop', '{"selection": {"rows": [{"n": 1}, {"n": 3}]}}') AS r;
DELETE FROM sigds.sigds_flow_t;
SELECT sigma.update_action_sequence('flow_stop', jsonb_build_object('actions', jsonb_set(jsonb_set(actions, '{1,parameters,actions,1,conditions,expected_value}', '3'), '{1,parameters,actions,1,parameters,status}', '"success"')))
FROM sigma.sigma_action_sequences WHERE id = 'flow_stop';
SELECT pg_temp.show(r), r -> 'variables', pg_temp.rows() FROM sigma.execute_sequence('flow_stop', '{"selection": {"rows": [{"n": 1}, {"n": 3}, {"n": 5}]}}') AS r;
DELETE FROM sigds.sigds_flow_t;
-- as a failure it ends the run whatever contains failures
SELECT sigma.update_action_sequence('flow_stop', jsonb_build_object('stop_on_error', false, 'actions',
    jsonb_set(jsonb_set(actions, '{1,parameters,actions,1,parameters,status}', '"failed"'), '{1,error_handling}', '"continue"')))
FROM sigma.sigma_action_sequences WHERE id = 'flow_stop';
SELECT pg_temp.show(r), r #>> '{error,message}', pg_temp.rows() FROM sigma.execute_sequence('flow_stop', '{"selection": {"rows": [{"n": 1}, {"n": 3}, {"n": 5}]}}') AS r;
SELECT sigma.update_action_sequence('flow_stop', '{"execution_config": {"atomic": false}}');
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_stop', '{"selection": {"rows": [{"n": 1}, {"n": 3}, {"n": 5}]}}') AS r;
DELETE FROM sigds.sigds_flow_t;

--
-- limits hold within loops
--
SELECT pg_temp.define('flow_max_rows', '{"error_handling": "continue"}', '{"error_handling": "continue"}', '{"stop_on_error": false, "execution_config": {"max_rows_changed": 3}}');
SELECT pg_temp.show(r), r #>> '{error,message}', pg_temp.rows() FROM sigma.execute_sequence('flow_max_rows', '{"selection": {"rows": [{"n": 1}, {"n": 2}, {"n": 3}]}}') AS r;
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_max_rows', '{"selection": {"rows": [{"n": 1}]}}') AS r;
DELETE FROM sigds.sigds_flow_t;
SELECT pg_temp.define('flow_max_actions', '{}', '{}', '{"execution_config": {"max_actions": 6, "atomic": false}}');
SELECT pg_temp.show(r), r #>> '{error,message}', pg_temp.rows() FROM sigma.execute_sequence('flow_max_actions', '{"selection": {"rows": [{"n": 1}, {"n": 2}, {"n": 3}]}}') AS r;

--
-- time: of the loop, of the run
--
SELECT sigma.create_action_sequence('{"id": "flow_slow", "actions": [
    {"id": "loop", "type": "flow", "subtype": "for_each", "rows": "SELECT i, pg_sleep(0) FROM generate_series(1, 10000) AS i", "timeout_ms": 60, "actions": [
        {"id": "inner", "type": "flow", "subtype": "for_each", "rows": "SELECT pg_sleep(0.005)", "actions": [
            {"id": "add", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "slow"}, "error_handling": "continue"}]}]},
    {"id": "end", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "values": {"k": "end"}}]}');
SELECT r ->> 'status', r #>> '{error,message}', r #>> '{error,hint}', r #>> '{error,action_id}', pg_temp.rows() FROM sigma.execute_sequence('flow_slow') AS r;
SELECT sigma.update_action_sequence('flow_slow', jsonb_build_object('actions', jsonb_set(actions, '{0,error_handling}', '"continue"')))
FROM sigma.sigma_action_sequences WHERE id = 'flow_slow';
SELECT r ->> 'status', r ->> 'failed_actions', r #>> '{error,message}', r #>> '{error,action_id}', pg_temp.rows() FROM sigma.execute_sequence('flow_slow') AS r;
DELETE FROM sigds.sigds_flow_t;
SELECT sigma.update_action_sequence('flow_slow', jsonb_build_object('timeout_ms', 60, 'actions', jsonb_set(actions, '{0,timeout_ms}', '0')))
FROM sigma.sigma_action_sequences WHERE id = 'flow_slow';
SELECT r ->> 'status', r #>> '{error,message}', pg_temp.rows() FROM sigma.execute_sequence('flow_slow') AS r;

--
-- values that rows of loops set again and again are freed on the way; what holds still holds
--
CREATE FUNCTION flow_bytes() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts WHERE name = 'sigma loop values' $$;
SELECT sigma.create_action_sequence('{"id": "flow_values", "actions": [
    {"type": "variable", "subtype": "set", "target": "before", "value": "as it was"},
    {"type": "variable", "subtype": "set", "target": "last", "value": "none"},
    {"type": "flow", "subtype": "for_each", "rows": "SELECT o FROM generate_series(1, 3) AS o", "actions": [
        {"type": "variable", "subtype": "set", "target": "outer", "value": "[Selection/o]"},
        {"type": "control", "subtype": "set_value", "target": "seen", "value": "[Selection/o]", "selection_mode": "add"},
        {"type": "flow", "subtype": "for_each", "rows": "SELECT i FROM generate_series(1, 800) AS i", "actions": [
            {"type": "variable", "subtype": "set", "target": "long", "value": {"type": "formula", "formula": "Repeat(\"x\", 4000) & Text([ActionVar/outer]) & \"/\" & Text([Selection/i])"}},
            {"type": "variable", "subtype": "set", "target": "same", "value": "[ActionVar/long]"},
            {"id": "no", "type": "data_modification", "subtype": "insert_row", "target": "flow_t", "error_handling": "continue", "values": {"k": "[ActionVar/long]", "n": 100000},
             "conditions": {"type": "custom_formula", "formula": "Mod([Selection/i], 200) = 0"}},
            {"type": "variable", "subtype": "set", "target": "last", "value": "[Selection/i]", "error_handling": "continue"}]},
        {"type": "stored_procedure", "target": "flow_bytes", "output_variable": "bytes"}]},
    {"type": "variable", "subtype": "set", "target": "after", "value": {"type": "formula", "formula": "Right([ActionVar/same], 5)"}}]}');
SELECT r ->> 'status', r ->> 'failed_actions', (r #>> '{variables,bytes}')::bigint < 3000000 AS few_bytes, r -> 'controls' -> 'seen', (r -> 'variables') - 'bytes' - 'long' - 'same',
       length(r #>> '{variables,long}'), r #> '{variables,long}' = r #> '{variables,same}', right(r #>> '{actions,2,actions,2,actions,0,result}', 5)
FROM sigma.execute_sequence('flow_values') AS r;
SELECT sigma.delete_action_sequence('flow_values');
DROP FUNCTION flow_bytes;

--
-- bad ones
--
CREATE FUNCTION pg_temp.refused(actions text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; said text; place text; help text;
BEGIN
    PERFORM sigma.create_action_sequence(jsonb_build_object('id', 'flow_bad', 'actions', actions::jsonb));
    RAISE 'NOT REFUSED';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT, place = PG_EXCEPTION_DETAIL, help = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', state, said, place, NULLIF(help, ''));
END $$;
SELECT pg_temp.refused('[{"type": "flow", "subtype": "for_each", "rows": "flow_tt", "actions": []}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "for_each", "rows": "SELECT * FROM flow_nowhere", "actions": []}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "for_each", "rows": "SELEC 1", "actions": []}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "for_each", "rows": "SELECT k FROM sigds.sigds_flow_t WHERE k = [Control/k]", "actions": []}]');
-- the place that is shown is one in the query
SELECT sigma.create_action_sequence('{"actions": [{"type": "flow", "subtype": "for_each", "rows": "SELECT 1 AS a, FROM (VALUES (1)) v", "actions": []}]}');
SELECT sigma.create_action_sequence('{"actions": [{"type": "flow", "subtype": "for_each", "rows": "SELECT flow_none AS a FROM (VALUES (1)) v", "actions": []}]}');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "for_each", "rows": "SELECT 1; SELECT 2", "actions": []}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "for_each", "rows": "DELETE FROM sigds.sigds_flow_t RETURNING k", "actions": []}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "for_each", "rows": "WITH d AS (DELETE FROM sigds.sigds_flow_t RETURNING k) SELECT * FROM d", "actions": []}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "for_each", "rows": "BEGIN ISOLATION LEVEL SERIALIZABLE", "actions": []}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "for_each", "rows": "SELECT $1", "actions": []}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "for_each", "rows": "SELECT 1 INTO flow_made", "actions": []}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "for_each", "rows": "selection", "actions": [{"type": "flow", "subtype": "if_else", "branches": [{"condition": [], "actions": [{"type": "modal", "subtype": "open", "target": "flow_nowhere"}]}]}]}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "if_else", "branches": [{"condition": {"type": "custom_formula", "formula": "[Control/x] + 1"}, "actions": []}]}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "if_else", "branches": [{"actions": []}]}]');
SELECT pg_temp.refused('[{"type": "flow", "subtype": "if_else", "branches": [{"condition": [], "actions": ["flow_missing"]}]}]');

--
-- what is in use stays: actions in branches and loops, sequences that others run
--
SELECT sigma.create_action('{"id": "flow_leaf", "type": "variable", "subtype": "set", "target": "v", "value": 1}');
SELECT sigma.create_action('{"id": "flow_branch", "type": "flow", "subtype": "if_else", "branches": [{"condition": [], "actions": ["flow_leaf"]}]}');
SELECT sigma.create_action_sequence('{"id": "flow_uses", "actions": [{"id": "loop", "type": "flow", "subtype": "for_each", "rows": "VALUES (1), (2)", "actions": ["flow_branch", {"id": "once", "type": "flow", "subtype": "run_sequence", "target": "flow_if"}]}]}');
CREATE FUNCTION pg_temp.kept(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; said text; place text; help text;
BEGIN
    EXECUTE command;
    RAISE 'NOT REFUSED';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT, place = PG_EXCEPTION_DETAIL, help = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', state, said, place, NULLIF(help, ''));
END $$;
SELECT pg_temp.kept($$SELECT sigma.delete_action('flow_leaf')$$);
SELECT pg_temp.kept($$DELETE FROM sigma.sigma_actions WHERE id = 'flow_branch'$$);
SELECT pg_temp.kept($$SELECT sigma.delete_action_sequence('flow_if')$$);
-- steps of branches, loops and other sequences, looked at
SELECT r ->> 'status' FROM sigma.execute_sequence('flow_uses', '{"controls": {"n": 20}}') AS r;
SELECT execution_id AS uses FROM sigma.run_history('{"sequence_id": "flow_uses"}') \gset
SELECT "index", action_id, type, subtype, status, rows FROM sigma.run_steps(:'uses');
SELECT regexp_replace(regexp_replace(regexp_replace(line, '[0-9.]+ ms', '… ms'), 'result [{].*', 'result {…}'), 'result [0-9]+', 'result …') FROM regexp_split_to_table(sigma.show_run(:'uses'), '\n') AS line;
SELECT step, action, regexp_replace(did, ':.*', '') FROM sigma.run('flow_uses', '{"controls": {"n": 1}}');
SELECT id, execution_count FROM sigma.list_actions() WHERE id LIKE 'flow\_%' ORDER BY id;
-- one statement may delete what uses each other, in any order
BEGIN;
DELETE FROM sigma.sigma_action_sequences WHERE id IN ('flow_if', 'flow_uses');
DELETE FROM sigma.sigma_actions WHERE id LIKE 'flow\_%';
ROLLBACK;
SELECT sigma.delete_action('flow_leaf', cascade => true);
SELECT count(*) FROM sigma.sigma_actions WHERE id LIKE 'flow\_%';
SELECT count(*) FROM sigma.sigma_action_sequences WHERE id = 'flow_uses';

DROP TABLE "flow source";
DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'flow\_%';
SELECT sigma.delete_input_table('flow_t', purge => true);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'flow\_%';
