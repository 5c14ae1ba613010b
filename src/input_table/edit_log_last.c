/*
 * edit_log_last.c
 *		Which edit wrote a row last.
 *
 * The log is read backwards until all rows that are asked for were met, by the newest
 * snapshot: a caller who has locked the rows meets every edit of them that has been
 * committed, and can be sure that no other one follows.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "input_table/edit_history.h"

/* A search. */
typedef struct LastEditSearch
{
	HTAB	   *rows;			/* of LastEdit */
	int64		missing;
	int64		checkpoint;		/* the last number of the checkpoint that is read, or 0 */
} LastEditSearch;

static void note_edit(const LogEntry *entry, int64 row_id, void *arg);

/*
 * Fill in the number of each LastEdit, which the caller set to 0; it stays so where the
 * log has no edit of the row.  The row of a checkpoint counts as written by its last
 * entry, and by no statement: its entries have numbers of edits that are gone.
 */
void
sigma_log_last_edits(Oid log, HTAB *rows)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	LastEditSearch search = {rows, hash_get_num_entries(rows)};
	Snapshot	snapshot;
	LogReader  *reader;
	LogEntry	entry;
	MemoryContext caller;

	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	reader = sigma_log_read(log, snapshot, 0, PG_INT64_MAX, BackwardScanDirection);
	caller = MemoryContextSwitchTo(cxt);
	while (search.missing > 0 && sigma_log_next(reader, &entry))
	{
		if (entry.operation == LOG_CHECKPOINT && search.checkpoint == 0)
			search.checkpoint = entry.number;
		sigma_log_row_ids(&entry, note_edit, &search);
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(caller);
	sigma_log_read_end(reader);
	UnregisterSnapshot(snapshot);
	MemoryContextDelete(cxt);
}

/* The statement of the entry of that number, or 0 where there is none. */
int64
sigma_log_statement_of(Oid log, int64 number)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	LogReader  *reader = sigma_log_read(log, snapshot, number, number, ForwardScanDirection);
	LogEntry	entry;
	int64		statement = sigma_log_next(reader, &entry) ? entry.statement : 0;

	sigma_log_read_end(reader);
	UnregisterSnapshot(snapshot);
	return statement;
}

/* LogIdVisitor */
static void
note_edit(const LogEntry *entry, int64 row_id, void *arg)
{
	LastEditSearch *search = arg;
	LastEdit   *edit = hash_search(search->rows, &row_id, HASH_FIND, NULL);

	if (edit == NULL || edit->number != 0)
		return;
	edit->number = entry->operation == LOG_CHECKPOINT ? search->checkpoint : entry->number;
	edit->statement = entry->operation == LOG_CHECKPOINT ? 0 : entry->statement;
	search->missing--;
}
