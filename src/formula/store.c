/*
 * store.c
 *		Formula tree <-> value of type sigma.formula.
 *
 * The nodes stand one after the other, each followed by its children.  A node is
 * its head and its texts with their terminating zeros, filled up with zeros to
 * four bytes.  There are no offsets: a formula is always read as a whole, and
 * without them long lists compress well.  Equal trees have equal bytes: equality,
 * order and hash compare them.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "compat.h"
#include "formula/formula.h"

typedef struct StoredNode
{
	uint8		kind;			/* FormulaKind */
	uint8		op;				/* FormulaOperator */
	uint8		has_source;		/* 1 where a reference names its element: the first of two texts */
	uint8		unused;			/* 0 */
	uint32		nchildren;		/* they follow the texts */
	char		texts[FLEXIBLE_ARRAY_MEMBER];
} StoredNode;

static void write_node(StringInfo out, const FormulaNode *node);
static FormulaNode *read_node(const char **cursor);

/* The value of a tree, palloc'd. */
Formula *
sigma_formula_store(const FormulaNode *tree)
{
	StringInfoData out;
	Formula    *formula;

	initStringInfo(&out);
	appendStringInfoSpaces(&out, offsetof(Formula, data));
	memset(out.data, 0, offsetof(Formula, data));
	write_node(&out, tree);
	formula = (Formula *) out.data;
	SET_VARSIZE(formula, out.len);
	formula->version = FORMULA_VERSION;
	return formula;
}

/*
 * The tree of a value; it needs the value as long as itself.  The value must be
 * detoasted and aligned (PG_DETOAST_DATUM, never _PACKED).
 */
FormulaNode *
sigma_formula_read(Formula *formula)
{
	const char *cursor = formula->data;

	if (formula->version != FORMULA_VERSION)
		elog(ERROR, "unsupported version of a stored formula: %d", formula->version);
	return read_node(&cursor);
}

/* Append a node and then its children. */
static void
write_node(StringInfo out, const FormulaNode *node)
{
	static const char zeros[4] = {0};
	StoredNode	head = {.kind = node->kind, .op = node->op, .has_source = node->source != NULL,
		.nchildren = node->nchildren};
	int			i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	appendBinaryStringInfo(out, (char *) &head, offsetof(StoredNode, texts));
	if (node->source != NULL)
		appendBinaryStringInfo(out, node->source, strlen(node->source) + 1);
	if (node->text != NULL)
		appendBinaryStringInfo(out, node->text, strlen(node->text) + 1);
	appendBinaryStringInfo(out, zeros, INTALIGN(out->len) - out->len);
	for (i = 0; i < node->nchildren; i++)
		write_node(out, node->children[i]);
}

/* The node at the cursor, with its children; the cursor moves behind them. */
static FormulaNode *
read_node(const char **cursor)
{
	const StoredNode *stored = (const StoredNode *) *cursor;
	FormulaNode *node = palloc0(sizeof(FormulaNode));
	const char *text = stored->texts;
	int			i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	node->kind = stored->kind;
	node->op = stored->op;
	node->position = -1;
	if (stored->has_source)
	{
		node->source = text;
		text += strlen(text) + 1;
	}
	switch (node->kind)
	{
		case FORMULA_NULL:
		case FORMULA_TRUE:
		case FORMULA_FALSE:
		case FORMULA_OPERATOR:
		case FORMULA_RECORD:
		case FORMULA_INDEX:
			break;
		default:
			node->text = text;
			text += strlen(text) + 1;
	}
	*cursor = (const char *) INTALIGN(text);
	node->nchildren = node->allocated = stored->nchildren;
	if (node->nchildren > 0)
		node->children = palloc(sizeof(FormulaNode *) * node->nchildren);
	for (i = 0; i < node->nchildren; i++)
		node->children[i] = read_node(cursor);
	return node;
}
