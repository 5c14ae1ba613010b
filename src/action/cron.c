/*
 * cron.c
 *		Cron expressions: from text to sets, and the next time that they mean.
 *
 * Five fields as in crontab(5): minute, hour, day of month, month, day of week; each
 * "*", a value, a range, a list, with steps; names of months and days in English.  Where
 * both day fields are restricted, one of them suffices.  "@daily" and the like are taken.
 *
 * Daylight saving, as cron has it: where the hour is "*" the real time counts; else a
 * time that is skipped is run after the gap, and one that comes twice is run once.
 */
#include "postgres.h"

#include <ctype.h>

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "action/due.h"

#define HORIZON_YEARS	50		/* February 29 on a Sunday comes every 28, around 2100 every 40 */

/* One field of an expression. */
typedef struct CronField
{
	const char *name;			/* in messages */
	int			min;
	int			max;
	const char *const *words;	/* for min and on, three letters; or NULL */
} CronField;

static const char *const month_words[] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL
};
static const char *const weekday_words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const CronField fields[] = {
	{"minute", 0, 59, NULL},
	{"hour", 0, 23, NULL},
	{"day of month", 1, 31, NULL},
	{"month", 1, 12, month_words},
	{"day of week", 0, 7, weekday_words},
};

#define FIELDS lengthof(fields)

static char *parse_field(const CronField *field, char *text, uint64 *set);
static char *parse_part(const CronField *field, char *text, uint64 *set);
static bool parse_value(const CronField *field, const char *text, int *value);
static bool parse_number(const char *text, int *value);
static bool day_matches(const Cron *cron, int julian);
static bool next_by_day(const Cron *cron, pg_tz *zone, TimestampTz after, TimestampTz *next);
static bool next_by_minute(const Cron *cron, pg_tz *zone, TimestampTz after, TimestampTz *next);

/* The five fields that a text stands for: those of "@daily" and the like, else itself. */
const char *
sigma_cron_fields(const char *text)
{
	static const char *const macros[][2] = {
		{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
		{"@daily", "0 0 * * *"}, {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"}
	};
	int			i;

	for (i = 0; i < lengthof(macros); i++)
		if (pg_strcasecmp(text, macros[i][0]) == 0)
			return macros[i][1];
	return text;
}

/* Read an expression.  NULL, or what is wrong with it, palloc'd: it names the field. */
char *
sigma_cron_parse(const char *text, Cron *cron)
{
	char	   *copy = pstrdup(sigma_cron_fields(text));
	char	   *parts[FIELDS];
	uint64		sets[FIELDS];
	char	   *rest = copy;
	char	   *part;
	int			count = 0;
	int			i;

	for (part = strtok_r(rest, " \t\r\n", &rest); part != NULL; part = strtok_r(NULL, " \t\r\n", &rest))
	{
		if (count < FIELDS)
			parts[count] = part;
		count++;
	}
	if (count != FIELDS)
		return psprintf("it must have five fields, not %d", count);
	for (i = 0; i < FIELDS; i++)
	{
		char	   *problem;

		memset(cron, 0, sizeof(Cron));
		if ((problem = parse_field(&fields[i], pstrdup(parts[i]), &sets[i])) != NULL)
			return psprintf("field \"%s\" cannot be read: %s", fields[i].name, problem);
	}
	cron->minutes = sets[0];
	cron->hours = (uint32) sets[1];
	cron->days = (uint32) sets[2];
	cron->months = (uint32) sets[3];
	cron->weekdays = (uint32) ((sets[4] | (sets[4] >> 7)) & 0x7f);
	cron->any_hour = parts[1][0] == '*';
	cron->any_day = parts[2][0] == '*';
	cron->any_weekday = parts[4][0] == '*';
	return NULL;
}

/* A list.  NULL, or what is wrong. */
static char *
parse_field(const CronField *field, char *text, uint64 *set)
{
	char	   *part;

	*set = 0;
	while ((part = strsep(&text, ",")) != NULL)
	{
		char	   *problem = parse_part(field, part, set);

		if (problem != NULL)
			return problem;
	}
	return NULL;
}

/* "*", a value or a range, with a step perhaps. */
static char *
parse_part(const CronField *field, char *text, uint64 *set)
{
	char	   *given = pstrdup(text);
	char	   *step_text = strchr(text, '/');
	char	   *last_text;
	int			first = field->min;
	int			last = field->max == 7 ? 6 : field->max;
	int			step = 1;
	int			i;

	if (step_text != NULL)
		*step_text++ = '\0';
	last_text = strchr(text, '-');
	if (last_text != NULL)
		*last_text++ = '\0';
	if (strcmp(text, "*") != 0)
	{
		if (!parse_value(field, text, &first))
			return psprintf("\"%s\" is not from %d to %d%s", text, field->min, field->max,
							field->words != NULL ? ", nor a name" : "");
		last = first;
	}
	if (last_text != NULL && (strcmp(text, "*") == 0 || !parse_value(field, last_text, &last)))
		return psprintf("the range \"%s\" does not end from %d to %d", given, field->min, field->max);
	if (last < first)
		return psprintf("the range \"%s\" ends before it begins", given);
	if (step_text != NULL)
	{
		if (strcmp(text, "*") != 0 && last_text == NULL)
			return psprintf("the step of \"%s\" needs a range, or \"*\"", given);
		if (!parse_number(step_text, &step) || step < 1 || step > field->max)
			return psprintf("the step of \"%s\" is not from 1 to %d", given, field->max);
	}
	for (i = first; i <= last; i += step)
		*set |= UINT64CONST(1) << i;
	return NULL;
}

static bool
parse_value(const CronField *field, const char *text, int *value)
{
	int			i;

	for (i = 0; field->words != NULL && field->words[i] != NULL; i++)
		if (pg_strcasecmp(text, field->words[i]) == 0)
		{
			*value = field->min + i;
			return true;
		}
	return parse_number(text, value) && *value >= field->min && *value <= field->max;
}

/* A few digits and nothing else. */
static bool
parse_number(const char *text, int *value)
{
	size_t		length = strlen(text);

	if (length == 0 || length > 3 || strspn(text, "0123456789") != length)
		return false;
	*value = atoi(text);
	return true;
}

/* The first time after that one, to the minute, in that zone; false where there is none within 50 years. */
bool
sigma_cron_next(const Cron *cron, const char *zone_name, TimestampTz after, TimestampTz *next)
{
	pg_tz	   *zone = pg_tzset(zone_name);

	if (zone == NULL)
		return false;
	return cron->any_hour ? next_by_minute(cron, zone, after, next) : next_by_day(cron, zone, after, next);
}

/* Is it a day of the expression? */
static bool
day_matches(const Cron *cron, int julian)
{
	int			year;
	int			month;
	int			day;
	bool		of_month;
	bool		of_week;

	j2date(julian, &year, &month, &day);
	if ((cron->months & (1U << month)) == 0)
		return false;
	of_month = (cron->days & (1U << day)) != 0;
	of_week = (cron->weekdays & (1U << j2day(julian))) != 0;
	return cron->any_day || cron->any_weekday ? of_month && of_week : of_month || of_week;
}

/* Hours are given: go by the calendar of the zone. */
static bool
next_by_day(const Cron *cron, pg_tz *zone, TimestampTz after, TimestampTz *next)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;
	int			julian;
	int			last;
	int			i;

	if (timestamp2tm(after, &offset, &tm, &fsec, NULL, zone) != 0)
		return false;
	julian = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday);
	for (last = julian + HORIZON_YEARS * 366; julian <= last; julian++)
	{
		if (!day_matches(cron, julian))
			continue;
		for (i = 0; i < 24 * 60; i++)
		{
			TimestampTz moment;

			if ((cron->hours & (1U << (i / 60))) == 0 || (cron->minutes & (UINT64CONST(1) << (i % 60))) == 0)
				continue;
			memset(&tm, 0, sizeof(tm));
			j2date(julian, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
			tm.tm_hour = i / 60;
			tm.tm_min = i % 60;
			offset = DetermineTimeZoneOffset(&tm, zone);
			if (tm2timestamp(&tm, 0, &offset, &moment) != 0)
				return false;
			if (moment > after)
			{
				*next = moment;
				return true;
			}
		}
	}
	return false;
}

/* Any hour: go by the real time. */
static bool
next_by_minute(const Cron *cron, pg_tz *zone, TimestampTz after, TimestampTz *next)
{
	TimestampTz moment = after - after % USECS_PER_MINUTE + (after >= 0 || after % USECS_PER_MINUTE == 0 ? USECS_PER_MINUTE : 0);
	TimestampTz last = after + HORIZON_YEARS * INT64CONST(366) * USECS_PER_DAY;

	while (moment < last)
	{
		struct pg_tm tm;
		fsec_t		fsec;
		int			offset;

		CHECK_FOR_INTERRUPTS();
		if (timestamp2tm(moment, &offset, &tm, &fsec, NULL, zone) != 0)
			return false;
		if ((cron->hours & (1U << tm.tm_hour)) == 0 || !day_matches(cron, date2j(tm.tm_year, tm.tm_mon, tm.tm_mday)))
			moment += (60 - tm.tm_min) * USECS_PER_MINUTE;
		else if ((cron->minutes & (UINT64CONST(1) << tm.tm_min)) == 0)
			moment += USECS_PER_MINUTE;
		else
		{
			*next = moment;
			return true;
		}
	}
	return false;
}
