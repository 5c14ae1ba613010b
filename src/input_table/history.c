/*
 * history.c
 *		sigma.history and sigma.diff: what happened to rows and cells.
 *
 * Both show a cell a row of their result; rows of the input table without a value have
 * one of no column.  What they show is as_of.c's to say.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/argument.h"
#include "common/errors.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"

/* What history shows, and to whom. */
typedef struct HistoryCall
{
	ReturnSetInfo *result;
	PastRights	rights;
	bool		one;			/* just one row's */
	int64		row_id;
} HistoryCall;

/* Columns of history's result. */
enum
{
	HISTORY_EDIT, HISTORY_AT, HISTORY_BY, HISTORY_ROW, HISTORY_KEY, HISTORY_OPERATION, HISTORY_COLUMN,
	HISTORY_OLD, HISTORY_NEW, HISTORY_COLUMNS
};

/* Columns of diff's. */
enum
{
	DIFF_ROW, DIFF_KEY, DIFF_OPERATION, DIFF_COLUMN, DIFF_OLD, DIFF_NEW, DIFF_COLUMNS
};

static void show_column_edit(HistoryCall *call, LogSchema *schema, const LogEntry *entry);
static void show_row(const LogEntry *entry, const LogRow *row, void *arg);
static void put_history(HistoryCall *call, const LogEntry *entry, const int64 *row_id, const char *operation,
						const char *column, Datum old, bool no_old, Datum new, bool no_new);
static void put_diff(ReturnSetInfo *result, const int64 *row_id, const char *operation, const char *column,
					 Datum old, bool no_old, Datum new, bool no_new);
static void diff_row(ReturnSetInfo *result, const PastRights *rights, DeltaRow *row);
static bool cell_shown(ColumnType type, const JsonbValue *cell, Datum *shown);
static const char *operation_name(LogOperation operation);

PG_FUNCTION_INFO_V1(history);
PG_FUNCTION_INFO_V1(diff);

/*
 * history(table_id text, row_id bigint, key jsonb) → table (edit_num, at, by, row_id, key,
 * operation, "column", old, new), by edits: of one row, or of all rows and the columns.
 */
Datum
history(PG_FUNCTION_ARGS)
{
	HistoryCall call = {0};
	const InputTable *table = sigma_logged_table(sigma_text_argument(fcinfo, 0, "table_id"));
	LogSchema  *schema;
	LogReader  *reader;
	LogEntry	entry;
	MemoryContext cxt;
	MemoryContext caller;

	if (!PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("rows of input table \"%s\" have no key", table->name),
				 errhint("Name the row by its \"row_id\".")));
	call.one = !PG_ARGISNULL(1);
	call.row_id = call.one ? PG_GETARG_INT64(1) : 0;
	call.result = (ReturnSetInfo *) fcinfo->resultinfo;
	sigma_past_begin(&call.rights, table);
	InitMaterializedSRF(fcinfo, 0);

	schema = sigma_log_schema_new(CurrentMemoryContext);
	cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	reader = sigma_log_read(table->log.relid, GetActiveSnapshot(), 0, PG_INT64_MAX, ForwardScanDirection);
	caller = MemoryContextSwitchTo(cxt);
	while (sigma_log_next(reader, &entry))
	{
		show_column_edit(&call, schema, &entry);
		sigma_log_apply(schema, &entry);
		if (entry.operation != LOG_CHECKPOINT)
			sigma_log_rows(schema, &entry, show_row, &call);
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(caller);
	sigma_log_read_end(reader);
	MemoryContextDelete(cxt);
	return (Datum) 0;
}

/*
 * diff(table_id text, from_edit bigint, to_edit bigint) → table (row_id, key, operation,
 * "column", old, new): what the edits after the first one up to the second (now) changed
 * in sum, columns first, then rows by their ids.
 */
Datum
diff(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const InputTable *table = sigma_logged_table(sigma_text_argument(fcinfo, 0, "table_id"));
	PastRights	rights;
	LogDelta   *delta;
	DeltaRow  **rows;
	int64		count;
	int64		i;
	ListCell   *lc;

	sigma_require_argument(fcinfo, 1, "from_edit");
	sigma_past_begin(&rights, table);
	InitMaterializedSRF(fcinfo, 0);
	delta = sigma_log_delta(table, GetActiveSnapshot(), PG_GETARG_INT64(1),
							PG_ARGISNULL(2) ? PG_INT64_MAX : PG_GETARG_INT64(2), NULL, 0);
	foreach(lc, sigma_log_delta_columns(delta))
	{
		const DeltaColumn *change = lfirst(lc);
		const JsonNode *named = change->after != NULL ? change->after : change->before;

		put_diff(result, NULL, change->before == NULL ? "add_column" : change->after == NULL ? "drop_column" : "change_column",
				 sigma_json_get_string(named, "name", ""),
				 change->before == NULL ? (Datum) 0 : JsonbPGetDatum(sigma_json_write(change->before)), change->before == NULL,
				 change->after == NULL ? (Datum) 0 : JsonbPGetDatum(sigma_json_write(change->after)), change->after == NULL);
	}
	rows = sigma_log_delta_rows(delta, &count);
	for (i = 0; i < count; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(delta->scratch);

		CHECK_FOR_INTERRUPTS();
		diff_row(result, &rights, rows[i]);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(delta->scratch);
	}
	MemoryContextDelete(delta->cxt);
	return (Datum) 0;
}

/* A change of a column; the schema still stands before it. */
static void
show_column_edit(HistoryCall *call, LogSchema *schema, const LogEntry *entry)
{
	DeltaColumn change;
	const JsonNode *named;

	if (call->one || (entry->operation != LOG_ADD_COLUMN &&
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

/* LogRowVisitor: the cells of a row that have, had or changed a value. */
static void
show_row(const LogEntry *entry, const LogRow *row, void *arg)
{
	HistoryCall *call = arg;
	bool		shown = false;
	int			i;

	if (call->one && row->row_id != call->row_id)
		return;
	for (i = 0; i < row->ncell; i++)
	{
		ColumnType	type = row->columns[i]->type;
		Datum		old = (Datum) 0;
		Datum		new = (Datum) 0;
		bool		no_old = row->old == NULL || !cell_shown(type, &row->old[i], &old);
		bool		no_new = row->new == NULL || !cell_shown(type, &row->new[i], &new);

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
	nulls[HISTORY_KEY] = true;
	values[HISTORY_OPERATION] = CStringGetTextDatum(operation);
	nulls[HISTORY_COLUMN] = column == NULL;
	values[HISTORY_COLUMN] = column == NULL ? (Datum) 0 : CStringGetTextDatum(column);
	nulls[HISTORY_OLD] = no_old;
	values[HISTORY_OLD] = old;
	nulls[HISTORY_NEW] = no_new;
	values[HISTORY_NEW] = new;
	tuplestore_putvalues(call->result->setResult, call->result->setDesc, values, nulls);
}

static void
put_diff(ReturnSetInfo *result, const int64 *row_id, const char *operation, const char *column,
		 Datum old, bool no_old, Datum new, bool no_new)
{
	Datum		values[DIFF_COLUMNS] = {0};
	bool		nulls[DIFF_COLUMNS] = {0};

	nulls[DIFF_ROW] = row_id == NULL;
	values[DIFF_ROW] = row_id == NULL ? (Datum) 0 : Int64GetDatum(*row_id);
	nulls[DIFF_KEY] = true;
	values[DIFF_OPERATION] = CStringGetTextDatum(operation);
	nulls[DIFF_COLUMN] = column == NULL;
	values[DIFF_COLUMN] = column == NULL ? (Datum) 0 : CStringGetTextDatum(column);
	nulls[DIFF_OLD] = no_old;
	values[DIFF_OLD] = old;
	nulls[DIFF_NEW] = no_new;
	values[DIFF_NEW] = new;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The cells of a row that are not as they were. */
static void
diff_row(ReturnSetInfo *result, const PastRights *rights, DeltaRow *row)
{
	const char *operation = !row->before ? "insert" : !row->after ? "delete" : "update";
	bool		shown = false;
	int			i;

	for (i = 0; i < row->ncell; i++)
	{
		DeltaCell  *cell = &row->cells[i];
		Datum		old = (Datum) 0;
		Datum		new = (Datum) 0;
		bool		no_old = !row->before || !cell_shown(cell->old_type, &cell->old, &old);
		bool		no_new = !row->after || !cell_shown(cell->new_type, &cell->new, &new);

		if ((no_old && no_new) || !sigma_past_column(rights, cell->column) ||
			(!no_old && !no_new && sigma_log_same_cell(&cell->old, &cell->new)))
			continue;
		put_diff(result, &row->row_id, operation, cell->column->name, old, no_old, new, no_new);
		shown = true;
	}
	if (!shown && row->before != row->after)
		put_diff(result, &row->row_id, operation, NULL, 0, true, 0, true);
}

/* A cell as jsonb; false for null. */
static bool
cell_shown(ColumnType type, const JsonbValue *cell, Datum *shown)
{
	JsonbValue	value;

	if (cell->type == jbvNull)
		return false;
	sigma_past_value(type, cell, &value);
	*shown = JsonbPGetDatum(JsonbValueToJsonb(&value));
	return true;
}

static const char *
operation_name(LogOperation operation)
{
	return operation == LOG_ADD_ROWS ? "insert" : operation == LOG_DELETE_ROWS ? "delete" : "update";
}
