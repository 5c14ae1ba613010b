/*
 * audit.h
 *		sigma.sigma_audit: who changed which definition, and who gave which rights.
 */
#ifndef SIGMA_AUDIT_H
#define SIGMA_AUDIT_H

#include "postgres.h"

#include "utils/jsonb.h"

/*
 * Add a row, in the caller's transaction and whatever his rights: "object" is written
 * as by sigma.dependencies(), "old" and "new" may be NULL.  Nothing while a dump of the
 * catalog is restored, which brings the rows.
 */
extern void sigma_audit_write(const char *object, const char *operation, Jsonb *old, Jsonb *new);

#endif							/* SIGMA_AUDIT_H */
