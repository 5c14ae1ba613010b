/*
 * fill.c
 *		sigma.fill: the same values into all rows that a selector names.
 *
 * It is the update of an action without a run: the selector and the values are compiled
 * as those of a step are, and the one UPDATE is the caller's, with his rights, the rules
 * and one entry of the edit log.  There is no context, so nothing is selected and no
 * control has a value; columns that are not editable are not for hands.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "action/action.h"
#include "action/data.h"
#include "common/argument.h"
#include "common/errors.h"
#include "common/json_push.h"

static const StepType update_rows = {
	"data_modification", "update_rows", DATA_UPDATE_ROWS, sigma_data_compile, sigma_data_run
};

PG_FUNCTION_INFO_V1(fill);

static JsonNode *read_action(FunctionCallInfo fcinfo, const char *table_id);
static void refuse_selection(const JsonNode *selector);
static void compile(MemoryContext cxt, JsonNode *action, Step *step);
static void run_step(MemoryContext cxt, const Step *step, StepOutcome *outcome);
static Jsonb *make_result(const char *table_id, int64 rows, int64 edit_num);

/*
 * fill(table_id text, selector jsonb, new_values jsonb) → jsonb {table_id, rows, edit_num}
 *
 * Raises SG400 for documents, SG404, 42703, SG423 and whatever the UPDATE raises.
 */
Datum
fill(PG_FUNCTION_ARGS)
{
	char	   *table_id = sigma_text_argument(fcinfo, 0, "table_id");
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma fill", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	SessionOrigin origin = sigma_session.origin;
	JsonNode   *action = read_action(fcinfo, table_id);
	LogGroup	group;
	Step		step = {0};
	StepOutcome outcome = {0};
	Jsonb	   *result;

	compile(cxt, action, &step);
	SPI_connect();
	sigma_log_group_begin(&group, sigma_input_table_by_id(table_id)->log.relid);
	PG_TRY();
	{
		sigma_session.origin = ORIGIN_ENTRY;
		run_step(cxt, &step, &outcome);
	}
	PG_FINALLY();
	{
		sigma_session.origin = origin;
		sigma_log_group_end(&group);
	}
	PG_END_TRY();
	SPI_finish();

	MemoryContextSwitchTo(caller);
	result = make_result(table_id, outcome.rows, group.last);
	MemoryContextDelete(cxt);
	PG_RETURN_JSONB_P(result);
}

/* The arguments as the document of an action; their paths are those of the arguments. */
static JsonNode *
read_action(FunctionCallInfo fcinfo, const char *table_id)
{
	static const char *const names[] = {"table_id", "selector", "new_values"};
	JsonNode   *action = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *parameters = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *selector;
	int			i;

	for (i = 1; i < lengthof(names); i++)
		sigma_require_argument(fcinfo, i, names[i]);
	selector = sigma_json_read(PG_GETARG_JSONB_P(1));
	if (selector->kind != JSON_OBJECT)
		sigma_document_error(selector, 0, "Known are row_id, key, match and formula.",
							 "a selector must be an object, not %s", sigma_json_kind_name(selector));
	refuse_selection(selector);
	sigma_json_set(action, "type", sigma_json_new_string("data_modification", NULL));
	sigma_json_set(action, "subtype", sigma_json_new_string("update_rows", NULL));
	sigma_json_set(action, "target", sigma_json_new_string(table_id, NULL));
	sigma_json_set(parameters, "selector", selector);
	sigma_json_set(parameters, "values", sigma_json_read(PG_GETARG_JSONB_P(2)));
	sigma_json_set(action, "parameters", parameters);
	return sigma_document_normalise(DOCUMENT_ACTION, action, 0);
}

/* SG400 for the selectors that need a client's selection. */
static void
refuse_selection(const JsonNode *selector)
{
	static const char *const needs[] = {"current_row", "currentRow", "selection"};
	int			i;

	for (i = 0; i < lengthof(needs); i++)
		if (sigma_json_get(selector, needs[i]) != NULL)
			sigma_document_error(sigma_json_get(selector, needs[i]), 0, "Known are row_id, key, match and formula.",
								 "nothing is selected here");
}

/* The step, in "cxt". */
static void
compile(MemoryContext cxt, JsonNode *action, Step *step)
{
	CompileState state = {0};

	state.cxt = cxt;
	state.resolve = true;
	step->type = &update_rows;
	step->part = sigma_data_compile(&state, step->type, action);
}

/* Run it with an empty context; SPI is connected. */
static void
run_step(MemoryContext cxt, const Step *step, StepOutcome *outcome)
{
	Run			run = {0};

	MemoryContextSwitchTo(cxt);	/* SPI has made its own the current one */
	run.cxt = run.kept = cxt;
	run.context = sigma_context_read(NULL);
	sigma_data_run(&run, step, outcome);
}

/* {table_id, rows, edit_num}: null where no log is kept, or no row was written. */
static Jsonb *
make_result(const char *table_id, int64 rows, int64 edit_num)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "table_id", table_id);
	sigma_push_int(&state, "rows", rows);
	if (edit_num != 0)
		sigma_push_int(&state, "edit_num", edit_num);
	else
		sigma_push_text(&state, "edit_num", NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
