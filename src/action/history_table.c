/*
 * history_table.c
 *		The history table as rows of runs go into it without a statement.
 *
 * Looking the table up and making the executor's state for it and its indexes costs
 * more than a small row, so both are kept from run to run, in CacheMemoryContext,
 * until a message says that the table has changed.  Relations are not kept open: the
 * table and its indexes are opened for each row, and their locks are held until the
 * transaction ends, as those of a statement on the table are.
 *
 * While a row is put in, what is kept belongs to that row alone and lives in its
 * memory context: an error takes it away, and code that an index of the owner's runs
 * may itself start a run, which then makes its own.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "action/history_table.h"
#include "common/cache.h"
#include "common/catalog.h"
#include "common/spi.h"
#include "compat.h"

#define HISTORY_TABLE	"sigma_execution_history"

/* What is known of the table, and the executor's state to put rows in. */
typedef struct HistoryTable
{
	MemoryContext cxt;			/* holds it all */
	Oid			relid;
	uint64		generation;		/* of the table, that it was made from */
	bool		as_made;		/* if false the rest is not there */
	AttrNumber	places[HISTORY_COLUMNS];
	int			most[HISTORY_COLUMNS];	/* bytes that certainly fit; -1: any number */
	bool		required[HISTORY_COLUMNS];
	EState	   *estate;
	ResultRelInfo *result;		/* its relations are valid while a row is put in */
	Oid		   *indexes;
	TupleTableSlot *slot;
} HistoryTable;

const Oid	sigma_history_types[HISTORY_COLUMNS] = {
	TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPOID, TIMESTAMPOID, JSONBOID, JSONBOID,
	TEXTOID, TEXTOID, TEXTOID, TEXTOID, NAMEOID, INT8OID, TEXTOID, JSONBOID
};

static HistoryTable *kept = NULL;
static Oid	watched = InvalidOid;	/* the table that was looked up last */
static uint64 generation = 0;	/* counts changes of it */

static void hear_change(Oid relid);
static HistoryTable *take_table(Relation *rel);
static HistoryTable *make_table(Relation rel);
static void give_back(HistoryTable *table);
static bool is_plain(Relation rel);
static bool find_columns(Relation rel, HistoryTable *table);
static bool holds(Form_pg_attribute column, Oid type);
static bool fits(const HistoryTable *table, const Datum *values, const char *nulls);
static void put_row(HistoryTable *table, Relation rel, const Datum *values, const char *nulls);
static void open_indexes(HistoryTable *table, Relation rel);
static void close_indexes(HistoryTable *table);

Oid
sigma_history_owner(void)
{
	return sigma_relation_owner(sigma_relation_oid(HISTORY_TABLE));
}

/* See history_table.h.  25006 in a read-only transaction. */
bool
sigma_history_insert(const Datum *values, const char *nulls)
{
	Relation	rel;
	HistoryTable *table = take_table(&rel);
	bool		done = table->as_made && fits(table, values, nulls);

	if (done)
	{
		Oid			user;
		int			context;

		PreventCommandIfReadOnly("INSERT");
		GetUserIdAndSecContext(&user, &context);
		SetUserIdAndSecContext(rel->rd_rel->relowner, context | SECURITY_LOCAL_USERID_CHANGE);
		put_row(table, rel, values, nulls);
		SetUserIdAndSecContext(user, context);
	}
	table_close(rel, NoLock);
	give_back(table);
	if (done)
		CommandCounterIncrement();	/* as after a statement: the caller sees it */
	return done;
}

/*
 * What is kept
 */

/* Runs inside any lock acquisition: mark only. */
static void
hear_change(Oid relid)
{
	if (!OidIsValid(relid) || relid == watched)
		generation++;
}

/* What is known of the table, for the current context to hold; the table is opened and locked. */
static HistoryTable *
take_table(Relation *rel)
{
	HistoryTable *table = kept;

	if (table != NULL && table->generation == generation)
	{
		*rel = table_open(table->relid, RowExclusiveLock);
		/* the lock takes in messages */
		if (table->generation == generation)
		{
			kept = NULL;
			MemoryContextSetParent(table->cxt, CurrentMemoryContext);
			return table;
		}
		table_close(*rel, NoLock);
	}
	if (kept != NULL)
		MemoryContextDelete(kept->cxt);
	kept = NULL;
	*rel = table_open(sigma_relation_oid(HISTORY_TABLE), RowExclusiveLock);
	return make_table(*rel);
}

/* Learn about the table. */
static HistoryTable *
make_table(Relation rel)
{
	static bool listening = false;
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma history table", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	HistoryTable *table = palloc0(sizeof(HistoryTable));
	int			i;

	if (!listening)
	{
		sigma_cache_listen(hear_change);
		listening = true;
	}
	watched = RelationGetRelid(rel);
	table->cxt = cxt;
	table->relid = watched;
	table->generation = generation;
	table->as_made = is_plain(rel) && find_columns(rel, table);
	if (table->as_made)
	{
		table->estate = CreateExecutorState();
		table->result = makeNode(ResultRelInfo);
		InitResultRelInfo(table->result, rel, 1, NULL, 0);
		ExecOpenIndices(table->result, false);
		table->indexes = palloc(sizeof(Oid) * Max(table->result->ri_NumIndices, 1));
		for (i = 0; i < table->result->ri_NumIndices; i++)
			table->indexes[i] = RelationGetRelid(table->result->ri_IndexRelationDescs[i]);
		ExecCloseIndices(table->result);
		/* a copy: the table's own counts who uses it */
		table->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(rel)), &TTSOpsVirtual);
	}
	MemoryContextSwitchTo(caller);
	return table;
}

/* Keep it for the next run, or forget it where the table has changed meanwhile. */
static void
give_back(HistoryTable *table)
{
	if (kept != NULL || table->generation != generation)
	{
		MemoryContextDelete(table->cxt);
		return;
	}
	MemoryContextSetParent(table->cxt, CacheMemoryContext);
	kept = table;
}

/* Does an INSERT do no more than put the row there?  Nothing but NOT NULL is looked at then. */
static bool
is_plain(Relation rel)
{
	TupleConstr *constraints = RelationGetDescr(rel)->constr;
	TriggerDesc *triggers = rel->trigdesc;

	return rel->rd_rel->relkind == RELKIND_RELATION && !rel->rd_rel->relispartition &&
		!rel->rd_rel->relforcerowsecurity && rel->rd_rules == NULL &&
		(constraints == NULL || (constraints->num_defval == 0 && constraints->num_check == 0)) &&
		(triggers == NULL || !(triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
							   triggers->trig_insert_before_statement || triggers->trig_insert_after_statement));
}

/* Where the columns of a row stand and what they take; false where the table is not as it was made. */
static bool
find_columns(Relation rel, HistoryTable *table)
{
	static const char *const columns[HISTORY_COLUMNS] = {
		"execution_id", "sequence_id", "action_id", "action_type", "start_time", "end_time", "context", "result",
		"status", "error_message", "reason", "user_id", "role", "rows_changed", "idempotency_key", "metadata"
	};
	TupleDesc	desc = RelationGetDescr(rel);
	int			known = 0;
	int			i;
	int			j;

	if (desc->natts != HISTORY_COLUMNS + 2)
		return false;
	for (j = 0; j < desc->natts; j++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, j);

		for (i = 0; i < HISTORY_COLUMNS; i++)
			if (strcmp(NameStr(column->attname), columns[i]) == 0)
				break;
		if (column->attidentity != '\0' || (i == HISTORY_COLUMNS && column->attnotnull))
			return false;
		if (i == HISTORY_COLUMNS)
			continue;
		if (!holds(column, sigma_history_types[i]))
			return false;
		table->places[i] = (AttrNumber) (j + 1);
		table->most[i] = column->atttypid == VARCHAROID && column->atttypmod >= VARHDRSZ ? column->atttypmod - VARHDRSZ : -1;
		table->required[i] = column->attnotnull;
		known++;
	}
	return known == HISTORY_COLUMNS;
}

/* Is a value of that type what the column holds?  Its length and its being null aside. */
static bool
holds(Form_pg_attribute column, Oid type)
{
	if (column->attisdropped)
		return false;
	switch (type)
	{
		case TEXTOID:
			return column->atttypid == TEXTOID || column->atttypid == VARCHAROID;
		case TIMESTAMPOID:
			/* a domain over it, whose constraints fits() looks for */
			return getBaseType(column->atttypid) == TIMESTAMPOID && column->atttypmod == -1;
		default:
			return column->atttypid == type;
	}
}

/*
 * A row
 */

/*
 * Would the columns take these values as they are?  Constraints of domains come without
 * a message for the table, so they are asked for each time.
 */
static bool
fits(const HistoryTable *table, const Datum *values, const char *nulls)
{
	int			i;

	for (i = 0; i < HISTORY_COLUMNS; i++)
	{
		if (nulls[i] == 'n')
		{
			if (table->required[i])
				return false;
		}
		else if (table->most[i] >= 0 && VARSIZE_ANY_EXHDR(DatumGetPointer(values[i])) > table->most[i])
			return false;
		if (sigma_history_types[i] == TIMESTAMPOID &&
			DomainHasConstraints(TupleDescAttr(table->slot->tts_tupleDescriptor, table->places[i] - 1)->atttypid))
			return false;
	}
	return true;
}

/* Put a row into the table and its indexes. */
static void
put_row(HistoryTable *table, Relation rel, const Datum *values, const char *nulls)
{
	TupleTableSlot *slot = table->slot;
	int			i;

	open_indexes(table, rel);
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (i = 0; i < HISTORY_COLUMNS; i++)
	{
		slot->tts_values[table->places[i] - 1] = values[i];
		slot->tts_isnull[table->places[i] - 1] = nulls[i] == 'n';
	}
	ExecStoreVirtualTuple(slot);
	table_tuple_insert(rel, slot, GetCurrentCommandId(true), 0, NULL);
	if (table->result->ri_NumIndices > 0)
		(void) sigma_insert_index_tuples(table->result, slot, table->estate);
	ExecClearTuple(slot);
	ResetPerTupleExprContext(table->estate);
	close_indexes(table);
}

/* Make the relations of table->result valid; what access methods remember of them begins anew. */
static void
open_indexes(HistoryTable *table, Relation rel)
{
	ResultRelInfo *result = table->result;
	int			i;

	result->ri_RelationDesc = rel;
	for (i = 0; i < result->ri_NumIndices; i++)
	{
		Relation	index = index_open(table->indexes[i], RowExclusiveLock);
		IndexInfo  *info = result->ri_IndexRelationInfo[i];

		result->ri_IndexRelationDescs[i] = index;
		/* an index that is built concurrently becomes ready without a message for the table */
		info->ii_ReadyForInserts = index->rd_index->indisready;
		info->ii_AmCache = NULL;
		info->ii_Context = CurrentMemoryContext;
	}
}

static void
close_indexes(HistoryTable *table)
{
	ResultRelInfo *result = table->result;
	int			i;

	for (i = 0; i < result->ri_NumIndices; i++)
	{
		sigma_index_insert_cleanup(result->ri_IndexRelationDescs[i], result->ri_IndexRelationInfo[i]);
		index_close(result->ri_IndexRelationDescs[i], NoLock);
	}
}
