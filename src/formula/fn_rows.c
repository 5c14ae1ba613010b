/*
 * fn_rows.c
 *		The aggregate sigma.fn_nth(): the value of a row by its place.
 *
 * Its state lives in the aggregate's context and is used as a window too.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "compat.h"

typedef struct NthState
{
	int64		left;			/* rows until the one that is wanted; negative: the last one */
	bool		isnull;
	Datum		value;			/* a copy, unless it is Null */
	int16		typlen;
	bool		typbyval;
} NthState;

static NthState *new_state(FunctionCallInfo fcinfo, MemoryContext cxt);

PG_FUNCTION_INFO_V1(fn_nth_step);
PG_FUNCTION_INFO_V1(fn_nth_final);
PG_FUNCTION_INFO_V1(fn_output);

/* fn_nth_step(state, value, n, nulls): without "nulls" a Null is passed over. */
Datum
fn_nth_step(PG_FUNCTION_ARGS)
{
	MemoryContext cxt;
	MemoryContext old;
	NthState   *state;

	if (!AggCheckCallContext(fcinfo, &cxt))
		elog(ERROR, "fn_nth_step called outside an aggregate");
	state = PG_ARGISNULL(0) ? new_state(fcinfo, cxt) : (NthState *) PG_GETARG_POINTER(0);
	if (state->left == 0 || (PG_ARGISNULL(1) && !PG_ARGISNULL(3) && !PG_GETARG_BOOL(3)))
		PG_RETURN_POINTER(state);
	if (state->left > 0 && --state->left > 0)
		PG_RETURN_POINTER(state);
	if (!state->isnull && !state->typbyval)
		pfree(DatumGetPointer(state->value));
	state->isnull = PG_ARGISNULL(1);
	if (!state->isnull)
	{
		old = MemoryContextSwitchTo(cxt);
		state->value = state->typlen == -1 ? PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1))) :
			datumCopy(PG_GETARG_DATUM(1), state->typbyval, state->typlen);
		MemoryContextSwitchTo(old);
	}
	PG_RETURN_POINTER(state);
}

/* A state that waits for row "n"; a Null or 0 as "n" finds none. */
static NthState *
new_state(FunctionCallInfo fcinfo, MemoryContext cxt)
{
	NthState   *state = MemoryContextAllocZero(cxt, sizeof(NthState));

	state->left = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
	state->isnull = true;
	get_typlenbyval(get_fn_expr_argtype(fcinfo->flinfo, 1), &state->typlen, &state->typbyval);
	return state;
}

/* fn_nth_final(state, ...): the value, copied, since a window goes on with the state. */
Datum
fn_nth_final(PG_FUNCTION_ARGS)
{
	NthState   *state = PG_ARGISNULL(0) ? NULL : (NthState *) PG_GETARG_POINTER(0);

	if (state == NULL || state->isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(datumCopy(state->value, state->typbyval, state->typlen));
}

/*
 * The text of any value by the output function of its type: a cast to text could be
 * one that the owner of the type wrote.
 */
Datum
fn_output(PG_FUNCTION_ARGS)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(type, &output, &varlena);
	PG_RETURN_DATUM(DirectFunctionCall1(textin, CStringGetDatum(OidOutputFunctionCall(output, PG_GETARG_DATUM(0)))));
}
