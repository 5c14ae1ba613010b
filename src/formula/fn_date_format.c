/*
 * fn_date_format.c
 *		Date functions of formulas: dates as text in a format, and back.
 *
 * Formats are those of strftime, of which these tokens are known:
 *
 *		%Y %y	year, its last two digits		%H %I	hour of 24, of 12
 *		%q		quarter (not when reading)		%M %S	minute, second
 *		%m		month							%p		AM or PM
 *		%B %b	its name, three letters of it	%L %f	milliseconds, microseconds
 *		%d		day of the month				%Z		zone: UTC
 *		%A %a	day of the week, three letters	%%		%
 *
 * Names are English, whatever lc_time says.  A text that does not follow the format
 * is Null; a token that does not exist is an error.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "formula/fn_date.h"

#define FIRST_YEAR			1970	/* of a text that says none */

/* What is left to read of a text. */
typedef struct Scan
{
	const char *at;
	const char *end;
} Scan;

/* What a text said so far. */
typedef struct ParsedDate
{
	int			year;
	int			month;
	int			day;
	int			hour;
	int			hour12;			/* 1 to 12, or 0: there was no %I */
	int			minute;
	int			second;
	int			usecs;
	bool		afternoon;
	int			zone;			/* minutes east of UTC */
} ParsedDate;

PG_FUNCTION_INFO_V1(fn_dateformat);
PG_FUNCTION_INFO_V1(fn_dateparse);

static void append_token(StringInfo buf, char token, const struct pg_tm *tm, fsec_t fsec);
static int	weekday_of(const struct pg_tm *tm);
static bool read_format(Scan *text, Scan *format, ParsedDate *date);
static bool read_token(Scan *text, char token, ParsedDate *date);
static bool read_character(Scan *text, char character);
static bool read_digits(Scan *text, int max_digits, int *number);
static bool read_year(Scan *text, int *year);
static bool read_fraction(Scan *text, int max_digits, int *usecs);
static bool read_name(Scan *text, const char *const *names, int count, int brief, int *index);
static bool read_half(Scan *text, bool *afternoon);
static bool read_zone(Scan *text, int *minutes);
static bool arrange(const ParsedDate *date, Timestamp *result);
static bool skip_blanks(Scan *scan);
static void refuse_token(const char *token, const char *end, bool reading) pg_attribute_noreturn();

/* fn_dateformat(date, format): Null for an infinite date; throws 22023 for an unknown token */
Datum
fn_dateformat(PG_FUNCTION_ARGS)
{
	Timestamp	date = PG_GETARG_TIMESTAMP(0);
	text	   *format = PG_GETARG_TEXT_PP(1);
	const char *at = VARDATA_ANY(format);
	const char *end = at + VARSIZE_ANY_EXHDR(format);
	struct pg_tm tm;
	fsec_t		fsec;
	StringInfoData buf;

	if (TIMESTAMP_NOT_FINITE(date) || timestamp2tm(date, NULL, &tm, &fsec, NULL, NULL) != 0)
		PG_RETURN_NULL();
	initStringInfo(&buf);
	while (at < end)
	{
		const char *plain = at;

		while (at < end && *at != '%')
			at++;
		appendBinaryStringInfo(&buf, plain, at - plain);
		if (at == end)
			break;
		if (at + 1 == end || strchr("YyqmBbAadHIMSpLfZ%", at[1]) == NULL)
			refuse_token(at, end, false);
		append_token(&buf, at[1], &tm, fsec);
		at += 2;
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}

/*
 * fn_dateparse(text, format): Null where the text does not follow the format or is
 * no day of the calendar.  Parts the format lacks are those of 1970-01-01 00:00:00;
 * a weekday is read and not checked.  Throws 22023 for an unknown token.
 */
Datum
fn_dateparse(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	text	   *pattern = PG_GETARG_TEXT_PP(1);
	Scan		text = {VARDATA_ANY(given), VARDATA_ANY(given) + VARSIZE_ANY_EXHDR(given)};
	Scan		format = {VARDATA_ANY(pattern), VARDATA_ANY(pattern) + VARSIZE_ANY_EXHDR(pattern)};
	ParsedDate	date = {.year = FIRST_YEAR, .month = 1, .day = 1};
	Timestamp	result;

	if (!read_format(&text, &format, &date) || !arrange(&date, &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMP(result);
}

static void
append_token(StringInfo buf, char token, const struct pg_tm *tm, fsec_t fsec)
{
	switch (token)
	{
		case 'Y':
			appendStringInfo(buf, "%04d", tm->tm_year);
			break;
		case 'y':
			appendStringInfo(buf, "%02d", abs(tm->tm_year) % 100);
			break;
		case 'q':
			appendStringInfo(buf, "%d", (tm->tm_mon - 1) / 3 + 1);
			break;
		case 'm':
			appendStringInfo(buf, "%02d", tm->tm_mon);
			break;
		case 'B':
			appendStringInfoString(buf, sigma_month_names[tm->tm_mon - 1]);
			break;
		case 'b':
			appendStringInfo(buf, "%.3s", sigma_month_names[tm->tm_mon - 1]);
			break;
		case 'A':
			appendStringInfoString(buf, sigma_day_names[weekday_of(tm)]);
			break;
		case 'a':
			appendStringInfo(buf, "%.3s", sigma_day_names[weekday_of(tm)]);
			break;
		case 'd':
			appendStringInfo(buf, "%02d", tm->tm_mday);
			break;
		case 'H':
			appendStringInfo(buf, "%02d", tm->tm_hour);
			break;
		case 'I':
			appendStringInfo(buf, "%02d", (tm->tm_hour + 11) % 12 + 1);
			break;
		case 'M':
			appendStringInfo(buf, "%02d", tm->tm_min);
			break;
		case 'S':
			appendStringInfo(buf, "%02d", tm->tm_sec);
			break;
		case 'p':
			appendStringInfoString(buf, tm->tm_hour < 12 ? "AM" : "PM");
			break;
		case 'L':
			appendStringInfo(buf, "%03d", (int) fsec / 1000);
			break;
		case 'f':
			appendStringInfo(buf, "%06d", (int) fsec);
			break;
		case 'Z':
			appendStringInfoString(buf, "UTC");
			break;
		default:
			appendStringInfoChar(buf, token);
	}
}

/* 0: Sunday */
static int
weekday_of(const struct pg_tm *tm)
{
	return j2day(date2j(tm->tm_year, tm->tm_mon, tm->tm_mday));
}

/*
 * Read the whole text as the whole format says.  Blanks in the format stand for any
 * number of blanks, all other characters for themselves.  The format is read to its
 * end even where the text fails, so that a wrong token never passes unseen.
 */
static bool
read_format(Scan *text, Scan *format, ParsedDate *date)
{
	bool		good = true;

	while (format->at < format->end)
	{
		if (skip_blanks(format))
			skip_blanks(text);
		else if (*format->at != '%')
			good = read_character(text, *format->at++) && good;
		else
		{
			if (format->at + 1 == format->end || strchr("YymBbAadHIMSpLfZ%", format->at[1]) == NULL)
				refuse_token(format->at, format->end, true);
			good = read_token(text, format->at[1], date) && good;
			format->at += 2;
		}
	}
	return good && text->at == text->end;
}

/* False where the text does not go on so. */
static bool
read_token(Scan *text, char token, ParsedDate *date)
{
	int			index;

	switch (token)
	{
		case 'Y':
			return read_year(text, &date->year);
		case 'y':
			if (!read_digits(text, 2, &date->year))
				return false;
			date->year += date->year < 70 ? 2000 : 1900;
			return true;
		case 'm':
			return read_digits(text, 2, &date->month);
		case 'B':
		case 'b':
			if (!read_name(text, sigma_month_names, 12, token == 'b' ? 3 : 0, &index))
				return false;
			date->month = index + 1;
			return true;
		case 'A':
		case 'a':
			return read_name(text, sigma_day_names, 7, token == 'a' ? 3 : 0, &index);
		case 'd':
			return read_digits(text, 2, &date->day);
		case 'H':
			return read_digits(text, 2, &date->hour);
		case 'I':
			return read_digits(text, 2, &date->hour12) && date->hour12 >= 1 && date->hour12 <= 12;
		case 'M':
			return read_digits(text, 2, &date->minute);
		case 'S':
			return read_digits(text, 2, &date->second);
		case 'p':
			return read_half(text, &date->afternoon);
		case 'L':
			return read_fraction(text, 3, &date->usecs);
		case 'f':
			return read_fraction(text, 6, &date->usecs);
		case 'Z':
			return read_zone(text, &date->zone);
		default:
			return read_character(text, token);
	}
}

/* This byte of a character. */
static bool
read_character(Scan *text, char character)
{
	if (text->at == text->end || *text->at != character)
		return false;
	text->at++;
	return true;
}

/* One digit to "max_digits". */
static bool
read_digits(Scan *text, int max_digits, int *number)
{
	const char *start = text->at;

	*number = 0;
	while (text->at < text->end && text->at - start < max_digits &&
		   *text->at >= '0' && *text->at <= '9')
		*number = *number * 10 + (*text->at++ - '0');
	return text->at > start;
}

/* Four digits. */
static bool
read_year(Scan *text, int *year)
{
	const char *start = text->at;

	return read_digits(text, 4, year) && text->at - start == 4;
}

/* Digits after a point: "5" are 500 milliseconds. */
static bool
read_fraction(Scan *text, int max_digits, int *usecs)
{
	const char *start = text->at;
	int			digits;

	if (!read_digits(text, max_digits, usecs))
		return false;
	for (digits = text->at - start; digits < 6; digits++)
		*usecs *= 10;
	return true;
}

/* One of some names in any case, or so many letters of one; which one it is. */
static bool
read_name(Scan *text, const char *const *names, int count, int brief, int *index)
{
	for (*index = 0; *index < count; (*index)++)
	{
		int			length = brief > 0 ? brief : strlen(names[*index]);

		if (text->end - text->at >= length &&
			pg_strncasecmp(text->at, names[*index], length) == 0)
		{
			text->at += length;
			return true;
		}
	}
	return false;
}

/* AM or PM, in any case */
static bool
read_half(Scan *text, bool *afternoon)
{
	if (text->end - text->at < 2)
		return false;
	*afternoon = pg_strncasecmp(text->at, "pm", 2) == 0;
	if (!*afternoon && pg_strncasecmp(text->at, "am", 2) != 0)
		return false;
	text->at += 2;
	return true;
}

/* Z, UTC, GMT, +02, +0200, +02:00 */
static bool
read_zone(Scan *text, int *minutes)
{
	static const char *const names[] = {"UTC", "GMT", "Z"};
	int			index;
	int			sign;
	int			hour;
	int			minute = 0;

	*minutes = 0;
	if (read_name(text, names, lengthof(names), 0, &index))
		return true;
	if (text->at == text->end || (*text->at != '+' && *text->at != '-'))
		return false;
	sign = *text->at++ == '-' ? -1 : 1;
	if (!read_digits(text, 2, &hour))
		return false;
	if (text->at < text->end && *text->at == ':')
		text->at++;
	if (text->at < text->end && *text->at >= '0' && *text->at <= '9' && !read_digits(text, 2, &minute))
		return false;
	*minutes = sign * (hour * 60 + minute);
	return hour <= MAX_TZDISP_HOUR && minute < 60;
}

/* The parts as a date in UTC; false where there is no such day or time. */
static bool
arrange(const ParsedDate *date, Timestamp *result)
{
	int			hour = date->hour12 == 0 ? date->hour :
		date->hour12 % 12 + (date->afternoon ? 12 : 0);

	if (date->year < 1 || date->month < 1 || date->month > 12 || date->day < 1 ||
		date->day > day_tab[isleap(date->year)][date->month - 1] ||
		hour > 23 || date->minute > 59 || date->second > 59)
		return false;
	*result = ((int64) date2j(date->year, date->month, date->day) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY +
		(hour * INT64CONST(60) + date->minute - date->zone) * USECS_PER_MINUTE +
		date->second * USECS_PER_SEC + date->usecs;
	return true;
}

/* Pass blanks by; were there any? */
static bool
skip_blanks(Scan *scan)
{
	const char *start = scan->at;

	while (scan->at < scan->end && strchr(" \t\n\r", *scan->at) != NULL && *scan->at != '\0')
		scan->at++;
	return scan->at > start;
}

/* Throws 22023: a format has a token that does not exist; the whole character is shown. */
static void
refuse_token(const char *token, const char *end, bool reading)
{
	int			length = 1;

	if (end - token > 1)
		length += pg_mblen(token + 1);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no date format \"%.*s\"%s", length, token, reading ? " for reading" : ""),
			 errhint("The formats are: %%Y %%y %s%%m %%B %%b %%A %%a %%d %%H %%I %%M %%S %%p %%L %%f %%Z %%%%.",
					 reading ? "" : "%q ")));
}
