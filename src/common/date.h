/*
 * date.h
 *		Reading dates and times that people and programs write.
 */
#ifndef SIGMA_DATE_H
#define SIGMA_DATE_H

#include "postgres.h"

#include "datatype/timestamp.h"

/*
 * Read a date, with or without a time of day.  "order" is one of DATEORDER_*.
 * True: *result is the moment (an offset or Z brings it to UTC where "zoned").
 * False: *why is a short reason.  Throws nothing.
 */
extern bool sigma_date_read(const char *text, int length, int order, bool zoned,
							Timestamp *result, const char **why);

#endif							/* SIGMA_DATE_H */
