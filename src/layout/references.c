/*
 * references.c
 *		What an element's settings name must exist: sources, their columns, sequences.
 *
 * Looked up by the newest snapshot, after the statement, when every row of it is there.
 * The tree checks parents and children, compiling checks formulas, and variables may
 * come later, as a page may show a control's value above the control.  Everything found
 * out lives in the current context; nothing stays locked.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "formula/references.h"
#include "input_table/objects.h"
#include "layout/layout.h"

#define MAX_SOURCES	32			/* elements that show each other's rows */

/* The columns of the source that was asked for last; those of an element are all of one source. */
struct SourceColumns
{
	const char *source;			/* NULL: none yet */
	const char *table;			/* the input table that it shows, or NULL */
	bool		known;			/* columns are what it has */
	List	   *columns;		/* of const char * */
};

/* Types whose elements have rows that others can show. */
static const char *const row_types[] = {
	"input_table", "table", "pivot", "chart", "plugin", "form", NULL
};

static void check_reference(SourceColumns **columns, const JsonNode *document, const Reference *reference);
static void check_source(const JsonNode *document, const Reference *reference);
static const char *next_source(const JsonNode *document, const Reference *reference, const char *source);
static void check_column(SourceColumns **columns, const Reference *reference);
static void read_columns(SourceColumns *columns, const char *source);
static List *table_columns(JsonNode *table);
static bool read_relation(const char *name, List **columns);
static bool is_relation(const char *name);
static void refuse_missing(const Reference *reference, DocumentKind kind);
static char *source_hint(const char *name);

/*
 * Everything that an element's document refers to must exist.  Raises SG404 and, for a
 * column, 42703; SG400 for a source without rows.
 */
void
sigma_layout_check_references(JsonNode *document)
{
	SourceColumns *columns = NULL;
	ListCell   *cell;

	foreach(cell, sigma_document_references(DOCUMENT_LAYOUT_ELEMENT, document))
		check_reference(&columns, document, lfirst(cell));
}

/* One reference. */
static void
check_reference(SourceColumns **columns, const JsonNode *document, const Reference *reference)
{
	if (reference->place != NULL)	/* compiling the formula checks it */
		return;
	switch (reference->kind)
	{
		case REFERENCE_INPUT_TABLE:
			check_source(document, reference);
			break;
		case REFERENCE_SEQUENCE:
			if (!sigma_catalog_exists(DOCUMENT_SEQUENCE, reference->name))
				refuse_missing(reference, DOCUMENT_SEQUENCE);
			break;
		case REFERENCE_ACTION:
			if (!sigma_catalog_exists(DOCUMENT_ACTION, reference->name))
				refuse_missing(reference, DOCUMENT_ACTION);
			break;
		case REFERENCE_ELEMENT:
			if (!sigma_catalog_exists(DOCUMENT_LAYOUT_ELEMENT, reference->name))
				refuse_missing(reference, DOCUMENT_LAYOUT_ELEMENT);
			break;
		case REFERENCE_COLUMN:
			check_column(columns, reference);
			break;
		case REFERENCE_VARIABLE:
		case REFERENCE_FUNCTION:
			break;
	}
}

/* ------------------------------------------------------------------------
 * Sources
 * ------------------------------------------------------------------------ */

/*
 * A form writes an input table.  Everything else shows one, or a relation, or the rows
 * of an element, and so on: not its own.
 */
static void
check_source(const JsonNode *document, const Reference *reference)
{
	const char *source = reference->name;
	int			depth;

	if (sigma_catalog_exists(DOCUMENT_INPUT_TABLE, source))
		return;
	if (!reference->may_be_other)
		refuse_missing(reference, DOCUMENT_INPUT_TABLE);
	for (depth = 0; depth < MAX_SOURCES; depth++)
	{
		const char *next = next_source(document, reference, source);

		if (next == NULL)
			return;
		source = next;
		if (sigma_catalog_exists(DOCUMENT_INPUT_TABLE, source))
			return;
	}
}

/*
 * What the element "source" shows; NULL where that is no element, or shows nothing yet.
 * Raises SG400 where it has no rows or is the one that asks, SG404 where there is none.
 */
static const char *
next_source(const JsonNode *document, const Reference *reference, const char *source)
{
	const char *id = sigma_json_get_string(document, "id", "");
	JsonNode   *element = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, source);
	char	   *type = element == NULL ? NULL : sigma_json_get_string(element, "type", "");
	int			i;

	if (element == NULL)
	{
		if (source == reference->name && !is_relation(source))
			refuse_missing(reference, DOCUMENT_INPUT_TABLE);
		return NULL;
	}
	if (strcmp(source, id) == 0)
		sigma_document_error(reference->where, 0, "Name an input table, a relation, or an element that shows one.",
							 "layout element \"%s\" cannot show its own rows", id);
	for (i = 0; row_types[i] != NULL; i++)
		if (strcmp(row_types[i], type) == 0)
			return sigma_json_get_string(element, "source", sigma_json_get_string(element, "input_table", NULL));
	sigma_document_error(reference->where, 0, "Name an input table, a relation, or an element that shows one.",
						 "layout element \"%s\" of type %s has no rows to show", source, type);
}

/* See layout.h. */
bool
sigma_layout_source_missing(const char *name, const char **noun)
{
	if (noun != NULL)
		*noun = sigma_catalog_table(DOCUMENT_INPUT_TABLE)->noun;
	return !sigma_catalog_exists(DOCUMENT_INPUT_TABLE, name) &&
		!sigma_catalog_exists(DOCUMENT_LAYOUT_ELEMENT, name) &&
		!is_relation(name);
}

/* Does this name a relation?  What cannot be a relation's name at all does not. */
static bool
is_relation(const char *name)
{
	List	   *names;

	if (!SplitIdentifierString(pstrdup(name), '.', &names) || names == NIL || list_length(names) > 3)
		return false;
	if (list_length(names) == 3 && strcmp(linitial(names), get_database_name(MyDatabaseId)) != 0)
		return false;
	return OidIsValid(sigma_layout_relation(name));
}

/* ------------------------------------------------------------------------
 * Columns
 * ------------------------------------------------------------------------ */

/* A column that settings name must be one of the source; 42703 with the nearest name. */
static void
check_column(SourceColumns **columns, const Reference *reference)
{
	const char **names;
	int			count = 0;
	char	   *hint;
	ListCell   *cell;

	if (!sigma_layout_column_missing(columns, reference))
		return;
	names = palloc(sizeof(char *) * (list_length((*columns)->columns) + 1));
	foreach(cell, (*columns)->columns)
		names[count++] = lfirst(cell);
	names[count] = NULL;
	hint = sigma_hint_names(reference->name, names);
	if ((*columns)->table != NULL)
		sigma_document_error(reference->where, ERRCODE_UNDEFINED_COLUMN, hint, "input table \"%s\" has no column \"%s\"",
							 (*columns)->table, reference->name);
	sigma_document_error(reference->where, ERRCODE_UNDEFINED_COLUMN, hint, "source \"%s\" has no column \"%s\"",
						 reference->table, reference->name);
}

/*
 * Is this a column of a source that has none of that name?  False where nobody knows
 * what the source has.  *columns, NULL at first, keeps the source's for the next time.
 */
bool
sigma_layout_column_missing(SourceColumns **columns, const Reference *reference)
{
	ListCell   *cell;

	if (reference->kind != REFERENCE_COLUMN || reference->table == NULL || reference->place != NULL)
		return false;
	if (*columns == NULL)
		*columns = palloc0(sizeof(SourceColumns));
	if ((*columns)->source == NULL || strcmp((*columns)->source, reference->table) != 0)
		read_columns(*columns, reference->table);
	if (!(*columns)->known)
		return false;
	/* the system's columns are no part of a definition */
	if ((*columns)->table != NULL && strncmp(reference->name, "sigma_", strlen("sigma_")) == 0)
		return false;
	foreach(cell, (*columns)->columns)
		if (sigma_same_loosely(lfirst(cell), reference->name))
			return false;
	return true;
}

/* Find out which columns a source has, by way of the elements that show it. */
static void
read_columns(SourceColumns *columns, const char *source)
{
	int			depth;

	columns->source = source;
	columns->table = NULL;
	columns->known = false;
	columns->columns = NIL;
	for (depth = 0; depth < MAX_SOURCES && source != NULL; depth++)
	{
		JsonNode   *table = sigma_catalog_read(DOCUMENT_INPUT_TABLE, source);
		JsonNode   *element;

		if (table != NULL)
		{
			columns->table = source;
			columns->columns = table_columns(table);
			columns->known = columns->columns != NIL;
			return;
		}
		element = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, source);
		if (element == NULL)
		{
			columns->known = read_relation(source, &columns->columns);
			return;
		}
		source = sigma_json_get_string(element, "source", sigma_json_get_string(element, "input_table", NULL));
	}
}

/* The columns of an input table's definition, and what a linked table shows of its source. */
static List *
table_columns(JsonNode *table)
{
	JsonNode   *columns = sigma_json_get(table, "columns");
	List	   *names = NIL;
	int			i;

	for (i = 0; columns != NULL && columns->kind == JSON_ARRAY && i < columns->count; i++)
		names = lappend(names, sigma_json_get_string(columns->items[i], "name", ""));
	return sigma_names_add_linked(names, table);
}

/* The columns of a relation; false where there is none of that name. */
static bool
read_relation(const char *name, List **columns)
{
	Oid			relid = is_relation(name) ? sigma_layout_relation(name) : InvalidOid;
	Relation	rel = OidIsValid(relid) ? try_relation_open(relid, AccessShareLock) : NULL;
	int			i;

	if (rel == NULL)
		return false;
	for (i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), i);

		if (!attribute->attisdropped)
			*columns = lappend(*columns, pstrdup(NameStr(attribute->attname)));
	}
	relation_close(rel, AccessShareLock);
	return true;
}

/* ------------------------------------------------------------------------
 * What is missing
 * ------------------------------------------------------------------------ */

/* SG404 at the place that names it. */
static void
refuse_missing(const Reference *reference, DocumentKind kind)
{
	const char *noun = sigma_catalog_table(kind)->noun;
	char	   *hint;

	if (reference->kind == REFERENCE_INPUT_TABLE && reference->may_be_other)
		hint = source_hint(reference->name);
	else
		hint = sigma_layout_hint(kind, reference->name, kind == DOCUMENT_SEQUENCE ?
								 "Create the sequence first, or give its document here." : psprintf("Create the %s first.", noun));
	sigma_document_error(reference->where, ERRCODE_SIGMA_NOT_FOUND, hint, "%s \"%s\" does not exist", noun, reference->name);
}

/* The input table or element that may have been meant. */
static char *
source_hint(const char *name)
{
	List	   *rows = list_concat(sigma_catalog_names(DOCUMENT_INPUT_TABLE), sigma_catalog_names(DOCUMENT_LAYOUT_ELEMENT));
	const char **names = palloc(sizeof(char *) * (list_length(rows) + 1));
	int			count = 0;
	char	   *hint;
	ListCell   *cell;

	foreach(cell, rows)
		names[count++] = ((CatalogName *) lfirst(cell))->id;
	names[count] = NULL;
	hint = sigma_hint_names(name, names);
	return strncmp(hint, "Perhaps", strlen("Perhaps")) == 0 ? hint : pstrdup("Create the input table first.");
}

/* See layout.h. */
char *
sigma_layout_hint(DocumentKind kind, const char *id, const char *otherwise)
{
	char	   *hint = sigma_catalog_hint(kind, id);

	return strncmp(hint, "Perhaps", strlen("Perhaps")) == 0 ? hint : pstrdup(otherwise);
}
