/*
 * define_apply.c
 *		Definitions of input tables after they were stored: the relations follow.
 *
 * A change takes ACCESS EXCLUSIVE on the data table where columns change and SHARE ROW
 * EXCLUSIVE where rules or limits do, before it looks at rows: open writers are waited for,
 * and nobody goes on writing by the old rules.
 *
 * While a dump is restored an INSERT adopts what the dump brings.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "commands/tablecmds.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "common/access.h"
#include "common/cache.h"
#include "common/catalog.h"
#include "common/names.h"
#include "common/session.h"
#include "input_table/computed.h"
#include "input_table/define_call.h"
#include "input_table/input_table.h"
#include "input_table/linked.h"
#include "input_table/published.h"

#define BLANK_ROWS			3

static void open_rows(TableDefinition *table, JsonNode *document);
static void log_creation(const TableDefinition *table);
static void purge(const char *id);
static Oid	lock_data_table(const char *id, LOCKMODE mode);
static List *check_dependents(const TableChange *change, bool cascade);
static bool may_count(const char *id);
static void check_limit(const TableDefinition *table);
static void report(DefinitionCall *call, const TableChange *change, List *affected);

/* A new definition: create its data table, or adopt the one it had before. */
void
sigma_definition_apply_insert(TriggerData *trigger)
{
	JsonNode   *document = sigma_catalog_row_document(DOCUMENT_INPUT_TABLE, trigger, trigger->tg_trigtuple);
	TableDefinition *table = sigma_definition_read(document);
	Oid			relid = sigma_rows_oid(table->id);
	bool		restoring = sigma_catalog_restoring();
	TableChange change = {0};

	if (!OidIsValid(relid) && restoring)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the data table of input table \"%s\" does not exist", table->id),
				 errhint("While \"check_function_bodies\" is off, as in a restore, data tables are not created: "
						 "restore a full dump, which brings them.")));
	if (!OidIsValid(relid))
	{
		sigma_data_table_create(table);
		log_creation(table);
		open_rows(table, document);
		(void) sigma_input_table(sigma_rows_oid(table->id));	/* rules that cannot be planned fail now */
		return;
	}
	if (!restoring && !sigma_data_table_is_of(relid, table->id))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"sigds.%s\" already exists", sigma_data_table_name(table->id)),
				 errhint("It was not made for input table \"%s\": choose another id, or drop the relation.", table->id)));
	sigma_data_table_adopt(table, relid, restoring);
	if (restoring)
	{
		sigma_governance_apply(table, true);
		return;
	}
	sigma_row_security_drop(table->id, relid);
	open_rows(table, document);
	sigma_limits_forget_count(table->id);
	check_limit(table);
	sigma_cache_send(relid);
	CommandCounterIncrement();
	change.after = table;
	if (sigma_definition_call(table->id) != NULL && sigma_definition_call(table->id)->refuse)
		sigma_existing_rows_refuse(&change, relid);
	sigma_log_checkpoint(table, relid);
	sigma_existing_rows_report(table, relid);
}

/*
 * Who sees and changes the rows of a new or adopted data table: row security, the view, the
 * grants.  Raises what its formulas and lists lack, and what its rights may not be given.
 */
static void
open_rows(TableDefinition *table, JsonNode *document)
{
	sigma_row_security_create(table);
	sigma_computed_check_rights(document, NULL, sigma_view_rows(table), NIL, false);
	sigma_list_rules_check(document, NULL);
	sigma_view_create(table);
	sigma_access_apply(table->id);
	sigma_governance_apply(table, false);
}

/* A new table's first entries, and the blank rows of one that came without columns: one statement. */
static void
log_creation(const TableDefinition *table)
{
	LogGroup	group;

	CommandCounterIncrement();
	sigma_log_group_begin(&group, sigma_log_of(table)->relid);
	PG_TRY();
	{
		sigma_log_creation(table);
		if (table->nkey == 0 && sigma_definition_made_up(table->columns[0].id))
			sigma_data_table_add_blank_rows(table, BLANK_ROWS);
	}
	PG_FINALLY();
	{
		sigma_log_group_end(&group);
	}
	PG_END_TRY();
}

/* A changed definition: bring the data table, and whoever names its columns, in line. */
void
sigma_definition_apply_update(TriggerData *trigger)
{
	TableChange change = {0};
	DefinitionCall *call;
	List	   *affected = NIL;
	ViewChange	view;
	bool		secures;
	bool		governs;
	Oid			relid;

	change.before = sigma_definition_read(sigma_catalog_row_document(DOCUMENT_INPUT_TABLE, trigger, trigger->tg_trigtuple));
	change.after = sigma_definition_read(sigma_catalog_row_document(DOCUMENT_INPUT_TABLE, trigger, trigger->tg_newtuple));
	sigma_definition_compare(&change);
	call = sigma_definition_call(change.after->id);
	secures = sigma_row_security_touched(&change);
	governs = !sigma_definition_same(sigma_json_get(change.before->document, "governance_config"),
									 sigma_json_get(change.after->document, "governance_config"));
	if (governs)
		sigma_access_lock(true);

	sigma_view_begin(&change, &view);
	relid = lock_data_table(change.after->id,
							change.alters || secures ? AccessExclusiveLock :
							change.checks ? ShareRowExclusiveLock : NoLock);
	/* and those that were made while we waited */
	view.users = list_concat(view.users, sigma_view_users_suspend(change.after->id, &change));
	affected = check_dependents(&change, call != NULL && call->cascade);
	if (sigma_is_draft(change.before) && !sigma_is_draft(change.after))
		sigma_publish_before_change(change.before, relid);
	if (change.before->audit && change.after->audit)
		sigma_log_change(&change, relid);
	if (secures)
		sigma_row_security_drop(change.after->id, relid);
	if (change.alters)
		sigma_data_table_alter(&change, relid);
	if (change.after->audit && !change.before->audit)
		sigma_log_checkpoint(change.after, relid);
	if (secures)
		sigma_row_security_create(change.after);
	sigma_computed_check_rights(change.after->document, change.before->document, sigma_view_rows(change.after), view.reads,
								sigma_session.origin == ORIGIN_SYSTEM);
	sigma_view_finish(&change, &view);
	CommandCounterIncrement();	/* a list may be the table's own view */
	sigma_list_rules_check(change.after->document, change.before->document);
	if (!sigma_is_draft(change.after))
		sigma_published_end(change.after);
	if (change.alters || secures)
		sigma_access_apply(change.after->id);
	if (governs)
		sigma_governance_apply(change.after, false);
	if (change.before->max_rows != change.after->max_rows)
	{
		sigma_limits_forget_count(change.after->id);
		check_limit(change.after);
	}
	sigma_cache_send(relid);
	CommandCounterIncrement();
	affected = list_concat(affected, sigma_dependents_rename(&change));
	sigma_linked_resume(view.suspended);
	sigma_view_users_resume(view.users, change.after->id, call != NULL && call->cascade);
	if (change.rules && call != NULL && call->refuse)
		sigma_existing_rows_refuse(&change, relid);
	if (change.rules)
		sigma_existing_rows_report(change.after, relid);
	else
		(void) sigma_input_table(relid);	/* rules that cannot be planned fail now, not when a row is written */
	if (call != NULL)
		report(call, &change, affected);
}

/* A definition that goes: its data stays unless the caller purges. */
void
sigma_definition_apply_delete(TriggerData *trigger)
{
	/* nothing else of the row matters: also one that cannot be read any more can go */
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	const char *id = SPI_getvalue(trigger->tg_trigtuple, desc, SPI_fnumber(desc, "id"));
	DefinitionCall *call = sigma_definition_call(id);
	NamedObject		object = {NAMED_INPUT_TABLE, id};
	Names	   *names;
	List	   *users;
	List	   *readers;
	List	   *linked;
	Oid			relid = sigma_rows_oid(id);

	names = sigma_names_open();
	sigma_names_set_table(names, id, SPI_getvalue(trigger->tg_trigtuple, desc, SPI_fnumber(desc, "name")), NIL);
	sigma_dependents_lock();
	users = sigma_dependents_find(names, &object);
	if (users != NIL && (call == NULL || !call->cascade))
		sigma_dependents_refuse(psprintf("input table \"%s\"", id), users);
	readers = sigma_view_users_suspend(id, NULL);
	linked = sigma_linked_suspend(id);
	sigma_view_drop(id);
	if (call != NULL && call->purge)
		purge(id);
	else if (OidIsValid(relid))
		sigma_cache_send(lock_data_table(id, ShareRowExclusiveLock));
	sigma_linked_resume(linked);
	sigma_view_users_resume(readers, id, call != NULL && call->cascade);
	sigma_limits_forget_count(id);
}

/* Drop the data; 42501 unless the caller may destroy all rows of the table. */
static void
purge(const char *id)
{
	if (OidIsValid(sigma_rows_oid(id)) &&
		pg_class_aclcheck(lock_data_table(id, AccessExclusiveLock),
						  GetUserId(), ACL_TRUNCATE) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to purge input table \"%s\"", id),
				 errhint("Purging drops all rows: it needs the TRUNCATE privilege on \"sigds.%s\".",
						 sigma_rows_name(id))));
	sigma_access_forget(id);
	sigma_data_table_drop(id);
}

/* Purge what an earlier deletion kept.  Returns whether there was something. */
bool
sigma_definition_purge_leftover(const char *id, bool cascade)
{
	List	   *readers;
	Oid			relid;

	sigma_definition_lock_name("relation", sigma_data_table_name(id));
	relid = sigma_rows_oid(id);
	if (!OidIsValid(relid) || !sigma_data_table_is_of(relid, id) ||
		sigma_catalog_exists(DOCUMENT_INPUT_TABLE, id))
		return false;
	readers = sigma_view_users_suspend(id, NULL);
	sigma_view_drop(id);
	purge(id);
	sigma_view_users_resume(readers, id, cascade);
	return true;
}

/*
 * Lock the data table.  Returns its OID; 42P01 where somebody dropped it, 55006
 * where this statement or an open cursor uses it.
 */
static Oid
lock_data_table(const char *id, LOCKMODE mode)
{
	Oid			relid = sigma_rows_oid(id);
	Relation	rel;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the data table of input table \"%s\" does not exist", id),
				 errhint("Purge the definition with sigma.delete_input_table and create it again.")));
	if (mode == NoLock)
		return relid;
	rel = table_open(relid, mode);
	CheckTableNotInUse(rel, "ALTER TABLE");
	table_close(rel, NoLock);
	return relid;
}

/*
 * Who names a column that is dropped or retyped: refused with SG409, or with
 * cascade returned as a List of Dependent.
 */
static List *
check_dependents(const TableChange *change, bool cascade)
{
	List	   *all = NIL;
	Names	   *names = NULL;
	const ColumnChange *column;
	int			i;

	for (i = 0; (column = sigma_change_column(change, i)) != NULL; i++)
	{
		NamedObject		object = {NAMED_COLUMN, change->before->id, NULL};
		List	   *users;

		if (!sigma_column_lost(column))
			continue;
		object.column = column->before->name;
		if (names == NULL)
		{
			sigma_dependents_lock();
			names = sigma_names_open();
			sigma_definition_set_names(names, change->before);
		}
		users = sigma_dependents_find(names, &object);
		if (users != NIL && !cascade)
			sigma_dependents_refuse(psprintf("column \"%s\" of input table \"%s\"",
											 column->before->name, change->before->id), users);
		all = list_concat(all, users);
	}
	return all;
}

/* May the caller read all rows of the table, and so be told how many there are? */
static bool
may_count(const char *id)
{
	Oid			relid = get_relname_relid(sigma_rows_name(id), sigma_sigds_namespace());

	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED;
}

/* The limit must leave room for the rows that are there: 23514. */
static void
check_limit(const TableDefinition *table)
{
	int64		rows;

	if (table->max_rows == 0)
		return;
	rows = sigma_data_table_count(table->id);
	if (rows > table->max_rows)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 may_count(table->id) ?
				 errmsg("input table \"%s\" holds " INT64_FORMAT " rows, more than \"max_rows\" " INT64_FORMAT,
						table->id, rows, table->max_rows) :
				 errmsg("input table \"%s\" holds more rows than \"max_rows\" " INT64_FORMAT, table->id, table->max_rows),
				 errhint("Delete rows first.")));
}

/* Tell the function what its statement did. */
static void
report(DefinitionCall *call, const TableChange *change, List *affected)
{
	MemoryContext cxt = MemoryContextSwitchTo(call->cxt);

	call->result = sigma_definition_report(change, affected);
	MemoryContextSwitchTo(cxt);
}
