-- Tests of an app inside its database: what they say, what they compare, that nothing of them is left.
-- https://testanything.org/tap-version-13-specification.html
\set QUIET 1
\pset format unaligned
\pset tuples_only on

SELECT sigma.create_input_table('{"id": "app_test_t", "columns": [{"name": "Name", "type": "text"}, {"name": "Qty", "type": "integer", "validation": {"max": 100}}, {"name": "Due", "type": "date"}]}');
INSERT INTO sigds.sigds_app_test_t ("Name", "Qty") VALUES ('mine', 1);
SELECT sigma.create_action_sequence('{"id": "app_test_s", "trigger": {"type": "click", "element_id": "app_test_b"}, "condition": {"type": "custom_formula", "formula": "Coalesce([Control/go], true)"}, "actions": [
    {"id": "app_test_a", "type": "data_modification", "subtype": "update_rows", "target": "app_test_t", "selector": {"match": {"Name": "[Control/name]"}}, "values": {"Qty": "[Control/q]", "Due": "2026-03-01"}, "output_variable": "changed",
     "error_handling": "retry", "retry": {"times": 1, "backoff_ms": 0}},
    {"id": "app_test_c", "type": "control", "subtype": "set_value", "target": "done", "value": true},
    {"id": "app_test_d", "type": "navigation", "subtype": "open_link", "target": "https://example.com/{{[ActionVar/changed]}}"}]}');
SELECT sigma.create_action_sequence('{"id": "app_test_s2", "trigger": {"type": "click", "element_id": "app_test_b"}, "actions": [
    {"id": "app_test_e", "type": "data_modification", "subtype": "insert_row", "target": "app_test_t", "values": {"Name": "log"}}]}');

--
-- tests that hold
--
SELECT sigma.create_test('app_test 1 changes the rows of that name', '{"sequence": "app_test_s",
    "given": {"app_test_t": [{"Name": "a", "Qty": 1}, {"Name": "a", "Qty": 2}, {"Name": "b", "Qty": 3}]},
    "context": {"controls": {"name": "a", "q": 7}},
    "expect": {"rows": {"app_test_t": [{"Name": "a", "Qty": 7, "Due": "2026-03-01"}, {"Name": "a", "Qty": 7}, {"Name": "b", "Due": null}]}, "row_count": {"app_test_t": 3},
        "variables": {"changed": 2}, "controls": {"done": true}, "effects": [{"type": "navigation", "target": "https://example.com/2"}]}}');
SELECT sigma.create_test('app_test 2 a rule refuses', '{"sequence": "app_test_s", "given": {"app_test_t": {"Name": "a", "Qty": 1}}, "context": {"controls": {"name": "a", "q": 700}},
    "expect": {"status": "failed", "error": {"sqlstate": "23514", "message_like": "%violates rule \"max\""}, "rows": {"app_test_t": [{"Qty": 1}]}}}');
SELECT sigma.create_test('app_test 3 skips', '{"sequence": "app_test_s", "context": {"controls": {"go": false}}, "expect": {"status": "skipped", "reason": "condition_false"}}');
SELECT sigma.create_test('app_test 4 a click starts both', '{"trigger": {"elementId": "app_test_b", "type": "onClick"}, "given": {"app_test_t": [{"Name": "a"}]}, "context": {"controls": {"name": "a", "q": 7}},
    "expect": {"rows": {"app_test_t": [{"Name": "a", "Qty": 7}, {"Name": "log"}]}, "row_count": {"app_test_t": 2}}}');
SELECT sigma.create_test('app_test 5 what is raised', '{"sequence": "app_test_none", "expect": {"error": {"sqlstate": "SG404"}}}');
SELECT sigma.create_test('app_test 6 survives a deadlock', '{"sequence": "app_test_s", "given": {"app_test_t": [{"Name": "a"}]}, "context": {"controls": {"name": "a", "q": 7}},
    "inject": [{"action_id": "app_test_a", "kind": "error", "sqlstate": "40P01"}], "expect": {"row_count": {"app_test_t": 1}}}');
SET sigma.allow_injection = on;
SELECT * FROM sigma.run_tests('app\_test%');
-- nothing is left: rows, runs, faults
SELECT "Name", "Qty" FROM sigds.sigds_app_test_t;
SELECT count(*) FROM sigma.sigma_execution_history WHERE sequence_id LIKE 'app\_test\_%';
SELECT sigma.clear_injections();
-- the session's own faults are not the tests', nor the other way round
SELECT sigma.inject('app_test_c', 'error');
SELECT sigma.inject('app_test_a', 'slow', '{"ms": 0}');
SELECT sigma.create_test('app_test 7 two faults', '{"sequence": "app_test_s", "given": {"app_test_t": []}, "inject": [{"action_id": "app_test_d", "kind": "error"}, {"action_id": "app_test_a", "kind": "error", "times": 5}], "expect": {"error": {"message_like": "injected%"}}}');
SELECT * FROM sigma.run_tests('app\_test 7%');
SELECT sigma.clear_injections();
RESET sigma.allow_injection;
SELECT * FROM sigma.run_tests('app\_test 6%');
SELECT * FROM sigma.run_tests('app\_test 0%');

--
-- what differs is said
--
DELETE FROM sigma.sigma_tests WHERE name LIKE 'app\_test%';
SELECT sigma.create_test('app_test everything is wrong # TODO', '{"sequence": "app_test_s", "given": {"app_test_t": [{"Name": "a", "Qty": 1}]}, "context": {"controls": {"name": "a", "q": 7}},
    "expect": {"status": "skipped", "reason": "paused", "error": {"sqlstate": "23514"}, "rows": {"app_test_t": [{"Name": "a", "Qty": 8}, {"Name": "z"}]}, "row_count": {"app_test_t": 5},
        "variables": {"changed": 3, "other": null}, "controls": {"done": false}, "effects": [{"type": "modal"}, {"type": "navigation"}, {"type": "navigation"}]}}');
SELECT sigma.create_test('app_test fails', '{"sequence": "app_test_s", "given": {"app_test_t": [{"Name": "a"}]}, "context": {"controls": {"name": "a", "q": 700}}}');
SELECT sigma.create_test('app_test fails otherwise', '{"sequence": "app_test_s", "given": {"app_test_t": [{"Name": "a"}]}, "context": {"controls": {"name": "a", "q": 700}}, "expect": {"error": {"message_like": "%unique%"}}}');
SELECT sigma.create_test('app_test one row for two', '{"sequence": "app_test_s", "given": {"app_test_t": [{"Name": "a"}]}, "context": {"controls": {"name": "a", "q": 7}}, "expect": {"rows": {"app_test_t": [{"Qty": 7}, {"Qty": 7}]}}}');
SELECT sigma.create_test('app_test raises', '{"sequence": "app_test_none"}');
SELECT sigma.create_test(E'app_test two\nlines', '{"sequence": "app_test_s", "given": {"app_test_none": []}}');
SELECT sigma.create_test('app_test nothing starts', '{"trigger": {"element_id": "app_test_none", "type": "click"}}');
-- an error that is expected is the run's: that of given rows, or of what is compared, is none
SELECT sigma.create_test('app_test given rows that cannot be, expected', '{"sequence": "app_test_s", "given": {"app_test_t": [{"Qty": 1}, {"Qty": 1000}, {"Qty": "x"}]}, "expect": {"error": {"sqlstate": "23514"}}}');
SELECT sigma.create_test('app_test compares with nothing', '{"sequence": "app_test_s", "expect": {"status": "success", "error": {"sqlstate": "SG404"}, "row_count": {"app_test_none": 1}}}');
SELECT sigma.create_test('app_test two fail', '{"trigger": {"element_id": "app_test_b", "type": "click"}, "given": {"app_test_t": [{"Name": "a"}]}, "context": {"controls": {"name": "a", "q": 700}}, "expect": {"status": "skipped"}}');
SELECT sigma.create_test('app_test given rows that cannot be', '{"sequence": "app_test_s", "given": {"app_test_t": [{"Qty": 1000}]}}');
SELECT * FROM sigma.run_tests('app\_test%');
SELECT "Name", "Qty" FROM sigds.sigds_app_test_t;
-- in a transaction that goes on
BEGIN;
INSERT INTO sigds.sigds_app_test_t ("Name") VALUES ('open');
SELECT count(*) FROM sigma.run_tests('app\_test%');
SELECT "Name" FROM sigds.sigds_app_test_t ORDER BY 1;
ROLLBACK;

--
-- changes: all of them, in any order
--
SELECT sigma.create_test('app_changes', '{"trigger": {"element_id": "app_test_b", "type": "click"}, "given": {"app_test_t": [{"Name": "a", "Qty": 1}, {"Name": "b"}]}, "context": {"controls": {"name": "a", "q": 7}},
    "expect": {"changes": [{"table": "app_test_t", "operation": "insert", "new": {"Name": "log"}}, {"operation": "update", "old": {"Qty": 1}, "new": {"Qty": 7}}]}}');
SELECT sigma.create_test('app_changes, none', '{"sequence": "app_test_s", "context": {"controls": {"go": false}}, "expect": {"status": "skipped", "changes": []}}');
SELECT sigma.create_test('app_changes, one too few', '{"sequence": "app_test_s2", "given": {"app_test_t": []}, "expect": {"changes": []}}');
SELECT sigma.create_test('app_changes, one too many', '{"sequence": "app_test_s2", "expect": {"changes": [{"operation": "delete"}, {"operation": "insert"}]}}');
-- sequences that rows start run for the run's rows, not for given ones
SELECT sigma.create_action_sequence('{"id": "app_test_s3", "trigger": {"type": "row_change", "table_id": "app_test_t", "operations": ["insert"], "columns": null}, "actions": [
    {"type": "data_modification", "subtype": "update_rows", "target": "app_test_t", "selector": {"selection": true}, "values": {"Qty": 99}}]}');
SELECT sigma.create_test('app_changes, followed', '{"sequence": "app_test_s2", "given": {"app_test_t": [{"Name": "a", "Qty": 1}]},
    "expect": {"rows": {"app_test_t": [{"Name": "a", "Qty": 1}, {"Name": "log", "Qty": 99}]}, "changes": [{"operation": "insert", "new": {"Qty": 99}}]}}');
SELECT regexp_replace(line, '("row_id"|"sigma_row_id"): \d+', '\1: …', 'g') FROM sigma.run_tests('app\_changes%') AS line;
SELECT sigma.delete_action_sequence('app_test_s3');
DELETE FROM sigma.sigma_tests WHERE name LIKE 'app\_changes%';

--
-- documents
--
SELECT jsonb_pretty(doc) FROM sigma.sigma_tests WHERE name = 'app_test nothing starts';
SELECT sigma.create_test('app_test fails', '{"sequence": "x"}');
SELECT sigma.delete_test('app_test fails'), sigma.delete_test('app_test fails');
SELECT sigma.create_test('app_test x', '{}');
SELECT sigma.create_test('app_test x', '{"sequence": "s", "trigger": {"element_id": "e", "type": "click"}}');
SELECT sigma.create_test('app_test x', '{"sequence": "s", "expct": {}}');
SELECT sigma.create_test('app_test x', '{"sequence": "s", "expect": {"rowCount": {"t": -1}}}');
SELECT sigma.create_test('app_test x', '{"sequence": "s", "expect": {"status": "ok"}}');
SELECT sigma.create_test('app_test x', '{"sequence": "s", "inject": {"action_id": "a", "kind": "flood"}}');
SELECT sigma.create_test('app_test x', '{"sequence": "s", "ai": {"mode": "replay"}}');
SELECT sigma.create_test('app_test x', '{"sequence": "s", "expect": {"changes": 7}}');
SELECT sigma.create_test('app_test x', '{"trigger": {"element_id": "app_test_b", "type": "clck"}}');
SELECT sigma.create_test('', '{"sequence": "s"}');
SELECT sigma.create_test(NULL, '{"sequence": "s"}');
SELECT sigma.create_test('app_test x', NULL);
UPDATE sigma.sigma_tests SET doc = '{"sequence": 7}' WHERE name = 'app_test raises';
TRUNCATE sigma.sigma_tests;

-- tests are definitions: what becomes of them is recorded
SELECT sigma.create_test('app_test audited', '{"sequence": "app_test_s", "expect": {"status": "success"}}');
UPDATE sigma.sigma_tests SET doc = '{"sequence": "app_test_s", "expect": {"status": "failed"}}' WHERE name = 'app_test audited';
UPDATE sigma.sigma_tests SET doc = doc WHERE name = 'app_test audited';
SELECT sigma.delete_test('app_test audited');
SELECT object, operation, old #>> '{doc,expect,status}' AS old, new #>> '{doc,expect,status}' AS new FROM sigma.sigma_audit WHERE object = 'test:app_test audited' ORDER BY at, operation;

--
-- rights: builders write and run tests; rows are read and written with their own rights
--
CREATE ROLE regress_app_test_builder;
CREATE ROLE regress_app_test_editor;
SELECT sigma.grant_access('regress_app_test_builder', 'builder');
SELECT sigma.grant_access('regress_app_test_editor', 'editor');
SET ROLE regress_app_test_editor;
SELECT * FROM sigma.run_tests();
SELECT * FROM sigma.sigma_tests;
SET ROLE regress_app_test_builder;
SELECT sigma.create_test('app_test y', '{"sequence": "app_test_s", "given": {"app_test_t": []}, "expect": {"status": "success"}}');
SELECT * FROM sigma.run_tests('app\_test y');
SELECT sigma.delete_test('app_test y');
RESET ROLE;
DROP OWNED BY regress_app_test_builder, regress_app_test_editor;
DROP ROLE regress_app_test_builder, regress_app_test_editor;

DELETE FROM sigma.sigma_tests WHERE name LIKE 'app\_test%';
DELETE FROM sigma.sigma_action_sequences WHERE id LIKE 'app\_test\_%';
SELECT sigma.delete_input_table('app_test_t', purge => true);
