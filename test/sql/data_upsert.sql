-- sigma.handle_data_entry with a key: rows are matched by a unique column
SET client_min_messages = warning;
SELECT sigma.create_input_table('{
    "id": "upsert_items", "name": "Items",
    "columns": [
        {"name": "Code", "type": "text", "unique": "ignore_case"},
        {"name": "title", "type": "text", "required": true},
        {"name": "amount", "type": "integer", "default_value": 7, "validation": {"max": 100}},
        {"name": "serial", "type": "integer", "unique": true}]}');
CREATE VIEW upsert_items AS
    SELECT sigma_row_id AS id, "Code", title, amount, serial FROM sigds.sigds_upsert_items ORDER BY sigma_row_id;
SELECT sigma.handle_data_entry('upsert_items', '[
    {"Code": "a", "title": "one", "amount": 1, "serial": 1},
    {"Code": "b", "title": "two", "amount": 2, "serial": 2}]') -> 'row_ids' AS row_ids;

-- update is what a key does where on_conflict does not say otherwise: just the named columns, others keep their values
SELECT sigma.handle_data_entry('upsert_items', '[
    {"Code": "c", "title": "three"},
    {"Code": "A", "amount": 11},
    {"Code": "b", "title": "TWO", "serial": null},
    {"Code": null, "title": "no code"},
    {"title": "no code either"}]', 'strict', '{"key": "code"}') - 'edit_num' AS result;
SELECT * FROM upsert_items;
-- a row with the key of an existing one must not be complete; a new one must
SELECT r ->> 'updated' AS updated, r ->> 'inserted' AS inserted, r #>> '{errors,0,row}' AS row, r #>> '{errors,0,rule}' AS rule
FROM sigma.handle_data_entry('upsert_items', '[{"Code": "d"}, {"Code": "c", "amount": 33}]', 'partial', '{"key": ["Code"], "onConflict": "update"}') AS r;

-- skip leaves existing rows as they are, and says how many
SELECT sigma.handle_data_entry('upsert_items', '[
    {"Code": "C", "title": "lost", "amount": 999},
    {"Code": "e", "title": "five", "amount": 5}]', 'strict', '{"key": "Code", "on_conflict": "skip"}') - 'edit_num' AS result;
-- what cannot be read is not skipped; two rows of one key are not skipped silently
SELECT r ->> 'skipped' AS skipped, r ->> 'rejected' AS rejected, f ->> 'row' AS row, f ->> 'rule' AS rule
FROM sigma.handle_data_entry('upsert_items', '[{"Code": "c", "amount": "many"}, {"Code": "e"}, {"Code": "E"}]', 'partial', '{"key": "Code", "on_conflict": "skip"}') AS r,
    jsonb_array_elements(r -> 'errors') AS f;
-- error is the same as no key
SELECT r ->> 'inserted' AS inserted, r -> 'errors' AS errors
FROM sigma.handle_data_entry('upsert_items', '[{"Code": "E", "title": "again"}, {"Code": "f", "title": "six"}]', 'partial', '{"key": "Code", "on_conflict": "error"}') AS r;
SELECT * FROM upsert_items;

-- one key twice in one batch is a failure, never an error of PostgreSQL's, whether the key exists or not
SELECT r ->> 'updated' AS updated, r ->> 'inserted' AS inserted, f ->> 'row' AS row, f ->> 'rule' AS rule, f ->> 'message' AS message
FROM sigma.handle_data_entry('upsert_items', '[{"Code": "a", "amount": 1}, {"Code": "A", "amount": 2}, {"Code": "g", "title": "7"}, {"Code": "G", "title": "8"}]',
                             'partial', '{"key": "Code"}') AS r, jsonb_array_elements(r -> 'errors') AS f;
-- a row named by its id and by its key
SELECT f ->> 'row' AS row, f ->> 'rule' AS rule, f ->> 'message' AS message
FROM sigma.handle_data_entry('upsert_items', '[{"Code": "a", "amount": 3}, {"sigma_row_id": 1, "amount": 4}]', 'partial', '{"key": "Code"}') AS r, jsonb_array_elements(r -> 'errors') AS f;
-- other rules and other unique columns are checked all the same
SELECT f ->> 'row' AS row, f ->> 'row_id' AS row_id, f ->> 'column' AS "column", f ->> 'rule' AS rule, f ->> 'conflicts_with' AS conflicts_with
FROM sigma.handle_data_entry('upsert_items', '[{"Code": "b", "amount": 101, "serial": 1}, {"Code": "h", "title": "h", "serial": 1}]', 'partial', '{"key": "Code"}') AS r, jsonb_array_elements(r -> 'errors') AS f;
-- in mode sigma a bad value does not keep the rest of the row out
SELECT r ->> 'updated' AS updated, r #>> '{warnings,0,rule}' AS warning FROM sigma.handle_data_entry('upsert_items', '{"Code": "b", "amount": 101, "title": "b2"}', 'sigma', '{"key": "Code"}') AS r;
-- a key whose type cannot be read is no key
SELECT r ->> 'accepted' AS accepted, r #>> '{errors,0,rule}' AS rule FROM sigma.handle_data_entry('upsert_items', '{"serial": "x", "title": "y"}', 'partial', '{"key": "serial"}') AS r;
-- another column as the key; the code changes
SELECT r ->> 'updated' AS updated FROM sigma.handle_data_entry('upsert_items', '{"serial": 1, "Code": "A2"}', 'partial', '{"key": "serial"}') AS r;
SELECT * FROM upsert_items;

-- keys that are none
SELECT sigma.handle_data_entry('upsert_items', '[]', 'strict', '{"key": "title"}');
SELECT sigma.handle_data_entry('upsert_items', '[]', 'strict', '{"key": "titel"}');
SELECT sigma.handle_data_entry('upsert_items', '[]', 'strict', '{"key": ["Code", "serial"]}');
SELECT sigma.handle_data_entry('upsert_items', '[]', 'strict', '{"key": 5}');
SELECT sigma.handle_data_entry('upsert_items', '[]', 'strict', '{"on_conflict": "skip"}');
SELECT sigma.handle_data_entry('upsert_items', '[]', 'strict', '{"key": "Code", "on_conflict": "merge"}');
SELECT sigma.handle_data_entry('upsert_items', '[]', 'strict', '{"key": "Code", "on_conflict": "skip", "onConflict": "update"}');

-- many rows: more than a lookup fetches at a time, and more than work_mem holds
SET work_mem = '64kB';
SELECT sigma.handle_data_entry('upsert_items', (SELECT jsonb_agg(jsonb_build_object('Code', 'n' || i, 'title', 'row ' || i)) FROM generate_series(1, 3000) AS i)) ->> 'inserted' AS inserted;
SELECT r ->> 'updated' AS updated, r ->> 'inserted' AS inserted, jsonb_array_length(r -> 'row_ids') AS row_ids, r ->> 'rejected' AS rejected, r ->> 'errors_truncated' AS truncated
FROM sigma.handle_data_entry('upsert_items', (SELECT jsonb_agg(jsonb_build_object('Code', 'N' || i, 'title', 'row ' || i + 1, 'amount', i % 105)) FROM generate_series(1, 4000) AS i), 'partial', '{"key": "Code"}') AS r;
SELECT count(*), sum(amount) FROM upsert_items WHERE "Code" ILIKE 'n%';
-- row ids come in the order of the input
SELECT sigma.handle_data_entry('upsert_items', (SELECT jsonb_agg(jsonb_build_object('Code', 'o' || i, 'title', 't') ORDER BY i) FROM generate_series(1, 2000) AS i)) -> 'row_ids' AS ids \gset
SELECT bool_and(t."Code" = 'o' || o.place) AS in_order, count(*)
FROM jsonb_array_elements(:'ids') WITH ORDINALITY AS o(id, place) JOIN sigds.sigds_upsert_items AS t ON t.sigma_row_id = o.id::bigint;
RESET work_mem;

-- a role that may only insert can skip or update nothing: matching reads the table
CREATE ROLE regress_upsert;
GRANT USAGE ON SCHEMA sigma, sigds TO regress_upsert;
GRANT EXECUTE ON FUNCTION sigma.handle_data_entry TO regress_upsert;
GRANT INSERT ON sigds.sigds_upsert_items TO regress_upsert;
SET ROLE regress_upsert;
SELECT sigma.handle_data_entry('upsert_items', '{"Code": "a2", "title": "x"}', 'partial', '{"key": "Code", "on_conflict": "skip"}') - 'edit_num' AS result;
RESET ROLE;
GRANT SELECT ON sigds.sigds_upsert_items TO regress_upsert;
SET ROLE regress_upsert;
SELECT sigma.handle_data_entry('upsert_items', '{"Code": "a2", "title": "x"}', 'partial', '{"key": "Code", "on_conflict": "skip"}') ->> 'skipped' AS skipped;
SELECT sigma.handle_data_entry('upsert_items', '{"Code": "a2", "title": "x"}', 'partial', '{"key": "Code"}') - 'edit_num' AS result;
RESET ROLE;
-- a key that a hidden row holds is taken, and cannot be updated
GRANT UPDATE ON sigds.sigds_upsert_items TO regress_upsert;
ALTER TABLE sigds.sigds_upsert_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY upsert_policy ON sigds.sigds_upsert_items TO regress_upsert USING ("Code" IS DISTINCT FROM 'b');
SET ROLE regress_upsert;
SELECT r ->> 'updated' AS updated, r ->> 'inserted' AS inserted, r -> 'errors' AS errors
FROM sigma.handle_data_entry('upsert_items', '[{"Code": "B", "title": "x"}, {"Code": "c", "title": "c2"}, {"Code": "p", "title": "p"}]', 'partial', '{"key": "Code"}') AS r;
RESET ROLE;

DROP VIEW upsert_items;
SELECT sigma.delete_input_table('upsert_items', true);
REVOKE ALL ON SCHEMA sigma, sigds FROM regress_upsert;
REVOKE ALL ON FUNCTION sigma.handle_data_entry FROM regress_upsert;
DROP ROLE regress_upsert;
