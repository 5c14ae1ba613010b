/*
 * program.c
 *		A formula over a context: checked once, planned for the kinds of values at hand.
 *
 * A program lives in a memory context of its own.  Its plans are kept by SPI and go
 * with that context, however it ends; they are made anew after a change of any
 * relation where the formula reads tables.  A function that a formula calls may run
 * the same program again: plans that are being run are not replaced.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "common/cache.h"
#include "common/session.h"
#include "common/spi.h"
#include "compat.h"
#include "formula/compile.h"
#include "formula/trust.h"

#define MAX_VARIANTS	8

/* The plan for one combination of kinds of values. */
typedef struct Variant
{
	SqlForm    *forms;			/* of the parameters */
	int			nforms;
	SPIPlanPtr	plan;			/* NULL: unused */
	SqlForm		result;
	uint64		generation;		/* of the relations it was compiled for */
	List	   *locks;			/* relations that are locked before that is compared */
	int			running;		/* runs of it under way */
} Variant;

struct FormulaProgram
{
	MemoryContext cxt;
	const char *text;
	const char *place;
	FormulaType wanted;
	FormulaUse	use;
	FormulaResolve resolve;
	bool		reads;			/* tables */
	FormulaType type;			/* of what it yields, as far as that does not depend on a run */
	int			running;		/* runs under way */
	MemoryContextCallback cleanup;
	FormulaParameters *parameters;
	Variant		variants[MAX_VARIANTS];
	int			next;			/* variant to be replaced next */
};

/* Count changes of the catalogs, and those with whatever else changes what SQL means. */
static uint64 changes = 0;
static uint64 generation = 0;
static bool listening = false;

static void listen(void);
static void hear(Oid relid);
static void hear_catalog(Datum arg, int cache, uint32 hash);
static void free_plans(void *arg);
static FormulaSql *compile(FormulaProgram *program);
static void execute(FormulaProgram *program, Variant *variant, Datum *values, const char *nulls);
static Variant *find_variant(FormulaProgram *program);
static Variant *free_variant(FormulaProgram *program);
static void drop_variant(Variant *variant);
static Variant *make_variant(FormulaProgram *program);

/*
 * A program, in a context below "cxt"; its kinds of values unknown, the formula is
 * checked as far as they do not matter.  "text" and "place" are copied.
 */
FormulaProgram *
sigma_program_create(const char *text, const char *place, FormulaType wanted, FormulaUse use,
					 FormulaResolve resolve, MemoryContext cxt)
{
	MemoryContext own = AllocSetContextCreate(cxt, "sigma formula", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(own);
	FormulaProgram *program = palloc0(sizeof(FormulaProgram));

	(void) sigma_formula_generation();
	program->cxt = own;
	program->text = pstrdup(text);
	program->place = pstrdup(place);
	program->wanted = wanted;
	program->use = use;
	program->resolve = resolve == NULL ? sigma_parameters_resolve : resolve;
	program->parameters = palloc0(sizeof(FormulaParameters));
	program->parameters->first = 1;
	program->cleanup.func = free_plans;
	program->cleanup.arg = program;
	MemoryContextRegisterResetCallback(own, &program->cleanup);
	MemoryContextSwitchTo(old);
	PG_TRY();
	{
		program->type = compile(program)->type;
	}
	PG_CATCH();
	{
		MemoryContextDelete(own);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return program;
}

/* Frees a program with its plans; deleting the context it was created in does the same. */
void
sigma_program_free(FormulaProgram *program)
{
	MemoryContextDelete(program->cxt);
}

/* The context of a program goes. */
static void
free_plans(void *arg)
{
	FormulaProgram *program = arg;
	int			i;

	for (i = 0; i < MAX_VARIANTS; i++)
		drop_variant(&program->variants[i]);
}

/* Is it being run?  Then it must not be freed. */
bool
sigma_program_is_running(const FormulaProgram *program)
{
	return program->running > 0;
}

/* What kind of value it yields; TYPE_ANY where only a run tells. */
FormulaType
sigma_program_type(const FormulaProgram *program)
{
	return program->type;
}

/* The formula as it was given. */
const char *
sigma_program_text(const FormulaProgram *program)
{
	return program->text;
}

/*
 * The value of the formula with the values that "fetch" gives, in the current
 * context.  Raises what evaluating raises; 42804 where the kinds of values at
 * hand do not fit the formula.  Tables are read as the caller, with what the
 * transaction has written until now.
 */
void
sigma_program_run(FormulaProgram *program, FormulaFetch fetch, void *arg, JsonbValue *result)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	Datum	   *values;
	char	   *nulls;
	Variant    *variant;
	Datum		value;
	bool		isnull;
	int			count;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	do
	{
		count = program->parameters->count;
		values = palloc(sizeof(Datum) * (count + 1));
		nulls = palloc(count + 1);
		(void) sigma_parameters_fetch(program->parameters, fetch, arg, values, nulls);
		variant = find_variant(program);
		if (variant == NULL)
			variant = make_variant(program);
	} while (program->parameters->count != count);	/* tables have changed what names mean */
	execute(program, variant, values, nulls);
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

/* Run a variant's plan, which is not replaced meanwhile. */
static void
execute(FormulaProgram *program, Variant *variant, Datum *values, const char *nulls)
{
	program->running++;
	variant->running++;
	PG_TRY();
	{
		sigma_spi_execute(variant->plan, values, nulls, !program->reads, SPI_OK_SELECT);
	}
	PG_FINALLY();
	{
		variant->running--;
		program->running--;
	}
	PG_END_TRY();
}

/* Compile for the kinds of values that the parameters have now. */
static FormulaSql *
compile(FormulaProgram *program)
{
	FormulaScope scope = {0};
	FormulaSql *result;

	scope.place = program->place;
	scope.tables = true;
	scope.stored = program->use != FORMULA_TYPED;
	scope.saving = program->use == FORMULA_SAVED;
	scope.as_shown = true;
	scope.resolve = program->resolve;
	scope.selection = sigma_parameters_selection;
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
		if (program->reads)
			sigma_trust_lock(variant->locks);
		if (!program->reads || variant->generation == sigma_formula_generation())
			return variant;
		if (variant->running == 0)
			drop_variant(variant);
	}
	return NULL;
}

/* The oldest variant that is not being run, for a new one to take its place. */
static Variant *
free_variant(FormulaProgram *program)
{
	int			i;

	for (i = 0; i < MAX_VARIANTS; i++)
	{
		Variant    *variant = &program->variants[program->next];

		program->next = (program->next + 1) % MAX_VARIANTS;
		if (variant->running == 0)
			return variant;
	}
	ereport(ERROR,
			(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
			 errmsg("the formula is evaluated within itself too often")));
}

static void
drop_variant(Variant *variant)
{
	if (variant->plan == NULL)
		return;
	SPI_freeplan(variant->plan);
	variant->plan = NULL;
	pfree(variant->forms);
	list_free(variant->locks);
	variant->locks = NIL;
}

/* A new variant in place of the oldest one.  SPI is connected. */
static Variant *
make_variant(FormulaProgram *program)
{
	Variant    *variant = free_variant(program);
	uint64		before = sigma_formula_generation();
	FormulaSql *sql = compile(program);
	int			count = program->parameters->count;
	List	   *locks = NIL;
	Oid		   *types;
	SPIPlanPtr	plan;
	int			i;

	types = palloc(sizeof(Oid) * (count + 1));
	for (i = 0; i < count; i++)
		types[i] = sigma_sql_form_oid(program->parameters->items[i].form);
	plan = SPI_prepare(psprintf("SELECT %s::%s", sql->sql, sigma_sql_form_type(sql->form)), count, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (program->reads && program->use != FORMULA_TYPED)
		locks = sigma_trust_check_plan(plan);
	SPI_keepplan(plan);
	drop_variant(variant);
	variant->forms = MemoryContextAlloc(program->cxt, sizeof(SqlForm) * (count + 1));
	variant->locks = sigma_trust_keep(locks, program->cxt);
	for (i = 0; i < count; i++)
		variant->forms[i] = program->parameters->items[i].form;
	variant->nforms = count;
	variant->plan = plan;
	variant->result = sql->form;
	variant->generation = before;
	return variant;
}

/*
 * What has to be the same for SQL that reads tables or calls functions of the database
 * to be still right: it changes with relations, functions, schemas and roles, and with who asks
 * under which search_path, since names may mean something else then, and which version is meant.
 */
uint64
sigma_formula_generation(void)
{
	static uint64 counted = 0;
	static char *path = NULL;
	static Oid	role = InvalidOid;
	static int	mode = MODE_AUTO;

	if (counted != sigma_formula_changes())
	{
		counted = changes;
		generation++;
	}
	if (path == NULL || role != GetUserId() || strcmp(path, namespace_search_path) != 0)
	{
		char	   *copy = MemoryContextStrdup(TopMemoryContext, namespace_search_path);

		if (path != NULL)
			pfree(path);
		path = copy;
		role = GetUserId();
		generation++;
	}
	if (mode != sigma_entry_mode())
	{
		mode = sigma_entry_mode();
		generation++;
	}
	return generation;
}

/*
 * How often something has changed in the catalogs that makes SQL mean something else, or
 * that makes what it brings along be trusted no longer.
 */
uint64
sigma_formula_changes(void)
{
	if (!listening)
		listen();
	return changes;
}

/* Hear of them from now on. */
static void
listen(void)
{
	static const int caches[] = {PROCOID, AUTHOID, AUTHMEMROLEMEM, NAMESPACEOID,
		/* what operators, types and casts come to, and whom servers belong to */
	OPEROID, TYPEOID, CASTSOURCETARGET, FOREIGNSERVEROID};
	int			i;

	sigma_cache_listen(hear);
	for (i = 0; i < lengthof(caches); i++)
		CacheRegisterSyscacheCallback(caches[i], hear_catalog, (Datum) 0);
	listening = true;
}

/* A function, schema or role has changed: another function or relation may be meant, or one no longer be trusted. */
static void
hear_catalog(Datum arg, int cache, uint32 hash)
{
	changes++;
}

/* Any change of a relation may be one that a formula reads. */
static void
hear(Oid relid)
{
	changes++;
}
