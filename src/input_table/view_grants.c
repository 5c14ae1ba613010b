/*
 * view_grants.c
 *		Grants on a view that is dropped and made anew.
 *
 * They are copied from the catalogs before and written back as they were, grantors
 * and all; GRANT could not say by whom.  Grants on columns follow renames.
 *
 * The caller holds ACCESS EXCLUSIVE on the view.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common/spi.h"
#include "compat.h"
#include "input_table/define.h"

/* Grants on one column of a view that is made anew. */
typedef struct ColumnGrants
{
	const char *name;
	Acl		   *acl;
} ColumnGrants;

static const char *new_name(const TableChange *change, const char *name);
static void set_grants(Oid relid, AttrNumber attnum, Acl *acl);

/* Remember, in the current context, who may do what with a view that is to be dropped.  Locks it. */
void
sigma_view_save_grants(ViewChange *view)
{
	Relation	rel = table_open(view->relid, AccessExclusiveLock);
	TupleDesc	desc = RelationGetDescr(rel);
	HeapTuple	tuple;
	Datum		acl;
	bool		isnull;
	int			i;

	view->saved = true;
	view->owner = rel->rd_rel->relowner;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(view->relid));
	acl = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relacl, &isnull);
	view->acl = isnull ? NULL : DatumGetAclPCopy(acl);
	ReleaseSysCache(tuple);
	for (i = 0; i < desc->natts; i++)
	{
		tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(view->relid), Int16GetDatum(i + 1));
		acl = SysCacheGetAttr(ATTNUM, tuple, Anum_pg_attribute_attacl, &isnull);
		if (!isnull)
		{
			ColumnGrants *grants = palloc(sizeof(ColumnGrants));

			grants->name = pstrdup(NameStr(TupleDescAttr(desc, i)->attname));
			grants->acl = DatumGetAclPCopy(acl);
			view->columns = lappend(view->columns, grants);
		}
		ReleaseSysCache(tuple);
	}
	table_close(rel, NoLock);
}

/* Give them to the view that took its place; grants on columns that are gone go with them. */
void
sigma_view_restore_grants(const ViewChange *view, Oid relid)
{
	Oid			owner = sigma_relation_owner(relid);
	ListCell   *lc;

	set_grants(relid, InvalidAttrNumber,
			   view->acl == NULL || view->owner == owner ? view->acl : aclnewowner(view->acl, view->owner, owner));
	foreach(lc, view->columns)
	{
		ColumnGrants *grants = lfirst(lc);
		AttrNumber	attnum = get_attnum(relid, new_name(view->change, grants->name));

		if (attnum != InvalidAttrNumber)
			set_grants(relid, attnum, view->owner == owner ? grants->acl :
					   aclnewowner(grants->acl, view->owner, owner));
	}
}

/* What a column is called after the change. */
static const char *
new_name(const TableChange *change, const char *name)
{
	ColumnChange *column;
	int			i;

	for (i = 0; change != NULL && (column = sigma_change_column(change, i)) != NULL; i++)
		if (column->before != NULL && strcmp(column->before->name, name) == 0)
			return column->after == NULL ? "" : column->after->name;
	return name;
}

/* Set the access list of a relation, or of a column of it, with the dependencies on its roles. */
static void
set_grants(Oid relid, AttrNumber attnum, Acl *acl)
{
	bool		of_column = attnum != InvalidAttrNumber;
	Relation	catalog = table_open(of_column ? AttributeRelationId : RelationRelationId, RowExclusiveLock);
	HeapTuple	tuple = of_column ?
		SearchSysCacheCopy2(ATTNUM, ObjectIdGetDatum(relid), Int16GetDatum(attnum)) :
		SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(relid));
	int			column = of_column ? Anum_pg_attribute_attacl : Anum_pg_class_relacl;
	Datum		values[1] = {PointerGetDatum(acl)};
	bool		nulls[1] = {acl == NULL};
	bool		isnull;
	Datum		before = heap_getattr(tuple, column, RelationGetDescr(catalog), &isnull);
	Oid		   *old_members = NULL;
	Oid		   *new_members = NULL;
	int			nold = isnull ? 0 : aclmembers(DatumGetAclP(before), &old_members);
	int			nnew = acl == NULL ? 0 : aclmembers(acl, &new_members);

	tuple = heap_modify_tuple_by_cols(tuple, RelationGetDescr(catalog), 1, &column, values, nulls);
	CatalogTupleUpdate(catalog, &tuple->t_self, tuple);
	updateAclDependencies(RelationRelationId, relid, attnum, sigma_relation_owner(relid),
						  nold, old_members, nnew, new_members);
	table_close(catalog, RowExclusiveLock);
	CommandCounterIncrement();
}
