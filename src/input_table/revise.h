/*
 * revise.h
 *		Rights to publish, take back and restore, and statements that do it.
 */
#ifndef SIGMA_REVISE_H
#define SIGMA_REVISE_H

#include "postgres.h"

#include "executor/spi.h"

extern void sigma_check_may_revise(const char *id);
extern void sigma_check_may_revise_column(const char *id, Oid rows, const char *name);
extern bool sigma_revises_as_owner(const char *id, Oid rows);
extern int	sigma_revise_execute(const char *id, Oid rows, const char *sql, const SPIExecuteOptions *options);

#endif							/* SIGMA_REVISE_H */
