/*
 * compile_join.c
 *		Lookup, Rollup, LookupMatchNulls and DateLookback.
 *
 * A lookup is a scalar subquery over the rows of one other table whose keys are
 * equal.  Where several match and the formula aggregates nothing, the least of
 * the values is taken, so that the answer does not depend on a plan.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "formula/compiler.h"

static FormulaRelation *find_external(FormulaCompiler *compiler, const FormulaNode *node);
static void find_tables(FormulaCompiler *compiler, const FormulaNode *node, FormulaRelation **external, bool formula);
static FormulaSql *compile_key(FormulaCompiler *compiler, const FormulaNode *node, const FormulaNode *at,
							   int number, FormulaSql *local, FormulaSql *external, bool match_nulls);
static FormulaSql *compile_local(FormulaCompiler *compiler, const FormulaNode *node);
static void fit_index(FormulaSql *local, const FormulaSql *external);
static bool goes_bare(FormulaFrame *frame);
static FormulaSql *compile_value(FormulaCompiler *compiler, const FormulaNode *node, FormulaFrame *frame,
								 const char *condition);
static FormulaSql *compile_lookback(FormulaCompiler *compiler, const FormulaNode *node);

/* A call of one of them.  42P10 where keys name no table, or several; 42804 where keys are of different kinds. */
FormulaSql *
sigma_compile_join(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	int			nkeys = (node->nchildren - 1) / 2;
	FormulaFrame frame = {0};
	FormulaSql **locals;
	StringInfoData condition;
	int			i;

	sigma_compile_check_tables(compiler, node);
	if (strcmp(function->name, "DateLookback") == 0)
		return compile_lookback(compiler, node);
	locals = palloc(sizeof(FormulaSql *) * nkeys);
	for (i = 0; i < nkeys; i++)
		locals[i] = compile_local(compiler, node->children[2 * i + 1]);
	sigma_compile_push_frame(compiler, &frame, find_external(compiler, node));
	frame.named_only = true;
	frame.renamed = goes_bare(frame.outer);
	initStringInfo(&condition);
	for (i = 0; i < nkeys; i++)
	{
		FormulaSql *external = sigma_compile_node(compiler, node->children[2 * i + 2]);
		FormulaSql *equal = compile_key(compiler, node, node->children[2 * i + 1], i + 1, locals[i], external,
										strcmp(function->name, "LookupMatchNulls") == 0);

		appendStringInfo(&condition, "%s%s", i > 0 ? " AND " : "", equal->sql);
	}
	return compile_value(compiler, node, &frame, condition.data);
}

/* The own row's side of a key: it comes to stand in a WHERE clause, where no window function may. */
static FormulaSql *
compile_local(FormulaCompiler *compiler, const FormulaNode *node)
{
	bool		outer = compiler->no_window;
	FormulaSql *local;

	compiler->no_window = true;
	local = sigma_compile_node(compiler, node);
	compiler->no_window = outer;
	return local;
}

/* The one table that the outer keys name, and that the formula may name beside the own one. */
static FormulaRelation *
find_external(FormulaCompiler *compiler, const FormulaNode *node)
{
	FormulaRelation *external = NULL;
	int			i;

	for (i = 2; i < node->nchildren; i += 2)
	{
		FormulaRelation *before = external;

		external = NULL;
		find_tables(compiler, node->children[i], &external, false);
		if (external == NULL)
			sigma_compile_error(compiler, node->children[i], ERRCODE_INVALID_COLUMN_REFERENCE,
								"Name the key as [Table/Column].", "argument %d of %s names no column of another table",
								i + 1, node->text);
		external = before == NULL ? external : before;
		find_tables(compiler, node->children[i], &external, false);
	}
	find_tables(compiler, node->children[0], &external, true);
	return external;
}

/*
 * Finds the table that a part of the call names.  42P10 where it is not the one
 * found before; in the formula, columns of the own row may stand beside it.
 */
static void
find_tables(FormulaCompiler *compiler, const FormulaNode *node, FormulaRelation **external, bool formula)
{
	const FormulaFunction *function = node->kind == FORMULA_CALL ? sigma_function_find(node->text) : NULL;
	int			i;

	check_stack_depth();
	if (node->kind == FORMULA_REFERENCE && node->source != NULL)
	{
		FormulaRows rows = {0};
		FormulaFrame *frame = sigma_compile_find_frame(compiler, node->source);

		sigma_compile_find_rows(compiler, node, false, &rows);
		if (rows.relation == NULL && rows.matching)
			rows.relation = frame->relation;
		if (rows.relation == NULL || (formula && (rows.selection || rows.relation == compiler->own) &&
									  rows.relation != *external))
			return;
		if (*external != NULL && *external != rows.relation &&
			!(OidIsValid(rows.relation->relid) && (*external)->relid == rows.relation->relid) &&
			!(rows.selection && (*external)->from_json))
			sigma_compile_error(compiler, node, ERRCODE_INVALID_COLUMN_REFERENCE, NULL,
								"Rollup cannot reference more than one external relation");
		*external = rows.relation;
	}
	else if (function == NULL || function->class != CLASS_JOIN)
		for (i = 0; i < node->nchildren; i++)
			find_tables(compiler, node->children[i], external, formula);
}

/* Equality of a key on both sides. */
static FormulaSql *
compile_key(FormulaCompiler *compiler, const FormulaNode *node, const FormulaNode *at, int number, FormulaSql *local,
			FormulaSql *external, bool match_nulls)
{
	FormulaSql *sides[2] = {external, local};
	FormulaType type;
	SqlForm		form;
	FormulaSql *equal;
	int			wrong;

	if (!sigma_sql_unify(sides, 2, &type, &form, &wrong))
		sigma_compile_type_error(compiler, at, psprintf("key %d of %s", number, node->text), external->type, local);
	if (!match_nulls)
	{
		fit_index(local, external);
		return sigma_compile_binary(compiler, at, OPERATOR_EQ, external, local);
	}
	external->sql = sigma_sql_in_form(external, external->form == SQL_NULL ? form : external->form);
	local->sql = sigma_sql_in_form(local, local->form == SQL_NULL ? form : local->form);
	equal = sigma_compile_binary(compiler, at, OPERATOR_EQ, external, local);
	return sigma_compile_result(compiler, SQL_BOOL,
								psprintf("(%s OR (%s IS NULL AND %s IS NULL))", equal->sql, external->sql, local->sql));
}

/*
 * A number of a context is a numeric: beside a column of integers it is brought to
 * their type, so that their index is of use, where that does not change it.
 */
static void
fit_index(FormulaSql *local, const FormulaSql *external)
{
	const char *type = external->form == SQL_INT4 ? "sigma.fn_int4" : "sigma.fn_int8";

	if (local->form != SQL_NUMERIC || !local->simple || (external->form != SQL_INT4 && external->form != SQL_INT8))
		return;
	local->sql = psprintf("(CASE WHEN %s(%s) OPERATOR(pg_catalog.=) %s THEN %s(%s) END)", type, local->sql, local->sql,
						  type, local->sql);
	local->form = external->form;
}

/* Do rows further out go by bare column names? */
static bool
goes_bare(FormulaFrame *frame)
{
	for (; frame != NULL; frame = frame->outer)
		if (frame->alias[0] == '\0')
			return true;
	return false;
}

/* The formula of a lookup over the rows for which the condition holds; ends the frame. */
static FormulaSql *
compile_value(FormulaCompiler *compiler, const FormulaNode *node, FormulaFrame *frame, const char *condition)
{
	FormulaSql *value;

	frame->plain = NULL;
	frame->grouped = true;
	value = sigma_compile_node(compiler, node->children[0]);
	if (frame->aggregated || strcmp(node->text, "Rollup") == 0)
		sigma_compile_need_aggregate(compiler, node, frame);
	sigma_compile_pop_frame(compiler, frame);
	/* what is Null whatever the rows needs none of them, and its SQL may not stand without them */
	if (value->form == SQL_NULL)
		return sigma_compile_node(compiler, sigma_formula_parse("Null"));
	return sigma_compile_result(compiler, value->form,
								psprintf("(SELECT %s FROM %s WHERE %s%s)", value->sql, sigma_compile_from(frame),
										 condition, frame->aggregated ? "" : " ORDER BY 1 LIMIT 1"));
}

/*
 * DateLookback(value, date, amount, period): the value of the rows of the own table
 * that lie so many periods before this one's date.
 */
static FormulaSql *
compile_lookback(FormulaCompiler *compiler, const FormulaNode *node)
{
	FormulaNode amount = {.kind = FORMULA_OPERATOR, .op = OPERATOR_NEGATE, .children = &node->children[2],
	.nchildren = 1, .position = node->children[2]->position};
	FormulaNode *shift[3] = {node->children[3], &amount, node->children[1]};
	FormulaNode before = {.kind = FORMULA_CALL, .text = "DateAdd", .children = shift, .nchildren = 3,
	.position = node->position};
	FormulaFrame *row = sigma_compile_find_frame(compiler, NULL);
	FormulaFrame frame = {0};
	FormulaSql *local;
	FormulaSql *external;

	if (row == NULL)
		sigma_compile_error(compiler, node, ERRCODE_GROUPING_ERROR, "Use it in a computed column.",
							"%s cannot use %s", compiler->scope->place, node->text);
	local = compile_local(compiler, &before);
	sigma_compile_push_frame(compiler, &frame, row->relation);
	frame.renamed = goes_bare(frame.outer);
	external = sigma_compile_node(compiler, node->children[1]);
	return compile_value(compiler, node, &frame,
						 compile_key(compiler, node, node->children[1], 1, local, external, false)->sql);
}
