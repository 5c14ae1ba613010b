/*
 * rules.h
 *		Rules in their compiled form: what the files that compile, check and enforce
 *		them share; nobody else includes it.
 *
 * rules.c      one compiled set per data table: cache, invalidation
 * compile.c    rule documents to checks; definition checks
 * check.c      checks against values, failures
 * flagged.c    rows that break rules
 * formula_rules.c  rules and defaults that are formulas
 * values_from.c    rules whose allowed values stand in another table
 * pattern.c    patterns that need no regular expression engine
 * unique.c     unique rules: their keys, and who holds a value
 * validate.c   triggers
 * progress.c   how far a large import is
 * warn.c       warnings of the rows that a run writes
 * limits.c     max_rows, allow_bulk_operations
 * statement.c  the statement that fires the triggers
 */
#ifndef SIGMA_RULES_H
#define SIGMA_RULES_H

#include "postgres.h"

#include "executor/spi.h"
#include "regex/regex.h"
#include "utils/relcache.h"

#include "compat.h"
#include "input_table/input_table.h"
#include "input_table/row_change.h"

#define MAX_LIST_VALUES		100000
#define MAX_UNIQUE_BYTES	2000	/* what every index page has room for */

typedef struct SimplePattern SimplePattern;	/* pattern.c knows its inside */

typedef enum PatternResult
{
	PATTERN_FAILS,
	PATTERN_MATCHES,
	PATTERN_UNSURE				/* ask the regular expression */
} PatternResult;

typedef enum CheckKind
{
	CHECK_REQUIRED,				/* with severity warn; with error, TableColumn.required says it */
	CHECK_PRECISION,
	CHECK_SCALE,
	CHECK_MIN,
	CHECK_MAX,
	CHECK_MIN_LENGTH,
	CHECK_MAX_LENGTH,
	CHECK_LITERAL,				/* a pattern without metacharacters */
	CHECK_PATTERN,
	CHECK_EMAIL,
	CHECK_PHONE,
	CHECK_DATE,
	CHECK_NUMERIC,
	CHECK_URL,
	CHECK_VALUES
} CheckKind;

/* One rule of one column. */
struct Check
{
	CheckKind	kind;
	const char *rule;			/* as in documents */
	const char *message;		/* the document's own, or what the rule demands */
	bool		own_message;
	bool		warning;		/* severity warn */
	Datum		limit;			/* CHECK_MIN, CHECK_MAX, CHECK_PRECISION: a value of the column's type */
	int			length;			/* CHECK_MIN_LENGTH, CHECK_MAX_LENGTH, CHECK_SCALE, CHECK_PRECISION */
	int			scale;			/* CHECK_PRECISION: digits after the point, or -1 */
	const char *literal;		/* CHECK_LITERAL */
	int			literal_length;
	regex_t    *regex;			/* CHECK_PATTERN */
	SimplePattern *simple;		/* the same where it is simple, or NULL */
	int			nvalue;			/* CHECK_VALUES */
	Datum	   *values;			/* sorted by sigma_value_compare */
};

/* compile.c */
extern void sigma_rules_compile(InputTable *table, JsonNode *definition);

/* rules.c: also tables whose definition is gone, which have no columns and no limits; NULL: no data table */
extern const InputTable *sigma_data_table_rules(Oid relid);
extern char *sigma_data_table_id(Relation rel); /* NULL: no data table */
extern bool sigma_is_defined(const InputTable *table);
extern bool sigma_is_whole(const InputTable *table);
extern void sigma_refuse_broken(Oid relid) pg_attribute_noreturn();
extern InputTable *sigma_input_table_compile(JsonNode *definition, Oid relid);

/* check.c */
extern int	sigma_value_compare(ColumnType type, Datum a, Datum b);
extern bool sigma_value_too_large(ColumnType type, Datum value);
extern Datum sigma_value_detoast(ColumnType type, Datum value);
extern bool sigma_check_passes(const Check *check, ColumnType type, Datum value, bool isnull);
extern bool sigma_column_passes(const TableColumn *column, Datum value, bool isnull);
extern int	sigma_column_failures(const TableColumn *column, Datum value, bool isnull, List **failures);
extern int	sigma_row_failures(const InputTable *table, FormulaRun *formulas, const Datum *values, const bool *nulls,
							   const bool *known, List **failures);
extern Failure *sigma_failure_new(const TableColumn *column, const char *rule, const char *message,
								  Datum value, bool isnull);

/*
 * formula_rules.c: "changed" and "known" by place in table->columns, NULL: all.  A
 * FormulaRun is for the rows of one statement and lives in the context that was
 * current when it began; it is NULL for a table that needs none.
 */
extern void sigma_formula_rule_add(InputTable *table, int column, int number, JsonNode *node, const char *message,
								   bool warning);
extern FormulaRule *sigma_default_formula_new(InputTable *table, int column, JsonNode *node);
extern void sigma_formula_rules_check(const InputTable *table, JsonNode *definition, bool restoring);
extern void sigma_formula_rules_plan(InputTable *table, JsonNode *definition, Relation rel);
extern bool sigma_formula_rules_valid(const InputTable *table);
extern bool sigma_formula_rules_warn(const InputTable *table);
extern void sigma_formula_rules_need(const InputTable *table, const bool *changed, bool *needed);
extern FormulaRun *sigma_formula_run_begin(const InputTable *table, bool locking);
extern ListRun *sigma_formula_run_lists(FormulaRun *run);
extern Datum sigma_formula_run_default(FormulaRun *run, int column, bool *isnull);
extern TupleTableSlot *sigma_formula_run_row(FormulaRun *run, const Datum *values, const bool *nulls);
extern bool sigma_formula_run_passes(FormulaRun *run, TupleTableSlot *slot, const bool *changed);
extern void sigma_formula_run_forget(FormulaRun *run);
extern int	sigma_formula_run_failures(FormulaRun *run, int column, TupleTableSlot *slot, const bool *changed,
									   const bool *known, List **failures);

/*
 * values_from.c: a ListRun, part of a FormulaRun, is for the rows of one statement; NULL
 * for a table without such rules.
 */
extern void sigma_list_rule_add(InputTable *table, int column, JsonNode *node, const char *message, bool warning);
extern void sigma_list_rules_need(const InputTable *table, const bool *changed, bool *needed);
extern List *sigma_list_problems(const InputTable *table, ListRun *run);
extern bool sigma_list_rules_warn(const InputTable *table);
extern ListRun *sigma_list_run_begin(const InputTable *table, bool locking);
extern bool sigma_list_run_passes(ListRun *run, int column, Datum value, bool isnull);
extern int	sigma_list_run_failures(ListRun *run, int column, Datum value, bool isnull, List **failures);

/* pattern.c */
extern SimplePattern *sigma_pattern_compile(const char *text);
extern PatternResult sigma_pattern_match(const SimplePattern *pattern, const char *text, int length);

/* unique.c */
extern void sigma_unique_rule_add(InputTable *table, int column, bool ignore_case, const char *message);
extern void sigma_unique_row_rule_add(InputTable *table, JsonNode *rule, int number, const char *message, bool warning);
extern void sigma_unique_find_indexes(InputTable *table, Relation rel);
extern int64 sigma_unique_holder(const InputTable *table, const UniqueKey *key, Relation rel,
								 const Datum *values, int64 row_id);
extern Failure *sigma_unique_failure(const InputTable *table, const UniqueKey *key, const Datum *values);

/*
 * statement.c: run a text as the caller, with the rights that the relation's owner has
 * on it; SPI is connected.  Returns how many rows there were.
 */
extern uint64 sigma_statement_run_as_owner(Oid relid, const char *sql, int expected);
extern int	sigma_statement_execute_as_owner(Oid relid, const char *sql, const SPIExecuteOptions *options);

/* statement.c */
/* What ON CONFLICT clauses of the running statement mean for one table. */
typedef struct UpsertInfo
{
	bool		unknown;		/* the statement began before this library was loaded */
	bool		any_index;		/* ON CONFLICT DO NOTHING without a target */
	List	   *indexes;		/* OIDs of the indexes that ON CONFLICT names */
} UpsertInfo;

extern void sigma_statement_upsert(Oid relid, UpsertInfo *info);

/* progress.c */
extern void sigma_progress_read(ImportProgress *progress, int64 bytes);
extern void sigma_progress_wrote(ImportProgress *progress);

/* warn.c */
extern bool sigma_table_warns(const InputTable *table);
extern void sigma_row_warn(const InputTable *table, FormulaRun *formulas, TupleTableSlot *slot, const bool *changed,
						   int64 row_id);

/* limits.c */
extern void sigma_limits_ensure_count(const InputTable *table);

#endif							/* SIGMA_RULES_H */
