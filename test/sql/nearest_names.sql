-- Who names a table or a column that is not there is told what is meant, by whichever function
CREATE FUNCTION pg_temp.hint(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE 'SELECT sigma.' || call;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ' ' || coalesce(substring(hint FROM '^[^.?]*[.?]'), 'no hint');
END
$$;
SET client_min_messages = warning;
CREATE TABLE public.near_source (id int PRIMARY KEY);
SELECT sigma.create_input_table('{"id": "near_orders", "name": "Purchases Of Today", "columns": [{"name": "Amount", "type": "number"}, {"name": "Customer", "type": "text", "unique": true}]}');
SELECT sigma.create_input_table('{"id": "near_plan", "type": "linked", "source": "public.near_source", "key_columns": ["id"], "columns": [{"name": "Target", "type": "number"}]}');
RESET client_min_messages;
\a
\t on
-- tables, by id
SELECT pg_temp.hint(c) || ' ' || c FROM unnest(ARRAY[
    $$add_column('near_ordrs', '{"name": "x", "type": "text"}')$$, $$alter_column('near_ordrs', 'Amount', '{}')$$, $$rename_column('near_ordrs', 'Amount', 'x')$$,
    $$drop_column('near_ordrs', 'Amount')$$, $$update_input_table('near_ordrs', '{}')$$, $$duplicate_input_table('near_ordrs')$$, $$table_info('near_ordrs')$$,
    $$handle_data_entry('near_ordrs', '{}')$$, $$validate_data('near_ordrs', '{}')$$, $$flagged('near_ordrs')$$, $$rule_impact('near_ordrs', '{"min": 0}', 'Amount')$$,
    $$fill('near_ordrs', '{"formula": "True"}', '{"Amount": 1}')$$, $$import_csv('near_ordrs', 'a')$$, $$import_csv_file('near_ordrs', '/nowhere')$$,
    $$publish('near_ordrs')$$, $$publish_preview('near_ordrs')$$, $$discard_draft('near_ordrs')$$, $$orphans('near_plans')$$,
    $$as_of('near_ordrs', now())$$, $$as_of_edit('near_ordrs', 1)$$, $$history('near_ordrs')$$, $$diff('near_ordrs', 1)$$, $$undo('near_ordrs')$$, $$redo('near_ordrs')$$,
    $$restore('near_ordrs', 1)$$, $$rebuild('near_ordrs')$$, $$compact_log('near_ordrs', '1 day')$$, $$verify_log('near_ordrs')$$,
    $$grant_access('postgres', 'viewer', 'near_ordrs')$$, $$sync_warehouse('near_ordrs')$$, $$dependencies('input_table:near_ordrs')$$, $$dependents('column:near_ordrs/Amount')$$,
    $$create_input_table('{"id": "near_l", "type": "linked", "source": "near_ordrs", "key_columns": ["Customer"], "columns": [{"name": "a", "type": "text"}]}')$$,
    $$create_input_table('{"id": "near_l", "columns": [{"name": "a", "type": "text", "validation": {"values_from": {"table": "near_ordrs", "column": "Customer"}}}]}')$$,
    $$create_input_table('{"id": "near_l", "columns": [{"name": "a", "type": "text"}, {"name": "b", "type": "number", "formula": "Sum([near_ordrs/Amount])"}]}')$$,
    $$create_layout_element('{"id": "near_e", "type": "input_table", "source": "near_ordrs"}')$$,
    $$create_action('{"id": "near_a", "type": "data_modification", "subtype": "insert_row", "target": "near_ordrs", "parameters": {"values": {"Amount": 1}}}')$$,
    $$eval('Sum([near_ordrs/Amount])')$$]) AS c;
-- by display name
SELECT pg_temp.hint($$table_info('Purchases Of Today')$$);
SELECT pg_temp.hint($$eval('Sum([Purchases Of Tody/Amount])')$$);
-- what is like nothing gets no such hint
SELECT pg_temp.hint($$eval('Sum([near_and_yet_so_far_away/Amount])')$$);
-- columns
SELECT pg_temp.hint(c) || ' ' || c FROM unnest(ARRAY[
    $$alter_column('near_orders', 'Amout', '{"required": true}')$$, $$rename_column('near_orders', 'Amout', 'x')$$, $$drop_column('near_orders', 'Amout')$$,
    $$handle_data_entry('near_orders', '{"Amout": 1}')$$, $$handle_data_entry('near_orders', '{"Amount": 1}', 'strict', '{"key": "Custmer", "on_conflict": "update"}')$$,
    $$validate_data('near_orders', '{"Amout": 1}')$$, $$rule_impact('near_orders', '{"min": 0}', 'Amout')$$, $$rule_impact('near_orders', '{"formula": "[Amout] > 1"}')$$,
    $$fill('near_orders', '{"formula": "True"}', '{"Amout": 1}')$$, $$fill('near_orders', '{"formula": "[Amout] = 1"}', '{"Amount": 1}')$$,
    $$fill('near_orders', '{"match": {"Amout": 1}}', '{"Amount": 1}')$$, $$fill('near_orders', '{"key": {"Custmer": 1}}', '{"Amount": 1}')$$,
    $$import_csv('near_orders', E'Amout\n1')$$, $$import_csv('near_orders', E'a\n1', '{"map": {"a": "Amout"}}')$$,
    $$import_csv('near_orders', E'Amount\n1', '{"key": "Custmer", "on_conflict": "update"}')$$, $$history('near_orders', key => '{"Custmer": "x"}')$$,
    $$dependents('column:near_orders/Amout')$$,
    $$create_input_table('{"id": "near_l", "type": "linked", "source": "near_orders", "key_columns": ["Custmer"], "columns": [{"name": "a", "type": "text"}]}')$$,
    $$create_input_table('{"id": "near_l", "columns": [{"name": "a", "type": "text", "validation": {"values_from": {"table": "near_orders", "column": "Custmer"}}}]}')$$,
    $$create_input_table('{"id": "near_l", "columns": [{"name": "Alpha", "type": "text"}], "row_rules": [{"unique": ["Alpa"]}]}')$$,
    $$create_input_table('{"id": "near_l", "columns": [{"name": "Alpha", "type": "text"}], "validation_rules": {"Alpa": {"required": true}}}')$$,
    $$update_input_table('near_orders', '{"columns": [{"name": "Amount"}, {"name": "Customer"}, {"name": "x", "renamed_from": "Amout"}]}')$$,
    $$eval('Sum([near_orders/Amout])')$$]) AS c;
\t off
\a
SET client_min_messages = warning;
SELECT sigma.delete_input_table('near_plan', purge => true), sigma.delete_input_table('near_orders', purge => true);
DROP TABLE public.near_source;
