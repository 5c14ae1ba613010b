/*
 * notify.h
 *		Messages of runs.
 */
#ifndef SIGMA_NOTIFY_H
#define SIGMA_NOTIFY_H

#include "postgres.h"

#include "action/action.h"

/* The messages that a run of this transaction has written, in their order, as objects.  SPI is connected. */
extern JsonNode *sigma_outbox_of_run(const char *execution_id);

/* The newest message that can be seen, or 0; and those that this transaction has written after it.  SPI is connected. */
extern int64 sigma_outbox_newest(void);
extern JsonNode *sigma_outbox_since(int64 id);

#endif							/* SIGMA_NOTIFY_H */
