/*
 * history.c
 *		What a run leaves behind: its row of history.
 *
 * The row is written after the run's own rollback, once, by the owner of the
 * history table, into the table and its indexes (history_table.c) or through kept
 * statements of bound values: callers need no right on the table, and nothing of
 * theirs runs under that identity.  It lives and dies with the caller's transaction.  A run with an idempotency key inserts its
 * row before it does anything, which is its claim on the key, and completes it
 * in the end: whoever comes later waits for that, and is given the result.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "action/action.h"
#include "action/history_table.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "common/session.h"
#include "common/spi.h"
#include "compat.h"

static void fill_row(const Run *run, Datum *values, char *nulls);
static void set_text(Datum *values, char *nulls, int i, const char *text);
static bool read_stored(Run *run, Datum *values, const char *nulls);
static Datum utc_timestamp(TimestampTz time);

/*
 * The row
 */

#define INSERT_ROW \
	"INSERT INTO sigma.sigma_execution_history" \
	" (execution_id, sequence_id, action_id, action_type, start_time, end_time, context, result," \
	"  status, error_message, reason, user_id, role, rows_changed, idempotency_key, metadata)" \
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"

/*
 * Write the row of a run that has ended; SPI is connected.  Where the run has an
 * idempotency key its row is there already, and is completed; a run that was skipped
 * did nothing and gives its key back.
 */
void
sigma_history_write(const Run *run, Jsonb *result)
{
	static SPIPlanPtr insert = NULL;
	static SPIPlanPtr update = NULL;
	Datum		values[HISTORY_COLUMNS];
	char		nulls[HISTORY_COLUMNS];
	OwnerScope	scope;

	fill_row(run, values, nulls);
	values[HISTORY_END_TIME] = utc_timestamp(run->ended);
	values[HISTORY_RESULT] = JsonbPGetDatum(result);
	nulls[HISTORY_END_TIME] = nulls[HISTORY_RESULT] = ' ';
	set_text(values, nulls, HISTORY_STATUS, sigma_run_status_name(run->status));
	set_text(values, nulls, HISTORY_ERROR_MESSAGE, run->error == NULL ? NULL : run->error->message);
	set_text(values, nulls, HISTORY_REASON, run->reason);
	set_text(values, nulls, HISTORY_IDEMPOTENCY_KEY,
			 run->claimed && run->status != RUN_SKIPPED ? run->context->idempotency_key : NULL);
	if (!run->claimed && sigma_history_insert(values, nulls))
		return;

	sigma_owner_begin(&scope, sigma_history_owner());
	if (run->claimed)
		sigma_spi_execute(sigma_spi_plan(&update,
										 "UPDATE sigma.sigma_execution_history SET end_time = $6, context = $7, result = $8, status = $9,"
										 " error_message = $10, reason = $11, rows_changed = $14, idempotency_key = $15, metadata = $16"
										 " WHERE execution_id OPERATOR(pg_catalog.=) $1",
										 HISTORY_COLUMNS, sigma_history_types),
						  values, nulls, false, SPI_OK_UPDATE);
	/* a step may have deleted it */
	if (!run->claimed || SPI_processed == 0)
		sigma_spi_execute(sigma_spi_plan(&insert, INSERT_ROW, HISTORY_COLUMNS, sigma_history_types),
						  values, nulls, false, SPI_OK_INSERT);
	sigma_owner_end(&scope);
	MemoryContextSwitchTo(run->cxt);
}

/*
 * Write the row of something that is no run of a sequence: "type" says what.  SPI is
 * connected.
 */
void
sigma_history_note(const char *execution_id, const char *type, TimestampTz started, Jsonb *result, Jsonb *metadata, int64 rows)
{
	static SPIPlanPtr plan = NULL;
	JsonbParseState *state = NULL;
	Datum		values[HISTORY_COLUMNS] = {0};
	char		nulls[HISTORY_COLUMNS];
	OwnerScope	scope;

	memset(nulls, 'n', HISTORY_COLUMNS);
	set_text(values, nulls, HISTORY_EXECUTION_ID, execution_id);
	set_text(values, nulls, HISTORY_ACTION_TYPE, type);
	values[HISTORY_START_TIME] = utc_timestamp(started);
	values[HISTORY_END_TIME] = utc_timestamp(GetCurrentTimestamp());
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	values[HISTORY_CONTEXT] = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
	values[HISTORY_RESULT] = JsonbPGetDatum(result);
	set_text(values, nulls, HISTORY_STATUS, "success");
	set_text(values, nulls, HISTORY_USER_ID, sigma_app_user());
	values[HISTORY_ROLE] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(sigma_session_role(), false)));
	values[HISTORY_ROWS_CHANGED] = Int64GetDatum(rows);
	values[HISTORY_METADATA] = JsonbPGetDatum(metadata);
	nulls[HISTORY_START_TIME] = nulls[HISTORY_END_TIME] = nulls[HISTORY_CONTEXT] = nulls[HISTORY_RESULT] = nulls[HISTORY_ROLE] =
		nulls[HISTORY_ROWS_CHANGED] = nulls[HISTORY_METADATA] = ' ';
	sigma_owner_begin(&scope, sigma_history_owner());
	sigma_spi_execute(sigma_spi_plan(&plan, INSERT_ROW, HISTORY_COLUMNS, sigma_history_types), values, nulls, false, SPI_OK_INSERT);
	sigma_owner_end(&scope);
}

/*
 * Guarded work: claim the idempotency key of a run, by inserting its row of history
 * under the unique index on keys.  A session that has the key and is still at it is
 * waited for.  Where a run had the key before, run->stored becomes its result; SG409
 * where its input, its role or its app user were others; 40001 where it is newer than
 * the caller's snapshot.  Always true.
 */
bool
sigma_key_claim(Run *run)
{
	static SPIPlanPtr plan = NULL;
	Datum		values[HISTORY_COLUMNS];
	char		nulls[HISTORY_COLUMNS];
	OwnerScope	scope;
	bool		claimed = false;
	bool		found = false;

	fill_row(run, values, nulls);
	set_text(values, nulls, HISTORY_STATUS, "running");
	set_text(values, nulls, HISTORY_IDEMPOTENCY_KEY, run->context->idempotency_key);
	sigma_owner_begin(&scope, sigma_history_owner());
	while (!claimed && !found)
	{
		CHECK_FOR_INTERRUPTS();
		sigma_spi_execute(sigma_spi_plan(&plan, INSERT_ROW " ON CONFLICT DO NOTHING", HISTORY_COLUMNS, sigma_history_types),
						  values, nulls, false, SPI_OK_INSERT);
		claimed = SPI_processed > 0;
		/* the one that has it may be deleted just now: then there is nothing in the way any more */
		if (!claimed)
			found = read_stored(run, values, nulls);
	}
	sigma_owner_end(&scope);
	MemoryContextSwitchTo(run->cxt);
	return true;
}

/* The result of the run that has the key, into run->stored; false where there is none.  SG409. */
static bool
read_stored(Run *run, Datum *values, const char *nulls)
{
	static SPIPlanPtr plan = NULL;
	bool		isnull;
	bool		same;
	Datum		result;

	sigma_spi_execute(sigma_spi_plan(&plan,
									 "SELECT result, context OPERATOR(pg_catalog.=) $7 AND role OPERATOR(pg_catalog.=) $13"
									 " AND user_id OPERATOR(pg_catalog.=) $12"
									 " FROM sigma.sigma_execution_history"
									 " WHERE idempotency_key OPERATOR(pg_catalog.=) $15"
									 " AND (sequence_id OPERATOR(pg_catalog.=) $2"
									 "  OR sequence_id IS NULL AND action_id OPERATOR(pg_catalog.=) $3)",
									 HISTORY_COLUMNS, sigma_history_types),
					  values, nulls, false, SPI_OK_SELECT);
	if (SPI_processed == 0)
		return false;
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	same = !isnull && DatumGetBool(result);
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!same || isnull)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_CONFLICT),
				 errmsg("idempotency key \"%s\" was used with another input", run->context->idempotency_key),
				 errdetail("$.idempotency_key"),
				 errhint("A key stands for one context, of one user and role. Take another key for another run.")));
	MemoryContextSwitchTo(run->cxt);
	run->stored = DatumGetJsonbPCopy(result);
	return true;
}

/* What is known of a run from its beginning; the other columns are null. */
static void
fill_row(const Run *run, Datum *values, char *nulls)
{
	const Sequence *sequence = run->sequence;
	Jsonb	   *metadata;

	memset(nulls, 'n', HISTORY_COLUMNS);
	memset(values, 0, sizeof(Datum) * HISTORY_COLUMNS);
	set_text(values, nulls, HISTORY_EXECUTION_ID, run->execution_id);
	if (sequence->is_action)
	{
		set_text(values, nulls, HISTORY_ACTION_ID, sequence->id);
		set_text(values, nulls, HISTORY_ACTION_TYPE, sequence->steps.steps[0].type->type);
	}
	else
		set_text(values, nulls, HISTORY_SEQUENCE_ID, sequence->id);
	values[HISTORY_START_TIME] = utc_timestamp(run->started);
	values[HISTORY_CONTEXT] = JsonbPGetDatum(run->context->document);
	nulls[HISTORY_START_TIME] = nulls[HISTORY_CONTEXT] = ' ';
	set_text(values, nulls, HISTORY_USER_ID, run->context->user_id != NULL ? run->context->user_id : sigma_app_user());
	values[HISTORY_ROLE] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(sigma_session_role(), false)));
	values[HISTORY_ROWS_CHANGED] = Int64GetDatum(run->rows_changed);
	nulls[HISTORY_ROLE] = nulls[HISTORY_ROWS_CHANGED] = ' ';
	metadata = sigma_history_metadata(run->outer, &run->edits);
	values[HISTORY_METADATA] = JsonbPGetDatum(metadata);
	nulls[HISTORY_METADATA] = metadata == NULL ? 'n' : ' ';
}

/*
 * {parent?: the run that a step of it has started this one, edits?: {table: [first, last
 * entry of its log], or null where none is kept}}; NULL where there is neither.
 */
Jsonb *
sigma_history_metadata(const Run *outer, const RunEdits *edits)
{
	static const JsonbValue nothing = {.type = jbvNull};
	JsonbParseState *state = NULL;
	ListCell   *lc;

	if (outer == NULL && edits->tables == NIL)
		return NULL;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (outer != NULL)
		sigma_push_text(&state, "parent", outer->execution_id);
	if (edits->tables != NIL)
	{
		sigma_push_key(&state, "edits");
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	}
	foreach(lc, edits->tables)
	{
		const TableEdits *table = lfirst(lc);
		JsonbValue	number = {.type = jbvNumeric};

		if (table->first == 0)
		{
			sigma_push_value(&state, table->table_id, &nothing);
			continue;
		}
		sigma_push_key(&state, table->table_id);
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		number.val.numeric = int64_to_numeric(table->first);
		pushJsonbValue(&state, WJB_ELEM, &number);
		number.val.numeric = int64_to_numeric(table->last);
		pushJsonbValue(&state, WJB_ELEM, &number);
		pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	if (edits->tables != NIL)
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* A text, or NULL. */
static void
set_text(Datum *values, char *nulls, int i, const char *text)
{
	nulls[i] = text == NULL ? 'n' : ' ';
	if (text != NULL)
		values[i] = CStringGetTextDatum(text);
}

/* The catalog's times are UTC, whatever the session's zone. */
static Datum
utc_timestamp(TimestampTz time)
{
	/* a timestamptz counts from 2000-01-01 UTC, and so does a timestamp in UTC */
	return TimestampGetDatum((Timestamp) time);
}
