/*
 * flagged.h
 *		Rows that break rules, as their reader may see them.
 */
#ifndef SIGMA_FLAGGED_H
#define SIGMA_FLAGGED_H

#include "postgres.h"

#include "input_table/input_table.h"

/* How many rows sigma.flagged would tell of, as far as the caller may read; 42501 where he may read nothing. */
extern int64 sigma_flagged_count(const InputTable *table);

#endif							/* SIGMA_FLAGGED_H */
