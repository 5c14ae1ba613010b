/*
 * document.h
 *		The one reader of documents: spelling, aliases, folding, defaults, checks.
 *
 * sigma_document_normalise() turns what a client sent into the canonical form
 * that is stored.  The rules stand in tables (document_specs.c), one per kind of
 * document.  The canonical form is a fixed point: normalising it again changes
 * nothing, which is what lets catalog triggers and functions share the work.
 */
#ifndef SIGMA_DOCUMENT_H
#define SIGMA_DOCUMENT_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "common/json.h"
#include "compat.h"

typedef enum DocumentKind
{
	DOCUMENT_INPUT_TABLE,
	DOCUMENT_COLUMN,
	DOCUMENT_RULE,
	DOCUMENT_LAYOUT_ELEMENT,
	DOCUMENT_ACTION,
	DOCUMENT_SEQUENCE,
	DOCUMENT_TRIGGER,
	DOCUMENT_CONDITION,
	DOCUMENT_VALUE,
	DOCUMENT_SELECTOR,
	DOCUMENT_VARIABLE,
	DOCUMENT_CONTEXT
} DocumentKind;

/* flags of sigma_document_normalise */
#define DOCUMENT_CHANGES	0x01	/* an update: no key is required, none gets its default */
#define DOCUMENT_STORED		0x02	/* comes from the catalog: run-time fields are not expected */

/*
 * The canonical form of "document", built in place in the current context.
 * Raises SG400 with the JSON path in DETAIL and what is known in HINT.
 */
extern JsonNode *sigma_document_normalise(DocumentKind kind, JsonNode *document, int flags);

/* Is this string, as a whole, one reference like [Selection/Region]? */
extern bool sigma_is_bare_reference(const char *text);

/*
 * The parts of such a string: *scope becomes "Selection", "Control", "ActionVar"
 * or "Form", *name what is named.  False, with both untouched, where it is none.
 */
extern bool sigma_split_reference(const char *text, const char **scope, char **name);

/* A piece of dynamic text. */
typedef struct TextPiece
{
	bool		is_formula;		/* "text" is a formula, without its braces */
	char	   *text;
} TextPiece;

/* Dynamic text as a List of TextPiece; false where its braces do not match. */
extern bool sigma_dynamic_text_split(const char *text, List **pieces);

/*
 * Raise an error about a node: its path becomes DETAIL, "hint" (may be NULL) HINT.
 * SG400 unless "sqlstate" is not 0.
 */
extern void sigma_document_error(const JsonNode *where, int sqlstate, const char *hint,
								 const char *message,...) pg_attribute_printf(4, 5) pg_attribute_noreturn();

/*
 * Raise again the error that a formula of the document has just caused (in PG_CATCH,
 * "cxt" is the context that was current before): the node's path comes before the
 * place in the formula's text.  What is no error of the formula is raised as it is.
 */
extern void sigma_document_rethrow(const JsonNode *where, MemoryContext cxt) pg_attribute_noreturn();
extern void sigma_document_rethrow_at(const char *path, const JsonNode *where, MemoryContext cxt) pg_attribute_noreturn();

/*
 * What reads formulas: returns the canonical text, or raises.  The floor of formulas
 * sets it once, when the library is loaded.
 */
typedef char *(*DocumentFormulaReader) (const char *text);

extern void sigma_document_set_formula_reader(DocumentFormulaReader reader);

/*
 * A hint for a mistyped name: 'Perhaps you meant "x".' where one is near,
 * else 'Known are a, b and c.'.  "names" ends with NULL; the text is palloc'd.
 */
extern char *sigma_hint_names(const char *given, const char *const *names);
extern int	sigma_nearest_name(const char *given, const char *const *names, bool strictly);	/* its place, or -1 */

#endif							/* SIGMA_DOCUMENT_H */
