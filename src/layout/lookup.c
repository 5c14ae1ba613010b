/*
 * lookup.c
 *		Rows of sigma.sigma_layout_elements, looked up through its indexes.
 *
 * Nothing here is checked against the rights of the caller: it is what triggers need to
 * keep the tree.  Results are in the current context.
 */
#include "postgres.h"

#include <limits.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "common/catalog.h"
#include "compat.h"
#include "layout/layout.h"

static void find_range(List *ids, const char **least, const char **greatest);
static int	compare_ids(const char *a, const char *b);

/* A copy of the row of that id, or NULL. */
HeapTuple
sigma_layout_row(Relation rel, Snapshot snapshot, const char *id)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	/* varchar has no operators of its own: its index compares as text */
	ScanKeyEntryInitialize(&key, 0, LAYOUT_ID, BTEqualStrategyNumber, TEXTOID,
						   DEFAULT_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(id));
	scan = systable_beginscan(rel, sigma_relation_oid(LAYOUT_TABLE "_pkey"), true, snapshot, 1, &key);
	row = systable_getnext(scan);
	if (row != NULL)
		row = heap_copytuple(row);
	systable_endscan(scan);
	return row;
}

/* One more than the greatest position under that parent (NULL: of the roots), by the newest snapshot. */
int32
sigma_layout_next_position(Relation rel, const char *parent_id)
{
	Relation	index = index_open(sigma_relation_oid(LAYOUT_TABLE "_parent_id"), AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	int32		next = 0;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyEntryInitialize(&key, parent_id == NULL ? SK_ISNULL | SK_SEARCHNULL : 0,
						   LAYOUT_PARENT, parent_id == NULL ? InvalidStrategy : BTEqualStrategyNumber,
						   TEXTOID, DEFAULT_COLLATION_OID, parent_id == NULL ? InvalidOid : F_TEXTEQ,
						   parent_id == NULL ? (Datum) 0 : CStringGetTextDatum(parent_id));
	/* the index is on (parent_id, position): the last entry has the greatest position */
	scan = systable_beginscan_ordered(rel, index, snapshot, 1, &key);
	while ((row = systable_getnext_ordered(scan, BackwardScanDirection)) != NULL)
	{
		bool		isnull;
		Datum		value = heap_getattr(row, LAYOUT_POSITION, RelationGetDescr(rel), &isnull);

		if (isnull)
			continue;
		next = DatumGetInt32(value);
		if (next < INT_MAX)
			next++;
		break;
	}
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	return next;
}

/*
 * Which of these ids (C strings) may rows name as their parents?  A List of those and of
 * others between them; false where looking for each of them would take no longer.  The
 * index is gone through from one parent to the next; its entries may be those of rows
 * that are gone.
 */
bool
sigma_layout_named_parents(Relation rel, List *ids, List **parents)
{
	Relation	index = index_open(sigma_relation_oid(LAYOUT_TABLE "_parent_id"), AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	IndexScanDesc scan = sigma_index_beginscan(rel, index, snapshot, 1);
	const char *least;
	const char *greatest;
	bool		more = true;
	ScanKeyData key;

	find_range(ids, &least, &greatest);
	scan->xs_want_itup = true;
	*parents = NIL;
	ScanKeyEntryInitialize(&key, 0, 1, BTGreaterEqualStrategyNumber, TEXTOID,
						   DEFAULT_COLLATION_OID, F_TEXT_GE, CStringGetTextDatum(least));
	while (list_length(*parents) < list_length(ids))
	{
		char	   *id = NULL;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		index_rescan(scan, &key, 1, NULL, 0);
		if (index_getnext_tid(scan, ForwardScanDirection) != NULL)
			id = TextDatumGetCString(index_getattr(scan->xs_itup, 1, scan->xs_itupdesc, &isnull));
		more = id != NULL && compare_ids(id, greatest) <= 0;
		if (!more)
			break;
		*parents = lappend(*parents, id);
		ScanKeyEntryInitialize(&key, 0, 1, BTGreaterStrategyNumber, TEXTOID,
							   DEFAULT_COLLATION_OID, F_TEXT_GT, CStringGetTextDatum(id));
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	return !more;
}

/* The first and the last of some ids, in the order of the index. */
static void
find_range(List *ids, const char **least, const char **greatest)
{
	ListCell   *cell;

	*least = *greatest = linitial(ids);
	foreach(cell, ids)
	{
		if (compare_ids(lfirst(cell), *greatest) > 0)
			*greatest = lfirst(cell);
		else if (compare_ids(lfirst(cell), *least) < 0)
			*least = lfirst(cell);
	}
}

static int
compare_ids(const char *a, const char *b)
{
	return varstr_cmp(a, strlen(a), b, strlen(b), DEFAULT_COLLATION_OID);
}
