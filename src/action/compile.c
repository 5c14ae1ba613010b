/*
 * compile.c
 *		From catalog rows to compiled sequences, and the store of them.
 *
 * A sequence is compiled when it is written, to check it, and again when a
 * backend first runs it; what compiling raises, writing raises.  Each compiled
 * form lives in a memory context of its own.  All of them fall together when a
 * definition changes: messages for the two catalog tables, or for a data table
 * that a step uses, only count the generation up, and the next look-up compiles
 * anew.  A run keeps the form that it began with: it is pinned, and a replaced
 * form is deleted when its last run ends.  Kept plans die with their form.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "action/action.h"
#include "common/cache.h"
#include "common/catalog.h"
#include "common/errors.h"

#define DEFAULT_TIMEOUT 30000
#define DEFAULT_RETRIES 3
#define DEFAULT_BACKOFF 1000
#define MAX_STEPS 10000

/* A place in the store; the key comes first. */
typedef struct SlotKey
{
	const char *id;				/* lives in the sequence's context */
	bool		is_action;
} SlotKey;

typedef struct SequenceSlot
{
	SlotKey		key;
	Sequence   *sequence;
	uint64		generation;		/* of the definitions it was made from */
} SequenceSlot;

/* What starts a sequence. */
typedef struct TriggerEntry
{
	const char *sequence_id;
	const char *type;
	const char *element_id;		/* or NULL */
	const char *column_name;	/* NULL: any */
	const char *menu_item_id;	/* NULL: any */
	const char *table_id;		/* row_change */
	RowChangeStart start;		/* row_change */
	Timestamp	created_at;
} TriggerEntry;

static HTAB *sequence_slots = NULL;
static HTAB *watched_tables = NULL; /* data tables that compiled steps use */
static uint64 generation = 1;
static Oid	actions_relid = InvalidOid;
static Oid	sequences_relid = InvalidOid;

static MemoryContext directory_cxt = NULL;	/* the trigger directory */
static List *directory = NIL;
static uint64 directory_generation = 0;	/* 0: not built */

static void init_store(void);
static void find_catalog(void);
static void note_change(Oid relid);
static void drop_stale_slots(void);
static uint32 hash_slot_key(const void *key, Size size);
static int	match_slot_keys(const void *a, const void *b, Size size);
static Sequence *compile_stored(const char *id, bool is_action);
static Sequence *compile_sequence(CompileState *state, JsonNode *document);
static Sequence *compile_single(CompileState *state, JsonNode *document);
static void compile_element(CompileState *state, Step *step, JsonNode *element);
static void compile_stored_action(CompileState *state, Step *step, JsonNode *element);
static const char *path_of(const CompileState *state, const JsonNode *node);
static void compile_step(CompileState *state, Step *step, JsonNode *action);
static void compile_retry(Step *step, JsonNode *action);
static void compile_config(CompileState *state, Sequence *sequence, JsonNode *config);
static Alert *compile_alert(CompileState *state, JsonNode *node);
static int	read_milliseconds(JsonNode *object, const char *key, int absent);
static void explain_action(void *arg);
static void build_directory(void);
static void add_to_directory(Relation rel, HeapTuple row);
static void read_row_change(TriggerEntry *entry, const JsonNode *trigger);
static int	compare_entries(const ListCell *a, const ListCell *b);
static Datum column_of(Relation rel, HeapTuple row, const char *column, bool *isnull);

/*
 * The compiled form of a sequence or action, pinned for a run.  Raises SG404
 * for an unknown id, and what compiling raises.
 */
Sequence *
sigma_sequence_pin(const char *id, bool is_action)
{
	SlotKey		key = {id, is_action};
	SequenceSlot *slot;
	Sequence   *sequence;
	uint64		compiled_at;
	bool		found;

	init_store();
	AcceptInvalidationMessages();	/* no table was opened yet on the way here */
	slot = hash_search(sequence_slots, &key, HASH_FIND, NULL);
	if (slot != NULL && slot->generation == generation)
	{
		slot->sequence->pins++;
		return slot->sequence;
	}

	drop_stale_slots();
	compiled_at = generation;
	sequence = compile_stored(id, is_action);
	MemoryContextSetParent(sequence->cxt, CacheMemoryContext);

	key.id = sequence->id;
	slot = hash_search(sequence_slots, &key, HASH_ENTER, &found);
	Assert(!found);
	slot->sequence = sequence;
	slot->generation = compiled_at; /* changed meanwhile: used once */
	sequence->pins++;
	return sequence;
}

/*
 * Forget every form that an older generation made, whether anybody asks for its
 * id again or not: a session that defines and deletes for ever must not grow.
 * Forms that a run holds go when it lets go of them.
 */
static void
drop_stale_slots(void)
{
	HASH_SEQ_STATUS scan;
	SequenceSlot *slot;

	hash_seq_init(&scan, sequence_slots);
	while ((slot = hash_seq_search(&scan)) != NULL)
	{
		Sequence   *sequence = slot->sequence;

		if (slot->generation == generation)
			continue;
		/* the key lives in the form: it is taken out before that goes */
		(void) hash_search(sequence_slots, &slot->key, HASH_REMOVE, NULL);
		sequence->replaced = true;
		sequence->pins++;
		sigma_sequence_unpin(sequence);
	}
}

/* A run has ended; a replaced form goes with its last one. */
void
sigma_sequence_unpin(Sequence *sequence)
{
	sequence->pins--;
	if (sequence->replaced && sequence->pins == 0)
		MemoryContextDelete(sequence->cxt);
}

/*
 * Check a canonical document by compiling it.  "resolve" false: look at nothing
 * outside of the document.  Raises SG400, SG404, SG423, 0A000.
 */
void
sigma_sequence_check(JsonNode *document, bool is_action, bool resolve)
{
	CompileState state = {0};

	state.cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma sequence check", ALLOCSET_SMALL_SIZES);
	state.resolve = resolve;
	state.saving = resolve;
	(void) (is_action ? compile_single : compile_sequence) (&state, document);
	MemoryContextDelete(state.cxt);
}

/* From now on a change of this table makes compiled forms stale. */
void
sigma_watch_table(Oid relid)
{
	init_store();
	(void) hash_search(watched_tables, &relid, HASH_ENTER, NULL);
}

/*
 * The ids of the sequences that this trigger starts, in the order in which they
 * were made; palloc'd in the current context.
 */
List *
sigma_sequences_of_trigger(const char *element_id, const char *type, const RunContext *context)
{
	List	   *ids = NIL;
	ListCell   *lc;

	init_store();
	AcceptInvalidationMessages();
	if (directory_generation != generation)
		build_directory();
	foreach(lc, directory)
	{
		TriggerEntry *entry = lfirst(lc);

		if (entry->element_id != NULL && strcmp(entry->element_id, element_id) == 0 &&
			strcmp(entry->type, type) == 0 &&
			(entry->column_name == NULL ||
			 (context->column_name != NULL && strcmp(entry->column_name, context->column_name) == 0)) &&
			(entry->menu_item_id == NULL ||
			 (context->menu_item_id != NULL && strcmp(entry->menu_item_id, context->menu_item_id) == 0)))
			ids = lappend(ids, pstrdup(entry->sequence_id));
	}
	return ids;
}

/*
 * The sequences that changes of a table's rows start, in the order in which they were
 * made: a List of RowChangeStart, good until a definition changes.
 */
List *
sigma_sequences_of_table(const char *table_id)
{
	List	   *starts = NIL;
	ListCell   *lc;

	init_store();
	AcceptInvalidationMessages();
	if (directory_generation != generation)
		build_directory();
	foreach(lc, directory)
	{
		TriggerEntry *entry = lfirst(lc);

		if (entry->table_id != NULL && strcmp(entry->table_id, table_id) == 0)
			starts = lappend(starts, &entry->start);
	}
	return starts;
}

/*
 * The store
 */

/* Make the hashes and listen for changes, once. */
static void
init_store(void)
{
	HASHCTL		slots = {0};
	HASHCTL		tables = {0};

	if (sequence_slots != NULL)
		return;
	if (watched_tables == NULL)
	{
		tables.keysize = sizeof(Oid);
		tables.entrysize = sizeof(Oid);
		watched_tables = hash_create("sigma tables of sequences", 64, &tables, HASH_ELEM | HASH_BLOBS);
		sigma_cache_listen(note_change);
	}
	slots.keysize = sizeof(SlotKey);
	slots.entrysize = sizeof(SequenceSlot);
	slots.hash = hash_slot_key;
	slots.match = match_slot_keys;
	sequence_slots = hash_create("sigma sequences", 64, &slots,
								 HASH_ELEM | HASH_FUNCTION | HASH_COMPARE);
}

/* The catalog tables' OIDs; they change where the extension is dropped and made again. */
static void
find_catalog(void)
{
	actions_relid = sigma_relation_oid("sigma_actions");
	sequences_relid = sigma_relation_oid("sigma_action_sequences");
}

/* Runs inside any lock acquisition: mark only. */
static void
note_change(Oid relid)
{
	if (!OidIsValid(relid) || relid == actions_relid || relid == sequences_relid ||
		hash_search(watched_tables, &relid, HASH_FIND, NULL) != NULL)
		generation++;
}

static uint32
hash_slot_key(const void *key, Size size)
{
	const SlotKey *slot = key;

	return DatumGetUInt32(hash_any((const unsigned char *) slot->id, strlen(slot->id))) ^ (uint32) slot->is_action;
}

static int
match_slot_keys(const void *a, const void *b, Size size)
{
	const SlotKey *left = a;
	const SlotKey *right = b;

	return left->is_action == right->is_action && strcmp(left->id, right->id) == 0 ? 0 : 1;
}

/* Compile the catalog row of that id, in a context under the current one: an error leaks nothing. */
static Sequence *
compile_stored(const char *id, bool is_action)
{
	DocumentKind kind = is_action ? DOCUMENT_ACTION : DOCUMENT_SEQUENCE;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "sigma sequence document",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old;
	CompileState state = {0};
	JsonNode   *document;
	Sequence   *sequence;

	state.cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma sequence", ALLOCSET_SMALL_SIZES);
	state.resolve = true;		/* not "saving": types may have changed since, and then it is the step that fails */
	find_catalog();
	old = MemoryContextSwitchTo(scratch);
	document = sigma_catalog_read(kind, id);
	if (document == NULL)
		sigma_catalog_not_found(kind, id);
	/* rows can be written without their triggers: read them as strictly */
	document = sigma_document_normalise(kind, document, DOCUMENT_STORED);
	sequence = (is_action ? compile_single : compile_sequence) (&state, document);
	MemoryContextCopyAndSetIdentifier(state.cxt, id);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return sequence;
}

/*
 * Compiling
 */

/* A sequence's document. */
static Sequence *
compile_sequence(CompileState *state, JsonNode *document)
{
	Sequence   *sequence = MemoryContextAllocZero(state->cxt, sizeof(Sequence));
	JsonNode   *actions = sigma_json_get(document, "actions");

	sequence->cxt = state->cxt;
	sequence->id = MemoryContextStrdup(state->cxt, sigma_json_get_string(document, "id", ""));
	sequence->is_paused = sigma_json_get_bool(document, "is_paused", false);
	sequence->stop_on_error = sigma_json_get_bool(document, "stop_on_error", true);
	sequence->timeout = read_milliseconds(document, "timeout_ms", DEFAULT_TIMEOUT);
	sequence->condition = sigma_condition_compile(state, sigma_json_get(document, "condition"));
	compile_config(state, sequence, sigma_json_get(document, "execution_config"));

	sigma_steps_compile(state, actions, &sequence->steps);
	return sequence;
}

/* A single action as a sequence of one step. */
static Sequence *
compile_single(CompileState *state, JsonNode *document)
{
	Sequence   *sequence = MemoryContextAllocZero(state->cxt, sizeof(Sequence));

	sequence->cxt = state->cxt;
	sequence->id = MemoryContextStrdup(state->cxt, sigma_json_get_string(document, "id", ""));
	sequence->is_action = true;
	sequence->stop_on_error = true;
	sequence->atomic = true;
	sequence->max_rows_changed = sequence->max_actions = -1;
	sequence->steps.count = 1;
	sequence->steps.steps = MemoryContextAllocZero(state->cxt, sizeof(Step));
	sequence->steps.steps->path = "$";
	if (state->resolve)
		state->actions = list_make1(unconstify(char *, sequence->id));
	compile_step(state, sequence->steps.steps, document);
	return sequence;
}

/*
 * Compile a list of actions: a sequence's, or one that the step being compiled holds.
 * Raises SG400, SG404, SG423, 0A000; 54000 for more than a sequence can have.
 */
void
sigma_steps_compile(CompileState *state, JsonNode *actions, StepList *list)
{
	Step	   *holder = state->step;
	int			i;

	check_stack_depth();
	list->count = 0;
	if (actions == NULL || actions->kind != JSON_ARRAY || actions->count == 0)
		return;
	if (state->count + actions->count > MAX_STEPS)
		sigma_document_error(actions, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
							 "Actions of branches and loops count, those that are named by their ids each time.",
							 "a sequence can have at most %d actions", MAX_STEPS);
	state->count += actions->count;
	list->count = actions->count;
	list->steps = MemoryContextAllocZero(state->cxt, sizeof(Step) * actions->count);
	for (i = 0; i < actions->count; i++)
	{
		list->steps[i].index = i;
		list->steps[i].ordinal = holder == NULL ? i : holder->held++;
		compile_element(state, &list->steps[i], actions->items[i]);
	}
	state->step = holder;
}

/* One element of a list: the id of an action, or an action. */
static void
compile_element(CompileState *state, Step *step, JsonNode *element)
{
	step->path = path_of(state, element);
	if (element->kind == JSON_STRING)
	{
		if (state->resolve)
			compile_stored_action(state, step, element);
		return;
	}
	if (element->kind != JSON_OBJECT)
		sigma_document_error(element, 0, NULL,
							 "an action of a sequence must be an id or an object, not %s",
							 sigma_json_kind_name(element));
	compile_step(state, step, element);
}

/* The action of that id, in place of the id.  SG404; 42P17 where it holds itself. */
static void
compile_stored_action(CompileState *state, Step *step, JsonNode *element)
{
	ErrorContextCallback callback;
	const char *path = state->path;
	JsonNode   *action = sigma_catalog_read(DOCUMENT_ACTION, element->string);
	ListCell   *lc;

	if (action == NULL)
		sigma_document_error(element, ERRCODE_SIGMA_NOT_FOUND,
							 sigma_catalog_hint(DOCUMENT_ACTION, element->string),
							 "action \"%s\" does not exist", element->string);
	foreach(lc, state->actions)
		if (strcmp(lfirst(lc), element->string) == 0)
			sigma_document_error(element, ERRCODE_INVALID_OBJECT_DEFINITION, NULL,
								 "action \"%s\" has itself as a step", element->string);
	callback.callback = explain_action;
	callback.arg = element->string;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	state->actions = lappend(state->actions, element->string);
	state->path = step->path;
	action = sigma_document_normalise(DOCUMENT_ACTION, action, DOCUMENT_STORED);
	compile_step(state, step, action);
	state->path = path;
	state->actions = list_delete_last(state->actions);
	error_context_stack = callback.previous;
}

/* Where a node stands in the document of the sequence, in the sequence's context. */
static const char *
path_of(const CompileState *state, const JsonNode *node)
{
	char	   *path = sigma_json_path(node);

	return MemoryContextStrdup(state->cxt, state->path == NULL ? path : psprintf("%s%s", state->path, path + 1));
}

/* What is common to all types of steps, then the type's own part. */
static void
compile_step(CompileState *state, Step *step, JsonNode *action)
{
	const char *id = sigma_json_get_string(action, "id", NULL);
	const char *output = sigma_json_get_string(action, "output_variable", NULL);
	const char *handling = sigma_json_get_string(action, "error_handling", "fail");

	step->type = sigma_step_type(action);
	step->id = id == NULL ? NULL : MemoryContextStrdup(state->cxt, id);
	step->output_variable = output == NULL ? NULL : MemoryContextStrdup(state->cxt, output);
	step->timeout = read_milliseconds(action, "timeout_ms", 0);
	step->condition = sigma_condition_compile(state, sigma_json_get(action, "conditions"));
	step->handling = strcmp(handling, "retry") == 0 ? HANDLING_RETRY :
		strcmp(handling, "continue") == 0 ? HANDLING_CONTINUE : HANDLING_FAIL;
	compile_retry(step, action);
	state->step = step;
	step->part = step->type->compile(state, step->type, action);
}

/* How often and how soon a failed step is tried again. */
static void
compile_retry(Step *step, JsonNode *action)
{
	JsonNode   *retry = sigma_json_get(action, "retry");

	if (retry != NULL && retry->kind == JSON_OBJECT && step->handling != HANDLING_RETRY)
		sigma_document_error(retry, 0, "Say \"error_handling\": \"retry\" too.",
							 "\"retry\" has no effect here");
	step->retry_times = (int) sigma_json_get_int(retry, "times", DEFAULT_RETRIES);
	step->retry_backoff = read_milliseconds(retry, "backoff_ms", DEFAULT_BACKOFF);
}

/* How a sequence is run. */
static void
compile_config(CompileState *state, Sequence *sequence, JsonNode *config)
{
	const char *concurrency = sigma_json_get_string(config, "concurrency", "allow");

	sequence->atomic = sigma_json_get_bool(config, "atomic", true);
	sequence->max_rows_changed = sigma_json_get_int(config, "max_rows_changed", -1);
	sequence->max_actions = sigma_json_get_int(config, "max_actions", -1);
	if (sigma_json_get_int(config, "max_ai_calls", -1) >= 0)
		sigma_document_error(sigma_json_get(config, "max_ai_calls"), ERRCODE_FEATURE_NOT_SUPPORTED,
							 "No action calls a model, so there is nothing to limit.",
							 "limits of model calls are not built yet");
	sequence->success_alert = compile_alert(state, sigma_json_get(config, "success_alert"));
	sequence->failure_alert = compile_alert(state, sigma_json_get(config, "failure_alert"));
	sequence->concurrency = strcmp(concurrency, "skip") == 0 ? CONCURRENCY_SKIP :
		strcmp(concurrency, "wait") == 0 ? CONCURRENCY_WAIT : CONCURRENCY_ALLOW;
}

/* The text shown after a run; NULL where there is none. */
static Alert *
compile_alert(CompileState *state, JsonNode *node)
{
	Alert	   *alert;
	JsonNode   *part;

	if (node == NULL || node->kind == JSON_NULL)
		return NULL;
	alert = MemoryContextAllocZero(state->cxt, sizeof(Alert));
	if ((part = sigma_json_get(node, "title")) != NULL && part->kind != JSON_NULL)
		alert->title = sigma_dynamic_text_compile(state, part);
	if ((part = sigma_json_get(node, "message")) != NULL && part->kind != JSON_NULL)
		alert->message = sigma_dynamic_text_compile(state, part);
	if (alert->title == NULL && alert->message == NULL)
		sigma_document_error(node, 0, NULL, "an alert needs a \"title\" or a \"message\"");
	return alert;
}

/* A span of time; SG400 where it is negative or too long for the timer. */
static int
read_milliseconds(JsonNode *object, const char *key, int absent)
{
	int64		value = sigma_json_get_int(object, key, absent);

	if (value < 0 || value > PG_INT32_MAX)
		sigma_document_error(sigma_json_get(object, key), 0, "It is a number of milliseconds; 0 means no limit.",
							 "\"%s\" must be between 0 and %d", key, PG_INT32_MAX);
	return (int) value;
}

/* Says which stored action an error was found in. */
static void
explain_action(void *arg)
{
	errcontext("action \"%s\" of the sequence", (const char *) arg);
}

/*
 * The trigger directory
 */

/* Read the triggers of all sequences by the newest snapshot, oldest sequence first. */
static void
build_directory(void)
{
	uint64		started = generation;
	Relation	rel;
	MemoryContext old;
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	row;

	find_catalog();
	if (directory_cxt == NULL)
		directory_cxt = AllocSetContextCreate(CacheMemoryContext, "sigma triggers", ALLOCSET_SMALL_SIZES);
	directory = NIL;
	directory_generation = 0;
	MemoryContextReset(directory_cxt);

	rel = table_open(sequences_relid, AccessShareLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	old = MemoryContextSwitchTo(directory_cxt);
	while ((row = systable_getnext(scan)) != NULL)
		add_to_directory(rel, row);
	list_sort(directory, compare_entries);
	MemoryContextSwitchTo(old);
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	directory_generation = started;
}

/* One sequence, if an element's event starts it. */
static void
add_to_directory(Relation rel, HeapTuple row)
{
	TriggerEntry *entry;
	JsonNode   *trigger;
	bool		isnull;
	Datum		value = column_of(rel, row, "trigger", &isnull);

	if (isnull)
		return;
	trigger = sigma_json_read(DatumGetJsonbP(value));
	entry = palloc0(sizeof(TriggerEntry));
	entry->type = sigma_json_get_string(trigger, "type", NULL);
	entry->element_id = sigma_json_get_string(trigger, "element_id", NULL);
	entry->column_name = sigma_json_get_string(trigger, "column_name", NULL);
	entry->menu_item_id = sigma_json_get_string(trigger, "menu_item_id", NULL);
	if (entry->type != NULL && strcmp(entry->type, "row_change") == 0)
		entry->table_id = sigma_json_get_string(trigger, "table_id", NULL);
	if ((entry->element_id == NULL && entry->table_id == NULL) || entry->type == NULL)
		return;
	entry->sequence_id = TextDatumGetCString(column_of(rel, row, "id", &isnull));
	if (entry->table_id != NULL)
		read_row_change(entry, trigger);
	value = column_of(rel, row, "created_at", &isnull);
	entry->created_at = isnull ? DT_NOBEGIN : DatumGetTimestamp(value);
	directory = lappend(directory, entry);
}

/* What a trigger of type row_change says. */
static void
read_row_change(TriggerEntry *entry, const JsonNode *trigger)
{
	RowChangeStart *start = &entry->start;
	const JsonNode *columns = sigma_json_get(trigger, "columns");
	int			i;

	start->sequence_id = entry->sequence_id;
	start->operations = sigma_change_operations(trigger);
	start->after_commit = strcmp(sigma_json_get_string(trigger, "when", "now"), "after_commit") == 0;
	for (i = 0; columns != NULL && i < columns->count; i++)
		if (columns->items[i]->kind == JSON_STRING)
			start->columns = lappend(start->columns, columns->items[i]->string);
}

/* By age, then by id. */
static int
compare_entries(const ListCell *a, const ListCell *b)
{
	const TriggerEntry *left = lfirst(a);
	const TriggerEntry *right = lfirst(b);

	if (left->created_at != right->created_at)
		return left->created_at < right->created_at ? -1 : 1;
	return strcmp(left->sequence_id, right->sequence_id);
}

/* One column of a catalog row, by name. */
static Datum
column_of(Relation rel, HeapTuple row, const char *column, bool *isnull)
{
	AttrNumber	number = get_attnum(RelationGetRelid(rel), column);

	if (number == InvalidAttrNumber)
		elog(ERROR, "column \"%s\" of %s is missing", column, RelationGetRelationName(rel));
	return heap_getattr(row, number, RelationGetDescr(rel), isnull);
}
