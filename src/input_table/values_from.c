/*
 * values_from.c
 *		Rules whose allowed values stand in a column of another table.
 *
 * A value is looked up as PostgreSQL does for foreign keys: by a fixed text with the
 * value bound, as the owner of the list's relation, with FOR KEY SHARE where it is a
 * table.  So who writes needs no right on the list; who made the rule had the right
 * to select what it reads.  The value was there, committed, when the row was written,
 * and a DELETE of its row waits for the writer; what becomes of it later does not
 * touch rows that have it.
 *
 * A list may be a view, and read others: what its owner has no reason to trust is not run
 * as him (formula/trust_plan.c).
 *
 * A filter is part of that text and runs as that owner: it may call no functions of
 * the database (CallText and its like), only what formulas are made of.
 *
 * Plans are made when the first value is looked up after a change of any relation and
 * live with the compiled table: a list that is gone hinders only who writes a value
 * that would have to be in it.  What was found is remembered for the rest of the statement.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "common/attempt.h"
#include "common/catalog.h"
#include "common/document.h"
#include "common/names.h"
#include "common/spi.h"
#include "formula/trust.h"
#include "input_table/computed.h"
#include "input_table/define.h"
#include "input_table/rules.h"

/*
 * What a view calls runs as the view's owner, and can leave nothing behind that would
 * run as the writer: no temporary table with a deferred trigger, no setting.
 */
#define LOOK_UP_CONTEXT	(SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS)

#define REMEMBERED		256		/* values of one rule in one statement */

/* What helps where a list is gone after its rule was made. */
#define MEND_LIST	"Give the column another validation, or null, with sigma.alter_column."

/* A rule "values_from". */
struct ListRule
{
	int			column;			/* place in table->columns */
	ColumnType	type;			/* of a value that is looked up: of a multi-select's elements, text */
	const char *table;			/* an input table's id, or a qualified relation */
	const char *list;			/* its column */
	const char *filter;			/* or NULL */
	const char *path;			/* where the rule stands in the definition */
	const char *filter_path;
	const char *message;
	bool		own_message;
	bool		warning;		/* severity warn */
	uint64		generation;		/* of relations, when the plan was made */
	List	   *locks;			/* relations that are locked before that is compared */
	SPIPlanPtr	plans[2];		/* without and with a lock; NULL: not made yet, or there is no lock */
	int			running;		/* look-ups under way: what a list that is a view calls may write rows */
	Oid			relid;
	Oid			parameter;		/* its type */
	MemoryContext cxt;			/* that the rule lives in */
	MemoryContextCallback release;
};

/* A value that is in the list. */
typedef struct KnownValue
{
	bool		used;
	Datum		value;
} KnownValue;

/* The list rules of a table for the rows of one statement. */
struct ListRun
{
	const InputTable *table;
	bool		locking;
	MemoryContext cxt;
	KnownValue **known;			/* by place in table->lists */
	bool	   *skipped;		/* likewise: the rule passes every value; NULL: none does */
};

/* How a rule looks values up. */
typedef struct Probe
{
	Oid			relid;
	Oid			parameter;
	const char *column;			/* as the list calls it */
	char	   *sql;			/* without a lock */
	char	   *reads;			/* a query that selects the same columns */
	bool		lockable;
} Probe;

static void release_plans(void *arg);
static void prepare(ListRule *rule);
static const char *column_hint(const FormulaRelation *list, const char *name);
static Probe *make_probe(const ListRule *rule, bool saving);
static FormulaRelation *find_list(const ListRule *rule, bool saving);
static Oid	parameter_type(const ListRule *rule, const FormulaSql *list);
static bool in_list(ListRun *run, int i, Datum value);
static bool convert(const ListRule *rule, Datum value, Datum *result);
static bool look_up(ListRule *rule, bool locking, Datum value, bool isnull);
static bool all_in_list(ListRun *run, int i, Datum value);
static void check_rule(const ListRule *rule, const JsonNode *node);
static const char *problem_of(ListRule *rule);
static void attempt_prepare(void *arg);
static bool has_index(Oid relid, const char *column);

/* ------------------------------------------------------------------------
 * Compiling
 * ------------------------------------------------------------------------ */

/* Add the rule "node" of the column at that place.  Everything is copied into the current context. */
void
sigma_list_rule_add(InputTable *table, int column, JsonNode *node, const char *message, bool warning)
{
	const TableColumn *of = &table->columns[column];
	JsonNode   *filter = sigma_json_get(node, "filter");
	ListRule   *rule;

	if (node->kind != JSON_OBJECT)	/* stored past the triggers */
		sigma_document_error(node, 0, NULL, "\"values_from\" must be an object, not %s", sigma_json_kind_name(node));
	if (of->type == COLUMN_CHECKBOX || of->type == COLUMN_JSON || of->type == COLUMN_FILE)
		sigma_document_error(node, 0, "It suits text, dropdown, multi-select, number, integer, float, date and datetime columns.",
							 "rule \"values_from\" does not suit column \"%s\" of type %s", of->name,
							 sigma_column_types[of->type].name);
	rule = palloc0(sizeof(ListRule));
	table->lists = table->nlist == 0 ? palloc(sizeof(ListRule *)) :
		repalloc(table->lists, sizeof(ListRule *) * (table->nlist + 1));
	table->lists[table->nlist++] = rule;
	rule->cxt = CurrentMemoryContext;
	rule->column = column;
	rule->type = of->type == COLUMN_MULTI_SELECT || of->type == COLUMN_DROPDOWN ? COLUMN_TEXT : of->type;
	rule->table = pstrdup(sigma_json_get_string(node, "table", ""));
	rule->list = pstrdup(sigma_json_get_string(node, "column", ""));
	rule->path = pstrdup(sigma_json_path(node));
	if (filter != NULL && filter->kind == JSON_STRING)
	{
		rule->filter = pstrdup(filter->string);
		rule->filter_path = pstrdup(sigma_json_path(filter));
	}
	rule->warning = warning;
	rule->own_message = message != NULL;
	rule->message = message != NULL ? pstrdup(message) :
		of->type == COLUMN_MULTI_SELECT ? psprintf("must hold only values of \"%s\"", rule->list) :
		psprintf("must be a value of \"%s\"", rule->list);
	rule->release.func = release_plans;
	rule->release.arg = rule;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &rule->release);
}

/* The compiled table goes, and its plans with it. */
static void
release_plans(void *arg)
{
	ListRule   *rule = arg;
	int			i;

	for (i = 0; i < lengthof(rule->plans); i++)
	{
		if (rule->plans[i] != NULL)
			SPI_freeplan(rule->plans[i]);
		rule->plans[i] = NULL;
	}
}

/* Plan the lookups of a rule, as the owner of the list; 42P01 and others where the list is not what it was. */
static void
prepare(ListRule *rule)
{
	MemoryContext caller = CurrentMemoryContext;
	uint64		generation;
	Probe	   *probe;
	OwnerScope	scope;
	SPIPlanPtr	plan;
	List	   *locks;

	sigma_trust_lock(rule->locks);
	generation = sigma_formula_generation();
	if (rule->plans[0] != NULL && (rule->generation == generation || rule->running > 0))
		return;
	release_plans(rule);
	PG_TRY();
	{
		probe = make_probe(rule, false);
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		sigma_owner_begin(&scope, sigma_relation_owner(probe->relid));
		SetUserIdAndSecContext(GetUserId(), scope.context | LOOK_UP_CONTEXT);
		plan = SPI_prepare(psprintf("%s LIMIT 1", probe->sql), 1, &probe->parameter);
		if (plan == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		locks = sigma_trust_check_plan(plan);
		SPI_keepplan(plan);
		rule->plans[0] = plan;
		list_free(rule->locks);
		rule->locks = sigma_trust_keep(locks, rule->cxt);
		if (probe->lockable)
		{
			plan = SPI_prepare(psprintf("%s LIMIT 1 FOR KEY SHARE OF l", probe->sql), 1, &probe->parameter);
			if (plan == NULL)
				elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
			SPI_keepplan(plan);
			rule->plans[1] = plan;
		}
		sigma_owner_end(&scope);
		SPI_finish();
	}
	PG_CATCH();
	{
		sigma_document_rethrow_at(rule->path, NULL, caller);
	}
	PG_END_TRY();
	rule->relid = probe->relid;
	rule->parameter = probe->parameter;
	rule->generation = generation;
}

/* A hint for a column that the list does not have. */
static const char *
column_hint(const FormulaRelation *list, const char *name)
{
	const char **names = palloc(sizeof(char *) * (list->ncolumns + 1));
	int			i;

	for (i = 0; i < list->ncolumns; i++)
		names[i] = list->columns[i].name;
	names[i] = NULL;
	return sigma_hint_names(name, names);
}

/* How values are looked up; raises what is wrong with table, column or filter. */
static Probe *
make_probe(const ListRule *rule, bool saving)
{
	FormulaRelation *list = find_list(rule, saving);
	FormulaColumn *column = sigma_formula_column(list, rule->list);
	Probe	   *probe = palloc0(sizeof(Probe));
	FormulaScope scope = {0};
	FormulaNode reference = {.kind = FORMULA_REFERENCE};
	FormulaSql *value;
	char	   *filter = "true";
	char		relkind = get_rel_relkind(list->relid);

	if (column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the list \"%s\" has no column \"%s\"", rule->table, rule->list),
				 saving ? errhint("%s", column_hint(list, rule->list)) : errhint(MEND_LIST)));
	scope.place = "a filter of a list";
	scope.row = list;
	scope.alias = "l";
	scope.stored = true;
	scope.saving = saving;
	reference.text = column->name;
	value = sigma_formula_compile_at(rule->path, sigma_formula_print(&reference), &scope, TYPE_ANY);
	probe->relid = list->relid;
	probe->parameter = parameter_type(rule, value);
	probe->column = column->name;
	if (rule->filter != NULL)
		filter = sigma_formula_compile_at(rule->filter_path, rule->filter, &scope, TYPE_LOGICAL)->sql;
	probe->sql = psprintf("SELECT 1 FROM %s AS l WHERE (%s OPERATOR(pg_catalog.=) $1) AND %s", list->from, value->sql,
						  filter);
	probe->reads = psprintf("SELECT %s FROM %s AS l WHERE %s", value->sql, list->from, filter);
	probe->lockable = relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE;
	return probe;
}

/* The relation of a list, as it is now: an input table's rows are those of its data table. */
static FormulaRelation *
find_list(const ListRule *rule, bool saving)
{
	FormulaRelation *list = NULL;

	if (sigma_catalog_exists(DOCUMENT_INPUT_TABLE, rule->table))
	{
		Oid			relid = sigma_data_table_oid(rule->table);

		if (OidIsValid(relid))
			list = sigma_formula_relation(relid);
	}
	else
	{
		List	   *names = NIL;
		Oid			namespace = InvalidOid;
		Oid			relid = InvalidOid;

		/* it is stored with its schema, which the writer need not be allowed to use */
		if (SplitIdentifierString(pstrdup(rule->table), '.', &names) && list_length(names) == 2)
			namespace = get_namespace_oid(linitial(names), true);
		if (OidIsValid(namespace))
			relid = get_relname_relid(lsecond(names), namespace);
		if (OidIsValid(relid))
			list = sigma_formula_relation(relid);
	}
	if (list == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the list \"%s\" does not exist", rule->table),
				 !saving ? errhint(MEND_LIST) :
				 errhint("%s", sigma_catalog_nearest(DOCUMENT_INPUT_TABLE, rule->table) != NULL ?
						 sigma_catalog_nearest(DOCUMENT_INPUT_TABLE, rule->table) : "Name an input table by its id, or a relation.")));
	return list;
}

/* As what a value is bound, so that an index of the list can find it; 42804 where the list holds other kinds of values. */
static Oid
parameter_type(const ListRule *rule, const FormulaSql *list)
{
	SqlForm		form = sigma_column_form(rule->type);

	if (sigma_sql_form_kind(form) != list->type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the list \"%s\" holds %s, not %s", rule->list, rule->table,
						sigma_formula_type_name(list->type), sigma_formula_type_name(sigma_sql_form_kind(form)))));
	switch (list->form)
	{
		case SQL_INT4:
			return INT8OID;
		case SQL_DATE:
			return TIMESTAMPOID;
		default:
			return sigma_sql_form_oid(list->form);
	}
}

/* ------------------------------------------------------------------------
 * Looking up
 * ------------------------------------------------------------------------ */

/*
 * The list rules of a table ready for one statement, in the current context; NULL
 * where it has none.  "locking": what is found is kept from being deleted until
 * transaction end.
 */
ListRun *
sigma_list_run_begin(const InputTable *table, bool locking)
{
	ListRun    *run;
	int			i;

	if (table->nlist == 0)
		return NULL;
	run = palloc0(sizeof(ListRun));
	run->table = table;
	run->locking = locking;
	run->cxt = CurrentMemoryContext;
	run->known = palloc(sizeof(KnownValue *) * table->nlist);
	for (i = 0; i < table->nlist; i++)
		run->known[i] = palloc0(sizeof(KnownValue) * REMEMBERED);
	return run;
}

/*
 * Which of the table's lists cannot be looked at: a List of texts that say so.  With a run
 * (may be NULL) their rules pass every value in it, for who just looks at rows.
 */
List *
sigma_list_problems(const InputTable *table, ListRun *run)
{
	List	   *problems = NIL;
	int			i;

	for (i = 0; i < table->nlist; i++)
	{
		const char *problem = problem_of(table->lists[i]);

		if (problem == NULL)
			continue;
		problems = lappend(problems, psprintf("rule \"values_from\" of column \"%s\" cannot be checked: %s",
											  table->columns[table->lists[i]->column].name, problem));
		if (run == NULL)
			continue;
		if (run->skipped == NULL)
			run->skipped = MemoryContextAllocZero(run->cxt, sizeof(bool) * table->nlist);
		run->skipped[i] = true;
	}
	return problems;
}

/* What is wrong with a rule's list, in the current context, or NULL.  What is not the list's fault is raised. */
static const char *
problem_of(ListRule *rule)
{
	ErrorData  *error = sigma_attempt(attempt_prepare, rule);

	if (error == NULL)
		return NULL;
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION)
		ReThrowError(error);
	return error->message;
}

/* Prepare a rule, as work that may fail. */
static void
attempt_prepare(void *arg)
{
	prepare(arg);
}

/* Has one of the list rules severity warn? */
bool
sigma_list_rules_warn(const InputTable *table)
{
	int			i;

	for (i = 0; i < table->nlist; i++)
		if (table->lists[i]->warning)
			return true;
	return false;
}

/* Adds the columns whose lists a change of them makes to be looked at to "needed". */
void
sigma_list_rules_need(const InputTable *table, const bool *changed, bool *needed)
{
	int			i;

	for (i = 0; i < table->nlist; i++)
		if (changed[table->lists[i]->column])
			needed[table->lists[i]->column] = true;
}

/* Does the value of a column pass all lists that would reject it? */
bool
sigma_list_run_passes(ListRun *run, int column, Datum value, bool isnull)
{
	const InputTable *table = run->table;
	int			i;

	for (i = 0; !isnull && i < table->nlist; i++)
		if (table->lists[i]->column == column && !table->lists[i]->warning && !all_in_list(run, i, value))
			return false;
	return true;
}

/* Append the failures of a column's lists, warnings too; returns the number of errors. */
int
sigma_list_run_failures(ListRun *run, int column, Datum value, bool isnull, List **failures)
{
	const InputTable *table = run->table;
	int			errors = 0;
	int			i;

	for (i = 0; !isnull && i < table->nlist; i++)
	{
		const ListRule *rule = table->lists[i];
		Failure    *failure;

		if (rule->column != column || all_in_list(run, i, value))
			continue;
		failure = sigma_failure_new(&table->columns[column], "values_from", rule->message, value, false);
		failure->warning = rule->warning;
		failure->own_message = rule->own_message;
		*failures = lappend(*failures, failure);
		errors += rule->warning ? 0 : 1;
	}
	return errors;
}

/* The value, or each element of a multi-select, is in the list? */
static bool
all_in_list(ListRun *run, int i, Datum value)
{
	Datum	   *items;
	bool	   *nulls;
	int			count;
	int			j;

	if (run->skipped != NULL && run->skipped[i])
		return true;
	if (run->table->columns[run->table->lists[i]->column].type != COLUMN_MULTI_SELECT)
		return in_list(run, i, value);
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, &count);
	for (j = 0; j < count; j++)
		if (!nulls[j] && !in_list(run, i, items[j]))
			return false;
	return true;
}

/* Is the value in the list?  That it is, is remembered. */
static bool
in_list(ListRun *run, int i, Datum value)
{
	ListRule   *rule = run->table->lists[i];
	const ColumnTypeInfo *type = &sigma_column_types[rule->type];
	KnownValue *known;
	Datum		bound;
	uint32		hash;

	value = sigma_value_detoast(rule->type, value);
	if (type->by_value)
		hash = hash_bytes((const unsigned char *) &value, sizeof(Datum));
	else
		hash = hash_bytes((const unsigned char *) VARDATA_ANY(DatumGetPointer(value)),
						  VARSIZE_ANY_EXHDR(DatumGetPointer(value)));
	known = &run->known[i][hash % REMEMBERED];
	if (known->used && datum_image_eq(known->value, value, type->by_value, type->length))
		return true;
	prepare(rule);
	if (!convert(rule, value, &bound) || !look_up(rule, run->locking, bound, false))
		return false;
	if (type->by_value || VARSIZE_ANY(DatumGetPointer(value)) < 1000)
	{
		MemoryContext caller = MemoryContextSwitchTo(run->cxt);

		if (known->used && !type->by_value)
			pfree(DatumGetPointer(known->value));
		known->value = datumCopy(value, type->by_value, type->length);
		known->used = true;
		MemoryContextSwitchTo(caller);
	}
	return true;
}

/* The value as it is bound; false where the list cannot hold it, as 1.5 among integers. */
static bool
convert(const ListRule *rule, Datum value, Datum *result)
{
	Datum		number;

	*result = value;
	if (rule->type == COLUMN_DATE)
		*result = DirectFunctionCall1(date_timestamp, value);
	if (sigma_column_types[rule->type].oid == rule->parameter || rule->type == COLUMN_DATE)
		return true;
	if (rule->parameter == FLOAT8OID)
	{
		*result = rule->type == COLUMN_INTEGER ? Float8GetDatum((float8) DatumGetInt64(value)) :
			DirectFunctionCall1(numeric_float8_no_overflow, value);
		return true;
	}
	number = rule->type == COLUMN_INTEGER ? NumericGetDatum(int64_to_numeric(DatumGetInt64(value))) :
		rule->type == COLUMN_FLOAT ? DirectFunctionCall1(float8_numeric, value) : value;
	*result = number;
	if (rule->parameter == NUMERICOID)
		return true;
	if (numeric_is_nan(DatumGetNumeric(number)) || numeric_is_inf(DatumGetNumeric(number)) ||
		DatumGetInt32(DirectFunctionCall1(numeric_min_scale, number)) > 0 ||
		DatumGetInt32(DirectFunctionCall2(numeric_cmp, DirectFunctionCall1(numeric_abs, number),
										  NumericGetDatum(int64_to_numeric(PG_INT64_MAX)))) > 0)
		return false;
	*result = DirectFunctionCall1(numeric_int8, number);
	return true;
}

/* Run a plan of the rule, which counts as running; SPI's code. */
static int
execute_running(ListRule *rule, SPIPlanPtr plan, Datum value, bool isnull)
{
	volatile int code = 0;

	rule->running++;
	PG_TRY();
	{
		code = SPI_execute_plan(plan, &value, isnull ? "n" : NULL, plan == rule->plans[0], 1);
	}
	PG_FINALLY();
	{
		rule->running--;
	}
	PG_END_TRY();
	return code;
}

/* Run the lookup as the list's owner. */
static bool
look_up(ListRule *rule, bool locking, Datum value, bool isnull)
{
	SPIPlanPtr	plan = locking && rule->plans[1] != NULL ? rule->plans[1] : rule->plans[0];
	Oid			user;
	int			context;
	int			nest_level;
	int			code;
	bool		found;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(sigma_relation_owner(rule->relid), context | LOOK_UP_CONTEXT);
	nest_level = NewGUCNestLevel();
	code = execute_running(rule, plan, value, isnull);
	AtEOXact_GUC(false, nest_level);
	SetUserIdAndSecContext(user, context);
	if (code != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(code));
	found = SPI_processed > 0;
	SPI_finish();
	return found;
}

/* ------------------------------------------------------------------------
 * Checking a definition
 * ------------------------------------------------------------------------ */

/*
 * Check the list rules of a definition that are new or changed ("before" NULL: all):
 * what is wrong is raised with its path, 42501 where the caller may not select what
 * they read.  A list without an index is a NOTICE.  The data table is there.
 */
void
sigma_list_rules_check(JsonNode *definition, JsonNode *before)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma lists", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	List	   *stored = before == NULL ? NIL : sigma_list_nodes(before);
	InputTable *table = palloc0(sizeof(InputTable));
	ListCell   *lc;
	int			i;

	table->cxt = cxt;
	table->id = sigma_json_get_string(definition, "id", "");
	sigma_rules_compile(table, definition);
	foreach(lc, sigma_list_nodes(definition))
	{
		JsonNode   *node = lfirst(lc);
		char	   *path = sigma_json_path(node);
		ListCell   *old;

		foreach(old, stored)
			if (sigma_json_equal(lfirst(old), node))
				break;
		for (i = 0; old == NULL && i < table->nlist; i++)
			if (strcmp(table->lists[i]->path, path) == 0)
				check_rule(table->lists[i], node);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(cxt);
}

/* Check one rule; its lookup is run once, so that it fails now rather than when a row is written. */
static void
check_rule(const ListRule *rule, const JsonNode *node)
{
	MemoryContext caller = CurrentMemoryContext;
	ListRule	copy = *rule;
	Probe	   *volatile probe = NULL;

	if (rule->filter != NULL &&
		sigma_formula_uses(sigma_formula_parse_at(rule->filter_path, rule->filter), CLASS_CALL))
		sigma_document_error(sigma_json_get(node, "filter"), ERRCODE_INSUFFICIENT_PRIVILEGE,
							 "It is evaluated as the owner of the list.",
							 "a filter of a list cannot call functions of the database");
	PG_TRY();
	{
		probe = make_probe(rule, true);
	}
	PG_CATCH();
	{
		sigma_document_rethrow_at(rule->path, NULL, caller);
	}
	PG_END_TRY();
	sigma_check_select_rights(node, probe->reads);
	copy.plans[0] = copy.plans[1] = NULL;
	copy.locks = NIL;
	prepare(&copy);
	PG_TRY();
	{
		(void) look_up(&copy, false, (Datum) 0, true);
	}
	PG_CATCH();
	{
		sigma_document_rethrow_at(rule->path, NULL, caller);
	}
	PG_END_TRY();
	release_plans(&copy);
	if (!has_index(probe->relid, probe->column))
		ereport(NOTICE,
				(errmsg("column \"%s\" of the list \"%s\" has no index", rule->list, rule->table),
				 errdetail("%s", rule->path),
				 errhint("Each value that is written is looked up there: give the column an index, or a unique rule.")));
}

/* Is the column the first one of a valid index?  Views and their like have none of their own. */
static bool
has_index(Oid relid, const char *column)
{
	Relation	rel = relation_open(relid, AccessShareLock);
	AttrNumber	attnum = get_attnum(relid, column);
	bool		found = false;
	ListCell   *lc;

	if (rel->rd_rel->relkind != RELKIND_RELATION && rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE &&
		rel->rd_rel->relkind != RELKIND_MATVIEW)
		found = true;
	else
		foreach(lc, RelationGetIndexList(rel))
		{
			HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));

			if (!HeapTupleIsValid(tuple))
				continue;
			if (((Form_pg_index) GETSTRUCT(tuple))->indisvalid &&
				((Form_pg_index) GETSTRUCT(tuple))->indkey.values[0] == attnum && attnum != InvalidAttrNumber)
				found = true;
			ReleaseSysCache(tuple);
		}
	relation_close(rel, NoLock);
	return found;
}
