/*
 * statement.c
 *		The statement that fires the triggers: what its ON CONFLICT clauses are.
 *
 * A BEFORE ROW trigger is called for a row that is about to be inserted whether
 * ON CONFLICT would turn it away or not, and PostgreSQL does not tell it.  It must
 * know: a duplicate that the clause takes care of is no failure.  So the statement
 * that the executor runs is remembered; an inner one restores the outer one.
 *
 * Work that must come after all triggers of a statement, those of its other operations
 * too (MERGE, an upsert, WITH), waits for the end of the statement that is being finished.
 *
 * The library is loaded when it is first needed, which may be in the middle of a
 * statement that is then not known.  Until the next message of the client the
 * answer can be "unknown": duplicates are then left to the unique index.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "tcop/pquery.h"
#include "utils/portal.h"
#include "utils/timestamp.h"

#include "common/spi.h"
#include "compat.h"
#include "input_table/rules.h"

static ExecutorRun_hook_type previous_run = NULL;
static ExecutorFinish_hook_type previous_finish = NULL;
static ExecutorStart_hook_type previous_start = NULL;
/* A statement in the executor; lives on the C stack. */
typedef struct RunningStatement
{
	struct RunningStatement *outer;
	const PlannedStmt *plan;
	MemoryContext cxt;			/* of its execution; NULL until it is being finished */
	List	   *work;			/* of EndWork, in cxt */
} RunningStatement;

/* What is done when its triggers have all fired. */
typedef struct EndWork
{
	StatementEndWork work;
	void	   *arg;
} EndWork;

static RunningStatement *running = NULL;	/* the innermost */
static TimestampTz loaded_in = 0;			/* start of the client's message that loaded the library */

/* The text that runs with the rights of a relation's owner, and that relation. */
static const char *owned_text = NULL;
static Oid	owned_relation = InvalidOid;

static void lend_rights(QueryDesc *query, int eflags);
static void remember_run(EXECUTOR_RUN_PARAMETERS);
static void remember_finish(QueryDesc *query);
static bool collect(const PlannedStmt *statement, Oid relid, UpsertInfo *info);
static bool collect_plan(const PlannedStmt *statement, const Plan *plan, Oid relid, UpsertInfo *info);

/* Called once, when the library is loaded. */
void
sigma_statement_init(void)
{
	previous_run = ExecutorRun_hook;
	ExecutorRun_hook = remember_run;
	previous_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = remember_finish;
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = lend_rights;
	loaded_in = GetCurrentStatementStartTimestamp();
}

/*
 * See rules.h.  Everything but rights on the one relation is the caller's: who
 * current_user is, what row security applies, what functions may do.
 */
uint64
sigma_statement_run_as_owner(Oid relid, const char *sql, int expected)
{
	SPIExecuteOptions options = {0};
	int			code = sigma_statement_execute_as_owner(relid, sql, &options);

	if (code != expected)
		elog(ERROR, "SPI_execute_extended returned %s", SPI_result_code_string(code));
	return SPI_processed;
}

/* The same with options of SPI; returns SPI's code. */
int
sigma_statement_execute_as_owner(Oid relid, const char *sql, const SPIExecuteOptions *options)
{
	const char *outer_text = owned_text;
	Oid			outer_relation = owned_relation;
	int			code = 0;

	PG_TRY();
	{
		owned_text = sql;
		owned_relation = relid;
		code = SPI_execute_extended(sql, options);
	}
	PG_FINALLY();
	{
		owned_text = outer_text;
		owned_relation = outer_relation;
	}
	PG_END_TRY();
	return code;
}

/* The statement of that very text has its rights on the relation checked as the owner's, as views have. */
static void
lend_rights(QueryDesc *query, int eflags)
{
	if (owned_text != NULL && query->sourceText == owned_text)
	{
		ListCell   *cell;

		query->plannedstmt = copyObject(query->plannedstmt);
		foreach(cell, SIGMA_RIGHTS_OF(query->plannedstmt))
		{
			SigmaRights *rights = lfirst(cell);

			if (rights->relid == owned_relation)
				rights->checkAsUser = sigma_relation_owner(owned_relation);
		}
	}
	if (previous_start != NULL)
		previous_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

static void
remember_run(EXECUTOR_RUN_PARAMETERS)
{
	RunningStatement statement = {.outer = running, .plan = query->plannedstmt};

	running = &statement;
	PG_TRY();
	{
		if (previous_run != NULL)
			previous_run(EXECUTOR_RUN_ARGUMENTS);
		else
			standard_ExecutorRun(EXECUTOR_RUN_ARGUMENTS);
	}
	PG_FINALLY();
	{
		running = statement.outer;
	}
	PG_END_TRY();
}

/* WITH queries that nobody read to the end write their rows here, and AFTER triggers fire. */
static void
remember_finish(QueryDesc *query)
{
	RunningStatement statement = {.outer = running, .plan = query->plannedstmt, .cxt = query->estate->es_query_cxt};

	running = &statement;
	PG_TRY();
	{
		if (previous_finish != NULL)
			previous_finish(query);
		else
			standard_ExecutorFinish(query);
		while (statement.work != NIL)
		{
			EndWork    *next = linitial(statement.work);

			statement.work = list_delete_first(statement.work);
			next->work(next->arg);
		}
	}
	PG_FINALLY();
	{
		running = statement.outer;
	}
	PG_END_TRY();
}

/*
 * For AFTER triggers: memory that lasts until the end of the statement that fires them;
 * NULL where there is none in the executor, as for COPY.
 */
MemoryContext
sigma_statement_end_context(void)
{
	return running == NULL ? NULL : running->cxt;
}

/* Do that when the triggers of the statement that is being finished have all fired; there is one. */
void
sigma_statement_at_end(StatementEndWork work, void *arg)
{
	MemoryContext caller = MemoryContextSwitchTo(running->cxt);
	EndWork    *next = palloc(sizeof(EndWork));

	next->work = work;
	next->arg = arg;
	running->work = lappend(running->work, next);
	MemoryContextSwitchTo(caller);
}

/*
 * The ON CONFLICT clauses of the running statement on one table.  The list is
 * allocated in the current context.
 */
void
sigma_statement_upsert(Oid relid, UpsertInfo *info)
{
	ListCell   *cell;

	memset(info, 0, sizeof(UpsertInfo));
	if (running != NULL)
	{
		/* COPY in a function does not pass here; the outer statement then says nothing of the table */
		(void) collect(running->plan, relid, info);
		return;
	}
	if (GetCurrentStatementStartTimestamp() != loaded_in)
		return;					/* no executor runs: COPY */
	info->unknown = true;
	if (ActivePortal == NULL)
		return;
	foreach(cell, ActivePortal->stmts)
	{
		const PlannedStmt *statement = lfirst(cell);

		if (statement->utilityStmt != NULL && IsA(statement->utilityStmt, CopyStmt))
			info->unknown = false;
		else if (statement->utilityStmt == NULL && collect(statement, relid, info))
			info->unknown = false;
	}
}

/* Does the statement write the table?  Adds its clauses. */
static bool
collect(const PlannedStmt *statement, Oid relid, UpsertInfo *info)
{
	bool		writes = collect_plan(statement, statement->planTree, relid, info);
	ListCell   *cell;

	/* WITH queries that write stand among the subplans */
	foreach(cell, statement->subplans)
		writes |= collect_plan(statement, lfirst(cell), relid, info);
	return writes;
}

static bool
collect_plan(const PlannedStmt *statement, const Plan *plan, Oid relid, UpsertInfo *info)
{
	const ModifyTable *modify = (const ModifyTable *) plan;
	bool		writes = false;
	ListCell   *cell;

	if (plan == NULL || !IsA(plan, ModifyTable))
		return false;
	foreach(cell, modify->resultRelations)
		writes |= rt_fetch(lfirst_int(cell), statement->rtable)->relid == relid;
	if (writes && modify->onConflictAction != ONCONFLICT_NONE)
	{
		if (modify->arbiterIndexes == NIL)
			info->any_index = true;
		info->indexes = list_concat_unique_oid(info->indexes, modify->arbiterIndexes);
	}
	return writes;
}
