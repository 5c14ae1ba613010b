-- What a sequence is made of and would touch, without running any of it.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_explain_e;
CREATE ROLE regress_explain_v;
CREATE ROLE regress_explain_n;
RESET client_min_messages;
SELECT sigma.create_input_table('{"id": "ex_t", "columns": [{"name": "Name", "type": "text", "unique": true, "required": true},
    {"name": "Qty", "type": "integer", "default_value": 5, "validation": {"max": 100}},
    {"name": "Note", "type": "text", "validation": {"min_length": 3, "severity": "warn"}}, {"name": "Kind", "type": "dropdown", "validation": {"values": ["a", "b"]}}],
    "validation_rules": {"Qty": {"formula": "[Qty] <> 13"}}, "row_rules": [{"unique": ["Kind", "Note"]}]}');
INSERT INTO sigds.sigds_ex_t ("Name", "Qty") SELECT 'n' || i, i % 100 FROM generate_series(1, 1000) AS i WHERE i % 100 <> 13;
INSERT INTO sigds.sigds_ex_t ("Name", "Qty") SELECT 'm' || i, 50 FROM generate_series(1, 1000) AS i;
ANALYZE sigds.sigds_ex_t;
SELECT sigma.create_variable('{"id": "ex_v", "kind": "variable", "type": "number", "scope": "workbook", "default_value": 1}');
SELECT sigma.create_variable('{"id": "ex_u", "kind": "variable", "type": "number", "scope": "user", "default_value": 1}');
SELECT sigma.create_action('{"id": "ex_a", "type": "data_modification", "subtype": "upsert_row", "target": "ex_t", "values": {"Name": "k", "Qty": {"type": "formula", "formula": "[Control/q] * 2"}}}');

--
-- As text: how it runs, each step with its statements, values, relations and locks, and what they set off
--
SELECT sigma.create_action_sequence('{"id": "ex_s", "name": "All sorts", "trigger": {"type": "click", "element_id": "b"},
  "condition": [{"type": "custom_formula", "formula": "[Control/q] > 0"}, {"type": "selection_value", "column": "Name", "operator": "is_not_null", "match": "all"}], "actions": [
    {"id": "a", "type": "data_modification", "subtype": "insert_rows", "target": "ex_t", "rows": [{"Name": "new"}, {"Name": "x", "Qty": 1}], "output_variable": "o"},
    {"id": "b", "type": "data_modification", "subtype": "update_rows", "target": "ex_t", "selector": {"match": {"Kind": ["a", "[Control/kind]"]}}, "values": {"Qty": "[Control/q]"},
     "conditions": [{"type": "control_value", "control_id": "q", "operator": ">=", "expected_value": 3}], "timeout_ms": 500},
    {"id": "c", "type": "data_modification", "subtype": "delete_row", "target": "ex_t", "selector": {"row_id": "[ActionVar/o]"}, "error_handling": "retry", "retry": {"times": 1}},
    {"id": "d", "type": "data_modification", "subtype": "delete_rows", "target": "ex_t", "selector": {"selection": true}, "error_handling": "continue"},
    {"id": "e", "type": "data_modification", "subtype": "update_row", "target": "ex_t", "selector": {"current_row": true}, "values": {"Note": "by {{CurrentUserEmail()}}"}},
    "ex_a",
    {"type": "variable", "subtype": "set", "target": "ex_v", "value": 2},
    {"type": "variable", "subtype": "set", "target": "ex_u", "value": 2},
    {"type": "variable", "subtype": "set", "target": "loose", "value": 2},
    {"type": "notify", "recipients": ["a@example.com"], "subject": "s", "body": "b"},
    {"type": "control", "subtype": "set_value", "target": "z", "value": "done"}],
  "execution_config": {"concurrency": "wait", "max_rows_changed": 10, "max_actions": 20}}');
CREATE FUNCTION ex(id text, context jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace(sigma.explain_sequence(id, 'text', context), '(rows=)\d+|(Lock), [A-Z][^)]*', '\1\2', 'g') $$;
SELECT ex('ex_s');
-- nothing was done, no lock is left but the looking at the catalog
BEGIN;
SELECT length(sigma.explain_sequence('ex_s')) > 0;
SELECT relation::regclass, mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation::regclass::text ~ '^sig(ds|ma)\.' AND mode NOT IN ('AccessShareLock', 'SIReadLock');
SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND pid = pg_backend_pid();
COMMIT;
SELECT count(*) FROM sigds.sigds_ex_t;
SELECT count(*) FROM sigma.sigma_execution_history WHERE sequence_id = 'ex_s';

--
-- As JSON: the same data
--
SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(sigma.explain_sequence('ex_s', 'JSON')::jsonb) AS k;
SELECT jsonb_pretty(sigma.explain_sequence('ex_s', 'json')::jsonb #- '{steps}');
SELECT jsonb_pretty(step #- '{statements,0,rows}' #- '{writes,0,scan}') FROM (SELECT sigma.explain_sequence('ex_s', 'json')::jsonb -> 'steps' -> 1 AS step) AS s;

--
-- Rows: as the planner expects them, with what is known
--
SELECT sigma.create_action_sequence('{"id": "ex_rows", "actions": [
    {"id": "one", "type": "data_modification", "subtype": "delete_rows", "target": "ex_t", "selector": {"row_id": 1}},
    {"id": "many", "type": "data_modification", "subtype": "delete_rows", "target": "ex_t", "selector": {"match": {"Qty": "[Control/qty]"}}},
    {"id": "formula", "type": "data_modification", "subtype": "delete_rows", "target": "ex_t", "selector": {"formula": "[Qty] = [Control/qty]"}},
    {"id": "fixed", "type": "data_modification", "subtype": "delete_rows", "target": "ex_t", "selector": {"formula": "[Qty] = 50 And [Name] > \"m\""}},
    {"id": "all", "type": "data_modification", "subtype": "update_rows", "target": "ex_t", "selector": {"match": {"sigma_row_id": {"op": "is_not_null"}}}, "values": {"Note": "n"}}]}');
CREATE FUNCTION ex_rows(context jsonb) RETURNS TABLE (action text, expected text, note text) LANGUAGE sql AS $$
    SELECT s ->> 'action_id', CASE WHEN r > 2500 THEN 'too many' WHEN r >= 900 THEN 'half or more' WHEN r > 1 THEN 'some' ELSE r::text END, st ->> 'note'
    FROM jsonb_array_elements(sigma.explain_sequence('ex_rows', 'json', context)::jsonb -> 'steps') AS s, jsonb_array_elements(s -> 'statements') AS st, CAST(st ->> 'rows' AS bigint) AS r $$;
SELECT * FROM ex_rows('{}');
SELECT * FROM ex_rows('{"controls": {"qty": 50}}');
SELECT * FROM ex_rows('{"controls": {"qty": 7}}');
SELECT s -> 'statements' -> 0 ->> 'sql', s -> 'statements' -> 0 ->> 'formula' FROM jsonb_array_elements(sigma.explain_sequence('ex_rows', 'json', '{"controls": {"qty": 7}}')::jsonb -> 'steps') AS s WHERE s ->> 'action_id' = 'formula';
-- an index that would be used is named
SELECT sigma.explain_sequence('ex_rows') ~ 'Writes: sigds.sigds_ex_t \(RowExclusiveLock, (Index|Bitmap Heap) Scan';

--
-- What is never reached, and what goes round
--
SELECT sigma.create_action_sequence('{"id": "ex_never", "condition": {"type": "custom_formula", "formula": "1 > 2"}, "actions": [{"type": "modal", "subtype": "close"}]}');
SELECT ex('ex_never');
SELECT sigma.create_action_sequence('{"id": "ex_some", "is_paused": true, "stop_on_error": false, "execution_config": {"atomic": false}, "timeout_ms": 0, "actions": [
    {"id": "false", "type": "modal", "subtype": "close", "conditions": {"type": "custom_formula", "formula": "False"}},
    {"id": "null", "type": "modal", "subtype": "close", "conditions": {"type": "custom_formula", "formula": "Null"}},
    {"id": "folded", "type": "modal", "subtype": "close", "conditions": [{"type": "custom_formula", "formula": "[Control/x] = 1"}, {"type": "custom_formula", "formula": "Len(\"abc\") = 4"}]},
    {"id": "true", "type": "modal", "subtype": "close", "conditions": {"type": "custom_formula", "formula": "Upper(\"a\") = \"A\""}},
    {"id": "open", "type": "modal", "subtype": "close", "conditions": {"type": "custom_formula", "formula": "Now() > Date(\"2020-01-01\")"}}]}');
SELECT ex('ex_some');

-- branches, loops, calls, the end of a run
SELECT sigma.create_action_sequence('{"id": "ex_inner", "actions": [{"id": "i", "type": "data_modification", "subtype": "delete_row", "target": "ex_t", "selector": {"row_id": 1}}]}');
SELECT sigma.create_action_sequence('{"id": "ex_flow", "actions": [
    {"id": "choose", "type": "flow", "subtype": "if_else", "branches": [
        {"condition": {"type": "custom_formula", "formula": "1 = 2"}, "actions": [{"id": "no", "type": "modal", "subtype": "close"}]},
        {"condition": {"type": "control_value", "control_id": "q", "operator": "between", "expected_value": [1, 2]}, "actions": [{"id": "maybe", "type": "flow", "subtype": "stop", "status": "failed", "message": "no"}, {"id": "after", "type": "modal", "subtype": "close"}]},
        {"condition": {"type": "custom_formula", "formula": "True"}, "actions": [{"id": "yes", "type": "modal", "subtype": "close"}]},
        {"condition": {"type": "custom_formula", "formula": "[Control/q] = 3"}, "actions": [{"id": "late", "type": "modal", "subtype": "close"}]}],
        "else": [{"id": "else", "type": "modal", "subtype": "close"}]},
    {"id": "loop", "type": "flow", "subtype": "for_each", "rows": "SELECT * FROM sigds.sigds_ex_t WHERE sigma_row_id = 7", "max_rows": 5, "actions": [
        {"id": "stop", "type": "flow", "subtype": "stop"}, {"id": "unreached", "type": "data_modification", "subtype": "delete_row", "target": "ex_t", "selector": {"current_row": true}}]},
    {"id": "selected", "type": "flow", "subtype": "for_each", "rows": "selection", "actions": [{"id": "l", "type": "modal", "subtype": "close"}]},
    {"id": "call", "type": "flow", "subtype": "run_sequence", "target": "ex_inner"},
    {"id": "again", "type": "flow", "subtype": "run_sequence", "target": "ex_inner"},
    {"id": "both", "type": "flow", "subtype": "if_else", "branches": [{"condition": {"type": "custom_formula", "formula": "[Control/q] = 3"}, "actions": [{"type": "flow", "subtype": "stop"}]}], "else": [{"type": "flow", "subtype": "stop"}]},
    {"id": "never", "type": "modal", "subtype": "close"}]}');
SELECT ex('ex_flow');
-- sequences that run one another are refused when they are saved; of those that do all the same it is said
ALTER TABLE sigma.sigma_action_sequences DISABLE TRIGGER USER;
UPDATE sigma.sigma_action_sequences SET actions = actions || '[{"type": "flow", "subtype": "run_sequence", "target": "ex_flow"}, {"type": "flow", "subtype": "run_sequence", "target": "ex_nowhere"}, {"type": "ai_query", "target": "m"}]' WHERE id = 'ex_inner';
ALTER TABLE sigma.sigma_action_sequences ENABLE TRIGGER USER;
SELECT step ->> 'index', step ->> 'type', step ->> 'cycle', step ->> 'calls', step -> 'error' ->> 'sqlstate', step -> 'error' ->> 'message'
FROM jsonb_array_elements(sigma.explain_sequence('ex_flow', 'json')::jsonb -> 'steps' -> 3 -> 'runs' -> 'steps') AS step;
SELECT sigma.explain_sequence('ex_inner', 'json')::jsonb -> 'summary' -> 'cycles', sigma.explain_sequence('ex_inner', 'json')::jsonb -> 'summary' -> 'calls';
-- sequences that changes of rows start, and that may start one another
SELECT sigma.create_action_sequence('{"id": "ex_on_insert", "trigger": {"type": "row_change", "table_id": "ex_t", "operations": ["insert"]}, "actions": [{"type": "data_modification", "subtype": "update_rows", "target": "ex_t", "selector": {"selection": true}, "values": {"Note": "seen"}}]}');
SET client_min_messages = warning;
SELECT sigma.create_action_sequence('{"id": "ex_on_note", "trigger": {"type": "row_change", "table_id": "ex_t", "operations": ["update"], "columns": ["Note"], "when": "after_commit"}, "actions": [{"type": "data_modification", "subtype": "insert_row", "target": "ex_t", "values": {"Name": "again"}}]}');
SELECT s ->> 'action_id', s -> 'starts' FROM jsonb_array_elements(sigma.explain_sequence('ex_s', 'json')::jsonb -> 'steps') AS s WHERE s ? 'starts';
SELECT sigma.explain_sequence('ex_s', 'json')::jsonb -> 'summary' -> 'cycles';
RESET client_min_messages;
DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'ex\_on\_%';
-- rows from elsewhere, and values that read the row they write
SELECT sigma.create_action_sequence('{"id": "ex_source", "actions": [
    {"id": "from", "type": "data_modification", "subtype": "insert_rows", "target": "ex_t", "source": "SELECT sigma_row_id, \"Name\" AS n FROM sigds.sigds_ex_t WHERE \"Qty\" = 1", "values": {"Name": {"type": "formula", "formula": "Concat([n], \"!\")"}, "Qty": 3}},
    {"id": "row", "type": "data_modification", "subtype": "update_rows", "target": "ex_t", "selector": {"match": {"Qty": 1}}, "values": {"Qty": {"type": "formula", "formula": "[Qty] + [Control/more]"}}}]}');
SELECT ex('ex_source');
-- linked tables are written through their view: entries, with their rules
CREATE TABLE ex_source (id int PRIMARY KEY);
SELECT sigma.create_input_table('{"id": "ex_l", "type": "linked", "source": "public.ex_source", "key_columns": ["id"], "columns": [{"name": "A", "type": "number", "validation": {"min": 0}}]}');
SELECT sigma.create_action_sequence('{"id": "ex_linked", "actions": [{"type": "data_modification", "subtype": "update_row", "target": "ex_l", "selector": {"key": {"id": 2}}, "values": {"A": "[Control/a]"}}]}');
SELECT ex('ex_linked');
SELECT sigma.delete_input_table('ex_l', true, true);
DROP TABLE ex_source;
-- functions and procedures: the call, and the right to it
CREATE FUNCTION ex_double(n int, more text DEFAULT '') RETURNS int LANGUAGE sql AS 'SELECT n * 2';
CREATE PROCEDURE ex_proc(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'ran'; END $$;
REVOKE EXECUTE ON FUNCTION ex_double FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE ex_proc FROM PUBLIC;
SELECT sigma.create_action_sequence('{"id": "ex_calls", "actions": [
    {"id": "f", "type": "stored_procedure", "target": "public.ex_double", "arguments": {"n": "[Control/q]"}},
    {"id": "p", "type": "stored_procedure", "target": "public.ex_proc", "arguments": [1]},
    {"id": "gone", "type": "stored_procedure", "target": "public.ex_proc", "arguments": [2]}]}');
SELECT ex('ex_calls');

--
-- Rights that the caller lacks
--
GRANT EXECUTE ON FUNCTION ex TO regress_explain_e, regress_explain_v, regress_explain_n;
SELECT sigma.grant_access('regress_explain_v', 'viewer');
SELECT sigma.grant_access('regress_explain_e', 'viewer');
GRANT USAGE ON SCHEMA sigds TO regress_explain_e;
GRANT SELECT ("Name", "Qty"), INSERT ("Name"), UPDATE ("Qty", "Note") ON sigds.sigds_ex_t TO regress_explain_e;
SET ROLE regress_explain_v;
SELECT sigma.explain_sequence('ex_s', 'json')::jsonb -> 'summary' -> 'lacks';
SET ROLE regress_explain_e;
SELECT s ->> 'action_id', s -> 'lacks' FROM jsonb_array_elements(sigma.explain_sequence('ex_s', 'json')::jsonb -> 'steps') AS s WHERE s ? 'lacks';
SELECT s ->> 'action_id', s -> 'lacks' FROM jsonb_array_elements(sigma.explain_sequence('ex_calls', 'json')::jsonb -> 'steps') AS s;
SELECT sigma.explain_sequence('ex_flow', 'json')::jsonb -> 'steps' -> 1 -> 'lacks';
RESET ROLE;
DROP PROCEDURE ex_proc;
SELECT s ->> 'action_id', s -> 'error' ->> 'sqlstate', s -> 'error' ->> 'message' FROM jsonb_array_elements(sigma.explain_sequence('ex_calls', 'json')::jsonb -> 'steps') AS s;
SET ROLE regress_explain_n;
SELECT sigma.explain_sequence('ex_s');
RESET ROLE;
-- under row security the statement says so
SELECT sigma.create_input_table('{"id": "ex_r", "columns": [{"name": "Who", "type": "text"}], "governance_config": {"editors": ["regress_explain_e"], "row_filter": "[Who] = CurrentUserEmail()"}}');
SELECT sigma.create_action_sequence('{"id": "ex_secure", "actions": [{"type": "data_modification", "subtype": "update_rows", "target": "ex_r", "selector": {"match": {"Who": "x"}}, "values": {"Who": "y"}}]}');
SET ROLE regress_explain_e;
SELECT ex('ex_secure');
RESET ROLE;

--
-- Triggers of others; disabled ones do not fire
--
CREATE FUNCTION ex_fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'ran'; END $$;
CREATE TRIGGER ex_name AFTER UPDATE OF "Name" ON sigds.sigds_ex_t FOR EACH ROW EXECUTE FUNCTION ex_fire();
CREATE TRIGGER ex_qty AFTER UPDATE OF "Qty" ON sigds.sigds_ex_t FOR EACH ROW EXECUTE FUNCTION ex_fire();
CREATE TRIGGER ex_off AFTER UPDATE ON sigds.sigds_ex_t FOR EACH ROW EXECUTE FUNCTION ex_fire();
ALTER TABLE sigds.sigds_ex_t DISABLE TRIGGER ex_off;
SELECT t ->> 'trigger', t ->> 'fires', t ->> 'function' FROM jsonb_array_elements(sigma.explain_sequence('ex_s', 'json')::jsonb -> 'steps' -> 1 -> 'triggers') AS t;
DROP FUNCTION ex_fire CASCADE;

--
-- What can no longer be compiled is explained as far as it can be
--
SELECT sigma.create_action_sequence('{"id": "ex_broken", "actions": ["ex_a", {"id": "gone", "type": "data_modification", "subtype": "insert_row", "target": "ex_r", "values": {"Who": 1}}, {"type": "modal", "subtype": "close"}]}');
SELECT sigma.delete_input_table('ex_r', true, true);
ALTER TABLE sigma.sigma_actions DISABLE TRIGGER USER;
DELETE FROM sigma.sigma_actions WHERE id = 'ex_a';
ALTER TABLE sigma.sigma_actions ENABLE TRIGGER USER;
SELECT regexp_replace(ex('ex_broken'), '\n *Hint: [^\n]*', '', 'g');

--
-- What cannot be explained
--
SELECT sigma.explain_sequence('ex_s', 'yaml');
SELECT length(sigma.explain_sequence('ex_s', NULL, NULL)) > 0;
SELECT sigma.explain_sequence(NULL);
\set VERBOSITY terse
SELECT sigma.explain_sequence('ex_none');
\set VERBOSITY default
SELECT sigma.explain_sequence('ex_s', 'text', '[]');
-- also where nothing may be written
BEGIN READ ONLY;
SELECT length(sigma.explain_sequence('ex_rows')) > 0;
COMMIT;

DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'ex\_%';
SELECT sigma.delete_variable(v) FROM unnest(ARRAY['ex_u', 'ex_v']) AS v;
SELECT sigma.delete_input_table('ex_t', true);
DROP FUNCTION ex, ex_rows, ex_double;
SELECT sigma.revoke_access(r) FROM unnest(ARRAY['regress_explain_v', 'regress_explain_e']::name[]) AS r;
REVOKE ALL ON SCHEMA sigds FROM regress_explain_e;
DROP OWNED BY regress_explain_e, regress_explain_v, regress_explain_n;
DROP ROLE regress_explain_e, regress_explain_v, regress_explain_n;
