/*
 * form_json.c
 *		What a formula yields as JSON.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common/jsonb_value.h"
#include "compat.h"
#include "formula/compile.h"
#include "formula/variant.h"

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
