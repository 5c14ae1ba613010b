-- Draft and published: two versions of the rows of one table
-- (https://help.sigmacomputing.com/docs/customize-data-entry-permission-on-input-tables)
\set VERBOSITY terse
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS
    $$DECLARE detail text; BEGIN EXECUTE statement; RETURN 'no error'; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL; RETURN concat_ws(E'\n', SQLSTATE || ': ' || SQLERRM, nullif(detail, '')); END$$;
SELECT sigma.create_input_table('{"id": "pub_t_1", "columns": [{"name": "A", "type": "text"}]}'); -- the prefix is the images'
SELECT sigma.create_input_table('{"id": "pt", "name": "pt Stock", "columns": [
    {"name": "Item", "type": "text", "required": true}, {"name": "Qty", "type": "number", "validation": {"min": 0}}, {"name": "Tags", "type": "multi-select"}]}');

-- nothing is published before the first publish
INSERT INTO sigds.sigds_pt ("Item", "Qty", "Tags") VALUES ('pen', 1, '{a,b}'), ('ink', 2, NULL), ('cap', 3, NULL);
SELECT count(*) FROM sigma_views."pt Stock";
SELECT row_id, key, operation, old, new, by = session_user AS mine, at IS NOT NULL AS at FROM sigma.publish_preview('pt');
SELECT count(*) FROM sigma.publish_preview('pt', 2);
SELECT sigma.publish('pt', 'first stock') - 'edit_num' - 'from_edit' AS published;
SELECT "Item", "Qty", "Tags", sigma_row_id FROM sigma_views."pt Stock" ORDER BY sigma_row_id;
SELECT count(*) FROM sigma.publish_preview('pt');

-- the draft changes, by every kind of statement, and readers of the view see the former version
SET sigma.user_email = 'ann@example.com';
UPDATE sigds.sigds_pt SET "Qty" = 20 WHERE "Item" = 'ink';
UPDATE sigds.sigds_pt SET "Qty" = 21 WHERE "Item" = 'ink';
UPDATE sigds.sigds_pt SET "Qty" = "Qty" WHERE "Item" = 'pen';   -- as it was: nothing to publish
DELETE FROM sigds.sigds_pt WHERE "Item" = 'cap';
INSERT INTO sigds.sigds_pt ("Item") VALUES ('nib'), ('lost');
DELETE FROM sigds.sigds_pt WHERE "Item" = 'lost';               -- came and went
SELECT sigma.handle_data_entry('pt', '[{"Item": "pad", "Qty": 6}]')->'inserted' AS inserted;
SELECT "Item", "Qty", "Tags", sigma_row_id, sigma_updated_by = session_user AS before FROM sigma_views."pt Stock" ORDER BY sigma_row_id;
SELECT row_id, operation, old, new, by FROM sigma.publish_preview('pt');
SELECT sigma.table_info('pt')->'draft_rows' AS draft_rows;

-- columns change in both versions
SELECT sigma.update_input_table('pt', '{"name": "pt Store", "columns": [
    {"name": "Article", "renamed_from": "Item"}, {"name": "Qty"}, {"name": "Tags", "drop": true}, {"name": "Bin", "type": "integer", "default_value": 4}]}')->'added' AS added;
SELECT sigma.alter_column('pt', 'Qty', '{"validation": null}')->'changed' AS changed;
SELECT sigma.alter_column('pt', 'Qty', '{"type": "text"}')->'retyped' AS retyped;
SELECT "Article", "Qty", "Bin" FROM sigma_views."pt Store" ORDER BY sigma_row_id;
SELECT row_id, operation, old, new FROM sigma.publish_preview('pt');

-- taking the draft back: rows, ids and stamps are as they were
BEGIN;
SELECT sigma.discard_draft('pt') - 'edit_num' AS discarded;
SELECT count(*) FROM ((SELECT "Article", "Qty", "Bin", sigma_row_id, sigma_created_at, sigma_updated_at, sigma_created_by, sigma_updated_by FROM sigds.sigds_pt
    EXCEPT SELECT "Article", "Qty", "Bin", sigma_row_id, sigma_created_at, sigma_updated_at, sigma_created_by, sigma_updated_by FROM sigma_views."pt Store")) AS different;
SELECT "Article", "Qty", "Bin", sigma_row_id, sigma_updated_by = session_user AS before FROM sigds.sigds_pt ORDER BY sigma_row_id;
SELECT count(*) FROM sigma.publish_preview('pt');
INSERT INTO sigds.sigds_pt ("Article") VALUES ('next') RETURNING sigma_row_id > 6 AS new_id;
ROLLBACK;
-- one transaction: rolled back, nothing was published
BEGIN;
SELECT sigma.publish('pt')->'updated' AS updated;
SELECT "Article", "Qty", "Bin" FROM sigma_views."pt Store" ORDER BY sigma_row_id;
ROLLBACK;
SELECT "Article", "Qty", "Bin" FROM sigma_views."pt Store" ORDER BY sigma_row_id;
-- what is published again goes on from there
SELECT sigma.publish('pt', NULL) - 'edit_num' - 'from_edit' AS published;
UPDATE sigds.sigds_pt SET "Qty" = 'x';
DELETE FROM sigds.sigds_pt;
SELECT "Article", "Qty" FROM sigma_views."pt Store" ORDER BY sigma_row_id;
SELECT row_id, operation, old->'Qty' AS old, new, by FROM sigma.publish_preview('pt');
SELECT sigma.discard_draft('pt') - 'edit_num' AS discarded;
SELECT "Article", "Qty", "Bin" FROM sigds.sigds_pt ORDER BY sigma_row_id;

-- unique values that changed places, rows that break a newer rule: they come back too
SELECT sigma.alter_column('pt', 'Article', '{"unique": true}')->'changed' AS changed;
UPDATE sigds.sigds_pt SET "Article" = 'ink (old)' WHERE "Article" = 'ink';
UPDATE sigds.sigds_pt SET "Article" = 'ink' WHERE "Article" = 'pen';
UPDATE sigds.sigds_pt SET "Article" = 'pen' WHERE "Article" = 'ink (old)';
UPDATE sigds.sigds_pt SET "Qty" = 'many' WHERE "Article" = 'nib';
SELECT sigma.alter_column('pt', 'Qty', '{"validation": {"pattern": "^many$"}}')->'changed' AS changed;
SELECT sigma.discard_draft('pt') - 'edit_num' AS discarded;
SELECT "Article", "Qty" FROM sigds.sigds_pt ORDER BY sigma_row_id;
SELECT pg_temp.failure($$INSERT INTO sigds.sigds_pt ("Article", "Qty") VALUES ('pen', 'few')$$);
SELECT sigma.alter_column('pt', 'Qty', '{"validation": null}')->'changed' AS changed;

-- MERGE, COPY and upserts reach both versions
MERGE INTO sigds.sigds_pt t USING (VALUES ('pen', '11'), ('box', '12')) v (a, q) ON t."Article" = v.a
    WHEN MATCHED THEN UPDATE SET "Qty" = v.q WHEN NOT MATCHED THEN INSERT ("Article", "Qty") VALUES (v.a, v.q);
INSERT INTO sigds.sigds_pt ("Article", "Qty") VALUES ('ink', '13') ON CONFLICT ("Article") DO UPDATE SET "Qty" = excluded."Qty";
COPY sigds.sigds_pt ("Article", "Qty") FROM stdin;
tin	14
\.
SELECT row_id, operation, old->'Qty' AS old, new->'Qty' AS new FROM sigma.publish_preview('pt');
SELECT sigma.publish('pt') - 'edit_num' - 'from_edit' AS published;

-- writing in the wrong version
SET sigma.mode = published;
SELECT pg_temp.failure('UPDATE sigds.sigds_pt SET "Bin" = 1');
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('pt', '{"Article": "x"}')$$);
SET sigma.mode = draft;
UPDATE sigds.sigds_pt SET "Bin" = 5 WHERE "Article" = 'pen';
-- a table that is edited in its published version: edits show at once; what was draft is published with the change
SELECT sigma.update_input_table('pt', '{"data_entry_permission": "published"}')->'changed' AS changed;
SELECT "Article", "Bin" FROM sigma_views."pt Store" WHERE "Bin" = 5;
SELECT pg_temp.failure('UPDATE sigds.sigds_pt SET "Bin" = 1');
SET sigma.mode = published;
UPDATE sigds.sigds_pt SET "Bin" = 6 WHERE "Article" = 'pen';
RESET sigma.mode;
UPDATE sigds.sigds_pt SET "Bin" = 6 WHERE "Article" = 'ink';
SELECT "Article", "Bin" FROM sigma_views."pt Store" WHERE "Bin" = 6 ORDER BY 1;
SELECT to_regclass('sigds.sigds_pub_pt') AS images, sigma.table_info('pt') ? 'draft_rows' AS draft_rows;
SELECT pg_temp.failure($$SELECT sigma.publish('pt')$$);
SELECT pg_temp.failure($$SELECT sigma.discard_draft('pt')$$);
SELECT pg_temp.failure($$SELECT sigma.publish_preview('pt')$$);
-- and back: what is there stays published
SELECT sigma.update_input_table('pt', '{"data_entry_permission": "draft"}')->'changed' AS changed;
UPDATE sigds.sigds_pt SET "Bin" = 7;
SELECT DISTINCT "Bin" FROM sigma_views."pt Store" ORDER BY 1;
-- the mode of a run
SELECT sigma.create_action_sequence('{"id": "pt_s", "actions": [{"type": "data_modification", "subtype": "insert_row", "target": "pt", "parameters": {"values": {"Article": "run"}}}]}');
SELECT sigma.execute_sequence('pt_s', '{"mode": "published"}')#>>'{error,message}' AS error, sigma.execute_sequence('pt_s', '{"mode": "draft"}')->>'status' AS status;
SELECT sigma.delete_action_sequence('pt_s');

-- a definition that comes back finds its published rows
SELECT sigma.delete_input_table('pt');
SELECT sigma.create_input_table('{"id": "pt", "columns": [{"name": "Article", "type": "text"}, {"name": "Qty", "type": "text"}, {"name": "Bin", "type": "integer"}]}');
SELECT DISTINCT "Bin" FROM sigma_views.pt ORDER BY 1;
SELECT count(*) AS draft_rows FROM sigma.publish_preview('pt');

-- who may publish: who may write
CREATE ROLE regress_pt_editor;
CREATE ROLE regress_pt_viewer;
GRANT USAGE ON SCHEMA sigma, sigma_views, sigds TO regress_pt_editor, regress_pt_viewer;
GRANT EXECUTE ON FUNCTION sigma.publish(text, text), sigma.discard_draft(text), sigma.publish_preview(text, int) TO regress_pt_editor, regress_pt_viewer;
GRANT SELECT ON sigma_views.pt TO regress_pt_viewer;
SET ROLE regress_pt_viewer;
SELECT pg_temp.failure($$SELECT sigma.publish('pt')$$);
SELECT pg_temp.failure($$SELECT sigma.discard_draft('pt')$$);
SELECT pg_temp.failure($$SELECT sigma.publish_preview('pt')$$);
SELECT count(*) > 0 AS reads FROM sigma_views.pt;
SELECT pg_temp.failure('SELECT * FROM sigds.sigds_pub_pt');
RESET ROLE;
GRANT INSERT, UPDATE ON sigds.sigds_pt TO regress_pt_editor;
SET ROLE regress_pt_editor;
UPDATE sigds.sigds_pt SET "Bin" = 8;                            -- an image needs no right
SELECT pg_temp.failure($$SELECT sigma.publish_preview('pt')$$);
SELECT pg_temp.failure($$SELECT sigma.discard_draft('pt')$$);
SELECT pg_temp.failure($$SELECT * FROM sigds.sigds_pub_pt$$);
SELECT sigma.publish('pt')->'updated' AS updated;
RESET ROLE;
GRANT SELECT, DELETE ON sigds.sigds_pt TO regress_pt_editor;
GRANT SELECT ON sigma_views.pt TO regress_pt_editor;
SET ROLE regress_pt_editor;
UPDATE sigds.sigds_pt SET "Bin" = 9 WHERE "Article" = 'pen';
SELECT operation, old->'Bin' AS old, new->'Bin' AS new FROM sigma.publish_preview('pt');
SELECT sigma.discard_draft('pt') - 'edit_num' AS discarded;
RESET ROLE;
-- row security: the preview shows what the caller may see, a draft is not taken back in part
ALTER TABLE sigds.sigds_pt ENABLE ROW LEVEL SECURITY;
CREATE POLICY pens ON sigds.sigds_pt TO regress_pt_editor USING ("Article" IN ('pen', 'new'));
INSERT INTO sigds.sigds_pt ("Article") VALUES ('new'), ('hidden');
SET ROLE regress_pt_editor;
SELECT operation, new->'Article' AS new FROM sigma.publish_preview('pt');
SELECT pg_temp.failure($$SELECT sigma.discard_draft('pt')$$);
RESET ROLE;

-- the rest
SELECT pg_temp.failure($$SELECT sigma.publish('nowhere')$$);
SELECT pg_temp.failure($$SELECT sigma.publish(NULL)$$);
SELECT pg_temp.failure($$SELECT sigma.publish_preview('pt', -1)$$);
SELECT pg_temp.failure('CREATE TEMP TABLE pt_x (id text); CREATE TRIGGER t AFTER UPDATE ON pt_x FOR EACH ROW EXECUTE FUNCTION sigma.keep_published(); INSERT INTO pt_x VALUES (1); UPDATE pt_x SET id = 2');
SELECT pg_temp.failure('CREATE TEMP TABLE pt_x (id text); CREATE TRIGGER t BEFORE UPDATE ON pt_x FOR EACH ROW EXECUTE FUNCTION sigma.keep_published(); INSERT INTO pt_x VALUES (1); UPDATE pt_x SET id = 2');
-- large values are stored anew
UPDATE sigds.sigds_pt SET "Qty" = (SELECT string_agg(md5(g::text), '') FROM generate_series(1, 2000) g) WHERE "Article" = 'pen';
SELECT sigma.publish('pt')->'updated' AS updated;
UPDATE sigds.sigds_pt SET "Qty" = NULL WHERE "Article" = 'pen';
DELETE FROM sigds.sigds_pt WHERE "Article" = 'pen';
SELECT length("Qty"), md5("Qty") FROM sigma_views.pt WHERE "Article" = 'pen';
SELECT pg_temp.failure('DROP TABLE sigds.sigds_pub_pt');
DROP TABLE sigds.sigds_pub_pt CASCADE;
SELECT pg_temp.failure('DELETE FROM sigds.sigds_pt');
SELECT sigma.delete_input_table('pt', purge => true);
SELECT relname FROM pg_class WHERE relnamespace IN ('sigds'::regnamespace, 'sigma_views'::regnamespace) AND relname ~ '^(sigds_)?(pub_|seq_)?pt';
DROP OWNED BY regress_pt_editor, regress_pt_viewer;
DROP ROLE regress_pt_editor, regress_pt_viewer;
RESET sigma.user_email;
