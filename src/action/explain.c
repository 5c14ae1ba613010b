/*
 * explain.c
 *		sigma.explain_sequence(): what a sequence is made of, and what it would touch.
 *
 * The tree follows the documents, so that a sequence which can no longer be compiled is
 * explained all the same, with the errors where they are; each step is compiled by
 * itself.  A step is called unreachable where that is certain: constants, and steps that
 * end the run, say so.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "action/explain.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "compat.h"
#include "input_table/row_change.h"

#define MAX_DEPTH	16			/* sequences that run one another, as in a run */

/* Types of actions that reach out of the database. */
static const char *const calling_types[] = {"ai_query", "api_call", "agent"};

PG_FUNCTION_INFO_V1(explain_sequence);

static bool read_format(FunctionCallInfo fcinfo);
static JsonNode *explain_one(Explain *explain, const char *id);
static void explain_head(Explain *explain, JsonNode *tree, const JsonNode *document);
static bool explain_steps(Explain *explain, JsonNode *list, const JsonNode *actions, const char *unreachable);
static bool explain_step(Explain *explain, JsonNode *step, JsonNode *element, const char *unreachable);
static JsonNode *resolve_action(Explain *explain, JsonNode *step, JsonNode *element);
static void explain_document(Explain *explain, JsonNode *step, const JsonNode *action);
static bool explain_flow(Explain *explain, JsonNode *step, const JsonNode *action, const char *unreachable);
static bool explain_branches(Explain *explain, JsonNode *step, const JsonNode *parameters, const char *unreachable);
static bool explain_branch(Explain *explain, JsonNode *step, const char *label, const JsonNode *condition,
						   const JsonNode *actions, const char *unreachable);
static void explain_call(Explain *explain, JsonNode *step, const JsonNode *action);
static void explain_contained(Explain *explain, JsonNode *step, JsonNode *action);
static bool compile_and_explain(Run *run);
static void set_error(Explain *explain, JsonNode *step, const ErrorData *error);
static void copy_member(JsonNode *to, const JsonNode *from, const char *key);
static bool has_id(const List *ids, const char *id);
static void find_cycles(Explain *explain, const char *id, List *path);
static void follow_actions(Explain *explain, const JsonNode *actions, List *path);
static void follow_action(Explain *explain, const JsonNode *action, List *path);

/*
 * explain_sequence(sequence_id text, format text, context jsonb) returns text
 *
 * The steps of a sequence with their statements, as a tree for a terminal or as JSON.
 * Raises SG404 for an unknown id, SG400 for a context that cannot be read, 22023 for
 * an unknown format.
 */
Datum
explain_sequence(PG_FUNCTION_ARGS)
{
	char	   *id = sigma_text_argument(fcinfo, 0, "sequence_id");
	bool		as_json = read_format(fcinfo);
	Jsonb	   *document = sigma_context_argument(fcinfo, 2);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt = AllocSetContextCreate(caller, "sigma explain", ALLOCSET_DEFAULT_SIZES);
	Explain    *explain;
	JsonNode   *tree;
	char	   *text;

	MemoryContextSwitchTo(cxt);
	explain = palloc0(sizeof(Explain));
	explain->probe.cxt = explain->probe.kept = cxt;
	explain->context = sigma_run_read_context(document);
	explain->given = document != NULL && JB_ROOT_COUNT(document) > 0;
	explain->summary = sigma_json_new(JSON_OBJECT, NULL);
	if (!sigma_catalog_exists(DOCUMENT_SEQUENCE, id))
		sigma_catalog_not_found(DOCUMENT_SEQUENCE, id);
	tree = explain_one(explain, id);
	find_cycles(explain, id, NIL);
	sigma_json_set(tree, "summary", explain->summary);
	text = as_json ? sigma_json_text(tree) : sigma_explain_text(tree);
	MemoryContextSwitchTo(caller);
	text = pstrdup(text);
	MemoryContextDelete(cxt);
	PG_RETURN_TEXT_P(cstring_to_text(text));
}

/* "text", also null, or "json"; 22023. */
static bool
read_format(FunctionCallInfo fcinfo)
{
	char	   *format = PG_ARGISNULL(1) ? "text" : text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (pg_strcasecmp(format, "json") == 0)
		return true;
	if (pg_strcasecmp(format, "text") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown format \"%s\"", format),
				 errhint("Known are text and json.")));
	return false;
}

/*
 * Sequences
 */

/* The tree of one sequence, which exists. */
static JsonNode *
explain_one(Explain *explain, const char *id)
{
	JsonNode   *tree = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *document = sigma_catalog_read(DOCUMENT_SEQUENCE, id);
	JsonNode   *condition;
	const char *unreachable = NULL;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	explain->stack = lcons(unconstify(char *, id), explain->stack);
	sigma_explain_text_member(tree, "sequence_id", id);
	explain_head(explain, tree, document);
	condition = sigma_json_get(document, "condition");
	if (sigma_explain_answer(explain, condition) == 0)
		unreachable = "the condition of the sequence is never true";
	if (unreachable != NULL)
		sigma_explain_text_member(tree, "unreachable", unreachable);
	(void) explain_steps(explain, sigma_explain_array(tree, "steps"), sigma_json_get(document, "actions"), unreachable);
	explain->stack = list_delete_first(explain->stack);
	explain->explained = lappend(explain->explained, unconstify(char *, id));
	return tree;
}

/* How the sequence runs. */
static void
explain_head(Explain *explain, JsonNode *tree, const JsonNode *document)
{
	JsonNode   *config = sigma_json_get(document, "execution_config");
	char	   *condition = sigma_explain_condition(sigma_json_get(document, "condition"));

	copy_member(tree, document, "name");
	copy_member(tree, document, "trigger");
	copy_member(tree, document, "is_paused");
	copy_member(tree, document, "stop_on_error");
	copy_member(tree, document, "timeout_ms");
	sigma_json_set(tree, "atomic", sigma_json_new_bool(sigma_json_get_bool(config, "atomic", true), NULL));
	copy_member(tree, config, "concurrency");
	copy_member(tree, config, "max_rows_changed");
	copy_member(tree, config, "max_actions");
	if (condition != NULL)
		sigma_explain_text_member(tree, "condition", condition);
}

/*
 * The steps of a list.  "unreachable": why none of them is reached, or NULL.  Returns
 * whether what comes after the list is reached.
 */
static bool
explain_steps(Explain *explain, JsonNode *list, const JsonNode *actions, const char *unreachable)
{
	bool		ended = false;
	int			i;

	check_stack_depth();
	for (i = 0; actions != NULL && actions->kind == JSON_ARRAY && i < actions->count; i++)
	{
		JsonNode   *step = sigma_json_new(JSON_OBJECT, NULL);

		sigma_json_append(list, step);
		sigma_json_set(step, "index", sigma_json_new_int(i, NULL));
		if (!explain_step(explain, step, actions->items[i], unreachable) && !ended)
		{
			ended = true;
			if (unreachable == NULL)
				unreachable = "a step before it ends the run";
		}
	}
	return !ended;
}

/* One element of "actions".  Returns whether what comes after it is reached. */
static bool
explain_step(Explain *explain, JsonNode *step, JsonNode *element, const char *unreachable)
{
	JsonNode   *action = resolve_action(explain, step, element);
	bool		goes_on = true;
	int			answer;

	CHECK_FOR_INTERRUPTS();
	if (action == NULL)
		return true;
	explain_document(explain, step, action);
	answer = sigma_explain_answer(explain, sigma_json_get(action, "conditions"));
	if (unreachable == NULL && answer == 0)
		unreachable = "its condition is never true";
	if (unreachable != NULL)
		sigma_explain_text_member(step, "unreachable", unreachable);
	if (strcmp(sigma_json_get_string(action, "type", ""), "flow") == 0)
		goes_on = explain_flow(explain, step, action, unreachable);
	else
		explain_contained(explain, step, action);
	/* what need not be done, or may fail and be passed over, ends nothing */
	return goes_on || answer != 1;
}

/* The action that an element is, or names; NULL, with the step's error, where there is none. */
static JsonNode *
resolve_action(Explain *explain, JsonNode *step, JsonNode *element)
{
	JsonNode   *error;
	JsonNode   *action;

	if (element->kind != JSON_STRING)
		return element;
	action = sigma_catalog_read(DOCUMENT_ACTION, element->string);
	if (action != NULL)
		return action;
	sigma_explain_text_member(step, "action_id", element->string);
	error = sigma_json_new(JSON_OBJECT, NULL);
	sigma_explain_text_member(error, "sqlstate", pstrdup(unpack_sql_state(ERRCODE_SIGMA_NOT_FOUND)));
	sigma_explain_text_member(error, "message", psprintf("action \"%s\" does not exist", element->string));
	sigma_json_set(step, "error", error);
	return NULL;
}

/* What the document of an action says by itself. */
static void
explain_document(Explain *explain, JsonNode *step, const JsonNode *action)
{
	char	   *condition = sigma_explain_condition(sigma_json_get(action, "conditions"));
	const char *handling = sigma_json_get_string(action, "error_handling", "fail");
	const char *type = sigma_json_get_string(action, "type", "");
	int			i;

	sigma_explain_text_member(step, "action_id", sigma_json_get_string(action, "id", NULL));
	copy_member(step, action, "type");
	copy_member(step, action, "subtype");
	copy_member(step, action, "target");
	if (condition != NULL)
		sigma_explain_text_member(step, "condition", condition);
	if (strcmp(handling, "fail") != 0)
		sigma_explain_text_member(step, "error_handling", handling);
	copy_member(step, action, "retry");
	copy_member(step, action, "timeout_ms");
	copy_member(step, action, "output_variable");
	for (i = 0; i < lengthof(calling_types); i++)
		if (strcmp(type, calling_types[i]) == 0)
		{
			char	   *call = psprintf("%s %s", type, sigma_json_get_string(action, "target", ""));

			sigma_explain_text_member(step, "calls", call);
			sigma_explain_add(sigma_explain_array(explain->summary, "calls"), call);
		}
}

/*
 * Branches, loops, calls
 */

/* A step that runs others, or ends the run.  Returns whether what comes after it is reached. */
static bool
explain_flow(Explain *explain, JsonNode *step, const JsonNode *action, const char *unreachable)
{
	const char *subtype = sigma_json_get_string(action, "subtype", "");
	JsonNode   *parameters = sigma_json_get(action, "parameters");

	if (strcmp(subtype, "if_else") == 0)
		return explain_branches(explain, step, parameters, unreachable);
	if (strcmp(subtype, "for_each") == 0)
	{
		copy_member(step, parameters, "rows");
		copy_member(step, parameters, "max_rows");
		explain_contained(explain, step, unconstify(JsonNode *, action));
		/* there may be no rows */
		(void) explain_steps(explain, sigma_explain_array(step, "steps"), sigma_json_get(parameters, "actions"), unreachable);
	}
	else if (strcmp(subtype, "run_sequence") == 0)
		explain_call(explain, step, action);
	else if (strcmp(subtype, "stop") == 0)
	{
		sigma_explain_text_member(step, "ends", sigma_json_get_string(parameters, "status", "success"));
		return false;
	}
	return true;
}

/* The branches of an if_else: one behind a condition that is always true is never taken. */
static bool
explain_branches(Explain *explain, JsonNode *step, const JsonNode *parameters, const char *unreachable)
{
	JsonNode   *branches = sigma_json_get(parameters, "branches");
	JsonNode   *otherwise = sigma_json_get(parameters, "else");
	const char *barred = unreachable;
	bool		goes_on = false;
	bool		taken = false;
	int			i;

	for (i = 0; branches != NULL && branches->kind == JSON_ARRAY && i < branches->count; i++)
	{
		JsonNode   *condition = sigma_json_get(branches->items[i], "condition");
		int			answer = sigma_explain_answer(explain, condition);
		const char *why = barred != NULL ? barred : answer == 0 ? "its condition is never true" : NULL;

		goes_on = explain_branch(explain, step, i == 0 ? "if" : "else if", condition,
								 sigma_json_get(branches->items[i], "actions"), why) ? goes_on || why == NULL : goes_on;
		if (answer == 1 && barred == NULL)
		{
			barred = "a branch before it is always taken";
			taken = true;
		}
	}
	if (otherwise != NULL && otherwise->kind == JSON_ARRAY)
	{
		if (explain_branch(explain, step, "else", NULL, otherwise, barred) && barred == NULL)
			goes_on = true;
	}
	else if (!taken)
		goes_on = true;
	return goes_on || unreachable != NULL;
}

/* One branch.  Returns whether what comes after it is reached. */
static bool
explain_branch(Explain *explain, JsonNode *step, const char *label, const JsonNode *condition,
			   const JsonNode *actions, const char *unreachable)
{
	JsonNode   *branch = sigma_json_new(JSON_OBJECT, NULL);
	char	   *text = sigma_explain_condition(condition);

	sigma_json_append(sigma_explain_array(step, "branches"), branch);
	sigma_explain_text_member(branch, "branch", label);
	if (text != NULL)
		sigma_explain_text_member(branch, "condition", text);
	if (unreachable != NULL)
		sigma_explain_text_member(branch, "unreachable", unreachable);
	return explain_steps(explain, sigma_explain_array(branch, "steps"), actions, unreachable);
}

/* A sequence that the step runs: its tree, unless it is being explained already or too deep. */
static void
explain_call(Explain *explain, JsonNode *step, const JsonNode *action)
{
	const char *target = sigma_json_get_string(action, "target", "");

	if (!sigma_catalog_exists(DOCUMENT_SEQUENCE, target))
	{
		JsonNode   *error = sigma_json_new(JSON_OBJECT, NULL);

		sigma_explain_text_member(error, "sqlstate", pstrdup(unpack_sql_state(ERRCODE_SIGMA_NOT_FOUND)));
		sigma_explain_text_member(error, "message", psprintf("action sequence \"%s\" does not exist", target));
		sigma_json_set(step, "error", error);
	}
	else if (has_id(explain->stack, target))
		sigma_explain_text_member(step, "cycle", psprintf("sequence \"%s\" runs already: the step fails", target));
	else if (list_length(explain->stack) >= MAX_DEPTH)
		sigma_explain_text_member(step, "cycle", psprintf("sequences run one another more than %d levels deep", MAX_DEPTH));
	else if (has_id(explain->explained, target))
		sigma_explain_text_member(step, "see", psprintf("sequence \"%s\", explained above", target));
	else
		sigma_json_set(step, "runs", explain_one(explain, target));
}

static bool
has_id(const List *ids, const char *id)
{
	ListCell   *lc;

	foreach(lc, ids)
		if (strcmp(lfirst(lc), id) == 0)
			return true;
	return false;
}

/*
 * Single steps
 */

/* Compile an action and explain its part, in a subtransaction that is rolled back; its error stands with the step. */
static void
explain_contained(Explain *explain, JsonNode *step, JsonNode *action)
{
	ErrorData  *error;
	bool		kept;

	explain->action = action;
	explain->step = step;
	error = sigma_run_guard(&explain->probe, compile_and_explain, &kept);
	if (error != NULL)
		set_error(explain, step, error);
}

/* Guarded work: false, so that it is undone. */
static bool
compile_and_explain(Run *run)
{
	Explain    *explain = (Explain *) run;
	JsonNode   *action = explain->action;
	JsonNode   *step = explain->step;
	CompileState state = {0};
	const StepType *type;
	void	   *part;

	SPI_connect();
	MemoryContextSwitchTo(run->cxt);
	state.cxt = run->cxt;
	state.resolve = true;
	action = sigma_document_normalise(DOCUMENT_ACTION, sigma_json_copy(action), DOCUMENT_STORED);
	type = sigma_step_type(action);
	(void) sigma_condition_compile(&state, sigma_json_get(action, "conditions"));
	part = type->compile(&state, type, action);
	if (type->explain != NULL)
		type->explain(explain, step, part);
	MemoryContextSwitchTo(run->cxt);
	SPI_finish();
	MemoryContextSwitchTo(run->cxt);
	return false;
}

/* The error that compiling or planning a step raised; what the caller may not is a right that he lacks. */
static void
set_error(Explain *explain, JsonNode *step, const ErrorData *error)
{
	JsonNode   *node = sigma_json_new(JSON_OBJECT, NULL);

	if (error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE)
	{
		/* names are looked up before anything is known of the statement */
		Oid			sigds = get_namespace_oid("sigds", true);

		sigma_explain_lack(explain, step, OidIsValid(sigds) && sigma_namespace_aclcheck(sigds, GetUserId(), ACL_USAGE) != ACLCHECK_OK ?
						   "USAGE on schema sigds" : error->message);
		return;
	}
	sigma_explain_text_member(node, "sqlstate", pstrdup(unpack_sql_state(error->sqlerrcode)));
	sigma_explain_text_member(node, "message", error->message);
	sigma_explain_text_member(node, "detail", error->detail);
	sigma_explain_text_member(node, "hint", error->hint);
	sigma_json_set(step, "error", node);
}

/* A member that is a text, where there is one. */
void
sigma_explain_text_member(JsonNode *object, const char *key, const char *text)
{
	if (text != NULL)
		sigma_json_set(object, key, sigma_json_new_string(text, NULL));
}

/* A member as it is, where there is one and it is not null. */
static void
copy_member(JsonNode *to, const JsonNode *from, const char *key)
{
	JsonNode   *member = from == NULL ? NULL : sigma_json_get(from, key);

	if (member != NULL && member->kind != JSON_NULL)
		sigma_json_set(to, key, sigma_json_copy(member));
}

JsonNode *
sigma_explain_array(JsonNode *object, const char *key)
{
	JsonNode   *array = sigma_json_get(object, key);

	if (array == NULL)
	{
		array = sigma_json_new(JSON_ARRAY, NULL);
		sigma_json_set(object, key, array);
	}
	return array;
}

void
sigma_explain_add(JsonNode *array, const char *text)
{
	int			i;

	for (i = 0; i < array->count; i++)
		if (strcmp(array->items[i]->string, text) == 0)
			return;
	sigma_json_append(array, sigma_json_new_string(text, NULL));
}

/*
 * Cycles
 */

/*
 * Follow what sequences run, and what their writes start: a sequence that is met on its
 * own path is a cycle, which goes into the summary.  "path" is innermost first.  Each
 * sequence is followed once.
 */
static void
find_cycles(Explain *explain, const char *id, List *path)
{
	JsonNode   *document;
	ListCell   *lc;
	char	   *text = pstrdup(id);

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	foreach(lc, path)
	{
		text = psprintf("%s -> %s", (char *) lfirst(lc), text);
		if (strcmp(lfirst(lc), id) == 0)
		{
			sigma_explain_add(sigma_explain_array(explain->summary, "cycles"), text);
			return;
		}
	}
	if (has_id(explain->followed, id) || (document = sigma_catalog_read(DOCUMENT_SEQUENCE, id)) == NULL)
		return;
	follow_actions(explain, sigma_json_get(document, "actions"), lcons(unconstify(char *, id), list_copy(path)));
	explain->followed = lappend(explain->followed, unconstify(char *, id));
}

static void
follow_actions(Explain *explain, const JsonNode *actions, List *path)
{
	int			i;

	check_stack_depth();
	for (i = 0; actions != NULL && actions->kind == JSON_ARRAY && i < actions->count; i++)
	{
		JsonNode   *action = actions->items[i];

		if (action->kind == JSON_STRING)
			action = sigma_catalog_read(DOCUMENT_ACTION, action->string);
		if (action != NULL && action->kind == JSON_OBJECT)
			follow_action(explain, action, path);
	}
}

/* One action: the sequences that it runs, holds, or starts by what it writes. */
static void
follow_action(Explain *explain, const JsonNode *action, List *path)
{
	const char *type = sigma_json_get_string(action, "type", "");
	const char *subtype = sigma_json_get_string(action, "subtype", "");
	const char *target = sigma_json_get_string(action, "target", NULL);
	JsonNode   *parameters = sigma_json_get(action, "parameters");
	JsonNode   *branches;
	List	   *starts = NIL;
	ListCell   *lc;
	int			i;

	if (strcmp(type, "data_modification") == 0 && target != NULL)
	{
		int			operation = strncmp(subtype, "insert", 6) == 0 ? ROW_INSERT :
			strncmp(subtype, "delete", 6) == 0 ? ROW_DELETE :
			strncmp(subtype, "update", 6) == 0 ? ROW_UPDATE : ROW_INSERT | ROW_UPDATE;

		foreach(lc, sigma_sequences_of_table(target))
		{
			const RowChangeStart *start = lfirst(lc);

			if ((start->operations & operation) != 0)
				starts = lappend(starts, pstrdup(start->sequence_id));
		}
		foreach(lc, starts)
			find_cycles(explain, lfirst(lc), path);
		return;
	}
	if (strcmp(type, "flow") != 0)
		return;
	if (strcmp(subtype, "run_sequence") == 0 && target != NULL)
		find_cycles(explain, target, path);
	if (parameters == NULL)
		return;
	follow_actions(explain, sigma_json_get(parameters, "actions"), path);
	follow_actions(explain, sigma_json_get(parameters, "else"), path);
	branches = sigma_json_get(parameters, "branches");
	for (i = 0; branches != NULL && branches->kind == JSON_ARRAY && i < branches->count; i++)
		follow_actions(explain, sigma_json_get(branches->items[i], "actions"), path);
}
