/*
 * convert.c
 *		Values of one column type as another: what a change of type does to the rows.
 *
 * sigma.convert_value stands in the USING clause of the ALTER TABLE that sigma
 * runs.  What has no meaning in the new type becomes NULL, as in Sigma
 * (https://help.sigmacomputing.com/docs/create-new-input-tables); nothing throws
 * on a value.  Between text and another type a value goes by way of the text that
 * CSV import would read; between json and another type by way of JSON.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "compat.h"
#include "input_table/define.h"

/* What a call site converts, read once. */
typedef struct Conversion
{
	ColumnType	from;
	ColumnType	to;
} Conversion;

PG_FUNCTION_INFO_V1(convert_value);

static Conversion *conversion(FunctionCallInfo fcinfo);
static ColumnType argument_type(FunctionCallInfo fcinfo, int argument, Oid type);
static bool from_document(ColumnType to, Datum given, Datum *value);
static Datum to_document(ColumnType from, Datum given);
static char *plain_text(ColumnType from, Datum given);
static char *only_element(Datum list);
static Datum list_of(const char *element);
static bool is_json(ColumnType type);

/*
 * convert_value(value "any", from_type text, to_type text, as_type anyelement):
 * the value, of column type from_type, as to_type; NULL where it has no meaning
 * there.  as_type is a NULL that says the result's type.  42804 where an argument
 * is not of the type that its column type has.
 */
Datum
convert_value(PG_FUNCTION_ARGS)
{
	Conversion *conv = fcinfo->flinfo->fn_extra;
	Datum		value;

	if (conv == NULL)
		conv = fcinfo->flinfo->fn_extra = conversion(fcinfo);
	if (PG_ARGISNULL(0) || !sigma_value_convert(conv->from, conv->to, PG_GETARG_DATUM(0), &value))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

/* Read the constant arguments of a call site, in its own context. */
static Conversion *
conversion(FunctionCallInfo fcinfo)
{
	Conversion *conv = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Conversion));

	conv->from = argument_type(fcinfo, 1, get_fn_expr_argtype(fcinfo->flinfo, 0));
	conv->to = argument_type(fcinfo, 2, get_fn_expr_rettype(fcinfo->flinfo));
	return conv;
}

/* The column type that an argument names, which "type" must be the type of. */
static ColumnType
argument_type(FunctionCallInfo fcinfo, int argument, Oid type)
{
	char	   *name = PG_ARGISNULL(argument) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(argument));
	ColumnType	result;

	/* the type is read once for all rows, so it must be the same for all */
	if (!get_fn_expr_arg_stable(fcinfo->flinfo, argument) ||
		!sigma_column_type(name, &result) || sigma_column_types[result].oid != type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column type \"%s\" does not belong to the value", name)));
	return result;
}

/* One value; false where it has no meaning in the new type. */
bool
sigma_value_convert(ColumnType from, ColumnType to, Datum given, Datum *value)
{
	const char *why;
	char	   *text;

	if (from == to)
	{
		*value = given;
		return true;
	}
	if (is_json(from))
		return from_document(to, given, value);
	if (to == COLUMN_JSON && from != COLUMN_TEXT)
	{
		*value = to_document(from, given);
		return true;
	}
	if (from == COLUMN_MULTI_SELECT && to == COLUMN_DROPDOWN)
		text = only_element(given);
	else
		text = plain_text(from, given);
	if (text == NULL)
		return false;
	if (to == COLUMN_MULTI_SELECT && from != COLUMN_TEXT)
	{
		*value = list_of(text);
		return true;
	}
	if (from == COLUMN_CHECKBOX && (to == COLUMN_NUMBER || to == COLUMN_INTEGER || to == COLUMN_FLOAT))
		text = DatumGetBool(given) ? "1" : "0";
	return sigma_value_from_text(to, text, strlen(text), &sigma_plain_format, value, &why);
}

/* A json value as another type: what entry would make of it; text of anything that is no string. */
static bool
from_document(ColumnType to, Datum given, Datum *value)
{
	Jsonb	   *document = DatumGetJsonbP(given);
	JsonbValue	content;
	bool		isnull;
	const char *why;
	char	   *text;

	sigma_jsonb_value(document, &content);
	if (to == COLUMN_JSON)
	{
		*value = JsonbPGetDatum(document);
		return true;
	}
	if ((to == COLUMN_TEXT || to == COLUMN_DROPDOWN) && content.type == jbvBinary)
	{
		text = JsonbToCString(NULL, &document->root, VARSIZE(document));
		return sigma_value_from_text(to, text, strlen(text), &sigma_plain_format, value, &why);
	}
	return sigma_value_from_json(to, &content, value, &isnull, &why) && !isnull;
}

/* Any value as json. */
static Datum
to_document(ColumnType from, Datum given)
{
	JsonbValue	content;

	sigma_value_to_json(from, given, false, &content);
	return JsonbPGetDatum(JsonbValueToJsonb(&content));
}

/* A value as text that other types read; a list of one is its element. */
static char *
plain_text(ColumnType from, Datum given)
{
	char	   *element;

	if (from == COLUMN_NUMBER)
		return sigma_value_to_text(from, DirectFunctionCall1(numeric_trim_scale, given));
	if (from == COLUMN_MULTI_SELECT && (element = only_element(given)) != NULL)
		return element;
	return sigma_value_to_text(from, given);
}

/* The element of a list of one, or NULL. */
static char *
only_element(Datum list)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(list), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	return count == 1 && !nulls[0] ? TextDatumGetCString(elements[0]) : NULL;
}

/* A list of one. */
static Datum
list_of(const char *element)
{
	Datum		value = CStringGetTextDatum(element);

	return PointerGetDatum(construct_array(&value, 1, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Is the type stored as jsonb? */
static bool
is_json(ColumnType type)
{
	return type == COLUMN_JSON || type == COLUMN_FILE;
}

/* What a document holds, as the readers of values take it. */
void
sigma_jsonb_value(Jsonb *document, JsonbValue *value)
{
	if (JB_ROOT_IS_SCALAR(document))
	{
		(void) JsonbExtractScalar(&document->root, value);
		return;
	}
	value->type = jbvBinary;
	value->val.binary.data = &document->root;
	value->val.binary.len = VARSIZE_ANY_EXHDR(document);
}
