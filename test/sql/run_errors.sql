-- Runs that fail: what is rolled back, what goes on, what is reported and recorded.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.steps(result jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', result ->> 'status', '(' || (result ->> 'reason') || ')', CASE WHEN (result ->> 'rolled_back')::bool THEN 'rolled back' END,
                     'failed=' || (result ->> 'failed_actions'), 'rows=' || (result ->> 'rows_changed'), result #>> '{error,sqlstate}', '@' || (result #>> '{error,index}')) || coalesce(': ' ||
           (SELECT string_agg(concat_ws(' ', s ->> 'action_id', s ->> 'status', 'rows=' || (s ->> 'rows'),
                                        CASE WHEN s ->> 'attempts' <> '1' THEN 'attempts=' || (s ->> 'attempts') END, s #>> '{error,sqlstate}'), ', ' ORDER BY n)
            FROM jsonb_array_elements(result -> 'actions') WITH ORDINALITY AS a (s, n)), '')
$$;
SELECT sigma.create_input_table('{"id": "run_errors_t", "columns": [
    {"name": "Name", "type": "text", "unique": true}, {"name": "Qty", "type": "integer", "validation": {"max": 100}}]}');
-- three steps: a row, a row that a control may make bad, a variable and an effect
CREATE FUNCTION pg_temp.define(id text, extra jsonb DEFAULT '{}', second jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT sigma.create_action_sequence(jsonb_build_object('id', id, 'actions', jsonb_build_array(
        '{"id": "a", "type": "data_modification", "subtype": "insert_row", "target": "run_errors_t", "values": {"Qty": 1}, "output_variable": "first"}'::jsonb,
        '{"id": "b", "type": "data_modification", "subtype": "insert_row", "target": "run_errors_t", "values": {"Qty": "[Control/q]"}, "output_variable": "second"}'::jsonb || second,
        '{"id": "c", "type": "control", "subtype": "set_value", "target": "done", "value": true}'::jsonb)) || extra)
$$;
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(concat_ws('=', "Name", "Qty"), ' ' ORDER BY sigma_row_id), 'none') FROM sigds.sigds_run_errors_t
$$;

--
-- atomic (the default): an error leaves nothing behind
--
SELECT pg_temp.define('run_errors_atomic', '{"execution_config": {"success_alert": {"title": "no"}, "failure_alert": {"title": "Not saved", "message": "Qty was [Control/q]"}}}');
SELECT sigma.execute_sequence('run_errors_atomic', '{"controls": {"q": 500}, "action_variables": {"mine": 1}}') AS result \gset
SELECT pg_temp.steps(:'result');
SELECT jsonb_pretty(:'result'::jsonb -> 'error'), :'result'::jsonb -> 'effects', :'result'::jsonb -> 'variables', :'result'::jsonb -> 'controls', :'result'::jsonb -> 'alert';
SELECT :'result'::jsonb -> 'actions' -> 1 -> 'error' = (:'result'::jsonb -> 'error') - 'action_id' - 'index';
SELECT pg_temp.rows();
SELECT status, reason, rows_changed, error_message, result = :'result' FROM sigma.sigma_execution_history WHERE sequence_id = 'run_errors_atomic';
-- the transaction of the caller goes on
BEGIN;
INSERT INTO sigds.sigds_run_errors_t ("Qty") VALUES (42);
SELECT pg_temp.steps(sigma.execute_sequence('run_errors_atomic', '{"controls": {"q": 500}}'));
SELECT pg_temp.rows();
COMMIT;
SELECT pg_temp.rows();
DELETE FROM sigds.sigds_run_errors_t;
SELECT pg_temp.steps(sigma.execute_sequence('run_errors_atomic', '{"controls": {"q": 5}}')), pg_temp.rows();
-- a caller that rolls back takes the run and its history along
BEGIN;
SELECT count(*) AS before FROM sigma.sigma_execution_history \gset
SELECT sigma.execute_sequence('run_errors_atomic', '{"controls": {"q": 6}}') ->> 'status';
SELECT count(*) - :before FROM sigma.sigma_execution_history;
ROLLBACK;
SELECT count(*) - :before, pg_temp.rows() FROM sigma.sigma_execution_history;

--
-- not atomic: earlier effects stay
--
DELETE FROM sigds.sigds_run_errors_t;
SELECT pg_temp.define('run_errors_loose', '{"execution_config": {"atomic": false}}');
SELECT pg_temp.steps(r), r -> 'variables', pg_temp.rows() FROM sigma.execute_sequence('run_errors_loose', '{"controls": {"q": 500}}') AS r;

--
-- stop_on_error false: the failed action alone is undone
--
DELETE FROM sigds.sigds_run_errors_t;
SELECT pg_temp.define('run_errors_on', '{"stop_on_error": false}');
SELECT pg_temp.steps(r), r -> 'variables', r -> 'controls', r #>> '{error,action_id}', pg_temp.rows()
FROM sigma.execute_sequence('run_errors_on', '{"controls": {"q": "x"}}') AS r;
SELECT pg_temp.define('run_errors_on_loose', '{"stop_on_error": false, "execution_config": {"atomic": false}}');
SELECT pg_temp.steps(r), r -> 'variables' FROM sigma.execute_sequence('run_errors_on_loose', '{"controls": {"q": "x"}}') AS r;

--
-- an action's own error handling
--
DELETE FROM sigds.sigds_run_errors_t;
SELECT pg_temp.define('run_errors_continue', '{}', '{"error_handling": "continue"}');
SELECT pg_temp.steps(r), r -> 'controls', pg_temp.rows() FROM sigma.execute_sequence('run_errors_continue', '{"controls": {"q": 500}}') AS r;
SELECT pg_temp.define('run_errors_fail', '{"stop_on_error": false}', '{"error_handling": "fail"}');
SELECT pg_temp.steps(r) FROM sigma.execute_sequence('run_errors_fail', '{"controls": {"q": 500}}') AS r;
-- retry: the first attempt and two more, then as fail
DELETE FROM sigds.sigds_run_errors_t;
SELECT pg_temp.define('run_errors_retry', '{}', '{"error_handling": "retry", "retry": {"times": 2, "backoff_ms": 1}}');
SELECT pg_temp.steps(r), pg_temp.rows() FROM sigma.execute_sequence('run_errors_retry', '{"controls": {"q": 500}}') AS r;
SELECT pg_temp.steps(r), pg_temp.rows() FROM sigma.execute_sequence('run_errors_retry', '{"controls": {"q": 5}}') AS r;
-- an attempt that works ends them; what the failed ones did is undone
CREATE SEQUENCE run_errors_attempts;
CREATE FUNCTION run_errors_third() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."Name" = 'third' THEN
        IF nextval('run_errors_attempts') < 3 THEN
            RAISE EXCEPTION 'not yet' USING ERRCODE = '40P01';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER third AFTER INSERT ON sigds.sigds_run_errors_t FOR EACH ROW EXECUTE FUNCTION run_errors_third();
SELECT pg_temp.define('run_errors_third', '{}', '{"values": {"Name": "third"}, "error_handling": "retry", "retry": {"backoff_ms": 0}}');
SELECT pg_temp.steps(r), pg_temp.rows() FROM sigma.execute_sequence('run_errors_third') AS r;

--
-- limits of a run
--
DELETE FROM sigds.sigds_run_errors_t;
SELECT pg_temp.define('run_errors_rows', '{"stop_on_error": false, "execution_config": {"max_rows_changed": 1}}');
SELECT pg_temp.steps(r), r -> 'error' ->> 'message', r -> 'error' ->> 'hint', pg_temp.rows() FROM sigma.execute_sequence('run_errors_rows', '{"controls": {"q": 5}}') AS r;
SELECT pg_temp.define('run_errors_actions', '{"stop_on_error": false, "execution_config": {"atomic": false, "max_actions": 2}}');
SELECT pg_temp.steps(r), r -> 'error' ->> 'message', pg_temp.rows() FROM sigma.execute_sequence('run_errors_actions', '{"controls": {"q": 5}}') AS r;

--
-- limits count what is done: up to them all is well, skipped actions count for nothing
--
DELETE FROM sigds.sigds_run_errors_t;
SELECT pg_temp.define('run_errors_rows_exact', '{"execution_config": {"max_rows_changed": 2, "max_actions": 3}}');
SELECT pg_temp.steps(r) FROM sigma.execute_sequence('run_errors_rows_exact', '{"controls": {"q": 5}}') AS r;
SELECT pg_temp.define('run_errors_rows_none', '{"execution_config": {"max_rows_changed": 0}}');
SELECT pg_temp.steps(r) FROM sigma.execute_sequence('run_errors_rows_none', '{"controls": {"q": 5}}') AS r;
SELECT pg_temp.define('run_errors_actions_skip', '{"execution_config": {"max_actions": 2}}', '{"conditions": {"type": "custom_formula", "formula": "False"}}');
SELECT pg_temp.steps(r) FROM sigma.execute_sequence('run_errors_actions_skip') AS r;
-- an atomic run over its limit leaves nothing, another one what came before, and no retry helps
DELETE FROM sigds.sigds_run_errors_t;
SELECT pg_temp.define('run_errors_rows_retry', '{"execution_config": {"max_rows_changed": 1}}', '{"error_handling": "retry", "retry": {"backoff_ms": 0}}');
SELECT pg_temp.steps(r) FROM sigma.execute_sequence('run_errors_rows_retry', '{"controls": {"q": 5}}') AS r;
SELECT pg_temp.rows();
SELECT pg_temp.define('run_errors_rows_loose', '{"execution_config": {"max_rows_changed": 1, "atomic": false}}', '{"error_handling": "continue"}');
SELECT pg_temp.steps(r) FROM sigma.execute_sequence('run_errors_rows_loose', '{"controls": {"q": 5}}') AS r;
SELECT pg_temp.rows();
\set VERBOSITY terse
SELECT pg_temp.define('run_errors_no', '{"execution_config": {"max_actions": 0}}');
SELECT pg_temp.define('run_errors_no', '{"execution_config": {"max_rows_changed": -1}}');
SELECT pg_temp.define('run_errors_no', '{"execution_config": {"max_ai_calls": 1}}');
SELECT pg_temp.define('run_errors_no', '{"execution_config": {"concurrency": "queue"}}');
SELECT pg_temp.define('run_errors_no', '{"execution_config": {"success_alert": {}}}');
SELECT pg_temp.define('run_errors_no', '{"execution_config": {"success_alert": {"title": "{{Sum("}}}');
SELECT pg_temp.define('run_errors_no', '{}', '{"timeout_ms": -1}');
SELECT pg_temp.define('run_errors_no', '{}', '{"error_handling": "swallow"}');
SELECT pg_temp.define('run_errors_no', '{}', '{"retry": {"times": 2}}');
SELECT pg_temp.define('run_errors_no', '{}', '{"error_handling": "retry", "retry": {"times": -1}}');
\set VERBOSITY default

--
-- alerts: their text is made of what the run has set, at its end; skips have none
--
SELECT pg_temp.define('run_errors_alert', '{"condition": {"type": "control_value", "control_id": "q", "operator": "is_not_null"}, "execution_config": {
    "success_alert": {"title": "Saved {{Text([Control/q] + 1)}}", "message": "as [ActionVar/second] after [ActionVar/first], [Control/done]; {{{{ [Selection/x]"},
    "failure_alert": {"message": "[ActionVar/first] is gone: {{1 / [Control/zero]}}"}}}');
SELECT r ->> 'status', (r #>> '{alert,title}'), r #>> '{alert,message}' LIKE 'as % after %, true; {{ ' FROM sigma.execute_sequence('run_errors_alert', '{"controls": {"q": 5}}') AS r;
SELECT r ->> 'status', r -> 'alert' FROM sigma.execute_sequence('run_errors_alert', '{"controls": {"q": 500, "zero": 4}}') AS r;
SELECT r ->> 'status', r -> 'alert' FROM sigma.execute_sequence('run_errors_alert') AS r;
-- one that cannot be made is a warning: the run is what it was
SELECT pg_temp.define('run_errors_alert_bad', '{"execution_config": {"success_alert": {"title": "{{Number([Control/q]) + [Control/word]}}"}}}');
SELECT r ->> 'status', r -> 'alert', r -> 'warnings' FROM sigma.execute_sequence('run_errors_alert_bad', '{"controls": {"q": 5, "word": "x"}}') AS r;

--
-- timeout_ms: the run, a step, a loop that eats the cancel, a wait between attempts
--
DELETE FROM sigds.sigds_run_errors_t;
CREATE FUNCTION run_errors_slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."Name" = 'slow' THEN
        PERFORM pg_sleep(20);
    ELSIF NEW."Name" = 'eats' THEN
        BEGIN
            PERFORM pg_sleep(20);
        EXCEPTION WHEN query_canceled THEN
            NULL;
        END;
    ELSIF NEW."Name" = 'busy' THEN
        LOOP
        END LOOP;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER slow AFTER INSERT ON sigds.sigds_run_errors_t FOR EACH ROW EXECUTE FUNCTION run_errors_slow();
SELECT pg_temp.define('run_errors_slow', '{"timeout_ms": 1000}', '{"values": {"Name": "[Control/n]"}}');
SELECT pg_temp.steps(r), r -> 'error' ->> 'message', r -> 'error' ->> 'hint' FROM sigma.execute_sequence('run_errors_slow', '{"controls": {"n": "slow"}}') AS r;
SELECT pg_temp.steps(r), r -> 'error' ->> 'message' FROM sigma.execute_sequence('run_errors_slow', '{"controls": {"n": "busy"}}') AS r;
SELECT pg_temp.steps(r), r -> 'error' ->> 'message' FROM sigma.execute_sequence('run_errors_slow', '{"controls": {"n": "eats"}}') AS r;
SELECT pg_temp.steps(r) FROM sigma.execute_sequence('run_errors_slow', '{"controls": {"n": "quick"}}') AS r;
SELECT pg_temp.rows();
-- it ends the run even where errors do not
SELECT pg_temp.define('run_errors_slow_on', '{"timeout_ms": 1000, "stop_on_error": false, "execution_config": {"atomic": false}}', '{"values": {"Name": "[Control/n]"}, "error_handling": "continue"}');
DELETE FROM sigds.sigds_run_errors_t;
SELECT pg_temp.steps(r), r -> 'error' ->> 'message', pg_temp.rows() FROM sigma.execute_sequence('run_errors_slow_on', '{"controls": {"n": "slow"}}') AS r;
SELECT pg_temp.steps(r), r -> 'error' ->> 'message' FROM sigma.execute_sequence('run_errors_slow_on', '{"controls": {"n": "eats"}}') AS r;
-- a step's own limit is a failure like others: the run goes on
DELETE FROM sigds.sigds_run_errors_t;
SELECT pg_temp.define('run_errors_slow_step', '{"stop_on_error": false}', '{"values": {"Name": "[Control/n]"}, "timeout_ms": 1000}');
SELECT pg_temp.steps(r), r -> 'actions' -> 1 -> 'error' ->> 'message', r -> 'controls' FROM sigma.execute_sequence('run_errors_slow_step', '{"controls": {"n": "slow"}}') AS r;
SELECT pg_temp.steps(r), r -> 'actions' -> 1 -> 'error' ->> 'message' FROM sigma.execute_sequence('run_errors_slow_step', '{"controls": {"n": "eats"}}') AS r;
SELECT pg_temp.define('run_errors_slow_retry', '{}', '{"values": {"Name": "slow"}, "timeout_ms": 20, "error_handling": "retry", "retry": {"times": 1, "backoff_ms": 0}}');
SELECT pg_temp.steps(r) FROM sigma.execute_sequence('run_errors_slow_retry') AS r;
SELECT pg_temp.define('run_errors_wait', '{"timeout_ms": 1000}', '{"error_handling": "retry", "retry": {"backoff_ms": 20000}}');
SELECT pg_temp.steps(r), r -> 'error' ->> 'message' FROM sigma.execute_sequence('run_errors_wait', '{"controls": {"q": 500}}') AS r;
-- 0: no limit
SELECT pg_temp.define('run_errors_unlimited', '{"timeout_ms": 0}');
SELECT pg_temp.steps(r) FROM sigma.execute_sequence('run_errors_unlimited', '{"controls": {"q": 5}}') AS r;
-- the session is as it was: a later statement is not cancelled, a user's limit is not ours
SELECT count(*) FROM (SELECT pg_sleep(0.1)) AS s;
SELECT pg_temp.define('run_errors_patient', '{"timeout_ms": 10000}', '{"values": {"Name": "slow"}, "error_handling": "continue"}');
SET statement_timeout = 1000;
SELECT sigma.execute_sequence('run_errors_patient') ->> 'status';
RESET statement_timeout;
SELECT count(*) FROM sigma.sigma_execution_history WHERE sequence_id = 'run_errors_patient';

--
-- runs inside runs: a trigger of a table that a step writes runs a sequence
--
DELETE FROM sigds.sigds_run_errors_t;
CREATE FUNCTION run_errors_nested() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."Name" IN ('same', 'other') THEN
        RAISE NOTICE '%: %', TG_ARGV[0], pg_temp.steps(sigma.execute_sequence(TG_ARGV[0], '{"controls": {"n": "slow", "q": 5}}'));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER nested AFTER INSERT ON sigds.sigds_run_errors_t FOR EACH ROW EXECUTE FUNCTION run_errors_nested('run_errors_outer');
SELECT pg_temp.define('run_errors_outer', '{"timeout_ms": 10000}', '{"values": {"Name": "[Control/n]"}, "error_handling": "continue"}');
SELECT pg_temp.steps(r) FROM sigma.execute_sequence('run_errors_outer', '{"controls": {"n": "same"}}') AS r;
SELECT status, reason, count(*) FROM sigma.sigma_execution_history WHERE sequence_id = 'run_errors_outer' GROUP BY 1, 2 ORDER BY 1;
-- the inner run's limit is the inner run's
DROP TRIGGER nested ON sigds.sigds_run_errors_t;
CREATE TRIGGER nested AFTER INSERT ON sigds.sigds_run_errors_t FOR EACH ROW EXECUTE FUNCTION run_errors_nested('run_errors_slow');
SELECT sigma.update_action_sequence('run_errors_slow', '{"timeout_ms": 1000}'), sigma.update_action_sequence('run_errors_outer', '{"timeout_ms": 10000}');
SELECT pg_temp.steps(r) FROM sigma.execute_sequence('run_errors_outer', '{"controls": {"n": "other"}}') AS r;
DELETE FROM sigds.sigds_run_errors_t;
-- the outer run's limit, met inside the inner run, is the outer run's
SELECT sigma.update_action_sequence('run_errors_slow', '{"timeout_ms": 10000}'), sigma.update_action_sequence('run_errors_outer', '{"timeout_ms": 1000}');
SELECT pg_temp.steps(r), r -> 'error' ->> 'message' FROM sigma.execute_sequence('run_errors_outer', '{"controls": {"n": "other"}}') AS r;
SELECT sigma.update_action_sequence('run_errors_slow', '{"timeout_ms": 1000}');
SELECT pg_temp.steps(r), r -> 'error' ->> 'message' FROM sigma.execute_sequence('run_errors_slow', '{"controls": {"n": "slow"}}') AS r;

--
-- raised, not contained
--
\set VERBOSITY terse
SELECT sigma.execute_sequence('run_errors_atomc');
SELECT sigma.execute_action('run_errors_none') ->> 'status';
SELECT sigma.execute_sequence('run_errors_atomic', '[1]');
SELECT sigma.execute_sequence('run_errors_atomic', '{"controls": 7}');
SELECT sigma.execute_sequence('run_errors_atomic', '{"mode": "sideways"}');
SELECT sigma.execute_sequence(NULL);
SELECT sigma.fire_trigger('x', 'clack');
SELECT sigma.run_status('no such run');
\set VERBOSITY default
CREATE FUNCTION pg_temp.assert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ASSERT false, 'must not be swallowed'; END $$;
CREATE TRIGGER zz_assert BEFORE INSERT ON sigds.sigds_run_errors_t FOR EACH ROW EXECUTE FUNCTION pg_temp.assert();
\set VERBOSITY terse
SELECT sigma.execute_sequence('run_errors_on', '{"controls": {"q": 5}}') ->> 'status';
\set VERBOSITY default
DROP TRIGGER zz_assert ON sigds.sigds_run_errors_t;

--
-- everything runs as the caller
--
CREATE ROLE regress_run_errors;
SELECT sigma.grant_access('regress_run_errors', 'viewer', 'run_errors_t');
SET ROLE regress_run_errors;
SELECT sigma.execute_sequence('run_errors_atomic', '{"controls": {"q": 5}}') AS result \gset
SELECT :'result'::jsonb -> 'error' ->> 'sqlstate', :'result'::jsonb -> 'error' ->> 'message';
SELECT sigma.run_status(:'result'::jsonb ->> 'execution_id');
RESET ROLE;
SELECT status, role, user_id = session_user FROM sigma.sigma_execution_history WHERE execution_id = :'result'::jsonb ->> 'execution_id';
SELECT sigma.grant_access('regress_run_errors', 'editor', 'run_errors_t');
SET ROLE regress_run_errors;
SELECT pg_temp.steps(r), r -> 'error' ->> 'message' FROM sigma.execute_sequence('run_errors_atomic', '{"controls": {"q": 5}}') AS r;
RESET ROLE;
SELECT sigma.revoke_access('regress_run_errors');
DROP ROLE regress_run_errors;

DROP TRIGGER third ON sigds.sigds_run_errors_t;
DROP TRIGGER slow ON sigds.sigds_run_errors_t;
DROP TRIGGER nested ON sigds.sigds_run_errors_t;
DROP FUNCTION run_errors_third, run_errors_slow, run_errors_nested;
DROP SEQUENCE run_errors_attempts;
DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'run\_errors\_%';
SELECT sigma.delete_input_table('run_errors_t', purge => true);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'run\_errors\_%';
