/*
 * batch.h
 *		A batch of typed rows: checked one by one, written as one statement.
 *
 * Used by sigma.handle_data_entry, sigma.validate_data and the CSV import.
 * A caller gives the cells of each row (allocated in batch->row_cxt) and says
 * what the row is; nothing is written before sigma_batch_write.  What is staged
 * spills to disk at work_mem.
 *
 *		table = sigma_batch_table(id);
 *		batch = sigma_batch_begin(table, &options);
 *		for each row:
 *			sigma_batch_row(batch, row, line);
 *			for each cell: sigma_batch_value(...) or sigma_batch_bad_value(...)
 *			sigma_batch_insert(batch);
 *		sigma_batch_write(batch);
 *		sigma_batch_push(batch, &state);
 */
#ifndef SIGMA_BATCH_H
#define SIGMA_BATCH_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

#include "input_table/input_table.h"

typedef enum BatchMode
{
	BATCH_STRICT,				/* one bad row and nothing is written: an error */
	BATCH_PARTIAL,				/* good rows go in, bad rows come back */
	BATCH_SIGMA					/* partial; a bad type, list or range value becomes NULL and a warning */
} BatchMode;

/* What becomes of an inserted row whose key exists. */
typedef enum BatchConflict
{
	BATCH_CONFLICT_ERROR,		/* it is rejected */
	BATCH_CONFLICT_SKIP,		/* it is left out */
	BATCH_CONFLICT_UPDATE		/* the columns it names are updated */
} BatchConflict;

typedef struct BatchOptions
{
	BatchMode	mode;
	SessionOrigin origin;		/* ORIGIN_ENTRY or ORIGIN_IMPORT: what triggers are told */
	const UniqueKey *key;		/* the unique rule that identifies a row, or NULL */
	BatchConflict on_conflict;	/* needs key unless BATCH_CONFLICT_ERROR */
	bool		replace;		/* all rows that are there are deleted first */
	bool		row_ids;		/* report the row ids of what was written, where the caller may read them */
	bool		check_only;		/* sigma_batch_write writes nothing and raises nothing */
	ImportProgress *progress;	/* of a large import, or NULL */
	int			max_failures;	/* kept errors, and kept warnings; 0: sigma.max_errors */
	const char *file;			/* of an import, for the edit log, or NULL */
	int64		lines;			/* likewise */
} BatchOptions;

/* What must hold of an existing row for a row of the batch to change it. */
typedef struct RowGuard
{
	bool		has_stamp;		/* its sigma_updated_at is this */
	TimestampTz stamp;
	bool		has_edit;		/* the edit of that number, or another of its statement, wrote it last */
	int64		edit;
} RowGuard;

struct BatchState;				/* batch.c */

typedef struct Batch
{
	const InputTable *table;
	BatchOptions options;
	MemoryContext cxt;			/* the batch: as long as the caller's context at begin */
	MemoryContext row_cxt;		/* the row being filled; reset by sigma_batch_row */

	/* what came of it */
	int64		rows;			/* rows seen */
	int64		accepted;
	int64		rejected;
	int64		inserted;
	int64		updated;
	int64		deleted;
	int64		skipped;		/* by BATCH_CONFLICT_SKIP */
	int64		edit_num;		/* its last entry in the edit log, or 0 */
	int64		error_count;	/* failures of severity error, kept or not */
	int64		warning_count;
	List	   *errors;			/* of Failure, by row then column; at most max_failures */
	List	   *warnings;		/* likewise */

	struct BatchState *state;	/* private */
} Batch;

/*
 * The input table of that id, locked against changes of its definition until
 * transaction end.  SG404 where there is none, 42501 where the caller may not write it.
 */
extern const InputTable *sigma_batch_table(const char *id);

/* Options from text: SG400 with a hint where they are not known. */
extern BatchMode sigma_batch_mode(const char *text);

/* Reads "key" (the name of a unique column, or an array of names) and "on_conflict" of an options object (members may be NULL). */
extern void sigma_batch_key(BatchOptions *options, const InputTable *table,
							const JsonNode *key, const JsonNode *on_conflict);

/* The unique rule over just the named columns (a name, or an array), in whatever order; SG400 where there is none. */
extern const UniqueKey *sigma_batch_unique_key(const InputTable *table, const JsonNode *names);

/* A hint for a column name that the table does not have. */
extern char *sigma_batch_column_hint(const InputTable *table, const char *name);

/* A new batch in the current context. */
extern Batch *sigma_batch_begin(const InputTable *table, const BatchOptions *options);

/* Begin a row: "row" is its 0-based place in the input, "line" its 1-based line or 0. */
extern void sigma_batch_row(Batch *batch, int row, int64 line);

/* Give one cell: "column" is a place in table->columns; "value" lives in row_cxt. */
extern void sigma_batch_value(Batch *batch, int column, Datum value, bool isnull);

/* A cell that its type cannot read: rule "type"; "given" as the input had it, "why" as sigma_value_from_… says. */
extern void sigma_batch_bad_value(Batch *batch, int column, const char *given, int length, const char *why);

/* The row as a whole cannot be taken (a ragged line, say): rule and message as of a Failure. */
extern void sigma_batch_bad_row(Batch *batch, const char *rule, const char *message);

/* End the row as what it is.  Rows with a row id must come before rows to insert. */
extern void sigma_batch_insert(Batch *batch);
extern void sigma_batch_update(Batch *batch, int64 row_id, const RowGuard *guard);
extern void sigma_batch_delete(Batch *batch, int64 row_id, const RowGuard *guard);

/*
 * Write the good rows as the caller: one INSERT, and one UPDATE and one DELETE where
 * rows ask for them, which the edit log has as one statement.  BATCH_STRICT raises 23514 (SG409 stale, SG404 no such row) that
 * lists the failures where there are any.  Fills the counts.
 */
extern void sigma_batch_write(Batch *batch);

/* All kept failures, warnings too, by row; at most max_failures. */
extern List *sigma_batch_failures(Batch *batch);

/* How many rows "row_ids" of the result names, and which row of the input the i-th of them was. */
extern int64 sigma_batch_written(const Batch *batch);
extern int	sigma_batch_written_row(const Batch *batch, int64 i);

/* Push the members "table_id", "mode", "accepted" … "errors_truncated" into the open object. */
extern void sigma_batch_push(Batch *batch, JsonbParseState **state);

#endif							/* SIGMA_BATCH_H */
