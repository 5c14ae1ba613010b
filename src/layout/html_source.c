/*
 * html_source.c
 *		Which rows an element of a web page shows: its source, filter and sort.
 *
 * A source is an input table, a relation, or an element whose rows are shown, with
 * the filters of all elements on the way.  Columns and filters are compiled as
 * formulas over the source's rows: computed columns are there, references to controls
 * are bound, and whatever is read is read as the caller, who has to have reason to trust
 * what that brings along (formula/trust_plan.c).  Of an input table editors
 * see the draft and others what is published, unless the context or sigma.mode says
 * which.  What is wrong is raised; the element says so in its place.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "common/catalog.h"
#include "common/document.h"
#include "common/names.h"
#include "compat.h"
#include "formula/trust.h"
#include "input_table/input_table.h"
#include "layout/html.h"

#define MAX_SOURCES	32			/* elements that show each other's rows */

static HtmlSource *follow(HtmlPage *page, const char *name, List *filters, int depth);
static bool may_read(Oid relid);
static FormulaSql *compile(HtmlSource *source, const char *formula, const char *place, FormulaType wanted);
static char *reference_to(const char *column);
static const char *filter_formula(HtmlSource *source, const JsonNode *filter);
static void append_comparisons(StringInfo formula, HtmlSource *source, const JsonNode *columns);
static void append_comparison(StringInfo formula, HtmlSource *source, const char *column, const JsonNode *value);
static void append_value(StringInfo formula, const JsonNode *value, bool is_date);
static char *options_text(HtmlPage *page, HtmlSource *source, void *arg);

/* The rows of a source, with the filter of an element's settings (or NULL). */
HtmlSource *
sigma_html_source(HtmlPage *page, const char *name, JsonNode *settings)
{
	JsonNode   *filter = settings == NULL ? NULL : sigma_json_get(settings, "filter");

	return follow(page, name, filter == NULL || filter->kind == JSON_NULL ? NIL : list_make1(filter), 0);
}

/* The same for what an element on the way names. */
static HtmlSource *
follow(HtmlPage *page, const char *name, List *filters, int depth)
{
	HtmlSource *source = palloc0(sizeof(HtmlSource));
	JsonNode   *element;
	Oid			relid;

	source->filters = filters;
	source->parameters = palloc0(sizeof(FormulaParameters));
	source->parameters->first = 1;
	if (sigma_catalog_exists(DOCUMENT_INPUT_TABLE, name))
	{
		source->table = sigma_html_table_of(page, name);
		relid = source->table->relid;
	}
	else if ((element = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, name)) != NULL)
	{
		JsonNode   *filter = sigma_json_get(element, "filter");
		const char *next = sigma_json_get_string(element, "source", sigma_json_get_string(element, "input_table", NULL));

		if (next == NULL || depth == MAX_SOURCES)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("layout element \"%s\" has no rows to show", name)));
		return follow(page, next, filter == NULL || filter->kind == JSON_NULL ? filters : lappend(filters, filter),
					  depth + 1);
	}
	else
		relid = sigma_layout_relation(name);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("\"%s\" does not exist", name)));
	source->row = sigma_formula_relation(relid);
	return source;
}

/* An input table, read once per page.  42501 where the caller may not see it, SG404. */
HtmlTable *
sigma_html_table_of(HtmlPage *page, const char *id)
{
	HtmlTable  *table = hash_search(page->tables, &id, HASH_FIND, NULL);
	JsonNode   *definition;
	Oid			data;
	Oid			view;
	bool		found;

	if (table != NULL)
		return table;
	sigma_table_check_visible(id);
	definition = sigma_catalog_read(DOCUMENT_INPUT_TABLE, id);
	if (definition == NULL)
		sigma_catalog_not_found(DOCUMENT_INPUT_TABLE, id);
	data = sigma_data_table_oid(id);
	view = sigma_view_oid(id);
	id = pstrdup(id);
	table = hash_search(page->tables, &id, HASH_ENTER, &found);
	table->definition = definition;
	table->draft = page->mode == MODE_DRAFT || !OidIsValid(view) ||
		(page->mode == MODE_AUTO && OidIsValid(data) && may_read(data));
	table->relid = table->draft ? data : view;
	return table;
}

/* May the caller select from a relation of schema sigds? */
static bool
may_read(Oid relid)
{
	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		sigma_namespace_aclcheck(sigma_sigds_namespace(), GetUserId(), ACL_USAGE) == ACLCHECK_OK;
}

/* May the caller insert rows into an input table? */
bool
sigma_html_may_insert(const char *id)
{
	Oid			relid = sigma_data_table_oid(id);

	return OidIsValid(relid) && pg_class_aclcheck(relid, GetUserId(), ACL_INSERT) == ACLCHECK_OK &&
		sigma_namespace_aclcheck(sigma_sigds_namespace(), GetUserId(), ACL_USAGE) == ACLCHECK_OK;
}

/* ------------------------------------------------------------------------
 * Columns
 * ------------------------------------------------------------------------ */

/* A column of the source; 42703 where there is none. */
HtmlColumn *
sigma_html_column(HtmlSource *source, const char *name)
{
	HtmlColumn *column = palloc0(sizeof(HtmlColumn));
	FormulaColumn *found = sigma_formula_column(source->row, name);
	JsonNode   *columns = source->table == NULL ? NULL : sigma_json_get(source->table->definition, "columns");
	int			i;

	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of \"%s\" does not exist", name, source->row->name)));
	column->name = column->label = found->name;
	column->sql = compile(source, reference_to(found->name), "a column", TYPE_ANY);
	for (i = 0; columns != NULL && i < columns->count; i++)
		if (strcmp(sigma_json_get_string(columns->items[i], "name", ""), found->name) == 0)
			column->definition = columns->items[i];
	return column;
}

/* A column as a setting lists it: its name, or {column, label, width, format, aggregate}. */
HtmlColumn *
sigma_html_listed(HtmlPage *page, HtmlSource *source, const JsonNode *item)
{
	HtmlColumn *column;

	if (item->kind == JSON_STRING)
		return sigma_html_column(source, item->string);
	column = sigma_html_column(source, sigma_json_get_string(item, "column", ""));
	column->label = sigma_html_dynamic(page, sigma_json_get_string(item, "label", unconstify(char *, column->label)));
	column->width = (int) Max(0, Min(sigma_json_get_int(item, "width", 0), 2000));
	column->format = sigma_json_get_string(item, "format", NULL);
	column->aggregate = sigma_json_get_string(item, "aggregate", NULL);
	return column;
}

/*
 * The columns that a setting lists, as a List of HtmlColumn; with "columns" absent all
 * of the source: those of an input table's definition, or of the relation.
 */
List *
sigma_html_columns(HtmlPage *page, HtmlSource *source, const JsonNode *settings, const char *key)
{
	const JsonNode *listed = sigma_json_get(settings, key);
	const JsonNode *defined = source->table == NULL ? NULL : sigma_json_get(source->table->definition, "columns");
	const JsonNode *linked = source->table == NULL ? NULL : sigma_json_get(source->table->definition, "linked_columns");
	const JsonNode *keys = source->table == NULL ? NULL : sigma_json_get(source->table->definition, "key_columns");
	List	   *columns = NIL;
	int			i;

	if (listed != NULL && listed->kind == JSON_ARRAY && listed->count > 0)
	{
		for (i = 0; i < listed->count; i++)
			if (sigma_json_get_bool(listed->items[i]->kind == JSON_OBJECT ? listed->items[i] : NULL, "visible", true))
				columns = lappend(columns, sigma_html_listed(page, source, listed->items[i]));
		return columns;
	}
	if (strcmp(key, "columns") != 0)
		return NIL;
	for (i = 0; defined == NULL && i < source->row->ncolumns; i++)
		columns = lappend(columns, sigma_html_column(source, source->row->columns[i].name));
	for (i = 0; keys != NULL && i < keys->count; i++)
		if (keys->items[i]->kind == JSON_STRING && sigma_formula_column(source->row, keys->items[i]->string) != NULL)
			columns = lappend(columns, sigma_html_column(source, keys->items[i]->string));
	for (i = 0; linked != NULL && i < linked->count; i++)
	{
		const JsonNode *item = linked->items[i];
		const char *name = item->kind == JSON_STRING ? item->string :
			sigma_json_get_string(item, "name", sigma_json_get_string(item, "column", ""));

		if (sigma_formula_column(source->row, name) != NULL)
			columns = lappend(columns, sigma_html_column(source, name));
	}
	for (i = 0; defined != NULL && i < defined->count; i++)
		columns = lappend(columns, sigma_html_column(source, sigma_json_get_string(defined->items[i], "name", "")));
	return columns;
}

/* Are its values numbers? */
bool
sigma_html_is_number(const HtmlColumn *column)
{
	return column->sql->type == TYPE_NUMBER;
}

/* The allowed values of an input table's column, as an array; NULL where there is no list. */
JsonNode *
sigma_html_list_values(const JsonNode *definition, const JsonNode *column)
{
	const char *name = sigma_json_get_string(column, "name", "");
	const JsonNode *rules = sigma_json_get(definition, "validation_rules");
	const JsonNode *validation = sigma_json_get(column, "validation");
	JsonNode   *values = validation == NULL || validation->kind != JSON_OBJECT ? NULL : sigma_json_get(validation, "values");

	if (values == NULL && rules != NULL && rules->kind == JSON_OBJECT && sigma_json_get(rules, name) != NULL &&
		sigma_json_get(rules, name)->kind == JSON_OBJECT)
		values = sigma_json_get(sigma_json_get(rules, name), "values");
	return values != NULL && values->kind == JSON_ARRAY ? values : NULL;
}

/* ------------------------------------------------------------------------
 * Statements
 * ------------------------------------------------------------------------ */

/*
 * Run the statement that "text" writes, which is asked again once the values that its
 * filters refer to are known.  Connects to SPI; the caller reads SPI_tuptable and calls
 * SPI_finish().
 */
void
sigma_html_select(HtmlPage *page, HtmlSource *source,
				  char *(*text) (HtmlPage *page, HtmlSource *source, void *arg), void *arg)
{
	FormulaParameters *parameters = source->parameters;
	Datum	   *values;
	char	   *nulls;
	Oid		   *types;
	char	   *sql;
	int			count;
	int			code;
	int			i;

	SPI_connect();
	do
	{
		count = parameters->count;
		values = palloc(sizeof(Datum) * (count + 1));
		nulls = palloc(count + 1);
		types = palloc(sizeof(Oid) * (count + 1));
		(void) sigma_parameters_fetch(parameters, sigma_layout_contexts->fetch, page->context, values, nulls);
		sql = text(page, source, arg);
	} while (parameters->count != count);
	for (i = 0; i < count; i++)
		types[i] = sigma_sql_form_oid(parameters->items[i].form);
	code = SPI_execute_plan(sigma_trust_prepare(sql, count, types), values, nulls, false, 0);
	if (code != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(code));
}

/* A formula over the rows "t" of the source. */
static FormulaSql *
compile(HtmlSource *source, const char *formula, const char *place, FormulaType wanted)
{
	FormulaScope scope = {0};

	scope.place = place;
	scope.row = source->row;
	scope.alias = "t";
	scope.tables = true;
	scope.windows = wanted == TYPE_ANY;
	scope.stored = true;
	scope.resolve = sigma_resolve_declared;
	scope.selection = sigma_parameters_selection;
	scope.arg = source->parameters;
	return sigma_formula_compile(formula, &scope, wanted);
}

/* "[name]", its brackets and slashes escaped. */
static char *
reference_to(const char *column)
{
	StringInfoData text;
	const char *c;

	initStringInfo(&text);
	appendStringInfoChar(&text, '[');
	for (c = column; *c != '\0'; c++)
	{
		if (strchr("[]/\\", *c) != NULL)
			appendStringInfoChar(&text, '\\');
		appendStringInfoChar(&text, *c);
	}
	appendStringInfoChar(&text, ']');
	return text.data;
}

/* " FROM … AS t WHERE …" of a source. */
char *
sigma_html_where(HtmlPage *page, HtmlSource *source)
{
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	appendStringInfo(&sql, " FROM %s AS t", source->row->from);
	foreach(cell, source->filters)
		appendStringInfo(&sql, "%s(%s)", foreach_current_index(cell) == 0 ? " WHERE " : " AND ",
						 compile(source, filter_formula(source, lfirst(cell)), "a filter", TYPE_LOGICAL)->sql);
	return sql.data;
}

/* " ORDER BY …" of the setting "sort"; else the rows' own order, if they have one. */
char *
sigma_html_order(HtmlSource *source, const JsonNode *settings)
{
	const JsonNode *sort = sigma_json_get(settings, "sort");
	StringInfoData sql;
	List	   *order;
	ListCell   *cell;
	int			i;

	initStringInfo(&sql);
	for (i = 0; sort != NULL && sort->kind == JSON_ARRAY && i < sort->count; i++)
	{
		const JsonNode *item = sort->items[i];
		const char *name = item->kind == JSON_STRING ? item->string : sigma_json_get_string(item, "column", "");

		appendStringInfo(&sql, "%s%s%s NULLS LAST", sql.len == 0 ? " ORDER BY " : ", ",
						 sigma_html_column(source, name)->sql->sql,
						 item->kind == JSON_OBJECT && strcmp(sigma_json_get_string(item, "direction", "asc"), "desc") == 0 ?
						 " DESC" : "");
	}
	order = source->row->order_by;
	if (order == NIL && sigma_formula_column(source->row, "sigma_row_id") != NULL)
		order = list_make1("sigma_row_id");
	foreach(cell, order)
		appendStringInfo(&sql, "%st.%s", sql.len == 0 ? " ORDER BY " : ", ", (char *) lfirst(cell));
	return sql.data;
}

/* A column's values put together, as float8; "none" and what does not apply to it: 42804. */
char *
sigma_html_aggregate(const HtmlColumn *column, const char *aggregate)
{
	const char *sql = column->sql->sql;

	if (strcmp(aggregate, "count") == 0)
		return psprintf("pg_catalog.count(%s)::pg_catalog.float8", sql);
	if (strcmp(aggregate, "count_distinct") == 0)
		return psprintf("pg_catalog.count(DISTINCT %s)::pg_catalog.float8", sql);
	if (column->sql->type == TYPE_LOGICAL)
		sql = psprintf("(%s)::pg_catalog.int4", sql);
	else if (!sigma_html_is_number(column))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" holds no numbers", column->name)));
	if (strcmp(aggregate, "median") == 0)
		return psprintf("pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY (%s)::pg_catalog.float8)", sql);
	if (strcmp(aggregate, "none") == 0)
		return psprintf("(%s)::pg_catalog.float8", sql);
	if (strcmp(aggregate, "sum") != 0 && strcmp(aggregate, "avg") != 0 && strcmp(aggregate, "min") != 0 &&
		strcmp(aggregate, "max") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no way to put values together", aggregate)));
	return psprintf("pg_catalog.%s(%s)::pg_catalog.float8", aggregate, sql);
}

/* A value as text. */
char *
sigma_html_cell(SqlForm form, Datum value)
{
	switch (form)
	{
		case SQL_INT4:
			return psprintf("%d", DatumGetInt32(value));
		case SQL_INT8:
			return sigma_value_to_text(COLUMN_INTEGER, value);
		case SQL_NUMERIC:
			return sigma_value_to_text(COLUMN_NUMBER, value);
		case SQL_FLOAT8:
			return sigma_value_to_text(COLUMN_FLOAT, value);
		case SQL_TIMESTAMP:
			return sigma_value_to_text(COLUMN_DATETIME, value);
		case SQL_DATE:
			return sigma_value_to_text(COLUMN_DATE, value);
		case SQL_BOOL:
			return sigma_value_to_text(COLUMN_CHECKBOX, value);
		case SQL_JSONB:
			return sigma_value_to_text(COLUMN_JSON, value);
		case SQL_TEXT_ARRAY:
			return sigma_value_to_text(COLUMN_MULTI_SELECT, value);
		default:
			return TextDatumGetCString(value);
	}
}

/* The different values of a column, as a List of texts, so many as a control offers.  Errors are raised. */
List *
sigma_html_values_of(HtmlPage *page, const char *name, const char *column, JsonNode *settings)
{
	MemoryContext caller = CurrentMemoryContext;
	HtmlSource *source = sigma_html_source(page, name, settings);
	HtmlColumn *found = sigma_html_column(source, column);
	List	   *values = NIL;
	uint64		i;

	sigma_html_select(page, source, options_text, found);
	for (i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
		MemoryContext spi = MemoryContextSwitchTo(caller);

		values = lappend(values, sigma_html_cell(found->sql->form, value));
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return values;
}

/* The statement for them. */
static char *
options_text(HtmlPage *page, HtmlSource *source, void *arg)
{
	HtmlColumn *column = arg;

	return psprintf("SELECT DISTINCT v.v FROM (SELECT %s AS v%s) AS v WHERE v.v IS NOT NULL ORDER BY v.v LIMIT %d",
					column->sql->sql, sigma_html_where(page, source), HTML_OPTIONS);
}

/* ------------------------------------------------------------------------
 * Filters
 * ------------------------------------------------------------------------ */

/* A filter as the text of a formula: it is one, or a selector. */
static const char *
filter_formula(HtmlSource *source, const JsonNode *filter)
{
	const JsonNode *member;
	StringInfoData formula;

	if (filter->kind == JSON_STRING)
		return filter->string;
	if (filter->kind != JSON_OBJECT || filter->count == 0)
		return "True";
	member = filter->items[0];
	if (strcmp(member->key, "formula") == 0 && member->kind == JSON_STRING)
		return member->string;
	initStringInfo(&formula);
	if (strcmp(member->key, "row_id") == 0)
		append_comparison(&formula, source, "sigma_row_id", member);
	else if ((strcmp(member->key, "match") == 0 || strcmp(member->key, "key") == 0) && member->kind == JSON_OBJECT)
		append_comparisons(&formula, source, member);
	else
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("selector \"%s\" cannot choose the rows that are shown", member->key)));
	return formula.data;
}

/* {column: value | {op, value}}, all of them. */
static void
append_comparisons(StringInfo formula, HtmlSource *source, const JsonNode *columns)
{
	int			i;

	for (i = 0; i < columns->count; i++)
	{
		if (i > 0)
			appendStringInfoString(formula, " and ");
		append_comparison(formula, source, columns->items[i]->key, columns->items[i]);
	}
	if (columns->count == 0)
		appendStringInfoString(formula, "True");
}

/* One of them, as a call or with an operator. */
static void
append_comparison(StringInfo formula, HtmlSource *source, const char *name, const JsonNode *value)
{
	static const struct
	{
		const char *op;
		const char *call;		/* NULL: an operator of the same name */
	}			operators[] = {
		{"=", NULL}, {"!=", NULL}, {">", NULL}, {">=", NULL}, {"<", NULL}, {"<=", NULL}, {"in", "In"},
		{"contains", "Contains"}, {"starts_with", "StartsWith"}, {"ends_with", "EndsWith"}, {"between", "Between"},
		{"is_null", "IsNull"}, {"is_not_null", "not IsNull"},
	};
	FormulaColumn *column = sigma_formula_column(source->row, name);
	const JsonNode *op_node = value->kind == JSON_OBJECT ? sigma_json_get(value, "op") : NULL;
	const char *op = op_node != NULL && op_node->kind == JSON_STRING ? op_node->string : "=";
	const char *call = NULL;
	bool		is_date = column != NULL && column->type == TYPE_DATE;
	int			i;

	if (op_node != NULL)
		value = sigma_json_get(value, "value");
	if (value != NULL && value->kind == JSON_NULL)
		op = strcmp(op, "!=") == 0 ? "is_not_null" : "is_null";
	if (value != NULL && value->kind == JSON_ARRAY && strcmp(op, "=") == 0)
		op = "in";
	if (value != NULL && value->kind == JSON_ARRAY && value->count == 0)
	{
		appendStringInfoString(formula, "False");
		return;
	}
	for (i = 0; i < lengthof(operators); i++)
		if (strcmp(operators[i].op, op) == 0)
			break;
	if (i == lengthof(operators))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown operator \"%s\"", op)));
	call = operators[i].call;
	if (call != NULL && strcmp(op, "contains") == 0 && column != NULL && column->form == SQL_TEXT_ARRAY)
		call = "ArrayContains";
	if (call == NULL)
	{
		appendStringInfo(formula, "%s %s ", reference_to(name), op);
		append_value(formula, value, is_date);
		return;
	}
	appendStringInfo(formula, "%s(%s", call, reference_to(name));
	if (value != NULL && value->kind == JSON_ARRAY)
		for (i = 0; i < value->count; i++)
		{
			appendStringInfoString(formula, ", ");
			append_value(formula, value->items[i], is_date);
		}
	else if (value != NULL && value->kind != JSON_NULL)
	{
		appendStringInfoString(formula, ", ");
		append_value(formula, value, is_date);
	}
	appendStringInfoChar(formula, ')');
}

/* A value of a selector in a formula: a reference, a formula or a literal. */
static void
append_value(StringInfo formula, const JsonNode *value, bool is_date)
{
	const char *c;

	if (value == NULL || value->kind == JSON_NULL)
		appendStringInfoString(formula, "Null");
	else if (value->kind == JSON_BOOL)
		appendStringInfoString(formula, value->boolean ? "True" : "False");
	else if (value->kind == JSON_OBJECT && sigma_json_get_string(value, "formula", NULL) != NULL)
		appendStringInfo(formula, "(%s)", sigma_json_get_string(value, "formula", NULL));
	else if (value->kind == JSON_OBJECT && sigma_json_get_string(value, "control_id", NULL) != NULL)
		appendStringInfo(formula, "[Control/%s", reference_to(sigma_json_get_string(value, "control_id", "")) + 1);
	else if (value->kind == JSON_OBJECT && sigma_json_get(value, "value") != NULL)
		append_value(formula, sigma_json_get(value, "value"), is_date);
	else if (value->kind == JSON_STRING && !sigma_is_bare_reference(value->string))
	{
		appendStringInfoString(formula, is_date ? "Date(\"" : "\"");
		for (c = value->string; *c != '\0'; c++)
		{
			if (*c == '"' || *c == '\\')
				appendStringInfoChar(formula, '\\');
			if (*c == '\n')
				appendStringInfoString(formula, "\\n");
			else
				appendStringInfoChar(formula, *c);
		}
		appendStringInfoString(formula, is_date ? "\")" : "\"");
	}
	else
		appendStringInfoString(formula, value->kind == JSON_STRING ? value->string : sigma_json_text(value));
}
