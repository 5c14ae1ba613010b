/*
 * batch_security.c
 *		Rows of a batch that row_filter and row_edit do not let the caller make.
 *
 * The policies of the data table refuse such a row, and with it the whole statement.  So
 * they are asked before: their conditions are evaluated, as the caller, over the rows as
 * they would be written, and what does not satisfy them is a failure like others.  The
 * policies stay in force: a trigger may still change a row, another session the one it is
 * based on.  Policies that somebody made by hand are left to PostgreSQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/rls.h"

#include "common/catalog.h"
#include "common/spi.h"
#include "input_table/batch_state.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"
#include "input_table/rules.h"

#define ROW_ALIAS	"r"

/* Rows that are refused, by their ordinals. */
typedef struct Refusal
{
	int64		ordinal;		/* hash key, must be first */
	bool		unseen;			/* by row_filter, else by row_edit */
} Refusal;

static void check_stage(Batch *batch, Stage *stage, const TableDefinition *table, bool updates);
static char *rows_sql(const Batch *batch, bool updates);
static HTAB *find_refused(Batch *batch, Stage *stage, const char *sql);
static void drop_refused(Batch *batch, Stage *stage, HTAB *refused, bool updates);

/*
 * Take the rows that the caller may not make out of the stages, each with a failure.
 * Raises what evaluating the filters raises.
 */
void
sigma_batch_check_security(Batch *batch)
{
	BatchState *state = batch->state;
	Oid			relid = batch->table->relid;
	const TableDefinition *table;

	if (check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED || !sigma_row_security_is_own(relid))
		return;
	table = sigma_definition_read(sigma_catalog_read(DOCUMENT_INPUT_TABLE, batch->table->id));
	check_stage(batch, &state->inserts, table, false);
	/* the rest of a changed row must be readable; else the statement will tell */
	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		check_stage(batch, &state->updates, table, true);
}

/* The same for one stage. */
static void
check_stage(Batch *batch, Stage *stage, const TableDefinition *table, bool updates)
{
	char	   *sees = sigma_row_data_condition(table, ROW_ALIAS, false);
	char	   *edits = sigma_row_data_condition(table, ROW_ALIAS, true);
	HTAB	   *refused;

	if (stage->count == 0 || edits == NULL)
		return;
	refused = find_refused(batch, stage,
						   psprintf("SELECT " ROW_ALIAS ".sigma_ordinal, (%s) IS NOT TRUE FROM (%s) " ROW_ALIAS " WHERE (%s) IS NOT TRUE",
									sees == NULL ? "true" : sees, rows_sql(batch, updates), edits));
	if (hash_get_num_entries(refused) > 0)
		drop_refused(batch, stage, refused, updates);
	hash_destroy(refused);
}

/* The rows as they would be written, under the names of their columns. */
static char *
rows_sql(const Batch *batch, bool updates)
{
	const InputTable *table = batch->table;
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT e.ordinal AS sigma_ordinal");
	for (i = 0; i < table->ncolumn; i++)
	{
		const char *name = quote_identifier(table->columns[i].name);

		if (updates)
			appendStringInfo(&sql, ", CASE WHEN pg_catalog.get_byte(e.given, %d) OPERATOR(pg_catalog.=) %d THEN e.v%d ELSE t.%s END AS %s",
							 i, CELL_GIVEN, i, name, name);
		else
			appendStringInfo(&sql, ", e.v%d AS %s", i, name);
	}
	appendStringInfoString(&sql, " FROM " ROWS_NAME " e");
	if (updates)
		appendStringInfo(&sql, " JOIN %s t ON t.sigma_row_id OPERATOR(pg_catalog.=) e.row_id", sigma_batch_relation(batch));
	return sql.data;
}

/* The Refusals that the query yields: ordinal, is it not seen.  In the current context. */
static HTAB *
find_refused(Batch *batch, Stage *stage, const char *sql)
{
	HASHCTL		control = {0};
	HTAB	   *refused;
	uint64		i;

	control.keysize = sizeof(int64);
	control.entrysize = sizeof(Refusal);
	control.hcxt = CurrentMemoryContext;
	refused = hash_create("sigma refused rows", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	SPI_connect();
	sigma_spi_offer(ROWS_NAME, stage->store, batch->state->desc);
	if (SPI_execute(sql, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not evaluate the row filters of input table \"%s\"", batch->table->id);
	for (i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		int64		ordinal = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		Refusal    *refusal = hash_search(refused, &ordinal, HASH_ENTER, NULL);

		refusal->unseen = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull));
	}
	SPI_unregister_relation(ROWS_NAME);
	SPI_finish();
	return refused;
}

/* The stage again without those rows, which get a failure each. */
static void
drop_refused(Batch *batch, Stage *stage, HTAB *refused, bool updates)
{
	BatchState *state = batch->state;
	Stage		all = *stage;
	StagedRow	row;
	int			i;

	stage->store = NULL;
	stage->count = 0;
	sigma_staged_row_init(batch->table, &row);
	sigma_stage_rewind(&all);
	while (sigma_stage_next(batch, &all, &row))
	{
		const Refusal *refusal = hash_search(refused, &row.ordinal, HASH_FIND, NULL);

		CHECK_FOR_INTERRUPTS();
		if (refusal == NULL)
		{
			sigma_stage_put(batch, stage, &row);
			continue;
		}
		sigma_batch_record_row(batch, &row, refusal->unseen ? "row_filter" : "row_edit",
							   refusal->unseen ? "the row would be none that you may see" : "the row would be none that you may edit");
		batch->rejected++;
		for (i = 0; updates && i < batch->table->ncolumn; i++)
			if (row.given[i] != CELL_ABSENT)
				state->update_columns[i]--;
	}
	sigma_stage_end(&all);
}
