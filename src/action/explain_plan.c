/*
 * explain_plan.c
 *		Statements of steps as they are planned: relations, locks, rights, rows.
 *
 * A statement is planned as the caller, with the values that are known, and not run.  Its
 * locks are those of its range table, its rights those that the executor would check.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/regproc.h"

#include "action/explain.h"
#include "compat.h"
#include "formula/trust.h"

/* A right as messages call it. */
static const struct
{
	AclMode		mode;
	const char *name;
}			rights[] = {
	{ACL_SELECT, "SELECT"}, {ACL_INSERT, "INSERT"}, {ACL_UPDATE, "UPDATE"}, {ACL_DELETE, "DELETE"},
	{ACL_TRUNCATE, "TRUNCATE"},
};

static void explain_statement(Explain *explain, JsonNode *step, JsonNode *statement, const PlannedStmt *planned);
static void explain_rows(JsonNode *statement, const PlannedStmt *planned);
static void explain_relations(Explain *explain, JsonNode *step, const PlannedStmt *planned);
static bool is_written_view(const PlannedStmt *planned, Oid relid);
static void explain_writes(Explain *explain, JsonNode *step, const PlannedStmt *planned);
static const char *scan_of(const PlannedStmt *planned, Plan *plan, Index relation);
static const char *scan_of_list(const PlannedStmt *planned, List *plans, Index relation);
static const char *describe_scan(Plan *plan, Index relation);
static void explain_rights(Explain *explain, JsonNode *step, const PlannedStmt *planned);
static void explain_columns(Explain *explain, JsonNode *step, Oid relid, AclMode mode, const char *name, const Bitmapset *columns);
static bool explain_functions(Node *node, void *context);
static Bitmapset *updated_columns(const PlannedStmt *planned, Oid relid);

/*
 * Explain an analysed statement: {sql, rows, parameters} into the step's "statements", what
 * it reads, writes and lacks into the step.  SPI is connected; raises what planning raises.
 */
void
sigma_explain_plan(Explain *explain, JsonNode *step, SPIPlanPtr plan, ParamListInfo known, JsonNode *parameters)
{
	ListCell   *source;
	ListCell   *lc;

	/* what it reads could bring along what the planner evaluates */
	list_free(sigma_trust_check_plan(plan));
	sigma_explain_call(explain, step, plan, parameters);
	foreach(source, SPI_plan_get_plan_sources(plan))
	{
		CachedPlanSource *one = lfirst(source);
		JsonNode   *statements = sigma_explain_array(step, "statements");
		JsonNode   *statement = statements->items[statements->count - 1];
		List	   *planned = pg_plan_queries(copyObject(one->query_list), one->query_string, CURSOR_OPT_PARALLEL_OK, known);

		foreach(lc, planned)
			explain_statement(explain, step, statement, lfirst(lc));
	}
}

/* The same without planning, which may evaluate a function that calls itself immutable. */
void
sigma_explain_call(Explain *explain, JsonNode *step, SPIPlanPtr plan, JsonNode *parameters)
{
	ListCell   *source;
	ListCell   *lc;

	MemoryContextSwitchTo(explain->probe.cxt);	/* SPI leaves its own */
	foreach(source, SPI_plan_get_plan_sources(plan))
	{
		CachedPlanSource *one = lfirst(source);
		JsonNode   *statement = sigma_json_new(JSON_OBJECT, NULL);

		sigma_json_set(statement, "sql", sigma_json_new_string(one->query_string, NULL));
		if (parameters != NULL && parameters->count > 0)
			sigma_json_set(statement, "parameters", parameters);
		sigma_json_append(sigma_explain_array(step, "statements"), statement);
		foreach(lc, one->query_list)
		{
			if (lfirst_node(Query, lc)->hasRowSecurity)
				sigma_json_set(statement, "row_security", sigma_json_new_bool(true, NULL));
			explain->step = step;
			(void) explain_functions(lfirst(lc), explain);
		}
	}
}

/* One statement that was planned. */
static void
explain_statement(Explain *explain, JsonNode *step, JsonNode *statement, const PlannedStmt *planned)
{
	if (planned->commandType == CMD_UTILITY)
		return;
	explain_rows(statement, planned);
	explain_relations(explain, step, planned);
	explain_rights(explain, step, planned);
	explain_writes(explain, step, planned);
}

/* How many rows the planner expects to be returned, or to be written. */
static void
explain_rows(JsonNode *statement, const PlannedStmt *planned)
{
	Plan	   *plan = planned->planTree;

	if (IsA(plan, ModifyTable) && outerPlan(plan) != NULL)
		plan = outerPlan(plan);
	sigma_json_set(statement, "rows", sigma_json_new_int((int64) Min(plan->plan_rows, 1e18), NULL));
}

/* The relations of the statement, each with its lock. */
static void
explain_relations(Explain *explain, JsonNode *step, const PlannedStmt *planned)
{
	Index		i = 0;
	ListCell   *lc;

	foreach(lc, planned->rtable)
	{
		RangeTblEntry *entry = lfirst(lc);

		bool		written = list_member_int(planned->resultRelations, ++i);

		/* a view that was expanded keeps its relation and lock */
		if ((entry->rtekind != RTE_RELATION && entry->rtekind != RTE_SUBQUERY) || !OidIsValid(entry->relid) ||
			entry->rellockmode == NoLock || (!written && is_written_view(planned, entry->relid)))
			continue;
		sigma_explain_relation(explain, step, entry->relid, written, entry->rellockmode, scan_of(planned, planned->planTree, i));
	}
}

/* Is it a view that the statement writes?  It is expanded too, but that is not another reading of it. */
static bool
is_written_view(const PlannedStmt *planned, Oid relid)
{
	ListCell   *lc;

	if (get_rel_relkind(relid) != RELKIND_VIEW)
		return false;
	foreach(lc, planned->resultRelations)
		if (rt_fetch(lfirst_int(lc), planned->rtable)->relid == relid)
			return true;
	return false;
}

/* What the writing sets off. */
static void
explain_writes(Explain *explain, JsonNode *step, const PlannedStmt *planned)
{
	ListCell   *lc;

	foreach(lc, planned->resultRelations)
	{
		RangeTblEntry *entry = rt_fetch(lfirst_int(lc), planned->rtable);

		sigma_explain_write(explain, step, entry->relid, planned->commandType,
							updated_columns(planned, entry->relid));
	}
}

/* How the plan reads that entry of the range table ("Seq Scan"), or NULL. */
static const char *
scan_of(const PlannedStmt *planned, Plan *plan, Index relation)
{
	const char *found;

	if (plan == NULL)
		return NULL;
	check_stack_depth();
	found = describe_scan(plan, relation);
	if (found == NULL)
		found = scan_of(planned, outerPlan(plan), relation);
	if (found == NULL)
		found = scan_of(planned, innerPlan(plan), relation);
	if (found == NULL && IsA(plan, Append))
		found = scan_of_list(planned, ((Append *) plan)->appendplans, relation);
	if (found == NULL && IsA(plan, MergeAppend))
		found = scan_of_list(planned, ((MergeAppend *) plan)->mergeplans, relation);
	if (found == NULL && IsA(plan, SubqueryScan))
		found = scan_of(planned, ((SubqueryScan *) plan)->subplan, relation);
	if (found == NULL && plan == planned->planTree)
		found = scan_of_list(planned, planned->subplans, relation);
	return found;
}

static const char *
scan_of_list(const PlannedStmt *planned, List *plans, Index relation)
{
	ListCell   *lc;

	foreach(lc, plans)
	{
		const char *found = lfirst(lc) == NULL ? NULL : scan_of(planned, lfirst(lc), relation);

		if (found != NULL)
			return found;
	}
	return NULL;
}

/* The name of a scan of that entry, as EXPLAIN says it; NULL where the node is none. */
static const char *
describe_scan(Plan *plan, Index relation)
{
	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_ForeignScan:
		case T_CustomScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
			break;
		default:
			return NULL;
	}
	if (((Scan *) plan)->scanrelid != relation)
		return NULL;
	switch (nodeTag(plan))
	{
		case T_IndexScan:
			return psprintf("Index Scan using %s", get_rel_name(((IndexScan *) plan)->indexid));
		case T_IndexOnlyScan:
			return psprintf("Index Only Scan using %s", get_rel_name(((IndexOnlyScan *) plan)->indexid));
		case T_BitmapHeapScan:
			return "Bitmap Heap Scan";
		case T_TidScan:
		case T_TidRangeScan:
			return "Tid Scan";
		case T_ForeignScan:
			return "Foreign Scan";
		case T_SeqScan:
			return "Seq Scan";
		default:
			return "Scan";
	}
}

/* Put a relation into "reads" or "writes" of the step, with its strongest lock, and of the whole. */
void
sigma_explain_relation(Explain *explain, JsonNode *step, Oid relid, bool writes, LOCKMODE lock, const char *scan)
{
	const char *key = writes ? "writes" : "reads";
	JsonNode   *relations = sigma_explain_array(step, key);
	char	   *name = sigma_explain_relation_name(relid);
	JsonNode   *found = NULL;
	int			i;

	for (i = 0; i < relations->count && found == NULL; i++)
		if (strcmp(sigma_json_get_string(relations->items[i], "relation", ""), name) == 0)
			found = relations->items[i];
	if (found == NULL)
	{
		found = sigma_json_new(JSON_OBJECT, NULL);
		sigma_json_set(found, "relation", sigma_json_new_string(name, NULL));
		sigma_json_append(relations, found);
		sigma_explain_add(sigma_explain_array(explain->summary, key), name);
	}
	if (sigma_json_get(found, "lock_level") == NULL || sigma_json_get_int(found, "lock_level", 0) < lock)
	{
		sigma_json_set(found, "lock_level", sigma_json_new_int(lock, NULL));
		sigma_json_set(found, "lock", sigma_json_new_string(GetLockmodeName(DEFAULT_LOCKMETHOD, lock), NULL));
	}
	if (scan != NULL)
		sigma_json_set(found, "scan", sigma_json_new_string(scan, NULL));
}

/* schema.name, quoted where that is needed */
char *
sigma_explain_relation_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

/*
 * Rights
 */

/* The rights that the executor would miss. */
static void
explain_rights(Explain *explain, JsonNode *step, const PlannedStmt *planned)
{
	ListCell   *lc;
	int			i;

	foreach(lc, SIGMA_RIGHTS_OF(planned))
	{
		SigmaRights *needed = lfirst(lc);

		/* a view's relations are its owner's affair */
		if (!OidIsValid(needed->relid) || (OidIsValid(needed->checkAsUser) && needed->checkAsUser != GetUserId()))
			continue;
		for (i = 0; i < lengthof(rights); i++)
			if ((needed->requiredPerms & rights[i].mode) != 0 &&
				pg_class_aclcheck(needed->relid, GetUserId(), rights[i].mode) != ACLCHECK_OK)
				explain_columns(explain, step, needed->relid, rights[i].mode, rights[i].name,
								rights[i].mode == ACL_SELECT ? needed->selectedCols :
								rights[i].mode == ACL_INSERT ? needed->insertedCols :
								rights[i].mode == ACL_UPDATE ? needed->updatedCols : NULL);
	}
}

/* A right that the caller has not on the table: has he it on the columns? */
static void
explain_columns(Explain *explain, JsonNode *step, Oid relid, AclMode mode, const char *name, const Bitmapset *columns)
{
	StringInfoData lacking;
	int			i = -1;

	if (bms_is_empty(columns))
	{
		if (mode == ACL_DELETE || mode == ACL_TRUNCATE ||
			pg_attribute_aclcheck_all(relid, GetUserId(), mode, ACLMASK_ANY) != ACLCHECK_OK)
			sigma_explain_right(explain, step, relid, mode, NULL);
		return;
	}
	initStringInfo(&lacking);
	while ((i = bms_next_member(columns, i)) >= 0)
	{
		AttrNumber	attnum = i + FirstLowInvalidHeapAttributeNumber;

		if (attnum == InvalidAttrNumber ?
			pg_attribute_aclcheck_all(relid, GetUserId(), mode, ACLMASK_ALL) != ACLCHECK_OK :
			pg_attribute_aclcheck(relid, attnum, GetUserId(), mode) != ACLCHECK_OK)
			appendStringInfo(&lacking, "%s%s", lacking.len > 0 ? ", " : "",
							 attnum == InvalidAttrNumber ? "*" : quote_identifier(get_attname(relid, attnum, false)));
	}
	if (lacking.len > 0)
		sigma_explain_lack(explain, step, psprintf("%s (%s) on %s", name, lacking.data, sigma_explain_relation_name(relid)));
}

/* Walker: functions that are called and that the caller may not execute. */
static bool
explain_functions(Node *node, void *context)
{
	Explain    *explain = context;
	Oid			function = InvalidOid;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		if (query->utilityStmt != NULL && IsA(query->utilityStmt, CallStmt))
			return explain_functions((Node *) ((CallStmt *) query->utilityStmt)->funcexpr, context);
		return query_tree_walker(query, explain_functions, context, 0);
	}
	if (IsA(node, FuncExpr))
		function = ((FuncExpr *) node)->funcid;
	else if (IsA(node, Aggref))
		function = ((Aggref *) node)->aggfnoid;
	else if (IsA(node, WindowFunc))
		function = ((WindowFunc *) node)->winfnoid;
	if (OidIsValid(function) && sigma_function_aclcheck(function, GetUserId(), ACL_EXECUTE) != ACLCHECK_OK)
		sigma_explain_lack(explain, explain->step, psprintf("EXECUTE on %s", format_procedure_qualified(function)));
	return expression_tree_walker(node, explain_functions, context);
}

/* Does the caller lack this right? */
void
sigma_explain_right(Explain *explain, JsonNode *step, Oid relid, AclMode mode, const char *column)
{
	AttrNumber	attnum = column == NULL ? InvalidAttrNumber : get_attnum(relid, column);
	int			i;

	for (i = 0; i < lengthof(rights); i++)
		if ((mode & rights[i].mode) != 0 &&
			pg_class_aclcheck(relid, GetUserId(), rights[i].mode) != ACLCHECK_OK &&
			(attnum == InvalidAttrNumber || pg_attribute_aclcheck(relid, attnum, GetUserId(), rights[i].mode) != ACLCHECK_OK))
			sigma_explain_lack(explain, step, psprintf("%s%s on %s", rights[i].name,
													   column == NULL ? "" : psprintf(" (%s)", quote_identifier(column)),
													   sigma_explain_relation_name(relid)));
}

void
sigma_explain_lack(Explain *explain, JsonNode *step, const char *lack)
{
	sigma_explain_add(sigma_explain_array(step, "lacks"), lack);
	sigma_explain_add(sigma_explain_array(explain->summary, "lacks"), lack);
}

/* The columns of the relation that the statement sets, as bits of attribute numbers as PostgreSQL counts them. */
static Bitmapset *
updated_columns(const PlannedStmt *planned, Oid relid)
{
	Bitmapset  *columns = NULL;
	ListCell   *lc;

	foreach(lc, SIGMA_RIGHTS_OF(planned))
	{
		SigmaRights *needed = lfirst(lc);

		if (needed->relid == relid)
			columns = bms_add_members(columns, needed->updatedCols);
	}
	return columns;
}
