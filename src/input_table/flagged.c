/*
 * flagged.c
 *		Rows that break rules: those that are there, and those that a new rule would find.
 *
 * Rows are read as the caller: by his rights on columns, under row security, through
 * a cursor, one bunch at a time.  A rule that reads a column that the caller may not
 * read is left out by sigma.flagged; sigma.rule_impact raises 42501 for it.
 *
 * A RowScan holds an open SPI connection from begin to end; what it keeps lives in
 * the context that was current before.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "common/argument.h"
#include "common/catalog.h"
#include "common/document.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "common/names.h"
#include "compat.h"
#include "formula/trust.h"
#include "input_table/flagged.h"
#include "input_table/define.h"
#include "input_table/objects.h"
#include "input_table/rules.h"

#define SCAN_ROWS		1000	/* fetched at a time */

/* Attributes of a fetched row, before its columns. */
#define SCAN_ROW_ID		0
#define SCAN_COLUMNS	1

/* The rows of a table as the caller sees them, held against rules. */
typedef struct RowScan
{
	const InputTable *table;	/* whose rules they are held against */
	bool		duplicates;		/* unique rules too, for which there is no index */
	FormulaRun *formulas;		/* or NULL */
	int			ncolumn;		/* columns that are fetched ... */
	int		   *columns;		/* ... by place in table->columns */
	bool	   *known;			/* by place: it is fetched */
	Portal		portal;
	SPITupleTable *fetched;
	uint64		count;			/* of fetched rows */
	uint64		next;
	MemoryContext row_cxt;		/* failures of the current row */
	int64		row_id;			/* of the current row; 0 where the caller may not read it */
	Datum	   *values;			/* by place */
	bool	   *nulls;
	Datum	   *attributes;		/* as fetched */
	bool	   *attribute_nulls;
} RowScan;

PG_FUNCTION_INFO_V1(flagged);
PG_FUNCTION_INFO_V1(rule_impact);

static RowScan *begin_scan(const InputTable *table, bool all, bool duplicates);
static void need_columns(RowScan *scan, bool all);
static char *scan_sql(const RowScan *scan);
static bool next_row(RowScan *scan);
static List *row_failures(RowScan *scan);
static void add_duplicates(RowScan *scan, List **failures);
static void end_scan(RowScan *scan);
static void check_may_select(const InputTable *table);
static Jsonb *key_of_row(const RowScan *scan);
static void put_failure(ReturnSetInfo *result, const RowScan *scan, const Failure *failure);
static int	positive_argument(FunctionCallInfo fcinfo, int argument, const char *name, int least);
static InputTable *hypothetical_table(const char *id, Oid relid, JsonNode *rule, const char *column);
static JsonNode *strip_rules(JsonNode *definition);
static JsonNode *read_row_rule(JsonNode *rule);
static void measure(const InputTable *table, int sample_size, int64 *checked, int64 *failing, Jsonb **samples);

/* ------------------------------------------------------------------------
 * SQL functions
 * ------------------------------------------------------------------------ */

/*
 * flagged(table_id text, max_failures int)
 *		returns table(row_id bigint, key jsonb, "column" text, rule text, severity text, value text, message text)
 *
 * Failures of the rows that are there, by row id.  SG404, 42501 for who may read no column.
 */
Datum
flagged(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			most = positive_argument(fcinfo, 1, "max_failures", 1);
	const InputTable *table;
	RowScan    *scan;
	int			found = 0;

	InitMaterializedSRF(fcinfo, 0);
	table = sigma_input_table_by_id(sigma_text_argument(fcinfo, 0, "table_id"));
	scan = begin_scan(table, false, false);
	while (found < most && next_row(scan))
	{
		ListCell   *lc;

		foreach(lc, row_failures(scan))
		{
			if (found++ == most)
				break;
			put_failure(result, scan, lfirst(lc));
		}
	}
	end_scan(scan);
	return (Datum) 0;
}

/* How many rows sigma.flagged would tell of, as far as the caller may read. */
int64
sigma_flagged_count(const InputTable *table)
{
	RowScan    *scan = begin_scan(table, false, false);
	int64		rows = 0;

	while (next_row(scan))
		if (row_failures(scan) != NIL)
			rows++;
	end_scan(scan);
	return rows;
}

/*
 * rule_impact(table_id text, rule jsonb, column_name text, sample_size int)
 *		returns table(checked bigint, failing bigint, samples jsonb)
 *
 * What a rule of the column, or of the row (null), would find.  Raises what saving the
 * rule would raise, with paths in the rule; SG404, 42703, 42501.
 */
Datum
rule_impact(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			sample_size = positive_argument(fcinfo, 3, "sample_size", 0);
	const InputTable *table;
	const char *column = NULL;
	JsonNode   *rule;
	Jsonb	   *samples;
	int64		checked;
	int64		failing;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"%s\" must not be null", PG_ARGISNULL(0) ? "table_id" : "rule")));
	InitMaterializedSRF(fcinfo, 0);
	table = sigma_input_table_by_id(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	check_may_select(table);
	rule = sigma_json_read(PG_GETARG_JSONB_P(1));
	if (!PG_ARGISNULL(2))
	{
		char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(2));
		const TableColumn *found = sigma_table_column(table, name);

		if (found == NULL)
			sigma_column_not_found(table, name);
		column = found->name;
	}
	measure(hypothetical_table(table->id, table->relid, rule, column), sample_size, &checked, &failing, &samples);

	values[0] = Int64GetDatum(checked);
	values[1] = Int64GetDatum(failing);
	values[2] = JsonbPGetDatum(samples);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return (Datum) 0;
}

/* An int argument; 22004 and 22023. */
static int
positive_argument(FunctionCallInfo fcinfo, int argument, const char *name, int least)
{
	int			value;

	sigma_require_argument(fcinfo, argument, name);
	value = PG_GETARG_INT32(argument);
	if (value < least)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be at least %d", name, least)));
	return value;
}

/* One failure as a row of sigma.flagged. */
static void
put_failure(ReturnSetInfo *result, const RowScan *scan, const Failure *failure)
{
	Datum		values[7];
	bool		nulls[7] = {false};

	/* the rows of a linked table are known by their keys */
	nulls[0] = scan->row_id == 0 || scan->table->nlinked > 0;
	values[0] = nulls[0] ? (Datum) 0 : Int64GetDatum(scan->row_id);
	nulls[1] = scan->table->nlinked == 0;
	values[1] = nulls[1] ? (Datum) 0 : JsonbPGetDatum(key_of_row(scan));
	nulls[2] = failure->column == NULL;
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(failure->column);
	values[3] = CStringGetTextDatum(failure->rule);
	values[4] = CStringGetTextDatum(failure->warning ? "warn" : "error");
	nulls[5] = failure->value == NULL;
	values[5] = nulls[5] ? (Datum) 0 : CStringGetTextDatum(failure->value);
	values[6] = CStringGetTextDatum(failure->message);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The key of the current row of a linked table, {column: value}, as far as the caller may read it. */
static Jsonb *
key_of_row(const RowScan *scan)
{
	const InputTable *table = scan->table;
	JsonbParseState *state = NULL;
	int			i;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = table->ncolumn - table->nlinked; i < table->ncolumn; i++)
	{
		JsonbValue	value;

		if (!scan->known[i])
			continue;
		sigma_value_to_json(table->columns[i].type, scan->values[i], scan->nulls[i], &value);
		sigma_push_value(&state, table->columns[i].name, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* ------------------------------------------------------------------------
 * A rule that is not there yet
 * ------------------------------------------------------------------------ */

/*
 * The input table as if it had this rule and no other, compiled in the current context.
 * Raises what saving the rule would.
 */
static InputTable *
hypothetical_table(const char *id, Oid relid, JsonNode *rule, const char *column)
{
	JsonNode   *definition = sigma_catalog_read(DOCUMENT_INPUT_TABLE, id);
	JsonNode   *holder;

	if (definition == NULL)
		sigma_catalog_not_found(DOCUMENT_INPUT_TABLE, id);
	definition = strip_rules(definition);
	if (rule->kind != JSON_OBJECT)
		sigma_document_error(rule, 0, NULL, "a rule must be an object, not %s", sigma_json_kind_name(rule));
	if (column == NULL)
	{
		holder = sigma_json_new(JSON_ARRAY, NULL);
		sigma_json_append(holder, read_row_rule(rule));
		sigma_json_set(definition, "row_rules", holder);
	}
	else
	{
		holder = sigma_json_new(JSON_OBJECT, NULL);
		sigma_json_set(holder, column, sigma_document_normalise(DOCUMENT_RULE, rule, 0));
		sigma_json_set(definition, "validation_rules", holder);
	}
	sigma_formulas_qualify(DOCUMENT_INPUT_TABLE, definition);
	sigma_table_check_definition(definition);
	sigma_list_rules_check(definition, NULL);
	return sigma_input_table_compile(definition, relid);
}

/* A stored definition without any rule, in place. */
static JsonNode *
strip_rules(JsonNode *definition)
{
	static const char *const rules[] = {"validation", "required", "unique"};
	JsonNode   *columns = sigma_json_get(definition, "columns");
	int			i;
	int			j;

	(void) sigma_json_remove(definition, "validation_rules");
	(void) sigma_json_remove(definition, "row_rules");
	for (i = 0; columns != NULL && columns->kind == JSON_ARRAY && i < columns->count; i++)
		for (j = 0; j < lengthof(rules); j++)
			(void) sigma_json_remove(columns->items[i], rules[j]);
	return definition;
}

/* A row rule in its canonical form; its path stays that of the argument. */
static JsonNode *
read_row_rule(JsonNode *rule)
{
	JsonNode   *document = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *rules = sigma_json_new(JSON_ARRAY, NULL);

	sigma_json_append(rules, rule);
	sigma_json_set(document, "row_rules", rules);
	document = sigma_document_normalise(DOCUMENT_INPUT_TABLE, document, DOCUMENT_CHANGES);
	return sigma_json_get(document, "row_rules")->items[0];
}

/* Hold all rows against the rules of a table; samples: at most so many failures, as documents. */
static void
measure(const InputTable *table, int sample_size, int64 *checked, int64 *failing, Jsonb **samples)
{
	MemoryContext caller = CurrentMemoryContext;
	RowScan    *scan;
	JsonbParseState *state = NULL;
	int			sampled = 0;

	*checked = *failing = 0;
	/* before the scan connects to SPI: the samples outlive that */
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	scan = begin_scan(table, true, true);
	while (next_row(scan))
	{
		List	   *failures = row_failures(scan);
		ListCell   *lc;

		(*checked)++;
		if (failures == NIL)
			continue;
		(*failing)++;
		MemoryContextSwitchTo(caller);
		foreach(lc, failures)
		{
			Failure		failure = *(const Failure *) lfirst(lc);

			if (sampled == sample_size)
				break;
			sampled++;
			failure.row_id = scan->row_id;
			if (failure.value != NULL)
				failure.value = pstrdup(failure.value);
			failure.message = pstrdup(failure.message);
			sigma_failure_push(&state, table, &failure, true);
		}
	}
	end_scan(scan);
	MemoryContextSwitchTo(caller);
	*samples = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* ------------------------------------------------------------------------
 * Scans
 * ------------------------------------------------------------------------ */

/*
 * Begin to read the rows of the table.  "all": every column that a rule reads, or 42501;
 * else those that the caller may read.  "duplicates": unique rules count too.
 */
static RowScan *
begin_scan(const InputTable *table, bool all, bool duplicates)
{
	RowScan    *scan = palloc0(sizeof(RowScan));
	int			attributes;

	check_may_select(table);
	scan->table = table;
	scan->duplicates = duplicates;
	scan->formulas = sigma_formula_run_begin(table, false);
	/* a list that is gone says nothing about the rows that are there; who asks about one rule is told */
	if (!all && scan->formulas != NULL && sigma_formula_run_lists(scan->formulas) != NULL)
		(void) sigma_list_problems(table, sigma_formula_run_lists(scan->formulas));
	scan->values = palloc0(sizeof(Datum) * Max(table->ncolumn, 1));
	scan->nulls = palloc(sizeof(bool) * Max(table->ncolumn, 1));
	memset(scan->nulls, true, sizeof(bool) * table->ncolumn);
	need_columns(scan, all);
	attributes = SCAN_COLUMNS + scan->ncolumn + 3 * table->nkey;
	scan->attributes = palloc(sizeof(Datum) * attributes);
	scan->attribute_nulls = palloc(sizeof(bool) * attributes);
	scan->row_cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma scanned row", ALLOCSET_DEFAULT_SIZES);
	if (scan->ncolumn > 0 || all)
	{
		char	   *sql = scan_sql(scan);

		SPI_connect();
		scan->portal = SPI_cursor_open(NULL, sigma_trust_prepare(sql, 0, NULL), NULL, NULL, true);
	}
	return scan;
}

/* Which columns are fetched: those that rules read. */
static void
need_columns(RowScan *scan, bool all)
{
	const InputTable *table = scan->table;
	bool	   *needed = palloc0(sizeof(bool) * Max(table->ncolumn, 1));
	bool	   *any = palloc(sizeof(bool) * Max(table->ncolumn, 1));
	int			i;

	memset(any, true, sizeof(bool) * table->ncolumn);
	sigma_formula_rules_need(table, any, needed);
	scan->columns = palloc(sizeof(int) * Max(table->ncolumn, 1));
	scan->known = palloc0(sizeof(bool) * Max(table->ncolumn, 1));
	for (i = 0; i < table->ncolumn; i++)
	{
		const TableColumn *column = &table->columns[i];

		if (!AttributeNumberIsValid(column->attnum) ||
			!(needed[i] || i >= table->ncolumn - table->nlinked || column->ncheck > 0 || column->required || (scan->duplicates && column->in_key)) ||
			!(all || sigma_may_select(table, column->attnum)))
			continue;
		scan->known[i] = true;
		scan->columns[scan->ncolumn++] = i;
	}
}

/* The row id, the columns, and of each unique rule how many rows share its values, and the first and last of them. */
static char *
scan_sql(const RowScan *scan)
{
	const InputTable *table = scan->table;
	bool		has_id = AttributeNumberIsValid(table->row_id) && sigma_may_select(table, table->row_id);
	StringInfoData sql;
	int			i;
	int			j;

	initStringInfo(&sql);
	appendStringInfoString(&sql, has_id ? "SELECT t.sigma_row_id" : "SELECT NULL::pg_catalog.int8");
	for (i = 0; i < scan->ncolumn; i++)
		appendStringInfo(&sql, ", t.%s", quote_identifier(table->columns[scan->columns[i]].name));
	for (i = 0; scan->duplicates && i < table->nkey; i++)
		appendStringInfo(&sql, has_id ? ", pg_catalog.count(*) OVER w%d, pg_catalog.min(t.sigma_row_id) OVER w%d, pg_catalog.max(t.sigma_row_id) OVER w%d" :
						 ", pg_catalog.count(*) OVER w%d, NULL::pg_catalog.int8, NULL::pg_catalog.int8", i, i, i);
	appendStringInfo(&sql, " FROM ONLY %s AS t",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(table->relid)),
												get_rel_name(table->relid)));
	for (i = 0; scan->duplicates && i < table->nkey; i++)
	{
		const UniqueKey *key = &table->keys[i];

		appendStringInfo(&sql, "%s w%d AS (PARTITION BY ", i == 0 ? " WINDOW" : ",", i);
		for (j = 0; j < key->ncolumn; j++)
			appendStringInfo(&sql, sigma_key_folds(table, key, j) ? "%spg_catalog.lower(t.%s)" : "%st.%s", j == 0 ? "" : ", ",
							 quote_identifier(table->columns[key->columns[j]].name));
		appendStringInfoChar(&sql, ')');
	}
	if (has_id)
		appendStringInfoString(&sql, " ORDER BY t.sigma_row_id");
	return sql.data;
}

/* The next row; false at the end. */
static bool
next_row(RowScan *scan)
{
	int			i;

	CHECK_FOR_INTERRUPTS();
	if (scan->portal == NULL)
		return false;
	if (scan->next == scan->count)
	{
		if (scan->fetched != NULL)
			SPI_freetuptable(scan->fetched);
		SPI_cursor_fetch(scan->portal, true, SCAN_ROWS);
		scan->fetched = SPI_tuptable;
		scan->count = SPI_processed;
		scan->next = 0;
		if (scan->count == 0)
			return false;
	}
	heap_deform_tuple(scan->fetched->vals[scan->next++], scan->fetched->tupdesc, scan->attributes, scan->attribute_nulls);
	scan->row_id = scan->attribute_nulls[SCAN_ROW_ID] ? 0 : DatumGetInt64(scan->attributes[SCAN_ROW_ID]);
	for (i = 0; i < scan->ncolumn; i++)
	{
		scan->values[scan->columns[i]] = scan->attributes[SCAN_COLUMNS + i];
		scan->nulls[scan->columns[i]] = scan->attribute_nulls[SCAN_COLUMNS + i];
	}
	return true;
}

/* The failures of the current row, warnings too, good until the next call. */
static List *
row_failures(RowScan *scan)
{
	MemoryContext caller;
	List	   *failures = NIL;

	MemoryContextReset(scan->row_cxt);
	caller = MemoryContextSwitchTo(scan->row_cxt);
	sigma_row_failures(scan->table, scan->formulas, scan->values, scan->nulls, scan->known, &failures);
	if (scan->duplicates)
		add_duplicates(scan, &failures);
	MemoryContextSwitchTo(caller);
	return failures;
}

/* Unique rules whose values the row shares with others; NULLs are shared by nobody. */
static void
add_duplicates(RowScan *scan, List **failures)
{
	const InputTable *table = scan->table;
	Datum		values[INDEX_MAX_KEYS];
	int			i;

	for (i = 0; i < table->nkey; i++)
	{
		const UniqueKey *key = &table->keys[i];
		int			at = SCAN_COLUMNS + scan->ncolumn + 3 * i;
		Failure    *failure;

		if (!sigma_key_values(key, scan->values, scan->nulls, values) ||
			(DatumGetInt64(scan->attributes[at]) == 1 && sigma_key_fits(table, key, values)))
			continue;
		failure = sigma_unique_failure(table, key, values);
		if (!scan->attribute_nulls[at + 1] && DatumGetInt64(scan->attributes[at]) > 1)
			failure->conflicts_with = DatumGetInt64(scan->attributes[at + 1]) != scan->row_id ?
				DatumGetInt64(scan->attributes[at + 1]) : DatumGetInt64(scan->attributes[at + 2]);
		*failures = lappend(*failures, failure);
	}
}

/* End the scan, and its SPI connection. */
static void
end_scan(RowScan *scan)
{
	if (scan->portal == NULL)
		return;
	SPI_cursor_close(scan->portal);
	SPI_finish();
}

/* 42501 unless the caller may read something of the table. */
static void
check_may_select(const InputTable *table)
{
	AclResult	result = sigma_namespace_aclcheck(get_rel_namespace(table->relid), GetUserId(), ACL_USAGE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_SCHEMA, get_namespace_name(get_rel_namespace(table->relid)));
	if (pg_class_aclcheck(table->relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(table->relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(table->relid));
}
