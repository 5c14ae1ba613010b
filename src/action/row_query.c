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
 * Nothing is kept; whatever is allocated is in the current memory context.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parse_node.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "action/row_query.h"
#include "common/names.h"
#include "common/spi.h"
#include "compat.h"
#include "formula/procedure_lookup.h"

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
static bool find_untrusted(Node *node, void *context);
static bool refuse_function(Oid funcid, void *context);
static void check_types(List *types);
static void check_contents(Oid type);
static void check_row(Oid type);
static void check_type(Oid type);

/* See row_query.h. */
void
sigma_row_query_check(const char *query)
{
	List	   *statements;
	RawStmt    *statement;
	Literals	literals = {NIL};
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
	(void) find_untrusted((Node *) parse_analyze_withcb(statement, query, set_hooks, &literals, NULL), NULL);
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
	if (param->paramkind != PARAM_EXTERN || param->paramtype != UNKNOWNOID)
		return NULL;
	check_contents(type);
	/* the very node, as of other parameters whose types are found so */
	param->paramtype = type;
	param->paramcollid = get_typcollation(type);
	return (Node *) param;
}

/*
 * Functions and types
 */

/* Walker: raises 42501 for the first function or type that is not trusted. */
static bool
find_untrusted(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, find_untrusted, context, 0);
	if (IsA(node, CoerceViaIO))
	{
		/* by the input and output functions of two types */
		check_type(((CoerceViaIO *) node)->resulttype);
		check_contents(((CoerceViaIO *) node)->resulttype);
		check_type(exprType((Node *) ((CoerceViaIO *) node)->arg));
	}
	else if (IsA(node, CoerceToDomain))
		check_type(((CoerceToDomain *) node)->resulttype);
	else
		(void) check_functions_in_node(node, refuse_function, NULL);
	/* functions that read JSON or XML read values of whatever they return */
	if (IsA(node, FuncExpr))
		check_contents(((FuncExpr *) node)->funcresulttype);
	else if (IsA(node, RangeTblFunction))
		check_types(((RangeTblFunction *) node)->funccoltypes);
	else if (IsA(node, TableFunc))
		check_types(((TableFunc *) node)->coltypes);
	else if (SIGMA_IS_JSON_EXPRESSION(node))
		check_contents(exprType(node));
	return expression_tree_walker(node, find_untrusted, context);
}

/* check_functions_callback: 42501 */
static bool
refuse_function(Oid funcid, void *context)
{
	if (!sigma_procedure_trusted(funcid))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a query of a step may not call %s", format_procedure(funcid)),
				 errhint("It must belong to a superuser, the owner of schema sigds or who runs the step;"
						 " of PostgreSQL's own functions those that only compute.")));
	return false;
}

static void
check_types(List *types)
{
	ListCell   *lc;

	foreach(lc, types)
		check_contents(lfirst_oid(lc));
}

/* 42501 for a type that others have made whose values cannot be read without calling something, or that holds such. */
static void
check_contents(Oid type)
{
	check_stack_depth();
	if (type < FirstNormalObjectId)
		return;
	if (OidIsValid(get_element_type(type)))
	{
		check_contents(get_element_type(type));
		return;
	}
	switch (get_typtype(type))
	{
		case TYPTYPE_COMPOSITE:
			check_row(type);
			break;
		case TYPTYPE_ENUM:
			break;
		case TYPTYPE_DOMAIN:
			check_type(type);
			check_contents(getBaseType(type));
			break;
		case TYPTYPE_RANGE:
			check_type(type);
			check_contents(get_range_subtype(type));
			break;
		case TYPTYPE_MULTIRANGE:
			check_contents(get_multirange_range(type));
			break;
		default:
			check_type(type);
			break;
	}
}

/* The columns of a row type. */
static void
check_row(Oid type)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);
	int			i;

	for (i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			check_contents(TupleDescAttr(desc, i)->atttypid);
}

/* 42501 for a type whose functions others could have made. */
static void
check_type(Oid type)
{
	HeapTuple	tuple;
	Oid			owner;

	if (type < FirstNormalObjectId)
		return;
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	owner = ((Form_pg_type) GETSTRUCT(tuple))->typowner;
	ReleaseSysCache(tuple);
	if (!superuser_arg(owner) && owner != sigma_sigds_owner() && owner != GetUserId())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a query of a step may not use type %s", format_type_be(type)),
				 errhint("It must belong to a superuser, the owner of schema sigds or who runs the step.")));
}
