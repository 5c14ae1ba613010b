/*
 * define.c
 *		Definitions of input tables: what a row of sigma.sigma_input_tables makes happen.
 *
 * The BEFORE ROW trigger brings the row into its canonical form and checks what
 * stands in it (define_check.c); the AFTER ROW trigger does the work: create or adopt the data
 * table, alter it, let it go (define_apply.c).  The functions are fronts over INSERT, UPDATE and
 * DELETE and add only what a row cannot say: cascade, purge, and what to report.
 *
 * While a dump is restored an INSERT checks the row alone and adopts.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "common/access.h"
#include "common/catalog.h"
#include "input_table/define_call.h"
#include "input_table/input_table.h"

static DefinitionCall *current_call = NULL;

PG_FUNCTION_INFO_V1(create_input_table);
PG_FUNCTION_INFO_V1(update_input_table);
PG_FUNCTION_INFO_V1(delete_input_table);
PG_FUNCTION_INFO_V1(check_input_table);
PG_FUNCTION_INFO_V1(apply_input_table);
PG_FUNCTION_INFO_V1(refuse_catalog_truncate);

static void check_trigger(FunctionCallInfo fcinfo, const char *name, bool before);

/*
 * create_input_table(config jsonb) → text: insert the definition, and import the
 * CSV that came with it.  Returns its id; 42P07 where there is one of that id.
 */
Datum
create_input_table(PG_FUNCTION_ARGS)
{
	DefinitionCall *outer = current_call;
	DefinitionCall call = {0};
	JsonNode   *document;
	CsvFile    *file;
	char	   *id;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the definition of an input table must not be null")));
	document = sigma_json_read(PG_GETARG_JSONB_P(0));
	call.refuse = sigma_on_existing_refuses(sigma_on_existing_take(document));
	document = sigma_document_normalise(DOCUMENT_INPUT_TABLE, document, 0);
	file = sigma_csv_take(document);
	id = sigma_json_get_string(document, "id", NULL);
	if (id != NULL)
		sigma_definition_refuse_existing(id);
	call.id = id;
	call.cxt = CurrentMemoryContext;
	current_call = id != NULL ? &call : outer;
	PG_TRY();
	{
		id = sigma_catalog_insert(DOCUMENT_INPUT_TABLE, sigma_json_write(document));
	}
	PG_FINALLY();
	{
		current_call = outer;
	}
	PG_END_TRY();
	if (file != NULL)
		sigma_csv_import_first(id, file);
	PG_RETURN_TEXT_P(cstring_to_text(id));
}

/* update_input_table(id text, changes jsonb, cascade bool) → jsonb: what the change did. */
Datum
update_input_table(PG_FUNCTION_ARGS)
{
	JsonNode   *result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("id and changes must not be null")));
	result = sigma_definition_change(text_to_cstring(PG_GETARG_TEXT_PP(0)),
									 sigma_json_read(PG_GETARG_JSONB_P(1)),
									 !PG_ARGISNULL(2) && PG_GETARG_BOOL(2));
	PG_RETURN_JSONB_P(sigma_json_write(result));
}

/* delete_input_table(id text, purge bool, cascade bool) → bool: was there one? */
Datum
delete_input_table(PG_FUNCTION_ARGS)
{
	DefinitionCall *outer = current_call;
	DefinitionCall call = {0};
	bool		found = false;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("id must not be null")));
	call.id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	call.purge = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	call.cascade = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	call.cxt = CurrentMemoryContext;

	current_call = &call;
	PG_TRY();
	{
		found = sigma_catalog_delete(DOCUMENT_INPUT_TABLE, call.id);
		if (!found && call.purge)
			found = sigma_definition_purge_leftover(call.id, call.cascade);
	}
	PG_FINALLY();
	{
		current_call = outer;
	}
	PG_END_TRY();
	PG_RETURN_BOOL(found);
}

/*
 * Update a definition as the caller.  Returns the document that update_input_table
 * returns; raises SG404 where there is no such table.
 */
JsonNode *
sigma_definition_change(const char *id, JsonNode *changes, bool cascade)
{
	DefinitionCall *outer = current_call;
	DefinitionCall call = {0};

	call.id = id;
	call.cascade = cascade;
	call.refuse = sigma_on_existing_refuses(sigma_on_existing_take(changes));
	call.cxt = CurrentMemoryContext;
	current_call = &call;
	PG_TRY();
	{
		sigma_catalog_update(DOCUMENT_INPUT_TABLE, id, sigma_json_write(changes));
	}
	PG_FINALLY();
	{
		current_call = outer;
	}
	PG_END_TRY();
	if (call.result == NULL)
	{
		/* no key was given, or somebody's trigger suppressed the update */
		TableChange nothing = {0};

		nothing.before = nothing.after = sigma_definition_read(sigma_json_new(JSON_OBJECT, NULL));
		sigma_definition_compare(&nothing);
		return sigma_definition_report(&nothing, NIL);
	}
	return call.result;
}

/* BEFORE INSERT OR UPDATE ROW: the row in canonical form, checked. */
Datum
check_input_table(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	JsonNode   *document;
	HeapTuple	row;

	check_trigger(fcinfo, "check_input_table", true);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		document = sigma_definition_check_insert(trigger);
		row = trigger->tg_trigtuple;
	}
	else
	{
		document = sigma_definition_check_update(trigger);
		row = trigger->tg_newtuple;
	}
	return PointerGetDatum(sigma_catalog_document_row(DOCUMENT_INPUT_TABLE, trigger, row, document));
}

/* AFTER INSERT OR UPDATE OR DELETE ROW: do what the row says. */
Datum
apply_input_table(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	check_trigger(fcinfo, "apply_input_table", false);
	/* the row must be visible to what is compiled from it below */
	CommandCounterIncrement();
	sigma_access_lock(false);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		sigma_definition_apply_insert(trigger);
	else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		sigma_definition_apply_update(trigger);
	else
		sigma_definition_apply_delete(trigger);
	return PointerGetDatum(NULL);
}

/* BEFORE TRUNCATE of any catalog table: rows stand for things, so they go one by one. */
Datum
refuse_catalog_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"refuse_catalog_truncate\" must be called by a TRUNCATE trigger")));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("catalog table \"%s\" cannot be truncated", RelationGetRelationName(trigger->tg_relation)),
			 errhint("Use DELETE: it does what the rows stand for.")));
	PG_RETURN_NULL();			/* not reached */
}

/* Raise 39P01 unless called as the row trigger that the function is written for. */
static void
check_trigger(FunctionCallInfo fcinfo, const char *name, bool before)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!(before ? TRIGGER_FIRED_BEFORE(trigger->tg_event) : TRIGGER_FIRED_AFTER(trigger->tg_event)) ||
		RelationGetRelid(trigger->tg_relation) != sigma_relation_oid("sigma_input_tables"))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called by the %s row trigger of sigma.sigma_input_tables",
						name, before ? "BEFORE" : "AFTER")));
}

/* The function that runs this statement, if it is about that row. */
DefinitionCall *
sigma_definition_call(const char *id)
{
	return current_call != NULL && strcmp(current_call->id, id) == 0 ? current_call : NULL;
}
