/*
 * dependents.c
 *		Who names an input table or one of its columns, and renames that they follow.
 *
 * Before the catalog is searched its tables are locked against writers, in one
 * order: a definition that is being written meanwhile either is seen here, or
 * waits and then finds the column gone.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/session.h"
#include "common/spi.h"
#include "input_table/define.h"

/* Kinds of documents that may name tables and columns, and how "affected" calls them. */
static const struct
{
	DocumentKind kind;
	const char *label;
}			naming[] = {
	{DOCUMENT_LAYOUT_ELEMENT, "element"},
	{DOCUMENT_ACTION, "action"},
	{DOCUMENT_SEQUENCE, "sequence"},
};

static void lock_naming(void);
static void find_in(DocumentKind kind, const char *id, const char *table, const char *column, List **found);
static bool rename_in(JsonNode *document, DocumentKind kind, const char *table, const TableChange *change);
static void write_back(DocumentKind kind, const char *id, const JsonNode *before, const JsonNode *after);
static void check_snapshot(DocumentKind kind, const char *id);
static const char *label_of(DocumentKind kind);

/*
 * The documents that name a table's column ("column" NULL: the table itself or
 * any column of it), as a List of Dependent.
 */
List *
sigma_dependents_find(const char *table, const char *column)
{
	List	   *found = NIL;
	int			i;

	lock_naming();
	for (i = 0; i < lengthof(naming); i++)
	{
		ListCell   *lc;

		foreach(lc, sigma_catalog_names(naming[i].kind))
			find_in(naming[i].kind, ((CatalogName *) lfirst(lc))->id, table, column, &found);
	}
	return found;
}

/* Raise SG409, naming every document that names "what". */
void
sigma_dependents_refuse(const char *what, List *dependents)
{
	StringInfoData users;
	ListCell   *lc;

	initStringInfo(&users);
	foreach(lc, dependents)
	{
		Dependent  *user = lfirst(lc);

		appendStringInfo(&users, "%s%s \"%s\" (%s)", users.len > 0 ? ", " : "",
						 label_of(user->kind), user->id, user->path);
	}
	ereport(ERROR,
			(errcode(ERRCODE_SIGMA_CONFLICT),
			 errmsg("%s is in use", what),
			 errdetail("It is named by %s.", users.data),
			 errhint("Change them first, or give cascade => true to leave their references dangling.")));
}

/* A List of Dependent as a JSON array of {object, path}. */
JsonNode *
sigma_dependents_report(List *dependents)
{
	JsonNode   *array = sigma_json_new(JSON_ARRAY, NULL);
	ListCell   *lc;

	foreach(lc, dependents)
	{
		Dependent  *user = lfirst(lc);
		JsonNode   *entry = sigma_json_new(JSON_OBJECT, NULL);

		sigma_json_set(entry, "object", sigma_json_new_string(psprintf("%s:%s", label_of(user->kind), user->id), NULL));
		sigma_json_set(entry, "path", sigma_json_new_string(user->path, NULL));
		sigma_json_append(array, entry);
	}
	return array;
}

/*
 * Make every document that names a renamed column name it by its new name.
 * Returns the changed places as a List of Dependent.
 */
List *
sigma_dependents_rename(const TableChange *change)
{
	List	   *changed = NIL;
	bool		any = false;
	int			i;

	for (i = 0; i < change->ncolumn; i++)
		if (sigma_column_renamed(&change->columns[i]))
			any = true;
	if (!any)
		return NIL;

	lock_naming();
	for (i = 0; i < lengthof(naming); i++)
	{
		ListCell   *lc;

		foreach(lc, sigma_catalog_names(naming[i].kind))
		{
			const char *id = ((CatalogName *) lfirst(lc))->id;
			JsonNode   *document = sigma_catalog_read(naming[i].kind, id);
			JsonNode   *before = sigma_json_copy(document);
			int			j;

			for (j = 0; j < change->ncolumn; j++)
				if (sigma_column_renamed(&change->columns[j]))
					find_in(naming[i].kind, id, change->before->id, change->columns[j].before->name, &changed);
			if (rename_in(document, naming[i].kind, change->before->id, change))
				write_back(naming[i].kind, id, before, document);
		}
	}
	return changed;
}

/* Keep writers out of every catalog table that may name a column, until transaction end. */
static void
lock_naming(void)
{
	int			i;

	for (i = 0; i < lengthof(naming); i++)
		LockRelationOid(sigma_relation_oid(sigma_catalog_table(naming[i].kind)->name), ShareRowExclusiveLock);
}

/* Add the places of one document that name the table, or its column. */
static void
find_in(DocumentKind kind, const char *id, const char *table, const char *column, List **found)
{
	JsonNode   *document = sigma_catalog_read(kind, id);
	ListCell   *lc;

	if (document == NULL)
		return;
	foreach(lc, sigma_document_references(kind, document))
	{
		Reference  *reference = lfirst(lc);
		Dependent  *user;

		if (column == NULL ?
			reference->kind != REFERENCE_INPUT_TABLE || strcmp(reference->name, table) != 0 :
			reference->kind != REFERENCE_COLUMN || reference->table == NULL ||
			strcmp(reference->table, table) != 0 || strcmp(reference->name, column) != 0)
			continue;
		user = palloc(sizeof(Dependent));
		user->kind = kind;
		user->id = id;
		user->path = sigma_json_path(reference->is_key ?
									 sigma_json_get(reference->where, reference->name) : reference->where);
		*found = lappend(*found, user);
	}
}

/*
 * Rename all renamed columns in one document.  Where names change places they go
 * by way of names that no column can have.
 */
static bool
rename_in(JsonNode *document, DocumentKind kind, const char *table, const TableChange *change)
{
	bool		renamed = false;
	int			i;

	for (i = 0; i < change->ncolumn; i++)
		if (sigma_column_renamed(&change->columns[i]) &&
			sigma_document_rename(kind, document, REFERENCE_COLUMN, table,
								  change->columns[i].before->name, psprintf("sigma_renamed_%d", i)))
			renamed = true;
	for (i = 0; i < change->ncolumn; i++)
		if (sigma_column_renamed(&change->columns[i]))
			(void) sigma_document_rename(kind, document, REFERENCE_COLUMN, table,
										 psprintf("sigma_renamed_%d", i), change->columns[i].after->name);
	return renamed;
}

/* Write the members that changed, as the owner of the catalog: the caller changed a table, not this. */
static void
write_back(DocumentKind kind, const char *id, const JsonNode *before, const JsonNode *after)
{
	Oid			catalog = sigma_relation_oid(sigma_catalog_table(kind)->name);
	SessionOrigin origin = sigma_session.origin;
	JsonNode   *changes = sigma_json_new(JSON_OBJECT, NULL);
	OwnerScope	scope;
	int			i;

	for (i = 0; i < after->count; i++)
		if (!sigma_definition_same(sigma_json_get(before, after->items[i]->key), after->items[i]))
			sigma_json_set(changes, after->items[i]->key, sigma_json_copy(after->items[i]));
	sigma_owner_begin(&scope, sigma_relation_owner(catalog));
	check_snapshot(kind, id);
	sigma_session.origin = ORIGIN_SYSTEM;
	PG_TRY();
	{
		sigma_catalog_update(kind, id, sigma_json_write(changes));
	}
	PG_FINALLY();
	{
		sigma_session.origin = origin;
	}
	PG_END_TRY();
	sigma_owner_end(&scope);
}

/*
 * What was found by the newest snapshot is written by the transaction's.  Raise
 * 40001 where that one, above READ COMMITTED, is too old to see it.
 */
static void
check_snapshot(DocumentKind kind, const char *id)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(id);

	if (!IsolationUsesXactSnapshot())
		return;
	SPI_connect();
	if (SPI_execute_with_args(psprintf("SELECT FROM sigma.%s WHERE id OPERATOR(pg_catalog.=) $1",
									   sigma_catalog_table(kind)->name),
							  1, &type, &value, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read sigma.%s", sigma_catalog_table(kind)->name);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update"),
				 errhint("The transaction might succeed if retried.")));
	SPI_finish();
}

/* What "affected" calls a kind of document. */
static const char *
label_of(DocumentKind kind)
{
	int			i;

	for (i = 0; i < lengthof(naming); i++)
		if (naming[i].kind == kind)
			return naming[i].label;
	return "object";
}
