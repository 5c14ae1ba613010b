/*
 * compile_sources.c
 *		Which rows an aggregate reads, and the frames that stand for rows.
 *
 * An aggregate is over the rows of the columns it names: [Table/x] those of the
 * table, [x] those of the formula's own table, [Selection/x] the selected ones.
 * Columns of two tables in one aggregate have no rows in common and are refused;
 * within a lookup the matching rows are meant, and columns of the own row may
 * stand beside theirs.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "common/catalog.h"
#include "formula/compiler.h"

static void find_in_call(FormulaCompiler *compiler, const FormulaNode *node, bool deep, FormulaRows *rows);
static void add_reference(FormulaCompiler *compiler, const FormulaNode *node, FormulaRows *rows);
static void add_relation(FormulaRelation *relation, const FormulaNode *node, FormulaRows *rows);
static bool aggregates(const FormulaNode *node);
static bool captures(FormulaCompiler *compiler, const char *alias);

/*
 * The rows of the columns that a part of a formula names itself, added to *rows;
 * with "deep" those in aggregates within it too.  42P01 where a table is unknown.
 */
void
sigma_compile_find_rows(FormulaCompiler *compiler, const FormulaNode *node, bool deep, FormulaRows *rows)
{
	int			i;

	check_stack_depth();
	if (node->kind == FORMULA_REFERENCE)
		add_reference(compiler, node, rows);
	else if (node->kind == FORMULA_CALL)
		find_in_call(compiler, node, deep, rows);
	else
		for (i = 0; i < node->nchildren; i++)
			sigma_compile_find_rows(compiler, node->children[i], deep, rows);
}

/* A lookup reads rows of its own: only the keys on this side belong to the rows around it. */
static void
find_in_call(FormulaCompiler *compiler, const FormulaNode *node, bool deep, FormulaRows *rows)
{
	const FormulaFunction *function = sigma_function_find(node->text);
	bool		lookup = function != NULL && function->class == CLASS_JOIN && strcmp(function->name, "DateLookback") != 0;
	int			i;

	if (!deep && aggregates(node))
		return;
	for (i = lookup ? 1 : 0; i < node->nchildren; i += lookup ? 2 : 1)
		sigma_compile_find_rows(compiler, node->children[i], deep, rows);
}

static void
add_reference(FormulaCompiler *compiler, const FormulaNode *node, FormulaRows *rows)
{
	FormulaFrame *frame = sigma_compile_find_frame(compiler, node->source);
	FormulaRelation *relation;

	if (node->source == NULL)
	{
		/* else it is a control */
		if (compiler->own != NULL &&
			sigma_compile_find_column(compiler, node, compiler->own, node->text) != NULL)
		{
			if (frame != NULL && frame->grouped && frame == compiler->frame)
				rows->matching = true;
			else
				add_relation(compiler->own, node, rows);
		}
		return;
	}
	if (frame != NULL && frame->grouped && frame == compiler->frame)
	{
		rows->matching = true;
		return;
	}
	if (sigma_compile_is_context(node->source))
	{
		if (pg_strcasecmp(node->source, "Selection") != 0 || compiler->scope->selection == NULL)
			return;
		relation = compiler->scope->selection(compiler->scope, node->text);
		if (rows->selection)
			rows->relation = relation;
		else
			add_relation(relation, node, rows);
		rows->selection = rows->second == NULL;
		return;
	}
	relation = frame != NULL ? frame->relation : sigma_compile_find_table(compiler, node->source);
	if (relation == NULL)
		sigma_compile_error(compiler, node, ERRCODE_UNDEFINED_TABLE,
								sigma_catalog_nearest(DOCUMENT_INPUT_TABLE, node->source), "unknown table \"%s\"", node->source);
	add_relation(relation, node, rows);
}

static void
add_relation(FormulaRelation *relation, const FormulaNode *node, FormulaRows *rows)
{
	if (rows->relation == NULL)
		rows->relation = relation;
	else if (rows->selection || !(rows->relation == relation ||
								  (OidIsValid(relation->relid) && rows->relation->relid == relation->relid)))
	{
		if (rows->second == NULL)
			rows->second = node;
	}
}

/* Is it a call that reads many rows and gives one value? */
static bool
aggregates(const FormulaNode *node)
{
	const FormulaFunction *function = node->kind == FORMULA_CALL ? sigma_function_find(node->text) : NULL;

	return function != NULL &&
		(function->class == CLASS_AGGREGATE || function->class == CLASS_WINDOW ||
		 (function->class == CLASS_CALL && strncmp(function->name, "Agg", 3) == 0));
}

/* Does an aggregate stand somewhere in it? */
bool
sigma_compile_has_aggregate(const FormulaNode *node)
{
	int			i;

	check_stack_depth();
	if (aggregates(node))
		return true;
	for (i = 0; i < node->nchildren; i++)
		if (sigma_compile_has_aggregate(node->children[i]))
			return true;
	return false;
}

/*
 * The rows that an aggregate reads: of the columns in its arguments; where they
 * name none, the lookup's, else those of the own table.  42803 where there are
 * none, or where columns of two tables are named.
 */
void
sigma_compile_choose_rows(FormulaCompiler *compiler, const FormulaNode *node, FormulaRows *rows)
{
	int			i;

	memset(rows, 0, sizeof(*rows));
	for (i = 0; i < node->nchildren; i++)
		sigma_compile_find_rows(compiler, node->children[i], false, rows);
	if (rows->relation == NULL && compiler->frame != NULL && compiler->frame->grouped)
		rows->matching = true;
	if (rows->matching)
		return;
	if (rows->second != NULL)
		sigma_compile_error(compiler, rows->second, ERRCODE_GROUPING_ERROR,
							"Rollup(aggregate, [key], [Table/key]) aggregates the rows of a table that belong to a row.",
							"%s cannot read rows of two tables at once", node->text);
	if (rows->relation == NULL)
		rows->relation = compiler->own;
	if (rows->relation == NULL)
		sigma_compile_error(compiler, node, ERRCODE_GROUPING_ERROR,
							"Name a column, as in Sum([Table/Column]) or Count([Table/Column]).",
							"there are no rows that %s could read", node->text);
}

/* Raises 0A000 where other rows than the own one may not be read. */
void
sigma_compile_check_tables(FormulaCompiler *compiler, const FormulaNode *node)
{
	if (!compiler->scope->tables)
		sigma_compile_error(compiler, node, ERRCODE_FEATURE_NOT_SUPPORTED,
							"It sees one row of its own table: use a computed column, values_from or a condition of a sequence.",
							"%s cannot use %s", compiler->scope->place, node->text);
}

/*
 * Begins to read rows of a relation, under an alias of its own; the caller gave a
 * zeroed frame.  Their names are visible until sigma_compile_pop_frame().
 */
void
sigma_compile_push_frame(FormulaCompiler *compiler, FormulaFrame *frame, FormulaRelation *relation)
{
	do
		frame->alias = psprintf("s%d", ++compiler->aliases);
	while (captures(compiler, frame->alias));
	frame->relation = relation;
	frame->outer = compiler->frame;
	compiler->frame = frame;
	if (OidIsValid(relation->relid))
		compiler->scope->reads = true;
}

/* Would the alias hide one of the formula's own row, or the new names under it a column of that row? */
static bool
captures(FormulaCompiler *compiler, const char *alias)
{
	const FormulaScope *scope = compiler->scope;
	int			i;

	if (scope->row == NULL)
		return false;
	if (strcmp(scope->alias, alias) == 0)
		return true;
	for (i = 0; i < scope->row->ncolumns; i++)
	{
		const char *name = scope->row->columns[i].name;

		if (strncmp(name, alias, strlen(alias)) == 0 && name[strlen(alias)] == '.')
			return true;
	}
	return false;
}

void
sigma_compile_pop_frame(FormulaCompiler *compiler, FormulaFrame *frame)
{
	Assert(compiler->frame == frame);
	compiler->frame = frame->outer;
}

/* The rows of a frame as an item of FROM, when everything that reads them is compiled. */
char *
sigma_compile_from(FormulaFrame *frame)
{
	StringInfoData sql;
	ListCell   *lc;
	int			number = 0;

	if (!frame->renamed)
		return psprintf("%s AS %s", frame->relation->from, frame->alias);
	initStringInfo(&sql);
	appendStringInfoString(&sql, "(SELECT");
	foreach(lc, frame->attributes)
	{
		appendStringInfo(&sql, "%s %s AS \"%s.%d\"", number > 0 ? "," : "", (const char *) lfirst(lc), frame->alias,
						 number + 1);
		number++;
	}
	appendStringInfo(&sql, " FROM %s) AS %s", frame->relation->from, frame->alias);
	return sql.data;
}

/* Raises 42803 where the rows of a frame were not, or not only, read by aggregates. */
void
sigma_compile_need_aggregate(FormulaCompiler *compiler, const FormulaNode *node, FormulaFrame *frame)
{
	if (frame->plain != NULL)
		sigma_compile_error(compiler, frame->plain, ERRCODE_GROUPING_ERROR, "Put it into an aggregate, as in Max([Column]).",
							"a column has many values here: \"[%s]\"", frame->plain->text);
	if (!frame->aggregated)
		sigma_compile_error(compiler, node, ERRCODE_GROUPING_ERROR,
							"Use one, as in Sum([Table/Column]); Lookup() gives a value of one row.",
							"%s needs an aggregate", node->text);
}
