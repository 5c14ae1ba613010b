/*
 * due.h
 *		What is to be run without a caller: row changes after their commit, schedules.
 *
 * row_change.c  which sequences a changed row starts
 * due.c         the queue of row changes; run_due
 * schedule.c    schedules: their rows, jobs of pg_cron
 * cron.c        cron expressions
 */
#ifndef SIGMA_DUE_H
#define SIGMA_DUE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

#include "common/json.h"
#include "compat.h"

/* row_change.c */
extern void sigma_row_change_check(const JsonNode *trigger);
extern void sigma_row_change_hold(bool hold);

/* due.c */
extern void sigma_event_put(const char *sequence_id, const char *table_id, Jsonb *context);
extern int	sigma_event_depth(void);
extern int64 sigma_cluster(void);

/* schedule.c */
extern void sigma_schedule_check(const JsonNode *trigger);
extern TimestampTz sigma_schedule_next(const JsonNode *trigger, TimestampTz after);

/* cron.c: a schedule, as sets of the values that each field takes */
typedef struct Cron
{
	uint64		minutes;		/* bits 0 to 59 */
	uint32		hours;			/* 0 to 23 */
	uint32		days;			/* 1 to 31 */
	uint32		months;			/* 1 to 12 */
	uint32		weekdays;		/* 0 (Sunday) to 6 */
	bool		any_hour;		/* "*": runs follow the real time */
	bool		any_day;		/* "*": the weekday decides alone */
	bool		any_weekday;
} Cron;

extern char *sigma_cron_parse(const char *text, Cron *cron);
extern const char *sigma_cron_fields(const char *text);
extern bool sigma_cron_next(const Cron *cron, const char *zone, TimestampTz after, TimestampTz *next);

#endif							/* SIGMA_DUE_H */
