/*
 * compile.c
 *		From a formula's tree to typed SQL: nodes, operators, references.
 *
 * Every name in the SQL is schema-qualified and every operator is written
 * OPERATOR(pg_catalog.+), so that it means the same under anybody's search_path.
 * The SQL of a part is a text that binds like a name.  Texts of parts are copied
 * into those of the whole; FORMULA_MAX_SQL bounds what that can add up to.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "common/text.h"
#include "compat.h"
#include "formula/compiler.h"

/* What one compilation may produce, its intermediate texts included. */
#define MAX_PRODUCED	(64 * 1024 * 1024)

static FormulaSql *compile_reference(FormulaCompiler *compiler, const FormulaNode *node);
static const char *hint_text_as_number(const FormulaSql *text);
static FormulaSql *compile_number(const FormulaNode *node);
static FormulaSql *compile_constant(const char *sql, FormulaType type, SqlForm form);
static FormulaSql *compile_operator(FormulaCompiler *compiler, const FormulaNode *node);
static FormulaSql *compile_logical(FormulaCompiler *compiler, const FormulaNode *node);
static FormulaSql *compile_comparison(FormulaCompiler *compiler, const FormulaNode *at, FormulaOperator op,
									  FormulaSql *left, FormulaSql *right);
static FormulaSql *compile_arithmetic(FormulaCompiler *compiler, FormulaOperator op, FormulaSql *left,
									  FormulaSql *right);
static FormulaSql *compile_division(FormulaCompiler *compiler, FormulaOperator op, FormulaSql *left,
									FormulaSql *right);
static FormulaSql *compile_negation(FormulaCompiler *compiler, const FormulaNode *node);
static FormulaSql *compile_record(FormulaCompiler *compiler, const FormulaNode *node);
static FormulaSql *compile_path(FormulaCompiler *compiler, const FormulaNode *node);

/*
 * The SQL of a formula in its scope, in the current context.  42601 where it
 * cannot be parsed; 42804 where it yields another kind of value than "wanted";
 * else see compile.h.
 */
FormulaSql *
sigma_formula_compile(const char *text, FormulaScope *scope, FormulaType wanted)
{
	FormulaCompiler compiler = {0};
	FormulaFrame row = {0};
	FormulaNode *tree = sigma_formula_parse(text);
	FormulaSql *result;

	compiler.scope = scope;
	compiler.text = text;
	if (scope->row != NULL)
	{
		row.relation = scope->row;
		row.alias = scope->alias;
		row.own_row = true;
		compiler.frame = &row;
		compiler.own = scope->row;
	}
	result = sigma_compile_node(&compiler, tree);
	if (!sigma_sql_fit(result, wanted))
		sigma_compile_type_error(&compiler, tree, psprintf("%s must be %s", scope->place,
														   sigma_formula_type_name(wanted)), wanted, result);
	if (strlen(result->sql) > FORMULA_MAX_SQL)
		sigma_compile_error(&compiler, tree, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "Split it into several columns.",
							"the formula is too complex");
	return result;
}

/* The SQL of one node. */
FormulaSql *
sigma_compile_node(FormulaCompiler *compiler, const FormulaNode *node)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	switch (node->kind)
	{
		case FORMULA_NULL:
			return compile_constant("NULL", TYPE_ANY, SQL_NULL);
		case FORMULA_TRUE:
			return compile_constant("true", TYPE_LOGICAL, SQL_BOOL);
		case FORMULA_FALSE:
			return compile_constant("false", TYPE_LOGICAL, SQL_BOOL);
		case FORMULA_NUMBER:
			return compile_number(node);
		case FORMULA_TEXT:
			return sigma_sql_literal(node->text);
		case FORMULA_REFERENCE:
			return compile_reference(compiler, node);
		case FORMULA_OPERATOR:
			return compile_operator(compiler, node);
		case FORMULA_CALL:
			return sigma_compile_call(compiler, node);
		case FORMULA_RECORD:
			return compile_record(compiler, node);
		case FORMULA_KEY:
		case FORMULA_INDEX:
			return compile_path(compiler, node);
		case FORMULA_FIELD:
			break;
	}
	elog(ERROR, "unexpected node of a formula: %d", (int) node->kind);
}

/* A reference, with its name for messages. */
static FormulaSql *
compile_reference(FormulaCompiler *compiler, const FormulaNode *node)
{
	FormulaSql *result = sigma_compile_reference(compiler, node);

	result->reference = node->source == NULL ? node->text : psprintf("%s/%s", node->source, node->text);
	return result;
}

/* What a call or operation yields; 54000 where all of them together grow too large. */
FormulaSql *
sigma_compile_result(FormulaCompiler *compiler, SqlForm form, char *sql)
{
	FormulaSql *result = palloc0(sizeof(FormulaSql));

	compiler->produced += strlen(sql);
	if (compiler->produced > MAX_PRODUCED)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the formula is too complex"),
				 errhint("Split it into several columns.")));
	result->type = sigma_sql_form_kind(form);
	result->form = form;
	result->sql = sql;
	return result;
}

/* Raise an error about a part of the formula; DETAIL names the place in its text. */
void
sigma_compile_error(FormulaCompiler *compiler, const FormulaNode *at, int sqlstate, const char *hint,
					const char *format,...)
{
	const char *place = compiler->text + Max(at->position, 0);
	int			shown = pg_mbcliplen(place, strlen(place), 30);
	char	   *reason;
	va_list		args;

	va_start(args, format);
	reason = sigma_text_format(format, args);
	va_end(args);
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("%s", reason),
			 errdetail("At character %d: %.*s%s", pg_mbstrlen_with_len(compiler->text, place - compiler->text) + 1,
					   shown, place, place[shown] != '\0' ? "..." : ""),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

/* Raise 42804: "what" (as "argument 1 of Len") is of another type than expected. */
void
sigma_compile_type_error(FormulaCompiler *compiler, const FormulaNode *at, const char *what, FormulaType expected,
						 const FormulaSql *received)
{
	const char *hint = NULL;

	if (expected == TYPE_DATE && received->type == TYPE_TEXT)
		hint = "Wrap the text: Date(...) reads ISO dates, DateParse(...) any other form.";
	else if (expected == TYPE_LOGICAL && received->type == TYPE_NUMBER)
		hint = "Compare it: [x] = 1.";
	else if (received->type == TYPE_TEXT && received->from_json && received->reference != NULL &&
			 (expected == TYPE_NUMBER || expected == TYPE_LOGICAL))
		hint = psprintf("The value of [%s] is given as a text: write %s([%s]).", received->reference,
						expected == TYPE_NUMBER ? "Number" : "Logical", received->reference);
	else if (expected == TYPE_TEXT || expected == TYPE_NUMBER || expected == TYPE_LOGICAL)
		hint = psprintf("Wrap it: %s(...).", expected == TYPE_TEXT ? "Text" : expected == TYPE_NUMBER ? "Number" : "Logical");
	sigma_compile_error(compiler, at, ERRCODE_DATATYPE_MISMATCH, hint,
						"%s: expected %s, received %s", what, sigma_formula_type_name(expected),
						sigma_formula_type_name(received->type));
}

/* A literal of SQL. */
static FormulaSql *
compile_constant(const char *sql, FormulaType type, SqlForm form)
{
	FormulaSql *result = palloc0(sizeof(FormulaSql));

	result->type = type;
	result->form = form;
	result->sql = pstrdup(sql);
	result->simple = true;
	result->constant = true;
	return result;
}

/* A number: an integer where it is one that an integer type holds. */
static FormulaSql *
compile_number(const FormulaNode *node)
{
	int			length = strlen(node->text);
	bool		digits = strspn(node->text, "0123456789") == length;
	SqlForm		form = SQL_NUMERIC;

	if (digits && length < 10)
		form = SQL_INT4;
	else if (digits && length < 19)
		return compile_constant(psprintf("%s::pg_catalog.int8", node->text), TYPE_NUMBER, SQL_INT8);
	return compile_constant(form == SQL_INT4 ? node->text : psprintf("%s::pg_catalog.numeric", node->text),
							TYPE_NUMBER, form);
}

/* An operator over its operands, left to right; "^" from the right. */
static FormulaSql *
compile_operator(FormulaCompiler *compiler, const FormulaNode *node)
{
	FormulaSql *result;
	int			i;

	switch (node->op)
	{
		case OPERATOR_OR:
		case OPERATOR_AND:
		case OPERATOR_NOT:
			return compile_logical(compiler, node);
		case OPERATOR_NEGATE:
			return compile_negation(compiler, node);
		case OPERATOR_POWER:
			result = sigma_compile_node(compiler, node->children[node->nchildren - 1]);
			for (i = node->nchildren - 2; i >= 0; i--)
				result = sigma_compile_binary(compiler, node, node->op,
											  sigma_compile_node(compiler, node->children[i]), result);
			return result;
		default:
			result = sigma_compile_node(compiler, node->children[0]);
			for (i = 1; i < node->nchildren; i++)
				result = sigma_compile_binary(compiler, node, node->op, result,
											  sigma_compile_node(compiler, node->children[i]));
			return result;
	}
}

/* Two operands that have to be of a kind; 42804 names the operator. */
static void
check_operands(FormulaCompiler *compiler, const FormulaNode *at, FormulaOperator op, FormulaType type,
			   FormulaSql *left, FormulaSql *right)
{
	FormulaSql *wrong = !sigma_sql_fit(left, type) ? left : !sigma_sql_fit(right, type) ? right : NULL;

	if (wrong != NULL && wrong->type == TYPE_DATE && (op == OPERATOR_ADD || op == OPERATOR_SUBTRACT))
		sigma_compile_error(compiler, at, ERRCODE_DATATYPE_MISMATCH,
							"DateAdd(...) moves a date, DateDiff(...) counts between two.",
							"argument %d of \"%s\": expected number, received date", wrong == left ? 1 : 2,
							sigma_formula_operators[op].name);
	if (wrong != NULL)
		sigma_compile_type_error(compiler, at, psprintf("argument %d of \"%s\"", wrong == left ? 1 : 2,
														sigma_formula_operators[op].name), type, wrong);
}

/* One operator over two compiled operands. */
FormulaSql *
sigma_compile_binary(FormulaCompiler *compiler, const FormulaNode *at, FormulaOperator op, FormulaSql *left,
					 FormulaSql *right)
{
	FormulaSql *operands[2] = {left, right};

	switch (op)
	{
		case OPERATOR_EQ:
		case OPERATOR_NE:
		case OPERATOR_LT:
		case OPERATOR_LE:
		case OPERATOR_GT:
		case OPERATOR_GE:
			return compile_comparison(compiler, at, op, left, right);
		case OPERATOR_CONCAT:
			check_operands(compiler, at, op, TYPE_TEXT, left, right);
			return sigma_compile_result(compiler, SQL_TEXT,
										psprintf("(%s OPERATOR(pg_catalog.||) %s)", sigma_sql_in_form(left, SQL_TEXT),
												 sigma_sql_in_form(right, SQL_TEXT)));
		case OPERATOR_POWER:
			check_operands(compiler, at, op, TYPE_NUMBER, left, right);
			return sigma_compile_function(compiler, at, sigma_function_find("Power"), operands, 2);
		case OPERATOR_DIVIDE:
		case OPERATOR_MODULO:
			check_operands(compiler, at, op, TYPE_NUMBER, left, right);
			return compile_division(compiler, op, left, right);
		default:
			check_operands(compiler, at, op, TYPE_NUMBER, left, right);
			return compile_arithmetic(compiler, op, left, right);
	}
}

/* And, or, not: SQL's three values. */
static FormulaSql *
compile_logical(FormulaCompiler *compiler, const FormulaNode *node)
{
	const char *word = node->op == OPERATOR_OR ? " OR " : " AND ";
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfoString(&sql, node->op == OPERATOR_NOT ? "(NOT " : "(");
	for (i = 0; i < node->nchildren; i++)
	{
		FormulaSql *operand = sigma_compile_node(compiler, node->children[i]);

		if (!sigma_sql_fit(operand, TYPE_LOGICAL))
			sigma_compile_type_error(compiler, node->children[i],
									 psprintf("argument %d of \"%s\"", i + 1, sigma_formula_operators[node->op].name),
									 TYPE_LOGICAL, operand);
		appendStringInfo(&sql, "%s%s", i > 0 ? word : "", sigma_sql_in_form(operand, SQL_BOOL));
	}
	appendStringInfoChar(&sql, ')');
	return sigma_compile_result(compiler, SQL_BOOL, sql.data);
}

/* How to compare a text with a number. */
static const char *
hint_text_as_number(const FormulaSql *text)
{
	return psprintf("Wrap the text: Number(%s%s%s).", text->reference == NULL ? "..." : "[",
					text->reference == NULL ? "" : text->reference, text->reference == NULL ? "" : "]");
}

/*
 * A comparison.  Forms are left as they are where PostgreSQL compares them with
 * each other: an index on the column stays of use.
 */
static FormulaSql *
compile_comparison(FormulaCompiler *compiler, const FormulaNode *at, FormulaOperator op, FormulaSql *left,
				   FormulaSql *right)
{
	static const char *const operators[] = {
		[OPERATOR_EQ] = "=", [OPERATOR_NE] = "<>", [OPERATOR_LT] = "<",
		[OPERATOR_LE] = "<=", [OPERATOR_GT] = ">", [OPERATOR_GE] = ">=",
	};
	FormulaSql *operands[2] = {left, right};
	FormulaType type;
	SqlForm		form;
	int			wrong;

	if (!sigma_sql_unify(operands, 2, &type, &form, &wrong))
	{
		if (type == TYPE_TEXT && operands[wrong]->type == TYPE_NUMBER)
			sigma_compile_error(compiler, at->children[Min(wrong, at->nchildren - 1)], ERRCODE_DATATYPE_MISMATCH,
								hint_text_as_number(operands[1 - wrong]),
								"argument %d of \"%s\": expected text, received number", wrong + 1,
								sigma_formula_operators[op].name);
		sigma_compile_type_error(compiler, at->children[Min(wrong, at->nchildren - 1)],
								 psprintf("argument %d of \"%s\"", wrong + 1, sigma_formula_operators[op].name),
								 type, operands[wrong]);
	}
	if (type == TYPE_VARIANT && op != OPERATOR_EQ && op != OPERATOR_NE)
		sigma_compile_error(compiler, at, ERRCODE_DATATYPE_MISMATCH,
							"Wrap both sides: Text(...), Number(...) or Date(...).",
							"variants have no order: \"%s\" cannot compare them", sigma_formula_operators[op].name);
	if (form == SQL_NULL)
		form = SQL_TEXT;
	if (type == TYPE_VARIANT || left->form == SQL_NULL || right->form == SQL_NULL)
	{
		left->sql = sigma_sql_in_form(left, form);
		right->sql = sigma_sql_in_form(right, form);
	}
	return sigma_compile_result(compiler, SQL_BOOL,
								psprintf("(%s OPERATOR(pg_catalog.%s) %s)", left->sql, operators[op], right->sql));
}

/* The form in which numbers are computed with: at least int8. */
static SqlForm
arithmetic_form(FormulaSql *left, FormulaSql *right)
{
	FormulaSql *operands[2] = {left, right};
	FormulaType type;
	SqlForm		form;
	int			wrong;

	if (!sigma_sql_unify(operands, 2, &type, &form, &wrong) || type != TYPE_NUMBER)
		return SQL_NUMERIC;
	return form == SQL_INT4 ? SQL_INT8 : form;
}

/* Sum, difference and product, in the wider form of both. */
static FormulaSql *
compile_arithmetic(FormulaCompiler *compiler, FormulaOperator op, FormulaSql *left, FormulaSql *right)
{
	SqlForm		form = arithmetic_form(left, right);
	const char *name = op == OPERATOR_ADD ? "+" : op == OPERATOR_SUBTRACT ? "-" : "*";

	return sigma_compile_result(compiler, form,
								psprintf("(%s OPERATOR(pg_catalog.%s) %s)", sigma_sql_in_form(left, form), name,
										 sigma_sql_in_form(right, form)));
}

/* A divisor that is Null where it is zero. */
static char *
compile_divisor(FormulaSql *divisor, SqlForm form, char **before, char **after)
{
	char	   *sql = sigma_sql_in_form(divisor, form);

	*before = *after = "";
	if (divisor->constant && divisor->form != SQL_NULL && strspn(divisor->sql, "(-0.") < strcspn(divisor->sql, ":e)"))
		return sql;
	if (!divisor->simple)
		return psprintf("sigma.fn_nonzero(%s)", sql);
	*before = psprintf("CASE WHEN %s OPERATOR(pg_catalog.<>) 0 THEN ", sql);
	*after = " END";
	return sql;
}

/*
 * Quotient and remainder; a divisor of zero makes Null.  A quotient of integers is
 * no integer: it is computed as float8; remainders are exact.
 */
static FormulaSql *
compile_division(FormulaCompiler *compiler, FormulaOperator op, FormulaSql *left, FormulaSql *right)
{
	SqlForm		form = arithmetic_form(left, right);
	char	   *before;
	char	   *after;
	char	   *divisor;

	if (op == OPERATOR_DIVIDE && form == SQL_INT8)
		form = SQL_FLOAT8;
	else if (op == OPERATOR_MODULO && form == SQL_FLOAT8)
		form = SQL_NUMERIC;
	divisor = compile_divisor(right, form, &before, &after);
	return sigma_compile_result(compiler, form,
								psprintf("(%s%s OPERATOR(pg_catalog.%s) %s%s)", before, sigma_sql_in_form(left, form),
										 op == OPERATOR_DIVIDE ? "/" : "%", divisor, after));
}

/* Unary minus; of a literal it is a literal. */
static FormulaSql *
compile_negation(FormulaCompiler *compiler, const FormulaNode *node)
{
	FormulaSql *operand = sigma_compile_node(compiler, node->children[0]);
	SqlForm		form = operand->form == SQL_NULL ? SQL_NUMERIC : operand->form;

	if (!sigma_sql_fit(operand, TYPE_NUMBER))
		sigma_compile_type_error(compiler, node->children[0], "argument of \"-\"", TYPE_NUMBER, operand);
	if (operand->constant && operand->form != SQL_NULL && operand->sql[0] != '(')
		return compile_constant(psprintf("(-%s)", operand->sql), TYPE_NUMBER, operand->form);
	if (form == SQL_INT4)
		form = SQL_INT8;
	return sigma_compile_result(compiler, form,
								psprintf("(OPERATOR(pg_catalog.-) %s)", sigma_sql_in_form(operand, form)));
}

/* {key: value, ...} as a JSON object; one call of jsonb_build_object takes 100 arguments. */
static FormulaSql *
compile_record(FormulaCompiler *compiler, const FormulaNode *node)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "(pg_catalog.jsonb_build_object(");
	for (i = 0; i < node->nchildren; i++)
	{
		const FormulaNode *field = node->children[i];

		if (i > 0)
			appendStringInfoString(&sql, i % 50 == 0 ? ") OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object(" : ", ");
		appendStringInfo(&sql, "%s::pg_catalog.text, %s", quote_literal_cstr(field->text),
						 sigma_sql_in_form(sigma_compile_node(compiler, field->children[0]), SQL_JSONB));
	}
	appendStringInfoString(&sql, "))");
	return sigma_compile_result(compiler, SQL_JSONB, sql.data);
}

/*
 * A step into a JSON value: by key or by index from 0; Null where there is none.
 * The field of a record that stands there is that field, with its type.
 */
static FormulaSql *
compile_path(FormulaCompiler *compiler, const FormulaNode *node)
{
	const FormulaNode *base = node->children[0];
	FormulaSql *value;
	FormulaSql *index;
	int			i;

	if (base->kind == FORMULA_RECORD && node->kind == FORMULA_KEY)
		for (i = base->nchildren - 1; i >= 0; i--)
			if (strcmp(base->children[i]->text, node->text) == 0)
				return sigma_compile_node(compiler, base->children[i]->children[0]);
	if ((value = sigma_compile_context_member(compiler, node)) != NULL)
		return value;
	value = sigma_compile_node(compiler, base);
	if (!sigma_sql_fit(value, TYPE_VARIANT))
		sigma_compile_type_error(compiler, base, "the base of a path", TYPE_VARIANT, value);
	if (node->kind == FORMULA_KEY)
		return sigma_compile_result(compiler, SQL_JSONB,
									psprintf("(%s OPERATOR(pg_catalog.->) %s::pg_catalog.text)",
											 sigma_sql_in_form(value, SQL_JSONB), quote_literal_cstr(node->text)));
	index = sigma_compile_node(compiler, node->children[1]);
	if (!sigma_sql_fit(index, TYPE_NUMBER))
		sigma_compile_type_error(compiler, node->children[1], "an index", TYPE_NUMBER, index);
	return sigma_compile_result(compiler, SQL_JSONB,
								psprintf("(%s OPERATOR(pg_catalog.->) %s)", sigma_sql_in_form(value, SQL_JSONB),
										 sigma_sql_in_form(index, SQL_INT4)));
}
