/*
 * compat.h
 *		Differences between PostgreSQL 15, 16, 17 and 18: the only place with PG_VERSION_NUM.
 */
#ifndef SIGMA_COMPAT_H
#define SIGMA_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "sigma needs PostgreSQL 15 or newer"
#endif

#endif							/* SIGMA_COMPAT_H */
