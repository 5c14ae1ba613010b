/*
 * view_users.c
 *		Views whose computed columns read other input tables, while those change.
 *
 * A formula over another table makes the warehouse view depend on columns of that
 * table's relations, and PostgreSQL lets none of them go or change its type.  Before
 * such a change the views that are in its way are blanked: they keep their columns,
 * grants and whatever stands on them, but read nothing of the other table.  Afterwards
 * they are defined again from their definitions.  A column whose formula names what is
 * gone is null then, and its comment says why.
 *
 * Views are found by their dependencies, not by names in formulas: a formula may name a
 * computed column that reads the table, or one of its relations.
 *
 * Locks.  ACCESS EXCLUSIVE on the views, in the order of their OIDs and before the data
 * table is locked, as readers do.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_rewrite.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "input_table/computed.h"
#include "input_table/define.h"
#include "input_table/linked.h"
#include "input_table/published.h"

/* A view that is blank for a while. */
typedef struct BlankView
{
	const char *id;				/* of its input table */
	Oid			relid;
	List	   *reads;			/* relations that it read */
	int			broken;			/* columns that could not be computed before */
} BlankView;

/* A search for views. */
typedef struct Search
{
	const char *id;				/* of the table that changes: its own view is not looked for */
	List	   *views;			/* found, of Oid */
	List	   *seen;			/* relations whose users were looked at, or are */
} Search;

static bool changes_all(const TableChange *change);
static void search_changed(Search *search, const TableChange *change, Oid relid);
static void search_users(Search *search, Oid relid, const Bitmapset *columns);

/*
 * Blank the views of other tables that stand in the way of a change of a table ("change"
 * NULL: it is deleted).  Returns what sigma_view_users_resume needs, as a List in the
 * current context.
 */
List *
sigma_view_users_suspend(const char *id, const TableChange *change)
{
	Oid			relations[] = {
		sigma_rows_oid(id), sigma_published_oid(id), sigma_data_table_oid(id),
		get_relname_relid(sigma_shown_view_name(id), sigma_sigds_namespace()), sigma_view_oid(id)
	};
	Search		search = {id, NIL, NIL};
	List	   *users = NIL;
	ListCell   *lc;
	int			i;

	for (i = 0; i < lengthof(relations); i++)
		if (!OidIsValid(relations[i]))
			continue;
		else if (change == NULL || changes_all(change))
			search_users(&search, relations[i], NULL);
		else
			search_changed(&search, change, relations[i]);
	list_sort(search.views, list_oid_cmp);
	foreach(lc, search.views)
	{
		BlankView  *user = palloc(sizeof(BlankView));

		user->relid = lfirst_oid(lc);
		LockRelationOid(user->relid, AccessExclusiveLock);
		if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(user->relid)))
			continue;			/* dropped while we waited */
		user->id = sigma_view_table_id(user->relid);
		user->broken = sigma_view_broken(user->relid);
		user->reads = sigma_view_reads(user->relid);
		sigma_view_blank(user->id, user->relid);
		users = lappend(users, user);
	}
	return users;
}

/*
 * Define them again, when table "id" has changed.  Without cascade, SG409 where a column
 * that could be computed cannot be any more; 42501 where the caller may not select what a
 * view did not read before, since a name in it means another relation now.
 */
void
sigma_view_users_resume(List *users, const char *id, bool cascade)
{
	List	   *own = list_make5_oid(sigma_data_table_oid(id), sigma_published_oid(id), sigma_rows_oid(id), sigma_view_oid(id),
									 get_relname_relid(sigma_shown_view_name(id), sigma_sigds_namespace()));
	ListCell   *lc;

	if (users != NIL)
		CommandCounterIncrement();
	foreach(lc, users)
	{
		BlankView  *user = lfirst(lc);
		JsonNode   *document = sigma_catalog_read(DOCUMENT_INPUT_TABLE, user->id);
		const char *problem = NULL;

		/* a rename that the table followed may have made it anew */
		if (document == NULL || !OidIsValid(sigma_view_oid(user->id)))
			continue;
		if (sigma_view_refresh(sigma_definition_read(document), sigma_view_oid(user->id),
							   list_concat_copy(user->reads, own), &problem) > user->broken && !cascade)
			ereport(ERROR,
					(errcode(ERRCODE_SIGMA_CONFLICT),
					 errmsg("a computed column of input table \"%s\" could not be computed any more", user->id),
					 errdetail_internal("%s", problem),
					 errhint("Change it first, or give cascade => true to leave it null.")));
	}
}

/* May what formulas of others read change, beyond columns of the data table? */
static bool
changes_all(const TableChange *change)
{
	int			i;

	if (sigma_is_linked(change->before->document) || sigma_row_security_touched(change) ||
		sigma_is_draft(change->before) != sigma_is_draft(change->after))
		return true;
	for (i = 0; i < change->ncomputed; i++)
	{
		const ColumnChange *column = &change->computed[i];

		if (column->before != NULL &&
			(column->after == NULL || sigma_column_retyped(column) ||
			 !sigma_json_equal(sigma_column_formula(column->before->node), sigma_column_formula(column->after->node))))
			return true;
	}
	return false;
}

/* Search for users of columns that go or change their type. */
static void
search_changed(Search *search, const TableChange *change, Oid relid)
{
	Bitmapset  *columns = NULL;
	int			i;

	for (i = 0; i < change->ncolumn; i++)
	{
		const ColumnChange *column = &change->columns[i];
		AttrNumber	attnum;

		if (!sigma_column_lost(column))
			continue;
		attnum = get_attnum(relid, column->before->name);
		if (attnum > 0)
			columns = bms_add_member(columns, attnum);
	}
	if (columns == NULL)
		return;
	/* the table's own view is dropped for it, with all its columns */
	search_users(search, relid, get_rel_relkind(relid) == RELKIND_VIEW ? NULL : columns);
}

/*
 * Add the warehouse views of other tables that read a relation, or those columns of it.  The
 * views of linked tables are made anew by themselves: what reads them counts.
 */
static void
search_users(Search *search, Oid relid, const Bitmapset *columns)
{
	ListCell   *lc;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (list_member_oid(search->seen, relid))
		return;
	search->seen = lappend_oid(search->seen, relid);
	foreach(lc, sigma_view_rules(relid, columns))
	{
		Oid			view = sigma_rule_relation(lfirst_oid(lc));
		char	   *id = sigma_view_table_id(view);
		JsonNode   *document = id == NULL ? NULL : sigma_catalog_read(DOCUMENT_INPUT_TABLE, id);

		if (id != NULL && strcmp(id, search->id) == 0)
			continue;
		if (document != NULL && !sigma_is_linked(document))
			search->views = list_append_unique_oid(search->views, view);
		else if (document != NULL || get_rel_namespace(view) == sigma_sigds_namespace())
			search_users(search, view, NULL);
	}
}

/* The rewrite rules that read a relation, or those columns of it, as a List of Oid. */
List *
sigma_view_rules(Oid relid, const Bitmapset *columns)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	List	   *rules = NIL;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend entry = (Form_pg_depend) GETSTRUCT(tuple);

		if (entry->classid == RewriteRelationId && entry->deptype == DEPENDENCY_NORMAL &&
			(columns == NULL || bms_is_member(entry->refobjsubid, columns)))
			rules = list_append_unique_oid(rules, entry->objid);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return rules;
}
