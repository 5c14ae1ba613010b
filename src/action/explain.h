/*
 * explain.h
 *		What the files of sigma.explain_sequence share; types of steps use it to explain themselves.
 *
 * explain.c       sequences, branches, loops: the tree of steps; which of them are never reached
 * explain_condition.c  conditions, and those that are constant
 * explain_data.c  steps that write rows of input tables
 * explain_step.c  the other types of steps
 * explain_plan.c  statements as they are planned: relations, locks, rights, rows
 * explain_table.c what a write sets off: rules, triggers, sequences
 * explain_text.c  the tree as text
 *
 * The tree is one of JSON, made in the current memory context.  Nothing is executed:
 * statements are analysed and planned, as the caller, in subtransactions that are rolled
 * back, so that the locks of planning go at once.
 */
#ifndef SIGMA_EXPLAIN_H
#define SIGMA_EXPLAIN_H

#include "postgres.h"

#include "executor/spi.h"
#include "nodes/params.h"

#include "action/action.h"
#include "common/json.h"

/* One call. */
struct Explain
{
	Run			probe;			/* must be first: what may fail is contained like a step */
	RunContext *context;
	bool		given;			/* the caller gave a context: what it lacks is null, not unknown */
	List	   *stack;			/* of char *: the sequences that are being explained, innermost first */
	List	   *explained;		/* of char *: the sequences that have been, once is enough */
	List	   *followed;		/* of char *: those whose cycles are known */
	JsonNode   *summary;		/* {reads, writes, lacks, calls, cycles}: arrays of strings */

	/* what contained work is about */
	JsonNode   *action;			/* the document of a step */
	JsonNode   *step;			/* its explanation */
	const char *formula;		/* is it constant? */
	int			answer;
};

/* explain_plan.c: an analysed statement, for step "step"; "known" are values of its parameters, or NULL */
extern void sigma_explain_plan(Explain *explain, JsonNode *step, SPIPlanPtr plan, ParamListInfo known, JsonNode *parameters);

/* explain_plan.c: a call of a function, which is not planned */
extern void sigma_explain_call(Explain *explain, JsonNode *step, SPIPlanPtr plan, JsonNode *parameters);

/* explain_plan.c: a right that the caller needs; "columns" may be NULL */
extern void sigma_explain_right(Explain *explain, JsonNode *step, Oid relid, AclMode mode, const char *column);
extern void sigma_explain_relation(Explain *explain, JsonNode *step, Oid relid, bool writes, LOCKMODE lock, const char *scan);
extern void sigma_explain_lack(Explain *explain, JsonNode *step, const char *lack);
extern char *sigma_explain_relation_name(Oid relid);

/* explain_condition.c: the text, NULL where there is nothing to hold; 1 always holds, 0 never, -1 that depends */
extern char *sigma_explain_condition(const JsonNode *condition);
extern int	sigma_explain_answer(Explain *explain, const JsonNode *condition);

/* explain_step.c */
extern void sigma_client_explain(Explain *explain, JsonNode *step, void *part);
extern void sigma_variable_explain(Explain *explain, JsonNode *step, void *part);
extern void sigma_notify_explain(Explain *explain, JsonNode *step, void *part);
extern void sigma_procedure_explain(Explain *explain, JsonNode *step, void *part);
extern void sigma_loop_explain(Explain *explain, JsonNode *step, void *part);

/* export.c */
extern void sigma_export_explain(Explain *explain, JsonNode *step, void *part);

/* explain_data.c */
extern void sigma_data_explain(Explain *explain, JsonNode *step, void *part);

/* explain_table.c: what writing rows of a relation sets off; "columns" (attribute numbers) are those that an UPDATE sets */
extern void sigma_explain_write(Explain *explain, JsonNode *step, Oid relid, CmdType command, Bitmapset *columns);

/* explain_text.c */
extern char *sigma_explain_text(const JsonNode *tree);

/* arrays of the tree: made where they are missing; a string is put in once */
extern JsonNode *sigma_explain_array(JsonNode *object, const char *key);
extern void sigma_explain_add(JsonNode *array, const char *text);

/* a member that is a text, where there is one */
extern void sigma_explain_text_member(JsonNode *object, const char *key, const char *text);

#endif							/* SIGMA_EXPLAIN_H */
