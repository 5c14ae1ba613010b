/*
 * history_table.h
 *		The history table as rows of runs go into it without a statement.
 */
#ifndef SIGMA_HISTORY_TABLE_H
#define SIGMA_HISTORY_TABLE_H

#include "postgres.h"

/* The columns that a row of history is written from: parameters $1 and on of the statements that write it. */
typedef enum HistoryColumn
{
	HISTORY_EXECUTION_ID,
	HISTORY_SEQUENCE_ID,
	HISTORY_ACTION_ID,
	HISTORY_ACTION_TYPE,
	HISTORY_START_TIME,
	HISTORY_END_TIME,
	HISTORY_CONTEXT,
	HISTORY_RESULT,
	HISTORY_STATUS,
	HISTORY_ERROR_MESSAGE,
	HISTORY_REASON,
	HISTORY_USER_ID,
	HISTORY_ROLE,
	HISTORY_ROWS_CHANGED,
	HISTORY_IDEMPOTENCY_KEY,
	HISTORY_METADATA
} HistoryColumn;

#define HISTORY_COLUMNS (HISTORY_METADATA + 1)

/* Their types. */
extern const Oid sigma_history_types[HISTORY_COLUMNS];

/*
 * Insert a row, as the table's owner; nulls[i] is 'n' or ' '.  False, and nothing is
 * done: the table is not as it was made - it has triggers, rules, checks or other columns -
 * or does not take the values as they are, and a statement has to do it.
 */
extern bool sigma_history_insert(const Datum *values, const char *nulls);

/* Who owns the table. */
extern Oid	sigma_history_owner(void);

#endif							/* SIGMA_HISTORY_TABLE_H */
