/*
 * references.c
 *		What a canonical document refers to, and giving it another name there.
 *
 * One walk over the document finds every reference.  Which members hold values and
 * formulas, and whose rows a formula is about, is said here; dynamic text is found by
 * the tables of documents.  Parents and children are structure, not references.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "common/document_specs.h"
#include "formula/references.h"

/* What a walk has found. */
typedef struct Walk
{
	List	   *found;			/* of Reference */
} Walk;

static void walk_rule(Walk *walk, JsonNode *rule, const char *id);
static void walk_column(Walk *walk, JsonNode *column, const char *id);
static void walk_input_table(Walk *walk, JsonNode *document);
static void walk_element(Walk *walk, JsonNode *document);
static void walk_data_element(Walk *walk, JsonNode *document);
static void walk_form(Walk *walk, JsonNode *document);
static void walk_action(Walk *walk, JsonNode *action);
static void walk_actions(Walk *walk, JsonNode *actions);
static void walk_row_value(Walk *walk, JsonNode *value, const char *rows);
static void walk_rows(Walk *walk, JsonNode *parameters, const char *table);
static void walk_flow(Walk *walk, JsonNode *parameters);
static void walk_target(Walk *walk, JsonNode *action, const char *type, const char *subtype);
static void walk_sequence(Walk *walk, JsonNode *sequence);
static void walk_trigger(Walk *walk, JsonNode *trigger);
static void walk_condition(Walk *walk, JsonNode *condition);
static void walk_formula(Walk *walk, JsonNode *formula, const char *table);
static void walk_texts(Walk *walk, const KeySpec *const *tables, JsonNode *object);
static void walk_text(Walk *walk, const KeySpec *key, JsonNode *value);
static void walk_value(Walk *walk, JsonNode *value);
static void walk_body(Walk *walk, JsonNode *body);
static void walk_selector(Walk *walk, JsonNode *selector, const char *table);

/* See references.h. */
List *
sigma_document_references(DocumentKind kind, JsonNode *document)
{
	Walk		walk = {NIL};

	switch (kind)
	{
		case DOCUMENT_INPUT_TABLE:
			walk_input_table(&walk, document);
			break;
		case DOCUMENT_COLUMN:
			walk_column(&walk, document, NULL);
			break;
		case DOCUMENT_RULE:
			walk_rule(&walk, document, NULL);
			break;
		case DOCUMENT_LAYOUT_ELEMENT:
			walk_element(&walk, document);
			break;
		case DOCUMENT_ACTION:
			walk_action(&walk, document);
			break;
		case DOCUMENT_SEQUENCE:
			walk_sequence(&walk, document);
			break;
		case DOCUMENT_TRIGGER:
			walk_trigger(&walk, document);
			break;
		case DOCUMENT_CONDITION:
			walk_condition(&walk, document);
			break;
		case DOCUMENT_VALUE:
			walk_value(&walk, document);
			break;
		case DOCUMENT_SELECTOR:
			walk_selector(&walk, document, NULL);
			break;
		case DOCUMENT_VARIABLE:
		case DOCUMENT_CONTEXT:
			break;
	}
	return walk.found;
}

/* See references.h.  The reference's own name is the new one then. */
void
sigma_reference_rename(Reference *reference, const char *new_name)
{
	const char *name = pstrdup(new_name);

	if (reference->is_own)		/* an id is no one else's name */
		return;
	if (reference->place != NULL)
	{
		if (reference->kind == REFERENCE_INPUT_TABLE)
			reference->node->source = name;
		else
			reference->node->text = name;
		sigma_place_write(reference->place);
	}
	else if (reference->is_key)
		reference->where->key = name;
	else
		reference->where->string = unconstify(char *, name);
	reference->name = name;
}

/* Note a reference by a string; nothing where there is none. */
static Reference *
add(Walk *walk, ReferenceKind kind, const char *table, JsonNode *where)
{
	Reference  *reference;

	if (where == NULL || where->kind != JSON_STRING)
		return NULL;
	reference = palloc0(sizeof(Reference));
	reference->kind = kind;
	reference->name = where->string;
	reference->table = table;
	reference->where = where;
	walk->found = lappend(walk->found, reference);
	return reference;
}

/* The same where the name may be another thing's, or stand for nothing. */
static void
add_perhaps(Walk *walk, ReferenceKind kind, JsonNode *where)
{
	Reference  *reference = add(walk, kind, NULL, where);

	if (reference != NULL)
		reference->may_be_other = true;
}

/* Note the keys of an object as columns of a table. */
static void
add_keys(Walk *walk, const char *table, JsonNode *object)
{
	int			i;

	for (i = 0; object != NULL && object->kind == JSON_OBJECT && i < object->count; i++)
	{
		Reference  *reference = palloc0(sizeof(Reference));

		reference->kind = REFERENCE_COLUMN;
		reference->name = object->items[i]->key;
		reference->table = table;
		reference->where = object->items[i];
		reference->is_key = true;
		walk->found = lappend(walk->found, reference);
	}
}

/* Note columns: a name, {column: name}, or an array of either. */
static void
add_columns(Walk *walk, const char *table, JsonNode *node)
{
	int			i;

	if (node == NULL)
		return;
	if (node->kind == JSON_STRING)
		(void) add(walk, REFERENCE_COLUMN, table, node);
	else if (node->kind == JSON_OBJECT)
		(void) add(walk, REFERENCE_COLUMN, table, sigma_json_get(node, "column"));
	else
		for (i = 0; i < node->count; i++)
			if (node->items[i]->kind != JSON_ARRAY)
				add_columns(walk, table, node->items[i]);
}

/* Note the variable that a control sets: the one it names, else that of its own id. */
static void
add_control_variable(Walk *walk, JsonNode *control)
{
	JsonNode   *variable = sigma_json_get(control, "variable");
	Reference  *reference = add(walk, REFERENCE_VARIABLE, NULL, variable != NULL ? variable : sigma_json_get(control, "id"));

	if (reference != NULL)
		reference->is_own = variable == NULL;
}

/* Note every value of an object or array, or a single one. */
static void
walk_values(Walk *walk, JsonNode *values)
{
	int			i;

	for (i = 0; values != NULL && i < values->count; i++)
		walk_value(walk, values->items[i]);
}

/*
 * Values, conditions, selectors
 */

/* A formula about rows of a table, or about a run alone (NULL). */
static void
walk_formula(Walk *walk, JsonNode *formula, const char *table)
{
	walk->found = sigma_formula_references(walk->found, formula, table);
}

/* The dynamic texts among the members of an object, by the tables of its members; "tables" ends with NULL. */
static void
walk_texts(Walk *walk, const KeySpec *const *tables, JsonNode *object)
{
	const KeySpec *key;

	for (; tables != NULL && *tables != NULL; tables++)
		for (key = *tables; key->name != NULL; key++)
		{
			JsonNode   *value = sigma_json_get(object, key->name);

			if (value != NULL)
				walk_text(walk, key, value);
		}
}

/* The same in one member, by its type; elements and sequences that stand in it are not its own. */
static void
walk_text(Walk *walk, const KeySpec *key, JsonNode *value)
{
	int			i;

	check_stack_depth();
	switch (key->type)
	{
		case SPEC_DYNAMIC:
			walk->found = sigma_text_references(walk->found, value);
			break;
		case SPEC_LIST:
			for (i = 0; value->kind == JSON_ARRAY && i < value->count; i++)
				walk_text(walk, key->of, value->items[i]);
			break;
		case SPEC_OBJECT:
		case SPEC_NAME_OR_OBJECT:
			if (value->kind == JSON_OBJECT && key->object != &sigma_tab_spec &&
				key->object != &sigma_sequence_spec && key->object != &sigma_action_spec)
			{
				const KeySpec *const tables[] = {key->object->keys, NULL};

				walk_texts(walk, tables, value);
			}
			break;
		default:
			break;
	}
}

/* A value: what a source names. */
static void
walk_value(Walk *walk, JsonNode *value)
{
	const char *type;

	check_stack_depth();
	if (value == NULL)
		return;
	if (value->kind == JSON_ARRAY)
	{
		walk_values(walk, value);
		return;
	}
	type = sigma_json_get_string(value, "type", NULL);
	if (type == NULL)
	{
		walk_values(walk, value);
		return;
	}
	if (strcmp(type, "control") == 0)
		(void) add(walk, REFERENCE_VARIABLE, NULL, sigma_json_get(value, "control_id"));
	else if (strcmp(type, "variable") == 0)
		add_perhaps(walk, REFERENCE_VARIABLE, sigma_json_get(value, "variable"));
	else if (strcmp(type, "column") == 0)
		(void) add(walk, REFERENCE_COLUMN, NULL, sigma_json_get(value, "column_name"));
	else if (strcmp(type, "form_field") == 0)
		(void) add(walk, REFERENCE_COLUMN, NULL, sigma_json_get(value, "field"));
	else if (strcmp(type, "formula") == 0)
		walk_formula(walk, sigma_json_get(value, "formula"), NULL);
}

/* A body: dynamic text, or a value. */
static void
walk_body(Walk *walk, JsonNode *body)
{
	if (body != NULL && body->kind == JSON_STRING)
		walk->found = sigma_text_references(walk->found, body);
	else
		walk_value(walk, body);
}

/* A condition or an array of them. */
static void
walk_condition(Walk *walk, JsonNode *condition)
{
	int			i;

	check_stack_depth();
	if (condition == NULL)
		return;
	if (condition->kind == JSON_ARRAY)
	{
		for (i = 0; i < condition->count; i++)
			walk_condition(walk, condition->items[i]);
		return;
	}
	(void) add(walk, REFERENCE_VARIABLE, NULL, sigma_json_get(condition, "control_id"));
	(void) add(walk, REFERENCE_COLUMN, NULL, sigma_json_get(condition, "column"));
	add_perhaps(walk, REFERENCE_VARIABLE, sigma_json_get(condition, "variable"));
	walk_value(walk, sigma_json_get(condition, "expected_value"));
	walk_formula(walk, sigma_json_get(condition, "formula"), NULL);
}

/* A selector over a table. */
static void
walk_selector(Walk *walk, JsonNode *selector, const char *table)
{
	JsonNode   *match = sigma_json_get(selector, "match");
	int			i;

	add_keys(walk, table, sigma_json_get(selector, "key"));
	add_keys(walk, table, match);
	walk_values(walk, sigma_json_get(selector, "key"));
	walk_value(walk, sigma_json_get(selector, "row_id"));
	walk_formula(walk, sigma_json_get(selector, "formula"), table);
	for (i = 0; match != NULL && i < match->count; i++)
	{
		JsonNode   *value = match->items[i];

		if (sigma_json_get(value, "op") != NULL)
			value = sigma_json_get(value, "value");
		walk_value(walk, value);
	}
}

/*
 * Input tables
 */

/* A rule of a table: its formula, and where its allowed values stand. */
static void
walk_rule(Walk *walk, JsonNode *rule, const char *id)
{
	JsonNode   *from = sigma_json_get(rule, "values_from");
	JsonNode   *table = sigma_json_get(from, "table");

	walk_formula(walk, sigma_json_get(rule, "formula"), id);
	if (table == NULL || table->kind != JSON_STRING)
		return;
	add_perhaps(walk, REFERENCE_INPUT_TABLE, table);
	add_columns(walk, table->string, sigma_json_get(from, "column"));
	walk_formula(walk, sigma_json_get(from, "filter"), table->string);
}

/* A column of a table: its own rules, what computes it, its default. */
static void
walk_column(Walk *walk, JsonNode *column, const char *id)
{
	JsonNode   *preset = sigma_json_get(column, "default_value");

	walk_rule(walk, sigma_json_get(column, "validation"), id);
	walk_formula(walk, sigma_json_get(column, "formula"), id);
	if (preset != NULL && preset->kind == JSON_OBJECT && preset->count == 1)
		walk_formula(walk, sigma_json_get(preset, "formula"), NULL);
}

/* An input table: its rules name its own columns. */
static void
walk_input_table(Walk *walk, JsonNode *document)
{
	const char *id = sigma_json_get_string(document, "id", NULL);
	JsonNode   *columns = sigma_json_get(document, "columns");
	JsonNode   *rules = sigma_json_get(document, "validation_rules");
	JsonNode   *row_rules = sigma_json_get(document, "row_rules");
	JsonNode   *governance = sigma_json_get(document, "governance_config");
	JsonNode   *source = sigma_json_get(document, "source");
	int			i;

	for (i = 0; columns != NULL && i < columns->count; i++)
		walk_column(walk, columns->items[i], id);
	add_keys(walk, id, rules);
	for (i = 0; rules != NULL && i < rules->count; i++)
		walk_rule(walk, rules->items[i], id);
	for (i = 0; row_rules != NULL && i < row_rules->count; i++)
	{
		add_columns(walk, id, sigma_json_get(row_rules->items[i], "unique"));
		walk_formula(walk, sigma_json_get(row_rules->items[i], "formula"), id);
	}
	walk_formula(walk, sigma_json_get(governance, "row_filter"), id);
	walk_formula(walk, sigma_json_get(governance, "row_edit"), id);
	if (source != NULL && source->kind == JSON_STRING)
	{
		add_perhaps(walk, REFERENCE_INPUT_TABLE, source);
		add_columns(walk, source->string, sigma_json_get(document, "key_columns"));
		add_columns(walk, source->string, sigma_json_get(document, "linked_columns"));
	}
}

/*
 * Layout
 */

/* A setting that is a sequence: its id, or the sequence itself. */
static void
walk_sequence_setting(Walk *walk, JsonNode *setting)
{
	int			i;

	if (setting == NULL)
		return;
	if (setting->kind == JSON_OBJECT)
		walk_sequence(walk, setting);
	else if (setting->kind == JSON_ARRAY)
		for (i = 0; i < setting->count; i++)
			walk_sequence_setting(walk, setting->items[i]);
	else
		(void) add(walk, REFERENCE_SEQUENCE, NULL, setting);
}

/* An element, and the elements that stand in it as documents. */
static void
walk_element(Walk *walk, JsonNode *document)
{
	static const char *const sequences[] = {"actions", "on_open", "on_close", "submit_sequence"};
	static const char *const nested[] = {"children", "tabs"};
	const char *type = sigma_json_get_string(document, "type", "");
	int			i;
	int			j;

	check_stack_depth();
	for (i = 0; i < lengthof(sequences); i++)
		walk_sequence_setting(walk, sigma_json_get(document, sequences[i]));
	walk_texts(walk, sigma_element_spec.variant(document), document);
	if (strcmp(type, "form") == 0)
		walk_form(walk, document);
	else if (strcmp(type, "control") == 0)
	{
		add_control_variable(walk, document);
		walk_values(walk, sigma_json_get(document, "values"));
		walk_value(walk, sigma_json_get(document, "default_value"));
		walk_data_element(walk, document);
	}
	else
		walk_data_element(walk, document);

	for (i = 0; i < lengthof(nested); i++)
	{
		JsonNode   *children = sigma_json_get(document, nested[i]);

		for (j = 0; children != NULL && j < children->count; j++)
			if (children->items[j]->kind == JSON_OBJECT)
				walk_element(walk, children->items[j]);
	}
}

/* A form writes an input table. */
static void
walk_form(Walk *walk, JsonNode *document)
{
	const char *table = sigma_json_get_string(document, "input_table", NULL);
	JsonNode   *fields = sigma_json_get(document, "fields");
	int			i;

	(void) add(walk, REFERENCE_INPUT_TABLE, NULL, sigma_json_get(document, "input_table"));
	add_columns(walk, table, fields);
	for (i = 0; fields != NULL && i < fields->count; i++)
		walk_value(walk, sigma_json_get(fields->items[i], "default_value"));
}

/* An element that shows rows of a source. */
static void
walk_data_element(Walk *walk, JsonNode *document)
{
	static const char *const lists[] = {"columns", "sort", "rows", "values", "x", "y", "series", "column"};
	JsonNode   *source = sigma_json_get(document, "source");
	JsonNode   *filter = sigma_json_get(document, "filter");
	bool		control = strcmp(sigma_json_get_string(document, "type", ""), "control") == 0;
	const char *rows = source == NULL || source->kind != JSON_STRING ? NULL : source->string;
	int			i;

	if (filter != NULL && filter->kind == JSON_OBJECT)
		walk_selector(walk, filter, rows);
	else
		walk_formula(walk, filter, rows);
	if (rows == NULL)
		return;
	add_perhaps(walk, REFERENCE_INPUT_TABLE, source);
	for (i = 0; i < lengthof(lists); i++)
		if (!control || strcmp(lists[i], "column") == 0)
			add_columns(walk, rows, sigma_json_get(document, lists[i]));
}

/*
 * Actions and sequences
 */

/* Steps: ids of actions, or actions. */
static void
walk_actions(Walk *walk, JsonNode *actions)
{
	int			i;

	for (i = 0; actions != NULL && i < actions->count; i++)
		if (actions->items[i]->kind == JSON_STRING)
			(void) add(walk, REFERENCE_ACTION, NULL, actions->items[i]);
		else
			walk_action(walk, actions->items[i]);
}

/* The tables of an action's parameters; NULL where its type is not known. */
static const KeySpec *const *
action_tables(const char *type, const char *subtype)
{
	const ActionType *known;

	for (known = sigma_action_types; known->type != NULL; known++)
		if (strcmp(known->type, type) == 0 && (known->subtype == NULL || strcmp(known->subtype, subtype) == 0))
			return known->tables;
	return NULL;
}

/* An action: its target, its conditions, and what its parameters name. */
static void
walk_action(Walk *walk, JsonNode *action)
{
	const char *type = sigma_json_get_string(action, "type", "");
	const char *subtype = sigma_json_get_string(action, "subtype", "");
	const char *target = sigma_json_get_string(action, "target", NULL);
	JsonNode   *parameters = sigma_json_get(action, "parameters");

	check_stack_depth();
	walk_condition(walk, sigma_json_get(action, "conditions"));
	walk_target(walk, action, type, subtype);
	if (parameters == NULL || parameters->kind != JSON_OBJECT)
		return;
	walk_texts(walk, action_tables(type, subtype), parameters);
	walk_value(walk, sigma_json_get(parameters, "value"));
	if (strcmp(type, "data_modification") != 0)
		walk_values(walk, sigma_json_get(parameters, "values"));
	walk_values(walk, sigma_json_get(parameters, "pass_control_values"));
	walk_values(walk, sigma_json_get(parameters, "arguments"));
	walk_values(walk, sigma_json_get(parameters, "recipients"));
	walk_value(walk, sigma_json_get(parameters, "payload"));
	walk_body(walk, sigma_json_get(parameters, "body"));

	if (strcmp(type, "data_modification") == 0)
		walk_rows(walk, parameters, target);
	else if (strcmp(type, "flow") == 0)
		walk_flow(walk, parameters);
	else if (strcmp(type, "export") == 0)
		add_columns(walk, target, sigma_json_get(parameters, "columns"));
	else if (strcmp(type, "element") == 0)
	{
		add_columns(walk, target, sigma_json_get(parameters, "sort"));
		add_columns(walk, target, sigma_json_get(parameters, "show_columns"));
		add_columns(walk, target, sigma_json_get(parameters, "hide_columns"));
	}
	else if (strcmp(type, "form") == 0)
		add_keys(walk, target, sigma_json_get(parameters, "values"));
	else if (strcmp(type, "api_call") == 0)
	{
		walk_values(walk, sigma_json_get(parameters, "query"));
		walk_values(walk, sigma_json_get(parameters, "headers"));
	}
}

/* A value for a column: a formula reads the row that is written, or that of the source. */
static void
walk_row_value(Walk *walk, JsonNode *value, const char *rows)
{
	if (strcmp(sigma_json_get_string(value, "type", ""), "formula") == 0)
		walk_formula(walk, sigma_json_get(value, "formula"), rows);
	else
		walk_value(walk, value);
}

/* Parameters of a data modification: they name columns of its table. */
static void
walk_rows(Walk *walk, JsonNode *parameters, const char *table)
{
	JsonNode   *rows = sigma_json_get(parameters, "rows");
	JsonNode   *selector = sigma_json_get(parameters, "selector");
	JsonNode   *values = sigma_json_get(parameters, "values");
	JsonNode   *source = sigma_json_get(parameters, "source");
	int			i;

	add_keys(walk, table, values);
	for (i = 0; values != NULL && i < values->count; i++)
		walk_row_value(walk, values->items[i], source == NULL ? table : source->string);
	add_columns(walk, table, sigma_json_get(parameters, "key"));
	for (i = 0; rows != NULL && rows->kind == JSON_ARRAY && i < rows->count; i++)
	{
		add_keys(walk, table, rows->items[i]);
		walk_values(walk, rows->items[i]);
	}
	if (selector != NULL)
		walk_selector(walk, selector, table);
	add_perhaps(walk, REFERENCE_INPUT_TABLE, sigma_json_get(parameters, "source"));
}

/* Parameters of flow: conditions and steps within the step. */
static void
walk_flow(Walk *walk, JsonNode *parameters)
{
	JsonNode   *branches = sigma_json_get(parameters, "branches");
	int			i;

	walk_actions(walk, sigma_json_get(parameters, "actions"));
	walk_actions(walk, sigma_json_get(parameters, "else"));
	add_perhaps(walk, REFERENCE_INPUT_TABLE, sigma_json_get(parameters, "rows"));
	walk_value(walk, sigma_json_get(parameters, "context"));
	for (i = 0; branches != NULL && i < branches->count; i++)
	{
		walk_condition(walk, sigma_json_get(branches->items[i], "condition"));
		walk_actions(walk, sigma_json_get(branches->items[i], "actions"));
	}
}

/* What kind of thing an action's target is. */
static void
walk_target(Walk *walk, JsonNode *action, const char *type, const char *subtype)
{
	static const char *const elements[] = {
		"modal", "tabs", "element", "container", "form", "plugin"
	};
	JsonNode   *target = sigma_json_get(action, "target");
	int			i;

	if (strcmp(type, "data_modification") == 0)
		(void) add(walk, REFERENCE_INPUT_TABLE, NULL, target);
	else if (strcmp(type, "export") == 0)
		add_perhaps(walk, REFERENCE_INPUT_TABLE, target);
	else if (strcmp(type, "control") == 0)
		(void) add(walk, REFERENCE_VARIABLE, NULL, target);
	else if (strcmp(type, "variable") == 0)
		add_perhaps(walk, REFERENCE_VARIABLE, target);
	else if (strcmp(type, "flow") == 0 && strcmp(subtype, "run_sequence") == 0)
		(void) add(walk, REFERENCE_SEQUENCE, NULL, target);
	else if (strcmp(type, "stored_procedure") == 0)
		(void) add(walk, REFERENCE_FUNCTION, NULL, target);
	else if (strcmp(type, "navigation") == 0 && strcmp(subtype, "open_link") == 0)
		walk->found = sigma_text_references(walk->found, target);
	else if (strcmp(subtype, "navigate_workbook") == 0)
		add_perhaps(walk, REFERENCE_ELEMENT, target);
	else
		for (i = 0; i < lengthof(elements); i++)
			if (strcmp(type, elements[i]) == 0)
				(void) add(walk, REFERENCE_ELEMENT, NULL, target);
}

/* A trigger: the element that is used need not exist, the table must. */
static void
walk_trigger(Walk *walk, JsonNode *trigger)
{
	const char *table = sigma_json_get_string(trigger, "table_id", NULL);

	if (trigger == NULL)
		return;
	add_perhaps(walk, REFERENCE_ELEMENT, sigma_json_get(trigger, "element_id"));
	(void) add(walk, REFERENCE_COLUMN, NULL, sigma_json_get(trigger, "column_name"));
	(void) add(walk, REFERENCE_INPUT_TABLE, NULL, sigma_json_get(trigger, "table_id"));
	add_columns(walk, table, sigma_json_get(trigger, "columns"));
}

/* A sequence: what starts it, its condition, its steps. */
static void
walk_sequence(Walk *walk, JsonNode *sequence)
{
	const KeySpec *const tables[] = {sigma_sequence_spec.keys, NULL};

	check_stack_depth();
	walk_trigger(walk, sigma_json_get(sequence, "trigger"));
	walk_condition(walk, sigma_json_get(sequence, "condition"));
	walk_actions(walk, sigma_json_get(sequence, "actions"));
	walk_texts(walk, tables, sequence);
}
