/*
 * parameters.c
 *		References to a context as parameters of SQL.
 *
 * JSON says what kind a value is only when it is there: text, number, logical or
 * variant.  SQL is compiled for the kinds at hand; a Null has none and fits
 * everywhere.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "formula/compiler.h"

static FormulaParameter *find_parameter(FormulaParameters *parameters, const char *source, const char *name,
										bool in_rows);
static void make_column(FormulaColumn *column, const FormulaParameter *parameter);
static bool fetch_rows(FormulaParameters *parameters, FormulaFetch fetch, void *arg, Datum *values, char *nulls);
static SqlForm column_form(Jsonb *rows, const char *name);
static bool same_text(const char *a, const char *b);
static SqlForm json_form(const JsonbValue *value);
static Datum json_datum(const JsonbValue *value);

/* FormulaScope.resolve over a list of parameters: every reference is one; the list grows in its own context. */
bool
sigma_parameters_resolve(FormulaScope *scope, const char *source, const char *name, FormulaSql *result)
{
	FormulaParameters *parameters = scope->arg;
	FormulaParameter *parameter = find_parameter(parameters, source, name, false);

	result->form = parameter->form;
	result->type = sigma_sql_form_kind(parameter->form);
	result->sql = parameter->form == SQL_NULL ? "NULL" :
		psprintf("$%d", parameters->first + (int) (parameter - parameters->items));
	result->simple = true;
	result->from_json = true;
	return true;
}

/*
 * FormulaScope.selection over a list of parameters: the selected rows are one
 * parameter, the kinds of each column that is read in them another.
 */
FormulaRelation *
sigma_parameters_selection(FormulaScope *scope, const char *name)
{
	FormulaParameters *parameters = scope->arg;
	FormulaRelation *relation = palloc0(sizeof(FormulaRelation));
	FormulaParameter *rows;
	int			i;

	find_parameter(parameters, "Selection", name, true);
	rows = find_parameter(parameters, "Selection", NULL, false);
	rows->form = SQL_JSONB;
	relation->name = "Selection";
	relation->from = psprintf("pg_catalog.jsonb_array_elements($%d) WITH ORDINALITY",
							  parameters->first + (int) (rows - parameters->items));
	relation->order_by = list_make1("ordinality");
	relation->from_json = true;
	relation->columns = palloc0(sizeof(FormulaColumn) * parameters->count);
	for (i = 0; i < parameters->count; i++)
		if (parameters->items[i].in_rows)
			make_column(&relation->columns[relation->ncolumns++], &parameters->items[i]);
	return relation;
}

/* A column of the selected rows: a member of each of them.  JSON's null is Null here. */
static void
make_column(FormulaColumn *column, const FormulaParameter *parameter)
{
	const char *key = quote_literal_cstr(parameter->name);

	column->name = pstrdup(parameter->name);
	column->type = sigma_sql_form_kind(parameter->form);
	column->form = parameter->form;
	column->attribute = "value";
	if (parameter->form == SQL_JSONB)
	{
		StringInfoData path;

		initStringInfo(&path);
		appendStringInfoString(&path, "strict $.");
		escape_json(&path, parameter->name);
		appendStringInfoString(&path, " ? (@ != null || (@ != null) is unknown)");
		column->before = "pg_catalog.jsonb_path_query_first(";
		column->after = psprintf(", %s::pg_catalog.jsonpath, '{}'::pg_catalog.jsonb, true)",
								 quote_literal_cstr(path.data));
		return;
	}
	column->before = "(";
	column->after = psprintf(" OPERATOR(pg_catalog.->>) %s::pg_catalog.text)%s%s", key,
							 parameter->form == SQL_TEXT ? "" : "::",
							 parameter->form == SQL_TEXT ? "" : sigma_sql_form_type(parameter->form));
}

/*
 * The values of all parameters for one run, in the current context.  Returns
 * whether they are still of the kinds that SQL was compiled for; where not, the
 * kinds are set and SQL has to be compiled for them.
 */
bool
sigma_parameters_fetch(FormulaParameters *parameters, FormulaFetch fetch, void *arg, Datum *values, char *nulls)
{
	bool		same = fetch_rows(parameters, fetch, arg, values, nulls);
	int			i;

	for (i = 0; i < parameters->count; i++)
	{
		FormulaParameter *parameter = &parameters->items[i];
		JsonbValue	value;
		SqlForm		form;

		if (parameter->in_rows || parameter->name == NULL)
			continue;
		fetch(arg, parameter->source, parameter->name, &value);
		form = json_form(&value);
		nulls[i] = form == SQL_NULL ? 'n' : ' ';
		values[i] = form == SQL_NULL ? (Datum) 0 : json_datum(&value);
		if (form != parameter->form)
		{
			parameter->form = form;
			same = false;
		}
	}
	return same;
}

/*
 * The selected rows, where a formula reads them, and the kinds of their columns:
 * that of all values that are not Null, JSON where they are of several kinds.
 */
static bool
fetch_rows(FormulaParameters *parameters, FormulaFetch fetch, void *arg, Datum *values, char *nulls)
{
	Jsonb	   *rows = NULL;
	JsonbValue	value;
	bool		same = true;
	int			i;

	for (i = 0; i < parameters->count; i++)
		if (parameters->items[i].name == NULL)
		{
			fetch(arg, parameters->items[i].source, NULL, &value);
			rows = value.type == jbvNull ? DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("[]"))) :
				JsonbValueToJsonb(&value);
			values[i] = JsonbPGetDatum(rows);
			nulls[i] = ' ';
		}
	for (i = 0; i < parameters->count; i++)
		if (parameters->items[i].in_rows)
		{
			SqlForm		form = column_form(rows, parameters->items[i].name);

			same = same && parameters->items[i].form == form;
			parameters->items[i].form = form;
			values[i] = (Datum) 0;
			nulls[i] = 'n';
		}
	return same;
}

/* The kind of the values of a column in an array of rows. */
static SqlForm
column_form(Jsonb *rows, const char *name)
{
	SqlForm		found = SQL_NULL;
	int			count = JsonContainerSize(&rows->root);
	int			i;

	for (i = 0; i < count; i++)
	{
		JsonbValue *row = getIthJsonbValueFromContainer(&rows->root, i);
		JsonbValue	value;
		SqlForm		form;

		if (row->type != jbvBinary || !JsonContainerIsObject(row->val.binary.data) ||
			getKeyJsonValueFromContainer(row->val.binary.data, name, strlen(name), &value) == NULL)
			continue;
		form = json_form(&value);
		if (found == SQL_NULL)
			found = form;
		else if (form != SQL_NULL && form != found)
			return SQL_JSONB;
	}
	return found;
}

static FormulaParameter *
find_parameter(FormulaParameters *parameters, const char *source, const char *name, bool in_rows)
{
	FormulaParameter *parameter;
	MemoryContext cxt;
	int			i;

	for (i = 0; i < parameters->count; i++)
		if (same_text(parameters->items[i].source, source) && same_text(parameters->items[i].name, name) &&
			parameters->items[i].in_rows == in_rows)
			return &parameters->items[i];
	if (parameters->count == FORMULA_MAX_PARAMETERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a formula cannot refer to more than %d values of a context", FORMULA_MAX_PARAMETERS)));
	cxt = GetMemoryChunkContext(parameters);
	if (parameters->count == parameters->allocated)
	{
		parameters->allocated = Max(8, parameters->allocated * 2);
		parameters->items = parameters->items == NULL ?
			MemoryContextAlloc(cxt, sizeof(FormulaParameter) * parameters->allocated) :
			repalloc(parameters->items, sizeof(FormulaParameter) * parameters->allocated);
	}
	parameter = &parameters->items[parameters->count++];
	parameter->source = source == NULL ? NULL : MemoryContextStrdup(cxt, source);
	parameter->name = name == NULL ? NULL : MemoryContextStrdup(cxt, name);
	parameter->form = SQL_NULL;
	parameter->in_rows = in_rows;
	return parameter;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static SqlForm
json_form(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return SQL_NULL;
		case jbvString:
			return SQL_TEXT;
		case jbvNumeric:
			return SQL_NUMERIC;
		case jbvBool:
			return SQL_BOOL;
		default:
			return SQL_JSONB;
	}
}

static Datum
json_datum(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return PointerGetDatum(cstring_to_text_with_len(value->val.string.val, value->val.string.len));
		case jbvNumeric:
			return NumericGetDatum(value->val.numeric);
		case jbvBool:
			return BoolGetDatum(value->val.boolean);
		default:
			return JsonbPGetDatum(JsonbValueToJsonb(unconstify(JsonbValue *, value)));
	}
}
