-- formulas over the rows of tables: aggregates, windows, lookups
-- https://help.sigmacomputing.com/docs/window-functions, https://help.sigmacomputing.com/docs/lookup
\pset null ~
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA formula_rows;
SET search_path = formula_rows;
CREATE TABLE customers (id int PRIMARY KEY, name text, region text, manager int);
CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric, qty int, due date, note text, paid boolean, "Odd ""Name""" text);
CREATE TABLE bare (x int, y float8);
INSERT INTO customers VALUES (1, 'Ada', 'West', NULL), (2, 'Bob', 'East', 1), (3, 'Çelik', NULL, 1);
INSERT INTO orders VALUES
    (5, 9, NULL, NULL, NULL, '', NULL, 'q'), (1, 1, 10, 2, '2024-01-01', 'a', true, 'r'), (2, 1, 20.5, 3, '2024-02-01', NULL, false, 's'),
    (3, 2, 5, 1, '2024-01-01', 'b', true, 't'), (4, NULL, 7, 4, '2025-01-01', '東京', NULL, 'u');
INSERT INTO bare VALUES (1, 0.5), (2, 'NaN');

-- a formula over each row of a table, in order; or its error
CREATE FUNCTION over(source text, rel regclass, order_by text = 'id') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    hint text;
BEGIN
    EXECUTE format('SELECT string_agg(coalesce((v)::text, ''~''), '' '' ORDER BY o) FROM (SELECT %s AS o, %s AS v FROM %s) AS x',
                   order_by, sigma.formula_sql(source::sigma.formula, rel), rel) INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ': ' || SQLERRM || CASE WHEN hint <> '' THEN ' -- ' || hint ELSE '' END;
END
$$;

-- what the SQL looks like
SELECT sigma.formula_sql('Sum([Amount])', 'orders');
SELECT sigma.formula_sql('SumIf([Amount], [Paid], [Qty] > 1)', 'orders');
SELECT sigma.formula_sql('[Amount] / Sum([Amount])', 'orders');
SELECT sigma.formula_sql('Median([Qty])', 'orders');
SELECT sigma.formula_sql('CumulativeSum([Amount])', 'orders');
SELECT sigma.formula_sql('MovingAvg([Amount], 8, -4)', 'orders');
SELECT sigma.formula_sql('MovingAvg([Amount], -2, 6)', 'orders');
SELECT sigma.formula_sql('RowNumber([Amount], "desc")', 'orders');
SELECT sigma.formula_sql('Lag([X])', 'bare');
SELECT sigma.formula_sql('Lookup([customers/Name], [Customer], [customers/Id])', 'orders');
SELECT sigma.formula_sql('Rollup(Sum([orders/Amount]), [Id], [orders/Customer])', 'customers');
SELECT sigma.formula_sql('LookupMatchNulls(Count(), 1, [orders/Customer])');
SELECT sigma.formula_sql('First([orders/Odd "Name"])');

-- aggregates: the same value in every row
SELECT f, over(f, 'orders') FROM unnest(ARRAY[
    'Sum([Amount])', 'Sum([Qty])', 'Sum([Qty] * 2.5)', 'Avg([Qty])', 'Min([Due])', 'Max([Note])', 'Count()', 'Count([Note])', 'CountDistinct([Customer])',
    'CountIf([Qty] > 1, [Amount] > 8)', 'CountIf([Paid])', 'SumIf([Amount], [Paid])', 'SumIf([Amount], [Amount] > Avg([Amount]))', 'Median([Amount])',
    'PercentileDisc([Qty], 0.5)', 'ListAgg([Note], ";")', 'ListAggDistinct([Note], ",", "desc")', 'ArrayAgg([Note])', 'ArrayAggDistinct([Customer])',
    'SumProduct([Amount], [Qty])', 'SparklineAgg([Customer], Sum([Amount]))', 'Sum([orders/Amount])', 'Sum([customers/Id])', 'First([customers/Name])',
    '[Amount] = Max([Amount])', 'Sum([Amount]) & "x"', 'Sum([Amount]) / Count([Amount])', 'Sum([Amount] / Sum([Amount]))', 'Max([Odd "Name"])']) AS f;
-- totals and shares
SELECT f, over(f, 'orders') FROM unnest(ARRAY[
    'GrandTotal(Sum([Qty]))', 'Subtotal(Count(), "parent_grouping")', 'Round(PercentOfTotal(Sum([Qty])), 2)', 'PercentOfTotal(Count())',
    'PercentOfTotal(SumIf([Qty], [Paid]))', 'PercentOfTotal(Sum([customers/Id]))', 'PercentOfTotal([Qty])', 'GrandTotal([Qty] + Sum([Qty]))',
    'Subtotal(Sum([Qty]), "x_axis")', 'PercentOfTotal(Sum([Qty]), "parent_grouping", 3)']) AS f;
-- windows
SELECT f, over(f, 'orders') FROM unnest(ARRAY[
    'CumulativeSum([Amount])', 'CumulativeSum([Qty])', 'Round(CumulativeAvg([Amount]), 2)', 'CumulativeCount([Note])', 'CumulativeMin([Amount])', 'CumulativeMax([Note])',
    'Round(CumulativeStdDev([Qty]), 2)', 'Round(CumulativeVariance([Qty]), 2)', 'Round(CumulativeCorr([Amount], [Qty]), 2)',
    'MovingSum([Qty], 1)', 'MovingSum([Qty], 1, 1)', 'MovingSum([Qty], 2, -1)', 'MovingSum([Qty], -1, 2)', 'MovingSum([Qty], 0)', 'MovingSum([Qty], -2, 1)',
    'MovingSum([Qty], -2, -1)', 'MovingCount([Qty], -2, -1)', 'Round(MovingAvg([Qty], 1, 1), 2)', 'MovingCount([Note], 9, 9)', 'MovingMin([Amount], 1)', 'MovingMax([Note], 0, 1)',
    'Round(MovingStdDev([Qty], 1), 2)', 'Round(MovingVariance([Qty], 1), 2)', 'Round(MovingCorr([Amount], [Qty], 2), 2)',
    'Lag([Qty])', 'Lag([Qty], 2, 0)', 'Lag([Note], 1, "-")', 'Lag([Qty], 1, 0.5)', 'Lead([Note])', 'Lead([Qty], 9)',
    'First([Note])', 'Last([Note])', 'Nth([Note], 3)', 'Nth([Qty], 9)', 'FirstNonNull([Amount])', 'LastNonNull([Amount])', 'LastNonNull([Paid])', 'FillDown([Note])', 'FillDown([Customer])',
    'Rank()', 'Rank([Customer])', 'Rank([Customer], "desc")', 'RankDense([Customer])', 'RankPercentile([Qty])', 'CumeDist([Customer])', 'CumeDist([Due], "desc")',
    'RowNumber()', 'RowNumber([Due])', 'RowNumber([Customer], "desc")', 'Ntile(2, [Qty])', 'Ntile(9, [Qty], "desc")', 'Ntile(1, [Note])',
    'VisibilityLimit([Note], 2)', 'VisibilityLimit([Note], 1, Rank([Qty], "desc"))', 'VisibilityLimit([Customer], 2, "RankDense")', 'VisibilityLimit([Id], 2, "RowNumber")',
    'CumulativeSum([Qty] - Avg([Qty]))', 'CumulativeSum([Qty]) / Sum([Qty])', 'Zn([Qty]) + Lag([Qty], 1, 0)', 'If(RowNumber() > 2, "late", "early")']) AS f;
SELECT f, over(f, 'bare', 'x') FROM unnest(ARRAY['CumulativeCount([X])', 'Max([Y])', 'Sum([Y])', 'Rank([Y])']) AS f;
-- lookups
SELECT f, over(f, 'orders') FROM unnest(ARRAY[
    'Lookup([customers/Name], [Customer], [customers/Id])', 'Lookup(Upper([customers/Name]) & [Note], [Customer], [customers/Id])', 'Lookup([orders/Amount], [Id], [orders/Customer])',
    'Lookup([orders/Note], [Qty], [orders/Id])', 'Rollup(Count(), [Customer], [orders/Customer])', 'LookupMatchNulls(Count(), [Customer], [orders/Customer])',
    'Lookup([customers/Name], [Customer], [customers/Id], "West", [customers/Region])', 'Lookup([customers/Name], [Customer] + 1, [customers/Id])',
    'Lookup(Lookup([orders/Amount], [customers/Id], [orders/Customer]), [Customer], [customers/Id])', 'Lookup(Sum([Qty]), [Customer], [customers/Id])',
    'Sum(Lookup([customers/Id], [Customer], [customers/Id]))', 'Sum(Lookup([customers/Id], [customers/Id], [customers/Id]))',
    'Rollup(SumIf([orders/Amount], [orders/Qty] > [Qty]), [Customer], [orders/Customer])', 'DateLookback([Amount], [Due], 1, "year")', 'DateLookback(Sum([Amount]), [Due], 1, "year")',
    'DateLookback([Amount], [Due], -1, "month")',
    'DateLookback(FirstNonNull(Null), [Due], 1, "year")', 'Rollup(Max(Null), [Customer], [customers/Id])', 'Lookup(First(Null), [Customer], [customers/Id])']) AS f;
SELECT f, over(f, 'customers') FROM unnest(ARRAY[
    'Rollup(Sum([orders/Amount]), [Id], [orders/Customer])', 'Rollup(Count(), [Id], [orders/Customer])', 'Rollup(Last([orders/Note]), [Id], [orders/Customer])',
    'Rollup(FirstNonNull([orders/Note]), [Id], [orders/Customer])', 'Rollup(Nth([orders/Amount], 2), [Id], [orders/Customer])', 'Rollup(ListAgg([orders/Odd "Name"]), [Id], [orders/Customer])',
    'Rollup(Median([orders/Amount]), [Id], [orders/Customer])', 'Lookup([customers/Name], [Manager], [customers/Id])', 'Lookup([customers/Name] & "/" & [Name], [Manager], [customers/Id])',
    'Rollup(Count([customers/Name]), [Id], [customers/Manager])', 'Rollup(AggText("string_agg", [orders/Odd "Name"], "+"), [Id], [orders/Customer])']) AS f;
-- what is refused
SELECT f, over(f, 'orders') FROM unnest(ARRAY[
    'Sum([Amont])', 'Sum([Note])', 'Max([Paid])', 'Sum([Amount] * [customers/Id])', 'Sum([nowhere/x])', 'Lookup([customers/Name], [Customer], [orders/Customer])',
    'Lookup([customers/Name], [Note], [customers/Id])', 'Lookup([customers/Name], [Customer], [Id])', 'Lookup([customers/Name], [Customer], [customers/Id], [Qty], [orders/Qty])',
    'Rollup([customers/Id], [Customer], [customers/Id])', 'Rollup(Sum([customers/Id]) + [customers/Manager], [Customer], [customers/Id])', 'Rollup(Max(Min([customers/Id])), [Customer], [customers/Id])',
    'Rollup(Sum({a: [Qty], b: [customers/Id]}.a), [Customer], [customers/Id])',
    'CumulativeSum(CumulativeSum([Qty]))', 'Sum(CumulativeSum([Qty]))', 'Lookup(Lag([Qty]), [Customer], [customers/Id])', 'Lookup([customers/Name], Lag([Qty]), [customers/Id])', 'DateLookback([Amount], [Due], RowNumber(), "day")', 'Lag([Qty], 0)', 'Lag([Qty], [Id])', 'Lag([Qty], 1, "x")', 'Nth([Qty], -1)',
    'MovingSum([Qty], 0.5)', 'MovingSum([Qty], [Id])', 'MovingSum([Qty], 1000000001)', 'MovingSum([Note], 1)', 'Rank([Qty], "up")', 'Ntile(0, [Qty])', 'Ntile([Qty], [Qty])', 'CumulativeMin([Paid])',
    'VisibilityLimit([Qty], "x")', 'VisibilityLimit([Qty], 1, "Lag")', 'PercentileCont([Qty], [Qty])', 'SparklineAgg([Customer], [Amount])', 'DateLookback([Amount], [Note], 1, "year")',
    'DateLookback([Amount], [Due], 1, "eon")', 'Rollup(PercentOfTotal(Sum([customers/Id])), [Customer], [customers/Id])']) AS f;
SELECT f, over(f, 'orders') FROM unnest(ARRAY['[orders/Amount] * 2 = [Amount] + [Amount]', '[customers/Name]']) AS f;

-- a lookup's subquery hides no column of the row around it, whatever either is called
CREATE TABLE "s1" (id int, s1 int, "s1.1" int, "s2.1" int);
INSERT INTO "s1" VALUES (1, 2, 3, 4), (2, 1, 5, 6);
SELECT f, over(f, '"s1"') FROM unnest(ARRAY['Lookup([s1/s1.1], [s1], [s1/id])', 'Lookup([s1/s1.1] + [s1.1], [s1], [s1/s1])', 'Rollup(Sum([s1/id] + [s2.1]), [s1], [s1/s1])',
    'PercentOfTotal(Sum([s1.1]))', 'Sum([s1])']) AS f;

-- indexes serve keys and comparisons, subqueries are computed once
CREATE TABLE many AS SELECT i AS id, i % 1000 AS customer, i::numeric AS amount, i::text AS code FROM generate_series(1, 10000) AS i;
CREATE INDEX many_customer ON many (customer);
CREATE INDEX many_code ON many (code);
ANALYZE many;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
-- the lines about them; versions differ in the rest
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'many|Index Cond|InitPlan|SubPlan' THEN
            RETURN NEXT regexp_replace(line, ' \(returns .*\)', '');
        END IF;
    END LOOP;
END
$$;
SELECT * FROM plan('SELECT ' || sigma.formula_sql('Rollup(Count(), [Id], [many/Customer])', 'customers') || ' FROM customers');
SELECT * FROM plan('SELECT ' || sigma.formula_sql('Lookup([many/Amount], [Note], [many/Code])', 'orders') || ' FROM orders');
SELECT * FROM plan('SELECT FROM many WHERE ' || sigma.formula_sql('[Customer] = 7', 'many'));
SELECT * FROM plan('SELECT FROM many WHERE ' || sigma.formula_sql('[Code] >= "99" and [Amount] > 3', 'many'));
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT * FROM plan('SELECT ' || sigma.formula_sql('[Amount] / Sum([Amount])', 'many') || ' FROM many');

-- sigma.eval over tables: as the caller, with what was just written, after changes too
SELECT sigma.eval('Sum([orders/Amount])'), sigma.eval('CountIf([orders/Paid])'), sigma.eval('Lookup([customers/Name], [Control/c], [customers/Id])', '{"controls": {"c": 2}}'),
    sigma.eval('Lookup([customers/Name], [Control/c], [customers/Id])', '{"controls": {"c": 2.5}}'), sigma.eval('Rollup(Sum([orders/Amount]), [Selection/id], [orders/Customer])', '{"selection": {"rows": [{"id": 1}]}}'),
    sigma.eval('Sum([formula_rows.orders/Amount])'), sigma.eval('SumIf([orders/Amount], [Control/c] = [orders/Customer])', '{"controls": {"c": 1}}');
BEGIN;
INSERT INTO orders (id, amount) VALUES (6, 100);
SELECT sigma.eval('Sum([orders/Amount])');
ROLLBACK;
SELECT sigma.eval('Sum([orders/Amount])');
ALTER TABLE orders ALTER amount TYPE float8;
SELECT sigma.eval('Sum([orders/Amount])');
ALTER TABLE orders RENAME amount TO total;
SELECT sigma.eval('Sum([orders/Amount])');
ALTER TABLE orders RENAME total TO amount;
CREATE SCHEMA formula_rows_other;
CREATE TABLE formula_rows_other.orders AS SELECT 1 AS amount;
SET search_path = formula_rows_other;
SELECT sigma.eval('Sum([orders/Amount])');
SET search_path = formula_rows;
SELECT sigma.eval('Sum([orders/Amount])');
CREATE ROLE regress_formula_reader;
GRANT USAGE ON SCHEMA sigma, formula_rows TO regress_formula_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sigma TO regress_formula_reader;
GRANT USAGE ON TYPE sigma.formula TO regress_formula_reader;
GRANT SELECT ON customers TO regress_formula_reader;
SET ROLE regress_formula_reader;
SELECT sigma.eval('Count([customers/Id])');
SELECT sigma.eval('Sum([orders/Amount])');
RESET ROLE;

-- a rule sees one row
SELECT sigma.create_input_table('{"id": "formula_rows_rule", "columns": [{"name": "A", "type": "number", "validation": {"formula": "[A] < Sum([A])"}}]}');
SELECT sigma.create_input_table('{"id": "formula_rows_rule", "columns": [{"name": "A", "type": "number", "validation": {"formula": "[A] < Lookup([orders/Amount], [A], [orders/Id])"}}]}');
SELECT sigma.create_input_table('{"id": "formula_rows_rule", "columns": [{"name": "A", "type": "number", "validation": {"formula": "[A] < Lag([A])"}}]}');

-- the aggregate behind First, Last, Nth and FillDown
SELECT sigma.fn_nth(v, 2, true ORDER BY v), sigma.fn_nth(v, -1, false ORDER BY v), sigma.fn_nth(v, 0, true), sigma.fn_nth(v, NULL, true), sigma.fn_nth(v, 9, true)
FROM (VALUES (repeat('a', 5000)), ('b'), (NULL)) AS x (v) WHERE v IS NULL OR length(v) < 9;
SELECT sigma.fn_nth(v, 1, true) FROM (VALUES (ARRAY[1, 2]), (ARRAY[3])) AS x (v);
SELECT length(sigma.fn_nth(v, -1, true) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)) FROM (VALUES (1, repeat('a', 5000)), (2, 'b'), (3, NULL), (4, repeat('c', 300))) AS x (i, v);

RESET search_path;
DROP OWNED BY regress_formula_reader;
DROP ROLE regress_formula_reader;
DROP SCHEMA formula_rows, formula_rows_other CASCADE;
