-- date functions of formulas: https://help.sigmacomputing.com/docs/date-functions-overview
-- neither of these settings may show
SET TimeZone = 'America/New_York';
SET DateStyle = 'SQL, DMY';
SET lc_time = 'C';
\pset null ~

-- DateFromUnix and its like: https://help.sigmacomputing.com/docs/datefromunix
SELECT n, sigma.fn_text(sigma.fn_datefromunix(n)) AS seconds, sigma.fn_text(sigma.fn_datefromunixms(n)) AS millis
FROM unnest(ARRAY[0, 1503724894, 1503724894000, -0.000001, 0.0000004, 1e18, 1e19, 1e300, 'NaN', 'Infinity', NULL]::float8[]) AS n;
SELECT sigma.fn_text(sigma.fn_datefromunixus(1503724894000001)), sigma.fn_text(sigma.fn_datefromunixus(-1)),
    sigma.fn_datefromunixus(9223372036854775807), sigma.fn_datefromunixus('-9223372036854775808');
-- whole seconds stay whole where their product has no float8
SELECT sigma.fn_text(sigma.fn_datefromunix(9224318015999)), sigma.fn_text(sigma.fn_datefromunix(9224318016000));

-- DateAdd: https://help.sigmacomputing.com/docs/dateadd
SELECT unit, sigma.fn_text(sigma.fn_dateadd(unit, 1, '2024-01-31 23:59:59.5')) AS later,
    sigma.fn_text(sigma.fn_dateadd(unit, -1, '2024-03-31 00:00')) AS earlier,
    sigma.fn_text(sigma.fn_dateadd(unit, 0, '2024-02-29')) AS same
FROM unnest(ARRAY['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'MONTH']) AS unit;
SELECT sigma.fn_text(sigma.fn_dateadd('year', 1, '2024-02-29')) AS leap, sigma.fn_text(sigma.fn_dateadd('year', -1, '0001-01-01')) AS bc,
    sigma.fn_text(sigma.fn_dateadd('month', -25, '0001-01-31')) AS bc_month;
-- out of range, and what is not a number of days
SELECT unit, sigma.fn_dateadd(unit, 9223372036854775807, '2024-01-31') AS later,
    sigma.fn_dateadd(unit, '-9223372036854775808', '2024-01-31') AS earlier
FROM unnest(ARRAY['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second']) AS unit;
SELECT sigma.fn_text(sigma.fn_dateadd('second', 1, '294276-12-31 23:59:58')) AS last, sigma.fn_dateadd('second', 2, '294276-12-31 23:59:58'),
    sigma.fn_dateadd('month', -1, '4713-01-01 BC') IS NULL AS first, sigma.fn_text(sigma.fn_dateadd('day', 1, '-infinity')) AS infinite;
SELECT sigma.fn_dateadd(NULL, 1, '2024-01-31'), sigma.fn_dateadd('day', NULL, '2024-01-31'), sigma.fn_dateadd('day', 1, NULL);
\set VERBOSITY sqlstate
SELECT sigma.fn_dateadd('millisecond', 1, '2024-01-31');
SELECT sigma.fn_dateadd('', 1, '2024-01-31');
\set VERBOSITY default
SELECT sigma.fn_dateadd('Tag für Tag', 1, '2024-01-31');

-- DateDiff: boundaries are counted; https://help.sigmacomputing.com/docs/datediff
SELECT unit, sigma.fn_datediff(unit, '2023-12-31 23:59:59.999', '2024-01-01') AS forward,
    sigma.fn_datediff(unit, '2024-01-01', '2023-12-31 23:59:59.999') AS back, sigma.fn_datediff(unit, '2020-02-29', '2024-02-28 12:00') AS years
FROM unnest(ARRAY['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond']) AS unit;
-- weeks begin on Sunday: 2024-03-02 is a Saturday
SELECT sigma.fn_datediff('week', '2024-03-02', '2024-03-03') AS saturday, sigma.fn_datediff('week', '2024-03-03', '2024-03-04') AS sunday,
    sigma.fn_datediff('week', '1999-12-31', '2000-01-02') AS begin_2000, sigma.fn_datediff('week', '1969-12-27', '1969-12-28') AS before_1970;
SELECT sigma.fn_datediff('day', '4713-01-01 BC', '294276-12-31') AS all, sigma.fn_datediff('day', '-infinity', '2024-01-01') AS infinite,
    sigma.fn_datediff('day', NULL, '2024-01-01') AS nothing;
SELECT sigma.fn_datediff('days', '2024-01-01', '2024-01-02');

-- DateTrunc: https://help.sigmacomputing.com/docs/datetrunc
SELECT unit, sigma.fn_text(sigma.fn_datetrunc(unit, '2024-08-15 13:14:15.678')) AS trunc, sigma.fn_text(sigma.fn_datetrunc(unit, '1969-03-02 23:59:59.999999')) AS before_1970
FROM unnest(ARRAY['year', 'quarter', 'month', 'week', 'week_starting_sunday', 'Week_Starting_Monday', 'day', 'hour', 'minute', 'second']) AS unit;
-- as PostgreSQL where both mean the same, over 3000 years; weeks a day earlier
SELECT unit, count(*) AS dates, count(*) FILTER (WHERE sigma.fn_datetrunc(unit, d) IS DISTINCT FROM pg_catalog.date_trunc(unit, d)) AS different
FROM unnest(ARRAY['year', 'quarter', 'month', 'day', 'hour', 'minute', 'second']) AS unit,
    generate_series('0500-01-01 BC'::timestamp, '2500-01-01', '97 days 3 hours 7 minutes 5.5 seconds') AS d GROUP BY unit ORDER BY unit;
SELECT count(*) AS dates, count(*) FILTER (WHERE sigma.fn_datetrunc('week', d) <> date_trunc('week', d + '1 day'::interval) - '1 day'::interval) AS sunday,
    count(*) FILTER (WHERE sigma.fn_datetrunc('week_starting_monday', d) <> date_trunc('week', d)) AS monday
FROM generate_series('0500-01-01 BC'::timestamp, '2500-01-01', '97 days 3 hours') AS d;
SELECT sigma.fn_datetrunc('month', '4714-11-24 BC') IS NULL AS first, sigma.fn_text(sigma.fn_datetrunc('year', 'infinity')) AS infinite, sigma.fn_datetrunc('day', NULL);
SELECT sigma.fn_datetrunc('weekday', '2024-01-01');

-- DatePart: https://help.sigmacomputing.com/docs/datepart
SELECT unit, sigma.fn_datepart(unit, '2007-01-10 04:05:06.789') AS documented, sigma.fn_datepart(unit, '2023-12-31 23:59:59.999999') AS end,
    sigma.fn_datepart(unit, '0044-03-15 BC') AS bc
FROM unnest(ARRAY['year', 'quarter', 'month', 'week', 'day', 'weekday', 'day_of_year', 'hour', 'minute', 'second', 'millisecond', 'epoch']) AS unit;
-- week 1 is the one with January 1
SELECT d::date - '2000-01-01'::date AS day, sigma.fn_datepart('week', d) AS week
FROM unnest(ARRAY['2022-01-01', '2022-01-02', '2022-12-31', '2023-01-01', '2023-01-08', '2028-12-30', '2028-12-31']::timestamp[]) AS d;
SELECT unit, count(*) AS dates, count(*) FILTER (WHERE sigma.fn_datepart(unit, d) <> trunc(date_part(part, d)) + plus) AS different
FROM (VALUES ('year', 'year', 0), ('quarter', 'quarter', 0), ('month', 'month', 0), ('day', 'day', 0), ('weekday', 'dow', 1),
    ('day_of_year', 'doy', 0), ('hour', 'hour', 0), ('minute', 'minute', 0), ('second', 'second', 0), ('epoch', 'epoch', 0)) AS p (unit, part, plus),
    generate_series('0500-01-01 BC'::timestamp, '2500-01-01', '97 days 3 hours 7 minutes 5 seconds') AS d GROUP BY unit ORDER BY unit;
SELECT sigma.fn_datepart('year', 'infinity'), sigma.fn_datepart('year', NULL), sigma.fn_datepart(NULL, '2024-01-01');
SELECT sigma.fn_datepart('week_starting_monday', '2024-01-01');

-- WeekdayName, MonthName: https://help.sigmacomputing.com/docs/weekdayname
SELECT string_agg(sigma.fn_weekdayname(d), ' ' ORDER BY d) FROM generate_series('2024-03-03'::timestamp, '2024-03-09', '1 day') AS d;
SELECT string_agg(sigma.fn_monthname(d), ' ' ORDER BY d) FROM generate_series('2024-01-31'::timestamp, '2024-12-31', '1 month') AS d;
SELECT sigma.fn_weekdayname(NULL), sigma.fn_monthname('-infinity');

-- LastDay, EndOfMonth: https://help.sigmacomputing.com/docs/endofmonth
SELECT unit, sigma.fn_text(sigma.fn_lastday('2023-03-07', unit)) AS last, sigma.fn_text(sigma.fn_lastday('2024-02-29 23:59:59.5', unit)) AS leap
FROM unnest(ARRAY['year', 'quarter', 'month', 'week', 'week_starting_monday']) AS unit;
SELECT sigma.fn_lastday('294276-12-31', 'month'), sigma.fn_lastday(NULL, 'month');
SELECT sigma.fn_lastday('2024-02-29', 'day');

-- MakeDate: https://help.sigmacomputing.com/docs/makedate
SELECT sigma.fn_text(sigma.fn_makedate(2019, 1, 31, 16, 30, 0)) AS documented, sigma.fn_text(sigma.fn_makedate(2024, 2, 29, 23, 59, 59.999999)) AS last,
    sigma.fn_text(sigma.fn_makedate(1, 1, 1, 0, 0, 0)) AS first;
SELECT sigma.fn_makedate(y, m, d, h, mi, s) FROM (VALUES (2023, 13, 40, 0, 0, 0), (2023, 2, 29, 0, 0, 0), (0, 1, 1, 0, 0, 0), (-5, 1, 1, 0, 0, 0),
    (2147483647, 1, 1, 0, 0, 0), (2023, 0, 1, 0, 0, 0), (2023, 1, 0, 0, 0, 0), (2023, 1, 1, 24, 0, 0), (2023, 1, 1, 0, 60, 0),
    (2023, 1, 1, 0, 0, 60.0::float8), (2023, 1, 1, 0, 0, -1), (2023, 1, 1, 0, 0, 'NaN'), (NULL, 1, 1, 0, 0, 0)) AS v (y, m, d, h, mi, s);

-- BusinessDays: Mondays to Fridays, both ends counted
SELECT sigma.fn_businessdays('2024-03-01', '2024-03-01') AS friday, sigma.fn_businessdays('2024-03-02', '2024-03-03') AS weekend,
    sigma.fn_businessdays('2024-03-01', '2024-03-04 00:00:01') AS over_weekend, sigma.fn_businessdays('2024-03-04', '2024-03-01') AS back,
    sigma.fn_businessdays('2024-01-01', '2024-12-31') AS year, sigma.fn_businessdays('infinity', '2024-12-31') AS infinite;
SELECT count(*) AS pairs, count(*) FILTER (WHERE sigma.fn_businessdays(a, b) <> (SELECT count(*) FROM generate_series(a, b, '1 day') AS d WHERE extract(isodow FROM d) < 6)) AS different
FROM generate_series('1999-12-20'::timestamp, '2000-01-10', '1 day') AS a, generate_series(a, a + '20 days'::interval, '1 day') AS b;

-- DateFormat: https://help.sigmacomputing.com/docs/dateformat
SELECT token, sigma.fn_dateformat('2024-03-05 16:07:08.009010', '%' || token) AS afternoon, sigma.fn_dateformat('0987-12-31 00:00', '%' || token) AS midnight
FROM regexp_split_to_table('YyqmBbAadHIMSpLfZ%', '') AS token;
SELECT sigma.fn_dateformat('2024-03-05', '%d.%m.%Y – Tag %d, 100 %%, 東京') AS unicode, sigma.fn_dateformat('2024-03-05', '') AS empty,
    sigma.fn_dateformat('2024-03-05 12:00', '%I %p') AS noon, sigma.fn_dateformat('10000-01-01', '%Y-%y') AS large, sigma.fn_dateformat('infinity', '%Y') AS infinite;
SELECT sigma.fn_dateformat(NULL, '%Y'), sigma.fn_dateformat('2024-03-05', NULL);
SELECT sigma.fn_dateformat('2024-03-05', '%Y %j');
SELECT sigma.fn_dateformat('2024-03-05', '%');
SELECT sigma.fn_dateformat('2024-03-05', '%東');

-- DateParse: https://help.sigmacomputing.com/docs/dateparse
SELECT given, format, sigma.fn_text(sigma.fn_dateparse(given, format)) AS date FROM (VALUES
    ('03-Sep-2020:03:05:13', '%d-%b-%Y:%H:%M:%S'), ('3-9-2020', '%d-%m-%Y'), ('20200903', '%Y%m%d'), ('1/2/69', '%m/%d/%y'), ('1/2/70', '%m/%d/%y'),
    ('september 3, 2020', '%B %d, %Y'), ('Thursday 03 SEP 2020', '%A %d %b %Y'), ('Mon 03 Sep 2020', '%a %d %b %Y'), ('12:30 AM', '%I:%M %p'), ('12:30 pm', '%I:%M %p'),
    ('11:00', '%I:%M'), ('2020-09-03T10:11:12.5Z', '%Y-%m-%dT%H:%M:%S.%L%Z'), ('2020-09-03 10:11:12.000001 +02:30', '%Y-%m-%d %H:%M:%S.%f %Z'),
    ('2020-09-03 00:30 -0130', '%Y-%m-%d %H:%M %Z'), ('2020 utc', '%Y %Z'), ('100% 2020', '100%% %Y'), ('  2020   09', ' %Y %m'), ('2020年9月3日', '%Y年%m月%d日'),
    ('', '')) AS v (given, format);
SELECT given, format, sigma.fn_dateparse(given, format) AS date FROM (VALUES
    ('2020-02-30', '%Y-%m-%d'), ('2020-13-01', '%Y-%m-%d'), ('2020-00-01', '%Y-%m-%d'), ('0000-01-01', '%Y-%m-%d'), ('20-01-01', '%Y-%m-%d'), ('2020-01-01x', '%Y-%m-%d'),
    ('2020-01', '%Y-%m-%d'), ('', '%Y'), ('x', ''), ('24:00', '%H:%M'), ('23:60', '%H:%M'), ('00:00:60', '%H:%M:%S'), ('0:00', '%I:%M'), ('13:00', '%I:%M'), ('1 xm', '%I %p'),
    ('03 Sop 2020', '%d %b %Y'), ('2020 +25:00', '%Y %Z'), ('2020 +', '%Y %Z'), ('2020 CET', '%Y %Z'), ('2020年', '%Y月'), (NULL, '%Y'), ('2020', NULL)) AS v (given, format);
SELECT sigma.fn_dateparse('1', '%q');
SELECT sigma.fn_dateparse('x', '%Y %k');
-- reading what was written
SELECT count(*) AS dates, count(*) FILTER (WHERE sigma.fn_dateparse(sigma.fn_dateformat(d, f), f) IS DISTINCT FROM d) AS different
FROM unnest(ARRAY['%Y-%m-%d %H:%M:%S.%f', '%A, %d. %B %Y, %I:%M:%S.%f %p %Z', '%f%Y%d%b%S%M%H']) AS f,
    generate_series('0001-01-01'::timestamp, '2500-01-01', '97 days 3 hours 7 minutes 5.123456 seconds') AS d;

-- ConvertTimezone: https://help.sigmacomputing.com/docs/converttimezone
SELECT sigma.fn_text(sigma.fn_converttimezone('2014-07-18 10:58:00', 'America/Los_Angeles', 'America/New_York')) AS documented,
    sigma.fn_text(sigma.fn_converttimezone('2024-01-01 00:00', 'Asia/Kolkata', 'UTC')) AS half_hour, sigma.fn_text(sigma.fn_converttimezone('2024-01-01', 'Europe/Berlin')) AS from_utc;
SET sigma.timezone = 'Europe/Berlin';
SELECT sigma.fn_text(sigma.fn_converttimezone('2024-07-01 12:00', 'UTC')) AS from_berlin, sigma.fn_converttimezone(NULL, 'UTC'), sigma.fn_converttimezone('2024-07-01', NULL);
SELECT sigma.fn_converttimezone('2024-07-01', 'Mars/Olympus');
SELECT sigma.fn_converttimezone('2024-07-01', 'UTC', '');

-- Now, Today: https://help.sigmacomputing.com/docs/now
SELECT sigma.fn_now() = statement_timestamp() AT TIME ZONE 'Europe/Berlin' AS now, sigma.fn_today() = date_trunc('day', sigma.fn_now()) AS today,
    sigma.fn_currenttimezone() AS zone;
SET sigma.timezone = 'pacific/AUCKLAND';
SELECT sigma.fn_now() = statement_timestamp() AT TIME ZONE 'Pacific/Auckland' AS now, sigma.fn_currenttimezone() AS zone;
-- names of zones, and nothing else that PostgreSQL reads as one
SET sigma.timezone = 'Etc/GMT-14';
SET sigma.timezone = 'EST5EDT';
SHOW sigma.timezone;
SET sigma.timezone = 'Mars/Olympus';
\set VERBOSITY terse
SET sigma.timezone = '';
SET sigma.timezone = 'FOO3';
SET sigma.timezone = '+02';
SET sigma.timezone = 'Etc/GMT+99';
SET sigma.timezone = 'Etc/GMT+13';
SET sigma.timezone = 'UTC0UTC';
SET sigma.timezone = 'Europe/Berlin3';
\set VERBOSITY default
SHOW sigma.timezone;
RESET sigma.timezone;
SHOW sigma.timezone;

-- InDateRange: https://help.sigmacomputing.com/docs/indaterange ; today is Wednesday, 2024-03-13
CREATE FUNCTION days_in(direction text, unit text, length bigint, start bigint) RETURNS text LANGUAGE sql AS $$
    SELECT min(d)::text || ' ' || max(d) FROM generate_series('2022-01-01'::timestamp, '2026-12-31', '1 day') AS t, LATERAL (SELECT to_char(t, 'YYYY-MM-DD')) AS c (d)
    WHERE sigma.fn_indaterange(t, direction, unit, length, start, '2024-03-13 15:00') $$;
SELECT unit, days_in('last', unit, 1, 0) AS last, days_in('next', unit, 1, 0) AS next, days_in('current', unit, 1, 0) AS current, days_in('to_date', unit, 1, 0) AS to_date
FROM unnest(ARRAY['year', 'quarter', 'month', 'week', 'week_starting_monday', 'day']) AS unit;
SELECT days_in('last', 'week', 3, 0) AS three_weeks, days_in('last', 'week', 1, 3) AS week_three_ago, days_in('next', 'month', 2, 0) AS two_months,
    days_in('next', 'month', 1, 2) AS second_month;
SELECT days_in('to_date', 'year', 1, 1) AS last_year_to_date, days_in('current', 'month', 3, 0) AS three_months, days_in('to_date', 'month', 2, 0) AS two_months_to_date,
    days_in('CURRENT', 'Day', 1, 0) AS any_case;
SELECT days_in('last', 'week', 0, 0) AS none, days_in('last', 'week', -1, 0) AS negative, sigma.fn_indaterange('2024-01-01', 'last', 'year', 9223372036854775807, 0, '2024-01-01') AS large,
    sigma.fn_indaterange('2024-01-01', 'last', 'day', 1, '-9223372036854775808', '2024-01-01') AS far;
-- ends are exact
SELECT sigma.fn_indaterange(d, 'current', 'hour', 1, 0, '2024-03-13 15:20') AS hour, sigma.fn_indaterange(d, 'current', 'minute', 1, 0, '2024-03-13 15:20') AS minute
FROM unnest(ARRAY['2024-03-13 14:59:59.999999', '2024-03-13 15:00', '2024-03-13 15:20:59.999999', '2024-03-13 15:59:59.999999', '2024-03-13 16:00', 'infinity']::timestamp[]) AS d;
SELECT sigma.fn_indaterange(sigma.fn_today(), 'current', 'day', 1, 0) AS today, sigma.fn_indaterange(sigma.fn_today() - '1 day'::interval, 'last', 'day', 1, 0) AS yesterday,
    sigma.fn_indaterange(sigma.fn_today(), 'last', 'day', 1, 0) AS not_last, sigma.fn_indaterange(NULL, 'last', 'day', 1, 0) AS nothing;
SELECT sigma.fn_indaterange('2024-01-01', 'previous', 'day', 1, 0);
SELECT sigma.fn_indaterange('2024-01-01', 'last', 'epoch', 1, 0);
DROP FUNCTION days_in(text, text, bigint, bigint);

-- InPriorDateRange: https://help.sigmacomputing.com/docs/inpriordaterange
SELECT range, prior, n, string_agg(to_char(d, 'YYYY-MM-DD'), ' ' ORDER BY d) FILTER (WHERE first OR last) AS days
FROM (VALUES ('month', 'year', 1), ('month', 'month', 1), ('week', 'year', 1), ('year', 'year', 2), ('day', 'month', 1), ('month', 'year', -1), ('quarter', 'quarter', 0)) AS v (range, prior, n),
    LATERAL (SELECT d, d = min(d) OVER () AS first, d = max(d) OVER () AS last FROM generate_series('2021-01-01'::timestamp, '2026-12-31', '1 day') AS d
        WHERE sigma.fn_inpriordaterange(d, range, prior, n, '2024-02-29 08:00')) AS x
GROUP BY range, prior, n ORDER BY range, prior, n;
SELECT sigma.fn_inpriordaterange(sigma.fn_today() - '1 day'::interval, 'day', 'day', 1) AS yesterday, sigma.fn_inpriordaterange(NULL, 'day', 'day', 1) AS nothing,
    sigma.fn_inpriordaterange('2024-01-01', 'day', 'day', '-9223372036854775808', '2024-01-01') AS far;
SELECT sigma.fn_inpriordaterange('2024-01-01', 'fortnight', 'day', 1);

-- none of it depends on a setting but those that ask for the time
SELECT proname, provolatile, proisstrict, proparallel FROM pg_proc
WHERE pronamespace = 'sigma'::regnamespace AND proname ~ '^fn_.*date|^fn_now|^fn_today' AND provolatile <> 'i' ORDER BY proname COLLATE "C", pronargs;
