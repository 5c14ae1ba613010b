/*
 * documents.c
 *		What an element's settings bring along and what they name.
 *
 * Sequences that stand in settings (actions, on_open, on_close, submit_sequence)
 * become rows and leave their ids; a control has its variable; what settings refer to
 * must exist.  All of it happens after the statement, when every row of it is there,
 * and none of it while a dump is being restored.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "common/catalog.h"
#include "common/document_specs.h"
#include "common/errors.h"
#include "common/session.h"
#include "formula/references.h"
#include "layout/layout.h"

/* A setting that names sequences, and the trigger that one standing there has. */
typedef struct SequenceSetting
{
	const char *name;
	bool		is_list;
	const char *trigger;		/* NULL: by the element's type */
} SequenceSetting;

static const SequenceSetting sequence_settings[] = {
	{"actions", true, NULL},
	{"on_open", false, "modal_open"},
	{"on_close", false, "modal_close"},
	{"submit_sequence", false, "form_primary"},
};

/* Their names, for those who read them; ends with NULL. */
const char *const sigma_layout_sequence_settings[] = {
	"actions", "on_open", "on_close", "submit_sequence", NULL
};

static void bring(Relation rel, const LayoutChange *change, MemoryContext caller, List **ids, List **written);
static void check_settings(Relation rel, const LayoutChange *change);
static void explain_element(void *arg);
static void explain_sequence(void *arg);
static bool create_sequences(const LayoutChange *change, JsonNode *settings);
static char *create_sequence(const LayoutChange *change, const SequenceSetting *setting, JsonNode *document, int *n);
static void check_references(const LayoutChange *change);

/* Do these settings (NULL: none) make anything else, a sequence or a variable? */
bool
sigma_layout_brings(const ElementKind *kind, Jsonb *config)
{
	int			i;

	if (kind != NULL && strcmp(kind->name, "control") == 0)
		return true;
	for (i = 0; config != NULL && JB_ROOT_IS_OBJECT(config) && i < lengthof(sequence_settings); i++)
	{
		const char *name = sequence_settings[i].name;
		JsonbValue	value;

		/* an object or an array; ids alone are strings, and arrays are looked into later */
		if (getKeyJsonValueFromContainer(&config->root, name, strlen(name), &value) != NULL &&
			value.type == jbvBinary)
			return true;
	}
	return false;
}

/*
 * Settle what the settings of written rows bring along.  Raises SG404 where they name
 * what does not exist, 42703 for an unknown column.  Paths begin at the element, which
 * may have stood in another's document: CONTEXT names it.
 */
void
sigma_layout_documents(Relation rel, List *changes)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "layout documents", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);
	List	   *ids = NIL;
	List	   *written = NIL;
	ErrorContextCallback callback;
	ListCell   *cell;

	callback.callback = explain_element;
	callback.previous = error_context_stack;
	CommandCounterIncrement();	/* the statement's own rows are to be seen */
	foreach(cell, changes)
	{
		LayoutChange *change = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (!change->brings)
			continue;
		callback.arg = change->id;
		error_context_stack = &callback;
		bring(rel, change, caller, &ids, &written);
		error_context_stack = callback.previous;
		MemoryContextReset(work);
	}
	sigma_layout_write_settings(rel, ids, written);
	sigma_layout_follow_tabs(rel, changes);

	foreach(cell, changes)
	{
		LayoutChange *change = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (!change->configured || change->kind == NULL || sigma_session.origin == ORIGIN_SYSTEM)
			continue;			/* new names that sigma writes mean the same as before */
		callback.arg = change->id;
		error_context_stack = &callback;
		check_settings(rel, change);
		error_context_stack = callback.previous;
		MemoryContextReset(work);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
}

/*
 * Create what one row's settings bring along.  Where sequences became ids, the id of
 * the row and its new settings (a Jsonb) are added to the lists, in "caller".
 */
static void
bring(Relation rel, const LayoutChange *change, MemoryContext caller, List **ids, List **written)
{
	JsonNode   *settings = sigma_layout_settings(rel, change->id);
	MemoryContext work;

	if (settings == NULL)
		settings = sigma_json_new(JSON_OBJECT, NULL);
	if (strcmp(change->kind->name, "control") == 0)
		sigma_layout_bring_variable(change, settings);
	if (!create_sequences(change, settings))
		return;
	work = MemoryContextSwitchTo(caller);
	*ids = lappend(*ids, change->id);
	*written = lappend(*written, sigma_json_write(settings));
	MemoryContextSwitchTo(work);
}

/* What one row's settings name must exist. */
static void
check_settings(Relation rel, const LayoutChange *change)
{
	check_references(change);
	if (strcmp(change->kind->name, "tabs") == 0)
		sigma_layout_check_default_tab(rel, change->id);
}

/* Says which element's settings an error was found in. */
static void
explain_element(void *arg)
{
	errcontext("layout element \"%s\"", (const char *) arg);
}

/* Says which sequence of an element's settings an error was found in. */
static void
explain_sequence(void *arg)
{
	errcontext("action sequence \"%s\"", (const char *) arg);
}

/* The settings of an element as they are now; NULL where it has none or is gone. */
JsonNode *
sigma_layout_settings(Relation rel, const char *id)
{
	Snapshot	snapshot;
	HeapTuple	row;
	bool		isnull = true;
	Datum		config = (Datum) 0;

	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	row = sigma_layout_row(rel, snapshot, id);
	UnregisterSnapshot(snapshot);
	if (row != NULL)
		config = heap_getattr(row, LAYOUT_CONFIG, RelationGetDescr(rel), &isnull);
	return isnull || !JB_ROOT_IS_OBJECT(DatumGetJsonbP(config)) ? NULL : sigma_json_read(DatumGetJsonbP(config));
}

/* Store settings (of Jsonb) whose documents became ids. */
void
sigma_layout_write_settings(Relation rel, List *ids, List *written)
{
	Datum	   *values;
	ListCell   *cell;

	if (ids == NIL)
		return;
	values = palloc(sizeof(Datum) * list_length(written));
	foreach(cell, written)
		values[foreach_current_index(cell)] = JsonbPGetDatum(lfirst(cell));
	sigma_layout_write_config(rel, sigma_text_array(ids),
							  construct_array(values, list_length(written), JSONBOID, -1, false, TYPALIGN_INT));
}

/* Create the sequences that stand in settings and put their ids there.  Returns whether there were any. */
static bool
create_sequences(const LayoutChange *change, JsonNode *settings)
{
	bool		any = false;
	int			n = 1;
	int			i;
	int			j;

	for (i = 0; i < lengthof(sequence_settings); i++)
	{
		const SequenceSetting *setting = &sequence_settings[i];
		JsonNode   *node = sigma_json_get(settings, setting->name);

		if (node != NULL && node->kind == JSON_OBJECT)
		{
			char	   *id = create_sequence(change, setting, node, &n);

			sigma_json_set(settings, setting->name, sigma_json_new_string(id, node));
			any = true;
		}
		for (j = 0; node != NULL && node->kind == JSON_ARRAY && j < node->count; j++)
		{
			if (node->items[j]->kind != JSON_OBJECT)
				continue;
			node->items[j] = sigma_json_new_string(create_sequence(change, setting, node->items[j], &n),
												   node->items[j]);
			any = true;
		}
	}
	return any;
}

/* Create one sequence, as the caller.  What its document does not say comes from where it stands. */
static char *
create_sequence(const LayoutChange *change, const SequenceSetting *setting, JsonNode *document, int *n)
{
	ErrorContextCallback callback;
	char	   *created;

	document = sigma_layout_sequence_document(change->kind, change->id, setting->name, document);
	if (sigma_json_get_string(document, "id", NULL) == NULL)
	{
		char	   *id;

		do
			id = psprintf("%s_%d", change->id, (*n)++);
		while (sigma_catalog_exists(DOCUMENT_SEQUENCE, id));
		sigma_json_set(document, "id", sigma_json_new_string(id, document));
	}
	else
		(*n)++;

	/* paths begin at the sequence from here on */
	callback.callback = explain_sequence;
	callback.arg = sigma_json_get_string(document, "id", NULL);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	created = sigma_catalog_insert(DOCUMENT_SEQUENCE, sigma_json_write(document));
	error_context_stack = callback.previous;
	return created;
}

/* A sequence that stands in a setting, in canonical form, with the trigger that it has there unless it says otherwise. */
JsonNode *
sigma_layout_sequence_document(const ElementKind *kind, const char *element, const char *setting, JsonNode *document)
{
	JsonNode   *trigger;
	char	   *type;

	if (sigma_json_get(document, "trigger") == NULL)
	{
		trigger = sigma_json_new(JSON_OBJECT, document);
		sigma_json_set(trigger, "type", sigma_json_new_string(sigma_layout_usual_trigger(kind, setting), document));
		sigma_json_set(document, "trigger", trigger);
	}
	document = sigma_document_normalise(DOCUMENT_SEQUENCE, document, 0);
	trigger = sigma_json_get(document, "trigger");
	type = sigma_json_get_string(trigger, "type", "manual");
	if (sigma_json_get(trigger, "element_id") == NULL && strcmp(type, "schedule") != 0 &&
		strcmp(type, "webhook") != 0 && strcmp(type, "row_change") != 0)
		sigma_json_set(trigger, "element_id", sigma_json_new_string(element, trigger));
	return document;
}

/* What starts a sequence that stands in a setting of such an element and does not say so. */
const char *
sigma_layout_usual_trigger(const ElementKind *kind, const char *setting)
{
	static const struct
	{
		const char *type;
		const char *trigger;
	}			defaults[] = {
		{"button", "click"}, {"image", "click"}, {"text", "click"}, {"control", "change"},
		{"table", "select"}, {"input_table", "select"}, {"pivot", "select"}, {"chart", "select"},
		{"page", "load"}, {"modal", "modal_open"}, {"drawer", "modal_open"}, {"form", "form_primary"},
	};
	int			i;

	for (i = 0; i < lengthof(sequence_settings); i++)
		if (sequence_settings[i].trigger != NULL && strcmp(sequence_settings[i].name, setting) == 0)
			return sequence_settings[i].trigger;
	for (i = 0; i < lengthof(defaults); i++)
		if (strcmp(defaults[i].type, kind->name) == 0)
			return defaults[i].trigger;
	return "manual";
}

/* Everything that an element's document refers to must exist, and its formulas be right. */
static void
check_references(const LayoutChange *change)
{
	JsonNode   *document = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, change->id);

	if (document == NULL)
		return;
	sigma_layout_check_references(document);
	sigma_layout_check_formulas(document);
}
