/*
 * define_call.h
 *		What the three files behind the triggers of sigma.sigma_input_tables share; nobody
 *		else includes it.
 *
 * define.c        the functions, and the triggers' entry points
 * define_check.c  BEFORE: the row in canonical form, checked
 * define_apply.c  AFTER: the relations follow the row
 */
#ifndef SIGMA_DEFINE_CALL_H
#define SIGMA_DEFINE_CALL_H

#include "postgres.h"

#include "commands/trigger.h"

#include "input_table/define.h"

/* What a function asks of the triggers of the statement that it runs. */
typedef struct DefinitionCall
{
	const char *id;				/* of the row it is about */
	bool		cascade;		/* change what others name, and report who */
	bool		purge;			/* drop the data too */
	bool		refuse;			/* rows that break a new rule refuse it */
	JsonNode   *result;			/* filled by the trigger, or NULL */
	MemoryContext cxt;			/* where the result lives */
} DefinitionCall;

/* define.c: the function that runs this statement, if it is about that row; or NULL. */
extern DefinitionCall *sigma_definition_call(const char *id);

/* define_check.c: the document of a row that is inserted or updated; SG400 and others where it cannot be. */
extern JsonNode *sigma_definition_check_insert(TriggerData *trigger);
extern JsonNode *sigma_definition_check_update(TriggerData *trigger);

/* Wait for whoever claims that name in that space, and claim it until the transaction ends. */
extern void sigma_definition_lock_name(const char *space, const char *name);

/* Was the column made up in this transaction, because its table came without any? */
extern bool sigma_definition_made_up(const char *column_id);

/* define_apply.c: do what the stored row says. */
extern void sigma_definition_apply_insert(TriggerData *trigger);
extern void sigma_definition_apply_update(TriggerData *trigger);
extern void sigma_definition_apply_delete(TriggerData *trigger);

/* Purge what an earlier deletion kept.  Returns whether there was something. */
extern bool sigma_definition_purge_leftover(const char *id, bool cascade);

#endif							/* SIGMA_DEFINE_CALL_H */
