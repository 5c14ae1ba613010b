-- Idempotency keys: one run per sequence and key, whose result later calls are given.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

SELECT sigma.create_input_table('{"id": "idem_t", "columns": [{"name": "n", "type": "integer", "validation": {"max": 100}}]}');
SELECT sigma.create_action_sequence('{"id": "idem_s", "condition": {"type": "custom_formula", "formula": "Coalesce([Control/go], true)"}, "actions": [
    {"id": "a", "type": "data_modification", "subtype": "insert_row", "target": "idem_t", "values": {"n": "[Control/n]"}, "output_variable": "row"},
    {"id": "b", "type": "navigation", "subtype": "open_link", "target": "https://example.com/{{[ActionVar/row]}}"}]}');
SELECT sigma.create_action('{"id": "idem_s", "type": "data_modification", "subtype": "insert_row", "target": "idem_t", "values": {"n": 50}}');
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
    SELECT (SELECT 'rows ' || coalesce(string_agg(n::text, ' ' ORDER BY sigma_row_id), 'none') FROM sigds.sigds_idem_t) || ', runs ' ||
           (SELECT coalesce(string_agg(concat_ws(' ', status, idempotency_key), ', ' ORDER BY start_time), 'none') FROM sigma.sigma_execution_history WHERE sequence_id = 'idem_s' OR action_id = 'idem_s') $$;

--
-- the same key with the same input: the result is given again, nothing is done
--
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 1}, "idempotency_key": "k1"}') AS first \gset
SELECT :'first'::jsonb ->> 'status', :'first'::jsonb ->> 'rows_changed', pg_temp.state();
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 1}, "idempotency_key": "k1"}') = :'first', pg_temp.state();
-- in another spelling and order of keys too
SELECT sigma.execute_sequence('idem_s', '{"idempotencyKey": "k1", "controls": {"n": 1}}') = :'first', pg_temp.state();
-- and while the sequence is paused, or was changed
SELECT sigma.pause_sequence('idem_s');
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 1}, "idempotency_key": "k1"}') = :'first';
SELECT sigma.resume_sequence('idem_s');
-- each call of one statement sees those before it
SELECT count(DISTINCT r ->> 'execution_id'), count(*) FROM generate_series(1, 3), LATERAL (SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 2}, "idempotency_key": "k2"}') WHERE generate_series IS NOT NULL) AS x (r);
SELECT pg_temp.state();
-- other keys, and none
SELECT count(DISTINCT sigma.execute_sequence('idem_s', jsonb_build_object('controls', jsonb_build_object('n', 3), 'idempotency_key', k)) ->> 'execution_id') FROM unnest(ARRAY['k3', 'k4', NULL, NULL]) AS k;
SELECT pg_temp.state();
SELECT s ->> 'status', s -> 'result' = :'first' FROM sigma.run_status(:'first'::jsonb ->> 'execution_id') AS s;
SELECT execution_id = :'first'::jsonb ->> 'execution_id' FROM sigma.run_history('{"idempotency_key": "k1"}');

--
-- another input is SG409: of the context, the app user, the role
--
\set VERBOSITY sqlstate
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 4}, "idempotency_key": "k1"}');
\set VERBOSITY default
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 5}, "idempotency_key": "k1"}');
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 1}, "metadata": {"try": 2}, "idempotency_key": "k1"}');
SET sigma.user_email = 'eve@example.com';
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 1}, "idempotency_key": "k1"}');
RESET sigma.user_email;
CREATE ROLE regress_idem;
SELECT sigma.grant_access('regress_idem', 'editor', 'idem_t');
SET ROLE regress_idem;
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 1}, "idempotency_key": "k1"}');
-- who may not read history is given the result all the same
SELECT r ->> 'status' FROM sigma.execute_sequence('idem_s', '{"controls": {"n": 6}, "idempotency_key": "k6"}') AS r;
SELECT r ->> 'status' FROM sigma.execute_sequence('idem_s', '{"controls": {"n": 6}, "idempotency_key": "k6"}') AS r;
RESET ROLE;
SELECT pg_temp.state();
SELECT role, user_id = session_user FROM sigma.sigma_execution_history WHERE idempotency_key = 'k6';
-- a key that cannot be one
SELECT sigma.execute_sequence('idem_s', '{"idempotency_key": ""}');
SELECT sigma.execute_sequence('idem_s', jsonb_build_object('idempotency_key', repeat('k', 256)));
SELECT sigma.execute_sequence('idem_s', '{"idempotency_key": 7}');
SELECT sigma.execute_sequence('idem_s', jsonb_build_object('controls', '{"n": 7}'::jsonb, 'idempotency_key', repeat('k', 255))) ->> 'status';

--
-- a failed run has used its key, a skipped one has not
--
DELETE FROM sigds.sigds_idem_t;
DELETE FROM sigma.sigma_execution_history WHERE sequence_id = 'idem_s';
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 500}, "idempotency_key": "f"}') AS failed \gset
SELECT :'failed'::jsonb ->> 'status', :'failed'::jsonb #>> '{error,sqlstate}', pg_temp.state();
UPDATE sigma.sigma_input_tables SET columns = jsonb_set(columns, '{0,validation}', '{"max": 1000}') WHERE id = 'idem_t';
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 500}, "idempotency_key": "f"}') = :'failed', pg_temp.state();
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 500}, "idempotency_key": "f2"}') ->> 'status', pg_temp.state();
SELECT sigma.pause_sequence('idem_s');
SELECT r ->> 'status', r ->> 'reason' FROM sigma.execute_sequence('idem_s', '{"controls": {"n": 9}, "idempotency_key": "p"}') AS r;
SELECT sigma.resume_sequence('idem_s');
SELECT r ->> 'status', r ->> 'reason' FROM sigma.execute_sequence('idem_s', '{"controls": {"n": 9}, "idempotency_key": "p"}') AS r;
SELECT r ->> 'status', r ->> 'reason' FROM sigma.execute_sequence('idem_s', '{"controls": {"n": 9, "go": false}, "idempotency_key": "c"}') AS r;
SELECT r ->> 'status', r ->> 'reason' FROM sigma.execute_sequence('idem_s', '{"controls": {"n": 9, "go": true}, "idempotency_key": "c"}') AS r;
SELECT pg_temp.state();
-- what the caller rolls back has not happened, and the key is free
DELETE FROM sigds.sigds_idem_t;
DELETE FROM sigma.sigma_execution_history WHERE sequence_id = 'idem_s';
BEGIN;
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 11}, "idempotency_key": "r"}') ->> 'status';
ROLLBACK;
SELECT pg_temp.state();
DO $$
BEGIN
    PERFORM sigma.run('idem_s', '{"controls": {"n": 5000}, "idempotency_key": "r"}');
EXCEPTION WHEN check_violation THEN
    RAISE NOTICE 'raised';
END
$$;
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 12}, "idempotency_key": "r"}') ->> 'status', pg_temp.state();

--
-- keys are of one sequence, or of one action
--
SELECT sigma.execute_action('idem_s', '{"idempotency_key": "r"}') AS action \gset
SELECT :'action'::jsonb ->> 'status', sigma.execute_action('idem_s', '{"idempotency_key": "r"}') = :'action', pg_temp.state();
-- a trigger gives its key to each of its sequences
SELECT sigma.create_action_sequence('{"id": "idem_t1", "trigger": {"type": "click", "element_id": "idem_b"}, "actions": [{"type": "data_modification", "subtype": "insert_row", "target": "idem_t", "values": {"n": 21}}]}');
SELECT sigma.create_action_sequence('{"id": "idem_t2", "trigger": {"type": "click", "element_id": "idem_b"}, "actions": [{"type": "data_modification", "subtype": "insert_row", "target": "idem_t", "values": {"n": 22}}]}');
SELECT sigma.fire_trigger('idem_b', 'click', '{"idempotency_key": "t"}') AS fired \gset
SELECT sigma.fire_trigger('idem_b', 'click', '{"idempotency_key": "t"}') = :'fired', jsonb_array_length(:'fired');
SELECT pg_temp.state();

--
-- a run that is given its own key again from inside: it runs already
--
CREATE FUNCTION idem_again() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    r jsonb := sigma.execute_sequence('idem_s', '{"controls": {"n": 31}, "idempotency_key": "n"}');
BEGIN
    RAISE NOTICE '% %', r ->> 'status', r ->> 'reason';
    RETURN NULL;
END
$$;
CREATE TRIGGER again AFTER INSERT ON sigds.sigds_idem_t FOR EACH ROW WHEN (NEW.n = 31) EXECUTE FUNCTION idem_again();
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 31}, "idempotency_key": "n"}') ->> 'status';
SELECT status, reason, idempotency_key FROM sigma.sigma_execution_history WHERE sequence_id = 'idem_s' AND (idempotency_key = 'n' OR reason IS NOT NULL) ORDER BY 1;
DROP TRIGGER again ON sigds.sigds_idem_t;
DROP FUNCTION idem_again;
-- or that prunes history: it is recorded still
CREATE FUNCTION idem_prune() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM sigma.sigma_execution_history WHERE sequence_id = 'idem_s';
    RETURN NULL;
END
$$;
CREATE TRIGGER prune AFTER INSERT ON sigds.sigds_idem_t FOR EACH ROW WHEN (NEW.n = 32) EXECUTE FUNCTION idem_prune();
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 32}, "idempotency_key": "n2"}') ->> 'status';
DROP TRIGGER prune ON sigds.sigds_idem_t;
DROP FUNCTION idem_prune;
SELECT status, idempotency_key FROM sigma.sigma_execution_history WHERE sequence_id = 'idem_s';

--
-- a key lives as long as the row of its run
--
DELETE FROM sigds.sigds_idem_t;
BEGIN;
UPDATE sigma.sigma_execution_history SET start_time = start_time - interval '10 days' WHERE idempotency_key = 'n2';
SELECT sigma.prune_history('7 days');
SELECT sigma.execute_sequence('idem_s', '{"controls": {"n": 41}, "idempotency_key": "n2"}') ->> 'status', pg_temp.state();
ROLLBACK;
-- one row per key, whoever writes
INSERT INTO sigma.sigma_execution_history (execution_id, sequence_id, idempotency_key) VALUES ('idem_x', 'idem_s', 'n2');

DROP OWNED BY regress_idem;
DROP ROLE regress_idem;
DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'idem\_%';
SELECT sigma.delete_action('idem_s');
SELECT sigma.delete_input_table('idem_t', purge => true);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'idem\_%' OR action_id LIKE 'idem\_%';
