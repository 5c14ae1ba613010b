/*
 * data_run.c
 *		Running data_modification steps: values bound as their columns' types.
 *
 * Statements run as the caller: rights, row security and rules are those of the
 * same statement typed by hand.  Plans are made at the first run and kept with
 * the compiled sequence.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/string.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "action/data.h"
#include "common/errors.h"
#include "compat.h"
#include "formula/trust.h"

static void execute(Run *run, DataStep *step, Statement *statement);
static void prepare(DataStep *step, Statement *statement);
static Datum bind(Run *run, const DataStep *step, const Parameter *parameter, bool *isnull);
static Datum bind_selected(Run *run, const Parameter *parameter);
static void refuse_cell(const DataStep *step, const Parameter *parameter, const JsonbValue *value,
						const char *why) pg_attribute_noreturn();
static int64 returned_row_id(void);
static void run_upsert(Run *run, DataStep *step, StepOutcome *outcome);
static bool insert_row(Run *run);
static bool is_duplicate(const ErrorData *error);

/* Run a data_modification step; SPI is connected. */
void
sigma_data_run(Run *run, const Step *compiled, StepOutcome *outcome)
{
	DataStep   *step = compiled->part;

	if (step->code == DATA_UPSERT_ROW)
	{
		run_upsert(run, step, outcome);
		return;
	}
	execute(run, step, &step->main);
	outcome->rows = SPI_processed;
	sigma_outcome_number(outcome, step->code == DATA_INSERT_ROW ? returned_row_id() : outcome->rows);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Bind the values and run one statement.  Raises 22P02 for a value that its
 * column cannot read, 21000 where a single-row step met several rows; the
 * caller's subtransaction undoes what the second of them cost.
 */
static void
execute(Run *run, DataStep *step, Statement *statement)
{
	Datum	   *values = palloc(sizeof(Datum) * (statement->count + 1));
	char	   *nulls = palloc(statement->count + 1);
	int			code;
	int			i;

	for (i = 0; i < statement->count; i++)
	{
		bool		isnull;

		values[i] = bind(run, step, &statement->parameters[i], &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	if (statement->formulas != NULL)
		sigma_row_formula_prepare(statement, run->context, &values, &nulls);
	else
		prepare(step, statement);
	code = SPI_execute_plan(statement->plan, values, nulls, false, step->one_row ? 2 : 0);
	MemoryContextSwitchTo(run->cxt);
	if (code != statement->expected)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(code));
	if (step->one_row && SPI_processed > 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("more than one row of input table \"%s\" matches the selector", step->table),
				 errhint("Narrow the selector, or use the subtype for several rows.")));
	pfree(values);
	pfree(nulls);
}

/*
 * The plan of a statement without formulas.  It goes with the compiled step, which a
 * change of the table ends; what a linked table reads besides is looked at here.
 */
static void
prepare(DataStep *step, Statement *statement)
{
	uint64		generation;
	SPIPlanPtr	plan;
	List	   *locks;

	if (statement->plan != NULL && statement->locks == NIL)
		return;
	sigma_trust_lock(statement->locks);
	generation = sigma_formula_generation();
	if (statement->plan != NULL && statement->generation == generation)
		return;
	plan = SPI_prepare(statement->sql, statement->count, statement->types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	locks = sigma_trust_check_plan(plan);
	SPI_keepplan(plan);
	if (statement->plan != NULL)
		SPI_freeplan(statement->plan);
	list_free(statement->locks);
	statement->plan = plan;
	statement->locks = sigma_trust_keep(locks, GetMemoryChunkContext(step));
	statement->generation = generation;
}

/* The value of one parameter. */
static Datum
bind(Run *run, const DataStep *step, const Parameter *parameter, bool *isnull)
{
	JsonbValue	value;
	JsonbValue	bad;
	Datum		result = (Datum) 0;
	const char *why;

	*isnull = parameter->isnull;
	if (parameter->is_constant)
		return parameter->value;
	if (parameter->kind == PARAMETER_SELECTION || parameter->kind == PARAMETER_CURRENT_ROW)
		return bind_selected(run, parameter);

	sigma_value_source_evaluate(parameter->source, run->context, &value);
	if (parameter->kind == PARAMETER_LIST)
	{
		if (!sigma_data_read_list(parameter->type, &value, &result, &bad, &why))
			refuse_cell(step, parameter, &bad, why);
	}
	else if (!sigma_value_from_json(parameter->type, &value, &result, isnull, &why))
		refuse_cell(step, parameter, &value, why);
	return result;
}

/*
 * An array of the type's values: a single value is a list of one, nulls are left
 * out.  False: "bad" cannot be read, *why says so.
 */
bool
sigma_data_read_list(ColumnType column_type, const JsonbValue *value, Datum *list, JsonbValue *bad, const char **why)
{
	const ColumnTypeInfo *type = &sigma_column_types[column_type];
	Datum	   *items;
	int			count = 0;
	bool		isnull;

	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		JsonbIterator *iterator = JsonbIteratorInit(value->val.binary.data);
		JsonbIteratorToken token;

		items = palloc(sizeof(Datum) * (JsonContainerSize(value->val.binary.data) + 1));
		while ((token = JsonbIteratorNext(&iterator, bad, true)) != WJB_DONE)
		{
			if (token != WJB_ELEM)
				continue;
			if (!sigma_value_from_json(column_type, bad, &items[count], &isnull, why))
				return false;
			if (!isnull)
				count++;
		}
	}
	else
	{
		*bad = *value;
		items = palloc(sizeof(Datum));
		if (!sigma_value_from_json(column_type, value, &items[0], &isnull, why))
			return false;
		count = isnull ? 0 : 1;
	}
	*list = PointerGetDatum(construct_array(items, count, type->oid, type->length, type->by_value, type->align));
	return true;
}

/* The row ids of the selected rows, or values of a key; 22023 where they cannot be told. */
static Datum
bind_selected(Run *run, const Parameter *parameter)
{
	const ColumnTypeInfo *type = &sigma_column_types[parameter->type];
	int			count = sigma_context_selected_count(run->context);
	Datum	   *ids = palloc(sizeof(Datum) * (count + 1));
	bool	   *nulls = palloc(sizeof(bool) * (count + 1));
	bool		is_row_id = strcmp(parameter->column, "sigma_row_id") == 0;
	int			lower = 1;
	int			i;

	if (parameter->kind == PARAMETER_CURRENT_ROW && count > 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("there is no current row: %d rows are selected", count)));
	for (i = 0; i < count; i++)
	{
		JsonbValue	value;
		const char *why = "is missing";

		nulls[i] = true;
		if (!sigma_context_selected_value(run->context, i, parameter->column, &value) ||
			!sigma_value_from_json(parameter->type, &value, &ids[i], &nulls[i], &why) || (is_row_id && nulls[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" of selected row %d %s", parameter->column, i, nulls[i] ? "is missing" : why),
					 errhint("Rows of \"selection\" say which rows they are by \"%s\".", parameter->column)));
	}
	return PointerGetDatum(construct_md_array(ids, nulls, 1, &count, &lower, type->oid, type->length, type->by_value,
											  type->align));
}

/* Raise 22P02 for a value that its column cannot read. */
static void
refuse_cell(const DataStep *step, const Parameter *parameter, const JsonbValue *value, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("value for column \"%s\" of input table \"%s\" %s",
					parameter->column, step->table, why),
			 errdetail("The value is \"%s\".", sigma_jsonb_text(value))));
}

/* The row id that the statement returned first. */
static int64
returned_row_id(void)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * UPDATE, else INSERT.  Where the INSERT meets a row with that key that came
 * after the UPDATE had looked, the UPDATE finds it now; a second time that is an
 * error, as is anything else.
 */
static void
run_upsert(Run *run, DataStep *step, StepOutcome *outcome)
{
	bool		again = false;

	for (;;)
	{
		int64		warned = run->row_warnings.count;
		ErrorData  *error;
		bool		kept;

		execute(run, step, &step->main);
		if (SPI_processed > 0)
			break;
		SPI_freetuptable(SPI_tuptable);
		if (step->linked)
			ereport(ERROR,
					(errcode(ERRCODE_SIGMA_NOT_FOUND),
					 errmsg("there is no row of that key in the source of linked input table \"%s\"", step->table),
					 errhint("Rows come from the source: insert it there.")));
		error = sigma_run_subtransaction(run, insert_row, &kept);
		if (error == NULL)
			break;
		if (again || !is_duplicate(error))
			ReThrowError(error);
		sigma_run_forget_warnings(run, warned);
		again = true;
	}
	outcome->rows = 1;
	sigma_outcome_number(outcome, step->linked ? 1 : returned_row_id());
	SPI_freetuptable(SPI_tuptable);
}

/* Work in a subtransaction: the INSERT of an upsert. */
static bool
insert_row(Run *run)
{
	DataStep   *step = run->record->step->part;

	execute(run, step, &step->insert);
	return true;
}

/* Does another row hold a unique value?  A visible one is a failed rule, a concurrent one PostgreSQL's error. */
static bool
is_duplicate(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION ||
		(error->sqlerrcode == ERRCODE_CHECK_VIOLATION && error->constraint_name != NULL &&
		 (pg_str_endswith(error->constraint_name, "_unique") ||
		  strncmp(error->constraint_name, "row_unique_", strlen("row_unique_")) == 0));
}
