# Random formulas against plain SQL: each is written twice, once in the formula language and
# once as a person would write it in SQL, and both are run over rows full of Nulls and edges,
# as a column and, one row at a time, as sigma.eval over a context.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $formulas = $ENV{SIGMA_DIFFERENTIAL} || 1500;
my $seed = $ENV{SIGMA_SEED} || 20240229;
srand $seed;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding', 'UTF8', '--locale', 'C']);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\ndatestyle = 'ISO, MDY'\nfsync = off");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION sigma;
	CREATE FUNCTION pick(i int, n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT (hashint4(i) & 2147483647) % n';
	CREATE TABLE sample AS
		SELECT i AS id,
			CASE WHEN pick(i, 5) > 0 THEN (pick(i + 1000, 4001) - 2000) / 100.0 END AS n,
			CASE WHEN pick(i + 1, 5) > 0 THEN (pick(i + 2000, 21) - 10)::bigint END AS i,
			CASE WHEN pick(i + 2, 5) > 0 THEN (pick(i + 3000, 801) - 400) / 8.0::float8 END AS f,
			CASE WHEN pick(i + 3, 5) > 0 THEN (ARRAY['', ' ', 'a', 'A', 'abc', 'Größe', '東京', 'a''b', 'x_y%', E'\\\\']) [1 + pick(i + 4000, 10)] END AS t,
			CASE WHEN pick(i + 4, 5) > 0 THEN (ARRAY['abc', 'b', 'ABC', 'c a', 'é']) [1 + pick(i + 5000, 5)] END AS u,
			CASE WHEN pick(i + 5, 4) > 0 THEN pick(i + 6000, 2) = 1 END AS b,
			CASE WHEN pick(i + 6, 5) > 0 THEN timestamp '2023-12-25' + pick(i + 7000, 86400 * 100) * interval '1 second' END AS d
		FROM generate_series(1, 120) i;
	CREATE FUNCTION outcome(sql text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		result text;
	BEGIN
		EXECUTE format('SELECT string_agg(coalesce((%s)::text, ''~''), ''|'' ORDER BY id) FROM sample', sql) INTO result;
		RETURN result;
	EXCEPTION WHEN OTHERS THEN
		RETURN '!' || SQLSTATE;
	END $$;
	CREATE FUNCTION evaluated(formula text, sql text, kind text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		expected text;
		result text;
		row_id int := 1 + pick(length(formula), 120);
	BEGIN
		-- one row as a context; numbers of JSON are numeric, dates are text
		SELECT sigma.eval(formula::sigma.formula, jsonb_build_object('controls', to_jsonb(s)
			|| jsonb_build_object('d', to_char(s.d, 'YYYY-MM-DD HH24:MI:SS'))))#>>'{}' INTO result FROM sample s WHERE id = row_id;
		EXECUTE format('SELECT to_jsonb(%s)#>>''{}'' FROM (SELECT id, n, i::numeric, f::numeric, t, u, b, d FROM sample) s WHERE id = %s', sql, row_id) INTO expected;
		RETURN CASE
			WHEN kind = 'date' THEN CASE WHEN result::timestamp IS DISTINCT FROM expected::timestamp THEN format('row %s: %s, expected %s', row_id, result, expected) END
			WHEN kind = 'number' THEN CASE WHEN abs(result::numeric - expected::numeric) > 1e-9 * greatest(1, abs(expected::numeric))
				OR (result IS NULL) <> (expected IS NULL) THEN format('row %s: %s, expected %s', row_id, result, expected) END
			WHEN result IS DISTINCT FROM expected THEN format('row %s: %s, expected %s', row_id, result, expected) END;
	END $$;
});

# Each generator returns the formula, the SQL, and for numbers the SQL type: i, n or f.
my @texts = ('', 'a', 'abc', 'Größe', "it's", 'x_y%', '東');

sub pick { return $_[ int rand @_ ] }

sub quoted
{
	my ($text) = @_;
	(my $formula = $text) =~ s/([\\"])/\\$1/g;
	(my $sql = $text) =~ s/'/''/g;
	return (qq{"$formula"}, "'$sql'::text");
}

sub wider
{
	my %order = (i => 0, n => 1, f => 2);
	return (sort { $order{$b} <=> $order{$a} } @_)[0];
}

my %cast = (i => 'int8', n => 'numeric', f => 'float8');

sub as { my ($sql, $type) = @_; return "($sql)::$cast{$type}"; }

sub number
{
	my ($depth) = @_;
	if ($depth == 0 || rand() < 0.15)
	{
		return @{ pick(['[n]', 'n', 'n'], ['[i]', 'i', 'i'], ['[f]', 'f', 'f'], ['0', '0', 'i'], ['1', '1', 'i'], ['3', '3', 'i'],
			['2.5', '2.5', 'n'], ['-7', '(-7)', 'i'], ['100', '100', 'i']) };
	}
	my $kind = int rand 15;
	if ($kind < 5)
	{
		my ($fa, $sa, $ta) = number($depth - 1);
		my ($fb, $sb, $tb) = number($depth - 1);
		my $type = wider($ta, $tb);
		my $op = pick('+', '-', '*', '/', '%');
		return ("($fa $op $fb)", '(' . as($sa, $type) . " $op " . as($sb, $type) . ')', $type) if $op =~ /[-+*]/;
		$type = 'f' if $op eq '/' && $type eq 'i';
		$type = 'n' if $op eq '%' && $type eq 'f';
		return ("($fa $op $fb)", '(' . as($sa, $type) . " $op NULLIF(" . as($sb, $type) . ', 0))', $type);
	}
	if ($kind == 5)
	{
		my ($f, $s, $t) = number($depth - 1);
		return ("-($f)", '(- ' . as($s, $t) . ')', $t);
	}
	if ($kind == 6)
	{
		my ($f, $s, $t) = number($depth - 1);
		return ("Abs($f)", 'abs(' . as($s, $t) . ')', $t);
	}
	if ($kind == 7)
	{
		my ($f, $s, $t) = number($depth - 1);
		return ("Zn($f)", 'COALESCE(' . as($s, $t) . ', 0)', $t);
	}
	if ($kind == 8)
	{
		my ($f, $s) = text($depth - 1);
		return ("Len($f)", "char_length($s)", 'i');
	}
	if ($kind == 9)
	{
		my ($fa, $sa) = text($depth - 1);
		my ($fb, $sb) = quoted(pick(@texts));
		return ("Find($fa, $fb)", "strpos($sa, $sb)", 'i');
	}
	if ($kind == 10)
	{
		my ($f, $s) = date($depth - 1);
		my $part = pick('Year', 'Month', 'Day', 'Hour', 'Quarter');
		return ("$part($f)", "extract(\L$part\E FROM $s)", 'n');
	}
	if ($kind == 11)
	{
		my ($fa, $sa) = date($depth - 1);
		my ($fb, $sb) = date($depth - 1);
		return ("DateDiff(\"day\", $fa, $fb)", "(($sb)::date - ($sa)::date)::int8", 'i');
	}
	my ($fc, $sc) = logical($depth - 1);
	my ($fa, $sa, $ta) = number($depth - 1);
	my ($fb, $sb, $tb) = number($depth - 1);
	my $type = wider($ta, $tb);
	($sa, $sb) = (as($sa, $type), as($sb, $type));
	return @{ pick(
		["If($fc, $fa, $fb)", "CASE WHEN $sc THEN $sa ELSE $sb END", $type],
		["Coalesce($fa, $fb)", "COALESCE($sa, $sb)", $type],
		["NullIf($fa, $fb)", "NULLIF($sa, $sb)", $type],
		["Greatest($fa, $fb)", "CASE WHEN $sa IS NOT NULL AND $sb IS NOT NULL THEN GREATEST($sa, $sb) END", $type],
		["LeastNonNull($fa, $fb)", "LEAST($sa, $sb)", $type]) };
}

sub text
{
	my ($depth) = @_;
	return @{ pick(['[t]', 't'], ['[u]', 'u'], [ quoted(pick(@texts)) ]) } if $depth == 0 || rand() < 0.2;
	my ($fa, $sa) = text($depth - 1);
	my ($fb, $sb) = text($depth - 1);
	my ($fc, $sc) = logical($depth - 1);
	my $n = int rand 5;
	return @{ pick(
		["($fa & $fb)", "($sa || $sb)"],
		["Upper($fa)", "upper($sa)"],
		["Left($fa, $n)", "left($sa, $n)"],
		["Replace($fa, \"a\", $fb)", "replace($sa, 'a', $sb)"],
		["If($fc, $fa, $fb)", "CASE WHEN $sc THEN $sa ELSE $sb END"],
		["Switch([i], $n, $fa, 1, $fb, \"else\")", "CASE i WHEN $n THEN $sa WHEN 1 THEN $sb ELSE 'else' END"],
		["Coalesce($fa, $fb)", "COALESCE($sa, $sb)"],
		["Choose([i], $fa, $fb)", "CASE i WHEN 1 THEN $sa WHEN 2 THEN $sb END"]) };
}

sub logical
{
	my ($depth) = @_;
	return @{ pick(['[b]', 'b'], ['True', 'true'], ['Null', 'NULL::bool']) } if $depth <= 0;
	my ($fa, $sa) = logical($depth - 1);
	my ($fb, $sb) = logical($depth - 1);
	my ($fn, $sn, $tn) = number($depth - 1);
	my ($fm, $sm, $tm) = number($depth - 1);
	my ($ft, $st) = text($depth - 1);
	my ($fu, $su) = text($depth - 1);
	my ($fd, $sd) = date($depth - 1);
	my ($fe, $se) = date($depth - 1);
	my $op = pick('=', '!=', '<', '<=', '>', '>=');
	my $n = int rand 5;
	return @{ pick(
		["($fa and $fb)", "($sa AND $sb)"],
		["($fa or $fb)", "($sa OR $sb)"],
		["not ($fa)", "(NOT $sa)"],
		["($fn $op $fm)", "(($sn) $op ($sm))"],
		["($fn $op $fm)", "(($sn) $op ($sm))"],
		["($ft $op $fu)", "($st $op $su)"],
		["($fd $op $fe)", "($sd $op $se)"],
		["IsNull($ft)", "($st IS NULL)"],
		["IsNotNull($fn)", "(($sn) IS NOT NULL)"],
		["In([i], 1, $n, -3)", "(i IN (1, $n, -3))"],
		["Between([n], -$n, 5)", "(n BETWEEN -$n AND 5)"],
		["StartsWith($ft, \"a\")", "starts_with($st, 'a')"],
		["Contains($ft, \"b\")", "(strpos($st, 'b') > 0)"],
		["If($fa, $fb)", "CASE WHEN $sa THEN $sb END"]) };
}

sub date
{
	my ($depth) = @_;
	return @{ pick(['[d]', 'd'], ['Date("2024-02-29 12:30:00")', "timestamp '2024-02-29 12:30:00'"], ['Date("2023-12-31")', "timestamp '2023-12-31'"]) }
		if $depth <= 0 || rand() < 0.3;
	my ($f, $s) = date($depth - 1);
	my ($g, $t) = date($depth - 1);
	my ($fc, $sc) = logical($depth - 1);
	my $n = int(rand 50) - 25;
	my $unit = pick('day', 'hour', 'month', 'year');
	my $precision = pick('year', 'month', 'day', 'hour', 'quarter');
	return @{ pick(
		["DateAdd(\"$unit\", $n, $f)", "($s + $n * interval '1 $unit')"],
		["DateTrunc(\"$precision\", $f)", "date_trunc('$precision', $s)"],
		["Coalesce($f, $g)", "COALESCE($s, $t)"],
		["If($fc, $f, $g)", "CASE WHEN $sc THEN $s ELSE $t END"]) };
}

my %kinds = (number => \&number, text => \&text, logical => \&logical, date => \&date);
my @cases;
for my $n (1 .. $formulas)
{
	my $kind = pick(sort keys %kinds);
	my ($formula, $sql, $type) = $kinds{$kind}->(1 + int rand 4);
	$sql = as($sql, $type) if $kind eq 'number';
	push @cases, [ $n, $kind, $formula, $sql ];
}

my $dir = PostgreSQL::Test::Utils::tempdir;
open(my $file, '>:raw', "$dir/cases") or die $!;
for my $case (@cases)
{
	print $file join("\t", map { s/\\/\\\\/gr } @$case), "\n";
}
close $file;
$node->safe_psql('postgres', "CREATE TABLE cases (n int, kind text, formula text, sql text);\n\\copy cases from '$dir/cases'");

is($node->safe_psql('postgres', 'SELECT count(*) FROM cases'), $formulas, "$formulas formulas, seed $seed");

# a number's form may be wider than a person would have chosen: values count, not zeros at their end
is($node->safe_psql('postgres', q{
	SELECT n, formula, left(found, 200), left(expected, 200)
	FROM (SELECT n, kind, formula, sql, 'CASE WHEN false THEN NULL ELSE ' || sigma.formula_sql(formula::sigma.formula, 'sample') || ' END' AS ours FROM cases) c,
		outcome(CASE kind WHEN 'number' THEN '(' || ours || ')::float8' ELSE ours END) AS found,
		outcome(CASE kind WHEN 'number' THEN '(' || sql || ')::float8' ELSE sql END) AS expected
	WHERE found IS DISTINCT FROM expected ORDER BY length(formula) LIMIT 5}), '', 'as a column they are what plain SQL is');

cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM cases WHERE outcome(sql) NOT LIKE '!%'}), '>', $formulas * 0.9,
	'few of them are errors in both');

is($node->safe_psql('postgres', q{
	SELECT n, formula, wrong FROM cases, evaluated(formula, sql, kind) AS wrong
	WHERE wrong IS NOT NULL AND outcome(sql) NOT LIKE '!%' ORDER BY length(formula) LIMIT 5}), '', 'over a context they are the same');

$node->stop;
done_testing();
