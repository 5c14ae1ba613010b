/*
 * compiler.h
 *		What the files of the compiler share; nobody else includes it.
 */
#ifndef SIGMA_FORMULA_COMPILER_H
#define SIGMA_FORMULA_COMPILER_H

#include "formula/compile.h"

/* Rows that are being read, innermost first: of the formula's own row, an aggregate, a lookup. */
typedef struct FormulaFrame
{
	FormulaRelation *relation;
	const char *alias;			/* "" for bare column names */
	struct FormulaFrame *outer;
} FormulaFrame;

typedef struct FormulaCompiler
{
	FormulaScope *scope;
	const char *text;			/* what is being compiled: positions count in it */
	FormulaFrame *frame;		/* NULL: no rows */
	bool		in_aggregate;	/* within the arguments of an aggregate or window function */
	int			aliases;		/* numbers the aliases of subqueries */
	Size		produced;		/* bytes of SQL so far */
} FormulaCompiler;

/* compile.c */
extern FormulaSql *sigma_compile_node(FormulaCompiler *compiler, const FormulaNode *node);
extern FormulaSql *sigma_compile_binary(FormulaCompiler *compiler, const FormulaNode *at, FormulaOperator op,
										FormulaSql *left, FormulaSql *right);
extern FormulaSql *sigma_compile_result(FormulaCompiler *compiler, SqlForm form, char *sql);
extern void sigma_compile_error(FormulaCompiler *compiler, const FormulaNode *at, int sqlstate, const char *hint,
								const char *format,...) pg_attribute_printf(5, 6) pg_attribute_noreturn();
extern void sigma_compile_type_error(FormulaCompiler *compiler, const FormulaNode *at, const char *what,
									 FormulaType expected, const FormulaSql *received) pg_attribute_noreturn();

/* compile_call.c */
extern FormulaSql *sigma_compile_call(FormulaCompiler *compiler, const FormulaNode *node);
extern FormulaSql *sigma_compile_function(FormulaCompiler *compiler, const FormulaNode *at,
										  const FormulaFunction *function, FormulaSql **arguments, int count);
extern char *sigma_compile_template(FormulaCompiler *compiler, const char *sql, FormulaSql **arguments, int count);
extern FormulaSql **sigma_compile_arguments(FormulaCompiler *compiler, const FormulaNode *node,
											const FormulaFunction *function, int *count);

/* compile_rows.c */
extern FormulaSql *sigma_compile_aggregate(FormulaCompiler *compiler, const FormulaNode *node,
										   const FormulaFunction *function);
extern FormulaSql *sigma_compile_window(FormulaCompiler *compiler, const FormulaNode *node,
										const FormulaFunction *function);
extern FormulaSql *sigma_compile_join(FormulaCompiler *compiler, const FormulaNode *node,
									  const FormulaFunction *function);
extern FormulaSql *sigma_compile_passthrough(FormulaCompiler *compiler, const FormulaNode *node,
											 const FormulaFunction *function);

/* sql_form.c */
extern char *sigma_sql_in_form(const FormulaSql *value, SqlForm form);
extern FormulaSql *sigma_sql_literal(const char *text);
extern bool sigma_sql_unify(FormulaSql **values, int count, FormulaType *type, SqlForm *form, int *wrong);
extern bool sigma_sql_fit(FormulaSql *value, FormulaType wanted);

#endif							/* SIGMA_FORMULA_COMPILER_H */
