-- Places on grids: a page has 24 columns, a container 12 by default
-- (https://help.sigmacomputing.com/docs/create-and-manage-workbook-layouts).
\set SHOW_CONTEXT never
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused_lines.sql'
\i :include
CREATE FUNCTION pg_temp.places() RETURNS TABLE (id text, parent_id text, grid jsonb) LANGUAGE sql AS $$
    SELECT e.id, e.parent_id, e.config -> 'grid' FROM sigma.sigma_layout_elements AS e WHERE e.id ~ '^grid_' ORDER BY e.id COLLATE "C"
$$;
\pset format unaligned
\pset tuples_only on

-- neighbours share edges, not cells; the whole width of page and container is theirs
SELECT sigma.create_page('{"id": "grid_page", "children": [
    {"id": "grid_a", "type": "text", "grid": {"column": 1, "row": 1, "width": 12, "height": 2}},
    {"id": "grid_b", "type": "text", "grid": {"column": 13, "row": 1, "width": 12, "height": 2}},
    {"id": "grid_c", "type": "container", "grid": {"column": 1, "row": 3, "width": 24, "height": 4}, "children": [
        {"id": "grid_d", "type": "text", "grid": {"column": 1, "row": 1, "width": 12}},
        {"id": "grid_e", "type": "text", "grid": {"column": 7, "row": 2}},
        {"id": "grid_f", "type": "text", "grid": {"width": 3}},
        {"id": "grid_g", "type": "text"}]}]}');
SELECT * FROM pg_temp.places();

-- a swap in one statement is no overlap
UPDATE sigma.sigma_layout_elements SET config = jsonb_set(config, '{grid,column}', CASE id WHEN 'grid_a' THEN '13'::jsonb ELSE '1' END) WHERE id IN ('grid_a', 'grid_b');
SELECT * FROM pg_temp.places() WHERE id < 'grid_c';

-- what floats over a page has no place among its children
SELECT sigma.create_modal('{"id": "grid_m", "parent_id": "grid_page", "grid": {"column": 1, "row": 1, "width": 24}}');
SELECT sigma.delete_layout_element('grid_m');

-- under another parent an element leaves its place behind, unless a new one is written too
SELECT sigma.move_layout_element('grid_b', 'grid_c');
SELECT * FROM pg_temp.places() WHERE id = 'grid_b';
SELECT sigma.update_layout_element('grid_b', '{"parent_id": "grid_page", "grid": {"column": 1, "row": 2, "width": 6}}');
SELECT * FROM pg_temp.places() WHERE id = 'grid_b';
SELECT sigma.delete_layout_element('grid_c', keep_children => true);
SELECT * FROM pg_temp.places() WHERE parent_id = 'grid_page';
SELECT sigma.create_container('{"id": "grid_c", "parent_id": "grid_page", "children": ["grid_d", {"id": "grid_h", "type": "text", "grid": {"column": 7, "row": 2, "width": 6}}, "grid_e"]}');

-- refused: overlaps, and what goes beyond the grid
SELECT pg_temp.refused($$SELECT sigma.create_layout_element('{"id": "grid_x", "type": "text", "parent_id": "grid_page", "grid": {"column": 24, "row": 2}}')$$);
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('grid_a', '{"grid": {"column": 5, "row": 1, "width": 2, "height": 2}}')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET config = coalesce(config, '{}') || '{"grid": {"column": 12, "row": 5}}' WHERE id = 'grid_d' OR id = 'grid_e'$$);
SELECT pg_temp.refused($$SELECT sigma.create_layout_element('{"id": "grid_x", "type": "text", "parent_id": "grid_c", "grid": {"column": 12, "row": 9, "width": 2}}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_layout_element('{"id": "grid_x", "type": "text", "parent_id": "grid_c", "grid": {"width": 13}}')$$);
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('grid_c', '{"grid_density": 6}')$$);
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('grid_c', '{"type": "popover", "grid": {"column": 6, "row": 2}}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_page('{"id": "grid_x", "grid": {"column": 20, "row": 1, "width": 6}}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_page('{"id": "grid_x", "grid": {"column": 0, "row": 10001}}')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id, config)
    SELECT 'grid_y' || i, 'text', 'grid_page', jsonb_build_object('grid', jsonb_build_object('column', i, 'row', 50, 'width', 2)) FROM generate_series(1, 3, 2) AS i
    UNION ALL SELECT 'grid_z', 'text', 'grid_page', '{"grid": {"column": 4, "row": 40, "height": 11}}'$$);
SELECT * FROM pg_temp.places() WHERE parent_id IS NOT NULL;

-- what was there before cannot be seen again by a change that does not touch it
SELECT sigma.update_layout_element('grid_c', '{"grid_density": 24}');
SELECT sigma.update_layout_element('grid_h', '{"grid": {"column": 24, "row": 2}}');
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('grid_c', '{"grid_density": 12}')$$);
SELECT sigma.delete_layout_element('grid_page');
