/*
 * html_write.c
 *		Into a web page: escaping, attributes, links, colours.
 *
 * Whatever does not stand in this code as a literal goes through sigma_html_escape(),
 * which makes it text in element content and in quoted attributes alike: attributes
 * are always written with double quotes.  Links and colours are taken as they are
 * only where they are known to be harmless.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "common/text.h"
#include "layout/html.h"

static int	color_channel(const char *hex, int digits, int i);

/* Markup of this code's own. */
void
sigma_html_put(HtmlPage *page, const char *html)
{
	appendStringInfoString(&page->out, html);
}

/* The same with numbers and words of this code; never with anything that others wrote. */
void
sigma_html_format(HtmlPage *page, const char *format,...)
{
	va_list		args;
	int			needed;

	for (;;)
	{
		va_start(args, format);
		needed = appendStringInfoVA(&page->out, format, args);
		va_end(args);
		if (needed == 0)
			return;
		enlargeStringInfo(&page->out, needed);
	}
}

/* Text, escaped; NULL is none. */
void
sigma_html_text(HtmlPage *page, const char *text)
{
	if (text != NULL)
		sigma_html_escape(&page->out, text, strlen(text));
}

void
sigma_html_text_of(HtmlPage *page, const char *text, int length)
{
	sigma_html_escape(&page->out, text, length);
}

/* An attribute with a blank before it; none where the value is NULL. */
void
sigma_html_attribute(HtmlPage *page, const char *name, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfo(&page->out, " %s=\"", name);
	sigma_html_escape(&page->out, value, strlen(value));
	appendStringInfoChar(&page->out, '"');
}

/* An attribute without value. */
void
sigma_html_flag(HtmlPage *page, const char *name, bool set)
{
	if (set)
		appendStringInfo(&page->out, " %s", name);
}

/* One of the pictures that stand at the head of the document. */
void
sigma_html_icon(HtmlPage *page, const char *name)
{
	sigma_html_format(page, "<svg class=\"i\" aria-hidden=\"true\"><use href=\"#i-%s\"/></svg>", name);
}

/*
 * Append text so that it is nothing but text, between tags and in an attribute with
 * double or single quotes.  Control characters that HTML does not know become U+FFFD.
 */
void
sigma_html_escape(StringInfo out, const char *text, int length)
{
	const char *end = text + length;
	const char *from = text;
	const char *c;

	for (c = text; c < end; c++)
	{
		const char *instead;

		switch (*c)
		{
			case '&':
				instead = "&amp;";
				break;
			case '<':
				instead = "&lt;";
				break;
			case '>':
				instead = "&gt;";
				break;
			case '"':
				instead = "&quot;";
				break;
			case '\'':
				instead = "&#39;";
				break;
			case '`':
				instead = "&#96;";
				break;
			default:
				if ((unsigned char) *c >= ' ' ? *c != 0x7f : (*c == '\n' || *c == '\t' || *c == '\r'))
					continue;
				instead = "&#65533;";
				break;
		}
		appendBinaryStringInfo(out, from, c - from);
		appendStringInfoString(out, instead);
		from = c + 1;
	}
	appendBinaryStringInfo(out, from, end - from);
}

/*
 * May the page hold this link?  Only what a scheme of this list begins, or nothing:
 * javascript:, data: and what browsers make of them by leaving out blanks are not
 * taken.  A picture is loaded from http and https alone.
 */
bool
sigma_html_is_link(const char *url, bool is_image)
{
	static const char *const schemes[] = {"https", "http", "mailto", "tel"};
	const char *c;
	int			i;

	if (*url == '\0')
		return false;
	for (c = url; *c != '\0'; c++)
		if ((unsigned char) *c <= ' ' || *c == 0x7f || *c == '\\')
			return false;
	c = url + strcspn(url, ":/?#");
	if (*c != ':')
		return true;			/* relative to where the page is */
	for (i = 0; i < (is_image ? 2 : lengthof(schemes)); i++)
		if (strlen(schemes[i]) == c - url && pg_strncasecmp(schemes[i], url, c - url) == 0)
			return true;
	return false;
}

/* Can this stand in a style?  "#0af", "teal", "rgb(0 0 0 / 50%)"; nothing that could end the declaration. */
bool
sigma_html_is_color(const char *color)
{
	static const char *const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char *const functions[] = {"rgb", "rgba", "hsl", "hsla"};
	size_t		length = strspn(color, letters);
	int			i;

	if (color[0] == '#')
	{
		length = strspn(color + 1, "0123456789abcdefABCDEF");
		return color[length + 1] == '\0' && (length == 3 || length == 4 || length == 6 || length == 8);
	}
	if (color[length] == '\0')
		return length >= 3 && length <= 30;
	if (color[length] != '(' || strlen(color) > 64)
		return false;
	for (i = 0; i < lengthof(functions); i++)
		if (strlen(functions[i]) == length && pg_strncasecmp(functions[i], color, length) == 0)
		{
			const char *rest = color + length + 1;

			rest += strspn(rest, "0123456789.,%/ -deg");
			return strcmp(rest, ")") == 0;
		}
	return false;
}

/*
 * The class of the palette that is readable on a background: "on-light", "on-dark", or
 * "" where the colour does not say how light it is.
 */
const char *
sigma_html_contrast(const char *color)
{
	static const struct
	{
		const char *name;
		bool		light;
	}			named[] = {
		{"white", true}, {"snow", true}, {"ivory", true}, {"beige", true}, {"whitesmoke", true}, {"lavender", true},
		{"black", false}, {"navy", false}, {"midnightblue", false}, {"teal", false}, {"indigo", false}, {"maroon", false},
	};
	int			digits = strlen(color) - 1;
	int			i;

	for (i = 0; i < lengthof(named); i++)
		if (pg_strcasecmp(named[i].name, color) == 0)
			return named[i].light ? " on-light" : " on-dark";
	if (color[0] != '#' || digits == 4 || digits == 8)
		return "";
	return 299 * color_channel(color + 1, digits, 0) + 587 * color_channel(color + 1, digits, 1) +
		114 * color_channel(color + 1, digits, 2) >= 140 * 1000 ? " on-light" : " on-dark";
}

/* Red, green or blue (0, 1, 2) of hexadecimal digits. */
static int
color_channel(const char *hex, int digits, int i)
{
	int			each = digits / 3;
	char		part[3] = {hex[i * each], hex[i * each + each - 1], '\0'};

	return (int) strtol(part, NULL, 16);
}

/* A copy of so many characters at the most, "…" in place of what is left out. */
char *
sigma_html_cut(const char *text, int characters)
{
	int			length = strlen(text);
	int			kept;

	if (length <= characters || pg_mbstrlen_with_len(text, length) <= characters)
		return pstrdup(text);
	kept = pg_mbcharcliplen(text, length, characters - 1);
	return psprintf("%.*s%s", kept, text, GetDatabaseEncoding() == PG_UTF8 ? "\xE2\x80\xA6" : "...");
}
