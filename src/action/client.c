/*
 * client.c
 *		Steps that the client carries out, and steps that set controls and variables.
 *
 * Their effects are documents of one shape: {type, subtype, target, ...} with
 * every value resolved.  They go into the run's result; nothing here touches a
 * table but "variable set" on a declared variable that is stored.
 */
#include "postgres.h"

#include "action/action.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/json_push.h"

/* A value that an effect carries, under the name it has in "parameters". */
typedef struct EffectValue
{
	const char *name;
	ValueSource *source;
} EffectValue;

typedef struct ClientStep
{
	ClientCode	code;
	const char *target;			/* as written; NULL: none */
	ValueSource *text;			/* the target as dynamic text, where it is one */
	ValueSource *value;			/* of set_value and set */
	SelectionMode mode;			/* of set_value */
	int			count;			/* what else the effect carries */
	EffectValue values[2];
	int			npassed;		/* pass_control_values */
	EffectValue *passed;
} ClientStep;

static void compile_target(CompileState *state, ClientStep *step, const StepType *type,
						   JsonNode *action);
static void check_element(JsonNode *target, const char *const *types, const char *what);
static void compile_value(CompileState *state, ClientStep *step, JsonNode *parameters);
static void check_constant(const ClientStep *step, JsonNode *node);
static void compile_navigation(CompileState *state, ClientStep *step, JsonNode *parameters);
static void add_value(CompileState *state, ClientStep *step, const char *name, JsonNode *parameters);
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
		case CLIENT_SELECT_TAB:
			/* by its place from 0, or relative to the active one */
			add_value(state, step, "index", parameters);
			add_value(state, step, "direction", parameters);
			break;
		default:
			break;
	}
	return step;
}

/* What the step acts on.  Elements of the layout must exist: SG404. */
static void
compile_target(CompileState *state, ClientStep *step, const StepType *type, JsonNode *action)
{
	static const char *const overlays[] = {"modal", "drawer", "popover", NULL};
	static const char *const tab_sets[] = {"tabs", NULL};
	JsonNode   *target = sigma_json_get(action, "target");

	if (target == NULL || target->kind != JSON_STRING)
	{
		/* without one, "close" closes what is open */
		if (step->code != CLIENT_CLOSE_MODAL)
			sigma_document_error(action, 0, NULL, "an action of type %s %s needs \"target\"",
								 type->type, type->subtype);
		return;
	}
	step->target = MemoryContextStrdup(state->cxt, target->string);
	if (step->code == CLIENT_OPEN_LINK)
		step->text = sigma_dynamic_text_compile(state, target);
	else if (state->resolve && (step->code == CLIENT_OPEN_MODAL || step->code == CLIENT_CLOSE_MODAL))
		check_element(target, overlays, "a modal, drawer or popover");
	else if (state->resolve && step->code == CLIENT_SELECT_TAB)
		check_element(target, tab_sets, "a set of tabs");
}

/* The element must exist and be of one of these types. */
static void
check_element(JsonNode *target, const char *const *types, const char *what)
{
	JsonNode   *element = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, target->string);
	const char *type;
	int			i;

	if (element == NULL)
		sigma_document_error(target, ERRCODE_SIGMA_NOT_FOUND,
							 sigma_catalog_hint(DOCUMENT_LAYOUT_ELEMENT, target->string),
							 "layout element \"%s\" does not exist", target->string);
	type = sigma_json_get_string(element, "type", "");
	for (i = 0; types[i] != NULL; i++)
		if (strcmp(types[i], type) == 0)
			return;
	sigma_document_error(target, 0, NULL, "layout element \"%s\" is of type \"%s\", not %s",
						 target->string, type, what);
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
	JsonNode   *passed = sigma_json_get(parameters, "pass_control_values");
	int			i;

	add_value(state, step, "open_in", parameters);
	if (passed == NULL || passed->kind != JSON_OBJECT)
		return;
	step->npassed = passed->count;
	step->passed = MemoryContextAlloc(state->cxt, sizeof(EffectValue) * (passed->count + 1));
	for (i = 0; i < passed->count; i++)
	{
		step->passed[i].name = MemoryContextStrdup(state->cxt, passed->items[i]->key);
		step->passed[i].source = sigma_value_source_compile(state, passed->items[i], false);
	}
}

/* A parameter that the effect carries, where it is given. */
static void
add_value(CompileState *state, ClientStep *step, const char *name, JsonNode *parameters)
{
	JsonNode   *node = sigma_json_get(parameters, name);

	if (node == NULL || node->kind == JSON_NULL)
		return;
	Assert(step->count < lengthof(step->values));
	step->values[step->count].name = name;
	step->values[step->count].source = sigma_value_source_compile(state, node, false);
	step->count++;
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
	JsonbValue	resolved;
	int			i;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "type", compiled->type->type);
	sigma_push_text(&state, "subtype", compiled->type->subtype);
	if (step->target != NULL)
		sigma_push_text(&state, "target",
				  step->text != NULL ? sigma_value_source_text(step->text, run->context) : step->target);
	if (value != NULL)
		sigma_push_value(&state, "value", value);
	for (i = 0; i < step->count; i++)
	{
		sigma_value_source_evaluate(step->values[i].source, run->context, &resolved);
		sigma_push_value(&state, step->values[i].name, &resolved);
	}
	if (step->passed != NULL)
	{
		sigma_push_key(&state, "pass_control_values");
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		for (i = 0; i < step->npassed; i++)
		{
			sigma_value_source_evaluate(step->passed[i].source, run->context, &resolved);
			sigma_push_value(&state, step->passed[i].name, &resolved);
		}
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
