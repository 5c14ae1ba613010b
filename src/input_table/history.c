/*
 * history.c
 *		sigma.history: what happened to rows and cells, edit by edit.
 *
 * The result has a row for each cell; rows of the input table without a value have one of
 * no column.  Who may see what is past_rights.c's to say: where a filter hides rows, the
 * log is read twice, first to make the images that each edit left and ask which of them
 * may be seen.  Of an edit that brought a row into sight, or out of it, the side that may
 * be seen is shown.
 */
#include "postgres.h"

#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplesort.h"

#include "common/argument.h"
#include "common/errors.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"

/* Which sides of the edits may be seen, in the order of the edits. */
typedef struct Sight
{
	Tuplesortstate *sort;		/* of: sequence, is the old image seen, is the new one */
	TupleTableSlot *slot;
} Sight;

/* What history shows, and to whom. */
typedef struct HistoryCall
{
	ReturnSetInfo *result;
	const InputTable *table;
	PastRights	rights;
	HTAB	   *only;			/* just these rows', or NULL */
	PastKeys   *keys;			/* of linked tables, or NULL */
	Sight	   *sight;			/* or NULL: all is seen */
} HistoryCall;

/* Columns of history's result. */
enum
{
	HISTORY_EDIT, HISTORY_AT, HISTORY_BY, HISTORY_ROW, HISTORY_KEY, HISTORY_OPERATION, HISTORY_COLUMN,
	HISTORY_OLD, HISTORY_NEW, HISTORY_COLUMNS
};

static void choose_rows(HistoryCall *call, FunctionCallInfo fcinfo, Snapshot snapshot);
static Sight *look(HistoryCall *call, Snapshot snapshot, int64 *base);
static Sight *begin_sight(void);
static void next_sight(Sight *sight, bool *old, bool *new);
static void show_column_edit(HistoryCall *call, LogSchema *schema, const LogEntry *entry);
static void show_row(const LogEntry *entry, const LogRow *row, void *arg);
static void put_history(HistoryCall *call, const LogEntry *entry, const int64 *row_id, const char *operation,
						const char *column, Datum old, bool no_old, Datum new, bool no_new);
static const char *operation_name(LogOperation operation);

PG_FUNCTION_INFO_V1(history);

/*
 * history(table_id text, row_id bigint, key jsonb) → table (edit_num, at, by, row_id, key,
 * operation, "column", old, new), by edits: of the rows that are named, or of all rows and
 * the columns.
 */
Datum
history(PG_FUNCTION_ARGS)
{
	HistoryCall call = {0};
	Snapshot	snapshot = GetActiveSnapshot();
	LogSchema  *schema;
	LogReader  *reader;
	LogEntry	entry;
	MemoryContext cxt;
	MemoryContext caller;
	int64		base = 0;

	call.table = sigma_logged_table(sigma_text_argument(fcinfo, 0, "table_id"));
	call.result = (ReturnSetInfo *) fcinfo->resultinfo;
	sigma_past_begin(&call.rights, call.table);
	InitMaterializedSRF(fcinfo, 0);
	choose_rows(&call, fcinfo, snapshot);
	call.keys = sigma_past_keys(call.table);
	if (call.rights.filter != NULL)
		call.sight = look(&call, snapshot, &base);

	schema = sigma_log_schema_new(CurrentMemoryContext);
	cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	reader = sigma_log_read(call.table->log.relid, snapshot, base, PG_INT64_MAX, ForwardScanDirection);
	caller = MemoryContextSwitchTo(cxt);
	while (sigma_log_next(reader, &entry))
	{
		show_column_edit(&call, schema, &entry);
		sigma_log_apply(schema, &entry);
		sigma_log_rows(schema, &entry, call.only, show_row, &call);
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(caller);
	sigma_log_read_end(reader);
	MemoryContextDelete(cxt);
	if (call.sight != NULL)
		tuplesort_end(call.sight->sort);
	return (Datum) 0;
}

/* The rows that the arguments name, if they do. */
static void
choose_rows(HistoryCall *call, FunctionCallInfo fcinfo, Snapshot snapshot)
{
	int64		row_id;
	bool		wanted = true;

	if (!PG_ARGISNULL(2))
		call->only = sigma_past_rows_of_key(call->table, snapshot, PG_GETARG_JSONB_P(2));
	if (PG_ARGISNULL(1))
		return;
	row_id = PG_GETARG_INT64(1);
	if (call->only != NULL)
		wanted = hash_search(call->only, &row_id, HASH_FIND, NULL) != NULL;
	call->only = sigma_past_ids();
	if (wanted)
		(void) hash_search(call->only, &row_id, HASH_ENTER, NULL);
}

/* Ask the filter about what each edit since the last checkpoint, which *base becomes, left of its rows. */
static Sight *
look(HistoryCall *call, Snapshot snapshot, int64 *base)
{
	LogState   *state = sigma_log_state(call->table, snapshot, PG_INT64_MAX, NULL, call->only);
	PastFilter *filter = sigma_past_filter(&call->rights);
	Sight	   *sight = begin_sight();
	int64		last_row = 0;
	bool		old = false;
	int64		row_id;
	int64		sequence;
	bool		new;

	state->visit = sigma_past_filter_add;
	state->visit_arg = filter;
	while (sigma_log_state_next(state))
		;
	*base = state->base;
	sigma_log_state_end(state);
	sigma_past_filter_run(filter);
	while (sigma_past_filter_next(filter, &row_id, &sequence, &new))
	{
		ExecClearTuple(sight->slot);
		sight->slot->tts_values[0] = Int64GetDatum(sequence);
		sight->slot->tts_values[1] = BoolGetDatum(row_id == last_row && old);
		sight->slot->tts_values[2] = BoolGetDatum(new);
		memset(sight->slot->tts_isnull, false, sizeof(bool) * 3);
		ExecStoreVirtualTuple(sight->slot);
		tuplesort_puttupleslot(sight->sort, sight->slot);
		last_row = row_id;
		old = new;
	}
	sigma_past_filter_end(filter);
	tuplesort_performsort(sight->sort);
	sight->slot = MakeSingleTupleTableSlot(sight->slot->tts_tupleDescriptor, &TTSOpsMinimalTuple);
	return sight;
}

/* An empty one, to be sorted by sequence. */
static Sight *
begin_sight(void)
{
	Sight	   *sight = palloc(sizeof(Sight));
	TupleDesc	desc = CreateTemplateTupleDesc(3);
	AttrNumber	attribute = 1;
	Oid			operator = Int8LessOperator;
	Oid			collation = InvalidOid;
	bool		nulls_first = false;

	TupleDescInitEntry(desc, 1, NULL, INT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, NULL, BOOLOID, -1, 0);
	TupleDescInitEntry(desc, 3, NULL, BOOLOID, -1, 0);
	sight->sort = tuplesort_begin_heap(desc, 1, &attribute, &operator, &collation, &nulls_first,
									   work_mem, NULL, TUPLESORT_NONE);
	sight->slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	return sight;
}

/* What may be seen of the next edit of a row. */
static void
next_sight(Sight *sight, bool *old, bool *new)
{
	bool		isnull;

	*old = *new = true;
	if (sight == NULL)
		return;
	if (!tuplesort_gettupleslot(sight->sort, true, false, sight->slot, NULL))
		elog(ERROR, "an edit log has more edits than when it was read first");
	*old = DatumGetBool(slot_getattr(sight->slot, 2, &isnull));
	*new = DatumGetBool(slot_getattr(sight->slot, 3, &isnull));
}

/* A change of a column; the schema still stands before it. */
static void
show_column_edit(HistoryCall *call, LogSchema *schema, const LogEntry *entry)
{
	DeltaColumn change;
	const JsonNode *named;

	if (call->only != NULL || (entry->operation != LOG_ADD_COLUMN &&
					  ((entry->operation != LOG_UPDATE_COLUMN && entry->operation != LOG_DELETE_COLUMN) ||
					   !sigma_log_begins_column_edit(entry))))
		return;
	sigma_log_column_edit(schema, entry, &change);
	named = change.after != NULL ? change.after : change.before;
	put_history(call, entry, NULL,
				change.before == NULL ? "add_column" : change.after == NULL ? "drop_column" : "change_column",
				sigma_json_get_string(named, "name", ""),
				change.before == NULL ? (Datum) 0 : JsonbPGetDatum(sigma_json_write(change.before)), change.before == NULL,
				change.after == NULL ? (Datum) 0 : JsonbPGetDatum(sigma_json_write(change.after)), change.after == NULL);
}

/* LogRowVisitor: the cells of a row that have, had or changed a value; rows of a checkpoint are no edits. */
static void
show_row(const LogEntry *entry, const LogRow *row, void *arg)
{
	HistoryCall *call = arg;
	bool		shown = false;
	bool		see_old;
	bool		see_new;
	int			i;

	next_sight(call->sight, &see_old, &see_new);
	sigma_past_keys_note(call->keys, row);
	see_old = see_old && row->old != NULL;
	see_new = see_new && row->new != NULL;
	if (entry->operation == LOG_CHECKPOINT || (!see_old && !see_new))
		return;
	for (i = 0; i < row->ncell; i++)
	{
		ColumnType	type = row->columns[i]->type;
		Datum		old = (Datum) 0;
		Datum		new = (Datum) 0;
		bool		no_old = !see_old || !sigma_past_cell(type, &row->old[i], &old);
		bool		no_new = !see_new || !sigma_past_cell(type, &row->new[i], &new);

		if ((no_old && no_new) || !sigma_past_column(&call->rights, row->columns[i]) ||
			(row->operation == LOG_UPDATE_ROWS && sigma_log_same_cell(&row->old[i], &row->new[i])))
			continue;
		put_history(call, entry, &row->row_id, operation_name(row->operation), row->columns[i]->name,
					old, no_old, new, no_new);
		shown = true;
	}
	if (!shown && row->operation != LOG_UPDATE_ROWS)
		put_history(call, entry, &row->row_id, operation_name(row->operation), NULL, 0, true, 0, true);
}

static void
put_history(HistoryCall *call, const LogEntry *entry, const int64 *row_id, const char *operation,
			const char *column, Datum old, bool no_old, Datum new, bool no_new)
{
	const char *by = sigma_log_metadata(entry, "userEmail");
	Datum		values[HISTORY_COLUMNS] = {0};
	bool		nulls[HISTORY_COLUMNS] = {0};

	values[HISTORY_EDIT] = Int64GetDatum(entry->number);
	values[HISTORY_AT] = TimestampTzGetDatum(entry->at);
	nulls[HISTORY_BY] = by == NULL;
	values[HISTORY_BY] = by == NULL ? (Datum) 0 : CStringGetTextDatum(by);
	nulls[HISTORY_ROW] = row_id == NULL;
	values[HISTORY_ROW] = row_id == NULL ? (Datum) 0 : Int64GetDatum(*row_id);
	nulls[HISTORY_KEY] = row_id == NULL || !sigma_past_key(call->keys, *row_id, &values[HISTORY_KEY]);
	values[HISTORY_OPERATION] = CStringGetTextDatum(operation);
	nulls[HISTORY_COLUMN] = column == NULL;
	values[HISTORY_COLUMN] = column == NULL ? (Datum) 0 : CStringGetTextDatum(column);
	nulls[HISTORY_OLD] = no_old;
	values[HISTORY_OLD] = old;
	nulls[HISTORY_NEW] = no_new;
	values[HISTORY_NEW] = new;
	tuplestore_putvalues(call->result->setResult, call->result->setDesc, values, nulls);
}

static const char *
operation_name(LogOperation operation)
{
	return operation == LOG_ADD_ROWS ? "insert" : operation == LOG_DELETE_ROWS ? "delete" : "update";
}
