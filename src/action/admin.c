/*
 * admin.c
 *		Pausing sequences, statistics of their runs, and looking runs up.
 *
 * All of it is plain SQL run as the caller, who needs the rights for it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "action/action.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "common/session.h"
#include "compat.h"

PG_FUNCTION_INFO_V1(pause_sequence);
PG_FUNCTION_INFO_V1(resume_sequence);
PG_FUNCTION_INFO_V1(pause_all_sequences);
PG_FUNCTION_INFO_V1(resume_all_sequences);
PG_FUNCTION_INFO_V1(refresh_statistics);
PG_FUNCTION_INFO_V1(run_status);

static bool set_paused(FunctionCallInfo fcinfo, bool paused);
static uint64 run_update(const char *sql, int count, Oid *types, Datum *values);
static Jsonb *running_status(const char *execution_id);
static Jsonb *stored_status(const char *execution_id);
static void push_column(JsonbParseState **state, const char *key, int column);

/* pause_sequence(id text) returns bool: did that change anything? */
Datum
pause_sequence(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(set_paused(fcinfo, true));
}

/* resume_sequence(id text) returns bool: did that change anything? */
Datum
resume_sequence(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(set_paused(fcinfo, false));
}

/* pause_all_sequences() returns int: how many were not paused */
Datum
pause_all_sequences(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32((int32) run_update("UPDATE sigma.sigma_action_sequences SET is_paused = true"
									   " WHERE is_paused IS NOT TRUE", 0, NULL, NULL));
}

/* resume_all_sequences() returns int: how many were paused */
Datum
resume_all_sequences(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32((int32) run_update("UPDATE sigma.sigma_action_sequences SET is_paused = false"
									   " WHERE is_paused", 0, NULL, NULL));
}

/*
 * refresh_statistics() returns void
 *
 * Stores what list_actions() and list_action_sequences() compute.  Rows whose
 * numbers stay the same are not touched, and none gets a new updated_at.
 */
Datum
refresh_statistics(PG_FUNCTION_ARGS)
{
	SessionState session = sigma_session;

	PG_TRY();
	{
		sigma_session.origin = ORIGIN_SYSTEM;
		(void) run_update("UPDATE sigma.sigma_action_sequences AS s"
						  " SET execution_count = l.execution_count, last_executed = l.last_executed"
						  " FROM sigma.list_action_sequences() AS l"
						  " WHERE l.id OPERATOR(pg_catalog.=) s.id"
						  " AND (pg_catalog.int8ne(s.execution_count, l.execution_count) IS NOT FALSE"
						  " OR pg_catalog.timestamp_ne(s.last_executed, l.last_executed))",
						  0, NULL, NULL);
		(void) run_update("UPDATE sigma.sigma_actions AS a"
						  " SET execution_count = l.execution_count, last_executed = l.last_executed"
						  " FROM sigma.list_actions() AS l"
						  " WHERE l.id OPERATOR(pg_catalog.=) a.id"
						  " AND (pg_catalog.int8ne(a.execution_count, l.execution_count) IS NOT FALSE"
						  " OR pg_catalog.timestamp_ne(a.last_executed, l.last_executed))",
						  0, NULL, NULL);
	}
	PG_FINALLY();
	{
		sigma_session = session;
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}

/*
 * run_status(execution_id text) returns jsonb
 *
 * A run of this session that is under way, else what history says of it; SG404
 * where neither knows it.
 */
Datum
run_status(PG_FUNCTION_ARGS)
{
	char	   *execution_id = sigma_text_argument(fcinfo, 0, "execution_id");
	Jsonb	   *result = running_status(execution_id);

	if (result == NULL)
		result = stored_status(execution_id);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_NOT_FOUND),
				 errmsg("run \"%s\" does not exist", execution_id)));
	PG_RETURN_JSONB_P(result);
}

/* Pause or resume the sequence of the first argument; SG404 for an unknown one. */
static bool
set_paused(FunctionCallInfo fcinfo, bool paused)
{
	Oid			types[] = {TEXTOID, BOOLOID};
	Datum		values[2];
	char	   *id = sigma_text_argument(fcinfo, 0, "id");

	values[0] = CStringGetTextDatum(id);
	values[1] = BoolGetDatum(paused);
	if (run_update("UPDATE sigma.sigma_action_sequences SET is_paused = $2"
				   " WHERE id OPERATOR(pg_catalog.=) $1 AND pg_catalog.boolne(is_paused, $2) IS NOT FALSE", 2, types, values) > 0)
		return true;
	if (!sigma_catalog_exists(DOCUMENT_SEQUENCE, id))
		sigma_catalog_not_found(DOCUMENT_SEQUENCE, id);
	return false;
}

/* Run an UPDATE as the caller; how many rows it changed. */
static uint64
run_update(const char *sql, int count, Oid *types, Datum *values)
{
	uint64		changed;

	SPI_connect();
	if (SPI_execute_with_args(sql, count, types, values, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not update the catalog");
	changed = SPI_processed;
	SPI_finish();
	return changed;
}

/* The status of a run further up this session's stack, or NULL. */
static Jsonb *
running_status(const char *execution_id)
{
	Run		   *run;
	JsonbParseState *state = NULL;
	char		buf[MAXDATELEN + 1];

	for (run = sigma_run_current(); run != NULL; run = run->outer)
		if (strcmp(run->execution_id, execution_id) == 0)
			break;
	if (run == NULL)
		return NULL;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "execution_id", run->execution_id);
	if (!run->sequence->is_action)
		sigma_push_text(&state, "sequence_id", run->sequence->id);
	sigma_push_text(&state, "status", "running");
	/* in UTC without a zone, as history has it */
	JsonEncodeDateTime(buf, TimestampGetDatum((Timestamp) run->started), TIMESTAMPOID, NULL);
	sigma_push_text(&state, "started_at", buf);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* The status that history has, or NULL; in the caller's context. */
static Jsonb *
stored_status(const char *execution_id)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(execution_id);
	JsonbParseState *state = NULL;
	Jsonb	   *result = NULL;
	int			i;

	SPI_connect();
	if (SPI_execute_with_args("SELECT pg_catalog.to_jsonb(execution_id), pg_catalog.to_jsonb(sequence_id),"
							  " pg_catalog.to_jsonb(status), pg_catalog.to_jsonb(start_time),"
							  " pg_catalog.to_jsonb(end_time), result"
							  " FROM sigma.sigma_execution_history WHERE execution_id OPERATOR(pg_catalog.=) $1",
							  1, &type, &value, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the history");
	if (SPI_processed > 0)
	{
		static const char *const keys[] = {
			"execution_id", "sequence_id", "status", "started_at", "ended_at", "result"
		};
		MemoryContext old = MemoryContextSwitchTo(caller);

		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		for (i = 0; i < lengthof(keys); i++)
			push_column(&state, keys[i], i + 1);
		result = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return result;
}

/* A jsonb column of the first row as a member, where it is not null. */
static void
push_column(JsonbParseState **state, const char *key, int column)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
	Jsonb	   *document;
	JsonbValue	value;

	if (isnull)
		return;
	document = DatumGetJsonbP(datum);
	if (JB_ROOT_IS_SCALAR(document))
		(void) JsonbExtractScalar(&document->root, &value);
	else
	{
		value.type = jbvBinary;
		value.val.binary.data = &document->root;
		value.val.binary.len = VARSIZE(document) - VARHDRSZ;
	}
	sigma_push_value(state, key, &value);
}
