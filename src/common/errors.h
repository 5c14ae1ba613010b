/*
 * errors.h
 *		The extension's own SQLSTATEs, class SG.
 *
 * Where PostgreSQL has a code for a case (23514, 42501, 0A000, 53400 ...) that
 * code is used; these are for what PostgreSQL has no word for.
 */
#ifndef SIGMA_ERRORS_H
#define SIGMA_ERRORS_H

/* a document is wrong; DETAIL holds its JSON path, HINT what is known */
#define ERRCODE_SIGMA_DOCUMENT		MAKE_SQLSTATE('S','G','4','0','0')
/* no such table, element, action, sequence, variable, run */
#define ERRCODE_SIGMA_NOT_FOUND		MAKE_SQLSTATE('S','G','4','0','4')
/* in use, would clash, stale edit, idempotency key with other input */
#define ERRCODE_SIGMA_CONFLICT		MAKE_SQLSTATE('S','G','4','0','9')
/* wrong mode, linked insert or delete, protected or not editable column */
#define ERRCODE_SIGMA_LOCKED		MAKE_SQLSTATE('S','G','4','2','3')
/* needs a provider or an extension that is not there */
#define ERRCODE_SIGMA_UNAVAILABLE	MAKE_SQLSTATE('S','G','5','0','1')

#endif							/* SIGMA_ERRORS_H */
