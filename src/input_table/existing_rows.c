/*
 * existing_rows.c
 *		Rows that were there before a rule: kept and counted, or a reason to refuse it.
 *
 * A definition that is written by plain DML keeps them.  The functions take a choice,
 * "on_existing": "flag" or "refuse", which is theirs alone and is not stored.  Refusing
 * looks at the rules that the change brings, not at those that were broken before.
 *
 * The caller holds a lock on the data table that keeps writers out.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "common/errors.h"
#include "common/names.h"
#include "input_table/define.h"
#include "input_table/rules.h"

#define OPTION	"on_existing"

static JsonNode *changed_rules(const TableChange *change);
static void drop_same_rules(JsonNode *after, const JsonNode *before);
static void drop_same_row_rules(JsonNode *after, const JsonNode *before);
static void refuse(const InputTable *table, int64 failing, List *sample) pg_attribute_noreturn();

/* Take the option out of a document that a function was given; NULL where it is not there. */
JsonNode *
sigma_on_existing_take(JsonNode *document)
{
	int			i;

	for (i = 0; document->kind == JSON_OBJECT && i < document->count; i++)
	{
		JsonNode   *node = document->items[i];

		if (strcmp(node->key, OPTION) != 0 && strcmp(node->key, "onExisting") != 0)
			continue;
		return sigma_json_remove(document, node->key);
	}
	return NULL;
}

/* Does the option say that rows which break a rule refuse it?  SG400 where it says nothing known. */
bool
sigma_on_existing_refuses(const JsonNode *option)
{
	static const char *const names[] = {"flag", "refuse", NULL};
	int			i;

	if (option == NULL || option->kind == JSON_NULL)
		return false;
	if (option->kind != JSON_STRING)
		sigma_document_error(option, 0, NULL, "\"%s\" must be a string, not %s", OPTION, sigma_json_kind_name(option));
	for (i = 0; names[i] != NULL; i++)
		if (pg_strcasecmp(option->string, names[i]) == 0)
			return i == 1;
	sigma_document_error(option, 0, sigma_hint_names(option->string, names), "unknown value \"%s\" of \"%s\"",
						 option->string, OPTION);
}

/*
 * Rows that break the rules are kept, and counted in a notice to who may read them
 * all: to others a rule's count would tell values, one guess at a time.
 */
void
sigma_existing_rows_report(const TableDefinition *table, Oid relid)
{
	List	   *sample = NIL;
	const InputTable *compiled = sigma_input_table(relid);
	int64		failing;

	if (compiled == NULL)		/* the owner of sigds dropped its trigger: no rule holds */
		return;
	if (!sigma_may_read(compiled, InvalidAttrNumber))
		return;
	failing = sigma_table_count_failures(compiled, &sample);
	if (failing > 0)
		ereport(NOTICE,
				(errmsg_plural(INT64_FORMAT " row of input table \"%s\" breaks its rules and is kept",
							   INT64_FORMAT " rows of input table \"%s\" break its rules and are kept",
							   (unsigned long) failing, failing, table->id)));
}

/*
 * Raise 23514 where rows break a rule of severity error that the change brings
 * (before NULL: any), 42501 for who may not see all rows.
 */
void
sigma_existing_rows_refuse(const TableChange *change, Oid relid)
{
	InputTable *table = sigma_input_table_compile(changed_rules(change), relid);
	List	   *sample = NIL;
	int64		failing;

	if (!sigma_may_read(table, InvalidAttrNumber))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s", get_rel_name(relid)),
				 errdetail("Whether rows break a rule is for who may read all of them."),
				 errhint("Leave \"%s\" out: the rows are kept.", OPTION)));
	failing = sigma_table_count_failures(table, &sample);
	if (failing > 0)
		refuse(table, failing, sample);
}

/* The new definition with the rules alone that the old one has not. */
static JsonNode *
changed_rules(const TableChange *change)
{
	JsonNode   *document = sigma_json_copy(change->after->document);
	JsonNode   *columns = sigma_json_get(document, "columns");
	JsonNode   *rules = sigma_json_get(document, "validation_rules");
	int			i;

	if (change->before == NULL)
		return document;
	for (i = 0; i < change->after->ncolumn; i++)
	{
		const ColumnDefinition *before = change->columns[i].before;
		const ColumnDefinition *after = change->columns[i].after;
		const char *name = after->name;
		JsonNode   *column = NULL;
		int			j;

		if (before == NULL || before->type != after->type)
			continue;
		/* computed columns stand between; those of a linked table's key are not in the list */
		for (j = 0; column == NULL && j < columns->count; j++)
			if (strcmp(sigma_json_get_string(columns->items[j], "id", ""), after->id) == 0)
				column = columns->items[j];
		if (column == NULL)
			continue;
		if (sigma_definition_same(sigma_json_get(column, "required"), sigma_json_get(before->node, "required")))
			(void) sigma_json_remove(column, "required");
		drop_same_rules(sigma_json_get(column, "validation"), sigma_json_get(before->node, "validation"));
		drop_same_rules(sigma_json_get(rules, name),
						sigma_json_get(sigma_json_get(change->before->document, "validation_rules"), before->name));
	}
	drop_same_row_rules(sigma_json_get(document, "row_rules"), sigma_json_get(change->before->document, "row_rules"));
	return document;
}

/* Take from the rules of a column those that were there before, as strict as now. */
static void
drop_same_rules(JsonNode *after, const JsonNode *before)
{
	int			i;

	if (after == NULL || after->kind != JSON_OBJECT || before == NULL || before->kind != JSON_OBJECT ||
		!sigma_definition_same(sigma_json_get(after, "severity"), sigma_json_get(before, "severity")))
		return;
	for (i = after->count - 1; i >= 0; i--)
	{
		const char *key = after->items[i]->key;

		if (strcmp(key, "severity") != 0 && strcmp(key, "message") != 0 && strcmp(key, "unique") != 0 &&
			sigma_definition_same(after->items[i], sigma_json_get(before, key)))
			(void) sigma_json_remove(after, key);
	}
}

/* Take from the rules of the row those that were there before. */
static void
drop_same_row_rules(JsonNode *after, const JsonNode *before)
{
	int			kept = 0;
	int			i;
	int			j;

	if (after == NULL || after->kind != JSON_ARRAY || before == NULL || before->kind != JSON_ARRAY)
		return;
	for (i = 0; i < after->count; i++)
	{
		for (j = 0; j < before->count && !sigma_json_equal(after->items[i], before->items[j]); j++)
			;
		if (j == before->count)
			after->items[kept++] = after->items[i];
	}
	after->count = kept;
}

/* Raise 23514 with a sample of what is wrong; the caller may read it. */
static void
refuse(const InputTable *table, int64 failing, List *sample)
{
	StringInfoData detail;
	ListCell   *lc;

	initStringInfo(&detail);
	foreach(lc, sample)
	{
		const Failure *failure = lfirst(lc);

		appendStringInfo(&detail, "%sRow " INT64_FORMAT ": ", detail.len > 0 ? "\n" : "", failure->row_id);
		if (failure->column != NULL)
			appendStringInfo(&detail, "column \"%s\"%s ", failure->column, failure->own_message ? ":" : "");
		appendStringInfo(&detail, "%s (rule \"%s\"", failure->message, failure->rule);
		if (failure->value != NULL)
			appendStringInfo(&detail, ", value \"%s\"", failure->value);
		appendStringInfoString(&detail, ").");
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg_plural(INT64_FORMAT " row of input table \"%s\" breaks the rules",
						   INT64_FORMAT " rows of input table \"%s\" break the rules",
						   (unsigned long) failing, failing, table->id),
			 errdetail_internal("%s", detail.data),
			 errhint("Change the rows first, or give \"%s\": \"flag\" to keep them.", OPTION)));
}
