/*
 * document_fold.c
 *		Input tables and columns: what is more than renaming a key.
 *
 * Hooks of the tables in document_specs.c: foreign ways to say a rule become the
 * rule, system columns are left out, keys are checked against each other.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "common/document.h"
#include "common/document_hooks.h"
#include "common/document_specs.h"

#define MAX_COLUMNS		1500	/* PostgreSQL's 1600, less what sigma adds */

static void take_system_columns(JsonNode *columns);
static void split_type(JsonNode *column);
static void put_rule(JsonNode *column, const char *name, JsonNode *value);
static void put_flag(JsonNode *column, const char *name, bool set, JsonNode *origin);
static void check_column_names(JsonNode *table, JsonNode *columns, JsonNode *linked);
static void check_rule_names(JsonNode *table);
static void check_same_rules(JsonNode *column, JsonNode *rules);
static void only_of_type(JsonNode *table, const char *type, const char *wanted, const char *const *keys);

/* Columns that every table has, as clients list them. */
static const char *const system_columns[] = {
	"id", "created_at", "created_by", "updated_at", "updated_by", NULL
};

/* Columns that every relation of PostgreSQL has. */
static const char *const reserved_columns[] = {
	"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid", NULL
};

static const char *const csv_keys[] = {
	"csv_data", "encoding", "header", "delimiter", "max_size", "editable_after_upload", NULL
};
static const char *const linked_keys[] = {"source", "key_columns", "linked_columns", NULL};

/* Take a member out; NULL where it is absent or null. */
static JsonNode *
take(JsonNode *object, const char *key)
{
	JsonNode   *node = sigma_json_remove(object, key);

	return node == NULL || node->kind == JSON_NULL ? NULL : node;
}

/* Is this one of the names? */
static bool
is_one_of(const char *const *names, const char *name)
{
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* Before an input table's keys are read: system columns that the client lists are left out. */
void
sigma_begin_input_table(JsonNode *table, int flags)
{
	JsonNode   *columns;

	sigma_spec_alias(table, "augmentation_columns", "columns");
	columns = sigma_json_get(table, "columns");
	if (columns != NULL && columns->kind == JSON_ARRAY)
		take_system_columns(columns);
}

/* Remove the columns marked as system generated that are; others are left for their own check. */
static void
take_system_columns(JsonNode *columns)
{
	int			kept = 0;
	int			i;

	for (i = 0; i < columns->count; i++)
	{
		JsonNode   *column = columns->items[i];

		if (column->kind == JSON_OBJECT &&
			(sigma_json_get_bool(column, "system_generated", false) ||
			 sigma_json_get_bool(column, "systemGenerated", false)) &&
			is_one_of(system_columns, sigma_respell(sigma_json_get_string(column, "name", ""))))
			continue;
		columns->items[kept++] = column;
	}
	columns->count = kept;
}

/*
 * After an input table's keys are read: its type, which keys go with it, names
 * of columns, and rules that name them.
 */
void
sigma_finish_input_table(JsonNode *table, int flags)
{
	JsonNode   *columns = sigma_json_get(table, "columns");
	JsonNode   *editable = sigma_json_get(table, "editable_after_upload");
	char	   *type = sigma_json_get_string(table, "type", NULL);
	int			i;

	if (type == NULL && (flags & DOCUMENT_CHANGES) == 0)
	{
		type = sigma_json_get(table, "csv_data") != NULL ? "csv" : "empty";
		sigma_json_set(table, "type", sigma_json_new_string(type, table));
	}
	if (type != NULL)
	{
		only_of_type(table, type, "csv", csv_keys);
		only_of_type(table, type, "linked", linked_keys);
		if (strcmp(type, "linked") == 0 && (flags & DOCUMENT_CHANGES) == 0)
			for (i = 0; i < 2; i++)
				if (sigma_json_get(table, linked_keys[i]) == NULL)
					sigma_document_error(table, 0, NULL, "a linked input table needs \"%s\"", linked_keys[i]);
	}

	/* said of the file: it is each column's */
	if (columns != NULL && columns->kind == JSON_ARRAY && editable != NULL && editable->kind == JSON_BOOL)
	{
		for (i = 0; i < columns->count; i++)
			sigma_json_set(columns->items[i], "editable", sigma_json_new_bool(editable->boolean, editable));
		(void) sigma_json_remove(table, "editable_after_upload");
	}
	check_column_names(table, columns, sigma_json_get(table, "linked_columns"));
	/* an update may be about to rename */
	if (flags == 0)
		check_rule_names(table);
}

/* Raise SG400 where a table of another type has one of the keys. */
static void
only_of_type(JsonNode *table, const char *type, const char *wanted, const char *const *keys)
{
	if (strcmp(type, wanted) == 0)
		return;
	for (; *keys != NULL; keys++)
	{
		JsonNode   *node = sigma_json_get(table, *keys);

		if (node != NULL && node->kind != JSON_NULL)
			sigma_document_error(node, 0, psprintf("Only a table of type %s has it.", wanted),
								 "\"%s\" does not go with an input table of type %s", *keys, type);
	}
}

/* Raise SG400 where two columns have one name or one id, or there are too many. */
static void
check_column_names(JsonNode *table, JsonNode *columns, JsonNode *linked)
{
	JsonNode   *lists[2] = {columns, linked};
	JsonNode  **seen = palloc(sizeof(JsonNode *) * MAX_COLUMNS);
	int			count = 0;
	int			i;
	int			j;
	int			k;

	for (i = 0; i < 2; i++)
	{
		if (lists[i] == NULL || lists[i]->kind != JSON_ARRAY)
			continue;
		if (lists[i]->count > MAX_COLUMNS - count)
			sigma_document_error(lists[i], 0, NULL, "an input table can have at most %d columns", MAX_COLUMNS);
		for (j = 0; j < lists[i]->count; j++)
		{
			JsonNode   *column = lists[i]->items[j];
			JsonNode   *name = sigma_json_get(column, "name");
			char	   *id = sigma_json_get_string(column, "id", NULL);

			/* its name may be taken again */
			if (sigma_json_get_bool(column, "drop", false))
				continue;
			for (k = 0; k < count; k++)
			{
				if (strcmp(sigma_json_get_string(seen[k], "name", ""), name->string) == 0)
					sigma_document_error(name, 0, NULL, "column name \"%s\" is given twice", name->string);
				if (id != NULL && strcmp(sigma_json_get_string(seen[k], "id", ""), id) == 0)
					sigma_document_error(sigma_json_get(column, "id"), 0, NULL, "column id \"%s\" is given twice", id);
			}
			seen[count++] = column;
		}
	}
	pfree(seen);
}

/* The column of that name among "columns", or NULL. */
static JsonNode *
column_named(JsonNode *columns, const char *name)
{
	int			i;

	for (i = 0; columns != NULL && columns->kind == JSON_ARRAY && i < columns->count; i++)
		if (strcmp(sigma_json_get_string(columns->items[i], "name", ""), name) == 0)
			return columns->items[i];
	return NULL;
}

/* Raise SG400 about a rule for a column that there is not. */
static void
unknown_column(JsonNode *columns, JsonNode *where, const char *name)
{
	const char **names = palloc(sizeof(char *) * (columns->count + 1));
	int			i;

	for (i = 0; i < columns->count; i++)
		names[i] = sigma_json_get_string(columns->items[i], "name", "");
	names[i] = NULL;
	sigma_document_error(where, 0, sigma_hint_names(name, names), "there is no column \"%s\"", name);
}

/*
 * Raise SG400 where a rule names a column that is not there, or says something
 * else than the column itself.  Nothing is checked where columns are not part of
 * the document.
 */
static void
check_rule_names(JsonNode *table)
{
	JsonNode   *columns = sigma_json_get(table, "columns");
	JsonNode   *linked = sigma_json_get(table, "linked_columns");
	JsonNode   *rules = sigma_json_get(table, "validation_rules");
	JsonNode   *row_rules = sigma_json_get(table, "row_rules");
	int			i;
	int			j;

	if (columns == NULL || columns->kind != JSON_ARRAY)
		return;
	for (i = 0; rules != NULL && i < rules->count; i++)
	{
		JsonNode   *column = column_named(columns, rules->items[i]->key);

		if (column != NULL)
			check_same_rules(column, rules->items[i]);
		else if (column_named(linked, rules->items[i]->key) == NULL)
			unknown_column(columns, rules->items[i], rules->items[i]->key);
	}
	for (i = 0; row_rules != NULL && i < row_rules->count; i++)
	{
		JsonNode   *unique = sigma_json_get(row_rules->items[i], "unique");

		for (j = 0; unique != NULL && j < unique->count; j++)
			if (column_named(columns, unique->items[j]->string) == NULL &&
				column_named(linked, unique->items[j]->string) == NULL)
				unknown_column(columns, unique->items[j], unique->items[j]->string);
	}
}

/*
 * Raise SG400 where "rules" gives a key another value than the column does, by
 * itself or in its "validation".  All of them are in force, so none may be two.
 */
static void
check_same_rules(JsonNode *column, JsonNode *rules)
{
	JsonNode   *own = sigma_json_get(column, "validation");
	int			i;

	for (i = 0; i < rules->count; i++)
	{
		JsonNode   *rule = rules->items[i];
		JsonNode   *other = NULL;

		if (own != NULL && own != rules)
			other = sigma_json_get(own, rule->key);
		if (other == NULL && (strcmp(rule->key, "required") == 0 || strcmp(rule->key, "unique") == 0))
			other = sigma_json_get(column, rule->key);
		if (other != NULL && !sigma_json_equal(rule, other))
			sigma_document_error(rule, 0, psprintf("The other one is %s at %s.",
												   sigma_json_text(other), sigma_json_path(other)),
								 "rule \"%s\" of column \"%s\" has two values", rule->key,
								 sigma_json_get_string(column, "name", ""));
	}
}

/* Before a column's keys are read: foreign ways to say a rule become the rule. */
void
sigma_begin_column(JsonNode *column, int flags)
{
	static const WordPair moved[] = {
		{"length", "max_length"}, {"options", "values"}, {"choices", "values"},
		{"precision", "precision"}, {"scale", "scale"}, {NULL}
	};
	const WordPair *pair;
	JsonNode   *node = take(column, "system_generated");

	if (node != NULL)
	{
		sigma_spec_require(node, JSON_BOOL, "system_generated", "true or false");
		if (node->boolean)
			sigma_document_error(node, 0, "System columns are id, created_at, created_by, updated_at and updated_by; every input table has them.",
								 "column \"%s\" is not a system column", sigma_json_get_string(column, "name", ""));
	}
	split_type(column);
	for (pair = moved; pair->given != NULL; pair++)
	{
		node = take(column, pair->given);
		if (node != NULL)
			put_rule(column, pair->other, node);
	}

	node = take(column, "nullable");
	if (node != NULL)
	{
		sigma_spec_require(node, JSON_BOOL, "nullable", "true or false");
		put_flag(column, "required", !node->boolean, node);
	}
	node = take(column, "primary_key");
	if (node != NULL)
	{
		sigma_spec_require(node, JSON_BOOL, "primary_key", "true or false");
		if (node->boolean)
		{
			put_flag(column, "required", true, node);
			put_flag(column, "unique", true, node);
		}
	}
}

/* "varchar(100)" is varchar of length 100, "decimal(10,2)" decimal of that precision and scale. */
static void
split_type(JsonNode *column)
{
	static const char *const texts[] = {"varchar", "char", "string", "text", NULL};
	static const char *const numbers[] = {"decimal", "numeric", "number", NULL};
	JsonNode   *type = sigma_json_get(column, "type");
	int			first;
	int			second = -1;
	int			end = 0;
	char	   *open;
	char	   *word;
	char	   *c;

	if (type == NULL || type->kind != JSON_STRING || (open = strchr(type->string, '(')) == NULL)
		return;
	if (sscanf(open, " ( %5d )%n", &first, &end) != 1 || end == 0)
	{
		end = 0;
		if (sscanf(open, " ( %5d , %5d )%n", &first, &second, &end) != 2 || end == 0)
			return;
	}
	if (open[end] != '\0')
		return;
	word = pnstrdup(type->string, open - type->string);
	while (*word != '\0' && word[strlen(word) - 1] == ' ')
		word[strlen(word) - 1] = '\0';

	for (c = word; *c != '\0'; c++)
		*c = pg_ascii_tolower(*c);

	if (is_one_of(texts, word) && second < 0)
		put_rule(column, "max_length", sigma_json_new_int(first, type));
	else if (is_one_of(numbers, word))
	{
		put_rule(column, "precision", sigma_json_new_int(first, type));
		if (second >= 0)
			put_rule(column, "scale", sigma_json_new_int(second, type));
	}
	else
		return;
	type->string = word;
}

/* Put a rule into a column's "validation"; SG400 where that says something else. */
static void
put_rule(JsonNode *column, const char *name, JsonNode *value)
{
	JsonNode   *rules = sigma_json_get(column, "validation");
	JsonNode   *other;

	if (rules == NULL || rules->kind == JSON_NULL)
	{
		rules = sigma_json_new(JSON_OBJECT, column);
		sigma_json_set(column, "validation", rules);
	}
	sigma_spec_require(rules, JSON_OBJECT, "validation", "an object");
	sigma_spec_respell(rules);
	other = sigma_json_get(rules, name);
	if (other != NULL && !sigma_json_equal(other, value))
		sigma_document_error(value, 0, psprintf("The other one is %s at %s.",
												sigma_json_text(other), sigma_json_path(other)),
							 "rule \"%s\" has two values", name);
	sigma_json_set(rules, name, value);
}

/* Set a flag of a column; SG400 where it is given and says something else. */
static void
put_flag(JsonNode *column, const char *name, bool set, JsonNode *origin)
{
	JsonNode   *other = sigma_json_get(column, name);

	if (other != NULL && other->kind == JSON_BOOL && other->boolean != set)
		sigma_document_error(origin, 0, psprintf("The column says \"%s\": %s.", name, other->boolean ? "true" : "false"),
							 "\"%s\" contradicts \"%s\"", origin->origin_key, name);
	if (other == NULL || other->kind == JSON_NULL)
		sigma_json_set(column, name, sigma_json_new_bool(set, origin));
}

/* After a column's keys are read: it has a type, unless it may be one that is stored already. */
void
sigma_finish_column(JsonNode *column, int flags)
{
	JsonNode   *rules = sigma_json_get(column, "validation");

	if (flags == 0 && sigma_json_get(column, "type") == NULL)
		sigma_document_error(column, 0, sigma_hint_names("", sigma_column_type_names.names),
							 "a column needs \"type\"");
	if (rules != NULL && rules->kind == JSON_OBJECT)
	{
		static const char *const flagged[] = {"required", "unique"};
		int			i;

		for (i = 0; i < lengthof(flagged); i++)
		{
			JsonNode   *own = sigma_json_get(column, flagged[i]);
			JsonNode   *other = sigma_json_get(rules, flagged[i]);

			if (own != NULL && other != NULL && !sigma_json_equal(own, other))
				sigma_document_error(other, 0, psprintf("The other one is %s at %s.",
														sigma_json_text(own), sigma_json_path(own)),
									 "rule \"%s\" has two values", flagged[i]);
		}
	}
}

/* Before a linked column's keys are read: it is read-only, whatever a client says. */
void
sigma_begin_linked_column(JsonNode *column, int flags)
{
	static const char *const editable[] = {"is_editable", "editable"};
	int			i;

	for (i = 0; i < lengthof(editable); i++)
	{
		JsonNode   *node = take(column, editable[i]);

		if (node == NULL)
			continue;
		sigma_spec_require(node, JSON_BOOL, editable[i], "false");
		if (node->boolean)
			sigma_document_error(node, 0, "Columns that are entered go in \"columns\".",
								 "a linked column cannot be edited");
	}
}

/* After them: its name is the source's where it has none of its own. */
void
sigma_finish_linked_column(JsonNode *column, int flags)
{
	JsonNode   *source = sigma_json_get(column, "column");

	if (sigma_json_get(column, "name") == NULL)
		sigma_json_set(column, "name",
					   sigma_read_column_name(NULL, sigma_json_new_string(source->string, source), flags));
}

/* A linked column: a name, or {column, name}. */
JsonNode *
sigma_read_linked_column(const KeySpec *key, JsonNode *value, int flags)
{
	JsonNode   *column;

	if (value->kind != JSON_STRING)
		return sigma_spec_read(&sigma_linked_column_spec, value, flags);
	column = sigma_json_new(JSON_OBJECT, value);
	sigma_json_set(column, "column", value);
	return sigma_spec_read(&sigma_linked_column_spec, column, flags);
}

/* Raise SG400 unless a row rule is either a formula or unique columns. */
void
sigma_finish_row_rule(JsonNode *rule, int flags)
{
	bool		formula = sigma_json_get(rule, "formula") != NULL;
	JsonNode   *unique = sigma_json_get(rule, "unique");
	JsonNode   *ignore_case = sigma_json_get(rule, "ignore_case");
	int			i;
	int			j;

	if (formula == (unique != NULL))
		sigma_document_error(rule, 0, "A row rule is {\"formula\": ...} or {\"unique\": [columns]}.",
							 formula ? "a row rule cannot be both a formula and unique columns" :
							 "a row rule needs \"formula\" or \"unique\"");
	if (ignore_case != NULL && unique == NULL)
		sigma_document_error(ignore_case, 0, NULL, "\"ignore_case\" goes with \"unique\"");
	for (i = 0; unique != NULL && i < unique->count; i++)
		for (j = 0; j < i; j++)
			if (strcmp(unique->items[i]->string, unique->items[j]->string) == 0)
				sigma_document_error(unique->items[i], 0, NULL, "column \"%s\" is given twice",
									 unique->items[i]->string);
}

/* true, false or "ignore_case". */
JsonNode *
sigma_read_unique(const KeySpec *key, JsonNode *value, int flags)
{
	if (value->kind == JSON_BOOL)
		return value;
	if (value->kind == JSON_STRING && sigma_same_word(sigma_respell(value->string), "ignore_case"))
		return sigma_json_new_string("ignore_case", value);
	sigma_document_error(value, 0, NULL, "\"unique\" must be true, false or \"ignore_case\"");
}

/* A limit: a number, or a date as text.  Whether it fits the column is checked with it. */
JsonNode *
sigma_read_limit(const KeySpec *key, JsonNode *value, int flags)
{
	if (value->kind != JSON_NUMBER && value->kind != JSON_STRING)
		sigma_document_error(value, 0, NULL, "\"%s\" must be a number, or a date as a string, not %s",
							 key->name, sigma_json_kind_name(value));
	return value;
}

/* One allowed value: a scalar that is not null. */
JsonNode *
sigma_read_list_value(const KeySpec *key, JsonNode *value, int flags)
{
	if (value->kind != JSON_STRING && value->kind != JSON_NUMBER && value->kind != JSON_BOOL)
		sigma_document_error(value, 0, NULL, "an allowed value must be a string, a number or a boolean, not %s",
							 sigma_json_kind_name(value));
	return value;
}

/* A default: any value, or {formula}. */
JsonNode *
sigma_read_default(const KeySpec *key, JsonNode *value, int flags)
{
	JsonNode   *formula = sigma_json_get(value, "formula");

	if (formula != NULL && value->count == 1)
	{
		sigma_spec_require(formula, JSON_STRING, "formula", "a formula, as a string");
		(void) sigma_read_formula(formula);
	}
	return value;
}

/* A column's name, which is also the physical column's. */
JsonNode *
sigma_read_column_name(const KeySpec *key, JsonNode *value, int flags)
{
	sigma_spec_require(value, JSON_STRING, "name", "a string");
	if (value->string[strspn(value->string, " \t\r\n")] == '\0')
		sigma_document_error(value, 0, NULL, "a column's name must not be empty");
	if (strlen(value->string) >= NAMEDATALEN)
		sigma_document_error(value, 0, "Names of columns have at most 63 bytes.",
							 "column name \"%s\" is too long", value->string);
	if (pg_strncasecmp(value->string, "sigma_", 6) == 0)
		sigma_document_error(value, 0, "Names that begin with \"sigma_\" are reserved for system columns.",
							 "column name \"%s\" is reserved", value->string);
	if (is_one_of(reserved_columns, value->string))
		sigma_document_error(value, 0, "Every table of PostgreSQL has a column of that name.",
							 "column name \"%s\" is reserved", value->string);
	return value;
}
