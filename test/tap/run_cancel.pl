# Who ended a run: its own limit is contained, a user's cancel never is, however
# the two meet.  https://www.postgresql.org/docs/current/functions-admin.html
use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding', 'UTF8', '--locale', 'C']);
$node->append_conf('postgresql.conf', "fsync = off");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION sigma;
	SELECT sigma.create_input_table('{"id": "t", "columns": [{"name": "how", "type": "text"}]}');
	CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		-- who cancels himself is cancelled before any limit; the signal is a user's
		IF NEW.how LIKE '%cancels itself' THEN
			IF NEW.how LIKE 'eats%' THEN
				BEGIN
					PERFORM pg_cancel_backend(pg_backend_pid()), pg_sleep(600);
				EXCEPTION WHEN query_canceled THEN
					RAISE LOG 'cancel eaten';
				END;
			ELSE
				PERFORM pg_cancel_backend(pg_backend_pid());
			END IF;
			PERFORM pg_sleep(600);
		ELSIF NEW.how = 'eats the limit' THEN
			BEGIN
				PERFORM pg_sleep(600);
			EXCEPTION WHEN query_canceled THEN
				RAISE LOG 'cancel eaten';
			END;
			PERFORM pg_sleep(600);
		ELSIF NEW.how = 'slow' THEN
			PERFORM pg_sleep(600);
		ELSIF NEW.how = 'runs another' THEN
			BEGIN
				PERFORM sigma.execute_sequence('s600000', '{"controls": {"how": "cancels itself"}}');
			EXCEPTION WHEN query_canceled THEN
				RAISE LOG 'cleaning up';
				PERFORM pg_sleep(600);
				RAISE;
			END;
		END IF;
		RETURN NULL;
	END
	$$;
	CREATE TRIGGER slow AFTER INSERT ON sigds.sigds_t FOR EACH ROW EXECUTE FUNCTION slow();
	-- 300 ms may be over anywhere in a run, 3 s are not before its step sleeps
	SELECT sigma.create_action_sequence(jsonb_build_object('id', 's' || ms, 'timeout_ms', ms, 'stop_on_error', false, 'actions',
		'[{"type": "data_modification", "subtype": "insert_row", "target": "t", "values": {"how": "[Control/how]"}},
		  {"type": "data_modification", "subtype": "insert_row", "target": "t", "values": {"how": "[Control/then]"}}]'::jsonb))
	FROM unnest(ARRAY[300, 3000, 600000]) AS ms;
});

# Start statements in a session of its own.
sub background
{
	my @statements = @_;
	my $session = { out => '', err => '' };

	$session->{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), map { ('-c', $_) } @statements ],
		'<', \undef, '>', \$session->{out}, '2>', \$session->{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $session;
}

# Wait until a session sleeps that long (its statement is nested, so the log of
# waits tells), then cancel it as a user does.
sub cancel_sleeper
{
	$node->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'})
	  or die 'nothing sleeps';
	$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
}

sub history
{
	return $node->safe_psql('postgres',
		q{SELECT coalesce(string_agg(status || ' ' || coalesce(error_message, ''), ', ' ORDER BY start_time), 'none') FROM sigma.sigma_execution_history});
}

my $user = qr/canceling statement due to user request/;

# the user cancels a run that still has time
my $session = background(q{SELECT sigma.execute_sequence('s600000', '{"controls": {"how": "slow"}}') ->> 'status'}, q{SELECT 'still here'});
cancel_sleeper();
$session->{run}->finish;
like($session->{err}, $user, 'a cancel by the user is raised');
is($session->{out}, "still here\n", 'the statement ended, the session did not');
is(history(), 'none', 'and left no history');

# its own limit is contained; later statements of the session can be cancelled by the user
$session = background(
	q{SELECT r ->> 'status', r -> 'error' ->> 'sqlstate' FROM sigma.execute_sequence('s300', '{"controls": {"how": "slow"}}') AS r},
	q{SELECT 'later', pg_sleep(600)},
	q{SELECT r ->> 'status', r -> 'error' ->> 'sqlstate' FROM sigma.execute_sequence('s300', '{"controls": {"how": "slow"}}') AS r;});
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM sigma.sigma_execution_history});
cancel_sleeper();
$session->{run}->finish;
is($session->{out}, "failed|57014\nfailed|57014\n", 'the limit is contained before and after a cancel');
like($session->{err}, $user, 'the statement between them was cancelled by the user');
is(history(), 'failed run exceeded its limit of 300 ms, failed run exceeded its limit of 300 ms', 'both runs are recorded');

# the limit was met and eaten by the step's own code, then the user cancels
$node->safe_psql('postgres', 'DELETE FROM sigma.sigma_execution_history');
my $log = -s $node->logfile;
$session = background(q{SELECT sigma.execute_sequence('s3000', '{"controls": {"how": "eats the limit"}}') ->> 'status';});
$node->wait_for_log(qr/cancel eaten/, $log);
cancel_sleeper();
$session->{run}->finish;
like($session->{err}, $user, 'a cancel by the user after an eaten limit is raised');
is(history(), 'none', 'and left no history');

# the user's cancel was eaten, then the limit is met: PostgreSQL lets code eat cancels
$log = -s $node->logfile;
$session = background(
	q{SELECT r ->> 'status', r -> 'error' ->> 'sqlstate' FROM sigma.execute_sequence('s3000', '{"controls": {"how": "eats it and cancels itself"}}') AS r;});
$node->wait_for_log(qr/cancel eaten/, $log);
$session->{run}->finish;
unlike($session->{out}, qr/success/, 'a run over its limit is no success');

# the user cancels a run inside a run, and while that error is on its way out the outer run's limit is met
$node->safe_psql('postgres', 'DELETE FROM sigma.sigma_execution_history');
$log = -s $node->logfile;
$session = background(q{SELECT r ->> 'status', r -> 'error' ->> 'sqlstate' FROM sigma.execute_sequence('s3000', '{"controls": {"how": "runs another"}}') AS r;});
$node->wait_for_log(qr/cleaning up/, $log);
$session->{run}->finish;
like($session->{err}, $user, 'a cancel of the inner run stays the user\'s');
is($session->{out}, '', 'and is not contained as the limit of the outer one');
is(history(), 'none', 'and left no history');

# lock_timeout sends the same signal: it is contained, and so is the limit after it
$node->safe_psql('postgres', q{DELETE FROM sigma.sigma_execution_history;
	CREATE TABLE wanted (); CREATE FUNCTION want() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN IF NEW.how = 'lock' THEN LOCK TABLE wanted; END IF; RETURN NULL; END $$;
	CREATE TRIGGER want AFTER INSERT ON sigds.sigds_t FOR EACH ROW EXECUTE FUNCTION want();});
my $holder = background('BEGIN', 'LOCK TABLE wanted', 'SELECT pg_advisory_lock(1)', 'SELECT pg_sleep(600)');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory'});
is( $node->safe_psql('postgres', q{SET lock_timeout = '50ms';
	SELECT r ->> 'status', r -> 'actions' -> 0 -> 'error' ->> 'sqlstate', r -> 'error' ->> 'sqlstate'
	FROM sigma.execute_sequence('s3000', '{"controls": {"how": "lock", "then": "slow"}}') AS r}),
	'failed|55P03|57014', 'lock_timeout fails the step, the limit then ends the run');
cancel_sleeper();
$holder->{run}->finish;

# stop_sequence() cancels what pg_cancel_backend() would let the caller cancel, and nothing else
$node->safe_psql('postgres', q{
	DELETE FROM sigma.sigma_execution_history;
	CREATE ROLE clerk LOGIN; CREATE ROLE member LOGIN IN ROLE clerk; CREATE ROLE stranger LOGIN; CREATE ROLE signaller LOGIN IN ROLE pg_signal_backend;
	SELECT sigma.grant_access(r, 'editor', 't') FROM unnest(ARRAY['clerk', 'stranger', 'signaller']::name[]) AS r;});
my $stop = q{SELECT sigma.stop_sequence('s600000')};
my $superuser_name = $node->safe_psql('postgres', 'SELECT current_user');
my $sleeping = q{SELECT count(*) = %d FROM pg_stat_activity WHERE wait_event = 'PgSleep'};
for my $case ([ 'clerk', 'member' ], [ 'clerk', 'clerk' ], [ 'clerk', 'signaller' ], [ 'clerk', $superuser_name ])
{
	my ($runner, $stopper) = @$case;

	local $ENV{PGUSER} = $runner;
	$session = background(q{SELECT sigma.execute_sequence('s600000', '{"controls": {"how": "slow"}}') ->> 'status'}, q{SELECT 'still here'});
	delete $ENV{PGUSER};
	$node->poll_query_until('postgres', sprintf($sleeping, 1));
	is($node->safe_psql('postgres', 'SELECT sequence_id, role FROM sigma.running()'), "s600000|$runner", "a run of $runner is shown");
	is( ($node->psql('postgres', $stop, extra_params => [ '-U', 'stranger' ]))[0], 3, 'no stranger stops it');
	like(($node->psql('postgres', $stop, extra_params => [ '-U', 'stranger' ]))[2], qr/permission denied to stop runs of sequence "s600000"/, 'and is told so');
	is(($node->psql('postgres', $stop, extra_params => [ '-U', $stopper ]))[1], '1', "$stopper stops it");
	$session->{run}->finish;
	like($session->{err}, $user, 'as a cancel by the user');
	is($session->{out}, "still here\n", 'of which the session knows nothing afterwards');
}
# of two runs the one that may be stopped is stopped
local $ENV{PGUSER} = 'clerk';
$session = background(q{SELECT sigma.execute_sequence('s600000', '{"controls": {"how": "slow"}}') ->> 'status'});
delete $ENV{PGUSER};
my $superuser = background(q{SELECT sigma.execute_sequence('s600000', '{"controls": {"how": "slow"}}') ->> 'status'});
$node->poll_query_until('postgres', sprintf($sleeping, 2));
is(($node->psql('postgres', $stop, extra_params => [ '-U', 'signaller' ]))[1], '1', 'a signaller stops the run of a role');
$session->{run}->finish;
like(($node->psql('postgres', $stop, extra_params => [ '-U', 'signaller' ]))[2], qr/permission denied/, 'but not that of a superuser');
is($node->safe_psql('postgres', $stop), '1', 'whom a superuser stops');
$superuser->{run}->finish;
is($node->safe_psql('postgres', $stop), '0', 'then nothing is left to stop');
is(history(), 'none', 'and no history');

# a backend that is terminated ends at once
$session = background(q{SELECT sigma.execute_sequence('s600000', '{"controls": {"how": "slow"}}') ->> 'status';});
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
$session->{run}->finish;
like($session->{err}, qr/terminating connection due to administrator command/, 'a termination is not contained');

$node->stop;
done_testing();
