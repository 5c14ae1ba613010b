-- demo.sql: a small marketing app on sigma, from a CSV file to a running sequence.
--
-- Run by "make demo".  psql variables: csv, the path of a file that the server can
-- read; rules, validation rules for its columns as JSON; pick, a selector of the
-- contacts to address.  With the project's own data it is the tour of README.md.
\set ON_ERROR_STOP on
\pset footer off
\pset null '·'
SET sigma.user_email = 'mara@example.com';

\echo '== 1. A CSV file becomes an input table'
\echo
\set ECHO queries
-- column types are inferred from all rows of the file
SELECT c->>'name' AS "column", c->>'type' AS type
FROM jsonb_array_elements(sigma.infer_columns(pg_read_binary_file(:'csv'))) AS c;

SELECT sigma.create_input_table(jsonb_build_object(
    'id', 'contacts', 'name', 'Contacts', 'type', 'csv',
    'columns', sigma.infer_columns(pg_read_binary_file(:'csv')),
    'validation_rules', :'rules'::jsonb));

-- the good rows go in, the bad ones come back
SELECT sigma.import_csv_file('contacts', :'csv', '{"mode": "partial"}') AS import \gset
SELECT r->>'lines' AS lines, r->>'accepted' AS accepted, r->>'rejected' AS rejected, r->>'error_count' AS errors
FROM (VALUES (:'import'::jsonb)) AS import(r);

SELECT e->>'line' AS line, e->>'column' AS "column", e->>'rule' AS rule, left(e->>'value', 30) AS value, e->>'message' AS message
FROM jsonb_array_elements(:'import'::jsonb->'errors') AS e
LIMIT 10;

-- every other way to write is checked by the same rules: this is plain SQL
DO $$
DECLARE
    detail text;
BEGIN
    INSERT INTO sigds.sigds_contacts DEFAULT VALUES;
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE NOTICE '%', SQLERRM;
    RAISE NOTICE '%', detail;
END
$$;

\set ECHO none
\echo
\echo '== 2. A table that people type into'
\echo
\set ECHO queries
SELECT sigma.create_input_table('{
    "id": "campaigns", "name": "Campaigns",
    "columns": [
        {"name": "Name",    "type": "text",     "required": true, "unique": "ignore_case"},
        {"name": "Channel", "type": "dropdown", "validation": {"values": ["email", "phone", "event"]}},
        {"name": "Budget",  "type": "number",   "validation": {"min": 0, "max": 50000}},
        {"name": "Starts",  "type": "date"},
        {"name": "Status",  "type": "dropdown", "default_value": "planned",
                            "validation": {"values": ["planned", "running", "done"]}}]}');

SELECT jsonb_pretty(sigma.handle_data_entry('campaigns', '[
    {"Name": "Spring launch", "Channel": "email", "Budget": 12000, "Starts": "2026-03-01"},
    {"Name": "Trade fair",    "Channel": "event", "Budget": 75000},
    {"Name": "spring LAUNCH", "Channel": "fax"},
    {"Name": "Call the VIPs", "Channel": "phone", "Budget": "900"}]', 'partial') - 'row_ids') AS entry;

SELECT sigma_row_id AS row, "Name", "Channel", "Budget", "Starts", "Status", sigma_created_by AS by
FROM sigds.sigds_campaigns ORDER BY sigma_row_id;

\set ECHO none
\echo
\echo '== 3. A page for both'
\echo
\set ECHO queries
SELECT sigma.create_page('{
    "id": "home", "name": "Marketing", "children": [
        {"id": "filters", "type": "container", "name": "Filters", "children": [
            {"id": "campaign", "type": "control", "name": "Campaign", "control_type": "text"},
            {"id": "launch",   "type": "button",  "name": "Launch"}]},
        {"id": "data", "type": "tabs", "tabs": [
            {"id": "tab_contacts",  "label": "Contacts"},
            {"id": "tab_campaigns", "label": "Campaigns"}]}]}');
SELECT sigma.create_layout_element('{"id": "contacts_grid",  "type": "input_table", "source": "contacts",  "parent_id": "tab_contacts"}');
SELECT sigma.create_layout_element('{"id": "campaigns_grid", "type": "input_table", "source": "campaigns", "parent_id": "tab_campaigns"}');
SELECT sigma.create_modal('{"id": "done", "name": "Launched", "title": "Campaign launched", "width": "sm"}');

SELECT sigma.render_layout();

\set ECHO none
\echo
\echo '== 4. A button that does something'
\echo
\set ECHO queries
SELECT sigma.add_column('contacts', '{"name": "Campaign", "type": "text"}');
SELECT sigma.create_variable('{"id": "last_launch", "kind": "variable", "type": "text", "scope": "workbook"}');

SELECT sigma.create_action_sequence(jsonb_build_object(
    'id', 'launch_campaign', 'name', 'Launch the campaign',
    'trigger', '{"type": "click", "element_id": "launch"}'::jsonb,
    'condition', '{"type": "control_value", "control_id": "campaign", "operator": "is_not_null"}'::jsonb,
    'actions', jsonb_build_array(
        '{"type": "data_modification", "subtype": "insert_row", "target": "campaigns", "output_variable": "row",
          "parameters": {"values": {"Name": "[Control/campaign]", "Channel": "email", "Status": "running"}}}'::jsonb,
        jsonb_build_object('type', 'data_modification', 'subtype', 'update_rows', 'target', 'contacts',
            'parameters', jsonb_build_object('selector', :'pick'::jsonb, 'values', '{"Campaign": "[Control/campaign]"}'::jsonb)),
        '{"type": "variable", "subtype": "set", "target": "last_launch", "parameters": {"value": "[Control/campaign]"}}'::jsonb,
        '{"type": "navigation", "subtype": "open_link", "target": "https://example.com/campaigns/{{[ActionVar/row]}}"}'::jsonb)));

-- nothing is chosen: the condition is false, nothing runs
SELECT r->>'status' AS status, r->>'reason' AS reason
FROM sigma.execute_sequence('launch_campaign', '{}') AS r;

-- a click
SELECT sigma.execute_sequence('launch_campaign', '{"controls": {"campaign": "Autumn offer"}}') AS run \gset
SELECT s->>'index' AS step, concat_ws(' ', s->>'type', s->>'subtype') AS action, s->>'status' AS status, s->>'rows' AS rows
FROM jsonb_array_elements(:'run'::jsonb->'actions') AS s;
SELECT jsonb_pretty(:'run'::jsonb->'effects') AS effects;
SELECT sigma.get_variable('last_launch'), (SELECT count(*) FROM sigds.sigds_contacts WHERE "Campaign" = 'Autumn offer') AS contacts;

\set ECHO none
\echo
\echo '== 5. A sequence that fails in the middle leaves nothing behind'
\echo
\set ECHO queries
SELECT sigma.create_action_sequence('{
    "id": "double_the_budget", "name": "Double the budget", "actions": [
        {"type": "data_modification", "subtype": "insert_row", "target": "campaigns",
         "parameters": {"values": {"Name": "Winter offer", "Budget": 20000}}},
        {"type": "data_modification", "subtype": "update_rows", "target": "campaigns",
         "parameters": {"selector": {"match": {"Name": "Spring launch"}}, "values": {"Budget": {"type": "control", "control_id": "budget"}}}},
        {"type": "modal", "subtype": "open", "target": "done"}]}');

SELECT jsonb_pretty(r - 'actions' - 'execution_id' - 'duration_ms') AS failed
FROM sigma.execute_sequence('double_the_budget', '{"controls": {"budget": 90000}}') AS r;

SELECT "Name", "Budget", "Status" FROM sigds.sigds_campaigns ORDER BY sigma_row_id;

\set ECHO none
\echo
\echo '== 6. All of it is history'
\echo
\set ECHO queries
SELECT sequence_id, status, reason, rows_changed AS rows, user_id, left(error_message, 60) AS error
FROM sigma.sigma_execution_history ORDER BY start_time, execution_id;
