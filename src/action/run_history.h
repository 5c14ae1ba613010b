/*
 * run_history.h
 *		What the files that look runs up share.
 */
#ifndef SIGMA_RUN_HISTORY_H
#define SIGMA_RUN_HISTORY_H

#include "postgres.h"

#include "utils/jsonb.h"

/* run_history.c: a run's result, and what run_status() says of it; SG404, 55000 */
extern Jsonb *sigma_stored_result(const char *execution_id, Jsonb **status);

#endif							/* SIGMA_RUN_HISTORY_H */
