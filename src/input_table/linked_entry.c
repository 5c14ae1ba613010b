/*
 * linked_entry.c
 *		handle_data_entry on linked tables: which entry a key means.
 *
 * A row of the input names its row by the whole key, as the caller sees the source.
 * What was entered for it before is changed, else an entry is made with the key as the
 * source has it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "common/catalog.h"
#include "common/names.h"
#include "input_table/linked.h"

static char *condition_of(ColumnType type, Oid view, const char *name, int parameter, bool isnull);

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
	StringInfoData match;
	bool		found;
	int			i;

	initStringInfo(&columns);
	initStringInfo(&where);
	initStringInfo(&match);
	for (i = 0; i < table->nlinked; i++)
	{
		const TableColumn *column = &table->columns[first + i];
		char	   *name = psprintf("v.%s", quote_identifier(column->name));
		char	   *value = sigma_linked_key_value(column->type, view, column->name, name);

		types[i] = sigma_column_types[column->type].oid;
		null_flags[i] = nulls[i] ? 'n' : ' ';
		appendStringInfo(&columns, "%s, ", value);
		appendStringInfo(&where, "%s%s", i > 0 ? " AND " : "", condition_of(column->type, view, column->name, i + 1, nulls[i]));
		appendStringInfo(&match, "%sROW(%s) OPERATOR(pg_catalog.=) ROW(%s)", i > 0 ? " AND " : "",
						 sigma_linked_key_parts(column->type, psprintf("e.%s", quote_identifier(column->name))),
						 sigma_linked_key_parts(column->type, value));
	}
	SPI_connect();
	if (SPI_execute_with_args(psprintf("SELECT %se.sigma_row_id FROM %s v LEFT JOIN %s e ON %s WHERE %s",
									   columns.data, sigma_ddl_name(sigma_data_table_name(table->id)),
									   sigma_ddl_name(definition->relation), match.data, where.data),
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

/* A condition on a key column of the view that an index of the source can serve. */
static char *
condition_of(ColumnType type, Oid view, const char *name, int parameter, bool isnull)
{
	Oid			given = get_atttype(view, get_attnum(view, name));
	char	   *column = psprintf("v.%s", quote_identifier(name));

	if (isnull)
		return psprintf("%s IS NULL AND $%d IS NULL", column, parameter);
	if (given == TIMESTAMPTZOID)
		return psprintf("%s OPERATOR(pg_catalog.=) ($%d AT TIME ZONE 'UTC')", column, parameter);
	if (type == COLUMN_TEXT && given != TEXTOID && given != VARCHAROID)
		return psprintf("%s OPERATOR(pg_catalog.=) $%d::%s", column, parameter, format_type_be_qualified(given));
	return psprintf("%s OPERATOR(pg_catalog.=) $%d", column, parameter);
}
