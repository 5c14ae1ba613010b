/*
 * edit_log_read.c
 *		Entries of an edit log, in the order of their numbers or against it.
 *
 * The log is read as it is, not as the caller: who calls here has checked what the
 * caller may see.  Which operation an entry holds is told from the first bytes of its
 * document; the rest is fetched by whoever wants it.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/errors.h"
#include "common/names.h"
#include "input_table/edit_history.h"

#define PEEKED_BYTES	64		/* hold every operation's name */

struct LogReader
{
	Relation	rel;
	Relation	index;
	Snapshot	snapshot;
	SysScanDesc scan;
	ScanDirection direction;
	ScanKeyData keys[2];
	MemoryContext cxt;			/* of the scan, which allocates as it goes */
};

static LogOperation operation_of(Datum edit);
static int	log_hint(const InputTable *table);

/*
 * Entries from..to.  The snapshot must be registered or active, and the current context
 * live, until the end.
 */
LogReader *
sigma_log_read(Oid log, Snapshot snapshot, int64 from, int64 to, ScanDirection direction)
{
	LogReader  *reader = palloc0(sizeof(LogReader));

	reader->rel = table_open(log, AccessShareLock);
	sigma_log_check_shape(reader->rel);
	if (!OidIsValid(sigma_primary_key(reader->rel)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not a whole edit log", RelationGetRelationName(reader->rel)),
				 errdetail("Its primary key is missing."),
				 errtable(reader->rel)));
	reader->index = index_open(sigma_primary_key(reader->rel), AccessShareLock);
	reader->direction = direction;
	reader->cxt = CurrentMemoryContext;
	ScanKeyInit(&reader->keys[0], LOG_EDIT_NUM, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(from));
	ScanKeyInit(&reader->keys[1], LOG_EDIT_NUM, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(to));
	reader->scan = systable_beginscan_ordered(reader->rel, reader->index, snapshot, 2, reader->keys);
	return reader;
}

/* The next entry; false at the end. */
bool
sigma_log_next(LogReader *reader, LogEntry *entry)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->cxt);
	HeapTuple	tuple;

	CHECK_FOR_INTERRUPTS();
	tuple = systable_getnext_ordered(reader->scan, reader->direction);
	MemoryContextSwitchTo(caller);
	if (tuple == NULL)
		return false;
	heap_deform_tuple(tuple, RelationGetDescr(reader->rel), entry->values, entry->nulls);
	entry->number = DatumGetInt64(entry->values[LOG_EDIT_NUM - 1]);
	entry->statement = DatumGetInt64(entry->values[LOG_STATEMENT - 1]);
	entry->at = DatumGetTimestampTz(entry->values[LOG_TIMESTAMP - 1]);
	entry->operation = operation_of(entry->values[LOG_EDIT - 1]);
	return true;
}

/* The log stays locked. */
void
sigma_log_read_end(LogReader *reader)
{
	systable_endscan_ordered(reader->scan);
	index_close(reader->index, NoLock);
	table_close(reader->rel, NoLock);
	pfree(reader);
}

/* What the entries' values are of. */
TupleDesc
sigma_log_desc(const LogReader *reader)
{
	return RelationGetDescr(reader->rel);
}

/*
 * Which operation it is: {"name": payload} is a header, an entry for the name, one for
 * the payload, and the name.
 */
static LogOperation
operation_of(Datum edit)
{
	static const struct
	{
		const char *name;
		LogOperation operation;
	}			operations[] =
	{
		{"createDatasheet", LOG_CREATE}, {"checkpoint", LOG_CHECKPOINT}, {"addColumn", LOG_ADD_COLUMN},
		{"updateColumn", LOG_UPDATE_COLUMN}, {"deleteColumn", LOG_DELETE_COLUMN}, {"addRow", LOG_ADD_ROWS},
		{"addRows", LOG_ADD_ROWS}, {"updateRow", LOG_UPDATE_ROWS}, {"updateRows", LOG_UPDATE_ROWS},
		{"deleteRows", LOG_DELETE_ROWS}, {"importCsv", LOG_IMPORT}, {"publish", LOG_PUBLISH},
		{"undo", LOG_UNDO}, {"restore", LOG_RESTORE},
	};
	struct varlena *start = PG_DETOAST_DATUM_SLICE(edit, 0, PEEKED_BYTES);
	Size		available = VARSIZE_ANY_EXHDR(start);
	LogOperation found = LOG_OTHER;
	uint32		words[3];
	uint32		length;
	int			i;

	if (available > sizeof(words))
	{
		memcpy(words, VARDATA_ANY(start), sizeof(words));
		length = words[1] & JENTRY_OFFLENMASK;
		if ((words[0] & JB_FOBJECT) && (words[0] & JB_CMASK) == 1 && length <= available - sizeof(words))
			for (i = 0; i < lengthof(operations); i++)
				if (strlen(operations[i].name) == length &&
					memcmp(operations[i].name, VARDATA_ANY(start) + sizeof(words), length) == 0)
					found = operations[i].operation;
	}
	if ((Pointer) start != DatumGetPointer(edit))
		pfree(start);
	return found;
}

/* What stands under the entry's one key; in the current context.  XX001 where it is no object. */
const JsonbContainer *
sigma_log_payload(const LogEntry *entry)
{
	Jsonb	   *edit = DatumGetJsonbP(entry->values[LOG_EDIT - 1]);
	JsonbIterator *iterator = JsonbIteratorInit(&edit->root);
	JsonbValue	value;

	if (JsonbIteratorNext(&iterator, &value, true) == WJB_BEGIN_OBJECT &&
		JsonbIteratorNext(&iterator, &value, true) == WJB_KEY &&
		JsonbIteratorNext(&iterator, &value, true) == WJB_VALUE &&
		value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
		return value.val.binary.data;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("edit " INT64_FORMAT " of the edit log has no payload", entry->number)));
}

/* A text of the entry's metadata, or NULL; in the current context. */
const char *
sigma_log_metadata(const LogEntry *entry, const char *key)
{
	Jsonb	   *metadata = DatumGetJsonbP(entry->values[LOG_METADATA - 1]);
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(metadata) ||
		getKeyJsonValueFromContainer(&metadata->root, key, strlen(key), &value) == NULL ||
		value.type != jbvString)
		return NULL;
	return pnstrdup(value.val.string.val, value.val.string.len);
}

/* The newest entry that the caller's snapshot sees; false where there is none. */
bool
sigma_log_last(Oid log, int64 *number, TimestampTz *at, const char **by)
{
	LogReader  *reader = sigma_log_read(log, GetActiveSnapshot(), 0, PG_INT64_MAX, BackwardScanDirection);
	LogEntry	entry;
	bool		found = sigma_log_next(reader, &entry);

	if (found)
	{
		*number = entry.number;
		*at = entry.at;
		*by = sigma_log_metadata(&entry, "userEmail");
	}
	sigma_log_read_end(reader);
	return found;
}

/* The number of the newest entry that is committed or ours, or 0. */
int64
sigma_log_newest(Oid log)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	LogReader  *reader = sigma_log_read(log, snapshot, 0, PG_INT64_MAX, BackwardScanDirection);
	LogEntry	entry;
	int64		number = sigma_log_next(reader, &entry) ? entry.number : 0;

	sigma_log_read_end(reader);
	UnregisterSnapshot(snapshot);
	return number;
}

/* How many entries the caller's snapshot sees. */
int64
sigma_log_count(Oid log)
{
	Relation	rel = table_open(log, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, GetActiveSnapshot(), 0, NULL);
	int64		count = 0;

	while (HeapTupleIsValid(systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		count++;
	}
	systable_endscan(scan);
	table_close(rel, NoLock);
	return count;
}

/*
 * The input table of that id, for a function that needs its log.  SG404 where there is
 * none, 55000 where no log is kept.
 */
const InputTable *
sigma_logged_table(const char *id)
{
	const InputTable *table = sigma_input_table_by_id(id);

	if (table->log.id == NULL || !table->audit)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("input table \"%s\" keeps no edit log", table->name),
				 errdetail("Its governance_config has \"audit\": false."),
				 errhint("Edits made from now on are logged once \"audit\" is true.")));
	if (!OidIsValid(table->log.relid) || get_rel_relkind(table->log.relid) == '\0')
		sigma_log_refuse_missing(table->id);
	return table;
}

/* SG404: the log begins after that edit; the greatest number stands for a time. */
void
sigma_log_refuse_gone(const InputTable *table, int64 number)
{
	LogReader  *reader = sigma_log_read(table->log.relid, GetActiveSnapshot(), 0, PG_INT64_MAX, ForwardScanDirection);
	LogEntry	entry;
	bool		made = sigma_log_next(reader, &entry) && entry.operation == LOG_CREATE;

	sigma_log_read_end(reader);
	if (made && number == PG_INT64_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_NOT_FOUND),
				 errmsg("input table \"%s\" did not exist yet at that time", table->name),
				 log_hint(table)));
	if (made)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_NOT_FOUND),
				 errmsg("input table \"%s\" did not exist yet at edit " INT64_FORMAT, table->name, number),
				 log_hint(table)));
	ereport(ERROR,
			(errcode(ERRCODE_SIGMA_NOT_FOUND),
			 number == PG_INT64_MAX ? errmsg("the edit log of input table \"%s\" does not reach back to that time", table->name) :
			 errmsg("the edit log of input table \"%s\" does not reach back to edit " INT64_FORMAT, table->name, number),
			 errdetail("It begins later: it was compacted or begun anew since, or the table was made later."),
			 log_hint(table)));
}

/* Where to look what the log has; for use within ereport(). */
static int
log_hint(const InputTable *table)
{
	return errhint("SELECT min(edit_num), min(\"timestamp\") FROM sigds.%s shows where it begins.", quote_identifier(sigma_log_name(table->id)));
}
