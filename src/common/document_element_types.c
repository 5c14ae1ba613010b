/*
 * document_element_types.c
 *		Tables of layout elements: their types, and the settings of each.
 *
 * What the tables cannot say is done by hooks in document_elements.c.
 */
#include "postgres.h"

#include "common/document.h"
#include "common/document_hooks.h"
#include "common/document_specs.h"

/*
 * Keys of every element
 */
static const KeySpec grid_keys[] = {
	{"column", SPEC_INT, "first column, from 1", .min = 1, .max = SIGMA_GRID_COLUMNS},
	{"row", SPEC_INT, "first row, from 1", .min = 1, .max = 10000},
	{"width", SPEC_INT, "number of columns", .min = 1, .max = SIGMA_GRID_COLUMNS},
	{"height", SPEC_INT, "number of rows", .min = 1, .max = 1000},
	{NULL}
};
static const ObjectSpec grid_spec = {"\"grid\"", grid_keys, NULL, NULL, sigma_finish_grid, sigma_grid_is_settled};

static const KeySpec a_child = {.name = "children", .type = SPEC_NAME_OR_OBJECT, .object = &sigma_element_spec};
static const KeySpec a_sequence = {.name = "actions", .type = SPEC_NAME_OR_OBJECT, .object = &sigma_sequence_spec};

const KeySpec sigma_element_keys[] = {
	{"id", SPEC_NAME, "its id, made where it is absent", KEY_COLUMN},
	{"type", SPEC_ENUM, "its type", KEY_REQUIRED | KEY_COLUMN, .names = &sigma_element_type_names},
	{"name", SPEC_NAME, "its name", KEY_COLUMN},
	{"parent_id", SPEC_NAME, "what holds it", KEY_COLUMN},
	{"position", SPEC_INT, "its place among its siblings", KEY_COLUMN, .min = 0, .max = PG_INT32_MAX},
	{"grid", SPEC_OBJECT, "its place on the grid: {column, row, width, height}", .object = &grid_spec},
	{"visible", SPEC_BOOL, "it is shown", .fallback = "true"},
	{"interactive", SPEC_BOOL, "it can be used", .fallback = "true"},
	{"style", SPEC_SPELLED, "how it looks"},
	{"children", SPEC_LIST, "what it holds: ids or elements", KEY_COLUMN, .of = &a_child},
	{"actions", SPEC_LIST, "sequences it starts: ids or sequences", .of = &a_sequence},
	{"metadata", SPEC_OPEN, "whatever the client adds", KEY_COLUMN},
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
const ObjectSpec sigma_border_spec = {"\"border\"", border_keys};
static const char *const corners[] = {"square", "round", "pill", NULL};
static const EnumSpec corner_names = {corners};

static const KeySpec decoration_keys[] = {
	{"padding", SPEC_BOOL, "space inside its border", .fallback = "true"},
	{"background_color", SPEC_COLOR, "its background"},
	{"border", SPEC_CUSTOM, "true, false or {width, color}", .read = sigma_read_border, .value_type = "boolean or object"},
	{"corner_style", SPEC_ENUM, "its corners", .names = &corner_names, .fallback = "\"round\""},
	{"background", SPEC_ALIAS, .other = "background_color"},
	{NULL}
};

static const char *const spacings[] = {"none", "small", "medium", "large", NULL};
static const EnumSpec spacing_names = {spacings};
static const char *const densities[] = {"6", "12", "24", NULL};
static const EnumSpec density_names = {densities};
static const KeySpec canvas_keys[] = {
	{"grid_density", SPEC_CUSTOM, "number of columns of its grid", .names = &density_names, .read = sigma_read_density, .fallback = "24", .value_type = "integer"},
	{NULL}
};
static const KeySpec grid_density_keys[] = {
	{"grid_density", SPEC_CUSTOM, "number of columns of its grid", .names = &density_names, .read = sigma_read_density, .fallback = "12", .value_type = "integer"},
	{NULL}
};
static const KeySpec container_keys[] = {
	{"spacing", SPEC_ENUM, "space between elements", .names = &spacing_names, .fallback = "\"medium\""},
	{"element_gap", SPEC_CUSTOM, "true, false or pixels", .read = sigma_read_gap, .fallback = "true", .value_type = "boolean or number"},
	{NULL}
};
static const KeySpec nesting_keys[] = {
	{"max_nesting", SPEC_INT, "greatest depth of layouts", .min = 1, .max = 4, .fallback = "4"},
	{NULL}
};

static const char *const aggregates[] = {"sum", "avg", "min", "max", "count", "count_distinct", "median", "none", NULL};
static const WordPair aggregate_aliases[] = {{"average", "avg"}, {"mean", "avg"}, {NULL}};
static const EnumSpec aggregate_names = {aggregates, aggregate_aliases};
static const KeySpec column_item_keys[] = {
	{"column", SPEC_NAME, "the column", KEY_REQUIRED},
	{"label", SPEC_DYNAMIC, "its heading"},
	{"width", SPEC_INT, "in pixels", .min = 0, .max = 10000},
	{"format", SPEC_TEXT, "how values are shown"},
	{"visible", SPEC_BOOL, "it is shown", .fallback = "true"},
	{"aggregate", SPEC_ENUM, "how values are put together", .names = &aggregate_names},
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
	{"filter", SPEC_CUSTOM, "a formula, or {match: {...}}", .read = sigma_read_filter, .value_type = "formula or object"},
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
	{"default_tab", SPEC_CUSTOM, "the tab that is shown first: its id, label or place", .read = sigma_read_default_tab, .value_type = "text or integer"},
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
static const KeySpec chart_keys[] = {
	{"chart_type", SPEC_ENUM, "the kind of chart", .names = &chart_type_names, .fallback = "\"bar\""},
	{"x", SPEC_NAME, "column of the x axis"},
	{"y", SPEC_CUSTOM, "column or columns of the y axis", .read = sigma_read_names, .value_type = "text or array"},
	{"series", SPEC_CUSTOM, "column or columns that tell series apart", .read = sigma_read_names, .value_type = "text or array"},
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
const EnumSpec sigma_control_type_names = {control_types, control_type_aliases};
static const KeySpec control_keys[] = {
	{"control_type", SPEC_ENUM, "the kind of control", .names = &sigma_control_type_names, .fallback = "\"text\""},
	{"variable", SPEC_NAME, "the variable it sets; by default its own id"},
	{"value_type", SPEC_ENUM, "the type of its value", .names = &sigma_variable_type_names},
	{"label", SPEC_DYNAMIC, "what stands beside it"},
	{"default_value", SPEC_ANY, "what it starts with"},
	{"required", SPEC_BOOL, "its page shows no data until it has a value", .fallback = "false"},
	{"disabled", SPEC_BOOL, "it cannot be used", .fallback = "false"},
	{"control_id", SPEC_ALIAS, .other = "variable"},
	{"default", SPEC_ALIAS, .other = "default_value"},
	{NULL}
};
static const KeySpec placeholder_keys[] = {
	{"placeholder", SPEC_TEXT, "what it shows while empty"},
	{NULL}
};
static const KeySpec choice_keys[] = {
	{"values", SPEC_LIST, "the values it offers", .of = &sigma_a_value},
	{"source", SPEC_NAME, "where the values it offers come from"},
	{"column", SPEC_NAME, "the source's column of values"},
	{"options", SPEC_ALIAS, .other = "values"},
	{"choices", SPEC_ALIAS, .other = "values"},
	{NULL}
};
static const KeySpec multiple_keys[] = {
	{"multiple", SPEC_BOOL, "it takes several values", .fallback = "false"},
	{NULL}
};
static const KeySpec limit_keys[] = {
	{"min", SPEC_CUSTOM, "least value", .read = sigma_read_limit, .value_type = "value"},
	{"max", SPEC_CUSTOM, "greatest value", .read = sigma_read_limit, .value_type = "value"},
	{NULL}
};
static const KeySpec step_keys[] = {
	{"step", SPEC_NUMBER, "how far one step goes"},
	{NULL}
};

/* After https://help.sigmacomputing.com/docs/intro-to-control-elements; the first type of value is the default. */
const ControlType sigma_control_types[] = {
	{"list", "one or several of a list of values", {"list", "text", "number", "date", "logical"},
	{control_keys, placeholder_keys, choice_keys, multiple_keys, decoration_keys}},
	{"text", "a line of text", {"text"}, {control_keys, placeholder_keys, decoration_keys}},
	{"text-area", "several lines of text", {"text"}, {control_keys, placeholder_keys, decoration_keys}},
	{"segmented", "one of a few values, all in view", {"text", "number", "date", "logical"}, {control_keys, choice_keys, decoration_keys}},
	{"number", "a number", {"number"}, {control_keys, placeholder_keys, limit_keys, step_keys, decoration_keys}},
	{"number-range", "two numbers: .min and .max", {"number_range"}, {control_keys, limit_keys, step_keys, decoration_keys}},
	{"slider", "a number or date on a line", {"number", "date"}, {control_keys, limit_keys, step_keys, decoration_keys}},
	{"range-slider", "two places on a line: .min and .max", {"number_range", "date_range"}, {control_keys, limit_keys, step_keys, decoration_keys}},
	{"date", "a day", {"date"}, {control_keys, placeholder_keys, limit_keys, decoration_keys}},
	{"date-range", "two days: .start and .end", {"date_range"}, {control_keys, limit_keys, decoration_keys}},
	{"top-n", "how many of the first", {"number"}, {control_keys, limit_keys, decoration_keys}},
	{"drill", "the column that is looked at", {"text"}, {control_keys, choice_keys, decoration_keys}},
	{"switch", "on or off", {"logical"}, {control_keys, decoration_keys}},
	{"checkbox", "checked or not", {"logical"}, {control_keys, decoration_keys}},
	{"legend", "the series of a chart that are shown", {"list"}, {control_keys, choice_keys, decoration_keys}},
	{"file-upload", "a file", {"text"}, {control_keys, decoration_keys}},
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
	{"page", "a page of the workbook", {page_keys, canvas_keys, container_keys, decoration_keys}},
	{"container", "groups elements on a grid of its own", {grid_density_keys, container_keys, nesting_keys, decoration_keys}},
	{"tabs", "shows one of its tabs at a time", {tabs_keys, grid_density_keys, container_keys, nesting_keys, decoration_keys}},
	{"tab", "one tab of tabs", {tab_keys, grid_density_keys, container_keys, decoration_keys}},
	{"modal", "a dialog over the page", {overlay_keys, modal_keys, canvas_keys, container_keys, decoration_keys}},
	{"drawer", "a panel at the page's side", {overlay_keys, drawer_keys, canvas_keys, container_keys, decoration_keys}},
	{"popover", "a button that opens a small panel", {popover_keys, canvas_keys, container_keys, decoration_keys}},
	{"header", "the page's header", {header_keys, canvas_keys, container_keys, decoration_keys}},
	{"form", "enters one row", {form_keys, grid_density_keys, container_keys, decoration_keys}},
	{"input_table", "shows an input table for entry", {source_keys, table_alias_keys, decoration_keys}},
	{"table", "shows rows", {source_keys, table_alias_keys, decoration_keys}},
	{"pivot", "shows rows put together", {source_keys, pivot_keys, decoration_keys}},
	{"chart", "draws rows", {source_keys, chart_keys, decoration_keys}},
	{"control", "sets a variable", {control_keys, placeholder_keys, choice_keys, multiple_keys, limit_keys, step_keys, decoration_keys}},
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

const ObjectSpec sigma_element_spec = {"a layout element", sigma_element_keys, sigma_element_settings, sigma_begin_element, sigma_finish_element};
const ObjectSpec sigma_tab_spec = {"a tab", sigma_element_keys, sigma_element_settings, sigma_begin_tab};
