-- governance_config: the roles that a definition names.
SET client_min_messages = warning;
CREATE ROLE regress_gov_e1;
CREATE ROLE regress_gov_e2;
CREATE ROLE "regress_gov ""v""";
CREATE ROLE regress_gov_b;
RESET client_min_messages;
SELECT sigma.create_input_table('{"id": "gov", "name": "Gov", "columns": [{"name": "a", "type": "text"}], "data_entry_permission": "published",
    "governance": {"editors": ["regress_gov_e1"], "viewers": ["regress_gov \"v\""]}}');
SELECT governance_config FROM sigma.sigma_input_tables WHERE id = 'gov';
SELECT role, level, table_id FROM sigma.list_access();
SET ROLE regress_gov_e1;
INSERT INTO sigds.sigds_gov VALUES ('one');
SET ROLE "regress_gov ""v""";
SELECT a FROM sigma_views."Gov";
INSERT INTO sigds.sigds_gov VALUES ('two');
RESET ROLE;

-- the GRANTs follow the list
SELECT sigma.update_input_table('gov', '{"governance_config": {"editors": ["regress_gov_e2"], "viewers": ["regress_gov \"v\""]}}') -> 'changed';
SELECT role, level, table_id FROM sigma.list_access();
SELECT grantee, string_agg(privilege_type, ',' ORDER BY privilege_type COLLATE "C")
FROM information_schema.role_table_grants WHERE table_schema = 'sigds' AND table_name = 'sigds_gov' AND grantee LIKE 'regress%' GROUP BY 1;
SELECT has_schema_privilege('regress_gov_e1', 'sigma', 'USAGE');
-- what was granted besides stays; what the list gives is taken out of the list
SELECT sigma.grant_access('regress_gov_e2', 'viewer', 'gov');
SELECT sigma.revoke_access('regress_gov_e2', 'editor', 'gov');
SELECT sigma.update_input_table('gov', '{"governance_config": {"viewers": ["regress_gov \"v\""]}}') -> 'changed';
SELECT role, level, table_id FROM sigma.list_access();
SELECT sigma.revoke_access('regress_gov_e2');

-- a renamed role keeps what it has; the definition warns until its list is changed
ALTER ROLE "regress_gov ""v""" RENAME TO regress_gov_v;
SELECT sigma.table_info('gov') -> 'warnings';
SELECT role, level, table_id FROM sigma.list_access();
SELECT sigma.update_input_table('gov', '{"max_rows": 100}') -> 'changed';
SELECT sigma.update_input_table('gov', '{"governance_config": {"viewers": ["regress_gov_v", "regress_gov_e1", "regress_gov_v"]}}') -> 'changed';
SELECT role, level, table_id FROM sigma.list_access();
SELECT sigma.table_info('gov') -> 'warnings';

-- a builder says whom a new table is for; of rows that are there an admin decides
SELECT sigma.grant_access('regress_gov_b', 'builder');
SET ROLE regress_gov_b;
SELECT sigma.create_input_table('{"id": "gov_new", "columns": [{"name": "a", "type": "text"}], "governance_config": {"editors": ["regress_gov_e1"]}}');
SELECT sigma.update_input_table('gov', '{"governance_config": {"editors": ["regress_gov_b"]}}');
UPDATE sigma.sigma_input_tables SET governance_config = NULL WHERE id = 'gov';
SELECT sigma.update_input_table('gov', '{"max_rows": 200}') -> 'changed';
SELECT sigma.delete_input_table('gov');
SELECT sigma.create_input_table('{"id": "gov", "columns": [{"name": "a", "type": "text"}], "governance_config": {"editors": ["regress_gov_b"]}}');
SELECT sigma.create_input_table('{"id": "gov", "columns": [{"name": "a", "type": "text"}]}');
SELECT * FROM sigds.sigds_gov;
RESET ROLE;
-- the definition without a list has taken back what the list of before gave
SELECT role, level, table_id FROM sigma.list_access();

-- refusals
SELECT sigma.update_input_table('gov', '{"governance_config": {"viewers": ["regress_gov_v", "regress_gov_e11"]}}');
SELECT sigma.update_input_table('gov', '{"governance_config": {"viewers": ["public"]}}');
SELECT sigma.update_input_table('gov', '{"governance_config": {"viewers": "regress_gov_v"}}') -> 'changed';
SELECT sigma.update_input_table('gov', '{"governance_config": {"owners": ["regress_gov_v"]}}');
SELECT operation, old, new FROM sigma.sigma_audit WHERE object = 'input_table:gov' AND operation IN ('grant', 'revoke') ORDER BY at, operation DESC, old, new;

SELECT sigma.revoke_access('regress_gov_b');
SELECT sigma.delete_input_table('gov', true), sigma.delete_input_table('gov_new', true);
SELECT role, level, table_id FROM sigma.list_access();
DROP ROLE regress_gov_e1, regress_gov_e2, regress_gov_v, regress_gov_b;
