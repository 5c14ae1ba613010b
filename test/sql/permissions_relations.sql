-- relations that somebody else's definitions name: what reading and writing them would run, with whose rights
-- "Functions, triggers and row-level security policies allow users to insert code into the backend server that other users might execute
-- unintentionally": https://www.postgresql.org/docs/current/perm-functions.html
\pset null ~
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE regress_relation_builder;
CREATE ROLE regress_relation_runner;
CREATE SCHEMA relation_bait AUTHORIZATION regress_relation_builder;
CREATE SCHEMA relation_safe;
SELECT sigma.grant_access('regress_relation_builder', level) FROM unnest(ARRAY['builder', 'editor']) AS level;
SELECT sigma.grant_access('regress_relation_runner', level) FROM unnest(ARRAY['admin', 'builder', 'editor']) AS level;
GRANT USAGE ON SCHEMA relation_bait, relation_safe TO regress_relation_builder, regress_relation_runner;
GRANT CREATE ON SCHEMA relation_safe TO regress_relation_builder, regress_relation_runner;
SET search_path = relation_safe;
SELECT sigma.create_input_table('{"id": "relation", "name": "Relation", "columns": [{"name": "k", "type": "integer"}, {"name": "x", "type": "text"}], "data_entry_permission": "published"}');
INSERT INTO sigds.sigds_relation (k, x) VALUES (1, 'a');

-- what the builder has made: whatever runs with the rights of somebody else says so
SET ROLE regress_relation_builder;
CREATE FUNCTION relation_bait.f(what text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'regress_relation_builder' THEN
        RAISE WARNING '% ran as %', what, current_user;
    END IF;
    RETURN what;
END
$$;
-- one that the planner may evaluate
CREATE FUNCTION relation_bait.const(what text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN relation_bait.f(what) IS NOT NULL; END';
CREATE VIEW relation_bait.view AS SELECT 1 AS k, relation_bait.f('view') AS x;
CREATE VIEW relation_bait.constant AS SELECT 1 AS k, 'a'::text AS x WHERE relation_bait.const('constant');
CREATE VIEW relation_bait.lateral AS SELECT 1 AS k, x FROM relation_bait.f('function in FROM') AS x;
CREATE VIEW relation_bait.builtin AS SELECT 1 AS k, set_config('sigma.mode', 'draft', false) AS x;
CREATE VIEW relation_bait.invoker WITH (security_invoker) AS SELECT k, x FROM relation_bait.view;
CREATE TABLE relation_bait.policy AS SELECT 1 AS k, 'a'::text AS x;
ALTER TABLE relation_bait.policy ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON relation_bait.policy USING (relation_bait.f('policy') IS NOT NULL);
CREATE TABLE relation_bait.predicate AS SELECT 1 AS k, 'a'::text AS x;
CREATE INDEX ON relation_bait.predicate (k) WHERE relation_bait.const('predicate');
CREATE TABLE relation_bait.expression AS SELECT 1 AS k, 'a'::text AS x;
CREATE INDEX ON relation_bait.expression ((x = 'a' AND relation_bait.const('expression')));
CREATE TABLE relation_bait.stats AS SELECT 1 AS k, 'a'::text AS x;
CREATE STATISTICS relation_bait.s ON k, (relation_bait.const('statistics')) FROM relation_bait.stats;
CREATE TABLE relation_bait.checked (k int, x text, CHECK (relation_bait.const('check')));
CREATE TABLE relation_bait.parted (k int, x text) PARTITION BY LIST ((x = 'a' AND relation_bait.const('partition key')));
CREATE TYPE relation_bait.mood AS ENUM ('a');
CREATE FUNCTION relation_bait.to_json(relation_bait.mood) RETURNS json LANGUAGE plpgsql AS $$BEGIN RETURN to_json(relation_bait.f('cast')); END$$;
CREATE CAST (relation_bait.mood AS json) WITH FUNCTION relation_bait.to_json(relation_bait.mood);
CREATE TABLE relation_bait.moods AS SELECT 1 AS k, 'a'::relation_bait.mood AS x;
CREATE TABLE relation_bait.rows AS SELECT 1 AS k, row('a')::record::text AS x, ARRAY[ROW(1, 'a')::relation_bait.moods] AS list;
CREATE FUNCTION relation_bait.apart(text, text) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN length(relation_bait.f('subtype_diff')); END$$;
CREATE TYPE relation_bait.span AS RANGE (SUBTYPE = text, SUBTYPE_DIFF = relation_bait.apart);
CREATE TABLE relation_bait.spans AS SELECT 1 AS k, 'a'::text AS x, relation_bait.span('a', 'b') AS span;
CREATE FUNCTION relation_bait.differ(int, int) RETURNS bool LANGUAGE plpgsql AS $$BEGIN RETURN relation_bait.f('negator') IS NOT NULL; END$$;
CREATE OPERATOR relation_bait.<!> (FUNCTION = relation_bait.differ, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR relation_bait.=! (FUNCTION = pg_catalog.int4eq, LEFTARG = int, RIGHTARG = int, NEGATOR = OPERATOR(relation_bait.<!>));
CREATE VIEW relation_bait.negated AS SELECT k, x FROM relation_bait.checked WHERE NOT (k OPERATOR(relation_bait.=!) 2);
CREATE DOMAIN relation_bait.word AS text CHECK (relation_bait.f(VALUE) IS NOT NULL);
CREATE VIEW relation_bait.domain AS SELECT k, x::relation_bait.word AS x FROM (VALUES (1, 'domain')) AS v(k, x);
INSERT INTO relation_bait.checked VALUES (1, 'a');
RESET ROLE;
-- other ways to what is the builder's
CREATE VIEW relation_safe.over AS SELECT k, x FROM relation_bait.view;
CREATE TABLE relation_safe.parent (k int, x text);
CREATE TABLE relation_safe.child () INHERITS (relation_safe.parent);
ALTER TABLE relation_safe.child OWNER TO regress_relation_builder;
CREATE FOREIGN DATA WRAPPER regress_relation_wrapper;
GRANT USAGE ON FOREIGN DATA WRAPPER regress_relation_wrapper TO regress_relation_builder;
SET ROLE regress_relation_builder;
CREATE INDEX ON relation_safe.child (k) WHERE relation_bait.const('child');
CREATE SERVER regress_relation_server FOREIGN DATA WRAPPER regress_relation_wrapper;
CREATE FOREIGN TABLE relation_bait.away (k int, x text) SERVER regress_relation_server;
GRANT SELECT ON ALL TABLES IN SCHEMA relation_bait TO regress_relation_runner;
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA relation_safe TO regress_relation_runner, regress_relation_builder;

-- a sequence of the builder, run by the runner; or by the builder
CREATE FUNCTION run(action jsonb, role text = 'runner') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result jsonb;
BEGIN
    SET LOCAL ROLE regress_relation_builder;
    PERFORM sigma.create_action_sequence(jsonb_build_object('id', 'relation', 'actions', jsonb_build_array(action)));
    EXECUTE 'SET LOCAL ROLE regress_relation_' || role;
    result := sigma.execute_sequence('relation');
    SET LOCAL ROLE regress_relation_builder;
    PERFORM sigma.delete_action_sequence('relation');
    RESET ROLE;
    RETURN replace(concat_ws(', ', result ->> 'status', result #>> '{error,sqlstate}', result #>> '{error,message}', result #>> '{error,detail}'),
        quote_ident(session_user), 'superuser');
END
$$;
CREATE FUNCTION loop(rows text, role text = 'runner') RETURNS text LANGUAGE sql RETURN
    relation_safe.run(jsonb_build_object('type', 'flow', 'subtype', 'for_each', 'parameters',
        jsonb_build_object('rows', rows, 'actions', '[{"type": "modal", "subtype": "close"}]'::jsonb)), role);
\set VERBOSITY default
SELECT name, loop('relation_bait.' || name) FROM unnest(ARRAY['view', 'constant', 'lateral', 'builtin', 'invoker', 'policy', 'predicate', 'expression', 'stats', 'checked', 'parted',
    'moods', 'rows', 'spans', 'negated', 'domain', 'away']) AS name;
SELECT loop('relation_safe.over'), loop('relation_safe.parent');
SELECT query, loop(query) FROM unnest(ARRAY['SELECT 1 FROM relation_bait.view', 'SELECT (SELECT x FROM relation_bait.view)', 'WITH v AS (TABLE relation_bait.view) SELECT 1 WHERE EXISTS (SELECT FROM v)',
    'SELECT * FROM relation_bait.moods', 'SELECT to_jsonb(x) FROM relation_bait.moods', 'SELECT 1 FROM relation_bait.spans WHERE span && span', 'SELECT k FROM relation_bait.checked',
    'SELECT 1 FROM relation_bait.parted WHERE NOT (k OPERATOR(relation_bait.=!) 2)']) AS query;
-- who has made all that may run it
SELECT name, loop('relation_bait.' || name, 'builder') FROM unnest(ARRAY['view', 'constant', 'policy', 'predicate', 'stats', 'moods', 'spans', 'negated', 'domain']) AS name;

-- every other place where a definition names a relation
SELECT run('{"type": "modal", "subtype": "close", "conditions": {"type": "custom_formula", "formula": "CountIf([relation_bait.view/x] = \"a\") > 0"}}');
SELECT run('{"type": "variable", "subtype": "set", "target": "v", "parameters": {"value": {"type": "formula", "formula": "Count([relation_bait.view/x])"}}}');
SELECT run('{"type": "data_modification", "subtype": "update_rows", "target": "relation", "parameters": {"values": {"x": "b"}, "selector": {"formula": "[k] = Lookup([relation_bait.view/k], \"a\", [relation_bait.view/x])"}}}');
SELECT run('{"type": "data_modification", "subtype": "insert_rows", "target": "relation", "parameters": {"source": "relation_bait.policy", "values": {"k": 1}}}');
SELECT run('{"type": "export", "subtype": "csv", "target": "relation_bait.view"}');
SELECT run('{"type": "export", "subtype": "json", "target": "relation_bait.policy"}');
SET ROLE regress_relation_builder;
SELECT sigma.create_action_sequence('{"id": "relation_look", "actions": [{"type": "flow", "subtype": "for_each", "parameters": {"rows": "relation_bait.constant", "actions": [{"type": "modal", "subtype": "close"}]}}]}');
SELECT sigma.create_page('{"id": "relation_page", "children": [{"id": "relation_table", "type": "table", "source": "relation_bait.view"},
    {"id": "relation_chart", "type": "chart", "chart_type": "bar", "source": "relation_bait.policy", "x": "x", "y": ["k"]}, {"id": "relation_text", "type": "text", "text": "{{Count([relation_bait.constant/x])}}"}]}');
-- a linked table over it, with a filter that reads it, and one over that
SELECT sigma.create_input_table('{"id": "relation_linked", "name": "Relation linked", "type": "linked", "source": "relation_bait.view", "key_columns": ["k"], "linked_columns": ["x"],
    "columns": [{"name": "note", "type": "text"}], "governance_config": {"row_filter": "[x] <> \"hidden\""}}');
SELECT sigma.create_input_table('{"id": "relation_twice", "name": "Relation twice", "type": "linked", "source": "relation_linked", "key_columns": ["k"], "columns": [{"name": "more", "type": "text"}]}');
SELECT sigma.create_input_table('{"id": "relation_computed", "name": "Relation computed", "columns": [{"name": "k", "type": "integer"}, {"name": "n", "type": "integer", "formula": "Count([relation_bait.view/x])"}]}');
SELECT sigma.handle_data_entry('relation_linked', '[{"k": 1, "note": "mine"}]') ->> 'accepted' AS accepted;
SELECT sigma.create_test('relation', '{"sequence": "relation_look", "expect": {"row_count": {"relation_linked": 1}}}');
RESET ROLE;
SELECT loop(id) FROM unnest(ARRAY['relation_linked', 'relation_twice', 'relation_computed']) AS id;
SELECT run('{"type": "data_modification", "subtype": "update_rows", "target": "relation_linked", "parameters": {"values": {"note": "b"}, "selector": {"match": {"k": 1}}}}');
SET ROLE regress_relation_runner;
-- nothing is planned either, for who only looks
SELECT sigma.explain_sequence('relation_look');
SELECT sigma.preview_sequence('relation_look') #>> '{error,sqlstate}' AS sqlstate;
SELECT regexp_count(sigma.render_html('relation_page'), 'would run what is not trusted') AS notes;
SELECT sigma.handle_data_entry('relation_linked', '[{"k": 1, "note": "x"}]');
SELECT sigma.import_csv('relation_linked', E'k,note\n1,x\n');
SELECT * FROM sigma.validate_data('relation_linked', '[{"k": 1, "note": "x"}]');
SELECT * FROM sigma.flagged('relation_linked');
SELECT * FROM sigma.orphans('relation_linked');
SELECT * FROM sigma.history('relation_linked');
SELECT sigma.undo('relation_linked');
SELECT sigma.publish('relation_linked');
SELECT * FROM sigma.publish_preview('relation_linked');
SELECT sigma.fill('relation_linked', '{"match": {"k": 1}}', '{"note": "x"}');
SELECT * FROM sigma.run_tests('relation');
-- what is not asked for is left out
SELECT id, row_count FROM sigma.list_input_tables() WHERE id LIKE 'relation%' ORDER BY id;
SELECT sigma.table_info('relation_linked') ?| ARRAY['row_count', 'flagged', 'orphans'] AS counted;
-- nor does anything else run it: definitions are written, copied, exported, imported, looked at and deleted, rows change, messages are sent
SET ROLE regress_relation_builder;
SELECT sigma.create_action_sequence('{"id": "relation_change", "trigger": {"type": "row_change", "table_id": "relation", "operations": ["insert"], "when": "now"},
    "condition": {"type": "custom_formula", "formula": "Count([relation_bait.view/x]) > 0"}, "actions": [{"type": "modal", "subtype": "close"}]}');
SELECT sigma.create_action_sequence('{"id": "relation_message", "actions": [{"type": "notify", "parameters": {"channel": "mail", "recipients": ["a"], "subject": "x", "body": "{{Count([relation_bait.view/x])}}"}}]}');
SELECT sigma.create_control('{"id": "relation_control", "control_type": "list", "parent_id": "relation_page", "source": "relation_bait.view", "column": "x"}');
RESET ROLE;
CREATE FUNCTION matrix(statements text[]) RETURNS TABLE (statement text, outcome text) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH statement IN ARRAY statements LOOP
        SET LOCAL ROLE regress_relation_runner;
        BEGIN
            EXECUTE statement;
            RAISE SQLSTATE 'RB000';
        EXCEPTION WHEN SQLSTATE 'RB000' THEN
            outcome := 'done';
        WHEN OTHERS THEN
            outcome := SQLSTATE || CASE WHEN SQLERRM LIKE '%would run what is not trusted' THEN ' not trusted' ELSE ' ' || SQLERRM END;
        END;
        RESET ROLE;
        RETURN NEXT;
    END LOOP;
END
$$;
SELECT * FROM matrix(ARRAY[
    'INSERT INTO sigds.sigds_relation (k, x) VALUES (9, ''b'')',
    'SELECT sigma.run_due()',
    'SELECT sigma.fire_trigger(''relation_table'', ''load'')',
    'DO $x$BEGIN IF sigma.execute_sequence(''relation_message'') ->> ''status'' <> ''failed'' THEN RAISE ''sent''; END IF; END$x$',
    'SELECT sigma.render_html(NULL)',
    'SELECT sigma.render_layout()',
    'SELECT sigma.export_layout(''relation_page'')',
    'SELECT sigma.import_layout(sigma.export_layout(''relation_page''), ''{"existing": "rename"}'')',
    'SELECT sigma.explain_sequence(''relation_change''), sigma.explain_sequence(''relation_message'', ''json'')',
    'SELECT count(*) FROM sigma.check()',
    'SELECT sigma.status()',
    'SELECT count(*) FROM sigma.dependencies(''input_table:relation_linked''), sigma.dependents(''input_table:relation_linked'')',
    'SELECT sigma.duplicate_input_table(''relation_linked'', ''relation_copy'', NULL, false)',
    'SELECT sigma.add_column(''relation_linked'', ''{"name": "new", "type": "text", "required": true}'')',
    'SELECT sigma.rename_column(''relation_linked'', ''note'', ''noted'')',
    'SELECT sigma.alter_column(''relation_linked'', ''note'', ''{"validation": {"min_length": 2}}'')',
    'SELECT sigma.update_input_table(''relation_linked'', ''{"governance_config": {"row_filter": "[x] = \"y\""}}'')',
    'SELECT sigma.update_input_table(''relation_computed'', ''{"columns": [{"name": "k"}, {"name": "n", "formula": "Sum([relation_bait.view/k])"}]}'')',
    'SELECT sigma.sync_warehouse()',
    'SELECT count(*) FROM sigma.as_of(''relation_linked'', now())',
    'SELECT count(*) FROM sigma.diff(''relation_linked'', 0)',
    'SELECT sigma.restore(''relation_linked'', 0)',
    'SELECT sigma.rebuild(''relation_linked'', true)',
    'SELECT count(*) FROM sigma.verify_log(''relation_linked'')',
    'SELECT count(*) FROM sigma.rule_impact(''relation_linked'', ''{"required": true}'', ''note'')',
    'SELECT sigma.delete_layout_element(''relation_page'')',
    'SELECT sigma.delete_input_table(''relation_linked'', false, true)']);
-- whoever types it may read anything
SET ROLE regress_relation_runner;
SELECT count(*) FROM relation_bait.view;
SELECT sigma.eval('Count([relation_bait.view/x])');
RESET ROLE;
-- a list is looked up as its owner, who may not trust what it reads
SELECT sigma.create_input_table('{"id": "relation_list", "columns": [{"name": "x", "type": "text", "validation": {"values_from": {"table": "relation_bait.view", "column": "x"}}}], "data_entry_permission": "published"}');
INSERT INTO sigds.sigds_relation_list (x) VALUES ('view');
\set SHOW_CONTEXT never
\set VERBOSITY terse
SELECT sigma.update_input_table('relation_list', '{"columns": [{"name": "x", "validation": {"values_from": {"table": "relation_safe.over", "column": "x"}}}]}');
\set VERBOSITY default
SELECT count(*) FROM sigds.sigds_relation_list;

-- what is harmless is read: views that only compute, views and tables of a superuser whatever they call, triggers of his
CREATE FUNCTION harmless() RETURNS text LANGUAGE sql AS $$SELECT 'of a superuser'$$;
CREATE VIEW relation_safe.calls AS SELECT 1 AS k, harmless() AS x;
GRANT SELECT ON relation_safe.calls TO regress_relation_builder;
SET ROLE regress_relation_builder;
CREATE VIEW relation_bait.plain AS SELECT k, upper(x) || now() AS x, ARRAY[k] AS list, count(*) OVER (ORDER BY k) > 0 AS fine FROM relation_safe.calls;
CREATE TYPE relation_bait.size AS ENUM ('s', 'm');
CREATE TABLE relation_bait.sizes (k int PRIMARY KEY, x text CHECK (x <> ''), size relation_bait.size, low text GENERATED ALWAYS AS (lower(x)) STORED);
CREATE INDEX ON relation_bait.sizes (lower(x)) WHERE k > 0;
INSERT INTO relation_bait.sizes VALUES (1, 'a', 's');
CREATE VIEW relation_bait.shown AS SELECT k, size::text AS x FROM relation_bait.sizes;
ALTER TABLE relation_bait.sizes ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON relation_bait.sizes USING (k > 0 AND current_user <> '');
GRANT SELECT ON relation_bait.plain, relation_bait.sizes, relation_bait.shown TO regress_relation_runner;
RESET ROLE;
CREATE TABLE relation_safe.policy AS SELECT 1 AS k, 'a'::text AS x;
ALTER TABLE relation_safe.policy ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON relation_safe.policy USING (harmless() IS NOT NULL);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.x := NEW.x || '!'; RETURN NEW; END$$;
CREATE TRIGGER a_note BEFORE INSERT ON sigds.sigds_relation FOR EACH ROW EXECUTE FUNCTION noted();
GRANT SELECT ON relation_safe.calls, relation_safe.policy TO regress_relation_runner;
SELECT loop(name) FROM unnest(ARRAY['relation_bait.plain', 'relation_bait.sizes', 'relation_bait.shown', 'relation_safe.calls', 'relation_safe.policy', 'relation']) AS name;
SELECT run('{"type": "data_modification", "subtype": "insert_row", "target": "relation", "parameters": {"values": {"k": 2, "x": "written"}}}');
SELECT x FROM sigds.sigds_relation WHERE k = 2;
-- what the builder may not call himself, nobody calls for him: not in a view, nor in a query
CREATE FUNCTION relation_safe.not_for_all(what text) RETURNS text LANGUAGE sql AS $$SELECT what || ' was done'$$;
REVOKE EXECUTE ON FUNCTION relation_safe.not_for_all FROM PUBLIC;
GRANT EXECUTE ON FUNCTION relation_safe.not_for_all TO regress_relation_runner;
SET ROLE regress_relation_builder;
CREATE VIEW relation_bait.deputy AS SELECT 1 AS k, relation_safe.not_for_all('all') AS x;
GRANT SELECT ON relation_bait.deputy TO regress_relation_runner;
RESET ROLE;
SELECT loop('relation_bait.deputy');
\set VERBOSITY terse
SELECT loop('SELECT relation_safe.not_for_all(''all'')');
\set VERBOSITY default
GRANT EXECUTE ON FUNCTION relation_safe.not_for_all TO regress_relation_builder;
SELECT loop('relation_bait.deputy'), loop('SELECT relation_safe.not_for_all(''all'')');
-- a trigger of who was given TRIGGER by hand
DROP TRIGGER a_note ON sigds.sigds_relation;
GRANT TRIGGER ON sigds.sigds_relation TO regress_relation_builder;
SET ROLE regress_relation_builder;
CREATE FUNCTION relation_bait.fires() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM relation_bait.f('trigger'); RETURN NEW; END$$;
CREATE TRIGGER a_note BEFORE INSERT ON sigds.sigds_relation FOR EACH ROW EXECUTE FUNCTION relation_bait.fires();
CREATE TRIGGER a_when BEFORE UPDATE ON sigds.sigds_relation FOR EACH ROW WHEN (relation_bait.f('when') IS NULL) EXECUTE FUNCTION suppress_redundant_updates_trigger();
RESET ROLE;
SELECT run('{"type": "data_modification", "subtype": "insert_row", "target": "relation", "parameters": {"values": {"k": 3, "x": "written"}}}');
DROP TRIGGER a_note ON sigds.sigds_relation;
SELECT run('{"type": "data_modification", "subtype": "update_rows", "target": "relation", "parameters": {"values": {"x": "b"}, "selector": {"match": {"k": 2}}}}');
DROP TRIGGER a_when ON sigds.sigds_relation;

-- what was harmless when it was last run need not be now
SET ROLE regress_relation_builder;
SELECT sigma.create_action_sequence('{"id": "relation_later", "actions": [{"type": "flow", "subtype": "for_each", "parameters": {"rows": "relation_bait.shown", "actions":
    [{"type": "data_modification", "subtype": "update_rows", "target": "relation", "parameters": {"values": {"x": "c"}, "selector": {"formula": "[k] = Count([relation_bait.shown/x])"}}}]}},
    {"type": "export", "subtype": "csv", "target": "relation_bait.shown"}]}');
RESET ROLE;
CREATE FUNCTION later() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result jsonb;
BEGIN
    SET LOCAL ROLE regress_relation_runner;
    result := sigma.execute_sequence('relation_later');
    RESET ROLE;
    RETURN concat_ws(', ', result ->> 'status', result #>> '{error,sqlstate}', result #>> '{error,message}', result #>> '{error,detail}');
END
$$;
SELECT later();
SET ROLE regress_relation_builder;
CREATE OR REPLACE VIEW relation_bait.shown AS SELECT k, relation_bait.f('later') AS x FROM relation_bait.sizes;
RESET ROLE;
SELECT later();
ALTER FUNCTION relation_bait.f OWNER TO CURRENT_USER;
SELECT later() AS of_a_superuser;
ALTER FUNCTION relation_bait.f OWNER TO regress_relation_builder;
SELECT later();
ALTER VIEW relation_bait.shown OWNER TO CURRENT_USER;
SELECT later() AS view_of_a_superuser;
ALTER VIEW relation_bait.shown OWNER TO regress_relation_runner;
SELECT later() AS own_view;
ALTER VIEW relation_bait.shown OWNER TO regress_relation_builder;
GRANT SELECT ON relation_bait.shown TO regress_relation_runner;
SET ROLE regress_relation_builder;
CREATE OR REPLACE VIEW relation_bait.shown AS SELECT k, size::text AS x FROM relation_bait.sizes;
RESET ROLE;
SELECT later();
SET ROLE regress_relation_builder;
ALTER POLICY p ON relation_bait.sizes USING (relation_bait.f('policy') IS NOT NULL);
RESET ROLE;
-- it is the view's owner whom the policy does not apply to
SELECT later();
ALTER VIEW relation_bait.shown SET (security_invoker);
SELECT later();
SET ROLE regress_relation_builder;
ALTER TABLE relation_bait.sizes DISABLE ROW LEVEL SECURITY;
RESET ROLE;
SELECT later();
SET ROLE regress_relation_builder;
CREATE STATISTICS relation_bait.t ON k, (relation_bait.const('statistics')) FROM relation_bait.sizes;
RESET ROLE;
SELECT later();

-- clean up
SELECT sigma.delete_test('relation'), sigma.delete_layout_element('relation_page');
SELECT sigma.delete_action_sequence(id) FROM unnest(ARRAY['relation_look', 'relation_later', 'relation_change', 'relation_message']) AS id;
SELECT sigma.delete_input_table(id, true) FROM unnest(ARRAY['relation_twice', 'relation_linked', 'relation_computed', 'relation_list', 'relation']) AS id;
SELECT sigma.revoke_access(role) FROM unnest(ARRAY['regress_relation_builder', 'regress_relation_runner']::name[]) AS role;
DROP SCHEMA relation_safe, relation_bait CASCADE;
DROP SERVER regress_relation_server;
DROP FOREIGN DATA WRAPPER regress_relation_wrapper;
DROP ROLE regress_relation_builder, regress_relation_runner;
