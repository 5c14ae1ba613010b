/*
 * catalog.h
 *		The catalog tables: documents to rows and back.
 *
 * The create and update functions are fronts over plain DML: they bring a
 * document into catalog columns and run INSERT or UPDATE as the caller.  The
 * row triggers do the work, whoever wrote the row.
 */
#ifndef SIGMA_CATALOG_H
#define SIGMA_CATALOG_H

#include "postgres.h"

#include "access/htup.h"
#include "commands/trigger.h"
#include "nodes/pg_list.h"
#include "utils/relcache.h"

#include "common/document.h"
#include "compat.h"

/* A catalog table and how its documents are spread over its columns. */
typedef struct CatalogTable
{
	DocumentKind kind;			/* what a row holds */
	const char *name;			/* table, in schema sigma */
	const char *noun;			/* what a message calls a row: "input table" */
	const char *rest;			/* jsonb column that takes all keys without a column, or NULL */
} CatalogTable;

extern const CatalogTable *sigma_catalog_table(DocumentKind kind);

/*
 * INSERT a document as the caller.  Returns the id, made where the document has none.
 * An action, sequence or variable of that id that exists is SG409.
 */
extern char *sigma_catalog_insert(DocumentKind kind, Jsonb *document);

/* UPDATE the named keys as the caller; SG404 where there is no such row. */
extern void sigma_catalog_update(DocumentKind kind, const char *id, Jsonb *changes);

/* DELETE as the caller.  Returns whether there was one. */
extern bool sigma_catalog_delete(DocumentKind kind, const char *id);

/* Operations that a trigger function is written for. */
#define CATALOG_INSERT	(1 << TRIGGER_EVENT_INSERT)
#define CATALOG_UPDATE	(1 << TRIGGER_EVENT_UPDATE)
#define CATALOG_DELETE	(1 << TRIGGER_EVENT_DELETE)
#define CATALOG_ANY		(CATALOG_INSERT | CATALOG_UPDATE | CATALOG_DELETE | (1 << TRIGGER_EVENT_TRUNCATE))

/*
 * The call of a trigger function of the catalog; 39P01 where it is not called as a
 * trigger of that table (in schema sigma), with that level and timing ("when":
 * TRIGGER_EVENT_ROW, TRIGGER_EVENT_BEFORE) and one of those operations.  Whoever may
 * execute the function can make it a trigger of a table of another shape.
 */
extern TriggerData *sigma_catalog_trigger(FunctionCallInfo fcinfo, const char *function, const char *table,
										  TriggerEvent when, int operations);

/*
 * For BEFORE ROW triggers: the new row as a normalised document, and the row
 * made from such a document (stamps and defaults filled where NULL on INSERT,
 * updated_at set on UPDATE unless the row is written by sigma itself).
 */
extern JsonNode *sigma_catalog_row_document(DocumentKind kind, TriggerData *trigger, HeapTuple row);
extern HeapTuple sigma_catalog_document_row(DocumentKind kind, TriggerData *trigger, HeapTuple row, JsonNode *document);

/* The stamps and the status alone, for a row whose document is known to be as it is stored. */
extern void sigma_catalog_stamp_row(TriggerData *trigger, Datum *values, bool *nulls);

/* The document of one row, not ACL-checked, by the newest snapshot; NULL where there is none. */
extern JsonNode *sigma_catalog_read(DocumentKind kind, const char *id);

/* Does a row of that id exist?  Not ACL-checked. */
extern bool sigma_catalog_exists(DocumentKind kind, const char *id);

/* One row's id and display name (NULL where it has none). */
typedef struct CatalogName
{
	char	   *id;
	char	   *name;
} CatalogName;

/* All rows by the newest snapshot, as a List of CatalogName by id.  Not ACL-checked. */
extern List *sigma_catalog_names(DocumentKind kind);

/* A hint at the id that is most like the given one, or whose display name is; NULL where none is.  palloc'd. */
extern char *sigma_catalog_nearest(DocumentKind kind, const char *given);

/* A hint for an unknown id: the nearest one, else what there is.  palloc'd. */
extern char *sigma_catalog_hint(DocumentKind kind, const char *id);

/* Raise SG404 for an unknown id, hinting at the nearest one. */
extern void sigma_catalog_not_found(DocumentKind kind, const char *id) pg_attribute_noreturn();

/*
 * Is a dump of the catalog being restored?  Only the owner of its tables is
 * believed, who could as well disable the triggers.
 */
extern bool sigma_catalog_restoring(void);

/* OID of a table or index of schema sigma; XX000 where it is missing. */
extern Oid	sigma_relation_oid(const char *name);

#endif							/* SIGMA_CATALOG_H */
