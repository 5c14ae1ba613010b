/*
 * html_trigger.c
 *		What the elements of a web page start.
 *
 * The active sequences whose trigger names an element of the page are read by one
 * statement, as the caller.  An element carries their ids for a client to fire; where
 * all they do is what a page can do without a database (open a dialog, choose a tab,
 * show, hide, follow a link that is known) it carries their effects too, and the
 * page's own script carries them out.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "common/document.h"
#include "common/spi.h"
#include "layout/html.h"

#define SEQUENCES_SQL \
	"SELECT s.id::pg_catalog.text, s.trigger OPERATOR(pg_catalog.->>) 'element_id', s.trigger OPERATOR(pg_catalog.->>) 'type'," \
	" s.is_paused, s.condition IS NOT NULL AND s.condition OPERATOR(pg_catalog.<>) '[]'," \
	" CASE WHEN pg_catalog.jsonb_typeof(s.actions) OPERATOR(pg_catalog.=) 'array' THEN" \
	" (SELECT pg_catalog.jsonb_agg(CASE WHEN pg_catalog.jsonb_typeof(a.value) OPERATOR(pg_catalog.<>) 'string' THEN a.value" \
	"  ELSE (SELECT pg_catalog.jsonb_build_object('type', x.type, 'subtype', x.subtype, 'target', x.target," \
	"   'parameters', x.parameters, 'conditions', x.conditions) FROM sigma.sigma_actions AS x" \
	"   WHERE x.id OPERATOR(pg_catalog.=) (a.value OPERATOR(pg_catalog.#>>) '{}')) END ORDER BY a.ordinality)" \
	"  FROM pg_catalog.jsonb_array_elements(s.actions) WITH ORDINALITY AS a) END" \
	" FROM sigma.sigma_action_sequences AS s" \
	" WHERE (s.trigger OPERATOR(pg_catalog.->>) 'element_id') OPERATOR(pg_catalog.=) ANY ($1)" \
	" AND s.status OPERATOR(pg_catalog.=) 'active' ORDER BY s.id"

/* One sequence. */
typedef struct HtmlSequence
{
	const char *id;
	const char *type;			/* of its trigger */
	JsonNode   *effects;		/* what the page itself can do, all of it; else NULL */
} HtmlSequence;

/* An element's sequences. */
typedef struct HtmlTrigger
{
	const char *element;		/* hash key, must be first */
	List	   *sequences;		/* of HtmlSequence */
} HtmlTrigger;

static void read_sequences(HtmlPage *page, void *arg);
static void add_sequence(HtmlPage *page, HeapTuple row, TupleDesc desc);
static JsonNode *client_effects(HtmlPage *page, const JsonNode *actions);
static JsonNode *client_effect(HtmlPage *page, JsonNode *action);
static bool is_literal(const JsonNode *value);
static void find_opened(HtmlPage *page, const JsonNode *node);
static HtmlTrigger *find_trigger(HtmlPage *page, const char *element_id);

/* Read the sequences that elements start; none for who may not see them. */
void
sigma_html_read_triggers(HtmlPage *page, List *nodes)
{
	List	   *ids = NIL;
	ListCell   *cell;

	if (page->triggers == NULL)
		page->triggers = sigma_id_set("sequences of a web page", sizeof(HtmlTrigger));
	foreach(cell, nodes)
		ids = lappend(ids, unconstify(char *, ((OutlineNode *) lfirst(cell))->id));
	if (ids != NIL)
		(void) sigma_html_try(page, read_sequences, ids);
}

/* HtmlWork: run the statement above for a List of ids. */
static void
read_sequences(HtmlPage *page, void *arg)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTARRAYOID};
	MemoryContext caller = CurrentMemoryContext;
	Datum		value = PointerGetDatum(sigma_text_array(arg));
	uint64		i;

	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan, SEQUENCES_SQL, 1, types), &value, NULL, false, SPI_OK_SELECT);
	for (i = 0; i < SPI_processed; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		add_sequence(page, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
}

/* One row of it. */
static void
add_sequence(HtmlPage *page, HeapTuple row, TupleDesc desc)
{
	HtmlSequence *sequence = palloc0(sizeof(HtmlSequence));
	HtmlTrigger *trigger;
	JsonNode   *actions = NULL;
	const char *element;
	bool		isnull;
	bool		found;
	Datum		value;

	sequence->id = TextDatumGetCString(SPI_getbinval(row, desc, 1, &isnull));
	element = TextDatumGetCString(SPI_getbinval(row, desc, 2, &isnull));
	value = SPI_getbinval(row, desc, 3, &isnull);
	sequence->type = isnull ? "" : TextDatumGetCString(value);
	value = SPI_getbinval(row, desc, 4, &isnull);
	if (!isnull && DatumGetBool(value))
		return;					/* paused */
	value = SPI_getbinval(row, desc, 6, &isnull);
	if (!isnull)
	{
		actions = sigma_json_read(DatumGetJsonbPCopy(value));
		find_opened(page, actions);
	}
	value = SPI_getbinval(row, desc, 5, &isnull);
	if (actions != NULL && !isnull && !DatumGetBool(value))
		sequence->effects = client_effects(page, actions);
	trigger = hash_search(page->triggers, &element, HASH_ENTER, &found);
	if (!found)
		trigger->sequences = NIL;
	trigger->sequences = lappend(trigger->sequences, sequence);
}

/* What a page can do of a sequence by itself; NULL unless that is everything. */
static JsonNode *
client_effects(HtmlPage *page, const JsonNode *actions)
{
	JsonNode   *effects = sigma_json_new(JSON_ARRAY, NULL);
	int			i;

	for (i = 0; i < actions->count; i++)
	{
		JsonNode   *effect = actions->items[i]->kind != JSON_OBJECT ? NULL : client_effect(page, actions->items[i]);

		if (effect == NULL)
			return NULL;
		sigma_json_append(effects, effect);
	}
	return effects;
}

/* An action as an effect of the page; NULL where it needs more than that. */
static JsonNode *
client_effect(HtmlPage *page, JsonNode *action)
{
	static const char *const known[][2] = {
		{"modal", "open"}, {"modal", "close"}, {"tabs", "select"}, {"element", "show"}, {"element", "hide"},
		{"element", "toggle"}, {"element", "focus"}, {"form", "reset"}, {"control", "clear_value"},
		{"control", "set_value"}, {"navigation", "open_link"}, {"navigation", "navigate_workbook"},
	};
	const char *type = sigma_json_get_string(action, "type", "");
	const char *subtype = sigma_json_get_string(action, "subtype", "");
	const char *target = sigma_json_get_string(action, "target", NULL);
	const JsonNode *conditions = sigma_json_get(action, "conditions");
	JsonNode   *parameters = sigma_json_get(action, "parameters");
	JsonNode   *effect = sigma_json_new(JSON_OBJECT, NULL);
	int			i;

	for (i = 0; i < lengthof(known); i++)
		if (strcmp(known[i][0], type) == 0 && strcmp(known[i][1], subtype) == 0)
			break;
	if (i == lengthof(known) ||
		(conditions != NULL && conditions->kind != JSON_NULL && conditions->count > 0))
		return NULL;
	if (strcmp(subtype, "open_link") == 0 &&
		(target == NULL || !sigma_html_is_static(target) || !sigma_html_is_link(target, false)))
		return NULL;
	sigma_json_set(effect, "type", sigma_json_new_string(type, NULL));
	sigma_json_set(effect, "subtype", sigma_json_new_string(subtype, NULL));
	if (target != NULL)
		sigma_json_set(effect, "target", sigma_json_new_string(target, NULL));
	for (i = 0; parameters != NULL && parameters->kind == JSON_OBJECT && i < parameters->count; i++)
	{
		JsonNode   *parameter = parameters->items[i];

		if (!is_literal(parameter))
			return NULL;
		sigma_json_set(effect, parameter->key, sigma_json_copy(parameter));
	}
	return effect;
}

/* Does a value stand for itself? */
static bool
is_literal(const JsonNode *value)
{
	int			i;

	if (value->kind == JSON_ARRAY)
	{
		for (i = 0; i < value->count; i++)
			if (value->items[i]->kind == JSON_ARRAY || !is_literal(value->items[i]))
				return false;
		return true;
	}
	return value->kind != JSON_OBJECT &&
		(value->kind != JSON_STRING || (!sigma_is_bare_reference(value->string) && sigma_html_is_static(value->string)));
}

/* The dialogs that actions open, in branches and loops too. */
static void
find_opened(HtmlPage *page, const JsonNode *node)
{
	const char *target;
	ListCell   *cell;
	int			i;

	check_stack_depth();
	if (node->kind != JSON_ARRAY && node->kind != JSON_OBJECT)
		return;
	target = node->kind != JSON_OBJECT ? NULL : sigma_json_get_string(node, "target", NULL);
	if (target != NULL && strcmp(sigma_json_get_string(node, "type", ""), "modal") == 0 &&
		strcmp(sigma_json_get_string(node, "subtype", ""), "open") == 0)
	{
		foreach(cell, page->opened)
			if (strcmp(lfirst(cell), target) == 0)
				break;
		if (cell == NULL)
			page->opened = lappend(page->opened, unconstify(char *, target));
	}
	for (i = 0; i < node->count; i++)
		find_opened(page, node->items[i]);
}

static HtmlTrigger *
find_trigger(HtmlPage *page, const char *element_id)
{
	return hash_search(page->triggers, &element_id, HASH_FIND, NULL);
}

/* Does an element start sequences in that way? */
bool
sigma_html_has_trigger(HtmlPage *page, const char *element_id, const char *type)
{
	HtmlTrigger *trigger = find_trigger(page, element_id);
	ListCell   *cell;

	if (trigger != NULL)
		foreach(cell, trigger->sequences)
			if (strcmp(((HtmlSequence *) lfirst(cell))->type, type) == 0)
				return true;
	return false;
}

/* The attributes of an element that starts sequences in that way; nothing where there are none. */
void
sigma_html_trigger(HtmlPage *page, const char *element_id, const char *type)
{
	HtmlTrigger *trigger = find_trigger(page, element_id);
	JsonNode   *ids = sigma_json_new(JSON_ARRAY, NULL);
	JsonNode   *effects = sigma_json_new(JSON_ARRAY, NULL);
	bool		alone = true;
	ListCell   *cell;
	int			i;

	if (trigger == NULL)
		return;
	foreach(cell, trigger->sequences)
	{
		HtmlSequence *sequence = lfirst(cell);

		if (strcmp(sequence->type, type) != 0)
			continue;
		sigma_json_append(ids, sigma_json_new_string(sequence->id, NULL));
		if (sequence->effects == NULL)
			alone = false;
		for (i = 0; sequence->effects != NULL && i < sequence->effects->count; i++)
			sigma_json_append(effects, sequence->effects->items[i]);
	}
	if (ids->count == 0)
		return;
	sigma_html_attribute(page, "data-sigma-trigger", type);
	sigma_html_attribute(page, "data-sigma-element", element_id);
	sigma_html_attribute(page, "data-sigma-sequences", sigma_json_text(ids));
	if (alone)
		sigma_html_attribute(page, "data-sigma-effects", sigma_json_text(effects));
}
