/*
 * show_run.c
 *		Runs for people: sigma.run() runs and shows the steps, sigma.show_run() shows a run that was.
 *
 * Both read the result document of a run, which is what there is of it afterwards.
 * Lines are drawn with Unicode where the database's encoding is UTF-8, with ASCII
 * elsewhere.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/elog.h"
#include "utils/tuplestore.h"

#include "common/text.h"
#include "action/action.h"
#include "action/run_history.h"
#include "compat.h"

#define MAX_SHOWN	60			/* characters of a value */

PG_FUNCTION_INFO_V1(run_sequence);
PG_FUNCTION_INFO_V1(show_run);

/* What lines are drawn with. */
typedef struct Strokes
{
	const char *branch;			/* before a line that others follow */
	const char *last;			/* before the last line */
	const char *bar;			/* below the one */
	const char *blank;			/* below the other */
} Strokes;

static const Strokes unicode_strokes = {"├─ ", "└─ ", "│  ", "   "};
static const Strokes ascii_strokes = {"|- ", "`- ", "|  ", "   "};

static void raise_failure(const JsonNode *result) pg_attribute_noreturn();
static int	read_sqlstate(const char *text);
static void put_steps(ReturnSetInfo *rows, const JsonNode *steps, int outermost);
static void put_step(ReturnSetInfo *rows, const JsonNode *step, int outermost);
static char *describe_step(const JsonNode *step);
static const char *action_of(const JsonNode *step);
static double number_of(const JsonNode *object, const char *key);
static void show_head(StringInfo out, const JsonNode *status, const JsonNode *result);
static void show_member(StringInfo out, const JsonNode *result, const char *key);
static void show_steps(StringInfo out, const Strokes *strokes, const char *indent, const JsonNode *steps);
static void show_step(StringInfo out, const Strokes *strokes, const char *indent, const JsonNode *step, bool is_last);
static void show_error(StringInfo out, const char *indent, const JsonNode *error);

/*
 * run(sequence_id text, context jsonb) returns table (step int, action text, did text, "rows" bigint, ms float8)
 *
 * Runs a sequence and shows what each of its steps did.  A failed run is raised, as
 * the error of the step that failed; so the transaction, with the row of history,
 * is the caller's to roll back.  A skipped run has no rows, and a NOTICE.
 */
Datum
run_sequence(PG_FUNCTION_ARGS)
{
	char	   *id = sigma_text_argument(fcinfo, 0, "sequence_id");
	ReturnSetInfo *rows = (ReturnSetInfo *) fcinfo->resultinfo;
	JsonNode   *result;
	const char *status;

	InitMaterializedSRF(fcinfo, 0);
	result = sigma_json_read(sigma_run_execute(id, false, sigma_context_argument(fcinfo, 1)));
	status = sigma_json_get_string(result, "status", "");
	if (strcmp(status, "failed") == 0)
		raise_failure(result);
	if (strcmp(status, "skipped") == 0)
		ereport(NOTICE,
				(errmsg("sequence \"%s\" was skipped: %s", id, sigma_json_get_string(result, "reason", ""))));
	put_steps(rows, sigma_json_get(result, "actions"), -1);
	return (Datum) 0;
}

/* Raise the error of a failed run as its own. */
static void
raise_failure(const JsonNode *result)
{
	JsonNode   *error = sigma_json_get(result, "error");
	char	   *detail = sigma_json_get_string(error, "detail", NULL);
	char	   *hint = sigma_json_get_string(error, "hint", NULL);
	char	   *action = sigma_json_get_string(error, "action_id", NULL);
	const char *sequence = sigma_json_get_string(result, "sequence_id", "");

	ereport(ERROR,
			(errcode(read_sqlstate(sigma_json_get_string(error, "sqlstate", "XX000"))),
			 errmsg_internal("%s", sigma_json_get_string(error, "message", "the run failed")),
			 detail == NULL ? 0 : errdetail_internal("%s", detail),
			 hint == NULL ? 0 : errhint("%s", hint),
			 errcontext("%s", action != NULL ? psprintf("action \"%s\" of sequence \"%s\"", action, sequence) :
						psprintf("sequence \"%s\"", sequence))));
}

static int
read_sqlstate(const char *text)
{
	return strlen(text) == 5 ? MAKE_SQLSTATE(text[0], text[1], text[2], text[3], text[4]) : ERRCODE_INTERNAL_ERROR;
}

/* Steps, each followed by those within it; "outermost": the step of the sequence that they are part of, or -1. */
static void
put_steps(ReturnSetInfo *rows, const JsonNode *steps, int outermost)
{
	int			i;

	check_stack_depth();
	for (i = 0; steps != NULL && i < steps->count; i++)
	{
		int			index = outermost < 0 ? (int) sigma_json_get_int(steps->items[i], "index", 0) : outermost;

		put_step(rows, steps->items[i], index);
		put_steps(rows, sigma_json_get(steps->items[i], "actions"), index);
	}
}

/* One row of run(). */
static void
put_step(ReturnSetInfo *rows, const JsonNode *step, int outermost)
{
	Datum		values[5];
	bool		nulls[5] = {false};

	values[0] = Int32GetDatum(outermost);
	values[1] = CStringGetTextDatum(action_of(step));
	values[2] = CStringGetTextDatum(describe_step(step));
	nulls[3] = sigma_json_get(step, "rows") == NULL;
	values[3] = Int64GetDatum(sigma_json_get_int(step, "rows", 0));
	values[4] = Float8GetDatum(number_of(step, "duration_ms"));
	tuplestore_putvalues(rows->setResult, rows->setDesc, values, nulls);
}

/* "insert_row: 12", "update_row: skipped", "delete_rows: failed: 23514 ..." */
static char *
describe_step(const JsonNode *step)
{
	const char *subtype = sigma_json_get_string(step, "subtype", NULL);
	const char *status = sigma_json_get_string(step, "status", "");
	JsonNode   *result = sigma_json_get(step, "result");
	JsonNode   *error = sigma_json_get(step, "error");
	StringInfoData did;

	initStringInfo(&did);
	appendStringInfoString(&did, subtype != NULL ? subtype : sigma_json_get_string(step, "type", ""));
	if (strcmp(status, "success") != 0)
		appendStringInfo(&did, ": %s", status);
	if (error != NULL)
		appendStringInfo(&did, ": %s %s", sigma_json_get_string(error, "sqlstate", ""),
						 sigma_text_line(sigma_json_get_string(error, "message", ""), MAX_SHOWN));
	else if (result != NULL && result->kind != JSON_NULL)
		appendStringInfo(&did, ": %s", sigma_text_line(result->kind == JSON_STRING ? result->string : sigma_json_text(result), MAX_SHOWN));
	return did.data;
}

/* What a step is called: its id, else its type. */
static const char *
action_of(const JsonNode *step)
{
	const char *id = sigma_json_get_string(step, "action_id", NULL);

	return id != NULL ? id : sigma_json_get_string(step, "type", "");
}

static double
number_of(const JsonNode *object, const char *key)
{
	JsonNode   *node = sigma_json_get(object, key);

	if (node == NULL || node->kind != JSON_NUMBER)
		return 0;
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(node->number)));
}

/*
 * show_run(execution_id text) returns text
 *
 * A run as a tree for a terminal: what became of it, its steps with their errors, and
 * what it set and sent.  Raises SG404 where the caller sees no such run, 55000 where
 * it has not ended.
 */
Datum
show_run(PG_FUNCTION_ARGS)
{
	const Strokes *strokes = GetDatabaseEncoding() == PG_UTF8 ? &unicode_strokes : &ascii_strokes;
	Jsonb	   *status;
	Jsonb	   *stored = sigma_stored_result(sigma_text_argument(fcinfo, 0, "execution_id"), &status);
	JsonNode   *result = stored == NULL ? sigma_json_new(JSON_OBJECT, NULL) : sigma_json_read(stored);
	StringInfoData out;

	initStringInfo(&out);
	show_head(&out, sigma_json_read(status), result);
	show_steps(&out, strokes, "", sigma_json_get(result, "actions"));
	show_member(&out, result, "variables");
	show_member(&out, result, "controls");
	show_member(&out, result, "effects");
	show_member(&out, result, "alert");
	show_member(&out, result, "warnings");
	out.data[--out.len] = '\0'; /* lines are separated, not ended */
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* The lines about the run as a whole. */
static void
show_head(StringInfo out, const JsonNode *status, const JsonNode *result)
{
	const char *sequence = sigma_json_get_string(status, "sequence_id", NULL);
	const char *reason = sigma_json_get_string(result, "reason", NULL);
	int			failed = (int) sigma_json_get_int(result, "failed_actions", 0);
	int64		rows = sigma_json_get_int(result, "rows_changed", 0);
	JsonNode   *error = sigma_json_get(result, "error");

	if (sequence != NULL)
		appendStringInfo(out, "%s: ", sequence);
	appendStringInfoString(out, sigma_json_get_string(status, "status", ""));
	if (reason != NULL)
		appendStringInfo(out, ", %s", reason);
	if (sigma_json_get_bool(result, "rolled_back", false))
		appendStringInfoString(out, ", rolled back");
	if (failed > 0)
		appendStringInfo(out, ", %d failed %s", failed, failed == 1 ? "action" : "actions");
	if (rows > 0)
		appendStringInfo(out, ", " INT64_FORMAT " %s", rows, rows == 1 ? "row" : "rows");
	appendStringInfo(out, ", %.1f ms\n", number_of(result, "duration_ms"));
	/* the error of a step stands with the step */
	if (error != NULL && sigma_json_get(error, "index") == NULL)
		show_error(out, "", error);
}

/* One line for a part of the result, where there is anything in it. */
static void
show_member(StringInfo out, const JsonNode *result, const char *key)
{
	JsonNode   *node = sigma_json_get(result, key);
	int			i;

	if (node == NULL || node->count == 0)
		return;
	if (node->kind != JSON_ARRAY)
	{
		appendStringInfo(out, "%s %s\n", key, sigma_text_line(sigma_json_text(node), MAX_SHOWN));
		return;
	}
	for (i = 0; i < node->count; i++)
		appendStringInfo(out, "%s %s\n", key, sigma_text_line(node->items[i]->kind == JSON_STRING ? node->items[i]->string :
													  sigma_json_text(node->items[i]), MAX_SHOWN));
}

/* The lines of steps, each with those within it. */
static void
show_steps(StringInfo out, const Strokes *strokes, const char *indent, const JsonNode *steps)
{
	int			i;

	check_stack_depth();
	for (i = 0; steps != NULL && i < steps->count; i++)
		show_step(out, strokes, indent, steps->items[i], i == steps->count - 1);
}

/* The lines of a step. */
static void
show_step(StringInfo out, const Strokes *strokes, const char *indent, const JsonNode *step, bool is_last)
{
	const char *below = psprintf("%s%s", indent, is_last ? strokes->blank : strokes->bar);
	JsonNode   *rows = sigma_json_get(step, "rows");
	JsonNode   *result = sigma_json_get(step, "result");
	JsonNode   *error = sigma_json_get(step, "error");
	int64		attempts = sigma_json_get_int(step, "attempts", 1);
	int64		times = sigma_json_get_int(step, "times", 1);
	int64		failed = sigma_json_get_int(step, "failed", 0);

	CHECK_FOR_INTERRUPTS();
	appendStringInfo(out, "%s%s" INT64_FORMAT " %s", indent, is_last ? strokes->last : strokes->branch,
					 sigma_json_get_int(step, "index", 0), action_of(step));
	appendStringInfo(out, " (%s%s%s): %s", sigma_json_get_string(step, "type", ""),
					 sigma_json_get_string(step, "subtype", NULL) != NULL ? " " : "", sigma_json_get_string(step, "subtype", ""),
					 sigma_json_get_string(step, "status", ""));
	if (sigma_json_get(step, "times") != NULL)
		appendStringInfo(out, ", " INT64_FORMAT " %s", times, times == 1 ? "time" : "times");
	if (failed > 0)
		appendStringInfo(out, ", " INT64_FORMAT " failed", failed);
	if (attempts > times)
		appendStringInfo(out, " after " INT64_FORMAT " attempts", attempts);
	if (rows != NULL)
		appendStringInfo(out, ", " INT64_FORMAT " %s", sigma_json_get_int(step, "rows", 0),
						 sigma_json_get_int(step, "rows", 0) == 1 ? "row" : "rows");
	appendStringInfo(out, ", %.1f ms", number_of(step, "duration_ms"));
	if (result != NULL && result->kind != JSON_NULL)
		appendStringInfo(out, ", result %s", sigma_text_line(sigma_json_text(result), MAX_SHOWN));
	appendStringInfoChar(out, '\n');
	if (error != NULL)
		show_error(out, below, error);
	show_steps(out, strokes, below, sigma_json_get(step, "actions"));
}

/* The lines of an error. */
static void
show_error(StringInfo out, const char *indent, const JsonNode *error)
{
	const char *detail = sigma_json_get_string(error, "detail", NULL);
	const char *hint = sigma_json_get_string(error, "hint", NULL);

	appendStringInfo(out, "%s%s: %s\n", indent, sigma_json_get_string(error, "sqlstate", ""),
					 sigma_json_get_string(error, "message", ""));
	if (detail != NULL)
		appendStringInfo(out, "%sDETAIL: %s\n", indent, detail);
	if (hint != NULL)
		appendStringInfo(out, "%sHINT: %s\n", indent, hint);
}

