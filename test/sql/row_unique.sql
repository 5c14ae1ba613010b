-- Row rules {unique: [columns]}: values that occur once together.
\set SHOW_CONTEXT never
SET client_min_messages = warning;

SELECT sigma.create_input_table('{
    "id": "ru_plan", "name": "Plan", "columns": [
        {"name": "Region", "type": "text"},
        {"name": "Month",  "type": "date", "required": true},
        {"name": "Amount", "type": "number", "validation": {"min": 0}}],
    "row_rules": [{"unique": ["Region", "Month"], "ignore_case": true},
                  {"formula": "[Amount] < 1000"}]}');

-- one unique index over the columns, texts in lower case
SELECT regexp_replace(pg_get_indexdef(indexrelid), 'sigds_ru_plan_[0-9A-F]{16}_key', 'NAME') AS def
FROM pg_index WHERE indrelid = 'sigds.sigds_ru_plan'::regclass AND NOT indisprimary;

INSERT INTO sigds.sigds_ru_plan ("Region", "Month", "Amount") VALUES ('North', '2026-01-01', 10), ('North', '2026-02-01', 20), ('South', '2026-01-01', 30);

-- good: another value in one of the columns, or no value
INSERT INTO sigds.sigds_ru_plan ("Region", "Month") VALUES (NULL, '2026-01-01'), (NULL, '2026-01-01');
UPDATE sigds.sigds_ru_plan SET "Amount" = 11 WHERE sigma_row_id = 1;

-- bad: reported with the row's other failures, in plain SQL ...
INSERT INTO sigds.sigds_ru_plan ("Region", "Month", "Amount") VALUES ('NORTH', '2026-01-01', -1);
UPDATE sigds.sigds_ru_plan SET "Region" = 'north' WHERE "Region" = 'South';
UPDATE sigds.sigds_ru_plan SET "Month" = '2026-01-01' WHERE sigma_row_id = 2;
DO $$
DECLARE c text; t text; k text; s text;
BEGIN
    INSERT INTO sigds.sigds_ru_plan ("Region", "Month") VALUES ('SOUTH', '2026-01-01');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, t = TABLE_NAME, c = COLUMN_NAME, k = CONSTRAINT_NAME;
    RAISE WARNING '% table % column "%" constraint %', s, t, c, k;
END $$;
-- ... also of the statement's own rows
INSERT INTO sigds.sigds_ru_plan ("Region", "Month") VALUES ('East', '2026-01-01'), ('east', '2026-01-01');
COPY sigds.sigds_ru_plan ("Region", "Month") FROM STDIN;
West	2026-01-01
wEST	2026-01-01
\.

-- ON CONFLICT, with the index's expressions; any other clause does not take the duplicate
INSERT INTO sigds.sigds_ru_plan ("Region", "Month", "Amount") VALUES ('south', '2026-01-01', 33)
    ON CONFLICT (lower("Region"), "Month") DO UPDATE SET "Amount" = excluded."Amount" RETURNING sigma_row_id, "Region", "Amount";
INSERT INTO sigds.sigds_ru_plan ("Region", "Month", "Amount") VALUES ('south', '2026-01-01', 34) ON CONFLICT DO NOTHING;
MERGE INTO sigds.sigds_ru_plan AS t USING (VALUES ('North', date '2026-01-01', 12), ('Nord', '2026-01-01', 1)) AS n(r, m, a)
    ON t."Region" = n.r AND t."Month" = n.m
    WHEN MATCHED THEN UPDATE SET "Amount" = n.a WHEN NOT MATCHED THEN INSERT ("Region", "Month", "Amount") VALUES (n.r, n.m, n.a);
SELECT "Region", "Month", "Amount" FROM sigds.sigds_ru_plan ORDER BY 1, 2, 3;

-- handle_data_entry, every mode; rows of the call are compared with each other
SELECT e - 'severity' AS error FROM sigma.handle_data_entry('ru_plan', '[
    {"Region": "Nord", "Month": "2026-01-01"},
    {"Region": "Nord", "Month": "2026-02-01"},
    {"Region": "NORD", "Month": "2026-02-01", "Amount": -2},
    {"Region": "Nord", "Month": "2026-03-01"}]', 'partial') AS r, jsonb_array_elements(r->'errors') AS e;
SELECT sigma.handle_data_entry('ru_plan', '[{"Region": "nord", "Month": "2026-03-01"}]');
SELECT e->>'rule' AS rule, r->'rejected' AS rejected, r->'warnings' AS warnings
FROM sigma.handle_data_entry('ru_plan', '[{"Region": "nord", "Month": "2026-03-01", "Amount": "x"}]', 'sigma') AS r, jsonb_array_elements(r->'errors') AS e;
SELECT * FROM sigma.validate_data('ru_plan', '[{"Region": "nord", "Month": "2026-03-01"}, {"Region": "new", "Month": "2026-03-01"}, {"Region": "NEW", "Month": "2026-03-01"}]');
-- an update that names one of the columns; rows that make way
SELECT e->>'message' AS message, e->>'value' AS value, (e->>'conflicts_with')::int > 0 AS held
FROM sigma.handle_data_entry('ru_plan', '{"sigma_row_id": 2, "Month": "2026-01-01"}', 'partial') AS r, jsonb_array_elements(r->'errors') AS e;
SELECT r->'updated' AS updated, r->'inserted' AS inserted FROM sigma.handle_data_entry('ru_plan',
    '[{"sigma_row_id": 2, "Month": "2026-05-01"}, {"Region": "north", "Month": "2026-02-01"}]') AS r;

-- upserts by the columns together, in any order
SELECT r->'updated' AS updated, r->'inserted' AS inserted FROM sigma.handle_data_entry('ru_plan',
    '[{"Region": "NORTH", "Month": "2026-05-01", "Amount": 55}, {"Region": "Fern", "Month": "2026-05-01", "Amount": 5}]', 'strict',
    '{"key": ["Month", "Region"], "on_conflict": "update"}') AS r;
SELECT r->'skipped' AS skipped, r->'inserted' AS inserted FROM sigma.handle_data_entry('ru_plan',
    '[{"Region": "fern", "Month": "2026-05-01", "Amount": 6}, {"Region": "Fern", "Month": "2026-06-01"}]', 'strict',
    '{"key": ["Region", "Month"], "on_conflict": "skip"}') AS r;
SELECT sigma.handle_data_entry('ru_plan', '[]', 'strict', '{"key": "Region", "on_conflict": "skip"}');
SELECT sigma.handle_data_entry('ru_plan', '[]', 'strict', '{"key": ["Region", "Amount"], "on_conflict": "skip"}');

-- imports
SELECT r->'inserted' AS inserted, e->'line' AS line, e->>'message' AS message
FROM sigma.import_csv('ru_plan', E'Region,Month\nFern,2026-05-01\nOst,2026-07-01\nOST,2026-07-01\n', '{"mode": "partial"}') AS r, jsonb_array_elements(r->'errors') AS e;
SELECT r->'updated' AS updated, r->'inserted' AS inserted
FROM sigma.import_csv('ru_plan', E'Region,Month,Amount\nOst,2026-07-01,7\nOst,2026-08-01,8\n', '{"key": ["Region", "Month"]}') AS r;
SELECT sigma.import_csv('ru_plan', E'Region,Amount\nOst,7\n', '{"key": ["Region", "Month"]}');

-- actions: upsert_row finds the row by the rule, without "key" too
SELECT sigma.create_action_sequence('{"id": "ru_up", "actions": [
    {"type": "data_modification", "subtype": "upsert_row", "target": "ru_plan", "parameters": {"values": {"Region": "OST", "Month": "2026-08-01", "Amount": 80}}},
    {"type": "data_modification", "subtype": "upsert_row", "target": "ru_plan", "parameters": {"values": {"Region": "ost", "Month": "2026-09-01", "Amount": 9}, "key": ["Region", "Month"]}}]}');
SELECT s->'rows' AS rows, s->'error' AS error FROM sigma.execute_sequence('ru_up') AS r, jsonb_array_elements(r->'actions') AS s;
SELECT "Region", "Month", "Amount" FROM sigds.sigds_ru_plan WHERE "Region" ILIKE 'ost' ORDER BY 2;
SELECT sigma.delete_action_sequence('ru_up');

-- the rule follows renames; its columns cannot be dropped while it is there
SELECT (sigma.rename_column('ru_plan', 'Region', 'Area')) AS places;
SELECT row_rules->0 AS rule FROM sigma.sigma_input_tables WHERE id = 'ru_plan';
INSERT INTO sigds.sigds_ru_plan ("Area", "Month") VALUES ('ost', '2026-09-01');
SELECT sigma.drop_column('ru_plan', 'Area');
SELECT sigma.drop_column('ru_plan', 'Area', true);
SELECT sigma.update_input_table('ru_plan', '{"columns": [{"name": "Zone", "renamed_from": "Area"}, {"name": "Month"}, {"name": "Amount"}],
    "row_rules": [{"unique": ["Area", "Month"], "ignore_case": true}]}')->'renamed' AS renamed;
SELECT row_rules FROM sigma.sigma_input_tables WHERE id = 'ru_plan';
-- a retype makes the index anew; what cannot be indexed is refused
SELECT sigma.alter_column('ru_plan', 'Month', '{"type": "text"}')->'retyped'->0->'converted' > '0' AS retyped;
INSERT INTO sigds.sigds_ru_plan ("Zone", "Month") VALUES ('ost', '2026-09-01');
SELECT sigma.alter_column('ru_plan', 'Zone', '{"type": "json"}');
-- taken off, put back over duplicates: refused with the duplicates
SELECT sigma.update_input_table('ru_plan', '{"row_rules": null}')->'changed' AS changed;
SELECT count(*) FROM pg_index WHERE indrelid = 'sigds.sigds_ru_plan'::regclass AND NOT indisprimary;
INSERT INTO sigds.sigds_ru_plan ("Zone", "Month") VALUES ('ost', '2026-09-01'), ('Fern', '2026-05-01');
SELECT sigma.update_input_table('ru_plan', '{"row_rules": [{"unique": ["Zone", "Month"]}]}');
SELECT sigma.update_input_table('ru_plan', '{"row_rules": [{"unique": ["Zone", "Month"], "ignore_case": true}]}');
DELETE FROM sigds.sigds_ru_plan WHERE sigma_row_id IN (SELECT max(sigma_row_id) FROM sigds.sigds_ru_plan GROUP BY lower("Zone"), "Month" HAVING count(*) > 1 AND lower("Zone") IS NOT NULL);
SELECT sigma.update_input_table('ru_plan', '{"row_rules": [{"unique": ["Zone", "Month"], "message": "one plan per zone and month"}, {"unique": ["Month", "Amount"]}]}')->'changed' AS changed;
INSERT INTO sigds.sigds_ru_plan ("Zone", "Month", "Amount") VALUES ('Fern', '2026-05-01', 5);
INSERT INTO sigds.sigds_ru_plan ("Zone", "Month", "Amount") VALUES (repeat('x', 1500), repeat('y', 501), 5);
SELECT count(*) FROM pg_index WHERE indrelid = 'sigds.sigds_ru_plan'::regclass AND NOT indisprimary;

-- the definition goes and comes back: the index is made again
SELECT sigma.delete_input_table('ru_plan');
SELECT sigma.create_input_table('{"id": "ru_plan", "columns": [{"name": "Zone", "type": "text"}, {"name": "Month", "type": "text"}, {"name": "Amount", "type": "number"}],
    "row_rules": [{"unique": ["Zone", "Month"]}]}');
INSERT INTO sigds.sigds_ru_plan ("Zone", "Month") VALUES ('Fern', '2026-05-01');
SELECT count(*) FROM pg_index WHERE indrelid = 'sigds.sigds_ru_plan'::regclass AND NOT indisprimary;

-- bad documents
SELECT sigma.update_input_table('ru_plan', '{"row_rules": [{"unique": ["Zone", "Nowhere"]}]}');
SELECT sigma.update_input_table('ru_plan', '{"columns": [{"name": "Zone"}, {"name": "Month"}, {"name": "Amount"}, {"name": "Twice", "type": "number", "formula": "[Amount] * 2"}], "row_rules": [{"unique": ["Zone", "Twice"]}]}');
SELECT sigma.update_input_table('ru_plan', '{"row_rules": [{"unique": []}]}');
SELECT sigma.update_input_table('ru_plan', '{"row_rules": [{"unique": ["Zone", "Zone"]}]}');
SELECT sigma.update_input_table('ru_plan', '{"row_rules": [{"unique": ["Zone"], "formula": "True"}]}');
SELECT sigma.update_input_table('ru_plan', '{"row_rules": [{"unique": ["Zone", "Month"], "severity": "warn"}]}');
SELECT sigma.update_input_table('ru_plan', '{"row_rules": [{"unique": ["Zone", "Month"]}, {"unique": ["Month", "Zone"], "ignore_case": true}]}');
SELECT sigma.update_input_table('ru_plan', '{"row_rules": [{"formula": "True", "ignore_case": true}]}');

SELECT sigma.delete_input_table('ru_plan', true);
