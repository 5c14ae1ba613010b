-- who names an input table or a column: renames are followed, drops and retypes refused
\pset null '<null>'
\getenv test PG_ABS_SRCDIR
\set include :test '/include/failure.sql'
\i :include
SELECT sigma.create_input_table('{"id": "de_t", "columns": [{"name": "a", "type": "text", "unique": true}, {"name": "b", "type": "number"}, {"name": "free", "type": "text"}]}');
SELECT sigma.create_input_table('{"id": "de_other", "columns": [{"name": "a", "type": "text"}, {"name": "b", "type": "number"}]}');
SELECT sigma.create_action('{"id": "de_update", "type": "data_modification", "subtype": "update_rows", "target": "de_t",
    "parameters": {"values": {"a": "x", "b": 1}, "selector": {"match": {"a": "y"}}}}');
SELECT sigma.create_action('{"id": "de_elsewhere", "type": "data_modification", "subtype": "insert_row", "target": "de_other", "parameters": {"values": {"a": "x", "b": 1}}}');
SELECT sigma.create_action_sequence('{"id": "de_seq", "name": "S", "trigger": {"type": "manual"},
    "actions": ["de_update", {"type": "data_modification", "subtype": "upsert_row", "target": "de_t", "parameters": {"values": {"a": "x", "b": 2}, "key": ["a"]}}]}');
SELECT sigma.create_layout_element('{"id": "de_page", "type": "page"}');
SELECT sigma.create_layout_element('{"id": "de_element", "type": "input_table", "parent_id": "de_page", "source": "de_t", "columns": ["b", "a"]}');
CREATE TEMP TABLE de_stamps AS
    SELECT id, updated_at FROM sigma.sigma_actions WHERE id LIKE 'de\_%' UNION ALL
    SELECT id, updated_at FROM sigma.sigma_action_sequences WHERE id LIKE 'de\_%';

-- a rename is followed wherever the column of this table is named, and there alone
SELECT sigma.rename_column('de_t', 'a', 'Alpha');
SELECT id, parameters FROM sigma.sigma_actions WHERE id LIKE 'de\_%' ORDER BY id;
SELECT jsonb_path_query(actions, '$[*].parameters') FROM sigma.sigma_action_sequences WHERE id = 'de_seq';
SELECT config->'columns' FROM sigma.sigma_layout_elements WHERE id = 'de_element';
-- two that change places do so everywhere
SELECT sigma.update_input_table('de_t', '{"columns": [{"name": "b", "renamed_from": "Alpha"}, {"name": "Alpha", "renamed_from": "b"}, {"name": "free", "type": "text"}]}')
    - 'changed';
SELECT parameters FROM sigma.sigma_actions WHERE id = 'de_update';
SELECT config->'columns' FROM sigma.sigma_layout_elements WHERE id = 'de_element';
-- nobody edited those documents: their stamps stay
SELECT count(*) FROM (SELECT id, updated_at FROM sigma.sigma_actions UNION ALL SELECT id, updated_at FROM sigma.sigma_action_sequences
    INTERSECT SELECT * FROM de_stamps) same WHERE id LIKE 'de\_%';
-- and they work
INSERT INTO sigds.sigds_de_t (b, "Alpha") VALUES ('y', 7);
SELECT sigma.execute_sequence('de_seq', '{}')->>'status';
SELECT b, "Alpha" FROM sigds.sigds_de_t ORDER BY sigma_row_id;

-- drops and retypes name every user
SELECT pg_temp.failure($$SELECT sigma.drop_column('de_t', 'b')$$);
SELECT pg_temp.failure($$SELECT sigma.alter_column('de_t', 'Alpha', '{"type": "text"}')$$);
SELECT pg_temp.failure($$UPDATE sigma.sigma_input_tables SET columns = '[{"name": "b", "drop": true}, {"name": "Alpha", "type": "number"}, {"name": "free", "type": "text"}]' WHERE id = 'de_t'$$);
SELECT sigma.drop_column('de_t', 'free');
-- with cascade they are done, the references stay and are reported
SELECT sigma.alter_column('de_t', 'Alpha', '{"type": "text"}', cascade => true) - 'changed';
SELECT sigma.update_input_table('de_t', '{"columns": [{"name": "b", "type": "text"}, {"name": "Alpha", "drop": true}]}', cascade => true)->'affected';

-- the table itself
SELECT pg_temp.failure($$SELECT sigma.delete_input_table('de_t')$$);
SELECT pg_temp.failure($$DELETE FROM sigma.sigma_input_tables WHERE id = 'de_t'$$);
SELECT pg_temp.failure($$SELECT sigma.delete_input_table('de_t', true)$$);
SELECT sigma.delete_input_table('de_t', true, cascade => true);

-- a role that may define tables need not be able to write actions
SELECT sigma.delete_action('de_elsewhere');
SELECT sigma.create_action('{"id": "de_elsewhere", "type": "data_modification", "subtype": "insert_row", "target": "de_other", "parameters": {"values": {"a": "x", "b": 1}}}');
CREATE ROLE regress_definer;
GRANT USAGE ON SCHEMA sigma TO regress_definer;
GRANT SELECT, UPDATE ON sigma.sigma_input_tables TO regress_definer;
GRANT EXECUTE ON FUNCTION sigma.rename_column TO regress_definer;
SET ROLE regress_definer;
SELECT sigma.rename_column('de_other', 'a', 'A');
RESET ROLE;
SELECT parameters FROM sigma.sigma_actions WHERE id = 'de_elsewhere';
REVOKE ALL ON SCHEMA sigma FROM regress_definer;
REVOKE ALL ON sigma.sigma_input_tables FROM regress_definer;
REVOKE ALL ON FUNCTION sigma.rename_column FROM regress_definer;
DROP ROLE regress_definer;

SELECT sigma.delete_action_sequence('de_seq', true), sigma.delete_action('de_update', true), sigma.delete_action('de_elsewhere', true);
SELECT sigma.delete_layout_element('de_page', false, true) > 0 AS deleted;
SELECT sigma.delete_input_table('de_other', true);
DROP TABLE de_stamps;
