-- Faults injected into actions of this session: what error handling, retries and
-- time limits make of them; who may do it and where.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.steps(result jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', result ->> 'status', CASE WHEN (result ->> 'rolled_back')::bool THEN 'rolled back' END, result #>> '{error,sqlstate}', result #>> '{error,message}') || ': ' ||
           (SELECT string_agg(concat_ws(' ', s ->> 'action_id', s ->> 'status', CASE WHEN s ->> 'attempts' <> '1' THEN 'attempts=' || (s ->> 'attempts') END, s #>> '{error,sqlstate}'), ', ' ORDER BY n)
            FROM jsonb_array_elements(result -> 'actions') WITH ORDINALITY AS a (s, n))
$$;
SELECT sigma.create_input_table('{"id": "inject_t", "columns": [{"name": "n", "type": "integer"}]}');
CREATE FUNCTION pg_temp.define(id text, extra jsonb DEFAULT '{}', second jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT sigma.create_action_sequence(jsonb_build_object('id', id, 'actions', jsonb_build_array(
        jsonb_build_object('id', id || '_a', 'type', 'data_modification', 'subtype', 'insert_row', 'target', 'inject_t', 'values', '{"n": 1}'::jsonb),
        jsonb_build_object('id', id || '_b', 'type', 'data_modification', 'subtype', 'insert_row', 'target', 'inject_t', 'values', '{"n": 2}'::jsonb) || second)) || extra)
$$;
SELECT pg_temp.define('inject_s');
SELECT pg_temp.define('inject_retry', '{}', '{"error_handling": "retry", "retry": {"times": 2, "backoff_ms": 0}, "timeout_ms": 5000}');
SELECT pg_temp.define('inject_on', '{"stop_on_error": false, "timeout_ms": 0}');
SELECT sigma.create_action('{"id": "inject_one", "type": "control", "subtype": "clear_value", "target": "c"}');

-- off is the default
SHOW sigma.allow_injection;
SELECT sigma.inject('inject_s_b', 'error');
SET sigma.allow_injection = on;

--
-- errors: once, so often, always
--
SELECT sigma.inject('inject_s_b', 'error');
SELECT pg_temp.steps(sigma.execute_sequence('inject_s'));
SELECT count(*) FROM sigds.sigds_inject_t;
SELECT pg_temp.steps(sigma.execute_sequence('inject_s'));
SELECT count(*) FROM sigds.sigds_inject_t;
SELECT sigma.inject('inject_retry_b', 'error', '{"sqlstate": "40P01", "message": "deadlock, says the test", "times": 2}');
SELECT pg_temp.steps(sigma.execute_sequence('inject_retry'));
SELECT pg_temp.steps(sigma.execute_sequence('inject_retry'));
SELECT sigma.inject('inject_retry_b', 'error', '{"times": 0}');
SELECT pg_temp.steps(sigma.execute_sequence('inject_retry')) FROM generate_series(1, 2);
SELECT sigma.clear_injections();
SELECT pg_temp.steps(sigma.execute_sequence('inject_retry'));
-- of an action that is run by its id
SELECT sigma.inject('inject_one', 'error', '{"message": "one"}');
SELECT pg_temp.steps(sigma.execute_action('inject_one'));
-- a cancel is a cancel: raised
SELECT sigma.inject('inject_on_b', 'error', '{"sqlstate": "57014", "message": "canceled, says the test"}');
SELECT pg_temp.steps(sigma.execute_sequence('inject_on'));

--
-- timeouts: of the action where it has a limit, else of the run, else the action's
--
SELECT sigma.inject('inject_retry_b', 'timeout');
SELECT pg_temp.steps(sigma.execute_sequence('inject_retry'));
SELECT sigma.inject('inject_retry_b', 'timeout', '{"times": 3}');
SELECT pg_temp.steps(sigma.execute_sequence('inject_retry'));
SELECT sigma.inject('inject_s_a', 'timeout');
SELECT pg_temp.steps(sigma.execute_sequence('inject_s'));
SELECT sigma.inject('inject_on_a', 'timeout');
SELECT pg_temp.steps(sigma.execute_sequence('inject_on'));
-- nothing of it is left
SELECT pg_temp.steps(sigma.execute_sequence('inject_s')), (SELECT count(*) FROM (SELECT pg_sleep(0.05)) AS s);

--
-- delays: the action is done afterwards, unless a limit ends it
--
SELECT sigma.inject('inject_s_a', 'slow', '{"ms": 120}');
SELECT pg_temp.steps(r), (r #>> '{actions,0,duration_ms}')::numeric >= 120 FROM sigma.execute_sequence('inject_s') AS r;
SELECT sigma.update_action_sequence('inject_s', '{"timeout_ms": 2000}');
SELECT sigma.inject('inject_s_b', 'slow', '{"ms": 20000}');
SELECT pg_temp.steps(sigma.execute_sequence('inject_s'));
-- several of one action, in order
SELECT sigma.inject('inject_on_b', 'slow', '{"ms": 1}');
SELECT sigma.inject('inject_on_b', 'error', '{"message": "then"}');
SELECT pg_temp.steps(sigma.execute_sequence('inject_on'));
-- a skipped action meets none
SELECT sigma.update_action_sequence('inject_on', '{"condition": {"type": "custom_formula", "formula": "False"}}');
SELECT sigma.clear_injections();
SELECT sigma.inject('inject_on_b', 'error');
SELECT sigma.execute_sequence('inject_on') ->> 'status', sigma.clear_injections();

--
-- switched off they do nothing, and come back
--
SELECT sigma.inject('inject_one', 'error', '{"times": 0}');
SET sigma.allow_injection = off;
SELECT pg_temp.steps(sigma.execute_action('inject_one'));
SET sigma.allow_injection = on;
SELECT pg_temp.steps(sigma.execute_action('inject_one'));
-- they are not the transaction's
BEGIN;
SELECT sigma.clear_injections();
SELECT sigma.inject('inject_one', 'error');
ROLLBACK;
SELECT pg_temp.steps(sigma.execute_action('inject_one'));
SELECT sigma.clear_injections(), sigma.clear_injections();

--
-- what is none
--
SELECT sigma.inject('inject_none', 'error');
SELECT sigma.inject('inject_one', 'eror');
SELECT sigma.inject('inject_one', 'slow');
SELECT sigma.inject('inject_one', 'slow', '{"ms": -1}');
SELECT sigma.inject('inject_one', 'error', '{"ms": 1}');
SELECT sigma.inject('inject_one', 'error', '{"sqlstate": "00000"}');
SELECT sigma.inject('inject_one', 'error', '{"sqlstate": "bad"}');
SELECT sigma.inject('inject_one', 'timeout', '{"times": "x"}');
SELECT sigma.inject(NULL, 'error');
SELECT sigma.inject('inject_one', NULL);
SELECT sigma.clear_injections();

--
-- rights: builders, where it is allowed, which is not theirs to say
--
RESET sigma.allow_injection;
CREATE ROLE regress_inject_builder;
CREATE ROLE regress_inject_editor;
SELECT sigma.grant_access('regress_inject_builder', 'builder');
SELECT sigma.grant_access('regress_inject_editor', 'editor');
SET ROLE regress_inject_builder;
SET sigma.allow_injection = on;
SELECT sigma.inject('inject_one', 'error');
RESET ROLE;
SET sigma.allow_injection = on;
SET ROLE regress_inject_editor;
SELECT sigma.inject('inject_one', 'error');
SET ROLE regress_inject_builder;
SELECT sigma.inject('inject_one', 'error');
SELECT pg_temp.steps(sigma.execute_action('inject_one'));
RESET ROLE;
DROP OWNED BY regress_inject_builder, regress_inject_editor;
DROP ROLE regress_inject_builder, regress_inject_editor;
RESET sigma.allow_injection;

DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'inject\_%';
SELECT sigma.delete_action('inject_one');
SELECT sigma.delete_input_table('inject_t', purge => true);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'inject\_%' OR action_id LIKE 'inject\_%';
