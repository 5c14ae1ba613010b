/*
 * html_element.c
 *		Elements of a web page that show no rows: buttons, text, images, dividers, plugins.
 */
#include "postgres.h"

#include "layout/html.h"

static void put_image(HtmlPage *page, const char *url, const char *alt);

/* A button; what a click starts stands in its attributes. */
void
sigma_html_button(HtmlPage *page, const HtmlElement *element)
{
	const char *variant = sigma_json_get_string(element->settings, "variant", "primary");
	int			width = page->width;

	sigma_html_open(page, element, "div", "button");
	sigma_html_put(page, "<button type=\"button\" class=\"btn ");
	sigma_html_text(page, variant);
	sigma_html_put(page, " size-");
	sigma_html_text(page, sigma_json_get_string(element->settings, "size", "medium"));
	sigma_html_put(page, "\"");
	sigma_html_flag(page, "disabled", sigma_json_get_bool(element->settings, "disabled", false));
	if (sigma_html_has_trigger(page, element->node->id, "click"))
		sigma_html_trigger(page, element->node->id, "click");
	else
	{
		sigma_html_attribute(page, "data-sigma-trigger", "click");
		sigma_html_attribute(page, "data-sigma-element", element->node->id);
	}
	sigma_html_put(page, ">");
	sigma_html_text(page, element->title != NULL ? element->title : element->node->id);
	sigma_html_put(page, "</button></div>");
	page->width = width;
}

/*
 * A button at the foot of a modal or form: of a setting {text, variant, disabled,
 * visible}, or with the text "absent" where there is none (NULL: no button).
 */
void
sigma_html_footer_button(HtmlPage *page, const HtmlElement *element, const char *setting, const char *trigger,
						 const char *absent, const char *type)
{
	const JsonNode *button = sigma_json_get(element->settings, setting);
	bool		primary = strncmp(setting, "primary", 7) == 0;
	const char *label;

	if (button != NULL && button->kind != JSON_OBJECT)
		button = NULL;
	if (button == NULL ? absent == NULL : !sigma_json_get_bool(button, "visible", true))
		return;
	label = sigma_html_dynamic(page, sigma_json_get_string(button, "text", unconstify(char *, absent)));
	sigma_html_format(page, "<button type=\"%s\" class=\"btn ", type);
	sigma_html_text(page, sigma_json_get_string(button, "variant", primary ? "primary" : "secondary"));
	sigma_html_put(page, "\"");
	sigma_html_flag(page, "disabled", sigma_json_get_bool(button, "disabled", false));
	if (sigma_html_has_trigger(page, element->node->id, trigger))
		sigma_html_trigger(page, element->node->id, trigger);
	else if (strncmp(trigger, "modal", 5) == 0)
		sigma_html_put(page, " data-sigma-close");
	sigma_html_put(page, ">");
	sigma_html_text(page, label != NULL && label[0] != '\0' ? label : primary ? "OK" : "Cancel");
	sigma_html_put(page, "</button>");
}

/* Text. */
void
sigma_html_prose(HtmlPage *page, const HtmlElement *element)
{
	int			width = page->width;

	sigma_html_open(page, element, "div", "prose");
	sigma_html_put(page, "<div class=\"at-");
	sigma_html_text(page, sigma_json_get_string(element->settings, "alignment", "left"));
	sigma_html_put(page, "\">");
	sigma_html_rich_text(page, sigma_json_get_string(element->settings, "content", ""));
	sigma_html_put(page, "</div></div>");
	page->width = width;
}

/* A picture, which is a button where a click on it starts something. */
void
sigma_html_image(HtmlPage *page, const HtmlElement *element)
{
	const char *url = sigma_html_dynamic(page, sigma_json_get_string(element->settings, "url", NULL));
	const char *alt = sigma_json_get_string(element->settings, "alt", element->node->name);
	int			width = page->width;
	bool		clicks = sigma_html_has_trigger(page, element->node->id, "click");

	sigma_html_open(page, element, "figure", "image");
	if (clicks)
	{
		sigma_html_put(page, "<button type=\"button\" class=\"plain\"");
		sigma_html_attribute(page, "aria-label", alt != NULL ? alt : "Picture");
		sigma_html_trigger(page, element->node->id, "click");
		sigma_html_put(page, ">");
	}
	put_image(page, url, alt);
	if (clicks)
		sigma_html_put(page, "</button>");
	sigma_html_put(page, "</figure>");
	page->width = width;
}

/* The picture itself, or a note in its place. */
static void
put_image(HtmlPage *page, const char *url, const char *alt)
{
	if (url != NULL && sigma_html_is_link(url, true))
	{
		page->images = true;
		sigma_html_put(page, "<img loading=\"lazy\"");
		sigma_html_attribute(page, "src", url);
		sigma_html_attribute(page, "alt", alt != NULL ? alt : "");
		sigma_html_put(page, ">");
		return;
	}
	sigma_html_put(page, "<div class=\"missing\"");
	sigma_html_attribute(page, "aria-label", alt);
	sigma_html_put(page, alt == NULL ? ">" : " role=\"img\">");
	sigma_html_icon(page, "image");
	sigma_html_put(page, url == NULL || url[0] == '\0' ? "<span>No picture</span>" : "<span>The address of this picture is not one of the web</span>");
	sigma_html_put(page, "</div>");
}

/* A line. */
void
sigma_html_divider(HtmlPage *page, const HtmlElement *element)
{
	const char *color = sigma_json_get_string(element->settings, "color", NULL);
	bool		vertical = strcmp(sigma_json_get_string(element->settings, "orientation", "horizontal"), "vertical") == 0;
	int			width = page->width;

	sigma_html_open(page, element, "div", vertical ? "divider vertical" : "divider");
	sigma_html_put(page, "<hr");
	if (vertical)
		sigma_html_put(page, " aria-orientation=\"vertical\"");
	if (color != NULL && sigma_html_is_color(color))
		sigma_html_format(page, " style=\"border-color:%s\"", color);
	sigma_html_put(page, "></div>");
	page->width = width;
}

/* A plugin: its page in a frame that shares nothing with this one. */
void
sigma_html_plugin(HtmlPage *page, const HtmlElement *element)
{
	const char *url = sigma_html_dynamic(page, sigma_json_get_string(element->settings, "url", NULL));
	const char *title = element->title != NULL ? element->title : sigma_json_get_string(element->settings, "plugin_id", "Plugin");
	int			width = page->width;

	sigma_html_open(page, element, "section", "card plugin");
	if (url != NULL && sigma_html_is_link(url, true) && pg_strncasecmp(url, "http", 4) == 0)
	{
		page->frames = true;
		sigma_html_put(page, "<iframe sandbox=\"allow-scripts\" loading=\"lazy\"");
		sigma_html_attribute(page, "src", url);
		sigma_html_attribute(page, "title", title);
		sigma_html_attribute(page, "data-sigma-plugin", sigma_json_get_string(element->settings, "plugin_id", NULL));
		sigma_html_put(page, "></iframe>");
	}
	else
		sigma_html_note(page, title, "A plugin without an address on the web is drawn by the client.");
	sigma_html_put(page, "</section>");
	page->width = width;
}
