/*
 * trust_plan.c
 *		The relations of a statement: does reading or writing them run what is not trusted?
 *
 * Functions in a view run as whoever reads it, as in any query; so do those in policies.
 * The planner evaluates constant parts of the predicates and expressions of indexes,
 * statistics, constraints and partition keys of whatever it plans for.  A foreign table
 * is read over a server's connection, and triggers run as whoever writes.  Who typed the
 * statement has chosen that; who runs a definition of somebody else has not.
 *
 * What belongs to a superuser, the owner of schema sigds or the current role is trusted,
 * as functions are (trust.c); relations that a trusted view reads are looked into like
 * any other.  A prepared statement knows them all, of all views and policies that its
 * rewriting has put in.
 *
 * Locking and lifetime.  ACCESS SHARE locks on all of them are held until the transaction
 * ends, from the preparation on, so that views and policies stay what they were found to
 * be.  A kept plan is checked when it is made, and again after any change of the catalogs
 * that bears on it, which its keeper sees by sigma_formula_generation(), once it has
 * locked what is not trusted: a change that is about to be committed is waited for, not
 * walked into.  What was found is remembered by relation and role until such a change.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic_ext.h"
#include "commands/trigger.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common/spi.h"
#include "compat.h"
#include "formula/compile.h"
#include "formula/trust.h"

#define MAX_REMEMBERED	1024	/* relations; then all are forgotten */

/* A relation that was looked into for a role, and found to be trusted. */
typedef struct KnownKey
{
	Oid			relid;
	Oid			role;
} KnownKey;

typedef struct KnownRelation
{
	KnownKey	key;			/* must be first */
	uint64		changes;		/* of the catalogs, then */
	bool		locks;			/* its owner could change it */
} KnownRelation;

static HTAB *known = NULL;

static bool find_in_plan(SPIPlanPtr plan, TrustFinding *finding, List **locks);
static bool find_in_queries(List *relids, List *queries, TrustFinding *finding, List **locks);
static bool find_in_statement(Node *node, void *context);
static bool find_in_policies(RangeTblEntry *entry, TrustFinding *finding);
static bool find_in_relation(Oid relid, TrustFinding *finding, List **locks);
static bool look_into(Relation rel, TrustFinding *finding);
static bool find_in_server(Relation rel, TrustFinding *finding);
static bool find_in_catalog(Relation rel, const List *oids, int cache, AttrNumber attribute, TrustFinding *finding);
static bool find_in_constraints(Relation rel, TrustFinding *finding);
static bool find_in_children(Relation rel, TrustFinding *finding, List **locks);
static bool find_in_triggers(Oid relid, TrustFinding *finding);
static KnownRelation *find_known(Oid relid);
static void remember(Oid relid, uint64 changes, bool locks);
static bool find_in_rows(Oid relid, TrustFinding *finding);
static void refuse(const TrustFinding *finding) pg_attribute_noreturn();
static char *describe(const TrustFinding *finding);
static char *name_of(Oid relid);

/* ------------------------------------------------------------------------
 * Statements
 * ------------------------------------------------------------------------ */

/* See trust.h. */
List *
sigma_trust_check_plan(SPIPlanPtr plan)
{
	TrustFinding finding = {0};
	List	   *locks = NIL;

	if (find_in_plan(plan, &finding, &locks))
		refuse(&finding);
	return locks;
}

/* See trust.h.  Waits for who is changing one of them; what that was is known then. */
void
sigma_trust_lock(const List *relids)
{
	const ListCell *lc;

	foreach(lc, relids)
		LockRelationOid(lfirst_oid(lc), AccessShareLock);
}

/* See trust.h. */
List *
sigma_trust_keep(const List *relids, MemoryContext cxt)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	List	   *copy = list_copy(relids);

	MemoryContextSwitchTo(old);
	return copy;
}

/* See trust.h. */
SPIPlanPtr
sigma_trust_prepare(const char *sql, int nargs, Oid *types)
{
	SPIPlanPtr	plan = SPI_prepare(sql, nargs, types);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	list_free(sigma_trust_check_plan(plan));
	return plan;
}

/* See trust.h. */
bool
sigma_trust_plan(SPIPlanPtr plan)
{
	TrustFinding finding = {0};
	List	   *locks = NIL;

	return !find_in_plan(plan, &finding, &locks);
}

/* See trust.h. */
void
sigma_trust_check_relation(Oid relid)
{
	TrustFinding finding = {0};

	if (find_in_rows(relid, &finding))
		refuse(&finding);
}

/* See trust.h. */
bool
sigma_trust_relation(Oid relid)
{
	TrustFinding finding = {0};

	return !find_in_rows(relid, &finding);
}

/*
 * Is there something in a query of the relation's rows?  It is made by hand: as text it
 * would need the right to use the relation's schema.
 */
static bool
find_in_rows(Oid relid, TrustFinding *finding)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	ParseState *pstate;
	Query	   *query;
	List	   *queries;
	List	   *relids;
	List	   *items;
	List	   *locks = NIL;
	bool		secured;

	if (rel == NULL)			/* gone meanwhile */
		return false;
	pstate = make_parsestate(NULL);
	addNSItemToQuery(pstate, addRangeTableEntryForRelation(pstate, rel, AccessShareLock, NULL, true, false),
					 true, false, false);
	query = makeNode(Query);
	query->commandType = CMD_SELECT;
	query->canSetTag = true;
	query->rtable = pstate->p_rtable;
	SIGMA_TAKE_RIGHTS(query, pstate);
	query->jointree = makeFromExpr(pstate->p_joinlist, NULL);
	free_parsestate(pstate);
	relation_close(rel, NoLock);
	queries = QueryRewrite(query);
	extract_query_dependencies((Node *) queries, &relids, &items, &secured);
	return find_in_queries(relids, queries, finding, &locks);
}

/* The first thing that is not trusted in the rewritten queries of a plan; adds to *locks what has to be locked. */
static bool
find_in_plan(SPIPlanPtr plan, TrustFinding *finding, List **locks)
{
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan))
	{
		CachedPlanSource *source = lfirst(lc);

		if (find_in_queries(source->relationOids, source->query_list, finding, locks))
			return true;
	}
	return false;
}

/* The same in rewritten queries, whose relations "relids" are. */
static bool
find_in_queries(List *relids, List *queries, TrustFinding *finding, List **locks)
{
	ListCell   *lc;

	foreach(lc, relids)
		if (find_in_relation(lfirst_oid(lc), finding, locks))
			return true;
	foreach(lc, queries)
		if (find_in_statement(lfirst(lc), finding) || sigma_trust_find_values(lfirst(lc), finding))
			return true;
	return false;
}

/* Walker over queries: policies that apply to what is read, triggers of what is written. */
static bool
find_in_statement(Node *node, void *context)
{
	Query	   *query = (Query *) node;
	ListCell   *lc;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, find_in_statement, context);
	foreach(lc, query->rtable)
		if (find_in_policies(lfirst(lc), context))
			return true;
	if (query->resultRelation > 0 &&
		find_in_triggers(list_nth_node(RangeTblEntry, query->rtable, query->resultRelation - 1)->relid, context))
		return true;
	return query_tree_walker(query, find_in_statement, context, 0);
}

/* The policies that rewriting has put around a relation. */
static bool
find_in_policies(RangeTblEntry *entry, TrustFinding *finding)
{
	Oid			owner;

	if (entry->rtekind != RTE_RELATION || entry->securityQuals == NIL)
		return false;
	owner = sigma_relation_owner(entry->relid);
	if (sigma_role_trusted(owner) || !sigma_trust_find_calls((Node *) entry->securityQuals, owner, finding))
		return false;
	finding->relid = entry->relid;
	return true;
}

/* ------------------------------------------------------------------------
 * Relations
 * ------------------------------------------------------------------------ */

/*
 * What a relation brings along by itself; other relations that it reads are found by the
 * statement that reads it.  It is locked until the transaction ends.
 */
static bool
find_in_relation(Oid relid, TrustFinding *finding, List **locks)
{
	uint64		changes = sigma_formula_changes();
	KnownRelation *entry;
	Relation	rel;
	Oid			owner;
	bool		fixed;
	bool		found;

	check_stack_depth();
	if (relid < FirstNormalObjectId)
		return false;
	entry = find_known(relid);
	if (entry != NULL && entry->changes == changes)
	{
		if (entry->locks)
			*locks = list_append_unique_oid(*locks, relid);
		return false;
	}
	rel = try_relation_open(relid, AccessShareLock);
	if (rel == NULL)
		return false;			/* the statement will say so */
	owner = rel->rd_rel->relowner;
	fixed = owner == sigma_sigds_owner() || superuser_arg(owner);
	if (!fixed)
		*locks = list_append_unique_oid(*locks, relid);
	found = (!fixed && owner != GetUserId() && look_into(rel, finding)) || find_in_children(rel, finding, locks);
	if (!found && !rel->rd_rel->relhassubclass && changes == sigma_formula_changes())
		remember(relid, changes, !fixed);
	relation_close(rel, NoLock);
	return found;
}

/* What reading or planning for a relation of somebody else runs. */
static bool
look_into(Relation rel, TrustFinding *finding)
{
	List	   *indexes;
	bool		found;

	switch (rel->rd_rel->relkind)
	{
		case RELKIND_VIEW:
			found = sigma_trust_find_calls((Node *) copyObject(get_view_query(rel)), rel->rd_rel->relowner, finding);
			break;
		case RELKIND_FOREIGN_TABLE:
			found = find_in_server(rel, finding);
			break;
		default:
			indexes = RelationGetIndexList(rel);
			found = find_in_catalog(rel, indexes, INDEXRELID, Anum_pg_index_indexprs, finding) ||
				find_in_catalog(rel, indexes, INDEXRELID, Anum_pg_index_indpred, finding) ||
				find_in_catalog(rel, RelationGetStatExtList(rel), STATEXTOID, Anum_pg_statistic_ext_stxexprs, finding) ||
				find_in_catalog(rel, list_make1_oid(RelationGetRelid(rel)), PARTRELID, Anum_pg_partitioned_table_partexprs,
								finding) ||
				find_in_constraints(rel, finding);
	}
	if (found)
		finding->relid = RelationGetRelid(rel);
	return found;
}

/*
 * A foreign table asks its server as its owner wishes, over the connection and by the
 * rights that the reader has there: always found.
 */
static bool
find_in_server(Relation rel, TrustFinding *finding)
{
	finding->server = GetForeignTable(RelationGetRelid(rel))->serverid;
	return true;
}

/*
 * Expressions that rows of a catalog have as an attribute.  The texts are read: the
 * relcache would evaluate what is constant in them.
 */
static bool
find_in_catalog(Relation rel, const List *oids, int cache, AttrNumber attribute, TrustFinding *finding)
{
	const ListCell *lc;
	bool		found = false;

	foreach(lc, oids)
	{
		HeapTuple	tuple = SearchSysCache1(cache, ObjectIdGetDatum(lfirst_oid(lc)));
		bool		isnull;
		Datum		value;

		if (!HeapTupleIsValid(tuple))
			continue;
		value = SysCacheGetAttr(cache, tuple, attribute, &isnull);
		found = !isnull &&
			sigma_trust_find_calls(stringToNode(TextDatumGetCString(value)), rel->rd_rel->relowner, finding);
		ReleaseSysCache(tuple);
		if (found)
			break;
	}
	return found;
}

/* CHECK constraints, by which the planner leaves relations out. */
static bool
find_in_constraints(Relation rel, TrustFinding *finding)
{
	TupleConstr *constraints = RelationGetDescr(rel)->constr;
	int			i;

	for (i = 0; constraints != NULL && i < constraints->num_check; i++)
		if (sigma_trust_find_calls(stringToNode(constraints->check[i].ccbin), rel->rd_rel->relowner, finding))
			return true;
	return false;
}

/* Partitions and children are read with their parent; they may belong to others. */
static bool
find_in_children(Relation rel, TrustFinding *finding, List **locks)
{
	ListCell   *lc;

	if (!rel->rd_rel->relhassubclass ||
		(rel->rd_rel->relkind != RELKIND_RELATION && rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE))
		return false;
	foreach(lc, find_inheritance_children(RelationGetRelid(rel), AccessShareLock))
		if (find_in_relation(lfirst_oid(lc), finding, locks))
			return true;
	return false;
}

/* Triggers fire as whoever writes, and whoever has TRIGGER on a table can add one. */
static bool
find_in_triggers(Oid relid, TrustFinding *finding)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	/* a copy: each look at a catalog may rebuild what the relation cache has of the table */
	TriggerDesc *triggers = rel == NULL ? NULL : CopyTriggerDesc(rel->trigdesc);
	bool		found = false;
	int			i;

	for (i = 0; !found && triggers != NULL && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (trigger->tgisinternal || trigger->tgenabled == TRIGGER_DISABLED)
			continue;
		found = trigger->tgqual != NULL && sigma_trust_find_calls(stringToNode(trigger->tgqual), InvalidOid, finding);
		if (!found && !sigma_function_owner_trusted(trigger->tgfoid))
		{
			finding->function = trigger->tgfoid;
			found = true;
		}
	}
	if (found)
	{
		finding->relid = relid;
		finding->written = true;
	}
	if (rel != NULL)
		relation_close(rel, NoLock);
	return found;
}

/* ------------------------------------------------------------------------
 * What is known
 * ------------------------------------------------------------------------ */

/* What was found for the current role, or NULL. */
static KnownRelation *
find_known(Oid relid)
{
	KnownKey	key = {relid, GetUserId()};

	return known == NULL ? NULL : hash_search(known, &key, HASH_FIND, NULL);
}

/* Remember that a relation is trusted. */
static void
remember(Oid relid, uint64 changes, bool locks)
{
	KnownKey	key = {relid, GetUserId()};
	KnownRelation *entry;

	if (known != NULL && hash_get_num_entries(known) >= MAX_REMEMBERED)
	{
		hash_destroy(known);
		known = NULL;
	}
	if (known == NULL)
	{
		HASHCTL		info = {0};

		info.keysize = sizeof(KnownKey);
		info.entrysize = sizeof(KnownRelation);
		info.hcxt = CacheMemoryContext;
		known = hash_create("sigma trusted relations", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(known, &key, HASH_ENTER, NULL);
	entry->changes = changes;
	entry->locks = locks;
}

/* ------------------------------------------------------------------------
 * Messages
 * ------------------------------------------------------------------------ */

/* 42501: the relation, what it brings along, and whose rights that would have. */
static void
refuse(const TrustFinding *finding)
{
	const char *role = GetUserNameFromId(GetUserId(), false);

	if (!OidIsValid(finding->relid))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("values that are read would run a function that is not trusted"),
				 errdetail("%s, with the rights of role \"%s\".", describe(finding), role),
				 errhint("The function must belong to a superuser, the owner of schema sigds or role \"%s\".", role)));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s relation %s of role \"%s\" would run what is not trusted", finding->written ? "writing" : "reading",
					name_of(finding->relid), GetUserNameFromId(sigma_relation_owner(finding->relid), false)),
			 errdetail("%s, with the rights of role \"%s\".", describe(finding), role),
			 finding->written || OidIsValid(finding->type) ?
			 errhint("It must belong to a superuser, the owner of schema sigds or role \"%s\".", role) :
			 errhint("The relation or what it calls must belong to a superuser, the owner of schema sigds or role \"%s\";"
					 " of PostgreSQL's own functions it may call those that only compute.", role)));
}

/* "It calls f(integer) of role "x"". */
static char *
describe(const TrustFinding *finding)
{
	HeapTuple	tuple;
	Oid			owner;

	if (OidIsValid(finding->server))
	{
		ForeignServer *server = GetForeignServer(finding->server);

		return psprintf("It asks server \"%s\" of role \"%s\"", server->servername, GetUserNameFromId(server->owner, false));
	}
	if (OidIsValid(finding->type))
		return psprintf("It reads values of type %s", format_type_extended(finding->type, -1, FORMAT_TYPE_FORCE_QUALIFY));
	if (finding->denied)
		return psprintf("It calls %s, which the relation's owner may not", format_procedure(finding->function));
	if (finding->function < FirstNormalObjectId)
		return psprintf("It calls %s", format_procedure(finding->function));
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(finding->function));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", finding->function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return psprintf("%s %s of role \"%s\"", OidIsValid(finding->relid) ? "It calls" : "A cast of their type calls",
					format_procedure(finding->function), GetUserNameFromId(owner, false));
}

/* With its schema, quoted. */
static char *
name_of(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}
