/*
 * references.h
 *		What documents refer to, in their members and in their formulas.
 *
 * One walk over a canonical document finds every name in it: of columns, tables,
 * elements, actions, sequences, variables, functions.  Nothing here looks at the
 * catalog: what a name means is for those to say who know it.  Lists and what they
 * hold live in the current context and point into the document.
 */
#ifndef SIGMA_REFERENCES_H
#define SIGMA_REFERENCES_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "common/document.h"
#include "formula/formula.h"

/* One reference from a document to something that has a name. */
typedef enum ReferenceKind
{
	REFERENCE_INPUT_TABLE,		/* an input table's id; in a formula its display name or a relation as well */
	REFERENCE_COLUMN,			/* a column; "table" says whose */
	REFERENCE_ELEMENT,			/* a layout element's id */
	REFERENCE_ACTION,			/* an action's id */
	REFERENCE_SEQUENCE,			/* a sequence's id */
	REFERENCE_VARIABLE,			/* a control or variable */
	REFERENCE_FUNCTION			/* a function of the database */
} ReferenceKind;

/* The formulas of one string of a document: a formula, or dynamic text. */
typedef struct FormulaPlace FormulaPlace;

typedef struct Reference
{
	ReferenceKind kind;
	const char *name;			/* what is named */
	const char *table;			/* of a column: the table as it is named there, or NULL where unknown; of a
								 * variable: rows that the formula is about, whose column it is where they have one */
	bool		may_be_other;	/* the name may as well be that of a relation, an element or nothing yet */
	JsonNode   *where;			/* the string that names it; for a key, the member that has it */
	bool		is_key;			/* the name is the key of "where", not its value */
	bool		is_own;			/* it is not written: a control without one sets the variable of its own id */
	FormulaPlace *place;		/* the formulas it stands in, or NULL: then the name is spelled exactly */
	FormulaNode *node;			/* in them */
} Reference;

/* references.c: every reference that a canonical document makes, as a List of Reference; 42601 */
extern List *sigma_document_references(DocumentKind kind, JsonNode *document);

/* Give what is named a new name where it is named, in place. */
extern void sigma_reference_rename(Reference *reference, const char *new_name);

/* references_formula.c: those in one string, added to a List; "table": the rows that formulas are about, or NULL */
extern List *sigma_formula_references(List *references, JsonNode *where, const char *table);
extern List *sigma_text_references(List *references, JsonNode *where);
extern void sigma_place_write(FormulaPlace *place);

/* Are two names equal for a formula: but for case, blanks and underscores? */
extern bool sigma_same_loosely(const char *a, const char *b);

#endif							/* SIGMA_REFERENCES_H */
