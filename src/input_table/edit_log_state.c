/*
 * edit_log_state.c
 *		The whole table as its log says that it was after an edit.
 *
 * Entries are applied in their order, from the last checkpoint, or from the creation of
 * the table, on.  Rows are held in memory as tuples of the columns that there are; where
 * a column comes, goes or changes its type all rows are formed anew.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "input_table/define.h"
#include "input_table/edit_history.h"

/* One row. */
typedef struct StateRow
{
	int64		row_id;			/* hash key, must be first */
	HeapTuple	tuple;
} StateRow;

/* A visitor's argument. */
typedef struct Application
{
	LogState   *state;
} Application;

static int64 find_base(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at);
static void apply(LogState *state, const LogEntry *entry);
static void apply_row(const LogEntry *entry, const LogRow *row, void *arg);
static void set_stamps(LogState *state, const LogRow *row);
static void set_cell(LogState *state, const LogColumn *column, const JsonbValue *cell);
static void lay_out(LogState *state, bool keep_rows);
static void read_layout(LogState *state);
static void form_again(LogState *old, LogState *new, StateRow *row, const int *from);
static void store(LogState *state, StateRow *row);
static void make_rows(LogState *state);
static int	compare_ids(const void *a, const void *b);

/*
 * The table after edit "through"; of the entries up to there "at" (may be NULL) leaves
 * out those of statements that began later.  In a context of its own below the current
 * one.  SG404 where the log does not reach back so far.
 */
LogState *
sigma_log_state(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma table state", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	LogState   *state = palloc0(sizeof(LogState));
	int64		base = find_base(table, snapshot, through, at);
	LogReader  *reader;
	LogEntry	entry;

	state->cxt = cxt;
	state->scratch = AllocSetContextCreate(cxt, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	state->schema = sigma_log_schema_new(cxt);
	make_rows(state);
	read_layout(state);
	reader = sigma_log_read(table->log.relid, snapshot, base, base == 0 ? -1 : through, ForwardScanDirection);
	MemoryContextSwitchTo(state->scratch);
	while (sigma_log_next(reader, &entry))
	{
		state->edits++;
		state->last = entry.number;
		if (at == NULL || entry.at <= *at)
			apply(state, &entry);
		MemoryContextReset(state->scratch);
	}
	MemoryContextSwitchTo(cxt);
	sigma_log_read_end(reader);
	MemoryContextSwitchTo(caller);
	return state;
}

/* The ids of all rows in their order, in the current context. */
int64 *
sigma_log_state_ids(const LogState *state, int64 *count)
{
	int64	   *ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int64) * (hash_get_num_entries(state->rows) + 1));
	HASH_SEQ_STATUS scan;
	StateRow   *row;

	*count = 0;
	hash_seq_init(&scan, state->rows);
	while ((row = hash_seq_search(&scan)) != NULL)
		ids[(*count)++] = row->row_id;
	qsort(ids, *count, sizeof(int64), compare_ids);
	return ids;
}

/* One row into state->values and state->nulls, which point into it; false where there is none. */
bool
sigma_log_state_row(const LogState *state, int64 row_id)
{
	StateRow   *row = hash_search(state->rows, &row_id, HASH_FIND, NULL);

	if (row == NULL)
		return false;
	heap_deform_tuple(row->tuple, state->desc, state->values, state->nulls);
	return true;
}

/* The number of the entry to begin with; 0 where the table did not exist yet. */
static int64
find_base(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at)
{
	LogReader  *reader = sigma_log_read(table->log.relid, snapshot, 0, PG_INT64_MAX, BackwardScanDirection);
	LogOperation oldest = LOG_OTHER;
	int64		base = 0;
	LogEntry	entry;

	while (base == 0 && sigma_log_next(reader, &entry))
	{
		oldest = entry.operation;
		if (entry.number > through || (at != NULL && entry.at > *at))
			continue;
		if (entry.operation == LOG_CREATE ||
			(entry.operation == LOG_CHECKPOINT && entry.statement == entry.number))
			base = entry.number;
	}
	sigma_log_read_end(reader);
	/* what came before a checkpoint is not known; before its creation there was nothing */
	if (base == 0 && oldest != LOG_CREATE)
		sigma_log_refuse_gone(table, through);
	return base;
}

/* Apply one entry. */
static void
apply(LogState *state, const LogEntry *entry)
{
	Application application = {state};

	switch (entry->operation)
	{
		case LOG_CHECKPOINT:
			if (entry->statement == entry->number)
			{
				sigma_log_apply(state->schema, entry);
				lay_out(state, false);
			}
			sigma_log_rows(state->schema, entry, apply_row, &application);
			break;
		case LOG_ADD_COLUMN:
		case LOG_UPDATE_COLUMN:
		case LOG_DELETE_COLUMN:
			if (entry->operation == LOG_ADD_COLUMN || sigma_log_begins_column_edit(entry))
			{
				sigma_log_apply(state->schema, entry);
				lay_out(state, true);
			}
			break;
		default:
			sigma_log_rows(state->schema, entry, apply_row, &application);
	}
}

/* LogRowVisitor: one row of an entry. */
static void
apply_row(const LogEntry *entry, const LogRow *row, void *arg)
{
	LogState   *state = ((Application *) arg)->state;
	StateRow   *found;
	bool		exists;
	int			i;

	if (row->operation == LOG_DELETE_ROWS)
	{
		found = hash_search(state->rows, &row->row_id, HASH_REMOVE, NULL);
		if (found != NULL)
			heap_freetuple(found->tuple);
		return;
	}
	found = hash_search(state->rows, &row->row_id, HASH_ENTER, &exists);
	if (exists)
		heap_deform_tuple(found->tuple, state->desc, state->values, state->nulls);
	else
	{
		found->tuple = NULL;
		memset(state->nulls, true, sizeof(bool) * state->desc->natts);
	}
	set_stamps(state, row);
	for (i = 0; i < row->ncell; i++)
		set_cell(state, row->columns[i], &row->new[i]);
	store(state, found);
}

/* An update keeps what it does not say. */
static void
set_stamps(LogState *state, const LogRow *row)
{
	const LogStamps *stamps = row->stamps;

	state->values[STATE_UPDATED_AT] = TimestampTzGetDatum(stamps->updated_at);
	state->nulls[STATE_UPDATED_AT] = stamps->no_updated_at;
	state->nulls[STATE_UPDATED_BY] = stamps->updated_by == NULL;
	if (stamps->updated_by != NULL)
		state->values[STATE_UPDATED_BY] = CStringGetTextDatum(stamps->updated_by);
	if (row->operation != LOG_ADD_ROWS)
		return;
	state->values[STATE_CREATED_AT] = TimestampTzGetDatum(stamps->created_at);
	state->nulls[STATE_CREATED_AT] = stamps->no_created_at;
	state->nulls[STATE_CREATED_BY] = stamps->created_by == NULL;
	if (stamps->created_by != NULL)
		state->values[STATE_CREATED_BY] = CStringGetTextDatum(stamps->created_by);
}

static void
set_cell(LogState *state, const LogColumn *column, const JsonbValue *cell)
{
	int			i;

	for (i = 0; i < state->ncolumn && state->columns[i] != column; i++)
		;
	if (i < state->ncolumn)
		state->nulls[STATE_STAMPS + i] =
			!sigma_log_decode(column->type, cell, &state->values[STATE_STAMPS + i]);
}

/* The columns changed: form all rows anew, or forget them. */
static void
lay_out(LogState *state, bool keep_rows)
{
	LogState	old = *state;
	HASH_SEQ_STATUS scan;
	StateRow   *row;
	int		   *from;
	int			i;
	int			j;

	read_layout(state);
	if (!keep_rows)
	{
		hash_seq_init(&scan, state->rows);
		while ((row = hash_seq_search(&scan)) != NULL)
			heap_freetuple(row->tuple);
		hash_destroy(state->rows);
		make_rows(state);
		return;
	}
	from = palloc(sizeof(int) * (state->ncolumn + 1));
	for (i = 0; i < state->ncolumn; i++)
	{
		from[i] = -1;
		for (j = 0; j < old.ncolumn; j++)
			if (old.columns[j] == state->columns[i])
				from[i] = j;
	}
	hash_seq_init(&scan, state->rows);
	while ((row = hash_seq_search(&scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		form_again(&old, state, row, from);
	}
}

/* What rows look like by the schema as it is now. */
static void
read_layout(LogState *state)
{
	MemoryContext caller = MemoryContextSwitchTo(state->cxt);
	int			natts;
	ListCell   *lc;
	int			i = 0;

	state->ncolumn = list_length(state->schema->order);
	natts = STATE_STAMPS + state->ncolumn;
	state->columns = palloc(sizeof(LogColumn *) * natts);
	state->types = palloc(sizeof(ColumnType) * natts);
	state->values = palloc0(sizeof(Datum) * natts);
	state->nulls = palloc0(sizeof(bool) * natts);
	state->desc = CreateTemplateTupleDesc(natts);
	TupleDescInitEntry(state->desc, STATE_UPDATED_AT + 1, NULL, TIMESTAMPTZOID, -1, 0);
	TupleDescInitEntry(state->desc, STATE_UPDATED_BY + 1, NULL, TEXTOID, -1, 0);
	TupleDescInitEntry(state->desc, STATE_CREATED_AT + 1, NULL, TIMESTAMPTZOID, -1, 0);
	TupleDescInitEntry(state->desc, STATE_CREATED_BY + 1, NULL, TEXTOID, -1, 0);
	foreach(lc, state->schema->order)
	{
		LogColumn  *column = lfirst(lc);

		state->columns[i] = column;
		state->types[i] = column->type;
		TupleDescInitEntry(state->desc, STATE_STAMPS + 1 + i, NULL, sigma_column_types[column->type].oid, -1, 0);
		i++;
	}
	MemoryContextSwitchTo(caller);
}

/* A row in the new layout: values of changed types converted, new columns with their defaults. */
static void
form_again(LogState *old, LogState *new, StateRow *row, const int *from)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma row", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	int			i;

	heap_deform_tuple(row->tuple, old->desc, old->values, old->nulls);
	memcpy(new->values, old->values, sizeof(Datum) * STATE_STAMPS);
	memcpy(new->nulls, old->nulls, sizeof(bool) * STATE_STAMPS);
	for (i = 0; i < new->ncolumn; i++)
	{
		Datum	   *value = &new->values[STATE_STAMPS + i];
		bool	   *isnull = &new->nulls[STATE_STAMPS + i];
		int			at = STATE_STAMPS + from[i];

		if (from[i] < 0)
			*isnull = !sigma_log_default(new->columns[i], value);
		else if (old->nulls[at])
			*isnull = true;
		else
			*isnull = !sigma_value_convert(old->types[from[i]], new->types[i], old->values[at], value);
	}
	store(new, row);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(cxt);
}

/* What a new column gives the rows that are there; false for null. */
bool
sigma_log_default(const LogColumn *column, Datum *value)
{
	JsonNode   *given = sigma_json_get(column->document, "default_value");
	JsonbValue	content;
	const char *why;
	bool		isnull;

	if (given == NULL || given->kind == JSON_NULL || sigma_json_get(given->kind == JSON_OBJECT ? given : NULL, "formula") != NULL)
		return false;
	sigma_jsonb_value(sigma_json_write(given), &content);
	return sigma_value_from_json(column->type, &content, value, &isnull, &why) && !isnull;
}

/* Keep state->values as the row. */
static void
store(LogState *state, StateRow *row)
{
	MemoryContext caller = MemoryContextSwitchTo(state->cxt);
	HeapTuple	tuple = heap_form_tuple(state->desc, state->values, state->nulls);

	if (row->tuple != NULL)
		heap_freetuple(row->tuple);
	row->tuple = tuple;
	MemoryContextSwitchTo(caller);
}

static void
make_rows(LogState *state)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(int64);
	control.entrysize = sizeof(StateRow);
	control.hcxt = state->cxt;
	state->rows = hash_create("sigma table state", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* For qsort. */
static int
compare_ids(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}
