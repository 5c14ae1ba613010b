/*
 * entry.c
 *		sigma.handle_data_entry and sigma.validate_data: JSON rows into a batch.
 *
 * Rows are read straight from the jsonb, never as trees.  Rows that name an
 * existing row are read first, then the rows to insert, because a batch wants
 * them in that order; the result is in the order of the input all the same.
 *
 * What is wrong with the document (a row that is no object, an unknown column)
 * raises SG400 with its path in every mode; what is wrong with a value is a failure.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/text.h"
#include "common/argument.h"
#include "common/document.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "compat.h"
#include "input_table/batch.h"
#include "input_table/linked.h"

/* What a key of a row means: a place in table->columns, or one of these. */
#define KEY_ROW_ID			(-1)
#define KEY_DELETE			(-2)
#define KEY_IF_UPDATED_AT	(-3)
#define KEY_IF_EDIT			(-4)
#define KEY_STAMP			(-5)	/* a system column that the trigger writes */

/* A key of the row before, at the same place: rows mostly have the same keys. */
typedef struct KnownKey
{
	const char *key;			/* in the jsonb */
	int			length;
	int			meaning;
} KnownKey;

/* Reads the rows of one call. */
typedef struct EntryReader
{
	Batch	   *batch;
	bool		is_array;		/* else the one row is the document itself */
	int			row;			/* being read */
	int			nknown;
	int			known_size;
	KnownKey   *known;
	int		   *given_by;		/* by place: 1 + the row that gave the column last */
	LinkedRows *linked;			/* of a linked table: the keys of the rows, else NULL */
} EntryReader;

/* The parts of a row that are no cells. */
typedef struct EntryRow
{
	bool		has_row_id;
	int64		row_id;
	bool		remove;
	RowGuard	guard;
	bool		in_source;		/* of a linked table: there is a row of that key, ... */
	Datum	   *keys;			/* ... which is this */
	bool	   *key_nulls;
	int			first;			/* the first row of the input that has that key */
} EntryRow;

PG_FUNCTION_INFO_V1(handle_data_entry);
PG_FUNCTION_INFO_V1(validate_data);

static void check_arguments(FunctionCallInfo fcinfo, const char *const *names);
static void read_options(Jsonb *given, const InputTable *table, BatchOptions *options);
static LinkedRows *read_rows(Batch *batch, Jsonb *rows);
static void push_keys(Batch *batch, const LinkedRows *linked, JsonbParseState **state);
static void read_pass(EntryReader *reader, Jsonb *rows, bool existing);
static void read_row(EntryReader *reader, JsonbContainer *object, bool existing);
static void read_controls(EntryReader *reader, JsonbContainer *object, EntryRow *row);
static void read_edit(EntryReader *reader, const JsonbValue *given, EntryRow *row);
static bool is_key(const EntryReader *reader, int column);
static void find_linked_row(EntryReader *reader, JsonbContainer *object, EntryRow *row);
static void give_key(EntryReader *reader, const EntryRow *row);
static bool is_control(const EntryReader *reader, const char *key);
static void read_cells(EntryReader *reader, JsonbContainer *object, bool skip);
static void read_cell(EntryReader *reader, int column, const JsonbValue *given);
static int	key_meaning(EntryReader *reader, int place, const JsonbValue *key);
static int	find_meaning(EntryReader *reader, const JsonbValue *key);
static TimestampTz read_stamp(EntryReader *reader, const JsonbValue *given);
static char *value_text(const JsonbValue *given);
static const char *kind_name(const JsonbValue *given);
static void refuse(const EntryReader *reader, const char *key, int sqlstate, const char *hint,
				   const char *message,...) pg_attribute_printf(5, 6) pg_attribute_noreturn();

/*
 * handle_data_entry(table_id text, rows jsonb, mode text, options jsonb) returns jsonb
 *
 * Raises SG404 (no such table), SG400 (documents), 42501, in strict mode 23514, SG409
 * or SG404 for failures, and what the table's triggers raise for whole statements.
 */
Datum
handle_data_entry(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"table_id", "rows", "mode", "options", NULL};
	BatchOptions options = {0};
	const InputTable *table;
	LinkedRows *linked;
	Batch	   *batch;
	JsonbParseState *state = NULL;

	check_arguments(fcinfo, names);
	options.mode = sigma_batch_mode(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	options.origin = ORIGIN_ENTRY;
	options.row_ids = true;
	table = sigma_batch_table(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	read_options(PG_GETARG_JSONB_P(3), table, &options);

	batch = sigma_batch_begin(table, &options);
	linked = read_rows(batch, PG_GETARG_JSONB_P(1));
	sigma_batch_write(batch);

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_batch_push(batch, &state);
	if (linked != NULL)
		push_keys(batch, linked, &state);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/*
 * validate_data(table_id text, rows jsonb, max_failures int)
 *		returns table("row" int, "column" text, rule text, severity text, value text, message text)
 *
 * The failures that handle_data_entry would report for the same rows; nothing is
 * written and no row is locked.  Raises as it does for documents and rights.
 */
Datum
validate_data(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"table_id", "rows", "max_failures", NULL};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	BatchOptions options = {0};
	const InputTable *table;
	Batch	   *batch;
	ListCell   *lc;

	check_arguments(fcinfo, names);
	options.mode = BATCH_STRICT;
	options.origin = ORIGIN_ENTRY;
	options.check_only = true;
	options.max_failures = PG_GETARG_INT32(2);
	if (options.max_failures < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"max_failures\" must be at least 1")));

	InitMaterializedSRF(fcinfo, 0);
	table = sigma_batch_table(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	batch = sigma_batch_begin(table, &options);
	(void) read_rows(batch, PG_GETARG_JSONB_P(1));
	sigma_batch_write(batch);

	foreach(lc, sigma_batch_failures(batch))
	{
		const Failure *failure = lfirst(lc);
		Datum		values[6];
		bool		nulls[6] = {false};

		values[0] = Int32GetDatum(failure->row);
		nulls[1] = failure->column == NULL;
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(failure->column);
		values[2] = CStringGetTextDatum(failure->rule);
		values[3] = CStringGetTextDatum(failure->warning ? "warn" : "error");
		nulls[4] = failure->value == NULL || !sigma_may_read(table, failure->attnum);
		values[4] = nulls[4] ? (Datum) 0 : CStringGetTextDatum(failure->value);
		values[5] = CStringGetTextDatum(failure->message);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* "keys" beside "row_ids": which rows of a linked table were written. */
static void
push_keys(Batch *batch, const LinkedRows *linked, JsonbParseState **state)
{
	int64		count = sigma_batch_written(batch);
	int64		i;

	sigma_push_key(state, "keys");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < count; i++)
		sigma_linked_rows_push(linked, sigma_batch_written_row(batch, i), state);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* 22004 for an argument that is NULL. */
static void
check_arguments(FunctionCallInfo fcinfo, const char *const *names)
{
	int			i;

	for (i = 0; names[i] != NULL; i++)
		sigma_require_argument(fcinfo, i, names[i]);
}

/* Read {key, on_conflict}; SG400 with the path where something else stands there. */
static void
read_options(Jsonb *given, const InputTable *table, BatchOptions *options)
{
	static const char *const names[] = {"key", "on_conflict", NULL};
	JsonNode   *document = sigma_json_read(given);
	JsonNode   *on_conflict;
	int			i;

	if (document->kind != JSON_OBJECT)
		sigma_document_error(document, 0, NULL, "the options of a data entry must be an object, not %s",
							 sigma_json_kind_name(document));
	for (i = 0; i < document->count; i++)
	{
		const char *key = document->items[i]->key;

		if (strcmp(key, "key") != 0 && strcmp(key, "on_conflict") != 0 && strcmp(key, "onConflict") != 0)
			sigma_document_error(document->items[i], 0, sigma_hint_names(key, names),
								 "unknown option \"%s\" of a data entry", key);
	}
	on_conflict = sigma_json_get(document, "on_conflict");
	if (sigma_json_get(document, "onConflict") != NULL)
	{
		if (on_conflict != NULL)
			sigma_document_error(on_conflict, 0, NULL, "\"on_conflict\" is given twice");
		on_conflict = sigma_json_get(document, "onConflict");
	}
	sigma_batch_key(options, table, sigma_json_get(document, "key"), on_conflict);
}

/* ------------------------------------------------------------------------
 * Rows
 * ------------------------------------------------------------------------ */

/* Give all rows to the batch.  Returns the keys of the rows of a linked table, else NULL. */
static LinkedRows *
read_rows(Batch *batch, Jsonb *rows)
{
	EntryReader reader = {0};

	reader.batch = batch;
	reader.is_array = JB_ROOT_IS_ARRAY(rows);
	reader.known_size = 16;
	reader.known = palloc(sizeof(KnownKey) * reader.known_size);
	reader.given_by = palloc0(sizeof(int) * Max(batch->table->ncolumn, 1));
	if (batch->table->nlinked > 0)
		reader.linked = sigma_linked_rows(batch->table);
	if (JB_ROOT_IS_SCALAR(rows))
	{
		JsonbValue	scalar;

		reader.is_array = false;
		(void) JsonbExtractScalar(&rows->root, &scalar);
		refuse(&reader, NULL, 0, NULL, "rows must be an object or an array of objects, not %s", kind_name(&scalar));
	}
	if (!reader.is_array)
	{
		read_row(&reader, &rows->root, true);
		read_row(&reader, &rows->root, false);
		return reader.linked;
	}
	read_pass(&reader, rows, true);
	read_pass(&reader, rows, false);
	return reader.linked;
}

/* Read the rows that name an existing row, or the others. */
static void
read_pass(EntryReader *reader, Jsonb *rows, bool existing)
{
	JsonbIterator *iterator = JsonbIteratorInit(&rows->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	reader->row = -1;
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		CHECK_FOR_INTERRUPTS();
		reader->row++;
		if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
			refuse(reader, NULL, 0, NULL, "a row must be an object, not %s", kind_name(&value));
		read_row(reader, value.val.binary.data, existing);
	}
}

/* Read one row, if it is of the kind that this pass reads. */
static void
read_row(EntryReader *reader, JsonbContainer *object, bool existing)
{
	Batch	   *batch = reader->batch;
	EntryRow	row = {0};
	MemoryContext caller;

	read_controls(reader, object, &row);
	if (row.has_row_id != existing)
		return;
	sigma_batch_row(batch, reader->row, 0);
	caller = MemoryContextSwitchTo(batch->row_cxt);
	read_cells(reader, object, row.remove);
	if (batch->table->nlinked > 0 && !existing)
		give_key(reader, &row);
	MemoryContextSwitchTo(caller);
	if (!existing)
		sigma_batch_insert(batch);
	else if (row.remove)
		sigma_batch_delete(batch, row.row_id, &row.guard);
	else
		sigma_batch_update(batch, row.row_id, &row.guard);
}

/* Read what is no cell: which row is meant, and what is to become of it. */
static void
read_controls(EntryReader *reader, JsonbContainer *object, EntryRow *row)
{
	JsonbValue	buffer;
	JsonbValue *found;
	const char *why;
	Datum		value;
	bool		isnull;

	if (reader->batch->table->nlinked > 0)
		find_linked_row(reader, object, row);
	found = reader->batch->table->nlinked > 0 ? NULL :
		getKeyJsonValueFromContainer(object, "sigma_row_id", strlen("sigma_row_id"), &buffer);
	if (found != NULL && found->type != jbvNull)
	{
		if (!sigma_value_from_json(COLUMN_INTEGER, found, &value, &isnull, &why))
			refuse(reader, "sigma_row_id", 0, NULL, "\"sigma_row_id\" %s", why);
		row->has_row_id = true;
		row->row_id = DatumGetInt64(value);
	}
	found = getKeyJsonValueFromContainer(object, "_delete", strlen("_delete"), &buffer);
	if (found != NULL && is_control(reader, "_delete"))
	{
		if (found->type != jbvBool)
			refuse(reader, "_delete", 0, NULL, "\"_delete\" must be a boolean, not %s", kind_name(found));
		row->remove = found->val.boolean;
		if (row->remove && reader->batch->table->nlinked > 0)
			refuse(reader, "_delete", ERRCODE_SIGMA_LOCKED, "Set the entry columns to null to clear a row, or delete it in the source.",
				   "rows of linked input table \"%s\" cannot be deleted", reader->batch->table->name);
		if (row->remove && !row->has_row_id)
			refuse(reader, "_delete", 0, "Add \"sigma_row_id\": the row to delete.", "the row to delete is not named");
	}
	found = getKeyJsonValueFromContainer(object, "_if_edit", strlen("_if_edit"), &buffer);
	if (found != NULL && is_control(reader, "_if_edit"))
		read_edit(reader, found, row);
	found = getKeyJsonValueFromContainer(object, "_if_updated_at", strlen("_if_updated_at"), &buffer);
	if (found != NULL && is_control(reader, "_if_updated_at"))
	{
		if (!row->has_row_id)
			refuse(reader, "_if_updated_at", 0, "Add \"sigma_row_id\": the row that must not have changed.",
				   "\"_if_updated_at\" needs a row");
		row->guard.has_stamp = true;
		row->guard.stamp = read_stamp(reader, found);
	}
}

/*
 * Read "_if_edit": SG400 where it is no number of an edit or names no row, 55000 where no
 * log is kept.  A row of a linked table needs no entry so far: it is then stale.
 */
static void
read_edit(EntryReader *reader, const JsonbValue *given, EntryRow *row)
{
	const InputTable *table = reader->batch->table;
	const char *why = "must not be null";
	bool		isnull = true;
	Datum		value;

	if (!sigma_value_from_json(COLUMN_INTEGER, given, &value, &isnull, &why) || isnull)
		refuse(reader, "_if_edit", 0, "Send the number of the edit that wrote the row last, as it was read.",
			   "\"_if_edit\" %s", why);
	if (!row->has_row_id && table->nlinked == 0)
		refuse(reader, "_if_edit", 0, "Add \"sigma_row_id\": the row that must not have changed.",
			   "\"_if_edit\" needs a row");
	if (!table->audit || !OidIsValid(table->log.relid))
		refuse(reader, "_if_edit", ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
			   "Use \"_if_updated_at\" with the row's sigma_updated_at.",
			   "input table \"%s\" keeps no edit log", table->name);
	row->guard.has_edit = true;
	row->guard.edit = DatumGetInt64(value);
}

/* Is the column of that place part of a linked table's key? */
static bool
is_key(const EntryReader *reader, int column)
{
	return column >= reader->batch->table->ncolumn - reader->batch->table->nlinked;
}

/*
 * Which row of a linked table is meant: the whole key must be given.  A row that
 * something was entered for is one with a row id; SG423 where the key is not whole.
 */
static void
find_linked_row(EntryReader *reader, JsonbContainer *object, EntryRow *row)
{
	const InputTable *table = reader->batch->table;
	int			first = table->ncolumn - table->nlinked;
	int			i;

	row->keys = palloc0(sizeof(Datum) * table->nlinked);
	row->key_nulls = palloc0(sizeof(bool) * table->nlinked);
	for (i = 0; i < table->nlinked; i++)
	{
		const TableColumn *column = &table->columns[first + i];
		JsonbValue	buffer;
		JsonbValue *found = getKeyJsonValueFromContainer(object, column->name, strlen(column->name), &buffer);
		const char *why;

		if (found == NULL)
			refuse(reader, NULL, ERRCODE_SIGMA_LOCKED, "Name the row by its whole key: rows come from the source.",
				   "key column \"%s\" of linked input table \"%s\" is missing", column->name, table->name);
		if (!sigma_value_from_json(column->type, found, &row->keys[i], &row->key_nulls[i], &why))
			refuse(reader, column->name, 0, NULL, "key column \"%s\" %s", column->name, why);
	}
	row->in_source = sigma_linked_find(table, row->keys, row->key_nulls, &row->row_id);
	row->has_row_id = row->in_source && row->row_id != 0;
	row->first = sigma_linked_rows_add(reader->linked, reader->row, row->keys, row->key_nulls);
}

/* A row of a linked table that nothing was entered for gets its key; one that is not there is bad. */
static void
give_key(EntryReader *reader, const EntryRow *row)
{
	Batch	   *batch = reader->batch;
	int			first = batch->table->ncolumn - batch->table->nlinked;
	int			i;

	if (!row->in_source)
	{
		sigma_batch_bad_row(batch, "row", "there is no row of that key in the source");
		return;
	}
	if (row->guard.has_edit)
	{
		sigma_batch_bad_row(batch, "stale", "nothing is entered for the row that \"_if_edit\" is about");
		return;
	}
	if (row->first < reader->row)
	{
		sigma_batch_bad_row(batch, "repeated",
							psprintf("the row of that key is changed by row %d of the input already", row->first));
		return;
	}
	for (i = 0; i < batch->table->nlinked; i++)
		sigma_batch_value(batch, first + i, row->keys[i], row->key_nulls[i]);
}

/* A column of that very name comes before what the name means otherwise. */
static bool
is_control(const EntryReader *reader, const char *key)
{
	const InputTable *table = reader->batch->table;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
		if (strcmp(table->columns[i].name, key) == 0)
			return false;
	return true;
}

/* Give the cells of a row to the batch; "skip": just see that their columns exist. */
static void
read_cells(EntryReader *reader, JsonbContainer *object, bool skip)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			place = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		int			meaning;

		if (token != WJB_KEY)
			continue;
		meaning = key_meaning(reader, place++, &value);
		if (meaning < 0)
		{
			(void) JsonbIteratorNext(&iterator, &value, true);
			continue;
		}
		if (reader->given_by[meaning] == reader->row + 1)
			refuse(reader, pnstrdup(value.val.string.val, value.val.string.len), 0, NULL,
				   "column \"%s\" is given twice", reader->batch->table->columns[meaning].name);
		reader->given_by[meaning] = reader->row + 1;
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (!skip && !is_key(reader, meaning))
			read_cell(reader, meaning, &value);
	}
}

/* Give one cell to the batch. */
static void
read_cell(EntryReader *reader, int column, const JsonbValue *given)
{
	Batch	   *batch = reader->batch;
	Datum		value;
	bool		isnull;
	const char *why;

	if (sigma_value_from_json(batch->table->columns[column].type, given, &value, &isnull, &why))
		sigma_batch_value(batch, column, value, isnull);
	else
	{
		char	   *text = value_text(given);

		sigma_batch_bad_value(batch, column, text, strlen(text), why);
	}
}

/* What a key means, remembered from the row before where that has the same key at the same place. */
static int
key_meaning(EntryReader *reader, int place, const JsonbValue *key)
{
	KnownKey   *known;

	if (place < reader->nknown)
	{
		known = &reader->known[place];
		if (known->length == key->val.string.len &&
			memcmp(known->key, key->val.string.val, known->length) == 0)
			return known->meaning;
	}
	else
	{
		if (place == reader->known_size)
		{
			reader->known_size *= 2;
			reader->known = repalloc_huge(reader->known, sizeof(KnownKey) * reader->known_size);
		}
		reader->nknown = place + 1;
		known = &reader->known[place];
	}
	known->meaning = find_meaning(reader, key);
	known->key = key->val.string.val;
	known->length = key->val.string.len;
	return known->meaning;
}

/* What a key means; SG400 where it is no column. */
static int
find_meaning(EntryReader *reader, const JsonbValue *key)
{
	static const struct
	{
		const char *name;
		int			meaning;
	}			controls[] =
	{
		{"sigma_row_id", KEY_ROW_ID}, {"_delete", KEY_DELETE},
		{"_if_updated_at", KEY_IF_UPDATED_AT}, {"_if_edit", KEY_IF_EDIT},
		{"sigma_created_at", KEY_STAMP}, {"sigma_updated_at", KEY_STAMP},
		{"sigma_created_by", KEY_STAMP}, {"sigma_updated_by", KEY_STAMP},
	};
	const InputTable *table = reader->batch->table;
	char	   *name = pnstrdup(key->val.string.val, key->val.string.len);
	const TableColumn *column;
	int			i;

	for (i = 0; i < lengthof(controls); i++)
		if (strcmp(name, controls[i].name) == 0 && is_control(reader, name) &&
			(controls[i].meaning != KEY_ROW_ID || table->nlinked == 0))
			return controls[i].meaning;
	column = sigma_table_column(table, name);
	if (column == NULL && sigma_table_is_computed(table, name))
		refuse(reader, name, ERRCODE_SIGMA_LOCKED, "Nobody writes it: leave it out.",
			   "column \"%s\" of input table \"%s\" is computed", name, table->name);
	if (column == NULL && table->nlinked > 0 && sigma_linked_shows(table, name, NULL, NULL))
		refuse(reader, name, ERRCODE_SIGMA_LOCKED, "It shows the value of the source: change it there.",
			   "column \"%s\" of input table \"%s\" is linked", name, table->name);
	if (column == NULL)
		refuse(reader, name, 0, sigma_batch_column_hint(table, name),
			   "input table \"%s\" has no column \"%s\"", table->name, name);
	return column - table->columns;
}

/* A timestamp with time zone; SG400 where it is none. */
static TimestampTz
read_stamp(EntryReader *reader, const JsonbValue *given)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile Datum stamp = (Datum) 0;
	char	   *text;

	if (given->type != jbvString)
		refuse(reader, "_if_updated_at", 0, NULL, "\"_if_updated_at\" must be a string, not %s", kind_name(given));
	text = pnstrdup(given->val.string.val, given->val.string.len);
	PG_TRY();
	{
		stamp = DirectFunctionCall3(timestamptz_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
									Int32GetDatum(-1));
	}
	PG_CATCH();
	{
		ErrorData  *error;

		/* always rethrown, in the words of a document's error where the text is to blame */
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		refuse(reader, "_if_updated_at", 0, "Send sigma_updated_at as it was read.", "%s", error->message);
	}
	PG_END_TRY();
	return DatumGetTimestampTz(stamp);
}

/* A JSON value as text for a failure: strings as they are. */
static char *
value_text(const JsonbValue *given)
{
	switch (given->type)
	{
		case jbvString:
			return pnstrdup(given->val.string.val, given->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(given->val.numeric)));
		case jbvBool:
			return pstrdup(given->val.boolean ? "true" : "false");
		case jbvBinary:
			return JsonbToCString(NULL, given->val.binary.data, given->val.binary.len);
		default:
			return pstrdup("null");
	}
}

/* What a person calls this kind of value. */
static const char *
kind_name(const JsonbValue *given)
{
	switch (given->type)
	{
		case jbvNull:
			return "null";
		case jbvString:
			return "a string";
		case jbvNumeric:
			return "a number";
		case jbvBool:
			return "a boolean";
		case jbvBinary:
			return JsonContainerIsObject(given->val.binary.data) ? "an object" : "an array";
		default:
			return "another value";
	}
}

/*
 * Raise an error about the row being read, or about a key of it: the path becomes
 * DETAIL, in the form of sigma_json_path.  SG400 unless "sqlstate" is not 0.
 */
static void
refuse(const EntryReader *reader, const char *key, int sqlstate, const char *hint, const char *message,...)
{
	char	   *text;
	va_list		args;
	JsonNode   *where = sigma_json_new(JSON_NULL, NULL);
	JsonNode   *inner;

	va_start(args, message);
	text = sigma_text_format(message, args);
	va_end(args);
	if (reader->is_array)
	{
		inner = sigma_json_new(JSON_NULL, NULL);
		inner->origin = where;
		inner->origin_index = reader->row;
		where = inner;
	}
	if (key != NULL)
	{
		inner = sigma_json_new(JSON_NULL, NULL);
		inner->origin = where;
		inner->origin_key = key;
		where = inner;
	}
	sigma_document_error(where, sqlstate, hint, "%s", text);
}
