-- The past of a table with a row filter: who sees which images of which rows
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE ROLE regress_past_editor;
CREATE ROLE regress_past_columns;
SELECT sigma.create_input_table('{"id": "pr", "columns": [{"name": "Owner", "type": "text"}, {"name": "n", "type": "integer"}, {"name": "Old", "type": "text"}],
    "governance_config": {"editors": ["regress_past_editor"], "row_filter": "[Owner] = CurrentUserEmail()"}}');
GRANT USAGE ON SCHEMA sigma, sigds TO regress_past_columns;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sigma TO regress_past_columns;
GRANT SELECT ("Owner", sigma_row_id) ON sigds.sigds_pr TO regress_past_columns;
INSERT INTO sigds.sigds_pr ("Owner", n) VALUES ('ann', 1), ('bob', 2), ('ann', 3), (NULL, 4);
SELECT max(edit_num) AS made, clock_timestamp() AS then FROM sigds.sigds_wal_pr \gset
UPDATE sigds.sigds_pr SET n = n * 10;
UPDATE sigds.sigds_pr SET "Owner" = 'bob', n = 31 WHERE sigma_row_id = 3;
UPDATE sigds.sigds_pr SET n = 32 WHERE sigma_row_id = 3;
UPDATE sigds.sigds_pr SET "Owner" = 'ann' WHERE sigma_row_id = 4;
DELETE FROM sigds.sigds_pr WHERE sigma_row_id = 2;
SET ROLE regress_past_editor;
-- an image is seen by who could have seen it in the table: ann what was hers, while it was
SET sigma.user_email = 'ann';
SELECT 'then' AS "when", row ->> 'sigma_row_id' AS id, row ->> 'Owner' AS owner, row ->> 'n' AS n FROM sigma.as_of('pr', :'then') AS row;
SELECT sigma_row_id, "Owner", n FROM sigma.as_of(NULL::sigds.sigds_pr, :'then');
SELECT row ->> 'sigma_row_id' AS id, row ->> 'n' AS n FROM sigma.as_of_edit('pr', :made) AS row;
SELECT count(*) FROM (SELECT sigma.as_of('pr', now()) EXCEPT SELECT to_jsonb(t) FROM sigds.sigds_pr t) AS d;
SELECT count(*) FROM (SELECT to_jsonb(t) FROM sigds.sigds_pr t EXCEPT SELECT sigma.as_of('pr', now())) AS d;
SELECT row_id, operation, "column", old, new FROM sigma.history('pr') WHERE row_id IS NOT NULL;
SELECT operation, "column", old, new FROM sigma.history('pr', 3);
SELECT count(*) FROM sigma.history('pr', 2);
SELECT row_id, operation, "column", old, new FROM sigma.diff('pr', :made);
-- bob what became his
SET sigma.user_email = 'bob';
SELECT row ->> 'sigma_row_id' AS id, row ->> 'n' AS n FROM sigma.as_of('pr', :'then') AS row;
SELECT row_id, operation, "column", old, new FROM sigma.history('pr') WHERE row_id IS NOT NULL;
SELECT row_id, operation, "column", old, new FROM sigma.diff('pr', :made);
SET sigma.user_email = 'eve';
SELECT count(*) FROM sigma.as_of('pr', :'then');
SELECT count(*) FROM sigma.history('pr') WHERE row_id IS NOT NULL;
SELECT count(*) FROM sigma.diff('pr', :made);
-- columns by right, rows by filter
SET ROLE regress_past_columns;
SET sigma.user_email = 'bob';
SELECT row FROM sigma.as_of('pr', :'then') AS row;
SELECT row_id, operation, "column", old, new FROM sigma.history('pr') WHERE row_id IS NOT NULL;
RESET ROLE;
-- the filter of today asks for a column that rows did not have, and for one of another type
SET sigma.user_email = 'builder';
SELECT sigma.add_column('pr', '{"name": "Open", "type": "checkbox", "default_value": true}') IS NOT NULL AS added;
SELECT sigma.alter_column('pr', 'n', '{"type": "text"}') IS NOT NULL AS retyped;
SELECT sigma.drop_column('pr', 'Old') AS dropped;
SELECT sigma.update_input_table('pr', '{"governance_config": {"editors": ["regress_past_editor"], "row_filter": "[Owner] = CurrentUserEmail() and ([Open] or [n] = \"3\")"}}') -> 'changed' AS changed;
SET ROLE regress_past_editor;
SET sigma.user_email = 'ann';
SELECT row ->> 'sigma_row_id' AS id, row ->> 'n' AS n, row ? 'Old' AS old FROM sigma.as_of('pr', :'then') AS row;
SELECT sigma_row_id, n, "Open" FROM sigma.as_of(NULL::sigds.sigds_pr, :'then');
SELECT row ->> 'sigma_row_id' AS id, row ->> 'n' AS n FROM sigma.as_of('pr', clock_timestamp()) AS row;
SELECT count(*) FROM sigma.history('pr', 3);
RESET ROLE;
-- row_edit alone hides nothing; other policies hide everything; so does row security without a policy
SELECT sigma.update_input_table('pr', '{"governance_config": {"editors": ["regress_past_editor"], "row_edit": "[Owner] = CurrentUserEmail()"}}') -> 'changed' AS changed;
SET ROLE regress_past_editor;
SELECT count(*) FROM sigma.as_of('pr', :'then');
RESET ROLE;
CREATE POLICY other ON sigds.sigds_pr AS RESTRICTIVE USING (false);
SET ROLE regress_past_editor;
SELECT pg_temp.failure('SELECT sigma.as_of(''pr'', now())');
SELECT pg_temp.failure('SELECT sigma.history(''pr'')');
SELECT pg_temp.failure('SELECT sigma.diff(''pr'', 1)');
RESET ROLE;
DROP POLICY other ON sigds.sigds_pr;
-- conflicts name no row that he cannot find, hidden or gone, and count none; those that he sees are named
RESET sigma.user_email;
SELECT sigma.update_input_table('pr', '{"governance_config": {"editors": ["regress_past_editor"], "row_filter": "[Owner] = \"ann\""}}') -> 'changed' AS changed;
DELETE FROM sigds.sigds_pr;
INSERT INTO sigds.sigds_pr ("Owner", n) VALUES ('ann', 'a'), ('bob', 'b'), ('bob', 'c');
SELECT max(edit_num) AS base FROM sigds.sigds_wal_pr \gset
SET sigma.user_email = 'boss';
UPDATE sigds.sigds_pr SET n = n || '1';
RESET sigma.user_email;
UPDATE sigds.sigds_pr SET n = 'later' WHERE "Owner" = 'ann';
DELETE FROM sigds.sigds_pr WHERE n = 'c1';
SELECT sigma_row_id AS anns FROM sigds.sigds_pr WHERE "Owner" = 'ann' \gset
SET ROLE regress_past_editor;
SELECT sigma.restore('pr', :base) -> 'conflicts' AS conflicts;
SET sigma.user_email = 'boss';
SELECT replace(sigma.undo('pr') ->> 'conflicts', :'anns', 'ann''s') AS conflicts;
RESET ROLE;
RESET sigma.user_email;
DROP OWNED BY regress_past_editor, regress_past_columns;
SELECT sigma.delete_input_table('pr', purge => true);

-- history by key: rows of linked tables, whoever was entered for the key when
CREATE TABLE public.pr_source (a int, b uuid, PRIMARY KEY (a, b));
INSERT INTO pr_source SELECT g, md5(g::text)::uuid FROM generate_series(1, 3) g;
SELECT sigma.create_input_table('{"id": "pr_linked", "type": "linked", "source": "public.pr_source", "key_columns": ["a", "b"], "columns": [{"name": "Note", "type": "text"}]}');
UPDATE sigds.sigds_pr_linked SET "Note" = 'first' WHERE a < 3;
UPDATE sigds.sigds_pr_linked SET "Note" = 'second' WHERE a = 1;
SELECT max(edit_num) AS middle FROM sigds.sigds_wal_pr_linked \gset
SELECT sigma.undo('pr_linked', 2) ->> 'rows' AS undone;
UPDATE sigds.sigds_pr_linked SET "Note" = 'again' WHERE a = 1;
SELECT row_id, key, operation, "column", new FROM sigma.history('pr_linked', key => jsonb_build_object('a', 1, 'b', upper(md5('1')))) WHERE "column" IS DISTINCT FROM 'a' AND "column" IS DISTINCT FROM 'b';
SELECT count(*) FROM sigma.history('pr_linked', 1, jsonb_build_object('a', 2, 'b', md5('2')));
SELECT count(*) FROM sigma.history('pr_linked', key => jsonb_build_object('a', 3, 'b', md5('3')));
SELECT DISTINCT row_id, key ->> 'a' AS a FROM sigma.history('pr_linked') WHERE row_id IS NOT NULL ORDER BY 1;
SELECT row_id, key ->> 'a' AS a, operation FROM sigma.diff('pr_linked', :middle) WHERE "column" = 'Note';
-- after its row is gone from the source
DELETE FROM pr_source WHERE a = 1;
SELECT count(*) > 5 AS found FROM sigma.history('pr_linked', key => jsonb_build_object('a', 1, 'b', md5('1')::uuid));
DROP TABLE pr_source CASCADE;
SELECT count(*) > 5 AS found FROM sigma.history('pr_linked', key => jsonb_build_object('a', 1, 'b', md5('1')::uuid));
SELECT pg_temp.failure($$SELECT sigma.history('pr_linked', key => '{"a": 1}')$$);
SELECT pg_temp.failure($$SELECT sigma.history('pr_linked', key => '{"a": 1, "b": "7c4a8d09-ca37-62af-61e5-9520943dc264", "Note": "x"}')$$);
SELECT pg_temp.failure($$SELECT sigma.history('pr_linked', key => '{"a": "x", "b": "7c4a8d09-ca37-62af-61e5-9520943dc264"}')$$);
SELECT pg_temp.failure($$SELECT sigma.history('pr_linked', key => '[1]')$$);
SELECT sigma.delete_input_table('pr_linked', purge => true);
-- of other tables: the row that has the unique values now
SELECT sigma.create_input_table('{"id": "pr_keyed", "columns": [{"name": "code", "type": "text", "unique": "ignore_case"}, {"name": "d", "type": "date"}, {"name": "n", "type": "integer"}], "row_rules": [{"unique": ["d", "n"]}]}');
INSERT INTO sigds.sigds_pr_keyed (code, d, n) VALUES ('A', '2024-01-01', 1), ('B', '2024-01-01', 2);
UPDATE sigds.sigds_pr_keyed SET code = 'C' WHERE code = 'A';
SELECT row_id, key, operation, "column", new FROM sigma.history('pr_keyed', key => '{"code": "c"}');
SELECT count(*) FROM sigma.history('pr_keyed', key => '{"code": "A"}');
SELECT DISTINCT row_id FROM sigma.history('pr_keyed', key => '{"n": 2, "d": "2024-01-01"}');
SELECT count(*) FROM sigma.history('pr_keyed', key => '{"n": null, "d": "2024-01-01"}');
SELECT pg_temp.failure($$SELECT sigma.history('pr_keyed', key => '{"n": 2}')$$);
SELECT pg_temp.failure($$SELECT sigma.history('pr_keyed', key => '{"n": "two", "d": "2024-01-01"}')$$);
SELECT pg_temp.failure($$SELECT sigma.history('pr_keyed', key => '{"nowhere": 2}')$$);
GRANT USAGE ON SCHEMA sigma, sigds TO regress_past_columns;
GRANT EXECUTE ON FUNCTION sigma.history TO regress_past_columns;
GRANT SELECT (n, sigma_row_id) ON sigds.sigds_pr_keyed TO regress_past_columns;
SET ROLE regress_past_columns;
SELECT pg_temp.failure($$SELECT sigma.history('pr_keyed', key => '{"code": "c"}')$$);
RESET ROLE;
DROP OWNED BY regress_past_columns;
DROP ROLE regress_past_editor, regress_past_columns;
SELECT sigma.delete_input_table('pr_keyed', purge => true);

-- more rows than work_mem holds: the same, on disk
SELECT sigma.create_input_table('{"id": "pr_large", "columns": [{"name": "t", "type": "text"}, {"name": "n", "type": "integer"}]}');
INSERT INTO sigds.sigds_pr_large (t, n) SELECT repeat('x', g % 50), g FROM generate_series(1, 20000) g;
UPDATE sigds.sigds_pr_large SET n = -n WHERE n % 3 = 0;
CREATE TEMP TABLE before AS SELECT to_jsonb(r) AS row FROM sigds.sigds_pr_large r;
SELECT max(edit_num) AS before, clock_timestamp() AS then FROM sigds.sigds_wal_pr_large \gset
UPDATE sigds.sigds_pr_large SET n = 0 WHERE n % 100 = 0;
DELETE FROM sigds.sigds_pr_large WHERE n % 7 = 0;
INSERT INTO sigds.sigds_pr_large (t) SELECT 'new' FROM generate_series(1, 100);
CREATE TEMP VIEW differs AS SELECT (SELECT count(*) FROM ((SELECT sigma.as_of_edit('pr_large', current_setting('past.made')::bigint) EXCEPT SELECT row FROM before) UNION ALL (SELECT row FROM before EXCEPT SELECT sigma.as_of('pr_large', current_setting('past.then')::timestamptz))) AS d) AS rows,
    (SELECT count(*) FROM sigma.as_of_edit('pr_large', current_setting('past.made')::bigint)) AS count,
    (SELECT bool_and(id > before) FROM (SELECT id, lag(id, 1, 0::bigint) OVER () AS before FROM (SELECT (row ->> 'sigma_row_id')::bigint AS id FROM sigma.as_of_edit('pr_large', current_setting('past.made')::bigint) AS row) AS i) AS o) AS in_order,
    sigma.rebuild('pr_large', true) - 'edits' AS rebuilt;
SELECT set_config('past.then', :'then', false) IS NOT NULL AS set, set_config('past.made', :'before', false) IS NOT NULL AS set;
SELECT * FROM differs;
SET work_mem = '64kB';
SELECT * FROM differs;
-- after a change of the columns all of it comes from the log
SELECT sigma.rename_column('pr_large', 'n', 'm') AS renamed;
SELECT * FROM differs;
SELECT sigma.undo('pr_large') ->> 'columns' AS undone;
SELECT sigma.compact_log('pr_large', clock_timestamp() - :'then'::timestamptz) ->> 'removed' AS removed;
SELECT rebuilt FROM differs;
RESET work_mem;
SELECT rebuilt FROM differs;
DROP VIEW differs;
SELECT sigma.delete_input_table('pr_large', purge => true);
