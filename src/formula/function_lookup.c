/*
 * function_lookup.c
 *		Questions to the table of functions, and sigma.functions().
 *
 * The order for lookups is made once per backend, in static memory.  Texts are
 * palloc'd in the current context.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"
#include "utils/varlena.h"

#include "formula/functions.h"

#define MAX_FUNCTIONS	400

static const char *const type_names[] =
{
	[TYPE_ANY] = "any",
	[TYPE_SAME] = "T",
	[TYPE_OTHER] = "U",
	[TYPE_TEXT] = "text",
	[TYPE_NUMBER] = "number",
	[TYPE_DATE] = "date",
	[TYPE_LOGICAL] = "logical",
	[TYPE_VARIANT] = "variant",
};

/* Names that other languages have for functions of this one, in lower case. */
static const struct
{
	const char *name;
	const char *function;
}			foreign_names[] = {
	{"average", "Avg"}, {"mean", "Avg"}, {"total", "Sum"},
	{"length", "Len"}, {"char_length", "Len"}, {"substr", "Mid"}, {"concatenate", "Concat"},
	{"string_agg", "ListAgg"}, {"array_agg", "ArrayAgg"}, {"strpos", "Find"}, {"split_part", "SplitPart"},
	{"ifnull", "Coalesce"}, {"nvl", "Coalesce"}, {"isblank", "IsNull"}, {"iif", "If"}, {"case", "Switch"},
	{"ceil", "Ceiling"}, {"truncate", "Trunc"}, {"ucase", "Upper"}, {"lcase", "Lower"}, {"initcap", "Proper"},
	{"vlookup", "Lookup"}, {"xlookup", "Lookup"}, {"row_number", "RowNumber"}, {"dense_rank", "RankDense"},
	{"date_trunc", "DateTrunc"}, {"date_part", "DatePart"}, {"extract", "DatePart"}, {"datedif", "DateDiff"},
	{"to_char", "DateFormat"}, {"to_date", "DateParse"}, {"current_date", "Today"},
};

/* The functions by name, ignoring case. */
static const FormulaFunction *by_name[MAX_FUNCTIONS];
static int	nfunctions = 0;

static void put_function(ReturnSetInfo *rsinfo, const FormulaFunction *function);
static bool has_word(const char *name, const char *lowered);
static void sort_functions(void);
static int	compare_functions(const void *a, const void *b);
static void count_arguments(const FormulaFunction *function, int *required, int *repeated, int *optional);
static bool contains(const char *text, const char *lowered);
static char *lower_copy(const char *text);

PG_FUNCTION_INFO_V1(functions);

/*
 * The functions that contain a text in name, category or description; without one,
 * all.  Those with a word of their name that begins so come first.
 */
Datum
functions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *search = PG_ARGISNULL(0) ? "" : lower_copy(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const FormulaFunction *function;
	int			named;

	InitMaterializedSRF(fcinfo, 0);
	for (named = 1; named >= 0; named--)
		for (function = sigma_formula_functions; function->name != NULL; function++)
		{
			if (has_word(function->name, search) != (named == 1))
				continue;
			if (named == 1 || contains(function->name, search) || contains(function->category, search) ||
				contains(function->description, search))
				put_function(rsinfo, function);
		}
	return (Datum) 0;
}

/* Add the row of one function to the result. */
static void
put_function(ReturnSetInfo *rsinfo, const FormulaFunction *function)
{
	Datum		values[5];
	bool		nulls[5] = {false};

	values[0] = CStringGetTextDatum(function->name);
	values[1] = CStringGetTextDatum(psprintf("%s: %s", sigma_function_signature(function),
											 type_names[function->result]));
	values[2] = CStringGetTextDatum(function->category);
	values[3] = CStringGetTextDatum(function->description);
	values[4] = CStringGetTextDatum(function->example);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Does a word of the name, which begins with a capital, begin with the text in lower case? */
static bool
has_word(const char *name, const char *lowered)
{
	int			length = strlen(lowered);
	const char *c;

	for (c = name; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z' && pg_strncasecmp(c, lowered, length) == 0)
			return true;
	return false;
}

/* The function of that name in any case, or NULL. */
const FormulaFunction *
sigma_function_find(const char *name)
{
	int			low = 0;
	int			high;

	sort_functions();
	high = nfunctions - 1;
	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = pg_strcasecmp(name, by_name[middle]->name);

		if (order == 0)
			return by_name[middle];
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return NULL;
}

/* May the function be called with so many arguments? */
bool
sigma_function_takes(const FormulaFunction *function, int count)
{
	int			required;
	int			repeated;
	int			optional;
	int			given;

	count_arguments(function, &required, &repeated, &optional);
	for (given = 0; given <= optional; given++)
	{
		int			rest = count - required - given;

		if (rest == 0 || (rest > 0 && repeated > 0 && rest % repeated == 0))
			return true;
	}
	return false;
}

/* "Round(n: number, [digits: number = 0])" */
char *
sigma_function_signature(const FormulaFunction *function)
{
	const FunctionArgument *argument;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "%s(", function->name);
	for (argument = function->arguments; argument->name != NULL; argument++)
	{
		bool		first = argument == function->arguments;
		bool		repeats = argument->use == ARGUMENT_REPEATED;

		appendStringInfo(&out, "%s%s%s: %s", first ? "" : ", ",
						 argument->use == ARGUMENT_OPTIONAL ||
						 (repeats && (first || argument[-1].use != ARGUMENT_REPEATED)) ? "[" : "",
						 argument->name, type_names[argument->type]);
		if (argument->preset != NULL)
			appendStringInfo(&out, " = %s", argument->preset);
		if (repeats && argument[1].use != ARGUMENT_REPEATED)
			appendStringInfoString(&out, ", ...]");
		else if (argument->use == ARGUMENT_OPTIONAL)
			appendStringInfoChar(&out, ']');
	}
	appendStringInfoChar(&out, ')');
	return out.data;
}

/* How many arguments it takes, for a message. */
char *
sigma_function_arity(const FormulaFunction *function)
{
	int			required;
	int			repeated;
	int			optional;

	count_arguments(function, &required, &repeated, &optional);
	if (repeated > optional + 1)
		return psprintf("%d arguments and any number of further pairs", required);
	if (repeated > 0)
		return psprintf("at least %d argument%s", required, required == 1 ? "" : "s");
	if (optional == 0)
		return required == 0 ? pstrdup("no arguments") :
			psprintf("%d argument%s", required, required == 1 ? "" : "s");
	return psprintf("%d %s %d argument%s", required, optional == 1 ? "or" : "to", required + optional,
					required + optional == 1 ? "" : "s");
}

/* The nearest function name, or where to look for one. */
char *
sigma_function_hint(const char *name)
{
	char	   *given = lower_copy(name);
	int			length = strlen(given);
	int			best = Max(1, length / 3);
	const FormulaFunction *nearest = NULL;
	int			i;

	for (i = 0; i < lengthof(foreign_names); i++)
		if (strcmp(foreign_names[i].name, given) == 0)
			return psprintf("Perhaps you meant %s.",
							sigma_function_signature(sigma_function_find(foreign_names[i].function)));
	sort_functions();
	for (i = 0; i < nfunctions && length < 64; i++)
	{
		char	   *known = lower_copy(by_name[i]->name);
		int			distance = varstr_levenshtein_less_equal(given, length, known, strlen(known),
															 1, 1, 1, best, true);

		if (length >= 3 && strncmp(known, given, length) == 0)
			distance = 1;		/* the begin of a name is as good as one slip */
		if (distance <= best && (nearest == NULL || distance < best))
		{
			nearest = by_name[i];
			best = distance;
		}
	}
	if (nearest != NULL)
		return psprintf("Perhaps you meant %s.", sigma_function_signature(nearest));
	return pstrdup("sigma.functions() lists the functions.");
}

/* Make by_name on first use. */
static void
sort_functions(void)
{
	const FormulaFunction *function;

	if (nfunctions > 0)
		return;
	for (function = sigma_formula_functions; function->name != NULL; function++)
	{
		Assert(nfunctions < MAX_FUNCTIONS);
		by_name[nfunctions++] = function;
	}
	qsort(by_name, nfunctions, sizeof(by_name[0]), compare_functions);
}

static int
compare_functions(const void *a, const void *b)
{
	return pg_strcasecmp((*(const FormulaFunction *const *) a)->name, (*(const FormulaFunction *const *) b)->name);
}

static void
count_arguments(const FormulaFunction *function, int *required, int *repeated, int *optional)
{
	const FunctionArgument *argument;

	*required = *repeated = *optional = 0;
	for (argument = function->arguments; argument->name != NULL; argument++)
	{
		if (argument->use == ARGUMENT_REQUIRED)
			(*required)++;
		else if (argument->use == ARGUMENT_REPEATED)
			(*repeated)++;
		else
			(*optional)++;
	}
}

/* Does the text, ignoring case, contain the other one, which is in lower case already? */
static bool
contains(const char *text, const char *lowered)
{
	char	   *copy = lower_copy(text);
	bool		found = strstr(copy, lowered) != NULL;

	pfree(copy);
	return found;
}

/* A copy in lower case; ASCII, as the whole table is. */
static char *
lower_copy(const char *text)
{
	char	   *copy = pstrdup(text);
	char	   *c;

	for (c = copy; *c != '\0'; c++)
		*c = pg_ascii_tolower((unsigned char) *c);
	return copy;
}
