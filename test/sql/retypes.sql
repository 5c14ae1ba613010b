-- Every column type as every other: what converts, and what becomes null
-- (https://help.sigmacomputing.com/docs/create-new-input-tables: values that do not convert are removed).
CREATE TEMP TABLE given (type text, value jsonb);
INSERT INTO given VALUES
    ('text', '"12"'), ('text', '"2024-02-29"'), ('text', '"{\"a\": 1}"'), ('text', '"x; y"'), ('text', '"yes"'),
    ('number', '1.50'), ('number', '3'), ('integer', '1'), ('float', '2.5'),
    ('date', '"2024-02-29"'), ('datetime', '"2024-02-29 13:05:00"'), ('checkbox', 'true'), ('checkbox', 'false'),
    ('dropdown', '"west"'), ('multi-select', '["one"]'), ('multi-select', '["a", "b"]'), ('multi-select', '[]'),
    ('json', '{"a": [1]}'), ('json', '"7"'), ('json', '8'), ('json', 'true'), ('json', '["p", "q"]'), ('json', 'null'),
    ('file', '{"name": "f.txt", "url": "https://example.com/f.txt"}');

CREATE FUNCTION pg_temp.retyped(old text, given jsonb, new text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    result text;
    change jsonb;
BEGIN
    -- without a log: all this is one transaction, which holds a lock on every relation that it made
    PERFORM sigma.create_input_table(jsonb_build_object('id', 'retypes_t', 'governance_config', '{"audit": false}'::jsonb,
        'columns', jsonb_build_array(jsonb_build_object('name', 'v', 'type', old))));
    PERFORM sigma.handle_data_entry('retypes_t', jsonb_build_object('v', given));
    change := sigma.alter_column('retypes_t', 'v', jsonb_build_object('type', new));
    SELECT coalesce(v::text, 'null') INTO result FROM sigds.sigds_retypes_t;
    IF (change->'retyped'->0->>'converted')::int + (change->'retyped'->0->>'nulled')::int NOT IN (0, 1) THEN
        RAISE EXCEPTION 'counts are wrong: %', change;
    END IF;
    PERFORM sigma.delete_input_table('retypes_t', purge => true);
    RETURN result;
END
$$;

CREATE TEMP TABLE results (old text, value jsonb, new text, result text);
-- one transaction each: a table is several relations, and a transaction has room for so many locks
DO $$
DECLARE
    pair record;
BEGIN
    FOR pair IN
        SELECT g.type AS old, g.value, t.type AS new
        FROM given g CROSS JOIN (VALUES ('text'), ('number'), ('integer'), ('float'), ('date'), ('datetime'), ('checkbox'),
                                        ('dropdown'), ('multi-select'), ('json'), ('file')) AS t(type)
        WHERE g.type <> t.type
    LOOP
        INSERT INTO results VALUES (pair.old, pair.value, pair.new, pg_temp.retyped(pair.old, pair.value, pair.new));
        COMMIT;
    END LOOP;
END
$$;
SELECT * FROM results ORDER BY old COLLATE "C", value::text COLLATE "C", new COLLATE "C";
