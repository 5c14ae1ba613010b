/*
 * linked_rows.c
 *		Rows of linked tables as formulas see them, and who may see them.
 *
 * Computed columns and row filters see what the views show: the key and the linked
 * columns, as the source has them, and what was entered.  The entries are relations of
 * their own, which who reads the views may read too, so a row filter holds for them as
 * well: as it is where it reads the key and entry columns alone, else over the one row of
 * the source that an entry belongs to.
 *
 * Who may not see an entry cannot tell its row from one that nothing was entered for.  So
 * a filter that reads entry columns shows only rows that something was entered for.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common/names.h"
#include "input_table/computed.h"
#include "input_table/linked.h"

/* What formulas read of a row. */
typedef struct FormulaReads
{
	FormulaRelation *row;
	int			ncolumn;		/* of its columns: the definition's */
	int			nkey;			/* those of the key come next */
	bool		entered;		/* columns that are entered */
	bool		linked;			/* columns of the source that are not the key */
} FormulaReads;

static FormulaRelation *make_row(JsonNode *definition, int more);
static FormulaRelation *entry_row(const TableDefinition *table);
static FormulaReads read_formulas(const TableDefinition *table, bool edits);
static bool note_reference(void *arg, FormulaNode *node);

/*
 * A row of a linked table's views, in the current context: the columns of the definition
 * in its order, then the key, the linked columns and, where asked for, the stamps.  Of
 * the source only what it has is there.
 */
FormulaRelation *
sigma_linked_row(JsonNode *definition, bool stamps)
{
	TableDefinition *table = sigma_definition_read(definition);
	List	   *columns = sigma_linked_columns(table);
	FormulaRelation *row = make_row(definition, list_length(columns) + LINKED_STAMPS);
	LinkedSource source = {InvalidOid, InvalidOid};
	ListCell   *lc;
	int			i;

	(void) sigma_linked_source(definition, &source);
	foreach(lc, columns)
	{
		LinkedKey  *shown = lfirst(lc);
		AttrNumber	attnum = OidIsValid(source.relid) ? get_attnum(source.relid, shown->column) : InvalidAttrNumber;
		FormulaColumn *column = &row->columns[row->ncolumns];

		if (attnum <= 0)
			continue;
		row->ncolumns++;
		column->name = shown->name;
		column->attribute = quote_identifier(shown->name);
		sigma_formula_type_form(column, get_atttype(source.relid, attnum));
	}
	for (i = 0; stamps && i < LINKED_STAMPS; i++)
		sigma_computed_system_column(&row->columns[row->ncolumns++], sigma_linked_stamps[i]);
	return row;
}

/* The columns of the definition, with room for more. */
static FormulaRelation *
make_row(JsonNode *definition, int more)
{
	FormulaRelation *row = sigma_definition_row(definition, false);
	FormulaColumn *columns = palloc0(sizeof(FormulaColumn) * (row->ncolumns + more));
	const char *id = sigma_json_get_string(definition, "id", "");

	memcpy(columns, row->columns, sizeof(FormulaColumn) * row->ncolumns);
	row->columns = columns;
	row->relid = sigma_data_table_oid(id);
	row->from = quote_qualified_identifier("sigds", sigma_data_table_name(id));
	row->order_by = sigma_linked_order(definition);
	return row;
}

/* What orders the rows: the key. */
List *
sigma_linked_order(const JsonNode *definition)
{
	List	   *order = NIL;
	ListCell   *lc;

	foreach(lc, sigma_linked_keys(definition))
		order = lappend(order, unconstify(char *, quote_identifier(((LinkedKey *) lfirst(lc))->name)));
	return order;
}

/* A row of the entries: the columns of the definition and the key, as they are kept. */
static FormulaRelation *
entry_row(const TableDefinition *table)
{
	FormulaRelation *row = make_row(table->document, table->nkey);
	int			i;

	for (i = 0; i < table->nkey; i++)
	{
		const ColumnDefinition *key = sigma_linked_key_column(table, i);
		FormulaColumn *column = &row->columns[row->ncolumns++];

		column->name = key->name;
		column->attribute = quote_identifier(key->name);
		column->form = sigma_column_form(key->type);
		column->type = sigma_sql_form_kind(column->form);
		column->before = column->after = "";
	}
	return row;
}

/* The rows that the warehouse view shows, as an item of FROM, without alias; none where the source is missing. */
char *
sigma_linked_view_rows(const TableDefinition *table)
{
	LinkedSource source;
	char	   *filter = sigma_row_filter_sql(table, "r");
	char	   *rows;

	if (!sigma_linked_source(table->document, &source))
		return sigma_ddl_name(table->relation);
	rows = psprintf("(%s)", sigma_linked_rows_query(table, source.published,
													sigma_ddl_name(sigma_shown_view_name(table->id)), filter != NULL));
	return filter == NULL ? rows : psprintf("(SELECT r.* FROM %s r WHERE %s)", rows, filter);
}

/*
 * What an entry "outer" must satisfy to be seen, or ("edits") to be edited, over the rows
 * of the source "relid"; NULL where there is no such condition.
 */
char *
sigma_linked_entry_condition(const TableDefinition *table, Oid relid, const char *outer, bool edits)
{
	StringInfoData columns;
	char	   *condition;
	int			i;

	if (!read_formulas(table, edits).linked)
		return sigma_row_condition(table->document, entry_row(table), outer, edits);
	condition = sigma_row_condition(table->document, sigma_linked_row(table->document, false), "f", edits);
	if (!OidIsValid(relid))
		return pstrdup("false");
	initStringInfo(&columns);
	for (i = 0; i < table->ncolumn - table->nkey; i++)
		appendStringInfo(&columns, ", %s.%s AS %s", outer, quote_identifier(table->columns[i].name),
						 quote_identifier(table->columns[i].name));
	return psprintf("COALESCE((SELECT %s FROM (SELECT s.*%s FROM (%s) s WHERE %s) f), false)", condition, columns.data,
					sigma_linked_source_query(table, relid), sigma_linked_search(table, relid, "s", outer));
}

/* Does the row filter read columns that are entered? */
bool
sigma_linked_filter_reads_entries(const TableDefinition *table)
{
	return read_formulas(table, false).entered;
}

/* Do row filter or ("edits") row_edit read columns of the source beyond the key? */
bool
sigma_linked_filter_reads_source(const TableDefinition *table, bool edits)
{
	return read_formulas(table, edits).linked;
}

/* What the row filter reads of a row, and row_edit where "edits". */
static FormulaReads
read_formulas(const TableDefinition *table, bool edits)
{
	static const char *const keys[] = {"row_filter", "row_edit"};
	FormulaReads reads = {0};
	int			i;

	reads.row = sigma_linked_row(table->document, false);
	reads.ncolumn = sigma_json_get(table->document, "columns")->count;
	reads.nkey = table->nkey;
	for (i = 0; i < (edits ? 2 : 1); i++)
	{
		const JsonNode *formula = sigma_row_formula(table->document, keys[i]);

		if (formula != NULL)
			(void) sigma_formula_visit(sigma_formula_parse_at(sigma_json_path(formula), formula->string),
									   note_reference, &reads);
	}
	return reads;
}

/* FormulaVisitor: note what a reference reads, through computed columns. */
static bool
note_reference(void *arg, FormulaNode *node)
{
	FormulaReads *reads = arg;
	FormulaColumn *column;
	int			place;

	check_stack_depth();
	if (node->kind != FORMULA_REFERENCE)
		return false;
	column = sigma_formula_column(reads->row, node->text);
	if (column == NULL || column->compiling)
		return false;			/* compiling it says what is wrong */
	place = column - reads->row->columns;
	if (column->formula != NULL)
	{
		column->compiling = true;	/* once is enough, and circles end */
		(void) sigma_formula_visit(sigma_formula_parse_at("", column->formula), note_reference, reads);
	}
	else if (place < reads->ncolumn)
		reads->entered = true;
	else if (place >= reads->ncolumn + reads->nkey)
		reads->linked = true;
	return false;
}
