/*
 * flow_call.c
 *		A step that runs another sequence, and sequences that would run themselves.
 *
 * The other sequence runs by its own definition, as a run with a row of history of its
 * own.  It knows what the run around it knows, with the step's "context" laid over it.
 * What comes back are its effects and the controls that it set; its variables are the
 * step's result.  That a sequence runs itself is found when it is saved, through all
 * the actions and sequences in between, and at a run where definitions changed at once.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/elog.h"
#include "utils/memutils.h"

#include "action/flow.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "formula/references.h"

/* A definition on the way from the one being saved. */
typedef struct Visit
{
	struct Visit *from;			/* what names it, or NULL */
	DocumentKind kind;
	const char *id;
	const JsonNode *where;		/* in the document being saved: the first step of the way */
} Visit;

static void refuse_depth(const Run *run, const FlowCall *call);
static Jsonb *make_context(Run *run, const FlowCall *call);
static Jsonb *make_set(const RunContext *context);
static Jsonb *make_selection(const RunContext *context);
static Jsonb *lay_over(Jsonb *base, Jsonb *over);
static Jsonb *wrap(const char *key, Jsonb *value);
static void take_result(Run *run, const Run *inner, Jsonb *result, StepOutcome *outcome);
static ErrorData *error_of(MemoryContext cxt, const Run *inner, Jsonb *result);
static void take_effects(Run *run, Jsonb *result);
static void take_controls(Run *run, Jsonb *result);
static bool is_text(const JsonbValue *value, const char *text);
static void visit(Visit *at, JsonNode *document, const Visit *start, List **seen);
static void refuse_cycle(const Visit *at) pg_attribute_noreturn();

/*
 * Run the step.  Raises SG404 where the sequence is gone, 42P17 where it runs further
 * up, 54000 where too many run each other, SG400 for a context that cannot be read;
 * that the other run has failed is in the outcome.
 */
void
sigma_flow_call(Run *run, const Step *step, StepOutcome *outcome)
{
	const FlowCall *call = step->part;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt = AllocSetContextCreate(run->cxt, "sigma sequence in a sequence", ALLOCSET_DEFAULT_SIZES);
	RunRequest	request = {0};
	Sequence   *sequence;
	Run		   *inner;
	Jsonb	   *result;

	check_stack_depth();
	refuse_depth(run, call);
	MemoryContextSwitchTo(cxt);
	request.context = sigma_run_read_context(make_context(run, call));
	request.caller = run;
	sequence = sigma_sequence_pin(call->target, false);
	request.sequence = sequence;
	PG_TRY();
	{
		result = sigma_run_pinned(&request, &inner);
		MemoryContextSwitchTo(caller);
		take_result(run, inner, result, outcome);
	}
	PG_FINALLY();
	{
		sigma_sequence_unpin(sequence);
	}
	PG_END_TRY();
	MemoryContextDelete(cxt);
}

/* Raise 42P17 where the sequence runs already, by steps like this one, and 54000 where this would be one too deep. */
static void
refuse_depth(const Run *run, const FlowCall *call)
{
	const Run  *above;
	StringInfoData way;

	initStringInfo(&way);
	for (above = run; above != NULL; above = above->caller)
	{
		appendStringInfo(&way, "%s\"%s\"", way.len == 0 ? "" : ", run by ", above->sequence->id);
		if (!above->sequence->is_action && strcmp(above->sequence->id, call->target) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					 errmsg("action sequence \"%s\" runs itself", call->target),
					 errdetail("It is run by %s.", way.data)));
	}
	if (run->depth >= MAX_CALL_DEPTH)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sequences run each other more than %d deep", MAX_CALL_DEPTH),
				 errdetail("Action sequence \"%s\" would be run by %s.", call->target, way.data)));
}

/*
 * What the other run knows: the context of this one, what was set since, the row of the
 * loop as the selection, and over it the step's own.  A key of idempotency is the
 * step's own or none.
 */
static Jsonb *
make_context(Run *run, const FlowCall *call)
{
	static const char *const maps[] = {"controls", "action_variables", "form"};
	RunContext *context = run->context;
	Jsonb	   *layers[3] = {context->document, make_set(context), NULL};
	Jsonb	   *result;
	JsonbValue	value;
	int			i;
	int			j;

	if (call->context != NULL)
	{
		sigma_value_source_evaluate(call->context, context, &value);
		layers[2] = sigma_jsonb_from_value(&value);
	}
	result = DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(layers[0]),
												CStringGetTextDatum("idempotency_key")));
	result = lay_over(result, make_selection(context));
	result = lay_over(result, layers[2]);
	for (i = 0; i < lengthof(maps); i++)
	{
		Jsonb	   *merged = NULL;

		for (j = 0; j < lengthof(layers); j++)
		{
			if (layers[j] == NULL || !sigma_jsonb_member(&layers[j]->root, maps[i], &value))
				continue;
			if (value.type != jbvBinary)	/* reading the context says what is wrong */
				merged = NULL;
			else
				merged = lay_over(merged, sigma_jsonb_from_value(&value));
		}
		if (merged != NULL)
			result = lay_over(result, wrap(maps[i], merged));
	}
	return result;
}

/* What the run has set, as a context has it. */
static Jsonb *
make_set(const RunContext *context)
{
	static const JsonbKey keys[] = {JSONB_KEY("controls"), JSONB_KEY("action_variables")};
	JsonbWriter writer = {{0}};

	sigma_jsonb_writer_begin(&writer);
	sigma_jsonb_writer_members(&writer, keys, 2, 3);
	sigma_context_write_controls(&writer, context);
	sigma_context_write_variables(&writer, context);
	sigma_jsonb_writer_end(&writer);
	return sigma_jsonb_writer_finish(&writer);
}

/* {selection: {rows}}; NULL where there is none. */
static Jsonb *
make_selection(const RunContext *context)
{
	JsonbValue	rows;

	if (context->selected == NULL)
		return NULL;
	rows.type = jbvBinary;
	rows.val.binary.data = context->selected;
	rows.val.binary.len = context->selected_length;
	return wrap("selection", wrap("rows", sigma_jsonb_from_value(&rows)));
}

/* An object with the members of another one (NULL: none) in place of its own. */
static Jsonb *
lay_over(Jsonb *base, Jsonb *over)
{
	if (base == NULL || over == NULL)
		return base == NULL ? over : base;
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(base), JsonbPGetDatum(over)));
}

/* {key: value} */
static Jsonb *
wrap(const char *key, Jsonb *value)
{
	JsonbParseState *state = NULL;
	JsonbValue	member;

	sigma_jsonb_to_value(value, &member);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_value(&state, key, &member);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * What comes back
 */

/* Take what the other run did into this one; in the current memory context. */
static void
take_result(Run *run, const Run *inner, Jsonb *result, StepOutcome *outcome)
{
	static const char *const keys[] = {
		"sequence_id", "execution_id", "status", "reason", "rows_changed", "variables", "alert", "warnings"
	};
	JsonbParseState *state = NULL;
	Jsonb	   *told;
	JsonbValue	value;
	int			i;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < lengthof(keys); i++)
		if (sigma_jsonb_member(&result->root, keys[i], &value))
			sigma_push_value(&state, keys[i], &value);
	told = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	outcome->has_result = true;
	sigma_jsonb_to_value(told, &outcome->result);
	if (sigma_jsonb_member(&result->root, "actions", &value))
		outcome->actions = sigma_jsonb_from_value(&value);

	run->executed += inner->executed;
	run->rows_changed += inner->rows_changed;
	(void) sigma_jsonb_member(&result->root, "status", &value);
	outcome->skipped = is_text(&value, "skipped");
	if (is_text(&value, "failed"))
		outcome->error = error_of(run->kept, inner, result);
	take_effects(run, result);
	take_controls(run, result);
}

/* Is it this text? */
static bool
is_text(const JsonbValue *value, const char *text)
{
	return value->type == jbvString && value->val.string.len == strlen(text) &&
		memcmp(value->val.string.val, text, strlen(text)) == 0;
}

/* Why the other run failed: as it was raised, or as the result of an earlier run tells it. */
static ErrorData *
error_of(MemoryContext cxt, const Run *inner, Jsonb *result)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	ErrorData  *error;

	if (inner->stored == NULL)
		error = sigma_error_make(inner->error->sqlerrcode, inner->error->message, inner->error->detail, inner->error->hint);
	else
	{
		JsonNode   *told = sigma_json_get(sigma_json_read(result), "error");
		const char *state = sigma_json_get_string(told, "sqlstate", "XX000");

		error = sigma_error_make(MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4]),
								 sigma_json_get_string(told, "message", ""),
								 sigma_json_get_string(told, "detail", NULL), sigma_json_get_string(told, "hint", NULL));
	}
	MemoryContextSwitchTo(old);
	return error;
}

/* What the client is to do, behind what it is to do already. */
static void
take_effects(Run *run, Jsonb *result)
{
	JsonbValue	effects;
	JsonbValue	effect;
	JsonbIterator *iterator;

	if (!sigma_jsonb_member(&result->root, "effects", &effects) || !sigma_jsonb_is_list(&effects))
		return;
	iterator = JsonbIteratorInit(effects.val.binary.data);
	(void) JsonbIteratorNext(&iterator, &effect, true);
	while (JsonbIteratorNext(&iterator, &effect, true) == WJB_ELEM)
		sigma_run_add_effect(run, sigma_jsonb_from_value(&effect));
}

/* The controls that it set are set in this run, too. */
static void
take_controls(Run *run, Jsonb *result)
{
	JsonbValue	controls;
	JsonbValue	key;
	JsonbValue	value;
	JsonbIterator *iterator;

	if (!sigma_jsonb_member(&result->root, "controls", &controls) || controls.type != jbvBinary)
		return;
	iterator = JsonbIteratorInit(controls.val.binary.data);
	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&iterator, &value, true);
		sigma_context_set_control(run->context, pnstrdup(key.val.string.val, key.val.string.len), &value,
								  SELECTION_REPLACE, NULL);
	}
}

/*
 * Cycles
 */

/*
 * Raise 42P17 where the action or sequence that is being saved would run itself: its
 * document holds itself or runs itself through actions and sequences that are stored.
 */
void
sigma_flow_check_cycles(DocumentKind kind, JsonNode *document)
{
	Visit		start = {NULL, kind, sigma_json_get_string(document, "id", ""), NULL};
	List	   *seen = NIL;

	visit(&start, document, &start, &seen);
}

/* Look at what a definition names, each definition once. */
static void
visit(Visit *at, JsonNode *document, const Visit *start, List **seen)
{
	ListCell   *lc;
	ListCell   *other;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	*seen = lappend(*seen, at);
	foreach(lc, sigma_document_references(at->kind, document))
	{
		Reference  *reference = lfirst(lc);
		Visit	   *next;
		JsonNode   *stored;

		if (reference->kind != REFERENCE_ACTION && reference->kind != REFERENCE_SEQUENCE)
			continue;
		next = palloc(sizeof(Visit));
		next->from = at;
		next->kind = reference->kind == REFERENCE_ACTION ? DOCUMENT_ACTION : DOCUMENT_SEQUENCE;
		next->id = reference->name;
		next->where = at == start ? reference->where : at->where;
		if (next->kind == start->kind && strcmp(next->id, start->id) == 0)
			refuse_cycle(next);
		foreach(other, *seen)
			if (((Visit *) lfirst(other))->kind == next->kind && strcmp(((Visit *) lfirst(other))->id, next->id) == 0)
				break;
		if (other == NULL && (stored = sigma_catalog_read(next->kind, next->id)) != NULL)
			visit(next, stored, start, seen);
	}
}

/* The way from the definition back to itself. */
static void
refuse_cycle(const Visit *at)
{
	static const char *const nouns[] = {"action", "sequence"};
	const char *way = "";
	const Visit *step;

	for (step = at; step != NULL; step = step->from)
		way = psprintf("%s \"%s\"%s%s", nouns[step->kind == DOCUMENT_SEQUENCE], step->id, step == at ? "" : " -> ", way);
	sigma_document_error(at->where, ERRCODE_INVALID_OBJECT_DEFINITION, psprintf("The way is %s.", way),
						 "%s \"%s\" would run itself", at->kind == DOCUMENT_SEQUENCE ? "action sequence" : "action", at->id);
}
