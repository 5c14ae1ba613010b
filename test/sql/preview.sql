-- What a run would do: every row it would change, and nothing of it left.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_preview_e;
CREATE ROLE regress_preview_v;
CREATE ROLE regress_preview_c;
RESET client_min_messages;
SELECT sigma.create_input_table('{"id": "pv_t", "columns": [{"name": "Name", "type": "text", "unique": true},
    {"name": "Qty", "type": "integer", "default_value": 5, "validation": {"max": 100}},
    {"name": "Note", "type": "text", "validation": {"min_length": 3, "severity": "warn"}},
    {"name": "At", "type": "date"}, {"name": "Tags", "type": "multi-select", "validation": {"values": ["a", "b"]}}]}');
SELECT sigma.create_input_table('{"id": "pv_quiet", "governance_config": {"audit": false}, "columns": [{"name": "Name", "type": "text"}]}');
INSERT INTO sigds.sigds_pv_t ("Name", "Qty") SELECT 'n' || i, i FROM generate_series(1, 5) AS i;
INSERT INTO sigds.sigds_pv_quiet ("Name") SELECT 'q' || i FROM generate_series(1, 5) AS i;
CREATE FUNCTION pv(id text, context jsonb DEFAULT '{}') RETURNS SETOF text LANGUAGE sql AS $$
    WITH r AS MATERIALIZED (SELECT sigma.preview_sequence(id, context) AS r)
    SELECT concat_ws(' ', r ->> 'status', r ->> 'reason', 'rows=' || (r ->> 'rows_changed'), 'left_out=' || (r ->> 'changes_left_out'),
                     r -> 'error' ->> 'sqlstate', r -> 'error' ->> 'message') FROM r
    UNION ALL SELECT concat_ws(' ', '  change', c ->> 'table', c ->> 'row_id', c -> 'key', c ->> 'operation', c -> 'old', '->', c -> 'new') FROM r, jsonb_array_elements(r -> 'changes') AS c
    UNION ALL SELECT concat_ws(' ', '  rule', c ->> 'table', c ->> 'column', c ->> 'rule', c ->> 'severity', c ->> 'rows', c ->> 'message') FROM r, jsonb_array_elements(r -> 'rules') AS c
    UNION ALL SELECT concat_ws(' ', '  not previewed', c ->> 'index', c ->> 'type', c ->> 'table', c ->> 'message') FROM r, jsonb_array_elements(r -> 'not_previewed') AS c $$;

--
-- Every kind of change, each row once: as it is now, and as it would be in the end
--
SELECT sigma.create_action_sequence('{"id": "pv_all", "actions": [
    {"id": "a", "type": "data_modification", "subtype": "insert_row", "target": "pv_t", "values": {"Name": "[Control/name]", "At": "2026-03-01", "Tags": ["a"]}, "output_variable": "made"},
    {"id": "b", "type": "data_modification", "subtype": "insert_rows", "target": "pv_t", "rows": [{"Name": "x", "Note": "no"}, {"Name": "gone"}]},
    {"id": "c", "type": "data_modification", "subtype": "update_rows", "target": "pv_t", "selector": {"match": {"Qty": {"op": "in", "value": [2, 3]}}}, "values": {"Qty": 50}},
    {"id": "d", "type": "data_modification", "subtype": "update_rows", "target": "pv_t", "selector": {"match": {"Qty": 50}}, "values": {"Qty": 60}},
    {"id": "e", "type": "data_modification", "subtype": "upsert_row", "target": "pv_t", "values": {"Name": "n4", "Qty": 44}},
    {"id": "f", "type": "data_modification", "subtype": "upsert_row", "target": "pv_t", "values": {"Name": "n9", "Qty": 9}},
    {"id": "g", "type": "data_modification", "subtype": "delete_rows", "target": "pv_t", "selector": {"match": {"Name": ["gone", "n5"]}}},
    {"id": "h", "type": "data_modification", "subtype": "update_row", "target": "pv_t", "selector": {"match": {"Name": "n1"}}, "values": {"Qty": 1}},
    {"id": "i", "type": "data_modification", "subtype": "delete_row", "target": "pv_quiet", "selector": {"match": {"Name": "q1"}}},
    {"id": "j", "type": "data_modification", "subtype": "update_row", "target": "pv_quiet", "selector": {"row_id": 2}, "values": {"Name": "Q2"}},
    {"id": "k", "type": "data_modification", "subtype": "insert_row", "target": "pv_quiet", "values": {"Name": "q6"}},
    {"id": "l", "type": "control", "subtype": "set_value", "target": "done", "value": "[ActionVar/made]"},
    {"type": "modal", "subtype": "close"}],
    "execution_config": {"success_alert": {"title": "Row {{[ActionVar/made]}}"}}}');
SELECT pv('pv_all', '{"controls": {"name": "n6"}}');
-- the result of a run, and what a preview adds; effects, variables and alerts as they would be
SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(sigma.preview_sequence('pv_all')) AS k;
SELECT r -> 'preview', r -> 'effects', r -> 'alert' ->> 'kind', jsonb_array_length(r -> 'warnings'), r -> 'variables' = r -> 'controls' FROM sigma.preview_sequence('pv_all') AS r;
-- nothing happened, but that row ids were used up
SELECT "Name", "Qty" FROM sigds.sigds_pv_t ORDER BY sigma_row_id;
SELECT count(*) FROM sigds.sigds_pv_quiet WHERE "Name" LIKE 'q_';
SELECT count(*) FROM sigma.sigma_execution_history WHERE sequence_id = 'pv_all';
SELECT count(*) FROM sigds.sigds_wal_pv_t WHERE metadata ->> 'origin' = 'action';

--
-- What is not kept is not shown
--
SELECT sigma.create_action_sequence('{"id": "pv_bad", "actions": [
    {"id": "a", "type": "data_modification", "subtype": "insert_row", "target": "pv_t", "values": {"Name": "z1"}},
    {"id": "b", "type": "data_modification", "subtype": "insert_rows", "target": "pv_t", "rows": [{"Name": "z2"}, {"Name": "n1", "Qty": 500}]},
    {"id": "c", "type": "data_modification", "subtype": "insert_row", "target": "pv_t", "values": {"Name": "z3"}}]}');
SELECT pv('pv_bad');
UPDATE sigma.sigma_action_sequences SET stop_on_error = false WHERE id = 'pv_bad';
SELECT pv('pv_bad');
UPDATE sigma.sigma_action_sequences SET stop_on_error = true, execution_config = '{"atomic": false}' WHERE id = 'pv_bad';
SELECT pv('pv_bad');
SELECT sigma.update_action_sequence('pv_bad', '{"condition": {"type": "custom_formula", "formula": "[Control/go] = 1"}}');
SELECT pv('pv_bad');
SELECT sigma.pause_sequence('pv_bad');
SELECT pv('pv_bad');
-- a run that takes too long
SELECT sigma.create_action_sequence('{"id": "pv_slow", "timeout_ms": 250, "actions": [{"id": "a", "type": "data_modification", "subtype": "insert_row", "target": "pv_quiet", "values": {"Name": "slow"}}]}');
CREATE FUNCTION pv_sleep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
CREATE TRIGGER pv_sleep AFTER INSERT ON sigds.sigds_pv_quiet FOR EACH STATEMENT EXECUTE FUNCTION pv_sleep();
SELECT pv('pv_slow');
-- statement_timeout is the client's: it is raised, and the session goes on
SELECT sigma.update_action_sequence('pv_slow', '{"timeout_ms": 0}');
SET statement_timeout = 1000;
DO $$ BEGIN PERFORM sigma.preview_sequence('pv_slow'); EXCEPTION WHEN query_canceled THEN RAISE NOTICE 'caught %', SQLSTATE; END $$;
RESET statement_timeout;
DROP TRIGGER pv_sleep ON sigds.sigds_pv_quiet;
SELECT count(*) FROM sigds.sigds_pv_quiet;

--
-- What triggers of others do on the way belongs to it; settings and locks do not stay
--
CREATE FUNCTION pv_more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sigds.sigds_pv_quiet ("Name") SELECT 'copy of ' || "Name" FROM made;
    UPDATE sigds.sigds_pv_t SET "Qty" = "Qty" + 1 WHERE "Name" = 'n2';
    BEGIN
        DELETE FROM sigds.sigds_pv_t;
        RAISE EXCEPTION 'not so';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    PERFORM set_config('sigma.user_email', 'somebody else', false), pg_advisory_xact_lock(4711), pg_notify('pv', 'sent');
    RETURN NULL;
END $$;
CREATE TRIGGER pv_more AFTER INSERT ON sigds.sigds_pv_t REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION pv_more();
SELECT sigma.create_action_sequence('{"id": "pv_one", "actions": [{"id": "a", "type": "data_modification", "subtype": "insert_row", "target": "pv_t", "values": {"Name": "[Control/name]"}}]}');
LISTEN pv;
SELECT pv('pv_one', '{"controls": {"name": "m1"}}');
SELECT coalesce(nullif(current_setting('sigma.user_email'), ''), 'unset'), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid());
UNLISTEN pv;
DROP TRIGGER pv_more ON sigds.sigds_pv_t;
-- a preview inside a run, and inside a preview: neither is part of what is around it
CREATE FUNCTION pv_inner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'inner: %', (SELECT string_agg(l, ' | ') FROM pv('pv_nested') AS l);
    RETURN NULL;
END $$;
SELECT sigma.create_action_sequence('{"id": "pv_nested", "actions": [{"type": "data_modification", "subtype": "insert_row", "target": "pv_quiet", "values": {"Name": "inner"}}]}');
CREATE TRIGGER pv_inner AFTER INSERT ON sigds.sigds_pv_t FOR EACH STATEMENT EXECUTE FUNCTION pv_inner();
SELECT pv('pv_one', '{"controls": {"name": "m2"}}');
SELECT r ->> 'status' FROM sigma.execute_sequence('pv_one', '{"controls": {"name": "m2"}}') AS r;
DROP TRIGGER pv_inner ON sigds.sigds_pv_t;
DELETE FROM sigds.sigds_pv_t WHERE "Name" = 'm2';
SELECT count(*) FROM sigds.sigds_pv_quiet;

--
-- What is deferred to the commit is done at the end: what it writes, and what it would raise
--
CREATE TABLE pv_parent (k text PRIMARY KEY);
CREATE TABLE pv_child (k text REFERENCES pv_parent DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION pv_adopt(k text) RETURNS void LANGUAGE sql AS $$ INSERT INTO pv_child VALUES (k) $$;
CREATE FUNCTION pv_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sigds.sigds_pv_t SET "Qty" = "Qty" + 10 WHERE "Name" = 'n1';
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER pv_at_commit AFTER INSERT ON pv_child DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pv_at_commit();
SELECT sigma.create_action_sequence('{"id": "pv_deferred", "actions": [{"id": "call", "type": "stored_procedure", "target": "pv_adopt", "arguments": ["[Control/k]"]}]}');
INSERT INTO pv_parent VALUES ('yes');
SELECT pv('pv_deferred', '{"controls": {"k": "yes"}}');
SELECT r ->> 'status', jsonb_pretty(r -> 'commit_error') FROM sigma.preview_sequence('pv_deferred', '{"controls": {"k": "no"}}') AS r;
-- in a transaction: what it has deferred is deferred still
BEGIN;
INSERT INTO pv_child VALUES ('later');
SELECT r -> 'commit_error' ->> 'sqlstate' FROM sigma.preview_sequence('pv_deferred', '{"controls": {"k": "yes"}}') AS r;
INSERT INTO pv_parent VALUES ('later');
SELECT r -> 'commit_error' ->> 'sqlstate' FROM sigma.preview_sequence('pv_deferred', '{"controls": {"k": "yes"}}') AS r;
SELECT "Qty" FROM sigds.sigds_pv_t WHERE "Name" = 'n1';
COMMIT;
SELECT "Qty" FROM sigds.sigds_pv_t WHERE "Name" = 'n1';
UPDATE sigds.sigds_pv_t SET "Qty" = 1 WHERE "Name" = 'n1';
-- tests of an app ask it too
SELECT sigma.create_test('pv_deferred 1', '{"sequence": "pv_deferred", "context": {"controls": {"k": "no"}}}');
SELECT sigma.create_test('pv_deferred 2', '{"sequence": "pv_deferred", "context": {"controls": {"k": "no"}}, "expect": {"error": {"sqlstate": "23503"}}}');
SELECT sigma.create_test('pv_deferred 3', '{"sequence": "pv_deferred", "context": {"controls": {"k": "yes"}}, "expect": {"status": "success", "changes": [{"operation": "update", "new": {"Qty": 11}}]}}');
SELECT * FROM sigma.run_tests('pv\_deferred%');
DELETE FROM sigma.sigma_tests WHERE name LIKE 'pv\_deferred%';
SELECT sigma.delete_action_sequence('pv_deferred');
DROP TABLE pv_child, pv_parent;
DROP FUNCTION pv_adopt, pv_at_commit;

--
-- Inside a transaction: what was done before is "old", and stays
--
BEGIN;
UPDATE sigds.sigds_pv_t SET "Qty" = 33 WHERE "Name" = 'n3';
DELETE FROM sigds.sigds_pv_quiet WHERE "Name" = 'q1';
INSERT INTO sigds.sigds_pv_t ("Name", "Qty") VALUES ('mine', 50);
SELECT split_part(l, ' ', 3) || ' ' || regexp_replace(l, '^.*(old|change) \S+ \d+ ', '') FROM pv('pv_all', '{"controls": {"name": "n6"}}') AS l WHERE l ~ 'n3|mine|q1';
SELECT "Name", "Qty" FROM sigds.sigds_pv_t WHERE "Name" IN ('n3', 'mine');
SELECT count(*) FROM sigma.sigma_execution_history WHERE sequence_id = 'pv_all';
COMMIT;
SELECT count(*) FROM sigds.sigds_pv_t;
-- also where one snapshot holds for the transaction
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM sigds.sigds_pv_t;
UPDATE sigds.sigds_pv_t SET "Qty" = 34 WHERE "Name" = 'n3';
SELECT pv('pv_one', '{"controls": {"name": "m3"}}');
UPDATE sigds.sigds_pv_t SET "Qty" = 35 WHERE "Name" = 'n3';
SELECT "Qty" FROM sigds.sigds_pv_t WHERE "Name" = 'n3';
ROLLBACK;
-- an idempotency key is not used up, and one that was used gives its result, which changes nothing any more
SELECT pv('pv_one', '{"controls": {"name": "k"}, "idempotency_key": "pv-1"}');
SELECT sigma.execute_sequence('pv_one', '{"controls": {"name": "k"}, "idempotency_key": "pv-1"}') ->> 'status';
SELECT pv('pv_one', '{"controls": {"name": "k"}, "idempotency_key": "pv-1"}');
SELECT pv('pv_one', '{"controls": {"name": "l"}, "idempotency_key": "pv-1"}');
-- messages are shown, and nobody gets them
SELECT sigma.create_action_sequence('{"id": "pv_mail", "actions": [{"type": "notify", "recipients": ["a@example.com"], "subject": "To {{[Control/name]}}", "body": "b"}]}');
LISTEN sigma_outbox;
SELECT r -> 'outbox' -> 0 ->> 'subject', r -> 'not_previewed' FROM sigma.preview_sequence('pv_mail', '{"controls": {"name": "Ann"}}') AS r;
SELECT count(*) FROM sigma.sigma_outbox WHERE sequence_id = 'pv_mail';
UNLISTEN sigma_outbox;
-- also those of loops, and of the sequences that they run
SELECT sigma.create_action_sequence('{"id": "pv_each", "actions": [
    {"id": "one", "type": "data_modification", "subtype": "insert_row", "target": "pv_quiet", "values": {"Name": "[Selection/Name]"}},
    {"id": "mail", "type": "notify", "recipients": ["[Selection/Name]"], "subject": "s", "body": "b"}]}');
SELECT sigma.create_action_sequence('{"id": "pv_loop", "actions": [
    {"id": "loop", "type": "flow", "subtype": "for_each", "rows": "selection", "actions": [
        {"id": "if", "type": "flow", "subtype": "if_else", "branches": [{"condition": {"type": "custom_formula", "formula": "[Selection/Name] != \"skip\""}, "actions": [{"id": "run", "type": "flow", "subtype": "run_sequence", "target": "pv_each"}]}]}]},
    {"id": "stop", "type": "flow", "subtype": "stop"}]}');
SELECT pv('pv_loop', '{"selection": {"rows": [{"Name": "ann"}, {"Name": "skip"}, {"Name": "bob"}]}}');
SELECT m -> 'recipients', m ->> 'action_id' FROM jsonb_array_elements(sigma.preview_sequence('pv_loop', '{"selection": {"rows": [{"Name": "ann"}, {"Name": "bob"}]}}') -> 'outbox') AS m;
SELECT count(*) FROM sigma.sigma_execution_history WHERE sequence_id IN ('pv_each', 'pv_loop');
-- sequences that changes of rows start: their writes are shown; of those that start later it is said
SELECT sigma.create_action_sequence('{"id": "pv_on_quiet", "trigger": {"type": "row_change", "table_id": "pv_quiet"}, "actions": [{"type": "data_modification", "subtype": "insert_row", "target": "pv_t", "values": {"Name": "[Selection/Name]"}}]}');
SET client_min_messages = warning;
SELECT sigma.create_action_sequence('{"id": "pv_later", "trigger": {"type": "row_change", "table_id": "pv_t", "when": "after_commit"}, "actions": [{"type": "modal", "subtype": "close"}]}');
RESET client_min_messages;
SELECT pv('pv_nested');
SELECT count(*) FROM sigma.sigma_row_events;
DELETE FROM sigma.sigma_action_sequences WHERE id IN ('pv_on_quiet', 'pv_later');
-- functions: what they write to input tables is shown, the rest is not
CREATE TABLE pv_plain (a int);
CREATE FUNCTION pv_call(n text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO pv_plain VALUES (1); INSERT INTO sigds.sigds_pv_quiet ("Name") VALUES (n); RETURN n || (SELECT count(*) FROM pv_plain); END $$;
SELECT sigma.create_action_sequence('{"id": "pv_function", "actions": [{"id": "f", "type": "stored_procedure", "target": "public.pv_call", "arguments": ["called"], "output_variable": "said"}]}');
SELECT pv('pv_function');
SELECT sigma.preview_sequence('pv_function') -> 'variables';
SELECT count(*) FROM pv_plain;
DROP TABLE pv_plain;
DROP FUNCTION pv_call;
-- values of variables that are stored
SELECT sigma.create_variable('{"id": "pv_v", "kind": "variable", "type": "number", "scope": "workbook", "default_value": 1}');
SELECT sigma.create_action_sequence('{"id": "pv_var", "actions": [{"type": "variable", "subtype": "set", "target": "pv_v", "value": 7}, {"type": "control", "subtype": "set_value", "target": "c", "value": "[ActionVar/pv_v]"}]}');
SELECT r -> 'variables', r -> 'controls' FROM sigma.preview_sequence('pv_var') AS r;
SELECT sigma.get_variable('pv_v');

--
-- Many rows: a thousand are shown, the others are counted, also where writing them took several statements
--
INSERT INTO sigds.sigds_pv_quiet ("Name") SELECT 'many' FROM generate_series(1, 1500);
SELECT sigma.create_action_sequence('{"id": "pv_many", "stop_on_error": false, "actions": [
    {"type": "data_modification", "subtype": "update_rows", "target": "pv_quiet", "selector": {"match": {"Name": "many"}}, "values": {"Name": "more"}},
    {"type": "data_modification", "subtype": "update_rows", "target": "pv_quiet", "selector": {"match": {"Name": "more"}}, "values": {"Name": "most"}},
    {"type": "data_modification", "subtype": "delete_rows", "target": "pv_quiet", "selector": {"match": {"Name": {"op": "starts_with", "value": "q"}}}}]}');
SELECT r -> 'rows_changed', r -> 'changes_left_out', jsonb_array_length(r -> 'changes'), r -> 'changes' -> 0 -> 'old', r -> 'changes' -> 999 -> 'new' FROM sigma.preview_sequence('pv_many') AS r;
-- large values count by their size
SELECT sigma.create_action_sequence('{"id": "pv_large", "actions": [
    {"type": "data_modification", "subtype": "insert_rows", "target": "pv_quiet", "rows": [{"Name": "[Control/x]"}, {"Name": "[Control/x]"}, {"Name": "[Control/x]"}, {"Name": "[Control/x]"}]}]}');
SELECT r -> 'changes_left_out', jsonb_array_length(r -> 'changes') FROM sigma.preview_sequence('pv_large', jsonb_build_object('controls', jsonb_build_object('x', repeat('x', 5000000)))) AS r;

--
-- Linked tables show entries with their keys
--
CREATE TABLE pv_source (id int PRIMARY KEY, v text);
INSERT INTO pv_source VALUES (1, 'one'), (2, 'two');
SELECT sigma.create_input_table('{"id": "pv_l", "type": "linked", "source": "public.pv_source", "key_columns": ["id"], "linked_columns": ["v"], "columns": [{"name": "A", "type": "number"}]}');
UPDATE sigds.sigds_pv_l SET "A" = 1 WHERE id = 1;
CREATE FUNCTION pv_link() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE sigds.sigds_pv_l SET "A" = 10 * id; RETURN NULL; END $$;
CREATE TRIGGER pv_link AFTER INSERT ON sigds.sigds_pv_t FOR EACH STATEMENT EXECUTE FUNCTION pv_link();
SELECT pv('pv_one', '{"controls": {"name": "m4"}}');
DROP TRIGGER pv_link ON sigds.sigds_pv_t;
SELECT id, "A" FROM sigds.sigds_pv_l ORDER BY id;

--
-- Rights: a preview does what its caller may do, and shows what he may see
--
SELECT sigma.create_input_table('{"id": "pv_r", "data_entry_permission": "published", "columns": [{"name": "Who", "type": "text"}, {"name": "N", "type": "number"}],
    "governance_config": {"editors": ["regress_preview_e"], "viewers": ["regress_preview_v"], "row_filter": "[Who] = \"ann\""}}');
INSERT INTO sigds.sigds_pv_r ("Who", "N") VALUES ('ann', 1), ('bob', 2);
CREATE FUNCTION pv_definer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN UPDATE sigds.sigds_pv_r SET "N" = "N" + 100; INSERT INTO sigds.sigds_pv_quiet ("Name") VALUES ('secret'); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER pv_definer AFTER UPDATE ON sigds.sigds_pv_r FOR EACH STATEMENT EXECUTE FUNCTION pv_definer();
SELECT sigma.create_action_sequence('{"id": "pv_rights", "actions": [{"type": "data_modification", "subtype": "update_rows", "target": "pv_r", "selector": {"match": {"sigma_row_id": {"op": "is_not_null"}}}, "values": {"N": 9}}]}');
GRANT EXECUTE ON FUNCTION pv TO regress_preview_e, regress_preview_v;
SELECT pv('pv_rights');
SET ROLE regress_preview_e;
SELECT pv('pv_rights');
SET ROLE regress_preview_v;
SELECT pv('pv_rights');
RESET ROLE;
-- rights on columns: only those are shown
SELECT sigma.grant_access('regress_preview_c', 'viewer', 'pv_r');
GRANT USAGE ON SCHEMA sigds TO regress_preview_c;
GRANT SELECT (sigma_row_id, "Name"), INSERT, UPDATE, DELETE ON sigds.sigds_pv_quiet TO regress_preview_c;
SELECT sigma.create_action_sequence('{"id": "pv_columns", "actions": [
    {"type": "data_modification", "subtype": "delete_rows", "target": "pv_quiet", "selector": {"match": {"Name": ["q1", "q2"]}}}]}');
SET ROLE regress_preview_c;
SELECT pv('pv_columns');
RESET ROLE;
REVOKE SELECT (sigma_row_id) ON sigds.sigds_pv_quiet FROM regress_preview_c;
SELECT sigma.update_action_sequence('pv_columns', '{"actions": [{"type": "data_modification", "subtype": "delete_rows", "target": "pv_quiet", "selector": {"match": {"Name": ["q1", "q2"]}}}]}');
SET ROLE regress_preview_c;
SELECT pv('pv_columns');
SELECT sigma.preview_sequence('pv_columns') -> 'sequence_id';
RESET ROLE;
SET ROLE pg_monitor;
SELECT sigma.preview_sequence('pv_columns');
RESET ROLE;

--
-- What cannot be previewed at all
--
SELECT sigma.preview_sequence('pv_none');
SELECT sigma.preview_sequence(NULL);
SELECT sigma.preview_sequence('pv_one', '[]');
SELECT sigma.preview_sequence('pv_one', '{"idempotency_key": ""}');
BEGIN READ ONLY;
\set VERBOSITY terse
SELECT sigma.preview_sequence('pv_one');
\set VERBOSITY default
ROLLBACK;
-- a table that is gone
SELECT sigma.create_input_table('{"id": "pv_gone", "columns": [{"name": "a", "type": "text"}]}');
SELECT sigma.create_action_sequence('{"id": "pv_gone", "actions": [{"type": "data_modification", "subtype": "insert_row", "target": "pv_gone", "values": {"a": 1}}]}');
ALTER TABLE sigma.sigma_input_tables DISABLE TRIGGER USER;
DELETE FROM sigma.sigma_input_tables WHERE id = 'pv_gone';
ALTER TABLE sigma.sigma_input_tables ENABLE TRIGGER USER;
DROP TABLE sigds.sigds_pv_gone, sigds.sigds_wal_pv_gone CASCADE;
\set VERBOSITY terse
SELECT sigma.preview_sequence('pv_gone');
\set VERBOSITY default

SELECT sigma.revoke_access('regress_preview_c', 'viewer', 'pv_r');
DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'pv\_%';
SELECT sigma.delete_variable('pv_v');
SELECT sigma.delete_input_table(id, true) FROM unnest(ARRAY['pv_l', 'pv_r', 'pv_t', 'pv_quiet']) AS id;
DROP SEQUENCE IF EXISTS sigds.sigds_pv_gone_rows;
DROP TABLE IF EXISTS sigds.sigds_pub_pv_gone;
DROP TABLE pv_source;
DROP FUNCTION pv, pv_sleep, pv_more, pv_inner, pv_link, pv_definer;
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'pv\_%';
REVOKE ALL ON SCHEMA sigds FROM regress_preview_c;
DROP OWNED BY regress_preview_e, regress_preview_v, regress_preview_c;
DROP ROLE regress_preview_e, regress_preview_v, regress_preview_c;
