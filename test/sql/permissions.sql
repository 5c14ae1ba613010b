-- What each level can do, tried object by object and function by function, and what
-- nobody gets by going round: other paths, a search_path of his own, DDL.
SET client_min_messages = warning;
CREATE ROLE regress_perm_nobody;
CREATE ROLE regress_perm_viewer;
CREATE ROLE regress_perm_editor;
CREATE ROLE regress_perm_builder;
CREATE ROLE regress_perm_admin;
-- things of an attacker's own, in a schema that others may look into
CREATE SCHEMA regress_evil;
GRANT USAGE, CREATE ON SCHEMA regress_evil TO PUBLIC;
RESET client_min_messages;

SELECT sigma.create_input_table('{"id": "perm", "name": "Perm", "columns": [{"name": "item", "type": "text", "unique": true},
    {"name": "price", "type": "number", "default_value": 1}], "data_entry_permission": "published"}');
SELECT sigma.create_input_table('{"id": "perm_other", "name": "Perm other", "columns": [{"name": "item", "type": "text"}], "data_entry_permission": "published"}');
INSERT INTO sigds.sigds_perm VALUES ('first', 10), ('second', 20);
INSERT INTO sigds.sigds_perm_other VALUES ('secret');
SELECT sigma.create_variable('{"id": "perm_variable", "type": "text", "scope": "workbook"}');
SELECT sigma.create_page('{"id": "perm_page", "name": "Page"}');
SELECT sigma.create_action_sequence('{"id": "perm_nothing", "trigger": {"type": "manual"}, "actions": [
    {"type": "navigation", "subtype": "open_link", "target": "https://example.com"}]}');
SELECT sigma.create_action_sequence('{"id": "perm_insert", "trigger": {"type": "manual"}, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "perm", "parameters": {"values": {"item": "by a run"}}}]}');

SELECT sigma.grant_access('regress_perm_viewer', 'viewer', 'perm'), sigma.grant_access('regress_perm_editor', 'editor', 'perm'),
       sigma.grant_access('regress_perm_builder', 'builder'), sigma.grant_access('regress_perm_admin', 'admin');

-- What a statement comes to as a role: ok, or its SQLSTATE; nothing of it stays.
CREATE FUNCTION perm_try(who text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result jsonb;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', 'regress_perm_' || who);
    IF statement LIKE 'run %' THEN
        EXECUTE 'SELECT ' || substr(statement, 5) INTO result;
        RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = coalesce(result -> 'error' ->> 'sqlstate', 'ok');
    END IF;
    EXECUTE statement;
    RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = 'ok';
EXCEPTION WHEN SQLSTATE 'P0099' THEN
    RETURN SQLERRM;
WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;

CREATE FUNCTION perm_matrix(statements text[])
    RETURNS TABLE (statement text, nobody text, viewer text, editor text, builder text, admin text) LANGUAGE sql AS $$
    SELECT s, perm_try('nobody', s), perm_try('viewer', s), perm_try('editor', s), perm_try('builder', s), perm_try('admin', s)
    FROM unnest(statements) WITH ORDINALITY AS u (s, n) ORDER BY n
$$;

-- rows
SELECT * FROM perm_matrix(ARRAY[
    'SELECT * FROM sigma_views."Perm"',
    'SELECT * FROM sigma_views."Perm other"',
    'INSERT INTO sigma_views."Perm" (item) VALUES (''x'')',
    'UPDATE sigma_views."Perm" SET price = 0',
    'DELETE FROM sigma_views."Perm"',
    'SELECT * FROM sigds.sigds_perm',
    'SELECT count(*) FROM sigds.sigds_perm',
    'INSERT INTO sigds.sigds_perm (item) VALUES (''x'')',
    'INSERT INTO sigds.sigds_perm (item) VALUES (''first'') ON CONFLICT (item) DO UPDATE SET price = 3',
    'UPDATE sigds.sigds_perm SET price = 0',
    'DELETE FROM sigds.sigds_perm',
    'MERGE INTO sigds.sigds_perm AS p USING (VALUES (''first'')) AS v (item) ON p.item = v.item WHEN MATCHED THEN DELETE',
    'TRUNCATE sigds.sigds_perm',
    'SELECT * FROM sigds.sigds_perm_other',
    'INSERT INTO sigds.sigds_perm_other VALUES (''x'')',
    'SELECT nextval(''sigds.sigds_seq_perm'')',
    'SELECT setval(''sigds.sigds_seq_perm'', 1)',
    'SELECT sigma.handle_data_entry(''perm'', ''{"item": "x"}'')',
    'SELECT sigma.handle_data_entry(''perm_other'', ''{"item": "x"}'')',
    'SELECT sigma.import_csv(''perm'', E''item\nx'')',
    'SELECT sigma.validate_data(''perm'', ''{"item": "x"}'')',
    'run sigma.execute_sequence(''perm_nothing'')',
    'run sigma.execute_sequence(''perm_insert'')',
    'SELECT sigma.delete_input_table(''perm_other'', true)']);

-- the edit log, versions and time
SELECT * FROM perm_matrix(ARRAY[
    'SELECT * FROM sigds.sigds_wal_perm',
    'SELECT * FROM sigds.sigds_wal_perm_other',
    'INSERT INTO sigds.sigds_wal_perm SELECT * FROM sigds.sigds_wal_perm',
    'UPDATE sigds.sigds_wal_perm SET edit = ''{}''',
    'DELETE FROM sigds.sigds_wal_perm',
    'TRUNCATE sigds.sigds_wal_perm',
    'ALTER TABLE sigds.sigds_wal_perm DISABLE TRIGGER ALL',
    'DROP TABLE sigds.sigds_wal_perm',
    'SELECT * FROM sigma.history(''perm'')',
    'SELECT * FROM sigma.history(''perm_other'')',
    'SELECT * FROM sigma.as_of_edit(''perm'', 1000000)',
    'SELECT * FROM sigma.diff(''perm'', 0)',
    'SELECT sigma.undo(''perm'')',
    'SELECT sigma.undo(''perm_other'')',
    'SELECT * FROM sigma.verify_log(''perm'')',
    'SELECT sigma.rebuild(''perm'', true)',
    'SELECT sigma.compact_log(''perm'', interval ''1 day'')',
    'SELECT * FROM sigma.flagged(''perm'')',
    'SELECT * FROM sigma.rule_impact(''perm'', ''{"required": true}'', ''item'')']);

-- definitions, history, rights
SELECT * FROM perm_matrix(ARRAY[
    'SELECT * FROM sigma.sigma_input_tables',
    'SELECT 1 / count(*) FROM sigma.sigma_input_tables WHERE id = ''perm_other''',
    'SELECT * FROM sigma.sigma_layout_elements',
    'SELECT * FROM sigma.sigma_actions',
    'SELECT * FROM sigma.sigma_action_sequences',
    'SELECT * FROM sigma.sigma_variables',
    'SELECT * FROM sigma.sigma_variable_values',
    'SELECT * FROM sigma.sigma_execution_history',
    'SELECT * FROM sigma.sigma_audit',
    'SELECT * FROM sigma.sigma_access',
    'SELECT * FROM sigma.sigma_row_counts',
    'INSERT INTO sigma.sigma_input_tables (id, type, columns) VALUES (''perm_new'', ''empty'', ''[{"name": "a", "type": "text"}]'')',
    'UPDATE sigma.sigma_input_tables SET max_rows = 100 WHERE id = ''perm''',
    'DELETE FROM sigma.sigma_input_tables WHERE id = ''perm_other''',
    'INSERT INTO sigma.sigma_layout_elements (id, type) VALUES (''perm_new'', ''page'')',
    'UPDATE sigma.sigma_layout_elements SET name = ''x'' WHERE id = ''perm_page''',
    'DELETE FROM sigma.sigma_action_sequences WHERE id = ''perm_insert''',
    'UPDATE sigma.sigma_variables SET value = ''"x"'' WHERE id = ''perm_variable''',
    'UPDATE sigma.sigma_variables SET default_value = ''"x"'' WHERE id = ''perm_variable''',
    'INSERT INTO sigma.sigma_execution_history (execution_id) VALUES (''x'')',
    'UPDATE sigma.sigma_execution_history SET status = ''success''',
    'DELETE FROM sigma.sigma_execution_history',
    'INSERT INTO sigma.sigma_audit (at, object, operation) VALUES (now(), ''x'', ''x'')',
    'UPDATE sigma.sigma_audit SET by = ''x''',
    'DELETE FROM sigma.sigma_audit',
    'TRUNCATE sigma.sigma_audit',
    'TRUNCATE sigma.sigma_input_tables',
    'SELECT sigma.create_input_table(''{"id": "perm_new"}'')',
    'SELECT sigma.update_input_table(''perm'', ''{"max_rows": 5}'')',
    'SELECT sigma.add_column(''perm'', ''{"name": "c", "type": "text"}'')',
    'SELECT sigma.drop_column(''perm'', ''price'')',
    'SELECT sigma.delete_input_table(''perm_other'')',
    'SELECT sigma.table_info(''perm'')',
    'SELECT sigma.table_info(''perm_other'')',
    'SELECT sigma.create_page(''{"id": "perm_new"}'')',
    'SELECT sigma.render_layout(''perm_page'')',
    'SELECT sigma.create_action_sequence(''{"id": "perm_new", "trigger": {"type": "manual"}, "actions": [{"type": "navigation", "subtype": "open_link", "target": "x"}]}'')',
    'SELECT sigma.pause_sequence(''perm_insert'')',
    'SELECT sigma.set_variable(''perm_variable'', ''"x"'')',
    'SELECT sigma.get_variable(''perm_variable'')',
    'SELECT sigma.list_action_sequences()',
    'SELECT sigma.refresh_statistics()',
    'SELECT sigma.grant_access(''regress_perm_nobody'', ''viewer'')',
    'SELECT sigma.revoke_access(''regress_perm_viewer'')',
    'SELECT sigma.list_access()']);

-- functions that may be called: what views and rules call by everybody, what nobody has classified by admins alone
SELECT proname AS function,
       string_agg(DISTINCT concat_ws(' ', CASE WHEN has_function_privilege('regress_perm_nobody', oid, 'EXECUTE') THEN 'nobody' END,
           CASE WHEN has_function_privilege('regress_perm_viewer', oid, 'EXECUTE') THEN 'viewer' END,
           CASE WHEN has_function_privilege('regress_perm_editor', oid, 'EXECUTE') THEN 'editor' END,
           CASE WHEN has_function_privilege('regress_perm_builder', oid, 'EXECUTE') THEN 'builder' END,
           CASE WHEN has_function_privilege('regress_perm_admin', oid, 'EXECUTE') THEN 'admin' END), ', ') AS "may call"
FROM pg_proc
WHERE pronamespace = 'sigma'::regnamespace AND prorettype <> 'trigger'::regtype AND proname !~ '^(fn|formula)_'
GROUP BY proname ORDER BY proname COLLATE "C";
SELECT bool_and(has_function_privilege('regress_perm_viewer', oid, 'EXECUTE')) AS viewer,
       bool_and(has_function_privilege('regress_perm_builder', oid, 'EXECUTE')) AS builder,
       bool_or(has_function_privilege('regress_perm_nobody', oid, 'EXECUTE')) AS nobody
FROM pg_proc WHERE pronamespace = 'sigma'::regnamespace AND proname ~ '^(fn|formula)_';
-- nothing is PUBLIC's; no level brings TRIGGER, REFERENCES or grant options
SELECT count(*) FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) AS a WHERE pronamespace = 'sigma'::regnamespace AND a.grantee = 0;
SELECT count(*) FROM pg_class, aclexplode(relacl) AS a WHERE relnamespace IN ('sigma'::regnamespace, 'sigds'::regnamespace, 'sigma_views'::regnamespace)
    AND (a.grantee = 0 OR (a.grantee <> relowner AND (a.is_grantable OR a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'))));

-- what is seen of the catalog: the rows of what is given, own runs
SELECT sigma.execute_sequence('perm_nothing') ->> 'status';
SET ROLE regress_perm_editor;
SELECT sigma.execute_sequence('perm_nothing') ->> 'status';
SELECT id FROM sigma.sigma_input_tables WHERE id LIKE 'perm%';
SELECT role, sequence_id FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'perm%';
SELECT count(*) FROM sigma.list_input_tables() WHERE id LIKE 'perm%';
SELECT id, execution_count FROM sigma.list_action_sequences() WHERE id = 'perm_nothing';
SET ROLE regress_perm_admin;
SELECT count(DISTINCT role), count(*) FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'perm%';
SET ROLE regress_perm_builder;
-- a builder is not told what a table holds
SELECT id, row_count FROM sigma.list_input_tables() WHERE id LIKE 'perm%';
SELECT sigma.table_info('perm') -> 'row_count' AS rows, sigma.table_info('perm') -> 'flagged' AS flagged;
SELECT sigma.update_input_table('perm_other', '{"columns": [{"name": "item", "unique": true}]}') -> 'changed';
RESET ROLE;
INSERT INTO sigds.sigds_perm_other VALUES ('double');
SELECT sigma.update_input_table('perm_other', '{"columns": [{"name": "item", "unique": false}]}') -> 'changed';
INSERT INTO sigds.sigds_perm_other VALUES ('double');
SET ROLE regress_perm_builder;
SELECT sigma.update_input_table('perm_other', '{"columns": [{"name": "item", "unique": true}]}');
SELECT sigma.update_input_table('perm_other', '{"validation_rules": {"item": {"values": ["x"]}}}') -> 'changed';
-- nor by a formula that would read it for him, nor by showing drafts to those who may see what is published
SELECT sigma.create_input_table('{"id": "perm_own", "name": "Perm own", "columns": [{"name": "a", "type": "text"},
    {"name": "Leak", "type": "text", "formula": "Lookup([perm_other/item], \"secret\", [perm_other/item])"}], "governance_config": {"viewers": ["regress_perm_builder"]}}');
SELECT sigma.create_input_table('{"id": "perm_own", "name": "Perm own", "columns": [{"name": "a", "type": "text"},
    {"name": "Leak", "type": "text", "formula": "Min([perm_other/item])"}], "governance_config": {"viewers": ["regress_perm_builder"]}}');
SELECT sigma.eval('Min([perm_other/item])');
SELECT sigma.update_input_table('perm', '{"data_entry_permission": "draft"}') -> 'changed';
RESET ROLE;
INSERT INTO sigds.sigds_perm VALUES ('drafted');
SET ROLE regress_perm_builder;
SELECT sigma.publish('perm');
SELECT sigma.update_input_table('perm', '{"data_entry_permission": "published"}') -> 'changed';
RESET ROLE;
SELECT sigma.discard_draft('perm') -> 'inserted';
SELECT sigma.update_input_table('perm', '{"data_entry_permission": "published"}') -> 'changed';

-- formulas are evaluated as who wrote them also where sigma itself writes the first rows of his table
CREATE FUNCTION regress_evil.whoami() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN current_user; END';
SET ROLE regress_perm_builder;
SELECT sigma.create_input_table('{"id": "perm_csv", "type": "csv", "csv_data": "a\n1\n",
    "columns": [{"name": "a", "type": "text", "validation": {"formula": "CallText(\"regress_evil.whoami\") = \"regress_perm_builder\""}}]}');
SELECT sigma.create_input_table('{"id": "perm_blank", "row_rules": [{"formula": "CallText(\"regress_evil.whoami\") = \"regress_perm_builder\""}]}');
RESET ROLE;
SELECT (SELECT count(*) FROM sigds.sigds_perm_csv) AS csv, (SELECT count(*) FROM sigds.sigds_perm_blank) AS blank;
SELECT sigma.delete_input_table('perm_csv', true), sigma.delete_input_table('perm_blank', true);

-- a view of the builder's own as the source of a table, or of a list: what stands in it never runs as somebody
-- who has not asked for its rows, nor leaves anything behind that would
CREATE TABLE regress_evil.base AS SELECT 1 AS k, 'a'::text AS v;
GRANT SELECT ON regress_evil.base TO regress_perm_builder;
SET ROLE regress_perm_builder;
CREATE TABLE regress_evil.seen (as_role name);
GRANT INSERT ON regress_evil.seen TO PUBLIC;
CREATE FUNCTION regress_evil.late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO regress_evil.seen VALUES (current_user); RETURN NULL; END';
CREATE FUNCTION regress_evil.trojan() RETURNS bool LANGUAGE plpgsql COST 1 AS $$
BEGIN
    INSERT INTO regress_evil.seen VALUES (current_user);
    PERFORM set_config('sigma.user_email', 'somebody else', false);
    BEGIN
        CREATE TEMP TABLE regress_late (a int);
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON regress_late DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION regress_evil.late();
        INSERT INTO regress_late VALUES (1);
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    RETURN true;
END
$$;
CREATE VIEW regress_evil.source AS SELECT k, v FROM regress_evil.base WHERE regress_evil.trojan();
SELECT sigma.create_input_table('{"id": "perm_linked", "type": "linked", "source": "regress_evil.source", "key_columns": ["k"], "linked_columns": ["v"],
    "columns": [{"name": "note", "type": "text"}]}');
SELECT sigma.create_input_table('{"id": "perm_list", "columns": [{"name": "a", "type": "text", "validation": {"values_from": {"table": "regress_evil.source", "column": "v"}}}]}');
RESET ROLE;
DELETE FROM regress_evil.seen;
SELECT id, row_count FROM sigma.list_input_tables() WHERE id LIKE 'perm_li%';
SELECT sigma.table_info('perm_linked') -> 'row_count' AS counted;
INSERT INTO sigds.sigds_perm_list VALUES ('a');
SHOW sigma.user_email;
SELECT DISTINCT as_role FROM regress_evil.seen;
SELECT sigma.delete_input_table('perm_linked', true), sigma.delete_input_table('perm_list', true);

-- DDL on what sigma made: only the owner's and superusers'
CREATE FUNCTION perm_ddl(statements text[]) RETURNS TABLE (statement text, editor text, builder text, admin text) LANGUAGE sql AS $$
    SELECT s, perm_try('editor', t), perm_try('builder', t), perm_try('admin', t)
    FROM unnest(statements) WITH ORDINALITY AS u (s, n), LATERAL replace(s, '@', quote_ident(session_user)) AS t ORDER BY n
$$;
SELECT * FROM perm_ddl(ARRAY[
    'CREATE TABLE sigds.x (a int)',
    'CREATE TABLE sigds.x AS SELECT 1 AS a',
    'SELECT 1 AS a INTO sigds.x',
    'CREATE VIEW sigds.x AS SELECT 1 AS a',
    'CREATE VIEW sigma_views.x AS SELECT 1 AS a',
    'CREATE FUNCTION sigds.f() RETURNS int LANGUAGE sql AS ''SELECT 1''',
    'CREATE FUNCTION sigma.fn_evil() RETURNS int LANGUAGE sql AS ''SELECT 1''',
    'ALTER TABLE sigds.sigds_perm ADD COLUMN x int',
    'ALTER TABLE sigds.sigds_perm DROP COLUMN price',
    'ALTER TABLE sigds.sigds_perm ALTER COLUMN price SET DEFAULT 0',
    'ALTER TABLE sigds.sigds_perm ALTER COLUMN price TYPE text',
    'ALTER TABLE sigds.sigds_perm RENAME TO x',
    'ALTER TABLE sigds.sigds_perm RENAME COLUMN price TO x',
    'ALTER TABLE sigds.sigds_perm SET SCHEMA regress_evil',
    'ALTER TABLE sigds.sigds_perm OWNER TO regress_perm_builder',
    'ALTER TABLE sigds.sigds_perm SET (fillfactor = 10)',
    'ALTER TABLE sigds.sigds_perm SET UNLOGGED',
    'ALTER TABLE sigds.sigds_perm ADD CHECK (price > 0) NOT VALID',
    'ALTER TABLE sigds.sigds_perm REPLICA IDENTITY FULL',
    'DROP TABLE sigds.sigds_perm CASCADE',
    'CREATE INDEX ON sigds.sigds_perm (price)',
    'CREATE INDEX ON sigds.sigds_perm ((price / 0))',
    'DROP INDEX sigds.sigds_perm_pkey',
    'ALTER INDEX sigds.sigds_perm_pkey RENAME TO x',
    'REINDEX TABLE sigds.sigds_perm',
    'CLUSTER sigds.sigds_perm USING sigds_perm_pkey',
    'CREATE STATISTICS regress_evil.s ON item, price FROM sigds.sigds_perm',
    'CREATE TRIGGER x BEFORE INSERT ON sigds.sigds_perm FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'ALTER TABLE sigds.sigds_perm DISABLE TRIGGER ALL',
    'ALTER TABLE sigds.sigds_perm DISABLE TRIGGER sigma_0_validate',
    'DROP TRIGGER sigma_0_validate ON sigds.sigds_perm',
    'ALTER TRIGGER sigma_0_validate ON sigds.sigds_perm RENAME TO x',
    'CREATE TRIGGER x BEFORE INSERT ON sigma.sigma_input_tables FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'CREATE RULE x AS ON INSERT TO sigds.sigds_perm DO INSTEAD NOTHING',
    'ALTER RULE "_RETURN" ON sigma_views."Perm" RENAME TO x',
    'DROP RULE "_RETURN" ON sigma_views."Perm"',
    'CREATE POLICY x ON sigds.sigds_perm USING (true)',
    'CREATE POLICY x ON sigma.sigma_audit USING (true)',
    'DROP POLICY sigma_read ON sigma.sigma_audit',
    'ALTER TABLE sigds.sigds_perm ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE sigma.sigma_input_tables DISABLE ROW LEVEL SECURITY',
    'COMMENT ON TABLE sigds.sigds_perm IS ''x''',
    'COMMENT ON COLUMN sigds.sigds_perm.price IS ''x''',
    'COMMENT ON TRIGGER sigma_0_validate ON sigds.sigds_perm IS ''x''',
    'COMMENT ON VIEW sigma_views."Perm" IS ''x''',
    'CREATE OR REPLACE VIEW sigma_views."Perm" AS SELECT 1 AS a',
    'ALTER VIEW sigma_views."Perm" RENAME TO x',
    'ALTER VIEW sigma_views."Perm" SET (security_barrier = false)',
    'DROP VIEW sigma_views."Perm"',
    'ALTER SEQUENCE sigds.sigds_seq_perm RESTART',
    'DROP SEQUENCE sigds.sigds_seq_perm',
    'CREATE TABLE regress_evil.child () INHERITS (sigds.sigds_perm)',
    'CREATE TABLE regress_evil.child (id bigint REFERENCES sigds.sigds_perm)',
    'ALTER SCHEMA sigds RENAME TO x',
    'ALTER SCHEMA sigds OWNER TO regress_perm_builder',
    'DROP SCHEMA sigds CASCADE',
    'DROP SCHEMA sigma_views CASCADE',
    'ALTER DEFAULT PRIVILEGES FOR ROLE @ IN SCHEMA sigds GRANT ALL ON TABLES TO regress_perm_builder',
    'REASSIGN OWNED BY @ TO regress_perm_builder',
    'DROP OWNED BY @',
    'DROP EXTENSION sigma CASCADE',
    'ALTER EXTENSION sigma DROP TABLE sigma.sigma_audit',
    'SET LOCAL session_replication_role = replica']);

-- A GRANT of what one has without grant option does nothing (a WARNING says so).
SET client_min_messages = error;
SET ROLE regress_perm_editor;
GRANT SELECT ON sigds.sigds_perm TO regress_perm_nobody;
SET ROLE regress_perm_admin;
GRANT ALL ON sigds.sigds_perm TO regress_perm_nobody;
GRANT ALL ON sigma.sigma_audit, sigma.sigma_input_tables TO regress_perm_nobody;
RESET ROLE;
RESET client_min_messages;
SELECT has_table_privilege('regress_perm_nobody', 'sigds.sigds_perm', 'SELECT, TRUNCATE'), has_table_privilege('regress_perm_nobody', 'sigma.sigma_audit', 'SELECT');

-- What an attacker made is not called, whoever has his schema first in search_path.
CREATE TABLE regress_evil.caught (what text, as_role name, query text);
GRANT INSERT ON regress_evil.caught TO PUBLIC;
SET ROLE regress_perm_builder;
SET search_path = pg_catalog;
CREATE FUNCTION regress_evil.catch(what text) RETURNS bool LANGUAGE sql AS
    'INSERT INTO regress_evil.caught VALUES (what, current_user, current_query()); SELECT true';
DO $$
DECLARE
    f record;
BEGIN
    -- operators that compare and join, of the types that catalog queries use
    FOR f IN SELECT o.oprname, o.oprleft, o.oprright, o.oprresult, o.oid FROM pg_operator AS o
             WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprname IN ('=', '<>', '<', '>', '<=', '>=', '||', '->', '->>')
               AND o.oprleft = ANY (ARRAY['text', 'varchar', 'name', 'int4', 'int8', 'oid', 'bool', 'jsonb', 'timestamp', 'timestamptz']::regtype[])
               AND o.oprright <> 0 AND o.oprresult <> 0 LOOP
        EXECUTE format('CREATE FUNCTION regress_evil.op_%s(a %s, b %s) RETURNS %s LANGUAGE sql AS %L', f.oid,
                       f.oprleft::regtype, f.oprright::regtype, f.oprresult::regtype,
                       format('SELECT regress_evil.catch(%L); SELECT $1 OPERATOR(pg_catalog.%s) $2', 'operator ' || f.oprname, f.oprname));
        EXECUTE format('CREATE OPERATOR regress_evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = regress_evil.op_%s)',
                       f.oprname, f.oprleft::regtype, f.oprright::regtype, f.oid);
    END LOOP;
    -- functions under names of PostgreSQL's
    FOR f IN SELECT unnest(ARRAY['count(int8)', 'lower(text)', 'upper(text)', 'max(int8)', 'now()', 'jsonb_array_length(jsonb)',
             'has_table_privilege(oid, text)', 'regexp_replace(text, text, text, text)', 'setval(regclass, int8)', 'nextval(regclass)',
             'current_setting(text)', 'to_jsonb(text)', 'format(text)', 'quote_ident(text)']) AS signature LOOP
        EXECUTE format('CREATE FUNCTION regress_evil.%s RETURNS text LANGUAGE sql AS %L', f.signature,
                       'SELECT regress_evil.catch(''function''); SELECT ''x''::text');
    END LOOP;
    -- relations under names of sigma's and PostgreSQL's
    FOR f IN SELECT unnest(ARRAY['sigma_input_tables', 'sigma_access', 'sigma_audit', 'pg_class', 'pg_proc', 'sigds_perm']) AS name LOOP
        EXECUTE format('CREATE VIEW regress_evil.%I AS SELECT regress_evil.catch(''view'') AS id', f.name);
    END LOOP;
END
$$;
RESET ROLE;
SET search_path = regress_evil, pg_catalog;
SELECT 'a'::text = 'b'::text AS the_trap_works;
SELECT what FROM regress_evil.caught;
DELETE FROM regress_evil.caught;
-- a superuser goes through everything
SELECT pg_catalog.bool_and(sigma.create_input_table('{"id": "perm_path", "name": "Path", "columns": [{"name": "a", "type": "text", "unique": "ignore_case", "default_value": "x"},
    {"name": "b", "type": "number", "validation": {"min": 0}}], "max_rows": 100, "allow_bulk_operations": true, "data_entry_permission": "published"}') IS NOT NULL);
SELECT pg_catalog.jsonb_extract_path_text(sigma.handle_data_entry('perm_path', '[{"a": "1", "b": 1}, {"a": "2", "b": 2}]'), 'accepted');
SELECT pg_catalog.jsonb_extract_path_text(sigma.handle_data_entry('perm_path', '[{"a": "1", "b": 3}]', 'strict', '{"key": ["a"], "on_conflict": "update"}'), 'accepted');
SELECT pg_catalog.jsonb_extract_path_text(sigma.import_csv('perm_path', E'a,b\n3,4\n', '{"mode": "partial"}'), 'accepted');
SELECT sigma.validate_data('perm_path', '[{"a": "1", "b": -1}]') IS NOT NULL;
SELECT pg_catalog.jsonb_extract_path(sigma.update_input_table('perm_path', '{"name": "Path 2", "columns": [{"name": "a"}, {"name": "c", "renamed_from": "b", "type": "number"}, {"name": "d", "type": "date"}]}'), 'added');
SELECT pg_catalog.jsonb_extract_path(sigma.table_info('perm_path'), 'row_count');
SELECT row_count FROM sigma.list_input_tables() AS l WHERE l.id OPERATOR(pg_catalog.=) 'perm_path';
SELECT sigma.grant_access('regress_perm_nobody', 'editor', 'perm_path');
SELECT sigma.revoke_access('regress_perm_nobody', 'editor', 'perm_path');
SELECT level FROM sigma.list_access() AS l WHERE l.role OPERATOR(pg_catalog.=) 'regress_perm_viewer';
SELECT pg_catalog.jsonb_extract_path_text(sigma.update_input_table('perm_path', '{"data_entry_permission": "draft"}'), 'dropped');
SELECT pg_catalog.jsonb_extract_path_text(sigma.handle_data_entry('perm_path', '[{"a": "1", "c": 5}]', 'strict', '{"key": ["a"], "on_conflict": "update"}'), 'accepted');
SELECT operation FROM sigma.publish_preview('perm_path');
SELECT pg_catalog.jsonb_extract_path(sigma.discard_draft('perm_path'), 'updated');
SELECT pg_catalog.jsonb_extract_path_text(sigma.handle_data_entry('perm_path', '[{"a": "1", "c": 5}]', 'strict', '{"key": ["a"], "on_conflict": "update"}'), 'accepted');
SELECT pg_catalog.jsonb_extract_path(sigma.publish('perm_path'), 'updated');
SELECT sigma.create_page('{"id": "perm_path_page", "children": [{"id": "perm_path_box", "type": "container", "children": [{"id": "perm_path_t", "type": "input_table", "source": "perm_path"}]}]}');
SELECT sigma.move_layout_element('perm_path_t', 'perm_path_page', 0);
SELECT pg_catalog.jsonb_extract_path_text(sigma.execute_sequence('perm_insert'), 'status');
SELECT sigma.pause_sequence('perm_insert'), sigma.resume_sequence('perm_insert');
SELECT sigma.set_variable('perm_variable', '"x"'), sigma.get_variable('perm_variable');
SELECT sigma.refresh_statistics();
SELECT sigma.delete_layout_element('perm_path_page');
SELECT sigma.delete_input_table('perm_path', true);
-- and an editor, for whom row security of the catalog is evaluated
SET ROLE regress_perm_editor;
SELECT pg_catalog.jsonb_extract_path(sigma.table_info('perm'), 'row_count');
SELECT pg_catalog.jsonb_extract_path_text(sigma.handle_data_entry('perm', '[{"item": "x"}]'), 'accepted');
SELECT l.id FROM sigma.list_action_sequences() AS l WHERE l.id OPERATOR(pg_catalog.=) 'perm_nothing';
RESET ROLE;
RESET search_path;
SELECT * FROM regress_evil.caught;

-- clean up
SELECT sigma.revoke_access('regress_perm_viewer'), sigma.revoke_access('regress_perm_editor'), sigma.revoke_access('regress_perm_builder'),
       sigma.revoke_access('regress_perm_admin');
SELECT sigma.delete_action_sequence('perm_insert'), sigma.delete_action_sequence('perm_nothing'), sigma.delete_layout_element('perm_page'),
       sigma.delete_variable('perm_variable'), sigma.delete_input_table('perm', true), sigma.delete_input_table('perm_other', true);
SET client_min_messages = warning;
DROP FUNCTION perm_ddl, perm_matrix, perm_try;
DROP SCHEMA regress_evil CASCADE;
DROP ROLE regress_perm_nobody, regress_perm_viewer, regress_perm_editor, regress_perm_builder, regress_perm_admin;
