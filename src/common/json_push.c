/*
 * json_push.c
 *		Members of a jsonb object that is being built.
 *
 * Texts are not copied: they must live until the object is finished.
 */
#include "postgres.h"

#include "utils/numeric.h"

#include "common/json_push.h"

void
sigma_push_key(JsonbParseState **state, const char *key)
{
	JsonbValue	name;

	name.type = jbvString;
	name.val.string.val = unconstify(char *, key);
	name.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &name);
}

void
sigma_push_value(JsonbParseState **state, const char *key, const JsonbValue *value)
{
	JsonbValue	copy = *value;

	sigma_push_key(state, key);
	pushJsonbValue(state, WJB_VALUE, &copy);
}

void
sigma_push_text(JsonbParseState **state, const char *key, const char *text)
{
	JsonbValue	value;

	value.type = text == NULL ? jbvNull : jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = text == NULL ? 0 : strlen(text);
	sigma_push_value(state, key, &value);
}

void
sigma_push_bool(JsonbParseState **state, const char *key, bool boolean)
{
	JsonbValue	value;

	value.type = jbvBool;
	value.val.boolean = boolean;
	sigma_push_value(state, key, &value);
}

void
sigma_push_int(JsonbParseState **state, const char *key, int64 number)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = int64_to_numeric(number);
	sigma_push_value(state, key, &value);
}
