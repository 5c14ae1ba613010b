/*
 * html_control.c
 *		Controls of a web page.
 *
 * A control shows the value that its variable has in the context, or is stored, or
 * starts with.  Its inputs carry the variable's name and the type of its values, so
 * that a client, and the page's own script, can put a context together of them.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "layout/html.h"

/* A control while it is being written. */
typedef struct Control
{
	const HtmlElement *element;
	const JsonNode *settings;
	const char *type;			/* control_type */
	const char *variable;
	const char *label;
	int			number;			/* of the id of its first input */
	JsonbValue	value;
	List	   *options;		/* texts that it offers */
	ErrorData  *error;			/* why these are not known, or NULL */
} Control;

static void read_control(HtmlPage *page, const HtmlElement *element, Control *control);
static void read_options(HtmlPage *page, void *arg);
static void put_attributes(HtmlPage *page, const Control *control, const char *value_type, const char *member);
static void put_list(HtmlPage *page, const Control *control);
static void put_segments(HtmlPage *page, const Control *control);
static void put_range(HtmlPage *page, const Control *control, const char *input, const char *const *members);
static void put_input(HtmlPage *page, const Control *control, const char *input, const char *member, const char *label);
static void put_unset(HtmlPage *page, const Control *control, const char *member);
static void put_switch(HtmlPage *page, const Control *control);
static void put_text_area(HtmlPage *page, const Control *control);
static bool is_group(const Control *control);
static bool needs_options(const Control *control);
static const char *value_type(const Control *control);
static char *member_text(const Control *control, const char *member);

/* A control. */
void
sigma_html_control(HtmlPage *page, const HtmlElement *element)
{
	static const char *const min_max[] = {"min", "max"};
	static const char *const start_end[] = {"start", "end"};
	Control		control = {0};
	int			width = page->width;
	bool		group;

	read_control(page, element, &control);
	group = is_group(&control);
	sigma_html_open(page, element, "div", "control");
	if (strcmp(control.type, "switch") == 0 || strcmp(control.type, "checkbox") == 0)
		put_switch(page, &control);
	else
	{
		sigma_html_put(page, group ? "<fieldset><legend class=\"label\">" : "<label class=\"label\"");
		if (!group)
			sigma_html_format(page, " for=\"e%di\">", control.number);
		sigma_html_text(page, control.label);
		if (sigma_json_get_bool(control.settings, "required", false))
			sigma_html_put(page, "<span class=\"req\" aria-hidden=\"true\">*</span>");
		sigma_html_put(page, group ? "</legend>" : "</label>");
		if (strcmp(control.type, "list") == 0 || strcmp(control.type, "drill") == 0 || strcmp(control.type, "legend") == 0)
			put_list(page, &control);
		else if (strcmp(control.type, "segmented") == 0)
			put_segments(page, &control);
		else if (strcmp(control.type, "number-range") == 0)
			put_range(page, &control, "number", min_max);
		else if (strcmp(control.type, "range-slider") == 0 && strcmp(value_type(&control), "date_range") != 0)
			put_range(page, &control, "range", min_max);
		else if (strstr(control.type, "range") != NULL)
			put_range(page, &control, "date", start_end);
		else if (strcmp(control.type, "text-area") == 0)
			put_text_area(page, &control);
		else
			put_input(page, &control, strcmp(control.type, "number") == 0 || strcmp(control.type, "top-n") == 0 ? "number" :
					  strcmp(control.type, "date") == 0 || strcmp(value_type(&control), "date") == 0 ? "date" :
					  strcmp(control.type, "slider") == 0 ? "range" :
					  strcmp(control.type, "file-upload") == 0 ? "file" : "text", NULL, NULL);
		if (group)
			sigma_html_put(page, "</fieldset>");
	}
	if (control.error != NULL)
	{
		sigma_html_put(page, "<p class=\"hint\">");
		sigma_html_text(page, control.error->message);
		sigma_html_put(page, "</p>");
	}
	sigma_html_put(page, "</div>");
	page->width = width;
}

/* What it is, its value, what it offers. */
static void
read_control(HtmlPage *page, const HtmlElement *element, Control *control)
{
	control->element = element;
	control->settings = element->settings;
	control->number = element->number;
	control->type = sigma_json_get_string(control->settings, "control_type", "text");
	control->variable = sigma_json_get_string(control->settings, "variable", unconstify(char *, element->node->id));
	control->label = sigma_html_dynamic(page, sigma_json_get_string(control->settings, "label", element->node->name));
	if (control->label == NULL || control->label[0] == '\0')
		control->label = control->variable;
	sigma_html_control_value(page, control->variable, &control->value);
	if (needs_options(control))
		control->error = sigma_html_try(page, read_options, control);
}

/* HtmlWork: the values that it offers, as given or as they stand in a source; at least those it has. */
static void
read_options(HtmlPage *page, void *arg)
{
	Control    *control = arg;
	const JsonNode *values = sigma_json_get(control->settings, "values");
	const char *source = sigma_json_get_string(control->settings, "source", NULL);
	const char *column = sigma_json_get_string(control->settings, "column", NULL);

	if (values != NULL && values->kind == JSON_ARRAY)
		control->options = sigma_html_texts(values);
	else if (source != NULL && column != NULL)
		control->options = sigma_html_values_of(page, source, column, NULL);
	else if (control->value.type == jbvString || control->value.type == jbvNumeric)
		control->options = list_make1(sigma_html_value_text(&control->value));
}

static bool
needs_options(const Control *control)
{
	return strcmp(control->type, "list") == 0 || strcmp(control->type, "drill") == 0 ||
		strcmp(control->type, "legend") == 0 || strcmp(control->type, "segmented") == 0;
}

/* Is it more than one input? */
static bool
is_group(const Control *control)
{
	return strcmp(control->type, "segmented") == 0 || strcmp(control->type, "legend") == 0 ||
		strstr(control->type, "range") != NULL ||
		(strcmp(control->type, "list") == 0 && sigma_json_get_bool(control->settings, "multiple", false));
}

/* The type of its values, as variables call it. */
static const char *
value_type(const Control *control)
{
	static const char *const types[][2] = {
		{"number", "number"}, {"slider", "number"}, {"top-n", "number"}, {"number-range", "number_range"},
		{"range-slider", "number_range"}, {"date", "date"}, {"date-range", "date_range"}, {"switch", "logical"},
		{"checkbox", "logical"}, {"list", "list"}, {"legend", "list"},
	};
	const char *given = sigma_json_get_string(control->settings, "value_type", NULL);
	int			i;

	if (given != NULL)
		return given;
	if (sigma_json_get_bool(control->settings, "multiple", false))
		return "list";
	for (i = 0; i < lengthof(types); i++)
		if (strcmp(types[i][0], control->type) == 0)
			return types[i][1];
	return "text";
}

/* The attributes that all of its inputs have. */
static void
put_attributes(HtmlPage *page, const Control *control, const char *type, const char *member)
{
	sigma_html_attribute(page, "data-sigma-control", control->variable);
	sigma_html_attribute(page, "data-sigma-value-type", type);
	sigma_html_attribute(page, "data-sigma-member", member);
	sigma_html_flag(page, "required", sigma_json_get_bool(control->settings, "required", false) &&
					strcmp(type, "logical") != 0 && !is_group(control));
	sigma_html_flag(page, "disabled", sigma_json_get_bool(control->settings, "disabled", false));
	if (sigma_html_has_trigger(page, control->element->node->id, "change"))
		sigma_html_trigger(page, control->element->node->id, "change");
}

/* A list: a select for one value, boxes for several. */
static void
put_list(HtmlPage *page, const Control *control)
{
	if (!is_group(control))
	{
		const char *placeholder = sigma_json_get_string(control->settings, "placeholder", NULL);

		sigma_html_format(page, "<select id=\"e%di\"", control->number);
		put_attributes(page, control, value_type(control), NULL);
		sigma_html_put(page, "><option value=\"\">");
		sigma_html_text(page, placeholder != NULL ? placeholder : "All");
		sigma_html_put(page, "</option>");
		sigma_html_options(page, control->options, &control->value);
		sigma_html_put(page, "</select>");
		return;
	}
	sigma_html_put(page, "<div class=\"multi\" role=\"group\"");
	put_attributes(page, control, "list", NULL);
	sigma_html_put(page, ">");
	sigma_html_checks(page, control->variable, NULL, control->options, &control->value, strcmp(control->type, "legend") == 0);
	sigma_html_put(page, "</div>");
}

/* A few values beside each other, one of which is chosen. */
static void
put_segments(HtmlPage *page, const Control *control)
{
	ListCell   *cell;

	sigma_html_put(page, "<div class=\"segments\">");
	foreach(cell, control->options)
	{
		sigma_html_format(page, "<label><input type=\"radio\" name=\"e%ds\"", control->number);
		sigma_html_attribute(page, "value", lfirst(cell));
		put_attributes(page, control, value_type(control), NULL);
		sigma_html_flag(page, "checked", sigma_html_is_chosen(&control->value, lfirst(cell)));
		sigma_html_put(page, "><span>");
		sigma_html_text(page, lfirst(cell));
		sigma_html_put(page, "</span></label>");
	}
	sigma_html_put(page, "</div>");
}

/* Two inputs for the ends of a range. */
static void
put_range(HtmlPage *page, const Control *control, const char *input, const char *const *members)
{
	sigma_html_put(page, "<div class=\"range-inputs\">");
	put_input(page, control, input, members[0], members[0][0] == 'm' ? "Least" : "From");
	sigma_html_put(page, "<span aria-hidden=\"true\">&ndash;</span>");
	put_input(page, control, input, members[1], members[0][0] == 'm' ? "Greatest" : "To");
	sigma_html_put(page, "</div>");
}

/* One input; "member" and "label" are those of a range, else NULL. */
static void
put_input(HtmlPage *page, const Control *control, const char *input, const char *member, const char *label)
{
	static const char *const limits[] = {"min", "max", "step"};
	bool		is_text = strcmp(input, "text") == 0;
	bool		slides = strcmp(input, "range") == 0;
	char	   *text = member_text(control, member);
	int			i;

	if (strcmp(input, "date") == 0 && text != NULL && strlen(text) > 10)
		text[pg_mbcliplen(text, strlen(text), 10)] = '\0';
	sigma_html_format(page, slides ? "<span class=\"slider\"><input type=\"%s\"" : "<input type=\"%s\"", input);
	if (member == NULL)
		sigma_html_format(page, " id=\"e%di\"", control->number);
	else
		sigma_html_attribute(page, "aria-label", psprintf("%s: %s", control->label, label));
	put_attributes(page, control, value_type(control), member);
	for (i = 0; !is_text && i < lengthof(limits); i++)
	{
		const JsonNode *limit = sigma_json_get(control->settings, limits[i]);

		if (limit != NULL && (limit->kind == JSON_NUMBER || limit->kind == JSON_STRING))
			sigma_html_attribute(page, limits[i], limit->kind == JSON_STRING ? limit->string : sigma_json_text(limit));
		else if (strcmp(input, "number") == 0 && i == 2)
			sigma_html_put(page, " step=\"any\"");
	}
	if (member == NULL)
		sigma_html_attribute(page, "placeholder", sigma_json_get_string(control->settings, "placeholder", NULL));
	if (slides && text == NULL)
		put_unset(page, control, member);
	else if (strcmp(input, "file") != 0)
		sigma_html_attribute(page, "value", text);
	sigma_html_put(page, ">");
	if (slides)
	{
		sigma_html_put(page, "<output>");
		sigma_html_text(page, text);
		sigma_html_put(page, "</output></span>");
	}
}

/* A slider without a value stands at an end of its line, and has none until it is moved. */
static void
put_unset(HtmlPage *page, const Control *control, const char *member)
{
	bool		is_end = member != NULL && strcmp(member, "max") == 0;
	const JsonNode *limit = sigma_json_get(control->settings, is_end ? "max" : "min");

	sigma_html_attribute(page, "value", limit != NULL && limit->kind == JSON_NUMBER ? sigma_json_text(limit) :
						 is_end ? "100" : "0");
	sigma_html_put(page, " data-sigma-unset");
}

/* The text of its value, or of an end of its range; NULL where there is none. */
static char *
member_text(const Control *control, const char *member)
{
	JsonbValue	end;

	if (control->value.type == jbvNull)
		return NULL;
	if (member == NULL)
		return sigma_html_value_text(&control->value);
	if (control->value.type != jbvBinary || !JsonContainerIsObject(control->value.val.binary.data) ||
		getKeyJsonValueFromContainer(control->value.val.binary.data, member, strlen(member), &end) == NULL ||
		end.type == jbvNull)
		return NULL;
	return sigma_html_value_text(&end);
}

/* A switch or a box to check, with its label beside it. */
static void
put_switch(HtmlPage *page, const Control *control)
{
	bool		is_switch = strcmp(control->type, "switch") == 0;

	sigma_html_format(page, "<label class=\"toggle\"><input type=\"checkbox\" id=\"e%di\"%s", control->number,
					  is_switch ? " role=\"switch\" class=\"switch\"" : "");
	put_attributes(page, control, "logical", NULL);
	sigma_html_flag(page, "checked", control->value.type == jbvBool && control->value.val.boolean);
	sigma_html_put(page, "><span>");
	sigma_html_text(page, control->label);
	sigma_html_put(page, "</span></label>");
}

static void
put_text_area(HtmlPage *page, const Control *control)
{
	sigma_html_format(page, "<textarea rows=\"3\" id=\"e%di\"", control->number);
	put_attributes(page, control, value_type(control), NULL);
	sigma_html_attribute(page, "placeholder", sigma_json_get_string(control->settings, "placeholder", NULL));
	sigma_html_put(page, ">");
	sigma_html_text(page, member_text(control, NULL));
	sigma_html_put(page, "</textarea>");
}

/*
 * The label of a required control of a page that has no value; NULL: none.  Every
 * element of the page that shows data waits for it, as in Sigma.
 */
const char *
sigma_html_missing_control(HtmlPage *page, const OutlineNode *node)
{
	List	   *waiting = list_copy(node->children);
	int			i;

	for (i = 0; i < list_length(waiting); i++)
	{
		OutlineNode *child = list_nth(waiting, i);
		JsonNode   *settings;
		JsonbValue	value;

		if (strcmp(child->type, "control") != 0)
		{
			if (strcmp(child->type, "modal") != 0 && strcmp(child->type, "drawer") != 0)
				waiting = list_concat(waiting, child->children);
			if (i > list_length(page->outline->nodes))
				break;			/* damaged data: a circle */
			continue;
		}
		settings = sigma_html_settings(child);
		if (!sigma_json_get_bool(settings, "required", false) ||
			strcmp(sigma_json_get_string(settings, "control_type", "text"), "drill") == 0)
			continue;
		sigma_html_control_value(page, sigma_json_get_string(settings, "variable", unconstify(char *, child->id)), &value);
		if (value.type == jbvNull || (value.type == jbvString && value.val.string.len == 0) ||
			(value.type == jbvBinary && JsonContainerSize(value.val.binary.data) == 0))
			return sigma_html_dynamic(page, sigma_json_get_string(settings, "label", child->name != NULL ? child->name : unconstify(char *, child->id)));
	}
	return NULL;
}
