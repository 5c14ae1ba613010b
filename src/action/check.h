/*
 * check.h
 *		What is wrong with an app.
 */
#ifndef SIGMA_CHECK_H
#define SIGMA_CHECK_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "common/problem.h"

/* check.c: all findings, a List of Problem in the current context */
extern List *sigma_check_app(void);

#endif							/* SIGMA_CHECK_H */
