/*
 * edit_log_value.c
 *		Cells of the edit log: every value that a column can hold, as JSON and back.
 *
 * What comes back is the same value to the last bit that PostgreSQL shows: numbers keep
 * their scale.  What JSON has no word for is told apart by its JSON type: NaN,
 * infinities and -0 are strings among numbers, a list that is not a plain one is its
 * text, and in json columns {"$json": x} stands for an x that is null (which would read
 * as no value) or is itself such an object.
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "input_table/define.h"
#include "input_table/edit_log.h"

#define WRAPPER		"$json"

static void encode_number(Numeric number, JsonbValue *cell);
static void encode_float(float8 number, JsonbValue *cell);
static void encode_moment(Oid type, Datum value, JsonbValue *cell);
static void encode_list(Datum value, JsonbValue *cell);
static void encode_json(Datum value, JsonbValue *cell);
static bool is_wrapper(const JsonbContainer *container);
static Datum decode_list(const JsonbValue *cell);
static Datum decode_json(const JsonbValue *cell);
static char *string_of(const JsonbValue *cell);
static void set_string(JsonbValue *cell, char *text);

/* A cell; texts and documents are not copied. */
void
sigma_log_encode(ColumnType type, Datum value, bool isnull, JsonbValue *cell)
{
	text	   *string;

	if (isnull)
	{
		cell->type = jbvNull;
		return;
	}
	switch (type)
	{
		case COLUMN_TEXT:
		case COLUMN_DROPDOWN:
			string = DatumGetTextPP(value);
			cell->type = jbvString;
			cell->val.string.val = VARDATA_ANY(string);
			cell->val.string.len = VARSIZE_ANY_EXHDR(string);
			return;
		case COLUMN_NUMBER:
			encode_number(DatumGetNumeric(value), cell);
			return;
		case COLUMN_INTEGER:
			cell->type = jbvNumeric;
			cell->val.numeric = int64_to_numeric(DatumGetInt64(value));
			return;
		case COLUMN_FLOAT:
			encode_float(DatumGetFloat8(value), cell);
			return;
		case COLUMN_DATE:
			encode_moment(DATEOID, value, cell);
			return;
		case COLUMN_DATETIME:
			encode_moment(TIMESTAMPOID, value, cell);
			return;
		case COLUMN_CHECKBOX:
			cell->type = jbvBool;
			cell->val.boolean = DatumGetBool(value);
			return;
		case COLUMN_MULTI_SELECT:
			encode_list(value, cell);
			return;
		case COLUMN_JSON:
		case COLUMN_FILE:
			encode_json(value, cell);
			return;
	}
	pg_unreachable();
}

/*
 * The value of a cell; false for null.  Raises PostgreSQL's own error where the cell
 * does not hold a value of that type, which sigma_log_encode never writes.
 */
bool
sigma_log_decode(ColumnType type, const JsonbValue *cell, Datum *value)
{
	JsonbValue	stored;

	if (cell == NULL || cell->type == jbvNull)
		return false;
	if (cell->type == jbvArray || cell->type == jbvObject)
	{
		/* it was made just now, not read from an entry */
		JsonbValue	made = *cell;

		sigma_jsonb_value(JsonbValueToJsonb(&made), &stored);
		cell = &stored;
	}
	switch (type)
	{
		case COLUMN_TEXT:
		case COLUMN_DROPDOWN:
			*value = CStringGetTextDatum(string_of(cell));
			return true;
		case COLUMN_NUMBER:
			*value = cell->type == jbvNumeric ? NumericGetDatum(cell->val.numeric) :
				DirectFunctionCall3(numeric_in, CStringGetDatum(string_of(cell)),
									ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
			return true;
		case COLUMN_INTEGER:
			*value = DirectFunctionCall1(int8in, CStringGetDatum(string_of(cell)));
			return true;
		case COLUMN_FLOAT:
			*value = DirectFunctionCall1(float8in, CStringGetDatum(string_of(cell)));
			return true;
		case COLUMN_DATE:
			*value = DirectFunctionCall1(date_in, CStringGetDatum(string_of(cell)));
			return true;
		case COLUMN_DATETIME:
			*value = DirectFunctionCall3(timestamp_in, CStringGetDatum(string_of(cell)),
										 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
			return true;
		case COLUMN_CHECKBOX:
			*value = cell->type == jbvBool ? BoolGetDatum(cell->val.boolean) :
				DirectFunctionCall1(boolin, CStringGetDatum(string_of(cell)));
			return true;
		case COLUMN_MULTI_SELECT:
			*value = decode_list(cell);
			return true;
		case COLUMN_JSON:
		case COLUMN_FILE:
			*value = decode_json(cell);
			return true;
	}
	pg_unreachable();
}

/* About how many bytes the cell takes; nothing is fetched to find out. */
Size
sigma_log_size(ColumnType type, Datum value, bool isnull)
{
	if (isnull || sigma_column_types[type].by_value)
		return 12;
	return toast_raw_datum_size(value) + 8;
}

/* A moment in ISO 8601 and UTC, whatever the session's settings. */
char *
sigma_log_moment(TimestampTz moment)
{
	char		buf[MAXDATELEN + 1];
	int			utc = 0;

	JsonEncodeDateTime(buf, TimestampTzGetDatum(moment), TIMESTAMPTZOID, &utc);
	return pstrdup(buf);
}

static void
encode_number(Numeric number, JsonbValue *cell)
{
	if (numeric_is_nan(number) || numeric_is_inf(number))
	{
		set_string(cell, DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number))));
		return;
	}
	cell->type = jbvNumeric;
	cell->val.numeric = number;
}

/* The shortest decimal that reads back as the same float. */
static void
encode_float(float8 number, JsonbValue *cell)
{
	if (isnan(number) || isinf(number))
	{
		set_string(cell, float8out_internal(number));
		return;
	}
	if (number == 0 && signbit(number))
	{
		set_string(cell, pstrdup("-0"));
		return;
	}
	cell->type = jbvNumeric;
	cell->val.numeric =
		DatumGetNumeric(DirectFunctionCall3(numeric_in,
											CStringGetDatum(double_to_shortest_decimal(number)),
											ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* ISO 8601, whatever DateStyle says. */
static void
encode_moment(Oid type, Datum value, JsonbValue *cell)
{
	char		buf[MAXDATELEN + 1];

	JsonEncodeDateTime(buf, value, type, NULL);
	set_string(cell, pstrdup(buf));
}

/* A list from 1 without nulls is an array; any other is what array_out writes. */
static void
encode_list(Datum value, JsonbValue *cell)
{
	ArrayType  *list = DatumGetArrayTypeP(value);
	JsonbParseState *state = NULL;
	Datum	   *items;
	int			count;
	int			i;

	if (ARR_NDIM(list) > 1 || array_contains_nulls(list) ||
		(ARR_NDIM(list) == 1 && ARR_LBOUND(list)[0] != 1))
	{
		FmgrInfo	output;

		fmgr_info(F_ARRAY_OUT, &output);
		set_string(cell, OutputFunctionCall(&output, PointerGetDatum(list)));
		return;
	}
	deconstruct_array(list, TEXTOID, -1, false, TYPALIGN_INT, &items, NULL, &count);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < count; i++)
	{
		JsonbValue	item;

		sigma_log_encode(COLUMN_TEXT, items[i], false, &item);
		pushJsonbValue(&state, WJB_ELEM, &item);
	}
	*cell = *pushJsonbValue(&state, WJB_END_ARRAY, NULL);
}

/* A document, wrapped where it would not come back as itself. */
static void
encode_json(Datum value, JsonbValue *cell)
{
	Jsonb	   *json = DatumGetJsonbP(value);
	JsonbParseState *state = NULL;
	JsonbValue	key;

	if (JB_ROOT_IS_SCALAR(json))
		(void) JsonbExtractScalar(&json->root, cell);
	else
	{
		cell->type = jbvBinary;
		cell->val.binary.data = &json->root;
		cell->val.binary.len = VARSIZE(json) - VARHDRSZ;
	}
	if (cell->type != jbvNull && !(cell->type == jbvBinary && is_wrapper(&json->root)))
		return;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	key.type = jbvString;
	key.val.string.val = WRAPPER;
	key.val.string.len = strlen(WRAPPER);
	pushJsonbValue(&state, WJB_KEY, &key);
	pushJsonbValue(&state, WJB_VALUE, cell);
	*cell = *pushJsonbValue(&state, WJB_END_OBJECT, NULL);
}

/* Is it an object with that one key? */
static bool
is_wrapper(const JsonbContainer *container)
{
	JsonbValue	value;

	return JsonContainerIsObject(container) && JsonContainerSize(container) == 1 &&
		getKeyJsonValueFromContainer(unconstify(JsonbContainer *, container), WRAPPER, strlen(WRAPPER), &value) != NULL;
}

static Datum
decode_list(const JsonbValue *cell)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	Datum	   *items;
	int			count = 0;

	if (cell->type != jbvBinary)
	{
		FmgrInfo	input;

		fmgr_info(F_ARRAY_IN, &input);
		return InputFunctionCall(&input, string_of(cell), TEXTOID, -1);
	}
	items = palloc(sizeof(Datum) * Max(JsonContainerSize(cell->val.binary.data), 1));
	iterator = JsonbIteratorInit(cell->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			items[count++] = CStringGetTextDatum(string_of(&item));
	return PointerGetDatum(construct_array(items, count, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
decode_json(const JsonbValue *cell)
{
	JsonbValue	content;

	if (cell->type == jbvBinary && is_wrapper(cell->val.binary.data))
	{
		(void) getKeyJsonValueFromContainer(cell->val.binary.data, WRAPPER, strlen(WRAPPER), &content);
		return JsonbPGetDatum(JsonbValueToJsonb(&content));
	}
	content = *cell;
	return JsonbPGetDatum(JsonbValueToJsonb(&content));
}

/* A scalar as text that its type's input function reads. */
static char *
string_of(const JsonbValue *cell)
{
	if (cell->type == jbvString)
		return pnstrdup(cell->val.string.val, cell->val.string.len);
	if (cell->type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(cell->val.numeric)));
	if (cell->type == jbvBool)
		return pstrdup(cell->val.boolean ? "true" : "false");
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("an entry of the edit log holds a value of another type than its column")));
}

static void
set_string(JsonbValue *cell, char *text)
{
	cell->type = jbvString;
	cell->val.string.val = text;
	cell->val.string.len = strlen(text);
}
