-- undo, redo, restore, discard_draft: unique values that rows give each other, and who may
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE FUNCTION pg_temp.shown(result jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT result - 'table_id' - 'edit_num' || jsonb_build_object('undone', jsonb_array_length(result -> 'undone'))
$$;
CREATE FUNCTION pg_temp.right_log(id text) RETURNS bool LANGUAGE sql AS $$ SELECT (sigma.rebuild(id, true) ->> 'differences')::int = 0 $$;
SELECT sigma.create_input_table('{"id": "rv", "columns": [{"name": "code", "type": "text", "unique": "ignore_case"}, {"name": "day", "type": "date", "required": true}, {"name": "slot", "type": "integer"}, {"name": "note", "type": "text"}],
    "row_rules": [{"unique": ["day", "slot"]}]}');
INSERT INTO sigds.sigds_rv (code, day, slot) VALUES ('a', '2024-01-01', 1), ('b', '2024-01-01', 2), ('c', '2024-01-02', 1), (NULL, '2024-01-02', NULL);
CREATE VIEW pg_temp.rv AS SELECT sigma_row_id AS id, code, day, slot, note FROM sigds.sigds_rv ORDER BY 1;
-- two rows swap a value: by way of a third one, as unique indexes ask for
UPDATE sigds.sigds_rv SET code = 'tmp' WHERE code = 'a';
UPDATE sigds.sigds_rv SET code = 'A' WHERE code = 'b';
UPDATE sigds.sigds_rv SET code = 'B' WHERE code = 'tmp';
SELECT code FROM pg_temp.rv;
SELECT pg_temp.shown(sigma.undo('rv', 3));
SELECT code FROM pg_temp.rv;
SELECT pg_temp.shown(sigma.redo('rv'));
SELECT code FROM pg_temp.rv;
SELECT pg_temp.right_log('rv');
-- the same of values that are unique together, where just one of them changes, and in a ring
SELECT max(edit_num) AS ring FROM sigds.sigds_wal_rv \gset
UPDATE sigds.sigds_rv SET slot = 9 WHERE sigma_row_id = 1;
UPDATE sigds.sigds_rv SET slot = 1 WHERE sigma_row_id = 2;
UPDATE sigds.sigds_rv SET slot = 2 WHERE sigma_row_id = 1;
UPDATE sigds.sigds_rv SET day = '2024-01-03' WHERE sigma_row_id = 3;
UPDATE sigds.sigds_rv SET day = '2024-01-02' WHERE sigma_row_id = 2;
UPDATE sigds.sigds_rv SET day = '2024-01-01', slot = 1 WHERE sigma_row_id = 3;
UPDATE sigds.sigds_rv SET day = '2024-01-02', slot = 2, note = 'moved' WHERE sigma_row_id = 1;
SELECT id, day, slot, note FROM pg_temp.rv;
SELECT pg_temp.shown(sigma.restore('rv', :ring));
SELECT id, day, slot, note FROM pg_temp.rv;
SELECT pg_temp.right_log('rv');
-- a row that went and one that took its place; and back
DELETE FROM sigds.sigds_rv WHERE sigma_row_id = 3;
INSERT INTO sigds.sigds_rv (code, day, slot) VALUES ('C', '2024-01-02', 1);
SELECT pg_temp.shown(sigma.undo('rv', 2));
SELECT pg_temp.shown(sigma.redo('rv', 2)) ->> 'rows' AS redone;
SELECT pg_temp.shown(sigma.undo('rv')) ->> 'rows' AS undone;
SELECT id, code, day, slot FROM pg_temp.rv;
-- somebody else's row has the value by now
UPDATE sigds.sigds_rv SET code = 'free' WHERE sigma_row_id = 1;
SET sigma.user_email = 'bob@example.com';
INSERT INTO sigds.sigds_rv (code, day) VALUES ('b', '2024-02-01');
RESET sigma.user_email;
SELECT left(pg_temp.failure($$SELECT sigma.undo('rv')$$), 62) AS refused;
SELECT pg_temp.right_log('rv');
-- taking a draft back meets the same
SELECT sigma.publish('rv') ->> 'inserted' AS published;
UPDATE sigds.sigds_rv SET slot = 7 WHERE sigma_row_id = 1;
UPDATE sigds.sigds_rv SET slot = 1 WHERE sigma_row_id = 2;
UPDATE sigds.sigds_rv SET slot = 2 WHERE sigma_row_id = 1;
SELECT r ->> 'updated' AS taken_back FROM sigma.discard_draft('rv') AS r;
SELECT id, slot FROM pg_temp.rv;

-- who may: editors with their own rights, admins on any table, builders on none that they do not edit
CREATE ROLE regress_rv_editor;
CREATE ROLE regress_rv_builder;
CREATE ROLE regress_rv_admin;
CREATE ROLE regress_rv_viewer;
SELECT sigma.grant_access('regress_rv_editor', 'editor', 'rv'), sigma.grant_access('regress_rv_builder', 'builder'), sigma.grant_access('regress_rv_admin', 'admin'), sigma.grant_access('regress_rv_viewer', 'viewer', 'rv');
SELECT max(edit_num) AS given FROM sigds.sigds_wal_rv \gset
CREATE TEMP VIEW attempts AS SELECT f AS function, pg_temp.failure('SELECT sigma.' || f) FROM unnest(ARRAY['undo(''rv'')', 'redo(''rv'')', 'restore(''rv'', 0)', 'discard_draft(''rv'')', 'publish(''rv'')']) AS f;
GRANT SELECT ON attempts TO PUBLIC;
SET ROLE regress_rv_viewer;
SELECT * FROM attempts;
SET ROLE regress_rv_builder;
SELECT * FROM attempts;
SET ROLE regress_rv_editor;
UPDATE sigds.sigds_rv SET note = 'editor' WHERE sigma_row_id = 1;
SELECT pg_temp.shown(sigma.undo('rv'));
SELECT pg_temp.shown(sigma.redo('rv'));
SELECT sigma.discard_draft('rv') ->> 'updated' AS discarded;
UPDATE sigds.sigds_rv SET note = 'editor again' WHERE sigma_row_id IN (1, 2);
INSERT INTO sigds.sigds_rv (code, day) VALUES ('editor', '2024-03-01');
SET ROLE regress_rv_admin;
SELECT pg_temp.failure('SELECT FROM sigds.sigds_rv');
SELECT pg_temp.shown(sigma.undo('rv'));
SELECT pg_temp.shown(sigma.redo('rv'));
SELECT sigma.discard_draft('rv') - 'edit_num' AS discarded;
-- what was changed meanwhile is a conflict, whose values an admin who may not read rows is not told
RESET ROLE;
UPDATE sigds.sigds_rv SET note = 'secret' WHERE sigma_row_id = 1;
SET session_replication_role = replica;
UPDATE sigds.sigds_rv SET note = 'past the log' WHERE sigma_row_id = 1;
RESET session_replication_role;
SET ROLE regress_rv_admin;
SELECT pg_temp.shown(sigma.restore('rv', :given));
RESET ROLE;
SET session_replication_role = replica;
UPDATE sigds.sigds_rv SET note = 'secret' WHERE sigma_row_id = 1;
RESET session_replication_role;
SET ROLE regress_rv_admin;
SELECT pg_temp.shown(sigma.restore('rv', :given)) - 'undone' AS restored;
SELECT pg_temp.failure($$UPDATE sigds.sigds_rv SET note = 'admin'$$);
SELECT pg_temp.failure($$DELETE FROM sigds.sigds_rv WHERE sigma_row_id = 1$$);
RESET ROLE;
SELECT id, note FROM pg_temp.rv WHERE note IS NOT NULL;
SELECT metadata ->> 'role' AS role, metadata ->> 'origin' AS origin FROM sigds.sigds_wal_rv ORDER BY edit_num DESC LIMIT 1;
SELECT pg_temp.right_log('rv');

-- entries of linked tables: editors, who have no right to write them but by the view
CREATE TABLE public.rv_source (id int PRIMARY KEY);
INSERT INTO rv_source SELECT generate_series(1, 3);
SELECT sigma.create_input_table('{"id": "rv_linked", "type": "linked", "source": "public.rv_source", "key_columns": ["id"], "columns": [{"name": "A", "type": "number"}, {"name": "B", "type": "text"}]}');
CREATE ROLE regress_rv_column;
GRANT SELECT ON rv_source TO regress_rv_editor, regress_rv_column;
SELECT sigma.grant_access('regress_rv_editor', 'editor', 'rv_linked');
GRANT USAGE ON SCHEMA sigma, sigds TO regress_rv_column;
GRANT EXECUTE ON FUNCTION sigma.undo, sigma.restore TO regress_rv_column;
GRANT SELECT, UPDATE ("A") ON sigds.sigds_rv_linked TO regress_rv_column;
GRANT SELECT ON sigds.sigds_entry_rv_linked TO regress_rv_column;
SELECT max(edit_num) AS made FROM sigds.sigds_wal_rv_linked \gset
SET ROLE regress_rv_editor;
UPDATE sigds.sigds_rv_linked SET "A" = id;
UPDATE sigds.sigds_rv_linked SET "B" = 'b' WHERE id > 1;
SELECT pg_temp.failure($$UPDATE sigds.sigds_entry_rv_linked SET "B" = 'c'$$);
SET ROLE regress_rv_column;
SELECT pg_temp.failure($$SELECT sigma.undo('rv_linked')$$);
UPDATE sigds.sigds_rv_linked SET "A" = 100 WHERE id = 1;
SELECT pg_temp.shown(sigma.undo('rv_linked'));
SELECT pg_temp.failure(format($$SELECT sigma.restore('rv_linked', %s)$$, :made));
SET ROLE regress_rv_editor;
SELECT pg_temp.shown(sigma.undo('rv_linked', 2));
SELECT id, "A", "B" FROM sigds.sigds_rv_linked ORDER BY id;
SELECT pg_temp.shown(sigma.redo('rv_linked'));
SELECT id, "A", "B" FROM sigds.sigds_rv_linked ORDER BY id;
RESET ROLE;
SELECT pg_temp.right_log('rv_linked');
DROP VIEW attempts, pg_temp.rv;
DROP OWNED BY regress_rv_editor, regress_rv_builder, regress_rv_admin, regress_rv_viewer, regress_rv_column;
DROP ROLE regress_rv_editor, regress_rv_builder, regress_rv_admin, regress_rv_viewer, regress_rv_column;
SELECT sigma.delete_input_table(id, purge => true) FROM unnest(ARRAY['rv_linked', 'rv']) AS id;
DROP TABLE rv_source;
