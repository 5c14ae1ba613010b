/*
 * flow.h
 *		Steps that run other steps: their compiled form, branches, loops, calls.
 *
 * flow.c        from documents to compiled steps
 * flow_run.c    branches, loops, the end of a run
 * flow_call.c   running another sequence, and sequences that run themselves
 */
#ifndef SIGMA_FLOW_H
#define SIGMA_FLOW_H

#include "postgres.h"

#include "action/action.h"
#include "action/row_source.h"

#define MAX_CALL_DEPTH	16		/* sequences that run each other */

/* A branch of if_else. */
typedef struct FlowBranch
{
	Condition  *condition;
	StepList	steps;
} FlowBranch;

/* if_else: the first branch whose condition holds, else the last steps. */
typedef struct FlowIfElse
{
	int			count;
	FlowBranch *branches;
	bool		has_otherwise;
	StepList	otherwise;
} FlowIfElse;

/* for_each */
typedef struct FlowForEach
{
	RowSource  *source;			/* NULL: the selected rows */
	int64		max_rows;
	StepList	steps;
} FlowForEach;

/* run_sequence */
typedef struct FlowCall
{
	const char *target;			/* the sequence's id */
	ValueSource *context;		/* laid over what this run knows; or NULL */
} FlowCall;

/* stop */
typedef struct FlowStop
{
	bool		failed;
	ValueSource *message;		/* or NULL */
} FlowStop;

/* flow_call.c */
extern void sigma_flow_call(Run *run, const Step *step, StepOutcome *outcome);
extern void sigma_flow_check_cycles(DocumentKind kind, JsonNode *document);

#endif							/* SIGMA_FLOW_H */
