/*
 * client.h
 *		What the files of steps that the client carries out share; nobody else includes it.
 *
 * client.c    the steps, and their effects
 * element.c   steps on elements of the layout: what their targets are, and what they carry
 */
#ifndef SIGMA_CLIENT_H
#define SIGMA_CLIENT_H

#include "postgres.h"

#include "action/action.h"

/* A value that an effect carries, under the name it has in "parameters". */
typedef struct EffectValue
{
	const char *name;
	ValueSource *source;		/* or NULL: it is an object of "members" */
	int			count;
	struct EffectValue *members;
} EffectValue;

#define CLIENT_MAX_VALUES	4

typedef struct ClientStep
{
	ClientCode	code;
	const char *target;			/* as written; NULL: none */
	ValueSource *text;			/* the target as dynamic text, where it is one */
	ValueSource *value;			/* of set_value and set */
	SelectionMode mode;			/* of set_value */
	int			count;			/* what the effect carries */
	EffectValue values[CLIENT_MAX_VALUES];
} ClientStep;

/* client.c: parameters that the effect carries: one value, or one for each member of an object */
extern void sigma_effect_value(const CompileState *state, ClientStep *step, const char *name, JsonNode *node,
							   bool is_data);
extern void sigma_effect_members(const CompileState *state, ClientStep *step, const char *name, JsonNode *node);
extern EffectValue *sigma_effect_add(ClientStep *step, const char *name);

/* element.c: the same for steps on elements; SG400, SG404, 42703 */
extern void sigma_element_compile(const CompileState *state, ClientStep *step, JsonNode *action, JsonNode *parameters);

#endif							/* SIGMA_CLIENT_H */
