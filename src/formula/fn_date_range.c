/*
 * fn_date_range.c
 *		Date functions of formulas: today, ranges around it, time zones.
 *
 * "Now" is the begin of the client's statement on the wall clock of setting
 * sigma.timezone: one statement sees one time.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common/zone.h"
#include "formula/fn_date.h"

/* How a range lies to today. */
typedef enum RangeDirection
{
	RANGE_LAST,
	RANGE_NEXT,
	RANGE_CURRENT,
	RANGE_TO_DATE
} RangeDirection;

static const char *const direction_names[] = {"last", "next", "current", "to_date"};

PG_FUNCTION_INFO_V1(fn_now);
PG_FUNCTION_INFO_V1(fn_today);
PG_FUNCTION_INFO_V1(fn_currenttimezone);
PG_FUNCTION_INFO_V1(fn_converttimezone);
PG_FUNCTION_INFO_V1(fn_indaterange);
PG_FUNCTION_INFO_V1(fn_inpriordaterange);

static Timestamp current_time(void);
static RangeDirection range_direction(const text *name);
static bool find_range(RangeDirection direction, DateUnit unit, int64 length, int64 offset,
					   Timestamp today, Timestamp *start, Timestamp *end);

/* fn_now(), fn_today(): today is its midnight */
Datum
fn_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMP(current_time());
}

Datum
fn_today(PG_FUNCTION_ARGS)
{
	Timestamp	today;

	if (!sigma_date_trunc(UNIT_DAY, current_time(), &today))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(today);
}

/* fn_currenttimezone() */
Datum
fn_currenttimezone(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(sigma_zone_name()));
}

/*
 * fn_converttimezone(date, to [, from = sigma.timezone]): what clocks show there
 * when they show this date here.  PostgreSQL's own functions do it, and throw 22023
 * for an unknown zone.
 */
Datum
fn_converttimezone(PG_FUNCTION_ARGS)
{
	Datum		from = PG_NARGS() > 2 ? PG_GETARG_DATUM(2) :
		PointerGetDatum(cstring_to_text(sigma_zone_name()));
	Datum		moment = DirectFunctionCall2(timestamp_zone, from, PG_GETARG_DATUM(0));

	return DirectFunctionCall2(timestamptz_zone, PG_GETARG_DATUM(1), moment);
}

/*
 * fn_indaterange(date, direction, unit, length, offset [, today = now]): is the date
 * in that many whole units, before today's ("last"), after it ("next"), ending with
 * it ("current"), or ending with today ("to_date")?  A length below 1 is no range.
 * Throws 22023 for an unknown direction or unit.
 */
Datum
fn_indaterange(PG_FUNCTION_ARGS)
{
	Timestamp	date = PG_GETARG_TIMESTAMP(0);
	RangeDirection direction = range_direction(PG_GETARG_TEXT_PP(1));
	DateUnit	unit = sigma_date_unit(PG_GETARG_TEXT_PP(2), UNITS_OF_PERIODS);
	Timestamp	today = PG_NARGS() > 5 ? PG_GETARG_TIMESTAMP(5) : current_time();
	Timestamp	start;
	Timestamp	end;

	if (!find_range(direction, unit, PG_GETARG_INT64(3), PG_GETARG_INT64(4), today, &start, &end))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(date >= start && date < end);
}

/*
 * fn_inpriordaterange(date, unit, prior unit, offset [, today = now]): is the date in
 * the unit that today was in so many prior units ago?  Throws 22023 for an unknown unit.
 */
Datum
fn_inpriordaterange(PG_FUNCTION_ARGS)
{
	Timestamp	date = PG_GETARG_TIMESTAMP(0);
	DateUnit	unit = sigma_date_unit(PG_GETARG_TEXT_PP(1), UNITS_OF_PERIODS);
	DateUnit	prior = sigma_date_unit(PG_GETARG_TEXT_PP(2), UNITS_OF_PERIODS);
	int64		offset = PG_GETARG_INT64(3);
	Timestamp	today = PG_NARGS() > 4 ? PG_GETARG_TIMESTAMP(4) : current_time();
	Timestamp	start;
	Timestamp	end;

	if (offset == PG_INT64_MIN || !sigma_date_add(prior, -offset, today, &today) ||
		!find_range(RANGE_CURRENT, unit, 1, 0, today, &start, &end))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(date >= start && date < end);
}

/* The statement's begin on the wall clock of sigma.timezone. */
static Timestamp
current_time(void)
{
	return sigma_zone_clock(GetCurrentStatementStartTimestamp());
}

/* Throws 22023 for another word. */
static RangeDirection
range_direction(const text *name)
{
	int			length = VARSIZE_ANY_EXHDR(name);
	int			i;

	for (i = 0; i < lengthof(direction_names); i++)
		if (strlen(direction_names[i]) == length &&
			pg_strncasecmp(direction_names[i], VARDATA_ANY(name), length) == 0)
			return (RangeDirection) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no direction \"%s\" of a date range", text_to_cstring(name)),
			 errhint("The directions are: last, next, current, to_date.")));
}

/*
 * Begin and end (exclusive) of a range.  An offset says how many units from today's
 * the range begins, back or, for "next", ahead; 0 is where it adjoins.  A range to
 * date is moved as a whole.  False where the type does not reach so far.
 */
static bool
find_range(RangeDirection direction, DateUnit unit, int64 length, int64 offset,
		   Timestamp today, Timestamp *start, Timestamp *end)
{
	int64		first;

	/* counts beyond any range of the type, which would overflow in sums */
	if (length > PG_INT64_MAX / 4 || offset > PG_INT64_MAX / 4 || offset < PG_INT64_MIN / 4)
		return false;
	length = Max(length, 0);
	if (direction == RANGE_TO_DATE)
	{
		if (!sigma_date_add(unit, -offset, today, &today))
			return false;
		offset = 0;
	}
	if (direction == RANGE_LAST)
		first = offset == 0 ? -length : -offset;
	else if (direction == RANGE_NEXT)
		first = offset == 0 ? 1 : offset;
	else
		first = 1 - length - offset;
	if (!sigma_date_trunc(unit, today, start) || !sigma_date_add(unit, first, *start, start))
		return false;
	if (direction == RANGE_TO_DATE && length > 0)
		return sigma_date_trunc(UNIT_DAY, today, end) && sigma_date_add(UNIT_DAY, 1, *end, end);
	return sigma_date_add(unit, length, *start, end);
}
