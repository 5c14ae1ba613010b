/*
 * access_levels.c
 *		Tables: what each level of access may do.
 *
 * Functions run as their caller, so EXECUTE alone opens nothing that the rights on
 * tables do not; it is granted by these tables all the same, and a function that
 * no row names is for admins alone.
 */
#include "postgres.h"

#include "common/access.h"

#define V	ACCESS_VIEWER
#define E	ACCESS_EDITOR
#define B	ACCESS_BUILDER
#define A	ACCESS_ADMIN

const char *const sigma_access_level_names[ACCESS_LEVELS + 1] = {"viewer", "editor", "builder", "admin", NULL};

/* A function of schema sigma, or with a "*" at its end all of that prefix; the first row counts. */
typedef struct FunctionLevels
{
	const char *name;
	int			levels;
} FunctionLevels;

static const FunctionLevels function_levels[] = {
	/* what views, rules and operators call on behalf of whoever uses them */
	{"fn_*", V | E | B | A},
	{"formula_*", V | E | B | A},
	{"convert_value", V | E | B | A},
	/* looking */
	{"action_types", V | E | B | A},
	{"element_types", V | E | B | A},
	{"functions", V | E | B | A},
	{"check_document", V | E | B | A},
	{"dependencies", V | E | B | A},
	{"dependents", V | E | B | A},
	{"eval", V | E | B | A},
	{"export_layout", V | E | B | A},
	{"infer_columns", V | E | B | A},
	{"layout_tree", V | E | B | A},
	{"list_access", V | E | B | A},
	{"list_input_tables", V | E | B | A},
	{"list_layout_elements", V | E | B | A},
	{"list_variables", V | E | B | A},
	{"get_variable", V | E | B | A},
	{"next_run", V | E | B | A},
	{"render_*", V | E | B | A},
	{"status", V | E | B | A},
	{"table_info", V | E | B | A},
	/* running */
	{"evaluate_condition", V | E | B | A},
	{"execute_*", V | E | B | A},
	{"explain_sequence", V | E | B | A},
	{"fire_trigger", V | E | B | A},
	{"preview_sequence", V | E | B | A},
	{"run", V | E | B | A},
	/* history of own runs */
	{"list_actions", E | B | A},
	{"list_action_sequences", E | B | A},
	{"run_history", E | B | A},
	{"run_status", E | B | A},
	{"run_steps", E | B | A},
	{"running", E | B | A},
	{"show_run", E | B | A},
	{"stop_sequence", E | B | A},
	/* entering */
	{"fill", E},
	{"handle_data_entry", E},
	{"import_csv", E},
	{"import_csv_file", E},
	{"paste", E},
	{"set_variable", E | B | A},
	{"sync_table_data", E},
	{"flagged", E | B | A},
	{"rule_impact", E | B | A},
	{"sample_rows", E | B | A},
	{"validate_data", E | B | A},
	/* versions and time */
	{"as_of", E | B | A},
	{"as_of_edit", E | B | A},
	{"diff", E | B | A},
	{"discard_draft", E | B | A},
	{"history", E | B | A},
	{"orphans", E | B | A},
	{"publish", E | B | A},
	{"publish_preview", E | B | A},
	{"redo", E | B | A},
	{"restore", E | B | A},
	{"undo", E | B | A},
	{"undo_run", E | B | A},
	{"verify_log", E | B | A},
	/* defining */
	{"add_column", B | A},
	{"alter_column", B | A},
	{"check", B | A},
	{"clear_injections", B | A},
	{"create_*", B | A},
	{"delete_*", B | A},
	{"drop_column", B | A},
	{"duplicate_input_table", B | A},
	{"export_app", B | A},
	{"import_app", B | A},
	{"import_layout", B | A},
	{"inject", B | A},
	{"move_layout_element", B | A},
	{"pause_*", B | A},
	{"rename_column", B | A},
	{"resume_*", B | A},
	{"run_due", B | A},
	{"run_scheduled", B | A},
	{"run_tests", B | A},
	{"sync_warehouse", B | A},
	{"typescript", B | A},
	{"update_*", B | A},
	{NULL}
};

const AccessRule sigma_access_rules[] = {
	/* of one table's level only that table's row shows: the row security of the script */
	{"sigma_input_tables", "SELECT", NULL, V | E | B | A, .workbook = true},
	{"sigma_input_tables", "SELECT", "*", V | E | B | A, .unless_workbook = true},
	{"sigma_input_tables", "INSERT, UPDATE, DELETE", NULL, B | A},
	{"sigma_layout_elements", "SELECT", NULL, V | E | B | A},
	{"sigma_layout_elements", "INSERT, UPDATE, DELETE", NULL, B | A},
	{"sigma_actions", "SELECT", NULL, V | E | B | A},
	{"sigma_actions", "INSERT, UPDATE, DELETE", NULL, B | A},
	{"sigma_action_sequences", "SELECT", NULL, V | E | B | A},
	{"sigma_action_sequences", "INSERT, UPDATE, DELETE", NULL, B | A},
	{"sigma_tests", "SELECT, INSERT, UPDATE, DELETE", NULL, B | A},
	{"sigma_schedules", "SELECT", NULL, B | A},
	{"sigma_row_events", "SELECT, DELETE", NULL, A},
	{"sigma_variables", "SELECT", NULL, V | E | B | A},
	{"sigma_variables", "UPDATE", "value", E},
	{"sigma_variables", "INSERT, UPDATE, DELETE", NULL, B | A},
	{"sigma_variable_values", "SELECT", NULL, V | E | B | A},
	{"sigma_variable_values", "INSERT, UPDATE", NULL, E | B | A},
	{"sigma_variable_values", "DELETE", NULL, B | A},
	/* a right on the columns: row security leaves the role its own runs, and definitions */
	{"sigma_execution_history", "SELECT", "*", E | B},
	{"sigma_execution_history", "SELECT, DELETE", NULL, A},
	/* who delivers messages reads them, marks them or takes them out */
	{"sigma_outbox", "SELECT, UPDATE, DELETE", NULL, A},
	{"sigma_audit", "SELECT", "*", B},
	{"sigma_audit", "SELECT", NULL, A},
	{NULL}
};

/* Does a role of that state have the right? */
bool
sigma_access_rule_holds(const AccessRule *rule, AccessState state)
{
	if (rule->unless_workbook && (state.everywhere & rule->levels) != 0)
		return false;
	return ((rule->workbook ? state.everywhere : state.somewhere) & rule->levels) != 0;
}

/* The levels that may execute a function of schema sigma. */
int
sigma_access_function_levels(const char *name)
{
	const FunctionLevels *row;

	for (row = function_levels; row->name != NULL; row++)
	{
		size_t		length = strlen(row->name);

		if (row->name[length - 1] == '*' ? strncmp(name, row->name, length - 1) == 0 :
			strcmp(name, row->name) == 0)
			return row->levels;
	}
	return A;
}

/* The levels that may use one of the three schemas. */
int
sigma_access_schema_levels(const char *name)
{
	if (strcmp(name, "sigma") == 0)
		return V | E | B | A;
	if (strcmp(name, "sigma_views") == 0)
		return V | E;
	return E | A;
}

/* What a set of levels may do with a relation of an input table, or NULL. */
const char *
sigma_access_relation_privileges(AccessRelation relation, int levels)
{
	switch (relation)
	{
		case ACCESS_DATA:
			if (levels & E)
				return levels & A ? "SELECT, INSERT, UPDATE, DELETE, TRUNCATE" : "SELECT, INSERT, UPDATE, DELETE";
			return levels & A ? "TRUNCATE" : NULL;
		case ACCESS_LOG:
			return levels & (E | A) ? "SELECT" : NULL;
		case ACCESS_ENTRIES:
			return levels & E ? "SELECT" : NULL;
		case ACCESS_VIEW:
			return levels & (V | E) ? "SELECT" : NULL;
	}
	return NULL;
}
