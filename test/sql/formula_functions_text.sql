-- functions of formulas on texts, called directly; through formulas: fixtures/eval/text.tsv
-- https://help.sigmacomputing.com/docs/text-functions-overview
\pset null ~
-- none of them lacks a comment or may not be inlined into an index or a parallel plan
SELECT p.oid::regprocedure FROM pg_proc AS p
WHERE p.pronamespace = 'sigma'::regnamespace AND p.proname ~ '^fn_(concat|textjoin|contains|endswith|right|mid|[lr]pad|repeat|splitpart|regexpextract|sha256|urlpart)$'
    AND (p.provolatile <> 'i' OR NOT p.proisstrict OR p.proparallel <> 's' OR obj_description(p.oid) IS NULL)
ORDER BY 1;

-- joining: https://help.sigmacomputing.com/docs/concat
SELECT texts, '[' || sigma.fn_concat(texts) || ']' AS concat, '[' || sigma.fn_textjoin('、', texts) || ']' AS textjoin
FROM (VALUES (ARRAY['a', 'b']), ('{}'), ('{NULL}'), ('{a,NULL,c}'), ('{"",""}'), ('{東,京}'), ('{{a,b},{c,d}}'), (NULL)) AS v (texts);
SELECT sigma.fn_textjoin(NULL, '{a}');
-- values of more than a page, as they lie in a table
CREATE TEMP TABLE texts_stored (a text);
ALTER TABLE texts_stored ALTER COLUMN a SET STORAGE EXTERNAL;
INSERT INTO texts_stored VALUES (repeat('x', 100000)), (repeat('東京', 50000)), ('short');
SELECT length(sigma.fn_concat(ARRAY[a, '-', a])), length(sigma.fn_lpad(a, 200000, '東')), sigma.fn_right(a, 2), sigma.fn_endswith(a, '京'),
    sigma.fn_contains(a, ARRAY['hort', '京東京']), sigma.fn_mid(a, 4, 2), length(sigma.fn_repeat(a, 3)), sigma.fn_regexpextract(a, '.$', 1)
FROM texts_stored;
DROP TABLE texts_stored;

-- parts: https://help.sigmacomputing.com/docs/contains https://help.sigmacomputing.com/docs/endswith
SELECT given, parts, sigma.fn_contains(given, parts) FROM (VALUES ('abc', ARRAY['b']), ('abc', '{B}'), ('abc', '{x,c}'), ('abc', '{x,NULL}'), ('abc', '{NULL,a}'),
    ('abc', '{}'), ('abc', '{""}'), ('', '{""}'), ('', '{a}'), (NULL, '{a}'), ('abc', NULL)) AS v (given, parts);
SELECT given, part, sigma.fn_endswith(given, part) FROM (VALUES ('abc', 'bc'), ('abc', 'BC'), ('abc', 'abcd'), ('abc', ''), ('', ''), ('東京', '京'), ('a', NULL)) AS v (given, part);
SELECT n, sigma.fn_right('東京大学', n), '[' || sigma.fn_mid('東京大学', n) || ']' AS rest, '[' || sigma.fn_mid('東京大学', n, 2) || ']' AS mid
FROM (VALUES (1), (2), (4), (5), (0), (-1), (-9), (2147483647), (-2147483648), (NULL)) AS v (n);
SELECT '[' || sigma.fn_mid('abc', 2, -1) || ']', sigma.fn_mid('abc', 2, 2147483647), '[' || sigma.fn_mid('abc', -2147483648, 2147483647) || ']';
SELECT place, sigma.fn_splitpart('a--b--c', '--', place) FROM (VALUES (1), (3), (4), (-1), (-4), (0), (2147483647), (-2147483648)) AS v (place);

-- filling: https://help.sigmacomputing.com/docs/lpad https://help.sigmacomputing.com/docs/rpad https://help.sigmacomputing.com/docs/repeat
SELECT length, fill, '[' || sigma.fn_lpad('東京', length, fill) || ']' AS lpad, '[' || sigma.fn_rpad('東京', length, fill) || ']' AS rpad
FROM (VALUES (5, '-'), (6, 'äbc'), (7, 'äbc'), (2, '-'), (1, '-'), (0, '-'), (-2147483648, '-'), (5, ''), (2147483647, '')) AS v (length, fill);
SELECT n, sigma.fn_repeat('東', n) FROM (VALUES (2), (1), (0), (-2147483648)) AS v (n);
-- nothing is allocated for what would be too long
SELECT length(sigma.fn_repeat('x', 67108864)), length(sigma.fn_lpad('x', 67108864, 'y')), sigma.fn_repeat('', 2147483647) = '';
SELECT sigma.fn_repeat('x', 67108865);
SELECT sigma.fn_repeat('東京', 2147483647);
SELECT sigma.fn_lpad('x', 67108865, 'y');
SELECT sigma.fn_rpad('x', 2147483647, '東');

-- regular expressions: https://help.sigmacomputing.com/docs/regexpextract
SELECT given, pattern, place, '[' || sigma.fn_regexpextract(given, pattern, place) || ']' AS extract
FROM (VALUES ('a1b22', '\d+', 1), ('a1b22', '\d+', 2), ('a1b22', '\d+', 3), ('k=v;k=w', 'k=(.)', 2), ('k=v', '(k)=(v)', 1), ('k=v', '(?:k)=v', 1), ('b', '(a)?b', 1),
    ('abc', '', 4), ('abc', '', 5), ('', '^', 1), ('東京大阪', '(?<=京).', 1), ('ABC', '(?i)b', 1), ('a', 'a', 0), ('a', 'a', -2147483648), ('a', 'a', 2147483647)) AS v (given, pattern, place);
SELECT sigma.fn_regexpextract('a', 'a{2,1}', 1);
-- as many matches as PostgreSQL counts
SELECT given, pattern, regexp_count(given, pattern), (SELECT count(*) FROM generate_series(1, 20) AS i WHERE sigma.fn_regexpextract(given, pattern, i) IS NOT NULL) AS places
FROM (VALUES ('abcabc', 'x*'), ('xxaxx', 'x*'), ('aaa', 'a'), ('a b c', '\y'), ('', 'x*'), ('東東', '東?')) AS v (given, pattern);
SELECT sigma.fn_sha256('') = encode(sha256(''), 'hex'), sigma.fn_sha256('a\000') = encode(sha256(convert_to('a\000', 'UTF8')), 'hex'), sigma.fn_sha256(NULL);

-- https://help.sigmacomputing.com/docs/urlpart
SELECT url, sigma.fn_urlpart('scheme', url) AS scheme, sigma.fn_urlpart('authority', url) AS authority, sigma.fn_urlpart('userinfo', url) AS userinfo,
    sigma.fn_urlpart('host', url) AS host, sigma.fn_urlpart('port', url) AS port, sigma.fn_urlpart('path', url) AS path, sigma.fn_urlpart('query', url) AS query,
    sigma.fn_urlpart('fragment', url) AS fragment
FROM (VALUES ('https://me:pw@www.example.com:1234/path/to?a=b&c#frag'), ('http://[2001:db8::1]:8080'), ('http://[2001:db8::1]/'), ('http://[broken:80/'), ('//host/p'),
    ('/p?q'), ('?#'), ('mailto:a@b.c'), ('a@b:c'), ('1http://x'), ('http://a@b@c:1:2/'), ('http://?q'), ('http:'), (':'), (''), ('例え:テスト')) AS v (url);
SELECT sigma.fn_urlpart('Host', 'http://x'), sigma.fn_urlpart('hosts', 'http://x'), sigma.fn_urlpart('', 'http://x'), sigma.fn_urlpart(NULL, 'http://x');
