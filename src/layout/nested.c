/*
 * nested.c
 *		Documents inside layout documents, and children that are given by id.
 *
 * An element's document may hold its children and, as "tabs", its tabs: as objects,
 * which become rows, or as ids, which are adopted.  All objects of a statement, however
 * deep, become rows in one INSERT, and all elements that change their parent or place
 * move in one UPDATE, both as the caller; their own triggers check them.
 *
 * Everything here runs after the statement, under the layout's lock, and is allocated
 * in the trigger's context.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/rel.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/session.h"
#include "layout/layout.h"

/* One list of children: what the parent is to hold, in order. */
typedef struct Listing
{
	const char *parent_id;
	JsonNode   *where;			/* the list as it was written */
	List	   *ids;			/* of char * */
	bool		has_objects;
} Listing;

/* What a statement's documents hold. */
typedef struct Nesting
{
	LayoutTree *tree;			/* as it was before anything was created */
	HTAB	   *listed;			/* ids in any list: each element has one place */
	List	   *documents;		/* of JsonNode, rows to insert; parents come first */
	List	   *listings;		/* of Listing */
	bool		whole;			/* what documents list must stand in them */
	bool		may_exist;		/* and may be there already */
} Nesting;

static void flatten(Nesting *nesting, const char *parent_id, JsonNode *list);
static char *flatten_document(Nesting *nesting, const char *parent_id, JsonNode *document, int place);
static char *child_id(Nesting *nesting, const char *parent_id, JsonNode *document, int place);
static bool note_listed(Nesting *nesting, const char *id);
static void adopt_listed(Relation rel, List *listings);
static bool is_in_order(LayoutTree *tree, const Listing *listing);
static void check_complete(LayoutTree *tree, const Listing *listing);
static uint32 hash_id(const void *key, Size size);
static int	match_id(const void *a, const void *b, Size size);

/* A set, or with a larger entry a map, whose keys are pointers to ids; in the current context. */
HTAB *
sigma_id_set(const char *name, Size entrysize)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(char *);
	control.entrysize = entrysize;
	control.hash = hash_id;
	control.match = match_id;
	control.hcxt = CurrentMemoryContext;
	return hash_create(name, 64, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static uint32
hash_id(const void *key, Size size)
{
	const char *id = *(const char *const *) key;

	return DatumGetUInt32(hash_any((const unsigned char *) id, strlen(id)));
}

static int
match_id(const void *a, const void *b, Size size)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/*
 * "tabs" of a tabs element are its children: move the list there.  "children_written"
 * says that the caller wrote children too.  Raises SG400 where both have members.
 */
void
sigma_layout_fold_tabs(JsonNode *document, bool children_written)
{
	char	   *type = sigma_json_get_string(document, "type", NULL);
	JsonNode   *tabs;
	JsonNode   *children;
	int			i;

	if (type == NULL || strcmp(type, "tabs") != 0)
		return;
	tabs = sigma_json_remove(document, "tabs");
	if (tabs == NULL || tabs->kind == JSON_NULL)
		return;
	if (tabs->kind != JSON_ARRAY)
		sigma_document_error(tabs, 0, NULL, "\"tabs\" must be an array, not %s", sigma_json_kind_name(tabs));
	children = sigma_json_get(document, "children");
	if (children_written && children != NULL && children->kind == JSON_ARRAY && children->count > 0)
		sigma_document_error(tabs, 0, "The children of a tabs element are its tabs.",
							 "\"tabs\" and \"children\" are both given");
	for (i = 0; i < tabs->count; i++)
		if (tabs->items[i]->kind == JSON_OBJECT && sigma_json_get(tabs->items[i], "type") == NULL)
			sigma_json_set(tabs->items[i], "type", sigma_json_new_string("tab", tabs->items[i]));
	sigma_json_set(document, "children", tabs);
}

/*
 * Do what the children that a statement wrote ask for: create, adopt, put in order.
 * Raises SG400 where a list is wrong, SG404 where it names what does not exist, SG409
 * where it would leave out a child that is there or create one that exists.
 */
void
sigma_layout_adopt(Relation rel, List *changes)
{
	Nesting		nesting = {0};
	List	   *listings = NIL;
	ListCell   *cell;

	foreach(cell, changes)
	{
		LayoutChange *change = lfirst(cell);

		if (change->given == NULL)
			continue;
		if (nesting.tree == NULL)
		{
			nesting.tree = sigma_tree_open(rel);
			nesting.listed = sigma_id_set("listed layout elements", sizeof(char *));
		}
		flatten(&nesting, change->id, change->given);
	}
	if (nesting.tree == NULL)
		return;
	sigma_tree_close(nesting.tree);
	sigma_layout_insert(nesting.documents, false);

	/* a dump names children that are still to come; only what was created is put in place */
	foreach(cell, nesting.listings)
	{
		Listing    *listing = lfirst(cell);

		if (listing->has_objects || !sigma_catalog_restoring())
			listings = lappend(listings, listing);
	}
	adopt_listed(rel, listings);
}

/*
 * The documents (objects in an array) and everything in them as rows, parents first;
 * those of the array keep the parents and positions they have.  SG400 where one names
 * its children or has two places, SG409 where it exists, unless it may.
 */
List *
sigma_layout_flatten(Relation rel, JsonNode *documents, bool may_exist)
{
	Nesting		nesting = {0};
	int			i;

	nesting.tree = sigma_tree_open(rel);
	nesting.listed = sigma_id_set("listed layout elements", sizeof(char *));
	nesting.whole = true;
	nesting.may_exist = may_exist;
	for (i = 0; i < documents->count; i++)
		(void) flatten_document(&nesting, NULL, documents->items[i], i);
	sigma_tree_close(nesting.tree);
	return nesting.documents;
}

/* Note a list, and the rows that its objects become, with everything in them. */
static void
flatten(Nesting *nesting, const char *parent_id, JsonNode *list)
{
	Listing    *listing = palloc0(sizeof(Listing));
	int			i;

	check_stack_depth();
	listing->parent_id = parent_id;
	listing->where = list;
	nesting->listings = lappend(nesting->listings, listing);
	for (i = 0; i < list->count; i++)
	{
		JsonNode   *item = list->items[i];
		char	   *id = NULL;

		if (item->kind == JSON_STRING)
		{
			id = item->string;
			if (nesting->whole)
				sigma_document_error(item, 0, "Put the element's document here.",
									 "a document to import must hold its elements, not name them");
			if (!note_listed(nesting, id))
				sigma_document_error(item, 0, "An element has one place in the layout.",
									 "layout element \"%s\" is listed twice", id);
		}
		else if (item->kind == JSON_OBJECT)
		{
			id = flatten_document(nesting, parent_id, item, i);
			listing->has_objects = true;
		}
		else
			sigma_document_error(item, 0, NULL,
								 "a child must be the id of a layout element or an object, not %s",
								 sigma_json_kind_name(item));
		listing->ids = lappend(listing->ids, id);
	}
}

/* Note one document, nested unless "parent_id" is NULL, as a row.  Returns its id. */
static char *
flatten_document(Nesting *nesting, const char *parent_id, JsonNode *document, int place)
{
	char	   *given_parent;
	char	   *id;
	JsonNode   *children;

	document = sigma_document_normalise(DOCUMENT_LAYOUT_ELEMENT, document, 0);
	given_parent = sigma_json_get_string(document, "parent_id", NULL);
	if (given_parent != NULL && parent_id != NULL && strcmp(given_parent, parent_id) != 0)
		sigma_document_error(sigma_json_get(document, "parent_id"), 0, "Leave parent_id out of nested elements.",
							 "a child of \"%s\" cannot have the parent \"%s\"", parent_id, given_parent);
	sigma_layout_fold_tabs(document, true);
	children = sigma_json_remove(document, "children");
	if (children != NULL && children->kind == JSON_NULL)
		children = NULL;
	if (children != NULL && children->kind != JSON_ARRAY)
		sigma_document_error(children, 0, NULL, "\"children\" must be an array, not %s",
							 sigma_json_kind_name(children));

	id = child_id(nesting, parent_id, document, place);
	sigma_json_set(document, "id", sigma_json_new_string(id, document));
	if (parent_id != NULL)
	{
		sigma_json_set(document, "parent_id", sigma_json_new_string(parent_id, document));
		sigma_json_set(document, "position", sigma_json_new_int(place, document));
	}
	nesting->documents = lappend(nesting->documents, document);
	if (children != NULL && children->count > 0)
		flatten(nesting, id, children);
	return id;
}

/*
 * The id of a nested document: its own, which must be new (SG409), or
 * <parent>_<n> with n from its place, counted from 1, upwards until it is free.
 */
static char *
child_id(Nesting *nesting, const char *parent_id, JsonNode *document, int place)
{
	char	   *id = sigma_json_get_string(document, "id", NULL);
	int			n = place + 1;

	if (id != NULL)
	{
		if (!note_listed(nesting, id))
			sigma_document_error(sigma_json_get(document, "id"), 0, NULL,
								 "the id \"%s\" is given to two elements", id);
		if (!nesting->may_exist && sigma_tree_fetch(nesting->tree, id) != NULL)
			sigma_document_error(sigma_json_get(document, "id"), ERRCODE_SIGMA_CONFLICT,
								 nesting->whole ? "Option \"existing\" can be \"rename\" or \"update\"." :
								 "Give the id alone, as a string, to move the element here.",
								 "layout element \"%s\" already exists", id);
		return id;
	}
	for (;; n++)
	{
		CHECK_FOR_INTERRUPTS();
		id = psprintf("%s_%d", parent_id == NULL ? sigma_json_get_string(document, "type", "element") : parent_id, n);
		if (sigma_tree_fetch(nesting->tree, id) == NULL && note_listed(nesting, id))
			return id;
	}
}

/* Note that an id has its place.  False where it already has one. */
static bool
note_listed(Nesting *nesting, const char *id)
{
	bool		found;

	(void) hash_search(nesting->listed, &id, HASH_ENTER, &found);
	return !found;
}

/* Move listed elements under their parents where they do not stand so already; refuse to leave any out. */
static void
adopt_listed(Relation rel, List *listings)
{
	LayoutTree *tree;
	List	   *placements = NIL;
	ListCell   *cell;

	if (listings == NIL)
		return;
	tree = sigma_tree_open(rel);
	foreach(cell, listings)
	{
		Listing    *listing = lfirst(cell);
		ListCell   *inner;

		foreach(inner, listing->ids)
			if (sigma_tree_fetch(tree, lfirst(inner)) == NULL)
				sigma_document_error(listing->where->items[foreach_current_index(inner)], ERRCODE_SIGMA_NOT_FOUND,
									 sigma_layout_hint(DOCUMENT_LAYOUT_ELEMENT, lfirst(inner),
													   "Give an object to create the child."),
									 "child \"%s\" of layout element \"%s\" does not exist",
									 (char *) lfirst(inner), listing->parent_id);
		if (is_in_order(tree, listing))
			continue;
		foreach(inner, listing->ids)
		{
			Placement  *placement = palloc(sizeof(Placement));

			placement->id = lfirst(inner);
			placement->parent_id = pstrdup(listing->parent_id);
			placement->position = foreach_current_index(inner);
			placements = lappend(placements, placement);
		}
	}
	sigma_tree_close(tree);
	sigma_layout_move(placements);

	tree = sigma_tree_open(rel);
	foreach(cell, listings)
		check_complete(tree, lfirst(cell));
	sigma_tree_close(tree);
}

/* Are the children of the parent these, in this order? */
static bool
is_in_order(LayoutTree *tree, const Listing *listing)
{
	List	   *children = sigma_tree_children(tree, listing->parent_id);
	ListCell   *a;
	ListCell   *b;

	if (list_length(children) != list_length(listing->ids))
		return false;
	forboth(a, children, b, listing->ids)
		if (strcmp(((Element *) lfirst(a))->id, lfirst(b)) != 0)
			return false;
	return true;
}

/* A list that leaves out a child would lose it: SG409. */
static void
check_complete(LayoutTree *tree, const Listing *listing)
{
	List	   *children = sigma_tree_children(tree, listing->parent_id);
	HTAB	   *listed;
	StringInfoData missing;
	ListCell   *cell;

	if (list_length(children) == list_length(listing->ids))
		return;
	listed = sigma_id_set("children of one element", sizeof(char *));
	foreach(cell, listing->ids)
		(void) hash_search(listed, &lfirst(cell), HASH_ENTER, NULL);
	initStringInfo(&missing);
	foreach(cell, children)
	{
		Element    *child = lfirst(cell);

		if (hash_search(listed, &child->id, HASH_FIND, NULL) == NULL)
			appendStringInfo(&missing, "%s\"%s\"", missing.len > 0 ? ", " : "", child->id);
	}
	hash_destroy(listed);
	if (missing.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_CONFLICT),
				 errmsg("the children of layout element \"%s\" leave out elements that stand in it", listing->parent_id),
				 errdetail("Left out: %s.", missing.data),
				 errhint("List every child; move or delete those that should go.")));
}
