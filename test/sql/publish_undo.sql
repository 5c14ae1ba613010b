-- A publish is a step: undo publishes what was published before, redo publishes it again
CREATE FUNCTION pg_temp.shown(result jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT result - 'table_id' - 'edit_num' || jsonb_build_object('undone', jsonb_array_length(result -> 'undone'))
$$;
CREATE FUNCTION pg_temp.right_log(id text) RETURNS bool LANGUAGE sql AS $$ SELECT (sigma.rebuild(id, true) ->> 'differences')::int = 0 $$;
SELECT sigma.create_input_table('{"id": "pu", "name": "pu", "columns": [{"name": "a", "type": "text", "unique": true}, {"name": "n", "type": "integer"}]}');
CREATE FUNCTION pg_temp.state(OUT published text, OUT draft text, OUT drafts text) LANGUAGE sql AS $$
    SELECT (SELECT string_agg(a || ' ' || n, ', ' ORDER BY a) FROM sigma_views.pu), (SELECT string_agg(a || ' ' || n, ', ' ORDER BY a) FROM sigds.sigds_pu),
        (SELECT string_agg(operation || ' ' || row_id, ', ' ORDER BY row_id) FROM sigma.publish_preview('pu'))
$$;
INSERT INTO sigds.sigds_pu (a, n) VALUES ('x', 1), ('y', 2), ('z', 3);
-- the first publish taken back: nothing is published
SELECT sigma.publish('pu') - 'edit_num' AS published;
SELECT pg_temp.shown(sigma.undo('pu'));
SELECT * FROM pg_temp.state();
SELECT pg_temp.shown(sigma.redo('pu'));
SELECT * FROM pg_temp.state();
-- a second one, which inserted, updated and deleted
INSERT INTO sigds.sigds_pu (a, n) VALUES ('w', 4);
UPDATE sigds.sigds_pu SET n = 10 WHERE a = 'x';
DELETE FROM sigds.sigds_pu WHERE a = 'y';
SELECT sigma.publish('pu', 'second') - 'edit_num' - 'from_edit' AS published;
SELECT * FROM pg_temp.state();
-- with edits of the draft behind it: they stay where somebody else made them
SET sigma.user_email = 'bob';
UPDATE sigds.sigds_pu SET n = n + 1;
INSERT INTO sigds.sigds_pu (a, n) VALUES ('v', 5);
RESET sigma.user_email;
SELECT pg_temp.shown(sigma.undo('pu'));
SELECT * FROM pg_temp.state();
SELECT pg_temp.shown(sigma.redo('pu'));
SELECT * FROM pg_temp.state();
-- the publish and the edits before it at once
SET sigma.user_email = 'bob';
SELECT pg_temp.shown(sigma.undo('pu', 2));
RESET sigma.user_email;
SELECT pg_temp.shown(sigma.undo('pu', 3));
SELECT * FROM pg_temp.state();
SELECT pg_temp.shown(sigma.redo('pu'));
SELECT * FROM pg_temp.state();
-- taking the draft back goes to the version that is published now
SELECT pg_temp.shown(sigma.undo('pu'));
UPDATE sigds.sigds_pu SET n = 77 WHERE a = 'z';
SELECT sigma.discard_draft('pu') - 'edit_num' AS discarded;
SELECT * FROM pg_temp.state();
SELECT pg_temp.right_log('pu');
-- where somebody published since, nothing changes
UPDATE sigds.sigds_pu SET n = 8 WHERE a = 'z';
SELECT sigma.publish('pu') ->> 'updated' AS published;
SET sigma.user_email = 'bob';
UPDATE sigds.sigds_pu SET n = 9 WHERE a = 'z';
SELECT sigma.publish('pu') ->> 'edit_num' AS bobs \gset
RESET sigma.user_email;
SELECT r -> 'undone' AS undone, r #> '{conflicts,0,row_id}' AS row_id, r #>> '{conflicts,0,found,published}' = :'bobs' AS found, (r #>> '{conflicts,0,expected,published}')::bigint < :bobs AS expected FROM sigma.undo('pu') AS r;
SELECT published FROM pg_temp.state();
SET sigma.user_email = 'bob';
SELECT pg_temp.shown(sigma.undo('pu', 2));
RESET sigma.user_email;
SELECT pg_temp.shown(sigma.undo('pu', 2));
SELECT * FROM pg_temp.state();
-- a publish is an edit: it ends what can be redone; columns that changed since are those of today
SELECT sigma.publish('pu') IS NOT NULL AS published;
SELECT pg_temp.shown(sigma.redo('pu'));
UPDATE sigds.sigds_pu SET n = 100 WHERE a = 'x';
SELECT sigma.publish('pu') IS NOT NULL AS published;
SET sigma.user_email = 'bob';
SELECT sigma.alter_column('pu', 'n', '{"type": "text"}') IS NOT NULL AS retyped;
SELECT sigma.add_column('pu', '{"name": "m", "type": "integer", "default_value": 1}') IS NOT NULL AS added;
RESET sigma.user_email;
SELECT pg_temp.shown(sigma.undo('pu'));
SELECT * FROM pg_temp.state();
SELECT operation, "old", new FROM sigma.publish_preview('pu');
SELECT edit -> 'undo' ? 'published' AS says FROM sigds.sigds_wal_pu WHERE edit ? 'undo' ORDER BY edit_num DESC LIMIT 1;
SELECT pg_temp.right_log('pu');
-- restore is about rows and columns: what is published stays so
SELECT min(edit_num) AS early FROM sigds.sigds_wal_pu WHERE edit ? 'addRows' \gset
SELECT published AS before FROM pg_temp.state() \gset
SELECT sigma.restore('pu', :early) ->> 'conflicts' AS conflicts;
SELECT published = :'before' AS same, draft FROM pg_temp.state();
-- a table that is edited in its published version publishes for good, also what is a draft again later
SELECT sigma.update_input_table('pu', '{"data_entry_permission": "published"}') -> 'changed' AS changed;
UPDATE sigds.sigds_pu SET n = 70 WHERE a = 'x';
SELECT pg_temp.shown(sigma.undo('pu'));
SELECT sigma.update_input_table('pu', '{"data_entry_permission": "draft"}') -> 'changed' AS changed;
UPDATE sigds.sigds_pu SET n = 71 WHERE a = 'x';
SELECT sigma.publish('pu') ->> 'updated' AS published;
SELECT pg_temp.shown(sigma.undo('pu'));
SELECT * FROM pg_temp.state();
UPDATE sigds.sigds_pu SET n = 72 WHERE a = 'x';
SELECT sigma.publish('pu') ->> 'updated' AS published;
SELECT pg_temp.shown(sigma.undo('pu'));
SELECT * FROM pg_temp.state();
-- a publish that is not logged cannot be taken back, nor the one after it
SELECT sigma.update_input_table('pu', '{"governance_config": {"audit": false}}') -> 'changed' AS changed;
SELECT sigma.publish('pu') -> 'edit_num' AS not_logged;
SELECT sigma.update_input_table('pu', '{"governance_config": null}') -> 'changed' AS changed;
UPDATE sigds.sigds_pu SET n = 73 WHERE a = 'x';
SELECT sigma.publish('pu') ->> 'updated' AS published;
SELECT pg_temp.shown(sigma.undo('pu'));
SELECT * FROM pg_temp.state();
-- nor one whose former version went with the entries that a checkpoint took the place of
UPDATE sigds.sigds_pu SET n = 74 WHERE a = 'x';
SELECT sigma.publish('pu') ->> 'updated' AS published;
UPDATE sigds.sigds_pu SET n = 75 WHERE a = 'x';
SELECT (sigma.compact_log('pu', '0 seconds') ->> 'removed')::int > 3 AS compacted;
UPDATE sigds.sigds_pu SET n = 76 WHERE a = 'x';
SELECT sigma.publish('pu') ->> 'updated' AS published;
SELECT pg_temp.shown(sigma.undo('pu', 9));
SELECT * FROM pg_temp.state();
SELECT pg_temp.right_log('pu');
SELECT sigma.delete_input_table('pu', purge => true);

-- entries of a linked table
CREATE TABLE public.pu_source (id int PRIMARY KEY);
INSERT INTO pu_source SELECT generate_series(1, 3);
SELECT sigma.create_input_table('{"id": "pu_linked", "name": "pu_linked", "type": "linked", "source": "public.pu_source", "key_columns": ["id"], "columns": [{"name": "A", "type": "number"}]}');
UPDATE sigds.sigds_pu_linked SET "A" = id WHERE id < 3;
SELECT sigma.publish('pu_linked') ->> 'inserted' AS published;
UPDATE sigds.sigds_pu_linked SET "A" = id * 10;
SELECT sigma.publish('pu_linked') ->> 'updated' AS published;
SELECT pg_temp.shown(sigma.undo('pu_linked'));
SELECT id, "A" FROM sigma_views.pu_linked ORDER BY id;
SELECT pg_temp.shown(sigma.redo('pu_linked'));
SELECT id, "A" FROM sigma_views.pu_linked ORDER BY id;
SELECT sigma.delete_input_table('pu_linked', purge => true);
DROP TABLE pu_source;
