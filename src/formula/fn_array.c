/*
 * fn_array.c
 *		Array functions of formulas, over JSON arrays.
 *
 * JSON null given as an array is Null; anything else that is no array is Null too,
 * where Sigma does not say otherwise.  Entries are equal as jsonb's are: 1 and 1.0
 * are, "1" is not.  Results keep the order of their first occurrence.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "common/jsonb_value.h"
#include "compat.h"
#include "formula/variant.h"

#define MAX_SEQUENCE	1000000

PG_FUNCTION_INFO_V1(fn_array);
PG_FUNCTION_INFO_V1(fn_arraylength);
PG_FUNCTION_INFO_V1(fn_arraycontains);
PG_FUNCTION_INFO_V1(fn_arrayconcat);
PG_FUNCTION_INFO_V1(fn_arraydistinct);
PG_FUNCTION_INFO_V1(fn_arrayexcept);
PG_FUNCTION_INFO_V1(fn_arrayintersection);
PG_FUNCTION_INFO_V1(fn_arrayjoin);
PG_FUNCTION_INFO_V1(fn_arrayslice);
PG_FUNCTION_INFO_V1(fn_arraycompact);
PG_FUNCTION_INFO_V1(fn_sequence);
PG_FUNCTION_INFO_V1(fn_splittoarray);
PG_FUNCTION_INFO_V1(fn_raggedhierarchy);

static bool is_array(Jsonb *document);
static bool is_null(Jsonb *document);
static void whole_value(Jsonb *document, JsonbValue *value);
static bool next_entry(JsonbIterator **iterator, JsonbValue *value);
static void append_all(JsonbParseState **state, Jsonb *document);
static void append_entry(JsonbParseState **state, JsonbValue *value);
static Jsonb *finish_array(JsonbParseState **state);
static HTAB *set_new(int size);
static bool set_add(HTAB *set, JsonbValue *value);
static bool set_has(HTAB *set, JsonbValue *value);
static uint32 hash_value(const void *key, Size size);
static int	compare_values(const void *a, const void *b, Size size);
static Jsonb *filter_array(Jsonb *document, Jsonb *other, bool wanted);
static void append_text(JsonbParseState **state, const char *text, int length);
static void split_characters(JsonbParseState **state, const char *text, const char *end);
static void split_at(JsonbParseState **state, const char *text, const char *end,
					 const char *delimiter, int length);

/* fn_array(VARIADIC entries): NULL is a null entry */
Datum
fn_array(PG_FUNCTION_ARGS)
{
	ArrayIterator iterator = array_create_iterator(PG_GETARG_ARRAYTYPE_P(0), 0, NULL);
	JsonbParseState *state = NULL;
	Datum		entry;
	bool		isnull;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	while (array_iterate(iterator, &entry, &isnull))
	{
		JsonbValue	value;

		if (isnull)
			value.type = jbvNull;
		else
			whole_value(DatumGetJsonbP(entry), &value);
		append_entry(&state, &value);
	}
	PG_RETURN_JSONB_P(finish_array(&state));
}

/* fn_arraylength(array) */
Datum
fn_arraylength(PG_FUNCTION_ARGS)
{
	Jsonb	   *array = PG_GETARG_JSONB_P(0);

	if (!is_array(array))
		PG_RETURN_NULL();
	PG_RETURN_INT64(JB_ROOT_COUNT(array));
}

/* fn_arraycontains(array, target): a JSON null looks for null entries */
Datum
fn_arraycontains(PG_FUNCTION_ARGS)
{
	Jsonb	   *array = PG_GETARG_JSONB_P(0);
	JsonbIterator *iterator;
	JsonbValue	wanted;
	JsonbValue	entry;

	if (!is_array(array))
		PG_RETURN_NULL();
	whole_value(PG_GETARG_JSONB_P(1), &wanted);
	iterator = JsonbIteratorInit(&array->root);
	while (next_entry(&iterator, &entry))
		if (sigma_jsonb_same(&entry, &wanted))
			PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(false);
}

/* fn_arrayconcat(VARIADIC arrays): Null where one is */
Datum
fn_arrayconcat(PG_FUNCTION_ARGS)
{
	ArrayType  *arrays = PG_GETARG_ARRAYTYPE_P(0);
	ArrayIterator iterator = array_create_iterator(arrays, 0, NULL);
	JsonbParseState *state = NULL;
	Datum		array;
	bool		isnull;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	while (array_iterate(iterator, &array, &isnull))
	{
		if (isnull || !is_array(DatumGetJsonbP(array)))
			PG_RETURN_NULL();
		append_all(&state, DatumGetJsonbP(array));
	}
	PG_RETURN_JSONB_P(finish_array(&state));
}

/* fn_arraydistinct(array) */
Datum
fn_arraydistinct(PG_FUNCTION_ARGS)
{
	Jsonb	   *array = PG_GETARG_JSONB_P(0);

	if (!is_array(array))
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(filter_array(array, NULL, true));
}

/*
 * fn_arrayexcept(array, other), fn_arrayintersection(array, other): each entry once.
 * What is no array has no entries; JSON null is Null.
 */
Datum
fn_arrayexcept(PG_FUNCTION_ARGS)
{
	Jsonb	   *array = PG_GETARG_JSONB_P(0);
	Jsonb	   *other = PG_GETARG_JSONB_P(1);

	if (is_null(array) || is_null(other))
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(filter_array(array, other, false));
}

Datum
fn_arrayintersection(PG_FUNCTION_ARGS)
{
	Jsonb	   *array = PG_GETARG_JSONB_P(0);
	Jsonb	   *other = PG_GETARG_JSONB_P(1);

	if (is_null(array) || is_null(other))
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(filter_array(array, other, true));
}

/*
 * fn_arrayjoin(array, separator [, replacement of nulls]): nulls are left out where
 * nothing replaces them.
 */
Datum
fn_arrayjoin(PG_FUNCTION_ARGS)
{
	Jsonb	   *array = PG_GETARG_JSONB_P(0);
	text	   *separator = PG_GETARG_TEXT_PP(1);
	text	   *replacement = PG_NARGS() > 2 ? PG_GETARG_TEXT_PP(2) : NULL;
	JsonbIterator *iterator;
	JsonbValue	entry;
	StringInfoData buf;
	bool		first = true;

	if (!is_array(array))
		PG_RETURN_NULL();
	initStringInfo(&buf);
	iterator = JsonbIteratorInit(&array->root);
	while (next_entry(&iterator, &entry))
	{
		if (entry.type == jbvNull && replacement == NULL)
			continue;
		if (!first)
			appendBinaryStringInfo(&buf, VARDATA_ANY(separator), VARSIZE_ANY_EXHDR(separator));
		first = false;
		if (entry.type == jbvNull)
			appendBinaryStringInfo(&buf, VARDATA_ANY(replacement), VARSIZE_ANY_EXHDR(replacement));
		else
			sigma_variant_text(&buf, &entry);
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}

/*
 * fn_arrayslice(array, start [, length]): from 0; a negative start counts from the
 * end and is never before the first entry.
 */
Datum
fn_arrayslice(PG_FUNCTION_ARGS)
{
	Jsonb	   *array = PG_GETARG_JSONB_P(0);
	int64		start = PG_GETARG_INT64(1);
	int64		length = PG_NARGS() > 2 ? PG_GETARG_INT64(2) : PG_INT64_MAX;
	int64		count;
	int64		at;
	JsonbIterator *iterator;
	JsonbValue	entry;
	JsonbParseState *state = NULL;

	if (!is_array(array))
		PG_RETURN_NULL();
	count = JB_ROOT_COUNT(array);
	if (start < 0)
		start = start < -count ? 0 : start + count;
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	iterator = JsonbIteratorInit(&array->root);
	for (at = 0; at < count && next_entry(&iterator, &entry); at++)
	{
		if (at >= start && at - start >= length)
			break;
		if (at >= start)
			append_entry(&state, &entry);
	}
	PG_RETURN_JSONB_P(finish_array(&state));
}

/* fn_arraycompact(array) */
Datum
fn_arraycompact(PG_FUNCTION_ARGS)
{
	Jsonb	   *array = PG_GETARG_JSONB_P(0);
	JsonbIterator *iterator;
	JsonbValue	entry;
	JsonbParseState *state = NULL;

	if (!is_array(array))
		PG_RETURN_NULL();
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	iterator = JsonbIteratorInit(&array->root);
	while (next_entry(&iterator, &entry))
		if (entry.type != jbvNull)
			append_entry(&state, &entry);
	PG_RETURN_JSONB_P(finish_array(&state));
}

/*
 * fn_sequence(first, last, step): empty where the step is 0 or leads away.  Throws
 * 54000 for more than a million entries.
 */
Datum
fn_sequence(PG_FUNCTION_ARGS)
{
	int64		first = PG_GETARG_INT64(0);
	int64		last = PG_GETARG_INT64(1);
	int64		step = PG_GETARG_INT64(2);
	uint64		count = 0;
	uint64		i;
	JsonbParseState *state = NULL;

	/* differences and steps without a sign: they may not fit with one */
	if (step > 0 && first <= last)
		count = ((uint64) last - (uint64) first) / (uint64) step;
	else if (step < 0 && first >= last)
		count = ((uint64) first - (uint64) last) / (-(uint64) step);
	else
		step = 0;
	if (count >= MAX_SEQUENCE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a sequence cannot have more than %d entries", MAX_SEQUENCE)));

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; step != 0 && i <= count; i++)
	{
		JsonbValue	entry;

		entry.type = jbvNumeric;
		entry.val.numeric = int64_to_numeric((int64) ((uint64) first + i * (uint64) step));
		append_entry(&state, &entry);
	}
	PG_RETURN_JSONB_P(finish_array(&state));
}

/* fn_splittoarray(text, delimiter): single characters for an empty delimiter */
Datum
fn_splittoarray(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	text	   *delimiter = PG_GETARG_TEXT_PP(1);
	const char *start = VARDATA_ANY(given);
	const char *end = start + VARSIZE_ANY_EXHDR(given);
	int			length = VARSIZE_ANY_EXHDR(delimiter);
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	if (length == 0 && start < end)
		split_characters(&state, start, end);
	else
		split_at(&state, start, end, VARDATA_ANY(delimiter), length);
	PG_RETURN_JSONB_P(finish_array(&state));
}

/* fn_raggedhierarchy(VARIADIC levels): those that are there, in their order */
Datum
fn_raggedhierarchy(PG_FUNCTION_ARGS)
{
	ArrayIterator iterator = array_create_iterator(PG_GETARG_ARRAYTYPE_P(0), 0, NULL);
	JsonbParseState *state = NULL;
	Datum		level;
	bool		isnull;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	while (array_iterate(iterator, &level, &isnull))
	{
		JsonbValue	value;

		if (isnull)
			continue;
		whole_value(DatumGetJsonbP(level), &value);
		if (value.type != jbvNull)
			append_entry(&state, &value);
	}
	PG_RETURN_JSONB_P(finish_array(&state));
}

static bool
is_array(Jsonb *document)
{
	return JB_ROOT_IS_ARRAY(document) && !JB_ROOT_IS_SCALAR(document);
}

/* JSON null */
static bool
is_null(Jsonb *document)
{
	JsonbValue	value;

	return sigma_variant_scalar(document, &value) && value.type == jbvNull;
}

/* The document as a value: a scalar, or jbvBinary. */
static void
whole_value(Jsonb *document, JsonbValue *value)
{
	if (sigma_variant_scalar(document, value))
		return;
	value->type = jbvBinary;
	value->val.binary.data = &document->root;
	value->val.binary.len = VARSIZE(document) - VARHDRSZ;
}

/* The array's next entry, whole; false at the end. */
static bool
next_entry(JsonbIterator **iterator, JsonbValue *value)
{
	JsonbIteratorToken token;

	CHECK_FOR_INTERRUPTS();
	do
	{
		token = JsonbIteratorNext(iterator, value, true);
	} while (token == WJB_BEGIN_ARRAY);
	return token == WJB_ELEM;
}

/* All entries of an array, behind those that are being put together. */
static void
append_all(JsonbParseState **state, Jsonb *document)
{
	JsonbIterator *iterator = JsonbIteratorInit(&document->root);
	JsonbValue	entry;

	while (next_entry(&iterator, &entry))
		append_entry(state, &entry);
}

static void
append_entry(JsonbParseState **state, JsonbValue *value)
{
	CHECK_FOR_INTERRUPTS();
	pushJsonbValue(state, WJB_ELEM, value);
}

static Jsonb *
finish_array(JsonbParseState **state)
{
	return JsonbValueToJsonb(pushJsonbValue(state, WJB_END_ARRAY, NULL));
}

/*
 * The entries of one document, each once: all of them, or those that the other one
 * has ("wanted") or has not.
 */
static Jsonb *
filter_array(Jsonb *document, Jsonb *other, bool wanted)
{
	HTAB	   *seen = set_new(is_array(document) ? JB_ROOT_COUNT(document) : 0);
	HTAB	   *others = set_new(other != NULL && is_array(other) ? JB_ROOT_COUNT(other) : 0);
	JsonbIterator *iterator;
	JsonbValue	entry;
	JsonbParseState *state = NULL;

	if (other != NULL && is_array(other))
	{
		iterator = JsonbIteratorInit(&other->root);
		while (next_entry(&iterator, &entry))
			set_add(others, &entry);
	}
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	if (is_array(document))
	{
		iterator = JsonbIteratorInit(&document->root);
		while (next_entry(&iterator, &entry))
			if ((other == NULL || set_has(others, &entry) == wanted) && set_add(seen, &entry))
				append_entry(&state, &entry);
	}
	hash_destroy(seen);
	hash_destroy(others);
	return finish_array(&state);
}

/* An empty set of JSON values in the current context; it points to them. */
static HTAB *
set_new(int size)
{
	HASHCTL		info;

	info.keysize = sizeof(Jsonb *);
	info.entrysize = sizeof(Jsonb *);
	info.hash = hash_value;
	info.match = compare_values;
	info.hcxt = CurrentMemoryContext;
	return hash_create("sigma values", Max(size, 8), &info,
					   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/* Was it not there yet? */
static bool
set_add(HTAB *set, JsonbValue *value)
{
	Jsonb	   *key = JsonbValueToJsonb(value);
	bool		found;

	hash_search(set, &key, HASH_ENTER, &found);
	return !found;
}

static bool
set_has(HTAB *set, JsonbValue *value)
{
	Jsonb	   *key = JsonbValueToJsonb(value);
	bool		found;

	hash_search(set, &key, HASH_FIND, &found);
	return found;
}

static uint32
hash_value(const void *key, Size size)
{
	return DatumGetUInt32(DirectFunctionCall1(jsonb_hash, JsonbPGetDatum(*(Jsonb *const *) key)));
}

/* 0: equal */
static int
compare_values(const void *a, const void *b, Size size)
{
	return compareJsonbContainers(&(*(Jsonb *const *) a)->root, &(*(Jsonb *const *) b)->root);
}

static void
append_text(JsonbParseState **state, const char *text, int length)
{
	JsonbValue	entry;

	entry.type = jbvString;
	entry.val.string.val = unconstify(char *, text);
	entry.val.string.len = length;
	append_entry(state, &entry);
}

static void
split_characters(JsonbParseState **state, const char *text, const char *end)
{
	while (text < end)
	{
		int			length = pg_mblen(text);

		append_text(state, text, length);
		text += length;
	}
}

/* Characters are stepped over whole: in some encodings one's bytes are another's. */
static void
split_at(JsonbParseState **state, const char *text, const char *end,
		 const char *delimiter, int length)
{
	const char *start = text;

	while (length > 0 && end - text >= length)
	{
		CHECK_FOR_INTERRUPTS();
		if (*text == *delimiter && memcmp(text, delimiter, length) == 0)
		{
			append_text(state, start, text - start);
			start = text += length;
		}
		else
			text += pg_mblen(text);
	}
	append_text(state, start, end - start);
}
