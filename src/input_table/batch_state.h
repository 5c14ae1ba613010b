/*
 * batch_state.h
 *		The inside of a batch, shared by batch.c, batch_check.c, batch_unique.c and batch_write.c.
 */
#ifndef SIGMA_BATCH_STATE_H
#define SIGMA_BATCH_STATE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "utils/hsearch.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

#include "input_table/batch.h"

#define ROWS_NAME	"sigma_batch_rows"	/* staged rows, as a statement sees them */

/* What a row says of a column. */
#define CELL_ABSENT	0
#define CELL_GIVEN	1
#define CELL_BAD	2			/* given, but its type could not read it */

/* One row on its way into the table. */
typedef struct StagedRow
{
	int64		ordinal;		/* its number in the batch, from 1 */
	int			row;			/* 0-based place in the input */
	int64		line;			/* 1-based line, or 0 */
	int64		row_id;			/* of the row it changes, or 0 */
	RowGuard	guard;			/* what must hold of that row */
	bool		remove;			/* a delete */
	int			errors;			/* failures of severity error recorded for it */
	Datum	   *values;			/* by place in table->columns */
	bool	   *nulls;
	uint8	   *given;			/* CELL_... */
} StagedRow;

/*
 * The attributes of a staged row as a tuple; the values follow.  What most rows to
 * insert have in common takes no room: it is null.
 */
typedef enum StagedAttribute
{
	STAGED_ORDINAL,
	STAGED_ROW,					/* null: the ordinal less one */
	STAGED_LINE,				/* null: 0 */
	STAGED_ROW_ID,				/* null: 0 */
	STAGED_STAMP,				/* null: none */
	STAGED_EDIT,				/* likewise */
	STAGED_REMOVE,
	STAGED_ERRORS,				/* null: 0 */
	STAGED_GIVEN,				/* bytea: a CELL_... per column; null: CELL_GIVEN all, of a row to insert */
	STAGED_VALUES
} StagedAttribute;

/* Staged rows that wait for the same thing. */
typedef struct Stage
{
	Tuplestorestate *store;		/* NULL while empty */
	int64		count;
} Stage;

/* An existing row that the batch changes. */
typedef struct TargetRow
{
	int64		row_id;			/* hash key, must be first */
	int			row;			/* which input row names it */
	bool		leaving;		/* its delete was accepted */
	Bitmapset  *moved;			/* columns of unique keys (places) that its accepted update changes */
} TargetRow;

/* A row that was written: for the result's row ids. */
typedef struct WrittenRow
{
	int			row;
	int64		row_id;
} WrittenRow;

struct seen_hash;

typedef struct BatchState
{
	StagedRow	current;		/* the row being filled */
	bool		row_bad;		/* sigma_batch_bad_row was called for it */
	TupleDesc	desc;			/* of staged rows */
	Datum	   *staged_values;	/* one of them, while it is put together */
	bool	   *staged_nulls;
	bytea	   *staged_given;
	TupleTableSlot *slot;		/* for reading them back */
	MemoryContext check_cxt;	/* per staged row that is checked later */

	Stage		targets;		/* rows with a row id, before the rows are looked up */
	Stage		proposals;		/* rows with a key, before their keys are looked up */
	Stage		deletes;		/* checked rows, to be written */
	Stage		updates;
	Stage		inserts;

	bool		locking;		/* rows that will be changed can be locked by the caller */
	bool		trust_lookup;	/* a key that was not found is left to ON CONFLICT */
	bool		stamps;			/* a target has a guard, which the row's stamp is needed for */
	HTAB	   *last_edits;		/* LastEdit of the targets whose guards ask for it, or NULL */
	int64		target_updates; /* targets that are no deletes */
	bool	   *target_columns; /* columns that targets or proposals give */
	bool	   *insert_columns; /* columns that checked rows to insert give */
	int64	   *update_columns; /* how many checked rows to update give a column */
	bool		may_insert;		/* the caller may insert into the table, or a column of it */
	bool	   *insert_granted; /* the caller may insert the column */
	bool	   *update_granted; /* the caller may update the column */

	FormulaRun *formulas;		/* formula rules and defaults, or NULL */
	ListRun    *lists;			/* or NULL */
	TypeCacheEntry **types;		/* of columns of unique keys: how their values are hashed */
	struct seen_hash *seen;		/* unique values that rows of the batch give */
	HTAB	   *target_rows;	/* TargetRow by row id */

	WrittenRow *written;		/* in the order of writing */
	int64		written_count;
	int64		written_size;
	int			recorded;		/* failures recorded, for their order */
} BatchState;

/* A Failure that was kept, with what orders it. */
typedef struct KeptFailure
{
	Failure		failure;		/* must be first */
	int			column;			/* place in table->columns, -1: the whole row */
	int			order;
} KeptFailure;

/* batch.c */
extern void sigma_stage_put(Batch *batch, Stage *stage, const StagedRow *row);
extern void sigma_stage_rewind(Stage *stage);
extern bool sigma_stage_next(Batch *batch, Stage *stage, StagedRow *row);
extern void sigma_stage_end(Stage *stage);
extern void sigma_staged_row_init(const InputTable *table, StagedRow *row);
extern void sigma_staged_row_read(const InputTable *table, StagedRow *row, const Datum *values, const bool *nulls);
extern void sigma_batch_grant(Batch *batch, const StagedRow *row, bool insert);

/* batch_check.c */
extern void sigma_batch_record(Batch *batch, StagedRow *row, Failure *failure);
extern void sigma_batch_record_row(Batch *batch, StagedRow *row, const char *rule, const char *message);
extern void sigma_batch_check_insert(Batch *batch, StagedRow *row);
extern void sigma_batch_check_update(Batch *batch, StagedRow *row, const Datum *old_values,
									 const bool *old_nulls, const bool *old_known);
extern bool sigma_batch_is_stale(Batch *batch, StagedRow *row, const TimestampTz *stamp);
extern bool sigma_batch_claim(Batch *batch, StagedRow *row);

/* batch_unique.c */
extern void sigma_batch_check_unique(Batch *batch, StagedRow *row, const bool *changed, const bool *known);
extern void sigma_batch_remember_unique(Batch *batch, const StagedRow *row, const bool *changed, const bool *known);
extern bool sigma_batch_same_key(Batch *batch, StagedRow *row);

/* batch_lookup.c */
extern void sigma_batch_resolve_targets(Batch *batch);
extern void sigma_batch_look_up(Batch *batch, Stage *stage, bool by_key, HTAB *ours);
extern char *sigma_batch_relation(const Batch *batch);
extern void sigma_batch_note_written(Batch *batch, int row, int64 row_id);

/* batch_security.c */
extern void sigma_batch_check_security(Batch *batch);

/* batch_result.c */
extern void sigma_batch_raise(Batch *batch);
extern void sigma_batch_sort(Batch *batch);

#endif							/* SIGMA_BATCH_STATE_H */
