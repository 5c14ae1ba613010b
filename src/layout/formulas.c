/*
 * formulas.c
 *		Settings that are formulas: checked when they are saved.
 *
 * The reader of documents has brought them into their canonical form; here they are
 * compiled once, against the columns of the element's source where they see its rows,
 * with values of a context that nobody knows yet.  The tables of settings say which
 * settings are formulas, values or text that may hold them.  What compiling makes is
 * in the current context.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "common/catalog.h"
#include "common/document.h"
#include "common/document_specs.h"
#include "formula/compile.h"
#include "input_table/input_table.h"
#include "layout/layout.h"

#define MAX_SOURCES	32			/* elements that show each other's rows */

static void check_filter(const JsonNode *document, JsonNode *filter);
static void check_row_formula(const JsonNode *formula, Oid relid);
static Oid	source_relation(const char *source, int depth);
static bool is_declared(const char *name);
static void check_tables(const KeySpec *const *tables, JsonNode *object);
static void check_setting(const KeySpec *key, JsonNode *value);
static void check_text(JsonNode *text);
static void check_value(JsonNode *value);
static void check_formula(const char *formula, const char *place, JsonNode *where);

/*
 * Check every formula in the settings of an element (a canonical document).  Raises
 * what compiling it raises, with the path and the place in the formula.  Sequences
 * are looked at where they become rows.
 */
void
sigma_layout_check_formulas(JsonNode *document)
{
	JsonNode   *filter = sigma_json_get(document, "filter");
	const KeySpec *const *tables = sigma_element_spec.variant(document);

	if (tables == NULL)
		return;
	if (filter != NULL)
		check_filter(document, filter);
	check_tables(tables, document);
}

/*
 * Which rows are shown: a formula over the rows of the source, or a selector.  Without
 * a source, or one whose rows nobody knows yet, its columns cannot be checked.
 */
static void
check_filter(const JsonNode *document, JsonNode *filter)
{
	const char *source = sigma_json_get_string(document, "source", NULL);
	JsonNode   *formula = filter->kind == JSON_STRING ? filter : sigma_json_get(filter, "formula");
	Oid			relid;
	int			i;

	if (formula == NULL)
	{
		/* selectors compare with values; their columns are references of the document */
		if (filter->kind == JSON_OBJECT && strcmp(filter->items[0]->key, "row_id") == 0)
			check_value(filter->items[0]);
		else
			for (i = 0; filter->kind == JSON_OBJECT && i < filter->items[0]->count; i++)
				check_value(filter->items[0]->items[i]);
		return;
	}
	relid = source == NULL ? InvalidOid : source_relation(source, 0);
	if (OidIsValid(relid))
		check_row_formula(formula, relid);
}

/* A formula over the rows of a relation: compiles it, or raises what is wrong with the document's path. */
static void
check_row_formula(const JsonNode *formula, Oid relid)
{
	MemoryContext cxt = CurrentMemoryContext;
	FormulaScope scope = {0};
	FormulaParameters *parameters = palloc0(sizeof(FormulaParameters));

	parameters->first = 1;
	scope.place = "a filter";
	scope.row = sigma_formula_relation(relid);
	scope.alias = "t";
	scope.tables = true;
	scope.stored = true;
	scope.saving = true;
	scope.resolve = sigma_resolve_declared;
	scope.selection = sigma_parameters_selection;
	scope.arg = parameters;
	PG_TRY();
	{
		(void) sigma_formula_compile(formula->string, &scope, TYPE_LOGICAL);
	}
	PG_CATCH();
	{
		sigma_document_rethrow(formula, cxt);
	}
	PG_END_TRY();
}

/* See layout.h. */
Oid
sigma_layout_source_relation(const char *source)
{
	return source_relation(source, 0);
}

/* The relation whose rows a source shows: an input table's, that of the element it names, or itself. */
static Oid
source_relation(const char *source, int depth)
{
	JsonNode   *element;

	if (sigma_catalog_exists(DOCUMENT_INPUT_TABLE, source))
		return sigma_input_table_by_id(source)->relid;
	element = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, source);
	if (element != NULL)
	{
		source = sigma_json_get_string(element, "source", sigma_json_get_string(element, "input_table", NULL));
		return source == NULL || depth == MAX_SOURCES ? InvalidOid : source_relation(source, depth + 1);
	}
	return sigma_layout_relation(source);
}

/* A relation by its name, qualified or visible; InvalidOid where there is none. */
Oid
sigma_layout_relation(const char *name)
{
	List	   *names;

	if (!SplitIdentifierString(pstrdup(name), '.', &names) || names == NIL || list_length(names) > 3)
		return InvalidOid;
	return RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name))), NoLock, true);
}

/* A reference to the context.  A bare name that is no column must be that of a declared control. */
bool
sigma_resolve_declared(FormulaScope *scope, const char *source, const char *name, FormulaSql *result)
{
	const char *dot = strrchr(name, '.');

	if (source == NULL && !is_declared(name) && (dot == NULL || !is_declared(pnstrdup(name, dot - name))))
		return false;
	return sigma_parameters_resolve(scope, source, name, result);
}

/* Is there a variable or control of that id or name? */
static bool
is_declared(const char *name)
{
	ListCell   *cell;

	if (sigma_catalog_exists(DOCUMENT_VARIABLE, name))
		return true;
	foreach(cell, sigma_catalog_names(DOCUMENT_VARIABLE))
	{
		CatalogName *variable = lfirst(cell);

		if (variable->name != NULL && strcmp(variable->name, name) == 0)
			return true;
	}
	return false;
}

/* The members of an object, by the tables of its settings; "tables" ends with NULL. */
static void
check_tables(const KeySpec *const *tables, JsonNode *object)
{
	const KeySpec *key;

	for (; *tables != NULL; tables++)
		for (key = *tables; key->name != NULL; key++)
		{
			JsonNode   *value = sigma_json_get(object, key->name);

			if (value != NULL)
				check_setting(key, value);
		}
}

/* One setting, by its type; elements and sequences that stand in it are not its own. */
static void
check_setting(const KeySpec *key, JsonNode *value)
{
	int			i;

	check_stack_depth();
	switch (key->type)
	{
		case SPEC_FORMULA:
			check_formula(value->string, "a setting", value);
			break;
		case SPEC_DYNAMIC:
			check_text(value);
			break;
		case SPEC_VALUE:
			check_value(value);
			break;
		case SPEC_LIST:
			for (i = 0; value->kind == JSON_ARRAY && i < value->count; i++)
				check_setting(key->of, value->items[i]);
			break;
		case SPEC_OBJECT:
		case SPEC_NAME_OR_OBJECT:
			if (value->kind == JSON_OBJECT && key->object != &sigma_tab_spec && key->object != &sigma_sequence_spec)
			{
				const KeySpec *const tables[] = {key->object->keys, NULL};

				check_tables(tables, value);
			}
			break;
		default:
			break;
	}
}

/* The formulas of dynamic text. */
static void
check_text(JsonNode *text)
{
	List	   *pieces;
	ListCell   *cell;

	if (text->kind != JSON_STRING || strstr(text->string, "{{") == NULL ||
		!sigma_dynamic_text_split(text->string, &pieces))
		return;
	foreach(cell, pieces)
	{
		const TextPiece *piece = lfirst(cell);

		if (piece->is_formula)
			check_formula(piece->text, "a text", text);
	}
}

/* A value, or values in an array. */
static void
check_value(JsonNode *value)
{
	JsonNode   *formula;
	int			i;

	check_stack_depth();
	for (i = 0; value->kind == JSON_ARRAY && i < value->count; i++)
		check_value(value->items[i]);
	if (value->kind != JSON_OBJECT)
		return;
	if (sigma_json_get(value, "op") != NULL && (formula = sigma_json_get(value, "value")) != NULL)
	{
		check_value(formula);
		return;
	}
	formula = sigma_json_get(value, "formula");
	if (strcmp(sigma_json_get_string(value, "type", ""), "formula") == 0 &&
		formula != NULL && formula->kind == JSON_STRING)
		check_formula(formula->string, "a value", formula);
}

/* A formula over a context alone. */
static void
check_formula(const char *formula, const char *place, JsonNode *where)
{
	MemoryContext cxt = CurrentMemoryContext;

	if (sigma_is_bare_reference(formula))
		return;
	PG_TRY();
	{
		sigma_program_free(sigma_program_create(formula, place, TYPE_ANY, FORMULA_SAVED, NULL, cxt));
	}
	PG_CATCH();
	{
		sigma_document_rethrow(where, cxt);
	}
	PG_END_TRY();
}
