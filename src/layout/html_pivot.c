/*
 * html_pivot.c
 *		Pivots of a web page: values put together by rows and columns.
 *
 * PostgreSQL groups and sorts; each group comes with the number of its column, so that
 * it has its place in the table when it is read.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "layout/html.h"

#define PIVOT_GROUPS	20000
#define PIVOT_COLUMNS	60
#define PIVOT_ROWS		500

/* A pivot while it is being written. */
typedef struct PivotWork
{
	const HtmlElement *element;
	List	   *rows;			/* of HtmlColumn */
	List	   *columns;
	List	   *values;
	int			nheads;			/* different values of the columns */
	const char *heads[PIVOT_COLUMNS];
	double	   *line;			/* of one row: by column and value; NaN: none */
} PivotWork;

static void write_pivot(HtmlPage *page, void *arg);
static char *pivot_text(HtmlPage *page, HtmlSource *source, void *arg);
static void append_list(StringInfo sql, List *columns);
static const char *aggregate_of(const HtmlColumn *column);
static char *join_cells(SPITupleTable *table, uint64 row, int first, List *columns);
static int	column_of(const PivotWork *work, SPITupleTable *table, uint64 row);
static void put_head(HtmlPage *page, const PivotWork *work);
static void put_line(HtmlPage *page, const PivotWork *work, SPITupleTable *table, uint64 row);

/* A pivot; a note where its rows cannot be read. */
void
sigma_html_pivot(HtmlPage *page, const HtmlElement *element)
{
	PivotWork	work = {0};

	work.element = element;
	sigma_html_card(page, element, "section", "card data", write_pivot, &work);
}

/* HtmlWork: everything in the card. */
static void
write_pivot(HtmlPage *page, void *arg)
{
	PivotWork  *work = arg;
	const JsonNode *settings = work->element->settings;
	const char *name = sigma_json_get_string(settings, "source", NULL);
	HtmlSource *source;
	uint64		count;
	uint64		i;
	int			cells;
	int			lines = 0;

	sigma_html_card_head(page, work->element, NULL, NULL);
	if (name == NULL)
	{
		sigma_html_note(page, "No source", "Choose the rows to show with \"source\".");
		return;
	}
	source = sigma_html_source(page, name, work->element->settings);
	work->rows = sigma_html_columns(page, source, settings, "rows");
	work->columns = sigma_json_get(settings, "columns") == NULL ? NIL : sigma_html_columns(page, source, settings, "columns");
	work->values = sigma_html_columns(page, source, settings, "values");
	sigma_html_select(page, source, pivot_text, work);
	count = SPI_processed;
	for (i = 0; i < count; i++)
	{
		int			column = column_of(work, SPI_tuptable, i);

		if (column >= PIVOT_COLUMNS)
			continue;
		work->nheads = Max(work->nheads, column + 1);
		if (work->heads[column] == NULL)
			work->heads[column] = join_cells(SPI_tuptable, i, list_length(work->rows), work->columns);
	}
	cells = work->nheads * Max(list_length(work->values), 1);
	work->line = palloc(sizeof(double) * (cells + 1));
	put_head(page, work);
	sigma_html_put(page, "<tbody>");
	for (i = 0; i < count && lines < PIVOT_ROWS; lines++)
	{
		char	   *label = join_cells(SPI_tuptable, i, 0, work->rows);
		uint64		first = i;
		int			j;

		CHECK_FOR_INTERRUPTS();
		for (j = 0; j < cells; j++)
			work->line[j] = get_float8_nan();
		for (; i < count && strcmp(label, join_cells(SPI_tuptable, i, 0, work->rows)) == 0; i++)
		{
			int			column = column_of(work, SPI_tuptable, i);
			int			values = Max(list_length(work->values), 1);

			for (j = 0; column < PIVOT_COLUMNS && j < values; j++)
			{
				bool		isnull;
				Datum		value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
												  list_length(work->rows) + list_length(work->columns) + j + 1, &isnull);

				if (!isnull)
					work->line[column * values + j] = DatumGetFloat8(value);
			}
		}
		put_line(page, work, SPI_tuptable, first);
	}
	sigma_html_put(page, "</tbody></table></div>");
	if (i < count || count > PIVOT_GROUPS)
		sigma_html_format(page, "<footer class=\"pager\"><span>The first %d rows</span></footer>", lines);
	SPI_finish();
}

/* The statement: rows, columns, values, the number of the column. */
static char *
pivot_text(HtmlPage *page, HtmlSource *source, void *arg)
{
	PivotWork  *work = arg;
	List	   *keys = list_concat_copy(work->rows, work->columns);
	StringInfoData sql;
	ListCell   *cell;
	int			i;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_list(&sql, keys);
	foreach(cell, work->values)
		appendStringInfo(&sql, "%s%s", sql.data[sql.len - 1] == ' ' ? "" : ", ",
						 sigma_html_aggregate(lfirst(cell), aggregate_of(lfirst(cell))));
	if (work->values == NIL)
		appendStringInfo(&sql, "%spg_catalog.count(*)::pg_catalog.float8", keys == NIL ? "" : ", ");
	appendStringInfoString(&sql, ", pg_catalog.dense_rank() OVER (");
	if (work->columns != NIL)
	{
		appendStringInfoString(&sql, "ORDER BY ");
		append_list(&sql, work->columns);
	}
	appendStringInfoString(&sql, ")");
	appendStringInfoString(&sql, sigma_html_where(page, source));
	if (keys != NIL)
	{
		for (i = 1; i <= list_length(keys); i++)
			appendStringInfo(&sql, "%s%d", i == 1 ? " GROUP BY " : ", ", i);
		for (i = 1; i <= list_length(keys); i++)
			appendStringInfo(&sql, "%s%d", i == 1 ? " ORDER BY " : ", ", i);
	}
	appendStringInfo(&sql, " LIMIT %d", PIVOT_GROUPS + 1);
	return sql.data;
}

static void
append_list(StringInfo sql, List *columns)
{
	ListCell   *cell;

	foreach(cell, columns)
		appendStringInfo(sql, "%s%s", foreach_current_index(cell) == 0 ? "" : ", ", ((HtmlColumn *) lfirst(cell))->sql->sql);
}

/* How the values of a column are put together: as it says, else numbers as their sum and others counted. */
static const char *
aggregate_of(const HtmlColumn *column)
{
	return column->aggregate != NULL ? column->aggregate : sigma_html_is_number(column) ? "sum" : "count";
}

/* The values of some columns of a row, as one text. */
static char *
join_cells(SPITupleTable *table, uint64 row, int first, List *columns)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, columns)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(table->vals[row], table->tupdesc, first + foreach_current_index(cell) + 1, &isnull);

		appendStringInfo(&text, "%s%s", foreach_current_index(cell) == 0 ? "" : " / ",
						 isnull ? "(none)" : sigma_html_cell(((HtmlColumn *) lfirst(cell))->sql->form, value));
	}
	return text.data;
}

/* The column that a group stands in, from 0. */
static int
column_of(const PivotWork *work, SPITupleTable *table, uint64 row)
{
	bool		isnull;
	Datum		rank = SPI_getbinval(table->vals[row], table->tupdesc, table->tupdesc->natts, &isnull);

	return work->columns == NIL ? 0 : (int) Min(DatumGetInt64(rank), PIVOT_COLUMNS + 1) - 1;
}

/* The table's head: a line for the columns, and one for the values where there are several. */
static void
put_head(HtmlPage *page, const PivotWork *work)
{
	int			values = Max(list_length(work->values), 1);
	bool		both = work->columns == NIL || values > 1;
	ListCell   *cell;
	int			i;

	sigma_html_put(page, "<div class=\"scroll\" role=\"region\" tabindex=\"0\"");
	sigma_html_attribute(page, "aria-label", work->element->title != NULL ? work->element->title : "Pivot");
	sigma_html_put(page, "><table class=\"rows pivot\"><thead><tr>");
	foreach(cell, work->rows)
	{
		sigma_html_format(page, "<th scope=\"col\" rowspan=\"%d\">", work->columns != NIL && both ? 2 : 1);
		sigma_html_text(page, ((HtmlColumn *) lfirst(cell))->label);
		sigma_html_put(page, "</th>");
	}
	for (i = 0; work->columns != NIL && i < work->nheads; i++)
	{
		sigma_html_format(page, "<th scope=\"col%s\" class=\"n\" colspan=\"%d\">", values > 1 ? "group" : "", values);
		sigma_html_text(page, work->heads[i]);
		sigma_html_put(page, "</th>");
	}
	if (work->columns != NIL && both)
		sigma_html_put(page, "</tr><tr>");
	for (i = 0; both && i < (work->columns == NIL ? 1 : work->nheads); i++)
	{
		if (work->values == NIL)
			sigma_html_put(page, "<th scope=\"col\" class=\"n\">Rows</th>");
		foreach(cell, work->values)
		{
			sigma_html_put(page, "<th scope=\"col\" class=\"n\">");
			sigma_html_text(page, ((HtmlColumn *) lfirst(cell))->label);
			sigma_html_put(page, "</th>");
		}
	}
	sigma_html_put(page, "</tr></thead>");
}

/* One row of the pivot. */
static void
put_line(HtmlPage *page, const PivotWork *work, SPITupleTable *table, uint64 row)
{
	int			cells = work->nheads * Max(list_length(work->values), 1);
	ListCell   *cell;
	int			i;

	sigma_html_put(page, "<tr>");
	foreach(cell, work->rows)
	{
		sigma_html_put(page, "<th scope=\"row\">");
		sigma_html_text(page, sigma_html_cut(join_cells(table, row, foreach_current_index(cell), list_make1(lfirst(cell))), 100));
		sigma_html_put(page, "</th>");
	}
	for (i = 0; i < cells; i++)
	{
		sigma_html_put(page, "<td class=\"n\">");
		if (!isnan(work->line[i]))
		{
			const HtmlColumn *value = work->values == NIL ? NULL : list_nth(work->values, i % list_length(work->values));
			char	   *text = value == NULL || value->format == NULL ? NULL : sigma_chart_formatted(work->line[i], value->format);

			sigma_html_text(page, text != NULL ? text : sigma_chart_number(work->line[i], false));
		}
		sigma_html_put(page, "</td>");
	}
	sigma_html_put(page, "</tr>");
}
