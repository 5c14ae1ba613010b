/*
 * compile_call.c
 *		Calls: types of arguments, templates, and the functions templates cannot say.
 *
 * The table of functions (functions.c) says what arguments a function takes and
 * what SQL it is.  All arguments that are T in a signature are brought to one
 * kind and form.  Functions whose SQL depends on how many arguments there are
 * stand in builders[] here.
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "compat.h"
#include "formula/compiler.h"

/* So many texts are put together one by one. */
#define MAX_CHAINED_TEXTS	8

typedef FormulaSql *(*Builder) (FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);

static FormulaSql *build_if(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_switch(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_choose(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_in(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_greatest(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_least(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_row_avg(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_mod(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_ceiling(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_floor(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_mround(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_concat(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_contains(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);
static FormulaSql *build_array_contains(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count);

static const struct
{
	const char *name;
	Builder		build;
}			builders[] = {
	{"If", build_if},
	{"Switch", build_switch},
	{"Choose", build_choose},
	{"In", build_in},
	{"Greatest", build_greatest},
	{"Least", build_least},
	{"RowAvg", build_row_avg},
	{"Mod", build_mod},
	{"Ceiling", build_ceiling},
	{"Floor", build_floor},
	{"MRound", build_mround},
	{"Concat", build_concat},
	{"Contains", build_contains},
	{"ArrayContains", build_array_contains},
};

static const FunctionArgument *argument_of(const FormulaFunction *function, int count, int i);
static int	count_use(const FormulaFunction *function, ArgumentUse use);
static void check_arguments(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function,
							FormulaSql **arguments, int count, SqlForm *same);
static void unify_arguments(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function,
							FormulaSql **arguments, int count, FormulaType variable, SqlForm *common);
static SqlForm result_form(const FormulaFunction *function, FormulaSql **arguments, int count, SqlForm same);
static void append_list(StringInfo out, FormulaSql **arguments, int from, int count, SqlForm form, const char *between);
static const char *template_argument(const char *at, int *number, char *mark, SqlForm *form);
static void bring_to_form(FormulaSql *value, SqlForm form);

/* A call.  Names and numbers of arguments were checked by the parser. */
FormulaSql *
sigma_compile_call(FormulaCompiler *compiler, const FormulaNode *node)
{
	const FormulaFunction *function = sigma_function_find(node->text);
	FormulaSql **arguments;
	int			count;

	if (function == NULL)		/* stored by a later version */
		sigma_compile_error(compiler, node, ERRCODE_UNDEFINED_FUNCTION, sigma_function_hint(node->text),
							"unknown function %s", node->text);
	switch (function->class)
	{
		case CLASS_AGGREGATE:
			return sigma_compile_aggregate(compiler, node, function);
		case CLASS_WINDOW:
			return sigma_compile_window(compiler, node, function);
		case CLASS_JOIN:
			return sigma_compile_join(compiler, node, function);
		case CLASS_CALL:
			return sigma_compile_passthrough(compiler, node, function);
		case CLASS_SCALAR:
			break;
	}
	arguments = sigma_compile_arguments(compiler, node, function, &count);
	return sigma_compile_function(compiler, node, function, arguments, count);
}

/*
 * The compiled arguments of a call: as many as were given, then the presets of
 * those that were not and have one.
 */
FormulaSql **
sigma_compile_arguments(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function, int *count)
{
	int			optional = count_use(function, ARGUMENT_OPTIONAL);
	int			required = count_use(function, ARGUMENT_REQUIRED);
	int			repeated = count_use(function, ARGUMENT_REPEATED);
	FormulaSql **arguments = palloc0(sizeof(FormulaSql *) * (node->nchildren + optional + 1));
	const FunctionArgument *argument = function->arguments + required + repeated;
	int			i;

	for (i = 0; i < node->nchildren; i++)
		arguments[i] = sigma_compile_node(compiler, node->children[i]);
	*count = node->nchildren;
	if (repeated == 0)
		for (argument += Max(node->nchildren - required, 0); argument->name != NULL && argument->preset != NULL; argument++)
			arguments[(*count)++] = sigma_compile_node(compiler, sigma_formula_parse(argument->preset));
	return arguments;
}

/* A function over compiled arguments.  42804 where one is of the wrong kind. */
FormulaSql *
sigma_compile_function(FormulaCompiler *compiler, const FormulaNode *at, const FormulaFunction *function,
					   FormulaSql **arguments, int count)
{
	SqlForm		form = sigma_compile_check_arguments(compiler, at, function, arguments, count);
	FormulaSql *result;
	int			i;

	if (function->sql != NULL)
	{
		result = sigma_compile_result(compiler, form,
									  sigma_compile_template(compiler, function->sql, arguments, count));
		result->from_json = sigma_compile_from_json(function, arguments, count);
		return result;
	}
	for (i = 0; i < lengthof(builders); i++)
		if (strcmp(builders[i].name, function->name) == 0)
		{
			result = builders[i].build(compiler, at, arguments, count);
			result->from_json = sigma_compile_from_json(function, arguments, count);
			return result;
		}
	sigma_compile_error(compiler, at, ERRCODE_FEATURE_NOT_SUPPORTED, NULL, "%s cannot be used in %s",
						function->name, compiler->scope->place);
}

/* Does a function that yields one of its arguments get all of them from a context? */
bool
sigma_compile_from_json(const FormulaFunction *function, FormulaSql **arguments, int count)
{
	int			i;

	if (function->result != TYPE_SAME)
		return false;
	for (i = 0; i < count; i++)
		if (argument_of(function, count, i)->type == TYPE_SAME && arguments[i]->type != TYPE_ANY && !arguments[i]->from_json)
			return false;
	return true;
}

/*
 * Checks the arguments of a function and brings them to their forms.  Returns the
 * form of what the function yields; 42804 where an argument is of the wrong kind.
 */
SqlForm
sigma_compile_check_arguments(FormulaCompiler *compiler, const FormulaNode *at, const FormulaFunction *function,
							  FormulaSql **arguments, int count)
{
	SqlForm		same = SQL_NULL;

	check_arguments(compiler, at, function, arguments, count, &same);
	/* what has the form of its argument has at least that of integers that are computed with */
	if (function->form == SQL_FIRST && arguments[0]->form == SQL_INT4)
		bring_to_form(arguments[0], SQL_INT8);
	return result_form(function, arguments, count, same);
}

/*
 * The text of a template with its arguments put in; see functions.h.
 */
char *
sigma_compile_template(FormulaCompiler *compiler, const char *sql, FormulaSql **arguments, int count)
{
	StringInfoData out;
	const char *at;

	initStringInfo(&out);
	for (at = sql; *at != '\0';)
	{
		SqlForm		form;
		int			number;
		char		mark;

		if (*at == '{')
		{
			/* kept where all of its arguments are given */
			const char *inner;

			for (inner = at + 1; *inner != '}'; inner++)
				if (*inner == '$' && atoi(inner + 1) > count)
					break;
			at = *inner == '}' ? at + 1 : strchr(inner, '}') + 1;
		}
		else if (*at == '}')
			at++;
		else if (*at == '$')
		{
			at = template_argument(at + 1, &number, &mark, &form);
			if (number > count && mark == '\0')
				elog(ERROR, "template \"%s\" wants argument %d", sql, number);
			if (mark == '&')
				append_list(&out, arguments, number - 1, count, SQL_BOOL, " AND ");
			else if (mark == '*')
				append_list(&out, arguments, number - 1, count, form, ", ");
			else
				append_list(&out, arguments, number - 1, number, form, "");
		}
		else
			appendStringInfoChar(&out, *at++);
	}
	return out.data;
}

/* Reads "1", "2*", "2&", "1:float8" after a "$"; returns what follows. */
static const char *
template_argument(const char *at, int *number, char *mark, SqlForm *form)
{
	static const struct
	{
		const char *name;
		SqlForm		form;
	}			names[] = {
		{"text", SQL_TEXT}, {"numeric", SQL_NUMERIC}, {"int4", SQL_INT4}, {"int8", SQL_INT8},
		{"float8", SQL_FLOAT8}, {"timestamp", SQL_TIMESTAMP}, {"bool", SQL_BOOL}, {"jsonb", SQL_JSONB},
	};
	int			i;

	*number = *at++ - '0';
	*mark = *at == '*' || *at == '&' ? *at++ : '\0';
	*form = SQL_DEFAULT;
	/* "$1::type" is a cast of SQL */
	if (*at != ':' || at[1] == ':')
		return at;
	for (i = 0; i < lengthof(names); i++)
	{
		int			length = strlen(names[i].name);

		if (strncmp(at + 1, names[i].name, length) == 0 && !isalnum((unsigned char) at[1 + length]))
		{
			*form = names[i].form;
			return at + 1 + length;
		}
	}
	elog(ERROR, "unknown form in a template: \"%s\"", at);
}

/* Some arguments in a form (SQL_DEFAULT: the one they have, text for a bare Null). */
static void
append_list(StringInfo out, FormulaSql **arguments, int from, int count, SqlForm form, const char *between)
{
	int			i;

	for (i = from; i < count; i++)
		appendStringInfo(out, "%s%s", i > from ? between : "",
						 sigma_sql_in_form(arguments[i], form != SQL_DEFAULT ? form :
										   arguments[i]->form == SQL_NULL ? sigma_sql_form_of(arguments[i]->type) :
										   arguments[i]->form));
}

/* What a signature says about argument "i" of "count". */
static const FunctionArgument *
argument_of(const FormulaFunction *function, int count, int i)
{
	int			required = count_use(function, ARGUMENT_REQUIRED);
	int			repeated = count_use(function, ARGUMENT_REPEATED);
	int			rounds = repeated == 0 ? 0 : (count - required) / repeated;

	if (i < required)
		return &function->arguments[i];
	i -= required;
	if (i < rounds * repeated)
		return &function->arguments[required + i % repeated];
	return &function->arguments[required + repeated + i - rounds * repeated];
}

static int
count_use(const FormulaFunction *function, ArgumentUse use)
{
	const FunctionArgument *argument;
	int			count = 0;

	for (argument = function->arguments; argument->name != NULL; argument++)
		if (argument->use == use)
			count++;
	return count;
}

/*
 * Checks the kinds of the arguments and brings those that are one type variable
 * to one form; *same becomes that of T.
 */
static void
check_arguments(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function,
				FormulaSql **arguments, int count, SqlForm *same)
{
	SqlForm		other;
	int			i;

	for (i = 0; i < count; i++)
	{
		FormulaType type = argument_of(function, count, i)->type;

		if (type == TYPE_SAME || type == TYPE_OTHER || type == TYPE_ANY)
			continue;
		if (!sigma_sql_fit(arguments[i], type))
			sigma_compile_type_error(compiler, node->kind == FORMULA_CALL && i < node->nchildren ? node->children[i] : node,
									 psprintf("argument %d of %s", i + 1, function->name), type, arguments[i]);
		if (arguments[i]->form == SQL_NULL)
			bring_to_form(arguments[i], sigma_sql_form_of(type));
	}
	unify_arguments(compiler, node, function, arguments, count, TYPE_SAME, same);
	unify_arguments(compiler, node, function, arguments, count, TYPE_OTHER, &other);
}

/* Brings all arguments that are one type variable to the form they have in common. */
static void
unify_arguments(FormulaCompiler *compiler, const FormulaNode *node, const FormulaFunction *function,
				FormulaSql **arguments, int count, FormulaType variable, SqlForm *common)
{
	FormulaSql **same = palloc(sizeof(FormulaSql *) * (count + 1));
	int		   *places = palloc(sizeof(int) * (count + 1));
	FormulaType type;
	int			found = 0;
	int			wrong;
	int			i;

	for (i = 0; i < count; i++)
		if (argument_of(function, count, i)->type == variable)
		{
			places[found] = i;
			same[found++] = arguments[i];
		}
	if (!sigma_sql_unify(same, found, &type, common, &wrong))
		sigma_compile_type_error(compiler, node->kind == FORMULA_CALL && places[wrong] < node->nchildren ?
								 node->children[places[wrong]] : node,
								 psprintf("argument %d of %s", places[wrong] + 1, function->name), type, same[wrong]);
	for (i = 0; i < found; i++)
		bring_to_form(same[i], *common);
}

/* Nulls alone have no kind, but PostgreSQL wants a type. */
static void
bring_to_form(FormulaSql *value, SqlForm form)
{
	value->sql = sigma_sql_in_form(value, form == SQL_NULL ? SQL_TEXT : form);
	value->form = form;
	value->type = sigma_sql_form_kind(form);
}

/* The form of what a function yields. */
static SqlForm
result_form(const FormulaFunction *function, FormulaSql **arguments, int count, SqlForm same)
{
	bool		integer = count > 0 && (arguments[0]->form == SQL_INT4 || arguments[0]->form == SQL_INT8);

	if (function->form == SQL_FIRST)
		return arguments[0]->form;
	if (function->form == SQL_SUM && arguments[0]->form == SQL_INT4)
		return SQL_INT8;
	if (function->form == SQL_SUM || function->form == SQL_AVERAGE)
		return integer ? SQL_NUMERIC : arguments[0]->form;
	if (function->form != SQL_DEFAULT)
		return function->form;
	return function->result == TYPE_SAME ? same : sigma_sql_form_of(function->result);
}

/*
 * Builders.  The arguments have their kinds and forms already.
 */

/* If(condition, value, ..., [else]): a Null condition is not true. */
static FormulaSql *
build_if(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "CASE");
	for (i = 0; i + 1 < count; i += 2)
		appendStringInfo(&sql, " WHEN %s THEN %s", arguments[i]->sql, arguments[i + 1]->sql);
	if (i < count)
		appendStringInfo(&sql, " ELSE %s", arguments[i]->sql);
	appendStringInfoString(&sql, " END");
	return sigma_compile_result(compiler, arguments[1]->form, psprintf("(%s)", sql.data));
}

/* Switch(value, case, result, ..., [else]) */
static FormulaSql *
build_switch(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "(CASE");
	for (i = 1; i + 1 < count; i += 2)
		appendStringInfo(&sql, " WHEN %s OPERATOR(pg_catalog.=) %s THEN %s", arguments[0]->sql, arguments[i]->sql,
						 arguments[i + 1]->sql);
	if (i < count)
		appendStringInfo(&sql, " ELSE %s", arguments[i]->sql);
	appendStringInfoString(&sql, " END)");
	return sigma_compile_result(compiler, arguments[2]->form, sql.data);
}

/* Choose(index, value, ...): an array of the values would compute them all. */
static FormulaSql *
build_choose(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "(CASE");
	for (i = 1; i < count; i++)
		appendStringInfo(&sql, " WHEN %s OPERATOR(pg_catalog.=) %d THEN %s", arguments[0]->sql, i, arguments[i]->sql);
	appendStringInfoString(&sql, " END)");
	return sigma_compile_result(compiler, arguments[1]->form, sql.data);
}

static FormulaSql *
build_in(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	return sigma_compile_result(compiler, SQL_BOOL,
								sigma_compile_template(compiler, count == 2 ? "($1 OPERATOR(pg_catalog.=) $2)" :
													   "($1 OPERATOR(pg_catalog.=) ANY (ARRAY[$2*]))", arguments, count));
}

/* GREATEST and LEAST skip Nulls: here one of them makes Null. */
static FormulaSql *
build_extreme(FormulaCompiler *compiler, FormulaSql **arguments, int count, const char *word)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "(CASE WHEN ");
	for (i = 0; i < count; i++)
		appendStringInfo(&sql, "%s%s IS NOT NULL", i > 0 ? " AND " : "", arguments[i]->sql);
	appendStringInfo(&sql, " THEN %s(%s) END)", word, sigma_compile_template(compiler, "$1*", arguments, count));
	return sigma_compile_result(compiler, arguments[0]->form, sql.data);
}

static FormulaSql *
build_greatest(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	return build_extreme(compiler, arguments, count, "GREATEST");
}

static FormulaSql *
build_least(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	return build_extreme(compiler, arguments, count, "LEAST");
}

/* RowAvg(n, ...): a Null makes Null, as in the sum it stands for. */
static FormulaSql *
build_row_avg(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	FormulaSql *sum = arguments[0];
	char		number[16];
	int			i;

	for (i = 1; i < count; i++)
		sum = sigma_compile_binary(compiler, node, OPERATOR_ADD, sum, arguments[i]);
	snprintf(number, sizeof(number), "%d", count);
	return sigma_compile_binary(compiler, node, OPERATOR_DIVIDE, sum,
								sigma_compile_node(compiler, sigma_formula_parse(pstrdup(number))));
}

/* Mod(a, b) is a % b. */
static FormulaSql *
build_mod(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	return sigma_compile_binary(compiler, node, OPERATOR_MODULO, arguments[0], arguments[1]);
}

/* To multiples of 1, which keeps the form of the number, or of anything else, which is exact in numeric. */
static FormulaSql *
build_multiple(FormulaCompiler *compiler, FormulaSql **arguments, int count, const char *to_digits, const char *to_multiple)
{
	FormulaSql *number = arguments[0];
	bool		whole = arguments[1]->constant && strcmp(arguments[1]->sql, "1") == 0;

	return sigma_compile_result(compiler, !whole ? SQL_NUMERIC : number->form == SQL_INT4 ? SQL_INT8 : number->form,
								sigma_compile_template(compiler, whole ? to_digits : to_multiple, arguments, count));
}

static FormulaSql *
build_ceiling(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	return build_multiple(compiler, arguments, count, "sigma.fn_roundup($1, 0)",
						  "sigma.fn_ceiling($1:numeric, $2:numeric)");
}

static FormulaSql *
build_floor(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	return build_multiple(compiler, arguments, count, "sigma.fn_rounddown($1, 0)",
						  "sigma.fn_floor($1:numeric, $2:numeric)");
}

static FormulaSql *
build_mround(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	return build_multiple(compiler, arguments, count, "sigma.fn_round($1, 0)",
						  "sigma.fn_mround($1:numeric, $2:numeric)");
}

/* Concat(text, ...): a few texts as with "&"; many at once, or each would copy all before it. */
static FormulaSql *
build_concat(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	FormulaSql *result = arguments[0];
	int			i;

	if (count > MAX_CHAINED_TEXTS)
		return sigma_compile_result(compiler, SQL_TEXT,
									sigma_compile_template(compiler, "sigma.fn_concat(ARRAY[$1*:text])", arguments, count));
	for (i = 1; i < count; i++)
		result = sigma_compile_binary(compiler, node, OPERATOR_CONCAT, result, arguments[i]);
	return result;
}

/* Contains(text, part, ...) */
static FormulaSql *
build_contains(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	return sigma_compile_result(compiler, SQL_BOOL,
								sigma_compile_template(compiler, count == 2 ?
													   "(pg_catalog.strpos($1, $2) OPERATOR(pg_catalog.>) 0)" :
													   "sigma.fn_contains($1, ARRAY[$2*:text])", arguments, count));
}

/* ArrayContains(array, target); multi-select columns without a detour over JSON. */
static FormulaSql *
build_array_contains(FormulaCompiler *compiler, const FormulaNode *node, FormulaSql **arguments, int count)
{
	return sigma_compile_result(compiler, SQL_BOOL,
								sigma_compile_template(compiler,
													   arguments[0]->form == SQL_TEXT_ARRAY && arguments[1]->form == SQL_TEXT ?
													   "($2 OPERATOR(pg_catalog.=) ANY ($1))" :
													   "sigma.fn_arraycontains($1:jsonb, $2:jsonb)", arguments, count));
}
