/*
 * document_controls.c
 *		Controls: settings that their type has, and values that fit each other.
 *
 * A control's type says which settings it has and which types of value its variable
 * may have; values that it offers, its limits and what it starts with are of that
 * type.  All of it is checked on the whole document, and of changes only what they say
 * by themselves: the row is checked as a whole when it is written.
 * See document.c for the engine and its lifetimes.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common/document.h"
#include "common/document_hooks.h"
#include "common/document_specs.h"
#include "common/value.h"

#define MAX_SEGMENTS	7		/* of a segmented control, as in Sigma */

static void refuse_foreign_settings(const JsonNode *element, const ControlType *type);
static bool has_setting(const ControlType *type, const char *key);
static void check_choices(const JsonNode *control, const ControlType *type, const char *value_type);
static void check_limits(const JsonNode *control, bool dates);
static void check_within(const JsonNode *control, const JsonNode *value, bool dates);
static void check_moment(const JsonNode *value, bool dates, const char *noun);
static bool is_moment(const JsonNode *value, bool dates);
static int	compare_moments(const JsonNode *a, const JsonNode *b, bool dates);

/* The control's type, "text" where none is given; NULL where there is none of that name. */
const ControlType *
sigma_control_type(const JsonNode *settings)
{
	const char *name = sigma_json_get_string(settings, "control_type", "text");
	const ControlType *row;

	for (row = sigma_control_types; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

/* May a control of this type set a variable of that type? */
bool
sigma_control_holds(const ControlType *type, const char *value_type)
{
	int			i;

	for (i = 0; type->value_types[i] != NULL; i++)
		if (strcmp(type->value_types[i], value_type) == 0)
			return true;
	return false;
}

/* The type of a control's variable: the one that is given, else the usual one of such controls. */
const char *
sigma_control_value_type(const JsonNode *settings)
{
	const ControlType *type = sigma_control_type(settings);
	char	   *given = sigma_json_get_string(settings, "value_type", NULL);

	if (sigma_json_get_bool(settings, "multiple", false))
		return "list";
	return given != NULL ? given : type != NULL ? type->value_types[0] : "text";
}

/* A control's own type, before its settings are read by it. */
void
sigma_begin_control(JsonNode *element, int flags)
{
	JsonNode   *type = sigma_json_get(element, "control_type");

	if (type != NULL && type->kind == JSON_STRING)
		sigma_json_set(element, "control_type", sigma_spec_enum("a control", "control_type", &sigma_control_type_names, type));
	if (type != NULL || (flags & DOCUMENT_CHANGES) == 0)
		refuse_foreign_settings(element, sigma_control_type(element));
}

/* Raise SG400 at a setting that only other types of control have. */
static void
refuse_foreign_settings(const JsonNode *element, const ControlType *type)
{
	int			i;

	for (i = 0; type != NULL && i < element->count; i++)
	{
		const char *key = element->items[i]->key;
		StringInfoData owners;
		const ControlType *other;

		if (has_setting(type, key))
			continue;
		initStringInfo(&owners);
		for (other = sigma_control_types; other->name != NULL; other++)
			if (has_setting(other, key))
				appendStringInfo(&owners, "%s%s", owners.len == 0 ? "" : ", ", other->name);
		if (owners.len > 0)
			sigma_document_error(element->items[i], 0, psprintf("These controls have it: %s.", owners.data),
								 "a control of type %s has no \"%s\"", type->name, key);
	}
}

/* Is this key one of the type's settings? */
static bool
has_setting(const ControlType *type, const char *key)
{
	const KeySpec *const *table;
	const KeySpec *spec;

	for (table = type->tables; *table != NULL; table++)
		for (spec = *table; spec->name != NULL; spec++)
			if (strcmp(spec->name, key) == 0)
				return true;
	return false;
}

/*
 * After a control's keys are read.  Raises SG400 where its value is of a type that such
 * controls do not hold, and where what it offers or starts with is not of that type or
 * beyond its limits.
 */
void
sigma_finish_control(JsonNode *control, int flags)
{
	const ControlType *type = sigma_control_type(control);
	JsonNode   *given = sigma_json_get(control, "value_type");
	const JsonNode *value = sigma_json_get(control, "default_value");
	const char *value_type;
	bool		dates;

	if (type == NULL || ((flags & DOCUMENT_CHANGES) != 0 && sigma_json_get(control, "control_type") == NULL))
		return;
	if (given != NULL && given->kind == JSON_STRING && !sigma_control_holds(type, given->string))
		sigma_document_error(given, 0, sigma_hint_names("", type->value_types),
							 "a control of type %s does not hold a value of type %s", type->name, given->string);
	if ((flags & DOCUMENT_CHANGES) != 0)
		return;
	value_type = sigma_control_value_type(control);
	dates = strncmp(value_type, "date", strlen("date")) == 0;
	check_choices(control, type, value_type);
	check_limits(control, dates);
	check_within(control, value, dates);
	if (value != NULL && value->kind == JSON_OBJECT)
	{
		check_within(control, sigma_json_get(value, dates ? "start" : "min"), dates);
		check_within(control, sigma_json_get(value, dates ? "end" : "max"), dates);
	}
}

/* The values that it offers stand in it or in a column of a source, and are of its type. */
static void
check_choices(const JsonNode *control, const ControlType *type, const char *value_type)
{
	JsonNode   *values = sigma_json_get(control, "values");
	JsonNode   *source = sigma_json_get(control, "source");
	JsonNode   *column = sigma_json_get(control, "column");
	int			i;

	if (values != NULL && source != NULL)
		sigma_document_error(source, 0, "Leave one out.", "both \"values\" and \"source\" say what a control offers");
	if (source != NULL && column == NULL)
		sigma_document_error(source, 0, "Add \"column\": its values are offered.", "a control with a \"source\" needs \"column\"");
	if (column != NULL && source == NULL)
		sigma_document_error(column, 0, "Add the \"source\" that has the column.", "a control with a \"column\" needs \"source\"");
	if (values == NULL || values->kind != JSON_ARRAY)
		return;
	if (strcmp(type->name, "segmented") == 0 && values->count > MAX_SEGMENTS)
		sigma_document_error(values->items[MAX_SEGMENTS], 0, "Use a control of type list for more.",
							 "a segmented control has up to %d values", MAX_SEGMENTS);
	for (i = 0; i < values->count; i++)
		if (strcmp(value_type, "number") == 0 || strcmp(value_type, "date") == 0)
			check_moment(values->items[i], value_type[0] == 'd', "a value that a control offers");
		else if (strcmp(value_type, "logical") == 0 && values->items[i]->kind != JSON_BOOL)
			sigma_document_error(values->items[i], 0, NULL, "a value that a control of type logical offers must be true or false");
}

/* Limits are of the type of its value, and the lower one is not above the upper. */
static void
check_limits(const JsonNode *control, bool dates)
{
	const JsonNode *min = sigma_json_get(control, "min");
	const JsonNode *max = sigma_json_get(control, "max");
	const JsonNode *step = sigma_json_get(control, "step");

	if (min != NULL)
		check_moment(min, dates, "\"min\" of a control");
	if (max != NULL)
		check_moment(max, dates, "\"max\" of a control");
	if (min != NULL && max != NULL && compare_moments(min, max, dates) > 0)
		sigma_document_error(min, 0, NULL, "\"min\" of a control is above its \"max\"");
	if (step != NULL && step->kind == JSON_NUMBER &&
		compare_moments(step, sigma_json_new_int(0, step), false) <= 0)
		sigma_document_error(step, 0, NULL, "\"step\" of a control must be above 0");
}

/* What it starts with is not beyond its limits.  Its type is that of its variable, which says what is wrong. */
static void
check_within(const JsonNode *control, const JsonNode *value, bool dates)
{
	const JsonNode *min = sigma_json_get(control, "min");
	const JsonNode *max = sigma_json_get(control, "max");

	if (value == NULL || !is_moment(value, dates))
		return;
	if (min != NULL && compare_moments(value, min, dates) < 0)
		sigma_document_error(value, 0, NULL, "\"default_value\" of a control is below its \"min\"");
	if (max != NULL && compare_moments(value, max, dates) > 0)
		sigma_document_error(value, 0, NULL, "\"default_value\" of a control is above its \"max\"");
}

/* SG400 where a value is not a number, or a date. */
static void
check_moment(const JsonNode *value, bool dates, const char *noun)
{
	if (!is_moment(value, dates))
		sigma_document_error(value, 0, dates ? "Write it as \"2026-01-31\"." : NULL, "%s must be %s, not %s", noun,
							 dates ? "a date" : "a number",
							 value->kind == JSON_STRING ? psprintf("\"%s\"", value->string) : sigma_json_kind_name(value));
}

/* Is a value a number, or a date in ISO form? */
static bool
is_moment(const JsonNode *value, bool dates)
{
	Datum		moment;
	const char *why;

	if (!dates)
		return value->kind == JSON_NUMBER;
	return value->kind == JSON_STRING &&
		sigma_value_from_text(COLUMN_DATETIME, value->string, strlen(value->string), &sigma_plain_format, &moment, &why);
}

/* Which of two numbers, or dates, is greater: below, at or above 0. */
static int
compare_moments(const JsonNode *a, const JsonNode *b, bool dates)
{
	Datum		left;
	Datum		right;
	const char *why;

	if (!dates)
		return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a->number), NumericGetDatum(b->number)));
	if (!sigma_value_from_text(COLUMN_DATETIME, a->string, strlen(a->string), &sigma_plain_format, &left, &why) ||
		!sigma_value_from_text(COLUMN_DATETIME, b->string, strlen(b->string), &sigma_plain_format, &right, &why))
		return 0;
	return DatumGetInt32(DirectFunctionCall2(timestamp_cmp, left, right));
}
