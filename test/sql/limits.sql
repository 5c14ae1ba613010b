-- max_rows and allow_bulk_operations count the whole statement, on every write path.
SET client_min_messages = warning;
SELECT sigma.create_input_table('{"id": "limits", "type": "empty", "max_rows": 3, "columns": [
    {"name": "k", "type": "integer", "unique": true}, {"name": "v", "type": "number", "validation": {"max": 10}}]}');

INSERT INTO sigds.sigds_limits (k) VALUES (1), (2);
INSERT INTO sigds.sigds_limits (k) VALUES (3), (4);
INSERT INTO sigds.sigds_limits (k) VALUES (3);
INSERT INTO sigds.sigds_limits (k) VALUES (4);
SELECT id, row_count FROM sigma.sigma_row_counts WHERE id = 'limits';
-- rows that go make room
DELETE FROM sigds.sigds_limits WHERE k = 3;
COPY sigds.sigds_limits (k) FROM stdin;
5
6
\.
COPY sigds.sigds_limits (k) FROM stdin;
5
\.
-- an upsert or MERGE counts what it really added
INSERT INTO sigds.sigds_limits (k, v) VALUES (1, 1), (2, 1) ON CONFLICT (k) DO UPDATE SET v = excluded.v;
INSERT INTO sigds.sigds_limits (k, v) VALUES (1, 2), (7, 2) ON CONFLICT (k) DO UPDATE SET v = excluded.v;
INSERT INTO sigds.sigds_limits (k) VALUES (1), (2) ON CONFLICT DO NOTHING;
MERGE INTO sigds.sigds_limits t USING (VALUES (1), (2), (8), (9)) s (k) ON t.k = s.k
    WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED THEN INSERT (k) VALUES (s.k);
MERGE INTO sigds.sigds_limits t USING (VALUES (8), (10), (11)) s (k) ON t.k = s.k
    WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED THEN INSERT (k) VALUES (s.k);
UPDATE sigds.sigds_limits SET v = 3;
SELECT k, v FROM sigds.sigds_limits ORDER BY k;
SELECT row_count FROM sigma.sigma_row_counts WHERE id = 'limits';
-- what is rolled back does not count
BEGIN;
DELETE FROM sigds.sigds_limits;
SAVEPOINT s;
INSERT INTO sigds.sigds_limits (k) VALUES (1), (2), (3);
ROLLBACK TO s;
INSERT INTO sigds.sigds_limits (k) VALUES (4);
SELECT row_count FROM sigma.sigma_row_counts WHERE id = 'limits';
ROLLBACK;
SELECT row_count FROM sigma.sigma_row_counts WHERE id = 'limits';
INSERT INTO sigds.sigds_limits (k) VALUES (12);
-- statements inside a statement count for themselves
CREATE FUNCTION limits_echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_catalog.pg_trigger_depth() = 1 THEN
        INSERT INTO sigds.sigds_limits (k) VALUES (new.k + 100);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER limits_echo AFTER INSERT ON sigds.sigds_limits FOR EACH ROW EXECUTE FUNCTION limits_echo();
DELETE FROM sigds.sigds_limits WHERE k = 5;
INSERT INTO sigds.sigds_limits (k) VALUES (13);
DELETE FROM sigds.sigds_limits WHERE k = 9;
INSERT INTO sigds.sigds_limits (k) VALUES (13);
SELECT k FROM sigds.sigds_limits ORDER BY k;
SELECT row_count FROM sigma.sigma_row_counts WHERE id = 'limits';
DROP TRIGGER limits_echo ON sigds.sigds_limits;
-- a limit that changes is counted anew
UPDATE sigma.sigma_input_tables SET max_rows = NULL WHERE id = 'limits';
INSERT INTO sigds.sigds_limits (k) VALUES (20), (21);
SELECT count(*) FROM sigma.sigma_row_counts WHERE id = 'limits';
UPDATE sigma.sigma_input_tables SET max_rows = 4 WHERE id = 'limits';
UPDATE sigma.sigma_input_tables SET max_rows = 6 WHERE id = 'limits';
INSERT INTO sigds.sigds_limits (k) VALUES (22), (23);
INSERT INTO sigds.sigds_limits (k) VALUES (22);
SELECT row_count FROM sigma.sigma_row_counts WHERE id = 'limits';
-- a writer needs no right on the counters, and has none
CREATE ROLE regress_limits;
GRANT USAGE ON SCHEMA sigds, sigma TO regress_limits;
GRANT INSERT, DELETE, SELECT ON sigds.sigds_limits TO regress_limits;
SET ROLE regress_limits;
DELETE FROM sigds.sigds_limits WHERE k = 22;
INSERT INTO sigds.sigds_limits (k) VALUES (24), (25);
INSERT INTO sigds.sigds_limits (k) VALUES (24);
UPDATE sigma.sigma_row_counts SET row_count = 0;
-- nor does it get past the limit by saying that it restores a dump
SET check_function_bodies = off;
INSERT INTO sigds.sigds_limits (k) VALUES (28);
RESET check_function_bodies;
RESET ROLE;
-- the owner does, and the next writer meets the limit again
BEGIN;
SET LOCAL check_function_bodies = off;
INSERT INTO sigds.sigds_limits (k) VALUES (25), (26);
SET LOCAL check_function_bodies = on;
SELECT count(*) FROM sigds.sigds_limits;
DELETE FROM sigds.sigds_limits WHERE k = 26;
SELECT row_count FROM sigma.sigma_row_counts WHERE id = 'limits';
INSERT INTO sigds.sigds_limits (k) VALUES (27);
ROLLBACK;
-- a limit that is taken away by who says so is counted anew when it comes back
BEGIN;
SET LOCAL check_function_bodies = off;
UPDATE sigma.sigma_input_tables SET max_rows = NULL WHERE id = 'limits';
SELECT count(*) FROM sigma.sigma_row_counts WHERE id = 'limits';
ROLLBACK;
REVOKE ALL ON sigds.sigds_limits FROM regress_limits;
REVOKE ALL ON SCHEMA sigds, sigma FROM regress_limits;
DROP ROLE regress_limits;
SELECT sigma.delete_input_table('limits', true);
SELECT count(*) FROM sigma.sigma_row_counts WHERE id = 'limits';

-- bulk operations
SELECT sigma.create_input_table('{"id": "limits_bulk", "type": "empty", "allow_bulk_operations": false, "columns": [
    {"name": "k", "type": "integer", "unique": true}, {"name": "v", "type": "number"}]}');
INSERT INTO sigds.sigds_limits_bulk (k) VALUES (1);
INSERT INTO sigds.sigds_limits_bulk (k) VALUES (2);
INSERT INTO sigds.sigds_limits_bulk (k) VALUES (3), (4);
UPDATE sigds.sigds_limits_bulk SET v = 1;
DELETE FROM sigds.sigds_limits_bulk;
UPDATE sigds.sigds_limits_bulk SET v = 1 WHERE k = 1;
UPDATE sigds.sigds_limits_bulk SET v = 1 WHERE false;
COPY sigds.sigds_limits_bulk (k) FROM stdin;
3
4
\.
-- an upsert touches the row that it updates, or the one that it inserts
INSERT INTO sigds.sigds_limits_bulk (k, v) VALUES (1, 5) ON CONFLICT (k) DO UPDATE SET v = excluded.v;
INSERT INTO sigds.sigds_limits_bulk (k, v) VALUES (3, 5) ON CONFLICT (k) DO UPDATE SET v = excluded.v;
INSERT INTO sigds.sigds_limits_bulk (k, v) VALUES (1, 6), (4, 6) ON CONFLICT (k) DO UPDATE SET v = excluded.v;
MERGE INTO sigds.sigds_limits_bulk t USING (VALUES (1), (5)) s (k) ON t.k = s.k
    WHEN MATCHED THEN UPDATE SET v = 7
    WHEN NOT MATCHED THEN INSERT (k) VALUES (s.k);
MERGE INTO sigds.sigds_limits_bulk t USING (VALUES (1)) s (k) ON t.k = s.k
    WHEN MATCHED THEN UPDATE SET v = 8
    WHEN NOT MATCHED THEN INSERT (k) VALUES (s.k);
WITH gone AS (DELETE FROM sigds.sigds_limits_bulk WHERE k = 3 RETURNING k)
UPDATE sigds.sigds_limits_bulk SET v = 9 WHERE k = 1 AND EXISTS (SELECT FROM gone);
-- statements of one transaction are not added up
BEGIN;
UPDATE sigds.sigds_limits_bulk SET v = 10 WHERE k = 1;
UPDATE sigds.sigds_limits_bulk SET v = 10 WHERE k = 2;
DO $$
BEGIN
    FOR i IN 10..20 LOOP
        INSERT INTO sigds.sigds_limits_bulk (k) VALUES (i);
        DELETE FROM sigds.sigds_limits_bulk WHERE k = i;
    END LOOP;
END
$$;
COMMIT;
SELECT k, v FROM sigds.sigds_limits_bulk ORDER BY k;
\set VERBOSITY sqlstate
DELETE FROM sigds.sigds_limits_bulk;
UPDATE sigma.sigma_input_tables SET max_rows = 3 WHERE id = 'limits_bulk';
INSERT INTO sigds.sigds_limits_bulk (k) VALUES (30);
\set VERBOSITY default
-- the owner's setting of a restore lifts this too
SET check_function_bodies = off;
INSERT INTO sigds.sigds_limits_bulk (k) VALUES (53), (54);
RESET check_function_bodies;
CREATE ROLE regress_limits;
GRANT USAGE ON SCHEMA sigds TO regress_limits;
GRANT INSERT ON sigds.sigds_limits_bulk TO regress_limits;
SET ROLE regress_limits;
SET check_function_bodies = off;
INSERT INTO sigds.sigds_limits_bulk (k) VALUES (5), (6);
RESET check_function_bodies;
RESET ROLE;
REVOKE ALL ON SCHEMA sigds FROM regress_limits;
DROP OWNED BY regress_limits;
DROP ROLE regress_limits;
SELECT sigma.delete_input_table('limits_bulk', true);
DROP FUNCTION limits_echo;
