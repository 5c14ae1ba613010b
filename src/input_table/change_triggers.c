/*
 * change_triggers.c
 *		Triggers of data tables that start sequences: made and dropped with the sequences.
 *
 * A table has those of the operations that some sequence of type row_change asks for, and
 * without such a sequence none: other tables pay nothing.  Who makes a trigger waits for
 * the table's open writers, as CREATE TRIGGER does (SHARE ROW EXCLUSIVE); who may have to
 * drop one takes ACCESS EXCLUSIVE at once.  Under that lock the newest definitions count,
 * so two sessions that change sequences of one table agree.
 *
 * Names sort after those that log and count: by then the statement is in the edit log.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common/catalog.h"
#include "common/names.h"
#include "input_table/define.h"
#include "input_table/row_change.h"

/* One trigger, of one operation: PostgreSQL gives no transition tables to several. */
typedef struct ChangeTrigger
{
	int			operation;
	const char *word;			/* in documents */
	const char *name;
	const char *event;
	const char *rows;
} ChangeTrigger;

static const ChangeTrigger change_triggers[] = {
	{ROW_INSERT, "insert", "sigma_2_change_insert", "AFTER INSERT", "NEW TABLE AS sigma_new"},
	{ROW_UPDATE, "update", "sigma_2_change_update", "AFTER UPDATE", "OLD TABLE AS sigma_old NEW TABLE AS sigma_new"},
	{ROW_DELETE, "delete", "sigma_2_change_delete", "AFTER DELETE", "OLD TABLE AS sigma_old"},
};

static int	wanted_operations(const char *id);
static Oid	lock_rows(const char *id, LOCKMODE mode);

/* The operations that a canonical trigger document of type row_change names; all where it names none. */
int
sigma_change_operations(const JsonNode *trigger)
{
	const JsonNode *list = sigma_json_get(trigger, "operations");
	int			operations = 0;
	int			i;
	int			j;

	if (list == NULL || list->kind != JSON_ARRAY)
		return ROW_ANY;
	for (i = 0; i < list->count; i++)
		for (j = 0; j < lengthof(change_triggers); j++)
			if (list->items[i]->kind == JSON_STRING && strcmp(list->items[i]->string, change_triggers[j].word) == 0)
				operations |= change_triggers[j].operation;
	return operations;
}

/*
 * Give the table of that id the triggers that the sequences ask for, and no others of
 * these.  "fewer": there may be some to drop.  55006 where the statement that asks for it,
 * or an open cursor, uses the table.
 */
void
sigma_change_triggers_set(const char *id, bool fewer)
{
	LOCKMODE	mode = fewer ? AccessExclusiveLock : ShareRowExclusiveLock;
	Oid			relid = lock_rows(id, mode);
	OwnerScope	scope;
	char	   *name;
	int			wanted;
	int			i;

	if (!OidIsValid(relid))
		return;
	CommandCounterIncrement();
	wanted = wanted_operations(id);
	name = sigma_ddl_name(get_rel_name(relid));
	SPI_connect();
	sigma_ddl_begin(&scope);
	for (i = 0; i < lengthof(change_triggers); i++)
	{
		const ChangeTrigger *t = &change_triggers[i];
		bool		is_there = OidIsValid(get_trigger_oid(relid, t->name, true));

		if ((wanted & t->operation) != 0 && !is_there)
			sigma_ddl_run("CREATE TRIGGER %s %s ON %s REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION sigma.start_row_change(%s)",
						  t->name, t->event, name, t->rows, quote_literal_cstr(id));
		else if (fewer && (wanted & t->operation) == 0 && is_there)
			sigma_ddl_run("DROP TRIGGER %s ON %s", t->name, name);
	}
	sigma_owner_end(&scope);
	SPI_finish();
}

/* The triggers that the sequences ask for and the table has not: a List of names. */
List *
sigma_change_triggers_missing(const char *id, Oid relid)
{
	int			wanted = wanted_operations(id);
	List	   *missing = NIL;
	int			i;

	for (i = 0; i < lengthof(change_triggers); i++)
		if ((wanted & change_triggers[i].operation) != 0 && !OidIsValid(get_trigger_oid(relid, change_triggers[i].name, true)))
			missing = lappend(missing, unconstify(char *, change_triggers[i].name));
	return missing;
}

/* What all sequences together ask for; of a linked table entries come and change with updates. */
static int
wanted_operations(const char *id)
{
	int			wanted = 0;
	ListCell   *lc;

	foreach(lc, sigma_catalog_names(DOCUMENT_SEQUENCE))
	{
		JsonNode   *sequence = sigma_catalog_read(DOCUMENT_SEQUENCE, ((CatalogName *) lfirst(lc))->id);
		JsonNode   *trigger = sigma_json_get(sequence, "trigger");

		if (strcmp(sigma_json_get_string(trigger, "type", ""), "row_change") == 0 &&
			strcmp(sigma_json_get_string(trigger, "table_id", ""), id) == 0)
			wanted |= sigma_change_operations(trigger);
	}
	if ((wanted & ROW_UPDATE) != 0 && OidIsValid(get_relname_relid(sigma_entry_table_name(id), sigma_sigds_namespace())))
		wanted = ROW_ANY;
	return wanted;
}

/* The table that holds the rows, locked; InvalidOid where there is none. */
static Oid
lock_rows(const char *id, LOCKMODE mode)
{
	for (;;)
	{
		Oid			relid = sigma_rows_oid(id);

		if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION)
			return InvalidOid;
		LockRelationOid(relid, mode);
		if (sigma_rows_oid(id) == relid)
			return relid;
		UnlockRelationOid(relid, mode);
	}
}
