/*
 * admin.c
 *		Pausing sequences, and statistics of their runs.
 *
 * All of it is plain SQL run as the caller, who needs the rights for it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "action/action.h"
#include "common/catalog.h"
#include "common/session.h"
#include "compat.h"

PG_FUNCTION_INFO_V1(pause_sequence);
PG_FUNCTION_INFO_V1(resume_sequence);
PG_FUNCTION_INFO_V1(pause_all_sequences);
PG_FUNCTION_INFO_V1(resume_all_sequences);
PG_FUNCTION_INFO_V1(refresh_statistics);

static bool set_paused(FunctionCallInfo fcinfo, bool paused);
static uint64 run_update(const char *sql, int count, Oid *types, Datum *values);

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
