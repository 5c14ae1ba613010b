/*
 * preview.c
 *		sigma.preview_sequence(): what a run would do, without having done it.
 *
 * The run is a real one, along the path that all runs take, inside a subtransaction that
 * is rolled back: its rows, its history, its outbox, its settings and its locks go with
 * that, those of compiling the sequence too.  Before, what is deferred to the commit is done,
 * and the rows that it wrote are read as they were and as they are (input_table/row_changes.c).
 * What PostgreSQL does not undo survives: numbers drawn from sequences, with the locks of
 * these, session-level advisory locks, what functions do outside of the database.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "action/action.h"
#include "action/notify.h"
#include "common/json_push.h"
#include "common/session.h"
#include "compat.h"
#include "input_table/row_changes.h"

#define SHOWN_CHANGES	1000	/* rows in "changes" */

PG_FUNCTION_INFO_V1(preview_sequence);

/* One preview. */
typedef struct Preview
{
	Run			probe;			/* must be first: it is contained like a step, and never kept */
	const char *sequence_id;
	Sequence   *sequence;		/* pinned, or NULL */
	RunContext *context;
	Jsonb	   *result;
} Preview;

/* What a type of steps does that a rollback does not take back, or that was not done at all. */
typedef struct Beyond
{
	const char *type;
	const char *message;
} Beyond;

static const Beyond beyond[] = {
	{"stored_procedure", "Rows of tables that are no input tables are not listed. What it does outside of the database, numbers that it draws from sequences and session-level advisory locks are not undone."},
	{"notify", "The message stands in \"outbox\" and is not delivered: that happens when a run's transaction commits."},
};

static bool run_preview(Run *run);
static Jsonb *complete_result(Jsonb *result, RowChanges *changes, int64 since, const ErrorData *deferred);
static void push_commit_error(JsonbParseState **state, const ErrorData *error);
static void push_outbox(JsonbParseState **state, int64 since);
static void push_not_previewed(JsonbParseState **state, JsonbContainer *result, List *unread, List *tables);
static void push_later_starts(JsonbParseState **state, List *tables);
static void push_steps_beyond(JsonbParseState **state, JsonbContainer *holder);
static void push_beyond(JsonbParseState **state, JsonbContainer *step);
static const char *text_member(JsonbContainer *object, const char *key);

/*
 * preview_sequence(sequence_id text, context jsonb) returns jsonb
 *
 * The result of a run, and {preview, changes, changes_left_out, rules, outbox, not_previewed, commit_error?}.
 * Nothing of the run is left.  Raises SG404 for an unknown id, and what a run raises.
 */
Datum
preview_sequence(PG_FUNCTION_ARGS)
{
	char	   *id = sigma_text_argument(fcinfo, 0, "sequence_id");
	Jsonb	   *document = sigma_context_argument(fcinfo, 1);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt = AllocSetContextCreate(caller, "sigma preview", ALLOCSET_DEFAULT_SIZES);
	SessionState session = sigma_session;
	Preview    *preview;
	ErrorData  *volatile error = NULL;
	Jsonb	   *result;

	check_stack_depth();
	MemoryContextSwitchTo(cxt);
	preview = palloc0(sizeof(Preview));
	preview->probe.cxt = preview->probe.kept = cxt;
	preview->context = sigma_run_read_context(document);
	preview->sequence_id = id;
	PG_TRY();
	{
		bool		kept;

		error = sigma_run_guard(&preview->probe, run_preview, &kept);
	}
	PG_FINALLY();
	{
		sigma_session = session;
		if (preview->sequence != NULL)
			sigma_sequence_unpin(preview->sequence);
	}
	PG_END_TRY();
	if (error != NULL)
		ReThrowError(error);
	MemoryContextSwitchTo(caller);
	result = DatumGetJsonbPCopy(JsonbPGetDatum(preview->result));
	MemoryContextDelete(cxt);
	PG_RETURN_JSONB_P(result);
}

/* Guarded work: the run, and what became of the rows.  False: undo it. */
static bool
run_preview(Run *run)
{
	Preview    *preview = (Preview *) run;
	RowChanges *changes = sigma_row_changes_begin();
	RunRequest	request = {0};
	Run		   *ended;
	ErrorData  *deferred = NULL;
	Jsonb	   *result;
	int64		since;

	preview->sequence = sigma_sequence_pin(preview->sequence_id, false);
	SPI_connect();
	since = sigma_outbox_newest();
	SPI_finish();
	MemoryContextSwitchTo(run->cxt);
	sigma_session.changes = changes;
	request.sequence = preview->sequence;
	request.context = preview->context;
	result = sigma_run_pinned(&request, &ended);
	if (ended->status == RUN_SUCCESS)
	{
		bool		kept;

		deferred = sigma_run_guard(run, sigma_run_deferred, &kept);
	}
	sigma_session.changes = NULL;
	MemoryContextSwitchTo(run->cxt);
	preview->result = complete_result(result, changes, since, deferred);
	return false;
}

/* The result with the members of a preview; "deferred": what the commit would raise, or NULL. */
static Jsonb *
complete_result(Jsonb *result, RowChanges *changes, int64 since, const ErrorData *deferred)
{
	JsonbParseState *state = NULL;
	JsonbIterator *iterator = JsonbIteratorInit(&result->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	List	   *unread;

	/* member by member: what follows goes into the same object */
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	(void) JsonbIteratorNext(&iterator, &value, false);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_END_OBJECT)
		pushJsonbValue(&state, token, &value);
	sigma_push_bool(&state, "preview", true);
	if (deferred != NULL)
		push_commit_error(&state, deferred);
	sigma_row_changes_push(changes, &state, SHOWN_CHANGES, &unread);
	push_outbox(&state, since);
	push_not_previewed(&state, &result->root, unread, sigma_row_changes_tables(changes));
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* "commit_error": what the commit would raise. */
static void
push_commit_error(JsonbParseState **state, const ErrorData *error)
{
	sigma_push_key(state, "commit_error");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	/* the value points at the text, which PostgreSQL keeps in one place */
	sigma_push_text(state, "sqlstate", pstrdup(unpack_sql_state(error->sqlerrcode)));
	sigma_push_text(state, "message", error->message != NULL ? error->message : "");
	if (error->detail != NULL)
		sigma_push_text(state, "detail", error->detail);
	if (error->hint != NULL)
		sigma_push_text(state, "hint", error->hint);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* "outbox": the messages that were written since, and that nobody gets. */
static void
push_outbox(JsonbParseState **state, int64 since)
{
	MemoryContext cxt = CurrentMemoryContext;
	JsonbValue	value;
	Jsonb	   *list;

	SPI_connect();
	MemoryContextSwitchTo(cxt);
	list = sigma_json_write(sigma_outbox_since(since));
	SPI_finish();
	MemoryContextSwitchTo(cxt);
	sigma_jsonb_to_value(list, &value);
	sigma_push_value(state, "outbox", &value);
}

/* "not_previewed": steps whose work reaches further than a preview, and tables whose rows the caller may not read. */
static void
push_not_previewed(JsonbParseState **state, JsonbContainer *result, List *unread, List *tables)
{
	ListCell   *lc;

	sigma_push_key(state, "not_previewed");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	push_steps_beyond(state, result);
	push_later_starts(state, tables);
	foreach(lc, unread)
	{
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		sigma_push_text(state, "table", lfirst(lc));
		sigma_push_text(state, "message", "You may not read its rows.");
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Sequences that changes of these tables put into the queue: they start after a commit. */
static void
push_later_starts(JsonbParseState **state, List *tables)
{
	ListCell   *table;
	ListCell   *lc;

	foreach(table, tables)
		foreach(lc, sigma_sequences_of_table(lfirst(table)))
		{
			const RowChangeStart *start = lfirst(lc);

			if (!start->after_commit)
				continue;
			pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
			sigma_push_text(state, "table", lfirst(table));
			sigma_push_text(state, "sequence_id", pstrdup(start->sequence_id));
			sigma_push_text(state, "message", "Changes of its rows may start the sequence, after the commit.");
			pushJsonbValue(state, WJB_END_OBJECT, NULL);
		}
}

/* The steps of a run, or of a step that holds others. */
static void
push_steps_beyond(JsonbParseState **state, JsonbContainer *holder)
{
	JsonbValue	actions;
	uint32		i;

	check_stack_depth();
	if (!sigma_jsonb_member(holder, "actions", &actions) || !sigma_jsonb_is_list(&actions))
		return;
	for (i = 0; i < JsonContainerSize(actions.val.binary.data); i++)
	{
		JsonbValue *step = getIthJsonbValueFromContainer(actions.val.binary.data, i);

		if (step == NULL || step->type != jbvBinary || !JsonContainerIsObject(step->val.binary.data))
			continue;
		push_beyond(state, step->val.binary.data);
		push_steps_beyond(state, step->val.binary.data);
	}
}

/* A step of the result, where a preview cannot show all that it does. */
static void
push_beyond(JsonbParseState **state, JsonbContainer *step)
{
	const char *type = text_member(step, "type");
	const char *status = text_member(step, "status");
	JsonbValue	value;
	int			i;

	if (type == NULL || (status != NULL && strcmp(status, "skipped") == 0))
		return;
	for (i = 0; i < lengthof(beyond); i++)
	{
		if (strcmp(beyond[i].type, type) != 0)
			continue;
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		if (sigma_jsonb_member(step, "index", &value))
			sigma_push_value(state, "index", &value);
		if (sigma_jsonb_member(step, "action_id", &value))
			sigma_push_value(state, "action_id", &value);
		sigma_push_text(state, "type", type);
		sigma_push_text(state, "message", beyond[i].message);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
}

/* A member that is a text, palloc'd; NULL where it is none. */
static const char *
text_member(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!sigma_jsonb_member(object, key, &value) || value.type != jbvString)
		return NULL;
	return pnstrdup(value.val.string.val, value.val.string.len);
}
