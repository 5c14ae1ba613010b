/*
 * edit_log_table.c
 *		The relation of an edit log: create, take over, drop, protect.
 *
 * A log belongs to the owner of schema sigds.  It is append-only for everybody, him
 * included: triggers refuse UPDATE, DELETE and TRUNCATE, also those that reach it by way
 * of a parent table.  Sigma itself lifts that while it compacts a log.  Purging a table
 * drops its log; nothing else does.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "common/catalog.h"
#include "common/names.h"
#include "input_table/define.h"

/* lz4 where the server has it: pglz would take a third of a bulk load. */
#ifdef USE_LZ4
#define EDIT_COMPRESSION	" COMPRESSION lz4"
#else
#define EDIT_COMPRESSION	""
#endif

static bool changes_allowed = false;

static void protect(const char *name, Oid relid);
static void go_on_after(Oid relid);

PG_FUNCTION_INFO_V1(refuse_log_change);

/* The log of a definition's table as writers take it; relid is InvalidOid where none is kept. */
EditLog *
sigma_log_of(const TableDefinition *table)
{
	EditLog    *log = palloc0(sizeof(EditLog));

	log->relid = table->audit ? get_relname_relid(sigma_log_name(table->id), sigma_sigds_namespace()) : InvalidOid;
	log->numbers = sigma_relation_oid("sigma_edit_num");
	log->instance = sigma_relation_oid("sigma_instance");
	log->id = table->id;
	log->name = table->name;
	log->workbook = sigma_json_get_string(sigma_json_get(table->document, "metadata"), "workbook_id", NULL);
	log->chained = table->chained;
	return log;
}

/*
 * Create the log of a table, or take over the one that is there: SPI is connected and we
 * are the owner of sigds.  Returns whether it was made.  55000 where a relation of that
 * name is no log.
 */
bool
sigma_log_create(const TableDefinition *table)
{
	char	   *name = sigma_ddl_name(sigma_log_name(table->id));
	Oid			relid = get_relname_relid(sigma_log_name(table->id), sigma_sigds_namespace());
	Relation	rel;

	if (OidIsValid(relid) && get_rel_relkind(relid) == RELKIND_RELATION)
	{
		rel = table_open(relid, ShareRowExclusiveLock);
		sigma_log_check_shape(rel);
		table_close(rel, NoLock);
		protect(name, relid);
		go_on_after(relid);
		return false;
	}
	sigma_ddl_run("CREATE TABLE %s (ds_id pg_catalog.text NOT NULL, edit_num pg_catalog.int8 PRIMARY KEY, "
				  "\"timestamp\" pg_catalog.timestamptz NOT NULL, edit pg_catalog.jsonb" EDIT_COMPRESSION " NOT NULL, "
				  "metadata pg_catalog.jsonb NOT NULL, xact pg_catalog.xid8 NOT NULL, settled pg_catalog.xid8 NOT NULL, "
				  "instance pg_catalog.int8 NOT NULL, statement pg_catalog.int8 NOT NULL, hash pg_catalog.bytea)", name);
	sigma_ddl_run("COMMENT ON TABLE %s IS %s", name,
				  quote_literal_cstr(psprintf("edit log of input table %s", table->id)));
	protect(name, InvalidOid);
	return true;
}

/* Drop the log, if there is one; SPI is connected and we are the owner of sigds. */
void
sigma_log_drop(const char *id)
{
	if (OidIsValid(get_relname_relid(sigma_log_name(id), sigma_sigds_namespace())))
		sigma_ddl_run("DROP TABLE %s", sigma_ddl_name(sigma_log_name(id)));
}

/* Until the next call with false, which stands in PG_FINALLY, rows of logs can be deleted. */
void
sigma_log_allow_changes(bool allowed)
{
	changes_allowed = allowed;
}

/* BEFORE UPDATE or DELETE, each row, and TRUNCATE: 55000. */
Datum
refuse_log_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger that it is", "refuse_log_change")));
	if (!changes_allowed || TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("edit log \"%s\" is append-only", RelationGetRelationName(trigger->tg_relation)),
				 errhint("sigma.compact_log shortens it, sigma.delete_input_table with \"purge\" drops it."),
				 errtable(trigger->tg_relation)));
	if (TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		return PointerGetDatum(NULL);
	return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple);
}

/* Give the log the triggers that it has not. */
static void
protect(const char *name, Oid relid)
{
	static const char *const triggers[][2] = {
		{"sigma_0_rows", "BEFORE UPDATE OR DELETE ON %s FOR EACH ROW"},
		{"sigma_0_statement", "BEFORE UPDATE OR DELETE ON %s FOR EACH STATEMENT"},
		{"sigma_0_truncate", "BEFORE TRUNCATE ON %s FOR EACH STATEMENT"},
	};
	int			i;

	for (i = 0; i < lengthof(triggers); i++)
		if (!OidIsValid(relid) || !OidIsValid(get_trigger_oid(relid, triggers[i][0], true)))
			sigma_ddl_run("CREATE TRIGGER %s %s EXECUTE FUNCTION sigma.refuse_log_change()",
						  triggers[i][0], psprintf(triggers[i][1], name));
}

/*
 * The numbers of new entries follow those that are there, which an earlier installation
 * of the extension may have given: nobody draws one while we look.
 */
static void
go_on_after(Oid relid)
{
	Oid			sequence = sigma_relation_oid("sigma_edit_num");
	OwnerScope	scope;
	int64		newest;

	newest = sigma_ddl_number(psprintf("SELECT coalesce(pg_catalog.max(edit_num), 0) FROM ONLY %s",
									   sigma_ddl_name(get_rel_name(relid))));
	if (newest == 0)
		return;
	LockRelationOid(sequence, ShareRowExclusiveLock);
	sigma_owner_begin(&scope, sigma_relation_owner(sequence));
	sigma_spi_run(psprintf("SELECT pg_catalog.setval('sigma.sigma_edit_num', " INT64_FORMAT ") FROM sigma.sigma_edit_num "
						   "WHERE last_value OPERATOR(pg_catalog.<=) " INT64_FORMAT, newest, newest),
				  SPI_OK_SELECT);
	sigma_owner_end(&scope);
	UnlockRelationOid(sequence, ShareRowExclusiveLock);
}
