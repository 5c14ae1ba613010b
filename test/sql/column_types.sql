-- How JSON values are read as each column type: what a default of that value is in
-- the table, or why it is refused.
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';

CREATE FUNCTION types_read(column_type text, given jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM sigma.create_input_table(jsonb_build_object('id', 'types', 'type', 'empty', 'columns',
        jsonb_build_array(jsonb_build_object('name', 'v', 'type', column_type, 'default_value', given))));
    INSERT INTO sigds.sigds_types DEFAULT VALUES;
    SELECT v::text INTO answer FROM sigds.sigds_types;
    PERFORM sigma.delete_input_table('types', true);
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || replace(SQLERRM, 'the default of column "v"', 'it');
END
$$;
CREATE FUNCTION types_try(column_type text, VARIADIC given jsonb[]) RETURNS TABLE (value text, answer text) LANGUAGE sql AS $$
    SELECT left(g::text, 60), types_read(column_type, g) FROM unnest(given) WITH ORDINALITY AS u (g, n) ORDER BY n
$$;

SELECT * FROM types_try('text', '"a"', '""', '5', '1.50', 'true', '[1]', '"ä"');
SELECT * FROM types_try('number', '1', '"1.50"', '" -2e3 "', '".5"', '"5."', '"1,000"', '"1_000"', '"0x1F"', '"NaN"', '"-Infinity"', '""', '"."', '"1e"', '"12a"', 'true',
    '"1e131071"', '"1e131072"', '"1e-16383"', '"1e-16384"', '"0e999999999"', '"1e99999999999999999999"') WHERE length(answer) < 100;
SELECT * FROM types_try('integer', '9223372036854775807', '9223372036854775808', '-9223372036854775808', '"9223372036854775808"', '3.0', '"3.0"', '3.5', '"1e3"', '1e400', '"-"');
SELECT * FROM types_try('float', '0.1', '"0.30000000000000004"', '1e308', '1e309', '"1e-400"', '"infinity"', '"x"');
-- dates: ISO, compact, with a month's name; a time of day is dropped
SELECT * FROM types_try('date', '"2024-02-29"', '"2023-02-29"', '"20240229"', '"2024/2/9"', '"2024.02.09"', '"9 February 2024"', '"Feb 9, 2024"', '"9 Febtober 2024"', '"2024-02-29T23:00:00-08:00"', '"2024-02-29 10:00 pm"',
    '"0001-01-01"', '"0000-01-01"', '"9999-12-31"', '"10000-01-01"', '"2024-02-29 BC"', '"1/2/2024"', '"24-01-02"', '"2024-1"', '"today"', '"infinity"', '""', '20240229', '"2024-02-29 25:00"');
-- datetimes are in UTC: an offset is taken into account
SELECT * FROM types_try('datetime', '"2024-02-29"', '"2024-02-29T12:00:00Z"', '"2024-02-29T12:00:00.1234567+02:00"', '"2024-02-29 12:00 -0530"', '"2024-02-29 12:00 UTC"', '"2024-02-29 12:30:15 AM"', '"2024-02-29 24:00"', '"2024-02-29 24:00:01"',
    '"2024-02-29 12:60"', '"2024-02-29 12:00:60"', '"2024-02-29 12"', '"2024-02-29T"', '"2024-02-29 12:00 CET"', '"2024-02-29 12:00+16"', '"2024-02-29 13:00 pm"', '"9999-12-31 24:00"', '"0001-01-01 00:00+01"', '1709164800');
SELECT * FROM types_try('checkbox', 'true', '"T"', '"yes"', '"N"', '"ON"', '"off"', '1', '0', '2', '"maybe"', '""', '[true]');
SELECT * FROM types_try('multi-select', '["a","b"]', '[]', '["a",1,true]', '["a",null]', '[["a"]]', '"a"', '{"a":1}', '5');
SELECT * FROM types_try('json', '{"a":[1,null]}', '"a"', '1', 'true', '[]');
SELECT * FROM types_try('file', '{"name":"a.pdf","size":3}', '{"url":"https://x/y","media_type":"text/plain"}', '{"name":null}', '{"size":"3","name":"a"}', '"a.pdf"', '[]');
SELECT * FROM types_try('dropdown', '"a"', '7', 'false', '{}');

DROP FUNCTION types_try, types_read;
