/*
 * condition.c
 *		Conditions of actions and sequences: compiled once, evaluated per run.
 *
 * A test has three answers, as in SQL; whoever asks for the whole condition gets
 * two: only true runs.  Null on either side makes an answer unknown, but for
 * is_null and is_not_null.  How values compare: compare.h.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "action/compare.h"
#include "action/reference.h"
#include "action/value_source.h"
#include "common/document.h"

typedef enum Operator
{
	OPERATOR_EQ,
	OPERATOR_NE,
	OPERATOR_GT,
	OPERATOR_GE,
	OPERATOR_LT,
	OPERATOR_LE,
	OPERATOR_IN,
	OPERATOR_CONTAINS,
	OPERATOR_STARTS_WITH,
	OPERATOR_ENDS_WITH,
	OPERATOR_BETWEEN,
	OPERATOR_IS_NULL,
	OPERATOR_IS_NOT_NULL
} Operator;

/* In the order of Operator; ends with NULL for hints. */
static const char *const operators[] = {
	"=", "!=", ">", ">=", "<", "<=", "in", "contains", "starts_with", "ends_with",
	"between", "is_null", "is_not_null", NULL
};

/* What one test asks about. */
typedef enum Subject
{
	SUBJECT_FORMULA,			/* a formula: the answer itself */
	SUBJECT_REFERENCE,			/* the value of a control or variable */
	SUBJECT_SELECTION			/* one column of the selected rows, each by itself */
} Subject;

typedef struct Test
{
	Subject		subject;
	ValueSource *formula;		/* SUBJECT_FORMULA */
	RunReference reference;		/* SUBJECT_REFERENCE */
	const char *column;			/* SUBJECT_SELECTION */
	bool		match_all;		/* SUBJECT_SELECTION: every row, not just one */
	Operator	operator;
	ValueSource *expected;		/* NULL for is_null, is_not_null and formulas */
} Test;

struct Condition
{
	int			count;
	Test		tests[FLEXIBLE_ARRAY_MEMBER];	/* all must hold */
};

typedef enum Answer
{
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_UNKNOWN
} Answer;

PG_FUNCTION_INFO_V1(evaluate_condition);

static void compile_test(const CompileState *state, const JsonNode *node, Test *test);
static void compile_expected(const CompileState *state, const JsonNode *node, Test *test);
static Operator read_operator(const JsonNode *node);
static Answer evaluate_test(const Test *test, RunContext *context);
static Answer evaluate_formula(const ValueSource *formula, RunContext *context);
static Answer evaluate_rows(const Test *test, RunContext *context, const JsonbValue *expected);
static Answer apply(Operator operator, const JsonbValue *value, const JsonbValue *expected);
static Answer apply_between(const JsonbValue *value, const JsonbValue *bounds);
static Answer apply_text(Operator operator, const JsonbValue *value, const JsonbValue *expected);
static Answer apply_contains(const JsonbValue *value, const JsonbValue *expected);
static Answer apply_in(const JsonbValue *value, const JsonbValue *list);
static Answer within(const JsonbValue *value, const JsonbValue *bound, Comparison beyond);
static Answer and_answers(Answer a, Answer b);
static bool range_bounds(const JsonbValue *range, JsonbValue *low, JsonbValue *high);

/*
 * sigma.evaluate_condition(condition jsonb, context jsonb) returns bool
 *
 * Whether a condition holds in a context; no condition (null) always does.
 * Raises what saving the condition would raise.
 */
Datum
evaluate_condition(PG_FUNCTION_ARGS)
{
	JsonNode   *node = PG_ARGISNULL(0) ? NULL : sigma_json_read(PG_GETARG_JSONB_P(0));
	RunContext *context = sigma_context_read(PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1));
	CompileState state = {0};
	SessionState session = sigma_session;
	bool		holds = false;

	if (node != NULL && node->kind != JSON_NULL)
		node = sigma_document_normalise(DOCUMENT_CONDITION, node, 0);
	state.cxt = CurrentMemoryContext;
	state.resolve = true;
	PG_TRY();
	{
		sigma_context_enter(context);
		holds = sigma_condition_evaluate(sigma_condition_compile(&state, node), context);
	}
	PG_FINALLY();
	{
		sigma_session = session;
	}
	PG_END_TRY();
	PG_RETURN_BOOL(holds);
}

/* Compile a condition or an array of them in state->cxt; NULL where there is nothing to hold. */
Condition *
sigma_condition_compile(const CompileState *state, const JsonNode *node)
{
	MemoryContext old;
	Condition  *condition;
	int			count;
	int			i;

	if (node == NULL || node->kind == JSON_NULL ||
		(node->kind == JSON_ARRAY && node->count == 0))
		return NULL;

	count = node->kind == JSON_ARRAY ? node->count : 1;
	old = MemoryContextSwitchTo(state->cxt);
	condition = palloc0(offsetof(Condition, tests) + sizeof(Test) * count);
	condition->count = count;
	for (i = 0; i < count; i++)
		compile_test(state, node->kind == JSON_ARRAY ? node->items[i] : node, &condition->tests[i]);
	MemoryContextSwitchTo(old);
	return condition;
}

bool
sigma_condition_evaluate(const Condition *condition, RunContext *context)
{
	int			i;

	for (i = 0; condition != NULL && i < condition->count; i++)
		if (evaluate_test(&condition->tests[i], context) != ANSWER_YES)
			return false;
	return true;
}

/*
 * Compile one test.  Its form was checked when it was normalised; what is checked
 * here is what that does not know.
 */
static void
compile_test(const CompileState *state, const JsonNode *node, Test *test)
{
	const char *type;

	if (node->kind != JSON_OBJECT)
		sigma_document_error(node, 0, NULL, "a condition must be an object, not %s",
							 sigma_json_kind_name(node));
	type = sigma_required_string(node, "a condition", "type");
	if (strcmp(type, "custom_formula") == 0)
	{
		(void) sigma_required_string(node, "a custom_formula condition", "formula");
		test->subject = SUBJECT_FORMULA;
		test->formula = sigma_formula_source_compile(state, sigma_json_get(node, "formula"), "a condition", TYPE_LOGICAL);
		return;
	}
	if (strcmp(type, "control_value") == 0)
	{
		test->subject = SUBJECT_REFERENCE;
		sigma_reference_make(&test->reference, FROM_CONTROL,
							 sigma_required_string(node, "a control_value condition", "control_id"));
	}
	else if (strcmp(type, "ai_result") == 0)
	{
		test->subject = SUBJECT_REFERENCE;
		sigma_reference_make(&test->reference, FROM_VARIABLE,
							 sigma_required_string(node, "an ai_result condition", "variable"));
	}
	else if (strcmp(type, "selection_value") == 0)
	{
		test->subject = SUBJECT_SELECTION;
		test->column = pstrdup(sigma_required_string(node, "a selection_value condition", "column"));
		test->match_all = strcmp(sigma_json_get_string(node, "match", "any"), "all") == 0;
	}
	else
		sigma_document_error(sigma_json_get(node, "type"), 0, NULL, "unknown type \"%s\" of a condition", type);
	test->operator = read_operator(node);
	compile_expected(state, node, test);
}

/* The expected value or the threshold, where the operator takes one; literal bounds must be in order. */
static void
compile_expected(const CompileState *state, const JsonNode *node, Test *test)
{
	const JsonNode *threshold = sigma_json_get(node, "threshold");
	const JsonNode *expected = threshold != NULL ? threshold : sigma_json_get(node, "expected_value");
	JsonbValue	literal;
	JsonbValue	low;
	JsonbValue	high;

	if (test->operator == OPERATOR_IS_NULL || test->operator == OPERATOR_IS_NOT_NULL)
		return;
	test->expected = sigma_value_source_compile(state, expected, false);
	if (test->operator == OPERATOR_BETWEEN &&
		sigma_value_source_is_static(test->expected, &literal) &&
		range_bounds(&literal, &low, &high) &&
		sigma_compare(&low, &high) == COMPARED_GREATER)
		sigma_document_error(expected, 0, NULL, "the lower bound of between is above the upper one");
}

/* The operator of a condition; "=" where none is given. */
static Operator
read_operator(const JsonNode *node)
{
	const char *name = sigma_json_get_string(node, "operator", "=");
	int			i;

	for (i = 0; operators[i] != NULL; i++)
		if (strcmp(operators[i], name) == 0)
			return (Operator) i;
	sigma_document_error(node, 0, sigma_hint_names(name, operators), "unknown operator \"%s\"", name);
}

/* One test's answer in a run. */
static Answer
evaluate_test(const Test *test, RunContext *context)
{
	JsonbValue	expected;
	JsonbValue	value;

	CHECK_FOR_INTERRUPTS();
	if (test->subject == SUBJECT_FORMULA)
		return evaluate_formula(test->formula, context);
	expected.type = jbvNull;
	if (test->expected != NULL)
		sigma_value_source_evaluate(test->expected, context, &expected);
	if (test->subject == SUBJECT_SELECTION)
		return evaluate_rows(test, context, &expected);
	sigma_reference_read(&test->reference, context, &value);
	return apply(test->operator, &value, &expected);
}

/* A formula's answer; 42804 where a reference that stands alone yields another kind of value. */
static Answer
evaluate_formula(const ValueSource *formula, RunContext *context)
{
	JsonbValue	value;

	sigma_value_source_evaluate(formula, context, &value);
	if (value.type == jbvNull)
		return ANSWER_UNKNOWN;
	if (value.type != jbvBool)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a condition must be logical: expected logical, received %s",
						value.type == jbvNumeric ? "number" : value.type == jbvString ? "text" : "variant"),
				 errdetail("The value is \"%s\".", sigma_jsonb_text(&value)),
				 errhint("Compare it: [x] = 1.")));
	return value.val.boolean ? ANSWER_YES : ANSWER_NO;
}

/* Any or every selected row; without a selection no. */
static Answer
evaluate_rows(const Test *test, RunContext *context, const JsonbValue *expected)
{
	int			count = sigma_context_selected_count(context);
	int			i;

	for (i = 0; i < count; i++)
	{
		JsonbValue	value;
		bool		holds;

		CHECK_FOR_INTERRUPTS();
		(void) sigma_context_selected_value(context, i, test->column, &value);
		holds = apply(test->operator, &value, expected) == ANSWER_YES;
		if (holds != test->match_all)
			return holds ? ANSWER_YES : ANSWER_NO;
	}
	return count > 0 && test->match_all ? ANSWER_YES : ANSWER_NO;
}

/* value OPERATOR expected */
static Answer
apply(Operator operator, const JsonbValue *value, const JsonbValue *expected)
{
	Comparison	comparison;

	if (operator == OPERATOR_IS_NULL || operator == OPERATOR_IS_NOT_NULL)
		return (value->type == jbvNull) == (operator == OPERATOR_IS_NULL) ? ANSWER_YES : ANSWER_NO;
	if (value->type == jbvNull || expected->type == jbvNull)
		return ANSWER_UNKNOWN;
	switch (operator)
	{
		case OPERATOR_IN:
			return apply_in(value, expected);
		case OPERATOR_BETWEEN:
			return apply_between(value, expected);
		case OPERATOR_CONTAINS:
			return apply_contains(value, expected);
		case OPERATOR_STARTS_WITH:
		case OPERATOR_ENDS_WITH:
			return apply_text(operator, value, expected);
		default:
			break;
	}

	comparison = sigma_compare(value, expected);
	if (comparison == COMPARED_UNKNOWN)
		return ANSWER_UNKNOWN;
	if (operator == OPERATOR_EQ)
		return comparison == COMPARED_EQUAL ? ANSWER_YES : ANSWER_NO;
	if (operator == OPERATOR_NE)
		return comparison != COMPARED_EQUAL ? ANSWER_YES : ANSWER_NO;
	if (comparison == COMPARED_DIFFERENT)
		return ANSWER_UNKNOWN;
	if (comparison == COMPARED_EQUAL)
		return operator == OPERATOR_GE || operator == OPERATOR_LE ? ANSWER_YES : ANSWER_NO;
	if (comparison == COMPARED_GREATER)
		return operator == OPERATOR_GT || operator == OPERATOR_GE ? ANSWER_YES : ANSWER_NO;
	return operator == OPERATOR_LT || operator == OPERATOR_LE ? ANSWER_YES : ANSWER_NO;
}

/* Is every value (of a list: each of its values, and there is one) in the list? */
static Answer
apply_in(const JsonbValue *value, const JsonbValue *list)
{
	int			count = sigma_list_length(value);
	int			i;

	for (i = 0; i < count; i++)
	{
		JsonbValue	element;

		sigma_list_element(value, i, &element);
		if (!sigma_list_contains(list, &element))
			return ANSWER_NO;
	}
	return count > 0 ? ANSWER_YES : ANSWER_NO;
}

/* Does a list hold all the values expected?  Does a text hold the text expected? */
static Answer
apply_contains(const JsonbValue *value, const JsonbValue *expected)
{
	return sigma_jsonb_is_list(value) ? apply_in(expected, value) :
		apply_text(OPERATOR_CONTAINS, value, expected);
}

/* low <= value <= high; an open end of a range is no limit. */
static Answer
apply_between(const JsonbValue *value, const JsonbValue *bounds)
{
	bool		is_range = !sigma_jsonb_is_list(bounds);
	JsonbValue	low;
	JsonbValue	high;

	if (!range_bounds(bounds, &low, &high))
		return ANSWER_UNKNOWN;
	return and_answers(is_range && low.type == jbvNull ? ANSWER_YES : within(value, &low, COMPARED_LESS),
					   is_range && high.type == jbvNull ? ANSWER_YES : within(value, &high, COMPARED_GREATER));
}

/* Is the value on the right side of a bound?  "beyond" is the wrong one. */
static Answer
within(const JsonbValue *value, const JsonbValue *bound, Comparison beyond)
{
	Comparison	comparison = sigma_compare(value, bound);

	if (comparison == COMPARED_UNKNOWN || comparison == COMPARED_DIFFERENT)
		return ANSWER_UNKNOWN;
	return comparison == beyond ? ANSWER_NO : ANSWER_YES;
}

static Answer
and_answers(Answer a, Answer b)
{
	if (a == ANSWER_NO || b == ANSWER_NO)
		return ANSWER_NO;
	return a == ANSWER_YES && b == ANSWER_YES ? ANSWER_YES : ANSWER_UNKNOWN;
}

/* [low, high], {min, max} or {start, end}.  False: none of these. */
static bool
range_bounds(const JsonbValue *range, JsonbValue *low, JsonbValue *high)
{
	static const char *const ends[][2] = {{"min", "max"}, {"start", "end"}};
	int			i;

	if (range->type != jbvBinary)
		return false;
	if (sigma_jsonb_is_list(range))
	{
		if (sigma_list_length(range) != 2)
			return false;
		sigma_list_element(range, 0, low);
		sigma_list_element(range, 1, high);
		return true;
	}
	for (i = 0; i < lengthof(ends); i++)
	{
		JsonbContainer *object = range->val.binary.data;
		bool		has_low = getKeyJsonValueFromContainer(object, ends[i][0], strlen(ends[i][0]), low) != NULL;
		bool		has_high = getKeyJsonValueFromContainer(object, ends[i][1], strlen(ends[i][1]), high) != NULL;

		if (!has_low)
			low->type = jbvNull;
		if (!has_high)
			high->type = jbvNull;
		if (has_low || has_high)
			return true;
	}
	return false;
}

/* Text in text; numbers and booleans count as their text, lists and objects as none. */
static Answer
apply_text(Operator operator, const JsonbValue *value, const JsonbValue *expected)
{
	JsonbValue	whole = *value;
	JsonbValue	part = *expected;
	const char *text;
	const char *wanted;
	size_t		length;
	size_t		wanted_length;

	if (sigma_list_length(value) == 1)
		sigma_list_element(value, 0, &whole);
	if (sigma_list_length(expected) == 1)
		sigma_list_element(expected, 0, &part);
	if (whole.type == jbvNull || whole.type == jbvBinary || part.type == jbvNull || part.type == jbvBinary)
		return ANSWER_UNKNOWN;

	text = sigma_jsonb_text(&whole);
	wanted = sigma_jsonb_text(&part);
	length = strlen(text);
	wanted_length = strlen(wanted);
	if (wanted_length > length)
		return ANSWER_NO;
	if (operator == OPERATOR_STARTS_WITH)
		return memcmp(text, wanted, wanted_length) == 0 ? ANSWER_YES : ANSWER_NO;
	if (operator == OPERATOR_ENDS_WITH)
		return memcmp(text + length - wanted_length, wanted, wanted_length) == 0 ? ANSWER_YES : ANSWER_NO;
	return strstr(text, wanted) != NULL ? ANSWER_YES : ANSWER_NO;
}
