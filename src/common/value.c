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
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common/date.h"
#include "common/number.h"
#include "common/value.h"
#include "compat.h"

/* What jsonb's functions build without running into an allocation limit, and the stack. */
#define MAX_JSON_DEPTH			1000
#define MAX_JSON_ITEMS			(8 * 1024 * 1024)

/* Years 1 to 9999, which is what ISO 8601 writes with four digits, as days since 2000-01-01. */
#define FIRST_DAY	(-730119)
#define LAST_DAY	2921939

static const char *const too_large = "is larger than 64 MB";
static const char *const out_of_range = "is out of range";
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

static bool read_json_scalar(ColumnType type, const JsonbValue *given,
							 Datum *value, const char **why);
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
		return sigma_integer_from_numeric(given->val.numeric, value, why);
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
		case COLUMN_INTEGER:
		case COLUMN_FLOAT:
			return sigma_number_read(type, text, length, format, value, why);
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

static bool
read_moment(ColumnType type, const char *text, int length, int order,
			Datum *value, const char **why)
{
	Timestamp	moment;

	sigma_trim(&text, &length);
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

	sigma_trim(&text, &length);
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
	sigma_trim(&text, &length);
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
		sigma_trim(&item, &item_length);
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
				if (IsValidJsonNumber(start, text - start) && !sigma_number_fits(start, text - start))
					return "has a number that is out of range";
				break;
		}
	}
	return NULL;
}
