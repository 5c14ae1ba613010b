/*
 * element.c
 *		Steps on elements of the layout: what their targets are, and what they carry.
 *
 * Such a step changes nothing in the database: its effect says what the client is to
 * do.  That the target is there, is of a type that can do it and has the columns,
 * fields and settings that are named is checked when the step is compiled; which
 * element has how many tabs and which settings, only when it is saved, because an
 * element may change afterwards without making its steps impossible.
 */
#include "postgres.h"

#include "action/client.h"
#include "common/catalog.h"
#include "common/document_specs.h"
#include "common/errors.h"
#include "formula/compile.h"
#include "layout/layout.h"

/* Types of elements that a step can act on. */
typedef struct TargetTypes
{
	const char *what;			/* with its article */
	const char *const *types;	/* ends with NULL; or NULL: all but the "others" */
	const char *const *others;
	const char *hint;			/* or NULL */
} TargetTypes;

static const char *const overlays[] = {"modal", "drawer", "popover", NULL};
static const char *const tab_sets[] = {"tabs", NULL};
static const char *const containers[] = {"container", NULL};
static const char *const forms[] = {"form", NULL};
static const char *const plugins[] = {"plugin", NULL};
static const char *const sorted[] = {"input_table", "table", "pivot", "chart", NULL};

static const TargetTypes any_overlay = {"a modal, drawer or popover", overlays};
static const TargetTypes any_tabs = {"a set of tabs", tab_sets};
static const TargetTypes any_container = {"a container", containers};
static const TargetTypes any_form = {"a form", forms};
static const TargetTypes any_plugin = {"a plugin", plugins};
static const TargetTypes any_sorted = {"an input table, table, pivot or chart", sorted};
static const TargetTypes any_on_page = {"an element of a page", NULL, overlays, "Use type modal, subtypes open and close."};
static const TargetTypes any_element = {"an element"};

static JsonNode *find_element(ClientStep *step, JsonNode *action);
static const TargetTypes *target_types(ClientCode code);
static void check_type(const TargetTypes *types, const JsonNode *element, JsonNode *target);
static bool is_one_of(const char *name, const char *const *names);
static void compile_tab(const CompileState *state, ClientStep *step, JsonNode *element, JsonNode *parameters);
static void compile_modify(const CompileState *state, ClientStep *step, JsonNode *element, JsonNode *parameters);
static void compile_settings(const CompileState *state, ClientStep *step, JsonNode *element, JsonNode *settings);
static const KeySpec *find_setting(const JsonNode *element, const char *name);
static void compile_sort(const CompileState *state, ClientStep *step, JsonNode *element, JsonNode *sort);
static void compile_form(const CompileState *state, ClientStep *step, JsonNode *element, JsonNode *values);
static void check_columns(JsonNode *element, JsonNode *columns);
static void check_column(FormulaRelation *relation, JsonNode *element, JsonNode *where, const char *name);
static FormulaRelation *rows_of(const JsonNode *element);
static JsonNode *form_fields(const JsonNode *element);

/* The parameters of a step on an element; its target is checked where "state" says so. */
void
sigma_element_compile(const CompileState *state, ClientStep *step, JsonNode *action, JsonNode *parameters)
{
	JsonNode   *element = state->resolve && step->target != NULL ? find_element(step, action) : NULL;

	switch (step->code)
	{
		case CLIENT_SELECT_TAB:
			compile_tab(state, step, element, parameters);
			break;
		case CLIENT_MODIFY:
			compile_modify(state, step, element, parameters);
			break;
		case CLIENT_SORT:
			compile_sort(state, step, element, sigma_json_get(parameters, "sort"));
			break;
		case CLIENT_SET_ROW:
			sigma_effect_value(state, step, "value", sigma_json_get(parameters, "value"), true);
			break;
		case CLIENT_SET_FORM:
			compile_form(state, step, element, sigma_json_get(parameters, "values"));
			break;
		case CLIENT_TRIGGER_PLUGIN:
			sigma_effect_value(state, step, "effect", sigma_json_get(parameters, "effect"), false);
			sigma_effect_value(state, step, "payload", sigma_json_get(parameters, "payload"), true);
			break;
		default:
			break;
	}
}

/* The element that the step acts on; SG404 where it is missing, SG400 where its type cannot do it. */
static JsonNode *
find_element(ClientStep *step, JsonNode *action)
{
	JsonNode   *target = sigma_json_get(action, "target");
	JsonNode   *element = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, target->string);

	if (element == NULL)
		sigma_document_error(target, ERRCODE_SIGMA_NOT_FOUND,
							 sigma_catalog_hint(DOCUMENT_LAYOUT_ELEMENT, target->string),
							 "layout element \"%s\" does not exist", target->string);
	check_type(target_types(step->code), element, target);
	return element;
}

/* What a step of that kind acts on. */
static const TargetTypes *
target_types(ClientCode code)
{
	switch (code)
	{
		case CLIENT_OPEN_MODAL:
		case CLIENT_CLOSE_MODAL:
			return &any_overlay;
		case CLIENT_SELECT_TAB:
			return &any_tabs;
		case CLIENT_SET_ROW:
			return &any_container;
		case CLIENT_SET_FORM:
		case CLIENT_RESET_FORM:
			return &any_form;
		case CLIENT_TRIGGER_PLUGIN:
			return &any_plugin;
		case CLIENT_SORT:
			return &any_sorted;
		case CLIENT_SHOW:
			return &any_on_page;
		default:
			return &any_element;
	}
}

/* SG400 where the element is none of these. */
static void
check_type(const TargetTypes *types, const JsonNode *element, JsonNode *target)
{
	const char *type = sigma_json_get_string(element, "type", "");

	if (types->types != NULL ? is_one_of(type, types->types) :
		types->others == NULL || !is_one_of(type, types->others))
		return;
	sigma_document_error(target, 0, types->hint, "layout element \"%s\" is of type \"%s\", not %s",
						 target->string, type, types->what);
}

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* Which tab: by its place from 0, which must be one that there is, or relative to the active one. */
static void
compile_tab(const CompileState *state, ClientStep *step, JsonNode *element, JsonNode *parameters)
{
	JsonNode   *index = sigma_json_get(parameters, "index");
	JsonNode   *children = sigma_json_get(element, "children");
	int			count = children == NULL ? 0 : children->count;

	if (state->saving && element != NULL && index != NULL &&
		sigma_json_get_int(parameters, "index", 0) >= count)
		sigma_document_error(index, 0, "The first one has index 0.", "tabs \"%s\" has %d %s", step->target, count,
							 count == 1 ? "tab" : "tabs");
	sigma_effect_value(state, step, "index", index, false);
	sigma_effect_value(state, step, "direction", sigma_json_get(parameters, "direction"), false);
}

/* Columns to show and to hide, and settings to change. */
static void
compile_modify(const CompileState *state, ClientStep *step, JsonNode *element, JsonNode *parameters)
{
	static const char *const lists[] = {"show_columns", "hide_columns"};
	JsonNode   *settings = sigma_json_get(parameters, "settings");
	int			i;

	for (i = 0; i < lengthof(lists); i++)
	{
		JsonNode   *columns = sigma_json_get(parameters, lists[i]);

		if (columns == NULL)
			continue;
		if (element != NULL)
			check_columns(element, columns);
		sigma_effect_value(state, step, lists[i], columns, true);
	}
	if (settings != NULL && settings->kind == JSON_OBJECT)
		compile_settings(state, step, element, settings);
}

/*
 * Settings that the client shows in another way: those of the element's type, in the
 * form in which they are stored, dynamic text with its values.  What makes up the tree
 * and what brings sequences along is no setting of a view.
 */
static void
compile_settings(const CompileState *state, ClientStep *step, JsonNode *element, JsonNode *settings)
{
	JsonNode   *copy = sigma_json_copy(settings);
	EffectValue *value;
	int			i;

	if (element == NULL)
		return;
	value = sigma_effect_add(step, "settings");
	value->members = MemoryContextAllocZero(state->cxt, sizeof(EffectValue) * (copy->count + 1));
	for (i = 0; i < copy->count; i++)
	{
		JsonNode   *given = copy->items[i];
		const KeySpec *key = find_setting(element, given->key);
		JsonNode   *node;

		if (key == NULL && state->saving)
			sigma_document_error(given, 0, psprintf("sigma.element_types('%s') lists its settings.",
													sigma_json_get_string(element, "type", "")),
								 "a step cannot change \"%s\" of an element of type %s", given->key,
								 sigma_json_get_string(element, "type", ""));
		node = key == NULL || given->kind == JSON_NULL ? given : sigma_spec_read_value("a setting", key, given, 0);
		value->members[i].name = MemoryContextStrdup(state->cxt, given->key);
		value->members[i].source = key != NULL && key->type == SPEC_DYNAMIC ?
			sigma_dynamic_text_compile(state, node) : sigma_value_source_compile(state, node, true);
		value->count++;
	}
}

/* A setting of the element's type that a view can have in another way; NULL where there is none. */
static const KeySpec *
find_setting(const JsonNode *element, const char *name)
{
	static const char *const common[] = {"visible", "interactive", "style", NULL};
	const KeySpec *const *table = sigma_element_spec.variant(element);
	const KeySpec *key;

	for (; table != NULL && *table != NULL; table++)
		for (key = *table; key->name != NULL; key++)
			if (strcmp(key->name, name) == 0)
				return key->type == SPEC_ALIAS || key->type == SPEC_DROPPED || key->type == SPEC_REFUSED ||
					key->object == &sigma_sequence_spec || strcmp(name, "tabs") == 0 ? NULL : key;
	for (key = sigma_element_keys; is_one_of(name, common) && key->name != NULL; key++)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

/* Columns with their directions, in one form for the client. */
static void
compile_sort(const CompileState *state, ClientStep *step, JsonNode *element, JsonNode *sort)
{
	JsonNode   *list = sigma_json_new(JSON_ARRAY, sort);
	int			i;

	if (element != NULL)
		check_columns(element, sort);
	for (i = 0; i < sort->count; i++)
	{
		JsonNode   *given = sort->items[i];
		JsonNode   *item = sigma_json_new(JSON_OBJECT, given);
		char	   *name = given->kind == JSON_STRING ? given->string : sigma_json_get_string(given, "column", "");

		sigma_json_set(item, "column", sigma_json_new_string(name, given));
		sigma_json_set(item, "direction", sigma_json_new_string(sigma_json_get_string(given, "direction", "asc"), given));
		sigma_json_append(list, item);
	}
	sigma_effect_value(state, step, "sort", list, true);
}

/* Fields with their values: each must be one of the form. */
static void
compile_form(const CompileState *state, ClientStep *step, JsonNode *element, JsonNode *values)
{
	JsonNode   *fields = element == NULL ? NULL : form_fields(element);
	FormulaRelation *relation = element == NULL || fields != NULL ? NULL : rows_of(element);
	const char **names = fields == NULL ? NULL : palloc(sizeof(char *) * (fields->count + 1));
	int			i;
	int			j;

	for (i = 0; fields != NULL && i < fields->count; i++)
		names[i] = fields->items[i]->kind == JSON_STRING ? fields->items[i]->string :
			sigma_json_get_string(fields->items[i], "column", "");
	for (i = 0; i < values->count; i++)
	{
		if (relation != NULL)
			check_column(relation, element, values->items[i], values->items[i]->key);
		if (fields == NULL)
			continue;
		for (j = 0; j < fields->count; j++)
			if (strcmp(names[j], values->items[i]->key) == 0)
				break;
		if (j < fields->count)
			continue;
		names[j] = NULL;
		sigma_document_error(values->items[i], ERRCODE_UNDEFINED_COLUMN, sigma_hint_names(values->items[i]->key, names),
							 "form \"%s\" has no field \"%s\"", step->target, values->items[i]->key);
	}
	sigma_effect_members(state, step, "values", values);
}

/* Columns, as names or {column}, of an element that shows rows: 42703; SG400 for one that shows none. */
static void
check_columns(JsonNode *element, JsonNode *columns)
{
	FormulaRelation *relation = rows_of(element);
	int			i;

	if (relation == NULL && find_setting(element, "source") == NULL)
		sigma_document_error(columns, 0, NULL, "an element of type %s has no columns",
							 sigma_json_get_string(element, "type", ""));
	for (i = 0; relation != NULL && i < columns->count; i++)
		check_column(relation, element, columns->items[i],
					 columns->items[i]->kind == JSON_STRING ? columns->items[i]->string :
					 sigma_json_get_string(columns->items[i], "column", ""));
}

/* One column by its name; 42703 with the nearest one. */
static void
check_column(FormulaRelation *relation, JsonNode *element, JsonNode *where, const char *name)
{
	const char **names;
	int			i;

	if (sigma_formula_column(relation, name) != NULL)
		return;
	names = palloc(sizeof(char *) * (relation->ncolumns + 1));
	for (i = 0; i < relation->ncolumns; i++)
		names[i] = relation->columns[i].name;
	names[i] = NULL;
	sigma_document_error(where, ERRCODE_UNDEFINED_COLUMN, sigma_hint_names(name, names),
						 "layout element \"%s\" shows no column \"%s\"", sigma_json_get_string(element, "id", ""), name);
}

/* The rows that an element shows or enters; NULL where nothing says which. */
static FormulaRelation *
rows_of(const JsonNode *element)
{
	const char *source = sigma_json_get_string(element, "source", sigma_json_get_string(element, "input_table", NULL));
	Oid			relid = source == NULL ? InvalidOid : sigma_layout_source_relation(source);

	return OidIsValid(relid) ? sigma_formula_relation(relid) : NULL;
}

/* The fields that a form lists, or NULL: it has those of its table. */
static JsonNode *
form_fields(const JsonNode *element)
{
	JsonNode   *fields = sigma_json_get(element, "fields");

	return fields == NULL || fields->kind != JSON_ARRAY || fields->count == 0 ? NULL : fields;
}
