/*
 * used_by.h
 *		Who uses an action or a sequence.
 */
#ifndef SIGMA_USED_BY_H
#define SIGMA_USED_BY_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "common/document.h"

/* A definition that uses another one. */
typedef struct DefinitionUser
{
	DocumentKind kind;			/* element, action or sequence */
	char	   *id;
	char	   *path;			/* where it says so, the first time */
} DefinitionUser;

/* used_by.c */
extern List *sigma_definition_users(DocumentKind of, DocumentKind used, const char *id);
extern void sigma_refuse_use(DocumentKind used, const char *id, List *users, const char *hint);

/* define.c: is a definition being deleted although others refer to it? */
extern bool sigma_dangling_allowed(void);

#endif							/* SIGMA_USED_BY_H */
