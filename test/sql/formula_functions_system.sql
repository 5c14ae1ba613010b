-- system functions of formulas: https://help.sigmacomputing.com/docs/system-functions-overview
\pset null ~
CREATE ROLE regress_system_ann;
CREATE ROLE "regress_System Team";
CREATE ROLE regress_system_inner IN ROLE "regress_System Team";
GRANT regress_system_inner TO regress_system_ann;
GRANT USAGE ON SCHEMA sigma TO regress_system_ann;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sigma TO regress_system_ann;

-- CurrentUserEmail: the app user
SET SESSION AUTHORIZATION regress_system_ann;
SELECT sigma.fn_currentuseremail() AS email, sigma.fn_currentuserfullname() AS full, sigma.fn_currentuserfirstname() AS first;
SET sigma.user_email = 'ada.lovelace@example.com';
SELECT sigma.fn_currentuseremail() AS email, sigma.fn_currentuserfullname() AS full, sigma.fn_currentuserfirstname() AS first;
SET sigma.user_email = '@example.com';
SELECT sigma.fn_currentuseremail() AS email, sigma.fn_currentuserfullname() AS full, sigma.fn_currentuserfirstname() AS first;
RESET sigma.user_email;

-- names of the claims, which a gateway sets
SET request.jwt.claims = '{"email": "zoe@example.com", "name": "Zoë van Dam", "Region": "East", "level": 7.50, "admin": true, "none": null, "tags": ["a", {"b": 1}], "": "empty", "empty": "", "région": "Sud"}';
SELECT sigma.fn_currentuseremail() AS email, sigma.fn_currentuserfullname() AS full, sigma.fn_currentuserfirstname() AS first;
SET sigma.user_email = 'zoe@example.com';
SELECT sigma.fn_currentuserfullname() AS full;
-- not those of somebody else
SET sigma.user_email = 'ada.lovelace@example.com';
SELECT sigma.fn_currentuserfullname() AS full, sigma.fn_currentuserfirstname() AS first;
RESET sigma.user_email;

-- CurrentUserAttributeText: https://help.sigmacomputing.com/docs/currentuserattributetext
SELECT name, sigma.fn_currentuserattributetext(name) FROM unnest(ARRAY['Region', 'region', 'level', 'admin', 'none', 'tags', '', 'empty', 'région', 'missing', NULL]) AS name;
SET request.jwt.claims = '{"given_name": "Zoë", "name": "Zoë van Dam"}';
SELECT sigma.fn_currentuserfirstname() AS first, sigma.fn_currentuserfullname() AS full, sigma.fn_currentuserattributetext('Region') AS region;
SET request.jwt.claims = '["Region"]';
SELECT sigma.fn_currentuserattributetext('Region') AS region, sigma.fn_currentuserfullname() AS full;
SET request.jwt.claims = '"Region"';
SELECT sigma.fn_currentuserattributetext('Region') AS region;
SET request.jwt.claims = '';
SELECT sigma.fn_currentuserattributetext('Region') AS region, sigma.fn_currentuseremail() AS email;
\set VERBOSITY sqlstate
SET request.jwt.claims = '{"Region": ';
SELECT sigma.fn_currentuserattributetext('Region') AS region;
\set VERBOSITY default
SET request.jwt.claims = '{"Region": "West"}';
SELECT sigma.fn_currentuserattributetext('Region') AS region;
RESET request.jwt.claims;
SELECT sigma.fn_currentuserattributetext('Region') AS region;

-- CurrentUserInTeam: https://help.sigmacomputing.com/docs/currentuserinteam
SELECT sigma.fn_currentuserinteam('regress_system_inner') AS member, sigma.fn_currentuserinteam('regress_System Team') AS through_another, sigma.fn_currentuserinteam('regress_system_ann') AS itself,
    sigma.fn_currentuserinteam('Regress_System Team') AS other_case, sigma.fn_currentuserinteam('no such role', 'regress_system_inner') AS any, sigma.fn_currentuserinteam('no such role') AS unknown,
    sigma.fn_currentuserinteam('', NULL, 'public') AS none, sigma.fn_currentuserinteam(VARIADIC '{}') AS nobody, sigma.fn_currentuserinteam(repeat('x', 100)) AS long;
RESET SESSION AUTHORIZATION;
SELECT sigma.fn_currentuserinteam('regress_System Team') AS superuser, sigma.fn_currentuserinteam('no such role') AS unknown;
SET ROLE regress_system_inner;
SELECT current_user;
RESET ROLE;
REVOKE regress_system_inner FROM regress_system_ann;
SET SESSION AUTHORIZATION regress_system_ann;
SELECT sigma.fn_currentuserinteam('regress_System Team') AS no_more;
RESET SESSION AUTHORIZATION;

-- CurrentTimezone: https://help.sigmacomputing.com/docs/currenttimezone
SELECT sigma.fn_currenttimezone();
SET sigma.timezone = 'europe/berlin';
SELECT sigma.fn_currenttimezone();
RESET sigma.timezone;

-- they read the session: not immutable
SELECT proname, provolatile FROM pg_proc WHERE pronamespace = 'sigma'::regnamespace AND proname ~ '^fn_current' ORDER BY proname COLLATE "C";

DROP OWNED BY regress_system_ann;
DROP ROLE regress_system_ann;
DROP ROLE regress_system_inner;
DROP ROLE "regress_System Team";
