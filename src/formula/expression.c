/*
 * expression.c
 *		SQL over one row as a planned expression, and sigma.formula_sql().
 *
 * As PostgreSQL does for CHECK constraints: parse analysis over one relation, then
 * the planner.  The plan is kept in a CachedExpression, which knows when a function
 * or type that it has looked into changes; whoever keeps an expression asks
 * sigma_expression_is_valid() before each statement and makes it anew.  The ExprState is
 * built per statement, as a constraint's: an older one would hold inlined functions.
 *
 * Whose rights.  PostgreSQL checks EXECUTE on every function when an expression is
 * planned and initialised.  Who writes a row has rights on the data table, and need
 * have none on the functions of schema sigma that formulas come to.  So an
 * expression that calls nothing but built-in functions and members of this
 * extension, all of which compute a value of their arguments and nothing else, is
 * analysed, planned and initialised as the owner of schema sigds.  It is always
 * evaluated as the caller.  One that calls any other function (CallText and its
 * like) is planned and initialised as the caller too, so that EXECUTE, also on what
 * is inlined, is his, and it is planned anew for another role; its constant parts may
 * be evaluated then.  Parse analysis
 * itself evaluates nothing but input functions of built-in types.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
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
#include "utils/plancache.h"

#include "common/spi.h"
#include "compat.h"
#include "formula/compile.h"

struct FormulaExpression
{
	CachedExpression *planned;
	bool		foreign;		/* calls functions that are neither built in nor sigma's */
	Oid			role;			/* then: who may call all that was inlined */
	Bitmapset  *columns;		/* attribute numbers, offset as pull_varattnos does */
	MemoryContextCallback release;
};

static Node *analyse(Relation rel, const FormulaSql *sql);
static bool calls_foreign(Node *node, void *context);
static bool is_foreign(Oid function, void *context);
static void release_expression(void *arg);

PG_FUNCTION_INFO_V1(formula_sql);

/*
 * The expression of SQL over a row of "rel" (NULL: over nothing), of the type of its
 * form; allocated in "cxt" and freed with it.
 */
FormulaExpression *
sigma_formula_expression(Relation rel, const FormulaSql *sql, MemoryContext cxt)
{
	FormulaExpression *expression = MemoryContextAllocZero(cxt, sizeof(FormulaExpression));
	MemoryContext caller;
	Bitmapset  *columns = NULL;
	OwnerScope	scope;
	Node	   *tree;

	sigma_owner_begin(&scope, sigma_sigds_owner());
	tree = analyse(rel, sql);
	expression->foreign = calls_foreign(tree, NULL);
	pull_varattnos(tree, 1, &columns);
	if (!expression->foreign)
		expression->planned = GetCachedExpression(tree);
	sigma_owner_end(&scope);
	if (expression->foreign)
	{
		expression->role = GetUserId();
		expression->planned = GetCachedExpression(tree);
	}
	expression->release.func = release_expression;
	expression->release.arg = expression;
	MemoryContextRegisterResetCallback(cxt, &expression->release);
	caller = MemoryContextSwitchTo(cxt);
	expression->columns = bms_copy(columns);
	MemoryContextSwitchTo(caller);
	return expression;
}

/* Is the plan still that of the functions as they are, and made for this role where that matters? */
bool
sigma_expression_is_valid(const FormulaExpression *expression)
{
	return expression->planned->is_valid && (!expression->foreign || expression->role == GetUserId());
}

/* Does it call functions of others, so that EXECUTE on them is the caller's? */
bool
sigma_expression_is_foreign(const FormulaExpression *expression)
{
	return expression->foreign;
}

/* Can it yield different values within one statement? */
bool
sigma_expression_is_volatile(const FormulaExpression *expression)
{
	return contain_volatile_functions(expression->planned->expr);
}

/* Does it read that column of the row? */
bool
sigma_expression_reads(const FormulaExpression *expression, AttrNumber attnum)
{
	return bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, expression->columns);
}

/* The expression ready to be evaluated, for one statement, in the current context; 42501 for a function that the caller may not call. */
ExprState *
sigma_expression_prepare(const FormulaExpression *expression)
{
	ExprState  *state;
	Oid			user;
	int			context;

	if (expression->foreign)
		return ExecInitExpr((Expr *) expression->planned->expr, NULL);
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(sigma_sigds_owner(), context | SECURITY_LOCAL_USERID_CHANGE);
	state = ExecInitExpr((Expr *) expression->planned->expr, NULL);
	SetUserIdAndSecContext(user, context);
	return state;
}

/* Parse and analyse, under the pinned search_path of the owner's scope. */
static Node *
analyse(Relation rel, const FormulaSql *sql)
{
	ParseState *pstate = make_parsestate(NULL);
	List	   *raw = raw_parser(sql->sql, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select = (SelectStmt *) linitial_node(RawStmt, raw)->stmt;
	Node	   *tree;

	if (rel != NULL)
		addNSItemToQuery(pstate, addRangeTableEntryForRelation(pstate, rel, AccessShareLock, NULL, false, true),
						 true, true, true);
	tree = transformExpr(pstate, linitial_node(ResTarget, select->targetList)->val,
						 rel != NULL ? EXPR_KIND_CHECK_CONSTRAINT : EXPR_KIND_COLUMN_DEFAULT);
	tree = coerce_to_target_type(pstate, tree, exprType(tree), sigma_sql_form_oid(sql->form), -1,
								 COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
	if (tree == NULL)
		elog(ERROR, "formula does not yield %s: %s", sigma_sql_form_type(sql->form), sql->sql);
	assign_expr_collations(pstate, tree);
	free_parsestate(pstate);
	return tree;
}

/* Walker: does the tree call a function of somebody else? */
static bool
calls_foreign(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_foreign, context))
		return true;
	return expression_tree_walker(node, calls_foreign, context);
}

/* Is the function neither PostgreSQL's own nor a member of this extension? */
static bool
is_foreign(Oid function, void *context)
{
	if (function < FirstNormalObjectId)
		return false;
	return getExtensionOfObject(ProcedureRelationId, function) != get_extension_oid("sigma", false);
}

/* The context of an expression goes: so does its plan, which lives elsewhere. */
static void
release_expression(void *arg)
{
	FreeCachedExpression(((FormulaExpression *) arg)->planned);
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
