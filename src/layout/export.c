/*
 * export.c
 *		sigma.export_layout(): a part of the layout as one nested document.
 *
 * The document is what import_layout reads: children stand in their parents, in order;
 * a sequence stands in the element that starts it; variables of controls stand in the
 * root's "variables" where they say more than the controls themselves.  What the import
 * fills in by itself (parents, positions, usual triggers, defaults) is left out, so that
 * a document which was imported comes out as it went in.
 *
 * Everything is read as the caller and allocated in the current context.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "common/catalog.h"
#include "common/document_specs.h"
#include "common/spi.h"
#include "layout/layout.h"

PG_FUNCTION_INFO_V1(export_layout);

#define SEQUENCES_SQL \
	"SELECT s.trigger OPERATOR(pg_catalog.->>) 'element_id', s.id::pg_catalog.text" \
	" FROM sigma.sigma_action_sequences AS s" \
	" WHERE s.trigger OPERATOR(pg_catalog.->>) 'element_id' OPERATOR(pg_catalog.=) ANY ($1)" \
	" ORDER BY s.created_at, s.id"
#define VARIABLES_SQL \
	"SELECT v.id::pg_catalog.text FROM sigma.sigma_variables AS v" \
	" WHERE v.id OPERATOR(pg_catalog.=) ANY ($1) ORDER BY v.id"

/* The sequences that one element starts. */
typedef struct Starter
{
	const char *id;				/* the element's; hash key, must be first */
	List	   *sequences;		/* of char *, ids that have no place in the document yet */
} Starter;

typedef struct Export
{
	HTAB	   *starters;		/* of Starter */
	List	   *variables;		/* of char *, that controls set */
	List	   *expected;		/* of JsonNode, what the control alone would make; parallel */
} Export;

static List *root_variables(Export *export);
static void find_sequences(Export *export, const Outline *outline);
static JsonNode *export_node(Export *export, OutlineNode *node);
static void export_sequences(Export *export, const OutlineNode *node, JsonNode *document);
static JsonNode *export_sequence(Export *export, const OutlineNode *node, const char *setting, JsonNode *given);
static JsonNode *sequence_document(const OutlineNode *node, const char *setting, const char *id);
static bool take_sequence(Export *export, const char *element, const char *sequence);
static void note_variable(Export *export, const OutlineNode *node, const JsonNode *document);
static void drop_defaults(JsonNode *document, const KeySpec *keys);

/*
 * export_layout(root): the document of an element with everything in it; NULL: an array
 * of all roots.  SG404 for an unknown root.
 */
Datum
export_layout(PG_FUNCTION_ARGS)
{
	char	   *root = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	Outline    *outline = sigma_outline_read(root);
	JsonNode   *documents = sigma_json_new(JSON_ARRAY, NULL);
	JsonNode   *variables = sigma_json_new(JSON_ARRAY, NULL);
	Export		export = {0};
	ListCell   *cell;

	find_sequences(&export, outline);
	foreach(cell, outline->roots)
		sigma_json_append(documents, export_node(&export, lfirst(cell)));
	foreach(cell, root_variables(&export))
		sigma_json_append(variables, lfirst(cell));
	if (variables->count > 0)
		sigma_json_set(documents->items[0], "variables", variables);
	PG_RETURN_JSONB_P(sigma_json_write(root == NULL ? documents : documents->items[0]));
}

/* Which sequences does each of these elements start? */
static void
find_sequences(Export *export, const Outline *outline)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTARRAYOID};
	MemoryContext caller = CurrentMemoryContext;
	List	   *ids = NIL;
	Datum		value;
	ListCell   *cell;
	uint64		i;

	export->starters = sigma_id_set("elements that start sequences", sizeof(Starter));
	foreach(cell, outline->nodes)
		ids = lappend(ids, unconstify(char *, ((OutlineNode *) lfirst(cell))->id));
	value = PointerGetDatum(sigma_text_array(ids));
	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan, SEQUENCES_SQL, 1, types), &value, NULL, false, SPI_OK_SELECT);
	for (i = 0; i < SPI_processed; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);
		const char *element = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		char	   *sequence = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
		bool		found;
		Starter    *starter = hash_search(export->starters, &element, HASH_ENTER, &found);

		starter->sequences = lappend(found ? starter->sequences : NIL, sequence);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
}

/* The document of one element with everything in it. */
static JsonNode *
export_node(Export *export, OutlineNode *node)
{
	JsonNode   *document = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, node->id);
	JsonNode   *children = sigma_json_new(JSON_ARRAY, NULL);
	bool		is_tabs = strcmp(node->type, "tabs") == 0;
	ListCell   *cell;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (document == NULL)		/* deleted since the outline was read */
		sigma_catalog_not_found(DOCUMENT_LAYOUT_ELEMENT, node->id);
	(void) sigma_json_remove(document, "parent_id");
	(void) sigma_json_remove(document, "position");
	(void) sigma_json_remove(document, "children");
	export_sequences(export, node, document);
	if (strcmp(node->type, "control") == 0)
		note_variable(export, node, document);
	foreach(cell, node->children)
	{
		JsonNode   *child = export_node(export, lfirst(cell));

		if (is_tabs)
			(void) sigma_json_remove(child, "type");
		sigma_json_append(children, child);
	}
	if (children->count > 0)
		sigma_json_set(document, is_tabs ? "tabs" : "children", children);
	return document;
}

/* Put the sequences that an element starts into its document. */
static void
export_sequences(Export *export, const OutlineNode *node, JsonNode *document)
{
	const char *const *setting;
	Starter    *starter;
	JsonNode   *actions;
	int			i;

	for (setting = sigma_layout_sequence_settings; *setting != NULL; setting++)
	{
		JsonNode   *value = sigma_json_get(document, *setting);

		if (value != NULL && value->kind == JSON_STRING)
			sigma_json_set(document, *setting, export_sequence(export, node, *setting, value));
		for (i = 0; value != NULL && value->kind == JSON_ARRAY && i < value->count; i++)
			value->items[i] = export_sequence(export, node, *setting, value->items[i]);
	}

	/* those that name the element without being named by it */
	starter = hash_search(export->starters, &node->id, HASH_FIND, NULL);
	while (starter != NULL && starter->sequences != NIL)
	{
		char	   *id = linitial(starter->sequences);

		actions = sigma_json_get(document, "actions");
		if (actions == NULL)
		{
			actions = sigma_json_new(JSON_ARRAY, NULL);
			sigma_json_set(document, "actions", actions);
		}
		sigma_json_append(actions, sequence_document(node, "actions", id));
		starter->sequences = list_delete_first(starter->sequences);
	}
}

/* A sequence that a setting names: its document where this element starts it and it has no place yet. */
static JsonNode *
export_sequence(Export *export, const OutlineNode *node, const char *setting, JsonNode *given)
{
	if (given->kind != JSON_STRING || !take_sequence(export, node->id, given->string))
		return given;
	return sequence_document(node, setting, given->string);
}

/* Is this one of the sequences that the element starts and that have no place yet?  It has one then. */
static bool
take_sequence(Export *export, const char *element, const char *sequence)
{
	Starter    *starter = hash_search(export->starters, &element, HASH_FIND, NULL);
	ListCell   *cell;

	foreach(cell, starter == NULL ? NIL : starter->sequences)
		if (strcmp(lfirst(cell), sequence) == 0)
		{
			starter->sequences = foreach_delete_current(starter->sequences, cell);
			return true;
		}
	return false;
}

/* The document of a sequence, without what it has by standing in a setting of the element. */
static JsonNode *
sequence_document(const OutlineNode *node, const char *setting, const char *id)
{
	JsonNode   *document = sigma_catalog_read(DOCUMENT_SEQUENCE, id);
	JsonNode   *trigger = document == NULL ? NULL : sigma_json_get(document, "trigger");

	if (document == NULL)
		return sigma_json_new_string(id, NULL);
	drop_defaults(document, sigma_sequence_spec.keys);
	if (trigger != NULL && trigger->kind == JSON_OBJECT)
	{
		(void) sigma_json_remove(trigger, "element_id");
		if (trigger->count == 1 && node->kind != NULL &&
			strcmp(sigma_json_get_string(trigger, "type", ""), sigma_layout_usual_trigger(node->kind, setting)) == 0)
			(void) sigma_json_remove(document, "trigger");
	}
	return document;
}

/* Note the variable that a control sets, and what the control would make of it. */
static void
note_variable(Export *export, const OutlineNode *node, const JsonNode *document)
{
	const char *name = sigma_json_get_string(document, "variable", unconstify(char *, node->id));

	export->variables = lappend(export->variables, unconstify(char *, name));
	export->expected = lappend(export->expected, sigma_layout_control_variable(name, document));
}

/* The documents of those variables that say more than what their controls would make. */
static List *
root_variables(Export *export)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTARRAYOID};
	MemoryContext caller = CurrentMemoryContext;
	List	   *documents = NIL;
	Datum		value = PointerGetDatum(sigma_text_array(export->variables));
	uint64		i;

	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan, VARIABLES_SQL, 1, types), &value, NULL, false, SPI_OK_SELECT);
	for (i = 0; i < SPI_processed; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);
		char	   *id = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		JsonNode   *document = sigma_catalog_read(DOCUMENT_VARIABLE, id);
		ListCell   *name;
		ListCell   *expected;

		if (document != NULL)
		{
			(void) sigma_json_remove(document, "value");	/* what users did is no part of the layout */
			drop_defaults(document, sigma_variable_spec.keys);
		}
		forboth(name, export->variables, expected, export->expected)
			if (document != NULL && strcmp(lfirst(name), id) == 0)
			{
				JsonNode   *made = sigma_document_normalise(DOCUMENT_VARIABLE, lfirst(expected), 0);

				drop_defaults(made, sigma_variable_spec.keys);
				if (!sigma_json_equal(made, document))
					documents = lappend(documents, document);
				break;
			}
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return documents;
}

/* Take out what a reader would fill in. */
static void
drop_defaults(JsonNode *document, const KeySpec *keys)
{
	for (; keys->name != NULL; keys++)
	{
		JsonNode   *value = keys->fallback == NULL ? NULL : sigma_json_get(document, keys->name);

		if (value != NULL && sigma_json_equal(value, sigma_spec_fallback(keys)))
			(void) sigma_json_remove(document, keys->name);
	}
}
