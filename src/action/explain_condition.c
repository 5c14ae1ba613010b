/*
 * explain_condition.c
 *		Conditions as people write them, and those whose answer is known beforehand.
 *
 * A condition is constant where the planner says so: a formula without references that
 * folds into a constant.  Nothing else is evaluated.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "tcop/tcopprot.h"
#include "utils/plancache.h"

#include "action/explain.h"
#include "compat.h"
#include "formula/compile.h"

static char *test_text(const JsonNode *test);
static bool has_reference(void *arg, FormulaNode *node);
static bool plan_formula(Run *run);

/* A condition as people write one; NULL where there is nothing to hold. */
char *
sigma_explain_condition(const JsonNode *condition)
{
	StringInfoData buf;
	int			i;

	if (condition == NULL || condition->kind == JSON_NULL || (condition->kind == JSON_ARRAY && condition->count == 0))
		return NULL;
	if (condition->kind == JSON_OBJECT)
		return test_text(condition);
	initStringInfo(&buf);
	for (i = 0; i < condition->count; i++)
		appendStringInfo(&buf, "%s%s", i == 0 ? "" : " and ", test_text(condition->items[i]));
	return buf.data;
}

/* One test of a condition. */
static char *
test_text(const JsonNode *test)
{
	const char *type = sigma_json_get_string(test, "type", "");
	const char *operator = sigma_json_get_string(test, "operator", "=");
	JsonNode   *expected = sigma_json_get(test, "threshold");
	char	   *subject;

	if (strcmp(type, "custom_formula") == 0)
		return sigma_json_get_string(test, "formula", "");
	if (strcmp(type, "selection_value") == 0)
		subject = psprintf("%s [Selection/%s]", sigma_json_get_string(test, "match", "any"), sigma_json_get_string(test, "column", ""));
	else if (strcmp(type, "ai_result") == 0)
		subject = psprintf("[ActionVar/%s]", sigma_json_get_string(test, "variable", ""));
	else
		subject = psprintf("[Control/%s]", sigma_json_get_string(test, "control_id", ""));
	if (expected == NULL)
		expected = sigma_json_get(test, "expected_value");
	if (strncmp(operator, "is_", 3) == 0 || expected == NULL)
		return psprintf("%s %s", subject, operator);
	return psprintf("%s %s %s", subject, operator, sigma_json_text(expected));
}

/* 1 where the condition always holds, 0 where it never does, -1 where that depends. */
int
sigma_explain_answer(Explain *explain, const JsonNode *condition)
{
	int			answer = 1;
	int			i;
	bool		kept;

	check_stack_depth();
	if (condition == NULL || condition->kind == JSON_NULL)
		return 1;
	if (condition->kind == JSON_ARRAY)
	{
		for (i = 0; i < condition->count && answer != 0; i++)
		{
			int			one = sigma_explain_answer(explain, condition->items[i]);

			answer = one == 0 ? 0 : Min(answer, one);
		}
		return answer;
	}
	explain->formula = sigma_json_get_string(condition, "formula", NULL);
	explain->answer = -1;
	if (strcmp(sigma_json_get_string(condition, "type", ""), "custom_formula") == 0 && explain->formula != NULL)
		(void) sigma_run_guard(&explain->probe, plan_formula, &kept);
	return explain->answer;
}

/* Visitor: notes that there is a reference. */
static bool
has_reference(void *arg, FormulaNode *node)
{
	if (node->kind == FORMULA_REFERENCE)
		*(bool *) arg = true;
	return false;
}

/* Guarded work: what the planner makes of a formula without references.  False: undo it. */
static bool
plan_formula(Run *run)
{
	Explain    *explain = (Explain *) run;
	FormulaNode *tree = sigma_formula_parse(explain->formula);
	FormulaScope scope = {0};
	bool		refers = false;
	SPIPlanPtr	plan;
	CachedPlanSource *source;
	PlannedStmt *planned;
	Node	   *answer;

	(void) sigma_formula_visit(tree, has_reference, &refers);
	if (refers)
		return false;
	scope.place = "a condition";
	scope.stored = true;
	SPI_connect();
	plan = SPI_prepare(psprintf("SELECT %s", sigma_formula_compile(explain->formula, &scope, TYPE_LOGICAL)->sql), 0, NULL);
	if (plan != NULL)
	{
		source = linitial(SPI_plan_get_plan_sources(plan));
		planned = linitial(pg_plan_queries(copyObject(source->query_list), source->query_string, 0, NULL));
		answer = (Node *) linitial_node(TargetEntry, planned->planTree->targetlist)->expr;
		if (IsA(answer, Const))
			explain->answer = !((Const *) answer)->constisnull && DatumGetBool(((Const *) answer)->constvalue);
	}
	SPI_finish();
	return false;
}
