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
} FormulaFunction;

/* functions.c: by category; a NULL name ends it */
extern const FormulaFunction sigma_formula_functions[];

/* function_lookup.c */
extern const FormulaFunction *sigma_function_find(const char *name);
extern bool sigma_function_takes(const FormulaFunction *function, int count);
extern char *sigma_function_signature(const FormulaFunction *function);
extern char *sigma_function_arity(const FormulaFunction *function);
extern char *sigma_function_hint(const char *name);

#endif							/* SIGMA_FORMULA_FUNCTIONS_H */
