/*
 * problem.h
 *		What is wrong with an app, gathered for sigma.check().
 *
 * Each floor looks at what is its own and adds what it finds; nothing is raised.
 */
#ifndef SIGMA_PROBLEM_H
#define SIGMA_PROBLEM_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "compat.h"

typedef enum ProblemSeverity
{
	PROBLEM_ERROR,				/* something does not work, or is not kept to */
	PROBLEM_WARNING				/* something is left over, or will not work for somebody */
} ProblemSeverity;

typedef struct Problem
{
	ProblemSeverity severity;
	const char *object;			/* "input_table:ID", as dependencies() has it */
	const char *path;			/* in its document, or NULL */
	const char *message;
	const char *hint;			/* or NULL */
} Problem;

typedef struct Problems
{
	MemoryContext cxt;			/* holds what is found */
	List	   *found;			/* of Problem */
} Problems;

/* One more; "hint" and "path" may be NULL.  All is copied.  What stands there already is left out. */
extern void sigma_problem_add(Problems *problems, ProblemSeverity severity, const char *object, const char *path,
							  const char *hint, const char *message,...) pg_attribute_printf(6, 7);

#endif							/* SIGMA_PROBLEM_H */
