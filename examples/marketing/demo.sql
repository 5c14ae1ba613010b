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
\echo '-- column types are inferred from all rows of the file'
\set ECHO queries
SELECT c->>'name' AS "column", c->>'type' AS type
FROM jsonb_array_elements(sigma.infer_columns(pg_read_binary_file(:'csv'))) AS c;

SELECT sigma.create_input_table(jsonb_build_object(
    'id', 'contacts', 'name', 'Contacts', 'type', 'csv',
    'columns', sigma.infer_columns(pg_read_binary_file(:'csv')),
    'validation_rules', :'rules'::jsonb));

\echo '-- the good rows go in, the bad ones come back'
CREATE TEMP TABLE import AS
    SELECT sigma.import_csv_file('contacts', :'csv', '{"mode": "partial"}') AS r;
SELECT r->>'lines' AS lines, r->>'accepted' AS accepted, r->>'rejected' AS rejected, r->>'delimiter' AS delimiter FROM import;
SELECT e->>'line' AS line, e->>'column' AS "column", e->>'rule' AS rule, left(e->>'value', 25) AS value, e->>'message' AS message
FROM import, jsonb_array_elements(r->'errors') AS e LIMIT 8;

\echo '-- plain SQL is checked by the same rules'
\set ON_ERROR_STOP off
INSERT INTO sigds.sigds_contacts DEFAULT VALUES;
\set ON_ERROR_STOP on

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

\echo '-- all failures of all rows are reported together'
SELECT e->>'row' AS row, e->>'column' AS "column", e->>'rule' AS rule, e->>'value' AS value, e->>'message' AS message
FROM jsonb_array_elements(sigma.handle_data_entry('campaigns', '[
    {"Name": "Spring launch", "Channel": "email", "Budget": 12000, "Starts": "2026-03-01"},
    {"Name": "Trade fair",    "Channel": "event", "Budget": 75000},
    {"Name": "spring LAUNCH", "Channel": "fax"},
    {"Name": "Call the VIPs", "Channel": "phone", "Budget": "900"}]', 'partial')->'errors') AS e;

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
            {"id": "tab_contacts",  "label": "Contacts",  "children": [
                {"id": "contacts_grid",  "type": "input_table", "source": "contacts"}]},
            {"id": "tab_campaigns", "label": "Campaigns", "children": [
                {"id": "campaigns_grid", "type": "input_table", "source": "campaigns"}]}]}]}');
SELECT sigma.create_modal('{"id": "done", "name": "Launched", "title": "Campaign launched", "width": "sm"}');

\pset tuples_only
\pset format unaligned
SELECT sigma.render_layout();
\pset format aligned
\pset tuples_only

\set ECHO none
\echo
\echo '== 4. A button that does something'
\echo
\set ECHO queries
SELECT sigma.add_column('contacts', '{"name": "Assigned Campaign", "type": "text"}') IS NOT NULL AS added;
SELECT sigma.create_variable('{"id": "last_launch", "kind": "variable", "type": "text", "scope": "workbook"}');
SELECT sigma.create_action_sequence(jsonb_set('{
    "id": "launch_campaign", "name": "Launch the campaign",
    "trigger": {"type": "click", "element_id": "launch"},
    "condition": {"type": "control_value", "control_id": "campaign", "operator": "is_not_null"},
    "actions": [
        {"type": "data_modification", "subtype": "insert_row", "target": "campaigns", "output_variable": "row",
         "parameters": {"values": {"Name": "[Control/campaign]", "Channel": "email", "Status": "running"}}},
        {"type": "data_modification", "subtype": "update_rows", "target": "contacts",
         "parameters": {"selector": null, "values": {"Assigned Campaign": "[Control/campaign]"}}},
        {"type": "variable", "subtype": "set", "target": "last_launch", "parameters": {"value": "[Control/campaign]"}},
        {"type": "navigation", "subtype": "open_link", "target": "https://example.com/campaigns/{{[ActionVar/row]}}"}]}',
    '{actions,1,parameters,selector}', :'pick'));

\echo '-- a click while nothing is chosen, and a click'
SELECT r->>'status' AS status, r->>'reason' AS reason FROM sigma.execute_sequence('launch_campaign') AS r;

CREATE TEMP TABLE run AS
    SELECT sigma.execute_sequence('launch_campaign', '{"controls": {"campaign": "Autumn offer"}}') AS r;
SELECT s->>'index' AS step, concat_ws(' ', s->>'type', s->>'subtype') AS action, s->>'status' AS status, s->>'rows' AS rows
FROM run, jsonb_array_elements(r->'actions') AS s;
SELECT e->>'type' AS effect, e->>'target' AS target FROM run, jsonb_array_elements(r->'effects') AS e;
SELECT sigma.get_variable('last_launch'), (SELECT count(*) FROM sigds.sigds_contacts WHERE "Assigned Campaign" = 'Autumn offer') AS contacts;

\set ECHO none
\echo
\echo '== 5. A sequence that fails in the middle leaves nothing behind'
\echo
\set ECHO queries
SELECT sigma.create_action_sequence('{
    "id": "raise_budget", "name": "Raise the budget", "actions": [
        {"type": "data_modification", "subtype": "insert_row", "target": "campaigns",
         "parameters": {"values": {"Name": "Winter offer", "Budget": 20000}}},
        {"type": "data_modification", "subtype": "update_rows", "target": "campaigns",
         "parameters": {"selector": {"match": {"Name": "Spring launch"}}, "values": {"Budget": "[Control/budget]"}}},
        {"type": "modal", "subtype": "open", "target": "done"}]}');
CREATE TEMP TABLE failed AS
    SELECT sigma.execute_sequence('raise_budget', '{"controls": {"budget": 90000}}') AS r;
SELECT r->>'status' AS status, r->>'rolled_back' AS rolled_back, r->'error'->>'index' AS step, r->'error'->>'sqlstate' AS sqlstate,
       r->'error'->>'detail' AS detail
FROM failed;
SELECT "Name", "Budget", "Status" FROM sigds.sigds_campaigns ORDER BY sigma_row_id;

\set ECHO none
\echo
\echo '== 6. All of it is history'
\echo
\set ECHO queries
SELECT sequence_id, status, reason, rows_changed AS rows, user_id, left(error_message, 60) AS error
FROM sigma.sigma_execution_history ORDER BY start_time, execution_id;

\set ECHO none
\echo
\echo '== 7. Who may do what'
\echo
\set ECHO queries
CREATE ROLE campaigners;
SELECT sigma.grant_access('campaigners', 'editor', 'campaigns');
SET ROLE campaigners;
UPDATE sigds.sigds_campaigns SET "Budget" = 12000 WHERE "Name" = 'Spring launch';
\set ON_ERROR_STOP off
SELECT count(*) FROM sigds.sigds_contacts;
SELECT sigma.add_column('campaigns', '{"name": "Owner", "type": "text"}');
\set ON_ERROR_STOP on
RESET ROLE;

\echo '-- definitions and levels leave an audit'
SELECT object, operation, new->'level' AS level FROM sigma.sigma_audit ORDER BY at DESC, object LIMIT 3;
