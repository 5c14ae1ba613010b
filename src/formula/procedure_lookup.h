/*
 * procedure_lookup.h
 *		Functions and procedures that steps call: "name", or "name(type, ...)".
 */
#ifndef SIGMA_PROCEDURE_LOOKUP_H
#define SIGMA_PROCEDURE_LOOKUP_H

#include "postgres.h"

typedef enum ProcedureMatch
{
	PROCEDURE_FOUND,
	PROCEDURE_NO_NAME,			/* the text is no name of a function */
	PROCEDURE_UNKNOWN,			/* there is none of that name, or none that takes these types */
	PROCEDURE_AMBIGUOUS			/* there are several of that name */
} ProcedureMatch;

/*
 * The function or procedure that a text names, by the search_path where it has no
 * schema.  Otherwise *hint (may become NULL) says what there is, palloc'd.  Raises
 * 42501 for a schema that the caller may not use, 42601 for types that cannot be read.
 */
extern ProcedureMatch sigma_procedure_find(const char *text, Oid *funcid, char **hint);

/* What names it everywhere: schema, name and argument types.  palloc'd. */
extern char *sigma_procedure_name(Oid funcid);

/*
 * May a step call it for the current role?  One that formulas may call, or one of the
 * role's own that no extension has brought.
 */
extern bool sigma_procedure_trusted(Oid funcid);

#endif							/* SIGMA_PROCEDURE_LOOKUP_H */
