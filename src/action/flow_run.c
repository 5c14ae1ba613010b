/*
 * flow_run.c
 *		Running branches and loops, and ending a run before its last step.
 *
 * The steps that a step holds run by the rules of the sequence: each is contained
 * where its failure must not end the run, and nothing is begun for the whole of them,
 * so that a loop costs no subtransaction of its own.  What a loop's steps make lives in
 * a memory context that is emptied before the next row.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "action/flow.h"
#include "compat.h"

/* The rows of a loop. */
typedef struct LoopRows
{
	int64		count;
	Tuplestorestate *store;		/* NULL: the selection */
	TupleTableSlot *slot;
	JsonbIterator *selected;
} LoopRows;

static void run_if_else(Run *run, const FlowIfElse *part, StepOutcome *outcome);
static void run_for_each(Run *run, const FlowForEach *part, StepOutcome *outcome);
static void open_rows(Run *run, const FlowForEach *part, LoopRows *rows);
static void next_row(LoopRows *rows, RunContext *context);
static void forget_results(StepRecord *records, int count);
static void run_stop(Run *run, const FlowStop *part, StepOutcome *outcome);

/* Run a step that holds others. */
void
sigma_flow_run(Run *run, const Step *step, StepOutcome *outcome)
{
	switch ((FlowCode) step->type->code)
	{
		case FLOW_IF_ELSE:
			run_if_else(run, step->part, outcome);
			break;
		case FLOW_FOR_EACH:
			run_for_each(run, step->part, outcome);
			break;
		case FLOW_RUN_SEQUENCE:
			sigma_flow_call(run, step, outcome);
			break;
		case FLOW_STOP:
			run_stop(run, step->part, outcome);
			break;
	}
}

/* The first branch whose condition holds.  The result is its place, that of "else" is behind the last. */
static void
run_if_else(Run *run, const FlowIfElse *part, StepOutcome *outcome)
{
	const StepList *taken = part->has_otherwise ? &part->otherwise : NULL;
	int			i;

	for (i = 0; i < part->count; i++)
		if (sigma_condition_evaluate(part->branches[i].condition, run->context))
		{
			taken = &part->branches[i].steps;
			break;
		}
	if (taken == NULL)
		return;
	sigma_outcome_number(outcome, i);
	(void) sigma_steps_run(run, taken, sigma_run_held_records(run));
}

/* The steps once for each row, which is the selection meanwhile.  The result is the number of rows that were begun. */
static void
run_for_each(Run *run, const FlowForEach *part, StepOutcome *outcome)
{
	MemoryContext cxt = run->cxt;
	JsonbContainer *selected = run->context->selected;
	int			selected_length = run->context->selected_length;
	StepRecord *record = run->record;
	StepRecord *records = sigma_run_held_records(run);
	LoopRows	rows = {0};
	ContextLoop loop;
	int64		done = 0;
	bool		going = true;

	open_rows(run, part, &rows);
	run->cxt = AllocSetContextCreate(cxt, "sigma loop", ALLOCSET_DEFAULT_SIZES);
	sigma_context_begin_loop(run->context, &loop, cxt);
	while (going && done < rows.count)
	{
		/* before, not after: what the last row made is what the record shows */
		MemoryContextReset(run->cxt);
		MemoryContextSwitchTo(run->cxt);
		record->row = done++;
		if (record->row > 0)
			forget_results(records, record->step->held);
		sigma_context_next_row(run->context, &loop);
		SPI_connect();
		MemoryContextSwitchTo(run->cxt);
		next_row(&rows, run->context);
		going = sigma_steps_run(run, &part->steps, records) && !run->stopped;
		SPI_finish();
	}
	sigma_context_end_loop(run->context, &loop);
	run->cxt = cxt;
	MemoryContextSwitchTo(cxt);
	run->context->selected = selected;
	run->context->selected_length = selected_length;
	if (rows.store != NULL)
	{
		ExecDropSingleTupleTableSlot(rows.slot);
		tuplestore_end(rows.store);
	}
	sigma_outcome_number(outcome, done);
}

/* All rows are read before the first is begun.  Raises 53400 where there are more than may be. */
static void
open_rows(Run *run, const FlowForEach *part, LoopRows *rows)
{
	TupleDesc	desc;

	if (part->source != NULL)
	{
		rows->count = sigma_row_source_read(part->source, part->max_rows, &rows->store, &desc);
		rows->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	}
	else
		rows->count = sigma_context_selected_count(run->context);
	if (rows->count > part->max_rows)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("the loop has more than %lld rows", (long long) part->max_rows),
				 errhint("\"max_rows\" of the action sets the limit.")));
	if (part->source == NULL && rows->count > 0)
	{
		JsonbValue	value;

		rows->selected = JsonbIteratorInit(run->context->selected);
		(void) JsonbIteratorNext(&rows->selected, &value, true);
	}
}

/* Select the next row alone; in the current memory context. */
static void
next_row(LoopRows *rows, RunContext *context)
{
	Jsonb	   *selection;

	if (rows->store != NULL)
	{
		bool		isnull;

		if (!tuplestore_gettupleslot(rows->store, true, false, rows->slot))
			elog(ERROR, "row of a loop is missing");
		selection = DatumGetJsonbPCopy(slot_getattr(rows->slot, 1, &isnull));
	}
	else
	{
		JsonbParseState *state = NULL;
		JsonbValue	row;

		if (JsonbIteratorNext(&rows->selected, &row, true) != WJB_ELEM)
			elog(ERROR, "selected row of a loop is missing");
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		pushJsonbValue(&state, WJB_ELEM, &row);
		selection = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
	}
	context->selected = &selection->root;
	context->selected_length = VARSIZE(selection) - VARHDRSZ;
}

/* The results that these records have are those of a row whose memory goes now. */
static void
forget_results(StepRecord *records, int count)
{
	int			i;

	check_stack_depth();
	for (i = 0; i < count; i++)
	{
		records[i].outcome.has_result = false;
		records[i].outcome.actions = NULL;
		if (records[i].held != NULL)
			forget_results(records[i].held, records[i].step->held);
	}
}

/* End the run: well, with the message as the result, or with an error (P0001) that nothing contains. */
static void
run_stop(Run *run, const FlowStop *part, StepOutcome *outcome)
{
	char	   *message = part->message == NULL ? NULL : sigma_value_source_text(part->message, run->context);

	if (part->failed)
	{
		run->must_end = true;
		ereport(ERROR,
				(errcode(ERRCODE_RAISE_EXCEPTION),
				 errmsg_internal("%s", message == NULL ? "the run was stopped" : message)));
	}
	run->stopped = true;
	if (message == NULL)
		return;
	outcome->has_result = true;
	outcome->result.type = jbvString;
	outcome->result.val.string.val = message;
	outcome->result.val.string.len = strlen(message);
}
