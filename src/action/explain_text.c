/*
 * explain_text.c
 *		The explanation of a sequence as text: a tree for a terminal, in the manner of EXPLAIN.
 *
 * It says what the JSON says, and nothing else.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "action/explain.h"

#define STEP_INDENT		2		/* of a step below what holds it ... */
#define DETAIL_INDENT	6		/* ... and of its lines below the step */

static void print_sequence(StringInfo out, int indent, const JsonNode *tree);
static void print_mode(StringInfo out, const JsonNode *tree);
static void print_trigger(StringInfo out, int indent, const JsonNode *trigger);
static void print_steps(StringInfo out, int indent, const JsonNode *steps);
static void print_step(StringInfo out, int indent, const JsonNode *step);
static void print_handling(StringInfo out, int indent, const JsonNode *step);
static void print_statement(StringInfo out, int indent, const JsonNode *statement);
static void print_relations(StringInfo out, int indent, const char *label, const JsonNode *relations);
static void print_rules(StringInfo out, int indent, const JsonNode *rules);
static void print_triggers(StringInfo out, int indent, const JsonNode *triggers);
static void print_branch(StringInfo out, int indent, const JsonNode *branch);
static void print_error(StringInfo out, int indent, const JsonNode *error);
static void print_summary(StringInfo out, const JsonNode *summary);
static void print_list(StringInfo out, int indent, const char *label, const JsonNode *texts, const char *separator);
static void print_member(StringInfo out, int indent, const char *label, const JsonNode *object, const char *key);
static const char *shown(const JsonNode *node);

/* The tree as lines, separated, in the current context. */
char *
sigma_explain_text(const JsonNode *tree)
{
	StringInfoData out;

	initStringInfo(&out);
	print_sequence(&out, 0, tree);
	print_summary(&out, sigma_json_get(tree, "summary"));
	while (out.len > 0 && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0';
	return out.data;
}

static void
print_sequence(StringInfo out, int indent, const JsonNode *tree)
{
	const char *name = sigma_json_get_string(tree, "name", NULL);

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	appendStringInfoSpaces(out, indent);
	appendStringInfo(out, "Sequence %s", sigma_json_get_string(tree, "sequence_id", ""));
	if (name != NULL)
		appendStringInfo(out, " \"%s\"", name);
	print_mode(out, tree);
	indent += STEP_INDENT;
	print_trigger(out, indent, sigma_json_get(tree, "trigger"));
	print_member(out, indent, "Condition", tree, "condition");
	print_member(out, indent, "Never runs", tree, "unreachable");
	print_steps(out, indent, sigma_json_get(tree, "steps"));
}

/* "  (atomic, stops on error, 30000 ms)" */
static void
print_mode(StringInfo out, const JsonNode *tree)
{
	const char *concurrency = sigma_json_get_string(tree, "concurrency", "allow");
	int64		timeout = sigma_json_get_int(tree, "timeout_ms", 0);

	appendStringInfo(out, "  (%s%s, %s", sigma_json_get_bool(tree, "is_paused", false) ? "paused, " : "",
					 sigma_json_get_bool(tree, "atomic", true) ? "atomic" : "not atomic",
					 sigma_json_get_bool(tree, "stop_on_error", true) ? "stops on error" : "goes on after errors");
	if (strcmp(concurrency, "allow") != 0)
		appendStringInfo(out, ", concurrency %s", concurrency);
	if (sigma_json_get(tree, "max_rows_changed") != NULL)
		appendStringInfo(out, ", at most " INT64_FORMAT " rows", sigma_json_get_int(tree, "max_rows_changed", 0));
	if (sigma_json_get(tree, "max_actions") != NULL)
		appendStringInfo(out, ", at most " INT64_FORMAT " actions", sigma_json_get_int(tree, "max_actions", 0));
	if (timeout > 0)
		appendStringInfo(out, ", " INT64_FORMAT " ms", timeout);
	appendStringInfoString(out, ")\n");
}

/* "Trigger: click, element_id save" */
static void
print_trigger(StringInfo out, int indent, const JsonNode *trigger)
{
	int			i;

	if (trigger == NULL || trigger->kind != JSON_OBJECT)
		return;
	appendStringInfoSpaces(out, indent);
	appendStringInfo(out, "Trigger: %s", sigma_json_get_string(trigger, "type", ""));
	for (i = 0; i < trigger->count; i++)
		if (strcmp(trigger->items[i]->key, "type") != 0 && trigger->items[i]->kind != JSON_NULL)
			appendStringInfo(out, ", %s %s", trigger->items[i]->key, shown(trigger->items[i]));
	appendStringInfoChar(out, '\n');
}

static void
print_steps(StringInfo out, int indent, const JsonNode *steps)
{
	int			i;

	check_stack_depth();
	for (i = 0; steps != NULL && i < steps->count; i++)
		print_step(out, indent, steps->items[i]);
}

/* "->  0 add: data_modification insert_row orders", and what is known of the step below. */
static void
print_step(StringInfo out, int indent, const JsonNode *step)
{
	const char *id = sigma_json_get_string(step, "action_id", NULL);
	const char *type = sigma_json_get_string(step, "type", NULL);
	const char *subtype = sigma_json_get_string(step, "subtype", NULL);
	const char *target = sigma_json_get_string(step, "target", NULL);
	JsonNode   *list;
	int			i;

	CHECK_FOR_INTERRUPTS();
	appendStringInfoSpaces(out, indent);
	appendStringInfo(out, "->  " INT64_FORMAT, sigma_json_get_int(step, "index", 0));
	if (id != NULL)
		appendStringInfo(out, " %s", id);
	if (type != NULL)
		appendStringInfo(out, ": %s", type);
	if (subtype != NULL)
		appendStringInfo(out, " %s", subtype);
	if (target != NULL)
		appendStringInfo(out, " %s", target);
	appendStringInfoChar(out, '\n');

	indent += DETAIL_INDENT;
	print_member(out, indent, "Never reached", step, "unreachable");
	print_member(out, indent, "Condition", step, "condition");
	print_handling(out, indent, step);
	print_member(out, indent, "Result into", step, "output_variable");
	print_member(out, indent, "Does", step, "does");
	print_member(out, indent, "Calls", step, "calls");
	print_member(out, indent, "Rows", step, "rows");
	print_member(out, indent, "Ends the run", step, "ends");
	list = sigma_json_get(step, "statements");
	for (i = 0; list != NULL && i < list->count; i++)
		print_statement(out, indent, list->items[i]);
	print_relations(out, indent, "Writes", sigma_json_get(step, "writes"));
	print_relations(out, indent, "Reads", sigma_json_get(step, "reads"));
	print_rules(out, indent, sigma_json_get(step, "rules"));
	print_triggers(out, indent, sigma_json_get(step, "triggers"));
	print_list(out, indent, "Starts", sigma_json_get(step, "starts"), ", ");
	print_list(out, indent, "You lack", sigma_json_get(step, "lacks"), "; ");
	print_error(out, indent, sigma_json_get(step, "error"));
	print_member(out, indent, "Cycle", step, "cycle");
	print_member(out, indent, "See", step, "see");
	list = sigma_json_get(step, "branches");
	for (i = 0; list != NULL && i < list->count; i++)
		print_branch(out, indent, list->items[i]);
	print_steps(out, indent, sigma_json_get(step, "steps"));
	if (sigma_json_get(step, "runs") != NULL)
		print_sequence(out, indent, sigma_json_get(step, "runs"));
}

/* What becomes of its failure, and how long it may take. */
static void
print_handling(StringInfo out, int indent, const JsonNode *step)
{
	const char *handling = sigma_json_get_string(step, "error_handling", NULL);
	JsonNode   *retry = sigma_json_get(step, "retry");

	if (handling != NULL)
	{
		appendStringInfoSpaces(out, indent);
		appendStringInfo(out, "On error: %s", handling);
		if (retry != NULL)
			appendStringInfo(out, " %s", sigma_json_text(retry));
		appendStringInfoChar(out, '\n');
	}
	print_member(out, indent, "Timeout in ms", step, "timeout_ms");
}

/* Its text, its parameters, and how many rows are expected. */
static void
print_statement(StringInfo out, int indent, const JsonNode *statement)
{
	JsonNode   *parameters = sigma_json_get(statement, "parameters");
	int			i;

	print_member(out, indent, "SQL", statement, "sql");
	print_member(out, indent + STEP_INDENT, "Formula", statement, "formula");
	print_member(out, indent + STEP_INDENT, "Note", statement, "note");
	for (i = 0; parameters != NULL && i < parameters->count; i++)
	{
		const JsonNode *one = parameters->items[i];

		appendStringInfoSpaces(out, indent + STEP_INDENT);
		appendStringInfo(out, "$" INT64_FORMAT " %s: %s\n", sigma_json_get_int(one, "number", 0),
						 sigma_json_get_string(one, "type", ""), sigma_json_get_string(one, "value", ""));
	}
	if (sigma_json_get(statement, "rows") != NULL)
	{
		appendStringInfoSpaces(out, indent + STEP_INDENT);
		appendStringInfo(out, "rows=" INT64_FORMAT "%s\n", sigma_json_get_int(statement, "rows", 0),
						 sigma_json_get_bool(statement, "row_security", false) ? ", under row security" : "");
	}
}

/* "Writes: sigds.sigds_t (RowExclusiveLock, Index Scan using ...)" */
static void
print_relations(StringInfo out, int indent, const char *label, const JsonNode *relations)
{
	int			i;

	for (i = 0; relations != NULL && i < relations->count; i++)
	{
		const JsonNode *one = relations->items[i];
		const char *scan = sigma_json_get_string(one, "scan", NULL);

		appendStringInfoSpaces(out, indent);
		appendStringInfo(out, "%s: %s (%s%s%s)\n", label, sigma_json_get_string(one, "relation", ""),
						 sigma_json_get_string(one, "lock", ""), scan != NULL ? ", " : "", scan != NULL ? scan : "");
	}
}

/* "Rules: Qty max 100; Note min_length 3 (warn)" */
static void
print_rules(StringInfo out, int indent, const JsonNode *rules)
{
	int			i;

	if (rules == NULL || rules->count == 0)
		return;
	appendStringInfoSpaces(out, indent);
	appendStringInfoString(out, "Rules: ");
	for (i = 0; i < rules->count; i++)
	{
		const JsonNode *rule = rules->items[i];
		const char *column = sigma_json_get_string(rule, "column", NULL);
		JsonNode   *value = sigma_json_get(rule, "value");

		appendStringInfo(out, "%s%s %s", i == 0 ? "" : "; ", column == NULL ? "row" : column, sigma_json_get_string(rule, "rule", ""));
		if (value != NULL)
			appendStringInfo(out, " %s", shown(value));
		if (strcmp(sigma_json_get_string(rule, "severity", "error"), "error") != 0)
			appendStringInfoString(out, " (warn)");
	}
	appendStringInfoChar(out, '\n');
}

/* "Triggers: before row sigma_0_validate; ..." */
static void
print_triggers(StringInfo out, int indent, const JsonNode *triggers)
{
	int			i;

	if (triggers == NULL || triggers->count == 0)
		return;
	appendStringInfoSpaces(out, indent);
	appendStringInfoString(out, "Triggers: ");
	for (i = 0; i < triggers->count; i++)
		appendStringInfo(out, "%s%s %s", i == 0 ? "" : "; ", sigma_json_get_string(triggers->items[i], "fires", ""),
						 sigma_json_get_string(triggers->items[i], "trigger", ""));
	appendStringInfoChar(out, '\n');
}

/* "else if [Control/x] = 1" and its steps */
static void
print_branch(StringInfo out, int indent, const JsonNode *branch)
{
	const char *condition = sigma_json_get_string(branch, "condition", NULL);

	appendStringInfoSpaces(out, indent);
	appendStringInfo(out, "%s%s%s\n", sigma_json_get_string(branch, "branch", ""), condition != NULL ? " " : "",
					 condition != NULL ? condition : "");
	print_member(out, indent + STEP_INDENT, "Never taken", branch, "unreachable");
	print_steps(out, indent + STEP_INDENT, sigma_json_get(branch, "steps"));
}

static void
print_error(StringInfo out, int indent, const JsonNode *error)
{
	if (error == NULL)
		return;
	appendStringInfoSpaces(out, indent);
	appendStringInfo(out, "Error: %s %s\n", sigma_json_get_string(error, "sqlstate", ""), sigma_json_get_string(error, "message", ""));
	print_member(out, indent + STEP_INDENT, "Detail", error, "detail");
	print_member(out, indent + STEP_INDENT, "Hint", error, "hint");
}

/* What the sequence as a whole touches. */
static void
print_summary(StringInfo out, const JsonNode *summary)
{
	print_list(out, 0, "Writes", sigma_json_get(summary, "writes"), ", ");
	print_list(out, 0, "Reads", sigma_json_get(summary, "reads"), ", ");
	print_list(out, 0, "Calls", sigma_json_get(summary, "calls"), ", ");
	print_list(out, 0, "Cycles", sigma_json_get(summary, "cycles"), "; ");
	print_list(out, 0, "You lack", sigma_json_get(summary, "lacks"), "; ");
}

/* "label: a, b", where there is anything. */
static void
print_list(StringInfo out, int indent, const char *label, const JsonNode *texts, const char *separator)
{
	int			i;

	if (texts == NULL || texts->count == 0)
		return;
	appendStringInfoSpaces(out, indent);
	appendStringInfo(out, "%s: ", label);
	for (i = 0; i < texts->count; i++)
		appendStringInfo(out, "%s%s", i == 0 ? "" : separator, texts->items[i]->string);
	appendStringInfoChar(out, '\n');
}

/* "label: value", where the object has it. */
static void
print_member(StringInfo out, int indent, const char *label, const JsonNode *object, const char *key)
{
	JsonNode   *node = sigma_json_get(object, key);
	const char *c;

	if (node == NULL || node->kind == JSON_NULL)
		return;
	appendStringInfoSpaces(out, indent);
	appendStringInfo(out, "%s: ", label);
	/* what has several lines stays below its label */
	for (c = shown(node); *c != '\0'; c++)
	{
		appendStringInfoChar(out, *c);
		if (*c == '\n')
			appendStringInfoSpaces(out, indent + STEP_INDENT);
	}
	appendStringInfoChar(out, '\n');
}

/* A text without quotes, anything else as JSON. */
static const char *
shown(const JsonNode *node)
{
	return node->kind == JSON_STRING ? node->string : sigma_json_text(node);
}
