/*
 * eval.c
 *		sigma.eval(): a formula over a context.
 *
 * Compiled formulas are kept in a direct-mapped table of this backend, found by
 * the bytes of the formula.  One that is being run is not replaced: a function that
 * it calls may call eval() itself.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "action/context.h"
#include "action/eval.h"
#include "action/reference.h"
#include "compat.h"
#include "formula/compile.h"

#define SLOTS	256				/* a power of two */
#define MAX_KEPT	16384		/* bytes: longer formulas are not kept */

typedef struct Slot
{
	Formula    *formula;		/* NULL: unused */
	FormulaProgram *program;
} Slot;

static Slot slots[SLOTS];

static Slot *find_slot(Formula *formula);
static FormulaProgram *make_program(Formula *formula, MemoryContext cxt);
static void run_once(Formula *formula, RunContext *context, JsonbValue *result);

PG_FUNCTION_INFO_V1(eval);

/* sigma.eval(f sigma.formula, context jsonb) returns jsonb */
Datum
eval(PG_FUNCTION_ARGS)
{
	Formula    *formula;
	RunContext *context;
	JsonbValue	result;
	Slot	   *slot;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	formula = (Formula *) PG_GETARG_VARLENA_P(0);
	context = sigma_context_read(PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1));
	slot = find_slot(formula);
	if (slot != NULL)
		sigma_program_run(slot->program, sigma_fetch_from_context, context, &result);
	else
		run_once(formula, context, &result);
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

/* The place of a formula among those kept, with its program; NULL where it cannot be kept. */
static Slot *
find_slot(Formula *formula)
{
	Size		size = VARSIZE(formula);
	Slot	   *slot = &slots[hash_bytes((const unsigned char *) formula, size) & (SLOTS - 1)];
	FormulaProgram *program;
	Formula    *copy;

	if (slot->formula != NULL && VARSIZE(slot->formula) == size && memcmp(slot->formula, formula, size) == 0)
		return slot;
	if (size > MAX_KEPT || (slot->formula != NULL && sigma_program_is_running(slot->program)))
		return NULL;
	program = make_program(formula, TopMemoryContext);
	copy = MemoryContextAlloc(TopMemoryContext, size);
	memcpy(copy, formula, size);
	if (slot->formula != NULL)
	{
		sigma_program_free(slot->program);
		pfree(slot->formula);
	}
	slot->formula = copy;
	slot->program = program;
	return slot;
}

static FormulaProgram *
make_program(Formula *formula, MemoryContext cxt)
{
	return sigma_program_create(sigma_formula_print(sigma_formula_read(formula)), "a formula", TYPE_ANY, FORMULA_TYPED, cxt);
}

static void
run_once(Formula *formula, RunContext *context, JsonbValue *result)
{
	FormulaProgram *program = make_program(formula, CurrentMemoryContext);

	sigma_program_run(program, sigma_fetch_from_context, context, result);
	sigma_program_free(program);
}
