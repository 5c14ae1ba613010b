/*
 * duplicate.c
 *		sigma.duplicate_input_table: an input table like another one, with its rows.
 *
 * The definition is read and the copy is made as the caller.  Its rows are read as the
 * caller too, under his rights and row security, and written by sigma itself: they keep
 * their row ids, also beside protected columns and where they break a rule, and get new
 * stamps.  What names the table itself in its formulas names the copy in the copy's.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "storage/lmgr.h"
#include "tcop/dest.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "common/argument.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "common/spi.h"
#include "compat.h"
#include "input_table/define.h"
#include "input_table/input_table.h"
#include "input_table/linked.h"

#define ROWS_NAME	"sigma_copied_rows"

PG_FUNCTION_INFO_V1(duplicate_input_table);

static JsonNode *copy_definition(const char *id, const char *new_id, const char *new_name);
static char *free_name(const char *name);
static void copy_rows(const TableDefinition *source, const TableDefinition *copy);
static Tuplestorestate *read_rows(const char *sql, TupleDesc *desc);
static void write_rows(const TableDefinition *copy, Tuplestorestate *rows, TupleDesc desc, const char *columns);
static char *column_list(const TableDefinition *table);

/*
 * duplicate_input_table(id text, new_id text, new_name text, with_rows bool) → text: the id
 * of the copy.  SG404, 42501, 42P07 and SG409 where the id or name is taken.
 */
Datum
duplicate_input_table(PG_FUNCTION_ARGS)
{
	bool		with_rows = PG_ARGISNULL(3) || PG_GETARG_BOOL(3);
	const InputTable *table;
	JsonNode   *definition;
	JsonNode   *stored;
	char	   *id;
	char	   *new_id;

	id = sigma_text_argument(fcinfo, 0, "id");
	new_id = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	sigma_table_check_visible(id);
	table = sigma_input_table_by_id(id);	/* locked: its definition stays until transaction end */
	if (new_id != NULL)
		sigma_definition_refuse_existing(new_id);
	stored = sigma_catalog_read(DOCUMENT_INPUT_TABLE, table->id);
	if (with_rows && sigma_is_linked(stored))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the entries of a linked input table are not copied"),
				 errhint("Give with_rows => false.")));
	definition = copy_definition(id, new_id == NULL ? sigma_new_uuid() : new_id,
								 PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)));
	new_id = sigma_catalog_insert(DOCUMENT_INPUT_TABLE, sigma_json_write(definition));
	if (with_rows)
		copy_rows(sigma_definition_read(stored),
				  sigma_definition_read(sigma_catalog_read(DOCUMENT_INPUT_TABLE, new_id)));
	PG_RETURN_TEXT_P(cstring_to_text(new_id));
}

/* The document of the copy. */
static JsonNode *
copy_definition(const char *id, const char *new_id, const char *new_name)
{
	static const char *const own[] = {"created_at", "updated_at", "status"};
	JsonNode   *definition = sigma_catalog_read(DOCUMENT_INPUT_TABLE, id);
	char	   *old_name = sigma_json_get_string(definition, "name", unconstify(char *, id));
	int			i;

	for (i = 0; i < lengthof(own); i++)
		(void) sigma_json_remove(definition, own[i]);
	if (new_name == NULL)
		new_name = free_name(old_name);
	sigma_formulas_move(definition, new_id, new_name);
	sigma_json_set(definition, "id", sigma_json_new_string(new_id, NULL));
	sigma_json_set(definition, "name", sigma_json_new_string(new_name, NULL));
	return definition;
}

/* "<name> copy", with a number where that is taken. */
static char *
free_name(const char *name)
{
	List	   *taken = sigma_catalog_names(DOCUMENT_INPUT_TABLE);
	int			number = 1;

	for (;;)
	{
		char	   *candidate = number == 1 ? psprintf("%s copy", name) : psprintf("%s copy %d", name, number);
		ListCell   *lc;

		foreach(lc, taken)
		{
			const CatalogName *other = lfirst(lc);

			if (strcmp(other->name != NULL ? other->name : other->id, candidate) == 0)
				break;
		}
		if (lc == NULL)
			return candidate;
		number++;
	}
}

/* Read the rows as the caller, write them as sigma, and let row ids go on behind them. */
static void
copy_rows(const TableDefinition *source, const TableDefinition *copy)
{
	char	   *columns = column_list(copy);
	Tuplestorestate *rows;
	TupleDesc	desc;

	SPI_connect();
	rows = read_rows(psprintf("SELECT %s FROM ONLY %s ORDER BY sigma_row_id", columns,
							  sigma_ddl_name(sigma_data_table_name(source->id))), &desc);
	write_rows(copy, rows, desc, columns);
	tuplestore_end(rows);
	SPI_finish();
}

/* What a query yields, spilling to disk at work_mem. */
static Tuplestorestate *
read_rows(const char *sql, TupleDesc *desc)
{
	Tuplestorestate *store = tuplestore_begin_heap(false, false, work_mem);
	DestReceiver *receiver = CreateDestReceiver(DestTuplestore);
	SPIExecuteOptions options = {0};
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	CachedPlanSource *source;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	SetTuplestoreDestReceiverParams(receiver, store, CurrentMemoryContext, true, NULL, NULL);
	options.dest = receiver;
	options.read_only = true;
	if (SPI_execute_plan_extended(plan, &options) != SPI_OK_SELECT)
		elog(ERROR, "could not read the rows to copy");
	source = linitial(SPI_plan_get_plan_sources(plan));
	*desc = CreateTupleDescCopy(source->resultDesc);
	return store;
}

/* One INSERT by the owner of sigds; no expression of a user is evaluated in it. */
static void
write_rows(const TableDefinition *copy, Tuplestorestate *rows, TupleDesc desc, const char *columns)
{
	SessionState session = sigma_session;
	char	   *data = sigma_ddl_name(sigma_data_table_name(copy->id));
	OwnerScope	scope;

	sigma_spi_offer(ROWS_NAME, rows, desc);
	sigma_ddl_begin(&scope);
	PG_TRY();
	{
		sigma_session.origin = ORIGIN_SYSTEM;
		sigma_session.given_rows = sigma_data_table_oid(copy->id);
		sigma_spi_run(psprintf("INSERT INTO %s (%s) SELECT %s FROM " ROWS_NAME, data, columns, columns), SPI_OK_INSERT);
		sigma_spi_run(psprintf("SELECT pg_catalog.setval(%s, pg_catalog.max(sigma_row_id)) FROM ONLY %s "
							   "HAVING pg_catalog.max(sigma_row_id) OPERATOR(pg_catalog.>) 0",
							   quote_literal_cstr(sigma_ddl_name(sigma_row_sequence_name(copy->id))), data),
					  SPI_OK_SELECT);
	}
	PG_FINALLY();
	{
		sigma_session = session;
	}
	PG_END_TRY();
	sigma_owner_end(&scope);
	SPI_unregister_relation(ROWS_NAME);
}

/* sigma_row_id and the columns that are entered, quoted. */
static char *
column_list(const TableDefinition *table)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	appendStringInfoString(&list, "sigma_row_id");
	for (i = 0; i < table->ncolumn; i++)
		appendStringInfo(&list, ", %s", quote_identifier(table->columns[i].name));
	return list.data;
}
