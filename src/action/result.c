/*
 * result.c
 *		The result document of a run.
 *
 * Every run makes one, for its caller and for history, so it is written at once in
 * the form that is stored: the members of each object stand here in the order in
 * which jsonb keeps them, shorter keys first.  It is made in the current context.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "action/action.h"
#include "common/jsonb_writer.h"
#include "compat.h"

/* Bits of "present": all members, and one that not every document has. */
#define ALL(keys)	((UINT32_C(1) << lengthof(keys)) - 1)
#define BIT(member) (UINT32_C(1) << (member))

static void write_alert(JsonbWriter *writer, const Run *run);
static void write_steps(JsonbWriter *writer, const StepRecord *records, int count);
static void write_step(JsonbWriter *writer, const StepRecord *record);
static RunStatus status_of(const StepRecord *record);
static void write_error(JsonbWriter *writer, const ErrorData *error, const StepRecord *place, int64 row);
static void write_effects(JsonbWriter *writer, const List *effects);
static void write_warnings(JsonbWriter *writer, const Run *run);
static void write_row_warning(JsonbWriter *writer, const RowWarning *warning);
static void write_warning(JsonbWriter *writer, const char *message);
static void write_milliseconds(JsonbWriter *writer, int64 microseconds);
static void write_time(JsonbWriter *writer, TimestampTz time);

/* The result document of a run that has ended. */
Jsonb *
sigma_run_result(Run *run)
{
	enum
	{
		ALERT, ERROR_OF_RUN, ATOMIC, REASON, STATUS, ACTIONS, EFFECTS, CONTROLS, WARNINGS, VARIABLES,
		DURATION, ROLLED_BACK, SEQUENCE, EXECUTION, ROWS_CHANGED, FAILED_ACTIONS, ACTIONS_EXECUTED
	};
	static const JsonbKey keys[] = {
		JSONB_KEY("alert"), JSONB_KEY("error"), JSONB_KEY("atomic"), JSONB_KEY("reason"), JSONB_KEY("status"),
		JSONB_KEY("actions"), JSONB_KEY("effects"), JSONB_KEY("controls"), JSONB_KEY("warnings"),
		JSONB_KEY("variables"), JSONB_KEY("duration_ms"), JSONB_KEY("rolled_back"), JSONB_KEY("sequence_id"),
		JSONB_KEY("execution_id"), JSONB_KEY("rows_changed"), JSONB_KEY("failed_actions"), JSONB_KEY("actions_executed")
	};
	const Sequence *sequence = run->sequence;
	JsonbWriter writer = {{0}};
	uint32		present = ALL(keys);

	if (!run->alerts)
		present &= ~BIT(ALERT);
	if (run->error == NULL)
		present &= ~BIT(ERROR_OF_RUN);
	if (run->reason == NULL)
		present &= ~BIT(REASON);
	if (sequence->is_action)
		present &= ~BIT(SEQUENCE);
	sigma_jsonb_writer_begin(&writer);
	sigma_jsonb_writer_members(&writer, keys, lengthof(keys), present);
	if (run->alerts)
		write_alert(&writer, run);
	if (run->error != NULL)
		write_error(&writer, run->error, run->error_record,
					run->error_record != NULL ? run->error_record->error_row : -1);
	sigma_jsonb_writer_bool(&writer, sequence->atomic);
	if (run->reason != NULL)
		sigma_jsonb_writer_text(&writer, run->reason);
	sigma_jsonb_writer_text(&writer, sigma_run_status_name(run->status));
	write_steps(&writer, run->records, sequence->steps.count);
	write_effects(&writer, run->effects);
	sigma_context_write_controls(&writer, run->context);
	write_warnings(&writer, run);
	sigma_context_write_variables(&writer, run->context);
	write_milliseconds(&writer, run->duration);
	sigma_jsonb_writer_bool(&writer, run->rolled_back);
	if (!sequence->is_action)
		sigma_jsonb_writer_text(&writer, sequence->id);
	sigma_jsonb_writer_text(&writer, run->execution_id);
	sigma_jsonb_writer_int(&writer, run->rows_changed);
	sigma_jsonb_writer_int(&writer, run->failed);
	sigma_jsonb_writer_int(&writer, run->executed);
	sigma_jsonb_writer_end(&writer);
	return sigma_jsonb_writer_finish(&writer);
}

/* "alert": what the sequence has for this end. */
static void
write_alert(JsonbWriter *writer, const Run *run)
{
	enum
	{
		KIND, TITLE, MESSAGE
	};
	static const JsonbKey keys[] = {JSONB_KEY("kind"), JSONB_KEY("title"), JSONB_KEY("message")};
	uint32		present = ALL(keys);

	if (run->alert_title == NULL)
		present &= ~BIT(TITLE);
	if (run->alert_message == NULL)
		present &= ~BIT(MESSAGE);
	sigma_jsonb_writer_members(writer, keys, lengthof(keys), present);
	sigma_jsonb_writer_text(writer, run->status == RUN_SUCCESS ? "success" : "failure");
	if (run->alert_title != NULL)
		sigma_jsonb_writer_text(writer, run->alert_title);
	if (run->alert_message != NULL)
		sigma_jsonb_writer_text(writer, run->alert_message);
	sigma_jsonb_writer_end(writer);
}

/* "actions": one document for each of the steps that were reached, in their order. */
static void
write_steps(JsonbWriter *writer, const StepRecord *records, int count)
{
	int			i;

	check_stack_depth();
	sigma_jsonb_writer_array(writer, count);
	for (i = 0; i < count; i++)
		if (records[i].step != NULL)
			write_step(writer, &records[i]);
	sigma_jsonb_writer_end(writer);
}

/* A step; "action_id" is null for an inline action without one. */
static void
write_step(JsonbWriter *writer, const StepRecord *record)
{
	enum
	{
		ROWS, TYPE, ERROR_OF_STEP, INDEX, TIMES, FAILED, RESULT, STATUS, ACTIONS, SUBTYPE, ATTEMPTS, ACTION_ID, STARTED, DURATION
	};
	static const JsonbKey keys[] = {
		JSONB_KEY("rows"), JSONB_KEY("type"), JSONB_KEY("error"), JSONB_KEY("index"), JSONB_KEY("times"),
		JSONB_KEY("failed"), JSONB_KEY("result"), JSONB_KEY("status"), JSONB_KEY("actions"), JSONB_KEY("subtype"),
		JSONB_KEY("attempts"), JSONB_KEY("action_id"), JSONB_KEY("started_at"), JSONB_KEY("duration_ms")
	};
	const Step *step = record->step;
	RunStatus	status = status_of(record);
	uint32		present = ALL(keys);
	JsonbValue	actions;

	if (record->rows < 0 || (!record->in_loop && status == RUN_FAILED))
		present &= ~BIT(ROWS);
	if (record->error == NULL || status != RUN_FAILED)
		present &= ~BIT(ERROR_OF_STEP);
	if (!record->in_loop)
		present &= ~(BIT(TIMES) | BIT(FAILED));
	if (!record->outcome.has_result)
		present &= ~BIT(RESULT);
	if (record->held == NULL && record->outcome.actions == NULL)
		present &= ~BIT(ACTIONS);
	if (status == RUN_SKIPPED)
		present &= ~BIT(ATTEMPTS);
	sigma_jsonb_writer_members(writer, keys, lengthof(keys), present);
	if (present & BIT(ROWS))
		sigma_jsonb_writer_int(writer, record->rows);
	sigma_jsonb_writer_text(writer, step->type->type);
	if (present & BIT(ERROR_OF_STEP))
		write_error(writer, record->error, NULL, record->error_row);
	sigma_jsonb_writer_int(writer, step->index);
	if (record->in_loop)
	{
		sigma_jsonb_writer_int(writer, record->times);
		sigma_jsonb_writer_int(writer, record->failed);
	}
	if (record->outcome.has_result)
		sigma_jsonb_writer_value(writer, &record->outcome.result);
	sigma_jsonb_writer_text(writer, sigma_run_status_name(status));
	if (record->held != NULL)
		write_steps(writer, record->held, step->held);
	else if (record->outcome.actions != NULL)
	{
		sigma_jsonb_to_value(record->outcome.actions, &actions);
		sigma_jsonb_writer_value(writer, &actions);
	}
	sigma_jsonb_writer_text(writer, step->type->subtype[0] != '\0' ? step->type->subtype : NULL);
	if (present & BIT(ATTEMPTS))
		sigma_jsonb_writer_int(writer, record->attempts);
	sigma_jsonb_writer_text(writer, step->id);
	write_time(writer, record->started);
	write_milliseconds(writer, record->duration);
	sigma_jsonb_writer_end(writer);
}

/* What became of a step; in a loop, of all its times. */
static RunStatus
status_of(const StepRecord *record)
{
	if (!record->in_loop)
		return record->status;
	return record->failed > 0 ? RUN_FAILED : record->succeeded > 0 ? RUN_SUCCESS : RUN_SKIPPED;
}

/*
 * "error".  "place" is NULL, or whose error it is: the action, where it stands, and the
 * step of the sequence that it is, or is part of.  "row": at which row of a loop, or -1.
 */
static void
write_error(JsonbWriter *writer, const ErrorData *error, const StepRecord *place, int64 row)
{
	enum
	{
		ROW, HINT, PATH, INDEX, DETAIL, MESSAGE, SQLSTATE, ACTION_ID
	};
	static const JsonbKey keys[] = {
		JSONB_KEY("row"), JSONB_KEY("hint"), JSONB_KEY("path"), JSONB_KEY("index"), JSONB_KEY("detail"),
		JSONB_KEY("message"), JSONB_KEY("sqlstate"), JSONB_KEY("action_id")
	};
	const StepRecord *outermost = place;
	uint32		present = ALL(keys);

	if (row < 0)
		present &= ~BIT(ROW);
	if (error->hint == NULL)
		present &= ~BIT(HINT);
	if (error->detail == NULL)
		present &= ~BIT(DETAIL);
	if (place == NULL)
		present &= ~(BIT(INDEX) | BIT(ACTION_ID));
	if (place == NULL || place->outer == NULL)
		present &= ~BIT(PATH);
	while (outermost != NULL && outermost->outer != NULL)
		outermost = outermost->outer;
	sigma_jsonb_writer_members(writer, keys, lengthof(keys), present);
	if (row >= 0)
		sigma_jsonb_writer_int(writer, row);
	if (error->hint != NULL)
		sigma_jsonb_writer_text(writer, error->hint);
	if (present & BIT(PATH))
		sigma_jsonb_writer_text(writer, place->step->path);
	if (place != NULL)
		sigma_jsonb_writer_int(writer, outermost->step->index);
	if (error->detail != NULL)
		sigma_jsonb_writer_text(writer, error->detail);
	sigma_jsonb_writer_text(writer, error->message != NULL ? error->message : "");
	sigma_jsonb_writer_text(writer, unpack_sql_state(error->sqlerrcode));
	if (place != NULL)
		sigma_jsonb_writer_text(writer, place->step->id);
	sigma_jsonb_writer_end(writer);
}

/* "effects": what the client is to do, in order. */
static void
write_effects(JsonbWriter *writer, const List *effects)
{
	ListCell   *lc;
	JsonbValue	effect;

	sigma_jsonb_writer_array(writer, list_length(effects));
	foreach(lc, effects)
	{
		sigma_jsonb_to_value(lfirst(lc), &effect);
		sigma_jsonb_writer_value(writer, &effect);
	}
	sigma_jsonb_writer_end(writer);
}

/* "warnings": what rules of severity warn say of the rows that were written, then of the run itself. */
static void
write_warnings(JsonbWriter *writer, const Run *run)
{
	const RowWarnings *rows = &run->row_warnings;
	int			shown = list_length(rows->items);
	ListCell   *lc;

	sigma_jsonb_writer_array(writer, shown + 1 + list_length(run->warnings));
	foreach(lc, rows->items)
		write_row_warning(writer, lfirst(lc));
	if (rows->count > shown)
		write_warning(writer, psprintf(INT64_FORMAT " more warnings are not shown", rows->count - shown));
	foreach(lc, run->warnings)
		write_warning(writer, lfirst(lc));
	sigma_jsonb_writer_end(writer);
}

/* A warning about a row that was written. */
static void
write_row_warning(JsonbWriter *writer, const RowWarning *warning)
{
	static const JsonbKey keys[] = {
		JSONB_KEY("rule"), JSONB_KEY("index"), JSONB_KEY("value"), JSONB_KEY("column"), JSONB_KEY("row_id"),
		JSONB_KEY("message"), JSONB_KEY("severity"), JSONB_KEY("table_id")
	};

	sigma_jsonb_writer_members(writer, keys, lengthof(keys), ALL(keys));
	sigma_jsonb_writer_text(writer, warning->failure.rule);
	sigma_jsonb_writer_int(writer, warning->step);
	sigma_jsonb_writer_text(writer, warning->failure.value);
	sigma_jsonb_writer_text(writer, warning->failure.column);
	sigma_jsonb_writer_int(writer, warning->failure.row_id);
	sigma_jsonb_writer_text(writer, warning->failure.message);
	sigma_jsonb_writer_text(writer, "warn");
	sigma_jsonb_writer_text(writer, warning->table);
	sigma_jsonb_writer_end(writer);
}

/* A warning that is about no row. */
static void
write_warning(JsonbWriter *writer, const char *message)
{
	static const JsonbKey keys[] = {JSONB_KEY("message")};

	sigma_jsonb_writer_members(writer, keys, lengthof(keys), ALL(keys));
	sigma_jsonb_writer_text(writer, message);
	sigma_jsonb_writer_end(writer);
}

/* A span in milliseconds, to the microsecond. */
static void
write_milliseconds(JsonbWriter *writer, int64 microseconds)
{
	sigma_jsonb_writer_numeric(writer, int64_div_fast_to_numeric(microseconds, 3));
}

/* A point in time, as to_jsonb() writes it. */
static void
write_time(JsonbWriter *writer, TimestampTz time)
{
	char		buf[MAXDATELEN + 1];

	JsonEncodeDateTime(buf, TimestampTzGetDatum(time), TIMESTAMPTZOID, NULL);
	sigma_jsonb_writer_text(writer, buf);
}
