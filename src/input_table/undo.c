/*
 * undo.c
 *		sigma.undo, redo, restore: edits taken back, as new edits.
 *
 * A step is a statement of the caller's, as the log's metadata says: the app user is the
 * same.  undo passes over steps that an undo has taken back already; redo takes back an
 * undo, unless the caller has made another edit since.  A publish is a step too: what was
 * published before is then published again, see published_version.c.
 *
 * Both keep other writers out (SHARE ROW EXCLUSIVE) and compare the table with what the
 * step left there.  Where a later edit was made to the same cells nothing is changed and
 * the conflicts are returned.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "common/argument.h"
#include "common/json_push.h"
#include "common/session.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"
#include "input_table/published.h"
#include "input_table/revise.h"

static Datum step_back(FunctionCallInfo fcinfo, bool redo);
static List *find_steps(Reversal *reversal, int steps, bool redo);
static bool is_published_step(const Reversal *reversal, const LogEntry *entry, bool *publishes);
static bool is_kept(const Reversal *reversal, int64 version, int64 below);
static void note_version(Reversal *reversal, const LogEntry *entry);
static List *later_statements(const Reversal *reversal, int64 number);
static void add_undone(const LogEntry *entry, HTAB *undone, bool *redone);
static bool has_number(HTAB *numbers, int64 number);
static bool note_number(HTAB *numbers, int64 number);
static List *add_number(List *numbers, int64 number);
static Jsonb *result_of(const Reversal *reversal, const List *undone);
static JsonbValue *undo_payload(const Reversal *reversal, const List *numbers, bool redo);

PG_FUNCTION_INFO_V1(undo);
PG_FUNCTION_INFO_V1(redo);
PG_FUNCTION_INFO_V1(restore);

/* undo(table_id text, steps int) → jsonb {table_id, edit_num, undone, rows, columns, conflicts} */
Datum
undo(PG_FUNCTION_ARGS)
{
	return step_back(fcinfo, false);
}

/* redo(table_id text, steps int) → jsonb: the same */
Datum
redo(PG_FUNCTION_ARGS)
{
	return step_back(fcinfo, true);
}

/* restore(table_id text, edit_num bigint) → jsonb: the same; whoever made the edits since */
Datum
restore(PG_FUNCTION_ARGS)
{
	Reversal	reversal = {0};
	JsonbParseState *payload = NULL;
	List	   *undone;
	int64		number;
	Jsonb	   *result;

	sigma_require_argument(fcinfo, 1, "edit_num");
	number = PG_GETARG_INT64(1);
	PreventCommandIfReadOnly("restore()");
	sigma_reversal_open(&reversal, sigma_text_argument(fcinfo, 0, "table_id"));
	undone = later_statements(&reversal, number);
	sigma_reversal_begin(&reversal, number, NIL);
	if (reversal.conflicts->count == 0 && undone != NIL)
	{
		pushJsonbValue(&payload, WJB_BEGIN_OBJECT, NULL);
		sigma_push_int(&payload, "to", number);
		sigma_reversal_apply(&reversal, "restore", pushJsonbValue(&payload, WJB_END_OBJECT, NULL));
	}
	result = result_of(&reversal, undone);
	UnregisterSnapshot(reversal.snapshot);
	PG_RETURN_JSONB_P(result);
}

/* undo and redo */
static Datum
step_back(FunctionCallInfo fcinfo, bool redo)
{
	Reversal	reversal = {0};
	int			steps = PG_ARGISNULL(1) ? 1 : PG_GETARG_INT32(1);
	List	   *undone;
	Jsonb	   *result;

	if (steps < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"steps\" must be at least 1")));
	PreventCommandIfReadOnly(redo ? "redo()" : "undo()");
	sigma_reversal_open(&reversal, sigma_text_argument(fcinfo, 0, "table_id"));
	undone = find_steps(&reversal, steps, redo);
	if (undone != NIL)
	{
		sigma_reversal_begin(&reversal, 0, undone);
		if (reversal.conflicts->count == 0)
			sigma_reversal_apply(&reversal, "undo", undo_payload(&reversal, undone, redo));
	}
	result = result_of(&reversal, undone);
	UnregisterSnapshot(reversal.snapshot);
	PG_RETURN_JSONB_P(result);
}

/* The table, with other writers kept out; 42501 for who may not revise it. */
void
sigma_reversal_open(Reversal *reversal, const char *id)
{
	reversal->id = id;
	for (;;)
	{
		Oid			relid = sigma_logged_table(reversal->id)->relid;

		sigma_check_may_revise(reversal->id);
		LockRelationOid(relid, ShareRowExclusiveLock);
		/* locking made this backend hear of changes that were committed before */
		reversal->table = sigma_logged_table(reversal->id);
		if (reversal->table->relid == relid)
			break;
		UnlockRelationOid(relid, ShareRowExclusiveLock);
	}
	reversal->conflicts = sigma_json_new(JSON_ARRAY, NULL);
	CommandCounterIncrement();
	reversal->snapshot = RegisterSnapshot(GetLatestSnapshot());
}

/* The statements to take back, newest first: a List of int64 *. */
static List *
find_steps(Reversal *reversal, int steps, bool redo)
{
	LogReader  *reader = sigma_log_read(reversal->table->log.relid, reversal->snapshot, 0, PG_INT64_MAX, BackwardScanDirection);
	bool		publishes = OidIsValid(sigma_published_oid(reversal->id));
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	char	   *user = sigma_app_user();
	HTAB	   *undone = sigma_past_ids();
	List	   *found = NIL;
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	LogEntry	entry;

	while (list_length(found) < steps && sigma_log_next(reader, &entry))
	{
		const char *by;
		bool		redone = true;

		MemoryContextReset(cxt);
		if (entry.operation == LOG_CREATE || entry.operation == LOG_CHECKPOINT)
			break;
		if (entry.number != entry.statement ||
			(entry.operation == LOG_PUBLISH && !is_published_step(reversal, &entry, &publishes)))
			continue;
		by = sigma_log_metadata(&entry, "userEmail");
		if (by == NULL || strcmp(by, user) != 0)
			continue;
		if (redo && entry.operation != LOG_UNDO)
			break;				/* an edit ends what could be redone, taken back or not */
		if (has_number(undone, entry.statement))
			continue;
		if (entry.operation == LOG_UNDO)
			add_undone(&entry, undone, &redone);
		if (entry.operation == LOG_UNDO && (!redo || redone))
			continue;
		MemoryContextSwitchTo(caller);
		found = add_number(found, entry.statement);
		note_version(reversal, &entry);
		MemoryContextSwitchTo(cxt);
	}
	MemoryContextSwitchTo(caller);
	sigma_log_read_end(reader);
	MemoryContextDelete(cxt);
	hash_destroy(undone);
	return found;
}

/*
 * The statements of some runs from entry "first" on that are not taken back yet, newest
 * first; *undone: there are others, that are.  SG404 where the log does not reach back.
 */
List *
sigma_reversal_of_runs(const Reversal *reversal, const List *execution_ids, int64 first, bool *undone)
{
	LogReader  *reader = sigma_log_read(reversal->table->log.relid, reversal->snapshot, first, PG_INT64_MAX, BackwardScanDirection);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	HTAB	   *gone = sigma_past_ids();
	HTAB	   *noted = sigma_past_ids();
	List	   *found = NIL;
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	LogEntry	entry;

	while (sigma_log_next(reader, &entry))
	{
		const char *run;
		bool		redone;
		ListCell   *lc;

		MemoryContextReset(cxt);
		if (entry.operation == LOG_CHECKPOINT)
			sigma_log_refuse_gone(reversal->table, first);
		if (has_number(gone, entry.statement))
		{
			run = sigma_log_metadata(&entry, "executionId");
			foreach(lc, execution_ids)
				*undone |= run != NULL && strcmp(run, lfirst(lc)) == 0;
			continue;
		}
		if (entry.operation == LOG_UNDO)
			add_undone(&entry, gone, &redone);
		run = sigma_log_metadata(&entry, "executionId");
		MemoryContextSwitchTo(caller);
		foreach(lc, execution_ids)
			if (run != NULL && strcmp(run, lfirst(lc)) == 0 && note_number(noted, entry.statement))
				found = add_number(found, entry.statement);
		MemoryContextSwitchTo(cxt);
	}
	MemoryContextSwitchTo(caller);
	sigma_log_read_end(reader);
	MemoryContextDelete(cxt);
	hash_destroy(gone);
	hash_destroy(noted);
	return found;
}

/*
 * Can that publish be taken back?  Not where the table is edited in its published version
 * by now, nor where it is not known what was published before; *publishes says whether it
 * can be of older ones.
 */
static bool
is_published_step(const Reversal *reversal, const LogEntry *entry, bool *publishes)
{
	VersionChange change;

	*publishes = *publishes && sigma_version_change(entry, &change) && is_kept(reversal, change.before, entry->number);
	return *publishes;
}

/* Does the log still say how the version differs from what entry "below" found?  Not behind a checkpoint. */
static bool
is_kept(const Reversal *reversal, int64 version, int64 below)
{
	LogReader  *reader;
	LogEntry	entry;
	bool		kept;

	if (version == VERSION_NONE)
		return true;
	reader = sigma_log_read(reversal->table->log.relid, reversal->snapshot, version, below - 1, ForwardScanDirection);
	kept = sigma_log_next(reader, &entry) && entry.number == version;
	while (kept && sigma_log_next(reader, &entry))
		kept = entry.operation != LOG_CHECKPOINT;
	sigma_log_read_end(reader);
	return kept;
}

/* Note what a step did to what is published. */
static void
note_version(Reversal *reversal, const LogEntry *entry)
{
	VersionChange change;

	if (sigma_version_change(entry, &change))
	{
		VersionChange *copy = palloc(sizeof(VersionChange));

		*copy = change;
		reversal->versions = lappend(reversal->versions, copy);
	}
}

/* All statements after that edit, newest first. */
static List *
later_statements(const Reversal *reversal, int64 number)
{
	LogReader  *reader;
	HTAB	   *noted;
	List	   *found = NIL;
	LogEntry	entry;

	if (number == PG_INT64_MAX)
		return NIL;
	noted = sigma_past_ids();
	reader = sigma_log_read(reversal->table->log.relid, reversal->snapshot, number + 1, PG_INT64_MAX, BackwardScanDirection);
	while (sigma_log_next(reader, &entry))
		if (note_number(noted, entry.statement))
			found = add_number(found, entry.statement);
	sigma_log_read_end(reader);
	hash_destroy(noted);
	return found;
}

/* Add what an undo took back; *redone: it took back an undo. */
static void
add_undone(const LogEntry *entry, HTAB *undone, bool *redone)
{
	JsonbContainer *payload = unconstify(JsonbContainer *, sigma_log_payload(entry));
	JsonbValue	value;
	JsonbIterator *iterator;

	*redone = getKeyJsonValueFromContainer(payload, "redo", strlen("redo"), &value) != NULL;
	if (getKeyJsonValueFromContainer(payload, "of", strlen("of"), &value) == NULL || value.type != jbvBinary)
		return;
	iterator = JsonbIteratorInit(value.val.binary.data);
	(void) JsonbIteratorNext(&iterator, &value, false);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_ELEM)
		if (value.type == jbvNumeric)
			(void) note_number(undone, DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric))));
}

static bool
has_number(HTAB *numbers, int64 number)
{
	return hash_search(numbers, &number, HASH_FIND, NULL) != NULL;
}

/* Add a number; false where it is there already. */
static bool
note_number(HTAB *numbers, int64 number)
{
	bool		found;

	(void) hash_search(numbers, &number, HASH_ENTER, &found);
	return !found;
}

static List *
add_number(List *numbers, int64 number)
{
	int64	   *copy = palloc(sizeof(int64));

	*copy = number;
	return lappend(numbers, copy);
}

/* Work out what the statements, or without any all edits after "from", did, and what is otherwise now. */
void
sigma_reversal_begin(Reversal *reversal, int64 from, const List *statements)
{
	int64	   *numbers = NULL;
	ListCell   *lc;

	if (statements != NIL)
	{
		numbers = palloc(sizeof(int64) * list_length(statements));
		from = PG_INT64_MAX;
		foreach(lc, statements)
		{
			numbers[foreach_current_index(lc)] = *(int64 *) lfirst(lc);
			from = Min(from, *(int64 *) lfirst(lc) - 1);
		}
		qsort(numbers, list_length(statements), sizeof(int64), sigma_log_compare_numbers);
	}
	reversal->delta = sigma_log_delta(reversal->table, reversal->snapshot, from, PG_INT64_MAX,
									  numbers, list_length(statements));
	reversal->rows = sigma_log_delta_rows(reversal->delta, &reversal->nrow);
	sigma_reversal_check(reversal);
}

/* The document that all three return. */
static Jsonb *
result_of(const Reversal *reversal, const List *undone)
{
	static const JsonbValue nothing = {.type = jbvNull};
	bool		done = reversal->conflicts->count == 0;
	JsonbParseState *state = NULL;
	JsonbValue	value;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "table_id", reversal->id);
	if (reversal->edit_num != 0)
		sigma_push_int(&state, "edit_num", reversal->edit_num);
	else
		sigma_push_value(&state, "edit_num", &nothing);
	sigma_push_key(&state, "undone");
	pushJsonbValue(&state, WJB_VALUE, sigma_log_numbers(NULL, done ? undone : NIL, false));
	sigma_push_int(&state, "rows", done ? reversal->nrow : 0);
	sigma_push_int(&state, "columns", done ? list_length(reversal->columns) : 0);
	sigma_jsonb_value(sigma_json_write(reversal->conflicts), &value);
	sigma_push_value(&state, "conflicts", &value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Numbers as an array; with a key {key: array}, and "redo" where it is one. */
JsonbValue *
sigma_log_numbers(const char *key, const List *numbers, bool redo)
{
	JsonbParseState *state = NULL;
	JsonbValue *result;
	ListCell   *lc;

	if (key != NULL)
	{
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		sigma_push_key(&state, key);
	}
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, numbers)
	{
		JsonbValue	number;

		number.type = jbvNumeric;
		number.val.numeric = int64_to_numeric(*(int64 *) lfirst(lc));
		pushJsonbValue(&state, WJB_ELEM, &number);
	}
	result = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	if (key == NULL)
		return result;
	if (redo)
		sigma_push_bool(&state, "redo", true);
	return pushJsonbValue(&state, WJB_END_OBJECT, NULL);
}

/* {of, redo?}, and where it changes what is published {from, published}: the versions. */
static JsonbValue *
undo_payload(const Reversal *reversal, const List *numbers, bool redo)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_value(&state, "of", sigma_log_numbers(NULL, numbers, false));
	if (redo)
		sigma_push_bool(&state, "redo", true);
	if (reversal->versions != NIL)
	{
		sigma_push_int(&state, "from", ((VersionChange *) linitial(reversal->versions))->after);
		sigma_push_int(&state, "published", reversal->version);
	}
	return pushJsonbValue(&state, WJB_END_OBJECT, NULL);
}
