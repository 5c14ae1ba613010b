-- Importing CSV into input tables
CREATE SCHEMA csv_import;
SET search_path = csv_import;
SET datestyle = 'ISO, MDY';

-- what is refused: SQLSTATE, message, detail, hint
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', state || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;
-- counts of an import, and its failures one a line
CREATE FUNCTION import(id text, csv text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(E'\n',
        format('%s accepted, %s rejected, %s inserted, %s updated, %s deleted, %s lines, %s blank', r->>'accepted', r->>'rejected',
               r->>'inserted', r->>'updated', r->>'deleted', r->>'lines', r->>'skipped_blank'),
        (SELECT string_agg(format('error row %s line %s %s %s: %s [%s]', f->>'row', f->>'line', f->>'rule', f->>'column', f->>'message', f->>'value'), E'\n' ORDER BY n)
         FROM jsonb_array_elements(r->'errors') WITH ORDINALITY t(f, n)),
        (SELECT string_agg(format('warning row %s line %s %s %s: %s [%s]', f->>'row', f->>'line', f->>'rule', f->>'column', f->>'message', f->>'value'), E'\n' ORDER BY n)
         FROM jsonb_array_elements(r->'warnings') WITH ORDINALITY t(f, n)))
    FROM sigma.import_csv(id, csv, options) r $$;

SELECT sigma.create_input_table('{"id": "csv_people", "name": "People", "type": "csv", "columns": [
    {"name": "Name", "type": "text", "required": true},
    {"name": "E Mail", "type": "text", "unique": true, "validation": {"format": "email"}},
    {"name": "Age", "type": "integer", "validation": {"min": 0, "max": 150}},
    {"name": "Balance", "type": "number"},
    {"name": "Since", "type": "date"},
    {"name": "Active", "type": "checkbox"},
    {"name": "Team", "type": "dropdown", "validation": {"values": ["red", "blue"]}},
    {"name": "Source", "type": "text", "default_value": "csv", "editable": false}]}');
CREATE VIEW people AS
    SELECT sigma_row_id AS id, "Name", "E Mail", "Age", "Balance", "Since", "Active", "Team", "Source" FROM sigds.sigds_csv_people ORDER BY 1;

-- the whole result; an empty cell is null, a column that the file has not gets its default
SELECT jsonb_pretty(sigma.import_csv('csv_people', E'Name,E Mail,Age,Balance,Since,Active,Team\nAda,ada@example.org,36,1.50,2024-02-29,true,red\nBob,,,,,,\n') - 'duration_ms' - 'edit_num');
SELECT jsonb_typeof(sigma.import_csv('csv_people', E'Name\n') -> 'duration_ms');
TABLE people;

-- columns are found ignoring case, blanks and underscores; the order is the file's; not editable ones can be imported
SELECT import('csv_people', E'source;AGE;e_mail; name \nfile;40;cid@example.org;Cid\n', '{"replace": true}');
TABLE people;

-- quotes, line breaks in cells, CRLF and CR; lines are physical ones, rows count from 0
SELECT import('csv_people', E'\ufeffName,Age\r\n"Ada\r\nCountess\n""of"" L.",200\r\n\r\n \n"x\n\n",x\rDan,7\r\nEve', '{"mode": "partial", "replace": true}');
SELECT to_json("Name"), "Age" FROM people;

-- ragged rows and stray quotes are reported, in any mode
SELECT import('csv_people', E'Name,Age\nAda\nBob,1,2\n"Cid" x,3\n"Dan",4\n"Eve"  ,5\n,\n', '{"mode": "partial", "replace": true}');
SELECT import('csv_people', E'Name,Age\nAda\nBob,1\n', '{"mode": "sigma", "replace": true}');
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Name,Age\nAda\nBob,1\nCid,x\n')$$);
SELECT "Name", "Age" FROM people;

-- strict: one bad row, and nothing is written
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Name,E Mail,Age,Team\n,a@example.org,1,red\nFay,nobody,-1,green\nGil,g@example.org,1,red\n', '{"replace": true}')$$);
SELECT "Name", "Age" FROM people;
-- partial: the good rows; sigma: bad values become null
SELECT import('csv_people', E'Name,E Mail,Age,Team,Since\n,a@example.org,1,red,\nFay,nobody,-1,green,\nGil,g@example.org,1,red,2024-02-30\nHal,h@example.org,1,red,2024-02-28\n', '{"mode": "partial", "replace": true}');
SELECT "Name", "E Mail", "Age", "Team", "Since" FROM people;
SELECT import('csv_people', E'Name,E Mail,Age,Team,Since\n,a@example.org,1,red,\nGil,g@example.org,abc,green,2024-02-30\nHal,h@example.org,200,red,2024-02-28\n', '{"mode": "sigma", "replace": true}');
SELECT "Name", "E Mail", "Age", "Team", "Since" FROM people;
-- the lists are cut, the counts are not
SELECT r->'error_count', jsonb_array_length(r->'errors'), r->'errors_truncated', r->'rejected'
FROM sigma.import_csv('csv_people', E'Name,Age\nA,x\nB,y\nC,z\n', '{"mode": "partial", "maxErrors": 2}') r;

-- duplicates: with a row that is there, and inside the file
SELECT import('csv_people', E'Name,E Mail\nAda,ada@example.org\nBob,bob@example.org\n', '{"replace": true}');
SELECT import('csv_people', E'Name,E Mail\nAda,ada@example.org\nCid,cid@example.org\nCid,cid@example.org\n', '{"mode": "partial"}');
-- upserts by key: the columns of the file are updated, the others stay
UPDATE sigds.sigds_csv_people SET "Age" = 36 WHERE "Name" = 'Ada';
SELECT import('csv_people', E'Name,E Mail\nAda L.,ada@example.org\nDan,dan@example.org\n', '{"key": "E Mail", "on_conflict": "update"}');
SELECT import('csv_people', E'Name,E Mail\nAda X.,ada@example.org\nEve,eve@example.org\n', '{"key": ["e mail"], "onConflict": "skip"}');
SELECT "Name", "E Mail", "Age" FROM people;
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Name\nAda\n', '{"key": "E Mail"}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Name\nAda\n', '{"key": "Name"}')$$);

-- replace: the old rows go in the same statement, unique values may come back, row ids do not
SELECT max(id) AS last FROM people \gset
SELECT import('csv_people', E'Name,E Mail\nAda,ada@example.org\n', '{"replace": true}');
SELECT "Name", id > :last AS new_id FROM people;
-- dry run: the same report, nothing written, in strict mode too
SELECT import('csv_people', E'Name,E Mail,Age\nAda,ada@example.org,1\nBob,bob@example.org,x\n', '{"dry_run": true}');
SELECT import('csv_people', E'Name,E Mail,Age\nAda,ada@example.org,1\nBob,bob@example.org,2\n', '{"dry_run": true, "replace": true}');
SELECT "Name", "E Mail" FROM people;

-- no header: by place, or by the names that such a file's columns get
SELECT import('csv_people', E'Ann,ann@example.org,20\n\nBen,ben@example.org,30\n', '{"header": false, "replace": true}');
SELECT "Name", "E Mail", "Age" FROM people;
SELECT import('csv_people', E'20,Ann\n', '{"header": false, "replace": true, "map": {"Column 1": "Age", "Column 2": "Name"}}');
SELECT "Name", "Age" FROM people;
SELECT import('csv_people', '', '{"header": false}');

-- map: headers to columns; null leaves one out
SELECT sigma.import_csv('csv_people', E'Full Name,x,Years\nAda,?,36\n', '{"replace": true, "map": {"Full Name": "Name", "Years": "Age", "x": null}}') -> 'columns';
SELECT "Name", "Age" FROM people;
SELECT sigma.import_csv('csv_people', E'Name,Name,\nAda,36,\n', '{"replace": true, "map": {"Name (2)": "Age", "": null}}') -> 'columns';
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Full Name,Years,Age\n')$$);
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Name,sigma_row_id\nAda,1\n')$$);
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Full Name\n', '{"map": {"Full name": "Name"}}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Full Name\n', '{"map": {"Full Name": "Nam"}}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Full Name\n', '{"map": {"Full Name": 1}}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Name,Name\n', '{"map": {"Name (2)": "Name"}}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Name,NAME\n')$$);
SELECT refused($$SELECT sigma.import_csv('csv_people', E'x\n', '{"map": {"x": null}}')$$);

-- nulls: empty cells and the null text; quoted ones are text
SELECT import('csv_people', E'Name,Source,Age\nA,,\nB,"",""\nC,"NA",NA\nD,NA," "\nE," ",1\n', '{"replace": true, "null_text": "NA"}');
SELECT "Name", to_json("Source") AS source, "Age" FROM people;

-- numbers and dates as they are written elsewhere
SELECT import('csv_people', E'Name;Balance;Age;Since\nA;1.234,50;1.0;31.12.2024\nB;-0,5;2;01.02.2024\nC;1,5e3;1.000;1/3/24\n',
    '{"replace": true, "decimal": ",", "thousands": ".", "mode": "partial"}');
SELECT "Name", "Balance", "Age", "Since" FROM people;
SELECT import('csv_people', E'Name,Since\nA,12/31/2024\nB,1/2/24\nC,2024-03-04\n', '{"replace": true}');
SELECT "Name", "Since" FROM people;
-- where nobody can say which is the day, nothing is guessed
SELECT import('csv_people', E'Name,Since\nA,01/02/2024\nB,2024-01-02\n', '{"replace": true, "mode": "partial"}');
SELECT import('csv_people', E'Name,Since\nA,31/12/2024\nB,12/31/2024\n', '{"replace": true, "mode": "partial"}');
SELECT import('csv_people', E'Name,Since\nA,01/02/2024\n', '{"replace": true, "date_order": "dmy"}');
SELECT "Name", "Since" FROM people;

-- bytes: other encodings, bad ones refused with their line; what the result says
SELECT r->'encoding', r->'delimiter', r->'lines' FROM sigma.import_csv('csv_people', '\x4e616d653b4167650a4ae472673b310a'::bytea, '{"encoding": "latin1", "replace": true}') r;
SELECT r->'encoding', r->'delimiter', r->'lines' FROM sigma.import_csv('csv_people', '\xfffe4e0061006d00650009004100670065000a004a00e40009003200'::bytea) r;
SELECT "Name", "Age" FROM people;
SELECT refused($$SELECT sigma.import_csv('csv_people', '\x4e616d650a410a42ff0a'::bytea, '{"replace": true}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_people', '\x4e616d650a410a42000a'::bytea)$$);
SELECT refused($$SELECT sigma.import_csv('csv_people', E'Name,Age\nAda,1\n"Bob\n,2\n')$$);
SELECT refused($$SELECT sigma.import_csv('csv_people', '')$$);

-- other column types
SELECT sigma.create_input_table('{"id": "csv_types", "columns": [{"name": "t", "type": "datetime"}, {"name": "f", "type": "float"},
    {"name": "m", "type": "multi-select", "validation": {"values": ["a", "b", "c d"]}}, {"name": "j", "type": "json"}, {"name": "c", "type": "checkbox"}]}');
SELECT import('csv_types', E't,f,m,j,c\n2024-01-01T10:00:00+02:00,1e-3,"[""a"",""c d""]","{""x"": [1, null]}",yes\n2024-01-01,-2,a;b,1,0\n,,,,\n2024-01-01 25:00,NaN,x,{,maybe\n', '{"mode": "partial"}');
SELECT t, f, m, j, c FROM sigds.sigds_csv_types ORDER BY sigma_row_id;

-- what infer_columns says of a file, import_csv reads
\set csv 'E\'i;n;d;t;c;x\\n1;1.5;31/12/2024;1/2/2024 10:30;TRUE;007\\n-9223372036854775808;.25;01/02/2024;2024-01-01T00:00:00Z;false;"a;""b"""\\n;;;;;\\n\''
SELECT sigma.create_input_table(jsonb_build_object('id', 'csv_inferred', 'type', 'csv', 'columns', sigma.infer_columns(:csv)));
SELECT import('csv_inferred', :csv);
SELECT i, n, d, t, c, x FROM sigds.sigds_csv_inferred ORDER BY sigma_row_id;

-- limits of the table hold
SELECT sigma.create_input_table('{"id": "csv_limits", "max_rows": 2, "columns": [{"name": "a", "type": "integer"}]}');
SELECT import('csv_limits', E'a\n1\n2\n');
SELECT refused($$SELECT sigma.import_csv('csv_limits', E'a\n3\n')$$);
SELECT import('csv_limits', E'a\n3\n4\n', '{"replace": true}');
SELECT sigma.update_input_table('csv_limits', '{"allow_bulk_operations": false}') IS NOT NULL AS changed;
SELECT refused($$SELECT sigma.import_csv('csv_limits', E'a\n5\n6\n')$$);
SELECT a FROM sigds.sigds_csv_limits ORDER BY 1;

-- one column: a blank line is skipped, blanks are a value
SELECT sigma.create_input_table('{"id": "csv_single", "columns": [{"name": "a", "type": "text"}]}');
SELECT import('csv_single', E'a\n\nx\n  \n""\n\n');
SELECT to_json(a) FROM sigds.sigds_csv_single ORDER BY sigma_row_id;

-- options and arguments
SELECT refused($$SELECT sigma.import_csv('csv_single', 'a', '{"mod": "strict"}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_single', 'a', '{"mode": "lax"}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_single', 'a', '{"on_conflict": "skip"}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_single', 'a', '{"replace": 1}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_single', 'a', '{"max_errors": 0}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_single', 'a', '{"max_errors": 1.5}')$$);
SELECT refused($$SELECT sigma.import_csv('csv_singl', 'a')$$);
SELECT refused($$SELECT sigma.import_csv(NULL, 'a')$$);
SELECT refused($$SELECT sigma.import_csv('csv_single', NULL::text)$$);
-- a cell that does not end is not read to the end of the input
SELECT refused($$SELECT sigma.import_csv('csv_single', E'a\n1\n"' || repeat('x', 65 * 1024 * 1024))$$);
SELECT refused($$SELECT sigma.import_csv('csv_single', repeat(repeat('x', 1023) || chr(10), 200 * 1024 + 1))$$);

-- files: for members of pg_read_server_files alone
SELECT refused($$SELECT sigma.import_csv_file('csv_single', 'people.csv')$$);
SELECT refused($$SELECT sigma.import_csv_file('csv_single', '/no/such/file.csv')$$);
SELECT refused($$SELECT sigma.import_csv_file('csv_single', '/')$$);

-- rights: writing the table is the caller's own business
CREATE ROLE regress_csv_writer;
GRANT USAGE ON SCHEMA sigma, sigds, csv_import TO regress_csv_writer;
GRANT EXECUTE ON FUNCTION sigma.import_csv(text, text, jsonb), sigma.import_csv_file(text, text, jsonb) TO regress_csv_writer;
SET ROLE regress_csv_writer;
SELECT refused($$SELECT sigma.import_csv('csv_single', E'a\n1\n')$$);
SELECT refused($$SELECT sigma.import_csv_file('csv_single', '/etc/passwd')$$);
RESET ROLE;
GRANT INSERT ON sigds.sigds_csv_single TO regress_csv_writer;
SET ROLE regress_csv_writer;
SELECT sigma.import_csv('csv_single', E'a\nwriter\n') -> 'inserted';
SELECT refused($$SELECT sigma.import_csv('csv_single', E'a\n1\n', '{"replace": true}')$$);
RESET ROLE;
SELECT count(*) FROM sigds.sigds_csv_single WHERE a = 'writer';

-- every function refuses PUBLIC
SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'sigma'::regnamespace AND p.proname ~ 'csv|infer' AND has_function_privilege('public', p.oid, 'EXECUTE');

SET client_min_messages = warning;
SELECT sigma.delete_input_table(id, purge => true) FROM unnest(ARRAY['csv_types', 'csv_inferred', 'csv_limits', 'csv_single']) id;
DROP VIEW people;
SELECT sigma.delete_input_table('csv_people', purge => true);
DROP SCHEMA csv_import CASCADE;
DROP OWNED BY regress_csv_writer;
DROP ROLE regress_csv_writer;
