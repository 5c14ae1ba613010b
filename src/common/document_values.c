/*
 * document_values.c
 *		Values, conditions, selectors and contexts: documents that are more than a table.
 *
 * The readers here are what the tables of document_specs.c call for N7 and N8
 * of the document rules; see document.c for the engine and its lifetimes.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "common/document.h"
#include "common/document_hooks.h"
#include "common/document_specs.h"

static const KeySpec *const *value_keys(const JsonNode *value);
static const KeySpec *const *condition_keys(const JsonNode *condition);
static void begin_value(JsonNode *value, int flags);
static void begin_condition(JsonNode *condition, int flags);
static void finish_condition(JsonNode *condition, int flags);
static void finish_selector(JsonNode *selector, int flags);
static bool is_plain(const JsonNode *value);
static JsonNode *read_deep(JsonNode *value);
static void move_to_metadata(JsonNode *context, List *members);
static JsonNode *read_selection(const KeySpec *key, JsonNode *selection, int flags);

/* lists and words */

static const char *const value_types[] = {"static", "column", "control", "formula", "variable", "form_field", NULL};
static const EnumSpec value_type_names = {value_types};

static const char *const operators[] = {
	"=", "!=", ">", ">=", "<", "<=", "in", "contains", "starts_with", "ends_with",
	"between", "is_null", "is_not_null", NULL
};
static const WordPair operator_aliases[] = {
	{"==", "="}, {"<>", "!="}, {"eq", "="}, {"equals", "="}, {"ne", "!="}, {"not_equals", "!="},
	{"gt", ">"}, {"gte", ">="}, {"lt", "<"}, {"lte", "<="}, {NULL}
};
static const WordPair operator_hints[] = {
	{"not_in", "Known is \"in\"; its opposite is a custom_formula."},
	{"like", "Use \"contains\", \"starts_with\" or \"ends_with\"."},
	{"matches", "Use \"contains\", \"starts_with\" or \"ends_with\"."},
	{NULL}
};
const EnumSpec sigma_operator_names = {operators, operator_aliases, operator_hints};

static const char *const condition_types[] = {
	"custom_formula", "control_value", "selection_value", "ai_result", NULL
};
static const WordPair condition_aliases[] = {{"formula", "custom_formula"}, {NULL}};
static const EnumSpec condition_type_names = {condition_types, condition_aliases};

static const char *const match_modes[] = {"any", "all", NULL};
static const EnumSpec match_mode_names = {match_modes, .quoted = true};

static const char *const entry_modes[] = {"auto", "draft", "published", NULL};
static const EnumSpec entry_mode_names = {entry_modes};

/* values */

static const KeySpec value_base[] = {
	{"type", SPEC_ENUM, "where the value comes from", KEY_REQUIRED, .names = &value_type_names},
	{NULL}
};
static const KeySpec static_keys[] = {
	{"value", SPEC_ANY, "the literal value", KEY_REQUIRED | KEY_NULL},
	{NULL}
};
static const KeySpec column_keys[] = {
	{"column_name", SPEC_NAME, "the column of the selected row", KEY_REQUIRED},
	{"column", SPEC_ALIAS, .other = "column_name"},
	{"column_id", SPEC_ALIAS, .other = "column_name"},
	{"name", SPEC_ALIAS, .other = "column_name"},
	{NULL}
};
static const KeySpec control_keys[] = {
	{"control_id", SPEC_NAME, "the control's id", KEY_REQUIRED},
	{"control", SPEC_ALIAS, .other = "control_id"},
	{"id", SPEC_ALIAS, .other = "control_id"},
	{NULL}
};
static const KeySpec formula_keys[] = {
	{"formula", SPEC_FORMULA, "the formula", KEY_REQUIRED},
	{NULL}
};
static const KeySpec variable_keys[] = {
	{"variable", SPEC_NAME, "the variable's name", KEY_REQUIRED},
	{"variable_name", SPEC_ALIAS, .other = "variable"},
	{"variable_id", SPEC_ALIAS, .other = "variable"},
	{"name", SPEC_ALIAS, .other = "variable"},
	{NULL}
};
static const KeySpec form_field_keys[] = {
	{"field", SPEC_NAME, "the form's field", KEY_REQUIRED},
	{"field_name", SPEC_ALIAS, .other = "field"},
	{"field_id", SPEC_ALIAS, .other = "field"},
	{"form_field", SPEC_ALIAS, .other = "field"},
	{"column_name", SPEC_ALIAS, .other = "field"},
	{"name", SPEC_ALIAS, .other = "field"},
	{NULL}
};
/* in the order of value_types */
static const KeySpec *const value_tables[][2] = {
	{static_keys}, {column_keys}, {control_keys}, {formula_keys}, {variable_keys}, {form_field_keys}
};
const ObjectSpec sigma_value_spec = {"a value source", value_base, value_keys, begin_value};

const KeySpec sigma_a_cell = {.type = SPEC_CELL};
const KeySpec sigma_a_value = {.type = SPEC_VALUE};

/* conditions */

static const KeySpec condition_base[] = {
	{"type", SPEC_ENUM, "the kind of condition", KEY_REQUIRED, .names = &condition_type_names},
	{NULL}
};
static const KeySpec custom_formula_keys[] = {
	{"formula", SPEC_FORMULA, "a formula that is true or false", KEY_REQUIRED},
	{NULL}
};
static const KeySpec control_value_keys[] = {
	{"control_id", SPEC_NAME, "the control's id", KEY_REQUIRED},
	{"operator", SPEC_ENUM, "how to compare", .names = &sigma_operator_names, .fallback = "\"=\""},
	{"expected_value", SPEC_VALUE, "what to compare with", KEY_NULL},
	{NULL}
};
static const KeySpec selection_value_keys[] = {
	{"column", SPEC_NAME, "a column of the selection", KEY_REQUIRED},
	{"column_name", SPEC_ALIAS, .other = "column"},
	{"operator", SPEC_ENUM, "how to compare", .names = &sigma_operator_names, .fallback = "\"=\""},
	{"expected_value", SPEC_VALUE, "what to compare with", KEY_NULL},
	{"match", SPEC_ENUM, "whether any or all selected rows must match", .names = &match_mode_names, .fallback = "\"any\""},
	{NULL}
};
static const KeySpec ai_result_keys[] = {
	{"variable", SPEC_NAME, "the variable that holds the result", KEY_REQUIRED},
	{"operator", SPEC_ENUM, "how to compare", .names = &sigma_operator_names},
	{"threshold", SPEC_NUMBER, "the number to compare with"},
	{"expected_value", SPEC_VALUE, "the label to compare with", KEY_NULL},
	{NULL}
};
/* in the order of condition_types */
static const KeySpec *const condition_tables[][2] = {
	{custom_formula_keys}, {control_value_keys}, {selection_value_keys}, {ai_result_keys}
};
const ObjectSpec sigma_condition_spec = {"a condition", condition_base, condition_keys, begin_condition, finish_condition};

/* selectors */

static const KeySpec a_match = {.type = SPEC_CUSTOM, .read = sigma_read_match};
static const KeySpec selector_keys[] = {
	{"row_id", SPEC_VALUE, "the row's id"},
	{"key", SPEC_MAP, "key columns and their values", KEY_NOT_EMPTY, .of = &sigma_a_cell},
	{"match", SPEC_MAP, "columns and the values, or {op, value}, they must match", KEY_NOT_EMPTY, .of = &a_match},
	{"formula", SPEC_FORMULA, "a formula over the table's columns"},
	{"current_row", SPEC_BOOL, "the row the run was started from", KEY_NO_FALSE},
	{"selection", SPEC_BOOL, "the selected rows", KEY_NO_FALSE},
	{NULL}
};
const ObjectSpec sigma_selector_spec = {"a selector", selector_keys, NULL, NULL, finish_selector};

static const KeySpec match_op_keys[] = {
	{"op", SPEC_ENUM, "how to compare", .names = &sigma_operator_names, .fallback = "\"=\""},
	{"operator", SPEC_ALIAS, .other = "op"},
	{"value", SPEC_CELL, "what to compare with", KEY_NULL},
	{NULL}
};
static const KeySpec *const match_op_tables[] = {match_op_keys, NULL};

/* contexts */

static const KeySpec an_open_object = {.name = "rows", .type = SPEC_OPEN};
static const KeySpec selection_keys[] = {
	{"rows", SPEC_LIST, "the selected rows", KEY_WRAP, .of = &an_open_object},
	{NULL}
};
static const KeySpec context_keys[] = {
	{"user_id", SPEC_TEXT, "the app user"},
	{"workbook_id", SPEC_TEXT, "the workbook, recorded"},
	{"element_id", SPEC_TEXT, "the element that was used"},
	{"selection", SPEC_CUSTOM, "{rows, columns}", .read = read_selection, .value_type = "object"},
	{"controls", SPEC_OPEN, "values of controls by id"},
	{"action_variables", SPEC_OPEN, "values of variables by name"},
	{"form", SPEC_OPEN, "values of the form's fields"},
	{"mode", SPEC_ENUM, "the version that is edited", .names = &entry_mode_names},
	{"column_name", SPEC_TEXT, "the column that was used"},
	{"menu_item_id", SPEC_TEXT, "the menu item that was used"},
	{"metadata", SPEC_OPEN, "whatever the client adds"},
	{"idempotency_key", SPEC_TEXT, "names this run: a second one returns the first one's result"},
	{"start_time", SPEC_DROPPED},
	{"warehouse", SPEC_DROPPED},
	{NULL}
};
const ObjectSpec sigma_context_spec = {"a context", context_keys};

/* Index of a word in a list that ends with NULL, or -1. */
static int
word_index(const char *const *words, const char *word)
{
	int			i;

	for (i = 0; word != NULL && words[i] != NULL; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

/* The keys of a value source by its type; NULL where that is not known. */
static const KeySpec *const *
value_keys(const JsonNode *value)
{
	int			i = word_index(value_types, sigma_json_get_string(value, "type", NULL));

	return i < 0 ? NULL : value_tables[i];
}

/* Before the keys of a value source are read: its type, which says what they are. */
static void
begin_value(JsonNode *value, int flags)
{
	JsonNode   *type = sigma_json_get(value, "type");

	if (type != NULL)
		sigma_json_set(value, "type", sigma_spec_enum("a value source", "type", &value_type_names, type));
}

/*
 * Is a value a source, by its "type"?  *known is false where it has a type that
 * is none of a source's.
 */
static bool
is_source(const JsonNode *value, bool *known)
{
	const char *type = sigma_json_get_string(value, "type", NULL);
	int			i;

	*known = true;
	if (type == NULL)
		return false;
	for (i = 0; value_types[i] != NULL; i++)
		if (sigma_same_word(value_types[i], type) || sigma_same_word(value_types[i], sigma_respell(type)))
			return true;
	*known = false;
	return false;
}

/*
 * A value (N7) in its canonical form: a whole reference becomes a formula, a
 * static one its literal where that cannot be taken for anything else.  "cell":
 * it is for a column that may be json, where an object of another type is data.
 */
JsonNode *
sigma_read_value(JsonNode *value, bool cell)
{
	JsonNode   *source;
	bool		known;
	int			i;

	check_stack_depth();
	if (value->kind == JSON_STRING && sigma_is_bare_reference(value->string))
	{
		source = sigma_json_new(JSON_OBJECT, value);
		source->key = value->key;
		sigma_json_set(source, "type", sigma_json_new_string("formula", value));
		sigma_json_set(source, "formula", sigma_read_formula(sigma_json_new_string(value->string, value)));
		return source;
	}
	if (value->kind == JSON_ARRAY)
	{
		for (i = 0; i < value->count; i++)
			value->items[i] = sigma_read_value(value->items[i], cell);
		return value;
	}
	if (value->kind != JSON_OBJECT)
		return value;

	if (!is_source(value, &known))
	{
		if (sigma_json_get(value, "type") == NULL)
			for (i = 0; i < value->count; i++)
			{
				const char *key = value->items[i]->key;

				value->items[i] = sigma_read_value(value->items[i], cell);
				value->items[i]->key = key;
			}
		if (known || cell)
			return value;
		sigma_document_error(sigma_json_get(value, "type"), 0,
							 psprintf("%s For a literal object use {\"type\": \"static\", \"value\": ...}.",
									  sigma_hint_names("", value_types)),
							 "unknown type \"%s\" of a value source", sigma_json_get_string(value, "type", NULL));
	}
	value = sigma_spec_read(&sigma_value_spec, value, 0);
	if (strcmp(sigma_json_get_string(value, "type", ""), "static") == 0)
	{
		JsonNode   *literal = sigma_json_get(value, "value");

		if (is_plain(literal))
		{
			literal->key = value->key;
			return literal;
		}
	}
	return value;
}

/* Is a literal one that needs no "static" around it? */
static bool
is_plain(const JsonNode *value)
{
	int			i;

	check_stack_depth();
	if (value->kind == JSON_STRING)
		return !sigma_is_bare_reference(value->string);
	if (value->kind == JSON_OBJECT && sigma_json_get_string(value, "type", NULL) != NULL)
		return false;
	for (i = 0; i < value->count; i++)
		if (!is_plain(value->items[i]))
			return false;
	return true;
}

/* A condition, or an array of them that must all hold. */
JsonNode *
sigma_read_condition(const KeySpec *key, JsonNode *condition, int flags)
{
	int			i;

	check_stack_depth();
	if (condition->kind == JSON_ARRAY)
	{
		for (i = 0; i < condition->count; i++)
			condition->items[i] = sigma_spec_read(&sigma_condition_spec, condition->items[i], 0);
		return condition;
	}
	if (condition->kind == JSON_STRING)
		sigma_document_error(condition, 0, "Write {\"type\": \"custom_formula\", \"formula\": ...}.",
							 "a condition must be an object or an array of them, not a string");
	return sigma_spec_read(&sigma_condition_spec, condition, 0);
}

/* The keys of a condition by its type; NULL where that is not known. */
static const KeySpec *const *
condition_keys(const JsonNode *condition)
{
	int			i = word_index(condition_types, sigma_json_get_string(condition, "type", NULL));

	return i < 0 ? NULL : condition_tables[i];
}

/*
 * Before the keys of a condition are read: its type, and what it compares where
 * that is given as a formula of one reference (N8).
 */
static void
begin_condition(JsonNode *condition, int flags)
{
	static const struct
	{
		const char *type;
		const char *scope;
		const char *key;
	}			subjects[] = {
		{"control_value", "Control", "control_id"},
		{"selection_value", "Selection", "column"},
		{"ai_result", "ActionVar", "variable"},
	};
	JsonNode   *type = sigma_json_get(condition, "type");
	JsonNode   *formula = sigma_json_get(condition, "formula");
	const char *scope;
	char	   *name;
	int			i;

	if (type == NULL)
		sigma_document_error(condition, 0,
							 "Write {\"type\": \"control_value\", \"control_id\": ..., \"expected_value\": ...}; several conditions are an array.",
							 "a condition needs \"type\"");
	type = sigma_spec_enum("a condition", "type", &condition_type_names, type);
	sigma_json_set(condition, "type", type);
	if (formula == NULL || formula->kind != JSON_STRING)
		return;

	for (i = 0; i < lengthof(subjects); i++)
	{
		JsonNode   *subject;

		if (strcmp(subjects[i].type, type->string) != 0)
			continue;
		if (!sigma_split_reference(formula->string, &scope, &name) || strcmp(scope, subjects[i].scope) != 0)
			sigma_document_error(formula, 0, "A condition on a formula is of type custom_formula.",
								 "\"formula\" of a %s condition must be one reference [%s/...]",
								 type->string, subjects[i].scope);
		subject = sigma_json_get(condition, subjects[i].key);
		if (subject != NULL && (subject->kind != JSON_STRING || strcmp(subject->string, name) != 0))
			sigma_document_error(formula, 0, "Leave one out.", "\"%s\" and \"formula\" name different things",
								 subjects[i].key);
		(void) sigma_json_remove(condition, "formula");
		sigma_json_set(condition, subjects[i].key, sigma_json_new_string(name, formula));
	}
}

/* Raise SG400 where what an operator compares with is not of the form it needs. */
static void
check_operand(const JsonNode *object, const char *op, JsonNode *operand)
{
	bool		known;

	if (strcmp(op, "is_null") == 0 || strcmp(op, "is_not_null") == 0)
	{
		if (operand != NULL && operand->kind != JSON_NULL)
			sigma_document_error(operand, 0, NULL, "operator \"%s\" compares with nothing", op);
		return;
	}
	if (operand == NULL)
		sigma_document_error(object, 0, NULL, "operator \"%s\" needs a value to compare with", op);
	if (operand->kind == JSON_OBJECT && is_source(operand, &known))
		return;
	if (strcmp(op, "in") == 0 && operand->kind != JSON_ARRAY)
		sigma_document_error(operand, 0, NULL, "operator \"in\" needs an array, not %s",
							 sigma_json_kind_name(operand));
	if (strcmp(op, "between") == 0 && operand->kind != JSON_OBJECT &&
		(operand->kind != JSON_ARRAY || operand->count != 2))
		sigma_document_error(operand, 0, "Give [low, high], {\"min\": low, \"max\": high} or {\"start\": low, \"end\": high}.",
							 "operator \"between\" needs two bounds");
}

/* After the keys of a condition are read: its operator and what that needs. */
static void
finish_condition(JsonNode *condition, int flags)
{
	const char *type = sigma_json_get_string(condition, "type", "");
	JsonNode   *threshold = sigma_json_get(condition, "threshold");
	JsonNode   *expected = sigma_json_get(condition, "expected_value");
	char	   *op = sigma_json_get_string(condition, "operator", NULL);

	if (strcmp(type, "custom_formula") == 0)
		return;
	if (threshold != NULL && expected != NULL)
		sigma_document_error(threshold, 0, "A threshold is for numbers, an expected value for labels.",
							 "both \"threshold\" and \"expected_value\" are given");
	if (op == NULL)
	{
		op = threshold != NULL ? ">=" : "=";
		sigma_json_set(condition, "operator", sigma_json_new_string(op, condition));
	}
	check_operand(condition, op, threshold != NULL ? threshold : expected);
	if (expected != NULL && expected->kind == JSON_NULL && strncmp(op, "is_", 3) == 0)
		(void) sigma_json_remove(condition, "expected_value");
}

/* Raise SG400 unless a selector says exactly one thing. */
static void
finish_selector(JsonNode *selector, int flags)
{
	static const char hint[] =
		"A selector is one of {row_id}, {key: {...}}, {match: {...}}, {formula}, {current_row: true}, {selection: true}.";

	if (selector->count == 0)
		sigma_document_error(selector, 0, hint, "a selector must say which rows it selects");
	if (selector->count > 1)
		sigma_document_error(selector->items[1], 0, hint, "a selector cannot have both \"%s\" and \"%s\"",
							 selector->items[0]->key, selector->items[1]->key);
}

/* What a column must match: a value, or {op, value}. */
JsonNode *
sigma_read_match(const KeySpec *key, JsonNode *value, int flags)
{
	int			i;
	bool		has_op = false;

	for (i = 0; value->kind == JSON_OBJECT && i < value->count; i++)
	{
		const char *name = value->items[i]->key;

		if (strcmp(name, "op") == 0 || strcmp(name, "operator") == 0)
			has_op = true;
		else if (strcmp(name, "value") != 0)
			break;
	}
	if (!has_op || i < value->count)
		return sigma_read_value(value, true);

	sigma_spec_read_tables("a match", match_op_tables, value, 0);
	if (sigma_json_get(value, "op") == NULL)
		sigma_document_error(value, 0, NULL, "a match needs \"op\"");
	check_operand(value, sigma_json_get_string(value, "op", "="), sigma_json_get(value, "value"));
	return value;
}

/* The row of the context's table about a key, or NULL. */
static const KeySpec *
context_key(const char *name)
{
	const KeySpec *key;

	for (key = context_keys; key->name != NULL; key++)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

/*
 * A context (N5) in its canonical form: known keys are respelled and checked,
 * unknown ones move to "metadata" as they are.
 */
JsonNode *
sigma_read_context(JsonNode *context)
{
	List	   *unknown = NIL;
	int			kept = 0;
	int			i;
	int			j;

	if (context->kind != JSON_OBJECT)
		sigma_document_error(context, 0, NULL, "a context must be an object, not %s",
							 sigma_json_kind_name(context));
	for (i = 0; i < context->count; i++)
	{
		JsonNode   *member = context->items[i];
		const KeySpec *key = context_key(sigma_respell(member->key));

		if (key == NULL)
		{
			unknown = lappend(unknown, member);
			continue;
		}
		if (key->type == SPEC_DROPPED || member->kind == JSON_NULL)
			continue;
		for (j = 0; j < kept; j++)
			if (strcmp(context->items[j]->key, key->name) == 0)
				sigma_document_error(member, 0, "They are two spellings of one key: leave one out.",
									 "\"%s\" is given twice", key->name);
		member = sigma_spec_read_value("a context", key, member, 0);
		member->key = key->name;
		context->items[kept++] = member;
	}
	context->count = kept;
	if (unknown != NIL)
		move_to_metadata(context, unknown);
	return context;
}

/*
 * The context that a step gives to a sequence: known keys are respelled, and what they
 * hold may be values, at any depth.
 */
JsonNode *
sigma_read_given_context(const KeySpec *unused, JsonNode *context, int flags)
{
	int			i;
	int			j;

	sigma_spec_require(context, JSON_OBJECT, "context", "an object");
	for (i = 0; i < context->count; i++)
	{
		const KeySpec *key = context_key(sigma_respell(context->items[i]->key));

		if (key == NULL)
			continue;
		for (j = 0; j < i; j++)
			if (strcmp(context->items[j]->key, key->name) == 0)
				sigma_document_error(context->items[i], 0, "They are two spellings of one key: leave one out.",
									 "\"%s\" is given twice", key->name);
		context->items[i]->key = key->name;
	}
	return read_deep(context);
}

/* A value, and all values in it where it is an object that is none itself. */
static JsonNode *
read_deep(JsonNode *value)
{
	bool		known;
	int			i;

	check_stack_depth();
	if (value->kind != JSON_ARRAY && (value->kind != JSON_OBJECT || is_source(value, &known)))
		return sigma_read_value(value, true);
	for (i = 0; i < value->count; i++)
	{
		const char *key = value->items[i]->key;

		value->items[i] = read_deep(value->items[i]);
		value->items[i]->key = key;
	}
	return value;
}

/* Put members that the context does not know into its "metadata"; SG400 where that has them. */
static void
move_to_metadata(JsonNode *context, List *members)
{
	JsonNode   *metadata = sigma_json_get(context, "metadata");
	bool		given = metadata != NULL;
	ListCell   *cell;

	if (!given)
	{
		metadata = sigma_json_new(JSON_OBJECT, context);
		sigma_json_set(context, "metadata", metadata);
	}
	foreach(cell, members)
	{
		JsonNode   *member = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (given && sigma_json_get(metadata, member->key) != NULL)
			sigma_document_error(member, 0, NULL, "\"%s\" is given here and in \"metadata\"", member->key);
		sigma_json_add(metadata, member->key, member);
	}
}

/* A context's selection: its rows are checked, everything else is kept. */
static JsonNode *
read_selection(const KeySpec *key, JsonNode *selection, int flags)
{
	JsonNode   *rows;

	sigma_spec_require(selection, JSON_OBJECT, "selection", "an object");
	sigma_spec_respell(selection);
	/* taken out first: a single row is put into a list, and no node is held twice */
	rows = sigma_json_remove(selection, "rows");
	if (rows != NULL && rows->kind != JSON_NULL)
		sigma_json_set(selection, "rows", sigma_spec_read_value("a selection", &selection_keys[0], rows, 0));
	return selection;
}
