/*
 * html_table.c
 *		Tables and input tables of a web page.
 *
 * One statement reads the rows, a second one counts them where there are more than are
 * shown.  All rows that were read are in the document, some at a time on the screen;
 * the script turns the pages and sorts.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "layout/html.h"

#define CELL_CHARACTERS	300		/* of one cell that are shown */
#define PILLS	8				/* colours of list values */

typedef enum CellKind
{
	CELL_TEXT,
	CELL_NUMBER,
	CELL_DATE,
	CELL_CHECK,
	CELL_PILL,					/* a value of a list */
	CELL_PILLS,
	CELL_LINK,
	CELL_FILE,
	CELL_JSON
} CellKind;

/* A table while it is being written. */
typedef struct TableWork
{
	const HtmlElement *element;
	HtmlSource *source;
	List	   *columns;		/* of HtmlColumn */
	CellKind   *kinds;
	JsonNode  **lists;			/* allowed values, or NULL */
	bool		has_id;			/* the last column is the row's id */
	bool		is_entry;		/* rows can be entered */
	bool		selects;		/* choosing a row starts something */
	int64		offset;
	int64		count;			/* of all rows; -1: not known */
} TableWork;

static void write_table(HtmlPage *page, void *arg);
static void read_columns(HtmlPage *page, TableWork *work);
static CellKind cell_kind(const HtmlColumn *column);
static bool may_enter(const HtmlPage *page, const HtmlTable *table);
static char *rows_text(HtmlPage *page, HtmlSource *source, void *arg);
static char *count_text(HtmlPage *page, HtmlSource *source, void *arg);
static int64 count_rows(HtmlPage *page, TableWork *work);
static void put_head(HtmlPage *page, const TableWork *work);
static void put_rows(HtmlPage *page, const TableWork *work, SPITupleTable *rows, uint64 count);
static void put_cell(HtmlPage *page, const TableWork *work, int i, Datum value);
static void put_number(HtmlPage *page, const char *text, int least);
static void put_pill(HtmlPage *page, const JsonNode *list, const char *text);
static void put_link(HtmlPage *page, const char *url, const char *text);
static void put_pager(HtmlPage *page, const TableWork *work, uint64 shown);
static void put_entry(HtmlPage *page, const TableWork *work);
static const char *icon_of(CellKind kind);

/* A table, or an input table; a note where its rows cannot be read. */
void
sigma_html_table(HtmlPage *page, const HtmlElement *element)
{
	TableWork	work = {0};

	work.element = element;
	sigma_html_card(page, element, "section", "card data", write_table, &work);
}

/*
 * A card with data, which "work" writes, its head too; a note under the title alone where
 * the rows cannot be read, or a required control has no value.
 */
void
sigma_html_card(HtmlPage *page, const HtmlElement *element, const char *tag, const char *class, HtmlWork work, void *arg)
{
	int			width = page->width;
	ErrorData  *error = NULL;

	sigma_html_open(page, element, tag, class);
	if (page->waiting == NULL)
		error = sigma_html_try(page, work, arg);
	if (page->waiting != NULL || error != NULL)
		sigma_html_card_head(page, element, NULL, NULL);
	if (page->waiting != NULL)
		sigma_html_note(page, psprintf("Choose a value for \"%s\"", page->waiting), "It is needed before data is shown.");
	else if (error != NULL)
		sigma_html_failure(page, error);
	sigma_html_format(page, "</%s>", tag);
	page->width = width;
}

/* What stands above rows or a chart: its title, a badge, a detail. */
void
sigma_html_card_head(HtmlPage *page, const HtmlElement *element, const char *badge, const char *detail)
{
	if (element->title == NULL && badge == NULL && detail == NULL)
		return;
	sigma_html_format(page, "<header class=\"card-head\"><h3 id=\"e%dh\">", element->number);
	sigma_html_text(page, element->title);
	sigma_html_put(page, "</h3>");
	if (badge != NULL)
		sigma_html_format(page, "<span class=\"badge %s</span>",
						  strcmp(badge, "Draft") == 0 ? "warn\">Draft" : "good\">Published");
	if (detail != NULL)
	{
		sigma_html_put(page, "<span class=\"muted\">");
		sigma_html_text(page, detail);
		sigma_html_put(page, "</span>");
	}
	sigma_html_put(page, "</header>");
}

/* HtmlWork: everything in the card. */
static void
write_table(HtmlPage *page, void *arg)
{
	TableWork  *work = arg;
	HtmlElement element = *work->element;
	const char *name = sigma_json_get_string(element.settings, "source", NULL);
	bool		is_input = strcmp(element.node->type, "input_table") == 0;
	SPITupleTable *rows;
	uint64		count;
	uint64		shown;
	const char *detail;

	if (name == NULL)
	{
		sigma_html_card_head(page, &element, NULL, NULL);
		sigma_html_note(page, "No source", "Choose the rows to show with \"source\".");
		return;
	}
	work->source = sigma_html_source(page, name, element.settings);
	read_columns(page, work);
	if (element.title == NULL)
		element.title = work->source->row->name;
	work->element = &element;
	work->is_entry = is_input && work->source->table != NULL && may_enter(page, work->source->table);
	work->selects = sigma_html_has_trigger(page, element.node->id, "select");
	work->offset = (Max(1, Min(page->pages == NULL ? 1 : sigma_json_get_int(page->pages, element.node->id, 1), 1000000)) - 1) *
		(int64) page->row_limit;
	sigma_html_select(page, work->source, rows_text, work);
	rows = SPI_tuptable;
	count = SPI_processed;
	shown = Min(count, (uint64) page->row_limit);
	work->count = work->offset + count;
	if (count > shown || (count == 0 && work->offset > 0))
		work->count = count_rows(page, work);
	detail = work->count < 0 ? psprintf("over %s rows", sigma_chart_number(HTML_COUNTED, false)) :
		psprintf("%s row%s", sigma_chart_number(work->count, false), work->count == 1 ? "" : "s");
	sigma_html_card_head(page, &element, !is_input || work->source->table == NULL ||
						 strcmp(sigma_json_get_string(work->source->table->definition, "data_entry_permission", ""), "draft") != 0 ?
						 NULL : work->source->table->draft ? "Draft" : "Published", detail);
	if (work->is_entry)
		put_entry(page, work);
	put_head(page, work);
	put_rows(page, work, rows, shown);
	sigma_html_put(page, "</table></div>");
	put_pager(page, work, shown);
	SPI_finish();
}

/* What is shown, and how. */
static void
read_columns(HtmlPage *page, TableWork *work)
{
	ListCell   *cell;

	work->columns = sigma_html_columns(page, work->source, work->element->settings, "columns");
	work->has_id = sigma_formula_column(work->source->row, "sigma_row_id") != NULL;
	work->kinds = palloc0(sizeof(CellKind) * (list_length(work->columns) + 1));
	work->lists = palloc0(sizeof(JsonNode *) * (list_length(work->columns) + 1));
	foreach(cell, work->columns)
	{
		HtmlColumn *column = lfirst(cell);

		work->kinds[foreach_current_index(cell)] = cell_kind(column);
		if (column->definition != NULL)
			work->lists[foreach_current_index(cell)] =
				sigma_html_list_values(work->source->table->definition, column->definition);
	}
}

/* How a column's values are shown. */
static CellKind
cell_kind(const HtmlColumn *column)
{
	const char *type = column->definition == NULL ? "" : sigma_json_get_string(column->definition, "type", "");
	const JsonNode *validation = column->definition == NULL ? NULL : sigma_json_get(column->definition, "validation");

	if (strcmp(type, "dropdown") == 0)
		return CELL_PILL;
	if (strcmp(type, "file") == 0)
		return CELL_FILE;
	if (validation != NULL && validation->kind == JSON_OBJECT &&
		strcmp(sigma_json_get_string(validation, "format", ""), "url") == 0)
		return CELL_LINK;
	switch (column->sql->form)
	{
		case SQL_TEXT_ARRAY:
			return CELL_PILLS;
		case SQL_BOOL:
			return CELL_CHECK;
		case SQL_DATE:
		case SQL_TIMESTAMP:
			return CELL_DATE;
		case SQL_JSONB:
			return CELL_JSON;
		default:
			return column->sql->type == TYPE_NUMBER ? CELL_NUMBER : CELL_TEXT;
	}
}

/* Can the reader enter rows?  It is the version that is edited, and no linked table. */
static bool
may_enter(const HtmlPage *page, const HtmlTable *table)
{
	bool		drafted = strcmp(sigma_json_get_string(table->definition, "data_entry_permission", ""), "draft") == 0;

	return strcmp(sigma_json_get_string(table->definition, "type", ""), "linked") != 0 &&
		(drafted ? table->draft && page->mode != MODE_PUBLISHED : page->mode != MODE_DRAFT) &&
		sigma_html_may_insert(table->id);
}

/* The statement for the rows: one more than are shown. */
static char *
rows_text(HtmlPage *page, HtmlSource *source, void *arg)
{
	TableWork  *work = arg;
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	foreach(cell, work->columns)
		appendStringInfo(&sql, "%s%s", foreach_current_index(cell) == 0 ? "" : ", ", ((HtmlColumn *) lfirst(cell))->sql->sql);
	if (work->has_id)
		appendStringInfo(&sql, "%st.sigma_row_id", work->columns == NIL ? "" : ", ");
	appendStringInfoString(&sql, sigma_html_where(page, source));
	appendStringInfoString(&sql, sigma_html_order(source, work->element->settings));
	appendStringInfo(&sql, " LIMIT %d OFFSET " INT64_FORMAT, page->row_limit + 1, work->offset);
	return sql.data;
}

/* The statement that counts them. */
static char *
count_text(HtmlPage *page, HtmlSource *source, void *arg)
{
	return psprintf("SELECT pg_catalog.count(*) FROM (SELECT 1%s LIMIT %d) AS r", sigma_html_where(page, source),
					HTML_COUNTED + 1);
}

/* How many rows there are; -1: more than are counted. */
static int64
count_rows(HtmlPage *page, TableWork *work)
{
	bool		isnull;
	int64		count;

	sigma_html_select(page, work->source, count_text, work);
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return count > HTML_COUNTED ? -1 : count;
}

/* The table's head. */
static void
put_head(HtmlPage *page, const TableWork *work)
{
	ListCell   *cell;

	sigma_html_format(page, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"e%dh\""
					  "><table class=\"rows%s\"", work->element->number, work->selects ? " selects" : "");
	if (work->source->table != NULL)
		sigma_html_attribute(page, "data-sigma-table", work->source->table->id);
	if (work->selects)
		sigma_html_trigger(page, work->element->node->id, "select");
	sigma_html_put(page, "><caption class=\"sr\">");
	sigma_html_text(page, work->element->title);
	sigma_html_put(page, "</caption><thead><tr>");
	foreach(cell, work->columns)
	{
		HtmlColumn *column = lfirst(cell);
		CellKind	kind = work->kinds[foreach_current_index(cell)];

		sigma_html_format(page, "<th scope=\"col\" aria-sort=\"none\"%s", kind == CELL_NUMBER ? " class=\"n\"" : "");
		if (column->width > 0)
			sigma_html_format(page, " style=\"width:%dpx\"", column->width);
		sigma_html_attribute(page, "data-sigma-column", column->name);
		sigma_html_put(page, "><button type=\"button\" class=\"sort\">");
		sigma_html_icon(page, icon_of(kind));
		sigma_html_text(page, column->label);
		if (column->definition != NULL && work->is_entry &&
			(!sigma_json_get_bool(column->definition, "editable", true) ||
			 sigma_json_get_bool(column->definition, "protected", false)))
			sigma_html_icon(page, "lock");
		sigma_html_put(page, "</button></th>");
	}
	sigma_html_put(page, "</tr></thead>");
}

static const char *
icon_of(CellKind kind)
{
	switch (kind)
	{
		case CELL_NUMBER:
			return "number";
		case CELL_DATE:
			return "date";
		case CELL_CHECK:
			return "checkbox";
		case CELL_PILL:
		case CELL_PILLS:
			return "list";
		case CELL_FILE:
			return "file";
		case CELL_JSON:
			return "json";
		default:
			return "text";
	}
}

/* The rows, in bodies of so many as are on the screen at a time. */
static void
put_rows(HtmlPage *page, const TableWork *work, SPITupleTable *rows, uint64 count)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "row of a web page", ALLOCSET_DEFAULT_SIZES);
	int			ncolumns = list_length(work->columns);
	uint64		i;
	int			j;

	for (i = 0; i < count; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(cxt);
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		if (i % HTML_PAGE_ROWS == 0)
			sigma_html_put(page, i == 0 ? "<tbody>" : "</tbody><tbody hidden>");
		sigma_html_put(page, "<tr");
		if (work->has_id)
		{
			Datum		id = SPI_getbinval(rows->vals[i], rows->tupdesc, ncolumns + 1, &isnull);

			if (!isnull && SPI_gettypeid(rows->tupdesc, ncolumns + 1) == INT8OID)
				sigma_html_format(page, " data-sigma-row=\"" INT64_FORMAT "\"", DatumGetInt64(id));
		}
		sigma_html_put(page, work->selects ? " tabindex=\"0\">" : ">");
		for (j = 0; j < ncolumns; j++)
		{
			Datum		value = SPI_getbinval(rows->vals[i], rows->tupdesc, j + 1, &isnull);

			if (isnull)
				sigma_html_put(page, "<td></td>");
			else
				put_cell(page, work, j, value);
		}
		sigma_html_put(page, "</tr>");
		MemoryContextSwitchTo(old);
		MemoryContextReset(cxt);
	}
	if (count > 0)
		sigma_html_put(page, "</tbody>");
	else
		sigma_html_format(page, "<tbody><tr class=\"none\"><td colspan=\"%d\">No rows</td></tr></tbody>", Max(ncolumns, 1));
	MemoryContextDelete(cxt);
}

/* One cell that is not empty. */
static void
put_cell(HtmlPage *page, const TableWork *work, int i, Datum value)
{
	const HtmlColumn *column = list_nth(work->columns, i);
	const char *shown;
	JsonbValue	url;

	switch (work->kinds[i])
	{
		case CELL_NUMBER:
			sigma_html_put(page, "<td class=\"n\">");
			shown = sigma_html_cell(column->sql->form, value);
			if (column->format != NULL && sigma_chart_formatted(strtod(shown, NULL), column->format) != NULL)
				sigma_html_text(page, sigma_chart_formatted(strtod(shown, NULL), column->format));
			else
				put_number(page, shown, column->sql->form == SQL_NUMERIC || column->sql->form == SQL_FLOAT8 ? 4 : 5);
			break;
		case CELL_CHECK:
			sigma_html_put(page, DatumGetBool(value) ? "<td><span class=\"check on\" role=\"img\" aria-label=\"True\"></span>" :
						   "<td><span class=\"check\" role=\"img\" aria-label=\"False\"></span>");
			break;
		case CELL_PILL:
			sigma_html_put(page, "<td>");
			put_pill(page, work->lists[i], sigma_html_cell(column->sql->form, value));
			break;
		case CELL_PILLS:
			{
				Datum	   *items;
				bool	   *nulls;
				int			count;
				int			j;

				sigma_html_put(page, "<td>");
				deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, &count);
				for (j = 0; j < Min(count, 20); j++)
					if (!nulls[j])
						put_pill(page, work->lists[i], TextDatumGetCString(items[j]));
				break;
			}
		case CELL_FILE:
			sigma_html_put(page, "<td>");
			shown = sigma_html_cell(column->sql->form, value);
			if (JB_ROOT_IS_OBJECT(DatumGetJsonbP(value)) &&
				getKeyJsonValueFromContainer(&DatumGetJsonbP(value)->root, "name", 4, &url) != NULL && url.type == jbvString)
				shown = pnstrdup(url.val.string.val, url.val.string.len);
			if (JB_ROOT_IS_OBJECT(DatumGetJsonbP(value)) &&
				getKeyJsonValueFromContainer(&DatumGetJsonbP(value)->root, "url", 3, &url) != NULL && url.type == jbvString)
				put_link(page, pnstrdup(url.val.string.val, url.val.string.len), shown);
			else
				sigma_html_text(page, sigma_html_cut(shown, CELL_CHARACTERS));
			break;
		case CELL_LINK:
			sigma_html_put(page, "<td>");
			shown = sigma_html_cell(column->sql->form, value);
			put_link(page, shown, shown);
			break;
		case CELL_JSON:
			sigma_html_put(page, "<td><code>");
			sigma_html_text(page, sigma_html_cut(sigma_html_cell(column->sql->form, value), CELL_CHARACTERS));
			sigma_html_put(page, "</code>");
			break;
		case CELL_DATE:
			sigma_html_put(page, "<td class=\"d\">");
			sigma_html_text(page, sigma_html_cell(column->sql->form, value));
			break;
		case CELL_TEXT:
			sigma_html_put(page, "<td>");
			sigma_html_text(page, sigma_html_cut(sigma_html_cell(column->sql->form, value), CELL_CHARACTERS));
			break;
	}
	sigma_html_put(page, "</td>");
}

/* A number; its digits are grouped where there are so many: integers may be years. */
static void
put_number(HtmlPage *page, const char *text, int least)
{
	int			sign = text[0] == '-';
	int			digits = strspn(text + sign, "0123456789");
	int			i;

	if (digits < least || (text[sign + digits] != '\0' && text[sign + digits] != '.'))
	{
		sigma_html_text(page, text);
		return;
	}
	appendBinaryStringInfo(&page->out, text, sign);
	for (i = 0; i < digits; i++)
	{
		if (i > 0 && (digits - i) % 3 == 0)
			appendStringInfoChar(&page->out, ',');
		appendStringInfoChar(&page->out, text[sign + i]);
	}
	appendStringInfoString(&page->out, text + sign + digits);
}

/* A value of a list; its colour is its place in the list, or comes from its letters. */
static void
put_pill(HtmlPage *page, const JsonNode *list, const char *text)
{
	uint32		color = hash_bytes((const unsigned char *) text, strlen(text)) % PILLS;
	int			i;

	for (i = 0; list != NULL && i < Min(list->count, 64); i++)
		if (list->items[i]->kind == JSON_STRING && strcmp(list->items[i]->string, text) == 0)
			color = i % PILLS;
	sigma_html_format(page, "<span class=\"pill p%u\">", color + 1);
	sigma_html_text(page, sigma_html_cut(text, 60));
	sigma_html_put(page, "</span>");
}

/* A link, where it is one that a page may hold; else its text. */
static void
put_link(HtmlPage *page, const char *url, const char *text)
{
	bool		is_link = sigma_html_is_link(url, false) && strchr(url, ':') != NULL;

	if (is_link)
	{
		sigma_html_put(page, "<a rel=\"noopener noreferrer\" target=\"_blank\"");
		sigma_html_attribute(page, "href", url);
		sigma_html_put(page, ">");
	}
	sigma_html_text(page, sigma_html_cut(text, 80));
	if (is_link)
		sigma_html_put(page, "</a>");
}

/* What turns the pages; nothing where there is only one. */
static void
put_pager(HtmlPage *page, const TableWork *work, uint64 shown)
{
	bool		more = work->count < 0 || work->count > work->offset + (int64) shown;

	if (shown <= HTML_PAGE_ROWS && !more && work->offset == 0)
		return;
	sigma_html_format(page, "<footer class=\"pager\" data-sigma-size=\"%d\" data-sigma-offset=\"" INT64_FORMAT
					  "\" data-sigma-shown=\"" UINT64_FORMAT "\" data-sigma-count=\"" INT64_FORMAT "\"",
					  HTML_PAGE_ROWS, work->offset, shown, work->count);
	sigma_html_attribute(page, "data-sigma-element", work->element->node->id);
	sigma_html_format(page, "><span class=\"range\">" INT64_FORMAT "&ndash;" INT64_FORMAT " of ",
					  work->offset + (shown > 0), work->offset + (int64) Min(shown, HTML_PAGE_ROWS));
	if (work->count >= 0)
		sigma_html_text(page, sigma_chart_number(work->count, false));
	else
		sigma_html_format(page, "over %s", sigma_chart_number(HTML_COUNTED, false));
	sigma_html_put(page, "</span><span><button type=\"button\" class=\"icon\" data-sigma-turn=\"-1\" aria-label=\"Previous rows\"");
	sigma_html_flag(page, "disabled", work->offset == 0);
	sigma_html_put(page, ">");
	sigma_html_icon(page, "left");
	sigma_html_put(page, "</button><button type=\"button\" class=\"icon\" data-sigma-turn=\"1\" aria-label=\"Next rows\">");
	sigma_html_icon(page, "right");
	sigma_html_put(page, "</button></span></footer>");
}

/* The button that opens the form for a new row, and that form. */
static void
put_entry(HtmlPage *page, const TableWork *work)
{
	int			number = work->element->number;

	/* into the head of the card, which was written last */
	page->out.len -= strlen("</header>");
	sigma_html_format(page, "<button type=\"button\" class=\"btn text size-small\" data-sigma-opens=\"e%da\">", number);
	sigma_html_icon(page, "plus");
	sigma_html_format(page, "Add row</button></header><dialog class=\"modal\" id=\"e%da\" style=\"--width:560px\" aria-labelledby=\"e%db\">"
					  "<form method=\"dialog\" class=\"form\" data-sigma-insert", number, number);
	sigma_html_attribute(page, "data-sigma-table", work->source->table->id);
	sigma_html_attribute(page, "data-sigma-element", work->element->node->id);
	sigma_html_format(page, "><header><h2 id=\"e%db\">Add a row to ", number);
	sigma_html_text(page, work->source->row->name);
	sigma_html_put(page, "</h2><button type=\"button\" class=\"icon\" data-sigma-close aria-label=\"Close\">");
	sigma_html_icon(page, "close");
	sigma_html_put(page, "</button></header><div class=\"body fields\">");
	sigma_html_fields(page, work->source->table, NULL);
	sigma_html_put(page, "</div><footer><button type=\"button\" class=\"btn secondary\" data-sigma-close>Cancel</button>"
				   "<button type=\"submit\" class=\"btn primary\">Add row</button></footer></form></dialog>");
}
