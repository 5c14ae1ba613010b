/*
 * linked.h
 *		Linked tables: entry columns beside the rows of something else.
 *
 * What is entered stands in sigds.sigds_entry_<id>, a data table like any other whose
 * last columns are the key; people work with the view sigds.sigds_<id>, which joins it
 * to the distinct keys of the source.
 *
 * linked.c        definitions: source, keys, checks
 * linked_views.c  the views
 * linked_write.c  their triggers: from updates of the view to entries
 * linked_entry.c  handle_data_entry by key
 * linked_admin.c  orphans, sync_warehouse
 */
#ifndef SIGMA_LINKED_H
#define SIGMA_LINKED_H

#include "postgres.h"

#include "nodes/pg_list.h"

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

/* linked.c */
extern bool sigma_is_linked(const JsonNode *document);
extern List *sigma_linked_keys(const JsonNode *document);
extern JsonNode *sigma_linked_document(JsonNode *document);
extern void sigma_linked_check(JsonNode *document, const JsonNode *before, bool restoring);
extern bool sigma_linked_source(const JsonNode *document, LinkedSource *source);
extern bool sigma_linked_key_type(Oid type, ColumnType *result);
extern char *sigma_linked_key_value(ColumnType type, Oid relid, const char *column, const char *expression);
extern char *sigma_linked_key_parts(ColumnType type, const char *expression);

/* linked_views.c */
extern void sigma_linked_views_begin(const char *id, ViewChange *view);
extern bool sigma_linked_views_finish(const TableDefinition *table, ViewChange *view);
extern List *sigma_linked_suspend(const char *id);
extern void sigma_linked_resume(List *suspended);
extern char *sigma_linked_drift(const TableDefinition *table, Oid relid);
extern bool sigma_linked_views_whole(const char *id);
extern char *sigma_linked_key_index(const TableDefinition *table);

extern char *sigma_linked_match(const TableDefinition *table, Oid relid);

/* linked_admin.c */
extern int64 sigma_linked_count_orphans(const char *id);
extern bool sigma_linked_readable(const JsonNode *document);

/* linked_entry.c */
extern bool sigma_linked_find(const InputTable *table, Datum *keys, bool *nulls, int64 *row_id);

#endif							/* SIGMA_LINKED_H */
