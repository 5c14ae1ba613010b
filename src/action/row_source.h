/*
 * row_source.h
 *		Where steps take rows from: an input table, a relation or a query.
 */
#ifndef SIGMA_ROW_SOURCE_H
#define SIGMA_ROW_SOURCE_H

#include "postgres.h"

#include "executor/spi.h"
#include "utils/tuplestore.h"

#include "action/value_source.h"
#include "formula/compile.h"

/* Rows for steps; lives with the compiled sequence. */
typedef struct RowSource
{
	const char *query;			/* a SELECT, VALUES or TABLE that may stand in FROM (...), on lines of its own */
	const char *name;			/* the input table or relation; NULL: a query */
	const char *table;			/* the input table's id, or NULL */
	SPIPlanPtr	plan;			/* of sigma_row_source_read, made when it is first needed; goes with the source */
	uint64		generation;		/* of relations, functions and roles then */
	List	   *locks;			/* relations that are locked before that is compared */
	MemoryContextCallback cleanup;
} RowSource;

/*
 * The rows that a string of a document names, in state->cxt: the id of an input table,
 * the name of a relation, or a query.  A query is looked at when it is saved: it must be
 * one statement that reads (0A000), what it names must exist (42P01 and the like), and
 * what it calls must be what a step may call (42501), then and when it is read.
 * SG404 for a name that is none.  Without state->resolve nothing is looked at.
 */
extern RowSource *sigma_row_source_compile(CompileState *state, const JsonNode *node);

/*
 * Read the rows as the caller, as [{column: value}] each: a tuple store in the current
 * memory context, and its descriptor, which has one column of type jsonb.  At most
 * "most" + 1 rows are read.  Returns how many; SPI is connected.
 */
extern int64 sigma_row_source_read(RowSource *source, int64 most, Tuplestorestate **rows, TupleDesc *desc);

/* The query that is run for the current role: 42501 where it calls what a step may not call. */
extern const char *sigma_row_source_query(const RowSource *source);

/*
 * The rows as formulas see them, in the current context: columns of an input table, also
 * computed ones, of a relation or of the query.  "shown": as the current role is shown them.
 */
extern FormulaRelation *sigma_row_source_relation(const RowSource *source, bool shown);

#endif							/* SIGMA_ROW_SOURCE_H */
