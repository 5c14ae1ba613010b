/*
 * row_query.c
 *		What the queries of steps may call.
 *
 * A query of a step runs as whoever runs the step, who has not typed it: it must not be a
 * way to run its author's functions as him.  Functions stand in the analysed query.  But a
 * literal is read while the query is analysed, by the input function of whatever type it
 * turns out to have, and reading a value of a domain evaluates the domain's constraints.
 * So the query is analysed here with parameters in the places of its literals: which types
 * they are read as is known then, and nothing has been read.
 *
 * The relations that it names are looked into when it is planned (formula/trust_plan.c).
 *
 * Nothing is kept; whatever is allocated is in the current memory context.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parse_node.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"

#include "action/row_query.h"
#include "compat.h"
#include "formula/trust.h"

StaticAssertDecl(sizeof(ParamRef) <= sizeof(A_Const), "a parameter must fit where a literal was");

/* The literals of a query; the same text is the same parameter, as GROUP BY wants it. */
typedef struct Literals
{
	List	   *texts;			/* of char * */
} Literals;

static void place_error(void *arg);
static bool replace_literals(Node *node, void *context);
static int	number_of(Literals *literals, const char *text);
static void set_hooks(ParseState *state, void *arg);
static Node *refer_to_literal(ParseState *state, ParamRef *reference);
static Node *read_literal(ParseState *state, Param *param, Oid type, int32 typmod, int location);
static void refuse(const TrustFinding *finding) pg_attribute_noreturn();

/* See row_query.h. */
void
sigma_row_query_check(const char *query)
{
	List	   *statements;
	RawStmt    *statement;
	Literals	literals = {NIL};
	TrustFinding finding = {0};
	ErrorContextCallback callback;

	callback.callback = place_error;
	callback.arg = unconstify(char *, query);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	statements = raw_parser(query, RAW_PARSE_DEFAULT);
	statement = list_length(statements) == 1 ? linitial_node(RawStmt, statements) : NULL;
	if (statement == NULL || !IsA(statement->stmt, SelectStmt))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the rows cannot come from this statement"),
				 errhint("Rows come from one SELECT, VALUES or TABLE, which writes nothing.")));
	(void) replace_literals(statement->stmt, &literals);
	if (sigma_trust_find_calls((Node *) parse_analyze_withcb(statement, query, set_hooks, &literals, NULL), GetUserId(), &finding))
		refuse(&finding);
	error_context_stack = callback.previous;
}

/* Error context: a place in the query is not one in the statement that the client has sent. */
static void
place_error(void *arg)
{
	static const char *const scopes[] = {"[Control/", "[Selection/", "[ActionVar/", "[Form/", "{{"};
	const char *query = arg;
	int			position = geterrposition();
	int			i;

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(query);
	}
	if (geterrcode() != ERRCODE_SYNTAX_ERROR)
		return;
	for (i = 0; i < lengthof(scopes); i++)
		if (strstr(query, scopes[i]) != NULL)
		{
			errhint("A query is plain SQL, which reads nothing of the run. Conditions and values of the steps do, as %sx%s.",
					scopes[i], scopes[i][0] == '[' ? "]" : "}}");
			break;
		}
}

/*
 * Literals
 */

/* Walker: literals become references to parameters with negative numbers, in their places. */
static bool
replace_literals(Node *node, void *context)
{
	if (node == NULL || SIGMA_WANTS_RAW_CONSTANTS(node))
		return false;
	if (IsA(node, A_Const) && !((A_Const *) node)->isnull && IsA(&((A_Const *) node)->val, String))
	{
		int			location = ((A_Const *) node)->location;
		int			number = -number_of(context, ((A_Const *) node)->val.sval.sval);
		ParamRef   *reference = (ParamRef *) node;

		memset(reference, 0, sizeof(ParamRef));
		NodeSetTag(reference, T_ParamRef);
		reference->number = number;
		reference->location = location;
		return false;
	}
	return raw_expression_tree_walker(node, replace_literals, context);
}

/* From 1 on. */
static int
number_of(Literals *literals, const char *text)
{
	ListCell   *lc;

	foreach(lc, literals->texts)
		if (strcmp(lfirst(lc), text) == 0)
			return foreach_current_index(lc) + 1;
	literals->texts = lappend(literals->texts, pstrdup(text));
	return list_length(literals->texts);
}

static void
set_hooks(ParseState *state, void *arg)
{
	state->p_paramref_hook = refer_to_literal;
	state->p_coerce_param_hook = read_literal;
}

/* A literal, of no type yet; NULL for a parameter that stands in the query: there are none. */
static Node *
refer_to_literal(ParseState *state, ParamRef *reference)
{
	Param	   *param;

	if (reference->number > 0)
		return NULL;
	param = makeNode(Param);
	param->paramkind = PARAM_EXTERN;
	param->paramid = reference->number;
	param->paramtype = UNKNOWNOID;
	param->paramtypmod = -1;
	param->location = reference->location;
	return (Node *) param;
}

/* A literal is to be read as a type: 42501 where that would run what its author could have slipped in. */
static Node *
read_literal(ParseState *state, Param *param, Oid type, int32 typmod, int location)
{
	TrustFinding finding = {0};

	if (param->paramkind != PARAM_EXTERN || param->paramtype != UNKNOWNOID)
		return NULL;
	if (sigma_trust_find_input(type, &finding))
		refuse(&finding);
	/* the very node, as of other parameters whose types are found so */
	param->paramtype = type;
	param->paramcollid = get_typcollation(type);
	return (Node *) param;
}

/* Raises 42501 for what was found. */
static void
refuse(const TrustFinding *finding)
{
	if (finding->denied)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function %s", get_func_name(finding->function))));
	if (OidIsValid(finding->function))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a query of a step may not call %s", format_procedure(finding->function)),
				 errhint("It must belong to a superuser, the owner of schema sigds or who runs the step;"
						 " of PostgreSQL's own functions those that only compute.")));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("a query of a step may not use type %s", format_type_be(finding->type)),
			 errhint("It must belong to a superuser, the owner of schema sigds or who runs the step.")));
}
