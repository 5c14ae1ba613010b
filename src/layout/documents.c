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
static bool is_inert(const KeySpec *key, const JsonbValue *value);
static void check_settings(Relation rel, const LayoutChange *change);
static void explain_element(void *arg);
static void explain_sequence(void *arg);
static JsonNode *read_settings(Relation rel, const char *id);
static void write_settings(Relation rel, List *ids, List *written);
static bool create_sequences(const LayoutChange *change, JsonNode *settings);
static char *create_sequence(const LayoutChange *change, const SequenceSetting *setting, JsonNode *document, int *n);
static void create_variable(const LayoutChange *change, const JsonNode *settings);
static const char *variable_type(const JsonNode *settings);
static void check_variable(const LayoutChange *change, const JsonNode *settings);
static void check_references(const LayoutChange *change);
static void check_reference(const Reference *reference);
static bool is_relation(const char *name);
static void check_column(const Reference *reference);
static void refuse_missing(const Reference *reference, DocumentKind kind);
static void check_default_tab(Relation rel, const LayoutChange *change, const JsonNode *settings);

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
 * May these settings (NULL: none) name anything or hold a formula?  Most of a page does
 * neither, and is not read again to be checked.
 */
bool
sigma_layout_refers(const ElementKind *kind, Jsonb *config)
{
	JsonbIterator *iterator;
	JsonbValue	member;
	JsonbIteratorToken token;
	const KeySpec *key = NULL;

	if (config == NULL || kind == NULL || !JB_ROOT_IS_OBJECT(config) || strcmp(kind->name, "control") == 0)
		return config != NULL;
	iterator = JsonbIteratorInit(&config->root);
	while ((token = JsonbIteratorNext(&iterator, &member, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = sigma_element_setting(kind->name, member.val.string.val, member.val.string.len);
		else if (token == WJB_VALUE && (key == NULL || !is_inert(key, &member)))
			return true;
	}
	return false;
}

/* Can a value of this setting neither name anything nor hold a formula? */
static bool
is_inert(const KeySpec *key, const JsonbValue *value)
{
	switch (key->type)
	{
		case SPEC_TEXT:
		case SPEC_COLOR:
		case SPEC_BOOL:
		case SPEC_INT:
		case SPEC_NUMBER:
		case SPEC_ENUM:
		case SPEC_OPEN:
		case SPEC_SPELLED:
			return true;
		case SPEC_DYNAMIC:
			return value->type != jbvString ||
				memmem(value->val.string.val, value->val.string.len, "{{", 2) == NULL;
		default:
			return strcmp(key->name, "grid") == 0;
	}
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
	write_settings(rel, ids, written);

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
	JsonNode   *settings = read_settings(rel, change->id);
	MemoryContext work;

	if (settings == NULL)
		settings = sigma_json_new(JSON_OBJECT, NULL);
	if (strcmp(change->kind->name, "control") == 0)
		create_variable(change, settings);
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
	JsonNode   *settings;

	check_references(change);
	if (strcmp(change->kind->name, "tabs") == 0)
		check_default_tab(rel, change, read_settings(rel, change->id));
	settings = strcmp(change->kind->name, "control") == 0 ? read_settings(rel, change->id) : NULL;
	if (settings != NULL)
		check_variable(change, settings);
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
static JsonNode *
read_settings(Relation rel, const char *id)
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
static void
write_settings(Relation rel, List *ids, List *written)
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

/* The variable a control sets, made where there is none of that name yet. */
static void
create_variable(const LayoutChange *change, const JsonNode *settings)
{
	char	   *name = sigma_json_get_string(settings, "variable", change->id);

	if (!sigma_catalog_exists(DOCUMENT_VARIABLE, name))
		(void) sigma_catalog_insert(DOCUMENT_VARIABLE, sigma_json_write(sigma_layout_control_variable(name, settings)));
}

/* The document of the variable that a control of these settings makes. */
JsonNode *
sigma_layout_control_variable(const char *name, const JsonNode *settings)
{
	JsonNode   *document = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *value;

	sigma_json_set(document, "id", sigma_json_new_string(name, NULL));
	sigma_json_set(document, "name", sigma_json_new_string(name, NULL));
	sigma_json_set(document, "kind", sigma_json_new_string("control", NULL));
	sigma_json_set(document, "type", sigma_json_new_string(variable_type(settings), NULL));
	value = sigma_json_get(settings, "default_value");
	if (value != NULL)
		sigma_json_set(document, "default_value", sigma_json_copy(value));
	return document;
}

/* The type of a control's variable: the one that is given, else the usual one of such controls. */
static const char *
variable_type(const JsonNode *settings)
{
	const ControlType *type = sigma_control_type(settings);
	char	   *given = sigma_json_get_string(settings, "value_type", NULL);

	if (sigma_json_get_bool(settings, "multiple", false))
		return "list";
	return given != NULL ? given : type != NULL ? type->value_types[0] : "text";
}

/* A variable that was there before the control must be of a type that the control sets; 42804. */
static void
check_variable(const LayoutChange *change, const JsonNode *settings)
{
	char	   *name = sigma_json_get_string(settings, "variable", change->id);
	const ControlType *control = sigma_control_type(settings);
	JsonNode   *variable = sigma_catalog_read(DOCUMENT_VARIABLE, name);
	const char *type = variable == NULL ? NULL : sigma_json_get_string(variable, "type", "text");
	JsonNode   *where = sigma_json_get(settings, "variable");

	if (type == NULL || control == NULL)
		return;
	if (strcmp(type, "list") == 0 ? sigma_control_holds(control, type) || sigma_json_get_bool(settings, "multiple", false) :
		sigma_control_holds(control, type) && !sigma_json_get_bool(settings, "multiple", false))
		return;
	sigma_document_error(where == NULL ? settings : where, ERRCODE_DATATYPE_MISMATCH,
						 psprintf("Variables of such controls are of type %s.", variable_type(settings)),
						 "control \"%s\" of type %s cannot set variable \"%s\" of type %s",
						 change->id, control->name, name, type);
}

/* Everything that an element's document refers to must exist, and its formulas be right. */
static void
check_references(const LayoutChange *change)
{
	JsonNode   *document = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, change->id);
	ListCell   *cell;

	if (document == NULL)
		return;
	foreach(cell, sigma_document_references(DOCUMENT_LAYOUT_ELEMENT, document))
		check_reference(lfirst(cell));
	sigma_layout_check_formulas(document);
}

/*
 * One reference.  The tree checks parents and children; variables may come later, as
 * a page may show a control's value above the control.
 */
static void
check_reference(const Reference *reference)
{
	if (reference->place != NULL)	/* compiling the formula checks it */
		return;
	switch (reference->kind)
	{
		case REFERENCE_INPUT_TABLE:
			if (sigma_layout_source_missing(reference->name, NULL))
				refuse_missing(reference, DOCUMENT_INPUT_TABLE);
			break;
		case REFERENCE_SEQUENCE:
			if (!sigma_catalog_exists(DOCUMENT_SEQUENCE, reference->name))
				refuse_missing(reference, DOCUMENT_SEQUENCE);
			break;
		case REFERENCE_ACTION:
			if (!sigma_catalog_exists(DOCUMENT_ACTION, reference->name))
				refuse_missing(reference, DOCUMENT_ACTION);
			break;
		case REFERENCE_ELEMENT:
			if (!sigma_catalog_exists(DOCUMENT_LAYOUT_ELEMENT, reference->name))
				refuse_missing(reference, DOCUMENT_LAYOUT_ELEMENT);
			break;
		case REFERENCE_COLUMN:
			if (reference->table != NULL)
				check_column(reference);
			break;
		case REFERENCE_VARIABLE:
		case REFERENCE_FUNCTION:
			break;
	}
}

/* A source is an input table, an element that shows one, or a relation.  Is there none of that name? */
bool
sigma_layout_source_missing(const char *name, const char **noun)
{
	if (noun != NULL)
		*noun = sigma_catalog_table(DOCUMENT_INPUT_TABLE)->noun;
	return !sigma_catalog_exists(DOCUMENT_INPUT_TABLE, name) &&
		!sigma_catalog_exists(DOCUMENT_LAYOUT_ELEMENT, name) &&
		!is_relation(name);
}

/* Does this name a relation?  What cannot be a relation's name at all does not. */
static bool
is_relation(const char *name)
{
	List	   *names;
	char	   *raw = pstrdup(name);

	if (!SplitIdentifierString(raw, '.', &names) || names == NIL || list_length(names) > 3)
		return false;
	if (list_length(names) == 3 && strcmp(linitial(names), get_database_name(MyDatabaseId)) != 0)
		return false;
	return OidIsValid(RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name))),
									   NoLock, true));
}

/* A column that settings show must be one of the input table; 42703 with the nearest name. */
static void
check_column(const Reference *reference)
{
	JsonNode   *table = sigma_catalog_read(DOCUMENT_INPUT_TABLE, reference->table);
	JsonNode   *columns = table == NULL ? NULL : sigma_json_get(table, "columns");
	const char **names;
	int			i;

	if (columns == NULL || columns->kind != JSON_ARRAY || strncmp(reference->name, "sigma_", 6) == 0)
		return;
	names = palloc(sizeof(char *) * (columns->count + 1));
	for (i = 0; i < columns->count; i++)
	{
		names[i] = sigma_json_get_string(columns->items[i], "name", "");
		if (pg_strcasecmp(names[i], reference->name) == 0)
			return;
	}
	names[i] = NULL;
	sigma_document_error(reference->where, ERRCODE_UNDEFINED_COLUMN, sigma_hint_names(reference->name, names),
						 "input table \"%s\" has no column \"%s\"", reference->table, reference->name);
}

/* SG404 at the place that names it. */
static void
refuse_missing(const Reference *reference, DocumentKind kind)
{
	sigma_document_error(reference->where, ERRCODE_SIGMA_NOT_FOUND,
						 kind == DOCUMENT_SEQUENCE ? "Create the sequence first, or give its document here." :
						 psprintf("Create the %s first.", sigma_catalog_table(kind)->noun),
						 "%s \"%s\" does not exist", sigma_catalog_table(kind)->noun, reference->name);
}

/* A default tab must be one of the tabs, once there are any; SG400. */
static void
check_default_tab(Relation rel, const LayoutChange *change, const JsonNode *settings)
{
	JsonNode   *node = settings == NULL ? NULL : sigma_json_get(settings, "default_tab");
	LayoutTree *tree;
	List	   *tabs;
	const char **names;
	int			count = 0;
	ListCell   *cell;

	if (node == NULL || (node->kind != JSON_STRING && node->kind != JSON_NUMBER))
		return;
	tree = sigma_tree_open(rel);
	tabs = sigma_tree_children(tree, change->id);
	sigma_tree_close(tree);
	if (tabs == NIL)
		return;
	if (node->kind == JSON_NUMBER)
	{
		int64		index = sigma_json_get_int(settings, "default_tab", 0);

		if (index < 0 || index >= list_length(tabs))
			sigma_document_error(node, 0, "Tabs are counted from 0.", "tabs \"%s\" has no tab " INT64_FORMAT,
								 change->id, index);
		return;
	}
	names = palloc(sizeof(char *) * (list_length(tabs) * 2 + 1));
	foreach(cell, tabs)
	{
		Element    *tab = lfirst(cell);
		JsonNode   *tab_settings = read_settings(rel, tab->id);
		char	   *label = tab_settings == NULL ? NULL : sigma_json_get_string(tab_settings, "label", NULL);

		if (strcmp(tab->id, node->string) == 0 || (label != NULL && strcmp(label, node->string) == 0))
			return;
		names[count++] = tab->id;
	}
	names[count] = NULL;
	sigma_document_error(node, 0, sigma_hint_names(node->string, names),
						 "tabs \"%s\" has no tab \"%s\"", change->id, node->string);
}
