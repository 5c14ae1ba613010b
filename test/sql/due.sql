-- What runs without a caller: row changes after their commit, schedules; run_due().
\set QUIET 1
\pset format unaligned
\pset tuples_only on

SELECT count(sigma.create_input_table(jsonb_build_object('id', id, 'columns', '[{"name": "name", "type": "text"}]'::jsonb, 'data_entry_permission', 'published')))
FROM unnest(ARRAY['due_t', 'due_log']) id;
CREATE FUNCTION pg_temp.log() RETURNS text LANGUAGE sql AS $$ SELECT coalesce(string_agg(name, ' ' ORDER BY sigma_row_id), 'none') FROM sigds.sigds_due_log $$;
CREATE FUNCTION pg_temp.waiting() RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(concat_ws(' ', sequence_id, table_id, role, depth, context -> 'metadata' ->> 'operation'), ', ' ORDER BY event_id), 'none') FROM sigma.sigma_row_events $$;

--
-- row changes after the commit
--
SELECT sigma.create_action_sequence('{"id": "due_later", "trigger": {"type": "row_change", "table_id": "due_t", "when": "after_commit", "operations": ["insert"]}, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "due_log", "values": {"name": {"type": "formula", "formula": "[Selection/name] & \"/\" & CurrentUserEmail()"}}}]}');
BEGIN;
SET LOCAL sigma.user_email = 'mara@example.com';
INSERT INTO sigds.sigds_due_t VALUES ('a');
-- not before the commit, not even by the same transaction
SELECT count(*) FROM sigma.run_due();
COMMIT;
INSERT INTO sigds.sigds_due_t VALUES ('b');
BEGIN;
INSERT INTO sigds.sigds_due_t VALUES ('rolled back');
ROLLBACK;
SELECT pg_temp.waiting(), pg_temp.log();
-- oldest first, so many and no more
SELECT sequence_id, status FROM sigma.run_due(1);
SELECT pg_temp.waiting(), pg_temp.log();
SELECT sequence_id, status, execution_id = (SELECT execution_id FROM sigma.run_history('{"sequence_id": "due_later"}', 1, 1)) FROM sigma.run_due();
SELECT pg_temp.waiting(), pg_temp.log();
SELECT count(*) FROM sigma.run_due();
-- a tick that is rolled back has run nothing
INSERT INTO sigds.sigds_due_t VALUES ('c');
BEGIN;
SELECT sequence_id, status FROM sigma.run_due();
ROLLBACK;
SELECT pg_temp.waiting(), pg_temp.log();
-- paused: the event is used up, and history says why
SELECT sigma.pause_sequence('due_later');
SELECT sequence_id, status FROM sigma.run_due();
SELECT reason FROM sigma.run_history('{"sequence_id": "due_later", "status": "skipped"}');
SELECT sigma.resume_sequence('due_later');
SELECT pg_temp.waiting();
-- failed: likewise
SELECT sigma.update_action_sequence('due_later', '{"actions": [{"type": "data_modification", "subtype": "update_row", "target": "due_t", "selector": {"formula": "true"}, "values": {"name": "x"}}]}');
INSERT INTO sigds.sigds_due_t VALUES ('d');
SELECT sequence_id, status FROM sigma.run_due();
SELECT error_message FROM sigma.run_history('{"sequence_id": "due_later", "status": "failed"}');
-- a sequence's own writes do not queue it; what two do to each other ends after 16
SELECT sigma.update_action_sequence('due_later', '{"actions": [{"type": "data_modification", "subtype": "insert_row", "target": "due_t", "values": {"name": "own"}}]}');
INSERT INTO sigds.sigds_due_t VALUES ('e');
SELECT sequence_id, status FROM sigma.run_due();
SELECT pg_temp.waiting();
SELECT sequence_id, status, reason FROM sigma.run_history('{"sequence_id": "due_later"}', 1, 2);
SELECT sigma.update_action_sequence('due_later', '{"actions": [{"type": "data_modification", "subtype": "insert_row", "target": "due_log", "values": {"name": "ping"}}]}');
SELECT sigma.create_action_sequence('{"id": "due_pong", "trigger": {"type": "row_change", "table_id": "due_log", "when": "after_commit", "operations": ["insert"]}, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "due_t", "values": {"name": "pong"}}]}');
DELETE FROM sigds.sigds_due_log;
INSERT INTO sigds.sigds_due_t VALUES ('f');
DO $$
DECLARE runs int = 0; n int;
BEGIN
    LOOP
        SELECT count(*) INTO n FROM sigma.run_due();
        runs = runs + n;
        EXIT WHEN n = 0;
        COMMIT;
    END LOOP;
    RAISE NOTICE '% runs', runs;
END $$;
SELECT sequence_id, error_message, result -> 'error' ->> 'sqlstate' FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'due\_%' ORDER BY start_time DESC LIMIT 1;
-- what waits goes with its sequence
INSERT INTO sigds.sigds_due_t VALUES ('g');
SELECT pg_temp.waiting();
SELECT sigma.update_action_sequence('due_later', '{"trigger": {"type": "row_change", "table_id": "due_t", "operations": ["insert"]}}');
SELECT pg_temp.waiting();
SELECT sigma.delete_action_sequence('due_later'), sigma.delete_action_sequence('due_pong');
SELECT pg_temp.waiting();

--
-- as who wrote the rows, whoever ticks
--
CREATE ROLE regress_due_writer;
CREATE ROLE regress_due_tick;
CREATE ROLE regress_due_other;
GRANT regress_due_writer TO regress_due_tick;
GRANT USAGE ON SCHEMA sigds TO regress_due_writer, regress_due_other;
GRANT INSERT, SELECT ON sigds.sigds_due_t TO regress_due_writer, regress_due_other;
GRANT INSERT, SELECT ON sigds.sigds_due_log TO regress_due_other;
GRANT USAGE ON SCHEMA sigma TO regress_due_tick;
GRANT EXECUTE ON FUNCTION sigma.run_due TO regress_due_tick;
DELETE FROM sigds.sigds_due_log;
SELECT sigma.create_action_sequence('{"id": "due_rights", "trigger": {"type": "row_change", "table_id": "due_t", "when": "after_commit", "operations": ["insert"]}, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "due_log", "values": {"name": "[Selection/name]"}}]}');
SET ROLE regress_due_writer;
INSERT INTO sigds.sigds_due_t VALUES ('by the writer');
SET ROLE regress_due_other;
INSERT INTO sigds.sigds_due_t VALUES ('by the other');
-- the tick takes what is of roles that it is a member of: here the writer's, who may not write the log
SET ROLE regress_due_tick;
SELECT sequence_id, status FROM sigma.run_due();
SELECT count(*) FROM sigma.run_due();
RESET ROLE;
SELECT role, error_message FROM sigma.sigma_execution_history WHERE sequence_id = 'due_rights';
SELECT pg_temp.waiting();
SELECT sequence_id, status FROM sigma.run_due();
SELECT pg_temp.log(), current_user = session_user;
SELECT role, status FROM sigma.sigma_execution_history WHERE sequence_id = 'due_rights' ORDER BY start_time;
SELECT metadata ->> 'role' FROM sigds.sigds_wal_due_log ORDER BY edit_num DESC LIMIT 1;
-- code of others does not get hold of the ticking role
CREATE FUNCTION due_grab() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE 'RESET ROLE';
        NEW.name = 'got ' || current_user;
    EXCEPTION WHEN OTHERS THEN
        NEW.name = concat(current_user, ': ', SQLSTATE, ' ', SQLERRM);
    END;
    PERFORM set_config('sigma.user_email', 'evil@example.com', false);
    RETURN NEW;
END $$;
CREATE TRIGGER grab BEFORE INSERT ON sigds.sigds_due_log FOR EACH ROW EXECUTE FUNCTION due_grab();
SET ROLE regress_due_other;
INSERT INTO sigds.sigds_due_t VALUES ('grab');
RESET ROLE;
DELETE FROM sigds.sigds_due_log;
SELECT sequence_id, status FROM sigma.run_due();
SELECT pg_temp.log(), current_user = session_user, current_setting('sigma.user_email');
DROP TRIGGER grab ON sigds.sigds_due_log;
DROP FUNCTION due_grab();
-- a role that is gone is the run's failure
SET ROLE regress_due_other;
INSERT INTO sigds.sigds_due_t VALUES ('last words');
RESET ROLE;
DROP OWNED BY regress_due_other, regress_due_writer, regress_due_tick;
DROP ROLE regress_due_other, regress_due_writer, regress_due_tick;
SELECT sequence_id, status FROM sigma.run_due();
SELECT error_message FROM sigma.sigma_execution_history WHERE sequence_id = 'due_rights' ORDER BY start_time DESC LIMIT 1;

--
-- a role is itself, whatever its name: who takes its old name does not get its work
--
CREATE ROLE regress_due_a;
GRANT USAGE ON SCHEMA sigds TO regress_due_a;
GRANT INSERT, SELECT ON sigds.sigds_due_t TO regress_due_a;
SELECT sigma.grant_access('regress_due_a', 'builder');
CREATE FUNCTION pg_temp.last_run() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', role, status, error_message) FROM sigma.sigma_execution_history WHERE sequence_id IN ('due_rights', 'due_hers') ORDER BY start_time DESC LIMIT 1 $$;
SET client_min_messages = warning;
SET ROLE regress_due_a;
SELECT sigma.create_action_sequence('{"id": "due_hers", "trigger": {"type": "schedule", "cron": "@daily"}, "actions": [{"type": "variable", "subtype": "set", "target": "due_v", "value": 1}]}');
RESET ROLE;
RESET client_min_messages;
SET ROLE regress_due_a;
INSERT INTO sigds.sigds_due_t VALUES ('by her');
INSERT INTO sigds.sigds_due_t VALUES ('once more');
INSERT INTO sigds.sigds_due_t VALUES ('last');
RESET ROLE;
ALTER ROLE regress_due_a RENAME TO regress_due_b;
CREATE ROLE regress_due_a;
SELECT status FROM sigma.run_due(1);
SELECT pg_temp.last_run();
UPDATE sigma.sigma_schedules SET next_run = '2020-01-01 00:00+00' WHERE sequence_id = 'due_hers';
SELECT sequence_id, status FROM sigma.run_due(1);
SELECT pg_temp.last_run();
SELECT role FROM sigma.sigma_schedules WHERE sequence_id = 'due_hers';
-- restored into another cluster, where oids mean others: the name counts, and from then on that role
UPDATE sigma.sigma_row_events SET cluster = cluster + 1 WHERE event_id = (SELECT min(event_id) FROM sigma.sigma_row_events);
UPDATE sigma.sigma_schedules SET next_run = '2020-01-01 00:00+00', cluster = cluster + 1, role = 'regress_due_a' WHERE sequence_id = 'due_hers';
SELECT sequence_id, status FROM sigma.run_due(2);
SELECT role, status, error_message FROM sigma.sigma_execution_history WHERE sequence_id IN ('due_rights', 'due_hers') ORDER BY start_time DESC LIMIT 2;
SELECT role, role_id = 'regress_due_a'::regrole FROM sigma.sigma_schedules WHERE sequence_id = 'due_hers';
-- dropped, and another one of that name
DROP OWNED BY regress_due_b;
DROP ROLE regress_due_b, regress_due_a;
CREATE ROLE regress_due_a;
UPDATE sigma.sigma_schedules SET next_run = '2020-01-01 00:00+00' WHERE sequence_id = 'due_hers';
SELECT sequence_id, status FROM sigma.run_due(1);
SELECT pg_temp.last_run();
SELECT pg_temp.waiting();
SELECT sequence_id, status FROM sigma.run_due();
DROP ROLE regress_due_a;
SELECT sigma.delete_action_sequence('due_rights'), sigma.delete_action_sequence('due_hers');

--
-- schedules: what is checked, and what time is next
--
CREATE FUNCTION pg_temp.schedule(cron text, zone text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text;
BEGIN
    PERFORM sigma.create_action_sequence(jsonb_build_object('id', 'due_cron', 'actions', '[{"type": "variable", "subtype": "set", "target": "due_v", "value": 1}]'::jsonb,
        'trigger', jsonb_strip_nulls(jsonb_build_object('type', 'schedule', 'cron', cron, 'timezone', zone))));
    PERFORM sigma.delete_action_sequence('due_cron');
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, message, detail);
END $$;
SET client_min_messages = warning;
SELECT cron, pg_temp.schedule(cron) FROM unnest(ARRAY[
    '* * * * *', '*/5 0-23/2 1,15 jan-mar MON', '0 0 29 2 *', '0 0 1 1 7', '@Daily', E'0\t6  * * *',
    '', '* * * *', '* * * * * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * * 13 *', '* * * * 8', '-1 * * * *', '1-0 * * * *', '5/2 * * * *',
    '*/0 * * * *', '*/61 * * * *', '1,,2 * * * *', 'x * * * *', '* * * foo *', '1.5 * * * *', '@reboot', '0 0 31 2 *', '0 0 30 feb *', '99999999999 * * * *']) WITH ORDINALITY c(cron, n) ORDER BY n;
SELECT zone, pg_temp.schedule('0 6 * * *', zone) FROM unnest(ARRAY['Europe/Berlin', 'UTC', 'Mars/Base', 'FOO3', '']) zone;
-- the next times after one: what a schedule would do
CREATE FUNCTION pg_temp.next(cron text, zone text, after timestamptz, n int DEFAULT 1) RETURNS text LANGUAGE plpgsql AS $$
DECLARE times text[] = '{}'; at timestamptz = after;
BEGIN
    FOR i IN 1 .. n LOOP
        at = sigma.next_run(jsonb_build_object('type', 'schedule', 'cron', cron, 'timezone', zone), at);
        times = times || to_char(at AT TIME ZONE 'UTC', 'MM-DD HH24:MI');
    END LOOP;
    RETURN array_to_string(times, ', ');
END $$;
SELECT pg_temp.next('*/20 * * * *', 'UTC', '2026-01-01 00:00:30+00', 4);
SELECT pg_temp.next('0 6 * * 1-5', 'UTC', '2026-01-02 06:00+00', 2);	-- a Friday
SELECT pg_temp.next('0 0 13 * 5', 'UTC', '2026-02-01 00:00+00', 4);		-- the 13th, or a Friday
SELECT pg_temp.next('0 0 */10 * 1', 'UTC', '2026-02-01 00:00+00', 3);	-- every tenth day that is a Monday
SELECT extract(year FROM sigma.next_run('{"type": "schedule", "cron": "0 0 29 2 *"}', '2026-01-01 00:00+00'));
SELECT pg_temp.next('0 0 1 1 *', 'UTC', '1999-12-31 23:59+00', 2);
-- summer time: Berlin's night of 29 March has no 02:30, that of 25 October two
SELECT pg_temp.next('30 2 * * *', 'Europe/Berlin', '2026-03-28 00:00+00', 3);
SELECT pg_temp.next('30 2 * * *', 'Europe/Berlin', '2026-10-24 12:00+00', 2);
SELECT pg_temp.next('30 * * * *', 'Europe/Berlin', '2026-10-24 23:45+00', 4);
SELECT pg_temp.next('30 * * * *', 'Europe/Berlin', '2026-03-29 00:15+00', 3);
-- zones of half hours; another zone than the session's
SELECT pg_temp.next('0 0 * * *', 'Asia/Kolkata', '2026-01-01 00:00+00', 2);
SET sigma.timezone = 'America/New_York';
SELECT sigma.next_run('{"type": "schedule", "cron": "0 6 * * *"}', '2026-01-01 00:00+00') AT TIME ZONE 'UTC';
RESET sigma.timezone;
RESET client_min_messages;

--
-- schedules: running
--
SELECT sigma.create_action_sequence('{"id": "due_clock", "trigger": {"type": "schedule", "cron": "0 0 1 1 *"}, "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "due_log", "values": {"name": "tick"}}]}');
SELECT sequence_id, role = current_user, last_run, job, next_run > now() FROM sigma.sigma_schedules;
DELETE FROM sigds.sigds_due_log;
SELECT count(*) FROM sigma.run_due();
SELECT sigma.run_scheduled('due_clock');
-- the time has come, and has been missed for years: one run
UPDATE sigma.sigma_schedules SET next_run = '2020-01-01 00:00+00';
SELECT sequence_id, status FROM sigma.run_due();
SELECT sequence_id, status FROM sigma.run_due();
SELECT next_run > now(), last_run <= clock_timestamp() FROM sigma.sigma_schedules;
SELECT context -> 'metadata' FROM sigma.sigma_execution_history WHERE sequence_id = 'due_clock';
SELECT pg_temp.log();
-- jobs of pg_cron ask for one
UPDATE sigma.sigma_schedules SET next_run = '2020-01-01 00:00+00';
SELECT sigma.run_scheduled('due_clock'), sigma.run_scheduled('due_clock'), sigma.run_scheduled('no such');
-- a change of the clock sets the time anew, another change does not
UPDATE sigma.sigma_schedules SET next_run = '2020-01-01 00:00+00';
SELECT sigma.update_action_sequence('due_clock', '{"timeout_ms": 5000}');
SELECT next_run > now() FROM sigma.sigma_schedules;
SELECT sigma.update_action_sequence('due_clock', '{"trigger": {"type": "schedule", "cron": "@hourly"}}');
SELECT next_run - now() BETWEEN '-1 minute' AND '1 hour' FROM sigma.sigma_schedules;
-- schedules come before row changes
SET client_min_messages = warning;
SELECT sigma.create_action_sequence('{"id": "due_later", "trigger": {"type": "row_change", "table_id": "due_t", "when": "after_commit"}, "actions": [{"type": "variable", "subtype": "set", "target": "due_v", "value": 1}]}');
RESET client_min_messages;
INSERT INTO sigds.sigds_due_t VALUES ('z');
UPDATE sigma.sigma_schedules SET next_run = '2020-01-01 00:00+00';
SELECT sequence_id, status FROM sigma.run_due();
SELECT sigma.update_action_sequence('due_clock', '{"trigger": {"type": "manual"}}');
SELECT count(*) FROM sigma.sigma_schedules;
SELECT sigma.run_due(0);
SELECT sigma.run_due(-1);

--
-- nobody else writes the two tables
--
CREATE ROLE regress_due_admin;
CREATE ROLE regress_due_builder;
SELECT sigma.grant_access('regress_due_admin', 'admin'), sigma.grant_access('regress_due_builder', 'builder');
SET ROLE regress_due_builder;
SELECT count(*) FROM sigma.sigma_schedules;
SELECT count(*) FROM sigma.sigma_row_events;
UPDATE sigma.sigma_schedules SET role = 'postgres';
SET ROLE regress_due_admin;
INSERT INTO sigma.sigma_row_events (sequence_id, role) VALUES ('due_clock', 'postgres');
UPDATE sigma.sigma_row_events SET role = 'postgres';
DELETE FROM sigma.sigma_row_events;
RESET ROLE;
SELECT sigma.revoke_access('regress_due_admin'), sigma.revoke_access('regress_due_builder');
DROP ROLE regress_due_admin, regress_due_builder;
SELECT sigma.delete_action_sequence('due_clock'), sigma.delete_action_sequence('due_later');
SELECT count(sigma.delete_input_table(id, purge => true)) FROM unnest(ARRAY['due_t', 'due_log']) id;
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'due\_%';
