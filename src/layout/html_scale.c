/*
 * html_scale.c
 *		Scales, ticks and numbers of charts.
 */
#include "postgres.h"

#include <math.h>

#include "layout/html.h"

/*
 * A scale from "low" to "high" with round ticks, about so many.  "from_zero": zero is
 * on it; "whole": ticks have no fractions.  Ends that are no numbers, or the same, give a scale all the same.
 */
void
sigma_chart_scale(ChartScale *scale, double low, double high, int ticks, bool from_zero, bool whole)
{
	double		rough;
	double		power;
	double		fraction;

	if (!isfinite(low) || !isfinite(high) || low > high)
		low = high = 0;
	if (from_zero || (low > 0 && low < high * 0.6))
		low = Min(low, 0);
	if (from_zero || (high < 0 && high > low * 0.6))
		high = Max(high, 0);
	if (high - low <= fabs(high) * 1e-12)
	{
		low = low == 0 ? 0 : low - fabs(low) * 0.5;
		high = high == 0 ? 1 : high + fabs(high) * 0.5;
	}
	rough = (high - low) / Max(ticks, 1);
	power = pow(10, floor(log10(rough)));
	fraction = rough / power;
	scale->step = power * (fraction <= 1 ? 1 : fraction <= 2 ? 2 : fraction <= 2.5 ? 2.5 : fraction <= 5 ? 5 : 10);
	if (whole)
		scale->step = Max(ceil(scale->step), 1);
	scale->low = floor(low / scale->step + 1e-9) * scale->step;
	scale->high = ceil(high / scale->step - 1e-9) * scale->step;
}

/* The label of a tick: as many digits after the point as the step has. */
char *
sigma_chart_tick(const ChartScale *scale, double value)
{
	double		step = scale->step;
	double		largest = Max(fabs(scale->low), fabs(scale->high));
	int			digits = 0;

	if (fabs(value) < step * 1e-6)
		return pstrdup("0");
	if (largest >= 10000)
	{
		/* all ticks of an axis in thousands, where one is */
		if (largest < 1e6 && fabs(value) < 10000)
			return psprintf("%.*fK", fabs(value - rint(value / 1000) * 1000) < 1e-6 ? 0 : 1, value / 1000);
		return sigma_chart_number(value, true);
	}
	if (step < 1e-6)
		return psprintf("%.3g", value);
	while (digits < 6 && fabs(step * pow(10, digits) - rint(step * pow(10, digits))) > 1e-6)
		digits++;
	return psprintf("%.*f", digits, value);
}

/*
 * A number in the form that a column asks for: "$,.2f", ",d", ".1%" - what stands
 * before it, grouped digits, digits after the point, share of a hundred.  NULL where
 * the form is another one.
 */
char *
sigma_chart_formatted(double value, const char *format)
{
	const char *rest = format + strcspn(format, ",.0123456789abcdefghijklmnopqrstuvwxyz%");
	int			prefix = rest - format;
	bool		grouped = *rest == ',';
	int			digits = 0;
	StringInfoData out;
	char		text[400];
	int			whole;
	int			i;

	rest += grouped;
	if (rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9')
	{
		digits = rest[1] - '0';
		rest += 2;
	}
	if (prefix > 8 || (strcmp(rest, "f") != 0 && strcmp(rest, "d") != 0 && strcmp(rest, "%") != 0) || !isfinite(value))
		return NULL;
	snprintf(text, sizeof(text), "%.*f", digits, fabs(*rest == '%' ? value * 100 : value));
	whole = strcspn(text, ".");
	initStringInfo(&out);
	appendStringInfo(&out, "%s%.*s", value < 0 ? "-" : "", prefix, format);
	for (i = 0; i < whole; i++)
	{
		if (grouped && i > 0 && (whole - i) % 3 == 0)
			appendStringInfoChar(&out, ',');
		appendStringInfoChar(&out, text[i]);
	}
	appendStringInfo(&out, "%s%s", text + whole, *rest == '%' ? "%" : "");
	return out.data;
}

/*
 * A number for people: digits grouped, at most two after the point; "compact": 12.5K,
 * 3.2M, where it is large.
 */
char *
sigma_chart_number(double value, bool compact)
{
	static const struct
	{
		double		least;
		char		letter;
	}			units[] = {{1e12, 'T'}, {1e9, 'B'}, {1e6, 'M'}, {1e3, 'K'}};
	StringInfoData out;
	char		digits[64];
	char	   *point;
	int			whole;
	int			i;

	if (!isfinite(value))
		return pstrdup(isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
	if (fabs(value) >= 1e15 || (value != 0 && fabs(value) < 0.005))
		return psprintf("%.4g", value);
	for (i = 0; compact && i < lengthof(units); i++)
		if (fabs(value) >= units[i].least * (units[i].letter == 'K' ? 10 : 1))
		{
			snprintf(digits, sizeof(digits), "%.*f", fabs(value) < units[i].least * 100 ? 1 : 0, value / units[i].least);
			point = strstr(digits, ".0");
			if (point != NULL && point[2] == '\0')
				*point = '\0';
			return psprintf("%s%c", digits, units[i].letter);
		}
	snprintf(digits, sizeof(digits), "%.2f", fabs(value));
	point = strchr(digits, '.');
	whole = point - digits;
	if (strcmp(point, ".00") == 0)
		*point = '\0';
	initStringInfo(&out);
	if (value < 0)
		appendStringInfoChar(&out, '-');
	for (i = 0; i < whole; i++)
	{
		if (i > 0 && (whole - i) % 3 == 0)
			appendStringInfoChar(&out, ',');
		appendStringInfoChar(&out, digits[i]);
	}
	appendStringInfoString(&out, digits + whole);
	return out.data;
}
