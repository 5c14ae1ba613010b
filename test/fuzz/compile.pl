# compile.pl SECONDS [SEED]: the generator behind "compile"; the server is the one that libpq finds.
use strict;
use warnings;

use IPC::Open2;

my ($seconds, $seed) = @ARGV;
$seed = 20260801 unless defined $seed && $seed ne '';
srand $seed;
print "seed $seed\n";

# what stands for a value of each kind: columns of "sample", values of the context, literals
my %values = (
	text => [ '[t]', '[u]', '""', '"a"', '"東京"', '"%_\\\\"', '"(a|b)+"', '"("', '"2024-02-29 12:30:00"', '"http://u@h:8080/p?q#f"', '"%Y-%m-%d"', '"UTC"', '"Nowhere/Town"' ],
	number => [ '[n]', '[i]', '[f]', '0', '1', '-1', '2.5', '3', '-7', '1e30', '1e-30', '9223372036854775807', '2147483648', '1e300', '12', '2024' ],
	date => [ '[d]', '[day]', 'Date("2024-02-29 12:30:00")', 'Date("1970-01-01")', 'Date("0001-01-01")', 'Date("9999-12-31 23:59:59")', 'Date("x")' ],
	logical => [ '[b]', 'True', 'False', '[n] > 1', 'IsNull([t])', 'not [b]' ],
	variant => [ '[j]', '[tags]', 'Array(1, "a", Null)', 'Array()', '{a: 1, b: {c: "x"}}', '[j].a', '[j][0]', 'Json("[1,[2],{}]")', 'Json("x")' ],
);
my %words = (
	unit => [ map { qq{"$_"} } qw(year quarter month week day hour minute second millisecond fortnight) ],
	precision => [ map { qq{"$_"} } qw(year quarter month week week_starting_monday week_starting_sunday day weekday day_of_year hour minute second epoch x) ],
	period => [ map { qq{"$_"} } qw(year quarter month week day) ],
	direction => [ map { qq{"$_"} } qw(last next current to_date asc desc) ],
	component => [ map { qq{"$_"} } qw(scheme authority userinfo host port path query fragment x) ],
	timezone => [ map { qq{"$_"} } qw(UTC America/New_York Europe/Vienna Nowhere) ],
	function => [ map { qq{"$_"} } qw(upper lower abs now pg_catalog.length md5 no_such_function jsonb_typeof generate_series count) ],
	mode => [ map { qq{"$_"} } qw(grand_total parent_grouping color x) ],
);
my @kinds = sort keys %values;
my @context = ('[Control/c]', '[c]', '[r].min', '[Selection/a]', '[Selection/b]', '[ActionVar/v]', '[Form/f]', '[missing]');

my $pid = open2(my $out, my $in, 'psql', '-XqAt', '-F', "\t", '-v', 'ON_ERROR_STOP=1');
binmode $_, ':raw' for $in, $out;
print $in <<'SQL';
SET client_min_messages = warning;
SET client_encoding = 'UTF8';
SET statement_timeout = '10min';
CREATE EXTENSION IF NOT EXISTS sigma;
CREATE TABLE sample (id int PRIMARY KEY, n numeric, i bigint, f float8, t text, u varchar(20), b bool, d timestamp, day date, tags text[], j jsonb);
INSERT INTO sample VALUES
	(1, 1.5, 3, 0.25, 'abc', 'b', true, '2024-02-29 23:59:59', '2024-12-31', '{a,b}', '{"a": [1, null], "b": "x"}'),
	(2, -1e30, 9223372036854775807, 1e300, '', '東京', false, '0001-01-01', '9999-12-31', '{}', '[]'),
	(3, 0, 0, 0, E'a\nb\t', '%_', NULL, '9999-12-31 23:59:59', '0001-01-01', '{"",x}', '"text"'),
	(4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(5, 'NaN', -1, 'Infinity', '12', '0', true, 'infinity', '-infinity', '{東}', 'null');
CREATE TABLE other (k int, v numeric, w text);
INSERT INTO other VALUES (1, 2, 'x'), (1, 3, 'y'), (NULL, 4, 'z');
CREATE TABLE input (n int, source text);

-- What is wrong with a formula: NULL where nothing is.
CREATE FUNCTION failure(source text, OUT problem text, OUT compiled bool) LANGUAGE plpgsql AS $$
DECLARE
	formula sigma.formula;
	sql text;
	message text;
BEGIN
	compiled := false;
	BEGIN
		formula := source::sigma.formula;
	EXCEPTION WHEN syntax_error THEN RETURN;
	END;
	BEGIN
		sql := sigma.formula_sql(formula, 'sample');
	EXCEPTION
		WHEN undefined_column OR undefined_table OR undefined_function OR ambiguous_column OR datatype_mismatch OR grouping_error
			OR windowing_error OR invalid_column_reference OR invalid_name OR program_limit_exceeded OR feature_not_supported OR invalid_parameter_value OR insufficient_privilege
			OR ambiguous_function OR wrong_object_type THEN NULL;
		WHEN OTHERS THEN problem := 'compiling: ' || SQLSTATE || ' ' || SQLERRM; RETURN;
	END;
	IF sql IS NOT NULL THEN
		compiled := true;
		BEGIN
			EXECUTE format('SELECT count(x::text) FROM (SELECT %s AS x FROM sample OFFSET 0) s', sql);
		EXCEPTION WHEN OTHERS THEN
			IF left(SQLSTATE, 2) NOT IN ('22', '53', '54') THEN
				problem := 'running: ' || SQLSTATE || ' ' || SQLERRM; RETURN;
			END IF;
		END;
	END IF;
	BEGIN
		PERFORM sigma.eval(formula, '{"controls": {"c": 1.5, "r": {"min": 1, "max": null}, "n": 2, "t": "abc", "b": true, "d": "2024-01-31"},
			"selection": {"rows": [{"a": 1, "b": "x"}, {"a": null, "b": "東"}]}, "action_variables": {"v": [1, 2]}, "form": {"f": "2024-01-31"}}');
	EXCEPTION
		WHEN undefined_column OR undefined_table OR undefined_function OR ambiguous_column OR datatype_mismatch OR grouping_error
			OR windowing_error OR invalid_column_reference OR invalid_name OR feature_not_supported OR insufficient_privilege OR ambiguous_function OR wrong_object_type THEN
			GET STACKED DIAGNOSTICS message = PG_EXCEPTION_CONTEXT;
			-- the compiler refuses before there is SQL that PostgreSQL could refuse
			IF message ~ 'SELECT' AND message !~ '^(PL/pgSQL|SQL statement "SELECT sigma.eval)' THEN
				problem := 'evaluating: ' || SQLSTATE || ' ' || SQLERRM;
			END IF;
		WHEN OTHERS THEN
			IF left(SQLSTATE, 2) NOT IN ('22', '53', '54') THEN
				problem := 'evaluating: ' || SQLSTATE || ' ' || SQLERRM;
			END IF;
	END;
END
$$;
SELECT name || chr(9) || signature FROM sigma.functions() ORDER BY name;
\echo done
SQL

# the functions with the kinds of their arguments
my @functions;
my %by_result;
while (my $line = <$out>)
{
	chomp $line;
	last if $line eq 'done';
	my ($name, $signature) = split /\t/, $line;
	my ($arguments, $result) = $signature =~ /^\w+\((.*)\): (\w+)$/ or die "signature: $signature\n";
	my (@required, @repeated, @optional);
	while ($arguments =~ /(\[?)(\w+): (\w+)(?: = ("[^"]*"|[^\],]*))?/g)
	{
		my ($bracket, $argument, $kind) = ($1, $2, $3);
		my $rest = substr $arguments, $-[0];
		push @{ $rest =~ /^\[[^\]]*\.\.\.\]/ ? \@repeated : $bracket ne '' ? \@optional : \@required }, [ $argument, $kind ];
	}
	my $function = { name => $name, required => \@required, repeated => \@repeated, optional => \@optional, result => $result };
	push @functions, $function;
	push @{ $by_result{$result} }, $function;
}
print scalar(@functions), " functions\n";

my $end = time + $seconds;
my ($inputs, $compiled) = (0, 0);
while (time < $end)
{
	my @batch = map { value($kinds[rand @kinds], 1 + int rand 3) } 1 .. 300;
	print $in "TRUNCATE input;\nCOPY input FROM STDIN;\n";
	print $in "$_\t" . escape($batch[$_]) . "\n" for 0 .. $#batch;
	print $in "\\.\nSELECT n, compiled, problem FROM input, failure(source) ORDER BY n;\n\\echo done\n";
	my $done = 0;
	while (my $line = <$out>)
	{
		chomp $line;
		if ($line eq 'done') { $done = 1; last; }
		my ($n, $ok, $problem) = split /\t/, $line, 3;
		failure("$problem\n$batch[$n]") if defined $problem && $problem ne '';
		$compiled++ if $ok eq 't';
	}
	failure("the server did not answer; one of\n" . join("\n", @batch)) unless $done;
	$inputs += @batch;
}
close $in;
waitpid $pid, 0;
print "$inputs formulas, $compiled with SQL: no failure\n";
failure('hardly any formula was compiled') if $compiled < $inputs / 10;

# a formula of a kind, now and then of another one
sub value
{
	my ($kind, $depth) = @_;

	return 'Null' if rand() < 0.04;
	return $context[rand @context] if rand() < 0.05;
	$kind = $kinds[rand @kinds] if !exists $values{$kind} || rand() < 0.03;
	return $values{$kind}[ rand @{ $values{$kind} } ] if $depth <= 0 || rand() < 0.2;
	return operation($kind, $depth - 1) if rand() < 0.2;
	my @candidates = (@{ $by_result{$kind} // [] }, @{ $by_result{T} // [] });
	return call($candidates[rand @candidates], $kind, $depth - 1);
}

sub call
{
	my ($function, $same, $depth) = @_;
	my %variables = (T => $same, U => $kinds[rand @kinds]);
	my @arguments = @{ $function->{required} };

	push @arguments, @{ $function->{repeated} } for 1 .. int rand 3;
	push @arguments, $_ for grep { rand() < 0.5 } @{ $function->{optional} }[0 .. 0];
	return "$function->{name}(" . join(', ', map { argument($_, \%variables, $depth) } grep { defined } @arguments) . ')';
}

sub argument
{
	my ($argument, $variables, $depth) = @_;
	my ($name, $kind) = @$argument;
	my $words = $words{$name} // ($name eq 'range' || $name eq 'prior' ? $words{period} : $name eq 'to' || $name eq 'from' ? $words{timezone} : undef);

	return '[other/' . (qw(k v w))[rand 3] . ']' if $name eq 'external' || (rand() < 0.03);
	return $words->[ rand @$words ] if $words && rand() < 0.9;
	$kind = $variables->{$kind} // ($kind eq 'any' ? $kinds[rand @kinds] : $kind);
	return value($kind, $depth);
}

sub operation
{
	my ($kind, $depth) = @_;
	my $other = $kinds[rand @kinds];

	return '(' . value('number', $depth) . ' ' . ('+', '-', '*', '/', '%', '^')[rand 6] . ' ' . value('number', $depth) . ')' if $kind eq 'number';
	return '(' . value('text', $depth) . ' & ' . value('text', $depth) . ')' if $kind eq 'text';
	return '(' . value($other, $depth) . ' ' . ('=', '!=', '<', '<=', '>', '>=')[rand 6] . ' ' . value($other, $depth) . ')' if $kind eq 'logical';
	return '{a: ' . value($other, $depth) . '}' if $kind eq 'variant';
	return value($kind, $depth);
}

# As COPY reads it.
sub escape
{
	my ($text) = @_;

	$text =~ s/\\/\\\\/g;
	return $text;
}

sub failure
{
	my ($message) = @_;

	print "failure (seed $seed): $message\n";
	exit 1;
}
