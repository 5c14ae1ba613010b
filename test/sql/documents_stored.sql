-- Documents in the catalog: plain DML is read like the functions, what is stored
-- is canonical, and names that change are followed.
SET client_min_messages = warning;

-- a client's spelling through plain DML
INSERT INTO sigma.sigma_input_tables (id, type, columns, validation_rules, governance_config)
VALUES ('dst_t', 'Empty', '[{"name":"firstName","type":"varchar(20)","nullable":false},{"name":"amount","type":"decimal"},{"name":"state","type":"single_select","options":["open","done"]}]',
        '{"amount":{"min":0,"Severity":"WARN"}}', NULL);
SELECT type, data_entry_permission, validation_rules, c - 'id' AS column
FROM sigma.sigma_input_tables, jsonb_array_elements(columns) AS c WHERE id = 'dst_t';
INSERT INTO sigma.sigma_layout_elements (id, type, config)
VALUES ('dst_page', 'page', NULL), ('dst_table', 'Table', '{"dataSource":"dst_t","columns":["firstName",{"name":"amount"}],"sort":"amount","isVisible":true,"position":{"gridColumn":"1 / 7"}}'),
       ('dst_form', 'form', '{"inputTable":"dst_t","fields":["firstName",{"columnName":"state"}]}'),
       ('dst_button', 'button', '{"label":"Go [Control/x]"}');
SELECT id, type, config FROM sigma.sigma_layout_elements WHERE id LIKE 'dst\_%' ORDER BY id;
INSERT INTO sigma.sigma_actions (id, type, subtype, parameters)
VALUES ('dst_insert', 'input_table', NULL, '{"subtype":"insertRow","targetTable":"dst_t","columnValues":{"firstName":"[Form/firstName]","amount":{"type":"static","value":3}}}'),
       ('dst_update', 'data-modification', 'update_rows', '{"target":"dst_t","values":{"state":"done"},"selector":{"match":{"amount":{"operator":"gt","value":1},"state":"open"}}}'),
       ('dst_link', 'navigation', 'open_link', '{"url":"https://x.example/[Selection/id]","openIn":"new_window"}');
SELECT id, type, subtype, target, parameters FROM sigma.sigma_actions WHERE id LIKE 'dst\_%' ORDER BY id;
INSERT INTO sigma.sigma_action_sequences (id, trigger, condition, actions)
VALUES ('dst_s', '{"type":"on-click","elementId":"dst_button"}', '{"type":"control_value","formula":"[Control/x]","expectedValue":1}',
        '["dst_insert",{"type":"data_modification","subtype":"upsert_row","target":"dst_t","key":"firstName","values":{"firstName":"a","amount":1}}]');
SELECT trigger, condition, actions FROM sigma.sigma_action_sequences WHERE id = 'dst_s';

-- writing what is stored again changes nothing
CREATE TEMP TABLE before AS
SELECT id, to_jsonb(t) - 'updated_at' AS row FROM sigma.sigma_input_tables AS t WHERE id LIKE 'dst\_%'
UNION ALL SELECT id, to_jsonb(t) - 'updated_at' FROM sigma.sigma_layout_elements AS t WHERE id LIKE 'dst\_%'
UNION ALL SELECT id, to_jsonb(t) - 'updated_at' FROM sigma.sigma_actions AS t WHERE id LIKE 'dst\_%'
UNION ALL SELECT id, to_jsonb(t) - 'updated_at' FROM sigma.sigma_action_sequences AS t WHERE id LIKE 'dst\_%';
UPDATE sigma.sigma_input_tables SET columns = columns, validation_rules = validation_rules WHERE id LIKE 'dst\_%';
UPDATE sigma.sigma_layout_elements SET config = config WHERE id LIKE 'dst\_%';
UPDATE sigma.sigma_actions SET parameters = parameters WHERE id LIKE 'dst\_%';
UPDATE sigma.sigma_action_sequences SET actions = actions, trigger = trigger WHERE id LIKE 'dst\_%';
SELECT b.id, b.row, a.row AS now FROM before AS b LEFT JOIN (
    SELECT id, to_jsonb(t) - 'updated_at' AS row FROM sigma.sigma_input_tables AS t
    UNION ALL SELECT id, to_jsonb(t) - 'updated_at' FROM sigma.sigma_layout_elements AS t
    UNION ALL SELECT id, to_jsonb(t) - 'updated_at' FROM sigma.sigma_actions AS t
    UNION ALL SELECT id, to_jsonb(t) - 'updated_at' FROM sigma.sigma_action_sequences AS t) AS a USING (id)
WHERE a.row IS DISTINCT FROM b.row;
DROP TABLE before;

-- changes are read by the stored type: aliases of that type, single settings and parameters, null to unset
SELECT sigma.update_layout_element('dst_button', '{"text":"Stop","disabled":true}');
SELECT sigma.update_layout_element('dst_table', '{"inputTable":"dst_t","sort":null,"isVisible":false}');
SELECT id, config FROM sigma.sigma_layout_elements WHERE id IN ('dst_button', 'dst_table') ORDER BY id;
SELECT sigma.update_layout_element('dst_button', '{"label":"a","text":"b"}');
SELECT sigma.update_layout_element('dst_button', '{"chartType":"bar"}');
SELECT sigma.update_layout_element('dst_button', '{"type":null}');
SELECT sigma.update_action('dst_link', '{"openIn":"same_window","passControlValues":{"a":1}}');
SELECT sigma.update_action('dst_update', '{"columnValues":{"state":"open"}}');
SELECT id, target, parameters FROM sigma.sigma_actions WHERE id IN ('dst_link', 'dst_update') ORDER BY id;
SELECT sigma.update_action('dst_link', '{"passControlValues":null,"url":"https://y.example"}');
SELECT target, parameters FROM sigma.sigma_actions WHERE id = 'dst_link';
SELECT sigma.update_action('dst_update', '{"selector":null}');
SELECT sigma.update_action('dst_update', '{"parameters":{"values":{"state":"done"},"rowIdentifier":4}}');
SELECT parameters FROM sigma.sigma_actions WHERE id = 'dst_update';
SELECT sigma.update_action('dst_update', '{"parameters":{"values":{"state":"done"},"selector":{"match":{"state":"open","amount":2}}}}');

-- every document that names a column follows when it is renamed, two changing places included
SELECT sigma.rename_column('dst_t', 'firstName', 'first');
SELECT jsonb_path_query_array(sigma.update_input_table('dst_t',
    (SELECT jsonb_build_object('columns', jsonb_agg(CASE c ->> 'name' WHEN 'amount' THEN c || '{"name":"state"}' WHEN 'state' THEN c || '{"name":"amount"}' ELSE c END))
     FROM sigma.sigma_input_tables, jsonb_array_elements(columns) AS c WHERE id = 'dst_t')), '$.renamed') AS renamed;
SELECT c ->> 'name' AS name, c ->> 'type' AS type FROM sigma.sigma_input_tables, jsonb_array_elements(columns) AS c WHERE id = 'dst_t';
SELECT validation_rules FROM sigma.sigma_input_tables WHERE id = 'dst_t';
SELECT id, config FROM sigma.sigma_layout_elements WHERE id IN ('dst_form', 'dst_table') ORDER BY id;
SELECT id, parameters FROM sigma.sigma_actions WHERE id IN ('dst_insert', 'dst_update') ORDER BY id;
SELECT actions FROM sigma.sigma_action_sequences WHERE id = 'dst_s';

-- what is listed is what is accepted
SELECT type, subtype, parameter, value_type, required, default_value FROM sigma.action_types('upsert_row');
SELECT setting, value_type, required, default_value, allowed FROM sigma.element_types('tabs') WHERE type = 'tabs' AND setting IN ('type', 'tabs', 'default_tab', 'show_tab_bar', 'alignment', 'grid_density') ORDER BY setting COLLATE "C";
SELECT count(DISTINCT type) AS types, bool_and(description IS NOT NULL) AS described FROM sigma.element_types();
SELECT count(DISTINCT type) AS types, count(*) FILTER (WHERE parameter IS NULL) AS subtypes, bool_and(description IS NOT NULL) AS described FROM sigma.action_types();
SELECT DISTINCT e.type, e.setting FROM sigma.element_types() AS e, jsonb_array_elements(e.allowed) AS word
WHERE e.setting NOT IN ('type', 'value_type') AND sigma.check_document('layout_element', jsonb_build_object('type', e.type, e.setting, word)) -> e.setting IS DISTINCT FROM word;
SELECT count(*) FROM sigma.element_types('no such thing');

DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'dst\_%';
DELETE FROM sigma.sigma_actions WHERE id LIKE 'dst\_%';
DELETE FROM sigma.sigma_layout_elements WHERE id LIKE 'dst\_%';
SELECT sigma.delete_input_table('dst_t', purge => true);
