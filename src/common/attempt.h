/*
 * attempt.h
 *		Work whose error is a finding, not the end of the statement.
 */
#ifndef SIGMA_ATTEMPT_H
#define SIGMA_ATTEMPT_H

#include "postgres.h"

typedef void (*AttemptedWork) (void *arg);

/*
 * Do some work in a subtransaction.  NULL, or the error that it raised, in the caller's
 * memory context; what it did is undone then.  The caller keeps the errors that it is
 * about, and raises all others again (ReThrowError): cancels must not be among the kept.
 */
extern ErrorData *sigma_attempt(AttemptedWork work, void *arg);

#endif							/* SIGMA_ATTEMPT_H */
