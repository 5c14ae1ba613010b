-- financial functions of formulas, called directly; through formulas: fixtures/eval/financial.tsv
-- https://help.sigmacomputing.com/docs/financial-functions-overview
\pset null ~
SET extra_float_digits = 0;
-- https://help.sigmacomputing.com/docs/fv https://help.sigmacomputing.com/docs/pv https://help.sigmacomputing.com/docs/pmt
SELECT round(sigma.fn_fv(0.1 / 12, 60, -1000, 0, 0)::numeric, 2) AS fv, round(sigma.fn_pv(0.1, 5, 12000, 0, 0)::numeric, 2) AS pv,
    round(sigma.fn_pmt(0.07 / 12, 360, 250000, 0, 0)::numeric, 2) AS pmt, round(sigma.fn_ipmt(0.07 / 12, 1, 360, 10000, 0, 0)::numeric, 2) AS ipmt,
    round(sigma.fn_ppmt(0.07 / 12, 1, 360, 10000, 0, 0)::numeric, 2) AS ppmt, round(sigma.fn_nper(0.01, -100, 5000, 0, 0)::numeric, 2) AS nper;
-- each solves the equation of the others, whatever the rate
SELECT rate, type FROM (VALUES (0::float8), (1e-15), (1e-9), (0.01), (0.5), (0.9), (-0.2)) AS r (rate), (VALUES (0::float8), (1)) AS t (type),
    LATERAL (SELECT sigma.fn_pmt(rate, 12, 1000, -300, type) AS pmt) AS p
WHERE abs(sigma.fn_fv(rate, 12, pmt, 1000, type) + 300) > 1e-3 OR abs(sigma.fn_pv(rate, 12, pmt, -300, type) - 1000) > 1e-6
    OR abs(sigma.fn_nper(rate, pmt, 1000, -300, type) - 12) > 1e-3 AND rate <> 1e-15
    OR abs((SELECT sum(sigma.fn_ppmt(rate, i, 12, 1000, -300, type)) FROM generate_series(1, 12) AS i) + 700) > 1e-6 AND type = 0
    OR EXISTS (SELECT FROM generate_series(1, 12) AS i
               WHERE abs(sigma.fn_ppmt(rate, i, 12, 1000, -300, type) + sigma.fn_ipmt(rate, i, 12, 1000, -300, type) - pmt) > 1e-9);
-- no value
SELECT rate, sigma.fn_fv(rate, 10, -100, 0, 0), sigma.fn_pv(rate, 10, -100, 0, 0), sigma.fn_pmt(rate, 10, -100, 0, 0), sigma.fn_nper(rate, -100, 10, 0, 0),
    sigma.fn_ipmt(rate, 1, 10, -100, 0, 0), sigma.fn_ppmt(rate, 1, 10, -100, 0, 0)
FROM (VALUES (-1::float8), (-1.5), ('-Infinity'), ('NaN'), (NULL)) AS v (rate);
SELECT period, sigma.fn_ipmt(0.1, period, 3, 8000, 0, 0) IS NULL, sigma.fn_ppmt(0.1, period, 3, 8000, 0, 0) IS NULL
FROM (VALUES (0::float8), (0.5), (1), (3), (3.5), (4)) AS v (period);
SELECT sigma.fn_pmt(0.1, 0, 100, 0, 0), sigma.fn_nper(0, 0, 100, 0, 0), sigma.fn_nper(0.01, -50, 5000, 0, 0), sigma.fn_nper(0.01, 100, 5000, 0, 0);
-- out of range
SELECT sigma.fn_fv(9, 10000, -1, 0, 0);
SELECT sigma.fn_fv(9, 10000, 0, -1, 0);
SELECT sigma.fn_pv(-0.9, 10000, 0, 1, 0);
SELECT sigma.fn_fv('Infinity', 10, -1, 0, 0);
SELECT sigma.fn_fv(9, 10000, 0, 0, 0), sigma.fn_pv(9, 10000, -9, 0, 0), sigma.fn_pmt(9, 10000, -1, 0, 0), sigma.fn_pmt(-0.9, 10000, -1, 0, 0);

-- https://help.sigmacomputing.com/docs/effect https://help.sigmacomputing.com/docs/nominal https://help.sigmacomputing.com/docs/cagr
SELECT rate, periods, round(sigma.fn_effect(rate, periods)::numeric, 9) AS effect, round(sigma.fn_nominal(rate, periods)::numeric, 9) AS nominal
FROM (VALUES (0.0678::float8, 12::float8), (0.05, 1), (0.05, 12.9), (1e-12, 12), (0, 12), (-0.05, 12), (0.05, 0.9), (0.05, 0), (NULL, 12)) AS v (rate, periods);
SELECT periods, begin_value, end_value, sigma.fn_cagr(periods, begin_value, end_value)
FROM (VALUES (4::float8, 3000::float8, 48000::float8), (1, 100, 50), (2, 100, 0), (-2, 100, 0), (0, 1, 2), (2, 0, 1), (2, 1, -1), (2, -1, -4), (-1, 1, 2), ('NaN', 1, 2)) AS v (periods, begin_value, end_value);
SELECT sigma.fn_cagr(0.001, 1, 10);

-- https://help.sigmacomputing.com/docs/xnpv: its example with a date that exists, 30 April
CREATE TEMP TABLE xnpv_payment (n int, value float8, paid timestamp);
INSERT INTO xnpv_payment
SELECT n, value, to_timestamp(paid, 'MM/DD/YYYY')::timestamp
FROM unnest(ARRAY[-6380, 9680, -1000, -9680, 1000, 2340, 1000, -2500, 5200, 2300, 4400, 5060, 5760, 6360],
    ARRAY['03/28/2021', '07/28/2021', '08/27/2021', '08/29/2021', '09/28/2021', '09/30/2021', '10/19/2021', '11/01/2021', '12/03/2021', '01/02/2022',
        '02/02/2022', '03/02/2022', '04/01/2022', '04/30/2022']) WITH ORDINALITY AS v (value, paid, n);
SELECT round(sigma.fn_xnpv(0.2, value, paid)::numeric, 2) FROM xnpv_payment;
-- the order of rows does not matter, nor the time of day, nor rows with a Null
SELECT round(sigma.fn_xnpv(0.2, value, paid + '13 hours' ORDER BY n * 5 % 14)::numeric, 2) FROM xnpv_payment;
SELECT round(sigma.fn_xnpv(0.2, value, paid)::numeric, 2) FROM (TABLE xnpv_payment UNION ALL VALUES (0, NULL, '1900-01-01'::timestamp), (0, 5, NULL)) AS v (n, value, paid);
SELECT sigma.fn_xnpv(0, value, paid) AS sum, sigma.fn_xnpv(-1, value, paid), sigma.fn_xnpv(n, value, paid) AS changing, sigma.fn_xnpv(NULL, value, paid) AS unknown,
    sigma.fn_xnpv(0.2, value, paid) FILTER (WHERE n > 20) AS no_rows, sigma.fn_xnpv(0.2, value, 'infinity') AS forever, sigma.fn_xnpv('NaN', value, paid)
FROM xnpv_payment;
SELECT round(sigma.fn_xnpv(0.1, v, d)::numeric, 6) FROM (VALUES (100::float8, '1969-12-31 23:00'::timestamp), (110, '1970-12-31 01:00')) AS p (v, d);
SELECT sigma.fn_xnpv(-0.99, v, d) FROM (VALUES (1::float8, '0001-01-01'::timestamp), (1, '9999-01-01')) AS p (v, d);
-- as a window function, for every row anew
SELECT n, round(sigma.fn_xnpv(0.2, value, paid) OVER (ORDER BY n DESC)::numeric, 2) FROM xnpv_payment ORDER BY n LIMIT 3;
DROP TABLE xnpv_payment;
