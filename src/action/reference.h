/*
 * reference.h
 *		Bare references of actions: [Selection/x], [Control/x], [ActionVar/x], [Form/x].
 */
#ifndef SIGMA_REFERENCE_H
#define SIGMA_REFERENCE_H

#include "postgres.h"

#include "action/context.h"

typedef enum ReferenceSource
{
	FROM_SELECTION,
	FROM_CONTROL,
	FROM_VARIABLE,
	FROM_FORM
} ReferenceSource;

/* What a reference reads. */
typedef struct RunReference
{
	ReferenceSource from;
	const char *name;			/* column, id, variable or field */
	const char *base;			/* the name without a range member, or NULL: it has none */
	const char *member;			/* "min", "max", "start", "end" where there is a base */
} RunReference;

/* A reference to "name", which may end in a range member (copied). */
extern void sigma_reference_make(RunReference *reference, ReferenceSource from, const char *name);

/* Is the text, as a whole, one reference?  Blanks around it do not count. */
extern bool sigma_reference_parse(const char *text, RunReference *reference);

/* Is a formula, as a whole, one reference?  A bare [x] names a control. */
extern bool sigma_reference_of_formula(const char *text, RunReference *reference);

/* The reference as it is written: [Control/x].  palloc'd. */
extern char *sigma_reference_show(const RunReference *reference);

/* What it refers to in a run; jbvNull where there is nothing. */
extern void sigma_reference_read(const RunReference *reference, RunContext *context, JsonbValue *value);

#endif							/* SIGMA_REFERENCE_H */
