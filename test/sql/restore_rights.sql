-- check_function_bodies is off while a dump is restored, and then rows of the
-- catalog are taken as they come.  Everybody may switch it off
-- (https://www.postgresql.org/docs/current/runtime-config-client.html), so only
-- the owner of the catalog is believed: for others all checks stay in force.
SET client_min_messages = warning;
CREATE ROLE regress_sigma_rr_builder;
SELECT sigma.grant_access('regress_sigma_rr_builder', 'builder');

CREATE FUNCTION pg_temp.answer(statement text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;

CREATE TABLE sigds.sigds_rr_foreign (id int);
SELECT sigma.create_page('{"id": "rr_page", "children": [{"id": "rr_text", "type": "text"}, {"id": "rr_button", "type": "button"}]}');
SELECT sigma.create_variable('{"id": "rr_variable"}');
SELECT sigma.create_action('{"id": "rr_set", "type": "variable", "subtype": "set", "target": "rr_variable", "value": "1"}');
SELECT sigma.create_action_sequence('{"id": "rr_show", "actions": [{"type": "modal", "subtype": "open", "target": "rr_modal"}]}')
    FROM sigma.create_modal('{"id": "rr_modal"}');

SET ROLE regress_sigma_rr_builder;
SET check_function_bodies = off;
-- layout: the parent exists, children are true, what is in use stays
SELECT pg_temp.answer($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('rr_lost', 'text', 'rr_nowhere')$$);
SELECT pg_temp.answer($$UPDATE sigma.sigma_layout_elements SET parent_id = 'rr_nowhere' WHERE id = 'rr_text'$$);
SELECT pg_temp.answer($$INSERT INTO sigma.sigma_layout_elements (id, type, children) VALUES ('rr_ghosts', 'page', '["rr_ghost"]')$$);
SELECT pg_temp.answer($$UPDATE sigma.sigma_layout_elements SET config = '{"on_open": "rr_nothing"}' WHERE id = 'rr_modal'$$);
SELECT pg_temp.answer($$DELETE FROM sigma.sigma_layout_elements WHERE id = 'rr_modal'$$);
-- actions, sequences and variables: what they name exists, what is in use stays
SELECT pg_temp.answer($$INSERT INTO sigma.sigma_action_sequences (id, actions) VALUES ('rr_broken', '["rr_nothing"]')$$);
SELECT pg_temp.answer($$DELETE FROM sigma.sigma_variables WHERE id = 'rr_variable'$$);
-- input tables: a definition makes its table, and takes none that was not made for it
SELECT pg_temp.answer($$INSERT INTO sigma.sigma_input_tables (id, columns) VALUES ('rr_foreign', '[{"name": "a", "type": "text"}]')$$);
SELECT pg_temp.answer($$INSERT INTO sigma.sigma_input_tables (id, columns) VALUES ('rr_table', '[{"name": "a", "type": "text"}]')$$);
SELECT relname FROM pg_class WHERE relname = 'sigds_rr_table';
RESET check_function_bodies;
RESET ROLE;

-- the owner restores
BEGIN;
SET LOCAL check_function_bodies = off;
SELECT pg_temp.answer($$INSERT INTO sigma.sigma_layout_elements (id, type, parent_id) VALUES ('rr_lost', 'text', 'rr_nowhere')$$);
SELECT pg_temp.answer($$INSERT INTO sigma.sigma_action_sequences (id, actions) VALUES ('rr_broken', '["rr_nothing"]')$$);
ROLLBACK;

SELECT sigma.delete_input_table('rr_table', true);
SELECT sigma.delete_layout_element('rr_modal', cascade => true), sigma.delete_layout_element('rr_page');
SELECT sigma.delete_action_sequence('rr_show'), sigma.delete_action('rr_set'), sigma.delete_variable('rr_variable');
DROP TABLE sigds.sigds_rr_foreign;
DROP OWNED BY regress_sigma_rr_builder;
DROP ROLE regress_sigma_rr_builder;
