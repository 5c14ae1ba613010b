-- Levels of access: given, listed, taken; each is plain GRANTs.
SET client_min_messages = warning;
CREATE ROLE regress_access_v;
CREATE ROLE "regress Access ""E""";
CREATE ROLE regress_access_b;
CREATE ROLE regress_access_a;
CREATE ROLE regress_access_member IN ROLE regress_access_v;
RESET client_min_messages;
SELECT sigma.create_input_table('{"id": "access-1", "name": "Access One", "columns": [{"name": "a", "type": "text"}], "data_entry_permission": "published"}');
SELECT sigma.create_input_table('{"id": "access_2", "columns": [{"name": "a", "type": "text"}], "data_entry_permission": "published"}');
INSERT INTO sigds.sigds_access_1 VALUES ('one');
INSERT INTO sigds.sigds_access_2 VALUES ('two');

-- the sum of what a role may do with an input table's relations
CREATE FUNCTION access_rights(who name) RETURNS TABLE (relation text, rights text) LANGUAGE sql AS $$
    SELECT c.oid::regclass::text, string_agg(a.privilege_type, ',' ORDER BY a.privilege_type COLLATE "C")
    FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
    WHERE c.relnamespace IN ('sigds'::regnamespace, 'sigma_views'::regnamespace)
      AND c.relname ~* 'access' AND c.relname !~ '_wal_' AND a.grantee = to_regrole(quote_ident(who))
    GROUP BY c.oid ORDER BY c.oid::regclass::text COLLATE "C"
$$;

SELECT sigma.grant_access('regress_access_v', 'viewer', 'access-1');
SELECT sigma.grant_access('regress Access "E"', 'editor');
SELECT sigma.grant_access('regress_access_b', 'builder');
SELECT sigma.grant_access('regress_access_a', 'ADMIN');
SELECT sigma.grant_access('regress_access_a', 'admin');     -- once more: nothing changes
SELECT role, level, table_id, granted_by = session_user AS by_owner FROM sigma.list_access();
SELECT * FROM access_rights('regress_access_v');
SELECT * FROM access_rights('regress Access "E"');
SELECT * FROM access_rights('regress_access_b');
SELECT * FROM access_rights('regress_access_a');

-- tables made later, by whomever, renamed or altered, have the rights of their kind
SET ROLE regress_access_b;
SELECT sigma.create_input_table('{"id": "access_3", "name": "Access Three", "columns": [{"name": "a", "type": "text"}], "data_entry_permission": "published"}');
SELECT sigma.update_input_table('access_3', '{"name": "Later Access", "columns": [{"name": "a", "drop": true}, {"name": "b", "type": "number"}]}') -> 'dropped';
RESET ROLE;
SELECT * FROM access_rights('regress Access "E"');
SELECT * FROM access_rights('regress_access_v');

-- a member has what its role has; others' tables do not even show in the catalog
SET ROLE regress_access_member;
SELECT role, level, table_id FROM sigma.list_access();
SELECT id FROM sigma.list_input_tables();
SELECT id FROM sigma.sigma_input_tables;
SELECT sigma.table_info('access_2');
SELECT a FROM sigma_views."Access One";
SELECT a FROM sigma_views.access_2;
RESET ROLE;

-- a renamed role keeps its level, also for tables to come
ALTER ROLE "regress Access ""E""" RENAME TO regress_access_e;
SELECT role, level, table_id FROM sigma.list_access();
SELECT sigma.create_input_table('{"id": "access_4", "columns": [{"name": "a", "type": "text"}]}');
SELECT count(*) FROM access_rights('regress_access_e') WHERE relation = 'sigds.sigds_access_4';

-- taking: what another level gives stays
SELECT sigma.grant_access('regress_access_e', 'viewer', 'access-1');
SET ROLE regress_access_a;
SELECT sigma.revoke_access('regress_access_e', 'editor');
SELECT sigma.revoke_access('regress_access_e', 'editor');   -- NOTICE
RESET ROLE;
SELECT * FROM access_rights('regress_access_e');
SELECT has_schema_privilege('regress_access_e', 'sigds', 'USAGE') AS sigds, has_schema_privilege('regress_access_e', 'sigma', 'USAGE') AS sigma;
SELECT sigma.revoke_access('regress_access_e');
SELECT * FROM access_rights('regress_access_e');
SELECT has_schema_privilege('regress_access_e', 'sigma_views', 'USAGE') AS views, has_schema_privilege('regress_access_e', 'sigma', 'USAGE') AS sigma,
       has_type_privilege('regress_access_e', 'sigma.variant', 'USAGE') AS type;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'sigma'::regnamespace AND has_function_privilege('regress_access_e', oid, 'EXECUTE');
DROP ROLE regress_access_e;

-- one level for all tables cannot be taken for one
SELECT sigma.grant_access('regress_access_v', 'viewer');
SELECT sigma.revoke_access('regress_access_v', 'viewer', 'access_2');
-- a level without a table is taken everywhere
SELECT sigma.revoke_access('regress_access_v', 'viewer');
SELECT role, level, table_id FROM sigma.list_access();

-- rights by hand stay beside a level
GRANT USAGE ON SCHEMA sigds TO regress_access_v;
GRANT UPDATE (a) ON sigds.sigds_access_2 TO regress_access_v;
SELECT sigma.grant_access('regress_access_v', 'viewer');
SELECT sigma.revoke_access('regress_access_v');
SELECT has_column_privilege('regress_access_v', 'sigds.sigds_access_2', 'a', 'UPDATE');
REVOKE UPDATE (a) ON sigds.sigds_access_2 FROM regress_access_v;
REVOKE USAGE ON SCHEMA sigds FROM regress_access_v;

-- a role that is dropped: PostgreSQL asks for DROP OWNED first, which is a revoke
SELECT sigma.grant_access('regress_access_v', 'editor');
\set VERBOSITY terse
DROP ROLE regress_access_v;
\set VERBOSITY default
DROP OWNED BY regress_access_v;
SELECT role, level, table_id FROM sigma.list_access();
SELECT sigma.create_input_table('{"id": "access_5", "columns": [{"name": "a", "type": "text"}]}');
SELECT * FROM access_rights('regress_access_v');
SELECT sigma.grant_access('regress_access_v', 'viewer');    -- the level of before does not come back with this one
SELECT role, level, table_id FROM sigma.list_access();
DROP OWNED BY regress_access_v;
DROP ROLE regress_access_member, regress_access_v;
-- nor does a namesake inherit it
CREATE ROLE regress_access_v;
SELECT role, level, table_id FROM sigma.list_access();
DROP ROLE regress_access_v;

-- purging a table ends what was given for it
CREATE ROLE regress_access_v;
SELECT sigma.grant_access('regress_access_v', 'editor', 'access_5');
SELECT sigma.delete_input_table('access_5', true);
SELECT role, level, table_id FROM sigma.list_access();
SELECT sigma.create_input_table('{"id": "access_5", "columns": [{"name": "a", "type": "text"}]}');
SELECT * FROM access_rights('regress_access_v');
DROP ROLE regress_access_v;

-- refusals
SELECT sigma.grant_access('regress_access_nobody', 'viewer');
SELECT sigma.grant_access('public', 'viewer');
SELECT sigma.grant_access(NULL, 'viewer');
SELECT sigma.grant_access('regress_access_b', NULL);
SELECT sigma.grant_access('regress_access_b', 'editr');
SELECT sigma.grant_access('regress_access_b', 'viewer', 'access-2');
SELECT sigma.grant_access('regress_access_b', 'builder', 'access_2');
SELECT sigma.revoke_access('regress_access_nobody');
SET ROLE regress_access_b;
SELECT sigma.grant_access('regress_access_b', 'viewer');
SELECT sigma.revoke_access('regress_access_a');
RESET ROLE;
-- EXECUTE alone does not make an admin
GRANT EXECUTE ON FUNCTION sigma.grant_access(name, text, text) TO regress_access_b;
SET ROLE regress_access_b;
SELECT sigma.grant_access('regress_access_b', 'viewer');
RESET ROLE;
-- the owner has everything, and keeps it
SET client_min_messages = warning;
SELECT sigma.grant_access(current_user::name, 'viewer');    -- a NOTICE
RESET client_min_messages;
SELECT role, level, table_id FROM sigma.list_access();
INSERT INTO sigma.sigma_access (role, level, table_id, governance) VALUES ('regress_access_b', 'admin', '', false);
DELETE FROM sigma.sigma_access;
TRUNCATE sigma.sigma_access;

-- the audit: definitions and levels
SELECT role = session_user AS by_owner, object, operation, old, new
FROM sigma.sigma_audit WHERE object LIKE 'input_table:access%' AND operation IN ('grant', 'revoke') ORDER BY at;
SELECT role, object, operation, old #- '{columns,0,id}' AS old, new #- '{columns,0,id}' AS new
FROM sigma.sigma_audit WHERE object = 'input_table:access_3' ORDER BY at, operation;
SELECT sigma.create_variable('{"id": "access_var", "type": "number", "scope": "workbook"}');
SELECT sigma.set_variable('access_var', '1');
SELECT sigma.update_variable('access_var', '{"default_value": 5}');
SELECT sigma.update_variable('access_var', '{"default_value": 5}');
SELECT sigma.delete_variable('access_var');
SELECT operation, old, new FROM sigma.sigma_audit WHERE object = 'variable:access_var' ORDER BY at, operation;
SET sigma.user_email = 'eve@example.com';
SELECT sigma.create_page('{"id": "access_page", "children": [{"id": "access_text", "type": "text", "text": "x"}]}');
SELECT sigma.delete_layout_element('access_page');
RESET sigma.user_email;
SELECT by, object, operation, xact IS NOT NULL AS xact FROM sigma.sigma_audit WHERE object LIKE 'element:access%' ORDER BY at, object COLLATE "C", operation;
-- nobody changes it
UPDATE sigma.sigma_audit SET by = 'somebody else';
DELETE FROM sigma.sigma_audit;
TRUNCATE sigma.sigma_audit;
INSERT INTO sigma.sigma_audit (at, object, operation) VALUES (now(), 'workbook', 'grant');
-- builders read what was defined, admins all of it
SET ROLE regress_access_b;
SELECT DISTINCT operation FROM sigma.sigma_audit ORDER BY 1;
SET ROLE regress_access_a;
SELECT DISTINCT operation FROM sigma.sigma_audit ORDER BY 1;
RESET ROLE;

SELECT sigma.revoke_access('regress_access_b'), sigma.revoke_access('regress_access_a');
REVOKE EXECUTE ON FUNCTION sigma.grant_access(name, text, text) FROM regress_access_b;
DROP ROLE regress_access_a, regress_access_b;
SELECT bool_and(sigma.delete_input_table(id, true)) FROM unnest(ARRAY['access-1', 'access_2', 'access_3', 'access_4', 'access_5']) AS id;
SELECT role, level, table_id FROM sigma.list_access();
DROP FUNCTION access_rights;
