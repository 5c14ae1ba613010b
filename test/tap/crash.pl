# Crashes: the postmaster is killed with SIGKILL while rows are written in bulk, a draft is
# published and edits are undone.  After each restart the table is what its log says, each
# statement, import, publish and undo happened as a whole or not at all, and what a client
# had been told is there.
#
# A killed process leaves what it wrote to the operating system, so fsync is of no matter
# here, and off; synchronous_commit is on, so that a commit reaches the system before its
# client hears of it.  In every other round the backends are killed too, in the midst of
# their statements; in the others they are orphans that end by themselves
# (https://www.postgresql.org/docs/current/server-shutdown.html), and a new server cannot
# start before the last of them is gone.
use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $seed = $ENV{SIGMA_SEED} || 20260801;
my $rounds = $ENV{SIGMA_ROUNDS} || 20;
my @kinds = qw(bulk publish undo);
my $batch = 400;
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding', 'UTF8', '--locale', 'C']);
$node->append_conf('postgresql.conf', "fsync = off\nsynchronous_commit = on\nmax_connections = 30\nautovacuum = off");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION sigma;
	SELECT sigma.create_input_table(jsonb_build_object('id', id, 'name', upper(id), 'max_rows', 100000, 'columns', '[
		{"name": "b", "type": "integer", "required": true}, {"name": "n", "type": "integer"},
		{"name": "v", "type": "number", "validation": {"min": 0}}, {"name": "t", "type": "text", "default_value": "x"}]'::jsonb))
	FROM unnest(ARRAY['c1', 'c2']) AS id;
	-- Returns what works in the moment in which a session of that kind does, waiting for no lock, and the
	-- others are under way.  One look sees them all: a session is idle between two of its statements.
	CREATE FUNCTION wait_for(kind text, spin int) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		busy text;
	BEGIN
		FOR i IN 1 .. 100000 LOOP
			PERFORM pg_stat_clear_snapshot();
			SELECT string_agg(DISTINCT application_name, ' ' ORDER BY application_name) INTO busy
			FROM pg_stat_activity WHERE state = 'active' AND application_name IN ('bulk', 'publish', 'undo')
			HAVING bool_or(application_name = kind AND wait_event_type IS DISTINCT FROM 'Lock');
			IF busy = 'bulk publish undo' THEN
				FOR i IN 1 .. spin LOOP
				END LOOP;
				RETURN busy;
			END IF;
			PERFORM pg_sleep(0.0003);
		END LOOP;
		RETURN 'last seen: ' || coalesce(busy, 'nothing');
	END $$;
});

# What a session of a kind does with a table, over and over.
sub script
{
	my ($kind, $table, $round) = @_;
	my $data = "sigds.sigds_$table";
	my $some = "(SELECT b FROM $data ORDER BY random() LIMIT 1)";
	my @lines = ("SET application_name = '$kind';", '\o /dev/null');

	for my $i (1 .. 3000)
	{
		my $what = int(rand(20)) / 2;
		my $number = $round * 10000 + $i;
		push @lines,
		    $kind eq 'publish' ? ($what < 9.5 ? "SELECT sigma.publish('$table');" : "SELECT sigma.discard_draft('$table');")
		  : $kind eq 'undo' ? ($what < 6 ? "SELECT sigma.undo('$table', " . (1 + $what % 3) . ');' : "SELECT sigma.redo('$table');")
		  : $what < 3 ? "INSERT INTO $data (b, n, v) SELECT $number, g, 0 FROM generate_series(1, $batch) AS g;"
		  : $what < 4 ? "SELECT sigma.import_csv('$table', (SELECT E'b,n,v\\n' || string_agg($number || ',' || g || ',0', E'\\n') FROM generate_series(1, $batch) AS g));"
		  : $what < 7 ? "UPDATE $data SET v = v + 1, t = t || 'y' WHERE b = $some;"
		  : $what < 8 ? "UPDATE $data SET v = v + 1;"
		  : "DELETE FROM $data WHERE b IN (SELECT b FROM $data GROUP BY b ORDER BY b DESC OFFSET 6);";
		# a commit that is seen may be relied on
		push @lines, '\o', "SELECT max(edit_num) FROM sigds.sigds_wal_$table;", '\o /dev/null';
	}
	return join("\n", @lines) . "\n";
}

# Files, not pipes: nobody reads while the session runs.
sub start_session
{
	my ($kind, $table, $round) = @_;
	my $session = { table => $table, out => $node->basedir . "/$kind.$table.out" };
	my $in = $node->basedir . "/$kind.$table.sql";

	unlink $in;
	append_to_file($in, script($kind, $table, $round));
	# conflicts of undo, deadlocks and the end of the connection are all right
	$session->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', $in ],
		'<', \undef, '>', $session->{out}, '2>', '/dev/null', IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $session;
}

# The server's processes, the postmaster first.
sub processes
{
	return ((split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0],
		split /\s+/, $node->safe_psql('postgres', "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE pid <> pg_backend_pid()"));
}

# Orphans keep the shared memory: the server starts when they are gone.
sub restart
{
	my @processes = @_;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return $node->start if !kill(0, @processes);
		usleep(100_000);
	}
	return 0;
}

sub ask
{
	return $node->safe_psql('postgres', shift);
}

# Publish, and fold the log: what was written so far is not read again in each round, nor undone.
my %compacted;

sub settle
{
	for my $table ('c1', 'c2')
	{
		ask("SELECT sigma.publish('$table')");
		ask("SELECT sigma.compact_log('$table', interval '0')");
		$compacted{$table} = ask("SELECT max(edit_num) FROM sigds.sigds_wal_$table");
	}
}

note("seed $seed");
ask("INSERT INTO sigds.sigds_$_ (b, n, v) SELECT b, n, 0 FROM generate_series(1, 8) AS b, generate_series(1, $batch) AS n") for 'c1', 'c2';
settle();
for my $round (1 .. $rounds)
{
	my $kind = $kinds[ $round % @kinds ];
	my @sessions = map { my $table = $_; map { start_session($_, $table, $round) } @kinds } 'c1', 'c2';

	usleep(100_000 + rand(200_000));
	my $busy = ask("SELECT wait_for('$kind', " . int(rand(100000)) . ')');
	my @processes = processes();
	$node->kill9;
	kill 'KILL', @processes if $round % 2 == 0;
	is($busy, 'bulk publish undo', "round $round: killed in the midst of $kind, with the others under way");
	# their connections break
	$_->{run}->finish for @sessions;
	ok(restart(@processes), "round $round: the server comes back") or BAIL_OUT('no server');

	for my $table ('c1', 'c2')
	{
		my $data = "sigds.sigds_$table";
		my ($seen) = sort { $b <=> $a } 0, map { slurp_file($_->{out}) =~ /(\d+)\n\z/ ? $1 : 0 } grep { $_->{table} eq $table } @sessions;
		my $last = ask("SELECT coalesce(max(edit_num), 0) FROM sigds.sigds_wal_$table");

		is(ask("SELECT r ->> 'differences' FROM sigma.rebuild('$table', true) AS r"), 0,
			"round $round: $table is what its log says, " . ask("SELECT count(*) FROM $data") . ' rows');
		cmp_ok($last, '>=', $seen, "round $round: what clients of $table saw committed is there");
		is(ask("SELECT count(*) FROM (SELECT FROM $data GROUP BY b HAVING count(*) <> $batch OR count(DISTINCT n) <> $batch
				OR count(DISTINCT (v, t)) <> 1) AS x"), 0, "round $round: statements, imports and undos on $table are whole");
		is(ask("SELECT row_count - (SELECT count(*) FROM $data) FROM sigma.sigma_row_counts WHERE id = '$table'"), 0,
			"round $round: rows of $table are counted right");
		# the view has what the last publish, or the last undo of one, left: no more and no less
		is(ask("WITH published AS (SELECT greatest($compacted{$table}, (SELECT CASE WHEN edit ? 'publish' THEN edit_num ELSE (edit #>> '{undo,published}')::bigint END
					FROM sigds.sigds_wal_$table WHERE edit ? 'publish' OR edit -> 'undo' ? 'published' ORDER BY edit_num DESC LIMIT 1)) AS edit_num),
				there AS (SELECT sigma_row_id, b, n, v, t FROM sigma_views.\"" . uc($table) . "\"),
				before AS (SELECT (r ->> 'sigma_row_id')::bigint, (r ->> 'b')::bigint, (r ->> 'n')::bigint, (r ->> 'v')::numeric, r ->> 't'
						 FROM published, sigma.as_of_edit('$table', published.edit_num) AS r)
			SELECT (SELECT count(*) FROM (TABLE there EXCEPT TABLE before) AS x) + (SELECT count(*) FROM (TABLE before EXCEPT TABLE there) AS x)"),
			0, "round $round: the view of $table shows its last publish as a whole");
		# the next statement
		is(ask("WITH log AS (SELECT max(edit_num) AS edit_num, (SELECT coalesce(max(sigma_row_id), 0) FROM $data) AS row_id FROM sigds.sigds_wal_$table),
				new AS (INSERT INTO $data (b, n, v) SELECT -$round, g, 0 FROM generate_series(1, $batch) AS g RETURNING sigma_row_id)
			SELECT min(new.sigma_row_id) > min(log.row_id) FROM log, new"), 't', "round $round: row ids of $table go on");
		is(ask("SELECT count(*) = 1 AND min(edit_num) > $last FROM sigds.sigds_wal_$table WHERE edit_num > $last"), 't',
			"round $round: edit numbers of $table go on");
	}
	settle() if $round % 3 == 0;
}

for my $table ('c1', 'c2')
{
	is(ask("SELECT (r ->> 'replaced')::boolean, r ->> 'differences' FROM sigma.rebuild('$table') AS r"), 'f|0', "$table needs no rebuild after $rounds crashes");
	is(ask("SELECT count(*) FROM sigma.publish_preview('$table') AS p LEFT JOIN sigds.sigds_$table AS t ON t.sigma_row_id = p.row_id
		WHERE p.operation <> 'delete' AND t.sigma_row_id IS NULL"), 0, "the preview of $table is of rows that are there");
}
is(ask("SELECT count(*) FROM sigds.sigds_wal_c1 AS a JOIN sigds.sigds_wal_c2 AS b USING (edit_num)
	WHERE NOT (a.edit ? 'checkpoint' OR b.edit ? 'checkpoint')"), 0, 'no number was drawn twice');

$node->stop;
done_testing();
