/*
 * linked_admin.c
 *		Looking after linked tables: entries without a row, and whether the source is there.
 *
 * Dropping a source takes CASCADE, which drops the views that read it and nothing
 * else: what was entered stays, and is there again when sigma.sync_warehouse() finds
 * the source back (sync.c).  Entries whose key is not in the source are listed, never deleted.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "common/argument.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "common/names.h"
#include "common/spi.h"
#include "compat.h"
#include "formula/trust.h"
#include "input_table/linked.h"

PG_FUNCTION_INFO_V1(orphans);

static const TableDefinition *open_linked(const char *id);
static char *orphans_sql(const TableDefinition *table, bool counting);
static Datum values_of(const TableDefinition *table, HeapTuple row, TupleDesc desc, int from, int to);
static bool may_read_source(Oid relid);

/*
 * orphans(table_id text): entries whose key is not in the source, by key; all of them
 * where the source is missing.  Reads as the caller.  SG404 where there is no such
 * table, SG423 where it is not linked.
 */
Datum
orphans(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const TableDefinition *table;
	int			first_key;
	uint64		i;

	table = open_linked(sigma_text_argument(fcinfo, 0, "table_id"));
	first_key = table->ncolumn - table->nkey;
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	if (SPI_execute_plan(sigma_trust_prepare(orphans_sql(table, false), 0, NULL), NULL, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the entries of input table \"%s\"", table->id);
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		Datum		values[4];
		bool		nulls[4] = {0};

		values[0] = values_of(table, row, desc, first_key, table->ncolumn);
		values[1] = values_of(table, row, desc, 0, first_key);
		values[2] = SPI_getbinval(row, desc, table->ncolumn + 1, &nulls[2]);
		values[3] = SPI_getbinval(row, desc, table->ncolumn + 2, &nulls[3]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}

/* The definition of a linked table; its entries are locked against changes of it. */
static const TableDefinition *
open_linked(const char *id)
{
	const InputTable *compiled = sigma_input_table_by_id(id);

	if (compiled->nlinked == 0)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_LOCKED),
				 errmsg("input table \"%s\" is not linked", id),
				 errdetail("Its rows are its own: none has lost its key.")));
	return sigma_definition_read(sigma_catalog_read(DOCUMENT_INPUT_TABLE, id));
}

/* The entries that no row of the source belongs to: columns, keys, updated_at and updated_by, or how many. */
static char *
orphans_sql(const TableDefinition *table, bool counting)
{
	LinkedSource source;
	StringInfoData columns;
	char	   *where = "";
	int			i;

	initStringInfo(&columns);
	for (i = 0; i < table->ncolumn; i++)
		appendStringInfo(&columns, "e.%s, ", quote_identifier(table->columns[i].name));
	if (sigma_linked_source(table->document, &source))
		where = psprintf(" WHERE NOT EXISTS (SELECT FROM %s s WHERE %s)",
						 quote_qualified_identifier(get_namespace_name(get_rel_namespace(source.relid)),
													get_rel_name(source.relid)),
						 sigma_linked_match(table, "e", sigma_linked_keys_of(table, source.relid, "s", false)));
	return psprintf("SELECT %s FROM ONLY %s e%s%s",
					counting ? "pg_catalog.count(*)" : psprintf("%se.sigma_updated_at, e.sigma_updated_by", columns.data),
					sigma_ddl_name(table->relation), where, counting ? "" : " ORDER BY e.sigma_row_id");
}

/* How many entries have no row, as the caller sees them; -1 where he may not read the source, or has no reason to. */
int64
sigma_linked_count_orphans(const char *id)
{
	const TableDefinition *table = sigma_definition_read(sigma_catalog_read(DOCUMENT_INPUT_TABLE, id));
	LinkedSource source;
	SPIPlanPtr	plan;
	bool		isnull;
	int64		count;

	if (sigma_linked_source(table->document, &source) && !may_read_source(source.relid))
		return -1;
	SPI_connect();
	plan = SPI_prepare(orphans_sql(table, true), 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (!sigma_trust_plan(plan))
	{
		SPI_finish();
		return -1;
	}
	if (SPI_execute_plan(plan, NULL, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the entries of input table \"%s\"", table->id);
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return count;
}

/* Columns of a row as an object; attributes are in the order of the definition. */
static Datum
values_of(const TableDefinition *table, HeapTuple row, TupleDesc desc, int from, int to)
{
	JsonbParseState *state = NULL;
	int			i;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = from; i < to; i++)
	{
		JsonbValue	value;
		bool		isnull;
		Datum		datum = SPI_getbinval(row, desc, i + 1, &isnull);

		sigma_value_to_json(table->columns[i].type, datum, isnull, &value);
		sigma_push_value(&state, table->columns[i].name, &value);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/*
 * May the caller read the rows of a linked table's source?  A view that itself reads
 * as its caller is not looked into: false.
 */
static bool
may_read_source(Oid relid)
{
	Relation	rel;
	bool		invoker;

	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return false;
	rel = try_relation_open(relid, AccessShareLock);
	if (rel == NULL)
		return false;
	invoker = rel->rd_rel->relkind == RELKIND_VIEW && RelationHasSecurityInvoker(rel);
	relation_close(rel, AccessShareLock);
	return !invoker || superuser();
}

/*
 * Can the rows of a linked table be counted by the caller, unasked?  Not where a right
 * on the source is missing, nor where reading it would run what the caller has no reason
 * to trust.
 */
bool
sigma_linked_readable(const JsonNode *document)
{
	LinkedSource source;

	return sigma_linked_source(document, &source) && may_read_source(source.relid) && sigma_trust_relation(source.relid);
}

/* Remember in the catalog whether the source is there; other states are left as they are. */
void
sigma_linked_set_status(const char *id, const char *status)
{
	Oid			types[2] = {TEXTOID, TEXTOID};
	Datum		values[2];

	values[0] = CStringGetTextDatum(id);
	values[1] = CStringGetTextDatum(status);
	SPI_connect();
	if (SPI_execute_with_args("UPDATE sigma.sigma_input_tables SET status = $2 WHERE id OPERATOR(pg_catalog.=) $1 "
							  "AND CASE WHEN $2 OPERATOR(pg_catalog.=) 'active' THEN status OPERATOR(pg_catalog.=) 'source_missing' "
							  "ELSE status IS DISTINCT FROM 'source_missing' END",
							  2, types, values, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not store the status of input table \"%s\"", id);
	SPI_finish();
}
