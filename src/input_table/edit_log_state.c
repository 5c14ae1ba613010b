/*
 * edit_log_state.c
 *		The whole table as its log says that it was after an edit.
 *
 * Entries are read in their order, from the last checkpoint, or from the creation of the
 * table, on, and what they say of rows is sorted by the rows' ids: an event each.  The
 * events of one row, in their order, make its image.  The sort works in work_mem and on
 * disk beyond, so a table of any size takes little memory.
 *
 * Rows have one layout after the other: where a column comes, goes or changes its type a
 * new one begins.  An image is brought from its layout to the next one when an event of a
 * later layout is applied to it, and in the end to the last.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplesort.h"

#include "input_table/define.h"
#include "input_table/edit_history.h"

/* Attributes of an event; stamps and columns of its layout follow. */
enum
{
	EVENT_ROW_ID, EVENT_SEQUENCE, EVENT_LAYOUT, EVENT_OPERATION, EVENT_GIVEN, EVENT_FIXED
};

#define EVENT_KEYS	2			/* that events are sorted by */

/* What rows look like between two changes of the columns. */
typedef struct LogLayout
{
	LogColumn **columns;
	ColumnType *types;
	int			ncolumn;
	int		   *from;			/* of each column: its place in the layout before, or -1 */
	Datum	   *defaults;		/* of each column: what rows that are there get when it comes */
	bool	   *no_default;
	TupleDesc	desc;			/* of events */
	TupleTableSlot *slot;		/* to make them */
	Datum	   *values;			/* of an image in this layout */
	bool	   *nulls;
} LogLayout;

/* The events of a state. */
typedef struct LogReplay
{
	LogState   *state;
	LogSchema  *schema;
	MemoryContext scratch;		/* of the entry being read */
	List	   *layouts;		/* of LogLayout */
	LogLayout  *layout;			/* the last of them */
	HTAB	   *only;
	int64		sequence;
	Tuplesortstate *sort;
	TupleTableSlot *slot;		/* the next event, unless it is empty */
	MemoryContext row_cxt;		/* of the image being made */
	Datum	   *event_values;
	bool	   *event_nulls;
	bool		folded;			/* the next row of the log is made: ... */
	int64		folded_id;		/* ... this one */
	bool		stored;			/* the next row of the table itself is read: ... */
	LogImage	stored_image;	/* ... this one */
} LogReplay;

static int64 find_base(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at);
static LogState *replay_log(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at, HTAB *only, bool today);
static void read_entries(LogReplay *replay, const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at, bool today);
static void apply(LogReplay *replay, const LogEntry *entry, bool rows);
static void add_event(const LogEntry *entry, const LogRow *row, void *arg);
static void set_stamps(Datum *values, bool *nulls, const LogRow *row);
static void set_cells(LogReplay *replay, const LogRow *row, bytea *given);
static void lay_out(LogReplay *replay);
static void begin_sort(LogReplay *replay);
static bool next_event(LogReplay *replay);
static bool fold_row(LogReplay *replay);
static void fold_event(LogReplay *replay, LogImage *image, int *at);
static void to_layout(LogReplay *replay, int from, int to);
static void show_layout(LogImage *image, LogLayout *layout);

/*
 * The table after edit "through"; of the entries up to there "at" (may be NULL) leaves
 * out those of statements that began later, "only" (may be NULL) all rows but those whose
 * ids are in there.  In a context of its own below the current one; the caller ends it.
 * SG404 where the log does not reach back so far.
 */
LogState *
sigma_log_state(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at, HTAB *only)
{
	return replay_log(table, snapshot, through, at, only, false);
}

/* The rows after edit "through" with the columns of today, which came, went and changed as they did since. */
LogState *
sigma_log_state_today(const InputTable *table, Snapshot snapshot, int64 through, HTAB *only)
{
	return replay_log(table, snapshot, through, NULL, only, true);
}

/* See above. */
static LogState *
replay_log(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at, HTAB *only, bool today)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma table state", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	LogState   *state = palloc0(sizeof(LogState));
	LogReplay  *replay = palloc0(sizeof(LogReplay));

	state->cxt = cxt;
	state->replay = replay;
	replay->state = state;
	replay->only = only;
	replay->schema = sigma_log_schema_new(cxt);
	replay->scratch = AllocSetContextCreate(cxt, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	replay->row_cxt = AllocSetContextCreate(cxt, "sigma row", ALLOCSET_DEFAULT_SIZES);
	state->base = find_base(table, snapshot, through, at);
	lay_out(replay);
	begin_sort(replay);
	read_entries(replay, table, snapshot, through, at, today);
	tuplesort_performsort(replay->sort);
	(void) next_event(replay);
	replay->event_values = palloc(sizeof(Datum) * MaxTupleAttributeNumber);
	replay->event_nulls = palloc(sizeof(bool) * MaxTupleAttributeNumber);
	show_layout(&state->image, replay->layout);
	MemoryContextSwitchTo(caller);
	return state;
}

/*
 * The same.  Where just rows and not too many of them were edited since, only those come
 * from the log; the others stand in the table as they were, and are read there.
 */
LogState *
sigma_log_state_past(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at)
{
	HTAB	   *touched = sigma_log_touched(table, snapshot, through, at);
	LogState   *state = sigma_log_state(table, snapshot, through, at, touched);

	if (touched == NULL)
		return state;
	state->untouched = sigma_log_untouched(table, snapshot, touched, &state->image);
	if (state->untouched != NULL)
		return state;
	sigma_log_state_end(state);
	return sigma_log_state(table, snapshot, through, at, NULL);
}

/* The next row into state->image; false at the end. */
bool
sigma_log_state_next(LogState *state)
{
	LogReplay  *replay = state->replay;
	bool		from_table;

	CHECK_FOR_INTERRUPTS();
	if (!replay->folded)
		replay->folded = fold_row(replay);
	if (!replay->stored && state->untouched != NULL)
		replay->stored = sigma_log_untouched_next(state->untouched, &replay->stored_image);
	if (!replay->folded && !replay->stored)
		return false;
	from_table = replay->stored && (!replay->folded || replay->stored_image.row_id < replay->folded_id);
	show_layout(&state->image, replay->layout);
	state->image.exists = true;
	state->image.row_id = from_table ? replay->stored_image.row_id : replay->folded_id;
	if (from_table)
	{
		state->image.values = replay->stored_image.values;
		state->image.nulls = replay->stored_image.nulls;
		replay->stored = false;
	}
	else
		replay->folded = false;
	state->rows++;
	return true;
}

/* Forget it. */
void
sigma_log_state_end(LogState *state)
{
	if (state->untouched != NULL)
		sigma_log_untouched_end(state->untouched);
	tuplesort_end(state->replay->sort);
	MemoryContextDelete(state->cxt);
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

/* ------------------------------------------------------------------------
 * From entries to events
 * ------------------------------------------------------------------------ */

/*
 * The number of the entry to begin with.  SG404 where the log does not reach back or the
 * table did not exist yet, also for a number amid the entries of a checkpoint, which
 * together are the table after the last of them.
 */
static int64
find_base(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at)
{
	LogReader  *reader = sigma_log_read(table->log.relid, snapshot, 0, PG_INT64_MAX, BackwardScanDirection);
	int64		split = 0;		/* the checkpoint that has entries after the edit */
	int64		base = 0;
	LogEntry	entry;

	while (base == 0 && sigma_log_next(reader, &entry))
	{
		if (entry.number > through || (at != NULL && entry.at > *at))
		{
			split = entry.operation == LOG_CHECKPOINT ? entry.statement : 0;
			continue;
		}
		if (split != 0 && entry.operation == LOG_CHECKPOINT && entry.statement == split)
			sigma_log_refuse_gone(table, through);
		if (entry.operation == LOG_CREATE ||
			(entry.operation == LOG_CHECKPOINT && entry.statement == entry.number))
			base = entry.number;
	}
	sigma_log_read_end(reader);
	/* what came before is not known, or there was no table */
	if (base == 0)
		sigma_log_refuse_gone(table, through);
	return base;
}

/* Apply the entries from the base on; "today": of those after "through" what they do to columns. */
static void
read_entries(LogReplay *replay, const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at, bool today)
{
	LogState   *state = replay->state;
	LogReader  *reader = sigma_log_read(table->log.relid, snapshot, state->base, today ? PG_INT64_MAX : through, ForwardScanDirection);
	MemoryContext caller = MemoryContextSwitchTo(replay->scratch);
	LogEntry	entry;

	while (sigma_log_next(reader, &entry))
	{
		state->edits++;
		state->last = entry.number;
		if (at == NULL || entry.at <= *at)
			apply(replay, &entry, entry.number <= through);
		MemoryContextReset(replay->scratch);
	}
	MemoryContextSwitchTo(caller);
	sigma_log_read_end(reader);
}

/* Apply one entry; without "rows" just what it does to columns. */
static void
apply(LogReplay *replay, const LogEntry *entry, bool rows)
{
	bool		alters = entry->operation == LOG_ADD_COLUMN ||
		(entry->operation == LOG_CHECKPOINT && entry->statement == entry->number) ||
		((entry->operation == LOG_UPDATE_COLUMN || entry->operation == LOG_DELETE_COLUMN) &&
		 sigma_log_begins_column_edit(entry));

	if (alters)
	{
		sigma_log_apply(replay->schema, entry);
		lay_out(replay);
	}
	if (rows)
		sigma_log_rows(replay->schema, entry, replay->only, add_event, replay);
}

/* LogRowVisitor: one row of an entry becomes an event. */
static void
add_event(const LogEntry *entry, const LogRow *row, void *arg)
{
	LogReplay  *replay = arg;
	TupleTableSlot *slot = replay->layout->slot;
	int			i;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	slot->tts_values[EVENT_ROW_ID] = Int64GetDatum(row->row_id);
	slot->tts_values[EVENT_SEQUENCE] = Int64GetDatum(replay->sequence++);
	slot->tts_values[EVENT_LAYOUT] = Int32GetDatum(list_length(replay->layouts) - 1);
	slot->tts_values[EVENT_OPERATION] = Int32GetDatum(row->operation);
	for (i = EVENT_ROW_ID; i <= EVENT_OPERATION; i++)
		slot->tts_isnull[i] = false;
	if (row->operation != LOG_DELETE_ROWS)
	{
		bytea	   *given = palloc0(VARHDRSZ + replay->layout->ncolumn);

		SET_VARSIZE(given, VARHDRSZ + replay->layout->ncolumn);
		set_stamps(slot->tts_values + EVENT_FIXED, slot->tts_isnull + EVENT_FIXED, row);
		set_cells(replay, row, given);
		slot->tts_values[EVENT_GIVEN] = PointerGetDatum(given);
		slot->tts_isnull[EVENT_GIVEN] = false;
	}
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(replay->sort, slot);
}

/* Those of creation are an insert's alone. */
static void
set_stamps(Datum *values, bool *nulls, const LogRow *row)
{
	const LogStamps *stamps = row->stamps;

	values[STATE_UPDATED_AT] = TimestampTzGetDatum(stamps->updated_at);
	nulls[STATE_UPDATED_AT] = stamps->no_updated_at;
	nulls[STATE_UPDATED_BY] = stamps->updated_by == NULL;
	if (stamps->updated_by != NULL)
		values[STATE_UPDATED_BY] = CStringGetTextDatum(stamps->updated_by);
	if (row->operation != LOG_ADD_ROWS)
		return;
	values[STATE_CREATED_AT] = TimestampTzGetDatum(stamps->created_at);
	nulls[STATE_CREATED_AT] = stamps->no_created_at;
	nulls[STATE_CREATED_BY] = stamps->created_by == NULL;
	if (stamps->created_by != NULL)
		values[STATE_CREATED_BY] = CStringGetTextDatum(stamps->created_by);
}

/* The cells that the row gives; "given" notes which. */
static void
set_cells(LogReplay *replay, const LogRow *row, bytea *given)
{
	LogLayout  *layout = replay->layout;
	Datum	   *values = layout->slot->tts_values + EVENT_FIXED + STATE_STAMPS;
	bool	   *nulls = layout->slot->tts_isnull + EVENT_FIXED + STATE_STAMPS;
	int			at = 0;
	int			i;

	for (i = 0; i < row->ncell; i++)
	{
		int			looked;

		/* cells mostly come in the order of the columns */
		for (looked = 0; looked < layout->ncolumn && layout->columns[at % layout->ncolumn] != row->columns[i]; looked++)
			at++;
		if (looked == layout->ncolumn)
			continue;
		at %= layout->ncolumn;
		nulls[at] = !sigma_log_decode(row->columns[i]->type, &row->new[i], &values[at]);
		VARDATA(given)[at] = 1;
		at++;
	}
}

/* Begin a layout: the schema's columns as they are now. */
static void
lay_out(LogReplay *replay)
{
	MemoryContext caller = MemoryContextSwitchTo(replay->state->cxt);
	LogLayout  *before = replay->layout;
	LogLayout  *layout = palloc0(sizeof(LogLayout));
	int			ncolumn = list_length(replay->schema->order);
	int			natts = EVENT_FIXED + STATE_STAMPS + ncolumn;
	static const Oid fixed[] = {INT8OID, INT8OID, INT4OID, INT4OID, BYTEAOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID, TEXTOID};
	ListCell   *lc;
	int			i;
	int			j;

	layout->ncolumn = ncolumn;
	layout->columns = palloc(sizeof(LogColumn *) * (ncolumn + 1));
	layout->types = palloc(sizeof(ColumnType) * (ncolumn + 1));
	layout->from = palloc(sizeof(int) * (ncolumn + 1));
	layout->defaults = palloc0(sizeof(Datum) * (ncolumn + 1));
	layout->no_default = palloc0(sizeof(bool) * (ncolumn + 1));
	layout->values = palloc0(sizeof(Datum) * (STATE_STAMPS + ncolumn));
	layout->nulls = palloc0(sizeof(bool) * (STATE_STAMPS + ncolumn));
	layout->desc = CreateTemplateTupleDesc(natts);
	for (i = 0; i < lengthof(fixed); i++)
		TupleDescInitEntry(layout->desc, i + 1, NULL, fixed[i], -1, 0);
	foreach(lc, replay->schema->order)
	{
		LogColumn  *column = lfirst(lc);

		i = foreach_current_index(lc);
		layout->columns[i] = column;
		layout->types[i] = column->type;
		layout->no_default[i] = !sigma_log_default(column, &layout->defaults[i]);
		layout->from[i] = -1;
		for (j = 0; before != NULL && j < before->ncolumn; j++)
			if (before->columns[j] == column)
				layout->from[i] = j;
		TupleDescInitEntry(layout->desc, lengthof(fixed) + 1 + i, NULL, sigma_column_types[column->type].oid, -1, 0);
	}
	layout->slot = MakeSingleTupleTableSlot(layout->desc, &TTSOpsVirtual);
	replay->layouts = lappend(replay->layouts, layout);
	replay->layout = layout;
	MemoryContextSwitchTo(caller);
}

/* ------------------------------------------------------------------------
 * From events to rows
 * ------------------------------------------------------------------------ */

/* Events are sorted by row, then as they happened. */
static void
begin_sort(LogReplay *replay)
{
	AttrNumber	attributes[EVENT_KEYS] = {EVENT_ROW_ID + 1, EVENT_SEQUENCE + 1};
	Oid			operators[EVENT_KEYS] = {Int8LessOperator, Int8LessOperator};
	Oid			collations[EVENT_KEYS] = {InvalidOid, InvalidOid};
	bool		nulls_first[EVENT_KEYS] = {false, false};
	TupleDesc	desc = CreateTemplateTupleDesc(EVENT_KEYS);

	/* what follows the keys is for who reads an event with its layout */
	TupleDescInitEntry(desc, EVENT_ROW_ID + 1, NULL, INT8OID, -1, 0);
	TupleDescInitEntry(desc, EVENT_SEQUENCE + 1, NULL, INT8OID, -1, 0);
	replay->sort = tuplesort_begin_heap(desc, EVENT_KEYS, attributes, operators, collations, nulls_first,
										work_mem, NULL, TUPLESORT_NONE);
	replay->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
}

/* The next event into the slot, which is empty after the last one. */
static bool
next_event(LogReplay *replay)
{
	return tuplesort_gettupleslot(replay->sort, true, false, replay->slot, NULL);
}

/* Make the next row that exists, in the last layout; false at the end. */
static bool
fold_row(LogReplay *replay)
{
	while (!TupIsNull(replay->slot))
	{
		MemoryContext caller;
		LogImage	image = {0};
		int			at = 0;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(replay->row_cxt);
		caller = MemoryContextSwitchTo(replay->row_cxt);
		image.row_id = DatumGetInt64(slot_getattr(replay->slot, EVENT_ROW_ID + 1, &isnull));
		do
		{
			fold_event(replay, &image, &at);
			if (replay->state->visit != NULL)
			{
				show_layout(&image, list_nth(replay->layouts, at));
				replay->state->visit(&image, replay->state->visit_arg);
			}
		}
		while (next_event(replay) &&
			   DatumGetInt64(slot_getattr(replay->slot, EVENT_ROW_ID + 1, &isnull)) == image.row_id);
		if (image.exists)
			to_layout(replay, at, list_length(replay->layouts) - 1);
		MemoryContextSwitchTo(caller);
		replay->folded_id = image.row_id;
		if (image.exists)
			return true;
	}
	return false;
}

/* Apply the event in the slot to the image, which is in layout *at. */
static void
fold_event(LogReplay *replay, LogImage *image, int *at)
{
	MinimalTuple event = ExecCopySlotMinimalTuple(replay->slot);
	HeapTupleData tuple = {0};
	Datum	   *values = replay->event_values;
	bool	   *nulls = replay->event_nulls;
	bool		isnull;
	LogLayout  *layout;
	LogOperation operation;
	int			number;
	int			i;

	tuple.t_len = event->t_len + MINIMAL_TUPLE_OFFSET;
	tuple.t_data = (HeapTupleHeader) ((char *) event - MINIMAL_TUPLE_OFFSET);
	layout = linitial(replay->layouts);
	number = DatumGetInt32(heap_getattr(&tuple, EVENT_LAYOUT + 1, layout->desc, &isnull));
	layout = list_nth(replay->layouts, number);
	heap_deform_tuple(&tuple, layout->desc, values, nulls);
	operation = DatumGetInt32(values[EVENT_OPERATION]);
	image->sequence = DatumGetInt64(values[EVENT_SEQUENCE]);
	if (image->exists)
		to_layout(replay, *at, number);
	else
		memset(layout->nulls, true, sizeof(bool) * (STATE_STAMPS + layout->ncolumn));
	*at = number;
	image->exists = operation != LOG_DELETE_ROWS;
	for (i = 0; image->exists && i < STATE_STAMPS + layout->ncolumn; i++)
	{
		if (i < STATE_STAMPS ? operation == LOG_UPDATE_ROWS && i >= STATE_CREATED_AT :
			!VARDATA_ANY(DatumGetPointer(values[EVENT_GIVEN]))[i - STATE_STAMPS])
			continue;
		layout->values[i] = values[EVENT_FIXED + i];
		layout->nulls[i] = nulls[EVENT_FIXED + i];
	}
}

/* Bring the image on: values of changed types converted, new columns with their defaults. */
static void
to_layout(LogReplay *replay, int from, int to)
{
	for (; from < to; from++)
	{
		LogLayout  *old = list_nth(replay->layouts, from);
		LogLayout  *new = list_nth(replay->layouts, from + 1);
		int			i;

		memcpy(new->values, old->values, sizeof(Datum) * STATE_STAMPS);
		memcpy(new->nulls, old->nulls, sizeof(bool) * STATE_STAMPS);
		for (i = 0; i < new->ncolumn; i++)
		{
			Datum	   *value = &new->values[STATE_STAMPS + i];
			bool	   *isnull = &new->nulls[STATE_STAMPS + i];
			int			at = STATE_STAMPS + new->from[i];

			if (new->from[i] < 0)
			{
				*value = new->defaults[i];
				*isnull = new->no_default[i];
			}
			else if (old->nulls[at])
				*isnull = true;
			else
				*isnull = !sigma_value_convert(old->types[new->from[i]], new->types[i], old->values[at], value);
		}
	}
}

/* What an image in that layout looks like. */
static void
show_layout(LogImage *image, LogLayout *layout)
{
	image->ncolumn = layout->ncolumn;
	image->columns = layout->columns;
	image->types = layout->types;
	image->values = layout->values;
	image->nulls = layout->nulls;
}
