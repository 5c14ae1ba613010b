/*
 * row_source.c
 *		Where steps take rows from: an input table, a relation or a query.
 *
 * Rows are read as the caller, by the rights and the search_path of the session, as
 * if the caller had typed the query; but the caller has not: neither the query nor what
 * it reads must call functions that a stored formula could not call.  The rows of an input table
 * are those that the caller is shown, with its computed columns.  Plans are made at
 * the first run, anew after any relation, function or role has changed, and go with
 * the compiled sequence.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "tcop/dest.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

#include "action/action.h"
#include "action/row_query.h"
#include "action/row_source.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/spi.h"
#include "compat.h"
#include "formula/trust.h"
#include "input_table/computed.h"

static bool is_name(const char *text, List **names);
static const char *select_from(Oid relid);
static void check_query(const JsonNode *node, const char *query);
static void prepare_query(const JsonNode *node, const char *query);
static char *table_query(const char *table);
static SPIPlanPtr make_plan(RowSource *source);
static void free_plan(void *arg);

/* See row_source.h. */
RowSource *
sigma_row_source_compile(CompileState *state, const JsonNode *node)
{
	RowSource  *source = MemoryContextAllocZero(state->cxt, sizeof(RowSource));
	const char *query = node->string;
	List	   *names;
	Oid			relid = InvalidOid;

	if (state->resolve && sigma_catalog_exists(DOCUMENT_INPUT_TABLE, node->string))
	{
		relid = sigma_data_table_oid(node->string);
		sigma_watch_table(relid);
		source->table = MemoryContextStrdup(state->cxt, node->string);
	}
	else if (state->resolve && is_name(node->string, &names))
	{
		relid = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
		if (!OidIsValid(relid))
			sigma_document_error(node, ERRCODE_SIGMA_NOT_FOUND,
								 sigma_catalog_hint(DOCUMENT_INPUT_TABLE, node->string),
								 "\"%s\" is neither an input table nor a relation", node->string);
	}
	else if (state->saving)
		check_query(node, query);
	if (OidIsValid(relid))
	{
		source->name = MemoryContextStrdup(state->cxt, node->string);
		query = select_from(relid);
	}
	source->query = MemoryContextStrdup(state->cxt, query);
	source->cleanup.func = free_plan;
	source->cleanup.arg = source;
	MemoryContextRegisterResetCallback(state->cxt, &source->cleanup);
	return source;
}

/* Is it one name, perhaps of several parts, and not a query? */
static bool
is_name(const char *text, List **names)
{
	List	   *parts;
	ListCell   *lc;

	/* like "a.b", with quotes where there are capitals or blanks; no query passes */
	if (!SplitIdentifierString(pstrdup(text), '.', &parts) || parts == NIL || list_length(parts) > 3)
		return false;
	*names = NIL;
	foreach(lc, parts)
		*names = lappend(*names, makeString(lfirst(lc)));
	return true;
}

/* All columns of all rows of a relation. */
static const char *
select_from(Oid relid)
{
	return psprintf("SELECT * FROM %s",
					quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid)));
}

/* Raise what is wrong with a query, with the node's path. */
static void
check_query(const JsonNode *node, const char *query)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		prepare_query(node, query);
	}
	PG_CATCH();
	{
		sigma_document_rethrow(node, caller);
	}
	PG_END_TRY();
}

/* Parse and analyse it: one statement that reads and returns rows. */
static void
prepare_query(const JsonNode *node, const char *query)
{
	static const char hint[] = "Rows come from one SELECT, VALUES or TABLE, which writes nothing.";
	SPIPlanPtr	plan;
	List	   *sources;
	CachedPlanSource *source;

	/* before anything else: reading a literal may run functions already */
	sigma_row_query_check(query);
	SPI_connect();
	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL)
		sigma_document_error(node, ERRCODE_FEATURE_NOT_SUPPORTED, hint, "the rows cannot come from this statement");
	sources = SPI_plan_get_plan_sources(plan);
	source = list_length(sources) == 1 ? linitial(sources) : NULL;
	if (source == NULL || source->commandTag != CMDTAG_SELECT || source->resultDesc == NULL ||
		list_length(source->query_list) != 1 || linitial_node(Query, source->query_list)->hasModifyingCTE)
		sigma_document_error(node, ERRCODE_FEATURE_NOT_SUPPORTED, hint, "the rows cannot come from this statement");
	SPI_finish();
}

/* All columns of the rows of an input table that the current role is shown. */
static char *
table_query(const char *table)
{
	Oid			shown = sigma_shown_oid(table);
	StringInfoData sql;
	FormulaRelation *relation;
	int			i;

	if (shown != sigma_data_table_oid(table))
		return unconstify(char *, select_from(shown));
	relation = sigma_formula_relation(shown);
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT s.*");
	for (i = 0; i < relation->ncolumns; i++)
		if (relation->columns[i].formula != NULL)
			appendStringInfo(&sql, ", %s AS %s", sigma_formula_column_sql(relation, "s", &relation->columns[i])->sql,
							 quote_identifier(relation->columns[i].name));
	appendStringInfo(&sql, " FROM %s AS s", relation->from);
	return sql.data;
}

/* See row_source.h. */
int64
sigma_row_source_read(RowSource *source, int64 most, Tuplestorestate **rows, TupleDesc *desc)
{
	MemoryContext cxt = CurrentMemoryContext;
	DestReceiver *dest = CreateDestReceiver(DestTuplestore);
	SPIExecuteOptions options = {0};
	int			code;

	sigma_trust_lock(source->locks);
	if (source->plan != NULL && source->generation != sigma_formula_generation())
		free_plan(source);
	if (source->plan == NULL)
	{
		uint64		generation = sigma_formula_generation();

		source->plan = make_plan(source);
		source->generation = generation;
	}
	*desc = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(*desc, 1, "row", JSONBOID, -1, 0);
	*rows = tuplestore_begin_heap(false, false, work_mem);
	SetTuplestoreDestReceiverParams(dest, *rows, cxt, false, NULL, NULL);
	options.dest = dest;
	options.tcount = (uint64) most + 1;
	code = SPI_execute_plan_extended(source->plan, &options);
	MemoryContextSwitchTo(cxt);
	if (code != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan_extended returned %s", SPI_result_code_string(code));
	dest->rDestroy(dest);
	return (int64) SPI_processed;
}

/* See row_source.h. */
FormulaRelation *
sigma_row_source_relation(const RowSource *source, bool shown)
{
	FormulaRelation *relation;
	SPIPlanPtr	plan;
	TupleDesc	desc;
	MemoryContext cxt = CurrentMemoryContext;
	int			i;

	if (source->name != NULL)
	{
		relation = sigma_formula_find_table(source->name);
		if (relation == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_SIGMA_NOT_FOUND),
					 errmsg("\"%s\" is neither an input table nor a relation", source->name)));
		return shown ? sigma_formula_shown(source->name, relation) : relation;
	}
	sigma_row_query_check(source->query);
	SPI_connect();
	plan = SPI_prepare(source->query, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	desc = ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->resultDesc;
	MemoryContextSwitchTo(cxt);
	relation = palloc0(sizeof(FormulaRelation));
	relation->name = "source";
	/* the line end closes a comment at the end of the query */
	relation->from = psprintf("(%s\n)", source->query);
	relation->columns = palloc0(sizeof(FormulaColumn) * (desc->natts + 1));
	for (i = 0; i < desc->natts; i++)
	{
		FormulaColumn *column = &relation->columns[relation->ncolumns++];

		column->name = pstrdup(NameStr(TupleDescAttr(desc, i)->attname));
		column->attribute = pstrdup(quote_identifier(column->name));
		column->before = column->after = "";
		sigma_formula_type_form(column, TupleDescAttr(desc, i)->atttypid);
	}
	SPI_finish();
	return relation;
}

/* See row_source.h. */
const char *
sigma_row_source_query(const RowSource *source)
{
	if (source->table != NULL)
		return table_query(source->table);
	if (source->name == NULL)
		sigma_row_query_check(source->query);
	return source->query;
}

/* A kept plan of the rows as arrays of one object each. */
static SPIPlanPtr
make_plan(RowSource *source)
{
	/* the line end closes a comment at the end of the query; no column has the alias as its name */
	SPIPlanPtr	plan;
	List	   *locks;

	plan = SPI_prepare(psprintf("SELECT pg_catalog.jsonb_build_array(pg_catalog.to_jsonb(\"sigma row\")) FROM (%s\n) AS \"sigma row\"",
								sigma_row_source_query(source)), 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	locks = sigma_trust_check_plan(plan);
	SPI_keepplan(plan);
	list_free(source->locks);
	source->locks = sigma_trust_keep(locks, GetMemoryChunkContext(source));
	return plan;
}

/* The source goes with its sequence. */
static void
free_plan(void *arg)
{
	RowSource  *source = arg;

	if (source->plan != NULL)
		SPI_freeplan(source->plan);
	source->plan = NULL;
}
