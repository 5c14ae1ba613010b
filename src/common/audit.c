/*
 * audit.c
 *		sigma.sigma_audit: who changed which definition, and who gave which rights.
 *
 * AFTER STATEMENT triggers of the tables of definitions write one row for each
 * definition that a statement made, changed or deleted; what is no definition
 * (stamps, statistics, stored values, what the layout computes) leaves none.  Rows
 * go past SQL, many at once, as COPY puts them there: nobody needs a right to be
 * recorded, and nobody has one to change a record.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "common/audit.h"
#include "common/catalog.h"
#include "common/jsonb_value.h"
#include "common/jsonb_writer.h"
#include "common/session.h"
#include "common/transition.h"
#include "compat.h"

#define BATCH_ROWS	200			/* put into the table together, */
#define BATCH_BYTES	65536		/* or about that much */

/* Columns of sigma.sigma_audit. */
enum
{
	COLUMN_AT = 1,
	COLUMN_BY,
	COLUMN_ROLE,
	COLUMN_OBJECT,
	COLUMN_OPERATION,
	COLUMN_OLD,
	COLUMN_NEW,
	COLUMN_XACT,
	COLUMNS = COLUMN_XACT
};

/* What one statement writes into sigma.sigma_audit. */
typedef struct AuditLog
{
	MemoryContext cxt;			/* of the rows that wait; reset when they are written */
	Relation	rel;			/* NULL: there is no row yet, and nothing is open */
	EState	   *estate;
	ResultRelInfo *result;
	NameData	role;
	Datum		stamp[COLUMNS]; /* what all rows have in common */
	TupleTableSlot *slots[BATCH_ROWS];	/* NULL: not used yet */
	int			waiting;
	Size		bytes;
} AuditLog;

/* A column of a table of definitions. */
typedef struct DefinedColumn
{
	const char *name;
	int			attribute;		/* from 0 */
	Oid			type;			/* of its domain the base */
	bool		by_value;
	int16		length;
} DefinedColumn;

/* How the rows of a statement become documents. */
typedef struct Describer
{
	TransitionReader old;
	TransitionReader new;
	int			count;
	DefinedColumn *columns;		/* in the order of jsonb's keys */
	bool	   *chosen;			/* those that the current document has */
	JsonbWriter writer;
} Describer;

/* What rows of a catalog table are called, as in sigma.dependencies(). */
typedef struct AuditedTable
{
	const char *table;
	const char *prefix;
} AuditedTable;

static const AuditedTable audited[] = {
	{"sigma_input_tables", "input_table"},
	{"sigma_layout_elements", "element"},
	{"sigma_actions", "action"},
	{"sigma_action_sequences", "sequence"},
	{"sigma_variables", "variable"},
	{"sigma_tests", "test"},
};

/* Columns that are no part of a definition. */
static const char *const undefining[] = {
	"created_at", "updated_at", "nesting_level", "children", "execution_count", "last_executed", "value", NULL
};

PG_FUNCTION_INFO_V1(audit_definition);
PG_FUNCTION_INFO_V1(refuse_audit_write);

static const char *prefix_of(TriggerData *trigger);
static void record_rows(AuditLog *log, const char *prefix, const char *operation, Describer *describer);
static void begin_log(AuditLog *log);
static void open_log(AuditLog *log);
static void check_shape(Relation rel);
static void add_record(AuditLog *log, text *object, const char *operation, Jsonb *old, Jsonb *new);
static TupleTableSlot *new_slot(AuditLog *log);
static void flush_log(AuditLog *log);
static void end_log(AuditLog *log);
static void begin_describer(Describer *describer, TriggerData *trigger);
static int	compare_columns(const void *a, const void *b);
static bool defines(const char *column);
static Jsonb *describe(Describer *describer, const TransitionReader *row, const TransitionReader *other);
static void write_value(JsonbWriter *writer, const DefinedColumn *column, Datum value, bool isnull);
static text *object_name(const char *prefix, Datum id);
static Oid	recorded_role(void);

/* AFTER INSERT, UPDATE or DELETE STATEMENT of the tables of definitions: record what was defined. */
Datum
audit_definition(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const char *prefix = CALLED_AS_TRIGGER(fcinfo) ? prefix_of(trigger) : NULL;
	const char *operation;
	Describer	describer = {0};
	AuditLog	log;

	if (prefix == NULL || TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		(trigger->tg_oldtable == NULL && trigger->tg_newtable == NULL) ||
		(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && (trigger->tg_oldtable == NULL || trigger->tg_newtable == NULL)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"audit_definition\" must be called by an AFTER STATEMENT trigger of a catalog table, with transition tables")));
	if (sigma_catalog_restoring())
		return PointerGetDatum(NULL);
	operation = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? "create" :
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? "delete" : "update";
	begin_describer(&describer, trigger);
	begin_log(&log);
	record_rows(&log, prefix, operation, &describer);
	end_log(&log);
	sigma_transition_end(&describer.old);
	sigma_transition_end(&describer.new);
	return PointerGetDatum(NULL);
}

/* BEFORE INSERT, UPDATE, DELETE, TRUNCATE of sigma_audit: 42501 to everybody; a restore's INSERT passes. */
Datum
refuse_audit_write(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "refuse_audit_write", "sigma_audit", TRIGGER_EVENT_BEFORE, CATALOG_ANY);

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event) && sigma_catalog_restoring())
		return PointerGetDatum(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("table \"%s\" is written by sigma alone", RelationGetRelationName(trigger->tg_relation)),
			 errhint("It is append-only: what is recorded stays.")));
}

void
sigma_audit_write(const char *object, const char *operation, Jsonb *old, Jsonb *new)
{
	AuditLog	log;

	if (sigma_catalog_restoring())
		return;
	begin_log(&log);
	add_record(&log, cstring_to_text(object), operation, old, new);
	end_log(&log);
}

/* What rows of the trigger's table are called, or NULL for a table that is not of the catalog. */
static const char *
prefix_of(TriggerData *trigger)
{
	int			i;

	for (i = 0; i < lengthof(audited); i++)
		if (RelationGetRelid(trigger->tg_relation) == sigma_relation_oid(audited[i].table))
			return audited[i].prefix;
	return NULL;
}

/* One record for each row that was written; none for those of whose definition nothing changed. */
static void
record_rows(AuditLog *log, const char *prefix, const char *operation, Describer *describer)
{
	TransitionReader *old = &describer->old;
	TransitionReader *new = &describer->new;
	bool		updated = old->store != NULL && new->store != NULL;
	MemoryContext caller = MemoryContextSwitchTo(log->cxt);

	while ((old->store == NULL || sigma_transition_next(old)) && (new->store == NULL || sigma_transition_next(new)))
	{
		const TransitionReader *row = old->store != NULL ? old : new;
		Jsonb	   *before = old->store == NULL ? NULL : describe(describer, old, updated ? new : NULL);
		Jsonb	   *after = new->store == NULL ? NULL : describe(describer, new, updated ? old : NULL);

		CHECK_FOR_INTERRUPTS();
		if (!updated || after != NULL)
			add_record(log, object_name(prefix, row->slot->tts_values[0]), operation, before, after);
	}
	MemoryContextSwitchTo(caller);
}

/* Begin to record, in the current context; the table is opened for the first record. */
static void
begin_log(AuditLog *log)
{
	memset(log, 0, sizeof(AuditLog));
	log->cxt = AllocSetContextCreate(CurrentMemoryContext, "audit records", ALLOCSET_DEFAULT_SIZES);
}

/* Open the table, and note what all records have in common: as long as the log.  55000 where it is not as it was made. */
static void
open_log(AuditLog *log)
{
	MemoryContext caller = MemoryContextSwitchTo(MemoryContextGetParent(log->cxt));

	log->rel = table_open(sigma_relation_oid("sigma_audit"), RowExclusiveLock);
	check_shape(log->rel);
	log->estate = CreateExecutorState();
	log->result = makeNode(ResultRelInfo);
	InitResultRelInfo(log->result, log->rel, 1, NULL, 0);
	ExecOpenIndices(log->result, false);
	namestrcpy(&log->role, GetUserNameFromId(recorded_role(), false));
	log->stamp[COLUMN_AT - 1] = TimestampTzGetDatum(GetCurrentStatementStartTimestamp());
	log->stamp[COLUMN_BY - 1] = CStringGetTextDatum(sigma_app_user());
	log->stamp[COLUMN_ROLE - 1] = NameGetDatum(&log->role);
	log->stamp[COLUMN_XACT - 1] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	MemoryContextSwitchTo(caller);
}

/* Records go past SQL: 55000 unless the columns are those that they are made of, and take nulls where there are any. */
static void
check_shape(Relation rel)
{
	static const Oid types[COLUMNS] = {TIMESTAMPTZOID, TEXTOID, NAMEOID, TEXTOID, TEXTOID, JSONBOID, JSONBOID, XID8OID};
	TupleDesc	desc = RelationGetDescr(rel);
	bool		fits = desc->natts == COLUMNS;
	int			i;

	for (i = 0; fits && i < COLUMNS; i++)
		fits = TupleDescAttr(desc, i)->atttypid == types[i];
	if (!fits || TupleDescAttr(desc, COLUMN_OLD - 1)->attnotnull || TupleDescAttr(desc, COLUMN_NEW - 1)->attnotnull)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not as it was made", RelationGetRelationName(rel)),
				 errdetail("Its columns are not those that it was made with."),
				 errhint("What is to be kept beside records goes into a table of its own."),
				 errtable(rel)));
}

/* Add a record; what it is given lives until the log is flushed, as what is in log->cxt does. */
static void
add_record(AuditLog *log, text *object, const char *operation, Jsonb *old, Jsonb *new)
{
	TupleTableSlot *slot;

	if (log->rel == NULL)
		open_log(log);
	if (log->slots[log->waiting] == NULL)
		log->slots[log->waiting] = new_slot(log);
	slot = log->slots[log->waiting++];
	memcpy(slot->tts_values, log->stamp, sizeof(log->stamp));
	memset(slot->tts_isnull, false, sizeof(bool) * COLUMNS);
	slot->tts_values[COLUMN_OBJECT - 1] = PointerGetDatum(object);
	slot->tts_values[COLUMN_OPERATION - 1] = CStringGetTextDatum(operation);
	slot->tts_values[COLUMN_OLD - 1] = PointerGetDatum(old);
	slot->tts_isnull[COLUMN_OLD - 1] = old == NULL;
	slot->tts_values[COLUMN_NEW - 1] = PointerGetDatum(new);
	slot->tts_isnull[COLUMN_NEW - 1] = new == NULL;
	ExecStoreVirtualTuple(slot);
	log->bytes += (old == NULL ? 0 : VARSIZE(old)) + (new == NULL ? 0 : VARSIZE(new));
	if (log->waiting == BATCH_ROWS || log->bytes >= BATCH_BYTES)
		flush_log(log);
}

/* A slot that lives as long as the log. */
static TupleTableSlot *
new_slot(AuditLog *log)
{
	MemoryContext caller = MemoryContextSwitchTo(log->estate->es_query_cxt);
	TupleTableSlot *slot = table_slot_create(log->rel, &log->estate->es_tupleTable);

	MemoryContextSwitchTo(caller);
	return slot;
}

/* Write the rows that wait. */
static void
flush_log(AuditLog *log)
{
	MemoryContext caller = MemoryContextSwitchTo(log->cxt);
	int			i;

	table_multi_insert(log->rel, log->slots, log->waiting, GetCurrentCommandId(true), 0, NULL);
	for (i = 0; i < log->waiting; i++)
	{
		(void) sigma_insert_index_tuples(log->result, log->slots[i], log->estate);
		ResetPerTupleExprContext(log->estate);
		ExecClearTuple(log->slots[i]);
	}
	log->waiting = 0;
	log->bytes = 0;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(log->cxt);
}

/* Write what is left, and close; the table stays locked. */
static void
end_log(AuditLog *log)
{
	if (log->waiting > 0)
		flush_log(log);
	if (log->rel != NULL)
	{
		ExecResetTupleTable(log->estate->es_tupleTable, false);
		ExecCloseIndices(log->result);
		FreeExecutorState(log->estate);
		table_close(log->rel, NoLock);
	}
	MemoryContextDelete(log->cxt);
}

/* Begin to read what a statement wrote.  Allocates in the current context. */
static void
begin_describer(Describer *describer, TriggerData *trigger)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			i;

	sigma_transition_begin(&describer->old, trigger->tg_oldtable, desc);
	sigma_transition_begin(&describer->new, trigger->tg_newtable, desc);
	describer->columns = palloc(sizeof(DefinedColumn) * desc->natts);
	describer->chosen = palloc(sizeof(bool) * desc->natts);
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		DefinedColumn *column = &describer->columns[describer->count];

		if (att->attisdropped || !defines(NameStr(att->attname)))
			continue;
		column->name = NameStr(att->attname);
		column->attribute = i;
		column->type = getBaseType(att->atttypid);
		column->by_value = att->attbyval;
		column->length = att->attlen;
		describer->count++;
	}
	qsort(describer->columns, describer->count, sizeof(DefinedColumn), compare_columns);
	sigma_jsonb_writer_begin(&describer->writer);	/* its buffer is made here */
}

/* The order of jsonb's keys: the shorter one first, then by their bytes. */
static int
compare_columns(const void *a, const void *b)
{
	const char *x = ((const DefinedColumn *) a)->name;
	const char *y = ((const DefinedColumn *) b)->name;

	if (strlen(x) != strlen(y))
		return strlen(x) < strlen(y) ? -1 : 1;
	return strcmp(x, y);
}

/* Is a column part of the definition?  A place that the layout itself gives is none. */
static bool
defines(const char *column)
{
	int			i;

	if (sigma_session.origin == ORIGIN_SYSTEM && strcmp(column, "position") == 0)
		return false;
	for (i = 0; undefining[i] != NULL; i++)
		if (strcmp(undefining[i], column) == 0)
			return false;
	return true;
}

/*
 * The definition in a row; beside another version of it just the columns that differ,
 * NULL where none do.  Allocated in the current context.
 */
static Jsonb *
describe(Describer *describer, const TransitionReader *row, const TransitionReader *other)
{
	JsonbWriter *writer = &describer->writer;
	int			count = 0;
	Jsonb	   *written;
	Jsonb	   *document;
	int			i;

	for (i = 0; i < describer->count; i++)
	{
		const DefinedColumn *column = &describer->columns[i];

		describer->chosen[i] = other == NULL ? !row->slot->tts_isnull[column->attribute] :
			sigma_transition_differs(row, other, column->attribute, column->by_value, column->length);
		count += describer->chosen[i];
	}
	if (count == 0)
		return NULL;
	sigma_jsonb_writer_begin(writer);
	sigma_jsonb_writer_object(writer, count);
	for (i = 0; i < describer->count; i++)
		if (describer->chosen[i])
			sigma_jsonb_writer_string(writer, describer->columns[i].name, strlen(describer->columns[i].name));
	for (i = 0; i < describer->count; i++)
		if (describer->chosen[i])
			write_value(writer, &describer->columns[i], row->slot->tts_values[describer->columns[i].attribute],
						row->slot->tts_isnull[describer->columns[i].attribute]);
	sigma_jsonb_writer_end(writer);
	written = sigma_jsonb_writer_finish(writer);
	document = palloc(VARSIZE(written));
	memcpy(document, written, VARSIZE(written));
	return document;
}

/* A column's value: documents as they are, else by its type's kind. */
static void
write_value(JsonbWriter *writer, const DefinedColumn *column, Datum value, bool isnull)
{
	JsonbValue	json;
	text	   *string;

	json.type = isnull ? jbvNull : jbvString;
	switch (isnull ? InvalidOid : column->type)
	{
		case InvalidOid:
			break;
		case JSONBOID:
			sigma_jsonb_to_value(DatumGetJsonbP(value), &json);
			break;
		case BOOLOID:
			json.type = jbvBool;
			json.val.boolean = DatumGetBool(value);
			break;
		case INT4OID:
			json.type = jbvNumeric;
			json.val.numeric = int64_to_numeric(DatumGetInt32(value));
			break;
		case INT8OID:
			json.type = jbvNumeric;
			json.val.numeric = int64_to_numeric(DatumGetInt64(value));
			break;
		default:
			string = DatumGetTextPP(value);
			json.val.string.val = VARDATA_ANY(string);
			json.val.string.len = VARSIZE_ANY_EXHDR(string);
			break;
	}
	sigma_jsonb_writer_value(writer, &json);
}

/* "element:page_1" */
static text *
object_name(const char *prefix, Datum id)
{
	text	   *name = DatumGetTextPP(id);
	int			length = strlen(prefix) + 1 + VARSIZE_ANY_EXHDR(name);
	text	   *object = palloc(VARHDRSZ + length);

	SET_VARSIZE(object, VARHDRSZ + length);
	memcpy(VARDATA(object), prefix, strlen(prefix));
	VARDATA(object)[strlen(prefix)] = ':';
	memcpy(VARDATA(object) + strlen(prefix) + 1, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	return object;
}

/* The role that acts: behind upkeep, which runs as the owner, it is the one that called. */
static Oid
recorded_role(void)
{
	return sigma_session.origin == ORIGIN_SYSTEM ? GetOuterUserId() : GetUserId();
}
