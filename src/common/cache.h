/*
 * cache.h
 *		The one relcache callback of sigma and who hears from it.
 *
 * PostgreSQL has ten callback slots for all extensions.  A listener may only
 * mark: no catalogs, no palloc, no ereport.
 */
#ifndef SIGMA_CACHE_H
#define SIGMA_CACHE_H

#include "postgres.h"

/* relid InvalidOid: everything may have changed */
typedef void (*CacheListener) (Oid relid);

extern void sigma_cache_listen(CacheListener listener);

/* Tell all backends at commit (this one at the next command) that "relid" changed. */
extern void sigma_cache_send(Oid relid);

#endif							/* SIGMA_CACHE_H */
