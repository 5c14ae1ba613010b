/*
 * compact.c
 *		sigma.compact_log and sigma.verify_log: keeping a log short, and trusting it.
 *
 * Compacting takes away the oldest entries, whole statements of them, and puts the table
 * as it was after them in their place: as_of, undo and rebuild go back to there.  The
 * checkpoint's entries have the last of the numbers that became free, which no other log
 * has: there must not be more of them than of entries that go.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "common/argument.h"
#include "common/json_push.h"
#include "common/names.h"
#include "input_table/checkpoint.h"
#include "input_table/edit_history.h"

/* What is taken away. */
typedef struct Removal
{
	int64		last;			/* the newest entry that goes, 0: none does */
	int64		count;
	int64		bytes;
	TimestampTz at;				/* of that entry */
	Datum		xact;
	Datum		settled;
	Datum		instance;
	bool		hashed;			/* it has a hash */
	char	   *chain;			/* what the next entry was chained to, in hex; NULL: there is no next one */
} Removal;

#define MOST_CHUNK_BYTES	(64 * LOG_CHUNK_BYTES)	/* of an entry of a checkpoint */

/* Entries of a checkpoint that wait for their numbers. */
typedef struct Waiting
{
	Tuplestorestate *edits;		/* of jsonb */
	TupleDesc	desc;
} Waiting;

static const InputTable *lock_table(const char *id);
static void find_removal(const InputTable *table, Snapshot snapshot, TimestampTz before, Removal *removal);
static int64 oldest_statement_after(const InputTable *table, Snapshot snapshot, int64 number);
static Tuplestorestate *fit_checkpoint(const InputTable *table, Snapshot snapshot, const Removal *removal, TupleDesc desc);
static Tuplestorestate *make_checkpoint(const InputTable *table, Snapshot snapshot, const Removal *removal, Size chunk, TupleDesc desc);
static int64 *free_numbers(const InputTable *table, Snapshot snapshot, int64 last, int64 count);
static void keep_edit(JsonbValue *edit, void *arg);
static void remove_entries(const InputTable *table, Snapshot snapshot, int64 last);
static void write_checkpoint(const InputTable *table, const Removal *removal, const int64 *numbers, Tuplestorestate *edits,
							 TupleDesc desc);
static bytea *chain_of(const LogEntry *entry);
static void check_may_read(Oid log);
static const char *wrong_with(const LogEntry *entry, TupleDesc desc, const bytea *previous, bool begun);

PG_FUNCTION_INFO_V1(compact_log);
PG_FUNCTION_INFO_V1(verify_log);

/*
 * compact_log(table_id text, keep interval) → jsonb {table_id, checkpoint_edit, removed,
 * bytes_freed}.  Keeps writers out; 42501 for who may not TRUNCATE the data table.
 */
Datum
compact_log(PG_FUNCTION_ARGS)
{
	static const JsonbValue nothing = {.type = jbvNull};
	const InputTable *table;
	Interval	none = {0};
	Removal		removal = {0};
	JsonbParseState *result = NULL;
	Snapshot	snapshot;
	char	   *id;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"table_id\" and \"keep\" must not be null")));
	if (DatumGetBool(DirectFunctionCall2(interval_lt, PG_GETARG_DATUM(1), IntervalPGetDatum(&none))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"keep\" must not be negative")));
	PreventCommandIfReadOnly("compact_log()");
	id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	table = lock_table(id);
	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	find_removal(table, snapshot,
				 DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
														 TimestampTzGetDatum(GetCurrentStatementStartTimestamp()),
														 PG_GETARG_DATUM(1))), &removal);
	if (removal.count > 1)
	{
		TupleDesc	desc = CreateTemplateTupleDesc(1);
		Tuplestorestate *edits;

		TupleDescInitEntry(desc, 1, NULL, JSONBOID, -1, 0);
		edits = fit_checkpoint(table, snapshot, &removal, desc);
		if (edits == NULL)
			removal.count = 0;
		else
		{
			int64	   *numbers = free_numbers(table, snapshot, removal.last, tuplestore_tuple_count(edits));

			remove_entries(table, snapshot, removal.last);
			write_checkpoint(table, &removal, numbers, edits, desc);
			tuplestore_end(edits);
		}
	}
	UnregisterSnapshot(snapshot);

	pushJsonbValue(&result, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&result, "table_id", id);
	if (removal.count > 1)
		sigma_push_int(&result, "checkpoint_edit", removal.last);
	else
		sigma_push_value(&result, "checkpoint_edit", &nothing);
	sigma_push_int(&result, "removed", removal.count > 1 ? removal.count : 0);
	sigma_push_int(&result, "bytes_freed", removal.count > 1 ? removal.bytes : 0);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&result, WJB_END_OBJECT, NULL)));
}

/* The table, with writers kept out; 42501 for who may not drop all of its rows. */
static const InputTable *
lock_table(const char *id)
{
	for (;;)
	{
		const InputTable *table = sigma_logged_table(id);
		Oid			relid = table->relid;

		if (pg_class_aclcheck(relid, GetUserId(), ACL_TRUNCATE) != ACLCHECK_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied to compact the edit log of input table \"%s\"", table->name),
					 errhint("It needs the TRUNCATE privilege on %s.", get_rel_name(relid))));
		LockRelationOid(relid, ShareRowExclusiveLock);
		/* locking made this backend hear of changes that were committed before */
		table = sigma_logged_table(id);
		if (table->relid == relid)
			return table;
		UnlockRelationOid(relid, ShareRowExclusiveLock);
	}
}

/* 42501 unless the caller may read that log. */
static void
check_may_read(Oid log)
{
	if (sigma_namespace_aclcheck(sigma_sigds_namespace(), GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, "sigds");
	if (pg_class_aclcheck(log, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(log));
}

/*
 * verify_log(table_id text) → table (checked, broken_edit, reason), one row: how many
 * entries were looked at, and the first whose hash is not what it and the one before say.
 * 42501 for who may not read the log.
 */
Datum
verify_log(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const InputTable *table;
	const char *reason = NULL;
	bytea	   *previous = NULL;
	bytea	   *onwards = NULL;		/* what the entry after a checkpoint was chained to */
	bool		begun = false;
	bool		in_checkpoint = false;
	LogReader  *reader;
	LogEntry	entry;
	Datum		values[3] = {0};
	bool		nulls[3] = {false, true, true};
	int64		checked = 0;

	InitMaterializedSRF(fcinfo, 0);
	table = sigma_logged_table(sigma_text_argument(fcinfo, 0, "table_id"));
	check_may_read(table->log.relid);
	reader = sigma_log_read(table->log.relid, GetActiveSnapshot(), 0, PG_INT64_MAX, ForwardScanDirection);
	while (reason == NULL && sigma_log_next(reader, &entry))
	{
		MemoryContext caller = CurrentMemoryContext;
		MemoryContext cxt = AllocSetContextCreate(caller, "sigma log entry", ALLOCSET_DEFAULT_SIZES);

		MemoryContextSwitchTo(cxt);
		checked++;
		if (entry.operation == LOG_CHECKPOINT && entry.number == entry.statement && checked == 1)
		{
			MemoryContextSwitchTo(caller);
			onwards = chain_of(&entry);
			in_checkpoint = true;
			MemoryContextSwitchTo(cxt);
		}
		else if (in_checkpoint && entry.operation != LOG_CHECKPOINT)
		{
			in_checkpoint = false;
			if (onwards != NULL)
				previous = onwards;
		}
		reason = wrong_with(&entry, sigma_log_desc(reader), previous, begun);
		MemoryContextSwitchTo(caller);
		if (!entry.nulls[LOG_HASH - 1])
		{
			begun = true;
			previous = DatumGetByteaPCopy(entry.values[LOG_HASH - 1]);
		}
		if (reason != NULL)
		{
			values[1] = Int64GetDatum(entry.number);
			values[2] = CStringGetTextDatum(reason);
			nulls[1] = nulls[2] = false;
		}
		MemoryContextDelete(cxt);
	}
	sigma_log_read_end(reader);
	if (!begun && reason == NULL)
	{
		values[2] = CStringGetTextDatum("no entry has a hash: governance_config does not say \"tamper_evident\": true");
		nulls[2] = false;
	}
	values[0] = Int64GetDatum(checked);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return (Datum) 0;
}

/* What is wrong with the entry's hash, or NULL. */
static const char *
wrong_with(const LogEntry *entry, TupleDesc desc, const bytea *previous, bool begun)
{
	bytea	   *stored;
	bytea	   *made;

	if (entry->nulls[LOG_HASH - 1])
		return begun ? "it has no hash: it was written while tamper_evident was off, or past the log" : NULL;
	stored = DatumGetByteaPP(entry->values[LOG_HASH - 1]);
	made = sigma_log_hash(previous, desc, entry->values, entry->nulls);
	if (VARSIZE_ANY_EXHDR(stored) == VARSIZE_ANY_EXHDR(made) &&
		memcmp(VARDATA_ANY(stored), VARDATA_ANY(made), VARSIZE_ANY_EXHDR(made)) == 0)
		return NULL;
	return "its hash is not that of its content and of the entry before: one of them was changed, or entries are missing before it";
}

/* Which entries are older, as far as whole statements go. */
static void
find_removal(const InputTable *table, Snapshot snapshot, TimestampTz before, Removal *removal)
{
	LogReader  *reader = sigma_log_read(table->log.relid, snapshot, 0, PG_INT64_MAX, ForwardScanDirection);
	int64		last = 0;
	int64		statement;
	LogEntry	entry;

	while (sigma_log_next(reader, &entry) && entry.at < before)
		last = entry.number;
	sigma_log_read_end(reader);
	/* a statement whose entries go on later stays whole */
	while (last > 0 && (statement = oldest_statement_after(table, snapshot, last)) <= last)
		last = statement - 1;

	reader = sigma_log_read(table->log.relid, snapshot, 0, last, ForwardScanDirection);
	while (sigma_log_next(reader, &entry))
	{
		removal->last = entry.number;
		removal->count++;
		removal->bytes += toast_datum_size(entry.values[LOG_EDIT - 1]) + toast_datum_size(entry.values[LOG_METADATA - 1]);
		removal->at = Max(removal->at, entry.at);
		removal->xact = entry.values[LOG_XACT - 1];
		removal->settled = entry.values[LOG_SETTLED - 1];
		removal->instance = entry.values[LOG_INSTANCE - 1];
		removal->hashed = !entry.nulls[LOG_HASH - 1];
		if (removal->hashed)
			removal->chain = TextDatumGetCString(DirectFunctionCall2(binary_encode, entry.values[LOG_HASH - 1], CStringGetTextDatum("hex")));
	}
	sigma_log_read_end(reader);
	if (!removal->hashed || oldest_statement_after(table, snapshot, last) == PG_INT64_MAX)
		removal->chain = NULL;
}

/* The smallest statement number of later entries, or the greatest number there is. */
static int64
oldest_statement_after(const InputTable *table, Snapshot snapshot, int64 number)
{
	LogReader  *reader = sigma_log_read(table->log.relid, snapshot, number + 1, PG_INT64_MAX, ForwardScanDirection);
	int64		oldest = PG_INT64_MAX;
	LogEntry	entry;

	while (sigma_log_next(reader, &entry))
		oldest = Min(oldest, entry.statement);
	sigma_log_read_end(reader);
	return oldest;
}

/*
 * A checkpoint of no more entries than go: larger ones where entries as of statements are
 * too many, as of rows that a new column's default made long.  NULL where that is not to
 * be had; the log would not become shorter.
 */
static Tuplestorestate *
fit_checkpoint(const InputTable *table, Snapshot snapshot, const Removal *removal, TupleDesc desc)
{
	Size		chunk;

	for (chunk = LOG_CHUNK_BYTES; chunk <= MOST_CHUNK_BYTES; chunk *= 4)
	{
		Tuplestorestate *edits = make_checkpoint(table, snapshot, removal, chunk, desc);

		if (tuplestore_tuple_count(edits) <= removal->count)
			return edits;
		tuplestore_end(edits);
	}
	return NULL;
}

/* The table as it was after the last entry that goes, as entries of about "chunk" bytes that wait for their numbers. */
static Tuplestorestate *
make_checkpoint(const InputTable *table, Snapshot snapshot, const Removal *removal, Size chunk, TupleDesc desc)
{
	LogState   *state = sigma_log_state(table, snapshot, removal->last, NULL, NULL);
	const LogImage *image = &state->image;
	const JsonNode **documents = palloc(sizeof(JsonNode *) * (image->ncolumn + 1));
	Waiting		waiting = {tuplestore_begin_heap(false, false, work_mem), desc};
	Checkpoint *checkpoint;
	int			i;

	for (i = 0; i < image->ncolumn; i++)
		documents[i] = image->columns[i]->document;
	checkpoint = sigma_checkpoint_begin(image->ncolumn, documents, image->types, removal->chain, chunk, keep_edit, &waiting);
	while (sigma_log_state_next(state))
		sigma_checkpoint_row(checkpoint, image->row_id, image->values, image->nulls,
							 image->values + STATE_STAMPS, image->nulls + STATE_STAMPS);
	sigma_checkpoint_end(checkpoint);
	sigma_log_state_end(state);
	return waiting.edits;
}

/* CheckpointSink */
static void
keep_edit(JsonbValue *edit, void *arg)
{
	Waiting    *waiting = arg;
	Datum		value = JsonbPGetDatum(JsonbValueToJsonb(edit));
	bool		isnull = false;

	tuplestore_putvalues(waiting->edits, waiting->desc, &value, &isnull);
}

/* The last numbers of entries up to that one, rising: there are as many. */
static int64 *
free_numbers(const InputTable *table, Snapshot snapshot, int64 last, int64 count)
{
	LogReader  *reader = sigma_log_read(table->log.relid, snapshot, 0, last, BackwardScanDirection);
	int64	   *numbers = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int64) * count);
	LogEntry	entry;

	while (count > 0 && sigma_log_next(reader, &entry))
		numbers[--count] = entry.number;
	sigma_log_read_end(reader);
	if (count > 0)
		elog(ERROR, "an edit log has fewer entries than were counted");
	return numbers;
}

/* Delete the entries up to that one, which nobody else may. */
static void
remove_entries(const InputTable *table, Snapshot snapshot, int64 last)
{
	OwnerScope	scope;
	SPIPlanPtr	plan;
	volatile int code = 0;

	SPI_connect();
	sigma_ddl_begin(&scope);
	plan = SPI_prepare(psprintf("DELETE FROM ONLY %s WHERE edit_num OPERATOR(pg_catalog.<=) " INT64_FORMAT,
								sigma_ddl_name(get_rel_name(table->log.relid)), last), 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sigma_log_allow_changes(true);
	PG_TRY();
	{
		code = SPI_execute_snapshot(plan, NULL, NULL, snapshot, InvalidSnapshot, false, true, 0);
	}
	PG_FINALLY();
	{
		sigma_log_allow_changes(false);
	}
	PG_END_TRY();
	if (code != SPI_OK_DELETE)
		elog(ERROR, "SPI_execute_snapshot returned %s", SPI_result_code_string(code));
	sigma_owner_end(&scope);
	SPI_finish();
	CommandCounterIncrement();
}

/* The entries of the checkpoint, under these numbers. */
static void
write_checkpoint(const InputTable *table, const Removal *removal, const int64 *numbers, Tuplestorestate *edits, TupleDesc desc)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma edit log entry", ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	LogWriter  *writer = sigma_log_begin(&table->log);

	sigma_log_date_back(writer, removal->at, removal->xact, removal->settled, removal->instance, removal->hashed);
	while (tuplestore_gettupleslot(edits, true, false, slot))
	{
		MemoryContext caller = MemoryContextSwitchTo(cxt);
		JsonbValue	edit;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		sigma_jsonb_value(DatumGetJsonbP(slot_getattr(slot, 1, &isnull)), &edit);
		sigma_log_put_as(writer, &edit, *numbers++);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(cxt);
	}
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(cxt);
	(void) sigma_log_end(writer);
}

/* What the entry after a checkpoint was chained to, or NULL; in the current context. */
static bytea *
chain_of(const LogEntry *entry)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(unconstify(JsonbContainer *, sigma_log_payload(entry)), "chain", strlen("chain"), &value) == NULL ||
		value.type != jbvString)
		return NULL;
	return DatumGetByteaP(DirectFunctionCall2(binary_decode,
											  PointerGetDatum(cstring_to_text_with_len(value.val.string.val, value.val.string.len)),
											  CStringGetTextDatum("hex")));
}
