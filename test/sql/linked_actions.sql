-- Steps that write linked tables, and sigma.fill: entry columns of rows that the source has
\set VERBOSITY terse
\pset null '·'
\getenv test PG_ABS_SRCDIR
\set include :test '/include/failure.sql'
\i :include
-- one step as a sequence: its status, rows and error
CREATE FUNCTION pg_temp.step(subtype text, parameters jsonb, context jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS
    $$DECLARE r jsonb; BEGIN
    PERFORM sigma.create_action_sequence(jsonb_build_object('id', 'la_seq', 'name', 'la', 'trigger', '{"type": "manual"}'::jsonb,
        'actions', jsonb_build_array(jsonb_build_object('id', 'a', 'type', 'data_modification', 'subtype', subtype, 'target', 'la', 'parameters', parameters, 'output_variable', 'out'))));
    r := sigma.execute_sequence('la_seq', context);
    PERFORM sigma.delete_action_sequence('la_seq');
    RETURN concat_ws(' ', r->>'status', r->>'rows_changed', r->'variables'->>'out', r->'error'->>'sqlstate', r->'error'->>'message');
    EXCEPTION WHEN OTHERS THEN DECLARE detail text; hint text; BEGIN GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT; RETURN concat_ws(E'\n', SQLSTATE || ': ' || SQLERRM, nullif(detail, ''), nullif(hint, '')); END; END$$;
CREATE TABLE public.la_source (id int, u uuid, region text, rev numeric, PRIMARY KEY (id));
INSERT INTO la_source SELECT g, md5(g::text)::uuid, 'r' || g % 3, g * 10 FROM generate_series(1, 6) g;
SELECT sigma.create_input_table('{"id": "la", "name": "la Plan", "type": "linked", "source": "public.la_source", "key_columns": ["id"], "linked_columns": ["region", "u", {"column": "rev", "name": "Revenue"}],
    "columns": [{"name": "Adj", "type": "number", "validation": {"min": 0}}, {"name": "Note", "type": "text", "default_value": "n/a"}, {"name": "Sum", "type": "number", "formula": "[Adj] + [Revenue]"}]}');
-- selectors: by the key, criteria over all columns, a formula, the selection
SELECT pg_temp.step('update_row', '{"values": {"Adj": 1}, "selector": {"key": {"id": 1}}}');
SELECT pg_temp.step('update_rows', '{"values": {"Adj": 2}, "selector": {"match": {"id": [2, 3]}}}');
SELECT pg_temp.step('update_rows', '{"values": {"Note": "west"}, "selector": {"match": {"region": "r1", "Revenue": {"op": ">", "value": 10}}}}');
SELECT pg_temp.step('update_rows', '{"values": {"Note": "formula"}, "selector": {"formula": "[Revenue] >= 50 and IsNull([Adj])"}}');
SELECT pg_temp.step('update_rows', '{"values": {"Note": "sum"}, "selector": {"formula": "[Sum] = 32"}}');
SELECT pg_temp.step('update_rows', '{"values": {"Note": "picked"}, "selector": {"selection": true}}', '{"selection": {"rows": [{"id": 3}, {"id": 99}]}}');
SELECT pg_temp.step('update_row', '{"values": {"Adj": 66}, "selector": {"current_row": true}}', '{"selection": {"rows": [{"id": 6}]}}');
SELECT pg_temp.step('update_row', '{"values": {"Adj": 66}, "selector": {"current_row": true}}', '{"selection": {"rows": [{"sigma_row_id": 6}]}}');
SELECT pg_temp.step('update_row', '{"values": {"Adj": 5}, "selector": {"match": {"u": {"op": "starts_with", "value": "e4da3b"}}}}');
SELECT pg_temp.step('update_row', '{"values": {"Adj": 5}, "selector": {"key": {"id": 99}}}');
SELECT pg_temp.step('update_row', '{"values": {"Adj": 5}, "selector": {"match": {"id": {"op": ">", "value": 4}}}}');
SELECT pg_temp.step('update_row', '{"values": {"Adj": -5}, "selector": {"key": {"id": 4}}}');
SELECT pg_temp.step('update_row', '{"values": {"Adj": 1}, "selector": {"row_id": 1}}');
-- upsert: by the whole key; no row comes into being
SELECT pg_temp.step('upsert_row', '{"values": {"id": 4, "Adj": 44}}');
SELECT pg_temp.step('upsert_row', '{"values": {"id": 4, "Note": "again"}, "key": ["id"]}');
SELECT pg_temp.step('upsert_row', '{"values": {"id": 44, "Adj": 44}}');
SELECT pg_temp.step('upsert_row', '{"values": {"Adj": 44}}');
SELECT pg_temp.step('upsert_row', '{"values": {"id": 4}}');
SELECT pg_temp.step('upsert_row', '{"values": {"id": 4, "Note": "x"}, "key": ["Note"]}');
-- what linked tables do not do is refused when it is saved
SELECT pg_temp.step('insert_row', '{"values": {"Adj": 1}}');
SELECT pg_temp.step('insert_rows', '{"rows": [{"Adj": 1}]}');
SELECT pg_temp.step('delete_rows', '{"selector": {"key": {"id": 1}}}');
SELECT pg_temp.step('update_rows', '{"values": {"Revenue": 1}, "selector": {"key": {"id": 1}}}');
SELECT pg_temp.step('update_rows', '{"values": {"id": 1}, "selector": {"key": {"id": 1}}}');
SELECT pg_temp.step('update_rows', '{"values": {"Sum": 1}, "selector": {"key": {"id": 1}}}');
SELECT pg_temp.step('update_rows', '{"values": {"Adj": 1}, "selector": {"match": {"nothing": 1}}}');
SELECT id, "Adj", "Note", "Sum" FROM sigma_views."la Plan" ORDER BY id;
SELECT id, "Adj", "Note" FROM sigds.sigds_la ORDER BY id;
-- fill is one statement of the log
SELECT sigma.fill('la', '{"match": {"region": "r0"}}', '{"Note": "filled"}') - 'edit_num' AS filled;
SELECT count(*), min(metadata->>'origin') AS origin FROM sigds.sigds_wal_la WHERE statement = (SELECT max(statement) FROM sigds.sigds_wal_la);
SELECT r - 'edit_num' AS filled, r->'edit_num' > '0' AS logged FROM sigma.fill('la', '{"formula": "[region] = \"r2\""}', '{"Adj": 7, "Note": null}') AS r;
SELECT pg_temp.failure($$SELECT sigma.fill('la', '{"key": {"id": 1}}', '{"region": "r9"}')$$);
SELECT pg_temp.failure($$SELECT sigma.fill('la', '{"key": {"id": 1}}', '{"Adj": -1}')$$);
SELECT id, "Adj", "Note" FROM sigds.sigds_la ORDER BY id;
-- as a role with just the rights of an editor
CREATE ROLE regress_la;
SELECT sigma.grant_access('regress_la', 'editor', 'la');
GRANT SELECT ON la_source TO regress_la;
SET ROLE regress_la;
SELECT sigma.fill('la', '{"match": {"region": "r0"}}', '{"Note": "editor"}') - 'edit_num' AS filled;
SELECT id, "Note" FROM sigds.sigds_la WHERE region = 'r0' ORDER BY id;
-- undo and redo change entries, make them and take them away
SELECT sigma.undo('la') - 'edit_num' - 'undone' AS undone;
RESET ROLE;
SET sigma.user_email = 'la@example.com';
SET ROLE regress_la;
SELECT sigma.handle_data_entry('la', '[{"id": 5, "Note": "five"}, {"id": 1, "Note": "one"}]')->'keys' AS keys;
SELECT sigma.undo('la') - 'edit_num' - 'undone' AS undone;
SELECT id, "Adj", "Note" FROM sigds.sigds_la WHERE id IN (1, 5) ORDER BY id;
SELECT sigma.redo('la') - 'edit_num' - 'undone' AS redone;
SELECT id, "Adj", "Note" FROM sigds.sigds_la WHERE id IN (1, 5) ORDER BY id;
SELECT pg_temp.failure($$DELETE FROM sigds.sigds_entry_la$$);
RESET ROLE;
-- the first entry of a row is taken back as a whole; who may update one column, takes back just that
INSERT INTO la_source VALUES (7, md5('7')::uuid, 'r7', 70);
REVOKE UPDATE ON sigds.sigds_la FROM regress_la;
GRANT UPDATE ("Note") ON sigds.sigds_la TO regress_la;
SET ROLE regress_la;
UPDATE sigds.sigds_la SET "Note" = 'seven' WHERE id = 7;
RESET ROLE;
UPDATE sigds.sigds_la SET "Adj" = 77 WHERE id = 7;
SET ROLE regress_la;
SELECT pg_temp.failure($$SELECT sigma.undo('la')$$);
RESET ROLE;
SELECT sigma.undo('la', 2) - 'edit_num' - 'undone' AS undone;
SELECT count(*) FROM sigds.sigds_entry_la WHERE id = 7;
REVOKE UPDATE ("Note") ON sigds.sigds_la FROM regress_la;
SET ROLE regress_la;
SELECT pg_temp.failure($$SELECT sigma.redo('la')$$);
RESET ROLE;
SELECT sigma.rebuild('la', true)->'differences' AS differences;
-- keys of several columns, of kinds that are kept as text or in UTC
CREATE TYPE public.la_level AS ENUM ('low', 'high');
CREATE TABLE public.la_wide (u uuid, l la_level, s timestamptz, p char(3), v int);
INSERT INTO la_wide SELECT md5(g::text)::uuid, (ARRAY['low', 'high'])[g % 2 + 1]::la_level, timestamptz '2026-01-01 00:00:00+00' + g * interval '1 hour', 'p' || g, g FROM generate_series(1, 3) g;
SELECT sigma.delete_input_table('la', purge => true);
SELECT sigma.create_input_table('{"id": "la", "type": "linked", "source": "public.la_wide", "key_columns": ["u", "l", "s", "p"], "linked_columns": ["v"], "columns": [{"name": "E", "type": "text"}]}');
SELECT pg_temp.step('update_rows', '{"values": {"E": "picked"}, "selector": {"selection": true}}',
    (SELECT jsonb_build_object('selection', jsonb_build_object('rows', jsonb_agg(jsonb_build_object('u', u, 'l', l, 's', s AT TIME ZONE 'UTC', 'p', p)))) FROM la_wide WHERE v < 3));
SELECT pg_temp.step('update_row', jsonb_build_object('values', '{"E": "by key"}'::jsonb, 'selector', jsonb_build_object('key', jsonb_build_object('u', md5('3'), 'p', 'p3'))));
SELECT pg_temp.step('update_rows', jsonb_build_object('values', '{"E": "in"}'::jsonb, 'selector', jsonb_build_object('match', jsonb_build_object('u', jsonb_build_array(md5('2')), 'l', 'low', 's', '2026-01-01 02:00:00'))));
SELECT pg_temp.step('upsert_row', jsonb_build_object('values', jsonb_build_object('u', md5('1'), 'l', 'high', 's', '2026-01-01 01:00:00', 'p', 'p1', 'E', 'upserted')));
SELECT v, "E" FROM sigds.sigds_la ORDER BY v;
SELECT sigma.handle_data_entry('la', (SELECT jsonb_build_object('u', u, 'l', l, 's', s AT TIME ZONE 'UTC', 'p', p, 'E', 'entry') FROM la_wide WHERE v = 3))->'keys'->0->'p' AS p;
SELECT v, "E" FROM sigds.sigds_la ORDER BY v;
SELECT sigma.delete_input_table('la', purge => true);
DROP TABLE la_source, la_wide;
DROP TYPE la_level;
DROP OWNED BY regress_la;
DROP ROLE regress_la;
RESET sigma.user_email;
