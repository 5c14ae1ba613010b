-- Steps that write rows: which rows a selector reaches, values by column type,
-- upserts, and what single-row steps refuse.
\set QUIET 1
\pset format unaligned
\pset tuples_only on

SELECT sigma.create_input_table('{"id": "run_data-T", "columns": [
    {"name": "code", "type": "text", "unique": true}, {"name": "First Name", "type": "text"}, {"name": "n", "type": "integer"},
    {"name": "amount", "type": "number"}, {"name": "ratio", "type": "float"}, {"name": "day", "type": "date"}, {"name": "at", "type": "datetime"},
    {"name": "ok", "type": "checkbox"}, {"name": "kind", "type": "dropdown", "validation": {"values": ["a", "b", "c"]}},
    {"name": "tags", "type": "multi-select", "validation": {"values": ["x", "y", "z"]}}, {"name": "doc", "type": "json"},
    {"name": "auto", "type": "text", "default_value": "made", "editable": false}]}');
SELECT sigma.create_input_table('{"id": "run_data_ci", "columns": [
    {"name": "email", "type": "text", "unique": "ignore_case", "required": true}, {"name": "name", "type": "text", "required": true}, {"name": "n", "type": "integer"}]}');

-- run one action that is not stored: its status, rows, result, error
CREATE FUNCTION pg_temp.act(doc jsonb, context jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r jsonb;
BEGIN
    PERFORM sigma.create_action('{"id": "run_data_act", "type": "data_modification", "target": "run_data-T"}' || doc);
    r := sigma.execute_action('run_data_act', context);
    PERFORM sigma.delete_action('run_data_act');
    RETURN concat_ws(' ', r ->> 'status', 'rows=' || (r #>> '{actions,0,rows}'), 'result=' || (r #>> '{actions,0,result}'),
                     r #>> '{error,sqlstate}', r #>> '{error,message}', r #>> '{error,detail}');
END
$$;
CREATE FUNCTION pg_temp.reached(selector jsonb, context jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text; codes text;
BEGIN
    UPDATE sigds.sigds_run_data_t SET auto = NULL WHERE auto IS NOT NULL;
    said := pg_temp.act(jsonb_build_object('subtype', 'update_rows', 'selector', selector, 'values', '{"auto": "hit"}'::jsonb), context);
    SELECT coalesce(string_agg(code, ',' ORDER BY sigma_row_id), '-') INTO codes FROM sigds.sigds_run_data_t WHERE auto = 'hit';
    RETURN said || ': ' || codes;
END
$$;
-- the default of a column that only runs write can be changed by its owner alone here
UPDATE sigma.sigma_input_tables SET columns = jsonb_set(columns, '{11,editable}', 'true') WHERE id = 'run_data-T';

-- insert: every type, from JSON and from text; absent is the default, null is null
SELECT pg_temp.act('{"subtype": "insert_row", "values": {"code": "r1", "First Name": "Ann", "n": 1, "amount": 1.50, "ratio": 0.5, "day": "2026-01-31",
    "at": "2026-01-31 12:30:00", "ok": true, "kind": "a", "tags": ["x", "y"], "doc": {"type": "note", "op": 1}}}');
SELECT pg_temp.act('{"subtype": "insert_row", "values": {"code": "r2", "First Name": "[Form/name]", "n": "[Control/n]", "amount": "[ActionVar/amount]", "ratio": "[Control/ratio]",
    "day": "[Control/day]", "at": "[Control/at]", "ok": "[Control/ok]", "kind": "[Selection/kind]", "tags": "[Control/tags]", "doc": {"type": "control", "control_id": "doc"}, "auto": null}}',
    '{"form": {"name": "Bo"}, "controls": {"n": "2", "ratio": "1e3", "day": "2026-02-28", "at": "2026-02-28T01:02:03", "ok": "no", "tags": ["z"], "doc": [1, {"k": null}]},
      "action_variables": {"amount": "2.25"}, "selection": {"rows": [{"kind": "b"}]}}');
SELECT pg_temp.act('{"subtype": "insert_row", "values": {}}');
SELECT pg_temp.act('{"subtype": "insert_rows", "rows": [{"code": "r4", "n": 4}, {"code": "r5", "kind": "c", "n": "[Control/none]"}, {"auto": "[ActionVar/v]"}]}', '{"action_variables": {"v": "set"}}');
SELECT code, "First Name", n, amount, ratio, day, at, ok, kind, tags, doc, auto, sigma_row_id FROM sigds.sigds_run_data_t ORDER BY sigma_row_id;

-- a value that its column cannot read
SELECT pg_temp.act('{"subtype": "insert_row", "values": {"n": "[Control/v]"}}', context)
FROM (VALUES ('{"controls": {"v": "many"}}'::jsonb), ('{"controls": {"v": 1.5}}'), ('{"controls": {"v": [1, 2]}}'), ('{"controls": {"v": 1e40}}')) v (context);
SELECT pg_temp.act('{"subtype": "insert_row", "values": {"day": "[Control/v]"}}', '{"controls": {"v": "2026-02-30"}}');
SELECT pg_temp.act('{"subtype": "insert_row", "values": {"kind": "[Control/v]"}}', '{"controls": {"v": "d"}}');

--
-- selectors
--
SELECT pg_temp.reached('{"row_id": 1}');
SELECT pg_temp.reached('{"row_id": [1, 2]}');
SELECT pg_temp.reached('{"row_id": "[Selection/sigma_row_id]"}', '{"selection": {"rows": [{"sigma_row_id": 2}, {"sigma_row_id": "4"}]}}');
SELECT pg_temp.reached('{"row_id": "[Selection/sigma_row_id]"}');
SELECT pg_temp.reached('{"selection": true}', '{"selection": {"rows": [{"sigma_row_id": 1}, {"sigma_row_id": 5}]}}');
SELECT pg_temp.reached('{"selection": true}');
SELECT pg_temp.reached('{"selection": true}', '{"selection": {"rows": [{"id": 1}]}}');
SELECT pg_temp.reached('{"current_row": true}', '{"selection": {"rows": [{"sigma_row_id": 4}]}}');
SELECT pg_temp.reached('{"current_row": true}', '{"selection": {"rows": [{"sigma_row_id": 4}, {"sigma_row_id": 5}]}}');
SELECT pg_temp.reached('{"key": {"code": "r1"}}');
SELECT pg_temp.reached('{"key": {"code": "r1", "n": 2}}');
SELECT m, pg_temp.reached(jsonb_build_object('match', m)) FROM unnest(ARRAY[
    '{"code": "r1"}', '{"First Name": "Ann"}', '{"first name": "Bo"}', '{"n": 1}', '{"n": "2"}', '{"n": [1, 4]}', '{"n": null}', '{"n": {"op": "!=", "value": null}}',
    '{"n": {"op": ">", "value": 1}}', '{"n": {"op": ">=", "value": 2}}', '{"n": {"op": "<", "value": 2}}', '{"n": {"op": "<=", "value": 2}}',
    '{"n": {"op": "!=", "value": 1}}', '{"n": {"op": "!=", "value": [1, 2]}}', '{"n": {"op": "in", "value": [2, 4, 9]}}', '{"n": {"op": "in", "value": []}}',
    '{"n": {"op": "between", "value": [2, 4]}}', '{"n": {"op": "is_null"}}', '{"n": {"op": "is_not_null"}}', '{"amount": {"op": "between", "value": [1, 2]}}',
    '{"code": {"op": "contains", "value": "4"}}', '{"code": {"op": "starts_with", "value": "r"}}', '{"code": {"op": "ends_with", "value": "5"}}', '{"code": {"op": "contains", "value": "%"}}',
    '{"day": {"op": "<", "value": "2026-02-01"}}', '{"at": {"op": ">", "value": "2026-02-01"}}', '{"ok": false}', '{"ratio": 1000}', '{"kind": {"op": "in", "value": ["a", "b"]}}',
    '{"tags": ["x", "y"]}', '{"tags": {"op": "contains", "value": "z"}}', '{"doc": {"type": "static", "value": {"op": 1, "type": "note"}}}',
    '{"sigma_row_id": {"op": ">", "value": 4}}', '{"sigma_created_at": {"op": "<", "value": "2000-01-01"}}', '{"n": 1, "kind": "a"}', '{"n": 1, "kind": "b"}']::jsonb[]) AS m;
-- a null that comes from the run reaches no row, whatever the operator
SELECT m, pg_temp.reached(jsonb_build_object('match', m)) FROM unnest(ARRAY[
    '{"n": "[Control/none]"}', '{"n": {"op": ">", "value": "[Control/none]"}}', '{"n": {"op": "in", "value": "[Control/none]"}}', '{"code": {"op": "contains", "value": "[Control/none]"}}',
    '{"n": {"op": "!=", "value": "[Control/none]"}}']::jsonb[]) AS m;
SELECT pg_temp.reached('{"match": {"n": "[Selection/n]"}}', '{"selection": {"rows": [{"n": 1}, {"n": 2}, {"n": null}]}}');
SELECT pg_temp.reached('{"match": {"n": {"op": "between", "value": ["[Control/low]", "[Control/high]"]}}}', '{"controls": {"low": 2, "high": 3}}');

--
-- one row or several
--
SELECT pg_temp.act('{"subtype": "update_row", "selector": {"match": {"code": "r1"}}, "values": {"First Name": "Annie"}}');
SELECT pg_temp.act('{"subtype": "update_row", "selector": {"match": {"code": {"op": "starts_with", "value": "r"}}}, "values": {"First Name": "all"}}');
SELECT pg_temp.act('{"subtype": "update_row", "selector": {"match": {"code": "none"}}, "values": {"First Name": "nobody"}}');
SELECT pg_temp.act('{"subtype": "delete_row", "selector": {"match": {"code": {"op": "starts_with", "value": "r"}}}}');
SELECT pg_temp.act('{"subtype": "delete_row", "selector": {"row_id": [4, 5]}}');
SELECT count(*), count(*) FILTER (WHERE "First Name" IN ('all', 'nobody')), count(*) FILTER (WHERE "First Name" = 'Annie') FROM sigds.sigds_run_data_t;
SELECT pg_temp.act('{"subtype": "delete_row", "selector": {"row_id": 4}}');
SELECT pg_temp.act('{"subtype": "delete_rows", "selector": {"match": {"code": null}}}');
SELECT string_agg(code, ',' ORDER BY sigma_row_id) FROM sigds.sigds_run_data_t;

--
-- upsert: by the one unique column, by a named key; case as the column has it
--
SELECT pg_temp.act('{"subtype": "upsert_row", "values": {"code": "r5", "n": 55}}');
SELECT pg_temp.act('{"subtype": "upsert_row", "values": {"code": "r9", "n": 9}}');
SELECT pg_temp.act('{"subtype": "upsert_row", "key": ["First Name", "kind"], "values": {"First Name": "Annie", "kind": "a", "n": 11}}');
SELECT pg_temp.act('{"subtype": "upsert_row", "key": ["kind"], "values": {"kind": "[Control/none]", "n": 77}}');
SELECT pg_temp.act('{"subtype": "upsert_row", "key": ["n"], "values": {"n": 77, "code": "r5"}}');
INSERT INTO sigds.sigds_run_data_t (n) VALUES (9);
SELECT pg_temp.act('{"subtype": "upsert_row", "key": ["n"], "values": {"n": 9, "kind": "b"}}');
SELECT code, "First Name", n, kind FROM sigds.sigds_run_data_t ORDER BY sigma_row_id;
SELECT pg_temp.act('{"target": "run_data_ci", "subtype": "upsert_row", "values": {"email": "Ann@x.example", "name": "Ann"}}');
-- the row that is there keeps what is not named, and needs no full row
SELECT pg_temp.act('{"target": "run_data_ci", "subtype": "upsert_row", "values": {"email": "ann@X.example", "n": 3}}');
SELECT pg_temp.act('{"target": "run_data_ci", "subtype": "upsert_row", "values": {"email": "bob@x.example", "n": 3}}');
SELECT email, name, n FROM sigds.sigds_run_data_ci;

--
-- the table's own limits hold, and names need no search_path
--
UPDATE sigma.sigma_input_tables SET allow_bulk_operations = false WHERE id = 'run_data_ci';
SELECT pg_temp.act('{"target": "run_data_ci", "subtype": "insert_rows", "rows": [{"email": "c", "name": "c"}, {"email": "d", "name": "d"}]}');
CREATE SCHEMA run_data_evil;
CREATE FUNCTION run_data_evil.trap(text, text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE OPERATOR run_data_evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = run_data_evil.trap);
SET search_path = run_data_evil, pg_catalog;
SELECT pg_temp.act('{"target": "run_data_ci", "subtype": "delete_row", "selector": {"match": {"email": "ann@X.example"}}}');
RESET search_path;
DROP SCHEMA run_data_evil CASCADE;

SELECT sigma.delete_input_table('run_data-T', purge => true), sigma.delete_input_table('run_data_ci', purge => true);
DELETE FROM sigma.sigma_execution_history WHERE action_id LIKE 'run\_data\_%';
