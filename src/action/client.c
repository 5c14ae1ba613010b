/*
 * client.c
 *		Steps that the client carries out, and steps that set controls and variables.
 *
 * Their effects are documents of one shape: {type, subtype, target, ...} with
 * every value resolved.  They go into the run's result; nothing here touches a
 * table but "variable set" on a declared variable that is stored.
 */
#include "postgres.h"

#include "action/client.h"
#include "common/json_push.h"

static void compile_target(CompileState *state, ClientStep *step, const StepType *type,
						   JsonNode *action);
static void compile_value(CompileState *state, ClientStep *step, JsonNode *parameters);
static void check_constant(const ClientStep *step, JsonNode *node);
static void compile_navigation(CompileState *state, ClientStep *step, JsonNode *parameters);
static void push_values(JsonbParseState **state, const EffectValue *values, int count, RunContext *context);
static Jsonb *make_effect(Run *run, const Step *step, const JsonbValue *value);

/* Check the document and compile its values; a ClientStep.  Raises SG400, SG404. */
void *
sigma_client_compile(CompileState *state, const StepType *type, JsonNode *action)
{
	ClientStep *step = MemoryContextAllocZero(state->cxt, sizeof(ClientStep));
	JsonNode   *parameters = sigma_json_get(action, "parameters");

	if (parameters == NULL || parameters->kind == JSON_NULL)
		parameters = sigma_json_new(JSON_OBJECT, action);
	step->code = (ClientCode) type->code;
	compile_target(state, step, type, action);
	switch (step->code)
	{
		case CLIENT_OPEN_LINK:
		case CLIENT_OPEN_DOCUMENT:
		case CLIENT_NAVIGATE:
			compile_navigation(state, step, parameters);
			break;
		case CLIENT_SET_VALUE:
		case CLIENT_SET_VARIABLE:
			compile_value(state, step, parameters);
			break;
		case CLIENT_SEND_EVENT:
			sigma_effect_value(state, step, "name", sigma_json_get(parameters, "name"), false);
			sigma_effect_value(state, step, "payload", sigma_json_get(parameters, "payload"), true);
			break;
		case CLIENT_CLEAR_VALUE:
		case CLIENT_ENABLE:
		case CLIENT_DISABLE:
		case CLIENT_CLEAR_VARIABLE:
			break;
		default:
			sigma_element_compile(state, step, action, parameters);
			break;
	}
	return step;
}

/* What the step acts on. */
static void
compile_target(CompileState *state, ClientStep *step, const StepType *type, JsonNode *action)
{
	JsonNode   *target = sigma_json_get(action, "target");

	if (target == NULL || target->kind != JSON_STRING)
	{
		/* without one, "close" closes what is open */
		if (step->code != CLIENT_CLOSE_MODAL && step->code != CLIENT_SEND_EVENT)
			sigma_document_error(action, 0, NULL, "an action of type %s %s needs \"target\"",
								 type->type, type->subtype);
		return;
	}
	step->target = MemoryContextStrdup(state->cxt, target->string);
	if (step->code == CLIENT_OPEN_LINK)
		step->text = sigma_dynamic_text_compile(state, target);
}

/* The value of "set_value" and "set". */
static void
compile_value(CompileState *state, ClientStep *step, JsonNode *parameters)
{
	const char *mode = sigma_json_get_string(parameters, "selection_mode", "replace");

	step->value = sigma_value_source_compile(state, sigma_json_get(parameters, "value"), false);
	step->mode = strcmp(mode, "add") == 0 ? SELECTION_ADD :
		strcmp(mode, "remove") == 0 ? SELECTION_REMOVE : SELECTION_REPLACE;
	if (state->saving)
		check_constant(step, sigma_json_get(parameters, "value"));
}

/*
 * A constant must be what the declared variable or control can hold: SG400.  What is
 * added to a list, or removed from it, may be one of its elements; nothing else can
 * be added to.  Undeclared names hold anything.
 */
static void
check_constant(const ClientStep *step, JsonNode *node)
{
	const Variable *variable = step->target == NULL ? NULL : sigma_variable(step->target);
	const char *noun = step->code == CLIENT_SET_VARIABLE ? "variable" : "control";
	const char *declared;
	const char *why;
	JsonbValue	value;

	if (variable == NULL || node == NULL)
		return;
	declared = psprintf("It is declared with type %s.", sigma_variable_type_name(variable->type));
	if (step->mode != SELECTION_REPLACE && variable->type != VARIABLE_LIST)
		sigma_document_error(node, 0, declared,
							 "\"selection_mode\" adds to lists and removes from them, and %s \"%s\" holds none",
							 noun, step->target);
	if (!sigma_value_source_is_static(step->value, &value) ||
		(step->mode != SELECTION_REPLACE && value.type != jbvBinary))
		return;
	if (!sigma_variable_fits(variable->type, &value, &why))
		sigma_document_error(node, 0, declared, "value of %s \"%s\" %s", noun, step->target, why);
}

/* Where a link opens, and the control values that go with it. */
static void
compile_navigation(CompileState *state, ClientStep *step, JsonNode *parameters)
{
	sigma_effect_value(state, step, "open_in", sigma_json_get(parameters, "open_in"), false);
	sigma_effect_members(state, step, "pass_control_values", sigma_json_get(parameters, "pass_control_values"));
}

/* One more thing that the effect carries. */
EffectValue *
sigma_effect_add(ClientStep *step, const char *name)
{
	EffectValue *value;

	Assert(step->count < CLIENT_MAX_VALUES);
	value = &step->values[step->count++];
	value->name = name;
	return value;
}

/* A parameter that the effect carries, where it is given.  "is_data": it may hold anything. */
void
sigma_effect_value(const CompileState *state, ClientStep *step, const char *name, JsonNode *node, bool is_data)
{
	if (node == NULL || (node->kind == JSON_NULL && !is_data))
		return;
	sigma_effect_add(step, name)->source = sigma_value_source_compile(state, node, is_data);
}

/* The same for an object whose keys users name: a value for each of its members. */
void
sigma_effect_members(const CompileState *state, ClientStep *step, const char *name, JsonNode *node)
{
	EffectValue *value;
	int			i;

	if (node == NULL || node->kind != JSON_OBJECT)
		return;
	value = sigma_effect_add(step, name);
	value->count = node->count;
	value->members = MemoryContextAllocZero(state->cxt, sizeof(EffectValue) * (node->count + 1));
	for (i = 0; i < node->count; i++)
	{
		value->members[i].name = MemoryContextStrdup(state->cxt, node->items[i]->key);
		value->members[i].source = sigma_value_source_compile(state, node->items[i], true);
	}
}

/*
 * Running
 */

/* Run a step of the client: set what it sets, and leave the effect. */
void
sigma_client_run(Run *run, const Step *compiled, StepOutcome *outcome)
{
	ClientStep *step = compiled->part;
	JsonbValue	value;
	JsonbValue	now;

	switch (step->code)
	{
		case CLIENT_SET_VALUE:
		case CLIENT_CLEAR_VALUE:
			value.type = jbvNull;
			if (step->value != NULL)
				sigma_value_source_evaluate(step->value, run->context, &value);
			sigma_context_set_control(run->context, step->target, &value, step->mode, &now);
			outcome->has_result = true;
			outcome->result = now;
			outcome->effect = make_effect(run, compiled, &now);
			break;
		case CLIENT_SET_VARIABLE:
			sigma_value_source_evaluate(step->value, run->context, &value);
			(void) sigma_context_store_variable(run->context, step->target, &value);
			outcome->has_result = true;
			outcome->result = value;
			break;
		case CLIENT_CLEAR_VARIABLE:
			(void) sigma_context_store_variable(run->context, step->target, NULL);
			break;
		default:
			outcome->effect = make_effect(run, compiled, NULL);
			break;
	}
}

/* {type, subtype, target, ...}; "value" is the control's new value, or NULL. */
static Jsonb *
make_effect(Run *run, const Step *compiled, const JsonbValue *value)
{
	ClientStep *step = compiled->part;
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "type", compiled->type->type);
	sigma_push_text(&state, "subtype", compiled->type->subtype);
	if (step->target != NULL)
		sigma_push_text(&state, "target",
				  step->text != NULL ? sigma_value_source_text(step->text, run->context) : step->target);
	if (value != NULL)
		sigma_push_value(&state, "value", value);
	push_values(&state, step->values, step->count, run->context);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Members of an effect with their values in this run. */
static void
push_values(JsonbParseState **state, const EffectValue *values, int count, RunContext *context)
{
	JsonbValue	resolved;
	int			i;

	for (i = 0; i < count; i++)
	{
		if (values[i].source != NULL)
		{
			sigma_value_source_evaluate(values[i].source, context, &resolved);
			sigma_push_value(state, values[i].name, &resolved);
			continue;
		}
		sigma_push_key(state, values[i].name);
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		push_values(state, values[i].members, values[i].count, context);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
}
