-- Steps on elements of the layout: their effects, and what is checked when they are saved.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.refused(doc jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    code text; said text; at text; hint text;
BEGIN
    PERFORM sigma.create_action('{"id": "steps_element_act"}' || doc);
    PERFORM sigma.delete_action('steps_element_act');
    RETURN 'NOT REFUSED';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, at = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', code, said, nullif(at, ''), nullif(hint, ''));
END
$$;
-- run one action that is not stored: its status, rows, effect, error
CREATE FUNCTION pg_temp.act(doc jsonb, context jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r jsonb;
BEGIN
    PERFORM sigma.create_action('{"id": "steps_element_act"}' || doc);
    r := sigma.execute_action('steps_element_act', context);
    PERFORM sigma.delete_action('steps_element_act');
    RETURN concat_ws(' ', r ->> 'status', 'rows=' || (r #>> '{actions,0,rows}'), r ->> 'effects', r #>> '{error,sqlstate}', r #>> '{error,message}');
END
$$;

SELECT sigma.create_input_table('{"id": "steps_element_t", "name": "Steps of elements", "columns": [
    {"name": "Name", "type": "text"}, {"name": "Qty", "type": "integer"}, {"name": "Twice", "type": "number", "formula": "[Qty] * 2"}]}');
SELECT sigma.create_page('{"id": "steps_element_page", "children": [
    {"id": "steps_element_box", "type": "container"},
    {"id": "steps_element_grid", "type": "input_table", "source": "steps_element_t"},
    {"id": "steps_element_chart", "type": "chart", "source": "steps_element_grid", "x": "Name", "y": "Qty"},
    {"id": "steps_element_bare", "type": "table"},
    {"id": "steps_element_form", "type": "form", "input_table": "steps_element_t", "fields": ["Name"]},
    {"id": "steps_element_whole", "type": "form", "input_table": "steps_element_t"},
    {"id": "steps_element_text", "type": "text", "content": "hello"},
    {"id": "steps_element_tabs", "type": "tabs", "tabs": [{"label": "One"}, {"label": "Two"}]},
    {"id": "steps_element_plugin", "type": "plugin", "plugin_id": "map"}]}');
SELECT sigma.create_modal('{"id": "steps_element_modal", "title": "M"}');

-- the simple ones
SELECT s, pg_temp.act(jsonb_build_object('type', 'element', 'subtype', s, 'target', 'steps_element_grid')) FROM unnest('{refresh,show,hide,toggle,focus}'::text[]) AS s;
SELECT pg_temp.act('{"type": "element", "subtype": "refresh", "target": "steps_element_modal"}');

-- modify: columns, settings with dynamic text
SELECT pg_temp.act('{"type": "element", "subtype": "modify", "targetElement": "steps_element_grid", "showColumns": ["Name", "Twice"], "hideColumns": "Qty"}');
SELECT pg_temp.act('{"type": "element", "subtype": "modify", "target": "steps_element_text", "settings": {"content": "{{[Control/who] & \"!\"}}", "alignment": "right", "visible": false}}',
    '{"controls": {"who": "Ann"}}');
SELECT pg_temp.act('{"type": "element", "subtype": "modify", "target": "steps_element_chart", "settings": {"chartType": "doughnut", "title": "for [Selection/Name]"}}',
    '{"selection": {"rows": [{"Name": "Bo"}]}}');

-- sort: one form for the client
SELECT pg_temp.act('{"type": "element", "subtype": "sort", "target": "steps_element_chart", "sort": ["Name", {"columnName": "Qty", "direction": "descending"}]}');
SELECT pg_temp.act('{"type": "element", "subtype": "sort", "target": "steps_element_grid", "sort": "Twice"}');

-- container, form, plugin, embed: every value resolved
SELECT pg_temp.act('{"type": "container", "subtype": "set_row", "target": "steps_element_box", "value": "[Selection/sigma_row_id]"}', '{"selection": {"rows": [{"sigma_row_id": 7}]}}');
SELECT pg_temp.act('{"type": "form", "subtype": "set_values", "target": "steps_element_form", "values": {"Name": "[Control/who]"}}', '{"controls": {"who": "Cid"}}');
SELECT pg_temp.act('{"type": "form", "subtype": "set_values", "target": "steps_element_whole", "columnValues": {"Name": "x", "Qty": {"type": "formula", "formula": "[Control/n] + 1"}}}', '{"controls": {"n": 1}}');
SELECT pg_temp.act('{"type": "form", "subtype": "reset", "target": "steps_element_form"}');
SELECT pg_temp.act('{"type": "plugin", "subtype": "trigger", "target": "steps_element_plugin", "effect": "zoom", "payload": {"to": "[Control/place]", "type": "point", "n": [1, null]}}', '{"controls": {"place": "Rome"}}');
SELECT pg_temp.act('{"type": "plugin", "subtype": "trigger", "target": "steps_element_plugin", "payload": {"to": ["[Control/place]"], "deep": {"at": "[Control/place]"}}}', '{"controls": {"place": "Rome"}}');
SELECT pg_temp.act('{"type": "embed", "subtype": "send_event", "name": "picked", "payload": "[Selection/Name]"}', '{"selection": {"rows": [{"Name": "a"}, {"Name": "b"}]}}');
SELECT pg_temp.act('{"type": "embed", "name": "ready", "payload": null}');
SELECT pg_temp.act('{"type": "tabs", "subtype": "select", "target": "steps_element_tabs", "index": 1}');
SELECT pg_temp.act('{"type": "tabs", "subtype": "select", "target": "steps_element_tabs", "direction": "previous"}');

-- several in one run: in their order, none where the run is rolled back
SELECT sigma.create_action_sequence('{"id": "steps_element_seq", "actions": [
    {"type": "element", "subtype": "show", "target": "steps_element_grid"}, {"type": "form", "subtype": "reset", "target": "steps_element_form"},
    {"type": "embed", "subtype": "send_event", "name": "done"},
    {"type": "data_modification", "subtype": "insert_row", "target": "steps_element_t", "values": {"Qty": "[Control/n]"}}]}');
SELECT r ->> 'status', jsonb_path_query_array(r, '$.effects[*].type') FROM sigma.execute_sequence('steps_element_seq', '{"controls": {"n": 1}}') AS r;
SELECT r ->> 'status', jsonb_path_query_array(r, '$.effects[*].type') FROM sigma.execute_sequence('steps_element_seq', '{"controls": {"n": "x"}}') AS r;

-- a renamed column is followed, and elements that steps act on are not deleted
SELECT sigma.create_action('{"id": "steps_element_sort", "type": "element", "subtype": "sort", "target": "steps_element_chart", "sort": ["Qty"]}');
SELECT sigma.create_action('{"id": "steps_element_fill", "type": "form", "subtype": "set_values", "target": "steps_element_whole", "values": {"Qty": 1}}');
SELECT sigma.create_action('{"id": "steps_element_event", "type": "embed", "subtype": "send_event", "name": "e", "payload": {"deep": {"n": "[Control/steps_element_v]"}}}');
SELECT sigma.create_variable('{"id": "steps_element_v"}');
SELECT sigma.rename_column('steps_element_t', 'Qty', 'Count') > 0;
SELECT id, parameters FROM sigma.sigma_actions WHERE id LIKE 'steps\_element%' ORDER BY id;
SELECT object, path FROM sigma.dependents('element:steps_element_chart');
SELECT object, path FROM sigma.dependents('variable:steps_element_v');
DO $$
BEGIN
    PERFORM sigma.delete_layout_element('steps_element_chart');
EXCEPTION WHEN sqlstate 'SG409' THEN
    RAISE NOTICE '%', SQLERRM;
END $$;
-- what an element loses later breaks no step of it, but its absence does
SELECT sigma.create_action('{"id": "steps_element_tab", "type": "tabs", "subtype": "select", "target": "steps_element_tabs", "index": 1}');
SELECT sigma.delete_layout_element(id) FROM sigma.sigma_layout_elements WHERE parent_id = 'steps_element_tabs' AND position = 1;
SELECT r ->> 'status', r -> 'effects' FROM sigma.execute_action('steps_element_tab') AS r;

--
-- refused when saved
--
SELECT pg_temp.refused('{"type": "element", "subtype": "refresh", "target": "steps_element_gird"}');
SELECT pg_temp.refused('{"type": "element", "subtype": "refresh"}');
SELECT pg_temp.refused('{"type": "element", "subtype": "show", "target": "steps_element_modal"}');
SELECT pg_temp.refused('{"type": "element", "subtype": "sort", "target": "steps_element_text", "sort": ["Name"]}');
SELECT pg_temp.refused('{"type": "element", "subtype": "sort", "target": "steps_element_chart", "sort": ["Nmae"]}');
SELECT pg_temp.refused('{"type": "element", "subtype": "sort", "target": "steps_element_chart", "sort": []}');
SELECT pg_temp.refused('{"type": "element", "subtype": "sort", "target": "steps_element_chart", "sort": [{"column": "Name", "direction": "up"}]}');
SELECT pg_temp.refused('{"type": "element", "subtype": "modify", "target": "steps_element_grid"}');
SELECT pg_temp.refused('{"type": "element", "subtype": "modify", "target": "steps_element_grid", "showColumns": ["Qyt"]}');
SELECT pg_temp.refused('{"type": "element", "subtype": "modify", "target": "steps_element_text", "showColumns": ["Name"]}');
SELECT pg_temp.refused('{"type": "element", "subtype": "modify", "target": "steps_element_text", "settings": {"colour": "red"}}');
SELECT pg_temp.refused('{"type": "element", "subtype": "modify", "target": "steps_element_text", "settings": {"parent_id": "x"}}');
SELECT pg_temp.refused('{"type": "element", "subtype": "modify", "target": "steps_element_text", "settings": {"alignment": "sideways"}}');
SELECT pg_temp.refused('{"type": "element", "subtype": "modify", "target": "steps_element_modal", "settings": {"on_close": "steps_element_seq"}}');
SELECT pg_temp.refused('{"type": "element", "subtype": "modify", "target": "steps_element_text", "settings": {"content": "{{[Control/a] +}}"}}');
SELECT pg_temp.refused('{"type": "container", "subtype": "set_row", "target": "steps_element_grid", "value": 1}');
SELECT pg_temp.refused('{"type": "container", "subtype": "set_row", "target": "steps_element_box"}');
SELECT pg_temp.refused('{"type": "form", "subtype": "set_values", "target": "steps_element_grid", "values": {"Name": 1}}');
SELECT pg_temp.refused('{"type": "form", "subtype": "set_values", "target": "steps_element_form", "values": {"Count": 1}}');
SELECT pg_temp.refused('{"type": "form", "subtype": "set_values", "target": "steps_element_whole", "values": {"Conut": 1}}');
SELECT pg_temp.refused('{"type": "form", "subtype": "reset", "target": "steps_element_page"}');
SELECT pg_temp.refused('{"type": "plugin", "subtype": "trigger", "target": "steps_element_text"}');
SELECT pg_temp.refused('{"type": "embed", "subtype": "send_event"}');
SELECT pg_temp.refused('{"type": "embed", "subtype": "send_event", "name": "x", "target": "steps_element_text"}');
SELECT pg_temp.refused('{"type": "tabs", "subtype": "select", "target": "steps_element_tabs", "index": 1}');
SELECT pg_temp.refused('{"type": "tabs", "subtype": "select", "target": "steps_element_tabs", "index": -1}');

DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'steps\_element%';
DELETE FROM sigma.sigma_actions WHERE id LIKE 'steps\_element%';
SELECT sigma.delete_variable('steps_element_v');
SELECT sigma.delete_layout_element('steps_element_page') > 0, sigma.delete_layout_element('steps_element_modal') > 0;
SELECT sigma.delete_input_table('steps_element_t', purge => true);
