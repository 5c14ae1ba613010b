-- The app user: sigma.user_email, else "email" of the claims that PostgREST sets
-- (https://docs.postgrest.org/en/stable/references/transactions.html), else the session user.
\pset format unaligned
\pset tuples_only
SELECT sigma.create_input_table('{"id": "app_user_t", "columns": [{"name": "n", "type": "integer"}]}');

INSERT INTO sigds.sigds_app_user_t (n) VALUES (1);
SELECT sigma_created_by = session_user FROM sigds.sigds_app_user_t WHERE n = 1;

SET request.jwt.claims = '{"role": "web", "email": "claims@example.com"}';
INSERT INTO sigds.sigds_app_user_t (n) VALUES (2) RETURNING sigma_created_by;
INSERT INTO sigds.sigds_app_user_t (n) VALUES (3) RETURNING sigma_created_by;
SET request.jwt.claims = '{"email": "other@example.com"}';
UPDATE sigds.sigds_app_user_t SET n = 20 WHERE n = 2 RETURNING sigma_created_by, sigma_updated_by;

-- the setting comes first, a run's context before both
SET sigma.user_email = 'setting@example.com';
INSERT INTO sigds.sigds_app_user_t (n) VALUES (4) RETURNING sigma_created_by;
SELECT sigma.create_action_sequence('{"id": "app_user_s", "actions": [
    {"type": "data_modification", "subtype": "insert_row", "target": "app_user_t", "parameters": {"values": {"n": 5}}}]}');
SELECT sigma.execute_sequence('app_user_s', '{"user_id": "context@example.com"}')->>'status';
SELECT sigma_created_by FROM sigds.sigds_app_user_t WHERE n = 5;
SELECT user_id, role = session_user FROM sigma.sigma_execution_history WHERE sequence_id = 'app_user_s';
INSERT INTO sigds.sigds_app_user_t (n) VALUES (6) RETURNING sigma_created_by;

-- claims without an email, of another shape, or none, name nobody
RESET sigma.user_email;
SET request.jwt.claims = '{"role": "web"}';
INSERT INTO sigds.sigds_app_user_t (n) VALUES (7) RETURNING sigma_created_by = session_user;
SET request.jwt.claims = '{"email": 7}';
INSERT INTO sigds.sigds_app_user_t (n) VALUES (8) RETURNING sigma_created_by = session_user;
SET request.jwt.claims = '["email"]';
INSERT INTO sigds.sigds_app_user_t (n) VALUES (9) RETURNING sigma_created_by = session_user;
SET request.jwt.claims = '';
INSERT INTO sigds.sigds_app_user_t (n) VALUES (10) RETURNING sigma_created_by = session_user;

-- claims that are no JSON are an error, not somebody else's name
SET request.jwt.claims = '{"email":';
INSERT INTO sigds.sigds_app_user_t (n) VALUES (11);
RESET request.jwt.claims;

SELECT sigma.delete_action_sequence('app_user_s'), sigma.delete_input_table('app_user_t', purge => true);
DELETE FROM sigma.sigma_execution_history WHERE sequence_id = 'app_user_s';
