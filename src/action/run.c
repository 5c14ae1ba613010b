/*
 * run.c
 *		The executor of action sequences.
 *
 * An atomic run has one subtransaction around everything; a step has one of its
 * own only where its failure must be contained.  The run's row of history is
 * written after all that.  Errors are contained but for those that are not the
 * run's to decide about: a cancel by the user, by statement_timeout or by
 * shutdown, failed assertions, and serialization failures where the caller's
 * snapshot spans the transaction.
 *
 * Everything of a run lives in one memory context under the caller's, deleted at
 * the end; the compiled sequence is pinned meanwhile.  Runs nest: a step may fire
 * a trigger that runs another sequence.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "action/action.h"
#include "action/inject.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "compat.h"

#define MAX_KEY	255				/* bytes of an idempotency key */

PG_FUNCTION_INFO_V1(execute_sequence);
PG_FUNCTION_INFO_V1(execute_action);

static Run *current_run = NULL; /* innermost */

static void begin_run(Run *run, const Sequence *sequence, RunContext *context);
static void run_guarded(Run *run, Verdict verdict);
static void make_alert(Run *run);
static bool evaluate_alert(Run *run);
static void skip_run(Run *run, const char *reason);
static void fail_run(Run *run, ErrorData *error, int step);
static void roll_back(Run *run, ContextMark mark);
static bool is_running_above(const Run *run);
static bool claim_key(Run *run);
static bool take_turn(Run *run);
static bool run_steps(Run *run);
static bool run_step(Run *run, int index);
static ErrorData *attempt_contained(Run *run, const Step *step, StepRecord *record);
static bool attempt_step(Run *run);
static bool wait_for_retry(Run *run);
static bool end_step(Run *run, int index, ErrorData *error);
static bool check_run_deadline(Run *run, int index);
static bool must_rethrow(const ErrorData *error);
static ErrorData *make_error(int sqlstate, const char *message, const char *hint);
static void describe_timeout(Run *run, ErrorData *error, const Deadline *passed);
static int64 microseconds_since(instr_time start);

/*
 * Entry points
 */

/* execute_sequence(sequence_id text, context jsonb) returns jsonb */
Datum
execute_sequence(PG_FUNCTION_ARGS)
{
	char	   *id = sigma_text_argument(fcinfo, 0, "sequence_id");

	PG_RETURN_JSONB_P(sigma_run_execute(id, false, sigma_context_argument(fcinfo, 1)));
}

/* execute_action(action_id text, context jsonb) returns jsonb */
Datum
execute_action(PG_FUNCTION_ARGS)
{
	char	   *id = sigma_text_argument(fcinfo, 0, "action_id");

	PG_RETURN_JSONB_P(sigma_run_execute(id, true, sigma_context_argument(fcinfo, 1)));
}

/*
 * Run one sequence or action; the result, in the caller's context.  Raises SG404
 * for an unknown id and SG400 for a context that cannot be read.
 */
Jsonb *
sigma_run_execute(const char *id, bool is_action, Jsonb *document)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt = AllocSetContextCreate(caller, "sigma execute", ALLOCSET_DEFAULT_SIZES);
	RunContext *context;
	Sequence   *sequence;
	Jsonb	   *volatile result = NULL;

	check_stack_depth();
	MemoryContextSwitchTo(cxt);
	context = sigma_run_read_context(document);
	sequence = sigma_sequence_pin(id, is_action);
	PG_TRY();
	{
		result = sigma_run_pinned(sequence, context, VERDICT_OPEN, NULL);
	}
	PG_FINALLY();
	{
		sigma_sequence_unpin(sequence);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	result = DatumGetJsonbPCopy(JsonbPGetDatum(result));
	MemoryContextDelete(cxt);
	return result;
}

/* The context of a run.  Raises SG400 where it cannot be read, or its key cannot be stored. */
RunContext *
sigma_run_read_context(Jsonb *document)
{
	RunContext *context = sigma_context_read(document);
	const char *key = context->idempotency_key;

	if (key != NULL && (key[0] == '\0' || strlen(key) > MAX_KEY))
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_DOCUMENT),
				 errmsg("\"idempotency_key\" must have 1 to %d bytes", MAX_KEY),
				 errdetail("$.idempotency_key"),
				 errhint("A uuid that the client makes for each thing to be done is a good key.")));
	return context;
}

/*
 * A run
 */

/*
 * Run a pinned sequence and record it; the result document, in the current
 * context.  "broken": why the sequence cannot be run at all, or NULL.
 */
Jsonb *
sigma_run_pinned(const Sequence *sequence, RunContext *context, Verdict verdict, ErrorData *broken)
{
	Run		   *run = palloc0(sizeof(Run));
	SessionState session = sigma_session;
	Deadline   *deadlines = sigma_deadline_top();
	Run		   *outer = current_run;
	Jsonb	   *volatile result = NULL;
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	begin_run(run, sequence, context);
	PG_TRY();
	{
		current_run = run;
		sigma_run_announce(run);
		SPI_connect();
		MemoryContextSwitchTo(run->cxt);
		if (broken != NULL)
			fail_run(run, broken, -1);
		else
			run_guarded(run, verdict);
		sigma_deadline_unwind(deadlines);
		if (run->stored != NULL)
			result = run->stored;
		else
		{
			make_alert(run);
			run->ended = GetCurrentTimestamp();
			run->duration = microseconds_since(start);
			result = sigma_run_result(run);
			sigma_history_write(run, result);
		}
		SPI_finish();
		MemoryContextSwitchTo(run->cxt);
	}
	PG_CATCH();
	{
		sigma_deadline_abandon(deadlines);
		sigma_session = session;
		current_run = outer;
		PG_RE_THROW();
	}
	PG_END_TRY();
	sigma_session = session;
	current_run = outer;
	sigma_run_withdraw(run);

	/* a run further out is over its time: what it waits for may take long */
	if (deadlines != NULL && sigma_deadline_passed() != NULL)
		sigma_deadline_forward();
	return result;
}

/* Fill in a run, and say who works for whom from now on. */
static void
begin_run(Run *run, const Sequence *sequence, RunContext *context)
{
	run->outer = current_run;
	run->cxt = CurrentMemoryContext;
	run->sequence = sequence;
	run->context = context;
	run->execution_id = sigma_new_uuid();
	run->started = GetCurrentTimestamp();
	run->current = -1;
	run->error_step = -1;
	run->status = RUN_SUCCESS;
	run->records = palloc0(sizeof(StepRecord) * (sequence->nstep + 1));

	run->row_warnings.cxt = run->cxt;
	run->row_warnings.most = sigma_max_errors;

	sigma_session.origin = ORIGIN_ACTION;
	sigma_session.execution_id = run->execution_id;
	sigma_session.warnings = &run->row_warnings;
	if (context->user_id != NULL)
		sigma_session.user_id = context->user_id;
	if (context->mode != NULL)
		sigma_session.mode = context->mode;
}

/* Everything between the beginning and the record of a run. */
static void
run_guarded(Run *run, Verdict verdict)
{
	const Sequence *sequence = run->sequence;
	ContextMark mark;
	ErrorData  *error = NULL;
	bool		kept = true;

	if (is_running_above(run))
	{
		skip_run(run, sequence->is_paused ? "paused" : "already_running");
		return;
	}
	sigma_deadline_push(&run->deadline, sequence->timeout);
	if (run->context->idempotency_key != NULL && !claim_key(run))
		return;
	if (sequence->is_paused)
	{
		skip_run(run, "paused");
		return;
	}
	if (sequence->concurrency != CONCURRENCY_ALLOW && !take_turn(run))
		return;
	if (verdict == VERDICT_OPEN && sequence->condition != NULL)
	{
		error = sigma_run_guard(run, sigma_run_check_condition, &kept);
		if (error != NULL)
		{
			fail_run(run, error, -1);
			return;
		}
		verdict = kept ? VERDICT_TRUE : VERDICT_FALSE;
	}
	if (verdict == VERDICT_FALSE)
	{
		skip_run(run, "condition_false");
		return;
	}
	if (!sequence->atomic)
	{
		(void) run_steps(run);
		return;
	}

	mark = sigma_context_mark(run->context);
	error = sigma_run_guard(run, run_steps, &kept);
	if (error != NULL)
		(void) end_step(run, run->current, error);
	if (error != NULL || !kept)
	{
		run->status = RUN_FAILED;
		roll_back(run, mark);
	}
}

/* The alert that a sequence has for this end of a run. */
static const Alert *
alert_of(const Run *run)
{
	return run->status == RUN_SUCCESS ? run->sequence->success_alert :
		run->status == RUN_FAILED ? run->sequence->failure_alert : NULL;
}

/*
 * Evaluate the texts of the alert.  The run is over and decided: an alert that fails,
 * or takes longer than a run may, is a warning.
 */
static void
make_alert(Run *run)
{
	ErrorData  *error;
	bool		kept;

	if (alert_of(run) == NULL)
		return;
	sigma_deadline_push(&run->deadline, run->sequence->timeout);
	error = sigma_run_guard(run, evaluate_alert, &kept);
	sigma_deadline_unwind(run->deadline.outer);
	if (error != NULL)
		run->warnings = lappend(run->warnings, psprintf("the alert could not be made: %s", error->message));
	run->alerts = error == NULL;
}

/* Guarded work: the texts of the alert. */
static bool
evaluate_alert(Run *run)
{
	const Alert *alert = alert_of(run);

	if (alert->title != NULL)
		run->alert_title = sigma_value_source_text(alert->title, run->context);
	if (alert->message != NULL)
		run->alert_message = sigma_value_source_text(alert->message, run->context);
	return true;
}

/* The run does not take place. */
static void
skip_run(Run *run, const char *reason)
{
	run->status = RUN_SKIPPED;
	run->reason = reason;
}

/* The run ends here; "step" is whose error it is, or -1. */
static void
fail_run(Run *run, ErrorData *error, int step)
{
	run->status = RUN_FAILED;
	run->error = error;
	run->error_step = step;
}

/* Nothing of the run is left but what it reports. */
static void
roll_back(Run *run, ContextMark mark)
{
	sigma_context_restore(run->context, mark);
	run->effects = NIL;
	sigma_run_forget_warnings(run, 0);
	run->rows_changed = 0;
	run->rolled_back = true;
}

/* Of the warnings about rows only the first "kept" hold still: the others' rows are rolled back. */
void
sigma_run_forget_warnings(Run *run, int64 kept)
{
	run->row_warnings.count = kept;
	run->row_warnings.items = list_truncate(run->row_warnings.items, Min(kept, run->row_warnings.most));
}

/* Does the same sequence run further up this session's stack? */
static bool
is_running_above(const Run *run)
{
	const Run  *above;

	for (above = run->outer; above != NULL; above = above->outer)
		if (above->sequence->is_action == run->sequence->is_action &&
			strcmp(above->sequence->id, run->sequence->id) == 0)
			return true;
	return false;
}

/*
 * Take the idempotency key of the context for this run, before anything of it
 * can be undone.  False: the run is over, because another one had the key
 * (run->stored is its result), or because waiting for it failed.  Raises SG409
 * where that one had another input.
 */
static bool
claim_key(Run *run)
{
	bool		kept;
	ErrorData  *error = sigma_run_guard(run, sigma_key_claim, &kept);

	if (error != NULL)
	{
		if (error->sqlerrcode == ERRCODE_SIGMA_CONFLICT)
			ReThrowError(error);
		fail_run(run, error, -1);
		return false;
	}
	run->claimed = run->stored == NULL;
	return run->claimed;
}

/*
 * Where a sequence may run in one session at a time: wait for the turn, or skip
 * the run.  The lock is held until the caller's transaction ends, because until
 * then nobody else sees what the run did.  False: the run is over.
 */
static bool
take_turn(Run *run)
{
	bool		kept;
	ErrorData  *error = sigma_run_guard(run, run->sequence->concurrency == CONCURRENCY_WAIT ?
										sigma_run_wait_for_turn : sigma_run_try_turn, &kept);

	if (error != NULL)
		fail_run(run, error, -1);
	else if (!kept)
		skip_run(run, "already_running");
	return error == NULL && kept;
}

/* Guarded work: does the sequence's condition hold? */
bool
sigma_run_check_condition(Run *run)
{
	return sigma_condition_evaluate(run->sequence->condition, run->context);
}

/* All steps in order.  False: the run failed. */
static bool
run_steps(Run *run)
{
	int			i;

	for (i = 0; i < run->sequence->nstep; i++)
		if (!run_step(run, i))
			return false;
	return true;
}

/* One step with all its attempts.  False: the run ends here, failed. */
static bool
run_step(Run *run, int index)
{
	const Sequence *sequence = run->sequence;
	const Step *step = &sequence->steps[index];
	StepRecord *record = &run->records[index];
	ErrorData  *error = NULL;
	instr_time	start;

	if (sequence->max_actions >= 0 && run->executed >= sequence->max_actions)
	{
		fail_run(run, make_error(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
								 psprintf("the run needs more than %lld actions", (long long) sequence->max_actions),
								 "\"max_actions\" of the sequence's \"execution_config\" sets the limit."), index);
		return false;
	}
	run->current = index;
	run->nrecord = index + 1;
	record->started = GetCurrentTimestamp();
	INSTR_TIME_SET_CURRENT(start);

	if (sequence->atomic && sequence->stop_on_error && step->handling == HANDLING_FAIL)
		(void) attempt_step(run);
	else
		error = attempt_contained(run, step, record);
	record->duration = microseconds_since(start);
	return end_step(run, index, error) && check_run_deadline(run, index);
}

/* The attempts of a step whose failure is contained.  NULL, or the last error. */
static ErrorData *
attempt_contained(Run *run, const Step *step, StepRecord *record)
{
	ErrorData  *error;
	bool		kept;

	for (;;)
	{
		ContextMark mark = sigma_context_mark(run->context);
		int64		warned = run->row_warnings.count;

		error = sigma_run_guard(run, attempt_step, &kept);
		if (error == NULL)
			return NULL;
		sigma_context_restore(run->context, mark);
		sigma_run_forget_warnings(run, warned);
		if (step->handling != HANDLING_RETRY || record->attempts > step->retry_times ||
			run->over_limit || sigma_deadline_passed() != NULL)
			return error;
		if (step->retry_backoff > 0)
		{
			ErrorData  *late = sigma_run_guard(run, wait_for_retry, &kept);

			if (late != NULL)
				return late;
		}
	}
}

/* One attempt of the current step; raises what goes wrong. */
static bool
attempt_step(Run *run)
{
	const Step *step = &run->sequence->steps[run->current];
	StepRecord *record = &run->records[run->current];
	int64		limit = run->sequence->max_rows_changed;

	CHECK_FOR_INTERRUPTS();
	record->attempts++;
	memset(&record->outcome, 0, sizeof(StepOutcome));
	record->outcome.rows = -1;
	record->status = RUN_SKIPPED;
	run->row_warnings.step = run->current;
	if (step->timeout > 0)
		sigma_deadline_push(&run->step_deadline, step->timeout);

	if (sigma_condition_evaluate(step->condition, run->context))
	{
		sigma_injections_meet(run, step);
		step->type->run(run, step, &record->outcome);
		record->status = RUN_SUCCESS;
		if (limit >= 0 && record->outcome.rows > 0 && run->rows_changed + record->outcome.rows > limit)
		{
			run->over_limit = true;
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("the run changes more than %lld rows", (long long) limit),
					 errhint("\"max_rows_changed\" of the sequence's \"execution_config\" sets the limit.")));
		}
		if (step->output_variable != NULL)
		{
			JsonbValue	null;

			null.type = jbvNull;
			sigma_context_set_variable(run->context, step->output_variable,
									   record->outcome.has_result ? &record->outcome.result : &null);
		}
	}

	if (step->timeout > 0)
	{
		bool		late = sigma_deadline_passed() == &run->step_deadline;

		sigma_deadline_unwind(run->step_deadline.outer);
		if (late)
		{
			run->step_late = true;
			ereport(ERROR,
					(errcode(ERRCODE_QUERY_CANCELED),
					 errmsg("action exceeded its limit of %d ms", step->timeout)));
		}
	}
	return true;
}

/* Sleep before the next attempt; a cancel, or the run's deadline, ends it. */
static bool
wait_for_retry(Run *run)
{
	sigma_run_sleep(run->sequence->steps[run->current].retry_backoff);
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
		sigma_deadline_expire(&run->step_deadline);
	if (run->deadline.at != DT_NOEND)
		sigma_deadline_expire(&run->deadline);
	run->step_late = true;
	run->step_deadline.limit = 0;
	ereport(ERROR,
			(errcode(ERRCODE_QUERY_CANCELED),
			 errmsg("action exceeded its limit")));
}

/* Take the outcome of a step into the run.  False: its failure ends the run. */
static bool
end_step(Run *run, int index, ErrorData *error)
{
	const Step *step = &run->sequence->steps[index];
	StepRecord *record = &run->records[index];

	if (error == NULL)
	{
		if (record->status == RUN_SKIPPED)
			return true;
		run->executed++;
		if (record->outcome.rows > 0)
			run->rows_changed += record->outcome.rows;
		if (record->outcome.effect != NULL)
			run->effects = lappend(run->effects, record->outcome.effect);
		return true;
	}

	run->executed++;
	run->failed++;
	record->status = RUN_FAILED;
	record->error = error;
	memset(&record->outcome, 0, sizeof(StepOutcome));
	record->outcome.rows = -1;
	if (record->duration == 0)
		record->duration = GetCurrentTimestamp() - record->started;
	if (run->error == NULL)
	{
		run->error = error;
		run->error_step = index;
	}
	if (run->over_limit || (run->sequence->stop_on_error && step->handling != HANDLING_CONTINUE))
	{
		fail_run(run, error, index);
		return false;
	}
	return true;
}

/* Has the time run out, whatever the step made of it?  False: the run ends, failed. */
static bool
check_run_deadline(Run *run, int index)
{
	Deadline   *passed = sigma_deadline_passed();
	ErrorData  *error;

	if (passed == NULL)
		return true;
	if (!sigma_deadline_is_within(passed, &run->deadline))
		sigma_deadline_forward();
	error = make_error(ERRCODE_QUERY_CANCELED, "", NULL);
	describe_timeout(run, error, passed);
	fail_run(run, error, index);
	return false;
}

/*
 * Containment
 */

/*
 * Do work in a subtransaction.  Returns NULL where it ended by itself (*kept:
 * what it returned; false undoes it), else the error that it raised, in the run's
 * context, after undoing it.  Errors that are not ours to contain are rethrown.
 */
ErrorData *
sigma_run_guard(Run *run, GuardedWork work, bool *kept)
{
	ResourceOwner owner = CurrentResourceOwner;
	Deadline   *deadlines = sigma_deadline_top();
	SessionState session = sigma_session;
	ErrorData  *volatile error = NULL;
	Deadline   *passed = NULL;
	bool		ours;

	*kept = false;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(run->cxt);
	PG_TRY();
	{
		*kept = work(run);
		if (*kept)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(run->cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(run->cxt);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return NULL;

	*kept = false;
	sigma_session = session;
	ours = sigma_deadline_caused(error);
	if (!ours && !run->step_late && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
	{
		/* guards further out must still see whose it is, should their time run out meanwhile */
		sigma_deadline_abandon(deadlines);
		ReThrowError(error);
	}
	if (ours)
		passed = sigma_deadline_passed();
	else if (run->step_late)
		passed = &run->step_deadline;
	sigma_deadline_unwind(deadlines);
	if (ours && passed != NULL && !sigma_deadline_is_within(passed, &run->deadline))
		sigma_deadline_forward();
	if (!ours && !run->step_late && must_rethrow(error))
		ReThrowError(error);
	if (ours || run->step_late)
		describe_timeout(run, error, passed);
	run->step_late = false;
	return error;
}

/* Errors that a run must not swallow. */
static bool
must_rethrow(const ErrorData *error)
{
	switch (error->sqlerrcode)
	{
		case ERRCODE_QUERY_CANCELED:
		case ERRCODE_ASSERT_FAILURE:
		case ERRCODE_ADMIN_SHUTDOWN:
		case ERRCODE_CRASH_SHUTDOWN:
		case ERRCODE_CANNOT_CONNECT_NOW:
		case ERRCODE_DATABASE_DROPPED:
			return true;
		case ERRCODE_T_R_SERIALIZATION_FAILURE:
			return IsolationUsesXactSnapshot();
		default:
			return false;
	}
}

/* An error that was not raised, in the current context. */
static ErrorData *
make_error(int sqlstate, const char *message, const char *hint)
{
	ErrorData  *error = palloc0(sizeof(ErrorData));

	error->elevel = ERROR;
	error->sqlerrcode = sqlstate;
	error->message = pstrdup(message);
	error->hint = hint == NULL ? NULL : pstrdup(hint);
	error->assoc_context = CurrentMemoryContext;
	return error;
}

/* Say in words whose time ran out. */
static void
describe_timeout(Run *run, ErrorData *error, const Deadline *passed)
{
	bool		of_step = passed == &run->step_deadline;

	if (of_step && run->step_deadline.limit == 0)
		return;					/* injected */
	error->message = psprintf("%s exceeded its limit of %d ms", of_step ? "action" : "run",
							  of_step ? run->step_deadline.limit : run->deadline.limit);
	error->detail = NULL;
	error->hint = pstrdup(of_step ? "\"timeout_ms\" of the action sets the limit; 0 means none." :
						  "\"timeout_ms\" of the sequence sets the limit; 0 means none.");
}

static int64
microseconds_since(instr_time start)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	return (int64) INSTR_TIME_GET_MICROSEC(now);
}

const char *
sigma_run_status_name(RunStatus status)
{
	static const char *const names[] = {"success", "failed", "skipped"};

	return names[status];
}

/* The innermost run of this session, or NULL. */
Run *
sigma_run_current(void)
{
	return current_run;
}

