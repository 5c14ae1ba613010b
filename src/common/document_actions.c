/*
 * document_actions.c
 *		Actions: folding and checking; checks of sequences and triggers.
 *
 * An action is flat where clients write it and folded where it is stored: what is
 * no column of the catalog goes into "parameters" (N6), where the tables by type
 * and subtype (document_action_types.c) take over.  See document.c for the engine and its lifetimes.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "common/document.h"
#include "common/document_hooks.h"
#include "common/document_specs.h"

static const ActionType *action_type(const char *type, const char *subtype);

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

/* What clients call the target, at top level or in the parameters. */
static const char *const target_aliases[] = {
	"target_table", "target_control", "target_element", "element_id", "modal_id", "url", NULL
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

	for (key = sigma_action_keys; key->name != NULL; key++)
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

/*
 * The parameters of an action, made where it has none.  Beside a model or a query
 * at top level, the parameters of an AI query are the AI's own.
 */
static JsonNode *
own_parameters(JsonNode *action, bool ai)
{
	static const char *const on_top[] = {"model", "query", "prompt", "function"};
	JsonNode   *parameters = sigma_json_get(action, "parameters");
	JsonNode   *outer;
	int			i;

	if (parameters == NULL || parameters->kind == JSON_NULL)
	{
		parameters = sigma_json_new(JSON_OBJECT, action);
		sigma_json_set(action, "parameters", parameters);
		return parameters;
	}
	sigma_spec_require(parameters, JSON_OBJECT, "parameters", "an object");
	for (i = 0; ai && i < lengthof(on_top); i++)
	{
		JsonNode   *node = sigma_json_get(action, on_top[i]);

		if (node == NULL || node->kind == JSON_NULL)
			continue;
		outer = sigma_json_new(JSON_OBJECT, parameters);
		sigma_json_set(outer, "parameters", parameters);
		sigma_json_set(action, "parameters", outer);
		return outer;
	}
	return parameters;
}

/* An event without a name of its own has the action's: "name" at the top of an action is the action's name. */
static void
name_event(JsonNode *action, JsonNode *parameters)
{
	JsonNode   *name = sigma_json_get(action, "name");

	if (name != NULL && name->kind == JSON_STRING && sigma_json_get(parameters, "name") == NULL)
		sigma_json_set(parameters, "name", sigma_json_new_string(name->string, name));
}

/* Move everything that is a parameter into "parameters", and up what is not (N6). */
static void
fold_parameters(JsonNode *action, const char *type)
{
	bool		ai = type != NULL && strcmp(type, "ai_query") == 0;
	bool		navigation = type != NULL && strcmp(type, "navigation") == 0;
	JsonNode   *parameters = own_parameters(action, ai);
	int			i;

	sigma_spec_respell(parameters);
	move_member(parameters, "subtype", action, "subtype");
	move_member(parameters, "target", action, "target");
	/* "url", the last of them, is a target of navigation alone */
	for (i = 0; target_aliases[i + (navigation ? 0 : 1)] != NULL; i++)
	{
		move_member(action, target_aliases[i], action, "target");
		move_member(parameters, target_aliases[i], action, "target");
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
	if (type != NULL && strcmp(type, "embed") == 0)
		name_event(action, parameters);
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
void
sigma_begin_action(JsonNode *action, int flags)
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
		sigma_document_error(action, 0, sigma_hint_names("", sigma_action_type_names.names), "an action needs \"type\"");
	fold_parameters(action, name);
}

/* Is this the row of that subtype? */
static bool
is_subtype(const ActionType *row, const char *subtype)
{
	return row->subtype != NULL && strcmp(row->subtype, subtype) == 0;
}

/* Raise SG400 where parameters of one type contradict each other. */
static void
check_parameters(const ActionType *row, JsonNode *parameters)
{
	if (is_subtype(row, "insert_rows"))
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
	else if (is_subtype(row, "select"))
	{
		if ((sigma_json_get(parameters, "index") != NULL) == (sigma_json_get(parameters, "direction") != NULL))
			sigma_document_error(parameters, 0, NULL, "tabs select needs either \"index\" or \"direction\"");
	}
	else if (strcmp(row->type, "notify") == 0)
	{
		if (sigma_json_get(parameters, "subject") == NULL && sigma_json_get(parameters, "body") == NULL)
			sigma_document_error(parameters, 0, NULL, "notify needs a \"subject\" or a \"body\"");
	}
	else if (is_subtype(row, "modify") && parameters->count == 0)
		sigma_document_error(parameters, 0, NULL,
							 "element modify needs \"show_columns\", \"hide_columns\" or \"settings\"");
}

/* After an action's keys are read: its parameters by type and subtype, and its target. */
void
sigma_finish_action(JsonNode *action, int flags)
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
		if (strcmp(type, "data_modification") == 0)
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
void
sigma_begin_branch(JsonNode *branch, int flags)
{
	sigma_spec_alias(branch, "conditions", "condition");
}

/* Where a link opens. */
JsonNode *
sigma_read_link(const KeySpec *key, JsonNode *value, int flags)
{
	return sigma_spec_enum("an action of type navigation", "open_in", &sigma_link_names, value);
}

/* A body: dynamic text, or any other value. */
JsonNode *
sigma_read_body(const KeySpec *key, JsonNode *value, int flags)
{
	return value->kind == JSON_STRING ? sigma_read_dynamic_text(value) : sigma_read_value(value, true);
}

/* Arguments of a procedure: values in an array, or by name. */
JsonNode *
sigma_read_arguments(const KeySpec *key, JsonNode *value, int flags)
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
JsonNode *
sigma_read_loop_rows(const KeySpec *key, JsonNode *value, int flags)
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

/* Order of ids, for finding equal ones. */
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
