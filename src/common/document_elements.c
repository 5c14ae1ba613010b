/*
 * document_elements.c
 *		Layout elements: how clients place them and what their settings may be.
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
#include "common/jsonb_value.h"

/* The settings of an element's type; NULL where that is not known. */
const KeySpec *const *
sigma_element_settings(const JsonNode *element)
{
	const char *type = sigma_json_get_string(element, "type", NULL);
	const ElementType *row;

	if (type != NULL && strcmp(type, "control") == 0 && sigma_json_get(element, "control_type") != NULL &&
		sigma_control_type(element) != NULL)
		return sigma_control_type(element)->tables;
	for (row = sigma_element_types; type != NULL && row->name != NULL; row++)
		if (strcmp(row->name, type) == 0)
			return row->tables;
	return NULL;
}

/*
 * Are settings of an element of that type, as they are stored, plain?  Those of controls are not: their
 * types have settings of their own, and a variable besides.
 */
bool
sigma_element_is_plain(const char *type, Jsonb *settings, int flags)
{
	const ElementType *row = sigma_element_types;

	while (row->name != NULL && (row->name[0] != type[0] || strcmp(row->name, type) != 0))
		row++;
	return row->name != NULL && strcmp(type, "control") != 0 &&
		sigma_spec_is_plain(sigma_element_keys, row->tables, &settings->root, flags);
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
	KeySpec		coordinate = {.name = value == NULL ? NULL : value->key, .type = SPEC_INT, .max = 1000000};

	if (value == NULL || value->kind == JSON_NULL)
		return;
	value = sigma_spec_read_value("\"position\"", &coordinate, value, 0);
	if (sigma_json_get(grid, key) == NULL)
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

/* The object of that name, made at "origin" where there is none. */
static JsonNode *
object_member(JsonNode *element, const char *name, const JsonNode *origin)
{
	JsonNode   *object = sigma_json_get(element, name);

	if (object == NULL || object->kind == JSON_NULL)
	{
		object = sigma_json_new(JSON_OBJECT, origin);
		sigma_json_set(element, name, object);
	}
	sigma_spec_require(object, JSON_OBJECT, name, "an object");
	return object;
}

/* {x, y, gridColumn, gridRow}: a place on the grid.  Grid lines say more than coordinates. */
static void
fold_position(JsonNode *element, JsonNode *position)
{
	static const char *const known[] = {"x", "y", "grid_column", "grid_row", NULL};
	JsonNode   *grid = object_member(element, "grid", position);
	JsonNode   *x;
	JsonNode   *y;

	sigma_spec_respell(position);
	x = sigma_json_remove(position, "x");
	y = sigma_json_remove(position, "y");
	place_lines(grid, sigma_json_remove(position, "grid_column"), "column", "width");
	place_lines(grid, sigma_json_remove(position, "grid_row"), "row", "height");
	place_coordinate(grid, x, "column");
	place_coordinate(grid, y, "row");
	check_taken(position, "\"position\"", known);
}

/* {width, height, minWidth ...}: an extent on the grid; limits are no part of it, they are style. */
static void
fold_size(JsonNode *element, JsonNode *size)
{
	static const char *const known[] = {
		"width", "height", "min_width", "max_width", "min_height", "max_height", NULL
	};
	int			i;

	sigma_spec_respell(size);
	for (i = 0; known[i] != NULL; i++)
	{
		JsonNode   *extent = sigma_json_remove(size, known[i]);

		if (extent == NULL || extent->kind == JSON_NULL)
			continue;
		if (i < 2)
			place(object_member(element, "grid", size), known[i], extent);
		else
		{
			sigma_spec_alias(element, "styling", "style");
			sigma_json_set(object_member(element, "style", size), known[i], extent);
		}
	}
	check_taken(size, "\"size\"", known);
}

/* "position" and "size" as clients write them become the place on the grid. */
static void
fold_place(JsonNode *element)
{
	JsonNode   *position = sigma_json_get(element, "position");
	JsonNode   *size = sigma_json_get(element, "size");
	JsonNode   *grid;

	if (position != NULL && position->kind == JSON_OBJECT)
		fold_position(element, sigma_json_remove(element, "position"));
	if (size != NULL && size->kind == JSON_OBJECT)
		fold_size(element, sigma_json_remove(element, "size"));

	grid = sigma_json_get(element, "grid");
	if (grid != NULL && grid->kind == JSON_OBJECT && grid->count == 0)
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
void
sigma_begin_element(JsonNode *element, int flags)
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
		sigma_document_error(element, 0, sigma_hint_names("", sigma_element_type_names.names), "a layout element needs \"type\"");
	flatten_settings(element, "config");
	flatten_settings(element, "properties");
	fold_place(element);
	if (type != NULL && type->kind == JSON_STRING && strcmp(type->string, "tab") == 0)
		fold_content(element);
	if (type != NULL && type->kind == JSON_STRING && strcmp(type->string, "control") == 0)
		sigma_begin_control(element, flags);
}

/* After an element's keys are read: what settings of a control say together. */
void
sigma_finish_element(JsonNode *element, int flags)
{
	if (strcmp(sigma_json_get_string(element, "type", ""), "control") == 0)
		sigma_finish_control(element, flags);
}

/* The same for an element of "tabs", whose type goes without saying. */
void
sigma_begin_tab(JsonNode *tab, int flags)
{
	JsonNode   *type;

	sigma_spec_alias(tab, "element_type", "type");
	type = sigma_json_get(tab, "type");
	if (type == NULL || type->kind == JSON_NULL)
		sigma_json_set(tab, "type", sigma_json_new_string("tab", tab));
	else if (type->kind != JSON_STRING || strcmp(type->string, "tab") != 0)
		sigma_document_error(type, 0, "Tabs hold tabs; other elements go in a tab's \"children\".",
							 "an element of \"tabs\" must be of type tab");
	sigma_begin_element(tab, flags);
}

/* Does an element with this place, whose numbers are right, stand on the grid? */
bool
sigma_grid_is_settled(JsonbContainer *grid)
{
	int			width = sigma_jsonb_int(grid, "width", 1);

	return width == 1 || sigma_jsonb_int(grid, "column", 1) + width - 1 <= SIGMA_GRID_COLUMNS;
}

/* Raise SG400 where an element would stand beyond the grid. */
void
sigma_finish_grid(JsonNode *grid, int flags)
{
	int64		column = sigma_json_get_int(grid, "column", 1);
	int64		width = sigma_json_get_int(grid, "width", 1);

	if (column + width - 1 > SIGMA_GRID_COLUMNS)
		sigma_document_error(grid, 0, NULL, "column %d and width %d go beyond a grid of %d columns",
							 (int) column, (int) width, SIGMA_GRID_COLUMNS);
}

/* 6, 12 or 24, or Sigma's words for them. */
JsonNode *
sigma_read_density(const KeySpec *key, JsonNode *value, int flags)
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
JsonNode *
sigma_read_border(const KeySpec *key, JsonNode *value, int flags)
{
	if (value->kind == JSON_BOOL)
		return value;
	if (value->kind != JSON_OBJECT)
		sigma_document_error(value, 0, NULL, "\"border\" must be true, false or {width, color}, not %s",
							 sigma_json_kind_name(value));
	return sigma_spec_read(&sigma_border_spec, value, flags);
}

/* true, false or a number of pixels. */
JsonNode *
sigma_read_gap(const KeySpec *key, JsonNode *value, int flags)
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
JsonNode *
sigma_read_names(const KeySpec *key, JsonNode *value, int flags)
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
JsonNode *
sigma_read_filter(const KeySpec *key, JsonNode *value, int flags)
{
	KeySpec		like = {.name = key->name, .type = SPEC_FORMULA};

	if (value->kind == JSON_OBJECT)
		return sigma_spec_read(&sigma_selector_spec, value, flags);
	return sigma_spec_read_value("a layout element", &like, value, flags);
}

/* A tab's id or label, or its place from 0. */
JsonNode *
sigma_read_default_tab(const KeySpec *key, JsonNode *value, int flags)
{
	KeySpec		like = {.name = key->name, .type = SPEC_NAME};

	if (value->kind == JSON_NUMBER)
	{
		like.type = SPEC_INT;
		like.max = PG_INT32_MAX;
	}
	return sigma_spec_read_value("a layout element", &like, value, flags);
}
