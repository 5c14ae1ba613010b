/*
 * edit_log_write.c
 *		From edits to rows of the log.
 *
 * A row is put there by the table access method and its index entries by the executor,
 * as COPY does: the writer of a data table needs no right on its log, and nothing of
 * his runs under another identity.
 *
 * Order.  Numbers come from one sequence of the database and are drawn when the locks
 * on the rows that were written are held, so that they rise in the order in which
 * transactions changed any one row.  "settled" is the next transaction id, read after
 * the number: once all transactions before it have ended, no smaller number is missing.
 *
 * Chained logs hash each entry with the one before it; their writers wait for each
 * other until their transactions end.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/sequence.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "common/catalog.h"
#include "common/json_push.h"
#include "common/names.h"
#include "common/session.h"
#include "input_table/edit_log.h"

#define CHAIN_LOCK_KEY		0x5369676d	/* "Sigm": which advisory locks are meant */
#define CHAIN_LOCK_CLASS	4			/* SQL functions use 1 and 2, row counters 3 */

/* The number of one statement's first entry, shared by the triggers that it fires. */
typedef struct StatementNumber
{
	dlist_node	node;			/* of statement_numbers */
	MemoryContextCallback callback;
	Oid			log;
	LocalTransactionId lxid;
	CommandId	command;
	int64		statement;
} StatementNumber;

/* What metadata is made of. */
enum
{
	META_TABLE, META_TITLE, META_WORKBOOK, META_USER, META_ROLE, META_ORIGIN, META_EXECUTION, META_APPLICATION, META_PARTS
};

typedef struct Metadata
{
	const char *parts[META_PARTS];	/* NULL: none; of META_WORKBOOK the database */
	Datum		document;
	MemoryContext cxt;			/* what it lives in where it is kept, or NULL */
} Metadata;

struct LogWriter
{
	const EditLog *log;
	Relation	rel;
	TupleTableSlot *slot;
	Relation	key;			/* the one index, as it was made; NULL: the executor looks after them */
	IndexInfo  *key_info;
	EState	   *estate;			/* NULL with the former */
	ResultRelInfo *result;
	LogGroup   *group;			/* or NULL */
	int64	   *statement;		/* where the statement's number stands, 0: not drawn yet */
	int64		own_statement;
	int64		first;
	int64		last;
	Datum		values[LOG_ATTRIBUTES];
	bool		nulls[LOG_ATTRIBUTES];
	bool		chained;		/* entries get hashes */
	bytea	   *hash;			/* of the entry before, or NULL */
	MemoryContext cxt;
};

static LogGroup *current_group = NULL;
static dlist_head statement_numbers = DLIST_STATIC_INIT(statement_numbers);

static void forget_statement(void *arg);
static void open_indexes(LogWriter *writer);
static void put(LogWriter *writer, Jsonb *edit, int64 number);
static void put_index_entries(LogWriter *writer);
static int64 instance_number(Oid relid);
static Datum metadata_of(const EditLog *log);
static bool same_parts(const Metadata *a, const Metadata *b);
static Datum make_metadata(const Metadata *metadata);
static const char *origin_name(void);
static void lock_chain(Oid log);
static bytea *last_hash(Relation rel);

/* Open a group, inside the one that is open now. */
void
sigma_log_group_begin(LogGroup *group, Oid log)
{
	group->outer = current_group;
	group->log = log;
	group->statement = group->last = 0;
	current_group = group;
}

/* What was written in it is the last of the group around it, too. */
void
sigma_log_group_end(LogGroup *group)
{
	current_group = group->outer;
	if (current_group != NULL && current_group->log == group->log && group->last > current_group->last)
		current_group->last = group->last;
}

/*
 * For what is run in the middle of a group without being a part of it: leave it, and go
 * back to what this returned.  The caller goes back in PG_FINALLY.
 */
LogGroup *
sigma_log_group_leave(LogGroup *to)
{
	LogGroup   *from = current_group;

	current_group = to;
	return from;
}

/*
 * Open a log for writing, in the current context, which must live until sigma_log_end.
 * 55000 where the log is not as it was made.
 */
LogWriter *
sigma_log_begin(const EditLog *log)
{
	LogWriter  *writer = palloc0(sizeof(LogWriter));

	writer->log = log;
	writer->cxt = CurrentMemoryContext;
	writer->rel = try_table_open(log->relid, RowExclusiveLock);
	if (writer->rel == NULL)
		sigma_log_refuse_missing(log->id);
	sigma_log_check_shape(writer->rel);
	open_indexes(writer);
	writer->slot = MakeSingleTupleTableSlot(RelationGetDescr(writer->rel), &TTSOpsVirtual);
	writer->group = current_group != NULL && current_group->log == log->relid ? current_group : NULL;
	writer->statement = writer->group != NULL ? &writer->group->statement : &writer->own_statement;

	writer->values[LOG_DS_ID - 1] = CStringGetTextDatum(log->id);
	writer->values[LOG_TIMESTAMP - 1] = TimestampTzGetDatum(GetCurrentStatementStartTimestamp());
	writer->values[LOG_METADATA - 1] = metadata_of(log);
	writer->values[LOG_XACT - 1] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	writer->values[LOG_INSTANCE - 1] = Int64GetDatum(instance_number(log->instance));
	writer->nulls[LOG_HASH - 1] = true;
	writer->chained = log->chained;
	if (log->chained)
	{
		lock_chain(log->relid);
		writer->hash = last_hash(writer->rel);
	}
	return writer;
}

/* Most logs have just the index that they were made with: that one needs no executor. */
static void
open_indexes(LogWriter *writer)
{
	List	   *indexes = RelationGetIndexList(writer->rel);

	if (list_length(indexes) == 1 && linitial_oid(indexes) == sigma_primary_key(writer->rel))
	{
		writer->key = index_open(linitial_oid(indexes), RowExclusiveLock);
		writer->key_info = BuildIndexInfo(writer->key);
	}
	else
	{
		writer->estate = CreateExecutorState();
		writer->result = makeNode(ResultRelInfo);
		InitResultRelInfo(writer->result, writer->rel, 1, NULL, 0);
		ExecOpenIndices(writer->result, false);
	}
	list_free(indexes);
}

/*
 * The entries are the running statement's, which other triggers may log too (MERGE, an
 * upsert, WITH): they share its number.  Statements are told apart by transaction and the
 * command id of their snapshot; "cxt" lives as long as the statement.
 */
void
sigma_log_part_of_statement(LogWriter *writer, MemoryContext cxt)
{
	CommandId	command = GetActiveSnapshot()->curcid;
	StatementNumber *number;
	dlist_iter	iter;

	if (writer->group != NULL)
		return;
	dlist_foreach(iter, &statement_numbers)
	{
		number = dlist_container(StatementNumber, node, iter.cur);
		if (number->log == writer->log->relid && number->command == command && number->lxid == SIGMA_LOCAL_XID)
		{
			writer->statement = &number->statement;
			return;
		}
	}
	number = MemoryContextAllocZero(cxt, sizeof(StatementNumber));
	number->log = writer->log->relid;
	number->lxid = SIGMA_LOCAL_XID;
	number->command = command;
	number->callback.func = forget_statement;
	number->callback.arg = number;
	dlist_push_head(&statement_numbers, &number->node);
	MemoryContextRegisterResetCallback(cxt, &number->callback);
	writer->statement = &number->statement;
}

/* The statement's context goes away, and with it its number. */
static void
forget_statement(void *arg)
{
	dlist_delete(&((StatementNumber *) arg)->node);
}

/* Write one entry.  Returns its number; what it needs is allocated in the current context. */
int64
sigma_log_put(LogWriter *writer, JsonbValue *edit)
{
	return sigma_log_put_document(writer, JsonbValueToJsonb(edit));
}

/* The same, of an entry that is a document already. */
int64
sigma_log_put_document(LogWriter *writer, Jsonb *edit)
{
	int64		number = nextval_internal(writer->log->numbers, false);

	/* not before the number is drawn: see above */
	writer->values[LOG_SETTLED - 1] = FullTransactionIdGetDatum(ReadNextFullTransactionId());
	put(writer, edit, number);
	return number;
}

/*
 * The entries to come stand for older ones: they are of that time and transaction, and
 * begin a chain, or as those have no hashes.
 */
void
sigma_log_date_back(LogWriter *writer, TimestampTz at, Datum xact, Datum settled, Datum instance, bool hashed)
{
	writer->chained = writer->chained && hashed;
	writer->values[LOG_TIMESTAMP - 1] = TimestampTzGetDatum(at);
	writer->values[LOG_XACT - 1] = xact;
	writer->values[LOG_SETTLED - 1] = settled;
	writer->values[LOG_INSTANCE - 1] = instance;
	writer->hash = NULL;
}

/* Write an entry under a number that the caller knows to be free. */
void
sigma_log_put_as(LogWriter *writer, JsonbValue *edit, int64 number)
{
	put(writer, JsonbValueToJsonb(edit), number);
}

/* The row of an entry. */
static void
put(LogWriter *writer, Jsonb *edit, int64 number)
{
	Datum	   *values = writer->values;

	if (*writer->statement == 0)
		*writer->statement = number;
	values[LOG_EDIT_NUM - 1] = Int64GetDatum(number);
	values[LOG_STATEMENT - 1] = Int64GetDatum(*writer->statement);
	values[LOG_EDIT - 1] = JsonbPGetDatum(edit);
	if (writer->chained)
	{
		bytea	   *hash = sigma_log_hash(writer->hash, RelationGetDescr(writer->rel), values, writer->nulls);

		writer->hash = MemoryContextAlloc(writer->cxt, VARSIZE(hash));
		memcpy(writer->hash, hash, VARSIZE(hash));
		values[LOG_HASH - 1] = PointerGetDatum(writer->hash);
		writer->nulls[LOG_HASH - 1] = false;
	}

	ExecClearTuple(writer->slot);
	memcpy(writer->slot->tts_values, values, sizeof(writer->values));
	memcpy(writer->slot->tts_isnull, writer->nulls, sizeof(writer->nulls));
	ExecStoreVirtualTuple(writer->slot);
	table_tuple_insert(writer->rel, writer->slot, GetCurrentCommandId(true), 0, NULL);
	put_index_entries(writer);
	if (writer->first == 0)
		writer->first = number;
	writer->last = number;
	if (writer->group != NULL)
		writer->group->last = number;
}

/* Entries of the indexes for the row that has just been put there. */
static void
put_index_entries(LogWriter *writer)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];

	if (writer->key != NULL)
	{
		FormIndexDatum(writer->key_info, writer->slot, NULL, values, nulls);
		(void) index_insert(writer->key, values, nulls, &writer->slot->tts_tid, writer->rel, UNIQUE_CHECK_YES,
							false, writer->key_info);
		return;
	}
	if (writer->result->ri_NumIndices > 0)
		(void) sigma_insert_index_tuples(writer->result, writer->slot, writer->estate);
	ResetPerTupleExprContext(writer->estate);
}

/* Close the log, which stays locked.  Returns the number of the last entry, or 0. */
int64
sigma_log_end(LogWriter *writer)
{
	ExecDropSingleTupleTableSlot(writer->slot);
	if (writer->key != NULL)
		index_close(writer->key, NoLock);
	else
	{
		ExecCloseIndices(writer->result);
		FreeExecutorState(writer->estate);
	}
	table_close(writer->rel, NoLock);
	if (writer->last != 0)
		sigma_run_edits_note(writer->log->id, writer->first, writer->last);
	return writer->last;
}

/* Entries were written, or (first 0) rows of a table without a log are: the run that does it remembers. */
void
sigma_run_edits_note(const char *table_id, int64 first, int64 last)
{
	RunEdits   *edits = sigma_session.edits;
	MemoryContext caller;
	TableEdits *table;
	ListCell   *lc;

	if (edits == NULL)
		return;
	foreach(lc, edits->tables)
	{
		table = lfirst(lc);
		if (strcmp(table->table_id, table_id) != 0)
			continue;
		if (first != 0 && table->first != 0)
			table->last = Max(table->last, last);
		else
			table->first = table->last = 0;
		return;
	}
	caller = MemoryContextSwitchTo(edits->cxt);
	table = palloc(sizeof(TableEdits));
	table->table_id = pstrdup(table_id);
	table->first = first;
	table->last = last;
	edits->tables = lappend(edits->tables, table);
	MemoryContextSwitchTo(caller);
}

/* Write one entry {operation: payload} by itself.  Returns its number; 0 where no log is kept. */
int64
sigma_log_event(const EditLog *log, const char *operation, const JsonbValue *payload)
{
	JsonbParseState *state = NULL;
	LogWriter  *writer;

	if (!OidIsValid(log->relid))
		return 0;
	writer = sigma_log_begin(log);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_value(&state, operation, payload);
	(void) sigma_log_put(writer, pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	return sigma_log_end(writer);
}

/* 55000 where the log's columns are not those that it was made with. */
void
sigma_log_check_shape(Relation log)
{
	static const Oid types[LOG_ATTRIBUTES] = {
		TEXTOID, INT8OID, TIMESTAMPTZOID, JSONBOID, JSONBOID, XID8OID, XID8OID, INT8OID, INT8OID, BYTEAOID
	};
	TupleDesc	desc = RelationGetDescr(log);
	bool		fits = desc->natts == LOG_ATTRIBUTES;
	int			i;

	for (i = 0; fits && i < LOG_ATTRIBUTES; i++)
		fits = TupleDescAttr(desc, i)->atttypid == types[i];
	/* entries that are not chained have no hash */
	if (!fits || TupleDescAttr(desc, LOG_HASH - 1)->attnotnull)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not a whole edit log", RelationGetRelationName(log)),
				 errdetail("Its columns are not those that it was made with."),
				 errtable(log)));
}

/* 55000: the log that should be there is not. */
void
sigma_log_refuse_missing(const char *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the edit log of input table \"%s\" is missing", id),
			 errdetail("There should be a table sigds.%s.", sigma_log_name(id)),
			 errhint("Switch \"audit\" of its governance_config off and on again to begin a new one.")));
}

/*
 * What an entry is chained by: SHA-256 over the hash before it and what the entry says.
 * Numbers in network order, documents as text: the same after a dump and restore.
 */
bytea *
sigma_log_hash(const bytea *previous, TupleDesc desc, const Datum *values, const bool *nulls)
{
	static const int numbers[] = {LOG_EDIT_NUM, LOG_STATEMENT, LOG_TIMESTAMP, LOG_XACT, LOG_INSTANCE};
	static const int documents[] = {LOG_EDIT, LOG_METADATA};
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);
	bytea	   *result = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	text	   *id = DatumGetTextPP(values[LOG_DS_ID - 1]);
	bool		done;
	int			i;

	done = pg_cryptohash_init(ctx) >= 0;
	if (previous != NULL)
		done = done && pg_cryptohash_update(ctx, (uint8 *) VARDATA_ANY(previous), VARSIZE_ANY_EXHDR(previous)) >= 0;
	done = done && pg_cryptohash_update(ctx, (uint8 *) VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id)) >= 0;
	for (i = 0; i < lengthof(numbers); i++)
	{
		uint64		number = nulls[numbers[i] - 1] ? 0 : pg_hton64((uint64) DatumGetInt64(values[numbers[i] - 1]));

		done = done && pg_cryptohash_update(ctx, (uint8 *) &number, sizeof(number)) >= 0;
	}
	for (i = 0; i < lengthof(documents); i++)
	{
		Jsonb	   *json = DatumGetJsonbP(values[documents[i] - 1]);
		char	   *document = JsonbToCString(NULL, &json->root, VARSIZE(json));

		done = done && pg_cryptohash_update(ctx, (uint8 *) document, strlen(document) + 1) >= 0;
		pfree(document);
	}
	done = done && pg_cryptohash_final(ctx, (uint8 *) VARDATA(result), PG_SHA256_DIGEST_LENGTH) >= 0;
	pg_cryptohash_free(ctx);
	if (!done)
		elog(ERROR, "could not compute SHA-256");
	SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	return result;
}

/* The random number that this database got when the extension was created; it is not dumped. */
static int64
instance_number(Oid relid)
{
	static Oid	known = InvalidOid;
	static int64 number = 0;
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	Snapshot	snapshot;

	if (known == relid)
		return number;
	rel = table_open(relid, AccessShareLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		number = DatumGetInt64(heap_getattr(tuple, 1, RelationGetDescr(rel), &isnull));
		known = relid;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	if (known != relid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table sigma.sigma_instance is empty"),
				 errhint("It holds one random number; insert it again.")));
	return number;
}

/*
 * Who made the edit, and by what; in the current context.  Entries of a session mostly have
 * the same, so the last one is kept.
 */
static Datum
metadata_of(const EditLog *log)
{
	static Metadata kept = {0};
	Metadata	now = {0};
	const char *workbook = log->workbook != NULL ? log->workbook : sigma_workbook_id;

	now.parts[META_TABLE] = log->id;
	now.parts[META_TITLE] = log->name;
	now.parts[META_WORKBOOK] = workbook == NULL || workbook[0] == '\0' ? NULL : workbook;
	now.parts[META_USER] = sigma_app_user();
	now.parts[META_ROLE] = GetUserNameFromId(sigma_session_role(), false);
	now.parts[META_ORIGIN] = origin_name();
	now.parts[META_EXECUTION] = sigma_session.execution_id;
	now.parts[META_APPLICATION] = application_name == NULL ? "" : application_name;
	if (!same_parts(&now, &kept))
	{
		MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma edit log metadata", ALLOCSET_SMALL_SIZES);
		MemoryContext caller = MemoryContextSwitchTo(cxt);
		int			i;

		for (i = 0; i < META_PARTS; i++)
			now.parts[i] = now.parts[i] == NULL ? NULL : pstrdup(now.parts[i]);
		now.document = make_metadata(&now);
		MemoryContextSwitchTo(caller);
		if (kept.cxt != NULL)
			MemoryContextDelete(kept.cxt);
		MemoryContextSetParent(cxt, TopMemoryContext);
		now.cxt = cxt;
		kept = now;
	}
	return datumCopy(kept.document, false, -1);
}

/* Are they of the same metadata? */
static bool
same_parts(const Metadata *a, const Metadata *b)
{
	int			i;

	if (b->cxt == NULL)
		return false;
	for (i = 0; i < META_PARTS; i++)
		if (a->parts[i] == NULL ? b->parts[i] != NULL : b->parts[i] == NULL || strcmp(a->parts[i], b->parts[i]) != 0)
			return false;
	return true;
}

/* The document. */
static Datum
make_metadata(const Metadata *metadata)
{
	const char *const *parts = metadata->parts;
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "tableName", sigma_data_table_name(parts[META_TABLE]));
	sigma_push_text(&state, "workbookId", parts[META_WORKBOOK] != NULL ? parts[META_WORKBOOK] : get_database_name(MyDatabaseId));
	sigma_push_text(&state, "elementTitle", parts[META_TITLE]);
	sigma_push_text(&state, "userEmail", parts[META_USER]);
	sigma_push_text(&state, "role", parts[META_ROLE]);
	sigma_push_text(&state, "origin", parts[META_ORIGIN]);
	if (parts[META_EXECUTION] != NULL)
		sigma_push_text(&state, "executionId", parts[META_EXECUTION]);
	sigma_push_text(&state, "application", parts[META_APPLICATION]);
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* What the running statement came from. */
static const char *
origin_name(void)
{
	switch (sigma_session.origin)
	{
		case ORIGIN_ENTRY:
			return "entry";
		case ORIGIN_IMPORT:
			return "import";
		case ORIGIN_ACTION:
			return "action";
		case ORIGIN_SYNC:
			return "sync";
		case ORIGIN_UNDO:
			return "undo";
		case ORIGIN_SQL:
		case ORIGIN_SYSTEM:
			break;
	}
	return sigma_session.execution_id != NULL ? "action" : "sql";
}

/* One transaction at a time adds to a chain. */
static void
lock_chain(Oid log)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, CHAIN_LOCK_KEY, log, CHAIN_LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* The hash of the newest entry that has one, or NULL; in the current context. */
static bytea *
last_hash(Relation rel)
{
	bytea	   *hash = NULL;
	Relation	index = index_open(sigma_primary_key(rel), AccessShareLock);
	SysScanDesc scan = systable_beginscan_ordered(rel, index, SnapshotSelf, 0, NULL);
	HeapTuple	tuple;

	while (hash == NULL && (tuple = systable_getnext_ordered(scan, BackwardScanDirection)) != NULL)
	{
		bool		isnull;
		Datum		value = heap_getattr(tuple, LOG_HASH, RelationGetDescr(rel), &isnull);

		if (!isnull)
			hash = DatumGetByteaPCopy(value);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	return hash;
}
