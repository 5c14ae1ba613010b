/*
 * number.h
 *		Reading numbers that people and programs write.
 */
#ifndef SIGMA_NUMBER_H
#define SIGMA_NUMBER_H

#include "postgres.h"

#include "utils/numeric.h"

#include "common/value.h"

/*
 * Read text as COLUMN_NUMBER, COLUMN_INTEGER or COLUMN_FLOAT.  False: *why is a
 * short reason.  Throws nothing.
 */
extern bool sigma_number_read(ColumnType type, const char *text, int length, const ValueFormat *format,
							  Datum *value, const char **why);

/* A numeric as bigint; false where it has a fraction or is out of range. */
extern bool sigma_integer_from_numeric(Numeric number, Datum *value, const char **why);

/* Can numeric hold a number of this text, which is well-formed? */
extern bool sigma_number_fits(const char *text, int length);

/* Leave blanks at both ends out. */
extern void sigma_trim(const char **text, int *length);

#endif							/* SIGMA_NUMBER_H */
