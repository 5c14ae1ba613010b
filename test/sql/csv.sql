-- Reading CSV and inferring its columns
CREATE SCHEMA csv_test;
SET search_path = csv_test;

-- the columns in one line
CREATE FUNCTION columns(csv text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(format('%s: %s', c->>'name', c->>'type'), ' | ' ORDER BY n)
   FROM jsonb_array_elements(sigma.infer_columns(csv, options)) WITH ORDINALITY t(c, n) $$;
CREATE FUNCTION columns(csv bytea, options jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(format('%s: %s', c->>'name', c->>'type'), ' | ' ORDER BY n)
   FROM jsonb_array_elements(sigma.infer_columns(csv, options)) WITH ORDINALITY t(c, n) $$;
-- what is refused: SQLSTATE, message, detail, hint
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', state || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- documents that create_input_table takes
SELECT sigma.infer_columns(E'Name,Age\nAda,36\n');

-- types: the narrowest that every row fits
SELECT columns(E'i,n,c,d,t,s\n1,1.5,true,2024-01-31,2024-01-31 10:30,x\n-2,3,FALSE,2024-2-1,2024-02-01T23:59:59.5Z,\n');
-- one row at the end decides
SELECT columns(E'a,b,c,d\n' || repeat(E'1,1,true,2024-01-01\n', 5000) || E'x,1.5,no,2024-13-01\n');
-- what would lose something as a number stays text: leading zeros, signs, codes; what would not does not
SELECT columns(E'zip,phone,code,sign,hex,dots\n00123,+49 30 1234,1E5,+5,0x1F,1.2.3\n');
SELECT columns(E'zero,neg,frac,point,sci,small\n0,-7,0.50,.5,1.5E+10,2e-05\n');
SELECT columns(E'nan,inf,dash,dot,comma,underscore\nNaN,Infinity,-,.,"1,5",1_000\n');
-- bigint and beyond
SELECT columns(E'a,b,c,d\n9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809\n');
-- integers and numbers are numbers, dates and datetimes are datetimes
SELECT columns(E'a,b,c\n1,2024-01-01,1\n1.5,2024-01-01 12:00,2024-01-01\n');
-- yes and no are words, 1 and 0 are numbers
SELECT columns(E'a,b,c,d\nyes,1,true,t\nno,0,false,f\n');
-- nothing at all is text; empty cells, blanks and the null text say nothing
SELECT columns(E'a,b,c\n,,1\n"", ,\n,,2\n');
SELECT columns(E'a,b\n1,NA\nNA,NA\n', '{"null_text": "NA"}');
SELECT columns(E'a,b\n1,"NA"\nNA,x\n', '{"nullText": "NA"}');
-- numbers are trimmed
SELECT columns(E'a,b\n 1 , 2024-01-01 \n');
-- written the other way, if told so
SELECT columns(E'a;b;c\n1,5;1.234;1.234,56\n2;1.234.567;-1.000,00\n');
SELECT columns(E'a;b;c\n1,5;1.234;1.234,56\n2;1.234.567;-1.000,00\n', '{"decimal": ",", "thousands": "."}');
SELECT columns(E'a;b\n1.2345;12.34\n', '{"decimal": ",", "thousands": "."}');

-- dates: the order is found where one value shows it, for the whole file
SELECT columns(E'a,b\n31.12.2024,01/02/2024\n01.02.2024,03/04/2024\n');
SELECT columns(E'a,b\n12/31/2024,01/02/2024 10:00\n');
-- nobody can say: text; nor can two columns that contradict each other
SELECT columns(E'a\n01/02/2024\n11/12/2024\n');
SELECT columns(E'a,b,c\n31/12/2024,12/31/2024,2024-12-31\n');
SELECT columns(E'a\n01/02/2024\n11/12/2024\n', '{"date_order": "mdy"}');
-- ISO and a month's name need no order; one column can mix them
SELECT columns(E'a,b\n2024-03-01,1 March 2024\n2024/3/2,Mar 2 2024\n');
-- years of two digits only where somebody says that these are dates
SELECT columns(E'a,b\n13.01.24,10.15.07\n');
SELECT columns(E'a\n13.01.24\n', '{"dateOrder": "DMY"}');
-- days that are in no calendar
SELECT columns(E'a,b\n2023-02-29,2024-02-29\n');

-- delimiters are found, whatever is in the quotes and in the text
SELECT columns(E'a;b;c\n1;2;3\n');
SELECT columns(E'a\tb\n1\t2\n');
SELECT columns(E'a|b\n1|2\n');
SELECT columns(E'"a;b;c","d;e;f"\n"1;2;3","4"\n"x;;;;y","5"\n');
SELECT columns(E'name;price\n"Ada, Countess, of; L";1,5\nx;2,5\n');
SELECT columns(E'one\ntwo\n');
SELECT columns(E'x,y\n"a\n;b;\n",1\n');
SELECT columns(E'a;b,c\n1;2,3\n', '{"delimiter": ";"}');
SELECT columns(E'a:b\n1:2\n', '{"delimiter": ":"}');
SELECT columns(E'a\tb,c\n', '{"delimiter": "tab"}');

-- quotes: doubled ones, line breaks, delimiters; others, none
SELECT columns(E'"a ""b""","c\nd","e,f"\n1,2,3\n');
SELECT columns(E'''a,''''b'',c\n1,2\n', $${"quote": "'"}$$);
SELECT columns(E'"a,b"\n1,2\n', '{"quote": ""}');
-- in the middle of a cell a quote is a character
SELECT columns(E'6" pipe,b\n1,2\n');

-- LF, CRLF and CR, mixed; the last line without one
SELECT columns(E'a,b\r\n1,2\r3,4\n\r\n5,6');
SELECT columns(E'a,b\r1,2\r');

-- headers: trimmed, empty, repeated, reserved, too long
SELECT columns(E' a ,, b\t,a,a,a (2)\n');
SELECT columns(E'sigma_row_id,sigma_,SIGMA_x,ctid,"two\nlines"\n');
SELECT name, octet_length(name) FROM
    (SELECT c->>'name' FROM jsonb_array_elements(sigma.infer_columns(repeat('äöü', 20) || ',' || repeat('äöü', 20) || E'\n')) c) t(name);
SELECT columns(E'1,x\n2,y\n', '{"header": false}');
SELECT columns(E'a,b\n', '{"headerRow": true}');
-- rows of another length are not asked; import_csv reports them
SELECT columns(E'a,b\n1,2\nx\n1,2,3\n');

-- byte order marks
SELECT columns(E'\ufeff"a",b\n1,2\n');
SELECT columns('\xefbbbf612c620a312c320a'::bytea);
-- UTF-16, either way round: a,😀 and 1,ä
SELECT columns('\xfffe61002c003dd800de0a0031002c00e4000a00'::bytea);
SELECT columns('\xfeff0061002cd83dde00000a0031002c00e4000a'::bytea);
SELECT columns('\x61002c003dd800de0a0031002c00e4000a00'::bytea, '{"encoding": "UTF-16LE"}');
-- other encodings; in SJIS the second byte of a character may be a "|"
SELECT columns('\x61e42c620a312c320a'::bytea, '{"encoding": "latin1"}');
SELECT columns('\x802c610a312c320a'::bytea, '{"encoding": "win1252"}');
SELECT columns('\x837c815c2c620a312c320a'::bytea, '{"encoding": "sjis"}');
-- characters and line breaks across the chunks in which input is read
SELECT columns(convert_to('x' || repeat('ä', 70000) || E'\r\n1\r\n', 'UTF8'));
SELECT columns(E'a,b\r\n' || repeat(E'1,"x""\r\n"\r\n', 20000));

-- bad input is refused with its line
SELECT refused($$SELECT sigma.infer_columns('')$$);
SELECT refused($$SELECT sigma.infer_columns(E'\n \r\n\n')$$);
SELECT refused($$SELECT sigma.infer_columns('', '{"header": false}')$$);
SELECT refused($$SELECT sigma.infer_columns(E'a,b\n1,"2\n\n3\n"\n"4,\n,')$$);
SELECT refused($$SELECT sigma.infer_columns(E'a,"b" c\n')$$);
SELECT refused($$SELECT sigma.infer_columns('\x610a620d0a63ff0a'::bytea)$$);
SELECT refused($$SELECT sigma.infer_columns(convert_to(repeat(E'a,b\n', 50000), 'UTF8') || '\xc3'::bytea)$$);
SELECT refused($$SELECT sigma.infer_columns('\x610a620d0a00'::bytea)$$);
SELECT refused($$SELECT sigma.infer_columns('\xfffe61000a00000061000a00'::bytea)$$);
SELECT refused($$SELECT sigma.infer_columns('\xfffe61000a0000de'::bytea)$$);
SELECT refused($$SELECT sigma.infer_columns('\xfffe61000a006100ff'::bytea)$$);
SELECT refused($$SELECT sigma.infer_columns('\xfffe000061000000'::bytea)$$);
SELECT refused($$SELECT sigma.infer_columns('\x610a620a81'::bytea, '{"encoding": "win1252"}')$$);
SELECT refused($$SELECT sigma.infer_columns('\xefbbbf61'::bytea, '{"encoding": "latin1"}')$$);
SELECT refused($$SELECT sigma.infer_columns('\x61'::bytea, '{"encoding": "utf-16"}')$$);
SELECT refused($$SELECT sigma.infer_columns('\x61'::bytea, '{"encoding": "klingon"}')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"encoding": "latin1"}')$$);
SELECT columns('a', '{"encoding": "utf-8"}');

-- so are bad options
SELECT refused($$SELECT sigma.infer_columns('a', '[]')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"delimter": ";"}')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"delimiter": ";;"}')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"delimiter": "\n"}')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"delimiter": "*", "quote": "*"}')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"quote": ","}')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"header": "yes"}')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"decimal": ";"}')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"decimal": ",", "thousands": ","}')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"date_order": "dym"}')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"dateOrder": "dmy", "date_order": "dmy"}')$$);
SELECT refused($$SELECT sigma.infer_columns('a', '{"mode": "strict"}')$$);
SELECT refused($$SELECT sigma.infer_columns(NULL::text)$$);
-- absent and null are the same
SELECT columns(E'a,b\n1,2\n', NULL), columns(E'a,b\n1,2\n', '{"delimiter": null}');

SET client_min_messages = warning;
DROP SCHEMA csv_test CASCADE;
