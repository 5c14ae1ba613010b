/*
 * compile_total.c
 *		Totals, shares of totals and series.
 *
 * A table has no groupings here: the grand total and the parent's total are the
 * aggregate over the whole table, and a row's share is that of the row alone.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "formula/compiler.h"

static void check_mode(FormulaCompiler *compiler, const FormulaNode *node);
static FormulaSql *compile_row_part(FormulaCompiler *compiler, const FormulaNode *node, FormulaFrame *row);
static char *one_row(FormulaCompiler *compiler, FormulaFrame *frame, FormulaFrame *row);

/* Subtotal(aggregate, mode, [levels]) and GrandTotal(aggregate): the aggregate over all rows. */
FormulaSql *
sigma_compile_total(FormulaCompiler *compiler, const FormulaNode *node)
{
	FormulaFrame *frame = compiler->frame;
	const FormulaNode *before = frame == NULL ? NULL : frame->plain;
	FormulaSql *value;

	if (!sigma_compile_has_aggregate(node->children[0]))
		sigma_compile_error(compiler, node->children[0], ERRCODE_GROUPING_ERROR, "Use one, as in Sum([Column]).",
							"%s needs an aggregate", node->text);
	check_mode(compiler, node);
	if (frame != NULL)
		frame->plain = NULL;
	value = sigma_compile_node(compiler, node->children[0]);
	if (frame != NULL)
	{
		if (frame->plain != NULL && !frame->in_aggregate)
			sigma_compile_error(compiler, frame->plain, ERRCODE_GROUPING_ERROR,
								"Put it into an aggregate, as in Max([Column]).",
								"a column has many values here: \"[%s]\"", frame->plain->text);
		frame->plain = before;
	}
	return value;
}

/*
 * PercentOfTotal(aggregate, [mode], [levels]): the aggregate over the row alone,
 * divided by that over all rows.  Where there is no row, everything is the total.
 */
FormulaSql *
sigma_compile_percent(FormulaCompiler *compiler, const FormulaNode *node)
{
	FormulaFrame *row = sigma_compile_find_frame(compiler, NULL);
	FormulaRows rows = {0};
	FormulaSql *part;
	FormulaSql *total;

	sigma_compile_find_rows(compiler, node->children[0], true, &rows);
	if (rows.matching)
		sigma_compile_error(compiler, node, ERRCODE_FEATURE_NOT_SUPPORTED, "Put it into a column of the other table.",
							"%s cannot stand in a lookup", node->text);
	total = sigma_compile_total(compiler, node);
	if (!sigma_sql_fit(total, TYPE_NUMBER))
		sigma_compile_type_error(compiler, node->children[0], "argument 1 of PercentOfTotal", TYPE_NUMBER, total);
	if (row != NULL && (rows.relation == NULL || rows.relation == compiler->own))
		part = compile_row_part(compiler, node, row);
	else
		part = sigma_compile_total(compiler, node);
	return sigma_compile_binary(compiler, node, OPERATOR_DIVIDE, part, total);
}

/* The aggregate over one row: that row's columns are the only row of a subquery. */
static FormulaSql *
compile_row_part(FormulaCompiler *compiler, const FormulaNode *node, FormulaFrame *row)
{
	FormulaFrame frame = {0};
	FormulaSql *value;

	sigma_compile_push_frame(compiler, &frame, row->relation);
	frame.grouped = true;
	frame.renamed = true;
	value = sigma_compile_node(compiler, node->children[0]);
	sigma_compile_need_aggregate(compiler, node, &frame);
	sigma_compile_pop_frame(compiler, &frame);
	return sigma_compile_result(compiler, value->form == SQL_NULL ? SQL_NUMERIC : value->form,
								psprintf("(SELECT %s FROM %s)", sigma_sql_in_form(value, value->form),
										 one_row(compiler, &frame, row)));
}

/* The columns of "row" that are read in "frame", as an item of FROM. */
static char *
one_row(FormulaCompiler *compiler, FormulaFrame *frame, FormulaFrame *row)
{
	StringInfoData sql;
	ListCell   *lc;
	int			number = 0;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "(SELECT");
	foreach(lc, frame->attributes)
	{
		appendStringInfo(&sql, "%s %s AS \"%s.%d\"", number > 0 ? "," : "",
						 sigma_compile_attribute(compiler, row, lfirst(lc)), frame->alias, number + 1);
		number++;
	}
	appendStringInfo(&sql, ") AS %s", frame->alias);
	return sql.data;
}

/* Raises 0A000 where a mode needs groupings, pivots or charts; 22023 where there is no such mode. */
static void
check_mode(FormulaCompiler *compiler, const FormulaNode *node)
{
	static const char *const modes[] = {"grand_total", "parent_grouping", "color", "x_axis", "trellis_row",
	"trellis_column", "row", "column", "row_parent", "column_parent"};
	const FormulaNode *mode = node->nchildren > 1 ? node->children[1] : NULL;
	int			i = 0;

	if (mode == NULL)
		return;
	while (i < lengthof(modes) && (mode->kind != FORMULA_TEXT || strcmp(modes[i], mode->text) != 0))
		i++;
	if (i == lengthof(modes))
		sigma_compile_error(compiler, mode, ERRCODE_INVALID_PARAMETER_VALUE, "Use \"grand_total\" or \"parent_grouping\".",
							"unknown mode of %s", node->text);
	if (i > 1 || (node->nchildren > 2 && sigma_compile_constant(compiler, node, 2, 0) > 1))
		sigma_compile_error(compiler, node->children[i > 1 ? 1 : 2], ERRCODE_FEATURE_NOT_SUPPORTED,
							"A table without groupings has one total: use \"grand_total\".",
							"%s needs groupings, which tables do not have here", node->text);
}

/* SparklineAgg(category, aggregate): an array of {x, y}, by x. */
FormulaSql *
sigma_compile_sparkline(FormulaCompiler *compiler, const FormulaNode *node)
{
	FormulaFrame frame = {0};
	FormulaRows rows = {0};
	FormulaSql *x;
	FormulaSql *y;
	FormulaSql	column = {0};
	char	   *from;

	sigma_compile_find_rows(compiler, node, true, &rows);
	if (rows.matching || (compiler->frame != NULL && compiler->frame->grouped))
		sigma_compile_error(compiler, node, ERRCODE_FEATURE_NOT_SUPPORTED, "Put it into a column of the other table.",
							"%s cannot stand in a lookup", node->text);
	if (rows.relation == NULL)
		sigma_compile_choose_rows(compiler, node, &rows);
	if (rows.second != NULL)
		sigma_compile_error(compiler, rows.second, ERRCODE_GROUPING_ERROR, NULL,
							"%s cannot read rows of two tables at once", node->text);
	sigma_compile_push_frame(compiler, &frame, rows.relation);
	x = sigma_compile_node(compiler, node->children[0]);
	frame.plain = NULL;
	frame.grouped = true;
	y = sigma_compile_node(compiler, node->children[1]);
	sigma_compile_need_aggregate(compiler, node, &frame);
	if (!sigma_sql_fit(y, TYPE_NUMBER))
		sigma_compile_type_error(compiler, node->children[1], "argument 2 of SparklineAgg", TYPE_NUMBER, y);
	sigma_compile_pop_frame(compiler, &frame);
	from = psprintf("(SELECT %s AS x, %s AS y FROM %s GROUP BY 1) AS %s",
					sigma_sql_in_form(x, x->form == SQL_NULL ? SQL_TEXT : x->form),
					sigma_sql_in_form(y, y->form == SQL_NULL ? SQL_NUMERIC : y->form), sigma_compile_from(&frame),
					frame.alias);
	column.form = x->form == SQL_NULL ? SQL_TEXT : x->form;
	column.type = sigma_sql_form_kind(column.form);
	column.sql = psprintf("%s.x", frame.alias);
	return sigma_compile_result(compiler, SQL_JSONB,
								psprintf("(SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object("
										 "'x'::pg_catalog.text, %s, 'y'::pg_catalog.text, %s.y) ORDER BY %s.x), "
										 "'[]'::pg_catalog.jsonb) FROM %s)",
										 sigma_sql_in_form(&column, SQL_JSONB), frame.alias, frame.alias, from));
}
