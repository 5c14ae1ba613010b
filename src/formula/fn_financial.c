/*
 * fn_financial.c
 *		Financial functions of formulas, with the conventions of spreadsheets.
 *
 * Money that is paid out is negative.  "type" 0 means payments at the end of a
 * period, anything else at its begin.  All of it follows from one equation,
 *
 *		pv * g + pmt * (1 + rate * type) * (g - 1) / rate + fv = 0,   g = (1 + rate) ^ n
 *
 * divided by g where that keeps large numbers of periods in range.  NULL where there
 * is no value: a rate of -100 % or less, no periods; 22003 where a float cannot hold
 * it.  The functions are immutable.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/float.h"
#include "utils/timestamp.h"

#define DAYS_A_YEAR		365.0

/* The sum so far, as of the first date. */
typedef struct NetValue
{
	float8		rate;
	int64		first;			/* day */
	float8		sum;
	bool		empty;
	bool		invalid;		/* the rate is out of range or changes */
} NetValue;

static float8 discount(float8 rate, float8 periods);
static float8 annuity(float8 rate, float8 periods, float8 type);
static float8 future_value(float8 rate, float8 periods, float8 payment, float8 present, float8 type);
static float8 payment_of(float8 rate, float8 periods, float8 present, float8 future, float8 type);
static float8 interest_of(float8 rate, float8 period, float8 payment, float8 present, float8 type);
static bool usable_rate(float8 rate);
static float8 worth(float8 amount, float8 factor);
static float8 checked(FunctionCallInfo fcinfo, float8 result);
static void add_payment(NetValue *net, float8 value, int64 day);

PG_FUNCTION_INFO_V1(fn_fv);
PG_FUNCTION_INFO_V1(fn_pv);
PG_FUNCTION_INFO_V1(fn_pmt);
PG_FUNCTION_INFO_V1(fn_ipmt);
PG_FUNCTION_INFO_V1(fn_ppmt);
PG_FUNCTION_INFO_V1(fn_nper);
PG_FUNCTION_INFO_V1(fn_effect);
PG_FUNCTION_INFO_V1(fn_nominal);
PG_FUNCTION_INFO_V1(fn_cagr);
PG_FUNCTION_INFO_V1(fn_xnpv_step);
PG_FUNCTION_INFO_V1(fn_xnpv_final);

/* (rate, periods, payment, present value, type) -> what it will be worth */
Datum
fn_fv(PG_FUNCTION_ARGS)
{
	if (!usable_rate(PG_GETARG_FLOAT8(0)))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked(fcinfo, future_value(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2),
										  PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4))));
}

/* (rate, periods, payment, future value, type) -> what it is worth today */
Datum
fn_pv(PG_FUNCTION_ARGS)
{
	float8		rate = PG_GETARG_FLOAT8(0);
	float8		periods = PG_GETARG_FLOAT8(1);
	float8		payment = PG_GETARG_FLOAT8(2);
	float8		future = PG_GETARG_FLOAT8(3);

	if (!usable_rate(rate))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked(fcinfo, 0 - worth(future, discount(rate, periods)) -
							 worth(payment, annuity(rate, periods, PG_GETARG_FLOAT8(4)))));
}

/* (rate, periods, present value, future value, type) -> the payment of each period */
Datum
fn_pmt(PG_FUNCTION_ARGS)
{
	if (!usable_rate(PG_GETARG_FLOAT8(0)) || PG_GETARG_FLOAT8(1) == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked(fcinfo, payment_of(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2),
										PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4))));
}

/* (rate, period, periods, present value, future value, type) -> the interest in a period's payment */
Datum
fn_ipmt(PG_FUNCTION_ARGS)
{
	float8		rate = PG_GETARG_FLOAT8(0);
	float8		period = PG_GETARG_FLOAT8(1);
	float8		periods = PG_GETARG_FLOAT8(2);
	float8		payment;

	if (!usable_rate(rate) || periods == 0 || period < 1 || period > periods)
		PG_RETURN_NULL();
	payment = payment_of(rate, periods, PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4), PG_GETARG_FLOAT8(5));
	PG_RETURN_FLOAT8(checked(fcinfo, interest_of(rate, period, payment, PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(5))));
}

/* (rate, period, periods, present value, future value, type) -> what a period's payment pays back */
Datum
fn_ppmt(PG_FUNCTION_ARGS)
{
	float8		rate = PG_GETARG_FLOAT8(0);
	float8		period = PG_GETARG_FLOAT8(1);
	float8		periods = PG_GETARG_FLOAT8(2);
	float8		payment;

	if (!usable_rate(rate) || periods == 0 || period < 1 || period > periods)
		PG_RETURN_NULL();
	payment = payment_of(rate, periods, PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4), PG_GETARG_FLOAT8(5));
	PG_RETURN_FLOAT8(checked(fcinfo, payment -
							 interest_of(rate, period, payment, PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(5))));
}

/* (rate, payment, present value, future value, type) -> the periods; NULL where the payments never get there */
Datum
fn_nper(PG_FUNCTION_ARGS)
{
	float8		rate = PG_GETARG_FLOAT8(0);
	float8		payment = PG_GETARG_FLOAT8(1);
	float8		present = PG_GETARG_FLOAT8(2);
	float8		future = PG_GETARG_FLOAT8(3);
	float8		worth = payment * (PG_GETARG_FLOAT8(4) != 0 ? 1 + rate : 1);
	float8		begin = worth + present * rate;
	float8		end = worth - future * rate;

	if (!usable_rate(rate))
		PG_RETURN_NULL();
	if (rate == 0)
	{
		if (payment == 0)
			PG_RETURN_NULL();
		PG_RETURN_FLOAT8(checked(fcinfo, 0 - (present + future) / payment));
	}
	if (begin == 0 || end / begin <= 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked(fcinfo, log(end / begin) / log1p(rate)));
}

/* (nominal rate, periods a year) -> the rate with compound interest; NULL unless above 0 and at least one period */
Datum
fn_effect(PG_FUNCTION_ARGS)
{
	float8		nominal = PG_GETARG_FLOAT8(0);
	float8		periods = trunc(PG_GETARG_FLOAT8(1));

	if (nominal <= 0 || periods < 1)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked(fcinfo, expm1(periods * log1p(nominal / periods))));
}

/* (effective rate, periods a year) -> the rate without compound interest; NULL as in Effect */
Datum
fn_nominal(PG_FUNCTION_ARGS)
{
	float8		effective = PG_GETARG_FLOAT8(0);
	float8		periods = trunc(PG_GETARG_FLOAT8(1));

	if (effective <= 0 || periods < 1)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked(fcinfo, periods * expm1(log1p(effective) / periods)));
}

/* (periods, begin, end) -> the growth of each period; NULL where there is no such rate */
Datum
fn_cagr(PG_FUNCTION_ARGS)
{
	float8		periods = PG_GETARG_FLOAT8(0);
	float8		begin = PG_GETARG_FLOAT8(1);
	float8		end = PG_GETARG_FLOAT8(2);

	if (periods == 0 || begin == 0 || end / begin < 0 || (end == 0 && periods < 0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked(fcinfo, pow(end / begin, 1 / periods) - 1));
}

/*
 * Transition of XNPV: (state, rate, value, date) -> state, in the aggregate's
 * context.  Rows with a NULL are left out.
 */
Datum
fn_xnpv_step(PG_FUNCTION_ARGS)
{
	MemoryContext cxt;
	NetValue   *net;
	float8		rate;
	Timestamp	date;

	if (!AggCheckCallContext(fcinfo, &cxt))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("fn_xnpv_step is called outside an aggregate")));
	net = PG_ARGISNULL(0) ? NULL : (NetValue *) PG_GETARG_POINTER(0);
	if (net == NULL)
	{
		net = MemoryContextAllocZero(cxt, sizeof(NetValue));
		net->empty = true;
	}
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_POINTER(net);

	rate = PG_GETARG_FLOAT8(1);
	date = PG_GETARG_TIMESTAMP(3);
	if (net->empty)
		net->rate = rate;
	if (!usable_rate(rate) || rate != net->rate || TIMESTAMP_NOT_FINITE(date))
		net->invalid = true;
	else
		add_payment(net, PG_GETARG_FLOAT8(2), (date - (date < 0 ? USECS_PER_DAY - 1 : 0)) / USECS_PER_DAY);
	net->empty = false;
	PG_RETURN_POINTER(net);
}

/* The sum; NULL for no rows, for a rate of -100 % or less or one that changes, for an infinite date.  22003. */
Datum
fn_xnpv_final(PG_FUNCTION_ARGS)
{
	NetValue   *net = PG_ARGISNULL(0) ? NULL : (NetValue *) PG_GETARG_POINTER(0);

	if (net == NULL || net->empty || net->invalid)
		PG_RETURN_NULL();
	if (isinf(net->sum))
		float_overflow_error();
	PG_RETURN_FLOAT8(net->sum);
}

/* What 1 is worth so many periods before: (1 + rate) ^ -periods, precise for small rates. */
static float8
discount(float8 rate, float8 periods)
{
	return exp(-periods * log1p(rate));
}

/* What payments of 1 in each period are worth at the begin of the first. */
static float8
annuity(float8 rate, float8 periods, float8 type)
{
	if (rate == 0)
		return periods;
	return -expm1(-periods * log1p(rate)) / rate * (type != 0 ? 1 + rate : 1);
}

static float8
future_value(float8 rate, float8 periods, float8 payment, float8 present, float8 type)
{
	float8		growth = periods * log1p(rate);

	if (rate == 0)
		return 0 - present - payment * periods;
	return 0 - worth(present, exp(growth)) -
		worth(payment, expm1(growth) / rate * (type != 0 ? 1 + rate : 1));
}

static float8
payment_of(float8 rate, float8 periods, float8 present, float8 future, float8 type)
{
	return 0 - (present + worth(future, discount(rate, periods))) / annuity(rate, periods, type);
}

/* The rate on what is left before the period's payment; payments at the begin come before the first interest. */
static float8
interest_of(float8 rate, float8 period, float8 payment, float8 present, float8 type)
{
	float8		left;

	if (type != 0 && period == 1)
		return 0;
	left = future_value(rate, period - 1, payment, present, type);
	return left * rate / (type != 0 ? 1 + rate : 1);
}

/* NaN is let through, to come out again. */
static bool
usable_rate(float8 rate)
{
	return !(rate <= -1);
}

/* An amount at another time; nothing is worth nothing even where the factor is out of range. */
static float8
worth(float8 amount, float8 factor)
{
	return amount == 0 ? 0 : amount * factor;
}

/* The result of a function of float8s, if it is finite or an argument is NaN; else 22003.  Never -0. */
static float8
checked(FunctionCallInfo fcinfo, float8 result)
{
	int			i;

	for (i = 0; i < PG_NARGS(); i++)
		if (isnan(PG_GETARG_FLOAT8(i)))
			return get_float8_nan();
	if (isnan(result) || isinf(result))
		float_overflow_error();
	return result + 0.0;
}

/* Add a payment, discounted to the first day; an earlier day than that moves all others. */
static void
add_payment(NetValue *net, float8 value, int64 day)
{
	if (net->empty)
		net->first = day;
	if (day < net->first)
	{
		net->sum *= discount(net->rate, (net->first - day) / DAYS_A_YEAR);
		net->first = day;
	}
	net->sum += value * discount(net->rate, (day - net->first) / DAYS_A_YEAR);
}
