/*
 * jsonb_value.c
 *		JSON values that stand alone: scalars, or jbvBinary for an array or object.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "common/jsonb_value.h"
#include "compat.h"

/* A whole jsonb as a value: a scalar, or jbvBinary that points into it. */
void
sigma_jsonb_to_value(Jsonb *document, JsonbValue *value)
{
	if (JB_ROOT_IS_SCALAR(document))
	{
		(void) JsonbExtractScalar(&document->root, value);
		return;
	}
	value->type = jbvBinary;
	value->val.binary.data = &document->root;
	value->val.binary.len = VARSIZE(document) - VARHDRSZ;
}

/* A value as a jsonb of its own, in the current memory context. */
Jsonb *
sigma_jsonb_from_value(const JsonbValue *value)
{
	return JsonbValueToJsonb(unconstify(JsonbValue *, value));
}

/* A number among the members of an object, rounded; "missing" where there is none.  Raises 22003. */
int
sigma_jsonb_int(JsonbContainer *object, const char *key, int missing)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(object, key, strlen(key), &value) == NULL || value.type != jbvNumeric)
		return missing;
	return DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(value.val.numeric)));
}

/* See jsonb_value.h. */
bool
sigma_jsonb_member(JsonbContainer *object, const char *key, JsonbValue *value)
{
	if (object != NULL && getKeyJsonValueFromContainer(object, key, strlen(key), value) != NULL)
		return true;
	value->type = jbvNull;
	return false;
}

/* The same JSON value?  Numbers by value, objects whatever the order of members. */
bool
sigma_jsonb_same(const JsonbValue *a, const JsonbValue *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case jbvNull:
			return true;
		case jbvBool:
			return a->val.boolean == b->val.boolean;
		case jbvNumeric:
			return DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(a->val.numeric),
													NumericGetDatum(b->val.numeric)));
		case jbvString:
			return a->val.string.len == b->val.string.len &&
				memcmp(a->val.string.val, b->val.string.val, a->val.string.len) == 0;
		case jbvBinary:
			return compareJsonbContainers(a->val.binary.data, b->val.binary.data) == 0;
		default:
			elog(ERROR, "unexpected jsonb value of type %d", (int) a->type);
	}
}

/* Is this value an array? */
bool
sigma_jsonb_is_list(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

/* A copy of a value with all it points at, in "cxt". */
void
sigma_jsonb_copy(const JsonbValue *value, MemoryContext cxt, JsonbValue *copy)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);

	*copy = *value;
	switch (value->type)
	{
		case jbvString:
			copy->val.string.val = pnstrdup(value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			copy->val.numeric = DatumGetNumericCopy(NumericGetDatum(value->val.numeric));
			break;
		case jbvBinary:
			copy->val.binary.data = palloc(value->val.binary.len);
			memcpy(copy->val.binary.data, value->val.binary.data, value->val.binary.len);
			break;
		case jbvArray:
		case jbvObject:
			sigma_jsonb_to_value(sigma_jsonb_from_value(value), copy);
			break;
		default:
			break;
	}
	MemoryContextSwitchTo(old);
}
