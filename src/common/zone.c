/*
 * zone.c
 *		The time zone of the app: setting sigma.timezone.
 *
 * The zone is looked up by name at each use: PostgreSQL keeps those it has read in
 * a hash table of the backend.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "common/zone.h"

char	   *sigma_timezone = NULL;

static bool has_known_digits(const char *name);

bool
sigma_zone_check(char **value, void **extra, GucSource source)
{
	if (!sigma_zone_is_known(*value))
	{
		GUC_check_errdetail("There is no time zone of that name.");
		GUC_check_errhint("Names are such as UTC, Europe/Berlin, America/New_York; view pg_timezone_names lists them.");
		return false;
	}
	return true;
}

const char *
sigma_zone_name(void)
{
	return pg_get_timezone_name(pg_tzset(sigma_timezone));
}

Timestamp
sigma_zone_clock(TimestampTz moment)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;
	Timestamp	result;

	if (timestamp2tm(moment, &offset, &tm, &fsec, NULL, pg_tzset(sigma_timezone)) != 0 ||
		tm2timestamp(&tm, fsec, NULL, &result) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return result;
}

/*
 * pg_tzset() also takes POSIX rules, and so almost any letters with a number behind
 * them.  A rule needs that number: a name without digits is of the database.
 */
bool
sigma_zone_is_known(const char *name)
{
	pg_tz	   *zone = pg_tzset(name);

	return zone != NULL && pg_tz_acceptable(zone) &&
		(strpbrk(name, "0123456789") == NULL || has_known_digits(name));
}

/* Is it one of the few names that have digits? */
static bool
has_known_digits(const char *name)
{
	static const char *const names[] = {
		"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "GMT0", "GMT+0", "GMT-0",
		"Etc/GMT0", "Etc/GMT+0", "Etc/GMT-0"
	};
	const char *hours;
	int			i;

	for (i = 0; i < lengthof(names); i++)
		if (pg_strcasecmp(name, names[i]) == 0)
			return true;
	if (pg_strncasecmp(name, "Etc/GMT", 7) != 0 || (name[7] != '+' && name[7] != '-'))
		return false;
	hours = name + 8;
	return strlen(hours) <= 2 && hours[0] >= '1' && hours[0] <= '9' &&
		strspn(hours, "0123456789") == strlen(hours) &&
		atoi(hours) <= (name[7] == '+' ? 12 : 14);
}
