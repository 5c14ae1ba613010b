/*
 * transition.h
 *		Rows that a statement changed, for triggers that read transition tables.
 */
#ifndef SIGMA_TRANSITION_H
#define SIGMA_TRANSITION_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "utils/tuplestore.h"

/* Reads one transition table from its beginning. */
typedef struct TransitionReader
{
	Tuplestorestate *store;		/* NULL: the trigger has none */
	int			pointer;
	TupleTableSlot *slot;
	MemoryContext cxt;			/* of the slot's tuple */
} TransitionReader;

extern void sigma_transition_begin(TransitionReader *reader, Tuplestorestate *store, TupleDesc desc);
extern bool sigma_transition_next(TransitionReader *reader);
extern void sigma_transition_rewind(TransitionReader *reader);
extern void sigma_transition_end(TransitionReader *reader);
extern bool sigma_transition_differs(const TransitionReader *old, const TransitionReader *new, int attribute,
									 bool by_value, int16 length);

#endif							/* SIGMA_TRANSITION_H */
