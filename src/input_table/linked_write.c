/*
 * linked_write.c
 *		From updates of a linked table's view to its entries.
 *
 * PostgreSQL hands the rows of a view to its trigger one by one; the rows of one
 * statement are collected in a tuplestore, which spills to disk, and written when the
 * statement ends: an UPDATE of the entries that are there and an INSERT of the others,
 * so that rules, limits and log see statements.  Only columns that a row changed are
 * written: two sessions that edit two cells of one row both succeed.
 *
 * The entries are written by the caller, whose identity rules and row security see,
 * with the rights that the owner of sigds has on them (statement.c): what he needs is
 * UPDATE on the view.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "common/spi.h"
#include "compat.h"
#include "input_table/edit_log.h"
#include "input_table/linked.h"
#include "input_table/rules.h"

#define ROWS_NAME	"sigma_linked_rows"	/* collected rows, as a statement sees them */

/* What one statement updates in one view, until it ends. */
typedef struct LinkedStatement
{
	dlist_node	node;			/* of statements */
	MemoryContextCallback callback;
	Oid			relid;			/* the view */
	LocalTransactionId lxid;
	CommandId	command;
	const InputTable *table;	/* the entries */
	AttrNumber *places;			/* by column of the table: the view's */
	Bitmapset  *ours;			/* attributes of the view that are no source's: entry columns and stamps */
	bool	   *written;		/* by column: some row changes it */
	TupleDesc	desc;			/* of collected rows */
	Tuplestorestate *store;
	int64		count;
	ExprState  *may_edit;		/* row filter and row_edit over a row of the view, or NULL: all may be edited */
	ExprContext *evaluation;
	TupleTableSlot *row;
} LinkedStatement;

static dlist_head statements = DLIST_STATIC_INIT(statements);

PG_FUNCTION_INFO_V1(refuse_linked_row);
PG_FUNCTION_INFO_V1(collect_linked_row);
PG_FUNCTION_INFO_V1(write_linked_rows);

static TriggerData *check_call(FunctionCallInfo fcinfo, const char *name, bool each_row);
static LinkedStatement *find_statement(Relation view);
static LinkedStatement *begin_statement(TriggerData *trigger, MemoryContext cxt);
static void forget_statement(void *arg);
static TupleDesc make_desc(const LinkedStatement *statement, TupleDesc view);
static void prepare_filter(LinkedStatement *statement, Relation view);
static bool may_edit(const LinkedStatement *statement, HeapTuple row);
static void refuse_linked(const LinkedStatement *statement, Relation view, const Datum *old, const bool *old_nulls,
						  const Datum *new, const bool *new_nulls);
static bool same_value(Form_pg_attribute att, Datum a, bool a_null, Datum b, bool b_null);
static void collect(LinkedStatement *statement, Relation view, const Datum *old, const bool *old_nulls,
					const Datum *new, const bool *new_nulls);
static HeapTuple stamp(Relation view, HeapTuple row, bool fresh);
static void write_rows(LinkedStatement *statement);
static char *update_sql(const LinkedStatement *statement, const TableDefinition *table, char **keys);
static char *insert_sql(const LinkedStatement *statement, const TableDefinition *table, char **keys);
static char **keys_of_rows(const LinkedStatement *statement, const TableDefinition *table);

/* INSTEAD OF INSERT OR DELETE on the view, each row: SG423.  The source decides which rows there are. */
Datum
refuse_linked_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_call(fcinfo, "refuse_linked_row", true);
	bool		inserting = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);

	ereport(ERROR,
			(errcode(ERRCODE_SIGMA_LOCKED),
			 errmsg(inserting ? "rows cannot be inserted into linked input table \"%s\"" :
					"rows of linked input table \"%s\" cannot be deleted", trigger->tg_trigger->tgargs[0]),
			 errdetail("Its rows are the keys of its source."),
			 inserting ? errhint("Insert the row into the source, and UPDATE the entry columns here.") :
			 errhint("Set the entry columns to NULL to clear a row, or delete it in the source.")));
	return (Datum) 0;			/* not reached */
}

/*
 * INSTEAD OF UPDATE on the view, each row: collect it.  Raises SG423 where the row
 * changes a column of the source.  As with row security of tables, a row that may not be
 * edited is passed over, and one that becomes such a row is 42501.
 */
Datum
collect_linked_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_call(fcinfo, "collect_linked_row", true);
	Relation	view = trigger->tg_relation;
	TupleDesc	desc = RelationGetDescr(view);
	LinkedStatement *statement = find_statement(view);
	Datum	   *values[2];
	bool	   *nulls[2];
	int			i;

	if (statement == NULL)
		statement = begin_statement(trigger, fcinfo->flinfo->fn_mcxt);
	for (i = 0; i < 2; i++)
	{
		values[i] = palloc(sizeof(Datum) * desc->natts);
		nulls[i] = palloc(sizeof(bool) * desc->natts);
		heap_deform_tuple(i == 0 ? trigger->tg_trigtuple : trigger->tg_newtuple, desc, values[i], nulls[i]);
	}
	if (!may_edit(statement, trigger->tg_trigtuple))
		return PointerGetDatum(NULL);
	refuse_linked(statement, view, values[0], nulls[0], values[1], nulls[1]);
	if (!may_edit(statement, trigger->tg_newtuple))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("new row violates row-level security policy for input table \"%s\"", statement->table->name)));
	collect(statement, view, values[0], nulls[0], values[1], nulls[1]);
	return PointerGetDatum(stamp(view, trigger->tg_newtuple,
								 nulls[0][SPI_fnumber(desc, "sigma_created_at") - 1]));
}

/* AFTER UPDATE on the view, each statement: write what was collected. */
Datum
write_linked_rows(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_call(fcinfo, "write_linked_rows", false);
	LinkedStatement *statement = find_statement(trigger->tg_relation);

	if (statement != NULL && statement->count > 0)
		write_rows(statement);
	return PointerGetDatum(NULL);
}

/* The call as a trigger of the view of the linked table that it names; 39P01 for any other. */
static TriggerData *
check_call(FunctionCallInfo fcinfo, const char *name, bool each_row)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		(each_row ? !TRIGGER_FIRED_INSTEAD(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) :
		 !TRIGGER_FIRED_AFTER(trigger->tg_event) || TRIGGER_FIRED_FOR_ROW(trigger->tg_event)) ||
		trigger->tg_trigger->tgnargs != 1 ||
		(strcmp(name, "refuse_linked_row") == 0) == (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) != 0) ||
		RelationGetRelid(trigger->tg_relation) != sigma_data_table_oid(trigger->tg_trigger->tgargs[0]))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger that it is", name)));
	return trigger;
}

/* What the running statement has collected for the view, or NULL. */
static LinkedStatement *
find_statement(Relation view)
{
	CommandId	command = GetActiveSnapshot()->curcid;
	dlist_iter	iter;

	dlist_foreach(iter, &statements)
	{
		LinkedStatement *statement = dlist_container(LinkedStatement, node, iter.cur);

		if (statement->relid == RelationGetRelid(view) && statement->command == command &&
			statement->lxid == SIGMA_LOCAL_XID)
			return statement;
	}
	return NULL;
}

/* Its first row: 55000 where view and entries do not fit. */
static LinkedStatement *
begin_statement(TriggerData *trigger, MemoryContext cxt)
{
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	LinkedStatement *statement = palloc0(sizeof(LinkedStatement));
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			i;

	statement->relid = RelationGetRelid(trigger->tg_relation);
	statement->lxid = SIGMA_LOCAL_XID;
	statement->command = GetActiveSnapshot()->curcid;
	statement->table = sigma_input_table_by_id(trigger->tg_trigger->tgargs[0]);
	statement->places = palloc(sizeof(AttrNumber) * statement->table->ncolumn);
	statement->written = palloc0(sizeof(bool) * statement->table->ncolumn);
	for (i = 0; i < statement->table->ncolumn; i++)
	{
		int			place = SPI_fnumber(desc, statement->table->columns[i].name);

		if (place <= 0)
			sigma_refuse_broken(statement->relid);
		statement->places[i] = place;
		if (i < statement->table->ncolumn - statement->table->nlinked)
			statement->ours = bms_add_member(statement->ours, place);
	}
	for (i = 0; i < LINKED_STAMPS; i++)
	{
		int			place = SPI_fnumber(desc, sigma_linked_stamps[i]);

		if (place <= 0)
			sigma_refuse_broken(statement->relid);
		statement->ours = bms_add_member(statement->ours, place);
	}
	statement->desc = make_desc(statement, desc);
	if (check_enable_rls(statement->table->relid, InvalidOid, true) == RLS_ENABLED)
		prepare_filter(statement, trigger->tg_relation);
	statement->store = tuplestore_begin_heap(true, false, work_mem);
	statement->callback.func = forget_statement;
	statement->callback.arg = statement;
	dlist_push_head(&statements, &statement->node);
	MemoryContextRegisterResetCallback(cxt, &statement->callback);
	MemoryContextSwitchTo(caller);
	return statement;
}

/* Row security applies to the caller: what says which rows he may edit, in the statement's context. */
static void
prepare_filter(LinkedStatement *statement, Relation view)
{
	JsonNode   *document = sigma_catalog_read(DOCUMENT_INPUT_TABLE, statement->table->id);
	FormulaSql	condition = {.type = TYPE_LOGICAL, .form = SQL_BOOL};

	condition.sql = sigma_row_condition(document, sigma_linked_row(document, false), "", true);
	if (condition.sql == NULL)
		return;					/* somebody's own policies: the entries have them */
	statement->may_edit = sigma_expression_prepare(sigma_formula_expression(view, &condition, CurrentMemoryContext));
	statement->evaluation = CreateStandaloneExprContext();
	statement->row = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(view)), &TTSOpsHeapTuple);
}

/* May the caller edit that row of the view?  Null is not true. */
static bool
may_edit(const LinkedStatement *statement, HeapTuple row)
{
	Datum		value;
	bool		isnull;

	if (statement->may_edit == NULL)
		return true;
	ExecStoreHeapTuple(row, statement->row, false);
	statement->evaluation->ecxt_scantuple = statement->row;
	value = ExecEvalExprSwitchContext(statement->may_edit, statement->evaluation, &isnull);
	ResetExprContext(statement->evaluation);
	ExecClearTuple(statement->row);
	return !isnull && DatumGetBool(value);
}

/* The statement's context goes away, and with it what was collected. */
static void
forget_statement(void *arg)
{
	dlist_delete(&((LinkedStatement *) arg)->node);
}

/* A collected row: c0 ... the columns of the entries as the view has them, then which of them it changes. */
static TupleDesc
make_desc(const LinkedStatement *statement, TupleDesc view)
{
	int			n = statement->table->ncolumn;
	TupleDesc	desc = CreateTemplateTupleDesc(n + 1);
	int			i;

	for (i = 0; i < n; i++)
	{
		Form_pg_attribute att = TupleDescAttr(view, statement->places[i] - 1);

		TupleDescInitEntry(desc, i + 1, psprintf("c%d", i), att->atttypid, att->atttypmod, 0);
		TupleDescInitEntryCollation(desc, i + 1, att->attcollation);
	}
	TupleDescInitEntry(desc, n + 1, "given", BYTEAOID, -1, 0);
	return desc;
}

/* SG423 where a column of the source gets another value. */
static void
refuse_linked(const LinkedStatement *statement, Relation view, const Datum *old, const bool *old_nulls,
			  const Datum *new, const bool *new_nulls)
{
	TupleDesc	desc = RelationGetDescr(view);
	int			i;

	for (i = 0; i < desc->natts; i++)
		if (!bms_is_member(i + 1, statement->ours) &&
			!same_value(TupleDescAttr(desc, i), old[i], old_nulls[i], new[i], new_nulls[i]))
			ereport(ERROR,
					(errcode(ERRCODE_SIGMA_LOCKED),
					 errmsg("column \"%s\" of input table \"%s\" is linked", NameStr(TupleDescAttr(desc, i)->attname),
							statement->table->name),
					 errdetail("It shows the value of the source."),
					 errhint("Change it in the source."),
					 errtablecol(view, i + 1)));
}

static bool
same_value(Form_pg_attribute att, Datum a, bool a_null, Datum b, bool b_null)
{
	return a_null || b_null ? a_null == b_null : datum_image_eq(a, b, att->attbyval, att->attlen);
}

/* Remember the row, unless it changes nothing and nothing was entered. */
static void
collect(LinkedStatement *statement, Relation view, const Datum *old, const bool *old_nulls,
		const Datum *new, const bool *new_nulls)
{
	TupleDesc	desc = RelationGetDescr(view);
	int			n = statement->table->ncolumn;
	bytea	   *given = palloc0(VARHDRSZ + n);
	Datum	   *values = palloc(sizeof(Datum) * (n + 1));
	bool	   *nulls = palloc0(sizeof(bool) * (n + 1));
	bool		changed = !old_nulls[SPI_fnumber(desc, "sigma_created_at") - 1];
	int			i;

	SET_VARSIZE(given, VARHDRSZ + n);
	for (i = 0; i < n; i++)
	{
		int			at = statement->places[i] - 1;

		values[i] = new[at];
		nulls[i] = new_nulls[at];
		if (i >= n - statement->table->nlinked ||
			same_value(TupleDescAttr(desc, at), old[at], old_nulls[at], new[at], new_nulls[at]))
			continue;
		VARDATA(given)[i] = 1;
		statement->written[i] = changed = true;
	}
	values[n] = PointerGetDatum(given);
	if (!changed)
		return;
	tuplestore_putvalues(statement->store, statement->desc, values, nulls);
	statement->count++;
}

/* The row as it will be, for RETURNING: stamps are not the writer's.  "fresh": nothing was entered before. */
static HeapTuple
stamp(Relation view, HeapTuple row, bool fresh)
{
	TupleDesc	desc = RelationGetDescr(view);
	int			columns[4];
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};

	columns[0] = SPI_fnumber(desc, "sigma_updated_at");
	columns[1] = SPI_fnumber(desc, "sigma_updated_by");
	columns[2] = SPI_fnumber(desc, "sigma_created_at");
	columns[3] = SPI_fnumber(desc, "sigma_created_by");
	values[0] = values[2] = TimestampTzGetDatum(GetCurrentStatementStartTimestamp());
	values[1] = values[3] = CStringGetTextDatum(sigma_app_user());
	return heap_modify_tuple_by_cols(row, desc, fresh ? 4 : 2, columns, values, nulls);
}

/* Write the collected rows: 55000 where the table takes one row at a time; all that writing entries raises. */
static void
write_rows(LinkedStatement *statement)
{
	const InputTable *compiled = statement->table;
	TableDefinition *table = sigma_definition_read(sigma_catalog_read(DOCUMENT_INPUT_TABLE, compiled->id));
	char	  **keys = keys_of_rows(statement, table);
	LogGroup	group;
	uint64		updated;

	if (!compiled->allow_bulk && statement->count > 1 && sigma_session.origin != ORIGIN_SYSTEM)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("input table \"%s\" takes no bulk operations", compiled->name),
				 errdetail("The statement touched " INT64_FORMAT " rows.", statement->count),
				 errhint("Write one row per statement, or set allow_bulk_operations.")));
	SPI_connect();
	sigma_spi_offer(ROWS_NAME, statement->store, statement->desc);
	sigma_log_group_begin(&group, compiled->audit ? compiled->log.relid : InvalidOid);
	PG_TRY();
	{
		updated = sigma_statement_run_as_owner(compiled->relid, update_sql(statement, table, keys), SPI_OK_UPDATE);
		if (updated < (uint64) statement->count)
		{
			CommandCounterIncrement();
			(void) sigma_statement_run_as_owner(compiled->relid, insert_sql(statement, table, keys), SPI_OK_INSERT);
		}
	}
	PG_FINALLY();
	{
		sigma_log_group_end(&group);
	}
	PG_END_TRY();
	SPI_unregister_relation(ROWS_NAME);
	SPI_finish();
}

/* Cells that rows changed, where there is an entry. */
static char *
update_sql(const LinkedStatement *statement, const TableDefinition *table, char **keys)
{
	StringInfoData sql;
	const char *separator = "";
	int			i;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s AS t SET ", sigma_ddl_name(table->relation));
	for (i = 0; i < table->ncolumn - table->nkey; i++)
	{
		const char *name = quote_identifier(table->columns[i].name);

		if (!statement->written[i])
			continue;
		appendStringInfo(&sql, "%s%s = CASE WHEN pg_catalog.get_byte(e.given, %d) OPERATOR(pg_catalog.=) 1 THEN e.c%d ELSE t.%s END",
						 separator, name, i, i, name);
		separator = ", ";
	}
	if (separator[0] == '\0')	/* a new stamp, which the trigger makes */
		appendStringInfoString(&sql, "sigma_updated_at = t.sigma_updated_at");
	appendStringInfo(&sql, " FROM " ROWS_NAME " AS e WHERE %s", sigma_linked_match(table, "t", keys));
	return sql.data;
}

/* An entry for each row that has none; of one that another session makes meanwhile the cells that changed are updated. */
static char *
insert_sql(const LinkedStatement *statement, const TableDefinition *table, char **keys)
{
	StringInfoData columns;
	StringInfoData values;
	StringInfoData set;
	int			first_key = table->ncolumn - table->nkey;
	int			i;

	initStringInfo(&columns);
	initStringInfo(&values);
	initStringInfo(&set);
	for (i = 0; i < table->ncolumn; i++)
	{
		const char *name = quote_identifier(table->columns[i].name);
		char	   *otherwise = i < first_key ? sigma_ddl_default(&table->columns[i]) : NULL;

		appendStringInfo(&columns, "%s%s", i > 0 ? ", " : "", name);
		appendStringInfoString(&values, i > 0 ? ", " : "");
		if (i >= first_key)
			appendStringInfoString(&values, keys[i - first_key]);
		else if (otherwise == NULL)
			appendStringInfo(&values, "e.c%d", i);
		else
			appendStringInfo(&values, "CASE WHEN pg_catalog.get_byte(e.given, %d) OPERATOR(pg_catalog.=) 1 THEN e.c%d ELSE %s END",
							 i, i, otherwise);
		if (i < first_key && statement->written[i])
			appendStringInfo(&set, "%s%s = (SELECT CASE WHEN pg_catalog.get_byte(e.given, %d) OPERATOR(pg_catalog.=) 1 THEN e.c%d ELSE i.%s END "
							 "FROM " ROWS_NAME " AS e WHERE %s)", set.len > 0 ? ", " : "", name, i, i, name,
							 sigma_linked_match(table, "excluded", keys));
	}
	return psprintf("INSERT INTO %s AS i (%s) SELECT %s FROM " ROWS_NAME " AS e "
					"WHERE NOT EXISTS (SELECT FROM %s AS t WHERE %s) ON CONFLICT (%s) DO UPDATE SET %s",
					sigma_ddl_name(table->relation), columns.data, values.data,
					sigma_ddl_name(table->relation), sigma_linked_match(table, "t", keys), sigma_linked_key_index(table),
					set.len > 0 ? set.data : "sigma_updated_at = excluded.sigma_updated_at");
}

/* The keys of collected rows "e" as values of the entries. */
static char **
keys_of_rows(const LinkedStatement *statement, const TableDefinition *table)
{
	char	  **values = palloc(sizeof(char *) * table->nkey);
	int			i;

	for (i = 0; i < table->nkey; i++)
	{
		const ColumnDefinition *column = sigma_linked_key_column(table, i);

		values[i] = sigma_linked_key_value(column->type, statement->relid, column->name,
										   psprintf("e.c%d", table->ncolumn - table->nkey + i));
	}
	return values;
}
