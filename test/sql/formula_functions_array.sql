-- array functions of formulas: https://help.sigmacomputing.com/docs/arraylength and their pages
\pset null ~

-- Array: https://help.sigmacomputing.com/docs/array
SELECT sigma.fn_array('1', NULL, '"ä"', 'null', '[2]', '{"a": true}'), sigma.fn_array(NULL), sigma.fn_array(VARIADIC '{}');

-- ArrayLength
SELECT sigma.fn_arraylength(ARRAY['a', NULL]), sigma.fn_arraylength('{}'::text[]), sigma.fn_arraylength(NULL::text[]);
SELECT j, sigma.fn_arraylength(j::jsonb) FROM unnest(ARRAY['[]', '[1]', '[1, null, [2, 3]]', '{"a": 1}', '"text"', 'null', NULL]) AS j;

-- ArrayContains: https://help.sigmacomputing.com/docs/arraycontains
SELECT j, sigma.fn_arraycontains('["vip", 1, 2.50, null, true, [1, 2], {"a": 1}, "", "東京"]', j::jsonb)
FROM unnest(ARRAY['"vip"', '"VIP"', '"vi"', '1', '1.0', '"1"', '2.5', 'null', 'true', 'false', '[1, 2]', '[2, 1]', '{"a": 1.0}', '{}', '""', '"東京"', '"東"', NULL]) AS j;
SELECT sigma.fn_arraycontains('[]', '1'), sigma.fn_arraycontains('{"a": 1}', '"a"'), sigma.fn_arraycontains('"a"', '"a"'), sigma.fn_arraycontains('null', 'null'), sigma.fn_arraycontains(NULL, '1');

-- ArrayConcat: https://help.sigmacomputing.com/docs/arrayconcat
SELECT sigma.fn_arrayconcat('[1, null]', '[]', '[[2], {"a": "ä"}]') AS three, sigma.fn_arrayconcat('[]', '[]') AS empty, sigma.fn_arrayconcat('[1]', NULL) AS nothing,
    sigma.fn_arrayconcat('[1]', 'null') AS json_null, sigma.fn_arrayconcat('[1]', '{"a": 1}') AS object, sigma.fn_arrayconcat('[1]', '1') AS scalar, sigma.fn_arrayconcat(VARIADIC '{}') AS none;

-- ArrayDistinct: https://help.sigmacomputing.com/docs/arraydistinct
SELECT sigma.fn_arraydistinct('["b", "a", null, "b", 1, 1.0, "1", null, [1], [1.0], {"x": 1, "y": 2}, {"y": 2, "x": 1}, true, "A", ""]');
SELECT sigma.fn_arraydistinct('[]'), sigma.fn_arraydistinct('{"a": 1}'), sigma.fn_arraydistinct('null'), sigma.fn_arraydistinct(NULL);
SELECT jsonb_array_length(sigma.fn_arraydistinct(jsonb_agg('v' || i % 1000))) FROM generate_series(1, 20000) AS i;

-- ArrayExcept, ArrayIntersection: https://help.sigmacomputing.com/docs/arrayexcept , https://help.sigmacomputing.com/docs/arrayintersection
SELECT a, b, sigma.fn_arrayexcept(a::jsonb, b::jsonb) AS except, sigma.fn_arrayintersection(a::jsonb, b::jsonb) AS intersection
FROM (VALUES ('[1, 2, 2, 3, 1]', '[2.0, 4]'), ('["a", null, null]', '[null]'), ('[null, 1]', '["x"]'), ('[]', '[1]'), ('[1, 1]', '[]'), ('[[1], {"a": 1}]', '[{"a": 1.0}]'),
    ('["ä", "Ä"]', '["Ä"]'), ('[1]', '{"a": 1}'), ('{"a": 1}', '[1]'), ('"x"', '["x"]'), ('[1]', 'null'), ('null', '[1]'), ('[1]', NULL), (NULL, '[1]')) AS v (a, b);

-- ArrayJoin: https://help.sigmacomputing.com/docs/arrayjoin
SELECT sigma.fn_arrayjoin('["red", null, "blue"]', ' or ', '*') AS documented, sigma.fn_arrayjoin('[[1,"a"], {"b":2}, "c", 3]', ';') AS nested, sigma.fn_arrayjoin('["red", null, "blue"]', ',') AS dropped,
    sigma.fn_arrayjoin('[null, null]', ',') AS nulls, sigma.fn_arrayjoin('[null, null]', ',', '') AS replaced, sigma.fn_arrayjoin('[]', ',') AS empty;
SELECT sigma.fn_arrayjoin('["", "東", "", 1.50, true, "a\"b"]', '—') AS kinds, sigma.fn_arrayjoin('[1, 2]', '') AS glued, sigma.fn_arrayjoin('{"a": 1}', ',') AS object,
    sigma.fn_arrayjoin('"x"', ',') AS scalar, sigma.fn_arrayjoin('null', ',') AS json_null;
SELECT sigma.fn_arrayjoin(NULL, ','), sigma.fn_arrayjoin('[1]', NULL), sigma.fn_arrayjoin('[1]', ',', NULL);

-- ArraySlice: https://help.sigmacomputing.com/docs/arrayslice
SELECT start, length, sigma.fn_arrayslice('["a", "b", null, "d"]', start) AS rest, sigma.fn_arrayslice('["a", "b", null, "d"]', start, length) AS slice
FROM (VALUES (0, 2), (1, 9), (3, 1), (4, 1), (99, 1), (-1, 1), (-3, 2), (-99, 2), (0, 0), (0, -1), (9223372036854775807, 9223372036854775807), (-9223372036854775808, -9223372036854775808), (NULL, 1), (1, NULL)) AS v (start, length);
SELECT sigma.fn_arrayslice('[[1, 2], {"a": [3]}]', 1), sigma.fn_arrayslice('[]', 0), sigma.fn_arrayslice('{"a": 1}', 0), sigma.fn_arrayslice('null', 0), sigma.fn_arrayslice(NULL, 0);

-- ArrayCompact
SELECT sigma.fn_arraycompact('[null, 1, null, [null], "", false]'), sigma.fn_arraycompact('[null]'), sigma.fn_arraycompact('[]'), sigma.fn_arraycompact('{"a": null}'), sigma.fn_arraycompact(NULL);

-- Sequence: https://help.sigmacomputing.com/docs/sequence
SELECT first, last, step, sigma.fn_sequence(first, last, step)
FROM (VALUES (-3, 10, 3), (1, 1, 1), (1, 1, -1), (3, 1, -1), (1, 3, -1), (3, 1, 1), (1, 3, 0), (5, 5, 0), (9223372036854775806, 9223372036854775807, 1), (9223372036854775806, 9223372036854775807, 2),
    (-9223372036854775807, -9223372036854775808, -1), (-9223372036854775808, 9223372036854775807, 9223372036854775807), (9223372036854775807, -9223372036854775808, -9223372036854775808), (NULL, 1, 1)) AS v (first, last, step);
SELECT jsonb_array_length(sigma.fn_sequence(1, 1000000, 1)), jsonb_array_length(sigma.fn_sequence(0, -9999990, -10));
SELECT sigma.fn_sequence(0, 1000000, 1);
\set VERBOSITY sqlstate
SELECT sigma.fn_sequence(1, 1000000000000, 1);
SELECT sigma.fn_sequence(-9223372036854775808, 9223372036854775807, 1);
SELECT sigma.fn_sequence(9223372036854775807, -9223372036854775808, -1);
\set VERBOSITY default

-- SplitToArray: https://help.sigmacomputing.com/docs/splittoarray
SELECT given, delimiter, sigma.fn_splittoarray(given, delimiter)
FROM (VALUES ('bbb', 'b'), ('a,b', ','), ('abc', ''), ('', ''), ('', ','), ('a', ','), (',', ','), ('a--b-c', '--'), ('a---b', '--'), ('東京大学', ''), ('東京、大阪', '、'), ('東', '京'), ('a', 'abc'),
    ('"x"', '"'), (NULL, ','), ('a', NULL)) AS v (given, delimiter);
SELECT jsonb_array_length(sigma.fn_splittoarray(repeat('ä,', 100000), ','));

-- RaggedHierarchy: levels that are there
SELECT sigma.fn_raggedhierarchy('"DE"', NULL, '"Köln"'), sigma.fn_raggedhierarchy('null', '1', '[1, 2]', '{"a": 1}'), sigma.fn_raggedhierarchy(NULL), sigma.fn_raggedhierarchy(VARIADIC '{}');

-- deep entries
SELECT jsonb_array_length(sigma.fn_arraydistinct(jsonb_build_array(d, d, 1))) AS distinct, length(sigma.fn_arrayjoin(jsonb_build_array(d, d), ',')) AS joined,
    jsonb_array_length(sigma.fn_arrayconcat(jsonb_build_array(d), jsonb_build_array(d))) AS concat
FROM (SELECT (repeat('[', 900) || repeat(']', 900))::jsonb) AS deep (d);
