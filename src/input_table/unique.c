/*
 * unique.c
 *		Who holds a unique value.
 *
 * The unique index is what keeps values unique.  Looking before it does lets a
 * duplicate be reported with the other failures of its row; what another session
 * writes at the same moment is left to the index and its 23505.
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

#include "compat.h"
#include "input_table/rules.h"

static bool index_serves(Relation index, const TableColumn *column);

/* Find the index of each unique column; a missing one (a restore has not come to it) stays unknown. */
void
sigma_unique_find_indexes(InputTable *table, Relation rel)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *cell;
	int			i;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		for (i = 0; i < table->ncolumn; i++)
		{
			TableColumn *column = &table->columns[i];

			if (column->unique && AttributeNumberIsValid(column->attnum) && index_serves(index, column))
			{
				column->unique_index = RelationGetRelid(index);
				column->unique_equal =
					get_opcode(get_opfamily_member(index->rd_opfamily[0], index->rd_opcintype[0],
												   index->rd_opcintype[0], BTEqualStrategyNumber));
			}
		}
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
}

/* Is it a whole unique index over just that column, folded where case is ignored? */
static bool
index_serves(Relation index, const TableColumn *column)
{
	Form_pg_index form = index->rd_index;
	FuncExpr   *expression;
	Var		   *argument;

	if (!form->indisunique || !form->indisvalid || form->indnkeyatts != 1 ||
		index->rd_rel->relam != BTREE_AM_OID || RelationGetIndexPredicate(index) != NIL)
		return false;
	if (!column->unique_ignore_case)
		return form->indkey.values[0] == column->attnum;
	if (form->indkey.values[0] != InvalidAttrNumber)
		return false;
	expression = linitial(RelationGetIndexExpressions(index));
	if (!IsA(expression, FuncExpr) || expression->funcid != F_LOWER_TEXT)
		return false;
	argument = linitial(expression->args);
	return IsA(argument, Var) && argument->varattno == column->attnum;
}

/* Is the value short enough for every index page? */
bool
sigma_unique_fits(const TableColumn *column, Datum value)
{
	return sigma_column_types[column->type].length != -1 ||
		toast_raw_datum_size(value) - VARHDRSZ <= MAX_UNIQUE_BYTES;
}

int64
sigma_table_conflict(const InputTable *table, const TableColumn *column, Datum value, int64 row_id)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	int64		holder;

	if (OidIsValid(column->unique_index))
		LockRelationOid(column->unique_index, AccessShareLock);
	holder = sigma_unique_holder(table, column, rel, value, row_id);
	table_close(rel, NoLock);
	return holder;
}

/*
 * Row id of the row other than "row_id" that holds the value, or 0.  Sees what is
 * committed and what this transaction wrote, earlier rows of the same statement
 * included.  The index must be locked, as it is in a statement that writes the table.
 */
int64
sigma_unique_holder(const InputTable *table, const TableColumn *column, Relation rel,
					Datum value, int64 row_id)
{
	Relation	index;
	IndexScanDesc scan;
	ScanKeyData key;
	TupleTableSlot *slot = NULL;
	int64		holder = 0;

	if (!OidIsValid(column->unique_index) || !sigma_unique_fits(column, value))
		return 0;
	if (column->unique_ignore_case)
		value = DirectFunctionCall1Coll(lower, DEFAULT_COLLATION_OID, value);
	index = index_open(column->unique_index, NoLock);
	ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid, index->rd_indcollation[0],
						   column->unique_equal, value);
	scan = sigma_index_beginscan(rel, index, SnapshotSelf, 1);
	index_rescan(scan, &key, 1, NULL, 0);
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
