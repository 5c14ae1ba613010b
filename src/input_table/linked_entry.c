/*
 * linked_entry.c
 *		handle_data_entry on linked tables: which entry a key means, and what keys rows have.
 *
 * A row of the input names its row by the whole key, as the caller sees the source.
 * What was entered for it before is changed, else an entry is made with the key as the
 * source has it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

#include "common/catalog.h"
#include "common/json_push.h"
#include "common/names.h"
#include "compat.h"
#include "input_table/linked.h"

/* The key of a row of the input. */
typedef struct RowKey
{
	const char *text;			/* what two rows of one key have in common; hash key, must be first */
	int			first;			/* the first row of the input that has it */
} RowKey;

struct LinkedRows
{
	const InputTable *table;
	MemoryContext cxt;
	HTAB	   *keys;			/* RowKey by text */
	int			size;			/* of the following */
	Jsonb	  **shown;			/* by row: its key as an object */
};

static uint32 hash_key(const void *key, Size size);
static int	compare_keys(const void *a, const void *b, Size size);
static char *condition_of(ColumnType type, Oid view, const char *name, int parameter, bool isnull);

/* The view of a linked table, whose rights are asked for; 55000 while its source is missing. */
Oid
sigma_linked_view(const char *id)
{
	Oid			view = sigma_data_table_oid(id);

	if (!OidIsValid(view))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("linked input table \"%s\" has no view", id),
				 errdetail("Its source is missing, or its view was dropped."),
				 errhint("sigma.sync_warehouse makes it again.")));
	return view;
}

/*
 * Find the row of a key, given as values of the table's last columns, which become those
 * of the source in the current context.  Returns whether there is such a row; *row_id is
 * its entry's, or 0.  Reads as the caller; 22P02 for a text that is no uuid or label.
 */
bool
sigma_linked_find(const InputTable *table, Datum *keys, bool *nulls, int64 *row_id)
{
	MemoryContext caller = CurrentMemoryContext;
	TableDefinition *definition = sigma_definition_read(sigma_catalog_read(DOCUMENT_INPUT_TABLE, table->id));
	Oid			view = sigma_data_table_oid(table->id);
	int			first = table->ncolumn - table->nlinked;
	Oid		   *types = palloc(sizeof(Oid) * table->nlinked);
	char	   *null_flags = palloc(table->nlinked);
	StringInfoData columns;
	StringInfoData where;
	char	  **values = palloc(sizeof(char *) * table->nlinked);
	bool		found;
	int			i;

	initStringInfo(&columns);
	initStringInfo(&where);
	for (i = 0; i < table->nlinked; i++)
	{
		const TableColumn *column = &table->columns[first + i];

		values[i] = sigma_linked_key_value(column->type, view, column->name, psprintf("v.%s", quote_identifier(column->name)));
		types[i] = sigma_column_types[column->type].oid;
		null_flags[i] = nulls[i] ? 'n' : ' ';
		appendStringInfo(&columns, "%s, ", values[i]);
		appendStringInfo(&where, "%s%s", i > 0 ? " AND " : "", condition_of(column->type, view, column->name, i + 1, nulls[i]));
	}
	SPI_connect();
	if (SPI_execute_with_args(psprintf("SELECT %se.sigma_row_id FROM %s v LEFT JOIN %s e ON %s WHERE %s",
									   columns.data, sigma_ddl_name(sigma_data_table_name(table->id)),
									   sigma_ddl_name(definition->relation), sigma_linked_match(definition, "e", values),
									   where.data),
							  table->nlinked, types, keys, null_flags, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the rows of input table \"%s\"", table->id);
	found = SPI_processed > 0;
	*row_id = 0;
	for (i = 0; found && i <= table->nlinked; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull);
		MemoryContext spi = MemoryContextSwitchTo(caller);

		if (i == table->nlinked)
			*row_id = isnull ? 0 : DatumGetInt64(value);
		else
		{
			const ColumnTypeInfo *type = &sigma_column_types[table->columns[first + i].type];

			nulls[i] = isnull;
			keys[i] = isnull ? (Datum) 0 : datumCopy(value, type->by_value, type->length);
		}
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return found;
}

/* The rows of one call, in the current context. */
LinkedRows *
sigma_linked_rows(const InputTable *table)
{
	LinkedRows *rows = palloc0(sizeof(LinkedRows));
	HASHCTL		control = {0};

	rows->table = table;
	rows->cxt = CurrentMemoryContext;
	control.keysize = sizeof(const char *);
	control.entrysize = sizeof(RowKey);
	control.hash = hash_key;
	control.match = compare_keys;
	control.hcxt = CurrentMemoryContext;
	rows->keys = hash_create("sigma linked rows", 256, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	return rows;
}

/* Note the key of a row of the input; returns the first row that has it. */
int
sigma_linked_rows_add(LinkedRows *rows, int row, const Datum *keys, const bool *nulls)
{
	const TableColumn *columns = &rows->table->columns[rows->table->ncolumn - rows->table->nlinked];
	MemoryContext caller = MemoryContextSwitchTo(rows->cxt);
	JsonbParseState *state = NULL;
	StringInfoData text;
	RowKey	   *key;
	bool		found;
	int			i;

	initStringInfo(&text);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < rows->table->nlinked; i++)
	{
		char	   *value = nulls[i] ? "" : sigma_value_to_text(columns[i].type, keys[i]);
		JsonbValue	shown;

		appendStringInfo(&text, "%c%zu:%s", nulls[i] ? 'n' : 'v', strlen(value), value);
		sigma_value_to_json(columns[i].type, keys[i], nulls[i], &shown);
		sigma_push_value(&state, columns[i].name, &shown);
	}
	if (row >= rows->size)
	{
		int			size = Max(row + 1, rows->size * 2);

		rows->shown = rows->shown == NULL ? palloc(sizeof(Jsonb *) * size) :
			repalloc_huge(rows->shown, sizeof(Jsonb *) * size);
		rows->size = size;
	}
	rows->shown[row] = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	key = hash_search(rows->keys, &text.data, HASH_ENTER, &found);
	if (!found)
		key->first = row;
	MemoryContextSwitchTo(caller);
	return key->first;
}

/* Push the key of a row as an element. */
void
sigma_linked_rows_push(const LinkedRows *rows, int row, JsonbParseState **state)
{
	JsonbValue	value;

	value.type = jbvBinary;
	value.val.binary.data = &rows->shown[row]->root;
	value.val.binary.len = VARSIZE_ANY_EXHDR(rows->shown[row]);
	(void) pushJsonbValue(state, WJB_ELEM, &value);
}

/* HashValueFunc: of a pointer to a text. */
static uint32
hash_key(const void *key, Size size)
{
	const char *text = *(const char *const *) key;

	return hash_bytes((const unsigned char *) text, strlen(text));
}

/* HashCompareFunc: of two of them. */
static int
compare_keys(const void *a, const void *b, Size size)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* A condition on a key column of the view that an index of the source can serve. */
static char *
condition_of(ColumnType type, Oid view, const char *name, int parameter, bool isnull)
{
	char	   *column = psprintf("v.%s", quote_identifier(name));

	if (isnull)
		return psprintf("%s IS NULL AND $%d IS NULL", column, parameter);
	return psprintf("%s OPERATOR(pg_catalog.=) %s", column,
					sigma_linked_key_search(type, get_atttype(view, get_attnum(view, name)), psprintf("$%d", parameter)));
}
