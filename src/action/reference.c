/*
 * reference.c
 *		Bare references of actions: [Selection/x], [Control/x], [ActionVar/x], [Form/x].
 *
 * A range control has members: [Control/x].min, or [Control/x.min] with the
 * member inside the brackets.  A control whose own id ends like a member is
 * found first under its whole id.
 */
#include "postgres.h"

#include <ctype.h>

#include "action/reference.h"
#include "common/document.h"
#include "formula/formula.h"

/* What a reference begins with. */
static const struct
{
	const char *name;
	ReferenceSource from;
}			scopes[] =
{
	{"Selection", FROM_SELECTION},
	{"Control", FROM_CONTROL},
	{"ActionVar", FROM_VARIABLE},
	{"Form", FROM_FORM},
};

static const char *const range_members[] = {"min", "max", "start", "end"};

static bool read_named(ReferenceSource from, const char *name, RunContext *context, JsonbValue *value);
static const char *find_range_member(const char *text);
static char *trim(const char *text);

void
sigma_reference_make(RunReference *reference, ReferenceSource from, const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *member = dot == NULL || dot == name ? NULL :
		find_range_member(dot + 1);

	reference->from = from;
	reference->name = pstrdup(name);
	reference->member = member;
	reference->base = member == NULL ? NULL : pnstrdup(name, dot - name);
}

/*
 * One reference and nothing else?  What the reader of documents takes for one,
 * with a range member after it or without.
 */
bool
sigma_reference_parse(const char *text, RunReference *reference)
{
	char	   *whole = trim(text);
	char	   *dot = strrchr(whole, '.');
	const char *member = NULL;
	const char *scope;
	char	   *name;
	int			i;

	if (dot != NULL && dot > whole && dot[-1] == ']')
	{
		member = find_range_member(dot + 1);
		*dot = '\0';
	}
	if ((dot != NULL && *dot == '\0' && member == NULL) ||
		!sigma_split_reference(whole, &scope, &name))
		return false;
	for (i = 0; i < lengthof(scopes); i++)
		if (strcmp(scopes[i].name, scope) == 0)
		{
			sigma_reference_make(reference, scopes[i].from,
								 member == NULL ? name : psprintf("%s.%s", name, member));
			return true;
		}
	return false;
}

/* A formula that is one reference; without a row a bare name can only be a control's. */
bool
sigma_reference_of_formula(const char *text, RunReference *reference)
{
	const FormulaNode *tree;
	const char *member = NULL;

	if (sigma_reference_parse(text, reference))
		return true;
	if (text[0] != '[')
		return false;
	tree = sigma_formula_parse(text);
	if (tree->kind == FORMULA_KEY && (member = find_range_member(tree->text)) != NULL)
		tree = tree->children[0];
	if (tree->kind != FORMULA_REFERENCE || tree->source != NULL)
		return false;
	sigma_reference_make(reference, FROM_CONTROL,
						 member == NULL ? tree->text : psprintf("%s.%s", tree->text, member));
	return true;
}

char *
sigma_reference_show(const RunReference *reference)
{
	int			i = 0;

	while (scopes[i].from != reference->from)
		i++;
	return psprintf("[%s/%s]", scopes[i].name, reference->name);
}

void
sigma_reference_read(const RunReference *reference, RunContext *context, JsonbValue *value)
{
	JsonbValue	range;

	if (read_named(reference->from, reference->name, context, value) || reference->base == NULL)
		return;
	if (!read_named(reference->from, reference->base, context, &range))
		return;
	if (range.type != jbvBinary || !JsonContainerIsObject(range.val.binary.data) ||
		getKeyJsonValueFromContainer(range.val.binary.data, reference->member,
									 strlen(reference->member), value) == NULL)
		value->type = jbvNull;
}

/* The value of that name; jbvNull and false where there is none. */
static bool
read_named(ReferenceSource from, const char *name, RunContext *context, JsonbValue *value)
{
	switch (from)
	{
		case FROM_SELECTION:
			return sigma_context_selection(context, name, value);
		case FROM_CONTROL:
			return sigma_context_control(context, name, value);
		case FROM_VARIABLE:
			return sigma_context_variable(context, name, value);
		case FROM_FORM:
			return sigma_context_form(context, name, value);
	}
	pg_unreachable();
}

/* The range member of that spelling, or NULL. */
static const char *
find_range_member(const char *text)
{
	int			i;

	for (i = 0; i < lengthof(range_members); i++)
		if (strcmp(range_members[i], text) == 0)
			return range_members[i];
	return NULL;
}

/* A copy of a text without blanks around it. */
static char *
trim(const char *text)
{
	char	   *copy;
	int			length;

	while (isspace((unsigned char) *text))
		text++;
	copy = pstrdup(text);
	for (length = strlen(copy); length > 0 && isspace((unsigned char) copy[length - 1]); length--)
		copy[length - 1] = '\0';
	return copy;
}
