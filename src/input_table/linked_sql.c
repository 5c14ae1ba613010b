/*
 * linked_sql.c
 *		Linked tables in SQL: keys, the source's rows, and which entry belongs to which.
 *
 * A key column has two types: the source's, and that of the table of entries, which
 * is a column type's (uuids and enumerations are text there, a timestamptz is UTC).
 * A null key is a key: entries are found by the value or some other one, and by whether
 * it is null, which an index of the entries serves.  Rows of the source are found by
 * their own columns, which an index of the source serves.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "common/catalog.h"
#include "common/names.h"
#include "common/session.h"
#include "input_table/linked.h"

static bool is_shown(const TableDefinition *table, const JsonNode *column);
static bool is_orderable(Oid relid, const char *column);

const char *const sigma_linked_stamps[LINKED_STAMPS] = {
	"sigma_created_at", "sigma_updated_at", "sigma_created_by", "sigma_updated_by"
};

/* The column of a key, in the table of entries. */
const ColumnDefinition *
sigma_linked_key_column(const TableDefinition *table, int key)
{
	return &table->columns[table->ncolumn - table->nkey + key];
}

/* An expression over a column of a relation as a value of the table of entries. */
char *
sigma_linked_key_value(ColumnType type, Oid relid, const char *column, const char *expression)
{
	AttrNumber	attnum = OidIsValid(relid) ? get_attnum(relid, column) : InvalidAttrNumber;
	Oid			given = attnum > 0 ? getBaseType(get_atttype(relid, attnum)) : InvalidOid;

	if (given == TIMESTAMPTZOID)
		return psprintf("(%s AT TIME ZONE 'UTC')", expression);
	if (given == sigma_column_types[type].oid)
		return pstrdup(expression);
	return psprintf("%s::%s", expression, sigma_column_types[type].sql);
}

/* The other way round: a value of the entries as one that an index of a column of type "given" can be searched for. */
char *
sigma_linked_key_search(ColumnType type, Oid given, const char *value)
{
	if (getBaseType(given) == TIMESTAMPTZOID)
		return psprintf("(%s AT TIME ZONE 'UTC')", value);
	return psprintf("%s%s", value, sigma_linked_key_cast(type, given));
}

/* The cast that this takes, or "". */
char *
sigma_linked_key_cast(ColumnType type, Oid given)
{
	if (type != COLUMN_TEXT || given == TEXTOID || given == VARCHAROID)
		return "";
	/* with a type modifier of none: "character" would be one character */
	return psprintf("::%s", format_type_extended(given, -1, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
}

/*
 * A value of a key as two that are never null, so that nulls are found by an index:
 * the value or some other one, and whether it is null.  CASE and not COALESCE, which
 * PostgreSQL takes for leaky: under row security the index could not be searched.
 */
char *
sigma_linked_key_parts(ColumnType type, const char *expression)
{
	static const char *const others[COLUMN_TYPES] = {
		[COLUMN_NUMBER] = "0::pg_catalog.numeric", [COLUMN_INTEGER] = "0::pg_catalog.int8",
		[COLUMN_FLOAT] = "0::pg_catalog.float8", [COLUMN_DATE] = "'0001-01-01'::pg_catalog.date",
		[COLUMN_DATETIME] = "'0001-01-01'::pg_catalog.timestamp", [COLUMN_CHECKBOX] = "false",
	};

	return psprintf("(CASE WHEN %s IS NULL THEN %s ELSE %s END), (%s IS NULL)", expression,
					others[type] != NULL ? others[type] : "''::pg_catalog.text", expression, expression);
}

/* The columns of the unique index on the key, which is ON CONFLICT's too. */
char *
sigma_linked_key_index(const TableDefinition *table)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	for (i = 0; i < table->nkey; i++)
		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "",
						 sigma_linked_key_parts(sigma_linked_key_column(table, i)->type,
												quote_identifier(sigma_linked_key_column(table, i)->name)));
	return sql.data;
}

/* The keys of rows "alias" of the source itself, or ("named") of a view on it, as values of the entries. */
char **
sigma_linked_keys_of(const TableDefinition *table, Oid relid, const char *alias, bool named)
{
	char	  **values = palloc(sizeof(char *) * table->nkey);
	ListCell   *lc;

	foreach(lc, sigma_linked_keys(table->document))
	{
		LinkedKey  *key = lfirst(lc);
		int			i = foreach_current_index(lc);

		values[i] = sigma_linked_key_value(sigma_linked_key_column(table, i)->type, relid, key->column,
										   psprintf("%s.%s", alias, quote_identifier(named ? key->name : key->column)));
	}
	return values;
}

/* Entry "alias" is that of the key with these values. */
char *
sigma_linked_match(const TableDefinition *table, const char *alias, char **values)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	for (i = 0; i < table->nkey; i++)
	{
		const ColumnDefinition *column = sigma_linked_key_column(table, i);

		appendStringInfo(&sql, "%sROW(%s) OPERATOR(pg_catalog.=) ROW(%s)", i > 0 ? " AND " : "",
						 sigma_linked_key_parts(column->type, psprintf("%s.%s", alias, quote_identifier(column->name))),
						 sigma_linked_key_parts(column->type, values[i]));
	}
	return sql.data;
}

/* Row "alias" of the source's view has the key of entry "entry"; an index of the source can serve it. */
char *
sigma_linked_search(const TableDefinition *table, Oid relid, const char *alias, const char *entry)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, sigma_linked_keys(table->document))
	{
		LinkedKey  *key = lfirst(lc);
		const ColumnDefinition *column = sigma_linked_key_column(table, foreach_current_index(lc));
		const char *name = quote_identifier(column->name);
		AttrNumber	attnum = get_attnum(relid, key->column);
		char	   *value = psprintf("%s.%s", entry, name);

		if (attnum > 0)
			value = sigma_linked_key_search(column->type, get_atttype(relid, attnum), value);
		appendStringInfo(&sql, "%s(%s.%s OPERATOR(pg_catalog.=) %s OR (%s.%s IS NULL AND %s.%s IS NULL))",
						 sql.len > 0 ? " AND " : "", alias, name, value, alias, name, entry, name);
	}
	return sql.data;
}

/* Why the source does not fit what was entered, or NULL: a key column is gone, or of another kind. */
char *
sigma_linked_drift(const TableDefinition *table, Oid relid)
{
	ListCell   *lc;

	foreach(lc, sigma_linked_keys(table->document))
	{
		LinkedKey  *key = lfirst(lc);
		ColumnType	type = sigma_linked_key_column(table, foreach_current_index(lc))->type;
		ColumnType	wanted;
		AttrNumber	attnum = get_attnum(relid, key->column);

		if (attnum <= 0)
			return psprintf("the source has no column \"%s\"", key->column);
		if (!sigma_linked_key_type(get_atttype(relid, attnum), &wanted) || wanted != type)
			return psprintf("key column \"%s\" of the source is of type %s, what was entered is kept by %s", key->column,
							format_type_be(get_atttype(relid, attnum)), sigma_column_types[type].name);
	}
	return NULL;
}

/* The distinct keys of the source with their linked columns, under their names here. */
char *
sigma_linked_source_query(const TableDefinition *table, Oid relid)
{
	const JsonNode *linked = sigma_json_get(table->document, "linked_columns");
	StringInfoData keys;
	StringInfoData columns;
	StringInfoData order;
	ListCell   *lc;
	int			i;

	initStringInfo(&keys);
	initStringInfo(&columns);
	initStringInfo(&order);
	foreach(lc, sigma_linked_keys(table->document))
	{
		LinkedKey  *key = lfirst(lc);

		appendStringInfo(&keys, "%st.%s", keys.len > 0 ? ", " : "", quote_identifier(key->column));
		appendStringInfo(&columns, "%st.%s AS %s", columns.len > 0 ? ", " : "",
						 quote_identifier(key->column), quote_identifier(key->name));
	}
	for (i = 0; linked != NULL && linked->kind == JSON_ARRAY && i < linked->count; i++)
	{
		const char *column = sigma_json_get_string(linked->items[i], "column", "");

		if (!is_shown(table, linked->items[i]))
			continue;
		appendStringInfo(&columns, ", t.%s AS %s", quote_identifier(column),
						 quote_identifier(sigma_json_get_string(linked->items[i], "name", "")));
		if (is_orderable(relid, column))
			appendStringInfo(&order, ", t.%s", quote_identifier(column));
	}
	return psprintf("SELECT DISTINCT ON (%s) %s FROM %s t ORDER BY %s%s", keys.data, columns.data,
					quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid)),
					keys.data, order.data);
}

/* What the source query yields: names of key and linked columns with the source's, as a List of LinkedKey. */
List *
sigma_linked_columns(const TableDefinition *table)
{
	const JsonNode *linked = sigma_json_get(table->document, "linked_columns");
	List	   *columns = sigma_linked_keys(table->document);
	int			i;

	for (i = 0; linked != NULL && linked->kind == JSON_ARRAY && i < linked->count; i++)
	{
		LinkedKey  *column;

		if (!is_shown(table, linked->items[i]))
			continue;
		column = palloc(sizeof(LinkedKey));
		column->column = sigma_json_get_string(linked->items[i], "column", "");
		column->name = sigma_json_get_string(linked->items[i], "name", "");
		column->node = linked->items[i];
		columns = lappend(columns, column);
	}
	return columns;
}

/*
 * Is it the name of a key or linked column, whatever its case and blanks?  Then its kind
 * of value, and that as SQL over rows "t" of the view; either may be NULL.
 */
bool
sigma_linked_shows(const InputTable *table, const char *name, ColumnType *type, const char **expression)
{
	Oid			view = sigma_linked_view(table->id);
	ListCell   *lc;

	foreach(lc, sigma_linked_columns(sigma_definition_read(sigma_catalog_read(DOCUMENT_INPUT_TABLE, table->id))))
	{
		const char *shown = ((LinkedKey *) lfirst(lc))->name;
		ColumnType	kind = COLUMN_TEXT;

		if (!sigma_same_loosely(shown, name))
			continue;
		(void) sigma_linked_key_type(get_atttype(view, get_attnum(view, shown)), &kind);
		if (type != NULL)
			*type = kind;
		if (expression != NULL)
			*expression = sigma_linked_key_value(kind, view, shown, psprintf("t.%s", quote_identifier(shown)));
		return true;
	}
	return false;
}

/*
 * What a key or linked column is called after an update of the definition; NULL where it
 * goes.  Where sigma carries over a rename in the source, columns keep their places.
 */
const char *
sigma_linked_new_name(JsonNode *before, JsonNode *after, const char *name)
{
	List	   *old = sigma_linked_columns(sigma_definition_read(before));
	List	   *new = sigma_linked_columns(sigma_definition_read(after));
	bool		by_place = sigma_session.origin == ORIGIN_SYSTEM && list_length(old) == list_length(new);
	ListCell   *lc;
	ListCell   *ln;

	foreach(lc, old)
	{
		LinkedKey  *column = lfirst(lc);

		if (strcmp(column->name, name) != 0)
			continue;
		if (by_place)
			return ((LinkedKey *) list_nth(new, foreach_current_index(lc)))->name;
		foreach(ln, new)
			if (strcmp(((LinkedKey *) lfirst(ln))->column, column->column) == 0)
				return ((LinkedKey *) lfirst(ln))->name;
	}
	return NULL;
}

/*
 * The rows of a linked table: those of the source "relid" with what "entries", a relation
 * with its columns, has for them.  "barrier": that is a view with security_barrier, into
 * which no join reaches; its rows are looked up for each row of the source then.
 */
char *
sigma_linked_rows_query(const TableDefinition *table, Oid relid, const char *entries, bool barrier)
{
	char	   *match = sigma_linked_match(table, "e", sigma_linked_keys_of(table, relid, "s", true));
	StringInfoData columns;
	int			i;

	initStringInfo(&columns);
	for (i = 0; i < table->ncolumn - table->nkey; i++)
		appendStringInfo(&columns, ", e.%s", quote_identifier(table->columns[i].name));
	for (i = 0; i < LINKED_STAMPS; i++)
		appendStringInfo(&columns, ", e.%s", sigma_linked_stamps[i]);
	return psprintf(barrier ? "SELECT s.*%s FROM (%s) s LEFT JOIN LATERAL (SELECT e.* FROM %s e WHERE %s OFFSET 0) e ON true" :
					"SELECT s.*%s FROM (%s) s LEFT JOIN %s e ON %s", columns.data,
					sigma_linked_source_query(table, relid), entries, match);
}

/* A linked column that is the key again is not shown twice. */
static bool
is_shown(const TableDefinition *table, const JsonNode *column)
{
	ListCell   *lc;

	foreach(lc, sigma_linked_keys(table->document))
		if (strcmp(((LinkedKey *) lfirst(lc))->name, sigma_json_get_string(column, "name", "")) == 0)
			return false;
	return true;
}

/* Has the column's type an order? */
static bool
is_orderable(Oid relid, const char *column)
{
	AttrNumber	attnum = get_attnum(relid, column);

	return attnum > 0 &&
		OidIsValid(lookup_type_cache(get_atttype(relid, attnum), TYPECACHE_LT_OPR)->lt_opr);
}
