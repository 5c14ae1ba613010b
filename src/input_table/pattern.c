/*
 * pattern.c
 *		Simple patterns, matched without the regular expression engine.
 *
 * PostgreSQL's engine builds its automaton anew for every string, which costs more
 * than all other rules of a row together.  Most patterns of rules are a row of
 * characters and classes, each perhaps repeated, like ^[A-Z]{3}-\d+$: their states
 * fit into the bits of one word.  Such a pattern is compiled here beside its real
 * regular expression, and used for strings of ASCII characters; everything else is
 * left to the engine, so that meaning never differs.
 *
 * State i means that item i is to be matched next, state "nitem" that all are.
 */
#include "postgres.h"

#include "input_table/rules.h"

#define MAX_ITEMS	63

struct SimplePattern
{
	uint64		items[128];		/* by character: which items it matches */
	uint64		optional;		/* items that may be left out */
	uint64		repeated;		/* items that may follow themselves */
	uint64		begin;			/* states before the first character */
	uint64		accept;			/* the state after the last item */
	bool		at_start;		/* ^ */
	bool		at_end;			/* $ */
};

/* A set of ASCII characters. */
typedef struct CharSet
{
	bool		has[128];
} CharSet;

static bool add_item(SimplePattern *pattern, int *nitem, const char **at);
static bool read_atom(const char **at, CharSet *set);
static bool read_escape(const char **at, CharSet *set);
static bool read_bracket(const char **at, CharSet *set);
static bool read_class(const char **at, CharSet *set);
static bool read_bounds(const char **at, int *least, int *most);
static bool read_digits(const char **at, int *number);
static bool put_item(SimplePattern *pattern, int *nitem, const CharSet *set, bool optional, bool repeated);
static uint64 skip_optional(const SimplePattern *pattern, uint64 states);

/*
 * The simple form of a valid regular expression, or NULL where it has none.
 * Allocated in the current context.
 */
SimplePattern *
sigma_pattern_compile(const char *text)
{
	SimplePattern *pattern = palloc0(sizeof(SimplePattern));
	const char *at = text;
	int			nitem = 0;

	if (*at == '^')
	{
		pattern->at_start = true;
		at++;
	}
	while (*at != '\0' && strcmp(at, "$") != 0)
		if (!add_item(pattern, &nitem, &at))
		{
			pfree(pattern);
			return NULL;
		}
	pattern->at_end = *at == '$';
	pattern->accept = UINT64CONST(1) << nitem;
	pattern->begin = skip_optional(pattern, 1);
	return pattern;
}

/* Does a string match?  PATTERN_UNSURE where a character that is not ASCII has a say. */
PatternResult
sigma_pattern_match(const SimplePattern *pattern, const char *text, int length)
{
	const char *end = text + length;
	uint64		states = pattern->begin;

	for (; text < end; text++)
	{
		uint64		met;

		if (!pattern->at_end && (states & pattern->accept) != 0)
			return PATTERN_MATCHES;
		if (states == 0)
			return PATTERN_FAILS;
		if (IS_HIGHBIT_SET(*text))
			return PATTERN_UNSURE;
		met = states & pattern->items[(unsigned char) *text];
		states = skip_optional(pattern, (met << 1) | (met & pattern->repeated));
		if (!pattern->at_start)
			states |= pattern->begin;
	}
	return (states & pattern->accept) != 0 ? PATTERN_MATCHES : PATTERN_FAILS;
}

/* One atom with its quantifier, as one item or several; false where it is not simple. */
static bool
add_item(SimplePattern *pattern, int *nitem, const char **at)
{
	CharSet		set;
	int			least = 1;
	int			most = 1;		/* -1: any number */
	int			i;

	if (!read_atom(at, &set))
		return false;
	switch (**at)
	{
		case '*':
			least = 0, most = -1, (*at)++;
			break;
		case '+':
			most = -1, (*at)++;
			break;
		case '?':
			least = 0, (*at)++;
			break;
		case '{':
			if (!read_bounds(at, &least, &most))
				return false;
			break;
	}
	if (**at != '\0' && strchr("*+?{", **at) != NULL)
		return false;			/* not greedy: the engine knows */
	for (i = 0; i < least - 1; i++)
		if (!put_item(pattern, nitem, &set, false, false))
			return false;
	if (most == -1)
		return put_item(pattern, nitem, &set, least == 0, true);
	if (least > 0 && !put_item(pattern, nitem, &set, false, false))
		return false;
	for (i = least; i < most; i++)
		if (!put_item(pattern, nitem, &set, true, false))
			return false;
	return true;
}

/* A character, an escape, a dot or a bracket. */
static bool
read_atom(const char **at, CharSet *set)
{
	unsigned char c = **at;

	memset(set, 0, sizeof(CharSet));
	if (c == '\\')
		return read_escape(at, set);
	if (c == '[')
		return read_bracket(at, set);
	if (c == '\0' || IS_HIGHBIT_SET(c) || strchr("^$*+?(){}|]", c) != NULL)
		return false;
	if (c == '.')
		memset(set->has, true, sizeof(set->has));
	else
		set->has[c] = true;
	(*at)++;
	return true;
}

/* \d, \w, \s, and \ before a character that is neither letter nor digit. */
static bool
read_escape(const char **at, CharSet *set)
{
	unsigned char c = (*at)[1];
	int			i;

	if (c == '\0' || IS_HIGHBIT_SET(c))
		return false;
	*at += 2;
	if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
	{
		set->has[c] = true;
		return true;
	}
	for (i = 0; i < 128; i++)
	{
		bool		digit = i >= '0' && i <= '9';
		bool		letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z');

		if ((c == 'd' && digit) || (c == 'w' && (digit || letter || i == '_')) ||
			(c == 's' && (i == ' ' || (i >= '\t' && i <= '\r'))))
			set->has[i] = true;
	}
	return c == 'd' || c == 'w' || c == 's';
}

/* [a-z_.], [^ ], [[:alpha:]-] */
static bool
read_bracket(const char **at, CharSet *set)
{
	bool		negated = (*at)[1] == '^';
	bool		first = true;
	int			i;

	*at += negated ? 2 : 1;
	for (; **at != ']' || first; first = false)
	{
		unsigned char from = **at;
		unsigned char to;

		if (from == '\0' || IS_HIGHBIT_SET(from))
			return false;
		if (from == '\\')
		{
			if (!read_escape(at, set) || (**at == '-' && (*at)[1] != ']'))
				return false;
			continue;
		}
		if (from == '[')
		{
			if (!read_class(at, set))
				return false;
			continue;
		}
		to = from;
		(*at)++;
		if (**at == '-' && (*at)[1] != ']')
		{
			to = (*at)[1];
			if (to == '\0' || IS_HIGHBIT_SET(to) || to == '\\' || to == '[' || to < from)
				return false;
			*at += 2;
		}
		for (i = from; i <= to; i++)
			set->has[i] = true;
	}
	(*at)++;
	for (i = 0; negated && i < 128; i++)
		set->has[i] = !set->has[i];
	return true;
}

/* [:alpha:] and its like inside a bracket. */
static bool
read_class(const char **at, CharSet *set)
{
	static const char *const names[] = {"[:alpha:]", "[:digit:]", "[:alnum:]", "[:upper:]", "[:lower:]"};
	int			n;
	int			i;

	for (n = 0; n < lengthof(names); n++)
		if (strncmp(*at, names[n], strlen(names[n])) == 0)
			break;
	if (n == lengthof(names))
		return false;
	*at += strlen(names[n]);
	if (**at == '-' && (*at)[1] != ']')
		return false;
	for (i = 0; i < 128; i++)
	{
		bool		digit = i >= '0' && i <= '9';
		bool		lower = i >= 'a' && i <= 'z';
		bool		upper = i >= 'A' && i <= 'Z';

		if ((n == 0 && (lower || upper)) || (n == 1 && digit) || (n == 2 && (digit || lower || upper)) ||
			(n == 3 && upper) || (n == 4 && lower))
			set->has[i] = true;
	}
	return true;
}

/* {3}, {3,}, {3,5} */
static bool
read_bounds(const char **at, int *least, int *most)
{
	(*at)++;
	if (!read_digits(at, least))
		return false;
	*most = *least;
	if (**at == ',')
	{
		(*at)++;
		if (**at == '}')
			*most = -1;
		else if (!read_digits(at, most))
			return false;
	}
	if (**at != '}' || *most == 0 || (*most > 0 && *most < *least))
		return false;
	(*at)++;
	return true;
}

static bool
read_digits(const char **at, int *number)
{
	if (**at < '0' || **at > '9')
		return false;
	for (*number = 0; **at >= '0' && **at <= '9'; (*at)++)
	{
		*number = *number * 10 + (**at - '0');
		if (*number > MAX_ITEMS)
			return false;
	}
	return true;
}

/* Append one item; false where there is no bit left. */
static bool
put_item(SimplePattern *pattern, int *nitem, const CharSet *set, bool optional, bool repeated)
{
	uint64		bit = UINT64CONST(1) << *nitem;
	int			i;

	if (*nitem == MAX_ITEMS)
		return false;
	for (i = 0; i < 128; i++)
		if (set->has[i])
			pattern->items[i] |= bit;
	if (optional)
		pattern->optional |= bit;
	if (repeated)
		pattern->repeated |= bit;
	(*nitem)++;
	return true;
}

/* The states with all that are reached by leaving items out. */
static uint64
skip_optional(const SimplePattern *pattern, uint64 states)
{
	uint64		skipped = (states & pattern->optional) << 1;

	while ((skipped & ~states) != 0)
	{
		states |= skipped;
		skipped = (states & pattern->optional) << 1;
	}
	return states;
}
