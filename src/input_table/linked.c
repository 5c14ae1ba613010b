/*
 * linked.c
 *		Definitions of linked tables: source, keys, checks.
 *
 * A source is a relation, an input table or an element that shows one; what is
 * stored is the relation's qualified name or the input table's id.  Key columns stand
 * in the table of entries under their names, as the column type that their type in
 * the source has its values as: text for uuids and enumerations, say.  The rest of the
 * extension meets them as columns behind those of the definition.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "compat.h"
#include "input_table/linked.h"

#define ROW_ID_NAME		"Row ID"	/* of a source that is an input table, as a key */
#define MAX_ELEMENTS	16			/* that name each other as sources */

static Oid	column_type(Oid relid, const char *name);
static JsonNode *resolve_source(JsonNode *document);
static Oid	find_relation(const char *name, bool qualified);
static void refuse_changes(const JsonNode *document, const JsonNode *before);
static void check_columns(JsonNode *document, const LinkedSource *source);
static void check_column(JsonNode *where, const char *name, Oid relid);
static void check_key_name(const JsonNode *document, const LinkedKey *key);
static void check_linked_name(JsonNode *document, JsonNode *column);
static const char **names_of(Oid relid);

/* Is it the definition of a linked table? */
bool
sigma_is_linked(const JsonNode *document)
{
	return strcmp(sigma_json_get_string(document, "type", ""), "linked") == 0;
}

/* The key of a linked table as a List of LinkedKey. */
List *
sigma_linked_keys(const JsonNode *document)
{
	const JsonNode *columns = sigma_json_get(document, "key_columns");
	List	   *keys = NIL;
	int			i;

	for (i = 0; columns != NULL && columns->kind == JSON_ARRAY && i < columns->count; i++)
	{
		LinkedKey  *key = palloc(sizeof(LinkedKey));

		key->node = columns->items[i];
		key->column = key->node->kind == JSON_STRING ? key->node->string : "";
		key->name = strcmp(key->column, "sigma_row_id") == 0 ? ROW_ID_NAME : key->column;
		keys = lappend(keys, key);
	}
	return keys;
}

/*
 * The definition with its key as columns, behind its own.  Their types are those of
 * the table of entries, or what they will be there.
 */
JsonNode *
sigma_linked_document(JsonNode *document)
{
	JsonNode   *whole = sigma_json_copy(document);
	JsonNode   *columns = sigma_json_get(whole, "columns");
	const char *id = sigma_json_get_string(document, "id", "");
	Oid			entries = get_relname_relid(sigma_entry_table_name(id), sigma_sigds_namespace());
	LinkedSource source = {InvalidOid, InvalidOid};
	ListCell   *lc;
	int			place = 0;

	if (columns == NULL || columns->kind != JSON_ARRAY)
		return whole;
	(void) sigma_linked_source(document, &source);
	foreach(lc, sigma_linked_keys(document))
	{
		LinkedKey  *key = lfirst(lc);
		JsonNode   *column = sigma_json_new(JSON_OBJECT, key->node);
		ColumnType	type = COLUMN_TEXT;
		Oid			given;

		given = OidIsValid(entries) ? column_type(entries, key->name) : InvalidOid;
		if (!OidIsValid(given))	/* new, or about to take the source's new name */
			given = column_type(source.relid, key->column);
		(void) sigma_linked_key_type(given, &type);
		sigma_json_set(column, "id", sigma_json_new_string(psprintf("KEY%d", ++place), key->node));
		sigma_json_set(column, "name", sigma_json_new_string(key->name, key->node));
		sigma_json_set(column, "type", sigma_json_new_string(sigma_column_types[type].name, key->node));
		sigma_json_append(columns, column);
	}
	return whole;
}

/* As which column type are values of a type kept?  False where they cannot be a key. */
bool
sigma_linked_key_type(Oid type, ColumnType *result)
{
	if (!OidIsValid(type))
		return false;
	type = getBaseType(type);
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			*result = COLUMN_INTEGER;
			return true;
		case NUMERICOID:
			*result = COLUMN_NUMBER;
			return true;
		case FLOAT4OID:
		case FLOAT8OID:
			*result = COLUMN_FLOAT;
			return true;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case UUIDOID:
			*result = COLUMN_TEXT;
			return true;
		case DATEOID:
			*result = COLUMN_DATE;
			return true;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*result = COLUMN_DATETIME;
			return true;
		case BOOLOID:
			*result = COLUMN_CHECKBOX;
			return true;
	}
	*result = COLUMN_TEXT;
	return get_typtype(type) == TYPTYPE_ENUM;
}

/* A column's type, or InvalidOid. */
static Oid
column_type(Oid relid, const char *name)
{
	AttrNumber	attnum = OidIsValid(relid) ? get_attnum(relid, name) : InvalidAttrNumber;

	return attnum > 0 ? get_atttype(relid, attnum) : InvalidOid;
}

/* Where the rows come from; false where that is missing. */
bool
sigma_linked_source(const JsonNode *document, LinkedSource *source)
{
	const char *name = sigma_json_get_string(document, "source", "");

	source->relid = source->published = InvalidOid;
	if (sigma_catalog_exists(DOCUMENT_INPUT_TABLE, name))
	{
		source->relid = sigma_data_table_oid(name);
		source->published = sigma_view_oid(name);
	}
	else
		source->relid = source->published = find_relation(name, true);	/* without a schema it was an id */
	return OidIsValid(source->relid) && OidIsValid(source->published);
}

/* The relation of that name, which may or ("qualified") must have a schema; InvalidOid where there is none. */
static Oid
find_relation(const char *name, bool qualified)
{
	List	   *names;
	ListCell   *lc;
	List	   *parts = NIL;

	if (!SplitIdentifierString(pstrdup(name), '.', &names) || names == NIL || list_length(names) > 2 ||
		(qualified && list_length(names) < 2))
		return InvalidOid;
	foreach(lc, names)
		parts = lappend(parts, makeString(lfirst(lc)));
	return RangeVarGetRelid(makeRangeVarFromNameList(parts), NoLock, true);
}

/*
 * Check a definition of a linked table against its source, and bring "source" into the
 * form that is stored; "before" is the stored definition of an update.  Raises SG400
 * at the place, SG404 for an unknown source, 42501 where the caller may not read it,
 * 0A000 where source or key change.  A restore looks at nothing but the document.
 */
void
sigma_linked_check(JsonNode *document, const JsonNode *before, bool restoring)
{
	JsonNode   *where;
	LinkedSource source;
	ListCell   *lc;

	if (before != NULL)
		refuse_changes(document, before);
	else if (!restoring)
		sigma_json_set(document, "source", resolve_source(document));
	foreach(lc, sigma_linked_keys(document))
		check_key_name(document, lfirst(lc));
	if (restoring)
		return;
	where = sigma_json_get(document, "source");
	if (sigma_linked_source(document, &source))
		check_columns(document, &source);
	else if (before == NULL)
	{
		const char *nearest = sigma_catalog_nearest(DOCUMENT_INPUT_TABLE, where->string);

		sigma_document_error(where, ERRCODE_SIGMA_NOT_FOUND, nearest != NULL ? nearest :
							 "Name a relation with its schema, an input table's id, or an element that shows one.",
							 "there is no source \"%s\"", where->string);
	}
}

/* The source as it is stored: an input table's id, or a relation's qualified name. */
static JsonNode *
resolve_source(JsonNode *document)
{
	JsonNode   *where = sigma_json_get(document, "source");
	const char *name = where->string;
	Oid			relid;
	int			i;

	for (i = 0; i < MAX_ELEMENTS; i++)
	{
		JsonNode   *element;

		if (strcmp(name, sigma_json_get_string(document, "id", "")) == 0)
			sigma_document_error(where, 0, NULL, "a linked input table cannot be its own source");
		if (sigma_catalog_exists(DOCUMENT_INPUT_TABLE, name))
			return sigma_json_new_string(name, where);
		element = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, name);
		if (element == NULL)
			break;
		name = sigma_json_get_string(element, "source", NULL);
		if (name == NULL)
			sigma_document_error(where, 0, "Name an element that shows the rows of a table.",
								 "element \"%s\" has no source", where->string);
	}
	relid = find_relation(name, false);
	if (!OidIsValid(relid))
		return where;
	switch (get_rel_relkind(relid))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			break;
		default:
			sigma_document_error(where, 0, "Name a table, a view or a foreign table.",
								 "\"%s\" has no rows to link to", name);
	}
	if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		sigma_document_error(where, 0, "Name a table that stays.", "\"%s\" is temporary", name);
	return sigma_json_new_string(quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
															get_rel_name(relid)), where);
}

/* Source and key stay, but for renames that sigma itself carries over: what is entered belongs to them. */
static void
refuse_changes(const JsonNode *document, const JsonNode *before)
{
	static const char *const fixed[] = {"source", "key_columns", NULL};
	int			i;

	for (i = 0; fixed[i] != NULL && sigma_session.origin != ORIGIN_SYSTEM; i++)
		if (!sigma_definition_same(sigma_json_get(document, fixed[i]), sigma_json_get(before, fixed[i])))
			sigma_document_error(sigma_json_get(document, fixed[i]) != NULL ? sigma_json_get(document, fixed[i]) : document,
								 ERRCODE_FEATURE_NOT_SUPPORTED,
								 "Create another linked table: what is entered belongs to this source and key.",
								 "\"%s\" of a linked input table cannot be changed", fixed[i]);
}

/* Key and linked columns must be columns of the source that the caller may read. */
static void
check_columns(JsonNode *document, const LinkedSource *source)
{
	JsonNode   *linked = sigma_json_get(document, "linked_columns");
	ListCell   *lc;
	int			i;

	foreach(lc, sigma_linked_keys(document))
	{
		LinkedKey  *key = lfirst(lc);
		ColumnType	type;

		check_column(key->node, key->column, source->relid);
		if (!sigma_linked_key_type(column_type(source->relid, key->column), &type))
			sigma_document_error(key->node, 0,
								 "Numbers, texts, uuids, enumerations, dates, timestamps and booleans can; "
								 "a view can give the column such a type.",
								 "column \"%s\" of type %s cannot be a key", key->column,
								 format_type_be(column_type(source->relid, key->column)));
	}
	for (i = 0; linked != NULL && linked->kind == JSON_ARRAY && i < linked->count; i++)
	{
		check_column(sigma_json_get(linked->items[i], "column"),
					 sigma_json_get_string(linked->items[i], "column", ""), source->relid);
		check_linked_name(document, linked->items[i]);
	}
}

/* SG400 where the source has no such column, 42501 where the caller may not read it. */
static void
check_column(JsonNode *where, const char *name, Oid relid)
{
	AttrNumber	attnum = get_attnum(relid, name);

	if (attnum <= 0)
		sigma_document_error(where, 0, sigma_hint_names(name, names_of(relid)),
							 "the source \"%s\" has no column \"%s\"", get_rel_name(relid), name);
	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck(relid, attnum, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relid)), get_rel_name(relid));
}

/* A key's name must be its own and no system column's. */
static void
check_key_name(const JsonNode *document, const LinkedKey *key)
{
	const JsonNode *columns = sigma_json_get(document, "columns");
	const JsonNode *linked = sigma_json_get(document, "linked_columns");
	ListCell   *lc;
	int			i;

	if (pg_strncasecmp(key->name, "sigma_", strlen("sigma_")) == 0)
		sigma_document_error(key->node, 0, "A view can give it another name.",
							 "column \"%s\" cannot be a key: its name is reserved", key->name);
	foreach(lc, sigma_linked_keys(document))
	{
		const LinkedKey *other = lfirst(lc);

		if (other->node != key->node && strcmp(other->name, key->name) == 0)
			sigma_document_error(key->node, 0, NULL, "key column \"%s\" is given twice", key->column);
	}
	for (i = 0; columns != NULL && columns->kind == JSON_ARRAY && i < columns->count; i++)
		if (strcmp(sigma_json_get_string(columns->items[i], "name", ""), key->name) == 0)
			sigma_document_error(sigma_json_get(columns->items[i], "name"), 0, NULL,
								 "column name \"%s\" is the key's", key->name);
	for (i = 0; linked != NULL && linked->kind == JSON_ARRAY && i < linked->count; i++)
		if (strcmp(sigma_json_get_string(linked->items[i], "name", ""), key->name) == 0 &&
			strcmp(sigma_json_get_string(linked->items[i], "column", ""), key->column) != 0)
			sigma_document_error(sigma_json_get(linked->items[i], "name"), 0, NULL,
								 "column name \"%s\" is the key's", key->name);
}

/* A linked column's name must not be a system column's. */
static void
check_linked_name(JsonNode *document, JsonNode *column)
{
	const char *name = sigma_json_get_string(column, "name", "");

	if (pg_strncasecmp(name, "sigma_", strlen("sigma_")) == 0)
		sigma_document_error(sigma_json_get(column, "name"), 0, "Give it a \"name\".",
							 "column name \"%s\" is reserved", name);
}

/* The columns of a relation, for a hint. */
static const char **
names_of(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	const char **names = palloc0(sizeof(char *) * (desc->natts + 1));
	int			count = 0;
	int			i;

	for (i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			names[count++] = pstrdup(NameStr(TupleDescAttr(desc, i)->attname));
	table_close(rel, AccessShareLock);
	return names;
}
