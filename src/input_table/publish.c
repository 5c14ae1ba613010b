/*
 * publish.c
 *		Publishing a draft, looking at it first, taking it back.
 *
 * A publish drops the images of rows that the draft changed and remembers how far
 * row ids have come: the data table is not touched, no trigger of it fires.  It runs
 * in fixed texts as the owner of sigds, whatever rows the caller may see: a version
 * is published as a whole.  Taking a draft back writes the images into the data table
 * as the caller, who needs the rights that it takes.
 *
 * Both keep writers of the table out (SHARE ROW EXCLUSIVE) until the transaction
 * ends; readers go on and see the former version until then.  What is there is read
 * by the newest snapshot: writers who were waited for are published too, also where
 * the transaction's own snapshot is older.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/argument.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "common/names.h"
#include "common/session.h"
#include "common/spi.h"
#include "formula/trust.h"
#include "input_table/published.h"
#include "input_table/revise.h"
#include "input_table/rules.h"

#define IMAGES_NAME		"sigma_draft_images"	/* rows to be written back, as a statement sees them */
#define SYSTEM_COLUMNS	"sigma_row_id, sigma_created_at, sigma_updated_at, sigma_created_by, sigma_updated_by"

/* A call about one draft. */
typedef struct DraftCall
{
	const TableDefinition *table;
	Oid			relid;			/* the data table */
} DraftCall;

/* What read_changes yields: row ids, operations, by whom, when. */
static Oid change_types[] = {INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID};

PG_FUNCTION_INFO_V1(publish);
PG_FUNCTION_INFO_V1(publish_preview);
PG_FUNCTION_INFO_V1(discard_draft);

static void open_draft(DraftCall *call, const char *id, LOCKMODE mode);
static bool count_seen(const DraftCall *call, DraftCounts *counts);
static bool read_changes(const DraftCall *call, int limit, Datum *values);
static void read_counts(const char *sql, int nargs, const Oid *types, const Datum *values, DraftCounts *counts);
static uint64 run_latest(const char *sql, int nargs, const Oid *types, const Datum *values, int expected);
static char *changes_of(const TableDefinition *table);
static char *list_of(const TableDefinition *table, const char *prefix);
static int64 previous_edit(const TableDefinition *table);
static void settle(const TableDefinition *table, int64 edit_num, bool publishing);
static int64 log_publish(const TableDefinition *table, const DraftCounts *counts, const char *note, int64 from);
static Datum result_of(const TableDefinition *table, const DraftCounts *counts, int64 edit_num, int64 from_edit, bool publishing, const char *note);
static void push_count(JsonbParseState **state, const char *key, int64 count);
static int64 write_back(const DraftCall *call, const DraftCounts *counts);
static Tuplestorestate *read_images(const TableDefinition *table, TupleDesc *desc);
static void run_as_caller(const DraftCall *call, int code, const char *sql, uint64 expected);
static void push_rows(ReturnSetInfo *rsinfo, const TableDefinition *table, SPITupleTable *found, uint64 count);
static Datum values_of(const TableDefinition *table, HeapTuple row, TupleDesc desc, int first, int from);
static Oid	preview_view(const DraftCall *call);
static char *preview_sql(const DraftCall *call);

/*
 * publish(table_id text, note text) → jsonb: what was published, as far as the caller may
 * see it; the version is published as a whole.  SG404 where there is no such table, SG423
 * where it is edited in its published version, 42501 where the caller may not write it.
 */
Datum
publish(PG_FUNCTION_ARGS)
{
	char	   *note = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	DraftCall	call;
	DraftCounts counts;
	DraftCounts seen;
	int64		from_edit;
	int64		edit_num;

	PreventCommandIfReadOnly("publish()");
	open_draft(&call, sigma_text_argument(fcinfo, 0, "table_id"), ShareRowExclusiveLock);
	sigma_count_drafts(call.table, &counts);
	sigma_count_drafts_seen(call.table, call.relid, &seen);
	from_edit = previous_edit(call.table);
	edit_num = log_publish(call.table, &counts, note, sigma_published_version(call.table->id));
	settle(call.table, edit_num, true);
	return result_of(call.table, &seen, edit_num, from_edit, true, note);
}

/*
 * publish_preview(table_id, max_changes): what publish would change, by row id, as far
 * as the caller may see the rows.  Rights as of publish, and SELECT on table and view.
 */
Datum
publish_preview(PG_FUNCTION_ARGS)
{
	int32		max_changes = PG_ARGISNULL(1) ? 1000 : PG_GETARG_INT32(1);
	DraftCall	call;
	Datum		values[4];

	if (max_changes < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"max_changes\" must not be negative")));
	open_draft(&call, sigma_text_argument(fcinfo, 0, "table_id"), AccessShareLock);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	if (read_changes(&call, max_changes, values))
	{
		if (SPI_execute_plan(sigma_trust_prepare(preview_sql(&call), 4, change_types), values, NULL, true, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not read the draft of input table \"%s\"", call.table->id);
		push_rows((ReturnSetInfo *) fcinfo->resultinfo, call.table, SPI_tuptable, SPI_processed);
	}
	SPI_finish();
	return (Datum) 0;
}

/*
 * discard_draft(table_id text) → jsonb: what was taken back.  Errors as of publish, and
 * those of writing the rows back; 42501 where row security hides rows from the caller.
 */
Datum
discard_draft(PG_FUNCTION_ARGS)
{
	DraftCall	call;
	DraftCounts counts;
	int64		edit_num;

	PreventCommandIfReadOnly("discard_draft()");
	open_draft(&call, sigma_text_argument(fcinfo, 0, "table_id"), ShareRowExclusiveLock);
	if (check_enable_rls(call.relid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to discard the draft of input table \"%s\"", call.table->id),
				 errdetail("Row security may hide changed rows from you.")));
	sigma_count_drafts(call.table, &counts);
	edit_num = write_back(&call, &counts);
	settle(call.table, 0, false);
	return result_of(call.table, &counts, edit_num, 0, false, NULL);
}

/* Lock a table that is edited in draft, if the caller may edit it. */
static void
open_draft(DraftCall *call, const char *id, LOCKMODE mode)
{
	for (;;)
	{
		call->relid = sigma_input_table_by_id(id)->relid;
		sigma_check_may_revise(id);
		LockRelationOid(call->relid, mode);
		/* locking made this backend hear of changes that were committed before */
		if (sigma_input_table_by_id(id)->relid == call->relid)
			break;
		UnlockRelationOid(call->relid, mode);
	}
	call->table = sigma_definition_read(sigma_catalog_read(DOCUMENT_INPUT_TABLE, id));
	if (!sigma_is_draft(call->table))
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_LOCKED),
				 errmsg("input table \"%s\" has no draft", id),
				 errdetail("Its data_entry_permission is \"published\": every edit is published at once.")));
}

/*
 * The definition is about to make its table one that is edited in its published
 * version: what the draft holds is published with it, as Sigma does; 42501 where
 * there is something and the caller may not.  The data table is locked.
 */
void
sigma_publish_before_change(const TableDefinition *table, Oid relid)
{
	DraftCounts counts;

	if (!OidIsValid(sigma_published_oid(table->id)))
		return;
	sigma_count_drafts(table, &counts);
	if (counts.inserted + counts.updated + counts.deleted == 0)
		return;
	sigma_check_may_revise(table->id);
	(void) log_publish(table, &counts, NULL, VERSION_UNKNOWN);
	ereport(NOTICE,
			(errmsg("the draft of input table \"%s\" is published", table->id),
			 check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED ? 0 :
			 errdetail("It inserted " INT64_FORMAT ", updated " INT64_FORMAT " and deleted " INT64_FORMAT " rows.",
					   counts.inserted, counts.updated, counts.deleted)));
}

/* What the draft did since the last publish, by the newest snapshot. */
void
sigma_count_drafts(const TableDefinition *table, DraftCounts *counts)
{
	OwnerScope	scope;

	SPI_connect();
	sigma_ddl_begin(&scope);
	read_counts(changes_of(table), 0, NULL, NULL, counts);
	sigma_owner_end(&scope);
	SPI_finish();
}

/*
 * The same, of the rows that the caller sees: all, unless row security hides some from him.
 * Counts are -1 where he may then not read what a preview shows, and so is told nothing.
 */
void
sigma_count_drafts_seen(const TableDefinition *table, Oid relid, DraftCounts *counts)
{
	DraftCall	call = {table, relid};

	if (check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED)
		sigma_count_drafts(table, counts);
	else if (!count_seen(&call, counts))
		counts->inserted = counts->updated = counts->deleted = -1;
}

/* Count what a preview shows the caller; false where he may not read that, or has no reason to trust it. */
static bool
count_seen(const DraftCall *call, DraftCounts *counts)
{
	Oid			view = preview_view(call);
	Datum		values[4];

	if (!OidIsValid(view) ||
		pg_class_aclcheck(call->relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK ||
		pg_class_aclcheck(view, GetUserId(), ACL_SELECT) != ACLCHECK_OK ||
		sigma_namespace_aclcheck(get_rel_namespace(call->relid), GetUserId(), ACL_USAGE) != ACLCHECK_OK ||
		sigma_namespace_aclcheck(get_rel_namespace(view), GetUserId(), ACL_USAGE) != ACLCHECK_OK ||
		!sigma_trust_relation(call->relid) || !sigma_trust_relation(view))
		return false;
	memset(counts, 0, sizeof(DraftCounts));
	SPI_connect();
	if (read_changes(call, PG_INT32_MAX, values))
		read_counts(preview_sql(call), lengthof(change_types), change_types, values, counts);
	SPI_finish();
	return true;
}

/* What the draft changed, by row ids, as parallel arrays; false where nothing.  SPI is connected. */
static bool
read_changes(const DraftCall *call, int limit, Datum *values)
{
	OwnerScope	scope;
	bool		isnull = true;
	int			i;

	sigma_ddl_begin(&scope);
	(void) run_latest(psprintf("SELECT pg_catalog.array_agg(c.row_id), pg_catalog.array_agg(c.operation), "
							   "pg_catalog.array_agg(c.by), pg_catalog.array_agg(c.at) "
							   "FROM (SELECT * FROM (%s) x ORDER BY x.row_id LIMIT %d) c",
							   changes_of(call->table), limit), 0, NULL, NULL, SPI_OK_SELECT);
	for (i = 0; i < lengthof(change_types); i++)
		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull);
	sigma_owner_end(&scope);
	return !isnull;
}

/* Count the rows of a query by their operation.  SPI is connected. */
static void
read_counts(const char *sql, int nargs, const Oid *types, const Datum *values, DraftCounts *counts)
{
	int64	   *fields[3];
	bool		isnull;
	int			i;

	fields[0] = &counts->inserted;
	fields[1] = &counts->updated;
	fields[2] = &counts->deleted;
	(void) run_latest(psprintf("SELECT pg_catalog.count(*) FILTER (WHERE c.operation OPERATOR(pg_catalog.=) 'insert'), "
							   "pg_catalog.count(*) FILTER (WHERE c.operation OPERATOR(pg_catalog.=) 'update'), "
							   "pg_catalog.count(*) FILTER (WHERE c.operation OPERATOR(pg_catalog.=) 'delete') FROM (%s) c",
							   sql), nargs, types, values, SPI_OK_SELECT);
	for (i = 0; i < 3; i++)
		*fields[i] = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull));
}

/* Run a text once by the newest snapshot.  SPI is connected; returns how many rows there were. */
static uint64
run_latest(const char *sql, int nargs, const Oid *types, const Datum *values, int expected)
{
	SPIPlanPtr	plan = SPI_prepare(sql, nargs, unconstify(Oid *, types));
	int			code;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	CommandCounterIncrement();
	code = SPI_execute_snapshot(plan, unconstify(Datum *, values), NULL, GetLatestSnapshot(), InvalidSnapshot,
								expected == SPI_OK_SELECT, true, 0);
	if (code != expected)
		elog(ERROR, "SPI_execute_snapshot returned %s", SPI_result_code_string(code));
	return SPI_processed;
}

/* A query of what the draft did: row_id, operation, by, at.  A row that is as it is published was not changed. */
static char *
changes_of(const TableDefinition *table)
{
	char	   *data = sigma_ddl_name(table->relation);
	char	   *images = sigma_ddl_name(sigma_published_name(table->id));

	return psprintf("SELECT d.sigma_row_id AS row_id, 'insert' AS operation, d.sigma_updated_by AS by, d.sigma_updated_at AS at "
					"FROM %s d WHERE d.sigma_row_id OPERATOR(pg_catalog.>) "
					"(SELECT m.sigma_through FROM %s m WHERE m.sigma_row_id OPERATOR(pg_catalog.=) " PUBLISHED_MARK ") "
					"UNION ALL SELECT i.sigma_row_id, "
					"CASE WHEN d.sigma_row_id IS NULL THEN 'delete' WHEN i.sigma_absent THEN 'insert' ELSE 'update' END, "
					"CASE WHEN d.sigma_row_id IS NULL THEN i.sigma_deleted_by ELSE d.sigma_updated_by END, "
					"CASE WHEN d.sigma_row_id IS NULL THEN i.sigma_deleted_at ELSE d.sigma_updated_at END "
					"FROM %s i LEFT JOIN %s d ON d.sigma_row_id OPERATOR(pg_catalog.=) i.sigma_row_id "
					"WHERE i.sigma_row_id OPERATOR(pg_catalog.>) " PUBLISHED_MARK " AND "
					"CASE WHEN i.sigma_absent THEN d.sigma_row_id IS NOT NULL "
					"ELSE d.sigma_row_id IS NULL OR ROW(%s) IS DISTINCT FROM ROW(%s) END",
					data, images, images, data, list_of(table, "d."), list_of(table, "i."));
}

/* The columns of a definition, each with that prefix. */
static char *
list_of(const TableDefinition *table, const char *prefix)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < table->ncolumn; i++)
		appendStringInfo(&list, "%s%s%s", i > 0 ? ", " : "", prefix, quote_identifier(table->columns[i].name));
	return list.data;
}

/* The number of the last publish's log entry, or 0. */
static int64
previous_edit(const TableDefinition *table)
{
	OwnerScope	scope;
	bool		isnull = true;
	int64		edit_num = 0;

	SPI_connect();
	sigma_ddl_begin(&scope);
	if (run_latest(psprintf("SELECT m.sigma_edit FROM %s m WHERE m.sigma_row_id OPERATOR(pg_catalog.=) " PUBLISHED_MARK,
							sigma_ddl_name(sigma_published_name(table->id))), 0, NULL, NULL, SPI_OK_SELECT) > 0)
		edit_num = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	sigma_owner_end(&scope);
	SPI_finish();
	return isnull ? 0 : edit_num;
}

/* The images go; when "publishing", row 0 says how far row ids have come. */
static void
settle(const TableDefinition *table, int64 edit_num, bool publishing)
{
	static const Oid types[] = {INT8OID, TIMESTAMPTZOID, TEXTOID};
	char	   *images = sigma_ddl_name(sigma_published_name(table->id));
	Datum		values[3];
	OwnerScope	scope;

	values[0] = Int64GetDatum(edit_num);
	values[1] = TimestampTzGetDatum(GetCurrentStatementStartTimestamp());
	values[2] = CStringGetTextDatum(sigma_app_user());
	SPI_connect();
	sigma_ddl_begin(&scope);
	sigma_published_clear(table->id);
	if (publishing &&
		run_latest(psprintf("UPDATE %s SET sigma_through = "
							"(SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END FROM %s s), "
							"sigma_edit = $1, sigma_updated_at = $2, sigma_updated_by = $3 WHERE sigma_row_id OPERATOR(pg_catalog.=) " PUBLISHED_MARK,
							images, sigma_ddl_name(sigma_row_sequence_name(table->id))),
				   3, types, values, SPI_OK_UPDATE) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation %s is not as it was made", images)));
	sigma_owner_end(&scope);
	SPI_finish();
}

/* The images go, also those that the transaction's snapshot does not see.  SPI is connected, and the owner of sigds current. */
void
sigma_published_clear(const char *id)
{
	(void) run_latest(psprintf("DELETE FROM %s WHERE sigma_row_id OPERATOR(pg_catalog.>) " PUBLISHED_MARK,
							   sigma_ddl_name(sigma_published_name(id))), 0, NULL, NULL, SPI_OK_DELETE);
}

/*
 * The publish's entry in the edit log; "from" is the version that was published before.
 * Returns its number, 0 where no log is kept.
 */
static int64
log_publish(const TableDefinition *table, const DraftCounts *counts, const char *note, int64 from)
{
	EditLog    *log = sigma_log_of(table);
	JsonbParseState *state = NULL;

	if (!OidIsValid(log->relid))
		return 0;
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_int(&state, "through", sigma_log_newest(log->relid));
	sigma_push_int(&state, "inserted", counts->inserted);
	sigma_push_int(&state, "updated", counts->updated);
	sigma_push_int(&state, "deleted", counts->deleted);
	sigma_push_text(&state, "note", note);
	if (from != VERSION_UNKNOWN)
		sigma_push_int(&state, "from", from);
	return sigma_log_event(log, "publish", pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* The document that publish and discard_draft return. */
static Datum
result_of(const TableDefinition *table, const DraftCounts *counts, int64 edit_num, int64 from_edit,
		  bool publishing, const char *note)
{
	JsonbParseState *state = NULL;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "table_id", table->id);
	push_count(&state, "inserted", counts->inserted);
	push_count(&state, "updated", counts->updated);
	push_count(&state, "deleted", counts->deleted);
	if (edit_num > 0)
		sigma_push_int(&state, "edit_num", edit_num);
	else
		sigma_push_text(&state, "edit_num", NULL);
	if (publishing && from_edit > 0)
		sigma_push_int(&state, "from_edit", from_edit);
	else if (publishing)
		sigma_push_text(&state, "from_edit", NULL);
	if (publishing)
		sigma_push_text(&state, "note", note);
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* A count; null where the caller is not told. */
static void
push_count(JsonbParseState **state, const char *key, int64 count)
{
	if (count < 0)
		sigma_push_text(state, key, NULL);
	else
		sigma_push_int(state, key, count);
}

/*
 * Bring the data table back to what is published: rows that the draft inserted go,
 * changed and deleted ones are as their images.  Where columns are unique, changed
 * rows go and come back: an UPDATE could meet a value that another row is yet to leave.
 * The edit log has it as one statement; returns the number of its last entry, or 0.
 */
static int64
write_back(const DraftCall *call, const DraftCounts *counts)
{
	const TableDefinition *table = call->table;
	char	   *data = sigma_ddl_name(table->relation);
	bool		replace = table->nunique > 0;
	SessionState session = sigma_session;
	Tuplestorestate *images;
	TupleDesc	desc;
	StringInfoData set;
	LogGroup	group;
	int			i;

	if (counts->inserted + counts->updated + counts->deleted == 0)
		return 0;
	initStringInfo(&set);
	for (i = 0; i < table->ncolumn; i++)
		appendStringInfo(&set, "%s = e.%s, ", quote_identifier(table->columns[i].name), quote_identifier(table->columns[i].name));

	SPI_connect();
	images = read_images(table, &desc);
	sigma_spi_offer(IMAGES_NAME, images, desc);
	sigma_log_group_begin(&group, sigma_log_of(table)->relid);
	PG_TRY();
	{
		sigma_session.origin = ORIGIN_SYSTEM;
		sigma_session.given_rows = call->relid;
		run_as_caller(call, SPI_OK_DELETE, psprintf("DELETE FROM %s t USING " IMAGES_NAME " e "
									 "WHERE t.sigma_row_id OPERATOR(pg_catalog.=) e.sigma_row_id AND e.operation OPERATOR(pg_catalog.=) ANY ('%s')",
									 data, replace ? "{insert,update}" : "{insert}"),
					  counts->inserted + (replace ? counts->updated : 0));
		if (!replace)
			run_as_caller(call, SPI_OK_UPDATE, psprintf("UPDATE %s t SET %ssigma_created_at = e.sigma_created_at, sigma_updated_at = e.sigma_updated_at, "
										 "sigma_created_by = e.sigma_created_by, sigma_updated_by = e.sigma_updated_by FROM " IMAGES_NAME " e "
										 "WHERE t.sigma_row_id OPERATOR(pg_catalog.=) e.sigma_row_id AND e.operation OPERATOR(pg_catalog.=) 'update'",
										 data, set.data), counts->updated);
		run_as_caller(call, SPI_OK_INSERT, psprintf("INSERT INTO %s (%s, " SYSTEM_COLUMNS ") SELECT %s, " SYSTEM_COLUMNS " FROM " IMAGES_NAME " e "
									 "WHERE e.operation OPERATOR(pg_catalog.=) ANY ('%s')",
									 data, list_of(table, ""), list_of(table, "e."), replace ? "{update,delete}" : "{delete}"),
					  counts->deleted + (replace ? counts->updated : 0));
	}
	PG_FINALLY();
	{
		sigma_session = session;
		sigma_log_group_end(&group);
	}
	PG_END_TRY();
	SPI_unregister_relation(IMAGES_NAME);
	tuplestore_end(images);
	SPI_finish();
	return group.last;
}

/* What the draft changed: operation, row id, and the image of each row that is published. */
static Tuplestorestate *
read_images(const TableDefinition *table, TupleDesc *desc)
{
	char	   *images = sigma_ddl_name(sigma_published_name(table->id));
	Tuplestorestate *store = tuplestore_begin_heap(false, false, work_mem);
	DestReceiver *receiver = CreateDestReceiver(DestTuplestore);
	SPIPlanPtr	plan;
	SPIExecuteOptions options = {0};
	OwnerScope	scope;
	CachedPlanSource *source;

	sigma_ddl_begin(&scope);
	plan = SPI_prepare(psprintf("SELECT c.operation, %s, c.row_id AS sigma_row_id, i.sigma_created_at, i.sigma_updated_at, "
								"i.sigma_created_by, i.sigma_updated_by FROM (%s) c LEFT JOIN %s i "
								"ON i.sigma_row_id OPERATOR(pg_catalog.=) c.row_id",
								list_of(table, "i."), changes_of(table), images), 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	CommandCounterIncrement();
	SetTuplestoreDestReceiverParams(receiver, store, CurrentMemoryContext, true, NULL, NULL);
	options.dest = receiver;
	PushActiveSnapshot(GetLatestSnapshot());
	options.read_only = true;
	if (SPI_execute_plan_extended(plan, &options) != SPI_OK_SELECT)
		elog(ERROR, "could not read the draft of input table \"%s\"", table->id);
	PopActiveSnapshot();
	source = linitial(SPI_plan_get_plan_sources(plan));
	*desc = CreateTupleDescCopy(source->resultDesc);
	sigma_owner_end(&scope);
	return store;
}

/* Run a statement over the images as the caller, see revise.c.  40001 where it did not reach all rows. */
static void
run_as_caller(const DraftCall *call, int code, const char *sql, uint64 expected)
{
	SPIExecuteOptions options = {0};
	int			done;

	if (expected == 0)
		return;
	CommandCounterIncrement();
	done = sigma_revise_execute(call->table->id, call->relid, sql, &options);
	if (done != code)
		elog(ERROR, "SPI_execute_extended returned %s", SPI_result_code_string(done));
	if (SPI_processed != expected)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update"),
				 errdetail("Rows of input table \"%s\" were changed after this transaction began, or a trigger left rows out.",
						   call->table->id)));
}


/* The view that shows what is published, or InvalidOid. */
static Oid
preview_view(const DraftCall *call)
{
	return call->table->nkey > 0 ? get_relname_relid(sigma_shown_view_name(call->table->id), sigma_sigds_namespace()) :
		sigma_view_oid(call->table->id);
}

/* The rows of a preview as the caller sees them: row_id, operation, by, at, is there an old, a new one, then the values of both. */
static char *
preview_sql(const DraftCall *call)
{
	Oid			view = preview_view(call);

	if (!OidIsValid(view))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the warehouse view of input table \"%s\" does not exist", call->table->id),
				 errhint("sigma.sync_warehouse makes it again.")));
	return psprintf("SELECT c.row_id, c.operation, c.by, c.at, o.sigma_row_id IS NOT NULL, n.sigma_row_id IS NOT NULL, %s, %s "
					"FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) "
					"AS c(row_id, operation, by, at) "
					"LEFT JOIN %s o ON o.sigma_row_id OPERATOR(pg_catalog.=) c.row_id "
					"LEFT JOIN %s n ON n.sigma_row_id OPERATOR(pg_catalog.=) c.row_id "
					"WHERE o.sigma_row_id IS NOT NULL OR n.sigma_row_id IS NOT NULL ORDER BY c.row_id",
					list_of(call->table, "o."), list_of(call->table, "n."),
					quote_qualified_identifier(get_namespace_name(get_rel_namespace(view)), get_rel_name(view)),
					sigma_ddl_name(call->table->relation));
}

/* Rows of preview_sql as those of the function. */
static void
push_rows(ReturnSetInfo *rsinfo, const TableDefinition *table, SPITupleTable *found, uint64 count)
{
	uint64		i;

	for (i = 0; i < count; i++)
	{
		HeapTuple	row = found->vals[i];
		TupleDesc	desc = found->tupdesc;
		Datum		values[7] = {0};
		bool		nulls[7] = {0};
		bool		isnull;

		values[0] = SPI_getbinval(row, desc, 1, &nulls[0]);
		values[2] = SPI_getbinval(row, desc, 2, &nulls[2]);
		nulls[3] = !DatumGetBool(SPI_getbinval(row, desc, 5, &isnull));
		if (!nulls[3])
			values[3] = values_of(table, row, desc, 7, 0);
		nulls[4] = !DatumGetBool(SPI_getbinval(row, desc, 6, &isnull));
		if (!nulls[4])
			values[4] = values_of(table, row, desc, 7 + table->ncolumn, 0);
		/* a key identifies the rows of linked tables */
		nulls[1] = table->nkey == 0;
		if (!nulls[1])
			values[1] = values_of(table, row, desc, nulls[4] ? 7 : 7 + table->ncolumn, table->ncolumn - table->nkey);
		values[5] = SPI_getbinval(row, desc, 3, &nulls[5]);
		values[6] = SPI_getbinval(row, desc, 4, &nulls[6]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* The values of a row as an object, those from column "from" on; its columns begin at attribute "first". */
static Datum
values_of(const TableDefinition *table, HeapTuple row, TupleDesc desc, int first, int from)
{
	JsonbParseState *state = NULL;
	int			i;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = from; i < table->ncolumn; i++)
	{
		JsonbValue	value;
		bool		isnull;
		Datum		datum = SPI_getbinval(row, desc, first + i, &isnull);

		sigma_value_to_json(table->columns[i].type, datum, isnull, &value);
		sigma_push_value(&state, table->columns[i].name, &value);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
