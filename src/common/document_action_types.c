/*
 * document_action_types.c
 *		Tables of actions: their types and subtypes, and the parameters of each.
 *
 * What the tables cannot say is done by hooks in document_actions.c.
 */
#include "postgres.h"

#include "common/document.h"
#include "common/document_hooks.h"
#include "common/document_specs.h"

/*
 * Parameters by type
 */
static const KeySpec cell_row = {.name = "rows", .type = SPEC_MAP, .of = &sigma_a_cell};
const KeySpec sigma_an_action = {.name = "actions", .type = SPEC_NAME_OR_OBJECT, .object = &sigma_action_spec};

static const KeySpec values_keys[] = {
	{"values", SPEC_MAP, "values by column", KEY_REQUIRED, .of = &sigma_a_cell},
	{"column_values", SPEC_ALIAS, .other = "values"},
	{NULL}
};
static const KeySpec rows_keys[] = {
	{"rows", SPEC_LIST, "rows of values by column", .of = &cell_row},
	{"source", SPEC_NAME, "a table or query that gives the rows"},
	{"values", SPEC_MAP, "values by column, for every row of the source", .of = &sigma_a_cell},
	{"column_values", SPEC_ALIAS, .other = "values"},
	{NULL}
};
static const KeySpec selector_keys[] = {
	{"selector", SPEC_OBJECT, "which rows", KEY_REQUIRED, .object = &sigma_selector_spec},
	{NULL}
};
static const KeySpec upsert_keys[] = {
	{"key", SPEC_LIST, "columns that tell rows apart; absent: the unique one among the values", KEY_WRAP | KEY_NOT_EMPTY, .of = &sigma_a_name},
	{NULL}
};

static const char *const selection_modes[] = {"replace", "add", "remove", NULL};
static const EnumSpec selection_mode_names = {selection_modes};
static const KeySpec value_keys[] = {
	{"value", SPEC_VALUE, "the value", KEY_REQUIRED | KEY_NULL},
	{NULL}
};
static const KeySpec mode_keys[] = {
	{"selection_mode", SPEC_ENUM, "how a list takes the value", .names = &selection_mode_names, .fallback = "\"replace\""},
	{NULL}
};

static const char *const link_targets[] = {"_self", "_blank", "_parent", NULL};
static const WordPair link_aliases[] = {
	{"same_window", "_self"}, {"new_window", "_blank"}, {"parent_window", "_parent"},
	{"self", "_self"}, {"blank", "_blank"}, {"parent", "_parent"}, {NULL}
};
const EnumSpec sigma_link_names = {link_targets, link_aliases, .quoted = true};
static const KeySpec link_keys[] = {
	{"open_in", SPEC_CUSTOM, "_self, _blank or _parent", .names = &sigma_link_names, .read = sigma_read_link, .value_type = "text"},
	{"pass_control_values", SPEC_MAP, "values by control of the destination", .of = &sigma_a_value},
	{"dynamic_url", SPEC_DROPPED},
	{NULL}
};
static const KeySpec no_keys[] = {{NULL}};
static const KeySpec modify_keys[] = {
	{"show_columns", SPEC_LIST, "columns to show", KEY_WRAP | KEY_NOT_EMPTY, .of = &sigma_a_name},
	{"hide_columns", SPEC_LIST, "columns to hide", KEY_WRAP | KEY_NOT_EMPTY, .of = &sigma_a_name},
	{"settings", SPEC_SPELLED, "settings of the element to change"},
	{NULL}
};
static const KeySpec sort_keys[] = {
	{"sort", SPEC_LIST, "columns, or {column, direction}", KEY_REQUIRED | KEY_WRAP | KEY_NOT_EMPTY, .of = &sigma_a_sort_item},
	{NULL}
};
static const KeySpec form_values_keys[] = {
	{"values", SPEC_MAP, "values by field", KEY_REQUIRED, .of = &sigma_a_cell},
	{"column_values", SPEC_ALIAS, .other = "values"},
	{NULL}
};
static const KeySpec plugin_keys[] = {
	{"effect", SPEC_NAME, "the plugin's effect"},
	{"payload", SPEC_CELL, "what it is given", KEY_NULL},
	{NULL}
};
static const char *const tab_directions[] = {"next", "previous", NULL};
static const EnumSpec tab_direction_names = {tab_directions};
static const KeySpec tab_keys[] = {
	{"index", SPEC_INT, "the tab's place, from 0", .min = 0, .max = PG_INT32_MAX},
	{"direction", SPEC_ENUM, "from the tab that is shown", .names = &tab_direction_names},
	{NULL}
};
static const KeySpec event_keys[] = {
	{"name", SPEC_NAME, "the event's name", KEY_REQUIRED},
	{"payload", SPEC_CELL, "what it carries", KEY_NULL},
	{NULL}
};
static const KeySpec procedure_keys[] = {
	{"arguments", SPEC_CUSTOM, "values in order, or by name", .read = sigma_read_arguments, .value_type = "array or object"},
	{"function", SPEC_REFUSED, .other = "The function is the action's \"target\"."},
	{"procedure", SPEC_REFUSED, .other = "The procedure is the action's \"target\"."},
	{NULL}
};
static const KeySpec export_keys[] = {
	{"columns", SPEC_LIST, "the columns, in order", KEY_NOT_EMPTY, .of = &sigma_a_name},
	{"limit", SPEC_INT, "greatest number of rows", .min = 0, .max = PG_INT64_MAX},
	{"source", SPEC_REFUSED, .other = "The table or view is the action's \"target\"."},
	{"table", SPEC_REFUSED, .other = "The table or view is the action's \"target\"."},
	{NULL}
};
static const KeySpec notify_keys[] = {
	{"channel", SPEC_NAME, "how it is delivered", .fallback = "\"email\""},
	{"recipients", SPEC_LIST, "to whom", KEY_WRAP | KEY_NOT_EMPTY, .of = &sigma_a_value},
	{"subject", SPEC_DYNAMIC, "its subject"},
	{"body", SPEC_CUSTOM, "its text, or an object", .read = sigma_read_body, .value_type = "dynamic text or any"},
	{NULL}
};

static const KeySpec branch_keys[] = {
	{"condition", SPEC_CUSTOM, "when it is taken", KEY_REQUIRED, .read = sigma_read_condition, .value_type = "condition"},
	{"actions", SPEC_LIST, "its steps", KEY_REQUIRED, .of = &sigma_an_action},
	{NULL}
};
static const ObjectSpec branch_spec = {"a branch", branch_keys, NULL, sigma_begin_branch};
static const KeySpec a_branch = {.name = "branches", .type = SPEC_OBJECT, .object = &branch_spec};
static const KeySpec if_keys[] = {
	{"branches", SPEC_LIST, "{condition, actions}; the first that is true is taken", KEY_REQUIRED | KEY_NOT_EMPTY, .of = &a_branch},
	{"else", SPEC_LIST, "steps where none is true", .of = &sigma_an_action},
	{NULL}
};
static const KeySpec loop_keys[] = {
	{"rows", SPEC_CUSTOM, "\"selection\", an input table, a relation or a query", KEY_REQUIRED, .read = sigma_read_loop_rows, .value_type = "text"},
	{"actions", SPEC_LIST, "steps for each row", KEY_REQUIRED, .of = &sigma_an_action},
	{"max_rows", SPEC_INT, "greatest number of rows", .min = 1, .max = PG_INT32_MAX, .fallback = "10000"},
	{NULL}
};
static const KeySpec run_keys[] = {
	{"context", SPEC_CUSTOM, "laid over what this run knows", .read = sigma_read_given_context, .value_type = "object"},
	{"sequence", SPEC_REFUSED, .other = "The sequence is the action's \"target\"."},
	{"sequence_id", SPEC_REFUSED, .other = "The sequence is the action's \"target\"."},
	{NULL}
};
static const char *const stop_states[] = {"success", "failed", NULL};
static const EnumSpec stop_state_names = {stop_states};
static const KeySpec stop_keys[] = {
	{"status", SPEC_ENUM, "how the run ends", .names = &stop_state_names, .fallback = "\"success\""},
	{"message", SPEC_DYNAMIC, "what its result says"},
	{NULL}
};

static const KeySpec ai_keys[] = {
	{"model", SPEC_NAME, "function or model", KEY_REQUIRED},
	{"query", SPEC_DYNAMIC, "what is asked", KEY_REQUIRED},
	{"parameters", SPEC_SPELLED, "the model's own parameters"},
	{"prompt", SPEC_ALIAS, .other = "query"},
	{"cost_budget", SPEC_REFUSED, .other = "Costs are bounded by \"max_ai_calls\" of \"execution_config\" and by \"max_tokens\" of the query."},
	{NULL}
};
static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", NULL};
static const EnumSpec method_names = {methods};
static const KeySpec api_keys[] = {
	{"method", SPEC_ENUM, "the method", .names = &method_names, .fallback = "\"GET\""},
	{"path", SPEC_DYNAMIC, "the path on the server"},
	{"query", SPEC_MAP, "the query's parameters", .of = &sigma_a_value},
	{"headers", SPEC_MAP, "headers", .of = &sigma_a_value},
	{"body", SPEC_CUSTOM, "the body", KEY_NULL, .read = sigma_read_body, .value_type = "any"},
	{NULL}
};
static const KeySpec agent_keys[] = {
	{"query", SPEC_DYNAMIC, "what is asked"},
	{"parameters", SPEC_SPELLED, "the agent's own parameters"},
	{"prompt", SPEC_ALIAS, .other = "query"},
	{"message", SPEC_ALIAS, .other = "query"},
	{NULL}
};

/*
 * The types.  Rows of one type stand together.
 */
const ActionType sigma_action_types[] = {
	{"data_modification", "insert_row", TARGET_REQUIRED, "insert one row into an input table", {values_keys}},
	{"data_modification", "insert_rows", TARGET_REQUIRED, "insert rows that are listed or come from a source", {rows_keys}},
	{"data_modification", "update_row", TARGET_REQUIRED, "update the one row that is selected", {values_keys, selector_keys}},
	{"data_modification", "update_rows", TARGET_REQUIRED, "update all rows that are selected", {values_keys, selector_keys}},
	{"data_modification", "delete_row", TARGET_REQUIRED, "delete the one row that is selected", {selector_keys}},
	{"data_modification", "delete_rows", TARGET_REQUIRED, "delete all rows that are selected", {selector_keys}},
	{"data_modification", "upsert_row", TARGET_REQUIRED, "update the row of that key, or insert it", {values_keys, upsert_keys}},
	{"variable", "set", TARGET_REQUIRED, "set a variable", {value_keys}},
	{"variable", "clear", TARGET_REQUIRED, "take a variable's value away", {no_keys}},
	{"control", "set_value", TARGET_REQUIRED, "set a control's value", {value_keys, mode_keys}},
	{"control", "clear_value", TARGET_REQUIRED, "take a control's value away", {no_keys}},
	{"control", "enable", TARGET_REQUIRED, "let a control be used", {no_keys}},
	{"control", "disable", TARGET_REQUIRED, "let a control not be used", {no_keys}},
	{"navigation", "open_link", TARGET_DYNAMIC, "open an address", {link_keys}},
	{"navigation", "open_sigma_doc", TARGET_REQUIRED, "open another document", {link_keys}},
	{"navigation", "navigate_workbook", TARGET_REQUIRED, "go to a page or element", {link_keys}},
	{"modal", "open", TARGET_REQUIRED, "open a modal or drawer", {no_keys}},
	{"modal", "close", TARGET_OPTIONAL, "close a modal or drawer, or the one that is open", {no_keys}},
	{"element", "refresh", TARGET_REQUIRED, "read an element's data again", {no_keys}},
	{"element", "modify", TARGET_REQUIRED, "change an element's columns or settings", {modify_keys}},
	{"element", "sort", TARGET_REQUIRED, "sort an element", {sort_keys}},
	{"element", "show", TARGET_REQUIRED, "show an element", {no_keys}},
	{"element", "hide", TARGET_REQUIRED, "hide an element", {no_keys}},
	{"element", "toggle", TARGET_REQUIRED, "show an element, or hide it where it is shown", {no_keys}},
	{"element", "focus", TARGET_REQUIRED, "bring an element into view", {no_keys}},
	{"container", "set_row", TARGET_REQUIRED, "choose the row a container shows", {value_keys}},
	{"form", "set_values", TARGET_REQUIRED, "fill in a form", {form_values_keys}},
	{"form", "reset", TARGET_REQUIRED, "empty a form", {no_keys}},
	{"plugin", "trigger", TARGET_REQUIRED, "trigger a plugin's effect", {plugin_keys}},
	{"tabs", "select", TARGET_REQUIRED, "show a tab", {tab_keys}},
	{"embed", "send_event", TARGET_NONE, "send an event to the page around", {event_keys}},
	{"stored_procedure", NULL, TARGET_REQUIRED, "call a procedure or function", {procedure_keys}},
	{"export", "csv", TARGET_REQUIRED, "export a table or view as CSV", {export_keys}},
	{"export", "json", TARGET_REQUIRED, "export a table or view as JSON", {export_keys}},
	{"notify", NULL, TARGET_NONE, "send a message when the transaction commits", {notify_keys}},
	{"flow", "if_else", TARGET_NONE, "take the first branch whose condition is true", {if_keys}},
	{"flow", "for_each", TARGET_NONE, "run steps for each row", {loop_keys}},
	{"flow", "run_sequence", TARGET_REQUIRED, "run another sequence", {run_keys}},
	{"flow", "stop", TARGET_NONE, "end the run", {stop_keys}},
	{"ai_query", NULL, TARGET_NONE, "ask a model", {ai_keys}},
	{"api_call", NULL, TARGET_REQUIRED, "call a server", {api_keys}},
	{"agent", "call", TARGET_REQUIRED, "ask an agent", {agent_keys}},
	{"agent", "clear_messages", TARGET_REQUIRED, "forget an agent's messages", {no_keys}},
	{NULL}
};

static const char *const action_types[] = {
	"data_modification", "variable", "control", "navigation", "modal", "element", "container", "form",
	"plugin", "tabs", "embed", "stored_procedure", "export", "notify", "flow", "ai_query", "api_call",
	"agent", NULL
};
static const WordPair action_type_aliases[] = {{"input_table", "data_modification"}, {NULL}};
static const WordPair action_type_hints[] = {
	{"data_operation", "Use \"data_modification\" with insert_row, update_row, delete_row or upsert_row."},
	{"ui_interaction", "Use \"element\" with show, hide, toggle or focus."},
	{"custom", "Use \"stored_procedure\": a function or procedure of your own."},
	{NULL}
};
const EnumSpec sigma_action_type_names = {action_types, action_type_aliases, action_type_hints};

static const char *const handlings[] = {"fail", "continue", "retry", NULL};
static const WordPair handling_aliases[] = {{"stop", "fail"}, {"abort", "fail"}, {"ignore", "continue"}, {NULL}};
static const EnumSpec handling_names = {handlings, handling_aliases};

static const KeySpec retry_keys[] = {
	{"times", SPEC_INT, "how often", .min = 1, .max = 100, .fallback = "3"},
	{"backoff_ms", SPEC_INT, "how long to wait before", .min = 0, .max = 3600000, .fallback = "1000"},
	{NULL}
};
static const ObjectSpec retry_spec = {"\"retry\"", retry_keys};

/* Keys of every action; all others belong to "parameters". */
const KeySpec sigma_action_keys[] = {
	{"id", SPEC_NAME, "its id"},
	{"name", SPEC_NAME, "its name"},
	{"type", SPEC_ENUM, "its type", KEY_REQUIRED, .names = &sigma_action_type_names},
	{"subtype", SPEC_TEXT, "its subtype"},
	{"target", SPEC_NAME, "what it acts on"},
	{"parameters", SPEC_OPEN, "its parameters"},
	{"conditions", SPEC_CUSTOM, "it is skipped where this is not true", .read = sigma_read_condition, .value_type = "condition"},
	{"description", SPEC_TEXT, "what it is for"},
	{"output_variable", SPEC_NAME, "the variable that takes its result"},
	{"error_handling", SPEC_ENUM, "what its failure means", .names = &handling_names},
	{"retry", SPEC_OBJECT, "how it is retried", .object = &retry_spec},
	{"timeout_ms", SPEC_INT, "how long it may take in milliseconds; 0: no limit", .min = 0, .max = PG_INT32_MAX},
	{"metadata", SPEC_OPEN, "whatever the client adds"},
	{NULL}
};
const ObjectSpec sigma_action_spec = {"an action", sigma_action_keys, NULL, sigma_begin_action, sigma_finish_action};
