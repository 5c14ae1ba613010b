/*
 * procedure.h
 *		What the files of stored_procedure steps share; nobody else includes it.
 *
 * procedure.c           which function it is, and calling it
 * procedure_argument.c  values of a run as values of its arguments' types
 */
#ifndef SIGMA_PROCEDURE_H
#define SIGMA_PROCEDURE_H

#include "postgres.h"

#include "executor/spi.h"

#include "action/action.h"

/* A value that the document gives. */
typedef struct GivenArgument
{
	const char *name;			/* or NULL: by its place */
	ValueSource *source;
} GivenArgument;

/* The argument that a given value is for. */
typedef struct CallArgumentType
{
	int			place;			/* among all arguments, output ones too */
	const char *name;			/* for messages */
	Oid			type;
	SPIPlanPtr	plan;			/* reads JSON as the type, where nothing here knows it; or NULL */
} CallArgumentType;

typedef struct ProcedureStep
{
	const char *target;			/* as the document names it */
	bool		by_name;
	int			ngiven;
	GivenArgument *given;
	MemoryContextCallback cleanup;

	/* what was looked up */
	MemoryContext cxt;			/* holds it */
	uint64		generation;		/* of the database's functions then */
	const char *name;			/* qualified; NULL: nothing was looked up */
	bool		is_procedure;
	bool		returns_set;
	bool		is_void;
	int			ndefaults;
	CallArgumentType *arguments;	/* one for each given value */
	const char *sql;
	SPIPlanPtr	plan;			/* made at the first run */
} ProcedureStep;

/* procedure.c: 42883, 42725, 42501, 42809 */
extern void sigma_procedure_prepare(ProcedureStep *step);

/* procedure_argument.c: 22P02 where the value cannot be read; SPI is connected */
extern Datum sigma_argument_bind(Run *run, ProcedureStep *step, int i, bool *isnull);

/* procedure_argument.c: a value that depends on no run, while the step is saved; SG400 */
extern void sigma_argument_check(ProcedureStep *step, int i, const JsonNode *node);

#endif							/* SIGMA_PROCEDURE_H */
