/*
 * sync.c
 *		sigma.sync_warehouse(): are the relations of input tables what their definitions say?
 *
 * Views that are missing are made, computed columns that can be computed again are;
 * all else that is wrong is said, and is for whoever altered it to mend.  Each table is
 * looked at in subtransactions of its own: what goes wrong with one is its drift, and
 * leaves that table as it was and the others to be looked at.  What says nothing about a
 * table, as a cancel or a deadlock, ends the call.
 *
 * Readers and writers of a table go on meanwhile, but for those of a view that computes
 * again: it is locked to the end of the transaction, as by CREATE OR REPLACE VIEW.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common/access.h"
#include "common/attempt.h"
#include "common/catalog.h"
#include "common/json_push.h"
#include "common/names.h"
#include "input_table/define.h"
#include "input_table/linked.h"
#include "input_table/structure_check.h"

/* What was found of one table. */
typedef struct SyncState
{
	const char *id;
	const char *status;			/* ok, source_missing, view_restored, drift */
	List	   *drift;			/* of char *: what is not as the definition says */
	int64		rows;			/* -1: there is no data table */
	Problems	problems;		/* what was found before something could not be looked at, too */
} SyncState;

PG_FUNCTION_INFO_V1(sync_warehouse);

static void run_step(AttemptedWork step, SyncState *state);
static bool is_about_table(const ErrorData *error);
static void sync_table(SyncState *state);
static void add_drift(SyncState *state, const char *text);
static void restore_views(void *arg);
static bool is_as_defined(const TableDefinition *table, Oid relid);
static void restore_computed(const TableDefinition *table, SyncState *state);
static void find_drift(void *arg);
static void push_state(JsonbParseState **result, const SyncState *state);

/*
 * sync_warehouse(table_id text) → jsonb: look at one input table or (NULL) at all,
 * make views that are missing, say what has drifted.  Needs UPDATE on the catalog.
 */
Datum
sync_warehouse(PG_FUNCTION_ARGS)
{
	JsonbParseState *result = NULL;
	char	   *only = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			catalog = sigma_relation_oid("sigma_input_tables");
	List	   *states = NIL;
	ListCell   *lc;
	int			synced = 0;

	if (pg_class_aclcheck(catalog, GetUserId(), ACL_UPDATE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, "sigma_input_tables");
	PreventCommandIfReadOnly("sync_warehouse()");
	if (only != NULL && !sigma_catalog_exists(DOCUMENT_INPUT_TABLE, only))
		sigma_catalog_not_found(DOCUMENT_INPUT_TABLE, only);
	foreach(lc, sigma_catalog_names(DOCUMENT_INPUT_TABLE))
	{
		CatalogName *name = lfirst(lc);
		SyncState  *state;

		if (only != NULL && strcmp(only, name->id) != 0)
			continue;
		state = palloc0(sizeof(SyncState));
		state->id = name->id;
		sync_table(state);
		if (strcmp(state->status, "ok") == 0 || strcmp(state->status, "view_restored") == 0)
			synced++;
		states = lappend(states, state);
	}

	(void) pushJsonbValue(&result, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&result, "status", synced == list_length(states) ? "synced" : "drift");
	sigma_push_int(&result, "synced", synced);
	sigma_push_key(&result, "details");
	(void) pushJsonbValue(&result, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, states)
		push_state(&result, lfirst(lc));
	(void) pushJsonbValue(&result, WJB_END_ARRAY, NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&result, WJB_END_OBJECT, NULL)));
}

/* Look at the table that the state names. */
static void
sync_table(SyncState *state)
{
	ListCell   *lc;

	state->status = "ok";
	state->rows = -1;
	state->problems.cxt = CurrentMemoryContext;
	run_step(restore_views, state);
	run_step(find_drift, state);
	foreach(lc, state->problems.found)
	{
		const Problem *problem = lfirst(lc);

		if (problem->severity == PROBLEM_ERROR)
			add_drift(state, problem->message);
	}
	if (state->drift != NIL && strcmp(state->status, "source_missing") != 0)
		state->status = "drift";
}

/* Do a step of one table; an error that is the table's is its drift, and what the step did is undone. */
static void
run_step(AttemptedWork step, SyncState *state)
{
	ErrorData  *error;

	CHECK_FOR_INTERRUPTS();
	error = sigma_attempt(step, state);
	if (error == NULL)
		return;
	if (!is_about_table(error))
		ReThrowError(error);
	state->status = "drift";
	add_drift(state, error->detail == NULL ? error->message : psprintf("%s: %s", error->message, error->detail));
}

/* Not cancels, deadlocks, waits that were cut short, nor a lack of memory or disk. */
static bool
is_about_table(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK):
		case ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES):
		case ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION):
		case ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR):
			return false;
		default:
			return error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE;
	}
}

/* One more thing that has drifted, if it is not known yet. */
static void
add_drift(SyncState *state, const char *text)
{
	ListCell   *lc;

	foreach(lc, state->drift)
		if (strcmp(lfirst(lc), text) == 0)
			return;
	state->drift = lappend(state->drift, unconstify(char *, text));
}

/* Make the views of a table where they are missing and can be made; remember whether a source is there. */
static void
restore_views(void *arg)
{
	SyncState  *state = arg;
	JsonNode   *document = sigma_catalog_read(DOCUMENT_INPUT_TABLE, state->id);
	TableDefinition *table = sigma_definition_read(document);
	Oid			relid = sigma_rows_oid(state->id);
	LinkedSource source;
	bool		linked = sigma_is_linked(document);
	bool		whole = linked ? sigma_linked_views_whole(state->id) : OidIsValid(sigma_view_oid(state->id));

	if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION)
		return;
	if (linked && !sigma_linked_source(document, &source))
		state->status = "source_missing";
	else if (!whole && is_as_defined(table, relid) &&
			 (!linked || sigma_linked_drift(table, source.relid) == NULL))
	{
		if (linked)
			sigma_linked_check(document, document, false);
		sigma_view_check_name(document, false);
		sigma_view_create(table);
		sigma_access_apply(state->id);
		state->status = "view_restored";
	}
	else if (whole)
		restore_computed(table, state);
	sigma_linked_set_status(state->id, strcmp(state->status, "source_missing") == 0 ? "source_missing" : "active");
}

/* Has the data table the columns of the definition?  It stays locked against changes of it. */
static bool
is_as_defined(const TableDefinition *table, Oid relid)
{
	Relation	rel = table_open(relid, ShareUpdateExclusiveLock);
	bool		same = sigma_data_table_differences(table, rel) == NIL;

	table_close(rel, NoLock);
	return same;
}

/* Let the view compute what it could not, and now can. */
static void
restore_computed(const TableDefinition *table, SyncState *state)
{
	Oid			view = sigma_view_oid(table->id);
	const char *problem;

	if (sigma_view_broken(view) <= list_length(sigma_view_problems(table)))
		return;
	LockRelationOid(view, AccessExclusiveLock);
	if (view == sigma_view_oid(table->id))
		(void) sigma_view_refresh(table, view, sigma_view_reads(view), &problem);
	state->status = "view_restored";
}

/* What is not as the definition says, and how many rows there are. */
static void
find_drift(void *arg)
{
	SyncState  *state = arg;
	Oid			relid = sigma_rows_oid(state->id);

	if (OidIsValid(relid) && get_rel_relkind(relid) == RELKIND_RELATION)
		state->rows = sigma_data_table_count(state->id);
	sigma_structure_check(&state->problems, state->id);
	sigma_row_security_check(sigma_catalog_read(DOCUMENT_INPUT_TABLE, state->id), false);
}

/* One entry of the result. */
static void
push_state(JsonbParseState **result, const SyncState *state)
{
	ListCell   *lc;

	(void) pushJsonbValue(result, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(result, "table_id", state->id);
	sigma_push_text(result, "status", state->status);
	if (state->rows >= 0)
		sigma_push_int(result, "rows", state->rows);
	sigma_push_key(result, "drift");
	(void) pushJsonbValue(result, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, state->drift)
	{
		JsonbValue	text;

		text.type = jbvString;
		text.val.string.val = lfirst(lc);
		text.val.string.len = strlen(lfirst(lc));
		(void) pushJsonbValue(result, WJB_ELEM, &text);
	}
	(void) pushJsonbValue(result, WJB_END_ARRAY, NULL);
	(void) pushJsonbValue(result, WJB_END_OBJECT, NULL);
}
