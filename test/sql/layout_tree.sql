-- Moving, reading and drawing the tree.
\set SHOW_CONTEXT never
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused_lines.sql'
\i :include
\pset format unaligned
\pset tuples_only on
SELECT sigma.render_layout();
SELECT count(*) FROM sigma.layout_tree();

SELECT sigma.create_page('{"id": "tree_page", "name": "Marketing", "children": [
    {"id": "tree_head", "type": "header", "children": [{"id": "tree_title", "type": "text", "content": "Campaigns"}]},
    {"id": "tree_box", "type": "container", "spacing": "large", "grid_density": 24, "grid": {"column": 1, "row": 2, "width": 24, "height": 8}, "children": [
        {"id": "tree_tabs", "type": "tabs", "default_tab": "tree_one", "tabs": [
            {"id": "tree_one", "label": "Contacts", "children": [{"id": "tree_grid", "type": "table", "name": "A name that is so long that it does not fit on a line of a terminal", "source": "pg_catalog.pg_class"}]},
            {"id": "tree_two", "label": "Campaigns", "disabled": true}]},
        {"id": "tree_region", "type": "control", "control_type": "list", "visible": false}]},
    {"id": "tree_modal", "type": "modal", "title": "Done", "width": "sm", "children": [{"id": "tree_go", "type": "button", "text": "Go", "interactive": false}]}]}');
SELECT sigma.create_page('{"id": "tree_second"}');
SELECT sigma.render_layout();
SELECT sigma.render_layout('tree_box');
SELECT * FROM sigma.layout_tree('tree_tabs');
SELECT id, layout_depth, path FROM sigma.layout_tree('tree_grid');
SELECT pg_temp.refused($$SELECT * FROM sigma.layout_tree('tree_bx')$$);
SELECT pg_temp.refused($$SELECT sigma.render_layout('tree_bx')$$);

-- list_layout_elements
SELECT id, type, name, parent_id, nesting_level, children_count, status, created_at IS NOT NULL FROM sigma.list_layout_elements() WHERE id ~ '^tree_' ORDER BY id;
SELECT id FROM sigma.list_layout_elements('Tab') ORDER BY id;
SELECT pg_temp.refused($$SELECT * FROM sigma.list_layout_elements('tub')$$);

-- move: to a place counted from 0, or last; siblings make room as far as they must
CREATE VIEW pg_temp.places AS SELECT string_agg(id || ' ' || "position", ', ' ORDER BY "position", id) FROM sigma.sigma_layout_elements WHERE parent_id = 'tree_second';
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id, "position") VALUES
    ('tree_a', 'text', 'tree_second', 0), ('tree_b', 'text', 'tree_second', 1), ('tree_c', 'text', 'tree_second', 2), ('tree_d', 'text', 'tree_second', 10);
SELECT sigma.move_layout_element('tree_go', 'tree_second', 1);
TABLE pg_temp.places;
SELECT sigma.move_layout_element('tree_d', 'tree_second', 0);
TABLE pg_temp.places;
SELECT sigma.move_layout_element('tree_a', 'tree_second');
TABLE pg_temp.places;
SELECT sigma.move_layout_element('tree_d', 'tree_second', 99);
TABLE pg_temp.places;
SELECT sigma.move_layout_element('tree_go', 'tree_second', 2);
TABLE pg_temp.places;
SELECT children FROM sigma.sigma_layout_elements WHERE id = 'tree_second';
-- with its subtree, to another page and to the root
SELECT sigma.move_layout_element('tree_box', 'tree_second', 0);
SELECT id, nesting_level, layout_depth, path FROM sigma.layout_tree('tree_second');
SELECT sigma.move_layout_element('tree_box', NULL, 1);
SELECT id, "position", nesting_level FROM sigma.layout_tree() WHERE parent_id IS NULL;
SELECT pg_temp.refused($$SELECT sigma.move_layout_element('tree_box', 'tree_one')$$);
SELECT pg_temp.refused($$SELECT sigma.move_layout_element('tree_one', NULL)$$);
SELECT pg_temp.refused($$SELECT sigma.move_layout_element('tree_bx', NULL)$$);
SELECT pg_temp.refused($$SELECT sigma.move_layout_element('tree_box', 'tree_pag')$$);
SELECT pg_temp.refused($$SELECT sigma.move_layout_element('tree_box', 'tree_page', -1)$$);
SELECT pg_temp.refused($$SELECT sigma.move_layout_element(NULL, 'tree_page')$$);

-- damaged data, as only a replica's writes can leave them: every walk ends, and says what is wrong
SET session_replication_role = replica;
UPDATE sigma.sigma_layout_elements SET parent_id = 'tree_one', nesting_level = 9 WHERE id = 'tree_box';
UPDATE sigma.sigma_layout_elements SET parent_id = 'tree_nowhere', config = '{"source": "tree_gone"}' WHERE id = 'tree_c';
RESET session_replication_role;
SELECT sigma.render_layout();
SELECT count(*) FROM sigma.layout_tree();
SELECT id, path FROM sigma.layout_tree('tree_box');
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('tree_x', 'text', 'tree_box')$$);
-- and it can be put right
UPDATE sigma.sigma_layout_elements SET parent_id = 'tree_page' WHERE id IN ('tree_box');
UPDATE sigma.sigma_layout_elements SET parent_id = 'tree_page', config = NULL WHERE id = 'tree_c';
SELECT id, nesting_level FROM sigma.layout_tree('tree_page');
DELETE FROM sigma.sigma_layout_elements;
