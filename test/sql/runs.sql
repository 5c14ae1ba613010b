-- Runs looked at: status, history by filters and pages, steps, run() and show_run(),
-- which runs are going on; retention; who may see and do what.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

SELECT sigma.create_input_table('{"id": "runs_t", "columns": [
    {"name": "Name", "type": "text"}, {"name": "Qty", "type": "integer", "validation": {"max": 100}}]}');
SELECT sigma.create_action_sequence('{"id": "runs_ok", "condition": {"type": "custom_formula", "formula": "Coalesce([Control/go], true)"}, "actions": [
    {"id": "a", "type": "data_modification", "subtype": "insert_rows", "target": "runs_t", "rows": [{"Qty": 1}, {"Qty": 2}], "output_variable": "made"},
    {"id": "b", "type": "data_modification", "subtype": "update_row", "target": "runs_t", "selector": {"row_id": -1}, "values": {"Qty": "[Control/q]"},
     "conditions": {"type": "control_value", "control_id": "q", "operator": "is_not_null"}},
    {"type": "navigation", "subtype": "open_link", "target": "https://example.com"}]}');
SELECT sigma.create_action_sequence('{"id": "runs_on", "stop_on_error": false, "actions": [
    {"id": "a", "type": "data_modification", "subtype": "insert_row", "target": "runs_t", "values": {"Qty": 1000}, "error_handling": "retry", "retry": {"times": 1, "backoff_ms": 0}},
    {"id": "b", "type": "control", "subtype": "set_value", "target": "done", "value": "yes"}]}');
SELECT sigma.create_action_sequence('{"id": "runs_bad", "execution_config": {"failure_alert": {"title": "Not saved"}}, "actions": [
    {"id": "a", "type": "data_modification", "subtype": "insert_row", "target": "runs_t", "values": {"Qty": 1}},
    {"id": "b", "type": "data_modification", "subtype": "insert_row", "target": "runs_t", "values": {"Qty": 1000}}]}');
SELECT sigma.create_action('{"id": "runs_one", "type": "navigation", "subtype": "open_link", "target": "https://example.com"}');

-- a history table with a trigger, or a column of somebody's own, is written as any INSERT would, also by who has written it before
BEGIN;
SELECT r ->> 'status' FROM sigma.execute_action('runs_one') AS r;
CREATE FUNCTION pg_temp.seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'seen: % %', NEW.action_id, NEW.status; RETURN NEW; END $$;
CREATE TRIGGER seen BEFORE INSERT ON sigma.sigma_execution_history FOR EACH ROW EXECUTE FUNCTION pg_temp.seen();
SELECT r ->> 'status' FROM sigma.execute_action('runs_one') AS r;
DROP TRIGGER seen ON sigma.sigma_execution_history;
ALTER TABLE sigma.sigma_execution_history ADD COLUMN team text DEFAULT 'ours';
SELECT r ->> 'status' FROM sigma.execute_action('runs_one') AS r;
SELECT action_id, status, team FROM sigma.sigma_execution_history WHERE action_id = 'runs_one';
ROLLBACK;

-- so it is where somebody has made it take less: nothing is written that an INSERT would refuse, or write elsewhere
BEGIN;
SELECT r ->> 'status' FROM sigma.execute_action('runs_one') AS r;
DELETE FROM sigma.sigma_execution_history WHERE action_id IS DISTINCT FROM 'runs_one';
CREATE FUNCTION pg_temp.after(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    BEGIN
        PERFORM sigma.execute_action('runs_one');
        RETURN 'written';
    EXCEPTION WHEN OTHERS THEN
        RETURN SQLSTATE || ' ' || SQLERRM;
    END;
END $$;
SAVEPOINT plain;
SELECT pg_temp.after('ALTER TABLE sigma.sigma_execution_history ALTER action_id SET NOT NULL');
SELECT pg_temp.after('UPDATE sigma.sigma_execution_history SET reason = ''none''; ALTER TABLE sigma.sigma_execution_history ALTER reason SET NOT NULL');
ROLLBACK TO plain;
SELECT pg_temp.after('UPDATE sigma.sigma_execution_history SET updated_at = end_time; ALTER TABLE sigma.sigma_execution_history ALTER updated_at SET NOT NULL');
ROLLBACK TO plain;
SELECT pg_temp.after('ALTER TABLE sigma.sigma_execution_history ALTER action_type TYPE varchar(10)');
SELECT pg_temp.after('UPDATE sigma.sigma_execution_history SET action_type = NULL; ALTER TABLE sigma.sigma_execution_history ALTER action_type TYPE varchar(9)');
ROLLBACK TO plain;
SELECT pg_temp.after('ALTER DOMAIN sigma.timestamp_ntz ADD CONSTRAINT past CHECK (VALUE < ''2001-01-01'') NOT VALID');
ROLLBACK TO plain;
CREATE ROLE regress_runs_owner;
GRANT USAGE ON SCHEMA sigma TO regress_runs_owner;
SELECT pg_temp.after('ALTER TABLE sigma.sigma_execution_history OWNER TO regress_runs_owner; ALTER TABLE sigma.sigma_execution_history FORCE ROW LEVEL SECURITY');
SELECT pg_temp.after('CREATE POLICY none ON sigma.sigma_execution_history AS RESTRICTIVE FOR INSERT WITH CHECK (false)');
ROLLBACK TO plain;
CREATE TABLE runs_elsewhere (id text);
SELECT pg_temp.after('CREATE RULE elsewhere AS ON INSERT TO sigma.sigma_execution_history DO ALSO INSERT INTO runs_elsewhere VALUES (NEW.action_id)');
SELECT * FROM runs_elsewhere;
ROLLBACK TO plain;
-- a time of another type is converted
SET LOCAL TimeZone = 'Asia/Tokyo';
SELECT pg_temp.after('ALTER TABLE sigma.sigma_execution_history ALTER end_time TYPE timestamptz USING NULL');
SELECT count(*) FROM sigma.sigma_execution_history WHERE end_time < now() - interval '8 hours';
ROLLBACK;

-- indexes of somebody's own have entries for the runs of a session that ran before they were made
SELECT r ->> 'status' FROM sigma.execute_action('runs_one') AS r;
BEGIN;
CREATE INDEX runs_upper ON sigma.sigma_execution_history (upper(action_id)) WHERE status = 'success';
CREATE INDEX runs_brin ON sigma.sigma_execution_history USING brin (action_id);
CREATE INDEX runs_gin ON sigma.sigma_execution_history USING gin (result);
SELECT r ->> 'status' FROM sigma.execute_action('runs_one') AS r;
SELECT r ->> 'status' FROM sigma.execute_action('runs_one') AS r;
DROP INDEX sigma.runs_brin;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM sigma.sigma_execution_history WHERE upper(action_id) = 'RUNS_ONE' AND status = 'success';
SELECT count(*) FROM sigma.sigma_execution_history WHERE upper(action_id) = 'RUNS_ONE' AND status = 'success';
SET LOCAL enable_bitmapscan = on;
EXPLAIN (COSTS OFF) SELECT count(*) FROM sigma.sigma_execution_history WHERE result @> '{"actions": [{"action_id": "runs_one"}]}';
SELECT count(*) FROM sigma.sigma_execution_history WHERE result @> '{"actions": [{"action_id": "runs_one"}]}';
DROP INDEX sigma.runs_gin;
SELECT r ->> 'status' FROM sigma.execute_action('runs_one') AS r;
SELECT count(*) FROM sigma.sigma_execution_history WHERE upper(action_id) = 'RUNS_ONE' AND status = 'success';
ROLLBACK;

-- an index may itself start a run, or fail: the next run does not mind
BEGIN;
CREATE FUNCTION runs_key_of(id text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    IF id = 'runs_outer' THEN RETURN (SELECT r ->> 'status' FROM sigma.execute_action('runs_one') AS r); END IF;
    IF current_setting('test.fail', true) = 'on' THEN RAISE EXCEPTION 'no key for %', id; END IF;
    RETURN id;
END $$;
SELECT sigma.create_action('{"id": "runs_outer", "type": "navigation", "subtype": "open_link", "target": "https://example.org"}');
CREATE INDEX runs_nested ON sigma.sigma_execution_history (runs_key_of(action_id));
SELECT r ->> 'status' FROM sigma.execute_action('runs_outer') AS r;
SAVEPOINT before;
SET LOCAL test.fail = on;
\set SHOW_CONTEXT never
SELECT r ->> 'status' FROM sigma.execute_action('runs_outer') AS r;
\set SHOW_CONTEXT errors
ROLLBACK TO before;
SELECT r ->> 'status' FROM sigma.execute_action('runs_outer') AS r;
SELECT action_id, status, count(*) FROM sigma.sigma_execution_history WHERE action_id IN ('runs_one', 'runs_outer') GROUP BY action_id, status ORDER BY action_id;
ROLLBACK;
DELETE FROM sigma.sigma_execution_history WHERE action_id = 'runs_one';

--
-- history: filters and pages
--
SELECT r ->> 'status' FROM sigma.execute_sequence('runs_ok', '{"user_id": "ann@example.com"}') AS r;
SELECT r ->> 'status' FROM sigma.execute_sequence('runs_ok', '{"controls": {"go": false}}') AS r;
SELECT r ->> 'status', r ->> 'failed_actions' FROM sigma.execute_sequence('runs_on') AS r;
SELECT r ->> 'status' FROM sigma.execute_sequence('runs_bad') AS r;
SELECT r ->> 'status' FROM sigma.execute_action('runs_one') AS r;
CREATE VIEW runs_mine AS SELECT h.execution_id FROM sigma.sigma_execution_history AS h WHERE h.sequence_id LIKE 'runs\_%' OR h.action_id LIKE 'runs\_%';
CREATE FUNCTION pg_temp.find(filters jsonb, page int DEFAULT 1, page_size int DEFAULT 50) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', coalesce(sequence_id, 'an action'), status, '(' || reason || ')', 'failed=' || failed_actions, 'rows=' || rows_changed, 'of', total, error_message)
    FROM sigma.run_history(filters, page, page_size) WITH ORDINALITY AS h WHERE execution_id IN (TABLE runs_mine) ORDER BY ordinality $$;
SELECT * FROM pg_temp.find('{"sequence_id": "runs_ok"}');
SELECT * FROM pg_temp.find('{"sequenceId": "runs_ok", "status": "success"}');
SELECT * FROM pg_temp.find('{"sequence_id": "runs_ok", "status": ["skipped", "failed"]}');
SELECT * FROM pg_temp.find('{"sequence_id": "runs_ok", "reason": "condition_false"}');
SELECT * FROM pg_temp.find('{"sequence_id": "runs_ok", "reason": "paused"}');
SELECT * FROM pg_temp.find('{"sequence_id": "runs_on", "failed": true}');
SELECT * FROM pg_temp.find('{"sequence_id": "runs_on", "failed": false}');
SELECT * FROM pg_temp.find('{"sequence_id": "runs_on", "failed": true, "status": "failed"}');
SELECT * FROM pg_temp.find('{"user_id": "ann@example.com", "sequence_id": "runs_ok"}');
SELECT * FROM pg_temp.find('{"action_id": "runs_one"}');
SELECT * FROM pg_temp.find(jsonb_build_object('sequence_id', 'runs_bad', 'role', current_user));
SELECT * FROM pg_temp.find('{"sequence_id": "runs_bad", "role": "nobody"}');
SELECT count(*) FROM sigma.run_history(jsonb_build_object('sequence_id', 'runs_ok', 'since', now() - interval '1 hour', 'until', now() + interval '1 hour'));
SELECT count(*) FROM sigma.run_history(jsonb_build_object('sequence_id', 'runs_ok', 'since', now() + interval '1 hour'));
SELECT count(*) FROM sigma.run_history(jsonb_build_object('sequence_id', 'runs_ok', 'until', now() - interval '1 hour'));
-- times without an offset are UTC, whatever the session's zone
SET timezone = 'Asia/Tokyo';
SELECT count(*) FROM sigma.run_history(jsonb_build_object('sequence_id', 'runs_ok', 'since', now() AT TIME ZONE 'UTC' - interval '1 hour'));
SELECT count(*) FROM sigma.run_history(jsonb_build_object('sequence_id', 'runs_ok', 'since', now() AT TIME ZONE 'UTC' + interval '1 hour'));
RESET timezone;
-- pages: newest first, each run on one page, the total on all
SELECT string_agg(DISTINCT execution_id, '') IS NOT NULL, count(DISTINCT execution_id), min(total), max(total)
FROM generate_series(1, 3) AS p, sigma.run_history('{"sequence_id": "runs_ok"}', p, 1);
SELECT page, count(*) FROM generate_series(1, 3) AS page, sigma.run_history('{"sequence_id": "runs_ok"}', page, 1) GROUP BY 1 ORDER BY 1;
SELECT bool_and(start_time <= before) FROM (SELECT start_time, lag(start_time, 1, 'infinity') OVER (ORDER BY n) AS before
    FROM sigma.run_history() WITH ORDINALITY AS h (e, s, st, r, u, start_time, et, d, f, rc, em, t, n)) AS x;
SELECT count(*) > 4 FROM sigma.run_history(NULL, NULL, NULL);
SELECT duration_ms >= 0 AND end_time >= start_time FROM sigma.run_history('{"sequence_id": "runs_bad"}');
-- the index serves
SET enable_seqscan = off;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT bool_or(line LIKE '%sigma_execution_history_sequence%') FROM pg_temp.plan($$SELECT h.execution_id FROM sigma.sigma_execution_history AS h WHERE h.sequence_id OPERATOR(pg_catalog.=) 'runs_ok'::text$$) AS line;
RESET enable_seqscan;
-- what is no filter, no time, no page
SELECT * FROM sigma.run_history('{"sequence": "runs_ok"}');
SELECT * FROM sigma.run_history('{"staus": "failed"}');
SELECT * FROM sigma.run_history('{"status": "broken"}');
SELECT * FROM sigma.run_history('{"since": "yesterday"}');
SELECT * FROM sigma.run_history('{"failed": "yes"}');
SELECT * FROM sigma.run_history('[]');
SELECT * FROM sigma.run_history('{}', 0);
SELECT * FROM sigma.run_history('{}', 1, 10001);

--
-- one run: status, steps, show_run
--
SELECT execution_id AS bad FROM sigma.run_history('{"sequence_id": "runs_bad"}') \gset
SELECT execution_id AS ok FROM sigma.run_history('{"sequence_id": "runs_ok", "status": "success"}') \gset
SELECT execution_id AS on FROM sigma.run_history('{"sequence_id": "runs_on"}') \gset
SELECT execution_id AS skipped FROM sigma.run_history('{"sequence_id": "runs_ok", "status": "skipped"}') \gset
SELECT execution_id AS action FROM sigma.run_history('{"action_id": "runs_one"}') \gset
SELECT s ->> 'status', s ->> 'sequence_id', s -> 'result' ->> 'status' FROM sigma.run_status(:'bad') AS s;
SELECT "index", action_id, type, subtype, status, rows, duration_ms >= 0, result, error ->> 'sqlstate' FROM sigma.run_steps(:'ok');
SELECT "index", action_id, status, rows, error ->> 'message' FROM sigma.run_steps(:'bad');
SELECT count(*) FROM sigma.run_steps(:'skipped');
CREATE FUNCTION pg_temp.show(id text) RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace(sigma.show_run(id), '[0-9.]+ ms', 'N ms', 'g') $$;
SELECT pg_temp.show(:'ok');
SELECT pg_temp.show(:'bad');
SELECT pg_temp.show(:'on');
SELECT pg_temp.show(:'skipped');
SELECT pg_temp.show(:'action');
-- in one statement with the run
SELECT pg_temp.show(sigma.execute_action('runs_one') ->> 'execution_id');
SELECT sigma.show_run('no such run');
SELECT * FROM sigma.run_steps('no such run');
SELECT * FROM sigma.run_steps(NULL);
-- a row that was written by hand shows what it has
INSERT INTO sigma.sigma_execution_history (execution_id, sequence_id, status, result) VALUES ('runs_by_hand', 'runs_hand', 'success', '{"actions": [1, {"index": 7, "rows": "x"}, null], "failed_actions": "?"}');
SELECT * FROM sigma.run_steps('runs_by_hand');
SELECT pg_temp.show('runs_by_hand');
SELECT sequence_id, failed_actions, duration_ms FROM sigma.run_history('{"sequence_id": "runs_hand"}');
DELETE FROM sigma.sigma_execution_history WHERE execution_id = 'runs_by_hand';

--
-- run: steps as rows, failures as errors
--
SELECT step, action, did, "rows", ms >= 0 FROM sigma.run('runs_ok', '{"controls": {"q": 3}}');
SELECT step, action, did, "rows" FROM sigma.run('runs_on');
SELECT count(*) FROM sigma.run('runs_ok', '{"controls": {"go": false}}');
SELECT count(*) FROM sigds.sigds_runs_t;
DO $$
DECLARE
    state text; message text; detail text; hint text; context text;
BEGIN
    PERFORM * FROM sigma.run('runs_bad');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    RAISE NOTICE '% | % | % | % | %', state, message, detail, hint, split_part(context, E'\n', 1);
END
$$;
SELECT * FROM sigma.run('runs_none');
-- the error took the run and its history along
SELECT count(*) FROM sigds.sigds_runs_t;
SELECT count(*) FROM sigma.run_history('{"sequence_id": "runs_bad"}');

--
-- what is going on: this session's own runs, from inside one
--
CREATE FUNCTION runs_look() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT * FROM sigma.running() WHERE pid = pg_backend_pid() LOOP
        RAISE NOTICE 'running: % as %, since: %', one.sequence_id, one.role = session_user, one.started_at BETWEEN now() - interval '1 second' AND clock_timestamp();
    END LOOP;
    RAISE NOTICE 'stopped: %', sigma.stop_sequence('runs_ok');
    -- anybody can find the lock: its key is documented
    RAISE NOTICE 'locks: %', (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 21320 AND pid = pg_backend_pid()
                              AND classid::bigint = hashtext('runs_ok')::bigint & 4294967295);
    RETURN NULL;
END
$$;
CREATE TRIGGER look AFTER INSERT ON sigds.sigds_runs_t FOR EACH STATEMENT EXECUTE FUNCTION runs_look();
SELECT r ->> 'status' FROM sigma.execute_sequence('runs_ok') AS r;
-- after an error too, nothing is left of it, before the transaction ends
BEGIN;
SELECT r ->> 'status' FROM sigma.execute_sequence('runs_bad') AS r;
SELECT count(*) FROM sigma.running() WHERE pid = pg_backend_pid();
SAVEPOINT s;
SELECT * FROM sigma.run('runs_bad');
ROLLBACK TO s;
SELECT count(*) FROM sigma.running() WHERE pid = pg_backend_pid();
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
COMMIT;
DROP TRIGGER look ON sigds.sigds_runs_t;
DROP FUNCTION runs_look;
SELECT sigma.stop_sequence('runs_ok');
SELECT sigma.stop_sequence('runs_none');
SELECT sigma.stop_sequence(NULL);
-- a run looked at from inside itself has not ended
CREATE FUNCTION runs_inside() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    id text;
BEGIN
    SELECT edit.metadata ->> 'executionId' INTO id FROM sigds.sigds_wal_runs_t AS edit ORDER BY edit_num DESC LIMIT 1;
    RAISE NOTICE '%', sigma.run_status(id) - 'execution_id' - 'started_at';
    BEGIN
        PERFORM * FROM sigma.run_steps(id);
    EXCEPTION WHEN object_not_in_prerequisite_state THEN
        RAISE NOTICE '%', replace(sqlerrm, id, 'X');
    END;
    RETURN NULL;
END
$$;
CREATE TRIGGER zz_inside AFTER INSERT ON sigds.sigds_runs_t FOR EACH STATEMENT EXECUTE FUNCTION runs_inside();
SELECT r ->> 'status' FROM sigma.execute_sequence('runs_ok') AS r;
DROP TRIGGER zz_inside ON sigds.sigds_runs_t;
DROP FUNCTION runs_inside;

--
-- retention: by age, by number
--
BEGIN;
DELETE FROM sigma.sigma_execution_history;
INSERT INTO sigma.sigma_execution_history (execution_id, sequence_id, start_time, status)
SELECT 'runs_old_' || n, 'runs_old', (now() AT TIME ZONE 'UTC') - n * interval '1 day', 'success' FROM generate_series(0, 9) AS n;
INSERT INTO sigma.sigma_execution_history (execution_id, sequence_id, status) VALUES ('runs_old_never', 'runs_old', 'success');
SELECT sigma.prune_history('6 days 12 hours');
SELECT string_agg(right(execution_id, 1), '' ORDER BY execution_id) FROM sigma.sigma_execution_history;
SELECT sigma.prune_history('100 years', 5);
SELECT string_agg(right(execution_id, 1), '' ORDER BY execution_id) FROM sigma.sigma_execution_history;
SELECT sigma.prune_history(NULL, 3);
SELECT string_agg(right(execution_id, 1), '' ORDER BY execution_id) FROM sigma.sigma_execution_history;
SELECT sigma.prune_history('36 hours', 10);
SELECT string_agg(right(execution_id, 1), '' ORDER BY execution_id) FROM sigma.sigma_execution_history;
-- the session's zone has no part in it
SET LOCAL timezone = 'Asia/Tokyo';
SELECT sigma.prune_history('23 hours');
SELECT string_agg(right(execution_id, 1), '' ORDER BY execution_id) FROM sigma.sigma_execution_history;
SELECT sigma.prune_history(NULL, 0);
SELECT count(*) FROM sigma.sigma_execution_history;
ROLLBACK;
SELECT sigma.prune_history(NULL);
SELECT sigma.prune_history('-1 day');
SELECT sigma.prune_history(NULL, -1);

--
-- rights: an editor looks at his own runs, an admin at all; pruning is an admin's
--
CREATE ROLE regress_runs_editor;
CREATE ROLE regress_runs_admin;
CREATE ROLE regress_runs_viewer;
SELECT sigma.grant_access('regress_runs_editor', 'editor', 'runs_t');
SELECT sigma.grant_access('regress_runs_admin', 'admin');
SELECT sigma.grant_access('regress_runs_viewer', 'viewer', 'runs_t');
SET ROLE regress_runs_editor;
SELECT r ->> 'status' FROM sigma.execute_sequence('runs_ok', '{"user_id": "eve@example.com"}') AS r;
SELECT sequence_id, user_id, total FROM sigma.run_history();
\set VERBOSITY sqlstate
SELECT sigma.show_run(:'bad');
SELECT sigma.run_status(:'bad');
SELECT * FROM sigma.run_steps(:'bad');
\set VERBOSITY default
SELECT sigma.prune_history('0');
SELECT sigma.stop_sequence('runs_ok');
SELECT count(*) FROM sigma.running();
SET ROLE regress_runs_viewer;
SELECT * FROM sigma.run_history();
SELECT * FROM sigma.running();
SET ROLE regress_runs_admin;
SELECT count(*) > 3 FROM sigma.run_history();
SELECT sigma.show_run(:'bad') LIKE 'runs_bad: failed%';
BEGIN;
SELECT sigma.prune_history('0') > 3;
SELECT count(*) FROM sigma.run_history();
ROLLBACK;
RESET ROLE;
DROP OWNED BY regress_runs_editor, regress_runs_admin, regress_runs_viewer;
DROP ROLE regress_runs_editor, regress_runs_admin, regress_runs_viewer;

DROP VIEW runs_mine;
DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'runs\_%';
SELECT sigma.delete_action('runs_one');
SELECT sigma.delete_input_table('runs_t', purge => true);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'runs\_%' OR action_id LIKE 'runs\_%';
