-- sigma.check(): what is wrong with an app as it stands. What is healthy has no row.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_check_b;
CREATE ROLE regress_check_e;
-- a wire from everything to everything
CREATE TABLE ck_source (id int PRIMARY KEY, v text);
SELECT sigma.create_input_table('{"id": "ck_t", "columns": [{"name": "Name", "type": "text", "unique": true}, {"name": "Qty", "type": "integer", "validation": {"max": 100}},
    {"name": "Total", "type": "number", "formula": "Sum([public.ck_source/id])"}],
    "governance_config": {"editors": ["regress_check_e"], "row_filter": "[Name] != \"hidden\""}}');
SELECT sigma.create_input_table('{"id": "ck_list", "columns": [{"name": "Value", "type": "text"}]}');
SELECT sigma.create_input_table('{"id": "ck_rules", "columns": [{"name": "Pick", "type": "text", "validation": {"values_from": {"table": "ck_list", "column": "Value"}}}]}');
SELECT sigma.create_input_table('{"id": "ck_l", "type": "linked", "source": "public.ck_source", "key_columns": ["id"], "linked_columns": ["v"], "columns": [{"name": "A", "type": "number"}]}');
SELECT sigma.create_action('{"id": "ck_a", "type": "data_modification", "subtype": "insert_row", "target": "ck_list", "values": {"Value": "x"}}');
SELECT sigma.create_action_sequence('{"id": "ck_inner", "actions": ["ck_a"]}');
SELECT sigma.create_action_sequence('{"id": "ck_s", "trigger": {"type": "row_change", "table_id": "ck_t"}, "actions": ["ck_a", {"type": "flow", "subtype": "run_sequence", "target": "ck_inner"}]}');
SELECT sigma.create_layout_element('{"id": "ck_page", "type": "page", "children": [
    {"id": "ck_form", "type": "form", "input_table": "ck_list", "submit_sequence": "ck_inner"}, {"id": "ck_table", "type": "table", "source": "ck_list"}, {"id": "ck_text", "type": "text", "text": "Rows: {{Sum([public.ck_source/id])}}"}]}');
SELECT sigma.create_test('ck_test', '{"sequence": "ck_inner", "expect": {"status": "success"}}');
CREATE FUNCTION ck() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', severity, object, path, message, hint) FROM sigma.check() WHERE concat(object, message) ~ 'ck_|sigma\.sigma_' $$;
SELECT ck();

--
-- Names that dangle, and what no longer compiles
--
BEGIN;
SELECT sigma.delete_input_table('ck_list', true, true);
SELECT sigma.delete_input_table('ck_t', true, true);
SELECT sigma.delete_action_sequence('ck_inner', cascade => true);
SELECT regexp_replace(ck(), ' \| (There is|Known|Perhaps).*', '');
ROLLBACK;
-- tables that tests name
BEGIN;
SELECT sigma.create_test('ck_tables', '{"sequence": "ck_inner", "given": {"ck_list": [], "ck lst": []},
    "expect": {"rows": {"ck_rule": [{"Pick": "x"}]}, "row_count": {"ck_t": 1, "ck_rule": 1}}}');
SELECT ck();
ROLLBACK;
-- a function that a step calls, dropped
BEGIN;
CREATE FUNCTION ck_call(n int) RETURNS int LANGUAGE sql AS 'SELECT n';
SELECT sigma.create_action_sequence('{"id": "ck_calls", "actions": [{"type": "stored_procedure", "target": "public.ck_call", "arguments": [1]}]}');
SELECT ck();
DROP FUNCTION ck_call;
SELECT ck();
ROLLBACK;
BEGIN;
ALTER TABLE sigma.sigma_actions DISABLE TRIGGER USER;
DELETE FROM sigma.sigma_actions WHERE id = 'ck_a';
ALTER TABLE sigma.sigma_layout_elements DISABLE TRIGGER USER;
UPDATE sigma.sigma_layout_elements SET parent_id = 'ck_nowhere' WHERE id = 'ck_text';
UPDATE sigma.sigma_layout_elements SET config = '{"colour": 1}' WHERE id = 'ck_table';
SELECT regexp_replace(regexp_replace(ck(), '(disabled) \|.*', '\1'), ' \| (There is|Known|Perhaps).*', '');
ROLLBACK;
-- what formulas read
BEGIN;
DROP TABLE ck_source CASCADE;
SELECT ck();
ROLLBACK;

--
-- Relations that are not as they were made
--
BEGIN;
ALTER TABLE sigds.sigds_ck_t DROP COLUMN "Qty" CASCADE;
SELECT ck();
ROLLBACK;
BEGIN;
ALTER TABLE sigds.sigds_ck_t DISABLE TRIGGER sigma_0_validate;
ALTER TABLE sigds.sigds_wal_ck_t DISABLE TRIGGER ALL;
DROP TRIGGER "0_sigma_log_update" ON sigds.sigds_ck_t;
DROP TRIGGER sigma_2_change_insert ON sigds.sigds_ck_t;
ALTER TABLE sigds.sigds_ck_t DISABLE ROW LEVEL SECURITY;
ALTER TABLE sigds.sigds_ck_t OWNER TO regress_check_b;
SELECT replace(ck(), sigds.nspowner::regrole::text, 'OWNER') FROM pg_namespace AS sigds WHERE nspname = 'sigds';
ROLLBACK;
BEGIN;
DROP VIEW sigma_views.ck_t;
DROP TABLE sigds.sigds_pub_ck_rules CASCADE;
DROP SEQUENCE sigds.sigds_seq_ck_t;
DROP TABLE sigds.sigds_wal_ck_list CASCADE;
DO $$ BEGIN EXECUTE (SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index WHERE indrelid = 'sigds.sigds_ck_t'::regclass AND NOT indisprimary); END $$;
SELECT regexp_replace(ck(), '"sigds_ck_t_\w+"', '"the index"');
ROLLBACK;
BEGIN;
DROP TABLE sigds.sigds_ck_t CASCADE;
SELECT ck();
ROLLBACK;
-- roles are no part of a dump
BEGIN;
DROP OWNED BY regress_check_e;
DROP ROLE regress_check_e;
SELECT ck();
ROLLBACK;
-- tables that a definition left, and those that never had one
BEGIN;
DELETE FROM sigma.sigma_action_sequences WHERE id = 'ck_s';
SELECT sigma.delete_input_table('ck_t');
CREATE TABLE sigds.sigds_ck_stray (a int);
SELECT ck();
SELECT sigma.delete_input_table('ck_t', true);
SELECT ck();
ROLLBACK;
-- nothing is changed, no lock stays
BEGIN;
SELECT count(*) FROM ck();
SELECT relation::regclass, mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation::regclass::text ~ '^sigds\.' ;
ROLLBACK;
BEGIN READ ONLY;
SELECT count(*) FROM ck();
ROLLBACK;

--
-- status(): the same in short
--
SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(sigma.status()) AS k;
SELECT s ->> 'version', s ->> 'database' = current_database(), s ->> 'server_version' = current_setting('server_version'), s -> 'capabilities', s -> 'ai', s #> '{settings,sigma.max_errors}',
       (s #>> '{counts,input_tables}')::int >= 4, (s #>> '{feed,head}')::bigint > 0, jsonb_typeof(s #> '{feed,oldest_open_xact_age_ms}') IN ('null', 'number') FROM sigma.status() AS s;
SELECT (s ->> 'status' = 'healthy') = NOT EXISTS (SELECT FROM sigma.check() WHERE severity = 'error') FROM sigma.status() AS s;
BEGIN;
ALTER TABLE sigds.sigds_ck_t DISABLE TRIGGER sigma_0_validate;
SELECT s ->> 'status', jsonb_path_query_array(s -> 'issues', '$[*] ? (@ like_regex "ck_")'), s #>> '{feed,oldest_open_xact_age_ms}' IS NOT NULL FROM sigma.status() AS s;
GRANT USAGE ON SCHEMA sigma TO regress_check_e;
GRANT EXECUTE ON FUNCTION sigma.status TO regress_check_e;
SET LOCAL ROLE regress_check_e;
SELECT s ->> 'status', s -> 'issues', s #> '{counts,input_tables}' FROM sigma.status() AS s;
ROLLBACK;

--
-- Builders may
--
SELECT sigma.grant_access('regress_check_b', 'builder');
GRANT EXECUTE ON FUNCTION ck TO regress_check_b, regress_check_e;
SET ROLE regress_check_b;
SELECT count(*) FROM sigma.check() WHERE object ~ 'ck_';
SET ROLE regress_check_e;
SELECT count(*) FROM sigma.check() WHERE object ~ 'ck_';
RESET ROLE;
SELECT sigma.revoke_access('regress_check_b');

SELECT sigma.delete_test('ck_test');
SELECT sigma.delete_layout_element('ck_page', cascade => true);
DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'ck\_%';
DELETE FROM sigma.sigma_actions WHERE id LIKE 'ck\_%';
SELECT sigma.delete_input_table(id, true) FROM unnest(ARRAY['ck_l', 'ck_rules', 'ck_t', 'ck_list']) AS id;
SELECT ck();
DROP TABLE ck_source;
DROP FUNCTION ck;
DROP OWNED BY regress_check_b, regress_check_e;
DROP ROLE regress_check_b, regress_check_e;
