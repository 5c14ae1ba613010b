/*
 * document.c
 *		The one reader of documents: spelling, aliases, defaults, checks, errors.
 *
 * The engine of sigma_document_normalise().  It works on a tree in place, from
 * constant tables: what the keys of an object are, what they are called
 * elsewhere, what their values must be.  Whatever is more than a renaming is done
 * by a hook that the tables name (document_fold.c, document_values.c).
 *
 * The canonical form is a fixed point, since triggers normalise what functions
 * have normalised before.  Everything is allocated in the current context; nodes
 * keep the place they had in the caller's document, for errors.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "common/text.h"
#include "common/document.h"
#include "common/document_specs.h"
#include "common/errors.h"
#include "compat.h"

/* The kinds of documents, as sigma.check_document names them. */
static const struct
{
	const char *name;
	DocumentKind kind;
}			kinds[] = {
	{"input_table", DOCUMENT_INPUT_TABLE},
	{"column", DOCUMENT_COLUMN},
	{"rule", DOCUMENT_RULE},
	{"layout_element", DOCUMENT_LAYOUT_ELEMENT},
	{"action", DOCUMENT_ACTION},
	{"action_sequence", DOCUMENT_SEQUENCE},
	{"trigger", DOCUMENT_TRIGGER},
	{"condition", DOCUMENT_CONDITION},
	{"value", DOCUMENT_VALUE},
	{"selector", DOCUMENT_SELECTOR},
	{"variable", DOCUMENT_VARIABLE},
	{"context", DOCUMENT_CONTEXT},
	{"element", DOCUMENT_LAYOUT_ELEMENT},
	{"sequence", DOCUMENT_SEQUENCE},
};

#define KINDS_SHOWN	12			/* the rest are shorter names of the same */

PG_FUNCTION_INFO_V1(check_document);

static const KeySpec *find_key(const ObjectSpec *spec, const KeySpec *const *tables, const char *name);
static bool read_member(const ObjectSpec *spec, const KeySpec *const *tables,
						JsonNode *object, int i, int flags);
static void complete(const char *noun, const KeySpec *keys, JsonNode *node, int flags);
static void unknown_key(const ObjectSpec *spec, const KeySpec *const *tables, JsonNode *member) pg_attribute_noreturn();
static bool is_default(const KeySpec *key, const JsonNode *value);
static bool is_about_formula(int sqlstate);
static void check_number(const KeySpec *key, JsonNode *value);
static void check_color(const KeySpec *key, const JsonNode *value);
static JsonNode *read_list(const char *noun, const KeySpec *key, JsonNode *value, int flags);
static JsonNode *read_map(const char *noun, const KeySpec *key, JsonNode *value, int flags);
static void respell_deep(JsonNode *node);

/*
 * sigma.check_document(kind text, doc jsonb): the canonical document, or SG400
 * with the path.  Touches nothing.
 */
Datum
check_document(PG_FUNCTION_ARGS)
{
	char	   *name;
	const char *names[KINDS_SHOWN + 1];
	JsonNode   *document;
	int			i;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the kind and the document must not be null")));
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	for (i = 0; i < lengthof(kinds); i++)
		if (sigma_same_word(sigma_respell(name), kinds[i].name))
		{
			document = sigma_json_read(PG_GETARG_JSONB_P(1));
			document = sigma_document_normalise(kinds[i].kind, document, 0);
			PG_RETURN_JSONB_P(sigma_json_write(document));
		}

	for (i = 0; i < KINDS_SHOWN; i++)
		names[i] = kinds[i].name;
	names[i] = NULL;
	ereport(ERROR,
			(errcode(ERRCODE_SIGMA_DOCUMENT),
			 errmsg("unknown kind of document \"%s\"", name),
			 errhint("%s", sigma_hint_names(name, names))));
}

/* See document.h. */
JsonNode *
sigma_document_normalise(DocumentKind kind, JsonNode *document, int flags)
{
	switch (kind)
	{
		case DOCUMENT_INPUT_TABLE:
			return sigma_spec_read(&sigma_input_table_spec, document, flags);
		case DOCUMENT_COLUMN:
			return sigma_spec_read(&sigma_column_spec, document, flags);
		case DOCUMENT_RULE:
			return sigma_spec_read(&sigma_rule_spec, document, flags);
		case DOCUMENT_LAYOUT_ELEMENT:
			return sigma_spec_read(&sigma_element_spec, document, flags);
		case DOCUMENT_ACTION:
			return sigma_spec_read(&sigma_action_spec, document, flags);
		case DOCUMENT_SEQUENCE:
			return sigma_spec_read(&sigma_sequence_spec, document, flags);
		case DOCUMENT_TRIGGER:
			return sigma_spec_read(&sigma_trigger_spec, document, flags);
		case DOCUMENT_CONDITION:
			return sigma_read_condition(NULL, document, flags);
		case DOCUMENT_VALUE:
			return sigma_read_value(document, false);
		case DOCUMENT_SELECTOR:
			return sigma_spec_read(&sigma_selector_spec, document, flags);
		case DOCUMENT_VARIABLE:
			return sigma_spec_read(&sigma_variable_spec, document, flags);
		case DOCUMENT_CONTEXT:
			return sigma_read_context(document);
	}
	elog(ERROR, "unknown kind of document %d", (int) kind);
}

/* What readers take for a key that is absent and has a fallback. */
JsonNode *
sigma_spec_fallback(const KeySpec *key)
{
	return sigma_json_read(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(key->fallback))));
}

/*
 * Bring an object into its canonical form, in place.  Nested documents are whole
 * ones even where the object itself holds changes.
 */
JsonNode *
sigma_spec_read(const ObjectSpec *spec, JsonNode *node, int flags)
{
	const KeySpec *const *tables = NULL;
	int			i;

	check_stack_depth();
	if (node->kind != JSON_OBJECT)
		sigma_document_error(node, 0, NULL, "%s must be an object, not %s",
							 spec->noun, sigma_json_kind_name(node));
	sigma_spec_respell(node);
	if (spec->before != NULL)
		spec->before(node, flags);
	if (spec->variant != NULL)
		tables = spec->variant(node);

	i = 0;
	while (i < node->count)
		if (read_member(spec, tables, node, i, flags))
			i++;

	if ((flags & DOCUMENT_CHANGES) == 0)
	{
		complete(spec->noun, spec->keys, node, flags);
		for (; tables != NULL && *tables != NULL; tables++)
			complete(spec->noun, *tables, node, flags);
	}
	if (spec->after != NULL)
		spec->after(node, flags);
	return node;
}

/* The same for an object whose tables the caller has chosen. */
void
sigma_spec_read_tables(const char *noun, const KeySpec *const *tables, JsonNode *node, int flags)
{
	ObjectSpec	spec = {0};
	int			i = 0;

	check_stack_depth();
	spec.noun = noun;
	sigma_spec_respell(node);
	while (i < node->count)
		if (read_member(&spec, tables, node, i, flags))
			i++;
	for (; (flags & DOCUMENT_CHANGES) == 0 && *tables != NULL; tables++)
		complete(noun, *tables, node, flags);
}

/*
 * Respell the keys of an object (N1): camelCase becomes snake_case.  Raises SG400
 * where both spellings of a key are there, or more keys than any object has.
 */
void
sigma_spec_respell(JsonNode *object)
{
	int			i;
	int			j;

	if (object->count > SPEC_MAX_KEYS)
		sigma_document_error(object, 0, NULL, "an object of %d keys; none here has more than %d",
							 object->count, SPEC_MAX_KEYS);
	for (i = 0; i < object->count; i++)
	{
		JsonNode   *member = object->items[i];
		char	   *spelled = sigma_respell(member->key);

		if (spelled == member->key)
			continue;
		for (j = 0; j < object->count; j++)
			if (j != i && strcmp(object->items[j]->key, spelled) == 0)
				sigma_document_error(member, 0, "They are two spellings of one key: leave one out.",
									 "both \"%s\" and \"%s\" are given",
									 member->origin_key != NULL ? member->origin_key : member->key,
									 object->items[j]->origin_key != NULL ? object->items[j]->origin_key : spelled);
		member->key = spelled;
	}
}

/* Give a member its canonical name; SG400 where the object has one of that name. */
void
sigma_spec_rename(JsonNode *object, JsonNode *member, const char *name)
{
	JsonNode   *other = sigma_json_get(object, name);

	if (other != NULL && other != member)
		sigma_document_error(member, 0, psprintf("Both mean \"%s\": leave one out.", name),
							 "both \"%s\" and \"%s\" are given",
							 member->origin_key != NULL ? member->origin_key : member->key,
							 other->origin_key != NULL ? other->origin_key : other->key);
	member->key = name;
}

/* For hooks that need a key before the tables are read: give an alias its canonical name. */
void
sigma_spec_alias(JsonNode *object, const char *given, const char *canonical)
{
	JsonNode   *member = sigma_json_get(object, given);

	if (member != NULL)
		sigma_spec_rename(object, member, canonical);
}

/* Raise SG400 unless a value is of that kind: '"grid" must be an object, not a string'. */
void
sigma_spec_require(const JsonNode *node, JsonKind kind, const char *name, const char *what)
{
	if (node->kind != kind)
		sigma_document_error(node, 0, NULL, "\"%s\" must be %s, not %s",
							 name, what, sigma_json_kind_name(node));
}

/* The row about a key, or NULL. */
static const KeySpec *
find_key(const ObjectSpec *spec, const KeySpec *const *tables, const char *name)
{
	const KeySpec *key;

	for (key = spec->keys; key != NULL && key->name != NULL; key++)
		if (key->name[0] == name[0] && strcmp(key->name, name) == 0)
			return key;
	for (; tables != NULL && *tables != NULL; tables++)
		for (key = *tables; key->name != NULL; key++)
			if (key->name[0] == name[0] && strcmp(key->name, name) == 0)
				return key;
	if (spec->keys != NULL)
		for (key = sigma_run_time_keys; key->name != NULL; key++)
			if (key->name[0] == name[0] && strcmp(key->name, name) == 0)
				return key;
	return NULL;
}

/*
 * Read the i-th member of an object: name and value.  Returns whether it is still
 * there; the next one has taken its place otherwise.
 */
static bool
read_member(const ObjectSpec *spec, const KeySpec *const *tables, JsonNode *object, int i, int flags)
{
	JsonNode   *member = object->items[i];
	const KeySpec *key = find_key(spec, tables, member->key);
	JsonNode   *value;
	int			nested = flags;

	if (key != NULL && key->type == SPEC_ALIAS)
	{
		sigma_spec_rename(object, member, key->other);
		key = find_key(spec, tables, key->other);
	}
	if (key == NULL)
	{
		/* settings of a type that is not known here: whoever writes the row checks them */
		if (spec->variant != NULL && tables == NULL && (flags & DOCUMENT_CHANGES) != 0)
			return true;
		unknown_key(spec, tables, member);
	}
	if (key->type == SPEC_REFUSED)
		sigma_document_error(member, 0, key->other, "unknown key \"%s\" of %s", member->key, spec->noun);

	if (key->type == SPEC_DROPPED ||
		(member->kind == JSON_NULL && (key->flags & KEY_NULL) == 0 && (flags & DOCUMENT_CHANGES) == 0))
	{
		(void) sigma_json_remove(object, member->key);
		return false;
	}
	if (member->kind == JSON_NULL && (key->flags & KEY_NULL) == 0)
	{
		/* changes: null takes the key away */
		if ((key->flags & KEY_REQUIRED) != 0)
			sigma_document_error(member, 0, NULL, "\"%s\" of %s cannot be unset", key->name, spec->noun);
		return true;
	}

	if ((flags & DOCUMENT_CHANGES) != 0)
		nested = (flags & ~DOCUMENT_CHANGES) | DOCUMENT_NESTED;
	value = sigma_spec_read_value(spec->noun, key, member, nested);
	if ((flags & DOCUMENT_CHANGES) == 0 && is_default(key, value) &&
		!(spec == &sigma_column_spec && sigma_json_get(object, "type") == NULL))
	{
		(void) sigma_json_remove(object, member->key);
		return false;
	}
	value->key = key->name;
	object->items[i] = value;
	return true;
}

/* Is this the value that is the same as none?  (A column without a type is matched with a stored one.) */
static bool
is_default(const KeySpec *key, const JsonNode *value)
{
	return value->kind == JSON_BOOL &&
		(key->flags & (value->boolean ? KEY_NO_TRUE : KEY_NO_FALSE)) != 0;
}

/* Keys of one table that are absent: raise SG400 where required, fill in. */
static void
complete(const char *noun, const KeySpec *keys, JsonNode *node, int flags)
{
	const KeySpec *key;

	for (key = keys; key != NULL && key->name != NULL; key++)
	{
		if ((key->flags & (KEY_REQUIRED | KEY_FILLED)) == 0 || sigma_json_get(node, key->name) != NULL)
			continue;
		if ((key->flags & KEY_REQUIRED) != 0)
			sigma_document_error(node, 0, key->description == NULL ? NULL :
								 psprintf("\"%s\" is %s.", key->name, key->description),
								 "%s needs \"%s\"", noun, key->name);
		sigma_json_set(node, key->name, sigma_json_new_string(key->other, node));
	}
}

/* Raise SG400 about a key that no table knows. */
static void
unknown_key(const ObjectSpec *spec, const KeySpec *const *tables, JsonNode *member)
{
	const KeySpec *key;
	const KeySpec *const *table;
	int			count = 0;
	const char **names;

	for (key = spec->keys; key != NULL && key->name != NULL; key++)
		count++;
	for (table = tables; table != NULL && *table != NULL; table++)
		for (key = *table; key->name != NULL; key++)
			count++;
	names = palloc(sizeof(char *) * (count + 1));
	count = 0;
	/* what the object's type has of its own first: likely the nearer */
	for (table = tables; table != NULL && *table != NULL; table++)
		for (key = *table; key->name != NULL; key++)
			if (key->type != SPEC_ALIAS && key->type != SPEC_DROPPED && key->type != SPEC_REFUSED)
				names[count++] = key->name;
	for (key = spec->keys; key != NULL && key->name != NULL; key++)
		if (key->type != SPEC_ALIAS && key->type != SPEC_DROPPED && key->type != SPEC_REFUSED)
			names[count++] = key->name;
	names[count] = NULL;
	sigma_document_error(member, 0, count == 0 ? "It takes none." : sigma_hint_names(member->key, names),
						 "unknown key \"%s\" of %s",
						 member->origin_key != NULL ? member->origin_key : member->key, spec->noun);
}

/* Bring one value into its canonical form; returns it or what takes its place. */
JsonNode *
sigma_spec_read_value(const char *noun, const KeySpec *key, JsonNode *value, int flags)
{
	const char *name = key->name != NULL ? key->name : value->origin_key != NULL ? value->origin_key : "value";

	switch (key->type)
	{
		case SPEC_TEXT:
		case SPEC_DYNAMIC:
			sigma_spec_require(value, JSON_STRING, name, "a string");
			return key->type == SPEC_DYNAMIC ? sigma_read_dynamic_text(value) : value;
		case SPEC_NAME:
		case SPEC_FORMULA:
			sigma_spec_require(value, JSON_STRING, name, key->type == SPEC_NAME ? "a string" : "a formula, as a string");
			if (value->string[strspn(value->string, " \t\r\n")] == '\0')
				sigma_document_error(value, 0, NULL, "\"%s\" must not be empty", name);
			return key->type == SPEC_NAME ? value : sigma_read_formula(value);
		case SPEC_COLOR:
			sigma_spec_require(value, JSON_STRING, name, "a string");
			check_color(key, value);
			return value;
		case SPEC_BOOL:
			sigma_spec_require(value, JSON_BOOL, name, "true or false");
			return value;
		case SPEC_INT:
		case SPEC_NUMBER:
			sigma_spec_require(value, JSON_NUMBER, name, key->type == SPEC_INT ? "a whole number" : "a number");
			check_number(key, value);
			return value;
		case SPEC_ENUM:
			return sigma_spec_enum(noun, name, key->names, value);
		case SPEC_ANY:
			return value;
		case SPEC_OPEN:
			sigma_spec_require(value, JSON_OBJECT, name, "an object");
			return value;
		case SPEC_SPELLED:
			sigma_spec_require(value, JSON_OBJECT, name, "an object");
			respell_deep(value);
			return value;
		case SPEC_NAME_OR_OBJECT:
			if (value->kind == JSON_STRING && value->string[0] != '\0')
				return value;
			if (value->kind != JSON_OBJECT)
				sigma_document_error(value, 0, NULL, "\"%s\" must be a name or an object, not %s", name,
									 value->kind == JSON_STRING ? "an empty string" : sigma_json_kind_name(value));
			return sigma_spec_read(key->object, value, flags);
		case SPEC_OBJECT:
			return sigma_spec_read(key->object, value, flags);
		case SPEC_LIST:
			return read_list(noun, key, value, flags);
		case SPEC_MAP:
			return read_map(noun, key, value, flags);
		case SPEC_VALUE:
		case SPEC_CELL:
			return sigma_read_value(value, key->type == SPEC_CELL);
		case SPEC_CUSTOM:
			return key->read(key, value, flags);
		case SPEC_ALIAS:
		case SPEC_DROPPED:
		case SPEC_REFUSED:
			break;
	}
	elog(ERROR, "key \"%s\" has no value to read", name);
}

/*
 * One of a list of words, in its canonical spelling.  SG400 with the word's own
 * hint, the nearest one or all of them where it is none.
 */
JsonNode *
sigma_spec_enum(const char *noun, const char *key, const EnumSpec *names, JsonNode *value)
{
	const char *spelled;
	const WordPair *pair;
	const char *hint = NULL;
	int			i;

	sigma_spec_require(value, JSON_STRING, key, "a string");
	for (i = 0; names->names[i] != NULL; i++)
		if (strcmp(names->names[i], value->string) == 0)
			return value;
	spelled = sigma_respell(value->string);
	for (i = 0; names->names[i] != NULL; i++)
		if (sigma_same_word(names->names[i], value->string) || sigma_same_word(names->names[i], spelled))
			return sigma_json_new_string(names->names[i], value);
	for (pair = names->aliases; pair != NULL && pair->given != NULL; pair++)
		if (sigma_same_word(pair->given, value->string) || sigma_same_word(pair->given, spelled))
			return sigma_json_new_string(pair->other, value);

	for (pair = names->hints; pair != NULL && pair->given != NULL; pair++)
		if (sigma_same_word(pair->given, value->string) || sigma_same_word(pair->given, spelled))
			hint = pair->other;
	if (hint == NULL)
		hint = sigma_hint_names(value->string, names->names);
	if (names->quoted)
		sigma_document_error(value, 0, hint, "unknown value \"%s\" for \"%s\" of %s", value->string, key, noun);
	sigma_document_error(value, 0, hint, "unknown %s \"%s\" of %s", key, value->string, noun);
}

/* Raise SG400 unless a number is whole, where it must be, and within its limits. */
static void
check_number(const KeySpec *key, JsonNode *value)
{
	Numeric		whole;
	bool		bounded = key->min != 0 || key->max != 0;

	if (key->type == SPEC_INT)
	{
		whole = DatumGetNumeric(DirectFunctionCall2(numeric_trunc, NumericGetDatum(value->number), Int32GetDatum(0)));
		if (DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(whole), NumericGetDatum(value->number))) != 0)
			sigma_document_error(value, 0, NULL, "\"%s\" must be a whole number", key->name);
		/* 1.0 is 1 */
		value->number = whole;
	}
	if (bounded &&
		(DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(value->number),
										   NumericGetDatum(int64_to_numeric(key->min)))) < 0 ||
		 DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(value->number),
										   NumericGetDatum(int64_to_numeric(key->max)))) > 0))
		sigma_document_error(value, 0, NULL, "\"%s\" must be from " INT64_FORMAT " to " INT64_FORMAT,
							 key->name, key->min, key->max);
}

/* Can a colour stand in a style: "#0af", "teal", "rgb(0 0 0 / 50%)"? */
bool
sigma_is_color(const char *text, int length)
{
	bool		is_code = length > 0 && text[0] == '#';
	const char *allowed = is_code ? "0123456789abcdefABCDEF" :
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789(),.%/ -";
	int			i;

	for (i = is_code ? 1 : 0; i < length; i++)
		if (text[i] == '\0' || strchr(allowed, text[i]) == NULL)
			return false;
	return is_code ? length == 4 || length == 5 || length == 7 || length == 9 : length > 0 && length <= 64;
}

/* Raise SG400 unless it is a colour. */
static void
check_color(const KeySpec *key, const JsonNode *value)
{
	if (sigma_is_color(value->string, strlen(value->string)))
		return;
	sigma_document_error(value, 0, "A colour is \"#rgb\", \"#rrggbb\" or a name such as \"teal\".",
						 "\"%s\" is not a colour: \"%s\"", key->name, value->string);
}

/* An array, its elements one by one; a single value where the key allows it. */
static JsonNode *
read_list(const char *noun, const KeySpec *key, JsonNode *value, int flags)
{
	int			i;

	if (value->kind != JSON_ARRAY && (key->flags & KEY_WRAP) != 0)
	{
		JsonNode   *list = sigma_json_new(JSON_ARRAY, value);

		list->key = value->key;
		sigma_json_append(list, value);
		value = list;
	}
	sigma_spec_require(value, JSON_ARRAY, key->name, "an array");
	if (value->count == 0 && (key->flags & KEY_NOT_EMPTY) != 0)
		sigma_document_error(value, 0, NULL, "\"%s\" must not be empty", key->name);
	for (i = 0; i < value->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		value->items[i] = sigma_spec_read_value(noun, key->of, value->items[i], flags);
		value->items[i]->key = NULL;
	}
	return value;
}

/* An object whose keys users name: the values alone are read. */
static JsonNode *
read_map(const char *noun, const KeySpec *key, JsonNode *value, int flags)
{
	int			i;

	sigma_spec_require(value, JSON_OBJECT, key->name != NULL ? key->name : "value", "an object");
	if (value->count == 0 && (key->flags & KEY_NOT_EMPTY) != 0)
		sigma_document_error(value, 0, NULL, "\"%s\" must not be empty", key->name);
	for (i = 0; i < value->count; i++)
	{
		const char *name = value->items[i]->key;

		CHECK_FOR_INTERRUPTS();
		value->items[i] = sigma_spec_read_value(noun, key->of, value->items[i], flags);
		value->items[i]->key = name;
	}
	return value;
}

/* Respell the keys of an object of any keys, and of those within it. */
static void
respell_deep(JsonNode *node)
{
	int			i;

	check_stack_depth();
	if (node->kind == JSON_OBJECT)
		sigma_spec_respell(node);
	for (i = 0; i < node->count; i++)
		respell_deep(node->items[i]);
}

/* What the listings call the type of a value. */
const char *
sigma_spec_type_name(const KeySpec *key)
{
	switch (key->type)
	{
		case SPEC_TEXT:
		case SPEC_NAME:
		case SPEC_COLOR:
		case SPEC_ENUM:
			return "text";
		case SPEC_DYNAMIC:
			return "dynamic text";
		case SPEC_FORMULA:
			return "formula";
		case SPEC_BOOL:
			return "boolean";
		case SPEC_INT:
			return "integer";
		case SPEC_NUMBER:
			return "number";
		case SPEC_LIST:
			return "array";
		case SPEC_OPEN:
		case SPEC_SPELLED:
		case SPEC_OBJECT:
		case SPEC_MAP:
			return "object";
		case SPEC_NAME_OR_OBJECT:
			return "name or object";
		case SPEC_VALUE:
		case SPEC_CELL:
			return "value";
		default:
			return key->value_type != NULL ? key->value_type : "any";
	}
}

/* See document.h. */
void
sigma_document_error(const JsonNode *where, int sqlstate, const char *hint, const char *message,...)
{
	char	   *buf;
	va_list		args;

	va_start(args, message);
	buf = sigma_text_format(message, args);
	va_end(args);
	ereport(ERROR,
			(errcode(sqlstate == 0 ? ERRCODE_SIGMA_DOCUMENT : sqlstate),
			 errmsg_internal("%s", buf),
			 errdetail_internal("%s", sigma_json_path(where)),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

/* See document.h. */
void
sigma_document_rethrow(const JsonNode *where, MemoryContext cxt)
{
	sigma_document_rethrow_at(NULL, where, cxt);
}

/* See document.h. */
void
sigma_document_rethrow_at(const char *path, const JsonNode *where, MemoryContext cxt)
{
	ErrorData  *error;

	MemoryContextSwitchTo(cxt);
	error = CopyErrorData();
	if (!is_about_formula(error->sqlerrcode))
		PG_RE_THROW();
	FlushErrorState();
	if (path == NULL)
		path = sigma_json_path(where);
	if (error->detail == NULL)
		error->detail = pstrdup(path);
	else if (strncmp(error->detail, path, strlen(path)) != 0)	/* else a part that knows its own place has said so */
		error->detail = psprintf("%s: %s", path, error->detail);
	ReThrowError(error);
}

/* Is it an error that reading, compiling or planning a formula raises? */
static bool
is_about_formula(int sqlstate)
{
	switch (ERRCODE_TO_CATEGORY(sqlstate))
	{
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INTERNAL_ERROR:
			return false;
		default:
			return true;
	}
}

/*
 * The place of the name that is most like the given one, or -1 where none is near: within half
 * of its letters, "strictly" a quarter, where names are many and what is meant may be none of them.
 */
int
sigma_nearest_name(const char *given, const char *const *names, bool strictly)
{
	int			nearest = -1;
	int			length = pg_mbcliplen(given, strlen(given), 255);
	int			best = Max(strictly && length < 4 ? 0 : 1, Min(4, length / (strictly ? 4 : 2)));
	int			i;

	for (i = 0; names[i] != NULL; i++)
	{
		int			distance;

		if (strlen(names[i]) > 255)
			continue;
		distance = varstr_levenshtein_less_equal(given, length, names[i], strlen(names[i]),
												 1, 1, 1, best, true);
		if (distance <= best && (nearest < 0 || distance < best))
		{
			nearest = i;
			best = distance;
		}
	}
	return nearest;
}

/* See document.h. */
char *
sigma_hint_names(const char *given, const char *const *names)
{
	int			nearest = sigma_nearest_name(given, names, false);
	StringInfoData buf;
	int			i;

	if (nearest >= 0)
		return psprintf("Perhaps you meant \"%s\".", names[nearest]);

	initStringInfo(&buf);
	for (i = 0; names[i] != NULL && i < 30; i++)
		appendStringInfo(&buf, "%s%s", i == 0 ? (names[1] == NULL ? "Known is " : "Known are ") :
						 names[i + 1] == NULL ? " and " : ", ", names[i]);
	if (i > 0)
		appendStringInfoString(&buf, names[i] == NULL ? "." : " and more.");
	return buf.data;
}
