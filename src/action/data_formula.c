/*
 * data_formula.c
 *		Selectors that are formulas over the rows of the table.
 *
 * The formula is checked when the step is compiled; its SQL is made when the step
 * runs, for the kinds of values that the run has, and kept with the plan as long as
 * those stay the same.  The statement is the caller's: rights and row security hold
 * for what the formula reads as for the rows that are written.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "action/data.h"
#include "action/eval.h"
#include "layout/layout.h"

static FormulaSql *compile(RowFormula *formula, bool saving);
static SPIPlanPtr make_plan(const Statement *statement);

/*
 * The condition at the end of the SQL that is being made.  Raises what compiling the
 * formula raises, with the node's path.
 */
void
sigma_row_formula_append(Builder *builder, JsonNode *node)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt = builder->state->cxt;
	RowFormula *formula = MemoryContextAllocZero(cxt, sizeof(RowFormula));

	formula->text = MemoryContextStrdup(cxt, node->string);
	formula->relid = builder->table->nlinked > 0 ? sigma_linked_view(builder->table->id) : builder->table->relid;
	formula->parameters = MemoryContextAllocZero(cxt, sizeof(FormulaParameters));
	formula->parameters->first = builder->count + 1;
	PG_TRY();
	{
		(void) compile(formula, builder->state->saving);
	}
	PG_CATCH();
	{
		sigma_document_rethrow(node, caller);
	}
	PG_END_TRY();
	builder->formula = formula;
	builder->formula_at = builder->sql.len;
}

/*
 * The values of the formula's references in a run, after those of the statement's own
 * parameters; "values" and "nulls" grow.  The plan is made where there is none yet for
 * values of these kinds.  SPI is connected.
 */
void
sigma_row_formula_prepare(Statement *statement, RunContext *context, Datum **values, char **nulls)
{
	RowFormula *formula = statement->formula;
	int			count;

	do
	{
		bool		same;

		count = formula->parameters->count;
		*values = repalloc(*values, sizeof(Datum) * (statement->count + count + 1));
		*nulls = repalloc(*nulls, statement->count + count + 1);
		same = sigma_parameters_fetch(formula->parameters, sigma_fetch_from_context, context,
									  *values + statement->count, *nulls + statement->count);
		if (statement->plan != NULL &&
			(!same || (formula->reads && formula->generation != sigma_formula_generation())))
		{
			SPI_freeplan(statement->plan);
			statement->plan = NULL;
		}
		if (statement->plan == NULL)
			statement->plan = make_plan(statement);
	} while (formula->parameters->count != count);	/* tables have changed what names mean */
}

/* The formula in SQL, for the kinds of values that its references have now. */
static FormulaSql *
compile(RowFormula *formula, bool saving)
{
	FormulaScope scope = {0};
	FormulaSql *result;

	scope.place = "a selector";
	scope.row = sigma_formula_relation(formula->relid);
	scope.alias = "t";
	scope.tables = true;
	scope.stored = true;
	scope.saving = saving;
	scope.as_shown = true;
	scope.resolve = sigma_resolve_declared;
	scope.selection = sigma_parameters_selection;
	scope.arg = formula->parameters;
	result = sigma_formula_compile(formula->text, &scope, TYPE_LOGICAL);
	formula->reads = scope.reads;
	return result;
}

/* A kept plan of the whole statement. */
static SPIPlanPtr
make_plan(const Statement *statement)
{
	RowFormula *formula = statement->formula;
	uint64		generation = sigma_formula_generation();
	FormulaSql *sql = compile(formula, false);
	int			count = formula->parameters->count;
	Oid		   *types = palloc(sizeof(Oid) * (statement->count + count + 1));
	SPIPlanPtr	plan;
	int			i;

	memcpy(types, statement->types, sizeof(Oid) * statement->count);
	for (i = 0; i < count; i++)
		types[statement->count + i] = sigma_sql_form_oid(formula->parameters->items[i].form);
	plan = SPI_prepare(psprintf("%s%s%s", statement->sql, sql->sql, statement->rest), statement->count + count, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	formula->generation = generation;
	return plan;
}
