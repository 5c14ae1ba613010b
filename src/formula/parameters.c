/*
 * parameters.c
 *		References to a context as parameters of SQL.
 *
 * JSON says what kind a value is only when it is there: text, number, logical or
 * variant.  SQL is compiled for the kinds at hand; a Null has none and fits
 * everywhere.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "formula/compiler.h"

static FormulaParameter *find_parameter(FormulaParameters *parameters, const char *source, const char *name);
static bool same_text(const char *a, const char *b);
static SqlForm json_form(const JsonbValue *value);
static Datum json_datum(const JsonbValue *value);

/* FormulaScope.resolve over a list of parameters: every reference is one; the list grows in its own context. */
bool
sigma_parameters_resolve(FormulaScope *scope, const char *source, const char *name, FormulaSql *result)
{
	FormulaParameters *parameters = scope->arg;
	FormulaParameter *parameter = find_parameter(parameters, source, name);

	result->form = parameter->form;
	result->type = sigma_sql_form_kind(parameter->form);
	result->sql = parameter->form == SQL_NULL ? "NULL" :
		psprintf("$%d", parameters->first + (int) (parameter - parameters->items));
	result->simple = true;
	result->from_json = true;
	return true;
}

/*
 * The values of all parameters for one run, in the current context.  Returns
 * whether they are still of the kinds that SQL was compiled for; where not, the
 * kinds are set and SQL has to be compiled for them.
 */
bool
sigma_parameters_fetch(FormulaParameters *parameters, FormulaFetch fetch, void *arg, Datum *values, char *nulls)
{
	bool		same = true;
	int			i;

	for (i = 0; i < parameters->count; i++)
	{
		FormulaParameter *parameter = &parameters->items[i];
		JsonbValue	value;
		SqlForm		form;

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

static FormulaParameter *
find_parameter(FormulaParameters *parameters, const char *source, const char *name)
{
	FormulaParameter *parameter;
	MemoryContext cxt;
	int			i;

	for (i = 0; i < parameters->count; i++)
		if (same_text(parameters->items[i].source, source) && same_text(parameters->items[i].name, name))
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
