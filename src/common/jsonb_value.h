/*
 * jsonb_value.h
 *		JSON values that stand alone: scalars, or jbvBinary for an array or object.
 */
#ifndef SIGMA_JSONB_VALUE_H
#define SIGMA_JSONB_VALUE_H

#include "postgres.h"

#include "utils/jsonb.h"

/* A whole jsonb as a value that points into it; a value as a jsonb of its own. */
extern void sigma_jsonb_to_value(Jsonb *document, JsonbValue *value);
extern Jsonb *sigma_jsonb_from_value(const JsonbValue *value);

/* A whole number among the members of an object; "missing" where there is none. */
extern int	sigma_jsonb_int(JsonbContainer *object, const char *key, int missing);
/* The member of an object (NULL: none); jbvNull and false where there is none. */
extern bool sigma_jsonb_member(JsonbContainer *object, const char *key, JsonbValue *value);

/* The same JSON value?  Is it an array?  A copy with all it points at. */
extern bool sigma_jsonb_same(const JsonbValue *a, const JsonbValue *b);
extern bool sigma_jsonb_is_list(const JsonbValue *value);
extern void sigma_jsonb_copy(const JsonbValue *value, MemoryContext cxt, JsonbValue *copy);

#endif							/* SIGMA_JSONB_VALUE_H */
