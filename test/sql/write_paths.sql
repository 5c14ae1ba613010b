-- Every way in which SQL writes rows meets the same rules: INSERT, UPDATE, COPY,
-- MERGE, ON CONFLICT, WITH, functions.  System columns, locked columns, modes.
SET client_min_messages = warning;
SET sigma.user_email = 'ann@example.org';
SELECT sigma.create_input_table('{"id": "write_paths", "type": "empty", "columns": [
    {"name": "code", "type": "text", "required": true, "unique": true},
    {"name": "amount", "type": "number", "default_value": 1, "validation": {"min": 0, "max": 100}},
    {"name": "note", "type": "text", "validation": {"max_length": 5}}]}');
CREATE VIEW write_paths AS SELECT code, amount, note, sigma_row_id AS id,
    sigma_created_by AS created_by, sigma_updated_by AS updated_by FROM sigds.sigds_write_paths;

-- INSERT: one row, several, from a query; a bad row stops the statement
INSERT INTO sigds.sigds_write_paths (code) VALUES ('a');
INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('b', 5), ('c', 101);
INSERT INTO sigds.sigds_write_paths (code, amount) SELECT 'q' || i, i FROM generate_series(99, 101) i;
INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('b', 5), ('c', 6) RETURNING code, sigma_row_id > 1 AS numbered;
INSERT INTO sigds.sigds_write_paths DEFAULT VALUES;
-- a duplicate inside the statement
INSERT INTO sigds.sigds_write_paths (code) VALUES ('d'), ('d');

-- UPDATE: a rule is checked when its column changes
UPDATE sigds.sigds_write_paths SET amount = 200 WHERE code = 'a';
UPDATE sigds.sigds_write_paths SET code = NULL WHERE code = 'a';
UPDATE sigds.sigds_write_paths SET code = 'b' WHERE code = 'a';
UPDATE sigds.sigds_write_paths SET code = 'a', note = 'same' WHERE code = 'a';
ALTER TABLE sigds.sigds_write_paths DISABLE TRIGGER sigma_0_validate;
INSERT INTO sigds.sigds_write_paths (sigma_row_id, code, amount, note) VALUES (1000, 'old', 500, 'too long');
ALTER TABLE sigds.sigds_write_paths ENABLE TRIGGER sigma_0_validate;
UPDATE sigds.sigds_write_paths SET amount = 50 WHERE code = 'old';
UPDATE sigds.sigds_write_paths SET amount = 500, note = 'short' WHERE code = 'old';
UPDATE sigds.sigds_write_paths SET note = 'short' WHERE code = 'old';
SELECT code, amount, note FROM write_paths ORDER BY id;
DELETE FROM sigds.sigds_write_paths WHERE code = 'old';

-- COPY
COPY sigds.sigds_write_paths (code, amount) FROM stdin;
e	7
f	-1
\.
COPY sigds.sigds_write_paths (code, amount) FROM stdin;
e	7
f	8
e	9
\.
COPY sigds.sigds_write_paths (code, amount) FROM stdin WITH (FORMAT csv);
e,7
f,
\.
-- a value that its type cannot read is PostgreSQL's own error
INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('x', 'many');

-- MERGE
MERGE INTO sigds.sigds_write_paths t USING (VALUES ('a', 11), ('g', 12)) s (code, amount) ON t.code = s.code
    WHEN MATCHED THEN UPDATE SET amount = s.amount
    WHEN NOT MATCHED THEN INSERT (code, amount) VALUES (s.code, s.amount);
MERGE INTO sigds.sigds_write_paths t USING (VALUES ('a', 13), ('h', 1000)) s (code, amount) ON t.code = s.code
    WHEN MATCHED THEN UPDATE SET amount = s.amount
    WHEN NOT MATCHED THEN INSERT (code, amount) VALUES (s.code, s.amount);
MERGE INTO sigds.sigds_write_paths t USING (VALUES ('g')) s (code) ON t.code = s.code
    WHEN MATCHED THEN DELETE;

-- ON CONFLICT: the clause sees to duplicates, the proposed row is checked as an insert
INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('a', 21) ON CONFLICT (code) DO UPDATE SET amount = excluded.amount;
INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('a', 22), ('i', 23) ON CONFLICT DO NOTHING;
INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('a', 24) ON CONFLICT (code) DO NOTHING;
INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('a', 1000) ON CONFLICT (code) DO NOTHING;
INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('a', 25) ON CONFLICT (code) DO UPDATE SET amount = -1;
INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('a', 26) ON CONFLICT (code) DO UPDATE SET code = 'b';
INSERT INTO sigds.sigds_write_paths (sigma_row_id, code) VALUES (1, 'j') ON CONFLICT (sigma_row_id) DO UPDATE SET note = 'x';
INSERT INTO sigds.sigds_write_paths (sigma_row_id, code) VALUES (1, 'j') ON CONFLICT (sigma_row_id) DO NOTHING;
INSERT INTO sigds.sigds_write_paths (sigma_row_id, code) VALUES (1, 'j') ON CONFLICT ON CONSTRAINT sigds_write_paths_pkey DO NOTHING;
-- prepared, in a function, in WITH, through a view
PREPARE write_paths_upsert AS INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ($1, $2) ON CONFLICT (code) DO UPDATE SET amount = excluded.amount;
EXECUTE write_paths_upsert('a', 31);
EXECUTE write_paths_upsert('a', 131);
DO $$
BEGIN
    INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('b', 32) ON CONFLICT (code) DO UPDATE SET amount = excluded.amount;
    BEGIN
        INSERT INTO sigds.sigds_write_paths (code) VALUES ('b');
    EXCEPTION WHEN check_violation THEN
        RAISE WARNING 'refused: %', SQLERRM;
    END;
END
$$;
WITH one AS (INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('c', 33) ON CONFLICT (code) DO UPDATE SET amount = excluded.amount RETURNING code),
     two AS (INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('i', 34) ON CONFLICT (code) DO NOTHING)
SELECT code FROM one;
INSERT INTO write_paths (code, amount) VALUES ('i', 35) ON CONFLICT (code) DO UPDATE SET amount = excluded.amount;
INSERT INTO write_paths (code, amount) VALUES ('i', 35);
WITH moved AS (DELETE FROM sigds.sigds_write_paths WHERE code = 'i' RETURNING code)
UPDATE sigds.sigds_write_paths SET amount = 1000 WHERE code = 'a' AND EXISTS (SELECT FROM moved);
-- a duplicate inside a statement that runs inside another one
CREATE FUNCTION write_paths_add(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sigds.sigds_write_paths (code) VALUES ($1);
    RETURN $1;
END
$$;
INSERT INTO sigds.sigds_write_paths (code) SELECT write_paths_add('k') ON CONFLICT (code) DO NOTHING;
SELECT write_paths_add('k');
SELECT code, amount, note FROM write_paths ORDER BY code;

-- system columns belong to the trigger: what a writer supplies is overwritten
INSERT INTO sigds.sigds_write_paths (code, sigma_row_id, sigma_created_at, sigma_updated_at, sigma_created_by, sigma_updated_by)
    VALUES ('l', -5, '2000-01-01', '2000-01-01', 'eve', 'eve');
SELECT sigma_row_id > 0 AS id, sigma_created_at = sigma_updated_at AS same,
       sigma_created_at > '2020-01-01' AS now, sigma_created_by, sigma_updated_by FROM sigds.sigds_write_paths WHERE code = 'l';
SET sigma.user_email = 'bob@example.org';
UPDATE sigds.sigds_write_paths SET note = 'n', sigma_created_by = 'eve', sigma_updated_by = 'eve', sigma_created_at = '2000-01-01' WHERE code = 'l';
SELECT sigma_created_at > '2020-01-01' AS kept, sigma_updated_at > sigma_created_at AS later, sigma_created_by, sigma_updated_by
    FROM sigds.sigds_write_paths WHERE code = 'l';
\set VERBOSITY sqlstate
UPDATE sigds.sigds_write_paths SET sigma_row_id = sigma_row_id + 1 WHERE code = 'l';
UPDATE sigds.sigds_write_paths SET sigma_row_id = NULL WHERE code = 'l';
TRUNCATE sigds.sigds_write_paths;
INSERT INTO sigds.sigds_write_paths (code, sigma_row_id) VALUES ('m', 1) ON CONFLICT (sigma_row_id) DO NOTHING;
\set VERBOSITY default
UPDATE sigds.sigds_write_paths SET sigma_row_id = sigma_row_id WHERE code = 'l';
TRUNCATE sigds.sigds_write_paths;
-- row ids rise and are not used again
DELETE FROM sigds.sigds_write_paths WHERE code = 'l';
INSERT INTO sigds.sigds_write_paths (code) VALUES ('n');
SELECT sigma_row_id = max(sigma_row_id) OVER () AS highest FROM sigds.sigds_write_paths ORDER BY code = 'n' DESC LIMIT 1;

-- a replica takes rows as they are
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO sigds.sigds_write_paths (sigma_row_id, code, amount) VALUES (5000, 'r', 1000);
SELECT amount, sigma_created_by FROM sigds.sigds_write_paths WHERE code = 'r';
ROLLBACK;
-- so does the owner who restores a dump; anybody else who says so is not believed
BEGIN;
SET LOCAL check_function_bodies = off;
COPY sigds.sigds_write_paths (sigma_row_id, code, amount, sigma_created_at, sigma_created_by) FROM stdin;
6000	s	1000	2001-02-03 04:05:06+00	eve
\.
SELECT sigma_row_id, amount, sigma_created_at AT TIME ZONE 'UTC' AS created_at, sigma_created_by, sigma_updated_by FROM sigds.sigds_write_paths WHERE code = 's';
ROLLBACK;
CREATE ROLE regress_write_paths;
GRANT USAGE ON SCHEMA sigds TO regress_write_paths;
GRANT INSERT ON sigds.sigds_write_paths TO regress_write_paths;
SET ROLE regress_write_paths;
SET check_function_bodies = off;
INSERT INTO sigds.sigds_write_paths (sigma_row_id, code, amount) VALUES (6000, 's', 1000);
-- no right on catalog, sequence or functions is needed to write
RESET check_function_bodies;
INSERT INTO sigds.sigds_write_paths (code) VALUES ('t');
RESET ROLE;
REVOKE ALL ON sigds.sigds_write_paths FROM regress_write_paths;
REVOKE ALL ON SCHEMA sigds FROM regress_write_paths;
DROP ROLE regress_write_paths;

-- cells hold at most 64 MB
\set VERBOSITY sqlstate
INSERT INTO sigds.sigds_write_paths (code, note) VALUES ('big', repeat('x', 64 * 1024 * 1024 + 1));
\set VERBOSITY default

-- a table whose definition is gone can be read, and not written
SELECT sigma.delete_input_table('write_paths');
INSERT INTO sigds.sigds_write_paths (code, amount) VALUES ('gone', 1000);
UPDATE sigds.sigds_write_paths SET amount = 0;
DELETE FROM sigds.sigds_write_paths;
SELECT count(*) > 0 AS kept FROM sigds.sigds_write_paths;
DROP FUNCTION write_paths_add;
DROP VIEW write_paths;
SELECT sigma.delete_input_table('write_paths', purge => true);
DEALLOCATE write_paths_upsert;

-- locked columns
SELECT sigma.create_input_table('{"id": "write_locked", "type": "empty", "columns": [
    {"name": "free", "type": "text"},
    {"name": "fixed", "type": "number", "default_value": 7, "editable": false}]}');
INSERT INTO sigds.sigds_write_locked (free) VALUES ('a');
INSERT INTO sigds.sigds_write_locked (free, fixed) VALUES ('b', 7.0), ('c', NULL);
INSERT INTO sigds.sigds_write_locked (free, fixed) VALUES ('d', 8);
UPDATE sigds.sigds_write_locked SET free = 'x', fixed = fixed WHERE free = 'a';
UPDATE sigds.sigds_write_locked SET fixed = 8 WHERE free = 'b';
UPDATE sigds.sigds_write_locked SET fixed = NULL WHERE free = 'b';
SELECT free, fixed FROM sigds.sigds_write_locked ORDER BY sigma_row_id;
SELECT sigma.update_input_table('write_locked', '{"columns": [{"name": "free", "type": "text", "protected": true},
    {"name": "fixed", "type": "number", "default_value": 7, "editable": false}]}') IS NOT NULL AS changed;
INSERT INTO sigds.sigds_write_locked (fixed) VALUES (7);
COPY sigds.sigds_write_locked (fixed) FROM stdin;
7
\.
UPDATE sigds.sigds_write_locked SET free = 'y' WHERE free = 'x';
UPDATE sigds.sigds_write_locked SET free = free WHERE free = 'x';
DELETE FROM sigds.sigds_write_locked WHERE free = 'x';
SELECT free, fixed FROM sigds.sigds_write_locked ORDER BY sigma_row_id;
SELECT sigma.delete_input_table('write_locked', true);

-- the version that a client edits
SELECT sigma.create_input_table('{"id": "write_draft", "type": "empty", "columns": [{"name": "a", "type": "text"}]}');
SELECT sigma.create_input_table('{"id": "write_published", "type": "empty", "data_entry_permission": "published", "columns": [{"name": "a", "type": "text"}]}');
SET sigma.mode = published;
INSERT INTO sigds.sigds_write_draft (a) VALUES ('1');
UPDATE sigds.sigds_write_draft SET a = '1' WHERE false;
DELETE FROM sigds.sigds_write_draft;
INSERT INTO sigds.sigds_write_published (a) VALUES ('1');
SET sigma.mode = draft;
INSERT INTO sigds.sigds_write_draft (a) VALUES ('1');
INSERT INTO sigds.sigds_write_published (a) VALUES ('2');
SET sigma.mode = auto;
INSERT INTO sigds.sigds_write_draft (a) VALUES ('2');
INSERT INTO sigds.sigds_write_published (a) VALUES ('2');
SELECT a FROM sigds.sigds_write_draft ORDER BY a;
SELECT a FROM sigds.sigds_write_published ORDER BY a;
SELECT sigma.delete_input_table('write_draft', true), sigma.delete_input_table('write_published', true);

-- the trigger functions are triggers of data tables and nothing else
SELECT sigma.validate_row();
CREATE TABLE write_other (a int, sigma_row_id bigint);
CREATE TRIGGER sigma_0_validate BEFORE INSERT ON write_other FOR EACH ROW EXECUTE FUNCTION sigma.validate_row('write_paths');
INSERT INTO write_other VALUES (1, 1);
DROP TRIGGER sigma_0_validate ON write_other;
CREATE TRIGGER wrong AFTER INSERT ON write_other FOR EACH ROW EXECUTE FUNCTION sigma.validate_row('write_paths');
INSERT INTO write_other VALUES (1, 1);
DROP TRIGGER wrong ON write_other;
CREATE TRIGGER wrong BEFORE INSERT ON write_other FOR EACH ROW EXECUTE FUNCTION sigma.check_statement('write_paths');
INSERT INTO write_other VALUES (1, 1);
DROP TRIGGER wrong ON write_other;
CREATE TRIGGER wrong BEFORE INSERT ON write_other FOR EACH STATEMENT EXECUTE FUNCTION sigma.count_rows('write_paths');
INSERT INTO write_other VALUES (1, 1);
DROP TABLE write_other;
-- nor of other events of a data table
SELECT sigma.create_input_table('{"id": "write_events", "type": "empty", "columns": [{"name": "a", "type": "text"}]}');
INSERT INTO sigds.sigds_write_events (a) VALUES ('1');
CREATE TRIGGER wrong BEFORE DELETE ON sigds.sigds_write_events FOR EACH ROW EXECUTE FUNCTION sigma.validate_row('write_events');
DELETE FROM sigds.sigds_write_events;
DROP TRIGGER wrong ON sigds.sigds_write_events;
CREATE TRIGGER a_wrong BEFORE TRUNCATE ON sigds.sigds_write_events FOR EACH STATEMENT EXECUTE FUNCTION sigma.check_statement('write_events');
TRUNCATE sigds.sigds_write_events;
DROP TRIGGER a_wrong ON sigds.sigds_write_events;
CREATE TRIGGER wrong BEFORE INSERT ON sigds.sigds_write_events FOR EACH STATEMENT EXECUTE FUNCTION sigma.refuse_truncate('write_events');
INSERT INTO sigds.sigds_write_events (a) VALUES ('2');
SELECT a FROM sigds.sigds_write_events;
SELECT sigma.delete_input_table('write_events', true);
