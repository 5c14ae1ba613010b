/*
 * check.c
 *		sigma.check(): what is wrong with an app as it stands now.
 *
 * Definitions are checked when they are saved; what they name can be dropped, altered or
 * disabled afterwards, by cascade, by hand, by a restore in pieces.  Each definition is
 * read, compiled and compared with its relations, each in a subtransaction that is rolled
 * back: an error is a finding, no lock stays, and nothing is changed.  Rows are not read:
 * sigma.flagged() and sigma.rebuild(check_only) look at those.
 */
#include "postgres.h"

#include "access/table.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "action/action.h"
#include "action/check.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "compat.h"
#include "formula/procedure_lookup.h"
#include "formula/references.h"
#include "input_table/input_table.h"
#include "input_table/structure_check.h"
#include "layout/layout.h"

/* What is being looked at. */
typedef struct Look
{
	Run			probe;			/* must be first: looking is contained like a step */
	Problems   *problems;
	MemoryContext work;			/* emptied after each object */
	DocumentKind kind;
	const char *id;
	const char *object;			/* as findings name it */
	JsonNode   *document;		/* normalised; NULL: it cannot be read */
} Look;

/* Kinds of definitions, and what their objects are called. */
static const struct
{
	DocumentKind kind;
	const char *word;
}			kinds[] = {
	{DOCUMENT_INPUT_TABLE, "input_table"},
	{DOCUMENT_LAYOUT_ELEMENT, "element"},
	{DOCUMENT_VARIABLE, "variable"},
	{DOCUMENT_ACTION, "action"},
	{DOCUMENT_SEQUENCE, "sequence"},
};

/* Tables of the catalog whose triggers do the work. */
static const char *const catalog_tables[] = {
	"sigma_input_tables", "sigma_layout_elements", "sigma_actions", "sigma_action_sequences", "sigma_variables",
	"sigma_tests", "sigma_audit"
};

PG_FUNCTION_INFO_V1(check_app);

static void look(Look *at, GuardedWork work);
static char *path_of(const ErrorData *error);
static bool read_definition(Run *run);
static bool check_references(Run *run);
static void check_reference(Look *at, const Reference *reference);
static void check_procedure(Look *at, const Reference *reference);
static void dangle(Look *at, const Reference *reference, DocumentKind kind);
static bool compile_definition(Run *run);
static bool check_tree(Run *run);
static bool check_structure(Run *run);
static bool check_orphans(Run *run);
static bool check_catalog(Run *run);
static bool check_tests(Run *run);
static void check_test_tables(Look *at, const char *test, const JsonNode *tables);
static void put_rows(ReturnSetInfo *result, List *problems);

/*
 * check() returns table (severity text, object text, path text, message text, hint text)
 *
 * What is wrong, definition by definition; no row: nothing.
 */
Datum
check_app(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	put_rows((ReturnSetInfo *) fcinfo->resultinfo, sigma_check_app());
	return (Datum) 0;
}

/* See check.h. */
List *
sigma_check_app(void)
{
	MemoryContext cxt = CurrentMemoryContext;
	Problems	problems = {0};
	Look		at = {0};
	ListCell   *lc;
	int			found;
	int			i;

	problems.cxt = cxt;
	at.problems = &problems;
	at.work = AllocSetContextCreate(cxt, "sigma check", ALLOCSET_DEFAULT_SIZES);
	at.probe.cxt = at.probe.kept = at.work;
	at.object = "catalog";
	look(&at, check_catalog);
	for (i = 0; i < lengthof(kinds); i++)
		foreach(lc, sigma_catalog_names(kinds[i].kind))
		{
			at.kind = kinds[i].kind;
			at.id = ((CatalogName *) lfirst(lc))->id;
			at.object = psprintf("%s:%s", kinds[i].word, at.id);
			at.document = NULL;
			look(&at, read_definition);
			if (at.document == NULL)
				continue;
			look(&at, check_references);
			if (at.kind == DOCUMENT_LAYOUT_ELEMENT)
				look(&at, check_tree);
			found = list_length(problems.found);
			if (at.kind == DOCUMENT_INPUT_TABLE)
				look(&at, check_structure);
			/* a table that is not whole does not compile for that reason */
			if (list_length(problems.found) == found)
				look(&at, compile_definition);
			MemoryContextReset(at.work);
		}
	at.object = "tests";
	look(&at, check_tests);
	at.object = "schema sigds";
	look(&at, check_orphans);
	MemoryContextSwitchTo(cxt);
	MemoryContextDelete(at.work);
	return problems.found;
}

/* Do one piece of work; its error is a finding about the object. */
static void
look(Look *at, GuardedWork work)
{
	MemoryContext caller = MemoryContextSwitchTo(at->work);
	ErrorData  *error;
	bool		kept;

	CHECK_FOR_INTERRUPTS();
	error = sigma_run_guard(&at->probe, work, &kept);
	if (error != NULL)
	{
		sigma_problem_add(at->problems, PROBLEM_ERROR, at->object, path_of(error), error->hint, "%s", error->message);
	}
	MemoryContextSwitchTo(caller);
}

/* The path that an error about a document has as its detail, without the place in a formula; or NULL. */
static char *
path_of(const ErrorData *error)
{
	char	   *path;
	char	   *place;

	if (error->detail == NULL || error->detail[0] != '$')
		return NULL;
	path = pnstrdup(error->detail, strcspn(error->detail, "\n"));
	place = strstr(path, ": At character ");
	if (place != NULL)
		*place = '\0';
	return path;
}

/*
 * One definition.  All are guarded work; false: nothing of it is kept.
 */

/* Is it a document still? */
static bool
read_definition(Run *run)
{
	Look	   *at = (Look *) run;
	JsonNode   *document = sigma_catalog_read(at->kind, at->id);

	if (document != NULL)
		at->document = sigma_document_normalise(at->kind, document, DOCUMENT_STORED);
	return false;
}

/* Does what it names by an id exist?  What stands in formulas is found by compiling them. */
static bool
check_references(Run *run)
{
	Look	   *at = (Look *) run;
	ListCell   *lc;

	if (at->kind == DOCUMENT_VARIABLE)
		return false;
	foreach(lc, sigma_document_references(at->kind, at->document))
		check_reference(at, lfirst(lc));
	return false;
}

static void
check_reference(Look *at, const Reference *reference)
{
	if (reference->place != NULL)
		return;
	switch (reference->kind)
	{
		case REFERENCE_INPUT_TABLE:
			if (at->kind == DOCUMENT_LAYOUT_ELEMENT ? sigma_layout_source_missing(reference->name, NULL) :
				!reference->may_be_other && !sigma_catalog_exists(DOCUMENT_INPUT_TABLE, reference->name))
				dangle(at, reference, DOCUMENT_INPUT_TABLE);
			break;
		case REFERENCE_ELEMENT:
			if (!reference->may_be_other && !sigma_catalog_exists(DOCUMENT_LAYOUT_ELEMENT, reference->name))
				dangle(at, reference, DOCUMENT_LAYOUT_ELEMENT);
			break;
		case REFERENCE_ACTION:
			if (!sigma_catalog_exists(DOCUMENT_ACTION, reference->name))
				dangle(at, reference, DOCUMENT_ACTION);
			break;
		case REFERENCE_SEQUENCE:
			if (!sigma_catalog_exists(DOCUMENT_SEQUENCE, reference->name))
				dangle(at, reference, DOCUMENT_SEQUENCE);
			break;
		case REFERENCE_VARIABLE:	/* of a control; what steps set and read may be the client's */
			if (at->kind == DOCUMENT_LAYOUT_ELEMENT && !reference->may_be_other &&
				!sigma_catalog_exists(DOCUMENT_VARIABLE, reference->name))
				dangle(at, reference, DOCUMENT_VARIABLE);
			break;
		case REFERENCE_FUNCTION:
			check_procedure(at, reference);
			break;
		default:
			break;
	}
}

/* The function or procedure that a step calls. */
static void
check_procedure(Look *at, const Reference *reference)
{
	Oid			funcid;
	char	   *hint = NULL;

	if (sigma_procedure_find(reference->name, &funcid, &hint) != PROCEDURE_FOUND)
		sigma_problem_add(at->problems, PROBLEM_ERROR, at->object, sigma_json_path(reference->where), hint,
						  "function or procedure \"%s\" does not exist", reference->name);
}

/* There is no such thing any more. */
static void
dangle(Look *at, const Reference *reference, DocumentKind kind)
{
	sigma_problem_add(at->problems, PROBLEM_ERROR, at->object, sigma_json_path(reference->where),
					  sigma_catalog_hint(kind, reference->name), "%s \"%s\" does not exist",
					  sigma_catalog_table(kind)->noun, reference->name);
}

/* Does it compile, as it does when it is used first? */
static bool
compile_definition(Run *run)
{
	Look	   *at = (Look *) run;

	switch (at->kind)
	{
		case DOCUMENT_INPUT_TABLE:
			(void) sigma_input_table_by_id(at->id);
			break;
		case DOCUMENT_LAYOUT_ELEMENT:
			sigma_layout_check_formulas(at->document);
			break;
		case DOCUMENT_ACTION:
		case DOCUMENT_SEQUENCE:
			sigma_sequence_unpin(sigma_sequence_pin(at->id, at->kind == DOCUMENT_ACTION));
			break;
		default:
			break;
	}
	return false;
}

/* Is the element where its parent says, and its parent there? */
static bool
check_tree(Run *run)
{
	Look	   *at = (Look *) run;
	JsonNode   *document = at->document;
	const char *parent = sigma_json_get_string(document, "parent_id", NULL);
	JsonNode   *children = sigma_json_get(document, "children");
	int			i;

	if (parent != NULL && !sigma_catalog_exists(DOCUMENT_LAYOUT_ELEMENT, parent))
		sigma_problem_add(at->problems, PROBLEM_ERROR, at->object, "$.parent_id",
						  "Move it with sigma.move_layout_element.", "its parent \"%s\" does not exist", parent);
	for (i = 0; children != NULL && children->kind == JSON_ARRAY && i < children->count; i++)
	{
		JsonNode   *child = children->items[i]->kind != JSON_STRING ? NULL :
			sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, children->items[i]->string);

		if (child == NULL || strcmp(sigma_json_get_string(child, "parent_id", ""), at->id) != 0)
			sigma_problem_add(at->problems, PROBLEM_ERROR, at->object, psprintf("$.children[%d]", i), NULL,
							  "%s is not its child", sigma_json_text(children->items[i]));
	}
	return false;
}

/* Are the relations of an input table as they were made? */
static bool
check_structure(Run *run)
{
	Look	   *at = (Look *) run;

	sigma_structure_check(at->problems, at->id);
	return false;
}

/*
 * All together
 */

/* Relations that belong to nothing. */
static bool
check_orphans(Run *run)
{
	sigma_orphans_check(((Look *) run)->problems);
	return false;
}

/* Triggers of the catalog that somebody has disabled. */
static bool
check_catalog(Run *run)
{
	Look	   *at = (Look *) run;
	int			i;

	for (i = 0; i < lengthof(catalog_tables); i++)
	{
		Relation	rel = table_open(sigma_relation_oid(catalog_tables[i]), AccessShareLock);

		sigma_triggers_check(at->problems, psprintf("relation:sigma.%s", catalog_tables[i]), rel);
		table_close(rel, NoLock);
	}
	return false;
}

/* Sequences and tables that tests name and that are not there, for who may read tests. */
static bool
check_tests(Run *run)
{
	Look	   *at = (Look *) run;
	uint64		i;

	if (pg_class_aclcheck(sigma_relation_oid("sigma_tests"), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return false;
	SPI_connect();
	if (SPI_execute("SELECT t.name, t.doc FROM sigma.sigma_tests AS t ORDER BY t.name COLLATE pg_catalog.\"C\"", true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read sigma.sigma_tests");
	MemoryContextSwitchTo(run->cxt);
	for (i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		char	   *name = TextDatumGetCString(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		JsonNode   *document = sigma_json_read(DatumGetJsonbP(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull)));
		const char *sequence = sigma_json_get_string(document, "sequence", NULL);
		const JsonNode *expect = sigma_json_get(document, "expect");

		if (sequence != NULL && !sigma_catalog_exists(DOCUMENT_SEQUENCE, sequence))
			sigma_problem_add(at->problems, PROBLEM_ERROR, psprintf("test:%s", name), "$.sequence",
							  sigma_catalog_hint(DOCUMENT_SEQUENCE, sequence), "action sequence \"%s\" does not exist", sequence);
		check_test_tables(at, name, sigma_json_get(document, "given"));
		check_test_tables(at, name, sigma_json_get(expect, "rows"));
		check_test_tables(at, name, sigma_json_get(expect, "row_count"));
	}
	SPI_finish();
	MemoryContextSwitchTo(run->cxt);
	return false;
}

/* What a member of a test says of input tables, by their ids. */
static void
check_test_tables(Look *at, const char *test, const JsonNode *tables)
{
	int			i;

	for (i = 0; tables != NULL && i < tables->count; i++)
	{
		const JsonNode *table = tables->items[i];

		if (!sigma_catalog_exists(DOCUMENT_INPUT_TABLE, table->key))
			sigma_problem_add(at->problems, PROBLEM_ERROR, psprintf("test:%s", test), sigma_json_path(table),
							  sigma_catalog_hint(DOCUMENT_INPUT_TABLE, table->key), "input table \"%s\" does not exist", table->key);
	}
}

/* The findings, in the order in which they were made. */
static void
put_rows(ReturnSetInfo *result, List *problems)
{
	ListCell   *lc;

	foreach(lc, problems)
	{
		const Problem *problem = lfirst(lc);
		Datum		values[5] = {0};
		bool		nulls[5] = {false};

		values[0] = CStringGetTextDatum(problem->severity == PROBLEM_ERROR ? "error" : "warn");
		values[1] = CStringGetTextDatum(problem->object);
		nulls[2] = problem->path == NULL;
		if (!nulls[2])
			values[2] = CStringGetTextDatum(problem->path);
		values[3] = CStringGetTextDatum(problem->message);
		nulls[4] = problem->hint == NULL;
		if (!nulls[4])
			values[4] = CStringGetTextDatum(problem->hint);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}
