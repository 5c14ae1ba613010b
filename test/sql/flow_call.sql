-- Sequences that run other sequences: what the other one knows, what comes back,
-- failures, skips, limits, depth, circles.
\set QUIET 1
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

CREATE FUNCTION pg_temp.show(result jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', result ->> 'status', CASE WHEN (result ->> 'rolled_back')::bool THEN 'rolled back' END, 'done=' || (result ->> 'actions_executed'),
                     'failed=' || (result ->> 'failed_actions'), 'rows=' || (result ->> 'rows_changed'), result #>> '{error,sqlstate}', result #>> '{error,action_id}', result #>> '{error,message}', result #>> '{error,detail}')
$$;
SELECT sigma.create_input_table('{"id": "flow_call_t", "columns": [
    {"name": "k", "type": "text"}, {"name": "n", "type": "integer", "validation": {"max": 100}}]}');
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(concat_ws('=', k, n), ' ' ORDER BY sigma_row_id), 'none') FROM sigds.sigds_flow_call_t
$$;
SELECT sigma.create_action_sequence('{"id": "flow_call_inner", "condition": {"type": "custom_formula", "formula": "Coalesce([Control/go], true)"},
    "execution_config": {"success_alert": {"title": "inner done"}}, "actions": [
    {"id": "see", "type": "variable", "subtype": "set", "target": "seen", "value": ["[Control/c]", "[ActionVar/v]", "[Selection/k]", "[Form/f]", {"type": "formula", "formula": "CurrentUserEmail()"}]},
    {"id": "put", "type": "data_modification", "subtype": "insert_row", "target": "flow_call_t", "values": {"k": "inner", "n": "[Control/n]"}},
    {"id": "set", "type": "control", "subtype": "set_value", "target": "c", "value": "set inside"}]}');
SELECT sigma.create_action_sequence('{"id": "flow_call_outer", "execution_config": {"success_alert": {"title": "outer done"}}, "actions": [
    {"id": "first", "type": "control", "subtype": "set_value", "target": "c", "value": "set outside"},
    {"id": "var", "type": "variable", "subtype": "set", "target": "v", "value": 7},
    {"id": "call", "type": "flow", "subtype": "run_sequence", "target": "flow_call_inner", "output_variable": "out"},
    {"id": "after", "type": "data_modification", "subtype": "insert_row", "target": "flow_call_t", "values": {"k": "[Control/c]"}}]}');

-- what it knows; its effects and controls come back, its variables are the result
SELECT sigma.execute_sequence('flow_call_outer', '{"user_id": "ann@example.com", "controls": {"n": 5}, "form": {"f": "F"}, "selection": {"rows": [{"k": "K"}]}, "idempotency_key": "flow-call-1"}') AS r \gset
SELECT pg_temp.show(:'r'), :'r'::jsonb #> '{variables,out,variables}', :'r'::jsonb #>> '{variables,v}', :'r'::jsonb -> 'controls', jsonb_path_query_array(:'r'::jsonb, '$.effects[*].value'), :'r'::jsonb #>> '{alert,title}', :'r'::jsonb #>> '{variables,out,alert,title}';
SELECT pg_temp.rows();
SELECT s ->> 'action_id', s ->> 'status' FROM jsonb_path_query(:'r'::jsonb, '$.actions[2].actions[*]') AS s;
-- a run of its own, which says whose part it was; it does not take the key along
SELECT h.sequence_id, h.status, h.user_id, h.rows_changed, h.idempotency_key, h.metadata ->> 'parent' = o.execution_id, h.execution_id = :'r'::jsonb #>> '{variables,out,execution_id}'
FROM sigma.sigma_execution_history AS h, sigma.sigma_execution_history AS o
WHERE h.sequence_id LIKE 'flow\_call\_%' AND o.sequence_id = 'flow_call_outer' ORDER BY h.start_time;
DELETE FROM sigds.sigds_flow_call_t;

-- "context" is laid over what the run knows; values in it
SELECT sigma.create_action_sequence('{"id": "flow_call_given", "actions": [
    {"id": "var", "type": "variable", "subtype": "set", "target": "v", "value": 7},
    {"id": "call", "type": "flow", "subtype": "runSequence", "target": "flow_call_inner", "output_variable": "out",
     "context": {"userId": "bob@example.com", "controls": {"n": {"type": "formula", "formula": "[Control/n] * 2"}}, "action_variables": {"v": "[Form/f]"}, "selection": {"rows": [{"k": "[Control/c]"}]}, "anything": 1}}]}');
SELECT actions #> '{1,parameters}' FROM sigma.sigma_action_sequences WHERE id = 'flow_call_given';
SELECT pg_temp.show(r), r #> '{variables,out,variables,seen}', pg_temp.rows() FROM sigma.execute_sequence('flow_call_given', '{"controls": {"n": 6, "c": "C"}, "form": {"f": "F"}}') AS r;
SELECT context FROM sigma.sigma_execution_history WHERE sequence_id = 'flow_call_inner' ORDER BY start_time DESC LIMIT 1;
DELETE FROM sigds.sigds_flow_call_t;
-- in a loop the row is the selection
SELECT sigma.create_action_sequence('{"id": "flow_call_loop", "actions": [{"id": "loop", "type": "flow", "subtype": "for_each", "rows": "SELECT i AS n, chr(96 + i) AS k FROM generate_series(1, 3) AS i ORDER BY i", "actions": [
    {"id": "call", "type": "flow", "subtype": "run_sequence", "target": "flow_call_inner", "context": {"controls": {"n": "[Selection/n]"}}, "output_variable": "out"}]}]}');
SELECT pg_temp.show(r), r #> '{variables,out,variables,seen}', jsonb_array_length(r -> 'effects'), pg_temp.rows() FROM sigma.execute_sequence('flow_call_loop') AS r;
DELETE FROM sigds.sigds_flow_call_t;

-- it fails: the step fails with its error
SELECT pg_temp.show(r), r #>> '{actions,2,actions,1,error,sqlstate}', r -> 'effects', pg_temp.rows() FROM sigma.execute_sequence('flow_call_outer', '{"controls": {"n": 500}}') AS r;
-- contained, it is undone by its own definition, and its history stays
SELECT sigma.update_action_sequence('flow_call_outer', '{"stop_on_error": false}');
SELECT pg_temp.show(r), r #>> '{variables,out}', r #>> '{actions,2,result,status}', pg_temp.rows() FROM sigma.execute_sequence('flow_call_outer', '{"controls": {"n": 500}}') AS r;
SELECT status, error_message IS NOT NULL FROM sigma.sigma_execution_history WHERE sequence_id = 'flow_call_inner' ORDER BY start_time DESC LIMIT 1;
DELETE FROM sigds.sigds_flow_call_t;
SELECT sigma.update_action_sequence('flow_call_inner', '{"execution_config": {"atomic": false}, "actions": [
    {"id": "kept", "type": "data_modification", "subtype": "insert_row", "target": "flow_call_t", "values": {"k": "kept"}},
    {"id": "put", "type": "data_modification", "subtype": "insert_row", "target": "flow_call_t", "values": {"k": "inner", "n": "[Control/n]"}}]}');
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_call_outer', '{"controls": {"n": 500}}') AS r;
DELETE FROM sigds.sigds_flow_call_t;
-- within a loop that goes on behind its failure the loop is undone, with what the other sequence kept
SELECT sigma.create_action_sequence('{"id": "flow_call_unit", "actions": [{"id": "loop", "type": "flow", "subtype": "for_each", "rows": "VALUES (1)", "error_handling": "continue", "actions": [
    {"id": "call", "type": "flow", "subtype": "run_sequence", "target": "flow_call_inner"}]}, {"id": "end", "type": "data_modification", "subtype": "insert_row", "target": "flow_call_t", "values": {"k": "end"}}]}');
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_call_unit', '{"controls": {"n": 500}}') AS r;
DELETE FROM sigds.sigds_flow_call_t;
-- a retry runs it again
SELECT sigma.create_action_sequence('{"id": "flow_call_retry", "actions": [{"id": "call", "type": "flow", "subtype": "run_sequence", "target": "flow_call_inner", "error_handling": "retry", "retry": {"times": 2, "backoff_ms": 1}}]}');
SET sigma.allow_injection = on;
SELECT sigma.inject('put', 'error', '{"times": 2}');
SELECT pg_temp.show(r), r #>> '{actions,0,attempts}', pg_temp.rows() FROM sigma.execute_sequence('flow_call_retry', '{"controls": {"n": 5}}') AS r;
SELECT sigma.clear_injections();
RESET sigma.allow_injection;
DELETE FROM sigds.sigds_flow_call_t;

-- it is skipped: so is the step
SELECT pg_temp.show(r), r #>> '{actions,2,status}', r #>> '{variables,out,reason}', pg_temp.rows() FROM sigma.execute_sequence('flow_call_outer', '{"controls": {"go": false}}') AS r;
SELECT sigma.pause_sequence('flow_call_inner');
SELECT pg_temp.show(r), r #>> '{actions,2,status}', r #>> '{variables,out,reason}' FROM sigma.execute_sequence('flow_call_outer') AS r;
SELECT sigma.resume_sequence('flow_call_inner');
DELETE FROM sigds.sigds_flow_call_t;

-- the limits of the outer run hold
SELECT sigma.update_action_sequence('flow_call_inner', '{"execution_config": {"atomic": true}}');
SELECT sigma.create_action_sequence('{"id": "flow_call_rows", "stop_on_error": false, "execution_config": {"max_rows_changed": 3}, "actions": [
    {"id": "one", "type": "data_modification", "subtype": "insert_row", "target": "flow_call_t", "values": {"k": "one"}},
    {"id": "call", "type": "flow", "subtype": "run_sequence", "target": "flow_call_inner", "error_handling": "continue"},
    {"id": "again", "type": "flow", "subtype": "run_sequence", "target": "flow_call_inner", "error_handling": "continue"}]}');
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_call_rows') AS r;
SELECT sigma.update_action_sequence('flow_call_rows', '{"execution_config": {"max_rows_changed": 5, "max_actions": 7}}');
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_call_rows') AS r;
DELETE FROM sigds.sigds_flow_call_t;
SELECT sigma.update_action_sequence('flow_call_rows', '{"execution_config": {"max_rows_changed": 5, "max_actions": 6}}');
SELECT pg_temp.show(r), pg_temp.rows() FROM sigma.execute_sequence('flow_call_rows') AS r;
-- so does its time, and the other one's own
SELECT sigma.update_action_sequence('flow_call_inner', '{"timeout_ms": 50, "actions": [{"id": "sleep", "type": "flow", "subtype": "for_each", "rows": "SELECT pg_sleep(60)", "actions": []}]}');
SELECT pg_temp.show(r) FROM sigma.execute_sequence('flow_call_rows') AS r;
SELECT sigma.update_action_sequence('flow_call_inner', '{"timeout_ms": 0}'), sigma.update_action_sequence('flow_call_rows', '{"timeout_ms": 1000}');
SELECT pg_temp.show(r) FROM sigma.execute_sequence('flow_call_rows') AS r;

--
-- circles are refused when they would be saved, with the way
--
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused.sql'
\i :include
SELECT pg_temp.refused($$SELECT sigma.create_action_sequence('{"id": "flow_call_self", "actions": [{"type": "flow", "subtype": "run_sequence", "target": "flow_call_self"}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_action_sequence('{"id": "flow_call_self", "actions": [{"type": "flow", "subtype": "run_sequence", "target": "flow_call_iner"}]}')$$);
SELECT pg_temp.refused(format($$SELECT sigma.check_document('action', '{"type": %s, "%s": "x"}')$$, type, key))
    FROM (VALUES ('"flow", "subtype": "run_sequence"', 'sequence'), ('"flow", "subtype": "run_sequence"', 'sequenceId'), ('"stored_procedure"', 'function'),
        ('"stored_procedure"', 'procedure'), ('"export", "subtype": "csv"', 'table'), ('"export", "subtype": "json"', 'source')) AS foreign_word (type, key);
SELECT sigma.create_action('{"id": "flow_call_a", "type": "flow", "subtype": "if_else", "branches": [{"condition": [], "actions": [{"type": "flow", "subtype": "run_sequence", "target": "flow_call_outer"}]}]}');
SELECT pg_temp.refused($$SELECT sigma.update_action_sequence('flow_call_inner', '{"actions": [{"type": "modal", "subtype": "close"}, {"type": "flow", "subtype": "for_each", "rows": "selection", "actions": ["flow_call_a"]}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.update_action('flow_call_a', '{"parameters": {"branches": [{"condition": [], "actions": []}], "else": ["flow_call_a"]}}')$$);
SELECT sigma.create_action('{"id": "flow_call_b", "type": "flow", "subtype": "if_else", "branches": [{"condition": [], "actions": ["flow_call_a"]}]}');
SELECT pg_temp.refused($$SELECT sigma.update_action('flow_call_a', '{"parameters": {"branches": [{"condition": [], "actions": []}], "else": ["flow_call_b"]}}')$$);
-- a circle that is there all the same is found by the run
SET session_replication_role = replica;
UPDATE sigma.sigma_action_sequences SET actions = '[{"type": "flow", "subtype": "run_sequence", "target": "flow_call_outer", "id": "back"}]' WHERE id = 'flow_call_inner';
UPDATE sigma.sigma_actions SET parameters = jsonb_set(parameters, '{else}', '["flow_call_b"]') WHERE id = 'flow_call_a';
RESET session_replication_role;
SELECT pg_temp.refused($$SELECT sigma.update_action('flow_call_b', '{"description": "x"}'), sigma.execute_action('flow_call_b')$$);
\c
SET client_min_messages = warning;
SELECT r ->> 'status', r #>> '{error,sqlstate}', r #>> '{error,message}', r #>> '{error,detail}' FROM sigma.execute_sequence('flow_call_outer') AS r;

-- 16 may run each other
DELETE FROM sigma.sigma_actions WHERE id LIKE 'flow\_call\_%';
DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'flow\_call\_%';
SELECT count(sigma.create_action_sequence(jsonb_build_object('id', 'flow_call_' || i, 'actions', jsonb_build_array(
    CASE WHEN i = 0 THEN '{"id": "end", "type": "variable", "subtype": "set", "target": "v", "value": 1}'::jsonb
         ELSE jsonb_build_object('id', 'call', 'type', 'flow', 'subtype', 'run_sequence', 'target', 'flow_call_' || i - 1) END))))
FROM generate_series(0, 17) AS i;
SELECT r ->> 'status', r ->> 'actions_executed' FROM sigma.execute_sequence('flow_call_16') AS r;
SELECT r ->> 'status', r #>> '{error,sqlstate}', r #>> '{error,message}' FROM sigma.execute_sequence('flow_call_17') AS r;

DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'flow\_call\_%';
SELECT sigma.delete_input_table('flow_call_t', purge => true);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'flow\_call\_%';
