/*
 * batch_lookup.c
 *		Finding the rows that a batch changes: by their ids, or by a unique key.
 *
 * Rows that will be changed are locked in the order of their ids before they are
 * compared and checked, so what was checked is what is written.  A caller who
 * may delete but not update cannot lock rows: there the DELETE itself compares.
 *
 * SPI is connected only inside run_lookup; what outlives it is in the batch's context.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/spi.h"
#include "input_table/batch_state.h"
#include "input_table/edit_history.h"
#include "input_table/rules.h"

#define LOOKUP_ROWS		1000	/* fetched at a time */

/* What a lookup returns behind the staged row: attributes relative to it. */
#define FOUND_ROW_ID	0
#define FOUND_STAMP		1
#define FOUND_VALUES	2

/* One lookup of staged rows in the data table. */
typedef struct Lookup
{
	Batch	   *batch;
	bool		by_key;			/* proposals; else targets */
	HTAB	   *ours;			/* row ids that this batch inserted, or NULL */
	int			nold;			/* values of existing rows that are fetched */
	int		   *old_columns;	/* which: places in table->columns */
	bool	   *matched;		/* by ordinal: the row was found */
	StagedRow	row;			/* being looked at */
	Datum	   *old_values;		/* by place in table->columns */
	bool	   *old_nulls;
	bool	   *old_known;
} Lookup;

static void prepare_lookup(Lookup *lookup);
static void need_key(const UniqueKey *key, const bool *changed, bool *needed);
static char *lookup_sql(const Lookup *lookup);
static void run_lookup(Lookup *lookup, Stage *stage);
static void handle_found(Lookup *lookup, const Datum *values, const bool *nulls);
static void handle_missing(Lookup *lookup);

/* Look up, lock and check the rows that have a row id; nothing where there are none. */
void
sigma_batch_resolve_targets(Batch *batch)
{
	if (batch->state->targets.count > 0)
		sigma_batch_look_up(batch, &batch->state->targets, false, NULL);
}

/* Look up a stage's rows, check those that are found and those that are not, and empty it. */
void
sigma_batch_look_up(Batch *batch, Stage *stage, bool by_key, HTAB *ours)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt = AllocSetContextCreate(batch->cxt, "sigma batch lookup", ALLOCSET_DEFAULT_SIZES);
	Stage		waiting = *stage;
	Lookup		lookup = {0};

	stage->store = NULL;
	stage->count = 0;
	MemoryContextSwitchTo(cxt);
	lookup.batch = batch;
	lookup.by_key = by_key;
	lookup.ours = ours;
	prepare_lookup(&lookup);
	run_lookup(&lookup, &waiting);

	sigma_stage_rewind(&waiting);
	while (sigma_stage_next(batch, &waiting, &lookup.row))
	{
		CHECK_FOR_INTERRUPTS();
		if (lookup.matched[lookup.row.ordinal])
			continue;
		MemoryContextReset(batch->state->check_cxt);
		MemoryContextSwitchTo(batch->state->check_cxt);
		handle_missing(&lookup);
	}
	sigma_stage_end(&waiting);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(cxt);
}

/* Arrays of a lookup, in the current context. */
static void
prepare_lookup(Lookup *lookup)
{
	const InputTable *table = lookup->batch->table;
	int			columns = Max(table->ncolumn, 1);
	bool	   *needed = palloc0(sizeof(bool) * columns);
	int			i;

	lookup->matched = palloc_extended(lookup->batch->rows + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	lookup->old_columns = palloc(sizeof(int) * columns);
	lookup->old_values = palloc0(sizeof(Datum) * columns);
	lookup->old_nulls = palloc0(sizeof(bool) * columns);
	lookup->old_known = palloc0(sizeof(bool) * columns);
	sigma_staged_row_init(table, &lookup->row);

	/* what the caller may not read counts as changed */
	memcpy(needed, lookup->batch->state->target_columns, sizeof(bool) * table->ncolumn);
	sigma_formula_rules_need(table, lookup->batch->state->target_columns, needed);
	for (i = 0; i < table->nkey; i++)
		need_key(&table->keys[i], lookup->batch->state->target_columns, needed);
	for (i = 0; i < table->ncolumn; i++)
		if (needed[i] && sigma_may_select(table, table->columns[i].attnum))
		{
			lookup->old_columns[lookup->nold++] = i;
			lookup->old_known[i] = true;
		}
}

/* The columns of a unique key, where rows may change one of them. */
static void
need_key(const UniqueKey *key, const bool *changed, bool *needed)
{
	bool		concerned = false;
	int			i;

	for (i = 0; i < key->ncolumn; i++)
		concerned = concerned || changed[key->columns[i]];
	for (i = 0; concerned && i < key->ncolumn; i++)
		needed[key->columns[i]] = true;
}

/*
 * Locks are taken in the order of row ids; then deletes come before updates,
 * because what they delete makes way for what the updates write.
 */
static char *
lookup_sql(const Lookup *lookup)
{
	Batch	   *batch = lookup->batch;
	const UniqueKey *key = batch->options.key;
	bool		skip = lookup->by_key && batch->options.on_conflict == BATCH_CONFLICT_SKIP;
	bool		lock = batch->state->locking && !skip &&
		(lookup->by_key || batch->state->target_updates > 0 || batch->state->stamps);
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT l.* FROM (SELECT e.*, t.sigma_row_id AS found, %s AS found_stamp",
					 batch->state->stamps ? "t.sigma_updated_at" : "NULL::pg_catalog.timestamptz");
	for (i = 0; i < lookup->nold; i++)
		appendStringInfo(&sql, ", t.%s AS o%d",
						 quote_identifier(batch->table->columns[lookup->old_columns[i]].name), i);
	appendStringInfo(&sql, " FROM %s AS e JOIN %s AS t ON ", ROWS_NAME, sigma_batch_relation(batch));
	if (!lookup->by_key)
		appendStringInfoString(&sql, "t.sigma_row_id OPERATOR(pg_catalog.=) e.row_id");
	else
		for (i = 0; i < key->ncolumn; i++)
			appendStringInfo(&sql, sigma_key_folds(batch->table, key, i) ?
							 "%spg_catalog.lower(t.%s) OPERATOR(pg_catalog.=) pg_catalog.lower(e.v%d)" :
							 "%st.%s OPERATOR(pg_catalog.=) e.v%d", i == 0 ? "" : " AND ",
							 quote_identifier(batch->table->columns[key->columns[i]].name), key->columns[i]);
	appendStringInfo(&sql, " ORDER BY t.sigma_row_id%s) AS l ORDER BY l.remove DESC",
					 lock ? " FOR UPDATE OF t" : "");
	return sql.data;
}

/* Run the statement of a lookup and check every row that it finds. */
static void
run_lookup(Lookup *lookup, Stage *stage)
{
	Batch	   *batch = lookup->batch;
	char	   *sql = lookup_sql(lookup);
	SPIParseOpenOptions options = {0};
	bool		first = true;
	Portal		portal;

	SPI_connect();
	sigma_spi_offer(ROWS_NAME, stage->store, batch->state->desc);
	portal = SPI_cursor_parse_open(NULL, sql, &options);
	for (;;)
	{
		SPITupleTable *found;
		uint64		count;
		uint64		i;
		Datum	   *values;
		bool	   *nulls;

		SPI_cursor_fetch(portal, true, LOOKUP_ROWS);
		found = SPI_tuptable;
		count = SPI_processed;
		if (count == 0)
			break;
		/* all rows are locked by now: the statement sorts behind its locks */
		if (first && batch->state->last_edits != NULL)
			sigma_log_last_edits(batch->table->log.relid, batch->state->last_edits);
		first = false;
		values = palloc(sizeof(Datum) * found->tupdesc->natts);
		nulls = palloc(sizeof(bool) * found->tupdesc->natts);
		for (i = 0; i < count; i++)
		{
			MemoryContext spi = MemoryContextSwitchTo(batch->state->check_cxt);

			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(batch->state->check_cxt);
			heap_deform_tuple(found->vals[i], found->tupdesc, values, nulls);
			handle_found(lookup, values, nulls);
			MemoryContextSwitchTo(spi);
		}
		pfree(values);
		pfree(nulls);
		SPI_freetuptable(found);
	}
	SPI_cursor_close(portal);
	SPI_unregister_relation(ROWS_NAME);
	SPI_finish();
}

/* A staged row whose row exists. */
static void
handle_found(Lookup *lookup, const Datum *values, const bool *nulls)
{
	Batch	   *batch = lookup->batch;
	StagedRow  *row = &lookup->row;
	int			base = STAGED_VALUES + batch->table->ncolumn;
	int64		found = DatumGetInt64(values[base + FOUND_ROW_ID]);
	TimestampTz stamp;
	int			i;

	sigma_staged_row_read(batch->table, row, values, nulls);
	lookup->matched[row->ordinal] = true;
	if (lookup->by_key)
	{
		if (lookup->ours != NULL && hash_search(lookup->ours, &found, HASH_FIND, NULL) != NULL)
		{
			sigma_batch_note_written(batch, row->row, found);
			return;
		}
		if (batch->options.on_conflict == BATCH_CONFLICT_SKIP)
		{
			if (row->errors > 0)
				batch->rejected++;	/* a value that could not be read */
			else
			{
				batch->skipped++;
				sigma_batch_note_written(batch, row->row, found);
			}
			return;
		}
		row->row_id = found;
		if (!sigma_batch_claim(batch, row))
		{
			batch->rejected++;
			return;
		}
		sigma_batch_grant(batch, row, false);
	}
	stamp = nulls[base + FOUND_STAMP] ? 0 : DatumGetTimestampTz(values[base + FOUND_STAMP]);
	if (sigma_batch_is_stale(batch, row, nulls[base + FOUND_STAMP] ? NULL : &stamp))
	{
		batch->rejected++;
		return;
	}
	for (i = 0; i < lookup->nold; i++)
	{
		lookup->old_values[lookup->old_columns[i]] = values[base + FOUND_VALUES + i];
		lookup->old_nulls[lookup->old_columns[i]] = nulls[base + FOUND_VALUES + i];
	}
	sigma_batch_check_update(batch, row, lookup->old_values, lookup->old_nulls, lookup->old_known);
}

/* A staged row whose row does not exist, or is not the caller's to see. */
static void
handle_missing(Lookup *lookup)
{
	Batch	   *batch = lookup->batch;
	StagedRow  *row = &lookup->row;

	if (!lookup->by_key)
	{
		sigma_batch_record_row(batch, row, "row", psprintf("row " INT64_FORMAT " does not exist", row->row_id));
		batch->rejected++;
	}
	/* in a later round a row without a key cannot have been in conflict: it was inserted */
	else if (lookup->ours == NULL ||
			 sigma_key_values(batch->options.key, row->values, row->nulls, palloc(sizeof(Datum) * batch->options.key->ncolumn)))
	{
		/*
		 * A row that holds the key all the same was committed since, which ON
		 * CONFLICT sees to, or it is not the caller's to see, which a later
		 * round finds.
		 */
		batch->state->trust_lookup = lookup->ours == NULL && !batch->options.check_only;
		sigma_batch_check_insert(batch, row);
		batch->state->trust_lookup = false;
	}
}

/* The data table's name, qualified and quoted. */
char *
sigma_batch_relation(const Batch *batch)
{
	Oid			relid = batch->table->relid;

	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

/* Remember a row id for the result. */
void
sigma_batch_note_written(Batch *batch, int row, int64 row_id)
{
	BatchState *state = batch->state;

	if (!batch->options.row_ids)
		return;
	if (state->written == NULL)
	{
		state->written_size = 64;
		state->written = MemoryContextAlloc(batch->cxt, sizeof(WrittenRow) * state->written_size);
	}
	else if (state->written_count == state->written_size)
	{
		state->written_size *= 2;
		state->written = repalloc_huge(state->written, sizeof(WrittenRow) * state->written_size);
	}
	state->written[state->written_count].row = row;
	state->written[state->written_count].row_id = row_id;
	state->written_count++;
}
