/*
 * objects.c
 *		What the names in documents mean, and objects as text: "column:ID/NAME".
 *
 * A table is named by its id; in a formula by its display name as well; a source may
 * also be an element that shows rows, or a relation.  A bare name in a formula about
 * rows is a column where they have one, else a control.  Columns are found exactly,
 * else without regard to case, blanks and underscores.  Whoever changes a definition
 * says what its names were before (sigma_names_set_table).
 *
 * Nothing is locked and no right is checked: what is found holds for the newest
 * snapshot.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "compat.h"
#include "input_table/define.h"
#include "input_table/input_table.h"
#include "input_table/objects.h"

#define MAX_SOURCES	32			/* elements that show each other's rows */

/* An input table and the names that formulas know it by. */
typedef struct TableNames
{
	const char *id;
	const char *name;			/* display name, or NULL */
	bool		given;			/* by sigma_names_set_table: its view may have another name by now */
	bool		loaded;			/* "columns" is known */
	List	   *columns;		/* of const char * */
} TableNames;

struct Names
{
	MemoryContext cxt;
	List	   *tables;			/* of TableNames */
	List	   *variables;		/* of CatalogName */
};

/* How objects begin as text, in the order of NamedKind. */
static const char *const kinds[] = {
	"input_table", "column", "element", "action", "sequence", "variable", "relation", "function", NULL
};

/* Documents of a kind of object; -1: it has none of its own. */
static const int documents[] = {
	DOCUMENT_INPUT_TABLE, -1, DOCUMENT_LAYOUT_ELEMENT, DOCUMENT_ACTION, DOCUMENT_SEQUENCE, DOCUMENT_VARIABLE, -1, -1
};

static bool resolve_table(Names *names, const char *spelled, bool in_formula, NamedObject *object);
static bool resolve_column(Names *names, const Reference *reference, NamedObject *object);
static bool resolve_variable(Names *names, const Reference *reference, NamedObject *object);
static bool resolve_function(const char *spelled, NamedObject *object);
static TableNames *find_rows(Names *names, const char *spelled, bool in_formula, Oid *relid);
static TableNames *find_table(Names *names, const char *id);
static TableNames *find_table_of(Names *names, Oid relid);
static const char *find_variable(Names *names, const char *spelled);
static const char *find_column(const TableNames *table, const char *name);
static void load_columns(Names *names, TableNames *table);
static bool relation_has_column(Oid relid, const char *name);
static Oid	find_relation(const char *spelled);
static List *split_name(const char *spelled);
static FuncCandidateList function_candidates(const char *spelled);
static void read_column(Names *names, const char *text, const char *rest, NamedObject *object);
static bool is_within(const char *path, const JsonNode *node);
static const char *column_hint(const TableNames *table, const char *name);
static void refuse_unknown(const char *text, const char *hint) pg_attribute_noreturn();

/* Names as they are now, in the current context. */
Names *
sigma_names_open(void)
{
	Names	   *names = palloc0(sizeof(Names));
	ListCell   *cell;

	names->cxt = CurrentMemoryContext;
	foreach(cell, sigma_catalog_names(DOCUMENT_INPUT_TABLE))
	{
		CatalogName *row = lfirst(cell);
		TableNames *table = palloc0(sizeof(TableNames));

		table->id = row->id;
		table->name = row->name;
		names->tables = lappend(names->tables, table);
	}
	names->variables = sigma_catalog_names(DOCUMENT_VARIABLE);
	return names;
}

/*
 * A table has these names, whatever the catalog says: "name" may be NULL, "columns" is a
 * List of const char *; all of them live as long as the names.
 */
void
sigma_names_set_table(Names *names, const char *id, const char *name, List *columns)
{
	TableNames *table = find_table(names, id);

	if (table == NULL)
	{
		table = palloc0(sizeof(TableNames));
		table->id = id;
		names->tables = lappend(names->tables, table);
	}
	table->name = name;
	table->columns = columns;
	table->given = true;
	table->loaded = true;
}

/* The same of a variable. */
void
sigma_names_set_variable(Names *names, const char *id, const char *name)
{
	CatalogName *variable;
	ListCell   *cell;

	foreach(cell, names->variables)
	{
		variable = lfirst(cell);
		if (strcmp(variable->id, id) == 0)
			names->variables = foreach_delete_current(names->variables, cell);
	}
	variable = palloc0(sizeof(CatalogName));
	variable->id = pstrdup(id);
	variable->name = name == NULL ? NULL : pstrdup(name);
	names->variables = lappend(names->variables, variable);
}

/* What a reference names; false where that is nothing of the catalog, or nobody can tell. */
bool
sigma_names_resolve(Names *names, const Reference *reference, NamedObject *object)
{
	object->id = reference->name;
	object->column = NULL;
	switch (reference->kind)
	{
		case REFERENCE_INPUT_TABLE:
			return resolve_table(names, reference->name, reference->place != NULL, object);
		case REFERENCE_COLUMN:
			return reference->table != NULL && resolve_column(names, reference, object);
		case REFERENCE_ELEMENT:
			object->kind = NAMED_ELEMENT;
			return true;
		case REFERENCE_ACTION:
			object->kind = NAMED_ACTION;
			return true;
		case REFERENCE_SEQUENCE:
			object->kind = NAMED_SEQUENCE;
			return true;
		case REFERENCE_VARIABLE:
			return resolve_variable(names, reference, object);
		case REFERENCE_FUNCTION:
			return resolve_function(reference->name, object);
	}
	return false;
}

/* The word that objects of a kind begin with. */
const char *
sigma_object_kind(NamedKind kind)
{
	return kinds[kind];
}

/* An object as text; a function with its arguments where it has no namesake. */
char *
sigma_object_text(const NamedObject *object)
{
	const char *id = object->id;

	if (object->kind == NAMED_COLUMN)
		return psprintf("%s:%s/%s", kinds[object->kind], id, object->column);
	if (object->kind == NAMED_FUNCTION)
	{
		FuncCandidateList found = function_candidates(id);

		if (found != NULL && found->next == NULL)
			id = format_procedure_qualified(found->oid);
	}
	return psprintf("%s:%s", kinds[object->kind], id);
}

/* The same object? */
bool
sigma_object_same(const NamedObject *a, const NamedObject *b)
{
	return a->kind == b->kind && strcmp(a->id, b->id) == 0 &&
		(a->kind != NAMED_COLUMN || strcmp(a->column, b->column) == 0);
}

/* Who says what stands at a path of a document: of an input table, a column or the table. */
void
sigma_object_at(JsonNode *document, NamedKind kind, const char *path, NamedObject *user)
{
	JsonNode   *columns = kind == NAMED_INPUT_TABLE ? sigma_json_get(document, "columns") : NULL;
	JsonNode   *rules = kind == NAMED_INPUT_TABLE ? sigma_json_get(document, "validation_rules") : NULL;
	int			i;

	user->kind = kind;
	user->id = sigma_json_get_string(document, "id", "");
	user->column = NULL;
	for (i = 0; columns != NULL && i < columns->count; i++)
		if (is_within(path, columns->items[i]))
			user->column = sigma_json_get_string(columns->items[i], "name", "");
	for (i = 0; rules != NULL && rules->kind == JSON_OBJECT && i < rules->count; i++)
		if (is_within(path, rules->items[i]))
			user->column = rules->items[i]->key;
	if (user->column != NULL)
		user->kind = NAMED_COLUMN;
}

/* Is this no use: a table that names itself, or a column by the name that its rules stand under? */
bool
sigma_object_is_own(const NamedObject *user, const NamedObject *object)
{
	return strcmp(user->id, object->id) == 0 &&
		((user->kind == NAMED_COLUMN && object->kind == NAMED_COLUMN && strcmp(user->column, object->column) == 0) ||
		 (object->kind == NAMED_INPUT_TABLE && (user->kind == NAMED_COLUMN || user->kind == NAMED_INPUT_TABLE)));
}

/* Does the path lead to a node or into it? */
static bool
is_within(const char *path, const JsonNode *node)
{
	const char *start = sigma_json_path(node);
	size_t		length = strlen(start);

	return strncmp(path, start, length) == 0 && (path[length] == '\0' || path[length] == '.' || path[length] == '[');
}

/*
 * An object from its text.  Raises SG400 where it has not that form and SG404 where
 * there is no such object.
 */
void
sigma_object_read(Names *names, const char *text, NamedObject *object)
{
	const char *colon = strchr(text, ':');
	const char *rest = colon == NULL ? NULL : colon + 1;
	char	   *word = colon == NULL ? pstrdup(text) : pnstrdup(text, colon - text);
	Oid			relid;
	int			i;

	for (i = 0; kinds[i] != NULL && strcmp(kinds[i], word) != 0; i++)
		;
	if (rest == NULL || kinds[i] == NULL || *rest == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_DOCUMENT),
				 errmsg("\"%s\" is no object", text),
				 errhint("Write input_table:ID, column:ID/NAME, element:ID, action:ID, sequence:ID, variable:ID, "
						 "relation:SCHEMA.NAME or function:SIGNATURE.")));
	object->kind = (NamedKind) i;
	object->id = pstrdup(rest);
	object->column = NULL;
	switch (object->kind)
	{
		case NAMED_COLUMN:
			read_column(names, text, rest, object);
			break;
		case NAMED_RELATION:
			relid = find_relation(rest);
			if (!OidIsValid(relid))
				refuse_unknown(text, NULL);
			object->id = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
			break;
		case NAMED_FUNCTION:
			if (!resolve_function(rest, object))
				refuse_unknown(text, NULL);
			break;
		default:
			if (!sigma_catalog_exists((DocumentKind) documents[i], rest))
				sigma_catalog_not_found((DocumentKind) documents[i], rest);
	}
}

/* ID/NAME; an id may hold a "/" itself, and so may a name. */
static void
read_column(Names *names, const char *text, const char *rest, NamedObject *object)
{
	const char *hint = NULL;
	const char *slash;

	for (slash = strchr(rest, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
	{
		TableNames *table = find_table(names, pnstrdup(rest, slash - rest));

		if (table == NULL)
			continue;
		load_columns(names, table);
		object->id = table->id;
		object->column = find_column(table, slash + 1);
		if (object->column != NULL)
			return;
		hint = column_hint(table, slash + 1);
	}
	slash = strchr(rest, '/');
	if (slash == NULL)
		refuse_unknown(text, "Write column:ID/NAME.");
	refuse_unknown(text, hint != NULL ? hint : sigma_catalog_hint(DOCUMENT_INPUT_TABLE, pnstrdup(rest, slash - rest)));
}

/* A hint for a column that the table does not have. */
static const char *
column_hint(const TableNames *table, const char *name)
{
	const char **known = palloc(sizeof(char *) * (list_length(table->columns) + 1));
	ListCell   *lc;

	foreach(lc, table->columns)
		known[foreach_current_index(lc)] = lfirst(lc);
	known[list_length(table->columns)] = NULL;
	return sigma_hint_names(name, known);
}

/* SG404; the hint may be NULL. */
static void
refuse_unknown(const char *text, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_SIGMA_NOT_FOUND),
			 errmsg("there is no %s", text),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

/* An input table, else an element, else a relation, which may be one that an input table has. */
static bool
resolve_table(Names *names, const char *spelled, bool in_formula, NamedObject *object)
{
	Oid			relid = InvalidOid;
	TableNames *table;

	if (!in_formula && find_table(names, spelled) == NULL && sigma_catalog_exists(DOCUMENT_LAYOUT_ELEMENT, spelled))
	{
		object->kind = NAMED_ELEMENT;
		object->id = spelled;
		return true;
	}
	table = find_rows(names, spelled, in_formula, &relid);
	if (table != NULL)
	{
		object->kind = NAMED_INPUT_TABLE;
		object->id = table->id;
		return true;
	}
	if (!OidIsValid(relid))
		return false;
	object->kind = NAMED_RELATION;
	object->id = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
	return true;
}

/* A column of an input table; what other relations have is not told apart. */
static bool
resolve_column(Names *names, const Reference *reference, NamedObject *object)
{
	Oid			relid;
	TableNames *table = find_rows(names, reference->table, reference->place != NULL, &relid);

	if (table == NULL)
		return false;
	load_columns(names, table);
	object->kind = NAMED_COLUMN;
	object->id = table->id;
	object->column = find_column(table, reference->name);
	return object->column != NULL;
}

/* A declared variable, perhaps with a member of its range after its name. */
static bool
resolve_variable(Names *names, const Reference *reference, NamedObject *object)
{
	const char *dot = strrchr(reference->name, '.');
	const char *id;

	if (reference->table != NULL)
	{
		Oid			relid;
		TableNames *table = find_rows(names, reference->table, reference->place != NULL, &relid);

		if (table != NULL)
			load_columns(names, table);
		if (table != NULL ? find_column(table, reference->name) != NULL :
			OidIsValid(relid) && relation_has_column(relid, reference->name))
			return false;
	}
	id = find_variable(names, reference->name);
	if (id == NULL && dot != NULL)
		id = find_variable(names, pnstrdup(reference->name, dot - reference->name));
	object->kind = NAMED_VARIABLE;
	object->id = id;
	return id != NULL;
}

/* A function by its name, qualified or visible; any arguments after it say nothing. */
static bool
resolve_function(const char *spelled, NamedObject *object)
{
	FuncCandidateList found = function_candidates(spelled);

	if (found == NULL)
		return false;
	object->kind = NAMED_FUNCTION;
	object->id = quote_qualified_identifier(get_namespace_name(get_func_namespace(found->oid)), get_func_name(found->oid));
	return true;
}

/*
 * The rows that a name stands for: those of an input table, also by way of elements
 * that show them; else NULL, with the relation or InvalidOid.
 */
static TableNames *
find_rows(Names *names, const char *spelled, bool in_formula, Oid *relid)
{
	TableNames *table = find_table(names, spelled);
	const char *shown;
	ListCell   *cell;
	int			depth;

	*relid = InvalidOid;
	/* a filter is about the rows of its element's source, which may be an element */
	for (depth = 0; table == NULL && depth < MAX_SOURCES; depth++)
	{
		JsonNode   *element = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, spelled);

		if (element == NULL)
			break;
		spelled = sigma_json_get_string(element, "source", sigma_json_get_string(element, "input_table", NULL));
		if (spelled == NULL)
			return NULL;
		table = find_table(names, spelled);
	}
	if (table != NULL)
		return table;
	if (in_formula)
		foreach(cell, names->tables)
		{
			table = lfirst(cell);
			if (table->name != NULL && strcmp(table->name, spelled) == 0)
				return table;
		}
	shown = sigma_view_named(spelled);
	foreach(cell, shown == NULL ? NIL : names->tables)
	{
		table = lfirst(cell);
		if (table->given && strcmp(table->name != NULL ? table->name : table->id, shown) == 0)
			return table;
	}
	*relid = find_relation(spelled);
	return OidIsValid(*relid) ? find_table_of(names, *relid) : NULL;
}

/* The input table of that id, or NULL. */
static TableNames *
find_table(Names *names, const char *id)
{
	ListCell   *cell;

	foreach(cell, names->tables)
	{
		TableNames *table = lfirst(cell);

		if (strcmp(table->id, id) == 0)
			return table;
	}
	return NULL;
}

/* The input table whose data table or view a relation is, or NULL. */
static TableNames *
find_table_of(Names *names, Oid relid)
{
	const char *schema = get_namespace_name(get_rel_namespace(relid));
	ListCell   *cell;

	if (schema == NULL || (strcmp(schema, "sigds") != 0 && strcmp(schema, "sigma_views") != 0))
		return NULL;
	foreach(cell, names->tables)
	{
		TableNames *table = lfirst(cell);
		Oid			data = sigma_data_table_oid(table->id);

		if (OidIsValid(data) && (data == relid || sigma_view_oid(table->id) == relid))
			return table;
	}
	return NULL;
}

/* The id of the variable that has it, or that has it for its name; NULL where there is none. */
static const char *
find_variable(Names *names, const char *spelled)
{
	const char *id = NULL;
	ListCell   *cell;

	foreach(cell, names->variables)
	{
		CatalogName *variable = lfirst(cell);

		if (strcmp(variable->id, spelled) == 0)
			return variable->id;
		if (variable->name != NULL && strcmp(variable->name, spelled) == 0)
			id = variable->id;
	}
	return id;
}

/* The column of that name: exactly, else loosely; NULL where there is none. */
static const char *
find_column(const TableNames *table, const char *name)
{
	const char *found = NULL;
	ListCell   *cell;

	foreach(cell, table->columns)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return lfirst(cell);
		if (found == NULL && sigma_same_loosely(lfirst(cell), name))
			found = lfirst(cell);
	}
	return found;
}

/* Read the columns of a table, once. */
static void
load_columns(Names *names, TableNames *table)
{
	MemoryContext old;
	JsonNode   *document;
	JsonNode   *columns;
	int			i;

	if (table->loaded)
		return;
	table->loaded = true;
	old = MemoryContextSwitchTo(names->cxt);
	document = sigma_catalog_read(DOCUMENT_INPUT_TABLE, table->id);
	columns = document == NULL ? NULL : sigma_json_get(document, "columns");
	for (i = 0; columns != NULL && i < columns->count; i++)
		table->columns = lappend(table->columns, sigma_json_get_string(columns->items[i], "name", ""));
	if (document != NULL)
		table->columns = sigma_names_add_linked(table->columns, document);
	MemoryContextSwitchTo(old);
}

/* Add what a linked table shows of its source: its key, and its linked columns by their names there. */
List *
sigma_names_add_linked(List *columns, JsonNode *document)
{
	static const char *const members[] = {"key_columns", "linked_columns"};
	int			i;
	int			j;

	for (i = 0; i < lengthof(members); i++)
	{
		JsonNode   *node = sigma_json_get(document, members[i]);

		for (j = 0; node != NULL && node->kind == JSON_ARRAY && j < node->count; j++)
		{
			JsonNode   *column = node->items[j];
			char	   *name = column->kind == JSON_STRING ? column->string :
				sigma_json_get_string(column, "name", sigma_json_get_string(column, "column", NULL));

			if (name != NULL)
				columns = lappend(columns, name);
		}
	}
	return columns;
}

/* Has a relation that is no input table's such a column? */
static bool
relation_has_column(Oid relid, const char *name)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	bool		found = false;
	int			i;

	if (rel == NULL)
		return false;
	for (i = 0; i < RelationGetNumberOfAttributes(rel) && !found; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), i);

		found = !attribute->attisdropped && sigma_same_loosely(NameStr(attribute->attname), name);
	}
	relation_close(rel, AccessShareLock);
	return found;
}

/* A relation by its name, as it is written or by its parts; InvalidOid where there is none. */
static Oid
find_relation(const char *spelled)
{
	Oid			relid = strlen(spelled) < NAMEDATALEN ? RelnameGetRelid(spelled) : InvalidOid;
	List	   *parts;

	if (OidIsValid(relid))
		return relid;
	parts = split_name(spelled);
	return parts == NIL || list_length(parts) > 2 ? InvalidOid :
		RangeVarGetRelid(makeRangeVarFromNameList(parts), NoLock, true);
}

/* The name in schema sigma_views of the relation that a qualified name is meant for; NULL where it is none's. */
char *
sigma_view_named(const char *spelled)
{
	List	   *parts = split_name(spelled);

	return list_length(parts) == 2 && strcmp(strVal(linitial(parts)), "sigma_views") == 0 ? strVal(lsecond(parts)) : NULL;
}

/* The parts of a qualified name, without the database's; NIL where it is no name. */
static List *
split_name(const char *spelled)
{
	List	   *parts = NIL;
	List	   *names = NIL;
	ListCell   *cell;

	if (!SplitIdentifierString(pstrdup(spelled), '.', &parts))
		return NIL;
	foreach(cell, parts)
		names = lappend(names, makeString(lfirst(cell)));
	if (list_length(names) == 3 && strcmp(strVal(linitial(names)), get_database_name(MyDatabaseId)) == 0)
		names = list_delete_first(names);
	return names;
}

/* Functions and procedures of a name, with any arguments or none after it. */
static FuncCandidateList
function_candidates(const char *spelled)
{
	const char *arguments = strchr(spelled, '(');
	List	   *parts = split_name(arguments == NULL ? spelled : pnstrdup(spelled, arguments - spelled));

	if (parts == NIL || list_length(parts) > 2 ||
		(list_length(parts) == 2 && !OidIsValid(get_namespace_oid(strVal(linitial(parts)), true))))
		return NULL;
	return FuncnameGetCandidates(parts, -1, NIL, false, false, false, true);
}
