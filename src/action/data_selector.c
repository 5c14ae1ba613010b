/*
 * data_selector.c
 *		Which rows a step reaches: selectors as WHERE clauses.
 *
 * Values are compared as their column's type, by the operators of pg_catalog.
 * What is null at run time matches no row; {"match": {"column": null}} in the
 * document asks for the rows without a value.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "action/data.h"
#include "common/errors.h"
#include "common/names.h"

/* An operator of "match". */
typedef struct MatchOperator
{
	const char *name;
	const char *sql;			/* %s: column, $: parameter */
	ParameterKind kind;
	bool		text_only;
} MatchOperator;

static const MatchOperator operators[] = {
	{"=", "%s OPERATOR(pg_catalog.=) ANY ($)", PARAMETER_LIST, false},
	/* an empty list differs from everything, but it stands for null */
	{"!=", "(%s OPERATOR(pg_catalog.<>) ALL ($) AND pg_catalog.cardinality($) OPERATOR(pg_catalog.>) 0)", PARAMETER_LIST, false},
	{">", "%s OPERATOR(pg_catalog.>) $", PARAMETER_VALUE, false},
	{">=", "%s OPERATOR(pg_catalog.>=) $", PARAMETER_VALUE, false},
	{"<", "%s OPERATOR(pg_catalog.<) $", PARAMETER_VALUE, false},
	{"<=", "%s OPERATOR(pg_catalog.<=) $", PARAMETER_VALUE, false},
	{"in", "%s OPERATOR(pg_catalog.=) ANY ($)", PARAMETER_LIST, false},
	{"contains", "pg_catalog.strpos(%s, $) OPERATOR(pg_catalog.>) 0", PARAMETER_VALUE, true},
	{"starts_with", "pg_catalog.starts_with(%s, $)", PARAMETER_VALUE, true},
	{"ends_with", "pg_catalog.right(%s, pg_catalog.length($)) OPERATOR(pg_catalog.=) $", PARAMETER_VALUE, true},
	{"between", NULL, PARAMETER_VALUE, false},
	{"is_null", "%s IS NULL", PARAMETER_VALUE, false},
	{"is_not_null", "%s IS NOT NULL", PARAMETER_VALUE, false},
};

static void append_linked_rows(Builder *builder, ParameterKind kind, JsonNode *node);
static void find_key_column(Builder *builder, int key, SelectorColumn *column);
static void append_equalities(Builder *builder, JsonNode *columns);
static void append_match(Builder *builder, JsonNode *columns);
static void append_comparison(Builder *builder, const SelectorColumn *column, JsonNode *node);
static void append_operator(Builder *builder, const SelectorColumn *column,
							const MatchOperator *operator, JsonNode *node, JsonNode *value);

/* " WHERE ..." and, where only one row may match, " RETURNING ..." */
void
sigma_selector_append(Builder *builder, JsonNode *parameters, bool one_row)
{
	JsonNode   *selector = sigma_json_get(parameters, "selector");
	JsonNode   *node = selector->items[0];
	ParameterKind kind;

	appendStringInfoString(&builder->sql, " WHERE ");
	if (strcmp(node->key, "key") == 0)
		append_equalities(builder, node);
	else if (strcmp(node->key, "match") == 0)
		append_match(builder, node);
	else if (strcmp(node->key, "formula") == 0)
		sigma_row_formula_append(builder, node);
	else
	{
		if (strcmp(node->key, "row_id") == 0)
			kind = PARAMETER_LIST;
		else if (strcmp(node->key, "selection") == 0)
			kind = PARAMETER_SELECTION;
		else if (strcmp(node->key, "current_row") == 0)
			kind = PARAMETER_CURRENT_ROW;
		else
			sigma_document_error(node, 0, "Known are row_id, key, match, formula, current_row and selection.",
								 "unknown selector \"%s\"", node->key);
		if (kind != PARAMETER_LIST && !(node->kind == JSON_BOOL && node->boolean))
			sigma_document_error(node, 0, NULL, "\"%s\" must be true", node->key);
		if (builder->table->nlinked > 0)
			append_linked_rows(builder, kind, node);
		else
			appendStringInfo(&builder->sql, "t.sigma_row_id OPERATOR(pg_catalog.=) ANY ($%d)",
							 sigma_data_parameter(builder, kind, "sigma_row_id", COLUMN_INTEGER, node));
	}
	if (one_row)
		appendStringInfo(&builder->sql, " RETURNING %s", builder->table->nlinked > 0 ? "1" : "t.sigma_row_id");
}

/* Selected rows of a linked table, which say by their keys which they are; SG400 for row ids. */
static void
append_linked_rows(Builder *builder, ParameterKind kind, JsonNode *node)
{
	const InputTable *table = builder->table;
	StringInfoData values;
	StringInfoData names;
	StringInfoData same;
	int			i;

	if (kind == PARAMETER_LIST)
		sigma_document_error(node, 0, "Name them by \"key\".", "rows of linked input table \"%s\" have no id", table->id);
	initStringInfo(&values);
	initStringInfo(&names);
	initStringInfo(&same);
	for (i = 0; i < table->nlinked; i++)
	{
		SelectorColumn column;
		int			number;

		find_key_column(builder, i, &column);
		number = sigma_data_parameter(builder, kind, column.name, column.type, node);
		if (table->nlinked == 1)
		{
			appendStringInfo(&builder->sql, "%s OPERATOR(pg_catalog.=) ANY ($%d%s%s)", column.source, number, column.cast,
							 column.cast[0] == '\0' ? "" : "[]");
			return;
		}
		appendStringInfo(&values, "%spg_catalog.unnest($%d)", i > 0 ? ", " : "", number);
		appendStringInfo(&names, "%sk%d", i > 0 ? ", " : "", i);
		appendStringInfo(&same, "%s%s OPERATOR(pg_catalog.=) k.k%d%s", i > 0 ? " AND " : "", column.source, i, column.cast);
	}
	appendStringInfo(&builder->sql, "EXISTS (SELECT FROM ROWS FROM (%s) AS k (%s) WHERE %s)", values.data,
					 names.data, same.data);
}

/* {column: value}, all equal. */
static void
append_equalities(Builder *builder, JsonNode *columns)
{
	int			i;

	if (columns->count == 0)
		sigma_document_error(columns, 0, NULL, "the selector names no column");
	for (i = 0; i < columns->count; i++)
	{
		SelectorColumn column;

		sigma_selector_column(builder, columns->items[i], &column);
		appendStringInfo(&builder->sql, "%s%s OPERATOR(pg_catalog.=) $%d%s", i == 0 ? "" : " AND ",
						 column.source != NULL ? column.source : column.expression,
						 sigma_data_parameter(builder, PARAMETER_VALUE, column.name, column.type, columns->items[i]),
						 column.source != NULL ? column.cast : "");
	}
}

/* {column: value | {op, value}}, all of them. */
static void
append_match(Builder *builder, JsonNode *columns)
{
	int			i;

	if (columns->count == 0)
		sigma_document_error(columns, 0, "To reach every row, match sigma_row_id with \"is_not_null\".",
							 "the selector names no column");
	for (i = 0; i < columns->count; i++)
	{
		SelectorColumn column;

		sigma_selector_column(builder, columns->items[i], &column);
		if (i > 0)
			appendStringInfoString(&builder->sql, " AND ");
		append_comparison(builder, &column, columns->items[i]);
	}
}

/* One member of "match". */
static void
append_comparison(Builder *builder, const SelectorColumn *column, JsonNode *node)
{
	const char *names[lengthof(operators) + 1];
	const char *op = "=";
	JsonNode   *value = node;
	JsonNode   *op_node = NULL;
	int			i;

	/* as the reader of documents tells it: nothing but "op" and "value" */
	op_node = sigma_json_get(node, "op");
	if (op_node != NULL && node->count == (sigma_json_get(node, "value") != NULL ? 2 : 1))
	{
		op = op_node->kind == JSON_STRING ? op_node->string : "";
		value = sigma_json_get(node, "value");
	}
	if (value != NULL && value->kind == JSON_NULL && (strcmp(op, "=") == 0 || strcmp(op, "!=") == 0))
	{
		appendStringInfo(&builder->sql, "%s IS %sNULL", column->expression, op[0] == '!' ? "NOT " : "");
		return;
	}
	for (i = 0; i < lengthof(operators); i++)
	{
		names[i] = operators[i].name;
		if (strcmp(op, operators[i].name) == 0)
		{
			append_operator(builder, column, &operators[i], node, value);
			return;
		}
	}
	names[i] = NULL;
	sigma_document_error(op_node, 0, sigma_hint_names(op, names), "unknown operator \"%s\"", op);
}

/* One comparison, from the operator's template. */
static void
append_operator(Builder *builder, const SelectorColumn *column, const MatchOperator *operator,
				JsonNode *node, JsonNode *value)
{
	bool		is_list = column->type == COLUMN_MULTI_SELECT;
	bool		is_document = column->type == COLUMN_JSON || column->type == COLUMN_FILE;
	bool		unary = strncmp(operator->name, "is_", 3) == 0;
	ParameterKind kind = operator->kind;
	const char *template = operator->sql;
	const char *c;
	int			number = 0;

	if (!unary && value == NULL)
		sigma_document_error(node, 0, NULL, "operator \"%s\" needs a \"value\"", operator->name);
	if (unary && value != NULL)
		sigma_document_error(value, 0, NULL, "operator \"%s\" takes no \"value\"", operator->name);
	if (operator->text_only && is_list && strcmp(operator->name, "contains") == 0)
		template = "$ OPERATOR(pg_catalog.=) ANY (%s)";
	else if (operator->text_only && column->type != COLUMN_TEXT && column->type != COLUMN_DROPDOWN)
		sigma_document_error(node, 0, NULL, "operator \"%s\" is for text, and column \"%s\" is %s",
							 operator->name, column->name, sigma_column_types[column->type].name);
	if (kind == PARAMETER_LIST && (is_list || is_document))
	{
		/* their values are arrays themselves: compared as a whole */
		if (strcmp(operator->name, "in") == 0)
			sigma_document_error(node, 0, NULL, "operator \"in\" is not for a column of type %s",
								 sigma_column_types[column->type].name);
		kind = PARAMETER_VALUE;
		template = operator->name[0] == '=' ? "%s OPERATOR(pg_catalog.=) $" : "%s OPERATOR(pg_catalog.<>) $";
	}
	if (template == NULL)
	{
		if (value->kind != JSON_ARRAY || value->count != 2)
			sigma_document_error(value, 0, NULL, "\"between\" needs an array of two values");
		appendStringInfo(&builder->sql, "%s OPERATOR(pg_catalog.>=) $%d AND %s OPERATOR(pg_catalog.<=) $%d",
						 column->expression,
						 sigma_data_parameter(builder, kind, column->name, column->type, value->items[0]),
						 column->expression,
						 sigma_data_parameter(builder, kind, column->name, column->type, value->items[1]));
		return;
	}
	if (kind == PARAMETER_LIST && column->source != NULL && operator->name[0] != '!')
	{
		appendStringInfo(&builder->sql, "%s OPERATOR(pg_catalog.=) ANY ($%d%s%s)", column->source,
						 sigma_data_parameter(builder, kind, column->name, column->type, value), column->cast,
						 column->cast[0] == '\0' ? "" : "[]");
		return;
	}
	if (!unary)
		number = sigma_data_parameter(builder, kind, column->name,
							   is_list && operator->text_only ? COLUMN_TEXT : column->type, value);
	for (c = template; *c != '\0'; c++)
	{
		if (*c == '$')
			appendStringInfo(&builder->sql, "$%d", number);
		else if (*c == '%')
		{
			appendStringInfoString(&builder->sql, column->expression);
			c++;
		}
		else
			appendStringInfoChar(&builder->sql, *c);
	}
}

/* The column that a member of "match" or "key" compares; 42703. */
void
sigma_selector_column(Builder *builder, JsonNode *node, SelectorColumn *column)
{
	const InputTable *table = builder->table;
	const TableColumn *found = sigma_table_column(table, node->key);
	static const struct
	{
		const char *name;
		const char *expression;
		ColumnType	type;
	}			system[] = {
		{"sigma_row_id", "t.sigma_row_id", COLUMN_INTEGER},
		{"sigma_created_at", "pg_catalog.timezone('UTC', t.sigma_created_at)", COLUMN_DATETIME},
		{"sigma_updated_at", "pg_catalog.timezone('UTC', t.sigma_updated_at)", COLUMN_DATETIME},
		{"sigma_created_by", "t.sigma_created_by", COLUMN_TEXT},
		{"sigma_updated_by", "t.sigma_updated_by", COLUMN_TEXT},
	};
	const char **names;
	int			i;

	column->ignore_case = false;
	column->source = NULL;
	if (table->nlinked > 0 && found != NULL && found - table->columns >= table->ncolumn - table->nlinked)
	{
		find_key_column(builder, found - table->columns - (table->ncolumn - table->nlinked), column);
		return;
	}
	if (table->nlinked > 0 && found == NULL && sigma_linked_shows(table, node->key, &column->type, &column->expression))
	{
		column->name = node->key;
		return;
	}
	if (found != NULL)
	{
		column->name = found->name;
		column->expression = psprintf("t.%s", quote_identifier(found->name));
		column->type = found->type;
		column->ignore_case = found->unique_ignore_case;
		return;
	}
	for (i = 0; i < lengthof(system); i++)
		if (strcmp(system[i].name, node->key) == 0 && (i > 0 || table->nlinked == 0))
		{
			column->name = system[i].name;
			column->expression = system[i].expression;
			column->type = system[i].type;
			return;
		}
	names = palloc(sizeof(char *) * (table->ncolumn + 1));
	for (i = 0; i < table->ncolumn; i++)
		names[i] = table->columns[i].name;
	names[i] = NULL;
	sigma_document_error(node, ERRCODE_UNDEFINED_COLUMN, sigma_hint_names(node->key, names),
						 "column \"%s\" of input table \"%s\" does not exist", node->key, table->id);
}

/* A column of a linked table's key, by its place in the key. */
static void
find_key_column(Builder *builder, int key, SelectorColumn *column)
{
	const InputTable *table = builder->table;
	const TableColumn *found = &table->columns[table->ncolumn - table->nlinked + key];
	Oid			view = sigma_linked_view(table->id);
	Oid			given = get_atttype(view, get_attnum(view, found->name));
	const char *name = psprintf("t.%s", quote_identifier(found->name));

	column->name = found->name;
	column->type = found->type;
	column->ignore_case = false;
	column->expression = sigma_linked_key_value(found->type, view, found->name, name);
	column->cast = sigma_linked_key_cast(found->type, given);
	column->source = getBaseType(given) == TIMESTAMPTZOID ? column->expression : name;
}
