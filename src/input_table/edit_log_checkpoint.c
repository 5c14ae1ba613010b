/*
 * edit_log_checkpoint.c
 *		The whole table as entries of its log.
 *
 * A checkpoint stands where the log begins later than the table (audit switched on, the
 * table adopted again, its log compacted).  What came before it is not needed to know the
 * table, and cannot be told from it.  Its entries are {"checkpoint": {names, rows}} with
 * rows [row_id, [updated_at, updated_by, created_at, created_by], v ...]; the first one
 * has the columns' documents as well, and is the first of its statement.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/json_push.h"
#include "input_table/checkpoint.h"

struct Checkpoint
{
	MemoryContext cxt;
	CheckpointSink sink;
	void	   *arg;
	int			ncolumn;
	const JsonNode **documents;
	const ColumnType *types;
	const char *chain;			/* hash of the entry before, in hex, or NULL */
	Size		chunk;			/* most bytes of an entry, about */
	bool		first;
	MemoryContext entry_cxt;
	JsonbParseState *state;
	int			rows;
	Size		bytes;
};

static void begin_entry(Checkpoint *checkpoint);
static void end_entry(Checkpoint *checkpoint);
static void push_stamp(Checkpoint *checkpoint, Datum value, bool isnull, bool is_text);
static void write_entry(JsonbValue *edit, void *arg);

/* Begin one; entries go to "sink" as they are full, with 1,000 rows or "chunk" bytes.  In the current context. */
Checkpoint *
sigma_checkpoint_begin(int ncolumn, const JsonNode **documents, const ColumnType *types, const char *chain,
					   Size chunk, CheckpointSink sink, void *arg)
{
	Checkpoint *checkpoint = palloc0(sizeof(Checkpoint));

	checkpoint->cxt = CurrentMemoryContext;
	checkpoint->sink = sink;
	checkpoint->arg = arg;
	checkpoint->ncolumn = ncolumn;
	checkpoint->documents = documents;
	checkpoint->types = types;
	checkpoint->chain = chain;
	checkpoint->chunk = chunk;
	checkpoint->first = true;
	checkpoint->entry_cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma edit log entry", ALLOCSET_DEFAULT_SIZES);
	return checkpoint;
}

/* Add a row; stamps are updated_at, updated_by, created_at, created_by. */
void
sigma_checkpoint_row(Checkpoint *checkpoint, int64 row_id, const Datum *stamps, const bool *no_stamps,
					 const Datum *values, const bool *nulls)
{
	MemoryContext caller;
	JsonbValue	value;
	Size		bytes = 120;
	int			i;

	for (i = 0; i < checkpoint->ncolumn; i++)
		bytes += sigma_log_size(checkpoint->types[i], values[i], nulls[i]);
	if (checkpoint->rows == LOG_CHUNK_ROWS || (checkpoint->rows > 0 && checkpoint->bytes + bytes > checkpoint->chunk))
		end_entry(checkpoint);
	caller = MemoryContextSwitchTo(checkpoint->entry_cxt);
	if (checkpoint->rows == 0)
		begin_entry(checkpoint);
	checkpoint->rows++;
	checkpoint->bytes += bytes;
	pushJsonbValue(&checkpoint->state, WJB_BEGIN_ARRAY, NULL);
	value.type = jbvNumeric;
	value.val.numeric = int64_to_numeric(row_id);
	pushJsonbValue(&checkpoint->state, WJB_ELEM, &value);
	pushJsonbValue(&checkpoint->state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < 4; i++)
		push_stamp(checkpoint, stamps[i], no_stamps[i], i % 2 == 1);
	pushJsonbValue(&checkpoint->state, WJB_END_ARRAY, NULL);
	for (i = 0; i < checkpoint->ncolumn; i++)
	{
		const ColumnTypeInfo *type = &sigma_column_types[checkpoint->types[i]];

		/* a copy that outlives the caller's row */
		sigma_log_encode(checkpoint->types[i],
						 nulls[i] ? (Datum) 0 : datumCopy(values[i], type->by_value, type->length), nulls[i], &value);
		pushJsonbValue(&checkpoint->state, WJB_ELEM, &value);
	}
	pushJsonbValue(&checkpoint->state, WJB_END_ARRAY, NULL);
	MemoryContextSwitchTo(caller);
}

/* Write the last entry; of a table without rows the only one. */
void
sigma_checkpoint_end(Checkpoint *checkpoint)
{
	MemoryContext caller = MemoryContextSwitchTo(checkpoint->entry_cxt);

	if (checkpoint->rows == 0 && checkpoint->first)
		begin_entry(checkpoint);
	MemoryContextSwitchTo(caller);
	if (checkpoint->state != NULL)
		end_entry(checkpoint);
	MemoryContextDelete(checkpoint->entry_cxt);
}

/* A checkpoint of the data table as it is now; the caller keeps writers out. */
void
sigma_log_checkpoint(const TableDefinition *table, Oid relid)
{
	EditLog    *log = sigma_log_of(table);
	const JsonNode **documents = palloc(sizeof(JsonNode *) * (table->ncolumn + 1));
	ColumnType *types = palloc(sizeof(ColumnType) * (table->ncolumn + 1));
	AttrNumber *attnums = palloc(sizeof(AttrNumber) * (table->ncolumn + 1));
	Datum	   *values = palloc(sizeof(Datum) * (table->ncolumn + 1));
	bool	   *nulls = palloc(sizeof(bool) * (table->ncolumn + 1));
	static const char *const stamp_names[] = {"sigma_updated_at", "sigma_updated_by", "sigma_created_at", "sigma_created_by"};
	LogWriter  *writer;
	Checkpoint *checkpoint;
	Relation	rel;
	TupleTableSlot *slot;
	TableScanDesc scan;
	Snapshot	snapshot;
	int			i;

	if (!OidIsValid(log->relid))
		return;
	CommandCounterIncrement();
	for (i = 0; i < table->ncolumn; i++)
	{
		documents[i] = table->columns[i].node;
		types[i] = table->columns[i].type;
		attnums[i] = get_attnum(relid, table->columns[i].name);
	}
	writer = sigma_log_begin(log);
	checkpoint = sigma_checkpoint_begin(table->ncolumn, documents, types, NULL, LOG_CHUNK_BYTES, write_entry, writer);
	rel = table_open(relid, NoLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan(rel, snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		Datum		stamps[4];
		bool		no_stamps[4];
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		for (i = 0; i < 4; i++)
			stamps[i] = slot_getattr(slot, get_attnum(relid, stamp_names[i]), &no_stamps[i]);
		for (i = 0; i < table->ncolumn; i++)
		{
			nulls[i] = true;
			if (AttributeNumberIsValid(attnums[i]))
				values[i] = slot_getattr(slot, attnums[i], &nulls[i]);
		}
		sigma_checkpoint_row(checkpoint, DatumGetInt64(slot_getattr(slot, get_attnum(relid, "sigma_row_id"), &isnull)),
							 stamps, no_stamps, values, nulls);
	}
	sigma_checkpoint_end(checkpoint);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	table_close(rel, NoLock);
	(void) sigma_log_end(writer);
}

/* CheckpointSink: straight into the log. */
static void
write_entry(JsonbValue *edit, void *arg)
{
	(void) sigma_log_put((LogWriter *) arg, edit);
}

/* Up to the open array of rows. */
static void
begin_entry(Checkpoint *checkpoint)
{
	JsonbParseState **state = &checkpoint->state;
	JsonbValue	value;
	int			i;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_key(state, "checkpoint");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	if (checkpoint->first)
	{
		if (checkpoint->chain != NULL)
			sigma_push_text(state, "chain", checkpoint->chain);
		sigma_push_key(state, "columns");
		pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
		for (i = 0; i < checkpoint->ncolumn; i++)
		{
			sigma_jsonb_value(sigma_json_write(checkpoint->documents[i]), &value);
			pushJsonbValue(state, WJB_ELEM, &value);
		}
		pushJsonbValue(state, WJB_END_ARRAY, NULL);
	}
	sigma_push_key(state, "names");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < checkpoint->ncolumn; i++)
	{
		value.type = jbvString;
		value.val.string.val = sigma_json_get_string(checkpoint->documents[i], "name", "");
		value.val.string.len = strlen(value.val.string.val);
		pushJsonbValue(state, WJB_ELEM, &value);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	sigma_push_key(state, "rows");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
}

static void
end_entry(Checkpoint *checkpoint)
{
	MemoryContext caller = MemoryContextSwitchTo(checkpoint->entry_cxt);

	pushJsonbValue(&checkpoint->state, WJB_END_ARRAY, NULL);
	pushJsonbValue(&checkpoint->state, WJB_END_OBJECT, NULL);
	checkpoint->sink(pushJsonbValue(&checkpoint->state, WJB_END_OBJECT, NULL), checkpoint->arg);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(checkpoint->entry_cxt);
	checkpoint->state = NULL;
	checkpoint->first = false;
	checkpoint->rows = 0;
	checkpoint->bytes = 0;
}

static void
push_stamp(Checkpoint *checkpoint, Datum value, bool isnull, bool is_text)
{
	JsonbValue	stamp;

	stamp.type = isnull ? jbvNull : jbvString;
	if (!isnull)
	{
		stamp.val.string.val = is_text ? TextDatumGetCString(value) : sigma_log_moment(DatumGetTimestampTz(value));
		stamp.val.string.len = strlen(stamp.val.string.val);
	}
	pushJsonbValue(&checkpoint->state, WJB_ELEM, &stamp);
}
