/*
 * fn_math.c
 *		Mathematical functions of formulas that differ from PostgreSQL's.
 *
 * Where PostgreSQL raises an error because a function has no value there, a
 * formula is Null: Sqrt(-1), Ln(0), Power(0, -1), Div(1, 0).  A result that a float
 * cannot hold stays PostgreSQL's error 22003.  What PostgreSQL computes in the same
 * way is a template in functions.c and not here.
 *
 * The functions are immutable and allocate in the current context.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#define EARTH_RADIUS	6371.0	/* kilometres */

static int	remainder_of_two(Numeric n);
static bool is_zero(Numeric n);
static bool is_special(Numeric n);
static float8 radians_of(float8 degrees);

PG_FUNCTION_INFO_V1(fn_sqrt);
PG_FUNCTION_INFO_V1(fn_ln);
PG_FUNCTION_INFO_V1(fn_log);
PG_FUNCTION_INFO_V1(fn_power);
PG_FUNCTION_INFO_V1(fn_cot);
PG_FUNCTION_INFO_V1(fn_acos);
PG_FUNCTION_INFO_V1(fn_asin);
PG_FUNCTION_INFO_V1(fn_div);
PG_FUNCTION_INFO_V1(fn_iseven_numeric);
PG_FUNCTION_INFO_V1(fn_iseven_float8);
PG_FUNCTION_INFO_V1(fn_iseven_int8);
PG_FUNCTION_INFO_V1(fn_isodd_numeric);
PG_FUNCTION_INFO_V1(fn_isodd_float8);
PG_FUNCTION_INFO_V1(fn_isodd_int8);
PG_FUNCTION_INFO_V1(fn_binfixed);
PG_FUNCTION_INFO_V1(fn_distanceglobe);
PG_FUNCTION_INFO_V1(fn_distanceplane);

/* The square root; NULL below zero. */
Datum
fn_sqrt(PG_FUNCTION_ARGS)
{
	float8		n = PG_GETARG_FLOAT8(0);

	if (n < 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sqrt(n));
}

/* The natural logarithm; NULL for zero and below. */
Datum
fn_ln(PG_FUNCTION_ARGS)
{
	float8		n = PG_GETARG_FLOAT8(0);

	if (n <= 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(log(n));
}

/*
 * The logarithm to a base; NULL for numbers and bases of zero and below and for
 * base 1.  A quotient of logarithms that misses a whole number by a rounding error
 * is that number: Log(125, 5) is 3.
 */
Datum
fn_log(PG_FUNCTION_ARGS)
{
	float8		n = PG_GETARG_FLOAT8(0);
	float8		base = PG_GETARG_FLOAT8(1);
	float8		result;

	if (n <= 0 || base <= 0 || base == 1)
		PG_RETURN_NULL();
	if (base == 10)
		PG_RETURN_FLOAT8(log10(n));
	if (base == 2)
		PG_RETURN_FLOAT8(log2(n));
	result = log(n) / log(base);
	if (fabs(result) < 1e4 && pow(base, rint(result)) == n)
		result = rint(result);
	PG_RETURN_FLOAT8(result);
}

/* The power; NULL for a negative power of zero and for a broken one of a negative number.  22003. */
Datum
fn_power(PG_FUNCTION_ARGS)
{
	float8		n = PG_GETARG_FLOAT8(0);
	float8		exponent = PG_GETARG_FLOAT8(1);

	if (n == 0 && exponent < 0)
		PG_RETURN_NULL();
	if (n < 0 && floor(exponent) != exponent && !isnan(exponent))
		PG_RETURN_NULL();
	return DirectFunctionCall2(dpow, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
}

/* The cotangent; NULL for zero, where it is infinite.  22003 for infinity. */
Datum
fn_cot(PG_FUNCTION_ARGS)
{
	if (PG_GETARG_FLOAT8(0) == 0)
		PG_RETURN_NULL();
	return DirectFunctionCall1(dcot, PG_GETARG_DATUM(0));
}

/* The inverse cosine; NULL outside -1 to 1. */
Datum
fn_acos(PG_FUNCTION_ARGS)
{
	float8		n = PG_GETARG_FLOAT8(0);

	if (n < -1 || n > 1)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(acos(n));
}

/* The inverse sine; NULL outside -1 to 1. */
Datum
fn_asin(PG_FUNCTION_ARGS)
{
	float8		n = PG_GETARG_FLOAT8(0);

	if (n < -1 || n > 1)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(asin(n));
}

/* The quotient without its fraction; NULL for a divisor of zero. */
Datum
fn_div(PG_FUNCTION_ARGS)
{
	if (is_zero(PG_GETARG_NUMERIC(1)))
		PG_RETURN_NULL();
	return DirectFunctionCall2(numeric_div_trunc, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
}

/* Is the integer part even?  NULL for NaN and infinities, as in its like. */
Datum
fn_iseven_numeric(PG_FUNCTION_ARGS)
{
	Numeric		n = PG_GETARG_NUMERIC(0);

	if (is_special(n))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(remainder_of_two(n) == 0);
}

Datum
fn_iseven_float8(PG_FUNCTION_ARGS)
{
	float8		n = PG_GETARG_FLOAT8(0);

	if (isnan(n) || isinf(n))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(fmod(trunc(n), 2) == 0);
}

Datum
fn_iseven_int8(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) % 2 == 0);
}

/* Is the remainder of the integer part by two 1?  So no negative number is odd. */
Datum
fn_isodd_numeric(PG_FUNCTION_ARGS)
{
	Numeric		n = PG_GETARG_NUMERIC(0);

	if (is_special(n))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(remainder_of_two(n) == 1);
}

Datum
fn_isodd_float8(PG_FUNCTION_ARGS)
{
	float8		n = PG_GETARG_FLOAT8(0);

	if (isnan(n) || isinf(n))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(fmod(trunc(n), 2) == 1);
}

Datum
fn_isodd_int8(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) % 2 == 1);
}

/*
 * The number of the bin of equal width: 0 below, bins + 1 at the upper end and
 * above.  NULL where there are no such bins: the ends are equal, infinite or NaN.
 */
Datum
fn_binfixed(PG_FUNCTION_ARGS)
{
	Datum		value = PG_GETARG_DATUM(0);
	Datum		low = PG_GETARG_DATUM(1);
	Datum		high = PG_GETARG_DATUM(2);
	int32		bins = Min(Max(PG_GETARG_INT32(3), 1), PG_INT32_MAX - 1);

	if (numeric_is_nan(DatumGetNumeric(value)) || is_special(DatumGetNumeric(low)) ||
		is_special(DatumGetNumeric(high)) ||
		DatumGetInt32(DirectFunctionCall2(numeric_cmp, low, high)) == 0)
		PG_RETURN_NULL();
	return DirectFunctionCall4(width_bucket_numeric, value, low, high, Int32GetDatum(bins));
}

/* Kilometres between two points given in degrees, by the haversine formula; NULL for infinite angles. */
Datum
fn_distanceglobe(PG_FUNCTION_ARGS)
{
	float8		lat1 = radians_of(PG_GETARG_FLOAT8(0));
	float8		lon1 = radians_of(PG_GETARG_FLOAT8(1));
	float8		lat2 = radians_of(PG_GETARG_FLOAT8(2));
	float8		lon2 = radians_of(PG_GETARG_FLOAT8(3));
	float8		north = sin((lat2 - lat1) / 2);
	float8		east = sin((lon2 - lon1) / 2);
	float8		chord = north * north + cos(lat1) * cos(lat2) * east * east;

	if (isinf(lat1) || isinf(lon1) || isinf(lat2) || isinf(lon2))
		PG_RETURN_NULL();
	/* rounding must not lead out of the domain of asin() */
	PG_RETURN_FLOAT8(2 * EARTH_RADIUS * asin(sqrt(chord > 1 ? 1 : chord < 0 ? 0 : chord)));
}

/* The distance of two points in the plane.  22003. */
Datum
fn_distanceplane(PG_FUNCTION_ARGS)
{
	float8		width = float8_mi(PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(0));
	float8		height = float8_mi(PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(1));
	float8		distance = hypot(width, height);

	if (isinf(distance) && !isinf(width) && !isinf(height))
		float_overflow_error();
	PG_RETURN_FLOAT8(distance);
}

/* -1, 0 or 1: the remainder of a finite number's integer part by two. */
static int
remainder_of_two(Numeric n)
{
	Datum		whole = DirectFunctionCall2(numeric_trunc, NumericGetDatum(n), Int32GetDatum(0));

	return DatumGetInt32(DirectFunctionCall1(numeric_int4,
											 DirectFunctionCall2(numeric_mod, whole, NumericGetDatum(int64_to_numeric(2)))));
}

static bool
is_zero(Numeric n)
{
	return DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(n), NumericGetDatum(int64_to_numeric(0))));
}

static bool
is_special(Numeric n)
{
	return numeric_is_nan(n) || numeric_is_inf(n);
}

static float8
radians_of(float8 degrees)
{
	return degrees * (M_PI / 180);
}
