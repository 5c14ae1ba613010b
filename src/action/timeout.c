/*
 * timeout.c
 *		Deadlines of runs and of their steps, also inside one slow statement.
 *
 * The backend has one timer for all of them, set to the nearest of a stack of
 * deadlines; when it goes off it cancels the statement, as a user's cancel does.
 * PostgreSQL keeps one bit for both, so telling them apart needs a note of who
 * set it: the handler notes whether a cancel was pending already, and SIGINT goes
 * through a wrapper that notes the signal.  An error is ours only if nobody else
 * can have asked for it; everything in doubt is the user's, and is rethrown.
 *
 * The wrapper is put in front of SIGINT's handler by the first limit of the session
 * and stays there: without a deadline its notes mean nothing, and putting it in and
 * out for every run would cost two system calls each time.  A process in which SIGINT
 * means something else - a background worker's own handler - keeps what it has.
 *
 * The stack's elements live in runs and in records of their steps.  Whoever catches an
 * error, or lets one pass, calls sigma_deadline_unwind() with the top it found.
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "action/action.h"
#include "compat.h"

/* The message of a cancel as it stands in PostgreSQL's source, before translation. */
#define CANCEL_MESSAGE "canceling statement due to user request"

static Deadline *top = NULL;	/* innermost deadline */
static TimeoutId timer = MAX_TIMEOUTS;	/* MAX_TIMEOUTS: not registered yet */
static bool watching = false;	/* is there a limit on the stack? */
static TimestampTz armed = DT_NOEND;	/* what the timer is set to; DT_NOEND: off */
static TimestampTz rung = DT_NOBEGIN;	/* deadlines up to here had their alarm */

/* written by signal handlers */
static volatile sig_atomic_t alarmed = false;	/* the timer went off since it was set */
static volatile sig_atomic_t raised = false;	/* we asked for the pending cancel, alone */
static volatile sig_atomic_t interrupted = false;	/* SIGINT came: the user, or statement_timeout */

static void ring(void);
static void note_interrupt(SIGNAL_ARGS);
static TimestampTz nearest_deadline(void);
static void arm_timer(void);

/*
 * Put a deadline on top of the stack; 0 milliseconds: a frame without a limit.
 */
void
sigma_deadline_push(Deadline *deadline, int milliseconds)
{
	deadline->outer = top;
	deadline->limit = milliseconds;
	deadline->of_step = false;
	deadline->at = DT_NOEND;
	if (milliseconds > 0)
		deadline->at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), milliseconds);
	top = deadline;
	if (milliseconds <= 0)
		return;

	if (timer == MAX_TIMEOUTS)
	{
		timer = RegisterTimeout(USER_TIMEOUT, ring);
		SIGMA_WRAP_CANCEL(note_interrupt);
	}
	if (!watching)
	{
		alarmed = raised = interrupted = false;
		rung = DT_NOBEGIN;
		watching = true;
	}
	arm_timer();
}

/* The innermost deadline, to come back to; NULL outside of any run. */
Deadline *
sigma_deadline_top(void)
{
	return top;
}

/* Take deadlines off the stack until "to" is on top; a cancel of theirs that nobody met is taken back. */
void
sigma_deadline_unwind(Deadline *to)
{
	bool		changed = top != to;

	top = to;
	if (!watching)
		return;
	sigma_deadline_absorb();
	if (changed || alarmed)
		arm_timer();
	if (top == NULL)
		watching = false;
}

/*
 * Take deadlines off the stack while an error passes: it may be the cancel of
 * the user or of one further out, which the guard there has yet to recognise.
 */
void
sigma_deadline_abandon(Deadline *to)
{
	top = to;
	if (to == NULL)
		sigma_deadline_unwind(NULL);
}

/* The outermost deadline that has passed by the clock, or NULL: code in a step can eat a cancel. */
Deadline *
sigma_deadline_passed(void)
{
	Deadline   *passed = NULL;
	Deadline   *deadline;
	TimestampTz now;

	if (!watching)
		return NULL;
	now = GetCurrentTimestamp();
	for (deadline = top; deadline != NULL; deadline = deadline->outer)
		if (deadline->at <= now)
			passed = deadline;
	return passed;
}

/* Is "deadline" the frame "outer" or one inside it? */
bool
sigma_deadline_is_within(const Deadline *deadline, const Deadline *outer)
{
	for (; deadline != NULL; deadline = deadline->outer)
		if (deadline == outer)
			return true;
	return false;
}

/* Was this error raised because our timer went off, and for no other reason? */
bool
sigma_deadline_caused(const ErrorData *error)
{
	return watching && raised && !interrupted &&
		error->sqlerrcode == ERRCODE_QUERY_CANCELED &&
		error->message_id != NULL &&
		strcmp(error->message_id, CANCEL_MESSAGE) == 0;
}

/*
 * Forget that the timer went off: take its cancel back where it is still
 * pending, but leave a user's that came beside it.  A user's cancel that was
 * met and eaten by a step's own code is forgotten too, as PostgreSQL does.
 */
void
sigma_deadline_absorb(void)
{
	if (raised)
	{
		raised = false;
		if (QueryCancelPending && !interrupted)
		{
			QueryCancelPending = false;
			if (interrupted)	/* it came just now */
			{
				QueryCancelPending = true;
				InterruptPending = true;
			}
		}
	}
	if (interrupted && !QueryCancelPending)
	{
		interrupted = false;
		if (QueryCancelPending)		/* it came just now */
			interrupted = true;
	}
}

/* Raise the cancel again, for the frame further out whose deadline has passed. */
void
sigma_deadline_forward(void)
{
	raised = true;
	QueryCancelPending = true;
	InterruptPending = true;
	CHECK_FOR_INTERRUPTS();
	elog(ERROR, "interrupts are held off at the end of a run");
}

/* A fault: this deadline passes now. */
void
sigma_deadline_expire(Deadline *deadline)
{
	deadline->at = GetCurrentTimestamp();
	sigma_deadline_forward();
}

/* The timer's handler: runs in a signal handler. */
static void
ring(void)
{
	if (proc_exit_inprogress)
		return;
	alarmed = true;
	if (!QueryCancelPending)
		raised = true;
	QueryCancelPending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

/* SIGINT.  lock_timeout sends it too, but has an error of its own. */
static void
note_interrupt(SIGNAL_ARGS)
{
	if (!get_timeout_indicator(LOCK_TIMEOUT, false))
		interrupted = true;
	StatementCancelHandler(postgres_signal_arg);
}

/* The nearest deadline that had no alarm yet; DT_NOEND: none. */
static TimestampTz
nearest_deadline(void)
{
	TimestampTz nearest = DT_NOEND;
	Deadline   *deadline;

	for (deadline = top; deadline != NULL; deadline = deadline->outer)
		if (deadline->at > rung && deadline->at < nearest)
			nearest = deadline->at;
	return nearest;
}

/* Set the timer to the nearest deadline, or switch it off. */
static void
arm_timer(void)
{
	TimestampTz nearest;

	if (!alarmed && nearest_deadline() == armed)
		return;

	/* from here on it does not go off, so what it is set to and "alarmed" agree */
	if (armed != DT_NOEND)
		disable_timeout(timer, false);
	if (alarmed)
	{
		alarmed = false;
		rung = armed;
	}
	nearest = nearest_deadline();
	armed = nearest;
	if (nearest != DT_NOEND)
		enable_timeout_at(timer, nearest);
}
