-- A row is stored as sigma.check_document() says its document is, or refused as there:
-- whether it has to be brought into that form or stands in it already.
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.stored(element jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    row sigma.sigma_layout_elements; checked jsonb; answer text; message text; detail text; wanted text;
BEGIN
    BEGIN
        checked = sigma.check_document('element', element);
        wanted = 'ok';
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS wanted = MESSAGE_TEXT;
    END;
    BEGIN
        INSERT INTO sigma.sigma_layout_elements (id, type, config) VALUES ('rows_1', element->>'type', element - 'type' - 'id') RETURNING * INTO row;
        answer = coalesce(row.config::text, 'no settings');
        message = 'ok';
        IF checked IS DISTINCT FROM jsonb_strip_nulls(jsonb_build_object('type', row.type)) || coalesce(row.config, '{}') THEN
            answer = answer || ' but checked: ' || coalesce(checked::text, wanted);
        END IF;
        DELETE FROM sigma.sigma_layout_elements;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
        answer = concat_ws('; ', message, detail);
    END;
    RETURN CASE WHEN (wanted = 'ok') <> (message = 'ok') THEN answer || ' but checked: ' || wanted ELSE answer END;
END
$$;
\pset format unaligned
\pset tuples_only on
-- as they are stored
SELECT e, pg_temp.stored(e::jsonb) FROM (VALUES
    ('{"type": "text", "content": "x", "alignment": "left", "grid": {"row": 3, "width": 2, "column": 23}}'),
    ('{"type": "text", "content": "", "visible": false, "style": {"font_size": 12, "deep": [{"a_b": null}]}}'),
    ('{"type": "text", "content": "one { brace } and \"quotes\""}'),
    ('{"type": "page", "title": "Home", "spacing": "small", "padding": true, "background_color": "#0af"}'),
    ('{"type": "container", "max_nesting": 2, "corner_style": "pill", "background_color": "rgb(0 0 0 / 50%)"}'),
    ('{"type": "modal", "title": "M", "width": "lg", "primary_button": {"text": "Save", "variant": "primary"}, "show_footer": true}'),
    ('{"type": "divider", "orientation": "vertical", "color": "teal"}'),
    ('{"type": "plugin", "settings": {"anyThing": {"at": ["all"]}, "Two": null}}'),
    ('{"type": "button", "text": "[Home"}')) AS v(e);
-- brought into that form
SELECT e, pg_temp.stored(e::jsonb) FROM (VALUES
    ('{"type": "text", "text": "an alias", "alignment": "start"}'),
    ('{"type": "text", "content": "[Control/c]"}'),
    ('{"type": "text", "content": null, "grid": {}}'),
    ('{"type": "text", "grid": {"row": 1.0, "column": 2.00}}'),
    ('{"type": "text", "isVisible": true, "style": {"fontSize": 12}}'),
    ('{"type": "text", "styling": {"a": {"bC": 1}}}'),
    ('{"type": "text", "size": {"width": 3, "height": 2}}'),
    ('{"type": "page", "grid_density": "high", "element_gap": 4}'),
    ('{"type": "container", "border": {"width": 1.0}}'),
    ('{"type": "text", "created_at": "2020-01-01", "loading": true}')) AS v(e);
-- refused
SELECT e, pg_temp.stored(e::jsonb) FROM (VALUES
    ('{"type": "text", "contents": "x"}'),
    ('{"type": "text", "content": 1}'),
    ('{"type": "text", "content": "x", "text": "y"}'),
    ('{"type": "text", "content": "{{1 +}}"}'),
    ('{"type": "text", "content": "{{"}'),
    ('{"type": "text", "alignment": "up"}'),
    ('{"type": "text", "visible": "yes"}'),
    ('{"type": "text", "background_color": "#0af;x"}'),
    ('{"type": "text", "background_color": "#12345"}'),
    ('{"type": "text", "style": [1]}'),
    ('{"type": "text", "style": {"fontSize": 1, "font_size": 2}}'),
    ('{"type": "text", "grid": {"column": 0}}'),
    ('{"type": "text", "grid": {"column": 25}}'),
    ('{"type": "text", "grid": {"column": 1.5}}'),
    ('{"type": "text", "grid": {"row": 3000000000}}'),
    ('{"type": "text", "grid": {"column": 20, "width": 6}}'),
    ('{"type": "text", "grid": {"column": 1, "depth": 1}}'),
    ('{"type": "text", "grid": "1 / 2"}'),
    ('{"type": "text", "on_click": "x"}'),
    ('{"type": "container", "max_nesting": 5}'),
    ('{"type": "modal", "primary_button": {"label": "a", "text": "b"}}'),
    ('{"type": "page", "position": "first"}')) AS v(e);
-- what has a column of its own does not stand among the settings too
SELECT pg_temp.stored('{"type": "text", "content": "x"}' || jsonb_build_object('config', jsonb_build_object('content', 'y')));
INSERT INTO sigma.sigma_layout_elements (id, type, config) VALUES ('rows_2', 'text', '{"content": "x", "type": "text"}');
INSERT INTO sigma.sigma_layout_elements (id, type, "position", config) VALUES ('rows_2', 'text', 1, '{"content": "x", "position": 1}');
INSERT INTO sigma.sigma_layout_elements (id, type, config) VALUES ('rows_2', 'text', '{"content": "x", "metadata": {"a": 1}, "name": "n", "position": 7}')
    RETURNING config, metadata, name, "position";
INSERT INTO sigma.sigma_layout_elements (id, type, config) VALUES ('rows_3', 'text', '[]');
INSERT INTO sigma.sigma_layout_elements (id, type, config) VALUES ('rows_3', 'text', '{}') RETURNING config;
INSERT INTO sigma.sigma_layout_elements (id, type, name) VALUES ('rows_4', 'text', ' ');
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('rows_4', 'text', '');
INSERT INTO sigma.sigma_layout_elements (id, type) VALUES (' ', 'text');
INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('rows_4', 'Text') RETURNING type;
INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('rows_5', 'texts');
INSERT INTO sigma.sigma_layout_elements (id, type, metadata) VALUES ('rows_5', 'text', '[1]');
INSERT INTO sigma.sigma_layout_elements (id, type, metadata) VALUES ('rows_5', 'text', 'null') RETURNING metadata;
INSERT INTO sigma.sigma_layout_elements (id, type, "position") VALUES ('rows_6', 'text', -1);
-- a plain row among others: positions and levels go on, whoever comes first
DELETE FROM sigma.sigma_layout_elements;
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id, "position", config) VALUES
    ('rows_b', 'text', 'rows_form', NULL, NULL), ('rows_form', 'form', 'rows_page', NULL, NULL), ('rows_page', 'page', NULL, NULL, NULL),
    ('rows_c', 'text', 'rows_form', 5, '{"content": "x"}'), ('rows_d', 'text', 'rows_form', NULL, '{"text": "x"}'), ('rows_e', 'text', 'rows_form', NULL, NULL),
    ('rows_f', 'text', NULL, NULL, NULL), ('rows_g', 'button', 'rows_page', NULL, NULL)
    RETURNING id, parent_id, "position", nesting_level, children, status, created_at = updated_at;
SELECT id, "position", nesting_level, children FROM sigma.sigma_layout_elements ORDER BY id COLLATE "C";
DELETE FROM sigma.sigma_layout_elements;
