/*
 * formulas.c
 *		Settings that are formulas: refused, as long as nothing evaluates them.
 *
 * The reader of documents knows formulas and brings them into their canonical form;
 * storing them would promise what rendering cannot keep.  A single reference is not
 * taken for a formula: clients replace it.  The tables of settings say which settings
 * are formulas, values or text that may hold them.  Nothing is allocated that lasts.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "common/document.h"
#include "common/document_specs.h"
#include "layout/layout.h"

static void refuse_in_tables(const KeySpec *const *tables, JsonNode *object);
static void refuse_in_setting(const KeySpec *key, JsonNode *value);
static void refuse_in_text(JsonNode *text);
static void refuse_in_value(JsonNode *value);
static bool is_reference(const char *formula);
static void refuse(JsonNode *where) pg_attribute_noreturn();

/*
 * Raise 0A000 at a formula in the settings of an element (a canonical document), or of
 * the elements that stand in it.  Sequences are looked at where they become rows.
 */
void
sigma_layout_refuse_formulas(JsonNode *document)
{
	JsonNode   *children = sigma_json_get(document, "children");
	JsonNode   *filter = sigma_json_get(document, "filter");
	const KeySpec *const *tables = sigma_element_spec.variant(document);
	int			i;

	check_stack_depth();
	if (filter != NULL && filter->kind != JSON_NULL && tables != NULL)
		sigma_document_error(filter, ERRCODE_FEATURE_NOT_SUPPORTED,
							 "Show a view that has the rows as \"source\" instead.",
							 "filters of layout elements are not supported yet");
	if (tables != NULL)
		refuse_in_tables(tables, document);
	for (i = 0; children != NULL && children->kind == JSON_ARRAY && i < children->count; i++)
		if (children->items[i]->kind == JSON_OBJECT)
			sigma_layout_refuse_formulas(children->items[i]);
}

/* The members of an object, by the tables of its settings; "tables" ends with NULL. */
static void
refuse_in_tables(const KeySpec *const *tables, JsonNode *object)
{
	const KeySpec *key;

	for (; *tables != NULL; tables++)
		for (key = *tables; key->name != NULL; key++)
		{
			JsonNode   *value = sigma_json_get(object, key->name);

			if (value != NULL)
				refuse_in_setting(key, value);
		}
}

/* One setting, by its type; elements and sequences that stand in it are not its own. */
static void
refuse_in_setting(const KeySpec *key, JsonNode *value)
{
	int			i;

	check_stack_depth();
	switch (key->type)
	{
		case SPEC_FORMULA:
			refuse(value);
			break;
		case SPEC_DYNAMIC:
			refuse_in_text(value);
			break;
		case SPEC_VALUE:
			refuse_in_value(value);
			break;
		case SPEC_LIST:
			for (i = 0; value->kind == JSON_ARRAY && i < value->count; i++)
				refuse_in_setting(key->of, value->items[i]);
			break;
		case SPEC_OBJECT:
		case SPEC_NAME_OR_OBJECT:
			if (value->kind == JSON_OBJECT && key->object == &sigma_tab_spec)
				sigma_layout_refuse_formulas(value);
			else if (value->kind == JSON_OBJECT && key->object != &sigma_sequence_spec)
			{
				const KeySpec *const tables[] = {key->object->keys, NULL};

				refuse_in_tables(tables, value);
			}
			break;
		default:
			break;
	}
}

/* Dynamic text: literal text and single references alone. */
static void
refuse_in_text(JsonNode *text)
{
	List	   *pieces;
	ListCell   *cell;

	if (text->kind != JSON_STRING || strstr(text->string, "{{") == NULL ||
		!sigma_dynamic_text_split(text->string, &pieces))
		return;
	foreach(cell, pieces)
	{
		const TextPiece *piece = lfirst(cell);

		if (piece->is_formula && !is_reference(piece->text))
			refuse(text);
	}
}

/* A value, or values in an array: {"type": "formula"} may be a single reference. */
static void
refuse_in_value(JsonNode *value)
{
	JsonNode   *formula;
	int			i;

	check_stack_depth();
	for (i = 0; value->kind == JSON_ARRAY && i < value->count; i++)
		refuse_in_value(value->items[i]);
	if (value->kind != JSON_OBJECT || strcmp(sigma_json_get_string(value, "type", ""), "formula") != 0)
		return;
	formula = sigma_json_get(value, "formula");
	if (formula != NULL && formula->kind == JSON_STRING && !is_reference(formula->string))
		refuse(formula);
}

/* Is this one reference, with or without spaces around it? */
static bool
is_reference(const char *formula)
{
	char	   *trimmed = pstrdup(formula + strspn(formula, " \t\r\n"));
	size_t		length = strlen(trimmed);

	while (length > 0 && strchr(" \t\r\n", trimmed[length - 1]) != NULL)
		trimmed[--length] = '\0';
	return sigma_is_bare_reference(trimmed);
}

/* 0A000 where a formula stands. */
static void
refuse(JsonNode *where)
{
	sigma_document_error(where, ERRCODE_FEATURE_NOT_SUPPORTED,
						 "A single reference such as [Control/x] can be used.",
						 "formulas in layout elements are not supported yet");
}
