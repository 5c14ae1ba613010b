/*
 * row_change.h
 *		What the floors above need to start something when rows of an input table change.
 */
#ifndef SIGMA_ROW_CHANGE_H
#define SIGMA_ROW_CHANGE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/relcache.h"

#include "common/json.h"

typedef enum RowOperation
{
	ROW_INSERT = 0x01,
	ROW_UPDATE = 0x02,
	ROW_DELETE = 0x04
} RowOperation;

#define ROW_ANY (ROW_INSERT | ROW_UPDATE | ROW_DELETE)

/* change_triggers.c: triggers on data tables, there only while a sequence asks for them */
extern int	sigma_change_operations(const JsonNode *trigger);
extern void sigma_change_triggers_set(const char *id, bool fewer);
extern List *sigma_change_triggers_missing(const char *id, Oid relid);

/* statement.c */
typedef void (*StatementEndWork) (void *arg);

extern MemoryContext sigma_statement_end_context(void);
extern void sigma_statement_at_end(StatementEndWork work, void *arg);

/* validate.c */
extern bool sigma_is_restore(Relation rel);

#endif							/* SIGMA_ROW_CHANGE_H */
