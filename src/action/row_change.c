/*
 * row_change.c
 *		Sequences that start when rows of an input table change.
 *
 * AFTER STATEMENT triggers, which data tables have only while such a sequence exists
 * (change_triggers.c), turn what a statement changed into selections.  The sequences start
 * when all triggers of the statement have fired, those of its other operations too: by
 * then the whole statement is in the edit log, and what the sequences write comes after it.
 *
 * They run as the writer, in his transaction, each contained: a failure leaves his rows,
 * is a WARNING, and stands in history.  Sequences with "when": "after_commit" are put into
 * the queue instead (due.c).  What sigma itself writes - blank rows, a discarded draft's
 * images, a rebuild - and what a restore brings starts nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "action/action.h"
#include "action/due.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "common/session.h"
#include "common/transition.h"
#include "input_table/edit_log.h"

#define MAX_SELECTED	10000	/* rows, as of loops */
#define MAX_SELECTED_BYTES	(16 * 1024 * 1024)
#define MAX_DEPTH		16		/* of changes that start sequences that change rows */

PG_FUNCTION_INFO_V1(start_row_change);

/* What one statement starts; lives as long as the statement. */
typedef struct RowChange
{
	const char *table_name;
	const char *table_id;
	List	   *now;			/* of SequenceStart */
	List	   *later;			/* the same */
} RowChange;

/* One selection while it is made. */
typedef struct Selecting
{
	const InputTable *table;
	const RowChangeStart *start;
	int			operation;
	bool	   *shown;			/* by column: the writer may read it */
	bool	   *watched;		/* by column: an update of it counts */
	TransitionReader old;
	TransitionReader new;
	JsonbParseState *state;
	int64		count;			/* changed rows */
	int			selected;		/* those in the selection */
	Size		bytes;
	bool		truncated;
} Selecting;

static int	depth = 0;			/* statements of this session whose sequences are running */
static int	held = 0;			/* see sigma_row_change_hold */

static char *hint_columns(const InputTable *table, const char *word);
static int	check_call(FunctionCallInfo fcinfo);
static RowChange *make_change(TriggerData *trigger, const InputTable *table, int operation);
static Jsonb *make_context(TriggerData *trigger, const InputTable *table, const RowChangeStart *start, int operation);
static void begin_selecting(Selecting *selecting, TriggerData *trigger);
static void select_rows(Selecting *selecting);
static bool is_watched_change(const Selecting *selecting);
static void push_row(Selecting *selecting);
static void push_cell(Selecting *selecting, const TransitionReader *reader, int column);
static void push_columns(const Selecting *selecting, JsonbParseState **state);
static const char *operation_name(int operation);
static void start_sequences(void *arg);
static void run_sequences(RowChange *change);
static void refuse_depth(const RowChange *change);
static void report_failure(const RowChange *change, Jsonb *result);
static bool is_running(const char *sequence_id);

/*
 * AFTER INSERT, UPDATE or DELETE of a data table, each statement, with transition tables:
 * start the sequences that the changed rows start.
 */
Datum
start_row_change(PG_FUNCTION_ARGS)
{
	int			operation = check_call(fcinfo);
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Tuplestorestate *rows = trigger->tg_newtable != NULL ? trigger->tg_newtable : trigger->tg_oldtable;
	MemoryContext cxt = sigma_statement_end_context();
	MemoryContext caller;
	const InputTable *table;
	RowChange  *change;

	if (held > 0 || rows == NULL || tuplestore_tuple_count(rows) == 0 ||
		sigma_session.origin == ORIGIN_SYSTEM || sigma_is_restore(trigger->tg_relation))
		return PointerGetDatum(NULL);
	table = sigma_input_table(RelationGetRelid(trigger->tg_relation));
	if (table == NULL)
		return PointerGetDatum(NULL);	/* its definition was deleted */
	caller = MemoryContextSwitchTo(cxt != NULL ? cxt : CurrentMemoryContext);
	change = make_change(trigger, table, operation);
	if (change->now == NIL && change->later == NIL)
		;
	else if (cxt != NULL)
		sigma_statement_at_end(start_sequences, change);
	else
		start_sequences(change);
	MemoryContextSwitchTo(caller);
	return PointerGetDatum(NULL);
}

/*
 * Rows that are put into tables for a test start nothing.  Calls nest; the caller
 * releases in PG_FINALLY.
 */
void
sigma_row_change_hold(bool hold)
{
	held += hold ? 1 : -1;
}

/*
 * Check a trigger document of type row_change that is being saved: SG404 for an unknown
 * table, 42703 for an unknown column, SG400 for what can never happen.
 */
void
sigma_row_change_check(const JsonNode *trigger)
{
	JsonNode   *id = sigma_json_get(trigger, "table_id");
	JsonNode   *columns = sigma_json_get(trigger, "columns");
	JsonNode   *operations = sigma_json_get(trigger, "operations");
	int			wanted = sigma_change_operations(trigger);
	const InputTable *table;
	int			i;

	if (!sigma_catalog_exists(DOCUMENT_INPUT_TABLE, id->string))
		sigma_document_error(id, ERRCODE_SIGMA_NOT_FOUND, sigma_catalog_hint(DOCUMENT_INPUT_TABLE, id->string),
							 "input table \"%s\" does not exist", id->string);
	table = sigma_input_table_by_id(id->string);
	if (columns != NULL && (wanted & ROW_UPDATE) == 0)
		sigma_document_error(columns, 0, "Leave them out, or add \"update\" to \"operations\".",
							 "\"columns\" go with updates");
	if (table->nlinked > 0 && (wanted & ROW_UPDATE) == 0)
		sigma_document_error(operations, 0, "Its rows are its source's; what is entered is an \"update\".",
							 "rows of linked input table \"%s\" are neither inserted nor deleted", table->id);
	for (i = 0; columns != NULL && i < columns->count; i++)
		if (sigma_table_column(table, columns->items[i]->string) == NULL)
			sigma_document_error(columns->items[i], ERRCODE_UNDEFINED_COLUMN, hint_columns(table, columns->items[i]->string),
								 "input table \"%s\" has no column \"%s\" that is entered", table->id, columns->items[i]->string);
}

/* The nearest name, else those that there are. */
static char *
hint_columns(const InputTable *table, const char *word)
{
	const char **names = palloc0(sizeof(char *) * (table->ncolumn + 1));
	int			i;

	for (i = 0; i < table->ncolumn; i++)
		names[i] = table->columns[i].name;
	return sigma_hint_names(word, names);
}

/* The operation that fired; 39P01 where the function was not called as the trigger that it is. */
static int
check_call(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) || TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger that it is", "start_row_change")));
	return TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? ROW_INSERT :
		TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? ROW_UPDATE : ROW_DELETE;
}

/*
 * Selections
 */

/* What the changed rows start, in the current context. */
static RowChange *
make_change(TriggerData *trigger, const InputTable *table, int operation)
{
	RowChange  *change = palloc0(sizeof(RowChange));
	int			asked = table->nlinked > 0 ? ROW_UPDATE : operation;
	ListCell   *lc;

	change->table_id = pstrdup(table->id);
	change->table_name = pstrdup(table->name);
	foreach(lc, sigma_sequences_of_table(table->id))
	{
		const RowChangeStart *wanted = lfirst(lc);
		SequenceStart *start;
		Jsonb	   *context;

		if ((wanted->operations & asked) == 0 ||
			(context = make_context(trigger, table, wanted, operation)) == NULL)
			continue;
		start = palloc(sizeof(SequenceStart));
		start->sequence_id = pstrdup(wanted->sequence_id);
		start->context = context;
		/* it does not wait for itself: such a run is recorded as skipped */
		if (wanted->after_commit && !is_running(wanted->sequence_id))
			change->later = lappend(change->later, start);
		else
			change->now = lappend(change->now, start);
	}
	return change;
}

/* The context of one sequence's run; NULL where no row changed that it is for. */
static Jsonb *
make_context(TriggerData *trigger, const InputTable *table, const RowChangeStart *start, int operation)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt = AllocSetContextCreate(caller, "sigma row change", ALLOCSET_DEFAULT_SIZES);
	Selecting	selecting = {.table = table, .start = start, .operation = operation};
	JsonbParseState *state = NULL;
	JsonbValue	rows;
	Jsonb	   *context = NULL;

	MemoryContextSwitchTo(cxt);
	begin_selecting(&selecting, trigger);
	pushJsonbValue(&selecting.state, WJB_BEGIN_ARRAY, NULL);
	select_rows(&selecting);
	rows = *pushJsonbValue(&selecting.state, WJB_END_ARRAY, NULL);
	sigma_transition_end(&selecting.old);
	sigma_transition_end(&selecting.new);
	if (selecting.count > 0)
	{
		Jsonb	   *selected = JsonbValueToJsonb(&rows);

		rows.type = jbvBinary;
		rows.val.binary.data = &selected->root;
		rows.val.binary.len = VARSIZE(selected) - VARHDRSZ;
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		if (start->after_commit)
			sigma_push_text(&state, "user_id", sigma_app_user());
		sigma_push_key(&state, "selection");
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		sigma_push_value(&state, "rows", &rows);
		push_columns(&selecting, &state);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
		sigma_push_key(&state, "metadata");
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		sigma_push_text(&state, "table_id", table->id);
		sigma_push_text(&state, "operation", operation_name(table->nlinked > 0 ? ROW_UPDATE : operation));
		sigma_push_int(&state, "row_count", selecting.count);
		if (selecting.truncated)
			sigma_push_bool(&state, "truncated", true);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
		MemoryContextSwitchTo(caller);
		context = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(cxt);
	if (selecting.truncated)
		ereport(WARNING,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sequence \"%s\" is given %d of " INT64_FORMAT " changed rows of input table \"%s\"",
						start->sequence_id, selecting.selected, selecting.count, table->name),
				 errdetail("A selection has at most %d rows and %d MB.", MAX_SELECTED, MAX_SELECTED_BYTES / (1024 * 1024))));
	return context;
}

/* Which columns are shown and watched, and readers at the first rows. */
static void
begin_selecting(Selecting *selecting, TriggerData *trigger)
{
	const InputTable *table = selecting->table;
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			i;

	selecting->shown = palloc(sizeof(bool) * (table->ncolumn + 1));
	selecting->watched = palloc(sizeof(bool) * (table->ncolumn + 1));
	for (i = 0; i < table->ncolumn; i++)
	{
		ListCell   *lc;

		selecting->shown[i] = AttributeNumberIsValid(table->columns[i].attnum) &&
			sigma_may_select(table, table->columns[i].attnum);
		selecting->watched[i] = selecting->start->columns == NIL;
		foreach(lc, selecting->start->columns)
			if (strcmp(lfirst(lc), table->columns[i].name) == 0)
				selecting->watched[i] = true;
	}
	sigma_transition_begin(&selecting->old, trigger->tg_oldtable, desc);
	sigma_transition_begin(&selecting->new, trigger->tg_newtable, desc);
}

/* The changed rows into the open array, as many as there is room for; all are counted. */
static void
select_rows(Selecting *selecting)
{
	while ((selecting->old.store == NULL || sigma_transition_next(&selecting->old)) &&
		   (selecting->new.store == NULL || sigma_transition_next(&selecting->new)))
	{
		CHECK_FOR_INTERRUPTS();
		if (selecting->operation == ROW_UPDATE && !is_watched_change(selecting))
			continue;
		selecting->count++;
		if (selecting->selected >= MAX_SELECTED || selecting->bytes > MAX_SELECTED_BYTES)
			selecting->truncated = true;
		else
			push_row(selecting);
	}
}

/* Does the update change a watched column of the current row? */
static bool
is_watched_change(const Selecting *selecting)
{
	const InputTable *table = selecting->table;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		const ColumnTypeInfo *type = &sigma_column_types[table->columns[i].type];

		if (selecting->watched[i] && AttributeNumberIsValid(table->columns[i].attnum) &&
			sigma_transition_differs(&selecting->old, &selecting->new, table->columns[i].attnum - 1, type->by_value, type->length))
			return true;
	}
	return false;
}

/* One row: its id, its columns as they are now (a deleted one's as they were), and what an update found. */
static void
push_row(Selecting *selecting)
{
	const InputTable *table = selecting->table;
	bool		updated = selecting->operation == ROW_UPDATE;
	const TransitionReader *reader = selecting->new.store != NULL ? &selecting->new : &selecting->old;
	int			i;

	pushJsonbValue(&selecting->state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_int(&selecting->state, "sigma_row_id", DatumGetInt64(reader->slot->tts_values[table->row_id - 1]));
	for (i = 0; i < table->ncolumn; i++)
		if (selecting->shown[i])
			push_cell(selecting, reader, i);
	if (updated)
	{
		sigma_push_key(&selecting->state, "sigma_old");
		pushJsonbValue(&selecting->state, WJB_BEGIN_OBJECT, NULL);
		for (i = 0; i < table->ncolumn; i++)
		{
			const ColumnTypeInfo *type = &sigma_column_types[table->columns[i].type];

			if (selecting->shown[i] &&
				sigma_transition_differs(&selecting->old, &selecting->new, table->columns[i].attnum - 1, type->by_value, type->length))
				push_cell(selecting, &selecting->old, i);
		}
		pushJsonbValue(&selecting->state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(&selecting->state, WJB_END_OBJECT, NULL);
	selecting->selected++;
}

/* One member of the open object, in the form that clients get. */
static void
push_cell(Selecting *selecting, const TransitionReader *reader, int column)
{
	const TableColumn *of = &selecting->table->columns[column];
	Datum		value = reader->slot->tts_values[of->attnum - 1];
	bool		isnull = reader->slot->tts_isnull[of->attnum - 1];
	JsonbValue	cell;

	sigma_value_to_json(of->type, value, isnull, &cell);
	sigma_push_value(&selecting->state, of->name, &cell);
	selecting->bytes += sigma_log_size(of->type, value, isnull) + strlen(of->name);
}

/* "columns": the names of those that rows have. */
static void
push_columns(const Selecting *selecting, JsonbParseState **state)
{
	int			i;

	sigma_push_key(state, "columns");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < selecting->table->ncolumn; i++)
		if (selecting->shown[i])
		{
			JsonbValue	name;

			name.type = jbvString;
			name.val.string.val = unconstify(char *, selecting->table->columns[i].name);
			name.val.string.len = strlen(name.val.string.val);
			pushJsonbValue(state, WJB_ELEM, &name);
		}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static const char *
operation_name(int operation)
{
	return operation == ROW_INSERT ? "insert" : operation == ROW_UPDATE ? "update" : "delete";
}

/*
 * Starting
 */

/*
 * StatementEndWork: queue and run what a change starts.  What the statement is a part of -
 * an import, an undo, the session of sigma itself - does not reach into the runs.
 */
static void
start_sequences(void *arg)
{
	SessionState session = sigma_session;
	LogGroup   *group = sigma_log_group_leave(NULL);
	int			outer_depth = depth;

	PG_TRY();
	{
		sigma_session.given_rows = InvalidOid;
		sigma_session.formula_user = InvalidOid;
		sigma_session.progress = NULL;
		depth++;
		run_sequences(arg);
	}
	PG_FINALLY();
	{
		depth = outer_depth;
		sigma_session = session;
		(void) sigma_log_group_leave(group);
	}
	PG_END_TRY();
}

static void
run_sequences(RowChange *change)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma row change runs", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller;
	ListCell   *lc;

	check_stack_depth();
	/* conditions see what the statement did */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	caller = MemoryContextSwitchTo(cxt);
	if (depth > MAX_DEPTH || (change->later != NIL && sigma_event_depth() >= MAX_DEPTH))
		refuse_depth(change);
	else
	{
		foreach(lc, change->later)
		{
			SequenceStart *start = lfirst(lc);

			sigma_event_put(start->sequence_id, change->table_id, start->context);
		}
		foreach(lc, sigma_fire(change->now))
			report_failure(change, lfirst(lc));
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(cxt);
	PopActiveSnapshot();
}

/* Changes start sequences that change rows, and so on: this one is recorded as failed. */
static void
refuse_depth(const RowChange *change)
{
	ListCell   *lc;

	foreach(lc, list_concat_copy(change->now, change->later))
		report_failure(change, sigma_fire_failed(lfirst(lc), ERRCODE_STATEMENT_TOO_COMPLEX,
												 psprintf("row changes start each other more than %d deep", MAX_DEPTH),
												 "Look which sequences write the tables that start them."));
}

/* A run that failed is a WARNING: the rows that started it stay. */
static void
report_failure(const RowChange *change, Jsonb *result)
{
	JsonNode   *document = sigma_json_read(result);
	JsonNode   *error = sigma_json_get(document, "error");
	const char *sqlstate = sigma_json_get_string(error, "sqlstate", "XX000");

	if (strcmp(sigma_json_get_string(document, "status", ""), "failed") != 0)
		return;
	ereport(WARNING,
			(errcode(MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2], sqlstate[3], sqlstate[4])),
			 errmsg("sequence \"%s\", started by a change of input table \"%s\", failed: %s",
					sigma_json_get_string(document, "sequence_id", ""), change->table_name,
					sigma_json_get_string(error, "message", "")),
			 errhint("The rows are written. sigma.run_history('{\"failed\": true}') has the run.")));
}

/* Does the sequence run further up this session's stack? */
static bool
is_running(const char *sequence_id)
{
	const Run  *run;

	for (run = sigma_run_current(); run != NULL; run = run->outer)
		if (!run->sequence->is_action && strcmp(run->sequence->id, sequence_id) == 0)
			return true;
	return false;
}
