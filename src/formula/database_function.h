/*
 * database_function.h
 *		Functions of the database that formulas call by name.
 */
#ifndef SIGMA_DATABASE_FUNCTION_H
#define SIGMA_DATABASE_FUNCTION_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* What an argument is, for finding the function. */
typedef struct CallArgument
{
	Oid			type;			/* UNKNOWNOID: a Null */
	bool		loose;			/* a literal, or text of a context: may stand for other types */
} CallArgument;

typedef enum CallMatch
{
	CALL_FOUND,
	CALL_UNKNOWN,				/* no function takes these arguments */
	CALL_AMBIGUOUS				/* several do */
} CallMatch;

/* The function that was found. */
typedef struct DatabaseFunction
{
	Oid			funcid;
	char	   *name;			/* qualified and quoted */
	char		kind;			/* prokind */
	bool		set;			/* it returns a set */
	Oid			result;			/* with the types of these arguments */
	Oid		   *declared;		/* of each argument; InvalidOid: it takes what it gets */
} DatabaseFunction;

/* The parts of a name, folded, without "snowflake" or the database before them; NIL where it cannot be one. */
extern List *sigma_database_function_name(const char *name);

extern CallMatch sigma_database_function_find(List *name, const CallArgument *arguments, int count,
											  DatabaseFunction *result);

/* The nearest names, or what functions of that name take; NULL where nothing is near. */
extern char *sigma_database_function_hint(List *name);

/* May a formula that others run call it? */
extern bool sigma_database_function_trusted(Oid funcid);

#endif							/* SIGMA_DATABASE_FUNCTION_H */
