-- Rules of columns: what each one takes and refuses, and what definitions of
-- rules are refused.  Rows are written by plain SQL; see write_paths for the rest.
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';

-- What a statement answers: "ok", or SQLSTATE, column, constraint and the failures.
CREATE FUNCTION rules_try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text;
    relation text;
    col text;
    con text;
    details text;
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, relation = TABLE_NAME, col = COLUMN_NAME,
        con = CONSTRAINT_NAME, details = PG_EXCEPTION_DETAIL;
    RETURN pg_catalog.concat_ws(' | ', state, nullif(con, ''),
                                CASE WHEN state = '23514' AND (relation IS DISTINCT FROM 'sigds_rules' OR con NOT LIKE col || '\_%') THEN 'wrong fields' END,
                                coalesce(nullif(details, ''), SQLERRM));
END
$$;
-- Give the table "rules" one column of that definition and try values of it.
CREATE FUNCTION rules_column(definition jsonb, tried text[]) RETURNS TABLE (value text, answer text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sigma.delete_input_table('rules', true);
    PERFORM sigma.create_input_table(pg_catalog.jsonb_build_object('id', 'rules', 'type', 'empty',
                                     'columns', pg_catalog.jsonb_build_array(definition || '{"name": "v"}')));
    FOREACH value IN ARRAY tried LOOP
        answer := rules_try(pg_catalog.format('INSERT INTO sigds.sigds_rules (v) VALUES (%L)', value));
        RETURN NEXT;
    END LOOP;
END
$$;
-- What happens to a definition: "ok", or SQLSTATE, message, path and hint.
CREATE FUNCTION rules_define(definition jsonb, more jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    path text;
    hint text;
BEGIN
    PERFORM sigma.create_input_table(pg_catalog.jsonb_build_object('id', 'rules_defined', 'type', 'empty',
                                     'columns', pg_catalog.jsonb_build_array('{"name": "v", "type": "text"}' || definition)) || more);
    PERFORM sigma.delete_input_table('rules_defined', true);
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS path = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN pg_catalog.concat_ws(' | ', SQLSTATE, SQLERRM, path, nullif(hint, ''));
END
$$;
SELECT sigma.create_input_table('{"id": "rules", "type": "empty", "columns": [{"name": "v", "type": "text"}]}');

-- required; an empty text is a value
SELECT * FROM rules_column('{"type": "text", "required": true}', ARRAY['x', '', NULL]);
-- NULL passes every other rule
SELECT * FROM rules_column('{"type": "number", "validation": {"min": 1, "max": 2, "values": [1, 2]}}', ARRAY[NULL, '1', '3']);
-- ranges in every ordered type; limits are inclusive
SELECT * FROM rules_column('{"type": "number", "validation": {"min": -0.5, "max": "1e3"}}', ARRAY['-0.5', '-0.51', '1000.0', '1000.01', 'NaN', 'Infinity']);
SELECT * FROM rules_column('{"type": "integer", "validation": {"min": -9223372036854775808, "max": 5}}', ARRAY['-9223372036854775808', '5', '6']);
SELECT * FROM rules_column('{"type": "float", "validation": {"min": 0.1, "max": 0.2}}', ARRAY['0.1', '0.2', '0.20001', '-1', 'NaN', '-Infinity']);
SELECT * FROM rules_column('{"type": "date", "validation": {"min": "2024-02-29", "max": "2024-12-31"}}', ARRAY['2024-02-29', '2024-02-28', '2025-01-01', 'infinity', '0044-03-15 BC', '10000-01-01']);
SELECT * FROM rules_column('{"type": "datetime", "validation": {"min": "2024-01-01T12:00:00+02:00"}}', ARRAY['2024-01-01 10:00:00', '2024-01-01 09:59:59.999999', '-infinity']);
-- digits of a decimal
SELECT * FROM rules_column('{"type": "decimal", "precision": 5, "scale": 2}', ARRAY['999.99', '-999.99', '1000', '1.123', '1.100', '0']);
SELECT * FROM rules_column('{"type": "number", "validation": {"precision": 3}}', ARRAY['999', '1000', '9.99', '99.99', '0.001', '0.0001', '100.00']);
-- lengths count characters, not bytes
SELECT * FROM rules_column('{"type": "text", "validation": {"min_length": 2, "max_length": 3}}', ARRAY['ab', 'abc', 'a', 'abcd', 'äöü', 'äöüß', 'ä']);
SELECT * FROM rules_column('{"type": "varchar", "length": 3}', ARRAY['abc', 'abcd']);
-- patterns: plain characters, regular expressions, none anchored
SELECT * FROM rules_column('{"type": "text", "validation": {"pattern": "ab-"}}', ARRAY['ab-', 'xab-x', 'aab-', 'ab', 'aba', 'b-ab-', '']);
SELECT * FROM rules_column('{"type": "text", "validation": {"pattern": "^[[:alpha:]]{2}-\\d+$"}}', ARRAY['ab-1', 'ab-', 'xab-1', 'AB-12']);
SELECT * FROM rules_column('{"type": "text", "validation": {"pattern": "(?i)^(a|b)+\\y"}}', ARRAY['ABBA', 'c', 'ab c']);
SELECT * FROM rules_column('{"type": "text", "validation": {"pattern": "***=a.b"}}', ARRAY['xa.by', 'axb']);
SELECT rules_try(format('INSERT INTO sigds.sigds_rules (v) VALUES (%L)', repeat('x', 1000) || 'a.b'));
-- patterns mean what operator ~ means: every pattern with every string
CREATE FUNCTION rules_differences(patterns text[], strings text[]) RETURNS TABLE (pattern text, string text, rule bool, operator bool) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH pattern IN ARRAY patterns LOOP
        PERFORM sigma.delete_input_table('rules', true);
        PERFORM sigma.create_input_table(jsonb_build_object('id', 'rules', 'type', 'empty', 'columns', jsonb_build_array(
            jsonb_build_object('name', 'v', 'type', 'text', 'validation', jsonb_build_object('pattern', pattern)))));
        FOREACH string IN ARRAY strings LOOP
            rule := rules_try(pg_catalog.format('INSERT INTO sigds.sigds_rules (v) VALUES (%L)', string)) = 'ok';
            operator := string ~ pattern;
            IF rule <> operator THEN
                RETURN NEXT;
            END IF;
        END LOOP;
    END LOOP;
END
$$;
SELECT * FROM rules_differences(ARRAY['^a', 'a$', '^a$', '^', '$', '^$', 'a*', '^a*$', '^a+b?c*$', '^a?b?c?$', 'a.c', '^.$', '^.{2,3}$', 'a{2}', '^a{2,}$', '^a{0,2}b$', '^a{1,3}?b', 'a{0}',
        '^[a-c]+$', '[^a-c]', '^[]a]+$', '^[^]a]+$', '[a-]', '^[-a]+$', '^[a\-c]+$', '[\d_]+$', '^\d{2}-\w+$', '\s', '\S', '^\.$', '\bc', '\yab\y', '^[[:alpha:]]+$', '[[:digit:][:upper:]]', '[[:punct:]]',
        '^[[:alnum:]-]+$', 'a|b', '(ab)+', '(?i)AB', '^a\^', 'a\$', '^[a-c]{2}[x-z]*\d?$', '[.]', '^[é]$', 'é', '^[^a]$', 'b+?c', 'ab*c+', 'x*y*z*$', '^x*y*z*$', '[^\w]', '^a{63}$', '^a{64}$', '^a{65}$',
        '^(a|b)+$', '^(ab|a)c?$', '(ab){2}', '^(a|bc)*$', '^(a|)b', '^((a|b)c?){2,3}$', 'a|b$', '^a|b', '^(a|b$)', '(a|^b)', '^(a|b)$', '^(US|DE)-\d{2}$', '[|]$', 'a{2}|b', '^(x|y*)z?$', '(?:ab)+', '(?=a)', '^(a+|b)*c$', '^(a?b?){2}$', 'a||b', '()', '^()$', '(a)\1', '^(aa|a){1,2}$', '^(ab)?(ab)?$', '^(a*)+$', '^(a{2}){2,}$'],
    ARRAY['', 'a', 'b', 'c', 'aa', 'ab', 'abc', 'aab', 'aabcc', 'ac', 'axc', 'a c', 'abab', 'a.c', 'a-c', '-', '.', ']', 'a]', ']a', 'A', 'AB', 'aAbB', '12', '12-ab', '12-', '1', '_', 'a_1',
        E'a\nc', E'\n', ' ', E'\t', 'é', 'aé', 'éa', 'ébc', '^', 'a^', '$', 'a$', '{', 'xyz', 'zyx', 'abxyz1', 'abx12', 'bbc', 'US-12', 'DE-1', 'ba', '|', '(', '^b', repeat('a', 63), repeat('a', 64), 'x' || repeat('a', 70)]);
DROP FUNCTION rules_differences;

-- formats
SELECT * FROM rules_column('{"type": "text", "validation": {"format": "email"}}',
    ARRAY['a@b.co', 'first.last+tag@sub.example.org', 'a@b', '@b.co', 'a@', 'a b@c.de', 'a@b..co', 'a@-b.co', 'a@b.c', 'a@b.co.', 'a@@b.co', 'ä@bücher.de', repeat('a', 65) || '@b.co']);
SELECT * FROM rules_column('{"type": "text", "validation": {"format": "phone"}}',
    ARRAY['+49 30 123456', '(030) 123-4567', '030/1234567', '123456', '1234567890123456', '+', '12+34567', '((030) 1234567', '030) 1234567', 'x1234567', '-1234567']);
SELECT * FROM rules_column('{"type": "text", "validation": {"format": "date"}}', ARRAY['2024-02-29', '2023-02-29', '1 March 2024', 'yesterday', '']);
SELECT * FROM rules_column('{"type": "text", "validation": {"format": "numeric"}}', ARRAY['1', '-1.5e3', '.5', '1,5', 'NaN', '', '-', '1e']);
SELECT * FROM rules_column('{"type": "text", "validation": {"format": "url"}}',
    ARRAY['https://example.org', 'ftp://x/y?z#a', 'example.org', 'https://', 'https:///x', 'https://a b', 'javascript:alert(1)', '1x://a']);
-- a format that the type sees to by itself
SELECT * FROM rules_column('{"type": "date", "validation": {"format": "date"}}', ARRAY['2024-01-01']);
-- lists, by value: 1.0 is 1; case counts
SELECT * FROM rules_column('{"type": "dropdown", "options": ["North", "South", "é"]}', ARRAY['North', 'north', 'é', '']);
SELECT * FROM rules_column('{"type": "number", "validation": {"values": [1, 2.50]}}', ARRAY['1.00', '2.5', '3']);
SELECT * FROM rules_column('{"type": "date", "validation": {"values": ["2024-01-01", "2024-06-01"]}}', ARRAY['2024-06-01', '2024-06-02']);
-- a list of many values
SELECT count(*) FILTER (WHERE answer = 'ok') AS taken, count(*) FILTER (WHERE answer LIKE '23514%') AS refused
FROM rules_column(jsonb_build_object('type', 'text', 'validation', jsonb_build_object('values',
        (SELECT jsonb_agg('value ' || i) FROM generate_series(1, 100000) i))),
    ARRAY['value 1', 'value 50000', 'value 100000', 'value 0', 'value 100001', 'value']);
-- multi-select: each value is in the list, lengths count values
SELECT * FROM rules_column('{"type": "multi-select", "validation": {"values": ["a", "b", "c"], "min_length": 1, "max_length": 2}}',
    ARRAY['{a}', '{a,b}', '{}', '{a,b,c}', '{a,x}', '{a,NULL}', '{{a},{b}}']);
-- files have a shape
SELECT * FROM rules_column('{"type": "file"}', ARRAY['{"name": "a.pdf", "url": "https://x/a.pdf", "size": 5, "media_type": "application/pdf"}',
    '{"name": "a"}', '{}', '[]', '{"name": "a", "size": -1}', '{"name": 1}', '{"name": "a", "path": "x"}']);
SELECT * FROM rules_column('{"type": "checkbox", "required": true}', ARRAY['true', 'no', NULL]);
SELECT * FROM rules_column('{"type": "json", "required": true}', ARRAY['null', '[1]', NULL]);
-- a warning never rejects
SELECT * FROM rules_column('{"type": "number", "required": true, "validation": {"max": 5, "severity": "warn"}}', ARRAY['5', '6', NULL]);
-- the rule's own message
SELECT * FROM rules_column('{"type": "number", "validation": {"max": 5, "message": "is too much to ask."}}', ARRAY['6']);
-- it stands behind a colon, since it is a sentence of its own; a made one goes on "Column ..."
SELECT sigma.delete_input_table('rules', true);
SELECT sigma.create_input_table('{"id": "rules", "name": "Books", "columns": [
    {"name": "ISBN", "type": "text", "validation": {"pattern": "^[0-9]{13}$", "message": "an ISBN has 13 digits."}},
    {"name": "Title", "type": "text", "required": true}]}');
INSERT INTO sigds.sigds_rules ("ISBN") VALUES ('12');
SELECT sigma.handle_data_entry('rules', '[{"ISBN": "12"}]');
SELECT sigma.update_input_table('rules', '{"columns": [
    {"name": "ISBN", "type": "text", "default_value": "none", "validation": {"pattern": "^[0-9]{13}$", "message": "an ISBN has 13 digits"}},
    {"name": "Title", "type": "text", "required": true}]}');

-- all failures of a row in one error, in the order of the columns
SELECT sigma.delete_input_table('rules', true);
SELECT sigma.create_input_table('{"id": "rules", "name": "Order list", "type": "empty", "columns": [
    {"name": "code", "type": "text", "unique": true, "validation": {"pattern": "^[A-Z]+$", "max_length": 4}},
    {"name": "The amount", "type": "number", "required": true, "validation": {"min": 10}},
    {"name": "note", "type": "text", "validation": {"min_length": 3, "severity": "warn"}}],
    "validation_rules": {"The amount": {"max": 20}, "code": {"min_length": 2}}}');
INSERT INTO sigds.sigds_rules (code, "The amount", note) VALUES ('AB', 10, 'x');
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT rules_try($$INSERT INTO sigds.sigds_rules (code, "The amount", note) VALUES ('abcde', 21, 'x')$$);
\set VERBOSITY default
INSERT INTO sigds.sigds_rules (code, "The amount", note) VALUES ('abcde', 21, 'x');
INSERT INTO sigds.sigds_rules (code, "The amount") VALUES ('AB', NULL);
INSERT INTO sigds.sigds_rules (code, "The amount") VALUES ('CD', 9);
INSERT INTO sigds.sigds_rules (code, "The amount") VALUES (repeat('A', 2001), 15);
SELECT code, "The amount" FROM sigds.sigds_rules ORDER BY sigma_row_id;

-- values are shown to who may read them
CREATE ROLE regress_rules_writer;
GRANT USAGE ON SCHEMA sigds TO regress_rules_writer;
GRANT INSERT, SELECT ("The amount") ON sigds.sigds_rules TO regress_rules_writer;
SET ROLE regress_rules_writer;
INSERT INTO sigds.sigds_rules (code, "The amount") VALUES ('AB', 3);
RESET ROLE;
GRANT SELECT ON sigds.sigds_rules TO regress_rules_writer;
SET ROLE regress_rules_writer;
INSERT INTO sigds.sigds_rules (code, "The amount") VALUES ('AB', 3);
RESET ROLE;
ALTER TABLE sigds.sigds_rules ENABLE ROW LEVEL SECURITY;
CREATE POLICY rules_all ON sigds.sigds_rules USING (true);
SET ROLE regress_rules_writer;
INSERT INTO sigds.sigds_rules (code, "The amount") VALUES ('AB', 3);
RESET ROLE;
ALTER TABLE sigds.sigds_rules DISABLE ROW LEVEL SECURITY;
DROP POLICY rules_all ON sigds.sigds_rules;
REVOKE ALL ON sigds.sigds_rules FROM regress_rules_writer;
REVOKE ALL ON SCHEMA sigds FROM regress_rules_writer;
DROP ROLE regress_rules_writer;

-- unique, also ignoring case; NULLs do not meet
SELECT * FROM rules_column('{"type": "text", "unique": true}', ARRAY['a', 'A', 'a', NULL, NULL]);
SELECT * FROM rules_column('{"type": "text", "unique": "ignore_case"}', ARRAY['Straße', 'STRAßE', 'x', 'X', NULL, NULL]);
SELECT * FROM rules_column('{"type": "number", "unique": true}', ARRAY['1', '1.0', '2']);
SELECT * FROM rules_column('{"type": "date", "unique": true}', ARRAY['2024-01-01', '2024-01-01']);
SELECT * FROM rules_column('{"type": "float", "unique": true}', ARRAY['0', '-0', '1']);
SELECT * FROM rules_column('{"type": "checkbox", "unique": true}', ARRAY['t', 'true', 'f']);

-- rules that change are in force at the next statement, in prepared ones too
SELECT * FROM rules_column('{"type": "number"}', ARRAY['50']);
PREPARE rules_insert AS INSERT INTO sigds.sigds_rules (v) VALUES ($1);
EXECUTE rules_insert(50);
SELECT sigma.update_input_table('rules', '{"validation_rules": {"v": {"max": 60}}}') IS NOT NULL AS changed;
EXECUTE rules_insert(61);
EXECUTE rules_insert(60);
BEGIN;
UPDATE sigma.sigma_input_tables SET validation_rules = '{"v": {"max": 70}}' WHERE id = 'rules';
EXECUTE rules_insert(61);
ROLLBACK;
EXECUTE rules_insert(61);
BEGIN;
SAVEPOINT s;
UPDATE sigma.sigma_input_tables SET validation_rules = NULL WHERE id = 'rules';
EXECUTE rules_insert(61);
ROLLBACK TO s;
EXECUTE rules_insert(61);
ROLLBACK;
UPDATE sigma.sigma_input_tables SET validation_rules = NULL WHERE id = 'rules';
EXECUTE rules_insert(61);
SELECT v FROM sigds.sigds_rules ORDER BY 1;
DEALLOCATE rules_insert;

--
-- definitions that are refused
--
SELECT rules_define('{"validation": {"max": 5}}');
SELECT rules_define('{"type": "number", "validation": {"min": "abc"}}');
SELECT rules_define('{"type": "integer", "validation": {"min": 0.5}}');
SELECT rules_define('{"type": "number", "validation": {"min": "NaN"}}');
SELECT rules_define('{"type": "float", "validation": {"max": "Infinity"}}');
SELECT rules_define('{"type": "float", "validation": {"max": 1e400}}');
SELECT rules_define('{"type": "integer", "validation": {"max": 9223372036854775808}}');
SELECT rules_define('{"type": "date", "validation": {"max": "2024-02-30"}}');
SELECT rules_define('{"type": "number", "validation": {"min": 2, "max": 1}}');
SELECT rules_define('{"type": "date", "validation": {"min": "2024-01-02"}}', '{"validation_rules": {"v": {"max": "2024-01-01"}}}');
SELECT rules_define('{"validation": {"min_length": 5, "max_length": 4}}');
SELECT rules_define('{"validation": {"min_length": -1}}');
SELECT rules_define('{"validation": {"max_length": 1.5}}');
SELECT rules_define('{"type": "number", "validation": {"max_length": 5}}');
SELECT rules_define('{"type": "number", "validation": {"precision": 0}}');
SELECT rules_define('{"type": "number", "validation": {"precision": 2, "scale": 3}}');
SELECT rules_define('{"type": "integer", "validation": {"precision": 2}}');
SELECT rules_define('{"validation": {"pattern": "a("}}');
SELECT rules_define('{"validation": {"pattern": "[b-a]"}}');
SELECT rules_define('{"validation": {"pattern": 5}}');
SELECT rules_define('{"type": "number", "validation": {"pattern": "1"}}');
SELECT rules_define('{"validation": {"format": "zip"}}');
SELECT rules_define('{"type": "number", "validation": {"format": "email"}}');
SELECT rules_define('{"validation": {"values": []}}');
SELECT rules_define('{"validation": {"values": "a"}}');
SELECT rules_define('{"validation": {"values": ["a", null]}}');
SELECT rules_define('{"type": "number", "validation": {"values": [1, "x"]}}');
SELECT rules_define('{"type": "checkbox", "validation": {"values": [true]}}');
SELECT left(rules_define(jsonb_build_object('validation', jsonb_build_object('values', (SELECT jsonb_agg(i::text) FROM generate_series(1, 100001) i)))), 200);
SELECT rules_define('{"type": "json", "unique": true}');
SELECT rules_define('{"type": "multi-select", "unique": true}');
SELECT rules_define('{"type": "file", "validation": {"unique": true}}');
SELECT rules_define('{"type": "number", "unique": "ignore_case"}');
SELECT rules_define('{"unique": "sometimes"}');
SELECT rules_define('{"validation": {"unique": true, "severity": "warn"}}');
SELECT rules_define('{"validation": {"maximum": 5}}');
SELECT rules_define('{"validation": {"severity": "fatal"}}');
SELECT rules_define('{"validation": {"formula": "[v] > 1"}}');
SELECT rules_define('{"validation": {"values_from": {"table": "x", "column": "y"}}}');
SELECT rules_define('{}', '{"row_rules": [{"unique": ["v"]}]}');
-- a rule in two places must be the same rule
SELECT rules_define('{"type": "number", "validation": {"max": 5}}', '{"validation_rules": {"v": {"max": 6}}}');
SELECT rules_define('{"type": "number", "validation": {"max": 5}}', '{"validation_rules": {"v": {"max": 5.0}}}');
SELECT rules_define('{"required": true}', '{"validation_rules": {"v": {"required": false}}}');
SELECT rules_define('{}', '{"validation_rules": {"w": {"max": 6}}}');
-- a default keeps its own rules
SELECT rules_define('{"type": "number", "default_value": 6, "validation": {"max": 5}}');
SELECT rules_define('{"type": "number", "default_value": 5, "validation": {"max": 5}}');
SELECT rules_define('{"type": "number", "default_value": "six"}');
SELECT rules_define('{"type": "date", "default_value": "2024-13-01"}');
SELECT rules_define('{"default_value": "b", "validation": {"values": ["a"]}}');
SELECT rules_define('{"type": "number", "default_value": 6, "validation": {"max": 5, "severity": "warn"}}');
SELECT rules_define('{"type": "number", "default_value": {"formula": "1 + 1"}}');
-- nothing of it was stored
SELECT count(*) FROM sigma.sigma_input_tables WHERE id = 'rules_defined';
SELECT to_regclass('sigds.sigds_rules_defined');

SELECT sigma.delete_input_table('rules', true);
DROP FUNCTION rules_try, rules_column, rules_define;

-- tables that come and go leave no compiled rules behind
CREATE TEMP TABLE rules_contexts AS
    SELECT count(*) AS n FROM pg_backend_memory_contexts WHERE name = 'sigma input table';
DO $$
BEGIN
    FOR i IN 1..20 LOOP
        PERFORM sigma.create_input_table('{"id": "rules_short", "columns": [{"name": "a", "type": "text", "validation": {"pattern": "^(a|b)\\w+$"}}]}');
        INSERT INTO sigds.sigds_rules_short (a) VALUES ('abc');
        PERFORM sigma.delete_input_table('rules_short', true);
        COMMIT;
    END LOOP;
END
$$;
SELECT count(*) - (SELECT n FROM rules_contexts) <= 1 AS freed
    FROM pg_backend_memory_contexts WHERE name = 'sigma input table';
