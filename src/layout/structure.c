/*
 * structure.c
 *		The rules of the layout tree: what may stand where, how deep, and in what order.
 *
 * A LayoutTree looks at the table with the newest snapshot, whatever the isolation
 * level, while the transaction holds the layout's lock: it sees every change that
 * was committed before, and nobody can commit another one until this transaction
 * ends.  It reads single rows and the children of single rows through indexes, so
 * that its cost follows what a statement wrote.  It lives in the memory context of
 * the caller and is thrown away after the statement.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/jsonb_value.h"
#include "common/session.h"
#include "compat.h"
#include "layout/layout.h"

#define FEW_LEAVES	8			/* are looked at one by one */

/* name, holds, counts, resets, columns, floats */
static const ElementKind kinds[] = {
	{"page", true, false, true, 24, true},
	{"container", true, true, false, 12, false},
	{"tabs", true, true, false, 0, false},
	{"tab", true, false, false, 12, true},
	{"modal", true, false, true, 24, true},
	{"drawer", true, false, true, 24, true},
	{"popover", true, false, true, 24, false},
	{"header", true, false, false, 24, true},
	{"form", true, false, false, 12, false},
	{"input_table", false, false, false, 0, false},
	{"table", false, false, false, 0, false},
	{"pivot", false, false, false, 0, false},
	{"chart", false, false, false, 0, false},
	{"control", false, false, false, 0, false},
	{"button", false, false, false, 0, false},
	{"text", false, false, false, 0, false},
	{"image", false, false, false, 0, false},
	{"divider", false, false, false, 0, false},
	{"plugin", false, false, false, 0, false},
};

static const ElementKind *find_kind(const char *name, int length);
static Element *enter(LayoutTree *tree, const char *id);
static void fill_element(LayoutTree *tree, Element *element);
static void settle(LayoutTree *tree, Element *element);
static void spread(LayoutTree *tree, Element *element);
static void derive(LayoutTree *tree, Element *element);
static void check_place(LayoutTree *tree, const Element *element);
static void check_depth(LayoutTree *tree, const Element *element);
static void refuse_place(LayoutTree *tree, const Element *element, const char *hint,
						 const char *message) pg_attribute_noreturn();
static void report_cycle(LayoutTree *tree, const Element *element) pg_attribute_noreturn();
static char *path_of(const Element *element);
static int	compare_siblings(const ListCell *a, const ListCell *b);
static Jsonb *children_document(LayoutTree *tree, Element *element, Jsonb *stored);

/* The kind of that name, or NULL. */
const ElementKind *
sigma_element_kind(const char *type)
{
	return type == NULL ? NULL : find_kind(type, strlen(type));
}

/* The kind that a column names, or NULL. */
const ElementKind *
sigma_element_kind_of(Datum type)
{
	text	   *name = DatumGetTextPP(type);

	return find_kind(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

static const ElementKind *
find_kind(const char *name, int length)
{
	int			i;

	for (i = 0; length > 0 && i < lengthof(kinds); i++)
		if (kinds[i].name[0] == name[0] && strncmp(kinds[i].name, name, length) == 0 && kinds[i].name[length] == '\0')
			return &kinds[i];
	return NULL;
}

/* The names of all kinds, for hints; ends with NULL. */
const char *const *
sigma_element_kind_names(void)
{
	static const char *names[lengthof(kinds) + 1];
	int			i;

	for (i = 0; i < lengthof(kinds); i++)
		names[i] = kinds[i].name;
	names[i] = NULL;
	return names;
}

/*
 * Begin to look at the tree as it is now, this statement's rows included.
 * Allocates in the current context.
 */
LayoutTree *
sigma_tree_open(Relation rel)
{
	LayoutTree *tree = palloc0(sizeof(LayoutTree));

	CommandCounterIncrement();
	tree->rel = rel;
	tree->id_index = sigma_relation_oid(LAYOUT_TABLE "_pkey");
	tree->parent_index = sigma_relation_oid(LAYOUT_TABLE "_parent_id");
	tree->snapshot = RegisterSnapshot(GetLatestSnapshot());
	tree->values = palloc(sizeof(Datum) * RelationGetDescr(rel)->natts);
	tree->nulls = palloc(sizeof(bool) * RelationGetDescr(rel)->natts);
	tree->elements = sigma_id_set("layout elements", sizeof(Element));
	tree->restoring = sigma_catalog_restoring();
	return tree;
}

/* End it; its elements stay readable until their context goes. */
void
sigma_tree_close(LayoutTree *tree)
{
	UnregisterSnapshot(tree->snapshot);
	tree->snapshot = NULL;
}

/* The element of that id; NULL where there is no such row. */
Element *
sigma_tree_fetch(LayoutTree *tree, const char *id)
{
	Element    *element = enter(tree, id);

	if (!element->exists)
	{
		HeapTuple	row = sigma_layout_row(tree->rel, tree->snapshot, id);

		if (row == NULL)
			return NULL;
		heap_deform_tuple(row, RelationGetDescr(tree->rel), tree->values, tree->nulls);
		fill_element(tree, element);
		heap_freetuple(row);
	}
	return element;
}

/* The elements under that parent, in order; NULL: the roots. */
List *
sigma_tree_children(LayoutTree *tree, const char *parent_id)
{
	Element    *parent = parent_id == NULL ? NULL : enter(tree, parent_id);
	List	   *children = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	if (parent != NULL && parent->loaded)
		return parent->children;

	ScanKeyEntryInitialize(&key, parent_id == NULL ? SK_ISNULL | SK_SEARCHNULL : 0,
						   LAYOUT_PARENT, parent_id == NULL ? InvalidStrategy : BTEqualStrategyNumber,
						   TEXTOID, DEFAULT_COLLATION_OID, parent_id == NULL ? InvalidOid : F_TEXTEQ,
						   parent_id == NULL ? (Datum) 0 : CStringGetTextDatum(parent_id));
	scan = systable_beginscan(tree->rel, tree->parent_index, true, tree->snapshot, 1, &key);
	while ((row = systable_getnext(scan)) != NULL)
	{
		char	   *id;
		Element    *child;

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(row, RelationGetDescr(tree->rel), tree->values, tree->nulls);
		id = TextDatumGetCString(tree->values[LAYOUT_ID - 1]);
		child = enter(tree, id);
		if (child->id != id)
			pfree(id);
		if (!child->exists)
			fill_element(tree, child);
		children = lappend(children, child);
	}
	systable_endscan(scan);
	list_sort(children, compare_siblings);
	if (parent != NULL)
	{
		parent->children = children;
		parent->loaded = true;
	}
	return children;
}

/*
 * Check one element that was written, with all that is above and below it, and work
 * out its level.  Raises 23514 where a rule of the tree is broken, SG404 where its
 * parent does not exist.
 */
void
sigma_tree_place(LayoutTree *tree, const char *id)
{
	Element    *element = sigma_tree_fetch(tree, id);

	if (element == NULL)
		return;					/* deleted by a later part of the statement */
	element->touched = true;
	settle(tree, element);
	spread(tree, element);
}

/* Note that the children of an element are to be compared with what its row says; what holds none has none. */
void
sigma_tree_refresh(LayoutTree *tree, const char *id)
{
	Element    *element = id == NULL ? NULL : sigma_tree_fetch(tree, id);

	if (element == NULL || element->refresh || !element->kind->holds)
		return;
	element->refresh = true;
	tree->refresh = lappend(tree->refresh, element);
}

/*
 * Find out which of many elements that hold nothing are named as parents all the same:
 * by restored rows that waited for them, or by what they held before they became
 * something else.  The others are known to have no children, without looking for those
 * of each.  Parents are few, as a rule; where they are not, each is looked at.
 */
void
sigma_tree_expect_leaves(LayoutTree *tree, List *ids)
{
	List	   *parents;
	Element   **leaves;
	ListCell   *cell;

	if (list_length(ids) < FEW_LEAVES || !sigma_layout_named_parents(tree->rel, ids, &parents))
		return;
	leaves = palloc(sizeof(Element *) * list_length(ids));
	foreach(cell, ids)
		leaves[foreach_current_index(cell)] = enter(tree, lfirst(cell));
	foreach(cell, parents)
	{
		Element    *parent = hash_search(tree->elements, &lfirst(cell), HASH_FIND, NULL);

		if (parent != NULL)
			parent->named = true;
	}
	foreach(cell, ids)
		if (!leaves[foreach_current_index(cell)]->named)
			leaves[foreach_current_index(cell)]->loaded = true;
	pfree(leaves);
	list_free_deep(parents);
}

/* Write levels and children where rows differ from the tree; rows that are right stay untouched. */
void
sigma_tree_write(LayoutTree *tree)
{
	List	   *elements = list_copy(tree->refresh);
	Datum	   *ids;
	Datum	   *children;
	Datum	   *rewrite;
	Datum	   *levels;
	bool	   *nulls;
	int			count = 0;
	ListCell   *cell;
	int			dims[1];
	int			lower[1] = {1};

	foreach(cell, tree->settled)
	{
		Element    *element = lfirst(cell);

		if (!element->refresh && element->level != element->stored_level)
			elements = lappend(elements, element);
	}
	if (elements == NIL)
		return;
	ids = palloc(sizeof(Datum) * list_length(elements));
	children = palloc0(sizeof(Datum) * list_length(elements));
	rewrite = palloc(sizeof(Datum) * list_length(elements));
	levels = palloc(sizeof(Datum) * list_length(elements));
	nulls = palloc(sizeof(bool) * list_length(elements));

	foreach(cell, elements)
	{
		Element    *element = lfirst(cell);
		int			level = element->state == ELEMENT_SETTLED ? element->level : element->stored_level;
		bool		differs = false;

		CHECK_FOR_INTERRUPTS();
		if (element->refresh)
		{
			HeapTuple	row = sigma_layout_row(tree->rel, tree->snapshot, element->id);
			bool		isnull;
			Datum		value = heap_getattr(row, LAYOUT_CHILDREN, RelationGetDescr(tree->rel), &isnull);
			Jsonb	   *stored = isnull ? NULL : DatumGetJsonbP(value);
			Jsonb	   *document = children_document(tree, element, stored);

			differs = !sigma_same_json(document, stored);
			if (differs)
				children[count] = datumCopy(JsonbPGetDatum(document), false, -1);
			heap_freetuple(row);
		}
		if (!differs && level == element->stored_level)
			continue;
		ids[count] = CStringGetTextDatum(element->id);
		nulls[count] = !differs;
		rewrite[count] = BoolGetDatum(differs);
		levels[count] = Int32GetDatum(level);
		count++;
	}
	if (count == 0)
		return;
	dims[0] = count;
	sigma_layout_write_rows(tree->rel,
							construct_array(ids, count, TEXTOID, -1, false, TYPALIGN_INT),
							construct_md_array(children, nulls, 1, dims, lower, JSONBOID, -1, false, TYPALIGN_INT),
							construct_array(rewrite, count, BOOLOID, 1, true, TYPALIGN_CHAR),
							construct_array(levels, count, INT4OID, 4, true, TYPALIGN_INT));
}

/* "max_nesting" of a container's settings, 0 where it has none or there are none. */
int
sigma_layout_max_nesting(Jsonb *config)
{
	return config == NULL || !JB_ROOT_IS_OBJECT(config) ? 0 : sigma_jsonb_int(&config->root, "max_nesting", 0);
}

/* The entry of an id, made where there is none yet. */
static Element *
enter(LayoutTree *tree, const char *id)
{
	bool		found;
	Element    *element = tree->last;

	/* the same parent is asked for again and again */
	if (element != NULL && strcmp(element->id, id) == 0)
		return element;
	tree->last = element = hash_search(tree->elements, &id, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) element + sizeof(char *), 0, sizeof(Element) - sizeof(char *));
		element->id = id;
	}
	return element;
}

/* Take from the row at hand what the tree needs.  What has no known type is a leaf. */
static void
fill_element(LayoutTree *tree, Element *element)
{
	static const ElementKind unknown = {"unknown", false, false, false, 0, false};
	const Datum *values = tree->values;
	const bool *nulls = tree->nulls;
	Jsonb	   *config = nulls[LAYOUT_CONFIG - 1] ? NULL : DatumGetJsonbP(values[LAYOUT_CONFIG - 1]);

	element->exists = true;
	element->kind = nulls[LAYOUT_TYPE - 1] ? NULL : sigma_element_kind_of(values[LAYOUT_TYPE - 1]);
	if (element->kind == NULL)
		element->kind = &unknown;
	element->parent_id = nulls[LAYOUT_PARENT - 1] ? NULL : TextDatumGetCString(values[LAYOUT_PARENT - 1]);
	element->has_position = !nulls[LAYOUT_POSITION - 1];
	element->position = element->has_position ? DatumGetInt32(values[LAYOUT_POSITION - 1]) : 0;
	element->created_at = nulls[LAYOUT_CREATED - 1] ? 0 : DatumGetTimestamp(values[LAYOUT_CREATED - 1]);
	element->stored_level = nulls[LAYOUT_LEVEL - 1] ? -1 : DatumGetInt32(values[LAYOUT_LEVEL - 1]);
	sigma_grid_read(config, &element->grid);
	element->columns = sigma_grid_columns(element->kind, config);
	if (element->kind->counts)
		element->max_nesting = sigma_layout_max_nesting(config);
	if (config != NULL && PointerGetDatum(config) != values[LAYOUT_CONFIG - 1])
		pfree(config);
}

/*
 * Work out where an element stands: up to a root or to what was worked out before,
 * then down again.  Each element is derived once in a tree, whatever the order in
 * which rows came.
 */
static void
settle(LayoutTree *tree, Element *element)
{
	List	   *way = NIL;
	Element    *at = element;

	while (at != NULL && at->state != ELEMENT_SETTLED)
	{
		CHECK_FOR_INTERRUPTS();
		if (at->state == ELEMENT_OPEN)
			report_cycle(tree, at);
		at->state = ELEMENT_OPEN;
		way = lappend(way, at);
		if (at->parent_id == NULL)
			break;
		at->parent = sigma_tree_fetch(tree, at->parent_id);
		if (at->parent == NULL && at->touched && !tree->restoring)
			ereport(ERROR,
					(errcode(ERRCODE_SIGMA_NOT_FOUND),
					 errmsg("parent \"%s\" of layout element \"%s\" does not exist", at->parent_id, at->id),
					 errhint("%s", sigma_layout_hint(DOCUMENT_LAYOUT_ELEMENT, at->parent_id,
													 psprintf("Create \"%s\" first, or in the same statement.", at->parent_id)))));
		at = at->parent;
	}
	while (way != NIL)
	{
		derive(tree, llast(way));
		way = list_delete_last(way);
	}
}

/* Work out everything below a settled element.  Guarded: no element is entered twice. */
static void
spread(LayoutTree *tree, Element *element)
{
	List	   *waiting;

	if (element->spread || (element->loaded && element->children == NIL))
		return;
	waiting = list_make1(element);
	while (waiting != NIL)
	{
		Element    *at = llast(waiting);
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		waiting = list_delete_last(waiting);
		if (at->spread || (at != element && !at->kind->holds))
			continue;			/* what holds nothing is looked into only where it was written itself */
		at->spread = true;
		foreach(cell, sigma_tree_children(tree, at->id))
		{
			Element    *child = lfirst(cell);

			settle(tree, child);
			waiting = lappend(waiting, child);
		}
	}
}

/* Work out one element whose parent is settled or missing, and check the rules. */
static void
derive(LayoutTree *tree, Element *element)
{
	Element    *parent = element->parent;
	const ElementKind *kind = element->kind;

	if (parent != NULL)
		element->level = parent->level + 1;
	else if (element->parent_id != NULL)
		element->level = Max(element->stored_level, 0); /* waits for its parent */
	else
		element->level = 0;

	if (parent == NULL || kind->resets)
		element->depth = 0;
	else
		element->depth = parent->depth;
	element->limit = parent == NULL || kind->resets ? LAYOUT_MAX_LEVELS : parent->limit;
	element->limited_by = parent == NULL || kind->resets ? NULL : parent->limited_by;
	element->in_popover = strcmp(kind->name, "popover") == 0 || (parent != NULL && parent->in_popover);

	if (kind->counts)
	{
		element->depth++;
		check_depth(tree, element);
		if (element->max_nesting > 0 && element->depth - 1 + element->max_nesting < element->limit)
		{
			element->limit = element->depth - 1 + element->max_nesting;
			element->limited_by = element;
		}
	}
	check_place(tree, element);
	element->state = ELEMENT_SETTLED;
	tree->settled = lappend(tree->settled, element);
}

/* What may stand in what. */
static void
check_place(LayoutTree *tree, const Element *element)
{
	const Element *parent = element->parent;
	const char *name = element->kind->name;
	bool		is_tab = strcmp(name, "tab") == 0;

	if (parent == NULL)
	{
		if (is_tab && element->parent_id == NULL)
			refuse_place(tree, element, "Give the id of the tabs element as parent_id.",
						 psprintf("tab \"%s\" must be placed in an element of type tabs", element->id));
		return;
	}
	if (!parent->kind->holds)
		refuse_place(tree, element, "Pages, containers, tabs, modals, drawers, popovers, headers and forms have children.",
					 psprintf("layout element \"%s\" of type %s cannot have children", parent->id, parent->kind->name));
	if (strcmp(name, "page") == 0)
		refuse_place(tree, element, "A page is a root: leave its parent_id out.",
					 psprintf("page \"%s\" cannot be placed inside another element", element->id));
	if (is_tab != (strcmp(parent->kind->name, "tabs") == 0))
	{
		if (is_tab)
			refuse_place(tree, element, NULL, psprintf("tab \"%s\" must be placed in an element of type tabs", element->id));
		refuse_place(tree, element, "Place it in one of the tabs.",
					 psprintf("layout element \"%s\" of type %s cannot be placed in tabs \"%s\", which holds only tabs",
					 element->id, name, parent->id));
	}
	if ((strcmp(name, "modal") == 0 || strcmp(name, "drawer") == 0) &&
		strcmp(parent->kind->name, "page") != 0)
		refuse_place(tree, element, "Give it a page as its parent, or none.",
					 psprintf("%s \"%s\" can only be placed at page level", name, element->id));
	if (strcmp(name, "popover") == 0 && parent->in_popover)
		refuse_place(tree, element, NULL, psprintf("popover \"%s\" cannot be placed inside a popover", element->id));
}

/* The limit of levels, Sigma's own or one that a container on the way up sets. */
static void
check_depth(LayoutTree *tree, const Element *element)
{
	const Element *by = element->limited_by;
	int			allowed = by == NULL ? LAYOUT_MAX_LEVELS : by->max_nesting;

	if (element->depth <= element->limit)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg_plural("Cannot nest more than %d level of layouts", "Cannot nest more than %d levels of layouts",
						   allowed, allowed),
			 errdetail("Path: %s.", path_of(element)),
			 by == NULL ? 0 : errhint("\"max_nesting\" of %s \"%s\" is %d.", by->kind->name, by->id, allowed),
			 errtable(tree->rel)));
}

/* Raise 23514 about an element, with the path to it. */
static void
refuse_place(LayoutTree *tree, const Element *element, const char *hint, const char *message)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg_internal("%s", message),
			 errdetail("Path: %s.", path_of(element)),
			 hint == NULL ? 0 : errhint("%s", hint),
			 errtable(tree->rel)));
}

/* Raise 23514: following parents from an element leads back to it. */
static void
report_cycle(LayoutTree *tree, const Element *element)
{
	StringInfoData buf;
	const Element *at = element;
	int			shown = 0;

	initStringInfo(&buf);
	do
	{
		appendStringInfo(&buf, "%s is in ", at->id);
		at = at->parent;
	} while (at != element && ++shown < 20);
	appendStringInfo(&buf, "%s", at == element ? element->id : "more");
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("layout element \"%s\" cannot be placed inside itself: that would be a cycle", element->id),
			 errdetail("%s.", buf.data),
			 errtable(tree->rel)));
}

/* "page > container > tabs", from the root down. */
static char *
path_of(const Element *element)
{
	char	   *path = pstrdup(element->id);
	const Element *at = element->parent;
	int			steps = 0;

	for (; at != NULL && at != element && steps < 100; at = at->parent, steps++)
		path = psprintf("%s > %s", at->id, path);
	return at == NULL ? path : psprintf("... > %s", path);
}

/* Order among siblings: position, then age, then id. */
static int
compare_siblings(const ListCell *a, const ListCell *b)
{
	const Element *x = lfirst(a);
	const Element *y = lfirst(b);

	if (x->has_position != y->has_position)
		return x->has_position ? -1 : 1;
	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	if (x->created_at != y->created_at)
		return x->created_at < y->created_at ? -1 : 1;
	return strcmp(x->id, y->id);
}

/*
 * The children an element's row should name.  While a dump is being restored the given ones stay, and those that they lack
 * are added: most of the children are still to come.
 */
static Jsonb *
children_document(LayoutTree *tree, Element *element, Jsonb *stored)
{
	List	   *children = sigma_tree_children(tree, element->id);
	bool		keep = tree->restoring && stored != NULL && JB_ROOT_IS_ARRAY(stored) && !JB_ROOT_IS_SCALAR(stored);
	HTAB	   *given = keep ? sigma_id_set("given children", sizeof(char *)) : NULL;
	JsonbWriter *writer = &tree->writer;
	uint32		i;
	ListCell   *cell;

	sigma_jsonb_writer_begin(writer);
	sigma_jsonb_writer_array(writer, list_length(children) + (keep ? JB_ROOT_COUNT(stored) : 0));
	for (i = 0; keep && i < JB_ROOT_COUNT(stored); i++)
	{
		JsonbValue *child = getIthJsonbValueFromContainer(&stored->root, i);
		char	   *id = child->type == jbvString ? pnstrdup(child->val.string.val, child->val.string.len) : NULL;

		sigma_jsonb_writer_value(writer, child);
		if (id != NULL)
			(void) hash_search(given, &id, HASH_ENTER, NULL);
	}
	foreach(cell, children)
	{
		const Element *child = lfirst(cell);

		if (given == NULL || hash_search(given, &child->id, HASH_FIND, NULL) == NULL)
			sigma_jsonb_writer_string(writer, child->id, strlen(child->id));
	}
	sigma_jsonb_writer_end(writer);
	if (given != NULL)
		hash_destroy(given);
	return sigma_jsonb_writer_finish(writer);
}
