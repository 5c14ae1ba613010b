/*
 * computed.c
 *		Columns of input tables as formulas see them.
 *
 * A definition's columns are those that are entered, which the data table has, and
 * computed ones, which are nothing but formulas: where another formula names one,
 * its formula takes its place.  Formulas find input tables by id and display name.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "common/catalog.h"
#include "common/document.h"
#include "common/names.h"
#include "common/session.h"
#include "compat.h"
#include "input_table/computed.h"
#include "input_table/linked.h"
#include "input_table/published.h"
#include "input_table/rules.h"

/* System columns as formulas see them. */
static const struct
{
	const char *name;
	SqlForm		form;
	const char *before;
	const char *after;
}			system_columns[] = {
	{"sigma_row_id", SQL_INT8, "", ""},
	{"sigma_created_at", SQL_TIMESTAMP, "pg_catalog.timezone('UTC'::pg_catalog.text, ", ")"},
	{"sigma_updated_at", SQL_TIMESTAMP, "pg_catalog.timezone('UTC'::pg_catalog.text, ", ")"},
	{"sigma_created_by", SQL_TEXT, "", ""},
	{"sigma_updated_by", SQL_TEXT, "", ""},
};

bool		sigma_reading_published = false;
bool		sigma_reading_views = false;

static Oid	find_table(const char *name);
static const char *find_id(const char *name);
static Oid	shown_table(const char *name);
static char *id_of(Oid relid);
static void read_view(FormulaRelation *relation, const char *id);
static void extend_relation(FormulaRelation *relation);
static bool may_read(Oid relid);
static bool is_draft(const char *id);
static void read_column(FormulaColumn *column, const JsonNode *node);
static void check_keys(JsonNode *column);
static bool refuse_reference(void *arg, FormulaNode *node);

/* See computed.h. */
void
sigma_computed_init(void)
{
	static const FormulaRelationHooks hooks = {find_table, extend_relation, shown_table};

	sigma_formula_relation_hooks(&hooks);
}

/* See computed.h. */
JsonNode *
sigma_column_formula(const JsonNode *column)
{
	JsonNode   *formula = sigma_json_get(column, "formula");

	return formula == NULL || formula->kind == JSON_NULL ? NULL : formula;
}

/* See computed.h. */
FormulaRelation *
sigma_definition_row(JsonNode *definition, bool system)
{
	FormulaRelation *row = palloc0(sizeof(FormulaRelation));
	JsonNode   *columns = sigma_json_get(definition, "columns");
	char	   *id = sigma_json_get_string(definition, "id", "");
	int			i;

	if (system && sigma_is_linked(definition))
		return sigma_linked_row(definition, true);
	row->name = sigma_json_get_string(definition, "name", id);
	row->relid = sigma_rows_oid(id);
	row->from = quote_qualified_identifier("sigds", sigma_rows_name(id));
	row->order_by = list_make1("sigma_row_id");
	row->columns = palloc0(sizeof(FormulaColumn) * (columns->count + lengthof(system_columns)));
	for (i = 0; i < columns->count; i++)
		read_column(&row->columns[row->ncolumns++], columns->items[i]);
	for (i = 0; system && i < lengthof(system_columns); i++)
		sigma_computed_system_column(&row->columns[row->ncolumns++], system_columns[i].name);
	return row;
}

/* See computed.h. */
void
sigma_computed_system_column(FormulaColumn *column, const char *name)
{
	int			i;

	for (i = 0; strcmp(system_columns[i].name, name) != 0; i++)
		Assert(i + 1 < lengthof(system_columns));
	column->name = column->attribute = system_columns[i].name;
	column->form = system_columns[i].form;
	column->type = sigma_sql_form_kind(column->form);
	column->before = system_columns[i].before;
	column->after = system_columns[i].after;
}

/* A column of a definition. */
static void
read_column(FormulaColumn *column, const JsonNode *node)
{
	JsonNode   *formula = sigma_column_formula(node);
	ColumnType	type;

	column->name = sigma_json_get_string(node, "name", "");
	if (!sigma_column_type(sigma_json_get_string(node, "type", ""), &type))
		sigma_document_error(node, 0, NULL, "column \"%s\" has no known type", column->name);
	column->form = sigma_column_form(type);
	column->type = sigma_sql_form_kind(column->form);
	column->before = column->after = "";
	if (formula == NULL)
		column->attribute = quote_identifier(column->name);
	else if (formula->kind == JSON_STRING)
		column->formula = formula->string;
	else
		sigma_document_error(formula, 0, NULL, "a formula must be a string, not %s", sigma_json_kind_name(formula));
}

/* See computed.h. */
SqlForm
sigma_column_form(ColumnType type)
{
	static const SqlForm forms[COLUMN_TYPES] = {
		[COLUMN_TEXT] = SQL_TEXT, [COLUMN_NUMBER] = SQL_NUMERIC, [COLUMN_INTEGER] = SQL_INT8,
		[COLUMN_FLOAT] = SQL_FLOAT8, [COLUMN_DATE] = SQL_DATE, [COLUMN_DATETIME] = SQL_TIMESTAMP,
		[COLUMN_CHECKBOX] = SQL_BOOL, [COLUMN_DROPDOWN] = SQL_TEXT, [COLUMN_MULTI_SELECT] = SQL_TEXT_ARRAY,
		[COLUMN_JSON] = SQL_JSONB, [COLUMN_FILE] = SQL_JSONB,
	};

	return forms[type];
}

/* See computed.h. */
JsonNode *
sigma_default_formula(const JsonNode *value)
{
	JsonNode   *formula = value == NULL || value->kind != JSON_OBJECT || value->count != 1 ? NULL :
		sigma_json_get(value, "formula");

	return formula == NULL || formula->kind != JSON_STRING ? NULL : formula;
}

/*
 * See computed.h.  A trigger cannot tell a column that an INSERT leaves out from one that
 * it sets to NULL, so such a default is the DEFAULT of the data table's column, which
 * PostgreSQL computes before there is a row.
 */
FormulaSql *
sigma_default_compile(const char *path, const char *text, ColumnType type, bool saving)
{
	FormulaScope scope = {0};
	FormulaSql *value;
	FormulaSql *result;

	(void) sigma_formula_visit(sigma_formula_parse_at(path, text), refuse_reference, unconstify(char *, path));
	scope.place = "a default";
	scope.alias = "";
	scope.stored = true;
	scope.saving = saving;
	value = sigma_formula_compile_at(path, text, &scope, TYPE_ANY);
	result = sigma_formula_in_form(value, sigma_column_form(type));
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the default of a column of type %s cannot be %s", sigma_column_types[type].name,
						sigma_formula_type_name(value->type)),
				 errdetail("%s", path)));
	return result;
}

/* FormulaVisitor: raise 0A000. */
static bool
refuse_reference(void *arg, FormulaNode *node)
{
	if (node->kind == FORMULA_REFERENCE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a default cannot read \"[%s%s%s]\"", node->source == NULL ? "" : node->source,
						node->source == NULL ? "" : "/", node->text),
				 errdetail("%s", (const char *) arg),
				 errhint("It is computed before there is a row: use a computed column.")));
	return false;
}

/* ------------------------------------------------------------------------
 * Input tables in formulas
 * ------------------------------------------------------------------------ */

/* FormulaRelationHooks: the data table of an input table by id, else by display name. */
static Oid
find_table(const char *name)
{
	const char *id = find_id(name);

	return id == NULL ? InvalidOid : sigma_data_table_oid(id);
}

/* The id of the input table of that id, else of that display name; NULL where there is none. */
static const char *
find_id(const char *name)
{
	const char *found = NULL;
	ListCell   *lc;

	foreach(lc, sigma_catalog_names(DOCUMENT_INPUT_TABLE))
	{
		CatalogName *table = lfirst(lc);

		if (strcmp(table->id, name) == 0)
			return table->id;
		if (table->name != NULL && strcmp(table->name, name) == 0)
			found = table->id;
	}
	return found;
}

/* FormulaRelationHooks: the warehouse view of an input table, where the current role is shown that. */
static Oid
shown_table(const char *name)
{
	const char *id = find_id(name);

	return id == NULL ? InvalidOid : sigma_shown_oid(id);
}

/* See computed.h. */
Oid
sigma_shown_oid(const char *id)
{
	Oid			relid = sigma_data_table_oid(id);
	Oid			view = sigma_view_oid(id);

	if (!OidIsValid(relid) || !OidIsValid(view))
		return relid;
	if (may_read(relid) && !(sigma_entry_mode() == MODE_PUBLISHED && is_draft(id)))
		return relid;
	return may_read(view) ? view : relid;
}

/* May the current role read some column of the relation? */
static bool
may_read(Oid relid)
{
	return sigma_namespace_aclcheck(get_rel_namespace(relid), GetUserId(), ACL_USAGE) == ACLCHECK_OK &&
		(pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		 pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK);
}

/* Is the input table edited in draft? */
static bool
is_draft(const char *id)
{
	JsonNode   *definition = sigma_catalog_read(DOCUMENT_INPUT_TABLE, id);

	return definition != NULL && sigma_is_draft(sigma_definition_read(definition));
}

/* See computed.h. */
bool
sigma_formula_is_input_table(const char *name)
{
	return OidIsValid(find_table(name));
}

/* FormulaRelationHooks: what the definition says of a data table: its name, its computed columns, which rows are published. */
static void
extend_relation(FormulaRelation *relation)
{
	char	   *id;
	JsonNode   *definition;
	JsonNode   *columns;
	int			i;

	if (get_rel_namespace(relation->relid) != sigma_sigds_namespace())
		return;
	id = id_of(relation->relid);
	definition = id == NULL ? NULL : sigma_catalog_read(DOCUMENT_INPUT_TABLE, id);
	columns = definition == NULL ? NULL : sigma_json_get(definition, "columns");
	if (columns == NULL || columns->kind != JSON_ARRAY)
		return;
	relation->name = sigma_json_get_string(definition, "name", id);
	relation->order_by = sigma_is_linked(definition) ? sigma_linked_order(definition) : list_make1("sigma_row_id");
	if (sigma_reading_views)
	{
		read_view(relation, id);
		return;
	}
	if (sigma_reading_published && !sigma_is_linked(definition))
		relation->from = sigma_view_rows(sigma_definition_read(definition));
	for (i = 0; i < columns->count; i++)
		if (sigma_column_formula(columns->items[i]) != NULL)
		{
			relation->columns = repalloc(relation->columns, sizeof(FormulaColumn) * (relation->ncolumns + 1));
			memset(&relation->columns[relation->ncolumns], 0, sizeof(FormulaColumn));
			read_column(&relation->columns[relation->ncolumns++], columns->items[i]);
		}
}

/* The id of the input table whose data table a relation is, or whose view that is edited; else NULL. */
static char *
id_of(Oid relid)
{
	Relation	rel = relation_open(relid, AccessShareLock);
	char	   *id = rel->rd_rel->relkind == RELKIND_VIEW ? sigma_linked_view_id(rel) : sigma_data_table_id(rel);

	relation_close(rel, NoLock);
	return id;
}

/* Read the warehouse view in the place of a table, computed columns too; 42P01 where there is none. */
static void
read_view(FormulaRelation *relation, const char *id)
{
	Oid			view = sigma_view_oid(id);
	FormulaRelation *shown;

	if (!OidIsValid(view))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("input table \"%s\" has no warehouse view now", id),
				 errhint("sigma.sync_warehouse makes it where its source is there; "
						 "two input tables cannot read each other's.")));
	shown = sigma_formula_relation(view);
	relation->from = shown->from;
	relation->ncolumns = shown->ncolumns;
	relation->columns = shown->columns;
}

/* ------------------------------------------------------------------------
 * Computed columns of a definition
 * ------------------------------------------------------------------------ */

/* See computed.h. */
void
sigma_computed_check(JsonNode *definition, bool restoring)
{
	JsonNode   *columns = sigma_json_get(definition, "columns");
	int			entered = 0;
	int			i;

	for (i = 0; i < columns->count; i++)
	{
		JsonNode   *formula = sigma_column_formula(columns->items[i]);

		if (formula == NULL)
		{
			entered++;
			continue;
		}
		check_keys(columns->items[i]);
		if (restoring)
			(void) sigma_formula_parse_at(sigma_json_path(formula), formula->string);
	}
	if (entered == 0)
		sigma_document_error(columns, 0, "Add one that is entered.", "all columns of the input table are computed");
	if (!restoring)
		(void) sigma_computed_rows(definition, sigma_view_rows(sigma_definition_read(definition)),
								   sigma_session.origin == ORIGIN_SYSTEM);	/* a rename that it follows */
}

/* SG400 for what only a column that is entered can have. */
static void
check_keys(JsonNode *column)
{
	static const char *const entered[] = {
		"required", "unique", "default_value", "protected", "validation", NULL
	};
	JsonNode   *type = sigma_json_get(column, "type");
	int			i;

	for (i = 0; entered[i] != NULL; i++)
	{
		JsonNode   *node = sigma_json_get(column, entered[i]);

		if (node != NULL && node->kind != JSON_NULL)
			sigma_document_error(node, 0, "Nobody enters it; a rule over it can stand in \"row_rules\".",
								 "\"%s\" does not go with computed column \"%s\"", entered[i],
								 sigma_json_get_string(column, "name", ""));
	}
	if (strcmp(sigma_json_get_string(column, "type", ""), "file") == 0)
		sigma_document_error(type, 0, "Use json.", "a computed column cannot be a file");
}
