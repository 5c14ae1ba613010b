# formula.pl CORPUS SECONDS [SEED]: the mutator behind "formula"; the server is the one that libpq finds.
#
# Accepted inputs join the pool that is mutated further.
use strict;
use warnings;

use File::Temp qw(tempdir);
use IPC::Open2;

my ($corpus, $seconds, $seed) = @ARGV;
$seed = 20260801 unless defined $seed && $seed ne '';
srand $seed;
print "seed $seed\n";

my @pool = map { read_lines($_) } sort glob "$corpus/*.txt";
die "no corpus in $corpus\n" unless @pool;

my @pieces = (
	qw(And or NOT true False null If Round Sum Lookup CountIf Switch Array _ 1e 1E308 5e-307 .5 0 999999999999999999999),
	"\\", "\\u00e9", "\\ud83d\\ude00", "\\u0000", '""', "''", '[', ']', '[a/b]', '[ ', '].', '{', '}', '{a:', ',', '(', ')',
	'..', '.x', '[0]', '<=', '<>', '!=', '=', '^-', '--', '&', '%', "\n", "\t", "\x01", "\xc3\xa9", "\xe6\x9d\xb1", "\xf0\x9f\x98\x80",
	'((((((((', '))))))))', 'not not ', '1+1+1+1+1+1+', ' ');

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;
# refused binary values are told on stderr: kept for a failure, not shown
my $pid = open2(my $out, my $in, 'sh', '-c', 'exec psql -XqAt -v ON_ERROR_STOP=1 2>"$0"', "$dir/errors");
binmode $_ for $in, $out;
print $in <<'SQL';
SET client_min_messages = warning;
SET client_encoding = 'UTF8';
SET statement_timeout = '10min';
CREATE EXTENSION sigma;
CREATE TABLE input (n int, source text);
CREATE TABLE received (f sigma.formula);

-- What is wrong with the handling of an input: NULL where nothing is.
CREATE FUNCTION failure(source text, OUT problem text, OUT accepted bool) LANGUAGE plpgsql AS $$
DECLARE
    f sigma.formula;
    again sigma.formula;
BEGIN
    accepted := false;
    BEGIN
        f := source::sigma.formula;
    EXCEPTION
        WHEN syntax_error OR program_limit_exceeded OR statement_too_complex THEN RETURN;
        WHEN OTHERS THEN problem := SQLSTATE || ' ' || SQLERRM; RETURN;
    END;
    accepted := true;
    BEGIN
        again := f::text::sigma.formula;
        problem := CASE
            WHEN again OPERATOR(sigma.<>) f THEN 'reads back as another formula'
            WHEN again::text <> f::text THEN 'prints differently when read back'
            WHEN sigma.formula_hash(again) <> sigma.formula_hash(f) THEN 'has another hash when read back'
            WHEN sigma.formula_send(f) <> '\x01'::bytea || convert_to(f::text, 'UTF8') THEN 'is sent differently'
        END;
    EXCEPTION WHEN OTHERS THEN problem := 'not read back: ' || SQLSTATE || ' ' || SQLERRM;
    END;
END
$$;
SQL

my $end = time + $seconds;
my ($inputs, $accepted, $batches) = (0, 0, 0);
while (time < $end)
{
	my @batch = map { mutate() } 1 .. 1000;
	open my $kept, '>:raw', "$dir/batch" or die $!;
	print $kept map { escape($_) . "\n" } @batch;
	close $kept;

	print $in "TRUNCATE input;\nCOPY input FROM STDIN;\n";
	print $in "$_\t" . escape($batch[$_]) . "\n" for 0 .. $#batch;
	print $in "\\.\nSELECT n, accepted, problem FROM input, failure(source) ORDER BY n;\n";
	receive("$dir/binary$_", $batch[rand @batch]) for 1 .. 10;
	print $in "\\echo done\n";

	my $done = 0;
	while (my $line = <$out>)
	{
		chomp $line;
		if ($line eq 'done') { $done = 1; last; }
		my ($n, $ok, $problem) = split /\|/, $line, 3;
		fail("input $n: $problem: " . escape($batch[$n])) if $problem ne '';
		next unless $ok eq 't';
		$accepted++;
		if (@pool < 4000) { push @pool, $batch[$n]; }
		else { $pool[rand @pool] = $batch[$n]; }
	}
	fail('the server did not answer: a crash, a hang or an error outside the type') unless $done;
	$inputs += @batch;
	$batches++;
}
close $in;
waitpid $pid, 0;
print "$inputs inputs, $accepted accepted, ", 10 * $batches, " binary ones: no failure\n";
fail('nothing was accepted') unless $accepted;

# A binary COPY of one value, whose bytes may be wrong too; any error is fine, but the server must live.
sub receive
{
	my ($file, $text) = @_;
	my $value = chr(rand(10) < 8 ? 1 : rand 256) . $text;

	substr($value, rand length $value, 1) = chr rand 256 if rand(2) < 1;
	open my $fh, '>:raw', $file or die $!;
	print $fh "PGCOPY\n\xff\r\n\0", pack('N2 n N', 0, 0, 1, length $value), $value, pack('n', 0xffff);
	close $fh;
	print $in "\\set ON_ERROR_STOP off\n\\set QUIET on\n\\copy received FROM '$file' (FORMAT binary)\n\\set ON_ERROR_STOP on\n";
}

# One to four changes of an input from the pool; at the most 4,000 bytes.
sub mutate
{
	my $text = $pool[rand @pool];

	for (0 .. rand 4)
	{
		my $at = int rand(1 + length $text);
		my $other = $pool[rand @pool];
		my $kind = int rand 7;

		if ($kind == 0) { substr($text, $at, 1 + rand 4) = ''; }
		elsif ($kind == 1 || $kind == 2) { substr($text, $at, 0) = $pieces[rand @pieces]; }
		elsif ($kind == 3) { substr($text, $at, 1) = chr(32 + rand 95); }
		elsif ($kind == 4) { substr($text, $at) = substr($other, rand length $other); }
		elsif ($kind == 5) { substr($text, $at, 0) = substr($text, 0, rand length $text) x int rand 3; }
		else { $text = "($text)" . $pieces[rand @pieces] . "($other)"; }
		$text = substr $text, 0, 4000;
	}
	# the server takes only valid UTF-8
	$text =~ tr/\0//d;
	utf8::decode(my $copy = $text) or $text =~ s/[\x80-\xff]//g;
	return $text;
}

# As COPY reads it.
sub escape
{
	my ($text) = @_;

	$text =~ s/\\/\\\\/g;
	$text =~ s/\n/\\n/g;
	$text =~ s/\r/\\r/g;
	$text =~ s/\t/\\t/g;
	return $text;
}

sub fail
{
	my ($message) = @_;
	my $kept = ($ENV{TMPDIR} // '/tmp') . '/sigma-fuzz-failure';

	rename "$dir/batch", $kept or system 'cp', "$dir/batch", $kept;
	system 'tail', '-n', '5', "$dir/errors";
	print "failure (seed $seed): $message\nthe batch is kept in $kept\n";
	exit 1;
}

sub read_lines
{
	my ($file) = @_;

	open my $fh, '<:raw', $file or die "$file: $!\n";
	chomp(my @lines = <$fh>);
	return grep { $_ ne '' } @lines;
}
