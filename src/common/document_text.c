/*
 * document_text.c
 *		The spelling of keys and words, and texts that hold references.
 *
 * Pure text work: nothing here touches the catalog; formulas are brought into their
 * canonical form by the floor that knows them.  Results are palloc'd in the
 * current context unless a function says otherwise.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "common/document.h"
#include "common/document_specs.h"

/* What reads formulas: a floor above. */
static DocumentFormulaReader formula_reader = NULL;

static const char *const scopes[] = {"Selection", "Control", "ActionVar", "Form", NULL};

/* Keys and words are respelled as ASCII, whatever the locale. */
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

	if (sigma_is_spelled(key, strlen(key)))
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

/* Is a key spelled as keys are stored? */
bool
sigma_is_spelled(const char *key, int length)
{
	int			i;

	for (i = 0; i < length; i++)
		if (is_upper(key[i]))
			return false;
	return true;
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
 * strings and in names do not end it, nor do those of records.
 */
static const char *
formula_end(const char *text)
{
	const char *c;
	char		until = '\0';
	int			records = 0;

	for (c = text; *c != '\0'; c++)
	{
		if (until != '\0')
		{
			if (*c == '\\' && c[1] != '\0')
				c++;
			else if (*c == until)
				until = '\0';
		}
		else if (*c == '"' || *c == '\'')
			until = *c;
		else if (*c == '[')
			until = ']';
		else if (*c == '{')
			records++;
		else if (*c == '}' && records > 0)
			records--;
		else if (c[0] == '}' && c[1] == '}')
			return c;
	}
	return NULL;
}

/* What stands at a place of dynamic text. */
typedef enum TextToken
{
	TOKEN_CHARACTER,			/* itself */
	TOKEN_BRACES,				/* "{{{{": a literal "{{" */
	TOKEN_FORMULA,				/* "{{formula}}" */
	TOKEN_REFERENCE,			/* a bare reference */
	TOKEN_OPEN,					/* "{{" without an end */
	TOKEN_EMPTY					/* "{{}}" */
} TextToken;

/*
 * The token at "text", its whole length, and for a formula or reference the text
 * of it.  Of three braces the first is itself, so that a brace may stand before
 * a formula.
 */
static TextToken
next_token(const char *text, int *length, const char **formula, int *formula_length)
{
	int			scope;
	const char *name;
	int			name_length;
	const char *end;

	*length = 1;
	if (text[0] == '[')
	{
		*formula = text;
		*formula_length = scan_reference(text, &scope, &name, &name_length);
		if (*formula_length == 0)
			return TOKEN_CHARACTER;
		*length = *formula_length;
		return TOKEN_REFERENCE;
	}
	if (strncmp(text, "{{", 2) != 0)
		return TOKEN_CHARACTER;
	if (strncmp(text, "{{{{", 4) == 0)
	{
		*length = 4;
		return TOKEN_BRACES;
	}
	if (text[2] == '{')
		return TOKEN_CHARACTER;

	end = formula_end(text + 2);
	if (end == NULL)
		return TOKEN_OPEN;
	*formula = text + 2;
	*formula_length = end - *formula;
	*length = *formula_length + 4;
	return strspn(*formula, " \t\r\n") >= *formula_length ? TOKEN_EMPTY : TOKEN_FORMULA;
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
	StringInfoData literal;
	const char *formula;
	int			formula_length;
	int			length;

	*pieces = NIL;
	initStringInfo(&literal);
	for (; *text != '\0'; text += length)
		switch (next_token(text, &length, &formula, &formula_length))
		{
			case TOKEN_CHARACTER:
				appendStringInfoChar(&literal, *text);
				break;
			case TOKEN_BRACES:
				appendStringInfoString(&literal, "{{");
				break;
			case TOKEN_FORMULA:
			case TOKEN_REFERENCE:
				*pieces = add_pieces(*pieces, &literal, formula, formula_length);
				break;
			case TOKEN_OPEN:
			case TOKEN_EMPTY:
				return false;
		}
	*pieces = add_pieces(*pieces, &literal, NULL, 0);
	return true;
}

/* See document.h. */
void
sigma_document_set_formula_reader(DocumentFormulaReader reader)
{
	formula_reader = reader;
}

/* The canonical text of a formula in a document; 42601 with the node's path and the place in it. */
static char *
canonical_formula(const char *text, const JsonNode *where)
{
	MemoryContext cxt = CurrentMemoryContext;
	char	   *volatile result = NULL;

	PG_TRY();
	{
		result = formula_reader(text);
	}
	PG_CATCH();
	{
		sigma_document_rethrow(where, cxt);
	}
	PG_END_TRY();
	return result;
}

/* A formula in its canonical form; raises 42601. */
JsonNode *
sigma_read_formula(JsonNode *formula)
{
	formula->string = canonical_formula(formula->string, formula);
	return formula;
}

/* A formula of dynamic text with its braces; a record's own brace must not stand next to them. */
static void
append_formula(StringInfo buf, const char *formula, int length, const JsonNode *where)
{
	char	   *text = canonical_formula(pnstrdup(formula, length), where);

	appendStringInfo(buf, text[0] == '{' ? "{{ %s}}" : "{{%s}}", text);
}

/*
 * Dynamic text in its canonical form: bare references stand in "{{}}" like any
 * other formula.  Raises SG400 where braces do not match, 42601 for a formula that
 * is none.
 */
JsonNode *
sigma_read_dynamic_text(JsonNode *text)
{
	static const char hint[] = "Write \"{{{{\" for a literal \"{{\".";
	const char *c = text->string;
	StringInfoData buf;
	const char *formula;
	int			formula_length;
	int			length;

	if (strchr(c, '[') == NULL && strstr(c, "{{") == NULL)
		return text;
	initStringInfo(&buf);
	for (; *c != '\0'; c += length)
		switch (next_token(c, &length, &formula, &formula_length))
		{
			case TOKEN_REFERENCE:
			case TOKEN_FORMULA:
				append_formula(&buf, formula, formula_length, text);
				break;
			case TOKEN_OPEN:
				sigma_document_error(text, 0, hint, "\"{{\" without a closing \"}}\"");
				break;
			case TOKEN_EMPTY:
				sigma_document_error(text, 0, hint, "there is no formula between \"{{\" and \"}}\"");
				break;
			default:
				appendBinaryStringInfo(&buf, c, length);
				break;
		}
	text->string = buf.data;
	return text;
}
