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
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

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
static List *linked_by_source(const char *id);
static void restore_all_grants(const char *id, const ViewChange *view);
static void create_working(const TableDefinition *table, Oid relid, const char *name);
static void create_shown(const TableDefinition *table, Oid published);
static void drop(const char *name, ViewChange *view);

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
	sigma_row_security_suspend(id);
	if (OidIsValid(view->relid))
		drop(quote_qualified_identifier("sigma_views", get_rel_name(view->relid)), view);
	if (OidIsValid(shown->relid))
		drop(sigma_ddl_name(sigma_shown_view_name(id)), shown);
	if (OidIsValid(working->relid))
		drop(sigma_ddl_name(sigma_data_table_name(id)), working);
	sigma_owner_end(&scope);
	SPI_finish();
}

/* After it: make them, with these grants, but for the warehouse view, which is view.c's.  False where the source is missing: then there are none. */
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
	create_shown(table, source.published);
	sigma_row_security_resume(table);
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
		JsonNode   *document = sigma_catalog_read(DOCUMENT_INPUT_TABLE, other->id);

		if (document == NULL)
			continue;
		if (sigma_linked_views_whole(other->id))
			restore_all_grants(other->id, &other->view);
		else if (!sigma_view_create_linked(sigma_definition_read(document), &other->view))
			sigma_linked_set_status(other->id, "source_missing");
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

/*
 * The ids of the tables that are linked to an input table, or whose computed columns read
 * its warehouse view, in the current context.
 */
static List *
linked_to(const char *id)
{
	List	   *ids = linked_by_source(id);
	Oid			view = sigma_view_oid(id);
	ListCell   *lc;

	foreach(lc, OidIsValid(view) ? sigma_view_rules(view, NULL) : NIL)
	{
		char	   *reader = sigma_view_table_id(sigma_rule_relation(lfirst_oid(lc)));
		ListCell   *known;

		/* also one that the same statement has deleted */
		if (reader == NULL || strcmp(reader, id) == 0 ||
			!OidIsValid(get_relname_relid(sigma_entry_table_name(reader), sigma_sigds_namespace())))
			continue;
		foreach(known, ids)
			if (strcmp(lfirst(known), reader) == 0)
				break;
		if (known == NULL)
			ids = lappend(ids, reader);
	}
	return ids;
}

/* Those that are linked to it. */
static List *
linked_by_source(const char *id)
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

/* The id of the linked table whose rows a view is that editors work with; else NULL. */
char *
sigma_linked_view_id(Relation rel)
{
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc); /* looking names up may rebuild the list */
	int			i;

	for (i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (strcmp(trigger->tgname, LINKED_TRIGGER) == 0 && trigger->tgnargs == 1 &&
			RelationGetNamespace(rel) == sigma_sigds_namespace() &&
			strcmp(RelationGetRelationName(rel), sigma_data_table_name(trigger->tgargs[0])) == 0)
			return pstrdup(trigger->tgargs[0]);
	}
	return NULL;
}

/* The view that editors work with, and its triggers. */
static void
create_working(const TableDefinition *table, Oid relid, const char *name)
{
	char	   *view = sigma_ddl_name(name);
	char	   *id = quote_literal_cstr(table->id);
	char	   *rows = sigma_linked_rows_query(table, relid, sigma_ddl_name(table->relation), false);
	char	   *filter = sigma_row_filter_sql(table, "r");

	if (filter == NULL)
		sigma_ddl_run("CREATE VIEW %s WITH (security_invoker) AS %s", view, rows);
	else
		/* whom row security does not apply to, sees all rows here too */
		sigma_ddl_run("CREATE VIEW %s WITH (security_invoker, security_barrier) AS SELECT r.* FROM (%s) r "
					  "WHERE (SELECT NOT pg_catalog.row_security_active(%s::pg_catalog.regclass)) OR (%s)",
					  view, rows, quote_literal_cstr(sigma_ddl_name(table->relation)), filter);
	sigma_ddl_run("COMMENT ON VIEW %s IS %s", view, quote_literal_cstr(psprintf("rows of linked input table %s", table->id)));
	sigma_ddl_run("CREATE TRIGGER sigma_0_linked_refuse INSTEAD OF INSERT OR DELETE ON %s FOR EACH ROW "
				  "EXECUTE FUNCTION sigma.refuse_linked_row(%s)", view, id);
	sigma_ddl_run("CREATE TRIGGER " LINKED_TRIGGER " INSTEAD OF UPDATE ON %s FOR EACH ROW "
				  "EXECUTE FUNCTION sigma.collect_linked_row(%s)", view, id);
	sigma_ddl_run("CREATE TRIGGER sigma_1_linked_statement AFTER UPDATE ON %s FOR EACH STATEMENT "
				  "EXECUTE FUNCTION sigma.write_linked_rows(%s)", view, id);
}

/* The entries that are published, for the warehouse view; where rows are filtered, those that the reader may see. */
static void
create_shown(const TableDefinition *table, Oid published)
{
	char	   *name = sigma_ddl_name(sigma_shown_view_name(table->id));
	char	   *filter = sigma_linked_entry_condition(table, published, "r", false);
	StringInfoData columns;
	char	   *rows;
	int			i;

	initStringInfo(&columns);
	for (i = 0; i < table->ncolumn; i++)
		appendStringInfo(&columns, "r.%s, ", quote_identifier(table->columns[i].name));
	for (i = 0; i < LINKED_STAMPS; i++)
		appendStringInfo(&columns, "r.%s, ", sigma_linked_stamps[i]);
	appendStringInfoString(&columns, "r.sigma_row_id");
	rows = sigma_is_draft(table) ? sigma_published_rows(table->id, columns.data) :
		psprintf("SELECT %s FROM %s r", columns.data, sigma_ddl_name(table->relation));
	if (filter == NULL)
		sigma_ddl_run("CREATE VIEW %s AS %s", name, rows);
	else
		sigma_ddl_run("CREATE VIEW %s WITH (security_barrier) AS SELECT r.* FROM (%s) r WHERE %s", name, rows, filter);
	sigma_ddl_run("COMMENT ON VIEW %s IS %s", name,
				  quote_literal_cstr(psprintf("published entries of linked input table %s", table->id)));
}

/* Drop a view; afterwards the change has no relation. */
static void
drop(const char *name, ViewChange *view)
{
	sigma_ddl_run("DROP VIEW %s", name);
	view->relid = InvalidOid;
}
