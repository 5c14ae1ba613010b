/*
 * linked.h
 *		Linked tables: entry columns beside the rows of something else.
 *
 * What is entered stands in sigds.sigds_entry_<id>, a data table like any other whose
 * last columns are the key; people work with the view sigds.sigds_<id>, which joins it
 * to the distinct keys of the source.
 *
 * linked.c        definitions: source, keys, checks
 * linked_sql.c    keys, the source's rows and the entries in SQL
 * linked_rows.c   the rows as formulas see them: computed columns, row filters
 * linked_views.c  the views
 * linked_write.c  their triggers: from updates of the view to entries
 * linked_entry.c  handle_data_entry by key
 * linked_admin.c  orphans, and the state that the catalog shows
 */
#ifndef SIGMA_LINKED_H
#define SIGMA_LINKED_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/relcache.h"

#include "formula/compile.h"
#include "input_table/define.h"
#include "input_table/input_table.h"

/* One column of a key. */
typedef struct LinkedKey
{
	const char *column;			/* of the source */
	const char *name;			/* here */
	JsonNode   *node;			/* in the document */
} LinkedKey;

/* Where the rows of a linked table come from. */
typedef struct LinkedSource
{
	Oid			relid;			/* what editors see */
	Oid			published;		/* what readers of the warehouse view see */
} LinkedSource;

/* Which rows of an input name which rows of a linked table; linked_entry.c knows its inside. */
typedef struct LinkedRows LinkedRows;

/* The trigger of the view that is edited, which carries the table's id. */
#define LINKED_TRIGGER	"sigma_0_linked_row"

/* linked.c */
extern bool sigma_is_linked(const JsonNode *document);
extern List *sigma_linked_keys(const JsonNode *document);
extern JsonNode *sigma_linked_document(JsonNode *document);
extern void sigma_linked_check(JsonNode *document, const JsonNode *before, bool restoring);
extern bool sigma_linked_source(const JsonNode *document, LinkedSource *source);
extern bool sigma_linked_key_type(Oid type, ColumnType *result);

/* linked_sql.c */
#define LINKED_STAMPS	4

extern const char *const sigma_linked_stamps[LINKED_STAMPS];
extern const ColumnDefinition *sigma_linked_key_column(const TableDefinition *table, int key);
extern char *sigma_linked_key_search(ColumnType type, Oid given, const char *value);
extern char *sigma_linked_key_parts(ColumnType type, const char *expression);
extern char *sigma_linked_key_index(const TableDefinition *table);
extern char **sigma_linked_keys_of(const TableDefinition *table, Oid relid, const char *alias, bool named);
extern char *sigma_linked_match(const TableDefinition *table, const char *alias, char **values);
extern char *sigma_linked_search(const TableDefinition *table, Oid relid, const char *alias, const char *entry);
extern char *sigma_linked_drift(const TableDefinition *table, Oid relid);
extern char *sigma_linked_source_query(const TableDefinition *table, Oid relid);
extern List *sigma_linked_columns(const TableDefinition *table);
extern const char *sigma_linked_new_name(JsonNode *before, JsonNode *after, const char *name);
extern char *sigma_linked_rows_query(const TableDefinition *table, Oid relid, const char *entries, bool barrier);

/* linked_rows.c */
extern FormulaRelation *sigma_linked_row(JsonNode *definition, bool stamps);
extern char *sigma_linked_view_rows(const TableDefinition *table);
extern List *sigma_linked_order(const JsonNode *definition);
extern char *sigma_linked_entry_condition(const TableDefinition *table, Oid relid, const char *outer, bool edits);
extern bool sigma_linked_filter_reads_entries(const TableDefinition *table);
extern bool sigma_linked_filter_reads_source(const TableDefinition *table, bool edits);

/* linked_views.c */
extern void sigma_linked_views_begin(const char *id, ViewChange *view);
extern bool sigma_linked_views_finish(const TableDefinition *table, ViewChange *view);
extern List *sigma_linked_suspend(const char *id);
extern void sigma_linked_resume(List *suspended);
extern bool sigma_linked_views_whole(const char *id);
extern char *sigma_linked_view_id(Relation rel);

/* linked_admin.c */
extern void sigma_linked_set_status(const char *id, const char *status);
extern int64 sigma_linked_count_orphans(const char *id);
extern bool sigma_linked_readable(const JsonNode *document);

/* linked_entry.c */
extern bool sigma_linked_find(const InputTable *table, Datum *keys, bool *nulls, int64 *row_id);
extern LinkedRows *sigma_linked_rows(const InputTable *table);
extern int	sigma_linked_rows_add(LinkedRows *rows, int row, const Datum *keys, const bool *nulls);
extern void sigma_linked_rows_push(const LinkedRows *rows, int row, JsonbParseState **state);

#endif							/* SIGMA_LINKED_H */
