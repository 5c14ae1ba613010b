/*
 * audit.c
 *		sigma.sigma_audit: who changed which definition, and who gave which rights.
 *
 * AFTER ROW triggers of the five tables of definitions write one row for each
 * definition that a statement made, changed or deleted; what is no definition
 * (stamps, statistics, stored values, what the layout computes) leaves none.  Rows
 * go past SQL, as those of a system catalog do: nobody needs a right to be recorded,
 * and nobody has one to change a record.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "common/audit.h"
#include "common/catalog.h"
#include "common/json_push.h"
#include "common/jsonb_value.h"
#include "common/session.h"
#include "compat.h"

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

static const char *prefix_of(FunctionCallInfo fcinfo, TriggerData *trigger);
static bool defines(const char *column);
static Jsonb *describe(TupleDesc desc, HeapTuple row, HeapTuple other);
static void push_value(JsonbParseState **state, Form_pg_attribute att, Datum value, bool isnull);
static bool differs(TupleDesc desc, int i, HeapTuple row, HeapTuple other);
static Oid	recorded_role(void);

/* AFTER INSERT OR UPDATE OR DELETE ROW of the tables of definitions: record what was defined. */
Datum
audit_definition(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const char *prefix = CALLED_AS_TRIGGER(fcinfo) ? prefix_of(fcinfo, trigger) : NULL;
	HeapTuple	row;
	TupleDesc	desc;
	Jsonb	   *old = NULL;
	Jsonb	   *new = NULL;
	bool		isnull;
	Datum		id;

	if (prefix == NULL || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_AFTER(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"audit_definition\" must be called by the AFTER row trigger of a catalog table")));
	if (sigma_catalog_restoring())
		return PointerGetDatum(NULL);
	desc = RelationGetDescr(trigger->tg_relation);
	row = trigger->tg_trigtuple;
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		new = describe(desc, row, NULL);
	else if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		old = describe(desc, row, NULL);
	else
	{
		old = describe(desc, row, trigger->tg_newtuple);
		new = describe(desc, trigger->tg_newtuple, row);
		if (new == NULL)
			return PointerGetDatum(NULL);
	}
	id = heap_getattr(row, 1, desc, &isnull);
	sigma_audit_write(psprintf("%s:%s", prefix, TextDatumGetCString(id)),
					  old == NULL ? "create" : new == NULL ? "delete" : "update", old, new);
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
	Relation	rel;
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {0};
	HeapTuple	tuple;
	NameData	role;

	if (sigma_catalog_restoring())
		return;
	rel = table_open(sigma_relation_oid("sigma_audit"), RowExclusiveLock);
	namestrcpy(&role, GetUserNameFromId(recorded_role(), false));
	values[COLUMN_AT - 1] = TimestampTzGetDatum(GetCurrentStatementStartTimestamp());
	values[COLUMN_BY - 1] = CStringGetTextDatum(sigma_app_user());
	values[COLUMN_ROLE - 1] = NameGetDatum(&role);
	values[COLUMN_OBJECT - 1] = CStringGetTextDatum(object);
	values[COLUMN_OPERATION - 1] = CStringGetTextDatum(operation);
	nulls[COLUMN_OLD - 1] = old == NULL;
	values[COLUMN_OLD - 1] = JsonbPGetDatum(old);
	nulls[COLUMN_NEW - 1] = new == NULL;
	values[COLUMN_NEW - 1] = JsonbPGetDatum(new);
	values[COLUMN_XACT - 1] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	CatalogTupleInsert(rel, tuple);
	heap_freetuple(tuple);
	table_close(rel, NoLock);
}

/* What rows of the trigger's table are called, or NULL for a table that is not of the catalog. */
static const char *
prefix_of(FunctionCallInfo fcinfo, TriggerData *trigger)
{
	int			i;

	if (fcinfo->flinfo->fn_extra != NULL)	/* known since the statement's first row */
		return fcinfo->flinfo->fn_extra;
	for (i = 0; i < lengthof(audited); i++)
		if (RelationGetRelid(trigger->tg_relation) == sigma_relation_oid(audited[i].table))
			return fcinfo->flinfo->fn_extra = unconstify(char *, audited[i].prefix);
	return NULL;
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
 * NULL where none do.
 */
static Jsonb *
describe(TupleDesc desc, HeapTuple row, HeapTuple other)
{
	JsonbParseState *state = NULL;
	bool		empty = true;
	int			i;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool		isnull;
		Datum		value;

		if (att->attisdropped || !defines(NameStr(att->attname)) ||
			(other != NULL && !differs(desc, i, row, other)))
			continue;
		value = heap_getattr(row, i + 1, desc, &isnull);
		if (isnull && other == NULL)
			continue;
		push_value(&state, att, value, isnull);
		empty = false;
	}
	return empty ? NULL : JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* A column's name and value: documents as they are, else by its type's kind. */
static void
push_value(JsonbParseState **state, Form_pg_attribute att, Datum value, bool isnull)
{
	const char *name = NameStr(att->attname);
	JsonbValue	document;

	if (isnull)
	{
		sigma_push_text(state, name, NULL);
		return;
	}
	switch (getBaseType(att->atttypid))
	{
		case JSONBOID:
			sigma_jsonb_to_value(DatumGetJsonbP(value), &document);
			sigma_push_value(state, name, &document);
			break;
		case BOOLOID:
			sigma_push_bool(state, name, DatumGetBool(value));
			break;
		case INT4OID:
			sigma_push_int(state, name, DatumGetInt32(value));
			break;
		case INT8OID:
			sigma_push_int(state, name, DatumGetInt64(value));
			break;
		default:
			sigma_push_text(state, name, TextDatumGetCString(value));
			break;
	}
}

/* Is a column's value another one, byte by byte? */
static bool
differs(TupleDesc desc, int i, HeapTuple row, HeapTuple other)
{
	Form_pg_attribute att = TupleDescAttr(desc, i);
	bool		null_row;
	bool		null_other;
	Datum		a = heap_getattr(row, i + 1, desc, &null_row);
	Datum		b = heap_getattr(other, i + 1, desc, &null_other);

	if (null_row || null_other)
		return null_row != null_other;
	return !datum_image_eq(a, b, att->attbyval, att->attlen);
}

/* The role that acts: behind upkeep, which runs as the owner, it is the one that called. */
static Oid
recorded_role(void)
{
	return sigma_session.origin == ORIGIN_SYSTEM ? GetOuterUserId() : GetUserId();
}
