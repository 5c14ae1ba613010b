/*
 * fn_text.c
 *		Functions of formulas on texts that differ from PostgreSQL's.
 *
 * Characters are those of the database's encoding.  What can grow a small text to
 * any size (LPad, RPad, Repeat) stops at the size of a cell, 54000, before it
 * allocates.  Parts of texts are compared byte by byte, so that case counts under
 * every collation; regular expressions use the collation of their argument, and are
 * refused with PostgreSQL's 2201B where they are none.
 *
 * The functions are immutable and allocate in the current context.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "common/value.h"
#include "compat.h"

static text *join_texts(ArrayType *array, text *separator, bool null_is_empty);
static text *pad_text(text *given, int32 length, text *fill, bool left);
static char *write_repeated(char *to, const char *part, int size, int64 count);
static void check_size(int64 size, int64 most);
static text *extract_match(text *given, regex_t *regex, int position);
static bool search_match(regex_t *regex, pg_wchar *wide, int length, int start, regmatch_t *match);

PG_FUNCTION_INFO_V1(fn_concat);
PG_FUNCTION_INFO_V1(fn_textjoin);
PG_FUNCTION_INFO_V1(fn_contains);
PG_FUNCTION_INFO_V1(fn_endswith);
PG_FUNCTION_INFO_V1(fn_right);
PG_FUNCTION_INFO_V1(fn_mid);
PG_FUNCTION_INFO_V1(fn_mid_rest);
PG_FUNCTION_INFO_V1(fn_lpad);
PG_FUNCTION_INFO_V1(fn_rpad);
PG_FUNCTION_INFO_V1(fn_repeat);
PG_FUNCTION_INFO_V1(fn_splitpart);
PG_FUNCTION_INFO_V1(fn_regexpextract);
PG_FUNCTION_INFO_V1(fn_sha256);

/* The texts of an array one after the other; NULL where one is NULL. */
Datum
fn_concat(PG_FUNCTION_ARGS)
{
	text	   *result = join_texts(PG_GETARG_ARRAYTYPE_P(0), NULL, false);

	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

/* The texts of an array with a separator between them; NULL counts as empty. */
Datum
fn_textjoin(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(join_texts(PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_TEXT_PP(0), true));
}

/* Does one of the parts occur in the text?  NULL where none does and one is NULL. */
Datum
fn_contains(PG_FUNCTION_ARGS)
{
	Datum	   *parts;
	bool	   *nulls;
	int			count;
	bool		unknown = false;
	int			i;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &parts, &nulls, &count);
	for (i = 0; i < count; i++)
	{
		if (nulls[i])
			unknown = true;
		else if (DatumGetInt32(DirectFunctionCall2Coll(textpos, C_COLLATION_OID, PG_GETARG_DATUM(0), parts[i])) > 0)
			PG_RETURN_BOOL(true);
	}
	if (unknown)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(false);
}

/* Does the text end with the part?  In some encodings the end of a character may look like another one. */
Datum
fn_endswith(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	text	   *part = PG_GETARG_TEXT_PP(1);
	int			before = VARSIZE_ANY_EXHDR(given) - VARSIZE_ANY_EXHDR(part);
	const char *at = VARDATA_ANY(given);
	const char *begin = at + before;

	if (before < 0 || memcmp(begin, VARDATA_ANY(part), VARSIZE_ANY_EXHDR(part)) != 0)
		PG_RETURN_BOOL(false);
	if (pg_database_encoding_max_length() > 1 && GetDatabaseEncoding() != PG_UTF8)
		while (at < begin)
			at += pg_mblen(at);
	else
		at = begin;
	PG_RETURN_BOOL(at == begin);
}

/* The last characters; of a negative number, all but so many of the first. */
Datum
fn_right(PG_FUNCTION_ARGS)
{
	/* the least integer has no opposite */
	int32		count = Max(PG_GETARG_INT32(1), -PG_INT32_MAX);

	return DirectFunctionCall2(text_right, PG_GETARG_DATUM(0), Int32GetDatum(count));
}

/* A part of the text from a place counted from 1; nothing for a negative length. */
Datum
fn_mid(PG_FUNCTION_ARGS)
{
	int32		length = Max(PG_GETARG_INT32(2), 0);

	return DirectFunctionCall3(text_substr, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), Int32GetDatum(length));
}

/* The text from a place counted from 1. */
Datum
fn_mid_rest(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall2(text_substr_no_len, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
}

/* The text filled up on the left, or cut behind so many characters.  54000. */
Datum
fn_lpad(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(pad_text(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1), PG_GETARG_TEXT_PP(2), true));
}

/* The text filled up on the right, or cut behind so many characters.  54000. */
Datum
fn_rpad(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(pad_text(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1), PG_GETARG_TEXT_PP(2), false));
}

/* The text so many times; NULL for less than once.  54000. */
Datum
fn_repeat(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	int32		count = PG_GETARG_INT32(1);
	int64		size = (int64) VARSIZE_ANY_EXHDR(given) * count;
	text	   *result;

	if (count <= 0)
		PG_RETURN_NULL();
	check_size(size, SIGMA_MAX_CELL);
	result = (text *) palloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	write_repeated(VARDATA(result), VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given), count);
	PG_RETURN_TEXT_P(result);
}

/* The part at a place between delimiters, from the end where negative; NULL for place 0. */
Datum
fn_splitpart(PG_FUNCTION_ARGS)
{
	if (PG_GETARG_INT32(2) == 0)
		PG_RETURN_NULL();
	return DirectFunctionCall3Coll(split_part, C_COLLATION_OID, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1),
								   PG_GETARG_DATUM(2));
}

/*
 * The match of a regular expression at a place counted from 1, or its first group
 * where it has groups; NULL where there is none.
 */
Datum
fn_regexpextract(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	regex_t    *regex = RE_compile_and_cache(PG_GETARG_TEXT_PP(1), REG_ADVANCED, PG_GET_COLLATION());
	int32		position = PG_GETARG_INT32(2);
	text	   *result;

	if (position < 1)
		PG_RETURN_NULL();
	result = extract_match(given, regex, position);
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

/* The SHA-256 hash of the text's bytes in hexadecimal digits. */
Datum
fn_sha256(PG_FUNCTION_ARGS)
{
	bytea	   *hash = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, PG_GETARG_DATUM(0)));
	int			size = VARSIZE_ANY_EXHDR(hash);
	char		digits[PG_SHA256_DIGEST_LENGTH * 2];

	Assert(size == PG_SHA256_DIGEST_LENGTH);
	hex_encode(VARDATA_ANY(hash), size, digits);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(digits, size * 2));
}

/* Several texts as one, with a separator unless NULL; returns NULL where one is NULL and that is not empty.  54000. */
static text *
join_texts(ArrayType *array, text *separator, bool null_is_empty)
{
	int			between = separator == NULL ? 0 : VARSIZE_ANY_EXHDR(separator);
	Datum	   *texts;
	bool	   *nulls;
	int			count;
	int64		size = 0;
	text	   *result;
	char	   *to;
	int			i;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &count);
	for (i = 0; i < count; i++)
	{
		if (nulls[i] && !null_is_empty)
			return NULL;
		size += (i > 0 ? between : 0) + (nulls[i] ? 0 : VARSIZE_ANY_EXHDR(DatumGetPointer(texts[i])));
	}
	check_size(size, MaxAllocSize - VARHDRSZ);

	result = (text *) palloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	to = VARDATA(result);
	for (i = 0; i < count; i++)
	{
		if (i > 0 && between > 0)
			to = write_repeated(to, VARDATA_ANY(separator), between, 1);
		if (!nulls[i])
			to = write_repeated(to, VARDATA_ANY(DatumGetPointer(texts[i])),
								VARSIZE_ANY_EXHDR(DatumGetPointer(texts[i])), 1);
	}
	return result;
}

/* The text with so many characters: cut on the right, or filled up.  An empty fill adds nothing. */
static text *
pad_text(text *given, int32 length, text *fill, bool left)
{
	const char *data = VARDATA_ANY(given);
	int			size = VARSIZE_ANY_EXHDR(given);
	int			filling = pg_mbstrlen_with_len(VARDATA_ANY(fill), VARSIZE_ANY_EXHDR(fill));
	int			missing = Max(length, 0) - pg_mbstrlen_with_len(data, size);
	int			rest;
	int64		total;
	text	   *result;
	char	   *to;

	if (missing <= 0 || filling == 0)
		return cstring_to_text_with_len(data, pg_mbcharcliplen(data, size, Max(length, 0)));

	rest = pg_mbcharcliplen(VARDATA_ANY(fill), VARSIZE_ANY_EXHDR(fill), missing % filling);
	total = size + (int64) (missing / filling) * VARSIZE_ANY_EXHDR(fill) + rest;
	check_size(total, SIGMA_MAX_CELL);

	result = (text *) palloc(VARHDRSZ + total);
	SET_VARSIZE(result, VARHDRSZ + total);
	to = VARDATA(result);
	if (!left)
		to = write_repeated(to, data, size, 1);
	to = write_repeated(to, VARDATA_ANY(fill), VARSIZE_ANY_EXHDR(fill), missing / filling);
	to = write_repeated(to, VARDATA_ANY(fill), rest, 1);
	if (left)
		write_repeated(to, data, size, 1);
	return result;
}

/* Copy bytes so many times, doubling what is there, and return where they end. */
static char *
write_repeated(char *to, const char *part, int size, int64 count)
{
	int64		total = size * count;
	int64		done = Min(size, total);

	memcpy(to, part, done);
	while (done < total)
	{
		int64		next = Min(done, total - done);

		memcpy(to + done, to, next);
		done += next;
	}
	return to + total;
}

static void
check_size(int64 size, int64 most)
{
	if (size > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the text would be too long"),
				 errdetail("It would have %lld bytes; the limit is %lld.", (long long) size, (long long) most)));
}

/*
 * Matches are counted as PostgreSQL counts them: each begins where the one before
 * ended, one character later if that was empty.
 */
static text *
extract_match(text *given, regex_t *regex, int position)
{
	pg_wchar   *wide;
	regmatch_t	match[2];
	int			group = regex->re_nsub > 0 ? 1 : 0;
	int			length;
	int			start = 0;
	char	   *found;

	check_size(VARSIZE_ANY_EXHDR(given), MaxAllocSize / sizeof(pg_wchar) - 1);
	wide = (pg_wchar *) palloc((VARSIZE_ANY_EXHDR(given) + 1) * sizeof(pg_wchar));
	length = pg_mb2wchar_with_len(VARDATA_ANY(given), wide, VARSIZE_ANY_EXHDR(given));
	for (;;)
	{
		if (start > length || !search_match(regex, wide, length, start, match))
			return NULL;
		if (--position == 0)
			break;
		start = match[0].rm_eo + (match[0].rm_so == match[0].rm_eo ? 1 : 0);
	}
	if (match[group].rm_so < 0)
		return NULL;

	length = match[group].rm_eo - match[group].rm_so;
	found = palloc((Size) length * pg_database_encoding_max_length() + 1);
	length = pg_wchar2mb_with_len(wide + match[group].rm_so, found, length);
	return cstring_to_text_with_len(found, length);
}

/* The next match from a place on, and its first group. */
static bool
search_match(regex_t *regex, pg_wchar *wide, int length, int start, regmatch_t *match)
{
	char		message[100];
	int			code;

	CHECK_FOR_INTERRUPTS();
	code = pg_regexec(regex, wide, length, start, NULL, 2, match, 0);
	if (code == REG_OKAY)
		return true;
	if (code == REG_NOMATCH)
		return false;
	CHECK_FOR_INTERRUPTS();
	pg_regerror(code, regex, message, sizeof(message));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_REGULAR_EXPRESSION),
			 errmsg("regular expression failed: %s", message)));
}
