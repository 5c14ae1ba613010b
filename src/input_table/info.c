/*
 * info.c
 *		What input tables there are, and all about one of them.
 *
 * Both functions read the catalog and the data tables as the caller: what he may
 * not read is not shown.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "common/catalog.h"
#include "common/names.h"
#include "compat.h"
#include "formula/trust.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"
#include "input_table/flagged.h"
#include "input_table/input_table.h"
#include "input_table/linked.h"
#include "input_table/published.h"
#include "input_table/rules.h"

#define COUNTED_EXACTLY		100000	/* beyond, the planner's estimate is shown */

#define LIST_SQL \
	"SELECT t.id::pg_catalog.text, coalesce(t.name, t.id::pg_catalog.text), " \
	"t.type::pg_catalog.text, t.data_entry_permission::pg_catalog.text, t.status, " \
	"CASE WHEN pg_catalog.jsonb_typeof(t.columns) OPERATOR(pg_catalog.=) 'array' THEN pg_catalog.jsonb_array_length(t.columns) END, t.created_at::pg_catalog.timestamp, t.updated_at::pg_catalog.timestamp " \
	"FROM sigma.sigma_input_tables t ORDER BY t.id COLLATE pg_catalog.\"C\""

PG_FUNCTION_INFO_V1(list_input_tables);
PG_FUNCTION_INFO_V1(table_info);

static bool is_without_source(const JsonNode *document);
static void add_view(JsonNode *info, const char *id, JsonNode *warnings);
static void add_draft_rows(JsonNode *info, const char *id, Oid relid);
static void add_log(JsonNode *info, const InputTable *table, bool readable, JsonNode *warnings);
static Oid	log_of(const char *id);
static bool warn_of_differences(Oid relid, JsonNode *definition, JsonNode *warnings);
static bool may_read(Oid relid);
static int64 count_rows(Oid relid);
static double estimate(Oid relid);

/*
 * list_input_tables(): one row per definition.  row_count is exact up to 100,000
 * rows, the planner's estimate beyond, NULL where the caller may not read the table.
 */
Datum
list_input_tables(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SPITupleTable *found;
	uint64		n;
	uint64		i;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	if (SPI_execute(LIST_SQL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read sigma.sigma_input_tables");
	found = SPI_tuptable;
	n = SPI_processed;
	for (i = 0; i < n; i++)
	{
		Datum		values[12] = {0};
		bool		nulls[12] = {0};
		JsonNode   *document;
		Oid			relid;
		int			j;

		for (j = 0; j < 6; j++)
			values[j] = SPI_getbinval(found->vals[i], found->tupdesc, j + 1, &nulls[j]);
		relid = sigma_data_table_oid(TextDatumGetCString(values[0]));
		document = strcmp(TextDatumGetCString(values[2]), "linked") != 0 ? NULL :
			sigma_catalog_read(DOCUMENT_INPUT_TABLE, TextDatumGetCString(values[0]));
		if (document != NULL && is_without_source(document))
		{
			values[4] = CStringGetTextDatum("source_missing");
			nulls[4] = false;
		}
		nulls[6] = !OidIsValid(relid) || !may_read(relid) || (document != NULL && !sigma_linked_readable(document));
		if (!nulls[6])
			values[6] = Int64GetDatum(count_rows(relid));
		values[7] = ObjectIdGetDatum(relid);
		nulls[7] = !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid));
		values[8] = ObjectIdGetDatum(log_of(TextDatumGetCString(values[0])));
		nulls[8] = DatumGetObjectId(values[8]) == InvalidOid;
		values[9] = ObjectIdGetDatum(sigma_view_oid(TextDatumGetCString(values[0])));
		nulls[9] = DatumGetObjectId(values[9]) == InvalidOid;
		for (j = 10; j < 12; j++)
			values[j] = SPI_getbinval(found->vals[i], found->tupdesc, j - 3, &nulls[j]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}

/*
 * table_info(id text) → jsonb: the definition with relation, published_view, row_count, draft_rows, flagged (rows
 * that break its rules) and warnings.  The counts, and warnings about columns, are left
 * out for who may not read the table.  SG404 where there is no such table.
 */
Datum
table_info(PG_FUNCTION_ARGS)
{
	JsonNode   *info;
	JsonNode   *warnings = sigma_json_new(JSON_ARRAY, NULL);
	const InputTable *table;
	char	   *id;
	Oid			relid;
	Oid			rows_relid;		/* of what is entered, where the table is linked */
	int64		orphaned;
	bool		linked;
	bool		readable;
	ListCell   *lc;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("id must not be null")));
	id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	sigma_table_check_visible(id);
	info = sigma_catalog_read(DOCUMENT_INPUT_TABLE, id);
	if (info == NULL)			/* the caller's snapshot still has the row, which is gone */
		sigma_catalog_not_found(DOCUMENT_INPUT_TABLE, id);
	relid = sigma_data_table_oid(id);
	linked = sigma_is_linked(info);
	rows_relid = linked ? sigma_rows_oid(id) : relid;
	readable = OidIsValid(rows_relid) && may_read(rows_relid);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		relid = InvalidOid;
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(rows_relid)))
		rows_relid = InvalidOid;
	if (linked && is_without_source(info))
	{
		sigma_json_set(info, "status", sigma_json_new_string("source_missing", NULL));
		sigma_json_append(warnings, sigma_json_new_string(psprintf("the source \"%s\" does not exist",
																   sigma_json_get_string(info, "source", "")), NULL));
	}
	else if (linked && !sigma_linked_views_whole(id))
		sigma_json_append(warnings, sigma_json_new_string("a view of the linked table does not exist: sigma.sync_warehouse makes it", NULL));
	if (!OidIsValid(rows_relid))
		sigma_json_append(warnings, sigma_json_new_string("the data table does not exist", NULL));
	if (OidIsValid(relid))
		sigma_json_set(info, "relation", sigma_json_new_string(quote_qualified_identifier("sigds", sigma_data_table_name(id)), NULL));
	if (OidIsValid(relid))
		add_view(info, id, warnings);
	table = OidIsValid(rows_relid) ? sigma_input_table(rows_relid) : NULL;
	if (OidIsValid(rows_relid) && table == NULL)
		sigma_json_append(warnings, sigma_json_new_string("the data table has lost its validation trigger", NULL));
	if (OidIsValid(rows_relid) && readable && !warn_of_differences(rows_relid, info, warnings))
	{
		add_draft_rows(info, id, rows_relid);
		if (linked && (orphaned = sigma_linked_count_orphans(id)) >= 0)
			sigma_json_set(info, "orphans", sigma_json_new_int(orphaned, NULL));
	}
	if (OidIsValid(relid) && readable && (!linked || (may_read(relid) && sigma_linked_readable(info))))
	{
		int64		rows;

		SPI_connect();
		rows = count_rows(relid);
		SPI_finish();
		sigma_json_set(info, "row_count", sigma_json_new_int(rows, NULL));
	}
	if (table != NULL)
		add_log(info, table, readable, warnings);
	if (table != NULL && readable && (!linked || sigma_trust_relation(rows_relid)))
		sigma_json_set(info, "flagged", sigma_json_new_int(sigma_flagged_count(table), NULL));
	if (table != NULL)
		foreach(lc, sigma_list_problems(table, NULL))
			sigma_json_append(warnings, sigma_json_new_string(lfirst(lc), NULL));
	foreach(lc, sigma_governance_missing_roles(info))
		sigma_json_append(warnings, sigma_json_new_string(psprintf("governance_config names role \"%s\", which does not exist",
																   (char *) lfirst(lc)), NULL));
	sigma_json_set(info, "warnings", warnings);
	PG_RETURN_JSONB_P(sigma_json_write(info));
}

/*
 * Name the edit log, and for who may read the table say how long it is and who wrote last: null
 * for whom row security applies to, as entries of rows that he may not see count too.
 */
static void
add_log(JsonNode *info, const InputTable *table, bool readable, JsonNode *warnings)
{
	JsonNode   *last;
	const char *by;
	TimestampTz at;
	int64		number;

	if (!table->audit)
		return;
	if (!OidIsValid(log_of(table->id)))
	{
		sigma_json_append(warnings, sigma_json_new_string("the edit log does not exist", NULL));
		return;
	}
	sigma_json_set(info, "edit_log",
				   sigma_json_new_string(quote_qualified_identifier("sigds", sigma_log_name(table->id)), NULL));
	if (!readable)
		return;
	if (check_enable_rls(table->relid, InvalidOid, true) == RLS_ENABLED)
	{
		sigma_json_set(info, "edits", sigma_json_new(JSON_NULL, NULL));
		sigma_json_set(info, "last_edit", sigma_json_new(JSON_NULL, NULL));
		return;
	}
	sigma_json_set(info, "edits", sigma_json_new_int(sigma_log_count(table->log.relid), NULL));
	if (!sigma_log_last(table->log.relid, &number, &at, &by))
		return;
	last = sigma_json_new(JSON_OBJECT, NULL);
	sigma_json_set(last, "edit_num", sigma_json_new_int(number, NULL));
	sigma_json_set(last, "at", sigma_json_new_string(sigma_log_moment(at), NULL));
	sigma_json_set(last, "by", by == NULL ? sigma_json_new(JSON_NULL, NULL) : sigma_json_new_string(by, NULL));
	sigma_json_set(info, "last_edit", last);
}

/* The log of that table, or InvalidOid; one that was kept and is not any more counts. */
static Oid
log_of(const char *id)
{
	Oid			log = get_relname_relid(sigma_log_name(id), sigma_sigds_namespace());

	return get_rel_relkind(log) == RELKIND_RELATION ? log : InvalidOid;
}

/* Is the source of a linked table missing? */
static bool
is_without_source(const JsonNode *document)
{
	LinkedSource source;

	return !sigma_linked_source(document, &source);
}

/* Name the warehouse view, or say that there is none. */
static void
add_view(JsonNode *info, const char *id, JsonNode *warnings)
{
	Oid			view = sigma_view_oid(id);
	char	   *name = OidIsValid(view) ? get_rel_name(view) : NULL;

	if (name == NULL)
		sigma_json_append(warnings, sigma_json_new_string("the warehouse view does not exist", NULL));
	else
		sigma_json_set(info, "published_view",
					   sigma_json_new_string(quote_qualified_identifier("sigma_views", name), NULL));
}

/* How many rows the next publish would change, of those that the caller sees; null where he is not told. */
static void
add_draft_rows(JsonNode *info, const char *id, Oid relid)
{
	const TableDefinition *table = sigma_definition_read(info);
	DraftCounts counts;

	if (!sigma_is_draft(table) || !OidIsValid(sigma_published_oid(id)))
		return;
	sigma_count_drafts_seen(table, relid, &counts);
	sigma_json_set(info, "draft_rows", counts.inserted < 0 ? sigma_json_new(JSON_NULL, NULL) :
				   sigma_json_new_int(counts.inserted + counts.updated + counts.deleted, NULL));
}

/*
 * Say where the data table's columns are not those of the definition: a dump of such
 * a table is not restored.  Returns whether there are any.  The caller holds a lock on it already (may_read).
 */
static bool
warn_of_differences(Oid relid, JsonNode *definition, JsonNode *warnings)
{
	Relation	rel = relation_open(relid, AccessShareLock);
	List	   *differences = sigma_data_table_differences(sigma_definition_read(definition), rel);
	ListCell   *lc;

	foreach(lc, differences)
		sigma_json_append(warnings, sigma_json_new_string(psprintf("in the data table, %s", (char *) lfirst(lc)), NULL));
	relation_close(rel, AccessShareLock);
	return differences != NIL;
}

/* Raise 42501 or SG404 where the caller may not read that row of the catalog. */
void
sigma_table_check_visible(const char *id)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(id);
	bool		found;

	SPI_connect();
	if (SPI_execute_with_args("SELECT t.columns FROM sigma.sigma_input_tables t WHERE t.id OPERATOR(pg_catalog.=) $1",
							  1, &type, &value, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read sigma.sigma_input_tables");
	found = SPI_processed > 0;
	SPI_finish();
	if (!found && sigma_catalog_exists(DOCUMENT_INPUT_TABLE, id))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for input table \"%s\"", id)));
	if (!found)
		sigma_catalog_not_found(DOCUMENT_INPUT_TABLE, id);
}

/*
 * May the caller read every column of the table, and see every row?  Then it is
 * locked, so that it stays; false also where another session has just dropped it.
 */
static bool
may_read(Oid relid)
{
	bool		missing = false;

	if (pg_class_aclcheck_ext(relid, GetUserId(), ACL_SELECT, &missing) != ACLCHECK_OK || missing ||
		sigma_namespace_aclcheck(sigma_sigds_namespace(), GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		return false;
	LockRelationOid(relid, AccessShareLock);
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		return true;
	UnlockRelationOid(relid, AccessShareLock);
	return false;
}

/* The table's rows as the caller sees them, or the planner's estimate where they are many. */
static int64
count_rows(Oid relid)
{
	char	   *table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
	bool		isnull;
	int64		rows;

	if (SPI_execute(psprintf("SELECT pg_catalog.count(*) FROM (SELECT FROM ONLY %s LIMIT %d) counted",
							 table, COUNTED_EXACTLY + 1), true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not count the rows of %s", table);
	rows = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	return rows <= COUNTED_EXACTLY ? rows : Max(rows, (int64) estimate(relid));
}

/* What the last ANALYZE or VACUUM counted, or -1. */
static double
estimate(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	double		rows;

	if (!HeapTupleIsValid(tuple))
		return -1;
	rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
	ReleaseSysCache(tuple);
	return rows;
}
