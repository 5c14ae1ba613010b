/*
 * data_key.c
 *		Which members of "values" tell upsert_row which row is meant.
 *
 * The columns that "key" names, else those of the one unique rule among the values;
 * of a linked table the columns of its key.
 */
#include "postgres.h"

#include "action/data.h"
#include "common/errors.h"

static List *linked_key(Builder *builder, JsonNode *values, JsonNode *parameters);
static List *upsert_key(Builder *builder, JsonNode *values, JsonNode *parameters);
static List *only_key(Builder *builder, JsonNode *values);
static bool key_has(const UniqueKey *key, int column);

/* The members that make up the key, as a List of JsonNode; SG400 where none or several could. */
List *
sigma_data_key(Builder *builder, JsonNode *values, JsonNode *parameters)
{
	return builder->table->nlinked > 0 ? linked_key(builder, values, parameters) :
		upsert_key(builder, values, parameters);
}

/* The members of "values" that are a linked table's key: all of it must be there, and "key" may name nothing else. */
static List *
linked_key(Builder *builder, JsonNode *values, JsonNode *parameters)
{
	const InputTable *table = builder->table;
	JsonNode   *key = sigma_json_get(parameters, "key");
	List	   *found = NIL;
	int			i;

	for (i = table->ncolumn - table->nlinked; i < table->ncolumn; i++)
	{
		JsonNode   *value = sigma_json_get(values, table->columns[i].name);

		if (value == NULL)
			sigma_document_error(values, ERRCODE_SIGMA_LOCKED, "Name the row by its whole key: rows come from the source.",
								 "key column \"%s\" of linked input table \"%s\" is missing", table->columns[i].name, table->id);
		found = lappend(found, value);
	}
	if (values->count == list_length(found))
		sigma_document_error(values, 0, NULL, "\"values\" names no column beside the key");
	for (i = 0; key != NULL && key->kind == JSON_ARRAY && i < key->count; i++)
		if (key->items[i]->kind != JSON_STRING || !list_member_ptr(found, sigma_json_get(values, key->items[i]->string)))
			sigma_document_error(key->items[i], 0, "Leave \"key\" out: rows of a linked table are found by its key.",
								 "\"key\" names a column that is not the key of linked input table \"%s\"", table->id);
	return found;
}

/* The members of "values" that make up the key: those named in "key", else those of the one unique rule. */
static List *
upsert_key(Builder *builder, JsonNode *values, JsonNode *parameters)
{
	JsonNode   *key = sigma_json_get(parameters, "key");
	List	   *found = NIL;
	int			i;

	if (key == NULL || key->kind == JSON_NULL)
		return only_key(builder, values);
	if (key->kind != JSON_ARRAY || key->count == 0)
		sigma_document_error(key, 0, NULL, "\"key\" must be an array of at least one column");
	for (i = 0; i < key->count; i++)
	{
		JsonNode   *value;

		if (key->items[i]->kind != JSON_STRING)
			sigma_document_error(key->items[i], 0, NULL, "a column of \"key\" must be a string, not %s",
								 sigma_json_kind_name(key->items[i]));
		value = sigma_json_get(values, key->items[i]->string);
		if (value == NULL)
			sigma_document_error(key->items[i], 0, "A key column needs a value too.",
								 "\"values\" has no column \"%s\"", key->items[i]->string);
		found = lappend(found, value);
	}
	return found;
}

/* Without "key": the members for the one unique column among them, else for the columns of the one unique rule. */
static List *
only_key(Builder *builder, JsonNode *values)
{
	const InputTable *table = builder->table;
	List	   *found = NIL;
	int			several = 0;
	int			pass;
	int			i;
	int			j;

	for (pass = 0; pass < 2 && found == NIL; pass++)
		for (i = 0; i < table->nkey; i++)
		{
			List	   *members = NIL;

			if (pass != (table->keys[i].column < 0 ? 1 : 0))
				continue;
			for (j = 0; j < values->count; j++)
				if (key_has(&table->keys[i], sigma_data_column(builder, values->items[j]) - table->columns))
					members = lappend(members, values->items[j]);
			if (list_length(members) != table->keys[i].ncolumn)
				continue;
			found = members;
			several++;
		}
	if (several != 1)
		sigma_document_error(values, 0, "Name the columns to find the row by in \"key\".",
							 several == 0 ? "none of the values is for a unique column" :
							 "several of the values are for unique columns");
	return found;
}

/* Is that column a part of the key? */
static bool
key_has(const UniqueKey *key, int column)
{
	int			i;

	for (i = 0; i < key->ncolumn; i++)
		if (key->columns[i] == column)
			return true;
	return false;
}

/* Does a rule make just the columns of these members unique together, whatever the case of texts? */
bool
sigma_data_key_ignores_case(Builder *builder, List *members)
{
	const InputTable *table = builder->table;
	ListCell   *lc;
	int			i;

	for (i = 0; i < table->nkey; i++)
	{
		bool		same = table->keys[i].ignore_case && table->keys[i].ncolumn == list_length(members);

		foreach(lc, members)
			same = same && key_has(&table->keys[i], sigma_data_column(builder, lfirst(lc)) - table->columns);
		if (same)
			return true;
	}
	return false;
}
