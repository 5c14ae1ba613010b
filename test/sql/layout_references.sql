-- What settings name must exist, and stays named: sources, columns, tabs; the nearest name is a hint.
\set SHOW_CONTEXT never
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused_lines.sql'
\i :include
CREATE FUNCTION pg_temp.element(settings jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.refused(format('SELECT sigma.create_layout_element(%L)', '{"id": "ref_x", "parent_id": "ref_page"}' || settings))
$$;
CREATE FUNCTION pg_temp.warnings(root text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT line FROM regexp_split_to_table(sigma.render_layout(root), E'\n') WITH ORDINALITY AS t(line, n) WHERE line ~ '⚠' ORDER BY n
$$;
\pset format unaligned
\pset tuples_only on
CREATE TABLE public.ref_sales (id int PRIMARY KEY, "Sold At" date, amount numeric);
SELECT sigma.create_input_table('{"id": "ref_plan", "columns": [{"name": "Region", "type": "text"}, {"name": "Amount", "type": "number"}, {"name": "Day", "type": "date"}]}');
SELECT sigma.create_input_table('{"id": "ref_linked", "type": "linked", "source": "public.ref_sales", "key_columns": ["id"], "linked_columns": [{"column": "amount", "name": "Revenue"}],
    "columns": [{"name": "Note", "type": "text"}, {"name": "Twice", "type": "number", "formula": "[Revenue] * 2"}]}');
SELECT sigma.create_page('{"id": "ref_page", "children": [
    {"id": "ref_grid", "type": "table", "source": "ref_plan", "columns": ["Region", {"column": "Amount", "aggregate": "Average"}], "sort": ["Amount"], "filter": "[Amount] > 1"},
    {"id": "ref_chart", "type": "chart", "source": "ref_grid", "x": "Region", "y": ["Amount"], "series": "Region"},
    {"id": "ref_pivot", "type": "pivot", "source": "ref_chart", "rows": ["Region"], "columns": ["Day"], "values": [{"column": "Amount", "aggregate": "sum"}]},
    {"id": "ref_list", "type": "control", "control_type": "list", "source": "ref_grid", "column": "Region"},
    {"id": "ref_form", "type": "form", "input_table": "ref_plan", "fields": ["Region"]},
    {"id": "ref_relation", "type": "table", "source": "public.ref_sales", "columns": ["sold at", "AMOUNT"]},
    {"id": "ref_linked_grid", "type": "input_table", "source": "ref_linked", "columns": ["id", "Revenue", "Note", "Twice", "sigma_updated_at"]},
    {"id": "ref_text", "type": "text", "content": "{{Sum([ref_plan/Amount])}}"},
    {"id": "ref_tabs", "type": "tabs", "default_tab": "Two", "tabs": [{"id": "ref_one", "label": "One"}, {"id": "ref_two", "label": "Two"}, {"id": "ref_three", "label": "Three"}]}]}');
SELECT * FROM pg_temp.warnings('ref_page');

-- columns of every kind of source, in every setting
SELECT pg_temp.element('{"type": "chart", "source": "ref_chart", "x": "Regoin"}');
SELECT pg_temp.element('{"type": "chart", "source": "ref_plan", "x": "Region", "y": ["Amount", "Nothing"]}');
SELECT pg_temp.element('{"type": "chart", "source": "public.ref_sales", "series": "amuont"}');
SELECT pg_temp.element('{"type": "table", "source": "public.ref_sales", "columns": [{"column": "id"}, {"column": "no"}]}');
SELECT pg_temp.element('{"type": "table", "source": "ref_grid", "sort": [{"column": "Amont", "direction": "desc"}]}');
SELECT pg_temp.element('{"type": "pivot", "source": "ref_grid", "rows": ["Dy"]}');
SELECT pg_temp.element('{"type": "pivot", "source": "ref_grid", "values": [{"column": "Amount", "aggregate": "summ"}]}');
SELECT pg_temp.element('{"type": "table", "source": "ref_linked", "columns": ["amount"]}');
SELECT pg_temp.element('{"type": "table", "source": "ref_grid", "filter": {"match": {"Regin": "x"}}}');
SELECT pg_temp.element('{"type": "table", "source": "public.ref_sales", "filter": "[amuont] > 1"}');
SELECT pg_temp.element('{"type": "control", "control_type": "list", "source": "ref_chart", "column": "Regin"}');
SELECT pg_temp.element('{"type": "form", "input_table": "ref_plan", "fields": [{"column": "Regin"}]}');
-- sources: the nearest name, what has rows, and not one's own
SELECT pg_temp.element('{"type": "table", "source": "ref_plna"}');
SELECT pg_temp.element('{"type": "chart", "source": "ref_chrat"}');
SELECT pg_temp.element('{"type": "chart", "source": "nothing like it at all"}');
SELECT pg_temp.element('{"type": "form", "input_table": "ref_grid"}');
SELECT pg_temp.element('{"type": "form", "input_table": "public.ref_sales"}');
SELECT pg_temp.element('{"type": "chart", "source": "ref_text"}');
SELECT pg_temp.element('{"type": "chart", "source": "ref_x"}');
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('ref_grid', '{"source": "ref_pivot", "filter": null}')$$);
SELECT pg_temp.element('{"type": "text", "parent_id": "ref_pag"}');
SELECT pg_temp.element('{"type": "container", "children": ["ref_tex"]}');
SELECT pg_temp.element('{"type": "modal", "on_close": "ref_sequence"}');
-- of an element without a source nothing is known yet
SELECT pg_temp.element('{"type": "table"}');
SELECT sigma.create_chart('{"id": "ref_y", "parent_id": "ref_page", "source": "ref_x", "x": "anything"}');
SELECT sigma.delete_layout_element('ref_y'), sigma.delete_layout_element('ref_x');

-- the default tab: a label is followed, a tab that is shown first neither goes nor leaves
SELECT sigma.update_layout_element('ref_two', '{"label": "Second"}');
SELECT config ->> 'default_tab' FROM sigma.sigma_layout_elements WHERE id = 'ref_tabs';
SELECT pg_temp.refused($$SELECT sigma.delete_layout_element('ref_two')$$);
SELECT pg_temp.refused($$DELETE FROM sigma.sigma_layout_elements WHERE id IN ('ref_two', 'ref_one')$$);
SELECT sigma.create_tabs('{"id": "ref_others", "parent_id": "ref_page"}');
SELECT pg_temp.refused($$SELECT sigma.move_layout_element('ref_two', 'ref_others')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET parent_id = 'ref_others', config = '{"label": "Third"}' WHERE id = 'ref_two'$$);
SELECT sigma.move_layout_element('ref_one', 'ref_others');
SELECT sigma.update_layout_element('ref_tabs', '{"default_tab": 1}');
SELECT pg_temp.refused($$SELECT sigma.delete_layout_element('ref_three')$$);
SELECT sigma.update_layout_element('ref_tabs', '{"default_tab": "ref_three"}');
SELECT sigma.delete_layout_element('ref_two');
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('ref_tabs', '{"default_tab": "ref_thre"}')$$);
SELECT sigma.delete_layout_element('ref_tabs'), sigma.delete_layout_element('ref_others');
-- tabs may come one by one
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id, config) VALUES ('ref_tabs', 'tabs', 'ref_page', '{"default_tab": "ref_b"}');
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('ref_a', 'tab', 'ref_tabs');
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('ref_b', 'tab', 'ref_tabs');
SELECT sigma.delete_layout_element('ref_tabs');

-- what is gone all the same is told
\set VERBOSITY terse
SELECT sigma.drop_column('ref_plan', 'Amount', cascade => true);
ALTER TABLE public.ref_sales RENAME "Sold At" TO sold;
SELECT * FROM pg_temp.warnings('ref_page');
SELECT sigma.delete_input_table('ref_plan', cascade => true);
SELECT * FROM pg_temp.warnings('ref_page');
SELECT sigma.delete_layout_element('ref_page');
SELECT sigma.delete_input_table('ref_linked', purge => true), sigma.delete_input_table('ref_plan', purge => true);
DROP TABLE public.ref_sales;
