/*
 * visit.c
 *		The references and calls of a formula.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "formula/compile.h"

/* Visit every reference and call of a tree; returns whether the visitor changed one. */
bool
sigma_formula_visit(FormulaNode *tree, FormulaVisitor visitor, void *arg)
{
	bool		changed = false;
	int			i;

	check_stack_depth();
	if (tree->kind == FORMULA_REFERENCE || tree->kind == FORMULA_CALL)
		changed = visitor(arg, tree);
	for (i = 0; i < tree->nchildren; i++)
		changed |= sigma_formula_visit(tree->children[i], visitor, arg);
	return changed;
}

/*
 * A formula as the visitor leaves it, in canonical form; NULL
 * where it changed none.  42601 where the text is no formula.
 */
char *
sigma_formula_rewrite(const char *text, FormulaVisitor visitor, void *arg)
{
	FormulaNode *tree = sigma_formula_parse(text);

	return sigma_formula_visit(tree, visitor, arg) ? sigma_formula_print(tree) : NULL;
}

/* Does a function of that class occur in the tree? */
bool
sigma_formula_uses(const FormulaNode *tree, FunctionClass class)
{
	const FormulaFunction *function;
	int			i;

	check_stack_depth();
	if (tree->kind == FORMULA_CALL && (function = sigma_function_find(tree->text)) != NULL && function->class == class)
		return true;
	for (i = 0; i < tree->nchildren; i++)
		if (sigma_formula_uses(tree->children[i], class))
			return true;
	return false;
}
