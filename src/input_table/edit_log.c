/*
 * edit_log.c
 *		The triggers that write the edit log: what one statement did to a data table.
 *
 * AFTER INSERT, UPDATE or DELETE, each statement, with transition tables, which are read
 * as they are, without SPI.  Their names sort before those of all other AFTER STATEMENT
 * triggers: what another trigger changes is then logged after what it was fired for.
 *
 * An entry takes up to 1,000 rows or 1 MB.  It says its stamp once: rows that somebody's
 * trigger stamped otherwise begin a new one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "common/jsonb_writer.h"
#include "common/names.h"
#include "common/session.h"
#include "common/transition.h"
#include "input_table/edit_log.h"
#include "input_table/row_changes.h"
#include "input_table/rules.h"

/* System columns of a row. */
typedef struct Stamps
{
	Datum		value[4];		/* by the constants below */
	bool		isnull[4];
} Stamps;

enum
{
	UPDATED_AT, UPDATED_BY, CREATED_AT, CREATED_BY
};

/* What one trigger call logs. */
typedef struct RowLog
{
	const InputTable *table;
	LogWriter  *writer;
	TupleDesc	desc;
	TransitionReader old;
	TransitionReader new;
	int			ncolumn;
	const TableColumn **columns;	/* those that entries have */
	bool	   *chosen;			/* are they among those, by place in the table's */
	int64		left;			/* rows not yet put into an entry */
	TimestampTz now;			/* the entries' timestamp */

	MemoryContext call_cxt;		/* as long as the trigger call */

	/* the entry being made */
	MemoryContext cxt;			/* reset after each */
	MemoryContext row_cxt;		/* reset after each row; NULL before the first entry of many rows */
	JsonbWriter document;
	int			rows;
	Size		bytes;
	Stamps		stamps;
} RowLog;

static void choose_columns(RowLog *log);
static void write_rows(RowLog *log);
static bool fits(RowLog *log, Size bytes, const Stamps *stamps);
static Size row_size(RowLog *log);
static void read_stamps(RowLog *log, Stamps *stamps);
static bool same_stamp(int which, const Stamps *a, const Stamps *b);
static void copy_stamps(Stamps *to, const Stamps *from);
static void begin_entry(RowLog *log, const Stamps *stamps);
static void end_entry(RowLog *log);
static void write_one(RowLog *log, const Stamps *stamps);
static void write_row(RowLog *log);
static void write_cells(RowLog *log, TupleTableSlot *slot);
static void write_object(RowLog *log, TupleTableSlot *slot);
static void write_id(RowLog *log, TupleTableSlot *slot);
static void write_blame(RowLog *log, const Stamps *stamps);
static void write_stamp(RowLog *log, const Stamps *stamps, int which);
static int64 row_id(const RowLog *log, TupleTableSlot *slot);

PG_FUNCTION_INFO_V1(log_rows);

/*
 * AFTER INSERT, UPDATE or DELETE of a data table, each statement.  Raises 55000 where the
 * log is missing, 54000 where one row is larger than an entry can be.
 */
Datum
log_rows(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Tuplestorestate *rows;
	MemoryContext cxt;
	MemoryContext caller;
	RowLog		log = {0};

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) || TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger that it is", "log_rows")));
	rows = trigger->tg_newtable != NULL ? trigger->tg_newtable : trigger->tg_oldtable;
	if (rows == NULL || (log.left = tuplestore_tuple_count(rows)) == 0 || sigma_is_restore(trigger->tg_relation))
		return PointerGetDatum(NULL);
	log.table = sigma_data_table_rules(RelationGetRelid(trigger->tg_relation));
	if (log.table == NULL || !sigma_is_whole(log.table))
		sigma_refuse_broken(RelationGetRelid(trigger->tg_relation));
	if (!OidIsValid(log.table->log.relid))
		sigma_log_refuse_missing(log.table->id);

	cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma edit log", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(cxt);
	log.desc = RelationGetDescr(trigger->tg_relation);
	log.now = GetCurrentStatementStartTimestamp();
	log.cxt = AllocSetContextCreate(cxt, "sigma edit log entry", ALLOCSET_DEFAULT_SIZES);
	log.call_cxt = cxt;
	log.writer = sigma_log_begin(&log.table->log);
	sigma_log_part_of_statement(log.writer, fcinfo->flinfo->fn_mcxt);
	sigma_transition_begin(&log.old, trigger->tg_oldtable, log.desc);
	sigma_transition_begin(&log.new, trigger->tg_newtable, log.desc);
	choose_columns(&log);
	write_rows(&log);
	sigma_transition_end(&log.old);
	sigma_transition_end(&log.new);
	(void) sigma_log_end(log.writer);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(cxt);
	return PointerGetDatum(NULL);
}

/*
 * The columns that entries have: all of inserted and deleted rows; of updated ones those
 * that changed in any row, byte by byte.
 */
static void
choose_columns(RowLog *log)
{
	const InputTable *table = log->table;
	bool		updating = log->old.store != NULL && log->new.store != NULL;
	int			i;

	log->columns = palloc(sizeof(TableColumn *) * (table->ncolumn + 1));
	log->chosen = palloc0(sizeof(bool) * (table->ncolumn + 1));
	while (updating && sigma_transition_next(&log->old) && sigma_transition_next(&log->new))
		for (i = 0; i < table->ncolumn; i++)
		{
			const ColumnTypeInfo *type = &sigma_column_types[table->columns[i].type];
			int			at = table->columns[i].attnum - 1;

			if (!log->chosen[i] && at >= 0)
				log->chosen[i] = sigma_transition_differs(&log->old, &log->new, at, type->by_value, type->length);
		}
	for (i = 0; i < table->ncolumn; i++)
	{
		log->chosen[i] = AttributeNumberIsValid(table->columns[i].attnum) && (!updating || log->chosen[i]);
		if (log->chosen[i])
			log->columns[log->ncolumn++] = &table->columns[i];
	}
	sigma_transition_rewind(&log->old);
	sigma_transition_rewind(&log->new);
}

/* All rows into entries. */
static void
write_rows(RowLog *log)
{
	MemoryContext caller = MemoryContextSwitchTo(log->cxt);

	while (log->left > 0)
	{
		Stamps		stamps;
		Size		bytes;

		CHECK_FOR_INTERRUPTS();
		if ((log->old.store != NULL && !sigma_transition_next(&log->old)) || (log->new.store != NULL && !sigma_transition_next(&log->new)))
			elog(ERROR, "a transition table has fewer rows than it counted");
		if (log->old.store != NULL && log->new.store != NULL && row_id(log, log->old.slot) != row_id(log, log->new.slot))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the row id of a row of input table \"%s\" was changed", log->table->name),
					 errhint("Look for a trigger on its data table that is not sigma's.")));
		/* of rows that go nobody else hears */
		if (log->new.store == NULL && sigma_session.changes != NULL)
			sigma_row_changes_note(log->table, row_id(log, log->old.slot));
		bytes = row_size(log);
		read_stamps(log, &stamps);
		if (log->rows > 0 && !fits(log, bytes, &stamps))
			end_entry(log);
		if (log->rows == 0 && log->left == 1)
		{
			write_one(log, &stamps);
			break;
		}
		if (log->rows == 0)
			begin_entry(log, &stamps);
		write_row(log);
		log->rows++;
		log->left--;
		log->bytes += bytes;
	}
	if (log->rows > 0)
		end_entry(log);
	MemoryContextSwitchTo(caller);
}

/* Has the entry that is being made room for a row of that size and stamp? */
static bool
fits(RowLog *log, Size bytes, const Stamps *stamps)
{
	/* rows that go have no stamp; those that are updated keep two */
	int			count = log->new.store == NULL ? 0 : log->old.store != NULL ? 2 : 4;
	int			i;

	if (log->rows == LOG_CHUNK_ROWS || log->bytes + bytes > LOG_CHUNK_BYTES)
		return false;
	for (i = 0; i < count; i++)
		if (!same_stamp(i, stamps, &log->stamps))
			return false;
	return true;
}

/* About how many bytes the row takes in an entry. */
static Size
row_size(RowLog *log)
{
	Size		bytes = 24;
	int			i;

	for (i = 0; i < log->ncolumn; i++)
	{
		const TableColumn *column = log->columns[i];
		int			at = column->attnum - 1;

		if (log->old.store != NULL)
			bytes += sigma_log_size(column->type, log->old.slot->tts_values[at], log->old.slot->tts_isnull[at]);
		if (log->new.store != NULL)
			bytes += sigma_log_size(column->type, log->new.slot->tts_values[at], log->new.slot->tts_isnull[at]);
	}
	return bytes;
}

/* The stamps of the row that is written; they point into the slot. */
static void
read_stamps(RowLog *log, Stamps *stamps)
{
	AttrNumber	attributes[4];
	int			i;

	if (log->new.store == NULL)
		return;
	attributes[CREATED_AT] = log->table->created_at;
	attributes[UPDATED_AT] = log->table->updated_at;
	attributes[CREATED_BY] = log->table->created_by;
	attributes[UPDATED_BY] = log->table->updated_by;
	for (i = 0; i < 4; i++)
	{
		stamps->value[i] = log->new.slot->tts_values[attributes[i] - 1];
		stamps->isnull[i] = log->new.slot->tts_isnull[attributes[i] - 1];
	}
}

/* Is that stamp the same in both? */
static bool
same_stamp(int which, const Stamps *a, const Stamps *b)
{
	if (a->isnull[which] || b->isnull[which])
		return a->isnull[which] == b->isnull[which];
	if (which == CREATED_AT || which == UPDATED_AT)
		return DatumGetTimestampTz(a->value[which]) == DatumGetTimestampTz(b->value[which]);
	return datum_image_eq(a->value[which], b->value[which], false, -1);
}

/* A copy in the current context. */
static void
copy_stamps(Stamps *to, const Stamps *from)
{
	*to = *from;
	if (!from->isnull[CREATED_BY])
		to->value[CREATED_BY] = datumCopy(from->value[CREATED_BY], false, -1);
	if (!from->isnull[UPDATED_BY])
		to->value[UPDATED_BY] = datumCopy(from->value[UPDATED_BY], false, -1);
}

/* {"addRows": {"rows": [, and what comes behind the rows in the order of keys. */
static void
begin_entry(RowLog *log, const Stamps *stamps)
{
	static const char *const keys[] = {"rows", "columns", "blameInfo"};
	JsonbWriter *document = &log->document;
	const char *operation = log->old.store == NULL ? "addRows" : log->new.store == NULL ? "deleteRows" : "updateRows";
	int			count = log->new.store != NULL ? 3 : 2;
	MemoryContext caller;
	int			i;

	if (log->new.store != NULL)
		copy_stamps(&log->stamps, stamps);
	caller = MemoryContextSwitchTo(log->call_cxt);
	if (log->row_cxt == NULL)
		log->row_cxt = AllocSetContextCreate(log->call_cxt, "sigma edit log row", ALLOCSET_DEFAULT_SIZES);
	sigma_jsonb_writer_begin(document);
	MemoryContextSwitchTo(caller);
	sigma_jsonb_writer_object(document, 1);
	sigma_jsonb_writer_key(document, operation);
	sigma_jsonb_writer_object(document, count);
	for (i = 0; i < count; i++)
		sigma_jsonb_writer_key(document, keys[i]);
	sigma_jsonb_writer_array(document, Min(log->left, LOG_CHUNK_ROWS));
}

/* Write the entry, and forget all about it. */
static void
end_entry(RowLog *log)
{
	JsonbWriter *document = &log->document;
	int			i;

	sigma_jsonb_writer_end(document);
	sigma_jsonb_writer_array(document, log->ncolumn);
	for (i = 0; i < log->ncolumn; i++)
		sigma_jsonb_writer_key(document, log->columns[i]->name);
	sigma_jsonb_writer_end(document);
	if (log->new.store != NULL)
		write_blame(log, &log->stamps);
	sigma_jsonb_writer_end(document);
	sigma_jsonb_writer_end(document);
	(void) sigma_log_put_document(log->writer, sigma_jsonb_writer_finish(document));
	log->rows = 0;
	log->bytes = 0;
	MemoryContextReset(log->cxt);
}

/* The entry of a single row: its cells by name.  Keys stand in the order that jsonb_writer.h asks for. */
static void
write_one(RowLog *log, const Stamps *stamps)
{
	static const char *const added[] = {"rowId", "values", "blameInfo"};
	static const char *const updated[] = {"new", "old", "rowId", "blameInfo"};
	bool		updating = log->old.store != NULL;
	int			count = updating ? lengthof(updated) : lengthof(added);
	JsonbWriter *document = &log->document;
	MemoryContext caller;
	int			i;

	if (log->new.store == NULL)
	{
		begin_entry(log, stamps);
		write_row(log);
		end_entry(log);
		log->left = 0;
		return;
	}
	caller = MemoryContextSwitchTo(log->call_cxt);
	sigma_jsonb_writer_begin(document);
	MemoryContextSwitchTo(caller);
	sigma_jsonb_writer_object(document, 1);
	sigma_jsonb_writer_key(document, updating ? "updateRow" : "addRow");
	sigma_jsonb_writer_object(document, count);
	for (i = 0; i < count; i++)
		sigma_jsonb_writer_key(document, updating ? updated[i] : added[i]);
	if (updating)
	{
		write_object(log, log->new.slot);
		write_object(log, log->old.slot);
	}
	write_id(log, log->new.slot);
	if (!updating)
		write_object(log, log->new.slot);
	write_blame(log, stamps);
	sigma_jsonb_writer_end(document);
	sigma_jsonb_writer_end(document);
	(void) sigma_log_put_document(log->writer, sigma_jsonb_writer_finish(document));
	log->left = 0;
}

/* [row_id, v ...], of updates [row_id, [old ...], [new ...]] */
static void
write_row(RowLog *log)
{
	JsonbWriter *document = &log->document;
	bool		updating = log->old.store != NULL && log->new.store != NULL;
	MemoryContext caller = MemoryContextSwitchTo(log->row_cxt);

	sigma_jsonb_writer_array(document, updating ? 3 : 1 + log->ncolumn);
	write_id(log, log->new.store != NULL ? log->new.slot : log->old.slot);
	if (updating)
	{
		sigma_jsonb_writer_array(document, log->ncolumn);
		write_cells(log, log->old.slot);
		sigma_jsonb_writer_end(document);
		sigma_jsonb_writer_array(document, log->ncolumn);
		write_cells(log, log->new.slot);
		sigma_jsonb_writer_end(document);
	}
	else
		write_cells(log, log->new.store != NULL ? log->new.slot : log->old.slot);
	sigma_jsonb_writer_end(document);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(log->row_cxt);
}

/* The cells as elements of the open array. */
static void
write_cells(RowLog *log, TupleTableSlot *slot)
{
	JsonbValue	cell;
	int			i;

	for (i = 0; i < log->ncolumn; i++)
	{
		int			at = log->columns[i]->attnum - 1;

		sigma_log_encode(log->columns[i]->type, slot->tts_values[at], slot->tts_isnull[at], &cell);
		sigma_jsonb_writer_value(&log->document, &cell);
	}
}

/* The chosen cells as an object. */
static void
write_object(RowLog *log, TupleTableSlot *slot)
{
	const InputTable *table = log->table;
	JsonbValue	cell;
	int			i;

	sigma_jsonb_writer_object(&log->document, log->ncolumn);
	for (i = 0; i < table->ncolumn; i++)
		if (log->chosen[table->key_order[i]])
			sigma_jsonb_writer_key(&log->document, table->columns[table->key_order[i]].name);
	for (i = 0; i < table->ncolumn; i++)
	{
		const TableColumn *column = &table->columns[table->key_order[i]];
		int			at = column->attnum - 1;

		if (!log->chosen[table->key_order[i]])
			continue;
		sigma_log_encode(column->type, slot->tts_values[at], slot->tts_isnull[at], &cell);
		sigma_jsonb_writer_value(&log->document, &cell);
	}
	sigma_jsonb_writer_end(&log->document);
}

static void
write_id(RowLog *log, TupleTableSlot *slot)
{
	JsonbValue	id;

	id.type = jbvNumeric;
	id.val.numeric = int64_to_numeric(row_id(log, slot));
	sigma_jsonb_writer_value(&log->document, &id);
}

/* {"updatedBy": ...}, and stamps that do not follow from the entry's. */
static void
write_blame(RowLog *log, const Stamps *stamps)
{
	static const struct
	{
		const char *key;
		int			which;
	}			members[] = {{"createdAt", CREATED_AT}, {"createdBy", CREATED_BY}, {"updatedAt", UPDATED_AT}, {"updatedBy", UPDATED_BY}};
	bool		inserting = log->old.store == NULL;
	bool		needed[4] = {false};
	int			count = 1;
	int			i;

	needed[UPDATED_BY] = true;
	needed[UPDATED_AT] = stamps->isnull[UPDATED_AT] || DatumGetTimestampTz(stamps->value[UPDATED_AT]) != log->now;
	needed[CREATED_AT] = inserting &&
		(stamps->isnull[CREATED_AT] || DatumGetTimestampTz(stamps->value[CREATED_AT]) != log->now);
	needed[CREATED_BY] = inserting &&
		(stamps->isnull[CREATED_BY] || stamps->isnull[UPDATED_BY] ?
		 stamps->isnull[CREATED_BY] != stamps->isnull[UPDATED_BY] :
		 !datum_image_eq(stamps->value[CREATED_BY], stamps->value[UPDATED_BY], false, -1));
	count += needed[UPDATED_AT] + needed[CREATED_AT] + needed[CREATED_BY];
	sigma_jsonb_writer_object(&log->document, count);
	for (i = 0; i < lengthof(members); i++)
		if (needed[members[i].which])
			sigma_jsonb_writer_key(&log->document, members[i].key);
	for (i = 0; i < lengthof(members); i++)
		if (needed[members[i].which])
			write_stamp(log, stamps, members[i].which);
	sigma_jsonb_writer_end(&log->document);
}

/* A stamp as text, times in ISO form and UTC. */
static void
write_stamp(RowLog *log, const Stamps *stamps, int which)
{
	JsonbValue	value = {.type = jbvNull};

	if (!stamps->isnull[which] && (which == CREATED_BY || which == UPDATED_BY))
		sigma_log_encode(COLUMN_TEXT, stamps->value[which], false, &value);
	else if (!stamps->isnull[which])
	{
		value.type = jbvString;
		value.val.string.val = sigma_log_moment(DatumGetTimestampTz(stamps->value[which]));
		value.val.string.len = strlen(value.val.string.val);
	}
	sigma_jsonb_writer_value(&log->document, &value);
}

static int64
row_id(const RowLog *log, TupleTableSlot *slot)
{
	return DatumGetInt64(slot->tts_values[log->table->row_id - 1]);
}
