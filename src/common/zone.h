/*
 * zone.h
 *		The time zone of the app: setting sigma.timezone.
 *
 * It decides what Now() and Today() of formulas show.  Dates are stored in UTC;
 * PostgreSQL's own TimeZone, which is the client's, has no part in it.
 */
#ifndef SIGMA_ZONE_H
#define SIGMA_ZONE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/guc.h"

extern char *sigma_timezone;

/* Check hook: takes the names of time zones, nothing else that PostgreSQL takes as one. */
extern bool sigma_zone_check(char **value, void **extra, GucSource source);

/* Is it a name of the time zone database, as sigma_zone_check wants it? */
extern bool sigma_zone_is_known(const char *name);

/* The zone's name as the time zone database spells it. */
extern const char *sigma_zone_name(void);

/* The wall clock of the zone at that moment; throws 22008 out of range. */
extern Timestamp sigma_zone_clock(TimestampTz moment);

#endif							/* SIGMA_ZONE_H */
