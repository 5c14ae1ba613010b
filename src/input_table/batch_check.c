/*
 * batch_check.c
 *		What is wrong with the rows of a batch.
 *
 * The data table's trigger checks every row again when it is written, and its
 * unique indexes decide between concurrent writers: what is found here is found
 * so that all failures of all rows can be reported together, and so that good
 * rows can go in without the bad.
 * Kept failures live in the batch's context.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "input_table/batch_state.h"
#include "input_table/edit_history.h"
#include "input_table/rules.h"

#define SHOWN_BYTES		1000	/* of a value in a failure */

static void stage_change(Batch *batch, StagedRow *row, const bool *changed);
static void record_stale(Batch *batch, StagedRow *row, TimestampTz current);
static bool was_edited(Batch *batch, const StagedRow *row, const LastEdit *last);
static void record_edited(Batch *batch, StagedRow *row, const LastEdit *last);
static void check_cells(Batch *batch, StagedRow *row, const bool *changed);
static Datum default_of(Batch *batch, int place, bool *isnull);
static bool is_default(Batch *batch, const StagedRow *row, int place);
static void check_formulas(Batch *batch, StagedRow *row, const bool *changed, const bool *known);
static bool is_healed(const Batch *batch, const Failure *failure);
static void check_locks(Batch *batch, StagedRow *row, const bool *changed);
static void settle(Batch *batch, StagedRow *row, const bool *changed, const bool *known);
static int	place_of(const InputTable *table, AttrNumber attnum);
static const char *copy_string(const char *string);
static const char *copy_value(const char *value);

/* ------------------------------------------------------------------------
 * Rows
 * ------------------------------------------------------------------------ */

/*
 * Check a row to insert: fills the defaults of columns it does not give, records
 * its failures, and stages it or counts it as rejected.
 */
void
sigma_batch_check_insert(Batch *batch, StagedRow *row)
{
	const InputTable *table = batch->table;
	BatchState *state = batch->state;
	bool	   *checked = palloc(sizeof(bool) * Max(table->ncolumn, 1));
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		if (row->given[i] == CELL_ABSENT)
		{
			row->values[i] = default_of(batch, i, &row->nulls[i]);
		}
		checked[i] = row->given[i] != CELL_BAD;
	}
	check_cells(batch, row, checked);
	check_formulas(batch, row, NULL, checked);
	check_locks(batch, row, NULL);
	sigma_batch_check_unique(batch, row, checked, checked);
	settle(batch, row, checked, checked);
	if (row->errors > 0)
		return;

	for (i = 0; i < table->ncolumn; i++)
		state->insert_columns[i] |= row->given[i] != CELL_ABSENT;
	sigma_stage_put(batch, &state->inserts, row);
}

/*
 * Check a row that changes or deletes an existing one, whose values are given
 * where they are known: only what differs from them is checked, as the trigger
 * does.
 */
void
sigma_batch_check_update(Batch *batch, StagedRow *row, const Datum *old_values, const bool *old_nulls,
						 const bool *old_known)
{
	const InputTable *table = batch->table;
	bool	   *changed = palloc0(sizeof(bool) * Max(table->ncolumn, 1));
	bool	   *known = palloc0(sizeof(bool) * Max(table->ncolumn, 1));
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		known[i] = row->given[i] == CELL_GIVEN || (row->given[i] == CELL_ABSENT && old_known[i]);
		if (row->given[i] == CELL_GIVEN)
			changed[i] = !old_known[i] ||
				!sigma_value_equal(table->columns[i].type, row->values[i], row->nulls[i],
								   old_values[i], old_nulls[i]);
		else if (row->given[i] == CELL_ABSENT && old_known[i])
		{
			row->values[i] = old_values[i];
			row->nulls[i] = old_nulls[i];
		}
	}
	if (!row->remove)
	{
		check_cells(batch, row, changed);
		check_formulas(batch, row, changed, known);
		check_locks(batch, row, changed);
		sigma_batch_check_unique(batch, row, changed, known);
	}
	settle(batch, row, changed, known);
	if (row->errors == 0)
		stage_change(batch, row, changed);
}

/* Stage a good row that changes or deletes another, and note what it makes way for. */
static void
stage_change(Batch *batch, StagedRow *row, const bool *changed)
{
	const InputTable *table = batch->table;
	BatchState *state = batch->state;
	TargetRow  *target = hash_search(state->target_rows, &row->row_id, HASH_FIND, NULL);
	bool		gives = false;
	int			i;

	if (row->remove)
	{
		target->leaving = true;
		sigma_stage_put(batch, &state->deletes, row);
		return;
	}
	for (i = 0; i < table->ncolumn; i++)
	{
		if (row->given[i] != CELL_ABSENT)
		{
			state->update_columns[i]++;
			gives = true;
		}
		if (changed[i] && table->columns[i].in_key)
		{
			MemoryContext caller = MemoryContextSwitchTo(batch->cxt);

			target->moved = bms_add_member(target->moved, i);
			MemoryContextSwitchTo(caller);
		}
	}
	/* a row that names no column is accepted; there is nothing to write */
	if (gives)
		sigma_stage_put(batch, &state->updates, row);
}

/*
 * Is the existing row another one by now than the row says?  Records rule "stale" then.
 * "stamp" is its sigma_updated_at, NULL for none.  A row that is as its edit says is
 * held to that stamp as well: who may not lock it has it compared when it is written.
 */
bool
sigma_batch_is_stale(Batch *batch, StagedRow *row, const TimestampTz *stamp)
{
	RowGuard   *guard = &row->guard;
	LastEdit   *last = NULL;

	if (guard->has_stamp && (stamp == NULL || *stamp != guard->stamp))
	{
		record_stale(batch, row, stamp == NULL ? 0 : *stamp);
		return true;
	}
	if (!guard->has_edit)
		return false;
	last = hash_search(batch->state->last_edits, &row->row_id, HASH_FIND, NULL);
	if (was_edited(batch, row, last))
	{
		record_edited(batch, row, last);
		return true;
	}
	guard->has_stamp = stamp != NULL;
	guard->stamp = stamp == NULL ? 0 : *stamp;
	return false;
}

/* Was the row written last by an edit of another statement than that of the one it names? */
static bool
was_edited(Batch *batch, const StagedRow *row, const LastEdit *last)
{
	return last->number == 0 ||
		(last->number != row->guard.edit &&
		 (last->statement == 0 ||
		  last->statement != sigma_log_statement_of(batch->table->log.relid, row->guard.edit)));
}

/* Record rule "stale": another edit wrote the existing row last, or none that the log has. */
static void
record_edited(Batch *batch, StagedRow *row, const LastEdit *last)
{
	Failure		failure = {0};

	failure.attnum = batch->table->updated_at;
	failure.rule = "stale";
	if (last->number != 0)
		failure.value = psprintf(INT64_FORMAT, last->number);
	failure.message = "the row has been edited since the edit that \"_if_edit\" names";
	sigma_batch_record(batch, row, &failure);
}

/* Record rule "stale": the existing row has another stamp than the row names. */
static void
record_stale(Batch *batch, StagedRow *row, TimestampTz current)
{
	Failure		failure = {0};

	failure.column = "sigma_updated_at";
	failure.attnum = batch->table->updated_at;
	failure.rule = "stale";
	failure.value = pstrdup(timestamptz_to_str(current));
	failure.message = "has changed since the row was read";
	sigma_batch_record(batch, row, &failure);
}

/* Take the existing row for this one; records a failure and returns false where another row of the batch has it. */
bool
sigma_batch_claim(Batch *batch, StagedRow *row)
{
	BatchState *state = batch->state;
	TargetRow  *target;
	bool		found;

	if (state->target_rows == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(int64);
		control.entrysize = sizeof(TargetRow);
		control.hcxt = batch->cxt;
		state->target_rows = hash_create("sigma batch targets", 256, &control,
										 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	target = hash_search(state->target_rows, &row->row_id, HASH_ENTER, &found);
	if (found)
	{
		sigma_batch_record_row(batch, row, "repeated",
							   psprintf("row " INT64_FORMAT " is changed by row %d of the input already",
										row->row_id, target->row));
		return false;
	}
	target->row = row->row;
	target->leaving = false;
	target->moved = NULL;
	return true;
}

/* Count the checked row where it is rejected, and remember its unique values. */
static void
settle(Batch *batch, StagedRow *row, const bool *changed, const bool *known)
{
	if (row->errors > 0)
		batch->rejected++;
	/* where one failure stops everything, rows are compared with the bad ones too */
	if (!row->remove && (row->errors == 0 || batch->options.mode == BATCH_STRICT))
		sigma_batch_remember_unique(batch, row, changed, known);
}

/* ------------------------------------------------------------------------
 * Cells
 * ------------------------------------------------------------------------ */

/* The rules of the changed columns; in BATCH_SIGMA values that break a list or range become NULL. */
static void
check_cells(Batch *batch, StagedRow *row, const bool *changed)
{
	const InputTable *table = batch->table;
	bool	   *healed = NULL;
	List	   *failures = NIL;
	ListCell   *lc;
	int			i;

	(void) sigma_table_check(table, row->values, row->nulls, changed, &failures);
	for (i = 0; batch->state->lists != NULL && i < table->ncolumn; i++)
		if (changed[i])
			sigma_list_run_failures(batch->state->lists, i, row->values[i], row->nulls[i], &failures);
	foreach(lc, failures)
	{
		Failure    *failure = lfirst(lc);

		if (is_healed(batch, failure))
		{
			int			column = place_of(table, failure->attnum);

			if (healed == NULL)
				healed = palloc0(sizeof(bool) * table->ncolumn);
			healed[column] = true;
			row->nulls[column] = true;
			failure->warning = true;
		}
	}
	foreach(lc, failures)
	{
		Failure    *failure = lfirst(lc);
		int			column = place_of(table, failure->attnum);

		/* whatever else is wrong with a value that is gone does not matter any more */
		if (healed == NULL || column < 0 || !healed[column] || failure->warning)
			sigma_batch_record(batch, row, failure);
	}
	if (healed == NULL)
		return;
	failures = NIL;
	(void) sigma_table_check(table, row->values, row->nulls, healed, &failures);
	foreach(lc, failures)
		sigma_batch_record(batch, row, lfirst(lc));
}

/* What a column becomes that an inserted row does not give. */
static Datum
default_of(Batch *batch, int place, bool *isnull)
{
	const TableColumn *column = &batch->table->columns[place];

	if (column->default_formula != NULL)
		return sigma_formula_run_default(batch->state->formulas, place, isnull);
	*isnull = !column->has_default;
	return column->default_value;
}

static bool
is_default(Batch *batch, const StagedRow *row, int place)
{
	bool		isnull;
	Datum		value = default_of(batch, place, &isnull);

	return sigma_value_equal(batch->table->columns[place].type, row->values[place], row->nulls[place], value, isnull);
}

/* The formula rules of the row as it would be written; those that read a column that is not known are the trigger's. */
static void
check_formulas(Batch *batch, StagedRow *row, const bool *changed, const bool *known)
{
	const InputTable *table = batch->table;
	List	   *failures = NIL;
	TupleTableSlot *slot;
	ListCell   *lc;
	int			i;

	if (batch->state->formulas == NULL)
		return;
	slot = sigma_formula_run_row(batch->state->formulas, row->values, row->nulls);
	for (i = 0; i < table->ncolumn; i++)
		sigma_formula_run_failures(batch->state->formulas, i, slot, changed, known, &failures);
	sigma_formula_run_failures(batch->state->formulas, -1, slot, changed, known, &failures);
	foreach(lc, failures)
		sigma_batch_record(batch, row, lfirst(lc));
}

/* Does the failure turn the value into NULL instead of rejecting the row? */
static bool
is_healed(const Batch *batch, const Failure *failure)
{
	static const char *const rules[] = {"type", "values", "values_from", "min", "max"};
	int			i;

	if (batch->options.mode != BATCH_SIGMA || failure->warning ||
		place_of(batch->table, failure->attnum) < 0)
		return false;
	for (i = 0; i < lengthof(rules); i++)
		if (strcmp(failure->rule, rules[i]) == 0)
			return true;
	return false;
}

/*
 * Protected and not editable columns, where nothing will be written: else the
 * trigger refuses them, for the whole statement.  "changed" is NULL for an insert.
 */
static void
check_locks(Batch *batch, StagedRow *row, const bool *changed)
{
	const InputTable *table = batch->table;
	int			i;

	if (!batch->options.check_only)
		return;
	for (i = 0; i < table->ncolumn; i++)
	{
		const TableColumn *column = &table->columns[i];
		Failure		failure = {0};

		failure.column = column->name;
		failure.attnum = column->attnum;
		if (row->given[i] == CELL_GIVEN && !row->nulls[i])
			failure.value = sigma_value_to_text(column->type, row->values[i]);
		if (column->is_protected && (changed == NULL || changed[i]))
		{
			failure.rule = "protected";
			failure.message = changed == NULL ?
				"is protected: no row can be inserted" : "is protected";
			sigma_batch_record(batch, row, &failure);
		}
		else if (!column->editable && batch->options.origin == ORIGIN_ENTRY &&
				 (changed == NULL ? row->given[i] != CELL_ABSENT && !is_default(batch, row, i) : changed[i]))
		{
			failure.rule = "editable";
			failure.message = "is not editable";
			sigma_batch_record(batch, row, &failure);
		}
	}
}

/* ------------------------------------------------------------------------
 * Failures
 * ------------------------------------------------------------------------ */

/* Count a failure of the row, and keep it where there is room. */
void
sigma_batch_record(Batch *batch, StagedRow *row, Failure *failure)
{
	List	  **kept = failure->warning ? &batch->warnings : &batch->errors;
	MemoryContext caller;
	KeptFailure *copy;

	if (failure->warning)
		batch->warning_count++;
	else
	{
		batch->error_count++;
		row->errors++;
	}
	if (list_length(*kept) >= batch->options.max_failures)
		return;

	caller = MemoryContextSwitchTo(batch->cxt);
	copy = palloc(sizeof(KeptFailure));
	copy->failure = *failure;
	copy->failure.row = row->row;
	copy->failure.line = row->line;
	copy->failure.row_id = row->row_id;
	copy->failure.column = copy_string(failure->column);
	copy->failure.rule = copy_string(failure->rule);
	copy->failure.value = copy_value(failure->value);
	copy->failure.message = copy_string(failure->message);
	/* rules of the row come after those of its columns */
	copy->column = failure->constraint != NULL ? batch->table->ncolumn : place_of(batch->table, failure->attnum);
	copy->order = batch->state->recorded++;
	*kept = lappend(*kept, copy);
	MemoryContextSwitchTo(caller);
}

/* Record a failure of the row as a whole. */
void
sigma_batch_record_row(Batch *batch, StagedRow *row, const char *rule, const char *message)
{
	Failure		failure = {0};

	failure.rule = rule;
	failure.message = message;
	sigma_batch_record(batch, row, &failure);
}

/* Place of a column in table->columns, or -1. */
static int
place_of(const InputTable *table, AttrNumber attnum)
{
	int			i;

	if (attnum != InvalidAttrNumber)
		for (i = 0; i < table->ncolumn; i++)
			if (table->columns[i].attnum == attnum)
				return i;
	return -1;
}

/* A copy in the current context; NULL stays NULL. */
static const char *
copy_string(const char *string)
{
	return string == NULL ? NULL : pstrdup(string);
}

/* A copy of a value in the current context; a long one is cut, as it is only shown. */
static const char *
copy_value(const char *value)
{
	int			length;

	if (value == NULL || strlen(value) <= SHOWN_BYTES)
		return copy_string(value);
	length = pg_mbcliplen(value, strlen(value), SHOWN_BYTES);
	return psprintf("%.*s...", length, value);
}
