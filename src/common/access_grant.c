/*
 * access_grant.c
 *		From levels of access to GRANT and REVOKE.
 *
 * Fixed texts with names quoted, run as the owner of what they are about.  First
 * what a role loses is revoked, then all that it has is granted: a REVOKE on a table
 * takes rights on columns along.  What was granted by hand beside a level stays,
 * unless the level that goes had granted the same.
 *
 * GRANT locks nothing, so two at once, or one beside an ALTER TABLE, would fail with
 * "tuple concurrently updated": callers hold a lock on sigma.sigma_access, and
 * relations are locked here as by VACUUM, which writers and readers do not notice.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "common/access.h"
#include "common/catalog.h"
#include "common/names.h"
#include "common/spi.h"

/* A change of one role's rights. */
typedef struct AccessChange
{
	Oid			role;
	const char *grantee;		/* quoted */
	List	   *rows_before;
	List	   *rows_after;
	AccessState before;
	AccessState after;
} AccessChange;

/* A relation of an input table. */
typedef struct TableRelation
{
	Oid			relid;
	AccessRelation kind;
	const char *data_table;		/* name of the table's data relation */
} TableRelation;

static void change_schema(const AccessChange *change, const char *schema);
static void change_catalog(const AccessChange *change, bool revoking);
static char *all_columns(const char *table);
static void change_functions(const AccessChange *change);
static void change_relation(const AccessChange *change, const TableRelation *relation);
static bool has_row_security(const char *data_table);
static int	relation_levels(List *rows, Oid role, const TableRelation *relation);
static List *table_relations(const char *table_id);
static void collect_schema(List **found, Oid namespace, bool views, const char *only, List *names);
static bool identify(TableRelation *relation, const char *name, bool view, List *names);
static bool lock_relation(Oid relid);
static void run_as(Oid owner, char *sql);

/* Bring the GRANTs of a role from one set of levels to another, on all relations or one table's. */
void
sigma_access_change(Oid role, List *before, List *after, const char *table_id)
{
	AccessChange change;
	ListCell   *lc;

	change.role = role;
	change.grantee = quote_identifier(GetUserNameFromId(role, false));
	change.rows_before = before;
	change.rows_after = after;
	change.before = sigma_access_state(before, role);
	change.after = sigma_access_state(after, role);

	change_schema(&change, "sigma");
	change_schema(&change, "sigds");
	change_schema(&change, "sigma_views");
	change_catalog(&change, true);
	change_catalog(&change, false);
	change_functions(&change);
	foreach(lc, table_relations(table_id))
		change_relation(&change, lfirst(lc));
}

/* The rights of everybody on one table's relations, from nothing. */
void
sigma_access_apply(const char *table_id)
{
	List	   *relations;
	List	   *rows;
	List	   *roles = NIL;
	ListCell   *lc;

	sigma_access_lock(false);
	rows = sigma_access_rows(InvalidOid);
	if (rows == NIL)
		return;
	relations = table_relations(table_id);
	foreach(lc, rows)
		roles = list_append_unique_oid(roles, ((AccessRow *) lfirst(lc))->role);
	foreach(lc, roles)
	{
		AccessChange change = {0};
		ListCell   *inner;

		change.role = lfirst_oid(lc);
		change.grantee = quote_identifier(GetUserNameFromId(change.role, false));
		change.rows_after = rows;
		foreach(inner, relations)
			change_relation(&change, lfirst(inner));
	}
}

/* EXECUTE on list_access() alone: the role is about to get a level, and this is the sign of one. */
void
sigma_access_let_in(Oid role)
{
	run_as(sigma_relation_owner(sigma_relation_oid("sigma_access")),
		   psprintf("GRANT EXECUTE ON FUNCTION sigma.list_access() TO %s",
					quote_identifier(GetUserNameFromId(role, false))));
}

/* USAGE on one of the schemas. */
static void
change_schema(const AccessChange *change, const char *schema)
{
	int			levels = sigma_access_schema_levels(schema);
	Oid			namespace = get_namespace_oid(schema, false);

	if (change->after.somewhere & levels)
		run_as(sigma_schema_owner(namespace),
			   psprintf("GRANT USAGE ON SCHEMA %s TO %s", schema, change->grantee));
	else if (change->before.somewhere & levels)
		run_as(sigma_schema_owner(namespace),
			   psprintf("REVOKE USAGE ON SCHEMA %s FROM %s", schema, change->grantee));
}

/* The rights on the tables of schema sigma, and on its types: those that go, or those that are. */
static void
change_catalog(const AccessChange *change, bool revoking)
{
	static const char *const types[] = {"variant", "timestamp_ntz", "formula"};
	const AccessRule *rule;
	int			i;

	for (rule = sigma_access_rules; rule->table != NULL; rule++)
	{
		bool		before = sigma_access_rule_holds(rule, change->before);
		bool		after = sigma_access_rule_holds(rule, change->after);
		char	   *columns = "";

		if (revoking ? !before || after : !after)
			continue;
		if (rule->columns != NULL)
			columns = psprintf(" (%s)", strcmp(rule->columns, "*") == 0 ? all_columns(rule->table) : rule->columns);
		run_as(sigma_relation_owner(sigma_relation_oid(rule->table)),
			   psprintf("%s %s%s ON TABLE sigma.%s %s %s", revoking ? "REVOKE" : "GRANT",
						rule->privileges, columns, rule->table, revoking ? "FROM" : "TO", change->grantee));
	}
	for (i = 0; i < lengthof(types); i++)
		if (revoking ? change->before.somewhere && !change->after.somewhere : change->after.somewhere != 0)
			run_as(sigma_relation_owner(sigma_relation_oid("sigma_access")),
				   psprintf("%s USAGE ON TYPE sigma.%s %s %s", revoking ? "REVOKE" : "GRANT", types[i],
							revoking ? "FROM" : "TO", change->grantee));
}

/* The names of a table's columns, quoted. */
static char *
all_columns(const char *table)
{
	Relation	rel = table_open(sigma_relation_oid(table), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	StringInfoData names;
	int			i;

	initStringInfo(&names);
	for (i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
							 quote_identifier(NameStr(TupleDescAttr(desc, i)->attname)));
	table_close(rel, AccessShareLock);
	return names.data;
}

/*
 * EXECUTE on the functions of schema sigma that belong to its owner.  Trigger
 * functions need no right to fire.
 */
static void
change_functions(const AccessChange *change)
{
	Oid			owner = sigma_relation_owner(sigma_relation_oid("sigma_access"));
	Oid			namespace = get_namespace_oid("sigma", false);
	Relation	rel = table_open(ProcedureRelationId, AccessShareLock);
	StringInfoData granted;
	StringInfoData revoked;
	SysScanDesc scan;
	HeapTuple	tuple;

	initStringInfo(&granted);
	initStringInfo(&revoked);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while ((tuple = systable_getnext(scan)) != NULL)
	{
		Form_pg_proc function = (Form_pg_proc) GETSTRUCT(tuple);
		StringInfo	list;
		int			levels;

		if (function->pronamespace != namespace || function->prorettype == TRIGGEROID ||
			function->proowner != owner)
			continue;
		levels = sigma_access_function_levels(NameStr(function->proname));
		if (change->after.somewhere & levels)
			list = &granted;
		else if (change->before.somewhere & levels)
			list = &revoked;
		else
			continue;
		appendStringInfo(list, "%s%s", list->len > 0 ? ", " : "", format_procedure_qualified(function->oid));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	if (revoked.len > 0)
		run_as(owner, psprintf("REVOKE EXECUTE ON ROUTINE %s FROM %s", revoked.data, change->grantee));
	if (granted.len > 0)
		run_as(owner, psprintf("GRANT EXECUTE ON ROUTINE %s TO %s", granted.data, change->grantee));
}

/* The rights on one relation of an input table. */
static void
change_relation(const AccessChange *change, const TableRelation *relation)
{
	int			before = relation_levels(change->rows_before, change->role, relation);
	int			after = relation_levels(change->rows_after, change->role, relation);
	const char *had;
	const char *has;
	char	   *name;

	/* its log would show an editor rows that row security hides */
	if (relation->kind == ACCESS_LOG && has_row_security(relation->data_table))
	{
		before |= after & ACCESS_EDITOR;
		after &= ~ACCESS_EDITOR;
	}
	had = sigma_access_relation_privileges(relation->kind, before);
	has = sigma_access_relation_privileges(relation->kind, after);

	if ((had == NULL && has == NULL) || !lock_relation(relation->relid))
		return;
	name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation->relid)),
									  get_rel_name(relation->relid));
	if (had != NULL && (has == NULL || strcmp(had, has) != 0))
		run_as(sigma_relation_owner(relation->relid),
			   psprintf("REVOKE %s ON TABLE %s FROM %s", had, name, change->grantee));
	if (has != NULL)
		run_as(sigma_relation_owner(relation->relid),
			   psprintf("GRANT %s ON TABLE %s TO %s", has, name, change->grantee));
}

/* Has the data relation of that name row security? */
static bool
has_row_security(const char *data_table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(get_relname_relid(data_table, sigma_sigds_namespace())));
	bool		found;

	if (!HeapTupleIsValid(tuple))
		return false;
	found = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
	ReleaseSysCache(tuple);
	return found;
}

/* The levels of a role for the table of a relation. */
static int
relation_levels(List *rows, Oid role, const TableRelation *relation)
{
	int			levels = 0;
	ListCell   *lc;

	foreach(lc, rows)
	{
		AccessRow  *row = lfirst(lc);

		/* compared by relation, so that tables are found whose definition is gone */
		if (row->role == role && (row->table_id[0] == '\0' ||
								  strcmp(sigma_data_table_name(row->table_id), relation->data_table) == 0))
			levels |= row->level;
	}
	return levels;
}

/* The relations of all input tables or of one: a List of TableRelation. */
static List *
table_relations(const char *table_id)
{
	List	   *names = sigma_catalog_names(DOCUMENT_INPUT_TABLE);
	const char *only = table_id == NULL ? NULL : sigma_data_table_name(table_id);
	List	   *found = NIL;

	collect_schema(&found, sigma_sigds_namespace(), false, only, names);
	collect_schema(&found, get_namespace_oid("sigma_views", false), true, only, names);
	return found;
}

/* Those of one schema, by the newest state of the system catalog. */
static void
collect_schema(List **found, Oid namespace, bool views, const char *only, List *names)
{
	Relation	rel = table_open(RelationRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_class_relnamespace, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(namespace));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	while ((tuple = systable_getnext(scan)) != NULL)
	{
		Form_pg_class class = (Form_pg_class) GETSTRUCT(tuple);
		TableRelation *relation;

		if (class->relkind != RELKIND_RELATION && class->relkind != RELKIND_VIEW)
			continue;
		relation = palloc0(sizeof(TableRelation));
		relation->relid = class->oid;
		if (identify(relation, NameStr(class->relname), views, names) &&
			(only == NULL || strcmp(only, relation->data_table) == 0))
			*found = lappend(*found, relation);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/* Which relation of which table is it?  False for those that nobody is given rights on. */
static bool
identify(TableRelation *relation, const char *name, bool view, List *names)
{
	static const char *const others[] = {"sigds_pub_", "sigds_seq_"};
	ListCell   *lc;
	int			i;

	if (view)
	{
		relation->kind = ACCESS_VIEW;
		foreach(lc, names)
		{
			CatalogName *table = lfirst(lc);

			if (strcmp(table->name != NULL ? table->name : table->id, name) != 0)
				continue;
			relation->data_table = sigma_data_table_name(table->id);
			return true;
		}
		return false;
	}
	for (i = 0; i < lengthof(others); i++)
		if (strncmp(name, others[i], strlen(others[i])) == 0)
			return false;
	if (strncmp(name, "sigds_", strlen("sigds_")) != 0)
		return false;
	relation->kind = ACCESS_DATA;
	relation->data_table = pstrdup(name);
	if (strncmp(name, "sigds_wal_", strlen("sigds_wal_")) == 0)
	{
		relation->kind = ACCESS_LOG;
		relation->data_table = psprintf("sigds_%s", name + strlen("sigds_wal_"));
	}
	else if (strncmp(name, "sigds_entry_", strlen("sigds_entry_")) == 0)
	{
		relation->kind = ACCESS_ENTRIES;
		relation->data_table = psprintf("sigds_%s", name + strlen("sigds_entry_"));
	}
	else if (strncmp(name, "sigds_shown_", strlen("sigds_shown_")) == 0)
	{
		relation->kind = ACCESS_VIEW;
		relation->data_table = psprintf("sigds_%s", name + strlen("sigds_shown_"));
	}
	return true;
}

/* Keep ALTER TABLE and VACUUM off a relation; false where it is gone meanwhile. */
static bool
lock_relation(Oid relid)
{
	LockRelationOid(relid, ShareUpdateExclusiveLock);
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		return true;
	UnlockRelationOid(relid, ShareUpdateExclusiveLock);
	return false;
}

/* Run a GRANT or REVOKE as the owner of the object. */
static void
run_as(Oid owner, char *sql)
{
	OwnerScope	scope;

	SPI_connect();
	sigma_owner_begin(&scope, owner);
	sigma_spi_run(sql, SPI_OK_UTILITY);
	sigma_owner_end(&scope);
	SPI_finish();
}
