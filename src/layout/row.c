/*
 * row.c
 *		The BEFORE ROW trigger of sigma.sigma_layout_elements: each row in its canonical form.
 *
 * A row gets its position, and its level as far as it is known now; the check after the
 * statement (elements.c) sets right what a later row decides.  Of most rows of a page no
 * document has to be made: they are plain, and stay as they are.
 *
 * What the trigger learns lives with the statement (fn_extra); nothing outlives it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/catalog.h"
#include "common/document_specs.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "input_table/objects.h"
#include "layout/layout.h"

PG_FUNCTION_INFO_V1(layout_row);

/* What the trigger knows of an element that rows of its statement name as parent. */
typedef struct RowParent
{
	const char *id;				/* hash key; "" stands for the roots */
	bool		has_level;		/* the row was seen, in the table or in the statement */
	bool		sought;			/* it was looked for in the table */
	int32		level;
	bool		has_next;		/* "next" was read */
	int32		next;			/* position of the next row that has none */
} RowParent;

typedef struct RowState
{
	MemoryContext cxt;			/* the statement's */
	HTAB	   *parents;
	RowParent  *last;			/* that of the row before: siblings come together */
	Datum		no_children;	/* "[]" */
	Datum	   *values;			/* of the row at hand */
	bool	   *nulls;
} RowState;

static RowState *begin_rows(FunctionCallInfo fcinfo);
static HeapTuple insert_row(RowState *state, TriggerData *trigger);
static HeapTuple insert_plain(RowState *state, TriggerData *trigger, const ElementKind *kind);
static const ElementKind *plain_kind(const RowState *state);
static bool is_blank(const RowState *state, int column);
static HeapTuple update_row(RowState *state, TriggerData *trigger);
static bool is_written(TriggerData *trigger, int column);
static void check_element(JsonNode *document, bool children_written);
static HeapTuple set_id(TriggerData *trigger, HeapTuple row);
static HeapTuple set_level(TriggerData *trigger, HeapTuple row, int32 level);
static RowParent *row_parent(RowState *state, const char *id);
static RowParent *parent_of(RowState *state);
static int32 take_position(RowParent *parent, Relation rel, bool given, int32 position);
static void place_document(RowParent *parent, Relation rel, JsonNode *document);
static int32 level_under(RowParent *parent, Relation rel, int32 unknown);
static int32 new_level(RowState *state, RowParent *parent, Relation rel);
static void note_level(RowState *state, const char *id, const ElementKind *kind, int32 level);
static char *text_column(TupleDesc desc, HeapTuple row, int column);
static Jsonb *json_column(TupleDesc desc, HeapTuple row, int column);
#ifdef USE_ASSERT_CHECKING
static void check_plain(TriggerData *trigger, HeapTuple row);
#endif

/* BEFORE ROW: the document in its canonical form, position and level. */
Datum
layout_row(PG_FUNCTION_ARGS)
{
	RowState   *state = fcinfo->flinfo->fn_extra != NULL ? fcinfo->flinfo->fn_extra : begin_rows(fcinfo);
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		return PointerGetDatum(insert_row(state, trigger));
	if (sigma_layout_upkeep())
		return PointerGetDatum(trigger->tg_newtuple);
	return PointerGetDatum(update_row(state, trigger));
}

/* The first row of a statement: check the call, which is the same for all, and make room for what is learned. */
static RowState *
begin_rows(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "layout_row", LAYOUT_TABLE,
												 TRIGGER_EVENT_ROW | TRIGGER_EVENT_BEFORE,
												 CATALOG_INSERT | CATALOG_UPDATE);
	MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	RowState   *state = palloc0(sizeof(RowState));
	int			natts = RelationGetDescr(trigger->tg_relation)->natts;

	state->cxt = CurrentMemoryContext;
	state->parents = sigma_id_set("parents of layout rows", sizeof(RowParent));
	state->values = palloc(sizeof(Datum) * natts);
	state->nulls = palloc(sizeof(bool) * natts);
	state->no_children = JsonbPGetDatum(sigma_json_write(sigma_json_new(JSON_ARRAY, NULL)));
	fcinfo->flinfo->fn_extra = state;
	MemoryContextSwitchTo(caller);
	return state;
}

/* The row to insert.  Raises what the document reader raises. */
static HeapTuple
insert_row(RowState *state, TriggerData *trigger)
{
	Relation	rel = trigger->tg_relation;
	HeapTuple	row = set_id(trigger, trigger->tg_trigtuple);
	const ElementKind *kind;
	JsonNode   *document;
	RowParent  *parent;
	int32		level;

	heap_deform_tuple(row, RelationGetDescr(rel), state->values, state->nulls);
	kind = plain_kind(state);
	if (kind != NULL)
	{
#ifdef USE_ASSERT_CHECKING
		check_plain(trigger, row);
#endif
		return insert_plain(state, trigger, kind);
	}
	document = sigma_catalog_row_document(DOCUMENT_LAYOUT_ELEMENT, trigger, row);
	sigma_layout_fold_tabs(document, sigma_json_get(document, "children") != NULL);
	check_element(document, true);
	parent = row_parent(state, sigma_json_get_string(document, "parent_id", ""));
	place_document(parent, rel, document);
	level = new_level(state, parent, rel);
	note_level(state, sigma_json_get_string(document, "id", NULL),
			   sigma_element_kind(sigma_json_get_string(document, "type", NULL)), level);
	return set_level(trigger, sigma_catalog_document_row(DOCUMENT_LAYOUT_ELEMENT, trigger, row, document),
					 level);
}

/* The same of a row that is plain: its values but for what is given to it. */
static HeapTuple
insert_plain(RowState *state, TriggerData *trigger, const ElementKind *kind)
{
	Relation	rel = trigger->tg_relation;
	Datum	   *values = state->values;
	bool	   *nulls = state->nulls;
	RowParent  *parent = parent_of(state);
	int32		position = take_position(parent, rel, !nulls[LAYOUT_POSITION - 1], DatumGetInt32(values[LAYOUT_POSITION - 1]));
	int32		level = new_level(state, parent, rel);

	values[LAYOUT_POSITION - 1] = Int32GetDatum(position);
	values[LAYOUT_LEVEL - 1] = Int32GetDatum(level);
	nulls[LAYOUT_POSITION - 1] = nulls[LAYOUT_LEVEL - 1] = false;
	if (kind->holds)
	{
		values[LAYOUT_CHILDREN - 1] = state->no_children;
		nulls[LAYOUT_CHILDREN - 1] = false;
		note_level(state, TextDatumGetCString(values[LAYOUT_ID - 1]), kind, level);
	}
	sigma_catalog_stamp_row(trigger, values, nulls);
	return heap_form_tuple(RelationGetDescr(rel), values, nulls);
}

/*
 * The kind of a new row whose document the reader would leave as it is, and which names
 * nothing but its parent; NULL where it has to be read to know.
 */
static const ElementKind *
plain_kind(const RowState *state)
{
	const Datum *values = state->values;
	const bool *nulls = state->nulls;
	const ElementKind *kind = nulls[LAYOUT_TYPE - 1] ? NULL : sigma_element_kind_of(values[LAYOUT_TYPE - 1]);
	Jsonb	   *metadata = nulls[LAYOUT_METADATA - 1] ? NULL : DatumGetJsonbP(values[LAYOUT_METADATA - 1]);

	if (kind == NULL || !nulls[LAYOUT_CHILDREN - 1] ||
		is_blank(state, LAYOUT_ID) || is_blank(state, LAYOUT_NAME) || is_blank(state, LAYOUT_PARENT) ||
		(metadata != NULL && !JB_ROOT_IS_OBJECT(metadata)) ||
		(!nulls[LAYOUT_POSITION - 1] && DatumGetInt32(values[LAYOUT_POSITION - 1]) < 0) ||
		(!nulls[LAYOUT_CONFIG - 1] && !sigma_element_is_plain(kind->name, DatumGetJsonbP(values[LAYOUT_CONFIG - 1]), 0)))
		return NULL;
	return kind;
}

/* Is it a text of blanks alone?  NULL is none. */
static bool
is_blank(const RowState *state, int column)
{
	text	   *value;
	int			i;

	if (state->nulls[column - 1])
		return false;
	value = DatumGetTextPP(state->values[column - 1]);
	for (i = 0; i < VARSIZE_ANY_EXHDR(value); i++)
		if (strchr(" \t\r\n", VARDATA_ANY(value)[i]) == NULL)
			return false;
	return true;
}

#ifdef USE_ASSERT_CHECKING
/* What is told from the jsonb is what the reader finds. */
static void
check_plain(TriggerData *trigger, HeapTuple row)
{
	static const int columns[] = {
		LAYOUT_ID, LAYOUT_TYPE, LAYOUT_CONFIG, LAYOUT_PARENT, LAYOUT_NAME, LAYOUT_METADATA, LAYOUT_POSITION
	};
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	JsonNode   *document = sigma_catalog_row_document(DOCUMENT_LAYOUT_ELEMENT, trigger, row);
	HeapTuple	read;
	int			i;

	sigma_layout_fold_tabs(document, false);
	check_element(document, true);
	read = sigma_catalog_document_row(DOCUMENT_LAYOUT_ELEMENT, trigger, row, document);
	for (i = 0; i < lengthof(columns); i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, columns[i] - 1);
		bool		isnull;
		bool		read_null;
		Datum		value = heap_getattr(row, columns[i], desc, &isnull);
		Datum		read_value = heap_getattr(read, columns[i], desc, &read_null);

		if (isnull != read_null || (!isnull && !datum_image_eq(value, read_value, att->attbyval, att->attlen)))
			elog(ERROR, "a layout element that was taken for plain is not: column \"%s\"", NameStr(att->attname));
	}
}
#endif

/* The row to update to.  Raises 0A000 where its id changes. */
static HeapTuple
update_row(RowState *state, TriggerData *trigger)
{
	Relation	rel = trigger->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	HeapTuple	old = trigger->tg_trigtuple;
	HeapTuple	row = trigger->tg_newtuple;
	char	   *id = text_column(desc, old, LAYOUT_ID);
	char	   *old_parent = text_column(desc, old, LAYOUT_PARENT);
	bool		children_written = !sigma_same_json(json_column(desc, old, LAYOUT_CHILDREN), json_column(desc, row, LAYOUT_CHILDREN));
	char	   *parent_id;
	RowParent  *parent;
	JsonNode   *document;
	bool		isnull;
	int32		level;

	if (!sigma_same_text(id, text_column(desc, row, LAYOUT_ID)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the id of layout element \"%s\" cannot be changed", id),
				 errhint("Create a new element and move the children of the old one there.")));

	document = sigma_catalog_row_document(DOCUMENT_LAYOUT_ELEMENT, trigger, row);
	sigma_layout_fold_tabs(document, children_written);
	check_element(document, children_written);
	parent_id = sigma_json_get_string(document, "parent_id", NULL);
	parent = row_parent(state, parent_id == NULL ? "" : parent_id);

	/* under another parent it goes last and where there is room, unless that was written too */
	if (!sigma_same_text(old_parent, parent_id) && !is_written(trigger, LAYOUT_POSITION))
		(void) sigma_json_remove(document, "position");
	if (!sigma_same_text(old_parent, parent_id) && !is_written(trigger, LAYOUT_CONFIG))
		(void) sigma_json_remove(document, "grid");
	place_document(parent, rel, document);

	level = DatumGetInt32(heap_getattr(old, LAYOUT_LEVEL, desc, &isnull));
	if (isnull || !sigma_same_text(old_parent, parent_id))
		level = level_under(parent, rel, isnull ? 0 : level);
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

/* The statement's entry for an element ("": the roots), made where there is none; lives as long as the statement. */
static RowParent *
row_parent(RowState *state, const char *id)
{
	RowParent  *parent = hash_search(state->parents, &id, HASH_FIND, NULL);

	if (parent == NULL)
	{
		id = MemoryContextStrdup(state->cxt, id);
		parent = hash_search(state->parents, &id, HASH_ENTER, NULL);
		memset((char *) parent + sizeof(char *), 0, sizeof(RowParent) - sizeof(char *));
	}
	return parent;
}

/* That of the parent of the row at hand. */
static RowParent *
parent_of(RowState *state)
{
	text	   *id = state->nulls[LAYOUT_PARENT - 1] ? NULL : DatumGetTextPP(state->values[LAYOUT_PARENT - 1]);
	int			length = id == NULL ? 0 : VARSIZE_ANY_EXHDR(id);

	if (state->last == NULL || strncmp(state->last->id, id == NULL ? "" : VARDATA_ANY(id), length) != 0 ||
		state->last->id[length] != '\0')
		state->last = row_parent(state, id == NULL ? "" : text_to_cstring(id));
	return state->last;
}

/* The position of a row: the next one under its parent where none is given. */
static int32
take_position(RowParent *parent, Relation rel, bool given, int32 position)
{
	if (!parent->has_next)
	{
		parent->next = sigma_layout_next_position(rel, parent->id[0] == '\0' ? NULL : parent->id);
		parent->has_next = true;
	}
	if (!given)
		position = parent->next;
	if (position >= parent->next)
		parent->next = position == PG_INT32_MAX ? position : position + 1;
	return position;
}

/* The same for a document.  Raises SG400 where it is no number. */
static void
place_document(RowParent *parent, Relation rel, JsonNode *document)
{
	JsonNode   *node = sigma_json_get(document, "position");
	bool		given = node != NULL && node->kind != JSON_NULL;
	int32		position = 0;

	if (given && node->kind != JSON_NUMBER)
		sigma_document_error(node, 0, "The place on the grid is \"grid\": {\"column\", \"row\", \"width\", \"height\"}.",
							 "\"position\" must be a number, not %s", sigma_json_kind_name(node));
	if (given)
		position = DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(node->number)));
	position = take_position(parent, rel, given, position);
	if (!given)
		sigma_json_set(document, "position", sigma_json_new_int(position, document));
}

/* The level of the new row at hand; one that waits for its parent keeps what its dump gave it. */
static int32
new_level(RowState *state, RowParent *parent, Relation rel)
{
	return level_under(parent, rel, state->nulls[LAYOUT_LEVEL - 1] || !sigma_catalog_restoring() ? 0 :
					   DatumGetInt32(state->values[LAYOUT_LEVEL - 1]));
}

/*
 * The level of a row under that parent as far as it is known now: a parent that comes
 * later in the statement is unknown, and the check after the statement sets it right.
 */
static int32
level_under(RowParent *parent, Relation rel, int32 unknown)
{
	if (parent->id[0] == '\0')
		return 0;
	if (!parent->has_level && !parent->sought)
	{
		Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
		HeapTuple	row = sigma_layout_row(rel, snapshot, parent->id);
		bool		isnull;
		Datum		level;

		UnregisterSnapshot(snapshot);
		parent->sought = true;
		if (row != NULL)
		{
			level = heap_getattr(row, LAYOUT_LEVEL, RelationGetDescr(rel), &isnull);
			parent->has_level = true;
			parent->level = isnull ? 0 : DatumGetInt32(level);
		}
	}
	return parent->has_level ? parent->level + 1 : unknown;
}

/* Note a new row's level, for those that come under it. */
static void
note_level(RowState *state, const char *id, const ElementKind *kind, int32 level)
{
	RowParent  *self;

	if (!kind->holds)
		return;
	self = row_parent(state, id);
	self->has_level = true;
	self->level = level;
}

/* A text column's value, or NULL. */
static char *
text_column(TupleDesc desc, HeapTuple row, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* A jsonb column's value, or NULL. */
static Jsonb *
json_column(TupleDesc desc, HeapTuple row, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);

	return isnull ? NULL : DatumGetJsonbP(value);
}
