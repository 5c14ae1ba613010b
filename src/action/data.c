/*
 * data.c
 *		Steps that write rows of input tables.
 *
 * A step compiles to one statement whose text holds quoted names alone; every
 * value is a parameter of its column's own type, read from JSON when the step
 * runs, or once where it does not depend on the run.  The plan is made at the
 * first run and kept with the compiled sequence.  Statements run as the caller:
 * rights, row security and rules are those of the same statement typed by hand.
 *
 * What a selector compares with a value that is null at run time matches no row,
 * so that an empty selection never updates or deletes the rows without a value;
 * {"match": {"column": null}} in the document asks for those.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/string.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/resowner.h"

#include "action/action.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "input_table/input_table.h"

#define MAX_PARAMETERS 50000

/* Where a parameter's value comes from. */
typedef enum ParameterKind
{
	PARAMETER_VALUE,			/* one value */
	PARAMETER_LIST,				/* an array: one value counts as a list of one, null as an empty one */
	PARAMETER_SELECTION,		/* the row ids of the selected rows */
	PARAMETER_CURRENT_ROW		/* the row id of the one selected row */
} ParameterKind;

typedef struct Parameter
{
	ParameterKind kind;
	const char *column;			/* for messages */
	ColumnType	type;
	const ValueSource *source;
	bool		is_constant;	/* "value" holds it */
	Datum		value;
	bool		isnull;
} Parameter;

/* One statement; the plan is made when it is first needed. */
typedef struct Statement
{
	const char *sql;
	int			count;
	Parameter  *parameters;
	Oid		   *types;
	int			expected;		/* SPI_OK_... */
	SPIPlanPtr	plan;
} Statement;

typedef struct DataStep
{
	DataCode	code;
	const char *table;			/* id of the input table */
	bool		one_row;		/* more than one matching row is an error */
	Statement	main;
	Statement	insert;			/* upsert_row where no row matched */
	MemoryContextCallback cleanup;
} DataStep;

/* A statement while its text is made. */
typedef struct Builder
{
	CompileState *state;
	const InputTable *table;
	StringInfoData sql;
	Parameter  *parameters;
	int			count;
	int			capacity;
} Builder;

/* A column as a selector may name it: one of the table's or a system column. */
typedef struct SelectorColumn
{
	const char *name;
	const char *expression;		/* in SQL */
	ColumnType	type;
	bool		ignore_case;
} SelectorColumn;

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

static const InputTable *find_table(CompileState *state, JsonNode *action);
static void check_document(const StepType *type, JsonNode *action, JsonNode *parameters);
static JsonNode *require_object(JsonNode *holder, const char *key);
static void refuse_doubles(Builder *builder, JsonNode *values);
static void refuse_insert(Builder *builder, JsonNode *where);
static void build_insert(Builder *builder, Statement *statement, JsonNode *values);
static void build_insert_rows(Builder *builder, Statement *statement, JsonNode *rows);
static void build_update(Builder *builder, DataStep *step, JsonNode *parameters);
static void build_delete(Builder *builder, DataStep *step, JsonNode *parameters);
static void build_upsert(Builder *builder, DataStep *step, JsonNode *parameters);
static List *upsert_key(Builder *builder, JsonNode *values, JsonNode *parameters);
static void append_assignments(Builder *builder, JsonNode *values);
static void append_selector(Builder *builder, DataStep *step, JsonNode *parameters);
static void append_equalities(Builder *builder, JsonNode *columns);
static void append_match(Builder *builder, JsonNode *columns);
static void append_comparison(Builder *builder, const SelectorColumn *column, JsonNode *node);
static void append_operator(Builder *builder, const SelectorColumn *column,
							const MatchOperator *operator, JsonNode *node, JsonNode *value);
static const TableColumn *writable_column(Builder *builder, JsonNode *value);
static void find_selector_column(Builder *builder, JsonNode *node, SelectorColumn *column);
static const char *table_sql(const InputTable *table);
static int	add_parameter(Builder *builder, ParameterKind kind, const char *column, ColumnType type,
						  JsonNode *node);
static void finish_statement(Builder *builder, Statement *statement, int expected);
static void free_plans(void *arg);
static void execute(Run *run, DataStep *step, Statement *statement);
static Datum bind(Run *run, const DataStep *step, const Parameter *parameter, bool *isnull);
static bool read_list(ColumnType type, const JsonbValue *value, Datum *list, JsonbValue *bad, const char **why);
static Datum bind_row_ids(Run *run, const Parameter *parameter);
static void refuse_cell(const DataStep *step, const Parameter *parameter, const JsonbValue *value,
						const char *why) pg_attribute_noreturn();
static int64 returned_row_id(void);
static void run_upsert(Run *run, DataStep *step, StepOutcome *outcome);
static bool insert_unless_there(Run *run, DataStep *step, bool again);
static void set_number(StepOutcome *outcome, int64 number);

/*
 * Compiling
 */

/*
 * Check the document and build its statement; a DataStep.  Without "resolve" the
 * table is not looked at and the result is only good for having been checked.
 */
void *
sigma_data_compile(CompileState *state, const StepType *type, JsonNode *action)
{
	DataStep   *step = MemoryContextAllocZero(state->cxt, sizeof(DataStep));
	JsonNode   *parameters = sigma_json_get(action, "parameters");
	Builder		builder = {0};

	if (parameters == NULL || parameters->kind == JSON_NULL)
		parameters = sigma_json_new(JSON_OBJECT, action);
	check_document(type, action, parameters);
	step->code = (DataCode) type->code;
	step->table = MemoryContextStrdup(state->cxt, sigma_json_get_string(action, "target", ""));
	builder.state = state;
	builder.table = find_table(state, action);
	if (builder.table == NULL)
		return step;

	step->cleanup.func = free_plans;
	step->cleanup.arg = step;
	MemoryContextRegisterResetCallback(state->cxt, &step->cleanup);
	switch (step->code)
	{
		case DATA_INSERT_ROW:
			build_insert(&builder, &step->main, sigma_json_get(parameters, "values"));
			break;
		case DATA_INSERT_ROWS:
			build_insert_rows(&builder, &step->main, sigma_json_get(parameters, "rows"));
			break;
		case DATA_UPDATE_ROW:
		case DATA_UPDATE_ROWS:
			step->one_row = step->code == DATA_UPDATE_ROW;
			build_update(&builder, step, parameters);
			break;
		case DATA_DELETE_ROW:
		case DATA_DELETE_ROWS:
			step->one_row = step->code == DATA_DELETE_ROW;
			build_delete(&builder, step, parameters);
			break;
		case DATA_UPSERT_ROW:
			step->one_row = true;
			build_upsert(&builder, step, parameters);
			break;
	}
	return step;
}

/* The target; NULL where nothing is to be looked up.  SG400 without one, SG404 where it is missing. */
static const InputTable *
find_table(CompileState *state, JsonNode *action)
{
	JsonNode   *target = sigma_json_get(action, "target");
	const InputTable *table;

	if (target == NULL || target->kind != JSON_STRING || target->string[0] == '\0')
		sigma_document_error(target != NULL ? target : action, 0, "It is the id of the input table.",
							 "a data_modification action needs a \"target\"");
	if (!state->resolve)
		return NULL;
	if (!sigma_catalog_exists(DOCUMENT_INPUT_TABLE, target->string))
		sigma_document_error(target, ERRCODE_SIGMA_NOT_FOUND,
							 sigma_catalog_hint(DOCUMENT_INPUT_TABLE, target->string),
							 "input table \"%s\" does not exist", target->string);
	table = sigma_input_table_by_id(target->string);
	sigma_watch_table(table->relid);
	return table;
}

/* What can be said without the table: which parameters a subtype takes, and what is not built. */
static void
check_document(const StepType *type, JsonNode *action, JsonNode *parameters)
{
	JsonNode   *node;
	bool		selects = type->code >= DATA_UPDATE_ROW && type->code <= DATA_DELETE_ROWS;

	if (parameters->kind != JSON_OBJECT)
		sigma_document_error(parameters, 0, NULL, "\"parameters\" must be an object, not %s",
							 sigma_json_kind_name(parameters));
	if ((node = sigma_json_get(parameters, "source")) != NULL)
		sigma_document_error(node, ERRCODE_FEATURE_NOT_SUPPORTED, "Give the rows in \"rows\".",
							 "rows from a source are not built yet");
	if (type->code == DATA_INSERT_ROWS)
	{
		node = sigma_json_get(parameters, "rows");
		if (node == NULL || node->kind != JSON_ARRAY || node->count == 0)
			sigma_document_error(node != NULL ? node : action, 0, NULL,
								 "insert_rows needs \"rows\": an array of at least one object");
	}
	else if (type->code != DATA_DELETE_ROW && type->code != DATA_DELETE_ROWS)
	{
		node = require_object(parameters, "values");
		if (node->count == 0 && type->code != DATA_INSERT_ROW)
			sigma_document_error(node, 0, NULL, "\"values\" must name at least one column");
	}
	if (selects)
	{
		node = require_object(parameters, "selector");
		if (sigma_json_get(node, "formula") != NULL)
			sigma_document_error(sigma_json_get(node, "formula"), ERRCODE_FEATURE_NOT_SUPPORTED,
								 "Use \"match\", \"key\", \"row_id\" or \"selection\".",
								 "selectors by formula are not built yet");
		if (node->count != 1)
			sigma_document_error(node, 0, "Known are row_id, key, match, current_row and selection.",
								 "a selector has exactly one key");
	}
}

/* A member that must be an object. */
static JsonNode *
require_object(JsonNode *holder, const char *key)
{
	JsonNode   *node = sigma_json_get(holder, key);

	if (node == NULL || node->kind != JSON_OBJECT)
		sigma_document_error(node != NULL ? node : holder, 0, NULL, "\"%s\" must be an object%s%s", key,
							 node != NULL ? ", not " : "", node != NULL ? sigma_json_kind_name(node) : "");
	return node;
}

/* Two keys may name one column, in different case: SG400. */
static void
refuse_doubles(Builder *builder, JsonNode *values)
{
	int			i;
	int			j;

	for (i = 1; i < values->count; i++)
		for (j = 0; j < i; j++)
			if (writable_column(builder, values->items[i]) == writable_column(builder, values->items[j]))
				sigma_document_error(values->items[i], 0, NULL, "column \"%s\" is given twice, as \"%s\" and \"%s\"",
									 writable_column(builder, values->items[i])->name,
									 values->items[j]->key, values->items[i]->key);
}

/* No row comes into a table with a protected column: SG423. */
static void
refuse_insert(Builder *builder, JsonNode *where)
{
	int			i;

	for (i = 0; i < builder->table->ncolumn; i++)
		if (builder->table->columns[i].is_protected)
			sigma_document_error(where, ERRCODE_SIGMA_LOCKED,
								 psprintf("Column \"%s\" is protected.", builder->table->columns[i].name),
								 "no row can be inserted into input table \"%s\"", builder->table->id);
}

/* INSERT of one row. */
static void
build_insert(Builder *builder, Statement *statement, JsonNode *values)
{
	StringInfoData marks;
	int			i;

	refuse_insert(builder, values);
	refuse_doubles(builder, values);
	initStringInfo(&builder->sql);
	initStringInfo(&marks);
	appendStringInfo(&builder->sql, "INSERT INTO %s", table_sql(builder->table));
	for (i = 0; i < values->count; i++)
	{
		const TableColumn *column = writable_column(builder, values->items[i]);

		appendStringInfo(&builder->sql, "%s%s", i == 0 ? " (" : ", ", quote_identifier(column->name));
		appendStringInfo(&marks, "%s$%d", i == 0 ? "" : ", ",
						 add_parameter(builder, PARAMETER_VALUE, column->name, column->type, values->items[i]));
	}
	if (values->count > 0)
		appendStringInfo(&builder->sql, ") VALUES (%s)", marks.data);
	else
		appendStringInfoString(&builder->sql, " DEFAULT VALUES");
	appendStringInfoString(&builder->sql, " RETURNING sigma_row_id");
	finish_statement(builder, statement, SPI_OK_INSERT_RETURNING);
}

/* INSERT of several rows in one statement: columns are those that any row names, an absent key is the default. */
static void
build_insert_rows(Builder *builder, Statement *statement, JsonNode *rows)
{
	List	   *columns = NIL;
	ListCell   *lc;
	int			i;
	int			j;

	refuse_insert(builder, rows);
	for (i = 0; i < rows->count; i++)
	{
		if (rows->items[i]->kind != JSON_OBJECT)
			sigma_document_error(rows->items[i], 0, NULL, "a row must be an object, not %s",
								 sigma_json_kind_name(rows->items[i]));
		refuse_doubles(builder, rows->items[i]);
		for (j = 0; j < rows->items[i]->count; j++)
			columns = list_append_unique_ptr(columns,
											 unconstify(TableColumn *, writable_column(builder, rows->items[i]->items[j])));
	}
	if (columns == NIL)
		sigma_document_error(rows, 0, NULL, "the rows name no column");
	if (list_length(columns) * (int64) rows->count > MAX_PARAMETERS)
		sigma_document_error(rows, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "Import larger sets with sigma.import_csv.",
							 "an action can insert at most %d cells", MAX_PARAMETERS);

	initStringInfo(&builder->sql);
	appendStringInfo(&builder->sql, "INSERT INTO %s", table_sql(builder->table));
	foreach(lc, columns)
		appendStringInfo(&builder->sql, "%s%s", lc == list_head(columns) ? " (" : ", ",
						 quote_identifier(((TableColumn *) lfirst(lc))->name));
	appendStringInfoString(&builder->sql, ") VALUES ");
	for (i = 0; i < rows->count; i++)
	{
		appendStringInfoString(&builder->sql, i == 0 ? "(" : ", (");
		foreach(lc, columns)
		{
			const TableColumn *column = lfirst(lc);

			if (lc != list_head(columns))
				appendStringInfoString(&builder->sql, ", ");
			for (j = 0; j < rows->items[i]->count; j++)
				if (writable_column(builder, rows->items[i]->items[j]) == column)
					break;
			if (j == rows->items[i]->count)
				appendStringInfoString(&builder->sql, "DEFAULT");
			else
				appendStringInfo(&builder->sql, "$%d",
								 add_parameter(builder, PARAMETER_VALUE, column->name, column->type,
											   rows->items[i]->items[j]));
		}
		appendStringInfoChar(&builder->sql, ')');
	}
	finish_statement(builder, statement, SPI_OK_INSERT);
}

static void
build_update(Builder *builder, DataStep *step, JsonNode *parameters)
{
	initStringInfo(&builder->sql);
	appendStringInfo(&builder->sql, "UPDATE %s AS t SET ", table_sql(builder->table));
	append_assignments(builder, sigma_json_get(parameters, "values"));
	append_selector(builder, step, parameters);
	finish_statement(builder, &step->main, step->one_row ? SPI_OK_UPDATE_RETURNING : SPI_OK_UPDATE);
}

static void
build_delete(Builder *builder, DataStep *step, JsonNode *parameters)
{
	initStringInfo(&builder->sql);
	appendStringInfo(&builder->sql, "DELETE FROM %s AS t", table_sql(builder->table));
	append_selector(builder, step, parameters);
	finish_statement(builder, &step->main, step->one_row ? SPI_OK_DELETE_RETURNING : SPI_OK_DELETE);
}

/*
 * An UPDATE of the row with that key, and an INSERT for when there is none: the
 * row that is there need not pass the checks of a full insert.
 */
static void
build_upsert(Builder *builder, DataStep *step, JsonNode *parameters)
{
	JsonNode   *values = sigma_json_get(parameters, "values");
	List	   *key = upsert_key(builder, values, parameters);
	ListCell   *lc;

	initStringInfo(&builder->sql);
	appendStringInfo(&builder->sql, "UPDATE %s AS t SET ", table_sql(builder->table));
	append_assignments(builder, values);
	foreach(lc, key)
	{
		SelectorColumn column;
		int			number;

		appendStringInfoString(&builder->sql, lc == list_head(key) ? " WHERE " : " AND ");
		find_selector_column(builder, lfirst(lc), &column);
		number = add_parameter(builder, PARAMETER_VALUE, column.name, column.type, lfirst(lc));
		if (column.ignore_case)
			appendStringInfo(&builder->sql, "pg_catalog.lower(%s) OPERATOR(pg_catalog.=) pg_catalog.lower($%d)",
							 column.expression, number);
		else
			appendStringInfo(&builder->sql, "%s OPERATOR(pg_catalog.=) $%d", column.expression, number);
	}
	appendStringInfoString(&builder->sql, " RETURNING t.sigma_row_id");
	finish_statement(builder, &step->main, SPI_OK_UPDATE_RETURNING);
	build_insert(builder, &step->insert, values);
}

/* The members of "values" that make up the key: those named in "key", else the one unique column among them. */
static List *
upsert_key(Builder *builder, JsonNode *values, JsonNode *parameters)
{
	JsonNode   *key = sigma_json_get(parameters, "key");
	List	   *found = NIL;
	int			i;

	if (key == NULL || key->kind == JSON_NULL)
	{
		for (i = 0; i < values->count; i++)
			if (writable_column(builder, values->items[i])->unique)
				found = lappend(found, values->items[i]);
		if (list_length(found) != 1)
			sigma_document_error(values, 0, "Name the columns to find the row by in \"key\".",
								 found == NIL ? "none of the values is for a unique column" :
								 "several of the values are for unique columns");
		return found;
	}
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

/* "column = $n, ..." */
static void
append_assignments(Builder *builder, JsonNode *values)
{
	int			i;

	refuse_doubles(builder, values);
	for (i = 0; i < values->count; i++)
	{
		const TableColumn *column = writable_column(builder, values->items[i]);

		appendStringInfo(&builder->sql, "%s%s = $%d", i == 0 ? "" : ", ", quote_identifier(column->name),
						 add_parameter(builder, PARAMETER_VALUE, column->name, column->type, values->items[i]));
	}
}

/* " WHERE ..." and, where only one row may match, " RETURNING ..." */
static void
append_selector(Builder *builder, DataStep *step, JsonNode *parameters)
{
	JsonNode   *selector = sigma_json_get(parameters, "selector");
	JsonNode   *node = selector->items[0];
	ParameterKind kind;

	appendStringInfoString(&builder->sql, " WHERE ");
	if (strcmp(node->key, "key") == 0)
		append_equalities(builder, require_object(selector, "key"));
	else if (strcmp(node->key, "match") == 0)
		append_match(builder, require_object(selector, "match"));
	else
	{
		if (strcmp(node->key, "row_id") == 0)
			kind = PARAMETER_LIST;
		else if (strcmp(node->key, "selection") == 0)
			kind = PARAMETER_SELECTION;
		else if (strcmp(node->key, "current_row") == 0)
			kind = PARAMETER_CURRENT_ROW;
		else
			sigma_document_error(node, 0, "Known are row_id, key, match, current_row and selection.",
								 "unknown selector \"%s\"", node->key);
		if (kind != PARAMETER_LIST && !(node->kind == JSON_BOOL && node->boolean))
			sigma_document_error(node, 0, NULL, "\"%s\" must be true", node->key);
		appendStringInfo(&builder->sql, "t.sigma_row_id OPERATOR(pg_catalog.=) ANY ($%d)",
						 add_parameter(builder, kind, "sigma_row_id", COLUMN_INTEGER, node));
	}
	if (step->one_row)
		appendStringInfoString(&builder->sql, " RETURNING t.sigma_row_id");
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

		find_selector_column(builder, columns->items[i], &column);
		appendStringInfo(&builder->sql, "%s%s OPERATOR(pg_catalog.=) $%d", i == 0 ? "" : " AND ",
						 column.expression,
						 add_parameter(builder, PARAMETER_VALUE, column.name, column.type, columns->items[i]));
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

		find_selector_column(builder, columns->items[i], &column);
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
						 add_parameter(builder, kind, column->name, column->type, value->items[0]),
						 column->expression,
						 add_parameter(builder, kind, column->name, column->type, value->items[1]));
		return;
	}
	if (!unary)
		number = add_parameter(builder, kind, column->name,
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

/* The column that a member of "values" writes; 42703, SG423. */
static const TableColumn *
writable_column(Builder *builder, JsonNode *value)
{
	const TableColumn *column;

	if (strncmp(value->key, "sigma_", 6) == 0)
		sigma_document_error(value, ERRCODE_SIGMA_LOCKED, "System columns are filled by sigma.",
							 "column \"%s\" cannot be written", value->key);
	column = sigma_table_column(builder->table, value->key);
	if (column == NULL)
	{
		const char **names = palloc(sizeof(char *) * (builder->table->ncolumn + 1));
		int			i;

		for (i = 0; i < builder->table->ncolumn; i++)
			names[i] = builder->table->columns[i].name;
		names[i] = NULL;
		sigma_document_error(value, ERRCODE_UNDEFINED_COLUMN, sigma_hint_names(value->key, names),
							 "column \"%s\" of input table \"%s\" does not exist",
							 value->key, builder->table->id);
	}
	if (column->is_protected)
		sigma_document_error(value, ERRCODE_SIGMA_LOCKED, NULL,
							 "column \"%s\" of input table \"%s\" is protected",
							 column->name, builder->table->id);
	return column;
}

/* The column that a member of "match" or "key" compares; 42703. */
static void
find_selector_column(Builder *builder, JsonNode *node, SelectorColumn *column)
{
	const TableColumn *found = sigma_table_column(builder->table, node->key);
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
	if (found != NULL)
	{
		column->name = found->name;
		column->expression = psprintf("t.%s", quote_identifier(found->name));
		column->type = found->type;
		column->ignore_case = found->unique_ignore_case;
		return;
	}
	for (i = 0; i < lengthof(system); i++)
		if (strcmp(system[i].name, node->key) == 0)
		{
			column->name = system[i].name;
			column->expression = system[i].expression;
			column->type = system[i].type;
			return;
		}
	names = palloc(sizeof(char *) * (builder->table->ncolumn + 1));
	for (i = 0; i < builder->table->ncolumn; i++)
		names[i] = builder->table->columns[i].name;
	names[i] = NULL;
	sigma_document_error(node, ERRCODE_UNDEFINED_COLUMN, sigma_hint_names(node->key, names),
						 "column \"%s\" of input table \"%s\" does not exist", node->key, builder->table->id);
}

/* The data table's quoted name. */
static const char *
table_sql(const InputTable *table)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table->relid)),
									  get_rel_name(table->relid));
}

/*
 * One more parameter; returns its number.  A value that does not depend on the
 * run is read at once: SG400 where the column's type cannot read it.
 */
static int
add_parameter(Builder *builder, ParameterKind kind, const char *column, ColumnType type, JsonNode *node)
{
	Parameter  *parameter;
	MemoryContext cxt = builder->state->cxt;
	MemoryContext old;
	JsonbValue	value;
	const char *why;

	if (builder->count == builder->capacity)
	{
		builder->capacity = builder->capacity == 0 ? 8 : builder->capacity * 2;
		builder->parameters = builder->parameters == NULL
			? palloc(sizeof(Parameter) * builder->capacity)
			: repalloc(builder->parameters, sizeof(Parameter) * builder->capacity);
	}
	parameter = &builder->parameters[builder->count++];
	memset(parameter, 0, sizeof(Parameter));
	parameter->kind = kind;
	parameter->column = MemoryContextStrdup(cxt, column);
	parameter->type = type;
	if (kind == PARAMETER_SELECTION || kind == PARAMETER_CURRENT_ROW)
		return builder->count;

	parameter->source = sigma_value_source_compile(node, type == COLUMN_JSON || type == COLUMN_FILE, cxt);
	if (sigma_value_source_is_static(parameter->source, &value))
	{
		JsonbValue	bad = value;
		bool		fits;

		old = MemoryContextSwitchTo(cxt);
		if (kind == PARAMETER_LIST)
			fits = read_list(type, &value, &parameter->value, &bad, &why);
		else
			fits = sigma_value_from_json(type, &value, &parameter->value, &parameter->isnull, &why);
		MemoryContextSwitchTo(old);
		if (!fits)
			sigma_document_error(node, 0, NULL, "value for column \"%s\" %s", column, why);
		parameter->is_constant = true;
	}
	return builder->count;
}

/* Move text and parameters to where the compiled form lives, and start afresh. */
static void
finish_statement(Builder *builder, Statement *statement, int expected)
{
	MemoryContext cxt = builder->state->cxt;
	int			i;

	statement->sql = MemoryContextStrdup(cxt, builder->sql.data);
	statement->count = builder->count;
	statement->expected = expected;
	statement->parameters = MemoryContextAlloc(cxt, sizeof(Parameter) * (builder->count + 1));
	memcpy(statement->parameters, builder->parameters, sizeof(Parameter) * builder->count);
	statement->types = MemoryContextAlloc(cxt, sizeof(Oid) * (builder->count + 1));
	for (i = 0; i < builder->count; i++)
	{
		Oid			type = sigma_column_types[builder->parameters[i].type].oid;

		statement->types[i] = builder->parameters[i].kind == PARAMETER_VALUE ? type : get_array_type(type);
	}
	builder->parameters = NULL;
	builder->count = builder->capacity = 0;
}

/* The compiled form goes: so do its plans. */
static void
free_plans(void *arg)
{
	DataStep   *step = arg;

	if (step->main.plan != NULL)
		SPI_freeplan(step->main.plan);
	if (step->insert.plan != NULL)
		SPI_freeplan(step->insert.plan);
	step->main.plan = step->insert.plan = NULL;
}

/*
 * Running
 */

/* Run a data_modification step; SPI is connected. */
void
sigma_data_run(Run *run, const Step *compiled, StepOutcome *outcome)
{
	DataStep   *step = compiled->part;

	if (step->code == DATA_UPSERT_ROW)
	{
		run_upsert(run, step, outcome);
		return;
	}
	execute(run, step, &step->main);
	outcome->rows = SPI_processed;
	set_number(outcome, step->code == DATA_INSERT_ROW ? returned_row_id() : outcome->rows);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Bind the values and run one statement.  Raises 22P02 for a value that its
 * column cannot read, 21000 where a single-row step met several rows; the
 * caller's subtransaction undoes what the second of them cost.
 */
static void
execute(Run *run, DataStep *step, Statement *statement)
{
	Datum	   *values = palloc(sizeof(Datum) * (statement->count + 1));
	char	   *nulls = palloc(statement->count + 1);
	int			code;
	int			i;

	for (i = 0; i < statement->count; i++)
	{
		bool		isnull;

		values[i] = bind(run, step, &statement->parameters[i], &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	if (statement->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(statement->sql, statement->count, statement->types);

		if (plan == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		statement->plan = plan;
	}
	code = SPI_execute_plan(statement->plan, values, nulls, false, step->one_row ? 2 : 0);
	MemoryContextSwitchTo(run->cxt);
	if (code != statement->expected)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(code));
	if (step->one_row && SPI_processed > 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("more than one row of input table \"%s\" matches the selector", step->table),
				 errhint("Narrow the selector, or use the subtype for several rows.")));
	pfree(values);
	pfree(nulls);
}

/* The value of one parameter. */
static Datum
bind(Run *run, const DataStep *step, const Parameter *parameter, bool *isnull)
{
	JsonbValue	value;
	JsonbValue	bad;
	Datum		result = (Datum) 0;
	const char *why;

	*isnull = parameter->isnull;
	if (parameter->is_constant)
		return parameter->value;
	if (parameter->kind == PARAMETER_SELECTION || parameter->kind == PARAMETER_CURRENT_ROW)
		return bind_row_ids(run, parameter);

	sigma_value_source_evaluate(parameter->source, run->context, &value);
	if (parameter->kind == PARAMETER_LIST)
	{
		if (!read_list(parameter->type, &value, &result, &bad, &why))
			refuse_cell(step, parameter, &bad, why);
	}
	else if (!sigma_value_from_json(parameter->type, &value, &result, isnull, &why))
		refuse_cell(step, parameter, &value, why);
	return result;
}

/*
 * An array of the type's values: a single value is a list of one, nulls are left
 * out.  False: "bad" cannot be read, *why says so.
 */
static bool
read_list(ColumnType column_type, const JsonbValue *value, Datum *list, JsonbValue *bad, const char **why)
{
	const ColumnTypeInfo *type = &sigma_column_types[column_type];
	Datum	   *items;
	int			count = 0;
	bool		isnull;

	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		JsonbIterator *iterator = JsonbIteratorInit(value->val.binary.data);
		JsonbIteratorToken token;

		items = palloc(sizeof(Datum) * (JsonContainerSize(value->val.binary.data) + 1));
		while ((token = JsonbIteratorNext(&iterator, bad, true)) != WJB_DONE)
		{
			if (token != WJB_ELEM)
				continue;
			if (!sigma_value_from_json(column_type, bad, &items[count], &isnull, why))
				return false;
			if (!isnull)
				count++;
		}
	}
	else
	{
		*bad = *value;
		items = palloc(sizeof(Datum));
		if (!sigma_value_from_json(column_type, value, &items[0], &isnull, why))
			return false;
		count = isnull ? 0 : 1;
	}
	*list = PointerGetDatum(construct_array(items, count, type->oid, type->length, type->by_value, type->align));
	return true;
}

/* The row ids of the selected rows; 22023 where they cannot be told. */
static Datum
bind_row_ids(Run *run, const Parameter *parameter)
{
	int			count = sigma_context_selected_count(run->context);
	Datum	   *ids = palloc(sizeof(Datum) * (count + 1));
	int			i;

	if (parameter->kind == PARAMETER_CURRENT_ROW && count > 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("there is no current row: %d rows are selected", count)));
	for (i = 0; i < count; i++)
	{
		JsonbValue	value;
		const char *why = "is missing";
		bool		isnull = true;

		if (!sigma_context_selected_value(run->context, i, "sigma_row_id", &value) ||
			!sigma_value_from_json(COLUMN_INTEGER, &value, &ids[i], &isnull, &why) || isnull)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"sigma_row_id\" of selected row %d %s", i, isnull ? "is missing" : why),
					 errhint("Rows of \"selection\" say which rows they are by \"sigma_row_id\".")));
	}
	return PointerGetDatum(construct_array(ids, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Raise 22P02 for a value that its column cannot read. */
static void
refuse_cell(const DataStep *step, const Parameter *parameter, const JsonbValue *value, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("value for column \"%s\" of input table \"%s\" %s",
					parameter->column, step->table, why),
			 errdetail("The value is \"%s\".", sigma_jsonb_text(value))));
}

/* The row id that the statement returned first. */
static int64
returned_row_id(void)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * UPDATE, else INSERT.  Where the INSERT meets a row with that key that came
 * after the UPDATE had looked, the UPDATE finds it now.
 */
static void
run_upsert(Run *run, DataStep *step, StepOutcome *outcome)
{
	bool		again = false;

	for (;;)
	{
		execute(run, step, &step->main);
		if (SPI_processed > 0)
			break;
		SPI_freetuptable(SPI_tuptable);
		if (insert_unless_there(run, step, again))
			break;
		again = true;
	}
	outcome->rows = 1;
	set_number(outcome, returned_row_id());
	SPI_freetuptable(SPI_tuptable);
}

/*
 * The INSERT of an upsert, in a subtransaction.  False where another row holds a
 * unique value: it came since the UPDATE looked.  The second time ("again") that
 * is an error, as is anything else.
 */
static bool
insert_unless_there(Run *run, DataStep *step, bool again)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		execute(run, step, &step->insert);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;

	if (error == NULL)
		return true;
	if (again || !(error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION ||
				   (error->sqlerrcode == ERRCODE_CHECK_VIOLATION && error->constraint_name != NULL &&
					pg_str_endswith(error->constraint_name, "_unique"))))
		ReThrowError(error);
	return false;
}

/* A number as the bare result. */
static void
set_number(StepOutcome *outcome, int64 number)
{
	outcome->has_result = true;
	outcome->result.type = jbvNumeric;
	outcome->result.val.numeric = int64_to_numeric(number);
}
