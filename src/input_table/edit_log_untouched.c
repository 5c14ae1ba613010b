/*
 * edit_log_untouched.c
 *		Rows that no later edit touched: they stand in the table as they were.
 *
 * To show a large table as it was before a few edits there is no need to make it from
 * its log: just the rows that were edited since come from there, see edit_log_state.c.
 * The table is read by the snapshot by which the log is, in the order of row ids.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "input_table/edit_history.h"

#define TOUCHED_BYTES	64		/* about what an id takes in a hash table */

/* A scan of the table. */
typedef struct LogUntouched
{
	Relation	rel;
	Relation	index;
	SysScanDesc scan;
	HTAB	   *touched;
	AttrNumber	row_id;
	int			count;			/* of what an image holds */
	AttrNumber *attnums;		/* where that stands in the table */
	Datum	   *row_values;		/* of a row of the table */
	bool	   *row_nulls;
	Datum	   *values;			/* of an image */
	bool	   *nulls;
	bool		ended;			/* another look would begin anew */
	MemoryContext cxt;
} LogUntouched;

/* A search for edited rows. */
typedef struct TouchedSearch
{
	HTAB	   *rows;
	int64		most;
} TouchedSearch;

static bool is_later(const LogEntry *entry, int64 through, const TimestampTz *at);
static void add_id(const LogEntry *entry, int64 row_id, void *arg);
static AttrNumber *find_attributes(const InputTable *table, const LogImage *image);

/*
 * The ids of the rows that edits after "through", or of statements that began after "at",
 * wrote; NULL where they are too many for work_mem, or columns were changed.  In the
 * current context.
 */
HTAB *
sigma_log_touched(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	TouchedSearch search = {0};
	bool		just_rows = true;
	HASHCTL		control = {0};
	LogReader  *reader;
	LogEntry	entry;
	MemoryContext caller;

	control.keysize = control.entrysize = sizeof(int64);
	control.hcxt = CurrentMemoryContext;
	search.rows = hash_create("sigma touched rows", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	search.most = work_mem * (int64) 1024 / TOUCHED_BYTES;
	reader = sigma_log_read(table->log.relid, snapshot, at == NULL && through < PG_INT64_MAX ? through + 1 : 0,
							PG_INT64_MAX, BackwardScanDirection);
	caller = MemoryContextSwitchTo(cxt);
	while (just_rows && sigma_log_next(reader, &entry))
	{
		if (!is_later(&entry, through, at))
			continue;
		just_rows = entry.operation != LOG_CREATE && entry.operation != LOG_CHECKPOINT &&
			entry.operation != LOG_ADD_COLUMN && entry.operation != LOG_UPDATE_COLUMN &&
			entry.operation != LOG_DELETE_COLUMN;
		if (just_rows)
			sigma_log_row_ids(&entry, add_id, &search);
		just_rows = just_rows && hash_get_num_entries(search.rows) <= search.most;
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(caller);
	sigma_log_read_end(reader);
	MemoryContextDelete(cxt);
	if (just_rows)
		return search.rows;
	hash_destroy(search.rows);
	return NULL;
}

/*
 * The other rows of the table, as images like that one; NULL where the table has no
 * whole primary key, or not those columns.  In the current context.
 */
struct LogUntouched *
sigma_log_untouched(const InputTable *table, Snapshot snapshot, HTAB *touched, const LogImage *image)
{
	AttrNumber *attnums = find_attributes(table, image);
	Relation	rel = table_open(table->relid, AccessShareLock);
	Oid			index = sigma_primary_key(rel);
	LogUntouched *rows;
	int			natts = RelationGetDescr(rel)->natts;

	if (attnums == NULL || !OidIsValid(index))
	{
		table_close(rel, NoLock);
		return NULL;
	}
	rows = palloc0(sizeof(LogUntouched));
	rows->rel = rel;
	rows->index = index_open(index, AccessShareLock);
	rows->touched = touched;
	rows->row_id = table->row_id;
	rows->count = STATE_STAMPS + image->ncolumn;
	rows->attnums = attnums;
	rows->row_values = palloc(sizeof(Datum) * natts);
	rows->row_nulls = palloc(sizeof(bool) * natts);
	rows->values = palloc(sizeof(Datum) * rows->count);
	rows->nulls = palloc(sizeof(bool) * rows->count);
	rows->cxt = CurrentMemoryContext;
	rows->scan = systable_beginscan_ordered(rel, rows->index, snapshot, 0, NULL);
	return rows;
}

/* The next one; false at the end. */
bool
sigma_log_untouched_next(struct LogUntouched *rows, LogImage *image)
{
	MemoryContext caller = MemoryContextSwitchTo(rows->cxt);
	HeapTuple	tuple = NULL;
	int			i;

	while (!rows->ended && (tuple = systable_getnext_ordered(rows->scan, ForwardScanDirection)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(tuple, RelationGetDescr(rows->rel), rows->row_values, rows->row_nulls);
		image->row_id = DatumGetInt64(rows->row_values[rows->row_id - 1]);
		if (hash_get_num_entries(rows->touched) == 0 ||
			hash_search(rows->touched, &image->row_id, HASH_FIND, NULL) == NULL)
			break;
	}
	MemoryContextSwitchTo(caller);
	rows->ended = tuple == NULL;
	if (rows->ended)
		return false;
	for (i = 0; i < rows->count; i++)
	{
		rows->values[i] = rows->row_values[rows->attnums[i] - 1];
		rows->nulls[i] = rows->row_nulls[rows->attnums[i] - 1];
	}
	image->values = rows->values;
	image->nulls = rows->nulls;
	return true;
}

/* The table stays locked. */
void
sigma_log_untouched_end(struct LogUntouched *rows)
{
	systable_endscan_ordered(rows->scan);
	index_close(rows->index, NoLock);
	table_close(rows->rel, NoLock);
}

/* Does the entry belong to what came after? */
static bool
is_later(const LogEntry *entry, int64 through, const TimestampTz *at)
{
	return entry->number > through || (at != NULL && entry->at > *at);
}

/* LogIdVisitor */
static void
add_id(const LogEntry *entry, int64 row_id, void *arg)
{
	TouchedSearch *search = arg;

	if (hash_get_num_entries(search->rows) <= search->most)
		(void) hash_search(search->rows, &row_id, HASH_ENTER, NULL);
}

/* Where the table has what the image holds; NULL where it has a column not, or of another type. */
static AttrNumber *
find_attributes(const InputTable *table, const LogImage *image)
{
	AttrNumber *attnums = palloc0(sizeof(AttrNumber) * (STATE_STAMPS + image->ncolumn));
	int			i;
	int			j;

	attnums[STATE_UPDATED_AT] = table->updated_at;
	attnums[STATE_UPDATED_BY] = table->updated_by;
	attnums[STATE_CREATED_AT] = table->created_at;
	attnums[STATE_CREATED_BY] = table->created_by;
	for (i = 0; i < image->ncolumn; i++)
		for (j = 0; j < table->ncolumn; j++)
			if (strcmp(table->columns[j].id, image->columns[i]->id) == 0 && table->columns[j].type == image->types[i])
				attnums[STATE_STAMPS + i] = table->columns[j].attnum;
	for (i = 0; i < STATE_STAMPS + image->ncolumn; i++)
		if (!AttributeNumberIsValid(attnums[i]))
			return NULL;
	return attnums;
}
