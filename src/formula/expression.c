/*
 * expression.c
 *		SQL over one row of a relation as a planned expression, and sigma.formula_sql().
 *
 * As PostgreSQL does for CHECK constraints: parse analysis over one relation, then
 * expression_planner().  The caller keeps the expression in a CachedExpression or
 * plans it anew after an invalidation, and builds its ExprState per statement: an
 * older one would hold inlined functions and skip the check of EXECUTE rights.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "common/catalog.h"
#include "compat.h"
#include "formula/compile.h"

PG_FUNCTION_INFO_V1(formula_sql);

/* The expression of a formula over a row of "rel"; of the type of its form. */
Expr *
sigma_formula_expression(Relation rel, const FormulaSql *sql)
{
	ParseState *pstate = make_parsestate(NULL);
	List	   *raw;
	SelectStmt *select;
	Node	   *expression;
	ParseNamespaceItem *item;
	int			nest_level = NewGUCNestLevel();

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
	raw = raw_parser(sql->sql, RAW_PARSE_PLPGSQL_EXPR);
	select = (SelectStmt *) linitial_node(RawStmt, raw)->stmt;
	item = addRangeTableEntryForRelation(pstate, rel, AccessShareLock, NULL, false, true);
	addNSItemToQuery(pstate, item, true, true, true);
	expression = transformExpr(pstate, linitial_node(ResTarget, select->targetList)->val, EXPR_KIND_CHECK_CONSTRAINT);
	expression = coerce_to_target_type(pstate, expression, exprType(expression), sigma_sql_form_oid(sql->form), -1,
									   COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
	if (expression == NULL)
		elog(ERROR, "formula does not yield %s: %s", sigma_sql_form_type(sql->form), sql->sql);
	assign_expr_collations(pstate, expression);
	AtEOXact_GUC(true, nest_level);
	free_parsestate(pstate);
	return expression_planner((Expr *) expression);
}

/* A formula as SQL over a row of "source"; without one, over nothing. */
Datum
formula_sql(PG_FUNCTION_ARGS)
{
	FormulaScope scope = {0};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	scope.place = "a formula";
	scope.alias = "";
	scope.tables = true;
	scope.windows = true;
	if (!PG_ARGISNULL(1))
		scope.row = sigma_formula_relation(PG_GETARG_OID(1));
	PG_RETURN_TEXT_P(cstring_to_text(sigma_formula_compile(sigma_formula_print(sigma_formula_read((Formula *) PG_GETARG_VARLENA_P(0))),
														   &scope, TYPE_ANY)->sql));
}
