-- computed columns: formulas in the warehouse view, in rules, in other formulas
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT sigma.create_input_table('{
    "id": "cc_orders", "name": "CC Orders", "data_entry_permission": "published",
    "columns": [
        {"name": "Item",     "type": "text"},
        {"name": "Total",    "type": "number",  "formula": "[Price] * [Qty]"},
        {"name": "Price",    "type": "number"},
        {"name": "Qty",      "type": "integer"},
        {"name": "Tax",      "type": "number",  "formula": "Round([total] * 0.2, 2)"},
        {"name": "Gross",    "type": "integer", "formula": "[Total] + [Tax]", "description": "with tax"},
        {"name": "Size",     "type": "text",    "formula": "If([Gross] > 100, \"large\", \"small\")"},
        {"name": "Day",      "type": "date",    "formula": "DateAdd(\"day\", 1, [At])"},
        {"name": "At",       "type": "datetime"},
        {"name": "Running",  "type": "number",  "formula": "CumulativeSum([Total])"},
        {"name": "Share",    "type": "float",   "formula": "[Total] / Sum([Total])"},
        {"name": "Place",    "type": "integer", "formula": "Rank([Running], \"desc\")"},
        {"name": "Above",    "type": "checkbox","formula": "[Running] > Avg([Running])"},
        {"name": "Tags",     "type": "multi-select"},
        {"name": "Labels",   "type": "multi-select", "formula": "[Tags]"},
        {"name": "Doc",      "type": "json",    "formula": "{item: [Item], n: [Qty]}"}],
    "row_rules": [{"formula": "[Gross] < 1000", "message": "too large"}]}');

-- the data table has none of them, the view all, in the order of the definition
SELECT attname FROM pg_attribute WHERE attrelid = 'sigds.sigds_cc_orders'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'sigma_views."CC Orders"'::regclass AND attnum > 0 ORDER BY attnum;
INSERT INTO sigds.sigds_cc_orders ("Item", "Price", "Qty", "At", "Tags") VALUES
    ('pen', 1.25, 10, '2024-02-28 12:00', '{a,b}'), ('desk', 99.9, 2, NULL, NULL), ('cup', 4, NULL, '2024-12-31', '{}');
SELECT "Item", "Total", "Tax", "Gross", "Size", "Day", "Running", round("Share"::numeric, 4) AS "Share", "Place", "Above", "Labels", "Doc"
FROM sigma_views."CC Orders" ORDER BY sigma_row_id;

-- a rule over what is computed
INSERT INTO sigds.sigds_cc_orders ("Item", "Price", "Qty") VALUES ('car', 500, 2);
UPDATE sigds.sigds_cc_orders SET "Qty" = 100 WHERE "Item" = 'desk';

-- nobody writes it, by any path
INSERT INTO sigds.sigds_cc_orders ("Total") VALUES (1);
SELECT sigma.handle_data_entry('cc_orders', '{"Item": "x", "Total": 5}', 'partial');
SELECT sigma.import_csv('cc_orders', E'Item,Total\nx,1\n');
SELECT sigma.import_csv('cc_orders', E'Item,T\nx,1\n', '{"map": {"T": "Total"}}');
SELECT sigma.create_action('{"id": "cc_act", "type": "data_modification", "subtype": "insert_row", "target": "cc_orders", "parameters": {"values": {"total": 5}}}');

-- table_info shows them as they were given
SELECT c ->> 'name' AS name, c ->> 'formula' AS formula FROM jsonb_array_elements(sigma.table_info('cc_orders') -> 'columns') AS c WHERE c ? 'formula';
SELECT sigma.table_info('cc_orders') -> 'warnings' AS warnings;

-- in other formulas, of the same table and of others
SELECT sigma.formula_sql('[Tax] > 1', 'sigds.sigds_cc_orders');
SELECT sigma.eval('Sum([CC Orders/Gross])'), sigma.eval('Max([cc_orders/Tax])');
SELECT sigma.create_input_table('{
    "id": "cc_items", "name": "CC Items", "data_entry_permission": "published",
    "columns": [
        {"name": "Name", "type": "text"},
        {"name": "Sold", "type": "number", "formula": "Rollup(Sum([CC Orders/Gross]), [Name], [CC Orders/Item])"},
        {"name": "Last", "type": "datetime", "formula": "Lookup([CC Orders/At], [Name], [CC Orders/Item])"},
        {"name": "All",  "type": "number", "formula": "Sum([CC Orders/Qty])"},
        {"name": "Mine", "type": "integer", "formula": "Count([Name])"}]}');
INSERT INTO sigds.sigds_cc_items VALUES ('pen'), ('desk'), ('ink');
SELECT "Name", "Sold", "Last", "All", "Mine" FROM sigma_views."CC Items" ORDER BY 1;

-- a view of a table in draft computes over what is published, also of other tables
SELECT sigma.create_input_table('{
    "id": "cc_draft", "name": "CC Draft",
    "columns": [{"name": "n", "type": "integer"}, {"name": "Sum", "type": "integer", "formula": "Sum([n])"}, {"name": "Part", "type": "number", "formula": "[n] / [Sum]"}]}');
INSERT INTO sigds.sigds_cc_draft VALUES (1), (3);
SELECT count(*) FROM sigma_views."CC Draft";
SELECT sigma.publish('cc_draft') ->> 'inserted' AS published;
INSERT INTO sigds.sigds_cc_draft VALUES (96);
SELECT sigma.add_column('cc_items', '{"name": "Drafts", "type": "integer", "formula": "Sum([CC Draft/n])"}') IS NOT NULL AS added;
SELECT "n", "Sum", "Part" FROM sigma_views."CC Draft" ORDER BY 1;
SELECT DISTINCT "Drafts" FROM sigma_views."CC Items";
SELECT sigma.publish('cc_draft') ->> 'inserted' AS published;
SELECT DISTINCT "Drafts" FROM sigma_views."CC Items";

-- changes: added, changed, retyped, dropped; others' grants stay
CREATE ROLE regress_cc_reader;
GRANT SELECT ON sigma_views."CC Items" TO regress_cc_reader;
SELECT sigma.alter_column('cc_items', 'Mine', '{"formula": "Count([Name]) + 1"}');
SELECT sigma.alter_column('cc_items', 'Mine', '{"type": "text", "formula": "Text(Count([Name]))"}');
SELECT sigma.drop_column('cc_items', 'All');
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'sigma_views."CC Items"'::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT LIKE 'sigma%' ORDER BY attnum;
SELECT relacl::text LIKE '%regress_cc_reader=r/%' AS kept FROM pg_class WHERE oid = 'sigma_views."CC Items"'::regclass;
SELECT "Name", "Mine" FROM sigma_views."CC Items" ORDER BY 1;
REVOKE ALL ON sigma_views."CC Items" FROM regress_cc_reader;

-- what is wrong is refused with path and character
CREATE FUNCTION pg_temp.save(columns jsonb, more jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; msg text; det text; hin text;
BEGIN
    PERFORM sigma.create_input_table(jsonb_build_object('id', 'cc_bad', 'columns', columns) || more);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, msg = MESSAGE_TEXT, det = PG_EXCEPTION_DETAIL, hin = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', state || ' ' || msg, det, nullif(hin, ''));
END $$;
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "[a] + [c]"}, {"name": "c", "type": "number", "formula": "[b]"}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "[b] + 1"}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "CumulativeSum([b])"}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "text", "formula": "[a] + 1"}]');
SELECT pg_temp.save('[{"name": "a", "type": "json"}, {"name": "b", "type": "multi-select", "formula": "[a]"}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "[a] +"}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "[aa] + 1"}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "Sum([Nowhere/x])"}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "[Control/x]"}]');
SELECT pg_temp.save('[{"name": "b", "type": "number", "formula": "1"}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "[a]", "required": true}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "[a]", "validation": {"min": 0}}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "[a]"}]', '{"validation_rules": {"b": {"min": 0}}}');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "file", "formula": "Json(\"{}\")"}]');
SELECT pg_temp.save('[{"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "CumulativeSum([a])"}]', '{"row_rules": [{"formula": "[b] < 5"}]}');
SELECT sigma.alter_column('cc_orders', 'Total', '{"formula": null}');
SELECT sigma.alter_column('cc_orders', 'Qty', '{"formula": "1"}');
SELECT sigma.drop_column('cc_orders', 'Price');
SELECT sigma.alter_column('cc_orders', 'Price', '{"type": "text"}');

-- who defines one needs SELECT on what it reads
CREATE TABLE cc_secret (k text, v numeric, w text);
INSERT INTO cc_secret VALUES ('pen', 7, 'hidden');
SELECT sigma.grant_access('regress_cc_reader', 'builder');
GRANT SELECT (k, v) ON cc_secret TO regress_cc_reader;
SET ROLE regress_cc_reader;
SELECT sigma.add_column('cc_items', '{"name": "Secret", "type": "text", "formula": "Lookup([cc_secret/w], [Name], [cc_secret/k])"}');
SELECT sigma.add_column('cc_items', '{"name": "Worth", "type": "number", "formula": "Lookup([cc_secret/v], [Name], [cc_secret/k])"}') IS NOT NULL AS added;
SELECT sigma.add_column('cc_items', '{"name": "Sum", "type": "number", "formula": "Sum([CC Draft/n])"}') IS NOT NULL AS added;
RESET ROLE;
ALTER TABLE cc_secret ENABLE ROW LEVEL SECURITY;
SET ROLE regress_cc_reader;
SELECT sigma.alter_column('cc_items', 'Worth', '{"formula": "Lookup([cc_secret/v], [Name], [cc_secret/k]) + 1"}');
RESET ROLE;
-- a formula that stays asks for no right, unless its names mean another relation than they did
SET ROLE regress_cc_reader;
SELECT sigma.add_column('cc_items', '{"name": "Plain", "type": "text"}') IS NOT NULL AS added;
RESET ROLE;
DROP TABLE cc_secret CASCADE;
CREATE TABLE cc_secret (k text, v numeric, w text);
INSERT INTO cc_secret VALUES ('pen', 8, 'hidden');
SET ROLE regress_cc_reader;
SELECT sigma.alter_column('cc_items', 'Plain', '{"name": "Renamed"}');
RESET ROLE;
SELECT sigma.rename_column('cc_items', 'Plain', 'Renamed');
SELECT sigma.alter_column('cc_items', 'Mine', '{"formula": "Text(Count([Name]) + 1)"}') -> 'changed' AS changed;
SELECT "Name", "Worth" FROM sigma_views."CC Items" WHERE "Worth" IS NOT NULL;
SELECT sigma.revoke_access('regress_cc_reader');
REVOKE ALL ON cc_secret FROM regress_cc_reader;
DROP ROLE regress_cc_reader;

-- a formula over the rows is what one would write by hand: pushed down to an index
SELECT sigma.create_input_table('{"id": "cc_plain", "name": "CC Plain", "data_entry_permission": "published", "columns": [
    {"name": "a", "type": "number"}, {"name": "b", "type": "number", "formula": "[a] + 1"}, {"name": "c", "type": "number", "formula": "[b] * 2"}]}');
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT c FROM sigma_views."CC Plain" WHERE sigma_row_id = 1;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- a table in its own formulas: by its id, which is stored as its name, and by name
SELECT sigma.create_input_table('{"id": "cc_tree", "name": "CC Tree", "data_entry_permission": "published", "columns": [{"name": "k", "type": "text"}, {"name": "parent", "type": "text"}, {"name": "n", "type": "integer"},
    {"name": "up", "type": "integer", "formula": "Lookup([CC Tree/n], [parent], [CC Tree/k])"}, {"name": "kids", "type": "integer", "formula": "Rollup(Count([cc_tree/n]), [k], [cc_tree/parent])"}]}');
INSERT INTO sigds.sigds_cc_tree VALUES ('a', NULL, 1), ('b', 'a', 2), ('c', 'a', 3);
SELECT k, up, kids FROM sigma_views."CC Tree" ORDER BY 1;
SELECT columns -> 4 ->> 'formula' AS formula FROM sigma.sigma_input_tables WHERE id = 'cc_tree';

-- formulas follow renames of columns and tables, also those of other tables; what came with the update is left as it is
SELECT sigma.rename_column('cc_orders', 'Price', 'Unit price');
SELECT sigma.update_input_table('cc_orders', '{"name": "CC Sales", "columns": [{"name": "Item"}, {"name": "Sum", "renamed_from": "Total"}, {"name": "Unit price"},
    {"name": "Count", "renamed_from": "Qty"}, {"name": "Tax", "type": "number", "formula": "[Sum] * 0.1"}, {"name": "Gross"}, {"name": "Size"}, {"name": "Day"}, {"name": "At"},
    {"name": "Running"}, {"name": "Share"}, {"name": "Place"}, {"name": "Above"}, {"name": "Tags"}, {"name": "Labels"}, {"name": "Doc"}]}') -> 'affected' AS affected;
SELECT id, c ->> 'name' AS name, c ->> 'formula' AS formula FROM sigma.sigma_input_tables, jsonb_array_elements(columns) WITH ORDINALITY AS t(c, n)
WHERE id IN ('cc_orders', 'cc_items') AND c ? 'formula' ORDER BY id, n;
SELECT row_rules FROM sigma.sigma_input_tables WHERE id = 'cc_orders';
SELECT "Item", "Sum", "Tax", "Gross" FROM sigma_views."CC Sales" ORDER BY sigma_row_id;
SELECT "Name", "Sold" FROM sigma_views."CC Items" ORDER BY 1;
-- names that change places
SELECT sigma.update_input_table('cc_plain', '{"columns": [{"name": "b", "renamed_from": "a"}, {"name": "a", "renamed_from": "b"}, {"name": "c"}]}') -> 'renamed' AS renamed;
INSERT INTO sigds.sigds_cc_plain (b) VALUES (10);
SELECT a, b, c FROM sigma_views."CC Plain";
SELECT c ->> 'name' AS name, c ->> 'formula' AS formula FROM sigma.sigma_input_tables, jsonb_array_elements(columns) AS c WHERE id = 'cc_plain';

-- what other tables read is in use
SELECT sigma.delete_input_table('cc_draft');
-- a table that others read goes from draft to published and back
SELECT sigma.update_input_table('cc_draft', '{"data_entry_permission": "published"}') -> 'changed' AS changed;
INSERT INTO sigds.sigds_cc_draft VALUES (5);
SELECT DISTINCT "Drafts" FROM sigma_views."CC Items";
SELECT sigma.update_input_table('cc_draft', '{"data_entry_permission": "draft"}') -> 'changed' AS changed;
INSERT INTO sigds.sigds_cc_draft VALUES (1000);
SELECT DISTINCT "Drafts" FROM sigma_views."CC Items";

SELECT sigma.delete_input_table(id, true) FROM (VALUES ('cc_items'), ('cc_orders'), ('cc_draft'), ('cc_plain'), ('cc_tree')) AS t(id);
DROP TABLE cc_secret;
