-- changes of a column's type: what converts is kept, what does not becomes NULL
-- (https://help.sigmacomputing.com/docs/create-new-input-tables)
\pset null '<null>'
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text; state text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', state || ': ' || message, nullif(detail, ''), nullif(hint, ''));
END
$$;
-- one column of the first type with the values, changed to each type in turn
CREATE FUNCTION pg_temp.matrix(from_type text, given text[]) RETURNS TABLE ("to" text, converted text, nulled text, "values" text[]) LANGUAGE plpgsql AS $$
DECLARE
    to_type text; r jsonb;
BEGIN
    FOREACH to_type IN ARRAY ARRAY['text', 'number', 'integer', 'float', 'date', 'datetime', 'checkbox', 'dropdown', 'multi-select', 'json', 'file'] LOOP
        CONTINUE WHEN to_type = from_type;
        PERFORM sigma.create_input_table(jsonb_build_object('id', 'ct_m', 'columns', jsonb_build_array(jsonb_build_object('name', 'v', 'type', from_type)
            || CASE WHEN from_type IN ('dropdown', 'multi-select') THEN '{"validation": {"values": ["red", "a, b", "7", "x"]}}' ELSE '{}'::jsonb END)));
        FOR i IN 1..cardinality(given) LOOP
            EXECUTE format('INSERT INTO sigds.sigds_ct_m (v) VALUES (%L)', given[i]);
        END LOOP;
        r := sigma.alter_column('ct_m', 'v', jsonb_build_object('type', to_type)
            || CASE WHEN to_type NOT IN ('dropdown', 'multi-select') THEN '{"validation": null}'
                    WHEN from_type NOT IN ('dropdown', 'multi-select') THEN '{"validation": {"values": ["red", "a, b", "7", "x"]}}'
                    ELSE '{}'::jsonb END)->'retyped'->0;
        "to" := r->>'to'; converted := r->>'converted'; nulled := r->>'nulled';
        EXECUTE 'SELECT array_agg(v::text ORDER BY sigma_row_id) FROM sigds.sigds_ct_m' INTO "values";
        PERFORM sigma.delete_input_table('ct_m', true);
        RETURN NEXT;
    END LOOP;
END
$$;
SET client_min_messages = warning;
SELECT * FROM pg_temp.matrix('text', ARRAY['12.50', '7', ' 3 ', '2026-02-28', '2026-02-28 12:30:00', 'yes', 'red', 'a, b', '{"k": 1}', '[1, "x"]', '', NULL]);
SELECT * FROM pg_temp.matrix('number', ARRAY['12.50', '7.00', '-0.001', '123456789012345678901234567890', '1', '0', NULL]);
SELECT * FROM pg_temp.matrix('integer', ARRAY['7', '-9223372036854775808', '1', '0', NULL]);
SELECT * FROM pg_temp.matrix('float', ARRAY['0.1', '1e300', '7', '-0', NULL]);
SELECT * FROM pg_temp.matrix('date', ARRAY['2026-02-28', '0001-01-01', NULL]);
SELECT * FROM pg_temp.matrix('datetime', ARRAY['2026-02-28 12:30:00.5', '2026-02-28', NULL]);
SELECT * FROM pg_temp.matrix('checkbox', ARRAY['true', 'false', NULL]);
SELECT * FROM pg_temp.matrix('dropdown', ARRAY['red', 'a, b', '7', NULL]);
SELECT * FROM pg_temp.matrix('multi-select', ARRAY['{red}', '{red,x}', '{"a, b"}', '{7}', '{}', NULL]);
SELECT * FROM pg_temp.matrix('json', ARRAY['{"k": 1}', '"red"', '"2026-02-28"', '7', '7.5', 'true', 'null', '["red", "x"]', '[]', '{"name": "f.txt", "size": 3}', NULL]);
SELECT * FROM pg_temp.matrix('file', ARRAY['{"name": "f.txt", "url": "https://x.example/f"}', NULL]);
RESET client_min_messages;

-- the default goes with the type; stamps and row ids stay; the unique index is made anew
SELECT sigma.create_input_table('{"id": "ct_t", "columns": [
    {"name": "a", "type": "text", "unique": "ignore_case", "default_value": "1"},
    {"name": "p", "type": "text", "protected": true}, {"name": "v", "type": "text", "validation": {"max_length": 5}}, {"name": "w", "type": "text"}],
    "validation_rules": {"w": {"pattern": "^[0-9]+$"}}}');
SELECT sigma.update_input_table('ct_t', jsonb_build_object('columns', jsonb_agg(c - 'protected' ORDER BY n)))->'changed'
    FROM sigma.sigma_input_tables, jsonb_array_elements(columns) WITH ORDINALITY AS e (c, n) WHERE id = 'ct_t';
INSERT INTO sigds.sigds_ct_t (a, w) VALUES ('1', '7'), ('1.0', '8'), ('x', '9');
CREATE TEMP TABLE ct_rows AS SELECT sigma_row_id, sigma_created_at, sigma_updated_at, sigma_created_by, sigma_updated_by FROM sigds.sigds_ct_t;
SELECT pg_temp.failure($$SELECT sigma.alter_column('ct_t', 'a', '{"type": "number", "unique": true}')$$);
SELECT pg_temp.failure($$SELECT sigma.alter_column('ct_t', 'a', '{"type": "date", "unique": true}')$$);
UPDATE sigds.sigds_ct_t SET a = '2' WHERE a = '1.0';
UPDATE ct_rows SET sigma_updated_at = t.sigma_updated_at FROM sigds.sigds_ct_t t WHERE t.sigma_row_id = ct_rows.sigma_row_id;
SELECT sigma.alter_column('ct_t', 'a', '{"type": "number", "unique": true}')->'retyped';
SELECT a, pg_typeof(a) FROM sigds.sigds_ct_t ORDER BY sigma_row_id;
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'sigds.sigds_ct_t'::regclass;
SELECT count(*) FROM (SELECT sigma_row_id, sigma_created_at, sigma_updated_at, sigma_created_by, sigma_updated_by FROM sigds.sigds_ct_t EXCEPT SELECT * FROM ct_rows) touched;
SELECT split_part(pg_temp.failure($$INSERT INTO sigds.sigds_ct_t (a) VALUES (2)$$), E'\n', 1);
-- a default that the new type cannot hold is refused with the change
SELECT pg_temp.failure($$SELECT sigma.alter_column('ct_t', 'a', '{"type": "date"}')$$);

-- refused under validation and protection
SELECT pg_temp.failure($$SELECT sigma.alter_column('ct_t', 'v', '{"type": "dropdown"}')$$);
SELECT pg_temp.failure($$SELECT sigma.alter_column('ct_t', 'w', '{"type": "dropdown"}')$$);
SELECT sigma.alter_column('ct_t', 'p', '{"protected": true}')->'changed';
SELECT pg_temp.failure($$SELECT sigma.alter_column('ct_t', 'p', '{"type": "number"}')$$);
SELECT pg_temp.failure($$SELECT sigma.alter_column('ct_t', 'p', '{"type": "number", "protected": false}')$$);
-- taken off first, or in the same change, the type may change
SELECT sigma.alter_column('ct_t', 'v', '{"type": "number", "validation": null}')->'retyped';
SELECT sigma.update_input_table('ct_t', '{"validation_rules": null}')->'changed';
SELECT sigma.alter_column('ct_t', 'w', '{"type": "integer"}')->'retyped';
SELECT w FROM sigds.sigds_ct_t ORDER BY sigma_row_id;

-- several at once, with renames, additions and drops, in one rewrite
SELECT sigma.update_input_table('ct_t', '{"columns": [{"name": "w", "renamed_from": "a", "type": "text"}, {"name": "a", "renamed_from": "w", "type": "float"},
    {"name": "v", "drop": true}, {"name": "p", "type": "text"}, {"name": "q", "type": "checkbox", "default_value": true}]}')
    - 'changed';
SELECT w, a, p, q FROM sigds.sigds_ct_t ORDER BY sigma_row_id;

-- the function behind it takes only values of the type that it is told
SELECT sigma.convert_value('1.50'::text, 'text', 'number', NULL::numeric);
SELECT sigma.convert_value(NULL::text, 'text', 'number', NULL::numeric);
SELECT pg_temp.failure($$SELECT sigma.convert_value(1, 'text', 'number', NULL::numeric)$$);
SELECT pg_temp.failure($$SELECT sigma.convert_value('1'::text, 'text', 'number', NULL::text)$$);
SELECT pg_temp.failure($$SELECT sigma.convert_value('1'::text, NULL, 'number', NULL::numeric)$$);
SELECT pg_temp.failure($$SELECT sigma.convert_value('1'::text, 'text', t, NULL::numeric) FROM (VALUES ('number'), ('json')) v (t)$$);

SELECT sigma.delete_input_table('ct_t', true);
DROP TABLE ct_rows;
