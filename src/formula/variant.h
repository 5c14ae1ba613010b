/*
 * variant.h
 *		JSON values as the text that formulas show.
 */
#ifndef SIGMA_VARIANT_H
#define SIGMA_VARIANT_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/jsonb.h"

/* A text as it is, a number without trailing zeros, arrays and objects as JSON without blanks. */
extern void sigma_variant_text(StringInfo buf, const JsonbValue *value);

/* The one value of a document that is neither array nor object; false for those. */
extern bool sigma_variant_scalar(Jsonb *document, JsonbValue *value);

/* A text[] as JSON array. */
extern Jsonb *sigma_variant_of_array(ArrayType *array);

#endif							/* SIGMA_VARIANT_H */
