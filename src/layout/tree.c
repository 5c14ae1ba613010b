/*
 * tree.c
 *		The layout as a tree for readers: sigma.layout_tree() and what render_layout works on.
 *
 * Rows are read as the caller, level by level from a given root or all at once, so
 * that rights hold.  Walks are iterative and reach each element once, whatever the
 * data look like.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "common/catalog.h"
#include "common/spi.h"
#include "layout/layout.h"

PG_FUNCTION_INFO_V1(layout_tree);

#define NODE_COLUMNS \
	"e.id::pg_catalog.text, e.type::pg_catalog.text, e.name, e.parent_id::pg_catalog.text, e.nesting_level," \
	" e.\"position\", e.created_at::pg_catalog.timestamp, e.config FROM sigma.sigma_layout_elements AS e"
#define ALL_SQL		"SELECT " NODE_COLUMNS
#define BY_ID_SQL	"SELECT " NODE_COLUMNS " WHERE e.id OPERATOR(pg_catalog.=) ANY ($1)"
#define BELOW_SQL	"SELECT " NODE_COLUMNS " WHERE e.parent_id OPERATOR(pg_catalog.=) ANY ($1)"

static List *read_nodes(Outline *outline, SPIPlanPtr *plan, const char *sql, List *ids);
static OutlineNode *read_node(Outline *outline, HeapTuple row, TupleDesc desc);
static void read_ancestors(Outline *outline, OutlineNode *node);
static void link_nodes(Outline *outline);
static int	compare_nodes(const ListCell *a, const ListCell *b);
static void put_node(ReturnSetInfo *result, const OutlineNode *node);

/* layout_tree(root): the subtree, or with NULL all trees, depth first; SG404 for an unknown root. */
Datum
layout_tree(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Outline    *outline = sigma_outline_read(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)));
	List	   *waiting = NIL;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = list_length(outline->roots) - 1; i >= 0; i--)
		waiting = lappend(waiting, list_nth(outline->roots, i));
	while (waiting != NIL)
	{
		OutlineNode *node = llast(waiting);

		CHECK_FOR_INTERRUPTS();
		waiting = list_delete_last(waiting);
		put_node(result, node);
		for (i = list_length(node->children) - 1; i >= 0; i--)
			if (sigma_outline_reach(list_nth(node->children, i), node))
				waiting = lappend(waiting, list_nth(node->children, i));
		pfree(node->path);		/* paths of a deep chain add up */
		node->path = NULL;
	}
	return (Datum) 0;
}

/*
 * Read the elements below a root, or all.  Allocates in the current context.  Roots are
 * reached already: their path and depth say what stands above them.
 */
Outline *
sigma_outline_read(const char *root)
{
	static SPIPlanPtr all_plan = NULL;
	static SPIPlanPtr below_plan = NULL;
	static SPIPlanPtr id_plan = NULL;
	Outline    *outline = palloc0(sizeof(Outline));
	ListCell   *cell;

	outline->index = sigma_id_set("layout outline", sizeof(OutlineNode));
	if (root == NULL)
		outline->nodes = read_nodes(outline, &all_plan, ALL_SQL, NIL);
	else
	{
		List	   *level = read_nodes(outline, &id_plan, BY_ID_SQL, list_make1(unconstify(char *, root)));

		if (level == NIL)
			sigma_catalog_not_found(DOCUMENT_LAYOUT_ELEMENT, root);
		outline->roots = list_copy(level);
		while (level != NIL)
		{
			List	   *ids = NIL;

			outline->nodes = list_concat(outline->nodes, level);
			foreach(cell, level)
				ids = lappend(ids, unconstify(char *, ((OutlineNode *) lfirst(cell))->id));
			level = read_nodes(outline, &below_plan, BELOW_SQL, ids);
		}
	}
	link_nodes(outline);
	if (root == NULL)
		foreach(cell, outline->roots)
			(void) sigma_outline_reach(lfirst(cell), NULL);
	else
		read_ancestors(outline, linitial(outline->roots));
	return outline;
}

/* Come to a node from its parent: counts its levels.  False where it was reached before. */
bool
sigma_outline_reach(OutlineNode *node, const OutlineNode *parent)
{
	if (node->reached)
		return false;
	node->reached = true;
	node->path = parent == NULL ? pstrdup(node->id) : psprintf("%s/%s", parent->path, node->id);
	node->layout_depth = parent == NULL || (node->kind != NULL && node->kind->resets) ? 0 : parent->layout_depth;
	if (node->kind != NULL && node->kind->counts)
		node->layout_depth++;
	return true;
}

/* Run one of the texts above, as the caller.  Returns the nodes that were not read before. */
static List *
read_nodes(Outline *outline, SPIPlanPtr *plan, const char *sql, List *ids)
{
	static const Oid types[] = {TEXTARRAYOID};
	MemoryContext caller = CurrentMemoryContext;
	Datum		value = ids == NIL ? (Datum) 0 : PointerGetDatum(sigma_text_array(ids));
	List	   *nodes = NIL;
	uint64		i;

	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(plan, sql, ids == NIL ? 0 : 1, types), &value, NULL, false, SPI_OK_SELECT);
	for (i = 0; i < SPI_processed; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);
		OutlineNode *node = read_node(outline, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);

		if (node != NULL)
			nodes = lappend(nodes, node);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return nodes;
}

/* One row as a node; NULL where there is one already. */
static OutlineNode *
read_node(Outline *outline, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, 1, &isnull);
	const char *id = TextDatumGetCString(value);
	bool		found;
	OutlineNode *node = hash_search(outline->index, &id, HASH_ENTER, &found);

	if (found)
		return NULL;
	memset(node, 0, sizeof(OutlineNode));
	node->id = id;
	value = SPI_getbinval(row, desc, 2, &isnull);
	node->type = isnull ? "unknown" : TextDatumGetCString(value);
	node->kind = sigma_element_kind(node->type);
	value = SPI_getbinval(row, desc, 3, &isnull);
	node->name = isnull ? NULL : TextDatumGetCString(value);
	value = SPI_getbinval(row, desc, 4, &isnull);
	node->parent_id = isnull ? NULL : TextDatumGetCString(value);
	value = SPI_getbinval(row, desc, 5, &isnull);
	node->nesting_level = isnull ? 0 : DatumGetInt32(value);
	value = SPI_getbinval(row, desc, 6, &isnull);
	node->has_position = !isnull;
	node->position = isnull ? 0 : DatumGetInt32(value);
	value = SPI_getbinval(row, desc, 7, &isnull);
	node->created_at = isnull ? 0 : DatumGetTimestamp(value);
	value = SPI_getbinval(row, desc, 8, &isnull);
	node->config = isnull ? NULL : DatumGetJsonbPCopy(value);
	return node;
}

/* What stands above the root of a subtree counts for its levels and its path. */
static void
read_ancestors(Outline *outline, OutlineNode *node)
{
	static SPIPlanPtr plan = NULL;
	List	   *way = list_make1(node);
	OutlineNode *parent = NULL;

	while (node->parent_id != NULL)
	{
		List	   *found = read_nodes(outline, &plan, BY_ID_SQL, list_make1(node->parent_id));

		if (found == NIL)
		{
			/* what was read before stands below: a cycle, else there is no such element for the caller */
			node->orphan = hash_search(outline->index, &node->parent_id, HASH_FIND, NULL) == NULL;
			break;
		}
		node = linitial(found);
		way = lappend(way, node);
	}
	while (way != NIL)
	{
		node = llast(way);
		(void) sigma_outline_reach(node, parent);
		parent = node;
		way = list_delete_last(way);
	}
}

/* Give each node its children, in order; what has no parent among the nodes is a root. */
static void
link_nodes(Outline *outline)
{
	bool		find_roots = outline->roots == NIL;
	ListCell   *cell;

	foreach(cell, outline->nodes)
	{
		OutlineNode *node = lfirst(cell);
		OutlineNode *parent = NULL;

		if (node->parent_id != NULL)
			parent = hash_search(outline->index, &node->parent_id, HASH_FIND, NULL);
		if (parent != NULL)
			parent->children = lappend(parent->children, node);
		else if (find_roots)
		{
			node->orphan = node->parent_id != NULL;
			outline->roots = lappend(outline->roots, node);
		}
	}
	list_sort(outline->roots, compare_nodes);
	foreach(cell, outline->nodes)
		list_sort(((OutlineNode *) lfirst(cell))->children, compare_nodes);
}

/* Order among siblings: position, then age, then id; orphans come after the roots. */
static int
compare_nodes(const ListCell *a, const ListCell *b)
{
	const OutlineNode *x = lfirst(a);
	const OutlineNode *y = lfirst(b);

	if (x->orphan != y->orphan)
		return x->orphan ? 1 : -1;
	if (x->has_position != y->has_position)
		return x->has_position ? -1 : 1;
	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	if (x->created_at != y->created_at)
		return x->created_at < y->created_at ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* One row of layout_tree. */
static void
put_node(ReturnSetInfo *result, const OutlineNode *node)
{
	Datum		values[8];
	bool		nulls[8] = {false};

	values[0] = CStringGetTextDatum(node->id);
	values[1] = CStringGetTextDatum(node->type);
	nulls[2] = node->name == NULL;
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(node->name);
	nulls[3] = node->parent_id == NULL;
	values[3] = nulls[3] ? (Datum) 0 : CStringGetTextDatum(node->parent_id);
	values[4] = Int32GetDatum(node->nesting_level);
	values[5] = Int32GetDatum(node->layout_depth);
	nulls[6] = !node->has_position;
	values[6] = Int32GetDatum(node->position);
	values[7] = CStringGetTextDatum(node->path);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}
