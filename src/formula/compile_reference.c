/*
 * compile_reference.c
 *		References: columns of rows that are being read, values of the context.
 *
 * A name is looked for exactly, then without regard to case, blanks and underscores.
 * A computed column stands for its formula.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/varlena.h"

#include "catalog/pg_collation.h"
#include "compat.h"
#include "common/catalog.h"
#include "formula/compiler.h"
#include "formula/references.h"

static bool same_rows(const FormulaRelation *a, const FormulaRelation *b);
static char *loose(const char *name);
static FormulaSql *compile_stored(FormulaCompiler *compiler, FormulaFrame *frame, FormulaColumn *column);
static FormulaSql *compile_computed(FormulaCompiler *compiler, FormulaFrame *frame, FormulaColumn *column);
static FormulaSql *compile_column(FormulaCompiler *compiler, const FormulaNode *node, FormulaFrame *frame,
								  FormulaColumn *column);
static bool is_exchanged(const char *a, const char *b);
static void unknown_reference(FormulaCompiler *compiler, const FormulaNode *node, FormulaRelation *relation)
			pg_attribute_noreturn();

/* [control].min, .max, .start and .end: one value of a range control; NULL where it is none. */
FormulaSql *
sigma_compile_context_member(FormulaCompiler *compiler, const FormulaNode *node)
{
	static const char *const members[] = {"min", "max", "start", "end"};
	const FormulaNode *base = node->children[0];
	FormulaSql *result = palloc0(sizeof(FormulaSql));
	int			i;

	if (node->kind != FORMULA_KEY || base->kind != FORMULA_REFERENCE || compiler->scope->resolve == NULL ||
		(base->source != NULL && pg_strcasecmp(base->source, "Control") != 0))
		return NULL;
	if (base->source == NULL && compiler->frame != NULL && sigma_compile_find_frame(compiler, NULL) != NULL &&
		sigma_compile_find_column(compiler, base, sigma_compile_find_frame(compiler, NULL)->relation, base->text) != NULL)
		return NULL;
	for (i = 0; i < lengthof(members); i++)
		if (strcmp(node->text, members[i]) == 0 &&
			compiler->scope->resolve(compiler->scope, base->source, psprintf("%s.%s", base->text, node->text), result))
			return result;
	return NULL;
}

/* A reference: a column of the row or of rows that are being read, else a value of the context. */
FormulaSql *
sigma_compile_reference(FormulaCompiler *compiler, const FormulaNode *node)
{
	FormulaFrame *frame = sigma_compile_find_frame(compiler, node->source);
	FormulaColumn *column = NULL;
	FormulaSql *result = palloc0(sizeof(FormulaSql));

	if (frame != NULL)
		column = sigma_compile_find_column(compiler, node, frame->relation, node->text);
	if (column != NULL)
		return compile_column(compiler, node, frame, column);
	if ((node->source == NULL || sigma_compile_is_context(node->source)) && compiler->scope->resolve != NULL &&
		compiler->scope->resolve(compiler->scope, node->source, node->text, result))
		return result;
	if (node->source != NULL && sigma_compile_is_context(node->source))
		sigma_compile_error(compiler, node, ERRCODE_UNDEFINED_COLUMN, "Name columns of the table itself.",
							"there is no %s in %s", node->source, compiler->scope->place);
	if (node->source != NULL && frame == NULL)
	{
		if (!compiler->scope->tables)
			sigma_compile_error(compiler, node, ERRCODE_FEATURE_NOT_SUPPORTED,
								"It sees one row of its own table: use a computed column, values_from or a condition of a sequence.",
								"%s cannot read other tables", compiler->scope->place);
		if (sigma_compile_find_table(compiler, node->source) == NULL)
			sigma_compile_error(compiler, node, ERRCODE_UNDEFINED_TABLE,
								sigma_catalog_nearest(DOCUMENT_INPUT_TABLE, node->source), "unknown table \"%s\"", node->source);
		sigma_compile_error(compiler, node, ERRCODE_GROUPING_ERROR,
							"Use it in an aggregate, as Sum([Table/Column]), or in Lookup.",
							"\"[%s/%s]\" has many rows", node->source, node->text);
	}
	unknown_reference(compiler, node, frame == NULL ? NULL : frame->relation);
}

/* Is the part before the "/" a word for the context of a run? */
bool
sigma_compile_is_context(const char *source)
{
	static const char *const words[] = {"Selection", "Control", "ActionVar", "Form"};
	int			i;

	for (i = 0; i < lengthof(words); i++)
		if (pg_strcasecmp(source, words[i]) == 0)
			return true;
	return false;
}

/*
 * The rows a reference speaks of: without a source the innermost ones of the
 * formula's own table, with one the innermost ones of that table.
 */
FormulaFrame *
sigma_compile_find_frame(FormulaCompiler *compiler, const char *source)
{
	FormulaFrame *frame;
	FormulaRelation *named;

	if (source == NULL)
	{
		for (frame = compiler->frame; frame != NULL; frame = frame->outer)
			if (compiler->own != NULL && !frame->named_only && same_rows(frame->relation, compiler->own))
				return frame;
		return NULL;
	}
	for (frame = compiler->frame; frame != NULL; frame = frame->outer)
		if (sigma_compile_is_context(source) ? pg_strcasecmp(frame->relation->name, source) == 0 :
			strcmp(frame->relation->name, source) == 0)
			return frame;
	if (sigma_compile_is_context(source) || compiler->frame == NULL ||
		(named = sigma_compile_find_table(compiler, source)) == NULL)
		return NULL;
	for (frame = compiler->frame; frame != NULL; frame = frame->outer)
		if (same_rows(frame->relation, named))
			return frame;
	return NULL;
}

static bool
same_rows(const FormulaRelation *a, const FormulaRelation *b)
{
	return a == b || (OidIsValid(a->relid) && a->relid == b->relid);
}

/* A table that was named, so that every reference to it finds the same one. */
typedef struct CompiledTable
{
	const char *name;
	FormulaRelation *relation;
} CompiledTable;

/* The table of that name, or NULL.  A relation is read once: it knows which of its columns are being compiled. */
FormulaRelation *
sigma_compile_find_table(FormulaCompiler *compiler, const char *name)
{
	CompiledTable *table;
	FormulaRelation *found;
	FormulaRelation *relation;
	ListCell   *lc;

	foreach(lc, compiler->tables)
		if (strcmp((table = lfirst(lc))->name, name) == 0)
			return table->relation;
	relation = found = sigma_formula_find_table(name);
	if (relation == NULL)
		return NULL;
	if (compiler->scope->row != NULL && same_rows(relation, compiler->scope->row))
		relation = compiler->scope->row;
	foreach(lc, compiler->tables)
		if (same_rows(relation, ((CompiledTable *) lfirst(lc))->relation))
			relation = ((CompiledTable *) lfirst(lc))->relation;
	if (relation == found && compiler->scope->as_shown && !compiler->scope->saving)
		relation = sigma_formula_shown(name, relation);
	table = palloc(sizeof(CompiledTable));
	table->name = name;
	table->relation = relation;
	compiler->tables = lappend(compiler->tables, table);
	return relation;
}

/*
 * A column by name: exactly, else without regard to case, blanks and underscores.
 * NULL where there is none; 42702 where several are meant.
 */
FormulaColumn *
sigma_compile_find_column(FormulaCompiler *compiler, const FormulaNode *node, FormulaRelation *relation,
						  const char *name)
{
	FormulaColumn *found = NULL;
	StringInfoData candidates;
	int			count = 0;
	int			i;

	for (i = 0; i < relation->ncolumns; i++)
		if (strcmp(relation->columns[i].name, name) == 0)
			return &relation->columns[i];
	initStringInfo(&candidates);
	for (i = 0; i < relation->ncolumns; i++)
		if (sigma_same_loosely(relation->columns[i].name, name))
		{
			found = &relation->columns[i];
			appendStringInfo(&candidates, "%s[%s]", count++ > 0 ? ", " : "", found->name);
		}
	if (count > 1)
		sigma_compile_error(compiler, node, ERRCODE_AMBIGUOUS_COLUMN,
							psprintf("It may be any of %s.", candidates.data), "column \"[%s]\" is ambiguous", name);
	return found;
}

/* See compile.h. */
FormulaColumn *
sigma_formula_column(FormulaRelation *relation, const char *name)
{
	FormulaColumn *found = NULL;
	int			i;

	for (i = 0; i < relation->ncolumns; i++)
		if (strcmp(relation->columns[i].name, name) == 0)
			return &relation->columns[i];
	for (i = 0; i < relation->ncolumns; i++)
		if (sigma_same_loosely(relation->columns[i].name, name))
		{
			if (found != NULL)
				return NULL;
			found = &relation->columns[i];
		}
	return found;
}

/* Are two names equal but for case, blanks and underscores? */
bool
sigma_same_loosely(const char *a, const char *b)
{
	return strcmp(loose(a), loose(b)) == 0;
}

static char *
loose(const char *name)
{
	char	   *lower = str_tolower(name, strlen(name), DEFAULT_COLLATION_OID);
	char	   *to = lower;
	char	   *from;

	for (from = lower; *from != '\0'; from++)
		if (*from != ' ' && *from != '_')
			*to++ = *from;
	*to = '\0';
	return lower;
}

/* A column of a row in SQL; of a computed column, its formula over that row.  42P17 where it needs itself. */
static FormulaSql *
compile_column(FormulaCompiler *compiler, const FormulaNode *node, FormulaFrame *frame, FormulaColumn *column)
{
	FormulaSql *result;

	frame->uses++;
	if (!frame->in_aggregate && frame->plain == NULL)
		frame->plain = node;
	if (column->formula == NULL)
		return compile_stored(compiler, frame, column);
	if (column->compiling)
		sigma_compile_error(compiler, node, ERRCODE_INVALID_OBJECT_DEFINITION, NULL,
							"circular column reference to \"[%s]\"", column->name);
	result = compile_computed(compiler, frame, column);
	if (column->form == SQL_DEFAULT)
		return result;
	result = sigma_formula_in_form(result, column->form);
	if (result == NULL)
		sigma_compile_error(compiler, node, ERRCODE_DATATYPE_MISMATCH, NULL, "the formula of \"[%s]\" does not yield %s",
							column->name, sigma_formula_type_name(sigma_sql_form_kind(column->form)));
	return result;
}

/* See compile.h. */
FormulaSql *
sigma_formula_in_form(FormulaSql *value, SqlForm form)
{
	FormulaSql *result;

	if (value->form == form)
		return value;
	if (!sigma_sql_fit(value, sigma_sql_form_kind(form)) || (form == SQL_TEXT_ARRAY && value->form == SQL_JSONB))
		return NULL;
	result = palloc0(sizeof(FormulaSql));
	result->type = sigma_sql_form_kind(form);
	result->form = form;
	result->sql = sigma_sql_in_form(value, form);
	return result;
}

/* A column that lies in the table.  One of a selection whose values are all Null has no form. */
static FormulaSql *
compile_stored(FormulaCompiler *compiler, FormulaFrame *frame, FormulaColumn *column)
{
	FormulaSql *result = palloc0(sizeof(FormulaSql));

	result->type = column->type;
	result->form = column->form;
	result->sql = column->form == SQL_NULL ? "NULL" :
		psprintf("%s%s%s", column->before, sigma_compile_attribute(compiler, frame, column->attribute), column->after);
	result->simple = true;
	result->from_json = frame->relation->from_json;
	return result;
}

/*
 * A computed column: its formula knows the row it stands in and no other, whatever
 * is being compiled around it; aggregates in it are over the whole table.
 */
static FormulaSql *
compile_computed(FormulaCompiler *compiler, FormulaFrame *frame, FormulaColumn *column)
{
	FormulaCompiler saved = *compiler;
	FormulaFrame around = *frame;
	FormulaSql *result;

	column->compiling = true;
	compiler->text = column->formula;
	compiler->frame = frame;
	compiler->own = frame->relation;
	frame->outer = NULL;
	frame->named_only = false;
	frame->grouped = false;
	result = sigma_compile_node(compiler, sigma_formula_parse(column->formula));
	frame->outer = around.outer;
	frame->named_only = around.named_only;
	frame->grouped = around.grouped;
	compiler->text = saved.text;
	compiler->frame = saved.frame;
	compiler->own = saved.own;
	column->compiling = false;
	return result;
}

/*
 * An attribute of rows that are being read, in SQL.  Where rows around them go by
 * bare column names, a subquery reads its own under new names: these capture none.
 */
const char *
sigma_compile_attribute(FormulaCompiler *compiler, FormulaFrame *frame, const char *attribute)
{
	ListCell   *lc;
	int			number = 0;

	if (!frame->renamed)
		return psprintf("%s%s%s", frame->alias, frame->alias[0] == '\0' ? "" : ".", attribute);
	foreach(lc, frame->attributes)
	{
		if (strcmp(lfirst(lc), attribute) == 0)
			break;
		number++;
	}
	if (lc == NULL)
		frame->attributes = lappend(frame->attributes, pstrdup(attribute));
	return psprintf("%s.\"%s.%d\"", frame->alias, frame->alias, number + 1);
}

/* Are the names equal but for two neighbouring bytes that changed places? */
static bool
is_exchanged(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b)
	{
		a++;
		b++;
	}
	return *a != '\0' && a[1] != '\0' && a[0] == b[1] && a[1] == b[0] && strcmp(a + 2, b + 2) == 0;
}

/* Raise 42703 with the nearest column: at most one letter in three may differ. */
static void
unknown_reference(FormulaCompiler *compiler, const FormulaNode *node, FormulaRelation *relation)
{
	char	   *hint = NULL;
	const char *given = loose(node->text);
	int			best = Max(1, pg_mbstrlen(given) / 3) + 1;
	int			i;

	for (i = 0; relation != NULL && i < relation->ncolumns; i++)
	{
		const char *name = loose(relation->columns[i].name);
		int			distance;

		if (strlen(name) > 255 || strlen(given) > 255)
			continue;
		distance = is_exchanged(given, name) ? 1 :
			varstr_levenshtein_less_equal(given, strlen(given), name, strlen(name), 1, 1, 1, best, true);
		if (distance < best)
		{
			best = distance;
			hint = psprintf("Did you mean [%s]?", relation->columns[i].name);
		}
	}
	sigma_compile_error(compiler, node, ERRCODE_UNDEFINED_COLUMN, hint, "unknown column \"[%s%s%s]\"",
						node->source == NULL ? "" : node->source, node->source == NULL ? "" : "/", node->text);
}
