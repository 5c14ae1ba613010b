-- mathematical functions of formulas, called directly; through formulas: fixtures/eval/math.tsv
-- https://help.sigmacomputing.com/docs/math-functions-overview
\pset null ~
SET extra_float_digits = 0;
-- none of them lacks a comment or may not be inlined into an index or a parallel plan
SELECT p.oid::regprocedure FROM pg_proc AS p
WHERE p.pronamespace = 'sigma'::regnamespace AND p.proname ~ '^fn_(round(up|down)?|ceiling|floor|mround|trunc|sqrt|ln|log|power|cot|acos|asin|div|iseven|isodd|binfixed|distance.*)$'
    AND (p.provolatile <> 'i' OR NOT p.proisstrict OR p.proparallel <> 's' OR obj_description(p.oid) IS NULL)
ORDER BY 1;

-- rounding: a number keeps its form
-- https://help.sigmacomputing.com/docs/round https://help.sigmacomputing.com/docs/roundup
-- https://help.sigmacomputing.com/docs/rounddown https://help.sigmacomputing.com/docs/trunc
SELECT form, pg_typeof(result) FROM (VALUES
    ('int4', sigma.fn_round(15, -1)), ('int8', sigma.fn_round(15::int8, -1))) AS v (form, result);
SELECT pg_typeof(sigma.fn_round(1.5, 0)), pg_typeof(sigma.fn_trunc(1.5::float8, 0));
-- decimals as float: the number that is written counts, not the nearest float
SELECT x, digits, sigma.fn_round(x, digits), sigma.fn_roundup(x, digits), sigma.fn_rounddown(x, digits), sigma.fn_trunc(x, digits)
FROM (VALUES (1.005::float8, 2), (-1.005, 2), (2.675, 2), (0.29, 2), (1.1 * 1.1, 2), (0.1 + 0.2::float8, 1),
    (8.5, 0), (0.49999999999999994, 0), (-0.4, 0), (1e300, 2), (1e300, -299), (5e-324, 3), (123456789012345.67, 1), (-15, -1), (14, -2),
    (1234567890123456, 1), (1e22, -3), (1.5e300, -300), (1.25e-30, 31), (1e-300, 302), ('NaN', 2), ('Infinity', -1), (0, 5), (1.5, 2147483647)) AS v (x, digits);
SELECT sigma.fn_round(1.5::float8, -2147483648), sigma.fn_trunc(1.5::float8, -400);
SELECT sigma.fn_roundup(1.5::float8, -400);
SELECT sigma.fn_round(1.7e308::float8, -308);
SELECT n, digits, sigma.fn_round(n, digits), sigma.fn_roundup(n, digits), sigma.fn_rounddown(n, digits), sigma.fn_trunc(n, digits)
FROM (VALUES (1.005, 2), (-1.005, 2), (1.50, 5), (1.999, 0), (-1.999, 0), (1250, -2), (-1250, -2), ('NaN', 1), ('-Infinity', 1),
    (0, -5), (99999999999999999999.5, 0), (0.00, 1)) AS v (n, digits);
SELECT n, digits, sigma.fn_round(n, digits), sigma.fn_roundup(n, digits), sigma.fn_rounddown(n, digits), sigma.fn_trunc(n, digits)
FROM (VALUES (1250::int8, -2), (-1250, -2), (1249, -2), (9223372036854775807, 0), (9223372036854775800, -1), (5, -18), (0, -30), (7, 3)) AS v (n, digits);
SELECT sigma.fn_round(9223372036854775807, -1);
SELECT sigma.fn_roundup(1::int8, -19);
SELECT sigma.fn_rounddown(-9223372036854775808, -3);
SELECT sigma.fn_round(-9223372036854775808, -18), sigma.fn_round(4999999999999999999, -19), sigma.fn_round(2147483647, -1),
    sigma.fn_rounddown(-2147483648, -1);
-- floats are rounded as their decimal text is, at every digit
SELECT i, digits, x, f.name, f.fast, f.exact FROM generate_series(-60000, 60000, 101) AS i, generate_series(-3, 10) AS digits,
    LATERAL (SELECT (i / 1000.0)::float8 * CASE i % 3 WHEN 0 THEN 1 WHEN 1 THEN 0.1 ELSE 1000 END AS x) AS x,
    LATERAL (VALUES ('round', sigma.fn_round(x, digits), sigma.fn_round(x::numeric, digits)::float8),
        ('up', sigma.fn_roundup(x, digits), sigma.fn_roundup(x::numeric, digits)::float8),
        ('down', sigma.fn_rounddown(x, digits), sigma.fn_rounddown(x::numeric, digits)::float8),
        ('trunc', sigma.fn_trunc(x, digits), sigma.fn_trunc(x::numeric, digits)::float8)) AS f (name, fast, exact)
WHERE digits <> 0 AND f.fast::text <> f.exact::text LIMIT 5;

-- multiples
-- https://help.sigmacomputing.com/docs/ceiling https://help.sigmacomputing.com/docs/floor https://help.sigmacomputing.com/docs/mround
SELECT n, factor, sigma.fn_ceiling(n, factor), sigma.fn_floor(n, factor), sigma.fn_mround(n, factor)
FROM (VALUES (7, 5), (-7, 5), (7, -5), (-7, -5), (7.5, 5), (-7.5, 5), (0, 5), (0.3, 0.1), (1, 3), (10, 0.3), (1e30, 7), (1, 1e-20), (7, 0),
    ('NaN', 5), ('NaN', 0), ('Infinity', 5), ('-Infinity', -5), ('Infinity', 0), (7, 'NaN'), (7, 'Infinity'), (NULL, 1), (1, NULL)) AS v (n, factor);

-- domains
SELECT x, sigma.fn_sqrt(x), sigma.fn_ln(x), sigma.fn_log(x, 10), sigma.fn_cot(x), sigma.fn_acos(x), sigma.fn_asin(x)
FROM (VALUES (1::float8), (0), (-0.0::float8), (-1), (2), (1e-320), ('NaN'), (NULL)) AS v (x);
SELECT sigma.fn_sqrt('Infinity'), sigma.fn_ln('Infinity'), sigma.fn_sqrt('-Infinity'), sigma.fn_acos('Infinity'), sigma.fn_asin('-Infinity');
SELECT sigma.fn_cot('Infinity');
SELECT n, base, sigma.fn_log(n, base) FROM (VALUES (1024::float8, 2::float8), (1000, 10), (243, 3), (0.2, 5), (1, 7), (8, 0.5), (8, 1), (8, 0),
    (8, -2), (-8, 2), (1, 1), ('Infinity', 3), (3, 'Infinity'), ('NaN', 2), (2, 'NaN')) AS v (n, base);
SELECT n, exponent, sigma.fn_power(n, exponent) FROM (VALUES (2::float8, -1::float8), (0, 0), (0, -1), (0, -0.5), (-8, 1.0 / 3), (-8, 3), (-8, -3),
    ('NaN', 0), (1, 'NaN'), (-1, 'NaN'), ('-Infinity', 0.5), ('Infinity', -1), (-2, 'Infinity'), (-0.0::float8, -3)) AS v (n, exponent);
SELECT sigma.fn_power(10, 309);

-- quotients, parity
-- https://help.sigmacomputing.com/docs/div https://help.sigmacomputing.com/docs/iseven https://help.sigmacomputing.com/docs/isodd
SELECT a, b, sigma.fn_div(a, b) FROM (VALUES (19, 5), (-19, 5), (19, -5), (0.9, 0.3), (1, 0), (0, 0), (1e40, 3), ('NaN', 0), ('NaN', 1),
    ('Infinity', 2), (2, 'Infinity'), (NULL, 1)) AS v (a, b);
SELECT n, sigma.fn_iseven(n), sigma.fn_isodd(n), sigma.fn_iseven(n::float8), sigma.fn_isodd(n::float8)
FROM (VALUES (0), (1), (-1), (2.9), (-3.9), (1e20), ('NaN'), ('Infinity'), (NULL)) AS v (n);
SELECT n, sigma.fn_iseven(n), sigma.fn_isodd(n) FROM (VALUES (9223372036854775807), (-9223372036854775808), (-9223372036854775807)) AS v (n);

-- bins: https://help.sigmacomputing.com/docs/binfixed
SELECT value, low, high, bins, sigma.fn_binfixed(value, low, high, bins)
FROM (VALUES (90::numeric, 0::numeric, 90::numeric, 3), (-1, 0, 90, 3), (0.3, 0, 0.9, 3), (45, 0, 90, 0), (45, 0, 90, -2147483648), (1000, 0, 90, 2147483647), (45, 90, 0, 3),
    (1, 1, 1, 3), ('NaN', 0, 1, 3), ('Infinity', 0, 1, 3), (1, '-Infinity', 1, 3), (1, 0, 'NaN', 3), (NULL, 0, 1, 3)) AS v (value, low, high, bins);

-- distances: https://help.sigmacomputing.com/docs/distanceglobe https://help.sigmacomputing.com/docs/distanceplane
SELECT round(sigma.fn_distanceglobe(lat1, lon1, lat2, lon2)::numeric, 3) AS km FROM (VALUES (0::float8, 0::float8, 0::float8, 90::float8), (0, 0, 0, 180), (45, 0, -45, 180),
    (52.5, 13.4, 52.5, 373.4), ('Infinity', 0, 0, 0), ('NaN', 0, 0, 0), (NULL, 0, 0, 0)) AS v (lat1, lon1, lat2, lon2);
SELECT sigma.fn_distanceplane(0, 0, 3e200, 4e200) / 1e200, sigma.fn_distanceplane(0, 0, 'Infinity', 1), sigma.fn_distanceplane('NaN', 0, 0, 0);
SELECT sigma.fn_distanceplane(0, 0, 1.5e308, 1.5e308);
