-- type sigma.formula: text form, binary form, comparison, limits
-- operators and their meaning: https://help.sigmacomputing.com/docs/operators-overview
\pset null ~
-- what a formula comes to: its canonical text, or "!", the character and the message of its error
CREATE FUNCTION formula_outcome(source text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
BEGIN
    RETURN source::sigma.formula::text;
EXCEPTION WHEN syntax_error THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN '!' || substring(detail FROM '^At character (\d+)') || ' ' || regexp_replace(message, '^(invalid|incomplete) formula: ', '');
END
$$;

-- the fixtures: files of lines "formula, tab, outcome"
CREATE TEMP TABLE fixture (file text, line int, source text, outcome text);
CREATE FUNCTION load_fixtures(file text, content text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO fixture
    SELECT file, n, split_part(line, E'\t', 1), split_part(line, E'\t', 2)
    FROM regexp_split_to_table(content, '\n') WITH ORDINALITY AS l (line, n)
    WHERE line LIKE E'%\t%'
$$;
\set content `cat "$PG_ABS_SRCDIR"/fixtures/formula/literals.tsv`
SELECT FROM load_fixtures('literals', :'content');
\set content `cat "$PG_ABS_SRCDIR"/fixtures/formula/references.tsv`
SELECT FROM load_fixtures('references', :'content');
\set content `cat "$PG_ABS_SRCDIR"/fixtures/formula/operators.tsv`
SELECT FROM load_fixtures('operators', :'content');
\set content `cat "$PG_ABS_SRCDIR"/fixtures/formula/calls.tsv`
SELECT FROM load_fixtures('calls', :'content');
\set content `cat "$PG_ABS_SRCDIR"/fixtures/formula/errors.tsv`
SELECT FROM load_fixtures('errors', :'content');
SELECT file, count(*) FROM fixture GROUP BY file ORDER BY file;
-- none of them comes to anything else
SELECT file, line, source, outcome AS expected, formula_outcome(source) AS actual
FROM fixture WHERE formula_outcome(source) IS DISTINCT FROM outcome ORDER BY file, line;
-- what is printed is read back as the same formula
SELECT file, line, outcome FROM fixture
WHERE outcome NOT LIKE '!%' AND (outcome::sigma.formula::text <> outcome OR outcome::sigma.formula OPERATOR(sigma.<>) source::sigma.formula);

-- blanks are those of ASCII; newlines are blanks outside texts and references
SELECT E'1\n\t+\r2 '::sigma.formula, E'"a\nb"'::sigma.formula, formula_outcome(E'[a\nb]');

-- errors as they are shown
SELECT '1 + '::sigma.formula;
SELECT 'If([Größe] > 1, 2 3)'::sigma.formula;
SELECT 'Rond([Price], 2)'::sigma.formula;
SELECT 'substr([a], 1)'::sigma.formula;
SELECT 'Frobnicate(1)'::sigma.formula;
SELECT 'DateDiff("day", [a])'::sigma.formula;
SELECT 'Region = "West"'::sigma.formula;
SELECT 'Today'::sigma.formula;
SELECT '"\d+"'::sigma.formula;
SELECT '1 < [x] < 3'::sigma.formula;
-- the excerpt ends on a character; a long word is not repeated
SELECT ('1 ' || repeat('東', 30))::sigma.formula;
SELECT (repeat('x', 100) || '(1)')::sigma.formula;

-- limits: size in both forms, depth of the tree and of parentheses
SELECT length((repeat('[a] or ', 20000) || '[a]')::sigma.formula::text) AS long_list;
SELECT (repeat('x', 1048577))::sigma.formula;
SELECT (repeat('1+', 300000) || '1')::sigma.formula;
SELECT length((repeat('(', 999) || '1' || repeat(')', 999))::sigma.formula::text) AS parentheses,
    length((repeat('-', 999) || '1')::sigma.formula::text) AS signs,
    length((repeat('Abs(', 999) || '1' || repeat(')', 999))::sigma.formula::text) AS calls,
    length(('[a]' || repeat('.b', 999))::sigma.formula::text) AS keys;
SELECT (repeat('(', 1000) || '1' || repeat(')', 1000))::sigma.formula;
SELECT ('[a]' || repeat('.b', 1000))::sigma.formula;
SELECT repeat('[a][', 100000)::sigma.formula;
SELECT repeat('{a:', 100000)::sigma.formula;
SELECT repeat('not ', 100000)::sigma.formula;
SELECT repeat('2^', 100000)::sigma.formula;
-- a small stack is an error, too
SET max_stack_depth = '100kB';
SELECT (repeat('(', 990) || '1' || repeat(')', 990))::sigma.formula;
RESET max_stack_depth;

-- NULL stays NULL
SELECT NULL::sigma.formula, NULL::text::sigma.formula;

-- comparison is that of canonical texts
SELECT 'if([a]>1,''x'')'::sigma.formula OPERATOR(sigma.=) 'If(([a] > 1), "x")' AS equal,
    '1 + 2'::sigma.formula OPERATOR(sigma.=) '2 + 1' AS swapped,
    '[a]'::sigma.formula OPERATOR(sigma.<>) '[A]' AS "case of names",
    '[a/b]'::sigma.formula OPERATOR(sigma.=) '[a\/b]' AS separator,
    '"1"'::sigma.formula OPERATOR(sigma.=) '1' AS kinds;
SELECT bool_and((a OPERATOR(sigma.<) b) = (b OPERATOR(sigma.>) a) AND (a OPERATOR(sigma.<=) b) = (b OPERATOR(sigma.>=) a)
        AND (a OPERATOR(sigma.<=) b) = NOT (a OPERATOR(sigma.>) b) AND sign(sigma.formula_cmp(a, b)) = -sign(sigma.formula_cmp(b, a))
        AND (sigma.formula_cmp(a, b) = 0) = (a::text = b::text)) AS "a total order"
FROM (SELECT DISTINCT outcome::sigma.formula AS a FROM fixture WHERE outcome NOT LIKE '!%' AND file IN ('literals', 'operators')) x,
    (SELECT DISTINCT outcome::sigma.formula AS b FROM fixture WHERE outcome NOT LIKE '!%' AND file IN ('literals', 'operators')) y;
-- sorted, hashed and indexed alike
CREATE TEMP TABLE formulas (f sigma.formula);
INSERT INTO formulas SELECT source::sigma.formula FROM fixture WHERE outcome NOT LIKE '!%';
SELECT count(DISTINCT f) = count(DISTINCT f::text) AS by_sort, count(DISTINCT f) AS "number" FROM formulas;
SET enable_sort = off;
SELECT count(*) AS by_hash FROM (SELECT f FROM formulas GROUP BY f) x;
RESET enable_sort;
CREATE INDEX formulas_btree ON formulas (f);
CREATE INDEX formulas_hash ON formulas USING hash (f);
SET enable_seqscan = off;
SELECT count(*) FROM formulas WHERE f OPERATOR(sigma.=) '1+2*3';
DROP INDEX formulas_hash;
SELECT count(*) FROM formulas WHERE f OPERATOR(sigma.=) '1+2*3';
SELECT f FROM formulas WHERE f OPERATOR(sigma.>=) 'True' AND f OPERATOR(sigma.<=) 'True' GROUP BY f;
DROP INDEX formulas_btree;
RESET enable_seqscan;
SELECT bool_and((a.f OPERATOR(sigma.=) b.f) = (sigma.formula_hash_extended(a.f, 7) = sigma.formula_hash_extended(b.f, 7))) AS "equal hashes"
FROM formulas a, formulas b;
-- out of line and compressed
INSERT INTO formulas SELECT (repeat('[Column ' || n || '] & ', 10000) || '"."')::sigma.formula FROM generate_series(1, 2) AS n;
SELECT left(f::text, 30) AS begin, length(f::text), pg_column_size(f) < 240000 AS compressed FROM formulas WHERE length(f::text) > 10000 ORDER BY f::text;
SELECT count(*) FROM formulas a JOIN formulas b ON a.f OPERATOR(sigma.=) b.f WHERE length(a.f::text) > 10000;
SELECT pg_column_size('[Spend] > [Budget]'::sigma.formula);

-- casts are explicit, both ways
CREATE TEMP TABLE texts (t text);
INSERT INTO texts SELECT f FROM formulas;
INSERT INTO formulas SELECT outcome FROM fixture;
SELECT castcontext, count(*) FROM pg_cast
WHERE 'sigma.formula'::regtype IN (castsource, casttarget) GROUP BY castcontext;

-- the binary form: a version and the text
SELECT sigma.formula_send('1+2');
CREATE TEMP TABLE received (f sigma.formula);
COPY received FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\004\0011+2\377\377"' (FORMAT binary);
SELECT * FROM received;
\set VERBOSITY terse
-- another version, a broken formula, a byte that is no character, nothing at all
COPY received FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\004\0021+2\377\377"' (FORMAT binary);
COPY received FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\004\0011+*\377\377"' (FORMAT binary);
COPY received FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\004\0011\377+\377\377"' (FORMAT binary);
COPY received FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\004\0011\000+\377\377"' (FORMAT binary);
COPY received FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\001\001\377\377"' (FORMAT binary);
COPY received FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\000\377\377"' (FORMAT binary);
\set VERBOSITY default
SELECT * FROM received;

-- as a column of a table, in arrays, in a domain
CREATE DOMAIN pg_temp.condition AS sigma.formula CHECK (VALUE OPERATOR(sigma.<>) 'Null');
SELECT ARRAY['1+1', '[a]']::sigma.formula[], 'null'::pg_temp.condition;
SELECT ARRAY['1+1', '"a, \"b\""']::sigma.formula[];

-- the functions: examples are formulas in canonical form, names are found in any case
SELECT category, count(*) FROM sigma.functions() GROUP BY category ORDER BY category COLLATE "C";
SELECT name, example FROM sigma.functions() WHERE example::sigma.formula::text <> example OR position(name || '(' IN example) = 0;
SELECT count(*), count(DISTINCT lower(name)) FROM sigma.functions();
-- one argument too few is refused with the signature, for every function that needs one
SELECT count(*) AS needs_arguments, count(*) FILTER (WHERE formula_outcome(upper(name) || '()') LIKE '!1 ' || name || ' expects %, found 0') AS refused
FROM sigma.functions() WHERE signature ~ '^\w+\(\w';
SELECT count(*) AS needs_none, count(*) FILTER (WHERE formula_outcome(lower(name) || '()') = name || '()') AS taken
FROM sigma.functions() WHERE signature !~ '^\w+\(\w';
SELECT name, signature, category, description, example FROM sigma.functions('ROUND');
SELECT name FROM sigma.functions('financial');
SELECT signature FROM sigma.functions() WHERE name IN ('If', 'Switch', 'Lookup', 'Rank', 'Now', 'ListAggDistinct') ORDER BY name;
SELECT count(*) FROM sigma.functions('no such thing');
SELECT (SELECT count(*) FROM sigma.functions(NULL)) = (SELECT count(*) FROM sigma.functions('')) AS "all";

-- everything of the type has a comment
SELECT count(*) AS without_comment FROM (
    SELECT obj_description(oid, 'pg_proc') AS c FROM pg_proc WHERE pronamespace = 'sigma'::regnamespace AND proname ~ '^formula_|^functions$'
    UNION ALL SELECT obj_description(oid, 'pg_operator') FROM pg_operator WHERE oprleft = 'sigma.formula'::regtype
    UNION ALL SELECT obj_description(oid, 'pg_opclass') FROM pg_opclass WHERE opcintype = 'sigma.formula'::regtype
    UNION ALL SELECT obj_description(oid, 'pg_opfamily') FROM pg_opfamily WHERE opfnamespace = 'sigma'::regnamespace
    UNION ALL SELECT obj_description(oid, 'pg_cast') FROM pg_cast WHERE 'sigma.formula'::regtype IN (castsource, casttarget)
    UNION ALL SELECT obj_description('sigma.formula'::regtype, 'pg_type')) x WHERE c IS NULL;
SELECT amname, opcname, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod WHERE opcintype = 'sigma.formula'::regtype ORDER BY amname;

DROP DOMAIN pg_temp.condition;
DROP FUNCTION formula_outcome, load_fixtures;

-- hints for the habits of other languages, and for types that do not fit
CREATE FUNCTION pg_temp.hint_of(f text, context jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE m text; h text;
BEGIN
    PERFORM sigma.eval(f::sigma.formula, context);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, h = PG_EXCEPTION_HINT;
    RETURN m || ' | ' || h;
END $$;
SELECT f, pg_temp.hint_of(f) FROM unnest(ARRAY[
    '"a" || "b"', '[a] == 1', '= 1', 'True && False', '!True', '[a] in (1, 2)', '[a] not in (1)', '[a] is null', '([a] like "x")',
    '[a] between 1 and 2', 'Count(*)', 'And(True, False)', '(or True)', 'Length("a")', 'AVERAGE(1)', 'Nvl(1, 2)', 'Substr("a", 1)',
    'Concatenate("a")', 'Xyzzyplugh(1)', 'Ronud(1)', 'Date("2026-01-01") + 1', '1 + Today()', 'Today() - Date("2026-01-01")',
    'Today() * 2', '"1" = 1', '1 > "1"', '1 = 1']) WITH ORDINALITY AS u (f, n) ORDER BY n;
SELECT f, pg_temp.hint_of(f, '{"controls": {"n": "5"}}') FROM unnest(ARRAY['[n] + 1', '[Control/n] > 1', 'Round([n])', '[n] and True', '[n] & "a"']) WITH ORDINALITY AS u (f, n) ORDER BY n;
SELECT array_agg(name) FILTER (WHERE n <= 6) AS "begin so", bool_or(name = 'Today') AS "are described so"
FROM sigma.functions('date') WITH ORDINALITY AS f (name, signature, category, description, example, n);
