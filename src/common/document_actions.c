/*
 * document_actions.c
 *		Actions: their types, parameters and folding; checks of sequences and triggers.
 *
 * An action is flat where clients write it and folded where it is stored: what is
 * no column of the catalog goes into "parameters" (N6), where the tables by type
 * and subtype take over.  See document.c for the engine and its lifetimes.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "common/document.h"
#include "common/document_hooks.h"
#include "common/document_specs.h"

static void begin_action(JsonNode *action, int flags);
static void finish_action(JsonNode *action, int flags);
static void begin_branch(JsonNode *branch, int flags);
static const ActionType *action_type(const char *type, const char *subtype);
static JsonNode *read_link(const KeySpec *key, JsonNode *value, int flags);
static JsonNode *read_body(const KeySpec *key, JsonNode *value, int flags);
static JsonNode *read_arguments(const KeySpec *key, JsonNode *value, int flags);
static JsonNode *read_rows(const KeySpec *key, JsonNode *value, int flags);

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

static const KeySpec link_keys[] = {
	{"open_in", SPEC_CUSTOM, "_self, _blank or _parent", .read = read_link, .value_type = "text"},
	{"pass_control_values", SPEC_MAP, "values by control of the destination", .of = &sigma_a_value},
	{"dynamic_url", SPEC_DROPPED},
	{NULL}
};
static const char *const link_targets[] = {"_self", "_blank", "_parent", NULL};
static const WordPair link_aliases[] = {
	{"same_window", "_self"}, {"new_window", "_blank"}, {"parent_window", "_parent"},
	{"self", "_self"}, {"blank", "_blank"}, {"parent", "_parent"}, {NULL}
};
static const EnumSpec link_names = {link_targets, link_aliases};

static const KeySpec no_keys[] = {{NULL}};
static const KeySpec modify_keys[] = {
	{"show_columns", SPEC_LIST, "columns to show", .of = &sigma_a_name},
	{"hide_columns", SPEC_LIST, "columns to hide", .of = &sigma_a_name},
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
	{"payload", SPEC_ANY, "what it is given", KEY_NULL},
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
	{"payload", SPEC_ANY, "what it carries", KEY_NULL},
	{NULL}
};
static const KeySpec procedure_keys[] = {
	{"arguments", SPEC_CUSTOM, "values in order, or by name", .read = read_arguments, .value_type = "array or object"},
	{NULL}
};
static const KeySpec export_keys[] = {
	{"columns", SPEC_LIST, "the columns, in order", KEY_NOT_EMPTY, .of = &sigma_a_name},
	{"limit", SPEC_INT, "greatest number of rows", .min = 0, .max = PG_INT64_MAX},
	{NULL}
};
static const KeySpec notify_keys[] = {
	{"channel", SPEC_NAME, "how it is delivered"},
	{"recipients", SPEC_LIST, "to whom", KEY_WRAP, .of = &sigma_a_value},
	{"subject", SPEC_DYNAMIC, "its subject"},
	{"body", SPEC_CUSTOM, "its text", .read = read_body, .value_type = "dynamic text"},
	{NULL}
};

static const KeySpec branch_keys[] = {
	{"condition", SPEC_CUSTOM, "when it is taken", KEY_REQUIRED, .read = sigma_read_condition, .value_type = "condition"},
	{"actions", SPEC_LIST, "its steps", KEY_REQUIRED, .of = &sigma_an_action},
	{NULL}
};
static const ObjectSpec branch_spec = {"a branch", branch_keys, NULL, begin_branch};
static const KeySpec a_branch = {.name = "branches", .type = SPEC_OBJECT, .object = &branch_spec};
static const KeySpec if_keys[] = {
	{"branches", SPEC_LIST, "{condition, actions}; the first that is true is taken", KEY_REQUIRED | KEY_NOT_EMPTY, .of = &a_branch},
	{"else", SPEC_LIST, "steps where none is true", .of = &sigma_an_action},
	{NULL}
};
static const KeySpec loop_keys[] = {
	{"rows", SPEC_CUSTOM, "\"selection\" or a query", KEY_REQUIRED, .read = read_rows, .value_type = "text"},
	{"actions", SPEC_LIST, "steps for each row", KEY_REQUIRED, .of = &sigma_an_action},
	{"max_rows", SPEC_INT, "greatest number of rows", .min = 1, .max = PG_INT32_MAX, .fallback = "10000"},
	{NULL}
};
static const KeySpec run_keys[] = {
	{"context", SPEC_OPEN, "its context"},
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
	{"body", SPEC_CUSTOM, "the body", KEY_NULL, .read = read_body, .value_type = "any"},
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

static const WordPair subtype_aliases[] = {
	{"insert", "insert_row"}, {"upsert", "upsert_row"}, {"set_variable", "set"}, {"clear_variable", "clear"},
	{"open_modal", "open"}, {"close_modal", "close"}, {"select_tab", "select"}, {"refresh_element", "refresh"},
	{NULL}
};
static const WordPair subtype_hints[] = {
	{"update", "Use \"update_row\" for one row, \"update_rows\" for all that are selected."},
	{"delete", "Use \"delete_row\" for one row, \"delete_rows\" for all that are selected."},
	{NULL}
};

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
static const KeySpec action_keys[] = {
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
const ObjectSpec sigma_action_spec = {"an action", action_keys, NULL, begin_action, finish_action};

/* What clients call the target, at top level or in the parameters. */
static const char *const target_aliases[] = {
	"target_table", "target_control", "target_element", "element_id", "modal_id", NULL
};

/* The row of a type and subtype; the only one of a type where the subtype is NULL. */
static const ActionType *
action_type(const char *type, const char *subtype)
{
	const ActionType *row;
	const ActionType *only = NULL;
	int			count = 0;

	for (row = sigma_action_types; row->type != NULL; row++)
	{
		if (strcmp(row->type, type) != 0)
			continue;
		if (subtype != NULL && row->subtype != NULL && strcmp(row->subtype, subtype) == 0)
			return row;
		only = row;
		count++;
	}
	return subtype == NULL && count == 1 ? only : NULL;
}

/* Give a member of "from" a place in "into"; SG400 where another value stands there. */
static void
move_member(JsonNode *from, const char *given, JsonNode *into, const char *name)
{
	JsonNode   *member = sigma_json_get(from, given);
	JsonNode   *other;

	if (member == NULL || (from == into && strcmp(given, name) == 0))
		return;
	other = sigma_json_get(into, name);
	if (other != NULL && other->kind != JSON_NULL && member->kind != JSON_NULL && !sigma_json_equal(member, other))
		sigma_document_error(member, 0, psprintf("The other one is %s at %s.",
												 sigma_json_text(other), sigma_json_path(other)),
							 "\"%s\" has two values", name);
	(void) sigma_json_remove(from, given);
	if (other == NULL || other->kind == JSON_NULL)
		sigma_json_set(into, name, member);
}

/* Is this a key that stays at the top of an action, or is dropped there? */
static bool
stays(const char *name)
{
	const KeySpec *key;

	for (key = action_keys; key->name != NULL; key++)
		if (strcmp(key->name, name) == 0)
			return true;
	for (key = sigma_run_time_keys; key->name != NULL; key++)
		if (strcmp(key->name, name) == 0)
			return true;
	return false;
}

/*
 * An AI query in the form {warehouse, function, model, prompt, parameters}: the
 * function is what is called, the model one of its parameters.
 */
static void
fold_ai_function(JsonNode *parameters)
{
	JsonNode   *warehouse = sigma_json_remove(parameters, "warehouse");
	JsonNode   *function = sigma_json_remove(parameters, "function");
	JsonNode   *model;
	JsonNode   *own;

	if (warehouse != NULL && function == NULL)
		sigma_document_error(warehouse, 0, NULL, "\"warehouse\" goes with \"function\"");
	if (function == NULL)
		return;
	sigma_spec_require(function, JSON_STRING, "function", "a string");
	if (warehouse != NULL)
		sigma_spec_require(warehouse, JSON_STRING, "warehouse", "a string");

	model = sigma_json_remove(parameters, "model");
	own = sigma_json_get(parameters, "parameters");
	if (model != NULL)
	{
		if (own == NULL || own->kind == JSON_NULL)
		{
			own = sigma_json_new(JSON_OBJECT, parameters);
			sigma_json_set(parameters, "parameters", own);
		}
		sigma_spec_require(own, JSON_OBJECT, "parameters", "an object");
		if (sigma_json_get(own, "model") != NULL && !sigma_json_equal(sigma_json_get(own, "model"), model))
			sigma_document_error(model, 0, NULL, "\"model\" has two values");
		sigma_json_set(own, "model", model);
	}
	sigma_json_set(parameters, "model",
				   sigma_json_new_string(warehouse == NULL ? function->string :
										 psprintf("%s.%s", warehouse->string, function->string), function));
}

/* Move everything that is a parameter into "parameters", and up what is not (N6). */
static void
fold_parameters(JsonNode *action, const char *type)
{
	static const char *const ai_keys_on_top[] = {"model", "query", "prompt", "function", NULL};
	JsonNode   *parameters = sigma_json_get(action, "parameters");
	bool		ai = type != NULL && strcmp(type, "ai_query") == 0;
	int			i;

	if (parameters != NULL && parameters->kind != JSON_NULL)
	{
		sigma_spec_require(parameters, JSON_OBJECT, "parameters", "an object");
		for (i = 0; ai && ai_keys_on_top[i] != NULL; i++)
			if (sigma_json_get(action, ai_keys_on_top[i]) != NULL)
			{
				/* the AI's own */
				JsonNode   *outer = sigma_json_new(JSON_OBJECT, parameters);

				sigma_json_set(outer, "parameters", parameters);
				sigma_json_set(action, "parameters", outer);
				parameters = outer;
				break;
			}
	}
	else
	{
		parameters = sigma_json_new(JSON_OBJECT, action);
		sigma_json_set(action, "parameters", parameters);
	}
	sigma_spec_respell(parameters);

	move_member(parameters, "subtype", action, "subtype");
	move_member(parameters, "target", action, "target");
	for (i = 0; target_aliases[i] != NULL; i++)
	{
		move_member(action, target_aliases[i], action, "target");
		move_member(parameters, target_aliases[i], action, "target");
	}
	if (type != NULL && strcmp(type, "navigation") == 0)
	{
		move_member(action, "url", action, "target");
		move_member(parameters, "url", action, "target");
	}
	i = 0;
	while (i < action->count)
	{
		const char *name = action->items[i]->key;

		if (stays(name))
			i++;
		else
			move_member(action, name, parameters, name);
	}
	if (ai)
		fold_ai_function(parameters);
}

/* A row identifier is a selector: an id, or the key of a linked table's row. */
static void
fold_row_identifier(JsonNode *parameters)
{
	JsonNode   *row = sigma_json_remove(parameters, "row_identifier");
	JsonNode   *selector;

	if (row == NULL || row->kind == JSON_NULL)
		return;
	if (sigma_json_get(parameters, "selector") != NULL)
		sigma_document_error(row, 0, "Both mean \"selector\": leave one out.",
							 "both \"row_identifier\" and \"selector\" are given");
	selector = sigma_json_new(JSON_OBJECT, row);
	/* an object is a key, unless it is a value source */
	sigma_json_set(selector, row->kind == JSON_OBJECT && sigma_json_get_string(row, "type", NULL) == NULL ?
				   "key" : "row_id", row);
	sigma_json_set(parameters, "selector", selector);
}

/* Raise SG400 about a subtype that its type does not have. */
static void
unknown_subtype(JsonNode *action, const char *type, JsonNode *subtype)
{
	const char *names[16];
	const ActionType *row;
	const WordPair *pair;
	int			count = 0;

	for (row = sigma_action_types; row->type != NULL; row++)
		if (strcmp(row->type, type) == 0 && row->subtype != NULL && count < lengthof(names) - 1)
			names[count++] = row->subtype;
	names[count] = NULL;
	if (subtype == NULL)
		sigma_document_error(action, 0, sigma_hint_names("", names), "an action of type %s needs \"subtype\"", type);
	if (count == 0)
		sigma_document_error(subtype, 0, NULL, "an action of type %s has no subtype", type);
	for (pair = subtype_hints; pair->given != NULL; pair++)
		if (sigma_same_word(pair->given, subtype->string) && strcmp(type, "data_modification") == 0)
			sigma_document_error(subtype, 0, pair->other, "unknown subtype \"%s\" of an action of type %s",
								 subtype->string, type);
	sigma_document_error(subtype, 0, sigma_hint_names(subtype->string, names),
						 "unknown subtype \"%s\" of an action of type %s", subtype->string, type);
}

/* The row of an action's type and subtype, with the subtype in its canonical spelling. */
static const ActionType *
read_subtype(JsonNode *action, const char *type)
{
	JsonNode   *subtype = sigma_json_get(action, "subtype");
	const ActionType *row;
	const WordPair *pair;
	const char *spelled;

	if (subtype == NULL || subtype->kind == JSON_NULL)
	{
		row = action_type(type, NULL);
		if (row == NULL)
			unknown_subtype(action, type, NULL);
		if (row->subtype != NULL)
			sigma_json_set(action, "subtype", sigma_json_new_string(row->subtype, action));
		return row;
	}
	sigma_spec_require(subtype, JSON_STRING, "subtype", "a string");
	spelled = sigma_respell(subtype->string);
	for (row = sigma_action_types; row->type != NULL; row++)
		if (row->subtype != NULL && strcmp(row->type, type) == 0 &&
			(sigma_same_word(row->subtype, subtype->string) || sigma_same_word(row->subtype, spelled)))
			break;
	for (pair = subtype_aliases; row->type == NULL && pair->given != NULL; pair++)
		if (sigma_same_word(pair->given, subtype->string) || sigma_same_word(pair->given, spelled))
		{
			row = action_type(type, pair->other);
			if (row == NULL)
				unknown_subtype(action, type, subtype);
			break;
		}
	if (row->type == NULL)
		unknown_subtype(action, type, subtype);
	sigma_json_set(action, "subtype", sigma_json_new_string(row->subtype, subtype));
	return row;
}

/* Before an action's keys are read: its type, and everything in its place. */
static void
begin_action(JsonNode *action, int flags)
{
	JsonNode   *type;
	const char *name;

	sigma_spec_alias(action, "action_type", "type");
	type = sigma_json_get(action, "type");
	if (type != NULL && type->kind != JSON_NULL)
	{
		type = sigma_spec_enum("an action", "type", &sigma_action_type_names, type);
		sigma_json_set(action, "type", type);
	}
	name = sigma_json_get_string(action, "type", NULL);
	if (name == NULL && (flags & DOCUMENT_CHANGES) == 0)
		sigma_document_error(action, 0, sigma_hint_names("", action_types), "an action needs \"type\"");
	fold_parameters(action, name);
}

/* Raise SG400 where parameters of one type contradict each other. */
static void
check_parameters(const ActionType *row, JsonNode *parameters)
{
	if (row->tables[0] == rows_keys)
	{
		bool		rows = sigma_json_get(parameters, "rows") != NULL;
		bool		source = sigma_json_get(parameters, "source") != NULL;

		if (rows == source)
			sigma_document_error(parameters, 0, "Rows are listed in \"rows\" or come from a \"source\".",
								 rows ? "insert_rows cannot have both \"rows\" and \"source\"" :
								 "insert_rows needs \"rows\" or \"source\"");
		if (rows && sigma_json_get(parameters, "values") != NULL)
			sigma_document_error(sigma_json_get(parameters, "values"), 0, NULL, "\"values\" goes with \"source\"");
	}
	else if (row->tables[0] == tab_keys)
	{
		if ((sigma_json_get(parameters, "index") != NULL) == (sigma_json_get(parameters, "direction") != NULL))
			sigma_document_error(parameters, 0, NULL, "tabs select needs either \"index\" or \"direction\"");
	}
}

/* After an action's keys are read: its parameters by type and subtype, and its target. */
static void
finish_action(JsonNode *action, int flags)
{
	char	   *type = sigma_json_get_string(action, "type", NULL);
	JsonNode   *parameters = sigma_json_get(action, "parameters");
	JsonNode   *target = sigma_json_get(action, "target");
	const ActionType *row;
	char	   *noun;

	if (type != NULL)
	{
		bool		whole = (flags & DOCUMENT_CHANGES) == 0;

		row = read_subtype(action, type);
		noun = psprintf("an action of type %s%s%s", type, row->subtype != NULL ? " " : "",
						row->subtype != NULL ? row->subtype : "");
		if (row->tables[0] == values_keys || row->tables[0] == selector_keys)
			fold_row_identifier(parameters);
		if (whole || parameters->count > 0)
		{
			/* single parameters in changes are laid over the stored ones, which are checked then */
			sigma_spec_read_tables(noun, row->tables, parameters, flags);
			if (whole)
				check_parameters(row, parameters);
		}
		if (target == NULL && whole && (row->target == TARGET_REQUIRED || row->target == TARGET_DYNAMIC))
			sigma_document_error(action, 0, NULL, "%s needs \"target\"", noun);
		if (target != NULL && target->kind == JSON_STRING && row->target == TARGET_NONE)
			sigma_document_error(target, 0, NULL, "%s has no target", noun);
		if (target != NULL && target->kind == JSON_STRING && row->target == TARGET_DYNAMIC)
			(void) sigma_read_dynamic_text(target);
	}
	if (parameters->count == 0)
		(void) sigma_json_remove(action, "parameters");
}

/* Before a branch of if_else is read: "conditions" is its condition too. */
static void
begin_branch(JsonNode *branch, int flags)
{
	sigma_spec_alias(branch, "conditions", "condition");
}

/* Where a link opens. */
static JsonNode *
read_link(const KeySpec *key, JsonNode *value, int flags)
{
	return sigma_spec_enum("an action of type navigation", "open_in", &link_names, value);
}

/* A body: dynamic text, or any other value as it is. */
static JsonNode *
read_body(const KeySpec *key, JsonNode *value, int flags)
{
	return value->kind == JSON_STRING ? sigma_read_dynamic_text(value) : value;
}

/* Arguments of a procedure: values in an array, or by name. */
static JsonNode *
read_arguments(const KeySpec *key, JsonNode *value, int flags)
{
	int			i;

	if (value->kind != JSON_ARRAY && value->kind != JSON_OBJECT)
		sigma_document_error(value, 0, NULL, "\"arguments\" must be an array, or an object by name, not %s",
							 sigma_json_kind_name(value));
	for (i = 0; i < value->count; i++)
	{
		const char *name = value->items[i]->key;

		value->items[i] = sigma_read_value(value->items[i], true);
		value->items[i]->key = name;
	}
	return value;
}

/* The rows of a loop: the selection, or a query. */
static JsonNode *
read_rows(const KeySpec *key, JsonNode *value, int flags)
{
	sigma_spec_require(value, JSON_STRING, "rows", "\"selection\" or a query");
	if (value->string[strspn(value->string, " \t\r\n")] == '\0')
		sigma_document_error(value, 0, NULL, "\"rows\" must not be empty");
	if (sigma_same_word(value->string, "selection"))
		return sigma_json_new_string("selection", value);
	return value;
}

/* Before a sequence's keys are read: what clients put into its execution_config (N3). */
void
sigma_begin_sequence(JsonNode *sequence, int flags)
{
	JsonNode   *config = sigma_json_get(sequence, "execution_config");
	JsonNode   *node;

	if (config == NULL || config->kind != JSON_OBJECT)
		return;
	sigma_spec_respell(config);
	move_member(config, "timeout", sequence, "timeout_ms");
	move_member(config, "timeout_ms", sequence, "timeout_ms");
	node = sigma_json_remove(config, "continue_on_failure");
	if (node != NULL && node->kind != JSON_NULL)
	{
		sigma_spec_require(node, JSON_BOOL, "continue_on_failure", "true or false");
		sigma_json_set(config, "continue_on_failure", sigma_json_new_bool(!node->boolean, node));
		move_member(config, "continue_on_failure", sequence, "stop_on_error");
	}
	if (config->count == 0)
		(void) sigma_json_remove(sequence, "execution_config");
}

/* Gather the ids of inline actions, those in branches and loops too. */
static List *
inline_ids(JsonNode *actions, List *ids)
{
	int			i;
	int			j;

	check_stack_depth();
	for (i = 0; actions != NULL && i < actions->count; i++)
	{
		JsonNode   *id = sigma_json_get(actions->items[i], "id");
		JsonNode   *parameters = sigma_json_get(actions->items[i], "parameters");
		JsonNode   *branches = sigma_json_get(parameters, "branches");

		if (id != NULL)
			ids = lappend(ids, id);
		ids = inline_ids(sigma_json_get(parameters, "actions"), ids);
		ids = inline_ids(sigma_json_get(parameters, "else"), ids);
		for (j = 0; branches != NULL && j < branches->count; j++)
			ids = inline_ids(sigma_json_get(branches->items[j], "actions"), ids);
	}
	return ids;
}

static int
compare_ids(const ListCell *a, const ListCell *b)
{
	return strcmp(((JsonNode *) lfirst(a))->string, ((JsonNode *) lfirst(b))->string);
}

/* After a sequence's keys are read: ids of its inline actions are unique. */
void
sigma_finish_sequence(JsonNode *sequence, int flags)
{
	List	   *ids = inline_ids(sigma_json_get(sequence, "actions"), NIL);
	int			i;

	list_sort(ids, compare_ids);
	for (i = 1; i < list_length(ids); i++)
	{
		JsonNode   *id = list_nth(ids, i);

		if (strcmp(id->string, ((JsonNode *) list_nth(ids, i - 1))->string) == 0)
			sigma_document_error(id, 0, "Ids of inline actions are unique in their sequence.",
								 "action id \"%s\" is given twice", id->string);
	}
}

/* Raise SG400 where a trigger lacks what its type needs, or has what only another has. */
void
sigma_finish_trigger(JsonNode *trigger, int flags)
{
	static const struct
	{
		const char *key;
		const char *type;
	}			owned[] = {
		{"cron", "schedule"}, {"timezone", "schedule"}, {"menu_item_id", "context_menu"},
		{"table_id", "row_change"}, {"operations", "row_change"}, {"columns", "row_change"},
		{"when", "row_change"},
	};
	const char *type = sigma_json_get_string(trigger, "type", NULL);
	int			i;

	if (type == NULL)
		return;
	for (i = 0; i < lengthof(owned); i++)
	{
		JsonNode   *node = sigma_json_get(trigger, owned[i].key);

		if (node != NULL && node->kind != JSON_NULL && strcmp(owned[i].type, type) != 0)
			sigma_document_error(node, 0, psprintf("It goes with type %s.", owned[i].type),
								 "\"%s\" does not go with a trigger of type %s", owned[i].key, type);
	}
	if ((flags & DOCUMENT_CHANGES) != 0)
		return;
	if (strcmp(type, "schedule") == 0 && sigma_json_get(trigger, "cron") == NULL)
		sigma_document_error(trigger, 0, NULL, "a trigger of type schedule needs \"cron\"");
	if (strcmp(type, "row_change") == 0 && sigma_json_get(trigger, "table_id") == NULL)
		sigma_document_error(trigger, 0, NULL, "a trigger of type row_change needs \"table_id\"");
}
