-- what formulas come to: sigma.eval over the fixtures in fixtures/eval
-- functions and their meaning: https://help.sigmacomputing.com/docs/function-index
\pset null ~
SET sigma.user_email = 'ann@example.com';
-- the value of a formula as JSON, Null, or "!" and the SQLSTATE of its error
CREATE FUNCTION eval_outcome(source text, context text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN coalesce(sigma.eval(source::sigma.formula, context::jsonb)::text, 'Null');
EXCEPTION WHEN OTHERS THEN
    RETURN '!' || SQLSTATE;
END
$$;

-- the fixtures: lines of formula, tab, outcome, and where it needs one, tab, context
CREATE TEMP TABLE eval_fixture (file text, line int, source text, outcome text, context text);
\set content `cd "$PG_ABS_SRCDIR"/fixtures/eval && awk '{ print FILENAME "\t" FNR "\t" $0 }' *.tsv`
INSERT INTO eval_fixture
SELECT part[1], part[2]::int, part[3], part[4], coalesce(part[5], '{}')
FROM regexp_split_to_table(:'content', '\n') AS line, string_to_array(line, E'\t') AS part
WHERE part[3] NOT LIKE '#%' AND part[4] <> '';
SELECT count(*) >= 400 AS enough FROM eval_fixture;
-- none of them comes to anything else
SELECT file, line, source, outcome AS expected, actual
FROM eval_fixture, eval_outcome(source, context) AS actual
WHERE actual IS DISTINCT FROM outcome ORDER BY file, line;
-- a canonical formula means the same
SELECT file, line, source FROM eval_fixture
WHERE outcome NOT LIKE '!426%' AND outcome NOT LIKE '!54%'
    AND eval_outcome(source::sigma.formula::text, context) IS DISTINCT FROM eval_outcome(source, context) ORDER BY file, line;
-- functions with fewer than five of them; DateLookback and window functions need the rows of a table: formula_rows has them
SELECT name, category, (SELECT count(*) FROM eval_fixture WHERE source ~* ('\m' || name || '\s*\(')) AS fixtures
FROM sigma.functions()
WHERE name <> 'DateLookback' AND category IN ('Logical', 'Math', 'Text', 'Date', 'Type conversion', 'Array', 'System', 'Financial', 'Aggregate', 'Join', 'Passthrough')
    AND (SELECT count(*) FROM eval_fixture WHERE source ~* ('\m' || name || '\s*\(')) < 5
ORDER BY category, name;

DROP FUNCTION eval_outcome(text, text);

-- the context's version and user
SELECT sigma.create_input_table('{"id": "fe_draft", "columns": [{"name": "N", "type": "number"}]}');
INSERT INTO sigds.sigds_fe_draft ("N") VALUES (5);
SELECT sigma.eval('Count([fe_draft/N])') AS draft, sigma.eval('Count([fe_draft/N])', '{"mode": "published"}') AS published, sigma.eval('Count([fe_draft/N])') AS again,
    sigma.eval('CurrentUserEmail()', '{"user_id": "fe@example.com"}') AS usr, sigma.eval('CurrentUserEmail() = "fe@example.com"') AS after;
SELECT sigma.evaluate_condition('{"type": "custom_formula", "formula": "Count([fe_draft/N]) = 0"}', '{"mode": "published"}') AS published,
    sigma.evaluate_condition('{"type": "custom_formula", "formula": "Count([fe_draft/N]) = 0"}', '{}') AS draft;
SELECT sigma.create_action_sequence('{"id": "fe_click", "trigger": {"type": "click", "element_id": "fe_b"}, "condition": {"type": "custom_formula", "formula": "Count([fe_draft/N]) = 0 and CurrentUserEmail() = \"fe@example.com\""},
    "actions": [{"type": "variable", "subtype": "set", "target": "k", "value": 1}]}') AS seq;
SELECT sigma.fire_trigger('fe_b', 'click', '{"mode": "published", "user_id": "fe@example.com"}')->0->>'status' AS fired, sigma.fire_trigger('fe_b', 'click')->0->>'status' AS plain;
SELECT sigma.delete_action_sequence('fe_click') AS gone;
SELECT sigma.delete_input_table('fe_draft', purge => true);
