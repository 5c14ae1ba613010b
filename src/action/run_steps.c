/*
 * run_steps.c
 *		Running steps in order: attempts, limits, records.
 *
 * A step has a subtransaction of its own only where its failure must be contained:
 * not where whatever it leaves is undone further out.  What it did is noted in its
 * record.  A step that holds others - a branch, a loop - runs them by the same rules.
 *
 * An error that no step in between contains passes through the records of all steps
 * being run; whoever contains it notes it in each of them (sigma_run_note_error).
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "action/action.h"
#include "action/inject.h"
#include "common/errors.h"
#include "compat.h"

static bool run_step(Run *run, const Step *step, StepRecord *record);
static void begin_record(Run *run, const Step *step, StepRecord *record);
static ErrorData *attempt_contained(Run *run, const Step *step, StepRecord *record);
static bool attempt_step(Run *run);
static void do_step(Run *run, const Step *step, StepRecord *record);
static void count_action(Run *run);
static void check_rows_changed(Run *run, int64 rows);
static const Run *pass_limit(Run *run, bool of_rows);
static void end_late_step(Run *run, StepRecord *record);
static bool wait_for_retry(Run *run);
static bool end_step(Run *run, StepRecord *record, ErrorData *error);
static bool ends_run(const Run *run, const StepRecord *record, const ErrorData *error);
static bool end_failed_step(Run *run, StepRecord *record, ErrorData *error);
static void note_failure(StepRecord *record, ErrorData *error);
static bool is_loop(const StepRecord *record);
static bool check_deadlines(Run *run, StepRecord *record);
static void forget_failures(Run *run, const RunMark *mark);

/*
 * Run the steps of a list in order, until one of them ends the run; "records" are those
 * of all steps of what holds the list.  False: the run has failed.
 */
bool
sigma_steps_run(Run *run, const StepList *list, StepRecord *records)
{
	int			i;

	check_stack_depth();
	for (i = 0; i < list->count && !run->stopped; i++)
	{
		const Step *step = &list->steps[i];

		if (run->record == NULL)
			run->current = i;
		if (!run_step(run, step, &records[step->ordinal]))
			return false;
	}
	return true;
}

/* The records of the steps that the step being run holds; they last as long as the run. */
StepRecord *
sigma_run_held_records(Run *run)
{
	StepRecord *record = run->record;

	if (record->held == NULL)
		record->held = MemoryContextAllocZero(run->kept, sizeof(StepRecord) * (record->step->held + 1));
	return record->held;
}

/* One step with all its attempts.  False: the run ends here, failed. */
static bool
run_step(Run *run, const Step *step, StepRecord *record)
{
	const Sequence *sequence = run->sequence;
	StepRecord *outer = run->record;
	ErrorData  *error = NULL;
	instr_time	start;
	bool		going;

	INSTR_TIME_SET_CURRENT(start);
	begin_record(run, step, record);
	if (run->unit && sequence->stop_on_error && step->handling == HANDLING_FAIL)
		(void) attempt_step(run);
	else
		error = attempt_contained(run, step, record);
	record->duration += sigma_microseconds_since(start);
	going = end_step(run, record, error);
	run->record = outer;
	return going && check_deadlines(run, record);
}

/* The step is the innermost one from now on. */
static void
begin_record(Run *run, const Step *step, StepRecord *record)
{
	StepRecord *outer = run->record;

	if (record->times++ == 0)
	{
		record->step = step;
		record->outer = outer;
		record->in_loop = outer != NULL && (outer->in_loop || is_loop(outer));
		record->rows = record->error_row = -1;

		record->started = GetCurrentTimestamp();
	}
	record->attempt = 0;
	run->record = record;
}

/*
 * The attempts of a step whose failure is contained.  NULL, or the last error: what the
 * step raised; what a sequence that it ran has failed by is in the outcome.
 */
static ErrorData *
attempt_contained(Run *run, const Step *step, StepRecord *record)
{
	bool		unit = run->unit;

	for (;;)
	{
		ErrorData  *error;
		RunMark		mark;
		bool		kept;

		sigma_run_mark(run, &mark);
		/* steps that it holds need not be contained one by one where it is undone as a whole */
		run->unit = unit || step->handling != HANDLING_FAIL;
		error = sigma_run_guard(run, attempt_step, &kept);
		run->unit = unit;
		if (error != NULL || !kept)
			sigma_run_undo(run, &mark);
		else
			sigma_context_release(run->context, mark.context);
		if (error == NULL && record->outcome.error == NULL)
			return NULL;
		if (step->handling != HANDLING_RETRY || record->attempt > step->retry_times ||
			run->must_end || sigma_deadline_passed() != NULL)
			return error;
		forget_failures(run, &mark);
		run->record = record;
		if (step->retry_backoff > 0)
		{
			ErrorData  *late = sigma_run_guard(run, wait_for_retry, &kept);

			if (late != NULL)
				return late;
		}
	}
}

/*
 * One attempt of the current step; raises what goes wrong.  False: a step that it holds
 * has failed, and what it did is to be undone with it.
 */
static bool
attempt_step(Run *run)
{
	StepRecord *record = run->record;
	const Step *step = record->step;

	CHECK_FOR_INTERRUPTS();
	record->attempt++;
	record->attempts++;
	memset(&record->outcome, 0, sizeof(StepOutcome));
	record->outcome.rows = -1;
	record->status = RUN_SKIPPED;
	run->row_warnings.step = run->current;
	if (step->timeout > 0)
	{
		sigma_deadline_push(&record->deadline, step->timeout);
		record->deadline.of_step = true;
	}
	if (sigma_condition_evaluate(step->condition, run->context))
		do_step(run, step, record);
	if (step->timeout > 0)
		end_late_step(run, record);
	return run->ending == NULL || step->handling == HANDLING_FAIL;
}

/* What the step is there for, and its output variable. */
static void
do_step(Run *run, const Step *step, StepRecord *record)
{
	StepOutcome *outcome = &record->outcome;
	JsonbValue	null;

	if (record->attempt == 1)
		count_action(run);
	sigma_injections_meet(run, step);
	step->type->run(run, step, outcome);
	if (run->ending != NULL)
		outcome->error = run->ending;	/* a step that it holds has failed */
	if (outcome->error != NULL)
		return;
	if (outcome->rows > 0)
		check_rows_changed(run, run->rows_changed + outcome->rows);
	record->status = outcome->skipped ? RUN_SKIPPED : RUN_SUCCESS;
	if (step->output_variable == NULL)
		return;
	null.type = jbvNull;
	sigma_context_set_variable(run->context, step->output_variable, outcome->has_result ? &outcome->result : &null);
}

/* One more action is done; 53400 where that is too many. */
static void
count_action(Run *run)
{
	run->executed++;
	if (run->max_actions < 0 || run->executed <= run->max_actions)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("the run needs more than %lld actions", (long long) pass_limit(run, false)->sequence->max_actions),
			 errhint("\"max_actions\" of the sequence's \"execution_config\" sets the limit.")));
}

/* 53400 where the run would have changed more rows than it may. */
static void
check_rows_changed(Run *run, int64 rows)
{
	if (run->max_rows_changed < 0 || rows <= run->max_rows_changed)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("the run changes more than %lld rows", (long long) pass_limit(run, true)->sequence->max_rows_changed),
			 errhint("\"max_rows_changed\" of the sequence's \"execution_config\" sets the limit.")));
}

/* A limit is passed: nothing contains that, up to the run whose limit it is, which is returned. */
static const Run *
pass_limit(Run *run, bool of_rows)
{
	run->over_limit = run->must_end = true;
	while (of_rows ? run->rows_lent : run->actions_lent)
	{
		run = run->caller;
		run->over_limit = run->must_end = true;
	}
	return run;
}

/* Take the step's own limit away; raises where it has passed, whatever the step made of it. */
static void
end_late_step(Run *run, StepRecord *record)
{
	bool		late = sigma_deadline_passed() == &record->deadline;

	sigma_deadline_unwind(record->deadline.outer);
	if (!late)
		return;
	run->step_late = true;
	ThrowErrorData(sigma_error_late(CurrentMemoryContext, &record->deadline));
}

/* Sleep before the next attempt; a cancel, or the run's deadline, ends it. */
static bool
wait_for_retry(Run *run)
{
	sigma_run_sleep(run->record->step->retry_backoff);
	return true;
}

/* Sleep; raises what interrupts it. */
void
sigma_run_sleep(int milliseconds)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), milliseconds);

	for (;;)
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), until);

		CHECK_FOR_INTERRUPTS();
		if (left <= 0)
			return;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}

/*
 * A fault: the current step takes longer than it may, or than the run may where it
 * has no limit of its own.
 */
void
sigma_run_time_out(Run *run, const Step *step)
{
	if (step->timeout > 0)
		sigma_deadline_expire(&run->record->deadline);
	if (run->deadline.at != DT_NOEND)
		sigma_deadline_expire(&run->deadline);
	run->step_late = true;
	ereport(ERROR,
			(errcode(ERRCODE_QUERY_CANCELED),
			 errmsg("action exceeded its limit")));
}

/* Take the outcome of a step into the run.  False: the run, or the step that holds this one, ends here, failed. */
static bool
end_step(Run *run, StepRecord *record, ErrorData *error)
{
	StepOutcome *outcome = &record->outcome;

	if (error != NULL || outcome->error != NULL)
		return end_failed_step(run, record, error);
	if (record->status == RUN_SUCCESS)
		record->succeeded++;
	if (outcome->rows >= 0)
		record->rows = Max(record->rows, 0) + outcome->rows;
	if (outcome->rows > 0)
		run->rows_changed += outcome->rows;
	if (outcome->effect != NULL)
		sigma_run_add_effect(run, outcome->effect);
	return true;
}

/* Does a failure of that type of step, or of the one within it that failed, end the run whatever stop_on_error says? */
static bool
ends_run(const Run *run, const StepRecord *record, const ErrorData *error)
{
	return record->step->type->ends_run ||
		(error == NULL && run->ending != NULL && run->ending_record->step->type->ends_run);
}

/* "error": what the step raised; NULL: what failed is in its outcome. */
static bool
end_failed_step(Run *run, StepRecord *record, ErrorData *error)
{
	StepRecord *failed;
	bool		ends = run->must_end ||
		((run->sequence->stop_on_error || ends_run(run, record, error)) && record->step->handling != HANDLING_CONTINUE);

	if (error == NULL && run->ending != NULL)
	{
		/* that of a step that it holds, which is noted */
		failed = run->ending_record;
		error = run->ending;
		note_failure(record, error);
	}
	else
	{
		if (error == NULL)
			error = record->outcome.error;
		failed = sigma_run_note_error(run, record, error);
	}
	run->ending = ends ? error : NULL;
	run->ending_record = ends ? failed : NULL;
	/* a loop may contain a great many */
	if (!ends && failed == record && error != record->error && error != run->error)
		FreeErrorData(error);
	return !ends;
}

/* What the client is to do; it must outlast a row of a loop. */
void
sigma_run_add_effect(Run *run, Jsonb *effect)
{
	MemoryContext old = MemoryContextSwitchTo(run->kept);

	if (run->cxt != run->kept)
		effect = DatumGetJsonbPCopy(JsonbPGetDatum(effect));
	run->effects = lappend(run->effects, effect);
	MemoryContextSwitchTo(old);
}

/*
 * An error has come to the step of "record" from the innermost one being run: both, and
 * all in between, have failed by it.  The run goes on from "record".  Returns whose
 * error it is: the innermost step's, or that of the step that is late.
 */
StepRecord *
sigma_run_note_error(Run *run, StepRecord *record, ErrorData *error)
{
	StepRecord *failed = run->record;
	StepRecord *one;

	for (one = run->record; one != record->outer; one = one->outer)
	{
		note_failure(one, error);
		if (&one->deadline == run->late)
			failed = one;
	}
	run->late = NULL;
	run->failed++;
	if (run->error == NULL)
	{
		run->error = error;
		run->error_record = failed;
	}
	run->record = record;
	return failed;
}

/* One more failure of a step. */
static void
note_failure(StepRecord *record, ErrorData *error)
{
	StepRecord *outer;

	record->status = RUN_FAILED;
	record->failed++;
	if (record->outcome.error == NULL || record->step->held > 0)
		record->outcome.has_result = false; /* a sequence that it ran tells of its failure */
	record->outcome.effect = NULL;
	record->outcome.rows = -1;
	if (record->duration == 0)
		record->duration = GetCurrentTimestamp() - record->started;
	if (record->error != NULL)
		return;
	record->error = error;
	for (outer = record->outer; outer != NULL && record->error_row < 0; outer = outer->outer)
		if (is_loop(outer))
			record->error_row = outer->row;
}

/* Of a step that runs others for each row? */
static bool
is_loop(const StepRecord *record)
{
	return record->step->type->run == sigma_flow_run && record->step->type->code == FLOW_FOR_EACH;
}

/*
 * Has the time run out, whatever the step made of it?  False: the run ends, late.
 * Raises where it is a run further out, or a step that holds this one, that is late.
 */
static bool
check_deadlines(Run *run, StepRecord *record)
{
	Deadline   *passed = sigma_deadline_passed();

	if (passed == NULL)
		return true;
	if (passed != &run->deadline)
		sigma_deadline_forward();
	run->ending = sigma_error_late(run->kept, passed);
	run->ending_record = record;
	return false;
}

/*
 * Undoing
 */

/* Remember how far the run has come. */
void
sigma_run_mark(Run *run, RunMark *mark)
{
	mark->context = sigma_context_mark(run->context);
	mark->warned = run->row_warnings.count;
	mark->rows_changed = run->rows_changed;
	mark->effects = list_length(run->effects);
	mark->failed = run->failed;
	mark->error = run->error;
	mark->error_record = run->error_record;
}

/* What was done since is undone. */
void
sigma_run_undo(Run *run, const RunMark *mark)
{
	sigma_context_restore(run->context, mark->context);
	sigma_run_forget_warnings(run, mark->warned);
	run->rows_changed = mark->rows_changed;
	run->effects = list_truncate(run->effects, mark->effects);
}

/* What failed since is done again. */
static void
forget_failures(Run *run, const RunMark *mark)
{
	run->failed = mark->failed;
	run->error = mark->error;
	run->error_record = mark->error_record;
	run->ending = NULL;
	run->ending_record = NULL;
}

/* Of the warnings about rows only the first "kept" hold still: the others' rows are rolled back. */
void
sigma_run_forget_warnings(Run *run, int64 kept)
{
	run->row_warnings.count = kept;
	run->row_warnings.items = list_truncate(run->row_warnings.items, Min(kept, run->row_warnings.most));
}

/* A number as the bare result of a step. */
void
sigma_outcome_number(StepOutcome *outcome, int64 number)
{
	outcome->has_result = true;
	outcome->result.type = jbvNumeric;
	outcome->result.val.numeric = int64_to_numeric(number);
}
