/*
 * date.c
 *		Reading dates and times that people and programs write.
 *
 * PostgreSQL's own reader depends on settings (DateStyle, TimeZone), throws, and
 * takes words such as "now" and "infinity".  Imported data must read the same in
 * every session and never stop a batch, so this one is written out:
 *
 *		date	2024-03-01  2024/3/1  20240301  1.3.2024  3/1/24  1 March 2024  Mar 1, 2024
 *		time	09:30  9:30:15.25  9:30 pm  24:00
 *		zone	Z  UTC  GMT  +02  +02:00  -0530
 *
 * A year of four digits in front is year, month, day whatever the order says.
 * A year of two digits is 1970 to 2069 and is taken only where the order is not
 * year, month, day.  Years are 1 to 9999.  Nothing is allocated.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "common/date.h"

/* What is left to read. */
typedef struct Scan
{
	const char *at;
	const char *end;
} Scan;

/* One part of a date: a number with its digits counted, or a month's name. */
typedef struct DatePart
{
	int			number;
	int			digits;			/* 0: a name */
} DatePart;

static bool read_date(Scan *scan, int order, int *year, int *month, int *day);
static bool read_part(Scan *scan, DatePart *part);
static bool read_month_name(Scan *scan, int *month);
static bool read_separator(Scan *scan);
static bool arrange_parts(const DatePart *parts, int order, int *year, int *month, int *day);
static bool read_time(Scan *scan, int64 *usecs);
static bool read_fraction(Scan *scan, int64 *usecs);
static bool read_zone(Scan *scan, int *minutes);
static bool read_number(Scan *scan, int max_digits, int *number, int *digits);
static bool read_word(Scan *scan, const char *word);
static void skip_blanks(Scan *scan);

bool
sigma_date_read(const char *text, int length, int order, bool zoned,
				Timestamp *result, const char **why)
{
	Scan		scan = {text, text + length};
	int			year,
				month,
				day;
	int64		usecs = 0;
	int			offset = 0;

	*why = zoned ? "is not a date and time" : "is not a date";
	skip_blanks(&scan);
	if (!read_date(&scan, order, &year, &month, &day))
		return false;
	if (scan.at < scan.end && (*scan.at == 'T' || *scan.at == 't'))
	{
		scan.at++;
		if (!read_time(&scan, &usecs) || !read_zone(&scan, &offset))
			return false;
	}
	else
	{
		skip_blanks(&scan);
		if (scan.at < scan.end && (!read_time(&scan, &usecs) || !read_zone(&scan, &offset)))
			return false;
	}
	skip_blanks(&scan);
	if (scan.at < scan.end)
		return false;

	if (month < 1 || month > 12 || day < 1 || year < 1 ||
		day > day_tab[isleap(year)][month - 1])
	{
		*why = "is not a day of the calendar";
		return false;
	}
	*result = (int64) (date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
	if (zoned)
		*result += usecs - (int64) offset * USECS_PER_MINUTE;
	return true;
}

/* Year, month and day in one of the forms above; their ranges are not checked. */
static bool
read_date(Scan *scan, int order, int *year, int *month, int *day)
{
	DatePart	parts[3];
	int			i;

	for (i = 0; i < 3; i++)
	{
		if (i > 0 && !read_separator(scan))
			return false;
		if (!read_part(scan, &parts[i]))
			return false;
		if (i == 0 && parts[0].digits == 8)
		{
			*year = parts[0].number / 10000;
			*month = parts[0].number / 100 % 100;
			*day = parts[0].number % 100;
			return true;
		}
	}
	return arrange_parts(parts, order, year, month, day);
}

static bool
read_part(Scan *scan, DatePart *part)
{
	if (read_number(scan, 8, &part->number, &part->digits))
		return true;
	part->digits = 0;
	return read_month_name(scan, &part->number);
}

/* A month in English, whole or its first three letters. */
static bool
read_month_name(Scan *scan, int *month)
{
	static const char *const names[] = {
		"january", "february", "march", "april", "may", "june", "july",
		"august", "september", "october", "november", "december"
	};
	int			i;

	for (i = 0; i < lengthof(names); i++)
		if (read_word(scan, names[i]))
		{
			*month = i + 1;
			return true;
		}
	for (i = 0; i < lengthof(names); i++)
	{
		char		brief[4];

		strlcpy(brief, names[i], sizeof(brief));
		if (read_word(scan, brief))
		{
			*month = i + 1;
			return true;
		}
	}
	return false;
}

/* One of - / . or a comma, with blanks around it, or blanks alone. */
static bool
read_separator(Scan *scan)
{
	const char *start = scan->at;

	skip_blanks(scan);
	if (scan->at < scan->end && strchr("-/.,", *scan->at) != NULL)
	{
		scan->at++;
		skip_blanks(scan);
	}
	return scan->at > start;
}

/* Say which part is the year, which the month, which the day. */
static bool
arrange_parts(const DatePart *parts, int order, int *year, int *month, int *day)
{
	int			at_year,
				at_month,
				at_day;

	if (parts[0].digits == 4 || order == DATEORDER_YMD)
		at_year = 0, at_month = 1, at_day = 2;
	else if (order == DATEORDER_DMY)
		at_year = 2, at_month = 1, at_day = 0;
	else
		at_year = 2, at_month = 0, at_day = 1;

	/* a month's name says where it stands, and with that where the day does */
	if (parts[0].digits == 0)
		at_month = 0, at_day = 1, at_year = 2;
	else if (parts[1].digits == 0 && parts[0].digits <= 2)
		at_day = 0, at_month = 1, at_year = 2;

	if (parts[at_year].digits != 4 &&
		(parts[at_year].digits != 2 || order == DATEORDER_YMD))
		return false;
	if (parts[at_month].digits > 2 || parts[at_day].digits > 2 || parts[at_day].digits == 0)
		return false;
	*year = parts[at_year].number;
	if (parts[at_year].digits == 2)
		*year += *year < 70 ? 2000 : 1900;
	*month = parts[at_month].number;
	*day = parts[at_day].number;
	return true;
}

/* Hours and minutes, then perhaps seconds, a fraction, am or pm. */
static bool
read_time(Scan *scan, int64 *usecs)
{
	int			hour,
				minute,
				second = 0,
				digits;
	int64		fraction = 0;
	bool		am,
				pm = false;

	if (!read_number(scan, 2, &hour, &digits) ||
		scan->at == scan->end || *scan->at != ':')
		return false;
	scan->at++;
	if (!read_number(scan, 2, &minute, &digits) || digits != 2)
		return false;
	if (scan->at < scan->end && *scan->at == ':')
	{
		scan->at++;
		if (!read_number(scan, 2, &second, &digits) || digits != 2 ||
			!read_fraction(scan, &fraction))
			return false;
	}
	skip_blanks(scan);
	am = read_word(scan, "am");
	if (!am)
		pm = read_word(scan, "pm");
	if (am || pm)
	{
		if (hour < 1 || hour > 12)
			return false;
		hour = hour % 12 + (pm ? 12 : 0);
	}
	*usecs = ((hour * INT64CONST(60) + minute) * 60 + second) * USECS_PER_SEC + fraction;
	return minute < 60 && second < 60 && *usecs <= USECS_PER_DAY;
}

/* Digits after a point, rounded to microseconds; nothing there is no error. */
static bool
read_fraction(Scan *scan, int64 *usecs)
{
	int64		scale = USECS_PER_SEC;
	const char *start;

	*usecs = 0;
	if (scan->at == scan->end || (*scan->at != '.' && *scan->at != ','))
		return true;
	start = ++scan->at;
	while (scan->at < scan->end && isdigit((unsigned char) *scan->at))
	{
		int			digit = *scan->at - '0';

		if (scale >= 10)
		{
			scale /= 10;
			*usecs += digit * scale;
		}
		else if (scale == 1)
		{
			*usecs += digit >= 5 ? 1 : 0;
			scale = 0;
		}
		scan->at++;
	}
	return scan->at > start;
}

/* Minutes east of UTC; no zone is UTC. */
static bool
read_zone(Scan *scan, int *minutes)
{
	int			sign;
	int			hour,
				minute = 0,
				digits;

	*minutes = 0;
	skip_blanks(scan);
	if (scan->at == scan->end || read_word(scan, "z") ||
		read_word(scan, "utc") || read_word(scan, "gmt"))
		return true;
	if (*scan->at != '+' && *scan->at != '-')
		return false;
	sign = *scan->at++ == '-' ? -1 : 1;
	if (!read_number(scan, 4, &hour, &digits) || digits == 3)
		return false;
	if (digits == 4)
	{
		minute = hour % 100;
		hour /= 100;
	}
	else if (scan->at < scan->end && *scan->at == ':')
	{
		scan->at++;
		if (!read_number(scan, 2, &minute, &digits) || digits != 2)
			return false;
	}
	*minutes = sign * (hour * 60 + minute);
	return hour <= MAX_TZDISP_HOUR && minute < 60;
}

/* A run of digits; false where there is none or more than "max_digits". */
static bool
read_number(Scan *scan, int max_digits, int *number, int *digits)
{
	const char *start = scan->at;

	*number = 0;
	while (scan->at < scan->end && isdigit((unsigned char) *scan->at) &&
		   scan->at - start < max_digits)
		*number = *number * 10 + (*scan->at++ - '0');
	*digits = scan->at - start;
	return *digits > 0 &&
		(scan->at == scan->end || !isdigit((unsigned char) *scan->at));
}

/* Exactly this word, ignoring case, not followed by another letter. */
static bool
read_word(Scan *scan, const char *word)
{
	int			length = strlen(word);

	if (scan->end - scan->at < length ||
		pg_strncasecmp(scan->at, word, length) != 0 ||
		(scan->at + length < scan->end && isalpha((unsigned char) scan->at[length])))
		return false;
	scan->at += length;
	return true;
}

static void
skip_blanks(Scan *scan)
{
	while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t'))
		scan->at++;
}
