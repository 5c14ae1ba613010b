/*
 * form_json.c
 *		What a formula yields as JSON, and values of any type.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "common/json_push.h"
#include "common/jsonb_value.h"
#include "compat.h"
#include "formula/compile.h"
#include "formula/variant.h"

static bool array_value(Oid type, Datum value, JsonbValue *result);
static void row_value(Datum value, JsonbValue *result);
static char *output_text(Oid type, Datum value);
static void text_value(char *text, JsonbValue *result);
static void number_value(Numeric number, JsonbValue *result);
static char *date_text(Timestamp date);

/*
 * A value in a form as JSON, in the current context: dates as "YYYY-MM-DD
 * HH:MM:SS", numbers without needless zeros, NaN and infinities as text.
 */
void
sigma_form_to_json(SqlForm form, Datum value, bool isnull, JsonbValue *result)
{
	result->type = jbvNull;
	if (isnull)
		return;
	switch (form)
	{
		case SQL_BOOL:
			result->type = jbvBool;
			result->val.boolean = DatumGetBool(value);
			return;
		case SQL_DATE:
			text_value(date_text(DatumGetTimestamp(DirectFunctionCall1(date_timestamp, value))), result);
			return;
		case SQL_TIMESTAMP:
			text_value(date_text(DatumGetTimestamp(value)), result);
			return;
		case SQL_INT4:
			number_value(int64_to_numeric(DatumGetInt32(value)), result);
			return;
		case SQL_INT8:
			number_value(int64_to_numeric(DatumGetInt64(value)), result);
			return;
		case SQL_FLOAT8:
			number_value(DatumGetNumeric(DirectFunctionCall1(float8_numeric, value)), result);
			return;
		case SQL_NUMERIC:
			number_value(DatumGetNumeric(value), result);
			return;
		case SQL_JSONB:
			sigma_jsonb_to_value(DatumGetJsonbP(value), result);
			return;
		case SQL_TEXT_ARRAY:
			sigma_jsonb_to_value(sigma_variant_of_array(DatumGetArrayTypeP(value)), result);
			return;
		default:
			text_value(TextDatumGetCString(value), result);
			return;
	}
}

/*
 * A value of any type as JSON, in the current context, as formulas would give it: times
 * with a zone in UTC, arrays of one dimension as arrays, rows as objects, what JSON has
 * no word for as its text.
 */
void
sigma_datum_to_json(Oid type, Datum value, bool isnull, JsonbValue *result)
{
	Oid			base = getBaseType(type);

	check_stack_depth();
	result->type = jbvNull;
	if (isnull)
		return;
	switch (base)
	{
		case BOOLOID:
			sigma_form_to_json(SQL_BOOL, value, false, result);
			return;
		case INT2OID:
			sigma_form_to_json(SQL_INT4, Int32GetDatum(DatumGetInt16(value)), false, result);
			return;
		case INT4OID:
			sigma_form_to_json(SQL_INT4, value, false, result);
			return;
		case INT8OID:
			sigma_form_to_json(SQL_INT8, value, false, result);
			return;
		case FLOAT4OID:
			number_value(DatumGetNumeric(DirectFunctionCall1(float4_numeric, value)), result);
			return;
		case FLOAT8OID:
			sigma_form_to_json(SQL_FLOAT8, value, false, result);
			return;
		case NUMERICOID:
			sigma_form_to_json(SQL_NUMERIC, value, false, result);
			return;
		case DATEOID:
			sigma_form_to_json(SQL_DATE, value, false, result);
			return;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:	/* which is a time in UTC as it lies there */
			sigma_form_to_json(SQL_TIMESTAMP, value, false, result);
			return;
		case JSONBOID:
			sigma_form_to_json(SQL_JSONB, value, false, result);
			return;
		case JSONOID:
			sigma_form_to_json(SQL_JSONB, DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(value))), false,
							   result);
			return;
		case TEXTOID:
		case VARCHAROID:
			text_value(TextDatumGetCString(value), result);
			return;
		default:
			break;
	}
	if (type_is_rowtype(base))
		row_value(value, result);
	else if (!OidIsValid(get_element_type(base)) || !array_value(get_element_type(base), value, result))
		text_value(output_text(base, value), result);
}

/* An array of one dimension, or none; false where it has more. */
static bool
array_value(Oid type, Datum value, JsonbValue *result)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	JsonbParseState *state = NULL;
	Datum	   *items;
	bool	   *nulls;
	int16		length;
	bool		by_value;
	char		align;
	int			count;
	int			i;

	if (ARR_NDIM(array) > 1)
		return false;
	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(array, type, length, by_value, align, &items, &nulls, &count);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < count; i++)
	{
		JsonbValue	item;

		sigma_datum_to_json(type, items[i], nulls[i], &item);
		pushJsonbValue(&state, WJB_ELEM, &item);
	}
	sigma_jsonb_to_value(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)), result);
	return true;
}

/* A row as an object of its columns. */
static void
row_value(Datum value, JsonbValue *result)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	TupleDesc	desc = lookup_rowtype_tupdesc_domain(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header), false);
	HeapTupleData tuple = {0};
	JsonbParseState *state = NULL;
	int			i;

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		JsonbValue	column;
		bool		isnull;
		Datum		datum;

		if (attribute->attisdropped)
			continue;
		datum = heap_getattr(&tuple, i + 1, desc, &isnull);
		sigma_datum_to_json(attribute->atttypid, datum, isnull, &column);
		sigma_push_value(&state, NameStr(attribute->attname), &column);
	}
	ReleaseTupleDesc(desc);
	sigma_jsonb_to_value(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)), result);
}

/* What the type's output function says. */
static char *
output_text(Oid type, Datum value)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

static void
text_value(char *text, JsonbValue *result)
{
	result->type = jbvString;
	result->val.string.val = text;
	result->val.string.len = strlen(text);
}

static void
number_value(Numeric number, JsonbValue *result)
{
	if (numeric_is_nan(number) || numeric_is_inf(number))
	{
		text_value(DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number))), result);
		return;
	}
	result->type = jbvNumeric;
	result->val.numeric = DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(number)));
}

/* "YYYY-MM-DD HH:MM:SS", with a fraction where there is one. */
static char *
date_text(Timestamp date)
{
	char		buffer[MAXDATELEN + 1];
	struct pg_tm tm;
	fsec_t		fraction;

	if (TIMESTAMP_NOT_FINITE(date))
		return pstrdup(TIMESTAMP_IS_NOBEGIN(date) ? "-infinity" : "infinity");
	if (timestamp2tm(date, NULL, &tm, &fraction, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	EncodeDateTime(&tm, fraction, false, 0, NULL, USE_ISO_DATES, buffer);
	return pstrdup(buffer);
}
