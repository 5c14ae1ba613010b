/*
 * batch_unique.c
 *		Unique rules of the rows of a batch.
 *
 * Values of unique keys are remembered in a hash, so that duplicates inside the batch
 * are found in one pass; those of the table are looked up by its indexes.  Which
 * of two sessions wins is for the indexes to decide when rows are written.
 *
 * What is remembered lives in the batch's context.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/formatting.h"

#include "input_table/batch_state.h"
#include "input_table/rules.h"

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

static bool key_of_row(const UniqueKey *key, const StagedRow *row, const bool *changed, const bool *known, Datum *values);
static bool makes_way(Batch *batch, const StagedRow *row, const UniqueKey *key, int64 holder);
static void record_duplicate(Batch *batch, StagedRow *row, const UniqueKey *key, const Datum *values, int64 holder,
							 const SeenValue *other);
static void remember(Batch *batch, const StagedRow *row, int place, const Datum *values);
static SeenValue *find_seen(Batch *batch, int place, const Datum *values);
static SeenKey make_key(Batch *batch, int place, const Datum *values);

/* Values of unique keys that the table or an earlier row of the batch has. */
void
sigma_batch_check_unique(Batch *batch, StagedRow *row, const bool *changed, const bool *known)
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

/* Remember the values of unique keys that the row gives or takes by default. */
void
sigma_batch_remember_unique(Batch *batch, const StagedRow *row, const bool *changed, const bool *known)
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

/* The row of the batch that has these values of a unique key, or NULL. */
static SeenValue *
find_seen(Batch *batch, int place, const Datum *values)
{
	if (batch->state->seen == NULL)
		return NULL;
	return seen_lookup(batch->state->seen, make_key(batch, place, values));
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
