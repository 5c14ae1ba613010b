/*
 * variable_catalog.c
 *		Catalog rows of variables and controls: their triggers and SQL functions.
 *
 * The functions are fronts over plain DML on sigma_variables and, for values of
 * single users, sigma_variable_values: the row triggers check and normalise
 * whoever writes.  A restore checks each row by itself alone, because the values
 * of users come before the variables.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "action/context.h"
#include "common/cache.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "common/spi.h"
#include "input_table/define.h"
#include "layout/layout.h"

#define VARIABLES "sigma_variables"
#define USER_VALUES "sigma_variable_values"

/* One variable with the value that its scope stores, as the caller may read it. */
#define LIST_SQL \
	"SELECT v.id::pg_catalog.text, v.name::pg_catalog.text, v.kind::pg_catalog.text," \
	" v.type::pg_catalog.text, CASE" \
	" WHEN v.scope OPERATOR(pg_catalog.=) 'user' THEN (SELECT u.value FROM sigma." USER_VALUES " u" \
	" WHERE u.variable_id OPERATOR(pg_catalog.=) v.id AND u.user_id OPERATOR(pg_catalog.=) $1)" \
	" WHEN v.scope OPERATOR(pg_catalog.=) 'workbook' THEN v.value END," \
	" v.default_value, v.scope::pg_catalog.text FROM sigma.sigma_variables v"

static const char *const kinds[] = {"control", "variable", NULL};

/* Is delete_variable(…, cascade => true) running? */
static bool cascading = false;

PG_FUNCTION_INFO_V1(create_variable);
PG_FUNCTION_INFO_V1(update_variable);
PG_FUNCTION_INFO_V1(delete_variable);
PG_FUNCTION_INFO_V1(list_variables);
PG_FUNCTION_INFO_V1(set_variable);
PG_FUNCTION_INFO_V1(get_variable);
PG_FUNCTION_INFO_V1(check_variable);
PG_FUNCTION_INFO_V1(check_variable_value);
PG_FUNCTION_INFO_V1(rename_variable);
PG_FUNCTION_INFO_V1(remove_variable);
PG_FUNCTION_INFO_V1(announce_variables);

static char *required_id(FunctionCallInfo fcinfo);
static void keep_nulls(JsonNode *document, TriggerData *trigger, HeapTuple row);
static void fill_definition(JsonNode *document);
static VariableType guess_type(JsonNode *document);
static int	read_word(JsonNode *document, const char *key, const char *const *words);
static void check_value(const JsonNode *value, VariableType type, const char *what);
static void check_change(TriggerData *trigger, JsonNode *document);
static int	count_misfits(const char *id, VariableType type);
static void forget_values(const char *id);
static void refuse_other_type(const char *id, const char *type);
static void refuse_if_used(const char *id, const char *name);

/* create_variable(config jsonb) → text: its id, made where the config has none. */
Datum
create_variable(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the definition of a variable must not be null")));
	PG_RETURN_TEXT_P(cstring_to_text(sigma_catalog_insert(DOCUMENT_VARIABLE, PG_GETARG_JSONB_P(0))));
}

/* update_variable(id text, changes jsonb): SG404 where there is none. */
Datum
update_variable(PG_FUNCTION_ARGS)
{
	char	   *id = required_id(fcinfo);

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("changes must not be null")));
	sigma_catalog_update(DOCUMENT_VARIABLE, id, PG_GETARG_JSONB_P(1));
	PG_RETURN_VOID();
}

/* delete_variable(id text, cascade bool) → bool: was there one?  SG409 where it is used, unless cascade. */
Datum
delete_variable(PG_FUNCTION_ARGS)
{
	char	   *id = required_id(fcinfo);
	bool		outer = cascading;
	bool		found = false;

	cascading = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	PG_TRY();
	{
		found = sigma_catalog_delete(DOCUMENT_VARIABLE, id);
	}
	PG_FINALLY();
	{
		cascading = outer;
	}
	PG_END_TRY();
	PG_RETURN_BOOL(found);
}

/*
 * list_variables() → table(id, name, kind, type, value, default_value, scope)
 *
 * "value" is what is stored (for scope user: for the app user), NULL where the
 * default holds.
 */
Datum
list_variables(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {TEXTOID};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		user;
	uint64		i;

	InitMaterializedSRF(fcinfo, 0);
	user = CStringGetTextDatum(sigma_app_user());
	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan, LIST_SQL " ORDER BY v.id COLLATE pg_catalog.\"C\"", 1, types),
					  &user, NULL, true, SPI_OK_SELECT);
	for (i = 0; i < SPI_processed; i++)
	{
		Datum		values[7];
		bool		nulls[7];

		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}

/*
 * set_variable(id text, value jsonb): what plain DML on the value would do.
 * JSON null empties the variable, SQL NULL forgets its value so that the default holds.
 */
Datum
set_variable(PG_FUNCTION_ARGS)
{
	char	   *id = required_id(fcinfo);
	const Variable *variable = sigma_variable(id);
	JsonbValue	value;

	if (variable == NULL || strcmp(variable->id, id) != 0)
		sigma_catalog_not_found(DOCUMENT_VARIABLE, id);
	if (!PG_ARGISNULL(1))
		sigma_jsonb_to_value(PG_GETARG_JSONB_P(1), &value);
	sigma_variable_write(variable, NULL, PG_ARGISNULL(1) ? NULL : &value);
	PG_RETURN_VOID();
}

/* get_variable(id text) → jsonb: the stored value, else the default, else NULL; SG404 where there is none. */
Datum
get_variable(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {TEXTOID, TEXTOID};
	char	   *id = required_id(fcinfo);
	Datum		arguments[2];
	Datum		value;
	bool		isnull;
	MemoryContext caller = CurrentMemoryContext;

	arguments[0] = CStringGetTextDatum(sigma_app_user());
	arguments[1] = CStringGetTextDatum(id);
	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan, LIST_SQL " WHERE v.id OPERATOR(pg_catalog.=) $2", 2, types),
					  arguments, NULL, false, SPI_OK_SELECT);
	if (SPI_processed == 0)
		sigma_catalog_not_found(DOCUMENT_VARIABLE, id);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 5, &isnull);
	if (isnull)
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 6, &isnull);
	if (!isnull)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		value = JsonbPGetDatum(DatumGetJsonbPCopy(value));
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

/* BEFORE INSERT OR UPDATE ROW on sigma_variables: the row in canonical form, checked. */
Datum
check_variable(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "check_variable", VARIABLES,
												 TRIGGER_EVENT_ROW | TRIGGER_EVENT_BEFORE,
												 CATALOG_INSERT | CATALOG_UPDATE);
	bool		inserting = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	HeapTuple	row = inserting ? trigger->tg_trigtuple : trigger->tg_newtuple;
	JsonNode   *document = sigma_catalog_row_document(DOCUMENT_VARIABLE, trigger, row);
	JsonNode   *value;
	VariableType type;
	VariableScope scope;

	keep_nulls(document, trigger, row);
	if (inserting)
		fill_definition(document);
	(void) read_word(document, "kind", kinds);
	type = (VariableType) read_word(document, "type", sigma_variable_types);
	scope = (VariableScope) read_word(document, "scope", sigma_variable_scopes);
	check_value(sigma_json_get(document, "default_value"), type, "default value");
	value = sigma_json_get(document, "value");
	if (value != NULL && scope != SCOPE_WORKBOOK)
		sigma_document_error(value, 0,
							 scope == SCOPE_USER ? "Use sigma.set_variable: it stores the value of the app user." :
							 "Its value is passed in the context of each run.",
							 "a variable of scope %s has no common value", sigma_variable_scopes[scope]);
	check_value(value, type, "value");
	if (!inserting)
		check_change(trigger, document);
	return PointerGetDatum(sigma_catalog_document_row(DOCUMENT_VARIABLE, trigger, row, document));
}

/* BEFORE INSERT OR UPDATE ROW on sigma_variable_values: the value fits its variable. */
Datum
check_variable_value(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "check_variable_value", USER_VALUES,
												 TRIGGER_EVENT_ROW | TRIGGER_EVENT_BEFORE,
												 CATALOG_INSERT | CATALOG_UPDATE);
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		inserting = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	HeapTuple	row = inserting ? trigger->tg_trigtuple : trigger->tg_newtuple;
	int			stamp = SPI_fnumber(desc, "updated_at");
	Datum		now = TimestampGetDatum(GetCurrentTransactionStartTimestamp());
	bool		not_null = false;
	char	   *id = SPI_getvalue(row, desc, SPI_fnumber(desc, "variable_id"));
	bool		isnull;
	Datum		value = heap_getattr(row, SPI_fnumber(desc, "value"), desc, &isnull);
	bool		no_stamp;

	if (!sigma_catalog_restoring() && id != NULL && !isnull)
	{
		const Variable *variable = sigma_variable(id);

		if (variable == NULL || strcmp(variable->id, id) != 0)
			sigma_catalog_not_found(DOCUMENT_VARIABLE, id);
		if (variable->scope != SCOPE_USER)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("variable \"%s\" has scope %s: it has no values of single users",
							id, sigma_variable_scopes[variable->scope])));
		check_value(sigma_json_read(DatumGetJsonbP(value)), variable->type,
					psprintf("value of variable \"%s\"", id));
	}
	(void) heap_getattr(row, stamp, desc, &no_stamp);
	if (!inserting || no_stamp)
		row = heap_modify_tuple_by_cols(row, desc, 1, &stamp, &now, &not_null);
	return PointerGetDatum(row);
}

/* AFTER UPDATE ROW on sigma_variables, for names: what named the variable by the old one does so by the new one. */
Datum
rename_variable(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "rename_variable", VARIABLES, TRIGGER_EVENT_ROW, CATALOG_UPDATE);
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			column = SPI_fnumber(desc, "name");
	char	   *before = SPI_getvalue(trigger->tg_trigtuple, desc, column);
	char	   *after = SPI_getvalue(trigger->tg_newtuple, desc, column);

	if (before == NULL || sigma_catalog_restoring() || (after != NULL && strcmp(before, after) == 0))
		return PointerGetDatum(NULL);
	/* definitions that are checked from here on know the new name */
	sigma_cache_send(RelationGetRelid(trigger->tg_relation));
	CommandCounterIncrement();
	sigma_dependents_rename_variable(SPI_getvalue(trigger->tg_newtuple, desc, SPI_fnumber(desc, "id")), before, after);
	return PointerGetDatum(NULL);
}

/* BEFORE DELETE ROW on sigma_variables: SG409 where it is used; the users' values go with it. */
Datum
remove_variable(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "remove_variable", VARIABLES,
												 TRIGGER_EVENT_ROW | TRIGGER_EVENT_BEFORE, CATALOG_DELETE);
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	char	   *id = SPI_getvalue(trigger->tg_trigtuple, desc, SPI_fnumber(desc, "id"));
	char	   *name = SPI_getvalue(trigger->tg_trigtuple, desc, SPI_fnumber(desc, "name"));

	if (!cascading && !sigma_catalog_restoring())
		refuse_if_used(id, name);
	forget_values(id);
	return PointerGetDatum(trigger->tg_trigtuple);
}

/* AFTER STATEMENT on sigma_variables, for definition columns: cached definitions are stale. */
Datum
announce_variables(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "announce_variables", VARIABLES, TRIGGER_EVENT_AFTER,
												 CATALOG_INSERT | CATALOG_UPDATE | CATALOG_DELETE);

	sigma_cache_send(RelationGetRelid(trigger->tg_relation));
	return PointerGetDatum(NULL);
}

/* Argument 0; 22004 where it is NULL. */
static char *
required_id(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("id must not be null")));
	return text_to_cstring(PG_GETARG_TEXT_PP(0));
}

/* JSON null is a value of a variable; the reader of documents takes it for "absent". */
static void
keep_nulls(JsonNode *document, TriggerData *trigger, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;

	(void) heap_getattr(row, SPI_fnumber(desc, "value"), desc, &isnull);
	if (!isnull && sigma_json_get(document, "value") == NULL)
		sigma_json_set(document, "value", sigma_json_new(JSON_NULL, NULL));
}

/* What a definition that says nothing else means. */
static void
fill_definition(JsonNode *document)
{
	if (sigma_json_get(document, "id") == NULL)
		sigma_json_set(document, "id", sigma_json_new_string(sigma_new_uuid(), NULL));
	if (sigma_json_get(document, "kind") == NULL)
		sigma_json_set(document, "kind", sigma_json_new_string("variable", NULL));
	if (sigma_json_get(document, "scope") == NULL)
		sigma_json_set(document, "scope", sigma_json_new_string("workbook", NULL));
	if (sigma_json_get(document, "type") == NULL)
		sigma_json_set(document, "type",
					   sigma_json_new_string(sigma_variable_type_name(guess_type(document)), NULL));
}

/* The type that a definition without one has: that of its default or value, else text. */
static VariableType
guess_type(JsonNode *document)
{
	const JsonNode *value = sigma_json_get(document, "default_value");

	if (value == NULL || value->kind == JSON_NULL)
		value = sigma_json_get(document, "value");
	if (value == NULL)
		return VARIABLE_TEXT;
	switch (value->kind)
	{
		case JSON_NUMBER:
			return VARIABLE_NUMBER;
		case JSON_BOOL:
			return VARIABLE_LOGICAL;
		case JSON_ARRAY:
			return VARIABLE_LIST;
		case JSON_OBJECT:
			return sigma_json_get(value, "start") != NULL || sigma_json_get(value, "end") != NULL ?
				VARIABLE_DATE_RANGE : VARIABLE_NUMBER_RANGE;
		default:
			return VARIABLE_TEXT;
	}
}

/* Place of a member's word in a list; SG400 where it is missing (what else it may be is checked already). */
static int
read_word(JsonNode *document, const char *key, const char *const *words)
{
	int			place = sigma_variable_word(words, sigma_json_get_string(document, key, NULL));

	if (place < 0)
		sigma_document_error(document, 0, sigma_hint_names("", words), "a variable needs \"%s\"", key);
	return place;
}

/* Raise SG400 where a value (NULL: none) does not fit the type. */
static void
check_value(const JsonNode *value, VariableType type, const char *what)
{
	JsonbValue	given;
	const char *why;

	if (value == NULL)
		return;
	sigma_jsonb_to_value(sigma_json_write(value), &given);
	if (!sigma_variable_fits(type, &given, &why))
		sigma_document_error(value, 0, psprintf("The type is %s.", sigma_variable_type_name(type)),
							 "%s %s", what, why);
}

/* An update: ids stay, and stored values of users fit the new type. */
static void
check_change(TriggerData *trigger, JsonNode *document)
{
	JsonNode   *before = sigma_catalog_row_document(DOCUMENT_VARIABLE, trigger, trigger->tg_trigtuple);
	const char *id = sigma_json_get_string(before, "id", "");
	const char *type = sigma_json_get_string(document, "type", "");
	const char *scope = sigma_json_get_string(document, "scope", "");
	bool		was_user = strcmp(sigma_json_get_string(before, "scope", ""), "user") == 0;
	int			misfits;

	if (strcmp(id, sigma_json_get_string(document, "id", "")) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the id of variable \"%s\" cannot be changed", id),
				 errhint("Give it another \"name\".")));
	if (sigma_catalog_restoring())
		return;
	if (strcmp(type, sigma_json_get_string(before, "type", "")) != 0)
		refuse_other_type(id, type);
	if (!was_user)
		return;
	if (strcmp(scope, "user") != 0)
		forget_values(id);
	else if (strcmp(type, sigma_json_get_string(before, "type", "")) != 0 &&
			 (misfits = count_misfits(id, sigma_variable_word(sigma_variable_types, type))) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_CONFLICT),
				 errmsg("the type of variable \"%s\" cannot become %s", id, type),
				 errdetail_plural("%d stored value of a user does not fit it.",
								  "%d stored values of users do not fit it.", misfits, misfits),
				 errhint("Delete them from sigma." USER_VALUES " first.")));
}

/* Raise SG409 where controls set the variable that could not set one of that type. */
static void
refuse_other_type(const char *id, const char *type)
{
	List	   *controls;
	StringInfoData detail;
	ListCell   *lc;

	sigma_layout_lock();
	controls = sigma_layout_controls(id);
	initStringInfo(&detail);
	foreach(lc, controls)
	{
		const LayoutControl *control = lfirst(lc);

		if (!sigma_layout_control_takes(control->settings, type))
			appendStringInfo(&detail, "%sControl \"%s\" of type %s sets it.", detail.len > 0 ? " " : "", control->id,
							 sigma_json_get_string(control->settings, "control_type", "text"));
	}
	if (detail.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_CONFLICT),
				 errmsg("the type of variable \"%s\" cannot become %s", id, type),
				 errdetail_internal("%s", detail.data),
				 errhint("Change the type of the controls, or let them set another variable.")));
}

/* How many values of users do not fit a type. */
static int
count_misfits(const char *id, VariableType type)
{
	Oid			values_relid = sigma_relation_oid(USER_VALUES);
	Oid			types[] = {TEXTOID};
	Datum		argument = CStringGetTextDatum(id);
	OwnerScope	scope;
	int			misfits = 0;
	uint64		i;

	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(values_relid));
	if (SPI_execute_with_args("SELECT value FROM sigma." USER_VALUES
							  " WHERE variable_id OPERATOR(pg_catalog.=) $1",
							  1, types, &argument, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read sigma." USER_VALUES);
	sigma_owner_end(&scope);
	for (i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		datum = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
		JsonbValue	value;
		const char *why;

		if (isnull)
			continue;
		sigma_jsonb_to_value(DatumGetJsonbP(datum), &value);
		if (!sigma_variable_fits(type, &value, &why))
			misfits++;
	}
	SPI_finish();
	return misfits;
}

/* Delete the values of all users, as the catalog's owner: the variable is gone, or has a common one now. */
static void
forget_values(const char *id)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {TEXTOID};
	Datum		argument = CStringGetTextDatum(id);
	OwnerScope	scope;

	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid(USER_VALUES)));
	sigma_spi_execute(sigma_spi_plan(&plan, "DELETE FROM sigma." USER_VALUES
									 " WHERE variable_id OPERATOR(pg_catalog.=) $1", 1, types),
					  &argument, NULL, false, SPI_OK_DELETE);
	sigma_owner_end(&scope);
	SPI_finish();
}

/* Raise SG409 where a document names the variable. */
static void
refuse_if_used(const char *id, const char *name)
{
	NamedObject		object = {NAMED_VARIABLE, id};
	Names	   *names = sigma_names_open();
	List	   *found;

	sigma_layout_lock();
	sigma_names_set_variable(names, id, name);
	found = sigma_dependents_find(names, &object);
	if (found != NIL)
		sigma_dependents_refuse(psprintf("variable \"%s\"", id), found);
}
