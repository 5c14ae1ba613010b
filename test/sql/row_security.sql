-- row_filter and row_edit: who sees and who changes which rows, on every path.
SET client_min_messages = warning;
CREATE ROLE regress_rows_e;
CREATE ROLE regress_rows_v;
CREATE ROLE regress_rows_b;
RESET client_min_messages;
CREATE FUNCTION pg_temp.entered(r jsonb) RETURNS TABLE (accepted text, errors jsonb) LANGUAGE sql AS $$
    SELECT r ->> 'accepted', (SELECT jsonb_agg(jsonb_build_array(coalesce(e -> 'line', e -> 'row'), e -> 'column', e -> 'rule', e -> 'message')) FROM jsonb_array_elements(r -> 'errors') AS e)
$$;
SELECT sigma.create_input_table('{"id": "rows", "name": "Rows", "data_entry_permission": "published",
    "columns": [{"name": "Owner", "type": "text"}, {"name": "Region", "type": "text"}, {"name": "Amount", "type": "number"}, {"name": "Code", "type": "text", "unique": true}],
    "governance_config": {"editors": ["regress_rows_e"], "viewers": ["regress_rows_v"],
        "row_filter": "[Region] = \"EU\" Or [Owner] = CurrentUserEmail()", "row_edit": "[Owner] = CurrentUserEmail()"}}');
-- the owner sees and makes all
INSERT INTO sigds.sigds_rows VALUES ('ann', 'EU', 1, 'a'), ('bob', 'EU', 2, 'b'), ('ann', 'US', 3, 'c'), ('bob', 'US', 4, 'd'), (NULL, NULL, 5, 'e');
SELECT polname, polcmd, pg_get_expr(polqual, polrelid) AS uses, pg_get_expr(polwithcheck, polrelid) AS checks
FROM pg_policy WHERE polrelid = 'sigds.sigds_rows'::regclass ORDER BY polname COLLATE "C";

SET ROLE regress_rows_e;
SET sigma.user_email = 'ann';
SELECT "Owner", "Region", "Amount" FROM sigds.sigds_rows ORDER BY "Amount";
SELECT "Owner", "Region", "Amount" FROM sigma_views."Rows" ORDER BY "Amount";
-- what is not seen is not counted, and not changed; what is seen and not one's own neither
SELECT sigma.table_info('rows') -> 'row_count' AS rows, sigma.table_info('rows') -> 'flagged' AS flagged;
UPDATE sigds.sigds_rows SET "Amount" = "Amount" + 10;
UPDATE sigds.sigds_rows SET "Amount" = 99 WHERE "Owner" = 'bob';
DELETE FROM sigds.sigds_rows WHERE "Amount" < 5;
UPDATE sigds.sigds_rows SET "Owner" = 'bob' WHERE "Amount" = 11;
INSERT INTO sigds.sigds_rows VALUES ('bob', 'EU', 6, 'f');
INSERT INTO sigds.sigds_rows VALUES ('ann', 'US', 7, 'g') RETURNING "Amount";
INSERT INTO sigds.sigds_rows VALUES ('ann', 'US', 7, 'd');
INSERT INTO sigds.sigds_rows VALUES ('ann', 'US', 7, 'd') ON CONFLICT ("Code") DO UPDATE SET "Owner" = 'ann';
MERGE INTO sigds.sigds_rows AS r USING (VALUES ('d', 8)) AS v (code, amount) ON r."Code" = v.code
    WHEN MATCHED THEN UPDATE SET "Amount" = v.amount WHEN NOT MATCHED THEN INSERT ("Owner", "Amount", "Code") VALUES ('ann', v.amount, 'h');
MERGE INTO sigds.sigds_rows AS r USING (VALUES ('b', 8)) AS v (code, amount) ON r."Code" = v.code WHEN MATCHED THEN UPDATE SET "Amount" = v.amount;
\copy sigds.sigds_rows ("Owner", "Code") FROM '/dev/null'
-- the functions
SELECT sigma.handle_data_entry('rows', '[{"Owner": "ann", "Code": "i"}, {"Owner": "bob", "Code": "j"}]');
SELECT sigma.handle_data_entry('rows', '[{"Owner": "ann", "Code": "i"}]') ->> 'accepted';
-- in mode partial the rows that he may not make come back, and the others go in: inserts, updates, upserts, imports
BEGIN;
SELECT * FROM pg_temp.entered(sigma.handle_data_entry('rows', '[{"Owner": "bob", "Region": "EU", "Code": "p1"}, {"Owner": "ann", "Code": "p2"}, {"Owner": "bob", "Region": "US", "Code": "p3"}, {"Code": "p4"}, {"Owner": "ann", "Code": "b"}]', 'partial'));
SELECT * FROM pg_temp.entered(sigma.handle_data_entry('rows', (SELECT jsonb_agg(jsonb_build_object('sigma_row_id', sigma_row_id) || (CASE "Code" WHEN 'a' THEN '{"Owner": "bob"}' ELSE '{"Amount": 77}' END)::jsonb ORDER BY "Code") FROM sigds.sigds_rows WHERE "Code" IN ('a', 'c', 'p2')), 'sigma'));
SELECT * FROM pg_temp.entered(sigma.handle_data_entry('rows', '[{"Code": "p2", "Owner": "zoe"}, {"Code": "c", "Region": "Asia"}, {"Code": "p5", "Owner": "zoe"}]', 'partial', '{"key": "Code", "on_conflict": "update"}'));
SELECT * FROM pg_temp.entered(sigma.import_csv('rows', E'Owner,Code\nann,p6\nzoe,p7\nann,p8\n', '{"mode": "partial"}'));
SELECT "row", rule FROM sigma.validate_data('rows', '[{"Owner": "zoe", "Code": "p9"}, {"Owner": "ann", "Code": "p9"}]');
SELECT "Owner", "Region", "Amount", "Code" FROM sigds.sigds_rows WHERE "Code" LIKE 'p%' OR "Amount" = 77 ORDER BY "Code";
ROLLBACK;
\set VERBOSITY sqlstate
SELECT sigma.handle_data_entry('rows', '[{"Owner": "zoe", "Code": "p9"}]');
SELECT sigma.import_csv('rows', E'Owner,Code\nzoe,p7\n');
\set VERBOSITY default
SELECT sigma.handle_data_entry('rows', jsonb_build_array(jsonb_build_object('sigma_row_id', 4, 'Amount', 0)), 'partial') -> 'errors' -> 0 ->> 'message';
SELECT sigma.import_csv('rows', E'Owner,Code\nann,k\n') ->> 'accepted';
SELECT sigma.import_csv('rows', E'Owner,Code\nann,l\n', '{"replace": true}') ->> 'accepted';
RESET ROLE;
SELECT "Owner", "Region", "Amount", "Code" FROM sigds.sigds_rows ORDER BY "Code";

-- what is counted for who does not see all: his rows; of the log, where every edit counts, nothing
SELECT sigma.create_input_table('{"id": "rows_draft", "name": "Rows draft", "columns": [{"name": "Owner", "type": "text"}, {"name": "Amount", "type": "number"}],
    "governance_config": {"editors": ["regress_rows_e"], "row_filter": "[Owner] = CurrentUserEmail()"}}');
CREATE FUNCTION pg_temp.counts(info jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(k, CASE k WHEN 'last_edit' THEN to_jsonb(jsonb_typeof(info -> k)) ELSE info -> k END)
    FROM unnest(ARRAY['row_count', 'draft_rows', 'edits', 'last_edit']) AS k
$$;
INSERT INTO sigds.sigds_rows_draft VALUES ('ann', 1), ('bob', 2), ('bob', 3);
SELECT pg_temp.counts(sigma.table_info('rows_draft'));
SET ROLE regress_rows_e;
SELECT pg_temp.counts(sigma.table_info('rows_draft'));
-- he publishes all of it, and is told of his part
SELECT sigma.publish('rows_draft', 'first') - 'edit_num' AS published;
UPDATE sigds.sigds_rows_draft SET "Amount" = "Amount" + 10;
RESET ROLE;
SELECT edit #>> '{publish,inserted}' AS inserted FROM sigds.sigds_wal_rows_draft WHERE edit ? 'publish';
UPDATE sigds.sigds_rows_draft SET "Owner" = 'ann' WHERE "Amount" = 2;
DELETE FROM sigds.sigds_rows_draft WHERE "Amount" = 3;
INSERT INTO sigds.sigds_rows_draft VALUES ('cid', 4);
SELECT pg_temp.counts(sigma.table_info('rows_draft')) -> 'draft_rows' AS draft_rows;
-- who may not read what is published is not told even that
REVOKE SELECT ON sigma_views."Rows draft" FROM regress_rows_e;
SET ROLE regress_rows_e;
SELECT pg_temp.counts(sigma.table_info('rows_draft')) -> 'draft_rows' AS draft_rows;
RESET ROLE;
GRANT SELECT ON sigma_views."Rows draft" TO regress_rows_e;
SET ROLE regress_rows_e;
SELECT pg_temp.counts(sigma.table_info('rows_draft')) -> 'draft_rows' AS draft_rows;
SELECT operation, old, new FROM sigma.publish_preview('rows_draft');
SELECT sigma.publish('rows_draft') - 'edit_num' - 'from_edit' AS published;
RESET ROLE;
SELECT (edit -> 'publish') - 'through'::text - 'from'::text AS logged FROM sigds.sigds_wal_rows_draft WHERE edit ? 'publish' ORDER BY edit_num;
SELECT count(*) AS not_published FROM sigma.publish_preview('rows_draft');
SELECT sigma.delete_input_table('rows_draft', purge => true);

-- another user of the same role; a viewer; a function of his in WHERE sees no hidden row
SET ROLE regress_rows_v;
SET sigma.user_email = 'bob';
SELECT "Owner", "Region" FROM sigma_views."Rows" ORDER BY "Code";
CREATE FUNCTION pg_temp.spy(t text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'saw %', t; RETURN true; END $$;
SELECT count(*) FROM sigma_views."Rows" WHERE pg_temp.spy("Region");
SELECT * FROM sigds.sigds_rows;
RESET ROLE;
-- the log of a table with a row filter is not for its editors; of others it is
SELECT has_table_privilege('regress_rows_e', 'sigds.sigds_wal_rows', 'SELECT');
SELECT sigma.update_input_table('rows', '{"governance_config": {"editors": ["regress_rows_e"], "viewers": ["regress_rows_v"]}}') -> 'changed';
SELECT has_table_privilege('regress_rows_e', 'sigds.sigds_wal_rows', 'SELECT');
SELECT count(*) FROM pg_policy WHERE polrelid = 'sigds.sigds_rows'::regclass;
SELECT relrowsecurity FROM pg_class WHERE oid = 'sigds.sigds_rows'::regclass;
SET ROLE regress_rows_v;
SELECT count(*) FROM sigma_views."Rows";
RESET ROLE;

-- one alone
SELECT sigma.update_input_table('rows', '{"governance_config": {"editors": ["regress_rows_e"], "viewers": ["regress_rows_v"], "row_edit": "[Owner] = CurrentUserEmail()"}}') -> 'changed';
SET ROLE regress_rows_e;
SELECT count(*) FROM sigds.sigds_rows;
UPDATE sigds.sigds_rows SET "Amount" = 0;
RESET ROLE;
SELECT sigma.update_input_table('rows', '{"governance_config": {"editors": ["regress_rows_e"], "viewers": ["regress_rows_v"], "row_filter": "[Region] = \"US\""}}') -> 'changed';
SET ROLE regress_rows_e;
UPDATE sigds.sigds_rows SET "Amount" = -1;
UPDATE sigds.sigds_rows SET "Region" = 'EU';
INSERT INTO sigds.sigds_rows ("Region") VALUES ('EU');
INSERT INTO sigds.sigds_rows ("Region") VALUES ('US');
RESET ROLE;
SELECT "Region", "Amount" FROM sigds.sigds_rows ORDER BY 1, 2;

-- changes of columns that the filter reads: refused by name while it does, followed where it can be
SELECT sigma.drop_column('rows', 'Region');
SELECT sigma.alter_column('rows', 'Region', '{"type": "number"}');
SELECT sigma.alter_column('rows', 'Amount', '{"type": "text"}') -> 'retyped' -> 0 ->> 'column';
SELECT sigma.add_column('rows', '{"name": "Secret", "type": "checkbox"}') IS NOT NULL;
SELECT sigma.update_input_table('rows', '{"columns": [{"name": "Owner"}, {"name": "Area", "renamed_from": "Region"}, {"name": "Amount"}, {"name": "Code"}, {"name": "Secret"}],
    "governance_config": {"viewers": ["regress_rows_v"], "row_filter": "[Area] = \"US\" And IsNull([Secret])"}}') -> 'renamed';
SET ROLE regress_rows_v;
SELECT DISTINCT "Area" FROM sigma_views."Rows";
RESET ROLE;

-- a draft: the published rows are filtered by what was published
SELECT sigma.update_input_table('rows', '{"data_entry_permission": "draft"}') -> 'changed';
SELECT sigma.publish('rows') IS NOT NULL;
UPDATE sigds.sigds_rows SET "Area" = 'US' WHERE "Area" IS NULL;
SET ROLE regress_rows_v;
SELECT count(*) FROM sigma_views."Rows" WHERE "Area" = 'US';
RESET ROLE;
SELECT sigma.publish('rows') IS NOT NULL;
SET ROLE regress_rows_v;
SELECT count(*) FROM sigma_views."Rows" WHERE "Area" = 'US';
RESET ROLE;

-- a builder cannot lift a filter, nor get round it by making the table again
SELECT sigma.grant_access('regress_rows_b', 'builder'), sigma.grant_access('regress_rows_b', 'viewer', 'rows');
SET ROLE regress_rows_b;
SELECT sigma.update_input_table('rows', '{"governance_config": {"row_filter": "True"}}');
SELECT sigma.add_column('rows', '{"name": "Fake", "type": "text", "default_value": "US"}') IS NOT NULL;
-- a filter follows the column that it reads: another one of its name is not meant
SELECT sigma.update_input_table('rows', '{"columns": [{"name": "Owner"}, {"name": "Was", "renamed_from": "Area"}, {"name": "Amount"}, {"name": "Code"}, {"name": "Secret"}, {"name": "Area", "renamed_from": "Fake"}]}') -> 'renamed' AS renamed;
SELECT governance_config ->> 'row_filter' AS row_filter, governance_config ->> 'row_edit' AS row_edit FROM sigma.sigma_input_tables WHERE id = 'rows';
SELECT sigma.update_input_table('rows', '{"columns": [{"name": "Owner"}, {"name": "Area", "renamed_from": "Was"}, {"name": "Amount"}, {"name": "Code"}, {"name": "Secret"}, {"name": "Fake", "renamed_from": "Area"}]}') -> 'renamed' AS renamed;
SELECT sigma.alter_column('rows', 'Secret', '{"type": "number"}');
SELECT sigma.alter_column('rows', 'Amount', '{"type": "number"}') -> 'retyped' -> 0 ->> 'column';
SELECT sigma.alter_column('rows', 'Amount', '{"type": "text"}') -> 'retyped' -> 0 ->> 'column';
SELECT sigma.drop_column('rows', 'Fake');
SELECT sigma.delete_input_table('rows');
SELECT sigma.create_input_table('{"id": "rows", "name": "Rows", "columns": [{"name": "Owner", "type": "text"}, {"name": "Area", "type": "text"},
    {"name": "Amount", "type": "text"}, {"name": "Code", "type": "text"}, {"name": "Secret", "type": "checkbox"}], "data_entry_permission": "published"}');
RESET ROLE;
SELECT sigma.create_input_table('{"id": "rows", "name": "Rows", "columns": [{"name": "Owner", "type": "text"}, {"name": "Area", "type": "text"},
    {"name": "Amount", "type": "text"}, {"name": "Code", "type": "text"}, {"name": "Secret", "type": "checkbox"}], "governance_config": {"row_filter": "[Owner] = \"ann\""}}');
SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'sigds.sigds_rows'::regclass AND polcmd = 'r';

-- refusals: path and character
SELECT sigma.update_input_table('rows', '{"governance_config": {"row_filter": "[Nope] = 1"}}');
SELECT sigma.update_input_table('rows', '{"governance_config": {"row_edit": "[Owner] ="}}');
SELECT sigma.update_input_table('rows', '{"governance_config": {"row_filter": "[Owner]"}}');
SELECT sigma.update_input_table('rows', '{"governance_config": {"row_filter": "Sum([Amount]) > 1"}}');
SELECT sigma.update_input_table('rows', '{"governance_config": {"row_filter": "[rows/Owner] = \"x\""}}') -> 'changed';
SELECT sigma.update_input_table('rows', '{"governance_config": {"row_filter": "[Control/x] = \"x\""}}');
-- a function of somebody's cannot be smuggled in: it would run as whoever reads
CREATE SCHEMA regress_rows AUTHORIZATION regress_rows_b;
SET ROLE regress_rows_b;
CREATE FUNCTION regress_rows.trojan(t text) RETURNS bool LANGUAGE sql AS 'SELECT true';
RESET ROLE;
SELECT sigma.update_input_table('rows', '{"governance_config": {"row_filter": "CallLogical(\"regress_rows.trojan\", [Owner])"}}');

SELECT sigma.revoke_access('regress_rows_b');
SELECT sigma.delete_input_table('rows', true);
RESET sigma.user_email;
DROP FUNCTION pg_temp.spy;
DROP SCHEMA regress_rows CASCADE;
DROP ROLE regress_rows_e, regress_rows_v, regress_rows_b;
