/*
 * json_push.h
 *		Members of a jsonb object that is being built.
 */
#ifndef SIGMA_JSON_PUSH_H
#define SIGMA_JSON_PUSH_H

#include "postgres.h"

#include "utils/jsonb.h"

/* A member's name; its value must follow. */
extern void sigma_push_key(JsonbParseState **state, const char *key);

/* A member.  Arrays and objects are copied in; a NULL text is null. */
extern void sigma_push_value(JsonbParseState **state, const char *key, const JsonbValue *value);
extern void sigma_push_text(JsonbParseState **state, const char *key, const char *text);
extern void sigma_push_bool(JsonbParseState **state, const char *key, bool boolean);
extern void sigma_push_int(JsonbParseState **state, const char *key, int64 number);

#endif							/* SIGMA_JSON_PUSH_H */
