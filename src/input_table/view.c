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
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_namespace.h"
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
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "common/spi.h"
#include "compat.h"
#include "input_table/computed.h"
#include "input_table/define.h"
#include "input_table/linked.h"
#include "input_table/published.h"

#define VIEWS_SCHEMA	"sigma_views"
#define BROKEN_MARK		"not computed: "

/* One column of a view. */
typedef struct ViewColumn
{
	const char *name;
	const char *expression;		/* over the rows "r" */
	const char *problem;		/* why it is null instead of what its formula says, or NULL */
} ViewColumn;

/* Grants on one column of a view that is made anew. */
typedef struct ColumnGrants
{
	const char *name;
	Acl		   *acl;
} ColumnGrants;

static const char *const system_columns[] = {
	"sigma_row_id", "sigma_created_at", "sigma_updated_at", "sigma_created_by", "sigma_updated_by"
};

static Oid	find_view(Oid relid, const char *id);
static Oid	views_namespace(void);
static bool is_view_of(Oid relid, const char *id);
static char *comment_for(const char *id);
static const char *display_name(const TableDefinition *table);
static char *view_name(const char *name);
static const char *options_of(const TableDefinition *table);
static int	replace_view(const TableDefinition *table, Oid relid, const char **problem);
static char *null_column(Oid relid, AttrNumber attnum);
static int	mark_columns(List *columns, Oid relid, const char **problem);
static bool is_marked(Oid relid, AttrNumber attnum);
static bool is_touched(const TableChange *change);
static bool must_replace(const TableChange *change);
static void drop_view(ViewChange *view);
static void create_view(const TableDefinition *table, ViewChange *view);
static void finish_view(const TableDefinition *table, const ViewChange *view);
static void refuse_broken(const TableDefinition *table, int before);
static void rename_columns(const char *name, const TableChange *change);
static List *column_order(List *columns, Oid relid);
static List *columns_of(const TableDefinition *table, char **rows);
static char *published_rows(const TableDefinition *table);
static ViewColumn *new_column(const char *name, const char *expression);
static char *query_of(List *columns, const char *rows);
static const char *new_name(const TableChange *change, const char *name);
static void set_grants(Oid relid, AttrNumber attnum, Acl *acl);

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
	List	   *columns = column_order(columns_of(table, &rows), relid);
	ListCell   *lc;

	foreach(lc, columns)
	{
		ViewColumn *column = lfirst(lc);
		AttrNumber	attnum = get_attnum(relid, column->name);

		if (column->problem != NULL && attnum != InvalidAttrNumber)
			column->expression = null_column(relid, attnum);
	}
	sigma_ddl_run("CREATE OR REPLACE VIEW %s WITH (%s) AS %s", view_name(get_rel_name(relid)),
				  options_of(table), query_of(columns, rows));
	CommandCounterIncrement();
	return mark_columns(columns, relid, problem);
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
		appendStringInfo(&sql, "%s%s AS %s", i == 0 ? "" : ", ", null_column(relid, i + 1),
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

/* A null that can take the place of a column of a view. */
static char *
null_column(Oid relid, AttrNumber attnum)
{
	Oid			type;
	int32		typmod;
	Oid			collation;
	char	   *collate = "";

	get_atttypetypmodcoll(relid, attnum, &type, &typmod, &collation);
	if (OidIsValid(collation))
		collate = psprintf(" COLLATE %s", generate_collation_name(collation));
	return psprintf("NULL::%s%s", format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY),
					collate);
}

/*
 * Say in the comments of a view's columns which are null because their formulas cannot be
 * computed, and why.  Returns how many, and the first reason in *problem.
 */
static int
mark_columns(List *columns, Oid relid, const char **problem)
{
	char	   *name = view_name(get_rel_name(relid));
	int			broken = 0;
	ListCell   *lc;

	foreach(lc, columns)
	{
		ViewColumn *column = lfirst(lc);

		if (column->problem == NULL && !is_marked(relid, get_attnum(relid, column->name)))
			continue;
		if (column->problem != NULL && broken++ == 0)
			*problem = psprintf("Column \"%s\": %s.", column->name, column->problem);
		sigma_ddl_run("COMMENT ON COLUMN %s.%s IS %s", name, quote_identifier(column->name),
					  column->problem == NULL ? "NULL" : quote_literal_cstr(psprintf(BROKEN_MARK "%s", column->problem)));
	}
	return broken;
}

/* Does the comment of a column say that it cannot be computed? */
static bool
is_marked(Oid relid, AttrNumber attnum)
{
	char	   *comment = GetComment(relid, RelationRelationId, attnum);

	return comment != NULL && strncmp(comment, BROKEN_MARK, strlen(BROKEN_MARK)) == 0;
}

/* How many columns of a view are null because their formulas could not be computed when it was made? */
int
sigma_view_broken(Oid relid)
{
	Relation	view = table_open(relid, AccessShareLock);
	int			broken = 0;
	int			i;

	for (i = 1; i <= RelationGetNumberOfAttributes(view); i++)
		if (is_marked(relid, i))
			broken++;
	table_close(view, NoLock);
	return broken;
}

/* What is wrong now with the computed columns of a table, as a List of char *. */
List *
sigma_view_problems(const TableDefinition *table)
{
	char	   *rows;
	List	   *problems = NIL;
	ListCell   *lc;

	foreach(lc, columns_of(table, &rows))
	{
		ViewColumn *column = lfirst(lc);

		if (column->problem != NULL)
			problems = lappend(problems, psprintf("computed column \"%s\": %s", column->name, column->problem));
	}
	return problems;
}

/* The columns that the table's view lacks, as a List of names; the view is there. */
List *
sigma_view_missing_columns(const TableDefinition *table)
{
	Oid			view = sigma_view_oid(table->id);
	char	   *rows;
	List	   *missing = NIL;
	ListCell   *lc;

	foreach(lc, columns_of(table, &rows))
	{
		const ViewColumn *column = lfirst(lc);

		if (get_attnum(view, column->name) == InvalidAttrNumber)
			missing = lappend(missing, unconstify(char *, column->name));
	}
	return missing;
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

	columns = columns_of(table, &rows);
	sigma_ddl_run("CREATE VIEW %s WITH (%s) AS %s", name, options_of(table), query_of(columns, rows));
	finish_view(table, view);
	(void) mark_columns(columns, get_relname_relid(display_name(table), views_namespace()), &problem);
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

/* The columns in the order of a view that exists, new ones last: what CREATE OR REPLACE VIEW takes. */
static List *
column_order(List *columns, Oid relid)
{
	Relation	view = table_open(relid, NoLock);
	TupleDesc	desc = RelationGetDescr(view);
	List	   *ordered = NIL;
	ListCell   *lc;
	int			i;

	for (i = 0; i < desc->natts; i++)
		foreach(lc, columns)
		{
			ViewColumn *column = lfirst(lc);

			if (strcmp(column->name, NameStr(TupleDescAttr(desc, i)->attname)) == 0)
			{
				ordered = lappend(ordered, column);
				columns = foreach_delete_current(columns, lc);
				break;
			}
		}
	table_close(view, NoLock);
	return list_concat(ordered, columns);
}

/* The query of a view with these columns of these rows. */
static char *
query_of(List *columns, const char *rows)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	foreach(lc, columns)
	{
		ViewColumn *column = lfirst(lc);

		appendStringInfo(&sql, "%s%s AS %s", lc == list_head(columns) ? "" : ", ",
						 column->expression, quote_identifier(column->name));
	}
	appendStringInfo(&sql, " FROM %s r", rows);
	return sql.data;
}

/*
 * The select list of a table's view as a List of ViewColumn: the columns of the
 * definition in its order, behind what a linked table shows of its source, then the
 * system's.  Expressions are over "r", the rows
 * that *rows becomes: the published ones, with what computed columns need beside them.
 */
static List *
columns_of(const TableDefinition *table, char **rows)
{
	ComputedRows *computed = sigma_computed_rows(table->document, sigma_view_rows(table), true);
	List	   *columns = NIL;
	bool		linked = table->nkey > 0;
	int			entered = 0;
	int			done = 0;
	ListCell   *lc;
	int			i;

	*rows = computed->from;
	foreach(lc, linked ? sigma_linked_columns(table) : NIL)
		columns = lappend(columns, new_column(((LinkedKey *) lfirst(lc))->name, NULL));
	for (i = 0; i < table->ncolumn - table->nkey + computed->count; i++)
	{
		if (done < computed->count && computed->columns[done].place == i)
		{
			columns = lappend(columns, new_column(computed->columns[done].name, computed->columns[done].expression));
			((ViewColumn *) llast(columns))->problem = computed->columns[done].problem;
			done++;
		}
		else
			columns = lappend(columns, new_column(table->columns[entered++].name, NULL));
	}
	for (i = linked ? 1 : 0; i < lengthof(system_columns); i++)	/* rows of a linked table have no id */
		columns = lappend(columns, new_column(system_columns[i], NULL));
	return columns;
}

/* A column of a view; without an expression, the column of the rows. */
static ViewColumn *
new_column(const char *name, const char *expression)
{
	ViewColumn *column = palloc(sizeof(ViewColumn));

	column->name = name;
	column->problem = NULL;
	column->expression = expression != NULL ? expression : psprintf("r.%s", quote_identifier(name));
	return column;
}

/*
 * The published rows of a table that the reader may see, as an item of FROM, without
 * alias: all columns that are entered, and the system's.  What is computed over several
 * rows is computed over these.
 */
char *
sigma_view_rows(const TableDefinition *table)
{
	char	   *filter;
	char	   *rows;

	if (table->nkey > 0)
		return sigma_linked_view_rows(table);
	filter = sigma_row_filter_sql(table, "r");
	rows = published_rows(table);
	return filter == NULL ? rows : psprintf("(SELECT r.* FROM %s r WHERE %s)", rows, filter);
}

/* The same without the filter. */
static char *
published_rows(const TableDefinition *table)
{
	StringInfoData columns;
	int			i;

	if (!sigma_is_draft(table))
		return sigma_ddl_name(table->relation);
	initStringInfo(&columns);
	for (i = 0; i < table->ncolumn; i++)
		appendStringInfo(&columns, "r.%s, ", quote_identifier(table->columns[i].name));
	for (i = 0; i < lengthof(system_columns); i++)
		appendStringInfo(&columns, "%sr.%s", i == 0 ? "" : ", ", system_columns[i]);
	return psprintf("(%s)", sigma_published_rows(table->id, columns.data));
}

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
