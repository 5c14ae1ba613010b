/*
 * dependents.c
 *		Who names a table, a column or a variable, and renames that they follow.
 *
 * References in members of documents and in their formulas count alike.  Before the
 * catalog is searched for a table's users, its tables of elements, actions and
 * sequences are locked against writers, in one order: a definition that is being
 * written meanwhile either is seen here, or waits and then finds the column gone.
 * Definitions of other input tables need no such lock: what they read is open in
 * their session until they commit.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/session.h"
#include "common/spi.h"
#include "input_table/define.h"
#include "input_table/objects.h"

/* Kinds of documents that may name tables and columns, and how "affected" calls them. */
static const struct
{
	DocumentKind kind;
	const char *label;
}			naming[] = {
	{DOCUMENT_LAYOUT_ELEMENT, "element"},
	{DOCUMENT_ACTION, "action"},
	{DOCUMENT_SEQUENCE, "sequence"},
	{DOCUMENT_INPUT_TABLE, "input_table"},
};

#define LOCKED	3				/* so many of them are locked */

/* What has another name now. */
typedef struct Renaming
{
	Names	   *names;			/* what names meant before */
	const char *(*new_name) (const struct Renaming *renaming, const Reference *reference);	/* or NULL */
	const TableChange *change;	/* columns and display name of a table */
	const char *id;				/* of a variable */
	const char *old_name;
	const char *name;
	bool		hidden;			/* the document sets a variable of the old name itself */
} Renaming;

static void find_in(Names *names, const NamedObject *object, DocumentKind kind, const char *id, MemoryContext caller,
					List **found);
static Names *names_before(const TableChange *change);
static const char *new_name_of_table(const TableChange *change, const Reference *reference);
static const char *new_name_in_table(const Renaming *renaming, const Reference *reference);
static const char *new_name_of_variable(const Renaming *renaming, const Reference *reference);
static List *rename_everywhere(Renaming *renaming, const char *except);
static List *rename_in(Renaming *renaming, DocumentKind kind, const char *id);
static bool sets_variable(const JsonNode *node, const char *name);
static Dependent *make_dependent(DocumentKind kind, const char *id, const Reference *reference);
static void write_back(DocumentKind kind, const char *id, const JsonNode *before, const JsonNode *after);
static void check_snapshot(DocumentKind kind, const char *id);
static const char *label_of(DocumentKind kind);

/* Keep writers out of every catalog table that is locked before it is searched, until transaction end. */
void
sigma_dependents_lock(void)
{
	int			i;

	for (i = 0; i < LOCKED; i++)
		LockRelationOid(sigma_relation_oid(sigma_catalog_table(naming[i].kind)->name), ShareRowExclusiveLock);
}

/*
 * The places that name an object, as a List of Dependent.  A table's own definition is
 * not searched for it and its columns: that is checked as a whole.
 */
List *
sigma_dependents_find(Names *names, const NamedObject *object)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "sigma dependents", ALLOCSET_DEFAULT_SIZES);
	List	   *found = NIL;
	int			i;

	for (i = 0; i < lengthof(naming); i++)
	{
		ListCell   *lc;

		foreach(lc, sigma_catalog_names(naming[i].kind))
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextSwitchTo(work);
			find_in(names, object, naming[i].kind, ((CatalogName *) lfirst(lc))->id, caller, &found);
			MemoryContextSwitchTo(caller);
			MemoryContextReset(work);
		}
	}
	MemoryContextDelete(work);
	return found;
}

/* Add the places of one document that name the object, in "caller". */
static void
find_in(Names *names, const NamedObject *object, DocumentKind kind, const char *id, MemoryContext caller, List **found)
{
	JsonNode   *document;
	ListCell   *lc;

	if (kind == DOCUMENT_INPUT_TABLE && strcmp(id, object->id) == 0 &&
		(object->kind == NAMED_INPUT_TABLE || object->kind == NAMED_COLUMN))
		return;
	document = sigma_catalog_read(kind, id);
	if (document == NULL)
		return;
	foreach(lc, sigma_document_references(kind, document))
	{
		Reference  *reference = lfirst(lc);
		const Dependent *last;
		MemoryContext work;
		NamedObject		named;
		char	   *path;

		if (!sigma_names_resolve(names, reference, &named) || !sigma_object_same(&named, object))
			continue;
		/* a formula may name it several times */
		path = sigma_json_path(reference->where);
		last = *found == NIL ? NULL : llast(*found);
		if (last != NULL && last->kind == kind && strcmp(last->id, id) == 0 && strcmp(last->path, path) == 0)
			continue;
		work = MemoryContextSwitchTo(caller);
		*found = lappend(*found, make_dependent(kind, id, reference));
		MemoryContextSwitchTo(work);
	}
}

/*
 * The formulas in the definition of a column's own table that name it, but for those of
 * the column itself, as a List of Dependent.
 */
List *
sigma_dependents_own(Names *names, const NamedObject *object, JsonNode *document)
{
	List	   *found = NIL;
	ListCell   *lc;

	foreach(lc, sigma_document_references(DOCUMENT_INPUT_TABLE, document))
	{
		Reference  *reference = lfirst(lc);
		NamedObject named;
		NamedObject user;
		Dependent  *place;

		if (reference->place == NULL || !sigma_names_resolve(names, reference, &named) ||
			!sigma_object_same(&named, object))
			continue;
		place = make_dependent(DOCUMENT_INPUT_TABLE, object->id, reference);
		sigma_object_at(document, NAMED_INPUT_TABLE, place->path, &user);
		if (!sigma_object_is_own(&user, object) &&
			(found == NIL || strcmp(((Dependent *) llast(found))->path, place->path) != 0))
			found = lappend(found, place);
	}
	return found;
}

/* A place, in the current context. */
static Dependent *
make_dependent(DocumentKind kind, const char *id, const Reference *reference)
{
	Dependent  *user = palloc(sizeof(Dependent));

	user->kind = kind;
	user->id = pstrdup(id);
	user->path = sigma_json_path(reference->where);
	return user;
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
						 user->kind == DOCUMENT_INPUT_TABLE ? "input table" : label_of(user->kind),
						 user->id, user->path);
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
 * Make every document that names a renamed column name it by its new name, and every
 * formula that calls the table by its display name, or whatever names its view, by the
 * new one.  Returns the changed places as a List of Dependent.
 */
List *
sigma_dependents_rename(const TableChange *change)
{
	const char *name = sigma_json_get_string(change->before->document, "name", "");
	const ColumnChange *column;
	Renaming	renaming = {0};
	bool		any = strcmp(name, sigma_json_get_string(change->after->document, "name", "")) != 0;
	int			i;

	for (i = 0; (column = sigma_change_column(change, i)) != NULL; i++)
		if (sigma_column_renamed(column))
			any = true;
	if (!any)
		return NIL;

	renaming.names = names_before(change);
	renaming.new_name = new_name_in_table;
	renaming.change = change;
	return rename_everywhere(&renaming, change->before->id);
}

/*
 * The same for a variable: what names it by its old name does so by the new one, or
 * by its id where it has none now.
 */
void
sigma_dependents_rename_variable(const char *id, const char *old_name, const char *name)
{
	Renaming	renaming = {0};

	renaming.names = sigma_names_open();
	sigma_names_set_variable(renaming.names, id, old_name);
	renaming.new_name = new_name_of_variable;
	renaming.id = id;
	renaming.old_name = old_name;
	renaming.name = name == NULL ? id : name;
	(void) rename_everywhere(&renaming, NULL);
}

/* Go through all documents but the definition of the table "except". */
static List *
rename_everywhere(Renaming *renaming, const char *except)
{
	List	   *changed = NIL;
	int			i;

	sigma_dependents_lock();
	for (i = 0; i < lengthof(naming); i++)
	{
		ListCell   *lc;

		foreach(lc, sigma_catalog_names(naming[i].kind))
		{
			const char *id = ((CatalogName *) lfirst(lc))->id;

			CHECK_FOR_INTERRUPTS();
			if (naming[i].kind != DOCUMENT_INPUT_TABLE || except == NULL || strcmp(id, except) != 0)
				changed = list_concat(changed, rename_in(renaming, naming[i].kind, id));
		}
	}
	return changed;
}

/* What names meant before a change of a table. */
static Names *
names_before(const TableChange *change)
{
	Names	   *names = sigma_names_open();

	sigma_definition_set_names(names, change->before);
	return names;
}

/* Let a table have the names of its definition. */
void
sigma_definition_set_names(Names *names, const TableDefinition *table)
{
	List	   *columns = NIL;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
		columns = lappend(columns, unconstify(char *, table->columns[i].name));
	for (i = 0; i < table->ncomputed; i++)
		columns = lappend(columns, unconstify(char *, table->computed[i].name));
	columns = sigma_names_add_linked(columns, table->document);
	sigma_names_set_table(names, table->id, sigma_json_get_string(table->document, "name", NULL), columns);
}

/* Rename what has another name now in one document.  The changed places, as a List of Dependent. */
static List *
rename_in(Renaming *renaming, DocumentKind kind, const char *id)
{
	JsonNode   *document = sigma_catalog_read(kind, id);
	JsonNode   *before;
	List	   *references;
	List	   *changed = NIL;
	List	   *spelled = NIL;
	ListCell   *lc;
	ListCell   *lc2;

	if (document == NULL)
		return NIL;
	renaming->hidden = renaming->old_name != NULL && sets_variable(document, renaming->old_name);
	references = sigma_document_references(kind, document);
	foreach(lc, references)
		spelled = lappend(spelled, unconstify(char *, renaming->new_name(renaming, lfirst(lc))));
	before = sigma_json_copy(document);
	/* all names are known: two that change places do not meet */
	forboth(lc, references, lc2, spelled)
	{
		Dependent  *place;

		if (lfirst(lc2) == NULL)
			continue;
		place = make_dependent(kind, id, lfirst(lc));
		/* a formula may name it several times */
		if (changed == NIL || strcmp(((Dependent *) llast(changed))->path, place->path) != 0)
			changed = lappend(changed, place);
		sigma_reference_rename(lfirst(lc), lfirst(lc2));
	}
	if (changed != NIL)
		write_back(kind, id, before, document);
	return changed;
}

/*
 * What a table is called now where a reference has its display name, or its warehouse
 * view's, which is the same and its id where it has none; else NULL.
 */
static const char *
new_name_of_table(const TableChange *change, const Reference *reference)
{
	char	   *id = unconstify(char *, change->before->id);
	const char *name = sigma_json_get_string(change->before->document, "name", "");
	const char *now = sigma_json_get_string(change->after->document, "name", id);
	const char *shown = sigma_view_named(reference->name);

	if (reference->place != NULL && strcmp(reference->name, name) == 0)
		return strcmp(name, now) != 0 ? now : NULL;
	if (shown == NULL || strcmp(shown, sigma_json_get_string(change->before->document, "name", id)) != 0 ||
		strcmp(shown, now) == 0)
		return NULL;
	return quote_qualified_identifier("sigma_views", now);
}

/* The new name of what a reference names in a table; NULL where it has none. */
static const char *
new_name_in_table(const Renaming *renaming, const Reference *reference)
{
	const TableChange *change = renaming->change;
	const ColumnChange *column;
	NamedObject		object;
	int			i;

	if (!sigma_names_resolve(renaming->names, reference, &object) || strcmp(object.id, change->before->id) != 0)
		return NULL;
	if (object.kind == NAMED_INPUT_TABLE)
		return new_name_of_table(change, reference);
	for (i = 0; object.kind == NAMED_COLUMN && (column = sigma_change_column(change, i)) != NULL; i++)
		if (sigma_column_renamed(column) && strcmp(column->before->name, object.column) == 0)
			return column->after->name;
	return NULL;
}

/*
 * The new name of a variable where a reference has the old one.  What a run sets
 * under that name comes before what is declared.
 */
static const char *
new_name_of_variable(const Renaming *renaming, const Reference *reference)
{
	NamedObject		object;
	size_t		length = strlen(renaming->old_name);

	if (reference->kind != REFERENCE_VARIABLE || reference->is_own ||
		strncmp(reference->name, renaming->old_name, length) != 0 ||
		(reference->name[length] != '\0' && reference->name[length] != '.') ||
		(renaming->hidden && reference->may_be_other && reference->table == NULL) ||
		!sigma_names_resolve(renaming->names, reference, &object) || strcmp(object.id, renaming->id) != 0)
		return NULL;
	return psprintf("%s%s", renaming->name, reference->name + length);
}

/* Does an action in a document put its result into a variable of that name? */
static bool
sets_variable(const JsonNode *node, const char *name)
{
	int			i;

	check_stack_depth();
	if (node->kind != JSON_OBJECT && node->kind != JSON_ARRAY)
		return false;
	if (strcmp(sigma_json_get_string(node, "output_variable", ""), name) == 0)
		return true;
	for (i = 0; i < node->count; i++)
		if (sets_variable(node->items[i], name))
			return true;
	return false;
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
