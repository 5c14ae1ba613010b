/*
 * compare.c
 *		Comparing two values as the conditions of actions do.
 *
 * Pure functions; what they allocate is in the current memory context.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "action/compare.h"
#include "action/context.h"
#include "common/value.h"

static Comparison compare_scalars(const JsonbValue *a, const JsonbValue *b);
static Comparison compare_text(const JsonbValue *a, const JsonbValue *b);
static Comparison compare_lists(const JsonbValue *a, const JsonbValue *b);
static bool read_as(ColumnType type, const JsonbValue *value, Datum *result);
static Comparison from_sign(int sign);

Comparison
sigma_compare(const JsonbValue *a, const JsonbValue *b)
{
	JsonbValue	left = *a;
	JsonbValue	right = *b;

	if (sigma_jsonb_is_list(a) && sigma_jsonb_is_list(b))
		return compare_lists(a, b);
	if (sigma_jsonb_is_list(a) && sigma_list_length(a) == 1)
		sigma_list_element(a, 0, &left);
	if (sigma_jsonb_is_list(b) && sigma_list_length(b) == 1)
		sigma_list_element(b, 0, &right);

	if (left.type == jbvNull || right.type == jbvNull)
		return COMPARED_UNKNOWN;
	if (left.type == jbvBinary || right.type == jbvBinary)
		return sigma_jsonb_same(&left, &right) ? COMPARED_EQUAL : COMPARED_DIFFERENT;
	return compare_scalars(&left, &right);
}

bool
sigma_list_contains(const JsonbValue *list, const JsonbValue *element)
{
	int			i;

	for (i = 0; i < sigma_list_length(list); i++)
	{
		JsonbValue	other;

		CHECK_FOR_INTERRUPTS();
		sigma_list_element(list, i, &other);
		if (sigma_jsonb_same(&other, element) ||
			compare_scalars(&other, element) == COMPARED_EQUAL)
			return true;
	}
	return false;
}

int
sigma_list_length(const JsonbValue *value)
{
	if (sigma_jsonb_is_list(value))
		return JsonContainerSize(value->val.binary.data);
	return value->type == jbvNull ? 0 : 1;
}

void
sigma_list_element(const JsonbValue *value, int i, JsonbValue *element)
{
	*element = sigma_jsonb_is_list(value) ?
		*getIthJsonbValueFromContainer(value->val.binary.data, i) : *value;
}

bool
sigma_jsonb_is_date(const JsonbValue *value)
{
	static const char form[] = "dddd-dd-dd";
	int			i;

	if (value->type != jbvString || value->val.string.len < (int) strlen(form))
		return false;
	for (i = 0; form[i] != '\0'; i++)
	{
		char		c = value->val.string.val[i];

		if (form[i] == 'd' ? (c < '0' || c > '9') : c != form[i])
			return false;
	}
	return true;
}

/* Two values; null, arrays and objects are different from all. */
static Comparison
compare_scalars(const JsonbValue *a, const JsonbValue *b)
{
	Datum		left;
	Datum		right;

	if (a->type == jbvString && b->type == jbvString)
		return compare_text(a, b);
	if ((a->type == jbvNumeric || b->type == jbvNumeric) &&
		read_as(COLUMN_NUMBER, a, &left) && read_as(COLUMN_NUMBER, b, &right))
		return from_sign(DatumGetInt32(DirectFunctionCall2(numeric_cmp, left, right)));
	if ((a->type == jbvBool || b->type == jbvBool) &&
		read_as(COLUMN_CHECKBOX, a, &left) && read_as(COLUMN_CHECKBOX, b, &right))
		return from_sign((int) DatumGetBool(left) - (int) DatumGetBool(right));
	return COMPARED_DIFFERENT;
}

/* Two texts: as moments where both are written as dates, else byte by byte. */
static Comparison
compare_text(const JsonbValue *a, const JsonbValue *b)
{
	int			sign;
	Datum		left;
	Datum		right;

	if (sigma_jsonb_is_date(a) && sigma_jsonb_is_date(b) &&
		read_as(COLUMN_DATETIME, a, &left) && read_as(COLUMN_DATETIME, b, &right))
		return from_sign(timestamp_cmp_internal(DatumGetTimestamp(left), DatumGetTimestamp(right)));

	sign = memcmp(a->val.string.val, b->val.string.val, Min(a->val.string.len, b->val.string.len));
	return from_sign(sign != 0 ? sign : a->val.string.len - b->val.string.len);
}

/* Two lists: equal where each holds what the other holds, as often or not. */
static Comparison
compare_lists(const JsonbValue *a, const JsonbValue *b)
{
	int			i;

	for (i = 0; i < sigma_list_length(a) + sigma_list_length(b); i++)
	{
		bool		of_a = i < sigma_list_length(a);
		JsonbValue	element;

		sigma_list_element(of_a ? a : b, of_a ? i : i - sigma_list_length(a), &element);
		if (!sigma_list_contains(of_a ? b : a, &element))
			return COMPARED_DIFFERENT;
	}
	return COMPARED_EQUAL;
}

/* The value read as a type: itself where it is of that kind, else from text; booleans are no numbers. */
static bool
read_as(ColumnType type, const JsonbValue *value, Datum *result)
{
	const char *why;

	if (type == COLUMN_NUMBER && value->type == jbvNumeric)
	{
		*result = NumericGetDatum(value->val.numeric);
		return true;
	}
	if (type == COLUMN_CHECKBOX && value->type == jbvBool)
	{
		*result = BoolGetDatum(value->val.boolean);
		return true;
	}
	return value->type == jbvString &&
		sigma_value_from_text(type, value->val.string.val, value->val.string.len,
							  &sigma_plain_format, result, &why);
}

static Comparison
from_sign(int sign)
{
	return sign < 0 ? COMPARED_LESS : sign > 0 ? COMPARED_GREATER : COMPARED_EQUAL;
}
