/*
 * edit_log_schema.c
 *		Columns through time, and what the rows of an entry say.
 *
 * Entries name columns as they were called when they were written.  A schema holds the
 * columns as they were at one point of the log; it is moved along by applying column
 * entries on the way forwards, or reverting them on the way back.  A column keeps its
 * slot whatever it is called.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "common/catalog.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"

/* The columns and cells of one entry, while its rows are visited. */
typedef struct EntryCells
{
	int			ncell;
	LogColumn **columns;
	JsonbValue *old;
	JsonbValue *new;
} EntryCells;

static LogColumn *slot_of(LogSchema *schema, const char *id);
static void set_document(LogColumn *column, const JsonNode *document);
static void appear(LogSchema *schema, const JsonNode *document, int64 position);
static void vanish(LogSchema *schema, LogColumn *column);
static void read_checkpoint_columns(LogSchema *schema, const JsonbContainer *payload);
static JsonNode *member(const JsonbContainer *payload, const char *key);
static const char *column_id(const JsonbContainer *payload);
static int64 position_of(const JsonbContainer *payload);
static void visit_one(LogSchema *schema, const LogEntry *entry, const JsonbContainer *payload, HTAB *only, LogRowVisitor visit, void *arg);
static void visit_many(LogSchema *schema, const LogEntry *entry, const JsonbContainer *payload, HTAB *only, LogRowVisitor visit, void *arg);
static bool is_wanted(HTAB *only, int64 row_id);
static void read_names(LogSchema *schema, const JsonbContainer *names, EntryCells *cells);
static void read_object(LogSchema *schema, const JsonbContainer *object, EntryCells *cells, bool old);
static LogColumn *find_named(LogSchema *schema, const JsonbValue *name);
static void read_array(const LogEntry *entry, const JsonbContainer *array, int from, JsonbValue *values, int count);
static void read_stamps(const LogEntry *entry, const JsonbContainer *payload, LogStamps *stamps);
static void read_row_stamps(const JsonbContainer *array, LogStamps *stamps);
static bool read_moment(const JsonbValue *value, TimestampTz *moment);
static const char *text_of(const JsonbValue *value);
static void make_cells(EntryCells *cells, int size);
static int64 int_of(const LogEntry *entry, const JsonbValue *value);
static const JsonbContainer *container_of(const LogEntry *entry, const JsonbContainer *payload, const char *key, bool required);
static void refuse(const LogEntry *entry) pg_attribute_noreturn();

/* No columns yet. */
LogSchema *
sigma_log_schema_new(MemoryContext cxt)
{
	LogSchema  *schema = MemoryContextAllocZero(cxt, sizeof(LogSchema));

	schema->cxt = cxt;
	schema->size = 16;
	schema->columns = MemoryContextAlloc(cxt, sizeof(LogColumn *) * schema->size);
	return schema;
}

/* The columns that the stored definition has. */
LogSchema *
sigma_log_schema_now(MemoryContext cxt, const char *id)
{
	LogSchema  *schema = sigma_log_schema_new(cxt);
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	JsonNode   *definition = sigma_catalog_read(DOCUMENT_INPUT_TABLE, id);
	TableDefinition *table = definition == NULL ? NULL : sigma_definition_read(definition);
	int			i;

	/* those that hold something: keys of linked tables too, computed columns not */
	for (i = 0; table != NULL && i < table->ncolumn; i++)
		appear(schema, table->columns[i].node, i);
	MemoryContextSwitchTo(caller);
	return schema;
}

/*
 * The columns as they were after edit "number": from now backwards, or, where the log
 * was begun anew since, from where it began before.  SG404 where it does not reach back.
 */
LogSchema *
sigma_log_schema_at(MemoryContext cxt, const InputTable *table, Snapshot snapshot, int64 number)
{
	LogSchema  *schema = sigma_log_schema_now(cxt, table->id);
	LogReader  *reader = sigma_log_read(table->log.relid, snapshot, number + 1, PG_INT64_MAX, BackwardScanDirection);
	bool		barred = false;
	LogEntry	entry;

	while (!barred && sigma_log_next(reader, &entry))
	{
		if (entry.operation == LOG_CHECKPOINT || entry.operation == LOG_CREATE)
			barred = true;
		else
			sigma_log_revert(schema, &entry);
	}
	sigma_log_read_end(reader);
	if (!barred)
		return schema;

	schema = sigma_log_schema_new(cxt);
	barred = false;
	reader = sigma_log_read(table->log.relid, snapshot, 0, number, ForwardScanDirection);
	while (sigma_log_next(reader, &entry))
	{
		barred = barred || entry.operation == LOG_CHECKPOINT || entry.operation == LOG_CREATE;
		sigma_log_apply(schema, &entry);
	}
	sigma_log_read_end(reader);
	if (!barred)
		sigma_log_refuse_gone(table, number);
	return schema;
}

/* The column of that identity, or NULL. */
LogColumn *
sigma_log_column(LogSchema *schema, const char *id)
{
	int			i;

	for (i = 0; i < schema->ncolumn; i++)
		if (strcmp(schema->columns[i]->id, id) == 0)
			return schema->columns[i];
	return NULL;
}

/* The column that has that name now, or NULL. */
LogColumn *
sigma_log_column_named(LogSchema *schema, const char *name, int length)
{
	ListCell   *lc;

	foreach(lc, schema->order)
	{
		LogColumn  *column = lfirst(lc);

		if ((int) strlen(column->name) == length && memcmp(column->name, name, length) == 0)
			return column;
	}
	return NULL;
}

/* Is it the entry that says what happens, not one that goes on with its values? */
bool
sigma_log_begins_column_edit(const LogEntry *entry)
{
	const JsonbContainer *payload = sigma_log_payload(entry);

	return member(payload, "column") != NULL || member(payload, "old") != NULL;
}

/* What such an entry, or one that adds a column, does; in the current context. */
void
sigma_log_column_edit(LogSchema *schema, const LogEntry *entry, DeltaColumn *change)
{
	const JsonbContainer *payload = sigma_log_payload(entry);

	change->column = slot_of(schema, column_id(payload));
	change->before = member(payload, entry->operation == LOG_UPDATE_COLUMN ? "old" : "column");
	change->after = entry->operation == LOG_DELETE_COLUMN ? NULL :
		entry->operation == LOG_UPDATE_COLUMN ? member(payload, "new") : change->before;
	if (entry->operation == LOG_ADD_COLUMN)
		change->before = NULL;
	change->position = position_of(payload);
}

/* Move past an entry, forwards.  Entries of rows change nothing. */
void
sigma_log_apply(LogSchema *schema, const LogEntry *entry)
{
	MemoryContext caller = MemoryContextSwitchTo(schema->cxt);

	if (entry->operation == LOG_CHECKPOINT)
		read_checkpoint_columns(schema, sigma_log_payload(entry));
	else if (entry->operation == LOG_ADD_COLUMN)
	{
		const JsonbContainer *payload = sigma_log_payload(entry);

		appear(schema, member(payload, "column"), position_of(payload));
	}
	else if ((entry->operation == LOG_UPDATE_COLUMN || entry->operation == LOG_DELETE_COLUMN) &&
			 sigma_log_begins_column_edit(entry))
	{
		const JsonbContainer *payload = sigma_log_payload(entry);
		LogColumn  *column = sigma_log_column(schema, column_id(payload));

		if (column != NULL && entry->operation == LOG_DELETE_COLUMN)
			vanish(schema, column);
		else if (column != NULL)
			set_document(column, member(payload, "new"));
	}
	MemoryContextSwitchTo(caller);
}

/* Move past an entry, backwards. */
void
sigma_log_revert(LogSchema *schema, const LogEntry *entry)
{
	MemoryContext caller = MemoryContextSwitchTo(schema->cxt);

	if ((entry->operation == LOG_ADD_COLUMN || entry->operation == LOG_UPDATE_COLUMN ||
		 entry->operation == LOG_DELETE_COLUMN) && sigma_log_begins_column_edit(entry))
	{
		const JsonbContainer *payload = sigma_log_payload(entry);
		LogColumn  *column = sigma_log_column(schema, column_id(payload));

		if (entry->operation == LOG_DELETE_COLUMN)
			appear(schema, member(payload, "column"), position_of(payload));
		else if (column != NULL && entry->operation == LOG_ADD_COLUMN)
			vanish(schema, column);
		else if (column != NULL)
			set_document(column, member(payload, "old"));
	}
	MemoryContextSwitchTo(caller);
}

/* The slot of a column, made where there is none; in the schema's context. */
static LogColumn *
slot_of(LogSchema *schema, const char *id)
{
	LogColumn  *column = sigma_log_column(schema, id);

	if (column != NULL)
		return column;
	if (schema->ncolumn == schema->size)
	{
		schema->size *= 2;
		schema->columns = repalloc(schema->columns, sizeof(LogColumn *) * schema->size);
	}
	column = MemoryContextAllocZero(schema->cxt, sizeof(LogColumn));
	column->slot = schema->ncolumn;
	column->id = MemoryContextStrdup(schema->cxt, id);
	column->name = "";
	schema->columns[schema->ncolumn++] = column;
	return column;
}

/* What the column is from here on. */
static void
set_document(LogColumn *column, const JsonNode *document)
{
	column->document = document;
	column->name = sigma_json_get_string(document, "name", "");
	(void) sigma_column_type(sigma_json_get_string(document, "type", "text"), &column->type);
}

/* A column comes, to that place in the order. */
static void
appear(LogSchema *schema, const JsonNode *document, int64 position)
{
	LogColumn  *column;

	if (document == NULL)
		return;
	column = slot_of(schema, sigma_json_get_string(document, "id", ""));
	set_document(column, document);
	if (column->exists)
		schema->order = list_delete_ptr(schema->order, column);
	column->exists = true;
	schema->order = list_insert_nth(schema->order, Max(0, Min(position, list_length(schema->order))), column);
}

static void
vanish(LogSchema *schema, LogColumn *column)
{
	column->exists = false;
	schema->order = list_delete_ptr(schema->order, column);
}

/* A checkpoint's first entry lists the columns. */
static void
read_checkpoint_columns(LogSchema *schema, const JsonbContainer *payload)
{
	const JsonNode *columns = member(payload, "columns");
	int			i;

	if (columns == NULL || columns->kind != JSON_ARRAY)
		return;
	while (schema->order != NIL)
		vanish(schema, linitial(schema->order));
	for (i = 0; i < columns->count; i++)
		appear(schema, columns->items[i], i);
}

/* A member of a payload as a tree, or NULL; in the current context. */
static JsonNode *
member(const JsonbContainer *payload, const char *key)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(unconstify(JsonbContainer *, payload), key, strlen(key), &value) == NULL)
		return NULL;
	return sigma_json_read_value(&value);
}

/* The identity of the column that an entry is about. */
static const char *
column_id(const JsonbContainer *payload)
{
	JsonNode   *id = member(payload, "id");

	if (id == NULL)
		return sigma_json_get_string(member(payload, "column"), "id", "");
	return id->kind == JSON_STRING ? id->string : "";
}

static int64
position_of(const JsonbContainer *payload)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(unconstify(JsonbContainer *, payload), "position", strlen("position"), &value) == NULL ||
		value.type != jbvNumeric)
		return PG_INT32_MAX;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric)));
}

/* ------------------------------------------------------------------------
 * Rows
 * ------------------------------------------------------------------------ */

/*
 * Call "visit" for each row of an entry that has rows, with "only" just for those whose
 * ids are in there; the schema must stand where the entry does.  Without a schema (NULL) cells are of no column; only for new rows.  What a row points to lives in the current context.
 */
void
sigma_log_rows(LogSchema *schema, const LogEntry *entry, HTAB *only, LogRowVisitor visit, void *arg)
{
	const JsonbContainer *payload;

	if (entry->operation != LOG_ADD_ROWS && entry->operation != LOG_UPDATE_ROWS &&
		entry->operation != LOG_DELETE_ROWS && entry->operation != LOG_CHECKPOINT)
		return;
	payload = sigma_log_payload(entry);
	if (container_of(entry, payload, "rows", false) == NULL)
		visit_one(schema, entry, payload, only, visit, arg);
	else
		visit_many(schema, entry, payload, only, visit, arg);
}

/* Call "visit" for the id of each row of an entry that has rows; what they say is not looked at. */
void
sigma_log_row_ids(const LogEntry *entry, LogIdVisitor visit, void *arg)
{
	const JsonbContainer *payload;
	const JsonbContainer *rows;
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbValue	id;

	if (entry->operation != LOG_ADD_ROWS && entry->operation != LOG_UPDATE_ROWS &&
		entry->operation != LOG_DELETE_ROWS && entry->operation != LOG_CHECKPOINT)
		return;
	payload = sigma_log_payload(entry);
	rows = container_of(entry, payload, "rows", false);
	if (rows == NULL)
	{
		if (getKeyJsonValueFromContainer(unconstify(JsonbContainer *, payload), "rowId", strlen("rowId"), &id) == NULL)
			refuse(entry);
		visit(entry, int_of(entry, &id), arg);
		return;
	}
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, rows));
	(void) JsonbIteratorNext(&iterator, &value, false);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_ELEM)
	{
		if (value.type != jbvBinary)
			refuse(entry);
		read_array(entry, value.val.binary.data, 0, &id, 1);
		visit(entry, int_of(entry, &id), arg);
	}
}

/* Call "visit" for each value that went with a column: what it was before. */
void
sigma_log_column_values(LogSchema *schema, const LogEntry *entry, LogValueVisitor visit, void *arg)
{
	const JsonbContainer *payload = sigma_log_payload(entry);
	const JsonbContainer *values = container_of(entry, payload, "values", false);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	LogColumn  *column;
	JsonbValue	value;
	JsonbValue	pair[2];

	if (values == NULL)
		return;
	column = slot_of(schema, column_id(payload));
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, values));
	(void) JsonbIteratorNext(&iterator, &value, false);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) == WJB_ELEM)
	{
		if (value.type != jbvBinary)
			refuse(entry);
		read_array(entry, value.val.binary.data, 0, pair, 2);
		visit(column, int_of(entry, &pair[0]), &pair[1], arg);
	}
}

/* addRow and updateRow: cells by name. */
static void
visit_one(LogSchema *schema, const LogEntry *entry, const JsonbContainer *payload, HTAB *only, LogRowVisitor visit, void *arg)
{
	EntryCells	cells = {0};
	LogStamps	stamps;
	LogRow		row = {0};
	JsonbValue	id;
	bool		updating = entry->operation == LOG_UPDATE_ROWS;

	if (getKeyJsonValueFromContainer(unconstify(JsonbContainer *, payload), "rowId", strlen("rowId"), &id) == NULL)
		refuse(entry);
	row.row_id = int_of(entry, &id);
	if (!is_wanted(only, row.row_id))
		return;
	read_object(schema, container_of(entry, payload, updating ? "new" : "values", true), &cells, false);
	if (updating)
		read_object(schema, container_of(entry, payload, "old", true), &cells, true);
	read_stamps(entry, payload, &stamps);
	row.operation = entry->operation;
	row.ncell = cells.ncell;
	row.columns = cells.columns;
	row.old = updating ? cells.old : NULL;
	row.new = cells.new;
	row.stamps = &stamps;
	visit(entry, &row, arg);
}

/* addRows, updateRows, deleteRows, and a checkpoint's rows, which have their stamps each. */
static void
visit_many(LogSchema *schema, const LogEntry *entry, const JsonbContainer *payload, HTAB *only, LogRowVisitor visit, void *arg)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, container_of(entry, payload, "rows", true)));
	bool		checkpoint = entry->operation == LOG_CHECKPOINT;
	EntryCells	cells = {0};
	LogStamps	stamps = {0};
	LogRow		row = {0};
	JsonbValue	value;
	JsonbValue	head[3];

	read_names(schema, container_of(entry, payload, checkpoint ? "names" : "columns", true), &cells);
	if (entry->operation == LOG_ADD_ROWS || entry->operation == LOG_UPDATE_ROWS)
		read_stamps(entry, payload, &stamps);
	row.operation = checkpoint ? LOG_ADD_ROWS : entry->operation;
	row.ncell = cells.ncell;
	row.columns = cells.columns;
	row.old = row.operation == LOG_ADD_ROWS ? NULL : cells.old;
	row.new = row.operation == LOG_DELETE_ROWS ? NULL : cells.new;
	row.stamps = row.operation == LOG_DELETE_ROWS ? NULL : &stamps;
	(void) JsonbIteratorNext(&iterator, &value, false);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_ELEM)
	{
		const JsonbContainer *array = value.val.binary.data;

		if (value.type != jbvBinary)
			refuse(entry);
		read_array(entry, array, 0, head, 1);
		row.row_id = int_of(entry, &head[0]);
		if (!is_wanted(only, row.row_id))
			continue;
		if (entry->operation == LOG_UPDATE_ROWS)
		{
			read_array(entry, array, 0, head, 3);
			if (head[1].type != jbvBinary || head[2].type != jbvBinary)
				refuse(entry);
			read_array(entry, head[1].val.binary.data, 0, cells.old, cells.ncell);
			read_array(entry, head[2].val.binary.data, 0, cells.new, cells.ncell);
		}
		else
		{
			if (checkpoint)
				read_array(entry, array, 0, head, 2);
			if (checkpoint && head[1].type != jbvBinary)
				refuse(entry);
			if (checkpoint)
				read_row_stamps(head[1].val.binary.data, &stamps);
			read_array(entry, array, checkpoint ? 2 : 1,
					   row.operation == LOG_DELETE_ROWS ? cells.old : cells.new, cells.ncell);
		}
		visit(entry, &row, arg);
	}
}

/* Is the row one of those that are asked for?  NULL: all are. */
static bool
is_wanted(HTAB *only, int64 row_id)
{
	return only == NULL || hash_search(only, &row_id, HASH_FIND, NULL) != NULL;
}

/* The columns of an entry's cells by their names; those that the schema does not know are an error. */
static void
read_names(LogSchema *schema, const JsonbContainer *names, EntryCells *cells)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, names));
	JsonbValue	value;

	make_cells(cells, JsonContainerSize(names));
	(void) JsonbIteratorNext(&iterator, &value, false);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_ELEM)
		cells->columns[cells->ncell++] = find_named(schema, &value);
}

/*
 * Cells by name, in the order of the definition, not of the object's keys; without a schema none.
 * "old": the columns are known from the new ones.
 */
static void
read_object(LogSchema *schema, const JsonbContainer *object, EntryCells *cells, bool old)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	ListCell   *lc;
	int			i;

	if (old)
	{
		for (i = 0; i < cells->ncell; i++)
			if (getKeyJsonValueFromContainer(unconstify(JsonbContainer *, object), cells->columns[i]->name,
											 strlen(cells->columns[i]->name), &cells->old[i]) == NULL)
				cells->old[i].type = jbvNull;
		return;
	}
	make_cells(cells, JsonContainerSize(object));
	if (schema == NULL)
		return;
	foreach(lc, schema->order)
	{
		LogColumn  *column = lfirst(lc);

		if (cells->ncell < JsonContainerSize(object) &&
			getKeyJsonValueFromContainer(unconstify(JsonbContainer *, object), column->name, strlen(column->name),
										 &cells->new[cells->ncell]) != NULL)
			cells->columns[cells->ncell++] = column;
	}
	if (cells->ncell == JsonContainerSize(object))
		return;
	/* some key is no column: say which */
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, object));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_KEY)
			(void) find_named(schema, &value);
}

/* The column that a key or an element names, NULL without a schema; XX001 where the log never said that there is one. */
static LogColumn *
find_named(LogSchema *schema, const JsonbValue *name)
{
	LogColumn  *column = name->type != jbvString || schema == NULL ? NULL :
		sigma_log_column_named(schema, name->val.string.val, name->val.string.len);

	if (column == NULL && schema != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the edit log names a column \"%.*s\" that it never had",
						name->type == jbvString ? name->val.string.len : 0,
						name->type == jbvString ? name->val.string.val : "")));
	return column;
}

/* "count" elements of an array, beginning with the one at "from". */
static void
read_array(const LogEntry *entry, const JsonbContainer *array, int from, JsonbValue *values, int count)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, array));
	JsonbValue	value;
	int			i;

	if (!JsonContainerIsArray(array) || JsonContainerSize(array) < from + count)
		refuse(entry);
	(void) JsonbIteratorNext(&iterator, &value, false);
	for (i = 0; i < from; i++)
		(void) JsonbIteratorNext(&iterator, &value, true);
	for (i = 0; i < count; i++)
		(void) JsonbIteratorNext(&iterator, &values[i], true);
	pfree(iterator);
}

/* The stamps of an entry's rows: its blameInfo, and what follows from the entry where that is silent. */
static void
read_stamps(const LogEntry *entry, const JsonbContainer *payload, LogStamps *stamps)
{
	const JsonbContainer *blame = container_of(entry, payload, "blameInfo", true);
	JsonbValue	buffer;
	JsonbValue *found;

	stamps->updated_by = text_of(getKeyJsonValueFromContainer(unconstify(JsonbContainer *, blame), "updatedBy", strlen("updatedBy"), &buffer));
	stamps->created_by = stamps->updated_by;
	found = getKeyJsonValueFromContainer(unconstify(JsonbContainer *, blame), "createdBy", strlen("createdBy"), &buffer);
	if (found != NULL)
		stamps->created_by = text_of(found);
	stamps->updated_at = stamps->created_at = entry->at;
	stamps->no_updated_at = stamps->no_created_at = false;
	found = getKeyJsonValueFromContainer(unconstify(JsonbContainer *, blame), "updatedAt", strlen("updatedAt"), &buffer);
	if (found != NULL)
		stamps->no_updated_at = !read_moment(found, &stamps->updated_at);
	found = getKeyJsonValueFromContainer(unconstify(JsonbContainer *, blame), "createdAt", strlen("createdAt"), &buffer);
	if (found != NULL)
		stamps->no_created_at = !read_moment(found, &stamps->created_at);
}

/* [updated_at, updated_by, created_at, created_by] of a checkpoint's row. */
static void
read_row_stamps(const JsonbContainer *array, LogStamps *stamps)
{
	JsonbValue *value[4];
	int			i;

	for (i = 0; i < 4; i++)
		value[i] = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, array), i);
	stamps->no_updated_at = !read_moment(value[0], &stamps->updated_at);
	stamps->updated_by = text_of(value[1]);
	stamps->no_created_at = !read_moment(value[2], &stamps->created_at);
	stamps->created_by = text_of(value[3]);
}

/* False for null. */
static bool
read_moment(const JsonbValue *value, TimestampTz *moment)
{
	const char *text = text_of(value);

	if (text == NULL)
		return false;
	*moment = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
													  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	return true;
}

/* NULL for null. */
static const char *
text_of(const JsonbValue *value)
{
	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static void
make_cells(EntryCells *cells, int size)
{
	cells->ncell = 0;
	cells->columns = palloc(sizeof(LogColumn *) * Max(size, 1));
	cells->old = palloc(sizeof(JsonbValue) * Max(size, 1));
	cells->new = palloc(sizeof(JsonbValue) * Max(size, 1));
}

static int64
int_of(const LogEntry *entry, const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		refuse(entry);
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
}

/* A member that is an array or object, or NULL. */
static const JsonbContainer *
container_of(const LogEntry *entry, const JsonbContainer *payload, const char *key, bool required)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(unconstify(JsonbContainer *, payload), key, strlen(key), &value) != NULL &&
		value.type == jbvBinary)
		return value.val.binary.data;
	if (required)
		refuse(entry);
	return NULL;
}

/* XX001: somebody other than sigma wrote the entry. */
static void
refuse(const LogEntry *entry)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("edit " INT64_FORMAT " of the edit log is not as it was written", entry->number)));
}
