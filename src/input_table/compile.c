/*
 * compile.c
 *		Rule documents to checks: the table, its columns, its rows.
 *
 * A column's rules stand in up to three places: "required" and "unique" of the
 * column, its "validation", and "validation_rules" of the table under its name.
 * All are in force; a rule that stands in two of them must say the same in both.
 * severity and message belong to the object that they stand in.  What each rule of a
 * column means is in compile_checks.c.
 *
 * Everything is allocated in the current memory context; nothing points into the
 * document.  What is wrong raises SG400 at its node.  The same code runs when a definition is stored and when it is compiled for use.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "utils/memutils.h"

#include "common/catalog.h"
#include "common/document.h"
#include "input_table/compile.h"
#include "input_table/computed.h"
#include "input_table/rules.h"

static const char *const rule_keys[] = {
	"required", "unique", "precision", "scale", "min", "max", "min_length", "max_length",
	"pattern", "format", "values", "values_from", "formula", "severity", "message", NULL
};

static int	compare_keys(const void *a, const void *b, void *columns);
static void compile_column(InputTable *table, int place, JsonNode *definition, JsonNode *node);
static void add_source(ColumnRules *rules, JsonNode *object, bool is_column);
static void read_tone(JsonNode *object, bool *warning, const char **message);
static void check_keys(JsonNode *object);
static void compile_row_rules(InputTable *table, JsonNode *rules);
static void compile_default(InputTable *table, ColumnRules *rules, JsonNode *node);
static void check_default(const TableColumn *column, JsonNode *node);

/*
 * Fill name, limits and columns of "table" from a canonical document.  Nothing
 * outside the document is looked at.
 */
void
sigma_rules_compile(InputTable *table, JsonNode *definition)
{
	JsonNode   *columns = sigma_json_get(definition, "columns");
	JsonNode   *rules = sigma_json_get(definition, "validation_rules");
	JsonNode   *row_rules = sigma_json_get(definition, "row_rules");
	int			i;

	table->name = pstrdup(sigma_json_get_string(definition, "name", unconstify(char *, table->id)));
	table->permission =
		strcmp(sigma_json_get_string(definition, "data_entry_permission", "draft"), "published") == 0 ?
		MODE_PUBLISHED : MODE_DRAFT;
	table->max_rows = sigma_json_get_int(definition, "max_rows", 0);
	table->allow_bulk = sigma_json_get_bool(definition, "allow_bulk_operations", true);

	/* the stored row may have been written past the triggers */
	if (columns != NULL && columns->kind != JSON_ARRAY)
		sigma_document_error(columns, 0, NULL, "\"columns\" must be an array, not %s", sigma_json_kind_name(columns));
	if (rules != NULL && rules->kind != JSON_NULL && rules->kind != JSON_OBJECT)
		sigma_document_error(rules, 0, NULL, "\"validation_rules\" must be an object, not %s", sigma_json_kind_name(rules));
	if (row_rules != NULL && row_rules->kind != JSON_NULL && row_rules->kind != JSON_ARRAY)
		sigma_document_error(row_rules, 0, NULL, "\"row_rules\" must be an array, not %s", sigma_json_kind_name(row_rules));

	table->columns = palloc0(sizeof(TableColumn) * (columns == NULL ? 1 : columns->count + 1));
	table->computed = palloc0(sizeof(char *) * (columns == NULL ? 1 : columns->count + 1));
	for (i = 0; columns != NULL && i < columns->count; i++)
		if (sigma_column_formula(columns->items[i]) == NULL)
			compile_column(table, table->ncolumn++, definition, columns->items[i]);
		else
			table->computed[table->ncomputed++] = pstrdup(sigma_json_get_string(columns->items[i], "name", ""));
	for (i = 0; rules != NULL && i < rules->count; i++)
	{
		int			j;

		for (j = 0; j < table->ncolumn; j++)
			if (strcmp(table->columns[j].name, rules->items[i]->key) == 0)
				break;
		if (j == table->ncolumn)
		{
			const char **names = palloc0(sizeof(char *) * (table->ncolumn + 1));

			for (j = 0; j < table->ncolumn; j++)
				names[j] = table->columns[j].name;
			if (sigma_table_is_computed(table, rules->items[i]->key))
				sigma_document_error(rules->items[i], 0, "Nobody enters it; a rule over it can stand in \"row_rules\".",
									 "column \"%s\" is computed", rules->items[i]->key);
			sigma_document_error(rules->items[i], 0, sigma_hint_names(rules->items[i]->key, names),
								 "there is no column \"%s\"", rules->items[i]->key);
		}
	}
	if (row_rules != NULL && row_rules->kind == JSON_ARRAY)
		compile_row_rules(table, row_rules);
	table->key_order = palloc(sizeof(int) * (table->ncolumn + 1));
	for (i = 0; i < table->ncolumn; i++)
		table->key_order[i] = i;
	qsort_arg(table->key_order, table->ncolumn, sizeof(int), compare_keys, table->columns);
}

/* For qsort_arg: the order of two columns' names as keys of a jsonb object, shorter ones first. */
static int
compare_keys(const void *a, const void *b, void *columns)
{
	const char *left = ((const TableColumn *) columns)[*(const int *) a].name;
	const char *right = ((const TableColumn *) columns)[*(const int *) b].name;
	size_t		left_length = strlen(left);
	size_t		right_length = strlen(right);

	return left_length != right_length ? (left_length < right_length ? -1 : 1) : memcmp(left, right, left_length);
}

/*
 * Raises SG400 at the node where a definition's rules do not hold together; see
 * input_table.h.  Leaves nothing behind.
 */
void
sigma_table_check_definition(JsonNode *definition)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma definition check",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	InputTable *table = palloc0(sizeof(InputTable));
	JsonNode   *columns = sigma_json_get(definition, "columns");
	TableColumn *column;
	int			i;

	table->cxt = cxt;
	table->id = sigma_json_get_string(definition, "id", "");
	sigma_rules_compile(table, definition);
	column = table->columns;
	for (i = 0; i < columns->count; i++)
		if (sigma_column_formula(columns->items[i]) == NULL)
		{
			if (column->has_default)
				check_default(column, sigma_json_get(columns->items[i], "default_value"));
			column++;
		}
	sigma_formula_rules_check(table, definition, sigma_catalog_restoring());
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
}

/* One column: its traits, its rules in the order of reporting, its default. */
static void
compile_column(InputTable *table, int place, JsonNode *definition, JsonNode *node)
{
	TableColumn *column = &table->columns[place];
	JsonNode   *table_rules = sigma_json_get(definition, "validation_rules");
	JsonNode   *own = sigma_json_get(node, "validation");
	ColumnRules rules = {column};
	ListCell   *cell;

	column->name = pstrdup(sigma_json_get_string(node, "name", ""));
	column->id = pstrdup(sigma_json_get_string(node, "id", ""));
	if (!sigma_column_type(sigma_json_get_string(node, "type", ""), &column->type))
		sigma_document_error(node, 0, NULL, "column \"%s\" has no known type", column->name);
	column->attnum = InvalidAttrNumber;
	column->editable = sigma_json_get_bool(node, "editable", true);
	column->is_protected = sigma_json_get_bool(node, "protected", false);
	table->any_protected = table->any_protected || column->is_protected;

	add_source(&rules, node, true);
	if (own != NULL && own->kind != JSON_NULL)
		add_source(&rules, own, false);
	if (table_rules != NULL && sigma_json_get(table_rules, column->name) != NULL)
		add_source(&rules, sigma_json_get(table_rules, column->name), false);

	sigma_rules_of_column(table, place, &rules);

	column->checks = palloc(sizeof(Check) * Max(list_length(rules.checks), 1));
	foreach(cell, rules.checks)
		column->checks[column->ncheck++] = *(Check *) lfirst(cell);
	compile_default(table, &rules, node);
}

/* Note one object that holds rules; severity and message are read here. */
static void
add_source(ColumnRules *rules, JsonNode *object, bool is_column)
{
	RuleSource *source = &rules->sources[rules->nsource++];

	source->object = object;
	source->warning = false;
	source->message = NULL;
	if (is_column)
		return;
	if (object->kind != JSON_OBJECT)
		sigma_document_error(object, 0, "A rule is an object like {\"required\": true, \"max\": 10}.",
							 "rules of column \"%s\" must be an object, not %s",
							 rules->column->name, sigma_json_kind_name(object));
	check_keys(object);
	read_tone(object, &source->warning, &source->message);
}

/* Severity and message of an object that holds rules. */
static void
read_tone(JsonNode *object, bool *warning, const char **message)
{
	char	   *severity = sigma_json_get_string(object, "severity", "error");

	if (strcmp(severity, "error") != 0 && strcmp(severity, "warn") != 0)
		sigma_document_error(sigma_json_get(object, "severity"), 0, "Known are error and warn.",
							 "unknown severity \"%s\"", severity);
	*warning = severity[0] == 'w';
	*message = sigma_json_get_string(object, "message", NULL);
}

/* SG400 for a key that no rule has. */
static void
check_keys(JsonNode *object)
{
	int			i;

	for (i = 0; i < object->count; i++)
	{
		const char *key = object->items[i]->key;
		int			j;

		for (j = 0; rule_keys[j] != NULL && strcmp(rule_keys[j], key) != 0; j++)
			;
		if (rule_keys[j] == NULL)
			sigma_document_error(object->items[i], 0, sigma_hint_names(key, rule_keys),
								 "unknown rule \"%s\"", key);
	}
}

/* Rules of the row as a whole, after those of all columns. */
static void
compile_row_rules(InputTable *table, JsonNode *rules)
{
	int			formulas = 0;
	int			keys = 0;
	int			i;

	for (i = 0; i < rules->count; i++)
	{
		JsonNode   *rule = rules->items[i];
		JsonNode   *formula = sigma_json_get(rule, "formula");
		bool		warning;
		const char *message;

		read_tone(rule, &warning, &message);
		if (formula == NULL || formula->kind == JSON_NULL)
			sigma_unique_row_rule_add(table, rule, ++keys, message, warning);
		else
			sigma_formula_rule_add(table, -1, ++formulas, formula, message, warning);
	}
}

/* The default as a value of the column, or as a formula; SG400 where it is neither. */
static void
compile_default(InputTable *table, ColumnRules *rules, JsonNode *node)
{
	TableColumn *column = rules->column;
	JsonNode   *given = sigma_json_get(node, "default_value");
	const char *why;

	if (given == NULL || given->kind == JSON_NULL)
		return;
	if (sigma_default_formula(given) != NULL)
	{
		column->default_formula = sigma_default_formula_new(table, column - table->columns, sigma_default_formula(given));
		return;
	}
	if (!sigma_rule_read_value(column->type, given, &column->default_value, &why))
		sigma_document_error(given, 0, NULL, "the default of column \"%s\" %s", column->name, why);
	column->has_default = true;
}

/* SG400 where a default breaks a rule of its own column. */
static void
check_default(const TableColumn *column, JsonNode *node)
{
	List	   *failures = NIL;
	ListCell   *cell;

	sigma_column_failures(column, column->default_value, false, &failures);
	foreach(cell, failures)
	{
		Failure    *failure = lfirst(cell);

		if (!failure->warning)
			sigma_document_error(node, 0, NULL, "the default of column \"%s\" breaks rule \"%s\": %s%s",
								 column->name, failure->rule, failure->own_message ? "" : "it ", failure->message);
	}
	if (column->unique && sigma_column_types[column->type].length == -1 &&
		toast_raw_datum_size(column->default_value) - VARHDRSZ > MAX_UNIQUE_BYTES)
		sigma_document_error(node, 0, NULL, "the default of column \"%s\" is too long for a unique column",
							 column->name);
}
