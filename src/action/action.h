/*
 * action.h
 *		Action sequences: their compiled form, their runs, and the parts of the executor.
 *
 * define.c checks documents when they are written, compile.c turns catalog rows
 * into Sequences and keeps them, run.c runs them and fire.c those of a trigger;
 * step_types.c lists the types of steps, timeout.c knows the deadlines, history.c
 * what is recorded.
 */
#ifndef SIGMA_ACTION_H
#define SIGMA_ACTION_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/jsonb.h"

#include "action/context.h"
#include "action/value_source.h"
#include "common/argument.h"
#include "common/document.h"
#include "common/json.h"
#include "compat.h"
#include "input_table/input_table.h"

typedef struct Sequence Sequence;
typedef struct Step Step;
typedef struct Run Run;

/*
 * Compiled form
 */

/* What a step did, for its record and its output variable. */
typedef struct StepOutcome
{
	bool		has_result;
	JsonbValue	result;			/* the bare result */
	int64		rows;			/* rows changed, or -1 where a step of that type touches none */
	Jsonb	   *effect;			/* what the client is to do, or NULL */
} StepOutcome;

/* One type and subtype of actions. */
typedef struct StepType
{
	const char *type;
	const char *subtype;
	int			code;			/* for compile and run, which serve several subtypes */

	/* Returns the step's own compiled part, in state->cxt; raises SG400, SG404, SG423, 0A000. */
	void	   *(*compile) (CompileState *state, const struct StepType *type, JsonNode *action);
	/* Does the step as the caller; raises whatever it meets.  SPI is connected. */
	void		(*run) (Run *run, const Step *step, StepOutcome *outcome);
} StepType;

typedef enum ErrorHandling
{
	HANDLING_FAIL,				/* the sequence's stop_on_error decides */
	HANDLING_CONTINUE,			/* the run goes on */
	HANDLING_RETRY				/* some more attempts, then as HANDLING_FAIL */
} ErrorHandling;

struct Step
{
	const StepType *type;
	const char *id;				/* NULL: an inline action without one */
	const char *output_variable;	/* or NULL */
	Condition  *condition;		/* or NULL */
	ErrorHandling handling;
	int			retry_times;	/* further attempts */
	int			retry_backoff;	/* ms before each of them */
	int			timeout;		/* ms for each attempt; 0: none */
	void	   *part;			/* made by type->compile */
};

typedef enum Concurrency
{
	CONCURRENCY_ALLOW,
	CONCURRENCY_SKIP,			/* not while another session's transaction has run it */
	CONCURRENCY_WAIT			/* after it */
} Concurrency;

/* Dynamic text shown at the end of a run. */
typedef struct Alert
{
	ValueSource *title;			/* or NULL */
	ValueSource *message;		/* or NULL */
} Alert;

/* A compiled sequence, or a single action in the same form.  Read-only but for kept plans. */
struct Sequence
{
	MemoryContext cxt;
	const char *id;				/* of the sequence, or of the action */
	bool		is_action;		/* sigma.execute_action */
	bool		is_paused;
	bool		stop_on_error;
	bool		atomic;
	Concurrency concurrency;
	int			timeout;		/* ms; 0: none */
	int64		max_rows_changed;	/* -1: no limit */
	int64		max_actions;	/* -1: no limit */
	Condition  *condition;		/* or NULL */
	Alert	   *success_alert;	/* or NULL */
	Alert	   *failure_alert;	/* or NULL */
	int			nstep;
	Step	   *steps;
	int			pins;			/* runs that use it */
	bool		replaced;		/* delete it when the last of them ends */
};

/* compile.c */
extern Sequence *sigma_sequence_pin(const char *id, bool is_action);
extern void sigma_sequence_unpin(Sequence *sequence);
extern void sigma_sequence_check(JsonNode *document, bool is_action, bool resolve);
extern List *sigma_sequences_of_trigger(const char *element_id, const char *type, const RunContext *context);
extern void sigma_watch_table(Oid relid);

/* step_types.c: by type and subtype of an action; 0A000 where it is not built */
extern const StepType *sigma_step_type(JsonNode *action);

/* what its table names */
extern void *sigma_data_compile(CompileState *state, const StepType *type, JsonNode *action);
extern void sigma_data_run(Run *run, const Step *step, StepOutcome *outcome);
extern void *sigma_client_compile(CompileState *state, const StepType *type, JsonNode *action);
extern void sigma_client_run(Run *run, const Step *step, StepOutcome *outcome);
extern void *sigma_procedure_compile(CompileState *state, const StepType *type, JsonNode *action);
extern void sigma_procedure_run(Run *run, const Step *step, StepOutcome *outcome);
extern void *sigma_notify_compile(CompileState *state, const StepType *type, JsonNode *action);
extern void sigma_notify_run(Run *run, const Step *step, StepOutcome *outcome);

/* codes of StepType */
typedef enum DataCode
{
	DATA_INSERT_ROW,
	DATA_INSERT_ROWS,
	DATA_UPDATE_ROW,
	DATA_UPDATE_ROWS,
	DATA_DELETE_ROW,
	DATA_DELETE_ROWS,
	DATA_UPSERT_ROW
} DataCode;

typedef enum ClientCode
{
	CLIENT_OPEN_LINK,
	CLIENT_OPEN_DOCUMENT,
	CLIENT_NAVIGATE,
	CLIENT_SET_VALUE,
	CLIENT_CLEAR_VALUE,
	CLIENT_ENABLE,
	CLIENT_DISABLE,
	CLIENT_SET_VARIABLE,
	CLIENT_CLEAR_VARIABLE,
	CLIENT_OPEN_MODAL,
	CLIENT_CLOSE_MODAL,
	CLIENT_SELECT_TAB,
	CLIENT_REFRESH,
	CLIENT_MODIFY,
	CLIENT_SORT,
	CLIENT_SHOW,
	CLIENT_SET_ROW,
	CLIENT_SET_FORM,
	CLIENT_RESET_FORM,
	CLIENT_TRIGGER_PLUGIN,
	CLIENT_SEND_EVENT
} ClientCode;

/*
 * Deadlines (timeout.c)
 */

/* A limit in time; the innermost is on top of a stack that lives on the C stack. */
typedef struct Deadline
{
	struct Deadline *outer;
	TimestampTz at;				/* DT_NOEND: none */
	int			limit;			/* ms, for messages */
} Deadline;

extern void sigma_deadline_push(Deadline *deadline, int milliseconds);
extern Deadline *sigma_deadline_top(void);
extern void sigma_deadline_unwind(Deadline *to);
extern void sigma_deadline_abandon(Deadline *to);
extern Deadline *sigma_deadline_passed(void);
extern bool sigma_deadline_is_within(const Deadline *deadline, const Deadline *outer);
extern bool sigma_deadline_caused(const ErrorData *error);
extern void sigma_deadline_absorb(void);
extern void sigma_deadline_forward(void) pg_attribute_noreturn();
extern void sigma_deadline_expire(Deadline *deadline) pg_attribute_noreturn();

/*
 * A run (run.c)
 */

typedef enum RunStatus
{
	RUN_SUCCESS,
	RUN_FAILED,
	RUN_SKIPPED
} RunStatus;

/* What became of one step that the run reached. */
typedef struct StepRecord
{
	RunStatus	status;
	StepOutcome outcome;
	int			attempts;
	ErrorData  *error;			/* or NULL */
	TimestampTz started;
	int64		duration;		/* microseconds */
} StepRecord;

struct Run
{
	Run		   *outer;			/* the run whose step this one is part of, or NULL */
	MemoryContext cxt;
	const Sequence *sequence;
	RunContext *context;
	char	   *execution_id;
	TimestampTz started;
	TimestampTz ended;
	int64		duration;		/* microseconds */
	Deadline	deadline;		/* of the run */
	Deadline	step_deadline;	/* of the step being run, where it has one */
	bool		step_late;		/* the step's own limit was found passed by the clock */
	bool		over_limit;		/* max_rows_changed or max_actions was passed */
	int			current;		/* index of the step being run, -1 before the first */
	StepRecord *records;		/* of the steps reached */
	int			nrecord;
	List	   *effects;		/* of Jsonb */
	int			executed;
	int			failed;
	int64		rows_changed;
	RunStatus	status;
	const char *reason;			/* of a skip, or NULL */
	ErrorData  *error;			/* why it failed, or the first contained failure; NULL */
	int			error_step;		/* whose it was, or -1 */
	bool		rolled_back;
	bool		alerts;			/* the sequence has an alert for this end: its texts follow */
	const char *alert_title;	/* or NULL */
	const char *alert_message;	/* or NULL */
	bool		claimed;		/* history has the row of this run already, with its idempotency key */
	Jsonb	   *stored;			/* result of the run that had the key before, or NULL */
	List	   *warnings;		/* of char *: about the run itself */
	RowWarnings row_warnings;	/* about rows that it wrote */
};

/* Is the condition of the sequence known already?  A trigger asks all of them first. */
typedef enum Verdict
{
	VERDICT_OPEN,
	VERDICT_TRUE,
	VERDICT_FALSE
} Verdict;

/* Work inside a guard; false: undo it. */
typedef bool (*GuardedWork) (Run *run);

extern const char *sigma_run_status_name(RunStatus status);
extern Jsonb *sigma_run_execute(const char *id, bool is_action, Jsonb *document);
extern RunContext *sigma_run_read_context(Jsonb *document);
extern Jsonb *sigma_run_pinned(const Sequence *sequence, RunContext *context, Verdict verdict, ErrorData *broken);
extern bool sigma_run_check_condition(Run *run);
extern ErrorData *sigma_run_guard(Run *run, GuardedWork work, bool *kept);
extern Run *sigma_run_current(void);
extern void sigma_run_forget_warnings(Run *run, int64 kept);

/* running.c */
extern void sigma_run_announce(Run *run);
extern void sigma_run_withdraw(Run *run);
extern bool sigma_run_wait_for_turn(Run *run);
extern bool sigma_run_try_turn(Run *run);

/* history.c */
extern Jsonb *sigma_run_result(Run *run);
extern void sigma_history_write(const Run *run, Jsonb *result);
extern bool sigma_key_claim(Run *run);

/* arguments of functions; define.c */
extern Jsonb *sigma_context_argument(FunctionCallInfo fcinfo, int i);

#endif							/* SIGMA_ACTION_H */
