/*
 * value_show.c
 *		Values of column types as JSON and as text, and whether two are the same.
 *
 * What is shown can be read again (value.c) as the same value.  Results are
 * allocated in the current memory context.
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common/value.h"
#include "compat.h"

static void set_string(JsonbValue *result, char *string);
static void float_to_json(float8 number, JsonbValue *result);
static void list_to_json(Datum value, JsonbValue *result);
static char *moment_to_text(ColumnType type, Datum value, char between);
static bool list_equal(Datum a, Datum b);
static bool text_equal(Datum a, Datum b);

void
sigma_value_to_json(ColumnType type, Datum value, bool isnull, JsonbValue *result)
{
	Jsonb	   *json;

	if (isnull)
	{
		result->type = jbvNull;
		return;
	}
	switch (type)
	{
		case COLUMN_TEXT:
		case COLUMN_DROPDOWN:
			set_string(result, TextDatumGetCString(value));
			return;
		case COLUMN_NUMBER:
			if (numeric_is_nan(DatumGetNumeric(value)) || numeric_is_inf(DatumGetNumeric(value)))
			{
				set_string(result, DatumGetCString(DirectFunctionCall1(numeric_out, value)));
				return;
			}
			result->type = jbvNumeric;
			result->val.numeric = DatumGetNumericCopy(value);
			return;
		case COLUMN_INTEGER:
			result->type = jbvNumeric;
			result->val.numeric = int64_to_numeric(DatumGetInt64(value));
			return;
		case COLUMN_FLOAT:
			float_to_json(DatumGetFloat8(value), result);
			return;
		case COLUMN_DATE:
		case COLUMN_DATETIME:
			set_string(result, moment_to_text(type, value, 'T'));
			return;
		case COLUMN_CHECKBOX:
			result->type = jbvBool;
			result->val.boolean = DatumGetBool(value);
			return;
		case COLUMN_MULTI_SELECT:
			list_to_json(value, result);
			return;
		case COLUMN_JSON:
		case COLUMN_FILE:
			json = DatumGetJsonbP(value);
			if (JB_ROOT_IS_SCALAR(json))
			{
				JsonbExtractScalar(&json->root, result);
				return;
			}
			result->type = jbvBinary;
			result->val.binary.data = &json->root;
			result->val.binary.len = VARSIZE(json) - VARHDRSZ;
			return;
	}
}

char *
sigma_value_to_text(ColumnType type, Datum value)
{
	switch (type)
	{
		case COLUMN_TEXT:
		case COLUMN_DROPDOWN:
			return TextDatumGetCString(value);
		case COLUMN_NUMBER:
			return DatumGetCString(DirectFunctionCall1(numeric_out, value));
		case COLUMN_INTEGER:
			return psprintf(INT64_FORMAT, DatumGetInt64(value));
		case COLUMN_FLOAT:
			if (isnan(DatumGetFloat8(value)) || isinf(DatumGetFloat8(value)))
				return float8out_internal(DatumGetFloat8(value));
			return double_to_shortest_decimal(DatumGetFloat8(value));
		case COLUMN_DATE:
		case COLUMN_DATETIME:
			return moment_to_text(type, value, ' ');
		case COLUMN_CHECKBOX:
			return pstrdup(DatumGetBool(value) ? "true" : "false");
		case COLUMN_MULTI_SELECT:
			{
				JsonbValue	list;
				Jsonb	   *json;

				list_to_json(value, &list);
				json = JsonbValueToJsonb(&list);
				return JsonbToCString(NULL, &json->root, VARSIZE(json));
			}
		case COLUMN_JSON:
		case COLUMN_FILE:
			return JsonbToCString(NULL, &DatumGetJsonbP(value)->root,
								  toast_raw_datum_size(value));
	}
	pg_unreachable();
}

static void
set_string(JsonbValue *result, char *string)
{
	result->type = jbvString;
	result->val.string.val = string;
	result->val.string.len = strlen(string);
}

/* The shortest number that reads back as the same double. */
static void
float_to_json(float8 number, JsonbValue *result)
{
	if (isnan(number) || isinf(number))
	{
		set_string(result, float8out_internal(number));
		return;
	}
	result->type = jbvNumeric;
	result->val.numeric =
		DatumGetNumeric(DirectFunctionCall3(numeric_in,
											CStringGetDatum(double_to_shortest_decimal(number)),
											ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

static void
list_to_json(Datum value, JsonbValue *result)
{
	JsonbParseState *state = NULL;
	Datum	   *items;
	bool	   *nulls;
	int			count;
	int			i;
	Jsonb	   *json;

	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &items, &nulls, &count);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < count; i++)
	{
		JsonbValue	item;

		sigma_value_to_json(COLUMN_TEXT, items[i], nulls[i], &item);
		pushJsonbValue(&state, WJB_ELEM, &item);
	}
	json = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
	result->type = jbvBinary;
	result->val.binary.data = &json->root;
	result->val.binary.len = VARSIZE(json) - VARHDRSZ;
}

/* ISO 8601; "between" stands between date and time. */
static char *
moment_to_text(ColumnType type, Datum value, char between)
{
	char		buf[MAXDATELEN + 1];
	char	   *letter;

	JsonEncodeDateTime(buf, value, type == COLUMN_DATE ? DATEOID : TIMESTAMPOID, NULL);
	letter = isdigit((unsigned char) buf[0]) ? strchr(buf, 'T') : NULL;
	if (letter != NULL)
		*letter = between;
	return pstrdup(buf);
}

bool
sigma_value_equal(ColumnType type, Datum a, bool a_null, Datum b, bool b_null)
{
	if (a_null || b_null)
		return a_null && b_null;
	switch (type)
	{
		case COLUMN_TEXT:
		case COLUMN_DROPDOWN:
			return text_equal(a, b);
		case COLUMN_NUMBER:
			return DatumGetBool(DirectFunctionCall2(numeric_eq, a, b));
		case COLUMN_INTEGER:
		case COLUMN_DATETIME:
			return DatumGetInt64(a) == DatumGetInt64(b);
		case COLUMN_FLOAT:
			return float8_eq(DatumGetFloat8(a), DatumGetFloat8(b));
		case COLUMN_DATE:
			return DatumGetDateADT(a) == DatumGetDateADT(b);
		case COLUMN_CHECKBOX:
			return DatumGetBool(a) == DatumGetBool(b);
		case COLUMN_MULTI_SELECT:
			return list_equal(a, b);
		case COLUMN_JSON:
		case COLUMN_FILE:
			return compareJsonbContainers(&DatumGetJsonbP(a)->root, &DatumGetJsonbP(b)->root) == 0;
	}
	pg_unreachable();
}

/* The same texts in the same order. */
static bool
list_equal(Datum a, Datum b)
{
	Datum	   *items[2];
	bool	   *nulls[2];
	int			count[2];
	int			i;

	deconstruct_array(DatumGetArrayTypeP(a), TEXTOID, -1, false, TYPALIGN_INT,
					  &items[0], &nulls[0], &count[0]);
	deconstruct_array(DatumGetArrayTypeP(b), TEXTOID, -1, false, TYPALIGN_INT,
					  &items[1], &nulls[1], &count[1]);
	if (count[0] != count[1])
		return false;
	for (i = 0; i < count[0]; i++)
		if (!sigma_value_equal(COLUMN_TEXT, items[0][i], nulls[0][i], items[1][i], nulls[1][i]))
			return false;
	return true;
}

/* Byte by byte: columns of input tables have the default, deterministic collation. */
static bool
text_equal(Datum a, Datum b)
{
	text	   *left = DatumGetTextPP(a);
	text	   *right = DatumGetTextPP(b);

	return VARSIZE_ANY_EXHDR(left) == VARSIZE_ANY_EXHDR(right) &&
		memcmp(VARDATA_ANY(left), VARDATA_ANY(right), VARSIZE_ANY_EXHDR(left)) == 0;
}
