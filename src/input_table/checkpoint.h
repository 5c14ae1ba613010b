/*
 * checkpoint.h
 *		Making checkpoints: who has the rows gives them one by one and gets entries.
 */
#ifndef SIGMA_CHECKPOINT_H
#define SIGMA_CHECKPOINT_H

#include "postgres.h"

#include "input_table/define.h"
#include "input_table/edit_log.h"

typedef struct Checkpoint Checkpoint;	/* edit_log_checkpoint.c knows its inside */

/* Takes an entry, which lives in the current context. */
typedef void (*CheckpointSink) (JsonbValue *edit, void *arg);

extern Checkpoint *sigma_checkpoint_begin(int ncolumn, const JsonNode **documents, const ColumnType *types,
										  const char *chain, Size chunk, CheckpointSink sink, void *arg);
extern void sigma_checkpoint_row(Checkpoint *checkpoint, int64 row_id, const Datum *stamps, const bool *no_stamps,
								 const Datum *values, const bool *nulls);
extern void sigma_checkpoint_end(Checkpoint *checkpoint);

#endif							/* SIGMA_CHECKPOINT_H */
