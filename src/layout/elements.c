/*
 * elements.c
 *		Triggers of sigma.sigma_layout_elements: whoever writes it, the tree stays a tree.
 *
 * Before a statement touches a row it takes the layout's lock, if it may change the
 * tree's shape.  Each row is normalised and gets its position and its level as far as
 * they are known.  After the statement its rows are looked at together, by the newest
 * snapshot: nested documents become rows, the rules of the tree are checked, levels
 * and children are written where they differ.
 *
 * What the row trigger learns lives with the statement (fn_extra); nothing outlives it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "input_table/objects.h"
#include "layout/layout.h"

PG_FUNCTION_INFO_V1(layout_lock);
PG_FUNCTION_INFO_V1(layout_row);
PG_FUNCTION_INFO_V1(layout_check);

/* What the row trigger knows of an element that rows of its statement name as parent. */
typedef struct RowParent
{
	const char *id;				/* hash key; "" stands for the roots */
	bool		has_level;		/* the row was seen, in the table or in the statement */
	int32		level;
	bool		has_next;		/* "next" was read */
	int32		next;			/* position of the next row that has none */
} RowParent;

typedef struct RowState
{
	MemoryContext cxt;			/* the statement's */
	HTAB	   *parents;
} RowState;

static HeapTuple insert_row(FunctionCallInfo fcinfo, TriggerData *trigger);
static HeapTuple update_row(FunctionCallInfo fcinfo, TriggerData *trigger);
static bool is_written(TriggerData *trigger, int column);
static void check_element(JsonNode *document, bool children_written);
static HeapTuple set_id(TriggerData *trigger, HeapTuple row);
static HeapTuple set_level(TriggerData *trigger, HeapTuple row, int32 level);
static RowParent *row_parent(FunctionCallInfo fcinfo, const char *id);
static int32 take_position(RowParent *parent, Relation rel, JsonNode *document);
static int32 level_under(FunctionCallInfo fcinfo, Relation rel, const char *parent_id, int32 unknown);
static List *read_inserted(TriggerData *trigger);
static List *read_updated(TriggerData *trigger);
static void after_delete(TriggerData *trigger);
static LayoutChange *compare_rows(TriggerData *trigger, HeapTuple old, HeapTuple new);
static JsonNode *read_children(Jsonb *children);
static void process(TriggerData *trigger, List *changes);
static void check_grids(LayoutTree *tree, List *changes);
static TupleTableSlot *begin_rows(TriggerData *trigger, Tuplestorestate *store, int *pointer);
static HeapTuple next_row(Tuplestorestate *store, int pointer, TupleTableSlot *slot);
static char *text_column(TupleDesc desc, HeapTuple row, int column);
static Jsonb *json_column(TupleDesc desc, HeapTuple row, int column);
static bool same_text(const char *a, const char *b);
static bool same_json(const Jsonb *a, const Jsonb *b);

/* BEFORE STATEMENT: the lock, before any row is touched. */
Datum
layout_lock(PG_FUNCTION_ARGS)
{
	(void) sigma_catalog_trigger(fcinfo, "layout_lock", LAYOUT_TABLE, TRIGGER_EVENT_BEFORE,
								 CATALOG_INSERT | CATALOG_UPDATE | CATALOG_DELETE);
	if (!sigma_layout_upkeep())
		sigma_layout_lock();
	return PointerGetDatum(NULL);
}

/* BEFORE ROW: the document in its canonical form, position and level. */
Datum
layout_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "layout_row", LAYOUT_TABLE,
												 TRIGGER_EVENT_ROW | TRIGGER_EVENT_BEFORE,
												 CATALOG_INSERT | CATALOG_UPDATE);

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		return PointerGetDatum(insert_row(fcinfo, trigger));
	if (sigma_layout_upkeep())
		return PointerGetDatum(trigger->tg_newtuple);
	return PointerGetDatum(update_row(fcinfo, trigger));
}

/* AFTER STATEMENT: nested documents, the rules of the tree, what is derived from it. */
Datum
layout_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "layout_check", LAYOUT_TABLE, TRIGGER_EVENT_AFTER,
												 CATALOG_INSERT | CATALOG_UPDATE | CATALOG_DELETE);

	if ((trigger->tg_oldtable == NULL && !TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) ||
		(trigger->tg_newtable == NULL && !TRIGGER_FIRED_BY_DELETE(trigger->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"layout_check\" needs transition tables")));
	if (sigma_layout_upkeep())
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		process(trigger, read_inserted(trigger));
	else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		process(trigger, read_updated(trigger));
	else
		after_delete(trigger);
	return PointerGetDatum(NULL);
}

/* The row to insert.  Raises what the document reader raises. */
static HeapTuple
insert_row(FunctionCallInfo fcinfo, TriggerData *trigger)
{
	Relation	rel = trigger->tg_relation;
	HeapTuple	row = set_id(trigger, trigger->tg_trigtuple);
	JsonNode   *document = sigma_catalog_row_document(DOCUMENT_LAYOUT_ELEMENT, trigger, row);
	char	   *id;
	char	   *parent_id;
	RowParent  *self;
	int32		level;
	bool		isnull;
	Datum		given;

	sigma_layout_fold_tabs(document, sigma_json_get(document, "children") != NULL);
	check_element(document, true);
	id = sigma_json_get_string(document, "id", NULL);
	parent_id = sigma_json_get_string(document, "parent_id", NULL);
	(void) take_position(row_parent(fcinfo, parent_id == NULL ? "" : parent_id), rel, document);

	/* a waiting row keeps the level that its dump gave it */
	given = heap_getattr(row, LAYOUT_LEVEL, RelationGetDescr(rel), &isnull);
	level = level_under(fcinfo, rel, parent_id,
						isnull || !sigma_catalog_restoring() ? 0 : DatumGetInt32(given));
	self = row_parent(fcinfo, id);
	self->has_level = true;
	self->level = level;
	return set_level(trigger, sigma_catalog_document_row(DOCUMENT_LAYOUT_ELEMENT, trigger, row, document),
					 level);
}

/* The row to update to.  Raises 0A000 where its id changes. */
static HeapTuple
update_row(FunctionCallInfo fcinfo, TriggerData *trigger)
{
	Relation	rel = trigger->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	HeapTuple	old = trigger->tg_trigtuple;
	HeapTuple	row = trigger->tg_newtuple;
	char	   *id = text_column(desc, old, LAYOUT_ID);
	char	   *old_parent = text_column(desc, old, LAYOUT_PARENT);
	char	   *parent;
	JsonNode   *document;
	bool		isnull;
	int32		level;

	if (!same_text(id, text_column(desc, row, LAYOUT_ID)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the id of layout element \"%s\" cannot be changed", id),
				 errhint("Create a new element and move the children of the old one there.")));

	document = sigma_catalog_row_document(DOCUMENT_LAYOUT_ELEMENT, trigger, row);
	sigma_layout_fold_tabs(document, !same_json(json_column(desc, old, LAYOUT_CHILDREN),
												json_column(desc, row, LAYOUT_CHILDREN)));
	check_element(document, !same_json(json_column(desc, old, LAYOUT_CHILDREN),
									   json_column(desc, row, LAYOUT_CHILDREN)));
	parent = sigma_json_get_string(document, "parent_id", NULL);

	/* under another parent it goes last and where there is room, unless that was written too */
	if (!same_text(old_parent, parent) && !is_written(trigger, LAYOUT_POSITION))
		(void) sigma_json_remove(document, "position");
	if (!same_text(old_parent, parent) && !is_written(trigger, LAYOUT_CONFIG))
		(void) sigma_json_remove(document, "grid");
	(void) take_position(row_parent(fcinfo, parent == NULL ? "" : parent), rel, document);

	level = DatumGetInt32(heap_getattr(old, LAYOUT_LEVEL, desc, &isnull));
	if (isnull || !same_text(old_parent, parent))
		level = level_under(fcinfo, rel, parent, isnull ? 0 : level);
	return set_level(trigger, sigma_catalog_document_row(DOCUMENT_LAYOUT_ELEMENT, trigger, row, document),
					 level);
}

/* Does the UPDATE set this column? */
static bool
is_written(TriggerData *trigger, int column)
{
	return bms_is_member(column - FirstLowInvalidHeapAttributeNumber, trigger->tg_updatedcols);
}

/* What a row can be checked for by itself.  Raises SG400, 0A000 for what is not built. */
static void
check_element(JsonNode *document, bool children_written)
{
	char	   *id = sigma_json_get_string(document, "id", NULL);
	char	   *type = sigma_json_get_string(document, "type", NULL);
	const ElementKind *kind = sigma_element_kind(type);
	JsonNode   *children = sigma_json_get(document, "children");
	JsonNode   *parent = sigma_json_get(document, "parent_id");

	if (id == NULL || id[0] == '\0')
		sigma_document_error(sigma_json_get(document, "id") == NULL ? document : sigma_json_get(document, "id"),
							 0, NULL, "the id of a layout element must not be empty");
	if (type == NULL)
		sigma_document_error(document, 0, sigma_hint_names("", sigma_element_kind_names()),
							 "layout element \"%s\" has no type", id);
	if (kind == NULL)
		sigma_document_error(sigma_json_get(document, "type"), 0,
							 sigma_hint_names(type, sigma_element_kind_names()),
							 "layout elements of type \"%s\" do not exist", type);
	if (parent != NULL && parent->kind == JSON_STRING && parent->string[0] == '\0')
		sigma_document_error(parent, 0, "Leave it out for an element at the root.", "\"parent_id\" must not be empty");
	if (children != NULL && children->kind == JSON_NULL)
	{
		(void) sigma_json_remove(document, "children");
		children = NULL;
	}
	if (children != NULL && children->kind != JSON_ARRAY)
		sigma_document_error(children, 0, NULL, "\"children\" must be an array, not %s",
							 sigma_json_kind_name(children));
	if (!kind->holds && children_written && children != NULL && children->count > 0)
		sigma_document_error(children, 0,
							 "Pages, containers, tabs, modals, drawers, popovers, headers and forms have children.",
							 "layout element \"%s\" of type %s cannot have children", id, type);
	if (!kind->holds && children != NULL && children->count == 0)
		(void) sigma_json_remove(document, "children");
	if (kind->holds && children == NULL)
		sigma_json_set(document, "children", sigma_json_new(JSON_ARRAY, document));
	if (!sigma_catalog_restoring() && sigma_session.origin != ORIGIN_SYSTEM)
		sigma_formulas_qualify(DOCUMENT_LAYOUT_ELEMENT, document);
}

/* A row without an id gets one. */
static HeapTuple
set_id(TriggerData *trigger, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			column = LAYOUT_ID;
	bool		isnull;
	Datum		value;

	(void) heap_getattr(row, LAYOUT_ID, desc, &isnull);
	if (!isnull)
		return row;
	value = CStringGetTextDatum(sigma_new_uuid());
	isnull = false;
	return heap_modify_tuple_by_cols(row, desc, 1, &column, &value, &isnull);
}

/* nesting_level is computed: what a writer supplies is overwritten. */
static HeapTuple
set_level(TriggerData *trigger, HeapTuple row, int32 level)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			column = LAYOUT_LEVEL;
	bool		isnull;
	Datum		value = heap_getattr(row, LAYOUT_LEVEL, desc, &isnull);

	if (!isnull && DatumGetInt32(value) == level)
		return row;
	value = Int32GetDatum(level);
	isnull = false;
	return heap_modify_tuple_by_cols(row, desc, 1, &column, &value, &isnull);
}

/* The statement's entry for an element, made where there is none; lives as long as the statement. */
static RowParent *
row_parent(FunctionCallInfo fcinfo, const char *id)
{
	RowState   *state = fcinfo->flinfo->fn_extra;
	RowParent  *parent;
	bool		found;

	if (state == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		state = palloc0(sizeof(RowState));
		state->cxt = CurrentMemoryContext;
		state->parents = sigma_id_set("parents of layout rows", sizeof(RowParent));
		fcinfo->flinfo->fn_extra = state;
		MemoryContextSwitchTo(caller);
	}
	parent = hash_search(state->parents, &id, HASH_FIND, NULL);
	if (parent != NULL)
		return parent;
	id = MemoryContextStrdup(state->cxt, id);
	parent = hash_search(state->parents, &id, HASH_ENTER, &found);
	parent->has_level = parent->has_next = false;
	parent->level = parent->next = 0;
	return parent;
}

/* Give a document without a position the next one under its parent.  Returns its position. */
static int32
take_position(RowParent *parent, Relation rel, JsonNode *document)
{
	JsonNode   *node = sigma_json_get(document, "position");
	int32		position;

	if (!parent->has_next)
	{
		parent->next = sigma_layout_next_position(rel, parent->id[0] == '\0' ? NULL : parent->id);
		parent->has_next = true;
	}
	if (node == NULL || node->kind == JSON_NULL)
	{
		position = parent->next;
		sigma_json_set(document, "position", sigma_json_new_int(position, document));
	}
	else if (node->kind != JSON_NUMBER)
		sigma_document_error(node, 0, "The place on the grid is \"grid\": {\"column\", \"row\", \"width\", \"height\"}.",
							 "\"position\" must be a number, not %s", sigma_json_kind_name(node));
	else
		position = DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(node->number)));
	if (position >= parent->next)
		parent->next = position == PG_INT32_MAX ? position : position + 1;
	return position;
}

/*
 * The level of a row under that parent as far as it is known now: a parent that comes
 * later in the statement is unknown, and the check after the statement sets it right.
 */
static int32
level_under(FunctionCallInfo fcinfo, Relation rel, const char *parent_id, int32 unknown)
{
	RowParent  *parent;

	if (parent_id == NULL)
		return 0;
	parent = row_parent(fcinfo, parent_id);
	if (!parent->has_level)
	{
		Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
		HeapTuple	row = sigma_layout_row(rel, snapshot, parent_id);
		bool		isnull;
		Datum		level;

		UnregisterSnapshot(snapshot);
		if (row == NULL)
			return unknown;
		level = heap_getattr(row, LAYOUT_LEVEL, RelationGetDescr(rel), &isnull);
		parent->has_level = true;
		parent->level = isnull ? 0 : DatumGetInt32(level);
	}
	return parent->level + 1;
}

/* What an INSERT wrote, as a List of LayoutChange. */
static List *
read_inserted(TriggerData *trigger)
{
	int			pointer;
	TupleTableSlot *slot = begin_rows(trigger, trigger->tg_newtable, &pointer);
	List	   *changes = NIL;
	HeapTuple	row;

	while ((row = next_row(trigger->tg_newtable, pointer, slot)) != NULL)
	{
		changes = lappend(changes, compare_rows(trigger, NULL, row));
		heap_freetuple(row);
	}
	ExecDropSingleTupleTableSlot(slot);
	return changes;
}

/* What an UPDATE changed, as a List of LayoutChange; rows that only got a new name are left out. */
static List *
read_updated(TriggerData *trigger)
{
	int			old_pointer;
	int			new_pointer;
	TupleTableSlot *old_slot = begin_rows(trigger, trigger->tg_oldtable, &old_pointer);
	TupleTableSlot *new_slot = begin_rows(trigger, trigger->tg_newtable, &new_pointer);
	List	   *changes = NIL;
	HeapTuple	old;

	/* both hold the rows in the order in which they were updated */
	while ((old = next_row(trigger->tg_oldtable, old_pointer, old_slot)) != NULL)
	{
		HeapTuple	new = next_row(trigger->tg_newtable, new_pointer, new_slot);
		LayoutChange *change;

		if (new == NULL)
			elog(ERROR, "an UPDATE left fewer new rows than old ones");
		change = compare_rows(trigger, old, new);
		if (change != NULL)
			changes = lappend(changes, change);
		heap_freetuple(old);
		heap_freetuple(new);
	}
	ExecDropSingleTupleTableSlot(old_slot);
	ExecDropSingleTupleTableSlot(new_slot);
	return changes;
}

/* What a DELETE took away is cleaned up after. */
static void
after_delete(TriggerData *trigger)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			pointer;
	TupleTableSlot *slot = begin_rows(trigger, trigger->tg_oldtable, &pointer);
	List	   *deleted = NIL;
	HeapTuple	row;

	while ((row = next_row(trigger->tg_oldtable, pointer, slot)) != NULL)
	{
		LayoutDeleted *one = palloc(sizeof(LayoutDeleted));

		one->id = text_column(desc, row, LAYOUT_ID);
		one->type = text_column(desc, row, LAYOUT_TYPE);
		one->parent_id = text_column(desc, row, LAYOUT_PARENT);
		one->config = json_column(desc, row, LAYOUT_CONFIG);
		deleted = lappend(deleted, one);
		heap_freetuple(row);
	}
	ExecDropSingleTupleTableSlot(slot);
	if (deleted != NIL)
		sigma_layout_removed(trigger->tg_relation, deleted);
}

/* What became of one row ("old" NULL: it is new); NULL where nothing follows from it. */
static LayoutChange *
compare_rows(TriggerData *trigger, HeapTuple old, HeapTuple new)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	LayoutChange *change = palloc0(sizeof(LayoutChange));
	char	   *type = text_column(desc, new, LAYOUT_TYPE);
	Jsonb	   *children = json_column(desc, new, LAYOUT_CHILDREN);
	Jsonb	   *config = json_column(desc, new, LAYOUT_CONFIG);
	Grid		old_grid = {0};
	Grid		new_grid;

	change->id = text_column(desc, new, LAYOUT_ID);
	change->kind = sigma_element_kind(type);
	change->parent = text_column(desc, new, LAYOUT_PARENT);
	change->inserted = old == NULL;
	sigma_grid_read(config, &new_grid);
	change->configured = config != NULL;
	if (old == NULL)
	{
		change->moved = true;
		change->placed = memcmp(&old_grid, &new_grid, sizeof(Grid)) != 0;
		if (children != NULL && JB_ROOT_COUNT(children) > 0)
			change->given = read_children(children);
	}
	else
	{
		Jsonb	   *old_config = json_column(desc, old, LAYOUT_CONFIG);
		bool		old_null;
		bool		new_null;
		int32		old_position = DatumGetInt32(heap_getattr(old, LAYOUT_POSITION, desc, &old_null));
		int32		new_position = DatumGetInt32(heap_getattr(new, LAYOUT_POSITION, desc, &new_null));

		if (!same_text(change->id, text_column(desc, old, LAYOUT_ID)))
			elog(ERROR, "old and new rows of an UPDATE come in different orders");
		change->old_parent = text_column(desc, old, LAYOUT_PARENT);
		change->retyped = !same_text(type, text_column(desc, old, LAYOUT_TYPE));
		change->configured = change->retyped || !same_json(old_config, config);
		change->moved = change->retyped || !same_text(change->old_parent, change->parent) ||
			sigma_layout_max_nesting(old_config) != sigma_layout_max_nesting(config);
		if (change->configured)
			sigma_layout_compare_settings(change, old_config, config);
		sigma_grid_read(old_config, &old_grid);
		change->placed = memcmp(&old_grid, &new_grid, sizeof(Grid)) != 0 || change->retyped ||
			!same_text(change->old_parent, change->parent);
		change->regridded = change->retyped ||
			(change->kind != NULL && sigma_grid_columns(change->kind, old_config) != sigma_grid_columns(change->kind, config));
		change->reordered = old_null || old_position != new_position;
		if (!same_json(json_column(desc, old, LAYOUT_CHILDREN), children))
			change->given = read_children(children);
		if (!change->moved && !change->reordered && !change->configured && change->given == NULL)
			return NULL;
	}
	change->configured = change->configured && sigma_layout_refers(change->kind, config);
	change->brings = (old == NULL || change->configured) && sigma_layout_brings(change->kind, config);
	if (config != NULL)
		pfree(config);
	return change;
}

/* Children as they were written (NULL: none), with paths that begin at the row's document. */
static JsonNode *
read_children(Jsonb *children)
{
	JsonNode   *list = children == NULL ? sigma_json_new(JSON_ARRAY, NULL) : sigma_json_read(children);

	list->origin = sigma_json_new(JSON_OBJECT, NULL);
	list->origin_key = "children";
	return list;
}

/* Everything that follows from the rows a statement wrote. */
static void
process(TriggerData *trigger, List *changes)
{
	Relation	rel = trigger->tg_relation;
	LayoutTree *tree;
	bool		shape = false;
	bool		retyped = false;
	ListCell   *cell;

	foreach(cell, changes)
	{
		LayoutChange *change = lfirst(cell);

		retyped |= change->retyped;
		shape |= change->moved || change->reordered || change->given != NULL || change->placed || change->regridded;
	}
	if (shape)
	{
		/* already held, unless settings alone were written */
		sigma_layout_lock();
		sigma_layout_adopt(rel, changes);
		tree = sigma_tree_open(rel);
		foreach(cell, changes)
		{
			LayoutChange *change = lfirst(cell);

			/* siblings are read together; one by one they would be looked for by their ids */
			if (change->moved && change->parent != NULL)
				(void) sigma_tree_children(tree, change->parent);
		}
		foreach(cell, changes)
		{
			LayoutChange *change = lfirst(cell);

			if (change->moved)
			{
				sigma_tree_place(tree, change->id);
				sigma_tree_refresh(tree, change->old_parent);
			}
			if (change->moved || change->given != NULL)
				sigma_tree_refresh(tree, change->id);
			if (change->moved || change->reordered)
				sigma_tree_refresh(tree, change->parent);
		}
		if (!tree->restoring)
			check_grids(tree, changes);
		sigma_tree_write(tree);
		sigma_tree_close(tree);
	}
	if (!sigma_catalog_restoring())
		sigma_layout_documents(rel, changes);
	if (retyped)
		sigma_layout_targets_changed();
}

/* Check the grids that written rows stand on, and those that they have. */
static void
check_grids(LayoutTree *tree, List *changes)
{
	ListCell   *cell;

	foreach(cell, changes)
	{
		LayoutChange *change = lfirst(cell);

		if (change->placed && change->parent != NULL)
			sigma_tree_check_grid(tree, change->parent);
		if (change->regridded)
			sigma_tree_check_grid(tree, change->id);
	}
}

/* Read a transition table from its start. */
static TupleTableSlot *
begin_rows(TriggerData *trigger, Tuplestorestate *store, int *pointer)
{
	*pointer = tuplestore_alloc_read_pointer(store, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(store, *pointer);
	tuplestore_rescan(store);
	return MakeSingleTupleTableSlot(RelationGetDescr(trigger->tg_relation), &TTSOpsMinimalTuple);
}

/* A copy of the next row, or NULL. */
static HeapTuple
next_row(Tuplestorestate *store, int pointer, TupleTableSlot *slot)
{
	CHECK_FOR_INTERRUPTS();
	tuplestore_select_read_pointer(store, pointer);
	if (!tuplestore_gettupleslot(store, true, false, slot))
		return NULL;
	return ExecCopySlotHeapTuple(slot);
}

/* A text column's value, or NULL. */
static char *
text_column(TupleDesc desc, HeapTuple row, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* A copy of a jsonb column's value, or NULL. */
static Jsonb *
json_column(TupleDesc desc, HeapTuple row, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);

	return isnull ? NULL : DatumGetJsonbPCopy(value);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_json(const Jsonb *a, const Jsonb *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return compareJsonbContainers(unconstify(JsonbContainer *, &a->root), unconstify(JsonbContainer *, &b->root)) == 0;
}
