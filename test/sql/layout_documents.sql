-- Documents of layout elements: functions, nesting, spelling, what settings bring along
-- and what they name.
\set SHOW_CONTEXT never
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused_lines.sql'
\i :include
\pset format unaligned
\pset tuples_only on

-- one call, a whole page: ids are kept, or made from the parent's and the place
SELECT sigma.create_page('{"id": "doc_page", "name": "Home", "children": [
    {"id": "doc_box", "type": "container", "gridDensity": 24, "grid": {"column": 1, "row": 1, "width": 24}, "children": [
        {"type": "text", "content": "Hello"},
        {"elementType": "tabbed-container", "tabs": [
            {"label": "One", "content": "First"},
            {"id": "doc_two", "label": "Two", "children": [{"type": "divider"}]}], "defaultTab": "Two"}]},
    {"type": "chart", "chartType": "line", "position": {"x": 0, "y": 3, "gridColumn": "1 / 7"}, "isVisible": false}]}');
SELECT * FROM sigma.layout_tree('doc_page');
SELECT id, type, children, config FROM sigma.sigma_layout_elements ORDER BY id;
-- the same by plain DML, with ids and objects mixed: ids adopt
INSERT INTO sigma.sigma_layout_elements (id, type, children, config) VALUES
    ('doc_other', 'page', '["doc_page_2", {"type": "text"}, {"id": "doc_deep", "type": "container", "children": ["doc_box_1"]}]', '{"title": "Other"}');
SELECT id, parent_id, "position", nesting_level FROM sigma.sigma_layout_elements WHERE id ~ '^doc_(other|page_2|deep|box_1)' ORDER BY id;
SELECT id, children FROM sigma.sigma_layout_elements WHERE id IN ('doc_page', 'doc_box', 'doc_other', 'doc_deep') ORDER BY id;
-- more children later: those that are there by id, new ones as objects; a derived id is never one that is taken
SELECT sigma.update_layout_element('doc_deep', '{"children": [{"type": "text", "content": "before"}, "doc_box_1", {"type": "image"}]}');
SELECT sigma.update_layout_element('doc_deep', '{"children": [{"type": "divider"}, "doc_deep_1", "doc_box_1", "doc_deep_3"]}');
SELECT children FROM sigma.sigma_layout_elements WHERE id = 'doc_deep';
SELECT sigma.update_layout_element('doc_box_2', '{"tabs": ["doc_two", "doc_box_2_1", {"label": "Three"}]}');
SELECT children, config FROM sigma.sigma_layout_elements WHERE id = 'doc_box_2';

-- every create_ function makes its type, and no other
SELECT sigma.create_container('{"id": "doc_c", "parent_id": "doc_page"}'), sigma.create_modal('{"id": "doc_m", "title": "Ask", "width": "small"}'),
       sigma.create_tabs('{"id": "doc_t", "parent_id": "doc_page", "tabs": [{"label": "A"}, {"label": "B"}]}'), sigma.create_form('{"id": "doc_f", "parent_id": "doc_page"}'),
       sigma.create_chart('{"id": "doc_ch", "parent_id": "doc_page"}'), sigma.create_control('{"id": "doc_co", "parent_id": "doc_page"}'),
       length(sigma.create_page('{}')), sigma.create_layout_element('{"id": "doc_b", "type": "button", "parent_id": "doc_page", "text": "Go"}');
SELECT id, type, config FROM sigma.sigma_layout_elements WHERE id IN ('doc_c', 'doc_m', 'doc_t', 'doc_f', 'doc_ch', 'doc_co', 'doc_b') ORDER BY id;
SELECT pg_temp.refused($$SELECT sigma.create_page('{"type": "modal"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_layout_element('{"id": "doc_x"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_layout_element(NULL)$$);
SELECT pg_temp.refused($$SELECT sigma.create_layout_element('[]')$$);
SELECT pg_temp.refused($$SELECT sigma.create_page('{"id": "doc_page"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_page(jsonb_build_object('id', repeat('x', 256)))$$);
SELECT pg_temp.refused($$SELECT sigma.create_container('{"id": "doc_x", "gridDensity": 8}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_container('{"id": "doc_x", "position": -1}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_page('{"id": "doc_x", "children": [{"type": "text"}, {"type": "tetx"}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_page('{"id": "doc_x", "children": [{"type": "text", "parent_id": "doc_c"}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_page('{"id": "doc_x", "children": [{"id": "doc_y", "type": "text"}, {"id": "doc_y", "type": "text"}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_page('{"id": "doc_x", "children": [{"id": "doc_c", "type": "text"}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_page('{"id": "doc_x", "children": [{"type": "text", "children": [{"type": "text"}]}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_page('{"id": "doc_x", "children": ["doc_nowhere"]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_container('{"id": "doc_x", "children": [{"type": "container", "children": [{"type": "container", "children": [{"type": "container", "children": [{"type": "container"}]}]}]}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_tabs('{"id": "doc_x", "tabs": [{"label": "A"}], "children": [{"type": "tab"}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_tabs('{"id": "doc_x", "tabs": [{"label": "A"}], "default_tab": "B"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_tabs('{"id": "doc_x", "tabs": [{"label": "A"}], "default_tab": 1}')$$);
-- a path begins at the element or sequence that the context names, however deep it stood
CREATE FUNCTION pg_temp.located(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; context text;
BEGIN
    EXECUTE sql;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, context = PG_EXCEPTION_CONTEXT;
    RETURN concat_ws(E'\n', message, detail,
        (SELECT string_agg(line, E'\n' ORDER BY n) FROM regexp_split_to_table(context, E'\n') WITH ORDINALITY t (line, n)
         WHERE line ~ '^(layout element|action sequence|action) '));
END
$$;
SELECT pg_temp.located($$SELECT sigma.create_input_table('{"id": "doc_books", "columns": [{"name": "Title", "type": "text"}]}');
    SELECT sigma.create_page('{"id": "doc_x", "children": [{"type": "container", "children": [{"type": "input_table", "source": "doc_books", "columns": ["Titel"]}]}]}')$$);
SELECT pg_temp.located($$SELECT sigma.create_page('{"id": "doc_x", "children": [{"type": "form", "id": "doc_y", "input_table": "doc_nowhere"}]}')$$);
SELECT pg_temp.located($$SELECT sigma.create_page('{"id": "doc_x", "children": [{"type": "tabs", "default_tab": 7, "tabs": [{"label": "a"}]}]}')$$);
SELECT pg_temp.located($$SELECT sigma.create_page('{"id": "doc_x", "children": [{"type": "button", "actions": [{"actions": [{"type": "input_table", "subtype": "insert_row", "target": "doc_nowhere", "parameters": {"values": {"a": 1}}}]}]}]}')$$);
SELECT pg_temp.located($$SELECT sigma.create_page('{"id": "doc_x", "children": [{"type": "button", "actions": ["doc_nowhere"]}]}')$$);

SELECT pg_temp.refused($$SELECT sigma.update_layout_element('doc_pag', '{"name": "x"}')$$);
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('doc_c', NULL)$$);
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('doc_c', '{"chart_type": "line"}')$$);
SELECT count(*) FROM sigma.sigma_layout_elements WHERE id ~ '^doc_[xy]';
DELETE FROM sigma.sigma_layout_elements;

-- sequences that stand in a document: they are created in the same call and start where they stand
SELECT sigma.create_page('{"id": "doc_page", "children": [
    {"id": "doc_modal", "type": "modal", "on_open": {"actions": [{"type": "modal", "subtype": "close", "target": "doc_modal"}]}, "on_close": {"id": "doc_closed", "name": "Closed", "actions": [{"type": "navigation", "subtype": "open_link", "target": "https://example.com"}]}},
    {"id": "doc_go", "type": "button", "text": "Go", "actions": [
        {"actions": [{"type": "modal", "subtype": "open", "target": "doc_modal"}]},
        {"trigger": {"type": "manual"}, "actions": [{"type": "navigation", "subtype": "open_link", "target": "https://example.com"}]}]}]}');
SELECT id, config FROM sigma.sigma_layout_elements WHERE config IS NOT NULL ORDER BY id;
SELECT id, name, trigger, actions->0->>'target' FROM sigma.sigma_action_sequences ORDER BY id;
-- by id they are named, and must exist
SELECT sigma.create_modal('{"id": "doc_second", "on_open": "doc_closed"}');
SELECT pg_temp.refused($$SELECT sigma.create_modal('{"id": "doc_x", "on_open": "doc_close"}')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET config = '{"on_open": "doc_nowhere"}' WHERE id = 'doc_second'$$);
SELECT pg_temp.refused($$SELECT sigma.create_modal('{"id": "doc_x", "on_open": {"actions": [{"type": "modal", "subtype": "opne", "target": "doc_x"}]}}')$$);
-- a change that adds one keeps the others
SELECT sigma.update_layout_element('doc_go', '{"actions": ["doc_go_1", {"actions": [{"type": "navigation", "subtype": "open_link", "target": "https://example.com"}]}, "doc_go_2"]}');
SELECT config FROM sigma.sigma_layout_elements WHERE id = 'doc_go';
SELECT count(*) FROM sigma.sigma_action_sequences WHERE id ~ '^doc_';
DELETE FROM sigma.sigma_layout_elements;
SELECT id FROM sigma.sigma_action_sequences WHERE id ~ '^doc_';

-- a control has a variable: its own id, unless it names another
SELECT sigma.create_page('{"id": "doc_page", "children": [
    {"id": "doc_region", "type": "control", "control_type": "list", "default_value": ["West"]},
    {"id": "doc_from", "type": "control", "control_type": "date", "variable": "doc_day"},
    {"id": "doc_to", "type": "control", "control_type": "date", "variable": "doc_day"},
    {"id": "doc_flag", "type": "control", "control_type": "switch"},
    {"id": "doc_amount", "type": "control", "control_type": "number-range"}]}');
SELECT id, kind, type, default_value FROM sigma.sigma_variables WHERE id ~ '^doc_' ORDER BY id;
DELETE FROM sigma.sigma_layout_elements WHERE id IN ('doc_region', 'doc_from');
SELECT id FROM sigma.sigma_variables WHERE id ~ '^doc_' ORDER BY id;
DELETE FROM sigma.sigma_layout_elements;
SELECT id FROM sigma.sigma_variables WHERE id ~ '^doc_' ORDER BY id;

-- sources: an input table, an element or a relation
SELECT sigma.create_input_table('{"id": "doc_sales", "columns": [{"name": "Region", "type": "text"}, {"name": "Amount", "type": "number"}]}');
SELECT sigma.create_page('{"id": "doc_page", "children": [
    {"id": "doc_grid", "type": "input_table", "source": "doc_sales", "columns": ["Region", "Amount"]},
    {"id": "doc_chart", "type": "chart", "source": "doc_grid"}, {"id": "doc_rel", "type": "table", "source": "pg_catalog.pg_class"},
    {"id": "doc_form", "type": "form", "input_table": "doc_sales"}]}');
SELECT pg_temp.refused($$SELECT sigma.create_chart('{"id": "doc_x", "parent_id": "doc_page", "source": "doc_nowhere"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_chart('{"id": "doc_x", "parent_id": "doc_page", "source": "no such.relation \"at all"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_form('{"id": "doc_x", "parent_id": "doc_page", "input_table": "doc_nowhere"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_layout_element('{"id": "doc_x", "type": "input_table", "parent_id": "doc_page", "source": "doc_sales", "columns": ["Region", "Amuont"]}')$$);
-- in one statement, whatever comes first
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id, config) VALUES
    ('doc_late_chart', 'chart', 'doc_page', '{"source": "doc_late_grid"}'), ('doc_late_grid', 'table', 'doc_page', '{"source": "doc_sales"}');
DELETE FROM sigma.sigma_layout_elements;
SELECT sigma.delete_input_table('doc_sales', purge => true);
