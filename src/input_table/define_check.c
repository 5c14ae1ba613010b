/*
 * define_check.c
 *		Definitions of input tables before they are stored: what a row may say.
 *
 * Names are claimed by an advisory lock on the name before the catalog is
 * searched for it, so that of two sessions the second waits and then gets the
 * clash as an error that says what clashes (catching the unique violation of
 * pg_type would say so too late and roll back the caller's savepoint with it).
 * Unique indexes of the catalog stand behind that, for restores.
 *
 * While a dump is restored an INSERT checks the row alone.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "input_table/computed.h"
#include "input_table/define_call.h"
#include "input_table/input_table.h"
#include "input_table/linked.h"

#define DEFAULT_COLUMN		"Column 1"
#define NAME_LOCK			0x5349	/* field 4 of the advisory lock: SQL's have 1 and 2 */

/* Ids of "Column 1" columns that this transaction made up: their tables get blank rows. */
static List *made_up_columns = NIL;

static void make_up_columns(JsonNode *document);
static void forget_made_up_columns(void *arg);
static void claim_names(JsonNode *document, bool relation);
static void refuse_retypes(const TableChange *change);
static void refuse_other_kinds(const TableChange *change);
static void refuse_own_uses(const TableChange *change);

/* The document of a row that is inserted; SG400 and others where it cannot be. */
JsonNode *
sigma_definition_check_insert(TriggerData *trigger)
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
JsonNode *
sigma_definition_check_update(TriggerData *trigger)
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

/* Was the column made up in this transaction, because its table came without any? */
bool
sigma_definition_made_up(const char *column_id)
{
	ListCell   *lc;

	foreach(lc, made_up_columns)
		if (strcmp(lfirst(lc), column_id) == 0)
			return true;
	return false;
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
		sigma_definition_lock_name("relation", data_table);
	sigma_definition_lock_name("name", name);
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
	sigma_definition_lock_name("relation", sigma_data_table_name(id));
	if (sigma_catalog_exists(DOCUMENT_INPUT_TABLE, id))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("input table \"%s\" already exists", id),
				 errhint("sigma.update_input_table changes it.")));
}

/* Wait for whoever claims that name, and claim it. */
void
sigma_definition_lock_name(const char *space, const char *name)
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

/*
 * Raise SG409 where a formula of the new definition itself names a column that is dropped
 * or retyped, with everybody else who does.  With cascade it is the new definition's own errors
 * that say what it can be.
 */
static void
refuse_own_uses(const TableChange *change)
{
	const DefinitionCall *call = sigma_definition_call(change->after->id);
	Names	   *names = NULL;
	const ColumnChange *column;
	int			i;

	if (call != NULL && call->cascade)
		return;
	for (i = 0; (column = sigma_change_column(change, i)) != NULL; i++)
	{
		NamedObject object = {NAMED_COLUMN, change->before->id, NULL};
		List	   *users;

		if (!sigma_column_lost(column))
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
