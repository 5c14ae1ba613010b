/*
 * document_elements.c
 *		Layout elements: their types, settings, and how clients place them.
 *
 * A document is flat: settings stand beside the keys of every element.  Where
 * they are stored they are one column, which is flattened again when it is read.
 * See document.c for the engine and its lifetimes.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "common/document.h"
#include "common/document_hooks.h"
#include "common/document_specs.h"

#define GRID_COLUMNS	24		/* of a page; containers have 6, 12 or 24 */

static void begin_element(JsonNode *element, int flags);
static void begin_tab(JsonNode *tab, int flags);
static void finish_grid(JsonNode *grid, int flags);
static const KeySpec *const *element_keys(const JsonNode *element);
static JsonNode *read_density(const KeySpec *key, JsonNode *value, int flags);
static JsonNode *read_border(const KeySpec *key, JsonNode *value, int flags);
static JsonNode *read_gap(const KeySpec *key, JsonNode *value, int flags);
static JsonNode *read_names(const KeySpec *key, JsonNode *value, int flags);
static JsonNode *read_filter(const KeySpec *key, JsonNode *value, int flags);
static JsonNode *read_default_tab(const KeySpec *key, JsonNode *value, int flags);

/*
 * Keys of every element
 */
static const KeySpec grid_keys[] = {
	{"column", SPEC_INT, "first column, from 1", .min = 1, .max = GRID_COLUMNS},
	{"row", SPEC_INT, "first row, from 1", .min = 1, .max = 1000000},
	{"width", SPEC_INT, "number of columns", .min = 1, .max = GRID_COLUMNS},
	{"height", SPEC_INT, "number of rows", .min = 1, .max = 1000000},
	{NULL}
};
static const ObjectSpec grid_spec = {"\"grid\"", grid_keys, NULL, NULL, finish_grid};

static const KeySpec a_child = {.name = "children", .type = SPEC_NAME_OR_OBJECT, .object = &sigma_element_spec};
static const KeySpec a_sequence = {.name = "actions", .type = SPEC_NAME_OR_OBJECT, .object = &sigma_sequence_spec};

const KeySpec sigma_element_keys[] = {
	{"id", SPEC_NAME, "its id, made where it is absent"},
	{"type", SPEC_ENUM, "its type", KEY_REQUIRED, .names = &sigma_element_type_names},
	{"name", SPEC_NAME, "its name"},
	{"parent_id", SPEC_NAME, "what holds it"},
	{"position", SPEC_INT, "its place among its siblings", .min = 0, .max = PG_INT32_MAX},
	{"grid", SPEC_OBJECT, "its place on the grid: {column, row, width, height}", .object = &grid_spec},
	{"visible", SPEC_BOOL, "it is shown", .fallback = "true"},
	{"interactive", SPEC_BOOL, "it can be used", .fallback = "true"},
	{"style", SPEC_SPELLED, "how it looks"},
	{"children", SPEC_LIST, "what it holds: ids or elements", .of = &a_child},
	{"actions", SPEC_LIST, "sequences it starts: ids or sequences", .of = &a_sequence},
	{"metadata", SPEC_OPEN, "whatever the client adds"},
	{"styling", SPEC_ALIAS, .other = "style"},
	{"is_visible", SPEC_ALIAS, .other = "visible"},
	{"is_interactive", SPEC_ALIAS, .other = "interactive"},
	{"on_click", SPEC_REFUSED, .other = "Use \"actions\": [{\"trigger\": {\"type\": \"click\"}, ...}]."},
	{"on_change", SPEC_REFUSED, .other = "Use \"actions\": [{\"trigger\": {\"type\": \"change\"}, \"actions\": [...]}]."},
	{"on_select", SPEC_REFUSED, .other = "Use \"actions\": [{\"trigger\": {\"type\": \"select\"}, \"actions\": [...]}]."},
	{NULL}
};

/*
 * Settings that several types have
 */
static const KeySpec border_keys[] = {
	{"width", SPEC_INT, "in pixels", .min = 0, .max = 3},
	{"color", SPEC_COLOR, "its colour"},
	{NULL}
};
static const ObjectSpec border_spec = {"\"border\"", border_keys};
static const char *const corners[] = {"square", "round", "pill", NULL};
static const EnumSpec corner_names = {corners};

static const KeySpec decoration_keys[] = {
	{"padding", SPEC_BOOL, "space inside its border", .fallback = "true"},
	{"background_color", SPEC_COLOR, "its background"},
	{"border", SPEC_CUSTOM, "true, false or {width, color}", .read = read_border, .value_type = "boolean or object"},
	{"corner_style", SPEC_ENUM, "its corners", .names = &corner_names, .fallback = "\"round\""},
	{"background", SPEC_ALIAS, .other = "background_color"},
	{NULL}
};

static const char *const spacings[] = {"none", "small", "medium", "large", NULL};
static const EnumSpec spacing_names = {spacings};
static const KeySpec container_keys[] = {
	{"grid_density", SPEC_CUSTOM, "number of columns of its grid: 6, 12 or 24", .read = read_density, .fallback = "12", .value_type = "integer"},
	{"spacing", SPEC_ENUM, "space between elements", .names = &spacing_names, .fallback = "\"medium\""},
	{"element_gap", SPEC_CUSTOM, "true, false or pixels", .read = read_gap, .fallback = "true", .value_type = "boolean or number"},
	{"max_nesting", SPEC_INT, "greatest depth of layouts", .min = 1, .max = 4, .fallback = "4"},
	{NULL}
};

static const KeySpec column_item_keys[] = {
	{"column", SPEC_NAME, "the column", KEY_REQUIRED},
	{"label", SPEC_DYNAMIC, "its heading"},
	{"width", SPEC_INT, "in pixels", .min = 0, .max = 10000},
	{"format", SPEC_TEXT, "how values are shown"},
	{"visible", SPEC_BOOL, "it is shown", .fallback = "true"},
	{"aggregate", SPEC_TEXT, "how values are put together"},
	{"name", SPEC_ALIAS, .other = "column"},
	{"column_name", SPEC_ALIAS, .other = "column"},
	{NULL}
};
static const ObjectSpec column_item_spec = {"a shown column", column_item_keys};
static const KeySpec a_column_item = {.name = "columns", .type = SPEC_NAME_OR_OBJECT, .object = &column_item_spec};

static const char *const directions[] = {"asc", "desc", NULL};
static const WordPair direction_aliases[] = {{"ascending", "asc"}, {"descending", "desc"}, {NULL}};
static const EnumSpec direction_names = {directions, direction_aliases};
static const KeySpec sort_item_keys[] = {
	{"column", SPEC_NAME, "the column", KEY_REQUIRED},
	{"direction", SPEC_ENUM, "asc or desc", .names = &direction_names, .fallback = "\"asc\""},
	{"column_name", SPEC_ALIAS, .other = "column"},
	{NULL}
};
static const ObjectSpec sort_item_spec = {"a sorted column", sort_item_keys};
const KeySpec sigma_a_sort_item = {.name = "sort", .type = SPEC_NAME_OR_OBJECT, .object = &sort_item_spec};

static const KeySpec source_keys[] = {
	{"source", SPEC_NAME, "a relation, an input table or an element"},
	{"columns", SPEC_LIST, "columns, or {column, label, ...}", .of = &a_column_item},
	{"sort", SPEC_LIST, "columns, or {column, direction}", KEY_WRAP, .of = &sigma_a_sort_item},
	{"filter", SPEC_CUSTOM, "a formula, or {match: {...}}", .read = read_filter, .value_type = "formula or object"},
	{"title", SPEC_DYNAMIC, "its title"},
	{"data_source", SPEC_ALIAS, .other = "source"},
	{NULL}
};

static const char *const button_variants[] = {"primary", "secondary", "outline", "text", "danger", NULL};
static const EnumSpec button_variant_names = {button_variants};
static const KeySpec footer_button_keys[] = {
	{"text", SPEC_DYNAMIC, "what it says"},
	{"variant", SPEC_ENUM, "how it looks", .names = &button_variant_names},
	{"disabled", SPEC_BOOL, "it cannot be used", .fallback = "false"},
	{"visible", SPEC_BOOL, "it is shown", .fallback = "true"},
	{"label", SPEC_ALIAS, .other = "text"},
	{NULL}
};
static const ObjectSpec footer_button_spec = {"a button", footer_button_keys};
static const char *const overlay_widths[] = {"xs", "sm", "md", "lg", "xl", NULL};
static const WordPair overlay_width_aliases[] = {
	{"extra_small", "xs"}, {"x_small", "xs"}, {"small", "sm"}, {"medium", "md"}, {"large", "lg"},
	{"extra_large", "xl"}, {"x_large", "xl"}, {NULL}
};
static const EnumSpec overlay_width_names = {overlay_widths, overlay_width_aliases};

static const KeySpec overlay_keys[] = {
	{"title", SPEC_DYNAMIC, "its title"},
	{"width", SPEC_ENUM, "its width", .names = &overlay_width_names, .fallback = "\"md\""},
	{"show_header", SPEC_BOOL, "its header is shown", .fallback = "true"},
	{"show_close_icon", SPEC_BOOL, "it can be closed at its corner", .fallback = "true"},
	{"prevent_close_on_overlay", SPEC_BOOL, "a click beside it does not close it", .fallback = "false"},
	{"on_open", SPEC_NAME_OR_OBJECT, "a sequence that opening starts", .object = &sigma_sequence_spec},
	{"on_close", SPEC_NAME_OR_OBJECT, "a sequence that closing starts", .object = &sigma_sequence_spec},
	{NULL}
};
static const KeySpec modal_keys[] = {
	{"show_footer", SPEC_BOOL, "its footer is shown", .fallback = "true"},
	{"primary_button", SPEC_OBJECT, "{text, variant, disabled, visible}", .object = &footer_button_spec},
	{"secondary_button", SPEC_OBJECT, "{text, variant, disabled, visible}", .object = &footer_button_spec},
	{NULL}
};

/*
 * Settings of one type
 */
static const KeySpec page_keys[] = {
	{"title", SPEC_DYNAMIC, "its title"},
	{NULL}
};
static const char *const sides[] = {"start", "end", NULL};
static const WordPair side_aliases[] = {{"left", "start"}, {"right", "end"}, {NULL}};
static const EnumSpec side_names = {sides, side_aliases};
static const KeySpec drawer_keys[] = {
	{"side", SPEC_ENUM, "where it comes from", .names = &side_names, .fallback = "\"end\""},
	{NULL}
};
static const KeySpec popover_keys[] = {
	{"title", SPEC_DYNAMIC, "its title"},
	{"label", SPEC_DYNAMIC, "what its button says"},
	{"width", SPEC_ENUM, "its width", .names = &overlay_width_names, .fallback = "\"md\""},
	{NULL}
};
static const KeySpec header_keys[] = {
	{"sticky", SPEC_BOOL, "it stays in view", .fallback = "false"},
	{NULL}
};

static const char *const tab_styles[] = {"open", "box", "button", NULL};
static const EnumSpec tab_style_names = {tab_styles};
static const char *const alignments[] = {"left", "center", "end", "justify", NULL};
static const WordPair alignment_aliases[] = {{"start", "left"}, {"right", "end"}, {NULL}};
static const EnumSpec alignment_names = {alignments, alignment_aliases};
static const char *const sizes[] = {"small", "medium", "large", NULL};
static const WordPair size_aliases[] = {{"s", "small"}, {"m", "medium"}, {"l", "large"}, {NULL}};
static const EnumSpec size_names = {sizes, size_aliases};
static const KeySpec a_tab = {.name = "tabs", .type = SPEC_NAME_OR_OBJECT, .object = &sigma_tab_spec};
static const KeySpec tabs_keys[] = {
	{"tabs", SPEC_LIST, "its tabs: ids or {id, label, disabled}", .of = &a_tab},
	{"default_tab", SPEC_CUSTOM, "the tab that is shown first: its id, label or place", .read = read_default_tab, .value_type = "text or integer"},
	{"show_tab_bar", SPEC_BOOL, "its tabs can be chosen", .fallback = "true"},
	{"tab_style", SPEC_ENUM, "how the bar looks", .names = &tab_style_names, .fallback = "\"open\""},
	{"alignment", SPEC_ENUM, "where the bar stands", .names = &alignment_names, .fallback = "\"left\""},
	{"size", SPEC_ENUM, "how large the bar is", .names = &size_names, .fallback = "\"medium\""},
	{"active_tab", SPEC_ALIAS, .other = "default_tab"},
	{NULL}
};
static const KeySpec tab_keys[] = {
	{"label", SPEC_DYNAMIC, "what the bar says"},
	{"disabled", SPEC_BOOL, "it cannot be chosen", .fallback = "false"},
	{"title", SPEC_ALIAS, .other = "label"},
	{NULL}
};

static const KeySpec field_keys[] = {
	{"column", SPEC_NAME, "the column", KEY_REQUIRED},
	{"label", SPEC_DYNAMIC, "what stands beside it"},
	{"placeholder", SPEC_TEXT, "what an empty field shows"},
	{"required", SPEC_BOOL, "it must be filled in", .fallback = "false"},
	{"default_value", SPEC_VALUE, "what it starts with"},
	{"name", SPEC_ALIAS, .other = "column"},
	{"column_name", SPEC_ALIAS, .other = "column"},
	{NULL}
};
static const ObjectSpec field_spec = {"a field", field_keys};
static const KeySpec a_field = {.name = "fields", .type = SPEC_NAME_OR_OBJECT, .object = &field_spec};
static const KeySpec form_keys[] = {
	{"input_table", SPEC_NAME, "the input table it writes"},
	{"fields", SPEC_LIST, "columns, or {column, label, ...}", .of = &a_field},
	{"submit_sequence", SPEC_NAME_OR_OBJECT, "the sequence it starts; without one it inserts the row", .object = &sigma_sequence_spec},
	{"title", SPEC_DYNAMIC, "its title"},
	{"primary_button", SPEC_OBJECT, "{text, variant, disabled, visible}", .object = &footer_button_spec},
	{"secondary_button", SPEC_OBJECT, "{text, variant, disabled, visible}", .object = &footer_button_spec},
	{NULL}
};

static const KeySpec table_alias_keys[] = {
	{"input_table", SPEC_ALIAS, .other = "source"},
	{"table_id", SPEC_ALIAS, .other = "source"},
	{NULL}
};
static const KeySpec pivot_keys[] = {
	{"rows", SPEC_LIST, "columns whose values are rows", .of = &a_column_item},
	{"values", SPEC_LIST, "columns, or {column, aggregate}", .of = &a_column_item},
	{NULL}
};

static const char *const chart_types[] = {
	"bar", "line", "area", "pie", "donut", "scatter", "combo", "kpi", "funnel", "gauge",
	"heatmap", "histogram", "waterfall", "box", "sankey", "map", NULL
};
static const WordPair chart_type_aliases[] = {{"column", "bar"}, {"doughnut", "donut"}, {NULL}};
static const EnumSpec chart_type_names = {chart_types, chart_type_aliases};
static const char *const aggregates[] = {"sum", "avg", "min", "max", "count", "count_distinct", "median", "none", NULL};
static const WordPair aggregate_aliases[] = {{"average", "avg"}, {"mean", "avg"}, {NULL}};
static const EnumSpec aggregate_names = {aggregates, aggregate_aliases};
static const KeySpec chart_keys[] = {
	{"chart_type", SPEC_ENUM, "the kind of chart", .names = &chart_type_names, .fallback = "\"bar\""},
	{"x", SPEC_NAME, "column of the x axis"},
	{"y", SPEC_CUSTOM, "column or columns of the y axis", .read = read_names, .value_type = "text or array"},
	{"series", SPEC_CUSTOM, "column or columns that tell series apart", .read = read_names, .value_type = "text or array"},
	{"aggregate", SPEC_ENUM, "how values of y are put together", .names = &aggregate_names},
	{NULL}
};

static const char *const control_types[] = {
	"list", "text", "text-area", "segmented", "number", "number-range", "slider", "range-slider",
	"date", "date-range", "top-n", "drill", "switch", "checkbox", "legend", "file-upload", NULL
};
static const WordPair control_type_aliases[] = {
	{"dropdown", "list"}, {"select", "list"}, {"multi_select", "list"}, {"text_input", "text"},
	{"number_input", "number"}, {"toggle", "switch"}, {"drill_down", "drill"}, {NULL}
};
static const EnumSpec control_type_names = {control_types, control_type_aliases};
static const KeySpec control_keys[] = {
	{"control_type", SPEC_ENUM, "the kind of control", .names = &control_type_names, .fallback = "\"text\""},
	{"variable", SPEC_NAME, "the variable it sets; by default its own id"},
	{"value_type", SPEC_ENUM, "the type of its value", .names = &sigma_variable_type_names},
	{"label", SPEC_DYNAMIC, "what stands beside it"},
	{"placeholder", SPEC_TEXT, "what it shows while empty"},
	{"default_value", SPEC_ANY, "what it starts with"},
	{"required", SPEC_BOOL, "its page shows no data until it has a value", .fallback = "false"},
	{"multiple", SPEC_BOOL, "it takes several values", .fallback = "false"},
	{"values", SPEC_LIST, "the values it offers", .of = &sigma_a_value},
	{"source", SPEC_NAME, "where the values it offers come from"},
	{"column", SPEC_NAME, "the source's column of values"},
	{"min", SPEC_CUSTOM, "least value", .read = sigma_read_limit, .value_type = "value"},
	{"max", SPEC_CUSTOM, "greatest value", .read = sigma_read_limit, .value_type = "value"},
	{"step", SPEC_NUMBER, "how far one step goes"},
	{"disabled", SPEC_BOOL, "it cannot be used", .fallback = "false"},
	{"control_id", SPEC_ALIAS, .other = "variable"},
	{"options", SPEC_ALIAS, .other = "values"},
	{"choices", SPEC_ALIAS, .other = "values"},
	{"default", SPEC_ALIAS, .other = "default_value"},
	{NULL}
};
static const KeySpec button_keys[] = {
	{"text", SPEC_DYNAMIC, "what it says"},
	{"variant", SPEC_ENUM, "how it looks", .names = &button_variant_names, .fallback = "\"primary\""},
	{"disabled", SPEC_BOOL, "it cannot be used", .fallback = "false"},
	{"size", SPEC_ENUM, "how large it is", .names = &size_names, .fallback = "\"medium\""},
	{"label", SPEC_ALIAS, .other = "text"},
	{NULL}
};
static const KeySpec text_keys[] = {
	{"content", SPEC_DYNAMIC, "what it says"},
	{"alignment", SPEC_ENUM, "where it stands", .names = &alignment_names, .fallback = "\"left\""},
	{"text", SPEC_ALIAS, .other = "content"},
	{NULL}
};
static const KeySpec image_keys[] = {
	{"url", SPEC_DYNAMIC, "where it is"},
	{"alt", SPEC_TEXT, "what it shows, in words"},
	{"src", SPEC_ALIAS, .other = "url"},
	{NULL}
};
static const char *const orientations[] = {"horizontal", "vertical", NULL};
static const EnumSpec orientation_names = {orientations};
static const KeySpec divider_keys[] = {
	{"orientation", SPEC_ENUM, "its direction", .names = &orientation_names, .fallback = "\"horizontal\""},
	{"color", SPEC_COLOR, "its colour"},
	{NULL}
};
static const KeySpec plugin_keys[] = {
	{"plugin_id", SPEC_NAME, "which plugin"},
	{"url", SPEC_DYNAMIC, "where it is loaded from"},
	{"settings", SPEC_OPEN, "the plugin's own settings"},
	{NULL}
};

/*
 * The types
 */
const ElementType sigma_element_types[] = {
	{"page", "a page of the workbook", {page_keys, container_keys, decoration_keys}},
	{"container", "groups elements on a grid of its own", {container_keys, decoration_keys}},
	{"tabs", "shows one of its tabs at a time", {tabs_keys, container_keys, decoration_keys}},
	{"tab", "one tab of tabs", {tab_keys, container_keys, decoration_keys}},
	{"modal", "a dialog over the page", {overlay_keys, modal_keys, container_keys, decoration_keys}},
	{"drawer", "a panel at the page's side", {overlay_keys, drawer_keys, container_keys, decoration_keys}},
	{"popover", "a button that opens a small panel", {popover_keys, container_keys, decoration_keys}},
	{"header", "the page's header", {header_keys, container_keys, decoration_keys}},
	{"form", "enters one row", {form_keys, container_keys, decoration_keys}},
	{"input_table", "shows an input table for entry", {source_keys, table_alias_keys, decoration_keys}},
	{"table", "shows rows", {source_keys, table_alias_keys, decoration_keys}},
	{"pivot", "shows rows put together", {source_keys, pivot_keys, decoration_keys}},
	{"chart", "draws rows", {source_keys, chart_keys, decoration_keys}},
	{"control", "sets a variable", {control_keys, decoration_keys}},
	{"button", "starts sequences", {button_keys, decoration_keys}},
	{"text", "says something", {text_keys, decoration_keys}},
	{"image", "shows a picture", {image_keys, decoration_keys}},
	{"divider", "a line", {divider_keys}},
	{"plugin", "something of your own", {plugin_keys, source_keys, decoration_keys}},
	{NULL}
};

static const char *const element_types[] = {
	"page", "container", "tabs", "tab", "modal", "drawer", "popover", "header", "form", "input_table",
	"table", "pivot", "chart", "control", "button", "text", "image", "divider", "plugin", NULL
};
static const WordPair element_type_aliases[] = {
	{"tabbed_container", "tabs"}, {"pivot_table", "pivot"}, {"visualization", "chart"}, {"viz", "chart"}, {NULL}
};
static const WordPair element_type_hints[] = {
	{"grid", "Every container is a grid: use \"container\" with \"grid_density\"."},
	{"dashboard", "Use \"page\"."},
	{"data_table", "Use \"input_table\" to enter rows, \"table\" to show them."},
	{"dropdown", "Use \"control\" with \"control_type\": \"list\"."},
	{"filter", "Use \"control\"."},
	{"dialog", "Use \"modal\"."},
	{NULL}
};
const EnumSpec sigma_element_type_names = {element_types, element_type_aliases, element_type_hints};

const ObjectSpec sigma_element_spec = {"a layout element", sigma_element_keys, element_keys, begin_element};
const ObjectSpec sigma_tab_spec = {"a tab", sigma_element_keys, element_keys, begin_tab};

/* The settings of an element's type; NULL where that is not known. */
static const KeySpec *const *
element_keys(const JsonNode *element)
{
	const char *type = sigma_json_get_string(element, "type", NULL);
	const ElementType *row;

	for (row = sigma_element_types; type != NULL && row->name != NULL; row++)
		if (strcmp(row->name, type) == 0)
			return row->tables;
	return NULL;
}

/* Move the members of a settings object into the element; SG400 where it has one of that name. */
static void
flatten_settings(JsonNode *element, const char *name)
{
	JsonNode   *settings = sigma_json_remove(element, name);
	int			i;

	if (settings == NULL || settings->kind == JSON_NULL)
		return;
	sigma_spec_require(settings, JSON_OBJECT, name, "an object");
	sigma_spec_respell(settings);
	for (i = 0; i < settings->count; i++)
	{
		JsonNode   *member = settings->items[i];

		if (sigma_json_get(element, member->key) != NULL)
			sigma_document_error(member, 0, "Leave one out.", "\"%s\" is given here and in the element itself", member->key);
		sigma_json_set(element, member->key, member);
	}
}

/* Set a number of the grid; SG400 where it has another. */
static void
place(JsonNode *grid, const char *key, JsonNode *value)
{
	JsonNode   *other = sigma_json_get(grid, key);

	if (other != NULL && !sigma_json_equal(other, value))
		sigma_document_error(value, 0, psprintf("The other one is %s at %s.",
												sigma_json_text(other), sigma_json_path(other)),
							 "\"%s\" of the grid has two values", key);
	if (other == NULL)
		sigma_json_set(grid, key, value);
}

/*
 * CSS grid lines: "1 / 3" begins at line 1 and spans 2, "2 / span 4" spans 4,
 * 5 begins there, "auto" says nothing.
 */
static void
place_lines(JsonNode *grid, JsonNode *lines, const char *start_key, const char *span_key)
{
	int			start;
	int			stop;
	int			used = 0;

	if (lines == NULL || lines->kind == JSON_NULL)
		return;
	if (lines->kind == JSON_NUMBER)
	{
		place(grid, start_key, lines);
		return;
	}
	sigma_spec_require(lines, JSON_STRING, lines->key, "grid lines such as \"1 / 3\"");
	if (strcmp(lines->string, "auto") == 0)
		return;
	if (sscanf(lines->string, " %9d / span %9d %n", &start, &stop, &used) == 2 && used > 0)
		stop += start;
	else if ((used = 0, sscanf(lines->string, " %9d / %9d %n", &start, &stop, &used)) == 2 && used > 0)
		;
	else if ((used = 0, sscanf(lines->string, " %9d %n", &start, &used)) == 1 && used > 0)
		stop = 0;
	else
		used = -1;
	if (used < 0 || lines->string[used] != '\0' || start < 1 || (stop != 0 && stop <= start))
		sigma_document_error(lines, 0, "Grid lines count from 1: \"1 / 3\" is column 1, width 2.",
							 "\"%s\" is not a pair of grid lines", lines->string);
	place(grid, start_key, sigma_json_new_int(start, lines));
	if (stop != 0)
		place(grid, span_key, sigma_json_new_int(stop - start, lines));
}

/* A coordinate from 0 where no grid line says more. */
static void
place_coordinate(JsonNode *grid, JsonNode *value, const char *key)
{
	if (value == NULL || value->kind == JSON_NULL || sigma_json_get(grid, key) != NULL)
		return;
	sigma_spec_require(value, JSON_NUMBER, value->key, "a number");
	place(grid, key, sigma_json_new_int(1 + DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->number))), value));
}

/* Raise SG400 about what is left of an object of which every key was taken. */
static void
check_taken(JsonNode *object, const char *noun, const char *const *known)
{
	int			i;

	for (i = 0; i < object->count; i++)
		if (object->items[i]->kind != JSON_NULL)
			sigma_document_error(object->items[i], 0, sigma_hint_names(object->items[i]->key, known),
								 "unknown key \"%s\" of %s", object->items[i]->key, noun);
}

/* "position" and "size" as clients write them become the place on the grid. */
static void
fold_place(JsonNode *element)
{
	static const char *const position_names[] = {"x", "y", "grid_column", "grid_row", NULL};
	static const char *const size_names_known[] = {
		"width", "height", "min_width", "max_width", "min_height", "max_height", NULL
	};
	JsonNode   *position = sigma_json_get(element, "position");
	JsonNode   *size = sigma_json_get(element, "size");
	JsonNode   *grid = sigma_json_get(element, "grid");
	JsonNode   *x;
	JsonNode   *y;
	int			i;

	if (position != NULL && position->kind != JSON_OBJECT)
		position = NULL;
	if (size != NULL && size->kind != JSON_OBJECT)
		size = NULL;
	if (position == NULL && size == NULL)
		return;
	if (grid == NULL || grid->kind == JSON_NULL)
	{
		grid = sigma_json_new(JSON_OBJECT, position != NULL ? position : size);
		sigma_json_set(element, "grid", grid);
	}
	sigma_spec_require(grid, JSON_OBJECT, "grid", "an object");

	if (position != NULL)
	{
		(void) sigma_json_remove(element, "position");
		sigma_spec_respell(position);
		x = sigma_json_remove(position, "x");
		y = sigma_json_remove(position, "y");
		place_lines(grid, sigma_json_remove(position, "grid_column"), "column", "width");
		place_lines(grid, sigma_json_remove(position, "grid_row"), "row", "height");
		place_coordinate(grid, x, "column");
		place_coordinate(grid, y, "row");
		check_taken(position, "\"position\"", position_names);
	}
	if (size != NULL)
	{
		(void) sigma_json_remove(element, "size");
		sigma_spec_respell(size);
		for (i = 0; i < 2; i++)
		{
			JsonNode   *extent = sigma_json_remove(size, size_names_known[i]);

			if (extent != NULL && extent->kind != JSON_NULL)
				place(grid, size_names_known[i], extent);
		}
		/* limits are no part of the grid: they are style */
		for (i = 2; size_names_known[i] != NULL; i++)
		{
			JsonNode   *limit = sigma_json_remove(size, size_names_known[i]);
			JsonNode   *style;

			if (limit == NULL || limit->kind == JSON_NULL)
				continue;
			sigma_spec_alias(element, "styling", "style");
			style = sigma_json_get(element, "style");
			if (style == NULL)
			{
				style = sigma_json_new(JSON_OBJECT, size);
				sigma_json_set(element, "style", style);
			}
			sigma_spec_require(style, JSON_OBJECT, "style", "an object");
			sigma_json_set(style, size_names_known[i], limit);
		}
		check_taken(size, "\"size\"", size_names_known);
	}
	if (grid->count == 0)
		(void) sigma_json_remove(element, "grid");
}

/* "content" of a tab is a text in it, or the elements it holds. */
static void
fold_content(JsonNode *tab)
{
	JsonNode   *content = sigma_json_remove(tab, "content");
	JsonNode   *children = sigma_json_get(tab, "children");
	JsonNode   *child;

	if (content == NULL || content->kind == JSON_NULL)
		return;
	if (children != NULL && children->kind != JSON_NULL)
		sigma_document_error(content, 0, "Both are what the tab holds: leave one out.",
							 "both \"content\" and \"children\" are given");
	if (content->kind == JSON_ARRAY)
		children = content;
	else
	{
		children = sigma_json_new(JSON_ARRAY, content);
		child = content;
		if (content->kind == JSON_STRING)
		{
			child = sigma_json_new(JSON_OBJECT, content);
			sigma_json_set(child, "type", sigma_json_new_string("text", content));
			sigma_json_set(child, "content", content);
		}
		sigma_json_append(children, child);
	}
	sigma_json_set(tab, "children", children);
}

/* Before an element's keys are read: its type, its settings beside it, its place. */
static void
begin_element(JsonNode *element, int flags)
{
	JsonNode   *type;

	sigma_spec_alias(element, "element_type", "type");
	type = sigma_json_get(element, "type");
	if (type != NULL && type->kind != JSON_NULL)
	{
		type = sigma_spec_enum("a layout element", "type", &sigma_element_type_names, type);
		sigma_json_set(element, "type", type);
	}
	else if ((flags & DOCUMENT_CHANGES) == 0)
		sigma_document_error(element, 0, sigma_hint_names("", element_types), "a layout element needs \"type\"");
	flatten_settings(element, "config");
	flatten_settings(element, "properties");
	fold_place(element);
	if (type != NULL && type->kind == JSON_STRING && strcmp(type->string, "tab") == 0)
		fold_content(element);
}

/* The same for an element of "tabs", whose type goes without saying. */
static void
begin_tab(JsonNode *tab, int flags)
{
	JsonNode   *type;

	sigma_spec_alias(tab, "element_type", "type");
	type = sigma_json_get(tab, "type");
	if (type == NULL || type->kind == JSON_NULL)
		sigma_json_set(tab, "type", sigma_json_new_string("tab", tab));
	else if (type->kind != JSON_STRING || strcmp(type->string, "tab") != 0)
		sigma_document_error(type, 0, "Tabs hold tabs; other elements go in a tab's \"children\".",
							 "an element of \"tabs\" must be of type tab");
	begin_element(tab, flags);
}

/* Raise SG400 where an element would stand beyond the grid. */
static void
finish_grid(JsonNode *grid, int flags)
{
	int64		column = sigma_json_get_int(grid, "column", 1);
	int64		width = sigma_json_get_int(grid, "width", 1);

	if (column + width - 1 > GRID_COLUMNS)
		sigma_document_error(grid, 0, NULL, "column %d and width %d go beyond a grid of %d columns",
							 (int) column, (int) width, GRID_COLUMNS);
}

/* 6, 12 or 24, or Sigma's words for them. */
static JsonNode *
read_density(const KeySpec *key, JsonNode *value, int flags)
{
	static const WordPair words[] = {{"low", "6"}, {"medium", "12"}, {"high", "24"}, {NULL}};
	const WordPair *word;
	char	   *text;

	for (word = words; value->kind == JSON_STRING && word->given != NULL; word++)
		if (sigma_same_word(word->given, value->string))
			return sigma_json_new_int(atoi(word->other), value);
	sigma_spec_require(value, JSON_NUMBER, key->name, "a number");
	text = sigma_json_text(value);
	for (word = words; word->given != NULL; word++)
		if (strcmp(word->other, text) == 0)
			return value;
	sigma_document_error(value, 0, "The density is 6, 12 or 24; an element's width goes in \"grid\": {\"width\": ...}.",
						 "\"%s\" must be 6, 12 or 24, not %s", key->name, text);
}

/* true, false or {width, color}. */
static JsonNode *
read_border(const KeySpec *key, JsonNode *value, int flags)
{
	if (value->kind == JSON_BOOL)
		return value;
	if (value->kind != JSON_OBJECT)
		sigma_document_error(value, 0, NULL, "\"border\" must be true, false or {width, color}, not %s",
							 sigma_json_kind_name(value));
	return sigma_spec_read(&border_spec, value, flags);
}

/* true, false or a number of pixels. */
static JsonNode *
read_gap(const KeySpec *key, JsonNode *value, int flags)
{
	static const KeySpec pixels = {.name = "element_gap", .type = SPEC_INT, .min = 0, .max = 1000};

	if (value->kind == JSON_BOOL)
		return value;
	if (value->kind != JSON_NUMBER)
		sigma_document_error(value, 0, NULL, "\"element_gap\" must be true, false or a number of pixels, not %s",
							 sigma_json_kind_name(value));
	return sigma_spec_read_value("a layout element", &pixels, value, flags);
}

/* A name, or an array of names. */
static JsonNode *
read_names(const KeySpec *key, JsonNode *value, int flags)
{
	KeySpec		like = {.name = key->name, .type = SPEC_NAME};

	if (value->kind == JSON_ARRAY)
	{
		like.type = SPEC_LIST;
		like.flags = KEY_NOT_EMPTY;
		like.of = &sigma_a_name;
	}
	return sigma_spec_read_value("a layout element", &like, value, flags);
}

/* A formula, or the rows a selector matches. */
static JsonNode *
read_filter(const KeySpec *key, JsonNode *value, int flags)
{
	KeySpec		like = {.name = key->name, .type = SPEC_FORMULA};

	if (value->kind == JSON_OBJECT)
		return sigma_spec_read(&sigma_selector_spec, value, flags);
	return sigma_spec_read_value("a layout element", &like, value, flags);
}

/* A tab's id or label, or its place from 0. */
static JsonNode *
read_default_tab(const KeySpec *key, JsonNode *value, int flags)
{
	KeySpec		like = {.name = key->name, .type = SPEC_NAME};

	if (value->kind == JSON_NUMBER)
	{
		like.type = SPEC_INT;
		like.max = PG_INT32_MAX;
	}
	return sigma_spec_read_value("a layout element", &like, value, flags);
}
