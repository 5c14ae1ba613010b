/*
 * document_listing.c
 *		sigma.element_types() and sigma.action_types(): what documents may hold, as rows.
 *
 * They read the tables that the reader of documents works from, so what is
 * listed is what is accepted.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "common/document_specs.h"

PG_FUNCTION_INFO_V1(element_types);
PG_FUNCTION_INFO_V1(action_types);

static char *search_argument(FunctionCallInfo fcinfo);
static bool found(const char *search, const char *text);
static bool is_listed(const KeySpec *key);
static void list_settings(ReturnSetInfo *result, const ElementType *type, const KeySpec *keys, const char *search);
static void list_parameters(ReturnSetInfo *result, const ActionType *type, const KeySpec *keys, const char *search);
static void put_text(Datum *values, bool *nulls, int i, const char *text);
static void put_json(Datum *values, bool *nulls, int i, const char *json);
static char *allowed_words(const KeySpec *key);

/*
 * sigma.element_types(search text) → table(type, setting, value_type, required,
 * default_value, allowed, description): one row for each setting of each type
 * where one of the names or the description contains the text.
 */
Datum
element_types(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *search = search_argument(fcinfo);
	const ElementType *type;
	const KeySpec *const *table;

	InitMaterializedSRF(fcinfo, 0);
	for (type = sigma_element_types; type->name != NULL; type++)
	{
		for (table = type->tables; *table != NULL; table++)
			list_settings(result, type, *table, search);
		list_settings(result, type, sigma_element_keys, search);
	}
	return (Datum) 0;
}

/*
 * sigma.action_types(search text) → table(type, subtype, parameter, value_type,
 * required, default_value, description): for each subtype one row of its own,
 * without a parameter, then one for each parameter.
 */
Datum
action_types(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *search = search_argument(fcinfo);
	const ActionType *type;
	const KeySpec *const *table;

	InitMaterializedSRF(fcinfo, 0);
	for (type = sigma_action_types; type->type != NULL; type++)
	{
		const KeySpec itself[] = {{NULL, SPEC_TEXT, type->description}, {NULL}};
		const KeySpec target[] = {
			{"target", type->target == TARGET_DYNAMIC ? SPEC_DYNAMIC : SPEC_NAME, "what it acts on",
			type->target == TARGET_OPTIONAL ? 0 : KEY_REQUIRED}, {NULL}
		};

		list_parameters(result, type, itself, search);
		if (type->target != TARGET_NONE)
			list_parameters(result, type, target, search);
		for (table = type->tables; *table != NULL; table++)
			list_parameters(result, type, *table, search);
	}
	return (Datum) 0;
}

/* The text to search for in lower case, NULL for everything. */
static char *
search_argument(FunctionCallInfo fcinfo)
{
	char	   *search;
	char	   *c;

	if (PG_ARGISNULL(0))
		return NULL;
	search = text_to_cstring(PG_GETARG_TEXT_PP(0));
	for (c = search; *c != '\0'; c++)
		*c = pg_ascii_tolower(*c);
	return search;
}

/* Does a text contain what is searched for? */
static bool
found(const char *search, const char *text)
{
	return search == NULL || (text != NULL && strstr(text, search) != NULL);
}

/* Is this row of a table a key, not an alias or a foreign word? */
static bool
is_listed(const KeySpec *key)
{
	return key->type != SPEC_ALIAS && key->type != SPEC_DROPPED && key->type != SPEC_REFUSED;
}

/* Rows for the settings of one table. */
static void
list_settings(ReturnSetInfo *result, const ElementType *type, const KeySpec *keys, const char *search)
{
	const KeySpec *key;

	for (key = keys; key->name != NULL; key++)
	{
		Datum		values[7] = {0};
		bool		nulls[7] = {0};

		if (!is_listed(key) ||
			!(found(search, type->name) || found(search, key->name) || found(search, key->description)))
			continue;
		put_text(values, nulls, 0, type->name);
		put_text(values, nulls, 1, key->name);
		put_text(values, nulls, 2, sigma_spec_type_name(key));
		values[3] = BoolGetDatum((key->flags & KEY_REQUIRED) != 0);
		put_json(values, nulls, 4, key->fallback);
		put_json(values, nulls, 5, allowed_words(key));
		put_text(values, nulls, 6, key->description);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* Rows for the parameters of one table; a key without a name is the action itself. */
static void
list_parameters(ReturnSetInfo *result, const ActionType *type, const KeySpec *keys, const char *search)
{
	const KeySpec *key;

	for (key = keys; key->name != NULL || key->description != NULL; key++)
	{
		Datum		values[7] = {0};
		bool		nulls[7] = {0};

		if (!is_listed(key) ||
			!(found(search, type->type) || found(search, type->subtype) ||
			  found(search, key->name) || found(search, key->description)))
			continue;
		put_text(values, nulls, 0, type->type);
		put_text(values, nulls, 1, type->subtype);
		put_text(values, nulls, 2, key->name);
		put_text(values, nulls, 3, key->name == NULL ? NULL : sigma_spec_type_name(key));
		values[4] = BoolGetDatum((key->flags & KEY_REQUIRED) != 0);
		nulls[4] = key->name == NULL;
		put_json(values, nulls, 5, key->fallback);
		put_text(values, nulls, 6, key->description);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* One column of a row: a text, or null. */
static void
put_text(Datum *values, bool *nulls, int i, const char *text)
{
	nulls[i] = text == NULL;
	values[i] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/* One column of a row: a document, or null. */
static void
put_json(Datum *values, bool *nulls, int i, const char *json)
{
	nulls[i] = json == NULL;
	values[i] = json == NULL ? (Datum) 0 : DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
}

/* The words or numbers a setting may be, as a JSON array; NULL where it is not a choice. */
static char *
allowed_words(const KeySpec *key)
{
	bool		numbers = key->value_type != NULL && strcmp(key->value_type, "integer") == 0;
	StringInfoData buf;
	int			i;

	if (key->names == NULL)
		return NULL;
	initStringInfo(&buf);
	for (i = 0; key->names->names[i] != NULL; i++)
		appendStringInfo(&buf, numbers ? "%s%s" : "%s\"%s\"", i == 0 ? "[" : ", ", key->names->names[i]);
	appendStringInfoChar(&buf, ']');
	return buf.data;
}
