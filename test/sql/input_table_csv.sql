-- a CSV file that comes with the definition: columns from it, rows imported with it
\pset null '<null>'
\getenv test PG_ABS_SRCDIR
\set include :test '/include/failure.sql'
\i :include

-- columns are taken from the file
SELECT sigma.create_input_table('{"id": "cf_a", "type": "csv", "encoding": "latin1", "csvData": "name,amount,paid\nÄnn,12.50,true\nBob,7,false\n"}');
SELECT c->>'name' AS name, c->>'type' AS type FROM sigma.sigma_input_tables, jsonb_array_elements(columns) WITH ORDINALITY AS e (c, n) WHERE id = 'cf_a' ORDER BY n;
SELECT name, amount, paid, sigma_row_id FROM sigds.sigds_cf_a ORDER BY sigma_row_id;
-- the file itself is not kept
SELECT to_jsonb(t)::text LIKE '%nn,12%' AS kept FROM sigma.sigma_input_tables t WHERE id = 'cf_a';
-- as base64, with a delimiter, without a header, not to be edited afterwards
SELECT sigma.create_input_table(jsonb_build_object('id', 'cf_b', 'type', 'csv', 'csv_data', encode(convert_to(E'Ann;1\nBob;2\n', 'UTF8'), 'base64'),
    'delimiter', ';', 'header_row', false, 'editable_after_upload', false));
SELECT c - 'id' FROM sigma.sigma_input_tables, jsonb_array_elements(columns) WITH ORDINALITY AS e (c, n) WHERE id = 'cf_b' ORDER BY n;
SELECT "Column 1", "Column 2" FROM sigds.sigds_cf_b ORDER BY sigma_row_id;
SELECT sigma.create_input_table(jsonb_build_object('id', 'cf_c', 'csv_data', 'data:text/csv;base64,' || encode(convert_to(E'stra\u00dfe\nK\u00f6ln\n', 'LATIN1'), 'base64'), 'encoding', 'latin1'));
-- in lines, as encoders write them
SELECT sigma.create_input_table(jsonb_build_object('id', 'cf_g', 'csv_data', encode(convert_to(string_agg(n::text, E'\n' ORDER BY n), 'UTF8'), 'base64'), 'header', false)) FROM generate_series(1, 100) n;
SELECT count(*), min("Column 1"), max("Column 1") FROM sigds.sigds_cf_g;
-- a header that only looks like it is text
SELECT sigma.create_input_table('{"id": "cf_h", "csv_data": "username"}');
SELECT c->>'name' AS name FROM sigma.sigma_input_tables, jsonb_array_elements(columns) c WHERE id = 'cf_h';
SELECT "straße" FROM sigds.sigds_cf_c;
-- columns that are given are kept, with their rules
SELECT sigma.create_input_table('{"id": "cf_d", "type": "csv", "columns": [{"name": "n", "type": "integer", "validation": {"min": 0}}, {"name": "t", "type": "text"}], "csv_data": "t,n\nx,1\ny,2\n"}');
SELECT n, t FROM sigds.sigds_cf_d ORDER BY sigma_row_id;
-- one bad row refuses the whole
SELECT split_part(pg_temp.failure($$SELECT sigma.create_input_table('{"id": "cf_bad", "type": "csv", "columns": [{"name": "n", "type": "integer", "validation": {"min": 0}}], "csv_data": "n\n1\n-2\n"}')$$), E'\n', 1);
SELECT to_regclass('sigds.sigds_cf_bad'), (SELECT count(*) FROM sigma.sigma_input_tables WHERE id = 'cf_bad');
-- a csv table may wait for its file
SELECT sigma.create_input_table('{"id": "cf_e", "type": "csv", "columns": [{"name": "a", "type": "text"}]}');
SELECT count(*) FROM sigds.sigds_cf_e;
-- what does not fit together
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "cf_bad", "type": "empty", "csv_data": "a\n1\n"}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "cf_bad", "type": "csv", "csv_data": "a\n1\n", "max_size": 0.000001}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "cf_bad", "type": "csv", "csv_data": "a\n1\n", "max_size": 201}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "cf_bad", "type": "csv", "csv_data": "data:text/csv;base64,!!"}')$$);
SELECT pg_temp.failure($$SELECT sigma.create_input_table('{"id": "cf_bad", "type": "csv", "csv_data": 7}')$$);

-- who may define a table may define it with rows
CREATE ROLE regress_uploader;
GRANT USAGE ON SCHEMA sigma TO regress_uploader;
GRANT INSERT ON sigma.sigma_input_tables TO regress_uploader;
GRANT EXECUTE ON FUNCTION sigma.create_input_table TO regress_uploader;
SET ROLE regress_uploader;
SET sigma.user_email = 'uploader@example.org';
SELECT sigma.create_input_table('{"id": "cf_f", "csv_data": "a,b\n1,2\n"}');
RESET sigma.user_email;
RESET ROLE;
SELECT a, b, sigma_created_by FROM sigds.sigds_cf_f;
REVOKE ALL ON SCHEMA sigma FROM regress_uploader;
REVOKE ALL ON sigma.sigma_input_tables FROM regress_uploader;
REVOKE ALL ON FUNCTION sigma.create_input_table FROM regress_uploader;
DROP ROLE regress_uploader;

SELECT sigma.delete_input_table(id, true) FROM sigma.list_input_tables() WHERE id LIKE 'cf\_%' ORDER BY id COLLATE "C";
