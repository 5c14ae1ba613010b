/*
 * as_of.c
 *		Tables as they were: sigma.as_of, sigma.as_of_edit; who may see the past.
 *
 * The past shows no more than the present: a column of today only to who may read it, a
 * column that is gone only to who may read the whole table.  From whom row security may
 * hide rows of the table, all of its past is hidden: policies are about rows of today.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "common/argument.h"
#include "common/json_push.h"
#include "common/names.h"
#include "compat.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"
#include "input_table/rules.h"

/* System columns of a row, as a document names them. */
static const struct
{
	const char *name;
	int			at;				/* of LogState.desc */
}			stamp_columns[] =
{
	{"sigma_created_at", STATE_CREATED_AT}, {"sigma_updated_at", STATE_UPDATED_AT},
	{"sigma_created_by", STATE_CREATED_BY}, {"sigma_updated_by", STATE_UPDATED_BY},
};

static Datum documents(FunctionCallInfo fcinfo, const InputTable *table, int64 through, const TimestampTz *at);
static Datum document_of(const PastRights *rights, const LogState *state, int64 row_id);
static void push_stamp(JsonbParseState **state, const char *name, Datum value, bool is_text, bool isnull);
static void fill_record(const LogState *state, const InputTable *table, TupleDesc desc, int64 row_id,
						Datum *values, bool *nulls);
static bool record_value(const LogState *state, const InputTable *table, AttrNumber attnum, Datum *value);

PG_FUNCTION_INFO_V1(as_of);
PG_FUNCTION_INFO_V1(as_of_edit);
PG_FUNCTION_INFO_V1(as_of_record);

/* as_of(table_id text, at timestamptz) → setof jsonb: rows as documents, by row id. */
Datum
as_of(PG_FUNCTION_ARGS)
{
	const InputTable *table = sigma_logged_table(sigma_text_argument(fcinfo, 0, "table_id"));
	TimestampTz at;

	sigma_require_argument(fcinfo, 1, "at");
	at = PG_GETARG_TIMESTAMPTZ(1);
	return documents(fcinfo, table, PG_INT64_MAX, &at);
}

/* as_of_edit(table_id text, edit_num bigint) → setof jsonb */
Datum
as_of_edit(PG_FUNCTION_ARGS)
{
	const InputTable *table = sigma_logged_table(sigma_text_argument(fcinfo, 0, "table_id"));

	sigma_require_argument(fcinfo, 1, "edit_num");
	return documents(fcinfo, table, PG_GETARG_INT64(1), NULL);
}

/*
 * as_of(row_type anyelement, at timestamptz) → setof anyelement: rows of the data table's
 * type of today; values of columns that had another type are converted.  42804 for a type
 * that is no data table's, 42501 for who may not read all of the table.
 */
Datum
as_of_record(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			relid = get_typ_typrelid(get_fn_expr_argtype(fcinfo->flinfo, 0));
	const InputTable *table = OidIsValid(relid) ? sigma_input_table(relid) : NULL;
	PastRights	rights;
	LogState   *state;
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
	TimestampTz at;
	int64	   *ids;
	int64		count;
	int64		i;

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s is not the row type of an input table's data table",
						format_type_be(get_fn_expr_argtype(fcinfo->flinfo, 0))),
				 errhint("Write NULL::sigds.sigds_<id>.")));
	sigma_require_argument(fcinfo, 1, "at");
	table = sigma_logged_table(table->id);
	sigma_past_begin(&rights, table);
	if (!rights.whole)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
	at = PG_GETARG_TIMESTAMPTZ(1);
	InitMaterializedSRF(fcinfo, 0);
	desc = result->setDesc;
	values = palloc0(sizeof(Datum) * desc->natts);
	nulls = palloc0(sizeof(bool) * desc->natts);
	state = sigma_log_state(table, GetActiveSnapshot(), PG_INT64_MAX, &at);
	ids = sigma_log_state_ids(state, &count);
	for (i = 0; i < count; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(state->scratch);

		CHECK_FOR_INTERRUPTS();
		fill_record(state, table, desc, ids[i], values, nulls);
		tuplestore_putvalues(result->setResult, desc, values, nulls);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(state->scratch);
	}
	MemoryContextDelete(state->cxt);
	return (Datum) 0;
}

/*
 * What the caller may see of a table's past.  42501 where that is nothing, or where row
 * security may hide rows from him.
 */
void
sigma_past_begin(PastRights *rights, const InputTable *table)
{
	rights->table = table;
	if (sigma_namespace_aclcheck(sigma_sigds_namespace(), GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, "sigds");
	rights->whole = pg_class_aclcheck(table->relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
	if (!rights->whole &&
		pg_attribute_aclcheck_all(table->relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(table->relid));
	if (check_enable_rls(table->relid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the past of input table \"%s\"", table->name),
				 errdetail("Row security may hide rows of it from you.")));
}

/* May he see values of that column? */
bool
sigma_past_column(const PastRights *rights, const LogColumn *column)
{
	int			i;

	if (rights->whole)
		return true;
	for (i = 0; i < rights->table->ncolumn; i++)
		if (strcmp(rights->table->columns[i].id, column->id) == 0)
			return sigma_may_select(rights->table, rights->table->columns[i].attnum);
	return false;
}

/* A cell of the log as a result shows it: as to_jsonb() would. */
void
sigma_past_value(ColumnType type, const JsonbValue *cell, JsonbValue *shown)
{
	Datum		value;

	if (!sigma_log_decode(type, cell, &value))
		shown->type = jbvNull;
	else
		sigma_value_to_json(type, value, false, shown);
}

/* All rows of a state as documents. */
static Datum
documents(FunctionCallInfo fcinfo, const InputTable *table, int64 through, const TimestampTz *at)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PastRights	rights;
	LogState   *state;
	int64	   *ids;
	int64		count;
	int64		i;

	sigma_past_begin(&rights, table);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	state = sigma_log_state(table, GetActiveSnapshot(), through, at);
	ids = sigma_log_state_ids(state, &count);
	for (i = 0; i < count; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(state->scratch);
		bool		isnull = false;
		Datum		document;

		CHECK_FOR_INTERRUPTS();
		document = document_of(&rights, state, ids[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, &document, &isnull);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(state->scratch);
	}
	MemoryContextDelete(state->cxt);
	return (Datum) 0;
}

/* One row: its cells under the names that their columns had, row id and stamps. */
static Datum
document_of(const PastRights *rights, const LogState *state, int64 row_id)
{
	JsonbParseState *object = NULL;
	int			i;

	(void) sigma_log_state_row(state, row_id);
	pushJsonbValue(&object, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < state->ncolumn; i++)
	{
		JsonbValue	cell;

		if (!sigma_past_column(rights, state->columns[i]))
			continue;
		sigma_value_to_json(state->types[i], state->values[STATE_STAMPS + i], state->nulls[STATE_STAMPS + i], &cell);
		sigma_push_value(&object, state->columns[i]->name, &cell);
	}
	if (rights->whole || sigma_may_select(rights->table, rights->table->row_id))
		sigma_push_int(&object, "sigma_row_id", row_id);
	for (i = 0; i < lengthof(stamp_columns); i++)
	{
		int			at = stamp_columns[i].at;
		AttrNumber	attnums[STATE_STAMPS];

		attnums[STATE_UPDATED_AT] = rights->table->updated_at;
		attnums[STATE_UPDATED_BY] = rights->table->updated_by;
		attnums[STATE_CREATED_AT] = rights->table->created_at;
		attnums[STATE_CREATED_BY] = rights->table->created_by;
		if (rights->whole || sigma_may_select(rights->table, attnums[at]))
			push_stamp(&object, stamp_columns[i].name, state->values[at],
					   at == STATE_UPDATED_BY || at == STATE_CREATED_BY, state->nulls[at]);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&object, WJB_END_OBJECT, NULL)));
}

/* A stamp as to_jsonb() shows it: times in the session's zone. */
static void
push_stamp(JsonbParseState **state, const char *name, Datum value, bool is_text, bool isnull)
{
	char		buf[MAXDATELEN + 1];

	if (isnull)
		sigma_push_text(state, name, NULL);
	else if (is_text)
		sigma_push_text(state, name, TextDatumGetCString(value));
	else
	{
		JsonEncodeDateTime(buf, value, TIMESTAMPTZOID, NULL);
		sigma_push_text(state, name, pstrdup(buf));
	}
}

/* One row in the shape of the data table of today. */
static void
fill_record(const LogState *state, const InputTable *table, TupleDesc desc, int64 row_id, Datum *values, bool *nulls)
{
	int			i;

	(void) sigma_log_state_row(state, row_id);
	for (i = 0; i < desc->natts; i++)
	{
		if (i + 1 == table->row_id)
			values[i] = Int64GetDatum(row_id);
		nulls[i] = i + 1 != table->row_id && !record_value(state, table, i + 1, &values[i]);
	}
}

/* The value that the data table's column had; false for null, and for a column that was not there. */
static bool
record_value(const LogState *state, const InputTable *table, AttrNumber attnum, Datum *value)
{
	int			at = attnum == table->updated_at ? STATE_UPDATED_AT : attnum == table->updated_by ? STATE_UPDATED_BY :
		attnum == table->created_at ? STATE_CREATED_AT : attnum == table->created_by ? STATE_CREATED_BY : -1;
	const TableColumn *column = NULL;
	int			i;

	if (at >= 0)
	{
		*value = state->values[at];
		return !state->nulls[at];
	}
	for (i = 0; i < table->ncolumn; i++)
		if (table->columns[i].attnum == attnum)
			column = &table->columns[i];
	for (i = 0; column != NULL && i < state->ncolumn; i++)
		if (strcmp(state->columns[i]->id, column->id) == 0)
			return !state->nulls[STATE_STAMPS + i] &&
				sigma_value_convert(state->types[i], column->type, state->values[STATE_STAMPS + i], value);
	return false;
}
