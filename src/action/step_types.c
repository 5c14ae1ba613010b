/*
 * step_types.c
 *		The types of steps that run: who compiles and who runs each of them.
 *
 * Rows of one type stand together.  A type that documents know and that is not here
 * is refused with 0A000.
 */
#include "postgres.h"

#include "action/action.h"
#include "action/explain.h"

static const StepType step_types[] = {
	{"data_modification", "insert_row", DATA_INSERT_ROW, sigma_data_compile, sigma_data_run, sigma_data_explain},
	{"data_modification", "insert_rows", DATA_INSERT_ROWS, sigma_data_compile, sigma_data_run, sigma_data_explain},
	{"data_modification", "update_row", DATA_UPDATE_ROW, sigma_data_compile, sigma_data_run, sigma_data_explain},
	{"data_modification", "update_rows", DATA_UPDATE_ROWS, sigma_data_compile, sigma_data_run, sigma_data_explain},
	{"data_modification", "delete_row", DATA_DELETE_ROW, sigma_data_compile, sigma_data_run, sigma_data_explain},
	{"data_modification", "delete_rows", DATA_DELETE_ROWS, sigma_data_compile, sigma_data_run, sigma_data_explain},
	{"data_modification", "upsert_row", DATA_UPSERT_ROW, sigma_data_compile, sigma_data_run, sigma_data_explain},
	{"navigation", "open_link", CLIENT_OPEN_LINK, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"navigation", "open_sigma_doc", CLIENT_OPEN_DOCUMENT, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"navigation", "navigate_workbook", CLIENT_NAVIGATE, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"control", "set_value", CLIENT_SET_VALUE, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"control", "clear_value", CLIENT_CLEAR_VALUE, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"control", "enable", CLIENT_ENABLE, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"control", "disable", CLIENT_DISABLE, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"variable", "set", CLIENT_SET_VARIABLE, sigma_client_compile, sigma_client_run, sigma_variable_explain},
	{"variable", "clear", CLIENT_CLEAR_VARIABLE, sigma_client_compile, sigma_client_run, sigma_variable_explain},
	{"modal", "open", CLIENT_OPEN_MODAL, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"modal", "close", CLIENT_CLOSE_MODAL, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"tabs", "select", CLIENT_SELECT_TAB, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"element", "refresh", CLIENT_REFRESH, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"element", "modify", CLIENT_MODIFY, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"element", "sort", CLIENT_SORT, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"element", "show", CLIENT_SHOW, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"element", "hide", CLIENT_SHOW, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"element", "toggle", CLIENT_SHOW, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"element", "focus", CLIENT_SHOW, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"container", "set_row", CLIENT_SET_ROW, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"form", "set_values", CLIENT_SET_FORM, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"form", "reset", CLIENT_RESET_FORM, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"plugin", "trigger", CLIENT_TRIGGER_PLUGIN, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"embed", "send_event", CLIENT_SEND_EVENT, sigma_client_compile, sigma_client_run, sigma_client_explain},
	{"stored_procedure", "", 0, sigma_procedure_compile, sigma_procedure_run, sigma_procedure_explain, true},
	{"notify", "", 0, sigma_notify_compile, sigma_notify_run, sigma_notify_explain},
	{"export", "csv", EXPORT_CSV, sigma_export_compile, sigma_export_run, sigma_export_explain},
	{"export", "json", EXPORT_JSON, sigma_export_compile, sigma_export_run, sigma_export_explain},
	{"flow", "if_else", FLOW_IF_ELSE, sigma_flow_compile, sigma_flow_run},
	{"flow", "for_each", FLOW_FOR_EACH, sigma_flow_compile, sigma_flow_run, sigma_loop_explain},
	{"flow", "run_sequence", FLOW_RUN_SEQUENCE, sigma_flow_compile, sigma_flow_run},
	{"flow", "stop", FLOW_STOP, sigma_flow_compile, sigma_flow_run},
};

/* The type and subtype of an action; 0A000 where it is not built. */
const StepType *
sigma_step_type(JsonNode *action)
{
	const char *type = sigma_json_get_string(action, "type", "");
	const char *subtype = sigma_json_get_string(action, "subtype", "");
	int			i;

	for (i = 0; i < lengthof(step_types); i++)
		if (strcmp(step_types[i].type, type) == 0 && strcmp(step_types[i].subtype, subtype) == 0)
			return &step_types[i];

	sigma_document_error(sigma_json_get(action, "type"), ERRCODE_FEATURE_NOT_SUPPORTED,
						 "A function of your own is called by type stored_procedure.",
						 "actions of type \"%s\" are not built yet", type);
}
