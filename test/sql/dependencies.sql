-- who uses what: sigma.dependencies, sigma.dependents, refused drops, renames that formulas follow
\pset format unaligned
\pset tuples_only on
CREATE TABLE dep_plain (code text, "List Price" numeric);
CREATE FUNCTION public.dep_discount(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 0.9';
SELECT sigma.create_input_table('{"id": "dep_orders", "name": "Dep Orders", "columns": [
    {"name": "Region", "type": "text"}, {"name": "Unit Price", "type": "number"}, {"name": "Quantity", "type": "number"}, {"name": "Note", "type": "text"}],
    "row_rules": [{"formula": "[Unit Price] > 0 or [Quantity] = 0"}]}');
SELECT sigma.create_variable('{"id": "dep_limit", "name": "limit", "type": "number", "default_value": 10}');
SELECT sigma.create_page('{"id": "dep_page", "title": "{{If([limit] > 5, \"many\", \"few\")}} of {{[Control/dep_range].min}}", "children": [
    {"id": "dep_control", "type": "control", "control_type": "number_range", "variable": "dep_range"},
    {"id": "dep_table", "type": "input_table", "source": "dep_orders", "columns": ["Region", "Unit Price"], "filter": "[unit_price] < [limit] and [Quantity] > [dep_range].min"},
    {"id": "dep_again", "type": "table", "source": "dep_table", "columns": ["Region"], "filter": "[Quantity] = 1"},
    {"id": "dep_flat", "type": "table", "source": "public.dep_plain", "filter": "[list price] > [limit]"}]}');
SELECT sigma.create_action('{"id": "dep_action", "type": "data_modification", "subtype": "update_rows", "target": "dep_orders",
    "values": {"Quantity": {"type": "formula", "formula": "[Control/dep_range].max + [ActionVar/limit]"}},
    "selector": {"formula": "[Unit Price] * [Quantity] > [limit] and [Region] = [Selection/Region]"}}');
SELECT sigma.create_action_sequence('{"id": "dep_sequence", "trigger": {"type": "click", "element_id": "dep_table"},
    "condition": {"type": "custom_formula", "formula": "[limit] > 1 and [Control/limit] < 100"},
    "actions": ["dep_action", {"type": "navigation", "subtype": "open_link", "target": "https://x.example/{{[limit]}}?r={{[Selection/Region]}}&{{{{[Control/dep_range]"},
        {"type": "control", "subtype": "set_value", "target": "dep_undeclared", "value": {"type": "formula", "formula": "[limit] + 1"}}],
    "execution_config": {"failure_alert": {"title": "{{[limit]}} failed"}}}');
SELECT sigma.create_action('{"id": "dep_rows", "type": "variable", "subtype": "set", "target": "v", "value": {"type": "formula",
    "formula": "Sum([Dep Orders/Quantity]) + Lookup([dep_orders/quantity], [Control/region], [sigds.sigds_dep_orders/Region]) + Max([dep_plain/list_price]) + CallNumber(\"public.dep_discount\", [limit])"}}');

-- what objects use
SELECT * FROM sigma.dependencies('sequence:dep_sequence');
SELECT * FROM sigma.dependencies('action:dep_action');
SELECT * FROM sigma.dependencies('action:dep_rows');
SELECT * FROM sigma.dependencies('element:dep_page');
SELECT * FROM sigma.dependencies('element:dep_table');
SELECT * FROM sigma.dependencies('element:dep_again');
SELECT * FROM sigma.dependencies('element:dep_flat');
SELECT * FROM sigma.dependencies('input_table:dep_orders');
SELECT * FROM sigma.dependencies('column:dep_orders/Region');
SELECT * FROM sigma.dependencies('variable:dep_limit');
-- what uses objects
SELECT * FROM sigma.dependents('input_table:dep_orders');
SELECT * FROM sigma.dependents('column:dep_orders/Unit Price');
SELECT * FROM sigma.dependents('column:dep_orders/unit_price');
SELECT * FROM sigma.dependents('column:dep_orders/Note');
SELECT * FROM sigma.dependents('variable:dep_limit');
SELECT * FROM sigma.dependents('variable:dep_range');
SELECT * FROM sigma.dependents('element:dep_table');
SELECT * FROM sigma.dependents('action:dep_action');
SELECT * FROM sigma.dependents('relation:public.dep_plain');
SELECT * FROM sigma.dependents('function:public.dep_discount(numeric)');

-- refused: SQLSTATE, message, details, hint
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused.sql'
\i :include
SELECT o, pg_temp.refused(format('SELECT * FROM sigma.dependents(%L)', o))
FROM (VALUES ('dep_orders'), ('table:dep_orders'), ('column:'), ('input_table:dep_nowhere'), ('column:dep_orders/Nope'), ('column:dep_orders'),
    ('element:dep_x'), ('variable:limit'), ('relation:public.dep_nowhere'), ('function:public.dep_nowhere(int)'), (NULL)) v (o);
-- dropping and retyping what is used
SELECT pg_temp.refused($$SELECT sigma.drop_column('dep_orders', 'Unit Price')$$);
SELECT pg_temp.refused($$SELECT sigma.update_input_table('dep_orders', '{"row_rules": [], "columns": [{"name": "Region"}, {"name": "Unit Price", "drop": true}, {"name": "Quantity"}, {"name": "Note"}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.alter_column('dep_orders', 'Quantity', '{"type": "text"}')$$);
SELECT pg_temp.refused($$SELECT sigma.delete_input_table('dep_orders')$$);
SELECT pg_temp.refused($$SELECT sigma.delete_variable('dep_limit')$$);
SELECT pg_temp.refused($$SELECT sigma.delete_layout_element('dep_control')$$);
SELECT pg_temp.refused($$SELECT sigma.delete_layout_element('dep_table')$$);
BEGIN;
SELECT sigma.drop_column('dep_orders', 'Note');
SELECT jsonb_pretty(sigma.update_input_table('dep_orders', '{"row_rules": [], "columns": [{"name": "Region"}, {"name": "Unit Price", "drop": true}, {"name": "Quantity", "type": "text"}]}', cascade => true) -> 'affected');
SELECT pg_temp.refused($$SELECT sigma.execute_action('dep_action')$$);
ROLLBACK;

-- computed columns of another table
SELECT sigma.create_input_table('{"id": "dep_other", "columns": [
    {"name": "Region", "type": "text"}, {"name": "Rate", "type": "number"},
    {"name": "Sold", "type": "number", "formula": "Rollup(Sum([Dep Orders/Quantity]), [Region], [Dep Orders/Region]) * [rate]"}]}');
SELECT * FROM sigma.dependencies('column:dep_other/Sold');
SELECT * FROM sigma.dependencies('input_table:dep_other');
SELECT * FROM sigma.dependents('column:dep_other/Rate');
SELECT pg_temp.refused($$SELECT sigma.update_input_table('dep_orders', '{"row_rules": [], "columns": [{"name": "Region"}, {"name": "Unit Price"}, {"name": "Quantity", "type": "text"}, {"name": "Note"}]}')$$);
SELECT pg_temp.refused($$SELECT sigma.delete_input_table('dep_orders')$$);

-- renames: columns, a variable, a table
SELECT sigma.rename_column('dep_orders', 'Unit Price', 'Price [EUR]');
SELECT sigma.update_input_table('dep_orders', '{"name": "Orders / All"}') -> 'affected';
SELECT parameters FROM sigma.sigma_actions WHERE id = 'dep_rows';
SELECT sigma.rename_column('dep_orders', 'Quantity', 'Pieces');
SELECT row_rules FROM sigma.sigma_input_tables WHERE id = 'dep_orders';
SELECT columns #> '{2,formula}' FROM sigma.sigma_input_tables WHERE id = 'dep_other';
SELECT config FROM sigma.sigma_layout_elements WHERE id IN ('dep_table', 'dep_again') ORDER BY id;
SELECT parameters FROM sigma.sigma_actions WHERE id = 'dep_action';
-- two that change places
SELECT sigma.update_input_table('dep_orders', '{"columns": [{"name": "Pieces", "renamed_from": "Region", "type": "text"}, {"name": "Price [EUR]"}, {"name": "Region", "renamed_from": "Pieces", "type": "number"}, {"name": "Note"}]}') -> 'renamed';
SELECT parameters FROM sigma.sigma_actions WHERE id = 'dep_action';
SELECT sigma.update_input_table('dep_orders', '{"columns": [{"name": "Region", "renamed_from": "Pieces", "type": "text"}, {"name": "Price [EUR]"}, {"name": "Quantity", "renamed_from": "Region", "type": "number"}, {"name": "Note"}]}') -> 'renamed';
SELECT parameters FROM sigma.sigma_actions WHERE id = 'dep_rows';
SELECT sigma.update_input_table('dep_orders', '{"name": null}') -> 'affected';
SELECT sigma.update_variable('dep_limit', '{"name": "upper limit"}');
SELECT config -> 'title' FROM sigma.sigma_layout_elements WHERE id = 'dep_page';
SELECT config -> 'filter' FROM sigma.sigma_layout_elements WHERE id IN ('dep_table', 'dep_flat') ORDER BY id;
SELECT parameters FROM sigma.sigma_actions WHERE id = 'dep_action';
SELECT condition, actions, execution_config FROM sigma.sigma_action_sequences WHERE id = 'dep_sequence';
SELECT sigma.update_variable('dep_limit', '{"name": null}');
SELECT condition FROM sigma.sigma_action_sequences WHERE id = 'dep_sequence';
-- and all of it still runs
INSERT INTO dep_plain VALUES ('a', 100);
INSERT INTO sigds.sigds_dep_orders ("Region", "Price [EUR]", "Quantity") VALUES ('West', 5, 3), ('East', 5, 4);
SELECT r ->> 'status', r -> 'rows_changed', r #>> '{effects,0,target}', r -> 'error'
FROM sigma.execute_sequence('dep_sequence', '{"controls": {"dep_range": {"min": 1, "max": 2}}, "selection": {"rows": [{"Region": "West"}]}}') r;
SELECT "Region", "Quantity" FROM sigds.sigds_dep_orders ORDER BY sigma_row_id;
SELECT parameters FROM sigma.sigma_actions WHERE id = 'dep_rows';
SELECT r ->> 'status', r -> 'variables', r -> 'error' FROM sigma.execute_action('dep_rows', '{"controls": {"region": "East"}}') r;
-- a result of the run has the name, not the variable
SELECT sigma.create_variable('{"id": "dep_result", "name": "result", "type": "number"}');
SELECT sigma.create_action_sequence('{"id": "dep_output", "actions": [
    {"type": "control", "subtype": "set_value", "target": "dep_range", "value": {"min": 1, "max": 2}, "output_variable": "result"},
    {"type": "navigation", "subtype": "open_link", "target": "https://x.example/{{[ActionVar/result]}}{{[Control/result]}}"}]}');
SELECT sigma.update_variable('dep_result', '{"name": "outcome"}');
SELECT actions -> 1 -> 'target' FROM sigma.sigma_action_sequences WHERE id = 'dep_output';

-- linked tables: their source, its columns, and theirs
SELECT sigma.create_input_table('{"id": "dep_linked", "type": "linked", "source": "dep_other", "key_columns": ["Region"],
    "linked_columns": [{"column": "Rate", "name": "Rate there"}], "columns": [{"name": "Own", "type": "number"}]}');
SELECT sigma.create_action('{"id": "dep_sum", "type": "variable", "subtype": "set", "target": "v", "value": {"type": "formula", "formula": "Sum([dep_linked/rate there]) + Sum([dep_linked/Own])"}}');
SELECT * FROM sigma.dependencies('input_table:dep_linked');
SELECT * FROM sigma.dependents('column:dep_linked/Rate there');
SELECT pg_temp.refused($$SELECT sigma.drop_column('dep_other', 'Rate')$$);
SELECT sigma.rename_column('dep_other', 'Rate', 'Percent');
SELECT linked_columns FROM sigma.sigma_input_tables WHERE id = 'dep_linked';
SELECT c ->> 'formula' FROM sigma.sigma_input_tables, jsonb_array_elements(columns) c WHERE id = 'dep_other' AND c ? 'formula';
SELECT sigma.delete_action('dep_sum'), sigma.delete_input_table('dep_linked', purge => true);

-- only what the caller may read
CREATE ROLE regress_dep_user;
GRANT USAGE ON SCHEMA sigma TO regress_dep_user;
GRANT EXECUTE ON FUNCTION sigma.dependents, sigma.dependencies TO regress_dep_user;
SET ROLE regress_dep_user;
SELECT pg_temp.refused($$SELECT * FROM sigma.dependents('variable:dep_limit')$$);
SELECT pg_temp.refused($$SELECT * FROM sigma.dependencies('action:dep_action')$$);
RESET ROLE;
DROP OWNED BY regress_dep_user;
DROP ROLE regress_dep_user;

DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'dep\_%';
SELECT sigma.delete_action_sequence('dep_sequence'), sigma.delete_action_sequence('dep_output'), sigma.delete_action('dep_action'), sigma.delete_action('dep_rows');
SELECT sigma.delete_layout_element('dep_page');
SELECT sigma.delete_variable('dep_limit'), sigma.delete_variable('dep_result');
SELECT sigma.delete_input_table('dep_other', purge => true), sigma.delete_input_table('dep_orders', purge => true);
DROP TABLE dep_plain;
DROP FUNCTION public.dep_discount(numeric);
