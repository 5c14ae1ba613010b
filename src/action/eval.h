/*
 * eval.h
 *		Formulas over the context of a run.
 */
#ifndef SIGMA_EVAL_H
#define SIGMA_EVAL_H

#include "postgres.h"

#include "utils/jsonb.h"

/* Called once, when the library is loaded. */
extern void sigma_eval_init(void);

/* FormulaFetch whose "arg" is a RunContext. */
extern void sigma_fetch_from_context(void *arg, const char *source, const char *name, JsonbValue *value);

#endif							/* SIGMA_EVAL_H */
