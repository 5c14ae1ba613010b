-- sigma.sigma_audit has one record for each definition that a statement wrote, however
-- many it wrote and in whichever way; they are found through the table's indexes.
CREATE TEMP VIEW recorded AS
    SELECT object, operation, old, new FROM sigma.sigma_audit
    WHERE object ~ '^(variable|element):aud_' ORDER BY at, object COLLATE "C", operation;

-- more than are put there together, and documents that are stored out of line
INSERT INTO sigma.sigma_variables (id, name, kind, type, default_value)
SELECT 'aud_' || g, 'aud_' || g, 'variable', 'text',
       to_jsonb(CASE WHEN g % 100 = 0 THEN (SELECT string_agg(md5(i::text), '') FROM generate_series(g, g + 500) AS i) ELSE 'x' || g END)
FROM generate_series(1, 1000) AS g;
SELECT operation, count(*), count(DISTINCT object), sum(length(new->>'default_value')) FROM recorded GROUP BY operation;
SET enable_seqscan = off;
SELECT count(*) FILTER (WHERE a.new->>'id' = v.id AND a.new->'default_value' = v.default_value) AS found
FROM sigma.sigma_variables v JOIN sigma.sigma_audit a ON a.object = 'variable:' || v.id WHERE v.id ~ '^aud_';
RESET enable_seqscan;
-- the members are those of the row, in the order of jsonb: the text of it reads back as the same
SELECT bool_and(new = new::text::jsonb) AS same, count(DISTINCT new - 'id' - 'name' - 'default_value') AS shapes FROM recorded;
SELECT new FROM recorded WHERE object = 'variable:aud_7';
-- values and stamps are no definitions; of a definition that changed, what changed is recorded
UPDATE sigma.sigma_variables SET value = '"new"' WHERE id ~ '^aud_';
UPDATE sigma.sigma_variables SET type = type, name = name WHERE id ~ '^aud_';
SELECT count(*) FROM recorded WHERE operation = 'update';
UPDATE sigma.sigma_variables SET default_value = CASE WHEN id = 'aud_2' THEN '"two"' ELSE default_value END, metadata = CASE WHEN id = 'aud_3' THEN '{"a": 1}' ELSE metadata END WHERE id ~ '^aud_';
SELECT * FROM recorded WHERE operation = 'update';
-- an upsert makes and changes
INSERT INTO sigma.sigma_variables (id, name, kind, type) VALUES ('aud_4', 'aud_4', 'variable', 'text'), ('aud_new', 'aud_new', 'variable', 'number')
ON CONFLICT (id) DO UPDATE SET default_value = '"4"';
SELECT operation, object, old, new FROM recorded WHERE object IN ('variable:aud_4', 'variable:aud_new') AND (operation <> 'create' OR object ~ 'new');
WITH gone AS (DELETE FROM sigma.sigma_variables WHERE id ~ '^aud_' RETURNING id) SELECT count(*) FROM gone;
SELECT operation, count(*), count(old), count(new) FROM recorded GROUP BY operation ORDER BY operation;
-- what is rolled back was not recorded; what is nested has records of its own
BEGIN;
SELECT sigma.create_page('{"id": "aud_page", "children": [{"id": "aud_text", "type": "text", "content": "x"}]}');
SELECT object, operation, new FROM recorded WHERE object ~ '^element';
ROLLBACK;
SELECT count(*) FROM recorded WHERE object ~ '^element';
-- a statement that wrote nothing leaves nothing
SELECT count(*) AS before FROM sigma.sigma_audit \gset
UPDATE sigma.sigma_variables SET name = 'no' WHERE id = 'aud_none';
DELETE FROM sigma.sigma_layout_elements WHERE id = 'aud_none';
SELECT count(*) - :before AS more FROM sigma.sigma_audit;

-- records go into a table as it was made, or nowhere
\set statement 'INSERT INTO sigma.sigma_variables (id, name, kind, type) VALUES (''aud_shape'', ''aud_shape'', ''variable'', ''text'')'
BEGIN;
SAVEPOINT made;
ALTER TABLE sigma.sigma_audit ADD COLUMN team text DEFAULT 'ours';
:statement;
ROLLBACK TO made;
ALTER TABLE sigma.sigma_audit ALTER xact TYPE text;
:statement;
ROLLBACK TO made;
DELETE FROM sigma.sigma_variables;
ALTER TABLE sigma.sigma_audit DISABLE TRIGGER sigma_0_refuse;
DELETE FROM sigma.sigma_audit WHERE old IS NULL;
ALTER TABLE sigma.sigma_audit ALTER old SET NOT NULL;
:statement;
ROLLBACK TO made;
:statement;
ROLLBACK;
