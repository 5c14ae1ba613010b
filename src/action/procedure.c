/*
 * procedure.c
 *		Steps that call a function or procedure of the database.
 *
 * The one that is called is chosen when the step is saved: by its name, with argument
 * types where there are several.  It is looked up anew after any function, role or
 * schema has changed, and must still be one that others may be made to call.  Values
 * are read as its arguments' own types; it is called as the caller, in a transaction
 * that it cannot end (2D000).  Plans go with the compiled sequence.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "action/procedure.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "common/text.h"
#include "formula/compile.h"
#include "formula/procedure_lookup.h"

#define MAX_ROWS	10000		/* that a call may return */
#define MAX_BYTES	(64 * 1024 * 1024)
#define BATCH		100

/* Where in the document errors are, while a step is saved. */
typedef struct Places
{
	const JsonNode *target;
	const JsonNode *arguments;
} Places;

static void check_call(ProcedureStep *step, const JsonNode *target, const JsonNode *arguments);
static void look_up(ProcedureStep *step, const Places *places);
static Oid	find_function(const ProcedureStep *step, const JsonNode *where);
static void check_function(const ProcedureStep *step, const JsonNode *where, Oid funcid, Form_pg_proc form);
static void read_function(ProcedureStep *step, const JsonNode *where, HeapTuple tuple);
static void procedure_error(const JsonNode *where, int sqlstate, const char *hint, const char *format,...)
			pg_attribute_printf(4, 5) pg_attribute_noreturn();
static void match_arguments(ProcedureStep *step, const JsonNode *where, const char **names, const char *modes, int total);
static void make_sql(ProcedureStep *step, const char *name, const Oid *types, const char **names, const char *modes,
					 int total);
static void make_plan(ProcedureStep *step);
static void call_function(Run *run, ProcedureStep *step, Datum *values, const char *nulls, StepOutcome *outcome);
static void call_procedure(Run *run, ProcedureStep *step, Datum *values, const char *nulls, StepOutcome *outcome);
static void row_as_json(HeapTuple row, TupleDesc desc, JsonbValue *result);
static Size row_bytes(HeapTuple row);
static void refuse_size(const ProcedureStep *step) pg_attribute_noreturn();
static void forget(void *arg);

/*
 * Check the document and the function that it names; a ProcedureStep.  SG400, 42883,
 * 42725, 42501, 0A000, 42809.
 */
void *
sigma_procedure_compile(CompileState *state, const StepType *type, JsonNode *action)
{
	ProcedureStep *step = MemoryContextAllocZero(state->cxt, sizeof(ProcedureStep));
	JsonNode   *target = sigma_json_get(action, "target");
	JsonNode   *arguments = sigma_json_get(sigma_json_get(action, "parameters"), "arguments");
	int			i;

	step->target = MemoryContextStrdup(state->cxt, target->string);
	step->cxt = AllocSetContextCreate(state->cxt, "sigma procedure", ALLOCSET_SMALL_SIZES);
	step->cleanup.func = forget;
	step->cleanup.arg = step;
	step->by_name = arguments != NULL && arguments->kind == JSON_OBJECT;
	step->ngiven = arguments == NULL ? 0 : arguments->count;
	step->given = MemoryContextAllocZero(state->cxt, sizeof(GivenArgument) * (step->ngiven + 1));
	for (i = 0; i < step->ngiven; i++)
	{
		if (step->by_name)
			step->given[i].name = MemoryContextStrdup(state->cxt, arguments->items[i]->key);
		step->given[i].source = sigma_value_source_compile(state, arguments->items[i], true);
	}
	if (state->saving)
		check_call(step, target, arguments);
	return step;
}

/* While a step is saved: what it calls is there, takes what it is given and returns what a step can take. */
static void
check_call(ProcedureStep *step, const JsonNode *target, const JsonNode *arguments)
{
	MemoryContext cxt = CurrentMemoryContext;
	Places		places = {target, arguments != NULL ? arguments : target};
	int			i;

	look_up(step, &places);
	SPI_connect();
	PG_TRY();
	{
		make_plan(step);
	}
	PG_CATCH();
	{
		sigma_document_rethrow(target, cxt);
	}
	PG_END_TRY();
	for (i = 0; i < step->ngiven; i++)
		sigma_argument_check(step, i, arguments->items[i]);
	SPI_finish();
}

/* Call it; SPI is connected. */
void
sigma_procedure_run(Run *run, const Step *compiled, StepOutcome *outcome)
{
	ProcedureStep *step = compiled->part;
	Datum	   *values;
	char	   *nulls;
	int			i;

	sigma_procedure_prepare(step);
	values = palloc(sizeof(Datum) * (step->ngiven + 1));
	nulls = palloc(step->ngiven + 1);
	for (i = 0; i < step->ngiven; i++)
	{
		bool		isnull;

		values[i] = sigma_argument_bind(run, step, i, &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	if (step->is_procedure)
		call_procedure(run, step, values, nulls, outcome);
	else
		call_function(run, step, values, nulls, outcome);
}

/* Look it up where that is not known any more, and plan the call.  SPI is connected. */
void
sigma_procedure_prepare(ProcedureStep *step)
{
	if (step->name == NULL || step->generation != sigma_formula_generation())
		look_up(step, NULL);
	if (step->plan == NULL)
		make_plan(step);
}

/*
 * Looking it up
 */

/* Find the function as it is now and say how it is called.  "places": those of the document, or NULL in a run. */
static void
look_up(ProcedureStep *step, const Places *places)
{
	uint64		generation = sigma_formula_generation();
	const JsonNode *where = places == NULL ? NULL : places->target;
	MemoryContext old;
	HeapTuple	tuple;
	Oid			funcid;

	forget(step);
	MemoryContextReset(step->cxt);
	/* of this context, which holds what is forgotten: it goes before the one around it does */
	MemoryContextRegisterResetCallback(step->cxt, &step->cleanup);
	funcid = find_function(step, where);
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	check_function(step, where, funcid, (Form_pg_proc) GETSTRUCT(tuple));
	old = MemoryContextSwitchTo(step->cxt);
	read_function(step, places == NULL ? NULL : places->arguments, tuple);
	MemoryContextSwitchTo(old);
	ReleaseSysCache(tuple);
	step->generation = generation;
}

/* Raise an error about the step's function: with the document's place while it is being saved. */
static void
procedure_error(const JsonNode *where, int sqlstate, const char *hint, const char *format,...)
{
	va_list		args;
	char	   *message;

	va_start(args, format);
	message = sigma_text_format(format, args);
	va_end(args);
	if (where != NULL)
		sigma_document_error(where, sqlstate, hint, "%s", message);
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg_internal("%s", message),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

/* Which one it is; 42883, 42725, SG400. */
static Oid
find_function(const ProcedureStep *step, const JsonNode *where)
{
	Oid			funcid;
	char	   *hint;

	switch (sigma_procedure_find(step->target, &funcid, &hint))
	{
		case PROCEDURE_FOUND:
			break;
		case PROCEDURE_NO_NAME:
			procedure_error(where, ERRCODE_SIGMA_DOCUMENT, "Write schema.name, or schema.name(type, ...).",
								  "\"%s\" is not the name of a function or procedure", step->target);
		case PROCEDURE_UNKNOWN:
			procedure_error(where, ERRCODE_UNDEFINED_FUNCTION, hint,
								  "function or procedure \"%s\" does not exist", step->target);
		case PROCEDURE_AMBIGUOUS:
			procedure_error(where, ERRCODE_AMBIGUOUS_FUNCTION,
								  psprintf("%s Name the one that is meant with its argument types.", hint),
								  "there are several functions \"%s\"", step->target);
	}
	return funcid;
}

/* May it be called, and does it take and return what a step can give and take? */
static void
check_function(const ProcedureStep *step, const JsonNode *where, Oid funcid, Form_pg_proc form)
{
	int			i;

	if (form->prokind != PROKIND_FUNCTION && form->prokind != PROKIND_PROCEDURE)
		procedure_error(where, ERRCODE_WRONG_OBJECT_TYPE, NULL, "\"%s\" is an aggregate or window function",
							  step->target);
	if (sigma_function_aclcheck(funcid, GetUserId(), ACL_EXECUTE) != ACLCHECK_OK)
		procedure_error(where, ERRCODE_INSUFFICIENT_PRIVILEGE, NULL, "permission denied for function %s",
							  step->target);
	if (!sigma_procedure_trusted(funcid))
		procedure_error(where, ERRCODE_INSUFFICIENT_PRIVILEGE,
							  "It must belong to a superuser, the owner of schema sigds or who runs the step, and take and return"
							  " types of theirs or PostgreSQL's; of PostgreSQL's own functions those that only compute.",
							  "a step may not call \"%s\"", step->target);
	for (i = 0; i < form->pronargs; i++)
		if (get_typtype(form->proargtypes.values[i]) == TYPTYPE_PSEUDO)
			procedure_error(where, ERRCODE_FEATURE_NOT_SUPPORTED, "Call a function of yours that names the types.",
								  "argument %d of \"%s\" is of type %s, and a step needs exact types", i + 1, step->target,
								  format_type_be(form->proargtypes.values[i]));
	if (form->prokind == PROKIND_FUNCTION && get_typtype(form->prorettype) == TYPTYPE_PSEUDO &&
		form->prorettype != VOIDOID && form->prorettype != RECORDOID)
		procedure_error(where, ERRCODE_FEATURE_NOT_SUPPORTED, NULL, "a step cannot take what \"%s\" returns: %s",
							  step->target, format_type_be(form->prorettype));
}

/* The text of the call; SG400 where the arguments are not those it takes.  In step->cxt. */
static void
read_function(ProcedureStep *step, const JsonNode *where, HeapTuple tuple)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
	Oid		   *types;
	char	  **names;
	char	   *modes;
	int			total = get_func_arg_info(tuple, &types, &names, &modes);
	const char **all = palloc0(sizeof(char *) * (total + 1));
	char	   *kinds = palloc(total + 1);
	int			i;

	for (i = 0; i < total; i++)
	{
		all[i] = names == NULL || names[i] == NULL || names[i][0] == '\0' ? NULL : names[i];
		kinds[i] = modes == NULL ? PROARGMODE_IN : modes[i];
	}
	step->is_procedure = form->prokind == PROKIND_PROCEDURE;
	step->returns_set = form->proretset;
	step->is_void = !step->is_procedure && form->prorettype == VOIDOID;
	step->ndefaults = form->pronargdefaults;
	step->arguments = palloc0(sizeof(CallArgumentType) * (step->ngiven + 1));
	match_arguments(step, where, all, kinds, total);
	for (i = 0; i < step->ngiven; i++)
	{
		step->arguments[i].name = step->given[i].name != NULL ? step->given[i].name :
			all[step->arguments[i].place] != NULL ? all[step->arguments[i].place] :
			psprintf("%d", i + 1);
		step->arguments[i].type = types[step->arguments[i].place];
	}
	step->name = quote_qualified_identifier(get_namespace_name(form->pronamespace), NameStr(form->proname));
	make_sql(step, step->name, types, all, kinds, total);
}

/* Does a call have to give an argument of that mode a value? */
static bool
is_input(char mode)
{
	return mode == PROARGMODE_IN || mode == PROARGMODE_INOUT || mode == PROARGMODE_VARIADIC;
}

/*
 * Which argument each given value is for: by its name, or in order.  SG400 for one that
 * there is none for, and where one is missing that has no default.
 */
static void
match_arguments(ProcedureStep *step, const JsonNode *where, const char **names, const char *modes, int total)
{
	bool	   *taken = palloc0(sizeof(bool) * (total + 1));
	const char **known = palloc0(sizeof(char *) * (total + 1));
	int			inputs = 0;
	int			next = 0;
	int			i;
	int			j;

	for (j = 0, i = 0; j < total; j++)
		if (is_input(modes[j]))
		{
			inputs++;
			if (names[j] != NULL)
				known[i++] = names[j];
		}
	for (i = 0; i < step->ngiven; i++)
	{
		for (j = step->by_name ? 0 : next; j < total; j++)
			if (is_input(modes[j]) &&
				(!step->by_name || (names[j] != NULL && strcmp(names[j], step->given[i].name) == 0)))
				break;
		if (j == total && step->by_name)
			procedure_error(where, ERRCODE_SIGMA_DOCUMENT, sigma_hint_names(step->given[i].name, known),
								  "\"%s\" has no argument \"%s\"", step->target, step->given[i].name);
		if (j == total)
			procedure_error(where, ERRCODE_SIGMA_DOCUMENT, NULL, "\"%s\" takes %d %s, and %d are given",
								  step->target, inputs, inputs == 1 ? "argument" : "arguments", step->ngiven);
		step->arguments[i].place = j;
		taken[j] = true;
		next = j + 1;
	}
	/* defaults belong to the last of the arguments */
	for (j = 0, i = 0; j < total; j++)
	{
		if (!is_input(modes[j]))
			continue;
		if (!taken[j] && i < inputs - step->ndefaults)
			procedure_error(where, ERRCODE_SIGMA_DOCUMENT, NULL, "argument %s of \"%s\" is missing",
								  names[j] != NULL ? quote_identifier(names[j]) : psprintf("%d", i + 1), step->target);
		i++;
	}
}

/*
 * "SELECT * FROM f($1::type, ...)" or "CALL p($1::type, NULL::type)".  Arguments that are
 * left out have defaults; a procedure's output arguments want a place in the call.
 */
static void
make_sql(ProcedureStep *step, const char *name, const Oid *types, const char **names, const char *modes, int total)
{
	StringInfoData sql;
	bool		first = true;
	int			i;
	int			j;

	initStringInfo(&sql);
	appendStringInfo(&sql, "%s %s(", step->is_procedure ? "CALL" : "SELECT * FROM", name);
	for (j = 0; j < total; j++)
	{
		const char *type = format_type_extended(types[j], -1, FORMAT_TYPE_FORCE_QUALIFY);

		for (i = 0; i < step->ngiven; i++)
			if (step->arguments[i].place == j)
				break;
		if (i == step->ngiven && !(step->is_procedure && modes[j] == PROARGMODE_OUT))
			continue;
		appendStringInfo(&sql, "%s%s", first ? "" : ", ", modes[j] == PROARGMODE_VARIADIC ? "VARIADIC " : "");
		first = false;
		/* behind an argument that is left out, names say which one comes next */
		if (step->by_name && names[j] != NULL)
			appendStringInfo(&sql, "%s => ", quote_identifier(names[j]));
		if (i < step->ngiven)
			appendStringInfo(&sql, "$%d::%s", i + 1, type);
		else
			appendStringInfo(&sql, "NULL::%s", type);
	}
	appendStringInfo(&sql, ")%s", step->is_procedure ? "" : " AS result");
	step->sql = sql.data;
}

/*
 * Calling
 */

/* A kept plan of the call.  SPI is connected. */
static void
make_plan(ProcedureStep *step)
{
	Oid		   *types = palloc(sizeof(Oid) * (step->ngiven + 1));
	SPIPlanPtr	plan;
	int			i;

	for (i = 0; i < step->ngiven; i++)
		types[i] = step->arguments[i].type;
	plan = SPI_prepare(step->sql, step->ngiven, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	step->plan = plan;
}

/* Call a function: its value, or an array of the rows that it returns.  54000 where they are too many. */
static void
call_function(Run *run, ProcedureStep *step, Datum *values, const char *nulls, StepOutcome *outcome)
{
	Portal		portal = SPI_cursor_open(NULL, step->plan, values, nulls, false);
	JsonbParseState *state = NULL;
	JsonbValue	value;
	Size		bytes = 0;
	int64		count = 0;
	uint64		i;

	MemoryContextSwitchTo(run->cxt);
	value.type = jbvNull;
	if (step->returns_set)
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, BATCH);
		MemoryContextSwitchTo(run->cxt);
		if (SPI_processed == 0)
			break;
		count += SPI_processed;
		for (i = 0; i < SPI_processed; i++)
		{
			bytes += row_bytes(SPI_tuptable->vals[i]);
			if (count > MAX_ROWS || bytes > MAX_BYTES)
				refuse_size(step);
			row_as_json(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, &value);
			if (step->returns_set)
				pushJsonbValue(&state, WJB_ELEM, &value);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	MemoryContextSwitchTo(run->cxt);
	if (step->returns_set)
		sigma_jsonb_to_value(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)), &value);
	outcome->has_result = !step->is_void;
	outcome->result = value;
}

/* Call a procedure: its output arguments, or no result where it has none. */
static void
call_procedure(Run *run, ProcedureStep *step, Datum *values, const char *nulls, StepOutcome *outcome)
{
	int			code = SPI_execute_plan(step->plan, values, nulls, false, 0);

	MemoryContextSwitchTo(run->cxt);
	if (code != SPI_OK_UTILITY)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(code));
	if (SPI_tuptable == NULL || SPI_tuptable->numvals == 0)
		return;
	if (row_bytes(SPI_tuptable->vals[0]) > MAX_BYTES)
		refuse_size(step);
	outcome->has_result = true;
	row_as_json(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, &outcome->result);
	SPI_freetuptable(SPI_tuptable);
}

/* A row as JSON: the value of its only column, or an object.  What it holds is copied. */
static void
row_as_json(HeapTuple row, TupleDesc desc, JsonbValue *result)
{
	JsonbParseState *state = NULL;
	JsonbValue	value;
	bool		isnull;
	Datum		datum;
	int			i;

	if (desc->natts == 1)
	{
		datum = SPI_getbinval(row, desc, 1, &isnull);
		sigma_datum_to_json(TupleDescAttr(desc, 0)->atttypid, datum, isnull, &value);
		sigma_jsonb_copy(&value, CurrentMemoryContext, result);
		return;
	}
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < desc->natts; i++)
	{
		datum = SPI_getbinval(row, desc, i + 1, &isnull);
		sigma_datum_to_json(TupleDescAttr(desc, i)->atttypid, datum, isnull, &value);
		sigma_push_value(&state, NameStr(TupleDescAttr(desc, i)->attname), &value);
	}
	sigma_jsonb_to_value(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)), result);
}

/* How much a row holds, as far as it is not compressed. */
static Size
row_bytes(HeapTuple row)
{
	return row->t_len;
}

/* 54000 */
static void
refuse_size(const ProcedureStep *step)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("\"%s\" returns more than a step can take", step->target),
			 errdetail("At most %d rows and %d MB can be a result.", MAX_ROWS, MAX_BYTES / (1024 * 1024)),
			 errhint("Let it write a table, or return fewer rows.")));
}

/* Plans of what was looked up, or of a compiled form that goes. */
static void
forget(void *arg)
{
	ProcedureStep *step = arg;
	int			i;

	if (step->plan != NULL)
		SPI_freeplan(step->plan);
	for (i = 0; step->arguments != NULL && i < step->ngiven; i++)
		if (step->arguments[i].plan != NULL)
			SPI_freeplan(step->arguments[i].plan);
	step->plan = NULL;
	step->arguments = NULL;
	step->name = NULL;
}
