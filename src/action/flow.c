/*
 * flow.c
 *		Steps that run other steps: checking and compiling them.
 *
 * The steps in branches and loops become part of the sequence's compiled form; a
 * sequence that is run by another is compiled by itself, when it is run, so that a
 * change of it reaches the runs that come after.
 */
#include "postgres.h"

#include "action/flow.h"
#include "common/catalog.h"
#include "common/errors.h"

#define DEFAULT_MAX_ROWS 10000

static FlowIfElse *compile_if_else(CompileState *state, JsonNode *parameters);
static FlowForEach *compile_for_each(CompileState *state, JsonNode *parameters);
static FlowCall *compile_call(CompileState *state, JsonNode *action, JsonNode *parameters);
static FlowStop *compile_stop(CompileState *state, JsonNode *parameters);

/*
 * Check the document and compile what it holds: a FlowIfElse, FlowForEach, FlowCall or
 * FlowStop.  Raises SG400, SG404, and what the steps that it holds raise.
 */
void *
sigma_flow_compile(CompileState *state, const StepType *type, JsonNode *action)
{
	JsonNode   *parameters = sigma_json_get(action, "parameters");

	if (parameters == NULL || parameters->kind == JSON_NULL)
		parameters = sigma_json_new(JSON_OBJECT, action);
	switch ((FlowCode) type->code)
	{
		case FLOW_IF_ELSE:
			return compile_if_else(state, parameters);
		case FLOW_FOR_EACH:
			return compile_for_each(state, parameters);
		case FLOW_RUN_SEQUENCE:
			return compile_call(state, action, parameters);
		case FLOW_STOP:
			return compile_stop(state, parameters);
	}
	elog(ERROR, "unknown flow action %d", type->code);
}

/* {branches: [{condition, actions}], else: [action]} */
static FlowIfElse *
compile_if_else(CompileState *state, JsonNode *parameters)
{
	FlowIfElse *part = MemoryContextAllocZero(state->cxt, sizeof(FlowIfElse));
	JsonNode   *branches = sigma_json_get(parameters, "branches");
	JsonNode   *otherwise = sigma_json_get(parameters, "else");
	int			i;

	part->count = branches->count;
	part->branches = MemoryContextAllocZero(state->cxt, sizeof(FlowBranch) * branches->count);
	for (i = 0; i < branches->count; i++)
	{
		JsonNode   *branch = branches->items[i];

		part->branches[i].condition = sigma_condition_compile(state, sigma_json_get(branch, "condition"));
		sigma_steps_compile(state, sigma_json_get(branch, "actions"), &part->branches[i].steps);
	}
	part->has_otherwise = otherwise != NULL && otherwise->kind == JSON_ARRAY;
	sigma_steps_compile(state, otherwise, &part->otherwise);
	return part;
}

/* {rows, actions, max_rows} */
static FlowForEach *
compile_for_each(CompileState *state, JsonNode *parameters)
{
	FlowForEach *part = MemoryContextAllocZero(state->cxt, sizeof(FlowForEach));
	JsonNode   *rows = sigma_json_get(parameters, "rows");

	part->max_rows = sigma_json_get_int(parameters, "max_rows", DEFAULT_MAX_ROWS);
	if (strcmp(rows->string, "selection") != 0)
		part->source = sigma_row_source_compile(state, rows);
	sigma_steps_compile(state, sigma_json_get(parameters, "actions"), &part->steps);
	return part;
}

/* The sequence must exist.  What its context is given as a whole must be readable as one. */
static FlowCall *
compile_call(CompileState *state, JsonNode *action, JsonNode *parameters)
{
	FlowCall   *part = MemoryContextAllocZero(state->cxt, sizeof(FlowCall));
	JsonNode   *target = sigma_json_get(action, "target");
	JsonNode   *context = sigma_json_get(parameters, "context");

	if (state->saving && !sigma_catalog_exists(DOCUMENT_SEQUENCE, target->string))
		sigma_document_error(target, ERRCODE_SIGMA_NOT_FOUND,
							 sigma_catalog_hint(DOCUMENT_SEQUENCE, target->string),
							 "action sequence \"%s\" does not exist", target->string);
	part->target = MemoryContextStrdup(state->cxt, target->string);
	if (context != NULL && context->kind == JSON_OBJECT)
		part->context = sigma_value_source_compile(state, context, true);
	return part;
}

/* {status, message} */
static FlowStop *
compile_stop(CompileState *state, JsonNode *parameters)
{
	FlowStop   *part = MemoryContextAllocZero(state->cxt, sizeof(FlowStop));
	JsonNode   *message = sigma_json_get(parameters, "message");

	part->failed = strcmp(sigma_json_get_string(parameters, "status", "success"), "failed") == 0;
	if (message != NULL && message->kind != JSON_NULL)
		part->message = sigma_dynamic_text_compile(state, message);
	return part;
}
