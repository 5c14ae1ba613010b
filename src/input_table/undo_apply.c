/*
 * undo_apply.c
 *		Reversing edits: is the table still as they left it, and then back.
 *
 * The work is plain DML (see revise.c) and a change of the definition, as the caller.  Rows come back
 * with the ids and the creation stamps that they had; rules that were added since do not
 * keep them out, as they do not other rows that are there.  The log has all of it as one
 * statement, after an entry that says what it is.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/session.h"
#include "common/spi.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"
#include "input_table/revise.h"
#include "input_table/rules.h"

#define ROWS_NAME	"sigma_undo_rows"

/* Attributes of the rows that statements read; values and "is it given" of the columns follow. */
enum
{
	UNDO_ROW_ID, UNDO_CREATED_AT, UNDO_CREATED_BY, UNDO_UPDATED_AT, UNDO_UPDATED_BY, UNDO_FIXED
};

/* When and by whom a row was made. */
typedef struct CreationStamp
{
	int64		row_id;			/* hash key, must be first */
	bool		found;
	LogStamps	stamps;
} CreationStamp;

typedef struct StampSearch
{
	HTAB	   *stamps;
	int64		missing;
	MemoryContext cxt;
} StampSearch;

static void check_columns(Reversal *reversal);
static void check_rows(Reversal *reversal);
static void check_row(Reversal *reversal, DeltaRow *row, HeapTuple tuple, TupleDesc desc);
static void add_conflict(Reversal *reversal, const DeltaRow *row, const char *column, JsonNode *expected, JsonNode *found);
static JsonNode *cell_node(const Reversal *reversal, const TableColumn *column, ColumnType type, const JsonbValue *cell);
static const TableColumn *column_now(const InputTable *table, const LogColumn *column);
static const DeltaColumn *change_of(const Reversal *reversal, const LogColumn *column);
static void refuse_protected(const Reversal *reversal);
static bool change_columns(Reversal *reversal, bool first);
static JsonNode *without_default(const JsonNode *document, bool *removed);
static void change_rows(Reversal *reversal);
static TupleDesc rows_desc(const InputTable *table);
static Tuplestorestate *collect(Reversal *reversal, TupleDesc desc, bool before, bool after, bool *written);
static bool row_values(Reversal *reversal, DeltaRow *row, bool inserting, Datum *values, bool *nulls, bool *written);
static HTAB *find_stamps(const Reversal *reversal);
static void note_stamp(const LogEntry *entry, const LogRow *row, void *arg);
static void run(const Reversal *reversal, const char *sql, Tuplestorestate *rows, TupleDesc desc);
static void free_unique_values(const Reversal *reversal, Tuplestorestate *changed, TupleDesc desc, const bool *written);
static char *taken_sql(const InputTable *table, const UniqueKey *key, const bool *written);
static char *update_sql(const InputTable *table, const bool *written);
static char *insert_sql(const InputTable *table);
static char *relation_of(const InputTable *table);

/* Fill reversal->columns and ->conflicts: where the table is not as the edits left it. */
void
sigma_reversal_check(Reversal *reversal)
{
	reversal->columns = sigma_log_delta_columns(reversal->delta);
	check_columns(reversal);
	check_rows(reversal);
	sigma_versions_check(reversal);
}

/*
 * Take the edits back.  The log has {operation: payload} and what is done as one
 * statement.  Raises what the statements raise; SG423 where a column is protected.
 */
void
sigma_reversal_apply(Reversal *reversal, const char *operation, const JsonbValue *payload)
{
	SessionState session = sigma_session;
	LogGroup	group;
	bool		more;

	refuse_protected(reversal);
	sigma_log_group_begin(&group, reversal->table->log.relid);
	PG_TRY();
	{
		sigma_session.origin = ORIGIN_UNDO;
		(void) sigma_log_event(&reversal->table->log, operation, payload);
		sigma_versions_apply(reversal);
		more = reversal->columns != NIL && change_columns(reversal, true);
		sigma_session.given_rows = reversal->table->relid;
		change_rows(reversal);
		if (more)
			(void) change_columns(reversal, false);
	}
	PG_FINALLY();
	{
		sigma_session = session;
		sigma_log_group_end(&group);
	}
	PG_END_TRY();
	reversal->edit_num = group.last;
}

/* Is each changed column what the edits made of it? */
static void
check_columns(Reversal *reversal)
{
	LogSchema  *now = sigma_log_schema_now(CurrentMemoryContext, reversal->id);
	ListCell   *lc;

	foreach(lc, reversal->columns)
	{
		DeltaColumn *change = lfirst(lc);
		LogColumn  *column = sigma_log_column(now, change->column->id);
		const JsonNode *found = column == NULL ? NULL : column->document;
		const JsonNode *named = change->after != NULL ? change->after : change->before;

		if (!sigma_definition_same(change->after, found))
			add_conflict(reversal, NULL, sigma_json_get_string(named, "name", ""),
						 change->after == NULL ? NULL : sigma_json_copy(change->after),
						 found == NULL ? NULL : sigma_json_copy(found));
	}
}

/*
 * Is each changed row what the edits made of it?  Read as who revises: what row security
 * hides is a conflict, one for all such rows, which says of none of them that it is there.
 */
static void
check_rows(Reversal *reversal)
{
	MemoryContext caller = CurrentMemoryContext;
	HASHCTL		control = {0};
	HTAB	   *present;
	Datum	   *ids = palloc(sizeof(Datum) * (reversal->nrow + 1));
	SPIExecuteOptions options = {0};
	int64		i;

	if (reversal->nrow == 0)
		return;
	reversal->secured = check_enable_rls(reversal->table->relid, InvalidOid, true) == RLS_ENABLED;
	for (i = 0; i < reversal->nrow; i++)
		ids[i] = Int64GetDatum(reversal->rows[i]->row_id);
	options.params = makeParamList(1);
	options.params->params[0].value =
		PointerGetDatum(construct_array(ids, reversal->nrow, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	options.params->params[0].isnull = false;
	options.params->params[0].ptype = INT8ARRAYOID;
	options.params->params[0].pflags = PARAM_FLAG_CONST;
	options.read_only = true;
	control.keysize = sizeof(int64);
	control.entrysize = sizeof(int64) + sizeof(uint64);
	control.hcxt = CurrentMemoryContext;
	present = hash_create("sigma rows present", reversal->nrow, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	SPI_connect();
	PushActiveSnapshot(reversal->snapshot);
	if (sigma_revise_execute(reversal->id, reversal->table->relid,
							 psprintf("SELECT * FROM %s WHERE sigma_row_id OPERATOR(pg_catalog.=) ANY ($1)",
									  relation_of(reversal->table)), &options) != SPI_OK_SELECT)
		elog(ERROR, "could not read the rows of input table \"%s\"", reversal->id);
	PopActiveSnapshot();
	for (i = 0; i < (int64) SPI_processed; i++)
	{
		bool		isnull;
		int64		id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
													 SPI_fnumber(SPI_tuptable->tupdesc, "sigma_row_id"), &isnull));
		int64	   *entry = hash_search(present, &id, HASH_ENTER, NULL);

		((uint64 *) entry)[1] = i;
	}
	for (i = 0; i < reversal->nrow; i++)
	{
		int64	   *entry = hash_search(present, &reversal->rows[i]->row_id, HASH_FIND, NULL);
		MemoryContext spi = MemoryContextSwitchTo(caller);

		CHECK_FOR_INTERRUPTS();
		check_row(reversal, reversal->rows[i], entry == NULL ? NULL : SPI_tuptable->vals[((uint64 *) entry)[1]],
				  SPI_tuptable->tupdesc);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	if (reversal->hidden)
		add_conflict(reversal, NULL, NULL, sigma_json_new_bool(true, NULL), sigma_json_new_bool(false, NULL));
}

/* One row; "tuple" NULL: it is not there. */
static void
check_row(Reversal *reversal, DeltaRow *row, HeapTuple tuple, TupleDesc desc)
{
	int			i;

	if (reversal->secured && row->after && tuple == NULL)
	{
		reversal->hidden = true;
		return;
	}
	if (row->after != (tuple != NULL))
	{
		add_conflict(reversal, row, NULL, sigma_json_new_bool(row->after, NULL), sigma_json_new_bool(tuple != NULL, NULL));
		return;
	}
	for (i = 0; tuple != NULL && i < row->ncell; i++)
	{
		DeltaCell  *cell = &row->cells[i];
		const DeltaColumn *change = change_of(reversal, cell->column);
		const TableColumn *column = column_now(reversal->table, cell->column);
		JsonbValue	found = {.type = jbvNull};
		bool		isnull;
		Datum		value;

		if (change != NULL && change->after == NULL)
			continue;			/* it went with its column */
		if (column != NULL)
		{
			/* columns that were dropped are not in the result */
			value = heap_getattr(tuple, SPI_fnumber(desc, column->name), desc, &isnull);
			sigma_log_encode(column->type, value, isnull, &found);
		}
		if (column == NULL || !sigma_log_same_cell(&cell->new, &found) ||
			(column->type != cell->new_type && found.type != jbvNull))
			add_conflict(reversal, row, column != NULL ? column->name : cell->column->name,
						 cell_node(reversal, column, cell->new_type, &cell->new),
						 column == NULL ? NULL : cell_node(reversal, column, column->type, &found));
	}
}

/* {row_id, column, expected, found} */
static void
add_conflict(Reversal *reversal, const DeltaRow *row, const char *column, JsonNode *expected, JsonNode *found)
{
	JsonNode   *conflict = sigma_json_new(JSON_OBJECT, NULL);

	if (reversal->conflicts->count >= sigma_max_errors)
		return;
	sigma_json_set(conflict, "row_id", row == NULL ? sigma_json_new(JSON_NULL, NULL) : sigma_json_new_int(row->row_id, NULL));
	sigma_json_set(conflict, "column", column == NULL ? sigma_json_new(JSON_NULL, NULL) : sigma_json_new_string(column, NULL));
	sigma_json_set(conflict, "expected", expected == NULL ? sigma_json_new(JSON_NULL, NULL) : expected);
	sigma_json_set(conflict, "found", found == NULL ? sigma_json_new(JSON_NULL, NULL) : found);
	sigma_json_append(reversal->conflicts, conflict);
}

/* A cell for a result; nothing where the caller may not read the column, of one that is gone the whole table. */
static JsonNode *
cell_node(const Reversal *reversal, const TableColumn *column, ColumnType type, const JsonbValue *cell)
{
	JsonbValue	shown;

	if (!sigma_may_select(reversal->table, column != NULL ? column->attnum : InvalidAttrNumber))
		return NULL;
	sigma_past_value(type, cell, &shown);
	return sigma_json_read_value(&shown);
}

/* The column as the table has it, or NULL. */
static const TableColumn *
column_now(const InputTable *table, const LogColumn *column)
{
	int			i;

	for (i = 0; i < table->ncolumn; i++)
		if (strcmp(table->columns[i].id, column->id) == 0 && AttributeNumberIsValid(table->columns[i].attnum))
			return &table->columns[i];
	return NULL;
}

/* What the edits did to the column, or NULL. */
static const DeltaColumn *
change_of(const Reversal *reversal, const LogColumn *column)
{
	ListCell   *lc;

	foreach(lc, reversal->columns)
		if (strcmp(((DeltaColumn *) lfirst(lc))->column->id, column->id) == 0)
			return lfirst(lc);
	return NULL;
}

/* SG423: nobody writes a protected column, not even what was there before. */
static void
refuse_protected(const Reversal *reversal)
{
	int64		i;
	int			j;

	if (!reversal->table->any_protected)
		return;
	for (i = 0; i < reversal->nrow; i++)
		for (j = 0; j < reversal->rows[i]->ncell; j++)
		{
			const TableColumn *column = column_now(reversal->table, reversal->rows[i]->cells[j].column);

			if (column != NULL && column->is_protected)
				ereport(ERROR,
						(errcode(ERRCODE_SIGMA_LOCKED),
						 errmsg("column \"%s\" of input table \"%s\" is protected", column->name, reversal->table->name),
						 errhint("Lift the protection of the column first.")));
		}
}

/*
 * The definition's columns back; the compiled table is another one afterwards.  A column
 * that comes back comes without its default first: it would fill rows that had no value.
 * Returns whether that is to be made good by a second call.
 */
static bool
change_columns(Reversal *reversal, bool first)
{
	JsonNode   *definition = sigma_catalog_read(DOCUMENT_INPUT_TABLE, reversal->id);
	JsonNode   *columns = sigma_json_get(definition, "columns");
	JsonNode   *list = sigma_json_new(JSON_ARRAY, NULL);
	JsonNode   *changes = sigma_json_new(JSON_OBJECT, NULL);
	bool		more = false;
	ListCell   *lc;
	int			i;

	for (i = 0; columns != NULL && i < columns->count; i++)
	{
		JsonNode   *column = sigma_json_copy(columns->items[i]);

		foreach(lc, reversal->columns)
		{
			const DeltaColumn *change = lfirst(lc);

			if (strcmp(change->column->id, sigma_json_get_string(column, "id", "")) != 0)
				continue;
			if (change->before != NULL)
				column = sigma_json_copy(change->before);
			else
				sigma_json_set(column, "drop", sigma_json_new_bool(true, NULL));
			break;
		}
		sigma_json_append(list, column);
	}
	foreach(lc, reversal->columns)
	{
		const DeltaColumn *change = lfirst(lc);
		int			place = (int) Max(0, Min(change->position, list->count));

		if (!first || change->after != NULL)
			continue;
		sigma_json_append(list, sigma_json_new(JSON_NULL, NULL));
		memmove(&list->items[place + 1], &list->items[place], sizeof(JsonNode *) * (list->count - 1 - place));
		list->items[place] = without_default(change->before, &more);
	}
	sigma_json_set(changes, "columns", list);
	(void) sigma_definition_change(reversal->id, changes, false);
	CommandCounterIncrement();
	reversal->table = sigma_logged_table(reversal->id);
	return more;
}

/* A copy of a column's document without its default; *removed: it had one. */
static JsonNode *
without_default(const JsonNode *document, bool *removed)
{
	JsonNode   *copy = sigma_json_copy(document);

	if (sigma_json_remove(copy, "default_value") != NULL)
		*removed = true;
	return copy;
}

/* The rows back: those that were added go, those that were changed or deleted are as before. */
static void
change_rows(Reversal *reversal)
{
	const InputTable *table = reversal->table;
	TupleDesc	desc = rows_desc(table);
	bool	   *written = palloc0(sizeof(bool) * (table->ncolumn + 1));
	bool	   *others = palloc0(sizeof(bool) * (table->ncolumn + 1));
	Tuplestorestate *added = collect(reversal, desc, false, true, others);
	Tuplestorestate *changed = collect(reversal, desc, true, true, written);
	Tuplestorestate *deleted = collect(reversal, desc, true, false, others);
	int			i;

	for (i = 0; i < table->ncolumn - table->nlinked; i++)
		if (written[i] || others[i])
			sigma_check_may_revise_column(reversal->id, table->relid, table->columns[i].name);

	SPI_connect();
	run(reversal, psprintf("DELETE FROM %s t USING " ROWS_NAME " e WHERE t.sigma_row_id OPERATOR(pg_catalog.=) e.row_id",
						   relation_of(table)), added, desc);
	free_unique_values(reversal, changed, desc, written);
	run(reversal, update_sql(table, written), changed, desc);
	run(reversal, insert_sql(table), deleted, desc);
	SPI_finish();
	tuplestore_end(added);
	tuplestore_end(changed);
	tuplestore_end(deleted);
}

/* What the statements read: see the constants above. */
static TupleDesc
rows_desc(const InputTable *table)
{
	TupleDesc	desc = CreateTemplateTupleDesc(UNDO_FIXED + 2 * table->ncolumn);
	int			i;

	TupleDescInitEntry(desc, UNDO_ROW_ID + 1, "row_id", INT8OID, -1, 0);
	TupleDescInitEntry(desc, UNDO_CREATED_AT + 1, "created_at", TIMESTAMPTZOID, -1, 0);
	TupleDescInitEntry(desc, UNDO_CREATED_BY + 1, "created_by", TEXTOID, -1, 0);
	TupleDescInitEntry(desc, UNDO_UPDATED_AT + 1, "updated_at", TIMESTAMPTZOID, -1, 0);
	TupleDescInitEntry(desc, UNDO_UPDATED_BY + 1, "updated_by", TEXTOID, -1, 0);
	for (i = 0; i < table->ncolumn; i++)
	{
		TupleDescInitEntry(desc, UNDO_FIXED + 1 + i, psprintf("v%d", i), sigma_column_types[table->columns[i].type].oid, -1, 0);
		TupleDescInitEntry(desc, UNDO_FIXED + 1 + table->ncolumn + i, psprintf("g%d", i), BOOLOID, -1, 0);
	}
	return desc;
}

/* The rows that were there before and are after as said; "written" notes their columns. */
static Tuplestorestate *
collect(Reversal *reversal, TupleDesc desc, bool before, bool after, bool *written)
{
	Tuplestorestate *rows = tuplestore_begin_heap(false, false, work_mem);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma row", ALLOCSET_DEFAULT_SIZES);
	HTAB	   *stamps = before && !after ? find_stamps(reversal) : NULL;
	Datum	   *values = palloc0(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc0(sizeof(bool) * desc->natts);
	int64		i;

	for (i = 0; i < reversal->nrow; i++)
	{
		DeltaRow   *row = reversal->rows[i];
		CreationStamp *stamp;
		MemoryContext caller;

		if (row->before != before || row->after != after)
			continue;
		caller = MemoryContextSwitchTo(cxt);
		if (row_values(reversal, row, before && !after, values, nulls, written))
		{
			stamp = stamps == NULL ? NULL : hash_search(stamps, &row->row_id, HASH_FIND, NULL);
			nulls[UNDO_CREATED_AT] = stamp == NULL || !stamp->found || stamp->stamps.no_created_at;
			nulls[UNDO_CREATED_BY] = stamp == NULL || !stamp->found || stamp->stamps.created_by == NULL;
			if (!nulls[UNDO_CREATED_AT])
				values[UNDO_CREATED_AT] = TimestampTzGetDatum(stamp->stamps.created_at);
			if (!nulls[UNDO_CREATED_BY])
				values[UNDO_CREATED_BY] = CStringGetTextDatum(stamp->stamps.created_by);
			tuplestore_putvalues(rows, desc, values, nulls);
		}
		MemoryContextSwitchTo(caller);
		MemoryContextReset(cxt);
	}
	MemoryContextDelete(cxt);
	return rows;
}

/* One row as it was before; false where nothing of it is to be written. */
static bool
row_values(Reversal *reversal, DeltaRow *row, bool inserting, Datum *values, bool *nulls, bool *written)
{
	const InputTable *table = reversal->table;
	bool		any = false;
	int			i;

	values[UNDO_ROW_ID] = Int64GetDatum(row->row_id);
	values[UNDO_UPDATED_AT] = TimestampTzGetDatum(GetCurrentStatementStartTimestamp());
	values[UNDO_UPDATED_BY] = CStringGetTextDatum(sigma_app_user());
	for (i = 0; i < table->ncolumn; i++)
	{
		const TableColumn *column = &table->columns[i];
		LogColumn  *logged = sigma_log_column(reversal->delta->schema, column->id);
		DeltaCell  *cell = logged == NULL ? NULL : sigma_log_delta_cell(row, logged);
		Datum	   *value = &values[UNDO_FIXED + i];
		Datum		old;

		nulls[UNDO_FIXED + i] = true;
		values[UNDO_FIXED + table->ncolumn + i] = BoolGetDatum(cell != NULL);
		if (cell != NULL && sigma_log_decode(cell->old_type, &cell->old, &old))
			nulls[UNDO_FIXED + i] = !sigma_value_convert(cell->old_type, column->type, old, value);
		else if (cell == NULL && inserting && column->has_default)
		{
			*value = column->default_value;
			nulls[UNDO_FIXED + i] = false;
		}
		if (cell != NULL)
			written[i] = true;
		any = any || cell != NULL;
	}
	return any || row->before != row->after;
}

/* When deleted rows were made: from the entries before the first of the edits. */
static HTAB *
find_stamps(const Reversal *reversal)
{
	HASHCTL		control = {0};
	StampSearch search = {0};
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller;
	LogReader  *reader;
	LogEntry	entry;
	int64		i;

	control.keysize = sizeof(int64);
	control.entrysize = sizeof(CreationStamp);
	control.hcxt = search.cxt = CurrentMemoryContext;
	search.stamps = hash_create("sigma creation stamps", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (i = 0; i < reversal->nrow; i++)
		if (reversal->rows[i]->before && !reversal->rows[i]->after)
		{
			CreationStamp *stamp = hash_search(search.stamps, &reversal->rows[i]->row_id, HASH_ENTER, NULL);

			stamp->found = false;
			search.missing++;
		}
	reader = sigma_log_read(reversal->table->log.relid, reversal->snapshot, 0, PG_INT64_MAX, BackwardScanDirection);
	caller = MemoryContextSwitchTo(cxt);
	while (search.missing > 0 && sigma_log_next(reader, &entry))
	{
		if (entry.operation == LOG_ADD_ROWS || entry.operation == LOG_CHECKPOINT)
			sigma_log_rows(NULL, &entry, NULL, note_stamp, &search);
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(caller);
	sigma_log_read_end(reader);
	MemoryContextDelete(cxt);
	return search.stamps;
}

/* LogRowVisitor: a row that was added. */
static void
note_stamp(const LogEntry *entry, const LogRow *row, void *arg)
{
	StampSearch *search = arg;
	CreationStamp *stamp = hash_search(search->stamps, &row->row_id, HASH_FIND, NULL);

	if (stamp == NULL || stamp->found)
		return;
	stamp->found = true;
	stamp->stamps = *row->stamps;
	if (stamp->stamps.created_by != NULL)
		stamp->stamps.created_by = MemoryContextStrdup(search->cxt, stamp->stamps.created_by);
	search->missing--;
}

/* Run a statement (NULL: none) over the rows as the caller, see revise.c; 40001 where it did not write all of them. */
static void
run(const Reversal *reversal, const char *sql, Tuplestorestate *rows, TupleDesc desc)
{
	SPIExecuteOptions options = {0};
	int			code;

	if (sql == NULL || tuplestore_tuple_count(rows) == 0)
		return;
	sigma_spi_offer(ROWS_NAME, rows, desc);
	code = sigma_revise_execute(reversal->id, reversal->table->relid, sql, &options);
	if (code < 0)
		elog(ERROR, "SPI_execute_extended returned %s", SPI_result_code_string(code));
	SPI_unregister_relation(ROWS_NAME);
	if (code != SPI_OK_SELECT && SPI_processed != (uint64) tuplestore_tuple_count(rows))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update"),
				 errdetail("Rows of input table \"%s\" were changed after this transaction began, are hidden by row security, or were left out by a trigger.",
						   reversal->table->name)));
}

/*
 * Rows may come back to values that others of them have now, as where two were swapped:
 * unique indexes look at each row as it is written, whatever comes after.  So of a key
 * whose former values are taken one column becomes null first; null is in nobody's way.
 */
static void
free_unique_values(const Reversal *reversal, Tuplestorestate *changed, TupleDesc desc, const bool *written)
{
	const InputTable *table = reversal->table;
	bool	   *cleared = palloc0(sizeof(bool) * (table->ncolumn + 1));
	StringInfoData sql;
	bool		any = false;
	int			i;
	int			j;

	for (i = 0; i < table->nkey; i++)
	{
		char	   *taken = taken_sql(table, &table->keys[i], written);

		run(reversal, taken, changed, desc);
		for (j = 0; taken != NULL && SPI_processed > 0 && j < table->keys[i].ncolumn; j++)
			if (written[table->keys[i].columns[j]])
			{
				any = cleared[table->keys[i].columns[j]] = true;
				break;
			}
	}
	if (!any)
		return;
	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s t SET sigma_updated_at = e.updated_at, sigma_updated_by = e.updated_by", relation_of(table));
	for (i = 0; i < table->ncolumn; i++)
		if (cleared[i])
			appendStringInfo(&sql, ", %s = CASE WHEN e.g%d THEN NULL ELSE t.%s END", quote_identifier(table->columns[i].name),
							 i, quote_identifier(table->columns[i].name));
	appendStringInfoString(&sql, " FROM " ROWS_NAME " e WHERE t.sigma_row_id OPERATOR(pg_catalog.=) e.row_id");
	run(reversal, sql.data, changed, desc);
}

/* A query that yields a row where the table has, in another row, values of the key that a row is to have; NULL: it has no part in this. */
static char *
taken_sql(const InputTable *table, const UniqueKey *key, const bool *written)
{
	StringInfoData sql;
	bool		concerned = false;
	int			i;

	if (!OidIsValid(key->index))
		return NULL;
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT FROM " ROWS_NAME " e JOIN %s o ON o.sigma_row_id OPERATOR(pg_catalog.=) e.row_id "
					 "JOIN %s t ON t.sigma_row_id OPERATOR(pg_catalog.<>) e.row_id", relation_of(table), relation_of(table));
	for (i = 0; i < key->ncolumn; i++)
	{
		int			place = key->columns[i];
		const char *name = quote_identifier(table->columns[place].name);
		char	   *value = !written[place] ? psprintf("o.%s", name) :
			psprintf("CASE WHEN e.g%d THEN e.v%d ELSE o.%s END", place, place, name);

		concerned = concerned || written[place];
		appendStringInfo(&sql, sigma_key_folds(table, key, i) ?
						 " AND pg_catalog.lower(t.%s) OPERATOR(pg_catalog.=) pg_catalog.lower(%s)" :
						 " AND t.%s OPERATOR(pg_catalog.=) %s", name, value);
	}
	appendStringInfoString(&sql, " LIMIT 1");
	return concerned ? sql.data : NULL;
}

/* A row sets just the columns that were changed in it. */
static char *
update_sql(const InputTable *table, const bool *written)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s t SET sigma_updated_at = e.updated_at, sigma_updated_by = e.updated_by", relation_of(table));
	for (i = 0; i < table->ncolumn; i++)
		if (written[i])
			appendStringInfo(&sql, ", %s = CASE WHEN e.g%d THEN e.v%d ELSE t.%s END",
							 quote_identifier(table->columns[i].name), i, i, quote_identifier(table->columns[i].name));
	appendStringInfoString(&sql, " FROM " ROWS_NAME " e WHERE t.sigma_row_id OPERATOR(pg_catalog.=) e.row_id");
	return sql.data;
}

static char *
insert_sql(const InputTable *table)
{
	StringInfoData columns;
	StringInfoData values;
	int			i;

	initStringInfo(&columns);
	initStringInfo(&values);
	for (i = 0; i < table->ncolumn; i++)
		if (AttributeNumberIsValid(table->columns[i].attnum))
		{
			appendStringInfo(&columns, ", %s", quote_identifier(table->columns[i].name));
			appendStringInfo(&values, ", e.v%d", i);
		}
	return psprintf("INSERT INTO %s (sigma_row_id, sigma_created_at, sigma_created_by, sigma_updated_at, sigma_updated_by%s) "
					"SELECT e.row_id, e.created_at, e.created_by, e.updated_at, e.updated_by%s FROM " ROWS_NAME " e",
					relation_of(table), columns.data, values.data);
}

static char *
relation_of(const InputTable *table)
{
	return quote_qualified_identifier("sigds", get_rel_name(table->relid));
}
