/*
 * html_layout.c
 *		Pages, grids, containers, tabs, dialogs and popovers of a web page.
 *
 * A grid is a CSS grid of 6, 12 or 24 columns; an element's place stands in custom
 * properties of its style, which the style sheet overrides where the grid is too
 * narrow for it.  Elements without a place flow, as wide as suits their type.
 */
#include "postgres.h"

#include "layout/html.h"

/* How wide elements of a type are where they have no place, and must be wherever they stand. */
typedef struct Extent
{
	const char *type;
	int			parts;			/* of the grid, where they have no place */
	int			wanted;			/* pixels, then */
	int			least;			/* pixels below which an element needs more of the grid */
} Extent;

static const Extent extents[] = {
	{"kpi", 4, 180, 130}, {"control", 4, 200, 165}, {"button", 6, 132, 84}, {"popover", 6, 132, 90}, {"chart", 2, 320, 250},
	{"form", 2, 320, 250}, {"image", 2, 240, 110}, {"input_table", 1, 0, 290}, {"table", 1, 0, 290}, {"pivot", 1, 0, 290},
	{"tabs", 1, 0, 280}, {"container", 1, 0, 230}, {"plugin", 1, 0, 250}, {"", 1, 0, 130},
};

/* Widths of a grid at which rows of elements give way; the style sheet has the same. */
static const int breaks[] = {430, 560, 720, 900};

/* A child that is being put in order. */
typedef struct PlacedChild
{
	OutlineNode *node;
	int64		row;
	int64		column;
	int			place;			/* among its siblings */
} PlacedChild;

static int	columns_of(const OutlineNode *node);
static int	gap_of(const JsonNode *settings);
static const Extent *extent_of(const OutlineNode *node, const JsonNode *settings);
static void read_place(const HtmlPage *page, const OutlineNode *node, const JsonNode *settings, Grid *place);
static Grid *read_places(const HtmlPage *page, List *children);
static const char **find_breaks(HtmlPage *page, List *children, const Grid *places);
static void put_style(HtmlPage *page, const HtmlElement *element, const Grid *place);
static void put_color(HtmlPage *page, const char *property, const char *color);
static void put_own_style(HtmlPage *page, const JsonNode *style);
static const char *palette_of(const JsonNode *settings);
static List *ordered_children(const OutlineNode *node);
static int	compare_places(const void *a, const void *b);
static int	default_tab(HtmlPage *page, const JsonNode *settings, List *tabs);
static const char *tab_label(HtmlPage *page, const OutlineNode *tab, const JsonNode *settings);
static void put_tab_bar(HtmlPage *page, const HtmlElement *element, List *tabs, int shown);

/* The columns of an element's own grid; what is of no known type has those of a page. */
static int
columns_of(const OutlineNode *node)
{
	int			columns = node->kind == NULL ? 0 : sigma_grid_columns(node->kind, node->config);

	return columns > 0 ? columns : HTML_GRID_COLUMNS;
}

/* Pixels between its elements. */
static int
gap_of(const JsonNode *settings)
{
	static const struct
	{
		const char *name;
		int			pixels;
	}			spacings[] = {{"none", 0}, {"small", 8}, {"medium", 16}, {"large", 24}};
	const JsonNode *gap = sigma_json_get(settings, "element_gap");
	const char *spacing = sigma_json_get_string(settings, "spacing", "medium");
	int			i;

	if (gap != NULL && gap->kind == JSON_BOOL && !gap->boolean)
		return 0;
	if (gap != NULL && gap->kind == JSON_NUMBER)
		return (int) Max(0, Min(sigma_json_get_int(settings, "element_gap", 16), 1000));
	for (i = 0; i < lengthof(spacings); i++)
		if (strcmp(spacings[i].name, spacing) == 0)
			return spacings[i].pixels;
	return 16;
}

/* What an element needs. */
static const Extent *
extent_of(const OutlineNode *node, const JsonNode *settings)
{
	const char *type = strcmp(sigma_json_get_string(settings, "chart_type", ""), "kpi") == 0 ? "kpi" : node->type;
	const Extent *extent = extents;

	while (extent->type[0] != '\0' && strcmp(extent->type, type) != 0)
		extent++;
	return extent;
}

/* The place of an element on the grid that is being written, within its bounds. */
static void
read_place(const HtmlPage *page, const OutlineNode *node, const JsonNode *settings, Grid *place)
{
	const Extent *extent = extent_of(node, settings);
	int			columns = page->columns;

	sigma_grid_read(node->config, place);
	place->column = Max(0, Min(place->column, columns));
	place->row = Max(0, Min(place->row, 10000));
	place->width = Max(0, Min(place->width, columns));
	place->height = Max(0, Min(place->height, 200));
	if (place->width == 0)
	{
		place->width = Max(columns / extent->parts, (extent->wanted * columns + page->width - 1) / Max(page->width, 1));
		if (place->width * 2 > columns)
			place->width = columns; /* nothing like it has room beside it */
	}
	place->width = Max(1, Min(place->width, columns));
	if (place->column > 0 && place->column + place->width - 1 > columns)
		place->width = columns - place->column + 1;
}

/* The places of siblings; a fixed one without a width takes no more than is free beside it. */
static Grid *
read_places(const HtmlPage *page, List *children)
{
	int			count = list_length(children);
	Grid	   *places = palloc(sizeof(Grid) * (count + 1));
	Grid		given;
	int			i;
	int			j;

	for (i = 0; i < count; i++)
		read_place(page, list_nth(children, i), sigma_html_settings(list_nth(children, i)), &places[i]);
	for (i = 0; i < count; i++)
	{
		sigma_grid_read(((OutlineNode *) list_nth(children, i))->config, &given);
		for (j = 0; given.column > 0 && given.row > 0 && given.width == 0 && j < count; j++)
			if (places[j].row > 0 && places[j].column > places[i].column &&
				places[j].row < places[i].row + Max(places[i].height, 1) && places[i].row < places[j].row + Max(places[j].height, 1))
				places[i].width = Min(places[i].width, places[j].column - places[i].column);
	}
	return places;
}

/*
 * When elements give way, as classes: those beside each other do so together, as soon as
 * one of them has too little room.  Small ones then take half of the grid, where their
 * number is even, others all of it.
 */
static const char **
find_breaks(HtmlPage *page, List *children, const Grid *places)
{
	int			count = list_length(children);
	const char **classes = palloc0(sizeof(char *) * (count + 1));
	int		   *needs = palloc(sizeof(int) * (count + 1));
	int			first;
	int			next;
	int			i;

	for (i = 0; i < count; i++)
	{
		OutlineNode *child = list_nth(children, i);
		JsonNode   *settings = sigma_html_settings(child);

		needs[i] = places[i].width == page->columns ? 0 :
			extent_of(child, settings)->least * page->columns / places[i].width;
	}
	for (first = 0; first < count; first = next)
	{
		int			end = places[first].row + Max(places[first].height, 1);
		int			need = needs[first];
		int			small = places[first].width * 3 <= page->columns;
		int			at = 0;

		for (next = first + 1; next < count && places[first].row > 0 && places[next].row > 0 && places[next].row < end; next++)
		{
			end = Max(end, places[next].row + Max(places[next].height, 1));
			need = Max(need, needs[next]);
			small += places[next].width * 3 <= page->columns;
		}
		while (at < lengthof(breaks) - 1 && breaks[at] < need)
			at++;
		for (i = first; i < next; i++)
			classes[i] = needs[i] == 0 && next == first + 1 ? "" :
				psprintf(" k%d%s", breaks[at], places[i].width * 3 <= page->columns &&
						 (small % 2 == 0 || places[first].row == 0) ? " half" : "");
	}
	return classes;
}

/* The class of a palette that is readable on the element's own background. */
static const char *
palette_of(const JsonNode *settings)
{
	const char *color = sigma_json_get_string(settings, "background_color", NULL);

	return color != NULL && sigma_html_is_color(color) ? sigma_html_contrast(color) : "";
}

/* Custom properties of its place, and how its settings decorate it. */
static void
put_style(HtmlPage *page, const HtmlElement *element, const Grid *place)
{
	const JsonNode *settings = element->settings;
	const JsonNode *border = sigma_json_get(settings, "border");
	const char *corners = sigma_json_get_string(settings, "corner_style", NULL);

	sigma_html_format(page, " style=\"--w:%d", place->width);
	if (place->column > 0)
		sigma_html_format(page, ";--c:%d", place->column);
	if (place->row > 0)
		sigma_html_format(page, ";--r:%d", place->row);
	if (place->height > 0)
		sigma_html_format(page, ";--h:%d", place->height);
	put_color(page, "background-color", sigma_json_get_string(settings, "background_color", NULL));
	if (border != NULL && border->kind == JSON_BOOL)
		sigma_html_put(page, border->boolean ? ";border:1px solid var(--line)" : ";border:0;box-shadow:none");
	else if (border != NULL && border->kind == JSON_OBJECT)
	{
		const char *color = sigma_json_get_string(border, "color", NULL);

		sigma_html_format(page, ";border:%dpx solid ", (int) Max(0, Min(sigma_json_get_int(border, "width", 1), 3)));
		sigma_html_put(page, color != NULL && sigma_html_is_color(color) ? color : "var(--line)");
	}
	if (corners != NULL)
		sigma_html_format(page, ";border-radius:%s", strcmp(corners, "square") == 0 ? "0" :
						  strcmp(corners, "pill") == 0 ? "28px" : "var(--radius)");
	if (!sigma_json_get_bool(settings, "padding", true))
		sigma_html_put(page, ";--pad:0px");
	put_own_style(page, sigma_json_get(settings, "style"));
	sigma_html_put(page, "\"");
}

/* A declaration, where the colour is one. */
static void
put_color(HtmlPage *page, const char *property, const char *color)
{
	if (color != NULL && sigma_html_is_color(color))
		sigma_html_format(page, ";%s:%s", property, color);
}

/* Of "style", what is known and cannot leave the element. */
static void
put_own_style(HtmlPage *page, const JsonNode *style)
{
	static const struct
	{
		const char *key;
		const char *property;
		int			most;
	}			lengths[] = {
		{"border_radius", "border-radius", 100}, {"font_size", "font-size", 96}, {"min_height", "min-height", 2000},
		{"max_height", "max-height", 2000}, {"min_width", "min-width", 320}, {"max_width", "max-width", 4000},
	};
	static const char *const aligns[] = {"left", "center", "right", "justify"};
	const char *align = sigma_json_get_string(style, "text_align", "");
	int			i;

	if (style == NULL || style->kind != JSON_OBJECT)
		return;
	put_color(page, "color", sigma_json_get_string(style, "color", NULL));
	put_color(page, "background-color", sigma_json_get_string(style, "background_color", NULL));
	for (i = 0; i < lengthof(lengths); i++)
	{
		const JsonNode *length = sigma_json_get(style, lengths[i].key);

		if (length != NULL && length->kind == JSON_NUMBER)
			sigma_html_format(page, ";%s:%dpx", lengths[i].property,
							  (int) Max(0, Min(sigma_json_get_int(style, lengths[i].key, 0), lengths[i].most)));
	}
	for (i = 0; i < lengthof(aligns); i++)
		if (strcmp(aligns[i], align) == 0)
			sigma_html_format(page, ";text-align:%s", aligns[i]);
	if (strcmp(sigma_json_get_string(style, "font_weight", ""), "bold") == 0)
		sigma_html_put(page, ";font-weight:700");
}

/* An element's start tag, with its place, its decoration and its identity; the caller ends it with "</tag>". */
void
sigma_html_open(HtmlPage *page, const HtmlElement *element, const char *tag, const char *class)
{
	Grid		place;

	if (page->place != NULL)
		place = *page->place;
	else
		read_place(page, element->node, element->settings, &place);
	page->place = NULL;
	sigma_html_format(page, "<%s class=\"el %s%s%s\" id=\"e%d\"", tag, class, palette_of(element->settings),
					  page->gives_way == NULL ? "" : page->gives_way, element->number);
	page->gives_way = NULL;
	sigma_html_attribute(page, "data-sigma-id", element->node->id);
	sigma_html_attribute(page, "data-sigma-type", element->node->type);
	put_style(page, element, &place);
	sigma_html_flag(page, "hidden", !sigma_json_get_bool(element->settings, "visible", true));
	sigma_html_flag(page, "inert", !sigma_json_get_bool(element->settings, "interactive", true));
	sigma_html_put(page, ">");
	page->width = (page->width * place.width) / page->columns;
}

/* What an element holds, on a grid of its own. */
void
sigma_html_children(HtmlPage *page, const HtmlElement *element, const char *class)
{
	int			columns = page->columns;
	int			width = page->width;
	int			gap = gap_of(element->settings);
	List	   *children = ordered_children(element->node);
	const char **classes;
	Grid	   *places;
	ListCell   *cell;

	page->columns = columns_of(element->node);
	places = read_places(page, children);
	classes = find_breaks(page, children, places);
	sigma_html_format(page, "<div class=\"grid g%d%s%s\" style=\"--gap:%dpx\">", page->columns,
					  class[0] == '\0' ? "" : " ", class, gap);
	foreach(cell, children)
	{
		OutlineNode *child = lfirst(cell);

		if (!sigma_outline_reach(child, element->node))
			continue;
		page->width = width;
		page->place = &places[foreach_current_index(cell)];
		page->gives_way = classes[foreach_current_index(cell)];
		sigma_html_element(page, child);
		pfree(child->path);
		child->path = NULL;
	}
	sigma_html_put(page, "</div>");
	page->columns = columns;
	page->width = width;
}

/*
 * The children as they are read: by row and column where all of them have a row, so
 * that the order in the document is the one on the screen; else by position.
 */
static List *
ordered_children(const OutlineNode *node)
{
	PlacedChild *placed = palloc(sizeof(PlacedChild) * (list_length(node->children) + 1));
	List	   *children = NIL;
	ListCell   *cell;
	int			count = 0;
	int			i;

	foreach(cell, node->children)
	{
		const JsonNode *grid = sigma_json_get(sigma_html_settings(lfirst(cell)), "grid");

		if (grid == NULL || grid->kind != JSON_OBJECT || sigma_json_get(grid, "row") == NULL)
			return list_copy(node->children);
		placed[count].node = lfirst(cell);
		placed[count].row = sigma_json_get_int(grid, "row", 1);
		placed[count].column = sigma_json_get_int(grid, "column", 1);
		placed[count].place = count;
		count++;
	}
	qsort(placed, count, sizeof(PlacedChild), compare_places);
	for (i = 0; i < count; i++)
		children = lappend(children, placed[i].node);
	pfree(placed);
	return children;
}

static int
compare_places(const void *a, const void *b)
{
	const PlacedChild *one = a;
	const PlacedChild *other = b;

	if (one->row != other->row)
		return one->row < other->row ? -1 : 1;
	if (one->column != other->column)
		return one->column < other->column ? -1 : 1;
	return one->place - other->place;
}

/*
 * A root: a page with its heading, or any other element on a page of its own.  "many":
 * it is one of several pages; "hidden": another one of them is shown.
 */
void
sigma_html_page(HtmlPage *page, OutlineNode *node, bool many, bool hidden)
{
	HtmlElement element = {0};
	bool		is_page = strcmp(node->type, "page") == 0;
	const char *title;
	int			width = page->width;

	element.node = node;
	element.settings = sigma_html_settings(node);
	element.number = sigma_html_number(page, node->id);
	title = sigma_html_dynamic(page, sigma_json_get_string(element.settings, "title", node->name));
	sigma_html_format(page, "<main class=\"page%s\" id=\"e%d%s\"", is_page ? palette_of(element.settings) : "",
					  element.number, is_page ? "" : "p");
	if (is_page)
	{
		sigma_html_attribute(page, "data-sigma-id", node->id);
		sigma_html_attribute(page, "data-sigma-type", "page");
		if (many)
			sigma_html_format(page, " role=\"tabpanel\" aria-labelledby=\"e%dt\"", element.number);
		sigma_html_trigger(page, node->id, "load");
		if (palette_of(element.settings)[0] != '\0')
			sigma_html_format(page, " style=\"background:%s\"",
							  sigma_json_get_string(element.settings, "background_color", ""));
	}
	sigma_html_flag(page, "hidden", hidden || (is_page && !sigma_json_get_bool(element.settings, "visible", true)));
	sigma_html_put(page, ">");
	if (!is_page)
	{
		sigma_html_put(page, "<div class=\"grid g24\" style=\"--gap:16px\">");
		if (strcmp(node->type, "modal") == 0 || strcmp(node->type, "drawer") == 0)
			sigma_html_overlay(page, node, true);
		else
			sigma_html_element(page, node);
		sigma_html_put(page, "</div></main>");
		return;
	}
	if (title != NULL)
	{
		OutlineNode *first = node->children == NIL ? NULL : linitial(node->children);

		sigma_html_format(page, "<header class=\"topbar%s\"><h1>",
						  first != NULL && strcmp(first->type, "header") == 0 ? " sr" : "");
		sigma_html_text(page, title);
		sigma_html_put(page, "</h1>");
		if (page->mode != MODE_AUTO)
			sigma_html_format(page, "<span class=\"badge %s</span>",
							  page->mode == MODE_DRAFT ? "warn\">Draft" : "good\">Published");
		sigma_html_put(page, "</header>");
	}
	page->waiting = sigma_html_missing_control(page, node);
	sigma_html_children(page, &element, "");
	page->waiting = NULL;
	page->width = width;
	sigma_html_put(page, "</main>");
}

/* A container, or a page's header. */
void
sigma_html_container(HtmlPage *page, const HtmlElement *element)
{
	bool		is_header = strcmp(element->node->type, "header") == 0;
	int			width = page->width;
	const char *tag = is_header ? "header" : "section";

	sigma_html_open(page, element, tag, !is_header ? "box" :
					sigma_json_get_bool(element->settings, "sticky", false) ? "box head sticky" : "box head");
	if (element->node->name != NULL)
	{
		page->out.data[--page->out.len] = '\0';
		sigma_html_attribute(page, "aria-label", element->node->name);
		sigma_html_put(page, ">");
	}
	sigma_html_children(page, element, "");
	sigma_html_format(page, "</%s>", tag);
	page->width = width;
}

/* Tabs: the bar and one panel each.  All panels are there; one is shown. */
void
sigma_html_tabs(HtmlPage *page, const HtmlElement *element)
{
	List	   *tabs = NIL;
	int			width = page->width;
	int			shown;
	ListCell   *cell;

	foreach(cell, element->node->children)
		if (sigma_outline_reach(lfirst(cell), element->node))
			tabs = lappend(tabs, lfirst(cell));
	shown = default_tab(page, element->settings, tabs);
	sigma_html_open(page, element, "section", "tabs");
	put_tab_bar(page, element, tabs, shown);
	foreach(cell, tabs)
	{
		HtmlElement tab = {0};

		tab.node = lfirst(cell);
		tab.settings = sigma_html_settings(tab.node);
		tab.number = sigma_html_number(page, tab.node->id);
		sigma_html_format(page, "<div class=\"panel\" role=\"tabpanel\" id=\"e%d\" aria-labelledby=\"e%dt\" tabindex=\"0\"",
						  tab.number, tab.number);
		sigma_html_attribute(page, "data-sigma-id", tab.node->id);
		sigma_html_attribute(page, "data-sigma-type", "tab");
		sigma_html_flag(page, "hidden", foreach_current_index(cell) != shown);
		sigma_html_put(page, ">");
		sigma_html_children(page, &tab, "");
		sigma_html_put(page, "</div>");
	}
	sigma_html_put(page, "</section>");
	page->width = width;
}

/* The bar of tabs; its labels name the panels, also where it is not shown. */
static void
put_tab_bar(HtmlPage *page, const HtmlElement *element, List *tabs, int shown)
{
	ListCell   *cell;

	sigma_html_put(page, "<div role=\"tablist\" class=\"tablist");
	sigma_html_format(page, " %s", strcmp(sigma_json_get_string(element->settings, "tab_style", "open"), "box") == 0 ? "box-style" :
					  strcmp(sigma_json_get_string(element->settings, "tab_style", "open"), "button") == 0 ? "pills" : "open");
	sigma_html_put(page, " at-");
	sigma_html_text(page, sigma_json_get_string(element->settings, "alignment", "left"));
	sigma_html_put(page, " size-");
	sigma_html_text(page, sigma_json_get_string(element->settings, "size", "medium"));
	sigma_html_put(page, "\"");
	sigma_html_attribute(page, "aria-label", element->title != NULL ? element->title : "Tabs");
	sigma_html_flag(page, "hidden", !sigma_json_get_bool(element->settings, "show_tab_bar", true));
	sigma_html_put(page, ">");
	foreach(cell, tabs)
	{
		OutlineNode *tab = lfirst(cell);
		JsonNode   *settings = sigma_html_settings(tab);
		int			number = sigma_html_number(page, tab->id);
		bool		selected = foreach_current_index(cell) == shown;

		sigma_html_format(page, "<button type=\"button\" role=\"tab\" class=\"tab\" id=\"e%dt\" aria-controls=\"e%d\""
						  " aria-selected=\"%s\" tabindex=\"%d\"", number, number, selected ? "true" : "false",
						  selected ? 0 : -1);
		sigma_html_attribute(page, "data-sigma-tab", tab->id);
		sigma_html_flag(page, "disabled", sigma_json_get_bool(settings, "disabled", false));
		sigma_html_flag(page, "hidden", !sigma_json_get_bool(settings, "visible", true));
		sigma_html_put(page, ">");
		sigma_html_text(page, tab_label(page, tab, settings));
		sigma_html_put(page, "</button>");
	}
	sigma_html_put(page, "</div>");
}

static const char *
tab_label(HtmlPage *page, const OutlineNode *tab, const JsonNode *settings)
{
	const char *label = sigma_html_dynamic(page, sigma_json_get_string(settings, "label", NULL));

	return label != NULL && label[0] != '\0' ? label : tab->name != NULL ? tab->name : tab->id;
}

/* Which tab is shown first: by id, label or place; else the first that can be chosen. */
static int
default_tab(HtmlPage *page, const JsonNode *settings, List *tabs)
{
	const JsonNode *wanted = sigma_json_get(settings, "default_tab");
	int			place = wanted != NULL && wanted->kind == JSON_NUMBER ? sigma_json_get_int(settings, "default_tab", 0) : -1;
	ListCell   *cell;

	foreach(cell, tabs)
	{
		OutlineNode *tab = lfirst(cell);

		if (foreach_current_index(cell) == place ||
			(wanted != NULL && wanted->kind == JSON_STRING &&
			 (strcmp(wanted->string, tab->id) == 0 ||
			  strcmp(wanted->string, tab_label(page, tab, sigma_html_settings(tab))) == 0)))
			return foreach_current_index(cell);
	}
	foreach(cell, tabs)
		if (!sigma_json_get_bool(sigma_html_settings(lfirst(cell)), "disabled", false))
			return foreach_current_index(cell);
	return 0;
}

/* A popover: the button that opens it, and the panel. */
void
sigma_html_popover(HtmlPage *page, const HtmlElement *element)
{
	const char *label = sigma_html_dynamic(page, sigma_json_get_string(element->settings, "label", NULL));
	const char *title = sigma_html_dynamic(page, sigma_json_get_string(element->settings, "title", NULL));
	int			width = page->width;

	if (label == NULL || label[0] == '\0')
		label = element->title != NULL ? element->title : element->node->id;
	sigma_html_open(page, element, "div", "pop");
	sigma_html_format(page, "<button type=\"button\" class=\"btn secondary\" popovertarget=\"e%dp\" aria-haspopup=\"dialog\""
					  " aria-expanded=\"false\">", element->number);
	sigma_html_text(page, label);
	sigma_html_icon(page, "down");
	sigma_html_put(page, "</button><div popover class=\"popover w-");
	sigma_html_text(page, sigma_json_get_string(element->settings, "width", "md"));
	sigma_html_format(page, "\" id=\"e%dp\" role=\"dialog\"", element->number);
	sigma_html_attribute(page, "aria-label", title != NULL ? title : label);
	sigma_html_put(page, ">");
	if (title != NULL)
	{
		sigma_html_put(page, "<h3>");
		sigma_html_text(page, title);
		sigma_html_put(page, "</h3>");
	}
	page->width = 400;
	sigma_html_children(page, element, "");
	sigma_html_put(page, "</div></div>");
	page->width = width;
}

/* A modal or drawer.  "open": it is the root, and opens with the page. */
void
sigma_html_overlay(HtmlPage *page, OutlineNode *node, bool open)
{
	static const struct
	{
		const char *name;
		int			pixels;
	}			sizes[] = {{"xs", 320}, {"sm", 480}, {"md", 640}, {"lg", 800}, {"xl", 1024}};
	HtmlElement element = {0};
	bool		is_drawer = strcmp(node->type, "drawer") == 0;
	const char *title;
	bool		closes;
	int			width = page->width;
	int			i;

	element.node = node;
	element.settings = sigma_html_settings(node);
	element.number = sigma_html_number(page, node->id);
	title = sigma_html_dynamic(page, sigma_json_get_string(element.settings, "title", node->name));
	closes = sigma_json_get_bool(element.settings, "show_close_icon", true);
	page->width = 640;
	for (i = 0; i < lengthof(sizes); i++)
		if (strcmp(sizes[i].name, sigma_json_get_string(element.settings, "width", "md")) == 0)
			page->width = sizes[i].pixels;
	sigma_html_format(page, "<dialog class=\"%s%s\" id=\"e%d\" style=\"--width:%dpx\"", is_drawer ?
					  (strcmp(sigma_json_get_string(element.settings, "side", "end"), "start") == 0 ? "drawer start" : "drawer end") :
					  "modal", palette_of(element.settings), element.number, page->width);
	sigma_html_attribute(page, "data-sigma-id", node->id);
	sigma_html_attribute(page, "data-sigma-type", node->type);
	sigma_html_attribute(page, "aria-label", title != NULL ? title : node->id);
	sigma_html_flag(page, "data-sigma-stay", sigma_json_get_bool(element.settings, "prevent_close_on_overlay", false));
	sigma_html_flag(page, "data-sigma-open", open);
	sigma_html_trigger(page, node->id, "modal_open");
	sigma_html_attribute(page, "data-sigma-on-open", sigma_json_get_string(element.settings, "on_open", NULL));
	sigma_html_attribute(page, "data-sigma-on-close", sigma_json_get_string(element.settings, "on_close", NULL));
	sigma_html_put(page, ">");
	if (sigma_json_get_bool(element.settings, "show_header", true) && (title != NULL || closes))
	{
		sigma_html_put(page, "<header><h2>");
		sigma_html_text(page, title);
		sigma_html_put(page, "</h2>");
		if (closes)
		{
			sigma_html_put(page, "<button type=\"button\" class=\"icon\" data-sigma-close aria-label=\"Close\">");
			sigma_html_icon(page, "close");
			sigma_html_put(page, "</button>");
		}
		sigma_html_put(page, "</header>");
	}
	page->width -= 48;
	sigma_html_children(page, &element, "body");
	if (!is_drawer && sigma_json_get_bool(element.settings, "show_footer", true))
	{
		sigma_html_put(page, "<footer>");
		sigma_html_footer_button(page, &element, "secondary_button", "modal_secondary", NULL, "button");
		sigma_html_footer_button(page, &element, "primary_button", "modal_primary", NULL, "button");
		sigma_html_put(page, "</footer>");
	}
	sigma_html_put(page, "</dialog>");
	page->width = width;
}
