-- Messages of runs: rows of the outbox, written for callers without a right on it.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.refused(doc jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    code text; said text; at text; hint text;
BEGIN
    PERFORM sigma.create_action('{"id": "steps_notify_act"}' || doc);
    PERFORM sigma.delete_action('steps_notify_act');
    RETURN 'NOT REFUSED';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, at = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', code, said, nullif(at, ''), nullif(hint, ''));
END
$$;
CREATE FUNCTION pg_temp.act(doc jsonb, context jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r jsonb;
BEGIN
    PERFORM sigma.create_action('{"id": "steps_notify_act", "type": "notify"}' || doc);
    r := sigma.execute_action('steps_notify_act', context);
    PERFORM sigma.delete_action('steps_notify_act');
    RETURN concat_ws(' ', r ->> 'status', 'rows=' || (r #>> '{actions,0,rows}'), r #>> '{error,sqlstate}', r #>> '{error,message}', r #>> '{error,hint}');
END
$$;
CREATE FUNCTION pg_temp.sent() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', channel, recipients, subject, body, sequence_id, action_id, user_id, role = current_user) FROM sigma.sigma_outbox ORDER BY id
$$;

-- recipients from everywhere, lists taken apart; texts are dynamic
SELECT pg_temp.act('{"recipients": ["ann@x.example", "[Control/to]", {"type": "column", "column_name": "mail"}], "subject": "Order [Control/n]", "body": "{{[Control/n] * 2}} pieces, {{{{ as it is"}',
    '{"user_id": "mara@x.example", "controls": {"to": ["bo@x.example", null, ["cy@x.example"]], "n": 4}, "selection": {"rows": [{"mail": "di@x.example"}, {"mail": 7}]}}');
SELECT pg_temp.act('{"channel": "slack", "recipients": "#orders", "body": {"text": "[Control/n]", "type": "note"}}');
SELECT pg_temp.act('{"channel": "log", "body": {"text": "[Control/n]", "of": ["[ActionVar/v]"]}}', '{"controls": {"n": 1}, "action_variables": {"v": {"deep": true}}}');
SELECT * FROM pg_temp.sent();
SELECT count(*) FILTER (WHERE delivered_at IS NULL AND created_at IS NOT NULL), count(DISTINCT execution_id) FROM sigma.sigma_outbox;

-- nobody to send it to is a failure; a condition skips it
SELECT pg_temp.act('{"recipients": "[Control/to]", "subject": "x"}');
SELECT pg_temp.act('{"recipients": ["[Control/to]", ""], "subject": "x"}', '{"controls": {"to": []}}');
SELECT pg_temp.act('{"recipients": "[Control/to]", "subject": "x"}', '{"controls": {"to": {"a": 1}}}');
SELECT pg_temp.act('{"recipients": "[Control/to]", "subject": "x", "conditions": {"type": "control_value", "control_id": "to", "operator": "is_not_null"}}');
SELECT count(*) FROM sigma.sigma_outbox;

-- the id is the result; what is rolled back sends nothing
SELECT sigma.create_action_sequence('{"id": "steps_notify_seq", "actions": [
    {"id": "tell", "type": "notify", "recipients": "a@x.example", "subject": "one", "output_variable": "message"},
    {"id": "again", "type": "notify", "recipients": "a@x.example", "subject": "about {{[ActionVar/message] > 0}}"},
    {"type": "notify", "recipients": "[Control/to]", "body": "three"}]}');
SELECT r ->> 'status', r ->> 'rows_changed', r ->> 'rolled_back' FROM sigma.execute_sequence('steps_notify_seq') AS r;
SELECT count(*) FROM sigma.sigma_outbox WHERE sequence_id = 'steps_notify_seq';
SELECT r ->> 'status' AS status, r #>> '{variables,message}' AS message FROM sigma.execute_sequence('steps_notify_seq', '{"controls": {"to": "b@x.example"}}') AS r \gset
SELECT :'status', min(id) = :message FROM sigma.sigma_outbox WHERE sequence_id = 'steps_notify_seq';
SELECT action_id, subject, body FROM sigma.sigma_outbox WHERE sequence_id = 'steps_notify_seq' ORDER BY id;
BEGIN;
SELECT r ->> 'status' FROM sigma.execute_sequence('steps_notify_seq', '{"controls": {"to": "c@x.example"}}') AS r;
ROLLBACK;
SELECT count(*) FROM sigma.sigma_outbox WHERE recipients ? 'c@x.example';

-- tests of the app expect messages
SELECT sigma.create_test('steps_notify good', '{"sequence": "steps_notify_seq", "context": {"controls": {"to": "b"}}, "expect": {"outbox": [{"subject": "one", "channel": "email"}, {"recipients": ["b"]}]}}');
SELECT sigma.create_test('steps_notify bad', '{"sequence": "steps_notify_seq", "context": {"controls": {"to": "b"}}, "expect": {"outbox": [{"recipients": ["b"]}, {"subject": "one"}]}}');
SELECT regexp_replace(line, 'got .*', 'got …') FROM sigma.run_tests('steps\_notify%') AS line;
SELECT sigma.delete_test('steps_notify good'), sigma.delete_test('steps_notify bad');

-- rights: whoever may run sends, whatever stands in the search_path; admins deliver, nobody writes
CREATE ROLE regress_steps_notify;
CREATE ROLE regress_steps_notify_admin;
SELECT sigma.grant_access('regress_steps_notify', 'viewer');
SELECT sigma.grant_access('regress_steps_notify_admin', 'admin');
CREATE SCHEMA steps_notify_trap;
CREATE TABLE steps_notify_trap.sigma_outbox (id bigint);
GRANT ALL ON SCHEMA steps_notify_trap TO PUBLIC;
GRANT ALL ON steps_notify_trap.sigma_outbox TO PUBLIC;
SET search_path = steps_notify_trap, pg_catalog;
SET ROLE regress_steps_notify;
SELECT r ->> 'status' FROM sigma.execute_sequence('steps_notify_seq', '{"controls": {"to": "d@x.example"}, "user_id": "someone"}') AS r;
SELECT count(*) FROM sigma.sigma_outbox;
INSERT INTO sigma.sigma_outbox (created_at, channel) VALUES (pg_catalog.now(), 'x');
SET ROLE regress_steps_notify_admin;
INSERT INTO sigma.sigma_outbox (created_at, channel) VALUES (pg_catalog.now(), 'x');
WITH next AS (SELECT id FROM sigma.sigma_outbox WHERE delivered_at IS NULL AND recipients ? 'd@x.example' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE sigma.sigma_outbox AS o SET delivered_at = pg_catalog.now() FROM next WHERE o.id = next.id RETURNING channel, recipients, user_id, role;
RESET ROLE;
RESET search_path;
SELECT count(*) FROM steps_notify_trap.sigma_outbox;

-- refused when saved
SELECT pg_temp.refused('{"type": "notify", "recipients": "a"}');
SELECT pg_temp.refused('{"type": "notify", "recipients": [], "subject": "x"}');
SELECT pg_temp.refused('{"type": "notify", "target": "x", "subject": "x"}');
SELECT pg_temp.refused('{"type": "notify", "subtype": "mail", "subject": "x"}');
SELECT pg_temp.refused('{"type": "notify", "subject": 7}');
SELECT pg_temp.refused('{"type": "notify", "subject": "{{[a] +}}"}');
SELECT pg_temp.refused('{"type": "notify", "subject": "x", "recipients": [{"type": "table", "name": "t"}]}');
SELECT pg_temp.refused('{"type": "notify", "subject": "x", "cc": "b"}');

DELETE FROM sigma.sigma_outbox;
DROP SCHEMA steps_notify_trap CASCADE;
DROP OWNED BY regress_steps_notify, regress_steps_notify_admin;
DROP ROLE regress_steps_notify, regress_steps_notify_admin;
SELECT sigma.delete_action_sequence('steps_notify_seq');
