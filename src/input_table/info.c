/*
 * info.c
 *		What input tables there are, and all about one of them.
 *
 * Both functions read the catalog and the data tables as the caller: what he may
 * not read is not shown.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common/catalog.h"
#include "common/names.h"
#include "input_table/define.h"

#define COUNTED_EXACTLY		100000	/* beyond, the planner's estimate is shown */

#define LIST_SQL \
	"SELECT t.id::pg_catalog.text, coalesce(t.name, t.id::pg_catalog.text), " \
	"t.type::pg_catalog.text, t.data_entry_permission::pg_catalog.text, t.status, " \
	"pg_catalog.jsonb_array_length(t.columns), t.created_at::pg_catalog.timestamp, t.updated_at::pg_catalog.timestamp " \
	"FROM sigma.sigma_input_tables t ORDER BY t.id COLLATE pg_catalog.\"C\""

PG_FUNCTION_INFO_V1(list_input_tables);

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
		Oid			relid;
		int			j;

		for (j = 0; j < 6; j++)
			values[j] = SPI_getbinval(found->vals[i], found->tupdesc, j + 1, &nulls[j]);
		relid = sigma_data_table_oid(TextDatumGetCString(values[0]));
		nulls[6] = !OidIsValid(relid) || pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK;
		if (!nulls[6])
			values[6] = Int64GetDatum(count_rows(relid));
		values[7] = ObjectIdGetDatum(relid);
		nulls[7] = !OidIsValid(relid);
		nulls[8] = nulls[9] = true;		/* no edit log, no published view yet */
		for (j = 10; j < 12; j++)
			values[j] = SPI_getbinval(found->vals[i], found->tupdesc, j - 3, &nulls[j]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
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
