-- import_layout and export_layout: one nested document, and the same document again.
\set SHOW_CONTEXT never
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused_lines.sql'
\i :include
\pset format unaligned
\pset tuples_only on
SELECT sigma.create_input_table('{"id": "move_t", "type": "empty", "columns": [{"name": "n", "type": "number"}, {"name": "who", "type": "text"}]}');
CREATE TEMP TABLE page AS SELECT '{"id": "move_p", "type": "page", "name": "P", "metadata": {"by": "me"}, "children": [
    {"id": "move_c", "type": "control", "control_type": "number", "default_value": 3, "label": "Now {{[Control/move_c]}}", "grid": {"row": 1, "column": 1, "width": 6}},
    {"id": "move_r", "type": "control", "control_type": "list", "variable": "move_region", "multiple": true, "values": ["East", "West"]},
    {"id": "move_b", "type": "button", "text": "Go", "actions": [
        {"id": "move_s", "name": "S", "timeout_ms": 5000, "condition": {"type": "custom_formula", "formula": "[Control/move_c] > 1"}, "actions": [
            {"id": "move_a", "type": "data_modification", "subtype": "insert_row", "target": "move_t",
             "parameters": {"values": {"n": {"type": "formula", "formula": "[Control/move_c] * 2"}, "who": {"type": "control", "control_id": "move_region"}}}},
            {"type": "control", "target": "move_c", "subtype": "set_value", "parameters": {"value": 5}},
            {"type": "modal", "target": "move_m", "subtype": "open"}]}]},
    {"id": "move_tabs", "type": "tabs", "default_tab": "move_one", "tabs": [
        {"id": "move_one", "label": "One", "children": [
            {"id": "move_g", "type": "input_table", "source": "move_t", "columns": [{"column": "n", "label": "N"}]},
            {"id": "move_ch", "type": "chart", "source": "move_g", "x": "n"}]},
        {"id": "move_two", "label": "Two", "disabled": true}]},
    {"id": "move_m", "type": "modal", "title": "M", "on_open": {"id": "move_mo", "actions": [{"type": "control", "target": "move_c", "subtype": "clear_value"}]},
     "children": [{"id": "move_f", "type": "form", "input_table": "move_t", "fields": ["n"]}]}]}'::jsonb AS doc;

-- as it went in, so it comes out
SELECT sigma.import_layout(doc) FROM page;
SELECT doc::text = sigma.export_layout('move_p')::text FROM page;
SELECT sigma.render_layout('move_p');
SELECT sigma.export_layout('move_two');
SELECT jsonb_path_query_array(sigma.export_layout(), '$[*] ? (@.id starts with "move").id');
SELECT sigma.execute_sequence('move_s') ->> 'status', (SELECT array_agg(n) FROM sigds.sigds_move_t);

-- ids that are taken: refused,
SELECT pg_temp.refused($$SELECT sigma.import_layout(doc) FROM page$$);
-- followed everywhere,
SELECT sigma.import_layout(doc, '{"existing": "rename"}') FROM page;
SELECT sigma.export_layout('move_p_2')::text = regexp_replace(regexp_replace(doc::text, '"(move_(?!t"|a")\w+)"', '"\1_2"', 'g'), 'move_c\]', 'move_c_2]', 'g') AS "the same with new ids"
    FROM page;
SELECT id, type, scope FROM sigma.sigma_variables WHERE id ~ '^move_' ORDER BY id COLLATE "C";
SELECT sigma.import_layout(doc, '{"existing": "rename"}') -> 'root' FROM page;
-- or brought to what the document says; other children stay
SELECT sigma.update_variable('move_region', '{"scope": "user"}');
SELECT sigma.create_layout_element('{"id": "move_own", "type": "text", "parent_id": "move_p", "content": "stays"}');
UPDATE page SET doc = jsonb_set(doc, '{children,2,actions,0}', '{"id": "move_s", "actions": [{"type": "modal", "target": "move_new", "subtype": "open"}]}');
SELECT sigma.import_layout(jsonb_set(jsonb_set(doc #- '{children,0,grid}', '{children,0,label}', '"New"'), '{children,-1}',
    '{"id": "move_new", "type": "modal", "children": [{"id": "move_b2", "type": "button", "text": "x"}]}', true), '{"existing": "update"}') FROM page;
SELECT sigma.render_layout('move_p');
SELECT actions, timeout_ms, name, condition FROM sigma.sigma_action_sequences WHERE id = 'move_s';
SELECT sigma.export_layout('move_p') -> 'variables', sigma.export_layout('move_p') #> '{children,0}';

-- a variable that others may use stays as it is, unless it is updated
SELECT sigma.delete_layout_element('move_p');
SELECT sigma.create_variable('{"id": "move_region", "kind": "control", "type": "list", "scope": "session"}');
SELECT sigma.import_layout('{"id": "move_p", "type": "page", "variables": [{"id": "move_region", "name": "move_region", "kind": "control", "type": "list", "scope": "user"}], "children": [{"id": "move_r", "type": "control", "control_type": "list", "variable": "move_region"}]}');
SELECT sigma.export_layout('move_p') -> 'variables';
SELECT sigma.import_layout('{"id": "move_p", "type": "page", "variables": [{"id": "move_region", "name": "move_region", "kind": "control", "type": "list", "scope": "user"}]}', '{"existing": "update"}');
SELECT sigma.export_layout('move_p') -> 'variables';

-- a sequence that only names the element comes along; one that another element starts is named
SELECT sigma.create_action_sequence('{"id": "move_lone", "trigger": {"type": "load", "element_id": "move_p"}, "actions": [{"type": "navigation", "subtype": "open_link", "target": "https://example.com"}]}');
SELECT sigma.create_layout_element('{"id": "move_b3", "type": "button", "parent_id": "move_p", "actions": ["move_lone"]}');
SELECT sigma.export_layout('move_p') -> 'actions', sigma.export_layout('move_p') #> '{children,1}';
CREATE TEMP TABLE again AS SELECT sigma.export_layout('move_p') AS doc;
SELECT sigma.delete_layout_element('move_p');
SELECT sigma.delete_action_sequence('move_lone');
SELECT sigma.delete_variable('move_region');
SELECT sigma.import_layout(doc) FROM again;
SELECT sigma.export_layout('move_p')::text = doc::text FROM again;

-- somewhere else, several at once
SELECT sigma.import_layout('{"type": "container", "id": "move_k"}', '{"parentId": "move_p"}');
SELECT sigma.import_layout('[{"type": "page", "id": "move_q1"}, {"type": "page", "id": "move_q2", "children": [{"type": "text", "content": "no id"}]}]');
SELECT sigma.import_layout('[]');
SELECT id, parent_id, "position" FROM sigma.sigma_layout_elements WHERE id ~ '^move_[kqr]' ORDER BY id COLLATE "C";

-- refused, with nothing done
SELECT pg_temp.refused($$SELECT sigma.import_layout('"x"')$$);
SELECT pg_temp.refused($$SELECT sigma.import_layout(NULL)$$);
SELECT pg_temp.refused($$SELECT sigma.import_layout('[{"type": "page", "id": "move_x"}, {"type": "pgae"}]')$$);
SELECT pg_temp.refused($$SELECT sigma.import_layout('{"type": "page", "id": "move_x", "children": ["move_k"]}')$$);
SELECT pg_temp.refused($$SELECT sigma.import_layout('{"type": "page", "id": "move_x", "children": [{"id": "move_y", "type": "text"}, {"id": "move_y", "type": "text"}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.import_layout('{"type": "page", "id": "move_x", "children": [{"id": "move_y", "type": "table", "source": "move_nowhere"}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.import_layout('{"type": "page", "id": "move_x"}', '{"exists": "rename"}')$$);
SELECT pg_temp.refused($$SELECT sigma.import_layout('{"type": "page", "id": "move_x"}', '{"existing": "replace"}')$$);
SELECT pg_temp.refused($$SELECT sigma.import_layout('{"type": "page", "id": "move_x", "variables": {}}')$$);
SELECT pg_temp.refused($$SELECT sigma.import_layout('{"type": "container", "id": "move_x"}', '{"parent_id": "move_nowhere"}')$$);
SELECT pg_temp.refused($$SELECT sigma.export_layout('move_x')$$);
SELECT count(*) FROM sigma.sigma_layout_elements WHERE id IN ('move_x', 'move_y');

-- whoever may see the layout may export it, but not import
CREATE ROLE regress_move_viewer;
SELECT sigma.grant_access('regress_move_viewer', 'viewer');
SET ROLE regress_move_viewer;
SELECT sigma.export_layout('move_k');
SELECT pg_temp.refused($$SELECT sigma.import_layout('{"type": "page", "id": "move_x"}')$$);
RESET ROLE;
SELECT sigma.revoke_access('regress_move_viewer');
DROP ROLE regress_move_viewer;
SELECT sum(sigma.delete_layout_element(id, cascade => true)) FROM (SELECT id FROM sigma.list_layout_elements('page') WHERE id ~ '^move_') AS p;
SELECT sigma.delete_input_table('move_t');
SELECT sigma.delete_variable(id, true) FROM sigma.list_variables() WHERE id ~ '^move_';
SELECT id FROM sigma.sigma_action_sequences WHERE id ~ '^move_';
