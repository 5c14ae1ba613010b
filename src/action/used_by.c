/*
 * used_by.c
 *		Who uses an action or a sequence: what is in use is not deleted.
 *
 * Definitions are read by the newest snapshot, without looking at rights.  Few of them
 * hold the id as a string at all: only those are read as documents.  What stands in the
 * same table is looked at after the statement, so that one DELETE may take definitions
 * that use each other.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "action/used_by.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "formula/references.h"

/* Tables whose definitions name actions and sequences, and the columns where they do. */
static const struct
{
	DocumentKind kind;
	const char *table;
	const char *columns[3];
}			holders[] = {
	{DOCUMENT_LAYOUT_ELEMENT, "sigma_layout_elements", {"config"}},
	{DOCUMENT_ACTION, "sigma_actions", {"parameters", "target"}},
	{DOCUMENT_SEQUENCE, "sigma_action_sequences", {"actions"}},
};

static List *add_users(List *users, int holder, ReferenceKind kind, const char *id);
static bool row_mentions(Relation rel, HeapTuple row, const char *const *columns, const char *id);
static bool mentions(Jsonb *document, const char *text);

PG_FUNCTION_INFO_V1(refuse_used_definition);

/*
 * The definitions of one kind that use an action or a sequence, as a List of
 * DefinitionUser, one for each.
 */
List *
sigma_definition_users(DocumentKind of, DocumentKind used, const char *id)
{
	ReferenceKind kind = used == DOCUMENT_ACTION ? REFERENCE_ACTION : REFERENCE_SEQUENCE;
	List	   *users = NIL;
	int			i;

	for (i = 0; i < lengthof(holders); i++)
		if (holders[i].kind == of)
			users = add_users(users, i, kind, id);
	return users;
}

/* Those of one table. */
static List *
add_users(List *users, int holder, ReferenceKind kind, const char *id)
{
	Relation	rel = table_open(sigma_relation_oid(holders[holder].table), AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple	row;

	while ((row = systable_getnext(scan)) != NULL)
	{
		bool		isnull;
		char	   *user;
		ListCell   *lc;

		if (!row_mentions(rel, row, holders[holder].columns, id))
			continue;
		user = TextDatumGetCString(heap_getattr(row, 1, RelationGetDescr(rel), &isnull));
		foreach(lc, sigma_document_references(holders[holder].kind, sigma_catalog_read(holders[holder].kind, user)))
		{
			Reference  *reference = lfirst(lc);
			DefinitionUser *one;

			if (reference->kind != kind || strcmp(reference->name, id) != 0)
				continue;
			one = palloc(sizeof(DefinitionUser));
			one->kind = holders[holder].kind;
			one->id = user;
			one->path = sigma_json_path(reference->where);
			users = lappend(users, one);
			break;
		}
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return users;
}

/* Does one of these columns hold the id as a string? */
static bool
row_mentions(Relation rel, HeapTuple row, const char *const *columns, const char *id)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (; *columns != NULL; columns++)
	{
		AttrNumber	number = get_attnum(RelationGetRelid(rel), *columns);
		bool		isnull;
		Datum		value = heap_getattr(row, number, desc, &isnull);

		if (isnull)
			continue;
		if (TupleDescAttr(desc, number - 1)->atttypid == JSONBOID ? mentions(DatumGetJsonbP(value), id) :
			strcmp(TextDatumGetCString(value), id) == 0)
			return true;
	}
	return false;
}

/* Is this text one of the strings of a document? */
static bool
mentions(Jsonb *document, const char *text)
{
	JsonbIterator *iterator = JsonbIteratorInit(&document->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			length = strlen(text);

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
		if ((token == WJB_VALUE || token == WJB_ELEM) && value.type == jbvString &&
			value.val.string.len == length && memcmp(value.val.string.val, text, length) == 0)
			return true;
	return false;
}

/* Raise SG409 about a definition that is in use, with every user; nothing where there is none. */
void
sigma_refuse_use(DocumentKind used, const char *id, List *users, const char *hint)
{
	StringInfoData detail;
	ListCell   *lc;

	if (users == NIL)
		return;
	initStringInfo(&detail);
	foreach(lc, users)
	{
		const DefinitionUser *user = lfirst(lc);
		const char *noun = user->kind == DOCUMENT_LAYOUT_ELEMENT ? "Layout element" :
			user->kind == DOCUMENT_ACTION ? "Action" : "Action sequence";

		appendStringInfo(&detail, "%s%s \"%s\" refers to it at %s.", detail.len > 0 ? " " : "", noun, user->id, user->path);
	}
	ereport(ERROR,
			(errcode(ERRCODE_SIGMA_CONFLICT),
			 errmsg("%s \"%s\" is in use", sigma_catalog_table(used)->noun, id),
			 errdetail("%s", detail.data),
			 errhint("%s", hint)));
}

/* AFTER DELETE ON sigma_actions, sigma_action_sequences FOR EACH ROW: others must not use it. */
Datum
refuse_used_definition(PG_FUNCTION_ARGS)
{
	TriggerData *trigger;
	DocumentKind used;
	bool		isnull;
	char	   *id;

	used = CALLED_AS_TRIGGER(fcinfo) &&
		strcmp(RelationGetRelationName(((TriggerData *) fcinfo->context)->tg_relation), "sigma_actions") == 0 ?
		DOCUMENT_ACTION : DOCUMENT_SEQUENCE;
	trigger = sigma_catalog_trigger(fcinfo, "refuse_used_definition", sigma_catalog_table(used)->name,
									TRIGGER_EVENT_ROW, CATALOG_DELETE);
	if (sigma_dangling_allowed() || sigma_catalog_restoring())
		return PointerGetDatum(NULL);
	id = TextDatumGetCString(heap_getattr(trigger->tg_trigtuple, 1, RelationGetDescr(trigger->tg_relation), &isnull));
	CommandCounterIncrement();	/* what the statement has deleted uses nothing */
	if (used == DOCUMENT_ACTION)
		sigma_refuse_use(used, id, sigma_definition_users(DOCUMENT_ACTION, used, id),
						 "sigma.delete_action(id, cascade => true) deletes these actions too.");
	else
		sigma_refuse_use(used, id, list_concat(sigma_definition_users(DOCUMENT_ACTION, used, id),
											   sigma_definition_users(DOCUMENT_SEQUENCE, used, id)),
						 "sigma.delete_action_sequence(id, cascade => true) leaves these references dangling.");
	return PointerGetDatum(NULL);
}
