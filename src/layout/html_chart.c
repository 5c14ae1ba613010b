/*
 * html_chart.c
 *		Charts of a web page: their rows, and the frame around the drawing.
 *
 * One statement groups the rows by x and by the columns that tell series apart; dates
 * are put together by hour, day, month, quarter or year, whichever suits their range.
 * The drawing is SVG in up to three widths, of which the style sheet shows the one that
 * fits, so that letters stay as large as the rest of the page.  The numbers are there
 * too, as a table.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/timestamp.h"

#include "layout/html.h"

#define BARS		60			/* categories of a chart with bars */
#define SLICES		8			/* of a pie, the last one for what is left */
#define TABLE_LINES	100			/* of the numbers */
#define BINS		20			/* of a histogram, about */

/* A chart while it is being read and written. */
typedef struct ChartWork
{
	const HtmlElement *element;
	Chart		chart;
	HtmlColumn *x;				/* or NULL */
	List	   *y;				/* of HtmlColumn */
	List	   *series;			/* of HtmlColumn */
	const char *aggregate;		/* of all of y, NULL: as suits each */
	bool		raw;			/* values are not put together */
	HTAB	   *categories;		/* ChartKey by label */
	HTAB	   *names;			/* ChartKey by label of series */
	int			capacity;		/* categories that there is room for */
} ChartWork;

/* Something that has a place. */
typedef struct ChartKey
{
	const char *label;			/* hash key, must be first */
	int			place;
} ChartKey;

static void write_chart(HtmlPage *page, void *arg);
static List *named_columns(HtmlSource *source, const JsonNode *names);
static void read_settings(HtmlSource *source, ChartWork *work, const JsonNode *settings);
static char *chart_text(HtmlPage *page, HtmlSource *source, void *arg);
static char *bucket_sql(HtmlPage *page, HtmlSource *source, const HtmlColumn *x);
static void append_values(StringInfo sql, const ChartWork *work);
static void append_order(StringInfo sql, const ChartWork *work);
static const char *aggregate_of(const ChartWork *work, const HtmlColumn *column);
static const char *value_label(const ChartWork *work, const HtmlColumn *column);
static void read_rows(ChartWork *work, SPITupleTable *table, uint64 count);
static int	category_of(ChartWork *work, HeapTuple row, TupleDesc desc);
static int	series_of(ChartWork *work, const char *label, bool line);
static const char *date_label(Timestamp date, const char *unit);
static void make_histogram(ChartWork *work);
static void keep_slices(Chart *chart);
static void put_drawing(HtmlPage *page, const HtmlElement *element, const Chart *chart);
static bool is_drawn(const char *type);
static void put_numbers(HtmlPage *page, const Chart *chart, bool alone);

/* A chart; a note where its rows cannot be read. */
void
sigma_html_chart(HtmlPage *page, const HtmlElement *element)
{
	ChartWork	work = {0};
	bool		alone = strcmp(sigma_json_get_string(element->settings, "chart_type", "bar"), "kpi") == 0;

	work.element = element;
	sigma_html_card(page, element, "figure", alone ? "card chart kpi" : "card chart", write_chart, &work);
}

/* HtmlWork: everything in the figure. */
static void
write_chart(HtmlPage *page, void *arg)
{
	ChartWork  *work = arg;
	HtmlElement element = *work->element;
	const char *name = sigma_json_get_string(element.settings, "source", NULL);
	HtmlSource *source;
	Chart	   *chart = &work->chart;

	if (name == NULL)
	{
		sigma_html_card_head(page, &element, NULL, NULL);
		sigma_html_note(page, "No source", "Choose the rows to draw with \"source\".");
		return;
	}
	source = sigma_html_source(page, name, element.settings);
	read_settings(source, work, element.settings);
	if (element.title == NULL)
		element.title = chart->x_label == NULL ? chart->y_label : psprintf("%s by %s", chart->y_label, chart->x_label);
	chart->title = element.title;
	sigma_html_select(page, source, chart_text, work);
	read_rows(work, SPI_tuptable, Min(SPI_processed, CHART_POINTS));
	chart->more_rows |= SPI_processed > CHART_POINTS;
	if (strcmp(chart->type, "histogram") == 0)
		make_histogram(work);
	if (strcmp(chart->type, "pie") == 0 || strcmp(chart->type, "donut") == 0)
		keep_slices(chart);
	sigma_html_card_head(page, &element, NULL, NULL);
	if (chart->ncategory == 0 || chart->nseries == 0)
		sigma_html_put(page, "<p class=\"empty\">No data</p>");
	else if (!is_drawn(chart->type))
	{
		sigma_html_put(page, "<p class=\"hint\">Charts of type ");
		sigma_html_text(page, chart->type);
		sigma_html_put(page, " are shown as numbers.</p>");
		put_numbers(page, chart, true);
	}
	else
		put_drawing(page, &element, chart);
	SPI_finish();
}

/* ------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------ */

/* The columns that a setting names: one, or several. */
static List *
named_columns(HtmlSource *source, const JsonNode *names)
{
	List	   *columns = NIL;
	int			i;

	if (names == NULL || names->kind == JSON_NULL)
		return NIL;
	if (names->kind == JSON_STRING)
		return list_make1(sigma_html_column(source, names->string));
	for (i = 0; names->kind == JSON_ARRAY && i < names->count; i++)
		if (names->items[i]->kind == JSON_STRING)
			columns = lappend(columns, sigma_html_column(source, names->items[i]->string));
	return columns;
}

/* What is drawn over what. */
static void
read_settings(HtmlSource *source, ChartWork *work, const JsonNode *settings)
{
	Chart	   *chart = &work->chart;
	const char *x = sigma_json_get_string(settings, "x", NULL);
	bool		points;

	chart->type = sigma_json_get_string(settings, "chart_type", "bar");
	points = strcmp(chart->type, "scatter") == 0 || strcmp(chart->type, "histogram") == 0;
	work->x = x == NULL || strcmp(chart->type, "kpi") == 0 ? NULL : sigma_html_column(source, x);
	work->y = named_columns(source, sigma_json_get(settings, "y"));
	if (strcmp(chart->type, "histogram") == 0 && work->y == NIL && work->x != NULL)
	{
		work->y = list_make1(work->x);
		work->x = NULL;
	}
	work->series = strcmp(chart->type, "kpi") == 0 ? NIL : named_columns(source, sigma_json_get(settings, "series"));
	work->aggregate = sigma_json_get_string(settings, "aggregate", points ? "none" : NULL);
	work->raw = work->aggregate != NULL && strcmp(work->aggregate, "none") == 0;
	if (work->raw && strcmp(chart->type, "kpi") == 0)
	{
		work->raw = false;
		work->aggregate = NULL;
	}
	if (work->y == NIL && work->raw)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a chart of single values needs \"y\"")));
	chart->x_label = work->x == NULL ? NULL : work->x->label;
	chart->y_label = work->y == NIL ? "Rows" : list_length(work->y) > 1 ? "Values" : value_label(work, linitial(work->y));
	chart->mixed = list_length(work->y) > 1;
	chart->whole = work->y == NIL || strncmp(aggregate_of(work, linitial(work->y)), "count", 5) == 0;
	chart->stacked = work->series != NIL && strcmp(chart->type, "line") != 0 && strcmp(chart->type, "combo") != 0;
	work->categories = sigma_id_set("categories of a chart", sizeof(ChartKey));
	work->names = sigma_id_set("series of a chart", sizeof(ChartKey));
}

/* How the values of a column are put together: as the chart says, else numbers as their sum and others counted. */
static const char *
aggregate_of(const ChartWork *work, const HtmlColumn *column)
{
	return work->aggregate != NULL ? work->aggregate : sigma_html_is_number(column) ? "sum" : "count";
}

/* What that is called. */
static const char *
value_label(const ChartWork *work, const HtmlColumn *column)
{
	static const char *const names[][2] = {
		{"sum", "Sum of"}, {"avg", "Average"}, {"min", "Least"}, {"max", "Greatest"}, {"count", "Count of"},
		{"count_distinct", "Different"}, {"median", "Median"},
	};
	int			i;

	for (i = 0; i < lengthof(names); i++)
		if (strcmp(names[i][0], aggregate_of(work, column)) == 0)
			return psprintf("%s %s", names[i][1], column->label);
	return column->label;
}

/* The statement: x, its unit, the series' label, values. */
static char *
chart_text(HtmlPage *page, HtmlSource *source, void *arg)
{
	ChartWork  *work = arg;
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	if (work->x == NULL)
		appendStringInfoString(&sql, "SELECT NULL::pg_catalog.text, NULL::pg_catalog.text, ");
	else if (work->x->sql->type == TYPE_DATE && !work->raw)
	{
		char	   *unit = bucket_sql(page, source, work->x);

		appendStringInfo(&sql, "SELECT pg_catalog.date_trunc(%s, (%s)::pg_catalog.timestamp), %s, ", unit,
						 work->x->sql->sql, unit);
	}
	else
		appendStringInfo(&sql, "SELECT %s%s, NULL::pg_catalog.text, ", work->x->sql->sql,
						 work->x->sql->form == SQL_DATE ? "::pg_catalog.timestamp" : "");
	if (work->series == NIL)
		appendStringInfoString(&sql, "NULL::pg_catalog.text");
	else
	{
		appendStringInfoString(&sql, "pg_catalog.concat_ws(' / '");
		foreach(cell, work->series)
			appendStringInfo(&sql, ", %s", ((HtmlColumn *) lfirst(cell))->sql->sql);
		appendStringInfoString(&sql, ")");
	}
	append_values(&sql, work);
	appendStringInfoString(&sql, sigma_html_where(page, source));
	if (!work->raw && (work->x != NULL || work->series != NIL))
		appendStringInfoString(&sql, " GROUP BY 1, 2, 3");
	append_order(&sql, work);
	appendStringInfo(&sql, " LIMIT %d", CHART_POINTS + 1);
	return sql.data;
}

/* ", value" for each of y; without y the number of rows. */
static void
append_values(StringInfo sql, const ChartWork *work)
{
	ListCell   *cell;

	foreach(cell, work->y)
		appendStringInfo(sql, ", %s", sigma_html_aggregate(lfirst(cell), aggregate_of(work, lfirst(cell))));
	if (work->y == NIL)
		appendStringInfoString(sql, ", pg_catalog.count(*)::pg_catalog.float8");
}

/* By what "sort" names; else by x, and a chart without axes by its values. */
static void
append_order(StringInfo sql, const ChartWork *work)
{
	const JsonNode *sort = sigma_json_get(work->element->settings, "sort");
	const JsonNode *first = sort != NULL && sort->kind == JSON_ARRAY && sort->count > 0 ? sort->items[0] : NULL;
	const char *name = first == NULL ? NULL : first->kind == JSON_STRING ? first->string :
		sigma_json_get_string(first, "column", "");
	bool		descends = first != NULL && first->kind == JSON_OBJECT &&
		strcmp(sigma_json_get_string(first, "direction", "asc"), "desc") == 0;
	const char *type = work->chart.type;
	ListCell   *cell;

	foreach(cell, work->y)
		if (name != NULL && strcmp(((HtmlColumn *) lfirst(cell))->name, name) == 0)
		{
			appendStringInfo(sql, " ORDER BY %d%s NULLS LAST, 1, 3", foreach_current_index(cell) + 4, descends ? " DESC" : "");
			return;
		}
	if (name == NULL && (strcmp(type, "pie") == 0 || strcmp(type, "donut") == 0 || strcmp(type, "funnel") == 0))
		appendStringInfoString(sql, " ORDER BY 4 DESC NULLS LAST, 1, 3");
	else
		appendStringInfo(sql, " ORDER BY 1%s NULLS LAST, 3", descends ? " DESC" : "");
}

/* The unit that dates are put together by, which their range decides. */
static char *
bucket_sql(HtmlPage *page, HtmlSource *source, const HtmlColumn *x)
{
	char	   *range = psprintf("(pg_catalog.max((%s)::pg_catalog.timestamp) OPERATOR(pg_catalog.-) pg_catalog.min((%s)::pg_catalog.timestamp))",
								 x->sql->sql, x->sql->sql);

	return psprintf("(SELECT CASE WHEN %s OPERATOR(pg_catalog.>) '12 years'::pg_catalog.interval THEN 'year'"
					" WHEN %s OPERATOR(pg_catalog.>) '1500 days'::pg_catalog.interval THEN 'quarter'"
					" WHEN %s OPERATOR(pg_catalog.>) '92 days'::pg_catalog.interval THEN 'month'"
					" WHEN %s OPERATOR(pg_catalog.>) '%s'::pg_catalog.interval THEN 'day' ELSE '%s' END%s)",
					range, range, range, range, x->sql->form == SQL_DATE ? "-1 day" : "2 days",
					x->sql->form == SQL_DATE ? "day" : "hour", sigma_html_where(page, source));
}

/* From rows to categories and series. */
static void
read_rows(ChartWork *work, SPITupleTable *table, uint64 count)
{
	Chart	   *chart = &work->chart;
	bool		bars = strcmp(chart->type, "bar") == 0 || strcmp(chart->type, "combo") == 0 || strcmp(chart->type, "funnel") == 0;
	bool		places = work->x != NULL && !bars &&
		(work->x->sql->type == TYPE_DATE || (work->x->sql->type == TYPE_NUMBER && strcmp(chart->type, "pie") != 0 &&
											 strcmp(chart->type, "donut") != 0));
	uint64		i;

	work->capacity = bars ? Min(count, BARS) : count;
	chart->categories = palloc0(sizeof(char *) * (work->capacity + 1));
	chart->positions = places ? palloc0(sizeof(double) * (work->capacity + 1)) : NULL;
	chart->times = work->x != NULL && work->x->sql->type == TYPE_DATE;
	for (i = 0; i < count; i++)
	{
		int			category = category_of(work, table->vals[i], table->tupdesc);
		char	   *label = SPI_getvalue(table->vals[i], table->tupdesc, 3);
		int			j;

		CHECK_FOR_INTERRUPTS();
		if (category < 0)
			continue;
		for (j = 0; j < Max(list_length(work->y), 1); j++)
		{
			const char *value = work->y == NIL || list_length(work->y) == 1 ? NULL : value_label(work, list_nth(work->y, j));
			int			series = series_of(work, label == NULL ? (value == NULL ? "" : value) :
										   value == NULL ? (label[0] == '\0' ? "(none)" : label) : psprintf("%s: %s", label, value),
										   j > 0 && strcmp(chart->type, "combo") == 0);
			bool		isnull;
			Datum		datum = SPI_getbinval(table->vals[i], table->tupdesc, 4 + j, &isnull);

			if (series >= 0 && !isnull && isfinite(DatumGetFloat8(datum)) && fabs(DatumGetFloat8(datum)) < 1e290)
				chart->series[series].values[category] = DatumGetFloat8(datum);
		}
	}
}

/* The place of a row's x among the categories; -1: there are too many. */
static int
category_of(ChartWork *work, HeapTuple row, TupleDesc desc)
{
	Chart	   *chart = &work->chart;
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, 1, &isnull);
	char	   *unit = SPI_getvalue(row, desc, 2);
	const char *label;
	ChartKey   *key;
	double		position = 0;
	bool		found;

	if (work->x == NULL)
		label = work->raw ? psprintf("%d", chart->ncategory + 1) : "";
	else if (isnull)
		label = "(none)";
	else if (chart->times)
	{
		label = date_label(DatumGetTimestamp(value), unit);
		position = (double) DatumGetTimestamp(value) / USECS_PER_SEC;
	}
	else
	{
		label = sigma_html_cell(work->x->sql->form, value);
		position = chart->positions == NULL ? 0 : strtod(label, NULL);
	}
	if (chart->positions != NULL && isnull)
		return -1;
	key = work->raw ? NULL : hash_search(work->categories, &label, HASH_FIND, NULL);
	if (key != NULL)
		return key->place;
	if (chart->ncategory >= work->capacity)
	{
		chart->more_rows = true;
		return -1;
	}
	if (!work->raw)
	{
		key = hash_search(work->categories, &label, HASH_ENTER, &found);
		key->place = chart->ncategory;
	}
	chart->categories[chart->ncategory] = label;
	if (chart->positions != NULL)
		chart->positions[chart->ncategory] = position;
	return chart->ncategory++;
}

/* The place of a series, which is made where there is none; -1: there are too many. */
static int
series_of(ChartWork *work, const char *label, bool line)
{
	Chart	   *chart = &work->chart;
	ChartKey   *key = hash_search(work->names, &label, HASH_FIND, NULL);
	ChartSeries *series;
	bool		found;
	int			i;

	if (key != NULL)
		return key->place;
	if (chart->nseries == CHART_SERIES)
	{
		chart->more_series = true;
		return -1;
	}
	key = hash_search(work->names, &label, HASH_ENTER, &found);
	key->place = chart->nseries;
	series = &chart->series[chart->nseries++];
	series->label = label;
	series->line = line;
	series->values = palloc(sizeof(double) * (work->capacity + 1));
	for (i = 0; i <= work->capacity; i++)
		series->values[i] = get_float8_nan();
	return key->place;
}

/* A date as the unit it stands for; without one as it is. */
static const char *
date_label(Timestamp date, const char *unit)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char	   *text = sigma_html_cell(SQL_TIMESTAMP, TimestampGetDatum(date));

	if (TIMESTAMP_NOT_FINITE(date) || timestamp2tm(date, NULL, &tm, &fsec, NULL, NULL) != 0)
		return text;
	if (unit != NULL && strcmp(unit, "year") == 0)
		return psprintf("%d", tm.tm_year);
	if (unit != NULL && strcmp(unit, "quarter") == 0)
		return psprintf("%d Q%d", tm.tm_year, (tm.tm_mon - 1) / 3 + 1);
	if (unit != NULL && strcmp(unit, "month") == 0)
		return psprintf("%s %d", months[tm.tm_mon - 1], tm.tm_year);
	if (unit != NULL && strcmp(unit, "hour") == 0)
		return psprintf("%s %d, %02d:00", months[tm.tm_mon - 1], tm.tm_mday, tm.tm_hour);
	if (tm.tm_hour == 0 && tm.tm_min == 0 && tm.tm_sec == 0)
		return psprintf("%d %s %d", tm.tm_mday, months[tm.tm_mon - 1], tm.tm_year);
	return text;
}

/* Single values become bins of a round width. */
static void
make_histogram(ChartWork *work)
{
	Chart	   *chart = &work->chart;
	double	   *values = chart->nseries == 0 ? NULL : chart->series[0].values;
	double		low = get_float8_infinity();
	double		high = -low;
	ChartScale	scale;
	double	   *bins;
	SqlForm		form = ((HtmlColumn *) linitial(work->y))->sql->form;
	bool		whole = form == SQL_INT4 || form == SQL_INT8;
	int			count;
	int			i;

	for (i = 0; values != NULL && i < chart->ncategory; i++)
		if (!isnan(values[i]))
		{
			low = Min(low, values[i]);
			high = Max(high, values[i]);
		}
	if (values == NULL || low > high)
	{
		chart->ncategory = 0;
		return;
	}
	sigma_chart_scale(&scale, low, high, BINS, false, whole);
	count = Max(1, (int) rint((scale.high - scale.low) / scale.step));
	bins = palloc0(sizeof(double) * count);
	for (i = 0; i < chart->ncategory; i++)
		if (!isnan(values[i]))
			bins[Max(0, Min(count - 1, (int) floor((values[i] - scale.low) / scale.step)))]++;
	chart->categories = palloc(sizeof(char *) * count);
	for (i = 0; i < count; i++)
		chart->categories[i] = sigma_chart_tick(&scale, scale.low + i * scale.step);
	chart->x_label = chart->y_label;
	chart->y_label = "Rows";
	chart->ncategory = count;
	chart->positions = NULL;
	chart->nseries = 1;
	chart->series[0].values = bins;
	chart->whole = true;
	chart->type = "bar";
}

/* A pie has so many slices; what is left is one more.  Values that are not above zero have none. */
static void
keep_slices(Chart *chart)
{
	double	   *values = chart->nseries == 0 ? NULL : chart->series[0].values;
	double		rest = 0;
	int			kept = 0;
	int			i;

	for (i = 0; values != NULL && i < chart->ncategory; i++)
	{
		if (!(values[i] > 0))
			continue;
		if (kept < SLICES - 1 || (kept == SLICES - 1 && i == chart->ncategory - 1))
		{
			chart->categories[kept] = chart->categories[i];
			values[kept++] = values[i];
		}
		else
			rest += values[i];
	}
	if (rest > 0)
	{
		chart->categories[kept] = "Other";
		values[kept++] = rest;
	}
	chart->ncategory = kept;
	chart->more_series = chart->nseries > 1;
	chart->nseries = Min(chart->nseries, 1);
}

/* ------------------------------------------------------------------------
 * Drawing
 * ------------------------------------------------------------------------ */

/* Is there a drawing for it? */
static bool
is_drawn(const char *type)
{
	static const char *const types[] = {"bar", "line", "area", "scatter", "combo", "pie", "donut", "kpi", "funnel"};
	int			i;

	for (i = 0; i < lengthof(types); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

/* The drawing, its legend, its numbers. */
static void
put_drawing(HtmlPage *page, const HtmlElement *element, const Chart *chart)
{
	const int	widths[] = {330, 620, Max(860, Min(page->width - 16, 1160))};
	static const int heights[] = {210, 260, 300};
	static const char *const counts[] = {"one", "two", "three"};
	bool		round = strcmp(chart->type, "pie") == 0 || strcmp(chart->type, "donut") == 0;
	int			most = page->width <= 400 ? 1 : page->width <= 760 ? 2 : 3;
	int			i;

	if (strcmp(chart->type, "kpi") == 0)
	{
		sigma_chart_number_alone(page, chart);
		return;
	}
	if (strcmp(chart->type, "funnel") == 0)
		sigma_chart_bars(page, chart);
	else if (round)
		sigma_chart_pie(page, chart);
	else
	{
		if (chart->nseries > 1)
			sigma_chart_legend(page, chart);
		sigma_html_format(page, "<div class=\"plot %s\">", counts[most - 1]);
		for (i = 0; i < most; i++)
		{
			int			height = element->height > 0 ? element->height * 40 - 16 - 64 - (chart->nseries > 1 ? 32 : 0) : heights[i];

			sigma_html_format(page, "<div class=\"v%d\">", i + 1);
			sigma_chart_axes(page, chart, widths[i], Max(140, Min(height, 900)));
			sigma_html_put(page, "</div>");
		}
		sigma_html_put(page, "</div>");
	}
	put_numbers(page, chart, false);
	if (chart->more_rows || chart->more_series)
		sigma_html_put(page, chart->more_series ? "<p class=\"hint\">Only the first series are drawn.</p>" :
					   "<p class=\"hint\">Only the first values are drawn.</p>");
}

/* The numbers behind a chart as a table; "alone": in its place. */
static void
put_numbers(HtmlPage *page, const Chart *chart, bool alone)
{
	int			i;
	int			j;

	sigma_html_put(page, alone ? "<div class=\"scroll\">" : "<details class=\"numbers\"><summary>Show data</summary><div class=\"scroll\">");
	sigma_html_put(page, "<table class=\"rows\"><thead><tr><th scope=\"col\">");
	sigma_html_text(page, chart->x_label != NULL ? chart->x_label : "");
	sigma_html_put(page, "</th>");
	for (j = 0; j < chart->nseries; j++)
	{
		sigma_html_put(page, "<th scope=\"col\" class=\"n\">");
		sigma_html_text(page, chart->series[j].label[0] != '\0' ? chart->series[j].label : chart->y_label);
		sigma_html_put(page, "</th>");
	}
	sigma_html_put(page, "</tr></thead><tbody>");
	for (i = 0; i < Min(chart->ncategory, TABLE_LINES); i++)
	{
		sigma_html_put(page, "<tr><th scope=\"row\">");
		sigma_html_text(page, sigma_html_cut(chart->categories[i], 100));
		sigma_html_put(page, "</th>");
		for (j = 0; j < chart->nseries; j++)
		{
			sigma_html_put(page, "<td class=\"n\">");
			if (!isnan(chart->series[j].values[i]))
				sigma_html_text(page, sigma_chart_number(chart->series[j].values[i], false));
			sigma_html_put(page, "</td>");
		}
		sigma_html_put(page, "</tr>");
	}
	sigma_html_put(page, alone ? "</tbody></table></div>" : "</tbody></table></div></details>");
}
