/*
 * explain_step.c
 *		Explaining single steps that write no rows of input tables by themselves.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "action/explain.h"
#include "action/flow.h"
#include "action/procedure.h"
#include "common/catalog.h"
#include "compat.h"

/* A step of the client. */
void
sigma_client_explain(Explain *explain, JsonNode *step, void *part)
{
	sigma_explain_text_member(step, "does", "an effect for the client");
}

/* Setting or clearing a variable: of some a value is stored. */
void
sigma_variable_explain(Explain *explain, JsonNode *step, void *part)
{
	const char *target = sigma_json_get_string(step, "target", "");
	const Variable *variable = sigma_variable(target);
	Oid			relid;

	if (variable == NULL || variable->scope == SCOPE_SESSION)
	{
		sigma_explain_text_member(step, "does", "a value of the run alone");
		return;
	}
	if (variable->scope == SCOPE_WORKBOOK)
	{
		relid = sigma_relation_oid("sigma_variables");
		sigma_explain_right(explain, step, relid, ACL_SELECT, NULL);
		sigma_explain_right(explain, step, relid, ACL_UPDATE, "value");
	}
	else
	{
		relid = sigma_relation_oid("sigma_variable_values");
		sigma_explain_right(explain, step, relid, ACL_SELECT | ACL_INSERT | ACL_UPDATE, NULL);
	}
	sigma_explain_relation(explain, step, relid, true, RowExclusiveLock, NULL);
}

/* A message. */
void
sigma_notify_explain(Explain *explain, JsonNode *step, void *part)
{
	/* written as the table's owner: no right of the caller's is asked for */
	sigma_explain_relation(explain, step, sigma_relation_oid("sigma_outbox"), true, RowExclusiveLock, NULL);
	sigma_explain_text_member(step, "does", "a message, delivered after the commit");
}

/* A call: its statement; what the function itself does is not known. */
void
sigma_procedure_explain(Explain *explain, JsonNode *step, void *part)
{
	ProcedureStep *call = part;
	JsonNode   *parameters = sigma_json_new(JSON_ARRAY, NULL);
	int			i;

	sigma_procedure_prepare(call);
	MemoryContextSwitchTo(explain->probe.cxt);	/* SPI leaves its own */
	for (i = 0; i < call->ngiven; i++)
	{
		JsonNode   *node = sigma_json_new(JSON_OBJECT, NULL);

		sigma_json_set(node, "number", sigma_json_new_int(i + 1, NULL));
		if (call->arguments[i].name != NULL)
			sigma_json_set(node, "argument", sigma_json_new_string(call->arguments[i].name, NULL));
		sigma_json_set(node, "type", sigma_json_new_string(format_type_be(call->arguments[i].type), NULL));
		sigma_json_set(node, "value", sigma_json_new_string(sigma_value_source_show(call->given[i].source), NULL));
		sigma_json_append(parameters, node);
	}
	sigma_explain_call(explain, step, call->plan, parameters);
	sigma_explain_text_member(step, "does", "what the function does, which is not looked into");
}

/* A loop: the query that its rows come from.  The steps within are explained one by one. */
void
sigma_loop_explain(Explain *explain, JsonNode *step, void *part)
{
	FlowForEach *loop = part;
	SPIPlanPtr	plan;

	if (loop->source == NULL)
		return;
	plan = SPI_prepare(sigma_row_source_query(loop->source), 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sigma_explain_plan(explain, step, plan, NULL, NULL);
}
