/*
 * document_specs.c
 *		Tables of documents: input tables, columns, rules, sequences, triggers, variables.
 *
 * Rows in the order in which the listings show them: keys, then aliases, then
 * foreign words.  Layout elements and actions have files of their own.
 */
#include "postgres.h"

#include "common/document.h"
#include "common/document_specs.h"
#include "common/document_hooks.h"

/*
 * Run-time fields that clients send along with definitions (N4).  Looked up last:
 * a key of the same name in a table wins.
 */
const KeySpec sigma_run_time_keys[] = {
	{"result", SPEC_DROPPED},
	{"failed", SPEC_DROPPED},
	{"execution_time", SPEC_DROPPED},
	{"is_open", SPEC_DROPPED},
	{"loading", SPEC_DROPPED},
	{"nesting_level", SPEC_DROPPED},
	{"row_count", SPEC_DROPPED},
	{"created_at", SPEC_DROPPED},
	{"updated_at", SPEC_DROPPED},
	{"export_date", SPEC_DROPPED},
	{NULL}
};

const KeySpec sigma_a_name = {.type = SPEC_NAME};

/*
 * Rules
 */
static const char *const formats[] = {"email", "phone", "date", "numeric", "url", NULL};
static const EnumSpec format_names = {formats};
static const char *const severities[] = {"error", "warn", NULL};
static const WordPair severity_aliases[] = {{"warning", "warn"}, {NULL}};
static const EnumSpec severity_names = {severities, severity_aliases};

static const KeySpec values_from_keys[] = {
	{"table", SPEC_NAME, "an input table's id or a relation", KEY_REQUIRED},
	{"column", SPEC_NAME, "the column that holds the values", KEY_REQUIRED},
	{"filter", SPEC_FORMULA, "which of its rows count"},
	{NULL}
};
static const ObjectSpec values_from_spec = {"\"values_from\"", values_from_keys};

static const KeySpec a_list_value = {.name = "values", .type = SPEC_CUSTOM, .read = sigma_read_list_value};

static const KeySpec rule_keys[] = {
	{"required", SPEC_BOOL, "null is refused"},
	{"unique", SPEC_CUSTOM, "no two rows have the same value", .read = sigma_read_unique, .value_type = "boolean or \"ignore_case\""},
	{"min", SPEC_CUSTOM, "least value", .read = sigma_read_limit, .value_type = "value"},
	{"max", SPEC_CUSTOM, "greatest value", .read = sigma_read_limit, .value_type = "value"},
	{"min_length", SPEC_INT, "least number of characters or elements", .min = 0, .max = PG_INT32_MAX},
	{"max_length", SPEC_INT, "greatest number of characters or elements", .min = 0, .max = PG_INT32_MAX},
	{"pattern", SPEC_NAME, "regular expression that the text must match"},
	{"format", SPEC_ENUM, "known form of text", .names = &format_names},
	{"values", SPEC_LIST, "the values that are allowed", KEY_NOT_EMPTY, .of = &a_list_value},
	{"values_from", SPEC_OBJECT, "where the allowed values stand", .object = &values_from_spec},
	{"formula", SPEC_FORMULA, "must not be false"},
	{"precision", SPEC_INT, "greatest number of digits", .min = 1, .max = 1000},
	{"scale", SPEC_INT, "greatest number of digits after the point", .min = 0, .max = 1000},
	{"severity", SPEC_ENUM, "whether a failure rejects the row", .names = &severity_names, .fallback = "\"error\""},
	{"message", SPEC_TEXT, "what a failure says"},
	{"regex", SPEC_REFUSED, .other = "A regular expression goes in \"pattern\"."},
	{"minimum", SPEC_REFUSED, .other = "Perhaps you meant \"min\"."},
	{"maximum", SPEC_REFUSED, .other = "Perhaps you meant \"max\"."},
	{"enum", SPEC_REFUSED, .other = "A list of allowed values goes in \"values\"."},
	{"options", SPEC_REFUSED, .other = "A list of allowed values goes in \"values\"."},
	{"choices", SPEC_REFUSED, .other = "A list of allowed values goes in \"values\"."},
	{"type", SPEC_REFUSED, .other = "A rule is its keys, such as {\"min\": 0, \"max\": 10}; it has no type."},
	{NULL}
};
const ObjectSpec sigma_rule_spec = {"a rule", rule_keys};
static const KeySpec a_rule = {.type = SPEC_OBJECT, .object = &sigma_rule_spec};

static const KeySpec row_rule_keys[] = {
	{"formula", SPEC_FORMULA, "must not be false"},
	{"unique", SPEC_LIST, "columns whose values together occur once", KEY_NOT_EMPTY, .of = &sigma_a_name},
	{"ignore_case", SPEC_BOOL, "compare text without case", .fallback = "false"},
	{"severity", SPEC_ENUM, "whether a failure rejects the row", .names = &severity_names, .fallback = "\"error\""},
	{"message", SPEC_TEXT, "what a failure says"},
	{NULL}
};
const ObjectSpec sigma_row_rule_spec = {"a row rule", row_rule_keys, NULL, NULL, sigma_finish_row_rule};
static const KeySpec a_row_rule = {.name = "row_rules", .type = SPEC_OBJECT, .object = &sigma_row_rule_spec};

/*
 * Columns
 */
static const char *const column_types[] = {
	"text", "number", "integer", "float", "date", "datetime", "checkbox",
	"dropdown", "multi-select", "json", "file", NULL
};
static const WordPair column_type_aliases[] = {
	{"varchar", "text"}, {"char", "text"}, {"string", "text"},
	{"decimal", "number"}, {"numeric", "number"},
	{"int", "integer"}, {"bigint", "integer"},
	{"double", "float"}, {"real", "float"}, {"double_precision", "float"},
	{"bool", "checkbox"}, {"boolean", "checkbox"}, {"logical", "checkbox"},
	{"timestamp", "datetime"}, {"timestamp_ntz", "datetime"},
	{"variant", "json"}, {"object", "json"}, {"jsonb", "json"},
	{"array", "multi-select"},
	{"select", "dropdown"}, {"single_select", "dropdown"}, {"enum", "dropdown"},
	{NULL}
};
static const WordPair column_type_hints[] = {
	{"timestamptz", "A datetime has no time zone: use \"datetime\" and store UTC."},
	{"timestamp_tz", "A datetime has no time zone: use \"datetime\" and store UTC."},
	{"time", "Use \"datetime\", or \"text\" with a pattern."},
	{"uuid", "Use \"text\"."},
	{"formula", "A computed column has the type of its result and the key \"formula\"."},
	{NULL}
};
const EnumSpec sigma_column_type_names = {column_types, column_type_aliases, column_type_hints};

static const KeySpec column_keys[] = {
	{"id", SPEC_NAME, "its identity, made where it is absent"},
	{"name", SPEC_CUSTOM, "its name", KEY_REQUIRED, .read = sigma_read_column_name, .value_type = "text"},
	{"type", SPEC_ENUM, "its type", .names = &sigma_column_type_names},
	{"required", SPEC_BOOL, "null is refused", KEY_NO_FALSE},
	{"unique", SPEC_CUSTOM, "no two rows have the same value", KEY_NO_FALSE, .read = sigma_read_unique, .value_type = "boolean or \"ignore_case\""},
	{"default_value", SPEC_CUSTOM, "a value or {formula}", .read = sigma_read_default, .value_type = "value"},
	{"editable", SPEC_BOOL, "false: only defaults, imports and runs write it", KEY_NO_TRUE, .fallback = "true"},
	{"protected", SPEC_BOOL, "true: nobody writes it", KEY_NO_FALSE, .fallback = "false"},
	{"validation", SPEC_OBJECT, "its rules", .object = &sigma_rule_spec},
	{"formula", SPEC_FORMULA, "computes it"},
	{"description", SPEC_TEXT, "what it is for"},
	{"metadata", SPEC_OPEN, "whatever the client adds"},
	{"renamed_from", SPEC_NAME, "in an update: its name until now"},
	{"drop", SPEC_BOOL, "in an update: drop it", KEY_NO_FALSE},
	{"default", SPEC_ALIAS, .other = "default_value"},
	{"values", SPEC_REFUSED, .other = "A list of allowed values goes in \"validation\": {\"values\": [...]}, or in \"options\"."},
	{"min", SPEC_REFUSED, .other = "Rules go in \"validation\"."},
	{"max", SPEC_REFUSED, .other = "Rules go in \"validation\"."},
	{"pattern", SPEC_REFUSED, .other = "Rules go in \"validation\"."},
	{"max_length", SPEC_REFUSED, .other = "Rules go in \"validation\"; \"length\" may stand here."},
	{NULL}
};
const ObjectSpec sigma_column_spec = {"a column", column_keys, NULL, sigma_begin_column, sigma_finish_column};
static const KeySpec a_column = {.name = "columns", .type = SPEC_OBJECT, .object = &sigma_column_spec};

/*
 * Input tables
 */
static const char *const table_types[] = {"empty", "csv", "linked", NULL};
static const WordPair table_type_hints[] = {
	{"api", "Use \"csv\" and import the rows, or \"linked\" for a relation."},
	{"database", "Use \"csv\" and import the rows, or \"linked\" for a relation."},
	{NULL}
};
static const EnumSpec table_type_names = {table_types, NULL, table_type_hints};
static const char *const permissions[] = {"draft", "published", NULL};
static const WordPair permission_aliases[] = {
	{"draft_only", "draft"}, {"published_only", "published"}, {NULL}
};
static const EnumSpec permission_names = {permissions, permission_aliases};

static const KeySpec governance_keys[] = {
	{"editors", SPEC_LIST, "roles that edit", .of = &sigma_a_name},
	{"viewers", SPEC_LIST, "roles that view", .of = &sigma_a_name},
	{"row_filter", SPEC_FORMULA, "which rows may be seen"},
	{"row_edit", SPEC_FORMULA, "which rows may be changed"},
	{"audit", SPEC_BOOL, "the edit log is kept", .fallback = "true"},
	{"tamper_evident", SPEC_BOOL, "entries of the log are chained", .fallback = "false"},
	{NULL}
};
static const ObjectSpec governance_spec = {"\"governance_config\"", governance_keys};

static const KeySpec linked_column_keys[] = {
	{"column", SPEC_NAME, "the source's column", KEY_REQUIRED},
	{"name", SPEC_CUSTOM, "its name here", .read = sigma_read_column_name, .value_type = "text"},
	{"source_column", SPEC_ALIAS, .other = "column"},
	{"linked_column", SPEC_ALIAS, .other = "name"},
	{NULL}
};
const ObjectSpec sigma_linked_column_spec = {"a linked column", linked_column_keys, NULL, sigma_begin_linked_column, sigma_finish_linked_column};
static const KeySpec a_linked_column = {.name = "linked_columns", .type = SPEC_CUSTOM, .read = sigma_read_linked_column};

static const KeySpec input_table_keys[] = {
	{"id", SPEC_NAME, "its id, a uuid where it is absent"},
	{"name", SPEC_NAME, "its display name"},
	{"type", SPEC_ENUM, "where its rows come from", .names = &table_type_names, .fallback = "\"empty\""},
	{"columns", SPEC_LIST, "its columns", KEY_NOT_EMPTY, .of = &a_column},
	{"data_entry_permission", SPEC_ENUM, "the version that is edited", KEY_FILLED, "draft", .names = &permission_names, .fallback = "\"draft\""},
	{"validation_rules", SPEC_MAP, "rules by column", .of = &a_rule},
	{"row_rules", SPEC_LIST, "rules over several columns", .of = &a_row_rule},
	{"governance_config", SPEC_OBJECT, "who may see and edit", .object = &governance_spec},
	{"max_rows", SPEC_INT, "greatest number of rows", .min = 1, .max = PG_INT32_MAX},
	{"allow_bulk_operations", SPEC_BOOL, "a statement may touch several rows", .fallback = "true"},
	{"metadata", SPEC_OPEN, "whatever the client adds"},
	{"source", SPEC_NAME, "linked: a relation, an input table or an element"},
	{"key_columns", SPEC_LIST, "linked: the source's key", KEY_WRAP | KEY_NOT_EMPTY, .of = &sigma_a_name},
	{"linked_columns", SPEC_LIST, "linked: columns of the source", .of = &a_linked_column},
	{"csv_data", SPEC_TEXT, "csv: rows to import when it is created, as text or base64"},
	{"encoding", SPEC_NAME, "csv: encoding of csv_data", .fallback = "\"UTF8\""},
	{"header", SPEC_BOOL, "csv: the first line names the columns", .fallback = "true"},
	{"delimiter", SPEC_NAME, "csv: what separates fields"},
	{"max_size", SPEC_NUMBER, "csv: greatest size in MB", .min = 0, .max = 200, .fallback = "200"},
	{"editable_after_upload", SPEC_BOOL, "csv: false: the imported columns are not editable", KEY_NO_TRUE, .fallback = "true"},
	{"validation", SPEC_ALIAS, .other = "validation_rules"},
	{"governance", SPEC_ALIAS, .other = "governance_config"},
	{"permission", SPEC_ALIAS, .other = "data_entry_permission"},
	{"table_type", SPEC_ALIAS, .other = "type"},
	{"parent_element", SPEC_ALIAS, .other = "source"},
	{"data_source", SPEC_ALIAS, .other = "source"},
	{"primary_key_column", SPEC_ALIAS, .other = "key_columns"},
	{"augmentation_columns", SPEC_ALIAS, .other = "columns"},
	{"header_row", SPEC_ALIAS, .other = "header"},
	{NULL}
};
const ObjectSpec sigma_input_table_spec = {"an input table", input_table_keys, NULL, sigma_begin_input_table, sigma_finish_input_table};

/*
 * Triggers
 */
static const char *const trigger_types[] = {
	"manual", "click", "select", "change", "context_menu", "modal_primary", "modal_secondary",
	"modal_close", "modal_open", "form_primary", "form_secondary", "load", "schedule",
	"webhook", "row_change", NULL
};
static const WordPair trigger_aliases[] = {
	{"on_click", "click"}, {"on_select", "select"}, {"on_change", "change"},
	{"on_context_menu", "context_menu"}, {"on_load", "load"},
	{"on_primary_cta_click", "modal_primary"}, {"on_secondary_cta_click", "modal_secondary"},
	{"on_close", "modal_close"}, {"on_open", "modal_open"},
	{NULL}
};
static const WordPair trigger_hints[] = {
	{"submit", "A form's button is \"form_primary\"."},
	{"on_submit", "A form's button is \"form_primary\"."},
	{"cron", "Use \"schedule\" with \"cron\"."},
	{"timer", "Use \"schedule\" with \"cron\"."},
	{"insert", "Use \"row_change\" with \"operations\": [\"insert\"]."},
	{"update", "Use \"row_change\" with \"operations\": [\"update\"]."},
	{"delete", "Use \"row_change\" with \"operations\": [\"delete\"]."},
	{NULL}
};
const EnumSpec sigma_trigger_type_names = {trigger_types, trigger_aliases, trigger_hints};
static const char *const operations[] = {"insert", "update", "delete", NULL};
static const EnumSpec operation_names = {operations};
static const KeySpec an_operation = {.name = "operation", .type = SPEC_ENUM, .names = &operation_names};
static const char *const moments[] = {"now", "after_commit", NULL};
static const EnumSpec moment_names = {moments, .quoted = true};

static const KeySpec trigger_keys[] = {
	{"type", SPEC_ENUM, "what starts the sequence", KEY_REQUIRED, .names = &sigma_trigger_type_names},
	{"element_id", SPEC_NAME, "the element that is used"},
	{"column_name", SPEC_NAME, "select, context_menu: the column; absent: any"},
	{"menu_item_id", SPEC_NAME, "context_menu: the item"},
	{"cron", SPEC_NAME, "schedule: when, as five fields"},
	{"timezone", SPEC_NAME, "schedule: whose time"},
	{"table_id", SPEC_NAME, "row_change: the input table"},
	{"operations", SPEC_LIST, "row_change: which changes", KEY_WRAP | KEY_NOT_EMPTY, .of = &an_operation},
	{"columns", SPEC_LIST, "row_change: an update of which columns", KEY_NOT_EMPTY, .of = &sigma_a_name},
	{"when", SPEC_ENUM, "row_change: at once or after the commit", .names = &moment_names, .fallback = "\"now\""},
	{NULL}
};
const ObjectSpec sigma_trigger_spec = {"a trigger", trigger_keys, NULL, NULL, sigma_finish_trigger};

/*
 * Sequences
 */
static const char *const concurrencies[] = {"allow", "skip", "wait", NULL};
static const EnumSpec concurrency_names = {concurrencies};

static const KeySpec alert_keys[] = {
	{"title", SPEC_DYNAMIC, "its title"},
	{"message", SPEC_DYNAMIC, "its text"},
	{NULL}
};
static const ObjectSpec alert_spec = {"an alert", alert_keys};

static const KeySpec execution_keys[] = {
	{"atomic", SPEC_BOOL, "a run that ends in an error leaves nothing behind", .fallback = "true"},
	{"concurrency", SPEC_ENUM, "what to do where a run is under way", .names = &concurrency_names, .fallback = "\"allow\""},
	{"max_rows_changed", SPEC_INT, "greatest number of rows a run may change", .min = 0, .max = PG_INT64_MAX},
	{"max_actions", SPEC_INT, "greatest number of steps of a run", .min = 1, .max = PG_INT32_MAX},
	{"max_ai_calls", SPEC_INT, "greatest number of AI calls of a run", .min = 0, .max = PG_INT32_MAX},
	{"success_alert", SPEC_OBJECT, "shown after a success", .object = &alert_spec},
	{"failure_alert", SPEC_OBJECT, "shown after a failure", .object = &alert_spec},
	{"stop_on_error", SPEC_REFUSED, .other = "\"stop_on_error\" is a key of the sequence itself."},
	{"retry", SPEC_REFUSED, .other = "An action has \"error_handling\": \"retry\" and \"retry\": {times, backoff_ms}."},
	{NULL}
};
static const ObjectSpec execution_spec = {"\"execution_config\"", execution_keys};

static const KeySpec an_id_or_action = {.name = "actions", .type = SPEC_NAME_OR_OBJECT, .object = &sigma_action_spec};

static const KeySpec sequence_keys[] = {
	{"id", SPEC_NAME, "its id, a uuid where it is absent"},
	{"name", SPEC_NAME, "its name"},
	{"trigger", SPEC_OBJECT, "what starts it", .object = &sigma_trigger_spec},
	{"condition", SPEC_CUSTOM, "it runs only where this is true", .read = sigma_read_condition, .value_type = "condition"},
	{"actions", SPEC_LIST, "its steps: ids of actions or actions", KEY_REQUIRED | KEY_NOT_EMPTY, .of = &an_id_or_action},
	{"stop_on_error", SPEC_BOOL, "a failing step ends the run", .fallback = "true"},
	{"timeout_ms", SPEC_INT, "how long a run may take in milliseconds; 0: no limit", .min = 0, .max = PG_INT32_MAX, .fallback = "30000"},
	{"is_paused", SPEC_BOOL, "it does not run", .fallback = "false"},
	{"execution_config", SPEC_OBJECT, "how it runs", .object = &execution_spec},
	{"metadata", SPEC_OPEN, "whatever the client adds"},
	{"conditions", SPEC_ALIAS, .other = "condition"},
	{NULL}
};
const ObjectSpec sigma_sequence_spec = {"an action sequence", sequence_keys, NULL, sigma_begin_sequence, sigma_finish_sequence};

/*
 * Variables
 */
static const char *const variable_kinds[] = {"control", "variable", NULL};
static const EnumSpec variable_kind_names = {variable_kinds};
static const char *const variable_types[] = {
	"text", "number", "date", "logical", "list", "number_range", "date_range", NULL
};
static const WordPair variable_type_aliases[] = {
	{"string", "text"}, {"integer", "number"}, {"float", "number"}, {"datetime", "date"},
	{"boolean", "logical"}, {"bool", "logical"}, {"checkbox", "logical"}, {"array", "list"}, {NULL}
};
const EnumSpec sigma_variable_type_names = {variable_types, variable_type_aliases};
static const char *const variable_scopes[] = {"session", "user", "workbook", NULL};
static const EnumSpec variable_scope_names = {variable_scopes};

static const KeySpec variable_keys[] = {
	{"id", SPEC_NAME, "its id, a uuid where it is absent"},
	{"name", SPEC_NAME, "its name"},
	{"kind", SPEC_ENUM, "whether a user sets it or an action", .names = &variable_kind_names},
	{"type", SPEC_ENUM, "the type of its value", .names = &sigma_variable_type_names, .fallback = "\"text\""},
	{"value", SPEC_ANY, "its value"},
	{"default_value", SPEC_ANY, "its value where it has none"},
	{"scope", SPEC_ENUM, "who shares its value", .names = &variable_scope_names, .fallback = "\"workbook\""},
	{"metadata", SPEC_OPEN, "whatever the client adds"},
	{"default", SPEC_ALIAS, .other = "default_value"},
	{"variable_type", SPEC_ALIAS, .other = "type"},
	{NULL}
};
const ObjectSpec sigma_variable_spec = {"a variable", variable_keys};
