/*
 * document_hooks.h
 *		What the tables of documents cannot say: the hooks they name.
 *
 * "begin" runs after respelling and before the keys are read, "finish" after
 * them; "read" brings one value into its canonical form.  All raise SG400.
 */
#ifndef SIGMA_DOCUMENT_HOOKS_H
#define SIGMA_DOCUMENT_HOOKS_H

#include "common/document_specs.h"

extern const EnumSpec sigma_column_type_names;
extern const EnumSpec sigma_variable_type_names;
extern const EnumSpec sigma_link_names;
extern const ObjectSpec sigma_linked_column_spec;
extern const ObjectSpec sigma_border_spec;
extern const KeySpec sigma_action_keys[];

#define SIGMA_GRID_COLUMNS	24	/* of a page; containers have 6, 12 or 24 */

/* document_fold.c: input tables and what they hold */
extern void sigma_begin_input_table(JsonNode *table, int flags);
extern void sigma_finish_input_table(JsonNode *table, int flags);
extern void sigma_begin_column(JsonNode *column, int flags);
extern void sigma_finish_column(JsonNode *column, int flags);
extern void sigma_begin_linked_column(JsonNode *column, int flags);
extern void sigma_finish_linked_column(JsonNode *column, int flags);
extern void sigma_finish_row_rule(JsonNode *rule, int flags);
extern JsonNode *sigma_read_unique(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_limit(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_list_value(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_default(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_column_name(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_linked_column(const KeySpec *key, JsonNode *value, int flags);

/* document_actions.c: actions, sequences and triggers */
extern void sigma_begin_sequence(JsonNode *sequence, int flags);
extern void sigma_finish_sequence(JsonNode *sequence, int flags);
extern void sigma_finish_trigger(JsonNode *trigger, int flags);
extern void sigma_begin_action(JsonNode *action, int flags);
extern void sigma_finish_action(JsonNode *action, int flags);
extern void sigma_begin_branch(JsonNode *branch, int flags);
extern JsonNode *sigma_read_link(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_body(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_arguments(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_given_context(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_loop_rows(const KeySpec *key, JsonNode *value, int flags);

/* document_controls.c: controls */
extern void sigma_begin_control(JsonNode *element, int flags);
extern void sigma_finish_control(JsonNode *control, int flags);

/* document_elements.c: layout elements */
extern void sigma_begin_element(JsonNode *element, int flags);
extern void sigma_finish_element(JsonNode *element, int flags);
extern void sigma_begin_tab(JsonNode *tab, int flags);
extern void sigma_finish_grid(JsonNode *grid, int flags);
extern bool sigma_grid_is_settled(JsonbContainer *grid);
extern const KeySpec *const *sigma_element_settings(const JsonNode *element);
extern JsonNode *sigma_read_density(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_border(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_gap(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_names(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_filter(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_default_tab(const KeySpec *key, JsonNode *value, int flags);

#endif							/* SIGMA_DOCUMENT_HOOKS_H */
