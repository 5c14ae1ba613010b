-- page.sql: a page that shows what the marketing app holds, for sigma.render_html().
--
-- Run after demo.sql, or alone with psql variable "csv" (then the tables are made here):
--     awk -v rows=6000 -f contacts.awk > /tmp/contacts.csv
--     psql -v csv=/tmp/contacts.csv -f page.sql
--     psql -qAtX -c "SELECT sigma.render_html('overview')" > overview.html
\set ON_ERROR_STOP on
SET client_min_messages = warning;

SELECT sigma.create_input_table(jsonb_build_object(
    'id', 'contacts', 'name', 'Contacts', 'type', 'csv',
    'columns', sigma.infer_columns(pg_read_binary_file(:'csv')),
    'validation_rules', '{"Email": {"required": true, "unique": "ignore_case", "format": "email"}, "First Name": {"required": true},
        "Segment": {"values": ["prospect", "customer", "vip", "churned"]}, "Score": {"min": 0, "max": 100}}'::jsonb))
WHERE NOT EXISTS (SELECT FROM sigma.sigma_input_tables WHERE id = 'contacts');
SELECT sigma.import_csv_file('contacts', :'csv', '{"mode": "partial"}')->'accepted' AS contacts
WHERE NOT EXISTS (SELECT FROM sigds.sigds_contacts);

-- campaigns of a year, typed in by the team
SELECT sigma.create_input_table('{
    "id": "plan", "name": "Campaign plan", "data_entry_permission": "draft", "columns": [
        {"name": "Name",    "type": "text",     "required": true, "unique": "ignore_case", "validation": {"max_length": 60}},
        {"name": "Channel", "type": "dropdown", "required": true, "validation": {"values": ["email", "event", "search", "social", "phone"]}},
        {"name": "Status",  "type": "dropdown", "default_value": "planned", "validation": {"values": ["planned", "running", "done"]}},
        {"name": "Budget",  "type": "number",   "validation": {"min": 0, "max": 50000, "message": "A budget is at most 50,000."}},
        {"name": "Leads",   "type": "integer",  "validation": {"min": 0}},
        {"name": "Starts",  "type": "date",     "default_value": {"formula": "Today()"}},
        {"name": "Owner",   "type": "text",     "validation": {"format": "email"}, "description": "Who answers for it"},
        {"name": "Tags",    "type": "multi-select", "validation": {"values": ["brand", "retention", "launch"]}},
        {"name": "Approved", "type": "checkbox"},
        {"name": "Cost per lead", "type": "number", "formula": "Round([Budget] / [Leads], 2)"}]}');
INSERT INTO sigds.sigds_plan ("Name", "Channel", "Status", "Budget", "Leads", "Starts", "Owner", "Tags", "Approved")
SELECT initcap((ARRAY['spring', 'summer', 'autumn', 'winter'])[1 + n / 12 % 4] || ' ' ||
               (ARRAY['launch', 'webinar', 'trade fair', 'newsletter', 'retargeting', 'survey', 'referral', 'partner day', 'hotline', 'video series', 'meetup', 'sale'])[1 + n % 12]),
       (ARRAY['email', 'event', 'search', 'social', 'phone'])[1 + n * 7 % 5],
       CASE WHEN n < 22 THEN 'done' WHEN n < 31 THEN 'running' ELSE 'planned' END,
       800 + (n * 7919) % 21000, 20 + (n * 104729) % 460, date '2026-01-05' + n * 7,
       (ARRAY['mara', 'tom', 'ines', 'yusuf'])[1 + n % 4] || '@example.com',
       CASE n % 3 WHEN 0 THEN ARRAY['brand'] WHEN 1 THEN ARRAY['brand', 'launch'] ELSE ARRAY['retention'] END, n % 3 <> 0
FROM generate_series(0, 47) AS n;
SELECT sigma.publish('plan') IS NOT NULL AS published;

SELECT sigma.create_page('{
    "id": "overview", "name": "Marketing", "title": "Marketing overview", "children": [
        {"id": "intro", "type": "text", "grid": {"column": 1, "row": 1, "width": 13, "height": 2},
         "content": "{{CountDistinct([Contacts/Company])}} companies, **{{Count([Contacts/Email])}} contacts** and {{Count([Campaign plan/Name])}} campaigns in the plan of 2026."},
        {"id": "period", "type": "control", "control_type": "segmented", "label": "Status", "variable": "status_filter",
         "values": ["all", "planned", "running", "done"], "default_value": "all", "grid": {"column": 14, "row": 1, "width": 8, "height": 2}},
        {"id": "new_campaign", "type": "button", "text": "New campaign", "grid": {"column": 22, "row": 1, "width": 3, "height": 2},
         "actions": [{"name": "Open the form", "actions": [{"type": "modal", "subtype": "open", "target": "campaign_form"}]}]},

        {"id": "kpi_contacts", "type": "chart", "chart_type": "kpi", "title": "Contacts", "source": "contacts", "y": "Email", "aggregate": "count", "grid": {"column": 1, "row": 3, "width": 6, "height": 3}},
        {"id": "kpi_value", "type": "chart", "chart_type": "kpi", "title": "Lifetime value", "source": "contacts", "y": "Lifetime Value", "aggregate": "sum", "grid": {"column": 7, "row": 3, "width": 6, "height": 3}},
        {"id": "kpi_budget", "type": "chart", "chart_type": "kpi", "title": "Budget", "source": "plan", "y": "Budget", "aggregate": "sum", "grid": {"column": 13, "row": 3, "width": 6, "height": 3}},
        {"id": "kpi_leads", "type": "chart", "chart_type": "kpi", "title": "Leads", "source": "plan", "y": "Leads", "aggregate": "sum", "grid": {"column": 19, "row": 3, "width": 6, "height": 3}},

        {"id": "by_month", "type": "chart", "chart_type": "bar", "title": "Budget by month and channel", "source": "plan_grid",
         "x": "Starts", "y": "Budget", "series": "Channel", "grid": {"column": 1, "row": 6, "width": 16, "height": 9}},
        {"id": "by_segment", "type": "chart", "chart_type": "donut", "title": "Contacts by segment", "source": "contacts",
         "x": "Segment", "y": "Email", "grid": {"column": 17, "row": 6, "width": 8, "height": 9}},

        {"id": "signups", "type": "chart", "chart_type": "area", "title": "Sign-ups", "source": "contacts",
         "x": "Signed Up", "y": "Email", "grid": {"column": 1, "row": 15, "width": 12, "height": 8}},
        {"id": "efficiency", "type": "chart", "chart_type": "scatter", "title": "Leads against budget", "source": "plan",
         "x": "Budget", "y": "Leads", "series": "Status", "grid": {"column": 13, "row": 15, "width": 12, "height": 8}},

        {"id": "views", "type": "tabs", "name": "Data", "grid": {"column": 1, "row": 23, "width": 24, "height": 14}, "tabs": [
            {"id": "tab_plan", "label": "Campaign plan", "children": [
                {"id": "plan_grid", "type": "input_table", "source": "plan", "sort": [{"column": "Starts", "direction": "desc"}],
                 "filter": "[status_filter] = \"all\" or [Status] = [status_filter]"}]},
            {"id": "tab_contacts", "label": "Contacts", "children": [
                {"id": "contacts_table", "type": "table", "title": "Best contacts", "source": "contacts", "filter": "[Score] >= 60",
                 "columns": ["Email", "First Name", "Last Name", "Company", "Region", "Segment", "Score", "Lifetime Value", "Opted In", "Signed Up"],
                 "sort": [{"column": "Score", "direction": "desc"}]}]},
            {"id": "tab_regions", "label": "Regions", "children": [
                {"id": "regions", "type": "pivot", "title": "Average score by region and segment", "source": "contacts", "rows": ["Region"],
                 "columns": ["Segment"], "values": [{"column": "Score", "aggregate": "avg"}], "grid": {"width": 7}},
                {"id": "values_line", "type": "chart", "chart_type": "line", "title": "Leads by month", "source": "plan", "x": "Starts", "y": "Leads",
                 "series": "Channel", "grid": {"width": 5}}]}]},

        {"id": "campaign_form", "type": "modal", "title": "New campaign", "width": "md", "show_footer": false, "children": [
            {"id": "campaign_fields", "type": "form", "input_table": "plan", "padding": false, "border": false,
             "fields": ["Name", "Channel", "Budget", "Starts", "Owner", "Tags", "Approved"],
             "primary_button": {"text": "Add to the plan"}}]}]}');
