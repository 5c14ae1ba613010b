/*
 * trust.c
 *		Functions and types of a query or an expression: are all of them trusted?
 *
 * What others have written is run with the rights of whoever runs it.  So it may call
 * what the function of the database that formulas call may be (database_function.c),
 * and what belongs to the current role itself, if its author may call that too.  Besides the functions that stand in the
 * tree there are those that it comes to:
 *
 *		types		reading a domain's value checks its constraints
 *		casts		to_jsonb() and its kin look for a cast of whatever they are given
 *		ranges		the planner's estimates measure them with their subtype_diff
 *		operators	the planner replaces NOT (a = b) by the operator's negator
 *
 * Nothing is kept and nothing is evaluated.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_range.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "common/spi.h"
#include "compat.h"
#include "formula/procedure_lookup.h"
#include "formula/trust.h"

/* A search; what is found ends it. */
typedef struct TrustSearch
{
	TrustFinding *finding;
	bool		calls;			/* functions count, not only what values bring along */
	Oid			author;			/* who needs EXECUTE on them then */
} TrustSearch;

/* What is done with values of a type. */
typedef enum TypeUse
{
	TYPE_READ,					/* from text or JSON */
	TYPE_WRITTEN,				/* as text */
	TYPE_HANDLED				/* whatever functions do that take any type */
} TypeUse;

static bool search_node(Node *node, void *context);
static bool search_calls(Node *node, TrustSearch *search);
static bool search_operator(Node *node, TrustSearch *search);
static bool search_values(Node *node, TrustSearch *search);
static bool is_own_function(Node *node);
static bool is_untrusted(Oid funcid, void *context);
static bool is_of_others(Oid funcid, TrustSearch *search);
static bool search_types(List *types, TrustSearch *search);
static bool search_type(Oid type, TypeUse use, TrustSearch *search);
static bool search_row(Oid type, TypeUse use, TrustSearch *search);
static bool search_range(Oid type, TypeUse use, TrustSearch *search);
static bool search_casts(Oid type, TrustSearch *search);
static bool check_owner(Oid type, TrustSearch *search);

/* See trust.h. */
bool
sigma_role_trusted(Oid role)
{
	return role == GetUserId() || role == sigma_sigds_owner() || superuser_arg(role);
}

/* See trust.h. */
bool
sigma_function_owner_trusted(Oid funcid)
{
	HeapTuple	tuple;
	Oid			owner;

	if (funcid < FirstNormalObjectId)
		return true;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return sigma_role_trusted(owner);
}

/* See trust.h. */
bool
sigma_trust_find_calls(Node *tree, Oid author, TrustFinding *finding)
{
	TrustSearch search = {finding, true, author};

	return search_node(tree, &search);
}

/* See trust.h. */
bool
sigma_trust_find_values(Node *tree, TrustFinding *finding)
{
	TrustSearch search = {finding, false, InvalidOid};

	return search_node(tree, &search);
}

/* See trust.h. */
bool
sigma_trust_find_input(Oid type, TrustFinding *finding)
{
	TrustSearch search = {finding, true, InvalidOid};

	return search_type(type, TYPE_READ, &search);
}

/*
 * Nodes
 */

/* Walker: true for what is not trusted. */
static bool
search_node(Node *node, void *context)
{
	TrustSearch *search = context;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, search_node, context, 0);
	if (search->calls && search_calls(node, search))
		return true;
	if (search_values(node, search))
		return true;
	if (IsA(node, FuncExpr) && is_own_function(node))
	{
		ListCell   *lc;

		/* they write values by their types' output functions, and look for no cast */
		foreach(lc, ((FuncExpr *) node)->args)
			if (!IsA(lfirst(lc), Var) && search_node(lfirst(lc), context))
				return true;
		return false;
	}
	return expression_tree_walker(node, search_node, context);
}

/* The functions that a node calls. */
static bool
search_calls(Node *node, TrustSearch *search)
{
	if (IsA(node, CoerceViaIO))
		/* by the input and output functions of two types */
		return search_type(((CoerceViaIO *) node)->resulttype, TYPE_READ, search) ||
			search_type(exprType((Node *) ((CoerceViaIO *) node)->arg), TYPE_WRITTEN, search);
	if (IsA(node, CoerceToDomain))
		return check_owner(((CoerceToDomain *) node)->resulttype, search);
	if (check_functions_in_node(node, is_untrusted, search) || search_operator(node, search))
		return true;
	/* functions that read JSON or XML read values of whatever they return */
	if (IsA(node, FuncExpr))
		return search_type(((FuncExpr *) node)->funcresulttype, TYPE_READ, search);
	if (IsA(node, RangeTblFunction))
		return search_types(((RangeTblFunction *) node)->funccoltypes, search);
	if (IsA(node, TableFunc))
		return search_types(((TableFunc *) node)->coltypes, search);
	if (SIGMA_IS_JSON_EXPRESSION(node))
		return search_type(exprType(node), TYPE_READ, search);
	return false;
}

/* The operators that the planner may put in the place of one. */
static bool
search_operator(Node *node, TrustSearch *search)
{
	Oid			others[2];
	Oid			operator;
	int			i;

	if (IsA(node, OpExpr) || IsA(node, DistinctExpr) || IsA(node, NullIfExpr))
		operator = ((OpExpr *) node)->opno;
	else if (IsA(node, ScalarArrayOpExpr))
		operator = ((ScalarArrayOpExpr *) node)->opno;
	else
		return false;
	others[0] = get_negator(operator);
	others[1] = get_commutator(operator);
	for (i = 0; i < lengthof(others); i++)
		if (OidIsValid(others[i]) && is_untrusted(get_opcode(others[i]), search))
			return true;
	return false;
}

/* What the value of a node brings along.  Others than these pass on what is below them. */
static bool
search_values(Node *node, TrustSearch *search)
{
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Const:
		case T_Param:
		case T_FuncExpr:
		case T_OpExpr:
		case T_Aggref:
		case T_WindowFunc:
		case T_SubscriptingRef:
		case T_FieldSelect:
		case T_RowExpr:
		case T_ArrayExpr:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
		case T_ConvertRowtypeExpr:
		case T_CoerceToDomain:
			return search_type(exprType(node), TYPE_HANDLED, search);
		default:
			return false;
	}
}

/* Is it a call of a function of schema sigma? */
static bool
is_own_function(Node *node)
{
	Oid			function = ((FuncExpr *) node)->funcid;

	return function >= FirstNormalObjectId && get_func_namespace(function) == get_namespace_oid("sigma", true);
}

/* check_functions_callback, too */
static bool
is_untrusted(Oid funcid, void *context)
{
	TrustSearch *search = context;

	if (sigma_procedure_trusted(funcid))
	{
		if (!OidIsValid(search->author) || sigma_function_aclcheck(funcid, search->author, ACL_EXECUTE) == ACLCHECK_OK)
			return false;
		search->finding->denied = true;
	}
	search->finding->function = funcid;
	return true;
}

/* Does a function belong to somebody who is not trusted, so that it may do anything? */
static bool
is_of_others(Oid funcid, TrustSearch *search)
{
	if (sigma_function_owner_trusted(funcid))
		return false;
	search->finding->function = funcid;
	return true;
}

/*
 * Types
 */

static bool
search_types(List *types, TrustSearch *search)
{
	ListCell   *lc;

	foreach(lc, types)
		if (search_type(lfirst_oid(lc), TYPE_READ, search))
			return true;
	return false;
}

/* A type that others have made, and those that it is made of. */
static bool
search_type(Oid type, TypeUse use, TrustSearch *search)
{
	Oid			element;

	check_stack_depth();
	if (type < FirstNormalObjectId)
		return false;
	if (use == TYPE_HANDLED && search_casts(type, search))
		return true;
	element = get_element_type(type);
	if (OidIsValid(element))
		return search_type(element, use, search);
	switch (get_typtype(type))
	{
		case TYPTYPE_COMPOSITE:
			return search_row(type, use, search);
		case TYPTYPE_ENUM:
			return false;
		case TYPTYPE_DOMAIN:
			return (use == TYPE_READ && check_owner(type, search)) || search_type(getBaseType(type), use, search);
		case TYPTYPE_RANGE:
			return search_range(type, use, search);
		case TYPTYPE_MULTIRANGE:
			return search_type(get_multirange_range(type), use, search);
		default:
			return use != TYPE_HANDLED && check_owner(type, search);
	}
}

/* The columns of a row type. */
static bool
search_row(Oid type, TypeUse use, TrustSearch *search)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);
	int			i;

	for (i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped && search_type(TupleDescAttr(desc, i)->atttypid, use, search))
			return true;
	return false;
}

/* A range: what makes its values canonical, and what measures them. */
static bool
search_range(Oid type, TypeUse use, TrustSearch *search)
{
	HeapTuple	tuple = SearchSysCache1(RANGETYPE, ObjectIdGetDatum(type));
	Oid			functions[2];
	int			i;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for range type %u", type);
	functions[0] = ((Form_pg_range) GETSTRUCT(tuple))->rngcanonical;
	functions[1] = ((Form_pg_range) GETSTRUCT(tuple))->rngsubdiff;
	ReleaseSysCache(tuple);
	if (use == TYPE_READ && check_owner(type, search))
		return true;
	for (i = 0; use == TYPE_HANDLED && i < lengthof(functions); i++)
		if (OidIsValid(functions[i]) && is_of_others(functions[i], search))
			return true;
	return search_type(get_range_subtype(type), use, search);
}

/* The casts from a type. */
static bool
search_casts(Oid type, TrustSearch *search)
{
	CatCList   *casts = SearchSysCacheList1(CASTSOURCETARGET, ObjectIdGetDatum(type));
	bool		found = false;
	int			i;

	for (i = 0; !found && i < casts->n_members; i++)
	{
		Form_pg_cast cast = (Form_pg_cast) GETSTRUCT(&casts->members[i]->tuple);

		found = OidIsValid(cast->castfunc) && is_of_others(cast->castfunc, search);
	}
	ReleaseSysCacheList(casts);
	return found;
}

/* Does the type, whose own functions are called, belong to somebody who is not trusted? */
static bool
check_owner(Oid type, TrustSearch *search)
{
	HeapTuple	tuple;
	Oid			owner;

	if (type < FirstNormalObjectId)
		return false;
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	owner = ((Form_pg_type) GETSTRUCT(tuple))->typowner;
	ReleaseSysCache(tuple);
	if (sigma_role_trusted(owner))
		return false;
	search->finding->type = type;
	return true;
}
