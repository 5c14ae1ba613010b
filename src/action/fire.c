/*
 * fire.c
 *		What a trigger of an element starts.
 *
 * Every sequence of the trigger is compiled and asked for its condition before
 * the first one runs, so that none decides by what another has done.  Each is
 * contained: one that cannot be compiled, or fails, does not stop the others.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "action/action.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "compat.h"

/* A run that a trigger starts. */
typedef struct Fired
{
	Run			probe;			/* must be first: compiling and asking are contained like steps */
	const char *sequence_id;
	Sequence   *sequence;		/* pinned, or NULL where it could not be compiled */
	ErrorData  *error;			/* why not */
	bool		atomic;			/* what the definition of such a one says */
	RunContext *context;
	Verdict		verdict;
} Fired;

PG_FUNCTION_INFO_V1(fire_trigger);

static List *list_fired(List *starts);
static void prepare_fired(List *fired);
static void prepare_one(Fired *one);
static void run_fired(List *fired, List **results);
static Jsonb *run_one(const Fired *one);
static bool pin_fired(Run *run);
static bool read_atomic(Run *run);
static void unpin_fired(List *fired);
static const char *canonical_type(const char *type);

/*
 * fire_trigger(element_id text, trigger_type text, context jsonb) returns jsonb
 *
 * The results of all sequences that the trigger starts, oldest first.  All
 * conditions are evaluated before the first one runs; a failure of one does not
 * stop the others.
 */
Datum
fire_trigger(PG_FUNCTION_ARGS)
{
	char	   *element_id = sigma_text_argument(fcinfo, 0, "element_id");
	const char *type = canonical_type(sigma_text_argument(fcinfo, 1, "trigger_type"));
	Jsonb	   *document = sigma_context_argument(fcinfo, 2);
	JsonbParseState *state = NULL;
	List	   *starts = NIL;
	ListCell   *lc;

	foreach(lc, sigma_sequences_of_trigger(element_id, type, sigma_run_read_context(document)))
	{
		SequenceStart *start = palloc(sizeof(SequenceStart));

		start->sequence_id = lfirst(lc);
		start->context = document;
		starts = lappend(starts, start);
	}
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, sigma_fire(starts))
	{
		Jsonb	   *result = lfirst(lc);
		JsonbValue	value;

		value.type = jbvBinary;
		value.val.binary.data = &result->root;
		value.val.binary.len = VARSIZE(result) - VARHDRSZ;
		pushJsonbValue(&state, WJB_ELEM, &value);
	}
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

/*
 * Start sequences (SequenceStart) as fire_trigger() does: all conditions first, each
 * contained.  A List of Jsonb, their results, in the current context.
 */
List *
sigma_fire(List *starts)
{
	List	   *fired = list_fired(starts);
	List	   *results = NIL;

	prepare_fired(fired);
	run_fired(fired, &results);
	return results;
}

/* Run them one by one, append their results; they are no longer pinned then. */
static void
run_fired(List *fired, List **results)
{
	PG_TRY();
	{
		ListCell   *lc;

		foreach(lc, fired)
			*results = lappend(*results, run_one(lfirst(lc)));
	}
	PG_CATCH();
	{
		unpin_fired(fired);
		PG_RE_THROW();
	}
	PG_END_TRY();
	unpin_fired(fired);
}

/* Its result: one that failed to compile has a run, too, which fails by that. */
static Jsonb *
run_one(const Fired *one)
{
	Sequence	broken = {0};
	RunRequest	request = {0};

	broken.id = one->sequence_id;
	broken.atomic = one->atomic;
	broken.max_rows_changed = broken.max_actions = -1;
	request.sequence = one->sequence != NULL ? one->sequence : &broken;
	request.context = one->context;
	request.verdict = one->verdict;
	request.broken = one->error;
	return sigma_run_pinned(&request, NULL);
}

/* A sequence that cannot be started, for that reason: its result, which history has too. */
Jsonb *
sigma_fire_failed(const SequenceStart *start, int sqlstate, const char *message, const char *hint)
{
	Sequence	broken = {.id = start->sequence_id, .atomic = true, .max_rows_changed = -1, .max_actions = -1};
	RunRequest	request = {.sequence = &broken, .verdict = VERDICT_OPEN};
	ErrorData  *error = palloc0(sizeof(ErrorData));

	error->elevel = ERROR;
	error->sqlerrcode = sqlstate;
	error->message = pstrdup(message);
	error->hint = pstrdup(hint);
	error->assoc_context = CurrentMemoryContext;
	request.context = sigma_run_read_context(start->context);
	request.broken = error;
	return sigma_run_pinned(&request, NULL);
}

/* What is known of each start before it is looked at: a List of Fired. */
static List *
list_fired(List *starts)
{
	List	   *fired = NIL;
	ListCell   *lc;

	foreach(lc, starts)
	{
		SequenceStart *start = lfirst(lc);
		Fired	   *one = palloc0(sizeof(Fired));

		one->sequence_id = start->sequence_id;
		one->context = sigma_run_read_context(start->context);
		one->probe.cxt = one->probe.kept = CurrentMemoryContext;
		one->probe.context = one->context;
		fired = lappend(fired, one);
	}
	return fired;
}

/* Compile the sequences and ask their conditions, before any of them runs.  They are pinned then. */
static void
prepare_fired(List *fired)
{
	PG_TRY();
	{
		ListCell   *lc;

		foreach(lc, fired)
			prepare_one(lfirst(lc));
	}
	PG_CATCH();
	{
		unpin_fired(fired);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

static void
prepare_one(Fired *one)
{
	SessionState session = sigma_session;
	bool		kept;

	one->error = sigma_run_guard(&one->probe, pin_fired, &kept);
	if (one->error != NULL)
	{
		one->atomic = sigma_run_guard(&one->probe, read_atomic, &kept) != NULL || kept;
		return;
	}
	if (one->sequence->is_paused)
		return;
	one->probe.sequence = one->sequence;
	/* a condition that raises is asked again by the run, which then fails by it */
	PG_TRY();
	{
		sigma_context_enter(one->probe.context);
		if (sigma_run_guard(&one->probe, sigma_run_check_condition, &kept) == NULL)
			one->verdict = kept ? VERDICT_TRUE : VERDICT_FALSE;
	}
	PG_FINALLY();
	{
		sigma_session = session;
	}
	PG_END_TRY();
}

/* A guarded pin. */
static bool
pin_fired(Run *run)
{
	Fired	   *fired = (Fired *) run;

	fired->sequence = sigma_sequence_pin(fired->sequence_id, false);
	return true;
}

/* Is a sequence that cannot be compiled atomic?  Unless its definition says no. */
static bool
read_atomic(Run *run)
{
	Fired	   *fired = (Fired *) run;
	JsonNode   *document = sigma_catalog_read(DOCUMENT_SEQUENCE, fired->sequence_id);

	return document == NULL ||
		sigma_json_get_bool(sigma_json_get(document, "execution_config"), "atomic", true);
}

static void
unpin_fired(List *fired)
{
	ListCell   *lc;

	foreach(lc, fired)
	{
		Fired	   *one = lfirst(lc);

		if (one->sequence != NULL)
			sigma_sequence_unpin(one->sequence);
	}
}

/* The canonical word for a type of trigger, as definitions have it; SG400. */
static const char *
canonical_type(const char *type)
{
	JsonNode   *trigger = sigma_json_new(JSON_OBJECT, NULL);

	sigma_json_set(trigger, "type", sigma_json_new_string(type, NULL));
	trigger = sigma_document_normalise(DOCUMENT_TRIGGER, trigger, DOCUMENT_CHANGES);
	return sigma_json_get_string(trigger, "type", NULL);
}
