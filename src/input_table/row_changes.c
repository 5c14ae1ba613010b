/*
 * row_changes.c
 *		Which rows of input tables are written while somebody watches, and what became of them.
 *
 * Only row ids are noted: what a row was and is comes from the table, in the end, by two
 * snapshots as the caller.  So rows show what he may see of them, each row once however
 * often it was written, and nothing of what was rolled back meanwhile.
 *
 * The older snapshot is the newest one with the command id of the beginning: it sees what
 * other transactions have committed, as the writes did that waited for them, and of
 * this one what came before.
 *
 * Everything lives in the context of sigma_row_changes_begin.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "common/json_push.h"
#include "common/jsonb_value.h"
#include "common/session.h"
#include "formula/trust.h"
#include "input_table/row_changes.h"

#define READ_ROWS	1000		/* read at a time */
#define SHOWN_BYTES	(16 * 1024 * 1024)	/* of all rows that are shown, about */

/* The rows of one table that were written. */
typedef struct ChangedTable
{
	Oid			relid;
	const char *id;				/* of the input table */
	int64	   *rows;			/* their ids, as they come */
	int64		count;			/* in use */
	int64		capacity;		/* allocated */
	bool		deletes;		/* rows may have been deleted that no trigger saw */
} ChangedTable;

/* A rule that rejected rows, or warned of them. */
typedef struct FiredRule
{
	const char *table;
	const char *column;			/* NULL: the row */
	const char *rule;
	bool		warning;
	const char *message;		/* of the first row */
	int64		rows;
} FiredRule;

struct RowChanges
{
	MemoryContext cxt;
	CommandId	since;
	List	   *tables;			/* of ChangedTable, in the order in which they were written first */
	List	   *rules;			/* of FiredRule, likewise */
};

/* While changes are put together. */
typedef struct ChangeReader
{
	RowChanges *changes;
	MemoryContext cxt;			/* holds what is pushed */
	JsonbParseState **state;
	int			most;			/* rows to be shown */
	int			shown;
	int64		left_out;
	Size		bytes;			/* of those shown */
	const InputTable *table;
	int			ncolumn;		/* that the caller may read */
	int		   *columns;		/* places in table->columns */
} ChangeReader;

/* Rows of one table by one snapshot, by row id. */
typedef struct RowSet
{
	SPITupleTable *rows;
	uint64		count;
	uint64		next;
} RowSet;

static ChangedTable *find_table(RowChanges *changes, const InputTable *table);
static void add_row(RowChanges *changes, ChangedTable *table, int64 row_id);
static bool same_text(const char *a, const char *b);
static void push_table(ChangeReader *reader, ChangedTable *changed);
static bool choose_columns(ChangeReader *reader);
static char *read_sql(const ChangeReader *reader);
static const char *table_sql(const InputTable *table);
static void find_deletes(ChangeReader *reader, ChangedTable *changed);
static void push_chunk(ChangeReader *reader, SPIPlanPtr plan, const int64 *rows, int count);
static void read_rows(const ChangeReader *reader, SPIPlanPtr plan, Datum *ids, bool before, RowSet *set);
static HeapTuple take_row(RowSet *set, int64 row_id);
static int64 row_id_of(HeapTuple row, TupleDesc desc);
static bool same_row(const ChangeReader *reader, TupleDesc desc, HeapTuple old, HeapTuple new);
static Size row_size(const ChangeReader *reader, TupleDesc desc, HeapTuple row);
static void push_change(ChangeReader *reader, TupleDesc desc, int64 row_id, HeapTuple old, HeapTuple new);
static void push_values(const ChangeReader *reader, JsonbParseState **state, const char *key, TupleDesc desc,
						HeapTuple row, int from);
static void push_rules(const RowChanges *changes, JsonbParseState **state);
static int	compare_ids(const void *a, const void *b);

RowChanges *
sigma_row_changes_begin(void)
{
	RowChanges *changes = palloc0(sizeof(RowChanges));

	changes->cxt = CurrentMemoryContext;
	/* what was done before has a smaller command id, what comes next has not */
	CommandCounterIncrement();
	changes->since = GetCurrentCommandId(false);
	return changes;
}

/* A row is written. */
void
sigma_row_changes_note(const InputTable *table, int64 row_id)
{
	RowChanges *changes = sigma_session.changes;

	add_row(changes, find_table(changes, table), row_id);
}

/* A statement may delete rows of a table that keeps no log. */
void
sigma_row_changes_note_deletes(const InputTable *table)
{
	find_table(sigma_session.changes, table)->deletes = true;
}

/* A rule rejects a row, or warns of it. */
void
sigma_row_changes_note_failure(const InputTable *table, const Failure *failure)
{
	RowChanges *changes = sigma_session.changes;
	MemoryContext caller;
	FiredRule  *fired;
	ListCell   *lc;

	foreach(lc, changes->rules)
	{
		fired = lfirst(lc);
		if (fired->warning == failure->warning && strcmp(fired->table, table->id) == 0 &&
			same_text(fired->column, failure->column) && strcmp(fired->rule, failure->rule) == 0)
		{
			fired->rows++;
			return;
		}
	}
	caller = MemoryContextSwitchTo(changes->cxt);
	fired = palloc0(sizeof(FiredRule));
	fired->table = pstrdup(table->id);
	fired->column = failure->column == NULL ? NULL : pstrdup(failure->column);
	fired->rule = pstrdup(failure->rule);
	fired->warning = failure->warning;
	fired->message = pstrdup(failure->message);
	fired->rows = 1;
	changes->rules = lappend(changes->rules, fired);
	MemoryContextSwitchTo(caller);
}

/* The entry of a table, made where there is none. */
static ChangedTable *
find_table(RowChanges *changes, const InputTable *table)
{
	MemoryContext caller;
	ChangedTable *changed;
	ListCell   *lc;

	foreach(lc, changes->tables)
	{
		changed = lfirst(lc);
		if (changed->relid == table->relid)
			return changed;
	}
	caller = MemoryContextSwitchTo(changes->cxt);
	changed = palloc0(sizeof(ChangedTable));
	changed->relid = table->relid;
	changed->id = pstrdup(table->id);
	changes->tables = lappend(changes->tables, changed);
	MemoryContextSwitchTo(caller);
	return changed;
}

/* One more row; one that was written just before needs no second entry. */
static void
add_row(RowChanges *changes, ChangedTable *table, int64 row_id)
{
	if (table->count > 0 && table->rows[table->count - 1] == row_id)
		return;
	if (table->count == table->capacity)
	{
		table->capacity = table->capacity == 0 ? 64 : table->capacity * 2;
		table->rows = table->rows == NULL ?
			MemoryContextAlloc(changes->cxt, sizeof(int64) * table->capacity) :
			repalloc_huge(table->rows, sizeof(int64) * table->capacity);
	}
	table->rows[table->count++] = row_id;
}

/* The same text, or none both times? */
static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

List *
sigma_row_changes_tables(const RowChanges *changes)
{
	List	   *ids = NIL;
	ListCell   *lc;

	foreach(lc, changes->tables)
		ids = lappend(ids, unconstify(char *, ((ChangedTable *) lfirst(lc))->id));
	return ids;
}

void
sigma_row_changes_push(RowChanges *changes, JsonbParseState **state, int most, List **unread)
{
	ChangeReader reader = {0};
	ListCell   *lc;

	*unread = NIL;
	reader.changes = changes;
	reader.cxt = CurrentMemoryContext;
	reader.state = state;
	reader.most = most;
	sigma_push_key(state, "changes");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	CommandCounterIncrement();
	SPI_connect();
	MemoryContextSwitchTo(reader.cxt);
	foreach(lc, changes->tables)
	{
		ChangedTable *changed = lfirst(lc);

		reader.table = sigma_input_table(changed->relid);
		if (reader.table == NULL || !choose_columns(&reader))
			*unread = lappend(*unread, unconstify(char *, changed->id));
		else
			push_table(&reader, changed);
	}
	SPI_finish();
	MemoryContextSwitchTo(reader.cxt);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	sigma_push_int(state, "changes_left_out", reader.left_out);
	push_rules(changes, state);
}

/* The changes of one table. */
static void
push_table(ChangeReader *reader, ChangedTable *changed)
{
	Oid			types[] = {INT8ARRAYOID};
	SPIPlanPtr	plan = SPI_prepare(read_sql(reader), 1, types);
	int64		count = 0;
	int64		i;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	list_free(sigma_trust_check_plan(plan));
	if (changed->deletes)
		find_deletes(reader, changed);
	if (changed->count > 1)
		qsort(changed->rows, changed->count, sizeof(int64), compare_ids);
	for (i = 0; i < changed->count; i++)
		if (i == 0 || changed->rows[i] != changed->rows[i - 1])
			changed->rows[count++] = changed->rows[i];
	changed->count = count;
	for (i = 0; i < count; i += READ_ROWS)
		push_chunk(reader, plan, changed->rows + i, (int) Min(READ_ROWS, count - i));
	SPI_freeplan(plan);
}

/* The columns that the caller may read; false where that is not even the row id. */
static bool
choose_columns(ChangeReader *reader)
{
	const InputTable *table = reader->table;
	int			i;

	reader->ncolumn = 0;
	reader->columns = palloc(sizeof(int) * (table->ncolumn + 1));
	for (i = 0; i < table->ncolumn; i++)
		if (AttributeNumberIsValid(table->columns[i].attnum) && sigma_may_select(table, table->columns[i].attnum))
			reader->columns[reader->ncolumn++] = i;
	return sigma_may_select(table, table->row_id);
}

/* SELECT of row id and columns, for the ids in $1. */
static char *
read_sql(const ChangeReader *reader)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT t.sigma_row_id");
	for (i = 0; i < reader->ncolumn; i++)
		appendStringInfo(&sql, ", t.%s", quote_identifier(reader->table->columns[reader->columns[i]].name));
	appendStringInfo(&sql, " FROM ONLY %s AS t WHERE t.sigma_row_id OPERATOR(pg_catalog.=) ANY ($1) ORDER BY t.sigma_row_id",
					 table_sql(reader->table));
	return sql.data;
}

/* The data table's quoted name. */
static const char *
table_sql(const InputTable *table)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table->relid)), get_rel_name(table->relid));
}

/*
 * No trigger sees which rows of a table without a log go: it is looked through, once,
 * for row versions that somebody has ended.  What is only locked, or updated, is found
 * too, and does no harm.
 */
static void
find_deletes(ChangeReader *reader, ChangedTable *changed)
{
	/* a right on columns does not reach xmax: then all rows are looked at */
	bool		whole = pg_class_aclcheck(reader->table->relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
	SPIPlanPtr	plan = SPI_prepare(psprintf("SELECT t.sigma_row_id FROM ONLY %s AS t%s", table_sql(reader->table),
											whole ? " WHERE t.xmax OPERATOR(pg_catalog.<>) '0'::pg_catalog.xid" : ""),
								   0, NULL);
	RowSet		set;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	read_rows(reader, plan, NULL, true, &set);
	for (; set.next < set.count; set.next++)
		add_row(reader->changes, changed, row_id_of(set.rows->vals[set.next], set.rows->tupdesc));
	SPI_freetuptable(set.rows);
	SPI_freeplan(plan);
}

/* Read some rows before and after, and push what differs. */
static void
push_chunk(ChangeReader *reader, SPIPlanPtr plan, const int64 *rows, int count)
{
	Datum	   *items = palloc(sizeof(Datum) * count);
	Datum		ids;
	RowSet		old;
	RowSet		new;
	int			i;

	CHECK_FOR_INTERRUPTS();
	for (i = 0; i < count; i++)
		items[i] = Int64GetDatum(rows[i]);
	ids = PointerGetDatum(construct_array(items, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	read_rows(reader, plan, &ids, true, &old);
	read_rows(reader, plan, &ids, false, &new);
	for (i = 0; i < count; i++)
	{
		TupleDesc	desc = old.rows->tupdesc;
		HeapTuple	before = take_row(&old, rows[i]);
		HeapTuple	after = take_row(&new, rows[i]);
		Size		bytes;

		if ((before == NULL && after == NULL) || (before != NULL && after != NULL && same_row(reader, desc, before, after)))
			continue;
		bytes = row_size(reader, desc, before) + row_size(reader, desc, after);
		if (reader->shown >= reader->most || reader->bytes + bytes > SHOWN_BYTES)
		{
			reader->left_out++;
			continue;
		}
		push_change(reader, desc, rows[i], before, after);
		reader->shown++;
		reader->bytes += bytes;
	}
	SPI_freetuptable(old.rows);
	SPI_freetuptable(new.rows);
	pfree(items);
}

/* Rows as the caller sees them, before or now; "ids" is $1, or NULL. */
static void
read_rows(const ChangeReader *reader, SPIPlanPtr plan, Datum *ids, bool before, RowSet *set)
{
	int			code;

	/* a copy: in REPEATABLE READ this is the transaction's own snapshot */
	PushCopiedSnapshot(GetTransactionSnapshot());
	if (before)
		GetActiveSnapshot()->curcid = reader->changes->since;
	code = SPI_execute_plan(plan, ids, NULL, true, 0);
	PopActiveSnapshot();
	MemoryContextSwitchTo(reader->cxt);
	if (code != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(code));
	set->rows = SPI_tuptable;
	set->count = SPI_processed;
	set->next = 0;
}

/* The row of that id, or NULL; ids are asked for in order. */
static HeapTuple
take_row(RowSet *set, int64 row_id)
{
	while (set->next < set->count)
	{
		HeapTuple	row = set->rows->vals[set->next];
		int64		found = row_id_of(row, set->rows->tupdesc);

		if (found > row_id)
			return NULL;
		set->next++;
		if (found == row_id)
			return row;
	}
	return NULL;
}

/* The row id, which is the first column of what is read. */
static int64
row_id_of(HeapTuple row, TupleDesc desc)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
}

/* Have both versions the same values, byte by byte? */
static bool
same_row(const ChangeReader *reader, TupleDesc desc, HeapTuple old, HeapTuple new)
{
	int			i;

	for (i = 0; i < reader->ncolumn; i++)
	{
		const ColumnTypeInfo *type = &sigma_column_types[reader->table->columns[reader->columns[i]].type];
		bool		old_null;
		bool		new_null;
		Datum		a = SPI_getbinval(old, desc, i + 2, &old_null);
		Datum		b = SPI_getbinval(new, desc, i + 2, &new_null);

		if (old_null != new_null || (!old_null && !datum_image_eq(a, b, type->by_value, type->length)))
			return false;
	}
	return true;
}

/* About how many bytes a row takes; none is none. */
static Size
row_size(const ChangeReader *reader, TupleDesc desc, HeapTuple row)
{
	Size		bytes = 64;
	int			i;

	for (i = 0; row != NULL && i < reader->ncolumn; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(row, desc, i + 2, &isnull);

		bytes += sigma_log_size(reader->table->columns[reader->columns[i]].type, value, isnull);
	}
	return bytes;
}

/* {table, row_id, key?, operation, old, new} */
static void
push_change(ChangeReader *reader, TupleDesc desc, int64 row_id, HeapTuple old, HeapTuple new)
{
	JsonbParseState *state = NULL;
	JsonbValue	document;
	Jsonb	   *change;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "table", reader->table->id);
	sigma_push_int(&state, "row_id", row_id);
	if (reader->table->nlinked > 0)
		push_values(reader, &state, "key", desc, new != NULL ? new : old, reader->table->ncolumn - reader->table->nlinked);
	sigma_push_text(&state, "operation", old == NULL ? "insert" : new == NULL ? "delete" : "update");
	push_values(reader, &state, "old", desc, old, 0);
	push_values(reader, &state, "new", desc, new, 0);
	change = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	sigma_jsonb_to_value(change, &document);
	pushJsonbValue(reader->state, WJB_ELEM, &document);
}

/* A member that holds the row's values of the columns from "from" on; null where there is no row. */
static void
push_values(const ChangeReader *reader, JsonbParseState **state, const char *key, TupleDesc desc, HeapTuple row, int from)
{
	JsonbValue	value;
	int			i;

	value.type = jbvNull;
	if (row == NULL)
	{
		sigma_push_value(state, key, &value);
		return;
	}
	sigma_push_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < reader->ncolumn; i++)
	{
		const TableColumn *column = &reader->table->columns[reader->columns[i]];
		bool		isnull;
		Datum		datum = SPI_getbinval(row, desc, i + 2, &isnull);

		if (reader->columns[i] < from)
			continue;
		sigma_value_to_json(column->type, datum, isnull, &value);
		sigma_push_value(state, column->name, &value);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* "rules": those that rejected rows or warned of them, in the order in which they did so first. */
static void
push_rules(const RowChanges *changes, JsonbParseState **state)
{
	ListCell   *lc;

	sigma_push_key(state, "rules");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, changes->rules)
	{
		const FiredRule *fired = lfirst(lc);

		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		sigma_push_text(state, "table", fired->table);
		sigma_push_text(state, "column", fired->column);
		sigma_push_text(state, "rule", fired->rule);
		sigma_push_text(state, "severity", fired->warning ? "warn" : "error");
		sigma_push_int(state, "rows", fired->rows);
		sigma_push_text(state, "message", fired->message);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static int
compare_ids(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return left < right ? -1 : left > right ? 1 : 0;
}
