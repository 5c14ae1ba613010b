/*
 * formula_at.c
 *		Formulas that stand in documents: their errors name the place in the document
 *		and the character in the formula.
 *
 * DETAIL becomes "$.columns[1].validation.formula: At character 3: [Nope] > 1".
 * Errors that are not about the formula (a cancel, a shutdown, no memory, a lock
 * that was not granted) pass unchanged.
 */
#include "postgres.h"

#include "utils/guc.h"
#include "utils/memutils.h"

#include "common/document.h"
#include "compat.h"
#include "formula/compile.h"

/*
 * sigma_formula_compile() for the formula at "path" of a document, in the current
 * context.  The path stands in DETAIL of whatever is wrong with the formula.  A stored
 * one means the same under every search_path: what it names has its schema there.
 */
FormulaSql *
sigma_formula_compile_at(const char *path, const char *text, FormulaScope *scope, FormulaType wanted)
{
	MemoryContext caller = CurrentMemoryContext;
	FormulaSql *volatile result = NULL;
	int			nest_level = NewGUCNestLevel();

	if (scope->stored)
		(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
								 0, false);
	PG_TRY();
	{
		result = sigma_formula_compile(text, scope, wanted);
	}
	PG_CATCH();
	{
		sigma_document_rethrow_at(path, NULL, caller);
	}
	PG_END_TRY();
	AtEOXact_GUC(true, nest_level);
	return result;
}

/* sigma_formula_parse() for the formula at "path" of a document. */
FormulaNode *
sigma_formula_parse_at(const char *path, const char *text)
{
	MemoryContext caller = CurrentMemoryContext;
	FormulaNode *volatile tree = NULL;

	PG_TRY();
	{
		tree = sigma_formula_parse(text);
	}
	PG_CATCH();
	{
		sigma_document_rethrow_at(path, NULL, caller);
	}
	PG_END_TRY();
	return tree;
}
