-- Runs that succeed or are skipped: every type of step, the result document,
-- effects, variables, history, triggers, pausing.
\set QUIET 1
\pset format unaligned
\pset tuples_only on
SET timezone = 'UTC';

-- a result without what differs from run to run
CREATE FUNCTION pg_temp.stable(result jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_set(result - 'execution_id' - 'duration_ms', '{actions}',
                     (SELECT coalesce(jsonb_agg(s - 'started_at' - 'duration_ms' ORDER BY n), '[]')
                      FROM jsonb_array_elements(result -> 'actions') WITH ORDINALITY AS a (s, n)))
$$;
-- one line a step
CREATE FUNCTION pg_temp.steps(result jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT (result ->> 'status') || coalesce(' (' || (result ->> 'reason') || ')', '') || coalesce(': ' ||
           (SELECT string_agg(concat_ws(' ', s ->> 'subtype', s ->> 'status', 'rows=' || (s ->> 'rows'), 'result=' || (s ->> 'result'),
                                        s #>> '{error,sqlstate}', s #>> '{error,message}'), ', ' ORDER BY n)
            FROM jsonb_array_elements(result -> 'actions') WITH ORDINALITY AS a (s, n)), '')
$$;

SELECT sigma.create_input_table('{"id": "sequences_t", "columns": [
    {"name": "Name", "type": "text"}, {"name": "Qty", "type": "integer", "default_value": 1}, {"name": "note ä", "type": "text"}]}');
SELECT sigma.create_modal('{"id": "sequences_modal", "title": "M"}');
SELECT sigma.create_page('{"id": "sequences_page"}');
SELECT sigma.create_tabs('{"id": "sequences_tabs", "parent_id": "sequences_page", "tabs": [{"label": "One"}, {"label": "Two"}]}');
SELECT sigma.create_variable('{"id": "sequences_total", "kind": "variable", "type": "number", "scope": "workbook", "default_value": 0}');

--
-- the whole document of a run
--
SELECT sigma.create_action('{"id": "sequences_add", "type": "data_modification", "subtype": "insert_row", "target": "sequences_t",
    "values": {"Name": "[Selection/Name]", "Qty": {"type": "control", "control_id": "qty"}, "note ä": {"type": "static", "value": "[Selection/Name]"}},
    "output_variable": "row"}');
SELECT sigma.create_action_sequence('{"id": "sequences_main", "actions": [
    "sequences_add",
    {"id": "bump", "type": "data_modification", "subtype": "update_rows", "target": "sequences_t",
     "selector": {"match": {"Name": "[Selection/Name]"}}, "values": {"Qty": 7}, "output_variable": "bumped"},
    {"type": "variable", "subtype": "set", "target": "sequences_total", "value": "[ActionVar/bumped]"},
    {"type": "navigation", "subtype": "open_link", "target": "https://x.example/[Selection/Name]?row={{[ActionVar/row]}}", "open_in": "new_window"}],
    "execution_config": {"success_alert": {"title": "Done", "message": "Row [ActionVar/row] is in"}}}');
SELECT jsonb_pretty(pg_temp.stable(sigma.execute_sequence('sequences_main',
    '{"userId": "ann@x.example", "selection": {"rows": [{"Name": "Ann"}]}, "controls": {"qty": "5"}, "client": "web"}')));
SELECT "Name", "Qty", "note ä", sigma_created_by FROM sigds.sigds_sequences_t ORDER BY sigma_row_id;
SELECT sigma.get_variable('sequences_total');

-- the row that it leaves, whose result is what was returned
SELECT sequence_id, action_id, action_type, status, reason, error_message, user_id, role = current_user AS role, rows_changed, context,
       result ->> 'execution_id' = execution_id AS same_id, pg_temp.steps(result), end_time >= start_time AS in_order
FROM sigma.sigma_execution_history WHERE sequence_id = 'sequences_main';

-- a run through the API equals what is recorded
SELECT sigma.execute_sequence('sequences_main', '{"selection": {"rows": [{"Name": "Bob"}]}, "controls": {"qty": 2}}') AS result \gset
SELECT :'result'::jsonb = result FROM sigma.sigma_execution_history WHERE execution_id = :'result'::jsonb ->> 'execution_id';
SELECT s ->> 'status', s ->> 'sequence_id', s -> 'result' = :'result'::jsonb, s ? 'started_at', s ? 'ended_at'
FROM sigma.run_status(:'result'::jsonb ->> 'execution_id') AS s;

--
-- types of steps: what the client is told
--
SELECT sigma.create_action_sequence('{"id": "sequences_client", "actions": [
    {"type": "navigation", "subtype": "open_sigma_doc", "target": "doc1", "open_in": "same_window", "pass_control_values": {"Region": "[Control/region]", "n": 3}},
    {"type": "navigation", "subtype": "navigate_workbook", "target": "sequences_page"},
    {"type": "control", "subtype": "set_value", "target": "region", "value": "[Selection/Region]"},
    {"type": "control", "subtype": "set_value", "target": "regions", "value": "West", "selection_mode": "add"},
    {"type": "control", "subtype": "set_value", "target": "regions", "value": ["East"], "selection_mode": "remove"},
    {"type": "control", "subtype": "clear_value", "target": "old"},
    {"type": "control", "subtype": "enable", "target": "region"},
    {"type": "control", "subtype": "disable", "target": "old"},
    {"type": "modal", "subtype": "open", "target": "sequences_modal"},
    {"type": "modal", "subtype": "close"},
    {"type": "tabs", "subtype": "select", "target": "sequences_tabs", "index": 1},
    {"type": "tabs", "subtype": "select", "target": "sequences_tabs", "direction": "previous"},
    {"type": "variable", "subtype": "set", "target": "v", "value": "[Control/region]"},
    {"type": "variable", "subtype": "clear", "target": "w"}]}');
SELECT sigma.execute_sequence('sequences_client',
    '{"selection": {"rows": [{"Region": "North"}]}, "controls": {"region": "South", "regions": ["East"], "old": 1}, "action_variables": {"w": 1}}') AS result \gset
SELECT e FROM jsonb_array_elements(:'result'::jsonb -> 'effects') AS e;
SELECT :'result'::jsonb -> 'controls', :'result'::jsonb -> 'variables';
SELECT pg_temp.steps(:'result');

-- a step sees what an earlier one has set
SELECT sigma.create_action_sequence('{"id": "sequences_then", "actions": [
    {"type": "control", "subtype": "set_value", "target": "c", "value": 2},
    {"type": "variable", "subtype": "set", "target": "v", "value": "[Control/c]", "conditions": {"type": "control_value", "control_id": "c", "expected_value": 2}},
    {"type": "variable", "subtype": "set", "target": "v", "value": 9, "conditions": {"type": "control_value", "control_id": "c", "expected_value": 1}},
    {"type": "navigation", "subtype": "open_link", "target": "/{{[ActionVar/v]}}"}]}');
SELECT pg_temp.steps(r), r -> 'variables', r -> 'effects' -> -1 ->> 'target', r -> 'actions_executed'
FROM sigma.execute_sequence('sequences_then', '{"controls": {"c": 1}}') AS r;

--
-- skipped runs
--
SELECT sigma.create_action_sequence('{"id": "sequences_if", "condition": [{"type": "control_value", "control_id": "c", "operator": ">", "expected_value": 1}],
    "actions": [{"type": "modal", "subtype": "close"}]}');
SELECT pg_temp.steps(sigma.execute_sequence('sequences_if', context))
FROM (VALUES ('{"controls": {"c": 2}}'::jsonb), ('{"controls": {"c": 1}}'), ('{"controls": {"c": null}}'), ('{}'), (NULL)) v (context);
SELECT sigma.pause_sequence('sequences_if');
SELECT jsonb_pretty(pg_temp.stable(sigma.execute_sequence('sequences_if', '{"controls": {"c": 2}}')));
SELECT sigma.resume_sequence('sequences_if');
SELECT pg_temp.steps(sigma.execute_sequence('sequences_if', '{"controls": {"c": 2}}'));
SELECT status, reason, rows_changed, count(*) FROM sigma.sigma_execution_history WHERE sequence_id = 'sequences_if' GROUP BY 1, 2, 3 ORDER BY 1, 2;

-- pausing all of them says how many were not paused
BEGIN;
SELECT sigma.pause_all_sequences() = (SELECT count(*) FROM sigma.sigma_action_sequences), sigma.pause_all_sequences();
SELECT pg_temp.steps(sigma.execute_sequence('sequences_then'));
SELECT sigma.resume_all_sequences() = (SELECT count(*) FROM sigma.sigma_action_sequences);
ROLLBACK;
SELECT pg_temp.steps(sigma.execute_sequence('sequences_if', '{"controls": {"c": 2}}'));

--
-- single actions
--
SELECT jsonb_pretty(pg_temp.stable(sigma.execute_action('sequences_add', '{"selection": {"rows": [{"Name": "Cid"}]}, "controls": {"qty": null}}')));
SELECT sequence_id, action_id, action_type, status, rows_changed FROM sigma.sigma_execution_history WHERE action_id = 'sequences_add';

--
-- triggers: all conditions are asked before the first sequence runs
-- https://help.sigmacomputing.com/docs/create-and-manage-action-sequences
--
SELECT sigma.create_action_sequence('{"id": "sequences_on2", "trigger": {"type": "click", "element_id": "sequences_button"},
    "condition": {"type": "control_value", "control_id": "sequences_c", "expected_value": 0},
    "actions": [{"type": "variable", "subtype": "set", "target": "sequences_c", "value": 1}]}');
SELECT sigma.create_variable('{"id": "sequences_c", "kind": "control", "type": "number", "scope": "workbook", "default_value": 0}');
SELECT sigma.create_action_sequence('{"id": "sequences_on1", "trigger": {"type": "click", "element_id": "sequences_button"},
    "condition": {"type": "control_value", "control_id": "sequences_c", "expected_value": 0},
    "actions": [{"type": "data_modification", "subtype": "insert_row", "target": "sequences_t", "values": {"Qty": "[Control/bad]"}}]}');
SELECT sigma.create_action_sequence('{"id": "sequences_on3", "trigger": {"type": "click", "element_id": "sequences_button"},
    "condition": {"type": "control_value", "control_id": "sequences_c", "expected_value": 1},
    "actions": [{"type": "modal", "subtype": "close"}]}');
SELECT sigma.create_action_sequence('{"id": "sequences_on4", "trigger": {"type": "select", "element_id": "sequences_button", "column_name": "Name"},
    "actions": [{"type": "modal", "subtype": "close"}]}');
SELECT n, r ->> 'sequence_id', pg_temp.steps(r)
FROM jsonb_array_elements(sigma.fire_trigger('sequences_button', 'click', '{"controls": {"bad": "x"}}')) WITH ORDINALITY AS a (r, n);
-- the first one set the control, which the next click sees
SELECT r ->> 'sequence_id', pg_temp.steps(r) FROM jsonb_array_elements(sigma.fire_trigger('sequences_button', 'click')) AS a (r);
SELECT sigma.set_variable('sequences_c', '0');
-- the word as clients spell it
SELECT jsonb_array_length(sigma.fire_trigger('sequences_button', 'onClick'));
SELECT sigma.set_variable('sequences_c', '0');
SELECT sigma.fire_trigger('sequences_button', 'load'), sigma.fire_trigger('sequences_none', 'click');
SELECT jsonb_array_length(sigma.fire_trigger('sequences_button', 'select', '{"column_name": "Name"}')),
       jsonb_array_length(sigma.fire_trigger('sequences_button', 'select', '{"column_name": "Qty"}')),
       jsonb_array_length(sigma.fire_trigger('sequences_button', 'select'));
-- a change of the triggers counts at once
UPDATE sigma.sigma_action_sequences SET trigger = '{"type": "manual"}' WHERE id IN ('sequences_on1', 'sequences_on3');
DELETE FROM sigma.sigma_action_sequences WHERE id = 'sequences_on4';
SELECT r ->> 'sequence_id', r ->> 'status' FROM jsonb_array_elements(sigma.fire_trigger('sequences_button', 'click')) AS r;
-- a sequence that cannot be compiled fails alone
SET check_function_bodies = off;
INSERT INTO sigma.sigma_action_sequences (id, trigger, actions, created_at)
VALUES ('sequences_on0', '{"type": "click", "element_id": "sequences_button"}', '["sequences_missing"]', '2000-01-01');
RESET check_function_bodies;
SELECT r ->> 'sequence_id', r ->> 'status', r -> 'error' ->> 'sqlstate', r -> 'error' ->> 'message'
FROM jsonb_array_elements(sigma.fire_trigger('sequences_button', 'click')) AS r;
-- what its definition says of it is in the result; nothing was begun, so nothing rolled back
SELECT r ->> 'atomic', r ->> 'rolled_back' FROM jsonb_array_elements(sigma.fire_trigger('sequences_button', 'click')) AS r WHERE r ->> 'sequence_id' = 'sequences_on0';
SET check_function_bodies = off;
UPDATE sigma.sigma_action_sequences SET execution_config = '{"atomic": false}' WHERE id = 'sequences_on0';
RESET check_function_bodies;
SELECT r ->> 'atomic', r ->> 'rolled_back' FROM jsonb_array_elements(sigma.fire_trigger('sequences_button', 'click')) AS r WHERE r ->> 'sequence_id' = 'sequences_on0';

--
-- a changed definition counts at the next run, also an action's that is used by id
--
SELECT sigma.update_action('sequences_add', '{"parameters": {"values": {"Name": "changed"}}}');
SELECT sigma.execute_sequence('sequences_main', '{"controls": {"qty": 3}}') ->> 'status';
SELECT "Name", "Qty" FROM sigds.sigds_sequences_t ORDER BY sigma_row_id DESC LIMIT 1;
-- a column is retyped: values are read as its new type
SELECT sigma.update_action('sequences_add', '{"parameters": {"values": {"Qty": "[Control/qty]"}}}');
SELECT pg_temp.steps(sigma.execute_action('sequences_add', '{"controls": {"qty": "x"}}'));
SELECT sigma.update_input_table('sequences_t', '{"columns": [{"name": "Name", "type": "text"}, {"name": "Qty", "type": "text"}, {"name": "note ä", "type": "text"}]}', cascade => true) -> 'retyped' -> 0 ->> 'to';
SELECT pg_temp.steps(sigma.execute_action('sequences_add', '{"controls": {"qty": "x"}}'));

--
-- statistics come from history; runs write no definition row
--
SELECT id, execution_count, last_executed IS NOT NULL FROM sigma.list_action_sequences() WHERE id IN ('sequences_main', 'sequences_if', 'sequences_on4') ORDER BY id;
SELECT id, execution_count, last_executed IS NOT NULL FROM sigma.list_actions() WHERE id = 'sequences_add';
SELECT execution_count, last_executed FROM sigma.sigma_action_sequences WHERE id = 'sequences_main';
SELECT updated_at AS before FROM sigma.sigma_action_sequences WHERE id = 'sequences_main' \gset
SELECT sigma.refresh_statistics();
SELECT s.execution_count, s.last_executed = l.last_executed, s.updated_at = :'before' FROM sigma.sigma_action_sequences s JOIN sigma.list_action_sequences() l USING (id) WHERE s.id = 'sequences_main';
SELECT execution_count FROM sigma.sigma_actions WHERE id = 'sequences_add';

DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'sequences\_%';
DELETE FROM sigma.sigma_actions WHERE id LIKE 'sequences\_%';
SELECT sigma.delete_layout_element('sequences_page'), sigma.delete_layout_element('sequences_modal');
SELECT sigma.delete_variable('sequences_total'), sigma.delete_variable('sequences_c');
SELECT sigma.delete_input_table('sequences_t', purge => true);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'sequences\_%' OR action_id LIKE 'sequences\_%';

-- a session that defines, runs and deletes for ever keeps no compiled form of what is gone
DO $$
BEGIN
    FOR i IN 1..200 LOOP
        PERFORM sigma.create_action_sequence(jsonb_build_object('id', 'seq_churn' || i,
            'actions', '[{"type": "variable", "subtype": "set", "target": "x", "parameters": {"value": 1}}]'::jsonb));
        PERFORM sigma.execute_sequence('seq_churn' || i);
        PERFORM sigma.delete_action_sequence('seq_churn' || i);
    END LOOP;
END
$$;
SELECT count(*) < 10 AS freed FROM pg_backend_memory_contexts WHERE name ILIKE '%sequence%';
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'seq\_churn%';
