-- who may define input tables: whoever may write the catalog; the rows are another matter
\pset null '<null>'
\getenv test PG_ABS_SRCDIR
\set include :test '/include/failure.sql'
\i :include
CREATE ROLE regress_nobody;
CREATE ROLE regress_creator;
CREATE ROLE regress_builder;
GRANT USAGE ON SCHEMA sigma TO regress_creator, regress_builder;
GRANT INSERT ON sigma.sigma_input_tables TO regress_creator;
GRANT EXECUTE ON FUNCTION sigma.create_input_table(jsonb) TO regress_creator;
GRANT SELECT, INSERT, UPDATE, DELETE ON sigma.sigma_input_tables TO regress_builder;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sigma TO regress_builder;

-- nothing is granted to everybody
SET ROLE regress_nobody;
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "ri_x"}')$$);
SELECT pg_temp.failure($$SELECT * FROM sigma.list_input_tables()$$);
RESET ROLE;
GRANT USAGE ON SCHEMA sigma TO regress_nobody;
SET ROLE regress_nobody;
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "ri_x"}')$$);
SELECT pg_temp.failure($$INSERT INTO sigma.sigma_input_tables (id) VALUES ('ri_x')$$);
SELECT pg_temp.failure($$SELECT sigma.convert_value('1'::text, 'text', 'number', NULL::numeric)$$);
RESET ROLE;

-- INSERT on the catalog is enough to create one, by function and by plain DML
SET ROLE regress_creator;
SELECT sigma.create_input_table('{"id": "ri_t", "columns": [{"name": "a", "type": "text", "unique": true, "validation": {"max_length": 3}}, {"name": "n", "type": "number"}], "max_rows": 10}');
INSERT INTO sigma.sigma_input_tables (id) VALUES ('ri_blank');
SELECT current_user;
SELECT pg_temp.failure($$SELECT * FROM sigds.sigds_ri_t$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('ri_t', '{"max_rows": 5}')$$);
SELECT pg_temp.failure($$UPDATE sigma.sigma_input_tables SET max_rows = 5$$);
SELECT pg_temp.failure($$DELETE FROM sigma.sigma_input_tables$$);
SELECT pg_temp.failure($$SELECT id FROM sigma.sigma_input_tables$$);
-- a tablespace that is not the caller's to use does not become so by being his default
RESET ROLE;
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE regress_sigma_space LOCATION '';
SET ROLE regress_creator;
SET default_tablespace = regress_sigma_space;
SELECT pg_temp.failure($$INSERT INTO sigma.sigma_input_tables (id) VALUES ('ri_space')$$);
RESET ROLE;
SELECT sigma.create_input_table('{"id": "ri_space"}');
SELECT spcname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.oid = 'sigds.sigds_ri_space'::regclass;
SELECT sigma.delete_input_table('ri_space', true);
RESET default_tablespace;
DROP TABLESPACE regress_sigma_space;
SET ROLE regress_creator;
-- an error on the way leaves the caller who he was
SELECT pg_temp.failure($$INSERT INTO sigma.sigma_input_tables (id, columns) VALUES ('ri_t2', '[{"name": "a", "type": "date", "default_value": "x"}]')$$);
SELECT current_user, current_setting('search_path') = 'pg_catalog, pg_temp' AS pinned;
RESET ROLE;
SELECT relname, relowner = (SELECT nspowner FROM pg_namespace WHERE nspname = 'sigds') AS owned FROM pg_class
    WHERE relnamespace = 'sigds'::regnamespace AND relname ~ '^sigds_(seq_)?ri_' AND relkind <> 'i' ORDER BY 1;
SELECT count(*) FROM sigds.sigds_ri_blank;

-- a builder changes definitions and sees no row
SET ROLE regress_builder;
SELECT sigma.add_column('ri_t', '{"name": "b", "type": "text"}') IS NOT NULL AS added;
SELECT sigma.rename_column('ri_t', 'b', 'c');
SELECT sigma.update_input_table('ri_t', '{"validation_rules": {"n": {"min": 0}}}')->'changed';
SELECT sigma.table_info('ri_t') ? 'row_count' AS counted, sigma.table_info('ri_t')->'max_rows' AS max_rows;
SELECT id, row_count, relation FROM sigma.list_input_tables() WHERE id LIKE 'ri\_%' ORDER BY id COLLATE "C";
RESET ROLE;
INSERT INTO sigds.sigds_ri_t (a, n, c) VALUES ('x', 1, 'secret'), ('y', 2, 'secret');
SET ROLE regress_builder;
-- duplicates are counted against him, not shown
SELECT pg_temp.failure($$SELECT sigma.alter_column('ri_t', 'c', '{"unique": true}')$$);
SELECT sigma.alter_column('ri_t', 'c', '{"type": "number"}')->'retyped';
-- DDL on the data table is PostgreSQL's business: only the owner may
SELECT pg_temp.failure($$ALTER TABLE sigds.sigds_ri_t ADD COLUMN x text$$);
SELECT pg_temp.failure($$DROP TABLE sigds.sigds_ri_t$$);
SELECT pg_temp.failure($$CREATE TABLE sigds.mine (x int)$$);
-- deleting keeps the rows, so it needs no right on them; destroying them does
SELECT pg_temp.failure($$SELECT sigma.delete_input_table('ri_t', purge => true)$$);
SELECT count(*) FROM sigma.sigma_input_tables WHERE id = 'ri_t';
SELECT sigma.delete_input_table('ri_t');
SELECT pg_temp.failure($$SELECT sigma.delete_input_table('ri_t', purge => true)$$);
RESET ROLE;
SELECT count(*) FROM sigds.sigds_ri_t;
-- who may empty a table may purge it
SET ROLE regress_builder;
SELECT sigma.create_input_table('{"id": "ri_t", "columns": [{"name": "a", "type": "text"}, {"name": "n", "type": "number"}, {"name": "c", "type": "number"}]}');
RESET ROLE;
GRANT TRUNCATE, SELECT ON sigds.sigds_ri_t TO regress_builder;
GRANT USAGE ON SCHEMA sigds TO regress_builder;
SET ROLE regress_builder;
SELECT sigma.table_info('ri_t')->'row_count' AS rows;
SELECT id, row_count, relation FROM sigma.list_input_tables() WHERE id = 'ri_t';
UPDATE sigma.sigma_input_tables SET columns = (SELECT jsonb_agg(c) FROM jsonb_array_elements(columns) c) WHERE id = 'ri_t';
SELECT sigma.delete_input_table('ri_t', purge => true);
SELECT sigma.delete_input_table('ri_blank');
SELECT pg_temp.failure($$SELECT sigma.delete_input_table('ri_blank', purge => true)$$);
RESET ROLE;
SELECT to_regclass('sigds.sigds_ri_t'), to_regclass('sigds.sigds_seq_ri_t');
SELECT sigma.delete_input_table('ri_blank', purge => true);

-- the settings of whoever defines do not reach the DDL
SET ROLE regress_builder;
SET datestyle = 'German';
SET extra_float_digits = -10;
CREATE TEMP TABLE pg_class (x int);
CREATE FUNCTION pg_temp.lower(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
SET search_path = pg_temp, sigds, public;
SELECT sigma.create_input_table('{"id": "ri_s", "columns": [{"name": "a", "type": "text", "unique": "ignore_case"}, {"name": "d", "type": "date", "default_value": "2026-02-01"}, {"name": "f", "type": "float", "default_value": 0.1234567890123456}]}');
RESET search_path;
DROP TABLE pg_temp.pg_class;
RESET ROLE;
RESET datestyle;
RESET extra_float_digits;
INSERT INTO sigds.sigds_ri_s (a) VALUES ('x') RETURNING extract(month FROM d) AS month, f;
SELECT sigma.delete_input_table('ri_s', true);

REVOKE ALL ON SCHEMA sigma, sigds FROM regress_nobody, regress_creator, regress_builder;
REVOKE ALL ON sigma.sigma_input_tables FROM regress_creator, regress_builder;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA sigma FROM regress_creator, regress_builder;
DROP OWNED BY regress_builder;
DROP ROLE regress_nobody, regress_creator, regress_builder;
