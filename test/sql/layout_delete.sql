-- Deleting elements: subtrees, kept children, what others refer to.
\set SHOW_CONTEXT never
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused_lines.sql'
\i :include
\pset format unaligned
\pset tuples_only on
SELECT sigma.create_page('{"id": "del_page", "children": [
    {"id": "del_first", "type": "text"},
    {"id": "del_box", "type": "container", "children": [{"id": "del_a", "type": "text"}, {"id": "del_in", "type": "container", "children": [{"id": "del_deep", "type": "text"}]}]},
    {"id": "del_last", "type": "text"},
    {"id": "del_tabs", "type": "tabs", "tabs": [{"id": "del_tab", "label": "A", "content": "x"}, {"id": "del_tab2", "label": "B"}]}]}');
-- a container's children can stay, in its place
BEGIN;
SELECT sigma.delete_layout_element('del_box', keep_children => true);
SELECT id, nesting_level, layout_depth FROM sigma.layout_tree();
SELECT children FROM sigma.sigma_layout_elements WHERE id = 'del_page';
ROLLBACK;
-- or go with it, which plain DELETE does too
BEGIN;
SELECT sigma.delete_layout_element('del_box');
SELECT id FROM sigma.layout_tree();
ROLLBACK;
BEGIN;
DELETE FROM sigma.sigma_layout_elements WHERE id IN ('del_box', 'del_deep', 'del_first');
SELECT id FROM sigma.layout_tree();
SELECT children FROM sigma.sigma_layout_elements WHERE id = 'del_page';
ROLLBACK;
-- the contents of tabs go in any case
BEGIN;
SELECT sigma.delete_layout_element('del_tabs', true);
SELECT id FROM sigma.layout_tree();
ROLLBACK;
-- a page's children can become roots, where they may
BEGIN;
SELECT sigma.delete_layout_element('del_page', true);
SELECT id, "position", path FROM sigma.layout_tree();
ROLLBACK;
SELECT pg_temp.refused($$SELECT sigma.delete_layout_element('del_tab', true)$$);
-- what is not there is not an error
SELECT sigma.delete_layout_element('del_bx'), sigma.delete_layout_element('del_bx', true, true);
SELECT pg_temp.refused($$SELECT sigma.delete_layout_element(NULL)$$);
DELETE FROM sigma.sigma_layout_elements;

-- what others refer to stays, and every reason is named
SELECT sigma.create_input_table('{"id": "del_rows", "columns": [{"name": "Region", "type": "text"}]}');
SELECT sigma.create_page('{"id": "del_page", "children": [
    {"id": "del_modal", "type": "modal", "children": [{"id": "del_inner", "type": "tabs", "tabs": [{"label": "A"}]}]},
    {"id": "del_region", "type": "control"},
    {"id": "del_grid", "type": "table", "source": "del_rows"},
    {"id": "del_chart", "type": "chart", "source": "del_grid"}]}');
SELECT sigma.create_action('{"id": "del_close", "type": "modal", "subtype": "close", "target": "del_modal"}');
SELECT sigma.create_action_sequence('{"id": "del_open", "trigger": {"type": "click", "element_id": "del_button"}, "actions": [
    {"type": "modal", "subtype": "open", "target": "del_modal"}, {"type": "tabs", "subtype": "select", "target": "del_inner", "parameters": {"index": 0}}]}');
SELECT sigma.create_action_sequence('{"id": "del_reads", "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "del_rows", "parameters": {"values": {"Region": {"type": "control", "control_id": "del_region"}}}}]}');
SELECT pg_temp.refused($$SELECT sigma.delete_layout_element('del_modal')$$);
SELECT pg_temp.refused($$DELETE FROM sigma.sigma_layout_elements WHERE id = 'del_modal'$$);
SELECT pg_temp.refused($$SELECT sigma.delete_layout_element('del_region')$$);
SELECT pg_temp.refused($$SELECT sigma.delete_layout_element('del_grid')$$);
SELECT pg_temp.refused($$DELETE FROM sigma.sigma_layout_elements$$);
SELECT count(*) FROM sigma.sigma_layout_elements;
-- what refers to it and goes with it is no reason
BEGIN;
DELETE FROM sigma.sigma_layout_elements WHERE id IN ('del_grid', 'del_chart');
ROLLBACK;
-- cascade: what refers to it stays and dangles, and is told
\set VERBOSITY terse
BEGIN;
SELECT sigma.delete_layout_element('del_modal', cascade => true);
SELECT sigma.delete_layout_element('del_grid', false, true);
SELECT sigma.render_layout();
-- the variable of a control stays while something reads it
SELECT sigma.delete_layout_element('del_region', cascade => true);
SELECT id, kind FROM sigma.sigma_variables WHERE id = 'del_region';
ROLLBACK;
\set VERBOSITY default
-- the element that starts a sequence need not exist: deleting it is no matter, and a sequence of its own goes with it
SELECT sigma.create_layout_element('{"id": "del_button", "type": "button", "text": "Go", "parent_id": "del_page", "actions": ["del_open", {"id": "del_own", "actions": [{"type": "navigation", "subtype": "open_link", "target": "https://example.com"}]}, {"id": "del_used", "actions": [{"type": "navigation", "subtype": "open_link", "target": "https://example.com"}]}]}');
SELECT sigma.create_modal('{"id": "del_user", "on_open": "del_used"}');
SELECT sigma.delete_layout_element('del_button');
SELECT id FROM sigma.sigma_action_sequences WHERE id ~ '^del_' ORDER BY id;
SELECT config FROM sigma.sigma_layout_elements WHERE id = 'del_user';
DELETE FROM sigma.sigma_layout_elements WHERE id = 'del_user';
DELETE FROM sigma.sigma_action_sequences WHERE id ~ '^del_';
DELETE FROM sigma.sigma_actions WHERE id ~ '^del_';
DELETE FROM sigma.sigma_layout_elements;
SELECT sigma.delete_input_table('del_rows', purge => true);
SELECT count(*) FROM sigma.sigma_variables WHERE id ~ '^del_';
