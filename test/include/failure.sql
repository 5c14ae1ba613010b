-- What a statement fails with, if it does: SQLSTATE, message, detail and hint.
CREATE FUNCTION pg_temp.failure(statement text, colon text DEFAULT ': ', line text DEFAULT E'\n') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(line, state || colon || message, nullif(detail, ''), nullif(hint, ''));
END
$$;
