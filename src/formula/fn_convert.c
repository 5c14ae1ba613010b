/*
 * fn_convert.c
 *		Type conversions of formulas: Text, Number, Logical, Date, DateTime, Json.
 *
 * Each is one SQL function per type it takes; those that are a mere cast are in
 * SQL.  What does not convert is Null.  Nothing depends on a setting: neither
 * DateStyle nor extra_float_digits nor TimeZone.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common/date.h"
#include "common/number.h"
#include "common/value.h"
#include "compat.h"
#include "formula/fn_date.h"
#include "formula/variant.h"

#define EPOCH_SECONDS	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/* Floats are written without an exponent from 1e-7 to below 1e21, as JavaScript does. */
#define MIN_PLAIN_EXPONENT	(-7)
#define MAX_PLAIN_EXPONENT	20

PG_FUNCTION_INFO_V1(fn_text_float8);
PG_FUNCTION_INFO_V1(fn_text_timestamp);
PG_FUNCTION_INFO_V1(fn_text_jsonb);
PG_FUNCTION_INFO_V1(fn_number_text);
PG_FUNCTION_INFO_V1(fn_number_float8);
PG_FUNCTION_INFO_V1(fn_number_timestamp);
PG_FUNCTION_INFO_V1(fn_number_jsonb);
PG_FUNCTION_INFO_V1(fn_logical_text);
PG_FUNCTION_INFO_V1(fn_logical_jsonb);
PG_FUNCTION_INFO_V1(fn_date_text);
PG_FUNCTION_INFO_V1(fn_date_numeric);
PG_FUNCTION_INFO_V1(fn_date_jsonb);
PG_FUNCTION_INFO_V1(fn_datetime_text);
PG_FUNCTION_INFO_V1(fn_datetime_jsonb);
PG_FUNCTION_INFO_V1(fn_text_array);
PG_FUNCTION_INFO_V1(fn_variant_text);
PG_FUNCTION_INFO_V1(fn_variant_bool);
PG_FUNCTION_INFO_V1(fn_variant_array);
PG_FUNCTION_INFO_V1(fn_variant_int8);
PG_FUNCTION_INFO_V1(fn_variant_numeric);
PG_FUNCTION_INFO_V1(fn_variant_timestamp);
PG_FUNCTION_INFO_V1(fn_json_text);

static void set_text(JsonbValue *value, char *text);
static void append_float(StringInfo buf, double number);
static void append_json(StringInfo buf, JsonbContainer *container);
static void append_scalar(StringInfo buf, const JsonbValue *value);
static bool number_of_text(const char *text, int length, Datum *number);
static bool logical_of_text(const char *text, int length, bool *result);
static bool date_of_text(const char *text, int length, bool american, Timestamp *result);
static bool date_of_number(Datum number, Timestamp *result);
static bool date_of_variant(Jsonb *document, bool american, Timestamp *result);

/* fn_text(float8) */
Datum
fn_text_float8(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	initStringInfo(&buf);
	append_float(&buf, PG_GETARG_FLOAT8(0));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}

/* fn_text(timestamp): ISO, with a fraction of the second only where there is one */
Datum
fn_text_timestamp(PG_FUNCTION_ARGS)
{
	Timestamp	date = PG_GETARG_TIMESTAMP(0);
	struct pg_tm tm;
	fsec_t		fsec;
	char		buf[MAXDATELEN + 1];

	if (TIMESTAMP_NOT_FINITE(date))
		EncodeSpecialTimestamp(date, buf);
	else if (timestamp2tm(date, NULL, &tm, &fsec, NULL, NULL) == 0)
		EncodeDateTime(&tm, fsec, false, 0, NULL, USE_ISO_DATES, buf);
	else
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(buf));
}

/* fn_text(jsonb): JSON null is Null */
Datum
fn_text_jsonb(PG_FUNCTION_ARGS)
{
	Jsonb	   *document = PG_GETARG_JSONB_P(0);
	JsonbValue	value;
	StringInfoData buf;

	if (!sigma_variant_scalar(document, &value))
	{
		value.type = jbvBinary;
		value.val.binary.data = &document->root;
		value.val.binary.len = VARSIZE(document) - VARHDRSZ;
	}
	else if (value.type == jbvNull)
		PG_RETURN_NULL();
	initStringInfo(&buf);
	sigma_variant_text(&buf, &value);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}

/* fn_text(text[]) */
Datum
fn_text_array(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	initStringInfo(&buf);
	append_json(&buf, &sigma_variant_of_array(PG_GETARG_ARRAYTYPE_P(0))->root);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}

/* fn_number(text): digits, sign, point, exponent; no separators, no units */
Datum
fn_number_text(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	Datum		number;

	if (!number_of_text(VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given), &number))
		PG_RETURN_NULL();
	return number;
}

/* fn_number(float8): the number that the float's shortest text is */
Datum
fn_number_float8(PG_FUNCTION_ARGS)
{
	double		given = PG_GETARG_FLOAT8(0);
	char		buf[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(given, buf);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(buf),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/* fn_number(timestamp): whole seconds since 1970 */
Datum
fn_number_timestamp(PG_FUNCTION_ARGS)
{
	Timestamp	date = PG_GETARG_TIMESTAMP(0);
	int64		seconds = date / USECS_PER_SEC - (date % USECS_PER_SEC < 0 ? 1 : 0);

	if (TIMESTAMP_NOT_FINITE(date))
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(int64_to_numeric(seconds + EPOCH_SECONDS));
}

/* fn_number(jsonb): of a number, a text or a logical value */
Datum
fn_number_jsonb(PG_FUNCTION_ARGS)
{
	JsonbValue	value;
	Datum		number;

	if (!sigma_variant_scalar(PG_GETARG_JSONB_P(0), &value))
		PG_RETURN_NULL();
	switch (value.type)
	{
		case jbvNumeric:
			PG_RETURN_NUMERIC(DatumGetNumericCopy(NumericGetDatum(value.val.numeric)));
		case jbvBool:
			PG_RETURN_NUMERIC(int64_to_numeric(value.val.boolean ? 1 : 0));
		case jbvString:
			if (number_of_text(value.val.string.val, value.val.string.len, &number))
				return number;
			PG_RETURN_NULL();
		default:
			PG_RETURN_NULL();
	}
}

/* fn_logical(text): true or false, in any case */
Datum
fn_logical_text(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	bool		result;

	if (!logical_of_text(VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given), &result))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(result);
}

/* fn_logical(jsonb) */
Datum
fn_logical_jsonb(PG_FUNCTION_ARGS)
{
	JsonbValue	value;
	bool		result;

	if (!sigma_variant_scalar(PG_GETARG_JSONB_P(0), &value))
		PG_RETURN_NULL();
	switch (value.type)
	{
		case jbvBool:
			PG_RETURN_BOOL(value.val.boolean);
		case jbvNumeric:
			return DirectFunctionCall2(numeric_ne, NumericGetDatum(value.val.numeric),
									   NumericGetDatum(int64_to_numeric(0)));
		case jbvString:
			if (logical_of_text(value.val.string.val, value.val.string.len, &result))
				PG_RETURN_BOOL(result);
			PG_RETURN_NULL();
		default:
			PG_RETURN_NULL();
	}
}

/* fn_date(text): ISO; an offset brings it to UTC */
Datum
fn_date_text(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	Timestamp	result;

	if (!date_of_text(VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given), false, &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

/* fn_datetime(text): ISO, or month/day/year */
Datum
fn_datetime_text(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	Timestamp	result;

	if (!date_of_text(VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given), true, &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

/* fn_date(numeric): seconds since 1970 */
Datum
fn_date_numeric(PG_FUNCTION_ARGS)
{
	Timestamp	result;

	if (!date_of_number(PG_GETARG_DATUM(0), &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

/* fn_date(jsonb), fn_datetime(jsonb): of a text or a number */
Datum
fn_date_jsonb(PG_FUNCTION_ARGS)
{
	Timestamp	result;

	if (!date_of_variant(PG_GETARG_JSONB_P(0), false, &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

Datum
fn_datetime_jsonb(PG_FUNCTION_ARGS)
{
	Timestamp	result;

	if (!date_of_variant(PG_GETARG_JSONB_P(0), true, &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

/* fn_variant(text): the text as it is, not what it says */
Datum
fn_variant_text(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = VARDATA_ANY(given);
	value.val.string.len = VARSIZE_ANY_EXHDR(given);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(&value));
}

/* fn_variant(bool) */
Datum
fn_variant_bool(PG_FUNCTION_ARGS)
{
	JsonbValue	value;

	value.type = jbvBool;
	value.val.boolean = PG_GETARG_BOOL(0);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(&value));
}

/* fn_variant(text[]) */
Datum
fn_variant_array(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(sigma_variant_of_array(PG_GETARG_ARRAYTYPE_P(0)));
}

/* fn_variant(int8) */
Datum
fn_variant_int8(PG_FUNCTION_ARGS)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = int64_to_numeric(PG_GETARG_INT64(0));
	PG_RETURN_JSONB_P(JsonbValueToJsonb(&value));
}

/* fn_variant(numeric): NaN and infinities, which JSON has not, as text */
Datum
fn_variant_numeric(PG_FUNCTION_ARGS)
{
	Numeric		number = PG_GETARG_NUMERIC(0);
	JsonbValue	value;

	if (numeric_is_nan(number) || numeric_is_inf(number))
		set_text(&value, DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number))));
	else
	{
		value.type = jbvNumeric;
		value.val.numeric = DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(number)));
	}
	PG_RETURN_JSONB_P(JsonbValueToJsonb(&value));
}

/* fn_variant(timestamp): milliseconds always, microseconds where there are */
Datum
fn_variant_timestamp(PG_FUNCTION_ARGS)
{
	Timestamp	date = PG_GETARG_TIMESTAMP(0);
	JsonbValue	value;
	struct pg_tm tm;
	fsec_t		fsec;
	char		buf[MAXDATELEN + 1];

	if (TIMESTAMP_NOT_FINITE(date))
		EncodeSpecialTimestamp(date, buf);
	else if (timestamp2tm(date, NULL, &tm, &fsec, NULL, NULL) == 0)
		snprintf(buf, sizeof(buf), "%04d-%02d-%02d %02d:%02d:%02d.%0*d Z%s",
				 tm.tm_year > 0 ? tm.tm_year : 1 - tm.tm_year, tm.tm_mon, tm.tm_mday,
				 tm.tm_hour, tm.tm_min, tm.tm_sec,
				 fsec % 1000 == 0 ? 3 : 6, (int) (fsec % 1000 == 0 ? fsec / 1000 : fsec),
				 tm.tm_year > 0 ? "" : " BC");
	else
		PG_RETURN_NULL();
	set_text(&value, buf);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(&value));
}

/* fn_json(text): what the text says as JSON */
Datum
fn_json_text(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	const char *why;
	Jsonb	   *result = sigma_jsonb_from_text(VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given), &why);

	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(result);
}

void
sigma_variant_text(StringInfo buf, const JsonbValue *value)
{
	if (value->type == jbvBinary)
		append_json(buf, value->val.binary.data);
	else if (value->type == jbvString)
		appendBinaryStringInfo(buf, value->val.string.val, value->val.string.len);
	else if (value->type == jbvNumeric)
	{
		Datum		number = DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(value->val.numeric));

		appendStringInfoString(buf, DatumGetCString(DirectFunctionCall1(numeric_out, number)));
	}
	else
		append_scalar(buf, value);
}

Jsonb *
sigma_variant_of_array(ArrayType *array)
{
	JsonbParseState *state = NULL;
	Datum	   *entries;
	bool	   *nulls;
	int			count;
	int			i;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &entries, &nulls, &count);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < count; i++)
	{
		JsonbValue	entry;

		entry.type = jbvNull;
		if (!nulls[i])
		{
			entry.type = jbvString;
			entry.val.string.val = VARDATA_ANY(DatumGetPointer(entries[i]));
			entry.val.string.len = VARSIZE_ANY_EXHDR(DatumGetPointer(entries[i]));
		}
		pushJsonbValue(&state, WJB_ELEM, &entry);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

bool
sigma_variant_scalar(Jsonb *document, JsonbValue *value)
{
	return JB_ROOT_IS_SCALAR(document) && JsonbExtractScalar(&document->root, value);
}

static void
set_text(JsonbValue *value, char *text)
{
	value->type = jbvString;
	value->val.string.val = text;
	value->val.string.len = strlen(text);
}

/* A float without trailing zeros. */
static void
append_float(StringInfo buf, double number)
{
	char		shortest[DOUBLE_SHORTEST_DECIMAL_LEN];
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];
	const char *at = shortest;
	const char *mark;
	int			count = 0;
	int			exponent;

	double_to_shortest_decimal_buf(number == 0 ? 0.0 : number, shortest);
	mark = strchr(shortest, 'e');
	exponent = mark == NULL ? 0 : atoi(mark + 1);
	if (mark == NULL || exponent < MIN_PLAIN_EXPONENT || exponent > MAX_PLAIN_EXPONENT)
	{
		appendStringInfoString(buf, shortest);
		return;
	}
	/* d.ddde+xx: write the digits around the point */
	if (*at == '-')
		appendStringInfoChar(buf, *at++);
	for (; at < mark; at++)
		if (*at != '.')
			digits[count++] = *at;
	if (exponent < 0)
		appendStringInfo(buf, "0.%.*s%.*s", -exponent - 1, "000000", count, digits);
	else if (count <= exponent + 1)
		appendStringInfo(buf, "%.*s%.*s", count, digits, exponent + 1 - count, "00000000000000000000");
	else
		appendStringInfo(buf, "%.*s.%.*s", exponent + 1, digits, count - exponent - 1, digits + exponent + 1);
}

/* An array or object as JSON without blanks. */
static void
append_json(StringInfo buf, JsonbContainer *container)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		comma = false;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (comma && token != WJB_END_ARRAY && token != WJB_END_OBJECT)
			appendStringInfoChar(buf, ',');
		comma = true;
		switch (token)
		{
			case WJB_BEGIN_ARRAY:
			case WJB_BEGIN_OBJECT:
				appendStringInfoChar(buf, token == WJB_BEGIN_ARRAY ? '[' : '{');
				comma = false;
				break;
			case WJB_END_ARRAY:
				appendStringInfoChar(buf, ']');
				break;
			case WJB_END_OBJECT:
				appendStringInfoChar(buf, '}');
				break;
			case WJB_KEY:
				append_scalar(buf, &value);
				appendStringInfoChar(buf, ':');
				comma = false;
				break;
			default:
				append_scalar(buf, &value);
		}
	}
}

/* A scalar as JSON. */
static void
append_scalar(StringInfo buf, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			appendStringInfoString(buf, "null");
			break;
		case jbvBool:
			appendStringInfoString(buf, value->val.boolean ? "true" : "false");
			break;
		case jbvNumeric:
			appendStringInfoString(buf, DatumGetCString(DirectFunctionCall1(numeric_out,
																			NumericGetDatum(value->val.numeric))));
			break;
		case jbvString:
			escape_json(buf, pnstrdup(value->val.string.val, value->val.string.len));
			break;
		default:
			elog(ERROR, "unexpected jsonb value type %d", (int) value->type);
	}
}

/* False where the text is no number. */
static bool
number_of_text(const char *text, int length, Datum *number)
{
	const char *why;

	return sigma_number_read(COLUMN_NUMBER, text, length, &sigma_plain_format, number, &why);
}

/* False where the text says neither. */
static bool
logical_of_text(const char *text, int length, bool *result)
{
	sigma_trim(&text, &length);
	*result = length == 4 && pg_strncasecmp(text, "true", 4) == 0;
	return *result || (length == 5 && pg_strncasecmp(text, "false", 5) == 0);
}

/* False where the text is no date; "american": month/day/year is one too. */
static bool
date_of_text(const char *text, int length, bool american, Timestamp *result)
{
	const char *why;

	return sigma_date_read(text, length, DATEORDER_YMD, true, result, &why) ||
		(american && memchr(text, '/', length) != NULL &&
		 sigma_date_read(text, length, DATEORDER_MDY, true, result, &why));
}

/* Seconds since 1970; false out of range. */
static bool
date_of_number(Datum number, Timestamp *result)
{
	Datum		seconds = DirectFunctionCall1(numeric_float8_no_overflow, number);

	return sigma_date_from_unix(DatumGetFloat8(seconds), result);
}

/* Of a JSON text or number; false for what is no date. */
static bool
date_of_variant(Jsonb *document, bool american, Timestamp *result)
{
	JsonbValue	value;

	if (!sigma_variant_scalar(document, &value))
		return false;
	if (value.type == jbvString)
		return date_of_text(value.val.string.val, value.val.string.len, american, result);
	return value.type == jbvNumeric && date_of_number(NumericGetDatum(value.val.numeric), result);
}
