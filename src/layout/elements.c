/*
 * elements.c
 *		Statement triggers of sigma.sigma_layout_elements: whoever writes it, the tree stays a tree.
 *
 * Before a statement touches a row it takes the layout's lock, if it may change the
 * tree's shape.  Each row is brought into its canonical form (row.c).  After the statement
 * its rows are looked at together, by the newest snapshot: nested documents become rows,
 * the rules of the tree are checked, levels and children are written where they differ.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

#include "common/catalog.h"
#include "common/document_specs.h"
#include "common/jsonb_value.h"
#include "common/transition.h"
#include "layout/layout.h"

PG_FUNCTION_INFO_V1(layout_lock);
PG_FUNCTION_INFO_V1(layout_check);

static List *read_inserted(TriggerData *trigger);
static List *read_updated(TriggerData *trigger);
static void after_delete(TriggerData *trigger);
static LayoutChange *new_change(const TransitionReader *new);
static bool compare_rows(LayoutChange *change, const TransitionReader *old, const TransitionReader *new);
static void look_into(LayoutChange *change, Jsonb *config);
static JsonNode *read_children(Jsonb *children);
static void process(TriggerData *trigger, List *changes);
static void look_around(LayoutTree *tree, List *changes);
static void check_grids(LayoutTree *tree, List *changes);
static char *text_column(const TransitionReader *row, int column);
static Jsonb *json_column(const TransitionReader *row, int column);

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

/* What an INSERT wrote, as a List of LayoutChange. */
static List *
read_inserted(TriggerData *trigger)
{
	TransitionReader new;
	List	   *changes = NIL;

	sigma_transition_begin(&new, trigger->tg_newtable, RelationGetDescr(trigger->tg_relation));
	while (sigma_transition_next(&new))
	{
		LayoutChange *change = new_change(&new);
		Jsonb	   *children = json_column(&new, LAYOUT_CHILDREN);
		Jsonb	   *config = json_column(&new, LAYOUT_CONFIG);
		JsonbValue	grid;

		CHECK_FOR_INTERRUPTS();
		change->inserted = change->moved = true;
		if (children != NULL && JB_ROOT_COUNT(children) > 0)
			change->given = read_children(children);
		if (config != NULL)
			change->placed = JB_ROOT_IS_OBJECT(config) && sigma_jsonb_member(&config->root, "grid", &grid);
		look_into(change, config);
		changes = lappend(changes, change);
		/* of many rows the copies would add up */
		if (config != NULL && PointerGetDatum(config) != new.slot->tts_values[LAYOUT_CONFIG - 1])
			pfree(config);
	}
	sigma_transition_end(&new);
	return changes;
}

/* What an UPDATE changed, as a List of LayoutChange; rows that only got a new name are left out. */
static List *
read_updated(TriggerData *trigger)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	TransitionReader old;
	TransitionReader new;
	List	   *changes = NIL;

	sigma_transition_begin(&old, trigger->tg_oldtable, desc);
	sigma_transition_begin(&new, trigger->tg_newtable, desc);
	/* both hold the rows in the order in which they were updated */
	while (sigma_transition_next(&old))
	{
		LayoutChange *change;

		CHECK_FOR_INTERRUPTS();
		if (!sigma_transition_next(&new))
			elog(ERROR, "an UPDATE left fewer new rows than old ones");
		change = new_change(&new);
		if (compare_rows(change, &old, &new))
			changes = lappend(changes, change);
	}
	sigma_transition_end(&old);
	sigma_transition_end(&new);
	return changes;
}

/* What a DELETE took away is cleaned up after. */
static void
after_delete(TriggerData *trigger)
{
	TransitionReader old;
	List	   *deleted = NIL;

	sigma_transition_begin(&old, trigger->tg_oldtable, RelationGetDescr(trigger->tg_relation));
	while (sigma_transition_next(&old))
	{
		LayoutDeleted *one = palloc(sizeof(LayoutDeleted));
		bool		configured = !old.slot->tts_isnull[LAYOUT_CONFIG - 1];

		CHECK_FOR_INTERRUPTS();
		one->id = text_column(&old, LAYOUT_ID);
		one->type = text_column(&old, LAYOUT_TYPE);
		one->parent_id = text_column(&old, LAYOUT_PARENT);
		one->config = configured ? DatumGetJsonbPCopy(old.slot->tts_values[LAYOUT_CONFIG - 1]) : NULL;
		deleted = lappend(deleted, one);
	}
	sigma_transition_end(&old);
	if (deleted != NIL)
		sigma_layout_removed(trigger->tg_relation, deleted);
}

/* The change to a row that was written, with what is known without the row before. */
static LayoutChange *
new_change(const TransitionReader *new)
{
	LayoutChange *change = palloc0(sizeof(LayoutChange));
	int			type = LAYOUT_TYPE - 1;

	change->id = text_column(new, LAYOUT_ID);
	change->kind = new->slot->tts_isnull[type] ? NULL : sigma_element_kind_of(new->slot->tts_values[type]);
	change->parent = text_column(new, LAYOUT_PARENT);
	return change;
}

/* What became of an updated row.  False where nothing follows from it. */
static bool
compare_rows(LayoutChange *change, const TransitionReader *old, const TransitionReader *new)
{
	Jsonb	   *config = json_column(new, LAYOUT_CONFIG);
	Jsonb	   *old_config = json_column(old, LAYOUT_CONFIG);
	Jsonb	   *children = json_column(new, LAYOUT_CHILDREN);
	Grid		old_grid;
	Grid		new_grid;

	if (!sigma_same_text(change->id, text_column(old, LAYOUT_ID)))
		elog(ERROR, "old and new rows of an UPDATE come in different orders");
	change->old_parent = text_column(old, LAYOUT_PARENT);
	change->retyped = !sigma_same_text(text_column(new, LAYOUT_TYPE), text_column(old, LAYOUT_TYPE));
	change->configured = change->retyped || !sigma_same_json(old_config, config);
	change->moved = change->retyped || !sigma_same_text(change->old_parent, change->parent) ||
		sigma_layout_max_nesting(old_config) != sigma_layout_max_nesting(config);
	if (change->configured)
		sigma_layout_compare_settings(change, old_config, config);
	sigma_grid_read(old_config, &old_grid);
	sigma_grid_read(config, &new_grid);
	change->placed = memcmp(&old_grid, &new_grid, sizeof(Grid)) != 0 || change->retyped ||
		!sigma_same_text(change->old_parent, change->parent);
	change->regridded = change->retyped ||
		(change->kind != NULL && sigma_grid_columns(change->kind, old_config) != sigma_grid_columns(change->kind, config));
	change->reordered = old->slot->tts_isnull[LAYOUT_POSITION - 1] ||
		sigma_transition_differs(old, new, LAYOUT_POSITION - 1, true, sizeof(int32));
	if (!sigma_same_json(json_column(old, LAYOUT_CHILDREN), children))
		change->given = read_children(children);
	if (!change->moved && !change->reordered && !change->configured && change->given == NULL)
		return false;
	if (change->configured)
		look_into(change, config);
	change->brings = change->brings && change->configured;
	return true;
}

/* Do settings that were written (NULL: none) name anything, hold formulas, or make anything else? */
static void
look_into(LayoutChange *change, Jsonb *config)
{
	if (config != NULL && change->kind != NULL && sigma_element_is_plain(change->kind->name, config, DOCUMENT_STORED))
		config = NULL;
	change->configured = config != NULL;
	change->brings = sigma_layout_brings(change->kind, config);
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
		look_around(tree, changes);
		foreach(cell, changes)
		{
			LayoutChange *change = lfirst(cell);

			if (change->moved)
				sigma_tree_place(tree, change->id);
			if (change->moved && change->old_parent != NULL)
				sigma_tree_refresh(tree, change->old_parent);
			if (change->given != NULL || (change->moved && (change->kind == NULL || change->kind->holds)))
				sigma_tree_refresh(tree, change->id);
		}
		foreach(cell, changes)
		{
			LayoutChange *change = lfirst(cell);

			if ((change->moved || change->reordered) && change->parent != NULL)
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

/* Read what is looked up together at less cost than one by one: the siblings of moved rows, and what is in leaves. */
static void
look_around(LayoutTree *tree, List *changes)
{
	List	   *leaves = NIL;
	ListCell   *cell;

	foreach(cell, changes)
	{
		LayoutChange *change = lfirst(cell);

		if (!change->moved)
			continue;
		if (change->parent != NULL)
			(void) sigma_tree_children(tree, change->parent);
		if (change->kind != NULL && !change->kind->holds)
			leaves = lappend(leaves, change->id);
	}
	sigma_tree_expect_leaves(tree, leaves);
	list_free(leaves);
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

/* A text column's value, or NULL. */
static char *
text_column(const TransitionReader *row, int column)
{
	return row->slot->tts_isnull[column - 1] ? NULL : TextDatumGetCString(row->slot->tts_values[column - 1]);
}

/* A jsonb column's value, or NULL; good until the next row. */
static Jsonb *
json_column(const TransitionReader *row, int column)
{
	return row->slot->tts_isnull[column - 1] ? NULL : DatumGetJsonbP(row->slot->tts_values[column - 1]);
}

bool
sigma_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
sigma_same_json(const Jsonb *a, const Jsonb *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return compareJsonbContainers(unconstify(JsonbContainer *, &a->root), unconstify(JsonbContainer *, &b->root)) == 0;
}
