/*
 * define.c
 *		Triggers of sigma_actions and sigma_action_sequences: writing a row defines it.
 *
 * A row is normalised and checked by compiling it, so what cannot run cannot be
 * stored.  While a dump is restored nothing outside of the row is looked at:
 * references are checked again when the sequence is first compiled.  Changes that
 * leave the definition alone - pausing, statistics - check nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "action/action.h"
#include "action/due.h"
#include "action/flow.h"
#include "action/used_by.h"
#include "common/argument.h"
#include "common/cache.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "input_table/objects.h"
#include "common/session.h"

PG_FUNCTION_INFO_V1(sigma_action_row);
PG_FUNCTION_INFO_V1(sigma_sequence_row);
PG_FUNCTION_INFO_V1(sigma_sequences_changed);
PG_FUNCTION_INFO_V1(create_action);
PG_FUNCTION_INFO_V1(update_action);
PG_FUNCTION_INFO_V1(delete_action);
PG_FUNCTION_INFO_V1(create_action_sequence);
PG_FUNCTION_INFO_V1(update_action_sequence);
PG_FUNCTION_INFO_V1(delete_action_sequence);

/* Columns whose change needs no check. */
static const char *const passive_columns[] = {
	"is_paused", "execution_count", "last_executed", "status", "metadata", "name", "description",
	"created_at", "updated_at", NULL
};

/* Is a sequence being deleted although others refer to it? */
static bool cascading = false;

static HeapTuple check_row(TriggerData *trigger, DocumentKind kind);
static bool is_definition_change(TriggerData *trigger);
static void check_trigger(JsonNode *document, bool resolve);
static void refuse_id_change(TriggerData *trigger);
static char *row_id(TriggerData *trigger);
static void delete_sequence(const char *id, bool cascade, bool *found);
static void delete_users(const char *action_id);
static Jsonb *document_argument(FunctionCallInfo fcinfo, int i, const char *name);

/*
 * Triggers
 */

/* BEFORE INSERT OR UPDATE OR DELETE ON sigma_actions FOR EACH ROW */
Datum
sigma_action_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "sigma_action_row", "sigma_actions",
												 TRIGGER_EVENT_ROW | TRIGGER_EVENT_BEFORE,
												 CATALOG_INSERT | CATALOG_UPDATE | CATALOG_DELETE);

	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		char	   *id = row_id(trigger);

		sigma_refuse_use(DOCUMENT_ACTION, id, sigma_definition_users(DOCUMENT_SEQUENCE, DOCUMENT_ACTION, id),
						 "sigma.delete_action(id, cascade => true) deletes these sequences too.");
		return PointerGetDatum(trigger->tg_trigtuple);
	}
	return PointerGetDatum(check_row(trigger, DOCUMENT_ACTION));
}

/* BEFORE INSERT OR UPDATE OR DELETE ON sigma_action_sequences FOR EACH ROW */
Datum
sigma_sequence_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "sigma_sequence_row", "sigma_action_sequences",
												 TRIGGER_EVENT_ROW | TRIGGER_EVENT_BEFORE,
												 CATALOG_INSERT | CATALOG_UPDATE | CATALOG_DELETE);

	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		char	   *id = row_id(trigger);

		if (!cascading && !sigma_catalog_restoring())
			sigma_refuse_use(DOCUMENT_SEQUENCE, id, sigma_definition_users(DOCUMENT_LAYOUT_ELEMENT, DOCUMENT_SEQUENCE, id),
							 "sigma.delete_action_sequence(id, cascade => true) leaves these references dangling.");
		return PointerGetDatum(trigger->tg_trigtuple);
	}
	return PointerGetDatum(check_row(trigger, DOCUMENT_SEQUENCE));
}

/* AFTER statements that change definitions: compiled forms fall everywhere. */
Datum
sigma_sequences_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("the function can only be called as a trigger")));
	sigma_cache_send(RelationGetRelid(((TriggerData *) fcinfo->context)->tg_relation));
	return PointerGetDatum(NULL);
}

/* The new row in canonical form; raises what is wrong with its document. */
static HeapTuple
check_row(TriggerData *trigger, DocumentKind kind)
{
	bool		updating = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	row = updating ? trigger->tg_newtuple : trigger->tg_trigtuple;
	JsonNode   *document;
	JsonNode   *id;

	if (updating)
		refuse_id_change(trigger);
	document = sigma_catalog_row_document(kind, trigger, row);
	id = sigma_json_get(document, "id");
	if (id == NULL || id->kind != JSON_STRING || id->string[0] == '\0')
		sigma_document_error(document, 0, NULL, "the id of %s must not be empty",
							 kind == DOCUMENT_ACTION ? "an action" : "an action sequence");
	if (!updating || is_definition_change(trigger))
	{
		bool		resolve = !sigma_catalog_restoring() && sigma_session.origin != ORIGIN_SYSTEM;

		if (kind == DOCUMENT_SEQUENCE)
			check_trigger(document, resolve);
		if (resolve)
		{
			sigma_formulas_qualify(kind, document);
			sigma_flow_check_cycles(kind, document);
		}
		/* what sigma writes itself, as new names, means the same as before: what else is wrong is not its matter */
		sigma_sequence_check(document, kind == DOCUMENT_ACTION, resolve);
	}
	return sigma_catalog_document_row(kind, trigger, row, document);
}

/* Does an UPDATE change a column that is compiled? */
static bool
is_definition_change(TriggerData *trigger)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const char *const *passive;
		Datum		old;
		Datum		new;
		bool		old_null;
		bool		new_null;

		for (passive = passive_columns; *passive != NULL; passive++)
			if (strcmp(*passive, NameStr(att->attname)) == 0)
				break;
		if (*passive != NULL || att->attisdropped)
			continue;
		old = heap_getattr(trigger->tg_trigtuple, i + 1, desc, &old_null);
		new = heap_getattr(trigger->tg_newtuple, i + 1, desc, &new_null);
		if (old_null != new_null ||
			(!old_null && !datum_image_eq(old, new, att->attbyval, att->attlen)))
			return true;
	}
	return false;
}

/* Check what starts a sequence; 0A000 for what nothing fires yet.  "resolve" false: nothing outside of the document. */
static void
check_trigger(JsonNode *document, bool resolve)
{
	JsonNode   *trigger = sigma_json_get(document, "trigger");
	const char *type = sigma_json_get_string(trigger, "type", "manual");

	if (strcmp(type, "webhook") == 0)
		sigma_document_error(sigma_json_get(trigger, "type"), ERRCODE_FEATURE_NOT_SUPPORTED,
							 "Run the sequence with sigma.execute_sequence().",
							 "triggers of type \"%s\" are not built yet", type);
	if (strcmp(type, "schedule") == 0)
		sigma_schedule_check(trigger);
	if (strcmp(type, "row_change") == 0 && resolve)
		sigma_row_change_check(trigger);
}

/* An id is what others refer to. */
static void
refuse_id_change(TriggerData *trigger)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;
	char	   *old = row_id(trigger);
	Datum		new = heap_getattr(trigger->tg_newtuple, 1, desc, &isnull);

	if (isnull || strcmp(old, TextDatumGetCString(new)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the id \"%s\" cannot be updated", old),
				 errhint("Create it anew under the other id, and delete this one.")));
}

/* The id of the row that is there. */
static char *
row_id(TriggerData *trigger)
{
	bool		isnull;

	return TextDatumGetCString(heap_getattr(trigger->tg_trigtuple, 1, RelationGetDescr(trigger->tg_relation), &isnull));
}

/* See used_by.h. */
bool
sigma_dangling_allowed(void)
{
	return cascading;
}

/*
 * Functions
 */

/* create_action(config jsonb) returns text */
Datum
create_action(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(sigma_catalog_insert(DOCUMENT_ACTION, document_argument(fcinfo, 0, "config"))));
}

/* update_action(id text, changes jsonb) returns void */
Datum
update_action(PG_FUNCTION_ARGS)
{
	sigma_catalog_update(DOCUMENT_ACTION, sigma_text_argument(fcinfo, 0, "id"), document_argument(fcinfo, 1, "changes"));
	PG_RETURN_VOID();
}

/* delete_action(id text, cascade bool) returns bool: was there one? */
Datum
delete_action(PG_FUNCTION_ARGS)
{
	char	   *id = sigma_text_argument(fcinfo, 0, "id");

	if (!PG_ARGISNULL(1) && PG_GETARG_BOOL(1))
		delete_users(id);
	PG_RETURN_BOOL(sigma_catalog_delete(DOCUMENT_ACTION, id));
}

/* Delete the sequences that have an action as a step, and the actions that hold it, with theirs. */
static void
delete_users(const char *action_id)
{
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, list_concat(sigma_definition_users(DOCUMENT_SEQUENCE, DOCUMENT_ACTION, action_id),
							sigma_definition_users(DOCUMENT_ACTION, DOCUMENT_ACTION, action_id)))
	{
		const DefinitionUser *user = lfirst(lc);

		/* it may be gone already, as a user of another one */
		if (!sigma_catalog_exists(user->kind, user->id))
			continue;
		ereport(NOTICE,
				(errmsg("delete cascades to %s \"%s\"", sigma_catalog_table(user->kind)->noun, user->id)));
		if (user->kind == DOCUMENT_SEQUENCE)
			delete_sequence(user->id, true, NULL);
		else
		{
			delete_users(user->id);
			(void) sigma_catalog_delete(DOCUMENT_ACTION, user->id);
		}
	}
}

/* create_action_sequence(config jsonb) returns text */
Datum
create_action_sequence(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(sigma_catalog_insert(DOCUMENT_SEQUENCE, document_argument(fcinfo, 0, "config"))));
}

/* update_action_sequence(id text, changes jsonb) returns void */
Datum
update_action_sequence(PG_FUNCTION_ARGS)
{
	sigma_catalog_update(DOCUMENT_SEQUENCE, sigma_text_argument(fcinfo, 0, "id"), document_argument(fcinfo, 1, "changes"));
	PG_RETURN_VOID();
}

/* delete_action_sequence(id text, cascade bool) returns bool: was there one? */
Datum
delete_action_sequence(PG_FUNCTION_ARGS)
{
	bool		found;

	delete_sequence(sigma_text_argument(fcinfo, 0, "id"), !PG_ARGISNULL(1) && PG_GETARG_BOOL(1), &found);
	PG_RETURN_BOOL(found);
}

/* Delete a sequence as the caller; "cascade": although elements refer to it. */
static void
delete_sequence(const char *id, bool cascade, bool *found)
{
	bool		outer = cascading;
	bool		deleted;

	PG_TRY();
	{
		cascading = cascade;
		deleted = sigma_catalog_delete(DOCUMENT_SEQUENCE, id);
		if (found != NULL)
			*found = deleted;
	}
	PG_FINALLY();
	{
		cascading = outer;
	}
	PG_END_TRY();
}

/*
 * Arguments
 */

/* A context; null is an empty one. */
Jsonb *
sigma_context_argument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : PG_GETARG_JSONB_P(i);
}

/* A document that must not be null; 22004. */
static Jsonb *
document_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	sigma_require_argument(fcinfo, i, name);
	return PG_GETARG_JSONB_P(i);
}
