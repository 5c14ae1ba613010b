/*
 * catalog.c
 *		The catalog tables: documents to rows and back.
 *
 * A document's top-level keys are the table's columns of the same name; where the
 * table has a "rest" column, keys without a column of their own live in it.
 * Columns that are no part of a document (stamps, status, counters) pass through.
 *
 * Reads here are not ACL-checked: triggers compile and check on behalf of roles
 * that need no right on the catalog.  Writes go through SPI as the caller.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "common/spi.h"
#include "compat.h"

static const CatalogTable tables[] = {
	{DOCUMENT_INPUT_TABLE, "sigma_input_tables", "input table", NULL},
	{DOCUMENT_LAYOUT_ELEMENT, "sigma_layout_elements", "layout element", "config"},
	{DOCUMENT_ACTION, "sigma_actions", "action", NULL},
	{DOCUMENT_SEQUENCE, "sigma_action_sequences", "action sequence", NULL},
	{DOCUMENT_VARIABLE, "sigma_variables", "variable", NULL},
};

/* Columns that no document holds. */
static const char *const row_only[] = {
	"status", "created_at", "updated_at", "nesting_level", "execution_count", "last_executed", NULL
};

static bool is_row_only(const char *column);
static int	compare_names(const ListCell *a, const ListCell *b);
static JsonNode *read_changes(DocumentKind kind, const char *id, JsonNode *changes);
static void merge_parameters(JsonNode *changes, const JsonNode *stored);
static JsonNode *row_to_document(TupleDesc desc, HeapTuple row);
static JsonNode *read_column(Form_pg_attribute att, Datum value);
static Datum write_column(Form_pg_attribute att, JsonNode *node);
static Oid	parameter_type(Form_pg_attribute att);
static HeapTuple scan_row(Relation rel, const CatalogTable *table, const char *id);
static int	column_number(TupleDesc desc, const char *name);
static void split_rest(const CatalogTable *table, TupleDesc desc, JsonNode *document);
static void refuse_existing(DocumentKind kind, JsonNode *id);

const CatalogTable *
sigma_catalog_table(DocumentKind kind)
{
	int			i;

	for (i = 0; i < lengthof(tables); i++)
		if (tables[i].kind == kind)
			return &tables[i];
	elog(ERROR, "documents of kind %d have no catalog table", (int) kind);
}

Oid
sigma_relation_oid(const char *name)
{
	Oid			relid = get_relname_relid(name, get_namespace_oid("sigma", false));

	if (!OidIsValid(relid))
		elog(ERROR, "relation sigma.%s is missing", name);
	return relid;
}

bool
sigma_catalog_restoring(void)
{
	return sigma_restoring() &&
		sigma_owns_relation(sigma_relation_oid(tables[0].name), GetUserId());
}

char *
sigma_catalog_insert(DocumentKind kind, Jsonb *document)
{
	const CatalogTable *table = sigma_catalog_table(kind);
	JsonNode   *doc = sigma_document_normalise(kind, sigma_json_read(document), 0);
	Relation	rel = table_open(sigma_relation_oid(table->name), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	Oid		   *types;
	Datum	   *values;
	StringInfoData names;
	StringInfoData marks;
	char	   *id = sigma_json_get_string(doc, "id", NULL);
	bool		quiet;			/* an id that exists is found by the INSERT, and refused here */
	int			i;

	/* the others' callers and triggers refuse it themselves */
	quiet = kind == DOCUMENT_ACTION || kind == DOCUMENT_SEQUENCE || kind == DOCUMENT_VARIABLE;
	if (id == NULL)
	{
		id = sigma_new_uuid();
		sigma_json_set(doc, "id", sigma_json_new_string(id, NULL));
	}
	split_rest(table, desc, doc);

	types = palloc(sizeof(Oid) * doc->count);
	values = palloc(sizeof(Datum) * doc->count);
	initStringInfo(&names);
	initStringInfo(&marks);
	for (i = 0; i < doc->count; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, column_number(desc, doc->items[i]->key));

		types[i] = parameter_type(att);
		values[i] = write_column(att, doc->items[i]);
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", quote_identifier(NameStr(att->attname)));
		appendStringInfo(&marks, "%s$%d", i > 0 ? ", " : "", i + 1);
	}
	table_close(rel, AccessShareLock);

	SPI_connect();
	if (SPI_execute_with_args(psprintf("INSERT INTO sigma.%s (%s) VALUES (%s)%s",
									   table->name, names.data, marks.data,
									   quiet ? " ON CONFLICT DO NOTHING" : ""),
							  doc->count, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not insert into sigma.%s", table->name);
	if (quiet && SPI_processed == 0 && sigma_catalog_exists(kind, id))
		refuse_existing(kind, sigma_json_get(doc, "id"));
	SPI_finish();
	return id;
}

/*
 * Raise SG409 for the id of a row that exists.  It was found by the INSERT itself,
 * after the caller's rights were checked and a concurrent INSERT was waited for.
 */
static void
refuse_existing(DocumentKind kind, JsonNode *id)
{
	const char *table = sigma_catalog_table(kind)->name;

	/* the functions are called as the tables: sigma_actions, update_action */
	sigma_document_error(id, ERRCODE_SIGMA_CONFLICT,
						 psprintf("Use sigma.update_%.*s() to change it.",
								  (int) strlen(table) - (int) strlen("sigma_") - 1, table + strlen("sigma_")),
						 "%s \"%s\" already exists", sigma_catalog_table(kind)->noun, id->string);
}

void
sigma_catalog_update(DocumentKind kind, const char *id, Jsonb *changes)
{
	const CatalogTable *table = sigma_catalog_table(kind);
	JsonNode   *doc = read_changes(kind, id, sigma_json_read(changes));
	Relation	rel = table_open(sigma_relation_oid(table->name), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	Oid		   *types;
	Datum	   *values;
	char	   *nulls;
	StringInfoData sets;
	int			i;
	uint64		found;

	split_rest(table, desc, doc);
	types = palloc(sizeof(Oid) * (doc->count + 1));
	values = palloc(sizeof(Datum) * (doc->count + 1));
	nulls = palloc(doc->count + 1);
	initStringInfo(&sets);
	for (i = 0; i < doc->count; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, column_number(desc, doc->items[i]->key));
		const char *name = quote_identifier(NameStr(att->attname));

		types[i] = parameter_type(att);
		nulls[i] = doc->items[i]->kind == JSON_NULL ? 'n' : ' ';
		values[i] = nulls[i] == 'n' ? (Datum) 0 : write_column(att, doc->items[i]);
		/* settings are merged key by key, everything else is replaced */
		if (table->rest != NULL && strcmp(NameStr(att->attname), table->rest) == 0)
			appendStringInfo(&sets, "%s%s = coalesce(%s, '{}') OPERATOR(pg_catalog.||) $%d",
							 i > 0 ? ", " : "", name, name, i + 1);
		else
			appendStringInfo(&sets, "%s%s = $%d", i > 0 ? ", " : "", name, i + 1);
	}
	table_close(rel, AccessShareLock);
	types[i] = TEXTOID;
	values[i] = CStringGetTextDatum(id);
	nulls[i] = ' ';

	SPI_connect();
	if (doc->count > 0)
	{
		if (SPI_execute_with_args(psprintf("UPDATE sigma.%s SET %s WHERE id OPERATOR(pg_catalog.=) $%d",
										   table->name, sets.data, i + 1),
								  i + 1, types, values, nulls, false, 0) != SPI_OK_UPDATE)
			elog(ERROR, "could not update sigma.%s", table->name);
		found = SPI_processed;
	}
	else
		found = sigma_catalog_exists(kind, id) ? 1 : 0;
	SPI_finish();
	if (found == 0)
		sigma_catalog_not_found(kind, id);
}

bool
sigma_catalog_delete(DocumentKind kind, const char *id)
{
	const CatalogTable *table = sigma_catalog_table(kind);
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(id);
	bool		found;

	SPI_connect();
	if (SPI_execute_with_args(psprintf("DELETE FROM sigma.%s WHERE id OPERATOR(pg_catalog.=) $1", table->name),
							  1, &type, &value, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete from sigma.%s", table->name);
	found = SPI_processed > 0;
	SPI_finish();
	return found;
}

TriggerData *
sigma_catalog_trigger(FunctionCallInfo fcinfo, const char *function, const char *table,
					  TriggerEvent when, int operations)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		(trigger->tg_event & (TRIGGER_EVENT_ROW | TRIGGER_EVENT_TIMINGMASK)) != when ||
		((1 << (trigger->tg_event & TRIGGER_EVENT_OPMASK)) & operations) == 0 ||
		RelationGetRelid(trigger->tg_relation) != sigma_relation_oid(table))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" can only be the trigger of sigma.%s that it is written for",
						function, table)));
	return trigger;
}

JsonNode *
sigma_catalog_row_document(DocumentKind kind, TriggerData *trigger, HeapTuple row)
{
	JsonNode   *document = row_to_document(RelationGetDescr(trigger->tg_relation), row);

	return sigma_document_normalise(kind, document, DOCUMENT_STORED);
}

HeapTuple
sigma_catalog_document_row(DocumentKind kind, TriggerData *trigger, HeapTuple row, JsonNode *document)
{
	const CatalogTable *table = sigma_catalog_table(kind);
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	int			i;

	heap_deform_tuple(row, desc, values, nulls);
	split_rest(table, desc, document);
	sigma_catalog_stamp_row(trigger, values, nulls);
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		JsonNode   *node;

		if (is_row_only(NameStr(att->attname)))
			continue;
		node = sigma_json_get(document, NameStr(att->attname));
		nulls[i] = node == NULL || (node->kind == JSON_NULL && att->atttypid != JSONBOID);
		values[i] = nulls[i] ? (Datum) 0 : write_column(att, node);
	}
	return heap_form_tuple(desc, values, nulls);
}

void
sigma_catalog_stamp_row(TriggerData *trigger, Datum *values, bool *nulls)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		inserting = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i)->attname);

		if (strcmp(name, "status") == 0 && nulls[i])
			values[i] = CStringGetTextDatum("active");
		else if (inserting ? nulls[i] && (strcmp(name, "created_at") == 0 || strcmp(name, "updated_at") == 0) :
				 strcmp(name, "updated_at") == 0 && sigma_session.origin != ORIGIN_SYSTEM)
			values[i] = TimestampGetDatum(GetCurrentTransactionStartTimestamp());
		else
			continue;
		nulls[i] = false;
	}
}

JsonNode *
sigma_catalog_read(DocumentKind kind, const char *id)
{
	const CatalogTable *table = sigma_catalog_table(kind);
	Relation	rel = table_open(sigma_relation_oid(table->name), AccessShareLock);
	HeapTuple	row = scan_row(rel, table, id);
	JsonNode   *document = NULL;

	if (row != NULL)
	{
		document = row_to_document(RelationGetDescr(rel), row);
		if (table->rest != NULL)
		{
			JsonNode   *rest = sigma_json_remove(document, table->rest);
			int			i;

			for (i = 0; rest != NULL && i < rest->count; i++)
			{
				/* its place in the document, not in the table */
				rest->items[i]->origin = document;
				rest->items[i]->origin_key = rest->items[i]->key;
				sigma_json_set(document, rest->items[i]->key, rest->items[i]);
			}
		}
	}
	table_close(rel, AccessShareLock);
	return document;
}

bool
sigma_catalog_exists(DocumentKind kind, const char *id)
{
	const CatalogTable *table = sigma_catalog_table(kind);
	Relation	rel = table_open(sigma_relation_oid(table->name), AccessShareLock);
	bool		found = scan_row(rel, table, id) != NULL;

	table_close(rel, AccessShareLock);
	return found;
}

List *
sigma_catalog_names(DocumentKind kind)
{
	Relation	rel = table_open(sigma_relation_oid(sigma_catalog_table(kind)->name), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	AttrNumber	name_number = column_number(desc, "name") + 1;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	List	   *names = NIL;
	HeapTuple	row;

	while ((row = systable_getnext(scan)) != NULL)
	{
		CatalogName *entry = palloc(sizeof(CatalogName));
		bool		isnull;
		Datum		value;

		entry->id = TextDatumGetCString(heap_getattr(row, 1, desc, &isnull));
		value = heap_getattr(row, name_number, desc, &isnull);
		entry->name = isnull ? NULL : TextDatumGetCString(value);
		names = lappend(names, entry);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	list_sort(names, compare_names);
	return names;
}

/* By id, byte by byte: the same in every locale. */
static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(((CatalogName *) lfirst(a))->id, ((CatalogName *) lfirst(b))->id);
}

/* See catalog.h.  Ids come before display names. */
char *
sigma_catalog_nearest(DocumentKind kind, const char *given)
{
	List	   *rows = sigma_catalog_names(kind);
	const char **names = palloc(sizeof(char *) * (list_length(rows) + 1));
	int			nearest = -1;
	bool		display;

	for (display = false; nearest < 0; display = true)
	{
		int			count = 0;
		ListCell   *lc;

		foreach(lc, rows)
		{
			const CatalogName *row = lfirst(lc);

			names[count++] = display && row->name != NULL ? row->name : row->id;
		}
		names[count] = NULL;
		nearest = sigma_nearest_name(given, names, true);
		if (display)
			break;
	}
	return nearest < 0 ? NULL : psprintf("Perhaps you meant \"%s\".", ((CatalogName *) list_nth(rows, nearest))->id);
}

char *
sigma_catalog_hint(DocumentKind kind, const char *id)
{
	char	   *nearest = sigma_catalog_nearest(kind, id);
	List	   *rows = nearest != NULL ? NIL : sigma_catalog_names(kind);
	const char **names = palloc(sizeof(char *) * (list_length(rows) + 1));
	int			count = 0;
	ListCell   *lc;

	if (nearest != NULL)
		return nearest;
	if (rows == NIL)
		return psprintf("There is no %s yet.", sigma_catalog_table(kind)->noun);
	foreach(lc, rows)
		names[count++] = ((CatalogName *) lfirst(lc))->id;
	names[count] = NULL;
	return sigma_hint_names(id, names);
}

void
sigma_catalog_not_found(DocumentKind kind, const char *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_SIGMA_NOT_FOUND),
			 errmsg("%s \"%s\" does not exist", sigma_catalog_table(kind)->noun, id),
			 errhint("%s", sigma_catalog_hint(kind, id))));
}

/*
 * Changes in their canonical form.  What a key of an element or action means, and
 * where it goes, depends on the type: the stored one, where the changes give none.
 * Single parameters of an action change just these; "parameters" replaces them all.
 */
static JsonNode *
read_changes(DocumentKind kind, const char *id, JsonNode *changes)
{
	static const char *const type_names[] = {
		"type", "element_type", "elementType", "action_type", "actionType"
	};
	JsonNode   *stored = NULL;
	JsonNode   *given = sigma_json_get(changes, "parameters");
	JsonNode   *subtype = NULL;
	bool		typed = false;
	int			i;

	if (kind == DOCUMENT_LAYOUT_ELEMENT || kind == DOCUMENT_ACTION)
		stored = changes->kind == JSON_OBJECT ? sigma_catalog_read(kind, id) : NULL;
	for (i = 0; i < lengthof(type_names); i++)
		if (sigma_json_get(changes, type_names[i]) != NULL)
			typed = true;
	if (stored == NULL || typed || sigma_json_get_string(stored, "type", NULL) == NULL)
		return sigma_document_normalise(kind, changes, DOCUMENT_CHANGES);

	sigma_json_set(changes, "type", sigma_json_copy(sigma_json_get(stored, "type")));
	if (sigma_json_get(changes, "subtype") == NULL && sigma_json_get(given, "subtype") == NULL)
		subtype = sigma_json_get(stored, "subtype");
	if (subtype != NULL)
		sigma_json_set(changes, "subtype", sigma_json_copy(subtype));

	changes = sigma_document_normalise(kind, changes, DOCUMENT_CHANGES);
	(void) sigma_json_remove(changes, "type");
	if (subtype != NULL)
		(void) sigma_json_remove(changes, "subtype");
	if (given == NULL)
		merge_parameters(changes, stored);
	return changes;
}

/* Lay the parameters of changes over the stored ones; null takes one away. */
static void
merge_parameters(JsonNode *changes, const JsonNode *stored)
{
	JsonNode   *parameters = sigma_json_get(changes, "parameters");
	JsonNode   *old = sigma_json_get(stored, "parameters");
	int			i;

	if (parameters == NULL || old == NULL || parameters->kind != JSON_OBJECT || old->kind != JSON_OBJECT)
		return;
	for (i = 0; i < old->count; i++)
		if (sigma_json_get(parameters, old->items[i]->key) == NULL)
			sigma_json_set(parameters, old->items[i]->key, sigma_json_copy(old->items[i]));
}

/* Is this a column that no document holds? */
static bool
is_row_only(const char *column)
{
	int			i;

	for (i = 0; row_only[i] != NULL; i++)
		if (strcmp(row_only[i], column) == 0)
			return true;
	return false;
}

/* The columns of a row that belong to its document; NULL columns are absent keys. */
static JsonNode *
row_to_document(TupleDesc desc, HeapTuple row)
{
	JsonNode   *document = sigma_json_new(JSON_OBJECT, NULL);
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool		isnull;
		Datum		value;
		JsonNode   *node;

		if (att->attisdropped || is_row_only(NameStr(att->attname)))
			continue;
		value = heap_getattr(row, i + 1, desc, &isnull);
		if (isnull)
			continue;
		node = read_column(att, value);
		node->origin = document;
		node->origin_key = pstrdup(NameStr(att->attname));
		sigma_json_set(document, NameStr(att->attname), node);
	}
	return document;
}

/* One column's value as a node. */
static JsonNode *
read_column(Form_pg_attribute att, Datum value)
{
	switch (getBaseType(att->atttypid))
	{
		case JSONBOID:
			return sigma_json_read(DatumGetJsonbP(value));
		case BOOLOID:
			return sigma_json_new_bool(DatumGetBool(value), NULL);
		case INT4OID:
			return sigma_json_new_int(DatumGetInt32(value), NULL);
		case TEXTOID:
		case VARCHAROID:
			return sigma_json_new_string(TextDatumGetCString(value), NULL);
		default:
			elog(ERROR, "catalog column \"%s\" has unexpected type %u",
				 NameStr(att->attname), att->atttypid);
	}
}

/* A node as a column's value; raises SG400 where it is of another kind, 22001 where it is too long. */
static Datum
write_column(Form_pg_attribute att, JsonNode *node)
{
	const char *name = NameStr(att->attname);

	switch (getBaseType(att->atttypid))
	{
		case JSONBOID:
			return JsonbPGetDatum(sigma_json_write(node));
		case BOOLOID:
			if (node->kind != JSON_BOOL)
				sigma_document_error(node, 0, NULL, "\"%s\" must be a boolean, not %s",
									 name, sigma_json_kind_name(node));
			return BoolGetDatum(node->boolean);
		case INT4OID:
			if (node->kind != JSON_NUMBER)
				sigma_document_error(node, 0, NULL, "\"%s\" must be a number, not %s",
									 name, sigma_json_kind_name(node));
			return DirectFunctionCall1(numeric_int4, NumericGetDatum(node->number));
		default:
			if (node->kind != JSON_STRING)
				sigma_document_error(node, 0, NULL, "\"%s\" must be a string, not %s",
									 name, sigma_json_kind_name(node));
			if (att->atttypmod >= (int32) VARHDRSZ &&
				pg_mbstrlen(node->string) > att->atttypmod - (int32) VARHDRSZ)
				sigma_document_error(node, ERRCODE_STRING_DATA_RIGHT_TRUNCATION, NULL,
									 "\"%s\" is longer than %d characters",
									 name, att->atttypmod - (int32) VARHDRSZ);
			return CStringGetTextDatum(node->string);
	}
}

/* The type to bind a column's value as. */
static Oid
parameter_type(Form_pg_attribute att)
{
	Oid			type = getBaseType(att->atttypid);

	return type == VARCHAROID ? TEXTOID : type;
}

/* A copy of the row of that id by the newest snapshot, or NULL. */
static HeapTuple
scan_row(Relation rel, const CatalogTable *table, const char *id)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	Oid			index = sigma_relation_oid(psprintf("%s_pkey", table->name));
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	/* varchar has no operators of its own: its index compares as text */
	ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, TEXTOID, DEFAULT_COLLATION_OID,
						   F_TEXTEQ, CStringGetTextDatum(id));
	scan = systable_beginscan(rel, index, true, snapshot, 1, &key);
	row = systable_getnext(scan);
	if (row != NULL)
		row = heap_copytuple(row);
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return row;
}

/* 0-based number of a column that is part of documents, or -1. */
static int
column_number(TupleDesc desc, const char *name)
{
	int			i;

	for (i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped &&
			strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return is_row_only(name) ? -1 : i;
	return -1;
}

/* Move keys that have no column into the rest column; SG400 where there is none. */
static void
split_rest(const CatalogTable *table, TupleDesc desc, JsonNode *document)
{
	JsonNode   *rest = NULL;
	int			i = 0;

	while (i < document->count)
	{
		JsonNode   *node = document->items[i];

		if (column_number(desc, node->key) >= 0)
		{
			i++;
			continue;
		}
		if (table->rest == NULL)
			sigma_document_error(node, 0, NULL, "unknown key \"%s\" of an %s", node->key, table->noun);
		if (rest == NULL)
			rest = sigma_json_new(JSON_OBJECT, document);
		(void) sigma_json_remove(document, node->key);
		sigma_json_set(rest, node->key, node);
	}
	if (rest != NULL)
		sigma_json_set(document, table->rest, rest);
}
