/*
 * due.c
 *		What runs without a caller: sigma.run_due(), run_scheduled(), and the queue of row changes.
 *
 * A row of sigma.sigma_row_events is one change of a table's rows with one sequence that it
 * starts.  Who takes one locks it, passing over what others have locked, deletes it and
 * runs the sequence in one transaction: two ticks at once never run one event twice, and
 * after a rollback it is there again.  Likewise the rows of sigma.sigma_schedules, which
 * are set to their next time instead.  A run that fails by a deadlock, which ticks can
 * make among themselves, is put back, and its tick ends.
 *
 * Nobody's request is being served, so the rights are not the tick's: an event runs as the
 * role that wrote the rows, a schedule as the one that saved it, in a security-restricted
 * operation, as PostgreSQL runs the functions of an index.  A tick takes what belongs to
 * roles that its own role is a member of.  A role is what its oid says, under whatever name
 * it goes by now, in the cluster in which the row was written; in one that it was restored
 * into, the role of that name.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "action/action.h"
#include "action/due.h"
#include "commands/extension.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "common/session.h"
#include "common/spi.h"

#define DEFAULT_RUNS 100

PG_FUNCTION_INFO_V1(run_due);
PG_FUNCTION_INFO_V1(run_scheduled);

/* Something that is to be run, taken by this transaction. */
typedef struct DueRun
{
	char	   *sequence_id;
	char	   *role;			/* its name, or what that was */
	Oid			role_id;		/* InvalidOid: it is no role any more */
	Jsonb	   *context;
	int			depth;			/* of row changes that are queued by runs of such */
	int64		event_id;		/* 0: a schedule */
	char	   *table_id;		/* of an event */
	TimestampTz at;				/* when it was queued, or for what time it is run */
} DueRun;

/* A row of the queue. */
typedef struct EventRow
{
	int64		id;				/* 0: a new one */
	const char *sequence_id;
	const char *table_id;
	Jsonb	   *context;
	Oid			role_id;
	int			depth;
	TimestampTz at;
} EventRow;

static int	event_depth = 0;	/* of the event that is being run */

/* For both tables: the role "r" of a row "d", in the cluster $2; what a member of it may take ($1). */
#define ITS_ROLE \
	" LEFT JOIN pg_catalog.pg_roles AS r ON CASE WHEN d.cluster OPERATOR(pg_catalog.=) $2" \
	" THEN r.oid OPERATOR(pg_catalog.=) d.role_id ELSE r.rolname OPERATOR(pg_catalog.=) d.role END"
#define MAY_TAKE " (r.oid IS NULL OR pg_catalog.pg_has_role($1, r.oid, 'MEMBER'))"
#define LOCKED " LIMIT 1 FOR UPDATE OF d SKIP LOCKED"
/* what both are taken with: sequence_id, role, role_id, at */
#define TAKEN(at) "d.sequence_id::pg_catalog.text, coalesce(r.rolname, d.role)::pg_catalog.text AS role, r.oid AS role_id, d." at " AS at"

static void put_event(const EventRow *event);
static bool take_event(DueRun *due);
static bool take_schedule(DueRun *due, const char *only);
static void read_taken(DueRun *due, HeapTuple row, TupleDesc desc);
static void set_schedule(const DueRun *due, TimestampTz next, TimestampTz ran);
static Jsonb *schedule_context(TimestampTz at);
static Jsonb *run_taken(const DueRun *due);
static Jsonb *run_as(Oid role, const DueRun *due);
static Jsonb *fail_without_role(const DueRun *due);
static Jsonb *start(const DueRun *due);
static bool met_deadlock(Jsonb *document);
static void put_back(const DueRun *due);
static void put_run(ReturnSetInfo *result, Jsonb *document);

/*
 * run_due(max_runs int) returns table (sequence_id text, execution_id text, status text)
 *
 * Runs schedules whose time has come, then row changes that wait, oldest first, until
 * there are no more or it has run so many.  Raises 22023 for less than one.
 */
Datum
run_due(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			left = PG_ARGISNULL(0) ? DEFAULT_RUNS : PG_GETARG_INT32(0);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt;

	if (left < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"max_runs\" must be at least 1")));
	InitMaterializedSRF(fcinfo, 0);
	cxt = AllocSetContextCreate(caller, "sigma run that is due", ALLOCSET_DEFAULT_SIZES);
	for (; left > 0; left--)
	{
		DueRun		due = {0};
		Jsonb	   *document;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(cxt);
		if (!take_schedule(&due, NULL) && !take_event(&due))
			break;
		document = run_taken(&due);
		put_run(result, document);
		if (met_deadlock(document))
		{
			/* what this tick has locked others wait for: it ends here, and a later one runs that again */
			put_back(&due);
			break;
		}
		MemoryContextSwitchTo(caller);
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(cxt);
	return (Datum) 0;
}

/*
 * run_scheduled(sequence_id text) returns text: how it ended
 *
 * What jobs of pg_cron call: runs the schedule of that sequence if its time has come and
 * nobody else is at it; null where not.
 */
Datum
run_scheduled(PG_FUNCTION_ARGS)
{
	DueRun		due = {0};
	JsonNode   *result;

	if (!take_schedule(&due, sigma_text_argument(fcinfo, 0, "sequence_id")))
		PG_RETURN_NULL();
	result = sigma_json_read(run_taken(&due));
	PG_RETURN_TEXT_P(cstring_to_text(sigma_json_get_string(result, "status", "")));
}

/*
 * The queue
 */

/* How many events deep is what is being run?  0: no event is. */
int
sigma_event_depth(void)
{
	return event_depth;
}

/* Put one row change into the queue, for the writer's role; it is seen when he has committed. */
void
sigma_event_put(const char *sequence_id, const char *table_id, Jsonb *context)
{
	EventRow	event = {
		.sequence_id = sequence_id, .table_id = table_id, .context = context, .role_id = GetUserId(),
		.depth = event_depth + 1, .at = GetCurrentStatementStartTimestamp()
	};

	put_event(&event);
}

/* Insert a row of the queue; a new id where it has none (0). */
static void
put_event(const EventRow *event)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {TEXTOID, TEXTOID, JSONBOID, NAMEOID, OIDOID, INT8OID, INT4OID, TIMESTAMPTZOID, INT8OID};
	Datum		values[9];
	char		nulls[] = "         ";
	OwnerScope	scope;

	values[0] = CStringGetTextDatum(event->sequence_id);
	values[1] = CStringGetTextDatum(event->table_id);
	values[2] = JsonbPGetDatum(event->context);
	values[3] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(event->role_id, false)));
	values[4] = ObjectIdGetDatum(event->role_id);
	values[5] = Int64GetDatum(sigma_cluster());
	values[6] = Int32GetDatum(event->depth);
	values[7] = TimestampTzGetDatum(event->at);
	values[8] = Int64GetDatum(event->id);
	nulls[8] = event->id == 0 ? 'n' : ' ';
	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_row_events")));
	sigma_spi_execute(sigma_spi_plan(&plan,
									 "INSERT INTO sigma.sigma_row_events"
									 " (sequence_id, table_id, context, role, role_id, cluster, depth, queued_at, event_id, xact)"
									 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8,"
									 " coalesce($9, pg_catalog.nextval('sigma.sigma_event_id')), pg_catalog.pg_current_xact_id())",
									 lengthof(types), types),
					  values, nulls, false, SPI_OK_INSERT);
	sigma_owner_end(&scope);
	SPI_finish();
}

/* Take the oldest event that nobody else has; false where there is none.  Not those of this very transaction. */
static bool
take_event(DueRun *due)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {OIDOID, INT8OID};
	MemoryContext caller = CurrentMemoryContext;
	Datum		values[2];
	OwnerScope	scope;
	bool		found;

	values[0] = ObjectIdGetDatum(GetUserId());
	values[1] = Int64GetDatum(sigma_cluster());
	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_row_events")));
	sigma_spi_execute(sigma_spi_plan(&plan,
									 "WITH d AS (SELECT " TAKEN("queued_at") ", d.event_id, d.context, d.depth, d.table_id"
									 " FROM sigma.sigma_row_events AS d" ITS_ROLE
									 " WHERE d.xact OPERATOR(pg_catalog.<>) pg_catalog.pg_current_xact_id() AND" MAY_TAKE
									 " ORDER BY d.event_id" LOCKED "),"
									 " gone AS (DELETE FROM sigma.sigma_row_events AS e USING d"
									 "  WHERE e.event_id OPERATOR(pg_catalog.=) d.event_id)"
									 " SELECT d.sequence_id, d.role, d.role_id, d.at, d.event_id, d.context, d.depth, d.table_id::pg_catalog.text FROM d",
									 lengthof(types), types),
					  values, NULL, false, SPI_OK_SELECT);
	found = SPI_processed > 0;
	if (found)
	{
		HeapTuple	row = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		MemoryContext spi = MemoryContextSwitchTo(caller);
		bool		isnull;

		read_taken(due, row, desc);
		due->event_id = DatumGetInt64(SPI_getbinval(row, desc, 5, &isnull));
		due->context = DatumGetJsonbPCopy(SPI_getbinval(row, desc, 6, &isnull));
		due->depth = DatumGetInt32(SPI_getbinval(row, desc, 7, &isnull));
		due->table_id = TextDatumGetCString(SPI_getbinval(row, desc, 8, &isnull));
		MemoryContextSwitchTo(spi);
	}
	sigma_owner_end(&scope);
	SPI_finish();
	return found;
}

/*
 * Take the schedule that is due longest, or that of one sequence ("only"), and set it to
 * its next time: what was missed meanwhile is made up for by one run.  False where none is
 * due.  Schedules that a job of pg_cron runs are that job's alone.
 */
static bool
take_schedule(DueRun *due, const char *only)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {OIDOID, INT8OID, TIMESTAMPTZOID, TEXTOID, BOOLOID};
	MemoryContext caller = CurrentMemoryContext;
	TimestampTz now = GetCurrentTimestamp();
	char		nulls[] = {' ', ' ', ' ', only == NULL ? 'n' : ' ', ' '};
	Datum		values[5];
	OwnerScope	scope;
	bool		found;

	values[0] = ObjectIdGetDatum(GetUserId());
	values[1] = Int64GetDatum(sigma_cluster());
	values[2] = TimestampTzGetDatum(now);
	values[3] = only == NULL ? (Datum) 0 : CStringGetTextDatum(only);
	values[4] = BoolGetDatum(!OidIsValid(get_extension_oid("pg_cron", true)));
	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_schedules")));
	sigma_spi_execute(sigma_spi_plan(&plan,
									 "SELECT " TAKEN("next_run") " FROM sigma.sigma_schedules AS d" ITS_ROLE
									 " WHERE d.next_run OPERATOR(pg_catalog.<=) $3"
									 " AND (d.sequence_id OPERATOR(pg_catalog.=) $4 OR $4 IS NULL AND ($5 OR d.job IS NULL)) AND" MAY_TAKE
									 " ORDER BY d.next_run, d.sequence_id" LOCKED,
									 lengthof(types), types),
					  values, nulls, false, SPI_OK_SELECT);
	found = SPI_processed > 0;
	if (found)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		read_taken(due, SPI_tuptable->vals[0], SPI_tuptable->tupdesc);
		due->context = schedule_context(due->at);
		MemoryContextSwitchTo(spi);
		set_schedule(due, sigma_schedule_next(sigma_json_get(sigma_catalog_read(DOCUMENT_SEQUENCE, due->sequence_id), "trigger"), now),
					 now);
	}
	sigma_owner_end(&scope);
	SPI_finish();
	return found;
}

/* What the queries of both tables begin with, in the current context. */
static void
read_taken(DueRun *due, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		role_id;

	due->sequence_id = TextDatumGetCString(SPI_getbinval(row, desc, 1, &isnull));
	due->role = SPI_getvalue(row, desc, 2);
	role_id = SPI_getbinval(row, desc, 3, &isnull);
	due->role_id = isnull ? InvalidOid : DatumGetObjectId(role_id);
	due->at = DatumGetTimestampTz(SPI_getbinval(row, desc, 4, &isnull));
}

/*
 * When a schedule runs next, and last ("ran"; DT_NOBEGIN: as it says).  Whose it is, is
 * bound to the role that this cluster has for it.  SPI is connected, as the table's owner.
 */
static void
set_schedule(const DueRun *due, TimestampTz next, TimestampTz ran)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, OIDOID, INT8OID};
	Datum		values[5];
	char		nulls[] = {' ', ' ', ran == DT_NOBEGIN ? 'n' : ' ', OidIsValid(due->role_id) ? ' ' : 'n', ' '};

	values[0] = CStringGetTextDatum(due->sequence_id);
	values[1] = TimestampTzGetDatum(next);
	values[2] = TimestampTzGetDatum(ran);
	values[3] = ObjectIdGetDatum(due->role_id);
	values[4] = Int64GetDatum(sigma_cluster());
	sigma_spi_execute(sigma_spi_plan(&plan,
									 "UPDATE sigma.sigma_schedules AS s SET next_run = $2, last_run = coalesce($3, s.last_run),"
									 " role_id = coalesce($4, s.role_id), cluster = CASE WHEN $4 IS NULL THEN s.cluster ELSE $5 END,"
									 " role = coalesce(pg_catalog.pg_get_userbyid($4), s.role)"
									 " WHERE s.sequence_id OPERATOR(pg_catalog.=) $1", lengthof(types), types),
					  values, nulls, false, SPI_OK_UPDATE);
}

/* The cluster that oids of roles are of: no other one has its number. */
int64
sigma_cluster(void)
{
	return (int64) GetSystemIdentifier();
}

/* {"metadata": {"due": at}}: for what time it is run. */
static Jsonb *
schedule_context(TimestampTz at)
{
	JsonNode   *context = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *metadata = sigma_json_new(JSON_OBJECT, NULL);

	sigma_json_set(metadata, "due", sigma_json_new_string(sigma_log_moment(at), NULL));
	sigma_json_set(context, "metadata", metadata);
	return sigma_json_write(context);
}

/*
 * Running
 */

/* Run what was taken; its result, in the current context. */
static Jsonb *
run_taken(const DueRun *due)
{
	int			outer = event_depth;
	Jsonb	   *volatile result = NULL;

	if (!OidIsValid(due->role_id))
		return fail_without_role(due);
	PG_TRY();
	{
		event_depth = due->depth;
		result = due->role_id == GetUserId() ? start(due) : run_as(due->role_id, due);
	}
	PG_FINALLY();
	{
		event_depth = outer;
	}
	PG_END_TRY();
	return result;
}

/* The same with that role's rights; an error restores the caller's identity by itself. */
static Jsonb *
run_as(Oid role, const DueRun *due)
{
	SessionState session = sigma_session;
	Oid			user;
	int			context;
	int			nest_level;
	Jsonb	   *volatile result = NULL;

	GetUserIdAndSecContext(&user, &context);
	nest_level = NewGUCNestLevel();
	SetUserIdAndSecContext(role, context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	PG_TRY();
	{
		sigma_session.run_role = role;
		result = start(due);
	}
	PG_FINALLY();
	{
		sigma_session = session;
	}
	PG_END_TRY();
	AtEOXact_GUC(false, nest_level);
	SetUserIdAndSecContext(user, context);
	return result;
}

/* Who wrote the rows, or saved the schedule, is no role any more: that is the run's failure. */
static Jsonb *
fail_without_role(const DueRun *due)
{
	SequenceStart one = {.sequence_id = due->sequence_id, .context = due->context};
	bool		another = OidIsValid(get_role_oid(due->role, true));

	return sigma_fire_failed(&one, ERRCODE_UNDEFINED_OBJECT,
							 psprintf(another ? "role \"%s\" does not exist any more: another one has its name" :
									  "role \"%s\" does not exist", due->role),
							 "It would have run with that role's rights. A schedule is given another one by saving its sequence again.");
}

/* Contained, as row changes that run at once are. */
static Jsonb *
start(const DueRun *due)
{
	SequenceStart one = {.sequence_id = due->sequence_id, .context = due->context};

	return linitial(sigma_fire(list_make1(&one)));
}

/* Did a run fail because two ticks waited for each other, and leave nothing? */
static bool
met_deadlock(Jsonb *document)
{
	JsonNode   *node = sigma_json_read(document);

	return strcmp(sigma_json_get_string(node, "status", ""), "failed") == 0 &&
		strcmp(sigma_json_get_string(sigma_json_get(node, "error"), "sqlstate", ""), "40P01") == 0 &&
		(sigma_json_get_bool(node, "rolled_back", false) || sigma_json_get_int(node, "actions_executed", 0) == 0);
}

/* As it was before it was taken; this transaction does not take it again. */
static void
put_back(const DueRun *due)
{
	EventRow	event = {
		.id = due->event_id, .sequence_id = due->sequence_id, .table_id = due->table_id, .context = due->context,
		.role_id = due->role_id, .depth = due->depth, .at = due->at
	};
	OwnerScope	scope;

	if (due->event_id != 0)
	{
		put_event(&event);
		return;
	}
	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_schedules")));
	set_schedule(due, due->at, DT_NOBEGIN);
	sigma_owner_end(&scope);
	SPI_finish();
}

/* One row of run_due(). */
static void
put_run(ReturnSetInfo *result, Jsonb *document)
{
	static const char *const keys[] = {"sequence_id", "execution_id", "status"};
	JsonNode   *node = sigma_json_read(document);
	Datum		values[lengthof(keys)];
	bool		nulls[lengthof(keys)] = {0};
	int			i;

	for (i = 0; i < lengthof(keys); i++)
		values[i] = CStringGetTextDatum(sigma_json_get_string(node, keys[i], ""));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}
