-- Actions and sequences as definitions: canonical rows, what is refused when it
-- is written, and plain DML that does what the functions do.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

-- what a statement raises: code, message, path, hint
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused.sql'
\i :include
CREATE FUNCTION pg_temp.action(doc jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.refused(format('SELECT sigma.create_action(%L)', doc))
$$;
CREATE FUNCTION pg_temp.sequence(doc jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.refused(format('SELECT sigma.create_action_sequence(%L)', doc))
$$;

SELECT sigma.create_input_table('{"id": "actions_t", "columns": [
    {"name": "Name", "type": "text"}, {"name": "Qty", "type": "integer"}, {"name": "Done", "type": "checkbox"},
    {"name": "Tags", "type": "multi-select", "validation": {"values": ["a", "b"]}}, {"name": "Extra", "type": "json"}]}');
SELECT sigma.create_input_table('{"id": "actions_locked", "columns": [
    {"name": "Free", "type": "text"}, {"name": "Locked", "type": "text", "protected": true}]}');
SELECT sigma.create_page('{"id": "actions_page"}');
SELECT sigma.create_modal('{"id": "actions_modal", "title": "M"}');
SELECT sigma.create_tabs('{"id": "actions_tabs", "parent_id": "actions_page", "tabs": [{"label": "One"}, {"label": "Two"}]}');

--
-- good ones
--
SELECT sigma.create_action('{"id": "actions_insert", "type": "input_table", "description": "adds one",
    "parameters": {"subtype": "insert_row", "targetTable": "actions_t", "columnValues": {"Name": "x", "Qty": "[Control/q]"}},
    "outputVariable": "row"}');
SELECT type, subtype, target, parameters, output_variable, description, status,
       created_at IS NOT NULL AS stamped FROM sigma.sigma_actions WHERE id = 'actions_insert';

-- an id is made where there is none
SELECT length(sigma.create_action('{"type": "navigation", "subtype": "open_link", "target": "https://x.example"}'));
DELETE FROM sigma.sigma_actions WHERE target = 'https://x.example';

SELECT sigma.create_action_sequence('{"id": "actions_seq", "name": "A sequence",
    "trigger": {"type": "click", "elementId": "actions_button"},
    "condition": {"type": "control_value", "formula": "[Control/q]", "operator": ">", "expectedValue": 0},
    "actions": ["actions_insert", {"type": "modal", "subtype": "open", "modalId": "actions_modal"}],
    "executionConfig": {"timeout": 5000, "continueOnFailure": true}}');
SELECT trigger, condition, actions, stop_on_error, timeout_ms, is_paused, execution_config
FROM sigma.sigma_action_sequences WHERE id = 'actions_seq';

-- an id that exists: the functions say so; plain DML has PostgreSQL's own error, and ON CONFLICT
SELECT pg_temp.action('{"id": "actions_insert", "type": "modal", "subtype": "close"}');
SELECT pg_temp.sequence('{"id": "actions_seq", "actions": ["actions_insert"]}');
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_actions (id, type, subtype) VALUES ('actions_insert', 'modal', 'close')$$);
INSERT INTO sigma.sigma_actions (id, type, subtype) VALUES ('actions_insert', 'modal', 'close') ON CONFLICT DO NOTHING;
INSERT INTO sigma.sigma_actions (id, type, subtype) VALUES ('actions_insert', 'modal', 'close')
    ON CONFLICT (id) DO UPDATE SET description = 'adds one row';
SELECT type, description FROM sigma.sigma_actions WHERE id = 'actions_insert';

-- plain DML does the same work
INSERT INTO sigma.sigma_actions (id, type, subtype, target) VALUES ('actions_close', 'MODAL', 'Close', NULL);
INSERT INTO sigma.sigma_action_sequences (id, actions) VALUES ('actions_plain', '["actions_close", {"actionType": "tabs", "subtype": "select", "target": "actions_tabs", "direction": "next"}]');
SELECT type, subtype FROM sigma.sigma_actions WHERE id = 'actions_close';
SELECT actions, stop_on_error, timeout_ms, is_paused, status FROM sigma.sigma_action_sequences WHERE id = 'actions_plain';

-- updates name what they change
SELECT sigma.update_action('actions_insert', '{"parameters": {"values": {"Name": "y"}}, "timeoutMs": 100}');
SELECT type, subtype, target, parameters, timeout_ms FROM sigma.sigma_actions WHERE id = 'actions_insert';
SELECT sigma.update_action_sequence('actions_seq', '{"timeout_ms": 0, "name": null}');
SELECT name, timeout_ms, actions -> 0 FROM sigma.sigma_action_sequences WHERE id = 'actions_seq';

SELECT id, type, subtype, target, description, status, execution_count, last_executed FROM sigma.list_actions() WHERE id LIKE 'actions\_%';
SELECT id, name, trigger, action_count, is_paused, status, execution_count, last_executed FROM sigma.list_action_sequences() WHERE id LIKE 'actions\_%';

--
-- refused when written: unknown words (the reader of documents has tests of its own)
--
SELECT pg_temp.action('{"type": "data_modification", "subtype": "insert_rwo", "target": "actions_t", "values": {}}');
SELECT pg_temp.action('{"type": "teleport"}');
SELECT pg_temp.sequence('{"actions": []}');
SELECT pg_temp.sequence('{"name": "x"}');
SELECT pg_temp.sequence('{"actions": [7]}');
SELECT pg_temp.sequence('{"actions": ["actions_close"], "timeout_ms": -1}');
SELECT pg_temp.sequence('{"actions": ["actions_close"], "execution_config": {"max_actions": 0}}');
SELECT pg_temp.action('{"type": "modal", "subtype": "close", "timeout_ms": -5}');
SELECT pg_temp.action('{"type": "modal", "subtype": "close", "error_handling": "fail", "retry": {"times": 2}}');
SELECT pg_temp.sequence('{"actions": [{"id": "a", "type": "modal", "subtype": "close"}, {"id": "a", "type": "modal", "subtype": "close"}]}');

-- what a later version runs
SELECT pg_temp.action('{"type": "ai_query", "model": "m", "query": "q"}');
SELECT pg_temp.sequence('{"actions": [{"type": "agent", "subtype": "call", "target": "a"}]}');
SELECT pg_temp.sequence('{"actions": ["actions_close"], "trigger": {"type": "webhook"}}');
SELECT pg_temp.sequence('{"actions": ["actions_close"], "execution_config": {"max_ai_calls": 1}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "insert_rows", "target": "actions_t", "source": "actions_locked"}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "delete_rows", "target": "actions_t", "selector": {"formula": "[Qyt] > 1"}}');

-- what is named must be there
SELECT pg_temp.sequence('{"actions": ["actions_inser"]}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "insert_row", "target": "actions_tt", "values": {"Name": 1}}');
SELECT pg_temp.sequence('{"actions": [{"type": "data_modification", "subtype": "insert_row", "target": "actions_tt", "values": {"Name": 1}}]}');
SELECT pg_temp.action('{"type": "modal", "subtype": "open", "target": "actions_model"}');
SELECT pg_temp.action('{"type": "modal", "subtype": "open", "target": "actions_page"}');
SELECT pg_temp.action('{"type": "tabs", "subtype": "select", "target": "actions_modal", "index": 1}');

-- columns, and static values for them
SELECT pg_temp.action('{"type": "data_modification", "subtype": "insert_row", "target": "actions_t", "values": {"Nmae": 1}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "insert_row", "target": "actions_t", "values": {"Qty": "many"}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "insert_rows", "target": "actions_t", "rows": [{"Qty": 1}, {"Qty": 1e30}]}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "insert_row", "target": "actions_t", "values": {"sigma_row_id": 1}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "update_row", "target": "actions_locked", "values": {"Locked": 1}, "selector": {"row_id": 1}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "insert_row", "target": "actions_locked", "values": {"Free": 1}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "insert_row", "target": "actions_t", "values": {"Name": 1, "name": 2}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "update_row", "target": "actions_t", "values": {}, "selector": {"row_id": 1}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "update_rows", "target": "actions_t", "values": {"Qty": 1}, "selector": {"match": {"Qyt": 1}}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "update_rows", "target": "actions_t", "values": {"Qty": 1}, "selector": {"match": {"Qty": {"op": ">", "value": "x"}}}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "update_rows", "target": "actions_t", "values": {"Qty": 1}, "selector": {"match": {"Qty": {"op": "contains", "value": "1"}}}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "update_rows", "target": "actions_t", "values": {"Qty": 1}, "selector": {"match": {"Qty": {"op": "in", "value": [1, "x"]}}}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "update_rows", "target": "actions_t", "values": {"Qty": 1}, "selector": {"match": {"Qty": {"op": "between", "value": 3}}}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "delete_row", "target": "actions_t", "selector": {"row_id": "first"}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "delete_row", "target": "actions_t", "selector": {"row_id": 1, "selection": true}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "upsert_row", "target": "actions_t", "values": {"Name": "x"}}');
SELECT pg_temp.action('{"type": "data_modification", "subtype": "upsert_row", "target": "actions_t", "values": {"Name": "x"}, "key": ["Qty"]}');

-- ids
SELECT pg_temp.action('{"id": "actions_insert", "type": "modal", "subtype": "close"}');
SELECT pg_temp.refused($$UPDATE sigma.sigma_actions SET id = 'actions_other' WHERE id = 'actions_insert'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_action_sequences SET id = 'actions_other' WHERE id = 'actions_seq'$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_actions (id, type, subtype) VALUES ('', 'modal', 'close')$$);
SELECT pg_temp.refused($$SELECT sigma.update_action('actions_none', '{"description": "x"}')$$);
SELECT pg_temp.refused($$SELECT sigma.update_action_sequence('actions_sqe', '{"name": "x"}')$$);
SELECT pg_temp.refused('TRUNCATE sigma.sigma_actions');
SELECT pg_temp.refused('TRUNCATE sigma.sigma_action_sequences');
SELECT pg_temp.refused('SELECT sigma.create_action(NULL)');
SELECT pg_temp.refused('SELECT sigma.delete_action_sequence(NULL)');

-- an update is checked like an insert, and changes nothing where it is refused
SELECT pg_temp.refused($$SELECT sigma.update_action('actions_insert', '{"target": "actions_locked1"}')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_action_sequences SET actions = actions || '["actions_inser"]' WHERE id = 'actions_seq'$$);
SELECT a.target, s.actions FROM sigma.sigma_actions a, sigma.sigma_action_sequences s WHERE a.id = 'actions_insert' AND s.id = 'actions_seq';

-- a change that breaks many rows is refused as a whole
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_actions (id, type, subtype, target) VALUES ('actions_1', 'modal', 'close', NULL), ('actions_2', 'modal', 'close', 'actions_modall')$$);
SELECT count(*) FROM sigma.sigma_actions WHERE id IN ('actions_1', 'actions_2');

--
-- what is in use stays
--
SELECT pg_temp.refused($$SELECT sigma.delete_action('actions_insert')$$);
SELECT pg_temp.refused($$DELETE FROM sigma.sigma_actions WHERE id = 'actions_close'$$);
SELECT sigma.create_modal('{"id": "actions_opens", "title": "O", "on_open": "actions_plain"}');
SELECT pg_temp.refused($$SELECT sigma.delete_action_sequence('actions_plain')$$);
SELECT pg_temp.refused($$DELETE FROM sigma.sigma_action_sequences WHERE id = 'actions_plain'$$);
BEGIN;
SELECT sigma.delete_action_sequence('actions_plain', cascade => true);
ROLLBACK;
SELECT sigma.update_layout_element('actions_opens', '{"on_open": null}'), sigma.delete_layout_element('actions_opens');
SELECT sigma.delete_action('actions_none');
SELECT sigma.delete_action('actions_close', cascade => true);
SELECT count(*) FROM sigma.sigma_action_sequences WHERE id = 'actions_plain';
SELECT sigma.delete_action_sequence('actions_plain'), sigma.delete_action_sequence('actions_seq'), sigma.delete_action('actions_insert');

--
-- while a dump is restored only the document itself counts; running it says what is missing
--
SET check_function_bodies = off;
INSERT INTO sigma.sigma_action_sequences (id, actions, created_at, updated_at) VALUES
    ('actions_restored', '["actions_later"]', '2020-01-01', '2020-01-02'),
    ('actions_dangling', '[{"type": "data_modification", "subtype": "delete_rows", "target": "actions_tt", "selector": {"selection": true}}]', NULL, NULL);
SELECT pg_temp.sequence('{"actions": [{"type": "api_call", "target": "x"}]}');
SELECT pg_temp.sequence('{"actions": [{"type": "modal"}]}');
RESET check_function_bodies;
SELECT created_at, updated_at FROM sigma.sigma_action_sequences WHERE id = 'actions_restored';
SELECT pg_temp.refused($$SELECT sigma.execute_sequence('actions_restored')$$);
SELECT pg_temp.refused($$SELECT sigma.execute_sequence('actions_dangling')$$);
SELECT sigma.create_action('{"id": "actions_later", "type": "modal", "subtype": "close"}');
SELECT r ->> 'status', r -> 'effects' FROM sigma.execute_sequence('actions_restored') AS r;

-- pausing does not check the definition, so that a broken sequence can be paused
SELECT sigma.pause_sequence('actions_dangling'), sigma.pause_sequence('actions_dangling');
SELECT sigma.resume_sequence('actions_dangling'), sigma.resume_sequence('actions_dangling');
SELECT pg_temp.refused($$SELECT sigma.pause_sequence('actions_restord')$$);

--
-- constants for declared variables and controls
--
SELECT sigma.create_variable('{"id": "actions_rate", "type": "number"}');
SELECT sigma.create_variable('{"id": "actions_day", "name": "Day", "kind": "control", "type": "date"}');
SELECT sigma.create_variable('{"id": "actions_regions", "kind": "control", "type": "list"}');
CREATE FUNCTION pg_temp.set(subtype text, target text, value text, mode text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.sequence(jsonb_build_object('id', 'actions_set', 'actions', jsonb_build_array(jsonb_build_object(
        'type', CASE subtype WHEN 'set' THEN 'variable' ELSE 'control' END, 'subtype', subtype, 'target', target,
        'parameters', jsonb_strip_nulls(jsonb_build_object('value', value::jsonb, 'selection_mode', mode))))))
$$;
SELECT pg_temp.set('set', 'actions_rate', '"high"');
SELECT pg_temp.set('set', 'actions_rate', '{"type": "static", "value": true}');
SELECT pg_temp.set('set_value', 'actions_day', '"2024-02-30"');
SELECT pg_temp.set('set_value', 'Day', '5');
SELECT pg_temp.set('set_value', 'actions_regions', '"East"');
SELECT pg_temp.set('set_value', 'actions_regions', '{"a": 1}', 'add');
SELECT pg_temp.set('set_value', 'actions_regions', '[["East"]]', 'add');
SELECT pg_temp.set('set_value', 'actions_day', '"2024-02-01"', 'add');
-- an action of its own, an update, plain DML
SELECT pg_temp.action('{"id": "actions_set", "type": "variable", "subtype": "set", "target": "actions_rate", "parameters": {"value": "1"}}');
SELECT pg_temp.set('set', 'actions_rate', '0.5');
SELECT pg_temp.refused($$SELECT sigma.update_action_sequence('actions_set', '{"actions": [{"type": "variable", "subtype": "set", "target": "actions_rate", "parameters": {"value": []}}]}')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_action_sequences SET actions = replace(actions::text, '0.5', 'false')::jsonb WHERE id = 'actions_set'$$);
DELETE FROM sigma.sigma_action_sequences WHERE id = 'actions_set';
-- what fits, what only a run knows, what nobody declared
SELECT target, value, mode, pg_temp.set(subtype, target, value, mode), sigma.delete_action_sequence('actions_set')
FROM (VALUES ('set', 'actions_rate', '[Control/x]', NULL), ('set', 'actions_nobody', '"x"', NULL),
    ('set_value', 'actions_day', '2024-02-29', NULL), ('set_value', 'actions_regions', '["East", 1]', NULL),
    ('set_value', 'actions_regions', 'East', 'add'), ('set_value', 'actions_regions', '["East"]', 'remove')) AS v (subtype, target, given, mode),
    LATERAL (SELECT CASE WHEN left(given, 1) IN ('[', '"') AND given NOT LIKE '[C%' THEN given ELSE to_json(given)::text END) AS j (value);
-- a restore looks at nothing outside the row
BEGIN;
SET LOCAL check_function_bodies = off;
INSERT INTO sigma.sigma_action_sequences (id, actions)
VALUES ('actions_set', '[{"type": "variable", "subtype": "set", "target": "actions_rate", "parameters": {"value": "high"}}]');
SET LOCAL check_function_bodies = on;
SELECT sigma.execute_sequence('actions_set') -> 'error' ->> 'message';
ROLLBACK;
DELETE FROM sigma.sigma_variables WHERE id IN ('actions_rate', 'actions_day', 'actions_regions');

DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'actions\_%';
DELETE FROM sigma.sigma_actions WHERE id LIKE 'actions\_%';
SELECT sigma.delete_layout_element('actions_page'), sigma.delete_layout_element('actions_modal');
SELECT sigma.delete_input_table('actions_t', purge => true), sigma.delete_input_table('actions_locked', purge => true);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'actions\_%';
