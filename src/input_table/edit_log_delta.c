/*
 * edit_log_delta.c
 *		What a range of edits, or some statements, changed in sum.
 *
 * Per row: was it there, is it there, and of each cell that was written its first old
 * and its last new value.  Only rows that were touched are held in memory.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "input_table/define.h"
#include "input_table/edit_history.h"

static bool wants(const LogEntry *entry, int64 from, int64 to, const int64 *statements, int nstatement);
static void fold(LogDelta *delta, const LogEntry *entry);
static void fold_columns(LogDelta *delta, const LogEntry *entry);
static void fold_row(const LogEntry *entry, const LogRow *row, void *arg);
static void fold_value(LogColumn *column, int64 row_id, const JsonbValue *value, void *arg);
static void fold_return(LogDelta *delta, LogColumn *column);
static DeltaRow *find_row(LogDelta *delta, int64 row_id, bool before, bool *found);
static DeltaCell *find_cell(LogDelta *delta, DeltaRow *row, LogColumn *column, const JsonbValue *old);
static void set_value(LogDelta *delta, JsonbValue *to, const JsonbValue *from);
static bool is_nothing(const DeltaRow *row);
static int	compare_rows(const void *a, const void *b);

static const JsonbValue no_value = {.type = jbvNull};

/*
 * What the edits after "from" up to "to" changed; with "statements", which rise, only
 * those among them.  In a context of its own below the current one.  SG404 where the log was begun
 * anew in between.
 */
LogDelta *
sigma_log_delta(const InputTable *table, Snapshot snapshot, int64 from, int64 to,
				const int64 *statements, int nstatement)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma log delta", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	LogDelta   *delta = palloc0(sizeof(LogDelta));
	HASHCTL		control = {0};
	LogReader  *reader;
	LogEntry	entry;

	delta->cxt = cxt;
	delta->scratch = AllocSetContextCreate(cxt, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	delta->schema = sigma_log_schema_at(cxt, table, snapshot, from);
	control.keysize = sizeof(int64);
	control.entrysize = sizeof(DeltaRow);
	control.hcxt = cxt;
	delta->rows = hash_create("sigma log delta", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	reader = sigma_log_read(table->log.relid, snapshot, from + 1, to, ForwardScanDirection);
	MemoryContextSwitchTo(delta->scratch);
	while (sigma_log_next(reader, &entry))
	{
		bool		wanted = wants(&entry, from, to, statements, nstatement);

		if (entry.operation == LOG_CHECKPOINT && wanted)
			sigma_log_refuse_gone(table, from);
		if (wanted)
			fold_columns(delta, &entry);
		sigma_log_apply(delta->schema, &entry);
		if (wanted)
			fold(delta, &entry);
		MemoryContextReset(delta->scratch);
	}
	MemoryContextSwitchTo(cxt);
	sigma_log_read_end(reader);
	MemoryContextSwitchTo(caller);
	return delta;
}

/* The rows that are not as they were, by their ids; in the current context. */
DeltaRow **
sigma_log_delta_rows(const LogDelta *delta, int64 *count)
{
	DeltaRow  **rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(DeltaRow *) * (hash_get_num_entries(delta->rows) + 1));
	HASH_SEQ_STATUS scan;
	DeltaRow   *row;

	*count = 0;
	hash_seq_init(&scan, delta->rows);
	while ((row = hash_seq_search(&scan)) != NULL)
		if (!is_nothing(row))
			rows[(*count)++] = row;
	qsort(rows, *count, sizeof(DeltaRow *), compare_rows);
	return rows;
}

/* Each column that is not as it was, once: before its first change and after its last; in the current context. */
List *
sigma_log_delta_columns(const LogDelta *delta)
{
	List	   *columns = NIL;
	ListCell   *lc;

	foreach(lc, delta->columns)
	{
		DeltaColumn *change = lfirst(lc);
		DeltaColumn *sum = NULL;
		ListCell   *other;

		foreach(other, columns)
			if (((DeltaColumn *) lfirst(other))->column == change->column)
				sum = lfirst(other);
		if (sum == NULL)
		{
			sum = palloc(sizeof(DeltaColumn));
			*sum = *change;
			columns = lappend(columns, sum);
			continue;
		}
		sum->after = change->after;
		if (change->after == NULL)
			sum->position = change->position;
	}
	foreach(lc, columns)
		if (sigma_definition_same(((DeltaColumn *) lfirst(lc))->before, ((DeltaColumn *) lfirst(lc))->after))
			columns = foreach_delete_current(columns, lc);
	return columns;
}

/* The cell of that column, or NULL. */
DeltaCell *
sigma_log_delta_cell(DeltaRow *row, const LogColumn *column)
{
	int			i;

	for (i = 0; i < row->ncell; i++)
		if (row->cells[i].column == column)
			return &row->cells[i];
	return NULL;
}

/* The same value, as cells of one type? */
bool
sigma_log_same_cell(const JsonbValue *a, const JsonbValue *b)
{
	JsonbValue	left = *a;
	JsonbValue	right = *b;
	Jsonb	   *one = JsonbValueToJsonb(&left);
	Jsonb	   *other = JsonbValueToJsonb(&right);
	bool		same = compareJsonbContainers(&one->root, &other->root) == 0;

	pfree(one);
	pfree(other);
	return same;
}

static bool
wants(const LogEntry *entry, int64 from, int64 to, const int64 *statements, int nstatement)
{
	if (statements == NULL)
		return entry->number > from && entry->number <= to;
	return bsearch(&entry->statement, statements, nstatement, sizeof(int64), sigma_log_compare_numbers) != NULL;
}

/* The order of numbers, for qsort and bsearch. */
int
sigma_log_compare_numbers(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return left < right ? -1 : left > right ? 1 : 0;
}

/* An entry's rows and values. */
static void
fold(LogDelta *delta, const LogEntry *entry)
{
	if (entry->operation == LOG_ADD_COLUMN)
		fold_return(delta, ((DeltaColumn *) llast(delta->columns))->column);
	else if (entry->operation == LOG_UPDATE_COLUMN || entry->operation == LOG_DELETE_COLUMN)
		sigma_log_column_values(delta->schema, entry, fold_value, delta);
	else
		sigma_log_rows(delta->schema, entry, NULL, fold_row, delta);
}

/* A change of a column; the schema still stands before the entry. */
static void
fold_columns(LogDelta *delta, const LogEntry *entry)
{
	MemoryContext caller;
	DeltaColumn *change;

	if (entry->operation != LOG_ADD_COLUMN &&
		((entry->operation != LOG_UPDATE_COLUMN && entry->operation != LOG_DELETE_COLUMN) ||
		 !sigma_log_begins_column_edit(entry)))
		return;
	caller = MemoryContextSwitchTo(delta->cxt);
	change = palloc0(sizeof(DeltaColumn));
	sigma_log_column_edit(delta->schema, entry, change);
	delta->columns = lappend(delta->columns, change);
	MemoryContextSwitchTo(caller);
}

/* LogRowVisitor */
static void
fold_row(const LogEntry *entry, const LogRow *row, void *arg)
{
	LogDelta   *delta = arg;
	bool		known;
	DeltaRow   *found = find_row(delta, row->row_id, row->operation != LOG_ADD_ROWS, &known);
	int			i;

	found->after = row->operation != LOG_DELETE_ROWS;
	for (i = 0; i < row->ncell; i++)
	{
		DeltaCell  *cell = find_cell(delta, found, row->columns[i], row->old == NULL ? &no_value : &row->old[i]);

		cell->new_type = row->columns[i]->type;
		set_value(delta, &cell->new, row->new == NULL ? &no_value : &row->new[i]);
	}
}

/* LogValueVisitor: what a column had before it went, or became one of another type. */
static void
fold_value(LogColumn *column, int64 row_id, const JsonbValue *value, void *arg)
{
	LogDelta   *delta = arg;
	DeltaColumn *change = NULL;
	bool		known;
	DeltaRow   *row = find_row(delta, row_id, true, &known);
	bool		touched = sigma_log_delta_cell(row, column) != NULL;
	DeltaCell  *cell = find_cell(delta, row, column, value);
	JsonbValue	made = no_value;
	ColumnType	type;
	Datum		before;
	Datum		after;
	ListCell   *lc;

	foreach(lc, delta->columns)
		if (((DeltaColumn *) lfirst(lc))->column == column)
			change = lfirst(lc);
	if (change == NULL || change->before == NULL ||
		!sigma_column_type(sigma_json_get_string(change->before, "type", "text"), &type))
		return;
	if (!touched)
		cell->old_type = type;
	cell->new_type = column->type;
	if (change->after != NULL && sigma_log_decode(type, value, &before) &&
		sigma_value_convert(type, column->type, before, &after))
		sigma_log_encode(column->type, after, false, &made);
	set_value(delta, &cell->new, &made);
}

/* A column came: rows that were seen when it went have its default now. */
static void
fold_return(LogDelta *delta, LogColumn *column)
{
	HASH_SEQ_STATUS scan;
	JsonbValue	value = no_value;
	DeltaRow   *row;
	Datum		given;

	if (sigma_log_default(column, &given))
		sigma_log_encode(column->type, given, false, &value);
	hash_seq_init(&scan, delta->rows);
	while ((row = hash_seq_search(&scan)) != NULL)
	{
		DeltaCell  *cell = sigma_log_delta_cell(row, column);

		if (cell == NULL || !row->after)
			continue;
		cell->new_type = column->type;
		set_value(delta, &cell->new, &value);
	}
}

/* The row; one that was not touched so far was there as "before" says. */
static DeltaRow *
find_row(LogDelta *delta, int64 row_id, bool before, bool *found)
{
	DeltaRow   *row = hash_search(delta->rows, &row_id, HASH_ENTER, found);

	if (!*found)
	{
		row->before = row->after = before;
		row->ncell = row->size = 0;
		row->cells = NULL;
	}
	return row;
}

/* The cell; one that was not touched so far had the value "old". */
static DeltaCell *
find_cell(LogDelta *delta, DeltaRow *row, LogColumn *column, const JsonbValue *old)
{
	DeltaCell  *cell = sigma_log_delta_cell(row, column);

	if (cell != NULL)
		return cell;
	if (row->ncell == row->size)
	{
		int			size = row->size == 0 ? 4 : row->size * 2;

		row->cells = row->cells == NULL ? MemoryContextAlloc(delta->cxt, sizeof(DeltaCell) * size) :
			repalloc(row->cells, sizeof(DeltaCell) * size);
		row->size = size;
	}
	cell = &row->cells[row->ncell++];
	cell->column = column;
	cell->old_type = cell->new_type = column->type;
	set_value(delta, &cell->old, old);
	cell->new = no_value;
	return cell;
}

/* A copy that lives as long as the delta. */
static void
set_value(LogDelta *delta, JsonbValue *to, const JsonbValue *from)
{
	MemoryContext caller = MemoryContextSwitchTo(delta->cxt);

	*to = *from;
	if (from->type == jbvString)
	{
		to->val.string.val = palloc(Max(from->val.string.len, 1));
		memcpy(to->val.string.val, from->val.string.val, from->val.string.len);
	}
	else if (from->type == jbvNumeric)
		to->val.numeric = DatumGetNumericCopy(NumericGetDatum(from->val.numeric));
	else if (from->type != jbvNull && from->type != jbvBool)
	{
		JsonbValue	copy = *from;
		Jsonb	   *json = JsonbValueToJsonb(&copy);

		to->type = jbvBinary;
		to->val.binary.data = &json->root;
		to->val.binary.len = VARSIZE(json) - VARHDRSZ;
	}
	MemoryContextSwitchTo(caller);
}

/* Came and went, or is as it was? */
static bool
is_nothing(const DeltaRow *row)
{
	int			i;

	if (row->before != row->after)
		return false;
	if (!row->before)
		return true;
	for (i = 0; i < row->ncell; i++)
		if (row->cells[i].old_type != row->cells[i].new_type ||
			!sigma_log_same_cell(&row->cells[i].old, &row->cells[i].new))
			return false;
	return true;
}

/* For qsort. */
static int
compare_rows(const void *a, const void *b)
{
	int64		left = (*(DeltaRow *const *) a)->row_id;
	int64		right = (*(DeltaRow *const *) b)->row_id;

	return left < right ? -1 : left > right;
}
