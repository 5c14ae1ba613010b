/*
 * notify.h
 *		Messages of runs.
 */
#ifndef SIGMA_NOTIFY_H
#define SIGMA_NOTIFY_H

#include "postgres.h"

#include "action/action.h"

/* The messages that a run has written, in their order, as objects.  SPI is connected. */
extern JsonNode *sigma_outbox_of_run(const char *execution_id);

#endif							/* SIGMA_NOTIFY_H */
