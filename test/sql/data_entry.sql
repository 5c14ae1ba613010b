-- sigma.handle_data_entry: modes, updates and deletes by row id, stale checks, failures, rights
SET client_min_messages = warning;
SELECT sigma.create_input_table('{
    "id": "e_people", "name": "People",
    "columns": [
        {"name": "email", "type": "text", "required": true, "unique": "ignore_case"},
        {"name": "First Name", "type": "text", "validation": {"max_length": 20}},
        {"name": "age", "type": "integer", "validation": {"min": 0, "max": 120}},
        {"name": "score", "type": "number", "default_value": 1.50},
        {"name": "born", "type": "date"},
        {"name": "active", "type": "checkbox"},
        {"name": "stage", "type": "dropdown", "validation": {"values": ["new", "won", "lost"]}},
        {"name": "tags", "type": "multi-select", "validation": {"values": ["a", "b", "c"]}},
        {"name": "extra", "type": "json"},
        {"name": "grade", "type": "text", "validation": {"pattern": "^[A-F]$", "severity": "warn"}}]}');

-- the data, without what changes from run to run
CREATE VIEW entry_people AS
    SELECT sigma_row_id AS id, email, "First Name", age, score, born, active, stage, tags, extra, grade
    FROM sigds.sigds_e_people ORDER BY sigma_row_id;

-- one object is one row; an absent key is the default, null is null
SELECT sigma.handle_data_entry('e_people', '{"email": "ann@example.com", "First Name": "Ann", "age": 30}') - 'edit_num' AS result;
SELECT sigma.handle_data_entry('e_people', '[
    {"email": "bob@example.com", "score": null, "born": "1990-02-28", "active": true, "stage": "new", "tags": ["a", "c"], "extra": {"x": [1]}},
    {"email": "cyd@example.com", "age": "41", "active": null},
    {"EMAIL": "dan@example.com", " first name ": "Dan"}]') - 'edit_num' AS result;
SELECT * FROM entry_people;

-- nothing to do is no error
SELECT sigma.handle_data_entry('e_people', '[]') - 'edit_num' AS result;

-- a row with sigma_row_id updates the columns that it names, each row its own; _delete deletes; stamps are ignored
SELECT sigma.handle_data_entry('e_people', '[
    {"email": "eve@example.com"},
    {"sigma_row_id": 1, "age": 31},
    {"sigma_row_id": 3, "_delete": true},
    {"sigma_row_id": "2", "First Name": "Bob", "score": 2, "sigma_created_by": "nobody"},
    {"sigma_row_id": null, "email": "fay@example.com", "_delete": false}]') - 'edit_num' AS result;
SELECT * FROM entry_people;
SELECT count(*) FROM sigds.sigds_e_people WHERE sigma_created_by = 'nobody';
-- the unique value of a deleted row is free in the same call, and so is one that a row gives up
SELECT sigma.handle_data_entry('e_people', '[
    {"email": "eve@example.com", "First Name": "Eve 2"},
    {"sigma_row_id": 5, "_delete": true},
    {"sigma_row_id": 6, "email": "fay2@example.com"},
    {"email": "FAY@example.com"}]') - 'row_ids' - 'edit_num' AS result;
SELECT email, "First Name" FROM entry_people ORDER BY email;
-- a row that names no column changes nothing
SELECT sigma.handle_data_entry('e_people', '{"sigma_row_id": 1}') - 'row_ids' - 'edit_num' AS result;

-- strict: all failures of all rows in one error, and nothing is written
CREATE FUNCTION entry_error(statement text) RETURNS TABLE (field text, content text) LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; det text; hin text; tab text; col text; con text;
BEGIN
    EXECUTE statement;
    RETURN QUERY SELECT 'no error'::text, ''::text;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, det = PG_EXCEPTION_DETAIL, hin = PG_EXCEPTION_HINT,
        tab = TABLE_NAME, col = COLUMN_NAME, con = CONSTRAINT_NAME;
    RETURN QUERY SELECT * FROM (VALUES ('sqlstate', state), ('message', message), ('detail', det), ('hint', hin),
        ('table', tab), ('column', col), ('constraint', con)) AS f(a, b) WHERE b <> '';
END
$$;
\pset format unaligned
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[
    {"email": "gus@example.com"},
    {"email": "ANN@example.com", "age": 130, "born": "31.02.2020"},
    {"First Name": "no mail", "stage": "old", "tags": ["a", "z"]},
    {"email": "gus@example.com", "age": "forty", "active": "maybe"},
    {"sigma_row_id": 1, "age": -1},
    {"sigma_row_id": 4711, "age": 1},
    {"sigma_row_id": 4711, "_delete": true}]')$$);
SELECT count(*) FROM entry_people WHERE email LIKE 'gus%';
-- a failure of one row by itself: a missing row is SG404, a row named twice SG409
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '{"sigma_row_id": 4711, "_delete": true}')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"sigma_row_id": 1, "age": 1}, {"sigma_row_id": 1, "age": 2}]')$$);

-- a long list of failures is cut
SELECT array_length(string_to_array(content, E'\n'), 1) AS lines, substring(content FROM '[^\n]*$') AS last
FROM entry_error($$SELECT sigma.handle_data_entry('e_people', (SELECT jsonb_agg('{"age": 121}'::jsonb) FROM generate_series(1, 15)))$$) WHERE field = 'detail';

-- partial: good rows go in, bad ones come back
SELECT jsonb_pretty(sigma.handle_data_entry('e_people', '[
    {"email": "gus@example.com", "grade": "Z"},
    {"email": "ANN@example.com", "age": 130, "born": "31.02.2020"},
    {"email": "gus@example.com"},
    {"sigma_row_id": 1, "age": 32},
    {"sigma_row_id": 2, "age": -1},
    {"sigma_row_id": 4711, "age": 1}]', 'partial') - 'row_ids' - 'edit_num');
SELECT email, age, grade FROM entry_people WHERE email LIKE 'gus%' OR id IN (1, 2) ORDER BY email;
-- whatever JSON a bad value was, it comes back as text
SELECT f ->> 'column' AS "column", f ->> 'value' AS value, f ->> 'message' AS message
FROM sigma.handle_data_entry('e_people', '{"email": "ivy@example.com", "age": {"years": 4}, "born": 20200131, "active": [true], "score": true, "tags": 5}', 'partial') AS r,
    jsonb_array_elements(r -> 'errors') AS f;
-- in mode sigma a required value that cannot be read still rejects the row
SELECT sigma.create_input_table(('{"id": "e_wide", "columns": [' || string_agg(format('{"name": "w%s", "type": "integer", "required": %s}', i, to_json(i = 1)), ', ' ORDER BY i) || ']}')::jsonb) AS id
FROM generate_series(1, 40) AS i;
SELECT r ->> 'accepted' AS accepted, r #>> '{errors,0,rule}' AS rule, r #>> '{warnings,0,rule}' AS warning FROM sigma.handle_data_entry('e_wide', '{"w1": "x"}', 'sigma') AS r;
-- more columns than a row mostly has, and rows that differ
SELECT sigma.handle_data_entry('e_wide', (SELECT jsonb_agg(d) FROM (SELECT jsonb_object_agg('w' || i, i * r) || '{"w1": 1}' AS d FROM generate_series(1, 40) AS i, generate_series(1, 3) AS r WHERE i % r = 0 GROUP BY r ORDER BY r) AS rows)) ->> 'inserted' AS inserted;
SELECT w1, w2, w3, w39, w40 FROM sigds.sigds_e_wide ORDER BY sigma_row_id;
-- a bad row does not keep a later good row with the same value out
SELECT r ->> 'accepted' AS accepted, r ->> 'rejected' AS rejected, r #>> '{errors,0,row}' AS bad_row, r #>> '{errors,0,rule}' AS rule
FROM sigma.handle_data_entry('e_people', '[{"email": "hal@example.com", "age": 999}, {"email": "hal@example.com", "age": 9}]', 'partial') AS r;

-- sigma: a value that breaks its type, list or range becomes null and a warning; required, unique and others still reject
SELECT jsonb_pretty(sigma.handle_data_entry('e_people', '[
    {"email": "ida@example.com", "age": 130, "born": "soon", "stage": "old", "tags": ["z"], "score": 7},
    {"email": null},
    {"email": "ann@example.com"},
    {"email": "jo@example.com", "First Name": "much too long for this column"},
    {"sigma_row_id": 2, "age": 500, "stage": "lost"}]', 'Sigma') - 'row_ids' - 'edit_num');
SELECT email, age, score, born, stage, tags FROM entry_people WHERE email LIKE 'ida%' OR id = 2 ORDER BY email;

-- an unchanged value is not checked again: a row with an old bad value can be edited cell by cell
SELECT sigma.handle_data_entry('e_people', '{"sigma_row_id": 2, "grade": "Y"}') #>> '{warnings,0,rule}' AS rule;
SELECT sigma.handle_data_entry('e_people', '{"sigma_row_id": 2, "grade": "Y", "age": 50}') -> 'warnings' AS warnings;

-- _if_updated_at: only a row that has not changed since is changed
SELECT to_json(sigma_updated_at) #>> '{}' AS stamp FROM sigds.sigds_e_people WHERE sigma_row_id = 2 \gset
SELECT r ->> 'updated' AS updated FROM sigma.handle_data_entry('e_people',
    jsonb_build_object('sigma_row_id', 2, 'age', 51, '_if_updated_at', :'stamp')) AS r;
SELECT r ->> 'updated' AS updated, r ->> 'deleted' AS deleted, f ->> 'row_id' AS row_id, f ->> 'column' AS "column", f ->> 'rule' AS rule, f ->> 'message' AS message,
       (f ->> 'value')::timestamptz = (SELECT sigma_updated_at FROM sigds.sigds_e_people WHERE sigma_row_id = 2) AS current
FROM sigma.handle_data_entry('e_people', jsonb_build_array(
    jsonb_build_object('sigma_row_id', 2, 'age', 52, '_if_updated_at', :'stamp')), 'partial') AS r, jsonb_array_elements(r -> 'errors') AS f;
SELECT r ->> 'deleted' AS deleted, r #>> '{errors,0,rule}' AS rule
FROM sigma.handle_data_entry('e_people', jsonb_build_object('sigma_row_id', 2, '_delete', true, '_if_updated_at', :'stamp'), 'partial') AS r;
SELECT age FROM entry_people WHERE id = 2;
SELECT field, content FROM entry_error(format($$SELECT sigma.handle_data_entry('e_people', '{"sigma_row_id": 2, "age": 53, "_if_updated_at": "%s"}')$$, :'stamp'))
WHERE field <> 'detail';

-- documents that are wrong, in every mode: the place and what is known
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"email": "x@example.com"}, {"emial": "y@example.com"}]', 'partial')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '{"email": "x@example.com", "Email": "y@example.com"}')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '"row"')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', 'null')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', 'true')$$) WHERE field = 'message';
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"sigma_row_id": 1, "_delete": {}}]')$$) WHERE field = 'message';
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{}, [1]]', 'sigma')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"sigma_row_id": 1.5, "age": 1}]')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"sigma_row_id": "one"}]')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"sigma_row_id": 1, "_delete": "yes"}]')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"email": "ann@example.com", "_delete": true}]')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"sigma_row_id": 1, "_if_updated_at": "then"}]')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"sigma_row_id": 1, "_if_updated_at": null}]')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"email": "z@example.com", "_if_updated_at": "2020-01-01"}]')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[]', 'lenient')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[]', 'strict', '{"on_conflcit": "skip"}')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[]', 'strict', '[]')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_peopel', '[]')$$) WHERE field <> 'hint';
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry(NULL, '[]')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', NULL)$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[]', NULL)$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[]', 'strict', NULL)$$);

-- at most sigma.max_errors failures come back; all are counted
SET sigma.max_errors = 2;
SELECT jsonb_array_length(r -> 'errors') AS returned, r ->> 'error_count' AS error_count, r ->> 'errors_truncated' AS truncated, r ->> 'rejected' AS rejected
FROM sigma.handle_data_entry('e_people', (SELECT jsonb_agg(jsonb_build_object('age', 999)) FROM generate_series(1, 5)), 'partial') AS r;
RESET sigma.max_errors;

-- a value that is too long for a unique column is a failure like others
SELECT r #>> '{errors,0,rule}' AS rule, r #>> '{errors,0,message}' AS message, length(r #>> '{errors,0,value}') AS shown
FROM sigma.handle_data_entry('e_people', jsonb_build_object('email', repeat('x', 3000)), 'partial') AS r;

-- values that look like anything are data
SELECT sigma.handle_data_entry('e_people', jsonb_build_array(jsonb_build_object('email', $$x'); DROP TABLE sigds.sigds_e_people; --$$, 'First Name', '[Control/x]'))) ->> 'inserted' AS inserted;
SELECT email FROM entry_people WHERE "First Name" = '[Control/x]';

-- column names that need quoting, and one that is called like a key of a row
SELECT sigma.create_input_table('{"id": "e_quoted", "columns": [{"name": "a \"b\"; --", "type": "text"}, {"name": "v0", "type": "integer"}, {"name": "remove", "type": "text"}, {"name": "_delete", "type": "text"}, {"name": "ordinal", "type": "text"}]}');
SELECT sigma.handle_data_entry('e_quoted', '[{"a \"b\"; --": "one", "_delete": "text", "v0": 5}, {"remove": "r", "ordinal": "o"}]') ->> 'inserted' AS inserted;
SELECT sigma.handle_data_entry('e_quoted', '[{"sigma_row_id": 1, "a \"b\"; --": "two", "ordinal": "p"}, {"sigma_row_id": 2, "v0": 6, "remove": null}]') ->> 'updated' AS updated;
SELECT sigma_row_id, "a ""b""; --" AS a, v0, remove, _delete, ordinal FROM sigds.sigds_e_quoted ORDER BY 1;
-- rows that give nothing
SELECT sigma.handle_data_entry('e_quoted', '[{}, {}]') ->> 'inserted' AS inserted;
SELECT count(*) FROM sigds.sigds_e_quoted;

-- limits of the table count the call
SELECT sigma.create_input_table('{"id": "e_small", "columns": [{"name": "n", "type": "integer"}, {"name": "fixed", "type": "text", "editable": false, "default_value": "f"}], "max_rows": 3}');
SELECT sigma.handle_data_entry('e_small', '[{"n": 1}, {"n": 2}]') ->> 'inserted' AS inserted;
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_small', '[{"n": 3}, {"n": 4}]', 'partial')$$) WHERE field = 'sqlstate';
SELECT sigma.handle_data_entry('e_small', '[{"n": 3}, {"n": 4}, {"sigma_row_id": 1, "_delete": true}]') - 'row_ids' - 'edit_num' AS room_was_made;
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_small', '{"sigma_row_id": 2, "fixed": "x"}', 'partial')$$) WHERE field = 'sqlstate';
SELECT sigma.handle_data_entry('e_small', '{"sigma_row_id": 2, "fixed": "f", "n": 22}') ->> 'updated' AS a_row_sent_back_whole;
SELECT sigma.update_input_table('e_small', '{"allow_bulk_operations": false}') -> 'changed' AS changed;
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_small', '[{"sigma_row_id": 2, "n": 5}, {"n": 3}]')$$) WHERE field IN ('sqlstate', 'message');
SELECT sigma.handle_data_entry('e_small', '[{"sigma_row_id": 2, "n": 5}]') ->> 'updated' AS updated;

-- a protected column: nothing is inserted, other columns can be edited
SELECT sigma.create_input_table('{"id": "e_locked", "columns": [{"name": "n", "type": "integer"}, {"name": "p", "type": "text"}]}');
SELECT sigma.handle_data_entry('e_locked', '{"n": 1, "p": "x"}') ->> 'inserted' AS inserted;
SELECT sigma.update_input_table('e_locked', '{"columns": [{"name": "n", "type": "integer"}, {"name": "p", "type": "text", "protected": true}]}') -> 'changed' AS changed;
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_locked', '{"n": 2}', 'partial')$$) WHERE field = 'sqlstate';
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_locked', '{"sigma_row_id": 1, "p": "y"}', 'sigma')$$) WHERE field = 'sqlstate';
SELECT sigma.handle_data_entry('e_locked', '{"sigma_row_id": 1, "p": "x", "n": 3}') ->> 'updated' AS updated;
-- the other mode
SET sigma.mode = published;
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_locked', '{"sigma_row_id": 1, "n": 4}', 'partial')$$) WHERE field IN ('sqlstate', 'message');
RESET sigma.mode;

-- rights: the caller's own
CREATE ROLE regress_entry_writer;
CREATE ROLE regress_entry_none;
GRANT USAGE ON SCHEMA sigma, sigds TO regress_entry_writer, regress_entry_none;
GRANT EXECUTE ON FUNCTION sigma.handle_data_entry, sigma.validate_data, entry_error TO regress_entry_writer, regress_entry_none;
GRANT INSERT (email, age) ON sigds.sigds_e_people TO regress_entry_writer;
SET ROLE regress_entry_none;
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"no such column": 1}]')$$);
SELECT * FROM entry_error($$SELECT * FROM sigma.validate_data('e_people', '[]')$$);
SET ROLE regress_entry_writer;
-- INSERT alone suffices; row ids and values that may not be read are not told
SELECT sigma.handle_data_entry('e_people', '[{"email": "kim@example.com", "age": 5}, {"email": "Ann@example.com", "age": 999}]', 'partial') - 'edit_num' AS result;
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"email": "Ann@example.com", "age": 999}]')$$);
-- other columns, updates and deletes are not allowed, whether or not the rows are good
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"score": 1}]', 'partial')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"sigma_row_id": 1, "age": 1}]', 'partial')$$);
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_people', '[{"sigma_row_id": 1, "_delete": true}]', 'partial')$$);
RESET ROLE;
-- DELETE without UPDATE
GRANT DELETE, SELECT (sigma_row_id, sigma_updated_at) ON sigds.sigds_e_people TO regress_entry_writer;
SET ROLE regress_entry_writer;
SELECT r ->> 'deleted' AS deleted, r ->> 'rejected' AS rejected FROM sigma.handle_data_entry('e_people', '[{"sigma_row_id": 1, "_delete": true}, {"sigma_row_id": 4711, "_delete": true}]', 'partial') AS r;
SELECT r ->> 'deleted' AS deleted, r #>> '{errors,0,rule}' AS rule FROM sigma.handle_data_entry('e_people', '[{"sigma_row_id": 2, "_delete": true, "_if_updated_at": "2020-01-01"}]', 'partial') AS r;
RESET ROLE;
-- row security: rows that are hidden do not exist
GRANT SELECT, UPDATE, INSERT ON sigds.sigds_e_people TO regress_entry_writer;
ALTER TABLE sigds.sigds_e_people ENABLE ROW LEVEL SECURITY;
CREATE POLICY entry_policy ON sigds.sigds_e_people TO regress_entry_writer USING (sigma_row_id <> 2);
SET ROLE regress_entry_writer;
SELECT r ->> 'updated' AS updated, r -> 'errors' AS errors FROM sigma.handle_data_entry('e_people', '[{"sigma_row_id": 2, "age": 1}, {"sigma_row_id": 4, "age": 44}]', 'partial') AS r;
RESET ROLE;
DROP POLICY entry_policy ON sigds.sigds_e_people;
ALTER TABLE sigds.sigds_e_people DISABLE ROW LEVEL SECURITY;

-- a search_path that shadows the operators changes nothing
CREATE SCHEMA entry_trap;
CREATE FUNCTION entry_trap.never(bigint, bigint) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR entry_trap.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = entry_trap.never);
CREATE TABLE entry_trap.sigma_batch_rows ();
SET search_path = entry_trap, pg_catalog, public;
SELECT sigma.handle_data_entry('e_people', '{"sigma_row_id": 4, "age": 45}') ->> 'updated' AS updated;
RESET search_path;

-- what entry may do does not outlast an error: plain SQL is plain SQL again
SELECT * FROM entry_error($$SELECT sigma.handle_data_entry('e_small', '[{"n": 3}, {"n": 4}, {"n": 5}]')$$) WHERE field = 'sqlstate';
SELECT * FROM entry_error($$UPDATE sigds.sigds_e_small SET fixed = 'x' WHERE sigma_row_id = 2$$) WHERE field = 'sqlstate';

\pset format aligned
DROP SCHEMA entry_trap CASCADE;
DROP VIEW entry_people;
DROP FUNCTION entry_error;
SELECT sigma.delete_input_table('e_people', true), sigma.delete_input_table('e_quoted', true), sigma.delete_input_table('e_small', true), sigma.delete_input_table('e_wide', true),
    sigma.delete_input_table('e_locked', true);
REVOKE ALL ON SCHEMA sigma, sigds FROM regress_entry_writer, regress_entry_none;
REVOKE ALL ON FUNCTION sigma.handle_data_entry, sigma.validate_data FROM regress_entry_writer, regress_entry_none;
DROP ROLE regress_entry_writer, regress_entry_none;
