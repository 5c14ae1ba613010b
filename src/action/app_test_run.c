/*
 * app_test_run.c
 *		sigma.run_tests(): tests of an app, run in the database, as lines of TAP.
 *
 * Each test runs in a subtransaction that is rolled back: it puts the given rows in
 * place of what the tables hold, runs the sequence or fires the trigger, and compares.
 * Everything is done as the caller, along the paths that clients take.  An error of a
 * test is that test's failure; cancels are rethrown.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/elog.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "common/text.h"
#include "action/action.h"
#include "action/app_test.h"
#include "action/due.h"
#include "action/inject.h"
#include "action/notify.h"
#include "common/catalog.h"
#include "common/names.h"
#include "common/spi.h"
#include "compat.h"
#include "formula/trust.h"
#include "input_table/input_table.h"
#include "input_table/row_changes.h"

#define MAX_CHANGES 1000			/* that are compared */

PG_FUNCTION_INFO_V1(run_tests);

/* One test while it runs. */
typedef struct TestRun
{
	Run			probe;			/* must be first: it is contained like a step */
	const char *name;
	Jsonb	   *stored;			/* its document */
	const char *doing;			/* what is done around the run, for messages; NULL: the run itself is going on */
	List	   *differences;	/* of char * */
} TestRun;

static List *read_tests(const char *pattern);
static void put_line(ReturnSetInfo *result, const char *line);
static void put_test(ReturnSetInfo *result, TestRun *test, int number);
static void run_contained(TestRun *test);
static bool run_test(Run *run);
static void compare_raised(TestRun *test, const ErrorData *error);
static void put_all_given(TestRun *test, const JsonNode *given);
static void put_given(const char *table, const JsonNode *rows);
static const char *quoted_table(const char *table);
static void inject_faults(const JsonNode *faults);
static JsonNode *start(const JsonNode *document);
static void compare_results(TestRun *test, const JsonNode *expect, const JsonNode *results);
static void compare_error(TestRun *test, const JsonNode *expected, const char *sqlstate, const char *message);
static void compare_members(TestRun *test, const JsonNode *expect, const JsonNode *results, const char *key);
static JsonNode *effects_of(const JsonNode *results);
static JsonNode *messages_of(const JsonNode *results);
static void compare_list(TestRun *test, const char *what, const JsonNode *expected, const JsonNode *all);
static void compare_changes(TestRun *test, const JsonNode *expected, RowChanges *changes);
static void compare_tables(TestRun *test, const JsonNode *expect);
static void compare_rows(TestRun *test, const char *table, const JsonNode *rows);
static bool holds(const JsonNode *object, const JsonNode *subset);
static char *nearest_row(const char *table, const JsonNode *subset);
static void differ_by_error(TestRun *test, const char *what, const char *sqlstate, const char *message,
							const char *detail, const char *hint);
static void differ(TestRun *test, const char *format,...) pg_attribute_printf(2, 3);
static bool is_like(const char *text, const char *pattern);

/*
 * run_tests(pattern text) returns setof text
 *
 * Runs the tests whose names are LIKE the pattern, by name, and returns lines of TAP;
 * what differs stands below a test as comments.  Nothing of a test is left.
 */
Datum
run_tests(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *tests;
	ListCell   *lc;
	int			number = 0;

	PreventCommandIfReadOnly("run_tests()");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	tests = read_tests(PG_ARGISNULL(0) ? "%" : text_to_cstring(PG_GETARG_TEXT_PP(0)));
	put_line(result, psprintf("1..%d%s", list_length(tests), tests == NIL ? " # SKIP no tests" : ""));
	foreach(lc, tests)
	{
		CHECK_FOR_INTERRUPTS();
		run_contained(lfirst(lc));
		put_test(result, lfirst(lc), ++number);
	}
	return (Datum) 0;
}

/* The tests of that pattern, in the current context. */
static List *
read_tests(const char *pattern)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {TEXTOID};
	MemoryContext caller = CurrentMemoryContext;
	Datum		value = CStringGetTextDatum(pattern);
	List	   *tests = NIL;
	uint64		i;

	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan,
									 "SELECT name, doc FROM sigma.sigma_tests WHERE name OPERATOR(pg_catalog.~~) $1"
									 " ORDER BY name COLLATE pg_catalog.\"C\"", 1, types),
					  &value, NULL, false, SPI_OK_SELECT);
	for (i = 0; i < SPI_processed; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);
		TestRun    *test = palloc0(sizeof(TestRun));
		bool		isnull;

		test->name = TextDatumGetCString(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		test->stored = DatumGetJsonbPCopy(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull));
		tests = lappend(tests, test);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return tests;
}

static void
put_line(ReturnSetInfo *result, const char *line)
{
	Datum		value = CStringGetTextDatum(line);
	bool		isnull = false;

	tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
}

/* The lines of one test: a name that would read as a directive, or as two lines, is made harmless. */
static void
put_test(ReturnSetInfo *result, TestRun *test, int number)
{
	StringInfoData line;
	const char *c;
	ListCell   *lc;

	initStringInfo(&line);
	appendStringInfo(&line, "%sok %d - ", test->differences == NIL ? "" : "not ", number);
	for (c = test->name; *c != '\0'; c++)
	{
		if (*c == '#')
			appendStringInfoChar(&line, '\\');
		appendStringInfoChar(&line, *c == '\n' || *c == '\r' ? ' ' : *c);
	}
	put_line(result, line.data);
	foreach(lc, test->differences)
	{
		char	   *rest = lfirst(lc);
		const char *indent;
		char	   *text;

		for (indent = ""; (text = strsep(&rest, "\n")) != NULL; indent = "  ")
			put_line(result, psprintf("# %s%s", indent, text));
	}
}

/* Run one test in a subtransaction that is rolled back; it meets the faults that it brings, and they go with it. */
static void
run_contained(TestRun *test)
{
	List	   *faults = sigma_injections_begin();
	ErrorData  *error = NULL;
	bool		kept;

	test->doing = "document";
	test->probe.cxt = test->probe.kept = CurrentMemoryContext;
	PG_TRY();
	{
		error = sigma_run_guard(&test->probe, run_test, &kept);
	}
	PG_FINALLY();
	{
		sigma_injections_end(faults);
	}
	PG_END_TRY();
	if (error != NULL)
		compare_raised(test, error);
}

/* An error that was raised is one that may be expected where the run raised it: not where its rows, or what is compared, did. */
static void
compare_raised(TestRun *test, const ErrorData *error)
{
	const JsonNode *expected = sigma_json_get(sigma_json_get(sigma_json_read(test->stored), "expect"), "error");
	char	   *sqlstate = pstrdup(unpack_sql_state(error->sqlerrcode));
	const char *message = error->message != NULL ? error->message : "";

	if (test->doing == NULL && expected != NULL)
		compare_error(test, expected, sqlstate, message);
	else
		differ_by_error(test, test->doing == NULL ? "error" : test->doing, sqlstate, message, error->detail, error->hint);
}

/* Guarded work: a test.  False: undo it. */
static bool
run_test(Run *run)
{
	TestRun    *test = (TestRun *) run;
	JsonNode   *document = sigma_test_normalise(sigma_json_read(test->stored));
	JsonNode   *given = sigma_json_get(document, "given");
	JsonNode   *expect = sigma_json_get(document, "expect");
	JsonNode   *results;
	RowChanges *changes;

	SPI_connect();
	MemoryContextSwitchTo(run->cxt);
	test->doing = "given rows";
	put_all_given(test, given);
	test->doing = "inject";
	inject_faults(sigma_json_get(document, "inject"));
	changes = sigma_row_changes_begin();
	sigma_session.changes = changes;
	test->doing = NULL;
	results = start(document);
	(void) sigma_run_deferred(run);
	sigma_session.changes = NULL;
	if (expect == NULL)
		expect = sigma_json_new(JSON_OBJECT, NULL);
	test->doing = "comparing";
	compare_results(test, expect, results);
	compare_tables(test, expect);
	compare_changes(test, sigma_json_get(expect, "changes"), changes);
	SPI_finish();
	MemoryContextSwitchTo(run->cxt);
	return false;
}

/* The given rows of all tables; they start nothing. */
static void
put_all_given(TestRun *test, const JsonNode *given)
{
	int			i;

	sigma_row_change_hold(true);
	PG_TRY();
	{
		for (i = 0; given != NULL && i < given->count; i++)
		{
			const char *table = given->items[i]->key;

			test->doing = psprintf("given rows of %s", table);
			put_given(table, given->items[i]);
		}
	}
	PG_FINALLY();
	{
		sigma_row_change_hold(false);
	}
	PG_END_TRY();
}

/* The table has these rows, and no others. */
static void
put_given(const char *table, const JsonNode *rows)
{
	Oid			types[] = {TEXTOID, JSONBOID};
	Datum		values[2];
	MemoryContext cxt = CurrentMemoryContext;

	sigma_spi_run(psprintf("DELETE FROM %s", quoted_table(table)), SPI_OK_DELETE);
	if (rows->count > 0)
	{
		values[0] = CStringGetTextDatum(table);
		values[1] = JsonbPGetDatum(sigma_json_write(rows));
		if (SPI_execute_with_args("SELECT sigma.handle_data_entry($1, $2)", 2, types, values, NULL,
								  false, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not enter the given rows");
	}
	MemoryContextSwitchTo(cxt);
}

/* The data table of an input table, for SQL; SG404. */
static const char *
quoted_table(const char *table)
{
	Oid			relid = sigma_input_table_by_id(table)->relid;

	sigma_trust_check_relation(relid);
	return quote_qualified_identifier("sigds", get_rel_name(relid));
}

/* Faults of the test's document. */
static void
inject_faults(const JsonNode *faults)
{
	int			i;

	for (i = 0; faults != NULL && i < faults->count; i++)
	{
		JsonNode   *options = sigma_json_copy(faults->items[i]);
		char	   *action_id = sigma_json_get_string(options, "action_id", NULL);
		char	   *kind = sigma_json_get_string(options, "kind", NULL);

		(void) sigma_json_remove(options, "action_id");
		(void) sigma_json_remove(options, "kind");
		sigma_inject(action_id, kind, options);
	}
}

/* Run the sequence or fire the trigger: an array of results. */
static JsonNode *
start(const JsonNode *document)
{
	Oid			types[] = {TEXTOID, TEXTOID, JSONBOID};
	JsonNode   *context = sigma_json_get(document, "context");
	JsonNode   *trigger = sigma_json_get(document, "trigger");
	Jsonb	   *given = context == NULL ? NULL : sigma_json_write(context);
	MemoryContext cxt = CurrentMemoryContext;
	Datum		values[3];
	Jsonb	   *results;
	bool		isnull;

	if (trigger == NULL)
	{
		JsonNode   *list = sigma_json_new(JSON_ARRAY, NULL);

		sigma_json_append(list, sigma_json_read(sigma_run_execute(sigma_json_get_string(document, "sequence", NULL), false, given)));
		return list;
	}
	values[0] = CStringGetTextDatum(sigma_json_get_string(trigger, "element_id", ""));
	values[1] = CStringGetTextDatum(sigma_json_get_string(trigger, "type", ""));
	values[2] = JsonbPGetDatum(given);
	if (SPI_execute_with_args("SELECT sigma.fire_trigger($1, $2, $3)", 3, types, values,
							  given == NULL ? "  n" : NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not fire the trigger");
	results = DatumGetJsonbP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	MemoryContextSwitchTo(cxt);
	return sigma_json_read(results);
}

/*
 * Comparing
 */

/* What the results say: each of them has the status; the others are of all together. */
static void
compare_results(TestRun *test, const JsonNode *expect, const JsonNode *results)
{
	JsonNode   *error = sigma_json_get(expect, "error");
	const char *status = sigma_json_get_string(expect, "status", error == NULL ? "success" : NULL);
	const char *reason = sigma_json_get_string(expect, "reason", NULL);
	bool		failed = false;
	int			i;

	if (results->count == 0)
		differ(test, "the trigger starts no sequence");
	for (i = 0; i < results->count; i++)
	{
		JsonNode   *found = sigma_json_get(results->items[i], "error");
		const char *got = sigma_json_get_string(results->items[i], "status", "");
		const char *why = sigma_json_get_string(results->items[i], "reason", "none");
		const char *of = results->count == 1 ? "" :
			psprintf("%s: ", sigma_json_get_string(results->items[i], "sequence_id", ""));

		if (status != NULL && strcmp(status, got) != 0)
			differ(test, "%sstatus: expected %s, got %s", of, status, got);
		if (reason != NULL && strcmp(reason, why) != 0)
			differ(test, "%sreason: expected %s, got %s", of, reason, why);
		if (found == NULL)
			continue;
		failed = true;
		if (error != NULL)
			compare_error(test, error, sigma_json_get_string(found, "sqlstate", ""), sigma_json_get_string(found, "message", ""));
		else if (strcmp(got, "failed") == 0)
			differ_by_error(test, psprintf("%serror", of), sigma_json_get_string(found, "sqlstate", ""),
							sigma_json_get_string(found, "message", ""), sigma_json_get_string(found, "detail", NULL),
							sigma_json_get_string(found, "hint", NULL));
	}
	if (error != NULL && !failed)
		differ(test, "error: expected %s, got none", sigma_json_text(error));
	compare_members(test, expect, results, "variables");
	compare_members(test, expect, results, "controls");
	compare_list(test, "effects", sigma_json_get(expect, "effects"), effects_of(results));
	compare_list(test, "outbox", sigma_json_get(expect, "outbox"), messages_of(results));
}

static void
compare_error(TestRun *test, const JsonNode *expected, const char *sqlstate, const char *message)
{
	const char *code = sigma_json_get_string(expected, "sqlstate", NULL);
	const char *like = sigma_json_get_string(expected, "message_like", NULL);

	if ((code != NULL && strcmp(code, sqlstate) != 0) || (like != NULL && !is_like(message, like)))
		differ(test, "error: expected %s, got %s %s", sigma_json_text(expected), sqlstate, message);
}

/* Variables or controls: the last run that set one counts. */
static void
compare_members(TestRun *test, const JsonNode *expect, const JsonNode *results, const char *key)
{
	JsonNode   *expected = sigma_json_get(expect, key);
	int			i;
	int			j;

	for (i = 0; expected != NULL && i < expected->count; i++)
	{
		JsonNode   *wanted = expected->items[i];
		JsonNode   *found = NULL;

		for (j = 0; j < results->count; j++)
		{
			JsonNode   *set = sigma_json_get(sigma_json_get(results->items[j], key), wanted->key);

			if (set != NULL)
				found = set;
		}
		if (found == NULL || !sigma_json_equal(found, wanted))
			differ(test, "%s: expected %s = %s, got %s", key, wanted->key, sigma_json_text(wanted),
				   found == NULL ? "nothing" : sigma_json_text(found));
	}
}

/* The effects of all runs. */
static JsonNode *
effects_of(const JsonNode *results)
{
	JsonNode   *all = sigma_json_new(JSON_ARRAY, NULL);
	int			i;
	int			j;

	for (i = 0; i < results->count; i++)
	{
		JsonNode   *effects = sigma_json_get(results->items[i], "effects");

		for (j = 0; effects != NULL && j < effects->count; j++)
			sigma_json_append(all, sigma_json_copy(effects->items[j]));
	}
	return all;
}

/* The messages of all runs that are still there. */
static JsonNode *
messages_of(const JsonNode *results)
{
	JsonNode   *all = sigma_json_new(JSON_ARRAY, NULL);
	int			i;
	int			j;

	for (i = 0; i < results->count; i++)
	{
		JsonNode   *messages = sigma_outbox_of_run(sigma_json_get_string(results->items[i], "execution_id", ""));

		for (j = 0; j < messages->count; j++)
			sigma_json_append(all, messages->items[j]);
	}
	return all;
}

/* What is expected of a list, in order; others may stand between. */
static void
compare_list(TestRun *test, const char *what, const JsonNode *expected, const JsonNode *all)
{
	int			next = 0;
	int			i;
	int			j;

	for (i = 0; expected != NULL && i < expected->count; i++)
	{
		for (j = next; j < all->count && !holds(all->items[j], expected->items[i]); j++)
			 /* not this one */ ;
		if (j == all->count)
			differ(test, "%s: expected %s, got %s", what, sigma_json_text(expected->items[i]), sigma_json_text(all));
		else
			next = j + 1;
	}
}

/* Each change is one that is expected, and each expected one is there, in any order. */
static void
compare_changes(TestRun *test, const JsonNode *expected, RowChanges *changes)
{
	JsonbParseState *state = NULL;
	JsonNode   *found;
	List	   *unread;
	bool	   *taken;
	int			i;
	int			j;

	if (expected == NULL)
		return;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_row_changes_push(changes, &state, MAX_CHANGES, &unread);
	found = sigma_json_get(sigma_json_read(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL))), "changes");
	taken = palloc0(sizeof(bool) * (found->count + 1));
	for (i = 0; i < expected->count; i++)
	{
		for (j = 0; j < found->count && (taken[j] || !holds(found->items[j], expected->items[i])); j++)
			 /* not this one */ ;
		if (j == found->count)
			differ(test, "changes: expected %s, got none like it", sigma_json_text(expected->items[i]));
		else
			taken[j] = true;
	}
	for (j = 0; j < found->count; j++)
		if (!taken[j])
			differ(test, "changes: not expected: %s", sigma_json_text(found->items[j]));
}

/* The tables afterwards. */
static void
compare_tables(TestRun *test, const JsonNode *expect)
{
	JsonNode   *rows = sigma_json_get(expect, "rows");
	JsonNode   *counts = sigma_json_get(expect, "row_count");
	int			i;

	for (i = 0; rows != NULL && i < rows->count; i++)
		compare_rows(test, rows->items[i]->key, rows->items[i]);
	for (i = 0; counts != NULL && i < counts->count; i++)
	{
		MemoryContext cxt = CurrentMemoryContext;
		int64		wanted = sigma_json_get_int(counts, counts->items[i]->key, 0);
		int64		found;
		bool		isnull;

		sigma_spi_run(psprintf("SELECT pg_catalog.count(*) FROM %s", quoted_table(counts->items[i]->key)), SPI_OK_SELECT);
		found = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		MemoryContextSwitchTo(cxt);
		if (found != wanted)
			differ(test, "row_count of %s: expected " INT64_FORMAT ", got " INT64_FORMAT, counts->items[i]->key, wanted, found);
	}
}

/* Each expected row is a row of the table of its own. */
static void
compare_rows(TestRun *test, const char *table, const JsonNode *rows)
{
	Oid			types[] = {JSONBOID, INT8ARRAYOID};
	char	   *sql = psprintf("SELECT t.sigma_row_id FROM %s AS t WHERE pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.@>) $1"
							   " AND t.sigma_row_id OPERATOR(pg_catalog.<>) ALL ($2) ORDER BY t.sigma_row_id LIMIT 1",
							   quoted_table(table));
	Datum	   *taken = palloc(sizeof(Datum) * (rows->count + 1));
	MemoryContext cxt = CurrentMemoryContext;
	int			count = 0;
	int			i;

	for (i = 0; i < rows->count; i++)
	{
		Datum		values[2];
		bool		isnull;

		values[0] = JsonbPGetDatum(sigma_json_write(rows->items[i]));
		values[1] = PointerGetDatum(construct_array(taken, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
		if (SPI_execute_with_args(sql, 2, types, values, NULL, false, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not read the rows");
		if (SPI_processed > 0)
			taken[count++] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		MemoryContextSwitchTo(cxt);
		if (SPI_processed == 0)
			differ(test, "rows of %s: expected %s, got %s", table, sigma_json_text(rows->items[i]), nearest_row(table, rows->items[i]));
	}
}

/* Does an object have all members of another one? */
static bool
holds(const JsonNode *object, const JsonNode *subset)
{
	int			i;

	check_stack_depth();
	for (i = 0; i < subset->count; i++)
	{
		JsonNode   *wanted = subset->items[i];
		JsonNode   *found = sigma_json_get(object, wanted->key);

		if (found == NULL)
			return false;
		if (wanted->kind == JSON_OBJECT && found->kind == JSON_OBJECT ? !holds(found, wanted) : !sigma_json_equal(found, wanted))
			return false;
	}
	return true;
}

/* Of the row that has most members of an expected one, these members; "no row" where none has any. */
static char *
nearest_row(const char *table, const JsonNode *subset)
{
	Oid			types[] = {JSONBOID};
	Datum		value = JsonbPGetDatum(sigma_json_write(subset));
	MemoryContext cxt = CurrentMemoryContext;
	char	   *nearest = "no row like it";
	bool		isnull;

	if (SPI_execute_with_args(psprintf("SELECT n.part::pg_catalog.text FROM %s AS t, LATERAL ("
									   "SELECT pg_catalog.jsonb_object_agg(w.key, pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->) w.key) AS part,"
									   " pg_catalog.count(*) FILTER (WHERE pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->) w.key OPERATOR(pg_catalog.=) w.value) AS same"
									   " FROM pg_catalog.jsonb_each($1) AS w) AS n"
									   " WHERE n.same OPERATOR(pg_catalog.>) 0 ORDER BY n.same DESC, t.sigma_row_id LIMIT 1", quoted_table(table)),
							  1, types, &value, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the rows");
	MemoryContextSwitchTo(cxt);
	if (SPI_processed > 0)
		nearest = TextDatumGetCString(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	return nearest;
}

/* An error that nobody expects, with all that it says; failures of rows say enough without a hint. */
static void
differ_by_error(TestRun *test, const char *what, const char *sqlstate, const char *message, const char *detail, const char *hint)
{
	if (strcmp(sqlstate, "23514") == 0)
		hint = NULL;
	differ(test, "%s: %s %s%s%s%s%s", what, sqlstate, message, detail != NULL ? "\n" : "", detail != NULL ? detail : "",
		   hint != NULL ? "\n" : "", hint != NULL ? hint : "");
}

/* One more difference. */
static void
differ(TestRun *test, const char *format,...)
{
	char	   *text;
	va_list		args;
	MemoryContext old = MemoryContextSwitchTo(test->probe.cxt);

	va_start(args, format);
	text = sigma_text_format(format, args);
	va_end(args);
	test->differences = lappend(test->differences, text);
	MemoryContextSwitchTo(old);
}

static bool
is_like(const char *text, const char *pattern)
{
	return DatumGetBool(DirectFunctionCall2Coll(textlike, DEFAULT_COLLATION_OID, CStringGetTextDatum(text),
												CStringGetTextDatum(pattern)));
}
