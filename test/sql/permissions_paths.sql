-- The ways round what a level may do: other commands, other objects, functions that read or write
-- for somebody, and names that an attacker puts before PostgreSQL's own.
SET client_min_messages = warning;
CREATE ROLE regress_path_viewer;
CREATE ROLE regress_path_editor;
CREATE ROLE regress_path_builder;
CREATE ROLE regress_path_admin;
CREATE ROLE regress_path_other;
CREATE SCHEMA regress_path;
GRANT USAGE, CREATE ON SCHEMA regress_path TO PUBLIC;
SELECT sigma.create_input_table('{"id": "path", "name": "Path", "columns": [{"name": "item", "type": "text", "unique": true}, {"name": "price", "type": "number"}]}');
SELECT sigma.create_input_table('{"id": "path_other", "name": "Path other", "columns": [{"name": "item", "type": "text", "unique": true}], "data_entry_permission": "published"}');
INSERT INTO sigds.sigds_path VALUES ('first', 10), ('second', 20);
SELECT sigma.publish('path') -> 'inserted';
UPDATE sigds.sigds_path SET price = 21 WHERE item = 'second';
INSERT INTO sigds.sigds_path_other VALUES ('secret'), ('another');
SELECT sigma.create_action_sequence('{"id": "path_write", "actions": [
    {"type": "data_modification", "subtype": "delete_rows", "target": "path", "parameters": {"selector": {"formula": "True"}}}]}');
SELECT sigma.grant_access('regress_path_viewer', 'viewer', 'path'), sigma.grant_access('regress_path_editor', 'editor', 'path'),
       sigma.grant_access('regress_path_builder', 'builder'), sigma.grant_access('regress_path_admin', 'admin');
CREATE TABLE regress_path.bait (item text, price numeric);
ALTER TABLE regress_path.bait OWNER TO regress_path_builder;
CREATE TABLE regress_path.parts (item text, price numeric, sigma_row_id bigint, sigma_created_at timestamptz, sigma_updated_at timestamptz,
    sigma_created_by text, sigma_updated_by text) PARTITION BY LIST (item);
ALTER TABLE regress_path.parts OWNER TO regress_path_builder;
CREATE SEQUENCE regress_path.numbers;
ALTER SEQUENCE regress_path.numbers OWNER TO regress_path_builder;
RESET client_min_messages;

-- What statements come to as each role: ok, or the SQLSTATE; nothing of them stays.  @ is who owns everything.
CREATE FUNCTION path_matrix(statements text[], OUT statement text, OUT viewer text, OUT editor text, OUT builder text, OUT admin text)
    RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
    came text[];
    level text;
BEGIN
    FOREACH statement IN ARRAY statements LOOP
        came := '{}';
        FOREACH level IN ARRAY ARRAY['viewer', 'editor', 'builder', 'admin'] LOOP
            BEGIN
                EXECUTE 'SET LOCAL ROLE regress_path_' || level;
                EXECUTE replace(statement, '@', quote_ident(session_user));
                RAISE SQLSTATE 'P0099';
            EXCEPTION WHEN OTHERS THEN
                came := came || CASE SQLSTATE WHEN 'P0099' THEN 'ok' ELSE SQLSTATE END;
            END;
        END LOOP;
        viewer := came[1];
        editor := came[2];
        builder := came[3];
        admin := came[4];
        RETURN NEXT;
    END LOOP;
END
$$;
-- the failure of a run as an error
CREATE FUNCTION regress_path.came(result jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF result ? 'error' THEN
        RAISE EXCEPTION USING ERRCODE = result -> 'error' ->> 'sqlstate';
    END IF;
END
$$;

-- a viewer writes by no path
SELECT * FROM path_matrix(ARRAY[
    'SELECT sigma.fill(''path'', ''{"match": {"item": "first"}}'', ''{"price": 0}'')',
    'SELECT sigma.import_csv(''path'', ''item,price''::bytea)',
    'SELECT sigma.import_csv(''path'', E''item\nx'', ''{"replace": true}'')',
    'SELECT sigma.import_csv_file(''path'', ''/dev/null'')',
    'SELECT sigma.handle_data_entry(''path'', ''{"sigma_row_id": 1, "_delete": true}'')',
    'SELECT sigma.handle_data_entry(''path'', ''{"item": "first", "price": 1}'', ''sigma'', ''{"key": "item", "on_conflict": "update"}'')',
    'SELECT sigma.publish(''path'')',
    'SELECT * FROM sigma.publish_preview(''path'')',
    'SELECT sigma.discard_draft(''path'')',
    'SELECT sigma.undo(''path'')',
    'SELECT sigma.redo(''path'')',
    'SELECT sigma.restore(''path'', 0)',
    'SELECT sigma.rebuild(''path'')',
    'SELECT regress_path.came(sigma.execute_sequence(''path_write''))',
    'SELECT sigma.execute_action(''nothing'')',
    'UPDATE sigma_views."Path" SET price = 0',
    'DELETE FROM sigma_views."Path"',
    'SELECT 1 FROM sigma_views."Path" FOR UPDATE',
    'SELECT 1 FROM sigma_views."Path" FOR KEY SHARE',
    'LOCK TABLE sigma_views."Path" IN ACCESS SHARE MODE',
    'LOCK TABLE sigma_views."Path" IN ROW EXCLUSIVE MODE',
    'LOCK TABLE sigma_views."Path" IN ACCESS EXCLUSIVE MODE',
    'LOCK TABLE sigds.sigds_path IN ROW EXCLUSIVE MODE',
    'LOCK TABLE sigds.sigds_wal_path IN ROW EXCLUSIVE MODE',
    'LOCK TABLE sigds.sigds_pub_path IN ACCESS SHARE MODE',
    'LOCK TABLE sigma.sigma_audit IN ROW EXCLUSIVE MODE']);

-- nobody writes what only sigma writes: images of the draft, numbers, the log
SELECT * FROM path_matrix(ARRAY[
    'SELECT * FROM sigds.sigds_pub_path',
    'INSERT INTO sigds.sigds_pub_path DEFAULT VALUES',
    'DELETE FROM sigds.sigds_pub_path',
    'SELECT nextval(''sigma.sigma_edit_num'')',
    'SELECT setval(''sigma.sigma_edit_num'', 1)',
    'SELECT last_value FROM sigma.sigma_edit_num',
    'UPDATE sigma.sigma_instance SET instance = 0',
    'DELETE FROM sigma.sigma_row_counts',
    'COPY sigds.sigds_wal_path TO PROGRAM ''cat''',
    'MERGE INTO sigds.sigds_wal_path AS w USING (VALUES (1)) AS v (a) ON true WHEN MATCHED THEN DELETE',
    'SELECT sigma.compact_log(''path'', interval ''0'')',
    'SELECT sigma.log_rows()',
    'SELECT sigma.validate_row()',
    'CREATE TRIGGER x AFTER INSERT ON regress_path.bait FOR EACH ROW EXECUTE FUNCTION sigma.log_rows(''path'')']);

-- a builder reads no table that he was not given: not through a function, nor through a table, view or list of his own
SELECT * FROM path_matrix(ARRAY[
    'SELECT * FROM sigma.as_of_edit(''path_other'', 1000000)',
    'SELECT * FROM sigma.as_of(''path_other'', now())',
    'SELECT * FROM sigma.as_of(NULL::sigds.sigds_path_other, now())',
    'SELECT * FROM sigma.diff(''path_other'', 0)',
    'SELECT * FROM sigma.history(''path_other'')',
    'SELECT * FROM sigma.rule_impact(''path_other'', ''{"values": ["x"]}'', ''item'')',
    'SELECT * FROM sigma.flagged(''path_other'')',
    'SELECT * FROM sigma.validate_data(''path_other'', ''{"item": "secret"}'')',
    'SELECT * FROM sigma.verify_log(''path_other'')',
    'SELECT sigma.undo(''path_other'')',
    'SELECT sigma.duplicate_input_table(''path_other'', ''path_copy'')',
    'SELECT sigma.update_input_table(''path_other'', ''{"validation_rules": {"item": {"values": ["x"]}}, "on_existing": "refuse"}'')',
    'SELECT sigma.create_input_table(''{"id": "path_new", "type": "linked", "source": "path_other", "key_columns": ["item"]}'')',
    'SELECT sigma.create_input_table(''{"id": "path_new", "type": "linked", "source": "sigds.sigds_path_other", "key_columns": ["item"]}'')',
    'SELECT sigma.create_input_table(''{"id": "path_new", "columns": [{"name": "a", "type": "text", "validation": {"values_from": {"table": "path_other", "column": "item"}}}]}'')',
    'SELECT sigma.create_input_table(''{"id": "path_new", "columns": [{"name": "a", "type": "text"}], "governance_config": {"row_filter": "CountIf([path_other/item] = \"secret\") > 0"}}'')',
    'SELECT sigma.eval(''Lookup([path_other/item], "secret", [path_other/item])'')',
    'SELECT sigma.evaluate_condition(''{"type": "custom_formula", "formula": "Count([path_other/item]) > 0"}'', ''{}'')',
    'CREATE TABLE regress_path.copy AS TABLE sigds.sigds_path_other',
    'CREATE MATERIALIZED VIEW regress_path.copy AS SELECT * FROM sigds.sigds_path_other',
    'CREATE TABLE regress_path.copy (LIKE sigds.sigds_path_other INCLUDING ALL)',
    'CREATE TABLE regress_path.copy (a bigint REFERENCES sigds.sigds_path_other)',
    'SELECT query_to_xml(''SELECT * FROM sigds.sigds_path_other'', true, false, '''')',
    'SELECT pg_relation_size(''sigds.sigds_path_other''), pg_read_file(pg_relation_filepath(''sigds.sigds_path_other''))']);
-- nor is he told how many rows there are
\set SHOW_CONTEXT never
SET ROLE regress_path_builder;
SELECT sigma.update_input_table('path_other', '{"max_rows": 1}');
RESET ROLE;
-- a view or function of his own reads with his rights
SET ROLE regress_path_builder;
CREATE VIEW regress_path.peek AS SELECT item FROM sigma_views."Path other";
SELECT * FROM regress_path.peek;
CREATE FUNCTION regress_path.peek() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN QUERY SELECT item FROM sigds.sigds_path_other; END';
SELECT * FROM regress_path.peek();
RESET ROLE;

-- DDL beside that of permissions.sql
SELECT * FROM path_matrix(ARRAY[
    'CREATE SEQUENCE sigds.x',
    'CREATE DOMAIN sigds.x AS int',
    'CREATE TYPE sigds.x AS ENUM ()',
    'CREATE MATERIALIZED VIEW sigds.x AS SELECT 1 AS a',
    'CREATE OPERATOR sigds.= (LEFTARG = int, RIGHTARG = int, FUNCTION = pg_catalog.int4eq)',
    'ALTER TABLE regress_path.bait SET SCHEMA sigds',
    'ALTER SEQUENCE regress_path.numbers SET SCHEMA sigds',
    'ALTER SEQUENCE regress_path.numbers OWNED BY sigds.sigds_path.price',
    'CREATE STATISTICS regress_path.s (ndistinct) ON item, price FROM sigds.sigds_path',
    'CREATE TABLE regress_path.child PARTITION OF sigds.sigds_path DEFAULT',
    'ALTER TABLE regress_path.parts ATTACH PARTITION sigds.sigds_path DEFAULT',
    'ALTER TABLE regress_path.bait INHERIT sigds.sigds_path',
    'ALTER TABLE sigds.sigds_path NO INHERIT regress_path.bait',
    'ALTER TABLE sigds.sigds_path ALTER COLUMN price SET STATISTICS 0',
    'ALTER TABLE sigds.sigds_path ALTER COLUMN item SET STORAGE PLAIN',
    'ALTER TABLE sigds.sigds_path ALTER COLUMN price SET NOT NULL',
    'ALTER TABLE sigds.sigds_path ADD CONSTRAINT u UNIQUE USING INDEX sigds_path_pkey',
    'ALTER TABLE sigds.sigds_path ENABLE ALWAYS RULE x',
    'ALTER TABLE sigds.sigds_path FORCE ROW LEVEL SECURITY',
    'ALTER TABLE sigds.sigds_path SET TABLESPACE pg_default',
    'ALTER TABLE sigds.sigds_path CLUSTER ON sigds_path_pkey',
    'ALTER INDEX sigds.sigds_path_pkey SET (fillfactor = 10)',
    'ALTER VIEW sigma_views."Path" ALTER COLUMN price SET DEFAULT 1',
    'ALTER VIEW sigma_views."Path" OWNER TO regress_path_builder',
    'ALTER VIEW sigma_views."Path" SET SCHEMA regress_path',
    'CREATE TRIGGER x INSTEAD OF INSERT ON sigma_views."Path" FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'CREATE RULE x AS ON INSERT TO sigds.sigds_wal_path DO INSTEAD NOTHING',
    'CREATE CAST (sigds.sigds_path AS text) WITH INOUT',
    'COMMENT ON INDEX sigds.sigds_path_pkey IS ''x''',
    'COMMENT ON SCHEMA sigds IS ''x''',
    'COMMENT ON CONSTRAINT sigds_path_pkey ON sigds.sigds_path IS ''x''',
    'COMMENT ON EXTENSION sigma IS ''x''',
    'ALTER EXTENSION sigma ADD TABLE sigds.sigds_path',
    'ALTER EXTENSION sigma ADD TABLE regress_path.bait',
    'ALTER EXTENSION sigma UPDATE',
    'ALTER EXTENSION sigma SET SCHEMA regress_path',
    'ALTER FUNCTION sigma.validate_row() OWNER TO regress_path_builder',
    'CREATE OR REPLACE FUNCTION sigma.validate_row() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END''',
    'DROP FUNCTION sigma.validate_row() CASCADE',
    'GRANT @ TO regress_path_builder',
    'ALTER DEFAULT PRIVILEGES FOR ROLE @ GRANT ALL ON TABLES TO regress_path_builder',
    'CREATE PUBLICATION x FOR TABLE sigds.sigds_path',
    'CREATE PUBLICATION x FOR TABLES IN SCHEMA sigds',
    'CREATE PUBLICATION x FOR ALL TABLES',
    'CREATE EVENT TRIGGER x ON ddl_command_start EXECUTE FUNCTION regress_path.nothing()',
    'REASSIGN OWNED BY regress_path_editor TO regress_path_builder',
    'DROP OWNED BY regress_path_editor']);
-- a GRANT of what one has without grant option, a REVOKE of what somebody else gave and an ANALYZE of another's table are
-- warnings in PostgreSQL: nothing comes of them
CREATE TEMP TABLE rights AS
    SELECT oid, relacl::text AS acl FROM pg_class WHERE relnamespace IN ('sigma'::regnamespace, 'sigds'::regnamespace, 'sigma_views'::regnamespace)
    UNION ALL SELECT oid, nspacl::text FROM pg_namespace UNION ALL SELECT attrelid, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL;
SET client_min_messages = error;
DO $$
DECLARE
    role text;
    statement text;
BEGIN
    FOREACH role IN ARRAY ARRAY['viewer', 'editor', 'builder', 'admin'] LOOP
        EXECUTE 'SET LOCAL ROLE regress_path_' || role;
        FOREACH statement IN ARRAY ARRAY[
            'GRANT CREATE ON SCHEMA sigds TO regress_path_other', 'GRANT USAGE ON SCHEMA sigma TO PUBLIC', 'GRANT ALL ON sigds.sigds_path_other TO regress_path_builder',
            'GRANT TRIGGER ON sigds.sigds_path TO regress_path_builder', 'GRANT SELECT (price) ON sigds.sigds_path TO regress_path_other',
            'GRANT ALL ON ALL TABLES IN SCHEMA sigma, sigma_views TO regress_path_other WITH GRANT OPTION',
            'REVOKE ALL ON sigds.sigds_path FROM regress_path_editor', 'REVOKE USAGE ON SCHEMA sigds FROM regress_path_editor',
            'ANALYZE sigds.sigds_path_other'] LOOP
            BEGIN
                EXECUTE statement;
            EXCEPTION WHEN insufficient_privilege THEN
                NULL;
            END;
        END LOOP;
        RESET ROLE;
    END LOOP;
END
$$;
RESET client_min_messages;
SELECT count(*) FROM (
    SELECT oid, relacl::text AS acl FROM pg_class WHERE relnamespace IN ('sigma'::regnamespace, 'sigds'::regnamespace, 'sigma_views'::regnamespace)
    UNION ALL SELECT oid, nspacl::text FROM pg_namespace UNION ALL SELECT attrelid, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL
    EXCEPT TABLE rights) AS changed;
SELECT count(*) FROM pg_stats WHERE schemaname = 'sigds' AND tablename = 'sigds_path_other';

-- Relations in pg_temp come before those of pg_catalog: an attacker's session has its own pg_class.  Nothing of
-- sigma's reads them, nor what stands first in search_path, whoever it acts as.
CREATE TABLE regress_path.caught (what text, as_role name);
GRANT INSERT ON regress_path.caught TO PUBLIC;
CREATE FUNCTION regress_path.catch(what text) RETURNS text LANGUAGE plpgsql AS
    'BEGIN INSERT INTO regress_path.caught VALUES (what, current_user); RETURN what; END';
CREATE FUNCTION regress_path.caught() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO regress_path.caught VALUES (TG_RELID::regclass::text, current_user); RETURN NEW; END';
SET ROLE regress_path_builder;
DO $$
DECLARE
    name text;
    columns text;
BEGIN
    FOREACH name IN ARRAY ARRAY['pg_class', 'pg_attribute', 'pg_proc', 'pg_type', 'pg_namespace', 'pg_index', 'pg_roles', 'pg_authid', 'pg_depend',
        'pg_trigger', 'pg_policy', 'pg_description', 'pg_attrdef', 'pg_stats', 'pg_stat_activity', 'pg_locks', 'pg_database', 'pg_settings'] LOOP
        -- the same columns, so that a query over it would run
        SELECT string_agg(format('CASE WHEN regress_path.catch(%L) IS NULL THEN NULL::%s END AS %I', 'temporary ' || name, format_type(atttypid, atttypmod), attname), ', ')
        INTO columns FROM pg_catalog.pg_attribute
        WHERE attrelid = ('pg_catalog.' || name)::regclass AND attnum > 0 AND atttypid <> 'anyarray'::regtype;
        EXECUTE format('CREATE VIEW pg_temp.%I AS SELECT %s', name, columns);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['sigma_input_tables', 'sigma_access', 'sigma_audit', 'sigma_layout_elements', 'sigma_actions', 'sigma_action_sequences',
        'sigma_execution_history', 'sigma_instance', 'sigma_row_counts', 'sigds_path_tmp', 'sigds_wal_path_tmp', 'sigma_batch_rows', 'sigma_new', 'sigma_old'] LOOP
        EXECUTE format('CREATE TABLE pg_temp.%I (id text)', name);
        EXECUTE format('CREATE TRIGGER caught BEFORE INSERT OR UPDATE OR DELETE ON pg_temp.%I FOR EACH STATEMENT EXECUTE FUNCTION regress_path.caught()', name);
        EXECUTE format('CREATE RULE caught AS ON UPDATE TO pg_temp.%I DO INSTEAD SELECT regress_path.catch(%L)', name, name);
    END LOOP;
END
$$;
SET search_path = pg_temp, regress_path, pg_catalog;
SELECT count(*) > 0 AS shadowed FROM pg_class WHERE relname IS NULL;
RESET ROLE;
SELECT DISTINCT what FROM regress_path.caught;
DELETE FROM regress_path.caught;
SET ROLE regress_path_builder;
SELECT sigma.create_input_table('{"id": "path_tmp", "name": "Path tmp", "columns": [{"name": "item", "type": "text", "unique": "ignore_case"}, {"name": "n", "type": "integer", "validation": {"min": 0}},
    {"name": "twice", "type": "integer", "formula": "[n] * 2"}], "max_rows": 50, "row_rules": [{"unique": ["item", "n"]}], "governance_config": {"editors": ["regress_path_builder"], "row_filter": "[item] <> \"hidden\""}}');
SELECT sigma.handle_data_entry('path_tmp', '[{"item": "a", "n": 1}, {"item": "b", "n": 2}]') ->> 'accepted' AS accepted;
SELECT sigma.import_csv('path_tmp', E'item,n\nc,3\n') ->> 'accepted' AS accepted;
INSERT INTO sigds.sigds_path_tmp (item, n) VALUES ('d', 4);
SELECT sigma.fill('path_tmp', '{"match": {"item": "d"}}', '{"n": 5}') ->> 'rows' AS rows;
SELECT sigma.publish('path_tmp') ->> 'inserted' AS published;
SELECT sigma.update_input_table('path_tmp', '{"name": "Path tmp 2", "columns": [{"name": "item"}, {"name": "m", "renamed_from": "n"}, {"name": "twice", "type": "integer", "formula": "[m] * 3"}, {"name": "d", "type": "date"}]}') ->> 'added' AS added;
UPDATE sigds.sigds_path_tmp SET m = 7 WHERE item = 'a';
SELECT count(*) FROM sigma.flagged('path_tmp');
SELECT failing FROM sigma.rule_impact('path_tmp', '{"max": 3}', 'm');
SELECT count(*) FROM sigma.list_input_tables() WHERE id = 'path_tmp';
SELECT jsonb_typeof(sigma.table_info('path_tmp'));
SELECT sigma.create_action_sequence('{"id": "path_tmp", "actions": [{"type": "data_modification", "subtype": "insert_row", "target": "path_tmp", "parameters": {"values": {"item": "e"}}}]}');
SELECT sigma.execute_sequence('path_tmp') ->> 'status' AS status;
SELECT sigma.delete_action_sequence('path_tmp'), sigma.delete_input_table('path_tmp');
RESET search_path;
RESET ROLE;
SELECT * FROM regress_path.caught;
DISCARD TEMP;

-- no function of sigma acts as its owner by declaration
SELECT count(*) FROM pg_proc WHERE pronamespace = 'sigma'::regnamespace AND prosecdef;

-- clean up
SET client_min_messages = warning;
SELECT sigma.create_input_table('{"id": "path_tmp", "columns": [{"name": "item", "type": "text"}, {"name": "m", "type": "integer"}, {"name": "d", "type": "date"}]}');
SELECT sigma.delete_action_sequence('path_write');
SELECT sigma.delete_input_table(id, true) FROM unnest(ARRAY['path_tmp', 'path', 'path_other']) AS id;
SELECT sigma.revoke_access(r) FROM unnest(ARRAY['regress_path_viewer', 'regress_path_editor', 'regress_path_builder', 'regress_path_admin']::name[]) AS r;
DROP FUNCTION path_matrix;
DROP SCHEMA regress_path CASCADE;
DROP ROLE regress_path_viewer, regress_path_editor, regress_path_builder, regress_path_admin, regress_path_other;
