/*
 * define.c
 *		Definitions of input tables: what a row of sigma.sigma_input_tables makes happen.
 *
 * The BEFORE ROW trigger brings the row into its canonical form and checks what
 * stands in it; the AFTER ROW trigger does the work: create or adopt the data
 * table, alter it, let it go.  The functions are fronts over INSERT, UPDATE and
 * DELETE and add only what a row cannot say: cascade, purge, and what to report.
 *
 * Locks.  Names are claimed by an advisory lock on the name before the catalog is
 * searched for it, so that of two sessions the second waits and then gets the
 * clash as an error that says what clashes (catching the unique violation of
 * pg_type would say so too late and roll back the caller's savepoint with it).
 * Unique indexes of the catalog stand behind that, for restores.  A change takes
 * ACCESS EXCLUSIVE on the data table where columns change and SHARE ROW EXCLUSIVE
 * where rules or limits do, before it looks at rows: open writers are waited for,
 * and nobody goes on writing by the old rules.
 *
 * While a dump is restored an INSERT checks the row alone and adopts.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "commands/tablecmds.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "common/access.h"
#include "common/cache.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "input_table/computed.h"
#include "input_table/define.h"
#include "input_table/input_table.h"
#include "input_table/linked.h"
#include "input_table/published.h"

#define BLANK_ROWS			3
#define DEFAULT_COLUMN		"Column 1"
#define NAME_LOCK			0x5349	/* field 4 of the advisory lock: SQL's have 1 and 2 */

/* What a function asks of the triggers of the statement that it runs. */
typedef struct DefinitionCall
{
	const char *id;				/* of the row it is about */
	bool		cascade;		/* change what others name, and report who */
	bool		purge;			/* drop the data too */
	bool		refuse;			/* rows that break a new rule refuse it */
	JsonNode   *result;			/* filled by the trigger, or NULL */
	MemoryContext cxt;			/* where the result lives */
} DefinitionCall;

static DefinitionCall *current_call = NULL;

/* Ids of "Column 1" columns that this transaction made up: their tables get blank rows. */
static List *made_up_columns = NIL;

PG_FUNCTION_INFO_V1(create_input_table);
PG_FUNCTION_INFO_V1(update_input_table);
PG_FUNCTION_INFO_V1(delete_input_table);
PG_FUNCTION_INFO_V1(check_input_table);
PG_FUNCTION_INFO_V1(apply_input_table);
PG_FUNCTION_INFO_V1(refuse_catalog_truncate);

static void check_trigger(FunctionCallInfo fcinfo, const char *name, bool before);
static JsonNode *check_insert(TriggerData *trigger);
static JsonNode *check_update(TriggerData *trigger);
static void make_up_columns(JsonNode *document);
static void forget_made_up_columns(void *arg);
static void claim_names(JsonNode *document, bool relation);
static void lock_name(const char *space, const char *name);
static void refuse_retypes(const TableChange *change);
static void refuse_other_kinds(const TableChange *change);
static void apply_insert(TriggerData *trigger);
static void log_creation(const TableDefinition *table);
static void apply_update(TriggerData *trigger);
static void apply_delete(TriggerData *trigger);
static void purge(const char *id);
static bool purge_leftover(const char *id);
static DefinitionCall *call_for(const char *id);
static Oid	lock_data_table(const char *id, LOCKMODE mode);
static List *check_dependents(const TableChange *change, bool cascade);
static void refuse_own_uses(const TableChange *change);
static void report(DefinitionCall *call, const TableChange *change, List *affected);
static bool may_count(const char *id);
static void check_limit(const TableDefinition *table);

/*
 * create_input_table(config jsonb) → text: insert the definition, and import the
 * CSV that came with it.  Returns its id; 42P07 where there is one of that id.
 */
Datum
create_input_table(PG_FUNCTION_ARGS)
{
	DefinitionCall *outer = current_call;
	DefinitionCall call = {0};
	JsonNode   *document;
	CsvFile    *file;
	char	   *id;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the definition of an input table must not be null")));
	document = sigma_json_read(PG_GETARG_JSONB_P(0));
	call.refuse = sigma_on_existing_refuses(sigma_on_existing_take(document));
	document = sigma_document_normalise(DOCUMENT_INPUT_TABLE, document, 0);
	file = sigma_csv_take(document);
	id = sigma_json_get_string(document, "id", NULL);
	if (id != NULL)
		sigma_definition_refuse_existing(id);
	call.id = id;
	call.cxt = CurrentMemoryContext;
	current_call = id != NULL ? &call : outer;
	PG_TRY();
	{
		id = sigma_catalog_insert(DOCUMENT_INPUT_TABLE, sigma_json_write(document));
	}
	PG_FINALLY();
	{
		current_call = outer;
	}
	PG_END_TRY();
	if (file != NULL)
		sigma_csv_import_first(id, file);
	PG_RETURN_TEXT_P(cstring_to_text(id));
}

/* update_input_table(id text, changes jsonb, cascade bool) → jsonb: what the change did. */
Datum
update_input_table(PG_FUNCTION_ARGS)
{
	JsonNode   *result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("id and changes must not be null")));
	result = sigma_definition_change(text_to_cstring(PG_GETARG_TEXT_PP(0)),
									 sigma_json_read(PG_GETARG_JSONB_P(1)),
									 !PG_ARGISNULL(2) && PG_GETARG_BOOL(2));
	PG_RETURN_JSONB_P(sigma_json_write(result));
}

/* delete_input_table(id text, purge bool, cascade bool) → bool: was there one? */
Datum
delete_input_table(PG_FUNCTION_ARGS)
{
	DefinitionCall *outer = current_call;
	DefinitionCall call = {0};
	bool		found = false;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("id must not be null")));
	call.id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	call.purge = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	call.cascade = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	call.cxt = CurrentMemoryContext;

	current_call = &call;
	PG_TRY();
	{
		found = sigma_catalog_delete(DOCUMENT_INPUT_TABLE, call.id);
		if (!found && call.purge)
			found = purge_leftover(call.id);
	}
	PG_FINALLY();
	{
		current_call = outer;
	}
	PG_END_TRY();
	PG_RETURN_BOOL(found);
}

/*
 * Update a definition as the caller.  Returns the document that update_input_table
 * returns; raises SG404 where there is no such table.
 */
JsonNode *
sigma_definition_change(const char *id, JsonNode *changes, bool cascade)
{
	DefinitionCall *outer = current_call;
	DefinitionCall call = {0};

	call.id = id;
	call.cascade = cascade;
	call.refuse = sigma_on_existing_refuses(sigma_on_existing_take(changes));
	call.cxt = CurrentMemoryContext;
	current_call = &call;
	PG_TRY();
	{
		sigma_catalog_update(DOCUMENT_INPUT_TABLE, id, sigma_json_write(changes));
	}
	PG_FINALLY();
	{
		current_call = outer;
	}
	PG_END_TRY();
	if (call.result == NULL)
	{
		/* no key was given, or somebody's trigger suppressed the update */
		TableChange nothing = {0};

		nothing.before = nothing.after = sigma_definition_read(sigma_json_new(JSON_OBJECT, NULL));
		sigma_definition_compare(&nothing);
		return sigma_definition_report(&nothing, NIL);
	}
	return call.result;
}

/* BEFORE INSERT OR UPDATE ROW: the row in canonical form, checked. */
Datum
check_input_table(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	JsonNode   *document;
	HeapTuple	row;

	check_trigger(fcinfo, "check_input_table", true);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		document = check_insert(trigger);
		row = trigger->tg_trigtuple;
	}
	else
	{
		document = check_update(trigger);
		row = trigger->tg_newtuple;
	}
	return PointerGetDatum(sigma_catalog_document_row(DOCUMENT_INPUT_TABLE, trigger, row, document));
}

/* AFTER INSERT OR UPDATE OR DELETE ROW: do what the row says. */
Datum
apply_input_table(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	check_trigger(fcinfo, "apply_input_table", false);
	/* the row must be visible to what is compiled from it below */
	CommandCounterIncrement();
	sigma_access_lock(false);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		apply_insert(trigger);
	else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		apply_update(trigger);
	else
		apply_delete(trigger);
	return PointerGetDatum(NULL);
}

/* BEFORE TRUNCATE of any catalog table: rows stand for things, so they go one by one. */
Datum
refuse_catalog_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"refuse_catalog_truncate\" must be called by a TRUNCATE trigger")));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("catalog table \"%s\" cannot be truncated", RelationGetRelationName(trigger->tg_relation)),
			 errhint("Use DELETE: it does what the rows stand for.")));
	PG_RETURN_NULL();			/* not reached */
}

/* Raise 39P01 unless called as the row trigger that the function is written for. */
static void
check_trigger(FunctionCallInfo fcinfo, const char *name, bool before)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!(before ? TRIGGER_FIRED_BEFORE(trigger->tg_event) : TRIGGER_FIRED_AFTER(trigger->tg_event)) ||
		RelationGetRelid(trigger->tg_relation) != sigma_relation_oid("sigma_input_tables"))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called by the %s row trigger of sigma.sigma_input_tables",
						name, before ? "BEFORE" : "AFTER")));
}

/* The document of a row that is inserted; SG400 and others where it cannot be. */
static JsonNode *
check_insert(TriggerData *trigger)
{
	JsonNode   *document = sigma_catalog_row_document(DOCUMENT_INPUT_TABLE, trigger, trigger->tg_trigtuple);
	JsonNode   *columns;

	if (sigma_json_get(document, "id") == NULL)
		sigma_json_set(document, "id", sigma_json_new_string(sigma_new_uuid(), document));
	if (sigma_json_get(document, "type") == NULL)
		sigma_json_set(document, "type", sigma_json_new_string("empty", document));
	sigma_check_table_id(sigma_json_get_string(document, "id", ""));
	sigma_definition_refuse_unbuilt(document);

	columns = sigma_json_get(document, "columns");
	if (columns == NULL)
		make_up_columns(document);
	else if (columns->kind != JSON_ARRAY || columns->count == 0)
		sigma_document_error(columns, 0, "Leave \"columns\" out to begin with one text column.",
							 "an input table needs a column");
	sigma_columns_first(document);
	document = sigma_document_normalise(DOCUMENT_INPUT_TABLE, document, 0);
	if (!sigma_catalog_restoring())
		sigma_formulas_qualify(DOCUMENT_INPUT_TABLE, document);
	if (sigma_is_linked(document))
		sigma_linked_check(document, NULL, sigma_catalog_restoring());
	sigma_table_check_definition(sigma_is_linked(document) ? sigma_linked_document(document) : document);
	sigma_computed_check(document, sigma_catalog_restoring());
	if (!sigma_catalog_restoring())
		claim_names(document, true);
	sigma_view_check_name(document, sigma_catalog_restoring());
	sigma_row_security_check(document, sigma_catalog_restoring());
	sigma_governance_check(document, NULL, OidIsValid(sigma_rows_oid(sigma_json_get_string(document, "id", ""))),
						   sigma_catalog_restoring());
	return document;
}

/* The document of a row that is updated, its columns matched with the stored ones. */
static JsonNode *
check_update(TriggerData *trigger)
{
	JsonNode   *before = sigma_catalog_row_document(DOCUMENT_INPUT_TABLE, trigger, trigger->tg_trigtuple);
	JsonNode   *after = sigma_catalog_row_document(DOCUMENT_INPUT_TABLE, trigger, trigger->tg_newtuple);
	JsonNode   *id = sigma_json_get(before, "id");
	JsonNode   *columns = sigma_json_get(after, "columns");
	JsonNode   *stored = sigma_json_get(before, "columns");
	TableChange change = {0};

	if (!sigma_definition_same(id, sigma_json_get(after, "id")))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the id of input table \"%s\" cannot be changed", id->string),
				 errhint("Give it another \"name\".")));
	if (!sigma_definition_same(sigma_json_get(before, "type"), sigma_json_get(after, "type")))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the type of input table \"%s\" cannot be changed", id->string)));
	if (stored == NULL || stored->kind != JSON_ARRAY)
		sigma_definition_not_whole(id->string);
	sigma_definition_refuse_unbuilt(after);
	if (columns == NULL || columns->kind != JSON_ARRAY)
		sigma_document_error(columns != NULL ? columns : after, 0, NULL, "an input table needs columns");

	sigma_columns_resolve(after, before,
						  !sigma_definition_same(sigma_json_get(before, "validation_rules"),
												 sigma_json_get(after, "validation_rules")));
	sigma_unique_rules_follow(after, before, !sigma_definition_same(sigma_json_get(before, "row_rules"),
																	 sigma_json_get(after, "row_rules")));
	sigma_formulas_follow(before, after);
	after = sigma_document_normalise(DOCUMENT_INPUT_TABLE, after, 0);
	sigma_formulas_qualify(DOCUMENT_INPUT_TABLE, after);
	change.before = sigma_definition_read(before);
	change.after = sigma_definition_read(after);
	sigma_definition_compare(&change);
	refuse_retypes(&change);
	refuse_other_kinds(&change);
	refuse_own_uses(&change);
	if (sigma_is_linked(after))
		sigma_linked_check(after, before, false);
	sigma_table_check_definition(sigma_is_linked(after) ? sigma_linked_document(after) : after);
	sigma_row_security_check(after, false);
	sigma_computed_check(after, false);
	sigma_governance_check(after, before, true, false);
	if (!sigma_definition_same(sigma_json_get(before, "name"), sigma_json_get(after, "name")))
	{
		claim_names(after, false);
		sigma_view_check_name(after, false);
	}
	return after;
}

/* Without columns an empty table begins with one text column, and with blank rows later. */
static void
make_up_columns(JsonNode *document)
{
	JsonNode   *columns = sigma_json_new(JSON_ARRAY, document);
	JsonNode   *column = sigma_json_new(JSON_OBJECT, document);
	MemoryContextCallback *callback;
	MemoryContext cxt;
	char	   *id = sigma_new_column_id();

	if (strcmp(sigma_json_get_string(document, "type", ""), "csv") == 0 || sigma_catalog_restoring())
		sigma_document_error(document, 0, "Give \"columns\", or \"csv_data\" to take them from.",
							 "\"columns\" is missing");
	sigma_json_set(column, "id", sigma_json_new_string(id, document));
	sigma_json_set(column, "name", sigma_json_new_string(DEFAULT_COLUMN, document));
	sigma_json_set(column, "type", sigma_json_new_string("text", document));
	sigma_json_append(columns, column);
	sigma_json_set(document, "columns", columns);

	/* the id is new, so an entry that outlives a rolled back INSERT means no other table */
	cxt = MemoryContextSwitchTo(TopTransactionContext);
	if (made_up_columns == NIL)
	{
		callback = palloc0(sizeof(MemoryContextCallback));
		callback->func = forget_made_up_columns;
		MemoryContextRegisterResetCallback(TopTransactionContext, callback);
	}
	made_up_columns = lappend(made_up_columns, pstrdup(id));
	MemoryContextSwitchTo(cxt);
}

/* Transaction end: the list went with its context. */
static void
forget_made_up_columns(void *arg)
{
	made_up_columns = NIL;
}

/*
 * Claim the display name and, for a new table, the name of its relation, until
 * transaction end.  Raises SG409 and 42P07 where another table has them.
 */
static void
claim_names(JsonNode *document, bool relation)
{
	const char *id = sigma_json_get_string(document, "id", "");
	const char *name = sigma_json_get_string(document, "name", unconstify(char *, id));
	const char *data_table = sigma_data_table_name(id);
	ListCell   *lc;

	if (relation)
		lock_name("relation", data_table);
	lock_name("name", name);
	foreach(lc, sigma_catalog_names(DOCUMENT_INPUT_TABLE))
	{
		CatalogName *other = lfirst(lc);

		if (strcmp(other->id, id) == 0)
			continue;			/* the same row: the primary key decides */
		if (relation && strcmp(sigma_data_table_name(other->id), data_table) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_TABLE),
					 errmsg("input table \"%s\" would have the data table of input table \"%s\"", id, other->id),
					 errdetail("Both are \"sigds.%s\".", data_table),
					 errhint("Choose an id that differs in letters or digits.")));
		if (strcmp(other->name != NULL ? other->name : other->id, name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_SIGMA_CONFLICT),
					 errmsg("input table \"%s\" has the name \"%s\" already", other->id, name),
					 errhint("Choose another \"name\".")));
	}
}

/* Raise 42P07 where there is an input table of that id, also one that another session just committed. */
void
sigma_definition_refuse_existing(const char *id)
{
	lock_name("relation", sigma_data_table_name(id));
	if (sigma_catalog_exists(DOCUMENT_INPUT_TABLE, id))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("input table \"%s\" already exists", id),
				 errhint("sigma.update_input_table changes it.")));
}

/* Wait for whoever claims that name, and claim it. */
static void
lock_name(const char *space, const char *name)
{
	char	   *key = psprintf("%s/%s", space, name);
	uint64		hash = hash_bytes_extended((const unsigned char *) key, strlen(key), 0);
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, NAME_LOCK);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	/* unlike a relation's lock, this one does not bring the news of whom we waited for */
	AcceptInvalidationMessages();
}

/* A column that is locked or has rules keeps its type: SG423 and SG409. */
static void
refuse_retypes(const TableChange *change)
{
	int			i;

	for (i = 0; i < change->ncolumn; i++)
	{
		const ColumnChange *column = &change->columns[i];
		const JsonNode *type;

		if (!sigma_column_retyped(column))
			continue;
		type = sigma_json_get(column->after->node, "type");
		if (column->before->is_protected)
			sigma_document_error(type, ERRCODE_SIGMA_LOCKED,
								 "Set \"protected\" to false first.",
								 "column \"%s\" is protected: its type cannot be changed", column->after->name);
		if (column->before->has_validation && column->after->has_validation)
			sigma_document_error(type, ERRCODE_SIGMA_CONFLICT,
								 "Take its validation rules off first.",
								 "column \"%s\" has validation: its type cannot be changed", column->after->name);
	}
}

/* SG400 where a column that is entered becomes computed, or the other way round. */
static void
refuse_other_kinds(const TableChange *change)
{
	const ColumnChange *column;
	const ColumnChange *other;
	int			i;
	int			j;

	for (i = 0; (column = sigma_change_column(change, i)) != NULL; i++)
		for (j = 0; column->after != NULL && column->before == NULL && (other = sigma_change_column(change, j)) != NULL; j++)
			if (other->after == NULL && strcmp(other->before->id, column->after->id) == 0)
				sigma_document_error(column->after->node, 0, "Drop it and add another one.",
									 i < change->ncolumn ? "computed column \"%s\" cannot become one that is entered" :
									 "column \"%s\" is entered: it cannot become computed", column->after->name);
}

/* A new definition: create its data table, or adopt the one it had before. */
static void
apply_insert(TriggerData *trigger)
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
		sigma_row_security_create(table);
		sigma_computed_check_rights(document, NULL, sigma_view_rows(table), NIL, false);
		sigma_list_rules_check(document, NULL);
		sigma_view_create(table);
		sigma_access_apply(table->id);
		sigma_governance_apply(table, false);
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
	sigma_row_security_create(table);
	sigma_computed_check_rights(document, NULL, sigma_view_rows(table), NIL, false);
	sigma_list_rules_check(document, NULL);
	sigma_view_create(table);
	sigma_access_apply(table->id);
	sigma_governance_apply(table, false);
	sigma_limits_forget_count(table->id);
	check_limit(table);
	sigma_cache_send(relid);
	CommandCounterIncrement();
	change.after = table;
	if (call_for(table->id) != NULL && call_for(table->id)->refuse)
		sigma_existing_rows_refuse(&change, relid);
	sigma_log_checkpoint(table, relid);
	sigma_existing_rows_report(table, relid);
}

/* A new table's first entries, and the blank rows of one that came without columns: one statement. */
static void
log_creation(const TableDefinition *table)
{
	LogGroup	group;
	ListCell   *lc;

	CommandCounterIncrement();
	sigma_log_group_begin(&group, sigma_log_of(table)->relid);
	PG_TRY();
	{
		sigma_log_creation(table);
		foreach(lc, made_up_columns)
			if (table->nkey == 0 && strcmp(lfirst(lc), table->columns[0].id) == 0)
				sigma_data_table_add_blank_rows(table, BLANK_ROWS);
	}
	PG_FINALLY();
	{
		sigma_log_group_end(&group);
	}
	PG_END_TRY();
}

/* A changed definition: bring the data table, and whoever names its columns, in line. */
static void
apply_update(TriggerData *trigger)
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
	call = call_for(change.after->id);
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
static void
apply_delete(TriggerData *trigger)
{
	/* nothing else of the row matters: also one that cannot be read any more can go */
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	const char *id = SPI_getvalue(trigger->tg_trigtuple, desc, SPI_fnumber(desc, "id"));
	DefinitionCall *call = call_for(id);
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
static bool
purge_leftover(const char *id)
{
	List	   *readers;
	Oid			relid;

	lock_name("relation", sigma_data_table_name(id));
	relid = sigma_rows_oid(id);
	if (!OidIsValid(relid) || !sigma_data_table_is_of(relid, id) ||
		sigma_catalog_exists(DOCUMENT_INPUT_TABLE, id))
		return false;
	readers = sigma_view_users_suspend(id, NULL);
	sigma_view_drop(id);
	purge(id);
	sigma_view_users_resume(readers, id, current_call->cascade);
	return true;
}

/* The function that runs this statement, if it is about that row. */
static DefinitionCall *
call_for(const char *id)
{
	return current_call != NULL && strcmp(current_call->id, id) == 0 ? current_call : NULL;
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

		if (column->before == NULL || (column->after != NULL && !sigma_column_retyped(column)))
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

/*
 * Raise SG409 where a formula of the new definition itself names a column that is dropped
 * or retyped, with everybody else who does.  With cascade it is the new definition's own errors
 * that say what it can be.
 */
static void
refuse_own_uses(const TableChange *change)
{
	const DefinitionCall *call = call_for(change->after->id);
	Names	   *names = NULL;
	const ColumnChange *column;
	int			i;

	if (call != NULL && call->cascade)
		return;
	for (i = 0; (column = sigma_change_column(change, i)) != NULL; i++)
	{
		NamedObject object = {NAMED_COLUMN, change->before->id, NULL};
		List	   *users;

		if (column->before == NULL || (column->after != NULL && !sigma_column_retyped(column)))
			continue;
		object.column = column->before->name;
		if (names == NULL)
		{
			names = sigma_names_open();
			sigma_definition_set_names(names, change->before);
		}
		users = sigma_dependents_own(names, &object, change->after->document);
		if (users != NIL)
			sigma_dependents_refuse(psprintf("column \"%s\" of input table \"%s\"",
											 column->before->name, change->before->id),
									list_concat(users, sigma_dependents_find(names, &object)));
	}
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
