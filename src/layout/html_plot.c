/*
 * html_plot.c
 *		Charts with axes: bars, lines, areas, points, as SVG.
 *
 * The drawing is so many units wide and high as it will be in pixels, or near that.
 * Marks have a title, which browsers show; colours are classes of the style sheet.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"

#include "layout/html.h"

#define LETTER	6.3				/* width of a letter of a label */
#define TITLED	170				/* a drawing that is lower has no room for titles of axes */

/* Where things are in a drawing. */
typedef struct Plot
{
	const Chart *chart;
	double		left;
	double		right;
	double		top;
	double		bottom;
	ChartScale	y;
	ChartScale	x;				/* of positions */
	double		band;			/* width of a category, where there are no positions */
	bool		bars;			/* categories are bands, and zero is on the axis */
	int			width;
	int			height;
	bool		titled;			/* axes say what they are */
} Plot;

static void measure(Plot *plot, const Chart *chart, int width, int height);
static void value_range(const Chart *chart, double *low, double *high);
static double x_of(const Plot *plot, int category);
static double y_of(const Plot *plot, double value);
static void put_summary(HtmlPage *page, const Chart *chart);
static void put_axis_titles(HtmlPage *page, const Plot *plot);
static void put_axis_y(HtmlPage *page, const Plot *plot);
static void put_axis_x(HtmlPage *page, const Plot *plot);
static void put_numbers_x(HtmlPage *page, const Plot *plot);
static void put_title(HtmlPage *page, const Chart *chart, int series, int category);
static void put_bars(HtmlPage *page, const Plot *plot);
static void put_bar(HtmlPage *page, const Plot *plot, int series, int category, double x, double width, double from, double to);
static void put_line(HtmlPage *page, const Plot *plot, int series);
static void put_areas(HtmlPage *page, const Plot *plot);
static void put_points(HtmlPage *page, const Plot *plot, int series, bool small);

/* The drawing of a bar, line, area, scatter or combo chart. */
void
sigma_chart_axes(HtmlPage *page, const Chart *chart, int width, int height)
{
	Plot		plot;
	bool		scatter = strcmp(chart->type, "scatter") == 0;
	int			i;

	measure(&plot, chart, width, height);
	sigma_html_format(page, "<svg class=\"svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", width, height);
	put_summary(page, chart);
	sigma_html_put(page, "\">");
	put_axis_titles(page, &plot);
	put_axis_y(page, &plot);
	if (scatter && chart->positions != NULL && !chart->times)
		put_numbers_x(page, &plot);
	else
		put_axis_x(page, &plot);
	if (strcmp(chart->type, "area") == 0)
		put_areas(page, &plot);
	if (plot.bars)
		put_bars(page, &plot);
	for (i = 0; i < chart->nseries; i++)
	{
		if (strcmp(chart->type, "line") == 0 || chart->series[i].line ||
			(strcmp(chart->type, "area") == 0 && !chart->stacked))
			put_line(page, &plot, i);
		if (scatter || strcmp(chart->type, "line") == 0 || chart->series[i].line ||
			(strcmp(chart->type, "area") == 0 && !chart->stacked))
			put_points(page, &plot, i, !scatter);
	}
	sigma_html_put(page, "</svg>");
}

/* What a reader who does not see the drawing is told. */
static void
put_summary(HtmlPage *page, const Chart *chart)
{
	double		low;
	double		high;

	value_range(chart, &low, &high);
	sigma_html_text(page, chart->title);
	sigma_html_text(page, psprintf(": %s chart, %d value%s of %s", chart->type, chart->ncategory,
								   chart->ncategory == 1 ? "" : "s", chart->x_label != NULL ? chart->x_label : "x"));
	sigma_html_text(page, psprintf(", %s from %s to %s", chart->y_label, sigma_chart_number(low, true),
								   sigma_chart_number(high, true)));
}

/* Scales and margins. */
static void
measure(Plot *plot, const Chart *chart, int width, int height)
{
	double		low;
	double		high;
	double		tick;
	int			letters = 1;
	int			i;

	memset(plot, 0, sizeof(Plot));
	plot->chart = chart;
	plot->bars = strcmp(chart->type, "bar") == 0 || strcmp(chart->type, "combo") == 0;
	value_range(chart, &low, &high);
	sigma_chart_scale(&plot->y, low, high, height > 220 ? 5 : 4, plot->bars || strcmp(chart->type, "area") == 0,
					  chart->whole);
	for (i = 0, tick = plot->y.low; i < 20 && tick <= plot->y.high + plot->y.step / 2; i++, tick += plot->y.step)
		letters = Max(letters, (int) strlen(sigma_chart_tick(&plot->y, tick)));
	plot->left = letters * LETTER + 12;
	plot->right = width - 12;
	plot->width = width;
	plot->height = height;
	plot->titled = height >= TITLED;
	plot->top = plot->titled && !chart->mixed ? 26 : 10;
	plot->bottom = height - (plot->titled && chart->x_label != NULL ? 40 : 24);
	plot->band = (plot->right - plot->left) / Max(chart->ncategory, 1);
	if (chart->positions != NULL)
	{
		low = high = chart->positions[0];
		for (i = 1; i < chart->ncategory; i++)
		{
			low = Min(low, chart->positions[i]);
			high = Max(high, chart->positions[i]);
		}
		if (strcmp(chart->type, "scatter") == 0 && !chart->times)
			sigma_chart_scale(&plot->x, low, high, width / 90, false, false);
		else
		{
			plot->x.low = low;
			plot->x.high = high > low ? high : low + 1;
		}
	}
}

/* The least and the greatest value; of series that stand on each other, of their sums. */
static void
value_range(const Chart *chart, double *low, double *high)
{
	bool		any = false;
	int			i;
	int			j;

	*low = *high = 0;
	for (i = 0; i < chart->ncategory; i++)
	{
		double		up = 0;
		double		down = 0;

		for (j = 0; j < chart->nseries; j++)
		{
			double		value = chart->series[j].values[i];

			if (isnan(value))
				continue;
			if (chart->stacked && strcmp(chart->type, "scatter") != 0)
			{
				up += Max(value, 0);
				down += Min(value, 0);
				value = value < 0 ? down : up;
			}
			*low = any ? Min(*low, value) : value;
			*high = any ? Max(*high, value) : value;
			any = true;
		}
	}
}

/* The middle of a category. */
static double
x_of(const Plot *plot, int category)
{
	if (plot->chart->positions != NULL)
		return plot->left + 6 + (plot->chart->positions[category] - plot->x.low) / (plot->x.high - plot->x.low) *
			(plot->right - plot->left - 12);
	return plot->left + (category + 0.5) * plot->band;
}

static double
y_of(const Plot *plot, double value)
{
	return plot->bottom - (value - plot->y.low) / (plot->y.high - plot->y.low) * (plot->bottom - plot->top);
}

/* What the axes are: above the one, below the other. */
static void
put_axis_titles(HtmlPage *page, const Plot *plot)
{
	const Chart *chart = plot->chart;
	int			letters = (plot->width - 8) / LETTER;

	if (plot->titled && !chart->mixed)
	{
		sigma_html_put(page, "<text class=\"at\" x=\"4\" y=\"11\">");
		sigma_html_text(page, sigma_html_cut(chart->y_label, letters));
		sigma_html_put(page, "</text>");
	}
	if (!plot->titled || chart->x_label == NULL)
		return;
	sigma_html_format(page, "<text class=\"at\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">",
					  (plot->left + plot->right) / 2, plot->height - 4);
	sigma_html_text(page, sigma_html_cut(chart->x_label, letters));
	sigma_html_put(page, "</text>");
}

/* Lines across, and what they stand for. */
static void
put_axis_y(HtmlPage *page, const Plot *plot)
{
	double		tick = plot->y.low;
	int			i;

	for (i = 0; i < 20 && tick <= plot->y.high + plot->y.step / 2; i++, tick += plot->y.step)
	{
		double		y = y_of(plot, tick);

		sigma_html_format(page, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
						  "<text class=\"t\" text-anchor=\"end\" x=\"%.1f\" y=\"%.1f\">",
						  fabs(tick) < plot->y.step * 1e-6 ? "g0" : "g", plot->left, plot->right, y, y, plot->left - 6, y + 3.5);
		sigma_html_text(page, sigma_chart_tick(&plot->y, tick));
		sigma_html_put(page, "</text>");
	}
}

/* Labels of categories, as many as have room. */
static void
put_axis_x(HtmlPage *page, const Plot *plot)
{
	const Chart *chart = plot->chart;
	double		free_from = plot->left - 40;
	int			i;

	for (i = 0; i < chart->ncategory; i++)
	{
		char	   *label = sigma_html_cut(chart->categories[i], 16);
		double		width = pg_mbstrlen(label) * LETTER;
		double		x = Max(x_of(plot, i), width / 2 + 1);

		x = Min(x, plot->right + 10 - width / 2);
		if (x - width / 2 < free_from)
			continue;
		free_from = x + width / 2 + 10;
		sigma_html_format(page, "<text class=\"t\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">", x, plot->bottom + 17);
		sigma_html_text(page, label);
		sigma_html_put(page, "</text>");
	}
}

/* Ticks of an x axis of numbers. */
static void
put_numbers_x(HtmlPage *page, const Plot *plot)
{
	double		tick = plot->x.low;
	int			i;

	for (i = 0; i < 20 && tick <= plot->x.high + plot->x.step / 2; i++, tick += plot->x.step)
	{
		double		x = plot->left + 6 + (tick - plot->x.low) / (plot->x.high - plot->x.low) * (plot->right - plot->left - 12);

		sigma_html_format(page, "<line class=\"g\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
						  "<text class=\"t\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">",
						  x, x, plot->top, plot->bottom, x, plot->bottom + 17);
		sigma_html_text(page, sigma_chart_tick(&plot->x, tick));
		sigma_html_put(page, "</text>");
	}
}

/* What a mark stands for. */
static void
put_title(HtmlPage *page, const Chart *chart, int series, int category)
{
	const ChartSeries *one = &chart->series[series];

	sigma_html_put(page, "<title>");
	if (chart->positions != NULL && strcmp(chart->type, "scatter") == 0 && chart->x_label != NULL)
	{
		sigma_html_text(page, chart->x_label);
		sigma_html_put(page, " ");
	}
	sigma_html_text(page, sigma_html_cut(chart->categories[category], 80));
	sigma_html_put(page, chart->categories[category][0] == '\0' ? "" : ": ");
	if (one->label[0] != '\0')
	{
		sigma_html_text(page, sigma_html_cut(one->label, 80));
		sigma_html_put(page, " ");
	}
	sigma_html_text(page, sigma_chart_number(one->values[category], false));
	sigma_html_put(page, "</title>");
}

/* Bars: series on each other, or beside each other. */
static void
put_bars(HtmlPage *page, const Plot *plot)
{
	const Chart *chart = plot->chart;
	int			drawn = 0;
	int			i;
	int			j;

	for (j = 0; j < chart->nseries; j++)
		drawn += !chart->series[j].line;
	for (i = 0; i < chart->ncategory; i++)
	{
		double		room = Min(plot->band * 0.72, chart->stacked || drawn == 1 ? 56.0 : 28.0 * drawn);
		double		left = x_of(plot, i) - room / 2;
		double		up = 0;
		double		down = 0;
		int			place = 0;

		for (j = 0; j < chart->nseries; j++)
		{
			double		value = chart->series[j].values[i];
			double		from = chart->stacked ? (value < 0 ? down : up) : 0;

			if (chart->series[j].line)
				continue;
			place++;
			if (isnan(value))
				continue;
			if (chart->stacked)
				put_bar(page, plot, j, i, left, room, from, from + value);
			else
				put_bar(page, plot, j, i, left + room / drawn * (place - 1), room / drawn * (drawn > 1 ? 0.9 : 1), 0, value);
			if (value < 0)
				down += value;
			else
				up += value;
		}
	}
}

static void
put_bar(HtmlPage *page, const Plot *plot, int series, int category, double x, double width, double from, double to)
{
	double		top = y_of(plot, Max(from, to));
	double		height = y_of(plot, Min(from, to)) - top;

	sigma_html_format(page, "<rect class=\"m f%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"%s\">",
					  series % 8 + 1, x, top, Max(width, 0.5), Max(height, 0.5), width > 8 ? "2.5" : "0.5");
	put_title(page, plot->chart, series, category);
	sigma_html_put(page, "</rect>");
}

/* A line through the values of a series, parted where there is none. */
static void
put_line(HtmlPage *page, const Plot *plot, int series)
{
	const Chart *chart = plot->chart;
	bool		drawing = false;
	int			i;

	sigma_html_format(page, "<path class=\"l l%d\" d=\"", series % 8 + 1);
	for (i = 0; i < chart->ncategory; i++)
	{
		double		value = chart->series[series].values[i];

		if (!isnan(value))
			sigma_html_format(page, "%c%.1f %.1f", drawing ? 'L' : 'M', x_of(plot, i), y_of(plot, value));
		drawing = !isnan(value);
	}
	sigma_html_put(page, "\"/>");
}

/* Areas: series on each other, or each from zero. */
static void
put_areas(HtmlPage *page, const Plot *plot)
{
	const Chart *chart = plot->chart;
	double	   *base = palloc0(sizeof(double) * (chart->ncategory + 1));
	int			i;
	int			j;

	for (j = 0; j < chart->nseries; j++)
	{
		sigma_html_format(page, "<path class=\"a%s f%d\" d=\"", chart->stacked ? " solid" : "", j % 8 + 1);
		for (i = 0; i < chart->ncategory; i++)
		{
			double		value = isnan(chart->series[j].values[i]) ? 0 : chart->series[j].values[i];

			sigma_html_format(page, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x_of(plot, i), y_of(plot, base[i] + value));
		}
		for (i = chart->ncategory - 1; i >= 0; i--)
		{
			sigma_html_format(page, "L%.1f %.1f", x_of(plot, i), y_of(plot, base[i]));
			if (chart->stacked && !isnan(chart->series[j].values[i]))
				base[i] += chart->series[j].values[i];
		}
		sigma_html_put(page, "Z\"><title>");
		sigma_html_text(page, chart->series[j].label[0] != '\0' ? chart->series[j].label : chart->y_label);
		sigma_html_put(page, "</title></path>");
	}
}

/* Points; "small": on a line, and none where there are too many. */
static void
put_points(HtmlPage *page, const Plot *plot, int series, bool small)
{
	const Chart *chart = plot->chart;
	bool		crowded = small && chart->ncategory > 60;
	int			i;

	for (i = 0; i < chart->ncategory; i++)
	{
		double		value = chart->series[series].values[i];

		if (isnan(value) || crowded)
			continue;
		sigma_html_format(page, "<circle class=\"%s f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\">", small ? "pt" : "m dot",
						  series % 8 + 1, x_of(plot, i), y_of(plot, value), small ? "3" : "3.5");
		put_title(page, chart, series, i);
		sigma_html_put(page, "</circle>");
	}
}
