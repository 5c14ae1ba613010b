/*
 * compare.h
 *		Comparing two values as the conditions of actions do.
 */
#ifndef SIGMA_COMPARE_H
#define SIGMA_COMPARE_H

#include "postgres.h"

#include "utils/jsonb.h"

typedef enum Comparison
{
	COMPARED_UNKNOWN,			/* one of them is null */
	COMPARED_DIFFERENT,			/* unequal, without an order */
	COMPARED_LESS,
	COMPARED_EQUAL,
	COMPARED_GREATER
} Comparison;

/*
 * Numbers compare as numbers, text exactly and by its bytes, dates and times in
 * ISO form by what they mean, lists as sets.  Text beside a number or a boolean
 * is read as one where it can be (URLs and embedding pages send all values as
 * text).  A list of one value is that value.  Values that share no kind are
 * different and have no order.
 */
extern Comparison sigma_compare(const JsonbValue *a, const JsonbValue *b);

/* Does the list hold the element?  A single value is taken as a list of one. */
extern bool sigma_list_contains(const JsonbValue *list, const JsonbValue *element);

/* How many elements, and element "i", of a value taken as a list; null is the empty one. */
extern int	sigma_list_length(const JsonbValue *value);
extern void sigma_list_element(const JsonbValue *value, int i, JsonbValue *element);

/* Is it a text that begins like 2026-01-31? */
extern bool sigma_jsonb_is_date(const JsonbValue *value);

#endif							/* SIGMA_COMPARE_H */
