/*
 * batch_check.c
 *		What is wrong with the rows of a batch.
 *
 * The data table's trigger checks every row again when it is written, and its
 * unique indexes decide between concurrent writers: what is found here is found
 * so that all failures of all rows can be reported together, and so that good
 * rows can go in without the bad.
 *
 * Values of unique keys are remembered in a hash: duplicates inside the batch
 * are found in one pass.  Kept failures live in the batch's context.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/formatting.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "input_table/batch_state.h"
#include "input_table/edit_history.h"
#include "input_table/rules.h"

#define SHOWN_BYTES		1000	/* of a value in a failure */

/* The values of a unique key. */
typedef struct SeenKey
{
	Datum	   *values;			/* texts in lower case where the key ignores case */
	uint32		hash;
	int			key;			/* place in table->keys */
} SeenKey;

/* ... and which row of the batch has it. */
typedef struct SeenValue
{
	SeenKey		key;
	int64		ordinal;
	int			row;
	int64		line;
	char		status;			/* simplehash's */
} SeenValue;

static bool same_values(const Batch *batch, const SeenKey *a, const SeenKey *b);

#define SH_PREFIX		seen
#define SH_ELEMENT_TYPE	SeenValue
#define SH_KEY_TYPE		SeenKey
#define SH_KEY			key
#define SH_HASH_KEY(tb, k)	((k).hash)
#define SH_EQUAL(tb, a, b)	((a).hash == (b).hash && same_values((const Batch *) (tb)->private_data, &(a), &(b)))
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

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
static void check_unique(Batch *batch, StagedRow *row, const bool *changed, const bool *known);
static bool key_of_row(const UniqueKey *key, const StagedRow *row, const bool *changed, const bool *known, Datum *values);
static bool makes_way(Batch *batch, const StagedRow *row, const UniqueKey *key, int64 holder);
static void record_duplicate(Batch *batch, StagedRow *row, const UniqueKey *key, const Datum *values, int64 holder,
							 const SeenValue *other);
static SeenKey make_key(Batch *batch, int place, const Datum *values);
static SeenValue *find_seen(Batch *batch, int place, const Datum *values);
static void remember(Batch *batch, const StagedRow *row, int place, const Datum *values);
static void remember_unique(Batch *batch, const StagedRow *row, const bool *changed, const bool *known);
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
	check_unique(batch, row, checked, checked);
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
		check_unique(batch, row, changed, known);
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

/* Records the duplicate and returns true where an earlier row of the batch has the same key. */
bool
sigma_batch_same_key(Batch *batch, StagedRow *row)
{
	const UniqueKey *key = batch->options.key;
	int			place = key - batch->table->keys;
	Datum	   *values = palloc(sizeof(Datum) * key->ncolumn);
	SeenValue  *other;

	if (!sigma_key_values(key, row->values, row->nulls, values))
		return false;
	other = find_seen(batch, place, values);
	if (other != NULL && other->ordinal != row->ordinal)
	{
		record_duplicate(batch, row, key, values, 0, other);
		return true;
	}
	remember(batch, row, place, values);
	return false;
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
		remember_unique(batch, row, changed, known);
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
 * Unique rules
 * ------------------------------------------------------------------------ */

/* Values of unique keys that the table or an earlier row of the batch has. */
static void
check_unique(Batch *batch, StagedRow *row, const bool *changed, const bool *known)
{
	const InputTable *table = batch->table;
	Datum		values[INDEX_MAX_KEYS];
	int			i;

	for (i = 0; i < table->nkey; i++)
	{
		const UniqueKey *key = &table->keys[i];
		SeenValue  *other;
		int64		holder = 0;

		if (!key_of_row(key, row, changed, known, values))
			continue;
		if (!sigma_key_fits(table, key, values))
		{
			sigma_batch_record(batch, row, sigma_unique_failure(table, key, values));
			continue;
		}
		other = find_seen(batch, i, values);
		if (other != NULL && other->ordinal == row->ordinal)
			other = NULL;
		if (!batch->options.replace && !(batch->state->trust_lookup && key == batch->options.key))
			holder = sigma_table_conflict(table, key, values, row->row_id);
		if (holder != 0 && makes_way(batch, row, key, holder))
			holder = 0;
		if (holder != 0 || other != NULL)
			record_duplicate(batch, row, key, values, holder, other);
	}
}

/*
 * The key's values in a row; false where they cannot be in conflict: one is null, or
 * none changes.  One that is not known is left to the trigger.
 */
static bool
key_of_row(const UniqueKey *key, const StagedRow *row, const bool *changed, const bool *known, Datum *values)
{
	bool		concerned = false;
	int			i;

	for (i = 0; i < key->ncolumn; i++)
	{
		if (!known[key->columns[i]])
			return false;
		concerned = concerned || changed[key->columns[i]];
	}
	return concerned && sigma_key_values(key, row->values, row->nulls, values);
}

/*
 * Will the row that holds the values have given them up when this row is written?
 * Deletes are written first, then updates, then inserts.
 */
static bool
makes_way(Batch *batch, const StagedRow *row, const UniqueKey *key, int64 holder)
{
	TargetRow  *target = NULL;
	int			i;

	if (batch->state->target_rows != NULL)
		target = hash_search(batch->state->target_rows, &holder, HASH_FIND, NULL);
	if (target == NULL)
		return false;
	if (target->leaving)
		return true;
	for (i = 0; i < key->ncolumn; i++)
		if (row->row_id == 0 && bms_is_member(key->columns[i], target->moved))
			return true;
	return false;
}

/* Record rule "unique": "holder" is the row that has the values, or 0; "other" the row of the batch, or NULL. */
static void
record_duplicate(Batch *batch, StagedRow *row, const UniqueKey *key, const Datum *values, int64 holder,
				 const SeenValue *other)
{
	const char *what = key->ncolumn == 1 ? "value" : "values";
	Failure    *failure = sigma_unique_failure(batch->table, key, values);

	failure->conflicts_with = holder;
	if (holder == 0 && !failure->own_message)
		failure->message = other->line > 0 ?
			psprintf("%s, but line " INT64_FORMAT " has the same %s", failure->message, other->line, what) :
			psprintf("%s, but row %d of the input has the same %s", failure->message, other->row, what);
	sigma_batch_record(batch, row, failure);
}

/* What values of a unique key are remembered under; what it allocates is in the current context. */
static SeenKey
make_key(Batch *batch, int place, const Datum *values)
{
	const UniqueKey *key = &batch->table->keys[place];
	SeenKey		result;
	int			i;

	result.key = place;
	result.hash = (uint32) place;
	result.values = palloc(sizeof(Datum) * key->ncolumn);
	for (i = 0; i < key->ncolumn; i++)
	{
		TypeCacheEntry **type = &batch->state->types[key->columns[i]];

		if (*type == NULL)
			*type = lookup_type_cache(sigma_column_types[batch->table->columns[key->columns[i]].type].oid,
									  TYPECACHE_HASH_PROC_FINFO);
		if (!OidIsValid((*type)->hash_proc))
			elog(ERROR, "type %u cannot be hashed", (*type)->type_id);
		result.values[i] = values[i];
		if (sigma_key_folds(batch->table, key, i))
		{
			text	   *packed = DatumGetTextPP(values[i]);

			result.values[i] = CStringGetTextDatum(str_tolower(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed),
															   DEFAULT_COLLATION_OID));
		}
		result.hash = hash_combine(result.hash,
								   DatumGetUInt32(FunctionCall1Coll(&(*type)->hash_proc_finfo, DEFAULT_COLLATION_OID,
																	result.values[i])));
	}
	return result;
}

/* For the hash: the same values of the same key? */
static bool
same_values(const Batch *batch, const SeenKey *a, const SeenKey *b)
{
	const UniqueKey *key = &batch->table->keys[a->key];
	int			i;

	if (a->key != b->key)
		return false;
	for (i = 0; i < key->ncolumn; i++)
		if (!sigma_value_equal(batch->table->columns[key->columns[i]].type, a->values[i], false, b->values[i], false))
			return false;
	return true;
}

/* The row of the batch that has these values of a unique key, or NULL. */
static SeenValue *
find_seen(Batch *batch, int place, const Datum *values)
{
	if (batch->state->seen == NULL)
		return NULL;
	return seen_lookup(batch->state->seen, make_key(batch, place, values));
}

/* Remember the values of unique keys that the row gives or takes by default. */
static void
remember_unique(Batch *batch, const StagedRow *row, const bool *changed, const bool *known)
{
	Datum		values[INDEX_MAX_KEYS];
	int			i;

	for (i = 0; i < batch->table->nkey; i++)
		if (key_of_row(&batch->table->keys[i], row, changed, known, values))
			remember(batch, row, i, values);
}

/* Remember the values of one key. */
static void
remember(Batch *batch, const StagedRow *row, int place, const Datum *values)
{
	const UniqueKey *unique = &batch->table->keys[place];
	SeenKey		key = make_key(batch, place, values);
	SeenValue  *entry;
	MemoryContext caller;
	bool		found;
	int			i;

	if (batch->state->seen == NULL)
		batch->state->seen = seen_create(batch->cxt, 256, batch);
	entry = seen_insert(batch->state->seen, key, &found);
	if (found)
		return;
	caller = MemoryContextSwitchTo(batch->cxt);
	entry->key.values = palloc(sizeof(Datum) * unique->ncolumn);
	for (i = 0; i < unique->ncolumn; i++)
	{
		const ColumnTypeInfo *type = &sigma_column_types[batch->table->columns[unique->columns[i]].type];

		entry->key.values[i] = datumCopy(key.values[i], type->by_value, type->length);
	}
	entry->ordinal = row->ordinal;
	entry->row = row->row;
	entry->line = row->line;
	MemoryContextSwitchTo(caller);
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
