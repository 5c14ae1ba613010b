-- defaults that are formulas: of columns that an INSERT leaves out
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET sigma.user_email = 'ada@example.com';
SELECT sigma.create_input_table('{"id": "fd", "name": "FD", "columns": [
    {"name": "Item", "type": "text"},
    {"name": "By", "type": "text", "default_value": {"formula": "Lower(CurrentUserEmail())"}},
    {"name": "On", "type": "date", "default_value": {"formula": "Today()"}},
    {"name": "At", "type": "datetime", "default_value": {"formula": "Now()"}, "editable": false},
    {"name": "Half", "type": "integer", "default_value": {"formula": "5 / 2"}, "validation": {"min": 0, "max": 10}},
    {"name": "Ok", "type": "checkbox", "default_value": {"formula": "True"}},
    {"name": "Doc", "type": "json", "default_value": {"formula": "{v: 1}"}}]}');
SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = 'sigds.sigds_fd'::regclass AND attname IN ('Half', 'Ok') ORDER BY attnum;
-- left out, NULL, given
INSERT INTO sigds.sigds_fd ("Item") VALUES ('sql');
INSERT INTO sigds.sigds_fd ("Item", "By", "Half") VALUES ('null', NULL, NULL);
INSERT INTO sigds.sigds_fd ("Item", "By", "Half") VALUES ('given', 'me', 7);
COPY sigds.sigds_fd ("Item") FROM stdin;
copy
\.
SELECT sigma.handle_data_entry('fd', '[{"Item": "entry"}, {"Item": "entry 2", "Half": 4}, {"Item": "entry 3", "By": null}]') ->> 'inserted' AS inserted;
SELECT sigma.import_csv('fd', E'Item\ncsv\n') ->> 'inserted' AS inserted;
SELECT "Item", "By", "On" - (sigma_created_at AT TIME ZONE 'UTC')::date AS days, "At" IS NOT NULL AS at, "Half", "Ok", "Doc" FROM sigds.sigds_fd ORDER BY sigma_row_id;
-- only its default writes a column that is not editable
INSERT INTO sigds.sigds_fd ("Item", "At") VALUES ('x', '2000-01-01');
SELECT f ->> 'rule' AS rule FROM (SELECT to_jsonb(f) AS f FROM sigma.validate_data('fd', '[{"Item": "y", "At": "2000-01-01"}, {"Item": "z"}]') AS f) AS v;
-- a default is checked like any value
SELECT sigma.alter_column('fd', 'Half', '{"default_value": {"formula": "10 * 2"}}') -> 'changed' AS changed;
INSERT INTO sigds.sigds_fd ("Item") VALUES ('too large');
SELECT "column", rule, value FROM sigma.validate_data('fd', '{"Item": "too large"}');
-- rows that are there keep no value in a new column
SELECT sigma.add_column('fd', '{"name": "New", "type": "number", "default_value": {"formula": "1 + 1"}}') IS NOT NULL AS added;
SELECT sigma.alter_column('fd', 'Half', '{"default_value": 1}') -> 'changed' AS changed;
INSERT INTO sigds.sigds_fd ("Item") VALUES ('later');
SELECT "New", count(*) FROM sigds.sigds_fd GROUP BY 1 ORDER BY 1;
SELECT sigma.alter_column('fd', 'New', '{"default_value": null}') -> 'changed' AS changed;

CREATE FUNCTION pg_temp.save(type text, formula text, more jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; msg text; det text; hin text;
BEGIN
    PERFORM sigma.create_input_table(jsonb_build_object('id', 'fd_bad', 'columns', jsonb_build_array(
        '{"name": "b", "type": "text"}'::jsonb, jsonb_build_object('name', 'a', 'type', type, 'default_value', jsonb_build_object('formula', formula)) || more)));
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, msg = MESSAGE_TEXT, det = PG_EXCEPTION_DETAIL, hin = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', state || ' ' || msg, det, nullif(hin, ''));
END $$;
SELECT pg_temp.save('number', '[b] + 1');
SELECT pg_temp.save('number', 'Count([fd/Item])');
SELECT pg_temp.save('number', '"x"');
SELECT pg_temp.save('number', '1 +');
SELECT pg_temp.save('number', '[Control/x]');
SELECT pg_temp.save('float', 'CallNumber("pg_catalog.random")', '{"editable": false}');
SELECT sigma.delete_input_table('fd', true);
