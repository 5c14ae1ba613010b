/*
 * data.h
 *		What the files of data_modification steps share; nobody else includes it.
 *
 * data.c           from documents to statements
 * data_key.c       which row upsert_row means
 * data_selector.c  which rows: selectors as WHERE clauses
 * data_formula.c   formulas over the rows: selectors, and values that read the row
 * data_run.c       binding values and running the statements
 */
#ifndef SIGMA_DATA_H
#define SIGMA_DATA_H

#include "postgres.h"

#include "executor/spi.h"
#include "lib/stringinfo.h"

#include "action/action.h"
#include "action/reference.h"
#include "action/row_source.h"
#include "formula/compile.h"
#include "input_table/input_table.h"

/* Where a parameter's value comes from. */
typedef enum ParameterKind
{
	PARAMETER_VALUE,			/* one value */
	PARAMETER_LIST,				/* an array: one value counts as a list of one, null as an empty one */
	PARAMETER_SELECTION,		/* of the selected rows: their row ids, or a key column */
	PARAMETER_CURRENT_ROW		/* the same of the one selected row */
} ParameterKind;

typedef struct Parameter
{
	ParameterKind kind;
	const char *column;			/* for messages */
	ColumnType	type;
	const ValueSource *source;
	bool		is_constant;	/* "value" holds it */
	Datum		value;
	bool		isnull;
} Parameter;

/* A formula in a statement: which rows, or what a column becomes. */
typedef struct RowFormula
{
	const char *text;
	const char *column;			/* that takes its value */
	int			column_type;	/* the column's ColumnType; -1: it is a condition */
	int			at;				/* its place in the statement's SQL */
} RowFormula;

/* The formulas of a statement; their SQL depends on the kinds of values that a run has. */
typedef struct RowFormulas
{
	Oid			relid;			/* whose rows they read, where there is no source */
	RowSource  *source;			/* the rows that an INSERT takes, or NULL */
	const char *alias;			/* of the rows */
	bool		reads;			/* other tables too */
	FormulaParameters *parameters;	/* numbered after those of the statement */
	uint64		generation;		/* of the relations, when the plan was made */
	List	   *locks;			/* relations that are locked before that is compared */
	List	   *items;			/* of RowFormula, in the order of their places */
} RowFormulas;

/* One statement; the plan is made when it is first needed. */
typedef struct Statement
{
	const char *sql;
	RowFormulas *formulas;		/* that belong into "sql", or NULL */
	int			count;
	Parameter  *parameters;
	Oid		   *types;
	int			expected;		/* SPI_OK_... */
	SPIPlanPtr	plan;
	uint64		generation;		/* then, where there are relations to be locked before it is run */
	List	   *locks;
} Statement;

typedef struct DataStep
{
	DataCode	code;
	const char *table;			/* id of the input table */
	bool		one_row;		/* more than one matching row is an error */
	bool		linked;			/* upsert_row of a linked table: no row can be inserted */
	Statement	main;
	Statement	insert;			/* upsert_row where no row matched */
	MemoryContextCallback cleanup;
} DataStep;

/* A statement while its text is made. */
typedef struct Builder
{
	CompileState *state;
	const InputTable *table;
	StringInfoData sql;
	Parameter  *parameters;
	int			count;
	int			capacity;
	RowFormulas *formulas;		/* that belong into "sql", or NULL */
	RowSource  *source;			/* the rows that an INSERT takes, or NULL */
} Builder;

/* A column as a selector may name it: one of the table's or a system column. */
typedef struct SelectorColumn
{
	const char *name;
	const char *expression;		/* in SQL */
	ColumnType	type;
	bool		ignore_case;
	const char *source;			/* of a linked table's key, as its source has it: an index may serve it, ... */
	const char *cast;			/* ... compared with a value with this cast; else NULL */
} SelectorColumn;

/* data.c: the next parameter; returns its number.  SG400 where a static value does not fit. */
extern int	sigma_data_parameter(Builder *builder, ParameterKind kind, const char *column, ColumnType type,
								 JsonNode *node);

/* data.c: the column that a member of "values" writes; 42703, SG423 */
extern const TableColumn *sigma_data_column(Builder *builder, JsonNode *value);

/* data_key.c: the members of "values" that tell which row is meant, and whether a rule folds their texts */
extern List *sigma_data_key(Builder *builder, JsonNode *values, JsonNode *parameters);
extern bool sigma_data_key_ignores_case(Builder *builder, List *members);

/* data_selector.c: " WHERE ..." and, where only one row may match, " RETURNING ..." */
extern void sigma_selector_append(Builder *builder, JsonNode *parameters, bool one_row);

/* data_selector.c: the column that a member of "match" or "key" names; 42703 */
extern void sigma_selector_column(Builder *builder, JsonNode *node, SelectorColumn *column);

/* data_formula.c: a formula as a condition on the table's rows; raises what compiling it raises */
extern void sigma_row_formula_append(Builder *builder, JsonNode *node);

/* data_formula.c: the same for a value of a column, where it is a formula that reads the row; false for any other */
extern bool sigma_row_value_append(Builder *builder, const TableColumn *column, JsonNode *node);

/* data_formula.c: the rows that formulas read; "shown": as the current role is shown them */
extern FormulaRelation *sigma_rows_of_formulas(const RowFormulas *formulas, bool shown);

/* data_formula.c: the formula's values after the statement's own, and the plan */
extern void sigma_row_formula_prepare(Statement *statement, RunContext *context, Datum **values, char **nulls);

/* data_run.c: a value as an array of the type's values; false: *bad cannot be read, *why says so */
extern bool sigma_data_read_list(ColumnType type, const JsonbValue *value, Datum *list,
								 JsonbValue *bad, const char **why);

#endif							/* SIGMA_DATA_H */
