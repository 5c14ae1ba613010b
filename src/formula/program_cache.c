/*
 * program_cache.c
 *		Formulas over a context that are kept for the next time.
 *
 * Programs stand in a direct-mapped table of this backend, found by the bytes that
 * name the formula and by where it stands.  One that is being run is not replaced: a
 * function that it calls may come here itself.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "formula/compile.h"

#define SLOTS	512				/* a power of two */
#define MAX_KEPT	16384		/* bytes: formulas of longer keys are not kept */

typedef struct Slot
{
	void	   *key;			/* NULL: unused */
	Size		size;
	const char *place;
	FormulaUse	use;
	FormulaProgram *program;
} Slot;

static Slot slots[SLOTS];

static Slot *find_slot(const void *key, Size size, char *(*text) (const void *key), const char *place, FormulaUse use);

/* See compile.h.  Raises what compiling and running the formula raises. */
void
sigma_program_run_kept(const void *key, Size size, char *(*text) (const void *key), const char *place,
					   FormulaUse use, FormulaFetch fetch, void *arg, JsonbValue *result)
{
	Slot	   *slot = find_slot(key, size, text, place, use);
	FormulaProgram *program;

	if (slot != NULL)
	{
		sigma_program_run(slot->program, fetch, arg, result);
		return;
	}
	program = sigma_program_create(text(key), place, TYPE_ANY, use, NULL, CurrentMemoryContext);
	sigma_program_run(program, fetch, arg, result);
	sigma_program_free(program);
}

/* The place of a formula among those kept, with its program; NULL where it cannot be kept. */
static Slot *
find_slot(const void *key, Size size, char *(*text) (const void *key), const char *place, FormulaUse use)
{
	Slot	   *slot = &slots[(hash_bytes(key, size) + use) & (SLOTS - 1)];
	FormulaProgram *program;
	void	   *copy;

	if (slot->key != NULL && slot->size == size && slot->use == use && strcmp(slot->place, place) == 0 &&
		memcmp(slot->key, key, size) == 0)
		return slot;
	if (size > MAX_KEPT || (slot->key != NULL && sigma_program_is_running(slot->program)))
		return NULL;
	program = sigma_program_create(text(key), place, TYPE_ANY, use, NULL, TopMemoryContext);
	copy = MemoryContextAlloc(TopMemoryContext, size);
	memcpy(copy, key, size);
	if (slot->key != NULL)
	{
		sigma_program_free(slot->program);
		pfree(slot->key);
	}
	slot->key = copy;
	slot->size = size;
	slot->place = place;
	slot->use = use;
	slot->program = program;
	return slot;
}
