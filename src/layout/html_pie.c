/*
 * html_pie.c
 *		Charts without axes: pies and doughnuts, funnels, a number alone.
 */
#include "postgres.h"

#include <math.h>

#include "layout/html.h"

static void put_slice(HtmlPage *page, const Chart *chart, int i, double from, double to, double total, double hole);
static void put_share(HtmlPage *page, double value, double total);

/* The names of the series. */
void
sigma_chart_legend(HtmlPage *page, const Chart *chart)
{
	int			i;

	sigma_html_put(page, "<ul class=\"legend\">");
	for (i = 0; i < chart->nseries; i++)
	{
		sigma_html_format(page, "<li><span class=\"swatch s%d%s\"></span>", i % 8 + 1, chart->series[i].line ? " thin" : "");
		sigma_html_text(page, sigma_html_cut(chart->series[i].label, 40));
		sigma_html_put(page, "</li>");
	}
	sigma_html_put(page, "</ul>");
}

/* A pie or doughnut, with what its slices stand for beside it. */
void
sigma_chart_pie(HtmlPage *page, const Chart *chart)
{
	const double *values = chart->series[0].values;
	bool		donut = strcmp(chart->type, "donut") == 0;
	double		total = 0;
	double		angle = 0;
	int			i;

	for (i = 0; i < chart->ncategory; i++)
		total += values[i];
	sigma_html_put(page, "<div class=\"round\"><svg class=\"svg\" viewBox=\"0 0 200 200\" role=\"img\" aria-label=\"");
	sigma_html_text(page, chart->title);
	sigma_html_text(page, psprintf(": %s chart, %d parts of %s", donut ? "doughnut" : "pie", chart->ncategory,
								   sigma_chart_number(total, true)));
	sigma_html_put(page, "\">");
	for (i = 0; i < chart->ncategory; i++)
	{
		double		to = angle + values[i] / total;

		put_slice(page, chart, i, angle, to, total, donut ? 58 : 0);
		angle = to;
	}
	if (donut)
	{
		sigma_html_put(page, "<text class=\"total\" text-anchor=\"middle\" x=\"100\" y=\"104\">");
		sigma_html_text(page, sigma_chart_number(total, true));
		sigma_html_put(page, "</text><text class=\"t\" text-anchor=\"middle\" x=\"100\" y=\"121\">");
		sigma_html_text(page, sigma_html_cut(chart->y_label, 20));
		sigma_html_put(page, "</text>");
	}
	sigma_html_put(page, "</svg><ul class=\"legend tall\">");
	for (i = 0; i < chart->ncategory; i++)
	{
		sigma_html_format(page, "<li><span class=\"swatch s%d\"></span><span>", i % 8 + 1);
		sigma_html_text(page, sigma_html_cut(chart->categories[i], 40));
		sigma_html_put(page, "</span><b>");
		put_share(page, values[i], total);
		sigma_html_put(page, "</b></li>");
	}
	sigma_html_put(page, "</ul></div>");
}

/* A slice from one part of the circle to another, which are given as shares from 0 to 1. */
static void
put_slice(HtmlPage *page, const Chart *chart, int i, double from, double to, double total, double hole)
{
	const double radius = 92;
	double		a = from * 2 * M_PI;
	double		b = Min(to, from + 0.99999) * 2 * M_PI;
	int			large = b - a > M_PI;

	sigma_html_format(page, "<path class=\"m slice f%d\" d=\"M%.2f %.2fA%g %g 0 %d 1 %.2f %.2f", i % 8 + 1,
					  100 + radius * sin(a), 100 - radius * cos(a), radius, radius, large,
					  100 + radius * sin(b), 100 - radius * cos(b));
	if (hole > 0)
		sigma_html_format(page, "L%.2f %.2fA%g %g 0 %d 0 %.2f %.2fZ\">", 100 + hole * sin(b), 100 - hole * cos(b), hole, hole,
						  large, 100 + hole * sin(a), 100 - hole * cos(a));
	else
		sigma_html_put(page, "L100 100Z\">");
	sigma_html_put(page, "<title>");
	sigma_html_text(page, sigma_html_cut(chart->categories[i], 80));
	sigma_html_put(page, ": ");
	sigma_html_text(page, sigma_chart_number(chart->series[0].values[i], false));
	sigma_html_put(page, " (");
	put_share(page, chart->series[0].values[i], total);
	sigma_html_put(page, ")</title></path>");
}

static void
put_share(HtmlPage *page, double value, double total)
{
	double		share = value / total * 100;

	sigma_html_format(page, share >= 10 ? "%.0f%%" : "%.1f%%", share);
}

/* A funnel: a bar for each step, as long as its value, and its share of the first one. */
void
sigma_chart_bars(HtmlPage *page, const Chart *chart)
{
	const double *values = chart->series[0].values;
	double		most = 0;
	int			i;

	for (i = 0; i < chart->ncategory; i++)
		most = !isnan(values[i]) && values[i] > most ? values[i] : most;
	sigma_html_put(page, "<ol class=\"funnel\">");
	for (i = 0; i < chart->ncategory; i++)
	{
		double		value = isnan(values[i]) ? 0 : values[i];

		sigma_html_put(page, "<li><span>");
		sigma_html_text(page, sigma_html_cut(chart->categories[i], 60));
		sigma_html_put(page, "</span><b>");
		sigma_html_text(page, sigma_chart_number(value, true));
		sigma_html_format(page, "</b><i class=\"s1\" style=\"width:%.2f%%\"></i></li>", most > 0 ? Max(value, 0) / most * 100 : 0);
	}
	sigma_html_put(page, "</ol>");
}

/* A number alone, with its exact value beside a short one. */
void
sigma_chart_number_alone(HtmlPage *page, const Chart *chart)
{
	double		value = chart->series[0].values[0];

	sigma_html_put(page, "<p class=\"figure\"");
	sigma_html_attribute(page, "title", isnan(value) ? NULL : sigma_chart_number(value, false));
	sigma_html_put(page, ">");
	sigma_html_text(page, isnan(value) ? "-" : sigma_chart_number(value, true));
	sigma_html_put(page, "</p><p class=\"muted\">");
	sigma_html_text(page, chart->y_label);
	sigma_html_put(page, "</p>");
}
