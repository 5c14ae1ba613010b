-- What a statement is refused with, each part of it on a line.
\set include :test '/include/failure.sql'
\i :include
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.failure(statement, ' ', E'\n') $$;
