/*
 * app_test.c
 *		Tests of an app that live in its database: sigma_tests, create_test, delete_test.
 *
 * A row's document is checked and brought into its canonical form when it is
 * written; what it names - tables, sequences, actions - is looked up when the test
 * runs (app_test_run.c), so tests may be written before what they test.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "action/action.h"
#include "action/app_test.h"
#include "common/argument.h"
#include "common/catalog.h"
#include "common/document_specs.h"
#include "common/errors.h"
#include "common/spi.h"
#include "compat.h"

PG_FUNCTION_INFO_V1(check_test);
PG_FUNCTION_INFO_V1(create_test);
PG_FUNCTION_INFO_V1(delete_test);

static void finish_test(JsonNode *test, int flags);

/* Documents of tests. */
static const KeySpec a_row = {.name = "row", .type = SPEC_OPEN};
static const KeySpec some_rows = {.name = "rows", .type = SPEC_LIST, .flags = KEY_WRAP, .of = &a_row};
static const KeySpec a_count = {.name = "row_count", .type = SPEC_INT, .min = 0, .max = PG_INT64_MAX};

static const KeySpec started_keys[] = {
	{"element_id", SPEC_NAME, "the element that is used", KEY_REQUIRED},
	{"type", SPEC_ENUM, "what is done to it", KEY_REQUIRED, .names = &sigma_trigger_type_names},
	{NULL}
};
static const ObjectSpec started_spec = {"the trigger of a test", started_keys};

static const char *const fault_kinds[] = {"error", "timeout", "slow", NULL};
static const EnumSpec fault_kind_names = {fault_kinds};
static const KeySpec fault_keys[] = {
	{"action_id", SPEC_NAME, "the action that meets it", KEY_REQUIRED},
	{"kind", SPEC_ENUM, "what it meets", KEY_REQUIRED, .names = &fault_kind_names},
	{"sqlstate", SPEC_TEXT, "error: its code"},
	{"message", SPEC_TEXT, "error: its message"},
	{"ms", SPEC_INT, "slow: how long", .min = 0, .max = PG_INT32_MAX},
	{"times", SPEC_INT, "how often it is met; 0: always", .min = 0, .max = PG_INT32_MAX},
	{NULL}
};
static const ObjectSpec fault_spec = {"a fault", fault_keys};
static const KeySpec a_fault = {.name = "inject", .type = SPEC_OBJECT, .object = &fault_spec};

static const KeySpec error_keys[] = {
	{"sqlstate", SPEC_TEXT, "its code"},
	{"message_like", SPEC_TEXT, "a pattern of LIKE for its message"},
	{NULL}
};
static const ObjectSpec error_spec = {"an expected error", error_keys};

static const char *const statuses[] = {"success", "failed", "skipped", NULL};
static const EnumSpec status_names = {statuses};
static const KeySpec expect_keys[] = {
	{"status", SPEC_ENUM, "how the run ends", .names = &status_names},
	{"reason", SPEC_TEXT, "why it is skipped"},
	{"rows", SPEC_MAP, "rows that tables have afterwards, among others", .of = &some_rows},
	{"row_count", SPEC_MAP, "how many rows tables have afterwards", .of = &a_count},
	{"variables", SPEC_OPEN, "what the run sets, besides others"},
	{"controls", SPEC_OPEN, "what the run sets, besides others"},
	{"effects", SPEC_LIST, "effects that come in this order, among others", .of = &a_row},
	{"error", SPEC_OBJECT, "the error of the run, or one that is raised", .object = &error_spec},
	{"changes", SPEC_LIST, "all rows that are changed, each as a part of {table, row_id, operation, old, new}", .of = &a_row},
	{"outbox", SPEC_LIST, "messages that are written in this order, among others", .of = &a_row},
	{NULL}
};
static const ObjectSpec expect_spec = {"\"expect\"", expect_keys};

static const KeySpec test_keys[] = {
	{"sequence", SPEC_NAME, "the sequence that is run"},
	{"trigger", SPEC_OBJECT, "or the trigger that is fired", .object = &started_spec},
	{"given", SPEC_MAP, "the rows that tables have before", .of = &some_rows},
	{"context", SPEC_OPEN, "the context of the run"},
	{"inject", SPEC_LIST, "faults that actions meet", KEY_WRAP, .of = &a_fault},
	{"expect", SPEC_OBJECT, "what must come of it", .object = &expect_spec},
	{"ai", SPEC_ANY, "not built yet"},
	{NULL}
};
static const ObjectSpec test_spec = {"a test", test_keys, NULL, NULL, finish_test};

/* The canonical form of a test's document; SG400, 0A000. */
JsonNode *
sigma_test_normalise(JsonNode *document)
{
	return sigma_spec_read(&test_spec, document, 0);
}

static void
finish_test(JsonNode *test, int flags)
{
	JsonNode   *ai = sigma_json_get(test, "ai");

	if ((sigma_json_get(test, "sequence") == NULL) == (sigma_json_get(test, "trigger") == NULL))
		sigma_document_error(test, 0, NULL, "a test has either a \"sequence\" or a \"trigger\"");
	if (ai != NULL)
		sigma_document_error(ai, ERRCODE_FEATURE_NOT_SUPPORTED, "No action calls a model.",
							 "\"ai\" of tests is not built yet");
}

/* BEFORE INSERT OR UPDATE ON sigma_tests FOR EACH ROW: the document in canonical form. */
Datum
check_test(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "check_test", "sigma_tests",
												 TRIGGER_EVENT_ROW | TRIGGER_EVENT_BEFORE,
												 CATALOG_INSERT | CATALOG_UPDATE);
	HeapTuple	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			column = 2;
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);

	if (isnull)
		return PointerGetDatum(row);	/* NOT NULL says so */
	value = JsonbPGetDatum(sigma_json_write(sigma_test_normalise(sigma_json_read(DatumGetJsonbP(value)))));
	return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 1, &column, &value, &isnull));
}

/* create_test(name text, doc jsonb) returns text: the name; SG409 where it is taken. */
Datum
create_test(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {TEXTOID, JSONBOID};
	char	   *name = sigma_text_argument(fcinfo, 0, "name");
	Datum		values[2];

	if (name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_DOCUMENT),
				 errmsg("the name of a test must not be empty")));
	sigma_require_argument(fcinfo, 1, "doc");
	values[0] = CStringGetTextDatum(name);
	values[1] = PG_GETARG_DATUM(1);
	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan, "INSERT INTO sigma.sigma_tests (name, doc) VALUES ($1, $2) ON CONFLICT DO NOTHING", 2, types),
					  values, NULL, false, SPI_OK_INSERT);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_CONFLICT),
				 errmsg("test \"%s\" already exists", name),
				 errhint("Delete it first, or update its \"doc\" in sigma.sigma_tests.")));
	SPI_finish();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* delete_test(name text) returns bool: was there one? */
Datum
delete_test(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {TEXTOID};
	Datum		value = CStringGetTextDatum(sigma_text_argument(fcinfo, 0, "name"));
	bool		deleted;

	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan, "DELETE FROM sigma.sigma_tests WHERE name OPERATOR(pg_catalog.=) $1", 1, types),
					  &value, NULL, false, SPI_OK_DELETE);
	deleted = SPI_processed > 0;
	SPI_finish();
	PG_RETURN_BOOL(deleted);
}
