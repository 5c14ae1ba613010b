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

#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "action/data.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"

#define MAX_PARAMETERS 50000

static const InputTable *find_table(CompileState *state, JsonNode *action);
static void check_document(const StepType *type, JsonNode *parameters);
static void refuse_doubles(Builder *builder, JsonNode *values);
static void refuse_insert(Builder *builder, JsonNode *where);
static void build_insert(Builder *builder, Statement *statement, JsonNode *values);
static void build_insert_rows(Builder *builder, Statement *statement, JsonNode *rows);
static void build_insert_source(Builder *builder, Statement *statement, JsonNode *parameters);
static JsonNode *source_values(Builder *builder, JsonNode *node, JsonNode *given);
static JsonNode *column_formula(const char *name, JsonNode *where);
static void build_update(Builder *builder, DataStep *step, JsonNode *parameters);
static void build_delete(Builder *builder, DataStep *step, JsonNode *parameters);
static void build_upsert(Builder *builder, DataStep *step, JsonNode *parameters);
static JsonNode *without(JsonNode *object, List *members);
static void append_assignments(Builder *builder, JsonNode *values);
static void append_value(Builder *builder, const TableColumn *column, JsonNode *value);
static const char *table_sql(const InputTable *table);
static bool may_fit(ColumnType column, FormulaType value);
static void finish_statement(Builder *builder, Statement *statement, int expected);
static void free_plans(void *arg);

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
	check_document(type, parameters);
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
			if (sigma_json_get(parameters, "source") != NULL)
				build_insert_source(&builder, &step->main, parameters);
			else
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

/* The target; NULL where nothing is to be looked up.  SG404 where it is missing. */
static const InputTable *
find_table(CompileState *state, JsonNode *action)
{
	JsonNode   *target = sigma_json_get(action, "target");
	const InputTable *table;

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

/* What can be said without the table, beyond what the reader of documents has checked. */
static void
check_document(const StepType *type, JsonNode *parameters)
{
	JsonNode   *values = sigma_json_get(parameters, "values");
	JsonNode   *rows = sigma_json_get(parameters, "rows");

	if (rows != NULL && rows->count == 0)
		sigma_document_error(rows, 0, NULL, "\"rows\" must have at least one row");
	if (values != NULL && values->count == 0 && type->code != DATA_INSERT_ROW)
		sigma_document_error(values, 0, NULL, "\"values\" must name at least one column");
}

/* Two keys may name one column, in different case: SG400. */
static void
refuse_doubles(Builder *builder, JsonNode *values)
{
	int			i;
	int			j;

	for (i = 1; i < values->count; i++)
		for (j = 0; j < i; j++)
			if (sigma_data_column(builder, values->items[i]) == sigma_data_column(builder, values->items[j]))
				sigma_document_error(values->items[i], 0, NULL, "column \"%s\" is given twice, as \"%s\" and \"%s\"",
									 sigma_data_column(builder, values->items[i])->name,
									 values->items[j]->key, values->items[i]->key);
}

/* No row comes into a table with a protected column, or into a linked one: SG423. */
static void
refuse_insert(Builder *builder, JsonNode *where)
{
	int			i;

	if (builder->table->nlinked > 0)
		sigma_document_error(where, ERRCODE_SIGMA_LOCKED,
							 "Insert the row into the source, and update or upsert the entry columns here.",
							 "rows cannot be inserted into linked input table \"%s\"", builder->table->id);
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
		const TableColumn *column = sigma_data_column(builder, values->items[i]);

		appendStringInfo(&builder->sql, "%s%s", i == 0 ? " (" : ", ", quote_identifier(column->name));
		appendStringInfo(&marks, "%s$%d", i == 0 ? "" : ", ",
						 sigma_data_parameter(builder, PARAMETER_VALUE, column->name, column->type, values->items[i]));
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
		refuse_doubles(builder, rows->items[i]);
		for (j = 0; j < rows->items[i]->count; j++)
			columns = list_append_unique_ptr(columns,
											 unconstify(TableColumn *, sigma_data_column(builder, rows->items[i]->items[j])));
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
				if (sigma_data_column(builder, rows->items[i]->items[j]) == column)
					break;
			if (j == rows->items[i]->count)
				appendStringInfoString(&builder->sql, "DEFAULT");
			else
				appendStringInfo(&builder->sql, "$%d",
								 sigma_data_parameter(builder, PARAMETER_VALUE, column->name, column->type,
											   rows->items[i]->items[j]));
		}
		appendStringInfoChar(&builder->sql, ')');
	}
	finish_statement(builder, statement, SPI_OK_INSERT);
}

/*
 * INSERT of the rows of a table or query: columns of "values", then those of the source
 * that the table has too.  Without "values" it must have all of them: 42703.
 */
static void
build_insert_source(Builder *builder, Statement *statement, JsonNode *parameters)
{
	JsonNode   *node = sigma_json_get(parameters, "source");
	JsonNode   *values = source_values(builder, node, sigma_json_get(parameters, "values"));
	int			i;

	refuse_doubles(builder, values);
	initStringInfo(&builder->sql);
	appendStringInfo(&builder->sql, "INSERT INTO %s", table_sql(builder->table));
	for (i = 0; i < values->count; i++)
		appendStringInfo(&builder->sql, "%s%s", i == 0 ? " (" : ", ",
						 quote_identifier(sigma_data_column(builder, values->items[i])->name));
	appendStringInfoString(&builder->sql, ") SELECT ");
	for (i = 0; i < values->count; i++)
	{
		if (i > 0)
			appendStringInfoString(&builder->sql, ", ");
		append_value(builder, sigma_data_column(builder, values->items[i]), values->items[i]);
	}
	if (builder->formulas == NULL || builder->formulas->items == NIL)
		sigma_document_error(node, 0, "A formula of \"values\" reads a column of the source as [Column].",
							 "no value comes from the source");
	finish_statement(builder, statement, SPI_OK_INSERT);
}

/* The values of each row: those that are given, then the source's columns that the table has, as formulas. */
static JsonNode *
source_values(Builder *builder, JsonNode *node, JsonNode *given)
{
	JsonNode   *values = given == NULL ? sigma_json_new(JSON_OBJECT, node) : sigma_json_copy(given);
	int			count = values->count;
	FormulaRelation *rows;
	int			i;
	int			j;

	refuse_insert(builder, node);
	builder->source = sigma_row_source_compile(builder->state, node);
	rows = sigma_row_source_relation(builder->source, false);
	for (i = 0; i < rows->ncolumns; i++)
	{
		const char *name = rows->columns[i].name;
		const TableColumn *column = sigma_table_column(builder->table, name);

		if (strncmp(name, "sigma_", strlen("sigma_")) == 0 || sigma_table_is_computed(builder->table, name))
			continue;
		if (column == NULL && given == NULL)
			sigma_document_error(node, ERRCODE_UNDEFINED_COLUMN, "Name the columns that it fills in \"values\".",
								 "input table \"%s\" has no column \"%s\" of the source", builder->table->id, name);
		for (j = 0; j < count && column != NULL; j++)
			if (sigma_data_column(builder, values->items[j]) == column)
				column = NULL;
		if (column != NULL)
			sigma_json_set(values, column->name, column_formula(name, node));
	}
	return values;
}

/* {type: formula, formula: [name]} */
static JsonNode *
column_formula(const char *name, JsonNode *where)
{
	FormulaNode reference = {.kind = FORMULA_REFERENCE, .text = name};
	JsonNode   *value = sigma_json_new(JSON_OBJECT, where);

	sigma_json_set(value, "type", sigma_json_new_string("formula", where));
	sigma_json_set(value, "formula", sigma_json_new_string(sigma_formula_print(&reference), where));
	return value;
}

static void
build_update(Builder *builder, DataStep *step, JsonNode *parameters)
{
	initStringInfo(&builder->sql);
	appendStringInfo(&builder->sql, "UPDATE %s AS t SET ", table_sql(builder->table));
	append_assignments(builder, sigma_json_get(parameters, "values"));
	sigma_selector_append(builder, parameters, step->one_row);
	finish_statement(builder, &step->main, step->one_row ? SPI_OK_UPDATE_RETURNING : SPI_OK_UPDATE);
}

static void
build_delete(Builder *builder, DataStep *step, JsonNode *parameters)
{
	if (builder->table->nlinked > 0)
		sigma_document_error(parameters, ERRCODE_SIGMA_LOCKED,
							 "Set the entry columns to null to clear a row, or delete it in the source.",
							 "rows of linked input table \"%s\" cannot be deleted", builder->table->id);
	initStringInfo(&builder->sql);
	appendStringInfo(&builder->sql, "DELETE FROM %s AS t", table_sql(builder->table));
	sigma_selector_append(builder, parameters, step->one_row);
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
	bool		linked = builder->table->nlinked > 0;
	List	   *key = sigma_data_key(builder, values, parameters);
	bool		folded = sigma_data_key_ignores_case(builder, key);
	ListCell   *lc;

	initStringInfo(&builder->sql);
	appendStringInfo(&builder->sql, "UPDATE %s AS t SET ", table_sql(builder->table));
	append_assignments(builder, linked ? without(values, key) : values);
	foreach(lc, key)
	{
		SelectorColumn column;
		int			number;

		appendStringInfoString(&builder->sql, lc == list_head(key) ? " WHERE " : " AND ");
		sigma_selector_column(builder, lfirst(lc), &column);
		number = sigma_data_parameter(builder, PARAMETER_VALUE, column.name, column.type, lfirst(lc));
		if (column.ignore_case || (folded && (column.type == COLUMN_TEXT || column.type == COLUMN_DROPDOWN)))
			appendStringInfo(&builder->sql, "pg_catalog.lower(%s) OPERATOR(pg_catalog.=) pg_catalog.lower($%d)",
							 column.expression, number);
		else if (column.source != NULL)
			appendStringInfo(&builder->sql, "%s OPERATOR(pg_catalog.=) $%d%s", column.source, number, column.cast);
		else
			appendStringInfo(&builder->sql, "%s OPERATOR(pg_catalog.=) $%d", column.expression, number);
	}
	appendStringInfo(&builder->sql, " RETURNING %s", linked ? "1" : "t.sigma_row_id");
	finish_statement(builder, &step->main, SPI_OK_UPDATE_RETURNING);
	step->linked = linked;
	if (!linked)
		build_insert(builder, &step->insert, values);
}

/* An object without some of its members. */
static JsonNode *
without(JsonNode *object, List *members)
{
	JsonNode   *rest = sigma_json_new(JSON_OBJECT, object);
	int			i;

	for (i = 0; i < object->count; i++)
		if (!list_member_ptr(members, object->items[i]))
			sigma_json_set(rest, object->items[i]->key, object->items[i]);
	return rest;
}

/* "column = $n, ..." */
static void
append_assignments(Builder *builder, JsonNode *values)
{
	int			i;

	refuse_doubles(builder, values);
	for (i = 0; i < values->count; i++)
	{
		const TableColumn *column = sigma_data_column(builder, values->items[i]);

		appendStringInfo(&builder->sql, "%s%s = ", i == 0 ? "" : ", ", quote_identifier(column->name));
		append_value(builder, column, values->items[i]);
	}
}

/* A value for a column: a formula that reads the row, or a parameter. */
static void
append_value(Builder *builder, const TableColumn *column, JsonNode *value)
{
	if (!sigma_row_value_append(builder, column, value))
		appendStringInfo(&builder->sql, "$%d",
						 sigma_data_parameter(builder, PARAMETER_VALUE, column->name, column->type, value));
}

/* The column that a member of "values" writes; 42703, SG423. */
const TableColumn *
sigma_data_column(Builder *builder, JsonNode *value)
{
	const TableColumn *column;

	if (strncmp(value->key, "sigma_", 6) == 0)
		sigma_document_error(value, ERRCODE_SIGMA_LOCKED, "System columns are filled by sigma.",
							 "column \"%s\" cannot be written", value->key);
	column = sigma_table_column(builder->table, value->key);
	if (builder->table->nlinked > 0 && sigma_linked_shows(builder->table, value->key, NULL, NULL))
		sigma_document_error(value, ERRCODE_SIGMA_LOCKED, "It shows the value of the source: change it there.",
							 "column \"%s\" of input table \"%s\" is linked", value->key, builder->table->id);
	if (column == NULL && sigma_table_is_computed(builder->table, value->key))
		sigma_document_error(value, ERRCODE_SIGMA_LOCKED, "Nobody writes it: leave it out.",
							 "column \"%s\" of input table \"%s\" is computed", value->key, builder->table->id);
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

/* The quoted name of the relation with the rows: of a linked table, its view. */
static const char *
table_sql(const InputTable *table)
{
	if (table->nlinked > 0)
		return quote_qualified_identifier("sigds", sigma_data_table_name(table->id));
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table->relid)),
									  get_rel_name(table->relid));
}

/*
 * One more parameter; returns its number.  A value that does not depend on the
 * run is read at once: SG400 where the column's type cannot read it; 42804 for a
 * formula whose values it never can.
 */
int
sigma_data_parameter(Builder *builder, ParameterKind kind, const char *column, ColumnType type, JsonNode *node)
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

	parameter->source = sigma_value_source_compile(builder->state, node, type == COLUMN_JSON || type == COLUMN_FILE);
	if (sigma_value_source_is_static(parameter->source, &value))
	{
		JsonbValue	bad = value;
		bool		fits;

		old = MemoryContextSwitchTo(cxt);
		if (kind == PARAMETER_LIST)
			fits = sigma_data_read_list(type, &value, &parameter->value, &bad, &why);
		else
			fits = sigma_value_from_json(type, &value, &parameter->value, &parameter->isnull, &why);
		MemoryContextSwitchTo(old);
		if (!fits)
			sigma_document_error(node, 0, NULL, "value for column \"%s\" %s", column, why);
		parameter->is_constant = true;
	}
	else if (!may_fit(type, sigma_value_source_type(parameter->source)))
		sigma_document_error(node, ERRCODE_DATATYPE_MISMATCH, NULL, "column \"%s\" is %s, and the formula yields %s",
							 column, sigma_column_types[type].name,
							 sigma_formula_type_name(sigma_value_source_type(parameter->source)));
	return builder->count;
}

/* Is there a value of that kind that a column of that type can read? */
static bool
may_fit(ColumnType column, FormulaType value)
{
	switch (column)
	{
		case COLUMN_NUMBER:
		case COLUMN_INTEGER:
		case COLUMN_FLOAT:
			return value != TYPE_DATE && value != TYPE_LOGICAL;
		case COLUMN_DATE:
		case COLUMN_DATETIME:
			return value != TYPE_NUMBER && value != TYPE_LOGICAL;
		case COLUMN_CHECKBOX:
			return value != TYPE_DATE;
		case COLUMN_MULTI_SELECT:
			return value != TYPE_NUMBER && value != TYPE_LOGICAL;
		default:
			return true;
	}
}

/* Move text and parameters to where the compiled form lives, and start afresh. */
static void
finish_statement(Builder *builder, Statement *statement, int expected)
{
	MemoryContext cxt = builder->state->cxt;
	int			i;

	statement->formulas = builder->formulas != NULL && builder->formulas->items != NIL ? builder->formulas : NULL;
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
	builder->formulas = NULL;
	builder->source = NULL;
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

