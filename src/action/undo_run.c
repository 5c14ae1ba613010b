/*
 * undo_run.c
 *		sigma.undo_run(): the edits of a run taken back, as new edits.
 *
 * History says in which logs the edits of a run are, and which runs it started: those of
 * run_sequence steps and of row changes are taken back with it.  Tables are locked in the
 * order of their ids and looked at, all of them, before anything is changed: where a later
 * edit was made to the same cells the conflicts are returned.  The work is plain DML as the
 * caller (undo_apply.c); it starts no sequences, as those that the run started go with it.
 *
 * What the log does not hold stays: variables, messages, what procedures did elsewhere.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "action/action.h"
#include "action/due.h"
#include "action/run_history.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "input_table/edit_history.h"

PG_FUNCTION_INFO_V1(undo_run);

/* One table that the runs wrote. */
typedef struct UndoneTable
{
	char	   *id;
	int64		first;			/* entry from which on theirs are; 0: no log is kept */
	Reversal	reversal;
	List	   *statements;
} UndoneTable;

static void read_runs(const char *execution_id, List **runs, List **tables);
static void add_tables(JsonNode *edits, List **tables);
static int	compare_tables(const ListCell *a, const ListCell *b);
static bool open_tables(const char *execution_id, List *tables, const List *runs);
static JsonNode *collect_conflicts(const List *tables);
static int64 apply(const char *execution_id, const char *own_id, List *tables, RunEdits *edits);
static JsonNode *list_tables(const List *tables);
static Jsonb *metadata_of(const char *execution_id, const RunEdits *edits);

/*
 * undo_run(execution_id text) returns jsonb {execution_id, tables, conflicts}
 *
 * Raises SG404 for a run that the caller does not see or whose edits are no longer in the
 * log, SG409 for one that was undone, 55000 for one that is not over or wrote a table
 * without a log, 42501, and what the statements raise.
 */
Datum
undo_run(PG_FUNCTION_ARGS)
{
	char	   *execution_id = sigma_text_argument(fcinfo, 0, "execution_id");
	TimestampTz started = GetCurrentTimestamp();
	char	   *own_id = sigma_new_ordered_uuid(started);
	JsonNode   *result = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *conflicts;
	RunEdits	edits = {.cxt = CurrentMemoryContext};
	List	   *runs = NIL;
	List	   *tables = NIL;
	bool		writes;
	ListCell   *lc;

	PreventCommandIfReadOnly("undo_run()");
	(void) sigma_stored_result(execution_id, NULL);
	read_runs(execution_id, &runs, &tables);
	writes = open_tables(execution_id, tables, runs);
	conflicts = collect_conflicts(tables);
	sigma_json_set(result, "execution_id", sigma_json_new_string(execution_id, NULL));
	if (conflicts->count == 0 && writes)
	{
		int64		rows = apply(execution_id, own_id, tables, &edits);

		sigma_json_set(result, "tables", list_tables(tables));
		sigma_json_set(result, "conflicts", conflicts);
		SPI_connect();
		sigma_history_note(own_id, "undo_run", started, sigma_json_write(result), metadata_of(execution_id, &edits), rows);
		SPI_finish();
	}
	else
	{
		sigma_json_set(result, "tables", sigma_json_new(JSON_ARRAY, NULL));
		sigma_json_set(result, "conflicts", conflicts);
	}
	foreach(lc, tables)
		UnregisterSnapshot(((UndoneTable *) lfirst(lc))->reversal.snapshot);
	PG_RETURN_JSONB_P(sigma_json_write(result));
}

/* The run with those that it started, as ids, and the tables that they wrote, by id; as the caller sees history. */
static void
read_runs(const char *execution_id, List **runs, List **tables)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(execution_id);
	MemoryContext caller = CurrentMemoryContext;
	uint64		i;

	SPI_connect();
	if (SPI_execute_with_args("WITH RECURSIVE r AS ("
							  "SELECT h.execution_id, h.metadata, h.start_time, h.end_time FROM sigma.sigma_execution_history AS h"
							  " WHERE h.execution_id OPERATOR(pg_catalog.=) $1"
							  " UNION ALL "
							  "SELECT h.execution_id, h.metadata, h.start_time, h.end_time FROM r JOIN sigma.sigma_execution_history AS h"
							  " ON pg_catalog.jsonb_extract_path_text(h.metadata, 'parent') OPERATOR(pg_catalog.=) r.execution_id"
							  " AND h.start_time OPERATOR(pg_catalog.>=) r.start_time AND h.start_time OPERATOR(pg_catalog.<=) r.end_time)"
							  " SELECT r.execution_id::pg_catalog.text, pg_catalog.jsonb_extract_path(r.metadata, 'edits') FROM r",
							  1, &type, &value, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the history");
	for (i = 0; i < SPI_processed; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);
		bool		isnull;
		Datum		edits;

		*runs = lappend(*runs, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
		edits = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull);
		if (!isnull)
			add_tables(sigma_json_read(DatumGetJsonbPCopy(edits)), tables);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	list_sort(*tables, compare_tables);
}

/* {table: [first, last] or null} */
static void
add_tables(JsonNode *edits, List **tables)
{
	int			i;

	for (i = 0; edits->kind == JSON_OBJECT && i < edits->count; i++)
	{
		JsonNode   *range = edits->items[i];
		int64		first = range->kind != JSON_ARRAY || range->count == 0 ? 0 :
			DatumGetInt64(DirectFunctionCall1(int8in, CStringGetDatum(sigma_json_text(range->items[0]))));
		UndoneTable *table = NULL;
		ListCell   *lc;

		foreach(lc, *tables)
			if (strcmp(((UndoneTable *) lfirst(lc))->id, range->key) == 0)
				table = lfirst(lc);
		if (table == NULL)
		{
			table = palloc0(sizeof(UndoneTable));
			table->id = pstrdup(range->key);
			table->first = first;
			*tables = lappend(*tables, table);
		}
		table->first = Min(table->first, first);
	}
}

static int
compare_tables(const ListCell *a, const ListCell *b)
{
	return strcmp(((UndoneTable *) lfirst(a))->id, ((UndoneTable *) lfirst(b))->id);
}

/*
 * Lock the tables and work out what is to be taken back, and where it cannot be.  False:
 * the runs changed nothing.  55000 where a table has no log, SG409 where all of it is
 * undone already.
 */
static bool
open_tables(const char *execution_id, List *tables, const List *runs)
{
	bool		undone = false;
	bool		writes = false;
	ListCell   *lc;

	foreach(lc, tables)
	{
		UndoneTable *table = lfirst(lc);

		if (table->first == 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("run \"%s\" cannot be undone", execution_id),
					 errdetail("It wrote input table \"%s\", which kept no edit log.", table->id)));
		sigma_reversal_open(&table->reversal, table->id);
	}
	foreach(lc, tables)
	{
		UndoneTable *table = lfirst(lc);

		table->statements = sigma_reversal_of_runs(&table->reversal, runs, table->first, &undone);
		if (table->statements == NIL)
			continue;
		writes = true;
		sigma_reversal_begin(&table->reversal, 0, table->statements);
	}
	if (undone && !writes)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_CONFLICT),
				 errmsg("run \"%s\" has been undone", execution_id),
				 errhint("sigma.run_history() has the undo as a run of its own, which can be undone.")));
	return writes;
}

/* [{table_id, row_id, column, expected, found}...] of all tables */
static JsonNode *
collect_conflicts(const List *tables)
{
	JsonNode   *all = sigma_json_new(JSON_ARRAY, NULL);
	ListCell   *lc;
	int			i;

	foreach(lc, tables)
	{
		const UndoneTable *table = lfirst(lc);

		for (i = 0; i < table->reversal.conflicts->count; i++)
		{
			JsonNode   *conflict = sigma_json_copy(table->reversal.conflicts->items[i]);

			sigma_json_set(conflict, "table_id", sigma_json_new_string(table->id, NULL));
			sigma_json_append(all, conflict);
		}
	}
	return all;
}

/* Take all of it back, under an execution id of its own; how many rows that were.  "edits" is filled. */
static int64
apply(const char *execution_id, const char *own_id, List *tables, RunEdits *edits)
{
	SessionState session = sigma_session;
	int64		rows;
	ListCell   *lc;

	sigma_row_change_hold(true);
	PG_TRY();
	{
		sigma_session.execution_id = own_id;
		sigma_session.edits = edits;
		foreach(lc, tables)
		{
			UndoneTable *table = lfirst(lc);

			if (table->statements == NIL)
				continue;
			sigma_reversal_apply(&table->reversal, "undo", sigma_log_numbers("of", table->statements, false));
		}
	}
	PG_FINALLY();
	{
		sigma_row_change_hold(false);
		sigma_session = session;
	}
	PG_END_TRY();
	rows = 0;
	foreach(lc, tables)
		rows += ((UndoneTable *) lfirst(lc))->reversal.nrow;
	return rows;
}

/* [{table_id, rows}...] */
static JsonNode *
list_tables(const List *tables)
{
	JsonNode   *list = sigma_json_new(JSON_ARRAY, NULL);
	ListCell   *lc;

	foreach(lc, tables)
	{
		const UndoneTable *table = lfirst(lc);
		JsonNode   *one = sigma_json_new(JSON_OBJECT, NULL);

		if (table->statements == NIL)
			continue;
		sigma_json_set(one, "table_id", sigma_json_new_string(table->id, NULL));
		sigma_json_set(one, "rows", sigma_json_new_int(table->reversal.nrow, NULL));
		sigma_json_append(list, one);
	}
	return list;
}

/* {undo_of, edits}: for history, and for who undoes the undo */
static Jsonb *
metadata_of(const char *execution_id, const RunEdits *edits)
{
	Jsonb	   *made = sigma_history_metadata(NULL, edits);
	JsonNode   *metadata = made == NULL ? sigma_json_new(JSON_OBJECT, NULL) : sigma_json_read(made);

	sigma_json_set(metadata, "undo_of", sigma_json_new_string(execution_id, NULL));
	return sigma_json_write(metadata);
}
