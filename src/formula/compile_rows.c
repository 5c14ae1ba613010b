/*
 * compile_rows.c
 *		Calls that read rows: aggregates, windows, lookups; and functions of the database.
 */
#include "postgres.h"

#include "formula/compiler.h"

FormulaSql *
sigma_compile_aggregate(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	sigma_compile_error(compiler, node, ERRCODE_FEATURE_NOT_SUPPORTED, NULL, "%s is not supported yet", function->name);
}

FormulaSql *
sigma_compile_window(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	sigma_compile_error(compiler, node, ERRCODE_FEATURE_NOT_SUPPORTED, NULL, "%s is not supported yet", function->name);
}

FormulaSql *
sigma_compile_join(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	sigma_compile_error(compiler, node, ERRCODE_FEATURE_NOT_SUPPORTED, NULL, "%s is not supported yet", function->name);
}

FormulaSql *
sigma_compile_passthrough(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	sigma_compile_error(compiler, node, ERRCODE_FEATURE_NOT_SUPPORTED, NULL, "%s is not supported yet", function->name);
}
