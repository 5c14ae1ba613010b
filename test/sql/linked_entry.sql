-- handle_data_entry on linked tables: rows are named by the whole key
\set VERBOSITY terse
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS
    $$DECLARE detail text; BEGIN EXECUTE statement; RETURN 'no error'; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL; RETURN concat_ws(E'\n', SQLSTATE || ': ' || SQLERRM, nullif(detail, '')); END$$;
CREATE TABLE public.le_source (id int, u uuid, v text, PRIMARY KEY (id, u));
INSERT INTO le_source SELECT g, md5(g::text)::uuid, 'v' || g FROM generate_series(1, 4) g;
SELECT sigma.create_input_table('{"id": "le", "type": "linked", "source": "public.le_source", "key_columns": ["id", "u"], "linked_columns": ["v"],
    "columns": [{"name": "A", "type": "number", "validation": {"min": 0}}, {"name": "B", "type": "text", "default_value": "n/a"}]}');
SELECT r->'inserted' AS inserted, r->'updated' AS updated, r->'accepted' AS accepted, r->'rejected' AS rejected
FROM sigma.handle_data_entry('le', jsonb_build_array(
    jsonb_build_object('id', 1, 'u', upper(md5('1')), 'A', 5), jsonb_build_object('id', 2, 'u', md5('2'), 'B', 'two'))) AS r;
SELECT id, v, "A", "B" FROM sigds.sigds_le ORDER BY id;
-- entries that are there are changed, in the cells that are named
SELECT r->'inserted' AS inserted, r->'updated' AS updated
FROM sigma.handle_data_entry('le', jsonb_build_array(
    jsonb_build_object('id', 1, 'u', md5('1'), 'B', 'one'), jsonb_build_object('id', 3, 'u', md5('3'), 'A', 3))) AS r;
SELECT id, "A", "B" FROM sigds.sigds_le ORDER BY id;
SELECT u FROM sigds.sigds_entry_le WHERE id = 1;
-- bad rows, as elsewhere
SELECT e->'row' AS row, e->>'column' AS "column", e->>'rule' AS rule, e->>'message' AS message
FROM sigma.handle_data_entry('le', jsonb_build_array(
    jsonb_build_object('id', 1, 'u', md5('1'), 'A', -1), jsonb_build_object('id', 4, 'u', md5('4'), 'A', 'many'),
    jsonb_build_object('id', 9, 'u', md5('9'), 'A', 9), jsonb_build_object('id', 2, 'u', md5('2'), 'A', 2)), 'partial') AS r, jsonb_array_elements(r->'errors') AS e;
SELECT id, "A", "B" FROM sigds.sigds_le ORDER BY id;
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('le', jsonb_build_object('id', 9, 'u', md5('9'), 'A', 9))$$);
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('le', '{"id": 1, "A": 9}')$$);
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('le', '{"A": 9}')$$);
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('le', jsonb_build_object('id', 1, 'u', md5('1'), '_delete', true))$$);
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('le', jsonb_build_object('id', 1, 'u', md5('1'), 'v', 'x'))$$);
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('le', jsonb_build_object('id', 1, 'u', md5('1'), 'sigma_row_id', 1))$$);
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('le', '{"id": 1, "u": "none", "A": 1}')$$);
SELECT pg_temp.failure($$SELECT sigma.import_csv('le', E'id,A\n1,2\n')$$);
SELECT "row", "column", rule FROM sigma.validate_data('le', jsonb_build_object('id', 4, 'u', md5('4'), 'A', -4));
-- keys say beside row ids which rows were written; the same row twice in one call, new or not
DELETE FROM le_source WHERE id > 2;
INSERT INTO le_source SELECT g, md5(g::text)::uuid, 'v' || g FROM generate_series(3, 6) g;
SELECT r->'row_ids' AS row_ids, r->'keys' AS keys FROM sigma.handle_data_entry('le', jsonb_build_array(
    jsonb_build_object('id', 5, 'u', upper(md5('5')), 'A', 5), jsonb_build_object('id', 1, 'u', md5('1'), 'A', 1), jsonb_build_object('id', 77, 'u', md5('7'), 'A', 5)), 'partial') AS r;
SELECT r->'keys' AS keys, e->'row' AS row, e->>'rule' AS rule, e->>'message' AS message FROM sigma.handle_data_entry('le', jsonb_build_array(
    jsonb_build_object('id', 6, 'u', md5('6'), 'A', 61), jsonb_build_object('id', 6, 'u', md5('6'), 'A', 62),
    jsonb_build_object('id', 5, 'u', md5('5'), 'A', 51), jsonb_build_object('id', 5, 'u', md5('5'), 'A', 52)), 'partial') AS r, jsonb_array_elements(r->'errors') AS e;
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('le', jsonb_build_array(jsonb_build_object('id', 4, 'u', md5('4'), 'A', 1), jsonb_build_object('id', 4, 'u', md5('4'), 'A', 2)))$$);
SELECT id, "A" FROM sigds.sigds_le WHERE id > 3 ORDER BY id;
-- rights: UPDATE on the view, and SELECT on what it reads
CREATE ROLE regress_le;
GRANT USAGE ON SCHEMA sigma, sigds TO regress_le;
GRANT EXECUTE ON FUNCTION sigma.handle_data_entry(text, jsonb, text, jsonb) TO regress_le;
GRANT SELECT ON le_source, sigds.sigds_le, sigds.sigds_entry_le TO regress_le;
SET ROLE regress_le;
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('le', jsonb_build_object('id', 4, 'u', md5('4'), 'A', 4))$$);
RESET ROLE;
GRANT UPDATE ("A") ON sigds.sigds_le TO regress_le;
SET ROLE regress_le;
SELECT r->'inserted' AS inserted FROM sigma.handle_data_entry('le', jsonb_build_object('id', 4, 'u', md5('4'), 'A', 4)) AS r;
SELECT r->'updated' AS updated FROM sigma.handle_data_entry('le', jsonb_build_object('id', 4, 'u', md5('4'), 'A', 5)) AS r;
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('le', jsonb_build_object('id', 4, 'u', md5('4'), 'B', 'no'))$$);
RESET ROLE;
SELECT id, "A", "B" FROM sigds.sigds_le ORDER BY id;
DROP TABLE le_source CASCADE;
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('le', jsonb_build_object('id', 4, 'u', md5('4'), 'A', 4))$$);
SELECT sigma.delete_input_table('le', purge => true);
DROP OWNED BY regress_le;
DROP ROLE regress_le;
