/*
 * parse.c
 *		Formula text -> tree.
 *
 * A hand-written operator-precedence (Pratt) parser.  The grammar is small and
 * its operators stand in one table; written by hand it needs neither bison nor
 * flex where the extension is built, and it knows at every place what it
 * expected, which generated tables can hardly be made to say.
 *
 * One pass, linear in the text.  A run of one left-associative operator is one
 * node with many children, so that long sums and lists of conditions are not
 * deep.  Parentheses are not kept: the printer sets those that are needed.  The
 * tree lives in the current context.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "formula/functions.h"
#include "formula/scan.h"

typedef struct Parser
{
	Scanner		scanner;
	int			nesting;		/* expressions being parsed */
} Parser;

const FormulaOperatorInfo sigma_formula_operators[] =
{
	[OPERATOR_NONE] = {"", PRECEDENCE_PRIMARY},
	[OPERATOR_OR] = {"or", PRECEDENCE_OR},
	[OPERATOR_AND] = {"and", PRECEDENCE_AND},
	[OPERATOR_NOT] = {"not", PRECEDENCE_NOT},
	[OPERATOR_EQ] = {"=", PRECEDENCE_COMPARISON},
	[OPERATOR_NE] = {"!=", PRECEDENCE_COMPARISON},
	[OPERATOR_LT] = {"<", PRECEDENCE_COMPARISON},
	[OPERATOR_LE] = {"<=", PRECEDENCE_COMPARISON},
	[OPERATOR_GT] = {">", PRECEDENCE_COMPARISON},
	[OPERATOR_GE] = {">=", PRECEDENCE_COMPARISON},
	[OPERATOR_CONCAT] = {"&", PRECEDENCE_CONCAT},
	[OPERATOR_ADD] = {"+", PRECEDENCE_SUM},
	[OPERATOR_SUBTRACT] = {"-", PRECEDENCE_SUM},
	[OPERATOR_MULTIPLY] = {"*", PRECEDENCE_PRODUCT},
	[OPERATOR_DIVIDE] = {"/", PRECEDENCE_PRODUCT},
	[OPERATOR_MODULO] = {"%", PRECEDENCE_PRODUCT},
	[OPERATOR_NEGATE] = {"-", PRECEDENCE_NEGATE},
	[OPERATOR_POWER] = {"^", PRECEDENCE_POWER},
};

static FormulaNode *parse_expression(Parser *parser, FormulaPrecedence least);
static FormulaNode *parse_inner(Parser *parser, const char *closing);
static FormulaNode *parse_prefix(Parser *parser, FormulaPrecedence least);
static FormulaNode *parse_operation(Parser *parser, FormulaNode *left);
static FormulaNode *parse_path(Parser *parser, FormulaNode *node);
static FormulaNode *parse_primary(Parser *parser);
static FormulaNode *parse_name(Parser *parser);
static FormulaNode *parse_call(Parser *parser, const Token *name);
static FormulaNode *parse_record(Parser *parser);
static const char *parse_key(Parser *parser);
static void check_keys(Parser *parser, FormulaNode *record);
static int	compare_keys(const void *a, const void *b);
static FormulaNode *make_node(Parser *parser, FormulaKind kind, const char *text, const char *start);
static void add_child(Parser *parser, FormulaNode *node, FormulaNode *child);
static void check_depth(Parser *parser, int depth, const char *at);
static void expect(Parser *parser, char mark);
static void refuse_token(Parser *parser, const char *hint, const char *expected) pg_attribute_noreturn();
static const char *found_token(const Parser *parser);
static const char *hint_value(const Parser *parser);
static const char *hint_operator(const Parser *parser);

/* The tree of a formula, with positions; raises 42601, 54000 or 54001. */
FormulaNode *
sigma_formula_parse(const char *text)
{
	Parser		parser = {.nesting = 0};
	FormulaNode *tree;

	if (strlen(text) > FORMULA_MAX_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("formula is longer than %d bytes", FORMULA_MAX_LENGTH)));
	sigma_formula_scan_start(&parser.scanner, text);
	tree = parse_expression(&parser, PRECEDENCE_OR);
	if (parser.scanner.token.kind != TOKEN_END)
		refuse_token(&parser, hint_operator(&parser), "an operator or the end of the formula");
	return tree;
}

/* An expression of operators that bind at least so tightly. */
static FormulaNode *
parse_expression(Parser *parser, FormulaPrecedence least)
{
	FormulaNode *left;

	check_stack_depth();
	check_depth(parser, ++parser->nesting, parser->scanner.token.start);
	left = parse_prefix(parser, least);
	while (parser->scanner.token.kind == TOKEN_OPERATOR &&
		   parser->scanner.token.op != OPERATOR_NOT &&
		   sigma_formula_operators[parser->scanner.token.op].precedence >= least)
		left = parse_operation(parser, left);
	parser->nesting--;
	return left;
}

/* A whole expression inside brackets, which "closing" may end. */
static FormulaNode *
parse_inner(Parser *parser, const char *closing)
{
	FormulaNode *node = parse_expression(parser, PRECEDENCE_OR);

	if (parser->scanner.token.kind != TOKEN_PUNCTUATION ||
		strchr(closing, *parser->scanner.token.start) == NULL)
		refuse_token(parser, hint_operator(parser),
					 strlen(closing) == 1 ? psprintf("an operator or \"%s\"", closing) :
					 psprintf("an operator, \"%c\" or \"%c\"", closing[0], closing[1]));
	return node;
}

/* The operator that is the current token, and its right side. */
static FormulaNode *
parse_operation(Parser *parser, FormulaNode *left)
{
	Token		token = parser->scanner.token;
	FormulaPrecedence precedence = sigma_formula_operators[token.op].precedence;
	FormulaNode *right;
	FormulaNode *node = left;

	sigma_formula_scan_next(&parser->scanner);
	right = parse_expression(parser, precedence == PRECEDENCE_POWER ? PRECEDENCE_NEGATE : precedence + 1);
	if (precedence == PRECEDENCE_COMPARISON && parser->scanner.token.kind == TOKEN_OPERATOR &&
		sigma_formula_operators[parser->scanner.token.op].precedence == PRECEDENCE_COMPARISON)
		sigma_formula_error(&parser->scanner, parser->scanner.token.start,
							"Write \"a < b and b < c\" for two comparisons, or parentheses around one.",
							"comparisons do not chain");

	if (left->kind != FORMULA_OPERATOR || left->op != token.op ||
		precedence == PRECEDENCE_POWER || precedence == PRECEDENCE_COMPARISON)
	{
		node = make_node(parser, FORMULA_OPERATOR, NULL, token.start);
		node->op = token.op;
		add_child(parser, node, left);
	}
	add_child(parser, node, right);
	return node;
}

/* "not", a sign, or a value with its path. */
static FormulaNode *
parse_prefix(Parser *parser, FormulaPrecedence least)
{
	Token		token = parser->scanner.token;
	FormulaNode *node;

	if (token.kind != TOKEN_OPERATOR || (token.op != OPERATOR_NOT && token.op != OPERATOR_SUBTRACT))
		return parse_path(parser, parse_primary(parser));

	if (token.op == OPERATOR_NOT && least > PRECEDENCE_NOT)
		sigma_formula_error(&parser->scanner, token.start,
							"\"not\" binds more loosely than the operator before it.",
							"\"not\" needs parentheses here");
	node = make_node(parser, FORMULA_OPERATOR, NULL, token.start);
	node->op = token.op == OPERATOR_NOT ? OPERATOR_NOT : OPERATOR_NEGATE;
	sigma_formula_scan_next(&parser->scanner);
	add_child(parser, node, parse_expression(parser, sigma_formula_operators[node->op].precedence));
	return node;
}

/* The keys and indexes after a value.  "[" is an index only where it touches the value. */
static FormulaNode *
parse_path(Parser *parser, FormulaNode *node)
{
	for (;;)
	{
		const char *start = parser->scanner.token.start;
		FormulaNode *step;

		if (sigma_formula_at(&parser->scanner, '.'))
		{
			sigma_formula_scan_next(&parser->scanner);
			step = make_node(parser, FORMULA_KEY, parse_key(parser), start);
			add_child(parser, step, node);
		}
		else if (sigma_formula_at(&parser->scanner, '[') && parser->scanner.token.adjacent)
		{
			sigma_formula_scan_next(&parser->scanner);
			step = make_node(parser, FORMULA_INDEX, NULL, start);
			add_child(parser, step, node);
			add_child(parser, step, parse_inner(parser, "]"));
			expect(parser, ']');
		}
		else
			return node;
		node = step;
	}
}

static FormulaNode *
parse_primary(Parser *parser)
{
	Scanner    *scanner = &parser->scanner;
	Token		token = scanner->token;
	FormulaNode *node;

	switch (token.kind)
	{
		case TOKEN_NUMBER:
			node = make_node(parser, FORMULA_NUMBER, token.value, token.start);
			break;
		case TOKEN_TEXT:
			node = make_node(parser, FORMULA_TEXT, token.value, token.start);
			break;
		case TOKEN_TRUE:
			node = make_node(parser, FORMULA_TRUE, NULL, token.start);
			break;
		case TOKEN_FALSE:
			node = make_node(parser, FORMULA_FALSE, NULL, token.start);
			break;
		case TOKEN_NULL:
			node = make_node(parser, FORMULA_NULL, NULL, token.start);
			break;
		case TOKEN_NAME:
			return parse_name(parser);
		default:
			if (sigma_formula_at(scanner, '{'))
				return parse_record(parser);
			if (sigma_formula_at(scanner, '('))
			{
				sigma_formula_scan_next(scanner);
				node = parse_inner(parser, ")");
				expect(parser, ')');
				return node;
			}
			if (!sigma_formula_at(scanner, '['))
				refuse_token(parser, hint_value(parser), "a value");
			node = make_node(parser, FORMULA_REFERENCE, NULL, token.start);
			sigma_formula_scan_reference(scanner, &node->source, &node->text);
			return node;
	}
	sigma_formula_scan_next(scanner);
	return node;
}

/* A function call; a name without parentheses is refused with what it could be. */
static FormulaNode *
parse_name(Parser *parser)
{
	Token		name = parser->scanner.token;
	const FormulaFunction *function = sigma_function_find(name.value);
	char	   *hint = NULL;

	sigma_formula_scan_next(&parser->scanner);
	if (sigma_formula_at(&parser->scanner, '('))
		return parse_call(parser, &name);
	if (function != NULL)
		hint = psprintf("The function is written %s.", sigma_function_signature(function));
	else if (name.length < NAMEDATALEN)
		hint = psprintf("Write [%s] for a column or control, \"%s\" for a text.", name.value, name.value);
	sigma_formula_error(&parser->scanner, name.start, hint, "a name alone is not a value");
}

/* The arguments of a call; their "(" is the current token. */
static FormulaNode *
parse_call(Parser *parser, const Token *name)
{
	const FormulaFunction *function = sigma_function_find(name->value);
	FormulaNode *node;

	if (function == NULL)
		sigma_formula_error(&parser->scanner, name->start, sigma_function_hint(name->value), "unknown function \"%s\"",
							pnstrdup(name->value, pg_mbcliplen(name->value, strlen(name->value), NAMEDATALEN)));
	node = make_node(parser, FORMULA_CALL, function->name, name->start);
	sigma_formula_scan_next(&parser->scanner);
	if (!sigma_formula_at(&parser->scanner, ')'))
		for (;;)
		{
			add_child(parser, node, parse_inner(parser, ",)"));
			if (sigma_formula_at(&parser->scanner, ')'))
				break;
			expect(parser, ',');
		}
	if (!sigma_function_takes(function, node->nchildren))
		sigma_formula_error(&parser->scanner, name->start,
							psprintf("The function is written %s.", sigma_function_signature(function)),
							"%s expects %s, found %d", function->name,
							sigma_function_arity(function), node->nchildren);
	expect(parser, ')');
	return node;
}

/* { key: value, ... } */
static FormulaNode *
parse_record(Parser *parser)
{
	FormulaNode *record = make_node(parser, FORMULA_RECORD, NULL, parser->scanner.token.start);

	sigma_formula_scan_next(&parser->scanner);
	if (!sigma_formula_at(&parser->scanner, '}'))
		for (;;)
		{
			const char *start = parser->scanner.token.start;
			FormulaNode *field = make_node(parser, FORMULA_FIELD, parse_key(parser), start);

			expect(parser, ':');
			add_child(parser, field, parse_inner(parser, ",}"));
			add_child(parser, record, field);
			if (sigma_formula_at(&parser->scanner, '}'))
				break;
			expect(parser, ',');
		}
	check_keys(parser, record);
	expect(parser, '}');
	return record;
}

/* The key that is the current token: a name, a word of the language or a text. */
static const char *
parse_key(Parser *parser)
{
	const char *key = parser->scanner.token.value;

	if (key == NULL || parser->scanner.token.kind == TOKEN_NUMBER)
		refuse_token(parser, "A key that is not a name is written as a text: .\"unit price\"", "a key");
	sigma_formula_scan_next(&parser->scanner);
	return key;
}

/* Refuse a record that has a key twice: the later field of equal ones is shown. */
static void
check_keys(Parser *parser, FormulaNode *record)
{
	FormulaNode **sorted = palloc(sizeof(FormulaNode *) * (record->nchildren + 1));
	int			i;

	for (i = 0; i < record->nchildren; i++)
		sorted[i] = record->children[i];
	qsort(sorted, record->nchildren, sizeof(FormulaNode *), compare_keys);
	for (i = 1; i < record->nchildren; i++)
		if (strcmp(sorted[i]->text, sorted[i - 1]->text) == 0)
			sigma_formula_error(&parser->scanner, parser->scanner.text + sorted[i]->position, NULL,
								"a record cannot have a key twice");
	pfree(sorted);
}

static int
compare_keys(const void *a, const void *b)
{
	const FormulaNode *x = *(FormulaNode *const *) a;
	const FormulaNode *y = *(FormulaNode *const *) b;
	int			order = strcmp(x->text, y->text);

	return order != 0 ? order : x->position - y->position;
}

/* A node without children that begins at "start" in the text. */
static FormulaNode *
make_node(Parser *parser, FormulaKind kind, const char *text, const char *start)
{
	FormulaNode *node = palloc0(sizeof(FormulaNode));

	node->kind = kind;
	node->text = text;
	node->position = start - parser->scanner.text;
	node->depth = 1;
	return node;
}

static void
add_child(Parser *parser, FormulaNode *node, FormulaNode *child)
{
	if (node->nchildren == node->allocated)
	{
		node->allocated = Max(2, node->allocated * 2);
		node->children = node->children == NULL ?
			palloc(sizeof(FormulaNode *) * node->allocated) :
			repalloc(node->children, sizeof(FormulaNode *) * node->allocated);
	}
	node->children[node->nchildren++] = child;
	node->depth = Max(node->depth, child->depth + 1);
	check_depth(parser, node->depth, parser->scanner.text + child->position);
}

/* Raise 54001 where a formula is too deep; the canonical text is never deeper than the given one. */
static void
check_depth(Parser *parser, int depth, const char *at)
{
	if (depth > FORMULA_MAX_DEPTH)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("formula is nested more than %d levels deep", FORMULA_MAX_DEPTH),
				 errdetail("At character %d.", pg_mbstrlen_with_len(parser->scanner.text, at - parser->scanner.text) + 1)));
}

/* Step over that punctuation mark; 42601 where another token stands. */
static void
expect(Parser *parser, char mark)
{
	if (!sigma_formula_at(&parser->scanner, mark))
		refuse_token(parser, NULL, psprintf("\"%c\"", mark));
	sigma_formula_scan_next(&parser->scanner);
}

/* Raise 42601: the current token is not what was expected. */
static void
refuse_token(Parser *parser, const char *hint, const char *expected)
{
	sigma_formula_error(&parser->scanner, parser->scanner.token.start, hint,
						"expected %s, found %s", expected, found_token(parser));
}

/* What was probably meant by a token that stands where a value is expected; or NULL. */
static const char *
hint_value(const Parser *parser)
{
	const Token *token = &parser->scanner.token;
	const char *text = parser->scanner.text;
	char		before = token->start > text ? token->start[-1] : '\0';

	if (token->kind != TOKEN_OPERATOR)
		return NULL;
	switch (token->op)
	{
		case OPERATOR_EQ:
			return before == '=' ? "Equality is written with one \"=\"." :
				strspn(text, " \t\r\n") == token->start - text ? "A formula begins without \"=\"." : NULL;
		case OPERATOR_CONCAT:
			return before == '&' ? "Conditions are joined with \"and\", texts with one \"&\"." : NULL;
		case OPERATOR_MULTIPLY:
			return before == '(' && token->start[1] == ')' ? "Rows are counted with Count()." : NULL;
		case OPERATOR_AND:
		case OPERATOR_OR:
			return psprintf("\"%s\" stands between two conditions: [a] %s [b].",
							sigma_formula_operators[token->op].name, sigma_formula_operators[token->op].name);
		default:
			return NULL;
	}
}

/* What was probably meant by a word that stands where an operator is expected; or NULL. */
static const char *
hint_operator(const Parser *parser)
{
	static const struct
	{
		const char *word;
		const char *hint;
	}			words[] = {
		{"in", "Write In([x], 1, 2)."},
		{"is", "Write IsNull([x]) or IsNotNull([x])."},
		{"like", "Write Like([x], \"a%\")."},
		{"ilike", "Write ILike([x], \"a%\")."},
		{"between", "Write Between([x], 1, 2)."},
	};
	const Token *token = &parser->scanner.token;
	int			i;

	if (token->kind == TOKEN_OPERATOR && token->op == OPERATOR_NOT)
		return "\"not\" stands before a condition: not In([x], 1, 2).";
	if (token->kind == TOKEN_NAME)
		for (i = 0; i < lengthof(words); i++)
			if (pg_strcasecmp(token->value, words[i].word) == 0)
				return words[i].hint;
	return NULL;
}

/* The current token, for a message. */
static const char *
found_token(const Parser *parser)
{
	const Token *token = &parser->scanner.token;

	if (token->kind == TOKEN_END)
		return "its end";
	if (token->kind == TOKEN_TEXT)
		return "a text";
	if (token->length > 40)
		return "a long word";
	return psprintf("\"%.*s\"", token->length, token->start);
}
