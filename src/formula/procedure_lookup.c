/*
 * procedure_lookup.c
 *		Functions and procedures that steps call: "name", or "name(type, ...)".
 *
 * A name that means several functions must say which: a step calls the one that its
 * author chose, not the one that fits the values of a run best.
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "compat.h"
#include "formula/database_function.h"
#include "formula/procedure_lookup.h"

#define MAX_LISTED	10			/* functions in a hint */

static bool split_text(const char *text, char **name, List **types);
static char *next_item(char *item);
static bool is_blank(const char *text);
static bool takes(FuncCandidateList candidate, const List *types);
static int	compare_texts(const ListCell *a, const ListCell *b);
static char *list_candidates(FuncCandidateList candidates);

/* See procedure_lookup.h. */
ProcedureMatch
sigma_procedure_find(const char *text, Oid *funcid, char **hint)
{
	FuncCandidateList candidates;
	FuncCandidateList candidate;
	char	   *name;
	List	   *types;
	List	   *names;

	*funcid = InvalidOid;
	*hint = NULL;
	if (!split_text(text, &name, &types))
		return PROCEDURE_NO_NAME;
	names = sigma_database_function_name(name);
	if (names == NIL)
		return PROCEDURE_NO_NAME;
	candidates = FuncnameGetCandidates(names, -1, NIL, false, false, false, true);
	if (candidates == NULL)
	{
		*hint = sigma_database_function_hint(names);
		return PROCEDURE_UNKNOWN;
	}
	if (types == NIL && candidates->next == NULL)
	{
		*funcid = candidates->oid;
		return PROCEDURE_FOUND;
	}
	*hint = list_candidates(candidates);
	if (types == NIL)
		return PROCEDURE_AMBIGUOUS;
	for (candidate = candidates; candidate != NULL; candidate = candidate->next)
		if (takes(candidate, linitial(types)))
		{
			*funcid = candidate->oid;
			return PROCEDURE_FOUND;
		}
	return PROCEDURE_UNKNOWN;
}

/*
 * The name and, as a list of one List of Oid, the types between parentheses behind it;
 * NIL where there are none.  A type that is unknown is InvalidOid.  False: it cannot be
 * the name of a function.
 */
static bool
split_text(const char *text, char **name, List **types)
{
	const char *open = NULL;
	const char *c;
	char	   *item;
	char	   *rest;
	List	   *found = NIL;
	bool		quoted = false;

	for (c = text; *c != '\0' && open == NULL; c++)
	{
		if (*c == '"')
			quoted = !quoted;
		if (*c == '(' && !quoted)
			open = c;
	}
	*name = open == NULL ? pstrdup(text) : pnstrdup(text, open - text);
	*types = NIL;
	if (open == NULL)
		return !is_blank(*name);
	rest = pstrdup(open + 1);
	for (c = rest + strlen(rest); c > rest && isspace((unsigned char) c[-1]); c--)
		 /* blanks at the end */ ;
	if (c == rest || c[-1] != ')')
		return false;
	rest[c - rest - 1] = '\0';
	for (item = rest; !is_blank(item); item = rest)
	{
		Oid			type = InvalidOid;

		rest = next_item(item);
		if (is_blank(item))
			return false;
		sigma_parse_type(item, &type);
		found = lappend_oid(found, type);
	}
	*types = list_make1(found);
	return !is_blank(*name);
}

/* End an item of a list at its comma; what comes behind.  Quotes and the parentheses of numeric(10, 2) hide commas. */
static char *
next_item(char *item)
{
	bool		quoted = false;
	int			depth = 0;

	for (; *item != '\0' && (*item != ',' || quoted || depth > 0); item++)
	{
		if (*item == '"')
			quoted = !quoted;
		else if (!quoted && (*item == '(' || *item == ')'))
			depth += *item == '(' ? 1 : -1;
	}
	if (*item == '\0')
		return item;
	*item = '\0';
	return item + 1;
}

static bool
is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

/* Are these the types of its arguments? */
static bool
takes(FuncCandidateList candidate, const List *types)
{
	int			i;

	if (candidate->nargs != list_length(types))
		return false;
	for (i = 0; i < candidate->nargs; i++)
		if (candidate->args[i] != list_nth_oid(types, i))
			return false;
	return true;
}

static int
compare_texts(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* "There are f(integer) and f(text)." */
static char *
list_candidates(FuncCandidateList candidates)
{
	List	   *names = NIL;
	StringInfoData buf;
	int			i;

	for (; candidates != NULL; candidates = candidates->next)
		names = lappend(names, format_procedure(candidates->oid));
	list_sort(names, compare_texts);
	initStringInfo(&buf);
	appendStringInfoString(&buf, list_length(names) == 1 ? "There is " : "There are ");
	for (i = 0; i < list_length(names) && i < MAX_LISTED; i++)
		appendStringInfo(&buf, "%s%s", i == 0 ? "" : i == list_length(names) - 1 ? " and " : ", ", (char *) list_nth(names, i));
	appendStringInfoString(&buf, i < list_length(names) ? " and others." : ".");
	return buf.data;
}

/* See procedure_lookup.h. */
char *
sigma_procedure_name(Oid funcid)
{
	return format_procedure_qualified(funcid);
}

/* See procedure_lookup.h. */
bool
sigma_procedure_trusted(Oid funcid)
{
	HeapTuple	tuple;
	bool		own;

	if (sigma_database_function_trusted(funcid))
		return true;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	own = ((Form_pg_proc) GETSTRUCT(tuple))->proowner == GetUserId();
	ReleaseSysCache(tuple);
	return own && funcid >= FirstNormalObjectId && !OidIsValid(getExtensionOfObject(ProcedureRelationId, funcid));
}
