-- The layout as a web page: what stands in it, whose rows, and that nothing leaves its place.
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused_lines.sql'
\i :include
-- the page without what is constant: one tag a line
CREATE FUNCTION pg_temp.body(root text, context jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(regexp_replace(regexp_replace(sigma.render_html(root, context), '^.*</symbol></svg>', ''),
        '<div class="toasts".*$', ''), '(<(?!/|use|/svg))', E'\n\\1', 'g')
$$;
-- the lines of it that match
CREATE FUNCTION pg_temp.lines(root text, pattern text, context jsonb DEFAULT '{}') RETURNS SETOF text LANGUAGE sql AS $$
    SELECT line FROM regexp_split_to_table(pg_temp.body(root, context), E'\n') AS line WHERE line ~ pattern
$$;

-- The document
SELECT sigma.create_page('{"id": "html_page", "name": "First <page>", "children": [
    {"id": "html_box", "type": "container", "name": "Box", "grid_density": 6, "spacing": "small", "padding": false, "background_color": "#102030", "border": {"width": 2, "color": "teal"}, "corner_style": "pill",
     "grid": {"column": 3, "row": 2, "width": 20, "height": 4}, "children": [
        {"id": "html_text", "type": "text", "content": "## Title\n- **one**\n- {{1 + 1}}\n\nplain * text", "alignment": "center"},
        {"id": "html_hidden", "type": "text", "content": "x", "visible": false, "interactive": false}]}]}');
SELECT pg_temp.body('html_page');
SELECT regexp_replace(substring(sigma.render_html('html_page') FROM '^.*?<style>'), 'sha256-[^'']*', 'sha256-');
-- the policy names the one script
SELECT html LIKE '%''sha256-' || encode(sha256(convert_to(substring(html FROM '<script>(.*)</script>'), 'UTF8')), 'base64') || '''%' AS named,
       (SELECT count(*) FROM regexp_matches(html, '<script', 'g')) AS scripts, html ~ '</script></body></html>\n$' AS ends
FROM sigma.render_html('html_page') AS html;
SELECT pg_temp.refused($$SELECT sigma.render_html('html_pag')$$);
SELECT pg_temp.refused($$SELECT sigma.render_html('html_page', '[]')$$);
SELECT pg_temp.refused($$SELECT sigma.render_html('html_page', '{"mode": "drft"}')$$);
-- an element alone stands on a page of its own; null context is an empty one
SELECT line FROM regexp_split_to_table(pg_temp.body('html_text', NULL), E'\n') AS line LIMIT 4;
-- what is missing is nothing; braces can stand for themselves
UPDATE sigma.sigma_layout_elements SET config = config || '{"content": "{{1 / 0}} and {{[Control/html_missing]}} and {{{{"}' WHERE id = 'html_text';
SELECT * FROM pg_temp.lines('html_page', '<p>');
-- bold is what stands between two pairs of stars of one line
UPDATE sigma.sigma_layout_elements SET config = config || jsonb_build_object('content', E'**a** b **c**d\n\na ** b\n\n**** *e* ***f***\n\n**g\nh**') WHERE id = 'html_text';
SELECT * FROM pg_temp.lines('html_page', '<p>|<strong>|<br>');
UPDATE sigma.sigma_layout_elements SET config = config || jsonb_build_object('content', repeat(E'** \n', 200000)) WHERE id = 'html_text';
SELECT length(sigma.render_html('html_page')) > 1000000;
SELECT sigma.delete_layout_element('html_page');

-- Tabs, dialogs, popovers; what a page does by itself, and what it leaves to a client
SELECT sigma.create_modal('{"id": "html_done", "title": "Done {{1 + 2}}", "width": "sm", "prevent_close_on_overlay": true, "children": [{"id": "html_ok", "type": "text", "content": "fine"}],
    "primary_button": {"text": "Close"}, "secondary_button": {"text": "No", "visible": false}}');
SELECT sigma.create_page('{"id": "html_desk", "name": "Desk", "children": [
    {"id": "html_tabs", "type": "tabs", "name": "Views", "default_tab": "Second", "tab_style": "button", "tabs": [
        {"id": "html_one", "label": "First", "children": [{"id": "html_in", "type": "divider", "color": "rgb(0 0 0 / 50%)"}]},
        {"id": "html_two", "label": "Second"}, {"id": "html_three", "label": "Third", "disabled": true}]},
    {"id": "html_open", "type": "button", "text": "Open", "actions": [{"id": "html_seq_open", "name": "open", "actions": [
        {"type": "modal", "subtype": "open", "target": "html_done"}, {"type": "tabs", "subtype": "select", "target": "html_tabs", "parameters": {"index": 0}}]}]},
    {"id": "html_link", "type": "button", "text": "Go", "variant": "text", "disabled": true, "actions": [{"id": "html_seq_link", "name": "link", "actions": [
        {"type": "navigation", "subtype": "open_link", "target": "https://example.com/?a=1&b=''", "parameters": {"open_in": "_blank"}}]}]},
    {"id": "html_bad", "type": "button", "text": "Bad", "actions": [{"id": "html_seq_bad", "name": "bad", "actions": [
        {"type": "navigation", "subtype": "open_link", "target": "JavaScript:alert(1)"}]}]},
    {"id": "html_run", "type": "button", "text": "Run", "actions": [{"id": "html_seq_run", "name": "run", "actions": [
        {"type": "control", "subtype": "set_value", "target": "html_c", "parameters": {"value": "[Control/html_c]"}}, {"type": "modal", "subtype": "open", "target": "html_done"}]}]},
    {"id": "html_c", "type": "control", "control_type": "switch", "label": "On"},
    {"id": "html_side", "type": "drawer", "title": "Side", "side": "start", "width": "xs"},
    {"id": "html_pop", "type": "popover", "label": "More", "children": [{"id": "html_popped", "type": "text", "content": "inside"}]}]}');
SELECT pg_temp.body('html_desk');
-- paused sequences start nothing; a dialog that nobody of the page opens is not in it
UPDATE sigma.sigma_action_sequences SET is_paused = true WHERE id IN ('html_seq_open', 'html_seq_run');
SELECT * FROM pg_temp.lines('html_desk', 'html_open|html_done|<dialog');
SELECT * FROM pg_temp.lines('html_done', '<dialog|<main');
-- all pages: one is shown, dialogs once
SELECT sigma.create_page('{"id": "html_second", "name": "Second"}');
SELECT * FROM pg_temp.lines(NULL, 'role="tab"|<main|<dialog');
DELETE FROM sigma.sigma_layout_elements WHERE parent_id IS NULL;
SELECT pg_temp.body(NULL);
-- what opening, closing and submitting start
SELECT sigma.create_input_table('{"id": "html_asked", "columns": [{"name": "Why", "type": "text"}]}');
SELECT sigma.create_page('{"id": "html_starts", "children": [
    {"id": "html_ask", "type": "modal", "title": "Ask", "on_open": {"id": "html_opened", "actions": [{"type": "notify", "parameters": {"channel": "c", "subject": "s"}}]},
     "on_close": {"id": "html_closed", "actions": [{"type": "notify", "parameters": {"channel": "c", "subject": "s"}}]}, "children": [
        {"id": "html_why", "type": "form", "input_table": "html_asked", "submit_sequence": {"id": "html_submitted", "actions": [{"type": "notify", "parameters": {"channel": "c", "subject": "{{[Form/Why]}}"}}]}}]},
    {"id": "html_asks", "type": "button", "text": "Ask", "actions": [{"actions": [{"type": "modal", "subtype": "open", "target": "html_ask"}]}]},
    {"id": "html_plug", "type": "plugin", "plugin_id": "gantt", "url": "https://example.com/{{1 + 1}}"},
    {"id": "html_slide", "type": "control", "control_type": "range-slider", "label": "Between", "min": 5}]}');
SELECT * FROM pg_temp.lines('html_starts', 'data-sigma-(on-open|submit|plugin|unset)');
SELECT sigma.delete_layout_element('html_starts'), sigma.delete_input_table('html_asked', true);

-- Input tables, forms
SELECT sigma.create_input_table('{"id": "html_plan", "name": "Plan", "data_entry_permission": "draft", "columns": [
    {"name": "Name", "type": "text", "required": true, "validation": {"min_length": 2, "max_length": 40, "pattern": "^[A-Z][^<>]*-?[a-z.-]$", "message": "A name begins with a capital."}},
    {"name": "Kind", "type": "dropdown", "default_value": "b", "validation": {"values": ["a", "b", "c<d"]}},
    {"name": "Cost", "type": "number", "validation": {"min": 0, "max": 99.5, "scale": 2}},
    {"name": "Count", "type": "integer", "validation": {"min": -3}},
    {"name": "Day", "type": "date", "default_value": {"formula": "DateFromUnix(1600000000)"}, "validation": {"min": "2020-01-01"}},
    {"name": "At", "type": "datetime"},
    {"name": "Mail", "type": "text", "validation": {"format": "email", "pattern": "(?i)x"}},
    {"name": "Page", "type": "text", "validation": {"format": "url"}},
    {"name": "Done", "type": "checkbox", "required": true},
    {"name": "Tags", "type": "multi-select", "validation": {"values": ["x", "y"]}},
    {"name": "More", "type": "json"},
    {"name": "Paper", "type": "file"},
    {"name": "Fixed", "type": "text", "editable": false},
    {"name": "Double", "type": "number", "formula": "[Cost] * 2"}], "validation_rules": {"Mail": {"required": true}}}');
INSERT INTO sigds.sigds_html_plan ("Name", "Kind", "Cost", "Count", "Day", "At", "Mail", "Page", "Done", "Tags", "More", "Paper") VALUES
    ('Ada-x', 'a', 12.5, 12000, '2026-03-01', '2026-03-01 10:00', 'a@example.com', 'https://example.com/?q=%3Cb%3E&r=1', true, '{x,y}', '{"a": "<i>"}', '{"name": "p<d>f", "url": "javascript:alert(1)"}'),
    ('Bob-y', 'c<d', NULL, -1, NULL, NULL, 'b@example.com', 'https://b.example', false, NULL, NULL, '{"name": "q", "url": "https://example.com/q"}');
SELECT sigma.create_page('{"id": "html_entry", "name": "Entry", "children": [
    {"id": "html_grid", "type": "input_table", "source": "html_plan", "sort": [{"column": "Cost", "direction": "desc"}]},
    {"id": "html_form", "type": "form", "title": "New", "input_table": "html_plan", "secondary_button": {"text": "Reset"},
     "fields": [{"column": "Name", "label": "What {{1 + 1}}", "placeholder": "a \"name\"", "default_value": "Ann-e"}, "Day", "Fixed", "Double"]}]}');
SELECT pg_temp.body('html_entry', '{"form": {"Day": "2026-05-06"}}');
-- a form with a column that is gone says so
SET session_replication_role = replica;
UPDATE sigma.sigma_layout_elements SET config = jsonb_set(config, '{fields}', '["Nme"]') WHERE id = 'html_form';
RESET session_replication_role;
SELECT * FROM pg_temp.lines('html_form', '<form|strong|span|button');

-- draft and published, as the mode says; entry where that version is edited
SELECT mode, string_agg(line, ' ') FROM unnest(ARRAY['auto', 'draft', 'published']) AS mode,
    LATERAL pg_temp.lines('html_grid', 'badge|card-head|muted|Add row|"none"', jsonb_build_object('mode', mode)) AS line GROUP BY 1 ORDER BY 1;
SELECT sigma.publish('html_plan') IS NOT NULL;
INSERT INTO sigds.sigds_html_plan ("Name", "Mail", "Done") VALUES ('Cyd-z', 'c@example.com', true);
SET sigma.mode = 'published';
SELECT * FROM pg_temp.lines('html_grid', 'muted|Add row|<tr data');
RESET sigma.mode;
-- rows: so many, the next ones, a filter with a control
SELECT * FROM pg_temp.lines('html_grid', '<tr data|pager|range', '{"row_limit": 1}');
SELECT * FROM pg_temp.lines('html_grid', '<tr data|pager|range', '{"row_limit": 1, "pages": {"html_grid": 3}}');
SELECT sigma.create_control('{"id": "html_kind", "control_type": "list", "source": "html_plan", "column": "Kind", "parent_id": "html_entry"}');
SELECT sigma.update_layout_element('html_grid', '{"filter": "[Kind] = [Control/html_kind]", "columns": ["Name", {"column": "Cost", "label": "What it <costs>", "width": 90, "format": "<$>,.2f"}, {"column": "Kind", "visible": false}]}');
SELECT * FROM pg_temp.lines('html_entry', '<th|<td|<option', '{"controls": {"html_kind": "c<d"}}');
SELECT sigma.update_layout_element('html_grid', '{"filter": {"match": {"Kind": {"op": "in", "value": ["a", "\"b\\"]}, "Day": {"op": ">=", "value": "2026-01-01"}, "Cost": {"op": "is_not_null"}}}}');
SELECT * FROM pg_temp.lines('html_entry', '<td|note');
SELECT sigma.update_layout_element('html_grid', '{"filter": {"key": {"Name": "Bob-y"}}}');
SELECT * FROM pg_temp.lines('html_entry', '<td');
SELECT sigma.update_layout_element('html_kind', '{"required": true}');
SELECT * FROM pg_temp.lines('html_entry', 'note|<strong|Choose|<td');
SELECT sigma.delete_layout_element('html_entry');

-- rights: who may not read sees what he may, and why not the rest
CREATE ROLE regress_html_viewer;
CREATE ROLE regress_html_editor;
SELECT sigma.grant_access('regress_html_viewer', 'viewer');
SELECT sigma.grant_access('regress_html_editor', 'editor');
CREATE TABLE public.html_secret (a int);
SELECT sigma.create_page('{"id": "html_rights", "name": "Rights", "children": [
    {"id": "html_r1", "type": "input_table", "source": "html_plan", "columns": ["Name"]}, {"id": "html_r2", "type": "table", "source": "public.html_secret", "title": "Secret"},
    {"id": "html_r3", "type": "chart", "source": "public.html_secret", "x": "a"}, {"id": "html_r4", "type": "text", "content": "sum {{Sum([public.html_secret/a])}}"},
    {"id": "html_r5", "type": "text", "content": "by {{CurrentUserEmail()}}"}]}');
SET ROLE regress_html_viewer;
SELECT * FROM pg_temp.lines('html_rights', 'badge|muted|<td|strong|<span>|<p>|Add row', '{"user_id": "v@example.com"}');
RESET ROLE;
SET ROLE regress_html_editor;
SELECT * FROM pg_temp.lines('html_rights', 'badge|muted|<td|strong|Add row');
RESET ROLE;
SELECT sigma.delete_layout_element('html_rights');
DROP TABLE public.html_secret;
SELECT sigma.revoke_access('regress_html_viewer');
SELECT sigma.revoke_access('regress_html_editor');
DROP OWNED BY regress_html_viewer, regress_html_editor;
DROP ROLE regress_html_viewer, regress_html_editor;

-- Charts
CREATE TABLE public.html_sales (day date, region text, product text, amount numeric, score int);
INSERT INTO public.html_sales VALUES ('2026-01-15', 'East', 'pen', 10, 1), ('2026-01-20', 'West', 'pen', 20, 2), ('2026-03-02', 'East', 'ink', 5.5, 3),
    ('2026-06-02', 'East', '<b>ink</b>', -4, 4), ('2026-06-03', NULL, 'pen', 'NaN', 5), (NULL, 'West', 'cap', NULL, 6);
SELECT sigma.create_page('{"id": "html_charts", "name": "Charts"}');
CREATE FUNCTION pg_temp.chart(settings jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sigma.create_chart('{"id": "html_chart", "parent_id": "html_charts", "source": "public.html_sales", "grid": {"width": 6}}' || settings);
    RETURN QUERY SELECT * FROM pg_temp.lines('html_chart', '<h3|<svg|<rect|<path|<circle|<title|<text|<li|figure|<b>|<i |hint|strong|empty');
    RETURN QUERY SELECT string_agg(regexp_replace(line, '<[^>]*>', '', 'g'), ' ') FROM pg_temp.lines('html_chart', '<t[hd]') AS line;
    DELETE FROM sigma.sigma_layout_elements WHERE id = 'html_chart';
END
$$;
SELECT pg_temp.chart('{"x": "region", "y": "amount"}');
SELECT pg_temp.chart('{"chart_type": "line", "x": "day", "y": "amount", "series": "product", "aggregate": "max"}');
SELECT pg_temp.chart('{"chart_type": "area", "x": "day"}');
SELECT pg_temp.chart('{"chart_type": "scatter", "x": "score", "y": "amount"}');
SELECT pg_temp.chart('{"chart_type": "pie", "x": "region", "y": "amount", "title": "<Shares>"}');
SELECT pg_temp.chart('{"chart_type": "donut", "x": "product"}');
SELECT pg_temp.chart('{"chart_type": "kpi", "y": "amount", "aggregate": "median"}');
SELECT pg_temp.chart('{"chart_type": "funnel", "x": "product", "y": "score"}');
SELECT pg_temp.chart('{"chart_type": "combo", "x": "region", "y": ["score", "amount"], "sort": [{"column": "score", "direction": "desc"}]}');
SELECT pg_temp.chart('{"chart_type": "histogram", "x": "score"}');
SELECT pg_temp.chart('{"chart_type": "heatmap", "x": "region", "y": "score"}');
SELECT pg_temp.chart('{"x": "region", "y": "product", "aggregate": "sum"}');
SELECT pg_temp.chart('{"x": "region", "filter": "[region] = \"North\""}');
SELECT sigma.create_layout_element('{"id": "html_pivot", "type": "pivot", "parent_id": "html_charts", "source": "public.html_sales", "rows": ["region"], "columns": ["product"],
    "values": ["score", {"column": "amount", "aggregate": "avg", "label": "Mean"}]}');
SELECT * FROM pg_temp.lines('html_pivot', '<t');
SELECT sigma.delete_layout_element('html_charts');
DROP TABLE public.html_sales;

-- Controls
SELECT sigma.create_page('{"id": "html_controls", "name": "Controls", "children": [
    {"id": "html_c1", "type": "control", "control_type": "list", "label": "Regions", "multiple": true, "values": ["East", "West", "<East>"], "default_value": ["West", "<East>"]},
    {"id": "html_c2", "type": "control", "control_type": "segmented", "values": [1, 2, 3], "value_type": "number", "default_value": 2},
    {"id": "html_c3", "type": "control", "control_type": "number-range", "min": 0, "max": 10, "default_value": {"min": 2, "max": null}},
    {"id": "html_c4", "type": "control", "control_type": "date-range", "default_value": {"start": "2026-01-01", "end": "2026-02-01"}},
    {"id": "html_c5", "type": "control", "control_type": "slider", "min": 1, "max": 9, "step": 2},
    {"id": "html_c6", "type": "control", "control_type": "date"}, {"id": "html_c7", "type": "control", "control_type": "text", "placeholder": "\"><script>"},
    {"id": "html_c8", "type": "control", "control_type": "text-area"}, {"id": "html_c9", "type": "control", "control_type": "switch", "default_value": true},
    {"id": "html_c10", "type": "control", "control_type": "file-upload"}, {"id": "html_c11", "type": "control", "control_type": "number", "required": true, "default_value": 5, "disabled": true}]}');
SELECT * FROM pg_temp.lines('html_controls', '<label|<legend|<input|<select|<option|<textarea|<output', '{"controls": {"html_c5": 7, "html_c6": "2026-07-08 00:00:00", "html_c7": "\"><img src=x onerror=alert(1)>", "html_c8": "</textarea><b>"}}');
SELECT sigma.delete_layout_element('html_controls');

-- Nothing that users write is markup: names, labels, cells, values, addresses, colours
SELECT sigma.create_input_table(jsonb_build_object('id', 'html_evil', 'name', '</title></style></script><script>alert(1)</script>', 'columns', jsonb_build_array(
    jsonb_build_object('name', '"><img src=x onerror=alert(1)>', 'type', 'text', 'description', '<svg onload=alert(1)>'),
    jsonb_build_object('name', $$' onmouseover='alert(1)$$, 'type', 'dropdown', 'validation', jsonb_build_object('values', jsonb_build_array('<iframe src=//x>', '&lt;', '`'))),
    jsonb_build_object('name', '[a]/b\c', 'type', 'text'))));
SELECT accepted FROM jsonb_to_record(sigma.handle_data_entry('html_evil', jsonb_build_array(
    jsonb_build_object('"><img src=x onerror=alert(1)>', '</td></table><script>alert(1)</script>', $$' onmouseover='alert(1)$$, '<iframe src=//x>', '[a]/b\c', E'\x01 <!-- \x7f ]]> --> <?x ?>')))) AS t(accepted int);
SELECT sigma.create_page(jsonb_build_object('id', 'html_"><script>alert(1)</script>', 'name', '</title><script>alert(1)</script>', 'title', $$<h1 onclick="x">{{"</h1><script>" & "**a**"}}$$, 'children', jsonb_build_array(
    jsonb_build_object('id', 'html_e1', 'type', 'input_table', 'source', 'html_evil'),
    jsonb_build_object('id', 'html_e2', 'type', 'form', 'input_table', 'html_evil'),
    jsonb_build_object('id', 'html_e3', 'type', 'text', 'content', E'# <script>\n- {{"<b>" & "**x**" & "\\n# y"}}\n**<i>**'),
    jsonb_build_object('id', 'html_e4', 'type', 'image', 'url', 'javascript:alert(1)', 'alt', '"><b>'),
    jsonb_build_object('id', 'html_e5', 'type', 'image', 'url', 'data:image/svg+xml,<svg onload=alert(1)>'),
    jsonb_build_object('id', 'html_e6', 'type', 'image', 'url', 'https://example.com/a.png?x="&y=''<>', 'alt', 'A "picture"'),
    jsonb_build_object('id', 'html_e7', 'type', 'image', 'url', E' java\tscript:alert(1)'),
    jsonb_build_object('id', 'html_e8', 'type', 'plugin', 'plugin_id', '"><b>', 'url', 'javascript:alert(1)'),
    jsonb_build_object('id', 'html_e9', 'type', 'plugin', 'url', 'https://example.com/plugin'),
    jsonb_build_object('id', 'html_e10', 'type', 'chart', 'source', 'html_evil', 'x', '[a]/b\c', 'chart_type', 'bar'),
    jsonb_build_object('id', 'html_e11', 'type', 'control', 'control_type', 'legend', 'source', 'html_evil', 'column', $$' onmouseover='alert(1)$$),
    jsonb_build_object('id', 'html_e12', 'type', 'button', 'text', '</button><b>'),
    jsonb_build_object('id', 'html_e13', 'type', 'pivot', 'source', 'html_evil', 'rows', jsonb_build_array('"><img src=x onerror=alert(1)>')),
    jsonb_build_object('id', 'html_e14', 'type', 'popover', 'label', '<b>', 'title', '<i>'))));
-- past the triggers a row may hold anything
SET session_replication_role = replica;
UPDATE sigma.sigma_layout_elements SET config = '{"text": "x", "variant": "\"><b>", "background_color": "red;background:url(//x)", "style": {"color": "expression(alert(1))", "font_size": 1e9, "border_radius": "1px;x:y"},
    "border": {"width": 99, "color": "</style>"}, "corner_style": "\"", "grid": {"column": -4, "width": 100000, "row": "x"}, "size": "<b>"}' WHERE id = 'html_e12';
RESET session_replication_role;
SELECT pg_temp.body(id) FROM sigma.sigma_layout_elements WHERE id LIKE 'html\_"%';
-- the tags and attributes of the whole page, as a browser finds them
CREATE TEMP TABLE evil AS SELECT sigma.render_html(id) AS html FROM sigma.sigma_layout_elements WHERE id LIKE 'html\_"%';
SELECT string_agg(DISTINCT tag[1], ' ' ORDER BY tag[1]) FROM evil, regexp_matches(regexp_replace(regexp_replace(html, '<script>.*</script>', ''), '<style>.*?</style>', '', 'g'), '<([a-zA-Z!?][^\s/>]*)', 'g') AS tag;
SELECT string_agg(DISTINCT name[1], ' ' ORDER BY name[1]) FROM evil,
    regexp_matches(regexp_replace(regexp_replace(html, '<script>.*</script>', ''), '<style>.*?</style>', '', 'g'), '<[a-z0-9]+((?:\s+[^\s=>"]+(?:="[^"]*")?)*)\s*>', 'g') AS tag,
    regexp_matches(tag[1], '([^\s="]+)(?:="[^"]*")?', 'g') AS name;
SELECT substring(html FROM 'default-src[^"]*') ~ 'img-src ''self'' https: http:; frame-src https: http:' AS loads, html ~* '(href|src)="\s*(javascript|data|//)' AS bad FROM evil;
DELETE FROM sigma.sigma_layout_elements WHERE parent_id IS NULL;
SELECT sigma.delete_input_table('html_evil', true), sigma.delete_input_table('html_plan', true);

-- values that are no dates are cut between characters
SELECT sigma.create_input_table('{"id": "html_cut", "name": "Cut", "columns": [{"name": "Day", "type": "date"}]}');
SELECT sigma.import_layout('{"id": "html_cuts", "type": "page", "children": [{"id": "html_cut_f", "type": "form", "input_table": "html_cut"},
    {"id": "html_cut_c", "type": "control", "control_type": "date"}]}') IS NULL;
SELECT convert_from(convert_to(html, 'UTF8'), 'UTF8') = html, substring(html FROM 'data-sigma-column-type="date" value="([^"]*)"') = repeat(chr(8364), 3)
FROM sigma.render_html('html_cuts', jsonb_build_object('form', jsonb_build_object('Day', repeat(chr(8364), 9)),
    'controls', jsonb_build_object('html_cut_c', repeat(chr(8364), 9)))) AS html;
DELETE FROM sigma.sigma_layout_elements WHERE parent_id IS NULL;
SELECT sigma.delete_input_table('html_cut', true);

-- damaged data: elements inside each other, of unknown types, without settings
SET session_replication_role = replica;
INSERT INTO sigma.sigma_layout_elements (id, type, parent_id, config) VALUES ('html_x', 'page', NULL, '[]'), ('html_y', 'container', 'html_x', '"a"'), ('html_z', 'container', 'html_w', NULL),
    ('html_w', 'container', 'html_z', '{}'), ('html_v', 'mystery', 'html_y', '{}'), ('html_u', 'table', 'html_y', '{"source": "html_u"}'), ('html_t', 'chart', 'html_y', '{"source": 7, "y": {}}');
RESET session_replication_role;
SELECT * FROM pg_temp.lines('html_x', 'data-sigma-id|strong');
SELECT count(*) FROM pg_temp.lines('html_z', 'data-sigma-id');
DELETE FROM sigma.sigma_layout_elements;
SELECT count(*) FROM sigma.sigma_variables WHERE id LIKE 'html%';
