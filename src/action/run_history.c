/*
 * run_history.c
 *		Looking runs up: run_status, run_history, run_steps; and prune_history.
 *
 * All of it is plain SQL over sigma.sigma_execution_history run as the caller: its
 * rights and its row security say which runs there are.  What is asked for stands
 * in the text only where it is asked for, so that the indexes are used.  Queries see
 * what their own statement has done: SELECT sigma.show_run(... execute_sequence(...)).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "action/action.h"
#include "action/run_history.h"
#include "common/date.h"
#include "common/document.h"
#include "common/document_specs.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "compat.h"

#define MAX_PAGE_SIZE	10000
#define MAX_FILTERS		16

PG_FUNCTION_INFO_V1(run_status);
PG_FUNCTION_INFO_V1(run_history);
PG_FUNCTION_INFO_V1(run_steps);
PG_FUNCTION_INFO_V1(prune_history);

/* What run_history() may be asked for. */
static const char *const run_statuses[] = {"success", "failed", "skipped", NULL};
static const EnumSpec run_status_names = {run_statuses};
static const char *const skip_reasons[] = {"paused", "condition_false", "already_running", NULL};
static const EnumSpec skip_reason_names = {skip_reasons};
static const KeySpec a_status = {.name = "status", .type = SPEC_ENUM, .names = &run_status_names};

static const KeySpec filter_keys[] = {
	{"sequence_id", SPEC_TEXT, "runs of this sequence"},
	{"action_id", SPEC_TEXT, "runs of this action by itself"},
	{"status", SPEC_LIST, "how they ended: one, or several", KEY_WRAP | KEY_NOT_EMPTY, .of = &a_status},
	{"reason", SPEC_ENUM, "why they were skipped", .names = &skip_reason_names},
	{"user_id", SPEC_TEXT, "of this app user"},
	{"role", SPEC_TEXT, "of this database role"},
	{"since", SPEC_TEXT, "begun then or later"},
	{"until", SPEC_TEXT, "begun before"},
	{"failed", SPEC_BOOL, "true: the run or one of its actions failed; false: neither did"},
	{"idempotency_key", SPEC_TEXT, "the run that has this key"},
	{NULL}
};
static const ObjectSpec filters_spec = {"filters of runs", filter_keys};

/* Filters that compare a column with a text. */
static const char *const compared_columns[] = {
	"sequence_id", "action_id", "reason", "user_id", "role", "idempotency_key"
};

/* A query of runs while it is put together. */
typedef struct HistoryQuery
{
	StringInfoData where;		/* " WHERE ..." or nothing */
	Oid			types[MAX_FILTERS];
	Datum		values[MAX_FILTERS];
	int			count;
} HistoryQuery;

static Jsonb *running_status(const char *execution_id);
static Jsonb *stored_status(const char *execution_id);
static void push_column(JsonbParseState **state, const char *key, int column);
static void not_found(const char *execution_id) pg_attribute_noreturn();
static void read_filters(HistoryQuery *query, Jsonb *document);
static void add_filter(HistoryQuery *query, const char *condition, Oid type, Datum value);
static void add_statuses(HistoryQuery *query, const JsonNode *list);
static Datum read_time(const JsonNode *filters, const char *key);
static int	page_argument(FunctionCallInfo fcinfo, int i, const char *name, int absent, int most);
static void put_steps(ReturnSetInfo *result, JsonbContainer *holder, const JsonbValue *outermost);
static void put_step(ReturnSetInfo *result, JsonbContainer *step, const JsonbValue *outermost);
static void put_result(ReturnSetInfo *result);
static uint64 delete_runs(const char *sql, Oid type, Datum value);

/*
 * run_status(execution_id text) returns jsonb
 *
 * A run of this session that is under way, else what history says of it; SG404
 * where neither knows it.
 */
Datum
run_status(PG_FUNCTION_ARGS)
{
	char	   *execution_id = sigma_text_argument(fcinfo, 0, "execution_id");
	Jsonb	   *result = running_status(execution_id);

	if (result == NULL)
		result = stored_status(execution_id);
	if (result == NULL)
		not_found(execution_id);
	PG_RETURN_JSONB_P(result);
}

/* The status of a run further up this session's stack, or NULL. */
static Jsonb *
running_status(const char *execution_id)
{
	Run		   *run;
	JsonbParseState *state = NULL;
	char		buf[MAXDATELEN + 1];

	for (run = sigma_run_current(); run != NULL; run = run->outer)
		if (strcmp(run->execution_id, execution_id) == 0)
			break;
	if (run == NULL)
		return NULL;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "execution_id", run->execution_id);
	if (!run->sequence->is_action)
		sigma_push_text(&state, "sequence_id", run->sequence->id);
	sigma_push_text(&state, "status", "running");
	/* in UTC without a zone, as history has it */
	JsonEncodeDateTime(buf, TimestampGetDatum((Timestamp) run->started), TIMESTAMPOID, NULL);
	sigma_push_text(&state, "started_at", buf);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* The status that history has, or NULL; in the caller's context. */
static Jsonb *
stored_status(const char *execution_id)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(execution_id);
	JsonbParseState *state = NULL;
	Jsonb	   *result = NULL;
	int			i;

	SPI_connect();
	if (SPI_execute_with_args("SELECT pg_catalog.to_jsonb(execution_id), pg_catalog.to_jsonb(sequence_id),"
							  " pg_catalog.to_jsonb(status), pg_catalog.to_jsonb(start_time),"
							  " pg_catalog.to_jsonb(end_time), result"
							  " FROM sigma.sigma_execution_history WHERE execution_id OPERATOR(pg_catalog.=) $1",
							  1, &type, &value, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the history");
	if (SPI_processed > 0)
	{
		static const char *const keys[] = {
			"execution_id", "sequence_id", "status", "started_at", "ended_at", "result"
		};
		MemoryContext old = MemoryContextSwitchTo(caller);

		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		for (i = 0; i < lengthof(keys); i++)
			push_column(&state, keys[i], i + 1);
		result = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return result;
}

/* A jsonb column of the first row as a member, where it is not null. */
static void
push_column(JsonbParseState **state, const char *key, int column)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
	Jsonb	   *document;
	JsonbValue	value;

	if (isnull)
		return;
	document = DatumGetJsonbP(datum);
	if (JB_ROOT_IS_SCALAR(document))
		(void) JsonbExtractScalar(&document->root, &value);
	else
	{
		value.type = jbvBinary;
		value.val.binary.data = &document->root;
		value.val.binary.len = VARSIZE(document) - VARHDRSZ;
	}
	sigma_push_value(state, key, &value);
}

static void
not_found(const char *execution_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_SIGMA_NOT_FOUND),
			 errmsg("run \"%s\" does not exist", execution_id),
			 errhint("It is the \"execution_id\" of a result; sigma.run_history() lists the runs that you may see.")));
}

/*
 * run_history
 */

/*
 * run_history(filters jsonb, page int, page_size int) returns table (...)
 *
 * The runs that the caller may see, newest first, a page of them; "total" is how many
 * there are in all pages.  Raises SG400 for filters that are none, 22023 for a page
 * that cannot be.
 */
Datum
run_history(PG_FUNCTION_ARGS)
{
	HistoryQuery		query = {0};
	int64		page;
	int			page_size;
	StringInfoData sql;

	InitMaterializedSRF(fcinfo, 0);
	read_filters(&query, PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0));
	page = page_argument(fcinfo, 1, "page", 1, PG_INT32_MAX);
	page_size = page_argument(fcinfo, 2, "page_size", 50, MAX_PAGE_SIZE);

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT h.execution_id::pg_catalog.text, h.sequence_id::pg_catalog.text, h.status::pg_catalog.text,"
					 " h.reason, h.user_id, h.start_time::pg_catalog.timestamp, h.end_time::pg_catalog.timestamp,"
					 " pg_catalog.round(pg_catalog.date_part('epoch', h.end_time OPERATOR(pg_catalog.-) h.start_time) OPERATOR(pg_catalog.*) 1000000::pg_catalog.float8)"
					 "  OPERATOR(pg_catalog./) 1000::pg_catalog.float8,"
					 " CASE WHEN pg_catalog.jsonb_typeof(pg_catalog.jsonb_extract_path(h.result, 'failed_actions')) OPERATOR(pg_catalog.=) 'number'"
					 "  THEN pg_catalog.jsonb_extract_path(h.result, 'failed_actions')::pg_catalog.int4 END,"
					 " h.rows_changed, h.error_message,"
					 " (SELECT pg_catalog.count(*) FROM sigma.sigma_execution_history AS h%s)"
					 " FROM sigma.sigma_execution_history AS h%s"
					 " ORDER BY h.start_time DESC, h.execution_id DESC LIMIT $%d OFFSET $%d",
					 query.where.data, query.where.data, query.count + 1, query.count + 2);
	query.types[query.count] = query.types[query.count + 1] = INT8OID;
	query.values[query.count] = Int64GetDatum(page_size);
	query.values[query.count + 1] = Int64GetDatum((page - 1) * page_size);
	SPI_connect();
	if (SPI_execute_with_args(sql.data, query.count + 2, query.types, query.values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the history");
	put_result((ReturnSetInfo *) fcinfo->resultinfo);
	SPI_finish();
	return (Datum) 0;
}

/* The WHERE clause of filters, with its parameters; SG400. */
static void
read_filters(HistoryQuery *query, Jsonb *document)
{
	JsonNode   *filters;
	JsonNode   *failed;
	int			i;

	initStringInfo(&query->where);
	if (document == NULL)
		return;
	filters = sigma_spec_read(&filters_spec, sigma_json_read(document), 0);
	for (i = 0; i < lengthof(compared_columns); i++)
	{
		char	   *text = sigma_json_get_string(filters, compared_columns[i], NULL);

		if (text != NULL)
			add_filter(query, psprintf("h.%s OPERATOR(pg_catalog.=) $", compared_columns[i]),
					   TEXTOID, CStringGetTextDatum(text));
	}
	add_statuses(query, sigma_json_get(filters, "status"));
	if (sigma_json_get_string(filters, "since", NULL) != NULL)
		add_filter(query, "h.start_time OPERATOR(pg_catalog.>=) $", TIMESTAMPOID, read_time(filters, "since"));
	if (sigma_json_get_string(filters, "until", NULL) != NULL)
		add_filter(query, "h.start_time OPERATOR(pg_catalog.<) $", TIMESTAMPOID, read_time(filters, "until"));
	failed = sigma_json_get(filters, "failed");
	if (failed != NULL && failed->kind == JSON_BOOL)
		add_filter(query,
				   "(h.status OPERATOR(pg_catalog.=) 'failed' OR coalesce(pg_catalog.jsonb_extract_path_text(h.result, 'failed_actions'), '0')"
				   " OPERATOR(pg_catalog.<>) '0') OPERATOR(pg_catalog.=) $", BOOLOID, BoolGetDatum(failed->boolean));
}

/* One more condition, which ends with its parameter's number. */
static void
add_filter(HistoryQuery *query, const char *condition, Oid type, Datum value)
{
	appendStringInfo(&query->where, "%s%s%d", query->count == 0 ? " WHERE " : " AND ", condition, query->count + 1);
	query->types[query->count] = type;
	query->values[query->count++] = value;
}

/* One of several statuses: they are words of a list of ours, so they may stand in the text. */
static void
add_statuses(HistoryQuery *query, const JsonNode *list)
{
	Datum		words[lengthof(run_statuses)];
	int			count = 0;
	int			i;
	int			j;

	if (list == NULL || list->kind != JSON_ARRAY)
		return;
	for (i = 0; run_statuses[i] != NULL; i++)
		for (j = 0; j < list->count; j++)
			if (strcmp(list->items[j]->string, run_statuses[i]) == 0)
			{
				words[count++] = CStringGetTextDatum(run_statuses[i]);
				break;
			}
	appendStringInfo(&query->where, "%sh.status OPERATOR(pg_catalog.=) ANY ($%d)", query->count == 0 ? " WHERE " : " AND ",
					 query->count + 1);
	query->types[query->count] = TEXTARRAYOID;
	query->values[query->count++] = PointerGetDatum(construct_array(words, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* A time of the filters, in UTC as history has it: one without an offset is UTC. */
static Datum
read_time(const JsonNode *filters, const char *key)
{
	JsonNode   *node = sigma_json_get(filters, key);
	Timestamp	time;
	const char *why;

	if (!sigma_date_read(node->string, strlen(node->string), DATEORDER_YMD, true, &time, &why))
		sigma_document_error(node, 0, "It is a date, with or without a time of day and an offset: \"2026-03-01T12:00:00Z\".",
							 "\"%s\" is no time: %s", key, why);
	return TimestampGetDatum(time);
}

/* A number from 1 to "most"; 22023. */
static int
page_argument(FunctionCallInfo fcinfo, int i, const char *name, int absent, int most)
{
	int			value = PG_ARGISNULL(i) ? absent : PG_GETARG_INT32(i);

	if (value < 1 || value > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be from 1 to %d", name, most)));
	return value;
}

/* All rows of the query that has just run, into the result. */
static void
put_result(ReturnSetInfo *result)
{
	int			columns = SPI_tuptable->tupdesc->natts;
	Datum	   *values = palloc(sizeof(Datum) * columns);
	bool	   *nulls = palloc(sizeof(bool) * columns);
	uint64		i;

	for (i = 0; i < SPI_processed; i++)
	{
		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * run_steps
 */

/*
 * run_steps(execution_id text) returns table (...)
 *
 * The steps that a run reached, in order.  Raises SG404 where the caller sees no such
 * run, 55000 where it is a run of this session that has not ended.
 */
Datum
run_steps(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Jsonb	   *document = sigma_stored_result(sigma_text_argument(fcinfo, 0, "execution_id"), NULL);

	InitMaterializedSRF(fcinfo, 0);
	if (document != NULL && JB_ROOT_IS_OBJECT(document))
		put_steps(result, &document->root, NULL);
	return (Datum) 0;
}

/*
 * The steps of a result, or those within a step, each followed by those within it.
 * Their "index" is that of the step of the sequence which they are part of.
 */
static void
put_steps(ReturnSetInfo *result, JsonbContainer *holder, const JsonbValue *outermost)
{
	JsonbValue	actions;
	JsonbValue	step;
	JsonbValue	index;
	JsonbIterator *iterator;

	check_stack_depth();
	if (!sigma_jsonb_member(holder, "actions", &actions) || !sigma_jsonb_is_list(&actions))
		return;
	iterator = JsonbIteratorInit(actions.val.binary.data);
	(void) JsonbIteratorNext(&iterator, &step, true);
	while (JsonbIteratorNext(&iterator, &step, true) == WJB_ELEM)
	{
		if (step.type != jbvBinary || !JsonContainerIsObject(step.val.binary.data))
			continue;
		if (outermost == NULL)
			(void) sigma_jsonb_member(step.val.binary.data, "index", &index);
		else
			index = *outermost;
		put_step(result, step.val.binary.data, &index);
		put_steps(result, step.val.binary.data, &index);
	}
}

/*
 * The result document of a run that history has, in the current context; NULL where
 * its row holds none.  *status becomes what run_status() says, unless NULL.  Raises
 * SG404, and 55000 for a run of this session that has not ended.
 */
Jsonb *
sigma_stored_result(const char *execution_id, Jsonb **status)
{
	Jsonb	   *stored;
	JsonbValue	value;

	if (running_status(execution_id) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("run \"%s\" has not ended yet", execution_id)));
	stored = stored_status(execution_id);
	if (stored == NULL)
		not_found(execution_id);
	if (status != NULL)
		*status = stored;
	if (getKeyJsonValueFromContainer(&stored->root, "result", strlen("result"), &value) == NULL)
		return NULL;
	return sigma_jsonb_from_value(&value);
}

/* One row of run_steps(). */
static void
put_step(ReturnSetInfo *result, JsonbContainer *step, const JsonbValue *outermost)
{
	static const char *const keys[] = {
		"index", "action_id", "type", "subtype", "status", "rows", "duration_ms", "result", "error"
	};
	Datum		values[lengthof(keys)];
	bool		nulls[lengthof(keys)];
	int			i;

	for (i = 0; i < lengthof(keys); i++)
	{
		JsonbValue	value;
		Oid			type = TupleDescAttr(result->setDesc, i)->atttypid;

		nulls[i] = !sigma_jsonb_member(step, keys[i], &value) || (value.type == jbvNull && type != JSONBOID);
		if (i == 0)
			value = *outermost;
		if (nulls[i])
			continue;
		if (type == JSONBOID)
			values[i] = JsonbPGetDatum(sigma_jsonb_from_value(&value));
		else if (type == TEXTOID)
			values[i] = CStringGetTextDatum(sigma_jsonb_text(&value));
		else if (value.type != jbvNumeric)
			nulls[i] = true;
		else
			values[i] = DirectFunctionCall1(type == INT4OID ? numeric_int4 : type == INT8OID ? numeric_int8 : numeric_float8,
											NumericGetDatum(value.val.numeric));
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * prune_history
 */

/*
 * prune_history(keep interval, keep_rows int) returns bigint
 *
 * Deletes the runs that began longer ago than "keep", and all but the newest
 * "keep_rows"; either may be null, not both (22004), and neither negative (22023).  How
 * many it deleted.  The caller needs the rights of a DELETE.
 */
Datum
prune_history(PG_FUNCTION_ARGS)
{
	Interval	none = {0};
	uint64		deleted = 0;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"keep\" and \"keep_rows\" must not both be null")));
	if (!PG_ARGISNULL(1) && PG_GETARG_INT32(1) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"keep_rows\" must not be negative")));
	if (!PG_ARGISNULL(0) && DatumGetBool(DirectFunctionCall2(interval_lt, PG_GETARG_DATUM(0), IntervalPGetDatum(&none))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"keep\" must not be negative")));
	SPI_connect();
	if (!PG_ARGISNULL(0))
	{
		/* history is in UTC, and so is a timestamptz as it is stored */
		Datum		oldest = DirectFunctionCall2(timestamp_mi_interval, TimestampGetDatum((Timestamp) GetCurrentTimestamp()),
												 PG_GETARG_DATUM(0));

		deleted += delete_runs("DELETE FROM sigma.sigma_execution_history WHERE start_time OPERATOR(pg_catalog.<) $1",
							   TIMESTAMPOID, oldest);
	}
	if (!PG_ARGISNULL(1))
		deleted += delete_runs("DELETE FROM sigma.sigma_execution_history AS h USING ("
							   "SELECT o.start_time, o.execution_id FROM sigma.sigma_execution_history AS o"
							   " WHERE o.start_time IS NOT NULL ORDER BY o.start_time DESC, o.execution_id DESC OFFSET $1 LIMIT 1) AS newest"
							   " WHERE h.start_time OPERATOR(pg_catalog.<=) newest.start_time"
							   " AND (h.start_time OPERATOR(pg_catalog.<) newest.start_time"
							   "  OR h.execution_id OPERATOR(pg_catalog.<=) newest.execution_id)",
							   INT4OID, PG_GETARG_DATUM(1));
	SPI_finish();
	PG_RETURN_INT64((int64) deleted);
}

/* Run a DELETE as the caller; how many rows went. */
static uint64
delete_runs(const char *sql, Oid type, Datum value)
{
	if (SPI_execute_with_args(sql, 1, &type, &value, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not prune the history");
	return SPI_processed;
}
