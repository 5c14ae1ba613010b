/*
 * computed.c
 *		A definition's columns as formulas see them, and its computed columns.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "common/names.h"
#include "input_table/computed.h"

/* See computed.h. */
FormulaRelation *
sigma_definition_row(JsonNode *definition)
{
	FormulaRelation *row = palloc0(sizeof(FormulaRelation));
	JsonNode   *columns = sigma_json_get(definition, "columns");
	char	   *id = sigma_json_get_string(definition, "id", "");
	int			i;

	row->name = sigma_json_get_string(definition, "name", id);
	row->relid = sigma_data_table_oid(id);
	row->from = quote_qualified_identifier("sigds", sigma_data_table_name(id));
	row->order_by = "sigma_row_id";
	row->columns = palloc0(sizeof(FormulaColumn) * (columns->count + 1));
	for (i = 0; i < columns->count; i++)
	{
		FormulaColumn *column = &row->columns[row->ncolumns++];
		ColumnType	type;

		column->name = sigma_json_get_string(columns->items[i], "name", "");
		if (!sigma_column_type(sigma_json_get_string(columns->items[i], "type", ""), &type))
			elog(ERROR, "column \"%s\" has no known type", column->name);
		column->form = sigma_column_form(type);
		column->type = sigma_sql_form_kind(column->form);
		column->formula = sigma_json_get_string(columns->items[i], "formula", NULL);
		column->attribute = column->formula == NULL ? quote_identifier(column->name) : NULL;
		column->before = column->after = "";
	}
	return row;
}

/* See computed.h. */
SqlForm
sigma_column_form(ColumnType type)
{
	static const SqlForm forms[COLUMN_TYPES] = {
		[COLUMN_TEXT] = SQL_TEXT, [COLUMN_NUMBER] = SQL_NUMERIC, [COLUMN_INTEGER] = SQL_INT8,
		[COLUMN_FLOAT] = SQL_FLOAT8, [COLUMN_DATE] = SQL_DATE, [COLUMN_DATETIME] = SQL_TIMESTAMP,
		[COLUMN_CHECKBOX] = SQL_BOOL, [COLUMN_DROPDOWN] = SQL_TEXT, [COLUMN_MULTI_SELECT] = SQL_TEXT_ARRAY,
		[COLUMN_JSON] = SQL_JSONB, [COLUMN_FILE] = SQL_JSONB,
	};

	return forms[type];
}
