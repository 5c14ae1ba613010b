/*
 * html.h
 *		The layout as a web page: what the files that draw it share; nobody else includes it.
 *
 * html.c           sigma.render_html(): reading the elements, the document around them
 * html_write.c     escaping, attributes, links, colours
 * html_text.c      dynamic text, formulas over the context, errors that become notes
 * html_layout.c    pages, grids, containers, tabs, dialogs, popovers
 * html_element.c   elements without rows: buttons, text, images, plugins
 * html_control.c   controls
 * html_field.c     fields of forms: column types and rules as HTML validation
 * html_trigger.c   what elements start: sequences, and those that a page carries out by itself
 * html_source.c    which rows an element shows: source, filter, sort
 * html_table.c     tables, input tables
 * html_pivot.c     pivots
 * html_chart.c     charts: their rows, the frame around them
 * html_scale.c     charts: scales, ticks, numbers
 * html_plot.c      charts with axes
 * html_pie.c       charts without
 * html_style.c, html_script.c  the style sheet and the script, which are constant
 *
 * A page is written into one growing buffer while the tree is walked once.  Rows are
 * read as the caller, by one statement per element; an element whose rows cannot be
 * read says so in its place (sigma_html_try).  Everything lives in the memory context
 * in which the function was called.
 */
#ifndef SIGMA_HTML_H
#define SIGMA_HTML_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/hsearch.h"

#include "common/session.h"
#include "common/value.h"
#include "formula/compile.h"
#include "layout/layout.h"

#define HTML_GRID_COLUMNS	24	/* of pages */
#define HTML_ROWS			1000	/* that one element shows at the most, unless the context says otherwise */
#define HTML_PAGE_ROWS		25	/* of them at a time */
#define HTML_MAX_ROWS		10000	/* what the context may ask for */
#define HTML_COUNTED		100000	/* rows that are counted beyond those */
#define HTML_OPTIONS		200 /* values that a control offers, as Sigma does */

typedef struct HtmlPage
{
	StringInfoData out;
	Outline    *outline;
	void	   *context;		/* as the floor of runs read it */
	EntryMode	mode;			/* which version of input tables is shown */
	int			row_limit;
	JsonNode   *pages;			/* of the context's metadata: element → page of its rows, or NULL */
	int			last_id;		/* of elements in the document */
	HTAB	   *triggers;		/* HtmlTrigger by element */
	HTAB	   *tables;			/* HtmlTable by id of input table */
	HTAB	   *element_ids;	/* HtmlId by element */
	List	   *opened;			/* ids of dialogs that sequences of the page open */
	List	   *overlays;		/* OutlineNode: modals and drawers, which are written last */
	const char *waiting;		/* label of a required control without value, or NULL: no data is shown */
	bool		images;			/* what the page loads from elsewhere */
	bool		frames;
	int			columns;		/* of the grid that is being written */
	int			width;			/* pixels that it may get */
	const Grid *place;			/* of the element that comes next, NULL where it has no siblings */
	const char *gives_way;		/* classes of the element that comes next, which say when it takes more of the grid */
} HtmlPage;

/* An element while it is being written. */
typedef struct HtmlElement
{
	OutlineNode *node;
	JsonNode   *settings;
	int			number;			/* of its id in the document: "e<number>" */
	const char *title;			/* evaluated title, label or name; NULL: none */
	int			width;			/* pixels that it may get */
	int			height;			/* rows of the grid, 0: as high as it is */
} HtmlElement;

/* html.c */
extern void sigma_html_element(HtmlPage *page, OutlineNode *node);
extern JsonNode *sigma_html_settings(const OutlineNode *node);
extern int	sigma_html_number(HtmlPage *page, const char *id);	/* the document's id of an element */

/* html_write.c: into the page */
extern void sigma_html_put(HtmlPage *page, const char *html);
extern void sigma_html_format(HtmlPage *page, const char *format,...) pg_attribute_printf(2, 3);
extern void sigma_html_text(HtmlPage *page, const char *text);
extern void sigma_html_text_of(HtmlPage *page, const char *text, int length);
extern void sigma_html_attribute(HtmlPage *page, const char *name, const char *value);
extern void sigma_html_flag(HtmlPage *page, const char *name, bool set);
extern void sigma_html_icon(HtmlPage *page, const char *name);
extern void sigma_html_escape(StringInfo out, const char *text, int length);
extern bool sigma_html_is_link(const char *url, bool is_image);
extern bool sigma_html_is_color(const char *color);
extern const char *sigma_html_contrast(const char *color);
extern char *sigma_html_cut(const char *text, int characters);

/* html_text.c */
extern void sigma_html_evaluate(HtmlPage *page, const char *formula, JsonbValue *value);
extern char *sigma_html_dynamic(HtmlPage *page, const char *text);
extern void sigma_html_rich_text(HtmlPage *page, const char *text);
extern bool sigma_html_is_static(const char *text);
extern void sigma_html_control_value(HtmlPage *page, const char *variable, JsonbValue *value);
extern char *sigma_html_value_text(const JsonbValue *value);

/*
 * Do work that may fail without failing the page: what it wrote is taken back, and
 * the error returned, NULL where there was none.  Cancels and the like are raised on.
 */
typedef void (*HtmlWork) (HtmlPage *page, void *arg);

extern ErrorData *sigma_html_try(HtmlPage *page, HtmlWork work, void *arg);
extern void sigma_html_note(HtmlPage *page, const char *title, const char *detail);
extern void sigma_html_failure(HtmlPage *page, const ErrorData *error);

/* html_layout.c */
extern void sigma_html_children(HtmlPage *page, const HtmlElement *element, const char *class);
extern void sigma_html_page(HtmlPage *page, OutlineNode *node, bool many, bool hidden);
extern void sigma_html_container(HtmlPage *page, const HtmlElement *element);
extern void sigma_html_tabs(HtmlPage *page, const HtmlElement *element);
extern void sigma_html_popover(HtmlPage *page, const HtmlElement *element);
extern void sigma_html_overlay(HtmlPage *page, OutlineNode *node, bool open);
extern void sigma_html_open(HtmlPage *page, const HtmlElement *element, const char *tag, const char *class);

/* html_element.c */
extern void sigma_html_button(HtmlPage *page, const HtmlElement *element);
extern void sigma_html_footer_button(HtmlPage *page, const HtmlElement *element, const char *setting,
									 const char *trigger, const char *absent, const char *type);
extern void sigma_html_prose(HtmlPage *page, const HtmlElement *element);
extern void sigma_html_image(HtmlPage *page, const HtmlElement *element);
extern void sigma_html_divider(HtmlPage *page, const HtmlElement *element);
extern void sigma_html_plugin(HtmlPage *page, const HtmlElement *element);

/* html_control.c */
extern void sigma_html_control(HtmlPage *page, const HtmlElement *element);
extern const char *sigma_html_missing_control(HtmlPage *page, const OutlineNode *node);

/* html_trigger.c */
extern void sigma_html_read_triggers(HtmlPage *page, List *nodes);
extern void sigma_html_trigger(HtmlPage *page, const char *element_id, const char *type);
extern bool sigma_html_has_trigger(HtmlPage *page, const char *element_id, const char *type);

/*
 * Rows
 */

/* An input table that the page shows. */
typedef struct HtmlTable
{
	const char *id;				/* hash key, must be first */
	JsonNode   *definition;		/* NULL: there is none */
	Oid			relid;			/* what is read */
	bool		draft;			/* that is the draft */
} HtmlTable;

/* The rows that an element shows. */
typedef struct HtmlSource
{
	HtmlTable  *table;			/* input table, or NULL */
	FormulaRelation *row;
	List	   *filters;		/* JsonNode: those of the element and of the elements whose rows it shows */
	FormulaParameters *parameters;
} HtmlSource;

/* One column of a statement. */
typedef struct HtmlColumn
{
	const char *name;			/* in the source */
	const char *label;
	FormulaSql *sql;
	JsonNode   *definition;		/* of an input table's column, or NULL */
	int			width;			/* pixels, 0: as wide as it is */
	const char *format;			/* or NULL */
	const char *aggregate;		/* or NULL */
} HtmlColumn;

extern HtmlSource *sigma_html_source(HtmlPage *page, const char *name, JsonNode *settings);
extern HtmlTable *sigma_html_table_of(HtmlPage *page, const char *id);
extern bool sigma_html_may_insert(const char *id);
extern HtmlColumn *sigma_html_column(HtmlSource *source, const char *name);
extern HtmlColumn *sigma_html_listed(HtmlPage *page, HtmlSource *source, const JsonNode *item);
extern List *sigma_html_columns(HtmlPage *page, HtmlSource *source, const JsonNode *settings, const char *key);
extern char *sigma_html_where(HtmlPage *page, HtmlSource *source);
extern char *sigma_html_order(HtmlSource *source, const JsonNode *settings);
extern char *sigma_html_aggregate(const HtmlColumn *column, const char *aggregate);
extern void sigma_html_select(HtmlPage *page, HtmlSource *source, char *(*text) (HtmlPage *page, HtmlSource *source, void *arg),
							  void *arg);
extern char *sigma_html_cell(SqlForm form, Datum value);
extern bool sigma_html_is_number(const HtmlColumn *column);
extern JsonNode *sigma_html_list_values(const JsonNode *definition, const JsonNode *column);
extern List *sigma_html_values_of(HtmlPage *page, const char *source, const char *column, JsonNode *settings);

/* html_table.c, html_pivot.c */
extern void sigma_html_table(HtmlPage *page, const HtmlElement *element);
extern void sigma_html_pivot(HtmlPage *page, const HtmlElement *element);
extern void sigma_html_card(HtmlPage *page, const HtmlElement *element, const char *tag, const char *class,
							HtmlWork work, void *arg);
extern void sigma_html_card_head(HtmlPage *page, const HtmlElement *element, const char *badge, const char *detail);

/* html_field.c */
extern void sigma_html_form(HtmlPage *page, const HtmlElement *element);
extern void sigma_html_fields(HtmlPage *page, HtmlTable *table, const JsonNode *fields);
extern void sigma_html_options(HtmlPage *page, List *values, const JsonbValue *chosen);
extern bool sigma_html_is_chosen(const JsonbValue *chosen, const char *option);
extern void sigma_html_checks(HtmlPage *page, const char *name, const char *column, List *values,
							  const JsonbValue *chosen, bool swatches);
extern List *sigma_html_texts(const JsonNode *values);

/*
 * Charts
 */
#define CHART_SERIES	12		/* at the most; the colours repeat after eight */
#define CHART_POINTS	2000

/* One series of a chart. */
typedef struct ChartSeries
{
	const char *label;			/* "" where there is only one */
	double	   *values;			/* by category; NaN: none */
	bool		line;			/* of a combo: drawn as a line */
} ChartSeries;

typedef struct Chart
{
	const char *type;
	const char *title;
	const char *x_label;
	const char *y_label;
	bool		mixed;			/* values of several columns, which the legend names */
	int			ncategory;
	const char **categories;	/* their labels */
	double	   *positions;		/* on the x axis, where that is one of numbers or times; else NULL */
	bool		times;			/* positions are seconds since 2000 */
	int			nseries;
	ChartSeries series[CHART_SERIES];
	bool		whole;			/* values are numbers of something: ticks have no fractions */
	bool		stacked;		/* series stand on each other */
	bool		more_rows;		/* there are more than are shown */
	bool		more_series;
} Chart;

/* An axis of numbers. */
typedef struct ChartScale
{
	double		low;
	double		high;
	double		step;			/* between ticks */
} ChartScale;

extern void sigma_html_chart(HtmlPage *page, const HtmlElement *element);
extern void sigma_chart_scale(ChartScale *scale, double low, double high, int ticks, bool from_zero, bool whole);
extern char *sigma_chart_number(double value, bool compact);
extern char *sigma_chart_formatted(double value, const char *format);
extern char *sigma_chart_tick(const ChartScale *scale, double value);
extern void sigma_chart_axes(HtmlPage *page, const Chart *chart, int width, int height);
extern void sigma_chart_pie(HtmlPage *page, const Chart *chart);
extern void sigma_chart_bars(HtmlPage *page, const Chart *chart);
extern void sigma_chart_legend(HtmlPage *page, const Chart *chart);
extern void sigma_chart_number_alone(HtmlPage *page, const Chart *chart);

/* html_style.c, html_script.c */
extern const char sigma_html_style[];
extern const char sigma_html_script[];

#endif							/* SIGMA_HTML_H */
