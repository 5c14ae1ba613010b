-- values_from: the allowed values stand in a column of another table
\set SHOW_CONTEXT never
SELECT sigma.create_input_table('{"id": "vf_regions", "name": "VF Regions", "columns": [
    {"name": "Code", "type": "text", "unique": true}, {"name": "Label", "type": "text"}, {"name": "Open", "type": "checkbox"}, {"name": "No", "type": "integer"}]}');
INSERT INTO sigds.sigds_vf_regions VALUES ('N', 'North', true, 1), ('S', 'South', true, 2), ('W', 'West', false, 3);
CREATE SCHEMA vf_lists;
CREATE TABLE vf_lists.codes (c varchar(10) PRIMARY KEY, n int UNIQUE, d date, f float8, q numeric);
INSERT INTO vf_lists.codes VALUES ('a', 1, '2024-01-01', 0.5, 1.50), ('b', 2, '2024-02-29', 1.5, 2);
SET search_path = vf_lists, public;

-- a list without an index is told of
SELECT sigma.create_input_table('{"id": "vf", "name": "VF", "columns": [
    {"name": "Region", "type": "dropdown", "validation": {"values_from": {"table": "vf_regions", "column": "code", "filter": "[Open]"}, "message": "no such open region"}},
    {"name": "Regions", "type": "multi-select", "validation": {"values_from": {"table": "vf_regions", "column": "Code"}}},
    {"name": "Label", "type": "text", "validation": {"values_from": {"table": "vf_regions", "column": "Label"}, "severity": "warn"}},
    {"name": "Code", "type": "text", "validation": {"values_from": {"table": "codes", "column": "c"}}},
    {"name": "N", "type": "number", "validation": {"values_from": {"table": "codes", "column": "n"}}},
    {"name": "I", "type": "integer", "validation": {"values_from": {"table": "codes", "column": "q"}}},
    {"name": "D", "type": "datetime", "validation": {"values_from": {"table": "codes", "column": "d"}}},
    {"name": "F", "type": "number", "validation": {"values_from": {"table": "codes", "column": "f"}}}]}');
RESET search_path;
SET client_min_messages = warning;
-- a relation is stored with its schema
SELECT c ->> 'name' AS name, c -> 'validation' -> 'values_from' AS list FROM sigma.sigma_input_tables, jsonb_array_elements(columns) AS c WHERE id = 'vf';

INSERT INTO sigds.sigds_vf VALUES ('N', '{N,W}', 'North', 'a', 1.0, 2, '2024-02-29', 0.5), (NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sigds.sigds_vf VALUES ('W', '{N,X}', 'East', 'c', 1.5, 1, '2024-02-29 00:01', 0.25);
INSERT INTO sigds.sigds_vf ("N") VALUES (10000000000000000000000);
UPDATE sigds.sigds_vf SET "Code" = 'b' WHERE sigma_row_id = 1;
UPDATE sigds.sigds_vf SET "Code" = 'B' WHERE sigma_row_id = 1;
SELECT * FROM sigma.validate_data('vf', '[{"Region": "W", "Label": "East"}, {"Region": "S"}, {"sigma_row_id": 1, "Code": "z"}]');
SELECT f ->> 'severity' AS severity, f ->> 'column' AS "column", f ->> 'rule' AS rule, f ->> 'message' AS message
FROM sigma.handle_data_entry('vf', '[{"Region": "Q", "N": 3}]', 'sigma') AS r, jsonb_array_elements(r -> 'errors' || (r -> 'warnings')) AS f;
SELECT "Region", "N" FROM sigds.sigds_vf WHERE sigma_row_id = (SELECT max(sigma_row_id) FROM sigds.sigds_vf);
SELECT sigma.import_csv('vf', E'Region,N\nN,1\nX,2\n', '{"mode": "partial"}') -> 'errors' -> 0 ->> 'message' AS message;

-- the list is live; what goes from it does not touch rows that have it
DELETE FROM sigds.sigds_vf_regions WHERE "Code" = 'N';
UPDATE sigds.sigds_vf SET "Code" = 'a' WHERE sigma_row_id = 1;
INSERT INTO sigds.sigds_vf ("Region") VALUES ('N');
INSERT INTO sigds.sigds_vf_regions VALUES ('E', 'East', true);
INSERT INTO sigds.sigds_vf ("Region") VALUES ('E');
SELECT sigma.table_info('vf') -> 'flagged' AS flagged;

-- who writes needs no right on the list
CREATE ROLE regress_vf_writer;
GRANT USAGE ON SCHEMA sigds TO regress_vf_writer;
GRANT INSERT ON sigds.sigds_vf TO regress_vf_writer;
SET ROLE regress_vf_writer;
INSERT INTO sigds.sigds_vf ("Region", "Code") VALUES ('S', 'a');
INSERT INTO sigds.sigds_vf ("Region", "Code") VALUES ('W', 'a');
RESET ROLE;
-- who makes the rule does
SELECT sigma.grant_access('regress_vf_writer', 'builder');
SET ROLE regress_vf_writer;
SELECT sigma.create_input_table('{"id": "vf_mine", "columns": [{"name": "a", "type": "text", "validation": {"values_from": {"table": "vf_lists.codes", "column": "c"}}}]}');
RESET ROLE;
GRANT USAGE ON SCHEMA vf_lists TO regress_vf_writer;
GRANT SELECT (c) ON vf_lists.codes TO regress_vf_writer;
SET ROLE regress_vf_writer;
SELECT sigma.create_input_table('{"id": "vf_mine", "columns": [{"name": "a", "type": "text", "validation": {"values_from": {"table": "vf_lists.codes", "column": "c", "filter": "[n] > 1"}}}]}');
SELECT sigma.create_input_table('{"id": "vf_mine", "columns": [{"name": "a", "type": "text", "validation": {"values_from": {"table": "vf_lists.codes", "column": "c"}}}]}');
RESET ROLE;
SELECT sigma.revoke_access('regress_vf_writer');
DROP OWNED BY regress_vf_writer;
DROP ROLE regress_vf_writer;

-- views; a list of the table itself
CREATE VIEW vf_lists.upper AS SELECT upper(c) AS c FROM vf_lists.codes;
SELECT sigma.create_input_table('{"id": "vf_self", "columns": [
    {"name": "Name", "type": "text", "unique": true}, {"name": "Parent", "type": "text", "validation": {"values_from": {"table": "vf_self", "column": "Name"}}},
    {"name": "V", "type": "text", "validation": {"values_from": {"table": "vf_lists.upper", "column": "c"}}}]}');
INSERT INTO sigds.sigds_vf_self VALUES ('root', NULL, 'A'), ('leaf', 'root', 'B');
INSERT INTO sigds.sigds_vf_self VALUES ('lost', 'nobody', 'a');

-- renames follow; what is used cannot go
SELECT sigma.rename_column('vf_regions', 'Code', 'Key');
SELECT sigma.rename_column('vf_self', 'Name', 'Title');
SELECT id, c ->> 'name' AS name, c -> 'validation' -> 'values_from' AS list FROM sigma.sigma_input_tables, jsonb_array_elements(columns) WITH ORDINALITY AS t(c, n)
WHERE id LIKE 'vf%' AND c -> 'validation' -> 'values_from' ->> 'table' LIKE 'vf\_%' ORDER BY id, n;
INSERT INTO sigds.sigds_vf ("Region") VALUES ('S');
INSERT INTO sigds.sigds_vf_self VALUES ('twig', 'leaf', 'B');
SELECT sigma.drop_column('vf_regions', 'Key');
SELECT sigma.delete_input_table('vf_regions');
SELECT sigma.alter_column('vf_regions', 'Open', '{"type": "text"}', true);

-- a list that is gone
DROP VIEW vf_lists.upper;
INSERT INTO sigds.sigds_vf_self VALUES ('gone', NULL, 'A');
-- it hinders only who writes a value that would have to be in it
INSERT INTO sigds.sigds_vf_self VALUES ('bare', 'root', NULL);
UPDATE sigds.sigds_vf_self SET "Parent" = 'root' WHERE "Title" = 'bare';
SELECT valid FROM (SELECT count(*) = 0 AS valid FROM sigma.validate_data('vf_self', '[{"Title": "other"}]')) AS v;
SELECT sigma.alter_column('vf_self', 'V', '{"validation": null}') -> 'changed' AS changed;
INSERT INTO sigds.sigds_vf_self VALUES ('gone', NULL, 'A');

-- what is wrong is refused with its path
CREATE FUNCTION pg_temp.save(rule jsonb, type text DEFAULT 'text') RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; msg text; det text; hin text;
BEGIN
    PERFORM sigma.create_input_table(jsonb_build_object('id', 'vf_bad', 'columns', jsonb_build_array(
        jsonb_build_object('name', 'a', 'type', type, 'validation', jsonb_build_object('values_from', rule)))));
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, msg = MESSAGE_TEXT, det = PG_EXCEPTION_DETAIL, hin = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', state || ' ' || msg, det, nullif(hin, ''));
END $$;
SELECT pg_temp.save('{"table": "vf_nowhere", "column": "c"}');
SELECT pg_temp.save('{"table": "vf_lists.codes", "column": "x"}');
SELECT pg_temp.save('{"table": "vf_lists.codes"}');
SELECT pg_temp.save('{"table": "vf_lists.codes", "column": "c"}', 'number');
SELECT pg_temp.save('{"table": "vf_lists.codes", "column": "n"}', 'date');
SELECT pg_temp.save('{"table": "vf_lists.codes", "column": "c"}', 'checkbox');
SELECT pg_temp.save('{"table": "vf_lists.codes", "column": "c", "filter": "[n] >"}');
SELECT pg_temp.save('{"table": "vf_lists.codes", "column": "c", "filter": "[n] + 1"}');
SELECT pg_temp.save('{"table": "vf_lists.codes", "column": "c", "filter": "[a] = 1"}');
SELECT pg_temp.save('{"table": "vf_lists.codes", "column": "c", "filter": "Sum([n]) = 1"}');
SELECT pg_temp.save('{"table": "vf_lists.codes", "column": "c", "filter": "CallLogical(\"pg_catalog.isfinite\", [d])"}');

-- a list that is a view may run code that writes into the same table while a value is looked up
CREATE FUNCTION vf_lists.nested() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('vf.nested', true), '') = '' AND to_regclass('vf_lists.made') IS NULL THEN
        CREATE TABLE vf_lists.made (x int);
        INSERT INTO sigds.sigds_vf_view (a) VALUES ('x');
    END IF;
    RETURN 'x';
END $$;
CREATE VIEW vf_lists.running AS SELECT vf_lists.nested() AS c FROM pg_catalog.generate_series(1, 3);
SELECT set_config('vf.nested', 'off', false);
SELECT sigma.create_input_table('{"id": "vf_view", "columns": [{"name": "a", "type": "text", "validation": {"values_from": {"table": "vf_lists.running", "column": "c"}}}]}');
SELECT set_config('vf.nested', '', false);
INSERT INTO sigds.sigds_vf_view (a) VALUES ('x');
INSERT INTO sigds.sigds_vf_view (a) VALUES ('y');
SELECT a FROM sigds.sigds_vf_view ORDER BY sigma_row_id;
SELECT sigma.delete_input_table('vf_view', true);

-- EXPLAIN of the lookup: an index finds it
SET enable_seqscan = off;
PREPARE probe(int8) AS SELECT 1 FROM vf_lists.codes AS l WHERE (l.n OPERATOR(pg_catalog.=) $1) AND true LIMIT 1 FOR KEY SHARE OF l;
EXPLAIN (COSTS OFF) EXECUTE probe(1);
RESET enable_seqscan;
SELECT sigma.delete_input_table(id, true) FROM (VALUES ('vf_self'), ('vf_mine'), ('vf'), ('vf_regions')) AS t(id);
DROP SCHEMA vf_lists CASCADE;

-- a list that is gone hinders nobody from looking: its rule is not checked, and table_info says so
CREATE TABLE public.vf_gone (v text PRIMARY KEY);
INSERT INTO vf_gone VALUES ('a');
SELECT sigma.create_input_table('{"id": "vf_looks", "columns": [{"name": "c", "type": "text", "validation": {"values_from": {"table": "public.vf_gone", "column": "v"}}}, {"name": "n", "type": "integer", "validation": {"max": 0, "severity": "warn"}}]}');
INSERT INTO sigds.sigds_vf_looks (c, n) VALUES ('a', 1);
DROP TABLE vf_gone;
SELECT row_id, "column", rule, severity FROM sigma.flagged('vf_looks');
SELECT i ->> 'flagged' AS flagged, i -> 'warnings' AS warnings FROM sigma.table_info('vf_looks') AS i;
-- nor from changing another column's rule; what the rows break of the others is counted
SELECT sigma.alter_column('vf_looks', 'n', '{"validation": {"max": 5}}') -> 'changed' AS changed;
SET client_min_messages = notice;
SELECT sigma.alter_column('vf_looks', 'n', '{"validation": {"max": 0, "severity": "error"}}') -> 'changed' AS changed;
SET client_min_messages = warning;
SELECT sigma.alter_column('vf_looks', 'c', '{"name": "d"}') -> 'renamed' AS renamed;
\set VERBOSITY terse
UPDATE sigds.sigds_vf_looks SET d = 'b';
SELECT sigma.alter_column('vf_looks', 'd', '{"validation": {"values_from": {"table": "public.vf_gone", "column": "v"}, "max_length": 9}}') -> 'changed' AS changed;
SELECT sigma.alter_column('vf_looks', 'd', '{"validation": {"values_from": {"table": "public.vf_gone", "column": "w"}}}') -> 'changed' AS changed;
\set VERBOSITY default
SELECT sigma.delete_input_table('vf_looks', purge => true);

-- who names the warehouse view follows the table's display name, which is the view's: lists, filters, sources, formulas
SELECT sigma.create_input_table('{"id": "vf_a", "name": "Vf Alpha", "data_entry_permission": "published", "columns": [{"name": "v", "type": "text", "unique": true}, {"name": "next", "type": "text"}]}');
SELECT sigma.create_input_table('{"id": "vf_z", "data_entry_permission": "published", "columns": [{"name": "v", "type": "text"}]}');
INSERT INTO sigds.sigds_vf_a VALUES ('x');
SELECT sigma.update_input_table('vf_a', jsonb_build_object('columns', (SELECT jsonb_set(columns, '{1,validation}', '{"values_from": {"table": "sigma_views.\"Vf Alpha\"", "column": "v"}, "severity": "warn"}') FROM sigma.sigma_input_tables WHERE id = 'vf_a'))) -> 'changed' AS changed;
SELECT sigma.create_input_table('{"id": "vf_b", "columns": [{"name": "c", "type": "text", "validation": {"values_from": {"table": "sigma_views.\"Vf Alpha\"", "column": "v", "filter": "IsNotNull([sigma_views.\"Vf Alpha\"/v])"}}}, {"name": "z", "type": "text", "validation": {"values_from": {"table": "sigma_views.vf_z", "column": "v"}}}]}');
SELECT sigma.create_input_table('{"id": "vf_l", "type": "linked", "source": "sigma_views.\"Vf Alpha\"", "key_columns": ["v"], "columns": [{"name": "m", "type": "text"}, {"name": "k", "type": "number", "formula": "CountIf([sigma_views.\"Vf Alpha\"/v] = \"x\")"}]}');
SELECT sigma.create_layout_element('{"id": "vf_t", "type": "table", "source": "sigma_views.\"Vf Alpha\""}');
SELECT a ->> 'object' AS object, a ->> 'path' AS path FROM jsonb_array_elements(sigma.update_input_table('vf_a', '{"name": "Vf \"Beta\""}') -> 'affected') AS a ORDER BY 1, 2;
SELECT id, c ->> 'name' AS "column", c #>> '{validation,values_from,table}' AS "table", c #>> '{validation,values_from,column}' AS list, coalesce(c #>> '{validation,values_from,filter}', c ->> 'formula') AS formula
FROM sigma.sigma_input_tables, jsonb_array_elements(columns) AS c WHERE id ~ '^vf_[abl]$' AND (c ? 'validation' OR c ? 'formula') ORDER BY 1, 2;
SELECT source, (SELECT config ->> 'source' FROM sigma.sigma_layout_elements WHERE id = 'vf_t') AS element FROM sigma.sigma_input_tables WHERE id = 'vf_l';
INSERT INTO sigds.sigds_vf_b (c) VALUES ('x');
\set VERBOSITY terse
INSERT INTO sigds.sigds_vf_b (c) VALUES ('y');
INSERT INTO sigds.sigds_vf_a VALUES ('q', 'nowhere'), ('r', 'x');
\set VERBOSITY default
SELECT v, k FROM sigma_views.vf_l ORDER BY 1;
-- a name that is taken away: the view has the id's
SELECT sigma.update_input_table('vf_a', '{"name": null}') -> 'changed' AS changed;
SELECT columns #>> '{0,validation,values_from,table}' AS "table" FROM sigma.sigma_input_tables WHERE id = 'vf_b';
INSERT INTO sigds.sigds_vf_b (c) VALUES ('x');
-- and one that another table took is that one's
SELECT sigma.update_input_table('vf_z', '{"name": "Vf Alpha"}') -> 'changed' AS changed;
SELECT columns #>> '{0,validation,values_from,table}' AS c, columns #>> '{1,validation,values_from,table}' AS z FROM sigma.sigma_input_tables WHERE id = 'vf_b';
SELECT sigma.delete_layout_element('vf_t');
SELECT count(sigma.delete_input_table(id, purge => true, cascade => true)) FROM unnest(ARRAY['vf_l', 'vf_b', 'vf_a', 'vf_z']) AS id;
