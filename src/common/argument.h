/*
 * argument.h
 *		Arguments of SQL functions that must not be null.
 *
 * The functions that act are not STRICT: null is an error that names the argument.
 */
#ifndef SIGMA_ARGUMENT_H
#define SIGMA_ARGUMENT_H

#include "postgres.h"

#include "fmgr.h"

/* Raises 22004 where argument "i" is null. */
extern void sigma_require_argument(FunctionCallInfo fcinfo, int i, const char *name);

/* The same, and the text, palloc'd. */
extern char *sigma_text_argument(FunctionCallInfo fcinfo, int i, const char *name);

#endif							/* SIGMA_ARGUMENT_H */
