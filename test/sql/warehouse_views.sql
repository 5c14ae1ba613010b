-- Warehouse views: the rows of an input table under its display name
-- (https://help.sigmacomputing.com/docs/create-and-manage-workbook-warehouse-views)
\set VERBOSITY terse
CREATE FUNCTION pg_temp.columns(view regclass) RETURNS text LANGUAGE sql AS
    $$SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = view AND attname !~ '^sigma_'$$;
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS
    $$DECLARE detail text; BEGIN EXECUTE statement; RETURN 'no error'; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL; RETURN concat_ws(E'\n', SQLSTATE || ': ' || SQLERRM, nullif(detail, '')); END$$;

-- display names, published rows, multi-select as arrays, system columns
SELECT sigma.create_input_table('{"id": "wv_orders", "name": "View: my orders", "data_entry_permission": "published", "columns": [
    {"name": "Order no", "type": "text"}, {"name": "Tags", "type": "multi-select"}, {"name": "Qty", "type": "text"}]}');
INSERT INTO sigds.sigds_wv_orders ("Order no", "Tags", "Qty") VALUES ('A', '{x,y}', '1'), ('B', NULL, '2');
SELECT "Order no", "Tags", "Tags"[2], "Qty", sigma_row_id, sigma_created_at IS NOT NULL AS at, sigma_created_by = sigma_updated_by AS by FROM sigma_views."View: my orders";
SELECT reloptions, relowner = (SELECT nspowner FROM pg_namespace WHERE nspname = 'sigds') AS owner, obj_description(oid) FROM pg_class WHERE oid = 'sigma_views."View: my orders"'::regclass;
SELECT published_view FROM sigma.list_input_tables() WHERE id = 'wv_orders';
SELECT sigma.table_info('wv_orders')->'published_view' AS view;

-- a reader needs no right on the data table; functions of his WHERE clause come after the view's own
CREATE ROLE regress_wv_reader;
GRANT USAGE ON SCHEMA sigma_views TO regress_wv_reader;
GRANT SELECT ("Qty", "Tags") ON sigma_views."View: my orders" TO regress_wv_reader;
SET ROLE regress_wv_reader;
SELECT "Qty" FROM sigma_views."View: my orders" ORDER BY 1;
SELECT pg_temp.failure('SELECT "Order no" FROM sigma_views."View: my orders"');
SELECT pg_temp.failure('SELECT * FROM sigds.sigds_wv_orders');
RESET ROLE;

-- the table's and the columns' names follow; names may change places; what is added comes last
CREATE VIEW pg_temp.wv_user AS SELECT "Tags" AS t, "Qty" AS q FROM sigma_views."View: my orders";
SELECT sigma.update_input_table('wv_orders', '{"name": "wv Orders", "columns": [
    {"name": "Qty", "renamed_from": "Tags"}, {"name": "Tags", "renamed_from": "Qty"}, {"name": "Order no"}, {"name": "Price", "type": "number", "default_value": 5}]}')->'renamed' AS renamed;
SELECT pg_temp.columns('sigma_views."wv Orders"'), to_regclass('sigma_views."View: my orders"') AS before;
SELECT * FROM pg_temp.wv_user ORDER BY q;
SELECT "Price" FROM sigma_views."wv Orders";
UPDATE sigma.sigma_input_tables SET name = NULL WHERE id = 'wv_orders';
SELECT published_view FROM sigma.list_input_tables() WHERE id = 'wv_orders';

-- a column that another view needs stays; then it goes, and grants stay
SELECT pg_temp.failure($$SELECT sigma.drop_column('wv_orders', 'Order no')$$);
DROP VIEW pg_temp.wv_user;
SELECT sigma.update_input_table('wv_orders', '{"columns": [
    {"name": "Order no", "drop": true}, {"name": "Count", "renamed_from": "Tags", "type": "integer"}, {"name": "Labels", "renamed_from": "Qty"}, {"name": "Price"}]}')->'retyped' AS retyped;
SELECT pg_temp.columns('sigma_views.wv_orders');
SELECT attname, privilege_type FROM pg_attribute, aclexplode(attacl) WHERE attrelid = 'sigma_views.wv_orders'::regclass AND grantee = 'regress_wv_reader'::regrole ORDER BY 1;
GRANT SELECT ON sigma_views.wv_orders TO regress_wv_reader WITH GRANT OPTION;
SELECT sigma.alter_column('wv_orders', 'Price', '{"type": "text"}')->'retyped' AS retyped;
SELECT privilege_type, is_grantable FROM pg_class, aclexplode(relacl) WHERE oid = 'sigma_views.wv_orders'::regclass AND grantee = 'regress_wv_reader'::regrole;
SET ROLE regress_wv_reader;
SELECT "Count", "Labels", "Price" FROM sigma_views.wv_orders ORDER BY 1;
RESET ROLE;

-- names that clash, or cannot name a view
CREATE TABLE sigma_views."wv taken" ();
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "wv_2", "name": "wv taken"}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "wv taken"}')$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('wv_orders', '{"name": "wv taken"}')$$);
SELECT pg_temp.failure($$UPDATE sigma.sigma_input_tables SET name = 'wv taken' WHERE id = 'wv_orders'$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "wv_2", "name": "wv_orders"}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table(jsonb_build_object('id', 'wv_2', 'name', repeat('n', 64)))$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "wv_2", "name": ""}')$$);
DROP TABLE sigma_views."wv taken";
SELECT count(*) FROM sigma.list_input_tables() WHERE id = 'wv_2';

-- a view that its owner renamed is known still; one that he dropped comes back with the next change of columns
ALTER VIEW sigma_views.wv_orders RENAME TO by_hand;
SELECT published_view FROM sigma.list_input_tables() WHERE id = 'wv_orders';
SELECT sigma.add_column('wv_orders', '{"name": "More", "type": "date"}') IS NOT NULL AS added;
SELECT pg_temp.columns('sigma_views.wv_orders'), to_regclass('sigma_views.by_hand') AS by_hand;
DROP VIEW sigma_views.wv_orders;
SELECT sigma.table_info('wv_orders')->'warnings' AS warnings;
SELECT sigma.drop_column('wv_orders', 'More');
SELECT pg_temp.columns('sigma_views.wv_orders');

-- the view goes with the definition and comes back with it
SELECT sigma.delete_input_table('wv_orders');
SELECT to_regclass('sigma_views.wv_orders') AS view, count(*) FROM sigds.sigds_wv_orders;
SELECT sigma.create_input_table('{"id": "wv_orders", "data_entry_permission": "published", "columns": [
    {"name": "Count", "type": "integer"}, {"name": "Labels", "type": "multi-select"}, {"name": "Price", "type": "text"}]}');
SELECT "Count", "Labels", "Price" FROM sigma_views.wv_orders ORDER BY 1;
CREATE VIEW public.wv_user AS SELECT * FROM sigma_views.wv_orders;
SELECT pg_temp.failure($$SELECT sigma.delete_input_table('wv_orders', purge => true)$$);
DROP VIEW public.wv_user;
SELECT sigma.delete_input_table('wv_orders', purge => true);
SELECT to_regclass('sigma_views.wv_orders') AS view;
DROP OWNED BY regress_wv_reader;
DROP ROLE regress_wv_reader;
