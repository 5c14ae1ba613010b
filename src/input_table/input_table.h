/*
 * input_table.h
 *		What the floors above may know of input tables: their compiled form and its rules.
 */
#ifndef SIGMA_INPUT_TABLE_H
#define SIGMA_INPUT_TABLE_H

#include "postgres.h"

#include "access/attnum.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"

#include "common/json.h"
#include "common/session.h"
#include "common/value.h"
#include "compat.h"
#include "input_table/edit_log.h"

typedef struct Check Check;		/* one rule of one column; rules.c knows its inside */
typedef struct FormulaRule FormulaRule; /* formula_rules.c knows its inside */
typedef struct FormulaRun FormulaRun;
typedef struct ListRule ListRule;	/* values_from.c knows its inside */
typedef struct ListRun ListRun;

/* One column that users see. */
typedef struct TableColumn
{
	const char *name;			/* also the physical column's */
	const char *id;				/* its identity, 10 characters */
	ColumnType	type;
	AttrNumber	attnum;			/* InvalidAttrNumber: dropped under us */
	bool		editable;		/* false: only defaults, imports and runs write it */
	bool		is_protected;	/* nobody writes it, no row is inserted */
	bool		required;		/* NULL is refused (severity error) */
	bool		has_default;
	Datum		default_value;
	FormulaRule *default_formula;	/* or NULL: then there is no default_value */
	bool		unique;			/* by itself */
	bool		unique_ignore_case;
	bool		in_key;			/* a part of one of table->keys */
	int			ncheck;
	Check	   *checks;			/* in the order in which failures are reported */
} TableColumn;

/* Columns whose values together occur once: of rule "unique" of one column, or of a rule of the row. */
typedef struct UniqueKey
{
	int			column;			/* whose rule it is: its place, or -1: the row's */
	int			ncolumn;
	int		   *columns;		/* places in table->columns, in the order of the index */
	bool		ignore_case;	/* of its texts */
	const char *constraint;		/* of a row rule: what errors call it */
	const char *message;
	bool		own_message;
	Oid			index;			/* or InvalidOid */
	Oid		   *equal;			/* functions of the index's equality operators */
} UniqueKey;

/*
 * One input table, compiled from its catalog row.  Read-only, replaced as a whole
 * after an invalidation; a caller may hold it until transaction end.
 */
typedef struct InputTable
{
	MemoryContext cxt;
	Oid			relid;			/* the data table */
	const char *id;
	const char *name;			/* display name; the id where it has none */
	EntryMode	permission;		/* MODE_DRAFT or MODE_PUBLISHED */
	int64		max_rows;		/* 0: no limit */
	bool		allow_bulk;
	bool		any_protected;
	int			ncolumn;
	TableColumn *columns;		/* in the order of the definition; those of a linked table's key behind */
	int		   *key_order;		/* their places in the order in which a jsonb object has their names */
	int			nlinked;		/* of them: the key of a linked table, whose entries "relid" holds */
	int			nkey;
	UniqueKey  *keys;			/* unique rules: of columns in their order, then of the row */
	int			ncomputed;
	const char **computed;		/* names of computed columns, which the data table does not have */
	int			nlist;
	ListRule  **lists;			/* rules whose values stand elsewhere */
	bool		any_default_formula;
	int			nformula;
	FormulaRule *formulas;		/* rules that are formulas: of columns in their order, then of the row */
	bool		audit;			/* the edit log is kept */
	EditLog		log;
	AttrNumber	row_id;			/* sigma_row_id */
	AttrNumber	created_at;
	AttrNumber	updated_at;
	AttrNumber	created_by;
	AttrNumber	updated_by;
	Oid			row_sequence;
} InputTable;

/* One failed check. */
typedef struct Failure
{
	int			row;			/* 0-based place in the input, or -1 */
	int64		line;			/* 1-based line of a CSV file, or 0 */
	int64		row_id;			/* of an existing row, or 0 */
	const char *column;			/* NULL: the row as a whole */
	AttrNumber	attnum;
	const char *rule;			/* "required", "max" ... "type", "stale", "column" */
	bool		warning;		/* severity warn */
	const char *value;			/* as text; NULL for null */
	const char *constraint;		/* of a row rule: what errors call it; else NULL */
	const char *message;		/* the rule's own or a made one */
	bool		own_message;	/* a sentence of the document, not one that goes on "Column ..." */
	int64		conflicts_with;	/* row id that holds the unique value, or 0 */
} Failure;

/* How far an import is. */
typedef struct ImportProgress
{
	Oid			relid;			/* the data table */
	const char *table;			/* its display name */
	bool		read_only;		/* nothing will be written */
	int64		bytes;			/* of the input */
	int64		rows;			/* to be written */
	int64		written;
	int			shown;			/* tenths of the way */
} ImportProgress;

/* What rules of severity warn say of the rows that a run writes; the run's own. */
typedef struct RowWarnings
{
	MemoryContext cxt;
	int			step;			/* of the run, for those that come next */
	int			most;			/* that are kept */
	int64		count;			/* kept or not */
	List	   *items;			/* of RowWarning */
} RowWarnings;

typedef struct RowWarning
{
	int			step;
	const char *table;			/* id of the input table */
	Failure		failure;		/* without a value that the writer may not read */
} RowWarning;

/* rules.c */
extern const InputTable *sigma_input_table(Oid relid);	/* NULL: not an input table's data table */
extern const InputTable *sigma_input_table_by_id(const char *id);	/* SG404 */
extern const TableColumn *sigma_table_column(const InputTable *table, const char *name);	/* NULL: none; exact first, then ignoring case and blanks where unique */
extern bool sigma_table_is_computed(const InputTable *table, const char *name);	/* a column that nobody writes: say SG423 instead */
extern void sigma_column_not_found(const InputTable *table, const char *name) pg_attribute_noreturn();	/* SG404-like 42703 with the nearest name as hint */

/*
 * Check one row: values[i], nulls[i] belong to table->columns[i]; "changed" (NULL: all)
 * says which columns to check.  Failures, warnings included, are appended to *failures
 * (allocated in the current context).  Returns the number of errors among them.
 * "unique" is checked by sigma_table_conflict, not here.
 */
extern int	sigma_table_check(const InputTable *table, const Datum *values, const bool *nulls,
							  const bool *changed, List **failures);

/*
 * Unique rules.  The values of a key, in its own order, from those of a row (by place
 * in table->columns); false where one is null, which conflicts with nothing.
 */
extern bool sigma_key_values(const UniqueKey *key, const Datum *values, const bool *nulls, Datum *result);

/* Row id of the visible row other than "row_id" that holds the values, or 0. */
extern int64 sigma_table_conflict(const InputTable *table, const UniqueKey *key, const Datum *values, int64 row_id);

/* Are the values short enough for the index? */
extern bool sigma_key_fits(const InputTable *table, const UniqueKey *key, const Datum *values);

/* Is the text of that column of a key folded? */
extern bool sigma_key_folds(const InputTable *table, const UniqueKey *key, int i);

/* The failure as a document; value and conflicts_with only where the caller may read the column. */
extern void sigma_failure_push(JsonbParseState **state, const InputTable *table, const Failure *failure, bool may_read);
extern bool sigma_may_read(const InputTable *table, AttrNumber attnum);
extern bool sigma_may_select(const InputTable *table, AttrNumber attnum);

/*
 * Compile the rules of a definition that is about to be stored: raises SG400 at the
 * node where a rule does not fit its type, a pattern is bad, min > max, a default breaks
 * its own rule.  "definition" is a canonical input table document.
 */
extern void sigma_table_check_definition(JsonNode *definition);

/* How many rows of the data table break the rules of "definition" (sample in *failures, at most 10). */
extern int64 sigma_table_count_failures(const InputTable *table, List **failures);

/*
 * limits.c: take a table's row counter away, as its limit is another one now; the next
 * writer counts anew.  The caller holds a lock on the data table that keeps writers
 * out: one who holds the counter while he waits for the table would wait for ever.
 */
extern void sigma_limits_forget_count(const char *id);

/* info.c: 42501 where the caller may not see the definition, SG404 where there is none */
extern void sigma_table_check_visible(const char *id);

/* view.c: the warehouse view, or InvalidOid */
extern Oid	sigma_view_oid(const char *id);

/* definition.c: what governance_config says of the edit log */
extern void sigma_governance_audit(const JsonNode *document, bool *audit, bool *chained);

/* statement.c: called once, when the library is loaded */
extern void sigma_statement_init(void);

/*
 * Linked tables, whose rows are those of a view: the view (55000 while there is none), what
 * it shows of the source beside what is entered, and how values of a key are compared there.
 */
extern Oid	sigma_linked_view(const char *id);
extern bool sigma_linked_shows(const InputTable *table, const char *name, ColumnType *type, const char **expression);
extern char *sigma_linked_key_value(ColumnType type, Oid relid, const char *column, const char *expression);
extern char *sigma_linked_key_cast(ColumnType type, Oid given);

#endif							/* SIGMA_INPUT_TABLE_H */
