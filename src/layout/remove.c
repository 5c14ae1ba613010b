/*
 * remove.c
 *		What follows a deletion: the subtree, the parents' children, what belonged to the elements.
 *
 * A plain DELETE and sigma.delete_layout_element() meet here, after the statement and
 * under the layout's lock.  What others refer to is not deleted, unless the function
 * was told to cascade: then what refers to it stays, with a notice, and raises SG404
 * when it is used.
 *
 * Finding out who refers costs one pass over the definitions per deleting statement.
 * A cheap look at the raw rows decides which of them are read as documents.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/session.h"
#include "common/spi.h"
#include "input_table/objects.h"
#include "layout/layout.h"

#define DELETE_SQL	"DELETE FROM sigma.sigma_layout_elements WHERE id OPERATOR(pg_catalog.=) $1"
#define DELETE_SEQUENCES_SQL \
	"DELETE FROM sigma.sigma_action_sequences WHERE id OPERATOR(pg_catalog.=) ANY ($1)"

/* What a deletion takes along. */
typedef struct Removal
{
	Relation	rel;
	List	   *deleted;		/* of LayoutDeleted, subtrees included */
	int			asked;			/* how many of them the statement itself deleted */
	HTAB	   *ids;			/* of the deleted elements */
	HTAB	   *variables;		/* set by deleted controls and by no other */
	HTAB	   *sequences;		/* that belong to deleted elements */
	Names	   *names;			/* what names mean, or NULL: not needed yet */
	List	   *reasons;		/* of char *, sentences */
	List	   *kept;			/* of char *, variables that are still used */
} Removal;

/* What is told of each row of a definition table. */
typedef void (*RowVisitor) (Removal *removal, DocumentKind kind, const char *id, List *references);

static LayoutRemoval *current_removal = NULL;	/* of the function that runs the DELETE */

static void add_subtrees(Removal *removal);
static LayoutDeleted *read_deleted(Relation rel, Snapshot snapshot, const char *id);
static void refresh_parents(Removal *removal);
static void collect_belongings(Removal *removal);
static void add_sequence(Removal *removal, const LayoutDeleted *element, const JsonNode *node);
static void keep_shared_variables(Removal *removal);
static void visit_definitions(Removal *removal, RowVisitor visit);
static void visit_table(Removal *removal, DocumentKind kind, RowVisitor visit);
static bool may_mention(Removal *removal, TupleDesc desc, HeapTuple row);
static bool json_may_mention(Removal *removal, Jsonb *document);
static bool string_may_mention(Removal *removal, const char *string, int length);
static void keep_used_sequences(Removal *removal, DocumentKind kind, const char *id, List *references);
static void note_reasons(Removal *removal, DocumentKind kind, const char *id, List *references);
static void note_default_tabs(Removal *removal);
static const char *deleted_name(Removal *removal, const Reference *reference);
static const char *deleted_variable(Removal *removal, const Reference *reference);
static void report_reasons(Removal *removal, const LayoutRemoval *asked);
static int	compare_strings(const ListCell *a, const ListCell *b);
static void delete_belongings(Removal *removal);
static bool contains(HTAB *set, const char *id);
static void add(HTAB *set, const char *id);

/*
 * DELETE one element as the caller.  removal->deleted becomes the number of rows that
 * went, 0 where there is no such element.
 */
void
sigma_layout_delete(const char *id, LayoutRemoval *removal)
{
	LayoutRemoval *outer = current_removal;
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(id);

	removal->deleted = 0;
	current_removal = removal;
	SPI_connect();
	PG_TRY();
	{
		if (SPI_execute_with_args(DELETE_SQL, 1, &type, &value, NULL, false, 0) != SPI_OK_DELETE)
			elog(ERROR, "could not delete from sigma." LAYOUT_TABLE);
	}
	PG_FINALLY();
	{
		current_removal = outer;
	}
	PG_END_TRY();
	SPI_finish();
}

/*
 * After a DELETE: its subtrees go too, unless something refers to one of the elements
 * (SG409 with every reason).
 */
void
sigma_layout_removed(Relation rel, List *deleted)
{
	LayoutRemoval *asked = current_removal;
	Removal		removal = {0};

	current_removal = NULL;		/* for this statement alone, not for what it sets off */
	removal.rel = rel;
	removal.deleted = deleted;
	removal.asked = list_length(deleted);
	removal.ids = sigma_id_set("deleted elements", sizeof(char *));
	removal.variables = sigma_id_set("deleted variables", sizeof(char *));
	removal.sequences = sigma_id_set("deleted sequences", sizeof(char *));
	sigma_layout_lock();
	add_subtrees(&removal);
	refresh_parents(&removal);
	if (!sigma_catalog_restoring())
	{
		collect_belongings(&removal);
		keep_shared_variables(&removal);
		if (hash_get_num_entries(removal.sequences) > 0)
			visit_definitions(&removal, keep_used_sequences);
		visit_definitions(&removal, note_reasons);
		note_default_tabs(&removal);
		report_reasons(&removal, asked);
		delete_belongings(&removal);
	}
	if (asked != NULL)
		asked->deleted += list_length(removal.deleted);
}

/* Find everything below what was deleted, and delete it. */
static void
add_subtrees(Removal *removal)
{
	LayoutTree *tree = sigma_tree_open(removal->rel);
	List	   *below = NIL;
	int			i;
	ListCell   *cell;

	foreach(cell, removal->deleted)
		add(removal->ids, ((LayoutDeleted *) lfirst(cell))->id);
	for (i = 0; i < list_length(removal->deleted); i++)
	{
		LayoutDeleted *parent = list_nth(removal->deleted, i);

		CHECK_FOR_INTERRUPTS();
		foreach(cell, sigma_tree_children(tree, parent->id))
		{
			Element    *child = lfirst(cell);

			if (contains(removal->ids, child->id))
				continue;
			add(removal->ids, child->id);
			below = lappend(below, pstrdup(child->id));
			removal->deleted = lappend(removal->deleted, read_deleted(removal->rel, tree->snapshot, child->id));
		}
	}
	sigma_tree_close(tree);
	if (below != NIL)
		sigma_layout_delete_rows(removal->rel, sigma_text_array(below));
}

/* A row that is going to be deleted. */
static LayoutDeleted *
read_deleted(Relation rel, Snapshot snapshot, const char *id)
{
	TupleDesc	desc = RelationGetDescr(rel);
	LayoutDeleted *deleted = palloc0(sizeof(LayoutDeleted));
	HeapTuple	row = sigma_layout_row(rel, snapshot, id);
	bool		isnull;
	Datum		value;

	deleted->id = pstrdup(id);
	value = heap_getattr(row, LAYOUT_TYPE, desc, &isnull);
	deleted->type = isnull ? NULL : TextDatumGetCString(value);
	value = heap_getattr(row, LAYOUT_PARENT, desc, &isnull);
	deleted->parent_id = isnull ? NULL : TextDatumGetCString(value);
	value = heap_getattr(row, LAYOUT_CONFIG, desc, &isnull);
	deleted->config = isnull ? NULL : DatumGetJsonbPCopy(value);
	heap_freetuple(row);
	return deleted;
}

/* The parents that stay lose the deleted from their children. */
static void
refresh_parents(Removal *removal)
{
	LayoutTree *tree = sigma_tree_open(removal->rel);
	ListCell   *cell;

	foreach(cell, removal->deleted)
	{
		LayoutDeleted *deleted = lfirst(cell);

		if (deleted->parent_id != NULL && !contains(removal->ids, deleted->parent_id))
			sigma_tree_refresh(tree, deleted->parent_id);
	}
	sigma_tree_write(tree);
	sigma_tree_close(tree);
}

/* Note the variables of deleted controls, and sequences that a deleted element names and alone starts. */
static void
collect_belongings(Removal *removal)
{
	ListCell   *cell;
	int			i;
	int			j;

	foreach(cell, removal->deleted)
	{
		LayoutDeleted *element = lfirst(cell);
		JsonNode   *settings = element->config == NULL ? NULL : sigma_json_read(element->config);

		if (element->type != NULL && strcmp(element->type, "control") == 0)
			add(removal->variables, settings == NULL ? element->id :
				sigma_json_get_string(settings, "variable", element->id));
		for (i = 0; settings != NULL && sigma_layout_sequence_settings[i] != NULL; i++)
		{
			JsonNode   *node = sigma_json_get(settings, sigma_layout_sequence_settings[i]);

			add_sequence(removal, element, node);
			for (j = 0; node != NULL && node->kind == JSON_ARRAY && j < node->count; j++)
				add_sequence(removal, element, node->items[j]);
		}
	}
}

/* A sequence belongs to the element that names it and starts it. */
static void
add_sequence(Removal *removal, const LayoutDeleted *element, const JsonNode *node)
{
	JsonNode   *document;
	JsonNode   *trigger;
	char	   *starter;

	if (node == NULL || node->kind != JSON_STRING)
		return;
	document = sigma_catalog_read(DOCUMENT_SEQUENCE, node->string);
	trigger = document == NULL ? NULL : sigma_json_get(document, "trigger");
	starter = trigger == NULL ? NULL : sigma_json_get_string(trigger, "element_id", NULL);
	if (starter != NULL && strcmp(starter, element->id) == 0)
		add(removal->sequences, node->string);
}

/* A variable that another control sets stays. */
static void
keep_shared_variables(Removal *removal)
{
	ListCell   *cell;

	if (hash_get_num_entries(removal->variables) == 0)
		return;
	foreach(cell, sigma_layout_controls(NULL))
		(void) hash_search(removal->variables, &((LayoutControl *) lfirst(cell))->variable, HASH_REMOVE, NULL);
}

/* Tell of every definition that may refer to something deleted. */
static void
visit_definitions(Removal *removal, RowVisitor visit)
{
	visit_table(removal, DOCUMENT_ACTION, visit);
	visit_table(removal, DOCUMENT_SEQUENCE, visit);
	visit_table(removal, DOCUMENT_LAYOUT_ELEMENT, visit);
}

/* The same for one kind of definition. */
static void
visit_table(Removal *removal, DocumentKind kind, RowVisitor visit)
{
	Relation	rel = table_open(sigma_relation_oid(sigma_catalog_table(kind)->name), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	Snapshot	snapshot;
	SysScanDesc scan;
	List	   *candidates = NIL;
	ListCell   *cell;
	HeapTuple	row;

	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	while ((row = systable_getnext(scan)) != NULL)
	{
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		if (may_mention(removal, desc, row))
			candidates = lappend(candidates, TextDatumGetCString(heap_getattr(row, 1, desc, &isnull)));
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);

	foreach(cell, candidates)
	{
		JsonNode   *document = sigma_catalog_read(kind, lfirst(cell));

		if (document == NULL)
			continue;
		/* the element that starts a sequence need not exist */
		if (kind == DOCUMENT_SEQUENCE)
			(void) sigma_json_remove(document, "trigger");
		visit(removal, kind, lfirst(cell), sigma_document_references(kind, document));
	}
}

/* Could this row name something deleted?  Looks at strings alone, and is right when it says no. */
static bool
may_mention(Removal *removal, TupleDesc desc, HeapTuple row)
{
	int			i;

	for (i = 1; i <= desc->natts; i++)
	{
		Oid			type = TupleDescAttr(desc, i - 1)->atttypid;
		bool		isnull;
		Datum		value = heap_getattr(row, i, desc, &isnull);

		if (isnull || i == 1)
			continue;
		if (type == JSONBOID)
		{
			Jsonb	   *document = DatumGetJsonbP(value);
			bool		found = json_may_mention(removal, document);

			if ((Pointer) document != DatumGetPointer(value))
				pfree(document);
			if (found)
				return true;
		}
		else if (type == VARCHAROID || type == TEXTOID)
		{
			char	   *string = TextDatumGetCString(value);
			bool		found = string_may_mention(removal, string, strlen(string));

			pfree(string);
			if (found)
				return true;
		}
	}
	return false;
}

/* The same for the keys and strings of a document. */
static bool
json_may_mention(Removal *removal, Jsonb *document)
{
	JsonbIterator *iterator = JsonbIteratorInit(&document->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
		if ((token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM) && value.type == jbvString &&
			string_may_mention(removal, value.val.string.val, value.val.string.len))
			return true;
	return false;
}

/* The same for one string: it is a name, or text that may hold a formula. */
static bool
string_may_mention(Removal *removal, const char *string, int length)
{
	char		name[1024];

	if (memchr(string, '[', length) != NULL)
		return true;
	if (length >= sizeof(name))
		return false;
	memcpy(name, string, length);
	name[length] = '\0';
	return contains(removal->ids, name) || contains(removal->variables, name) ||
		contains(removal->sequences, name);
}

/* A sequence that anything but the deleted elements and their sequences uses stays. */
static void
keep_used_sequences(Removal *removal, DocumentKind kind, const char *id, List *references)
{
	ListCell   *cell;

	if (kind == DOCUMENT_SEQUENCE && contains(removal->sequences, id))
		return;
	foreach(cell, references)
	{
		Reference  *reference = lfirst(cell);

		if (reference->kind == REFERENCE_SEQUENCE)
			(void) hash_search(removal->sequences, &reference->name, HASH_REMOVE, NULL);
	}
}

/* Note, as a sentence, each reference to something deleted. */
static void
note_reasons(Removal *removal, DocumentKind kind, const char *id, List *references)
{
	ListCell   *cell;

	if (kind == DOCUMENT_SEQUENCE && contains(removal->sequences, id))
		return;
	foreach(cell, references)
	{
		Reference  *reference = lfirst(cell);
		const char *name = deleted_name(removal, reference);
		char	   *noun;

		if (name == NULL)
			continue;
		noun = pstrdup(sigma_catalog_table(kind)->noun);
		noun[0] = pg_toupper((unsigned char) noun[0]);
		removal->reasons = lappend(removal->reasons,
								   psprintf("%s \"%s\" refers to \"%s\" at %s.", noun, id, name,
											sigma_json_path(reference->where)));
		/* what is still used stays a variable, where the deletion goes on at all */
		if (reference->kind == REFERENCE_VARIABLE)
			removal->kept = lappend(removal->kept, pstrdup(name));
	}
}

/* The same of tabs that stay and have lost the one that they show first. */
static void
note_default_tabs(Removal *removal)
{
	ListCell   *cell;

	foreach(cell, removal->deleted)
	{
		LayoutDeleted *tab = lfirst(cell);
		JsonNode   *settings;

		if (tab->type == NULL || strcmp(tab->type, "tab") != 0 || tab->parent_id == NULL ||
			contains(removal->ids, tab->parent_id))
			continue;
		settings = tab->config == NULL ? NULL : sigma_json_read(tab->config);
		if (sigma_layout_lost_default_tab(removal->rel, tab->parent_id, tab->id, settings == NULL ? NULL :
										  sigma_json_get_string(settings, "label", NULL)))
			removal->reasons = lappend(removal->reasons,
									   psprintf("Layout element \"%s\" refers to \"%s\" at $.default_tab.", tab->parent_id, tab->id));
	}
}

/* What this names, where that is gone; else NULL. */
static const char *
deleted_name(Removal *removal, const Reference *reference)
{
	switch (reference->kind)
	{
		case REFERENCE_ELEMENT:
			return contains(removal->ids, reference->name) ? reference->name : NULL;
		case REFERENCE_VARIABLE:
			return deleted_variable(removal, reference);
		case REFERENCE_INPUT_TABLE:
			/* a source may be an element that shows a table; a table of that name goes first */
			return reference->place == NULL && contains(removal->ids, reference->name) &&
				!sigma_catalog_exists(DOCUMENT_INPUT_TABLE, reference->name) ? reference->name : NULL;
		case REFERENCE_COLUMN:
		case REFERENCE_ACTION:
		case REFERENCE_SEQUENCE:
		case REFERENCE_FUNCTION:
			return NULL;
	}
	return NULL;
}

/*
 * The same for a variable, after whose name a member of its range may stand.  In a
 * formula about rows a bare name is a column's where they have one.
 */
static const char *
deleted_variable(Removal *removal, const Reference *reference)
{
	const char *dot = strrchr(reference->name, '.');
	const char *name = reference->name;
	NamedObject		object;

	if (!contains(removal->variables, name))
	{
		name = dot == NULL ? NULL : pnstrdup(name, dot - name);
		if (name == NULL || !contains(removal->variables, name))
			return NULL;
	}
	if (reference->table == NULL)
		return name;
	if (removal->names == NULL)
		removal->names = sigma_names_open();
	return sigma_names_resolve(removal->names, reference, &object) ? name : NULL;
}

/* SG409 with every reason, or a notice where the caller asked to go on. */
static void
report_reasons(Removal *removal, const LayoutRemoval *asked)
{
	StringInfoData detail;
	LayoutDeleted *first = linitial(removal->deleted);
	const char *last = NULL;
	ListCell   *cell;

	if (removal->reasons == NIL)
		return;
	list_sort(removal->reasons, compare_strings);
	initStringInfo(&detail);
	foreach(cell, removal->reasons)
	{
		const char *reason = lfirst(cell);

		/* a formula may name it several times */
		if (last == NULL || strcmp(reason, last) != 0)
			appendStringInfo(&detail, "%s%s", detail.len > 0 ? "\n" : "", reason);
		last = reason;
	}
	if (asked != NULL && asked->cascade)
	{
		ereport(NOTICE,
				(errmsg("layout element \"%s\" is deleted although others refer to it", first->id),
				 errdetail_internal("%s", detail.data)));
		sigma_layout_targets_changed();
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_CONFLICT),
				 removal->asked > 1 ? errmsg("layout elements cannot be deleted because others refer to them") :
				 errmsg("layout element \"%s\" cannot be deleted because others refer to it", first->id),
				 errdetail_internal("%s", detail.data),
				 errhint("Change or delete these first, or use sigma.delete_layout_element() with cascade.")));
}

static int
compare_strings(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* Delete the sequences and variables that belonged to the elements, as the caller. */
static void
delete_belongings(Removal *removal)
{
	HASH_SEQ_STATUS scan;
	char	  **entry;
	List	   *sequences = NIL;
	List	   *variables = NIL;
	ListCell   *cell;

	foreach(cell, removal->kept)
	{
		char	   *name = lfirst(cell);

		(void) hash_search(removal->variables, &name, HASH_REMOVE, NULL);
	}
	hash_seq_init(&scan, removal->sequences);
	while ((entry = hash_seq_search(&scan)) != NULL)
		sequences = lappend(sequences, *entry);
	if (sequences != NIL)
	{
		Oid			type = TEXTARRAYOID;
		Datum		value = PointerGetDatum(sigma_text_array(sequences));

		SPI_connect();
		if (SPI_execute_with_args(DELETE_SEQUENCES_SQL, 1, &type, &value, NULL, false, 0) != SPI_OK_DELETE)
			elog(ERROR, "could not delete from sigma.sigma_action_sequences");
		SPI_finish();
	}

	hash_seq_init(&scan, removal->variables);
	while ((entry = hash_seq_search(&scan)) != NULL)
		variables = lappend(variables, *entry);
	foreach(cell, variables)
		sigma_layout_delete_variable(lfirst(cell));
}

/* Sets of ids; the strings must outlive the set. */
static bool
contains(HTAB *set, const char *id)
{
	return hash_search(set, &id, HASH_FIND, NULL) != NULL;
}

static void
add(HTAB *set, const char *id)
{
	(void) hash_search(set, &id, HASH_ENTER, NULL);
}
