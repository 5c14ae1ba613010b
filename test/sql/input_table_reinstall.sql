-- dropping the extension keeps the data; installing it again takes it up
SELECT current_database() AS here \gset
CREATE DATABASE sigma_reinstall;
\c sigma_reinstall
CREATE EXTENSION sigma;
SELECT sigma.create_input_table('{"id": "kept", "columns": [{"name": "a", "type": "text", "unique": true}, {"name": "n", "type": "number", "default_value": 2}], "max_rows": 5}');
INSERT INTO sigds.sigds_kept (a) VALUES ('x'), ('y');
SET client_min_messages = warning;
DROP EXTENSION sigma CASCADE;
RESET client_min_messages;
SELECT a, n, sigma_row_id FROM sigds.sigds_kept ORDER BY 3;
-- a plain table now
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'sigds.sigds_kept'::regclass;
CREATE EXTENSION sigma;
SELECT count(*) FROM sigma.sigma_input_tables;
SELECT sigma.create_input_table('{"id": "kept", "columns": [{"name": "a", "type": "text", "unique": true}, {"name": "n", "type": "number", "default_value": 2}], "max_rows": 3}');
INSERT INTO sigds.sigds_kept (a) VALUES ('z') RETURNING a, n, sigma_row_id;
\set VERBOSITY sqlstate
INSERT INTO sigds.sigds_kept (a) VALUES ('z2');
INSERT INTO sigds.sigds_kept (a) VALUES ('x');
\set VERBOSITY default
-- one index for one unique column
SELECT count(*) FROM pg_index WHERE indrelid = 'sigds.sigds_kept'::regclass;
-- a table of the owner's that only looks like one is not taken up
SELECT sigma.delete_input_table('kept');
COMMENT ON TABLE sigds.sigds_kept IS 'mine';
DROP TRIGGER sigma_0_validate ON sigds.sigds_kept;
\set VERBOSITY sqlstate
SELECT sigma.create_input_table('{"id": "kept", "columns": [{"name": "a", "type": "text"}, {"name": "n", "type": "number"}]}');
\set VERBOSITY default
-- a sequence that is gone is made again, and goes on after the highest row
COMMENT ON TABLE sigds.sigds_kept IS 'rows of input table kept';
DROP SEQUENCE sigds.sigds_seq_kept;
SELECT sigma.create_input_table('{"id": "kept", "columns": [{"name": "a", "type": "text"}, {"name": "n", "type": "number"}]}');
INSERT INTO sigds.sigds_kept (a) VALUES ('next') RETURNING sigma_row_id;
-- another role may own the schema, if it may use what its tables need
CREATE ROLE regress_sigds_owner;
ALTER SCHEMA sigds OWNER TO regress_sigds_owner;
SELECT sigma.create_input_table('{"id": "theirs", "columns": [{"name": "a", "type": "text"}]}');
GRANT USAGE ON SCHEMA sigma TO regress_sigds_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sigma TO regress_sigds_owner;
SELECT sigma.create_input_table('{"id": "theirs", "columns": [{"name": "a", "type": "text"}]}');
GRANT USAGE, CREATE ON SCHEMA sigma_views TO regress_sigds_owner;
SELECT sigma.create_input_table('{"id": "theirs", "columns": [{"name": "a", "type": "text"}]}');
SELECT sigma.alter_column('theirs', 'a', '{"type": "number", "unique": true}')->'retyped';
SELECT relname, relowner::regrole FROM pg_class WHERE relname IN ('sigds_theirs', 'sigds_seq_theirs', 'theirs') ORDER BY 1;
\c :here
DROP DATABASE sigma_reinstall;
DROP ROLE regress_sigds_owner;
