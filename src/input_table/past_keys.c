/*
 * past_keys.c
 *		Rows of the log by their keys, and the keys of rows.
 *
 * A row of a linked table is known to people by its key, which stands in the entry that
 * added it and never changes; a key may have had several rows one after the other.  Rows
 * of other tables have no keys but the values of unique rules, which may change: such a
 * key means the row that has it now.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "common/errors.h"
#include "common/json.h"
#include "common/json_push.h"
#include "common/names.h"
#include "input_table/batch.h"
#include "input_table/edit_history.h"
#include "input_table/linked.h"
#include "input_table/rules.h"

/* The key of one row. */
typedef struct PastKey
{
	int64		row_id;			/* hash key, must be first */
	Jsonb	   *key;
} PastKey;

struct PastKeys
{
	const InputTable *table;
	MemoryContext cxt;
	HTAB	   *keys;
};

/* A search for the rows of one key. */
typedef struct KeySearch
{
	const InputTable *table;
	JsonbValue *cells;			/* of the key's columns */
	HTAB	   *rows;
} KeySearch;

static void read_adds(const InputTable *table, Snapshot snapshot, HTAB *only, LogRowVisitor visit, void *arg);
static void note_key(const LogEntry *entry, const LogRow *row, void *arg);
static void match_key(const LogEntry *entry, const LogRow *row, void *arg);
static const JsonbValue *key_cell(const InputTable *table, const LogRow *row, int i, ColumnType *type);
static HTAB *rows_of_linked_key(const InputTable *table, Snapshot snapshot, JsonNode *key);
static HTAB *row_of_unique_key(const InputTable *table, JsonNode *key);
static Datum read_value(const InputTable *table, const TableColumn *column, JsonNode *given, bool *isnull);

/* The keys of a table's rows, none so far, in the current context; NULL for a table whose rows have none. */
PastKeys *
sigma_past_keys(const InputTable *table)
{
	HASHCTL		control = {0};
	PastKeys   *keys;

	if (table->nlinked == 0)
		return NULL;
	keys = palloc(sizeof(PastKeys));
	keys->table = table;
	keys->cxt = CurrentMemoryContext;
	control.keysize = sizeof(int64);
	control.entrysize = sizeof(PastKey);
	control.hcxt = CurrentMemoryContext;
	keys->keys = hash_create("sigma keys of rows", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return keys;
}

/* Note the key of a row, if that is one that is added. */
void
sigma_past_keys_note(PastKeys *keys, const LogRow *row)
{
	JsonbParseState *object = NULL;
	PastKey    *entry;
	MemoryContext caller;
	int			i;

	if (keys == NULL || row->operation != LOG_ADD_ROWS)
		return;
	pushJsonbValue(&object, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < keys->table->nlinked; i++)
	{
		ColumnType	type;
		const JsonbValue *cell = key_cell(keys->table, row, i, &type);
		JsonbValue	shown = {.type = jbvNull};

		if (cell != NULL)
			sigma_past_value(type, cell, &shown);
		sigma_push_value(&object, keys->table->columns[keys->table->ncolumn - keys->table->nlinked + i].name, &shown);
	}
	caller = MemoryContextSwitchTo(keys->cxt);
	entry = hash_search(keys->keys, &row->row_id, HASH_ENTER, NULL);
	entry->key = JsonbValueToJsonb(pushJsonbValue(&object, WJB_END_OBJECT, NULL));
	MemoryContextSwitchTo(caller);
}

/* Note the keys of the rows whose ids are in "only", from the whole log. */
void
sigma_past_keys_read(PastKeys *keys, Snapshot snapshot, HTAB *only)
{
	if (keys != NULL)
		read_adds(keys->table, snapshot, only, note_key, keys);
}

/* The key of a row, if it was noted. */
bool
sigma_past_key(const PastKeys *keys, int64 row_id, Datum *key)
{
	PastKey    *entry = keys == NULL ? NULL : hash_search(keys->keys, &row_id, HASH_FIND, NULL);

	if (entry == NULL)
		return false;
	*key = JsonbPGetDatum(entry->key);
	return true;
}

/*
 * The ids of the rows that a key names, in the current context.  SG400 where it is no
 * object, not a whole key, or not one of a unique rule.
 */
HTAB *
sigma_past_rows_of_key(const InputTable *table, Snapshot snapshot, Jsonb *key)
{
	JsonNode   *document = sigma_json_read(key);

	if (document->kind != JSON_OBJECT)
		sigma_document_error(document, 0, "Write {column: value}.", "a key must be an object, not %s", sigma_json_kind_name(document));
	return table->nlinked > 0 ? rows_of_linked_key(table, snapshot, document) : row_of_unique_key(table, document);
}

/* A set of row ids, in the current context. */
HTAB *
sigma_past_ids(void)
{
	HASHCTL		control = {0};

	control.keysize = control.entrysize = sizeof(int64);
	control.hcxt = CurrentMemoryContext;
	return hash_create("sigma row ids", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Call "visit" for the rows that entries of the whole log added. */
static void
read_adds(const InputTable *table, Snapshot snapshot, HTAB *only, LogRowVisitor visit, void *arg)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	LogSchema  *schema = sigma_log_schema_new(CurrentMemoryContext);
	LogReader  *reader = sigma_log_read(table->log.relid, snapshot, 0, PG_INT64_MAX, ForwardScanDirection);
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	LogEntry	entry;

	while (sigma_log_next(reader, &entry))
	{
		sigma_log_apply(schema, &entry);
		if (entry.operation == LOG_ADD_ROWS || entry.operation == LOG_CHECKPOINT)
			sigma_log_rows(schema, &entry, only, visit, arg);
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(caller);
	sigma_log_read_end(reader);
	MemoryContextDelete(cxt);
}

/* LogRowVisitor */
static void
note_key(const LogEntry *entry, const LogRow *row, void *arg)
{
	sigma_past_keys_note(arg, row);
}

/* LogRowVisitor: is it a row of the key? */
static void
match_key(const LogEntry *entry, const LogRow *row, void *arg)
{
	KeySearch  *search = arg;
	int			i;

	for (i = 0; i < search->table->nlinked; i++)
	{
		ColumnType	type;
		const JsonbValue *cell = key_cell(search->table, row, i, &type);

		if (cell == NULL || !sigma_log_same_cell(cell, &search->cells[i]))
			return;
	}
	(void) hash_search(search->rows, &row->row_id, HASH_ENTER, NULL);
}

/* The cell of the key's column at that place, or NULL. */
static const JsonbValue *
key_cell(const InputTable *table, const LogRow *row, int i, ColumnType *type)
{
	const TableColumn *column = &table->columns[table->ncolumn - table->nlinked + i];
	int			j;

	for (j = 0; j < row->ncell; j++)
		if (strcmp(row->columns[j]->id, column->id) == 0)
		{
			*type = row->columns[j]->type;
			return &row->new[j];
		}
	return NULL;
}

/* The rows that were entered for a key: the values as the source has them, where it has them. */
static HTAB *
rows_of_linked_key(const InputTable *table, Snapshot snapshot, JsonNode *key)
{
	KeySearch	search = {table};
	Datum	   *values = palloc0(sizeof(Datum) * table->nlinked);
	bool	   *nulls = palloc0(sizeof(bool) * table->nlinked);
	const TableColumn *columns = &table->columns[table->ncolumn - table->nlinked];
	int64		row_id;
	int			i;

	for (i = 0; i < table->nlinked; i++)
	{
		JsonNode   *given = sigma_json_get(key, columns[i].name);

		if (given == NULL)
			sigma_document_error(key, 0, "Name the row by its whole key.",
								 "key column \"%s\" of linked input table \"%s\" is missing", columns[i].name, table->name);
		values[i] = read_value(table, &columns[i], given, &nulls[i]);
	}
	for (i = 0; i < key->count; i++)
	{
		int			j;

		for (j = 0; j < table->nlinked && strcmp(columns[j].name, key->items[i]->key) != 0; j++)
			;
		if (j == table->nlinked)
			sigma_document_error(key->items[i], 0, NULL, "column \"%s\" is not part of the key of linked input table \"%s\"",
								 key->items[i]->key, table->name);
	}
	if (OidIsValid(sigma_data_table_oid(table->id)))
		(void) sigma_linked_find(table, values, nulls, &row_id);
	search.cells = palloc(sizeof(JsonbValue) * table->nlinked);
	for (i = 0; i < table->nlinked; i++)
		sigma_log_encode(columns[i].type, values[i], nulls[i], &search.cells[i]);
	search.rows = sigma_past_ids();
	read_adds(table, snapshot, NULL, match_key, &search);
	return search.rows;
}

/* The row that has these values now, if there is one. */
static HTAB *
row_of_unique_key(const InputTable *table, JsonNode *key)
{
	HTAB	   *rows = sigma_past_ids();
	JsonNode   *names = sigma_json_new(JSON_ARRAY, NULL);
	const UniqueKey *unique;
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull = false;
	int64		holder;
	int			i;

	for (i = 0; i < key->count; i++)
		sigma_json_append(names, sigma_json_new_string(key->items[i]->key, key->items[i]));
	unique = sigma_batch_unique_key(table, names);
	for (i = 0; i < unique->ncolumn; i++)
	{
		const TableColumn *column = &table->columns[unique->columns[i]];
		bool		null;
		int			j;

		for (j = 0; j < key->count && sigma_table_column(table, key->items[j]->key) != column; j++)
			;
		values[i] = read_value(table, column, key->items[j], &null);
		isnull = isnull || null;
	}
	holder = isnull || !sigma_key_fits(table, unique, values) ? 0 : sigma_table_conflict(table, unique, values, 0);
	if (holder != 0)
		(void) hash_search(rows, &holder, HASH_ENTER, NULL);
	return rows;
}

/* A value as its column reads it; SG400 where it does not, 42501 for who may not read the column. */
static Datum
read_value(const InputTable *table, const TableColumn *column, JsonNode *given, bool *isnull)
{
	JsonbValue	content;
	const char *why;
	Datum		value;

	if (!sigma_may_select(table, column->attnum))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for column \"%s\" of input table \"%s\"", column->name, table->name)));
	sigma_jsonb_value(sigma_json_write(given), &content);
	if (!sigma_value_from_json(column->type, &content, &value, isnull, &why))
		sigma_document_error(given, 0, NULL, "column \"%s\" of input table \"%s\" %s", column->name, table->name, why);
	return value;
}
