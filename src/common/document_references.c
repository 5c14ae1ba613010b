/*
 * document_references.c
 *		What a document refers to, and renaming it.
 */
#include "postgres.h"

#include "common/document.h"
#include "common/document_specs.h"

List *
sigma_document_references(DocumentKind kind, JsonNode *document)
{
	return NIL;
}

bool
sigma_document_rename(DocumentKind kind, JsonNode *document, ReferenceKind what,
					  const char *table, const char *old_name, const char *new_name)
{
	return false;
}
