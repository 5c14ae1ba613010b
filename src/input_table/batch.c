/*
 * batch.c
 *		A batch of typed rows: how they come in and where they wait.
 *
 * A row is filled cell by cell, checked (batch_check.c), and staged in a
 * tuplestore until the batch is written (batch_write.c).  Rows to insert are
 * checked as they come; rows that name an existing row wait until those rows
 * have been looked up, all with one statement.
 *
 * A batch lives in a context of its own below the caller's; the stores of its
 * staged rows spill to temporary files at work_mem and end with
 * sigma_batch_write, or with the transaction where that is not reached.  The
 * data table stays locked (ROW EXCLUSIVE) from sigma_batch_table until
 * transaction end, so the compiled table that a batch holds stays true.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/document.h"
#include "common/errors.h"
#include "common/names.h"
#include "compat.h"
#include "formula/trust.h"
#include "input_table/batch_state.h"
#include "input_table/edit_history.h"
#include "input_table/linked.h"
#include "input_table/rules.h"

static void check_may_write(Oid relid);
static void check_column_right(Oid relid, AttrNumber attnum, AclMode right, bool *granted);
static TupleDesc make_staged_desc(const InputTable *table);
static bool gives_all(const InputTable *table, const StagedRow *row);
static void add_target(Batch *batch, int64 row_id, const RowGuard *guard, bool remove);
static void ask_last_edit(Batch *batch, int64 row_id);
static bool is_upsert(const Batch *batch);

/* See batch.h; takes ROW EXCLUSIVE. */
const InputTable *
sigma_batch_table(const char *id)
{
	for (;;)
	{
		Oid			relid = sigma_input_table_by_id(id)->relid;
		const InputTable *table;

		/* locking makes this backend hear of changes that were committed before */
		LockRelationOid(relid, RowExclusiveLock);
		table = sigma_input_table_by_id(id);
		if (table->relid == relid)
		{
			check_may_write(table->nlinked > 0 ? sigma_linked_view(table->id) : relid);
			if (table->nlinked > 0)
				sigma_trust_check_relation(sigma_linked_view(table->id));
			return table;
		}
		UnlockRelationOid(relid, RowExclusiveLock);
	}
}

/* See batch.h; case does not matter. */
BatchMode
sigma_batch_mode(const char *text)
{
	static const char *const names[] = {"strict", "partial", "sigma", NULL};
	int			i;

	for (i = 0; names[i] != NULL; i++)
		if (pg_strcasecmp(text, names[i]) == 0)
			return (BatchMode) i;
	ereport(ERROR,
			(errcode(ERRCODE_SIGMA_DOCUMENT),
			 errmsg("unknown mode \"%s\" of a data entry", text),
			 errhint("%s", sigma_hint_names(text, names))));
}

/* See batch.h.  A key without "on_conflict" updates. */
void
sigma_batch_key(BatchOptions *options, const InputTable *table,
				const JsonNode *key, const JsonNode *on_conflict)
{
	static const char *const names[] = {"error", "skip", "update", NULL};
	const UniqueKey *found = NULL;
	int			choice = BATCH_CONFLICT_UPDATE;

	if (key != NULL && key->kind == JSON_NULL)
		key = NULL;
	if (on_conflict != NULL && on_conflict->kind == JSON_NULL)
		on_conflict = NULL;

	if (key != NULL)
		found = sigma_batch_unique_key(table, key);
	if (on_conflict != NULL)
	{
		if (on_conflict->kind != JSON_STRING)
			sigma_document_error(on_conflict, 0, NULL, "\"on_conflict\" must be a string, not %s",
								 sigma_json_kind_name(on_conflict));
		for (choice = 0; names[choice] != NULL; choice++)
			if (pg_strcasecmp(on_conflict->string, names[choice]) == 0)
				break;
		if (names[choice] == NULL)
			sigma_document_error(on_conflict, 0, sigma_hint_names(on_conflict->string, names),
								 "unknown value \"%s\" of \"on_conflict\"", on_conflict->string);
		if (choice != BATCH_CONFLICT_ERROR && found == NULL)
			sigma_document_error(on_conflict, 0, "Add \"key\": the unique column that identifies a row.",
								 "\"on_conflict\" needs a key");
	}
	options->key = found;
	options->on_conflict = found == NULL ? BATCH_CONFLICT_ERROR : (BatchConflict) choice;
}

/* See batch.h. */
const UniqueKey *
sigma_batch_unique_key(const InputTable *table, const JsonNode *names)
{
	const JsonNode *const *items = names->kind == JSON_ARRAY ? (const JsonNode *const *) names->items : &names;
	int			count = names->kind == JSON_ARRAY ? names->count : 1;
	Bitmapset  *wanted = NULL;
	const char *last = NULL;
	int			i;
	int			j;

	for (i = 0; i < count; i++)
	{
		const TableColumn *column;

		if (items[i]->kind != JSON_STRING)
			sigma_document_error(items[i], 0, "Name the columns that are unique in the table.",
								 "\"key\" must name unique columns");
		column = sigma_table_column(table, items[i]->string);
		if (column == NULL)
			sigma_document_error(items[i], 0, sigma_batch_column_hint(table, items[i]->string),
								 "input table \"%s\" has no column \"%s\"", table->name, items[i]->string);
		wanted = bms_add_member(wanted, column - table->columns);
		last = column->name;
	}
	for (i = 0; i < table->nkey; i++)
	{
		Bitmapset  *columns = NULL;

		for (j = 0; j < table->keys[i].ncolumn; j++)
			columns = bms_add_member(columns, table->keys[i].columns[j]);
		if (OidIsValid(table->keys[i].index) && bms_equal(columns, wanted))
			return &table->keys[i];
	}
	if (count == 1)
		sigma_document_error(names, 0,
							 "Rows can be matched by a unique column only; make the column unique first.",
							 "column \"%s\" is not unique", last);
	sigma_document_error(names, 0, "Add the rule {\"unique\": [columns]} to \"row_rules\" first.",
						 "no rule makes the columns of \"key\" unique together");
}

/* The text is allocated in the current context. */
char *
sigma_batch_column_hint(const InputTable *table, const char *name)
{
	const char **names = palloc(sizeof(char *) * (table->ncolumn + 1));
	int			i;

	for (i = 0; i < table->ncolumn; i++)
		names[i] = table->columns[i].name;
	names[i] = NULL;
	return sigma_hint_names(name, names);
}

/* See batch.h.  Makes the batch's context below the current one. */
Batch *
sigma_batch_begin(const InputTable *table, const BatchOptions *options)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma batch", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	Batch	   *batch = palloc0(sizeof(Batch));
	BatchState *state = palloc0(sizeof(BatchState));
	int			columns = Max(table->ncolumn, 1);

	batch->table = table;
	batch->options = *options;
	if (batch->options.max_failures <= 0)
		batch->options.max_failures = sigma_max_errors;
	batch->cxt = cxt;
	batch->row_cxt = AllocSetContextCreate(cxt, "sigma batch row", ALLOCSET_DEFAULT_SIZES);
	batch->state = state;

	sigma_staged_row_init(table, &state->current);
	state->desc = make_staged_desc(table);
	state->slot = MakeSingleTupleTableSlot(state->desc, &TTSOpsMinimalTuple);
	state->staged_values = palloc(sizeof(Datum) * state->desc->natts);
	state->staged_nulls = palloc(sizeof(bool) * state->desc->natts);
	state->staged_given = palloc(VARHDRSZ + table->ncolumn);
	SET_VARSIZE(state->staged_given, VARHDRSZ + table->ncolumn);
	state->check_cxt = AllocSetContextCreate(cxt, "sigma batch check", ALLOCSET_DEFAULT_SIZES);
	state->locking = !options->check_only &&
		(pg_class_aclcheck(table->relid, GetUserId(), ACL_UPDATE) == ACLCHECK_OK ||
		 pg_attribute_aclcheck_all(table->relid, GetUserId(), ACL_UPDATE, ACLMASK_ANY) == ACLCHECK_OK);
	state->target_columns = palloc0(sizeof(bool) * columns);
	state->insert_columns = palloc0(sizeof(bool) * columns);
	state->update_columns = palloc0(sizeof(int64) * columns);
	state->insert_granted = palloc0(sizeof(bool) * columns);
	state->update_granted = palloc0(sizeof(bool) * columns);
	state->types = palloc0(sizeof(TypeCacheEntry *) * columns);
	state->formulas = sigma_formula_run_begin(table, false);
	state->lists = sigma_formula_run_lists(state->formulas);
	MemoryContextSwitchTo(caller);
	return batch;
}

/* Resets the row context, and with it what the row before left there. */
void
sigma_batch_row(Batch *batch, int row, int64 line)
{
	StagedRow  *current = &batch->state->current;

	MemoryContextReset(batch->row_cxt);
	batch->rows++;
	batch->state->row_bad = false;
	current->ordinal = batch->rows;
	current->row = row;
	current->line = line;
	current->row_id = 0;
	memset(&current->guard, 0, sizeof(RowGuard));
	current->remove = false;
	current->errors = 0;
	memset(current->given, CELL_ABSENT, batch->table->ncolumn);
	memset(current->nulls, true, sizeof(bool) * batch->table->ncolumn);
}

/* The value must live as long as the row. */
void
sigma_batch_value(Batch *batch, int column, Datum value, bool isnull)
{
	StagedRow  *current = &batch->state->current;

	current->values[column] = value;
	current->nulls[column] = isnull;
	current->given[column] = CELL_GIVEN;
}

/* In BATCH_SIGMA the cell becomes NULL, and the failure a warning. */
void
sigma_batch_bad_value(Batch *batch, int column, const char *given, int length, const char *why)
{
	StagedRow  *current = &batch->state->current;
	const TableColumn *what = &batch->table->columns[column];
	MemoryContext caller = MemoryContextSwitchTo(batch->row_cxt);
	Failure		failure = {0};

	failure.column = what->name;
	failure.attnum = what->attnum;
	failure.rule = "type";
	failure.warning = batch->options.mode == BATCH_SIGMA;
	failure.value = pnstrdup(given, length);
	failure.message = why;
	sigma_batch_value(batch, column, (Datum) 0, true);
	if (!failure.warning)
		current->given[column] = CELL_BAD;
	sigma_batch_record(batch, current, &failure);
	MemoryContextSwitchTo(caller);
}

/* The row is rejected; its cells are not looked at any more. */
void
sigma_batch_bad_row(Batch *batch, const char *rule, const char *message)
{
	sigma_batch_record_row(batch, &batch->state->current, rule, message);
	batch->state->row_bad = true;
}

/* 42501 where the caller may not insert into the columns that the row gives. */
void
sigma_batch_insert(Batch *batch)
{
	BatchState *state = batch->state;
	StagedRow  *row = &state->current;
	MemoryContext caller;

	sigma_batch_resolve_targets(batch);
	sigma_batch_grant(batch, row, true);
	if (state->row_bad)
	{
		batch->rejected++;
		return;
	}
	caller = MemoryContextSwitchTo(batch->row_cxt);
	if (!is_upsert(batch))
		sigma_batch_check_insert(batch, row);
	else if (sigma_batch_same_key(batch, row))
		batch->rejected++;
	else
	{
		int			i;

		for (i = 0; i < batch->table->ncolumn; i++)
			state->target_columns[i] |= row->given[i] != CELL_ABSENT;
		sigma_stage_put(batch, &state->proposals, row);
	}
	MemoryContextSwitchTo(caller);
}

/* 42501 where the caller may not update the columns that the row gives. */
void
sigma_batch_update(Batch *batch, int64 row_id, const RowGuard *guard)
{
	sigma_batch_grant(batch, &batch->state->current, false);
	add_target(batch, row_id, guard, false);
}

/* 42501 where the caller may not delete. */
void
sigma_batch_delete(Batch *batch, int64 row_id, const RowGuard *guard)
{
	Oid			relid = batch->table->relid;

	if (pg_class_aclcheck(relid, GetUserId(), ACL_DELETE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
	add_target(batch, row_id, guard, true);
}

/* ------------------------------------------------------------------------
 * Staged rows
 * ------------------------------------------------------------------------ */

/* Arrays for a staged row of "table", in the current context. */
void
sigma_staged_row_init(const InputTable *table, StagedRow *row)
{
	int			columns = Max(table->ncolumn, 1);

	memset(row, 0, sizeof(StagedRow));
	row->values = palloc0(sizeof(Datum) * columns);
	row->nulls = palloc0(sizeof(bool) * columns);
	row->given = palloc0(columns);
}

/* Append a row to a stage; the store is made with the first one. */
void
sigma_stage_put(Batch *batch, Stage *stage, const StagedRow *row)
{
	const InputTable *table = batch->table;
	BatchState *state = batch->state;
	Datum	   *values = state->staged_values;
	bool	   *nulls = state->staged_nulls;

	values[STAGED_ORDINAL] = Int64GetDatum(row->ordinal);
	nulls[STAGED_ORDINAL] = false;
	values[STAGED_ROW] = Int32GetDatum(row->row);
	nulls[STAGED_ROW] = row->row == row->ordinal - 1;
	values[STAGED_LINE] = Int64GetDatum(row->line);
	nulls[STAGED_LINE] = row->line == 0;
	values[STAGED_ROW_ID] = Int64GetDatum(row->row_id);
	nulls[STAGED_ROW_ID] = row->row_id == 0;
	values[STAGED_STAMP] = TimestampTzGetDatum(row->guard.stamp);
	nulls[STAGED_STAMP] = !row->guard.has_stamp;
	values[STAGED_EDIT] = Int64GetDatum(row->guard.edit);
	nulls[STAGED_EDIT] = !row->guard.has_edit;
	values[STAGED_REMOVE] = BoolGetDatum(row->remove);
	nulls[STAGED_REMOVE] = false;
	values[STAGED_ERRORS] = Int32GetDatum(row->errors);
	nulls[STAGED_ERRORS] = row->errors == 0;
	memcpy(VARDATA(state->staged_given), row->given, table->ncolumn);
	values[STAGED_GIVEN] = PointerGetDatum(state->staged_given);
	nulls[STAGED_GIVEN] = row->row_id == 0 && gives_all(table, row);
	memcpy(values + STAGED_VALUES, row->values, sizeof(Datum) * table->ncolumn);
	memcpy(nulls + STAGED_VALUES, row->nulls, sizeof(bool) * table->ncolumn);

	if (stage->store == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(batch->cxt);

		stage->store = tuplestore_begin_heap(true, false, work_mem);
		MemoryContextSwitchTo(caller);
	}
	tuplestore_putvalues(stage->store, state->desc, values, nulls);
	stage->count++;
}

/* Does the row give every column a value that could be read? */
static bool
gives_all(const InputTable *table, const StagedRow *row)
{
	int			i;

	for (i = 0; i < table->ncolumn; i++)
		if (row->given[i] != CELL_GIVEN)
			return false;
	return true;
}

/* Read a stage from its beginning. */
void
sigma_stage_rewind(Stage *stage)
{
	if (stage->store == NULL)
		return;
	tuplestore_select_read_pointer(stage->store, 0);
	tuplestore_rescan(stage->store);
}

/* The next row of a stage, good until the next call; false at its end. */
bool
sigma_stage_next(Batch *batch, Stage *stage, StagedRow *row)
{
	TupleTableSlot *slot = batch->state->slot;
	MemoryContext caller;
	bool		found;

	if (stage->store == NULL)
		return false;
	/* a tuple read from a file belongs to the slot, which outlives the caller's context */
	caller = MemoryContextSwitchTo(batch->cxt);
	found = tuplestore_gettupleslot(stage->store, true, false, slot);
	MemoryContextSwitchTo(caller);
	if (!found)
		return false;
	slot_getallattrs(slot);
	sigma_staged_row_read(batch->table, row, slot->tts_values, slot->tts_isnull);
	return true;
}

/* Forget a stage's rows. */
void
sigma_stage_end(Stage *stage)
{
	if (stage->store != NULL)
		tuplestore_end(stage->store);
	stage->store = NULL;
	stage->count = 0;
}

/* Fill a staged row from the attributes of its tuple; values point into the tuple. */
void
sigma_staged_row_read(const InputTable *table, StagedRow *row, const Datum *values, const bool *nulls)
{
	row->ordinal = DatumGetInt64(values[STAGED_ORDINAL]);
	row->row = nulls[STAGED_ROW] ? (int) (row->ordinal - 1) : DatumGetInt32(values[STAGED_ROW]);
	row->line = nulls[STAGED_LINE] ? 0 : DatumGetInt64(values[STAGED_LINE]);
	row->row_id = nulls[STAGED_ROW_ID] ? 0 : DatumGetInt64(values[STAGED_ROW_ID]);
	row->guard.has_stamp = !nulls[STAGED_STAMP];
	row->guard.stamp = row->guard.has_stamp ? DatumGetTimestampTz(values[STAGED_STAMP]) : 0;
	row->guard.has_edit = !nulls[STAGED_EDIT];
	row->guard.edit = row->guard.has_edit ? DatumGetInt64(values[STAGED_EDIT]) : 0;
	row->remove = DatumGetBool(values[STAGED_REMOVE]);
	row->errors = nulls[STAGED_ERRORS] ? 0 : DatumGetInt32(values[STAGED_ERRORS]);
	if (nulls[STAGED_GIVEN])
		memset(row->given, CELL_GIVEN, table->ncolumn);
	else
		memcpy(row->given, VARDATA_ANY(PG_DETOAST_DATUM_PACKED(values[STAGED_GIVEN])), table->ncolumn);
	memcpy(row->values, values + STAGED_VALUES, sizeof(Datum) * table->ncolumn);
	memcpy(row->nulls, nulls + STAGED_VALUES, sizeof(bool) * table->ncolumn);
}

/* The tuple descriptor of staged rows: StagedAttribute, then v0, v1 ... as the columns' types. */
static TupleDesc
make_staged_desc(const InputTable *table)
{
	TupleDesc	desc = CreateTemplateTupleDesc(STAGED_VALUES + table->ncolumn);
	int			i;

	TupleDescInitEntry(desc, STAGED_ORDINAL + 1, "ordinal", INT8OID, -1, 0);
	TupleDescInitEntry(desc, STAGED_ROW + 1, "row", INT4OID, -1, 0);
	TupleDescInitEntry(desc, STAGED_LINE + 1, "line", INT8OID, -1, 0);
	TupleDescInitEntry(desc, STAGED_ROW_ID + 1, "row_id", INT8OID, -1, 0);
	TupleDescInitEntry(desc, STAGED_STAMP + 1, "stamp", TIMESTAMPTZOID, -1, 0);
	TupleDescInitEntry(desc, STAGED_EDIT + 1, "edit", INT8OID, -1, 0);
	TupleDescInitEntry(desc, STAGED_REMOVE + 1, "remove", BOOLOID, -1, 0);
	TupleDescInitEntry(desc, STAGED_ERRORS + 1, "errors", INT4OID, -1, 0);
	TupleDescInitEntry(desc, STAGED_GIVEN + 1, "given", BYTEAOID, -1, 0);
	for (i = 0; i < table->ncolumn; i++)
		TupleDescInitEntry(desc, STAGED_VALUES + i + 1, psprintf("v%d", i),
						   sigma_column_types[table->columns[i].type].oid, -1, 0);
	return desc;
}

/* ------------------------------------------------------------------------
 * Helpers
 * ------------------------------------------------------------------------ */

/* 42501 unless the caller may insert, update or delete something. */
static void
check_may_write(Oid relid)
{
	Oid			user = GetUserId();

	if (pg_class_aclmask(relid, user, ACL_INSERT | ACL_UPDATE | ACL_DELETE, ACLMASK_ANY) == 0 &&
		pg_attribute_aclcheck_all(relid, user, ACL_INSERT | ACL_UPDATE, ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
}

/*
 * 42501 unless the caller may write what the row gives.  PostgreSQL checks that
 * again when the statement runs; here it keeps the checks of a row that will
 * never be written from telling what is in the table.
 */
void
sigma_batch_grant(Batch *batch, const StagedRow *row, bool insert)
{
	const InputTable *table = batch->table;
	BatchState *state = batch->state;
	AclMode		right = insert ? ACL_INSERT : ACL_UPDATE;
	bool	   *granted = insert ? state->insert_granted : state->update_granted;
	int			i;

	if (table->nlinked > 0)
	{
		Oid			view = sigma_linked_view(table->id);

		for (i = 0; i < table->ncolumn - table->nlinked; i++)
			if (row->given[i] != CELL_ABSENT)
				check_column_right(view, get_attnum(view, table->columns[i].name), ACL_UPDATE, &granted[i]);
		return;
	}
	for (i = 0; i < table->ncolumn; i++)
		if (row->given[i] != CELL_ABSENT)
			check_column_right(table->relid, table->columns[i].attnum, right, &granted[i]);
	if (insert && !state->may_insert)
	{
		if (pg_class_aclcheck(table->relid, GetUserId(), ACL_INSERT) != ACLCHECK_OK &&
			pg_attribute_aclcheck_all(table->relid, GetUserId(), ACL_INSERT, ACLMASK_ANY) != ACLCHECK_OK)
			aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(table->relid));
		state->may_insert = true;
	}
}

/* 42501 unless the caller has the right on the column or the table; *granted remembers it. */
static void
check_column_right(Oid relid, AttrNumber attnum, AclMode right, bool *granted)
{
	if (*granted)
		return;
	if (pg_class_aclcheck(relid, GetUserId(), right) != ACLCHECK_OK &&
		pg_attribute_aclcheck(relid, attnum, GetUserId(), right) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
	*granted = true;
}

/* Stage the current row as one that changes or deletes the row of that id. */
static void
add_target(Batch *batch, int64 row_id, const RowGuard *guard, bool remove)
{
	BatchState *state = batch->state;
	StagedRow  *row = &state->current;
	MemoryContext caller = MemoryContextSwitchTo(batch->row_cxt);
	int			i;

	row->row_id = row_id;
	row->remove = remove;
	if (guard != NULL)
		row->guard = *guard;
	if (state->row_bad || !sigma_batch_claim(batch, row))
		batch->rejected++;
	else
	{
		state->stamps |= row->guard.has_stamp || row->guard.has_edit;
		if (row->guard.has_edit)
			ask_last_edit(batch, row_id);
		if (!remove)
			state->target_updates++;
		for (i = 0; !remove && i < batch->table->ncolumn; i++)
			state->target_columns[i] |= row->given[i] != CELL_ABSENT;
		sigma_stage_put(batch, &state->targets, row);
	}
	MemoryContextSwitchTo(caller);
}

/* Note that the last edit of the row is to be found. */
static void
ask_last_edit(Batch *batch, int64 row_id)
{
	LastEdit   *edit;

	if (batch->state->last_edits == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(int64);
		control.entrysize = sizeof(LastEdit);
		control.hcxt = batch->cxt;
		batch->state->last_edits = hash_create("sigma last edits", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	edit = hash_search(batch->state->last_edits, &row_id, HASH_ENTER, NULL);
	edit->number = 0;
}

/* Must rows be looked up by their key before they are inserted? */
static bool
is_upsert(const Batch *batch)
{
	return batch->options.on_conflict != BATCH_CONFLICT_ERROR && !batch->options.replace;
}
