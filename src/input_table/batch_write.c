/*
 * batch_write.c
 *		Writing a batch: one DELETE, one UPDATE, one INSERT, as the caller.
 *
 * Staged rows are given to a statement as an ephemeral relation: rights, row
 * security and triggers are PostgreSQL's.  The INSERT of an upsert has ON CONFLICT
 * DO NOTHING; a row that lost a race with another session is looked up again.
 *
 * SPI is connected only inside write_rows; what outlives it is in the batch's context.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"

#include "common/catalog.h"
#include "common/json_push.h"
#include "common/spi.h"
#include "input_table/batch_state.h"
#include "input_table/linked.h"
#include "input_table/rules.h"

#define MAX_ROUNDS	100			/* of an upsert that loses races */

/* Collects the one int8 column that a statement returns. */
typedef struct IdReceiver
{
	DestReceiver pub;
	int64	   *ids;
	int64		count;
	int64		size;
} IdReceiver;

static void write_rows(Batch *batch);
static void log_import(Batch *batch);
static void delete_all(Batch *batch);
static void delete_rows(Batch *batch);
static void update_rows(Batch *batch);
static void insert_rows(Batch *batch);
static char *insert_sql(Batch *batch, bool returning);
static void append_linked_conflict(StringInfo sql, const Batch *batch);
static HTAB *set_of_ids(const IdReceiver *receiver);
static void append_assignments(StringInfo sql, Batch *batch);
static void finish_changes(Batch *batch, Stage *stage, uint64 processed, const IdReceiver *receiver, const char *what);
static uint64 execute(Batch *batch, Stage *stage, const char *sql, IdReceiver *receiver);
static IdReceiver *make_receiver(Batch *batch);
static bool receive_id(TupleTableSlot *slot, DestReceiver *self);
static void receive_nothing(DestReceiver *self, int operation, TupleDesc desc);
static void receive_end(DestReceiver *self);
static void check_bulk(Batch *batch);

/* See batch.h.  Ends the stages; counts and lists of the batch are complete afterwards. */
void
sigma_batch_write(Batch *batch)
{
	BatchState *state = batch->state;

	sigma_batch_resolve_targets(batch);
	if (state->proposals.count > 0)
		sigma_batch_look_up(batch, &state->proposals, true, NULL);
	sigma_batch_check_security(batch);

	if (batch->options.check_only)
	{
		batch->inserted = state->inserts.count;
		batch->updated = state->updates.count;
		batch->deleted = state->deletes.count;
	}
	else
	{
		sigma_batch_raise(batch);
		check_bulk(batch);
		write_rows(batch);
		sigma_batch_raise(batch);
	}
	batch->accepted = batch->rows - batch->rejected;
	sigma_batch_sort(batch);
	sigma_stage_end(&state->deletes);
	sigma_stage_end(&state->updates);
	sigma_stage_end(&state->inserts);
}

/* Run the statements, with the session saying what they are. */
static void
write_rows(Batch *batch)
{
	SessionOrigin before = sigma_session.origin;
	ImportProgress *outer = sigma_session.progress;
	ImportProgress *progress = batch->options.progress;
	LogGroup	group;

	SPI_connect();
	sigma_log_group_begin(&group, batch->table->log.relid);
	PG_TRY();
	{
		sigma_session.origin = batch->options.origin;
		sigma_session.progress = progress;
		if (progress != NULL)
			progress->rows = batch->state->inserts.count + batch->state->updates.count;
		if (batch->options.origin == ORIGIN_IMPORT)
			log_import(batch);
		if (batch->options.replace)
			delete_all(batch);
		delete_rows(batch);
		update_rows(batch);
		insert_rows(batch);
	}
	PG_FINALLY();
	{
		sigma_session.origin = before;
		sigma_session.progress = outer;
		sigma_log_group_end(&group);
	}
	PG_END_TRY();
	SPI_finish();
	batch->edit_num = group.last;
}

/* The edit log says of an import what came in; its rows follow. */
static void
log_import(Batch *batch)
{
	const BatchState *state = batch->state;
	JsonbParseState *object = NULL;

	if (!batch->options.replace && state->inserts.count + state->updates.count == 0)
		return;
	pushJsonbValue(&object, WJB_BEGIN_OBJECT, NULL);
	if (batch->options.file != NULL)
		sigma_push_text(&object, "file", batch->options.file);
	sigma_push_int(&object, "lines", batch->options.lines);
	sigma_push_int(&object, "accepted", batch->rows - batch->rejected);
	sigma_push_int(&object, "rejected", batch->rejected);
	sigma_push_bool(&object, "replaced", batch->options.replace);
	(void) sigma_log_event(&batch->table->log, "importCsv", pushJsonbValue(&object, WJB_END_OBJECT, NULL));
}

/* Delete what is there. */
static void
delete_all(Batch *batch)
{
	batch->deleted += execute(batch, NULL, psprintf("DELETE FROM %s", sigma_batch_relation(batch)), NULL);
}

/* Delete the rows of the stage. */
static void
delete_rows(Batch *batch)
{
	Stage	   *stage = &batch->state->deletes;
	IdReceiver *receiver;
	uint64		processed;

	if (stage->count == 0)
		return;
	receiver = make_receiver(batch);
	processed = execute(batch, stage,
						psprintf("DELETE FROM %s AS t USING %s AS e"
								 " WHERE t.sigma_row_id OPERATOR(pg_catalog.=) e.row_id%s RETURNING e.ordinal",
								 sigma_batch_relation(batch), ROWS_NAME,
								 batch->state->stamps ?
								 " AND (e.stamp IS NULL OR t.sigma_updated_at OPERATOR(pg_catalog.=) e.stamp)" : ""),
						receiver);
	batch->deleted += processed;
	finish_changes(batch, stage, processed, receiver, "deleted");
}

/* Update the rows of the stage. */
static void
update_rows(Batch *batch)
{
	Stage	   *stage = &batch->state->updates;
	IdReceiver *receiver;
	StringInfoData sql;
	uint64		processed;

	if (stage->count == 0)
		return;
	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s AS t SET ", sigma_batch_relation(batch));
	append_assignments(&sql, batch);
	appendStringInfo(&sql, " FROM %s AS e WHERE t.sigma_row_id OPERATOR(pg_catalog.=) e.row_id", ROWS_NAME);
	if (batch->state->stamps)
		appendStringInfoString(&sql, " AND (e.stamp IS NULL OR t.sigma_updated_at OPERATOR(pg_catalog.=) e.stamp)");
	appendStringInfoString(&sql, " RETURNING e.ordinal");
	receiver = make_receiver(batch);
	processed = execute(batch, stage, sql.data, receiver);
	batch->updated += processed;
	finish_changes(batch, stage, processed, receiver, "updated");
	memset(batch->state->update_columns, 0, sizeof(int64) * batch->table->ncolumn);
}

/* "a" = e.v0, "b" = CASE WHEN the row gives it ... : a row writes just the columns it names. */
static void
append_assignments(StringInfo sql, Batch *batch)
{
	const InputTable *table = batch->table;
	bool		first = true;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		int64		count = batch->state->update_columns[i];
		const char *name = quote_identifier(table->columns[i].name);

		if (count == 0)
			continue;
		appendStringInfo(sql, "%s%s = ", first ? "" : ", ", name);
		if (count == batch->state->updates.count)
			appendStringInfo(sql, "e.v%d", i);
		else
			appendStringInfo(sql, "CASE WHEN pg_catalog.get_byte(e.given, %d) OPERATOR(pg_catalog.=) %d"
							 " THEN e.v%d ELSE t.%s END", i, CELL_GIVEN, i, name);
		first = false;
	}
}

/*
 * Insert the checked rows.  Where rows are upserted, those that the INSERT left
 * out because another session committed their key meanwhile are looked up again.
 */
static void
insert_rows(Batch *batch)
{
	BatchState *state = batch->state;
	bool		upsert = batch->options.on_conflict != BATCH_CONFLICT_ERROR;
	bool		returning = upsert ||
		(batch->options.row_ids && sigma_may_select(batch->table, batch->table->row_id));
	int			round;

	for (round = 0; state->inserts.count > 0; round++)
	{
		IdReceiver *receiver = make_receiver(batch);
		Stage		written;
		uint64		processed = execute(batch, &state->inserts, insert_sql(batch, returning), receiver);
		StagedRow	row;
		int64		i;

		batch->inserted += processed;
		written = state->inserts;
		state->inserts.store = NULL;
		state->inserts.count = 0;
		if (upsert && processed < (uint64) written.count)
		{
			if (round == MAX_ROUNDS)
				ereport(ERROR,
						(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						 errmsg("rows of input table \"%s\" keep changing under an upsert", batch->table->name)));
			sigma_batch_look_up(batch, &written, true, set_of_ids(receiver));
			sigma_batch_raise(batch);
			update_rows(batch);
			continue;
		}
		sigma_staged_row_init(batch->table, &row);
		sigma_stage_rewind(&written);
		for (i = 0; i < receiver->count && sigma_stage_next(batch, &written, &row); i++)
			sigma_batch_note_written(batch, row.row, receiver->ids[i]);
		sigma_stage_end(&written);
	}
}

/* The rows come out of the INSERT in the order in which they were staged. */
static char *
insert_sql(Batch *batch, bool returning)
{
	const InputTable *table = batch->table;
	StringInfoData sql;
	const char *separator = "";
	int			i;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO %s%s", sigma_batch_relation(batch), table->nlinked > 0 ? " AS t" : "");
	for (i = 0; i < table->ncolumn; i++)
		if (batch->state->insert_columns[i])
		{
			appendStringInfo(&sql, "%s%s", separator[0] == '\0' ? " (" : separator,
							 quote_identifier(table->columns[i].name));
			separator = ", ";
		}
	appendStringInfo(&sql, "%s SELECT", separator[0] == '\0' ? "" : ")");
	separator = " ";
	for (i = 0; i < table->ncolumn; i++)
		if (batch->state->insert_columns[i])
		{
			appendStringInfo(&sql, "%se.v%d", separator, i);
			separator = ", ";
		}
	appendStringInfo(&sql, " FROM %s AS e", ROWS_NAME);
	if (table->nlinked > 0)
		append_linked_conflict(&sql, batch);
	else if (batch->options.on_conflict != BATCH_CONFLICT_ERROR)
		appendStringInfo(&sql, " ON CONFLICT (%s) DO NOTHING",
						 pg_get_indexdef_columns(batch->options.key->index, false));
	if (returning)
		appendStringInfoString(&sql, " RETURNING sigma_row_id");
	return sql.data;
}

/*
 * The entry of a linked table's row that another session makes meanwhile: the columns
 * that the row names are updated.
 */
static void
append_linked_conflict(StringInfo sql, const Batch *batch)
{
	const InputTable *table = batch->table;
	TableDefinition *definition = sigma_definition_read(sigma_catalog_read(DOCUMENT_INPUT_TABLE, table->id));
	int			first = table->ncolumn - table->nlinked;
	char	  **keys = palloc(sizeof(char *) * table->nlinked);
	char	   *match;
	int			i;

	for (i = 0; i < table->nlinked; i++)
		keys[i] = psprintf("e.v%d", first + i);
	match = sigma_linked_match(definition, "excluded", keys);
	appendStringInfo(sql, " ON CONFLICT (%s) DO UPDATE SET sigma_updated_at = excluded.sigma_updated_at",
					 sigma_linked_key_index(definition));
	for (i = 0; i < first; i++)
		if (batch->state->insert_columns[i])
		{
			const char *name = quote_identifier(table->columns[i].name);

			appendStringInfo(sql, ", %s = (SELECT CASE WHEN pg_catalog.get_byte(e.given, %d) OPERATOR(pg_catalog.=) %d "
							 "THEN e.v%d ELSE t.%s END FROM %s AS e WHERE %s)", name, i, CELL_GIVEN, i, name, ROWS_NAME, match);
		}
}

/* The collected ids as a hash, in the current context. */
static HTAB *
set_of_ids(const IdReceiver *receiver)
{
	HASHCTL		control = {0};
	HTAB	   *ids;
	int64		i;

	control.keysize = sizeof(int64);
	control.entrysize = sizeof(int64);
	control.hcxt = CurrentMemoryContext;
	ids = hash_create("sigma batch ids", Max(receiver->count, 16), &control,
					  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (i = 0; i < receiver->count; i++)
		(void) hash_search(ids, &receiver->ids[i], HASH_ENTER, NULL);
	return ids;
}

/*
 * After an UPDATE or DELETE: rows that it did not find any more, because they
 * could not be locked or a trigger left them out, become failures.  Ends the stage.
 */
static void
finish_changes(Batch *batch, Stage *stage, uint64 processed, const IdReceiver *receiver, const char *what)
{
	bool	   *done = NULL;
	StagedRow	row;
	int64		i;

	if (processed < (uint64) stage->count)
	{
		done = palloc_extended(batch->rows + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		for (i = 0; i < receiver->count; i++)
			done[receiver->ids[i]] = true;
	}
	sigma_staged_row_init(batch->table, &row);
	sigma_stage_rewind(stage);
	while (sigma_stage_next(batch, stage, &row))
	{
		if (done == NULL || done[row.ordinal])
		{
			sigma_batch_note_written(batch, row.row, row.row_id);
			continue;
		}
		sigma_batch_record_row(batch, &row, row.guard.has_stamp ? "stale" : "row",
							   psprintf("row " INT64_FORMAT " was not %s: it was changed or is gone",
										row.row_id, what));
		batch->rejected++;
	}
	sigma_stage_end(stage);
}

/* Run one statement over the rows of a stage (NULL: none); returns how many rows it wrote. */
static uint64
execute(Batch *batch, Stage *stage, const char *sql, IdReceiver *receiver)
{
	SPIExecuteOptions options = {0};
	int			code;
	uint64		processed;

	if (stage != NULL)
		sigma_spi_offer(ROWS_NAME, stage->store, batch->state->desc);
	options.dest = receiver == NULL ? NULL : &receiver->pub;
	/* entries of linked tables are written with the rights that the view has */
	code = batch->table->nlinked > 0 ? sigma_statement_execute_as_owner(batch->table->relid, sql, &options) :
		SPI_execute_extended(sql, &options);
	if (code < 0)
		elog(ERROR, "SPI_execute_extended returned %s", SPI_result_code_string(code));
	processed = SPI_processed;
	if (stage != NULL)
		SPI_unregister_relation(ROWS_NAME);
	return processed;
}

/* A receiver whose ids live in the batch's context. */
static IdReceiver *
make_receiver(Batch *batch)
{
	IdReceiver *receiver = MemoryContextAllocZero(batch->cxt, sizeof(IdReceiver));

	receiver->pub.receiveSlot = receive_id;
	receiver->pub.rStartup = receive_nothing;
	receiver->pub.rShutdown = receive_end;
	receiver->pub.rDestroy = receive_end;
	receiver->pub.mydest = DestNone;
	receiver->size = 64;
	receiver->ids = MemoryContextAlloc(batch->cxt, sizeof(int64) * receiver->size);
	return receiver;
}

/* DestReceiver: one row. */
static bool
receive_id(TupleTableSlot *slot, DestReceiver *self)
{
	IdReceiver *receiver = (IdReceiver *) self;
	bool		isnull;

	if (receiver->count == receiver->size)
	{
		receiver->size *= 2;
		receiver->ids = repalloc_huge(receiver->ids, sizeof(int64) * receiver->size);
	}
	receiver->ids[receiver->count++] = DatumGetInt64(slot_getattr(slot, 1, &isnull));
	return true;
}

/* DestReceiver: start. */
static void
receive_nothing(DestReceiver *self, int operation, TupleDesc desc)
{
}

/* DestReceiver: end. */
static void
receive_end(DestReceiver *self)
{
}

/* 55000 where the table takes one row at a time and the batch writes more, in whatever statements. */
static void
check_bulk(Batch *batch)
{
	const BatchState *state = batch->state;
	int64		count = state->inserts.count + state->updates.count + state->deletes.count;

	if (!batch->table->allow_bulk && count > 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("input table \"%s\" takes no bulk operations", batch->table->name),
				 errdetail("The call would touch " INT64_FORMAT " rows.", count),
				 errhint("Write one row per call, or set allow_bulk_operations.")));
}
