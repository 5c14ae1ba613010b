/*
 * compile_passthrough.c
 *		Functions of the database: Call... and Agg...
 */
#include "postgres.h"

#include "formula/compiler.h"

FormulaSql *
sigma_compile_passthrough(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	sigma_compile_error(compiler, node, ERRCODE_FEATURE_NOT_SUPPORTED, NULL, "%s is not supported yet", function->name);
}

FormulaSql *
sigma_compile_database_call(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	sigma_compile_error(compiler, node, ERRCODE_FEATURE_NOT_SUPPORTED, NULL, "%s is not supported yet", function->name);
}
