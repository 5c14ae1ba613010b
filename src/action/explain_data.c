/*
 * explain_data.c
 *		Explaining steps that write rows of input tables.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "action/data.h"
#include "action/explain.h"

static void explain_statement(Explain *explain, JsonNode *step, Statement *statement);
static void explain_formulas(Explain *explain, JsonNode *step, const RowFormulas *formulas);
static JsonNode *show_parameter(const Parameter *parameter, Oid type, int number);
static const char *show_source(const Parameter *parameter);
static bool know_parameter(Explain *explain, const Parameter *parameter, Datum *value, bool *isnull);
static void set_known(ParamListInfo known, int i, Oid type, Datum value, bool isnull);

/* The statements of a DataStep; SPI is connected. */
void
sigma_data_explain(Explain *explain, JsonNode *step, void *part)
{
	DataStep   *data = part;

	explain_statement(explain, step, &data->main);
	if (data->code == DATA_UPSERT_ROW)
		explain_statement(explain, step, &data->insert);
}

/* A statement with the values that are known of its parameters; those of a formula come behind. */
static void
explain_statement(Explain *explain, JsonNode *step, Statement *statement)
{
	JsonNode   *parameters = sigma_json_new(JSON_ARRAY, NULL);
	Datum	   *values = palloc0(sizeof(Datum) * (statement->count + 1));
	char	   *nulls = palloc0(statement->count + 1);
	SPIPlanPtr	plan;
	ParamListInfo known;
	int			i;

	if (statement->formulas != NULL)
	{
		sigma_row_formula_prepare(statement, explain->context, &values, &nulls);
		plan = statement->plan;
	}
	else
		plan = SPI_prepare(statement->sql, statement->count, statement->types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	MemoryContextSwitchTo(explain->probe.cxt);	/* SPI leaves its own */
	known = makeParamList(SPI_getargcount(plan));
	for (i = 0; i < known->numParams; i++)
	{
		Oid			type = SPI_getargtypeid(plan, i);
		bool		isnull = true;
		Datum		value = (Datum) 0;

		/* unknown, until it is known */
		known->params[i].ptype = InvalidOid;
		known->params[i].pflags = 0;
		if (i < statement->count)
		{
			sigma_json_append(parameters, show_parameter(&statement->parameters[i], type, i + 1));
			if (know_parameter(explain, &statement->parameters[i], &value, &isnull))
				set_known(known, i, type, value, isnull);
		}
		else if (explain->given)
			set_known(known, i, type, values[i], nulls[i] == 'n');
	}
	sigma_explain_plan(explain, step, plan, known, parameters);
	if (statement->formulas != NULL)
		explain_formulas(explain, step, statement->formulas);
}

/* The SQL of formulas is made for the kinds of values that a run has: without a context they are unknown. */
static void
explain_formulas(Explain *explain, JsonNode *step, const RowFormulas *formulas)
{
	JsonNode   *statements = sigma_explain_array(step, "statements");
	JsonNode   *statement = statements->items[statements->count - 1];
	StringInfoData texts;
	ListCell   *lc;

	initStringInfo(&texts);
	foreach(lc, formulas->items)
		appendStringInfo(&texts, "%s%s", texts.len > 0 ? "; " : "", ((RowFormula *) lfirst(lc))->text);
	sigma_json_set(statement, "formula", sigma_json_new_string(texts.data, NULL));
	if (explain->given || formulas->parameters->count == 0)
		return;
	(void) sigma_json_remove(statement, "rows");
	sigma_json_set(statement, "note", sigma_json_new_string("what the formula reads of the context is unknown, and null here", NULL));
}

/* {number, column, type, value | source} */
static JsonNode *
show_parameter(const Parameter *parameter, Oid type, int number)
{
	JsonNode   *node = sigma_json_new(JSON_OBJECT, NULL);

	sigma_json_set(node, "number", sigma_json_new_int(number, NULL));
	sigma_json_set(node, "column", sigma_json_new_string(parameter->column, NULL));
	sigma_json_set(node, "type", sigma_json_new_string(format_type_be(type), NULL));
	sigma_json_set(node, "value", sigma_json_new_string(show_source(parameter), NULL));
	return node;
}

/* What the parameter is filled from. */
static const char *
show_source(const Parameter *parameter)
{
	switch (parameter->kind)
	{
		case PARAMETER_SELECTION:
			return "the selected rows";
		case PARAMETER_CURRENT_ROW:
			return "the current row";
		default:
			return sigma_value_source_show(parameter->source);
	}
}

/*
 * The value of a parameter, where it can be told without running anything.  Without a
 * context that says so, what is null may as well be something else.
 */
static bool
know_parameter(Explain *explain, const Parameter *parameter, Datum *value, bool *isnull)
{
	JsonbValue	found;
	JsonbValue	bad;
	const char *why;

	if (parameter->is_constant)
	{
		*value = parameter->value;
		*isnull = parameter->isnull;
		return true;
	}
	if (!explain->given || parameter->source == NULL || !sigma_value_source_is_plain(parameter->source))
		return false;
	sigma_value_source_evaluate(parameter->source, explain->context, &found);
	if (found.type == jbvNull)
		return false;
	*isnull = false;
	if (parameter->kind == PARAMETER_LIST)
		return sigma_data_read_list(parameter->type, &found, value, &bad, &why);
	return sigma_value_from_json(parameter->type, &found, value, isnull, &why);
}

static void
set_known(ParamListInfo known, int i, Oid type, Datum value, bool isnull)
{
	known->params[i].value = value;
	known->params[i].isnull = isnull;
	known->params[i].pflags = PARAM_FLAG_CONST;
	known->params[i].ptype = type;
}
