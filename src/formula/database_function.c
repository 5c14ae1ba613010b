/*
 * database_function.c
 *		Functions of the database by name, and which of them stored formulas may call.
 *
 * A function is found as PostgreSQL's parser finds it, through the search_path of
 * whoever compiles; who may execute it is checked by PostgreSQL when it runs.  What
 * a formula that others run may call is decided here, at every compilation.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "common/spi.h"
#include "compat.h"
#include "formula/database_function.h"

static bool find_exact(List *name, const CallArgument *arguments, int count, bool loose, Oid numbers,
					   DatabaseFunction *result, CallMatch *match);
static CallMatch find_assignable(List *name, const CallArgument *arguments, int count, DatabaseFunction *result);
static bool takes(FuncCandidateList candidate, const CallArgument *arguments, int count);
static void describe(DatabaseFunction *result, const CallArgument *arguments, int count);
static bool is_of_extension(Oid funcid);
static bool trusted_type(Oid type);
static bool is_one_of(const char *name, const char *const *names);

/*
 * "PRODUCT.SIGMA.F" as its parts: folded to lower case unless quoted.  A leading
 * "snowflake" or the name of this database says where it is, which is here; before
 * two parts it is dropped unless a schema has that name.
 */
List *
sigma_database_function_name(const char *name)
{
	List	   *parts = NIL;
	List	   *names = NIL;
	ListCell   *lc;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) || parts == NIL)
		return NIL;
	if (list_length(parts) > 1 &&
		(pg_strcasecmp(linitial(parts), "snowflake") == 0 ||
		 pg_strcasecmp(linitial(parts), get_database_name(MyDatabaseId)) == 0) &&
		(list_length(parts) > 2 || !OidIsValid(get_namespace_oid(linitial(parts), true))))
		parts = list_delete_first(parts);
	if (list_length(parts) > 2)
		return NIL;
	foreach(lc, parts)
		names = lappend(names, makeString(lfirst(lc)));
	return names;
}

/*
 * The function that takes such arguments: as they are; else with literals read as
 * whatever it wants; else with integers for numbers, which JSON does not tell apart;
 * else the only one they can be assigned to.
 */
CallMatch
sigma_database_function_find(List *name, const CallArgument *arguments, int count, DatabaseFunction *result)
{
	CallMatch	match = CALL_UNKNOWN;

	if (list_length(name) == 2 && !OidIsValid(get_namespace_oid(strVal(linitial(name)), true)))
		return CALL_UNKNOWN;
	if (count <= FUNC_MAX_ARGS &&
		!find_exact(name, arguments, count, false, NUMERICOID, result, &match) && match == CALL_UNKNOWN &&
		!find_exact(name, arguments, count, true, NUMERICOID, result, &match) && match == CALL_UNKNOWN &&
		!find_exact(name, arguments, count, false, INT8OID, result, &match) && match == CALL_UNKNOWN)
		match = find_assignable(name, arguments, count, result);
	if (match == CALL_FOUND)
		describe(result, arguments, count);
	return match;
}

/* As a call in SQL would find it, with "numbers" as the type of numerics. */
static bool
find_exact(List *name, const CallArgument *arguments, int count, bool loose, Oid numbers,
		   DatabaseFunction *result, CallMatch *match)
{
	Oid			types[FUNC_MAX_ARGS];
	Oid			vatype;
	int			nvargs;
	int			i;

	for (i = 0; i < count; i++)
		types[i] = loose && arguments[i].loose ? UNKNOWNOID :
			arguments[i].type == NUMERICOID ? numbers : arguments[i].type;
	switch (func_get_detail(name, NIL, NIL, count, types, true, true, false, &result->funcid, &result->result,
							&result->set, &nvargs, &vatype, &result->declared, NULL))
	{
		case FUNCDETAIL_NOTFOUND:
		case FUNCDETAIL_COERCION:
			return false;
		case FUNCDETAIL_MULTIPLE:
			*match = CALL_AMBIGUOUS;
			return false;
		default:
			*match = CALL_FOUND;
			return true;
	}
}

/* The only function of that name whose arguments these can become, as in an INSERT. */
static CallMatch
find_assignable(List *name, const CallArgument *arguments, int count, DatabaseFunction *result)
{
	FuncCandidateList candidate = FuncnameGetCandidates(name, count, NIL, true, true, false, true);
	FuncCandidateList found = NULL;

	for (; candidate != NULL; candidate = candidate->next)
	{
		if (!OidIsValid(candidate->oid))
			return CALL_AMBIGUOUS;
		if (!takes(candidate, arguments, count))
			continue;
		if (found != NULL)
			return CALL_AMBIGUOUS;
		found = candidate;
	}
	if (found == NULL)
		return CALL_UNKNOWN;
	result->funcid = found->oid;
	result->declared = palloc(sizeof(Oid) * (count + 1));
	memcpy(result->declared, found->args, sizeof(Oid) * count);
	return CALL_FOUND;
}

static bool
takes(FuncCandidateList candidate, const CallArgument *arguments, int count)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		Oid			type = arguments[i].type;

		if (!(arguments[i].loose && type == TEXTOID) &&
			!can_coerce_type(1, &type, &candidate->args[i], COERCION_ASSIGNMENT))
			return false;
	}
	return true;
}

/* Fills in what the catalog says about the function, with polymorphic types resolved. */
static void
describe(DatabaseFunction *result, const CallArgument *arguments, int count)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(result->funcid));
	Form_pg_proc form;
	Oid		   *actual = palloc(sizeof(Oid) * (count + 1));
	Oid		   *declared = palloc(sizeof(Oid) * (count + 1));
	int			i;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", result->funcid);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	result->name = quote_qualified_identifier(get_namespace_name(form->pronamespace), NameStr(form->proname));
	result->kind = form->prokind;
	result->set = form->proretset;
	for (i = 0; i < count; i++)
	{
		actual[i] = arguments[i].type == UNKNOWNOID ? TEXTOID : arguments[i].type;
		declared[i] = result->declared[i];
		if (IsPolymorphicType(declared[i]) || declared[i] == ANYOID)
			result->declared[i] = InvalidOid;
	}
	result->result = form->prorettype;
	if (IsPolymorphicType(form->prorettype))
		result->result = enforce_generic_type_consistency(actual, declared, count, form->prorettype, false);
	ReleaseSysCache(tuple);
}

/* What functions of that name take, or the nearest name among those that are visible. */
char *
sigma_database_function_hint(List *name)
{
	const char *wanted = strVal(llast(name));
	Oid			namespace = list_length(name) == 2 ? get_namespace_oid(strVal(linitial(name)), true) : InvalidOid;
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *nearest = NULL;
	Oid			same = InvalidOid;
	int			best = strlen(wanted) < 4 ? 2 : 3;

	if (list_length(name) == 2 && !OidIsValid(namespace))
		return psprintf("There is no schema \"%s\".", strVal(linitial(name)));
	rel = table_open(ProcedureRelationId, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
		const char *found = NameStr(form->proname);
		int			distance;

		if (OidIsValid(namespace) ? form->pronamespace != namespace : !FunctionIsVisible(form->oid))
			continue;
		if (strcmp(found, wanted) == 0 && (!OidIsValid(same) || form->oid < same))
			same = form->oid;
		distance = varstr_levenshtein_less_equal(wanted, strlen(wanted), found, strlen(found), 1, 1, 1, best, true);
		if (distance < best || (distance == best && nearest != NULL && strcmp(found, nearest) < 0))
		{
			best = distance;
			nearest = pstrdup(found);
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	if (OidIsValid(same))
		return psprintf("There is %s: wrap arguments in Text(...), Number(...) or Date(...).", format_procedure(same));
	return nearest == NULL ? NULL : psprintf("Did you mean \"%s\"?", nearest);
}

/*
 * May a formula that others run call the function?  Whoever runs it lends it their
 * rights: so what its author could have slipped in must not be called.  Built-in
 * functions may, if they only compute; functions of schema sigma that only compute;
 * other functions whose owner is a superuser or the owner of sigds, but for volatile
 * ones of extensions, which act on files, servers and tables as whoever calls them.
 */
bool
sigma_database_function_trusted(Oid funcid)
{
	/* volatile, but they change nothing that matters */
	static const char *const harmless[] = {"random", "random_normal", "gen_random_uuid", "uuidv4", "uuidv7",
		"clock_timestamp", "timeofday", "nextval", "currval", "lastval", "pg_sleep", NULL};

	/* not volatile, but they read relations or types by name and run what stands behind them */
	static const char *const harmful[] = {"table_to_xml", "table_to_xmlschema", "table_to_xml_and_xmlschema",
		"schema_to_xml", "schema_to_xmlschema", "schema_to_xml_and_xmlschema", "database_to_xml",
		"database_to_xmlschema", "database_to_xml_and_xmlschema", "pg_input_is_valid", "pg_input_error_info", NULL};
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	Form_pg_proc form;
	const char *name;
	bool		trusted;
	int			i;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	name = NameStr(form->proname);
	if (funcid < FirstNormalObjectId)
		trusted = form->provolatile == PROVOLATILE_VOLATILE ? is_one_of(name, harmless) : !is_one_of(name, harmful);
	else if (form->pronamespace == get_namespace_oid("sigma", true) &&
			 form->provolatile == PROVOLATILE_VOLATILE && strcmp(name, "execute_ai_query") != 0)
		trusted = false;
	else
		trusted = (superuser_arg(form->proowner) || form->proowner == sigma_sigds_owner()) &&
			!(form->provolatile == PROVOLATILE_VOLATILE && is_of_extension(funcid));
	trusted = trusted && trusted_type(form->prorettype);
	for (i = 0; trusted && i < form->pronargs; i++)
		trusted = trusted_type(form->proargtypes.values[i]);
	ReleaseSysCache(tuple);
	return trusted;
}

/* Is the function a member of another extension?  Nobody chose one of those for this use: dblink_exec() is one. */
static bool
is_of_extension(Oid funcid)
{
	Oid			extension = getExtensionOfObject(ProcedureRelationId, funcid);

	return OidIsValid(extension) && extension != get_extension_oid("sigma", true);
}

/* A type made by others can bring their functions along: casts, checks of a domain. */
static bool
trusted_type(Oid type)
{
	HeapTuple	tuple;
	Oid			owner;

	if (type == CSTRINGOID || type == INTERNALOID)
		return false;
	if (type < FirstNormalObjectId)
		return true;
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		return false;
	owner = ((Form_pg_type) GETSTRUCT(tuple))->typowner;
	ReleaseSysCache(tuple);
	return superuser_arg(owner) || owner == sigma_sigds_owner();
}

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}
