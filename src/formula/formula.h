/*
 * formula.h
 *		The formula language: text -> tree -> stored form, and back.
 *
 * sigma_formula_parse() reads a text into a tree of FormulaNodes, which lives
 * in the memory context that was current.  sigma_formula_store() flattens a
 * tree into the value of type sigma.formula, sigma_formula_read() makes a tree
 * of such a value again; the texts of that tree point into the value.
 */
#ifndef SIGMA_FORMULA_H
#define SIGMA_FORMULA_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* A formula has at most so many bytes, as given and in canonical form ... */
#define FORMULA_MAX_LENGTH	(1024 * 1024)
/* ... and its tree and its parentheses so many levels. */
#define FORMULA_MAX_DEPTH	1000

/* The numbers are part of the stored form: append only. */
typedef enum FormulaKind
{
	FORMULA_NULL = 1,			/* Null */
	FORMULA_TRUE = 2,			/* True */
	FORMULA_FALSE = 3,			/* False */
	FORMULA_NUMBER = 4,			/* "text" is its canonical spelling */
	FORMULA_TEXT = 5,			/* "text" without quotes and escapes */
	FORMULA_REFERENCE = 6,		/* [text] or [source/text] */
	FORMULA_OPERATOR = 7,		/* "op" over its children, left to right */
	FORMULA_CALL = 8,			/* function "text" over its children */
	FORMULA_RECORD = 9,			/* the children are FORMULA_FIELDs */
	FORMULA_FIELD = 10,			/* key "text", one child */
	FORMULA_KEY = 11,			/* child.text */
	FORMULA_INDEX = 12			/* child[child], from 0 */
} FormulaKind;

/* The numbers are part of the stored form: append only. */
typedef enum FormulaOperator
{
	OPERATOR_NONE = 0,
	OPERATOR_OR = 1,
	OPERATOR_AND = 2,
	OPERATOR_NOT = 3,
	OPERATOR_EQ = 4,
	OPERATOR_NE = 5,
	OPERATOR_LT = 6,
	OPERATOR_LE = 7,
	OPERATOR_GT = 8,
	OPERATOR_GE = 9,
	OPERATOR_CONCAT = 10,
	OPERATOR_ADD = 11,
	OPERATOR_SUBTRACT = 12,
	OPERATOR_MULTIPLY = 13,
	OPERATOR_DIVIDE = 14,
	OPERATOR_MODULO = 15,
	OPERATOR_NEGATE = 16,
	OPERATOR_POWER = 17
} FormulaOperator;

/* How tightly an operator binds, loosest first. */
typedef enum FormulaPrecedence
{
	PRECEDENCE_OR = 1,
	PRECEDENCE_AND,
	PRECEDENCE_NOT,
	PRECEDENCE_COMPARISON,		/* does not chain */
	PRECEDENCE_CONCAT,
	PRECEDENCE_SUM,
	PRECEDENCE_PRODUCT,
	PRECEDENCE_NEGATE,
	PRECEDENCE_POWER,			/* from the right */
	PRECEDENCE_PRIMARY			/* values, calls, paths */
} FormulaPrecedence;

typedef struct FormulaOperatorInfo
{
	const char *name;			/* canonical spelling */
	FormulaPrecedence precedence;
} FormulaOperatorInfo;

/* by FormulaOperator */
extern const FormulaOperatorInfo sigma_formula_operators[];

typedef struct FormulaNode
{
	FormulaKind kind;
	FormulaOperator op;			/* OPERATOR_NONE unless kind is FORMULA_OPERATOR */
	const char *text;			/* see FormulaKind; NULL where the kind has none */
	const char *source;			/* of a reference: the element, or NULL */
	struct FormulaNode **children;
	int			nchildren;
	int			allocated;		/* places in "children" */
	int			depth;			/* levels of this tree; set by the parser only */
	int			position;		/* byte in the parsed text; -1 in a tree that was read */
} FormulaNode;

/* The value of type sigma.formula. */
typedef struct Formula
{
	int32		vl_len_;		/* varlena header, do not touch */
	uint8		version;		/* FORMULA_VERSION */
	uint8		flags;			/* none yet: 0 */
	uint16		unused;			/* 0 */
	char		data[FLEXIBLE_ARRAY_MEMBER];	/* nodes, see store.c */
} Formula;

#define FORMULA_VERSION		1

/* parse.c: 42601 with the position, 54000 or 54001 where the formula is too long or too deep */
extern FormulaNode *sigma_formula_parse(const char *text);

/* print.c: the canonical text; of a text that may be any, with the errors of the parser */
extern char *sigma_formula_print(const FormulaNode *tree);
extern char *sigma_formula_canonical(const char *text);

/* store.c */
extern Formula *sigma_formula_store(const FormulaNode *tree);
extern FormulaNode *sigma_formula_read(Formula *formula);

#endif							/* SIGMA_FORMULA_H */
