/*
 * transition.c
 *		Reading the transition tables of AFTER STATEMENT triggers as they are, without SPI.
 *
 * Each trigger has read pointers of its own.  An UPDATE's two tables have their rows in
 * the same order.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "utils/datum.h"

#include "common/transition.h"

/* A read pointer of our own: other triggers have theirs.  The reader lives in the current context. */
void
sigma_transition_begin(TransitionReader *reader, Tuplestorestate *store, TupleDesc desc)
{
	reader->store = store;
	reader->cxt = CurrentMemoryContext;
	if (store == NULL)
		return;
	reader->pointer = tuplestore_alloc_read_pointer(store, EXEC_FLAG_REWIND);
	reader->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	sigma_transition_rewind(reader);
}

/* The next row into the slot, deformed; false after the last. */
bool
sigma_transition_next(TransitionReader *reader)
{
	MemoryContext caller;
	bool		found;

	if (reader->store == NULL)
		return false;
	/* a tuple that comes from disk outlives what its reader makes of it */
	caller = MemoryContextSwitchTo(reader->cxt);
	tuplestore_select_read_pointer(reader->store, reader->pointer);
	found = tuplestore_gettupleslot(reader->store, true, false, reader->slot);
	MemoryContextSwitchTo(caller);
	if (found)
		slot_getallattrs(reader->slot);
	return found;
}

/* Back to the first row. */
void
sigma_transition_rewind(TransitionReader *reader)
{
	if (reader->store == NULL)
		return;
	tuplestore_select_read_pointer(reader->store, reader->pointer);
	tuplestore_rescan(reader->store);
}

/* Done with it; the store stays, for others. */
void
sigma_transition_end(TransitionReader *reader)
{
	if (reader->store == NULL)
		return;
	ExecDropSingleTupleTableSlot(reader->slot);
	tuplestore_select_read_pointer(reader->store, 0);
}

/* Is that attribute, counted from 0, of the two current rows another one, byte by byte? */
bool
sigma_transition_differs(const TransitionReader *old, const TransitionReader *new, int attribute,
						 bool by_value, int16 length)
{
	bool		old_null = old->slot->tts_isnull[attribute];
	bool		new_null = new->slot->tts_isnull[attribute];

	if (old_null || new_null)
		return old_null != new_null;
	return !datum_image_eq(old->slot->tts_values[attribute], new->slot->tts_values[attribute], by_value, length);
}
