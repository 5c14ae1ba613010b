/*
 * fn_form.c
 *		What the compiler puts around values: numbers as integers, divisors.
 */
#include "postgres.h"

#include <limits.h>
#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(fn_int4_int8);
PG_FUNCTION_INFO_V1(fn_int4_float8);
PG_FUNCTION_INFO_V1(fn_int4_numeric);
PG_FUNCTION_INFO_V1(fn_int8_float8);
PG_FUNCTION_INFO_V1(fn_int8_numeric);
PG_FUNCTION_INFO_V1(fn_nonzero_int8);
PG_FUNCTION_INFO_V1(fn_nonzero_float8);
PG_FUNCTION_INFO_V1(fn_nonzero_numeric);

static int64 nearest_int64(double value);
static double numeric_double(Datum value);
static int32 nearest_int32(int64 value);

/* The nearest number of that type; NaN is 0. */
Datum
fn_int4_int8(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(nearest_int32(PG_GETARG_INT64(0)));
}

Datum
fn_int4_float8(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(nearest_int32(nearest_int64(PG_GETARG_FLOAT8(0))));
}

Datum
fn_int4_numeric(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(nearest_int32(nearest_int64(numeric_double(PG_GETARG_DATUM(0)))));
}

Datum
fn_int8_float8(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(nearest_int64(PG_GETARG_FLOAT8(0)));
}

/* Exact, where the type holds it. */
Datum
fn_int8_numeric(PG_FUNCTION_ARGS)
{
	double		nearly = numeric_double(PG_GETARG_DATUM(0));

	if (isnan(nearly) || nearly >= 9.2e18 || nearly <= -9.2e18)
		PG_RETURN_INT64(nearest_int64(nearly));
	PG_RETURN_DATUM(DirectFunctionCall1(numeric_int8, PG_GETARG_DATUM(0)));
}

/* The number, Null for 0. */
Datum
fn_nonzero_int8(PG_FUNCTION_ARGS)
{
	if (PG_GETARG_INT64(0) == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(PG_GETARG_INT64(0));
}

Datum
fn_nonzero_float8(PG_FUNCTION_ARGS)
{
	if (PG_GETARG_FLOAT8(0) == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(PG_GETARG_FLOAT8(0));
}

Datum
fn_nonzero_numeric(PG_FUNCTION_ARGS)
{
	Datum		zero = DirectFunctionCall1(int4_numeric, Int32GetDatum(0));

	if (DatumGetBool(DirectFunctionCall2(numeric_eq, PG_GETARG_DATUM(0), zero)))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

static int64
nearest_int64(double value)
{
	if (isnan(value))
		return 0;
	if (value >= 9223372036854775807.0)
		return PG_INT64_MAX;
	if (value <= -9223372036854775808.0)
		return PG_INT64_MIN;
	return (int64) round(value);
}

static int32
nearest_int32(int64 value)
{
	return (int32) Min(Max(value, PG_INT32_MIN), PG_INT32_MAX);
}

/* As float8; what is too large for it becomes infinite. */
static double
numeric_double(Datum value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
}
