/*
 * data.h
 *		What the files of data_modification steps share; nobody else includes it.
 *
 * data.c           from documents to statements
 * data_selector.c  which rows: selectors as WHERE clauses
 * data_run.c       binding values and running the statements
 */
#ifndef SIGMA_DATA_H
#define SIGMA_DATA_H

#include "postgres.h"

#include "executor/spi.h"
#include "lib/stringinfo.h"

#include "action/action.h"
#include "input_table/input_table.h"

/* Where a parameter's value comes from. */
typedef enum ParameterKind
{
	PARAMETER_VALUE,			/* one value */
	PARAMETER_LIST,				/* an array: one value counts as a list of one, null as an empty one */
	PARAMETER_SELECTION,		/* the row ids of the selected rows */
	PARAMETER_CURRENT_ROW		/* the row id of the one selected row */
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

/* One statement; the plan is made when it is first needed. */
typedef struct Statement
{
	const char *sql;
	int			count;
	Parameter  *parameters;
	Oid		   *types;
	int			expected;		/* SPI_OK_... */
	SPIPlanPtr	plan;
} Statement;

typedef struct DataStep
{
	DataCode	code;
	const char *table;			/* id of the input table */
	bool		one_row;		/* more than one matching row is an error */
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
} Builder;

/* A column as a selector may name it: one of the table's or a system column. */
typedef struct SelectorColumn
{
	const char *name;
	const char *expression;		/* in SQL */
	ColumnType	type;
	bool		ignore_case;
} SelectorColumn;

/* data.c: the next parameter; returns its number.  SG400 where a static value does not fit. */
extern int	sigma_data_parameter(Builder *builder, ParameterKind kind, const char *column, ColumnType type,
								 JsonNode *node);

/* data_selector.c: " WHERE ..." and, where only one row may match, " RETURNING ..." */
extern void sigma_selector_append(Builder *builder, JsonNode *parameters, bool one_row);

/* data_selector.c: the column that a member of "match" or "key" names; 42703 */
extern void sigma_selector_column(Builder *builder, JsonNode *node, SelectorColumn *column);

/* data_run.c: a value as an array of the type's values; false: *bad cannot be read, *why says so */
extern bool sigma_data_read_list(ColumnType type, const JsonbValue *value, Datum *list,
								 JsonbValue *bad, const char **why);

#endif							/* SIGMA_DATA_H */
