# An app survives pg_dump and every way to restore it: the same catalog, rows,
# tree and rules in force.  DROP EXTENSION keeps all data.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding', 'UTF8', '--locale', 'C']);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off\nmax_connections = 30");
$node->start;

$node->safe_psql('postgres', 'CREATE DATABASE app');
$node->safe_psql('app', q{
	CREATE EXTENSION sigma;
	SET sigma.user_email = 'builder@example.com';

	-- tables with rules and unique columns, awkward names included
	SELECT sigma.create_input_table('{
		"id": "contacts", "name": "Contacts", "type": "empty",
		"columns": [
			{"name": "Email", "type": "text", "required": true, "unique": "ignore_case",
			 "validation": {"format": "email"}},
			{"name": "First \"Name\"", "type": "text", "validation": {"max_length": 40}},
			{"name": "Score", "type": "integer", "default_value": 5},
			{"name": "Segment", "type": "dropdown", "validation": {"values": ["prospect", "vip"]}},
			{"name": "Tags", "type": "multi-select"},
			{"name": "Since", "type": "date"},
			{"name": "Notes", "type": "json"}],
		"validation_rules": {"Score": {"min": 0, "max": 100, "message": "0 to 100"}},
		"max_rows": 1000}');
	SELECT sigma.create_input_table('{
		"id": "tasks", "type": "empty", "allow_bulk_operations": false, "data_entry_permission": "published",
		"columns": [{"name": "Task", "type": "text", "required": true},
					{"name": "Done", "type": "checkbox", "default_value": false}]}');
	SELECT sigma.handle_data_entry('contacts', '[
		{"Email": "ada@example.com", "First \"Name\"": "Ada", "Segment": "vip", "Tags": ["a", "b"], "Notes": {"k": [1, null]}},
		{"Email": "Zoe@example.com", "Score": 99, "Since": "2024-02-29"}]');
	SELECT sigma.handle_data_entry('tasks', '{"Task": "call"}');

	-- a draft on top of what is published
	SELECT sigma.publish('contacts', 'first');
	UPDATE sigds.sigds_contacts SET "Since" = '2020-01-01' WHERE "Score" = 99;
	SELECT sigma.handle_data_entry('contacts', '{"Email": "draft@example.com"}');

	-- a linked table over a table and one over that
	CREATE TABLE public."Sources" (code uuid, label text);
	INSERT INTO public."Sources" VALUES ('00000000-0000-0000-0000-000000000001', 'one'), ('00000000-0000-0000-0000-000000000002', 'two'), (NULL, 'none');
	SELECT sigma.create_input_table('{"id": "linked", "name": "Linked \"view\"", "type": "linked", "source": "public.\"Sources\"", "key_columns": ["code"],
		"linked_columns": ["label"], "columns": [{"name": "Plan", "type": "number", "validation": {"min": 0}}]}');
	SELECT sigma.create_input_table('{"id": "again", "type": "linked", "source": "linked", "key_columns": ["label"], "columns": [{"name": "More", "type": "text"}]}');
	UPDATE sigds.sigds_linked SET "Plan" = 5 WHERE label <> 'two';
	SELECT sigma.publish('linked');
	UPDATE sigds.sigds_linked SET "Plan" = 6;
	UPDATE sigds.sigds_again SET "More" = 'm' || label;
	-- computed columns over the source and another table, and filters over both
	SELECT sigma.create_input_table('{"id": "governed", "name": "Governed", "type": "linked", "source": "public.\"Sources\"", "key_columns": ["code"], "linked_columns": ["label"],
		"columns": [{"name": "N", "type": "number"}, {"name": "Big", "type": "number", "formula": "[N] * 2"}, {"name": "People", "type": "integer", "formula": "CountIf([Contacts/Score] > 0)"}, {"name": "Label", "type": "text", "formula": "Upper([label])"}],
		"governance_config": {"row_filter": "[label] != \"none\" or CurrentUserEmail() = \"x\"", "row_edit": "Coalesce([Big], 0) < 100"}}');
	UPDATE sigds.sigds_governed SET "N" = 3 WHERE label IN ('one', 'none');
	SELECT sigma.publish('governed');
	SELECT sigma.create_action_sequence('{"id": "fills", "actions": [{"id": "f1", "type": "data_modification", "subtype": "update_rows", "target": "governed",
		"parameters": {"selector": {"match": {"label": "two"}}, "values": {"N": 9}}}]}');

	-- formulas everywhere a definition has them, over another table too
	SELECT sigma.create_input_table('{"id": "a_orders", "name": "Orders", "data_entry_permission": "published",
		"columns": [{"name": "Task", "type": "text", "validation": {"values_from": {"table": "tasks", "column": "Task", "filter": "[Task] != \\"none\\""}}},
			{"name": "Price", "type": "number", "validation": {"formula": "Round([Price], 2) = [Price]"}},
			{"name": "Qty", "type": "integer", "default_value": {"formula": "1 + 1"}},
			{"name": "Total", "type": "number", "formula": "[Price] * [Qty]"},
			{"name": "Running", "type": "number", "formula": "CumulativeSum([Total])"},
			{"name": "Place", "type": "integer", "formula": "Rank([Running])"},
			{"name": "Score", "type": "number", "formula": "Lookup([Contacts/Score], [Task], [Contacts/Email])"}],
		"row_rules": [{"formula": "[Total] < 1000", "message": "too large"}]}');
	INSERT INTO sigds.sigds_a_orders ("Task", "Price") VALUES ('call', 1.25), (NULL, 3);

	-- sequences, one of them used by a modal
	SELECT sigma.create_action('{"id": "greet", "type": "variable", "subtype": "set", "target": "greeting",
		"parameters": {"value": {"type": "formula", "formula": "\"hello \" & Text(CountIf(IsNotNull([contacts/Email])))"}}}');
	SELECT sigma.create_action_sequence('{"id": "promote", "name": "Promote", "trigger": {"type": "click", "element_id": "go"},
		"condition": {"type": "custom_formula", "formula": "Max([contacts/Score]) > 1 and [Control/score] > 0"}, "actions": ["greet",
			{"id": "raise", "type": "data_modification", "subtype": "update_rows", "target": "contacts",
			 "parameters": {"selector": {"formula": "[Segment] = \"vip\" and Sum([contacts/Score]) > 0"}, "values": {"Score": {"type": "control", "control_id": "score"}}}}]}');
	SELECT sigma.create_action_sequence('{"id": "opened", "actions": [
		{"id": "o1", "type": "variable", "subtype": "set", "target": "seen", "parameters": {"value": true}}]}');

	-- one nested document: page, container, tabs, a modal with on_open
	SELECT sigma.create_page('{"id": "home", "name": "Home", "children": [
		{"id": "box", "type": "container", "grid_density": 12, "children": [
			{"id": "views", "type": "tabs", "tabs": [{"id": "t1", "label": "People"}, {"id": "t2", "label": "Tasks"}]},
			{"id": "people", "type": "input_table", "source": "contacts", "filter": "[Score] < [Control/score] + CountIf([contacts/Score] > 1)"}]},
		{"id": "go", "type": "button"}]}');
	SELECT sigma.create_modal('{"id": "hello", "title": "Hello", "width": "sm", "on_open": "opened"}');
	SELECT sigma.move_layout_element('people', 't1');
	SELECT sigma.update_layout_element('box', '{"spacing": "large"}');
	SELECT sigma.create_variable('{"id": "score", "kind": "control", "type": "number", "scope": "workbook", "default_value": 50}');
	SELECT sigma.set_variable('score', '60');
	SELECT sigma.execute_sequence('promote', '{"controls": {"score": 77}}');
	SELECT sigma.execute_sequence('promote', '{"controls": {"score": 1000}}');
	SELECT sigma.execute_sequence('opened');
	SELECT sigma.execute_sequence('promote', '{"controls": {"score": 78}, "idempotency_key": "once"}');
	SELECT sigma.create_action('{"id": "told", "type": "notify", "recipients": "a@x.example", "subject": "one"}');
	SELECT sigma.execute_action('told');
	SELECT sigma.create_test('promotes', '{"sequence": "promote", "context": {"controls": {"score": 12}}, "expect": {"rows": {"contacts": [{"Score": 12}]}}}');
	CREATE ROLE everywhere; CREATE ROLE "of one"; CREATE ROLE boss; CREATE ROLE gone;
	SELECT sigma.grant_access('everywhere', 'editor');
	SELECT sigma.grant_access('of one', 'viewer', 'contacts');
	SELECT sigma.grant_access('boss', 'admin');
	SELECT sigma.update_input_table('tasks', '{"governance_config": {"editors": ["of one"], "viewers": ["boss"],
		"row_filter": "Not(IsNull([Task])) Or CurrentUserEmail() = \"x\"", "row_edit": "Len([Task]) < 10"}}');
	SELECT sigma.grant_access('gone', 'admin');
	DROP OWNED BY gone;
	DROP ROLE gone;
});

# Everything that must be equal, as text.
my @probes = (
	(map { "SELECT * FROM sigma.$_ ORDER BY 1" }
		qw(sigma_input_tables sigma_layout_elements sigma_actions sigma_action_sequences sigma_variables sigma_execution_history sigma_tests sigma_outbox)),
	'SELECT last_value, is_called FROM sigma.sigma_outbox_id_seq',
	'SELECT * FROM sigds.sigds_contacts ORDER BY sigma_row_id',
	'SELECT * FROM sigds.sigds_tasks ORDER BY sigma_row_id',
	'SELECT * FROM sigds.sigds_pub_contacts ORDER BY sigma_row_id',
	'SELECT * FROM sigds.sigds_wal_contacts ORDER BY edit_num',
	'SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = \'sigds.sigds_wal_contacts\'::regclass ORDER BY 1',
	q{SELECT sigma.rebuild('contacts', true), sigma.rebuild('linked', true)},
	q{SELECT * FROM sigma.as_of('contacts', now())},
	q{SELECT row_id, operation, old, new FROM sigma.publish_preview('contacts')},
	'SELECT * FROM sigds.sigds_linked ORDER BY label',
	'SELECT * FROM sigma_views."Linked ""view""" ORDER BY label',
	'SELECT * FROM sigds.sigds_again ORDER BY label',
	'SELECT * FROM sigma_views."Governed" ORDER BY label',
	q{SELECT polname, polcmd, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) FROM pg_policy ORDER BY polrelid::regclass::text, polname},
	q{SELECT sigma.sync_warehouse('governed')},
	'SELECT * FROM sigma.layout_tree()',
	'SELECT "Email", "Tags", sigma_row_id FROM sigma_views."Contacts" ORDER BY sigma_row_id',
	q{SELECT c.relname, pg_get_viewdef(c.oid), c.reloptions, obj_description(c.oid), c.relacl FROM pg_class c
	  WHERE c.relnamespace = 'sigma_views'::regnamespace ORDER BY 1},
	q{SELECT sigma.table_info('contacts')},
	q{SELECT * FROM sigma_views."Orders" ORDER BY sigma_row_id},
	q{SELECT sigma.table_info('a_orders')},
	q{SELECT adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'sigds.sigds_a_orders'::regclass ORDER BY 1},
	q{SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'sigds.sigds_contacts'::regclass ORDER BY 1},
	q{SELECT * FROM sigma.list_access()},
	q{SELECT * FROM sigma.sigma_audit ORDER BY at, object, operation},
	(map { "SELECT o.oid::$_->[1]::text COLLATE \"C\", (SELECT string_agg(i::text, ' ' ORDER BY i::text COLLATE \"C\") FROM unnest(o.$_->[2]) AS i)
		FROM $_->[0] AS o WHERE $_->[3] IN ('sigma'::regnamespace, 'sigds'::regnamespace, 'sigma_views'::regnamespace) ORDER BY 1" }
		([qw(pg_class regclass relacl relnamespace)], [qw(pg_proc regprocedure proacl pronamespace)], [qw(pg_type regtype typacl typnamespace)],
		 [qw(pg_namespace regnamespace nspacl oid)])),
	q{SELECT polrelid::regclass::text COLLATE "C", polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) FROM pg_policy ORDER BY 1, 2},
	q{SELECT indexdef FROM pg_indexes WHERE schemaname = 'sigds' ORDER BY 1},
);

sub state_of
{
	my ($database) = @_;
	return join("\n--\n", map { $node->safe_psql($database, "SET DateStyle = ISO; $_") } @probes);
}

# The error of a statement that must fail, as "SQLSTATE constraint".
sub refused
{
	my ($database, $sql) = @_;
	return $node->safe_psql($database, qq{
		CREATE TEMP TABLE seen (code text);
		DO \$do\$
		DECLARE state text; con text;
		BEGIN
			$sql;
			INSERT INTO seen VALUES ('accepted');
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, con = CONSTRAINT_NAME;
			INSERT INTO seen VALUES (trim(state || ' ' || con));
		END \$do\$;
		SELECT code FROM seen});
}

my $before = state_of('app');
like($before, qr/ada\@example\.com/, 'the app has rows');
like($before, qr/hello/, 'the app has a modal');

sub compare
{
	my ($database, $how) = @_;

	is(state_of($database), $before, "$how: the same catalog, rows and tree");
	is($node->safe_psql($database, q{SELECT instance NOT IN (SELECT instance FROM sigds.sigds_wal_contacts) FROM sigma.sigma_instance}),
		't', "$how: the edit log tells the copy from the original");
	is($node->safe_psql($database, q{
		SELECT max(edit_num) AS newest FROM sigds.sigds_wal_contacts \gset
		INSERT INTO sigds.sigds_contacts ("Email") VALUES ('undone@example.com');
		SELECT (r->>'edit_num')::bigint > :newest, r->'rows' FROM sigma.undo('contacts') AS r;
		SELECT sigma.rebuild('contacts', true)->'differences'}), "t|1\n0", "$how: edits are numbered on, and taken back");
	is(refused($database, q{INSERT INTO sigds.sigds_contacts ("Email", "Score") VALUES ('x@example.com', 101)}),
		'23514 Score_max', "$how: rules are in force");
	is(refused($database, q{INSERT INTO sigds.sigds_a_orders ("Price") VALUES (1.255)}), '23514 Price_formula',
		"$how: rules that are formulas are in force");
	is(refused($database, q{INSERT INTO sigds.sigds_a_orders ("Price") VALUES (500)}), '23514 row_formula',
		"$how: over defaults and computed columns too");
	is(refused($database, q{INSERT INTO sigds.sigds_a_orders ("Task") VALUES ('paint')}), '23514 Task_values_from',
		"$how: lists of values are in force");
	like(refused($database, q{INSERT INTO sigds.sigds_contacts ("Email") VALUES ('ADA@example.com')}),
		qr/^(23514|23505)/, "$how: unique columns are in force");
	is(refused($database, q{INSERT INTO sigds.sigds_tasks ("Task") VALUES ('a'), ('b')}),
		'55000', "$how: limits are in force");
	is($node->safe_psql($database, q{SELECT sigma.execute_sequence('promote', '{"controls": {"score": 12}}')->>'status'}),
		'success', "$how: sequences run");
	is($node->safe_psql($database, q{SELECT string_agg(line, ', ') FROM sigma.run_tests() AS line}), '1..1, ok 1 - promotes', "$how: tests run");
	is($node->safe_psql($database, q{SET sigma.user_email = 'builder@example.com';
		SELECT r = result FROM sigma.sigma_execution_history, sigma.execute_sequence('promote', '{"controls": {"score": 78}, "idempotency_key": "once"}') AS r
		WHERE idempotency_key = 'once'}), 't', "$how: idempotency keys are taken");
	is($node->safe_psql($database, q{INSERT INTO sigds.sigds_contacts ("Email") VALUES ('new@example.com') RETURNING sigma_row_id > 3}),
		't', "$how: row ids go on where they were");
	is($node->safe_psql($database, q{SELECT string_agg(operation, ' ' ORDER BY row_id) FROM sigma.publish_preview('contacts')}),
		'update update insert insert', "$how: the draft goes on");
	is($node->safe_psql($database, q{SELECT sigma.discard_draft('contacts') - 'edit_num', count(*) FROM sigma_views."Contacts"}),
		'{"deleted": 0, "updated": 2, "inserted": 2, "table_id": "contacts"}|2', "$how: the draft can be taken back");
	is($node->safe_psql($database, q{UPDATE sigds.sigds_linked SET "Plan" = 7 WHERE code IS NULL OR label = 'two';
		SELECT string_agg("Plan"::text, ' ' ORDER BY label) FROM sigds.sigds_linked}), '7 6 7', "$how: linked tables are edited");
	is(refused($database, q{UPDATE sigds.sigds_linked SET "Plan" = -1}), '23514 Plan_min', "$how: by their rules");
	is($node->safe_psql($database, q{SELECT sigma.execute_sequence('fills')->>'rows_changed'}), '1', "$how: and by steps");
	is($node->safe_psql($database, q{GRANT SELECT ON "Sources" TO everywhere; SET ROLE everywhere; UPDATE sigds.sigds_governed SET "N" = 20;
		SELECT string_agg(label || "N", ' ' ORDER BY label) FROM sigds.sigds_governed}), 'one20 two20', "$how: by whom it lets, in rows that he sees");
	is(refused($database, q{SET LOCAL ROLE everywhere; UPDATE sigds.sigds_governed SET "N" = 50}), '42501', "$how: as far as they may be edited");
	is(refused($database, q{PERFORM sigma.create_container('{"id": "deep1", "parent_id": "nowhere"}')}),
		'SG404', "$how: references are checked again");
	is($node->safe_psql($database, q{SELECT sigma.create_input_table('{"id": "later", "columns": [{"name": "a", "type": "text"}]}');
		SET ROLE everywhere; INSERT INTO sigds.sigds_later VALUES ('x') RETURNING a}),
		"later\nx", "$how: levels reach tables to come");
}

my $dir = $node->basedir;

# psql
$node->command_ok([ 'pg_dump', '-f', "$dir/app.sql", 'app' ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'plain', '-f', "$dir/app.sql" ], 'psql restores');
compare('plain', 'psql');

# psql, one INSERT a row
$node->command_ok([ 'pg_dump', '--inserts', '-f', "$dir/inserts.sql", 'app' ], 'pg_dump --inserts');
$node->safe_psql('postgres', 'CREATE DATABASE inserts');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'inserts', '-f', "$dir/inserts.sql" ], 'psql restores INSERTs');
compare('inserts', 'INSERTs');

# pg_restore in one transaction, and with four workers
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/app.dump", 'app' ], 'pg_dump -Fc');
$node->safe_psql('postgres', 'CREATE DATABASE single');
$node->command_ok([ 'pg_restore', '-e', '-1', '-d', 'single', "$dir/app.dump" ], 'pg_restore -1');
compare('single', 'pg_restore -1');
$node->safe_psql('postgres', 'CREATE DATABASE workers');
$node->command_ok([ 'pg_restore', '-e', '-j4', '-d', 'workers', "$dir/app.dump" ], 'pg_restore -j4');
compare('workers', 'pg_restore -j4');

# structure first, data second
$node->command_ok([ 'pg_dump', '-s', '-f', "$dir/schema.sql", 'app' ], 'pg_dump -s');
$node->command_ok([ 'pg_dump', '-a', '-f', "$dir/data.sql", 'app' ], 'pg_dump -a');
$node->safe_psql('postgres', 'CREATE DATABASE steps');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'steps', '-f', "$dir/schema.sql" ], 'psql restores the structure');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'steps', '-f', "$dir/data.sql" ], 'psql restores the data');
compare('steps', 'two steps');

# the data outlives the extension
my $rows = 'SELECT * FROM sigds.sigds_contacts ORDER BY sigma_row_id';
my $kept = $node->safe_psql('plain', $rows);
$node->safe_psql('plain', 'SET client_min_messages = warning; DROP EXTENSION sigma CASCADE');
is($node->safe_psql('plain', $rows), $kept, 'DROP EXTENSION CASCADE keeps all rows');
is($node->safe_psql('plain', q{SELECT count(*) FROM pg_namespace WHERE nspname IN ('sigds', 'sigma_views')}),
	'2', 'and the schemas');
$node->safe_psql('plain', q{INSERT INTO sigds.sigds_contacts (sigma_row_id, "Email") VALUES (999, 'plain')});
is($node->safe_psql('plain', 'SELECT count(*) FROM sigds.sigds_contacts WHERE sigma_row_id = 999'), '1', 'what is left is a plain table');

$node->stop;
done_testing();
