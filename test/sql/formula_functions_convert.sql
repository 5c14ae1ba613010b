-- type conversions of formulas: https://help.sigmacomputing.com/docs/type-functions-overview
-- none of these settings may show
SET TimeZone = 'Asia/Tokyo';
SET DateStyle = 'German, DMY';
SET IntervalStyle = 'sql_standard';
SET extra_float_digits = -15;
\pset null ~

-- Text: https://help.sigmacomputing.com/docs/text
SELECT sigma.fn_text('ä'::text), sigma.fn_text(''::text), sigma.fn_text(NULL), sigma.fn_text(NULL::date);
SELECT sigma.fn_text((-2147483648)::int4), sigma.fn_text(9223372036854775807::int8), sigma.fn_text(true), sigma.fn_text(false);
SELECT n, sigma.fn_text(n::numeric) FROM unnest(ARRAY['2.5000000000000000', '1200', '0.00', '-0.10', '1e30', '1e-30', 'NaN', '-Infinity']) AS n;
SELECT n, sigma.fn_text(n::float8) FROM unnest(ARRAY['2.5', '1200', '0', '-0', '0.1', '-0.001', '123456789.125', '9007199254740993', '1e15', '1e20', '123456789012345678901',
    '1e21', '-1.5e22', '1e-6', '1.25e-7', '-1e-7', '1e-8', '1.7976931348623157e308', '5e-324', '0.30000000000000004', 'NaN', 'Infinity', '-Infinity']) AS n;
SELECT d, sigma.fn_text(d::timestamp) FROM unnest(ARRAY['2024-01-31', '2024-01-31 16:30', '2024-01-31 16:30:00.5', '2024-01-31 16:30:00.000001', '0044-03-15 BC', '294276-12-31', 'infinity', '-infinity']) AS d;
SELECT sigma.fn_text('2024-01-31'::date), sigma.fn_text('-infinity'::date);
SELECT j, sigma.fn_text(j::jsonb) FROM unnest(ARRAY['"a \"b\" ä"', '""', '2.50', '1e3', 'true', 'null', '[]', '{}', '[1, "a", null, {"b": [2.50, {}]}]', '{"b": 2, "a": [], "ä\n": "\u0001\""}']) AS j;
SELECT sigma.fn_text(ARRAY['a', 'b "c"', NULL, '']), sigma.fn_text('{}'::text[]);
-- deep and wide
SELECT length(sigma.fn_text((repeat('[', 900) || repeat(']', 900))::jsonb)), length(sigma.fn_text(('[' || repeat('{"a":1},', 9999) || '0]')::jsonb));

-- Number: https://help.sigmacomputing.com/docs/number
SELECT n, sigma.fn_number(n) FROM unnest(ARRAY['5.073456E10', '12', ' 12 ', '+1', '-0.5', '.5', '1.', '1e-3', '00012', '123456789012345678901234567890',
    '953,486', '75%', '$75.3', '#876', 'True', '', ' ', '1e', '1 2', '--1', '1e999999999', '0x10', '1_000', '٣', 'NaN', 'Infinity', '12ä', NULL]) AS n;
SELECT sigma.fn_number('1e1000') = 1e1000 AS large, sigma.fn_number('1e131071') IS NOT NULL AS largest, sigma.fn_number('1e131072') AS too_large, sigma.fn_number('1e-16384') AS too_small;
SELECT sigma.fn_number(7::int4), sigma.fn_number((-9223372036854775808)::int8), sigma.fn_number(2.50), sigma.fn_number(0.1::float8), sigma.fn_number(1e300::float8) = 1e300::numeric AS large,
    sigma.fn_number(0.30000000000000004::float8), sigma.fn_number('NaN'::float8), sigma.fn_number(true), sigma.fn_number(false), sigma.fn_number(ARRAY['1']);
SELECT d, sigma.fn_number(d::timestamp) FROM unnest(ARRAY['2023-07-12 22:58:26', '1970-01-01', '1969-12-31 23:59:59.5', '2024-01-01 00:00:00.999999', 'infinity']) AS d;
SELECT sigma.fn_number('1970-01-02'::date);
SELECT j, sigma.fn_number(j::jsonb) FROM unnest(ARRAY['12.50', '"12.50"', '"75%"', 'true', 'false', 'null', '[1]', '{}', '""']) AS j;

-- Logical: https://help.sigmacomputing.com/docs/logical
SELECT n, sigma.fn_logical(n) FROM unnest(ARRAY['true', 'tRuE', ' FALSE ', 'false', 'yes', 't', '1', '', 'truee', 'wahr', NULL]) AS n;
SELECT sigma.fn_logical(0::int4), sigma.fn_logical(-1::int4), sigma.fn_logical(0::int8), sigma.fn_logical(5::int8), sigma.fn_logical(0.00), sigma.fn_logical(0.01),
    sigma.fn_logical(0::float8), sigma.fn_logical('-0'::float8), sigma.fn_logical('NaN'::float8), sigma.fn_logical(false), sigma.fn_logical('2024-01-01'::date), sigma.fn_logical(ARRAY['true']);
SELECT j, sigma.fn_logical(j::jsonb) FROM unnest(ARRAY['true', 'false', '"TRUE"', '"x"', '0', '0.0', '2', 'null', '[true]', '{}']) AS j;

-- Date, DateTime: https://help.sigmacomputing.com/docs/date , https://help.sigmacomputing.com/docs/datetime
SELECT n, sigma.fn_text(sigma.fn_date(n)) AS date, sigma.fn_text(sigma.fn_datetime(n)) AS datetime
FROM unnest(ARRAY['2020-01-31', '2020-01-31 04:00:00', '2020-01-31T04:05', '2020-01-31 04:00:00.25', '2020-01-31T23:00:00Z', '2020-01-31 23:00-02:00', ' 2020-01-31 ', '2024-03-14 00:00:00.000 Z',
    '01/31/2020', '1/2/2020', '13/01/2020', '01/31/2020 4:05 pm', '31.01.2020', '2023-02-29', '2023-13-01', '0000-01-01', '20200131', '2020', 'rubbish', '', 'now', 'today', 'infinity', 'epoch', '2020-01-31 25:00',
    '1503724894', '２０２０-01-01', NULL]) AS n;
SELECT sigma.fn_text(sigma.fn_date(1503724894)) AS int4, sigma.fn_text(sigma.fn_date(15037248940)) AS int8, sigma.fn_text(sigma.fn_date(1503724894.5)) AS numeric,
    sigma.fn_text(sigma.fn_date(-0.25::float8)) AS float8, sigma.fn_text(sigma.fn_date('2024-01-31'::date)) AS date, sigma.fn_text(sigma.fn_date('2024-01-31 10:00'::timestamp)) AS timestamp;
SELECT sigma.fn_date(1e300), sigma.fn_date('1e400'::numeric), sigma.fn_date('NaN'::numeric), sigma.fn_date('Infinity'::float8), sigma.fn_date(9223372036854775807), sigma.fn_date(true), sigma.fn_date(ARRAY['2024-01-01']);
SELECT j, sigma.fn_text(sigma.fn_date(j::jsonb)) AS date, sigma.fn_text(sigma.fn_datetime(j::jsonb)) AS datetime
FROM unnest(ARRAY['"2020-01-31"', '"01/31/2020"', '1503724894', '1e400', 'true', 'null', '["2020-01-31"]', '{}']) AS j;
SELECT sigma.fn_text(sigma.fn_datetime(5)), sigma.fn_text(sigma.fn_datetime(5::int8)), sigma.fn_text(sigma.fn_datetime(5.5)), sigma.fn_text(sigma.fn_datetime(5.5::float8)),
    sigma.fn_datetime(true), sigma.fn_text(sigma.fn_datetime('2024-01-31'::date)), sigma.fn_datetime(ARRAY['x']);

-- Variant, Json: https://help.sigmacomputing.com/docs/json
SELECT n, sigma.fn_json(n) FROM unnest(ARRAY['[1, 2]', ' {"a": 1.50} ', '"x"', 'null', 'true', '', '{', '{a: 1}', '[1,]', '"\ud83d\ude00"', '"\u0000"', 'ä', NULL]) AS n;
SELECT sigma.fn_json(1), sigma.fn_json(1::int8), sigma.fn_json(1.50), sigma.fn_json(0.1::float8), sigma.fn_json(true), sigma.fn_json(ARRAY['a']), sigma.fn_json('2024-01-31'::date), sigma.fn_json('{"a": 1}'::jsonb);
SELECT sigma.fn_variant(1), sigma.fn_variant(1::int8), sigma.fn_variant(1.50), sigma.fn_variant('NaN'::numeric), sigma.fn_variant('-Infinity'::float8), sigma.fn_variant(0.1::float8);
SELECT sigma.fn_variant('[1]'::text), sigma.fn_variant(''::text), sigma.fn_variant(NULL), sigma.fn_variant(true), sigma.fn_variant(ARRAY['ä', NULL, '']), sigma.fn_variant('{}'::text[]);
SELECT sigma.fn_variant(d::timestamp) FROM unnest(ARRAY['2024-03-14', '2024-03-14 01:02:03.004', '2024-03-14 01:02:03.004005', '0044-03-15 BC', 'infinity']) AS d;
-- a text that does not fit JSON's depth is no JSON
SELECT sigma.fn_json(repeat('[', 100000) || repeat(']', 100000)) IS NULL;
-- all of them are functions of their argument alone
SELECT DISTINCT provolatile, proparallel FROM pg_proc WHERE pronamespace = 'sigma'::regnamespace AND proname ~ '^fn_(text|number|logical|date|datetime|json|variant)$';
