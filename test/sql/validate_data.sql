-- sigma.validate_data: what handle_data_entry would refuse, with nothing written
SET client_min_messages = warning;
SELECT sigma.create_input_table('{
    "id": "validate_orders", "name": "Orders",
    "columns": [
        {"name": "number", "type": "text", "required": true, "unique": true},
        {"name": "amount", "type": "number", "validation": {"min": 0, "max": 1000, "message": "out of range"}},
        {"name": "status", "type": "dropdown", "default_value": "open", "validation": {"values": ["open", "paid"]}},
        {"name": "due", "type": "date"},
        {"name": "note", "type": "text", "validation": {"max_length": 5, "severity": "warn"}},
        {"name": "source", "type": "text", "editable": false, "default_value": "web"}]}');
SELECT sigma.handle_data_entry('validate_orders', '[{"number": "1", "amount": 5}, {"number": "2"}]') ->> 'inserted' AS inserted;

-- good rows have no failures, and nothing is written
SELECT * FROM sigma.validate_data('validate_orders', '[{"number": "3", "amount": "12.50"}, {"sigma_row_id": 1, "status": "paid"}, {"sigma_row_id": 2, "_delete": true}]');
SELECT * FROM sigma.validate_data('validate_orders', '[]');
SELECT sigma_row_id, number, amount, status FROM sigds.sigds_validate_orders ORDER BY 1;
SELECT nextval('sigds.sigds_seq_validate_orders') AS no_id_was_used;

-- everything that is wrong, by row and column; warnings too
SELECT * FROM sigma.validate_data('validate_orders', '[
    {"number": "1", "amount": -1, "due": "soon", "note": "rather long"},
    {"amount": 2000, "status": "lost"},
    {"number": "4", "source": "phone"},
    {"number": "4", "source": "web"},
    {"sigma_row_id": 1, "amount": 5, "note": "also long", "source": "fax"},
    {"sigma_row_id": 99, "amount": 1}]');
SELECT "row", "column", rule, message FROM sigma.validate_data('validate_orders', '{"sigma_row_id": 2, "_if_updated_at": "2020-01-01"}');

-- the same failures as an entry in mode partial
SELECT count(*) FROM (
    (SELECT "row", "column", rule, severity, value, message FROM sigma.validate_data('validate_orders', '[{"number": "1", "amount": -1}, {"due": "never"}]'))
    EXCEPT ALL
    (SELECT (f ->> 'row')::int, f ->> 'column', f ->> 'rule', f ->> 'severity', f ->> 'value', f ->> 'message'
     FROM sigma.handle_data_entry('validate_orders', '[{"number": "1", "amount": -1}, {"due": "never"}]', 'partial') AS r, jsonb_array_elements(r -> 'errors') AS f)) AS difference;

-- at most max_failures
SELECT count(*) FROM sigma.validate_data('validate_orders', (SELECT jsonb_agg('{"amount": -1}'::jsonb) FROM generate_series(1, 50)), 7);
SELECT count(*) FROM sigma.validate_data('validate_orders', (SELECT jsonb_agg('{"amount": -1}'::jsonb) FROM generate_series(1, 600)));

-- a protected column
SELECT sigma.update_input_table('validate_orders', '{"columns": [
    {"name": "number", "type": "text"}, {"name": "amount", "type": "number"}, {"name": "status", "type": "dropdown"},
    {"name": "due", "type": "date", "protected": true}, {"name": "note", "type": "text"}, {"name": "source", "type": "text", "editable": false}]}') -> 'changed' AS changed;
SELECT "row", "column", rule, message FROM sigma.validate_data('validate_orders', '[{"number": "5"}, {"sigma_row_id": 1, "due": "2024-02-29"}, {"sigma_row_id": 2, "due": null}]');

-- documents that are wrong
SELECT sigma.validate_data('validate_orders', '5');
SELECT sigma.validate_data('validate_orders', '[{"nummer": 1}]');
\set VERBOSITY terse
SELECT sigma.validate_data('validate_nothing', '[]');
\set VERBOSITY default
SELECT sigma.validate_data(NULL, '[]');
SELECT sigma.validate_data('validate_orders', NULL);
SELECT sigma.validate_data('validate_orders', '[]', NULL);
SELECT sigma.validate_data('validate_orders', '[]', 0);

SELECT sigma.delete_input_table('validate_orders', true);
