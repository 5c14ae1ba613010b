-- The README's reference of the formula language, from the table of functions: psql -XqAt -f test/tap/functions_reference.sql
-- prints it; test/tap/readme.pl compares.
SELECT string_agg(format(E'**%s**\n\n| function | |\n| --- | --- |\n%s\n', category, rows), E'\n' ORDER BY place)
FROM (
    SELECT category, min(n) AS place,
        string_agg(format('| `%s` | %s, as `%s` |', signature, replace(description, '|', '\|'), replace(example, '|', '\|')), E'\n' ORDER BY n) AS rows
    FROM sigma.functions() WITH ORDINALITY AS f (name, signature, category, description, example, n)
    GROUP BY category) c;
