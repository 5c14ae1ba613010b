/*
 * validate.c
 *		The triggers of data tables: who may write, what rows must be like.
 *
 * sigma.validate_row() is the hot path: it reads Datums from the slot, allocates
 * nothing but the tuple with the system columns, and gathers failures only once a
 * row is known to be bad.  What holds for the whole statement is worked out at its
 * first row and kept with the trigger's FmgrInfo, which lives as long as the
 * statement; rules cannot change meanwhile (see rules.c).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "common/errors.h"
#include "compat.h"
#include "input_table/published.h"
#include "input_table/row_changes.h"
#include "input_table/rules.h"

/* What the rows of one statement have in common. */
typedef struct RowState
{
	const InputTable *table;
	bool		keep;			/* rows are taken as they are: a restore by the table's owner, or sigma takes back */
	bool		given;			/* the latter */
	bool		may_protected;	/* protected columns may be written */
	bool		may_fixed;		/* columns that are not editable may be written */
	bool		inserting;		/* this row */
	FormulaRun *formulas;		/* or NULL */
	bool		warns;			/* warnings are asked for */
	ListRun    *lists;			/* or NULL */
	ImportProgress *progress;	/* of the import whose rows these are, or NULL */
	UpsertInfo	upsert;
	Datum		now;
	Datum		user;
	Datum	   *values;			/* the row to be written, by attribute */
	bool	   *nulls;
	bool	   *changed;		/* by column, of UPDATE */
} RowState;

static TriggerData *check_call(FunctionCallInfo fcinfo, const char *name, bool each_row, int events);
static RowState *begin_rows(FunctionCallInfo fcinfo, TriggerData *trigger);
static const InputTable *rules_of(Relation rel);
static void note_changes(RowState *state, TupleTableSlot *old, TupleTableSlot *new);
static void refuse_locked(const RowState *state, Relation rel, TupleTableSlot *old, TupleTableSlot *new);
static bool is_default(const RowState *state, int place, Datum value);
static bool row_passes(const RowState *state, TupleTableSlot *slot);
static bool formulas_pass(const RowState *state, TupleTableSlot *slot);
static bool must_probe(const RowState *state, const UniqueKey *key);
static bool key_of_slot(const RowState *state, const UniqueKey *key, TupleTableSlot *slot, Datum *values);
static void collect_duplicates(const RowState *state, Relation rel, TupleTableSlot *slot, int place, int64 row_id,
							   List **failures);
static bool unique_passes(const RowState *state, Relation rel, TupleTableSlot *slot, int64 row_id);
static void collect_failures(const RowState *state, Relation rel, TupleTableSlot *slot, int place, int64 row_id,
							 List **failures);
static void report(const RowState *state, Relation rel, TupleTableSlot *slot, int64 row_id);
static void append_failure(StringInfo detail, const InputTable *table, const Failure *failure);
static HeapTuple stamp(const RowState *state, Relation rel, TupleTableSlot *old, TupleTableSlot *new);
static void put(const RowState *state, AttrNumber attnum, Datum value);
static void put_old(const RowState *state, AttrNumber attnum, TupleTableSlot *old);
static void check_mode(const InputTable *table);
static void refuse_row_id_arbiter(const InputTable *table, Relation rel);

/* The events that a trigger function is written for: bits by the number of the event. */
#define EVENT_BIT(event)	(1 << ((event) & TRIGGER_EVENT_OPMASK))
#define EVENTS_OF_ROWS		(EVENT_BIT(TRIGGER_EVENT_INSERT) | EVENT_BIT(TRIGGER_EVENT_UPDATE))
#define EVENTS_OF_WRITES	(EVENTS_OF_ROWS | EVENT_BIT(TRIGGER_EVENT_DELETE))

PG_FUNCTION_INFO_V1(validate_row);
PG_FUNCTION_INFO_V1(check_statement);
PG_FUNCTION_INFO_V1(refuse_truncate);

/*
 * BEFORE INSERT OR UPDATE, each row: checks the rules, sets the system columns.
 * Raises 23514 with all failures of the row, 54000 for a cell over 64 MB, SG423
 * where a column is locked.
 */
Datum
validate_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_call(fcinfo, "validate_row", true, EVENTS_OF_ROWS);
	Relation	rel = trigger->tg_relation;
	RowState   *state = (RowState *) fcinfo->flinfo->fn_extra;
	TupleTableSlot *old = NULL;
	TupleTableSlot *new = trigger->tg_trigslot;
	int64		row_id = 0;
	HeapTuple	row;

	if (state == NULL)
		state = begin_rows(fcinfo, trigger);
	/* MERGE and upserts call for both events with the same FmgrInfo */
	state->inserting = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	if (!state->inserting)
	{
		old = trigger->tg_trigslot;
		new = trigger->tg_newslot;
		slot_getallattrs(old);
	}
	slot_getallattrs(new);
	if (!state->keep)
	{
		if (old != NULL)
		{
			note_changes(state, old, new);
			row_id = DatumGetInt64(old->tts_values[state->table->row_id - 1]);
		}
		refuse_locked(state, rel, old, new);
		if (!row_passes(state, new) || !formulas_pass(state, new) || !unique_passes(state, rel, new, row_id))
			report(state, rel, new, row_id);
	}
	else if (state->given && state->inserting && state->table->permission == MODE_DRAFT &&
			 !new->tts_isnull[state->table->row_id - 1])
		sigma_published_insert(rel, DatumGetInt64(new->tts_values[state->table->row_id - 1]));
	if (state->progress != NULL)
		sigma_progress_wrote(state->progress);
	row = stamp(state, rel, old, new);
	if (sigma_session.changes != NULL)
		sigma_row_changes_note(state->table, DatumGetInt64(state->values[state->table->row_id - 1]));
	if (state->warns)
		sigma_row_warn(state->table, state->formulas, new, state->inserting ? NULL : state->changed,
					   DatumGetInt64(state->values[state->table->row_id - 1]));
	return PointerGetDatum(row);
}

/*
 * BEFORE INSERT OR UPDATE OR DELETE, each statement.  Raises 55000 where the
 * definition is gone, SG423 where the client
 * edits the other version or inserts into a table with a protected column, 0A000 for
 * ON CONFLICT (sigma_row_id).  Sees to it that a limited table's rows are counted.
 */
Datum
check_statement(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_call(fcinfo, "check_statement", false, EVENTS_OF_WRITES);
	const InputTable *table = rules_of(trigger->tg_relation);
	bool		inserting = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	int			i;

	if (sigma_is_restore(trigger->tg_relation))
		return PointerGetDatum(NULL);
	if (!sigma_is_defined(table))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the definition of input table \"%s\" was deleted", table->id),
				 errhint("Its rows are kept to be read: create it again to write them, or purge it with sigma.delete_input_table.")));
	if (!table->audit)
		sigma_run_edits_note(table->id, 0, 0);
	if (sigma_session.origin != ORIGIN_SYSTEM)
	{
		check_mode(table);
		for (i = 0; inserting && table->any_protected && table->nlinked == 0 && i < table->ncolumn; i++)
			if (table->columns[i].is_protected)
				ereport(ERROR,
						(errcode(ERRCODE_SIGMA_LOCKED),
						 errmsg("rows cannot be inserted into input table \"%s\"", table->name),
						 errdetail("Column \"%s\" is protected.", table->columns[i].name),
						 errhint("Lift the protection of the column first."),
						 errtablecol(trigger->tg_relation, table->columns[i].attnum)));
	}
	if (inserting)
		refuse_row_id_arbiter(table, trigger->tg_relation);
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event) && !table->audit && sigma_session.changes != NULL)
		sigma_row_changes_note_deletes(table);
	if (table->max_rows > 0 && !TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		sigma_limits_ensure_count(table);
	return PointerGetDatum(NULL);
}

/* BEFORE TRUNCATE: 0A000.  No row trigger would see the rows go, and row ids could be used again. */
Datum
refuse_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_call(fcinfo, "refuse_truncate", false, EVENT_BIT(TRIGGER_EVENT_TRUNCATE));

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("data table \"%s\" cannot be truncated", RelationGetRelationName(trigger->tg_relation)),
			 errhint("Use DELETE, or sigma.import_csv with the option \"replace\"."),
			 errtable(trigger->tg_relation)));
}

/* The call as a BEFORE trigger of that level and one of those events; 39P01 for any other. */
static TriggerData *
check_call(FunctionCallInfo fcinfo, const char *name, bool each_row, int events)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		(TRIGGER_FIRED_FOR_ROW(trigger->tg_event) != 0) != each_row ||
		(EVENT_BIT(trigger->tg_event) & events) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger that it is", name)));
	return trigger;
}

/* Work out what holds for all rows of the statement; kept in fn_extra. */
static RowState *
begin_rows(FunctionCallInfo fcinfo, TriggerData *trigger)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	RowState   *state = palloc0(sizeof(RowState));
	int			natts = RelationGetDescr(trigger->tg_relation)->natts;

	state->table = rules_of(trigger->tg_relation);
	state->given = sigma_session.given_rows == RelationGetRelid(trigger->tg_relation);
	state->keep = state->given || sigma_is_restore(trigger->tg_relation);
	state->may_protected = sigma_session.origin == ORIGIN_SYSTEM;
	state->may_fixed = state->may_protected || sigma_session.origin == ORIGIN_IMPORT ||
		sigma_session.origin == ORIGIN_ACTION;
	sigma_statement_upsert(RelationGetRelid(trigger->tg_relation), &state->upsert);
	state->formulas = state->keep ? NULL : sigma_formula_run_begin(state->table, true);
	state->lists = sigma_formula_run_lists(state->formulas);
	if (sigma_session.progress != NULL && sigma_session.progress->relid == RelationGetRelid(trigger->tg_relation))
		state->progress = sigma_session.progress;
	state->warns = !state->keep && sigma_table_warns(state->table);
	state->now = TimestampTzGetDatum(GetCurrentStatementStartTimestamp());
	state->user = CStringGetTextDatum(sigma_app_user());
	state->values = palloc(sizeof(Datum) * natts);
	state->nulls = palloc(sizeof(bool) * natts);
	state->changed = palloc0(sizeof(bool) * Max(state->table->ncolumn, 1));
	fcinfo->flinfo->fn_extra = state;
	MemoryContextSwitchTo(caller_cxt);
	return state;
}

/* The compiled form of a trigger's table; 55000 where the trigger is on some other table. */
static const InputTable *
rules_of(Relation rel)
{
	const InputTable *table = sigma_data_table_rules(RelationGetRelid(rel));

	if (table == NULL || !sigma_is_whole(table))
		sigma_refuse_broken(RelationGetRelid(rel));
	return table;
}

/*
 * Is a dump being restored into the table?  Only its owner is believed, who could
 * as well disable the triggers.
 */
bool
sigma_is_restore(Relation rel)
{
	return sigma_restoring() && sigma_owns_relation(RelationGetRelid(rel), GetUserId());
}

/* Which columns does an UPDATE change?  Byte by byte, so that no rule is missed. */
static void
note_changes(RowState *state, TupleTableSlot *old, TupleTableSlot *new)
{
	const InputTable *table = state->table;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		const ColumnTypeInfo *type = &sigma_column_types[table->columns[i].type];
		int			at = table->columns[i].attnum - 1;

		if (at < 0)
			state->changed[i] = false;
		else if (old->tts_isnull[at] || new->tts_isnull[at])
			state->changed[i] = old->tts_isnull[at] != new->tts_isnull[at];
		else
			state->changed[i] = !datum_image_eq(old->tts_values[at], new->tts_values[at],
												type->by_value, type->length);
	}
}

/* SG423 where the statement writes what it may not: a row id, a protected or not editable column. */
static void
refuse_locked(const RowState *state, Relation rel, TupleTableSlot *old, TupleTableSlot *new)
{
	const InputTable *table = state->table;
	int			row_id = table->row_id - 1;
	int			i;

	if (old != NULL && (new->tts_isnull[row_id] ||
						DatumGetInt64(old->tts_values[row_id]) != DatumGetInt64(new->tts_values[row_id])))
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_LOCKED),
				 errmsg("column \"sigma_row_id\" of input table \"%s\" cannot be updated", table->name),
				 errhint("A row keeps the id that it was given.")));
	for (i = 0; i < table->ncolumn; i++)
	{
		const TableColumn *column = &table->columns[i];
		int			at = column->attnum - 1;

		if (at < 0 || (column->is_protected ? state->may_protected : column->editable || state->may_fixed))
			continue;
		if (old != NULL ? !state->changed[i] :
			new->tts_isnull[at] ||
			is_default(state, i, new->tts_values[at]))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_LOCKED),
				 errmsg(column->is_protected ? "column \"%s\" of input table \"%s\" is protected" :
						"column \"%s\" of input table \"%s\" is not editable", column->name, table->name),
				 column->is_protected ? errhint("Lift the protection of the column first.") :
				 errhint("Only defaults, imports and action sequences write it."),
				 errtablecol(rel, column->attnum)));
	}
}

/* Is the value the column's default? */
static bool
is_default(const RowState *state, int place, Datum value)
{
	const TableColumn *column = &state->table->columns[place];
	Datum		given = column->default_value;
	bool		isnull = !column->has_default;

	if (column->default_formula != NULL)
		given = sigma_formula_run_default(state->formulas, place, &isnull);
	return !isnull && sigma_value_equal(column->type, value, false, given, false);
}

/* Do all values that are to be checked pass? */
static bool
row_passes(const RowState *state, TupleTableSlot *slot)
{
	const InputTable *table = state->table;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		const TableColumn *column = &table->columns[i];
		int			at = column->attnum - 1;

		if (at < 0 || (!state->inserting && !state->changed[i]))
			continue;
		if (!sigma_column_passes(column, slot->tts_values[at], slot->tts_isnull[at]))
			return false;
		if (state->lists != NULL && !sigma_list_run_passes(state->lists, i, slot->tts_values[at], slot->tts_isnull[at]))
			return false;
	}
	return true;
}

/* Do the formula rules that are to be checked pass? */
static bool
formulas_pass(const RowState *state, TupleTableSlot *slot)
{
	return state->formulas == NULL ||
		sigma_formula_run_passes(state->formulas, slot, state->inserting ? NULL : state->changed);
}

/* Is it this trigger that reports a duplicate of the key, or an ON CONFLICT clause that takes it? */
static bool
must_probe(const RowState *state, const UniqueKey *key)
{
	return !state->inserting ||
		(!state->upsert.unknown && !state->upsert.any_index &&
		 (state->upsert.indexes == NIL || !list_member_oid(state->upsert.indexes, key->index)));
}

/* The key's values in a row; false where they cannot be in conflict: one is null, or an UPDATE changes none. */
static bool
key_of_slot(const RowState *state, const UniqueKey *key, TupleTableSlot *slot, Datum *values)
{
	bool		changed = state->inserting;
	int			i;

	for (i = 0; i < key->ncolumn; i++)
	{
		int			at = state->table->columns[key->columns[i]].attnum - 1;

		if (at < 0 || slot->tts_isnull[at])
			return false;
		values[i] = slot->tts_values[at];
		changed = changed || state->changed[key->columns[i]];
	}
	return changed;
}

/* Are the values of unique rules short enough, and free as far as can be seen? */
static bool
unique_passes(const RowState *state, Relation rel, TupleTableSlot *slot, int64 row_id)
{
	const InputTable *table = state->table;
	Datum		values[INDEX_MAX_KEYS];
	int			i;

	for (i = 0; i < table->nkey; i++)
	{
		const UniqueKey *key = &table->keys[i];

		if (key_of_slot(state, key, slot, values) &&
			(!sigma_key_fits(table, key, values) ||
			 (must_probe(state, key) && sigma_unique_holder(table, key, rel, values, row_id) != 0)))
			return false;
	}
	return true;
}

/* Raise 23514 with everything that is wrong with the row. */
static void
report(const RowState *state, Relation rel, TupleTableSlot *slot, int64 row_id)
{
	const InputTable *table = state->table;
	const bool *changed = state->inserting ? NULL : state->changed;
	List	   *failures = NIL;
	Failure    *first = NULL;
	StringInfoData detail;
	ListCell   *cell;
	int			count = 0;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		if (changed == NULL || changed[i])
			collect_failures(state, rel, slot, i, row_id, &failures);
		if (state->formulas != NULL)
			sigma_formula_run_failures(state->formulas, i, slot, changed, NULL, &failures);
	}
	if (state->formulas != NULL)
		sigma_formula_run_failures(state->formulas, -1, slot, changed, NULL, &failures);
	if (state->formulas != NULL)
		sigma_formula_run_forget(state->formulas);
	collect_duplicates(state, rel, slot, -1, row_id, &failures);

	initStringInfo(&detail);
	foreach(cell, failures)
	{
		Failure    *failure = lfirst(cell);

		if (failure->warning)
			continue;
		if (count++ == 0)
			first = failure;
		append_failure(&detail, table, failure);
		if (sigma_session.changes != NULL)
			sigma_row_changes_note_failure(table, failure);
	}
	if (first == NULL)
		return;					/* the holder of a unique value is gone by now */
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 count > 1 ? errmsg("row of input table \"%s\" violates %d rules", table->name, count) :
			 first->column == NULL ?
			 errmsg("row of input table \"%s\" violates rule \"%s\"", table->name, first->rule) :
			 errmsg("value for column \"%s\" of input table \"%s\" violates rule \"%s\"",
					first->column, table->name, first->rule),
			 errdetail_internal("%s", detail.data),
			 errhint("The rules of the table are shown by sigma.table_info(%s).", quote_literal_cstr(table->id)),
			 /* each of these names the table, and may be called once */
			 first->column != NULL ? errtablecol(rel, first->attnum) : errtable(rel),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, first->column == NULL ? first->constraint :
								psprintf("%s_%s", first->column, first->rule))));
}

/* Append what is wrong with one column's value, but for its formula; 54000 where it is too large. */
static void
collect_failures(const RowState *state, Relation rel, TupleTableSlot *slot, int place, int64 row_id, List **failures)
{
	const InputTable *table = state->table;
	const TableColumn *column = &table->columns[place];
	int			at = column->attnum - 1;
	Datum		value;

	if (at < 0)
		return;
	value = slot->tts_values[at];
	if (!slot->tts_isnull[at] && sigma_value_too_large(column->type, value))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value for column \"%s\" of input table \"%s\" is larger than 64 MB",
						column->name, table->name),
				 errtablecol(rel, column->attnum)));
	sigma_column_failures(column, value, slot->tts_isnull[at], failures);
	if (state->lists != NULL)
		sigma_list_run_failures(state->lists, place, value, slot->tts_isnull[at], failures);
	collect_duplicates(state, rel, slot, place, row_id, failures);
}

/* Append the failures of the unique rules of one column, or of the row (-1). */
static void
collect_duplicates(const RowState *state, Relation rel, TupleTableSlot *slot, int place, int64 row_id, List **failures)
{
	const InputTable *table = state->table;
	Datum		values[INDEX_MAX_KEYS];
	int			i;

	for (i = 0; i < table->nkey; i++)
	{
		const UniqueKey *key = &table->keys[i];
		int64		holder = 0;
		Failure    *failure;

		if (key->column != place || !key_of_slot(state, key, slot, values))
			continue;
		if (must_probe(state, key))
			holder = sigma_unique_holder(table, key, rel, values, row_id);
		if (holder == 0 && sigma_key_fits(table, key, values))
			continue;
		failure = sigma_unique_failure(table, key, values);
		failure->conflicts_with = holder;
		*failures = lappend(*failures, failure);
	}
}

/* One line of the detail; the value for who may read it. */
static void
append_failure(StringInfo detail, const InputTable *table, const Failure *failure)
{
	int			length = strlen(failure->message);
	bool		shown = sigma_may_read(table, failure->attnum);

	while (length > 0 && failure->message[length - 1] == '.')
		length--;
	appendStringInfo(detail, "%s%s%s %.*s (rule \"%s\"", detail->len > 0 ? "\n" : "",
					 failure->column == NULL ? "The row" : psprintf("Column \"%s\"", failure->column),
					 failure->own_message ? ":" : "", length, failure->message, failure->rule);
	if (shown && failure->value != NULL)
		appendStringInfo(detail, ", value \"%s\"", failure->value);
	if (shown && failure->conflicts_with != 0 && sigma_may_read(table, table->row_id))
		appendStringInfo(detail, ", held by row " INT64_FORMAT, failure->conflicts_with);
	appendStringInfoString(detail, ").");
}

/* The row with its system columns set, in the current, per-row context. */
static HeapTuple
stamp(const RowState *state, Relation rel, TupleTableSlot *old, TupleTableSlot *new)
{
	const InputTable *table = state->table;
	int			natts = new->tts_tupleDescriptor->natts;

	memcpy(state->values, new->tts_values, sizeof(Datum) * natts);
	memcpy(state->nulls, new->tts_isnull, sizeof(bool) * natts);
	if (old == NULL)
	{
		if (!state->keep || state->nulls[table->row_id - 1])
			put(state, table->row_id, Int64GetDatum(nextval_internal(table->row_sequence, false)));
		put(state, table->created_at, state->now);
		put(state, table->created_by, state->user);
	}
	else
	{
		put_old(state, table->created_at, old);
		put_old(state, table->created_by, old);
	}
	put(state, table->updated_at, state->now);
	put(state, table->updated_by, state->user);
	return heap_form_tuple(RelationGetDescr(rel), state->values, state->nulls);
}

/* Set a system column; a restore keeps what is given. */
static void
put(const RowState *state, AttrNumber attnum, Datum value)
{
	if (state->keep && !state->nulls[attnum - 1])
		return;
	state->values[attnum - 1] = value;
	state->nulls[attnum - 1] = false;
}

static void
put_old(const RowState *state, AttrNumber attnum, TupleTableSlot *old)
{
	if (state->keep)
		return;
	state->values[attnum - 1] = old->tts_values[attnum - 1];
	state->nulls[attnum - 1] = old->tts_isnull[attnum - 1];
}

/* SG423 where the client says that it edits the version that the table is not open for. */
static void
check_mode(const InputTable *table)
{
	EntryMode	mode = sigma_entry_mode();

	if (mode == MODE_AUTO || mode == table->permission)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_SIGMA_LOCKED),
			 errmsg(table->permission == MODE_DRAFT ? "Edits can only be made in draft mode" :
					"Edits can only be made in published mode"),
			 errdetail("Input table \"%s\" has data_entry_permission \"%s\".", table->name,
					   table->permission == MODE_DRAFT ? "draft" : "published"),
			 errhint("Set sigma.mode to %s or auto.", table->permission == MODE_DRAFT ? "draft" : "published")));
}

/* 0A000 for ON CONFLICT on the row id: a new row always gets a new one, so nothing would ever conflict. */
static void
refuse_row_id_arbiter(const InputTable *table, Relation rel)
{
	UpsertInfo	upsert;
	ListCell   *cell;
	bool		found = false;

	sigma_statement_upsert(RelationGetRelid(rel), &upsert);
	foreach(cell, upsert.indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		found = found || (index->rd_index->indnkeyatts == 1 &&
						  index->rd_index->indkey.values[0] == table->row_id);
		index_close(index, AccessShareLock);
	}
	if (found)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ON CONFLICT (sigma_row_id) is not supported"),
				 errdetail("An inserted row always gets a new row id, so that it never conflicts."),
				 errhint("Use UPDATE for rows that exist, or ON CONFLICT on a unique column."),
				 errtable(rel)));
}
