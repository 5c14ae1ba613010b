-- Conditions: what holds in which context.  Only true runs: unknown is no.
-- https://help.sigmacomputing.com/docs/make-an-action-conditional
\set QUIET 1
\pset format unaligned
\pset tuples_only on

-- one control against one value, every operator: value OPERATOR expected
CREATE FUNCTION pg_temp.control(given jsonb, operator text, expected jsonb) RETURNS bool LANGUAGE sql AS $$
    SELECT sigma.evaluate_condition(
        jsonb_build_object('type', 'control_value', 'control_id', 'conditions_c', 'operator', operator)
            || CASE WHEN expected IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('expected_value', expected) END,
        jsonb_build_object('controls', jsonb_build_object('conditions_c', given)))
$$;
CREATE FUNCTION pg_temp.all_operators(given jsonb, expected jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT given::text || ' vs ' || expected::text || ': '
        || coalesce(string_agg(op, ' ' ORDER BY n) FILTER (WHERE pg_temp.control(given, op, expected)), '(none)')
    FROM unnest(ARRAY['=', '!=', '>', '>=', '<', '<=', 'contains', 'starts_with', 'ends_with']) WITH ORDINALITY AS o (op, n)
$$;

-- numbers by value
SELECT pg_temp.all_operators(g::jsonb, e::jsonb) FROM (VALUES
    ('5', '5.00'), ('10', '9'), ('-1e3', '0'), ('123', '12')) v (g, e);

-- text exactly and by its bytes; one is not the other in another case
SELECT pg_temp.all_operators(g::jsonb, e::jsonb) FROM (VALUES
    ('"West"', '"West"'), ('"West"', '"west"'), ('"West"', '"We"'), ('"10"', '"9"'), ('"Zoë"', '"Zoe"'), ('""', '""')) v (g, e);

-- dates in ISO form by what they mean, with and without a time of day
SELECT pg_temp.all_operators(g::jsonb, e::jsonb) FROM (VALUES
    ('"2026-01-09"', '"2026-01-10"'), ('"2026-01-09"', '"2026-01-09T00:00:00"'),
    ('"2026-01-09 10:00:00"', '"2026-01-09T09:30:00Z"'), ('"2026-13-01"', '"2026-02-01"')) v (g, e);

-- URLs and embedding pages send every value as text: beside a number or boolean text is read as one
-- https://help.sigmacomputing.com/docs/inbound-event-reference
SELECT pg_temp.all_operators(g::jsonb, e::jsonb) FROM (VALUES
    ('"10"', '9'), ('9', '"10"'), ('"ten"', '9'), ('"true"', 'true'), ('false', '"true"'), ('true', '1')) v (g, e);

-- lists are sets of values; a list of one value is that value; contains is membership
SELECT pg_temp.all_operators(g::jsonb, e::jsonb) FROM (VALUES
    ('["West", "East"]', '["East", "West"]'), ('["West", "East"]', '["West"]'), ('["West", "East"]', '"West"'),
    ('["West"]', '"West"'), ('"West"', '["West"]'), ('[7]', '3'), ('[]', '[]'), ('[]', '"West"'),
    ('[1, 2, 2]', '[2, 1]'), ('[null]', '[null]'), ('[[1]]', '[[1]]')) v (g, e);

-- ranges are equal or not
SELECT pg_temp.all_operators(g::jsonb, e::jsonb) FROM (VALUES
    ('{"min": 1, "max": 2}', '{"max": 2, "min": 1}'), ('{"min": 1}', '{"min": 2}'), ('{"min": 1}', '1')) v (g, e);

-- null on either side is unknown: no
SELECT pg_temp.all_operators(g::jsonb, e::jsonb) FROM (VALUES
    ('null', '1'), ('null', 'null'), ('1', 'null')) v (g, e);
SELECT pg_temp.control('null', 'is_null', NULL), pg_temp.control('null', 'is_not_null', NULL),
       pg_temp.control('0', 'is_null', NULL), pg_temp.control('""', 'is_not_null', NULL), pg_temp.control('[]', 'is_null', NULL);
SELECT sigma.evaluate_condition('{"type": "control_value", "control_id": "conditions_absent", "operator": "is_null"}', '{}'),
       sigma.evaluate_condition('{"type": "control_value", "control_id": "conditions_absent", "operator": "!=", "expected_value": 1}', '{}');

-- in: the value, or every value of a list
SELECT g, e, pg_temp.control(g::jsonb, 'in', e::jsonb) FROM (VALUES
    ('"West"', '["East", "West"]'), ('"North"', '["East", "West"]'), ('["East"]', '["East", "West"]'),
    ('["East", "North"]', '["East", "West"]'), ('[]', '["East"]'), ('2', '["2"]'), ('1', '[]'), ('null', '[null]')) v (g, e);

-- between, both ends included; a range may be open at an end
SELECT g, e, pg_temp.control(g::jsonb, 'between', e::jsonb) FROM (VALUES
    ('5', '[1, 5]'), ('1', '[1, 5]'), ('5.01', '[1, 5]'), ('"2026-02-01"', '["2026-01-01", "2026-12-31"]'),
    ('"x"', '[1, 5]'), ('[2, 3]', '[1, 5]'), ('5', '{"min": 5}'), ('5', '{"max": 4.9}'), ('"2026-02-01"', '{"start": "2026-02-01", "end": null}')) v (g, e);
SELECT sigma.evaluate_condition('{"type": "control_value", "control_id": "n", "operator": "between",
                                  "expected_value": {"type": "control", "control_id": "range"}}', c::jsonb)
FROM (VALUES ('{"controls": {"n": 5, "range": {"min": 1, "max": 9}}}'), ('{"controls": {"n": 5, "range": {"min": 6}}}'),
             ('{"controls": {"n": 5, "range": {"min": 5, "max": null}}}'), ('{"controls": {"n": 5, "range": {}}}'),
             ('{"controls": {"n": 5}}')) v (c);

-- members of a range control
SELECT sigma.evaluate_condition('{"type": "control_value", "control_id": "price.min", "operator": ">", "expected_value": 3}', c::jsonb)
FROM (VALUES ('{"controls": {"price": {"min": 5, "max": 9}}}'), ('{"controls": {"price": {"max": 9}}}'),
             ('{"controls": {"price": 5}}'), ('{"controls": {"price.min": 4, "price": {"min": 1}}}')) v (c);

-- the selection: any row, or all; no selection is no
CREATE FUNCTION pg_temp.selected(operator text, match text, expected jsonb, VARIADIC cells jsonb[]) RETURNS bool LANGUAGE sql AS $$
    SELECT sigma.evaluate_condition(
        jsonb_build_object('type', 'selection_value', 'column', 'Region', 'operator', operator, 'match', match, 'expected_value', expected),
        jsonb_build_object('selection', jsonb_build_object('rows',
            (SELECT jsonb_agg(jsonb_build_object('Region', cell)) FROM unnest(cells) cell))))
$$;
SELECT pg_temp.selected('=', 'any', '"West"', '"East"', '"West"'), pg_temp.selected('=', 'all', '"West"', '"East"', '"West"'),
       pg_temp.selected('=', 'all', '"West"', '"West"', '"West"'), pg_temp.selected('=', 'all', '"West"', '"West"', 'null'),
       pg_temp.selected('!=', 'any', '"West"', 'null'), pg_temp.selected('contains', 'any', '"a"', '["a", "b"]');
SELECT sigma.evaluate_condition('{"type": "selection_value", "column": "Region", "expected_value": "West"}', c::jsonb)
FROM (VALUES ('{}'), ('{"selection": null}'), ('{"selection": {}}'), ('{"selection": {"rows": []}}'),
             ('{"selection": {"rows": [{"region": "West"}]}}'), ('{"selection": {"rows": [{"Region": "West"}]}}'),
             ('{"selection": {"rows": {"Region": "West"}, "elementType": "table"}}')) v (c);
SELECT sigma.evaluate_condition('{"type": "selection_value", "column": "Region", "operator": "is_null", "match": "all"}', c::jsonb)
FROM (VALUES ('{}'), ('{"selection": {"rows": [{}, {"Region": null}]}}'), ('{"selection": {"rows": [{}, {"Region": 1}]}}')) v (c);

-- an array is AND; nothing to hold holds
SELECT sigma.evaluate_condition('[{"type": "control_value", "control_id": "a", "expected_value": 1},
                                  {"type": "control_value", "control_id": "b", "expected_value": 2}]', c::jsonb)
FROM (VALUES ('{"controls": {"a": 1, "b": 2}}'), ('{"controls": {"a": 1, "b": 3}}'), ('{"controls": {"a": 1}}')) v (c);
SELECT sigma.evaluate_condition(NULL, '{}'), sigma.evaluate_condition('[]', NULL), sigma.evaluate_condition('null', '{}');

-- the expected value may be a reference
SELECT sigma.evaluate_condition('{"type": "control_value", "control_id": "a", "expected_value": "[Selection/Region]"}',
                                '{"controls": {"a": "West"}, "selection": {"rows": [{"Region": "West"}]}}');
SELECT sigma.evaluate_condition('{"type": "control_value", "control_id": "a", "operator": "in", "expected_value": "[Selection/Region]"}',
                                '{"controls": {"a": "West"}, "selection": {"rows": [{"Region": "East"}, {"Region": "West"}]}}');

-- refused: SQLSTATE, message, place
CREATE FUNCTION pg_temp.refused(condition jsonb, context jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    RETURN 'accepted: ' || sigma.evaluate_condition(condition, context);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', state, message, detail, nullif(hint, ''));
END
$$;
SELECT pg_temp.refused('{"type": "control", "control_id": "a", "expected_value": 1}');
SELECT pg_temp.refused('{"control_id": "a", "expected_value": 1}');
SELECT pg_temp.refused('{"type": "control_value", "expected_value": 1}');
SELECT pg_temp.refused('{"type": "control_value", "control_id": 5, "expected_value": 1}');
SELECT pg_temp.refused('{"type": "control_value", "control_id": "a"}');
SELECT pg_temp.refused('{"type": "control_value", "control_id": "a", "operator": "~", "expected_value": 1}');
SELECT pg_temp.refused('[{"type": "control_value", "control_id": "a", "expected_value": 1},
                         {"type": "control_value", "control_id": "a", "operator": "in", "expected_value": "x"}]');
SELECT pg_temp.refused('{"type": "control_value", "control_id": "a", "operator": "between", "expected_value": [1]}');
SELECT pg_temp.refused('{"type": "control_value", "control_id": "a", "operator": "between", "expected_value": [5, 1]}');
SELECT pg_temp.refused('{"type": "control_value", "control_id": "a", "operator": "is_null", "expected_value": 1}');
SELECT pg_temp.refused('{"type": "control_value", "control_id": "a", "expected_value": {"type": "formula", "formula": "[Control/b] + "}}');
SELECT pg_temp.refused('{"type": "control_value", "control_id": "a", "expected_value": {"type": "lookup", "id": 1}}');
SELECT pg_temp.refused('{"type": "control_value", "control_id": "a", "expected_value": 1, "expect": 2}');
SELECT pg_temp.refused('{"type": "selection_value", "column": "a", "expected_value": 1, "match": "some"}');
SELECT pg_temp.refused('"x"');
SELECT pg_temp.refused('[[]]');

-- contexts: other spellings, unknown keys, and those that cannot be read
SELECT pg_temp.refused('[]', '{"userId": "ann", "columnName": "x", "actionVariables": {"a": 1}, "warehouse": "w", "deviceKind": "phone", "startTime": 1}');
SELECT pg_temp.refused('{"type": "control_value", "control_id": "a", "expected_value": 1}', '{"controls": {"a": 1}, "pageUrl": "x"}');
SELECT pg_temp.refused('[]', c::jsonb) FROM (VALUES
    ('[]'), ('1'), ('"x"'), ('{"controls": []}'), ('{"selection": 5}'), ('{"selection": {"rows": [1]}}'),
    ('{"selection": {"rows": "x"}}'), ('{"mode": "live"}'), ('{"user_id": 5}'), ('{"user_id": "a", "userId": "b"}'),
    ('{"form": "x"}'), ('{"metadata": 1}'), ('{"user_id": null, "controls": null, "selection": {"rows": null}, "mode": null}')) v (c);
