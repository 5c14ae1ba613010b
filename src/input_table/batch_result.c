/*
 * batch_result.c
 *		What came of a batch: the error of a strict one, the result document of others.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "common/errors.h"
#include "common/json_push.h"
#include "input_table/batch_state.h"

#define MAX_DETAIL_LINES	20
#define MAX_DETAIL_VALUE	100		/* bytes of a value in a line */

static int	failure_sqlstate(const Failure *failure);
static void append_failure(StringInfo detail, const Batch *batch, const Failure *failure);
static int	compare_failures(const ListCell *a, const ListCell *b);
static int	compare_written(const void *a, const void *b);
static void push_failures(JsonbParseState **state, const Batch *batch, const char *key, List *failures);

/* In BATCH_STRICT, raise the failures where there are any. */
void
sigma_batch_raise(Batch *batch)
{
	StringInfoData detail;
	const Failure *first;
	int			shown = 0;
	ListCell   *lc;

	if (batch->options.mode != BATCH_STRICT || batch->error_count == 0)
		return;
	list_sort(batch->errors, compare_failures);
	initStringInfo(&detail);
	foreach(lc, batch->errors)
	{
		if (shown++ == MAX_DETAIL_LINES)
			break;
		append_failure(&detail, batch, lfirst(lc));
	}
	if (batch->error_count > MAX_DETAIL_LINES)
		appendStringInfo(&detail, "\n... and " INT64_FORMAT " more.", batch->error_count - MAX_DETAIL_LINES);

	first = linitial(batch->errors);
	ereport(ERROR,
			(errcode(failure_sqlstate(first)),
			 errmsg_plural("input table \"%s\" refused %lld of %lld row",
						   "input table \"%s\" refused %lld of %lld rows",
						   (unsigned long) batch->rows, batch->table->name,
						   (long long) batch->rejected, (long long) batch->rows),
			 errdetail_internal("%s", detail.data),
			 errhint("Nothing was written.  Mode \"partial\" writes the good rows and returns the failures of the others."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, get_namespace_name(get_rel_namespace(batch->table->relid))),
			 err_generic_string(PG_DIAG_TABLE_NAME, get_rel_name(batch->table->relid)),
			 first->column == NULL ? 0 : err_generic_string(PG_DIAG_COLUMN_NAME, first->column),
			 first->column == NULL && first->constraint == NULL ? 0 :
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, first->column == NULL ? first->constraint :
								psprintf("%s_%s", first->column, first->rule))));
}

/* The SQLSTATE of an error whose first failure is this one. */
static int
failure_sqlstate(const Failure *failure)
{
	if (strcmp(failure->rule, "stale") == 0 || strcmp(failure->rule, "repeated") == 0)
		return ERRCODE_SIGMA_CONFLICT;
	if (strcmp(failure->rule, "row") == 0)
		return ERRCODE_SIGMA_NOT_FOUND;
	if (strcmp(failure->rule, "row_filter") == 0 || strcmp(failure->rule, "row_edit") == 0)
		return ERRCODE_INSUFFICIENT_PRIVILEGE;
	return ERRCODE_CHECK_VIOLATION;
}

/* One line of a DETAIL, as the trigger words it; the value only where the caller may read the column. */
static void
append_failure(StringInfo detail, const Batch *batch, const Failure *failure)
{
	const InputTable *table = batch->table;
	bool		shown = sigma_may_read(table, failure->attnum);
	int			length = strlen(failure->message);

	while (length > 0 && failure->message[length - 1] == '.')
		length--;
	if (detail->len > 0)
		appendStringInfoChar(detail, '\n');
	if (failure->line > 0)
		appendStringInfo(detail, "Line " INT64_FORMAT ": ", failure->line);
	else
		appendStringInfo(detail, "Row %d: ", failure->row);
	if (failure->column != NULL)
		appendStringInfo(detail, "column \"%s\"%s ", failure->column, failure->own_message ? ":" : "");
	appendStringInfo(detail, "%.*s (rule \"%s\"", length, failure->message, failure->rule);
	if (shown && failure->value != NULL)
	{
		int			clipped = pg_mbcliplen(failure->value, strlen(failure->value), MAX_DETAIL_VALUE);

		appendStringInfo(detail, ", value \"%.*s%s\"", clipped, failure->value,
						 failure->value[clipped] == '\0' ? "" : "...");
	}
	if (shown && failure->conflicts_with != 0 && sigma_may_read(table, table->row_id))
		appendStringInfo(detail, ", held by row " INT64_FORMAT, failure->conflicts_with);
	appendStringInfoString(detail, ").");
}

/* Bring failures and written rows into the order of the input. */
void
sigma_batch_sort(Batch *batch)
{
	BatchState *state = batch->state;

	list_sort(batch->errors, compare_failures);
	list_sort(batch->warnings, compare_failures);
	if (state->written_count > 1)
		qsort(state->written, state->written_count, sizeof(WrittenRow), compare_written);
}

/* The list is allocated in the current context; the failures are the batch's. */
List *
sigma_batch_failures(Batch *batch)
{
	List	   *all = list_concat_copy(batch->errors, batch->warnings);

	list_sort(all, compare_failures);
	return list_truncate(all, batch->options.max_failures);
}

/* By row, then column, then as they were found. */
static int
compare_failures(const ListCell *a, const ListCell *b)
{
	const KeptFailure *left = lfirst(a);
	const KeptFailure *right = lfirst(b);

	if (left->failure.row != right->failure.row)
		return left->failure.row < right->failure.row ? -1 : 1;
	if (left->column != right->column)
		return left->column < right->column ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

/* By place in the input; for qsort. */
static int
compare_written(const void *a, const void *b)
{
	int			left = ((const WrittenRow *) a)->row;
	int			right = ((const WrittenRow *) b)->row;

	return left < right ? -1 : left > right;
}

/* See batch.h; "skipped" stands there where rows may be skipped, "row_ids" where they were asked for. */
void
sigma_batch_push(Batch *batch, JsonbParseState **state)
{
	static const char *const modes[] = {"strict", "partial", "sigma"};
	static const JsonbValue nothing = {.type = jbvNull};
	JsonbValue	value;
	int64		i;

	sigma_push_text(state, "table_id", batch->table->id);
	sigma_push_text(state, "mode", modes[batch->options.mode]);
	sigma_push_int(state, "accepted", batch->accepted);
	sigma_push_int(state, "rejected", batch->rejected);
	sigma_push_int(state, "inserted", batch->inserted);
	sigma_push_int(state, "updated", batch->updated);
	sigma_push_int(state, "deleted", batch->deleted);
	if (batch->options.on_conflict == BATCH_CONFLICT_SKIP)
		sigma_push_int(state, "skipped", batch->skipped);
	if (batch->options.row_ids)
	{
		sigma_push_key(state, "row_ids");
		pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
		for (i = 0; i < batch->state->written_count; i++)
		{
			value.type = jbvNumeric;
			value.val.numeric = int64_to_numeric(batch->state->written[i].row_id);
			pushJsonbValue(state, WJB_ELEM, &value);
		}
		pushJsonbValue(state, WJB_END_ARRAY, NULL);
	}
	push_failures(state, batch, "errors", batch->errors);
	push_failures(state, batch, "warnings", batch->warnings);
	sigma_push_int(state, "error_count", batch->error_count);
	sigma_push_bool(state, "errors_truncated",
					batch->error_count > list_length(batch->errors) ||
					batch->warning_count > list_length(batch->warnings));
	if (batch->edit_num != 0)
		sigma_push_int(state, "edit_num", batch->edit_num);
	else
		sigma_push_value(state, "edit_num", &nothing);
}

/* See batch.h. */
int64
sigma_batch_written(const Batch *batch)
{
	return batch->state->written_count;
}

/* See batch.h. */
int
sigma_batch_written_row(const Batch *batch, int64 i)
{
	return batch->state->written[i].row;
}

/* Push a key and an array of failures. */
static void
push_failures(JsonbParseState **state, const Batch *batch, const char *key, List *failures)
{
	ListCell   *lc;

	sigma_push_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, failures)
	{
		Failure		failure = *(const Failure *) lfirst(lc);

		if (!sigma_may_read(batch->table, batch->table->row_id))
			failure.conflicts_with = 0;
		sigma_failure_push(state, batch->table, &failure, sigma_may_read(batch->table, failure.attnum));
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}
