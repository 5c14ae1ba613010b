/*
 * controls.c
 *		Controls and their variables.
 *
 * A control sets a variable: the one it names, else that of its own id, which is made
 * with the control and goes with the last control that sets it.  Its type follows from
 * the control's.  Controls that name one variable are synced: none of them can have a
 * type that the others, or the variable, have not.
 *
 * Definitions of variables are written as the caller.  Who gives one another type or
 * deletes it takes the layout's lock, as who makes a control or lets it set another
 * variable: whichever is later sees what the other did, by the newest snapshot.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/catalog.h"
#include "common/document_specs.h"
#include "common/errors.h"
#include "layout/layout.h"

static void follow_control(const char *name, const LayoutChange *change, const JsonNode *settings);
static bool others_take(const char *variable, const char *except, const char *type);
static int	compare_controls(const ListCell *a, const ListCell *b);
static bool same_member(const JsonNode *a, const JsonNode *b, const char *key);

/*
 * Note what a new config means for a control or a tab: what it starts with, what it was
 * called.  Nothing for other types.
 */
void
sigma_layout_compare_settings(LayoutChange *change, Jsonb *old, Jsonb *config)
{
	bool		is_control = change->kind != NULL && strcmp(change->kind->name, "control") == 0;
	bool		is_tab = change->kind != NULL && strcmp(change->kind->name, "tab") == 0;
	JsonNode   *before;
	JsonNode   *after;

	if (!is_control && !is_tab)
		return;
	before = old == NULL || !JB_ROOT_IS_OBJECT(old) ? sigma_json_new(JSON_OBJECT, NULL) : sigma_json_read(old);
	after = config == NULL || !JB_ROOT_IS_OBJECT(config) ? sigma_json_new(JSON_OBJECT, NULL) : sigma_json_read(config);
	if (is_control)
	{
		change->rebound = !same_member(before, after, "variable");
		change->preset = !same_member(before, after, "default_value") || !same_member(before, after, "control_type") ||
			!same_member(before, after, "value_type") || !same_member(before, after, "multiple");
	}
	else if (!same_member(before, after, "label"))
		change->old_label = sigma_json_get_string(before, "label", NULL);
}

/* Is a member the same in both objects, or in none? */
static bool
same_member(const JsonNode *a, const JsonNode *b, const char *key)
{
	JsonNode   *left = sigma_json_get(a, key);
	JsonNode   *right = sigma_json_get(b, key);

	return left == NULL || right == NULL ? left == right : sigma_json_equal(left, right);
}

/*
 * The variable that a written control sets: made where there is none of that name yet,
 * and brought along where the control starts with something else now, or has another type.
 */
void
sigma_layout_bring_variable(const LayoutChange *change, const JsonNode *settings)
{
	char	   *name = sigma_json_get_string(settings, "variable", change->id);

	/* who inserts holds it already */
	if (change->preset || change->rebound)
		sigma_layout_lock();
	if (!sigma_catalog_exists(DOCUMENT_VARIABLE, name))
		(void) sigma_catalog_insert(DOCUMENT_VARIABLE, sigma_json_write(sigma_layout_control_variable(name, settings)));
	else if (change->preset && !change->rebound)
		follow_control(name, change, settings);
	sigma_layout_check_variable(change, settings);
}

/* A control was changed: so is its variable, unless it is one that was declared by itself or others keep its type. */
static void
follow_control(const char *name, const LayoutChange *change, const JsonNode *settings)
{
	JsonNode   *variable = sigma_catalog_read(DOCUMENT_VARIABLE, name);
	JsonNode   *changes = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *preset = sigma_json_get(settings, "default_value");
	const char *type = sigma_control_value_type(settings);

	if (variable == NULL || strcmp(sigma_json_get_string(variable, "kind", ""), "control") != 0)
		return;
	if (!sigma_layout_control_takes(settings, sigma_json_get_string(variable, "type", "text")))
	{
		if (!others_take(name, change->id, type))
			return;
		sigma_json_set(changes, "type", sigma_json_new_string(type, NULL));
		/* what was chosen is of the old type */
		if (sigma_json_get(variable, "value") != NULL)
			sigma_json_set(changes, "value", sigma_json_new(JSON_NULL, NULL));
	}
	if (preset != NULL)
		sigma_json_set(changes, "default_value", sigma_json_copy(preset));
	else if (sigma_json_get(variable, "default_value") != NULL)
		sigma_json_set(changes, "default_value", sigma_json_new(JSON_NULL, NULL));
	if (changes->count > 0)
		sigma_catalog_update(DOCUMENT_VARIABLE, name, sigma_json_write(changes));
}

/* Could all controls that set a variable, but for one, set one of that type? */
static bool
others_take(const char *variable, const char *except, const char *type)
{
	ListCell   *cell;

	foreach(cell, sigma_layout_controls(variable))
	{
		const LayoutControl *control = lfirst(cell);

		if (strcmp(control->id, except) != 0 && !sigma_layout_control_takes(control->settings, type))
			return false;
	}
	return true;
}

/* Delete the variable of controls that are gone, as the caller; one that was declared by itself stays. */
void
sigma_layout_delete_variable(const char *id)
{
	JsonNode   *variable = sigma_catalog_read(DOCUMENT_VARIABLE, id);

	if (variable != NULL && strcmp(sigma_json_get_string(variable, "kind", ""), "control") == 0)
		(void) sigma_catalog_delete(DOCUMENT_VARIABLE, id);
}

/* The document of the variable that a control of these settings makes. */
JsonNode *
sigma_layout_control_variable(const char *name, const JsonNode *settings)
{
	JsonNode   *document = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *value;

	sigma_json_set(document, "id", sigma_json_new_string(name, NULL));
	sigma_json_set(document, "name", sigma_json_new_string(name, NULL));
	sigma_json_set(document, "kind", sigma_json_new_string("control", NULL));
	sigma_json_set(document, "type", sigma_json_new_string(sigma_control_value_type(settings), NULL));
	value = sigma_json_get(settings, "default_value");
	if (value != NULL)
		sigma_json_set(document, "default_value", sigma_json_copy(value));
	return document;
}

/* A variable that was there before the control must be of a type that the control sets; 42804. */
void
sigma_layout_check_variable(const LayoutChange *change, const JsonNode *settings)
{
	char	   *name = sigma_json_get_string(settings, "variable", change->id);
	const ControlType *control = sigma_control_type(settings);
	JsonNode   *variable = sigma_catalog_read(DOCUMENT_VARIABLE, name);
	const char *type = variable == NULL ? NULL : sigma_json_get_string(variable, "type", "text");
	JsonNode   *where = sigma_json_get(settings, "variable");

	if (type == NULL || control == NULL || sigma_layout_control_takes(settings, type))
		return;
	sigma_document_error(where == NULL ? settings : where, ERRCODE_DATATYPE_MISMATCH,
						 psprintf("Variables of such controls are of type %s.", sigma_control_value_type(settings)),
						 "control \"%s\" of type %s cannot set variable \"%s\" of type %s",
						 change->id, control->name, name, type);
}

/* Can a control of these settings set a variable of that type? */
bool
sigma_layout_control_takes(const JsonNode *settings, const char *type)
{
	const ControlType *control = sigma_control_type(settings);
	bool		multiple = sigma_json_get_bool(settings, "multiple", false);

	if (control == NULL)
		return true;
	if (strcmp(type, "list") == 0)
		return multiple || sigma_control_holds(control, type);
	return !multiple && sigma_control_holds(control, type);
}

/* The controls that set a variable (NULL: any), as a List of LayoutControl, by their ids. */
List *
sigma_layout_controls(const char *variable)
{
	Relation	rel = table_open(sigma_relation_oid(LAYOUT_TABLE), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	List	   *controls = NIL;
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	row;

	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	while ((row = systable_getnext(scan)) != NULL)
	{
		bool		isnull;
		Datum		type = heap_getattr(row, LAYOUT_TYPE, desc, &isnull);
		LayoutControl *control;
		Datum		config;

		CHECK_FOR_INTERRUPTS();
		if (isnull || strcmp(TextDatumGetCString(type), "control") != 0)
			continue;
		control = palloc(sizeof(LayoutControl));
		control->id = TextDatumGetCString(heap_getattr(row, LAYOUT_ID, desc, &isnull));
		config = heap_getattr(row, LAYOUT_CONFIG, desc, &isnull);
		control->settings = isnull || !JB_ROOT_IS_OBJECT(DatumGetJsonbP(config)) ?
			sigma_json_new(JSON_OBJECT, NULL) : sigma_json_read(DatumGetJsonbP(config));
		control->variable = sigma_json_get_string(control->settings, "variable", unconstify(char *, control->id));
		if (variable == NULL || strcmp(control->variable, variable) == 0)
			controls = lappend(controls, control);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	list_sort(controls, compare_controls);
	return controls;
}

/* By id. */
static int
compare_controls(const ListCell *a, const ListCell *b)
{
	return strcmp(((const LayoutControl *) lfirst(a))->id, ((const LayoutControl *) lfirst(b))->id);
}
