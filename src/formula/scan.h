/*
 * scan.h
 *		Tokens of the formula language.
 */
#ifndef SIGMA_FORMULA_SCAN_H
#define SIGMA_FORMULA_SCAN_H

#include "compat.h"
#include "formula/formula.h"

typedef enum TokenKind
{
	TOKEN_END,					/* of the formula */
	TOKEN_NUMBER,				/* "value" is the canonical spelling */
	TOKEN_TEXT,					/* "value" without quotes and escapes */
	TOKEN_NAME,					/* of a function or key, "value" as written */
	TOKEN_TRUE,					/* the words keep "value" too: they may be keys */
	TOKEN_FALSE,
	TOKEN_NULL,
	TOKEN_OPERATOR,				/* "op" */
	TOKEN_PUNCTUATION			/* *start: one of ()[]{},:. */
} TokenKind;

typedef struct Token
{
	TokenKind	kind;
	FormulaOperator op;			/* of TOKEN_OPERATOR, else OPERATOR_NONE */
	const char *start;			/* in the text of the scanner */
	int			length;
	const char *value;			/* see TokenKind, else NULL */
	bool		adjacent;		/* no blank before it */
} Token;

typedef struct Scanner
{
	const char *text;			/* the whole formula */
	const char *at;				/* where the next token is looked for */
	Token		token;			/* the current one */
	StringInfoData buffer;		/* where values are put together */
} Scanner;

extern void sigma_formula_scan_start(Scanner *scanner, const char *text);
extern void sigma_formula_scan_next(Scanner *scanner);
extern void sigma_formula_scan_reference(Scanner *scanner, const char **source, const char **name);
extern bool sigma_formula_is_name(const char *text);
extern void sigma_formula_error(const Scanner *scanner, const char *at, const char *hint, const char *format,...)
			pg_attribute_printf(4, 5) pg_attribute_noreturn();

/* Is the current token that punctuation mark? */
static inline bool
sigma_formula_at(const Scanner *scanner, char mark)
{
	return scanner->token.kind == TOKEN_PUNCTUATION && *scanner->token.start == mark;
}

#endif							/* SIGMA_FORMULA_SCAN_H */
