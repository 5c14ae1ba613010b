-- Computed columns of linked tables, and who sees and edits which of their rows
-- (https://help.sigmacomputing.com/docs/create-new-input-tables: calculations beside linked columns)
\set VERBOSITY terse
\pset null '·'
\getenv test PG_ABS_SRCDIR
\set include :test '/include/failure.sql'
\i :include
CREATE TABLE public.lf_sales (id int PRIMARY KEY, region text, rev numeric);
INSERT INTO lf_sales SELECT g, (ARRAY['East', 'West'])[g % 2 + 1], g * 10 FROM generate_series(1, 6) g;
SELECT sigma.create_input_table('{"id": "lf_rates", "name": "lf Rates", "data_entry_permission": "published", "columns": [{"name": "Region", "type": "text"}, {"name": "Rate", "type": "number"}, {"name": "Twice", "type": "number", "formula": "[Rate] * 2"}]}');
INSERT INTO sigds.sigds_lf_rates ("Region", "Rate") VALUES ('East', 0.1), ('West', 0.2);
SELECT sigma.create_input_table('{"id": "lf", "name": "lf Plan", "type": "linked", "source": "public.lf_sales", "key_columns": ["id"], "linked_columns": ["region", {"column": "rev", "name": "Revenue"}],
    "columns": [{"name": "Target", "type": "number"}, {"name": "Gap", "type": "number", "formula": "[Target] - [Revenue]"}, {"name": "Note", "type": "text"},
        {"name": "Rate", "type": "number", "formula": "Lookup([lf Rates/Rate], [region], [lf Rates/Region])"}, {"name": "Twice", "type": "number", "formula": "Lookup([lf Rates/Twice], [region], [lf Rates/Region])"},
        {"name": "No", "type": "integer", "formula": "RowNumber()"}, {"name": "After", "type": "integer", "formula": "[No] + 1"}, {"name": "Total", "type": "number", "formula": "Sum([lf Plan/Target])"}]}');
SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'sigma_views."lf Plan"'::regclass;
SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'sigds.sigds_lf'::regclass;
UPDATE sigds.sigds_lf SET "Target" = 50 WHERE id IN (2, 3);
SELECT id, "Gap", "Rate", "Twice", "No", "After", "Total" FROM sigma_views."lf Plan" ORDER BY id;
SELECT sigma.publish('lf')->'inserted' AS inserted;
UPDATE sigds.sigds_lf SET "Target" = 70 WHERE id = 2;        -- a draft: not in the view
SELECT id, region, "Target", "Gap", "Rate", "Twice", "No", "After", "Total" FROM sigma_views."lf Plan" ORDER BY id;
SELECT sigma.eval('Sum([lf Plan/Gap])');
-- what is wrong with a formula, where it stands
SELECT pg_temp.failure($$SELECT sigma.add_column('lf', '{"name": "Bad", "type": "number", "formula": "[Revenu]"}')$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('lf', '{"name": "Bad", "type": "number", "formula": "[region]"}')$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('lf', '{"name": "Bad", "type": "number", "formula": "[Bad] + 1"}')$$);
SELECT pg_temp.failure($$SELECT sigma.add_column('lf', '{"name": "Revenue", "type": "number", "formula": "1"}')$$);
SELECT pg_temp.failure($$UPDATE sigds.sigds_lf SET "Gap" = 1$$);
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('lf', '{"id": 1, "Gap": 1}')$$);
-- names follow: its own columns, linked ones, other tables, itself
SELECT sigma.update_input_table('lf', '{"name": "lf Goals", "linked_columns": ["region", {"column": "rev", "name": "Turnover"}], "columns": [{"name": "Goal", "renamed_from": "Target"}, {"name": "Gap"}, {"name": "Note"}, {"name": "Rate"}, {"name": "Twice"}, {"name": "No"}, {"name": "After"}, {"name": "Total"}]}')->'renamed' AS renamed;
SELECT sigma.update_input_table('lf_rates', '{"name": "lf Ratios", "columns": [{"name": "Zone", "renamed_from": "Region"}, {"name": "Rate"}, {"name": "Twice"}]}')->'renamed' AS renamed;
SELECT c->>'name' AS name, c->>'formula' AS formula FROM sigma.sigma_input_tables, jsonb_array_elements(columns) AS c WHERE id = 'lf' AND c ? 'formula';
SELECT id, "Turnover", "Goal", "Gap", "Rate", "Twice", "Total" FROM sigma_views."lf Goals" WHERE id < 4 ORDER BY id;
SELECT pg_temp.failure($$SELECT sigma.drop_column('lf_rates', 'Twice')$$);
SELECT sigma.drop_column('lf_rates', 'Twice', true);
SELECT id, "Rate", "Twice" FROM sigma_views."lf Goals" WHERE id < 4 ORDER BY id;
SELECT col_description('sigma_views."lf Goals"'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'sigma_views."lf Goals"'::regclass AND attname = 'Twice';
SELECT s->'status' AS status, s->'details'->0->'drift' AS drift FROM sigma.sync_warehouse('lf') AS s;
SELECT sigma.add_column('lf_rates', '{"name": "Twice", "type": "number", "formula": "[Rate] * 2"}') IS NOT NULL AS added;
SELECT s->'status' AS status, s->'details'->0->'status' AS "table" FROM sigma.sync_warehouse('lf') AS s;
SELECT id, "Rate", "Twice" FROM sigma_views."lf Goals" WHERE id < 4 ORDER BY id;
-- the view reads as its reader, who needs rights on what formulas read: the view of another input table
CREATE ROLE regress_lf_editor;
CREATE ROLE regress_lf_viewer;
SELECT sigma.grant_access('regress_lf_viewer', 'viewer', 'lf');
GRANT SELECT ON lf_sales TO regress_lf_editor, regress_lf_viewer;
SET ROLE regress_lf_viewer;
SELECT pg_temp.failure('SELECT * FROM sigma_views."lf Goals"');
RESET ROLE;
GRANT SELECT ON sigma_views."lf Ratios" TO regress_lf_viewer;
SET ROLE regress_lf_viewer;
SELECT sum("Twice") FROM sigma_views."lf Goals";
RESET ROLE;
-- two linked tables that read each other
SELECT sigma.create_input_table('{"id": "lf_2", "type": "linked", "source": "lf", "key_columns": ["id"], "columns": [{"name": "Two", "type": "text"}]}');
SELECT pg_temp.failure($$SELECT sigma.add_column('lf', '{"name": "Circle", "type": "number", "formula": "Count([lf_2/Two])"}')$$);
SELECT count(*) FROM sigma_views.lf_2;
SELECT sigma.delete_input_table('lf_2', true);
-- the other table goes: its columns are null, the rows stay
SELECT pg_temp.failure($$SELECT sigma.delete_input_table('lf_rates')$$);
SELECT sigma.delete_input_table('lf_rates', true, true);
SELECT id, "Goal", "Rate", "Twice" FROM sigma_views."lf Goals" WHERE id < 4 ORDER BY id;
SELECT sigma.update_input_table('lf', '{"columns": [{"name": "Goal"}, {"name": "Gap"}, {"name": "Note"}, {"name": "Rate", "drop": true}, {"name": "Twice", "drop": true}, {"name": "No", "drop": true}, {"name": "After", "drop": true}, {"name": "Total", "drop": true}]}')->'dropped' AS dropped;

-- rows: a filter over linked columns, edits as long as a computed one says so
SELECT sigma.update_input_table('lf', '{"name": "lf Plan", "columns": [{"name": "Target", "renamed_from": "Goal"}, {"name": "Gap"}, {"name": "Note"}],
    "governance_config": {"editors": ["regress_lf_editor"], "viewers": ["regress_lf_viewer"], "row_filter": "[region] = CurrentUserEmail()", "row_edit": "IsNull([Gap]) or [Gap] < 0"}}')->'changed' AS changed;
SET sigma.user_email = 'East';
UPDATE sigds.sigds_lf SET "Note" = 'all' WHERE id <> 4;      -- by a superuser
SELECT polname, polcmd FROM pg_policy WHERE polrelid = 'sigds.sigds_entry_lf'::regclass ORDER BY 1;
SELECT count(*) FROM sigds.sigds_entry_lf;
SELECT sigma.publish('lf')->'inserted' AS inserted;
SELECT count(*) FROM sigds.sigds_lf;                        -- whom row security does not apply to
SET ROLE regress_lf_editor;
SELECT id, "Target", "Note" FROM sigds.sigds_lf ORDER BY id;
SELECT id, "Target", "Note" FROM sigds.sigds_entry_lf ORDER BY id;
SELECT id, "Target", "Note" FROM sigds.sigds_shown_lf ORDER BY id;
SELECT id, "Target", "Note", "Gap" FROM sigma_views."lf Plan" ORDER BY id;
WITH mine AS (UPDATE sigds.sigds_lf SET "Note" = 'mine' RETURNING id, "Note") TABLE mine ORDER BY id;
UPDATE sigds.sigds_lf SET "Note" = 'not mine' WHERE id = 1;
SELECT pg_temp.failure('UPDATE sigds.sigds_lf SET "Target" = 1000 WHERE id = 6');
SELECT e->>'rule' AS rule, e->>'message' AS message FROM sigma.handle_data_entry('lf', '[{"id": 1, "Note": "x"}, {"id": 2, "Note": "x"}, {"id": 4, "Note": "entry"}]', 'partial') AS r, jsonb_array_elements(r->'errors') AS e;
SELECT split_part(pg_temp.failure($$SELECT sigma.handle_data_entry('lf', '{"id": 6, "Target": 1000}')$$), E'\n', 1) AS failure;
SELECT sigma.fill('lf', '{"match": {"id": {"op": "is_not_null"}}}', '{"Note": "filled"}') - 'edit_num' AS filled;
SELECT sigma.undo('lf') - 'edit_num' - 'undone' AS undone;
SELECT key, operation, new->'Note' AS note FROM sigma.publish_preview('lf');
SELECT count(*) FROM sigma.orphans('lf');
SELECT count(*) FROM sigma.flagged('lf');
SELECT key, count(*) > 0 AS edited FROM sigma.history('lf') GROUP BY 1 ORDER BY 1;
SELECT pg_temp.failure($$SELECT sigma.discard_draft('lf')$$);
SELECT pg_temp.failure($$SELECT sigma.update_input_table('lf', '{"governance_config": {}}')$$);
RESET ROLE;
-- as what somebody's operator or function sees
SET ROLE regress_lf_editor;
CREATE FUNCTION pg_temp.spy(int) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS $$BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END$$;
SELECT count(*) FROM sigds.sigds_lf WHERE pg_temp.spy(id);
SELECT count(*) FROM sigds.sigds_shown_lf WHERE pg_temp.spy(id::int);
SELECT count(*) FROM sigma_views."lf Plan" WHERE pg_temp.spy(id);
RESET ROLE;
SET ROLE regress_lf_viewer;
SELECT id, "Note" FROM sigma_views."lf Plan" ORDER BY id;
SET sigma.user_email = 'West';
SELECT id, "Note" FROM sigma_views."lf Plan" ORDER BY id;
RESET ROLE;
-- the source goes and comes back, and the filter with it; meanwhile nobody sees an entry
DROP TABLE lf_sales CASCADE;
SET ROLE regress_lf_editor;
SELECT count(*) FROM sigds.sigds_entry_lf;
RESET ROLE;
CREATE TABLE public.lf_sales (id int PRIMARY KEY, region text, rev numeric);
INSERT INTO lf_sales SELECT g, (ARRAY['East', 'West'])[g % 2 + 1], g * 10 FROM generate_series(1, 6) g;
GRANT SELECT ON lf_sales TO regress_lf_editor, regress_lf_viewer;
SELECT s->'details'->0->'status' AS status FROM sigma.sync_warehouse('lf') AS s;
SELECT sigma.grant_access('regress_lf_editor', 'editor', 'lf');
SET ROLE regress_lf_editor;
SELECT id, "Note" FROM sigds.sigds_lf ORDER BY id;
SELECT id, "Note" FROM sigds.sigds_entry_lf ORDER BY id;
RESET ROLE;
-- a filter that reads what is entered: a row that nothing was entered for is nobody's
SELECT sigma.update_input_table('lf', '{"governance_config": {"editors": ["regress_lf_editor"], "row_filter": "Coalesce([Note], \"West\") = CurrentUserEmail()"}}')->'changed' AS changed;
UPDATE sigds.sigds_lf SET "Note" = CASE WHEN id = 1 THEN 'West' ELSE 'East' END WHERE id < 4;
SHOW sigma.user_email;
SET ROLE regress_lf_editor;
SELECT id, "Note" FROM sigds.sigds_lf ORDER BY id;
SELECT id, "Note" FROM sigds.sigds_entry_lf ORDER BY id;
SELECT pg_temp.failure($$UPDATE sigds.sigds_lf SET "Note" = 'East' WHERE id = 1$$);
UPDATE sigds.sigds_lf SET "Target" = 11 WHERE id IN (1, 2);
SELECT id, "Target", "Note" FROM sigds.sigds_lf ORDER BY id;
RESET ROLE;
-- one key is found by its index, under row security too
INSERT INTO lf_sales SELECT g, 'West', g FROM generate_series(1000, 20000) g;
UPDATE sigds.sigds_lf SET "Note" = 'West' WHERE id >= 1000;
ANALYZE lf_sales, sigds.sigds_entry_lf;
SELECT sigma.update_input_table('lf', '{"data_entry_permission": "published"}')->'changed' AS changed;
SET ROLE regress_lf_editor;
CREATE FUNCTION pg_temp.scans(statement text) RETURNS bigint LANGUAGE plpgsql AS
    $$DECLARE plan jsonb; BEGIN EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan;
    RETURN (SELECT count(*) FROM jsonb_path_query(plan, 'strict $.**?(@."Node Type" == "Seq Scan")')); END$$;
SELECT pg_temp.scans('SELECT * FROM sigds.sigds_lf WHERE id = 3') AS edited, pg_temp.scans('SELECT * FROM sigma_views."lf Plan" WHERE id = 3') AS shown, pg_temp.scans('UPDATE sigds.sigds_lf SET "Target" = 1 WHERE id = 3') AS updated;
RESET ROLE;
-- without a filter all is as before
SELECT sigma.update_input_table('lf', '{"governance_config": {"editors": ["regress_lf_editor"]}}')->'changed' AS changed;
SELECT relrowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) AS policies FROM pg_class AS c WHERE oid = 'sigds.sigds_entry_lf'::regclass;
SET ROLE regress_lf_editor;
SELECT count(*) FROM sigds.sigds_lf WHERE id < 1000;
RESET ROLE;
SELECT sigma.delete_input_table('lf', true);
DROP TABLE lf_sales;
DROP OWNED BY regress_lf_editor, regress_lf_viewer;
DROP ROLE regress_lf_editor, regress_lf_viewer;
RESET sigma.user_email;
