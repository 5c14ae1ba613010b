/*
 * governance.c
 *		governance_config of input tables: who edits and sees their rows.
 *
 * The roles that a definition names get levels of access to the table, as if by
 * sigma.grant_access, and lose them when it names them no more.  The document keeps
 * names: a role that is renamed keeps its level, which table_info warns of, until the
 * list is changed.  While a dump is restored the levels are noted and the GRANTs left
 * to the dump; roles that are not there are warned of.
 *
 * Whoever may change the list may let himself in, so on a table that has been there
 * it takes an admin; who makes a new one may say whom it is for.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_authid.h"
#include "utils/acl.h"
#include "utils/rel.h"

#include "common/access.h"
#include "common/errors.h"
#include "input_table/define.h"

/* A list of roles of governance_config. */
typedef struct RoleList
{
	const char *key;
	int			level;
} RoleList;

static const RoleList role_lists[] = {
	{"editors", ACCESS_EDITOR},
	{"viewers", ACCESS_VIEWER},
};

static JsonNode *list_of(const JsonNode *document, const char *key);
static bool names_role(const JsonNode *list, const char *role);
static bool same_rights(const JsonNode *document, const JsonNode *stored);
static void check_role(const JsonNode *node, bool restoring);
static char *hint_roles(const char *name);

/*
 * Check the governance_config of a definition that is about to be stored; "stored"
 * is the one before, NULL for a new definition, and "kept" says that there are rows
 * of an earlier one.  Raises SG400 for a role that does not exist and was not named
 * before, 42501 where it takes an admin.  In a restore a WARNING takes the place of SG400.
 */
void
sigma_governance_check(JsonNode *document, JsonNode *stored, bool kept, bool restoring)
{
	const JsonNode *governance = sigma_json_get(document, "governance_config");
	int			i;
	int			j;

	for (i = 0; i < lengthof(role_lists); i++)
	{
		const JsonNode *list = list_of(document, role_lists[i].key);

		for (j = 0; list != NULL && j < list->count; j++)
			if (!names_role(list_of(stored, role_lists[i].key), list->items[j]->string))
				check_role(list->items[j], restoring);
	}
	if (restoring || (stored == NULL && !kept) || sigma_access_may(ACCESS_ADMIN, NULL))
		return;
	if (stored == NULL ? governance == NULL && !sigma_row_security_on(sigma_json_get_string(document, "id", "")) :
		same_rights(document, stored) && sigma_row_security_same(stored, document))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to change who may see and edit rows of input table \"%s\"",
					sigma_json_get_string(document, "id", "")),
			 errdetail("Its governance_config, or a column that a row filter reads, would change."),
			 errhint("It takes level \"admin\".")));
}

/* Is everything of governance_config but the formulas the same? */
static bool
same_rights(const JsonNode *document, const JsonNode *stored)
{
	static const char *const keys[] = {"editors", "viewers", "audit", "tamper_evident"};
	const JsonNode *new = sigma_json_get(document, "governance_config");
	const JsonNode *old = sigma_json_get(stored, "governance_config");
	int			i;

	for (i = 0; i < lengthof(keys); i++)
		if (!sigma_definition_same(new == NULL ? NULL : sigma_json_get(new, keys[i]),
								   old == NULL ? NULL : sigma_json_get(old, keys[i])))
			return false;
	return true;
}

/* Give the roles that the definition names their levels, and take them from those it names no more. */
void
sigma_governance_apply(const TableDefinition *table, bool restoring)
{
	int			i;
	int			j;

	for (i = 0; i < lengthof(role_lists); i++)
	{
		const JsonNode *list = list_of(table->document, role_lists[i].key);
		List	   *roles = NIL;

		for (j = 0; list != NULL && j < list->count; j++)
			if (OidIsValid(get_role_oid(list->items[j]->string, true)))
				roles = lappend(roles, list->items[j]->string);
		sigma_access_govern(table->id, role_lists[i].level, roles, restoring);
	}
}

/* Roles that the definition names and that do not exist: a List of char *. */
List *
sigma_governance_missing_roles(const JsonNode *document)
{
	List	   *missing = NIL;
	int			i;
	int			j;

	for (i = 0; i < lengthof(role_lists); i++)
	{
		const JsonNode *list = list_of(document, role_lists[i].key);

		for (j = 0; list != NULL && j < list->count; j++)
			if (list->items[j]->kind == JSON_STRING && !OidIsValid(get_role_oid(list->items[j]->string, true)))
				missing = lappend(missing, list->items[j]->string);
	}
	return missing;
}

/* A list of governance_config, or NULL. */
static JsonNode *
list_of(const JsonNode *document, const char *key)
{
	const JsonNode *governance = document == NULL ? NULL : sigma_json_get(document, "governance_config");
	JsonNode   *list;

	if (governance == NULL || governance->kind != JSON_OBJECT)
		return NULL;
	list = sigma_json_get(governance, key);
	return list != NULL && list->kind == JSON_ARRAY ? list : NULL;
}

static bool
names_role(const JsonNode *list, const char *role)
{
	int			i;

	for (i = 0; list != NULL && i < list->count; i++)
		if (list->items[i]->kind == JSON_STRING && strcmp(list->items[i]->string, role) == 0)
			return true;
	return false;
}

/* A role that a document names must exist. */
static void
check_role(const JsonNode *node, bool restoring)
{
	if (OidIsValid(get_role_oid(node->string, true)))
		return;
	if (!restoring)
		sigma_document_error(node, 0, hint_roles(node->string), "role \"%s\" does not exist", node->string);
	ereport(WARNING,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("role \"%s\" does not exist", node->string),
			 errdetail("A governance_config names it at %s.", sigma_json_path(node)),
			 errhint("Roles are not in the dump of a database: create it, and name it again.")));
}

/* The nearest role, if there is one; roles of the server itself are no suggestion. */
static char *
hint_roles(const char *name)
{
	Relation	rel = table_open(AuthIdRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	List	   *roles = NIL;
	const char **names;
	HeapTuple	tuple;
	ListCell   *lc;

	while ((tuple = systable_getnext(scan)) != NULL)
	{
		const char *role = NameStr(((Form_pg_authid) GETSTRUCT(tuple))->rolname);

		if (strncmp(role, "pg_", 3) != 0)
			roles = lappend(roles, pstrdup(role));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	names = palloc0(sizeof(char *) * (list_length(roles) + 1));
	foreach(lc, roles)
		names[foreach_current_index(lc)] = lfirst(lc);
	return sigma_nearest_name(name, names, false) >= 0 ? sigma_hint_names(name, names) : pstrdup("Create the role first.");
}
