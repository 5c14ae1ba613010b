-- Types of controls: their values, their variables, their own settings
-- (https://help.sigmacomputing.com/docs/intro-to-control-elements).
\set SHOW_CONTEXT never
\getenv test PG_ABS_SRCDIR
\set include :test '/include/refused_lines.sql'
\i :include
\pset format unaligned
\pset tuples_only on

-- every type makes a variable of its type
SELECT sigma.create_page(jsonb_build_object('id', 'ctl_page', 'children', jsonb_agg(jsonb_build_object(
    'id', 'ctl_' || word, 'type', 'control', 'control_type', word))))
    FROM sigma.element_types('control_type') AS e, jsonb_array_elements_text(e.allowed) AS word WHERE e.type = 'control' AND e.setting = 'control_type';
SELECT id, type, kind, scope FROM sigma.list_variables() WHERE id ~ '^ctl_' ORDER BY id COLLATE "C";

-- other types of value, and several values
SELECT sigma.create_layout_element('{"id": "ctl_page2", "type": "page", "children": [
    {"id": "ctl_a", "type": "control", "control_type": "slider", "value_type": "date", "min": "2026-01-01", "max": "2026-12-31", "step": 7},
    {"id": "ctl_b", "type": "control", "control_type": "range-slider", "value_type": "date-range"},
    {"id": "ctl_c", "type": "control", "control_type": "list", "value_type": "number", "values": [1, 2]},
    {"id": "ctl_d", "type": "control", "control_type": "segmented", "value_type": "logical", "values": [true, false], "default_value": true},
    {"id": "ctl_e", "type": "control", "control_type": "dropdown", "multiple": true, "options": ["a"], "default_value": ["a"]},
    {"id": "ctl_f", "type": "control", "control_type": "number-range", "min": 0, "max": 9, "default_value": {"min": 1, "max": 3}}]}');
SELECT id, type, default_value FROM sigma.list_variables() WHERE id ~ '^ctl_.$' ORDER BY id COLLATE "C";

-- synced controls share a variable and its value
SELECT sigma.create_control('{"id": "ctl_f2", "parent_id": "ctl_page2", "control_type": "range-slider", "variable": "ctl_f"}');
SELECT sigma.set_variable('ctl_f', '{"min": 2, "max": 5}');
SELECT sigma.eval('[Control/ctl_f].max - [Control/ctl_f].min'), sigma.eval('[ctl_f].min');
SELECT sigma.delete_layout_element('ctl_f');
SELECT sigma.get_variable('ctl_f');

-- refused: values and settings of other types of control
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "switch", "value_type": "text"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "switch", "step": 2}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "number", "multiple": true}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "min": 2}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "slide"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "date", "default_value": "soon"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "number-range", "default_value": 3}')$$);
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('ctl_a', '{"control_type": "switch"}')$$);
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('ctl_c', '{"step": 2}')$$);
-- what a control offers, its limits and what it starts with are of its type, and fit each other
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "number", "min": 10, "max": 1}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "number", "min": "a"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "date", "max": 7}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "date-range", "min": "2026-02-01", "max": "2026-01-01"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "slider", "step": 0}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "number", "min": 10, "default_value": 1}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "date", "max": "2026-01-31", "default_value": "2026-02-01"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "number-range", "max": 9, "default_value": {"min": 1, "max": 10}}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "date-range", "min": "2026-01-01", "default_value": {"start": "2025-12-31"}}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "segmented", "value_type": "number", "values": [1, "2"]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "segmented", "value_type": "logical", "values": [1]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "list", "value_type": "date", "values": ["2026-01-31", "soon"]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "segmented", "values": ["1", "2", "3", "4", "5", "6", "7", "8"]}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "list", "values": ["a"], "source": "pg_catalog.pg_class", "column": "relname"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "list", "source": "pg_catalog.pg_class"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "list", "column": "relname"}')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_layout_elements SET config = config || '{"min": 100, "max": 1}' WHERE id = 'ctl_f2'$$);
-- a variable of another type
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "number", "variable": "ctl_text"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "list", "multiple": true, "variable": "ctl_text"}')$$);
SELECT pg_temp.refused($$SELECT sigma.create_control('{"id": "ctl_x", "control_type": "text", "variable": "ctl_list"}')$$);
SELECT count(*) FROM sigma.sigma_variables WHERE id = 'ctl_x';
INSERT INTO sigma.sigma_variables (id, type) VALUES ('ctl_y', 'number');
SELECT pg_temp.refused($$INSERT INTO sigma.sigma_layout_elements (id, type) VALUES ('ctl_y', 'control')$$);
SELECT sigma.delete_variable('ctl_y');

-- a control's variable follows it: what it starts with, and its type, where no other control sets it
SELECT sigma.update_layout_element('ctl_number', '{"default_value": 5}');
SELECT sigma.update_layout_element('ctl_text', '{"label": "Text"}');
SELECT sigma.set_variable('ctl_text', '"abc"');
SELECT id, type, value, default_value FROM sigma.list_variables() WHERE id IN ('ctl_number', 'ctl_text') ORDER BY id;
SELECT sigma.update_layout_element('ctl_text', '{"control_type": "number", "default_value": 3}');
SELECT sigma.update_layout_element('ctl_number', '{"default_value": null}');
SELECT id, type, value, default_value FROM sigma.list_variables() WHERE id IN ('ctl_number', 'ctl_text') ORDER BY id;
SELECT sigma.create_control('{"id": "ctl_sync", "parent_id": "ctl_page", "control_type": "slider", "variable": "ctl_number"}');
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('ctl_number', '{"control_type": "switch"}')$$);
SELECT sigma.create_variable('{"id": "ctl_declared", "type": "number", "default_value": 1}');
SELECT sigma.create_control('{"id": "ctl_own", "parent_id": "ctl_page", "control_type": "number", "variable": "ctl_declared", "default_value": 2}');
SELECT sigma.update_layout_element('ctl_own', '{"default_value": 4}');
SELECT default_value FROM sigma.list_variables() WHERE id = 'ctl_declared';
-- one that sets another variable now leaves that as it is
SELECT sigma.update_layout_element('ctl_own', '{"variable": "ctl_number", "default_value": 6}');
SELECT id, default_value FROM sigma.list_variables() WHERE id = 'ctl_number';
SELECT pg_temp.refused($$SELECT sigma.update_layout_element('ctl_own', '{"variable": "ctl_switch"}')$$);
-- and not the other way round: controls that set a variable stand against another type, and against deleting it
SELECT pg_temp.refused($$SELECT sigma.update_variable('ctl_number', '{"type": "text"}')$$);
SELECT pg_temp.refused($$UPDATE sigma.sigma_variables SET type = 'date' WHERE id = 'ctl_switch'$$);
SELECT pg_temp.refused($$SELECT sigma.delete_variable('ctl_number')$$);
SELECT pg_temp.refused($$DELETE FROM sigma.sigma_variables WHERE id = 'ctl_switch'$$);
SELECT * FROM sigma.dependents('variable:ctl_number');
SELECT * FROM sigma.dependencies('element:ctl_number');
UPDATE sigma.sigma_variables SET type = 'text' WHERE id = 'ctl_segmented';
UPDATE sigma.sigma_variables SET type = 'number' WHERE id = 'ctl_segmented';
\set VERBOSITY terse
SELECT sigma.delete_variable('ctl_switch', cascade => true);
SELECT line FROM regexp_split_to_table(sigma.render_layout('ctl_page'), E'\n') WITH ORDINALITY AS t(line, n) WHERE line ~ 'does not exist';
SELECT path, message FROM sigma.check() WHERE object = 'element:ctl_switch';
\set VERBOSITY default

SELECT sigma.delete_layout_element('ctl_page'), sigma.delete_layout_element('ctl_page2');
SELECT id FROM sigma.list_variables() WHERE id ~ '^ctl_';
SELECT sigma.delete_variable('ctl_declared');
