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

#include "common/jsonapi.h"

/* A lexer over JSON text, with de-escaped strings so that bad escapes are found. */
static inline JsonLexContext *
sigma_json_lexer(char *json, int length, int encoding)
{
#if PG_VERSION_NUM >= 170000
	return makeJsonLexContextCstringLen(NULL, json, length, encoding, true);
#else
	return makeJsonLexContextCstringLen(json, length, encoding, true);
#endif
}

#endif							/* SIGMA_COMPAT_H */
