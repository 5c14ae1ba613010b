-- Rows that break rules: flagged, rule_impact, and rules that come over bad rows.
\set SHOW_CONTEXT never
SET client_min_messages = notice;
CREATE ROLE regress_flag_clerk;
CREATE ROLE regress_flag_nobody;
SET client_min_messages = warning;
SELECT sigma.create_input_table('{
    "id": "fl_items", "name": "Items", "columns": [
        {"name": "Item",  "type": "text"},
        {"name": "Price", "type": "number", "validation": {"max": 100, "severity": "warn", "message": "rather dear"}},
        {"name": "Cost",  "type": "number"},
        {"name": "Tags",  "type": "multi-select"}]}');
SET client_min_messages = notice;
INSERT INTO sigds.sigds_fl_items ("Item", "Price", "Cost", "Tags") VALUES
    ('pen', 2, 1, '{a}'), ('ink', 500, 7, NULL), (NULL, 3, 9, '{a,b}'), ('pen', -4, NULL, '{c}'), ('cap', 8, 8, NULL), ('Pen', NULL, 5, '{b}');

-- a warning is flagged at once
SELECT * FROM sigma.flagged('fl_items');

-- before a rule is applied: what it would find; nothing is changed
SELECT * FROM sigma.rule_impact('fl_items', '{"min": 0}', 'Price');
SELECT checked, failing, jsonb_array_length(samples) AS samples FROM sigma.rule_impact('fl_items', '{"required": true, "pattern": "^[a-z]"}', 'item', 1);
SELECT checked, failing, samples->0->>'message' AS message FROM sigma.rule_impact('fl_items', '{"values": ["a", "b"], "message": "a or b", "severity": "warn"}', 'Tags');
SELECT * FROM sigma.rule_impact('fl_items', '{"formula": "[Price] >= [Cost]"}');
SELECT * FROM sigma.rule_impact('fl_items', '{"formula": "[Item] <> \"cap\""}', 'Item');
-- unique: every row that shares its value with another one
SELECT * FROM sigma.rule_impact('fl_items', '{"unique": true}', 'Item');
SELECT checked, failing, (SELECT jsonb_agg(s - 'message') FROM jsonb_array_elements(samples) AS s) AS samples
FROM sigma.rule_impact('fl_items', '{"unique": "ignore_case", "min_length": 3}', 'Item');
SELECT * FROM sigma.rule_impact('fl_items', '{"unique": ["Item", "Tags"]}');
SELECT * FROM sigma.rule_impact('fl_items', '{"unique": ["Item", "Cost"]}');
SELECT checked, failing, samples FROM sigma.rule_impact('fl_items', '{"unique": ["Item"], "ignore_case": true}', NULL, 0);
-- the rule is checked as when it is saved; paths begin at the rule
SELECT * FROM sigma.rule_impact('fl_items', '{"mux": 1}', 'Price');
SELECT * FROM sigma.rule_impact('fl_items', '{"min": "much"}', 'Price');
SELECT * FROM sigma.rule_impact('fl_items', '{"min": 5, "max": 4}', 'Price');
SELECT * FROM sigma.rule_impact('fl_items', '{"min": 0}', 'Item');
SELECT * FROM sigma.rule_impact('fl_items', '{"formula": "[Price] >= [Prize]"}');
SELECT * FROM sigma.rule_impact('fl_items', '{"formula": "[Price] + 1"}', 'Price');
SELECT * FROM sigma.rule_impact('fl_items', '{"min": 0}');
SELECT * FROM sigma.rule_impact('fl_items', '{"min": 0}', 'Prize');
SELECT * FROM sigma.rule_impact('fl_items', '[]', 'Price');
SELECT * FROM sigma.rule_impact('fl_items', NULL, 'Price');
SELECT * FROM sigma.rule_impact('fl_items', '{"min": 0}', 'Price', -1);
\set VERBOSITY terse
SELECT * FROM sigma.rule_impact('fl_nowhere', '{"min": 0}', 'Price');
\set VERBOSITY default
SELECT (sigma.table_info('fl_items')->'columns'->1->'validation') AS unchanged;

-- rules over rows that break them: kept and counted ...
SELECT sigma.alter_column('fl_items', 'Item', '{"required": true}')->'changed' AS changed;
SELECT sigma.update_input_table('fl_items', '{"row_rules": [{"formula": "[Price] >= [Cost]"}], "on_existing": "flag"}')->'changed' AS changed;
SELECT * FROM sigma.flagged('fl_items');
SELECT row_id, rule FROM sigma.flagged('fl_items', 2);
SELECT sigma.table_info('fl_items')->'flagged' AS flagged;
-- ... or refused: the new rule alone counts, not those that were broken before
SELECT sigma.alter_column('fl_items', 'Price', '{"validation": {"min": 0}, "on_existing": "refuse"}');
SELECT sigma.update_input_table('fl_items', '{"validation_rules": {"Tags": {"values": ["a", "b"], "message": "a or b"}}, "onExisting": "Refuse"}');
SELECT sigma.update_input_table('fl_items', '{"row_rules": [{"formula": "[Price] >= [Cost]"}, {"formula": "Len([Item]) < 3", "message": "short names"}], "on_existing": "refuse"}');
SELECT sigma.update_input_table('fl_items', '{"row_rules": [{"formula": "[Price] >= [Cost]"}, {"formula": "[Cost] < 10"}], "on_existing": "refuse"}')->'changed' AS changed;
SELECT sigma.alter_column('fl_items', 'Cost', '{"validation": {"min": 1}, "on_existing": "refuse"}')->'changed' AS changed;
SELECT sigma.alter_column('fl_items', 'Cost', '{"validation": {"min": 1, "max": 8}, "on_existing": "refuse"}');
SELECT sigma.add_column('fl_items', '{"name": "Bin", "type": "text", "required": true, "on_existing": "refuse"}');
SELECT length(sigma.add_column('fl_items', '{"name": "Bin", "type": "text", "required": true, "default_value": "A1", "on_existing": "refuse"}')) AS id;
-- a warning rejects nobody, so it is never refused; a unique rule always is, with its duplicates
SELECT sigma.alter_column('fl_items', 'Price', '{"validation": {"min": 0, "severity": "warn"}, "on_existing": "refuse"}')->'changed' AS changed;
SELECT sigma.alter_column('fl_items', 'Item', '{"unique": "ignore_case", "on_existing": "flag"}');
SELECT sigma.update_input_table('fl_items', '{"max_rows": 10, "on_existing": "keep"}');
SELECT sigma.update_input_table('fl_items', '{"max_rows": 10, "on_existing": 1}');
-- a definition that comes to rows that were kept
SELECT sigma.delete_input_table('fl_items');
SELECT sigma.create_input_table('{"id": "fl_items", "columns": [{"name": "Item", "type": "text"}, {"name": "Price", "type": "number"}, {"name": "Cost", "type": "number"}, {"name": "Tags", "type": "multi-select"}, {"name": "Bin", "type": "text"}],
    "validation_rules": {"Price": {"min": 0}}, "on_existing": "refuse"}');
SELECT sigma.create_input_table('{"id": "fl_items", "name": "Items", "columns": [{"name": "Item", "type": "text"}, {"name": "Price", "type": "number"}, {"name": "Cost", "type": "number"}, {"name": "Tags", "type": "multi-select"}, {"name": "Bin", "type": "text"}],
    "validation_rules": {"Price": {"min": 0}, "Tags": {"values": ["a", "b"], "severity": "warn"}}, "row_rules": [{"formula": "[Price] >= [Cost]"}]}');
SELECT row_id, "column", rule, severity, value FROM sigma.flagged('fl_items');
UPDATE sigds.sigds_fl_items SET "Price" = 9 WHERE sigma_row_id = 3;
SELECT row_id, "column", rule, severity, value FROM sigma.flagged('fl_items');

-- as the caller: rights on columns, row security
GRANT USAGE ON SCHEMA sigma, sigds TO regress_flag_clerk, regress_flag_nobody;
GRANT EXECUTE ON FUNCTION sigma.flagged, sigma.rule_impact, sigma.table_info TO regress_flag_clerk, regress_flag_nobody;
GRANT SELECT ON sigma.sigma_input_tables TO regress_flag_clerk, regress_flag_nobody;
GRANT SELECT ("Price", sigma_row_id) ON sigds.sigds_fl_items TO regress_flag_clerk;
SET ROLE regress_flag_clerk;
SELECT row_id, "column", rule FROM sigma.flagged('fl_items');
SELECT checked, failing FROM sigma.rule_impact('fl_items', '{"min": 3}', 'Price');
SELECT * FROM sigma.rule_impact('fl_items', '{"max": 3}', 'Cost');
SELECT * FROM sigma.rule_impact('fl_items', '{"formula": "[Price] >= [Cost]"}');
SELECT sigma.table_info('fl_items')->'flagged' AS flagged;
RESET ROLE;
GRANT SELECT ON sigds.sigds_fl_items TO regress_flag_clerk;
ALTER TABLE sigds.sigds_fl_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON sigds.sigds_fl_items TO regress_flag_clerk USING ("Price" IS DISTINCT FROM -4);
SET ROLE regress_flag_clerk;
SELECT row_id, "column", rule, value FROM sigma.flagged('fl_items');
SELECT * FROM sigma.rule_impact('fl_items', '{"min": 3}', 'Price');
SELECT sigma.table_info('fl_items')->'flagged' AS flagged;
SET ROLE regress_flag_nobody;
SELECT * FROM sigma.flagged('fl_items');
SELECT * FROM sigma.rule_impact('fl_items', '{"min": 3}', 'Price');
RESET ROLE;
-- who may define but not see all rows cannot ask by refusing
GRANT SELECT, UPDATE ON sigma.sigma_input_tables TO regress_flag_clerk;
GRANT EXECUTE ON FUNCTION sigma.update_input_table TO regress_flag_clerk;
SET ROLE regress_flag_clerk;
SELECT sigma.update_input_table('fl_items', '{"validation_rules": {"Price": {"min": -4}, "Tags": {"values": ["a", "b"], "severity": "warn"}}, "on_existing": "refuse"}');
RESET ROLE;
ALTER TABLE sigds.sigds_fl_items DISABLE ROW LEVEL SECURITY;
DROP POLICY p ON sigds.sigds_fl_items;

-- a computed column between the others
SET client_min_messages = warning;
SELECT sigma.create_input_table('{"id": "fl_computed", "columns": [{"name": "Half", "type": "number", "formula": "[n] / 2"}, {"name": "n", "type": "number"}, {"name": "m", "type": "number"}]}');
INSERT INTO sigds.sigds_fl_computed (n, m) VALUES (10, 1), (4, 30);
SELECT * FROM sigma.rule_impact('fl_computed', '{"formula": "[Half] > 2"}');
SELECT sigma.update_input_table('fl_computed', '{"row_rules": [{"formula": "[Half] > 2"}], "validation_rules": {"m": {"max": 20}}}')->'changed' AS changed;
SELECT row_id, "column", rule FROM sigma.flagged('fl_computed');
SELECT sigma.update_input_table('fl_computed', '{"validation_rules": {"m": {"max": 20}, "n": {"min": 3}}, "on_existing": "refuse"}')->'changed' AS changed;
SELECT sigma.update_input_table('fl_computed', '{"validation_rules": {"m": {"max": 20}, "n": {"min": 5}}, "on_existing": "refuse"}');
SELECT sigma.rule_impact('fl_computed', '{"min": 5}', 'Half');
SELECT sigma.delete_input_table('fl_computed', true);
SET client_min_messages = notice;

-- rows of a linked table are known by their keys; lists of values count like any rule
SET client_min_messages = warning;
CREATE TABLE fl_source (k int, t text);
INSERT INTO fl_source SELECT g, 't' || g FROM generate_series(1, 3) AS g;
SELECT sigma.create_input_table('{"id": "fl_linked", "type": "linked", "source": "public.fl_source", "key_columns": ["k"], "linked_columns": ["t"],
    "columns": [{"name": "Note", "type": "text"}]}');
UPDATE sigds.sigds_fl_linked SET "Note" = 'abc' WHERE k > 1;
SELECT sigma.create_input_table('{"id": "fl_list", "columns": [{"name": "Note", "type": "text", "unique": true}]}');
INSERT INTO sigds.sigds_fl_list ("Note") VALUES ('ab');
SELECT checked, failing FROM sigma.rule_impact('fl_linked', '{"values_from": {"table": "fl_list", "column": "Note"}}', 'Note');
SELECT sigma.alter_column('fl_linked', 'Note', '{"validation": {"values_from": {"table": "fl_list", "column": "Note"}}, "on_existing": "refuse"}');
SELECT sigma.alter_column('fl_linked', 'Note', '{"validation": {"max_length": 2, "values_from": {"table": "fl_list", "column": "Note"}, "severity": "warn"}}')->'changed' AS changed;
SELECT row_id, key, "column", rule, severity, value FROM sigma.flagged('fl_linked');
SELECT sigma.delete_input_table('fl_linked', true), sigma.delete_input_table('fl_list', true);
DROP TABLE fl_source;
SET client_min_messages = notice;

-- bad arguments
\set VERBOSITY terse
SELECT * FROM sigma.flagged('fl_nowhere');
\set VERBOSITY default
SELECT * FROM sigma.flagged(NULL);
SELECT * FROM sigma.flagged('fl_items', 0);

-- many rows: the first failures need no look at the rest
SET client_min_messages = warning;
SELECT sigma.create_input_table('{"id": "fl_many", "columns": [{"name": "n", "type": "integer"}]}');
INSERT INTO sigds.sigds_fl_many (n) SELECT g FROM generate_series(1, 5000) AS g;
SELECT sigma.update_input_table('fl_many', '{"validation_rules": {"n": {"max": 2990}}}')->'changed' AS changed;
SELECT count(*), min(value::int), max(value::int) FROM sigma.flagged('fl_many', 100);
SELECT count(*) FROM sigma.flagged('fl_many', 100000);
SELECT sigma.table_info('fl_many')->'flagged' AS flagged;
SELECT checked, failing, jsonb_array_length(samples) AS samples FROM sigma.rule_impact('fl_many', '{"formula": "Mod([n], 2) = 0"}');

SELECT sigma.delete_input_table('fl_many', true), sigma.delete_input_table('fl_items', true);
DROP OWNED BY regress_flag_clerk, regress_flag_nobody;
DROP ROLE regress_flag_clerk, regress_flag_nobody;
