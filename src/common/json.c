/*
 * json.c
 *		Documents as trees, read from jsonb and written back to it.
 *
 * Everything is allocated in the current memory context and freed with it.
 * Nodes are not shared: a node that is moved is taken out of its old holder
 * first (sigma_json_remove), a node that is needed twice is copied.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "common/json.h"
#include "compat.h"

static JsonNode *read_container(JsonbContainer *container, JsonNode *node);
static JsonNode *read_value(const JsonbValue *value, const JsonNode *origin,
							const char *origin_key, int origin_index);
static JsonbValue *push_node(JsonbParseState **state, JsonbIteratorToken place,
							 const JsonNode *node);
static void reserve(JsonNode *node);
static int	find(const JsonNode *object, const char *key);
static void append_path(StringInfo buf, const JsonNode *node);

/*
 * Read a whole document.  Returns its root; raises nothing on valid jsonb but
 * 54001 where it is nested too deeply.
 */
JsonNode *
sigma_json_read(Jsonb *document)
{
	JsonbValue	value;

	if (JB_ROOT_IS_SCALAR(document))
	{
		JsonbExtractScalar(&document->root, &value);
		return sigma_json_read_value(&value);
	}
	value.type = jbvBinary;
	value.val.binary.data = &document->root;
	value.val.binary.len = VARSIZE_ANY_EXHDR(document);
	return sigma_json_read_value(&value);
}

/* Read one value that jsonb's functions handed out, as the root of a tree. */
JsonNode *
sigma_json_read_value(const JsonbValue *value)
{
	return read_value(value, NULL, NULL, -1);
}

/* One value with the place it stood at. */
static JsonNode *
read_value(const JsonbValue *value, const JsonNode *origin,
		   const char *origin_key, int origin_index)
{
	JsonNode   *node = sigma_json_new(JSON_NULL, NULL);

	node->origin = origin;
	node->origin_key = origin_key;
	node->origin_index = origin_index;

	switch (value->type)
	{
		case jbvNull:
			break;
		case jbvBool:
			node->kind = JSON_BOOL;
			node->boolean = value->val.boolean;
			break;
		case jbvNumeric:
			node->kind = JSON_NUMBER;
			node->number = DatumGetNumericCopy(NumericGetDatum(value->val.numeric));
			break;
		case jbvString:
			node->kind = JSON_STRING;
			node->string = pnstrdup(value->val.string.val, value->val.string.len);
			break;
		case jbvBinary:
			return read_container(value->val.binary.data, node);
		default:
			elog(ERROR, "unexpected jsonb value of type %d", (int) value->type);
	}
	return node;
}

/* Fill "node" with the members or elements of a jsonb container. */
static JsonNode *
read_container(JsonbContainer *container, JsonNode *node)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;

	check_stack_depth();
	node->kind = JsonContainerIsObject(container) ? JSON_OBJECT : JSON_ARRAY;

	/* the first token opens this container; nested ones come as one value */
	(void) JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		JsonNode   *child;

		switch (token)
		{
			case WJB_KEY:
				key = pnstrdup(value.val.string.val, value.val.string.len);
				break;
			case WJB_VALUE:
			case WJB_ELEM:
				child = read_value(&value, node, key,
								   token == WJB_ELEM ? node->count : -1);
				reserve(node);
				child->key = key;
				node->items[node->count++] = child;
				break;
			default:
				break;
		}
	}
	return node;
}

/* The tree as jsonb; raises 54000 where jsonb's own limits are passed. */
Jsonb *
sigma_json_write(const JsonNode *node)
{
	JsonbParseState *state = NULL;
	JsonbValue *result;

	if (node->kind == JSON_ARRAY || node->kind == JSON_OBJECT)
		return JsonbValueToJsonb(push_node(&state, WJB_DONE, node));

	/* a scalar document is an array of one, marked as such */
	result = palloc0(sizeof(JsonbValue));
	result->type = jbvNull;
	if (node->kind == JSON_BOOL)
	{
		result->type = jbvBool;
		result->val.boolean = node->boolean;
	}
	else if (node->kind == JSON_NUMBER)
	{
		result->type = jbvNumeric;
		result->val.numeric = node->number;
	}
	else if (node->kind == JSON_STRING)
	{
		result->type = jbvString;
		result->val.string.val = node->string;
		result->val.string.len = strlen(node->string);
	}
	return JsonbValueToJsonb(result);
}

/* Push one node; "place" says what the holder expects (WJB_DONE: the root). */
static JsonbValue *
push_node(JsonbParseState **state, JsonbIteratorToken place, const JsonNode *node)
{
	JsonbValue	value = {0};
	JsonbValue	key = {0};
	int			i;

	check_stack_depth();
	switch (node->kind)
	{
		case JSON_NULL:
			value.type = jbvNull;
			break;
		case JSON_BOOL:
			value.type = jbvBool;
			value.val.boolean = node->boolean;
			break;
		case JSON_NUMBER:
			value.type = jbvNumeric;
			value.val.numeric = node->number;
			break;
		case JSON_STRING:
			value.type = jbvString;
			value.val.string.val = node->string;
			value.val.string.len = strlen(node->string);
			break;
		case JSON_ARRAY:
			pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
			for (i = 0; i < node->count; i++)
				push_node(state, WJB_ELEM, node->items[i]);
			return pushJsonbValue(state, WJB_END_ARRAY, NULL);
		case JSON_OBJECT:
			pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
			for (i = 0; i < node->count; i++)
			{
				key.type = jbvString;
				key.val.string.val = unconstify(char *, node->items[i]->key);
				key.val.string.len = strlen(node->items[i]->key);
				pushJsonbValue(state, WJB_KEY, &key);
				push_node(state, WJB_VALUE, node->items[i]);
			}
			return pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	return pushJsonbValue(state, place, &value);
}

/* The tree as JSON text, for messages. */
char *
sigma_json_text(const JsonNode *node)
{
	Jsonb	   *document = sigma_json_write(node);

	return JsonbToCString(NULL, &document->root, VARSIZE(document));
}

/* "$.columns[2].type", in the caller's spelling; keys that are no words are quoted. */
char *
sigma_json_path(const JsonNode *node)
{
	StringInfoData buf;

	initStringInfo(&buf);
	append_path(&buf, node);
	return buf.data;
}

static void
append_path(StringInfo buf, const JsonNode *node)
{
	const char *c;

	check_stack_depth();
	if (node == NULL || node->origin == NULL)
	{
		appendStringInfoChar(buf, '$');
		return;
	}
	append_path(buf, node->origin);
	if (node->origin_index >= 0)
		appendStringInfo(buf, "[%d]", node->origin_index);
	else if (node->origin_key != NULL)
	{
		for (c = node->origin_key; *c != '\0'; c++)
			if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' ||
				  (*c >= '0' && *c <= '9' && c > node->origin_key)))
				break;
		appendStringInfoChar(buf, '.');
		if (*c == '\0' && c > node->origin_key)
			appendStringInfoString(buf, node->origin_key);
		else
			escape_json(buf, node->origin_key);
	}
}

/* What a person calls this kind of value. */
const char *
sigma_json_kind_name(const JsonNode *node)
{
	switch (node->kind)
	{
		case JSON_NULL:
			return "null";
		case JSON_BOOL:
			return "a boolean";
		case JSON_NUMBER:
			return "a number";
		case JSON_STRING:
			return "a string";
		case JSON_ARRAY:
			return "an array";
		case JSON_OBJECT:
			return "an object";
	}
	return "unknown";
}

/* A new empty node; its path is that of "origin". */
JsonNode *
sigma_json_new(JsonKind kind, const JsonNode *origin)
{
	JsonNode   *node = palloc0(sizeof(JsonNode));

	node->kind = kind;
	node->origin_index = -1;
	if (origin != NULL)
	{
		node->origin = origin->origin;
		node->origin_key = origin->origin_key;
		node->origin_index = origin->origin_index;
	}
	return node;
}

JsonNode *
sigma_json_new_string(const char *string, const JsonNode *origin)
{
	JsonNode   *node = sigma_json_new(JSON_STRING, origin);

	node->string = pstrdup(string);
	return node;
}

JsonNode *
sigma_json_new_bool(bool boolean, const JsonNode *origin)
{
	JsonNode   *node = sigma_json_new(JSON_BOOL, origin);

	node->boolean = boolean;
	return node;
}

JsonNode *
sigma_json_new_int(int64 number, const JsonNode *origin)
{
	JsonNode   *node = sigma_json_new(JSON_NUMBER, origin);

	node->number = int64_to_numeric(number);
	return node;
}

/* A deep copy, with the same paths. */
JsonNode *
sigma_json_copy(const JsonNode *node)
{
	JsonNode   *copy = palloc(sizeof(JsonNode));
	int			i;

	check_stack_depth();
	memcpy(copy, node, sizeof(JsonNode));
	if (node->string != NULL)
		copy->string = pstrdup(node->string);
	copy->items = NULL;
	copy->count = copy->capacity = 0;
	for (i = 0; i < node->count; i++)
	{
		reserve(copy);
		copy->items[copy->count++] = sigma_json_copy(node->items[i]);
	}
	return copy;
}

/* The member of that name, or NULL. */
JsonNode *
sigma_json_get(const JsonNode *object, const char *key)
{
	int			i = find(object, key);

	return i < 0 ? NULL : object->items[i];
}

/* Put a member, in the place of one of the same name if there is one. */
void
sigma_json_set(JsonNode *object, const char *key, JsonNode *value)
{
	int			i = find(object, key);

	Assert(object->kind == JSON_OBJECT);
	value->key = pstrdup(key);
	if (i < 0)
	{
		reserve(object);
		i = object->count++;
	}
	object->items[i] = value;
}

/* Put a member of which the caller knows that there is none of its name. */
void
sigma_json_add(JsonNode *object, const char *key, JsonNode *value)
{
	Assert(object->kind == JSON_OBJECT);
	reserve(object);
	value->key = pstrdup(key);
	object->items[object->count++] = value;
}

/* Take a member out.  Returns it, or NULL if there is none. */
JsonNode *
sigma_json_remove(JsonNode *object, const char *key)
{
	int			i = find(object, key);
	JsonNode   *node;

	if (i < 0)
		return NULL;
	node = object->items[i];
	memmove(&object->items[i], &object->items[i + 1],
			sizeof(JsonNode *) * (object->count - i - 1));
	object->count--;
	return node;
}

void
sigma_json_append(JsonNode *array, JsonNode *value)
{
	Assert(array->kind == JSON_ARRAY);
	reserve(array);
	value->key = NULL;
	array->items[array->count++] = value;
}

/* The same value, whatever the order of members. */
bool
sigma_json_equal(const JsonNode *a, const JsonNode *b)
{
	Jsonb	   *left = sigma_json_write(a);
	Jsonb	   *right = sigma_json_write(b);

	return compareJsonbContainers(&left->root, &right->root) == 0;
}

/* A string member; "absent" where it is missing, null or no string. */
char *
sigma_json_get_string(const JsonNode *object, const char *key, char *absent)
{
	JsonNode   *node = sigma_json_get(object, key);

	return node != NULL && node->kind == JSON_STRING ? node->string : absent;
}

/* A boolean member; "absent" where it is missing, null or no boolean. */
bool
sigma_json_get_bool(const JsonNode *object, const char *key, bool absent)
{
	JsonNode   *node = sigma_json_get(object, key);

	return node != NULL && node->kind == JSON_BOOL ? node->boolean : absent;
}

/* A whole-number member; "absent" where it is missing, null or no number; 22003 beyond bigint. */
int64
sigma_json_get_int(const JsonNode *object, const char *key, int64 absent)
{
	JsonNode   *node = sigma_json_get(object, key);

	if (node == NULL || node->kind != JSON_NUMBER)
		return absent;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(node->number)));
}

/* Index of a member, or -1. */
static int
find(const JsonNode *object, const char *key)
{
	int			i;

	if (object == NULL || object->kind != JSON_OBJECT)
		return -1;
	for (i = 0; i < object->count; i++)
		if (strcmp(object->items[i]->key, key) == 0)
			return i;
	return -1;
}

/* Room for one more item. */
static void
reserve(JsonNode *node)
{
	if (node->count < node->capacity)
		return;
	node->capacity = node->capacity == 0 ? 8 : node->capacity * 2;
	if (node->items == NULL)
		node->items = palloc(sizeof(JsonNode *) * node->capacity);
	else
		node->items = repalloc(node->items, sizeof(JsonNode *) * node->capacity);
}
