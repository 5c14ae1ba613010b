/*
 * create.c
 *		SQL functions that create, change, move, delete and list layout elements.
 *
 * They are fronts over plain DML on sigma.sigma_layout_elements, run as the caller;
 * the triggers of that table do the work.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/spi.h"
#include "layout/layout.h"

PG_FUNCTION_INFO_V1(create_layout_element);
PG_FUNCTION_INFO_V1(create_page);
PG_FUNCTION_INFO_V1(create_container);
PG_FUNCTION_INFO_V1(create_modal);
PG_FUNCTION_INFO_V1(create_tabs);
PG_FUNCTION_INFO_V1(create_form);
PG_FUNCTION_INFO_V1(create_chart);
PG_FUNCTION_INFO_V1(create_control);
PG_FUNCTION_INFO_V1(update_layout_element);
PG_FUNCTION_INFO_V1(move_layout_element);
PG_FUNCTION_INFO_V1(delete_layout_element);
PG_FUNCTION_INFO_V1(list_layout_elements);

#define LIST_SQL \
	"SELECT e.id::pg_catalog.text, e.type::pg_catalog.text, e.name, e.parent_id::pg_catalog.text, e.nesting_level," \
	" CASE WHEN pg_catalog.jsonb_typeof(e.children) OPERATOR(pg_catalog.=) 'array'" \
	"  THEN pg_catalog.jsonb_array_length(e.children) ELSE 0 END," \
	" e.status, e.created_at::pg_catalog.timestamp" \
	" FROM sigma.sigma_layout_elements AS e" \
	" WHERE $1 IS NULL OR e.type OPERATOR(pg_catalog.=) $1" \
	" ORDER BY e.created_at, e.id"

static text *create_of_type(FunctionCallInfo fcinfo, const char *type);
static void *require_argument(FunctionCallInfo fcinfo, int n, const char *name);
static bool may_move(Jsonb *changes);
static List *place_among(List *siblings, const char *parent_id, List *inserted, int at, const char *gone);
static Placement *placement(const char *id, const char *parent_id, int64 position);
static List *keep_children(LayoutTree *tree, Element *element);
static char *list_type(text *given);

Datum
create_layout_element(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(create_of_type(fcinfo, NULL));
}

Datum
create_page(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(create_of_type(fcinfo, "page"));
}

Datum
create_container(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(create_of_type(fcinfo, "container"));
}

Datum
create_modal(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(create_of_type(fcinfo, "modal"));
}

Datum
create_tabs(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(create_of_type(fcinfo, "tabs"));
}

Datum
create_form(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(create_of_type(fcinfo, "form"));
}

Datum
create_chart(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(create_of_type(fcinfo, "chart"));
}

Datum
create_control(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(create_of_type(fcinfo, "control"));
}

/* update_layout_element(id, changes): SG404 where there is no such element. */
Datum
update_layout_element(PG_FUNCTION_ARGS)
{
	char	   *id = text_to_cstring(require_argument(fcinfo, 0, "id"));
	Jsonb	   *changes = require_argument(fcinfo, 1, "changes");

	if (may_move(changes))
		sigma_layout_lock();	/* before the row is locked */
	sigma_catalog_update(DOCUMENT_LAYOUT_ELEMENT, id, changes);
	PG_RETURN_VOID();
}

/* May these changes give an element or its children another place on a grid?  In any spelling. */
static bool
may_move(Jsonb *changes)
{
	static const char *const keys[] = {"grid", "position", "size", "grid_density", "gridDensity", "config", "properties"};
	JsonbValue	value;
	int			i;

	for (i = 0; JB_ROOT_IS_OBJECT(changes) && i < lengthof(keys); i++)
		if (getKeyJsonValueFromContainer(&changes->root, keys[i], strlen(keys[i]), &value) != NULL)
			return true;
	return false;
}

/*
 * move_layout_element(id, new_parent, at_position): under another parent (NULL: the root),
 * before the sibling that stands at at_position now, counted from 0; NULL or beyond: last.
 */
Datum
move_layout_element(PG_FUNCTION_ARGS)
{
	char	   *id = text_to_cstring(require_argument(fcinfo, 0, "id"));
	char	   *parent_id = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	Relation	rel = table_open(sigma_relation_oid(LAYOUT_TABLE), AccessShareLock);
	LayoutTree *tree;
	Element    *element;
	List	   *siblings;
	int			at;

	if (!PG_ARGISNULL(2) && PG_GETARG_INT32(2) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_DOCUMENT),
				 errmsg("at_position must not be negative"),
				 errhint("Positions are counted from 0.")));
	sigma_layout_lock();
	tree = sigma_tree_open(rel);
	element = sigma_tree_fetch(tree, id);
	if (element == NULL)
		sigma_catalog_not_found(DOCUMENT_LAYOUT_ELEMENT, id);
	if (parent_id != NULL && sigma_tree_fetch(tree, parent_id) == NULL)
		sigma_catalog_not_found(DOCUMENT_LAYOUT_ELEMENT, parent_id);
	siblings = list_delete_ptr(list_copy(sigma_tree_children(tree, parent_id)), element);
	sigma_tree_close(tree);

	at = PG_ARGISNULL(2) ? list_length(siblings) : Min(PG_GETARG_INT32(2), list_length(siblings));
	sigma_layout_move(place_among(siblings, parent_id, list_make1(element), at, NULL));
	table_close(rel, AccessShareLock);
	PG_RETURN_VOID();
}

/*
 * delete_layout_element(id, keep_children, cascade): how many elements were deleted.
 * Children that are kept take the element's place; the tabs of a tabs element go in
 * any case.  0 where there is no such element, SG409 where others refer to it.
 */
Datum
delete_layout_element(PG_FUNCTION_ARGS)
{
	char	   *id = text_to_cstring(require_argument(fcinfo, 0, "id"));
	bool		keep = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	LayoutRemoval removal = {0};
	Relation	rel = table_open(sigma_relation_oid(LAYOUT_TABLE), AccessShareLock);
	LayoutTree *tree;
	Element    *element;
	List	   *placements = NIL;

	removal.cascade = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	sigma_layout_lock();
	tree = sigma_tree_open(rel);
	element = sigma_tree_fetch(tree, id);
	if (element != NULL && keep && strcmp(element->kind->name, "tabs") == 0)
		ereport(NOTICE,
				(errmsg("the contents of tabs \"%s\" are deleted with it", id),
				 errhint("Move what is to be kept out of the tabs first.")));
	else if (element != NULL && keep)
		placements = keep_children(tree, element);
	sigma_tree_close(tree);
	sigma_layout_move(placements);
	sigma_layout_delete(id, &removal);
	table_close(rel, AccessShareLock);
	PG_RETURN_INT32(removal.deleted);
}

/* list_layout_elements(type): the elements the caller may see, all or of one type. */
Datum
list_layout_elements(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		type = (Datum) 0;
	char		nulls = PG_ARGISNULL(0) ? 'n' : ' ';
	uint64		i;

	if (!PG_ARGISNULL(0))
		type = CStringGetTextDatum(list_type(PG_GETARG_TEXT_PP(0)));
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan, LIST_SQL, 1, types), &type, &nulls, false, SPI_OK_SELECT);
	for (i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	return (Datum) 0;
}

/*
 * Create an element from the first argument; "type" (NULL: any) is the one the function
 * is for.  Returns the id.  SG400 where the document names another type, 0A000 at a
 * formula, where paths are still the caller's, SG409 where the id is taken.
 */
static text *
create_of_type(FunctionCallInfo fcinfo, const char *type)
{
	JsonNode   *document = sigma_json_read(require_argument(fcinfo, 0, "config"));
	JsonNode   *given;
	char	   *id;

	if (document->kind == JSON_OBJECT && type != NULL && sigma_json_get(document, "type") == NULL &&
		sigma_json_get(document, "element_type") == NULL && sigma_json_get(document, "elementType") == NULL)
		sigma_json_set(document, "type", sigma_json_new_string(type, document));
	document = sigma_document_normalise(DOCUMENT_LAYOUT_ELEMENT, document, 0);
	given = sigma_json_get(document, "type");
	if (type != NULL && (given == NULL || given->kind != JSON_STRING || strcmp(given->string, type) != 0))
		sigma_document_error(given == NULL ? document : given, 0, "Use sigma.create_layout_element().",
							 "sigma.create_%s() creates elements of type %s alone", type, type);
	id = sigma_json_get_string(document, "id", NULL);
	if (id != NULL && sigma_catalog_exists(DOCUMENT_LAYOUT_ELEMENT, id))
		sigma_document_error(sigma_json_get(document, "id"), ERRCODE_SIGMA_CONFLICT,
							 "Use sigma.update_layout_element() to change it.",
							 "layout element \"%s\" already exists", id);
	return cstring_to_text(sigma_catalog_insert(DOCUMENT_LAYOUT_ELEMENT, sigma_json_write(document)));
}

/* An argument that must not be null, detoasted; SG400. */
static void *
require_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_DOCUMENT),
				 errmsg("%s must not be null", name)));
	return PG_DETOAST_DATUM(PG_GETARG_DATUM(n));
}

/*
 * Put elements before the at-th of their new siblings.  Siblings are moved up only as
 * far as they must be to keep their order; "gone" (or NULL) needs no place any more.
 * Returns a List of Placement.
 */
static List *
place_among(List *siblings, const char *parent_id, List *inserted, int at, const char *gone)
{
	List	   *placements = NIL;
	int64		next = 0;		/* least position the next one may have */
	int			i;
	ListCell   *cell;

	for (i = 0; i <= list_length(siblings); i++)
	{
		Element    *sibling;
		int64		position;

		if (i == at)
		{
			/* the place of the one that stands here now, where there is one */
			if (i < list_length(siblings) && ((Element *) list_nth(siblings, i))->has_position)
				next = Max(next, ((Element *) list_nth(siblings, i))->position);
			foreach(cell, inserted)
				placements = lappend(placements, placement(((Element *) lfirst(cell))->id, parent_id, next++));
		}
		if (i == list_length(siblings))
			break;
		sibling = list_nth(siblings, i);
		if (gone != NULL && strcmp(sibling->id, gone) == 0)
			continue;
		position = sibling->has_position ? sibling->position : next;
		if (i >= at && position < next)
			position = next;
		if (i >= at && (!sibling->has_position || position != sibling->position))
			placements = lappend(placements, placement(sibling->id, parent_id, position));
		next = position + 1;
	}
	return placements;
}

/* One place; 22003 where positions run out. */
static Placement *
placement(const char *id, const char *parent_id, int64 position)
{
	Placement  *placement = palloc(sizeof(Placement));

	if (position > PG_INT32_MAX || position < PG_INT32_MIN)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("position of layout element \"%s\" is out of range", id)));
	placement->id = pstrdup(id);
	placement->parent_id = parent_id == NULL ? NULL : pstrdup(parent_id);
	placement->position = (int32) position;
	return placement;
}

/* The children of an element in its own place, among its siblings. */
static List *
keep_children(LayoutTree *tree, Element *element)
{
	List	   *siblings = sigma_tree_children(tree, element->parent_id);
	int			at = 0;
	ListCell   *cell;

	foreach(cell, siblings)
		if (lfirst(cell) == element)
			at = foreach_current_index(cell);
	return place_among(siblings, element->parent_id, sigma_tree_children(tree, element->id), at, element->id);
}

/* A type as the table spells it; SG400 where there is none. */
static char *
list_type(text *given)
{
	char	   *type = text_to_cstring(given);
	char	   *c;

	for (c = type; *c != '\0'; c++)
		*c = *c == '-' || *c == ' ' ? '_' : pg_tolower((unsigned char) *c);
	if (sigma_element_kind(type) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_DOCUMENT),
				 errmsg("layout elements of type \"%s\" do not exist", text_to_cstring(given)),
				 errhint("%s", sigma_hint_names(type, sigma_element_kind_names()))));
	return type;
}
