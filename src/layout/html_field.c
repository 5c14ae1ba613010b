/*
 * html_field.c
 *		Forms of a web page: the columns of an input table as fields.
 *
 * A field is the HTML input of its column's type, with the column's rules as HTML
 * validation as far as HTML has them: the browser says at once what the table would
 * refuse, and the table has the last word.
 */
#include "postgres.h"

#include <ctype.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "common/jsonb_value.h"
#include "input_table/input_table.h"
#include "layout/html.h"

/* One field while it is being written. */
typedef struct Field
{
	const JsonNode *definition; /* of the table */
	const JsonNode *column;
	const JsonNode *setting;	/* of the form, or NULL */
	const char *name;
	const char *label;
	ColumnType	type;
	JsonbValue	value;			/* what it starts with; jbvNull: nothing */
	int			number;			/* of its id in the document */
	bool		required;
	bool		locked;
} Field;

/* What sigma_html_try() does for a field. */
typedef struct ListWork
{
	const Field *field;
	const JsonNode *rule;		/* values_from */
	List	   *values;
} ListWork;

typedef struct FormWork
{
	const HtmlElement *element;
	const char *table;
} FormWork;

static void write_form(HtmlPage *page, void *arg);
static const JsonNode *rule_of(const Field *field, const char *key);
static const JsonNode *find_column(const JsonNode *definition, const char *name);
static void put_field(HtmlPage *page, const JsonNode *definition, const JsonNode *column, const JsonNode *setting);
static void read_value(HtmlPage *page, Field *field);
static void run_default(HtmlPage *page, void *arg);
static void put_input(HtmlPage *page, const Field *field);
static void put_common(HtmlPage *page, const Field *field);
static void put_limits(HtmlPage *page, const Field *field);
static List *listed_values(HtmlPage *page, const Field *field);
static void read_list(HtmlPage *page, void *arg);
static char *html_pattern(const char *pattern);

/* A form; a note where its table cannot be seen. */
void
sigma_html_form(HtmlPage *page, const HtmlElement *element)
{
	FormWork	work = {element, sigma_json_get_string(element->settings, "input_table", NULL)};
	int			width = page->width;
	ErrorData  *error = NULL;

	sigma_html_open(page, element, "section", "card formcard");
	sigma_html_card_head(page, element, NULL, NULL);
	sigma_html_put(page, "<form class=\"form\"");
	sigma_html_attribute(page, "data-sigma-form", element->node->id);
	sigma_html_attribute(page, "data-sigma-table", work.table);
	sigma_html_attribute(page, "data-sigma-submit", sigma_json_get_string(element->settings, "submit_sequence", NULL));
	sigma_html_attribute(page, "aria-label", element->title != NULL ? element->title : work.table != NULL ? work.table : "Form");
	sigma_html_put(page, ">");
	if (work.table != NULL)
		error = sigma_html_try(page, write_form, &work);
	if (error != NULL)
		sigma_html_failure(page, error);
	if (element->node->children != NIL)
		sigma_html_children(page, element, "body");
	if (error == NULL)
	{
		sigma_html_put(page, "<footer>");
		sigma_html_footer_button(page, element, "secondary_button", "form_secondary", NULL, "reset");
		sigma_html_footer_button(page, element, "primary_button", "form_primary", "Submit", "submit");
		sigma_html_put(page, "</footer>");
	}
	sigma_html_put(page, "</form></section>");
	page->width = width;
}

/* HtmlWork: the fields of the form's table. */
static void
write_form(HtmlPage *page, void *arg)
{
	FormWork   *work = arg;

	sigma_html_put(page, "<div class=\"body fields\">");
	sigma_html_fields(page, sigma_html_table_of(page, work->table), sigma_json_get(work->element->settings, "fields"));
	sigma_html_put(page, "</div>");
}

/* The fields that a form lists, or (NULL) those of all columns that can be entered. */
void
sigma_html_fields(HtmlPage *page, HtmlTable *table, const JsonNode *fields)
{
	const JsonNode *columns = sigma_json_get(table->definition, "columns");
	int			i;

	if (fields == NULL || fields->kind != JSON_ARRAY || fields->count == 0)
	{
		for (i = 0; columns != NULL && i < columns->count; i++)
			if (sigma_json_get(columns->items[i], "formula") == NULL &&
				sigma_json_get_bool(columns->items[i], "editable", true) &&
				!sigma_json_get_bool(columns->items[i], "protected", false))
				put_field(page, table->definition, columns->items[i], NULL);
		return;
	}
	for (i = 0; i < fields->count; i++)
	{
		const JsonNode *item = fields->items[i];
		const char *name = item->kind == JSON_STRING ? item->string : sigma_json_get_string(item, "column", "");

		put_field(page, table->definition, find_column(table->definition, name), item->kind == JSON_OBJECT ? item : NULL);
	}
}

/* A column of a definition; 42703. */
static const JsonNode *
find_column(const JsonNode *definition, const char *name)
{
	const JsonNode *columns = sigma_json_get(definition, "columns");
	int			i;

	for (i = 0; columns != NULL && i < columns->count; i++)
		if (strcmp(sigma_json_get_string(columns->items[i], "name", ""), name) == 0)
			return columns->items[i];
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of input table \"%s\" does not exist", name,
					sigma_json_get_string(definition, "id", ""))));
}

/* What a rule of a column says: in the column, else in the table's rules; NULL: nothing. */
static const JsonNode *
rule_of(const Field *field, const char *key)
{
	const JsonNode *rules = sigma_json_get(field->column, "validation");
	const JsonNode *rule = rules == NULL || rules->kind != JSON_OBJECT ? NULL : sigma_json_get(rules, key);

	if (rule == NULL)
	{
		rules = sigma_json_get(field->definition, "validation_rules");
		rules = rules == NULL || rules->kind != JSON_OBJECT ? NULL : sigma_json_get(rules, field->name);
		rule = rules == NULL || rules->kind != JSON_OBJECT ? NULL : sigma_json_get(rules, key);
	}
	return rule == NULL || rule->kind == JSON_NULL ||
		strcmp(sigma_json_get_string(rules, "severity", "error"), "error") != 0 ? NULL : rule;
}

/* One field: label, input, what is said about the column. */
static void
put_field(HtmlPage *page, const JsonNode *definition, const JsonNode *column, const JsonNode *setting)
{
	Field		field = {definition, column, setting};
	const char *description = sigma_json_get_string(column, "description", NULL);
	const JsonNode *message;
	bool		group;
	bool		wide;

	field.name = sigma_json_get_string(column, "name", "");
	field.label = sigma_html_dynamic(page, sigma_json_get_string(setting, "label", unconstify(char *, field.name)));
	if (!sigma_column_type(sigma_json_get_string(column, "type", "text"), &field.type))
		field.type = COLUMN_TEXT;
	field.number = ++page->last_id;
	field.required = sigma_json_get_bool(column, "required", false) || sigma_json_get_bool(setting, "required", false) ||
		(rule_of(&field, "required") != NULL && rule_of(&field, "required")->boolean);
	field.locked = !sigma_json_get_bool(column, "editable", true) || sigma_json_get_bool(column, "protected", false) ||
		sigma_json_get(column, "formula") != NULL;
	read_value(page, &field);
	message = rule_of(&field, "message");
	group = field.type == COLUMN_MULTI_SELECT;
	wide = group || field.type == COLUMN_JSON;
	sigma_html_put(page, group ? "<fieldset class=\"field wide\"><legend>" : wide ? "<div class=\"field wide\"" : "<div class=\"field\"");
	if (!group)
	{
		sigma_html_put(page, field.type == COLUMN_CHECKBOX ? " data-check>" : ">");
		sigma_html_format(page, "<label for=\"e%d\">", field.number);
	}
	sigma_html_text(page, field.label);
	if (field.required)
		sigma_html_put(page, "<span class=\"req\" aria-hidden=\"true\">*</span>");
	sigma_html_put(page, group ? "</legend>" : "</label>");
	put_input(page, &field);
	if (description != NULL || message != NULL)
	{
		sigma_html_format(page, "<p class=\"hint\" id=\"e%dd\">", field.number);
		sigma_html_text(page, description != NULL ? description : message->kind == JSON_STRING ? message->string : "");
		sigma_html_put(page, "</p>");
	}
	sigma_html_put(page, group ? "</fieldset>" : "</div>");
}

/* What a field starts with: the context's form, the form's own default, the column's. */
static void
read_value(HtmlPage *page, Field *field)
{
	const JsonNode *preset = sigma_json_get(field->setting, "default_value");

	sigma_layout_contexts->fetch(page->context, "Form", field->name, &field->value);
	if (field->value.type != jbvNull)
		return;
	if (preset == NULL)
		preset = sigma_json_get(field->column, "default_value");
	if (preset == NULL || preset->kind == JSON_NULL)
		return;
	if ((preset->kind == JSON_OBJECT && sigma_json_get_string(preset, "formula", NULL) != NULL))
		(void) sigma_html_try(page, run_default, field);
	else if (preset->kind != JSON_OBJECT)
		sigma_jsonb_to_value(sigma_json_write(preset), &field->value);
}

/* HtmlWork: a default that is a formula. */
static void
run_default(HtmlPage *page, void *arg)
{
	Field	   *field = arg;
	const JsonNode *preset = sigma_json_get(field->setting, "default_value");

	if (preset == NULL)
		preset = sigma_json_get(field->column, "default_value");
	sigma_html_evaluate(page, sigma_json_get_string(preset, "formula", ""), &field->value);
}

/* The input of a field. */
static void
put_input(HtmlPage *page, const Field *field)
{
	static const struct
	{
		ColumnType	type;
		const char *input;
		int			characters; /* of a value's text that the input takes, 0: all */
	}			inputs[] = {
		{COLUMN_NUMBER, "number", 0}, {COLUMN_INTEGER, "number", 0}, {COLUMN_FLOAT, "number", 0}, {COLUMN_DATE, "date", 10},
		{COLUMN_DATETIME, "datetime-local", 19}, {COLUMN_FILE, "file", 0},
	};
	const JsonNode *format = rule_of(field, "format");
	List	   *values = field->type == COLUMN_CHECKBOX ? NIL : listed_values(page, field);
	const char *kind = "text";
	char	   *text = field->value.type == jbvNull ? NULL : sigma_html_value_text(&field->value);
	int			i;

	if (field->type == COLUMN_MULTI_SELECT)
	{
		sigma_html_checks(page, field->name, field->name, values, &field->value, false);
		return;
	}
	if (values != NIL)
	{
		sigma_html_put(page, "<select");
		put_common(page, field);
		sigma_html_put(page, "><option value=\"\">Choose&hellip;</option>");
		sigma_html_options(page, values, &field->value);
		sigma_html_put(page, "</select>");
		return;
	}
	if (field->type == COLUMN_JSON)
	{
		sigma_html_put(page, "<textarea rows=\"4\" spellcheck=\"false\"");
		put_common(page, field);
		sigma_html_put(page, ">");
		sigma_html_text(page, text);
		sigma_html_put(page, "</textarea>");
		return;
	}
	if (field->type == COLUMN_CHECKBOX)
	{
		sigma_html_put(page, "<input type=\"checkbox\"");
		put_common(page, field);
		sigma_html_flag(page, "checked", field->value.type == jbvBool && field->value.val.boolean);
		sigma_html_put(page, ">");
		return;
	}
	for (i = 0; i < lengthof(inputs); i++)
		if (inputs[i].type == field->type)
		{
			kind = inputs[i].input;
			if (text != NULL && inputs[i].characters > 0 && strlen(text) > inputs[i].characters)
				text[pg_mbcliplen(text, strlen(text), inputs[i].characters)] = '\0';
		}
	if (strcmp(kind, "text") == 0 && format != NULL && format->kind == JSON_STRING)
		kind = strcmp(format->string, "email") == 0 ? "email" : strcmp(format->string, "url") == 0 ? "url" :
			strcmp(format->string, "phone") == 0 ? "tel" : strcmp(format->string, "date") == 0 ? "date" : "text";
	sigma_html_format(page, "<input type=\"%s\"", kind);
	put_common(page, field);
	put_limits(page, field);
	if (strcmp(kind, "file") != 0)
		sigma_html_attribute(page, "value", text);
	sigma_html_put(page, ">");
}

/* The attributes that every input has. */
static void
put_common(HtmlPage *page, const Field *field)
{
	const JsonNode *message = rule_of(field, "message");
	const char *description = sigma_json_get_string(field->column, "description", NULL);

	sigma_html_format(page, " id=\"e%d\"", field->number);
	sigma_html_attribute(page, "name", field->name);
	sigma_html_attribute(page, "data-sigma-column", field->name);
	sigma_html_attribute(page, "data-sigma-column-type", sigma_column_types[field->type].name);
	sigma_html_attribute(page, "placeholder", sigma_json_get_string(field->setting, "placeholder", NULL));
	if (message != NULL && message->kind == JSON_STRING)
		sigma_html_attribute(page, "data-sigma-message", message->string);
	if (description != NULL || message != NULL)
		sigma_html_format(page, " aria-describedby=\"e%dd\"", field->number);
	sigma_html_flag(page, "required", field->required && field->type != COLUMN_CHECKBOX);
	sigma_html_flag(page, "disabled", field->locked);
}

/* The rules of a column, as far as HTML has them. */
static void
put_limits(HtmlPage *page, const Field *field)
{
	static const struct
	{
		const char *rule;
		const char *attribute;
		bool		is_text;
	}			limits[] = {
		{"min", "min", false}, {"max", "max", false}, {"min_length", "minlength", true}, {"max_length", "maxlength", true},
	};
	bool		is_text = field->type == COLUMN_TEXT || field->type == COLUMN_DROPDOWN;
	const JsonNode *scale = rule_of(field, "scale");
	const JsonNode *pattern = rule_of(field, "pattern");
	int			i;

	for (i = 0; i < lengthof(limits); i++)
	{
		const JsonNode *limit = rule_of(field, limits[i].rule);

		if (limit == NULL || limits[i].is_text != is_text)
			continue;
		if (limit->kind == JSON_NUMBER)
			sigma_html_attribute(page, limits[i].attribute, sigma_json_text(limit));
		else if (limit->kind == JSON_STRING && (field->type == COLUMN_DATE || field->type == COLUMN_DATETIME))
			sigma_html_attribute(page, limits[i].attribute,
								 pnstrdup(limit->string, pg_mbcliplen(limit->string, strlen(limit->string),
																  field->type == COLUMN_DATE ? 10 : 19)));
	}
	if (field->type == COLUMN_INTEGER)
		sigma_html_put(page, " step=\"1\" inputmode=\"numeric\"");
	else if (field->type == COLUMN_NUMBER || field->type == COLUMN_FLOAT)
	{
		int			digits = scale != NULL && scale->kind == JSON_NUMBER ? atoi(sigma_json_text(scale)) : 0;

		if (scale == NULL || digits <= 0 || digits > 15)
			sigma_html_put(page, " step=\"any\" inputmode=\"decimal\"");
		else
			sigma_html_format(page, " step=\"0.%0*d\" inputmode=\"decimal\"", digits, 1);
	}
	else if (field->type == COLUMN_DATETIME)
		sigma_html_put(page, " step=\"1\"");
	if (is_text && pattern != NULL && pattern->kind == JSON_STRING)
		sigma_html_attribute(page, "pattern", html_pattern(pattern->string));
}

/* The values that a column takes: those of its list, or those in another table; NIL: any. */
static List *
listed_values(HtmlPage *page, const Field *field)
{
	const JsonNode *list = rule_of(field, "values");
	ListWork	work = {field, rule_of(field, "values_from"), NIL};

	if (list != NULL && list->kind == JSON_ARRAY)
		return sigma_html_texts(list);
	if (work.rule != NULL && work.rule->kind == JSON_OBJECT)
		(void) sigma_html_try(page, read_list, &work);
	return work.values;
}

/* HtmlWork: the values in another table; a list that goes on beyond what is offered is none. */
static void
read_list(HtmlPage *page, void *arg)
{
	ListWork   *work = arg;

	work->values = sigma_html_values_of(page, sigma_json_get_string(work->rule, "table", ""),
										sigma_json_get_string(work->rule, "column", ""),
										unconstify(JsonNode *, work->rule));
	if (list_length(work->values) >= HTML_OPTIONS)
		work->values = NIL;
}

/* The scalars of an array as texts. */
List *
sigma_html_texts(const JsonNode *values)
{
	List	   *texts = NIL;
	int			i;

	for (i = 0; i < values->count; i++)
	{
		const JsonNode *value = values->items[i];

		if (value->kind == JSON_STRING)
			texts = lappend(texts, value->string);
		else if (value->kind == JSON_NUMBER || value->kind == JSON_BOOL)
			texts = lappend(texts, sigma_json_text(value));
	}
	return texts;
}

/* Is an option the value, or one of the values, that was chosen? */
bool
sigma_html_is_chosen(const JsonbValue *chosen, const char *option)
{
	int			i;

	if (chosen->type == jbvNull)
		return false;
	if (chosen->type == jbvBinary && JsonContainerIsArray(chosen->val.binary.data))
	{
		for (i = 0; i < JsonContainerSize(chosen->val.binary.data); i++)
			if (strcmp(sigma_html_value_text(getIthJsonbValueFromContainer(chosen->val.binary.data, i)), option) == 0)
				return true;
		return false;
	}
	return strcmp(sigma_html_value_text(chosen), option) == 0;
}

/* Options of a select. */
void
sigma_html_options(HtmlPage *page, List *values, const JsonbValue *chosen)
{
	ListCell   *cell;

	foreach(cell, values)
	{
		sigma_html_put(page, "<option");
		sigma_html_attribute(page, "value", lfirst(cell));
		sigma_html_flag(page, "selected", sigma_html_is_chosen(chosen, lfirst(cell)));
		sigma_html_put(page, ">");
		sigma_html_text(page, lfirst(cell));
		sigma_html_put(page, "</option>");
	}
}

/*
 * Boxes to check, of which any number can be; "column": they are a field of that one;
 * "swatches": with the colours of a chart's series.
 */
void
sigma_html_checks(HtmlPage *page, const char *name, const char *column, List *values, const JsonbValue *chosen,
				  bool swatches)
{
	ListCell   *cell;

	sigma_html_put(page, "<div class=\"checks\">");
	foreach(cell, values)
	{
		sigma_html_put(page, "<label><input type=\"checkbox\"");
		sigma_html_attribute(page, "name", name);
		sigma_html_attribute(page, "data-sigma-column", column);
		sigma_html_attribute(page, "data-sigma-column-type", column == NULL ? NULL : "multi-select");
		sigma_html_attribute(page, "value", lfirst(cell));
		sigma_html_flag(page, "checked", sigma_html_is_chosen(chosen, lfirst(cell)));
		sigma_html_put(page, ">");
		if (swatches)
			sigma_html_format(page, "<span class=\"swatch s%d\"></span>", foreach_current_index(cell) % 8 + 1);
		sigma_html_put(page, "<span>");
		sigma_html_text(page, lfirst(cell));
		sigma_html_put(page, "</span></label>");
	}
	sigma_html_put(page, "</div>");
}

/*
 * A pattern as HTML has it: about the whole value, in the language of browsers.  NULL
 * where it holds what that language has not, or reads differently.
 */
static char *
html_pattern(const char *pattern)
{
	static const char *const escapes[][2] = {
		{"d", "\\p{Nd}"}, {"w", "\\p{L}\\p{N}_"}, {"s", "\\s"},
	};
	StringInfoData out;
	bool		in_class = false;
	const char *c;
	int			i;

	initStringInfo(&out);
	appendStringInfoString(&out, "(?:.*(?:");
	for (c = pattern; *c != '\0'; c++)
	{
		if (*c == '\\')
		{
			c++;
			for (i = 0; i < lengthof(escapes); i++)
				if (*c == escapes[i][0][0])
					break;
			if (i < lengthof(escapes))
				appendStringInfo(&out, in_class || *c != 'w' ? "%s" : "[%s]", escapes[i][1]);
			else if (*c != '\0' && !isalnum((unsigned char) *c))
				appendStringInfo(&out, strchr("^$\\.*+?()[]{}|/-", *c) != NULL && (in_class || *c != '-') ? "\\%c" : "%c", *c);
			else
				return NULL;
		}
		else if (in_class && *c == '[')
			return NULL;		/* a class of PostgreSQL's, or a bracket that browsers read as their own */
		else if (in_class && strchr("(){}/|", *c) != NULL)
			appendStringInfo(&out, "\\%c", *c);
		else if (in_class && *c == '-' && (c[1] == ']' || c[-1] == '[' || (c[-1] == '^' && c[-2] == '[')))
			appendStringInfoString(&out, "\\-");
		else if (in_class && *c == c[1] && ispunct((unsigned char) *c))
			return NULL;		/* an operator of sets in browsers */
		else if (!in_class && *c == '(' && c[1] == '?' && c[2] != ':' && c[2] != '=' && c[2] != '!')
			return NULL;
		else
		{
			if (*c == '[' && !in_class)
			{
				in_class = true;
				if (c[1] == ']' || (c[1] == '^' && c[2] == ']'))
					return NULL;
			}
			else if (*c == ']' && in_class)
				in_class = false;
			else if (*c == ']' || (*c == '*' && c == pattern))
				return NULL;
			appendStringInfoChar(&out, *c);
		}
	}
	if (in_class)
		return NULL;
	appendStringInfoString(&out, ").*)");
	return out.data;
}
