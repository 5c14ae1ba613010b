/*
 * eval.c
 *		sigma.eval(): a formula over a context.
 *
 * Compiled formulas are kept (formula/program_cache.c), found by the bytes of the
 * formula.  The same reading of contexts serves the layout, which stands below.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "action/context.h"
#include "action/eval.h"
#include "action/reference.h"
#include "action/value_source.h"
#include "compat.h"
#include "formula/compile.h"
#include "layout/layout.h"

static char *formula_text(const void *formula);
static void *read_context(Jsonb *document);
static const char *context_mode(void *context);
static const char *context_user(void *context);
static JsonbContainer *context_metadata(void *context);

PG_FUNCTION_INFO_V1(eval);

/* sigma.eval(f sigma.formula, context jsonb) returns jsonb */
Datum
eval(PG_FUNCTION_ARGS)
{
	Formula    *formula;
	RunContext *context;
	SessionState session = sigma_session;
	JsonbValue	result;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	formula = (Formula *) PG_GETARG_VARLENA_P(0);
	context = sigma_context_read(PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1));
	PG_TRY();
	{
		sigma_context_enter(context);
		sigma_program_run_kept(formula, VARSIZE(formula), formula_text, "a formula", FORMULA_TYPED,
							   sigma_fetch_from_context, context, &result);
	}
	PG_FINALLY();
	{
		sigma_session = session;
	}
	PG_END_TRY();
	if (result.type == jbvNull)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(sigma_jsonb_from_value(&result));
}

/* The value of a reference in a run: FormulaFetch with a RunContext. */
void
sigma_fetch_from_context(void *arg, const char *source, const char *name, JsonbValue *value)
{
	static const struct
	{
		const char *name;
		ReferenceSource from;
	}			sources[] = {
		{"Selection", FROM_SELECTION}, {"Control", FROM_CONTROL}, {"ActionVar", FROM_VARIABLE}, {"Form", FROM_FORM},
	};
	RunReference reference;
	int			i;

	value->type = jbvNull;
	if (name == NULL)
	{
		RunContext *context = arg;

		if (context->selected != NULL)
		{
			value->type = jbvBinary;
			value->val.binary.data = context->selected;
			value->val.binary.len = context->selected_length;
		}
		return;
	}
	for (i = 0; i < lengthof(sources); i++)
		if (pg_strcasecmp(source == NULL ? "Control" : source, sources[i].name) == 0)
		{
			sigma_reference_make(&reference, sources[i].from, name);
			sigma_reference_read(&reference, arg, value);
			return;
		}
}

/* The canonical text of a stored formula. */
static char *
formula_text(const void *formula)
{
	return sigma_formula_print(sigma_formula_read(unconstify(Formula *, (const Formula *) formula)));
}

/* What the layout asks about contexts; called once, when the library is loaded. */
void
sigma_eval_init(void)
{
	static const LayoutContextHooks hooks = {
		read_context, sigma_fetch_from_context, context_mode, context_user, context_metadata, sigma_jsonb_text
	};

	sigma_layout_contexts = &hooks;
}

static void *
read_context(Jsonb *document)
{
	return sigma_context_read(document);
}

static const char *
context_mode(void *context)
{
	return ((RunContext *) context)->mode;
}

static const char *
context_user(void *context)
{
	return ((RunContext *) context)->user_id;
}

static JsonbContainer *
context_metadata(void *context)
{
	return ((RunContext *) context)->metadata;
}
