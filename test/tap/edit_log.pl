# The edit log against random work: after thousands of statements of every kind, by one
# session and by several at once, after crashes too, the table is what its log says, and
# as_of_edit shows what the table was.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SIGMA_SEED} || 20260731;
my $rounds = $ENV{SIGMA_ROUNDS} || 20;
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding', 'UTF8', '--locale', 'C']);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nsynchronous_commit = off\nmax_connections = 30");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION sigma;
	SELECT sigma.create_input_table('{"id": "r", "columns": [
		{"name": "k", "type": "integer", "unique": true}, {"name": "t", "type": "text"}, {"name": "n", "type": "number", "default_value": 1},
		{"name": "f", "type": "float"}, {"name": "d", "type": "date"}, {"name": "s", "type": "datetime"}, {"name": "c", "type": "checkbox"},
		{"name": "m", "type": "multi-select"}, {"name": "j", "type": "json"}]}');
	-- what a trigger changes of the rows that were just written is logged after them
	CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF pg_trigger_depth() < 3 THEN
			UPDATE sigds.sigds_r r SET t = coalesce(r.t, '') || '!' FROM fresh f
			WHERE r.sigma_row_id = f.sigma_row_id AND f.sigma_row_id % 7 = 0;
		END IF;
		RETURN NULL;
	END $$;
	CREATE TRIGGER after_insert AFTER INSERT ON sigds.sigds_r REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION touch();
	CREATE TRIGGER after_update AFTER UPDATE ON sigds.sigds_r REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION touch();
	-- what the table was after some edits
	CREATE TABLE memory (edit_num bigint PRIMARY KEY, rows jsonb);
});

sub pick { return $_[ int(rand(@_)) ]; }

# A value of each column, as SQL.
sub value
{
	my ($column) = @_;
	return 'NULL' if rand() < 0.15;
	return int(rand(400)) if $column eq 'k';
	return pick("'a'", "''", q{E'tab\t"q" \\\\ ü'}, "repeat('long', 700)", "'null'") if $column eq 't';
	return pick('0', '-1.50', '12345678901234567890.000100', '1e-20', "'7'") if $column eq 'n';
	return pick("'-0'", '0.1', '1e300', '-2.5e-7') if $column eq 'f';
	return pick("'2024-02-29'", "'0001-01-01'", "'9999-12-31'") if $column eq 'd';
	return pick("'2024-02-29 23:59:59.999999'", "'1969-12-31 00:00:00'") if $column eq 's';
	return pick('true', 'false') if $column eq 'c';
	return pick("'{}'", q{'{a,"b c",""}'}, "'{x}'") if $column eq 'm';
	return pick(q{'{"a": [1, null, 2.0]}'}, "'null'", q{'{"$json": 1}'}, q{'"text"'}, '\'3\'', "'[]'");
}

my @columns = qw(k t n f d s c m j);

sub some
{
	my @some = grep { rand() < 0.5 } @columns;
	return @some ? @some : ('t');
}

sub where
{
	return pick('k < ' . int(rand(400)), 'sigma_row_id % ' . (2 + int(rand(9))) . ' = 0', 'c', 't IS NULL', 'k = ' . int(rand(400)));
}

sub insert
{
	my @some = some();
	my $rows = 1 + int(rand(6));
	return 'INSERT INTO sigds.sigds_r (' . join(', ', @some) . ') VALUES '
	  . join(', ', map { '(' . join(', ', map { value($_) } @some) . ')' } 1 .. $rows);
}

sub update
{
	return 'UPDATE sigds.sigds_r SET ' . join(', ', map { "$_ = " . value($_) } 'c', grep { !/[kc]/ } some()) . ' WHERE ' . where();
}

# Each kind of work, with its weight.
my @work = (
	[ 12, \&insert ],
	[ 3, sub { return insert() . ' ON CONFLICT (k) DO UPDATE SET n = excluded.n, t = excluded.t'; } ],
	[ 1, sub { return insert() . ' ON CONFLICT DO NOTHING'; } ],
	[ 12, \&update ],
	[ 5, sub { return 'DELETE FROM sigds.sigds_r WHERE ' . where() . ' AND sigma_row_id % 3 = ' . int(rand(3)); } ],
	[ 3, sub {
		return 'MERGE INTO sigds.sigds_r r USING generate_series(' . int(rand(300)) . ', ' . int(rand(400)) . ', 17) AS g(k) ON r.k = g.k '
		  . 'WHEN MATCHED AND g.k % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET n = g.k, j = NULL WHEN NOT MATCHED THEN INSERT (k, t) VALUES (g.k, ' . value('t') . ')';
	} ],
	[ 2, sub { return "WITH gone AS (DELETE FROM sigds.sigds_r WHERE k % 10 = " . int(rand(10)) . " RETURNING n) INSERT INTO sigds.sigds_r (n) SELECT n FROM gone LIMIT 3"; } ],
	[ 3, sub { return "COPY sigds.sigds_r (k, t, n) FROM STDIN;\n" . join('', map { int(rand(100000)) . "\tcopied\t\\N\n" } 1 .. 4) . '\\.'; } ],
	[ 3, sub { return sprintf(q~SELECT sigma.handle_data_entry('r', '[{"t": "entered", "n": "NaN"}, {"k": %d, "f": 2.5}, {"sigma_row_id": %d, "t": null}]', 'partial')~, rand(400), 1 + rand(300)); } ],
	[ 2, sub { return sprintf(q~SELECT sigma.import_csv('r', E'k,n\n%d,1.0\n%d,x\n', '{"mode": "partial", "key": "k", "on_conflict": "update"}')~, rand(400), rand(400)); } ],
	[ 3, sub { return 'BEGIN; ' . update() . '; ' . insert() . '; ' . pick('ROLLBACK', 'COMMIT'); } ],
	[ 3, sub { return 'BEGIN; ' . insert() . '; SAVEPOINT a; ' . update() . '; ' . insert() . '; ROLLBACK TO a; ' . update() . '; COMMIT'; } ],
	[ 4, sub { return "SELECT sigma.undo('r', " . (1 + int(rand(3))) . ')'; } ],
	[ 3, sub { return "SELECT sigma.redo('r', " . (1 + int(rand(2))) . ')'; } ],
	[ 1, sub { return "SELECT sigma.restore('r', (SELECT edit_num FROM sigds.sigds_wal_r ORDER BY edit_num DESC OFFSET " . int(rand(20)) . ' LIMIT 1))'; } ],
	[ 1, sub { return "SELECT sigma.add_column('r', '{\"name\": \"x" . int(rand(4)) . '", "type": "' . pick('text', 'integer', 'json') . pick('"}', '", "default_value": 4}') . "')"; } ],
	[ 1, sub { return "SELECT sigma.drop_column('r', 'x" . int(rand(4)) . "')"; } ],
	[ 1, sub { return "SELECT sigma.alter_column('r', 'x" . int(rand(4)) . "', '{\"type\": \"" . pick('text', 'number', 'multi-select', 'json', 'checkbox') . "\"}')"; } ],
	[ 1, sub { return "SELECT sigma.rename_column('r', 'x" . int(rand(4)) . "', 'x" . int(rand(4)) . "')"; } ],
	[ 1, sub { return "UPDATE sigds.sigds_r SET x" . int(rand(4)) . " = '3'"; } ],
	[ 1, sub { return "SET sigma.user_email = '" . pick('ann@example.com', 'bob@example.com') . "'"; } ]);
my @bag = map { ($_->[1]) x $_->[0] } @work;

# Statements may fail: what they did is then not there, nor in the log.
sub run_some
{
	my ($count) = @_;
	my ($out, $err) = ('', '');
	my $script = join(";\n", map { pick(@bag)->() } 1 .. $count) . ";\n";
	$script =~ s/^\\\.;$/\\./mg;
	$node->psql("postgres", "\\set VERBOSITY verbose\n$script", stdout => \$out, stderr => \$err, on_error_stop => 0);
	if ($err =~ /<stdin>:(\d+): (server closed the connection|ERROR:  XX\d\d\d).*/)
	{
		fail('no statement ends in a crash or an internal error');
		diag($&, "\n", (split /\n/, "\n$script")[$1 - 1]);
	}
	return $count;
}

sub differences
{
	my $result = $node->safe_psql('postgres', q{SELECT r ->> 'differences', r ->> 'rows', r ->> 'edits' FROM sigma.rebuild('r', true) AS r});
	return split /\|/, $result;
}

note("seed $seed");
my $statements = 0;
for my $round (1 .. $rounds)
{
	$statements += run_some(100);
	my ($differences, $rows, $edits) = differences();
	is($differences, 0, "after $statements statements, $edits edits, $rows rows: the table is what its log says") or last;
	$node->safe_psql('postgres', q{INSERT INTO memory SELECT max(edit_num), (SELECT jsonb_agg(to_jsonb(r) ORDER BY r.sigma_row_id) FROM sigds.sigds_r r)
		FROM sigds.sigds_wal_r ON CONFLICT DO NOTHING});
	next if $round % 10 != 0;
	is($node->safe_psql('postgres', q{SELECT count(*) FROM memory m
		WHERE (SELECT jsonb_agg(row ORDER BY (row ->> 'sigma_row_id')::bigint) FROM sigma.as_of_edit('r', m.edit_num) AS row) IS DISTINCT FROM m.rows}),
		0, "as_of_edit shows each of $round moments as it was");
}
is($node->safe_psql('postgres', q{SELECT count(DISTINCT k) FROM sigds.sigds_wal_r, jsonb_object_keys(edit) AS k}) >= 12, 1, 'operations of all kinds were logged');
is($node->safe_psql('postgres', q{SELECT count(*) FROM sigds.sigds_wal_r WHERE NOT record_image_eq(ROW(edit), ROW(edit::text::jsonb))}), 0,
	'entries are stored byte by byte as PostgreSQL stores the same document');
is($node->safe_psql('postgres', q{SELECT count(*) FROM sigds.sigds_wal_r WHERE statement > edit_num
	OR statement NOT IN (SELECT edit_num FROM sigds.sigds_wal_r)}), 0, 'a statement has the number of its first entry');

# Half of the log goes; the rest leads to the same table.
$node->safe_psql('postgres', q{SELECT sigma.compact_log('r', clock_timestamp() - (SELECT "timestamp" FROM sigds.sigds_wal_r ORDER BY edit_num OFFSET
	(SELECT count(*) / 2 FROM sigds.sigds_wal_r) LIMIT 1))});
is((differences())[0], 0, 'a compacted log leads to the same table');
run_some(200);
is((differences())[0], 0, 'and goes on');

# Several sessions at once, which undo as well.
append_to_file($node->basedir . '/work.sql', q{
\set row random(1, 400)
\set k random(1, 100000)
\set what random(1, 20)
SET sigma.user_email = 'client:client_id@example.com';
\if :what <= 10
UPDATE sigds.sigds_r SET n = coalesce(n, 0) + 1, t = left(coalesce(t, '') || '.', 20) WHERE sigma_row_id % 40 = :row % 40;
\elif :what <= 15
INSERT INTO sigds.sigds_r (k, t) VALUES (:k, 'p'), (NULL, 'q') ON CONFLICT (k) DO UPDATE SET t = 'again';
\elif :what <= 17
DELETE FROM sigds.sigds_r WHERE sigma_row_id = :row;
\else
SELECT sigma.undo('r');
\endif
});
$node->run_log([ 'pgbench', '-n', "--random-seed=$seed", '-c', '6', '-j', '2', '-t', '150', '--max-tries', '5', '-h', $node->host, '-p', $node->port,
	'-f', $node->basedir . '/work.sql', 'postgres' ]);
is((differences())[0], 0, 'after six sessions at once the table is what its log says');
is($node->safe_psql('postgres', q{SELECT count(*) FROM sigds.sigds_wal_r a JOIN sigds.sigds_wal_r b ON b.edit_num > a.edit_num AND a.xact >= b.settled}),
	0, 'an entry waits for the transactions of all smaller numbers');

# Crashes in the middle of work.
for my $crash (1 .. 3)
{
	my $harness = IPC::Run::start([ 'pgbench', '-n', "--random-seed=$seed$crash", '-c', '4', '-T', '30', '-h', $node->host, '-p', $node->port,
		'-f', $node->basedir . '/work.sql', 'postgres' ], '>', \my $out, '2>', \my $err);
	select(undef, undef, undef, 0.7 + rand(0.5));
	$node->stop('immediate');
	$harness->finish;
	$node->start;
	is((differences())[0], 0, "after crash $crash the table is what its log says");
	is($node->safe_psql('postgres', q{INSERT INTO sigds.sigds_r (t) VALUES ('after the crash');
		SELECT max(edit_num) FILTER (WHERE edit #>> '{addRow,values,t}' = 'after the crash') = max(edit_num) FROM sigds.sigds_wal_r WHERE NOT edit ? 'updateRow'}),
		't', 'numbers go on');
}

$node->stop;
done_testing();
