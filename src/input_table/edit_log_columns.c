/*
 * edit_log_columns.c
 *		What the log says of definitions: tables made, columns added, changed, dropped.
 *
 * Entries of a change are written before the data table is altered, while its values
 * are still there: those of a dropped column, and those that a column had as its old
 * type.  The caller holds the lock that the change needs.
 *
 * A checkpoint is the whole table as entries: where the log begins later than the
 * table, or goes on after a time in which nobody kept it.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/json_push.h"
#include "input_table/define.h"
#include "input_table/edit_log.h"

/* One column's values on their way into entries. */
typedef struct ValueLog
{
	LogWriter  *writer;
	const char *operation;
	const ColumnDefinition *column; /* before the change */
	const ColumnDefinition *after;	/* NULL: it goes */
	int			position;
	bool		first;			/* no entry was written yet */
	MemoryContext cxt;			/* the entry being made */
	JsonbParseState *state;
	int			rows;
	Size		bytes;
} ValueLog;

static void log_addition(LogWriter *writer, const ColumnDefinition *column, int position);
static void log_column(LogWriter *writer, const ColumnChange *column, int position, Oid relid);
static void log_values(ValueLog *values, Oid relid);
static void begin_values(ValueLog *values);
static void end_values(ValueLog *values);
static int	place_of(const TableDefinition *table, const ColumnDefinition *column);
static void push_document(JsonbParseState **state, const char *key, const JsonNode *node);

/* A table was made: one entry for it, one for each column. */
void
sigma_log_creation(const TableDefinition *table)
{
	EditLog    *log = sigma_log_of(table);
	JsonbParseState *state = NULL;
	LogWriter  *writer;
	int			i;

	if (!OidIsValid(log->relid))
		return;
	writer = sigma_log_begin(log);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_key(&state, "createDatasheet");
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "id", table->id);
	sigma_push_text(&state, "name", table->name);
	sigma_push_text(&state, "type", sigma_json_get_string(table->document, "type", NULL));
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	(void) sigma_log_put(writer, pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	for (i = 0; i < table->ncolumn; i++)
		log_addition(writer, &table->columns[i], i);
	(void) sigma_log_end(writer);
}

/* A definition is about to change: an entry for every column that does, all of one statement. */
void
sigma_log_change(const TableChange *change, Oid relid)
{
	EditLog    *log = sigma_log_of(change->after);
	LogWriter  *writer = NULL;
	int			i;

	for (i = 0; i < change->ncolumn; i++)
	{
		const ColumnChange *column = &change->columns[i];

		if (column->before != NULL && column->after != NULL &&
			sigma_definition_same(column->before->node, column->after->node))
			continue;
		if (writer == NULL)
			writer = sigma_log_begin(log);
		if (column->before == NULL)
			log_addition(writer, column->after, place_of(change->after, column->after));
		else
			log_column(writer, column, place_of(change->before, column->before), relid);
	}
	if (writer != NULL)
		(void) sigma_log_end(writer);
}

/* {"addColumn": {"column", "position"}}; rows that are there get its default. */
static void
log_addition(LogWriter *writer, const ColumnDefinition *column, int position)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_key(&state, "addColumn");
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_document(&state, "column", column->node);
	sigma_push_int(&state, "position", position);
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	(void) sigma_log_put(writer, pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* A column that goes or is another one now; values that do so with it. */
static void
log_column(LogWriter *writer, const ColumnChange *column, int position, Oid relid)
{
	ValueLog	values = {0};

	values.writer = writer;
	values.operation = column->after == NULL ? "deleteColumn" : "updateColumn";
	values.column = column->before;
	values.after = column->after;
	values.position = position;
	values.first = true;
	values.cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma edit log entry", ALLOCSET_DEFAULT_SIZES);
	if (column->after == NULL || sigma_column_retyped(column))
		log_values(&values, relid);
	if (values.first || values.rows > 0)
	{
		if (values.rows == 0)
			begin_values(&values);
		end_values(&values);
	}
	MemoryContextDelete(values.cxt);
}

/* All values of the column that are not null, [row_id, v] each. */
static void
log_values(ValueLog *values, Oid relid)
{
	Relation	rel = table_open(relid, NoLock);
	AttrNumber	id_at = get_attnum(relid, "sigma_row_id");
	AttrNumber	at = get_attnum(relid, values->column->name);
	ColumnType	type = values->column->type;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	MemoryContext caller = MemoryContextSwitchTo(values->cxt);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		bool		id_null;
		Datum		value = slot_getattr(slot, at, &isnull);
		Datum		id = slot_getattr(slot, id_at, &id_null);
		JsonbValue	cell;

		CHECK_FOR_INTERRUPTS();
		if (isnull || id_null)
			continue;
		if (values->rows == LOG_CHUNK_ROWS || (values->rows > 0 && values->bytes > LOG_CHUNK_BYTES))
			end_values(values);
		if (values->rows == 0)
			begin_values(values);
		/* a copy that outlives the slot's page, in the entry that it goes into */
		value = datumCopy(value, sigma_column_types[type].by_value, sigma_column_types[type].length);
		values->rows++;
		values->bytes += sigma_log_size(type, value, false);
		pushJsonbValue(&values->state, WJB_BEGIN_ARRAY, NULL);
		cell.type = jbvNumeric;
		cell.val.numeric = int64_to_numeric(DatumGetInt64(id));
		pushJsonbValue(&values->state, WJB_ELEM, &cell);
		sigma_log_encode(type, value, false, &cell);
		pushJsonbValue(&values->state, WJB_ELEM, &cell);
		pushJsonbValue(&values->state, WJB_END_ARRAY, NULL);
	}
	MemoryContextSwitchTo(caller);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	table_close(rel, NoLock);
}

/* Up to the open array of values.  The first entry says what happened, the next ones only go on. */
static void
begin_values(ValueLog *values)
{
	MemoryContext caller = MemoryContextSwitchTo(values->cxt);
	JsonbParseState **state = &values->state;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_key(state, values->operation);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	if (!values->first || values->after != NULL)
		sigma_push_text(state, "id", values->column->id);
	if (values->first && values->after == NULL)
	{
		push_document(state, "column", values->column->node);
		sigma_push_int(state, "position", values->position);
	}
	else if (values->first)
	{
		push_document(state, "old", values->column->node);
		push_document(state, "new", values->after->node);
	}
	if (values->after == NULL || values->after->type != values->column->type)
	{
		sigma_push_key(state, "values");
		pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	}
	MemoryContextSwitchTo(caller);
}

static void
end_values(ValueLog *values)
{
	MemoryContext caller = MemoryContextSwitchTo(values->cxt);

	if (values->after == NULL || values->after->type != values->column->type)
		pushJsonbValue(&values->state, WJB_END_ARRAY, NULL);
	pushJsonbValue(&values->state, WJB_END_OBJECT, NULL);
	(void) sigma_log_put(values->writer, pushJsonbValue(&values->state, WJB_END_OBJECT, NULL));
	MemoryContextSwitchTo(caller);
	MemoryContextReset(values->cxt);
	values->state = NULL;
	values->first = false;
	values->rows = 0;
	values->bytes = 0;
}

/* A column's place in the order of the definition. */
static int
place_of(const TableDefinition *table, const ColumnDefinition *column)
{
	return (int) (column - table->columns);
}

/* A member that is a document. */
static void
push_document(JsonbParseState **state, const char *key, const JsonNode *node)
{
	JsonbValue	value;

	sigma_jsonb_value(sigma_json_write(node), &value);
	sigma_push_value(state, key, &value);
}
