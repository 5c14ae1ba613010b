/*
 * computed.h
 *		A definition's columns as formulas see them, and its computed columns.
 *
 * computed.c       columns of definitions and of relations, as rows of formulas
 * computed_view.c  computed columns in SQL, over the published rows
 */
#ifndef SIGMA_COMPUTED_H
#define SIGMA_COMPUTED_H

#include "postgres.h"

#include "common/json.h"
#include "common/value.h"
#include "formula/compile.h"

/* computed.c: called once, when the library is loaded */
extern void sigma_computed_init(void);

/* The formula of a column, a node of its document; NULL for one that is entered. */
extern JsonNode *sigma_column_formula(const JsonNode *column);

/*
 * The row that rules see: the columns of the definition, whether or not the data table
 * has them yet, computed ones as their formulas.  System columns, which are not set
 * when rules are checked, only where "system" is given, and with them what a linked
 * table shows of its source.  In the current context.
 */
extern FormulaRelation *sigma_definition_row(JsonNode *definition, bool system);

/* Fill in a system column, by its name. */
extern void sigma_computed_system_column(FormulaColumn *column, const char *name);

/* The formula of a default {"formula": ...}; NULL for a value. */
extern JsonNode *sigma_default_formula(const JsonNode *value);

/* A default formula at "path" as SQL of a column's type: 42804 where it yields another kind of value, 0A000 where it reads one. */
extern FormulaSql *sigma_default_compile(const char *path, const char *text, ColumnType type, bool saving);

/* The form in which a column of that type lies in SQL. */
extern SqlForm sigma_column_form(ColumnType type);

/* Raise SG400, 42804 and whatever else is wrong with the computed columns of a definition that is about to be stored. */
extern void sigma_computed_check(JsonNode *definition, bool restoring);

/* A computed column in SQL. */
typedef struct ComputedColumn
{
	const char *name;
	int			place;			/* in the definition's list of columns */
	char	   *expression;		/* over "r", of its declared type */
	char	   *problem;		/* why that is null, or NULL */
} ComputedColumn;

/* The computed columns of a table, and the rows that they are computed of. */
typedef struct ComputedRows
{
	int			count;
	ComputedColumn *columns;	/* in the order of the definition */
	char	   *from;			/* an item of FROM, without alias */
} ComputedRows;

/*
 * computed_view.c: over "from", an item of FROM that yields the columns of the
 * definition and the system's.  A linked table's view reads with its reader's rights, so
 * it reads other input tables by their warehouse views.  "tolerant": a formula that cannot be compiled, since what it
 * names is gone or of another type, is null, and so is what names that column.
 */
extern ComputedRows *sigma_computed_rows(JsonNode *definition, const char *from, bool tolerant);

/*
 * 42501 where the caller may not select what computed columns read: the view would show
 * it to him.  Of formulas that are as they were in "before" (or NULL), relations that
 * are in "known", which the view read until now, need no right: a name may mean another
 * relation than it did.  The data table is there.
 */
extern void sigma_computed_check_rights(JsonNode *definition, JsonNode *before, const char *from, List *known,
										bool tolerant);

/*
 * 42501 at a node where the caller may not select what a query reads, which is analysed
 * as the owner of schema sigds.
 */
extern void sigma_check_select_rights(const JsonNode *where, const char *sql);

/* Is it an input table's id or display name? */
extern bool sigma_formula_is_input_table(const char *name);

/* Are input tables being read as they are published? */
extern bool sigma_reading_published;

/*
 * What shows an input table's rows to the current role: its data table (or the view of a
 * linked one) where it may read that, but its warehouse view for a role that may read
 * only that, or one whose mode is "published" where the table is edited in draft.
 */
extern Oid	sigma_shown_oid(const char *id);
/* ... and by their warehouse views, since it is the reader whose rights count? */
extern bool sigma_reading_views;

#endif							/* SIGMA_COMPUTED_H */
