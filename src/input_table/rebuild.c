/*
 * rebuild.c
 *		sigma.rebuild: is the table what its log says, and if not, make it so.
 *
 * Compared are whole rows, system columns too, byte by byte.  Rows are mended in place,
 * in the way in which a dump restores them: nothing is checked, stamped or logged.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
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
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "common/argument.h"
#include "common/json_push.h"
#include "common/names.h"
#include "common/spi.h"
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

/* What is compared. */
typedef struct Comparison
{
	const InputTable *table;
	TupleDesc	desc;			/* of the data table */
	Differences *found;
} Comparison;

static void check_may_destroy(const InputTable *table);
static void compare(const InputTable *table, LogState *state, Snapshot snapshot, Differences *found);
static Oid	primary_key(Relation rel);
static int64 row_id_of(const Comparison *comparison, HeapTuple tuple);
static void note_difference(const Comparison *comparison, const LogImage *image, HeapTuple tuple);
static bool same_row(TupleDesc desc, HeapTuple tuple, const Datum *values, const bool *nulls);
static void form_row(const LogImage *image, const InputTable *table, TupleDesc desc, Datum *values, bool *nulls);
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
		PreventCommandIfReadOnly("rebuild()");
		check_may_destroy(table);
		LockRelationOid(table->relid, AccessExclusiveLock);
		table = sigma_logged_table(id);
		found.wrong = tuplestore_begin_heap(false, false, work_mem);
		found.right = tuplestore_begin_heap(false, false, work_mem);
		found.id_desc = CreateTemplateTupleDesc(1);
		TupleDescInitEntry(found.id_desc, 1, "row_id", INT8OID, -1, 0);
	}
	snapshot = RegisterSnapshot(check_only ? GetActiveSnapshot() : GetLatestSnapshot());
	state = sigma_log_state(table, snapshot, PG_INT64_MAX, NULL, NULL);
	compare(table, state, snapshot, &found);
	UnregisterSnapshot(snapshot);
	if (!check_only && found.count > 0)
		mend(table, &found);

	pushJsonbValue(&result, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&result, "table_id", id);
	sigma_push_int(&result, "rows", state->rows);
	sigma_push_int(&result, "edits", state->edits);
	sigma_push_int(&result, "differences", found.count);
	sigma_push_bool(&result, "replaced", !check_only && found.count > 0);
	sigma_log_state_end(state);
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

/*
 * Find rows that are missing, too many, or other than the state's: both are read by row
 * ids.
 */
static void
compare(const InputTable *table, LogState *state, Snapshot snapshot, Differences *found)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	Relation	index = index_open(primary_key(rel), AccessShareLock);
	SysScanDesc scan = systable_beginscan_ordered(rel, index, snapshot, 0, NULL);
	TupleDesc	desc = RelationGetDescr(rel);
	Comparison	comparison = {table, desc, found};
	HeapTuple	tuple = systable_getnext_ordered(scan, ForwardScanDirection);
	bool		more = sigma_log_state_next(state);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma row", ALLOCSET_DEFAULT_SIZES);

	while (more || tuple != NULL)
	{
		int64		stored = tuple == NULL ? 0 : row_id_of(&comparison, tuple);
		bool		has_log = more && (tuple == NULL || state->image.row_id <= stored);
		bool		has_row = tuple != NULL && (!more || stored <= state->image.row_id);
		MemoryContext caller = MemoryContextSwitchTo(cxt);

		CHECK_FOR_INTERRUPTS();
		note_difference(&comparison, has_log ? &state->image : NULL, has_row ? tuple : NULL);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(cxt);
		if (has_log)
			more = sigma_log_state_next(state);
		if (has_row)
			tuple = systable_getnext_ordered(scan, ForwardScanDirection);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(rel, NoLock);
}

/* The index by which rows are compared; 55000 where there is none. */
static Oid
primary_key(Relation rel)
{
	Oid			index = sigma_primary_key(rel);

	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no whole primary key", RelationGetRelationName(rel)),
				 errhint("Make it again: PRIMARY KEY (sigma_row_id).")));
	return index;
}

static int64
row_id_of(const Comparison *comparison, HeapTuple tuple)
{
	bool		isnull;

	return DatumGetInt64(heap_getattr(tuple, comparison->table->row_id, comparison->desc, &isnull));
}

/* A row as the log says (NULL: it should not be there) and as the table has it (NULL: it is not). */
static void
note_difference(const Comparison *comparison, const LogImage *image, HeapTuple tuple)
{
	Differences *found = comparison->found;
	Datum	   *values = palloc(sizeof(Datum) * comparison->desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * comparison->desc->natts);
	bool		isnull = false;

	if (image != NULL)
		form_row(image, comparison->table, comparison->desc, values, nulls);
	if (image != NULL && tuple != NULL && same_row(comparison->desc, tuple, values, nulls))
		return;
	found->count++;
	if (found->wrong != NULL && tuple != NULL)
	{
		Datum		id = Int64GetDatum(row_id_of(comparison, tuple));

		tuplestore_putvalues(found->wrong, found->id_desc, &id, &isnull);
	}
	if (found->right != NULL && image != NULL)
		tuplestore_putvalues(found->right, comparison->desc, values, nulls);
}

/* Does the table's row hold just these values? */
static bool
same_row(TupleDesc desc, HeapTuple tuple, const Datum *values, const bool *nulls)
{
	Datum	   *stored = palloc(sizeof(Datum) * desc->natts);
	bool	   *no_stored = palloc(sizeof(bool) * desc->natts);
	int			i;

	heap_deform_tuple(tuple, desc, stored, no_stored);
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped)
			continue;
		if (nulls[i] != no_stored[i])
			return false;
		if (!nulls[i] && !datum_image_eq(values[i], stored[i], att->attbyval, att->attlen))
			return false;
	}
	return true;
}

/* An image in the shape of the data table: values of columns that are the same, byte by byte. */
static void
form_row(const LogImage *image, const InputTable *table, TupleDesc desc, Datum *values, bool *nulls)
{
	const AttrNumber stamps[STATE_STAMPS] = {table->updated_at, table->updated_by, table->created_at, table->created_by};
	int			i;
	int			j;

	memset(nulls, true, sizeof(bool) * desc->natts);
	values[table->row_id - 1] = Int64GetDatum(image->row_id);
	nulls[table->row_id - 1] = false;
	for (i = 0; i < STATE_STAMPS; i++)
	{
		values[stamps[i] - 1] = image->values[i];
		nulls[stamps[i] - 1] = image->nulls[i];
	}
	for (i = 0; i < table->ncolumn; i++)
		for (j = 0; j < image->ncolumn; j++)
			if (AttributeNumberIsValid(table->columns[i].attnum) &&
				strcmp(image->columns[j]->id, table->columns[i].id) == 0)
			{
				values[table->columns[i].attnum - 1] = image->values[STATE_STAMPS + j];
				nulls[table->columns[i].attnum - 1] = image->nulls[STATE_STAMPS + j];
			}
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
	sigma_spi_offer(ROWS_NAME, rows, desc);
	sigma_spi_run(sql, expected);
	SPI_unregister_relation(ROWS_NAME);
}
