/*
 * pattern.c
 *		Simple patterns, matched without the regular expression engine.
 *
 * PostgreSQL's engine builds its automaton anew for every string, which costs more
 * than all other rules of a row together.  Most patterns of rules hold a few dozen
 * characters and classes at the most, like ^(EU|US)-[A-Z]{3}\d+$: one bit of a word
 * for each is an automaton that is built once (Glushkov's).  Such a pattern is
 * compiled here beside its real regular expression, and used for strings of ASCII
 * characters; everything else is left to the engine, so that meaning never differs.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "input_table/rules.h"

#define MAX_ITEMS	64			/* characters and classes, repetitions written out */

struct SimplePattern
{
	uint64		items[128];		/* by character: which items it matches */
	uint64		follow[MAX_ITEMS];	/* which items may come after each */
	uint64		first;			/* with which items a match may begin */
	uint64		last;			/* with which one it may end */
	bool		empty;			/* nothing at all matches */
	bool		at_start;		/* ^ */
	bool		at_end;			/* $ */
};

/* What is being compiled. */
typedef struct PatternScan
{
	SimplePattern *pattern;
	const char *at;				/* what is left to read */
	int			nitem;
} PatternScan;

/* A part of a pattern: how it begins, how it ends, whether it may be left out. */
typedef struct Part
{
	uint64		first;
	uint64		last;
	bool		empty;
} Part;

/* A set of ASCII characters. */
typedef struct CharSet
{
	bool		has[128];
} CharSet;

static bool read_alternatives(PatternScan *scan, Part *part);
static bool read_sequence(PatternScan *scan, Part *part);
static bool read_repeated(PatternScan *scan, Part *part);
static bool read_group(PatternScan *scan, Part *part);
static bool repeat(PatternScan *scan, Part *part, const char *begin, int least, int most);
static void join(PatternScan *scan, Part *part, const Part *next);
static void link_items(PatternScan *scan, uint64 from, uint64 to);
static bool read_atom(const char **at, CharSet *set);
static bool read_escape(const char **at, CharSet *set);
static bool read_bracket(const char **at, CharSet *set);
static bool read_class(const char **at, CharSet *set);
static bool read_bounds(const char **at, int *least, int *most);
static bool read_digits(const char **at, int *number);

/*
 * The simple form of a valid regular expression, or NULL where it has none.
 * Allocated in the current context.
 */
SimplePattern *
sigma_pattern_compile(const char *text)
{
	SimplePattern *pattern = palloc0(sizeof(SimplePattern));
	PatternScan scan = {pattern, text, 0};
	Part		whole;
	bool		simple;
	bool		alternatives;

	if (*scan.at == '^')
	{
		pattern->at_start = true;
		scan.at++;
	}
	simple = read_sequence(&scan, &whole);
	alternatives = *scan.at == '|';
	simple = simple && read_alternatives(&scan, &whole);
	/* what anchors one alternative does not anchor the others */
	if (!simple || (alternatives && (pattern->at_start || *scan.at == '$')) ||
		(*scan.at != '\0' && strcmp(scan.at, "$") != 0))
	{
		pfree(pattern);
		return NULL;
	}
	pattern->at_end = *scan.at == '$';
	pattern->first = whole.first;
	pattern->last = whole.last;
	pattern->empty = whole.empty;
	return pattern;
}

/* Does a string match?  PATTERN_UNSURE where a character that is not ASCII has a say. */
PatternResult
sigma_pattern_match(const SimplePattern *pattern, const char *text, int length)
{
	const char *end = text + length;
	uint64		next = pattern->first;	/* items that may match the next character */
	uint64		met;
	bool		matched = pattern->empty;

	for (; text < end; text++)
	{
		if (matched && !pattern->at_end)
			return PATTERN_MATCHES;
		if (next == 0 && (pattern->at_start || !pattern->empty))
			return PATTERN_FAILS;
		if (IS_HIGHBIT_SET(*text))
			return PATTERN_UNSURE;
		met = next & pattern->items[(unsigned char) *text];
		matched = (met & pattern->last) != 0 || (pattern->empty && !pattern->at_start);
		next = pattern->at_start ? 0 : pattern->first;
		for (; met != 0; met &= met - 1)
			next |= pattern->follow[pg_rightmost_one_pos64(met)];
	}
	return matched ? PATTERN_MATCHES : PATTERN_FAILS;
}

/* What follows a first sequence: | and another one, as often as there is. */
static bool
read_alternatives(PatternScan *scan, Part *part)
{
	while (*scan->at == '|')
	{
		Part		next;

		scan->at++;
		if (!read_sequence(scan, &next))
			return false;
		part->first |= next.first;
		part->last |= next.last;
		part->empty = part->empty || next.empty;
	}
	return true;
}

/* Atoms and groups, one after the other, to the end of the group or pattern. */
static bool
read_sequence(PatternScan *scan, Part *part)
{
	part->first = part->last = 0;
	part->empty = true;
	while (*scan->at != '\0' && *scan->at != '|' && *scan->at != ')' && strcmp(scan->at, "$") != 0)
	{
		Part		next;

		if (!read_repeated(scan, &next))
			return false;
		join(scan, part, &next);
	}
	return true;
}

/* An atom or group with its quantifier; false where it is not simple. */
static bool
read_repeated(PatternScan *scan, Part *part)
{
	const char *begin = scan->at;
	int			least = 1;
	int			most = 1;		/* -1: any number */

	if (!read_group(scan, part))
		return false;
	switch (*scan->at)
	{
		case '*':
			least = 0, most = -1, scan->at++;
			break;
		case '+':
			most = -1, scan->at++;
			break;
		case '?':
			least = 0, scan->at++;
			break;
		case '{':
			if (!read_bounds(&scan->at, &least, &most))
				return false;
			break;
	}
	if (*scan->at != '\0' && strchr("*+?{", *scan->at) != NULL)
		return false;			/* not greedy: the engine knows */
	return repeat(scan, part, begin, least, most);
}

/* One atom as a new item, or a group in parentheses. */
static bool
read_group(PatternScan *scan, Part *part)
{
	CharSet		set;
	int			i;

	check_stack_depth();
	if (*scan->at == '(')
	{
		scan->at++;
		if (*scan->at == '?' || *scan->at == '*' || !read_sequence(scan, part) || !read_alternatives(scan, part) ||
			*scan->at != ')')
			return false;
		scan->at++;
		return true;
	}
	if (scan->nitem == MAX_ITEMS || !read_atom(&scan->at, &set))
		return false;
	for (i = 0; i < 128; i++)
		if (set.has[i])
			scan->pattern->items[i] |= UINT64CONST(1) << scan->nitem;
	part->first = part->last = UINT64CONST(1) << scan->nitem++;
	part->empty = false;
	return true;
}

/* Write a part that was read from "begin" out as often as its bounds say. */
static bool
repeat(PatternScan *scan, Part *part, const char *begin, int least, int most)
{
	const char *end = scan->at;
	Part		once = *part;
	int			copies = most == -1 ? Max(least, 1) : most;
	int			i;

	part->empty = once.empty || least == 0;
	for (i = 2; i <= copies; i++)
	{
		scan->at = begin;
		if (!read_group(scan, &once))
			return false;
		if (i > least)
			once.empty = true;
		join(scan, part, &once);
	}
	scan->at = end;
	if (most == -1)
		link_items(scan, once.last, once.first);
	return true;
}

/* Put one part after another. */
static void
join(PatternScan *scan, Part *part, const Part *next)
{
	link_items(scan, part->last, next->first);
	if (part->empty)
		part->first |= next->first;
	part->last = next->last | (next->empty ? part->last : 0);
	part->empty = part->empty && next->empty;
}

/* Each of some items may be followed by each of others. */
static void
link_items(PatternScan *scan, uint64 from, uint64 to)
{
	for (; from != 0; from &= from - 1)
		scan->pattern->follow[pg_rightmost_one_pos64(from)] |= to;
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
