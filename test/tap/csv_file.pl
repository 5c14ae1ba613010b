# CSV files: what COPY writes, import_csv_file reads, in every dialect and
# encoding; limits, rights, cancelling.
use strict;
use warnings;

use Cwd qw(abs_path);
use Encode qw(decode encode);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding', 'UTF8', '--locale', 'C']);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\ndatestyle = 'ISO, MDY'\nfsync = off");
$node->start;
my $dir = abs_path(PostgreSQL::Test::Utils::tempdir);

sub spew
{
	my ($name, $bytes) = @_;
	open(my $file, '>:raw', "$dir/$name") or die "$name: $!";
	print $file $bytes;
	close($file) or die "$name: $!";
}

sub slurp
{
	my ($name) = @_;
	open(my $file, '<:raw', "$dir/$name") or die "$name: $!";
	local $/;
	return scalar <$file>;
}

# SQLSTATE and message of a statement that fails
sub refusal
{
	my ($database, $sql) = @_;
	my ($code, $out, $err) = $node->psql($database, "\\set VERBOSITY verbose\n$sql");
	return $err =~ /ERROR:\s+(\w{5}): (.*)/ ? "$1 $2" : "none";
}

# 3,000 rows of cells that are hard to get through a CSV; the same at every run
my $pieces = q{ARRAY['a', ',', ';', '|', E'\t', '"', '""', '''', E'\n', E'\r\n', E'\r', ' ', '\\', '\.', 'ä', '007', '-', 'NULL', E'\n\n', '"",""']};
my $setup = qq{
	CREATE EXTENSION sigma;
	CREATE FUNCTION pick(i int, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
		'SELECT (hashint4(i) & 2147483647) % n';
	CREATE FUNCTION cell(i int, pieces text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
		'SELECT CASE pick(i, 12) WHEN 0 THEN NULL WHEN 1 THEN '''' ELSE
			(SELECT string_agg(pieces[1 + pick(i * 7 + k, cardinality(pieces))], '''') FROM generate_series(1, 1 + pick(i + 1, 6)) k) END';
	CREATE TABLE source AS
		SELECT i AS "Id", cell(i, $pieces) AS "First", cell(-i, $pieces) AS "Se;c,ond",
			CASE WHEN pick(i, 5) > 0 THEN (pick(i, 2000001) - 1000000) / 100.0 END AS "Amount",
			CASE WHEN pick(i, 7) > 0 THEN date '1900-01-01' + pick(i, 80000) END AS "Day",
			CASE WHEN pick(i, 7) > 1 THEN timestamp '1999-12-31 23:59:59' + pick(i, 100000000) * interval '1 second' END AS "Moment",
			CASE WHEN pick(i, 3) > 0 THEN pick(i, 2) = 1 END AS "Flag",
			cell(i + 100000, $pieces) AS "Last ""one"""
		FROM generate_series(1, 3000) i;
	SELECT sigma.create_input_table('{"id": "copied", "type": "csv", "columns": [
		{"name": "Id", "type": "integer"}, {"name": "First", "type": "text"}, {"name": "Se;c,ond", "type": "text"},
		{"name": "Amount", "type": "number"}, {"name": "Day", "type": "date"}, {"name": "Moment", "type": "datetime"},
		{"name": "Flag", "type": "checkbox"}, {"name": "Last \\\\"one\\\\"", "type": "text"}]}');
};
$setup =~ s/\\\\"/\\"/g;
my $columns = q{"Id", "First", "Se;c,ond", "Amount", "Day", "Moment", "Flag", "Last ""one"""};
$node->safe_psql('postgres', $setup);

# import a file and say how many rows are not as in the source
sub import_and_compare
{
	my ($name, $options) = @_;
	$options =~ s/^\{/{"replace": true, /;
	$options =~ s/, \}/}/;
	return $node->safe_psql('postgres', qq{
		SELECT r->'accepted', r->'delimiter', r->'encoding' FROM sigma.import_csv_file('copied', '$dir/$name', \$\$$options\$\$) r;
		SELECT count(*) FROM (SELECT $columns FROM source EXCEPT ALL SELECT $columns FROM sigds.sigds_copied) AS lost;
		SELECT count(*) FROM (SELECT $columns FROM sigds.sigds_copied EXCEPT ALL SELECT $columns FROM source) AS gained;});
}

# dialects of COPY, read with what a user would have to say about them
my @dialects = (
	[ 'comma', '', '{}', ',', 'UTF8' ],
	[ 'semicolon', q{, DELIMITER ';'}, '{}', ';', 'UTF8' ],
	[ 'tab', q{, DELIMITER E'\t'}, '{}', '\t', 'UTF8' ],
	[ 'pipe', q{, DELIMITER '|'}, '{"delimiter": "|"}', '|', 'UTF8' ],
	[ 'forced', q{, FORCE_QUOTE *}, '{}', ',', 'UTF8' ],
	[ 'single', q{, QUOTE ''''}, q({"quote": "'"}), ',', 'UTF8' ],
	[ 'nulls', q{, NULL '<null>', FORCE_QUOTE ("First", "Se;c,ond", "Last ""one""")}, '{"null_text": "<null>"}', ',', 'UTF8' ],
	[ 'latin', q{, ENCODING 'LATIN1'}, '{"encoding": "latin-1"}', ',', 'LATIN1' ]);
foreach my $dialect (@dialects)
{
	my ($name, $copy, $options, $delimiter, $encoding) = @$dialect;
	$node->safe_psql('postgres', "COPY source TO '$dir/$name.csv' (FORMAT csv, HEADER$copy)");
	is(import_and_compare("$name.csv", $options), qq(3000|"$delimiter"|"$encoding"\n0\n0), "what COPY writes is read: $name");
}

# the same bytes in UTF-16, both ways round, with a byte order mark
my $text = decode('UTF-8', slurp('comma.csv'));
spew('little.csv', "\xff\xfe" . encode('UTF-16LE', $text));
is(import_and_compare('little.csv', '{}'), qq(3000|","|"UTF16LE"\n0\n0), 'UTF-16, little end first');
spew('big.csv', "\xfe\xff" . encode('UTF-16BE', $text));
is(import_and_compare('big.csv', '{}'), qq(3000|","|"UTF16BE"\n0\n0), 'UTF-16, big end first');
spew('marked.csv', "\xef\xbb\xbf" . slurp('comma.csv'));
is(import_and_compare('marked.csv', '{}'), qq(3000|","|"UTF8"\n0\n0), 'UTF-8 with a byte order mark');

# what is inferred is what was written; COPY writes t and f, which are words
is($node->safe_psql('postgres', qq{SELECT string_agg(c->>'type', ' ') FROM jsonb_array_elements(sigma.infer_columns(pg_read_binary_file('$dir/comma.csv'))) c}),
	'integer text text number date datetime text text', 'inferred types');

# a failure names the line that an editor shows
my $bytes = slurp('comma.csv');
my $line = () = $bytes =~ /\r\n|\r|\n/g;
spew('bad.csv', $bytes . "x,,,,,,,\n1,\"two\nlines\",,,,,,\n2,,,\n");
is($node->safe_psql('postgres', qq{
	SELECT r->'rejected', r->'errors'->0->'line', r->'errors'->0->>'rule', r->'errors'->0->'row', r->'errors'->1->'line', r->'errors'->1->>'rule', r->'lines'
	FROM sigma.import_csv_file('copied', '$dir/bad.csv', '{"mode": "partial", "dry_run": true}') r}),
	join('|', 2, $line + 1, 'type', 3000, $line + 4, 'columns', $line + 4), 'lines of failures');
spew('broken.csv', $bytes . "1,\xe4\n");
like(refusal('postgres', "SELECT sigma.import_csv_file('copied', '$dir/broken.csv')"),
	qr/^22021 line @{[$line + 1]} of the CSV is not valid UTF8/, 'the line of a bad byte');

# over the limit, without reading it
open(my $sparse, '>', "$dir/huge.csv") or die;
truncate($sparse, 200 * 1024 * 1024 + 1) or die;
close($sparse);
is(refusal('postgres', "SELECT sigma.import_csv_file('copied', '$dir/huge.csv')"), '54000 CSV is larger than 200 MB', 'the limit');

# members of pg_read_server_files who may write the table
$node->safe_psql('postgres', q{
	CREATE ROLE reader; CREATE ROLE other;
	GRANT pg_read_server_files TO reader;
	GRANT USAGE ON SCHEMA sigma, sigds TO reader, other;
	GRANT EXECUTE ON FUNCTION sigma.import_csv_file(text, text, jsonb) TO reader, other;
	GRANT INSERT ON sigds.sigds_copied TO reader, other;});
spew('small.csv', "Id,First\n-1,by reader\n");
is($node->safe_psql('postgres', "SET ROLE reader; SELECT sigma.import_csv_file('copied', '$dir/small.csv')->'inserted'"), '1', 'a member imports a file');
like(refusal('postgres', "SET ROLE other; SELECT sigma.import_csv_file('copied', '$dir/small.csv')"), qr/^42501 /, 'others do not');

# a cancelled import leaves nothing, and a session that works
spew('long.csv', "Id,First\n" . join('', map { "$_,\"x\n\"\n" } 1 .. 300000));
my ($code, $out, $err) = $node->psql('postgres', qq{
	\\set VERBOSITY sqlstate
	SET statement_timeout = '300ms';
	SELECT sigma.import_csv_file('copied', '$dir/long.csv');
	RESET statement_timeout;
	SELECT count(*) FROM sigds.sigds_copied WHERE "First" = E'x\\n';}, on_error_stop => 0);
like($err, qr/57014/, 'an import is cancelled');
is($out, '0', 'and leaves nothing behind');

# a database in another encoding
$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
$node->safe_psql('latin', q{CREATE EXTENSION sigma;
	SELECT sigma.create_input_table('{"id": "t", "columns": [{"name": "a", "type": "text"}]}')});
spew('utf8.csv', "a\n\xc3\xa4\n");
is($node->safe_psql('latin', "SELECT sigma.import_csv_file('t', '$dir/utf8.csv')->'encoding'; SELECT encode(a::bytea, 'hex') FROM sigds.sigds_t"),
	qq("UTF8"\ne4), 'UTF-8 into LATIN1');
spew('euro.csv', "a\n\xc3\xa4\n\n\xe2\x82\xac\n");
like(refusal('latin', "SELECT sigma.import_csv_file('t', '$dir/euro.csv')"), qr/^22P05 line 4 of the CSV/, 'a character that LATIN1 does not have');

done_testing();
