/*
 * data_formula.c
 *		Formulas over the rows of a statement: selectors, and values that read the row.
 *
 * Formulas are checked when the step is compiled; their SQL is made when the step
 * runs, for the kinds of values that the run has, and kept with the plan as long as
 * those stay the same.  The statement is the caller's: rights and row security hold
 * for what formulas read as for the rows that are written.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "action/data.h"
#include "action/eval.h"
#include "formula/compile.h"
#include "formula/trust.h"
#include "input_table/computed.h"
#include "layout/layout.h"

#define A_CONDITION (-1)		/* column_type of a formula that says which rows */

static RowFormulas *formulas_of(Builder *builder);
static void check(Builder *builder, RowFormula *formula, JsonNode *node);
static bool note_column(void *arg, FormulaNode *reference);
static char *compile(const Statement *statement, RowFormulas *formulas, const RowFormula *formula, bool saving);
static char *in_column(FormulaSql *value, ColumnType type);
static char *in_text(const FormulaSql *value);
static SPIPlanPtr make_plan(const Statement *statement);

/* A search for references to columns of a row. */
typedef struct ColumnSearch
{
	FormulaRelation *row;
	bool		found;
} ColumnSearch;

/*
 * The condition at the end of the SQL that is being made.  Raises what compiling the
 * formula raises, with the node's path.
 */
void
sigma_row_formula_append(Builder *builder, JsonNode *node)
{
	RowFormula *formula = MemoryContextAllocZero(builder->state->cxt, sizeof(RowFormula));

	formula->text = MemoryContextStrdup(builder->state->cxt, node->string);
	formula->column_type = A_CONDITION;
	check(builder, formula, node);
}

/*
 * A value for a column, where it is a formula that reads the row: appended to the SQL.
 * False for any other value.  42804 where the column cannot take what it yields.
 */
bool
sigma_row_value_append(Builder *builder, const TableColumn *column, JsonNode *node)
{
	JsonNode   *text = sigma_json_get(node, "formula");
	ColumnSearch search = {0};
	RowFormula *formula;

	if (text == NULL || text->kind != JSON_STRING || strcmp(sigma_json_get_string(node, "type", ""), "formula") != 0)
		return false;
	search.row = sigma_rows_of_formulas(formulas_of(builder), false);
	(void) sigma_formula_visit(sigma_formula_parse(text->string), note_column, &search);
	if (!search.found)
		return false;
	formula = MemoryContextAllocZero(builder->state->cxt, sizeof(RowFormula));
	formula->text = MemoryContextStrdup(builder->state->cxt, text->string);
	formula->column = MemoryContextStrdup(builder->state->cxt, column->name);
	formula->column_type = column->type;
	check(builder, formula, text);
	return true;
}

/* FormulaVisitor: is a column of the row named, without a table before it? */
static bool
note_column(void *arg, FormulaNode *node)
{
	ColumnSearch *search = arg;

	if (node->kind == FORMULA_REFERENCE && node->source == NULL && sigma_formula_column(search->row, node->text) != NULL)
		search->found = true;
	return false;
}

/* The formulas of the statement that is being made. */
static RowFormulas *
formulas_of(Builder *builder)
{
	MemoryContext cxt = builder->state->cxt;

	if (builder->formulas == NULL)
	{
		builder->formulas = MemoryContextAllocZero(cxt, sizeof(RowFormulas));
		builder->formulas->relid = builder->table->nlinked > 0 ? sigma_linked_view(builder->table->id) : builder->table->relid;
		builder->formulas->source = builder->source;
		builder->formulas->alias = builder->source != NULL ? "s" : "t";
		builder->formulas->parameters = MemoryContextAllocZero(cxt, sizeof(FormulaParameters));
		builder->formulas->parameters->first = 1;
	}
	return builder->formulas;
}

/* Check a formula by compiling it, and give it its place in the SQL. */
static void
check(Builder *builder, RowFormula *formula, JsonNode *node)
{
	RowFormulas *formulas = formulas_of(builder);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;

	PG_TRY();
	{
		(void) compile(NULL, formulas, formula, builder->state->saving);
	}
	PG_CATCH();
	{
		sigma_document_rethrow(node, caller);
	}
	PG_END_TRY();
	formula->at = builder->sql.len;
	old = MemoryContextSwitchTo(builder->state->cxt);
	formulas->items = lappend(formulas->items, formula);
	MemoryContextSwitchTo(old);
}

/* The rows that the formulas read one of; "shown": as the current role is shown them. */
FormulaRelation *
sigma_rows_of_formulas(const RowFormulas *formulas, bool shown)
{
	return formulas->source == NULL ? sigma_formula_relation(formulas->relid) :
		sigma_row_source_relation(formulas->source, shown);
}

/*
 * The values of the formulas' references in a run, after those of the statement's own
 * parameters; "values" and "nulls" grow.  The plan is made where there is none yet for
 * values of these kinds.  SPI is connected.
 */
void
sigma_row_formula_prepare(Statement *statement, RunContext *context, Datum **values, char **nulls)
{
	RowFormulas *formulas = statement->formulas;
	int			count;

	formulas->parameters->first = statement->count + 1;
	do
	{
		bool		same;

		count = formulas->parameters->count;
		*values = repalloc(*values, sizeof(Datum) * (statement->count + count + 1));
		*nulls = repalloc(*nulls, statement->count + count + 1);
		sigma_trust_lock(formulas->locks);
		same = sigma_parameters_fetch(formulas->parameters, sigma_fetch_from_context, context,
									  *values + statement->count, *nulls + statement->count);
		if (statement->plan != NULL &&
			(!same || ((formulas->reads || formulas->source != NULL || formulas->locks != NIL) && formulas->generation != sigma_formula_generation())))
		{
			SPI_freeplan(statement->plan);
			statement->plan = NULL;
		}
		if (statement->plan == NULL)
			statement->plan = make_plan(statement);
	} while (formulas->parameters->count != count);	/* tables have changed what names mean */
}

/* A formula in SQL, for the kinds of values that its references have now. */
static char *
compile(const Statement *statement, RowFormulas *formulas, const RowFormula *formula, bool saving)
{
	bool		condition = formula->column_type == A_CONDITION;
	FormulaScope scope = {0};
	FormulaSql *result;
	char	   *sql;

	scope.place = condition ? "a selector" : "a value";
	scope.row = sigma_rows_of_formulas(formulas, statement != NULL);
	scope.alias = formulas->alias;
	scope.tables = true;
	scope.stored = true;
	scope.saving = saving;
	scope.as_shown = true;
	scope.resolve = sigma_resolve_declared;
	scope.selection = sigma_parameters_selection;
	scope.arg = formulas->parameters;
	result = sigma_formula_compile(formula->text, &scope, condition ? TYPE_LOGICAL : TYPE_ANY);
	formulas->reads = formulas->reads || scope.reads;
	if (condition)
		return result->sql;
	sql = in_column(result, (ColumnType) formula->column_type);
	if (sql == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is %s, and the formula yields %s", formula->column,
						sigma_column_types[formula->column_type].name, sigma_formula_type_name(result->type))));
	return sql;
}

/* A value as a column's type takes it; NULL where it never does. */
static char *
in_column(FormulaSql *value, ColumnType type)
{
	if (value->form == SQL_NULL)
		return psprintf("NULL::%s", sigma_column_types[type].sql);
	switch (type)
	{
		case COLUMN_TEXT:
		case COLUMN_DROPDOWN:
			return in_text(value);
		case COLUMN_NUMBER:
		case COLUMN_FLOAT:
			return value->type == TYPE_NUMBER ? psprintf("%s::%s", value->sql, sigma_column_types[type].sql) : NULL;
		case COLUMN_INTEGER:
			if (value->form == SQL_INT4 || value->form == SQL_INT8)
				return psprintf("%s::pg_catalog.int8", value->sql);
			/* by way of its text: a number that is not whole is an error, not rounded */
			return value->type == TYPE_NUMBER ?
				psprintf("pg_catalog.trim_scale(%s::pg_catalog.numeric)::pg_catalog.text::pg_catalog.int8", value->sql) : NULL;
		case COLUMN_DATE:
		case COLUMN_DATETIME:
			return value->type == TYPE_DATE ? psprintf("%s::%s", value->sql, sigma_column_types[type].sql) :
				value->from_json && value->type == TYPE_TEXT ?
				psprintf("sigma.fn_date(%s)::%s", value->sql, sigma_column_types[type].sql) : NULL;
		case COLUMN_CHECKBOX:
			return value->type == TYPE_LOGICAL ? value->sql : NULL;
		case COLUMN_MULTI_SELECT:
			return value->form == SQL_TEXT_ARRAY ? value->sql :
				value->form == SQL_JSONB ? psprintf("ARRAY(SELECT pg_catalog.jsonb_array_elements_text(%s))", value->sql) : NULL;
		case COLUMN_JSON:
			return sigma_formula_in_form(value, SQL_JSONB) == NULL ? psprintf("sigma.fn_variant(%s)", value->sql) :
				sigma_formula_in_form(value, SQL_JSONB)->sql;
		case COLUMN_FILE:
			return value->form == SQL_JSONB ? value->sql : NULL;
	}
	return NULL;
}

/* As text, like the value of a run as JSON would be: numbers without needless zeros, dates as in JSON. */
static char *
in_text(const FormulaSql *value)
{
	switch (value->form)
	{
		case SQL_TEXT:
			return value->sql;
		case SQL_NUMERIC:
		case SQL_FLOAT8:
			return psprintf("pg_catalog.trim_scale(%s::pg_catalog.numeric)::pg_catalog.text", value->sql);
		case SQL_DATE:
		case SQL_TIMESTAMP:
			return psprintf("pg_catalog.to_char(%s::pg_catalog.timestamp, 'YYYY-MM-DD HH24:MI:SS'::pg_catalog.text)", value->sql);
		case SQL_JSONB:
			return psprintf("(%s OPERATOR(pg_catalog.#>>) '{}'::pg_catalog.text[])", value->sql);
		case SQL_TEXT_ARRAY:
			return NULL;
		default:
			return psprintf("%s::pg_catalog.text", value->sql);
	}
}

/* A kept plan of the whole statement. */
static SPIPlanPtr
make_plan(const Statement *statement)
{
	RowFormulas *formulas = statement->formulas;
	uint64		generation = sigma_formula_generation();
	StringInfoData sql;
	SPIPlanPtr	plan;
	ListCell   *lc;
	List	   *locks;
	Oid		   *types;
	int			done = 0;
	int			count;
	int			i;

	initStringInfo(&sql);
	formulas->reads = false;
	foreach(lc, formulas->items)
	{
		const RowFormula *formula = lfirst(lc);

		appendBinaryStringInfo(&sql, statement->sql + done, formula->at - done);
		appendStringInfoString(&sql, compile(statement, formulas, formula, false));
		done = formula->at;
	}
	appendStringInfoString(&sql, statement->sql + done);
	if (formulas->source != NULL)
		appendStringInfo(&sql, " FROM %s AS s", sigma_rows_of_formulas(formulas, true)->from);
	count = formulas->parameters->count;
	types = palloc(sizeof(Oid) * (statement->count + count + 1));
	memcpy(types, statement->types, sizeof(Oid) * statement->count);
	for (i = 0; i < count; i++)
		types[statement->count + i] = sigma_sql_form_oid(formulas->parameters->items[i].form);
	plan = SPI_prepare(sql.data, statement->count + count, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	locks = sigma_trust_check_plan(plan);
	SPI_keepplan(plan);
	list_free(formulas->locks);
	formulas->locks = sigma_trust_keep(locks, GetMemoryChunkContext(formulas));
	formulas->generation = generation;
	return plan;
}
