/*
 * history.c
 *		What a run leaves behind: its result document and its row of history.
 *
 * The row is written after the run's own rollback, once, by the owner of the
 * history table, into the table and its indexes or through kept statements of
 * bound values: callers need no right on the table, and nothing of theirs runs
 * under that identity.  It lives and
 * dies with the caller's transaction.  A run with an idempotency key inserts its
 * row before it does anything, which is its claim on the key, and completes it
 * in the end: whoever comes later waits for that, and is given the result.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "action/action.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "common/session.h"
#include "common/spi.h"
#include "compat.h"

static void push_steps(JsonbParseState **state, const StepRecord *records, int count);
static void push_step(JsonbParseState **state, const StepRecord *record);
static RunStatus status_of(const StepRecord *record);
static void push_place(JsonbParseState **state, const StepRecord *record);
static void push_action_id(JsonbParseState **state, const Step *step);
static void push_effects(JsonbParseState **state, const Run *run);
static void push_alert(JsonbParseState **state, const Run *run);
static void push_warnings(JsonbParseState **state, const Run *run);
static void push_warning(JsonbParseState **state, const char *message);
static void push_error(JsonbParseState **state, const ErrorData *error);
static void push_milliseconds(JsonbParseState **state, const char *key, int64 microseconds);
static void push_time(JsonbParseState **state, const char *key, TimestampTz time);
static void fill_row(const Run *run, Datum *values, char *nulls);
static bool store_row(Datum *values, const char *nulls);
static bool find_columns(Relation rel, AttrNumber *places);
static bool holds(Form_pg_attribute column, Oid type);
static void set_text(Datum *values, char *nulls, int i, const char *text);
static bool read_stored(Run *run, Datum *values, const char *nulls);
static Datum utc_timestamp(TimestampTz time);
static Oid	history_owner(void);

/*
 * The result document of a run that has ended, in the current context.
 */
Jsonb *
sigma_run_result(Run *run)
{
	const Sequence *sequence = run->sequence;
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "status", sigma_run_status_name(run->status));
	if (run->reason != NULL)
		sigma_push_text(&state, "reason", run->reason);
	if (!sequence->is_action)
		sigma_push_text(&state, "sequence_id", sequence->id);
	sigma_push_text(&state, "execution_id", run->execution_id);
	sigma_push_bool(&state, "atomic", sequence->atomic);
	sigma_push_bool(&state, "rolled_back", run->rolled_back);
	sigma_push_int(&state, "failed_actions", run->failed);
	sigma_push_int(&state, "actions_executed", run->executed);
	sigma_push_int(&state, "rows_changed", run->rows_changed);
	push_steps(&state, run->records, sequence->steps.count);
	sigma_push_key(&state, "variables");
	sigma_context_push_variables(&state, run->context);
	sigma_push_key(&state, "controls");
	sigma_context_push_controls(&state, run->context);
	push_effects(&state, run);
	push_alert(&state, run);
	if (run->error != NULL)
	{
		sigma_push_key(&state, "error");
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		if (run->error_record != NULL)
			push_place(&state, run->error_record);
		push_error(&state, run->error);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	push_milliseconds(&state, "duration_ms", run->duration);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* "actions": one document for each of the steps that were reached, in their order. */
static void
push_steps(JsonbParseState **state, const StepRecord *records, int count)
{
	int			i;

	check_stack_depth();
	sigma_push_key(state, "actions");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < count; i++)
		if (records[i].step != NULL)
			push_step(state, &records[i]);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
push_step(JsonbParseState **state, const StepRecord *record)
{
	const Step *step = record->step;
	RunStatus	status = status_of(record);

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_int(state, "index", step->index);
	push_action_id(state, step);
	sigma_push_text(state, "type", step->type->type);
	sigma_push_text(state, "subtype", step->type->subtype[0] != '\0' ? step->type->subtype : NULL);
	sigma_push_text(state, "status", sigma_run_status_name(status));
	if (record->outcome.has_result)
		sigma_push_value(state, "result", &record->outcome.result);
	if (record->rows >= 0 && (record->in_loop || status != RUN_FAILED))
		sigma_push_int(state, "rows", record->rows);
	if (record->in_loop)
	{
		sigma_push_int(state, "times", record->times);
		sigma_push_int(state, "failed", record->failed);
	}
	if (status != RUN_SKIPPED)
		sigma_push_int(state, "attempts", record->attempts);
	if (record->error != NULL && status == RUN_FAILED)
	{
		sigma_push_key(state, "error");
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		if (record->error_row >= 0)
			sigma_push_int(state, "row", record->error_row);
		push_error(state, record->error);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	if (record->held != NULL)
		push_steps(state, record->held, step->held);
	else if (record->outcome.actions != NULL)
	{
		JsonbValue	actions;

		sigma_jsonb_to_value(record->outcome.actions, &actions);
		sigma_push_value(state, "actions", &actions);
	}
	push_time(state, "started_at", record->started);
	push_milliseconds(state, "duration_ms", record->duration);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* What became of a step; in a loop, of all its times. */
static RunStatus
status_of(const StepRecord *record)
{
	if (!record->in_loop)
		return record->status;
	return record->failed > 0 ? RUN_FAILED : record->succeeded > 0 ? RUN_SUCCESS : RUN_SKIPPED;
}

/* Whose error it is: the action, where it stands, and the step of the sequence that it is, or is part of. */
static void
push_place(JsonbParseState **state, const StepRecord *record)
{
	const StepRecord *outermost = record;

	push_action_id(state, record->step);
	if (record->outer != NULL)
		sigma_push_text(state, "path", record->step->path);
	if (record->error_row >= 0)
		sigma_push_int(state, "row", record->error_row);
	while (outermost->outer != NULL)
		outermost = outermost->outer;
	sigma_push_int(state, "index", outermost->step->index);
}

/* "action_id": null for an inline action without one. */
static void
push_action_id(JsonbParseState **state, const Step *step)
{
	JsonbValue	null;

	null.type = jbvNull;
	if (step->id != NULL)
		sigma_push_text(state, "action_id", step->id);
	else
		sigma_push_value(state, "action_id", &null);
}

/* "effects": what the client is to do, in order. */
static void
push_effects(JsonbParseState **state, const Run *run)
{
	ListCell   *lc;

	sigma_push_key(state, "effects");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, run->effects)
	{
		Jsonb	   *effect = lfirst(lc);
		JsonbValue	value;

		value.type = jbvBinary;
		value.val.binary.data = &effect->root;
		value.val.binary.len = VARSIZE(effect) - VARHDRSZ;
		pushJsonbValue(state, WJB_ELEM, &value);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* "alert", where the sequence has one for this end, and "warnings". */
static void
push_alert(JsonbParseState **state, const Run *run)
{
	if (run->alerts)
	{
		sigma_push_key(state, "alert");
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		sigma_push_text(state, "kind", run->status == RUN_SUCCESS ? "success" : "failure");
		if (run->alert_title != NULL)
			sigma_push_text(state, "title", run->alert_title);
		if (run->alert_message != NULL)
			sigma_push_text(state, "message", run->alert_message);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	push_warnings(state, run);
}

/* "warnings": what rules of severity warn say of the rows that were written, then of the run itself. */
static void
push_warnings(JsonbParseState **state, const Run *run)
{
	const RowWarnings *rows = &run->row_warnings;
	ListCell   *lc;

	sigma_push_key(state, "warnings");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, rows->items)
	{
		const RowWarning *warning = lfirst(lc);

		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		sigma_push_int(state, "index", warning->step);
		sigma_push_text(state, "table_id", warning->table);
		sigma_push_int(state, "row_id", warning->failure.row_id);
		sigma_push_text(state, "column", warning->failure.column);
		sigma_push_text(state, "rule", warning->failure.rule);
		sigma_push_text(state, "severity", "warn");
		sigma_push_text(state, "value", warning->failure.value);
		sigma_push_text(state, "message", warning->failure.message);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	if (rows->count > list_length(rows->items))
		push_warning(state, psprintf(INT64_FORMAT " more warnings are not shown", rows->count - list_length(rows->items)));
	foreach(lc, run->warnings)
		push_warning(state, lfirst(lc));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* A warning that is about no row. */
static void
push_warning(JsonbParseState **state, const char *message)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(state, "message", message);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* The members of an error, into an object that is open. */
static void
push_error(JsonbParseState **state, const ErrorData *error)
{
	/* the value points at the text, which PostgreSQL keeps in one place */
	sigma_push_text(state, "sqlstate", pstrdup(unpack_sql_state(error->sqlerrcode)));
	sigma_push_text(state, "message", error->message != NULL ? error->message : "");
	if (error->detail != NULL)
		sigma_push_text(state, "detail", error->detail);
	if (error->hint != NULL)
		sigma_push_text(state, "hint", error->hint);
}

/* A span in milliseconds, to the microsecond. */
static void
push_milliseconds(JsonbParseState **state, const char *key, int64 microseconds)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = int64_div_fast_to_numeric(microseconds, 3);
	sigma_push_value(state, key, &value);
}

/* A point in time, as to_jsonb() writes it. */
static void
push_time(JsonbParseState **state, const char *key, TimestampTz time)
{
	char	   *buf = palloc(MAXDATELEN + 1);	/* the value points at it */

	JsonEncodeDateTime(buf, TimestampTzGetDatum(time), TIMESTAMPTZOID, NULL);
	sigma_push_text(state, key, buf);
}

/*
 * The row
 */

/* What a row of history is written from, $1 and on. */
static const Oid row_types[] = {
	TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPOID, TIMESTAMPOID, JSONBOID, JSONBOID,
	TEXTOID, TEXTOID, TEXTOID, TEXTOID, NAMEOID, INT8OID, TEXTOID, JSONBOID
};

#define ROW_COLUMNS lengthof(row_types)
#define ROW_KEY		14			/* place of the idempotency key */
#define ROW_METADATA	15

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
	Datum		values[ROW_COLUMNS];
	char		nulls[ROW_COLUMNS];
	Oid			user;
	int			context;

	fill_row(run, values, nulls);
	values[5] = utc_timestamp(run->ended);
	values[7] = JsonbPGetDatum(result);
	nulls[5] = nulls[7] = ' ';
	set_text(values, nulls, 8, sigma_run_status_name(run->status));
	set_text(values, nulls, 9, run->error == NULL ? NULL : run->error->message);
	set_text(values, nulls, 10, run->reason);
	set_text(values, nulls, ROW_KEY, run->claimed && run->status != RUN_SKIPPED ? run->context->idempotency_key : NULL);

	/* no function stands in the texts, so no search_path matters */
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(history_owner(), context | SECURITY_LOCAL_USERID_CHANGE);
	if (run->claimed)
		sigma_spi_execute(sigma_spi_plan(&update,
										 "UPDATE sigma.sigma_execution_history SET end_time = $6, context = $7, result = $8, status = $9,"
										 " error_message = $10, reason = $11, rows_changed = $14, idempotency_key = $15, metadata = $16"
										 " WHERE execution_id OPERATOR(pg_catalog.=) $1",
										 ROW_COLUMNS, row_types),
						  values, nulls, false, SPI_OK_UPDATE);
	/* a step may have deleted it */
	if ((!run->claimed || SPI_processed == 0) && !store_row(values, nulls))
		sigma_spi_execute(sigma_spi_plan(&insert, INSERT_ROW, ROW_COLUMNS, row_types),
						  values, nulls, false, SPI_OK_INSERT);
	SetUserIdAndSecContext(user, context);
	MemoryContextSwitchTo(run->cxt);
}

/*
 * Insert the row without a statement, which halves what a run costs that does little.
 * False: the table is not as it was made - it has triggers, or other columns - and an
 * INSERT has to do it.
 */
static bool
store_row(Datum *values, const char *nulls)
{
	Relation	rel = table_open(sigma_relation_oid("sigma_execution_history"), RowExclusiveLock);
	TupleDesc	desc = RelationGetDescr(rel);
	AttrNumber	places[ROW_COLUMNS];
	EState	   *estate;
	ResultRelInfo *result;
	TupleTableSlot *slot;
	int			i;

	if (!find_columns(rel, places))
	{
		table_close(rel, RowExclusiveLock);
		return false;
	}
	PreventCommandIfReadOnly("INSERT");
	estate = CreateExecutorState();
	result = makeNode(ResultRelInfo);
	InitResultRelInfo(result, rel, 1, NULL, 0);
	ExecOpenIndices(result, false);
	slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * desc->natts);
	for (i = 0; i < ROW_COLUMNS; i++)
	{
		slot->tts_values[places[i] - 1] = values[i];
		slot->tts_isnull[places[i] - 1] = nulls[i] == 'n';
	}
	ExecStoreVirtualTuple(slot);
	table_tuple_insert(rel, slot, GetCurrentCommandId(true), 0, NULL);
	if (result->ri_NumIndices > 0)
		(void) sigma_insert_index_tuples(result, slot, estate);
	ExecCloseIndices(result);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	table_close(rel, NoLock);
	CommandCounterIncrement();	/* as after a statement: the caller sees it */
	return true;
}

/* Where the columns of a row stand; false where the table is not as it was made. */
static bool
find_columns(Relation rel, AttrNumber *places)
{
	static const char *const columns[] = {
		"execution_id", "sequence_id", "action_id", "action_type", "start_time", "end_time", "context", "result",
		"status", "error_message", "reason", "user_id", "role", "rows_changed", "idempotency_key", "metadata"
	};
	TupleDesc	desc = RelationGetDescr(rel);
	TriggerDesc *triggers = rel->trigdesc;
	int			i;
	int			j;

	if (rel->rd_rel->relkind != RELKIND_RELATION || desc->natts != ROW_COLUMNS + 2 ||
		(desc->constr != NULL && (desc->constr->num_defval > 0 || desc->constr->num_check > 0)) ||
		(triggers != NULL && (triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
							  triggers->trig_insert_before_statement || triggers->trig_insert_after_statement)))
		return false;
	/* the columns' order is that of the definition but for two: one pass mostly */
	for (i = 0, j = 0; i < ROW_COLUMNS; i++)
	{
		int			tried;

		for (tried = 0; tried < desc->natts; tried++, j++)
		{
			Form_pg_attribute att = TupleDescAttr(desc, j % desc->natts);

			if (strcmp(NameStr(att->attname), columns[i]) == 0)
				break;
		}
		if (tried == desc->natts || !holds(TupleDescAttr(desc, j % desc->natts), row_types[i]))
			return false;
		places[i] = (AttrNumber) (j % desc->natts + 1);
	}
	return true;
}

/* Is a value of that type what the column holds? */
static bool
holds(Form_pg_attribute column, Oid type)
{
	if (column->attisdropped)
		return false;
	switch (type)
	{
		case TEXTOID:
			return column->atttypid == TEXTOID || column->atttypid == VARCHAROID;
		case TIMESTAMPOID:
			/* a domain over it */
			return column->attlen == sizeof(Timestamp) && column->atttypid != INT8OID;
		default:
			return column->atttypid == type;
	}
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
	Datum		values[ROW_COLUMNS] = {0};
	char		nulls[ROW_COLUMNS];
	OwnerScope	scope;

	memset(nulls, 'n', ROW_COLUMNS);
	set_text(values, nulls, 0, execution_id);
	set_text(values, nulls, 3, type);
	values[4] = utc_timestamp(started);
	values[5] = utc_timestamp(GetCurrentTimestamp());
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	values[6] = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
	values[7] = JsonbPGetDatum(result);
	set_text(values, nulls, 8, "success");
	set_text(values, nulls, 11, sigma_app_user());
	values[12] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(sigma_session_role(), false)));
	values[13] = Int64GetDatum(rows);
	values[ROW_METADATA] = JsonbPGetDatum(metadata);
	nulls[4] = nulls[5] = nulls[6] = nulls[7] = nulls[12] = nulls[13] = nulls[ROW_METADATA] = ' ';
	sigma_owner_begin(&scope, history_owner());
	sigma_spi_execute(sigma_spi_plan(&plan, INSERT_ROW, ROW_COLUMNS, row_types), values, nulls, false, SPI_OK_INSERT);
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
	Datum		values[ROW_COLUMNS];
	char		nulls[ROW_COLUMNS];
	OwnerScope	scope;
	bool		claimed = false;
	bool		found = false;

	fill_row(run, values, nulls);
	set_text(values, nulls, 8, "running");
	set_text(values, nulls, ROW_KEY, run->context->idempotency_key);
	sigma_owner_begin(&scope, history_owner());
	while (!claimed && !found)
	{
		CHECK_FOR_INTERRUPTS();
		sigma_spi_execute(sigma_spi_plan(&plan, INSERT_ROW " ON CONFLICT DO NOTHING", ROW_COLUMNS, row_types),
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
									 ROW_COLUMNS, row_types),
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

	memset(nulls, 'n', ROW_COLUMNS);
	memset(values, 0, sizeof(Datum) * ROW_COLUMNS);
	set_text(values, nulls, 0, run->execution_id);
	if (sequence->is_action)
	{
		set_text(values, nulls, 2, sequence->id);
		set_text(values, nulls, 3, sequence->steps.steps[0].type->type);
	}
	else
		set_text(values, nulls, 1, sequence->id);
	values[4] = utc_timestamp(run->started);
	values[6] = JsonbPGetDatum(run->context->document);
	nulls[4] = nulls[6] = ' ';
	set_text(values, nulls, 11, run->context->user_id != NULL ? run->context->user_id : sigma_app_user());
	values[12] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(sigma_session_role(), false)));
	values[13] = Int64GetDatum(run->rows_changed);
	nulls[12] = nulls[13] = ' ';
	metadata = sigma_history_metadata(run->outer, &run->edits);
	values[ROW_METADATA] = JsonbPGetDatum(metadata);
	nulls[ROW_METADATA] = metadata == NULL ? 'n' : ' ';
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

/* Who owns the history table. */
static Oid
history_owner(void)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(sigma_relation_oid("sigma_execution_history")));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "sigma.sigma_execution_history is missing");
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}
