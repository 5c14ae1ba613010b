/*
 * run.c
 *		The executor of action sequences.
 *
 * An atomic run has one subtransaction around everything; a step has one of its
 * own only where its failure must be contained (run_steps.c, contain.c).  The run's
 * row of history is written after all that.
 *
 * Everything of a run lives in one memory context under the caller's, deleted at
 * the end, but for what a loop makes for one row; the compiled sequence is pinned
 * meanwhile.  Runs nest: a step may run another sequence, or fire a trigger that does.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "action/action.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "compat.h"

#define MAX_KEY	255				/* bytes of an idempotency key */

PG_FUNCTION_INFO_V1(execute_sequence);
PG_FUNCTION_INFO_V1(execute_action);

static Run *current_run = NULL; /* innermost */

static void begin_run(Run *run, const RunRequest *request);
static void take_limits(Run *run);
static void run_guarded(Run *run, Verdict verdict);
static void run_all_steps(Run *run);
static void make_alert(Run *run);
static bool evaluate_alert(Run *run);
static void skip_run(Run *run, const char *reason);
static void fail_run(Run *run, ErrorData *error, StepRecord *record);
static bool is_running_above(const Run *run);
static bool claim_key(Run *run);
static bool take_turn(Run *run);
static bool run_steps(Run *run);
static bool run_limited(Run *run);

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
		RunRequest	request = {0};

		request.sequence = sequence;
		request.context = context;
		result = sigma_run_pinned(&request, NULL);
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
 * context, and the run itself in *ended (may be NULL), which lasts as long as that.
 */
Jsonb *
sigma_run_pinned(const RunRequest *request, Run **ended)
{
	Run		   *run = palloc0(sizeof(Run));
	SessionState session = sigma_session;
	Deadline   *deadlines = sigma_deadline_top();
	Run		   *outer = current_run;
	Jsonb	   *volatile result = NULL;
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	begin_run(run, request);
	PG_TRY();
	{
		current_run = run;
		sigma_run_announce(run);
		SPI_connect();
		MemoryContextSwitchTo(run->cxt);
		if (request->broken != NULL)
			fail_run(run, request->broken, NULL);
		else
			run_guarded(run, request->verdict);
		sigma_deadline_unwind(deadlines);
		if (run->stored != NULL)
			result = run->stored;
		else
		{
			make_alert(run);
			run->duration = sigma_microseconds_since(start);
			run->ended = run->started + run->duration;	/* the clock may have been set meanwhile */
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
	if (ended != NULL)
		*ended = run;
	return result;
}

/* Fill in a run, and say who works for whom from now on. */
static void
begin_run(Run *run, const RunRequest *request)
{
	const Sequence *sequence = request->sequence;
	RunContext *context = request->context;

	run->outer = current_run;
	run->caller = request->caller;
	run->depth = request->caller == NULL ? 0 : request->caller->depth + 1;
	run->cxt = run->kept = CurrentMemoryContext;
	run->sequence = sequence;
	run->context = context;
	run->started = GetCurrentTimestamp();
	run->execution_id = sigma_new_ordered_uuid(run->started);
	run->current = -1;
	run->status = RUN_SUCCESS;
	run->unit = sequence->atomic;
	run->records = palloc0(sizeof(StepRecord) * (sequence->steps.count + 1));
	take_limits(run);

	run->row_warnings.cxt = run->cxt;
	run->row_warnings.most = sigma_max_errors;

	sigma_session.origin = ORIGIN_ACTION;
	sigma_session.execution_id = run->execution_id;
	sigma_session.warnings = &run->row_warnings;
	run->edits.cxt = run->cxt;
	sigma_session.edits = &run->edits;
	sigma_context_enter(context);
}

/* The limits of the sequence, or what is left of those of the run that runs it. */
static void
take_limits(Run *run)
{
	const Run  *caller = run->caller;

	run->max_rows_changed = run->sequence->max_rows_changed;
	run->max_actions = run->sequence->max_actions;
	if (caller == NULL)
		return;
	if (caller->max_rows_changed >= 0 &&
		(run->max_rows_changed < 0 || caller->max_rows_changed - caller->rows_changed < run->max_rows_changed))
	{
		run->max_rows_changed = caller->max_rows_changed - caller->rows_changed;
		run->rows_lent = true;
	}
	if (caller->max_actions >= 0 &&
		(run->max_actions < 0 || caller->max_actions - caller->executed < run->max_actions))
	{
		run->max_actions = caller->max_actions - caller->executed;
		run->actions_lent = true;
	}
}

/* Everything between the beginning and the record of a run. */
static void
run_guarded(Run *run, Verdict verdict)
{
	const Sequence *sequence = run->sequence;

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
		bool		kept;
		ErrorData  *error = sigma_run_guard(run, sigma_run_check_condition, &kept);

		if (error != NULL)
		{
			fail_run(run, error, NULL);
			return;
		}
		verdict = kept ? VERDICT_TRUE : VERDICT_FALSE;
	}
	if (verdict == VERDICT_FALSE)
		skip_run(run, "condition_false");
	else
		run_all_steps(run);
}

/*
 * The steps: in one subtransaction where the run is atomic, or may turn out to do more
 * than it may.
 */
static void
run_all_steps(Run *run)
{
	const Sequence *sequence = run->sequence;
	ErrorData  *error = NULL;
	bool		kept = true;
	RunMark		mark;

	if (!sequence->atomic && run->max_rows_changed < 0 && run->max_actions < 0)
		(void) run_steps(run);
	else
	{
		sigma_run_mark(run, &mark);
		error = sigma_run_guard(run, sequence->atomic ? run_steps : run_limited, &kept);
		if (error != NULL)
		{
			run->ending = error;
			if (run->record != NULL)
				run->ending_record = sigma_run_note_error(run, &run->records[run->current], error);
		}
		if (!kept)
		{
			sigma_run_undo(run, &mark);
			run->rolled_back = true;
		}
	}
	if (run->ending != NULL)
		fail_run(run, run->ending, run->ending_record);
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

/* The run ends here; "record" is whose error it is, or NULL. */
static void
fail_run(Run *run, ErrorData *error, StepRecord *record)
{
	run->status = RUN_FAILED;
	run->error = error;
	run->error_record = record;
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
		fail_run(run, error, NULL);
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
		fail_run(run, error, NULL);
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

/* All steps in order.  False: the run has failed. */
static bool
run_steps(Run *run)
{
	return sigma_steps_run(run, &run->sequence->steps, run->records);
}

/* The same where nothing but passing a limit is undone. */
static bool
run_limited(Run *run)
{
	(void) run_steps(run);
	return !run->over_limit;
}

/* Microseconds from then to now. */
int64
sigma_microseconds_since(instr_time start)
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

