/*
 * print.c
 *		Formula tree -> canonical text.
 *
 * Blanks around binary operators, functions in the spelling of their table,
 * texts in double quotes, and no parentheses but those without which another
 * tree would be read: parsing the canonical text gives the same tree.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "formula/scan.h"

static void print_node(StringInfo out, const FormulaNode *node, FormulaPrecedence least);
static void print_operation(StringInfo out, const FormulaNode *node);
static void print_list(StringInfo out, const FormulaNode *node);
static void print_reference(StringInfo out, const FormulaNode *node);
static void print_escaped(StringInfo out, const char *text, const char *special);
static void print_key(StringInfo out, const char *key);
static void print_text(StringInfo out, const char *text);

/* The canonical text of a tree, palloc'd. */
char *
sigma_formula_print(const FormulaNode *tree)
{
	StringInfoData out;

	initStringInfo(&out);
	print_node(&out, tree, PRECEDENCE_OR);
	return out.data;
}

/*
 * The canonical text of a formula given as text, in the current context.  Raises
 * what the parser raises, and 54000 where the canonical text is too long to be
 * read again.  The tree is freed at once.
 */
char *
sigma_formula_canonical(const char *text)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "formula", ALLOCSET_DEFAULT_SIZES);
	char	   *result;

	MemoryContextSwitchTo(work);
	result = sigma_formula_print(sigma_formula_parse(text));
	if (strlen(result) > FORMULA_MAX_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("formula is longer than %d bytes in its canonical form", FORMULA_MAX_LENGTH)));
	MemoryContextSwitchTo(caller);
	result = pstrdup(result);
	MemoryContextDelete(work);
	return result;
}

/* Print a tree where only what binds at least so tightly may stand without parentheses. */
static void
print_node(StringInfo out, const FormulaNode *node, FormulaPrecedence least)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	switch (node->kind)
	{
		case FORMULA_NULL:
			appendStringInfoString(out, "Null");
			break;
		case FORMULA_TRUE:
			appendStringInfoString(out, "True");
			break;
		case FORMULA_FALSE:
			appendStringInfoString(out, "False");
			break;
		case FORMULA_NUMBER:
			appendStringInfoString(out, node->text);
			break;
		case FORMULA_TEXT:
			print_text(out, node->text);
			break;
		case FORMULA_REFERENCE:
			print_reference(out, node);
			break;
		case FORMULA_OPERATOR:
			if (sigma_formula_operators[node->op].precedence < least)
			{
				appendStringInfoChar(out, '(');
				print_operation(out, node);
				appendStringInfoChar(out, ')');
			}
			else
				print_operation(out, node);
			break;
		case FORMULA_CALL:
			appendStringInfo(out, "%s(", node->text);
			print_list(out, node);
			appendStringInfoChar(out, ')');
			break;
		case FORMULA_RECORD:
			appendStringInfoChar(out, '{');
			print_list(out, node);
			appendStringInfoChar(out, '}');
			break;
		case FORMULA_FIELD:
			print_key(out, node->text);
			appendStringInfoString(out, ": ");
			print_node(out, node->children[0], PRECEDENCE_OR);
			break;
		case FORMULA_KEY:
			print_node(out, node->children[0], PRECEDENCE_PRIMARY);
			appendStringInfoChar(out, '.');
			print_key(out, node->text);
			break;
		case FORMULA_INDEX:
			print_node(out, node->children[0], PRECEDENCE_PRIMARY);
			appendStringInfoChar(out, '[');
			print_node(out, node->children[1], PRECEDENCE_OR);
			appendStringInfoChar(out, ']');
			break;
	}
}

/*
 * An operator between its children, or before its only one.  The side on which
 * the operator associates may hold operators of its own precedence; what is
 * raised to a power is a value, the exponent may have a sign.
 */
static void
print_operation(StringInfo out, const FormulaNode *node)
{
	const FormulaOperatorInfo *info = &sigma_formula_operators[node->op];
	FormulaPrecedence first = info->precedence;
	FormulaPrecedence others = info->precedence + 1;
	int			i;

	if (node->nchildren == 1)
	{
		appendStringInfo(out, node->op == OPERATOR_NOT ? "%s " : "%s", info->name);
		print_node(out, node->children[0], first);
		return;
	}
	if (info->precedence == PRECEDENCE_POWER)
	{
		first = PRECEDENCE_PRIMARY;
		others = PRECEDENCE_NEGATE;
	}
	else if (info->precedence == PRECEDENCE_COMPARISON)
		first = others;
	print_node(out, node->children[0], first);
	for (i = 1; i < node->nchildren; i++)
	{
		appendStringInfo(out, " %s ", info->name);
		print_node(out, node->children[i], others);
	}
}

static void
print_list(StringInfo out, const FormulaNode *node)
{
	int			i;

	for (i = 0; i < node->nchildren; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		print_node(out, node->children[i], PRECEDENCE_OR);
	}
}

/* Only the first "/" of a reference separates, so in a name after an element it needs no escape. */
static void
print_reference(StringInfo out, const FormulaNode *node)
{
	appendStringInfoChar(out, '[');
	if (node->source != NULL)
	{
		print_escaped(out, node->source, "\\[]/");
		appendStringInfoChar(out, '/');
	}
	print_escaped(out, node->text, node->source != NULL ? "\\[]" : "\\[]/");
	appendStringInfoChar(out, ']');
}

/* A text with a backslash before every special character. */
static void
print_escaped(StringInfo out, const char *text, const char *special)
{
	for (; *text != '\0'; text++)
	{
		if (strchr(special, *text) != NULL)
			appendStringInfoChar(out, '\\');
		appendStringInfoChar(out, *text);
	}
}

static void
print_key(StringInfo out, const char *key)
{
	if (sigma_formula_is_name(key))
		appendStringInfoString(out, key);
	else
		print_text(out, key);
}

/* A text in double quotes; what no line should hold is escaped. */
static void
print_text(StringInfo out, const char *text)
{
	appendStringInfoChar(out, '"');
	for (; *text != '\0'; text++)
	{
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			appendStringInfo(out, "\\%c", c);
		else if (c == '\n')
			appendStringInfoString(out, "\\n");
		else if (c == '\r')
			appendStringInfoString(out, "\\r");
		else if (c == '\t')
			appendStringInfoString(out, "\\t");
		else if (c < ' ' || c == 0x7f)
			appendStringInfo(out, "\\u%04X", c);
		else
			appendStringInfoChar(out, c);
	}
	appendStringInfoChar(out, '"');
}
