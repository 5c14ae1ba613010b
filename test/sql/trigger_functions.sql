-- The trigger functions of the catalog are for its own tables.  A role that may
-- execute them can make them triggers of tables of any other shape: that ends in
-- an error, whatever the timing and level (https://www.postgresql.org/docs/current/trigger-interface.html).
CREATE TEMP TABLE tf_shape (id int, type int, config float8, parent_id int, children int, nesting_level bool, value int);
INSERT INTO tf_shape VALUES (1, 2, 3, 4, 5, true, 6);

CREATE FUNCTION pg_temp.answers(function_name text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    timing text; level text; operation text;
    answer text;
    answers text[] = '{}';
BEGIN
    FOREACH timing IN ARRAY ARRAY['BEFORE', 'AFTER'] LOOP
        FOREACH level IN ARRAY ARRAY['ROW', 'STATEMENT'] LOOP
            FOREACH operation IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE'] LOOP
                BEGIN
                    EXECUTE format('CREATE TRIGGER tf %s %s ON tf_shape FOR EACH %s EXECUTE FUNCTION sigma.%I()',
                                   timing, operation, level, function_name);
                    EXECUTE CASE operation
                        WHEN 'INSERT' THEN 'INSERT INTO tf_shape SELECT * FROM tf_shape'
                        WHEN 'UPDATE' THEN 'UPDATE tf_shape SET id = 2'
                        ELSE 'DELETE FROM tf_shape' END;
                    RAISE EXCEPTION 'no error';
                EXCEPTION WHEN OTHERS THEN
                    answer = CASE SQLSTATE WHEN 'P0001' THEN SQLERRM ELSE SQLSTATE END;
                    IF answer <> ALL (answers) THEN answers = answers || answer; END IF;
                END;
            END LOOP;
        END LOOP;
    END LOOP;
    RETURN (SELECT string_agg(a, ', ' ORDER BY a COLLATE "C") FROM unnest(answers) AS a);
END
$$;

-- 39P01: not called as the trigger it is; 55000: the table is no data table; no error: no row is read
SELECT proname, pg_temp.answers(proname::text)
FROM pg_proc
WHERE pronamespace = 'sigma'::regnamespace AND prorettype = 'trigger'::regtype
ORDER BY proname COLLATE "C";
SELECT * FROM tf_shape;

-- the functions of the layout need what their triggers hand them
BEGIN;
CREATE TRIGGER tf AFTER INSERT ON sigma.sigma_layout_elements FOR EACH STATEMENT EXECUTE FUNCTION sigma.layout_check();
SELECT sigma.create_page('{"id": "tf_page"}');
ROLLBACK;
DROP TABLE tf_shape;
