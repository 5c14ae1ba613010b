-- formulas in settings of layout elements: checked and stored in their canonical form
\pset format unaligned
\pset tuples_only on
SELECT sigma.create_input_table('{"id": "fl_books", "columns": [{"name": "Title", "type": "text"}, {"name": "Price", "type": "number"}]}');
CREATE TABLE fl_plain (code text, price numeric);

-- filters see the rows of the source: an input table, a relation, an element that shows one
SELECT sigma.create_page('{"id": "fl_page", "title": "Books until {{Text( [Control/fl_top] )}}: {{If([Control/fl_top]>1,\"all\",\"none\")}}", "children": [
    {"id": "fl_control", "type": "control", "control_type": "number", "variable": "fl_top"},
    {"id": "fl_table", "type": "input_table", "source": "fl_books", "filter": "[price]<[fl_top] and Contains( [Title],\"x\" )"},
    {"id": "fl_again", "type": "table", "source": "fl_table", "filter": "[Price] > [Control/nobody]"},
    {"id": "fl_plain", "type": "table", "source": "public.fl_plain", "filter": "[Code] = [Selection/Title] or [price] > 1"},
    {"id": "fl_match", "type": "table", "source": "fl_books", "filter": {"match": {"Title": {"op": "in", "value": ["a", "[Control/b]"]}, "Price": {"type": "formula", "formula": "1+1"}}}},
    {"id": "fl_unknown", "type": "table", "filter": "[x]=1"},
    {"id": "fl_form", "type": "form", "input_table": "fl_books", "fields": [{"column": "Price", "label": "{{[Control/fl_top]}} or {{ 1 + 1 }}",
        "default_value": {"type": "formula", "formula": "[Control/fl_top]+1"}}]},
    {"id": "fl_text", "type": "text", "content": "{{Now()}} {{{{ [Selection/Title]"}]}');
SELECT id, config - 'children' FROM sigma.sigma_layout_elements WHERE id LIKE 'fl\_%' ORDER BY id;

-- refused: SQLSTATE, message, place, hint
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused.sql'
\i :include
CREATE FUNCTION pg_temp.element(doc jsonb) RETURNS text LANGUAGE sql AS
    $$SELECT pg_temp.refused(format('SELECT sigma.create_layout_element(%L)', doc || '{"id": "fl_refused"}'))$$;
SELECT f, pg_temp.element(jsonb_build_object('type', 'table', 'source', 'fl_books', 'filter', f))
FROM (VALUES ('[Titel] = "x"'), ('[Price]'), ('[Title] > 1'), ('[fl_topp] > 1'), ('[Price] >'), ('Upperr([Title]) = "X"'), ('')) x (f);
SELECT pg_temp.element('{"type": "table", "source": "fl_table", "filter": "[x] = 1"}');
SELECT pg_temp.element('{"type": "table", "source": "pg_catalog.pg_class", "filter": "[relname] = 1"}');
SELECT pg_temp.element('{"type": "table", "source": "fl_books", "filter": {"formula": "[x] = 1"}}');
SELECT pg_temp.element('{"type": "table", "source": "fl_books", "filter": {"match": {"Titel": 1}}}');
SELECT pg_temp.element('{"type": "table", "source": "fl_books", "filter": {"match": {"Title": {"type": "formula", "formula": "1 + \"a\""}}}}');
SELECT pg_temp.element('{"type": "table", "source": "fl_books", "filter": {"row_id": {"type": "formula", "formula": "1 + \"a\""}}}');
SELECT pg_temp.element('{"type": "page", "title": "a {{[Control/a] & }}"}');
SELECT pg_temp.element('{"type": "page", "title": "a {{1 + \"a\"}}"}');
SELECT pg_temp.element('{"type": "modal", "primary_button": {"text": "{{Noww()}}"}}');
SELECT pg_temp.element('{"type": "form", "input_table": "fl_books", "fields": [{"column": "Price", "default_value": {"type": "formula", "formula": "[fl_nowhere/a] + 1"}}]}');
SELECT pg_temp.element('{"type": "control", "control_type": "list", "values": [1, {"type": "formula", "formula": "1 + \"a\""}]}');
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET config = '{"content": "{{1 + }}"}' WHERE id = 'fl_text'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET config = jsonb_set(config, '{filter}', '"[Titel] = 1"') WHERE id = 'fl_table'$$);
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('fl_text', '{"content": "{{1 + \"a\"}}"}')$$);
-- another spelling of the same formula is the same setting
SELECT sigma.update_layout_element('fl_table', '{"filter": "( [price] < [fl_top] ) AND (contains([Title], ''x''))"}');
SELECT config ->> 'filter' FROM sigma.sigma_layout_elements WHERE id = 'fl_table';
-- a restore looks at nothing outside of the row
BEGIN;
SET LOCAL check_function_bodies = off;
INSERT INTO sigma.sigma_layout_elements (id, type, config) VALUES ('fl_restored', 'table', '{"source": "fl_later", "filter": "[a] + 1"}');
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type, config) VALUES ('fl_broken', 'table', '{"filter": "[a] +"}')$$);
ROLLBACK;

SELECT sigma.delete_layout_element('fl_page');
SELECT sigma.delete_input_table('fl_books', purge => true);
DROP TABLE fl_plain;
