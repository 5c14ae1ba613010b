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

-- none: every fixture comes out as written, and its canonical form again as itself
SELECT n, kind, sigma.check_document(kind, given) AS got, canonical
FROM fixtures WHERE sigma.check_document(kind, given) IS DISTINCT FROM canonical;
SELECT n, kind, sigma.check_document(kind, canonical) AS got, canonical
FROM fixtures WHERE sigma.check_document(kind, canonical) IS DISTINCT FROM canonical;
