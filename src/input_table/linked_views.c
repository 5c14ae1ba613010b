/*
 * linked_views.c
 *		The views of a linked table.
 *
 * Three views stand around the table of entries:
 *
 *		sigds.sigds_<id>			what editors work with: one row per distinct key of
 *									the source, with what was entered for it
 *		sigds.sigds_shown_<id>		the entries that are published
 *		sigma_views."<name>"		the same rows, with the published entries
 *
 * The first and the last are security_invoker: their readers need SELECT on the
 * source.  The one between reads the entries with the rights of the owner of sigds,
 * so that readers need none on drafts.  A source whose keys repeat shows one row for
 * each, the one whose linked values come first.  A condition on the key goes into the
 * DISTINCT ON of the source, and so reaches an index of it.
 *
 * A change makes the views anew, with their grants.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/spi.h"
#include "input_table/linked.h"
#include "input_table/published.h"

/* A linked table whose views were dropped for a while. */
typedef struct Suspended
{
	const char *id;
	ViewChange	view;
} Suspended;

static List *linked_to(const char *id);
static void restore_all_grants(const char *id, const ViewChange *view);
static char *key_value(const TableDefinition *table, int key, Oid relid, const char *alias);
static char *source_query(const TableDefinition *table, Oid relid);
static char *join_condition(const TableDefinition *table, Oid relid);
static bool is_shown(const TableDefinition *table, const JsonNode *column);
static bool is_orderable(Oid relid, const char *column);
static void create_working(const TableDefinition *table, Oid relid, const char *name);
static void create_shown(const TableDefinition *table);
static void create_warehouse(const TableDefinition *table, Oid relid);
static void drop(const char *name, ViewChange *view);

static const char *const stamps[] = {"sigma_created_at", "sigma_updated_at", "sigma_created_by", "sigma_updated_by"};

/* Before a change: remember the grants of the views, and drop them.  2BP01 where another view needs one. */
void
sigma_linked_views_begin(const char *id, ViewChange *view)
{
	ViewChange *working = palloc0(sizeof(ViewChange));
	ViewChange *shown = palloc0(sizeof(ViewChange));
	OwnerScope	scope;

	view->working = working;
	view->shown = shown;
	view->suspended = sigma_linked_suspend(id);
	working->change = shown->change = view->change;
	working->relid = get_relname_relid(sigma_data_table_name(id), sigma_sigds_namespace());
	shown->relid = get_relname_relid(sigma_shown_view_name(id), sigma_sigds_namespace());
	if (OidIsValid(view->relid))
		sigma_view_save_grants(view);
	if (OidIsValid(working->relid))
		sigma_view_save_grants(working);
	if (OidIsValid(shown->relid))
		sigma_view_save_grants(shown);
	SPI_connect();
	sigma_view_begin_ddl(&scope);
	if (OidIsValid(view->relid))
		drop(quote_qualified_identifier("sigma_views", get_rel_name(view->relid)), view);
	if (OidIsValid(shown->relid))
		drop(sigma_ddl_name(sigma_shown_view_name(id)), shown);
	if (OidIsValid(working->relid))
		drop(sigma_ddl_name(sigma_data_table_name(id)), working);
	sigma_owner_end(&scope);
	SPI_finish();
}

/* After it: make them, with these grants.  False where the source is missing: then there are none. */
bool
sigma_linked_views_finish(const TableDefinition *table, ViewChange *view)
{
	LinkedSource source;
	OwnerScope	scope;
	char	   *drift;
	const char *name = sigma_data_table_name(table->id);

	if (!sigma_linked_source(table->document, &source))
		return false;
	drift = sigma_linked_drift(table, source.relid);
	if (drift != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("input table \"%s\" does not fit its source", table->id),
				 errdetail_internal("%s.", drift)));
	SPI_connect();
	sigma_view_begin_ddl(&scope);
	CommandCounterIncrement();
	create_working(table, source.relid, name);
	create_shown(table);
	create_warehouse(table, source.published);
	CommandCounterIncrement();
	if (view->working != NULL && view->working->saved)
		sigma_view_restore_grants(view->working, get_relname_relid(name, sigma_sigds_namespace()));
	if (view->shown != NULL && view->shown->saved)
		sigma_view_restore_grants(view->shown, get_relname_relid(sigma_shown_view_name(table->id), sigma_sigds_namespace()));
	sigma_owner_end(&scope);
	SPI_finish();
	return true;
}

/*
 * An input table's views are about to be dropped: those of the tables that are linked to
 * it go first.  Returns what sigma_linked_resume needs, as a List in the current context.
 */
List *
sigma_linked_suspend(const char *id)
{
	List	   *suspended = NIL;
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, linked_to(id))
	{
		Suspended  *other = palloc0(sizeof(Suspended));

		other->id = lfirst(lc);
		other->view.relid = sigma_view_oid(other->id);
		sigma_linked_views_begin(other->id, &other->view);
		suspended = lappend(suspended, other);
	}
	return suspended;
}

/* They are back: make the views again, or if a rename has just done so give them their grants. */
void
sigma_linked_resume(List *suspended)
{
	ListCell   *lc;

	CommandCounterIncrement();
	foreach(lc, suspended)
	{
		Suspended  *other = lfirst(lc);

		if (sigma_linked_views_whole(other->id))
			restore_all_grants(other->id, &other->view);
		else
			sigma_view_create_linked(sigma_definition_read(sigma_catalog_read(DOCUMENT_INPUT_TABLE, other->id)), &other->view);
		sigma_linked_resume(other->view.suspended);
	}
}

/* Give the three views of a linked table the grants that they had. */
static void
restore_all_grants(const char *id, const ViewChange *view)
{
	if (view->saved)
		sigma_view_restore_grants(view, sigma_view_oid(id));
	if (view->working->saved)
		sigma_view_restore_grants(view->working, sigma_data_table_oid(id));
	if (view->shown->saved)
		sigma_view_restore_grants(view->shown, get_relname_relid(sigma_shown_view_name(id), sigma_sigds_namespace()));
}

/* The ids of the tables that are linked to an input table, in the current context. */
static List *
linked_to(const char *id)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(id);
	List	   *ids = NIL;
	OwnerScope	scope;
	uint64		i;

	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_input_tables")));
	if (SPI_execute_with_args("SELECT t.id::pg_catalog.text FROM sigma.sigma_input_tables t "
							  "WHERE t.type::pg_catalog.text OPERATOR(pg_catalog.=) 'linked' AND t.source OPERATOR(pg_catalog.=) $1 ORDER BY 1",
							  1, &type, &value, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read sigma.sigma_input_tables");
	for (i = 0; i < SPI_processed; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		ids = lappend(ids, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
		MemoryContextSwitchTo(spi);
	}
	sigma_owner_end(&scope);
	SPI_finish();
	return ids;
}

/* Are all three views there? */
bool
sigma_linked_views_whole(const char *id)
{
	return OidIsValid(sigma_data_table_oid(id)) &&
		OidIsValid(get_relname_relid(sigma_shown_view_name(id), sigma_sigds_namespace())) &&
		OidIsValid(sigma_view_oid(id));
}

/* The columns of the unique index on the key, which is ON CONFLICT's too. */
char *
sigma_linked_key_index(const TableDefinition *table)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	for (i = table->ncolumn - table->nkey; i < table->ncolumn; i++)
		appendStringInfo(&sql, "%s%s", sql.len > 0 ? ", " : "",
						 sigma_linked_key_parts(table->columns[i].type, quote_identifier(table->columns[i].name)));
	return sql.data;
}

/* A key column of the source as a value of the table of entries. */
static char *
key_value(const TableDefinition *table, int key, Oid relid, const char *alias)
{
	LinkedKey  *column = list_nth(sigma_linked_keys(table->document), key);

	return sigma_linked_key_value(table->columns[table->ncolumn - table->nkey + key].type, relid, column->column,
								  psprintf("%s.%s", alias, quote_identifier(column->name)));
}

/* Why the source does not fit what was entered, or NULL: a key column is gone, or of another kind. */
char *
sigma_linked_drift(const TableDefinition *table, Oid relid)
{
	ListCell   *lc;
	int			i = table->ncolumn - table->nkey;

	foreach(lc, sigma_linked_keys(table->document))
	{
		LinkedKey  *key = lfirst(lc);
		ColumnType	type = table->columns[i++].type;
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
static char *
source_query(const TableDefinition *table, Oid relid)
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

/* Which entry "e" belongs to a row "s" of the source itself. */
char *
sigma_linked_match(const TableDefinition *table, Oid relid)
{
	StringInfoData sql;
	ListCell   *lc;
	int			i = table->ncolumn - table->nkey;

	initStringInfo(&sql);
	foreach(lc, sigma_linked_keys(table->document))
	{
		LinkedKey  *key = lfirst(lc);
		const ColumnDefinition *column = &table->columns[i++];

		appendStringInfo(&sql, "%sROW(%s) OPERATOR(pg_catalog.=) ROW(%s)", sql.len > 0 ? " AND " : "",
						 sigma_linked_key_parts(column->type, psprintf("e.%s", quote_identifier(column->name))),
						 sigma_linked_key_parts(column->type,
												sigma_linked_key_value(column->type, relid, key->column,
																	   psprintf("s.%s", quote_identifier(key->column)))));
	}
	return sql.data;
}

/* Has the column's type an order? */
static bool
is_orderable(Oid relid, const char *column)
{
	AttrNumber	attnum = get_attnum(relid, column);

	return attnum > 0 &&
		OidIsValid(lookup_type_cache(get_atttype(relid, attnum), TYPECACHE_LT_OPR)->lt_opr);
}

/* Which entry "e" belongs to a row "s" of the source. */
static char *
join_condition(const TableDefinition *table, Oid relid)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	for (i = 0; i < table->nkey; i++)
	{
		const ColumnDefinition *column = &table->columns[table->ncolumn - table->nkey + i];

		appendStringInfo(&sql, "%sROW(%s) OPERATOR(pg_catalog.=) ROW(%s)", i > 0 ? " AND " : "",
						 sigma_linked_key_parts(column->type, psprintf("e.%s", quote_identifier(column->name))),
						 sigma_linked_key_parts(column->type, key_value(table, i, relid, "s")));
	}
	return sql.data;
}

/* The view that editors work with, and its triggers. */
static void
create_working(const TableDefinition *table, Oid relid, const char *name)
{
	char	   *view = sigma_ddl_name(name);
	char	   *id = quote_literal_cstr(table->id);
	StringInfoData columns;
	int			i;

	initStringInfo(&columns);
	for (i = 0; i < table->ncolumn - table->nkey; i++)
		appendStringInfo(&columns, ", e.%s", quote_identifier(table->columns[i].name));
	for (i = 0; i < lengthof(stamps); i++)
		appendStringInfo(&columns, ", e.%s", stamps[i]);
	sigma_ddl_run("CREATE VIEW %s WITH (security_invoker) AS SELECT s.*%s FROM (%s) s LEFT JOIN %s e ON %s",
				  view, columns.data, source_query(table, relid), sigma_ddl_name(table->relation),
				  join_condition(table, relid));
	sigma_ddl_run("COMMENT ON VIEW %s IS %s", view, quote_literal_cstr(psprintf("rows of linked input table %s", table->id)));
	sigma_ddl_run("CREATE TRIGGER sigma_0_linked_refuse INSTEAD OF INSERT OR DELETE ON %s FOR EACH ROW "
				  "EXECUTE FUNCTION sigma.refuse_linked_row(%s)", view, id);
	sigma_ddl_run("CREATE TRIGGER sigma_0_linked_row INSTEAD OF UPDATE ON %s FOR EACH ROW "
				  "EXECUTE FUNCTION sigma.collect_linked_row(%s)", view, id);
	sigma_ddl_run("CREATE TRIGGER sigma_1_linked_statement AFTER UPDATE ON %s FOR EACH STATEMENT "
				  "EXECUTE FUNCTION sigma.write_linked_rows(%s)", view, id);
}

/* The entries that are published, for the warehouse view. */
static void
create_shown(const TableDefinition *table)
{
	StringInfoData columns;
	int			i;

	initStringInfo(&columns);
	for (i = 0; i < table->ncolumn; i++)
		appendStringInfo(&columns, "r.%s, ", quote_identifier(table->columns[i].name));
	for (i = 0; i < lengthof(stamps); i++)
		appendStringInfo(&columns, "r.%s, ", stamps[i]);
	appendStringInfoString(&columns, "r.sigma_row_id");
	sigma_ddl_run("CREATE VIEW %s AS %s", sigma_ddl_name(sigma_shown_view_name(table->id)),
				  sigma_is_draft(table) ? sigma_published_rows(table->id, columns.data) :
				  psprintf("SELECT %s FROM %s r", columns.data, sigma_ddl_name(table->relation)));
	sigma_ddl_run("COMMENT ON VIEW %s IS %s", sigma_ddl_name(sigma_shown_view_name(table->id)),
				  quote_literal_cstr(psprintf("published entries of linked input table %s", table->id)));
}

/* The warehouse view; view.c gives it comment and grants. */
static void
create_warehouse(const TableDefinition *table, Oid relid)
{
	StringInfoData columns;
	int			i;

	initStringInfo(&columns);
	for (i = 0; i < table->ncolumn - table->nkey; i++)
		appendStringInfo(&columns, ", e.%s", quote_identifier(table->columns[i].name));
	for (i = 0; i < lengthof(stamps); i++)
		appendStringInfo(&columns, ", e.%s", stamps[i]);
	sigma_ddl_run("CREATE VIEW %s WITH (security_invoker, security_barrier) AS SELECT s.*%s FROM (%s) s LEFT JOIN %s e ON %s",
				  quote_qualified_identifier("sigma_views", sigma_json_get_string(table->document, "name", unconstify(char *, table->id))),
				  columns.data, source_query(table, relid), sigma_ddl_name(sigma_shown_view_name(table->id)),
				  join_condition(table, relid));
}

/* Drop a view; afterwards the change has no relation. */
static void
drop(const char *name, ViewChange *view)
{
	sigma_ddl_run("DROP VIEW %s", name);
	view->relid = InvalidOid;
}
