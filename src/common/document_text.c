/*
 * document_text.c
 *		The spelling of keys and words, and texts that hold references.
 *
 * Pure text work: nothing here touches the catalog.  Results are palloc'd in the
 * current context unless a function says otherwise.
 */
#include "postgres.h"

#include "common/document.h"
#include "common/document_specs.h"

static const char *const scopes[] = {"Selection", "Control", "ActionVar", "Form", NULL};

static inline bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline char
to_lower(char c)
{
	return is_upper(c) ? c - 'A' + 'a' : c;
}

/*
 * "dynamicURL" as "dynamic_url": a run of capitals is one word, its last letter
 * begins the next word where a small one follows.  A key without capitals is
 * returned as it is, not copied.
 */
char *
sigma_respell(const char *key)
{
	const char *c;
	char	   *result;
	char	   *out;

	for (c = key; *c != '\0' && !is_upper(*c); c++)
		;
	if (*c == '\0')
		return unconstify(char *, key);

	result = out = palloc(strlen(key) * 2 + 1);
	for (c = key; *c != '\0'; c++)
	{
		if (is_upper(*c) && c > key && c[-1] != '_' && c[-1] != '-' && c[-1] != ' ' &&
			(!is_upper(c[-1]) || (c[1] >= 'a' && c[1] <= 'z')))
			*out++ = '_';
		*out++ = to_lower(*c);
	}
	*out = '\0';
	return result;
}

/* The same word?  Case does not count; "-", "_" and blank are equal. */
bool
sigma_same_word(const char *a, const char *b)
{
	for (;; a++, b++)
	{
		char		x = to_lower(*a);
		char		y = to_lower(*b);

		if (x == '-' || x == ' ')
			x = '_';
		if (y == '-' || y == ' ')
			y = '_';
		if (x != y)
			return false;
		if (x == '\0')
			return true;
	}
}

/*
 * Length of the reference that "text" begins with, 0 where it begins with none.
 * *scope and *name (start and length) tell its parts.  In a name, "\]" and "\\"
 * stand for the characters themselves.
 */
static int
scan_reference(const char *text, int *scope, const char **name, int *name_length)
{
	const char *c;
	int			i;

	if (text[0] != '[')
		return 0;
	for (i = 0; scopes[i] != NULL; i++)
	{
		int			length = strlen(scopes[i]);

		if (strncmp(text + 1, scopes[i], length) == 0 && text[length + 1] == '/')
			break;
	}
	if (scopes[i] == NULL)
		return 0;

	*scope = i;
	*name = c = text + strlen(scopes[i]) + 2;
	while (*c != '\0' && *c != ']' && *c != '[' && *c != '\n')
		c += c[0] == '\\' && (c[1] == ']' || c[1] == '[' || c[1] == '\\') ? 2 : 1;
	*name_length = c - *name;
	return *c == ']' && *name_length > 0 ? c - text + 1 : 0;
}

/* Is this string, as a whole, one reference like [Selection/Region]? */
bool
sigma_is_bare_reference(const char *text)
{
	int			scope;
	const char *name;
	int			length;
	int			used = scan_reference(text, &scope, &name, &length);

	return used > 0 && text[used] == '\0';
}

/*
 * The parts of a string that is one reference: *scope becomes "Selection",
 * "Control", "ActionVar" or "Form" (a constant), *name what is named (palloc'd).
 * False, with both untouched, where it is none.
 */
bool
sigma_split_reference(const char *text, const char **scope, char **name)
{
	int			i;
	const char *start;
	int			length;
	int			used = scan_reference(text, &i, &start, &length);
	char	   *out;
	const char *c;

	if (used == 0 || text[used] != '\0')
		return false;
	*scope = scopes[i];
	*name = out = palloc(length + 1);
	for (c = start; c < start + length; c++)
	{
		if (c[0] == '\\' && (c[1] == ']' || c[1] == '[' || c[1] == '\\'))
			c++;
		*out++ = *c;
	}
	*out = '\0';
	return true;
}

/*
 * The end of the formula that begins after "{{": its "}}", or NULL.  Braces in
 * strings and in names do not end it.
 */
static const char *
formula_end(const char *text)
{
	const char *c;
	char		until = '\0';

	for (c = text; *c != '\0'; c++)
	{
		if (until != '\0')
		{
			if (*c == '\\' && c[1] != '\0')
				c++;
			else if (*c == until)
				until = '\0';
		}
		else if (*c == '"')
			until = '"';
		else if (*c == '[')
			until = ']';
		else if (c[0] == '}' && c[1] == '}')
			return c;
	}
	return NULL;
}

/* Append a formula after the literal text gathered before it; a NULL formula ends the text. */
static List *
add_pieces(List *pieces, StringInfo literal, const char *formula, int length)
{
	TextPiece  *piece;

	if (literal->len > 0)
	{
		piece = palloc(sizeof(TextPiece));
		piece->is_formula = false;
		piece->text = pnstrdup(literal->data, literal->len);
		pieces = lappend(pieces, piece);
		resetStringInfo(literal);
	}
	if (formula != NULL)
	{
		piece = palloc(sizeof(TextPiece));
		piece->is_formula = true;
		piece->text = pnstrdup(formula, length);
		pieces = lappend(pieces, piece);
	}
	return pieces;
}

/*
 * Dynamic text as a List of TextPiece: literal text and formulas in turn.
 * Returns false where "{{" has no "}}" or nothing stands between them.
 */
bool
sigma_dynamic_text_split(const char *text, List **pieces)
{
	const char *c = text;
	StringInfoData literal;

	*pieces = NIL;
	initStringInfo(&literal);
	while (*c != '\0')
	{
		int			scope;
		const char *name;
		int			length;
		int			used;
		const char *end;

		if (strncmp(c, "{{{{", 4) == 0)
		{
			appendStringInfoString(&literal, "{{");
			c += 4;
		}
		else if (strncmp(c, "{{", 2) == 0)
		{
			end = formula_end(c + 2);
			if (end == NULL || strspn(c + 2, " \t\r\n") >= end - (c + 2))
				return false;
			*pieces = add_pieces(*pieces, &literal, c + 2, end - (c + 2));
			c = end + 2;
		}
		else if ((used = scan_reference(c, &scope, &name, &length)) > 0)
		{
			*pieces = add_pieces(*pieces, &literal, c, used);
			c += used;
		}
		else
			appendStringInfoChar(&literal, *c++);
	}
	*pieces = add_pieces(*pieces, &literal, NULL, 0);
	return true;
}

/*
 * Dynamic text in its canonical form: bare references stand in "{{}}" like any
 * other formula.  Raises SG400 where braces do not match.
 */
JsonNode *
sigma_read_dynamic_text(JsonNode *text)
{
	StringInfoData buf;
	const char *c = text->string;

	if (strchr(c, '[') == NULL && strstr(c, "{{") == NULL)
		return text;
	initStringInfo(&buf);
	while (*c != '\0')
	{
		int			scope;
		const char *name;
		int			length;
		int			used;
		const char *end;

		if (strncmp(c, "{{{{", 4) == 0)
		{
			appendBinaryStringInfo(&buf, c, 4);
			c += 4;
		}
		else if (strncmp(c, "{{", 2) == 0)
		{
			end = formula_end(c + 2);
			if (end == NULL)
				sigma_document_error(text, 0, "Write \"{{{{\" for a literal \"{{\".",
									 "\"{{\" without a closing \"}}\"");
			if (strspn(c + 2, " \t\r\n") >= end - (c + 2))
				sigma_document_error(text, 0, "Write \"{{{{\" for a literal \"{{\".",
									 "there is no formula between \"{{\" and \"}}\"");
			appendBinaryStringInfo(&buf, c, end + 2 - c);
			c = end + 2;
		}
		else if ((used = scan_reference(c, &scope, &name, &length)) > 0)
		{
			appendStringInfo(&buf, "{{%.*s}}", used, c);
			c += used;
		}
		else
			appendStringInfoChar(&buf, *c++);
	}
	text->string = buf.data;
	return text;
}
