/*
 * program.c
 *		A formula over a context: checked once, planned for the kinds of values at hand.
 *
 * A program lives in a memory context of its own.  Its plans are kept by SPI; they
 * are made anew after a change of any relation where the formula reads tables.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "common/cache.h"
#include "common/spi.h"
#include "compat.h"
#include "formula/compile.h"

#define MAX_VARIANTS	8

/* The plan for one combination of kinds of values. */
typedef struct Variant
{
	SqlForm    *forms;			/* of the parameters */
	int			nforms;
	SPIPlanPtr	plan;			/* NULL: unused */
	SqlForm		result;
	uint64		generation;		/* of the relations it was compiled for */
} Variant;

struct FormulaProgram
{
	MemoryContext cxt;
	const char *text;
	const char *place;
	FormulaType wanted;
	bool		stored;
	bool		reads;			/* tables */
	FormulaParameters *parameters;
	Variant		variants[MAX_VARIANTS];
	int			next;			/* variant to be replaced next */
};

/* Counts changes of relations. */
static uint64 generation = 0;
static bool listening = false;

static void hear(Oid relid);
static FormulaSql *compile(FormulaProgram *program);
static Variant *find_variant(FormulaProgram *program);
static void drop_variant(Variant *variant);
static Variant *make_variant(FormulaProgram *program);

/*
 * A program, in a context below "cxt"; its kinds of values unknown, the formula is
 * checked as far as they do not matter.  "text" and "place" are copied.
 */
FormulaProgram *
sigma_program_create(const char *text, const char *place, FormulaType wanted, bool stored, MemoryContext cxt)
{
	MemoryContext own = AllocSetContextCreate(cxt, "sigma formula", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(own);
	FormulaProgram *program = palloc0(sizeof(FormulaProgram));

	if (!listening)
	{
		sigma_cache_listen(hear);
		listening = true;
	}
	program->cxt = own;
	program->text = pstrdup(text);
	program->place = pstrdup(place);
	program->wanted = wanted;
	program->stored = stored;
	program->parameters = palloc0(sizeof(FormulaParameters));
	program->parameters->first = 1;
	MemoryContextSwitchTo(old);
	PG_TRY();
	{
		compile(program);
	}
	PG_CATCH();
	{
		MemoryContextDelete(own);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return program;
}

/* Frees a program with its plans. */
void
sigma_program_free(FormulaProgram *program)
{
	int			i;

	for (i = 0; i < MAX_VARIANTS; i++)
		drop_variant(&program->variants[i]);
	MemoryContextDelete(program->cxt);
}

/*
 * The value of the formula with the values that "fetch" gives, in the current
 * context.  Raises what evaluating raises; 42804 where the kinds of values at
 * hand do not fit the formula.
 */
void
sigma_program_run(FormulaProgram *program, FormulaFetch fetch, void *arg, JsonbValue *result)
{
	int			count = program->parameters->count;
	Datum	   *values = palloc(sizeof(Datum) * (count + 1));
	char	   *nulls = palloc(count + 1);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	Variant    *variant;
	Datum		value;
	bool		isnull;

	sigma_parameters_fetch(program->parameters, fetch, arg, values, nulls);
	variant = find_variant(program);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (variant == NULL)
		variant = make_variant(program);
	sigma_spi_execute(variant->plan, values, nulls, !program->reads, SPI_OK_SELECT);
	if (SPI_processed != 1)
		elog(ERROR, "a formula gave " UINT64_FORMAT " rows", SPI_processed);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	old = MemoryContextSwitchTo(caller);
	if (!isnull)
		value = datumCopy(value, TupleDescAttr(SPI_tuptable->tupdesc, 0)->attbyval,
						  TupleDescAttr(SPI_tuptable->tupdesc, 0)->attlen);
	sigma_form_to_json(variant->result, value, isnull, result);
	MemoryContextSwitchTo(old);
	SPI_finish();
}

/* Compile for the kinds of values that the parameters have now. */
static FormulaSql *
compile(FormulaProgram *program)
{
	FormulaScope scope = {0};
	FormulaSql *result;

	scope.place = program->place;
	scope.tables = true;
	scope.stored = program->stored;
	scope.resolve = sigma_parameters_resolve;
	scope.arg = program->parameters;
	result = sigma_formula_compile(program->text, &scope, program->wanted);
	program->reads = scope.reads;
	return result;
}

/* The variant for the kinds of values at hand, or NULL. */
static Variant *
find_variant(FormulaProgram *program)
{
	int			i;
	int			j;

	for (i = 0; i < MAX_VARIANTS; i++)
	{
		Variant    *variant = &program->variants[i];

		if (variant->plan == NULL || variant->nforms != program->parameters->count)
			continue;
		for (j = 0; j < variant->nforms; j++)
			if (variant->forms[j] != program->parameters->items[j].form)
				break;
		if (j < variant->nforms)
			continue;
		if (!program->reads || variant->generation == generation)
			return variant;
		drop_variant(variant);
	}
	return NULL;
}

static void
drop_variant(Variant *variant)
{
	if (variant->plan == NULL)
		return;
	SPI_freeplan(variant->plan);
	variant->plan = NULL;
	pfree(variant->forms);
}

/* A new variant in place of the oldest one.  SPI is connected. */
static Variant *
make_variant(FormulaProgram *program)
{
	Variant    *variant = &program->variants[program->next];
	int			count = program->parameters->count;
	uint64		before = generation;
	FormulaSql *sql = compile(program);
	Oid		   *types;
	SPIPlanPtr	plan;
	int			i;

	types = palloc(sizeof(Oid) * (count + 1));
	for (i = 0; i < count; i++)
		types[i] = sigma_sql_form_oid(program->parameters->items[i].form);
	plan = SPI_prepare(psprintf("SELECT %s::%s", sql->sql, sigma_sql_form_type(sql->form)), count, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	drop_variant(variant);
	variant->forms = MemoryContextAlloc(program->cxt, sizeof(SqlForm) * (count + 1));
	for (i = 0; i < count; i++)
		variant->forms[i] = program->parameters->items[i].form;
	variant->nforms = count;
	variant->plan = plan;
	variant->result = sql->form;
	variant->generation = before;
	program->next = (program->next + 1) % MAX_VARIANTS;
	return variant;
}

/* Any change of a relation may be one that a formula reads. */
static void
hear(Oid relid)
{
	generation++;
}
