/*
 * dependencies.c
 *		sigma.dependencies() and sigma.dependents(): who uses what.
 *
 * Both read the definitions that the caller may read, and say what the names in them
 * mean now.  Parents and children of layout elements are structure, not uses.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/spi.h"
#include "compat.h"
#include "input_table/objects.h"

/* Kinds of documents that name objects, and the objects that they are. */
static const struct
{
	DocumentKind document;
	NamedKind	object;
}			users[] = {
	{DOCUMENT_INPUT_TABLE, NAMED_INPUT_TABLE},
	{DOCUMENT_LAYOUT_ELEMENT, NAMED_ELEMENT},
	{DOCUMENT_ACTION, NAMED_ACTION},
	{DOCUMENT_SEQUENCE, NAMED_SEQUENCE},
};

PG_FUNCTION_INFO_V1(dependencies);
PG_FUNCTION_INFO_V1(dependents);

static void read_argument(FunctionCallInfo fcinfo, Names *names, NamedObject *object);
static List *readable_ids(DocumentKind kind, const char *id);
static void list_dependencies(ReturnSetInfo *result, Names *names, const NamedObject *object);
static void list_uses(ReturnSetInfo *result, Names *names, const NamedObject *object, int user, const char *id);
static void put_row(ReturnSetInfo *result, const NamedObject *object, const char *path);

/* dependencies(object text) → table(kind, object, path): what it uses, and where it says so. */
Datum
dependencies(PG_FUNCTION_ARGS)
{
	Names	   *names = sigma_names_open();
	NamedObject object;

	InitMaterializedSRF(fcinfo, 0);
	read_argument(fcinfo, names, &object);
	list_dependencies((ReturnSetInfo *) fcinfo->resultinfo, names, &object);
	PG_RETURN_NULL();
}

/* dependents(object text) → table(kind, object, path): what uses it, and where that says so. */
Datum
dependents(PG_FUNCTION_ARGS)
{
	Names	   *names = sigma_names_open();
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "sigma dependents", ALLOCSET_DEFAULT_SIZES);
	NamedObject object;
	ListCell   *cell;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	read_argument(fcinfo, names, &object);
	for (i = 0; i < lengthof(users); i++)
		foreach(cell, readable_ids(users[i].document, NULL))
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextSwitchTo(work);
			list_uses((ReturnSetInfo *) fcinfo->resultinfo, names, &object, i, lfirst(cell));
			MemoryContextSwitchTo(caller);
			MemoryContextReset(work);
		}
	MemoryContextDelete(work);
	PG_RETURN_NULL();
}

/* The object that the functions are asked about; 22004, SG400, SG404. */
static void
read_argument(FunctionCallInfo fcinfo, Names *names, NamedObject *object)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("object must not be null")));
	sigma_object_read(names, text_to_cstring(PG_GETARG_TEXT_PP(0)), object);
}

/* The ids of definitions that the caller may read ("id" NULL: of all), in order; 42501 without the right to any. */
static List *
readable_ids(DocumentKind kind, const char *id)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			type = TEXTOID;
	Datum		value = id == NULL ? (Datum) 0 : CStringGetTextDatum(id);
	char		isnull = id == NULL ? 'n' : ' ';
	List	   *ids = NIL;
	uint64		i;

	SPI_connect();
	if (SPI_execute_with_args(psprintf("SELECT id::pg_catalog.text FROM sigma.%s"
									   " WHERE $1 IS NULL OR id OPERATOR(pg_catalog.=) $1"
									   " ORDER BY id COLLATE pg_catalog.\"C\"", sigma_catalog_table(kind)->name),
							  1, &type, &value, &isnull, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read sigma.%s", sigma_catalog_table(kind)->name);
	for (i = 0; i < SPI_processed; i++)
	{
		char	   *text = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		MemoryContext old = MemoryContextSwitchTo(caller);

		ids = lappend(ids, pstrdup(text));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return ids;
}

/* What an object's definition names.  Variables, relations and functions have none that names anything. */
static void
list_dependencies(ReturnSetInfo *result, Names *names, const NamedObject *object)
{
	bool		column = object->kind == NAMED_COLUMN;
	JsonNode   *document;
	List	   *rows = NIL;		/* of char * */
	ListCell   *cell;
	int			i;

	for (i = 0; i < lengthof(users); i++)
		if (users[i].object == (column ? NAMED_INPUT_TABLE : object->kind))
			break;
	if (i == lengthof(users))
		return;
	if (readable_ids(users[i].document, object->id) == NIL)
		sigma_catalog_not_found(users[i].document, object->id);
	document = sigma_catalog_read(users[i].document, object->id);
	if (document == NULL)
		return;
	foreach(cell, sigma_document_references(users[i].document, document))
	{
		Reference  *reference = lfirst(cell);
		char	   *path = sigma_json_path(reference->where);
		NamedObject named;
		NamedObject user;
		ListCell   *other;
		char	   *seen;

		sigma_object_at(document, users[i].object, path, &user);
		if ((column && !sigma_object_same(&user, object)) ||
			!sigma_names_resolve(names, reference, &named) || sigma_object_is_own(&user, &named))
			continue;
		/* a formula may name it several times */
		seen = psprintf("%s %s", path, sigma_object_text(&named));
		foreach(other, rows)
			if (strcmp(lfirst(other), seen) == 0)
				break;
		if (other != NULL)
			continue;
		rows = lappend(rows, seen);
		put_row(result, &named, path);
	}
}

/* The places where one document names the object. */
static void
list_uses(ReturnSetInfo *result, Names *names, const NamedObject *object, int user, const char *id)
{
	JsonNode   *document = sigma_catalog_read(users[user].document, id);
	char	   *last = NULL;
	ListCell   *cell;

	if (document == NULL)
		return;
	foreach(cell, sigma_document_references(users[user].document, document))
	{
		Reference  *reference = lfirst(cell);
		NamedObject named;
		NamedObject by;
		char	   *path;

		if (!sigma_names_resolve(names, reference, &named) || !sigma_object_same(&named, object))
			continue;
		path = sigma_json_path(reference->where);
		sigma_object_at(document, users[user].object, path, &by);
		/* a formula may name it several times */
		if (sigma_object_is_own(&by, &named) || (last != NULL && strcmp(last, path) == 0))
			continue;
		put_row(result, &by, path);
		last = path;
	}
}

static void
put_row(ReturnSetInfo *result, const NamedObject *object, const char *path)
{
	Datum		values[3];
	bool		nulls[3] = {false};

	values[0] = CStringGetTextDatum(sigma_object_kind(object->kind));
	values[1] = CStringGetTextDatum(sigma_object_text(object));
	values[2] = CStringGetTextDatum(path);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}
