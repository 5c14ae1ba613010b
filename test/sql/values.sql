-- Values of actions: where they come from, dynamic text, and what a run sets.
\set QUIET 1
\pset format unaligned
\pset tuples_only on
SET sigma.user_email = 'ann@example.com';

SELECT sigma.create_variable(config::jsonb) FROM (VALUES
    ('{"id": "values_rate", "name": "Rate", "type": "number", "default_value": 0.5}'),
    ('{"id": "values_mine", "type": "text", "scope": "user"}'),
    ('{"id": "values_here", "type": "number", "scope": "session", "default_value": 1}'),
    ('{"id": "values_regions", "kind": "control", "type": "list", "default_value": ["West"]}'),
    ('{"id": "values_price", "kind": "control", "type": "number_range", "default_value": {"min": 1, "max": 9}}')) v (config);

-- a sequence that sets one control to a value
CREATE FUNCTION pg_temp.define(value jsonb, target text DEFAULT 'values_out', mode text DEFAULT 'replace') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM sigma.sigma_action_sequences WHERE id = 'values_sequence';
    PERFORM sigma.create_action_sequence(jsonb_build_object('id', 'values_sequence', 'actions', jsonb_build_array(
        jsonb_build_object('id', 'values_step', 'type', 'control', 'subtype', 'set_value', 'target', target, 'value', value, 'selection_mode', mode))));
END
$$;
CREATE FUNCTION pg_temp.value_of(value jsonb, context jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    result jsonb;
BEGIN
    PERFORM pg_temp.define(value);
    result := sigma.execute_sequence('values_sequence', context);
    RETURN CASE WHEN result ->> 'status' = 'success' THEN result -> 'controls' -> 'values_out' ELSE result -> 'error' END;
END
$$;
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted: ' || statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
END
$$;

-- literals
SELECT v, pg_temp.value_of(v::jsonb) FROM (VALUES
    ('5'), ('"West"'), ('true'), ('null'), ('[1, [2], null]'), ('{"min": 1, "max": 2}'), ('""'),
    ('{"type": "static", "value": "[Control/a]"}'), ('{"type": "static", "value": {"type": "control", "control_id": "a"}}'),
    ('{"type": "static", "value": null}'), ('"[Control/a] and more"'), ('"[Elsewhere/a]"')) x (v);

-- every source against one context
-- https://help.sigmacomputing.com/docs/use-variables-in-actions
SELECT v, pg_temp.value_of(v::jsonb, '{"selection": {"rows": [{"Region": "West", "a/b": 1, "x]y": 2}]},
    "controls": {"a": [1, 2], "when": {"start": "2026-01-01", "end": null}}, "actionVariables": {"note": "n"}, "form": {"First name": "Ann"}}')
FROM (VALUES
    ('{"type": "column", "column_name": "Region"}'), ('{"type": "column", "columnName": "absent"}'), ('"[Selection/Region]"'),
    ('"[Selection/a/b]"'), ('"[Selection/x\\]y]"'),
    ('{"type": "control", "control_id": "a"}'), ('"[Control/a]"'), ('"[Control/absent]"'),
    ('"[Control/when.start]"'), ('{"type": "control", "control_id": "when.end"}'), ('{"type": "formula", "formula": "[Control/when].start"}'),
    ('"[Control/a.min]"'), ('"[Control/values_price.max]"'), ('"[Control/values_regions]"'),
    ('{"type": "variable", "variable": "note"}'), ('"[ActionVar/note]"'), ('"[ActionVar/Rate]"'), ('"[ActionVar/absent]"'),
    ('{"type": "form_field", "field": "First name"}'), ('"[Form/First name]"'),
    ('["[Control/a]", "[Form/First name]", 3]'), ('{"low": "[ActionVar/Rate]", "high": {"type": "control", "control_id": "a"}}')) x (v);

-- a column of several selected rows is an array, of none null
SELECT pg_temp.value_of('"[Selection/n]"', c::jsonb) FROM (VALUES
    ('{"selection": {"rows": [{"n": 1}, {"n": "b"}, {}, {"n": [4]}]}}'), ('{"selection": {"rows": []}}'), ('{}')) x (c);

-- dynamic text: plain text of values; {{{{ is a literal {{
SELECT pg_temp.refused(format('SELECT sigma.create_action_sequence(%L)', jsonb_build_object('id', 'values_text', 'actions', jsonb_build_array(
    jsonb_build_object('id', 'values_link', 'type', 'navigation', 'subtype', 'open_link', 'target', t))))) ~ '^accepted',
    sigma.execute_sequence('values_text', '{"controls": {"n": 1.50, "l": ["a", 2, null, true], "o": {"min": 1}, "s": "x \"y\"", "b": false}}')
        -> 'effects' -> 0 ->> 'target',
    sigma.delete_action_sequence('values_text')
FROM (VALUES
    ('plain'), ('{{[Control/n]}}/{{ [Control/l] }}'), ('[Control/n]+[Control/s]'), ('{{[Control/absent]}}|{{[Control/o]}}|{{[Control/b]}}'),
    ('{{{{[Control/n]}}'), ('{{{{ {{[Control/n]}} }}')) x (t);

-- lists: add what is not there, remove what is; single values count as lists of one
CREATE FUNCTION pg_temp.changed(mode text, value jsonb, controls jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result jsonb;
BEGIN
    PERFORM pg_temp.define(value, 'values_regions', mode);
    result := sigma.execute_sequence('values_sequence', jsonb_build_object('controls', controls));
    RETURN coalesce(result -> 'controls' ->> 'values_regions', result #>> '{error,sqlstate}' || ' ' || (result #>> '{error,message}'));
END
$$;
SELECT m, v, c, pg_temp.changed(m, v::jsonb, c::jsonb) FROM (VALUES
    ('add', '"East"', '{}'), ('add', '["East", "West"]', '{}'), ('add', '"East"', '{"values_regions": null}'),
    ('add', '"East"', '{"values_regions": "West"}'), ('remove', '"West"', '{}'), ('remove', '["a", 2]', '{"values_regions": [1, 2, "a", 2.0]}'),
    ('remove', '"x"', '{"values_regions": null}'), ('replace', '["x"]', '{}'), ('replace', '"[Control/x]"', '{"x": "x"}')) x (m, v, c);

-- a later step sees what an earlier one set; a declared variable keeps it, any other lives in the run
SELECT sigma.create_action_sequence('{"id": "values_steps", "actions": [
    {"id": "values_s1", "type": "variable", "subtype": "set", "target": "Rate", "value": 0.75},
    {"id": "values_s2", "type": "variable", "subtype": "set", "target": "values_mine", "value": "[Form/text]"},
    {"id": "values_s3", "type": "variable", "subtype": "set", "target": "values_here", "value": 2},
    {"id": "values_s4", "type": "variable", "subtype": "set", "target": "undeclared", "value": ["[ActionVar/Rate]", "[ActionVar/values_here]"]},
    {"id": "values_s5", "type": "control", "subtype": "set_value", "target": "c", "value": "[ActionVar/undeclared]"},
    {"id": "values_s6", "type": "control", "subtype": "set_value", "target": "d", "value": {"type": "control", "controlId": "c"}},
    {"id": "values_s7", "type": "control", "subtype": "clear_value", "target": "c"}]}');
SELECT r ->> 'status', r -> 'variables', r -> 'controls' FROM sigma.execute_sequence('values_steps', '{"form": {"text": "hi"}}') r;
SELECT sigma.get_variable('values_rate'), sigma.get_variable('values_mine'), sigma.get_variable('values_here');
SELECT r ->> 'status', r #>> '{error,sqlstate}', r #>> '{error,message}', r #>> '{error,detail}'
FROM sigma.execute_sequence('values_steps', '{"form": {"text": 5}}') r;
-- a run for another user stores that user's value
SELECT r ->> 'status' FROM sigma.execute_sequence('values_steps', '{"user_id": "bob@example.com", "form": {"text": "ho"}}') r;
SELECT user_id, value FROM sigma.sigma_variable_values WHERE variable_id = 'values_mine' ORDER BY user_id;

-- what failed leaves no value behind
SELECT sigma.set_variable('values_rate', '0.5');
SELECT r ->> 'status', r ->> 'rolled_back', sigma.get_variable('values_rate') FROM sigma.execute_sequence('values_steps', '{"form": {"text": 5}}') r;
SELECT sigma.get_variable('values_rate');

-- a role without the right on variables cannot set them by a run
CREATE ROLE regress_values_viewer;
GRANT USAGE ON SCHEMA sigma TO regress_values_viewer;
GRANT EXECUTE ON FUNCTION sigma.execute_sequence TO regress_values_viewer;
SET ROLE regress_values_viewer;
SELECT r ->> 'status', r #>> '{error,sqlstate}', r #>> '{error,message}' FROM sigma.execute_sequence('values_steps', '{"form": {"text": "x"}}') r;
RESET ROLE;
REVOKE ALL ON FUNCTION sigma.execute_sequence FROM regress_values_viewer;
REVOKE ALL ON SCHEMA sigma FROM regress_values_viewer;
DROP ROLE regress_values_viewer;

-- refused when saved
SELECT v, pg_temp.refused(format('SELECT pg_temp.define(%L)', v)) FROM (VALUES
    ('{"type": "formula", "formula": "[Selection/x] * "}'), ('{"type": "formula", "formula": "Nwo()"}'),
    ('{"type": "formula", "formula": "[values_nowhere/a]"}'), ('{"type": "formula", "formula": "1 + \"a\""}'),
    ('{"type": "lookup", "column": "a"}'), ('{"type": "control"}'), ('{"type": "control", "control_id": 5}'),
    ('{"type": "column", "column_name": "a", "row": 1}'), ('[{"type": "formula", "formula": "1 + + "}]')) x (v);
SELECT t, pg_temp.refused(format('SELECT sigma.create_action_sequence(%L)', jsonb_build_object('id', 'values_text', 'actions', jsonb_build_array(
    jsonb_build_object('id', 'values_link', 'type', 'navigation', 'subtype', 'open_link', 'target', t)))))
FROM (VALUES ('a {{[Control/a] & }}'), ('{{[Control/a]'), ('{{}}')) x (t);
SELECT count(*) FROM sigma.sigma_action_sequences WHERE id = 'values_text';

DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'values\_%';
DELETE FROM sigma.sigma_variables WHERE id LIKE 'values\_%';
