/*
 * schedule.c
 *		Sequences that start by the clock, and what else follows a sequence's definition.
 *
 * A row of sigma.sigma_schedules says when a sequence with a trigger of type schedule runs
 * next, and with whose rights: those of the role that saved it last.  Where pg_cron is
 * installed in the database, a job of it runs the sequence; elsewhere sigma.run_due() does,
 * called by whatever ticks.  Jobs belong to the owner of sigma's tables, so that whoever
 * may change the sequence can change its job; what they run as is the schedule's role.
 *
 * Rows are written by the owner of the table: nobody else has a right to write them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "action/action.h"
#include "action/due.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/session.h"
#include "common/spi.h"
#include "common/zone.h"

#define EVENTS_JOB	"sigma row changes"
#define EVERY_MINUTE "* * * * *"

PG_FUNCTION_INFO_V1(sigma_sequence_events);
PG_FUNCTION_INFO_V1(next_run);

static const char *zone_of(const JsonNode *trigger);
static JsonNode *trigger_of(TriggerData *trigger, HeapTuple row);
static void follow_tables(JsonNode *before, JsonNode *after);
static void follow_schedule(const char *id, JsonNode *before, JsonNode *after);
static void store_schedule(const char *id, const JsonNode *trigger, bool moved);
static void forget(const char *sql, const char *id);
static bool has_type(const JsonNode *trigger, const char *type);
static bool waits(const JsonNode *trigger);
static bool any_waits(void);
static void set_job(const char *name, const char *cron, const char *command, const char *id);
static void drop_job(const char *name);
static char *job_name(const char *id);
static const char *job_cron(const JsonNode *trigger);
static bool has_pg_cron(void);
static void hint_at_tick(const char *id);

/*
 * AFTER INSERT, UPDATE or DELETE ON sigma_action_sequences FOR EACH ROW: triggers of data
 * tables, the row of the schedule and jobs of pg_cron follow the definition.  A dump
 * brings all of them itself.
 */
Datum
sigma_sequence_events(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "sigma_sequence_events", "sigma_action_sequences",
												 TRIGGER_EVENT_ROW, CATALOG_INSERT | CATALOG_UPDATE | CATALOG_DELETE);
	bool		isnull;
	char	   *id = TextDatumGetCString(heap_getattr(trigger->tg_trigtuple, 1, RelationGetDescr(trigger->tg_relation), &isnull));
	JsonNode   *before = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? NULL : trigger_of(trigger, trigger->tg_trigtuple);
	JsonNode   *after = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? trigger_of(trigger, trigger->tg_trigtuple) :
		TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger_of(trigger, trigger->tg_newtuple) : NULL;

	if (sigma_catalog_restoring())
		return PointerGetDatum(NULL);
	follow_tables(before, after);
	follow_schedule(id, before, after);
	if (waits(before) && !waits(after))
	{
		forget("DELETE FROM sigma.sigma_row_events WHERE sequence_id OPERATOR(pg_catalog.=) $1", id);
		if (has_pg_cron() && !any_waits())
			drop_job(EVENTS_JOB);
	}
	else if (waits(after) && !waits(before))
	{
		if (has_pg_cron())
			set_job(EVENTS_JOB, EVERY_MINUTE, "SELECT sigma.run_due()", NULL);
		else
			hint_at_tick(id);
	}
	return PointerGetDatum(NULL);
}

/*
 * next_run(trigger jsonb, after timestamptz) returns timestamptz
 *
 * When a trigger document of type schedule starts its sequence next; SG400 for one that is
 * none.
 */
Datum
next_run(PG_FUNCTION_ARGS)
{
	JsonNode   *trigger;

	sigma_require_argument(fcinfo, 0, "trigger");
	trigger = sigma_document_normalise(DOCUMENT_TRIGGER, sigma_json_read(PG_GETARG_JSONB_P(0)), 0);
	if (!has_type(trigger, "schedule"))
		sigma_document_error(sigma_json_get(trigger, "type"), 0, NULL, "only a trigger of type schedule has a next time");
	sigma_schedule_check(trigger);
	PG_RETURN_TIMESTAMPTZ(sigma_schedule_next(trigger, PG_ARGISNULL(1) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(1)));
}

/* Check a trigger document of type schedule that is being saved: SG400 names the field that cannot be read. */
void
sigma_schedule_check(const JsonNode *trigger)
{
	JsonNode   *cron = sigma_json_get(trigger, "cron");
	JsonNode   *zone = sigma_json_get(trigger, "timezone");
	char	   *problem;
	Cron		parsed;

	if ((problem = sigma_cron_parse(cron->string, &parsed)) != NULL)
		sigma_document_error(cron, 0, "Five fields: minute, hour, day of month, month, day of week. \"0 6 * * 1-5\" is every working day at six.",
							 "\"%s\" is no cron expression: %s", cron->string, problem);
	if (zone != NULL && zone->kind == JSON_STRING && !sigma_zone_is_known(zone->string))
		sigma_document_error(zone, 0, "Names are such as UTC, Europe/Berlin, America/New_York; view pg_timezone_names lists them.",
							 "there is no time zone \"%s\"", zone->string);
	if (sigma_schedule_next(trigger, GetCurrentTimestamp()) == DT_NOEND)
		sigma_document_error(cron, 0, "No month of the expression has such a day.",
							 "\"%s\" never comes", cron->string);
}

/* When a schedule runs next after that time; DT_NOEND: never, or it cannot be read. */
TimestampTz
sigma_schedule_next(const JsonNode *trigger, TimestampTz after)
{
	Cron		cron;
	TimestampTz next;

	if (sigma_cron_parse(sigma_json_get_string(trigger, "cron", ""), &cron) != NULL ||
		!sigma_cron_next(&cron, zone_of(trigger), after, &next))
		return DT_NOEND;
	return next;
}

/* The time zone of a schedule: its own, else the app's. */
static const char *
zone_of(const JsonNode *trigger)
{
	const char *zone = sigma_json_get_string(trigger, "timezone", NULL);

	return zone != NULL ? zone : sigma_zone_name();
}

/* The trigger document of a row, or NULL. */
static JsonNode *
trigger_of(TriggerData *trigger, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;
	Datum		value = heap_getattr(row, SPI_fnumber(desc, "trigger"), desc, &isnull);

	return isnull ? NULL : sigma_json_read(DatumGetJsonbP(value));
}

/* The data tables that the sequence is, or was, started by. */
static void
follow_tables(JsonNode *before, JsonNode *after)
{
	const char *old_table = has_type(before, "row_change") ? sigma_json_get_string(before, "table_id", "") : NULL;
	const char *new_table = has_type(after, "row_change") ? sigma_json_get_string(after, "table_id", "") : NULL;
	bool		same = old_table != NULL && new_table != NULL && strcmp(old_table, new_table) == 0;

	if (same && sigma_change_operations(before) == sigma_change_operations(after))
		return;
	if (old_table != NULL)
		sigma_change_triggers_set(old_table, true);
	if (new_table != NULL && !same)
		sigma_change_triggers_set(new_table, false);
}

/* The row of sigma_schedules, and the job. */
static void
follow_schedule(const char *id, JsonNode *before, JsonNode *after)
{
	bool		was = has_type(before, "schedule");

	if (!has_type(after, "schedule"))
	{
		if (!was)
			return;
		forget("DELETE FROM sigma.sigma_schedules WHERE sequence_id OPERATOR(pg_catalog.=) $1", id);
		if (has_pg_cron())
			drop_job(job_name(id));
		return;
	}
	if (sigma_session.origin == ORIGIN_SYSTEM && was)
		return;					/* a rename that it follows is nobody's schedule */
	store_schedule(id, after, !was || !sigma_json_equal(before, after));
	if (has_pg_cron())
		set_job(job_name(id), job_cron(after), psprintf("SELECT sigma.run_scheduled(%s)", quote_literal_cstr(id)), id);
	else if (!was)
		hint_at_tick(id);
}

/* Write the row.  "moved": it runs by another clock than before. */
static void
store_schedule(const char *id, const JsonNode *trigger, bool moved)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {TEXTOID, TIMESTAMPTZOID, NAMEOID, BOOLOID, OIDOID, INT8OID};
	Datum		values[6];
	OwnerScope	scope;

	values[0] = CStringGetTextDatum(id);
	values[1] = TimestampTzGetDatum(sigma_schedule_next(trigger, GetCurrentTimestamp()));
	values[2] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetUserId(), false)));
	values[3] = BoolGetDatum(moved);
	values[4] = ObjectIdGetDatum(GetUserId());
	values[5] = Int64GetDatum(sigma_cluster());
	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_schedules")));
	sigma_spi_execute(sigma_spi_plan(&plan,
									 "INSERT INTO sigma.sigma_schedules AS s (sequence_id, next_run, role, role_id, cluster)"
									 " VALUES ($1, $2, $3, $5, $6) ON CONFLICT (sequence_id) DO UPDATE"
									 " SET role = excluded.role, role_id = excluded.role_id, cluster = excluded.cluster,"
									 " next_run = CASE WHEN $4 THEN excluded.next_run ELSE s.next_run END", lengthof(types), types),
					  values, NULL, false, SPI_OK_INSERT);
	sigma_owner_end(&scope);
	SPI_finish();
}

/* Delete what a sequence has no more. */
static void
forget(const char *sql, const char *id)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(id);
	OwnerScope	scope;

	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_schedules")));
	if (SPI_execute_with_args(sql, 1, &type, &value, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete what sequence \"%s\" has waiting", id);
	sigma_owner_end(&scope);
	SPI_finish();
}

static bool
has_type(const JsonNode *trigger, const char *type)
{
	return trigger != NULL && strcmp(sigma_json_get_string(trigger, "type", ""), type) == 0;
}

/* Does it put row changes into the queue? */
static bool
waits(const JsonNode *trigger)
{
	return has_type(trigger, "row_change") && strcmp(sigma_json_get_string(trigger, "when", "now"), "after_commit") == 0;
}

/* Does any sequence? */
static bool
any_waits(void)
{
	ListCell   *lc;

	CommandCounterIncrement();
	foreach(lc, sigma_catalog_names(DOCUMENT_SEQUENCE))
		if (waits(sigma_json_get(sigma_catalog_read(DOCUMENT_SEQUENCE, ((CatalogName *) lfirst(lc))->id), "trigger")))
			return true;
	return false;
}

/*
 * pg_cron
 */

/* Make or change a job; "id": the schedule whose job it is, or NULL. */
static void
set_job(const char *name, const char *cron, const char *command, const char *id)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[4];
	OwnerScope	scope;

	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(cron);
	values[2] = CStringGetTextDatum(command);
	values[3] = CStringGetTextDatum(id == NULL ? "" : id);
	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_schedules")));
	if (SPI_execute_with_args("SELECT cron.schedule($1, $2, $3)", 3, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not make a job of pg_cron");
	if (id != NULL &&
		SPI_execute_with_args("UPDATE sigma.sigma_schedules SET job = $1 WHERE sequence_id OPERATOR(pg_catalog.=) $4",
							  4, types, values, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not note a job of pg_cron");
	sigma_owner_end(&scope);
	SPI_finish();
}

/* Drop a job, where there is one. */
static void
drop_job(const char *name)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);
	OwnerScope	scope;

	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_schedules")));
	if (SPI_execute_with_args("SELECT cron.unschedule(j.jobid) FROM cron.job AS j"
							  " WHERE j.jobname OPERATOR(pg_catalog.=) $1 AND j.username::pg_catalog.name OPERATOR(pg_catalog.=) current_user"
							  " AND j.database::pg_catalog.name OPERATOR(pg_catalog.=) pg_catalog.current_database()",
							  1, &type, &value, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not drop a job of pg_cron");
	sigma_owner_end(&scope);
	SPI_finish();
}

static char *
job_name(const char *id)
{
	return psprintf("sigma schedule %s", id);
}

/* The job's own schedule: pg_cron has one time zone; for any other zone the job looks every minute. */
static const char *
job_cron(const JsonNode *trigger)
{
	const char *cron = sigma_json_get_string(trigger, "cron", "");
	const char *zone = zone_of(trigger);
	const char *theirs = GetConfigOption("cron.timezone", true, false);

	if (theirs == NULL)
		theirs = "GMT";
	if (pg_strcasecmp(zone, theirs) == 0 ||
		((pg_strcasecmp(zone, "UTC") == 0 || pg_strcasecmp(zone, "GMT") == 0) &&
		 (pg_strcasecmp(theirs, "UTC") == 0 || pg_strcasecmp(theirs, "GMT") == 0)))
		return sigma_cron_fields(cron);
	return EVERY_MINUTE;
}

/* Is it installed in this database? */
static bool
has_pg_cron(void)
{
	return OidIsValid(get_extension_oid("pg_cron", true));
}

/* Somebody must call run_due(): say so. */
static void
hint_at_tick(const char *id)
{
	ereport(NOTICE,
			(errmsg("sequence \"%s\" runs when sigma.run_due() is called", id),
			 errdetail("pg_cron is not installed in this database."),
			 errhint("Let something call \"SELECT sigma.run_due()\" every minute, as cron does; or CREATE EXTENSION pg_cron and save the sequence again.")));
}
