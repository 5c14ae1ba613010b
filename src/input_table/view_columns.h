/*
 * view_columns.h
 *		What a warehouse view selects: view.c makes the views of it.
 */
#ifndef SIGMA_VIEW_COLUMNS_H
#define SIGMA_VIEW_COLUMNS_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "input_table/define.h"

#define VIEWS_SCHEMA	"sigma_views"

/* One column of a view. */
typedef struct ViewColumn
{
	const char *name;
	const char *expression;		/* over the rows "r" */
	const char *problem;		/* why it is null instead of what its formula says, or NULL */
} ViewColumn;

extern List *sigma_view_columns(const TableDefinition *table, char **rows);
extern List *sigma_view_columns_ordered(List *columns, Oid relid);
extern char *sigma_view_query(List *columns, const char *rows);
extern char *sigma_view_null_column(Oid relid, AttrNumber attnum);
extern int	sigma_view_mark_columns(List *columns, Oid relid, const char **problem);

#endif							/* SIGMA_VIEW_COLUMNS_H */
