/*
 * procedure_argument.c
 *		Values of a run as values of the arguments of a function.
 *
 * Numbers, texts, dates, logical values and JSON are read as columns of input tables
 * read them, times with a zone as UTC; everything else, domains, arrays and rows too,
 * as jsonb_to_record() does.  A value is in the current memory context.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "action/procedure.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "common/value.h"

static Datum read_value(CallArgumentType *argument, const JsonbValue *value, bool *isnull, const char **why);
static bool column_type(Oid type, ColumnType *result);
static Datum fit(Oid type, Datum value, const char **why);
static Datum read_other(CallArgumentType *argument, const JsonbValue *value, bool *isnull);

/* See procedure.h. */
Datum
sigma_argument_bind(Run *run, ProcedureStep *step, int i, bool *isnull)
{
	const char *why = NULL;
	JsonbValue	value;
	Datum		result;

	sigma_value_source_evaluate(step->given[i].source, run->context, &value);
	result = read_value(&step->arguments[i], &value, isnull, &why);
	if (why != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("value for argument \"%s\" of \"%s\" %s", step->arguments[i].name, step->target, why),
				 errdetail("The value is \"%s\".", sigma_jsonb_text(&value))));
	return result;
}

/* See procedure.h. */
void
sigma_argument_check(ProcedureStep *step, int i, const JsonNode *node)
{
	MemoryContext cxt = CurrentMemoryContext;
	const char *why = NULL;
	JsonbValue	value;
	bool		isnull;

	if (!sigma_value_source_is_static(step->given[i].source, &value))
		return;
	PG_TRY();
	{
		(void) read_value(&step->arguments[i], &value, &isnull, &why);
	}
	PG_CATCH();
	{
		sigma_document_rethrow(node, cxt);
	}
	PG_END_TRY();
	if (why != NULL)
		sigma_document_error(node, 0, NULL, "value for argument \"%s\" of \"%s\" %s", step->arguments[i].name, step->target,
							 why);
}

/* A value of the argument's type.  *why is set where it cannot be read by what is known here; else that is raised. */
static Datum
read_value(CallArgumentType *argument, const JsonbValue *value, bool *isnull, const char **why)
{
	ColumnType	type;
	Datum		result = (Datum) 0;

	*isnull = value->type == jbvNull;
	if (*isnull && get_typtype(argument->type) != TYPTYPE_DOMAIN)
		return result;
	if (!column_type(argument->type, &type))
		return read_other(argument, value, isnull);
	if (!sigma_value_from_json(type, value, &result, isnull, why) || *isnull)
		return (Datum) 0;
	*why = NULL;
	return fit(argument->type, result, why);
}

/* The column type whose values are read for an argument of a type; false: none of them. */
static bool
column_type(Oid type, ColumnType *result)
{
	static const struct
	{
		Oid			type;
		ColumnType	column;
	}			types[] = {
		{BOOLOID, COLUMN_CHECKBOX}, {INT2OID, COLUMN_INTEGER}, {INT4OID, COLUMN_INTEGER}, {INT8OID, COLUMN_INTEGER},
		{NUMERICOID, COLUMN_NUMBER}, {FLOAT4OID, COLUMN_FLOAT}, {FLOAT8OID, COLUMN_FLOAT}, {TEXTOID, COLUMN_TEXT},
		{VARCHAROID, COLUMN_TEXT}, {DATEOID, COLUMN_DATE}, {TIMESTAMPOID, COLUMN_DATETIME},
		{TIMESTAMPTZOID, COLUMN_DATETIME}, {JSONBOID, COLUMN_JSON}, {JSONOID, COLUMN_JSON},
	};
	int			i;

	for (i = 0; i < lengthof(types); i++)
		if (types[i].type == type)
		{
			*result = types[i].column;
			return true;
		}
	return false;
}

/* A value of a column type as the argument's own; *why where it is too large for it. */
static Datum
fit(Oid type, Datum value, const char **why)
{
	int64		number;

	switch (type)
	{
		case INT2OID:
			number = DatumGetInt64(value);
			if (number < PG_INT16_MIN || number > PG_INT16_MAX)
				*why = "is out of range for type smallint";
			return Int16GetDatum((int16) number);
		case INT4OID:
			number = DatumGetInt64(value);
			if (number < PG_INT32_MIN || number > PG_INT32_MAX)
				*why = "is out of range for type integer";
			return Int32GetDatum((int32) number);
		case FLOAT4OID:
			return DirectFunctionCall1(dtof, value);
		case JSONOID:
			return DirectFunctionCall1(textin, DirectFunctionCall1(jsonb_out, value));
		default:
			/* a time in UTC lies there like a time with a zone */
			return value;
	}
}

/* A value as any other type, by SQL.  SPI is connected. */
static Datum
read_other(CallArgumentType *argument, const JsonbValue *value, bool *isnull)
{
	JsonbParseState *state = NULL;
	MemoryContext cxt = CurrentMemoryContext;
	Oid			types[] = {JSONBOID};
	Datum		document;
	Datum		result;
	int16		length;
	bool		by_value;

	if (argument->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(psprintf("SELECT r.v FROM pg_catalog.jsonb_to_record($1) AS r(v %s)",
												format_type_extended(argument->type, -1, FORMAT_TYPE_FORCE_QUALIFY)),
									   1, types);

		if (plan == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		argument->plan = plan;
	}
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_value(&state, "v", value);
	document = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
	if (SPI_execute_plan(argument->plan, &document, NULL, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read a value of type %s", format_type_be(argument->type));
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, isnull);
	MemoryContextSwitchTo(cxt);
	get_typlenbyval(argument->type, &length, &by_value);
	if (!*isnull)
		result = datumCopy(result, by_value, length);
	SPI_freetuptable(SPI_tuptable);
	return result;
}
