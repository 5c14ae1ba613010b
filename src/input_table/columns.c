/*
 * columns.c
 *		Columns have identity: which column of a new list is which stored one.
 *
 * Also the functions that change one column: they read the stored list, change
 * it, and update the definition with it.
 *
 * A list of columns replaces the stored list.  Its entries are matched by "id",
 * then by "renamed_from", then by name; an entry that says no type takes over
 * what the stored column says and it does not.  What the stored list has and the
 * new one leaves out is an error: only {"name": …, "drop": true} drops, so that
 * a forgotten column loses no data.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "common/argument.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "input_table/define.h"

#define RESERVED_PREFIX		"sigma_"
#define LONGEST_COLUMN_ID	64

PG_FUNCTION_INFO_V1(add_column);
PG_FUNCTION_INFO_V1(alter_column);
PG_FUNCTION_INFO_V1(rename_column);
PG_FUNCTION_INFO_V1(drop_column);

static JsonNode *stored_columns(const char *id);
static JsonNode *stored_column(JsonNode *columns, const char *name);
static JsonNode *change_columns(const char *id, JsonNode *columns, bool cascade, JsonNode *on_existing);
static JsonNode *find_by(JsonNode *columns, const char *key, const char *value);
static void check_name(const JsonNode *column);
static void check_distinct(JsonNode *columns);
static void give_id(JsonNode *column, JsonNode *columns);
static int	match(JsonNode *column, JsonNode *stored, const bool *claimed);
static int	place_of(JsonNode *columns, const char *key, const char *value);
static void refuse_forgotten(JsonNode *columns, JsonNode *stored, const bool *claimed);
static void inherit(JsonNode *column, const JsonNode *stored);
static const char **column_names(JsonNode *columns);
static void follow_rules(JsonNode *document, JsonNode *stored, bool rules_given);

/* add_column(table_id text, col jsonb, at_position int) → text: the new column's id. */
Datum
add_column(PG_FUNCTION_ARGS)
{
	char	   *id = sigma_text_argument(fcinfo, 0, "table_id");
	JsonNode   *columns = stored_columns(id);
	JsonNode   *column;
	JsonNode   *on_existing;
	int			place = PG_ARGISNULL(2) ? columns->count : PG_GETARG_INT32(2);

	sigma_require_argument(fcinfo, 1, "col");
	if (place < 0 || place > columns->count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no place %d among %d columns", place, columns->count),
				 errhint("Places are counted from 0.")));
	column = sigma_json_read(PG_GETARG_JSONB_P(1));
	on_existing = sigma_on_existing_take(column);
	column = sigma_document_normalise(DOCUMENT_COLUMN, column, 0);
	if (sigma_json_get(column, "renamed_from") != NULL || sigma_json_get(column, "drop") != NULL)
		sigma_document_error(column, 0, NULL, "a new column is neither renamed nor dropped");
	if (find_by(columns, "name", sigma_json_get_string(column, "name", "")) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("column \"%s\" of input table \"%s\" already exists",
						sigma_json_get_string(column, "name", ""), id)));
	give_id(column, columns);
	sigma_json_append(columns, column);
	memmove(&columns->items[place + 1], &columns->items[place],
			sizeof(JsonNode *) * (columns->count - 1 - place));
	columns->items[place] = column;
	(void) change_columns(id, columns, false, on_existing);
	PG_RETURN_TEXT_P(cstring_to_text(sigma_json_get_string(column, "id", "")));
}

/* alter_column(table_id text, column_name text, changes jsonb, cascade bool) → jsonb: as update_input_table. */
Datum
alter_column(PG_FUNCTION_ARGS)
{
	static const char *const elsewhere[] = {"id", "renamed_from", "drop", NULL};
	char	   *id = sigma_text_argument(fcinfo, 0, "table_id");
	char	   *name = sigma_text_argument(fcinfo, 1, "column_name");
	JsonNode   *columns = stored_columns(id);
	JsonNode   *column = stored_column(columns, name);
	JsonNode   *changes;
	JsonNode   *on_existing;
	int			i;

	sigma_require_argument(fcinfo, 2, "changes");
	changes = sigma_json_read(PG_GETARG_JSONB_P(2));
	on_existing = sigma_on_existing_take(changes);
	changes = sigma_document_normalise(DOCUMENT_COLUMN, changes, DOCUMENT_CHANGES);
	for (i = 0; elsewhere[i] != NULL; i++)
		if (sigma_json_get(changes, elsewhere[i]) != NULL)
			sigma_document_error(sigma_json_get(changes, elsewhere[i]), 0,
								 "Give \"name\" to rename it; sigma.drop_column drops it.",
								 "\"%s\" cannot be changed here", elsewhere[i]);
	for (i = 0; i < changes->count; i++)
		if (changes->items[i]->kind == JSON_NULL)
			(void) sigma_json_remove(column, changes->items[i]->key);
		else
			sigma_json_set(column, changes->items[i]->key, sigma_json_copy(changes->items[i]));
	PG_RETURN_JSONB_P(sigma_json_write(change_columns(id, columns, !PG_ARGISNULL(3) && PG_GETARG_BOOL(3), on_existing)));
}

/* rename_column(table_id text, column_name text, new_name text) → int: how many places elsewhere followed. */
Datum
rename_column(PG_FUNCTION_ARGS)
{
	char	   *id = sigma_text_argument(fcinfo, 0, "table_id");
	char	   *name = sigma_text_argument(fcinfo, 1, "column_name");
	char	   *new_name = sigma_text_argument(fcinfo, 2, "new_name");
	JsonNode   *columns = stored_columns(id);
	JsonNode   *column = stored_column(columns, name);
	JsonNode   *result;

	if (strcmp(name, new_name) != 0 && find_by(columns, "name", new_name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("column \"%s\" of input table \"%s\" already exists", new_name, id)));
	sigma_json_set(column, "name", sigma_json_new_string(new_name, NULL));
	result = change_columns(id, columns, false, NULL);
	PG_RETURN_INT32(sigma_json_get(result, "affected")->count);
}

/* drop_column(table_id text, column_name text, cascade bool) → bool: true. */
Datum
drop_column(PG_FUNCTION_ARGS)
{
	char	   *id = sigma_text_argument(fcinfo, 0, "table_id");
	char	   *name = sigma_text_argument(fcinfo, 1, "column_name");
	JsonNode   *columns = stored_columns(id);

	sigma_json_set(stored_column(columns, name), "drop", sigma_json_new_bool(true, NULL));
	(void) change_columns(id, columns, !PG_ARGISNULL(2) && PG_GETARG_BOOL(2), NULL);
	PG_RETURN_BOOL(true);
}

/*
 * The stored columns, read as the caller; the row is locked, so that two sessions
 * that change columns do so one after the other.  SG404 where there is no such table.
 */
static JsonNode *
stored_columns(const char *id)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(id);
	JsonNode   *columns = NULL;
	bool		found = false;

	SPI_connect();
	if (SPI_execute_with_args("SELECT columns FROM sigma.sigma_input_tables "
							  "WHERE id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE",
							  1, &type, &value, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read sigma.sigma_input_tables");
	if (SPI_processed > 0)
	{
		bool		isnull;
		Datum		stored = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		MemoryContext spi = MemoryContextSwitchTo(caller);

		found = true;
		if (!isnull)
			columns = sigma_json_read(DatumGetJsonbP(stored));
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	if (!found)
		sigma_catalog_not_found(DOCUMENT_INPUT_TABLE, id);
	if (columns == NULL || columns->kind != JSON_ARRAY)
		sigma_definition_not_whole(id);
	return columns;
}

/* The stored column of that name; 42703 where there is none. */
static JsonNode *
stored_column(JsonNode *columns, const char *name)
{
	JsonNode   *column = find_by(columns, "name", name);

	if (column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("there is no column \"%s\"", name),
				 errhint("%s", sigma_hint_names(name, column_names(columns)))));
	return column;
}

/* Update the definition with a list of columns; returns what update_input_table does. */
static JsonNode *
change_columns(const char *id, JsonNode *columns, bool cascade, JsonNode *on_existing)
{
	JsonNode   *changes = sigma_json_new(JSON_OBJECT, NULL);

	sigma_json_set(changes, "columns", columns);
	if (on_existing != NULL)
		sigma_json_set(changes, "on_existing", on_existing);
	return sigma_definition_change(id, changes, cascade);
}

/*
 * The columns of a definition that is inserted: names checked, ids given.
 * Raises SG400 at the entry that is wrong.
 */
void
sigma_columns_first(JsonNode *document)
{
	JsonNode   *columns = sigma_json_get(document, "columns");
	int			i;

	for (i = 0; i < columns->count; i++)
	{
		JsonNode   *column = columns->items[i];
		JsonNode   *wrong = sigma_json_get(column, "renamed_from");

		if (wrong == NULL && sigma_json_get_bool(column, "drop", false))
			wrong = sigma_json_get(column, "drop");
		if (wrong != NULL)
			sigma_document_error(wrong, 0, "The input table is new: list its columns as they shall be.",
								 "there is no column to change");
		(void) sigma_json_remove(column, "drop");
		check_name(column);
		give_id(column, columns);
	}
	check_distinct(columns);
}

/*
 * Resolve the columns of a definition that is updated against the stored
 * document: afterwards every entry has its id and is what shall be stored, and
 * validation rules are called by the new names ("rules_given": the update writes
 * validation_rules too, by whichever names).  Raises SG400 at the entry that is
 * wrong, or at the list where a stored column is missing from it.
 */
void
sigma_columns_resolve(JsonNode *document, JsonNode *stored, bool rules_given)
{
	JsonNode   *columns = sigma_json_get(document, "columns");
	JsonNode   *old = sigma_json_get(stored, "columns");
	JsonNode   *kept = sigma_json_new(JSON_ARRAY, columns);
	bool	   *claimed = palloc0(sizeof(bool) * old->count);
	int		   *place = palloc(sizeof(int) * columns->count);
	int			pass;
	int			i;

	/* ids claim first, then renames, then names: so that a and b can change names */
	for (i = 0; i < columns->count; i++)
		place[i] = -1;
	for (pass = 0; pass < 3; pass++)
		for (i = 0; i < columns->count; i++)
		{
			JsonNode   *column = columns->items[i];
			char	   *id = sigma_json_get_string(column, "id", NULL);
			char	   *from = sigma_json_get_string(column, "renamed_from", NULL);
			int			found = -1;

			if (place[i] >= 0)
				continue;
			if (pass == 0 && id != NULL)
				found = place_of(old, "id", id);
			else if (pass == 1 && from != NULL)
			{
				found = place_of(old, "name", from);
				if (found < 0)
					sigma_document_error(sigma_json_get(column, "renamed_from"), 0,
										 sigma_hint_names(from, column_names(old)),
										 "there is no column \"%s\"", from);
			}
			else if (pass == 2)
				found = match(column, old, claimed);
			if (found < 0)
				continue;
			if (claimed[found])
				sigma_document_error(column, 0, NULL, "column \"%s\" is listed twice",
									 sigma_json_get_string(old->items[found], "name", ""));
			claimed[found] = true;
			place[i] = found;
		}

	refuse_forgotten(columns, old, claimed);
	for (i = 0; i < columns->count; i++)
	{
		JsonNode   *column = columns->items[i];
		JsonNode   *drop = sigma_json_get(column, "drop");

		if (drop != NULL && drop->kind == JSON_BOOL && drop->boolean)
		{
			if (place[i] < 0)
				sigma_document_error(column, 0, sigma_hint_names(sigma_json_get_string(column, "name", ""), column_names(old)),
									 "there is no column \"%s\"", sigma_json_get_string(column, "name", ""));
			continue;
		}
		(void) sigma_json_remove(column, "drop");
		(void) sigma_json_remove(column, "renamed_from");
		if (place[i] >= 0)
			inherit(column, old->items[place[i]]);
		check_name(column);
		sigma_json_append(kept, column);
	}
	if (kept->count == 0)
		sigma_document_error(columns, 0, "Delete the input table instead.", "an input table needs a column");
	for (i = 0; i < kept->count; i++)
		give_id(kept->items[i], kept);
	check_distinct(kept);
	sigma_json_set(document, "columns", kept);
	follow_rules(document, stored, rules_given);
}

/* The entry whose member "key" is that text, or NULL. */
static JsonNode *
find_by(JsonNode *columns, const char *key, const char *value)
{
	int			i = place_of(columns, key, value);

	return i < 0 ? NULL : columns->items[i];
}

/* The place of that entry, or -1. */
static int
place_of(JsonNode *columns, const char *key, const char *value)
{
	int			i;

	for (i = 0; i < columns->count; i++)
	{
		char	   *given = sigma_json_get_string(columns->items[i], key, NULL);

		if (given != NULL && strcmp(given, value) == 0)
			return i;
	}
	return -1;
}

/* A column's name must be able to name a column: SG400 else. */
static void
check_name(const JsonNode *column)
{
	static const char *const taken[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid", NULL};
	const JsonNode *name = sigma_json_get(column, "name");
	int			i;

	if (name == NULL || name->kind != JSON_STRING || name->string[0] == '\0')
		sigma_document_error(name != NULL ? name : column, 0, NULL, "a column needs a name");
	if (strlen(name->string) >= NAMEDATALEN)
		sigma_document_error(name, 0, psprintf("Use at most %d bytes.", NAMEDATALEN - 1),
							 "column name \"%s\" is too long", name->string);
	if (pg_strncasecmp(name->string, RESERVED_PREFIX, strlen(RESERVED_PREFIX)) == 0)
		sigma_document_error(name, 0, "The prefix \"" RESERVED_PREFIX "\" belongs to the system columns.",
							 "column name \"%s\" is reserved", name->string);
	for (i = 0; taken[i] != NULL; i++)
		if (strcmp(name->string, taken[i]) == 0)
			sigma_document_error(name, 0, "Every PostgreSQL table has a system column of that name.",
								 "column name \"%s\" is reserved", name->string);
}

/* Names and ids are unique in a table: SG400 at the second. */
static void
check_distinct(JsonNode *columns)
{
	int			i;

	for (i = 0; i < columns->count; i++)
	{
		const char *name = sigma_json_get_string(columns->items[i], "name", "");
		const char *id = sigma_json_get_string(columns->items[i], "id", "");

		if (place_of(columns, "name", name) != i)
			sigma_document_error(sigma_json_get(columns->items[i], "name"), 0, NULL,
								 "there are two columns \"%s\"", name);
		if (place_of(columns, "id", id) != i)
			sigma_document_error(sigma_json_get(columns->items[i], "id"), 0, NULL,
								 "there are two columns with the id \"%s\"", id);
	}
}

/* An entry without an id gets one that no other has. */
static void
give_id(JsonNode *column, JsonNode *columns)
{
	JsonNode   *given = sigma_json_get(column, "id");
	char	   *id;

	if (given != NULL && given->kind == JSON_STRING)
	{
		if (given->string[0] == '\0' || strlen(given->string) > LONGEST_COLUMN_ID)
			sigma_document_error(given, 0, NULL, "a column id has 1 to %d characters", LONGEST_COLUMN_ID);
		return;
	}
	do
		id = sigma_new_column_id();
	while (find_by(columns, "id", id) != NULL);
	sigma_json_set(column, "id", sigma_json_new_string(id, column));
}

/* The unclaimed stored column of that name, or -1. */
static int
match(JsonNode *column, JsonNode *stored, const bool *claimed)
{
	int			found = place_of(stored, "name", sigma_json_get_string(column, "name", ""));

	return found >= 0 && claimed[found] ? -1 : found;
}

/* SG400 where a stored column is in no entry of the list. */
static void
refuse_forgotten(JsonNode *columns, JsonNode *stored, const bool *claimed)
{
	int			i;

	for (i = 0; i < stored->count; i++)
		if (!claimed[i])
		{
			JsonNode   *name = sigma_json_new_string(sigma_json_get_string(stored->items[i], "name", ""), NULL);

			sigma_document_error(columns, 0,
								 psprintf("List it too; {\"name\": %s, \"drop\": true} drops it, \"renamed_from\": %s renames it.",
										  sigma_json_text(name), sigma_json_text(name)),
								 "column \"%s\" is missing from the list", name->string);
		}
}

/* An entry takes its id from the stored column, and without a type of its own everything it does not say. */
static void
inherit(JsonNode *column, const JsonNode *stored)
{
	bool		whole = sigma_json_get(column, "type") == NULL;
	int			i;

	for (i = 0; i < stored->count; i++)
	{
		const char *key = stored->items[i]->key;
		JsonNode   *value;

		if (strcmp(key, "id") != 0 && !(whole && sigma_json_get(column, key) == NULL))
			continue;
		value = sigma_json_copy(stored->items[i]);
		value->origin = column;
		value->origin_key = key;
		value->origin_index = -1;
		sigma_json_set(column, key, value);
	}
}

/* The names of a list of columns, for a hint. */
static const char **
column_names(JsonNode *columns)
{
	const char **names = palloc(sizeof(char *) * (columns->count + 1));
	int			i;

	for (i = 0; i < columns->count; i++)
		names[i] = sigma_json_get_string(columns->items[i], "name", "");
	names[i] = NULL;
	return names;
}

/*
 * Call validation rules by the new names of their columns.  Rules that the update
 * did not write go with their column, also when it is dropped; rules that it
 * wrote may use the old names of columns that it renames.
 */
static void
follow_rules(JsonNode *document, JsonNode *stored, bool rules_given)
{
	JsonNode   *rules = sigma_json_get(document, "validation_rules");
	JsonNode   *columns = sigma_json_get(document, "columns");
	JsonNode   *old = sigma_json_get(stored, "columns");
	JsonNode   *renamed;
	int			i;

	if (rules == NULL || rules->kind != JSON_OBJECT)
		return;
	renamed = sigma_json_new(JSON_OBJECT, rules);
	for (i = 0; i < rules->count; i++)
	{
		const char *name = rules->items[i]->key;
		JsonNode   *before = find_by(old, "name", name);
		JsonNode   *after = before == NULL ? NULL : find_by(columns, "id", sigma_json_get_string(before, "id", ""));

		if (rules_given && (find_by(columns, "name", name) != NULL || after == NULL))
			after = NULL;
		else if (after == NULL && before != NULL)
			continue;
		else if (after != NULL)
			name = sigma_json_get_string(after, "name", "");
		if (sigma_json_get(renamed, name) != NULL)
			sigma_document_error(rules->items[i], 0, NULL, "column \"%s\" has rules under its old and its new name", name);
		sigma_json_set(renamed, name, rules->items[i]);
	}
	sigma_json_set(document, "validation_rules", renamed);
}
