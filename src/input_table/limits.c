/*
 * limits.c
 *		max_rows and allow_bulk_operations.
 *
 * A table with max_rows has a row in sigma.sigma_row_counts, which every statement
 * updates by what it added or took away: writers wait for each other there (40001
 * above READ COMMITTED), so the count is exact.  The row is made before the first
 * statement's rows, under an advisory lock, by counting; it is not dumped.
 *
 * A statement can fire several of the AFTER STATEMENT triggers (MERGE, an upsert,
 * WITH).  What they saw is added up in an entry per statement that lives in the
 * statement's memory context.  Statements are told apart by table, transaction and
 * the command id of their snapshot, which a statement inside has a later one of.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "common/catalog.h"
#include "common/spi.h"
#include "compat.h"
#include "input_table/rules.h"

#define COUNT_LOCK_KEY	0x5369676d	/* "Sigm": which advisory locks are meant */
#define COUNT_LOCK_CLASS 3			/* SQL functions use 1 and 2 */

#define ADD_SQL \
	"UPDATE sigma.sigma_row_counts SET row_count = row_count OPERATOR(pg_catalog.+) $2 " \
	"WHERE id OPERATOR(pg_catalog.=) $1 RETURNING row_count"
#define INSERT_SQL "INSERT INTO sigma.sigma_row_counts (id, row_count) VALUES ($1, $2)"
#define FORGET_SQL "DELETE FROM sigma.sigma_row_counts WHERE id OPERATOR(pg_catalog.=) $1"

/* What one statement did to one table so far. */
typedef struct StatementCount
{
	dlist_node	node;			/* of statement_counts */
	MemoryContextCallback callback;
	Oid			relid;
	LocalTransactionId lxid;
	CommandId	command;
	int64		touched;		/* rows inserted, updated and deleted */
} StatementCount;

static dlist_head statement_counts = DLIST_STATIC_INIT(statement_counts);

static StatementCount *statement_count(Oid relid, MemoryContext cxt);
static void forget_statement(void *arg);
static int64 add_rows(const InputTable *table, int64 added);
static bool count_exists(const char *id);
static int64 count_rows_of(Oid relid);
static void lock_count(Oid relid);
static uint64 run_counts(SPIPlanPtr *plan, const char *sql, int nargs, const char *id, int64 number,
						 int expected, int64 *result);

PG_FUNCTION_INFO_V1(count_rows);

/*
 * AFTER INSERT, UPDATE or DELETE, each statement, with transition tables.  Raises
 * 55000 where bulk operations are off and the statement touched several rows, 53400
 * where it went over max_rows.
 */
Datum
count_rows(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const InputTable *table;
	int64		removed;
	int64		added;
	int64		rows;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger that it is", "count_rows")));
	table = sigma_input_table(RelationGetRelid(trigger->tg_relation));
	removed = trigger->tg_oldtable == NULL ? 0 : tuplestore_tuple_count(trigger->tg_oldtable);
	added = trigger->tg_newtable == NULL ? 0 : tuplestore_tuple_count(trigger->tg_newtable);
	if (table == NULL || added + removed == 0)
		return PointerGetDatum(NULL);
	if (sigma_is_restore(trigger->tg_relation))
	{
		/* taken as it is; the next writer counts anew */
		if (table->max_rows > 0 && added != removed)
			sigma_limits_forget_count(table->id);
		return PointerGetDatum(NULL);
	}

	if (!table->allow_bulk && sigma_session.origin != ORIGIN_SYSTEM)
	{
		StatementCount *count = statement_count(RelationGetRelid(trigger->tg_relation), fcinfo->flinfo->fn_mcxt);

		count->touched += Max(added, removed);
		if (count->touched > 1)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("input table \"%s\" takes no bulk operations", table->name),
					 errdetail("The statement touched " INT64_FORMAT " rows.", count->touched),
					 errhint("Write one row per statement, or set allow_bulk_operations."),
					 errtable(trigger->tg_relation)));
	}
	if (table->max_rows == 0 || added == removed)
		return PointerGetDatum(NULL);
	rows = add_rows(table, added - removed);
	if (added > removed && rows > table->max_rows)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("input table \"%s\" holds at most " INT64_FORMAT " rows", table->name, table->max_rows),
				 errdetail("The statement would make it " INT64_FORMAT " rows.", rows),
				 errhint("Delete rows, or raise max_rows."),
				 errtable(trigger->tg_relation)));
	return PointerGetDatum(NULL);
}

/* Make the counter where there is none; called before the statement touches a row. */
void
sigma_limits_ensure_count(const InputTable *table)
{
	static SPIPlanPtr plan = NULL;

	if (count_exists(table->id))
		return;
	lock_count(table->relid);
	if (!count_exists(table->id))
		run_counts(&plan, INSERT_SQL, 2, table->id, count_rows_of(table->relid), SPI_OK_INSERT, NULL);
}

/* See input_table.h; a restore takes it away too, and knows no other writer. */
void
sigma_limits_forget_count(const char *id)
{
	static SPIPlanPtr plan = NULL;

	run_counts(&plan, FORGET_SQL, 1, id, 0, SPI_OK_DELETE, NULL);
}

/* The statement's entry, made in the statement's context where there is none. */
static StatementCount *
statement_count(Oid relid, MemoryContext cxt)
{
	CommandId	command = GetActiveSnapshot()->curcid;
	StatementCount *count;
	dlist_iter	iter;

	dlist_foreach(iter, &statement_counts)
	{
		count = dlist_container(StatementCount, node, iter.cur);
		if (count->relid == relid && count->command == command && count->lxid == SIGMA_LOCAL_XID)
			return count;
	}
	count = MemoryContextAllocZero(cxt, sizeof(StatementCount));
	count->relid = relid;
	count->command = command;
	count->lxid = SIGMA_LOCAL_XID;
	count->callback.func = forget_statement;
	count->callback.arg = count;
	dlist_push_head(&statement_counts, &count->node);
	MemoryContextRegisterResetCallback(cxt, &count->callback);
	return count;
}

/* The statement's context goes away, and with it the entry. */
static void
forget_statement(void *arg)
{
	dlist_delete(&((StatementCount *) arg)->node);
}

/* Change the counter.  Returns the number of rows now; 40001 where this transaction cannot see the counter. */
static int64
add_rows(const InputTable *table, int64 added)
{
	static SPIPlanPtr plan = NULL;
	int64		rows;

	if (run_counts(&plan, ADD_SQL, 2, table->id, added, SPI_OK_UPDATE_RETURNING, &rows) == 1)
		return rows;
	if (count_exists(table->id))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update"),
				 errdetail("The rows of input table \"%s\" were counted after this transaction began.", table->name)));
	/* no trigger came before the rows: count them as they are now */
	CommandCounterIncrement();
	sigma_limits_ensure_count(table);
	return count_rows_of(table->relid);
}

/* Is there a counter, by the newest snapshot? */
static bool
count_exists(const char *id)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	Relation	rel = table_open(sigma_relation_oid("sigma_row_counts"), AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, TEXTOID, DEFAULT_COLLATION_OID,
						   F_TEXTEQ, CStringGetTextDatum(id));
	scan = systable_beginscan(rel, sigma_relation_oid("sigma_row_counts_pkey"), true, snapshot, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	UnregisterSnapshot(snapshot);
	return found;
}

/* The rows that are committed, and this transaction's. */
static int64
count_rows_of(Oid relid)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	Relation	rel = table_open(relid, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	int64		rows = 0;

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		rows++;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
	UnregisterSnapshot(snapshot);
	return rows;
}

/* One session at a time makes a table's counter, and until its transaction ends. */
static void
lock_count(Oid relid)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, COUNT_LOCK_KEY, relid, COUNT_LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/*
 * Run one of the fixed texts as the owner of the counters: writers of data tables
 * need no right on them.  Returns how many rows it touched, and the first result.
 */
static uint64
run_counts(SPIPlanPtr *plan, const char *sql, int nargs, const char *id, int64 number,
		   int expected, int64 *result)
{
	static const Oid types[] = {TEXTOID, INT8OID};
	Datum		values[2];
	OwnerScope	scope;
	Relation	rel = table_open(sigma_relation_oid("sigma_row_counts"), AccessShareLock);
	Oid			owner = rel->rd_rel->relowner;
	uint64		rows;

	table_close(rel, AccessShareLock);
	values[0] = CStringGetTextDatum(id);
	values[1] = Int64GetDatum(number);
	SPI_connect();
	sigma_owner_begin(&scope, owner);
	sigma_spi_execute(sigma_spi_plan(plan, sql, nargs, types), values, NULL, false, expected);
	rows = SPI_processed;
	if (result != NULL && rows > 0)
	{
		bool		isnull;

		*result = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	}
	sigma_owner_end(&scope);
	SPI_finish();
	return rows;
}
