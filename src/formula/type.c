/*
 * type.c
 *		The type sigma.formula: text and binary form, comparison, hash.
 *
 * The binary form is a version byte and the canonical text, so whatever a client
 * sends is parsed like any other formula.  Comparison is that of the stored bytes:
 * equal means the same canonical text, the order is total and has no other meaning.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/memutils.h"

#include "compat.h"
#include "formula/formula.h"

/* of the binary form */
#define BINARY_VERSION	1

static Formula *make_formula(const char *text);
static char *formula_text(Datum value);
static int	compare_formulas(FunctionCallInfo fcinfo);

PG_FUNCTION_INFO_V1(formula_in);
PG_FUNCTION_INFO_V1(formula_out);
PG_FUNCTION_INFO_V1(formula_recv);
PG_FUNCTION_INFO_V1(formula_send);
PG_FUNCTION_INFO_V1(formula_eq);
PG_FUNCTION_INFO_V1(formula_ne);
PG_FUNCTION_INFO_V1(formula_lt);
PG_FUNCTION_INFO_V1(formula_le);
PG_FUNCTION_INFO_V1(formula_gt);
PG_FUNCTION_INFO_V1(formula_ge);
PG_FUNCTION_INFO_V1(formula_cmp);
PG_FUNCTION_INFO_V1(formula_hash);
PG_FUNCTION_INFO_V1(formula_hash_extended);

Datum
formula_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(make_formula(PG_GETARG_CSTRING(0)));
}

Datum
formula_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(formula_text(PG_GETARG_DATUM(0)));
}

Datum
formula_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(message);
	int			length;

	if (version != BINARY_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported version of a formula in binary form: %d", version)));
	PG_RETURN_POINTER(make_formula(pq_getmsgtext(message, message->len - message->cursor, &length)));
}

Datum
formula_send(PG_FUNCTION_ARGS)
{
	StringInfoData message;
	char	   *text = formula_text(PG_GETARG_DATUM(0));

	pq_begintypsend(&message);
	pq_sendbyte(&message, BINARY_VERSION);
	pq_sendtext(&message, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

Datum
formula_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_formulas(fcinfo) == 0);
}

Datum
formula_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_formulas(fcinfo) != 0);
}

Datum
formula_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_formulas(fcinfo) < 0);
}

Datum
formula_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_formulas(fcinfo) <= 0);
}

Datum
formula_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_formulas(fcinfo) > 0);
}

Datum
formula_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_formulas(fcinfo) >= 0);
}

Datum
formula_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_formulas(fcinfo));
}

Datum
formula_hash(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	Datum		result = hash_any((unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));

	PG_FREE_IF_COPY(value, 0);
	return result;
}

Datum
formula_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	Datum		result = hash_any_extended((unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
										   PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(value, 0);
	return result;
}

/*
 * The value of a formula's text.  The canonical text can be longer than the given
 * one; it must be short enough too, or the value could not be read back.  The
 * tree, many times the size of a long text, is freed at once.
 */
static Formula *
make_formula(const char *text)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "formula", ALLOCSET_DEFAULT_SIZES);
	FormulaNode *tree;
	Formula    *formula;

	MemoryContextSwitchTo(work);
	tree = sigma_formula_parse(text);
	if (strlen(sigma_formula_print(tree)) > FORMULA_MAX_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("formula is longer than %d bytes in its canonical form", FORMULA_MAX_LENGTH)));
	MemoryContextSwitchTo(caller);
	formula = sigma_formula_store(tree);
	MemoryContextDelete(work);
	return formula;
}

/* The canonical text of a value. */
static char *
formula_text(Datum value)
{
	return sigma_formula_print(sigma_formula_read((Formula *) PG_DETOAST_DATUM(value)));
}

/* Both arguments, byte by byte; a shorter one comes before its continuation. */
static int
compare_formulas(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);
	int			length_a = VARSIZE_ANY_EXHDR(a);
	int			length_b = VARSIZE_ANY_EXHDR(b);
	int			order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(length_a, length_b));

	if (order == 0)
		order = length_a < length_b ? -1 : length_a > length_b ? 1 : 0;
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order < 0 ? -1 : order > 0 ? 1 : 0;
}
