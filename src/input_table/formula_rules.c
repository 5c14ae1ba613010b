/*
 * formula_rules.c
 *		Rules that are formulas, of a column and of the row, and defaults that are.
 *
 * A formula rule sees one row of its own table.  Its planned expression is part of
 * the compiled table (rules.c) and goes with it; where a function that it calls has
 * changed, the whole table is compiled anew.  For each statement a FormulaRun makes
 * the expressions ready and holds the context in which they are evaluated, which is
 * reset after each of them.  Null passes, as in a CHECK constraint.
 *
 * On UPDATE a column's rule is evaluated where a column that it reads, or its own,
 * has changed, a row rule where any has.  Whose rights count stands in
 * formula/expression.c.
 */
#include "postgres.h"

#include "access/relation.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "common/document.h"
#include "common/session.h"
#include "formula/compile.h"
#include "input_table/computed.h"
#include "input_table/rules.h"

#define SHOWN_FORMULA	200		/* bytes of a formula in the message of its rule */

/* A rule that is a formula. */
struct FormulaRule
{
	int			column;			/* place in table->columns, or -1: the row */
	const char *text;
	const char *path;			/* where it stands in the definition */
	const char *constraint;		/* what errors of a row rule call it */
	const char *message;
	bool		own_message;
	bool		warning;		/* severity warn */
	FormulaExpression *expression;
	bool	   *reads;			/* by place in table->columns: a change of which it may fail by */
};

/* What came of a rule for a row: a volatile one may not say the same twice. */
typedef enum Verdict
{
	VERDICT_UNKNOWN, VERDICT_PASSED, VERDICT_FAILED
} Verdict;

/* The formula rules of a table, ready for the rows of one statement. */
struct FormulaRun
{
	const InputTable *table;
	ExprContext *context;
	ExprState **states;			/* by place in table->formulas */
	Verdict    *verdicts;		/* likewise, of the row that did not pass */
	ExprState **defaults;		/* by place in table->columns, or NULL */
	TupleTableSlot *slot;		/* for rows that are no slot yet, or NULL */
	ListRun    *lists;			/* or NULL */
};

/* Who we were before become_caller(). */
typedef struct FormerUser
{
	Oid			user;
	int			context;
} FormerUser;

static void become_caller(FormerUser *former);
static void become_former(const FormerUser *former);
static FormulaSql *compile(const FormulaRule *rule, FormulaRelation *row, bool saving);
static void check_default(const TableColumn *column, bool restoring);
static FormulaExpression *plan(Relation rel, const char *path, const FormulaSql *sql, MemoryContext cxt);
static bool applies(const FormulaRule *rule, int ncolumn, const bool *changed);
static bool is_known(const FormulaRule *rule, int ncolumn, const bool *known);
static bool passes(FormulaRun *run, int i, TupleTableSlot *slot);
static void explain(void *arg);

/*
 * What a user wrote never runs with rights that are not his: where sigma writes rows
 * as another role, formulas are planned and evaluated as the one it works for.  After
 * an error the end of the (sub)transaction brings the former user back.
 */
static void
become_caller(FormerUser *former)
{
	GetUserIdAndSecContext(&former->user, &former->context);
	if (OidIsValid(sigma_session.formula_user))
		SetUserIdAndSecContext(sigma_session.formula_user, former->context | SECURITY_LOCAL_USERID_CHANGE);
}

static void
become_former(const FormerUser *former)
{
	SetUserIdAndSecContext(former->user, former->context);
}

/* ------------------------------------------------------------------------
 * Compiling
 * ------------------------------------------------------------------------ */

/*
 * Add the rule "node", a formula's text: of the column at that place, or of the row (-1),
 * where "number" counts row rules from 1.  Everything is copied into the current context.
 */
void
sigma_formula_rule_add(InputTable *table, int column, int number, JsonNode *node, const char *message, bool warning)
{
	FormulaRule *rule;

	if (node->kind != JSON_STRING)	/* stored past the triggers */
		sigma_document_error(node, 0, NULL, "a formula must be a string, not %s", sigma_json_kind_name(node));
	table->formulas = table->nformula == 0 ? palloc(sizeof(FormulaRule)) :
		repalloc(table->formulas, sizeof(FormulaRule) * (table->nformula + 1));
	rule = &table->formulas[table->nformula++];
	memset(rule, 0, sizeof(FormulaRule));
	rule->column = column;
	rule->text = pstrdup(node->string);
	rule->path = pstrdup(sigma_json_path(node));
	rule->constraint = number <= 1 ? "row_formula" : psprintf("row_formula_%d", number);
	rule->warning = warning;
	rule->own_message = message != NULL;
	if (message != NULL)
		rule->message = pstrdup(message);
	else
	{
		int			shown = pg_mbcliplen(rule->text, strlen(rule->text), SHOWN_FORMULA);

		rule->message = psprintf("must satisfy the formula \"%.*s%s\"", shown, rule->text,
								 rule->text[shown] == '\0' ? "" : "...");
	}
}

/* A default that is the formula at "node"; in the current context. */
FormulaRule *
sigma_default_formula_new(InputTable *table, int column, JsonNode *node)
{
	FormulaRule *rule = palloc0(sizeof(FormulaRule));

	rule->column = column;
	rule->text = pstrdup(node->string);
	rule->path = pstrdup(sigma_json_path(node));
	table->any_default_formula = true;
	return rule;
}

/*
 * Check the formula rules of a definition that is about to be stored; whatever is
 * wrong is raised with its path and character.  While a dump is restored only their
 * syntax is looked at: what they call may not be there yet.
 */
void
sigma_formula_rules_check(const InputTable *table, JsonNode *definition, bool restoring)
{
	FormulaRelation *row = restoring || table->nformula == 0 ? NULL : sigma_definition_row(definition, false);
	int			i;

	for (i = 0; i < table->nformula; i++)
		if (restoring)
			sigma_formula_parse_at(table->formulas[i].path, table->formulas[i].text);
		else
			(void) compile(&table->formulas[i], row, true);
	for (i = 0; i < table->ncolumn; i++)
		if (table->columns[i].default_formula != NULL)
			check_default(&table->columns[i], restoring);
}

/*
 * Check a default.  One of a locked column must be the same whenever it is computed in a
 * statement: that is how the trigger knows that nobody else wrote it.
 */
static void
check_default(const TableColumn *column, bool restoring)
{
	const FormulaRule *rule = column->default_formula;
	FormulaExpression *expression;

	if (restoring)
	{
		sigma_formula_parse_at(rule->path, rule->text);
		return;
	}
	expression = plan(NULL, rule->path, sigma_default_compile(rule->path, rule->text, column->type, true), CurrentMemoryContext);
	if ((!column->editable || column->is_protected) && sigma_expression_is_volatile(expression))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the default of column \"%s\", which is not editable, changes within a statement", column->name),
				 errdetail("%s", rule->path),
				 errhint("Let people edit the column, or use a formula that gives one value per statement, as Now() does.")));
}

/* Plan SQL; what is wrong with it is raised with its path. */
static FormulaExpression *
plan(Relation rel, const char *path, const FormulaSql *sql, MemoryContext cxt)
{
	MemoryContext caller = CurrentMemoryContext;
	FormulaExpression *volatile expression = NULL;
	FormerUser	former;

	become_caller(&former);
	PG_TRY();
	{
		expression = sigma_formula_expression(rel, sql, cxt);
	}
	PG_CATCH();
	{
		sigma_document_rethrow_at(path, NULL, caller);
	}
	PG_END_TRY();
	become_former(&former);
	return expression;
}

/* Plan the formula rules of a table that is being compiled; "rel" is its data table.  Leaves garbage in the current context. */
void
sigma_formula_rules_plan(InputTable *table, JsonNode *definition, Relation rel)
{
	FormulaRelation *row = table->nformula == 0 ? NULL : sigma_definition_row(definition, false);
	int			i;
	int			j;

	for (i = 0; i < table->ncolumn; i++)
	{
		FormulaRule *rule = table->columns[i].default_formula;

		if (rule != NULL)
			rule->expression = plan(NULL, rule->path,
									sigma_default_compile(rule->path, rule->text, table->columns[i].type, false), table->cxt);
	}
	for (i = 0; i < table->nformula; i++)
	{
		FormulaRule *rule = &table->formulas[i];

		rule->reads = MemoryContextAllocZero(table->cxt, sizeof(bool) * Max(table->ncolumn, 1));
		rule->expression = plan(rel, rule->path, compile(rule, row, false), table->cxt);
		for (j = 0; j < table->ncolumn; j++)
			rule->reads[j] = j == rule->column ||
				(AttributeNumberIsValid(table->columns[j].attnum) &&
				 sigma_expression_reads(rule->expression, table->columns[j].attnum));
	}
}

/* Are all plans still good? */
bool
sigma_formula_rules_valid(const InputTable *table)
{
	int			i;

	for (i = 0; i < table->nformula; i++)
		if (!sigma_expression_is_valid(table->formulas[i].expression))
			return false;
	for (i = 0; table->any_default_formula && i < table->ncolumn; i++)
		if (table->columns[i].default_formula != NULL &&
			!sigma_expression_is_valid(table->columns[i].default_formula->expression))
			return false;
	return true;
}

/* Is one of severity warn? */
bool
sigma_formula_rules_warn(const InputTable *table)
{
	int			i;

	for (i = 0; i < table->nformula; i++)
		if (table->formulas[i].warning)
			return true;
	return sigma_list_rules_warn(table);
}

/* The SQL of a rule over a row. */
static FormulaSql *
compile(const FormulaRule *rule, FormulaRelation *row, bool saving)
{
	FormulaScope scope = {0};

	scope.place = "a rule";
	scope.row = row;
	scope.alias = "";
	scope.stored = true;
	scope.saving = saving;
	return sigma_formula_compile_at(rule->path, rule->text, &scope, TYPE_LOGICAL);
}

/* Must the columns that a change of this one makes to be checked be known?  Adds them to "needed". */
void
sigma_formula_rules_need(const InputTable *table, const bool *changed, bool *needed)
{
	int			i;
	int			j;

	for (i = 0; i < table->nformula; i++)
		if (applies(&table->formulas[i], table->ncolumn, changed))
			for (j = 0; j < table->ncolumn; j++)
				needed[j] |= table->formulas[i].reads[j];
	sigma_list_rules_need(table, changed, needed);
}

/* ------------------------------------------------------------------------
 * Evaluating
 * ------------------------------------------------------------------------ */

/*
 * The formula and list rules of a table, and defaults that are formulas, ready for one
 * statement, in the current context; NULL where it has none.  "locking": values that are
 * found in lists stay there until transaction end.  42501 for a function that the
 * caller may not call.
 */
FormulaRun *
sigma_formula_run_begin(const InputTable *table, bool locking)
{
	FormulaRun *run;
	FormerUser	caller;
	int			i;

	if (table->nformula == 0 && table->nlist == 0 && !table->any_default_formula)
		return NULL;
	run = palloc0(sizeof(FormulaRun));
	run->table = table;
	run->lists = sigma_list_run_begin(table, locking);
	run->context = CreateStandaloneExprContext();
	run->states = palloc(sizeof(ExprState *) * (table->nformula + 1));
	run->verdicts = palloc0(sizeof(Verdict) * (table->nformula + 1));
	run->defaults = palloc0(sizeof(ExprState *) * (table->ncolumn + 1));
	become_caller(&caller);
	for (i = 0; i < table->nformula; i++)
		run->states[i] = sigma_expression_prepare(table->formulas[i].expression);
	become_former(&caller);
	return run;
}

/* The list rules of the same table, or NULL. */
ListRun *
sigma_formula_run_lists(FormulaRun *run)
{
	return run == NULL ? NULL : run->lists;
}

/* The default of a column that has a formula for it, in the current context. */
Datum
sigma_formula_run_default(FormulaRun *run, int column, bool *isnull)
{
	const TableColumn *of = &run->table->columns[column];
	const ColumnTypeInfo *type = &sigma_column_types[of->type];
	ErrorContextCallback callback;
	FormerUser	former;
	Datum		value;

	callback.callback = explain;
	callback.arg = of->default_formula;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	become_caller(&former);
	if (run->defaults[column] == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(GetMemoryChunkContext(run));

		run->defaults[column] = sigma_expression_prepare(of->default_formula->expression);
		MemoryContextSwitchTo(caller);
	}
	value = ExecEvalExprSwitchContext(run->defaults[column], run->context, isnull);
	become_former(&former);
	if (!*isnull)
		value = datumCopy(value, type->by_value, type->length);
	ResetExprContext(run->context);
	error_context_stack = callback.previous;
	return value;
}

/* The row whose columns have these values, by place in table->columns; good until the next call. */
TupleTableSlot *
sigma_formula_run_row(FormulaRun *run, const Datum *values, const bool *nulls)
{
	const InputTable *table = run->table;
	int			i;

	if (run->slot == NULL)
	{
		Relation	rel = relation_open(table->relid, AccessShareLock);
		MemoryContext caller = MemoryContextSwitchTo(GetMemoryChunkContext(run));

		run->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(rel)), &TTSOpsVirtual);
		MemoryContextSwitchTo(caller);
		relation_close(rel, NoLock);
	}
	ExecStoreAllNullTuple(run->slot);
	for (i = 0; i < table->ncolumn; i++)
	{
		int			at = table->columns[i].attnum - 1;

		if (at < 0)
			continue;
		run->slot->tts_values[at] = values[i];
		run->slot->tts_isnull[at] = nulls[i];
	}
	return run->slot;
}

/*
 * Does the row pass all that would reject it?  "changed" by place in table->columns; NULL: all.
 * Where it does not, sigma_formula_run_failures says so too, without evaluating again what
 * was evaluated here, until sigma_formula_run_forget.
 */
bool
sigma_formula_run_passes(FormulaRun *run, TupleTableSlot *slot, const bool *changed)
{
	const InputTable *table = run->table;
	int			i;

	for (i = 0; i < table->nformula; i++)
	{
		if (table->formulas[i].warning || !applies(&table->formulas[i], table->ncolumn, changed))
			continue;
		if (!passes(run, i, slot))
		{
			run->verdicts[i] = VERDICT_FAILED;
			return false;
		}
		run->verdicts[i] = VERDICT_PASSED;
	}
	sigma_formula_run_forget(run);
	return true;
}

/* Forget what came of the rules for the last row. */
void
sigma_formula_run_forget(FormulaRun *run)
{
	memset(run->verdicts, 0, sizeof(Verdict) * run->table->nformula);
}

/*
 * Append the failures of the rules of one column, or of the row (-1), warnings too;
 * returns the number of errors.  A rule that reads a column that is not known ("known"
 * NULL: all are) is left to the trigger.
 */
int
sigma_formula_run_failures(FormulaRun *run, int column, TupleTableSlot *slot, const bool *changed,
						   const bool *known, List **failures)
{
	const InputTable *table = run->table;
	int			errors = 0;
	int			i;

	for (i = 0; i < table->nformula; i++)
	{
		const FormulaRule *rule = &table->formulas[i];
		Failure    *failure;

		if (rule->column != column || !applies(rule, table->ncolumn, changed) ||
			!is_known(rule, table->ncolumn, known))
			continue;
		if (run->verdicts[i] == VERDICT_UNKNOWN ? passes(run, i, slot) : run->verdicts[i] == VERDICT_PASSED)
			continue;
		if (column >= 0)
		{
			int			at = table->columns[column].attnum - 1;

			failure = sigma_failure_new(&table->columns[column], "formula", rule->message,
										at < 0 ? (Datum) 0 : slot->tts_values[at], at < 0 || slot->tts_isnull[at]);
		}
		else
		{
			failure = palloc0(sizeof(Failure));
			failure->row = -1;
			failure->rule = "formula";
			failure->message = rule->message;
			failure->constraint = rule->constraint;
		}
		failure->warning = rule->warning;
		failure->own_message = rule->own_message;
		*failures = lappend(*failures, failure);
		errors += rule->warning ? 0 : 1;
	}
	return errors;
}

/* Can the rule fail by these changes? */
static bool
applies(const FormulaRule *rule, int ncolumn, const bool *changed)
{
	int			i;

	if (changed == NULL)
		return true;
	for (i = 0; i < ncolumn; i++)
		if (changed[i] && (rule->column < 0 || rule->reads[i]))
			return true;
	return false;
}

static bool
is_known(const FormulaRule *rule, int ncolumn, const bool *known)
{
	int			i;

	for (i = 0; known != NULL && i < ncolumn; i++)
		if (rule->reads[i] && !known[i])
			return false;
	return true;
}

/* Evaluate one rule. */
static bool
passes(FormulaRun *run, int i, TupleTableSlot *slot)
{
	ErrorContextCallback callback;
	FormerUser	caller;
	bool		isnull;
	bool		passed;

	callback.callback = explain;
	callback.arg = &run->table->formulas[i];
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	run->context->ecxt_scantuple = slot;
	become_caller(&caller);
	passed = DatumGetBool(ExecEvalExprSwitchContext(run->states[i], run->context, &isnull)) || isnull;
	become_former(&caller);
	ResetExprContext(run->context);
	error_context_stack = callback.previous;
	return passed;
}

/* Error context: which formula was evaluated. */
static void
explain(void *arg)
{
	errcontext("formula at %s", ((FormulaRule *) arg)->path);
}
