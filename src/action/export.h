/*
 * export.h
 *		Exports of tables as text.
 */
#ifndef SIGMA_EXPORT_H
#define SIGMA_EXPORT_H

#include "postgres.h"

/* a jsonb string has at most so many bytes */
#define SIGMA_EXPORT_MOST	(256 * 1024 * 1024 - 1)

extern int	sigma_export_max_bytes; /* setting */

#endif							/* SIGMA_EXPORT_H */
