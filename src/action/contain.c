/*
 * contain.c
 *		Containing what a run's work raises: a subtransaction, and whose an error is.
 *
 * Errors are contained but for those that are not the run's to decide about: a cancel
 * by the user, by statement_timeout or by shutdown, failed assertions, and
 * serialization failures where the caller's snapshot spans the transaction.  A passed
 * deadline belongs to the frame that set it: a guard further in lets it pass.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "action/action.h"
#include "common/spi.h"

static ErrorData *judge(Run *run, ErrorData *error, Deadline *deadlines);
static bool is_standing(const Deadline *deadline);
static bool must_rethrow(const ErrorData *error);

/*
 * Do work in a subtransaction.  Returns NULL where it ended by itself (*kept:
 * what it returned; false undoes it), else the error that it raised, which lasts as
 * long as the run, after undoing it.  Errors that are not ours to contain are rethrown.
 */
ErrorData *
sigma_run_guard(Run *run, GuardedWork work, bool *kept)
{
	Deadline   *deadlines = sigma_deadline_top();
	MemoryContext cxt = run->cxt;
	SessionState session = sigma_session;
	ErrorData  *error = sigma_run_subtransaction(run, work, kept);

	if (error == NULL)
		return NULL;
	run->cxt = cxt;				/* a loop may have had its own */
	MemoryContextSwitchTo(cxt);
	sigma_session = session;
	return judge(run, error, deadlines);
}

/* The same without asking whose the error is: the work is a part of one step. */
ErrorData *
sigma_run_subtransaction(Run *run, GuardedWork work, bool *kept)
{
	ResourceOwner owner = CurrentResourceOwner;
	MemoryContext cxt = run->cxt;
	ErrorData  *volatile error = NULL;

	*kept = false;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
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
		MemoryContextSwitchTo(run->kept);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		*kept = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
	return error;
}

/* The error where it is to be contained by a guard that found these deadlines; rethrows it else. */
static ErrorData *
judge(Run *run, ErrorData *error, Deadline *deadlines)
{
	bool		late = run->step_late;
	Deadline   *passed;

	run->step_late = false;
	run->late = NULL;
	if (late)
	{
		sigma_deadline_unwind(deadlines);
		return error;
	}
	if (!sigma_deadline_caused(error))
	{
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		{
			/* guards further out must still see whose it is, should their time run out meanwhile */
			sigma_deadline_abandon(deadlines);
			ReThrowError(error);
		}
		sigma_deadline_unwind(deadlines);
		if (must_rethrow(error))
			ReThrowError(error);
		return error;
	}
	passed = sigma_deadline_passed();
	sigma_deadline_unwind(deadlines);
	if (passed == NULL)
		return error;
	if (passed != &run->deadline && is_standing(passed))
		sigma_deadline_forward();
	run->late = passed;
	FreeErrorData(error);
	return sigma_error_late(run->kept, passed);
}

/* Is it one of the deadlines that hold now? */
static bool
is_standing(const Deadline *deadline)
{
	return sigma_deadline_is_within(sigma_deadline_top(), deadline);
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

/*
 * Guarded work: what is deferred to the commit - constraints, constraint triggers - is
 * done now, for the caller's transaction as a whole; for runs that are not to be kept.
 */
bool
sigma_run_deferred(Run *run)
{
	SPI_connect();
	sigma_spi_run("SET CONSTRAINTS ALL IMMEDIATE", SPI_OK_UTILITY);
	SPI_finish();
	MemoryContextSwitchTo(run->cxt);
	return true;
}

/* An error that was not raised, in the current context; "detail" and "hint" may be NULL. */
ErrorData *
sigma_error_make(int sqlstate, const char *message, const char *detail, const char *hint)
{
	ErrorData  *error = palloc0(sizeof(ErrorData));

	error->elevel = ERROR;
	error->sqlerrcode = sqlstate;
	error->message = pstrdup(message);
	error->detail = detail == NULL ? NULL : pstrdup(detail);
	error->hint = hint == NULL ? NULL : pstrdup(hint);
	error->assoc_context = CurrentMemoryContext;
	return error;
}

/* The error that says whose time ran out: an action's, or the run's; in "cxt". */
ErrorData *
sigma_error_late(MemoryContext cxt, const Deadline *passed)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	ErrorData  *error;

	error = sigma_error_make(ERRCODE_QUERY_CANCELED,
							 psprintf("%s exceeded its limit of %d ms", passed->of_step ? "action" : "run", passed->limit),
							 NULL,
							 passed->of_step ? "\"timeout_ms\" of the action sets the limit; 0 means none." :
							 "\"timeout_ms\" of the sequence sets the limit; 0 means none.");
	MemoryContextSwitchTo(old);
	return error;
}
