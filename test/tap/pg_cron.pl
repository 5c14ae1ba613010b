# Schedules register with pg_cron where it is installed: jobs come, change and go with the
# sequences, and run them as the role that saved them.  https://github.com/citusdata/pg_cron
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sharedir = `pg_config --sharedir`;
chomp $sharedir;
plan skip_all => "THE PACKAGE OF pg_cron (Debian: postgresql-VERSION-cron) IS NOT INSTALLED: schedules are not tested with it"
  unless -f "$sharedir/extension/pg_cron.control";

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding', 'UTF8', '--locale', 'C']);
$node->append_conf('postgresql.conf', qq{
fsync = off
shared_preload_libraries = 'pg_cron'
cron.database_name = 'postgres'
cron.use_background_workers = on
max_worker_processes = 20
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_cron;
	CREATE EXTENSION sigma;
	SELECT sigma.create_input_table('{"id": "t", "columns": [{"name": "what", "type": "text"}], "data_entry_permission": "published"}');
	CREATE ROLE builder;
	CREATE ROLE other;
	SELECT sigma.grant_access('builder', 'builder'), sigma.grant_access('builder', 'editor', 't'), sigma.grant_access('other', 'builder');
});

sub jobs
{
	return $node->safe_psql('postgres', q{SELECT jobname, schedule, command, username FROM cron.job ORDER BY jobname});
}

sub sequence
{
	my ($role, $statement) = @_;
	return $node->psql('postgres', "SET ROLE $role; $statement");
}

my $actions = q{"actions": [{"type": "data_modification", "subtype": "insert_row", "target": "t", "values": {"what": "tick"}}]};

# a builder, who has no rights on pg_cron's own schema
my ($code, $out, $err) = sequence('builder', qq{SELECT sigma.create_action_sequence('{"id": "it''s", "trigger": {"type": "schedule", "cron": "\@daily"}, $actions}')});
is($code, 0, 'a builder saves a schedule') or diag $err;
unlike($err, qr/run_due/, 'nobody is told to tick');
my $owner = $node->safe_psql('postgres', 'SELECT current_user');
is(jobs(), "sigma schedule it's|0 0 * * *|SELECT sigma.run_scheduled('it''s')|$owner", 'there is a job of the owner');
is($node->safe_psql('postgres', q{SELECT role, job IS NOT NULL FROM sigma.sigma_schedules}), 'builder|t', 'the schedule is the builder\'s');

# another builder changes it; another time zone than pg_cron's is looked at each minute
sequence('other', q{SELECT sigma.update_action_sequence('it''s', '{"trigger": {"type": "schedule", "cron": "30 7 * * 1-5", "timezone": "Europe/Berlin"}}')});
is(jobs(), "sigma schedule it's|* * * * *|SELECT sigma.run_scheduled('it''s')|$owner", 'the job follows');
sequence('builder', q{SELECT sigma.update_action_sequence('it''s', '{"trigger": {"type": "schedule", "cron": "* * * * *"}}')});

# the tick leaves it to the job
$node->safe_psql('postgres', q{UPDATE sigma.sigma_schedules SET next_run = '2020-01-01'});
is($node->safe_psql('postgres', 'SELECT count(*) FROM sigma.run_due()'), '0', 'run_due() does not take what a job runs');

# row changes after the commit have a job of their own
my $later = qq{SELECT sigma.create_action_sequence('{"id": "later", "trigger": {"type": "row_change", "table_id": "t", "when": "after_commit", "operations": ["delete"]}, $actions}')};
sequence('builder', $later);
like(jobs(), qr/^sigma row changes\|\* \* \* \* \*\|SELECT sigma.run_due\(\)\|/m, 'a job for row changes');
sequence('builder', q{SELECT sigma.delete_action_sequence('later')});
unlike(jobs(), qr/row changes/, 'which goes with the last of them');

# pg_cron runs it, within a minute or two, as the builder
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM sigds.sigds_t WHERE what = 'tick'}), 'pg_cron ran the sequence');
is($node->safe_psql('postgres', q{SELECT DISTINCT role, status FROM sigma.sigma_execution_history}), 'builder|success', 'as the role that saved it');

# jobs go with the sequences
sequence('other', q{SELECT sigma.delete_action_sequence('it''s')});
is(jobs(), '', 'no job is left');
is($node->safe_psql('postgres', 'SELECT count(*) FROM sigma.sigma_schedules'), '0', 'nor a schedule');

# a dump of the database brings jobs, schedules and row changes that wait, once
# (made inactive as they come, lest pg_cron should run them meanwhile)
$node->safe_psql('postgres', qq{BEGIN; SET ROLE builder;
	SELECT sigma.create_action_sequence('{"id": "daily", "trigger": {"type": "schedule", "cron": "\@daily"}, $actions}');
	$later; RESET ROLE; UPDATE cron.job SET active = false; COMMIT});
sequence('builder', 'DELETE FROM sigds.sigds_t');
my $state = q{SELECT sequence_id, role, next_run FROM sigma.sigma_schedules UNION ALL SELECT sequence_id, role, queued_at FROM sigma.sigma_row_events ORDER BY 1};
my $before = $node->safe_psql('postgres', $state);
like($before, qr/daily\|builder.*\n?later\|builder/, 'something waits');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
my $dump = $node->backup_dir . '/copy.sql';
mkdir $node->backup_dir;
command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '--schema=sigma*', '--schema=sigds', '-e', 'sigma', '-f', $dump ], 'dumped');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('copy'), '-f', $dump ], 'restored where pg_cron is not');
is($node->safe_psql('copy', $state), $before, 'what waits is there');
is($node->safe_psql('copy', q{SELECT string_agg(tgname, ' ') FROM pg_trigger WHERE tgname LIKE 'sigma\_2\_change\_%'}), 'sigma_2_change_delete', 'and what starts it');
$node->safe_psql('copy', q{UPDATE sigma.sigma_schedules SET next_run = '2020-01-01'});
is($node->safe_psql('copy', q{SELECT sequence_id, status FROM sigma.run_due()}), "daily|success\nlater|success", 'the tick runs both there');

$node->stop;
done_testing();
