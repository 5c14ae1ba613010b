/*
 * formula_names.c
 *		Names in formulas as a definition is saved, and in those of an input table as it changes.
 *
 * A formula names columns of its own row, and columns of tables as [Table/Column],
 * where the table is an input table's id or display name, or a relation.  Relations
 * are stored with their schema, in all documents, so that a formula means the same
 * under everybody's search_path.  When the definition gives a column or the table another name, its
 * formulas follow before it is checked as a whole; other documents that name it
 * follow afterwards (dependents.c).
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "common/catalog.h"
#include "common/document.h"
#include "common/names.h"
#include "formula/database_function.h"
#include "formula/procedure_lookup.h"
#include "input_table/computed.h"
#include "input_table/define.h"
#include "input_table/linked.h"
#include "input_table/objects.h"

/* A formula of a definition. */
typedef struct OwnFormula
{
	JsonNode   *node;
	bool		own_row;		/* names without a table are columns of the definition's own table */
} OwnFormula;

/* What a table and its columns were called, and are called now. */
typedef struct Renaming
{
	const char *id;
	const char *new_id;			/* of sigma_formulas_move alone */
	const char *old_name;		/* display name */
	const char *new_name;
	FormulaRelation *old_row;
	const char **new_columns;	/* by place in old_row; NULL: dropped */
	bool		own_row;		/* of the formula at hand */
} Renaming;

static List *formulas_of(JsonNode *document);
static List *add_formula(List *formulas, JsonNode *object, const char *key, bool own_row);
static List *add_rule(List *formulas, JsonNode *rule);
static List *add_list(List *nodes, JsonNode *rule);
static bool is_text_of(List *formulas, const char *text);
static bool names_data_table(const char *source, const char *id);
static bool names_view(const char *source, const char *name);
static void rename_list(const Renaming *renaming, JsonNode *list);
static bool move_reference(void *arg, FormulaNode *reference);
static bool rename_reference(void *arg, FormulaNode *reference);
static void qualify_function(Reference *reference);
static void qualify_target(Reference *reference);
static Oid	visible_relation(const char *name);

/* All formulas of a definition, as a List of OwnFormula. */
static List *
formulas_of(JsonNode *document)
{
	JsonNode   *columns = sigma_json_get(document, "columns");
	JsonNode   *rules = sigma_json_get(document, "validation_rules");
	JsonNode   *row_rules = sigma_json_get(document, "row_rules");
	JsonNode   *governance = sigma_json_get(document, "governance_config");
	List	   *formulas = NIL;
	int			i;

	for (i = 0; columns != NULL && columns->kind == JSON_ARRAY && i < columns->count; i++)
	{
		formulas = add_formula(formulas, columns->items[i], "formula", true);
		formulas = add_formula(formulas, sigma_json_get(columns->items[i], "default_value"), "formula", true);
		formulas = add_rule(formulas, sigma_json_get(columns->items[i], "validation"));
	}
	for (i = 0; rules != NULL && rules->kind == JSON_OBJECT && i < rules->count; i++)
		formulas = add_rule(formulas, rules->items[i]);
	for (i = 0; row_rules != NULL && row_rules->kind == JSON_ARRAY && i < row_rules->count; i++)
		formulas = add_rule(formulas, row_rules->items[i]);
	formulas = add_formula(formulas, governance, "row_filter", true);
	return add_formula(formulas, governance, "row_edit", true);
}

/* The formulas of a rule: its own, and the filter of a list, which is over that list's rows. */
static List *
add_rule(List *formulas, JsonNode *rule)
{
	formulas = add_formula(formulas, rule, "formula", true);
	return add_formula(formulas, sigma_json_get(rule, "values_from"), "filter", false);
}

static List *
add_formula(List *formulas, JsonNode *object, const char *key, bool own_row)
{
	JsonNode   *node = object == NULL || object->kind != JSON_OBJECT ? NULL : sigma_json_get(object, key);
	OwnFormula *formula;

	if (node == NULL || node->kind != JSON_STRING)
		return formulas;
	formula = palloc(sizeof(OwnFormula));
	formula->node = node;
	formula->own_row = own_row;
	return lappend(formulas, formula);
}

/* All "values_from" of a definition, as a List of JsonNode. */
List *
sigma_list_nodes(JsonNode *document)
{
	JsonNode   *columns = sigma_json_get(document, "columns");
	JsonNode   *rules = sigma_json_get(document, "validation_rules");
	List	   *nodes = NIL;
	int			i;

	for (i = 0; columns != NULL && columns->kind == JSON_ARRAY && i < columns->count; i++)
		nodes = add_list(nodes, sigma_json_get(columns->items[i], "validation"));
	for (i = 0; rules != NULL && rules->kind == JSON_OBJECT && i < rules->count; i++)
		nodes = add_list(nodes, rules->items[i]);
	return nodes;
}

static List *
add_list(List *nodes, JsonNode *rule)
{
	JsonNode   *node = rule == NULL || rule->kind != JSON_OBJECT ? NULL : sigma_json_get(rule, "values_from");

	return node == NULL || node->kind != JSON_OBJECT ? nodes : lappend(nodes, node);
}

/* ------------------------------------------------------------------------
 * Renames
 * ------------------------------------------------------------------------ */

/*
 * Make the formulas of a definition name its columns, and the table itself, as they are
 * called after an update.  Only formulas that it had before are changed: those that
 * come with the update use the names of the update.
 */
void
sigma_formulas_follow(JsonNode *before, JsonNode *after)
{
	JsonNode   *old_columns = sigma_json_get(before, "columns");
	JsonNode   *new_columns = sigma_json_get(after, "columns");
	char	   *id = sigma_json_get_string(before, "id", "");
	List	   *stored = formulas_of(before);
	Renaming	renaming = {0};
	ListCell   *lc;
	int			i;
	int			j;

	renaming.id = id;
	renaming.old_name = sigma_json_get_string(before, "name", id);
	renaming.new_name = sigma_json_get_string(after, "name", id);
	renaming.old_row = sigma_is_linked(before) ? sigma_linked_row(before, false) : sigma_definition_row(before, false);
	renaming.new_columns = palloc0(sizeof(char *) * (renaming.old_row->ncolumns + 1));
	for (i = 0; i < old_columns->count; i++)
		for (j = 0; j < new_columns->count; j++)
			if (strcmp(sigma_json_get_string(old_columns->items[i], "id", ""),
					   sigma_json_get_string(new_columns->items[j], "id", "")) == 0)
				renaming.new_columns[i] = sigma_json_get_string(new_columns->items[j], "name", "");
	for (i = old_columns->count; i < renaming.old_row->ncolumns; i++)
		renaming.new_columns[i] = sigma_linked_new_name(before, after, renaming.old_row->columns[i].name);

	foreach(lc, formulas_of(after))
	{
		OwnFormula *formula = lfirst(lc);
		char	   *text;

		if (!is_text_of(stored, formula->node->string))
			continue;
		renaming.own_row = formula->own_row;
		text = sigma_formula_rewrite(formula->node->string, rename_reference, &renaming);
		if (text != NULL)
			formula->node->string = text;
	}
	/* a list of the table itself; of other tables' lists dependents.c thinks */
	foreach(lc, sigma_list_nodes(after))
		rename_list(&renaming, lfirst(lc));
}

/* Give "values_from", where it is a list of the table or its warehouse view, the new names. */
static void
rename_list(const Renaming *renaming, JsonNode *list)
{
	JsonNode   *table = sigma_json_get(list, "table");
	JsonNode   *column = sigma_json_get(list, "column");
	FormulaColumn *found;
	const char *name;

	if (table == NULL || table->kind != JSON_STRING)
		return;
	if (names_view(table->string, renaming->old_name))
		table->string = pstrdup(quote_qualified_identifier("sigma_views", renaming->new_name));
	else if (strcmp(table->string, renaming->id) != 0)
		return;
	found = column == NULL || column->kind != JSON_STRING ? NULL : sigma_formula_column(renaming->old_row, column->string);
	name = found == NULL ? NULL : renaming->new_columns[found - renaming->old_row->columns];
	if (name != NULL && strcmp(found->name, column->string) == 0)
		column->string = pstrdup(name);
}

/*
 * Make the formulas and lists of a definition that name its own table name the one of
 * another id and name: the definition is to become that one's.
 */
void
sigma_formulas_move(JsonNode *document, const char *new_id, const char *new_name)
{
	const char *old_id = sigma_json_get_string(document, "id", "");
	Renaming	renaming = {0};
	ListCell   *lc;

	renaming.id = old_id;
	renaming.new_id = new_id;
	renaming.old_name = sigma_json_get_string(document, "name", unconstify(char *, old_id));
	renaming.new_name = new_name;
	foreach(lc, formulas_of(document))
	{
		OwnFormula *formula = lfirst(lc);
		char	   *text = sigma_formula_rewrite(formula->node->string, move_reference, &renaming);

		if (text != NULL)
			formula->node->string = text;
	}
	foreach(lc, sigma_list_nodes(document))
	{
		JsonNode   *table = sigma_json_get(lfirst(lc), "table");

		if (table == NULL || table->kind != JSON_STRING)
			continue;
		if (strcmp(table->string, old_id) == 0)
			table->string = pstrdup(new_id);
		else if (names_data_table(table->string, old_id))
			table->string = quote_qualified_identifier("sigds", sigma_data_table_name(new_id));
	}
}

/* FormulaVisitor: name the other table as this one was named. */
static bool
move_reference(void *arg, FormulaNode *reference)
{
	const Renaming *renaming = arg;

	if (reference->kind != FORMULA_REFERENCE || reference->source == NULL)
		return false;
	if (strcmp(reference->source, renaming->old_name) == 0)
		reference->source = renaming->new_name;
	else if (strcmp(reference->source, renaming->id) == 0)
		reference->source = renaming->new_id;
	else if (names_data_table(reference->source, renaming->id))
		reference->source = quote_qualified_identifier("sigds", sigma_data_table_name(renaming->new_id));
	else
		return false;
	return true;
}

static bool
is_text_of(List *formulas, const char *text)
{
	ListCell   *lc;

	foreach(lc, formulas)
		if (strcmp(((OwnFormula *) lfirst(lc))->node->string, text) == 0)
			return true;
	return false;
}

/* FormulaVisitor: give a reference its new names. */
static bool
rename_reference(void *arg, FormulaNode *reference)
{
	Renaming   *renaming = arg;
	bool		by_name = reference->source != NULL && strcmp(reference->source, renaming->old_name) == 0;
	bool		by_view = reference->source != NULL && names_view(reference->source, renaming->old_name);
	bool		changed = false;
	FormulaColumn *column;
	const char *name;

	if (reference->kind != FORMULA_REFERENCE)
		return false;
	if (reference->source == NULL ? !renaming->own_row :
		!by_name && !by_view && !names_data_table(reference->source, renaming->id))
		return false;
	column = sigma_formula_column(renaming->old_row, reference->text);
	name = column == NULL ? NULL : renaming->new_columns[column - renaming->old_row->columns];
	if (name != NULL && strcmp(name, column->name) != 0)
	{
		reference->text = name;
		changed = true;
	}
	if ((by_name || by_view) && strcmp(renaming->old_name, renaming->new_name) != 0)
	{
		reference->source = by_name ? renaming->new_name : quote_qualified_identifier("sigma_views", renaming->new_name);
		changed = true;
	}
	return changed;
}

/* Is it the name of the warehouse view of a table of that display name? */
static bool
names_view(const char *source, const char *name)
{
	const char *shown = sigma_view_named(source);

	return shown != NULL && strcmp(shown, name) == 0;
}

/* Is the source of a reference the input table's id, or the name of its data table? */
static bool
names_data_table(const char *source, const char *id)
{
	return strcmp(source, id) == 0 ||
		strcmp(source, quote_qualified_identifier("sigds", sigma_data_table_name(id))) == 0;
}

/* ------------------------------------------------------------------------
 * Relations
 * ------------------------------------------------------------------------ */

/*
 * Store the relations and functions that formulas of a document name, and relations
 * that are lists of values, with their schemas: they mean the same then under
 * everybody's search_path.
 */
void
sigma_formulas_qualify(DocumentKind kind, JsonNode *document)
{
	char	   *id = kind == DOCUMENT_INPUT_TABLE ? sigma_json_get_string(document, "id", "") : NULL;
	ListCell   *lc;

	foreach(lc, sigma_document_references(kind, document))
	{
		Reference  *reference = lfirst(lc);
		Oid			relid;

		if (reference->kind == REFERENCE_FUNCTION && reference->place != NULL)
			qualify_function(reference);
		else if (reference->kind == REFERENCE_FUNCTION)
			qualify_target(reference);
		/* beside formulas, the rows that steps read have such names */
		if (reference->kind != REFERENCE_INPUT_TABLE ||
			(reference->place == NULL && !(reference->may_be_other && (kind == DOCUMENT_ACTION || kind == DOCUMENT_SEQUENCE))))
			continue;
		/* a table that is being defined need not be in the catalog: its formulas know it by its display name */
		if (id != NULL && strcmp(reference->name, sigma_json_get_string(document, "name", id)) == 0)
			continue;
		if (id != NULL && strcmp(reference->name, id) == 0)
		{
			sigma_reference_rename(reference, sigma_json_get_string(document, "name", id));
			continue;
		}
		relid = visible_relation(reference->name);
		if (OidIsValid(relid))
			sigma_reference_rename(reference, quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
																		 get_rel_name(relid)));
	}
	foreach(lc, kind == DOCUMENT_INPUT_TABLE ? sigma_list_nodes(document) : NIL)
	{
		JsonNode   *table = sigma_json_get(lfirst(lc), "table");
		Oid			relid = table == NULL || table->kind != JSON_STRING || strcmp(table->string, id) == 0 ||
			sigma_catalog_exists(DOCUMENT_INPUT_TABLE, table->string) ? InvalidOid : visible_relation(table->string);

		if (OidIsValid(relid))
			table->string = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
	}
}

/* The function or procedure that a step calls: with its schema and argument types, so that no later one takes its place. */
static void
qualify_target(Reference *reference)
{
	Oid			funcid;
	char	   *hint;

	if (sigma_procedure_find(reference->name, &funcid, &hint) == PROCEDURE_FOUND)
		sigma_reference_rename(reference, sigma_procedure_name(funcid));
}

/* The function that CallText and its like call: the first schema of the search_path that has one of its name. */
static void
qualify_function(Reference *reference)
{
	List	   *parts = sigma_database_function_name(reference->name);
	ListCell   *lc;

	if (list_length(parts) != 1)
		return;
	foreach(lc, fetch_search_path(true))
	{
		char	   *schema = get_namespace_name(lfirst_oid(lc));

		if (schema == NULL ||
			FuncnameGetCandidates(list_make2(makeString(schema), linitial(parts)), -1, NIL, false, false, false, true) == NULL)
			continue;
		if (lfirst_oid(lc) != PG_CATALOG_NAMESPACE)
			sigma_reference_rename(reference, quote_qualified_identifier(schema, strVal(linitial(parts))));
		return;
	}
}

/* The relation that an unqualified name is found to be by the search_path; InvalidOid where it is none, or an input table. */
static Oid
visible_relation(const char *name)
{
	List	   *parts = NIL;
	Oid			relid;

	if (sigma_formula_is_input_table(name))
		return InvalidOid;
	relid = RelnameGetRelid(name);
	if (!OidIsValid(relid) && SplitIdentifierString(pstrdup(name), '.', &parts) && list_length(parts) == 1)
		relid = RelnameGetRelid(linitial(parts));
	/* that of a session would be stored under a name that nobody else knows */
	return OidIsValid(relid) && isTempNamespace(get_rel_namespace(relid)) ? InvalidOid : relid;
}
