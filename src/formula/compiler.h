/*
 * compiler.h
 *		What the files of the compiler share; nobody else includes it.
 */
#ifndef SIGMA_FORMULA_COMPILER_H
#define SIGMA_FORMULA_COMPILER_H

#include "formula/compile.h"

/* Rows that are being read, innermost first: the formula's own row, rows of an aggregate, of a lookup. */
typedef struct FormulaFrame
{
	FormulaRelation *relation;
	const char *alias;			/* "" for bare column names */
	struct FormulaFrame *outer;
	bool		own_row;		/* the one row that the formula stands in */
	bool		named_only;		/* of a lookup: names without a table do not mean these rows */
	bool		grouped;		/* aggregates over these rows belong to the query that reads them */
	bool		in_aggregate;	/* arguments of such an aggregate are being compiled */
	bool		aggregated;		/* there was one */
	bool		renamed;		/* the rows are read under names that capture none from outside */
	List	   *attributes;		/* then: those that are read, in the order of their new names */
	int			uses;			/* references to these rows so far */
	const FormulaNode *plain;	/* the first one outside an aggregate */
} FormulaFrame;

typedef struct FormulaCompiler
{
	FormulaScope *scope;
	const char *text;			/* what is being compiled: positions count in it */
	FormulaFrame *frame;		/* NULL: no rows */
	FormulaRelation *own;		/* the table whose columns need no table before them, or NULL */
	List	   *tables;			/* tables that were named (CompiledTable) */
	bool		no_window;		/* within a window function or the keys of a lookup: none may stand there */
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

/* compile_reference.c */
extern FormulaSql *sigma_compile_reference(FormulaCompiler *compiler, const FormulaNode *node);
extern FormulaSql *sigma_compile_context_member(FormulaCompiler *compiler, const FormulaNode *node);
extern FormulaFrame *sigma_compile_find_frame(FormulaCompiler *compiler, const char *source);
extern FormulaColumn *sigma_compile_find_column(FormulaCompiler *compiler, const FormulaNode *node,
												FormulaRelation *relation, const char *name);
extern FormulaRelation *sigma_compile_find_table(FormulaCompiler *compiler, const char *name);
extern const char *sigma_compile_attribute(FormulaCompiler *compiler, FormulaFrame *frame, const char *attribute);
extern bool sigma_compile_is_context(const char *source);

/* compile_call.c */
extern FormulaSql *sigma_compile_call(FormulaCompiler *compiler, const FormulaNode *node);
extern FormulaSql *sigma_compile_function(FormulaCompiler *compiler, const FormulaNode *at,
										  const FormulaFunction *function, FormulaSql **arguments, int count);
extern char *sigma_compile_template(FormulaCompiler *compiler, const char *sql, FormulaSql **arguments, int count);
extern SqlForm sigma_compile_check_arguments(FormulaCompiler *compiler, const FormulaNode *at,
											 const FormulaFunction *function, FormulaSql **arguments, int count);
extern bool sigma_compile_from_json(const FormulaFunction *function, FormulaSql **arguments, int count);
extern FormulaSql **sigma_compile_arguments(FormulaCompiler *compiler, const FormulaNode *node,
											const FormulaFunction *function, int *count);

/* compile_rows.c */
extern FormulaSql *sigma_compile_aggregate(FormulaCompiler *compiler, const FormulaNode *node,
										   const FormulaFunction *function);
extern FormulaSql *sigma_compile_window(FormulaCompiler *compiler, const FormulaNode *node,
										const FormulaFunction *function);
extern char *sigma_compile_rows_template(FormulaCompiler *compiler, const char *sql, FormulaSql **arguments, int count,
										 const char *order, const char *bounds);
extern char *sigma_compile_row_order(FormulaCompiler *compiler, FormulaFrame *frame);
extern double sigma_compile_constant(FormulaCompiler *compiler, const FormulaNode *call, int i, double least);

/* compile_sources.c */
typedef struct FormulaRows
{
	FormulaRelation *relation;	/* NULL: no column of any rows is named */
	bool		selection;		/* it is the selection */
	bool		matching;		/* of the lookup that the aggregate stands in */
	const FormulaNode *second;	/* a reference to other rows, or NULL */
} FormulaRows;

extern void sigma_compile_find_rows(FormulaCompiler *compiler, const FormulaNode *node, bool deep, FormulaRows *rows);
extern void sigma_compile_choose_rows(FormulaCompiler *compiler, const FormulaNode *node, FormulaRows *rows);
extern void sigma_compile_check_tables(FormulaCompiler *compiler, const FormulaNode *node);
extern bool sigma_compile_has_aggregate(const FormulaNode *node);
extern void sigma_compile_push_frame(FormulaCompiler *compiler, FormulaFrame *frame, FormulaRelation *relation);
extern void sigma_compile_pop_frame(FormulaCompiler *compiler, FormulaFrame *frame);
extern char *sigma_compile_from(FormulaFrame *frame);
extern void sigma_compile_need_aggregate(FormulaCompiler *compiler, const FormulaNode *node, FormulaFrame *frame);

/* compile_total.c */
extern FormulaSql *sigma_compile_total(FormulaCompiler *compiler, const FormulaNode *node);
extern FormulaSql *sigma_compile_percent(FormulaCompiler *compiler, const FormulaNode *node);
extern FormulaSql *sigma_compile_sparkline(FormulaCompiler *compiler, const FormulaNode *node);

/* compile_join.c */
extern FormulaSql *sigma_compile_join(FormulaCompiler *compiler, const FormulaNode *node,
									  const FormulaFunction *function);

/* compile_passthrough.c */
extern FormulaSql *sigma_compile_passthrough(FormulaCompiler *compiler, const FormulaNode *node,
											 const FormulaFunction *function);
extern FormulaSql *sigma_compile_database_call(FormulaCompiler *compiler, const FormulaNode *node,
											   const FormulaFunction *function);

/* sql_form.c */
extern char *sigma_sql_in_form(const FormulaSql *value, SqlForm form);
extern FormulaSql *sigma_sql_literal(const char *text);
extern bool sigma_sql_unify(FormulaSql **values, int count, FormulaType *type, SqlForm *form, int *wrong);
extern bool sigma_sql_fit(FormulaSql *value, FormulaType wanted);

#endif							/* SIGMA_FORMULA_COMPILER_H */
