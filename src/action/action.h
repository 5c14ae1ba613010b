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
#include "portability/instr_time.h"
#include "utils/jsonb.h"

#include "action/context.h"
#include "action/value_source.h"
#include "common/argument.h"
#include "common/document.h"
#include "common/json.h"
#include "compat.h"
#include "input_table/input_table.h"
#include "input_table/row_change.h"

typedef struct Sequence Sequence;
typedef struct Step Step;
typedef struct Run Run;
typedef struct Explain Explain;

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
	bool		skipped;		/* it did nothing after all */
	ErrorData  *error;			/* it failed, and what it did until then stays or is undone already; or NULL */
	Jsonb	   *actions;		/* steps of the sequence that it ran, as its result has them; or NULL */
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
	/* Says in "step" what the part would do, without doing it; NULL: there is nothing but its document. */
	void		(*explain) (Explain *explain, JsonNode *step, void *part);

	bool		ends_run;		/* its failure ends the run, whatever stop_on_error says */
} StepType;

typedef enum ErrorHandling
{
	HANDLING_FAIL,				/* the sequence's stop_on_error decides */
	HANDLING_CONTINUE,			/* the run goes on */
	HANDLING_RETRY				/* some more attempts, then as HANDLING_FAIL */
} ErrorHandling;

/* Steps that run one after the other: of a sequence, of a branch, of a loop. */
typedef struct StepList
{
	int			count;
	Step	   *steps;
} StepList;

struct Step
{
	const StepType *type;
	const char *id;				/* NULL: an inline action without one */
	const char *path;			/* where it stands in the document of its sequence; an action by id: that id */
	int			index;			/* in its list */
	int			ordinal;		/* among all the steps of what holds its list: the place of its record */
	int			held;			/* steps that it holds itself, in all its lists */
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
	StepList	steps;
	int			pins;			/* runs that use it */
	bool		replaced;		/* delete it when the last of them ends */
};

/* A sequence that changes of a table's rows start. */
typedef struct RowChangeStart
{
	const char *sequence_id;
	int			operations;		/* bits of RowOperation */
	List	   *columns;		/* names: of updates only those that change one of them; NIL: any column */
	bool		after_commit;
} RowChangeStart;

/* compile.c */
extern Sequence *sigma_sequence_pin(const char *id, bool is_action);
extern void sigma_sequence_unpin(Sequence *sequence);
extern void sigma_sequence_check(JsonNode *document, bool is_action, bool resolve);
extern List *sigma_sequences_of_trigger(const char *element_id, const char *type, const RunContext *context);
extern List *sigma_sequences_of_table(const char *table_id);
extern void sigma_watch_table(Oid relid);
extern void sigma_steps_compile(CompileState *state, JsonNode *actions, StepList *list);

/* step_types.c: by type and subtype of an action; 0A000 where it is not built */
extern const StepType *sigma_step_type(JsonNode *action);

/* what its table names */
extern void *sigma_data_compile(CompileState *state, const StepType *type, JsonNode *action);
extern void sigma_data_run(Run *run, const Step *step, StepOutcome *outcome);
extern void *sigma_client_compile(CompileState *state, const StepType *type, JsonNode *action);
extern void sigma_client_run(Run *run, const Step *step, StepOutcome *outcome);
extern void *sigma_procedure_compile(CompileState *state, const StepType *type, JsonNode *action);
extern void sigma_procedure_run(Run *run, const Step *step, StepOutcome *outcome);
extern void *sigma_export_compile(CompileState *state, const StepType *type, JsonNode *action);
extern void sigma_export_run(Run *run, const Step *step, StepOutcome *outcome);
extern void *sigma_notify_compile(CompileState *state, const StepType *type, JsonNode *action);
extern void sigma_notify_run(Run *run, const Step *step, StepOutcome *outcome);
extern void *sigma_flow_compile(CompileState *state, const StepType *type, JsonNode *action);
extern void sigma_flow_run(Run *run, const Step *step, StepOutcome *outcome);

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

typedef enum ExportCode
{
	EXPORT_CSV,
	EXPORT_JSON
} ExportCode;

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

typedef enum FlowCode
{
	FLOW_IF_ELSE,
	FLOW_FOR_EACH,
	FLOW_RUN_SEQUENCE,
	FLOW_STOP
} FlowCode;

/*
 * Deadlines (timeout.c)
 */

/* A limit in time; the innermost is on top of a stack that lives on the C stack. */
typedef struct Deadline
{
	struct Deadline *outer;
	TimestampTz at;				/* DT_NOEND: none */
	int			limit;			/* ms, for messages */
	bool		of_step;		/* an action's, not a run's: for messages */
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

/*
 * What became of a step.  One in a loop has one record, however often it ran: the
 * numbers are sums, the outcome is that of the last time, the error the first.
 */
typedef struct StepRecord
{
	const Step *step;			/* NULL: not reached */
	struct StepRecord *outer;	/* of the step that holds it, or NULL */
	struct StepRecord *held;	/* of the steps that it holds, by ordinal; NULL: none was reached */
	Deadline	deadline;		/* its own, while it runs */
	RunStatus	status;			/* the last time */
	StepOutcome outcome;
	bool		in_loop;
	int			attempt;		/* the last time */
	int64		times;			/* how often it was reached */
	int64		attempts;
	int64		succeeded;
	int64		failed;
	int64		rows;			/* changed in all, or -1 */
	int64		row;			/* of a loop: the row that it is at, from 0 */
	int64		error_row;		/* the row of the innermost loop at which "error" was met, or -1 */
	ErrorData  *error;			/* or NULL */
	TimestampTz started;
	int64		duration;		/* microseconds */
} StepRecord;

struct Run
{
	Run		   *outer;			/* the run whose step this one is part of, or NULL */
	Run		   *caller;			/* the same, where a step run_sequence asked for it */
	int			depth;			/* how many of those there are */
	MemoryContext cxt;			/* for what steps make: of the row in a loop, else the same as "kept" */
	MemoryContext kept;			/* lasts as long as the run */
	const Sequence *sequence;
	RunContext *context;
	char	   *execution_id;
	TimestampTz started;
	TimestampTz ended;
	int64		duration;		/* microseconds */
	Deadline	deadline;		/* of the run */
	int64		max_rows_changed;	/* -1: no limit */
	int64		max_actions;	/* -1: no limit */
	bool		rows_lent;		/* max_rows_changed is what the caller had left */
	bool		actions_lent;	/* likewise */
	bool		over_limit;		/* one of them was passed */
	bool		step_late;		/* a step's own limit was found passed by the clock */
	const Deadline *late;		/* the one by which the last contained error was raised, or NULL */
	bool		stopped;		/* a step "stop" has ended the run, well */
	bool		must_end;		/* what fails now ends the run, whatever its definition says */
	bool		unit;			/* what a failing step leaves is undone further out */
	ErrorData  *ending;			/* a step has failed by it, and so does what holds that step; or NULL */
	StepRecord *ending_record;	/* of that step; NULL: of the run as a whole */
	int			current;		/* index of the step of the sequence being run, -1 before the first */
	StepRecord *record;			/* of the innermost step being run, or NULL */
	StepRecord *records;		/* of the steps of the sequence */
	List	   *effects;		/* of Jsonb */
	int			executed;
	int			failed;
	int64		rows_changed;
	RunStatus	status;
	const char *reason;			/* of a skip, or NULL */
	ErrorData  *error;			/* why it failed, or the first contained failure; NULL */
	StepRecord *error_record;	/* whose it was, or NULL */
	bool		rolled_back;
	bool		alerts;			/* the sequence has an alert for this end: its texts follow */
	const char *alert_title;	/* or NULL */
	const char *alert_message;	/* or NULL */
	bool		claimed;		/* history has the row of this run already, with its idempotency key */
	Jsonb	   *stored;			/* result of the run that had the key before, or NULL */
	List	   *warnings;		/* of char *: about the run itself */
	RowWarnings row_warnings;	/* about rows that it wrote */
	RunEdits	edits;			/* what it wrote in the edit logs */
};

/* Where a run stood: what to go back to when something of it is undone. */
typedef struct RunMark
{
	ContextMark context;
	int64		warned;
	int64		rows_changed;
	int			effects;
	int			failed;
	ErrorData  *error;
	StepRecord *error_record;
} RunMark;

/* Is the condition of the sequence known already?  A trigger asks all of them first. */
typedef enum Verdict
{
	VERDICT_OPEN,
	VERDICT_TRUE,
	VERDICT_FALSE
} Verdict;

/* What is to be run. */
typedef struct RunRequest
{
	const Sequence *sequence;	/* pinned */
	RunContext *context;
	Verdict		verdict;
	ErrorData  *broken;			/* why the sequence cannot be run at all, or NULL */
	Run		   *caller;			/* whose step run_sequence asks for it, or NULL */
} RunRequest;

/* Work inside a guard; false: undo it. */
typedef bool (*GuardedWork) (Run *run);

extern const char *sigma_run_status_name(RunStatus status);
extern Jsonb *sigma_run_execute(const char *id, bool is_action, Jsonb *document);
extern RunContext *sigma_run_read_context(Jsonb *document);
extern Jsonb *sigma_run_pinned(const RunRequest *request, Run **run);
extern bool sigma_run_check_condition(Run *run);
extern Run *sigma_run_current(void);
extern int64 sigma_microseconds_since(instr_time start);

/* run_steps.c */
extern bool sigma_steps_run(Run *run, const StepList *list, StepRecord *records);
extern StepRecord *sigma_run_held_records(Run *run);
extern StepRecord *sigma_run_note_error(Run *run, StepRecord *record, ErrorData *error);
extern void sigma_run_mark(Run *run, RunMark *mark);
extern void sigma_run_undo(Run *run, const RunMark *mark);
extern void sigma_run_forget_warnings(Run *run, int64 kept);
extern void sigma_run_add_effect(Run *run, Jsonb *effect);
extern void sigma_outcome_number(StepOutcome *outcome, int64 number);

/* contain.c */
extern ErrorData *sigma_run_guard(Run *run, GuardedWork work, bool *kept);
extern ErrorData *sigma_run_subtransaction(Run *run, GuardedWork work, bool *kept);
extern bool sigma_run_deferred(Run *run);
extern ErrorData *sigma_error_make(int sqlstate, const char *message, const char *detail, const char *hint);
extern ErrorData *sigma_error_late(MemoryContext cxt, const Deadline *passed);

/* fire.c: a sequence to be started with that context */
typedef struct SequenceStart
{
	const char *sequence_id;
	Jsonb	   *context;		/* or NULL */
} SequenceStart;

extern List *sigma_fire(List *starts);
extern Jsonb *sigma_fire_failed(const SequenceStart *start, int sqlstate, const char *message, const char *hint);

/* running.c */
extern void sigma_run_announce(Run *run);
extern void sigma_run_withdraw(Run *run);
extern bool sigma_run_wait_for_turn(Run *run);
extern bool sigma_run_try_turn(Run *run);

/* result.c */
extern Jsonb *sigma_run_result(Run *run);

/* history.c */
extern void sigma_history_write(const Run *run, Jsonb *result);
extern Jsonb *sigma_history_metadata(const Run *outer, const RunEdits *edits);
extern void sigma_history_note(const char *execution_id, const char *type, TimestampTz started,
							   Jsonb *result, Jsonb *metadata, int64 rows);
extern bool sigma_key_claim(Run *run);

/* arguments of functions; define.c */
extern Jsonb *sigma_context_argument(FunctionCallInfo fcinfo, int i);

#endif							/* SIGMA_ACTION_H */
