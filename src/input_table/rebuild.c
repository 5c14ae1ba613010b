/*
 * rebuild.c
 *		sigma.rebuild: is the table what its log says, and if not, make it so.
 *
 * Compared are whole rows, system columns too, byte by byte.  Rows are mended in place,
 * in the way in which a dump restores them: nothing is checked, stamped or logged.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/queryenvironment.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "common/argument.h"
#include "common/json_push.h"
#include "common/names.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"
#include "input_table/rules.h"

#define ROWS_NAME	"sigma_rebuild_rows"

/* Rows that are not as the log says. */
typedef struct Differences
{
	int64		count;
	Tuplestorestate *wrong;		/* ids of rows to take away, NULL: just count */
	Tuplestorestate *right;		/* rows to put in their place */
	TupleDesc	id_desc;
} Differences;

static void check_may_destroy(const InputTable *table);
static void compare(const InputTable *table, LogState *state, Snapshot snapshot, Differences *found);
static bool same_row(const LogState *state, const InputTable *table, TupleTableSlot *slot);
static void form_row(const LogState *state, const InputTable *table, TupleDesc desc, int64 row_id, Datum *values, bool *nulls);
static void keep_row(const LogState *state, const InputTable *table, TupleDesc desc, int64 row_id, Tuplestorestate *store);
static void mend(const InputTable *table, Differences *found);
static char *column_list(TupleDesc desc);
static void run_over(const char *sql, Tuplestorestate *rows, TupleDesc desc, int expected);

PG_FUNCTION_INFO_V1(rebuild);

/*
 * rebuild(table_id text, check_only bool) → jsonb {table_id, rows, edits, differences,
 * replaced}.  To replace rows takes ACCESS EXCLUSIVE, and 42501 for who may not TRUNCATE.
 */
Datum
rebuild(PG_FUNCTION_ARGS)
{
	bool		check_only = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	Differences found = {0};
	const InputTable *table;
	JsonbParseState *result = NULL;
	LogState   *state;
	Snapshot	snapshot;
	char	   *id;

	id = sigma_text_argument(fcinfo, 0, "table_id");
	table = sigma_logged_table(id);
	if (!check_only)
	{
		check_may_destroy(table);
		LockRelationOid(table->relid, AccessExclusiveLock);
		table = sigma_logged_table(id);
		found.wrong = tuplestore_begin_heap(false, false, work_mem);
		found.right = tuplestore_begin_heap(false, false, work_mem);
		found.id_desc = CreateTemplateTupleDesc(1);
		TupleDescInitEntry(found.id_desc, 1, "row_id", INT8OID, -1, 0);
	}
	snapshot = RegisterSnapshot(check_only ? GetActiveSnapshot() : GetLatestSnapshot());
	state = sigma_log_state(table, snapshot, PG_INT64_MAX, NULL);
	compare(table, state, snapshot, &found);
	UnregisterSnapshot(snapshot);
	if (!check_only && found.count > 0)
		mend(table, &found);

	pushJsonbValue(&result, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&result, "table_id", id);
	sigma_push_int(&result, "rows", hash_get_num_entries(state->rows));
	sigma_push_int(&result, "edits", state->edits);
	sigma_push_int(&result, "differences", found.count);
	sigma_push_bool(&result, "replaced", !check_only && found.count > 0);
	MemoryContextDelete(state->cxt);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&result, WJB_END_OBJECT, NULL)));
}

/* 42501 for who could not drop all rows. */
static void
check_may_destroy(const InputTable *table)
{
	if (pg_class_aclcheck(table->relid, GetUserId(), ACL_TRUNCATE) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to rebuild input table \"%s\"", table->name),
				 errhint("It needs the TRUNCATE privilege on %s.", get_rel_name(table->relid))));
}

/* Find rows that are missing, too many, or other than the state's. */
static void
compare(const InputTable *table, LogState *state, Snapshot snapshot, Differences *found)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	MemoryContext caller = MemoryContextSwitchTo(state->scratch);
	HASHCTL		control = {0};
	HTAB	   *same;
	int64	   *ids;
	int64		count;
	int64		i;

	control.keysize = control.entrysize = sizeof(int64);
	control.hcxt = state->cxt;
	same = hash_create("sigma rows that are right", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull = false;
		Datum		id;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(state->scratch);
		slot_getallattrs(slot);
		id = slot->tts_values[table->row_id - 1];
		if (sigma_log_state_row(state, DatumGetInt64(id)))
		{
			int64		row_id = DatumGetInt64(id);

			/* a row that is otherwise is counted below, with those that are missing */
			if (same_row(state, table, slot))
				(void) hash_search(same, &row_id, HASH_ENTER, NULL);
			else if (found->wrong != NULL)
				tuplestore_putvalues(found->wrong, found->id_desc, &id, &isnull);
			continue;
		}
		found->count++;
		if (found->wrong != NULL)
			tuplestore_putvalues(found->wrong, found->id_desc, &id, &isnull);
	}
	MemoryContextSwitchTo(caller);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);

	ids = sigma_log_state_ids(state, &count);
	for (i = 0; i < count; i++)
		if (hash_search(same, &ids[i], HASH_FIND, NULL) == NULL)
		{
			found->count++;
			if (found->right != NULL)
				keep_row(state, table, RelationGetDescr(rel), ids[i], found->right);
		}
	table_close(rel, NoLock);
}

/* Is the table's row the state's, which stands in state->values? */
static bool
same_row(const LogState *state, const InputTable *table, TupleTableSlot *slot)
{
	int			natts = slot->tts_tupleDescriptor->natts;
	Datum	   *values = palloc(sizeof(Datum) * natts);
	bool	   *nulls = palloc(sizeof(bool) * natts);
	int			i;

	form_row(state, table, slot->tts_tupleDescriptor, DatumGetInt64(slot->tts_values[table->row_id - 1]), values, nulls);
	for (i = 0; i < natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(slot->tts_tupleDescriptor, i);

		if (att->attisdropped)
			continue;
		if (nulls[i] != slot->tts_isnull[i])
			return false;
		if (!nulls[i] && !datum_image_eq(values[i], slot->tts_values[i], att->attbyval, att->attlen))
			return false;
	}
	return true;
}

/* The row that stands in state->values in the shape of the data table. */
static void
form_row(const LogState *state, const InputTable *table, TupleDesc desc, int64 row_id, Datum *values, bool *nulls)
{
	const AttrNumber stamps[STATE_STAMPS] = {table->updated_at, table->updated_by, table->created_at, table->created_by};
	int			i;
	int			j;

	memset(nulls, true, sizeof(bool) * desc->natts);
	values[table->row_id - 1] = Int64GetDatum(row_id);
	nulls[table->row_id - 1] = false;
	for (i = 0; i < STATE_STAMPS; i++)
	{
		values[stamps[i] - 1] = state->values[i];
		nulls[stamps[i] - 1] = state->nulls[i];
	}
	for (i = 0; i < table->ncolumn; i++)
		for (j = 0; j < state->ncolumn; j++)
			if (AttributeNumberIsValid(table->columns[i].attnum) &&
				strcmp(state->columns[j]->id, table->columns[i].id) == 0)
			{
				values[table->columns[i].attnum - 1] = state->values[STATE_STAMPS + j];
				nulls[table->columns[i].attnum - 1] = state->nulls[STATE_STAMPS + j];
			}
}

/* Put a row of the state into a store. */
static void
keep_row(const LogState *state, const InputTable *table, TupleDesc desc, int64 row_id, Tuplestorestate *store)
{
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);

	(void) sigma_log_state_row(state, row_id);
	form_row(state, table, desc, row_id, values, nulls);
	tuplestore_putvalues(store, desc, values, nulls);
	pfree(values);
	pfree(nulls);
}

/*
 * Take the wrong rows away and put the right ones there, as the owner of the table and
 * in the mode of a restore.
 */
static void
mend(const InputTable *table, Differences *found)
{
	Relation	rel = table_open(table->relid, NoLock);
	char	   *name = quote_qualified_identifier("sigds", RelationGetRelationName(rel));
	OwnerScope	scope;

	SPI_connect();
	sigma_ddl_begin(&scope);
	(void) set_config_option("check_function_bodies", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	run_over(psprintf("DELETE FROM ONLY %s WHERE sigma_row_id OPERATOR(pg_catalog.=) ANY "
					  "(SELECT w.row_id FROM " ROWS_NAME " w)", name), found->wrong, found->id_desc, SPI_OK_DELETE);
	run_over(psprintf("INSERT INTO %s (%s) SELECT %s FROM " ROWS_NAME " r", name,
					  column_list(RelationGetDescr(rel)), column_list(RelationGetDescr(rel))),
			 found->right, RelationGetDescr(rel), SPI_OK_INSERT);
	sigma_owner_end(&scope);
	SPI_finish();
	table_close(rel, NoLock);
}

/* The columns that are there, quoted. */
static char *
column_list(TupleDesc desc)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
							 quote_identifier(NameStr(TupleDescAttr(desc, i)->attname)));
	return list.data;
}

/* Run a statement that reads the rows as a relation. */
static void
run_over(const char *sql, Tuplestorestate *rows, TupleDesc desc, int expected)
{
	EphemeralNamedRelationData relation = {0};

	relation.md.name = ROWS_NAME;
	relation.md.tupdesc = desc;
	relation.md.enrtype = ENR_NAMED_TUPLESTORE;
	relation.md.enrtuples = tuplestore_tuple_count(rows);
	relation.reldata = rows;
	if (SPI_register_relation(&relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register rows");
	sigma_spi_run(sql, expected);
	SPI_unregister_relation(ROWS_NAME);
}
