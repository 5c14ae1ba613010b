/*
 * as_of.c
 *		Tables as they were: sigma.as_of, sigma.as_of_edit.
 *
 * Who may see what of it is past_rights.c's to say.  Where row security hides rows, the
 * images are made twice: to ask which of them may be seen, and to show those.
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
	int			at;				/* of LogImage.values */
}			stamp_columns[] =
{
	{"sigma_created_at", STATE_CREATED_AT}, {"sigma_updated_at", STATE_UPDATED_AT},
	{"sigma_created_by", STATE_CREATED_BY}, {"sigma_updated_by", STATE_UPDATED_BY},
};

static Datum documents(FunctionCallInfo fcinfo, const InputTable *table, int64 through, const TimestampTz *at);
static LogState *begin_shown(const PastRights *rights, int64 through, const TimestampTz *at, PastFilter **filter);
static bool next_shown(LogState *state, PastFilter *filter);
static void end_shown(LogState *state, PastFilter *filter);
static Datum document_of(const PastRights *rights, const LogImage *image);
static void push_stamp(JsonbParseState **state, const char *name, Datum value, bool is_text, bool isnull);

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
	PastFilter *filter;
	MemoryContext cxt;
	TimestampTz at;

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
	cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma row", ALLOCSET_DEFAULT_SIZES);
	state = begin_shown(&rights, PG_INT64_MAX, &at, &filter);
	while (next_shown(state, filter))
	{
		MemoryContext caller = MemoryContextSwitchTo(cxt);

		sigma_past_record(&state->image, table, desc, values, nulls);
		tuplestore_putvalues(result->setResult, desc, values, nulls);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(cxt);
	}
	end_shown(state, filter);
	return (Datum) 0;
}

/* All rows of a state as documents. */
static Datum
documents(FunctionCallInfo fcinfo, const InputTable *table, int64 through, const TimestampTz *at)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma row", ALLOCSET_DEFAULT_SIZES);
	PastFilter *filter;
	PastRights	rights;
	LogState   *state;

	sigma_past_begin(&rights, table);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	state = begin_shown(&rights, through, at, &filter);
	while (next_shown(state, filter))
	{
		MemoryContext caller = MemoryContextSwitchTo(cxt);
		bool		isnull = false;
		Datum		document = document_of(&rights, &state->image);

		tuplestore_putvalues(result->setResult, result->setDesc, &document, &isnull);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(cxt);
	}
	end_shown(state, filter);
	return (Datum) 0;
}

/* Begin to read the images that the caller may see; *filter says which, NULL: all. */
static LogState *
begin_shown(const PastRights *rights, int64 through, const TimestampTz *at, PastFilter **filter)
{
	*filter = NULL;
	if (rights->filter != NULL)
	{
		LogState   *state = sigma_log_state_past(rights->table, GetActiveSnapshot(), through, at);

		*filter = sigma_past_filter(rights);
		while (sigma_log_state_next(state))
			sigma_past_filter_add(&state->image, *filter);
		sigma_log_state_end(state);
		sigma_past_filter_run(*filter);
	}
	return sigma_log_state_past(rights->table, GetActiveSnapshot(), through, at);
}

/* The next of them into state->image; false at the end. */
static bool
next_shown(LogState *state, PastFilter *filter)
{
	while (sigma_log_state_next(state))
	{
		bool		visible = true;
		int64		row_id;
		int64		sequence;

		if (filter == NULL || (sigma_past_filter_next(filter, &row_id, &sequence, &visible) && visible))
			return true;
	}
	return false;
}

static void
end_shown(LogState *state, PastFilter *filter)
{
	sigma_log_state_end(state);
	if (filter != NULL)
		sigma_past_filter_end(filter);
}

/* One row: its cells under the names that their columns had, row id and stamps. */
static Datum
document_of(const PastRights *rights, const LogImage *image)
{
	JsonbParseState *object = NULL;
	int			i;

	pushJsonbValue(&object, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < image->ncolumn; i++)
	{
		JsonbValue	cell;

		if (!sigma_past_column(rights, image->columns[i]))
			continue;
		sigma_value_to_json(image->types[i], image->values[STATE_STAMPS + i], image->nulls[STATE_STAMPS + i], &cell);
		sigma_push_value(&object, image->columns[i]->name, &cell);
	}
	if (rights->whole || sigma_may_select(rights->table, rights->table->row_id))
		sigma_push_int(&object, "sigma_row_id", image->row_id);
	for (i = 0; i < lengthof(stamp_columns); i++)
	{
		int			at = stamp_columns[i].at;
		AttrNumber	attnums[STATE_STAMPS];

		attnums[STATE_UPDATED_AT] = rights->table->updated_at;
		attnums[STATE_UPDATED_BY] = rights->table->updated_by;
		attnums[STATE_CREATED_AT] = rights->table->created_at;
		attnums[STATE_CREATED_BY] = rights->table->created_by;
		if (rights->whole || sigma_may_select(rights->table, attnums[at]))
			push_stamp(&object, stamp_columns[i].name, image->values[at],
					   at == STATE_UPDATED_BY || at == STATE_CREATED_BY, image->nulls[at]);
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
