/*
 * access.c
 *		Levels of access: rows of sigma.sigma_access, and the SQL functions.
 *
 * Rows are read by the newest snapshot and written past SQL: nothing but these
 * functions, and a restore, writes the table.  Roles are OIDs of type regrole, so a
 * renamed role keeps its level and a dump names it.  Who changes levels holds SHARE
 * ROW EXCLUSIVE on the table; whoever makes relations holds ROW EXCLUSIVE while he
 * reads it, so that no new table slips past a level that is being given.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "common/access.h"
#include "common/audit.h"
#include "common/catalog.h"
#include "common/document.h"
#include "common/names.h"
#include "common/spi.h"
#include "compat.h"

/* Columns of sigma.sigma_access. */
enum
{
	COLUMN_ROLE = 1,
	COLUMN_LEVEL,
	COLUMN_TABLE_ID,
	COLUMN_GOVERNANCE,
	COLUMN_GRANTED_BY,
	COLUMN_GRANTED_AT,
	COLUMNS = COLUMN_GRANTED_AT
};

PG_FUNCTION_INFO_V1(grant_access);
PG_FUNCTION_INFO_V1(revoke_access);
PG_FUNCTION_INFO_V1(list_access);
PG_FUNCTION_INFO_V1(refuse_access_write);

static void check_admin(const char *what);
static Oid	read_role(FunctionCallInfo fcinfo, int argument);
static bool is_owner(Oid role);
static void let_in(Oid role);
static int	read_level(FunctionCallInfo fcinfo, int argument);
static const char *read_table(FunctionCallInfo fcinfo, int argument);
static void add_row(Oid role, int level, const char *table_id, bool governance);
static void audit_row(const AccessRow *row, bool granted);
static int	remove_rows(Oid role, int levels, const char *table_id, bool governance);
static bool has_row(List *rows, Oid role, int level, const char *table_id, bool governance);
static void refuse_everywhere(List *rows, Oid role, int levels, const char *table_id);
static AccessRow *read_row(TupleDesc desc, HeapTuple tuple);
static bool still_holds(Oid role);
static int	level_number(const char *name);
static const char *level_name(int level);
static int	compare_rows(const ListCell *a, const ListCell *b);

/*
 * grant_access(role name, level text, table_id text): give a role a level, for one
 * input table or for all, those to come included.  Raises 42501 unless the caller is
 * an admin, 42704 for an unknown role, 22023 for an unknown level, SG404 for an
 * unknown table.  Giving what is there repairs the GRANTs.
 */
Datum
grant_access(PG_FUNCTION_ARGS)
{
	Oid			role = read_role(fcinfo, 0);
	int			level = read_level(fcinfo, 1);
	const char *table_id = read_table(fcinfo, 2);
	List	   *before;

	if (level == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("level must not be null")));
	check_admin("grant access");
	PreventCommandIfReadOnly("grant_access()");
	if (table_id != NULL && (level & (ACCESS_BUILDER | ACCESS_ADMIN)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level \"%s\" holds for the whole workbook, not for one input table", level_name(level)),
				 errhint("Leave table_id out. Rows are seen and edited by viewers and editors of a table only.")));
	if (table_id != NULL && !sigma_catalog_exists(DOCUMENT_INPUT_TABLE, table_id))
		sigma_catalog_not_found(DOCUMENT_INPUT_TABLE, table_id);

	if (is_owner(role))
	{
		ereport(NOTICE,
				(errmsg("role \"%s\" owns the workbook and needs no level", GetUserNameFromId(role, false))));
		PG_RETURN_VOID();
	}
	sigma_access_lock(true);
	let_in(role);
	before = sigma_access_rows(role);
	if (!has_row(before, role, level, table_id == NULL ? "" : table_id, false))
		add_row(role, level, table_id == NULL ? "" : table_id, false);
	CommandCounterIncrement();
	sigma_access_change(role, before, sigma_access_rows(role), table_id);
	PG_RETURN_VOID();
}

/*
 * revoke_access(role name, level text, table_id text): take levels from a role; null
 * stands for every level, and for the workbook with all of its tables.  A NOTICE says
 * that there was nothing to take.  Raises 55000 where one table is to be taken from a
 * level that the role has for all; otherwise as grant_access.
 */
Datum
revoke_access(PG_FUNCTION_ARGS)
{
	Oid			role = read_role(fcinfo, 0);
	int			levels = read_level(fcinfo, 1);
	const char *table_id = read_table(fcinfo, 2);
	List	   *before;
	List	   *rows;

	if (levels == 0)
		levels = ACCESS_ALL;
	check_admin("revoke access");
	PreventCommandIfReadOnly("revoke_access()");
	sigma_access_lock(true);
	before = sigma_access_rows(role);
	if (table_id != NULL)
		refuse_everywhere(before, role, levels, table_id);
	if (remove_rows(role, levels, table_id, false) == 0)
	{
		ereport(NOTICE,
				(errmsg("role \"%s\" has no such access", GetUserNameFromId(role, false))));
		PG_RETURN_VOID();
	}
	CommandCounterIncrement();
	rows = sigma_access_rows(role);
	sigma_access_change(role, before, rows, table_id);
	PG_RETURN_VOID();
}

/* list_access(): the levels of all roles for admins, else those of the roles that the caller belongs to. */
Datum
list_access(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		all = sigma_access_may(ACCESS_ADMIN, NULL);
	List	   *rows;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	rows = sigma_access_rows(InvalidOid);
	list_sort(rows, compare_rows);
	foreach(lc, rows)
	{
		AccessRow  *row = lfirst(lc);
		Datum		values[4];
		bool		nulls[4] = {0};
		NameData	role;
		NameData	granted_by;

		if (!all && !has_privs_of_role(GetUserId(), row->role))
			continue;
		namestrcpy(&role, GetUserNameFromId(row->role, false));
		namestrcpy(&granted_by, row->granted_by);
		values[0] = NameGetDatum(&role);
		values[1] = CStringGetTextDatum(level_name(row->level));
		values[2] = CStringGetTextDatum(row->table_id);
		nulls[2] = row->table_id[0] == '\0';
		values[3] = NameGetDatum(&granted_by);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* BEFORE INSERT, UPDATE, DELETE, TRUNCATE of sigma_access: only a restore's INSERT passes. */
Datum
refuse_access_write(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "refuse_access_write", "sigma_access", TRIGGER_EVENT_BEFORE, CATALOG_ANY);

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event) && sigma_catalog_restoring())
		return PointerGetDatum(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("table \"%s\" cannot be written", RelationGetRelationName(trigger->tg_relation)),
			 errhint("Use sigma.grant_access and sigma.revoke_access.")));
}

void
sigma_access_lock(bool change)
{
	LockRelationOid(sigma_relation_oid("sigma_access"), change ? ShareRowExclusiveLock : RowExclusiveLock);
}

bool
sigma_access_may(int levels, const char *table_id)
{
	Oid			user = GetUserId();
	ListCell   *lc;

	if (sigma_owns_relation(sigma_relation_oid("sigma_access"), user))
		return true;
	foreach(lc, sigma_access_rows(InvalidOid))
	{
		AccessRow  *row = lfirst(lc);

		if ((row->level & levels) != 0 && has_privs_of_role(user, row->role) &&
			(row->table_id[0] == '\0' || (table_id != NULL && strcmp(row->table_id, table_id) == 0)))
			return true;
	}
	return false;
}

void
sigma_access_govern(const char *table_id, int level, List *roles, bool restoring)
{
	List	   *wanted = NIL;
	List	   *touched = NIL;
	List	   *rows;
	ListCell   *lc;

	foreach(lc, roles)
		wanted = list_append_unique_oid(wanted, get_role_oid(lfirst(lc), false));
	if (restoring)
	{
		foreach(lc, wanted)
			add_row(lfirst_oid(lc), level, table_id, true);
		CommandCounterIncrement();
		return;
	}
	sigma_access_lock(true);
	rows = sigma_access_rows(InvalidOid);
	foreach(lc, rows)
	{
		AccessRow  *row = lfirst(lc);

		if (row->governance && row->level == level && strcmp(row->table_id, table_id) == 0 &&
			!list_member_oid(wanted, row->role))
		{
			remove_rows(row->role, level, table_id, true);
			touched = list_append_unique_oid(touched, row->role);
		}
	}
	foreach(lc, wanted)
	{
		if (is_owner(lfirst_oid(lc)) || has_row(rows, lfirst_oid(lc), level, table_id, true))
			continue;
		let_in(lfirst_oid(lc));
		add_row(lfirst_oid(lc), level, table_id, true);
		touched = list_append_unique_oid(touched, lfirst_oid(lc));
	}
	CommandCounterIncrement();
	foreach(lc, touched)
		sigma_access_change(lfirst_oid(lc), rows, sigma_access_rows(lfirst_oid(lc)), table_id);
}

void
sigma_access_forget(const char *table_id)
{
	List	   *rows;
	List	   *roles = NIL;
	ListCell   *lc;

	sigma_access_lock(true);
	rows = sigma_access_rows(InvalidOid);
	foreach(lc, rows)
		if (strcmp(((AccessRow *) lfirst(lc))->table_id, table_id) == 0)
			roles = list_append_unique_oid(roles, ((AccessRow *) lfirst(lc))->role);
	foreach(lc, roles)
	{
		remove_rows(lfirst_oid(lc), ACCESS_ALL, table_id, true);
		remove_rows(lfirst_oid(lc), ACCESS_ALL, table_id, false);
	}
	CommandCounterIncrement();
	foreach(lc, roles)
		sigma_access_change(lfirst_oid(lc), rows, sigma_access_rows(lfirst_oid(lc)), table_id);
}

/* Rows that count, of one role or of all (InvalidOid); a List of AccessRow. */
List *
sigma_access_rows(Oid role)
{
	Relation	rel = table_open(sigma_relation_oid("sigma_access"), AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	List	   *rows = NIL;
	HeapTuple	tuple;

	while ((tuple = systable_getnext(scan)) != NULL)
	{
		AccessRow  *row = read_row(RelationGetDescr(rel), tuple);

		if (row != NULL && (!OidIsValid(role) || row->role == role) && still_holds(row->role))
			rows = lappend(rows, row);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return rows;
}

/* The levels of one role in a List of rows. */
AccessState
sigma_access_state(List *rows, Oid role)
{
	AccessState state = {0, 0};
	ListCell   *lc;

	foreach(lc, rows)
	{
		AccessRow  *row = lfirst(lc);

		if (row->role != role)
			continue;
		state.somewhere |= row->level;
		if (row->table_id[0] == '\0')
			state.everywhere |= row->level;
	}
	return state;
}

/* Raise 42501 unless the current role is an admin. */
static void
check_admin(const char *what)
{
	if (!sigma_access_may(ACCESS_ADMIN, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to %s", what),
				 errhint("It takes level \"admin\" of the workbook.")));
}

/* The role of an argument; 22004 for null, 42704 where there is none. */
static Oid
read_role(FunctionCallInfo fcinfo, int argument)
{
	const char *name;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("role must not be null")));
	name = NameStr(*PG_GETARG_NAME(argument));
	if (strcmp(name, "public") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("access is given to roles, never to PUBLIC"),
				 errhint("Create a role, give it the level, and grant the role to whom it is for.")));
	return get_role_oid(name, false);
}

/*
 * Does the role own what rights are given on?  It has them all, and a REVOKE would
 * take its own away.
 */
static bool
is_owner(Oid role)
{
	return role == sigma_relation_owner(sigma_relation_oid("sigma_access")) ||
		role == sigma_schema_owner(get_namespace_oid("sigma", false)) ||
		role == sigma_schema_owner(get_namespace_oid("sigma_views", false)) ||
		role == sigma_sigds_owner();
}

/* Give the role the right without which its rows do not count; those of before stay dead. */
static void
let_in(Oid role)
{
	if (still_holds(role))
		return;
	remove_rows(role, ACCESS_ALL, NULL, false);
	remove_rows(role, ACCESS_ALL, NULL, true);
	sigma_access_let_in(role);
	CommandCounterIncrement();
}

/* The level of an argument as a bit, 0 for null; 22023 for another word. */
static int
read_level(FunctionCallInfo fcinfo, int argument)
{
	char	   *name;
	int			level;

	if (PG_ARGISNULL(argument))
		return 0;
	name = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	level = level_number(name);
	if (level == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown level \"%s\"", name),
				 errhint("%s", sigma_hint_names(name, (const char **) sigma_access_level_names))));
	return level;
}

/* The table of an argument, NULL for null. */
static const char *
read_table(FunctionCallInfo fcinfo, int argument)
{
	const char *table_id;

	if (PG_ARGISNULL(argument))
		return NULL;
	table_id = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	sigma_check_table_id(table_id);
	return table_id;
}

/* Write a row, and the audit of it. */
static void
add_row(Oid role, int level, const char *table_id, bool governance)
{
	Relation	rel = table_open(sigma_relation_oid("sigma_access"), RowExclusiveLock);
	AccessRow	row = {role, level, unconstify(char *, table_id), governance, NULL};
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS] = {0};
	NameData	granted_by;

	/* one that counts no more may stand there, of the role before its DROP OWNED */
	remove_rows(role, level, table_id, governance);
	namestrcpy(&granted_by, GetUserNameFromId(GetUserId(), false));
	values[COLUMN_ROLE - 1] = ObjectIdGetDatum(role);
	values[COLUMN_LEVEL - 1] = CStringGetTextDatum(level_name(level));
	values[COLUMN_TABLE_ID - 1] = CStringGetTextDatum(table_id);
	values[COLUMN_GOVERNANCE - 1] = BoolGetDatum(governance);
	values[COLUMN_GRANTED_BY - 1] = NameGetDatum(&granted_by);
	values[COLUMN_GRANTED_AT - 1] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	table_close(rel, NoLock);
	audit_row(&row, true);
}

/* Record that a level was given or taken. */
static void
audit_row(const AccessRow *row, bool granted)
{
	JsonNode   *document = sigma_json_new(JSON_OBJECT, NULL);

	sigma_json_set(document, "role", sigma_json_new_string(pstrdup(GetUserNameFromId(row->role, false)), document));
	sigma_json_set(document, "level", sigma_json_new_string(unconstify(char *, level_name(row->level)), document));
	if (row->governance)
		sigma_json_set(document, "governance_config", sigma_json_new_bool(true, document));
	sigma_audit_write(row->table_id[0] == '\0' ? "workbook" : psprintf("input_table:%s", row->table_id),
					  granted ? "grant" : "revoke",
					  granted ? NULL : sigma_json_write(document), granted ? sigma_json_write(document) : NULL);
}

/*
 * Delete the rows of a role with one of these levels: for one table, or (NULL) all.
 * Those that a definition names are left, or are the only ones.  Rows that count no
 * more go silently.  Returns how many others there were.
 */
static int
remove_rows(Oid role, int levels, const char *table_id, bool governance)
{
	Relation	rel = table_open(sigma_relation_oid("sigma_access"), RowExclusiveLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	bool		holds = still_holds(role);
	int			removed = 0;
	HeapTuple	tuple;

	while ((tuple = systable_getnext(scan)) != NULL)
	{
		AccessRow  *row = read_row(RelationGetDescr(rel), tuple);

		if (row == NULL || row->role != role || (row->level & levels) == 0 || row->governance != governance ||
			(table_id != NULL && strcmp(row->table_id, table_id) != 0))
			continue;
		CatalogTupleDelete(rel, &tuple->t_self);
		if (!holds)
			continue;
		audit_row(row, false);
		removed++;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, NoLock);
	return removed;
}

static bool
has_row(List *rows, Oid role, int level, const char *table_id, bool governance)
{
	ListCell   *lc;

	foreach(lc, rows)
	{
		AccessRow  *row = lfirst(lc);

		if (row->role == role && row->level == level && row->governance == governance &&
			strcmp(row->table_id, table_id) == 0)
			return true;
	}
	return false;
}

/* 55000 where a level that the role has for all tables, or by the definition, is to be taken for one. */
static void
refuse_everywhere(List *rows, Oid role, int levels, const char *table_id)
{
	ListCell   *lc;

	foreach(lc, rows)
	{
		AccessRow  *row = lfirst(lc);

		if (row->role != role || (row->level & levels) == 0)
			continue;
		if (row->table_id[0] == '\0')
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("role \"%s\" is %s of all input tables", GetUserNameFromId(role, false), level_name(row->level)),
					 errhint("Revoke the level without table_id, and grant it for the other tables.")));
		if (row->governance && strcmp(row->table_id, table_id) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the definition of input table \"%s\" names role \"%s\" as %s", table_id,
							GetUserNameFromId(role, false), level_name(row->level)),
					 errhint("Take the role out of its governance_config.")));
	}
}

/* A stored row in the current context; NULL for a level that this version does not know. */
static AccessRow *
read_row(TupleDesc desc, HeapTuple tuple)
{
	AccessRow  *row = palloc(sizeof(AccessRow));
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];

	heap_deform_tuple(tuple, desc, values, nulls);
	row->role = DatumGetObjectId(values[COLUMN_ROLE - 1]);
	row->level = level_number(TextDatumGetCString(values[COLUMN_LEVEL - 1]));
	row->table_id = TextDatumGetCString(values[COLUMN_TABLE_ID - 1]);
	row->governance = DatumGetBool(values[COLUMN_GOVERNANCE - 1]);
	row->granted_by = nulls[COLUMN_GRANTED_BY - 1] ? "" : pstrdup(NameStr(*DatumGetName(values[COLUMN_GRANTED_BY - 1])));
	return row->level == 0 ? NULL : row;
}

/*
 * Does a role still have what every level brings and nothing else does: EXECUTE on
 * list_access(), by itself?  After DROP OWNED, or by a REVOKE of the owner, its rows
 * mean nothing any more, and after DROP ROLE they are nobody's.
 */
static bool
still_holds(Oid role)
{
	HeapTuple	tuple;
	Datum		value;
	bool		isnull;
	bool		found = false;

	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
		return false;
	tuple = SearchSysCache3(PROCNAMEARGSNSP, CStringGetDatum("list_access"),
							PointerGetDatum(buildoidvector(NULL, 0)),
							ObjectIdGetDatum(get_namespace_oid("sigma", false)));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "function sigma.list_access() is missing");
	value = SysCacheGetAttr(PROCNAMEARGSNSP, tuple, Anum_pg_proc_proacl, &isnull);
	if (!isnull)
	{
		Acl		   *acl = DatumGetAclPCopy(value);
		AclItem    *items = ACL_DAT(acl);
		int			i;

		for (i = 0; i < ACL_NUM(acl); i++)
			if (items[i].ai_grantee == role && (ACLITEM_GET_PRIVS(items[i]) & ACL_EXECUTE) != 0)
				found = true;
	}
	ReleaseSysCache(tuple);
	return found;
}

/* The bit of a level, 0 for another word. */
static int
level_number(const char *name)
{
	int			i;

	for (i = 0; i < ACCESS_LEVELS; i++)
		if (pg_strcasecmp(name, sigma_access_level_names[i]) == 0)
			return 1 << i;
	return 0;
}

static const char *
level_name(int level)
{
	int			i;

	for (i = 0; i < ACCESS_LEVELS; i++)
		if (level == 1 << i)
			return sigma_access_level_names[i];
	elog(ERROR, "no level %d", level);
}

/* By role, level and table. */
static int
compare_rows(const ListCell *a, const ListCell *b)
{
	const AccessRow *left = lfirst(a);
	const AccessRow *right = lfirst(b);
	int			order = strcmp(GetUserNameFromId(left->role, false), GetUserNameFromId(right->role, false));

	if (order == 0)
		order = left->level - right->level;
	return order != 0 ? order : strcmp(left->table_id, right->table_id);
}
