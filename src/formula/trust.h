/*
 * trust.h
 *		What a definition that others run brings along, and whether they have reason to
 *		trust it.
 *
 * trust.c			functions and types of a tree
 * trust_plan.c		relations of a statement: views, policies, indexes, triggers, foreign servers
 */
#ifndef SIGMA_TRUST_H
#define SIGMA_TRUST_H

#include "postgres.h"

#include "executor/spi.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

/* The first thing that was found not to be trusted. */
typedef struct TrustFinding
{
	Oid			relid;			/* the relation that brings it along; InvalidOid: the statement itself */
	Oid			function;		/* what would be called, ... */
	bool		denied;			/* ... which is trusted, but its author may not call it himself, ... */
	Oid			type;			/* ... or whose functions, ... */
	Oid			server;			/* ... or which server would be asked */
	bool		written;		/* the relation is written, not read */
} TrustFinding;

/* Is it a superuser, the owner of schema sigds or the current role? */
extern bool sigma_role_trusted(Oid role);

/* Does a function belong to one of these, or to PostgreSQL?  What it does is not asked. */
extern bool sigma_function_owner_trusted(Oid funcid);

/*
 * What a query or expression calls, by itself or by way of its types and operators; the
 * relations that it names are not looked into.  True: *finding says what is not trusted.
 * "author" needs EXECUTE on it all, so that others do not call it for him.
 */
extern bool sigma_trust_find_calls(Node *tree, Oid author, TrustFinding *finding);

/* Only what handling the values can call that it is given: casts to JSON, differences of ranges. */
extern bool sigma_trust_find_values(Node *tree, TrustFinding *finding);

/* What reading a value of the type from text can call. */
extern bool sigma_trust_find_input(Oid type, TrustFinding *finding);

/*
 * Everything that a prepared statement, not planned yet, brings along by the relations
 * that it names: 42501 for what the current role has no reason to trust.  Returns, in the
 * current context, relations whose owners could change that: who keeps the plan calls
 * sigma_trust_lock() with them before it compares sigma_formula_generation().
 */
extern List *sigma_trust_check_plan(SPIPlanPtr plan);
extern void sigma_trust_lock(const List *relids);

/* A copy of such a list in another context. */
extern List *sigma_trust_keep(const List *relids, MemoryContext cxt);

/* The same, for statements that are run once: prepared and checked, for SPI_execute_plan(). */
extern SPIPlanPtr sigma_trust_prepare(const char *sql, int nargs, Oid *types);

/*
 * The same for whatever reads the rows of a relation until the transaction ends.  SPI need
 * not be connected.
 */
extern void sigma_trust_check_relation(Oid relid);

/* These two answer, instead of raising. */
extern bool sigma_trust_plan(SPIPlanPtr plan);
extern bool sigma_trust_relation(Oid relid);

#endif							/* SIGMA_TRUST_H */
