/*
 * structure_check.c
 *		Are the relations of input tables what their definitions ask for?
 *
 * Superusers and the owner of sigds can alter, disable and drop what sigma has made.
 * Nothing here is repaired, and no row is read.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

#include "common/catalog.h"
#include "common/names.h"
#include "common/spi.h"
#include "input_table/define.h"
#include "input_table/linked.h"
#include "input_table/published.h"
#include "input_table/row_change.h"
#include "input_table/structure_check.h"

/* A table that is looked at. */
typedef struct Checked
{
	Problems   *problems;
	const char *object;
	TableDefinition *table;
} Checked;

static void check_rows(Checked *checked, Oid relid);
static void check_differences(Checked *checked, Relation rel);
static void check_triggers(Checked *checked, Relation rel);
static void check_indexes(Checked *checked);
static void check_log(Checked *checked);
static void check_others(Checked *checked);
static void check_view(Checked *checked);
static void check_roles(Checked *checked);
static List *names_in_use(void);
static bool is_in_use(List *names, const char *name);
static char *owner_of_rows(Oid relid);

/* Look at the relations of one input table.  Raises what reading the definition raises. */
void
sigma_structure_check(Problems *problems, const char *id)
{
	JsonNode   *document = sigma_catalog_read(DOCUMENT_INPUT_TABLE, id);
	Checked		checked;
	Oid			relid;

	if (document == NULL)
		return;
	checked.problems = problems;
	checked.object = psprintf("input_table:%s", id);
	checked.table = sigma_definition_read(document);
	relid = sigma_rows_oid(id);
	if (OidIsValid(relid) && get_rel_relkind(relid) == RELKIND_RELATION)
		check_rows(&checked, relid);
	else
		sigma_problem_add(problems, PROBLEM_ERROR, checked.object, NULL,
						  "Restore it from a dump, or delete the definition with sigma.delete_input_table.",
						  "the data table sigds.%s does not exist", checked.table->relation);
	check_others(&checked);
	check_log(&checked);
	check_view(&checked);
	check_roles(&checked);
}

/* The table that holds the rows. */
static void
check_rows(Checked *checked, Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	const char *filter = sigma_json_get_string(sigma_json_get(checked->table->document, "governance_config"), "row_filter", NULL);
	ListCell   *lc;

	check_differences(checked, rel);
	check_triggers(checked, rel);
	sigma_triggers_check(checked->problems, checked->object, rel);
	check_indexes(checked);
	if (filter != NULL && !rel->rd_rel->relrowsecurity)
		sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, "$.governance_config.row_filter",
						  psprintf("ALTER TABLE %s ENABLE ROW LEVEL SECURITY", sigma_ddl_name(checked->table->relation)),
						  "row security of the data table is switched off: the row filter does not hold");
	foreach(lc, sigma_row_security_missing(checked->table, relid))
		sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, "$.governance_config.row_filter",
						  "Take the row filter out of the definition and put it back.",
						  "policy \"%s\" of the data table is missing", (char *) lfirst(lc));
	if (rel->rd_rel->relowner != sigma_sigds_owner())
		sigma_problem_add(checked->problems, PROBLEM_WARNING, checked->object, NULL,
						  psprintf("ALTER TABLE %s OWNER TO %s", sigma_ddl_name(checked->table->relation),
								   quote_identifier(GetUserNameFromId(sigma_sigds_owner(), false))),
						  "the data table does not belong to the owner of sigds");
	table_close(rel, NoLock);
}

/* Columns that are not those of the definition. */
static void
check_differences(Checked *checked, Relation rel)
{
	ListCell   *lc;

	foreach(lc, sigma_data_table_differences(checked->table, rel))
		sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, "$.columns",
						  "Bring the table back in line with its definition.",
						  "the data table is not what its definition says: %s", (char *) lfirst(lc));
}

/* Triggers that are not there. */
static void
check_triggers(Checked *checked, Relation rel)
{
	List	   *missing = list_concat(sigma_data_table_missing_triggers(checked->table, RelationGetRelid(rel)),
									  sigma_change_triggers_missing(checked->table->id, RelationGetRelid(rel)));
	ListCell   *lc;

	foreach(lc, missing)
		sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, NULL,
						  "Delete the definition, rows kept, and create it again: it takes the table over and makes its triggers.",
						  "trigger \"%s\" of the data table is missing", (char *) lfirst(lc));
}

/* Triggers of sigma that do not fire in an ordinary session. */
void
sigma_triggers_check(Problems *problems, const char *object, Relation rel)
{
	Oid			sigma = get_rel_namespace(sigma_relation_oid("sigma_input_tables"));
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc); /* looking functions up may rebuild the list */
	int			i;

	for (i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (get_func_namespace(trigger->tgfoid) != sigma ||
			trigger->tgenabled == TRIGGER_FIRES_ON_ORIGIN || trigger->tgenabled == TRIGGER_FIRES_ALWAYS)
			continue;
		sigma_problem_add(problems, PROBLEM_ERROR, object, NULL,
						  psprintf("ALTER TABLE %s ENABLE TRIGGER %s",
								   quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)), RelationGetRelationName(rel)),
								   quote_identifier(trigger->tgname)),
						  "trigger \"%s\" of %s is disabled", trigger->tgname,
						  quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)), RelationGetRelationName(rel)));
	}
}

/* The indexes that keep unique rules. */
static void
check_indexes(Checked *checked)
{
	int			i;

	for (i = 0; i < checked->table->nunique; i++)
	{
		const char *name = checked->table->uniques[i].index;
		Oid			index = get_relname_relid(name, sigma_sigds_namespace());

		if (OidIsValid(index) && get_index_isvalid(index))
			continue;
		sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, "$.columns",
						  OidIsValid(index) ? psprintf("REINDEX INDEX %s", sigma_ddl_name(name)) :
						  "Take the unique rule out of the definition and put it back.",
						  "unique index \"%s\" is %s: values may be there twice", name, OidIsValid(index) ? "not valid" : "missing");
	}
}

/* The edit log. */
static void
check_log(Checked *checked)
{
	EditLog    *log = sigma_log_of(checked->table);
	Relation	rel;

	if (!checked->table->audit)
		return;
	if (!OidIsValid(log->relid))
	{
		sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, "$.governance_config.audit",
						  "Switch \"audit\" off and on again to begin a new log.",
						  "the edit log sigds.%s does not exist: rows cannot be written", sigma_log_name(checked->table->id));
		return;
	}
	rel = table_open(log->relid, AccessShareLock);
	sigma_triggers_check(checked->problems, checked->object, rel);
	sigma_log_check_shape(rel);
	table_close(rel, NoLock);
}

/* The sequence of row ids, and the images of published rows. */
static void
check_others(Checked *checked)
{
	const char *id = checked->table->id;

	if (!OidIsValid(get_relname_relid(sigma_row_sequence_name(id), sigma_sigds_namespace())))
		sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, NULL,
						  "Delete the definition, rows kept, and create it again: it takes the table over and makes the sequence.",
						  "the sequence sigds.%s of its row ids does not exist", sigma_row_sequence_name(id));
	if (sigma_is_draft(checked->table) && !OidIsValid(sigma_published_oid(id)))
		sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, "$.data_entry_permission",
						  "Set data_entry_permission to published and back to draft.",
						  "the table sigds.%s of published rows does not exist", sigma_published_name(id));
}

/* The warehouse view, the source of a linked table, and what cannot be computed. */
static void
check_view(Checked *checked)
{
	const char *id = checked->table->id;
	bool		linked = sigma_is_linked(checked->table->document);
	LinkedSource source;
	ListCell   *lc;

	if (linked && !sigma_linked_source(checked->table->document, &source))
		sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, "$.source",
						  "Make the source again and call sigma.sync_warehouse, or delete the input table.",
						  "the source of the linked table does not exist");
	else if (linked && sigma_linked_drift(checked->table, source.relid) != NULL)
		sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, "$.source", NULL,
						  "the source has changed: %s", sigma_linked_drift(checked->table, source.relid));
	else if (linked ? !sigma_linked_views_whole(id) : !OidIsValid(sigma_view_oid(id)))
		sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, NULL,
						  psprintf("SELECT sigma.sync_warehouse(%s)", quote_literal_cstr(id)),
						  linked ? "a view of the linked table does not exist" : "the warehouse view does not exist");
	if (OidIsValid(sigma_view_oid(id)))
		foreach(lc, sigma_view_missing_columns(checked->table))
			sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, NULL,
							  psprintf("Drop the view and SELECT sigma.sync_warehouse(%s)", quote_literal_cstr(id)),
							  "the warehouse view has no column \"%s\"", (char *) lfirst(lc));
	if (linked ? sigma_linked_views_whole(id) : OidIsValid(sigma_rows_oid(id)))
		foreach(lc, sigma_view_problems(checked->table))
			sigma_problem_add(checked->problems, PROBLEM_ERROR, checked->object, "$.columns",
							  "Its values are null until the formula can be computed again; sigma.sync_warehouse brings them back.",
							  "%s", (char *) lfirst(lc));
}

/* Roles of governance_config that are not there: they are not part of a dump. */
static void
check_roles(Checked *checked)
{
	ListCell   *lc;

	foreach(lc, sigma_governance_missing_roles(checked->table->document))
		sigma_problem_add(checked->problems, PROBLEM_WARNING, checked->object, "$.governance_config",
						  "Create the role and save the definition again, or take it out.",
						  "role \"%s\" does not exist", (char *) lfirst(lc));
}

/*
 * Relations that belong to no definition
 */

/* Relations of schema sigds that no input table needs. */
void
sigma_orphans_check(Problems *problems)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *names = names_in_use();
	uint64		i;

	SPI_connect();
	sigma_spi_run(psprintf("SELECT c.oid, c.relname::pg_catalog.text FROM pg_catalog.pg_class AS c WHERE c.relnamespace OPERATOR(pg_catalog.=) %u::pg_catalog.oid"
						   " AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,f,v,m,S}') ORDER BY c.relname COLLATE pg_catalog.\"C\"",
						   sigma_sigds_namespace()), SPI_OK_SELECT);
	MemoryContextSwitchTo(caller);
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;
		Oid			relid = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		char	   *name = TextDatumGetCString(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
		char	   *id = owner_of_rows(relid);

		if (is_in_use(names, name))
			continue;
		sigma_problem_add(problems, PROBLEM_WARNING, psprintf("relation:sigds.%s", name), NULL,
						  id == NULL ? "What a deleted input table has left goes with sigma.delete_input_table(id, purge => true)." :
						  psprintf("Creating input table \"%s\" again takes it over; SELECT sigma.delete_input_table(%s, purge => true) removes it.",
								   id, quote_literal_cstr(id)),
						  "the relation belongs to no input table");
	}
	SPI_finish();
	MemoryContextSwitchTo(caller);
}

/* The names that the relations of all definitions have. */
static List *
names_in_use(void)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, sigma_catalog_names(DOCUMENT_INPUT_TABLE))
	{
		const char *id = ((CatalogName *) lfirst(lc))->id;

		names = lappend(names, sigma_data_table_name(id));
		names = lappend(names, sigma_row_sequence_name(id));
		names = lappend(names, sigma_published_name(id));
		names = lappend(names, sigma_log_name(id));
		names = lappend(names, sigma_entry_table_name(id));
		names = lappend(names, sigma_shown_view_name(id));
	}
	return names;
}

static bool
is_in_use(List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	return false;
}

/* The id of the input table whose rows the table was made for, as its comment says; or NULL. */
static char *
owner_of_rows(Oid relid)
{
	static const char prefix[] = "rows of input table ";
	char	   *comment = GetComment(relid, RelationRelationId, 0);

	return comment != NULL && strncmp(comment, prefix, strlen(prefix)) == 0 ? comment + strlen(prefix) : NULL;
}
