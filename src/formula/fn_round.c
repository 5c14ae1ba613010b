/*
 * fn_round.c
 *		Rounding of formulas: to digits (Round, RoundUp, RoundDown, Trunc, Int) and
 *		to multiples (Ceiling, Floor, MRound).
 *
 * A number keeps its form: integers stay integers, numerics are exact, and a
 * float is rounded as the decimal number it stands for, so that 2.675 with two
 * digits is 2.68 although the nearest float is a little less.  Most floats are far
 * enough from the place where that matters to be rounded by one multiplication;
 * only the others take the way over numeric.
 *
 * Functions of formulas are immutable, allocate in the current context, and return
 * NULL where a warehouse would; 22003 where a result is out of range.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

/* More digits than this no rounding of numeric looks at. */
#define MAX_DIGITS		2000
/* The largest power of ten that is exact as float. */
#define MAX_FLOAT_POWER	22
/* What a float has behind 15 digits is no part of the decimal number it stands for ... */
#define DECIMAL_FLOAT	1e15
/* ... and below this one digit more is exact too. */
#define EXACT_FLOAT		1e14
/* How far, in relation, a float may be from the decimal number it stands for. */
#define FLOAT_TOLERANCE	1e-14

typedef enum Rounding
{
	ROUND_HALF,					/* to the nearest, halves away from zero */
	ROUND_UP,					/* towards plus infinity */
	ROUND_DOWN,					/* towards minus infinity */
	ROUND_TRUNC					/* towards zero */
} Rounding;

static const float8 float_powers[MAX_FLOAT_POWER + 1] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
};

static Numeric round_numeric(Numeric n, int32 digits, Rounding rounding);
static Numeric power_of_ten(int32 exponent);
static float8 round_float8(float8 n, int32 digits, Rounding rounding);
static float8 round_decimal(float8 n, int32 digits, Rounding rounding);
static float8 round_whole(float8 n, Rounding rounding);
static int64 round_int8(int64 n, int32 digits, Rounding rounding);
static bool to_multiple(Numeric n, Numeric factor, Rounding rounding, Numeric *result);
static int	compare(Numeric a, Numeric b);
static int	sign_of(Numeric n);
static bool is_special(Numeric n);

/* The four forms of a function that rounds to digits. */
#define ROUND_FUNCTIONS(name, rounding) \
PG_FUNCTION_INFO_V1(name##_numeric); \
Datum \
name##_numeric(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_NUMERIC(round_numeric(PG_GETARG_NUMERIC(0), PG_GETARG_INT32(1), rounding)); \
} \
PG_FUNCTION_INFO_V1(name##_float8); \
Datum \
name##_float8(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_FLOAT8(round_float8(PG_GETARG_FLOAT8(0), PG_GETARG_INT32(1), rounding)); \
} \
PG_FUNCTION_INFO_V1(name##_int8); \
Datum \
name##_int8(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_INT64(round_int8(PG_GETARG_INT64(0), PG_GETARG_INT32(1), rounding)); \
} \
PG_FUNCTION_INFO_V1(name##_int4); \
Datum \
name##_int4(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_INT64(round_int8(PG_GETARG_INT32(0), PG_GETARG_INT32(1), rounding)); \
} \
extern Datum name##_numeric(PG_FUNCTION_ARGS)

ROUND_FUNCTIONS(fn_round, ROUND_HALF);
ROUND_FUNCTIONS(fn_roundup, ROUND_UP);
ROUND_FUNCTIONS(fn_rounddown, ROUND_DOWN);
ROUND_FUNCTIONS(fn_trunc, ROUND_TRUNC);

PG_FUNCTION_INFO_V1(fn_ceiling);
PG_FUNCTION_INFO_V1(fn_floor);
PG_FUNCTION_INFO_V1(fn_mround);

/* The least multiple of the factor that is not below the number; of a negative factor, the greatest not above. */
Datum
fn_ceiling(PG_FUNCTION_ARGS)
{
	Numeric		factor = PG_GETARG_NUMERIC(1);
	Numeric		result;

	if (!to_multiple(PG_GETARG_NUMERIC(0), factor, sign_of(factor) < 0 ? ROUND_DOWN : ROUND_UP, &result))
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(result);
}

/* The greatest multiple of the factor that is not above the number; of a negative factor, the least not below. */
Datum
fn_floor(PG_FUNCTION_ARGS)
{
	Numeric		factor = PG_GETARG_NUMERIC(1);
	Numeric		result;

	if (!to_multiple(PG_GETARG_NUMERIC(0), factor, sign_of(factor) < 0 ? ROUND_UP : ROUND_DOWN, &result))
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(result);
}

/* The nearest multiple of the factor, halves away from zero. */
Datum
fn_mround(PG_FUNCTION_ARGS)
{
	Numeric		result;

	if (!to_multiple(PG_GETARG_NUMERIC(0), PG_GETARG_NUMERIC(1), ROUND_HALF, &result))
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(result);
}

/* A numeric that has no more digits behind the point comes back as it is. */
static Numeric
round_numeric(Numeric n, int32 digits, Rounding rounding)
{
	Datum		value = NumericGetDatum(n);
	Datum		result;
	int			order;

	if (is_special(n) || digits >= DatumGetInt32(DirectFunctionCall1(numeric_scale, value)))
		return n;
	digits = Max(digits, -MAX_DIGITS);
	digits = Min(digits, MAX_DIGITS);
	if (rounding == ROUND_HALF)
		return DatumGetNumeric(DirectFunctionCall2(numeric_round, value, Int32GetDatum(digits)));
	if (digits == 0 && rounding != ROUND_TRUNC)
		return DatumGetNumeric(DirectFunctionCall1(rounding == ROUND_UP ? numeric_ceil : numeric_floor, value));

	result = DirectFunctionCall2(numeric_trunc, value, Int32GetDatum(digits));
	if (rounding == ROUND_TRUNC)
		return DatumGetNumeric(result);
	order = compare(DatumGetNumeric(result), n);
	if (rounding == ROUND_UP && order < 0)
		result = DirectFunctionCall2(numeric_add, result, NumericGetDatum(power_of_ten(-digits)));
	else if (rounding == ROUND_DOWN && order > 0)
		result = DirectFunctionCall2(numeric_sub, result, NumericGetDatum(power_of_ten(-digits)));
	return DatumGetNumeric(result);
}

static Numeric
power_of_ten(int32 exponent)
{
	char		text[16];

	snprintf(text, sizeof(text), "1e%d", exponent);
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/*
 * Whole digits are rounded exactly.  Otherwise the number is scaled so that the
 * place of rounding is the point.  Where 15 digits end before it there is nothing to
 * do.  A number that is far from "edge", the nearest value where the result changes,
 * or is that very decimal number, is rounded as it is scaled.  In between numeric
 * decides, which sees 15 digits.
 */
static float8
round_float8(float8 n, int32 digits, Rounding rounding)
{
	bool		exact_power = digits >= -MAX_FLOAT_POWER && digits <= MAX_FLOAT_POWER;
	float8		power;
	float8		scaled;
	float8		edge;

	if (isnan(n) || isinf(n) || n == 0)
		return n;
	if (digits == 0)
		return round_whole(n, rounding);
	digits = Max(digits, -MAX_DIGITS);
	digits = Min(digits, MAX_DIGITS);
	power = exact_power ? float_powers[abs(digits)] : pow(10, abs(digits));
	scaled = digits > 0 ? n * power : n / power;
	if (fabs(scaled) >= DECIMAL_FLOAT)
		return n;
	if (!exact_power || fabs(scaled) >= EXACT_FLOAT)
		return round_decimal(n, digits, rounding);

	edge = rounding == ROUND_HALF ? trunc(scaled) + copysign(0.5, scaled) : rint(scaled);
	if ((digits > 0 ? edge / power : edge * power) == n)
		scaled = edge;
	if (scaled != edge && fabs(scaled - edge) <= fabs(scaled) * FLOAT_TOLERANCE)
		return round_decimal(n, digits, rounding);
	scaled = round_whole(scaled, rounding);
	return digits > 0 ? scaled / power : scaled * power;
}

/* Round the decimal number of 15 digits that a float stands for.  22003. */
static float8
round_decimal(float8 n, int32 digits, Rounding rounding)
{
	Numeric		decimal = DatumGetNumeric(DirectFunctionCall1(float8_numeric, Float8GetDatum(n)));
	float8		result;

	decimal = round_numeric(decimal, digits, rounding);
	result = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(decimal)));
	if (isinf(result))
		float_overflow_error();
	return result;
}

/* Adding 0 makes 0 of -0. */
static float8
round_whole(float8 n, Rounding rounding)
{
	switch (rounding)
	{
		case ROUND_UP:
			return ceil(n) + 0.0;
		case ROUND_DOWN:
			return floor(n) + 0.0;
		case ROUND_TRUNC:
			return trunc(n) + 0.0;
		case ROUND_HALF:
			break;
	}
	return round(n) + 0.0;
}

/* An integer changes only for digits below zero; beyond 18 of them numeric knows what is out of range. */
static int64
round_int8(int64 n, int32 digits, Rounding rounding)
{
	int64		power = 1;
	int64		rest;
	int64		step = 0;
	int64		result;
	int			i;

	if (digits >= 0 || n == 0)
		return n;
	if (digits < -18)
	{
		Numeric		rounded = round_numeric(int64_to_numeric(n), digits, rounding);

		return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(rounded)));
	}
	for (i = 0; i < -digits; i++)
		power *= 10;
	rest = n % power;
	if (rounding == ROUND_HALF && (rest < 0 ? -rest : rest) >= power / 2)
		step = n < 0 ? -power : power;
	else if (rounding == ROUND_UP && rest > 0)
		step = power;
	else if (rounding == ROUND_DOWN && rest < 0)
		step = -power;
	if (pg_add_s64_overflow(n - rest, step, &result))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bigint out of range")));
	return result;
}

/*
 * The multiple of the factor's size that lies up, down or nearest, with as many
 * digits behind the point as the factor has.  False where there is none: the
 * factor is 0 or infinite.
 */
static bool
to_multiple(Numeric n, Numeric factor, Rounding rounding, Numeric *result)
{
	Datum		size = DirectFunctionCall1(numeric_abs, NumericGetDatum(factor));
	Datum		rest;
	Datum		multiple;
	int			side;
	int			step = 0;

	if (numeric_is_nan(factor) || is_special(n))
	{
		*result = numeric_is_nan(factor) ? factor : n;
		return numeric_is_nan(n) || numeric_is_nan(factor) || (sign_of(factor) != 0 && !is_special(factor));
	}
	if (numeric_is_inf(factor) || sign_of(factor) == 0)
		return false;

	rest = DirectFunctionCall2(numeric_mod, NumericGetDatum(n), size);
	multiple = DirectFunctionCall2(numeric_sub, NumericGetDatum(n), rest);
	side = sign_of(DatumGetNumeric(rest));
	if (rounding == ROUND_HALF)
	{
		Datum		twice = DirectFunctionCall1(numeric_abs, DirectFunctionCall2(numeric_add, rest, rest));

		if (compare(DatumGetNumeric(twice), DatumGetNumeric(size)) >= 0)
			step = side;
	}
	else if (side == (rounding == ROUND_UP ? 1 : -1))
		step = side;

	if (step != 0)
		multiple = DirectFunctionCall2(step > 0 ? numeric_add : numeric_sub, multiple, size);
	*result = DatumGetNumeric(DirectFunctionCall2(numeric_round, multiple, DirectFunctionCall1(numeric_scale, size)));
	return true;
}

static int
compare(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

/* -1, 0 or 1; NaN is above everything. */
static int
sign_of(Numeric n)
{
	return compare(n, int64_to_numeric(0));
}

static bool
is_special(Numeric n)
{
	return numeric_is_nan(n) || numeric_is_inf(n);
}
