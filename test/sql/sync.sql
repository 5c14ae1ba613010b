-- sync_warehouse(): what it finds and mends, table by table
\set VERBOSITY terse
CREATE FUNCTION pg_temp.state(ids text) RETURNS TABLE (id text, status text, drift text) LANGUAGE sql AS
$$SELECT d ->> 'table_id', d ->> 'status', t FROM jsonb_array_elements(sigma.sync_warehouse() -> 'details') AS d LEFT JOIN LATERAL (SELECT regexp_replace(x, '"sigds_sw_index_.*_key"', '"sigds_sw_index_…_key"') FROM jsonb_array_elements_text(d -> 'drift') AS x) AS x(t) ON true
  WHERE d ->> 'table_id' LIKE ids ORDER BY d ->> 'table_id', t COLLATE "C"$$;
SELECT count(sigma.create_input_table(jsonb_build_object('id', id, 'columns', '[{"name": "a", "type": "text"}, {"name": "n", "type": "number", "unique": true}, {"name": "twice", "type": "number", "formula": "[n] * 2"}]'::jsonb)
	|| CASE WHEN id IN ('sw_filter', 'sw_edit', 'sw_policy', 'sw_rls') THEN '{"governance_config": {"row_filter": "[a] = \"x\"", "row_edit": "[n] > 0"}}'::jsonb ELSE '{}' END))
FROM unnest(ARRAY['sw_0', 'sw_column', 'sw_computed', 'sw_document', 'sw_edit', 'sw_filter', 'sw_gone', 'sw_index', 'sw_log', 'sw_off', 'sw_policy', 'sw_rls', 'sw_trigger', 'sw_view', 'sw_viewcolumn', 'sw_z']) AS id;
SELECT * FROM pg_temp.state('sw\_%');

-- broken by hand
DROP VIEW sigma_views.sw_view, sigma_views.sw_z;
ALTER TABLE sigds.sigds_sw_column RENAME COLUMN a TO b;
DROP TABLE sigds.sigds_sw_gone CASCADE;
DO $$BEGIN
	EXECUTE (SELECT format('ALTER TABLE sigds.sigds_sw_index DROP CONSTRAINT %I', conname) FROM pg_constraint WHERE conrelid = 'sigds.sigds_sw_index'::regclass AND contype = 'u');
EXCEPTION WHEN null_value_not_allowed THEN	-- an index alone
	EXECUTE (SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index WHERE indrelid = 'sigds.sigds_sw_index'::regclass AND NOT indisprimary);
END$$;
ALTER TABLE sigds.sigds_sw_off DISABLE TRIGGER sigma_0_validate;
DROP TRIGGER "0_sigma_log_update" ON sigds.sigds_sw_trigger;
DROP TRIGGER sigma_0_validate ON sigds.sigds_sw_trigger;
DROP POLICY sigma_see ON sigds.sigds_sw_policy;
ALTER TABLE sigds.sigds_sw_rls DISABLE ROW LEVEL SECURITY;
ALTER VIEW sigma_views.sw_viewcolumn RENAME COLUMN a TO renamed;
DROP TABLE sigds.sigds_wal_sw_log;
CREATE TEMP TABLE sw_columns AS SELECT id, columns FROM sigma.sigma_input_tables WHERE id LIKE 'sw\_%';
SET session_replication_role = replica;
UPDATE sigma.sigma_input_tables SET governance_config = jsonb_set(governance_config, '{row_filter}', '"[nope] = 1"') WHERE id = 'sw_filter';
UPDATE sigma.sigma_input_tables SET governance_config = jsonb_set(governance_config, '{row_edit}', '"[n] +"') WHERE id = 'sw_edit';
UPDATE sigma.sigma_input_tables SET columns = jsonb_set(columns, '{2,formula}', '"[nope] * 2"') WHERE id = 'sw_computed';
UPDATE sigma.sigma_input_tables SET columns = '[{"name": 3}]' WHERE id = 'sw_document';
RESET session_replication_role;
SELECT * FROM pg_temp.state('sw\_%');
SELECT to_regclass('sigma_views.sw_view'), to_regclass('sigma_views.sw_z');
SELECT s -> 'status' AS status, s -> 'synced' AS synced, s #> '{details,0,drift}' AS drift FROM sigma.sync_warehouse('sw_document') AS s;

-- what was put right is right
SET session_replication_role = replica;
UPDATE sigma.sigma_input_tables AS t SET columns = s.columns FROM sw_columns AS s WHERE s.id = t.id AND t.id IN ('sw_computed', 'sw_document');
UPDATE sigma.sigma_input_tables SET governance_config = (SELECT governance_config FROM sigma.sigma_input_tables WHERE id = 'sw_rls') WHERE id IN ('sw_filter', 'sw_edit');
RESET session_replication_role;
ALTER TABLE sigds.sigds_sw_column RENAME COLUMN b TO a;
ALTER TABLE sigds.sigds_sw_off ENABLE TRIGGER sigma_0_validate;
ALTER TABLE sigds.sigds_sw_rls ENABLE ROW LEVEL SECURITY;
DROP VIEW sigma_views.sw_viewcolumn;
SELECT * FROM pg_temp.state('sw\_%') WHERE id IN ('sw_column', 'sw_computed', 'sw_document', 'sw_edit', 'sw_filter', 'sw_off', 'sw_rls', 'sw_viewcolumn');

-- a table whose view cannot be made leaves nothing half done and stops nobody; what is no fault of a table ends the call
CREATE FUNCTION public.sw_fail() RETURNS event_trigger LANGUAGE plpgsql AS
$$BEGIN
	IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'sigma_views.sw_view') THEN
		RAISE 'no view today' USING ERRCODE = current_setting('sw.code'), DETAIL = 'Come back tomorrow.';
	END IF;
END$$;
CREATE EVENT TRIGGER sw_fail ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION public.sw_fail();
DROP VIEW sigma_views.sw_view, sigma_views.sw_z;
SET sw.code = 'P0001';
SELECT * FROM pg_temp.state('sw\_view') UNION ALL SELECT * FROM pg_temp.state('sw\_z');
SELECT to_regclass('sigma_views.sw_view') AS view, to_regclass('sigma_views.sw_z') AS z;
\set VERBOSITY sqlstate
SET sw.code = '57014';
SELECT sigma.sync_warehouse();
SET sw.code = '40P01';
SELECT sigma.sync_warehouse('sw_view');
SET sw.code = '55P03';
SELECT sigma.sync_warehouse();
SET sw.code = '53200';
SELECT sigma.sync_warehouse();
\set VERBOSITY terse
DROP EVENT TRIGGER sw_fail;
DROP FUNCTION public.sw_fail();
SELECT * FROM pg_temp.state('sw\_view');

SELECT count(sigma.delete_input_table(id, purge => true)) FROM sigma.sigma_input_tables WHERE id LIKE 'sw\_%';
