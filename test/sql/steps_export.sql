-- Steps that export tables as text: formats, columns, limits, whose rights.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.refused(doc jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    code text; said text; at text; hint text;
BEGIN
    PERFORM sigma.create_action('{"id": "steps_export_act", "type": "export"}' || doc);
    PERFORM sigma.delete_action('steps_export_act');
    RETURN 'NOT REFUSED';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, at = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', code, said, nullif(at, ''), nullif(hint, ''));
END
$$;
CREATE FUNCTION pg_temp.act(doc jsonb, context jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r jsonb;
BEGIN
    PERFORM sigma.create_action('{"id": "steps_export_act", "type": "export"}' || doc);
    r := sigma.execute_action('steps_export_act', context);
    PERFORM sigma.delete_action('steps_export_act');
    RETURN concat_ws(E'\n', concat_ws(' ', r ->> 'status', 'rows=' || (r #>> '{actions,0,rows}'), r ->> 'effects', r #>> '{error,sqlstate}', r #>> '{error,message}', r #>> '{error,hint}'),
                     r #>> '{actions,0,result}');
END
$$;

SELECT sigma.create_input_table('{"id": "steps_export_t", "name": "Steps export", "columns": [
    {"name": "Name", "type": "text"}, {"name": "n", "type": "integer"}, {"name": "amount", "type": "number"}, {"name": "ratio", "type": "float"}, {"name": "day", "type": "date"},
    {"name": "at", "type": "datetime"}, {"name": "ok", "type": "checkbox"}, {"name": "tags", "type": "multi-select", "validation": {"values": ["x", "y z", "a,b"]}}, {"name": "doc", "type": "json"},
    {"name": "Twice", "type": "number", "formula": "[n] * 2"}]}');
INSERT INTO sigds.sigds_steps_export_t ("Name", n, amount, ratio, day, at, ok, tags, doc) VALUES
    ('plain', 1, 1.50, 0.1, '2026-01-31', '2026-01-31 01:02:03.5', true, '{x,"y z","a,b"}', '{"b": [1, null], "a": "q\"x"}'),
    (E'co,mma "quoted"\nline', -2, 0, 1e300, NULL, NULL, false, '{}', '"text"'),
    ('', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (' blank', 3, 12345678901234567890, 123456.789, '0044-03-15', '2026-12-31', NULL, NULL, 'null');
SELECT pg_temp.act('{"subtype": "csv", "target": "steps_export_t"}');
SELECT pg_temp.act('{"subtype": "json", "target": "Steps export"}');
-- what the steps before did is exported, and goes with the preview that did it
SELECT sigma.create_action_sequence('{"id": "steps_export_seq", "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "steps_export_t", "values": {"Name": "new"}},
    {"type": "data_modification", "subtype": "delete_rows", "target": "steps_export_t", "selector": {"match": {"Name": {"op": "!=", "value": "new"}}}},
    {"type": "export", "subtype": "csv", "target": "steps_export_t", "columns": ["Name"], "output_variable": "text"}]}');
SELECT r ->> 'status', r #>> '{variables,text}' FROM sigma.preview_sequence('steps_export_seq') AS r;
SELECT sigma.delete_action_sequence('steps_export_seq');
-- settings of the session change nothing
SET DateStyle = 'German';
SET extra_float_digits = -10;
SET TimeZone = 'Asia/Tokyo';
SELECT pg_temp.act('{"subtype": "csv", "target": "steps_export_t", "columns": ["ratio", "day", "at", "Twice", "sigma_row_id"], "limit": 2}');
RESET DateStyle;
RESET extra_float_digits;
RESET TimeZone;
SELECT pg_temp.act('{"subtype": "json", "target": "steps_export_t", "columns": ["twice", "name"], "limit": 1}');
SELECT pg_temp.act('{"subtype": "csv", "target": "steps_export_t", "limit": 0}');
SELECT pg_temp.act('{"subtype": "json", "target": "steps_export_t", "limit": 0}');

-- what is exported is read back as it was
SELECT sigma.create_input_table('{"id": "steps_export_back", "columns": [
    {"name": "Name", "type": "text"}, {"name": "n", "type": "integer"}, {"name": "amount", "type": "number"}, {"name": "ratio", "type": "float"}, {"name": "day", "type": "date"},
    {"name": "at", "type": "datetime"}, {"name": "ok", "type": "checkbox"}, {"name": "tags", "type": "multi-select", "validation": {"values": ["x", "y z", "a,b"]}}, {"name": "doc", "type": "json"}]}');
SELECT sigma.create_action('{"id": "steps_export_csv", "type": "export", "subtype": "csv", "target": "steps_export_t", "columns": ["Name", "n", "amount", "ratio", "day", "at", "ok", "tags", "doc"]}');
SELECT i ->> 'accepted', i -> 'errors' FROM sigma.import_csv('steps_export_back', sigma.execute_action('steps_export_csv') #>> '{actions,0,result}') AS i;
SELECT count(*) FROM (SELECT "Name", n, amount, ratio, day, at, ok, nullif(tags, '{}') FROM sigds.sigds_steps_export_t
    EXCEPT SELECT "Name", n, amount, ratio, day, at, ok, nullif(tags, '{}') FROM sigds.sigds_steps_export_back) AS d;
SELECT sigma.create_action('{"id": "steps_export_json", "type": "export", "subtype": "json", "target": "sigds.sigds_steps_export_t"}');
SELECT jsonb_array_length((sigma.execute_action('steps_export_json') #>> '{actions,0,result}')::jsonb);

-- any relation; types that formulas have no word for are text
CREATE VIEW steps_export_v AS SELECT 1::int2 AS small, '{1,2}'::int[] AS list, interval '1 day' AS span, timestamptz '2026-01-31 12:00:00+02' AS tz, 'NaN'::float8 AS nan, 'infinity'::numeric AS inf, '6ecd8c99-4036-403d-bf84-cf8400f67836'::uuid AS id, 'infinity'::date AS never;
SELECT pg_temp.act('{"subtype": "csv", "target": "steps_export_v"}');
SELECT pg_temp.act('{"subtype": "json", "target": "public.steps_export_v"}');
-- the name is stored with its schema
SELECT sigma.create_action('{"id": "steps_export_view", "type": "export", "subtype": "csv", "target": "steps_export_v", "columns": ["small"]}');
SELECT target FROM sigma.sigma_actions WHERE id = 'steps_export_view';
SELECT object, path FROM sigma.dependents('relation:public.steps_export_v');

-- later steps use the text; nothing counts as a changed row
SELECT sigma.create_action_sequence('{"id": "steps_export_seq", "actions": [
    {"type": "export", "subtype": "csv", "target": "steps_export_t", "columns": ["n"], "output_variable": "csv"},
    {"type": "notify", "recipients": "a@x.example", "subject": "export", "body": "[ActionVar/csv]"}]}');
SELECT r ->> 'status', r ->> 'rows_changed', r #>> '{variables,csv}' FROM sigma.execute_sequence('steps_export_seq') AS r;
SELECT body FROM sigma.sigma_outbox WHERE sequence_id = 'steps_export_seq';
DELETE FROM sigma.sigma_outbox;

-- bounded
CREATE VIEW steps_export_big AS SELECT g, repeat('x', 100) AS filler FROM generate_series(1, 1000000) g;
SET sigma.export_max_bytes = '100kB';
SELECT pg_temp.act('{"subtype": "csv", "target": "steps_export_big"}');
SELECT left(pg_temp.act('{"subtype": "csv", "target": "steps_export_big", "limit": 900}'), 100);
RESET sigma.export_max_bytes;
\set VERBOSITY sqlstate
SET sigma.export_max_bytes = '1GB';
\set VERBOSITY default

-- rights: as who runs it; a viewer exports what is published
CREATE ROLE regress_steps_export_viewer;
CREATE ROLE regress_steps_export_builder;
SELECT sigma.grant_access('regress_steps_export_viewer', 'viewer'), sigma.grant_access('regress_steps_export_builder', 'builder');
SELECT sigma.publish('steps_export_t') ->> 'inserted';
UPDATE sigds.sigds_steps_export_t SET n = 100;
SELECT sigma.create_action('{"id": "steps_export_n", "type": "export", "subtype": "csv", "target": "steps_export_t", "columns": ["n", "Twice"]}');
SET ROLE regress_steps_export_viewer;
SELECT sigma.execute_action('steps_export_n') #>> '{actions,0,result}';
SELECT r ->> 'status', r #>> '{error,sqlstate}', r #>> '{error,message}' FROM sigma.execute_action('steps_export_view') AS r;
SET ROLE regress_steps_export_builder;
SELECT r ->> 'status', r #>> '{error,sqlstate}', r #>> '{error,message}' FROM sigma.execute_action('steps_export_n') AS r;
RESET ROLE;
SELECT sigma.execute_action('steps_export_n') #>> '{actions,0,result}';
-- a relation under an earlier schema of the path is not exported instead
CREATE SCHEMA steps_export_trap;
CREATE TABLE steps_export_trap.steps_export_v AS SELECT 'trapped' AS small;
SET search_path = steps_export_trap, public;
SELECT sigma.execute_action('steps_export_view') #>> '{actions,0,result}';
RESET search_path;
DROP VIEW steps_export_v;
SELECT r ->> 'status', r #>> '{error,sqlstate}', r #>> '{error,message}' FROM sigma.execute_action('steps_export_view') AS r;
CREATE VIEW steps_export_v AS SELECT 2 AS large;
SELECT r ->> 'status', r #>> '{error,sqlstate}', r #>> '{error,message}' FROM sigma.execute_action('steps_export_view') AS r;

-- explained
SELECT line FROM regexp_split_to_table(sigma.explain_sequence('steps_export_seq'), E'\n') AS line WHERE line ~ 'SELECT|read';

-- refused when saved
SELECT pg_temp.refused('{"subtype": "csv", "target": "steps_export_none"}');
SELECT pg_temp.refused('{"subtype": "xml", "target": "steps_export_t"}');
SELECT pg_temp.refused('{"subtype": "csv"}');
SELECT pg_temp.refused('{"subtype": "csv", "target": "steps_export_t", "columns": ["Nmae"]}');
SELECT pg_temp.refused('{"subtype": "csv", "target": "steps_export_t", "columns": []}');
SELECT pg_temp.refused('{"subtype": "csv", "target": "steps_export_t", "limit": -1}');
SELECT pg_temp.refused('{"subtype": "csv", "target": "SELECT 1"}');

DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'steps\_export%';
DELETE FROM sigma.sigma_actions WHERE id LIKE 'steps\_export%';
SET client_min_messages = warning;
DROP VIEW steps_export_v, steps_export_big;
DROP SCHEMA steps_export_trap CASCADE;
SELECT sigma.delete_input_table('steps_export_t', purge => true), sigma.delete_input_table('steps_export_back', purge => true);
DROP OWNED BY regress_steps_export_viewer, regress_steps_export_builder;
DROP ROLE regress_steps_export_viewer, regress_steps_export_builder;
