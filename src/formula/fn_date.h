/*
 * fn_date.h
 *		Calendar arithmetic that the date functions of formulas share.
 *
 * All of it is on timestamps without time zone, which formulas take as UTC.
 * Infinite timestamps stay what they are.
 */
#ifndef SIGMA_FN_DATE_H
#define SIGMA_FN_DATE_H

#include "postgres.h"

#include "datatype/timestamp.h"

typedef enum DateUnit
{
	UNIT_YEAR,
	UNIT_QUARTER,
	UNIT_MONTH,
	UNIT_WEEK,					/* from Sunday */
	UNIT_WEEK_MONDAY,
	UNIT_DAY,
	UNIT_HOUR,
	UNIT_MINUTE,
	UNIT_SECOND,
	UNIT_MILLISECOND,
	UNIT_WEEKDAY,
	UNIT_DAY_OF_YEAR,
	UNIT_EPOCH
} DateUnit;

#define UNIT_BIT(unit)		(1 << (unit))

/* What lengths of time have, from years to seconds. */
#define UNITS_OF_TIME		(UNIT_BIT(UNIT_YEAR) | UNIT_BIT(UNIT_QUARTER) | UNIT_BIT(UNIT_MONTH) | \
							 UNIT_BIT(UNIT_WEEK) | UNIT_BIT(UNIT_DAY) | UNIT_BIT(UNIT_HOUR) | \
							 UNIT_BIT(UNIT_MINUTE) | UNIT_BIT(UNIT_SECOND))
#define UNITS_OF_PERIODS	(UNITS_OF_TIME | UNIT_BIT(UNIT_WEEK_MONDAY))

/* Names of months and days of the week in English: January and Sunday are 0. */
extern const char *const sigma_month_names[12];
extern const char *const sigma_day_names[7];

/* The unit of that name, one of "allowed" (UNIT_BITs); throws 22023 with the list. */
extern DateUnit sigma_date_unit(const text *name, int allowed);

/* The begin of the date's unit; false where the type does not reach so far. */
extern bool sigma_date_trunc(DateUnit unit, Timestamp date, Timestamp *result);

/* So many units later, at the end of a shorter month; false where the type does not reach so far. */
extern bool sigma_date_add(DateUnit unit, int64 count, Timestamp date, Timestamp *result);

/* The date of so many seconds since 1970; false out of range, NaN included. */
extern bool sigma_date_from_unix(double seconds, Timestamp *result);

#endif							/* SIGMA_FN_DATE_H */
