-- Documents: what clients send, and the one form that is stored.
SET client_min_messages = warning;

-- each row: a document as a client writes it, and its canonical form
CREATE TEMP TABLE fixtures (n int GENERATED ALWAYS AS IDENTITY, kind text, given jsonb, canonical jsonb);
INSERT INTO fixtures (kind, given, canonical) VALUES
('action',
 '{"type":"input_table","parameters":{"subtype":"insert_row","targetTable":"tickets","columnValues":{"firstName":{"type":"control","controlId":"f1"},"region":{"type":"column","columnName":"Region"},"score":{"type":"formula","formula":"[Selection/x] * 2"},"n":{"type":"static","value":3}}},"outputVariable":"rowId"}',
 '{"type":"data_modification","subtype":"insert_row","target":"tickets","parameters":{"values":{"firstName":{"type":"control","control_id":"f1"},"region":{"type":"column","column_name":"Region"},"score":{"type":"formula","formula":"[Selection/x] * 2"},"n":3}},"output_variable":"rowId"}'),
('action',
 '{"type":"control","subtype":"set_value","targetControl":"region","value":"[Selection/Region]","selectionMode":"add"}',
 '{"type":"control","subtype":"set_value","target":"region","parameters":{"value":{"type":"formula","formula":"[Selection/Region]"},"selection_mode":"add"}}'),
('action',
 '{"type":"ai_query","model":"snowflake.cortex.complete","query":"Summarise: [Selection/body]","parameters":{"max_tokens":100},"outputVariable":"s","errorHandling":"retry"}',
 '{"type":"ai_query","parameters":{"model":"snowflake.cortex.complete","query":"Summarise: {{[Selection/body]}}","parameters":{"max_tokens":100}},"output_variable":"s","error_handling":"retry"}'),
('condition',
 '{"type":"control_value","formula":"[Control/region]","expectedValue":"West"}',
 '{"type":"control_value","control_id":"region","operator":"=","expected_value":"West"}'),
('condition',
 '{"type":"ai_result","formula":"[ActionVar/sentiment]","threshold":0.5}',
 '{"type":"ai_result","variable":"sentiment","operator":">=","threshold":0.5}'),
('action',
 '{"type":"navigation","subtype":"open_link","target":"https://x.example/[Selection/id]","openIn":"new_window","dynamicURL":true}',
 '{"type":"navigation","subtype":"open_link","target":"https://x.example/{{[Selection/id]}}","parameters":{"open_in":"_blank"}}'),
('input_table',
 '{"type":"linked","parentElement":"public.sales","primaryKeyColumn":"id","linkedColumns":[{"sourceColumn":"rev","linkedColumn":"Revenue","isEditable":false}],"augmentationColumns":[{"name":"adj","type":"number","required":false}]}',
 '{"type":"linked","source":"public.sales","key_columns":["id"],"linked_columns":[{"column":"rev","name":"Revenue"}],"columns":[{"name":"adj","type":"number"}],"data_entry_permission":"draft"}'),
('layout_element',
 '{"id":"e1","type":"table","position":{"x":0,"y":0,"gridColumn":"1 / 7","gridRow":"2 / 4"},"size":{"width":6,"height":2},"styling":{"borderRadius":8},"isVisible":true,"isInteractive":true}',
 '{"id":"e1","type":"table","grid":{"column":1,"row":2,"width":6,"height":2},"style":{"border_radius":8},"visible":true,"interactive":true}');

-- input tables: aliases, keys that users name, creation from CSV
INSERT INTO fixtures (kind, given, canonical) VALUES
('input_table', '{}', '{"type":"empty","data_entry_permission":"draft"}'),
('input_table',
 '{"tableType":"EMPTY","permission":"Published","maxRows":1000.0,"allowBulkOperations":false,"columns":[{"name":"firstName","type":"varchar"}],
   "validation":{"firstName":{"maxLength":5,"severity":"Warn","message":"[Control/x] is {{ no text"}},
   "rowRules":[{"unique":["firstName"],"ignoreCase":true}],
   "governance":{"rowFilter":"[owner] = CurrentUserEmail()","tamperEvident":true,"editors":["ann"]},
   "metadata":{"camelCase":{"staysAsIs":null}},"created_at":"2024-01-01","rowCount":7}',
 '{"type":"empty","data_entry_permission":"published","max_rows":1000,"allow_bulk_operations":false,"columns":[{"name":"firstName","type":"text"}],
   "validation_rules":{"firstName":{"max_length":5,"severity":"warn","message":"[Control/x] is {{ no text"}},
   "row_rules":[{"unique":["firstName"],"ignore_case":true}],
   "governance_config":{"row_filter":"[owner] = CurrentUserEmail()","tamper_evident":true,"editors":["ann"]},
   "metadata":{"camelCase":{"staysAsIs":null}}}'),
('input_table',
 '{"csvData":"a,b\n1,2\n","headerRow":true,"delimiter":",","encoding":"utf-8","maxSize":10,"editableAfterUpload":false}',
 '{"type":"csv","csv_data":"a,b\n1,2\n","header":true,"delimiter":",","encoding":"utf-8","max_size":10,"editable_after_upload":false,"data_entry_permission":"draft"}'),
('input_table',
 '{"type":"csv","editableAfterUpload":false,"columns":[{"name":"a","type":"text"},{"name":"b","type":"text","editable":true}]}',
 '{"type":"csv","columns":[{"name":"a","type":"text","editable":false},{"name":"b","type":"text","editable":false}],"data_entry_permission":"draft"}'),
('input_table',
 '{"columns":[{"name":"id","type":"integer","systemGenerated":true},{"name":"createdAt","type":"timestamp","systemGenerated":true},{"name":"a","type":"text","systemGenerated":false}]}',
 '{"type":"empty","columns":[{"name":"a","type":"text"}],"data_entry_permission":"draft"}'),
('input_table',
 '{"type":"linked","dataSource":"s","keyColumns":["a","b"],"linkedColumns":["a","b"]}',
 '{"type":"linked","source":"s","key_columns":["a","b"],"linked_columns":[{"column":"a","name":"a"},{"column":"b","name":"b"}],"data_entry_permission":"draft"}'),
('column', '{"name":"a","type":"text","systemGenerated":null,"description":null}', '{"name":"a","type":"text"}'),
('column', '{"name":"a","type":"varchar(20)","nullable":false,"default":"x"}', '{"name":"a","type":"text","required":true,"default_value":"x","validation":{"max_length":20}}'),
('column', '{"name":"a","type":"string","length":5,"nullable":true,"validation":{"minLength":2}}', '{"name":"a","type":"text","validation":{"min_length":2,"max_length":5}}'),
('column', '{"name":"a","type":"DECIMAL (10, 2)"}', '{"name":"a","type":"number","validation":{"precision":10,"scale":2}}'),
('column', '{"name":"a","type":"numeric","precision":10,"scale":2}', '{"name":"a","type":"number","validation":{"precision":10,"scale":2}}'),
('column', '{"name":"a","type":"bigint","primaryKey":true}', '{"name":"a","type":"integer","required":true,"unique":true}'),
('column', '{"name":"a","type":"integer","primaryKey":false,"editable":true,"protected":false,"unique":false}', '{"name":"a","type":"integer"}'),
('column', '{"name":"a","type":"single select","options":["x","y"],"unique":"ignoreCase"}', '{"name":"a","type":"dropdown","validation":{"values":["x","y"]},"unique":"ignore_case"}'),
('column', '{"name":"a","type":"enum","choices":["x"],"validation":{"values":["x"]}}', '{"name":"a","type":"dropdown","validation":{"values":["x"]}}'),
('column', '{"name":"a","type":"date","defaultValue":{"formula":"Today()"},"validation":{"min":"2020-01-01","max":"2030-01-01"}}', '{"name":"a","type":"date","default_value":{"formula":"Today()"},"validation":{"min":"2020-01-01","max":"2030-01-01"}}'),
('column', '{"name":"a","type":"json","defaultValue":{"someKey":{"formula":"x","b":1}}}', '{"name":"a","type":"json","default_value":{"someKey":{"formula":"x","b":1}}}'),
('rule', '{"valuesFrom":{"table":"t","column":"c"},"format":"Email","unique":false}', '{"values_from":{"table":"t","column":"c"},"format":"email","unique":false}');

-- every name of a column type
INSERT INTO fixtures (kind, given, canonical)
SELECT 'column', jsonb_build_object('name', 'a', 'type', given), jsonb_build_object('name', 'a', 'type', stored)
FROM (VALUES ('text','text'),('varchar','text'),('char','text'),('string','text'),('number','number'),('decimal','number'),('NUMERIC','number'),
             ('integer','integer'),('int','integer'),('bigint','integer'),('float','float'),('double','float'),('real','float'),('date','date'),
             ('datetime','datetime'),('timestamp','datetime'),('TIMESTAMP_NTZ','datetime'),('timestamp-ntz','datetime'),('checkbox','checkbox'),('bool','checkbox'),
             ('boolean','checkbox'),('dropdown','dropdown'),('select','dropdown'),('single_select','dropdown'),('singleSelect','dropdown'),('enum','dropdown'),
             ('multi-select','multi-select'),('multi_select','multi-select'),('Multi Select','multi-select'),('multiSelect','multi-select'),('array','multi-select'),
             ('json','json'),('variant','json'),('object','json'),('file','file')) AS v(given, stored);

-- layout elements: settings, places, nested documents
INSERT INTO fixtures (kind, given, canonical) VALUES
('layout_element',
 '{"elementType":"tabbed-container","properties":{"gridDensity":24,"background":"#fff","activeTab":"t2"},"tabs":[{"id":"t1","label":"One of [Control/n]","content":"Hello [Control/name]"},{"id":"t2","label":"Two","disabled":true,"content":{"type":"chart","chartType":"Bar"}},"t3"]}',
 '{"type":"tabs","grid_density":24,"background_color":"#fff","default_tab":"t2","tabs":[{"id":"t1","type":"tab","label":"One of {{[Control/n]}}","children":[{"type":"text","content":"Hello {{[Control/name]}}"}]},{"id":"t2","type":"tab","label":"Two","disabled":true,"children":[{"type":"chart","chart_type":"bar"}]},"t3"]}'),
('layout_element',
 '{"type":"Modal","title":"Edit [Selection/name]","width":"Extra Large","isOpen":true,"loading":false,"nestingLevel":3,"primaryButton":{"text":"Save","variant":"Primary"},"onOpen":{"actions":["a1"]},"onClose":"s2","children":["c1",{"type":"button","label":"Go"}]}',
 '{"type":"modal","title":"Edit {{[Selection/name]}}","width":"xl","primary_button":{"text":"Save","variant":"primary"},"on_open":{"actions":["a1"]},"on_close":"s2","children":["c1",{"type":"button","text":"Go"}]}'),
('layout_element',
 '{"type":"container","config":{"spacing":"Small","border":{"width":2,"color":"teal"},"cornerStyle":"pill","elementGap":8,"maxNesting":3,"grid":{"column":1,"width":24}},"position":4,"parentId":"p"}',
 '{"type":"container","spacing":"small","border":{"width":2,"color":"teal"},"corner_style":"pill","element_gap":8,"max_nesting":3,"grid":{"column":1,"width":24},"position":4,"parent_id":"p"}'),
('layout_element', '{"type":"text","text":"x","position":{"x":3,"y":0},"size":{"width":2,"minWidth":100}}', '{"type":"text","content":"x","grid":{"column":4,"row":1,"width":2},"style":{"min_width":100}}'),
('layout_element', '{"type":"divider","position":{"gridColumn":"2 / span 4","gridRow":"auto"}}', '{"type":"divider","grid":{"column":2,"width":4}}'),
('layout_element', '{"type":"divider","position":{"gridColumn":"2","gridRow":3}}', '{"type":"divider","grid":{"column":2,"row":3}}'),
('layout_element', '{"type":"tabs","size":"S","gridDensity":"high","alignment":"right"}', '{"type":"tabs","size":"small","grid_density":24,"alignment":"end"}'),
('layout_element',
 '{"type":"form","inputTable":"tickets","fields":["a",{"columnName":"b","label":"B"}],"submitSequence":{"id":"s","actions":["a"],"stopOnError":false}}',
 '{"type":"form","input_table":"tickets","fields":["a",{"column":"b","label":"B"}],"submit_sequence":{"id":"s","actions":["a"],"stop_on_error":false}}'),
('layout_element',
 '{"type":"input_table","inputTable":"tickets","columns":["a",{"name":"b"}],"sort":"a","filter":{"match":{"camelCase":1}}}',
 '{"type":"input_table","source":"tickets","columns":["a",{"column":"b"}],"sort":["a"],"filter":{"match":{"camelCase":1}}}'),
('layout_element',
 '{"type":"chart","source":"tickets","chartType":"Donut","x":"a","y":["b","c"],"aggregate":"average","actions":["s1",{"trigger":{"type":"on-select"},"actions":["a"]}]}',
 '{"type":"chart","source":"tickets","chart_type":"donut","x":"a","y":["b","c"],"aggregate":"avg","actions":["s1",{"trigger":{"type":"select"},"actions":["a"]}]}'),
('layout_element',
 '{"type":"control","controlType":"multiSelect","controlId":"period","options":["a"],"default":null}',
 '{"type":"control","control_type":"list","variable":"period","values":["a"]}');

-- actions: folding, targets, every type
INSERT INTO fixtures (kind, given, canonical) VALUES
('action',
 '{"actionType":"Data-Modification","subtype":"updateRow","target":"t","values":{"Some Column":"[Control/x]","list":["[Form/a]","b"],"data":{"type":"invoice","camelCase":1},"raw":{"type":"static","value":"[Control/x]"},"whole":{"type":"static","value":{"type":"control"}}},"rowIdentifier":"[Selection/id]","executionTime":12,"result":{},"failed":false}',
 '{"type":"data_modification","subtype":"update_row","target":"t","parameters":{"values":{"Some Column":{"type":"formula","formula":"[Control/x]"},"list":[{"type":"formula","formula":"[Form/a]"},"b"],"data":{"type":"invoice","camelCase":1},"raw":{"type":"static","value":"[Control/x]"},"whole":{"type":"static","value":{"type":"control"}}},"selector":{"row_id":{"type":"formula","formula":"[Selection/id]"}}}}'),
('action',
 '{"type":"data_modification","subtype":"delete_row","target":"t","rowIdentifier":{"camelKey":7}}',
 '{"type":"data_modification","subtype":"delete_row","target":"t","parameters":{"selector":{"key":{"camelKey":7}}}}'),
('action',
 '{"type":"data_modification","subtype":"update_rows","target":"t","values":{"a":1},"selector":{"match":{"op":"x","n":{"operator":"gte","value":3},"m":{"op":"between","value":[1,2]},"z":{"op":"is null"},"data":{"op":"=","value":1,"more":2}}}}',
 '{"type":"data_modification","subtype":"update_rows","target":"t","parameters":{"values":{"a":1},"selector":{"match":{"op":"x","n":{"op":">=","value":3},"m":{"op":"between","value":[1,2]},"z":{"op":"is_null"},"data":{"op":"=","value":1,"more":2}}}}}'),
('action',
 '{"type":"data_modification","subtype":"insertRows","targetTable":"t","target":"t","rows":[{"camelCase":1},{"b":{"type":"formField","fieldName":"x"}}]}',
 '{"type":"data_modification","subtype":"insert_rows","target":"t","parameters":{"rows":[{"camelCase":1},{"b":{"type":"form_field","field":"x"}}]}}'),
('action', '{"type":"data_modification","subtype":"upsert","target":"t","key":"id","values":{"id":1}}', '{"type":"data_modification","subtype":"upsert_row","target":"t","parameters":{"key":["id"],"values":{"id":1}}}'),
('action', '{"type":"data_modification","subtype":"delete_rows","target":"t","selector":{"currentRow":true,"selection":false}}', '{"type":"data_modification","subtype":"delete_rows","target":"t","parameters":{"selector":{"current_row":true}}}'),
('action', '{"type":"variable","subtype":"set","target":"v","value":null}', '{"type":"variable","subtype":"set","target":"v","parameters":{"value":null}}'),
('action', '{"type":"variable","subtype":"clear","target":"v"}', '{"type":"variable","subtype":"clear","target":"v"}'),
('action', '{"type":"variable","subtype":"set","target":"v","value":{"type":"variable","variableName":"w"}}', '{"type":"variable","subtype":"set","target":"v","parameters":{"value":{"type":"variable","variable":"w"}}}'),
('action',
 '{"type":"navigation","subtype":"navigate_workbook","targetElement":"page2","passControlValues":{"camelCase":"[Control/a]"},"openIn":"_parent"}',
 '{"type":"navigation","subtype":"navigate_workbook","target":"page2","parameters":{"pass_control_values":{"camelCase":{"type":"formula","formula":"[Control/a]"}},"open_in":"_parent"}}'),
('action', '{"type":"navigation","subtype":"openLink","url":"https://x.example/?q={{Upper([Control/a])}}&b={{{{"}', '{"type":"navigation","subtype":"open_link","target":"https://x.example/?q={{Upper([Control/a])}}&b={{{{"}'),
('value', '{"type":"formula","formula":"if( [Control/a]>1,''x'',\n2*(3)+[b c].Min )"}', '{"type":"formula","formula":"If([Control/a] > 1, \"x\", 2 * 3 + [b c].Min)"}'),
('action', '{"type":"navigation","subtype":"open_link","target":"a{{ {x: {y: ''}}''}}.x }}{{upper( \"}}\" )}}"}', '{"type":"navigation","subtype":"open_link","target":"a{{ {x: {y: \"}}\"}}.x}}{{Upper(\"}}\")}}"}'),
('action', '{"type":"navigation","subtype":"open_link","target":"{[Control/a]}{{{{[Control/a]}}{{{{{{ \"}}\" & [Control/}}] }}"}', '{"type":"navigation","subtype":"open_link","target":"{{{[Control/a]}}}{{{{{{[Control/a]}}}}{{{{{{\"}}\" & [Control/}}]}}"}'),
('action', '{"type":"modal","subtype":"open","modalId":"m"}', '{"type":"modal","subtype":"open","target":"m"}'),
('action', '{"type":"modal","subtype":"close"}', '{"type":"modal","subtype":"close"}'),
('action', '{"type":"tabs","target":"t","index":1}', '{"type":"tabs","subtype":"select","target":"t","parameters":{"index":1}}'),
('action', '{"type":"element","subtype":"sort","elementId":"e","sort":[{"columnName":"a","direction":"descending"},"b"]}', '{"type":"element","subtype":"sort","target":"e","parameters":{"sort":[{"column":"a","direction":"desc"},"b"]}}'),
('action', '{"type":"form","subtype":"set_values","target":"f","values":{"A b":1}}', '{"type":"form","subtype":"set_values","target":"f","parameters":{"values":{"A b":1}}}'),
('action', '{"type":"plugin","target":"p","effect":"go","payload":{"camelCase":1}}', '{"type":"plugin","subtype":"trigger","target":"p","parameters":{"effect":"go","payload":{"camelCase":1}}}'),
('action', '{"type":"embed","payload":null,"parameters":{"name":"done"}}', '{"type":"embed","subtype":"send_event","parameters":{"name":"done","payload":null}}'),
('action', '{"type":"container","target":"c","value":5}', '{"type":"container","subtype":"set_row","target":"c","parameters":{"value":5}}'),
('action', '{"type":"stored_procedure","target":"public.f","arguments":{"camelCase":"[Selection/a]"}}', '{"type":"stored_procedure","target":"public.f","parameters":{"arguments":{"camelCase":{"type":"formula","formula":"[Selection/a]"}}}}'),
('action', '{"type":"stored_procedure","target":"public.f","arguments":[1,"[Control/a]"]}', '{"type":"stored_procedure","target":"public.f","parameters":{"arguments":[1,{"type":"formula","formula":"[Control/a]"}]}}'),
('action', '{"type":"export","subtype":"CSV","target":"t","columns":["a"],"limit":10}', '{"type":"export","subtype":"csv","target":"t","parameters":{"columns":["a"],"limit":10}}'),
('action', '{"type":"notify","channel":"email","recipients":"a@x.example","subject":"[Control/a]!","body":"{{{{x"}', '{"type":"notify","parameters":{"channel":"email","recipients":["a@x.example"],"subject":"{{[Control/a]}}!","body":"{{{{x"}}'),
('action',
 '{"type":"flow","subtype":"ifElse","branches":[{"conditions":{"type":"custom_formula","formula":"[x]"},"actions":["a",{"id":"b","type":"flow","subtype":"stop","status":"Failed","message":"[Control/c]"}]}],"else":[]}',
 '{"type":"flow","subtype":"if_else","parameters":{"branches":[{"condition":{"type":"custom_formula","formula":"[x]"},"actions":["a",{"id":"b","type":"flow","subtype":"stop","parameters":{"status":"failed","message":"{{[Control/c]}}"}}]}],"else":[]}}'),
('action', '{"type":"flow","subtype":"forEach","rows":"Selection","actions":["a"],"maxRows":5}', '{"type":"flow","subtype":"for_each","parameters":{"rows":"selection","actions":["a"],"max_rows":5}}'),
('action', '{"type":"flow","subtype":"run_sequence","target":"s","context":{"controls":{"camelCase":1}}}', '{"type":"flow","subtype":"run_sequence","target":"s","parameters":{"context":{"controls":{"camelCase":1}}}}'),
('action',
 '{"type":"ai_query","warehouse":"snowflake","function":"cortex.complete","model":"mistral","prompt":"x","parameters":{"maxTokens":5}}',
 '{"type":"ai_query","parameters":{"model":"snowflake.cortex.complete","query":"x","parameters":{"model":"mistral","max_tokens":5}}}'),
('action',
 '{"type":"ai_query","parameters":{"model":"ai.classify","prompt":"x","parameters":{"labels":["a"]}}}',
 '{"type":"ai_query","parameters":{"model":"ai.classify","query":"x","parameters":{"labels":["a"]}}}'),
('action',
 '{"type":"api_call","target":"crm","method":"post","path":"/a/[Selection/id]","query":{"camelCase":"[Control/a]"},"headers":{"X-Y":"z"},"body":{"camelCase":{"x":1}}}',
 '{"type":"api_call","target":"crm","parameters":{"method":"POST","path":"/a/{{[Selection/id]}}","query":{"camelCase":{"type":"formula","formula":"[Control/a]"}},"headers":{"X-Y":"z"},"body":{"camelCase":{"x":1}}}}'),
('action', '{"type":"agent","subtype":"call","target":"helper","prompt":"[Control/q]"}', '{"type":"agent","subtype":"call","target":"helper","parameters":{"query":"{{[Control/q]}}"}}'),
('action',
 '{"type":"control","subtype":"clear_value","target":"c","conditions":[{"type":"selection_value","formula":"[Selection/a b]","operator":"IN","expectedValue":["x"],"match":"ALL"}],"errorHandling":"Retry","retry":{"times":2,"backoffMs":10},"timeoutMs":100}',
 '{"type":"control","subtype":"clear_value","target":"c","conditions":[{"type":"selection_value","column":"a b","operator":"in","expected_value":["x"],"match":"all"}],"error_handling":"retry","retry":{"times":2,"backoff_ms":10},"timeout_ms":100}');

-- sequences, triggers, conditions, values, selectors, variables, contexts
INSERT INTO fixtures (kind, given, canonical) VALUES
('action_sequence',
 '{"id":"s","trigger":{"type":"on-click","elementId":"b"},"executionConfig":{"timeout":500,"continueOnFailure":true,"atomic":false,"successAlert":{"title":"Saved [Control/a]"}},"actions":["a1",{"id":"x","type":"modal","subtype":"close"}]}',
 '{"id":"s","trigger":{"type":"click","element_id":"b"},"timeout_ms":500,"stop_on_error":false,"execution_config":{"atomic":false,"success_alert":{"title":"Saved {{[Control/a]}}"}},"actions":["a1",{"id":"x","type":"modal","subtype":"close"}]}'),
('sequence', '{"actions":["a"],"executionConfig":{"continue_on_failure":false}}', '{"actions":["a"],"stop_on_error":true}'),
('trigger', '{"type":"row-change","tableId":"t","operations":"INSERT","columns":["camelCase"],"when":"afterCommit"}', '{"type":"row_change","table_id":"t","operations":["insert"],"columns":["camelCase"],"when":"after_commit"}'),
('trigger', '{"type":"schedule","cron":"0 6 * * 1","timezone":"Europe/Berlin"}', '{"type":"schedule","cron":"0 6 * * 1","timezone":"Europe/Berlin"}'),
('condition', '[{"type":"CustomFormula","formula":"[a] > 1"},{"type":"control_value","controlId":"c","operator":"is_not_null","expectedValue":null}]', '[{"type":"custom_formula","formula":"[a] > 1"},{"type":"control_value","control_id":"c","operator":"is_not_null"}]'),
('condition', '{"type":"control_value","controlId":"c","operator":"==","expectedValue":null}', '{"type":"control_value","control_id":"c","operator":"=","expected_value":null}'),
('condition', '{"type":"ai_result","variable":"v","expectedValue":"positive"}', '{"type":"ai_result","variable":"v","operator":"=","expected_value":"positive"}'),
('condition', '{"type":"selection_value","column":"c","expectedValue":"[Control/x]"}', '{"type":"selection_value","column":"c","operator":"=","expected_value":{"type":"formula","formula":"[Control/x]"}}'),
('condition', '{"type":"selection_value","formula":"[Selection/a\\]b]","expectedValue":1}', '{"type":"selection_value","column":"a]b","operator":"=","expected_value":1}'),
('value', '"[Selection/a]"', '{"type":"formula","formula":"[Selection/a]"}'),
('value', '"[Selection/a] "', '"[Selection/a] "'),
('value', '"[Other/a]"', '"[Other/a]"'),
('value', '"[Control/]"', '"[Control/]"'),
('value', '{"type":"static","value":"[Selection/a]"}', '{"type":"static","value":"[Selection/a]"}'),
('value', '{"type":"Static","value":{"a":1}}', '{"a":1}'),
('value', '{"type":"static","value":null}', 'null'),
('value', '{"min":1,"max":2}', '{"min":1,"max":2}'),
('selector', '{"rowId":5}', '{"row_id":5}'),
('variable', '{"id":"v","kind":"Control","type":"boolean","default":true,"scope":"Workbook"}', '{"id":"v","kind":"control","type":"logical","default_value":true,"scope":"workbook"}'),
('context',
 '{"userId":"u","workbookId":"w","elementId":"e","startTime":"2024-01-01","warehouse":"snowflake","selection":{"rows":[{"camelCase":1}],"columns":["camelCase"],"elementType":"table","cellCoordinates":{"rowIndex":1}},"controls":{"camelCase":1},"actionVariables":{"camelCase":2},"form":{"camelCase":3},"mode":"Draft","someThing":{"camelCase":4},"metadata":{"a":1},"idempotencyKey":null}',
 '{"user_id":"u","workbook_id":"w","element_id":"e","selection":{"rows":[{"camelCase":1}],"columns":["camelCase"],"element_type":"table","cell_coordinates":{"rowIndex":1}},"controls":{"camelCase":1},"action_variables":{"camelCase":2},"form":{"camelCase":3},"mode":"draft","metadata":{"a":1,"someThing":{"camelCase":4}}}'),
('context', '{}', '{}');

-- no rows: every document comes out as written, and its canonical form again as itself
SELECT n, kind, sigma.check_document(kind, given) AS got, canonical
FROM fixtures WHERE sigma.check_document(kind, given) IS DISTINCT FROM canonical;
SELECT n, kind, sigma.check_document(kind, canonical) AS got, canonical
FROM fixtures WHERE sigma.check_document(kind, canonical) IS DISTINCT FROM canonical;
SELECT kind, count(*) FROM fixtures GROUP BY kind ORDER BY kind COLLATE "C";

-- What is refused: every line shows code, message, path and hint.
CREATE FUNCTION pg_temp.refused(kind text, doc jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
    hint text;
BEGIN
    RETURN 'ACCEPTED ' || sigma.check_document(kind, doc)::text;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format(E'%s %s\n  at %s%s', SQLSTATE, message, detail, CASE WHEN hint <> '' THEN E'\n  ' || hint END);
END
$$;
\pset format unaligned
\pset tuples_only on

-- kinds
SELECT pg_temp.refused(kind, '{}') FROM (VALUES ('input_tabel'), ('zzz'), (NULL)) AS v(kind);
SELECT pg_temp.refused('action', NULL);
SELECT pg_temp.refused(kind, doc) FROM (VALUES ('input_table', '[]'::jsonb), ('column', '"a"'), ('layout_element', '1'), ('action', 'null'), ('context', '[1]'), ('condition', '"[a]"')) AS v(kind, doc);

-- spelling: both spellings, both names, unknown keys
SELECT pg_temp.refused(kind, doc) FROM (VALUES
 ('input_table', '{"maxRows":1,"max_rows":1}'::jsonb),
 ('input_table', '{"validation":{},"validationRules":{}}'),
 ('input_table', '{"tableType":"csv","type":"csv"}'),
 ('input_table', '{"colums":[]}'),
 ('input_table', '{"governance":{"owner":"x"}}'),
 ('layout_element', '{"type":"modal","config":{"title":"a"},"title":"b"}'),
 ('layout_element', '{"type":"modal","titel":"b"}'),
 ('layout_element', '{"type":"text","style":{"fontSize":1,"font_size":2}}'),
 ('layout_element', '{"type":"button","onClick":"s"}'),
 ('action', '{"type":"modal","subtype":"open","target":"m","speed":3}'),
 ('action', '{"type":"modal","subtype":"open","target":"m","modalId":"n"}'),
 ('action', '{"type":"modal","subtype":"open","parameters":{"subtype":"close","target":"m"}}'),
 ('action', '{"type":"control","subtype":"set_value","target":"m","value":1,"parameters":{"value":2}}'),
 ('context', '{"userId":"a","user_id":"a"}'),
 ('context', '{"extra":1,"metadata":{"extra":2}}')) AS v(kind, doc);

-- wrong types and values
SELECT pg_temp.refused(kind, doc) FROM (VALUES
 ('input_table', '{"type":5}'::jsonb),
 ('input_table', '{"type":"api"}'),
 ('input_table', '{"type":"Database"}'),
 ('input_table', '{"type":"csw"}'),
 ('input_table', '{"max_rows":"5"}'),
 ('input_table', '{"max_rows":0}'),
 ('input_table', '{"max_rows":1.5}'),
 ('input_table', '{"max_rows":3000000000}'),
 ('input_table', '{"max_rows":1e400}'),
 ('input_table', '{"allow_bulk_operations":"yes"}'),
 ('input_table', '{"data_entry_permission":"nobody"}'),
 ('input_table', '{"columns":{}}'),
 ('input_table', '{"columns":[]}'),
 ('input_table', '{"columns":["a"]}'),
 ('input_table', '{"csv_data":"a","max_size":201}'),
 ('input_table', '{"type":"empty","csv_data":"a"}'),
 ('input_table', '{"type":"empty","source":"a"}'),
 ('input_table', '{"type":"linked","source":"a"}'),
 ('input_table', '{"type":"linked","source":"a","key_columns":[]}'),
 ('input_table', '{"type":"linked","source":"a","key_columns":"id","linked_columns":[{"column":"x","is_editable":true}]}'),
 ('input_table', '{"row_rules":[{"formula":"[a]","unique":["a"]}]}'),
 ('input_table', '{"row_rules":[{"ignore_case":true}]}'),
 ('input_table', '{"row_rules":[{"unique":["a","a"]}]}'),
 ('input_table', '{"metadata":[]}')) AS v(kind, doc);

-- columns
SELECT pg_temp.refused('input_table', jsonb_build_object('columns', doc)) FROM (VALUES
 ('[{"type":"text"}]'::jsonb),
 ('[{"name":"a"}]'),
 ('[{"name":"a","type":"txt"}]'),
 ('[{"name":"a","type":"timestamptz"}]'),
 ('[{"name":"a","type":"varchar(x)"}]'),
 ('[{"name":"a","type":"date(3)"}]'),
 ('[{"name":"","type":"text"}]'),
 ('[{"name":"  ","type":"text"}]'),
 ('[{"name":7,"type":"text"}]'),
 ('[{"name":"sigma_row_id","type":"text"}]'),
 ('[{"name":"ctid","type":"text"}]'),
 (jsonb_build_array(jsonb_build_object('name', repeat('ä', 32), 'type', 'text'))),
 ('[{"name":"a","type":"text"},{"name":"A","type":"text"},{"name":"a","type":"number"}]'),
 ('[{"id":"x","name":"a","type":"text"},{"id":"x","name":"b","type":"text"}]'),
 ('[{"name":"price","type":"number","system_generated":true}]'),
 ('[{"name":"id","type":"text","system_generated":true}]'),
 ('[{"name":"a","type":"text","required":true,"nullable":true}]'),
 ('[{"name":"a","type":"text","length":5,"validation":{"max_length":6}}]'),
 ('[{"name":"a","type":"varchar(5)","length":6}]'),
 ('[{"name":"a","type":"text","unique":true,"validation":{"unique":"ignore_case"}}]'),
 ('[{"name":"a","type":"text","unique":"maybe"}]'),
 ('[{"name":"a","type":"text","pattern":"x"}]'),
 ('[{"name":"a","type":"text","validation":{"regex":"x"}}]'),
 ('[{"name":"a","type":"text","validation":{"mim":1}}]'),
 ('[{"name":"a","type":"text","validation":{"min":true}}]'),
 ('[{"name":"a","type":"text","validation":{"min_length":-1}}]'),
 ('[{"name":"a","type":"text","validation":{"values":[]}}]'),
 ('[{"name":"a","type":"text","validation":{"values":["x",null]}}]'),
 ('[{"name":"a","type":"text","validation":{"values":"x"}}]'),
 ('[{"name":"a","type":"text","validation":{"format":"postcode"}}]'),
 ('[{"name":"a","type":"text","validation":{"severity":"fatal"}}]'),
 ('[{"name":"a","type":"text","validation":{"values_from":{"table":"t"}}}]'),
 ('[{"name":"a","type":"text","default_value":{"formula":3}}]')) AS v(doc);
SELECT pg_temp.refused('input_table', doc) FROM (VALUES
 ('{"columns":[{"name":"amount","type":"number"}],"validation_rules":{"amuont":{"min":1}}}'::jsonb),
 ('{"columns":[{"name":"amount","type":"number","validation":{"min":2}}],"validation_rules":{"amount":{"min":1}}}'),
 ('{"columns":[{"name":"amount","type":"number","required":true}],"validation_rules":{"amount":{"required":false}}}'),
 ('{"columns":[{"name":"amount","type":"number"}],"row_rules":[{"unique":["amount","when"]}]}')) AS v(doc);

-- layout
SELECT pg_temp.refused('layout_element', doc) FROM (VALUES
 ('{}'::jsonb),
 ('{"type":"grid"}'),
 ('{"type":"carousel"}'),
 ('{"type":"container","grid_density":8}'),
 ('{"type":"container","grid_density":"dense"}'),
 ('{"type":"container","spacing":"huge"}'),
 ('{"type":"container","border":{"width":4}}'),
 ('{"type":"container","border":2}'),
 ('{"type":"container","max_nesting":5}'),
 ('{"type":"page","max_nesting":3}'),
 ('{"type":"tab","max_nesting":3}'),
 ('{"type":"modal","max_nesting":3}'),
 ('{"type":"container","background_color":"red;background:url(x)"}'),
 ('{"type":"container","padding":"small"}'),
 ('{"type":"button","grid_density":6}'),
 ('{"type":"modal","width":"huge"}'),
 ('{"type":"modal","primary_button":{"caption":"x"}}'),
 ('{"type":"modal","title":"{{[Control/a]"}'),
 ('{"type":"modal","title":"{{ }}"}'),
 ('{"type":"modal","on_open":[]}'),
 ('{"type":"tabs","tabs":[{"type":"page"}]}'),
 ('{"type":"tab","label":"x","content":"a","children":["b"]}'),
 ('{"type":"table","position":{"gridColumn":"3 / 1"}}'),
 ('{"type":"table","position":{"gridColumn":"left"}}'),
 ('{"type":"table","position":{"gridColumn":"1 / 7"},"size":{"width":5}}'),
 ('{"type":"table","position":{"z":1}}'),
 ('{"type":"table","position":{"x":1e30}}'),
 ('{"type":"table","position":{"x":1.5,"gridColumn":"1 / 3"}}'),
 ('{"type":"table","grid":{"column":20,"width":6}}'),
 ('{"type":"table","grid":{"column":0}}'),
 ('{"type":"table","sort":[{"column":"a","direction":"up"}]}'),
 ('{"type":"chart","chart_type":"treemap3d"}'),
 ('{"type":"container","children":[{"type":"container","children":[{"typ":"x"}]}]}'),
 ('{"type":"container","children":[{"type":"container","children":[{"type":"text","content":5}]}]}'),
 ('{"type":"button","actions":[{"trigger":{"type":"clik"}}]}')) AS v(doc);

-- actions
SELECT pg_temp.refused('action', doc) FROM (VALUES
 ('{}'::jsonb),
 ('{"type":"data_operation"}'),
 ('{"type":"uiInteraction"}'),
 ('{"type":"custom"}'),
 ('{"type":"data_modificaton","subtype":"insert_row"}'),
 ('{"type":"data_modification"}'),
 ('{"type":"data_modification","subtype":"update","target":"t"}'),
 ('{"type":"data_modification","subtype":"insert_rwo","target":"t"}'),
 ('{"type":"notify","subtype":"email"}'),
 ('{"type":"data_modification","subtype":"insert_row","values":{}}'),
 ('{"type":"data_modification","subtype":"insert_row","target":"t"}'),
 ('{"type":"data_modification","subtype":"insert_row","target":"t","values":[1]}'),
 ('{"type":"data_modification","subtype":"insert_row","target":"t","values":{"a":{"type":"control"}}}'),
 ('{"type":"data_modification","subtype":"insert_row","target":"t","values":{"a":{"type":"control","controlId":"c","control":"d"}}}'),
 ('{"type":"data_modification","subtype":"insert_row","target":"t","values":{"a":1},"selector":{"row_id":1}}'),
 ('{"type":"data_modification","subtype":"insert_rows","target":"t"}'),
 ('{"type":"data_modification","subtype":"insert_rows","target":"t","rows":[{"a":1}],"source":"u"}'),
 ('{"type":"data_modification","subtype":"update_row","target":"t","values":{"a":1}}'),
 ('{"type":"data_modification","subtype":"update_row","target":"t","values":{"a":1},"selector":{}}'),
 ('{"type":"data_modification","subtype":"update_row","target":"t","values":{"a":1},"selector":{"row_id":1,"key":{"a":1}}}'),
 ('{"type":"data_modification","subtype":"update_row","target":"t","values":{"a":1},"selector":{"where":"x"}}'),
 ('{"type":"data_modification","subtype":"update_row","target":"t","values":{"a":1},"selector":{"match":{"a":{"op":"~","value":1}}}}'),
 ('{"type":"data_modification","subtype":"update_row","target":"t","values":{"a":1},"selector":{"match":{"a":{"op":"in","value":1}}}}'),
 ('{"type":"control","subtype":"set_value","target":"c"}'),
 ('{"type":"control","subtype":"set_value","target":"c","value":{"type":"invoice"}}'),
 ('{"type":"control","subtype":"set_value","target":"c","value":{"type":"formula"}}'),
 ('{"type":"control","subtype":"set_value","target":"c","value":1,"selection_mode":"toggle"}'),
 ('{"type":"navigation","subtype":"open_link","target":"{{x"}'),
 ('{"type":"navigation","subtype":"open_link","target":"x","open_in":"popup"}'),
 ('{"type":"tabs","subtype":"select","target":"t"}'),
 ('{"type":"tabs","subtype":"select","target":"t","index":-1}'),
 ('{"type":"flow","subtype":"if_else","branches":[]}'),
 ('{"type":"flow","subtype":"if_else","branches":[{"condition":{"type":"custom_formula","formula":"[a]"},"actions":[{"type":"modal","subtype":"opn"}]}]}'),
 ('{"type":"flow","subtype":"stop","target":"x"}'),
 ('{"type":"ai_query","model":"m","query":"q","cost_budget":5}'),
 ('{"type":"ai_query","warehouse":"snowflake","prompt":"x"}'),
 ('{"type":"api_call","target":"s","method":"FETCH"}'),
 ('{"type":"modal","subtype":"close","error_handling":"explode"}'),
 ('{"type":"modal","subtype":"close","retry":{"times":0}}'),
 ('{"type":"modal","subtype":"close","timeout_ms":-1}'),
 ('{"type":"modal","subtype":"close","conditions":{"region":"West"}}')) AS v(doc);

-- sequences, triggers, conditions, variables, contexts
SELECT pg_temp.refused(kind, doc) FROM (VALUES
 ('sequence', '{"actions":[{"id":"a","type":"modal","subtype":"close"},{"type":"flow","subtype":"for_each","rows":"selection","actions":[{"id":"a","type":"modal","subtype":"close"}]}]}'::jsonb),
 ('sequence', '{"actions":["a",""]}'),
 ('sequence', '{"actions":[5]}'),
 ('sequence', '{}'),
 ('action_sequence', '{"name":"s","actions":[]}'),
 ('sequence', '{"actions":null}'),
 ('sequence', '{"actions":["a"],"timeout_ms":-1}'),
 ('sequence', '{"actions":["a"],"execution_config":{"timeout":5},"timeout_ms":6}'),
 ('sequence', '{"actions":["a"],"execution_config":{"continue_on_failure":1}}'),
 ('sequence', '{"actions":["a"],"execution_config":{"concurrency":"queue"}}'),
 ('sequence', '{"actions":["a"],"execution_config":{"stop_on_error":true}}'),
 ('trigger', '{"element_id":"e"}'),
 ('trigger', '{"type":"submit"}'),
 ('trigger', '{"type":"schedule"}'),
 ('trigger', '{"type":"row_change"}'),
 ('trigger', '{"type":"click","cron":"* * * * *"}'),
 ('trigger', '{"type":"row_change","table_id":"t","operations":["truncate"]}'),
 ('condition', '{"type":"control_vale","control_id":"c"}'),
 ('condition', '{"type":"control_value"}'),
 ('condition', '{"type":"control_value","control_id":"c"}'),
 ('condition', '{"type":"control_value","formula":"[Selection/a]","expected_value":1}'),
 ('condition', '{"type":"control_value","control_id":"c","formula":"[Control/d]","expected_value":1}'),
 ('condition', '{"type":"control_value","control_id":"c","operator":"not in","expected_value":[1]}'),
 ('condition', '{"type":"control_value","control_id":"c","operator":"between","expected_value":[1]}'),
 ('condition', '{"type":"control_value","control_id":"c","operator":"is_null","expected_value":1}'),
 ('condition', '{"type":"ai_result","variable":"v","threshold":1,"expected_value":2}'),
 ('condition', '{"type":"ai_result","variable":"v"}'),
 ('condition', '[{"type":"custom_formula","formula":" "}]'),
 ('variable', '{"id":"v","type":"money"}'),
 ('variable', '{"id":"v","scope":"global"}'),
 ('context', '{"selection":[1]}'),
 ('context', '{"selection":{"rows":[1]}}'),
 ('context', '{"controls":[]}'),
 ('context', '{"mode":"live"}')) AS v(kind, doc);

-- no document is too deep or too wide to be answered
SELECT pg_temp.refused('layout_element', jsonb_build_object('type', 'page', 'style', jsonb_object_agg('k' || i, i))) FROM generate_series(1, 300) AS i;
SELECT regexp_replace(pg_temp.refused('layout_element',
    (repeat('{"type":"container","children":[', 100) || '{"type":"x"}' || repeat(']}', 100))::jsonb), '(\.children\[0\])+', ' ... ');
SELECT left(pg_temp.refused('value', (repeat('[', 5000) || repeat(']', 5000))::jsonb), 20);
SELECT length(pg_temp.refused('layout_element', jsonb_build_object('type', 'text', 'content', repeat('{{{{[Control/a]', 100000))));

DROP FUNCTION pg_temp.refused(text, jsonb);
DROP TABLE fixtures;
