/*
 * cache.c
 *		The one relcache callback of sigma and who hears from it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "common/cache.h"

#define MAX_LISTENERS 8

static CacheListener listeners[MAX_LISTENERS];
static int	listening = 0;

static void hear(Datum arg, Oid relid);

/* Add a listener; the callback slot is taken when the first one comes. */
void
sigma_cache_listen(CacheListener listener)
{
	if (listening == MAX_LISTENERS)
		elog(ERROR, "too many cache listeners");
	if (listening == 0)
		CacheRegisterRelcacheCallback(hear, (Datum) 0);
	listeners[listening++] = listener;
}

/* A relation that is gone needs no message: its drop sent one. */
void
sigma_cache_send(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));

	if (!HeapTupleIsValid(tuple))
		return;
	CacheInvalidateRelcacheByTuple(tuple);
	ReleaseSysCache(tuple);
}

/* Runs inside any lock acquisition: pass on, nothing else. */
static void
hear(Datum arg, Oid relid)
{
	int			i;

	for (i = 0; i < listening; i++)
		listeners[i] (relid);
}
