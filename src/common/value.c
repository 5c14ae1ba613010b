/*
 * value.c
 *		The column types of input tables: reading values as them and showing them.
 *
 * PostgreSQL's input functions throw, and a thrown error can be survived only in
 * a subtransaction: a million-row import cannot afford one per cell.  So text is
 * checked first by code that only says what is wrong, and an input function is
 * called where it cannot fail any more.  Results are allocated in the current
 * memory context; reasons are constants.
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common/date.h"
#include "common/value.h"
#include "compat.h"

/* What numeric holds: digits before and after the point. */
#define NUMERIC_DIGITS_BEFORE	131072
#define NUMERIC_DIGITS_AFTER	16383
#define MAX_NUMBER_TEXT			200000

/* What jsonb's functions build without running into an allocation limit, and the stack. */
#define MAX_JSON_DEPTH			1000
#define MAX_JSON_ITEMS			(8 * 1024 * 1024)

/* Years 1 to 9999, which is what ISO 8601 writes with four digits, as days since 2000-01-01. */
#define FIRST_DAY	(-730119)
#define LAST_DAY	2921939

static const char *const too_large = "is larger than 64 MB";
static const char *const out_of_range = "is out of range";
static const char *const not_a_number = "is not a number";
static const char *const not_finite = "is not a finite number";

const ColumnTypeInfo sigma_column_types[COLUMN_TYPES] = {
	[COLUMN_TEXT] = {"text", "pg_catalog.text", TEXTOID, -1, false, TYPALIGN_INT},
	[COLUMN_NUMBER] = {"number", "pg_catalog.numeric", NUMERICOID, -1, false, TYPALIGN_INT},
	[COLUMN_INTEGER] = {"integer", "pg_catalog.int8", INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE},
	[COLUMN_FLOAT] = {"float", "pg_catalog.float8", FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE},
	[COLUMN_DATE] = {"date", "pg_catalog.date", DATEOID, 4, true, TYPALIGN_INT},
	[COLUMN_DATETIME] = {"datetime", "pg_catalog.\"timestamp\"", TIMESTAMPOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE},
	[COLUMN_CHECKBOX] = {"checkbox", "pg_catalog.bool", BOOLOID, 1, true, TYPALIGN_CHAR},
	[COLUMN_DROPDOWN] = {"dropdown", "pg_catalog.text", TEXTOID, -1, false, TYPALIGN_INT},
	[COLUMN_MULTI_SELECT] = {"multi-select", "pg_catalog.text[]", TEXTARRAYOID, -1, false, TYPALIGN_INT},
	[COLUMN_JSON] = {"json", "pg_catalog.jsonb", JSONBOID, -1, false, TYPALIGN_INT},
	[COLUMN_FILE] = {"file", "pg_catalog.jsonb", JSONBOID, -1, false, TYPALIGN_INT},
};

const ValueFormat sigma_plain_format = {'.', '\0', DATEORDER_YMD};

/* A number's text, cleaned: sign, digits, point, exponent and nothing else. */
typedef struct NumberText
{
	char	   *text;
	bool		integral;		/* neither a point nor an exponent */
	int			digits;			/* before the point, as written */
} NumberText;

static bool read_json_scalar(ColumnType type, const JsonbValue *given,
							 Datum *value, const char **why);
static bool clean_number(const char *text, int length, const ValueFormat *format,
						 NumberText *number, const char **why);
static bool group_ends_well(int since_separator, bool separated);
static bool is_special_number(const char *text, int length);
static bool number_fits(const char *text, int length);
static bool read_numeric(const NumberText *number, Datum *value, const char **why);
static bool read_integer(const NumberText *number, Datum *value, const char **why);
static bool integer_from_numeric(Numeric number, Datum *value, const char **why);
static bool read_float(const NumberText *number, Datum *value, const char **why);
static bool read_moment(ColumnType type, const char *text, int length, int order,
						Datum *value, const char **why);
static bool read_checkbox(const char *text, int length, Datum *value, const char **why);
static bool read_list_text(const char *text, int length, Datum *value, const char **why);
static bool read_array_literal(const char *text, int length, Datum *value, const char **why);
static bool read_separated(const char *text, int length, Datum *value, const char **why);
static bool read_list_json(const JsonbValue *given, Datum *value, const char **why);
static bool finish_list(ArrayBuildState *state, Datum *value, const char **why);
static void append_text(ArrayBuildState **state, const char *text, int length);
static const char *find_file_fault(Jsonb *file);
static const char *scan_json(const char *text, int length);
static void trim(const char **text, int *length);
static void set_string(JsonbValue *result, char *string);
static void float_to_json(float8 number, JsonbValue *result);
static void list_to_json(Datum value, JsonbValue *result);
static char *moment_to_text(ColumnType type, Datum value, char between);
static bool list_equal(Datum a, Datum b);
static bool text_equal(Datum a, Datum b);

bool
sigma_column_type(const char *name, ColumnType *type)
{
	int			i;

	for (i = 0; i < COLUMN_TYPES; i++)
		if (strcmp(sigma_column_types[i].name, name) == 0)
		{
			*type = (ColumnType) i;
			return true;
		}
	return false;
}

/* ------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------ */

bool
sigma_value_from_json(ColumnType type, const JsonbValue *given,
					  Datum *value, bool *isnull, const char **why)
{
	*isnull = given->type == jbvNull;
	*value = (Datum) 0;
	if (*isnull)
		return true;

	switch (type)
	{
		case COLUMN_JSON:
		case COLUMN_FILE:
			*value = JsonbPGetDatum(JsonbValueToJsonb(unconstify(JsonbValue *, given)));
			*why = sigma_value_refused(type, *value);
			return *why == NULL;
		case COLUMN_MULTI_SELECT:
			return read_list_json(given, value, why);
		default:
			return read_json_scalar(type, given, value, why);
	}
}

/* A JSON string, number or boolean as a value of any type but lists and JSON. */
static bool
read_json_scalar(ColumnType type, const JsonbValue *given, Datum *value, const char **why)
{
	const char *text;
	int			length;

	if (given->type == jbvString)
	{
		text = given->val.string.val;
		length = given->val.string.len;
	}
	else if (given->type == jbvBool)
	{
		if (type == COLUMN_CHECKBOX)
		{
			*value = BoolGetDatum(given->val.boolean);
			return true;
		}
		text = type == COLUMN_TEXT || type == COLUMN_DROPDOWN ?
			(given->val.boolean ? "true" : "false") : "";
		length = strlen(text);
	}
	else if (given->type == jbvNumeric && type == COLUMN_NUMBER)
	{
		*value = NumericGetDatum(DatumGetNumericCopy(NumericGetDatum(given->val.numeric)));
		return true;
	}
	else if (given->type == jbvNumeric && type == COLUMN_INTEGER)
		return integer_from_numeric(given->val.numeric, value, why);
	else if (given->type == jbvNumeric && type != COLUMN_DATE && type != COLUMN_DATETIME)
	{
		text = DatumGetCString(DirectFunctionCall1(numeric_out,
												   NumericGetDatum(given->val.numeric)));
		length = strlen(text);
	}
	else if (type == COLUMN_TEXT || type == COLUMN_DROPDOWN)
	{
		*why = "is not text";
		return false;
	}
	else
		text = "", length = 0;	/* no text of the type: its own reason is given */

	return sigma_value_from_text(type, text, length, &sigma_plain_format, value, why);
}

bool
sigma_value_from_text(ColumnType type, const char *text, int length,
					  const ValueFormat *format, Datum *value, const char **why)
{
	NumberText	number;
	Jsonb	   *json;

	if (length > SIGMA_MAX_CELL)
	{
		*why = too_large;
		return false;
	}
	if (memchr(text, '\0', length) != NULL)
	{
		*why = "contains a zero byte";
		return false;
	}
	switch (type)
	{
		case COLUMN_TEXT:
		case COLUMN_DROPDOWN:
			*value = PointerGetDatum(cstring_to_text_with_len(text, length));
			return true;
		case COLUMN_NUMBER:
			return clean_number(text, length, format, &number, why) &&
				read_numeric(&number, value, why);
		case COLUMN_INTEGER:
			return clean_number(text, length, format, &number, why) &&
				read_integer(&number, value, why);
		case COLUMN_FLOAT:
			return clean_number(text, length, format, &number, why) &&
				read_float(&number, value, why);
		case COLUMN_DATE:
		case COLUMN_DATETIME:
			return read_moment(type, text, length, format->date_order, value, why);
		case COLUMN_CHECKBOX:
			return read_checkbox(text, length, value, why);
		case COLUMN_MULTI_SELECT:
			return read_list_text(text, length, value, why);
		case COLUMN_JSON:
		case COLUMN_FILE:
			json = sigma_jsonb_from_text(text, length, why);
			if (json == NULL)
				return false;
			*value = JsonbPGetDatum(json);
			*why = sigma_value_refused(type, *value);
			return *why == NULL;
	}
	pg_unreachable();
}

const char *
sigma_value_refused(ColumnType type, Datum value)
{
	switch (type)
	{
		case COLUMN_TEXT:
		case COLUMN_DROPDOWN:
		case COLUMN_JSON:
			return toast_raw_datum_size(value) - VARHDRSZ > SIGMA_MAX_CELL ? too_large : NULL;
		case COLUMN_NUMBER:
			return numeric_is_nan(DatumGetNumeric(value)) ||
				numeric_is_inf(DatumGetNumeric(value)) ? not_finite : NULL;
		case COLUMN_INTEGER:
		case COLUMN_CHECKBOX:
			return NULL;
		case COLUMN_FLOAT:
			return isnan(DatumGetFloat8(value)) || isinf(DatumGetFloat8(value)) ? not_finite : NULL;
		case COLUMN_DATE:
			return DatumGetDateADT(value) < FIRST_DAY ||
				DatumGetDateADT(value) > LAST_DAY ? out_of_range : NULL;
		case COLUMN_DATETIME:
			return DatumGetTimestamp(value) < FIRST_DAY * USECS_PER_DAY ||
				DatumGetTimestamp(value) >= (LAST_DAY + 1) * USECS_PER_DAY ? out_of_range : NULL;
		case COLUMN_MULTI_SELECT:
			{
				ArrayType  *list;

				if (toast_raw_datum_size(value) - VARHDRSZ > SIGMA_MAX_CELL)
					return too_large;
				list = DatumGetArrayTypeP(value);
				if (ARR_NDIM(list) > 1)
					return "is not a flat list";
				return array_contains_nulls(list) ? "contains a null" : NULL;
			}
		case COLUMN_FILE:
			if (toast_raw_datum_size(value) - VARHDRSZ > SIGMA_MAX_CELL)
				return too_large;
			return find_file_fault(DatumGetJsonbP(value));
	}
	pg_unreachable();
}

/*
 * Bring a number that a person or program wrote into the form that numeric and
 * strtod read: no blanks, no separators, a point.  Separators stand between
 * groups of three digits, before the point only.  False where it is no number.
 */
static bool
clean_number(const char *text, int length, const ValueFormat *format,
			 NumberText *number, const char **why)
{
	const char *end;
	char	   *out;
	int			since_separator = 0;
	bool		separated = false;
	int			fraction = 0;

	trim(&text, &length);
	*why = is_special_number(text, length) ? not_finite : not_a_number;
	if (length > MAX_NUMBER_TEXT)
		*why = out_of_range;
	if (length == 0 || *why != not_a_number)
		return false;

	end = text + length;
	number->text = out = palloc(length + 1);
	number->integral = true;
	number->digits = 0;
	if (*text == '+' || *text == '-')
		*out++ = *text++;
	for (; text < end; text++)
	{
		if (*text >= '0' && *text <= '9')
		{
			*out++ = *text;
			number->digits++;
			since_separator++;
		}
		else if (format->thousands != '\0' && *text == format->thousands)
		{
			if (separated ? since_separator != 3 : since_separator < 1 || since_separator > 3)
				return false;
			separated = true;
			since_separator = 0;
		}
		else
			break;
	}
	if (!group_ends_well(since_separator, separated))
		return false;
	if (text < end && *text == format->decimal)
	{
		*out++ = '.';
		number->integral = false;
		for (text++; text < end && *text >= '0' && *text <= '9'; fraction++)
			*out++ = *text++;
	}
	if (number->digits + fraction == 0)
		return false;
	if (text < end && (*text == 'e' || *text == 'E'))
	{
		const char *digits;

		*out++ = *text++;
		number->integral = false;
		if (text < end && (*text == '+' || *text == '-'))
			*out++ = *text++;
		for (digits = text; text < end && *text >= '0' && *text <= '9';)
			*out++ = *text++;
		if (text == digits)
			return false;
	}
	*out = '\0';
	return text == end;
}

/* Is the last group of digits before the point a whole one? */
static bool
group_ends_well(int since_separator, bool separated)
{
	return !separated || since_separator == 3;
}

/* One of the words that PostgreSQL takes as a number, but a column does not. */
static bool
is_special_number(const char *text, int length)
{
	if (length > 0 && (*text == '+' || *text == '-'))
		text++, length--;
	return (length == 3 && (pg_strncasecmp(text, "nan", 3) == 0 ||
							pg_strncasecmp(text, "inf", 3) == 0)) ||
		(length == 8 && pg_strncasecmp(text, "infinity", 8) == 0);
}

/*
 * Can numeric hold a number of this text, which is well-formed?  Counted as
 * numeric does: digits before the point from the first one that is not zero,
 * digits after it all, both moved by the exponent.
 */
static bool
number_fits(const char *text, int length)
{
	const char *end = text + length;
	long		before = 0;
	long		after = 0;
	long		exponent = 0;
	long		leading = 0;	/* zeros after the point before the first digit */
	bool		significant = false;
	bool		point = false;
	bool		negative = false;

	for (; text < end && *text != 'e' && *text != 'E'; text++)
	{
		if (*text == '.')
			point = true;
		else if (*text >= '0' && *text <= '9')
		{
			if (*text != '0')
				significant = true;
			if (point)
			{
				after++;
				if (!significant)
					leading++;
			}
			else if (significant)
				before++;
		}
	}
	if (text < end)
	{
		text++;
		if (text < end && (*text == '+' || *text == '-'))
			negative = *text++ == '-';
		for (; text < end; text++)
		{
			exponent = exponent * 10 + (*text - '0');
			if (exponent > MAX_NUMBER_TEXT * 2)
				return false;
		}
		if (negative)
			exponent = -exponent;
	}
	if (before == 0)
		before = -leading;
	return (!significant || before + exponent <= NUMERIC_DIGITS_BEFORE) &&
		after - exponent <= NUMERIC_DIGITS_AFTER;
}

static bool
read_numeric(const NumberText *number, Datum *value, const char **why)
{
	if (!number_fits(number->text, strlen(number->text)))
	{
		*why = out_of_range;
		return false;
	}
	*value = DirectFunctionCall3(numeric_in, CStringGetDatum(number->text),
								 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return true;
}

/* 12, also written 12.0 or 1.2e1. */
static bool
read_integer(const NumberText *number, Datum *value, const char **why)
{
	Datum		numeric;

	if (number->integral && number->digits <= 18)
	{
		*value = Int64GetDatum(strtoll(number->text, NULL, 10));
		return true;
	}
	return read_numeric(number, &numeric, why) &&
		integer_from_numeric(DatumGetNumeric(numeric), value, why);
}

static bool
integer_from_numeric(Numeric number, Datum *value, const char **why)
{
	Datum		given = NumericGetDatum(number);
	Datum		whole = DirectFunctionCall2(numeric_trunc, given, Int32GetDatum(0));
	char	   *text;
	char	   *end;

	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, whole, given)))
	{
		*why = "is not a whole number";
		return false;
	}
	text = DatumGetCString(DirectFunctionCall1(numeric_out, whole));
	errno = 0;
	*value = Int64GetDatum(strtoll(text, &end, 10));
	if (errno != 0 || *end != '\0')
	{
		*why = out_of_range;
		return false;
	}
	return true;
}

/* As float8in: what is too large, or too small to be told from zero, is out of range. */
static bool
read_float(const NumberText *number, Datum *value, const char **why)
{
	double		result;

	errno = 0;
	result = strtod(number->text, NULL);
	if (isinf(result) || (errno == ERANGE && result == 0.0))
	{
		*why = out_of_range;
		return false;
	}
	*value = Float8GetDatum(result);
	return true;
}

static bool
read_moment(ColumnType type, const char *text, int length, int order,
			Datum *value, const char **why)
{
	Timestamp	moment;

	trim(&text, &length);
	if (!sigma_date_read(text, length, order, type == COLUMN_DATETIME, &moment, why))
		return false;
	*value = type == COLUMN_DATETIME ? TimestampGetDatum(moment) :
		DateADTGetDatum((DateADT) (moment / USECS_PER_DAY));
	*why = sigma_value_refused(type, *value);
	return *why == NULL;
}

static bool
read_checkbox(const char *text, int length, Datum *value, const char **why)
{
	static const char *const words[] = {
		"true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "1", "0"
	};
	int			i;

	trim(&text, &length);
	for (i = 0; i < lengthof(words); i++)
		if (length == strlen(words[i]) && pg_strncasecmp(text, words[i], length) == 0)
		{
			*value = BoolGetDatum(i % 2 == 0);
			return true;
		}
	*why = "is neither true nor false";
	return false;
}

/* A list in one of its three written forms; nothing at all is the empty list. */
static bool
read_list_text(const char *text, int length, Datum *value, const char **why)
{
	trim(&text, &length);
	if (length > 0 && text[0] == '[')
	{
		Jsonb	   *json = sigma_jsonb_from_text(text, length, why);
		JsonbValue	given;

		if (json == NULL)
			return false;
		given.type = jbvBinary;
		given.val.binary.data = &json->root;
		given.val.binary.len = VARSIZE(json) - VARHDRSZ;
		return read_list_json(&given, value, why);
	}
	if (length > 0 && text[0] == '{')
		return read_array_literal(text, length, value, why);
	return read_separated(text, length, value, why);
}

/* {a,"b c",d\,e}: one level, no NULL. */
static bool
read_array_literal(const char *text, int length, Datum *value, const char **why)
{
	ArrayBuildState *state = NULL;
	const char *at = text + 1;
	const char *end = text + length - 1;
	StringInfoData item;

	*why = "is not a list";
	if (length < 2 || *end != '}')
		return false;
	initStringInfo(&item);
	while (at < end && isspace((unsigned char) *at))
		at++;
	if (at == end)
		return finish_list(state, value, why);
	for (;;)
	{
		bool		quoted = false;
		int			kept = 0;	/* blanks after this many bytes do not count */

		resetStringInfo(&item);
		while (at < end && isspace((unsigned char) *at))
			at++;
		if (at < end && *at == '"')
		{
			quoted = true;
			for (at++; at < end && *at != '"'; at++)
			{
				if (*at == '\\' && ++at == end)
					return false;
				appendStringInfoCharMacro(&item, *at);
			}
			if (at++ == end)
				return false;
			kept = item.len;
			while (at < end && isspace((unsigned char) *at))
				at++;
			if (at < end && *at != ',')
				return false;
		}
		for (; at < end && *at != ','; at++)
		{
			bool		escaped = *at == '\\';

			if (*at == '{' || *at == '}' || *at == '"' || (escaped && ++at == end))
				return false;
			appendStringInfoCharMacro(&item, *at);
			if (escaped || !isspace((unsigned char) *at))
				kept = item.len;
		}
		if (!quoted && (kept == 0 || (kept == 4 && pg_strncasecmp(item.data, "null", 4) == 0)))
			return false;
		append_text(&state, item.data, kept);
		if (at == end)
			return finish_list(state, value, why);
		at++;
	}
}

/* a;b;c, or with '|' or ',' where no other separator is found; empty places are left out. */
static bool
read_separated(const char *text, int length, Datum *value, const char **why)
{
	ArrayBuildState *state = NULL;
	const char *end = text + length;
	char		separator = memchr(text, ';', length) != NULL ? ';' :
		memchr(text, '|', length) != NULL ? '|' : ',';

	while (text < end)
	{
		const char *stop = memchr(text, separator, end - text);
		const char *item = text;
		int			item_length;

		if (stop == NULL)
			stop = end;
		item_length = stop - text;
		trim(&item, &item_length);
		if (item_length > 0)
			append_text(&state, item, item_length);
		text = stop + 1;
	}
	return finish_list(state, value, why);
}

/* A JSON array of strings; numbers and booleans become text, a lone one a list of one. */
static bool
read_list_json(const JsonbValue *given, Datum *value, const char **why)
{
	ArrayBuildState *state = NULL;
	JsonbContainer *container;
	uint32		i;

	*why = "is not a list of texts";
	if (given->type == jbvString)
	{
		append_text(&state, given->val.string.val, given->val.string.len);
		return finish_list(state, value, why);
	}
	if (given->type != jbvBinary)
	{
		Jsonb	   *json;

		if (given->type != jbvArray)
			return false;
		json = JsonbValueToJsonb(unconstify(JsonbValue *, given));
		container = &json->root;
	}
	else
		container = given->val.binary.data;
	if (!JsonContainerIsArray(container) || JsonContainerIsScalar(container))
		return false;

	for (i = 0; i < JsonContainerSize(container); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(container, i);
		Datum		text;

		if (item->type != jbvString && item->type != jbvNumeric && item->type != jbvBool)
			return false;
		if (!read_json_scalar(COLUMN_TEXT, item, &text, why))
			return false;
		state = accumArrayResult(state, text, false, TEXTOID, CurrentMemoryContext);
	}
	return finish_list(state, value, why);
}

/* The list that was collected; NULL is the empty one. */
static bool
finish_list(ArrayBuildState *state, Datum *value, const char **why)
{
	int64		size = ARR_OVERHEAD_NONULLS(1);
	int			i;

	if (state == NULL)
	{
		*value = PointerGetDatum(construct_empty_array(TEXTOID));
		return true;
	}
	for (i = 0; i < state->nelems; i++)
		size += INTALIGN(VARSIZE_ANY(DatumGetPointer(state->dvalues[i])));
	if (size > SIGMA_MAX_CELL)
	{
		*why = too_large;
		return false;
	}
	*value = makeArrayResult(state, CurrentMemoryContext);
	return true;
}

static void
append_text(ArrayBuildState **state, const char *text, int length)
{
	*state = accumArrayResult(*state, PointerGetDatum(cstring_to_text_with_len(text, length)),
							  false, TEXTOID, CurrentMemoryContext);
}

/* What keeps an object from being a file, or NULL. */
static const char *
find_file_fault(Jsonb *file)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		found = false;

	if (!JB_ROOT_IS_OBJECT(file))
		return "is not a file: an object with name, url, size and media_type";
	iterator = JsonbIteratorInit(&file->root);
	(void) JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) == WJB_KEY)
	{
		JsonbValue	key = value;
		bool		is_size = key.val.string.len == 4 && memcmp(key.val.string.val, "size", 4) == 0;
		bool		is_name = key.val.string.len == 4 && memcmp(key.val.string.val, "name", 4) == 0;
		bool		is_url = key.val.string.len == 3 && memcmp(key.val.string.val, "url", 3) == 0;

		if (!is_size && !is_name && !is_url &&
			!(key.val.string.len == 10 && memcmp(key.val.string.val, "media_type", 10) == 0))
			return "has a key that is none of name, url, size and media_type";
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (value.type == jbvNull)
			continue;
		if (is_size)
		{
			if (value.type != jbvNumeric ||
				DatumGetBool(DirectFunctionCall2(numeric_lt, NumericGetDatum(value.val.numeric),
												 NumericGetDatum(int64_to_numeric(0)))))
				return "has a size that is no number of bytes";
		}
		else if (value.type != jbvString)
			return "has a name, url or media_type that is not text";
		found = found || is_name || is_url;
	}
	return found ? NULL : "has neither a name nor a url";
}

/* ------------------------------------------------------------------------
 * JSON text
 * ------------------------------------------------------------------------ */

/*
 * PostgreSQL's parser says what is wrong with the grammar without throwing.  It
 * does throw where numbers, depth or sizes are beyond what jsonb holds, so these
 * are looked for first.
 */
Jsonb *
sigma_jsonb_from_text(const char *text, int length, const char **why)
{
	char	   *copy;

	if (length > SIGMA_MAX_CELL)
	{
		*why = too_large;
		return NULL;
	}
	*why = scan_json(text, length);
	if (*why != NULL)
		return NULL;
	copy = pnstrdup(text, length);
	if (pg_parse_json(sigma_json_lexer(copy, length, GetDatabaseEncoding()),
					  &nullSemAction) != JSON_SUCCESS)
	{
		*why = "is not JSON";
		return NULL;
	}
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(copy)));
}

/* What in a text, JSON or not, would make the parser or jsonb throw; NULL: nothing. */
static const char *
scan_json(const char *text, int length)
{
	const char *end = text + length;
	bool		ascii_only = GetDatabaseEncoding() != PG_UTF8;
	int			depth = 0;
	int			items = 0;

	while (text < end)
	{
		const char *start = text;

		switch (*text++)
		{
			case '"':
				while (text < end && *text++ != '"')
				{
					if (text[-1] != '\\' || text == end)
						continue;
					if (*text++ == 'u' && ascii_only &&
						(end - text < 4 || strncmp(text, "00", 2) != 0 || text[2] > '7'))
						return "has an escape that the database's encoding may not hold";
				}
				break;
			case '{':
			case '[':
				if (++depth > MAX_JSON_DEPTH)
					return "is nested too deeply";
				break;
			case '}':
			case ']':
				depth--;
				break;
			case ',':
				if (++items > MAX_JSON_ITEMS)
					return "has too many items";
				break;
			default:
				if (*start != '-' && (*start < '0' || *start > '9'))
					break;
				while (text < end && (isalnum((unsigned char) *text) || strchr("+-.", *text) != NULL))
					text++;
				if (IsValidJsonNumber(start, text - start) && !number_fits(start, text - start))
					return "has a number that is out of range";
				break;
		}
	}
	return NULL;
}

static void
trim(const char **text, int *length)
{
	while (*length > 0 && isspace((unsigned char) **text))
		(*text)++, (*length)--;
	while (*length > 0 && isspace((unsigned char) (*text)[*length - 1]))
		(*length)--;
}

/* ------------------------------------------------------------------------
 * Showing
 * ------------------------------------------------------------------------ */

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
