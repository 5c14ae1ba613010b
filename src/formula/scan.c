/*
 * scan.c
 *		Tokens of the formula language, and the error that shows a place in it.
 *
 * Bytes beyond ASCII are letters of names: in every server encoding they are
 * part of characters beyond ASCII.  What "[" means depends on where it stands,
 * so the parser asks for a reference there.  All results are palloc'd in the
 * current context.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "common/text.h"
#include "formula/scan.h"

/* Numbers from 1E-307 to below 1E308: what a float8 holds without losing digits to its range. */
#define LEAST_EXPONENT		(-306)
#define GREATEST_EXPONENT	308
/* An exponent is not counted beyond this. */
#define EXPONENT_CLAMP		100000000

static void scan_number(Scanner *scanner);
static void scan_name(Scanner *scanner);
static void scan_text(Scanner *scanner);
static void scan_symbol(Scanner *scanner);
static const char *canonical_number(Scanner *scanner, const char *start, int length);
static const char *append_escape(Scanner *scanner, const char *c, StringInfo out);
static const char *append_unicode(Scanner *scanner, const char *c, StringInfo out);
static int	hex_value(const char *c);
static const char *character_at(const char *at);

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
begins_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || IS_HIGHBIT_SET(c);
}

static inline bool
continues_name(char c)
{
	return begins_name(c) || is_digit(c);
}

void
sigma_formula_scan_start(Scanner *scanner, const char *text)
{
	memset(scanner, 0, sizeof(Scanner));
	scanner->text = scanner->at = text;
	initStringInfo(&scanner->buffer);
	sigma_formula_scan_next(scanner);
}

/* Make the next token the current one; 42601 where there is none that could be. */
void
sigma_formula_scan_next(Scanner *scanner)
{
	Token	   *token = &scanner->token;
	const char *c = scanner->at;

	CHECK_FOR_INTERRUPTS();
	while (is_blank(*c))
		c++;
	token->adjacent = c == scanner->at;
	token->op = OPERATOR_NONE;
	token->value = NULL;
	token->start = scanner->at = c;

	if (*c == '\0')
		token->kind = TOKEN_END;
	else if (is_digit(*c) || (*c == '.' && is_digit(c[1])))
		scan_number(scanner);
	else if (begins_name(*c))
		scan_name(scanner);
	else if (*c == '"' || *c == '\'')
		scan_text(scanner);
	else
		scan_symbol(scanner);
	token->length = scanner->at - token->start;
}

/*
 * The reference whose "[" is the current token: its element (NULL where it names
 * none) and its name.  The first "/" separates them; "\/", "\]", "\[" and "\\"
 * stand for the characters.  The token after it becomes the current one.
 */
void
sigma_formula_scan_reference(Scanner *scanner, const char **source, const char **name)
{
	const char *start = scanner->token.start;
	const char *c = start + 1;
	StringInfo	part = &scanner->buffer;

	*source = NULL;
	resetStringInfo(part);
	for (; *c != ']'; c++)
	{
		if (*c == '\0' || *c == '[' || *c == '\n' || *c == '\r')
			sigma_formula_error(scanner, start, "Inside a reference, \"\\[\" and \"\\]\" stand for brackets.",
								"reference without \"]\"");
		if (*c == '/' && *source == NULL)
		{
			*source = pstrdup(part->data);
			resetStringInfo(part);
			continue;
		}
		if (*c == '\\' && c[1] != '\0' && strchr("\\[]/", c[1]) != NULL)
			c++;
		appendStringInfoChar(part, *c);
	}
	*name = pstrdup(part->data);
	if ((*name)[strspn(*name, " \t")] == '\0' ||
		(*source != NULL && (*source)[strspn(*source, " \t")] == '\0'))
		sigma_formula_error(scanner, start, NULL, "reference without a name");
	scanner->at = c + 1;
	sigma_formula_scan_next(scanner);
}

/* May the text stand as a key without quotes? */
bool
sigma_formula_is_name(const char *text)
{
	if (!begins_name(*text))
		return false;
	while (continues_name(*text))
		text++;
	return *text == '\0';
}

/*
 * Raise 42601 for the place "at".  The position is told in characters, since the
 * formula is a value inside a statement; a formula that merely ends too early is
 * "incomplete".
 */
void
sigma_formula_error(const Scanner *scanner, const char *at, const char *hint, const char *format,...)
{
	int			position = pg_mbstrlen_with_len(scanner->text, at - scanner->text) + 1;
	int			rest = strlen(at);
	int			shown = pg_mbcliplen(at, rest, 30);
	char	   *reason;
	va_list		args;

	va_start(args, format);
	reason = sigma_text_format(format, args);
	va_end(args);
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("%s formula: %s", rest == 0 ? "incomplete" : "invalid", reason),
			 rest == 0 ? errdetail("At character %d, the end of the formula.", position) :
			 errdetail("At character %d: %.*s%s", position, shown, at, shown < rest ? "..." : ""),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

static void
scan_number(Scanner *scanner)
{
	const char *c = scanner->at;

	while (is_digit(*c))
		c++;
	if (*c == '.' && is_digit(c[1]))
		for (c++; is_digit(*c); c++)
			;
	if (*c == 'e' || *c == 'E')
	{
		const char *exponent = c + (c[1] == '+' || c[1] == '-' ? 2 : 1);

		if (is_digit(*exponent))
			for (c = exponent; is_digit(*c); c++)
				;
	}
	if (continues_name(*c))
		sigma_formula_error(scanner, c, NULL, "expected an operator after the number, found \"%s\"", character_at(c));
	scanner->token.kind = TOKEN_NUMBER;
	scanner->token.value = canonical_number(scanner, scanner->at, c - scanner->at);
	scanner->at = c;
}

/*
 * A number with all its digits but no needless zeros: plain where 21 digits or
 * fewer stand before the point and 6 zeros or fewer after it, else with an exponent.
 */
static const char *
canonical_number(Scanner *scanner, const char *start, int length)
{
	char	   *digits = palloc(length + 1);
	const char *c;
	char	   *first;
	bool		fraction = false;
	int			count = 0;
	int			before = 0;		/* digits before the point */
	StringInfo	out = &scanner->buffer;

	for (c = start; c < start + length && *c != 'e' && *c != 'E'; c++)
	{
		if (*c == '.')
			fraction = true;
		else
		{
			digits[count++] = *c;
			before += fraction ? 0 : 1;
		}
	}
	if (c < start + length)
	{
		bool		negative = c[1] == '-';
		int			exponent = 0;

		for (c += is_digit(c[1]) ? 1 : 2; c < start + length; c++)
			exponent = Min(exponent * 10 + (*c - '0'), EXPONENT_CLAMP);
		before += negative ? -exponent : exponent;
	}
	while (count > 0 && digits[count - 1] == '0')
		count--;
	digits[count] = '\0';
	for (first = digits; *first == '0'; first++, count--)
		before--;
	if (count == 0)
		return "0";
	if (before < LEAST_EXPONENT || before > GREATEST_EXPONENT)
		sigma_formula_error(scanner, start, NULL, "number out of range");

	resetStringInfo(out);
	if (before > 21 || before < -6)
	{
		appendStringInfo(out, "%c%s%s", *first, count > 1 ? "." : "", first + 1);
		appendStringInfo(out, "E%d", before - 1);
	}
	else if (before <= 0)
		appendStringInfo(out, "0.%.*s%s", -before, "000000", first);
	else if (before >= count)
		appendStringInfo(out, "%s%.*s", first, before - count, "000000000000000000000");
	else
		appendStringInfo(out, "%.*s.%s", before, first, first + before);
	pfree(digits);
	return pstrdup(out->data);
}

/* A name, or one of the words of the language in any case. */
static void
scan_name(Scanner *scanner)
{
	static const struct
	{
		const char *word;
		TokenKind	kind;
		FormulaOperator op;
	}			words[] =
	{
		{"and", TOKEN_OPERATOR, OPERATOR_AND},
		{"or", TOKEN_OPERATOR, OPERATOR_OR},
		{"not", TOKEN_OPERATOR, OPERATOR_NOT},
		{"true", TOKEN_TRUE, OPERATOR_NONE},
		{"false", TOKEN_FALSE, OPERATOR_NONE},
		{"null", TOKEN_NULL, OPERATOR_NONE},
	};
	Token	   *token = &scanner->token;
	const char *c = scanner->at;
	char	   *value;
	int			i;

	while (continues_name(*c))
		c++;
	token->kind = TOKEN_NAME;
	token->value = value = pnstrdup(scanner->at, c - scanner->at);
	scanner->at = c;
	for (i = 0; i < lengthof(words); i++)
		if (pg_strcasecmp(value, words[i].word) == 0)
		{
			token->kind = words[i].kind;
			token->op = words[i].op;
		}
}

/* A text in double or single quotes; its own quote is doubled or escaped in it. */
static void
scan_text(Scanner *scanner)
{
	const char *start = scanner->at;
	const char *c = start + 1;
	StringInfo	value = &scanner->buffer;

	resetStringInfo(value);
	for (;;)
	{
		const char *plain = c;

		while (*c != '\0' && *c != *start && *c != '\\')
			c++;
		appendBinaryStringInfo(value, plain, c - plain);
		if (*c == '\0')
			sigma_formula_error(scanner, start, NULL, "text without its closing %c", *start);
		if (*c == '\\')
			c = append_escape(scanner, c, value);
		else if (c[1] == *start)
		{
			appendStringInfoChar(value, *c);
			c += 2;
		}
		else
			break;
	}
	scanner->token.kind = TOKEN_TEXT;
	scanner->token.value = pnstrdup(value->data, value->len);
	scanner->at = c + 1;
}

/* Append what the escape at "c" stands for; returns where it ends. */
static const char *
append_escape(Scanner *scanner, const char *c, StringInfo out)
{
	static const char letters[] = "ntrbf\\\"'/";
	static const char values[] = "\n\t\r\b\f\\\"'/";
	const char *found;

	if (c[1] == 'u')
		return append_unicode(scanner, c, out);
	found = c[1] == '\0' ? NULL : strchr(letters, c[1]);
	if (found == NULL)
		sigma_formula_error(scanner, c, "In a text, \"\\\\\" stands for a backslash.",
							"unknown escape \"\\%s\"", character_at(c + 1));
	appendStringInfoChar(out, values[found - letters]);
	return c + 2;
}

/* "\uXXXX", or two of them for a character beyond the first 65536. */
static const char *
append_unicode(Scanner *scanner, const char *c, StringInfo out)
{
	int			code = hex_value(c + 2);
	unsigned char character[MAX_UNICODE_EQUIVALENT_STRING + 1];
	const char *end = c + 6;

	if (code >= 0xD800 && code <= 0xDBFF)
	{
		int			low = end[0] == '\\' && end[1] == 'u' ? hex_value(end + 2) : -1;

		if (low >= 0xDC00 && low <= 0xDFFF)
		{
			code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
			end += 6;
		}
	}
	if (code <= 0 || (code >= 0xD800 && code <= 0xDFFF))
		sigma_formula_error(scanner, c, "Write \"\\u\" and the four hexadecimal digits of a character.",
							"invalid escape \"\\u\"");
	pg_unicode_to_server(code, character);
	appendStringInfoString(out, (const char *) character);
	return end;
}

/* The value of four hexadecimal digits, -1 where there are not four. */
static int
hex_value(const char *c)
{
	int			value = 0;
	int			i;

	for (i = 0; i < 4; i++)
	{
		char		digit = c[i] >= 'a' && c[i] <= 'f' ? c[i] - 'a' + 'A' : c[i];

		if (is_digit(digit))
			value = value * 16 + digit - '0';
		else if (digit >= 'A' && digit <= 'F')
			value = value * 16 + digit - 'A' + 10;
		else
			return -1;
	}
	return value;
}

/* Operators and punctuation. */
static void
scan_symbol(Scanner *scanner)
{
	static const struct
	{
		const char *symbol;		/* the longer ones first */
		FormulaOperator op;
	}			symbols[] =
	{
		{"<=", OPERATOR_LE}, {">=", OPERATOR_GE}, {"!=", OPERATOR_NE}, {"<>", OPERATOR_NE},
		{"<", OPERATOR_LT}, {">", OPERATOR_GT}, {"=", OPERATOR_EQ},
		{"&", OPERATOR_CONCAT}, {"+", OPERATOR_ADD}, {"-", OPERATOR_SUBTRACT},
		{"*", OPERATOR_MULTIPLY}, {"/", OPERATOR_DIVIDE}, {"%", OPERATOR_MODULO}, {"^", OPERATOR_POWER},
	};
	Token	   *token = &scanner->token;
	int			i;

	for (i = 0; i < lengthof(symbols); i++)
	{
		int			length = strlen(symbols[i].symbol);

		if (strncmp(scanner->at, symbols[i].symbol, length) == 0)
		{
			token->kind = TOKEN_OPERATOR;
			token->op = symbols[i].op;
			scanner->at += length;
			return;
		}
	}
	if (strchr("()[]{},:.", *scanner->at) == NULL)
		sigma_formula_error(scanner, scanner->at,
							*scanner->at == '|' ? "Texts are joined with \"&\", conditions with \"or\"." :
							*scanner->at == '!' ? "Write \"not\" before a condition." : NULL,
							"unexpected character \"%s\"", character_at(scanner->at));
	token->kind = TOKEN_PUNCTUATION;
	scanner->at++;
}

/* The character at a place, as a string; empty at the end. */
static const char *
character_at(const char *at)
{
	return *at == '\0' ? "" : pnstrdup(at, pg_mblen(at));
}
