/*
 * explain_table.c
 *		What a write of rows sets off: rules, triggers, sequences.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

#include "action/explain.h"
#include "common/catalog.h"
#include "compat.h"
#include "input_table/input_table.h"
#include "input_table/row_change.h"

static const InputTable *linked_table(Oid relid);
static void explain_rules(JsonNode *step, const InputTable *table, CmdType command, Bitmapset *columns);
static void explain_column_rules(JsonNode *rules, const JsonNode *column, const JsonNode *document, bool formulas_only);
static void explain_rule(JsonNode *rules, const char *column, const JsonNode *rule, bool formulas_only);
static void add_rule(JsonNode *rules, const char *column, const char *rule, const JsonNode *value, const char *severity);
static bool sets_column(const InputTable *table, const char *name, Bitmapset *columns);
static void explain_triggers(JsonNode *step, Oid relid, CmdType command, Bitmapset *columns);
static bool fires(const Trigger *trigger, CmdType command, Bitmapset *columns);
static int	trigger_turn(const Trigger *trigger);
static void add_trigger(JsonNode *triggers, const Trigger *trigger);
static void append_once(JsonNode *array, JsonNode *node);
static void explain_fired(JsonNode *step, const InputTable *table, CmdType command, Bitmapset *columns);
static bool sets_any(const InputTable *table, List *names, Bitmapset *columns);

/* Rules, triggers and sequences of a relation whose rows are written. */
void
sigma_explain_write(Explain *explain, JsonNode *step, Oid relid, CmdType command, Bitmapset *columns)
{
	const InputTable *table = sigma_input_table(relid);

	explain_triggers(step, relid, command, columns);
	if (table == NULL && (table = linked_table(relid)) != NULL)
	{
		/* the view's triggers write entries, new ones or not, by the definition's columns */
		sigma_explain_relation(explain, step, table->relid, true, RowExclusiveLock, NULL);
		explain_rules(step, table, CMD_INSERT, NULL);
		explain_fired(step, table, CMD_UPDATE, NULL);
	}
	else if (table != NULL)
	{
		explain_rules(step, table, command, columns);
		explain_fired(step, table, command, columns);
	}
	if (table == NULL)
		return;
	if (OidIsValid(table->log.relid))
		sigma_explain_relation(explain, step, table->log.relid, true, RowExclusiveLock, NULL);
}

/* The linked table whose view the relation is, as its trigger says; NULL for any other relation. */
static const InputTable *
linked_table(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc); /* reading the table may rebuild the list */
	const InputTable *table = NULL;
	int			i;

	for (i = 0; rel->rd_rel->relkind == RELKIND_VIEW && triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (strcmp(trigger->tgname, "sigma_0_linked_row") == 0 && trigger->tgnargs == 1)
			table = sigma_input_table_by_id(trigger->tgargs[0]);
	}
	table_close(rel, NoLock);
	return table;
}

/*
 * Rules
 */

/*
 * The rules that rows are checked by: of an UPDATE those of columns that it sets, and
 * formulas, which may read such columns.
 */
static void
explain_rules(JsonNode *step, const InputTable *table, CmdType command, Bitmapset *columns)
{
	JsonNode   *document = sigma_catalog_read(DOCUMENT_INPUT_TABLE, table->id);
	JsonNode   *list = document == NULL ? NULL : sigma_json_get(document, "columns");
	JsonNode   *row_rules = document == NULL ? NULL : sigma_json_get(document, "row_rules");
	JsonNode   *rules = sigma_explain_array(step, "rules");
	int			i;

	if (command == CMD_DELETE)
		return;
	for (i = 0; list != NULL && list->kind == JSON_ARRAY && i < list->count; i++)
		explain_column_rules(rules, list->items[i], document, command == CMD_UPDATE &&
							 !sets_column(table, sigma_json_get_string(list->items[i], "name", ""), columns));
	for (i = 0; row_rules != NULL && row_rules->kind == JSON_ARRAY && i < row_rules->count; i++)
		explain_rule(rules, NULL, row_rules->items[i], false);
}

/* The rules of one column, wherever they stand. */
static void
explain_column_rules(JsonNode *rules, const JsonNode *column, const JsonNode *document, bool formulas_only)
{
	const char *name = sigma_json_get_string(column, "name", "");
	JsonNode   *unique = sigma_json_get(column, "unique");

	if (!formulas_only && sigma_json_get_bool(column, "required", false))
		add_rule(rules, name, "required", NULL, "error");
	if (!formulas_only && unique != NULL && (unique->kind == JSON_STRING || (unique->kind == JSON_BOOL && unique->boolean)))
		add_rule(rules, name, "unique", unique->kind == JSON_STRING ? unique : NULL, "error");
	explain_rule(rules, name, sigma_json_get(column, "validation"), formulas_only);
	explain_rule(rules, name, sigma_json_get(sigma_json_get(document, "validation_rules"), name), formulas_only);
}

/* The members of one rule document. */
static void
explain_rule(JsonNode *rules, const char *column, const JsonNode *rule, bool formulas_only)
{
	const char *severity = rule == NULL ? NULL : sigma_json_get_string(rule, "severity", "error");
	int			i;

	for (i = 0; rule != NULL && rule->kind == JSON_OBJECT && i < rule->count; i++)
	{
		const JsonNode *member = rule->items[i];

		if (strcmp(member->key, "severity") == 0 || strcmp(member->key, "message") == 0 ||
			strcmp(member->key, "ignore_case") == 0 || member->kind == JSON_NULL ||
			(member->kind == JSON_BOOL && !member->boolean) ||
			(formulas_only && strcmp(member->key, "formula") != 0))
			continue;
		add_rule(rules, column, member->key, member->kind == JSON_BOOL ? NULL : member, severity);
	}
}

static void
add_rule(JsonNode *rules, const char *column, const char *rule, const JsonNode *value, const char *severity)
{
	JsonNode   *node = sigma_json_new(JSON_OBJECT, NULL);

	if (column != NULL)
		sigma_json_set(node, "column", sigma_json_new_string(column, NULL));
	sigma_json_set(node, "rule", sigma_json_new_string(rule, NULL));
	if (value != NULL)
		sigma_json_set(node, "value", sigma_json_copy(value));
	sigma_json_set(node, "severity", sigma_json_new_string(severity, NULL));
	append_once(rules, node);
}

/* Does the statement set the column of that name? */
static bool
sets_column(const InputTable *table, const char *name, Bitmapset *columns)
{
	int			i;

	for (i = 0; i < table->ncolumn; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return bms_is_member(table->columns[i].attnum - FirstLowInvalidHeapAttributeNumber, columns);
	return false;
}

/*
 * Triggers
 */

/* The triggers that fire, in the order in which they do. */
static void
explain_triggers(JsonNode *step, Oid relid, CmdType command, Bitmapset *columns)
{
	Relation	rel = table_open(relid, AccessShareLock);
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc); /* naming functions may rebuild the list */
	int			turn;
	int			i;

	/* of one turn they stand by name, as they fire */
	for (turn = 0; triggers != NULL && turn < 5; turn++)
		for (i = 0; i < triggers->numtriggers; i++)
			if (trigger_turn(&triggers->triggers[i]) == turn && fires(&triggers->triggers[i], command, columns))
				add_trigger(sigma_explain_array(step, "triggers"), &triggers->triggers[i]);
	table_close(rel, NoLock);
}

/* Does the trigger fire for the command, in a session that is no replica's? */
static bool
fires(const Trigger *trigger, CmdType command, Bitmapset *columns)
{
	int			i;

	if (trigger->tgenabled == TRIGGER_DISABLED || trigger->tgenabled == TRIGGER_FIRES_ON_REPLICA)
		return false;
	if (command == CMD_INSERT)
		return TRIGGER_FOR_INSERT(trigger->tgtype);
	if (command == CMD_DELETE)
		return TRIGGER_FOR_DELETE(trigger->tgtype);
	if (command != CMD_UPDATE || !TRIGGER_FOR_UPDATE(trigger->tgtype))
		return false;
	for (i = 0; i < trigger->tgnattr; i++)
		if (bms_is_member(trigger->tgattr[i] - FirstLowInvalidHeapAttributeNumber, columns))
			return true;
	return trigger->tgnattr == 0;
}

/* BEFORE the statement, BEFORE and INSTEAD OF and AFTER rows, AFTER the statement: 0 to 4. */
static int
trigger_turn(const Trigger *trigger)
{
	if (!TRIGGER_FOR_ROW(trigger->tgtype))
		return TRIGGER_FOR_BEFORE(trigger->tgtype) ? 0 : 4;
	return TRIGGER_FOR_BEFORE(trigger->tgtype) ? 1 : TRIGGER_FOR_INSTEAD(trigger->tgtype) ? 2 : 3;
}

static void
add_trigger(JsonNode *triggers, const Trigger *trigger)
{
	static const char *const turns[] = {"before statement", "before row", "instead of row", "after row", "after statement"};
	JsonNode   *node = sigma_json_new(JSON_OBJECT, NULL);

	sigma_json_set(node, "trigger", sigma_json_new_string(trigger->tgname, NULL));
	sigma_json_set(node, "fires", sigma_json_new_string(turns[trigger_turn(trigger)], NULL));
	sigma_json_set(node, "function", sigma_json_new_string(
		quote_qualified_identifier(get_namespace_name(get_func_namespace(trigger->tgfoid)), get_func_name(trigger->tgfoid)), NULL));
	append_once(triggers, node);
}

/* Append what is not there yet: two statements of a step may set off the same. */
static void
append_once(JsonNode *array, JsonNode *node)
{
	int			i;

	for (i = 0; i < array->count; i++)
		if (sigma_json_equal(array->items[i], node))
			return;
	sigma_json_append(array, node);
}

/*
 * Sequences
 */

/* The sequences that the change of the table's rows starts; of an update those that ask for a column which it sets. */
static void
explain_fired(JsonNode *step, const InputTable *table, CmdType command, Bitmapset *columns)
{
	int			operation = command == CMD_INSERT ? ROW_INSERT : command == CMD_DELETE ? ROW_DELETE : ROW_UPDATE;
	ListCell   *lc;

	foreach(lc, sigma_sequences_of_table(table->id))
	{
		const RowChangeStart *start = lfirst(lc);

		if ((start->operations & operation) != 0 && (operation != ROW_UPDATE || sets_any(table, start->columns, columns)))
			sigma_explain_add(sigma_explain_array(step, "starts"),
							  psprintf("%s%s", start->sequence_id, start->after_commit ? " after the commit" : ""));
	}
}

/* Does the statement set one of these columns (NIL: any)?  What it sets may be unknown (NULL). */
static bool
sets_any(const InputTable *table, List *names, Bitmapset *columns)
{
	ListCell   *lc;

	foreach(lc, names)
		if (sets_column(table, lfirst(lc), columns))
			return true;
	return names == NIL || columns == NULL;
}
