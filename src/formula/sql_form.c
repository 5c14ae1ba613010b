/*
 * sql_form.c
 *		How values of formulas lie in SQL: forms, casts, literals.
 *
 * A column keeps the form it is stored in, so that comparisons can use its
 * indexes; where forms of one kind meet, the wider one wins (int4 < int8 <
 * numeric < float8, date < timestamp), as PostgreSQL's operators choose.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "formula/compiler.h"

static const struct
{
	const char *type;
	Oid			oid;
	FormulaType kind;
}			forms[] = {
	[SQL_NULL] = {"pg_catalog.text", TEXTOID, TYPE_ANY},
	[SQL_TEXT] = {"pg_catalog.text", TEXTOID, TYPE_TEXT},
	[SQL_NUMERIC] = {"pg_catalog.numeric", NUMERICOID, TYPE_NUMBER},
	[SQL_INT4] = {"pg_catalog.int4", INT4OID, TYPE_NUMBER},
	[SQL_INT8] = {"pg_catalog.int8", INT8OID, TYPE_NUMBER},
	[SQL_FLOAT8] = {"pg_catalog.float8", FLOAT8OID, TYPE_NUMBER},
	[SQL_TIMESTAMP] = {"pg_catalog.timestamp", TIMESTAMPOID, TYPE_DATE},
	[SQL_DATE] = {"pg_catalog.date", DATEOID, TYPE_DATE},
	[SQL_BOOL] = {"pg_catalog.bool", BOOLOID, TYPE_LOGICAL},
	[SQL_JSONB] = {"pg_catalog.jsonb", JSONBOID, TYPE_VARIANT},
	[SQL_TEXT_ARRAY] = {"pg_catalog.text[]", TEXTARRAYOID, TYPE_VARIANT},
};

/* In the order of their width: the wider form of two is the later one. */
static int
width(SqlForm form)
{
	switch (form)
	{
		case SQL_NULL:
			return 0;
		case SQL_INT4:
		case SQL_DATE:
		case SQL_TEXT_ARRAY:
			return 1;
		case SQL_INT8:
			return 2;
		case SQL_NUMERIC:
			return 3;
		default:
			return 4;
	}
}

/* The type of a form, as SQL. */
const char *
sigma_sql_form_type(SqlForm form)
{
	return forms[form].type;
}

Oid
sigma_sql_form_oid(SqlForm form)
{
	return forms[form].oid;
}

/* The kind of value that lies in a form. */
FormulaType
sigma_sql_form_kind(SqlForm form)
{
	return forms[form].kind;
}

/* The form that values of a kind have unless something else is said. */
SqlForm
sigma_sql_form_of(FormulaType type)
{
	switch (type)
	{
		case TYPE_NUMBER:
			return SQL_NUMERIC;
		case TYPE_DATE:
			return SQL_TIMESTAMP;
		case TYPE_LOGICAL:
			return SQL_BOOL;
		case TYPE_VARIANT:
			return SQL_JSONB;
		default:
			return SQL_TEXT;
	}
}

/* How messages call a kind of value. */
const char *
sigma_formula_type_name(FormulaType type)
{
	switch (type)
	{
		case TYPE_TEXT:
			return "text";
		case TYPE_NUMBER:
			return "number";
		case TYPE_DATE:
			return "date";
		case TYPE_LOGICAL:
			return "logical";
		case TYPE_VARIANT:
			return "variant";
		default:
			return "any";
	}
}

/*
 * SQL of a value in a form.  Numbers go to int4 and int8 through functions that
 * round and take the nearest number there is, everything goes to jsonb through
 * sigma.fn_variant(): to_jsonb() is not immutable.
 */
char *
sigma_sql_in_form(const FormulaSql *value, SqlForm form)
{
	if (value->form == form)
		return value->sql;
	if (value->form == SQL_NULL)
		return psprintf("NULL::%s", forms[form].type);
	if (form == SQL_INT4 && value->type == TYPE_NUMBER)
		return psprintf("sigma.fn_int4(%s)", value->sql);
	if (form == SQL_INT8 && value->type == TYPE_NUMBER && value->form != SQL_INT4)
		return psprintf("sigma.fn_int8(%s)", value->sql);
	if (form == SQL_JSONB)
		return psprintf("sigma.fn_variant(%s)", value->sql);
	if (form == SQL_TIMESTAMP && value->form == SQL_TEXT)
		return psprintf("sigma.fn_date(%s)", value->sql);
	return psprintf("%s::%s", value->sql, forms[form].type);
}

/* A text as SQL. */
FormulaSql *
sigma_sql_literal(const char *text)
{
	FormulaSql *result = palloc0(sizeof(FormulaSql));

	result->type = TYPE_TEXT;
	result->form = SQL_TEXT;
	result->sql = psprintf("%s::pg_catalog.text", quote_literal_cstr(text));
	result->simple = true;
	result->constant = true;
	return result;
}

/*
 * May the value stand where "wanted" is expected?  Null may everywhere, and text
 * of a context where a date is expected: it is read as one.
 */
bool
sigma_sql_fit(FormulaSql *value, FormulaType wanted)
{
	if (wanted == TYPE_ANY || value->type == TYPE_ANY || value->type == wanted)
		return true;
	if (wanted == TYPE_DATE && value->type == TYPE_TEXT && value->from_json)
	{
		value->sql = sigma_sql_in_form(value, SQL_TIMESTAMP);
		value->type = TYPE_DATE;
		value->form = SQL_TIMESTAMP;
		value->simple = false;
		return true;
	}
	return false;
}

/*
 * The one kind and form that values have in common (TYPE_ANY where all are Null), and
 * whether there is one; else *wrong is the first value that does not fit.
 */
bool
sigma_sql_unify(FormulaSql **values, int count, FormulaType *type, SqlForm *form, int *wrong)
{
	int			i;

	*type = TYPE_ANY;
	for (i = 0; i < count; i++)
	{
		/* text of a context gives way to a date beside it */
		if (*type == TYPE_ANY ||
			(*type == TYPE_TEXT && values[i]->type == TYPE_DATE))
			*type = values[i]->type;
	}
	*form = SQL_NULL;
	for (i = 0; i < count; i++)
	{
		if (!sigma_sql_fit(values[i], *type))
		{
			*wrong = i;
			return false;
		}
		if (width(values[i]->form) > width(*form))
			*form = values[i]->form;
	}
	return true;
}
