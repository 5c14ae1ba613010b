/*
 * compile.h
 *		The rules of a column while they are compiled: shared by compile.c and
 *		compile_checks.c, and nobody else's.
 */
#ifndef SIGMA_INPUT_TABLE_COMPILE_H
#define SIGMA_INPUT_TABLE_COMPILE_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "common/document.h"
#include "input_table/rules.h"

#define MAX_SOURCES		3

/* One object that holds rules of a column. */
typedef struct RuleSource
{
	JsonNode   *object;
	bool		warning;
	const char *message;		/* or NULL */
} RuleSource;

/* A column while its rules are compiled. */
typedef struct ColumnRules
{
	TableColumn *column;
	int			nsource;
	RuleSource	sources[MAX_SOURCES];
	List	   *checks;			/* of Check */
} ColumnRules;

/* compile_checks.c: all rules of a column into its list of checks, in the order of reporting. */
extern void sigma_rules_of_column(InputTable *table, int place, ColumnRules *rules);

/* A node as a value of a type; false, and why, where it is none or null. */
extern bool sigma_rule_read_value(ColumnType type, JsonNode *node, Datum *value, const char **why);

#endif							/* SIGMA_INPUT_TABLE_COMPILE_H */
