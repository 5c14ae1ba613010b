# A hot standby reads all that its primary has and refuses, with one error, what writes;
# promoted, it goes on.  https://www.postgresql.org/docs/current/hot-standby.html
use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', 'fsync = off');
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# Each is a value of one row.
sub value
{
	my ($node, $expression) = @_;
	return $node->safe_psql('postgres', "SELECT $expression");
}

# The SQLSTATE of a statement, "ok" where it succeeds.
sub sqlstate
{
	my ($node, $statement) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $statement, extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	return $code == 0 ? 'ok' : $err =~ /ERROR:  (\w+)/ ? $1 : $err;
}

$primary->safe_psql('postgres', q{
	SET client_min_messages = warning;
	CREATE EXTENSION sigma;
	SELECT sigma.create_input_table('{"id": "t", "name": "Tickets", "max_rows": 5, "data_entry_permission": "draft",
		"governance_config": {"tamper_evident": true},
		"columns": [{"name": "What", "type": "text", "required": true, "unique": true}, {"name": "N", "type": "integer"},
			{"name": "Double", "type": "number", "formula": "[N] * 2"}]}');
	INSERT INTO sigds.sigds_t ("What", "N") VALUES ('a', 1), ('b', 2);
	SELECT sigma.publish('t');
	CREATE TABLE base (id int PRIMARY KEY);
	INSERT INTO base VALUES (1), (2);
	SELECT sigma.create_input_table('{"id": "linked", "type": "linked", "source": "public.base", "key_columns": ["id"],
		"columns": [{"name": "Note", "type": "text"}]}');
	SELECT sigma.create_page('{"id": "home", "name": "Home", "children": [{"id": "grid", "type": "input_table", "source": "t"},
		{"id": "go", "type": "button", "name": "Go"}, {"id": "what", "type": "control", "control_type": "text", "name": "What"}]}');
	SELECT sigma.create_variable('{"id": "v", "kind": "variable", "type": "text", "scope": "workbook"}');
	SELECT sigma.create_action_sequence('{"id": "add", "name": "Add", "trigger": {"type": "click", "element_id": "go"}, "actions": [
		{"type": "data_modification", "subtype": "insert_row", "target": "t", "values": {"What": "[Control/what]", "N": 3}}]}');
	SELECT sigma.create_action_sequence('{"id": "link", "actions": [
		{"type": "navigation", "subtype": "open_link", "target": "https://example.com"}]}');
	SELECT sigma.create_test('adds', '{"sequence": "add", "expect": {"status": "success"}}');
	SELECT sigma.execute_sequence('add', '{"controls": {"what": "c"}}');
});
$primary->wait_for_catchup($standby);

# reads say what they say on the primary
foreach my $read (
	q{(SELECT string_agg(r::text, ';' ORDER BY r::text) FROM sigma.as_of('t', 'infinity') AS r)},
	q{(SELECT string_agg(r::text, ';' ORDER BY r) FROM sigma.as_of(NULL::sigds.sigds_t, 'infinity') AS r)},
	q{(SELECT string_agg(h::text, ';' ORDER BY h) FROM sigma.history('t') AS h)},
	q{(SELECT string_agg(p::text, ';') FROM sigma.publish_preview('t') AS p)},
	q{(SELECT v::text FROM sigma.verify_log('t') AS v)},
	q{(SELECT string_agg(t::text, ';' ORDER BY t) FROM sigds.sigds_t AS t)},
	q{(SELECT string_agg(t::text, ';' ORDER BY t) FROM sigma_views."Tickets" AS t)},
	q{(SELECT string_agg(t::text, ';' ORDER BY t) FROM sigds.sigds_linked AS t)},
	q{sigma.table_info('t')},
	q{sigma.eval('Sum([t/Double])')},
	q{sigma.evaluate_condition('{"type": "control_value", "control_id": "what", "operator": "is_null"}', '{}')},
	q{sigma.render_html('home')},
	q{sigma.render_layout()},
	q{sigma.export_layout()},
	q{sigma.explain_sequence('add')},
	q{(SELECT string_agg(h::text, ';') FROM sigma.run_history() AS h)},
	q{sigma.show_run((SELECT execution_id FROM sigma.sigma_execution_history))},
	q{(SELECT string_agg(d::text, ';' ORDER BY d) FROM sigma.dependents('input_table:t') AS d)},
	q{(SELECT string_agg(f::text, ';' ORDER BY f) FROM sigma.validate_data('t', '[{"What": "a"}, {"N": 1}]') AS f)},
	q{sigma.rebuild('t', check_only => true)},
	q{sigma.import_csv('t', E'What,N\na,x\n', '{"dry_run": true, "mode": "partial"}')->'errors'},
	q{(SELECT count(*) FROM sigma.check())},
	q{sigma.get_variable('v')})
{
	my ($name) = $read =~ /(\w+\.\w+)/;
	is(value($standby, $read), value($primary, $read), "$name reads on a standby");
}

# what acts is refused, before it waits for a lock or draws a number
my @acts = (
	q{INSERT INTO sigds.sigds_t ("What") VALUES ('d')},
	q{UPDATE sigds.sigds_linked SET "Note" = 'x'},
	q{UPDATE sigma.sigma_input_tables SET name = 'Other' WHERE id = 't'},
	q{DELETE FROM sigma.sigma_layout_elements},
	(map { "SELECT * FROM sigma.$_" }
		q{create_input_table('{"id": "t2", "columns": [{"name": "a", "type": "text"}]}')},
		q{add_column('t', '{"name": "More", "type": "text"}')},
		q{alter_column('t', 'N', '{"required": true}')},
		q{delete_input_table('t', true)},
		q{create_page('{"id": "p", "name": "P"}')},
		q{move_layout_element('go', 'home', 0)},
		q{create_action_sequence('{"id": "s", "actions": [{"type": "navigation", "subtype": "open_link", "target": "https://example.com"}]}')},
		q{handle_data_entry('t', '[{"What": "d"}]')},
		q{handle_data_entry('t', '[{"What": "d"}]', 'partial')},
		q{import_csv('t', E'What\nd\n')},
		q{import_csv('t', E'What\nd\n', '{"mode": "partial"}')},
		q{fill('t', '{"match": {"What": "a"}}', '{"N": 5}')},
		q{set_variable('v', '"x"')},
		q{execute_sequence('add', '{"controls": {"what": "d"}}')},
		q{execute_sequence('link')},
		q{preview_sequence('add', '{"controls": {"what": "d"}}')},
		q{fire_trigger('go', 'click')},
		q{run('link')},
		q{run_due()},
		q{run_tests()},
		q{undo('t')},
		q{redo('t')},
		q{restore('t', (SELECT max(edit_num) - 1 FROM sigds.sigds_wal_t))},
		q{undo_run((SELECT execution_id FROM sigma.sigma_execution_history))},
		q{publish('t')},
		q{discard_draft('t')},
		q{rebuild('t')},
		q{compact_log('t', '0')},
		q{prune_history('0')},
		q{refresh_statistics()},
		q{sync_warehouse()},
		q{grant_access('pg_monitor', 'viewer')},
		q{revoke_access('pg_monitor')}));
foreach my $act (@acts)
{
	my ($name) = $act =~ /^(?:SELECT \* FROM )?([^(]+)/;
	is(sqlstate($standby, $act), '25006', "refused on a standby: $name");
}
is(sqlstate($primary, "BEGIN READ ONLY; $_"), '25006', "refused in a read-only transaction: $_")
  foreach grep { /publish|grant_access|import_csv|sync|run_tests|undo/ } @acts;

# a session of the standby that has looked before sees what the primary changes
my ($in, $out, $err) = ('', '', '');
my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $standby->connstr('postgres') ],
	'<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout(120));
$in = "SELECT sigma.eval('Sum([t/Double])');\n";
$session->pump until $out =~ /\n/;
$primary->safe_psql('postgres', q{
	SELECT sigma.alter_column('t', 'Double', '{"formula": "[N] * 3"}');
	SELECT sigma.add_column('t', '{"name": "Later", "type": "text", "default_value": "x"}');
});
$primary->wait_for_catchup($standby);
$in .= "SELECT sigma.eval('Sum([t/Double])');\nSELECT sigma.as_of('t', 'infinity') -> 'Later' LIMIT 1;\n";
$session->finish;
is("$out$err", qq{12\n18\n"x"\n}, 'a changed formula and a new column reach an open session');

# promoted, it is a primary: counts, numbers and the log go on
$primary->stop('fast');
$standby->promote;
is(value($standby, 'pg_is_in_recovery()'), 'f', 'promoted');
is(sqlstate($standby, q{INSERT INTO sigds.sigds_t ("What", "N") VALUES ('a', 9)}), '23514', 'rules hold');
is(value($standby, q{sigma.execute_sequence('add', '{"controls": {"what": "d"}}')->>'status'}), 'success', 'a sequence runs');
is(value($standby, q{sigma.handle_data_entry('t', '[{"What": "e", "N": 5}]')->>'accepted'}), '1', 'rows are entered');
is(sqlstate($standby, q{INSERT INTO sigds.sigds_t ("What") VALUES ('f')}), '53400', 'max_rows counts the rows of before');
is(value($standby, q{string_agg("What" || "Later", ',' ORDER BY sigma_row_id) FROM sigds.sigds_t}), 'ax,bx,cx,dx,ex', 'rows of both times, in order');
is(value($standby, q{broken_edit IS NULL FROM sigma.verify_log('t')}), 't', 'the chain of the log is whole');
is(value($standby, q{sigma.undo('t')->>'rows'}), '1', 'the last edit is undone');
is(value($standby, q{sigma.publish('t')->>'inserted'}), '2', 'what was drafted before and after is published');
is(value($standby, q{(sigma.rebuild('t', check_only => true))->>'differences'}), '0', 'the log says what the table holds');

done_testing();
