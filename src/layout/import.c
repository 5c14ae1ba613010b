/*
 * import.c
 *		sigma.import_layout(): a part of the layout from one nested document.
 *
 * All elements of the document become rows in one statement, so that they may refer to
 * each other in any order; the triggers of their table check them and create what their
 * settings bring along.  Ids that are taken are refused, replaced by new ones that are
 * then followed everywhere in the document, or mean that what is there is replaced.
 *
 * Everything is written as the caller and allocated in the current context.
 */
#include "postgres.h"

#include "access/table.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

#include "common/argument.h"
#include "common/catalog.h"
#include "common/document_specs.h"
#include "common/errors.h"
#include "formula/references.h"
#include "layout/layout.h"

PG_FUNCTION_INFO_V1(import_layout);

/* What to do with ids that are taken. */
typedef enum Existing
{
	EXISTING_REFUSE,
	EXISTING_RENAME,
	EXISTING_UPDATE
} Existing;

static const char *const existing_words[] = {"refuse", "rename", "update", NULL};
static const EnumSpec existing_names = {existing_words, .quoted = true};
static const KeySpec option_keys[] = {
	{"parent_id", SPEC_NAME, "what is to hold it"},
	{"existing", SPEC_ENUM, "what to do with ids that are taken", .names = &existing_names, .fallback = "\"refuse\""},
	{NULL}
};
static const ObjectSpec options_spec = {"options of an import", option_keys};

/* Lists of elements in an element's document; ends with NULL. */
static const char *const element_lists[] = {"children", "tabs", NULL};

/* An id of the document that is taken, and the one that is used instead. */
typedef struct NewId
{
	const char *key;			/* hash key, must be first: kind and given id */
	DocumentKind kind;
	const char *given;
	const char *used;
} NewId;

/* A sequence that exists and stands in the document. */
typedef struct KnownSequence
{
	const char *id;
	JsonNode   *document;
} KnownSequence;

typedef struct Import
{
	Existing	existing;
	HTAB	   *by_given;		/* of NewId */
	List	   *new_ids;		/* the same, as they were found */
	HTAB	   *used;			/* keys of ids that are taken in this import */
	List	   *known;			/* of KnownSequence */
	JsonNode   *warnings;
	int			created;		/* elements */
	int			updated;
} Import;

static JsonNode *read_documents(Jsonb *given, const JsonNode *options, JsonNode **variables);
static void find_taken(Import *import, JsonNode *document);
static void find_taken_variable(Import *import, JsonNode *document, const char *id);
static const char *id_key(DocumentKind kind, const char *id);
static const char *new_id(Import *import, DocumentKind kind, const char *given, const char *used);
static const char *used_id(const Import *import, DocumentKind kind, const char *given, bool loosely);
static void follow(const Import *import, JsonNode *document);
static bool kind_of(const Reference *reference, DocumentKind *kind);
static void rename_ids(const Import *import, JsonNode *document);
static void rename_id(const Import *import, JsonNode *document, const char *key, DocumentKind kind);
static int	count_of(const JsonNode *document, const char *key);
static JsonNode *item_of(const JsonNode *document, const char *key, int i);
static void write_variables(Import *import, JsonNode *variables);
static void take_known_sequences(Import *import, JsonNode *document);
static JsonNode *whole_document(const KeySpec *keys, JsonNode *document);
static Jsonb *result_of(const Import *import, JsonNode *roots, bool single);

/*
 * import_layout(doc, options): what became of it.  Raises SG400 for a wrong document,
 * SG409 for an id that is taken, and what creating the elements raises.
 */
Datum
import_layout(PG_FUNCTION_ARGS)
{
	Import		import = {0};
	Relation	rel = table_open(sigma_relation_oid(LAYOUT_TABLE), AccessShareLock);
	JsonNode   *options;
	JsonNode   *variables;
	JsonNode   *documents;
	List	   *rows;
	ListCell   *cell;
	int			i;

	sigma_require_argument(fcinfo, 0, "doc");
	options = sigma_spec_read(&options_spec, PG_ARGISNULL(1) ? sigma_json_new(JSON_OBJECT, NULL) :
							  sigma_json_read(PG_GETARG_JSONB_P(1)), 0);
	import.existing = EXISTING_REFUSE;
	for (i = 0; existing_words[i] != NULL; i++)
		if (strcmp(sigma_json_get_string(options, "existing", "refuse"), existing_words[i]) == 0)
			import.existing = (Existing) i;
	import.by_given = sigma_id_set("new ids of an import", sizeof(NewId));
	import.used = sigma_id_set("ids of an import", sizeof(char *));
	import.warnings = sigma_json_new(JSON_ARRAY, NULL);
	documents = read_documents(PG_GETARG_JSONB_P(0), options, &variables);

	sigma_layout_lock();
	if (import.existing == EXISTING_RENAME)
		for (i = 0; i < documents->count; i++)
			find_taken(&import, documents->items[i]);
	for (i = 0; i < documents->count && import.new_ids != NIL; i++)
		follow(&import, documents->items[i]);
	write_variables(&import, variables);

	rows = sigma_layout_flatten(rel, documents, import.existing == EXISTING_UPDATE);
	foreach(cell, rows)
	{
		CHECK_FOR_INTERRUPTS();
		if (import.existing == EXISTING_UPDATE)
			take_known_sequences(&import, lfirst(cell));
		if (import.existing == EXISTING_UPDATE &&
			sigma_catalog_exists(DOCUMENT_LAYOUT_ELEMENT, sigma_json_get_string(lfirst(cell), "id", "")))
			import.updated++;
		else
			import.created++;
	}
	for (i = 0; i < documents->count; i++)
		documents->items[i] = sigma_json_new_string(sigma_json_get_string(documents->items[i], "id", ""), NULL);
	sigma_layout_insert(rows, import.existing == EXISTING_UPDATE);
	foreach(cell, import.known)
	{
		KnownSequence *known = lfirst(cell);

		sigma_catalog_update(DOCUMENT_SEQUENCE, known->id, sigma_json_write(known->document));
	}
	table_close(rel, AccessShareLock);
	PG_RETURN_JSONB_P(result_of(&import, documents, !JB_ROOT_IS_ARRAY(PG_GETARG_JSONB_P(0))));
}

/*
 * The document, or each of an array, in canonical form and where the options want it;
 * *variables are those that stand in them.
 */
static JsonNode *
read_documents(Jsonb *given, const JsonNode *options, JsonNode **variables)
{
	JsonNode   *documents = sigma_json_read(given);
	JsonNode   *parent = sigma_json_get(options, "parent_id");
	int			i;

	*variables = NULL;
	if (documents->kind == JSON_OBJECT)
	{
		JsonNode   *single = documents;

		documents = sigma_json_new(JSON_ARRAY, NULL);
		sigma_json_append(documents, single);
	}
	if (documents->kind != JSON_ARRAY)
		sigma_document_error(documents, 0, "sigma.export_layout() makes such documents.",
							 "a layout to import must be an object or an array, not %s", sigma_json_kind_name(documents));
	for (i = 0; i < documents->count; i++)
	{
		JsonNode   *document = documents->items[i];

		if (document->kind == JSON_OBJECT && *variables == NULL)
			*variables = sigma_json_remove(document, "variables");
		document = sigma_document_normalise(DOCUMENT_LAYOUT_ELEMENT, document, 0);
		if (parent != NULL)
			sigma_json_set(document, "parent_id", sigma_json_copy(parent));
		documents->items[i] = document;
	}
	if (*variables != NULL && (*variables)->kind != JSON_ARRAY)
		sigma_document_error(*variables, 0, NULL, "\"variables\" must be an array, not %s",
							 sigma_json_kind_name(*variables));
	return documents;
}

/* Find new ids for what a document holds and the catalog has already. */
static void
find_taken(Import *import, JsonNode *document)
{
	char	   *given = sigma_json_get_string(document, "id", NULL);
	const char *const *setting;
	int			i;

	check_stack_depth();
	if (given != NULL && sigma_catalog_exists(DOCUMENT_LAYOUT_ELEMENT, given))
		(void) new_id(import, DOCUMENT_LAYOUT_ELEMENT, given, NULL);
	if (given != NULL && strcmp(sigma_json_get_string(document, "type", ""), "control") == 0)
		find_taken_variable(import, document, given);
	for (setting = sigma_layout_sequence_settings; *setting != NULL; setting++)
		for (i = 0; i < count_of(document, *setting); i++)
		{
			JsonNode   *sequence = item_of(document, *setting, i);
			char	   *id = sequence->kind == JSON_OBJECT ? sigma_json_get_string(sequence, "id", NULL) : NULL;

			if (id != NULL && sigma_catalog_exists(DOCUMENT_SEQUENCE, id))
				(void) new_id(import, DOCUMENT_SEQUENCE, id, NULL);
		}
	for (setting = element_lists; *setting != NULL; setting++)
		for (i = 0; i < count_of(document, *setting); i++)
			if (item_of(document, *setting, i)->kind == JSON_OBJECT)
				find_taken(import, item_of(document, *setting, i));
}

/*
 * A copy of a control sets a variable of its own, as Sigma's duplicates do
 * (https://help.sigmacomputing.com/docs/synced-controls).
 */
static void
find_taken_variable(Import *import, JsonNode *document, const char *id)
{
	char	   *variable = sigma_json_get_string(document, "variable", NULL);
	const char *own = used_id(import, DOCUMENT_LAYOUT_ELEMENT, id, false);

	if (variable == NULL && own != NULL)
		(void) new_id(import, DOCUMENT_VARIABLE, id, own);
	else if (variable != NULL && sigma_catalog_exists(DOCUMENT_VARIABLE, variable))
		(void) new_id(import, DOCUMENT_VARIABLE, variable, NULL);
}

/* Kind and id in one. */
static const char *
id_key(DocumentKind kind, const char *id)
{
	return psprintf("%d %s", (int) kind, id);
}

/* Note the id to use instead of one that is taken; "used" NULL: the first <given>_<n> that is free.  Returns it. */
static const char *
new_id(Import *import, DocumentKind kind, const char *given, const char *used)
{
	const char *key = id_key(kind, given);
	NewId	   *id;
	bool		found;
	int			n;

	id = hash_search(import->by_given, &key, HASH_ENTER, &found);
	if (found)
		return id->used;
	for (n = 2; used == NULL; n++)
	{
		const char *tried = psprintf("%s_%d", given, n);
		const char *tried_key = id_key(kind, tried);

		CHECK_FOR_INTERRUPTS();
		if (!sigma_catalog_exists(kind, tried) && hash_search(import->used, &tried_key, HASH_FIND, NULL) == NULL)
			used = tried;
	}
	id->kind = kind;
	id->given = given;
	id->used = used;
	import->new_ids = lappend(import->new_ids, id);
	key = id_key(kind, used);
	(void) hash_search(import->used, &key, HASH_ENTER, NULL);
	return used;
}

/* The id that is used instead of a given one; NULL: it stays.  Formulas name variables loosely. */
static const char *
used_id(const Import *import, DocumentKind kind, const char *given, bool loosely)
{
	const char *key = id_key(kind, given);
	NewId	   *id = hash_search(import->by_given, &key, HASH_FIND, NULL);
	ListCell   *cell;

	if (id != NULL)
		return id->used;
	foreach(cell, loosely ? import->new_ids : NIL)
	{
		id = lfirst(cell);
		if (id->kind == kind && sigma_same_loosely(id->given, given))
			return id->used;
	}
	return NULL;
}

/* Write the new ids wherever a document, with everything in it, names them or gives them. */
static void
follow(const Import *import, JsonNode *document)
{
	ListCell   *cell;

	foreach(cell, sigma_document_references(DOCUMENT_LAYOUT_ELEMENT, document))
	{
		Reference  *reference = lfirst(cell);
		DocumentKind kind;
		const char *name = kind_of(reference, &kind) ?
			used_id(import, kind, reference->name, reference->place != NULL) : NULL;

		if (name != NULL)
			sigma_reference_rename(reference, name);
	}
	rename_ids(import, document);
}

/* What kind of id may a reference name that an import brings?  False for everything else. */
static bool
kind_of(const Reference *reference, DocumentKind *kind)
{
	switch (reference->kind)
	{
		case REFERENCE_ELEMENT:
			*kind = DOCUMENT_LAYOUT_ELEMENT;
			return true;
		case REFERENCE_SEQUENCE:
			*kind = DOCUMENT_SEQUENCE;
			return true;
		case REFERENCE_VARIABLE:
			*kind = DOCUMENT_VARIABLE;
			return true;
		case REFERENCE_INPUT_TABLE:	/* a source may be an element, where no table has that id */
			*kind = DOCUMENT_LAYOUT_ELEMENT;
			return reference->place == NULL && !sigma_catalog_exists(DOCUMENT_INPUT_TABLE, reference->name);
		case REFERENCE_COLUMN:
		case REFERENCE_ACTION:
		case REFERENCE_FUNCTION:
			break;
	}
	return false;
}

/* Give elements and sequences of a document their new ids. */
static void
rename_ids(const Import *import, JsonNode *document)
{
	const char *const *setting;
	int			i;

	check_stack_depth();
	rename_id(import, document, "id", DOCUMENT_LAYOUT_ELEMENT);
	rename_id(import, document, "default_tab", DOCUMENT_LAYOUT_ELEMENT);
	for (setting = sigma_layout_sequence_settings; *setting != NULL; setting++)
		for (i = 0; i < count_of(document, *setting); i++)
			rename_id(import, item_of(document, *setting, i), "id", DOCUMENT_SEQUENCE);
	for (setting = element_lists; *setting != NULL; setting++)
		for (i = 0; i < count_of(document, *setting); i++)
			rename_ids(import, item_of(document, *setting, i));
}

/* Give a member that holds an id the new one, where there is one. */
static void
rename_id(const Import *import, JsonNode *document, const char *key, DocumentKind kind)
{
	JsonNode   *id = document->kind == JSON_OBJECT ? sigma_json_get(document, key) : NULL;
	const char *used = id == NULL || id->kind != JSON_STRING ? NULL : used_id(import, kind, id->string, false);

	if (used != NULL)
		id->string = pstrdup(used);
}

/* How many values has a member: an array's, a single one, none? */
static int
count_of(const JsonNode *document, const char *key)
{
	JsonNode   *value = document->kind == JSON_OBJECT ? sigma_json_get(document, key) : NULL;

	return value == NULL || value->kind == JSON_NULL ? 0 : value->kind == JSON_ARRAY ? value->count : 1;
}

/* One of them. */
static JsonNode *
item_of(const JsonNode *document, const char *key, int i)
{
	JsonNode   *value = sigma_json_get(document, key);

	return value->kind == JSON_ARRAY ? value->items[i] : value;
}

/*
 * Create the variables that a document brings.  One that exists is shared with those who
 * have it: it is left as it is, with a warning where it differs, or replaced.
 */
static void
write_variables(Import *import, JsonNode *variables)
{
	int			i;

	for (i = 0; variables != NULL && i < variables->count; i++)
	{
		JsonNode   *document = sigma_document_normalise(DOCUMENT_VARIABLE, variables->items[i], 0);
		char	   *id = sigma_json_get_string(document, "id", "");
		const char *used = used_id(import, DOCUMENT_VARIABLE, id, false);

		if (used != NULL)
		{
			if (strcmp(sigma_json_get_string(document, "name", id), id) == 0)
				sigma_json_set(document, "name", sigma_json_new_string(used, document));
			sigma_json_set(document, "id", sigma_json_new_string(used, document));
		}
		if (used != NULL || !sigma_catalog_exists(DOCUMENT_VARIABLE, id))
			(void) sigma_catalog_insert(DOCUMENT_VARIABLE, sigma_json_write(document));
		else if (import->existing == EXISTING_UPDATE)
			sigma_catalog_update(DOCUMENT_VARIABLE, id, sigma_json_write(document));
		else
			sigma_json_append(import->warnings,
							  sigma_json_new_string(psprintf("variable \"%s\" exists already and stays as it is", id), NULL));
	}
}

/* Sequences of an element's settings that exist: their ids take their place, their documents wait. */
static void
take_known_sequences(Import *import, JsonNode *document)
{
	const ElementKind *kind = sigma_element_kind(sigma_json_get_string(document, "type", ""));
	const char *element = sigma_json_get_string(document, "id", "");
	const char *const *setting;
	int			i;

	for (setting = sigma_layout_sequence_settings; *setting != NULL && kind != NULL; setting++)
		for (i = 0; i < count_of(document, *setting); i++)
		{
			JsonNode   *given = item_of(document, *setting, i);
			char	   *id = given->kind == JSON_OBJECT ? sigma_json_get_string(given, "id", NULL) : NULL;
			KnownSequence *known;

			if (id == NULL || !sigma_catalog_exists(DOCUMENT_SEQUENCE, id))
				continue;
			known = palloc(sizeof(KnownSequence));
			known->id = id;
			known->document = whole_document(sigma_sequence_spec.keys,
											 sigma_layout_sequence_document(kind, element, *setting, given));
			import->known = lappend(import->known, known);
			if (sigma_json_get(document, *setting)->kind == JSON_ARRAY)
				sigma_json_get(document, *setting)->items[i] = sigma_json_new_string(id, given);
			else
				sigma_json_set(document, *setting, sigma_json_new_string(id, given));
		}
}

/* A document that replaces another: what it does not say is what it would be in a new one. */
static JsonNode *
whole_document(const KeySpec *keys, JsonNode *document)
{
	for (; keys->name != NULL; keys++)
	{
		if (keys->type == SPEC_ALIAS || keys->type == SPEC_DROPPED || keys->type == SPEC_REFUSED ||
			sigma_json_get(document, keys->name) != NULL)
			continue;
		sigma_json_set(document, keys->name, keys->fallback == NULL ? sigma_json_new(JSON_NULL, document) :
					   sigma_spec_fallback(keys));
	}
	return document;
}

/* {root, created, updated, ids: {given: used}, warnings}; "root" is an array where several were given. */
static Jsonb *
result_of(const Import *import, JsonNode *roots, bool single)
{
	JsonNode   *result = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *ids = sigma_json_new(JSON_OBJECT, NULL);
	ListCell   *cell;

	foreach(cell, import->new_ids)
	{
		const NewId *id = lfirst(cell);

		if (id->kind != DOCUMENT_VARIABLE || sigma_json_get(ids, id->given) == NULL)
			sigma_json_set(ids, id->given, sigma_json_new_string(id->used, NULL));
	}
	sigma_json_set(result, "root", single ? roots->items[0] : roots);
	sigma_json_set(result, "created", sigma_json_new_int(import->created, NULL));
	sigma_json_set(result, "updated", sigma_json_new_int(import->updated, NULL));
	sigma_json_set(result, "ids", ids);
	sigma_json_set(result, "warnings", import->warnings);
	return sigma_json_write(result);
}
