-- Layout elements by plain DML: levels, children and positions are kept true, whatever
-- is written and in whatever order; what would break the tree is refused.
-- Nesting as in https://help.sigmacomputing.com/docs/use-containers-to-organize-workbook-layouts
\set SHOW_CONTEXT never
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused_lines.sql'
\i :include
CREATE VIEW pg_temp.rows AS
    SELECT id, type, parent_id, children, nesting_level AS level, "position" AS pos FROM sigma.sigma_layout_elements ORDER BY id;
\pset format unaligned
\pset tuples_only on

-- children before parents in one statement; what is given as level is overwritten
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id, nesting_level) VALUES
    ('lay_text', 'text', 'lay_tab', 7), ('lay_tab', 'tab', 'lay_tabs', 7), ('lay_tabs', 'tabs', 'lay_box', NULL),
    ('lay_box', 'container', 'lay_page', 0), ('lay_page', 'page', NULL, 3);
SELECT * FROM pg_temp.rows;
-- row by row, appended; an id is made where there is none
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_chart', 'chart', 'lay_page');
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_image', 'image', 'lay_page');
INSERT INTO sigma.sigma_layout_elements (type, parent_id) VALUES ('divider', 'lay_page') RETURNING length(id), "position", nesting_level;
DELETE FROM sigma.sigma_layout_elements WHERE type = 'divider';
SELECT id, children FROM sigma.sigma_layout_elements WHERE id = 'lay_page';
-- positions: gaps are fine, the next one goes behind the greatest
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id, "position") VALUES
    ('lay_late', 'text', 'lay_page', 100), ('lay_first', 'text', 'lay_page', 0), ('lay_next', 'text', 'lay_page', NULL);
SELECT id, "position" FROM sigma.sigma_layout_elements WHERE parent_id = 'lay_page' ORDER BY "position", id;
SELECT children FROM sigma.sigma_layout_elements WHERE id = 'lay_page';
UPDATE sigma.sigma_layout_elements SET "position" = 200 - "position" WHERE parent_id = 'lay_page';
SELECT children FROM sigma.sigma_layout_elements WHERE id = 'lay_page';
UPDATE sigma.sigma_layout_elements SET "position" = NULL WHERE id = 'lay_late';
SELECT children FROM sigma.sigma_layout_elements WHERE id = 'lay_page';
-- under another parent it goes last, with its subtree
UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_page' WHERE id = 'lay_tabs';
SELECT id, parent_id, children, nesting_level, "position" FROM sigma.sigma_layout_elements WHERE id IN ('lay_page', 'lay_box', 'lay_tabs', 'lay_tab', 'lay_text') ORDER BY id;
-- unless a position is written too
UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_box' WHERE id = 'lay_chart';
UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_box', "position" = 0 WHERE id = 'lay_image';
SELECT id, children FROM sigma.sigma_layout_elements WHERE id IN ('lay_page', 'lay_box') ORDER BY id;
-- a name or a setting changes no place, and updated_at is set
UPDATE sigma.sigma_layout_elements SET updated_at = '2001-01-01';
SELECT count(*) FROM sigma.sigma_layout_elements WHERE updated_at < '2002-01-01';
UPDATE sigma.sigma_layout_elements SET name = 'Box', config = '{"spacing": "Large", "gridDensity": 24}' WHERE id = 'lay_box';
SELECT name, config, updated_at > '2002-01-01', children FROM sigma.sigma_layout_elements WHERE id = 'lay_box';
-- moved by others, an element keeps its own stamps: only rows that the caller wrote are stamped
SET session_replication_role = replica;
UPDATE sigma.sigma_layout_elements SET updated_at = '2001-01-01';
RESET session_replication_role;
UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_page' WHERE id = 'lay_image';
SELECT id FROM sigma.sigma_layout_elements WHERE updated_at > '2002-01-01' ORDER BY id;

-- children as ids: adopt, in that order
UPDATE sigma.sigma_layout_elements SET children = '["lay_chart", "lay_image"]' WHERE id = 'lay_box';
SELECT id, parent_id, "position", nesting_level FROM sigma.sigma_layout_elements WHERE parent_id = 'lay_box' ORDER BY "position";
SELECT children FROM sigma.sigma_layout_elements WHERE id = 'lay_page';
INSERT INTO sigma.sigma_layout_elements (id, type, children) VALUES ('lay_page2', 'page', '["lay_image", "lay_box"]');
SELECT * FROM sigma.layout_tree('lay_page2');
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET children = '["lay_box"]' WHERE id = 'lay_page2'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET children = NULL WHERE id = 'lay_page2'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET children = '["lay_box", "lay_image", "lay_box"]' WHERE id = 'lay_page2'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET children = '["lay_box", "lay_image", "lay_nowhere"]' WHERE id = 'lay_page2'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET children = '["lay_box", "lay_image", 7]' WHERE id = 'lay_page2'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET children = '{"a": 1}' WHERE id = 'lay_page2'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET children = '["lay_box"]' WHERE id = 'lay_text'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET children = '["lay_page2"]' WHERE id = 'lay_page2'$$);
-- a child that the same statement moves away is not left out
UPDATE sigma.sigma_layout_elements SET children = CASE id WHEN 'lay_page2' THEN '["lay_box"]' ELSE children END,
    parent_id = CASE id WHEN 'lay_image' THEN 'lay_page' ELSE parent_id END WHERE id IN ('lay_page2', 'lay_image');
SELECT id, children FROM sigma.sigma_layout_elements WHERE type = 'page' ORDER BY id;
-- two exchanged in one statement
UPDATE sigma.sigma_layout_elements SET parent_id = CASE id WHEN 'lay_image' THEN 'lay_page2' ELSE 'lay_page' END
    WHERE id IN ('lay_image', 'lay_box');
SELECT id, children FROM sigma.sigma_layout_elements WHERE type = 'page' ORDER BY id;
-- upsert, MERGE, COPY and a writing CTE all come to the same triggers
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_box', 'container', 'lay_page2'), ('lay_new', 'text', 'lay_box')
    ON CONFLICT (id) DO UPDATE SET parent_id = excluded.parent_id;
MERGE INTO sigma.sigma_layout_elements e
    USING (VALUES ('lay_new', 'lay_page'), ('lay_newer', 'lay_page')) v(id, parent) ON e.id = v.id
    WHEN MATCHED THEN UPDATE SET parent_id = v.parent
    WHEN NOT MATCHED THEN INSERT (id, type, parent_id) VALUES (v.id, 'text', v.parent);
COPY sigma.sigma_layout_elements (id, type, parent_id) FROM stdin (DELIMITER ',', NULL '');
lay_copied,text,lay_copy
lay_copy,container,lay_box
\.
WITH page AS (INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('lay_cte', 'page') RETURNING id)
    INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) SELECT 'lay_cte_text', 'text', id FROM page;
SELECT id, parent_id, nesting_level, path FROM sigma.layout_tree() WHERE path ~ 'lay_';

-- what is refused changes nothing
CREATE TEMP TABLE before AS SELECT * FROM sigma.sigma_layout_elements;
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_copy' WHERE id = 'lay_box'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_box' WHERE id = 'lay_box'$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_x', 'container', 'lay_y'), ('lay_y', 'container', 'lay_x')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_x', 'text', 'lay_nowhere')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_nowhere' WHERE id = 'lay_box'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_image' WHERE id = 'lay_new'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_page' WHERE id = 'lay_page2'$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_x', 'tab', 'lay_page')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('lay_x', 'tab')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_x', 'text', 'lay_tabs')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_x', 'modal', 'lay_box')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_x', 'drawer', 'lay_tab')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_x', 'popover', 'lay_page'), ('lay_y', 'container', 'lay_x'), ('lay_z', 'popover', 'lay_y')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET type = 'chart' WHERE id = 'lay_copy'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET type = 'tabs' WHERE id = 'lay_box'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET type = 'container' WHERE id = 'lay_tab'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET id = 'lay_other' WHERE id = 'lay_box'$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('lay_box', 'text')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('', 'text')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('lay_x', 'contaner')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id) VALUES ('lay_x')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, config) VALUES ('lay_x', 'container', '{"spacing": "huge"}')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, config) VALUES ('lay_x', 'container', '{"spacin": "large"}')$$);
SELECT pg_temp.refused($$TRUNCATE sigma.sigma_layout_elements$$);
(TABLE before EXCEPT TABLE sigma.sigma_layout_elements) UNION ALL (TABLE sigma.sigma_layout_elements EXCEPT TABLE before);
-- a type may change where nothing stands against it
UPDATE sigma.sigma_layout_elements SET type = 'form' WHERE id = 'lay_copy';
UPDATE sigma.sigma_layout_elements SET type = 'container' WHERE id = 'lay_new';
UPDATE sigma.sigma_layout_elements SET type = 'text' WHERE id = 'lay_new';
SELECT id, type, children FROM sigma.sigma_layout_elements WHERE id IN ('lay_copy', 'lay_new') ORDER BY id;
DELETE FROM sigma.sigma_layout_elements;

-- Four levels of containers and tabs; tab, form and header do not count, an overlay begins anew
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES
    ('lay_page', 'page', NULL), ('lay_1', 'container', 'lay_page'), ('lay_2', 'tabs', 'lay_1'), ('lay_2t', 'tab', 'lay_2'),
    ('lay_f', 'form', 'lay_2t'), ('lay_3', 'container', 'lay_f'), ('lay_h', 'header', 'lay_3'), ('lay_4', 'container', 'lay_h'),
    ('lay_4t', 'text', 'lay_4'), ('lay_p', 'popover', 'lay_4'), ('lay_p1', 'container', 'lay_p'), ('lay_modal', 'modal', 'lay_page'),
    ('lay_m1', 'container', 'lay_modal');
SELECT id, nesting_level, layout_depth FROM sigma.layout_tree();
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_5', 'container', 'lay_4')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_5', 'tabs', 'lay_4')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET type = 'container' WHERE id = 'lay_f'$$);
-- the whole depth of a moved subtree counts
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_a', 'container', 'lay_page'), ('lay_b', 'container', 'lay_a'), ('lay_c', 'text', 'lay_b');
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_3' WHERE id = 'lay_a'$$);
UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_2t' WHERE id = 'lay_a';
SELECT id, nesting_level, layout_depth FROM sigma.layout_tree('lay_a');
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET parent_id = 'lay_b' WHERE id = 'lay_3'$$);
-- a container's own limit
UPDATE sigma.sigma_layout_elements SET config = '{"max_nesting": 2}' WHERE id = 'lay_a';
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_5', 'container', 'lay_b')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET config = '{"max_nesting": 1}' WHERE id = 'lay_a'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET config = '{"max_nesting": 5}' WHERE id = 'lay_a'$$);
DELETE FROM sigma.sigma_layout_elements;

-- Many at once, in a random order: the same tree, and single writes among them
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id, "position")
    SELECT 'lay_' || g, CASE WHEN g = 1 THEN 'page' WHEN g < 30 THEN 'form' ELSE 'text' END,
           CASE WHEN g > 1 THEN 'lay_' || (CASE WHEN g < 30 THEN g / 2 ELSE g % 29 + 1 END) END, g
    FROM generate_series(1, 2000) g ORDER BY hashint4(g);
WITH RECURSIVE tree AS (
    SELECT id, 0 AS level FROM sigma.sigma_layout_elements WHERE parent_id IS NULL
    UNION ALL
    SELECT e.id, t.level + 1 FROM sigma.sigma_layout_elements e JOIN tree t ON e.parent_id = t.id)
SELECT count(*), count(*) FILTER (WHERE e.nesting_level = t.level), max(level) FROM tree t JOIN sigma.sigma_layout_elements e USING (id);
SELECT count(*) FROM sigma.sigma_layout_elements p
    WHERE type <> 'text' AND children = (SELECT coalesce(jsonb_agg(id ORDER BY "position"), '[]') FROM sigma.sigma_layout_elements c WHERE c.parent_id = p.id);
DELETE FROM sigma.sigma_layout_elements WHERE id = 'lay_2';
SELECT count(*), count(*) FILTER (WHERE children ? 'lay_2') FROM sigma.sigma_layout_elements;
DELETE FROM sigma.sigma_layout_elements;

-- Rights are the caller's: nothing is granted to anybody, and upkeep needs no more than the written row's
CREATE ROLE regress_layout_builder;
CREATE ROLE regress_layout_reader;
GRANT USAGE ON SCHEMA sigma TO regress_layout_builder, regress_layout_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON sigma.sigma_layout_elements TO regress_layout_builder;
GRANT SELECT ON sigma.sigma_layout_elements TO regress_layout_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sigma TO regress_layout_builder, regress_layout_reader;
SET ROLE regress_layout_builder;
SELECT sigma.create_page('{"id": "lay_page", "children": [{"id": "lay_text", "type": "text"}]}');
SET ROLE regress_layout_reader;
SELECT pg_temp.refused($$SELECT sigma.create_container('{"id": "lay_x", "parent_id": "lay_page"}')$$);
SELECT pg_temp.refused($$SELECT sigma.move_layout_element('lay_text', NULL)$$);
SELECT pg_temp.refused($$SELECT sigma.delete_layout_element('lay_text')$$);
SELECT id, path FROM sigma.layout_tree();
RESET ROLE;
REVOKE SELECT ON sigma.sigma_layout_elements FROM regress_layout_reader;
SET ROLE regress_layout_reader;
SELECT pg_temp.refused($$SELECT * FROM sigma.layout_tree()$$);
SELECT pg_temp.refused($$SELECT sigma.render_layout()$$);
RESET ROLE;
-- a role that may only insert moves nothing that is there
REVOKE ALL ON sigma.sigma_layout_elements FROM regress_layout_builder;
GRANT INSERT ON sigma.sigma_layout_elements TO regress_layout_builder;
SET ROLE regress_layout_builder;
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('lay_more', 'text', 'lay_page');
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, children) VALUES ('lay_page2', 'page', '["lay_text"]')$$);
RESET ROLE;
SELECT id, children, nesting_level FROM sigma.sigma_layout_elements ORDER BY id;
DELETE FROM sigma.sigma_layout_elements;
DROP OWNED BY regress_layout_builder, regress_layout_reader;
DROP ROLE regress_layout_builder, regress_layout_reader;
