/*
 * objects.h
 *		The objects that documents name, and what a name in a document means.
 */
#ifndef SIGMA_OBJECTS_H
#define SIGMA_OBJECTS_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "formula/references.h"

typedef enum NamedKind
{
	NAMED_INPUT_TABLE,
	NAMED_COLUMN,
	NAMED_ELEMENT,
	NAMED_ACTION,
	NAMED_SEQUENCE,
	NAMED_VARIABLE,
	NAMED_RELATION,
	NAMED_FUNCTION
} NamedKind;

typedef struct NamedObject
{
	NamedKind	kind;
	const char *id;				/* of a column: its table's; of a relation or function: its qualified name */
	const char *column;			/* NAMED_COLUMN */
} NamedObject;

/* What names mean now, read from the catalog as it is asked for; lives in one context. */
typedef struct Names Names;

/* objects.c */
extern Names *sigma_names_open(void);
extern void sigma_names_set_table(Names *names, const char *id, const char *name, List *columns);
extern char *sigma_view_named(const char *spelled);
extern List *sigma_names_add_linked(List *columns, JsonNode *document);
extern void sigma_names_set_variable(Names *names, const char *id, const char *name);
extern bool sigma_names_resolve(Names *names, const Reference *reference, NamedObject *object);
extern const char *sigma_object_kind(NamedKind kind);
extern char *sigma_object_text(const NamedObject *object);
extern void sigma_object_read(Names *names, const char *text, NamedObject *object);
extern bool sigma_object_same(const NamedObject *a, const NamedObject *b);
extern void sigma_object_at(JsonNode *document, NamedKind kind, const char *path, NamedObject *user);
extern bool sigma_object_is_own(const NamedObject *user, const NamedObject *object);

/* formula_names.c: relations in formulas with their schemas, for a document that is being saved */
extern void sigma_formulas_qualify(DocumentKind kind, JsonNode *document);

#endif							/* SIGMA_OBJECTS_H */
