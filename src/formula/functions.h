/*
 * functions.h
 *		The functions of the formula language: one table for everything.
 */
#ifndef SIGMA_FORMULA_FUNCTIONS_H
#define SIGMA_FORMULA_FUNCTIONS_H

#include "postgres.h"

/* Kinds of values. */
typedef enum FormulaType
{
	TYPE_ANY,					/* takes whatever comes */
	TYPE_SAME,					/* one type, the same wherever a signature says T */
	TYPE_OTHER,					/* a second such type, U */
	TYPE_TEXT,
	TYPE_NUMBER,
	TYPE_DATE,					/* always with a time */
	TYPE_LOGICAL,
	TYPE_VARIANT				/* JSON */
} FormulaType;

/*
 * How a value lies in SQL.  A kind of the language has several forms, so that a
 * column is compared and computed with as it is stored.
 */
typedef enum SqlForm
{
	SQL_DEFAULT,				/* of a function: the first form of its result type; of T: what its arguments have in common */
	SQL_FIRST,					/* of a function: that of its first argument, int4 as int8 */
	SQL_SUM,					/* of a function: that of a sum of its first argument, int4 as int8, int8 as numeric */
	SQL_AVERAGE,				/* of a function: that of an average of its first argument, integers as numeric */
	SQL_NULL,					/* a bare NULL */
	SQL_TEXT,
	SQL_NUMERIC,
	SQL_INT4,
	SQL_INT8,
	SQL_FLOAT8,
	SQL_TIMESTAMP,				/* UTC */
	SQL_DATE,
	SQL_BOOL,
	SQL_JSONB,
	SQL_TEXT_ARRAY
} SqlForm;

/* What kind of call it is, and so where it may stand. */
typedef enum FunctionClass
{
	CLASS_SCALAR,				/* anywhere */
	CLASS_AGGREGATE,			/* over rows: of a table, of the selection, of a lookup's matches */
	CLASS_WINDOW,				/* over ordered rows: computed columns only */
	CLASS_JOIN,					/* Lookup and its like: wherever other tables may be read */
	CLASS_CALL					/* Call...: a function of the database */
} FunctionClass;

typedef enum ArgumentUse
{
	ARGUMENT_REQUIRED,
	ARGUMENT_REPEATED,			/* all of these together, any number of times */
	ARGUMENT_OPTIONAL
} ArgumentUse;

typedef struct FunctionArgument
{
	const char *name;			/* NULL ends the list */
	FormulaType type;
	ArgumentUse use;			/* required ones first, then repeated ones, then optional ones */
	const char *preset;			/* of an optional one: what is taken in its place, or NULL */
} FunctionArgument;

#define FUNCTION_MAX_ARGUMENTS	7

typedef struct FormulaFunction
{
	const char *name;			/* canonical spelling; found in any case */
	const char *category;
	FormulaType result;
	FunctionArgument arguments[FUNCTION_MAX_ARGUMENTS + 1];
	const char *description;	/* ASCII, as everything here: it is shown in any encoding */
	const char *example;		/* in canonical form */
	const char *sql;			/* template, see below; NULL: compile_*.c knows how */
	SqlForm		form;			/* of what the template yields */
	FunctionClass class;
} FormulaFunction;

/*
 * Templates.  Every name in them is schema-qualified, operators are written
 * OPERATOR(pg_catalog.+), and nothing that looks an operator up by itself is used
 * (NULLIF, IN, BETWEEN, CASE x WHEN, IS DISTINCT FROM): the text is run under
 * anybody's search_path.
 *
 *	$1			the first argument, in the form it has (T: in the common form of all T)
 *	$1:float8	the same brought to a form: float8, numeric, int8, int4 (numbers out of
 *				its range become its ends, fractions are rounded), text, timestamp, jsonb
 *	$2*  $2*:x	the second and all later arguments, with commas between them
 *	$2&			the second and all later arguments, with AND between them
 *	{...}		only where all arguments named in it are given
 *
 * and for aggregates and window functions alone (outside braces):
 *
 *	@			ORDER BY the argument "x" in the argument "direction" where the function has
 *				them, else the order of the rows; nothing where these have none
 *	@+			the same, equal ones in the order of the rows
 *	#			ROWS BETWEEN the arguments "above" and "below"
 *
 * An optional argument that is not given but has a preset is that preset.  Arguments
 * are put in parentheses where they need them.
 */

/* functions.c: by category; a NULL name ends it */
extern const FormulaFunction sigma_formula_functions[];

/* function_lookup.c */
extern const FormulaFunction *sigma_function_find(const char *name);
extern bool sigma_function_takes(const FormulaFunction *function, int count);
extern char *sigma_function_signature(const FormulaFunction *function);
extern char *sigma_function_arity(const FormulaFunction *function);
extern char *sigma_function_hint(const char *name);

#endif							/* SIGMA_FORMULA_FUNCTIONS_H */
