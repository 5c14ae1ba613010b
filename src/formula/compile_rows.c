/*
 * compile_rows.c
 *		Aggregates and window functions.
 *
 * An aggregate is a value: a scalar subquery over the rows it reads, whatever
 * stands around it, so that a column may be compared with its own total.  In the
 * formula of a lookup it belongs to the lookup's query and is over the matching
 * rows.  A window function sees all rows of the formula's own table in their
 * order and stands in computed columns only.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"

#include "formula/compiler.h"

#define WHOLE_TABLE		"ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
/* Rows above and below, and other constant numbers, are at most this. */
#define MAX_CONSTANT	1000000000

static FormulaSql *compile_over_rows(FormulaCompiler *compiler, const FormulaNode *node,
									 const FormulaFunction *function);
static FormulaSql *compile_matching(FormulaCompiler *compiler, const FormulaNode *node,
									const FormulaFunction *function);
static int	count_outer_uses(FormulaFrame *frame);
static FormulaSql *build_aggregate(FormulaCompiler *compiler, const FormulaNode *node,
								   const FormulaFunction *function);
static FormulaSql *build_product(FormulaCompiler *compiler, const FormulaNode *node,
								 const FormulaFunction *function);
static void check_ordered(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function,
						  FormulaSql *value);
static bool is_window(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function);
static void refuse_window(FormulaCompiler *compiler, const FormulaNode *node);
static FormulaSql *compile_visibility(FormulaCompiler *compiler, const FormulaNode *node);
static char *argument_order(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function,
							FormulaSql **arguments, int count);
static char *bounds_of(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function);
static int	find_argument(const FormulaFunction *function, const char *name);

/* An aggregate; see the errors of sigma_compile_choose_rows(). */
FormulaSql *
sigma_compile_aggregate(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	sigma_compile_check_tables(compiler, node);
	if (strcmp(function->name, "Subtotal") == 0 || strcmp(function->name, "GrandTotal") == 0)
		return sigma_compile_total(compiler, node);
	if (strcmp(function->name, "PercentOfTotal") == 0)
		return sigma_compile_percent(compiler, node);
	if (strcmp(function->name, "SparklineAgg") == 0)
		return sigma_compile_sparkline(compiler, node);
	return compile_over_rows(compiler, node, function);
}

/* An aggregate over the matching rows of a lookup, or as a subquery. */
static FormulaSql *
compile_over_rows(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	FormulaFrame frame = {0};
	FormulaRows rows;
	FormulaSql *value;
	FormulaSql *result;

	sigma_compile_choose_rows(compiler, node, &rows);
	if (rows.matching)
		return compile_matching(compiler, node, function);
	sigma_compile_push_frame(compiler, &frame, rows.relation);
	value = build_aggregate(compiler, node, function);
	sigma_compile_pop_frame(compiler, &frame);
	if (value->form == SQL_NULL)
		return sigma_compile_node(compiler, sigma_formula_parse("Null"));
	result = sigma_compile_result(compiler, value->form,
								  psprintf("(SELECT %s FROM %s)", value->sql, sigma_compile_from(&frame)));
	result->from_json = value->from_json;
	return result;
}

/*
 * An aggregate of the lookup's query.  SQL takes an aggregate whose arguments name
 * columns from outside alone for one of the query outside: refused.
 */
static FormulaSql *
compile_matching(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	FormulaFrame *frame = compiler->frame;
	int			uses = frame->uses;
	int			outside = count_outer_uses(frame);
	FormulaSql *value;

	if (frame->in_aggregate)
		sigma_compile_error(compiler, node, ERRCODE_GROUPING_ERROR, "Put the inner one into a column of its own.",
							"aggregates of a lookup cannot be nested");
	frame->in_aggregate = true;
	value = build_aggregate(compiler, node, function);
	frame->in_aggregate = false;
	frame->aggregated = true;
	if (frame->uses == uses && count_outer_uses(frame) != outside)
		sigma_compile_error(compiler, node, ERRCODE_GROUPING_ERROR, NULL,
							"%s reads no column of \"%s\"", node->text, frame->relation->name);
	return value;
}

static int
count_outer_uses(FormulaFrame *frame)
{
	int			uses = 0;

	while ((frame = frame->outer) != NULL)
		uses += frame->uses;
	return uses;
}

/* The call itself, within the query that reads the rows: those of the innermost frame. */
static FormulaSql *
build_aggregate(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	const char *sql = function->sql;
	FormulaSql **arguments;
	FormulaSql *result;
	FormulaRows rows = {0};
	SqlForm		form;
	int			count;

	if (function->class == CLASS_CALL)
		return sigma_compile_database_call(compiler, node, function);
	if (strcmp(function->name, "SumProduct") == 0)
		return build_product(compiler, node, function);
	arguments = sigma_compile_arguments(compiler, node, function, &count);
	form = sigma_compile_check_arguments(compiler, node, function, arguments, count);
	if (count == 0)
		sql = "pg_catalog.count(*)";
	else
		check_ordered(compiler, node, function, arguments[0]);
	if (strncmp(function->name, "Percentile", 10) == 0)
	{
		sigma_compile_find_rows(compiler, node->children[1], true, &rows);
		if (rows.relation != NULL || rows.matching)
			sigma_compile_error(compiler, node->children[1], ERRCODE_GROUPING_ERROR, "Use a number or a control.",
								"argument 2 of %s must be the same for all rows", function->name);
	}
	if (strcmp(function->name, "Nth") == 0)
		sigma_compile_constant(compiler, node, 1, 1);
	result = sigma_compile_result(compiler, form,
								  sigma_compile_rows_template(compiler, sql, arguments, count,
															  argument_order(compiler, node, function, arguments, count),
															  ""));
	result->from_json = sigma_compile_from_json(function, arguments, count);
	return result;
}

/* SumProduct(a, b, ...) */
static FormulaSql *
build_product(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	int			count;
	FormulaSql **arguments = sigma_compile_arguments(compiler, node, function, &count);
	FormulaSql *product = arguments[0];
	int			i;

	(void) sigma_compile_check_arguments(compiler, node, function, arguments, count);
	for (i = 1; i < count; i++)
		product = sigma_compile_binary(compiler, node, OPERATOR_MULTIPLY, product, arguments[i]);
	return sigma_compile_function(compiler, node, sigma_function_find("Sum"), &product, 1);
}

/* Least and greatest are among numbers, dates and texts; 42804 else. */
static void
check_ordered(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function, FormulaSql *value)
{
	if ((strstr(function->name, "Min") == NULL && strstr(function->name, "Max") == NULL) ||
		(value->type != TYPE_LOGICAL && value->type != TYPE_VARIANT))
		return;
	sigma_compile_error(compiler, node->children[0], ERRCODE_DATATYPE_MISMATCH,
						value->type == TYPE_VARIANT ? "Wrap it: Text(...), Number(...) or Date(...)." : NULL,
						"argument 1 of %s: expected number, text or date, received %s", function->name,
						sigma_formula_type_name(value->type));
}

/*
 * A template of an aggregate or window function: "@" is an order, "@+" the order
 * with that of the rows behind it, "#" the bounds of a window.
 */
char *
sigma_compile_rows_template(FormulaCompiler *compiler, const char *sql, FormulaSql **arguments, int count,
							const char *order, const char *bounds)
{
	StringInfoData out;

	initStringInfo(&out);
	for (;;)
	{
		int			length = strcspn(sql, "@#");
		bool		tie = sql[length] == '@' && sql[length + 1] == '+';
		const char *rows;

		appendStringInfoString(&out, sigma_compile_template(compiler, pnstrdup(sql, length), arguments, count));
		if (sql[length] == '\0')
			return out.data;
		appendStringInfoString(&out, sql[length] == '#' ? bounds : order);
		if (tie && (rows = sigma_compile_row_order(compiler, compiler->frame))[0] != '\0' && strcmp(order, rows) != 0)
			appendStringInfo(&out, ", %s", rows + strlen("ORDER BY "));
		sql += length + (tie ? 2 : 1);
	}
}

/* ORDER BY the order of the rows of a frame; "" where they have none. */
char *
sigma_compile_row_order(FormulaCompiler *compiler, FormulaFrame *frame)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, frame->relation->order_by)
		appendStringInfo(&sql, "%s%s", sql.len == 0 ? "ORDER BY " : ", ",
						 sigma_compile_attribute(compiler, frame, lfirst(lc)));
	return sql.data;
}

/* What "@" stands for; 22023 where a direction is neither "asc" nor "desc". */
static char *
argument_order(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function,
			   FormulaSql **arguments, int count)
{
	int			direction = find_argument(function, "direction");
	int			key = find_argument(function, "x");
	bool		descending = false;
	FormulaSql *value;

	if (function->sql == NULL || strchr(function->sql, '@') == NULL)
		return pstrdup("");
	if (direction < 0 || key >= count)
		return sigma_compile_row_order(compiler, compiler->frame);
	if (direction < node->nchildren)
	{
		const FormulaNode *given = node->children[direction];

		descending = given->kind == FORMULA_TEXT && pg_strcasecmp(given->text, "desc") == 0;
		if (!descending && (given->kind != FORMULA_TEXT || pg_strcasecmp(given->text, "asc") != 0))
			sigma_compile_error(compiler, given, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
								"the direction of %s must be \"asc\" or \"desc\"", function->name);
	}
	value = arguments[key];
	return psprintf("ORDER BY %s %s NULLS LAST",
					sigma_sql_in_form(value, function->result == TYPE_VARIANT ? SQL_JSONB :
									  value->form == SQL_NULL ? SQL_TEXT : value->form),
					descending ? "DESC" : "ASC");
}

/* The place of an argument in a signature, or -1. */
static int
find_argument(const FormulaFunction *function, const char *name)
{
	int			i;

	for (i = 0; function->arguments[i].name != NULL; i++)
		if (strcmp(function->arguments[i].name, name) == 0)
			return i;
	return -1;
}

/*
 * An argument that has to be a constant integer; 22023 where it is none, or less
 * than "least".  "i" counts the arguments of the call from 0.
 */
double
sigma_compile_constant(FormulaCompiler *compiler, const FormulaNode *call, int i, double least)
{
	const FormulaNode *node = call->children[i];
	bool		negative = node->kind == FORMULA_OPERATOR && node->op == OPERATOR_NEGATE;
	double		value;

	if (negative)
		node = node->children[0];
	value = node->kind == FORMULA_NUMBER ? strtod(node->text, NULL) : HUGE_VAL;
	if (negative)
		value = -value;
	if (value != rint(value) || fabs(value) > MAX_CONSTANT || value < least)
		sigma_compile_error(compiler, call->children[i], ERRCODE_INVALID_PARAMETER_VALUE, NULL,
							least < -MAX_CONSTANT ? "argument %d of %s must be a constant integer" :
							"argument %d of %s must be a constant integer of at least %.0f", i + 1, call->text, least);
	return value;
}

/* The bounds of a window from the arguments "above" and "below"; a negative one moves its bound past the row. */
static char *
bounds_of(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	int			argument = find_argument(function, "above");
	double		above;
	double		below;

	if (argument < 0)
		return pstrdup("");
	above = sigma_compile_constant(compiler, node, argument, -HUGE_VAL);
	below = node->nchildren > argument + 1 ? sigma_compile_constant(compiler, node, argument + 1, -HUGE_VAL) : 0;
	/* no row lies between; SQL refuses to write it so */
	if (-above > below)
		return pstrdup("ROWS BETWEEN 1 FOLLOWING AND 0 FOLLOWING");
	return psprintf("ROWS BETWEEN %.0f %s AND %.0f %s", fabs(above), above >= 0 ? "PRECEDING" : "FOLLOWING",
					fabs(below), below >= 0 ? "FOLLOWING" : "PRECEDING");
}

/*
 * A window function over the rows of the formula's table.  First, Last and their
 * like are aggregates where they name another table, or where no window function
 * may stand.  42803 where none may; 42P20 within other windows, aggregates and lookups.
 */
FormulaSql *
sigma_compile_window(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	FormulaSql **arguments;
	FormulaSql *result;
	SqlForm		form;
	char	   *order;
	char	   *sql;
	int			count;

	sigma_compile_check_tables(compiler, node);
	if (!is_window(compiler, node, function))
		return compile_over_rows(compiler, node, function);
	if (!compiler->scope->windows || compiler->frame == NULL || !compiler->frame->own_row || compiler->no_window)
		refuse_window(compiler, node);
	if (strcmp(function->name, "VisibilityLimit") == 0)
		return compile_visibility(compiler, node);
	compiler->no_window = true;
	arguments = sigma_compile_arguments(compiler, node, function, &count);
	compiler->no_window = false;
	form = sigma_compile_check_arguments(compiler, node, function, arguments, count);
	if (count > 0)
		check_ordered(compiler, node, function, arguments[0]);
	if (strcmp(function->name, "Nth") == 0 ||
		((strcmp(function->name, "Lag") == 0 || strcmp(function->name, "Lead") == 0) && node->nchildren > 1))
		sigma_compile_constant(compiler, node, 1, 1);
	if (strcmp(function->name, "Ntile") == 0)
		sigma_compile_constant(compiler, node, 0, 1);
	order = argument_order(compiler, node, function, arguments, count);
	if (strstr(function->sql, " OVER ") != NULL)
		sql = sigma_compile_rows_template(compiler, function->sql, arguments, count, order,
										  bounds_of(compiler, node, function));
	else
		sql = psprintf("%s OVER (%s " WHOLE_TABLE ")",
					   sigma_compile_rows_template(compiler, function->sql, arguments, count, "", ""), order);
	result = sigma_compile_result(compiler, form, sql);
	compiler->scope->reads = true;
	return result;
}

/* Is it one here?  What aggregates too is one over the own rows, where window functions may stand. */
static bool
is_window(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function)
{
	FormulaRows rows = {0};

	if (function->sql == NULL || strstr(function->sql, " OVER ") != NULL)
		return true;
	if (!compiler->scope->windows || compiler->frame == NULL || !compiler->frame->own_row || compiler->no_window)
		return false;
	sigma_compile_choose_rows(compiler, node, &rows);
	return rows.relation == compiler->own;
}

/* Raise the error about a window function where none may stand. */
static void
refuse_window(FormulaCompiler *compiler, const FormulaNode *node)
{
	if (compiler->scope->windows && compiler->frame != NULL)
		sigma_compile_error(compiler, node, ERRCODE_WINDOWING_ERROR,
							"Put it into a column of its own and name that column.",
							"%s cannot stand inside an aggregate, a lookup or another window function", node->text);
	sigma_compile_error(compiler, node, ERRCODE_GROUPING_ERROR,
						"Put it into a computed column of a table: there it sees the rows in their order.",
						"%s cannot use %s", compiler->scope->place, node->text);
}

/*
 * VisibilityLimit(output, limit, [rank]): the rank is a number, or the name of a
 * ranking function, which ranks by the output itself.
 */
static FormulaSql *
compile_visibility(FormulaCompiler *compiler, const FormulaNode *node)
{
	const FormulaFunction *function = sigma_function_find("Rank");
	FormulaNode rank = {.kind = FORMULA_CALL, .text = "Rank", .children = node->children, .nchildren = 1,
	.position = node->position};
	FormulaSql *values[2];
	FormulaSql *limit;

	if (node->nchildren > 2 && node->children[2]->kind == FORMULA_TEXT)
	{
		function = sigma_function_find(node->children[2]->text);
		if (function == NULL || (strcmp(function->name, "Rank") != 0 && strcmp(function->name, "RankDense") != 0 &&
								 strcmp(function->name, "RowNumber") != 0))
			sigma_compile_error(compiler, node->children[2], ERRCODE_INVALID_PARAMETER_VALUE, NULL,
								"unknown type of rank: it is \"Rank\", \"RankDense\" or \"RowNumber\"");
		rank.text = function->name;
	}
	values[0] = sigma_compile_node(compiler, node->nchildren > 2 && node->children[2]->kind != FORMULA_TEXT ?
								   node->children[2] : &rank);
	values[1] = limit = sigma_compile_node(compiler, node->children[1]);
	if (!sigma_sql_fit(values[0], TYPE_NUMBER))
		sigma_compile_type_error(compiler, node->children[2], "argument 3 of VisibilityLimit", TYPE_NUMBER, values[0]);
	if (!sigma_sql_fit(limit, TYPE_NUMBER))
		sigma_compile_type_error(compiler, node->children[1], "argument 2 of VisibilityLimit", TYPE_NUMBER, limit);
	limit = sigma_compile_binary(compiler, node, OPERATOR_LE, values[0], values[1]);
	values[0] = limit;
	values[1] = sigma_compile_node(compiler, node->children[0]);
	return sigma_compile_function(compiler, node, sigma_function_find("If"), values, 2);
}
