/*
 * spi.h
 *		SPI as sigma uses it: kept plans for fixed texts, and fixed-form DDL as the owner of sigds.
 */
#ifndef SIGMA_SPI_H
#define SIGMA_SPI_H

#include "postgres.h"

#include "executor/spi.h"
#include "utils/tuplestore.h"

/* Fixed text, prepared once per backend into *plan.  SPI must be connected. */
extern SPIPlanPtr sigma_spi_plan(SPIPlanPtr *plan, const char *sql, int nargs, const Oid *argtypes);

/* Execute a kept plan; checks the result code against "expected" (XX000 else). */
extern void sigma_spi_execute(SPIPlanPtr plan, Datum *values, const char *nulls, bool read_only, int expected);

/* Execute a text that was built from quoted names and literals. */
extern void sigma_spi_run(const char *sql, int expected);

/*
 * Let statements of this SPI connection read rows under a name, until SPI_unregister_relation.
 * The rows stay the caller's.
 */
extern void sigma_spi_offer(const char *name, Tuplestorestate *rows, TupleDesc desc);

/*
 * Between begin and end, work is done as another role; an error in between
 * restores the caller's identity by itself (transaction abort does).
 * sigma_owner_begin: the owner of schema sigds.  No expression that a user
 * wrote may be parsed, planned or evaluated in between.
 */
typedef struct OwnerScope
{
	Oid			user;
	int			context;
	int			nest_level;		/* of GUCs: search_path is pinned */
} OwnerScope;

extern Oid	sigma_sigds_owner(void);
extern Oid	sigma_schema_owner(Oid namespace);
extern Oid	sigma_relation_owner(Oid relid);
extern void sigma_owner_begin(OwnerScope *scope, Oid owner);
extern void sigma_owner_end(const OwnerScope *scope);

#endif							/* SIGMA_SPI_H */
