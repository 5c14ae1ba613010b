/*
 * computed.h
 *		A definition's columns as formulas see them, and its computed columns.
 */
#ifndef SIGMA_COMPUTED_H
#define SIGMA_COMPUTED_H

#include "postgres.h"

#include "common/json.h"
#include "common/value.h"
#include "formula/compile.h"

/*
 * The row that rules see: the columns of the definition, whether or not the data table
 * has them yet, computed ones as their formulas; no system columns, which are not set
 * when rules are checked.  In the current context.
 */
extern FormulaRelation *sigma_definition_row(JsonNode *definition);

/* The form in which a column of that type lies in SQL. */
extern SqlForm sigma_column_form(ColumnType type);

#endif							/* SIGMA_COMPUTED_H */
