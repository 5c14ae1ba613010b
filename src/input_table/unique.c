/*
 * unique.c
 *		Unique rules: of one column, or of several columns together.
 *
 * The unique index is what keeps values unique.  Looking before it does lets a
 * duplicate be reported with the other failures of its row; what another session
 * writes at the same moment is left to the index and its 23505.
 *
 * A row with a null in one of the columns conflicts with no other, as in every
 * unique index.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/document.h"
#include "compat.h"
#include "input_table/rules.h"

static UniqueKey *add_key(InputTable *table, int ncolumn, bool ignore_case, const char *message);
static char *list_columns(const InputTable *table, const UniqueKey *key);
static bool same_columns(const UniqueKey *a, const UniqueKey *b);
static bool index_serves(Relation index, const InputTable *table, const UniqueKey *key);
static bool is_folded(const Node *expression, AttrNumber attnum);

/* ------------------------------------------------------------------------
 * Compiling
 * ------------------------------------------------------------------------ */

/* Add the rule of the column at that place.  Everything is copied into the current context. */
void
sigma_unique_rule_add(InputTable *table, int column, bool ignore_case, const char *message)
{
	UniqueKey  *key = add_key(table, 1, ignore_case, message);

	key->column = column;
	key->columns[0] = column;
	table->columns[column].in_key = true;
	if (message == NULL)
		key->message = "must be unique";
}

/*
 * Add a rule of the row; "number" counts those that are unique from 1.  SG400 at the
 * node where the columns are not there or cannot be indexed, or another rule has them.
 */
void
sigma_unique_row_rule_add(InputTable *table, JsonNode *rule, int number, const char *message, bool warning)
{
	JsonNode   *names = sigma_json_get(rule, "unique");
	UniqueKey  *key;
	int			i;
	int			j;

	/* the stored row may have been written past the triggers */
	if (names == NULL || names->kind != JSON_ARRAY || names->count == 0)
		sigma_document_error(rule, 0, "A row rule is {\"formula\": ...} or {\"unique\": [columns]}.",
							 "a row rule needs \"formula\" or \"unique\"");
	if (warning)
		sigma_document_error(sigma_json_get(rule, "severity"), 0, "Leave \"severity\" out.",
							 "a unique rule cannot be a warning");
	if (names->count > INDEX_MAX_KEYS)
		sigma_document_error(names, 0, NULL, "a rule takes at most %d columns", INDEX_MAX_KEYS);
	key = add_key(table, names->count, sigma_json_get_bool(rule, "ignore_case", false), message);
	key->column = -1;
	key->constraint = number <= 1 ? "row_unique" : psprintf("row_unique_%d", number);
	for (i = 0; i < names->count; i++)
	{
		const char *name = names->items[i]->kind == JSON_STRING ? names->items[i]->string : "";
		TableColumn *column;

		for (j = 0; j < table->ncolumn && strcmp(table->columns[j].name, name) != 0; j++)
			;
		if (j == table->ncolumn)
			sigma_document_error(names->items[i], 0, NULL, sigma_table_is_computed(table, name) ?
								 "column \"%s\" is computed" : "there is no column \"%s\"", name);
		column = &table->columns[j];
		if (column->type == COLUMN_MULTI_SELECT || column->type == COLUMN_JSON || column->type == COLUMN_FILE)
			sigma_document_error(names->items[i], 0,
								 "It suits text, dropdown, number, integer, float, date, datetime and checkbox columns.",
								 "rule \"unique\" does not suit column \"%s\" of type %s",
								 column->name, sigma_column_types[column->type].name);
		key->columns[i] = j;
		column->in_key = true;
	}
	for (i = 0; i < table->nkey - 1; i++)
		if (table->keys[i].column < 0 && same_columns(&table->keys[i], key))
			sigma_document_error(names, 0, NULL, "another rule makes the same columns unique");
	if (message == NULL)
		key->message = psprintf("must be unique in %s", list_columns(table, key));
}

/* A new key at the end of the table's, in the current context. */
static UniqueKey *
add_key(InputTable *table, int ncolumn, bool ignore_case, const char *message)
{
	UniqueKey  *key;

	table->keys = table->nkey == 0 ? palloc(sizeof(UniqueKey)) :
		repalloc(table->keys, sizeof(UniqueKey) * (table->nkey + 1));
	key = &table->keys[table->nkey++];
	memset(key, 0, sizeof(UniqueKey));
	key->ncolumn = ncolumn;
	key->columns = palloc0(sizeof(int) * ncolumn);
	key->equal = palloc0(sizeof(Oid) * ncolumn);
	key->ignore_case = ignore_case;
	key->own_message = message != NULL;
	if (message != NULL)
		key->message = pstrdup(message);
	return key;
}

/* "A", "B" and "C" */
static char *
list_columns(const InputTable *table, const UniqueKey *key)
{
	StringInfoData buf;
	int			i;

	initStringInfo(&buf);
	for (i = 0; i < key->ncolumn; i++)
		appendStringInfo(&buf, "%s\"%s\"", i == 0 ? "" : i == key->ncolumn - 1 ? " and " : ", ",
						 table->columns[key->columns[i]].name);
	return buf.data;
}

/* The same columns, in whatever order? */
static bool
same_columns(const UniqueKey *a, const UniqueKey *b)
{
	int			i;
	int			j;

	if (a->ncolumn != b->ncolumn)
		return false;
	for (i = 0; i < a->ncolumn; i++)
	{
		for (j = 0; j < b->ncolumn && a->columns[i] != b->columns[j]; j++)
			;
		if (j == b->ncolumn)
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------------
 * Indexes
 * ------------------------------------------------------------------------ */

/* Find the index of each key; a missing one (a restore has not come to it) stays unknown. */
void
sigma_unique_find_indexes(InputTable *table, Relation rel)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *cell;
	int			i;
	int			j;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		for (i = 0; i < table->nkey; i++)
		{
			UniqueKey  *key = &table->keys[i];

			if (!index_serves(index, table, key))
				continue;
			key->index = RelationGetRelid(index);
			for (j = 0; j < key->ncolumn; j++)
				key->equal[j] =
					get_opcode(get_opfamily_member(index->rd_opfamily[j], index->rd_opcintype[j],
												   index->rd_opcintype[j], BTEqualStrategyNumber));
		}
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
}

/* Is it a whole unique index over just the columns of that key, its texts folded where case is ignored? */
static bool
index_serves(Relation index, const InputTable *table, const UniqueKey *key)
{
	Form_pg_index form = index->rd_index;
	List	   *expressions;
	int			next = 0;
	int			i;

	if (!form->indisunique || !form->indisvalid || form->indnkeyatts != key->ncolumn ||
		index->rd_rel->relam != BTREE_AM_OID || RelationGetIndexPredicate(index) != NIL)
		return false;
	expressions = RelationGetIndexExpressions(index);
	for (i = 0; i < key->ncolumn; i++)
	{
		AttrNumber	attnum = table->columns[key->columns[i]].attnum;

		if (!AttributeNumberIsValid(attnum))
			return false;
		if (AttributeNumberIsValid(form->indkey.values[i]))
		{
			if (sigma_key_folds(table, key, i) || form->indkey.values[i] != attnum)
				return false;
		}
		else if (!sigma_key_folds(table, key, i) || !is_folded(list_nth(expressions, next++), attnum))
			return false;
	}
	return true;
}

/* Is it lower(column)? */
static bool
is_folded(const Node *expression, AttrNumber attnum)
{
	const FuncExpr *call = (const FuncExpr *) expression;

	if (!IsA(expression, FuncExpr) || call->funcid != F_LOWER_TEXT || !IsA(linitial(call->args), Var))
		return false;
	return ((const Var *) linitial(call->args))->varattno == attnum;
}

/* ------------------------------------------------------------------------
 * Values
 * ------------------------------------------------------------------------ */

/* See input_table.h. */
bool
sigma_key_folds(const InputTable *table, const UniqueKey *key, int i)
{
	ColumnType	type = table->columns[key->columns[i]].type;

	return key->ignore_case && (type == COLUMN_TEXT || type == COLUMN_DROPDOWN);
}

/* See input_table.h. */
bool
sigma_key_values(const UniqueKey *key, const Datum *values, const bool *nulls, Datum *result)
{
	int			i;

	for (i = 0; i < key->ncolumn; i++)
	{
		if (nulls[key->columns[i]])
			return false;
		result[i] = values[key->columns[i]];
	}
	return true;
}

/* See input_table.h: every index page must have room for them. */
bool
sigma_key_fits(const InputTable *table, const UniqueKey *key, const Datum *values)
{
	Size		bytes = 0;
	int			i;

	for (i = 0; i < key->ncolumn; i++)
		if (sigma_column_types[table->columns[key->columns[i]].type].length == -1)
			bytes += toast_raw_datum_size(values[i]) - VARHDRSZ;
	return bytes <= MAX_UNIQUE_BYTES;
}

/* See input_table.h. */
int64
sigma_table_conflict(const InputTable *table, const UniqueKey *key, const Datum *values, int64 row_id)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	int64		holder;

	if (OidIsValid(key->index))
		LockRelationOid(key->index, AccessShareLock);
	holder = sigma_unique_holder(table, key, rel, values, row_id);
	table_close(rel, NoLock);
	return holder;
}

/*
 * Row id of the row other than "row_id" that holds the values, or 0.  Sees what is
 * committed and what this transaction wrote, earlier rows of the same statement
 * included.  The index must be locked, as it is in a statement that writes the table.
 */
int64
sigma_unique_holder(const InputTable *table, const UniqueKey *key, Relation rel,
					const Datum *values, int64 row_id)
{
	Relation	index;
	IndexScanDesc scan;
	ScanKeyData scan_keys[INDEX_MAX_KEYS];
	TupleTableSlot *slot = NULL;
	int64		holder = 0;
	int			i;

	if (!OidIsValid(key->index) || !sigma_key_fits(table, key, values))
		return 0;
	index = index_open(key->index, NoLock);
	for (i = 0; i < key->ncolumn; i++)
		ScanKeyEntryInitialize(&scan_keys[i], 0, i + 1, BTEqualStrategyNumber, InvalidOid,
							   index->rd_indcollation[i], key->equal[i],
							   sigma_key_folds(table, key, i) ?
							   DirectFunctionCall1Coll(lower, DEFAULT_COLLATION_OID, values[i]) : values[i]);
	scan = sigma_index_beginscan(rel, index, SnapshotSelf, key->ncolumn);
	index_rescan(scan, scan_keys, key->ncolumn, NULL, 0);
	while (holder == 0 && index_getnext_tid(scan, ForwardScanDirection) != NULL)
	{
		bool		isnull;
		Datum		found;

		if (slot == NULL)
			slot = table_slot_create(rel, NULL);
		if (!index_fetch_heap(scan, slot))
			continue;
		found = slot_getattr(slot, table->row_id, &isnull);
		if (!isnull && DatumGetInt64(found) != row_id)
			holder = DatumGetInt64(found);
	}
	index_endscan(scan);
	if (slot != NULL)
		ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	return holder;
}

/* The failure of a unique rule by these values, in the current context. */
Failure *
sigma_unique_failure(const InputTable *table, const UniqueKey *key, const Datum *values)
{
	bool		fits = sigma_key_fits(table, key, values);
	const char *message = fits ? key->message :
		key->column >= 0 ? "is too long for a unique column, which takes 2000 bytes" :
		psprintf("is too long to be unique in %s, which take 2000 bytes together", list_columns(table, key));
	Failure    *failure;
	StringInfoData shown;
	int			i;

	if (key->column >= 0)
		failure = sigma_failure_new(&table->columns[key->column], "unique", message, values[0], false);
	else
	{
		initStringInfo(&shown);
		for (i = 0; i < key->ncolumn; i++)
			appendStringInfo(&shown, "%s%s", i > 0 ? ", " : "",
							 sigma_failure_new(&table->columns[key->columns[i]], "unique", message,
											   values[i], false)->value);
		failure = palloc0(sizeof(Failure));
		failure->row = -1;
		failure->rule = "unique";
		failure->message = message;
		failure->value = shown.data;
		failure->constraint = key->constraint;
	}
	failure->own_message = fits && key->own_message;
	return failure;
}
