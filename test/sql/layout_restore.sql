-- A dump is restored with check_function_bodies off, row by row or in one COPY, in any
-- order: rows come back as they were, and the rules of the tree hold.
\set SHOW_CONTEXT never
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused_lines.sql'
\i :include
\pset format unaligned
\pset tuples_only on
SELECT sigma.create_page('{"id": "res_page", "name": "Home", "style": {"color": "red"}, "metadata": {"a": 1}, "children": [
    {"id": "res_box", "type": "container", "children": [{"id": "res_tabs", "type": "tabs", "tabs": [{"id": "res_tab", "label": "A", "children": [{"id": "res_text", "type": "text", "content": "x"}]}]}]},
    {"id": "res_modal", "type": "modal", "on_open": {"id": "res_opened", "actions": [{"type": "navigation", "subtype": "open_link", "target": "https://example.com"}]}},
    {"id": "res_region", "type": "control", "control_type": "list"}]}');
UPDATE sigma.sigma_layout_elements SET created_at = '2020-01-01', status = 'draft';
UPDATE sigma.sigma_layout_elements SET "position" = "position" * 10;
CREATE TABLE res_dump AS SELECT * FROM sigma.sigma_layout_elements;
DELETE FROM sigma.sigma_layout_elements;
SELECT count(*) FROM sigma.sigma_action_sequences WHERE id = 'res_opened';

SET check_function_bodies = off;
-- row by row, children before parents
DO $$
DECLARE
    r res_dump%ROWTYPE;
BEGIN
    FOR r IN SELECT * FROM res_dump ORDER BY nesting_level DESC, id LOOP
        INSERT INTO sigma.sigma_layout_elements SELECT r.*;
    END LOOP;
END
$$;
(TABLE res_dump EXCEPT TABLE sigma.sigma_layout_elements) UNION ALL (TABLE sigma.sigma_layout_elements EXCEPT TABLE res_dump);
SELECT id, path FROM sigma.layout_tree();
-- nothing was made that the dump brings itself
SELECT count(*) FROM sigma.sigma_variables WHERE id ~ '^res_';
SELECT count(*) FROM sigma.sigma_action_sequences WHERE id ~ '^res_';
DELETE FROM sigma.sigma_layout_elements;
-- parents first
INSERT INTO sigma.sigma_layout_elements SELECT * FROM res_dump WHERE nesting_level = 0;
INSERT INTO sigma.sigma_layout_elements SELECT * FROM res_dump WHERE nesting_level > 0;
(TABLE res_dump EXCEPT TABLE sigma.sigma_layout_elements) UNION ALL (TABLE sigma.sigma_layout_elements EXCEPT TABLE res_dump);
DELETE FROM sigma.sigma_layout_elements;
-- in one statement
INSERT INTO sigma.sigma_layout_elements SELECT * FROM res_dump ORDER BY hashtext(id);
(TABLE res_dump EXCEPT TABLE sigma.sigma_layout_elements) UNION ALL (TABLE sigma.sigma_layout_elements EXCEPT TABLE res_dump);
DELETE FROM sigma.sigma_layout_elements;

-- levels of waiting rows are set when what they wait for arrives, and children that no list names are added
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id, nesting_level) VALUES ('res_b', 'container', 'res_a', 7);
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('res_c', 'text', 'res_b');
SELECT id, nesting_level, children FROM sigma.sigma_layout_elements ORDER BY id;
INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('res_a', 'page');
SELECT id, nesting_level, children FROM sigma.sigma_layout_elements ORDER BY id;
-- cycles, depth and places are refused all the same
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('res_x', 'container', 'res_y'), ('res_y', 'container', 'res_x')$$);
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('res_2', 'container', 'res_1'), ('res_3', 'container', 'res_2'), ('res_4', 'container', 'res_3'), ('res_5', 'container', 'res_4');
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('res_1', 'container')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('res_1', 'tabs')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('res_1', 'chart')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('res_6', 'container', 'res_5')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('res_1', 'container', 'res_5')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, config) VALUES ('res_6', 'container', '{"spacin": 1}')$$);
RESET check_function_bodies;

-- what still waits afterwards can be named, moved and deleted, and its parent may still come
SELECT sigma.render_layout('res_2');
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('res_7', 'container', 'res_1')$$);
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('res_7', 'text', 'res_2');
INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('res_1', 'page');
SELECT id, nesting_level, path FROM sigma.layout_tree('res_1');
SELECT children FROM sigma.sigma_layout_elements WHERE id = 'res_1';
DELETE FROM sigma.sigma_layout_elements;
DROP TABLE res_dump;

-- many leaves in one statement: what waits for one of them is found, whatever stands between them
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) SELECT 'res_leaf_' || g, 'text', 'res_root' FROM generate_series(1, 20) AS g$$);
SET check_function_bodies = off;
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('res_waits', 'text', 'res_leaf_17'), ('res_also', 'text', 'res_nowhere');
RESET check_function_bodies;
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) SELECT 'res_leaf_' || g, CASE g WHEN 0 THEN 'page' ELSE 'text' END, CASE WHEN g > 0 THEN 'res_leaf_0' END FROM generate_series(0, 20) AS g$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type) SELECT 'res_leaf_' || g, 'text' FROM generate_series(1, 20) AS g$$);
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) SELECT 'res_leaf_' || g, CASE WHEN g IN (0, 17) THEN 'form' ELSE 'text' END, CASE WHEN g > 0 THEN 'res_leaf_0' END FROM generate_series(0, 20) AS g;
SELECT id, parent_id, nesting_level FROM sigma.sigma_layout_elements WHERE id IN ('res_leaf_0', 'res_leaf_16', 'res_leaf_17', 'res_waits', 'res_also') ORDER BY id COLLATE "C";
-- and what many have when they become leaves
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) SELECT 'res_form_' || g, 'form', 'res_leaf_0' FROM generate_series(1, 12) AS g;
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('res_inner', 'text', 'res_form_9');
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET type = 'text' WHERE id ~ '^res_form_'$$);
DELETE FROM sigma.sigma_layout_elements WHERE id = 'res_inner';
UPDATE sigma.sigma_layout_elements SET type = 'text' WHERE id ~ '^res_form_';
SELECT type, count(*), count(children) FROM sigma.sigma_layout_elements WHERE id ~ '^res_form_' GROUP BY type;
DELETE FROM sigma.sigma_layout_elements;
