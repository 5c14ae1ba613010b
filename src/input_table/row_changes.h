/*
 * row_changes.h
 *		Which rows of input tables are written while somebody watches, and what became of them.
 *
 * The triggers of data tables note the rows; before what was done is undone, each row
 * is read as it was and as it is.  Whoever watches sets sigma_session.changes, and
 * puts it back.
 */
#ifndef SIGMA_ROW_CHANGES_H
#define SIGMA_ROW_CHANGES_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "input_table/input_table.h"

typedef struct RowChanges RowChanges;

/* Watch from now on, in the current context. */
extern RowChanges *sigma_row_changes_begin(void);

/* Triggers of data tables; sigma_session.changes is set. */
extern void sigma_row_changes_note(const InputTable *table, int64 row_id);
extern void sigma_row_changes_note_deletes(const InputTable *table);
extern void sigma_row_changes_note_failure(const InputTable *table, const Failure *failure);

/* The ids of the tables that were written, as a List of char *. */
extern List *sigma_row_changes_tables(const RowChanges *changes);

/*
 * Push the members "changes" (at most "most" rows, by table as first written and row
 * id), "changes_left_out" and "rules" into the open object.  Rows are read as the
 * caller.  *unread becomes the ids of the tables that he may not read, as a List of
 * char *.  What is pushed lives in the current context.
 */
extern void sigma_row_changes_push(RowChanges *changes, JsonbParseState **state, int most, List **unread);

#endif							/* SIGMA_ROW_CHANGES_H */
