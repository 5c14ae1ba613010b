/*
 * row_query.h
 *		What the queries of steps may call.
 */
#ifndef SIGMA_ROW_QUERY_H
#define SIGMA_ROW_QUERY_H

#include "postgres.h"

/*
 * Look at a query that a step reads rows by, before it is analysed as queries are: 42501
 * where it calls, or reads values by, what its author could have slipped in for others to
 * run; 0A000 where it is not one SELECT, VALUES or TABLE; and what is wrong with it else.
 * Nothing of the query is executed.
 */
extern void sigma_row_query_check(const char *query);

#endif							/* SIGMA_ROW_QUERY_H */
