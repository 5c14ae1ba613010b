-- Many rows at once: fill, duplicate_input_table, large entries, replacing imports.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_bulk_clerk;
SELECT sigma.create_input_table('{"id": "bk_stock", "name": "Bulk stock", "columns": [
    {"name": "Item", "type": "text", "unique": "ignore_case"},
    {"name": "Bin",  "type": "text", "default_value": "A1"},
    {"name": "Qty",  "type": "integer", "validation": {"max": 100}},
    {"name": "Tags", "type": "multi-select"},
    {"name": "Seen", "type": "date", "editable": false},
    {"name": "Double", "type": "integer", "formula": "[Qty] * 2"},
    {"name": "Share", "type": "number", "formula": "[Qty] / Sum([Bulk stock/Qty])"}],
    "row_rules": [{"unique": ["Bin", "Qty"]}, {"formula": "[Bulk stock/Item] != \"none\" or True"}]}');
INSERT INTO sigds.sigds_bk_stock ("Item", "Qty", "Tags") VALUES ('pen', 12, '{a}'), ('ink', 7, NULL), ('cap', NULL, '{b,c}'), ('nib', 3, '{a,b}');

-- fill: one UPDATE, one entry of the log
CREATE TEMP TABLE filled AS SELECT r FROM sigma.fill('bk_stock', '{"match": {"Qty": {"op": ">=", "value": 7}}}', '{"Bin": "B2"}') AS r;
SELECT r - 'edit_num' AS filled, (SELECT edit #> '{updateRows,columns}' FROM sigds.sigds_wal_bk_stock WHERE edit_num = (r->>'edit_num')::bigint) AS logged FROM filled;
SELECT sigma.fill('bk_stock', '{"row_id": [3, 4]}', '{"Bin": null, "Tags": ["x", "y"]}')->'rows' AS rows;
SELECT sigma.fill('bk_stock', '{"key": {"Item": "pen"}}', '{"Qty": "13"}')->'rows' AS rows;
SELECT sigma.fill('bk_stock', '{"formula": "[Qty] < 5 And Contains([Item], \"n\")"}', '{"Bin": {"type": "formula", "formula": "Concat(\"C\", \"3\")"}}')->'rows' AS rows;
SELECT sigma.fill('bk_stock', '{"row_id": 99}', '{"Bin": "B2"}') AS nothing;
SELECT "Item", "Bin", "Qty", "Tags", sigma_row_id FROM sigds.sigds_bk_stock ORDER BY sigma_row_id;
-- rules, locks, documents
SELECT sigma.fill('bk_stock', '{"row_id": [1, 2]}', '{"Qty": 101}');
SELECT sigma.fill('bk_stock', '{"row_id": [1, 2]}', '{"Qty": "many"}');
SELECT sigma.fill('bk_stock', '{"row_id": 1}', '{"Seen": "2026-01-01"}');
SELECT sigma.fill('bk_stock', '{"row_id": 1}', '{"Double": 2}');
SELECT sigma.fill('bk_stock', '{"row_id": 1}', '{"Nowhere": 2}');
SELECT sigma.fill('bk_stock', '{"row_id": 1}', '{}');
SELECT sigma.fill('bk_stock', '{"row_id": 1}', '[]');
SELECT sigma.fill('bk_stock', '{"current_row": true}', '{"Bin": "B2"}');
SELECT sigma.fill('bk_stock', '{"selection": true}', '{"Bin": "B2"}');
SELECT sigma.fill('bk_stock', '"all"', '{"Bin": "B2"}');
SELECT sigma.fill('bk_stock', '{}', '{"Bin": "B2"}');
SELECT sigma.fill('bk_stock', '{"rowid": 1}', '{"Bin": "B2"}');
SELECT sigma.fill('bk_stock', '{"formula": "[Nowhere] = 1"}', '{"Bin": "B2"}');
SELECT sigma.fill('bk_stock', '{"row_id": 1}', NULL);
\set VERBOSITY terse
SELECT sigma.fill('bk_nowhere', '{"row_id": 1}', '{"Bin": "B2"}');
\set VERBOSITY default
GRANT USAGE ON SCHEMA sigma, sigds TO regress_bulk_clerk;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sigma TO regress_bulk_clerk;
SET ROLE regress_bulk_clerk;
SELECT sigma.fill('bk_stock', '{"row_id": 1}', '{"Bin": "B2"}');
RESET ROLE;

-- a copy: row ids, rules, formulas and computed columns; formulas that name the table name the copy
DELETE FROM sigds.sigds_bk_stock WHERE "Item" = 'ink';
SELECT sigma.update_input_table('bk_stock', '{"columns": [{"name": "Item"}, {"name": "Bin", "protected": true}, {"name": "Qty", "validation": {"max": 12}}, {"name": "Tags"}, {"name": "Seen"}, {"name": "Double"}, {"name": "Share"}]}')->'changed' AS changed;
SELECT sigma.duplicate_input_table('bk_stock', 'bk_copy') AS id;
SELECT name, row_rules, validation_rules, jsonb_path_query_array(columns, '$[*].formula') AS formulas FROM sigma.sigma_input_tables WHERE id = 'bk_copy';
SELECT c.sigma_row_id, c."Item", c."Bin", c."Qty", c."Tags", c.sigma_created_at > s.sigma_created_at AS new_stamp
FROM sigds.sigds_bk_copy AS c JOIN sigds.sigds_bk_stock AS s USING (sigma_row_id) ORDER BY 1;
SELECT edit ? 'addRows' AS rows, jsonb_array_length(edit #> '{addRows,rows}') AS count FROM sigds.sigds_wal_bk_copy WHERE edit ? 'addRows';
SELECT row_id, rule FROM sigma.flagged('bk_copy');
SELECT sigma.alter_column('bk_copy', 'Bin', '{"protected": false}')->'changed' AS changed;
INSERT INTO sigds.sigds_bk_copy ("Item") VALUES ('new') RETURNING sigma_row_id;
INSERT INTO sigds.sigds_bk_copy ("Item") VALUES ('PEN');
-- names and ids; without rows
SELECT sigma.duplicate_input_table('bk_stock', 'bk_copy2', NULL, false) AS id;
SELECT sigma.duplicate_input_table('bk_stock', 'bk_copy3', 'Third') AS id;
SELECT id, name FROM sigma.sigma_input_tables WHERE id LIKE 'bk\_copy%' ORDER BY id;
SELECT count(*) FROM sigds.sigds_bk_copy2;
SELECT sigma.alter_column('bk_copy2', 'Bin', '{"protected": false}')->'changed' AS changed;
INSERT INTO sigds.sigds_bk_copy2 ("Item") VALUES ('first') RETURNING sigma_row_id;
SELECT sigma.duplicate_input_table('bk_stock', 'bk_copy');
SELECT sigma.duplicate_input_table('bk_stock', 'bk_copy4', 'Third');
\set VERBOSITY terse
SELECT sigma.duplicate_input_table('bk_nowhere');
\set VERBOSITY default
SELECT sigma.duplicate_input_table(NULL);
SELECT length(sigma.duplicate_input_table('bk_copy2', NULL, 'Made up id')) AS uuid;
-- who may define but not read the rows gets none
SELECT sigma.grant_access('regress_bulk_clerk', 'builder');
SET ROLE regress_bulk_clerk;
SELECT sigma.duplicate_input_table('bk_stock', 'bk_copy5');
SELECT sigma.duplicate_input_table('bk_copy2', 'bk_copy5', 'Fifth', false) AS id;
RESET ROLE;

-- 2,000 rows of 25 values are one statement
SELECT sigma.create_input_table(jsonb_build_object('id', 'bk_wide', 'columns',
    (SELECT jsonb_agg(jsonb_build_object('name', 'c' || i, 'type', (ARRAY['text', 'number', 'integer', 'date', 'checkbox'])[i % 5 + 1])) FROM generate_series(1, 25) AS i)));
SELECT r->'inserted' AS inserted, jsonb_array_length(r->'row_ids') AS row_ids, r->'error_count' AS errors
FROM sigma.handle_data_entry('bk_wide', (SELECT jsonb_agg((SELECT jsonb_object_agg('c' || i,
    CASE i % 5 WHEN 0 THEN to_jsonb('text ' || n) WHEN 1 THEN to_jsonb(n / 4.0) WHEN 2 THEN to_jsonb(n) WHEN 3 THEN to_jsonb(date '2026-01-01' + n) ELSE to_jsonb(n % 2 = 0) END)
    FROM generate_series(1, 25) AS i)) FROM generate_series(1, 2000) AS n), 'sigma') AS r;
SELECT count(*), count(DISTINCT statement) AS statements FROM sigds.sigds_wal_bk_wide WHERE edit ? 'addRows';
SELECT count(*), sum(c2), max(c3), count(*) FILTER (WHERE c4) FROM sigds.sigds_bk_wide;

-- an import that replaces is one statement of the log, and undone as one
SELECT sigma.create_input_table('{"id": "bk_csv", "columns": [{"name": "n", "type": "integer"}, {"name": "t", "type": "text"}]}');
INSERT INTO sigds.sigds_bk_csv (n, t) SELECT g, 'old ' || g FROM generate_series(1, 2500) AS g;
SELECT r->'deleted' AS deleted, r->'inserted' AS inserted
FROM sigma.import_csv('bk_csv', (SELECT E'n,t\n' || string_agg(g || ',new ' || g, E'\n') FROM generate_series(1, 1500) AS g), '{"replace": true}') AS r;
SELECT count(DISTINCT statement) AS statements, count(*) FILTER (WHERE edit ? 'deleteRows') AS deletes, count(*) FILTER (WHERE edit ? 'addRows') AS adds,
       (SELECT (edit->'importCsv') - 'lines' FROM sigds.sigds_wal_bk_csv WHERE edit ? 'importCsv') AS import
FROM sigds.sigds_wal_bk_csv WHERE statement >= (SELECT statement FROM sigds.sigds_wal_bk_csv WHERE edit ? 'importCsv');
SELECT jsonb_array_length(sigma.undo('bk_csv')->'undone') AS undone;
SELECT count(*), min(t), max(t) FROM sigds.sigds_bk_csv WHERE t LIKE 'old %';

-- a large import tells how far it is
SET client_min_messages = notice;
SELECT r->'inserted' AS inserted FROM sigma.import_csv('bk_csv', (SELECT E'n,t\n' || string_agg(g || ',' || repeat('x', 100), E'\n') FROM generate_series(1, 12000) AS g)) AS r;
SELECT r->'inserted' AS would_insert FROM sigma.import_csv('bk_csv', (SELECT E'n,t\n' || string_agg(g || ',' || repeat('x', 100), E'\n') FROM generate_series(1, 12000) AS g), '{"dry_run": true}') AS r;
SET client_min_messages = warning;
SELECT r->'inserted' AS unheard FROM sigma.import_csv('bk_csv', (SELECT E'n,t\n' || string_agg(g || ',' || repeat('x', 100), E'\n') FROM generate_series(1, 12000) AS g)) AS r;

SELECT sigma.delete_input_table(id, true) FROM sigma.sigma_input_tables WHERE id LIKE 'bk\_%' OR name = 'Made up id' ORDER BY id;
SELECT sigma.revoke_access('regress_bulk_clerk');
DROP OWNED BY regress_bulk_clerk;
DROP ROLE regress_bulk_clerk;
