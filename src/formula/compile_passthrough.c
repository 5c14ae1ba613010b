/*
 * compile_passthrough.c
 *		Functions of the database: Call... and Agg...
 *
 * The function is resolved when the formula is compiled and printed with its schema
 * and with arguments of exactly its types, so that no other search_path or later
 * overload can put another in its place.  Times with a zone are UTC on both sides.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common/session.h"
#include "compat.h"
#include "formula/compiler.h"
#include "formula/database_function.h"

static FormulaSql **compile_values(FormulaCompiler *compiler, const FormulaNode *node);
static bool find_function(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **values,
						  DatabaseFunction *found);
static bool has_null(FormulaSql **values, int count);
static void check_function(FormulaCompiler *compiler, const FormulaNode *node, bool aggregate,
						   const DatabaseFunction *found);
static bool is_plain_aggregate(Oid funcid);
static char *pass(const FormulaSql *value, Oid type);
static FormulaSql *receive(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function,
						   Oid type, const char *call);

/* A call of either kind. */
FormulaSql *
sigma_compile_passthrough(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	if (strncmp(function->name, "Agg", 3) == 0)
		return sigma_compile_aggregate(compiler, node, function);
	return sigma_compile_database_call(compiler, node, function);
}

/*
 * The call itself; of an aggregate, within the query that reads the rows.  42883
 * where there is no such function, 42725 where it is ambiguous, 42809 where it is of
 * another kind, 42501 where a stored formula may not call it.
 */
FormulaSql *
sigma_compile_database_call(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	FormulaSql **values = compile_values(compiler, node);
	DatabaseFunction found = {0};
	StringInfoData call;
	int			i;

	compiler->scope->reads = true;	/* also where none is found: one may be there later */
	if (!find_function(compiler, node, values, &found))
		return sigma_compile_node(compiler, sigma_formula_parse("Null"));
	check_function(compiler, node, strncmp(function->name, "Agg", 3) == 0, &found);
	initStringInfo(&call);
	appendStringInfo(&call, "%s(", found.name);
	for (i = 1; i < node->nchildren; i++)
		appendStringInfo(&call, "%s%s", i > 1 ? ", " : "", pass(values[i - 1], found.declared[i - 1]));
	appendStringInfoChar(&call, ')');
	if (node->nchildren == 1 && found.kind == PROKIND_AGGREGATE)
	{
		resetStringInfo(&call);
		appendStringInfo(&call, "%s(*)", found.name);
	}
	return receive(compiler, node, function, found.result, call.data);
}

/* The arguments behind the name, which has to be a text constant. */
static FormulaSql **
compile_values(FormulaCompiler *compiler, const FormulaNode *node)
{
	FormulaSql **values = palloc(sizeof(FormulaSql *) * node->nchildren);
	int			i;

	if (node->children[0]->kind != FORMULA_TEXT)
		sigma_compile_error(compiler, node->children[0], ERRCODE_INVALID_PARAMETER_VALUE,
							"Write it between quotes: CallText(\"initcap\", [Name]).",
							"argument 1 of %s must be a constant text, the name of a function", node->text);
	for (i = 1; i < node->nchildren; i++)
		values[i - 1] = sigma_compile_node(compiler, node->children[i]);
	return values;
}

/*
 * Finds the function for arguments of these kinds.  Returns false where that depends
 * on one that is Null, or whose kind only a run tells: the call is Null then.
 */
static bool
find_function(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **values, DatabaseFunction *found)
{
	const FormulaNode *given = node->children[0];
	List	   *name = sigma_database_function_name(given->text);
	int			count = node->nchildren - 1;
	CallArgument *arguments = palloc0(sizeof(CallArgument) * (count + 1));
	StringInfoData types;
	CallMatch	match;
	int			i;

	if (name == NIL)
		sigma_compile_error(compiler, given, ERRCODE_INVALID_NAME, "Write it as function or schema.function.",
							"\"%s\" is no name of a function", given->text);
	initStringInfo(&types);
	for (i = 0; i < count; i++)
	{
		arguments[i].type = values[i]->form == SQL_NULL ? UNKNOWNOID : sigma_sql_form_oid(values[i]->form);
		arguments[i].loose = values[i]->form == SQL_TEXT && (values[i]->constant || values[i]->from_json);
		appendStringInfo(&types, "%s%s", i > 0 ? ", " : "", format_type_be(arguments[i].type));
	}
	match = sigma_database_function_find(name, arguments, count, found);
	if (match == CALL_AMBIGUOUS && has_null(values, count))
		return false;
	if (match == CALL_AMBIGUOUS)
		sigma_compile_error(compiler, given, ERRCODE_AMBIGUOUS_FUNCTION,
							"Wrap the arguments: Text(...), Number(...) or Date(...).",
							"function %s(%s) is not unique", NameListToString(name), types.data);
	if (match == CALL_UNKNOWN)
		sigma_compile_error(compiler, given, ERRCODE_UNDEFINED_FUNCTION, sigma_database_function_hint(name),
							"function %s(%s) does not exist", NameListToString(name), types.data);
	return true;
}

/* Is an argument Null? */
static bool
has_null(FormulaSql **values, int count)
{
	int			i;

	for (i = 0; i < count; i++)
		if (values[i]->form == SQL_NULL)
			return true;
	return false;
}

/* Is it of the kind that is called, and may it be called here? */
static void
check_function(FormulaCompiler *compiler, const FormulaNode *node, bool aggregate, const DatabaseFunction *found)
{
	const FormulaNode *given = node->children[0];
	const char *kind = found->kind == PROKIND_PROCEDURE ? "a procedure" :
		found->kind == PROKIND_WINDOW ? "a window function" :
		found->kind == PROKIND_AGGREGATE ? "an aggregate" : "no aggregate";
	char		type = get_typtype(found->result);

	if (found->kind != (aggregate ? PROKIND_AGGREGATE : PROKIND_FUNCTION))
		sigma_compile_error(compiler, given, ERRCODE_WRONG_OBJECT_TYPE,
							found->kind == PROKIND_AGGREGATE ? "Aggregates are called with AggText, AggNumber and so on." :
							found->kind == PROKIND_FUNCTION ? "Functions are called with CallText, CallNumber and so on." :
							NULL, "%s is %s", found->name, kind);
	if (found->set)
		sigma_compile_error(compiler, given, ERRCODE_FEATURE_NOT_SUPPORTED, "A formula has one value.",
							"%s returns a set", found->name);
	if (aggregate && !is_plain_aggregate(found->funcid))
		sigma_compile_error(compiler, given, ERRCODE_FEATURE_NOT_SUPPORTED, "Use PercentileCont or PercentileDisc.",
							"%s is an ordered-set aggregate", found->name);
	if (type == TYPTYPE_PSEUDO && found->result != VOIDOID && found->result != RECORDOID)
		sigma_compile_error(compiler, given, ERRCODE_FEATURE_NOT_SUPPORTED, NULL, "%s returns %s, which is no value",
							found->name, format_type_be(found->result));
	if (compiler->scope->stored && !sigma_database_function_trusted(found->funcid))
		sigma_compile_error(compiler, given, ERRCODE_INSUFFICIENT_PRIVILEGE,
							"It runs with the rights of whoever uses it, so it may call built-in functions that only compute, sigma's own, and functions of a superuser or the owner of schema sigds.",
							"a stored formula may not call %s", found->name);
	/* what sigma writes itself, as new names, was checked when its author saved it */
	if (compiler->scope->saving && sigma_session.origin != ORIGIN_SYSTEM &&
		sigma_function_aclcheck(found->funcid, GetUserId(), ACL_EXECUTE) != ACLCHECK_OK)
		sigma_compile_error(compiler, given, ERRCODE_INSUFFICIENT_PRIVILEGE,
							"Who saves a formula that others run needs EXECUTE on what it calls.",
							"permission denied for function %s", found->name);
}

static bool
is_plain_aggregate(Oid funcid)
{
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(funcid));
	bool		plain;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for aggregate %u", funcid);
	plain = ((Form_pg_aggregate) GETSTRUCT(tuple))->aggkind == AGGKIND_NORMAL;
	ReleaseSysCache(tuple);
	return plain;
}

/* SQL of an argument in the type that the function has declared; InvalidOid: any will do. */
static char *
pass(const FormulaSql *value, Oid type)
{
	if (!OidIsValid(type))
		return sigma_sql_in_form(value, value->form == SQL_NULL ? SQL_TEXT : value->form);
	if (value->form == SQL_NULL)
		return psprintf("NULL::%s", format_type_be_qualified(type));
	if (sigma_sql_form_oid(value->form) == type)
		return value->sql;
	if (type == INT4OID && value->type == TYPE_NUMBER)
		return sigma_sql_in_form(value, SQL_INT4);
	if (type == INT8OID && value->type == TYPE_NUMBER)
		return sigma_sql_in_form(value, SQL_INT8);
	if (type == TIMESTAMPOID)
		return sigma_sql_in_form(value, SQL_TIMESTAMP);
	if (type == TIMESTAMPTZOID)
		return psprintf("pg_catalog.timezone('UTC'::pg_catalog.text, %s)", sigma_sql_in_form(value, SQL_TIMESTAMP));
	return psprintf("%s::%s", value->sql, format_type_be_qualified(type));
}

/* What the function returns, as the kind that the formula asks for. */
static FormulaSql *
receive(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function, Oid type,
		const char *call)
{
	static const char *const conversions[] = {
		[TYPE_TEXT] = "Text", [TYPE_NUMBER] = "Number", [TYPE_DATE] = "DateTime", [TYPE_LOGICAL] = "Logical",
		[TYPE_VARIANT] = "Variant",
	};
	FormulaColumn column = {0};
	FormulaSql *value;

	sigma_formula_type_form(&column, type);
	if (function->result == TYPE_VARIANT && (type_is_array(type) || type == RECORDOID || type_is_rowtype(type)))
		return sigma_compile_result(compiler, SQL_JSONB, psprintf("pg_catalog.to_jsonb(%s)", call));
	value = sigma_compile_result(compiler, column.form, psprintf("%s%s%s", column.before, call, column.after));
	if (value->type == function->result)
		return value;
	return sigma_compile_function(compiler, node, sigma_function_find(conversions[function->result]), &value, 1);
}
