/*
 * warn.c
 *		What rules of severity warn say of the rows that a run writes.
 *
 * A warning rejects nothing, and plain SQL has no place for it.  A run has one: while
 * it lasts the trigger of data tables looks for warnings too, and leaves them with
 * the run, which drops those of what it rolls back.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "common/session.h"
#include "input_table/row_changes.h"
#include "input_table/rules.h"

static void keep(RowWarnings *warnings, const InputTable *table, const Failure *failure, int64 row_id);
static const char *copy_string(const char *string);

/* Is there somebody to tell, and something that could be told? */
bool
sigma_table_warns(const InputTable *table)
{
	int			i;
	int			j;

	if (sigma_session.warnings == NULL)
		return false;
	for (i = 0; i < table->ncolumn; i++)
		for (j = 0; j < table->columns[i].ncheck; j++)
			if (table->columns[i].checks[j].warning)
				return true;
	return sigma_formula_rules_warn(table);
}

/*
 * Leave the warnings of a row with the run.  "changed" by place in table->columns, NULL:
 * all; what is allocated on the way is in the current, per-row context.
 */
void
sigma_row_warn(const InputTable *table, FormulaRun *formulas, TupleTableSlot *slot, const bool *changed, int64 row_id)
{
	List	   *failures = NIL;
	ListCell   *cell;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		int			at = table->columns[i].attnum - 1;

		if (at >= 0 && (changed == NULL || changed[i]))
			sigma_column_failures(&table->columns[i], slot->tts_values[at], slot->tts_isnull[at], &failures);
		if (at >= 0 && (changed == NULL || changed[i]) && sigma_formula_run_lists(formulas) != NULL)
			sigma_list_run_failures(sigma_formula_run_lists(formulas), i, slot->tts_values[at], slot->tts_isnull[at],
									&failures);
		if (formulas != NULL)
			sigma_formula_run_failures(formulas, i, slot, changed, NULL, &failures);
	}
	if (formulas != NULL)
		sigma_formula_run_failures(formulas, -1, slot, changed, NULL, &failures);
	foreach(cell, failures)
	{
		const Failure *failure = lfirst(cell);

		if (failure->warning)
		{
			keep(sigma_session.warnings, table, failure, row_id);
			if (sigma_session.changes != NULL)
				sigma_row_changes_note_failure(table, failure);
		}
	}
}

/* Count a warning, and copy it where there is room. */
static void
keep(RowWarnings *warnings, const InputTable *table, const Failure *failure, int64 row_id)
{
	MemoryContext caller;
	RowWarning *copy;

	if (warnings->count++ >= warnings->most)
		return;
	caller = MemoryContextSwitchTo(warnings->cxt);
	copy = palloc0(sizeof(RowWarning));
	copy->step = warnings->step;
	copy->table = pstrdup(table->id);
	copy->failure = *failure;
	copy->failure.row_id = row_id;
	copy->failure.column = copy_string(failure->column);
	copy->failure.rule = pstrdup(failure->rule);
	copy->failure.value = sigma_may_read(table, failure->attnum) ? copy_string(failure->value) : NULL;
	copy->failure.message = pstrdup(failure->message);
	warnings->items = lappend(warnings->items, copy);
	MemoryContextSwitchTo(caller);
}

/* A copy in the current context; NULL stays NULL. */
static const char *
copy_string(const char *string)
{
	return string == NULL ? NULL : pstrdup(string);
}
