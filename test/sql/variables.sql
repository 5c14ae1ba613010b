-- Declared variables and controls.
\set QUIET 1
\pset format unaligned
\pset tuples_only on
SET sigma.user_email = 'ann@example.com';

\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused.sql'
\i :include

-- every type with its default; kind, scope and type have defaults of their own
SELECT sigma.create_variable(config::jsonb) FROM (VALUES
    ('{"id": "variables_text", "name": "Greeting", "type": "text", "default_value": "hello"}'),
    ('{"id": "variables_number", "kind": "control", "type": "number", "default_value": 1.50}'),
    ('{"id": "variables_date", "type": "date", "default_value": "2026-02-28"}'),
    ('{"id": "variables_logical", "type": "logical", "default_value": false}'),
    ('{"id": "variables_list", "kind": "control", "type": "list", "default_value": ["West", 2, true, null]}'),
    ('{"id": "variables_range", "kind": "control", "type": "number_range", "default_value": {"min": 1, "max": 9}}'),
    ('{"id": "variables_dates", "kind": "control", "type": "date_range", "default_value": {"start": "2026-01-01", "end": null}}'),
    ('{"id": "variables_session", "type": "number", "scope": "session", "default_value": 7}'),
    ('{"id": "variables_user", "type": "number", "scope": "user", "default_value": 3}'),
    ('{"id": "variables_guessed", "default_value": 4}'),
    ('{"id": "variables_bare"}')) v (config);
SELECT * FROM sigma.list_variables() WHERE id LIKE 'variables\_%';
SELECT length(sigma.create_variable('{"name": "variables made up"}'));
DELETE FROM sigma.sigma_variables WHERE name = 'variables made up' RETURNING kind, type;

-- set, empty, forget
SELECT sigma.set_variable('variables_number', '42');
SELECT sigma.get_variable('variables_number');
SELECT sigma.set_variable('variables_number', 'null');
SELECT sigma.get_variable('variables_number'), sigma.get_variable('variables_number') IS NULL;
SELECT sigma.set_variable('variables_number', NULL);
SELECT sigma.get_variable('variables_number');
SELECT sigma.get_variable('variables_bare') IS NULL;

-- plain DML does the same
UPDATE sigma.sigma_variables SET value = '43' WHERE id = 'variables_number';
SELECT sigma.get_variable('variables_number');
SELECT sigma.update_variable('variables_number', '{"default_value": 2, "name": "Price"}');
SELECT name, value, default_value, updated_at >= created_at FROM sigma.sigma_variables WHERE id = 'variables_number';
INSERT INTO sigma.sigma_variables (id, default_value) VALUES ('variables_plain', '"x"');
SELECT kind, type, scope, status, created_at IS NOT NULL FROM sigma.sigma_variables WHERE id = 'variables_plain';

-- scope user: one value per app user; plain DML is on the table of values
SELECT sigma.set_variable('variables_user', '10');
SET sigma.user_email = 'bob@example.com';
SELECT sigma.get_variable('variables_user');
INSERT INTO sigma.sigma_variable_values (variable_id, user_id, value) VALUES ('variables_user', 'bob@example.com', '20');
SELECT sigma.get_variable('variables_user');
SELECT value FROM sigma.list_variables() WHERE id = 'variables_user';
SET sigma.user_email = 'ann@example.com';
SELECT sigma.get_variable('variables_user');
SELECT variable_id, user_id, value, updated_at IS NOT NULL FROM sigma.sigma_variable_values WHERE variable_id LIKE 'variables\_%' ORDER BY user_id;
SELECT sigma.set_variable('variables_user', NULL);
SELECT sigma.get_variable('variables_user');

-- a run reads: the context first, then the stored value, then the default; by id, else by name
CREATE FUNCTION pg_temp.is(control text, expected jsonb, context jsonb DEFAULT '{}') RETURNS bool LANGUAGE sql AS $$
    SELECT sigma.evaluate_condition(jsonb_build_object('type', 'control_value', 'control_id', control, 'expected_value', expected), context)
$$;
SELECT pg_temp.is('variables_number', '43'), pg_temp.is('Price', '43'), pg_temp.is('variables_number', '1', '{"controls": {"variables_number": 1}}'),
       pg_temp.is('variables_text', '"hello"'), pg_temp.is('variables_range.max', '9'), pg_temp.is('variables_session', '7'),
       pg_temp.is('variables_user', '3'), pg_temp.is('variables_user', '20', '{"user_id": "bob@example.com"}');
-- what was cached is read anew after a change, also inside the transaction and after it is taken back
BEGIN;
SELECT sigma.update_variable('variables_text', '{"default_value": "good morning"}');
SELECT pg_temp.is('variables_text', '"good morning"');
SAVEPOINT a;
DELETE FROM sigma.sigma_variables WHERE id = 'variables_text';
SELECT pg_temp.is('variables_text', '"good morning"');
ROLLBACK TO a;
SELECT pg_temp.is('variables_text', '"good morning"');
ROLLBACK;
SELECT pg_temp.is('variables_text', '"hello"');

-- refused when written: types, words, places
SELECT pg_temp.refused(format('SELECT sigma.create_variable(%L)', config)) FROM (VALUES
    ('{"id": "variables_bad", "type": "money"}'),
    ('{"id": "variables_bad", "kind": "constant"}'),
    ('{"id": "variables_bad", "scope": "world"}'),
    ('{"id": "variables_bad", "type": 5}'),
    ('{"id": "variables_bad", "type": "number", "default_value": "5"}'),
    ('{"id": "variables_bad", "type": "text", "default_value": 5}'),
    ('{"id": "variables_bad", "type": "date", "default_value": "2026-02-30"}'),
    ('{"id": "variables_bad", "type": "date", "default_value": "tomorrow"}'),
    ('{"id": "variables_bad", "type": "logical", "default_value": 1}'),
    ('{"id": "variables_bad", "type": "list", "default_value": "West"}'),
    ('{"id": "variables_bad", "type": "list", "default_value": [[1]]}'),
    ('{"id": "variables_bad", "type": "number_range", "default_value": {"min": 2, "max": 1}}'),
    ('{"id": "variables_bad", "type": "number_range", "default_value": {"start": 2}}'),
    ('{"id": "variables_bad", "type": "number_range", "default_value": [1, 2]}'),
    ('{"id": "variables_bad", "type": "date_range", "default_value": {"start": "2026-02-01", "end": "2026-01-01"}}'),
    ('{"id": "variables_bad", "type": "date_range", "default_value": {"start": "soon"}}'),
    ('{"id": "variables_bad", "type": "number", "value": "x"}'),
    ('{"id": "variables_bad", "type": "number", "scope": "user", "value": 1}'),
    ('{"id": "variables_bad", "type": "number", "scope": "session", "value": 1}'),
    ('{"id": "variables_bad", "colour": "red"}'),
    ('[]'), ('5')) v (config);
SELECT pg_temp.refused($$SELECT sigma.create_variable(NULL)$$);
SELECT pg_temp.refused($$SELECT sigma.create_variable('{"id": "variables_text"}')$$);
SELECT pg_temp.refused(format('SELECT sigma.create_variable(%L)', json_build_object('id', repeat('x', 256))));
SELECT pg_temp.refused($$SELECT sigma.set_variable('variables_number', '"x"')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_variables SET value = '"x"' WHERE id = 'variables_number'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_variables SET type = 'text' WHERE id = 'variables_number'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_variables SET scope = NULL WHERE id = 'variables_number'$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_variables SET id = 'variables_other' WHERE id = 'variables_number'$$);
SELECT pg_temp.refused($$SELECT sigma.set_variable('variables_session', '1')$$);
SELECT pg_temp.refused($$SELECT sigma.set_variable('variables_user', 'true')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_variable_values VALUES ('variables_user', 'x', '"x"')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_variable_values VALUES ('variables_number', 'x', '1')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_variable_values VALUES ('variables_nowhere', 'x', '1')$$);
SELECT pg_temp.refused($$SELECT sigma.set_variable('variables_numbr', '1')$$);
SELECT pg_temp.refused($$SELECT sigma.get_variable('variables_numbr')$$);
SELECT pg_temp.refused($$SELECT sigma.update_variable('variables_numbr', '{"name": "x"}')$$);
SELECT pg_temp.refused($$SELECT sigma.update_variable('variables_number', '{"scope": "user"}')$$);
SELECT pg_temp.refused($$TRUNCATE sigma.sigma_variables$$);
SELECT pg_temp.refused($$TRUNCATE sigma.sigma_variable_values$$);
SELECT sigma.delete_variable('variables_nowhere');
-- nothing of it was written
SELECT count(*) FROM sigma.sigma_variables WHERE id IN ('variables_bad', 'variables_other');

-- a type that stored values of users do not fit is refused; another scope forgets them
SELECT pg_temp.refused($$SELECT sigma.update_variable('variables_user', '{"type": "text", "default_value": "x"}')$$);
SELECT sigma.update_variable('variables_user', '{"scope": "workbook"}');
SELECT count(*) FROM sigma.sigma_variable_values WHERE variable_id = 'variables_user';
SELECT sigma.update_variable('variables_user', '{"scope": "user", "type": "text", "default_value": "x"}');

-- a variable in use is not deleted, whoever tries; cascade leaves the reference dangling
INSERT INTO sigma.sigma_actions (id, type, subtype, target, parameters) VALUES
    ('variables_action', 'control', 'set_value', 'variables_list', '{"value": "[ActionVar/Greeting]"}');
SELECT sigma.create_action_sequence('{"id": "variables_sequence",
    "condition": {"type": "control_value", "control_id": "variables_range.max", "operator": ">", "expected_value": 3},
    "actions": ["variables_action", {"id": "variables_step", "type": "navigation", "subtype": "open_link", "target": "x{{[Control/variables_dates.start]}}"}]}');
SELECT sigma.create_layout_element('{"id": "variables_control", "type": "control", "control_type": "date", "variable": "variables_date"}');
SELECT pg_temp.refused($$SELECT sigma.delete_variable('variables_list')$$);
SELECT pg_temp.refused($$DELETE FROM sigma.sigma_variables WHERE id = 'variables_text'$$);
SELECT pg_temp.refused($$SELECT sigma.delete_variable('variables_range')$$);
SELECT pg_temp.refused($$SELECT sigma.delete_variable('variables_dates', false)$$);
SELECT pg_temp.refused($$SELECT sigma.delete_variable('variables_date')$$);
SELECT sigma.delete_variable('variables_list', cascade => true), sigma.delete_variable('variables_bare');
SELECT sigma.delete_layout_element('variables_control');
DELETE FROM sigma.sigma_action_sequences WHERE id = 'variables_sequence';
DELETE FROM sigma.sigma_actions WHERE id = 'variables_action';
SELECT sigma.delete_variable('variables_date'), sigma.delete_variable('variables_text');

-- an id that exists
SELECT pg_temp.refused($$SELECT sigma.create_variable('{"id": "variables_number", "type": "text"}')$$);
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_variables (id, type) VALUES ('variables_number', 'text')$$);

-- rights: the caller's own
CREATE ROLE regress_variables_viewer;
GRANT USAGE ON SCHEMA sigma TO regress_variables_viewer;
GRANT EXECUTE ON FUNCTION sigma.set_variable, sigma.get_variable, sigma.list_variables, sigma.create_variable TO regress_variables_viewer;
SET ROLE regress_variables_viewer;
SELECT pg_temp.refused($$SELECT sigma.get_variable('variables_number')$$);
SELECT pg_temp.refused($$SELECT sigma.set_variable('variables_number', '1')$$);
SELECT pg_temp.refused($$SELECT sigma.create_variable('{"id": "variables_number", "type": "text"}')$$);
SELECT pg_temp.refused($$SELECT sigma.set_variable('variables_user', '"1"')$$);
SELECT pg_temp.refused($$SELECT * FROM sigma.list_variables()$$);
RESET ROLE;
GRANT SELECT, INSERT, UPDATE ON sigma.sigma_variable_values TO regress_variables_viewer;
GRANT SELECT, UPDATE (value) ON sigma.sigma_variables TO regress_variables_viewer;
SET ROLE regress_variables_viewer;
SELECT sigma.set_variable('variables_number', '1'), sigma.set_variable('variables_user', '"mine"');
SELECT sigma.get_variable('variables_number'), sigma.get_variable('variables_user');
RESET ROLE;
REVOKE ALL ON FUNCTION sigma.set_variable, sigma.get_variable, sigma.list_variables, sigma.create_variable FROM regress_variables_viewer;
REVOKE ALL ON SCHEMA sigma FROM regress_variables_viewer;
REVOKE ALL ON sigma.sigma_variables, sigma.sigma_variable_values FROM regress_variables_viewer;
REVOKE UPDATE (value) ON sigma.sigma_variables FROM regress_variables_viewer;
DROP ROLE regress_variables_viewer;

-- a restore takes rows as they are: values of users come before the variables, stamps are kept
BEGIN;
SET LOCAL check_function_bodies = off;
INSERT INTO sigma.sigma_variable_values VALUES ('variables_late', 'ann@example.com', '5', '2020-01-01');
INSERT INTO sigma.sigma_variables (id, kind, type, scope, default_value, created_at, updated_at)
    VALUES ('variables_late', 'variable', 'number', 'user', '1', '2020-01-01', '2020-01-02');
INSERT INTO sigma.sigma_variables (id, kind, type, scope, value) VALUES ('variables_empty', 'variable', 'number', 'workbook', 'null');
SET LOCAL check_function_bodies = on;
SELECT sigma.get_variable('variables_late');
SELECT updated_at, (SELECT updated_at FROM sigma.sigma_variable_values WHERE variable_id = 'variables_late')
FROM sigma.sigma_variables WHERE id = 'variables_late';
SELECT value FROM sigma.sigma_variables WHERE id = 'variables_empty';
ROLLBACK;

DELETE FROM sigma.sigma_variables WHERE id LIKE 'variables\_%';
SELECT count(*) FROM sigma.sigma_variable_values WHERE variable_id LIKE 'variables\_%';
