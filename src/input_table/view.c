/*
 * view.c
 *		Warehouse views: the published rows of an input table, under its display name.
 *
 * Each input table has one view in schema sigma_views.  It belongs to the owner of
 * schema sigds and reads the data table with that role's rights, so that who may
 * read the view needs no right on sigds; security_barrier keeps the functions of a
 * reader's WHERE clause from rows that the view leaves out.
 *
 * A view is known by its dependency on the data table and by its comment, which
 * holds the table's id: neither a rename by hand nor a restore loses it.  Columns
 * that are added come last and renamed ones are renamed in place, so that views of
 * others on top of it stay.  Where a column goes or changes its type the view is
 * made anew, with the grants that it had; other views on it are then an obstacle
 * (2BP01), as they are for PostgreSQL's own ALTER TABLE.
 *
 * Locks.  Readers lock the view first and the data table second, so does a change
 * of both: ACCESS EXCLUSIVE on the view, then on the table.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_rewrite.h"
#include "commands/comment.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "rewrite/rewriteSupport.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "common/spi.h"
#include "compat.h"
#include "input_table/computed.h"
#include "input_table/define.h"
#include "input_table/linked.h"
#include "input_table/view_columns.h"

static Oid	find_view(Oid relid, const char *id);
static Oid	views_namespace(void);
static bool is_view_of(Oid relid, const char *id);
static char *comment_for(const char *id);
static const char *display_name(const TableDefinition *table);
static char *view_name(const char *name);
static const char *options_of(const TableDefinition *table);
static int	replace_view(const TableDefinition *table, Oid relid, const char **problem);
static bool is_touched(const TableChange *change);
static bool must_replace(const TableChange *change);
static void drop_view(ViewChange *view);
static void create_view(const TableDefinition *table, ViewChange *view);
static void finish_view(const TableDefinition *table, const ViewChange *view);
static void refuse_broken(const TableDefinition *table, int before);
static void rename_columns(const char *name, const TableChange *change);

/*
 * The display name must be able to name a view, and be free in sigma_views: SG400
 * and 42P07 at "name", or at "id" where the table has none.  Locks nothing.
 */
void
sigma_view_check_name(JsonNode *document, bool restoring)
{
	const char *id = sigma_json_get_string(document, "id", "");
	const char *name = sigma_json_get_string(document, "name", unconstify(char *, id));
	const JsonNode *where = sigma_json_get(document, name == id ? "id" : "name");
	Oid			found;

	if (name[0] == '\0')
		sigma_document_error(where, 0, "Leave it out to show the id.", "the display name must not be empty");
	if (strlen(name) >= NAMEDATALEN)
		sigma_document_error(where, 0,
							 psprintf("It names the view of the table's rows: give a \"name\" of at most %d bytes.",
									  NAMEDATALEN - 1),
							 "display name \"%s\" is too long", name);
	if (restoring)
		return;
	found = get_relname_relid(name, views_namespace());
	if (OidIsValid(found) && !is_view_of(found, id))
		sigma_document_error(where, ERRCODE_DUPLICATE_TABLE,
							 "Choose another \"name\", or drop or rename that relation.",
							 "relation \"" VIEWS_SCHEMA ".%s\" already exists", name);
}

/* The warehouse view of an input table; InvalidOid where there is none. */
Oid
sigma_view_oid(const char *id)
{
	Oid			relid = get_relname_relid(sigma_shown_view_name(id), sigma_sigds_namespace());

	if (!OidIsValid(relid))
		relid = sigma_data_table_oid(id);
	return OidIsValid(relid) ? find_view(relid, id) : InvalidOid;
}

/* The view on a relation that says that it is the input table's of that id. */
static Oid
find_view(Oid relid, const char *id)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			last = InvalidOid;
	Oid			found = InvalidOid;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (!OidIsValid(found) && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend entry = (Form_pg_depend) GETSTRUCT(tuple);
		Oid			view;

		if (entry->classid != RewriteRelationId || entry->objid == last)
			continue;			/* one entry for each column that a view reads */
		last = entry->objid;
		view = sigma_rule_relation(entry->objid);
		if (OidIsValid(view) && is_view_of(view, id))
			found = view;
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return found;
}

/* The relation of a rewrite rule; InvalidOid where it is gone. */
Oid
sigma_rule_relation(Oid rule)
{
	Relation	rewrite = table_open(RewriteRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			owner = InvalidOid;

	ScanKeyInit(&key, Anum_pg_rewrite_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(rule));
	scan = systable_beginscan(rewrite, RewriteOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		owner = ((Form_pg_rewrite) GETSTRUCT(tuple))->ev_class;
	systable_endscan(scan);
	table_close(rewrite, AccessShareLock);
	return owner;
}

/* Is the relation the warehouse view of the input table of that id? */
static bool
is_view_of(Oid relid, const char *id)
{
	char	   *comment;

	if (get_rel_namespace(relid) != views_namespace() || get_rel_relkind(relid) != RELKIND_VIEW)
		return false;
	comment = GetComment(relid, RelationRelationId, 0);
	return comment != NULL && strcmp(comment, comment_for(id)) == 0;
}

/* What the view of an input table is recognised by. */
static char *
comment_for(const char *id)
{
	return psprintf("published rows of input table %s", id);
}

/* Schema sigma_views; 3F000 where it is gone. */
static Oid
views_namespace(void)
{
	return get_namespace_oid(VIEWS_SCHEMA, false);
}

/* Under which name people know the table. */
static const char *
display_name(const TableDefinition *table)
{
	return sigma_json_get_string(table->document, "name", unconstify(char *, table->id));
}

/* A view of schema sigma_views, quoted. */
static char *
view_name(const char *name)
{
	return quote_qualified_identifier(VIEWS_SCHEMA, name);
}

/* That of a linked table reads with the rights of its reader. */
static const char *
options_of(const TableDefinition *table)
{
	return table->nkey > 0 ? "security_invoker, security_barrier" : "security_barrier";
}

/*
 * Make the view of a table that has none; one that outlived its definition, which
 * dropping the extension leaves behind, is made anew with its grants.
 */
void
sigma_view_create(const TableDefinition *table)
{
	ViewChange	view = {0};
	OwnerScope	scope;

	view.relid = sigma_view_oid(table->id);
	if (sigma_is_linked(table->document))
	{
		sigma_linked_views_begin(table->id, &view);
		(void) sigma_view_create_linked(table, &view);
		return;
	}
	if (OidIsValid(view.relid))
		sigma_view_save_grants(&view);
	SPI_connect();
	sigma_view_begin_ddl(&scope);
	if (OidIsValid(view.relid))
		drop_view(&view);
	create_view(table, &view);
	sigma_owner_end(&scope);
	SPI_finish();
}

/* Drop the view, if there is one; 2BP01 where another view needs it. */
void
sigma_view_drop(const char *id)
{
	ViewChange	view = {0};
	OwnerScope	scope;

	view.relid = sigma_view_oid(id);
	if (OidIsValid(get_relname_relid(sigma_entry_table_name(id), sigma_sigds_namespace())))
	{
		sigma_linked_views_begin(id, &view);
		return;
	}
	if (!OidIsValid(view.relid))
		return;
	LockRelationOid(view.relid, AccessExclusiveLock);
	SPI_connect();
	sigma_view_begin_ddl(&scope);
	drop_view(&view);
	sigma_owner_end(&scope);
	SPI_finish();
}

/*
 * First half of a change, before the data table is locked: lock the view, and drop
 * it where the change takes a column away that it reads.  "view" is for
 * sigma_view_finish.
 */
void
sigma_view_begin(const TableChange *change, ViewChange *view)
{
	OwnerScope	scope;

	memset(view, 0, sizeof(ViewChange));
	view->relid = sigma_view_oid(change->before->id);
	view->reads = sigma_view_reads(view->relid);
	view->broken = OidIsValid(view->relid) ? sigma_view_broken(view->relid) : 0;
	if (!is_touched(change))
	{
		view->relid = InvalidOid;
		return;
	}
	view->change = change;
	view->users = sigma_view_users_suspend(change->before->id, change);
	if (sigma_is_linked(change->before->document))
	{
		sigma_linked_views_begin(change->before->id, view);
		return;
	}
	if (!OidIsValid(view->relid))
		return;
	LockRelationOid(view->relid, AccessExclusiveLock);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(view->relid)))
		view->relid = InvalidOid;	/* dropped by its owner while we waited */
	else if (must_replace(change))
	{
		view->suspended = sigma_linked_suspend(change->before->id);
		sigma_view_save_grants(view);
		SPI_connect();
		sigma_view_begin_ddl(&scope);
		drop_view(view);
		sigma_owner_end(&scope);
		SPI_finish();
	}
}

/* Second half, when the data table is as it shall be: rename, add columns, or make it anew. */
void
sigma_view_finish(const TableChange *change, ViewChange *view)
{
	const TableDefinition *after = change->after;
	OwnerScope	scope;
	const char *problem;
	char	   *name;

	if (!is_touched(change))
		return;
	if (sigma_is_linked(after->document))
	{
		if (sigma_view_create_linked(after, view) && sigma_session.origin != ORIGIN_SYSTEM)
			refuse_broken(after, view->broken);
		return;
	}
	SPI_connect();
	sigma_view_begin_ddl(&scope);
	CommandCounterIncrement();
	if (!OidIsValid(view->relid))
		create_view(after, view);
	else
	{
		name = view_name(get_rel_name(view->relid));
		rename_columns(name, change);
		CommandCounterIncrement();
		(void) replace_view(after, view->relid, &problem);
		if (strcmp(get_rel_name(view->relid), display_name(after)) != 0)
			sigma_ddl_run("ALTER VIEW %s RENAME TO %s", name, quote_identifier(display_name(after)));
	}
	sigma_owner_end(&scope);
	SPI_finish();
}

/*
 * SG409 where more columns of a linked table's view than before are null because they
 * cannot be computed: while it is made, the views that read it are not there.
 */
static void
refuse_broken(const TableDefinition *table, int before)
{
	List	   *problems;

	CommandCounterIncrement();
	if (sigma_view_broken(sigma_view_oid(table->id)) <= before || (problems = sigma_view_problems(table)) == NIL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_SIGMA_CONFLICT),
			 errmsg("a computed column of input table \"%s\" cannot be computed", table->id),
			 errdetail_internal("%s.", (char *) linitial(problems)),
			 errhint("Linked tables cannot read each other's rows in a circle.")));
}

/* The relations that a view reads, as a List of OIDs. */
List *
sigma_view_reads(Oid view)
{
	Oid			rule = OidIsValid(view) ? get_rewrite_oid(view, "_RETURN", true) : InvalidOid;
	Relation	depend;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *relations = NIL;

	if (!OidIsValid(rule))
		return NIL;
	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(RewriteRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(rule));
	scan = systable_beginscan(depend, DependDependerIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend entry = (Form_pg_depend) GETSTRUCT(tuple);

		if (entry->refclassid == RelationRelationId)
			relations = list_append_unique_oid(relations, entry->refobjid);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return relations;
}

/*
 * Define a view anew, with the columns that it has and what they are called.  Returns how
 * many computed columns are null because their formulas cannot be computed, with the
 * first reason in *problem.  42501 where the caller may not select what it reads, but for
 * relations that are "known".  The caller holds ACCESS EXCLUSIVE on it.
 */
int
sigma_view_refresh(const TableDefinition *table, Oid relid, List *known, const char **problem)
{
	MemoryContext caller = CurrentMemoryContext;
	OwnerScope	scope;
	int			broken;

	sigma_computed_check_rights(table->document, table->document, sigma_view_rows(table), known, true);
	SPI_connect();
	sigma_view_begin_ddl(&scope);
	broken = replace_view(table, relid, problem);
	if (broken > 0)
		*problem = MemoryContextStrdup(caller, *problem);
	sigma_owner_end(&scope);
	SPI_finish();
	return broken;
}

/* The same within sigma_view_begin_ddl. */
static int
replace_view(const TableDefinition *table, Oid relid, const char **problem)
{
	char	   *rows;
	List	   *columns = sigma_view_columns_ordered(sigma_view_columns(table, &rows), relid);
	ListCell   *lc;

	foreach(lc, columns)
	{
		ViewColumn *column = lfirst(lc);
		AttrNumber	attnum = get_attnum(relid, column->name);

		if (column->problem != NULL && attnum != InvalidAttrNumber)
			column->expression = sigma_view_null_column(relid, attnum);
	}
	sigma_ddl_run("CREATE OR REPLACE VIEW %s WITH (%s) AS %s", view_name(get_rel_name(relid)),
				  options_of(table), sigma_view_query(columns, rows));
	CommandCounterIncrement();
	return sigma_view_mark_columns(columns, relid, problem);
}

/*
 * Let a view that others may stand on read nothing but the data table it belongs to, and
 * no column of that: it has no rows until sigma_view_refresh.  As that.
 */
void
sigma_view_blank(const char *id, Oid relid)
{
	Relation	view = table_open(relid, NoLock);
	TupleDesc	desc = RelationGetDescr(view);
	StringInfoData sql;
	OwnerScope	scope;
	int			i;

	initStringInfo(&sql);
	for (i = 0; i < desc->natts; i++)
		appendStringInfo(&sql, "%s%s AS %s", i == 0 ? "" : ", ", sigma_view_null_column(relid, i + 1),
						 quote_identifier(NameStr(TupleDescAttr(desc, i)->attname)));
	table_close(view, NoLock);
	SPI_connect();
	sigma_view_begin_ddl(&scope);
	sigma_ddl_run("CREATE OR REPLACE VIEW %s WITH (security_barrier) AS SELECT %s FROM %s r WHERE false",
				  view_name(get_rel_name(relid)), sql.data, sigma_ddl_name(sigma_rows_name(id)));
	sigma_owner_end(&scope);
	SPI_finish();
	CommandCounterIncrement();
}

/* The id of the input table whose warehouse view a relation is, or NULL. */
char *
sigma_view_table_id(Oid relid)
{
	char	   *prefix = comment_for("");
	char	   *comment;

	if (get_rel_namespace(relid) != views_namespace() || get_rel_relkind(relid) != RELKIND_VIEW)
		return NULL;
	comment = GetComment(relid, RelationRelationId, 0);
	return comment != NULL && strncmp(comment, prefix, strlen(prefix)) == 0 ? comment + strlen(prefix) : NULL;
}

/* Does the change show in the view?  Name, columns, and which rows are published. */
static bool
is_touched(const TableChange *change)
{
	int			i;

	if (strcmp(display_name(change->before), display_name(change->after)) != 0 ||
		!sigma_definition_same(sigma_json_get(change->before->document, "linked_columns"),
							   sigma_json_get(change->after->document, "linked_columns")) ||
		!sigma_definition_same(sigma_json_get(change->before->document, "key_columns"),
							   sigma_json_get(change->after->document, "key_columns")) ||
		!sigma_definition_same(sigma_json_get(change->before->document, "data_entry_permission"),
							   sigma_json_get(change->after->document, "data_entry_permission")) ||
		sigma_row_security_touched(change))
		return true;
	for (i = 0; i < change->ncolumn; i++)
		if (change->columns[i].before == NULL || change->columns[i].after == NULL ||
			sigma_column_renamed(&change->columns[i]) || sigma_column_retyped(&change->columns[i]))
			return true;
	for (i = 0; i < change->ncomputed; i++)
		if (change->computed[i].before == NULL || change->computed[i].after == NULL ||
			sigma_column_renamed(&change->computed[i]) || sigma_column_retyped(&change->computed[i]) ||
			!sigma_json_equal(sigma_column_formula(change->computed[i].before->node),
							  sigma_column_formula(change->computed[i].after->node)))
			return true;
	return false;
}

/* Does the view lose a column, or the type of one? */
static bool
must_replace(const TableChange *change)
{
	int			i;

	for (i = 0; i < change->ncolumn; i++)
		if (change->columns[i].after == NULL || sigma_column_retyped(&change->columns[i]))
			return true;
	for (i = 0; i < change->ncomputed; i++)
		if (change->computed[i].after == NULL || sigma_column_retyped(&change->computed[i]))
			return true;
	return false;
}

/* Become the owner of sigds; 42501 where that role may make nothing in sigma_views. */
void
sigma_view_begin_ddl(OwnerScope *scope)
{
	Oid			owner = sigma_sigds_owner();

	if (sigma_namespace_aclcheck(views_namespace(), owner, ACL_CREATE) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the owner of schema \"sigds\" may not create views in schema \"" VIEWS_SCHEMA "\""),
				 errhint("Grant role \"%s\" USAGE and CREATE on schema \"" VIEWS_SCHEMA "\".",
						 GetUserNameFromId(owner, false))));
	sigma_ddl_begin(scope);
}

/* Drop a view; afterwards the change has no relation. */
static void
drop_view(ViewChange *view)
{
	sigma_ddl_run("DROP VIEW %s", view_name(get_rel_name(view->relid)));
	view->relid = InvalidOid;
}

/* Make the view, with the grants of the one that it replaces. */
static void
create_view(const TableDefinition *table, ViewChange *view)
{
	char	   *name = view_name(display_name(table));
	const char *problem;
	List	   *columns;
	char	   *rows;

	columns = sigma_view_columns(table, &rows);
	sigma_ddl_run("CREATE VIEW %s WITH (%s) AS %s", name, options_of(table), sigma_view_query(columns, rows));
	finish_view(table, view);
	(void) sigma_view_mark_columns(columns, get_relname_relid(display_name(table), views_namespace()), &problem);
}

/* Make the views of a linked table; false, and there are none, while its source is missing. */
bool
sigma_view_create_linked(const TableDefinition *table, ViewChange *view)
{
	OwnerScope	scope;

	if (!sigma_linked_views_finish(table, view))
		return false;
	SPI_connect();
	sigma_view_begin_ddl(&scope);
	create_view(table, view);
	sigma_owner_end(&scope);
	SPI_finish();
	return true;
}

/* A view that was just made gets its comment, and the grants of the one that it replaces. */
static void
finish_view(const TableDefinition *table, const ViewChange *view)
{
	sigma_ddl_run("COMMENT ON VIEW %s IS %s", view_name(display_name(table)), quote_literal_cstr(comment_for(table->id)));
	CommandCounterIncrement();
	if (view->saved)
		sigma_view_restore_grants(view, get_relname_relid(display_name(table), views_namespace()));
}

/* Columns of the view take the new names; where names change places they go by way of names that no column has. */
static void
rename_columns(const char *name, const TableChange *change)
{
	ColumnChange *column;
	int			i;

	for (i = 0; (column = sigma_change_column(change, i)) != NULL; i++)
		if (sigma_column_renamed(column))
			sigma_ddl_run("ALTER VIEW %s RENAME COLUMN %s TO sigma_renamed_%d", name,
						  quote_identifier(column->before->name), i);
	for (i = 0; (column = sigma_change_column(change, i)) != NULL; i++)
		if (sigma_column_renamed(column))
			sigma_ddl_run("ALTER VIEW %s RENAME COLUMN sigma_renamed_%d TO %s", name, i,
						  quote_identifier(column->after->name));
}
