/*
 * view_columns.c
 *		What a warehouse view selects: its columns, and the published rows.
 *
 * A computed column whose formula cannot be compiled is null, and the comment of the
 * view's column says why: by it the column is known for broken, in a dump too.
 *
 * Nothing is locked here; what is allocated is in the current context.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "common/spi.h"
#include "compat.h"
#include "input_table/computed.h"
#include "input_table/define.h"
#include "input_table/linked.h"
#include "input_table/published.h"
#include "input_table/view_columns.h"

#define BROKEN_MARK		"not computed: "

static const char *const system_columns[] = {
	"sigma_row_id", "sigma_created_at", "sigma_updated_at", "sigma_created_by", "sigma_updated_by"
};

static ViewColumn *new_column(const char *name, const char *expression);
static char *published_rows(const TableDefinition *table);
static bool is_marked(Oid relid, AttrNumber attnum);

/* ------------------------------------------------------------------------
 * Columns and rows
 * ------------------------------------------------------------------------ */

/*
 * The select list of a table's view as a List of ViewColumn: the columns of the
 * definition in its order, behind what a linked table shows of its source, then the
 * system's.  Expressions are over "r", the rows that *rows becomes: the published ones,
 * with what computed columns need beside them.
 */
List *
sigma_view_columns(const TableDefinition *table, char **rows)
{
	ComputedRows *computed = sigma_computed_rows(table->document, sigma_view_rows(table), true);
	List	   *columns = NIL;
	bool		linked = table->nkey > 0;
	int			entered = 0;
	int			done = 0;
	ListCell   *lc;
	int			i;

	*rows = computed->from;
	foreach(lc, linked ? sigma_linked_columns(table) : NIL)
		columns = lappend(columns, new_column(((LinkedKey *) lfirst(lc))->name, NULL));
	for (i = 0; i < table->ncolumn - table->nkey + computed->count; i++)
	{
		if (done < computed->count && computed->columns[done].place == i)
		{
			columns = lappend(columns, new_column(computed->columns[done].name, computed->columns[done].expression));
			((ViewColumn *) llast(columns))->problem = computed->columns[done].problem;
			done++;
		}
		else
			columns = lappend(columns, new_column(table->columns[entered++].name, NULL));
	}
	for (i = linked ? 1 : 0; i < lengthof(system_columns); i++)	/* rows of a linked table have no id */
		columns = lappend(columns, new_column(system_columns[i], NULL));
	return columns;
}

/* A column of a view; without an expression, the column of the rows. */
static ViewColumn *
new_column(const char *name, const char *expression)
{
	ViewColumn *column = palloc(sizeof(ViewColumn));

	column->name = name;
	column->problem = NULL;
	column->expression = expression != NULL ? expression : psprintf("r.%s", quote_identifier(name));
	return column;
}

/*
 * The published rows of a table that the reader may see, as an item of FROM, without
 * alias: all columns that are entered, and the system's.  What is computed over several
 * rows is computed over these.
 */
char *
sigma_view_rows(const TableDefinition *table)
{
	char	   *filter;
	char	   *rows;

	if (table->nkey > 0)
		return sigma_linked_view_rows(table);
	filter = sigma_row_filter_sql(table, "r");
	rows = published_rows(table);
	return filter == NULL ? rows : psprintf("(SELECT r.* FROM %s r WHERE %s)", rows, filter);
}

/* The same without the filter. */
static char *
published_rows(const TableDefinition *table)
{
	StringInfoData columns;
	int			i;

	if (!sigma_is_draft(table))
		return sigma_ddl_name(table->relation);
	initStringInfo(&columns);
	for (i = 0; i < table->ncolumn; i++)
		appendStringInfo(&columns, "r.%s, ", quote_identifier(table->columns[i].name));
	for (i = 0; i < lengthof(system_columns); i++)
		appendStringInfo(&columns, "%sr.%s", i == 0 ? "" : ", ", system_columns[i]);
	return psprintf("(%s)", sigma_published_rows(table->id, columns.data));
}

/* The query of a view with these columns of these rows. */
char *
sigma_view_query(List *columns, const char *rows)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	foreach(lc, columns)
	{
		ViewColumn *column = lfirst(lc);

		appendStringInfo(&sql, "%s%s AS %s", lc == list_head(columns) ? "" : ", ",
						 column->expression, quote_identifier(column->name));
	}
	appendStringInfo(&sql, " FROM %s r", rows);
	return sql.data;
}

/* The columns in the order of a view that exists, new ones last: what CREATE OR REPLACE VIEW takes. */
List *
sigma_view_columns_ordered(List *columns, Oid relid)
{
	Relation	view = table_open(relid, NoLock);
	TupleDesc	desc = RelationGetDescr(view);
	List	   *ordered = NIL;
	ListCell   *lc;
	int			i;

	for (i = 0; i < desc->natts; i++)
		foreach(lc, columns)
		{
			ViewColumn *column = lfirst(lc);

			if (strcmp(column->name, NameStr(TupleDescAttr(desc, i)->attname)) == 0)
			{
				ordered = lappend(ordered, column);
				columns = foreach_delete_current(columns, lc);
				break;
			}
		}
	table_close(view, NoLock);
	return list_concat(ordered, columns);
}

/* ------------------------------------------------------------------------
 * Columns that cannot be computed
 * ------------------------------------------------------------------------ */

/* A null that can take the place of a column of a view. */
char *
sigma_view_null_column(Oid relid, AttrNumber attnum)
{
	Oid			type;
	int32		typmod;
	Oid			collation;
	char	   *collate = "";

	get_atttypetypmodcoll(relid, attnum, &type, &typmod, &collation);
	if (OidIsValid(collation))
		collate = psprintf(" COLLATE %s", generate_collation_name(collation));
	return psprintf("NULL::%s%s", format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY),
					collate);
}

/*
 * Say in the comments of a view's columns which are null because their formulas cannot be
 * computed, and why.  Returns how many, and the first reason in *problem.
 */
int
sigma_view_mark_columns(List *columns, Oid relid, const char **problem)
{
	char	   *name = quote_qualified_identifier(VIEWS_SCHEMA, get_rel_name(relid));
	int			broken = 0;
	ListCell   *lc;

	foreach(lc, columns)
	{
		ViewColumn *column = lfirst(lc);

		if (column->problem == NULL && !is_marked(relid, get_attnum(relid, column->name)))
			continue;
		if (column->problem != NULL && broken++ == 0)
			*problem = psprintf("Column \"%s\": %s.", column->name, column->problem);
		sigma_ddl_run("COMMENT ON COLUMN %s.%s IS %s", name, quote_identifier(column->name),
					  column->problem == NULL ? "NULL" : quote_literal_cstr(psprintf(BROKEN_MARK "%s", column->problem)));
	}
	return broken;
}

/* Does the comment of a column say that it cannot be computed? */
static bool
is_marked(Oid relid, AttrNumber attnum)
{
	char	   *comment = GetComment(relid, RelationRelationId, attnum);

	return comment != NULL && strncmp(comment, BROKEN_MARK, strlen(BROKEN_MARK)) == 0;
}

/* How many columns of a view are null because their formulas could not be computed when it was made? */
int
sigma_view_broken(Oid relid)
{
	Relation	view = table_open(relid, AccessShareLock);
	int			broken = 0;
	int			i;

	for (i = 1; i <= RelationGetNumberOfAttributes(view); i++)
		if (is_marked(relid, i))
			broken++;
	table_close(view, NoLock);
	return broken;
}

/* What is wrong now with the computed columns of a table, as a List of char *. */
List *
sigma_view_problems(const TableDefinition *table)
{
	char	   *rows;
	List	   *problems = NIL;
	ListCell   *lc;

	foreach(lc, sigma_view_columns(table, &rows))
	{
		ViewColumn *column = lfirst(lc);

		if (column->problem != NULL)
			problems = lappend(problems, psprintf("computed column \"%s\": %s", column->name, column->problem));
	}
	return problems;
}

/* The columns that the table's view lacks, as a List of names; the view is there. */
List *
sigma_view_missing_columns(const TableDefinition *table)
{
	Oid			view = sigma_view_oid(table->id);
	char	   *rows;
	List	   *missing = NIL;
	ListCell   *lc;

	foreach(lc, sigma_view_columns(table, &rows))
	{
		const ViewColumn *column = lfirst(lc);

		if (get_attnum(view, column->name) == InvalidAttrNumber)
			missing = lappend(missing, unconstify(char *, column->name));
	}
	return missing;
}
