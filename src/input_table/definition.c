/*
 * definition.c
 *		Definitions of input tables as structs: reading, comparing, reporting.
 *
 * Everything is allocated in the current memory context.
 */
#include "postgres.h"

#include "common/errors.h"
#include "input_table/computed.h"
#include "common/names.h"
#include "input_table/define.h"
#include "input_table/input_table.h"
#include "input_table/linked.h"

static void read_column(const TableDefinition *table, ColumnDefinition *column, JsonNode *node);
static void read_rules(ColumnDefinition *column, const JsonNode *rules);
static bool is_no_validation(const char *key, ColumnType type);
static void compare_columns(TableChange *change);
static ColumnChange *match_columns(const ColumnDefinition *before, int nbefore, const ColumnDefinition *after,
								   int nafter, int *count);
static bool alters(const ColumnChange *column);
static bool changes_rules(const TableChange *change, const ColumnChange *column);
static const JsonNode *named_rules(const TableDefinition *table, const char *name);
static bool is_reordered(const TableChange *change);
static void append_changed(JsonNode *paths, const char *prefix, const JsonNode *before, const JsonNode *after);
static char *member_path(const char *prefix, const char *key);
static JsonNode *report_retype(const ColumnChange *column);

/* A canonical document as a struct. */
TableDefinition *
sigma_definition_read(JsonNode *document)
{
	TableDefinition *table = palloc0(sizeof(TableDefinition));
	bool		linked = sigma_is_linked(document);
	const JsonNode *columns = sigma_json_get(linked ? sigma_linked_document(document) : document, "columns");
	int			i;

	table->document = document;
	table->id = sigma_json_get_string(document, "id", "");
	table->name = sigma_json_get_string(document, "name", unconstify(char *, table->id));
	table->relation = table->id[0] == '\0' ? "" : linked ? sigma_entry_table_name(table->id) : sigma_data_table_name(table->id);
	table->nkey = list_length(linked ? sigma_linked_keys(document) : NIL);
	table->max_rows = sigma_json_get_int(document, "max_rows", 0);
	sigma_governance_audit(document, &table->audit, &table->chained);
	table->allow_bulk = sigma_json_get_bool(document, "allow_bulk_operations", true);
	table->columns = palloc0(sizeof(ColumnDefinition) * (columns == NULL ? 1 : columns->count + 1));
	table->computed = palloc0(sizeof(ColumnDefinition) * (columns == NULL ? 1 : columns->count + 1));
	for (i = 0; columns != NULL && i < columns->count; i++)
	{
		ColumnDefinition *column = sigma_column_formula(columns->items[i]) == NULL ?
			&table->columns[table->ncolumn++] : &table->computed[table->ncomputed++];

		column->place = i;
		read_column(table, column, columns->items[i]);
	}
	sigma_unique_definitions(table);
	return table;
}

/* One column of a definition. */
static void
read_column(const TableDefinition *table, ColumnDefinition *column, JsonNode *node)
{
	const char *type = sigma_json_get_string(node, "type", "");

	column->node = node;
	column->id = sigma_json_get_string(node, "id", "");
	column->name = sigma_json_get_string(node, "name", "");
	if (!sigma_column_type(type, &column->type))
		sigma_document_error(sigma_json_get(node, "type") ? sigma_json_get(node, "type") : node, 0, NULL,
							 type[0] == '\0' ? "column \"%s\" needs a type" : "column \"%s\" has an unknown type",
							 column->name);
	column->is_protected = sigma_json_get_bool(node, "protected", false);
	column->default_value = sigma_json_get(node, "default_value");
	if (column->default_value != NULL && column->default_value->kind == JSON_NULL)
		column->default_value = NULL;
	read_rules(column, node);
	column->has_validation = false;
	read_rules(column, sigma_json_get(node, "validation"));
	read_rules(column, named_rules(table, column->name));
}

/* What an object of rules says about required and unique, and whether it says more than its type's own list. */
static void
read_rules(ColumnDefinition *column, const JsonNode *rules)
{
	const JsonNode *unique;
	int			i;

	if (rules == NULL || rules->kind != JSON_OBJECT)
		return;
	if (sigma_json_get_bool(rules, "required", false))
		column->required = true;
	unique = sigma_json_get(rules, "unique");
	if (unique != NULL && (unique->kind == JSON_STRING || (unique->kind == JSON_BOOL && unique->boolean)))
	{
		column->unique = true;
		column->ignore_case = unique->kind == JSON_STRING;
	}
	for (i = 0; i < rules->count; i++)
		if (rules->items[i]->kind != JSON_NULL && !is_no_validation(rules->items[i]->key, column->type))
			column->has_validation = true;
}

/* Keys beside which a column's type may change: a list type's own list, and what is no check of the value. */
static bool
is_no_validation(const char *key, ColumnType type)
{
	if (strcmp(key, "values") == 0)
		return type == COLUMN_DROPDOWN || type == COLUMN_MULTI_SELECT;
	return strcmp(key, "required") == 0 || strcmp(key, "unique") == 0 ||
		strcmp(key, "severity") == 0 || strcmp(key, "message") == 0;
}

/* Refuse what a document may say but this version does not do: 0A000 at the place. */
void
sigma_definition_refuse_unbuilt(JsonNode *document)
{
	static const char *const empty_only[] = {"source", "key_columns", "linked_columns", NULL};
	JsonNode   *node;
	int			i;

	for (i = 0; !sigma_is_linked(document) && empty_only[i] != NULL; i++)
		if ((node = sigma_json_get(document, empty_only[i])) != NULL && node->kind != JSON_NULL)
			sigma_document_error(node, 0, NULL, "\"%s\" belongs to linked input tables", empty_only[i]);
}

/* Is the edit log kept, and chained?  It is unless governance_config says otherwise. */
void
sigma_governance_audit(const JsonNode *document, bool *audit, bool *chained)
{
	const JsonNode *governance = sigma_json_get(document, "governance_config");

	if (governance != NULL && governance->kind != JSON_OBJECT)
		governance = NULL;
	*audit = governance == NULL || sigma_json_get_bool(governance, "audit", true);
	*chained = *audit && governance != NULL && sigma_json_get_bool(governance, "tamper_evident", false);
}

/* Raise 55000 for a stored row that only a writer past the triggers can have made, such as a replica's. */
void
sigma_definition_not_whole(const char *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the stored definition of input table \"%s\" is not whole", id),
			 errdetail("Its row in sigma.sigma_input_tables has no list of columns."),
			 errhint("Delete it with sigma.delete_input_table, which keeps its rows, and create it again.")));
}

/* The same value, or both absent? */
bool
sigma_definition_same(const JsonNode *a, const JsonNode *b)
{
	bool		no_a = a == NULL || a->kind == JSON_NULL;
	bool		no_b = b == NULL || b->kind == JSON_NULL;

	return no_a || no_b ? no_a && no_b : sigma_json_equal(a, b);
}

/* Does the column stay, with another type? */
bool
sigma_column_retyped(const ColumnChange *column)
{
	return column->before != NULL && column->after != NULL && column->before->type != column->after->type;
}

/* Is a column that was there gone, or of another type: what its users must be asked about? */
bool
sigma_column_lost(const ColumnChange *column)
{
	return column->before != NULL && (column->after == NULL || sigma_column_retyped(column));
}

/* Does it stay, under another name? */
bool
sigma_column_renamed(const ColumnChange *column)
{
	return column->before != NULL && column->after != NULL &&
		strcmp(column->before->name, column->after->name) != 0;
}

/* Fill a change from its two definitions: which columns are which, and what must be done. */
void
sigma_definition_compare(TableChange *change)
{
	static const char *const checked[] = {
		"columns", "validation_rules", "row_rules", "max_rows", "allow_bulk_operations", "data_entry_permission", "governance_config", NULL
	};
	const TableDefinition *before = change->before;
	const TableDefinition *after = change->after;
	int			i;

	compare_columns(change);
	change->rules = !sigma_definition_same(sigma_json_get(before->document, "row_rules"),
										   sigma_json_get(after->document, "row_rules"));
	for (i = 0; checked[i] != NULL; i++)
		if (!sigma_definition_same(sigma_json_get(before->document, checked[i]),
								   sigma_json_get(after->document, checked[i])))
			change->checks = true;
	change->alters = !sigma_data_table_same_triggers(before, after) ||
		sigma_unique_indexes_missing(before, after) || sigma_unique_indexes_missing(after, before);
	for (i = 0; i < change->ncomputed; i++)
		if (change->computed[i].before == NULL || change->computed[i].after == NULL ||
			!sigma_definition_same(change->computed[i].before->node, change->computed[i].after->node))
			change->rules = true;	/* of formulas that name it */
	for (i = 0; i < change->ncolumn; i++)
	{
		if (alters(&change->columns[i]))
			change->alters = true;
		if (changes_rules(change, &change->columns[i]))
			change->rules = true;
	}
}

/* The columns of both definitions, by identity. */
static void
compare_columns(TableChange *change)
{
	const TableDefinition *before = change->before;
	const TableDefinition *after = change->after;

	change->columns = match_columns(before->columns, before->ncolumn, after->columns, after->ncolumn,
									&change->ncolumn);
	change->computed = match_columns(before->computed, before->ncomputed, after->computed, after->ncomputed,
									 &change->ncomputed);
}

/* Columns by identity: those of "after" in their order, then the dropped ones. */
static ColumnChange *
match_columns(const ColumnDefinition *before, int nbefore, const ColumnDefinition *after, int nafter, int *count)
{
	ColumnChange *changes = palloc0(sizeof(ColumnChange) * (nbefore + nafter + 1));
	int			i;
	int			j;

	*count = nafter;
	for (i = 0; i < nafter; i++)
		changes[i].after = &after[i];
	for (i = 0; i < nbefore; i++)
	{
		for (j = 0; j < nafter; j++)
			if (strcmp(after[j].id, before[i].id) == 0)
				break;
		changes[j < nafter ? j : (*count)++].before = &before[i];
	}
	return changes;
}

/* All changes of columns one after the other, entered ones first; NULL after the last. */
ColumnChange *
sigma_change_column(const TableChange *change, int i)
{
	if (i < change->ncolumn)
		return &change->columns[i];
	i -= change->ncolumn;
	return i < change->ncomputed ? &change->computed[i] : NULL;
}

/* Must the data table's structure change for this column? */
static bool
alters(const ColumnChange *column)
{
	if (column->before == NULL || column->after == NULL)
		return true;
	return sigma_column_renamed(column) || sigma_column_retyped(column) ||
		!sigma_definition_same(column->before->default_value, column->after->default_value);
}

/* May rows that passed before fail now? */
static bool
changes_rules(const TableChange *change, const ColumnChange *column)
{
	if (column->after == NULL)
		return false;
	if (column->before == NULL)
		return column->after->required || column->after->has_validation;
	return column->before->required != column->after->required ||
		column->before->type != column->after->type ||
		!sigma_definition_same(sigma_json_get(column->before->node, "validation"),
							   sigma_json_get(column->after->node, "validation")) ||
		!sigma_definition_same(named_rules(change->before, column->before->name),
							   named_rules(change->after, column->after->name));
}

/* What validation_rules says of a column, or NULL. */
static const JsonNode *
named_rules(const TableDefinition *table, const char *name)
{
	return sigma_json_get(sigma_json_get(table->document, "validation_rules"), name);
}

/* The document that update_input_table returns. */
JsonNode *
sigma_definition_report(const TableChange *change, List *affected)
{
	JsonNode   *result = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *changed = sigma_json_new(JSON_ARRAY, NULL);
	JsonNode   *added = sigma_json_new(JSON_ARRAY, NULL);
	JsonNode   *renamed = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *dropped = sigma_json_new(JSON_ARRAY, NULL);
	JsonNode   *retyped = sigma_json_new(JSON_ARRAY, NULL);
	const ColumnChange *column;
	int			i;

	append_changed(changed, "$", change->before->document, change->after->document);
	if (is_reordered(change))
		sigma_json_append(changed, sigma_json_new_string("$.columns", NULL));
	for (i = 0; (column = sigma_change_column(change, i)) != NULL; i++)
	{
		if (column->before == NULL)
			sigma_json_append(added, sigma_json_new_string(column->after->name, NULL));
		else if (column->after == NULL)
			sigma_json_append(dropped, sigma_json_new_string(column->before->name, NULL));
		else
			append_changed(changed, psprintf("$.columns[%d]", column->after->place), column->before->node, column->after->node);
		if (sigma_column_renamed(column))
			sigma_json_set(renamed, column->before->name, sigma_json_new_string(column->after->name, NULL));
		if (sigma_column_retyped(column))
			sigma_json_append(retyped, report_retype(column));
	}
	sigma_json_set(result, "changed", changed);
	sigma_json_set(result, "added", added);
	sigma_json_set(result, "renamed", renamed);
	sigma_json_set(result, "dropped", dropped);
	sigma_json_set(result, "retyped", retyped);
	sigma_json_set(result, "affected", sigma_dependents_report(affected));
	return result;
}

/* Do columns that stay stand in another order? */
static bool
is_reordered(const TableChange *change)
{
	int			count = change->after->ncolumn + change->after->ncomputed;
	const ColumnDefinition **before = palloc0(sizeof(ColumnDefinition *) * (count + 1));
	const ColumnChange *column;
	int			last = -1;
	int			i;

	for (i = 0; (column = sigma_change_column(change, i)) != NULL; i++)
		if (column->after != NULL)
			before[column->after->place] = column->before;
	for (i = 0; i < count; i++)
	{
		if (before[i] != NULL && before[i]->place < last)
			return true;
		if (before[i] != NULL)
			last = before[i]->place;
	}
	return false;
}

/* The paths of members that differ; columns are compared one by one elsewhere. */
static void
append_changed(JsonNode *paths, const char *prefix, const JsonNode *before, const JsonNode *after)
{
	int			i;

	for (i = 0; i < after->count; i++)
	{
		const char *key = after->items[i]->key;
		const JsonNode *old = sigma_json_get(before, key);

		if (strcmp(key, "columns") == 0 || sigma_definition_same(old, after->items[i]))
			continue;
		if (strcmp(key, "validation_rules") == 0 && old != NULL && old->kind == JSON_OBJECT)
			append_changed(paths, member_path(prefix, key), old, after->items[i]);
		else
			sigma_json_append(paths, sigma_json_new_string(member_path(prefix, key), NULL));
	}
	for (i = 0; i < before->count; i++)
		if (before->items[i]->kind != JSON_NULL && sigma_json_get(after, before->items[i]->key) == NULL)
			sigma_json_append(paths, sigma_json_new_string(member_path(prefix, before->items[i]->key), NULL));
}

/* A member's path, as errors write it. */
static char *
member_path(const char *prefix, const char *key)
{
	JsonNode   *root = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *member = sigma_json_new(JSON_NULL, NULL);

	member->origin = root;
	member->origin_key = key;
	return psprintf("%s%s", prefix, sigma_json_path(member) + 1);
}

/* One retype: {column, from, to, converted, nulled}. */
static JsonNode *
report_retype(const ColumnChange *column)
{
	JsonNode   *entry = sigma_json_new(JSON_OBJECT, NULL);

	sigma_json_set(entry, "column", sigma_json_new_string(column->after->name, NULL));
	sigma_json_set(entry, "from", sigma_json_new_string(sigma_column_types[column->before->type].name, NULL));
	sigma_json_set(entry, "to", sigma_json_new_string(sigma_column_types[column->after->type].name, NULL));
	sigma_json_set(entry, "converted", sigma_json_new_int(column->converted, NULL));
	sigma_json_set(entry, "nulled", sigma_json_new_int(column->nulled, NULL));
	return entry;
}
