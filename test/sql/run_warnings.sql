-- Rules of severity warn: what they say of the rows that a run writes stands in its result.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_rw_writer;
SELECT sigma.create_input_table('{"id": "rw_orders", "name": "Orders", "columns": [
    {"name": "Item", "type": "text", "validation": {"min_length": 3, "severity": "warn"}},
    {"name": "Qty", "type": "integer", "validation": {"max": 100, "severity": "warn", "message": "rather many"}},
    {"name": "Price", "type": "number", "validation": {"min": 0}}],
    "row_rules": [{"formula": "[Qty] * [Price] < 1000", "severity": "warn"}]}');

SELECT sigma.create_action_sequence('{"id": "rw_good", "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "rw_orders", "parameters": {"values": {"Item": "ab", "Qty": 200, "Price": 10}}},
    {"type": "data_modification", "subtype": "insert_rows", "target": "rw_orders", "parameters": {"rows": [{"Item": "pen", "Qty": 2}, {"Item": "x", "Qty": 3}]}},
    {"type": "data_modification", "subtype": "update_rows", "target": "rw_orders", "parameters": {"selector": {"match": {"Item": "ab"}}, "values": {"Price": 1}}},
    {"type": "data_modification", "subtype": "upsert_row", "target": "rw_orders", "parameters": {"values": {"Item": "pen", "Qty": 101}, "key": ["Item"]}}]}');
-- an update tells of what it changed: row 1 has a short name still
SELECT w->'index' AS index, w->'row_id' AS row_id, w->>'column' AS "column", w->>'rule' AS rule, w->>'severity' AS severity, w->>'value' AS value, w->>'message' AS message, w->>'table_id' AS table_id
FROM sigma.execute_sequence('rw_good') AS r, jsonb_array_elements(r->'warnings') AS w;
SELECT jsonb_array_length(result->'warnings') AS stored FROM sigma.sigma_execution_history WHERE sequence_id = 'rw_good';
-- outside a run nobody is told; the rows are flagged
INSERT INTO sigds.sigds_rw_orders ("Item", "Qty") VALUES ('y', 300);
SELECT row_id, "column", rule FROM sigma.flagged('rw_orders');

-- what is rolled back leaves no warning: a failed attempt, a failed step, a failed run
SELECT sigma.create_action_sequence('{"id": "rw_step", "stop_on_error": false, "actions": [
    {"type": "data_modification", "subtype": "insert_rows", "target": "rw_orders", "parameters": {"rows": [{"Item": "a", "Qty": 500}, {"Item": "b", "Price": -1}]}},
    {"type": "data_modification", "subtype": "insert_row", "target": "rw_orders", "parameters": {"values": {"Item": "c"}}},
    {"type": "data_modification", "subtype": "insert_rows", "target": "rw_orders", "error_handling": "retry", "retry": {"times": 2, "backoff_ms": 0},
     "parameters": {"rows": [{"Item": "d"}, {"Item": "e", "Price": -1}]}}]}');
SELECT r->>'status' AS status, r->'failed_actions' AS failed, w->'index' AS index, w->>'value' AS value
FROM sigma.execute_sequence('rw_step') AS r, jsonb_array_elements(r->'warnings') AS w;
SELECT sigma.create_action_sequence('{"id": "rw_run", "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "rw_orders", "parameters": {"values": {"Item": "f"}}},
    {"type": "data_modification", "subtype": "insert_row", "target": "rw_orders", "parameters": {"values": {"Price": -1}}}]}');
SELECT r->>'status' AS status, r->'rolled_back' AS rolled_back, r->'warnings' AS warnings FROM sigma.execute_sequence('rw_run') AS r;
UPDATE sigma.sigma_action_sequences SET execution_config = '{"atomic": false}' WHERE id = 'rw_run';
SELECT r->>'status' AS status, r->'rolled_back' AS rolled_back, jsonb_array_length(r->'warnings') AS warnings FROM sigma.execute_sequence('rw_run') AS r;

-- sigma.max_errors bounds them
DELETE FROM sigds.sigds_rw_orders;
SET sigma.max_errors = 2;
SELECT w->'index' AS index, w->>'message' AS message FROM sigma.execute_sequence('rw_good') AS r, jsonb_array_elements(r->'warnings') AS w;
RESET sigma.max_errors;

-- values are for who may read the column
GRANT USAGE ON SCHEMA sigma, sigds TO regress_rw_writer;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sigma TO regress_rw_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA sigma TO regress_rw_writer;
GRANT INSERT ON sigma.sigma_execution_history TO regress_rw_writer;
GRANT INSERT, SELECT (sigma_row_id) ON sigds.sigds_rw_orders TO regress_rw_writer;
SELECT sigma.create_action_sequence('{"id": "rw_blind", "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "rw_orders", "parameters": {"values": {"Item": "z"}}}]}');
SET ROLE regress_rw_writer;
SELECT r->>'status' AS status, r->'error' AS error, w - 'row_id' AS warning FROM sigma.execute_sequence('rw_blind') AS r, jsonb_array_elements(r->'warnings') AS w;
RESET ROLE;

SELECT count(sigma.delete_action_sequence(id)) FROM sigma.sigma_action_sequences WHERE id LIKE 'rw\_%';
SELECT sigma.delete_input_table('rw_orders', true);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'rw\_%';
DROP OWNED BY regress_rw_writer;
DROP ROLE regress_rw_writer;
