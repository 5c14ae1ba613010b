/*
 * diff.c
 *		sigma.diff: what happened to rows and cells between two edits, in sum.
 *
 * The result has a row for each cell; rows of the input table without a value have one of
 * no column.  Who may see what is past_rights.c's to say: where a filter hides rows, it is
 * asked about what the rows were before and after.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "common/argument.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"

/* Columns of the result. */
enum
{
	DIFF_ROW, DIFF_KEY, DIFF_OPERATION, DIFF_COLUMN, DIFF_OLD, DIFF_NEW, DIFF_COLUMNS
};

/* What diff shows, and to whom. */
typedef struct DiffCall
{
	ReturnSetInfo *result;
	PastRights	rights;
	PastKeys   *keys;			/* of linked tables, or NULL */
	HTAB	   *seen_before;	/* ids of rows whose former image may be seen; NULL: all */
	HTAB	   *seen_after;
} DiffCall;

static void show_columns(DiffCall *call, const LogDelta *delta);
static HTAB *ids_of(DeltaRow **rows, int64 count);
static HTAB *ids_seen(const PastRights *rights, int64 through, HTAB *rows);
static bool is_seen(HTAB *seen, int64 row_id);
static void diff_row(DiffCall *call, DeltaRow *row);
static void put_diff(DiffCall *call, const int64 *row_id, const char *operation, const char *column,
					 Datum old, bool no_old, Datum new, bool no_new);

PG_FUNCTION_INFO_V1(diff);

/*
 * diff(table_id text, from_edit bigint, to_edit bigint) → table (row_id, key, operation,
 * "column", old, new): what the edits after the first one up to the second (now) changed
 * in sum, columns first, then rows by their ids.
 */
Datum
diff(PG_FUNCTION_ARGS)
{
	DiffCall	call = {0};
	const InputTable *table = sigma_logged_table(sigma_text_argument(fcinfo, 0, "table_id"));
	int64		to = PG_ARGISNULL(2) ? PG_INT64_MAX : PG_GETARG_INT64(2);
	LogDelta   *delta;
	DeltaRow  **rows;
	int64		count;
	int64		i;

	sigma_require_argument(fcinfo, 1, "from_edit");
	call.result = (ReturnSetInfo *) fcinfo->resultinfo;
	sigma_past_begin(&call.rights, table);
	InitMaterializedSRF(fcinfo, 0);
	delta = sigma_log_delta(table, GetActiveSnapshot(), PG_GETARG_INT64(1), to, NULL, 0);
	show_columns(&call, delta);
	rows = sigma_log_delta_rows(delta, &count);
	call.keys = sigma_past_keys(table);
	if (call.keys != NULL && count > 0)
		sigma_past_keys_read(call.keys, GetActiveSnapshot(), ids_of(rows, count));
	if (call.rights.filter != NULL && count > 0)
	{
		call.seen_before = ids_seen(&call.rights, PG_GETARG_INT64(1), ids_of(rows, count));
		call.seen_after = ids_seen(&call.rights, to, ids_of(rows, count));
	}
	for (i = 0; i < count; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(delta->scratch);

		CHECK_FOR_INTERRUPTS();
		diff_row(&call, rows[i]);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(delta->scratch);
	}
	MemoryContextDelete(delta->cxt);
	return (Datum) 0;
}

/* Columns that came, went or changed. */
static void
show_columns(DiffCall *call, const LogDelta *delta)
{
	ListCell   *lc;

	foreach(lc, sigma_log_delta_columns(delta))
	{
		const DeltaColumn *change = lfirst(lc);
		const JsonNode *named = change->after != NULL ? change->after : change->before;

		put_diff(call, NULL, change->before == NULL ? "add_column" : change->after == NULL ? "drop_column" : "change_column",
				 sigma_json_get_string(named, "name", ""),
				 change->before == NULL ? (Datum) 0 : JsonbPGetDatum(sigma_json_write(change->before)), change->before == NULL,
				 change->after == NULL ? (Datum) 0 : JsonbPGetDatum(sigma_json_write(change->after)), change->after == NULL);
	}
}

/* The ids of the rows, in the current context. */
static HTAB *
ids_of(DeltaRow **rows, int64 count)
{
	HTAB	   *ids = sigma_past_ids();
	int64		i;

	for (i = 0; i < count; i++)
		(void) hash_search(ids, &rows[i]->row_id, HASH_ENTER, NULL);
	return ids;
}

/* Those of the rows whose images after that edit the caller may see, in the current context. */
static HTAB *
ids_seen(const PastRights *rights, int64 through, HTAB *rows)
{
	LogState   *state = sigma_log_state(rights->table, GetActiveSnapshot(), through, NULL, rows);
	PastFilter *filter = sigma_past_filter(rights);
	HTAB	   *seen = sigma_past_ids();
	int64		row_id;
	int64		sequence;
	bool		visible;

	while (sigma_log_state_next(state))
		sigma_past_filter_add(&state->image, filter);
	sigma_log_state_end(state);
	sigma_past_filter_run(filter);
	while (sigma_past_filter_next(filter, &row_id, &sequence, &visible))
		if (visible)
			(void) hash_search(seen, &row_id, HASH_ENTER, NULL);
	sigma_past_filter_end(filter);
	return seen;
}

static bool
is_seen(HTAB *seen, int64 row_id)
{
	return seen == NULL || hash_search(seen, &row_id, HASH_FIND, NULL) != NULL;
}

/* The cells of a row that are not as they were, as far as they may be seen. */
static void
diff_row(DiffCall *call, DeltaRow *row)
{
	const char *operation = !row->before ? "insert" : !row->after ? "delete" : "update";
	bool		see_old = row->before && is_seen(call->seen_before, row->row_id);
	bool		see_new = row->after && is_seen(call->seen_after, row->row_id);
	bool		shown = false;
	int			i;

	if (!see_old && !see_new)
		return;
	for (i = 0; i < row->ncell; i++)
	{
		DeltaCell  *cell = &row->cells[i];
		Datum		old = (Datum) 0;
		Datum		new = (Datum) 0;
		bool		no_old = !see_old || !sigma_past_cell(cell->old_type, &cell->old, &old);
		bool		no_new = !see_new || !sigma_past_cell(cell->new_type, &cell->new, &new);

		if ((no_old && no_new) || !sigma_past_column(&call->rights, cell->column) ||
			(row->before && row->after && sigma_log_same_cell(&cell->old, &cell->new)))
			continue;
		put_diff(call, &row->row_id, operation, cell->column->name, old, no_old, new, no_new);
		shown = true;
	}
	if (!shown && row->before != row->after)
		put_diff(call, &row->row_id, operation, NULL, 0, true, 0, true);
}

static void
put_diff(DiffCall *call, const int64 *row_id, const char *operation, const char *column,
		 Datum old, bool no_old, Datum new, bool no_new)
{
	Datum		values[DIFF_COLUMNS] = {0};
	bool		nulls[DIFF_COLUMNS] = {0};

	nulls[DIFF_ROW] = row_id == NULL;
	values[DIFF_ROW] = row_id == NULL ? (Datum) 0 : Int64GetDatum(*row_id);
	nulls[DIFF_KEY] = row_id == NULL || !sigma_past_key(call->keys, *row_id, &values[DIFF_KEY]);
	values[DIFF_OPERATION] = CStringGetTextDatum(operation);
	nulls[DIFF_COLUMN] = column == NULL;
	values[DIFF_COLUMN] = column == NULL ? (Datum) 0 : CStringGetTextDatum(column);
	nulls[DIFF_OLD] = no_old;
	values[DIFF_OLD] = old;
	nulls[DIFF_NEW] = no_new;
	values[DIFF_NEW] = new;
	tuplestore_putvalues(call->result->setResult, call->result->setDesc, values, nulls);
}
