/*
 * fn_date.c
 *		Date functions of formulas: calendar arithmetic.
 *
 * Units are looked up in a table by length and letters, nothing is allocated per
 * row, and the arithmetic is on whole numbers: no slower than date_trunc() and
 * its like.  What the calendar or the type does not have is Null, as a division
 * by zero is: a date that does not exist, a result out of the type's range.  Only
 * a unit that does not exist is an error.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "formula/fn_date.h"

#define MAX_YEAR			294276
#define EPOCH_SHIFT			((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* A unit and its name.  Sunday is the first day of a plain week. */
typedef struct UnitName
{
	const char *name;
	int			length;
	DateUnit	unit;
	DateUnit	among;			/* allowed where this one is */
} UnitName;

static const UnitName unit_names[] = {
	{"year", 4, UNIT_YEAR, UNIT_YEAR},
	{"quarter", 7, UNIT_QUARTER, UNIT_QUARTER},
	{"month", 5, UNIT_MONTH, UNIT_MONTH},
	{"week", 4, UNIT_WEEK, UNIT_WEEK},
	{"week_starting_sunday", 20, UNIT_WEEK, UNIT_WEEK_MONDAY},
	{"week_starting_monday", 20, UNIT_WEEK_MONDAY, UNIT_WEEK_MONDAY},
	{"day", 3, UNIT_DAY, UNIT_DAY},
	{"hour", 4, UNIT_HOUR, UNIT_HOUR},
	{"minute", 6, UNIT_MINUTE, UNIT_MINUTE},
	{"second", 6, UNIT_SECOND, UNIT_SECOND},
	{"millisecond", 11, UNIT_MILLISECOND, UNIT_MILLISECOND},
	{"weekday", 7, UNIT_WEEKDAY, UNIT_WEEKDAY},
	{"day_of_year", 11, UNIT_DAY_OF_YEAR, UNIT_DAY_OF_YEAR},
	{"epoch", 5, UNIT_EPOCH, UNIT_EPOCH}
};

const char *const sigma_month_names[12] = {
	"January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December"
};

const char *const sigma_day_names[7] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"
};

PG_FUNCTION_INFO_V1(fn_datefromunix);
PG_FUNCTION_INFO_V1(fn_datefromunixms);
PG_FUNCTION_INFO_V1(fn_datefromunixus);
PG_FUNCTION_INFO_V1(fn_dateadd);
PG_FUNCTION_INFO_V1(fn_datediff);
PG_FUNCTION_INFO_V1(fn_datetrunc);
PG_FUNCTION_INFO_V1(fn_datepart);
PG_FUNCTION_INFO_V1(fn_weekdayname);
PG_FUNCTION_INFO_V1(fn_monthname);
PG_FUNCTION_INFO_V1(fn_lastday);
PG_FUNCTION_INFO_V1(fn_makedate);
PG_FUNCTION_INFO_V1(fn_businessdays);

static void refuse_unit(const text *name, int allowed) pg_attribute_noreturn();
static bool date_from_unix(double units, int64 usecs_per_unit, Timestamp *result);
static int64 unit_number(DateUnit unit, Timestamp date);
static int64 unit_usecs(DateUnit unit);
static int64 date_part(DateUnit unit, Timestamp date);
static int	day_of_year(int64 day);
static int64 working_days_until(int64 day);
static void split_day(int64 day, int *year, int *month, int *mday);
static int64 join_day(int year, int month, int mday);
static int64 floor_divide(int64 a, int64 b);
static int64 floor_modulo(int64 a, int64 b);

/*
 * fn_datefromunix(seconds float8), fn_datefromunixms(milliseconds float8):
 * fractions down to microseconds count.  Null out of range.
 */
Datum
fn_datefromunix(PG_FUNCTION_ARGS)
{
	Timestamp	result;

	if (!sigma_date_from_unix(PG_GETARG_FLOAT8(0), &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

Datum
fn_datefromunixms(PG_FUNCTION_ARGS)
{
	Timestamp	result;

	if (!date_from_unix(PG_GETARG_FLOAT8(0), 1000, &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

/* fn_datefromunixus(microseconds int8): the last int8 stands for all numbers beyond it */
Datum
fn_datefromunixus(PG_FUNCTION_ARGS)
{
	int64		result;

	if (PG_GETARG_INT64(0) == PG_INT64_MAX || pg_sub_s64_overflow(PG_GETARG_INT64(0), EPOCH_SHIFT, &result) ||
		!IS_VALID_TIMESTAMP(result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

/*
 * fn_dateadd(unit, count, date): a month's end stays one where the month reached
 * is shorter.
 */
Datum
fn_dateadd(PG_FUNCTION_ARGS)
{
	DateUnit	unit = sigma_date_unit(PG_GETARG_TEXT_PP(0), UNITS_OF_TIME);
	Timestamp	result;

	if (!sigma_date_add(unit, PG_GETARG_INT64(1), PG_GETARG_TIMESTAMP(2), &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

/*
 * fn_datediff(unit, from, until): how many begins of units are passed on the way,
 * negative where it leads back.  Null for an infinite date.
 */
Datum
fn_datediff(PG_FUNCTION_ARGS)
{
	DateUnit	unit = sigma_date_unit(PG_GETARG_TEXT_PP(0), UNITS_OF_TIME | UNIT_BIT(UNIT_MILLISECOND));
	Timestamp	from = PG_GETARG_TIMESTAMP(1);
	Timestamp	until = PG_GETARG_TIMESTAMP(2);

	if (TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(until))
		PG_RETURN_NULL();
	PG_RETURN_INT64(unit_number(unit, until) - unit_number(unit, from));
}

/* fn_datetrunc(unit, date) */
Datum
fn_datetrunc(PG_FUNCTION_ARGS)
{
	DateUnit	unit = sigma_date_unit(PG_GETARG_TEXT_PP(0), UNITS_OF_PERIODS);
	Timestamp	result;

	if (!sigma_date_trunc(unit, PG_GETARG_TIMESTAMP(1), &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

/*
 * fn_datepart(unit, date).  Week 1 is the one with January 1, and weeks begin on
 * Sunday; milliseconds are those of the second; epoch is whole seconds since 1970.
 * Null for an infinite date.
 */
Datum
fn_datepart(PG_FUNCTION_ARGS)
{
	DateUnit	unit = sigma_date_unit(PG_GETARG_TEXT_PP(0),
									   UNITS_OF_TIME | UNIT_BIT(UNIT_MILLISECOND) | UNIT_BIT(UNIT_WEEKDAY) |
									   UNIT_BIT(UNIT_DAY_OF_YEAR) | UNIT_BIT(UNIT_EPOCH));
	Timestamp	date = PG_GETARG_TIMESTAMP(1);

	if (TIMESTAMP_NOT_FINITE(date))
		PG_RETURN_NULL();
	PG_RETURN_INT64(date_part(unit, date));
}

/* fn_weekdayname(date), fn_monthname(date): in English, whatever lc_time says */
Datum
fn_weekdayname(PG_FUNCTION_ARGS)
{
	Timestamp	date = PG_GETARG_TIMESTAMP(0);

	if (TIMESTAMP_NOT_FINITE(date))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(sigma_day_names[date_part(UNIT_WEEKDAY, date) - 1]));
}

Datum
fn_monthname(PG_FUNCTION_ARGS)
{
	Timestamp	date = PG_GETARG_TIMESTAMP(0);

	if (TIMESTAMP_NOT_FINITE(date))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(sigma_month_names[date_part(UNIT_MONTH, date) - 1]));
}

/* fn_lastday(date, unit): the last second of the date's year, quarter, month or week */
Datum
fn_lastday(PG_FUNCTION_ARGS)
{
	Timestamp	date = PG_GETARG_TIMESTAMP(0);
	DateUnit	unit = sigma_date_unit(PG_GETARG_TEXT_PP(1),
									   UNIT_BIT(UNIT_YEAR) | UNIT_BIT(UNIT_QUARTER) | UNIT_BIT(UNIT_MONTH) |
									   UNIT_BIT(UNIT_WEEK) | UNIT_BIT(UNIT_WEEK_MONDAY));
	Timestamp	result;

	if (!sigma_date_trunc(unit, date, &result) || !sigma_date_add(unit, 1, result, &result) ||
		!sigma_date_add(UNIT_SECOND, -1, result, &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

/*
 * fn_makedate(year, month, day, hour, minute, second float8): Null where there is
 * no such day or time; nothing is carried over.
 */
Datum
fn_makedate(PG_FUNCTION_ARGS)
{
	int			year = PG_GETARG_INT32(0);
	int			month = PG_GETARG_INT32(1);
	int			mday = PG_GETARG_INT32(2);
	int			hour = PG_GETARG_INT32(3);
	int			minute = PG_GETARG_INT32(4);
	double		second = PG_GETARG_FLOAT8(5);
	Timestamp	result;

	if (year < 1 || year > MAX_YEAR || month < 1 || month > 12 || mday < 1 ||
		mday > day_tab[isleap(year)][month - 1] ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || !(second >= 0 && second < 60))
		PG_RETURN_NULL();
	result = join_day(year, month, mday) * USECS_PER_DAY +
		(hour * INT64CONST(60) + minute) * USECS_PER_MINUTE + (int64) rint(second * USECS_PER_SEC);
	if (!IS_VALID_TIMESTAMP(result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

/*
 * fn_businessdays(from, until): Mondays to Fridays from one day to the other,
 * both counted; negative where it leads back.  Null for an infinite date.
 */
Datum
fn_businessdays(PG_FUNCTION_ARGS)
{
	Timestamp	from = PG_GETARG_TIMESTAMP(0);
	Timestamp	until = PG_GETARG_TIMESTAMP(1);
	int64		first;
	int64		last;

	if (TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(until))
		PG_RETURN_NULL();
	first = floor_divide(from, USECS_PER_DAY);
	last = floor_divide(until, USECS_PER_DAY);
	if (first <= last)
		PG_RETURN_INT64(working_days_until(last) - working_days_until(first - 1));
	PG_RETURN_INT64(working_days_until(last - 1) - working_days_until(first));
}

bool
sigma_date_from_unix(double seconds, Timestamp *result)
{
	return date_from_unix(seconds, USECS_PER_SEC, result);
}

DateUnit
sigma_date_unit(const text *name, int allowed)
{
	const char *given = VARDATA_ANY(name);
	int			length = VARSIZE_ANY_EXHDR(name);
	int			i;

	for (i = 0; i < lengthof(unit_names); i++)
		if (unit_names[i].length == length &&
			pg_strncasecmp(unit_names[i].name, given, length) == 0)
		{
			if ((allowed & UNIT_BIT(unit_names[i].among)) != 0)
				return unit_names[i].unit;
			break;
		}
	refuse_unit(name, allowed);
}

/* Throws 22023: no such unit here; the hint lists those there are. */
static void
refuse_unit(const text *name, int allowed)
{
	StringInfoData units;
	int			i;

	initStringInfo(&units);
	for (i = 0; i < lengthof(unit_names); i++)
		if ((allowed & UNIT_BIT(unit_names[i].among)) != 0)
			appendStringInfo(&units, "%s%s", units.len > 0 ? ", " : "", unit_names[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no date unit \"%s\" here", text_to_cstring(name)),
			 errhint("The units are: %s.", units.data)));
}

bool
sigma_date_trunc(DateUnit unit, Timestamp date, Timestamp *result)
{
	int64		day;
	int			year;
	int			month;
	int			mday;

	*result = date;
	if (TIMESTAMP_NOT_FINITE(date))
		return true;
	day = floor_divide(date, USECS_PER_DAY);
	switch (unit)
	{
		case UNIT_YEAR:
		case UNIT_QUARTER:
		case UNIT_MONTH:
			split_day(day, &year, &month, &mday);
			if (unit == UNIT_YEAR)
				month = 1;
			else if (unit == UNIT_QUARTER)
				month -= (month - 1) % 3;
			*result = join_day(year, month, 1) * USECS_PER_DAY;
			break;
		case UNIT_WEEK:			/* day 0, 2000-01-01, is a Saturday */
			*result = (day - floor_modulo(day + 6, 7)) * USECS_PER_DAY;
			break;
		case UNIT_WEEK_MONDAY:
			*result = (day - floor_modulo(day + 5, 7)) * USECS_PER_DAY;
			break;
		default:
			*result = date - floor_modulo(date, unit_usecs(unit));
	}
	return IS_VALID_TIMESTAMP(*result);
}

bool
sigma_date_add(DateUnit unit, int64 count, Timestamp date, Timestamp *result)
{
	int64		day;
	int64		months;
	int64		year;
	int			given_year;
	int			month;
	int			mday;

	*result = date;
	if (TIMESTAMP_NOT_FINITE(date))
		return true;
	if (unit != UNIT_YEAR && unit != UNIT_QUARTER && unit != UNIT_MONTH)
		return !pg_mul_s64_overflow(count, unit_usecs(unit), &count) &&
			!pg_add_s64_overflow(date, count, result) && IS_VALID_TIMESTAMP(*result);

	if (count > MAX_YEAR * INT64CONST(24) || count < -MAX_YEAR * INT64CONST(24))
		return false;
	day = floor_divide(date, USECS_PER_DAY);
	split_day(day, &given_year, &month, &mday);
	months = (int64) given_year * 12 + (month - 1) +
		count * (unit == UNIT_YEAR ? 12 : unit == UNIT_QUARTER ? 3 : 1);
	year = floor_divide(months, 12);
	month = floor_modulo(months, 12) + 1;
	if (!IS_VALID_JULIAN(year, month, 1) || year > MAX_YEAR)
		return false;
	mday = Min(mday, day_tab[isleap(year)][month - 1]);
	*result = join_day(year, month, mday) * USECS_PER_DAY + (date - day * USECS_PER_DAY);
	return IS_VALID_TIMESTAMP(*result);
}

/*
 * The date of so many units of that many microseconds since 1970; false out of range,
 * NaN included.  Whole units are counted exactly, whatever their product is.
 */
static bool
date_from_unix(double units, int64 usecs_per_unit, Timestamp *result)
{
	double		whole = floor(units);
	int64		usecs;

	if (!(whole > (double) PG_INT64_MIN && whole < (double) PG_INT64_MAX))
		return false;
	return !pg_mul_s64_overflow((int64) whole, usecs_per_unit, &usecs) &&
		!pg_add_s64_overflow(usecs, (int64) rint((units - whole) * usecs_per_unit), &usecs) &&
		!pg_sub_s64_overflow(usecs, EPOCH_SHIFT, result) &&
		IS_VALID_TIMESTAMP(*result);
}

/* Units counted through from some beginning: two dates in the same unit have the same number. */
static int64
unit_number(DateUnit unit, Timestamp date)
{
	int64		day = floor_divide(date, USECS_PER_DAY);
	int			year;
	int			month;
	int			mday;

	switch (unit)
	{
		case UNIT_YEAR:
		case UNIT_QUARTER:
		case UNIT_MONTH:
			split_day(day, &year, &month, &mday);
			if (unit == UNIT_YEAR)
				return year;
			if (unit == UNIT_QUARTER)
				return (int64) year * 4 + (month - 1) / 3;
			return (int64) year * 12 + month;
		case UNIT_WEEK:
			return floor_divide(day + 6, 7);
		case UNIT_WEEK_MONDAY:
			return floor_divide(day + 5, 7);
		default:
			return floor_divide(date, unit_usecs(unit));
	}
}

/* The length of a unit that has always the same one. */
static int64
unit_usecs(DateUnit unit)
{
	switch (unit)
	{
		case UNIT_WEEK:
		case UNIT_WEEK_MONDAY:
			return 7 * USECS_PER_DAY;
		case UNIT_DAY:
			return USECS_PER_DAY;
		case UNIT_HOUR:
			return USECS_PER_HOUR;
		case UNIT_MINUTE:
			return USECS_PER_MINUTE;
		case UNIT_SECOND:
			return USECS_PER_SEC;
		case UNIT_MILLISECOND:
			return 1000;
		default:
			elog(ERROR, "date unit %d has no fixed length", (int) unit);
	}
}

/* A part of a finite date. */
static int64
date_part(DateUnit unit, Timestamp date)
{
	int64		day = floor_divide(date, USECS_PER_DAY);
	int64		usecs = date - day * USECS_PER_DAY;
	int			year;
	int			month;
	int			mday;

	switch (unit)
	{
		case UNIT_YEAR:
			split_day(day, &year, &month, &mday);
			return year > 0 ? year : year - 1;	/* 1 BC is -1, as in extract() */
		case UNIT_QUARTER:
			split_day(day, &year, &month, &mday);
			return (month - 1) / 3 + 1;
		case UNIT_MONTH:
			split_day(day, &year, &month, &mday);
			return month;
		case UNIT_WEEK:
			{
				int			since = day_of_year(day) - 1;

				return (since + floor_modulo(day - since + 6, 7)) / 7 + 1;
			}
		case UNIT_DAY:
			split_day(day, &year, &month, &mday);
			return mday;
		case UNIT_HOUR:
			return usecs / USECS_PER_HOUR;
		case UNIT_MINUTE:
			return usecs / USECS_PER_MINUTE % 60;
		case UNIT_SECOND:
			return usecs / USECS_PER_SEC % 60;
		case UNIT_MILLISECOND:
			return usecs / 1000 % 1000;
		case UNIT_WEEKDAY:
			return floor_modulo(day + 6, 7) + 1;
		case UNIT_DAY_OF_YEAR:
			return day_of_year(day);
		case UNIT_EPOCH:
			return floor_divide(date, USECS_PER_SEC) + EPOCH_SHIFT / USECS_PER_SEC;
		case UNIT_WEEK_MONDAY:
			break;
	}
	elog(ERROR, "date unit %d is no part", (int) unit);
}

/* 1 to 366 */
static int
day_of_year(int64 day)
{
	int			year;
	int			month;
	int			mday;

	split_day(day, &year, &month, &mday);
	return day - join_day(year, 1, 1) + 1;
}

/* Working days from some Monday up to and including this day. */
static int64
working_days_until(int64 day)
{
	int64		weekday = floor_modulo(day + 5, 7);	/* Monday is 0 */

	return floor_divide(day + 5, 7) * 5 + Min(weekday + 1, 5);
}

/* Days since 2000-01-01 as year, month and day, and back; year 0 is 1 BC. */
static void
split_day(int64 day, int *year, int *month, int *mday)
{
	j2date((int) day + POSTGRES_EPOCH_JDATE, year, month, mday);
}

static int64
join_day(int year, int month, int mday)
{
	return (int64) date2j(year, month, mday) - POSTGRES_EPOCH_JDATE;
}

/* Division that rounds down, and what it leaves. */
static int64
floor_divide(int64 a, int64 b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static int64
floor_modulo(int64 a, int64 b)
{
	int64		rest = a % b;

	return rest < 0 ? rest + b : rest;
}
