-- handle_data_entry with _if_edit: a row is written only if the edit that it names wrote it last
CREATE FUNCTION pg_temp.enter(id text, rows jsonb, mode text DEFAULT 'partial') RETURNS TABLE (updated text, deleted text, rejected text, rule text, message text, value text) LANGUAGE sql AS $$
    SELECT r ->> 'updated', r ->> 'deleted', r ->> 'rejected', r #>> '{errors,0,rule}', r #>> '{errors,0,message}', r #>> '{errors,0,value}'
    FROM sigma.handle_data_entry(id, rows, mode) AS r
$$;
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, regexp_replace(detail, '"\d+"', '"N"', 'g'), hint);
END
$$;
SELECT sigma.create_input_table('{"id": "ee", "columns": [{"name": "a", "type": "text"}, {"name": "n", "type": "integer", "validation": {"max": 1000}}]}');
SELECT r ->> 'edit_num' AS made FROM sigma.handle_data_entry('ee', '[{"a": "x", "n": 1}, {"a": "y", "n": 2}, {"a": "z", "n": 3}]') AS r \gset
-- the edit that made the row; its number afterwards is that of the call
SELECT r ->> 'updated' AS updated, r ->> 'edit_num' AS first FROM sigma.handle_data_entry('ee', jsonb_build_object('sigma_row_id', 1, 'n', 10, '_if_edit', :made)) AS r \gset
SELECT :'updated' AS updated, :first > :made AS later;
-- a stale row is rejected and told the current number; the others go on
SELECT updated, rejected, rule, message, value = :'first' AS current
FROM pg_temp.enter('ee', jsonb_build_array(jsonb_build_object('sigma_row_id', 1, 'n', 11, '_if_edit', :made), jsonb_build_object('sigma_row_id', 2, 'n', 20, '_if_edit', :made)));
SELECT deleted, rejected, rule, value = :'made' AS current FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 3, '_delete', true, '_if_edit', 0));
SELECT sigma_row_id, n FROM sigds.sigds_ee ORDER BY 1;
SELECT pg_temp.failure(format($$SELECT sigma.handle_data_entry('ee', '[{"sigma_row_id": 1, "n": 12, "_if_edit": %s}, {"sigma_row_id": 2, "n": 21}]')$$, :made));
-- other tables' edits, numbers that are not there yet, and edits of other rows are not the row's
SELECT rejected, rule FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 3, 'n', 30, '_if_edit', :first));
SELECT rejected, rule FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 3, 'n', 30, '_if_edit', 9223372036854775807));
SELECT rejected, rule FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 3, 'n', 30, '_if_edit', -1));
-- a row that is not there is that; a broken rule is that
SELECT rejected, rule FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 99, 'n', 30, '_if_edit', :first));
SELECT rejected, rule, value FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 1, 'n', 3000, '_if_edit', :first));
-- both conditions must hold
SELECT to_json(sigma_updated_at) #>> '{}' AS stamp FROM sigds.sigds_ee WHERE sigma_row_id = 1 \gset
SELECT rejected, rule FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 1, 'n', 13, '_if_edit', :made, '_if_updated_at', :'stamp'));
SELECT rejected, rule FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 1, 'n', 13, '_if_edit', :first, '_if_updated_at', '2020-01-01'));
SELECT updated FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 1, 'n', 13, '_if_edit', :first, '_if_updated_at', :'stamp'));
-- every way of writing counts: plain SQL, a trigger, undo, an update that changes nothing
SELECT max(edit_num) AS last FROM sigma.history('ee', 3) \gset
UPDATE sigds.sigds_ee SET n = n WHERE sigma_row_id = 3;
SELECT rejected, rule FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 3, 'n', 31, '_if_edit', :last));
SELECT edit_num AS last FROM sigds.sigds_wal_ee ORDER BY 1 DESC LIMIT 1 \gset
SELECT updated FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 3, 'n', 31, '_if_edit', :last));
SELECT edit_num AS last FROM sigds.sigds_wal_ee ORDER BY 1 DESC LIMIT 1 \gset
SELECT sigma.undo('ee') ->> 'rows' AS undone;
SELECT rejected, rule FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 3, 'n', 32, '_if_edit', :last));
-- one number stands for all entries of a statement: rows of its first thousand and of its last one
SELECT r ->> 'edit_num' AS bulk FROM sigma.handle_data_entry('ee', (SELECT jsonb_agg(jsonb_build_object('n', g)) FROM generate_series(1, 1000) g) || (SELECT jsonb_agg(jsonb_build_object('n', 7)) FROM generate_series(1, 1500) g)) AS r \gset
SELECT min(sigma_row_id) AS oldest, max(sigma_row_id) AS newest FROM sigds.sigds_ee WHERE sigma_row_id > 3 \gset
SELECT count(DISTINCT edit_num) AS entries FROM sigds.sigds_wal_ee WHERE statement = (SELECT statement FROM sigds.sigds_wal_ee WHERE edit_num = :bulk);
SELECT updated, rejected FROM pg_temp.enter('ee', jsonb_build_array(jsonb_build_object('sigma_row_id', :oldest, 'n', 0, '_if_edit', :bulk), jsonb_build_object('sigma_row_id', :newest, 'n', 0, '_if_edit', :bulk)));
-- after the log was compacted the row's number is the checkpoint's
SELECT sigma.compact_log('ee', '0') ->> 'checkpoint_edit' AS checkpoint \gset
SELECT rejected, rule, value::bigint <= :checkpoint AS current FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 1, 'n', 14, '_if_edit', :first));
SELECT updated FROM pg_temp.enter('ee', jsonb_build_object('sigma_row_id', 1, 'n', 14, '_if_edit', :checkpoint));
-- a checkpoint of several entries has numbers that were those of edits; they are not taken for these
SELECT sigma.create_input_table('{"id": "ee_long", "columns": [{"name": "n", "type": "integer"}]}');
INSERT INTO sigds.sigds_ee_long SELECT g FROM generate_series(1, 2001) AS g;
SELECT r ->> 'edit_num' AS seen FROM sigma.handle_data_entry('ee_long', '{"sigma_row_id": 1, "n": -1}') AS r \gset
SELECT updated FROM pg_temp.enter('ee_long', jsonb_build_object('sigma_row_id', 1, 'n', -2, '_if_edit', :seen));
SELECT sigma.compact_log('ee_long', '0') ->> 'checkpoint_edit' AS long_checkpoint \gset
SELECT count(*) AS entries, bool_or(edit_num = :seen) AS taken FROM sigds.sigds_wal_ee_long;
SELECT rejected, rule, value::bigint = :long_checkpoint AS current FROM pg_temp.enter('ee_long', jsonb_build_object('sigma_row_id', 1, 'n', -3, '_if_edit', :seen));
SELECT updated FROM pg_temp.enter('ee_long', jsonb_build_array(jsonb_build_object('sigma_row_id', 1, 'n', -3, '_if_edit', :long_checkpoint), jsonb_build_object('sigma_row_id', 2001, 'n', -3, '_if_edit', :long_checkpoint)));
SELECT sigma.delete_input_table('ee_long', purge => true);
-- validate_data says the same, and writes nothing
SELECT "row", rule FROM sigma.validate_data('ee', jsonb_build_array(jsonb_build_object('sigma_row_id', 1, 'n', 15, '_if_edit', :checkpoint), jsonb_build_object('sigma_row_id', 2, 'n', 15, '_if_edit', :checkpoint)));

-- what is refused
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('ee', '[{"n": 1, "_if_edit": 4}]')$$);
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('ee', '[{"sigma_row_id": 1, "_if_edit": null}]', 'partial')$$);
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('ee', '[{"sigma_row_id": 1, "_if_edit": "last"}]')$$);
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('ee', '[{"sigma_row_id": 1, "_if_edit": 1.5}]')$$);
SELECT sigma.update_input_table('ee', '{"governance_config": {"audit": false}}') -> 'changed' AS changed;
SELECT pg_temp.failure($$SELECT sigma.handle_data_entry('ee', '[{"sigma_row_id": 1, "_if_edit": 1}]')$$);

-- rows of a linked table: the entry's edits; what nothing was entered for is stale
CREATE TABLE public.ee_source (id int PRIMARY KEY);
INSERT INTO ee_source SELECT generate_series(1, 3);
SELECT sigma.create_input_table('{"id": "ee_linked", "type": "linked", "source": "public.ee_source", "key_columns": ["id"], "columns": [{"name": "A", "type": "number"}]}');
SELECT sigma.handle_data_entry('ee_linked', '{"id": 1, "A": 5}') ->> 'edit_num' AS made \gset
SELECT updated, rejected, rule, message FROM pg_temp.enter('ee_linked', jsonb_build_array(jsonb_build_object('id', 1, 'A', 6, '_if_edit', :made), jsonb_build_object('id', 2, 'A', 6, '_if_edit', :made)));
SELECT updated, rejected, rule FROM pg_temp.enter('ee_linked', jsonb_build_object('id', 1, 'A', 7, '_if_edit', :made));
SELECT id, "A" FROM sigds.sigds_ee_linked ORDER BY id;
SELECT sigma.delete_input_table(id, purge => true) FROM unnest(ARRAY['ee', 'ee_linked']) AS id;
DROP TABLE ee_source;
