/*
 * document_plain.c
 *		Documents that need no reading: told from their jsonb, without a tree.
 *
 * Most of a large page is texts, numbers and words that stand there as they are
 * stored.  An object is plain where the reader of documents would leave it as it is,
 * and where it names nothing and holds no formula; this walks over the jsonb by the
 * tables that the reader works from.  "Not plain" means no more than "perhaps not":
 * whoever asked reads the document then, which raises what there is to raise.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "common/document_specs.h"

static const KeySpec *find_key(const KeySpec *keys, const JsonbValue *name);
static bool lacks_any(const KeySpec *keys, const KeySpec *const *tables, JsonbContainer *object);
static bool is_plain_value(const KeySpec *key, const JsonbValue *value, int flags);
static bool is_plain_object(const ObjectSpec *spec, JsonbContainer *object, int flags);
static bool is_plain_number(const KeySpec *key, Numeric number);
static bool is_word(const char *const *names, const JsonbValue *value);
static bool is_spelled(JsonbContainer *object);
static bool contains(const JsonbValue *text, const char *part);

/*
 * Is an object of these keys and further tables (NULL: none) plain?  Keys that have a
 * column of their own do not stand in it.  "flags" DOCUMENT_STORED: it was read when it
 * was stored; what is asked is whether it names anything.  Raises 54001 alone.
 */
bool
sigma_spec_is_plain(const KeySpec *keys, const KeySpec *const *tables, JsonbContainer *object, int flags)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	const KeySpec *key = NULL;
	int			i;

	check_stack_depth();
	if (!JsonContainerIsObject(object))
		return false;
	if ((flags & DOCUMENT_STORED) == 0 && (JsonContainerSize(object) == 0 || lacks_any(keys, tables, object)))
		return false;

	iterator = JsonbIteratorInit(object);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			key = find_key(keys, &value);
			for (i = 0; key == NULL && tables != NULL && tables[i] != NULL; i++)
				key = find_key(tables[i], &value);
			if (key == NULL || (key->flags & KEY_COLUMN) != 0)
				return false;
		}
		else if (token == WJB_VALUE && !is_plain_value(key, &value, flags))
			return false;
	}
	return true;
}

/* The row about a key, or NULL. */
static const KeySpec *
find_key(const KeySpec *keys, const JsonbValue *name)
{
	const char *given = name->val.string.val;
	int			length = name->val.string.len;
	const KeySpec *key;

	for (key = keys; length > 0 && key->name != NULL; key++)
		if (key->name[0] == given[0] && strncmp(key->name, given, length) == 0 && key->name[length] == '\0')
			return key;
	return NULL;
}

/* Does it lack a member that the reader would ask for, or fill in? */
static bool
lacks_any(const KeySpec *keys, const KeySpec *const *tables, JsonbContainer *object)
{
	const KeySpec *key;
	JsonbValue	value;

	for (; keys != NULL; keys = tables == NULL ? NULL : *tables++)
		for (key = keys; key->name != NULL; key++)
			if ((key->flags & (KEY_REQUIRED | KEY_FILLED)) != 0 && (key->flags & KEY_COLUMN) == 0 &&
				getKeyJsonValueFromContainer(object, key->name, strlen(key->name), &value) == NULL)
				return true;
	return false;
}

/* Would the reader leave a value as it is, and does it name nothing? */
static bool
is_plain_value(const KeySpec *key, const JsonbValue *value, int flags)
{
	bool		stored = (flags & DOCUMENT_STORED) != 0;

	switch (key->type)
	{
		case SPEC_TEXT:
			return stored || value->type == jbvString;
		case SPEC_DYNAMIC:
			return value->type == jbvString && !contains(value, "[") && !contains(value, "{{");
		case SPEC_COLOR:
			return stored || (value->type == jbvString && sigma_is_color(value->val.string.val, value->val.string.len));
		case SPEC_BOOL:
			return stored ||
				(value->type == jbvBool && (key->flags & (value->val.boolean ? KEY_NO_TRUE : KEY_NO_FALSE)) == 0);
		case SPEC_INT:
			return stored || (value->type == jbvNumeric && is_plain_number(key, value->val.numeric));
		case SPEC_ENUM:
			return stored || (value->type == jbvString && is_word(key->names->names, value));
		case SPEC_OPEN:
			return stored || (value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data));
		case SPEC_SPELLED:
			return stored || (value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data) &&
							  is_spelled(value->val.binary.data));
		case SPEC_OBJECT:
			return value->type == jbvBinary && is_plain_object(key->object, value->val.binary.data, flags);
		default:
			return false;
	}
}

/* An object within one: what its hooks would do must be known. */
static bool
is_plain_object(const ObjectSpec *spec, JsonbContainer *object, int flags)
{
	if (spec->variant != NULL || ((spec->before != NULL || spec->after != NULL) && spec->settled == NULL))
		return false;
	return sigma_spec_is_plain(spec->keys, NULL, object, flags) &&
		(spec->settled == NULL || (flags & DOCUMENT_STORED) != 0 || spec->settled(object));
}

/* A whole number, written without a fraction, within its limits. */
static bool
is_plain_number(const KeySpec *key, Numeric number)
{
	bool		too_large = false;
	int32		whole = numeric_int4_opt_error(number, &too_large);

	if (too_large || DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(number))) != 0)
		return false;
	return (key->min == 0 && key->max == 0) || (whole >= key->min && whole <= key->max);
}

/* Is it one of the words, as they are stored? */
static bool
is_word(const char *const *names, const JsonbValue *value)
{
	for (; *names != NULL; names++)
		if (strncmp(*names, value->val.string.val, value->val.string.len) == 0 &&
			(*names)[value->val.string.len] == '\0')
			return true;
	return false;
}

/* Would the keys of an object of any keys, and of all within it, stay as they are? */
static bool
is_spelled(JsonbContainer *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_OBJECT && value.val.object.nPairs > SPEC_MAX_KEYS)
			return false;
		if (token == WJB_KEY && !sigma_is_spelled(value.val.string.val, value.val.string.len))
			return false;
	}
	return true;
}

/* Does a text contain that? */
static bool
contains(const JsonbValue *text, const char *part)
{
	return memmem(text->val.string.val, text->val.string.len, part, strlen(part)) != NULL;
}
