/*
 * compile_checks.c
 *		Rule documents to checks: what each rule of a column means.
 *
 * One function for each rule or pair of rules finds it among the objects that hold rules of the
 * column, refuses it where it does not suit the type, and adds its check.  Memory and
 * errors as in compile.c.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "common/document.h"
#include "common/text.h"
#include "compat.h"
#include "input_table/compile.h"
#include "input_table/rules.h"

#define MAX_PATTERN		10000	/* bytes */

/* Which rules suit which type. */
#define TEXTUAL(type)	((type) == COLUMN_TEXT || (type) == COLUMN_DROPDOWN)
#define COUNTED(type)	(TEXTUAL(type) || (type) == COLUMN_MULTI_SELECT)
#define NUMERICAL(type)	((type) == COLUMN_NUMBER || (type) == COLUMN_INTEGER || (type) == COLUMN_FLOAT)
#define DATED(type)		((type) == COLUMN_DATE || (type) == COLUMN_DATETIME)
#define ORDERED(type)	(NUMERICAL(type) || DATED(type))

static JsonNode *find_rule(ColumnRules *rules, const char *key, RuleSource **source);
static Check *add_check(ColumnRules *rules, const RuleSource *source, CheckKind kind, const char *rule,
						const char *demand,...) pg_attribute_printf(5, 6);
static void refuse_type(const ColumnRules *rules, JsonNode *node, const char *suited) pg_attribute_noreturn();
static void compile_required(ColumnRules *rules);
static void compile_unique(InputTable *table, int place, ColumnRules *rules);
static void compile_digits(ColumnRules *rules);
static Datum ten_to_the(int exponent);
static void compile_range(ColumnRules *rules);
static Check *compile_limit(ColumnRules *rules, const char *key, CheckKind kind, JsonNode **node);
static void compile_lengths(ColumnRules *rules);
static int	read_count(JsonNode *node, int least, int most);
static void compile_pattern(ColumnRules *rules);
static bool is_literal(const char *pattern);
static regex_t *compile_regex(JsonNode *node);
static void compile_format(ColumnRules *rules);
static void compile_values(ColumnRules *rules);
static int	compare_for_sort(const void *a, const void *b, void *type);
static void compile_list(InputTable *table, int place, ColumnRules *rules);
static void compile_formula(InputTable *table, int place, ColumnRules *rules);
static bool read_flag(JsonNode *node);

/* All rules of a column, in the order of reporting. */
void
sigma_rules_of_column(InputTable *table, int place, ColumnRules *rules)
{
	compile_required(rules);
	compile_digits(rules);
	compile_range(rules);
	compile_lengths(rules);
	compile_pattern(rules);
	compile_format(rules);
	compile_values(rules);
	compile_unique(table, place, rules);
	compile_list(table, place, rules);
	compile_formula(table, place, rules);
}

static void
compile_required(ColumnRules *rules)
{
	RuleSource *source = NULL;
	JsonNode   *node = find_rule(rules, "required", &source);

	if (node == NULL || !read_flag(node))
		return;
	rules->column->required = !source->warning;
	add_check(rules, source, CHECK_REQUIRED, "required", "must not be empty");
}

static void
compile_unique(InputTable *table, int place, ColumnRules *rules)
{
	TableColumn *column = rules->column;
	RuleSource *source = NULL;
	JsonNode   *node = find_rule(rules, "unique", &source);

	if (node == NULL)
		return;
	column->unique_ignore_case = node->kind == JSON_STRING && strcmp(node->string, "ignore_case") == 0;
	column->unique = column->unique_ignore_case || read_flag(node);
	if (!column->unique)
		return;
	if (column->type == COLUMN_MULTI_SELECT || column->type == COLUMN_JSON || column->type == COLUMN_FILE)
		refuse_type(rules, node, "text, dropdown, number, integer, float, date, datetime and checkbox");
	if (column->unique_ignore_case && !TEXTUAL(column->type))
		sigma_document_error(node, 0, "Write \"unique\": true.",
							 "only text has upper and lower case, column \"%s\" has type %s",
							 column->name, sigma_column_types[column->type].name);
	if (source->warning)
		sigma_document_error(node, 0, "Give \"unique\" in an object of severity error, or at the column.",
							 "a unique rule cannot be a warning");
	sigma_unique_rule_add(table, place, column->unique_ignore_case, source->message);
}

/* precision and scale, as of a decimal type: digits in all, digits after the point. */
static void
compile_digits(ColumnRules *rules)
{
	RuleSource *precision_source = NULL;
	RuleSource *scale_source = NULL;
	JsonNode   *precision = find_rule(rules, "precision", &precision_source);
	JsonNode   *scale = find_rule(rules, "scale", &scale_source);
	int			digits = 0;
	int			after = -1;
	Check	   *check;

	if ((precision != NULL || scale != NULL) && rules->column->type != COLUMN_NUMBER)
		refuse_type(rules, precision != NULL ? precision : scale, "number");
	if (precision != NULL)
		digits = read_count(precision, 1, NUMERIC_MAX_PRECISION);
	if (scale != NULL)
		after = read_count(scale, 0, precision != NULL ? digits : NUMERIC_MAX_PRECISION);
	if (precision != NULL)
	{
		if (after >= 0)
			check = add_check(rules, precision_source, CHECK_PRECISION, "precision",
							  "must have at most %d digits before the decimal point", digits - after);
		else
			check = add_check(rules, precision_source, CHECK_PRECISION, "precision",
							  "must have at most %d digits", digits);
		check->length = digits;
		check->scale = after;
		check->limit = ten_to_the(digits - Max(after, 0));
	}
	if (scale != NULL)
	{
		check = add_check(rules, scale_source, CHECK_SCALE, "scale",
						  "must have at most %d digits after the decimal point", after);
		check->length = after;
	}
}

/* A power of ten as numeric. */
static Datum
ten_to_the(int exponent)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf("1e%d", exponent)),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static void
compile_range(ColumnRules *rules)
{
	JsonNode   *min_node;
	JsonNode   *max_node;
	Check	   *min = compile_limit(rules, "min", CHECK_MIN, &min_node);
	Check	   *max = compile_limit(rules, "max", CHECK_MAX, &max_node);

	if (min != NULL && max != NULL &&
		sigma_value_compare(rules->column->type, min->limit, max->limit) > 0)
		sigma_document_error(max_node, 0, NULL, "min is greater than max in the rules of column \"%s\"",
							 rules->column->name);
}

/* min or max: its limit as a value of the column's type. */
static Check *
compile_limit(ColumnRules *rules, const char *key, CheckKind kind, JsonNode **node)
{
	TableColumn *column = rules->column;
	RuleSource *source = NULL;
	const char *why;
	Datum		limit;
	Check	   *check;

	*node = find_rule(rules, key, &source);
	if (*node == NULL)
		return NULL;
	if (!ORDERED(column->type))
		refuse_type(rules, *node, "number, integer, float, date and datetime");
	if (!sigma_rule_read_value(column->type, *node, &limit, &why))
		sigma_document_error(*node, 0, NULL, "\"%s\" of column \"%s\" %s", key, column->name, why);
	check = add_check(rules, source, kind, kind == CHECK_MIN ? "min" : "max",
					  kind == CHECK_MIN ? "must be at least %s" : "must be at most %s",
					  sigma_value_to_text(column->type, limit));
	check->limit = limit;
	return check;
}

/* Lengths count characters of text and elements of lists. */
static void
compile_lengths(ColumnRules *rules)
{
	const char *unit = rules->column->type == COLUMN_MULTI_SELECT ? "value" : "character";
	RuleSource *min_source = NULL;
	RuleSource *max_source = NULL;
	JsonNode   *min = find_rule(rules, "min_length", &min_source);
	JsonNode   *max = find_rule(rules, "max_length", &max_source);
	int			least = 0;
	int			most = 0;
	Check	   *check;

	if ((min != NULL || max != NULL) && !COUNTED(rules->column->type))
		refuse_type(rules, min != NULL ? min : max, "text, dropdown and multi-select");
	if (min != NULL)
		least = read_count(min, 0, SIGMA_MAX_CELL);
	if (max != NULL)
		most = read_count(max, 0, SIGMA_MAX_CELL);
	if (min != NULL && max != NULL && least > most)
		sigma_document_error(max, 0, NULL, "min_length is greater than max_length in the rules of column \"%s\"",
							 rules->column->name);
	if (min != NULL)
	{
		check = add_check(rules, min_source, CHECK_MIN_LENGTH, "min_length", "must have at least %d %s%s",
						  least, unit, least == 1 ? "" : "s");
		check->length = least;
	}
	if (max != NULL)
	{
		check = add_check(rules, max_source, CHECK_MAX_LENGTH, "max_length", "must have at most %d %s%s",
						  most, unit, most == 1 ? "" : "s");
		check->length = most;
	}
}

/* A whole number in a range; SG400 else. */
static int
read_count(JsonNode *node, int least, int most)
{
	Datum		value;
	const char *why;

	if (node->kind != JSON_NUMBER || !sigma_rule_read_value(COLUMN_INTEGER, node, &value, &why))
		sigma_document_error(node, 0, NULL, "\"%s\" must be a whole number", node->key);
	if (DatumGetInt64(value) < least || DatumGetInt64(value) > most)
		sigma_document_error(node, 0, NULL, "\"%s\" must be from %d to %d", node->key, least, most);
	return (int) DatumGetInt64(value);
}

static void
compile_pattern(ColumnRules *rules)
{
	RuleSource *source = NULL;
	JsonNode   *node = find_rule(rules, "pattern", &source);
	Check	   *check;

	if (node == NULL)
		return;
	if (!TEXTUAL(rules->column->type))
		refuse_type(rules, node, "text and dropdown");
	if (node->kind != JSON_STRING)
		sigma_document_error(node, 0, NULL, "\"pattern\" must be a string, not %s", sigma_json_kind_name(node));
	if (strlen(node->string) > MAX_PATTERN)
		sigma_document_error(node, 0, NULL, "\"pattern\" is longer than %d bytes", MAX_PATTERN);

	check = add_check(rules, source, CHECK_LITERAL, "pattern", "must match the pattern \"%s\"", node->string);
	if (is_literal(node->string))
	{
		check->literal = pstrdup(node->string);
		check->literal_length = strlen(node->string);
		return;
	}
	check->kind = CHECK_PATTERN;
	check->regex = compile_regex(node);
	check->simple = sigma_pattern_compile(node->string);
}

/*
 * Does the pattern mean just its own characters?  Searched byte by byte, which is
 * right where no character's bytes are found inside another one's.
 */
static bool
is_literal(const char *pattern)
{
	if (GetDatabaseEncoding() != PG_UTF8 && pg_database_encoding_max_length() > 1)
		return false;
	return strpbrk(pattern, ".[](){}*+?|^$\\") == NULL;
}

/*
 * PostgreSQL's advanced regular expression, unanchored and sensitive to case, as of
 * operator ~.  SG400 with the engine's own words where it is none.  Lives in the
 * current memory context, whatever the engine allocates with.
 */
static regex_t *
compile_regex(JsonNode *node)
{
	int			length = strlen(node->string);
	pg_wchar   *wide = palloc(sizeof(pg_wchar) * (length + 1));
	regex_t    *regex = sigma_regex_new(CurrentMemoryContext);
	char		message[100];
	int			code;

	code = pg_regcomp(regex, wide, pg_mb2wchar_with_len(node->string, wide, length),
					  REG_ADVANCED, DEFAULT_COLLATION_OID);
	pfree(wide);
	if (code == REG_OKAY)
	{
		sigma_regex_made(regex);
		return regex;
	}
	CHECK_FOR_INTERRUPTS();
	pg_regerror(code, regex, message, sizeof(message));
	sigma_document_error(node, 0, NULL, "invalid regular expression: %s", message);
}

static void
compile_format(ColumnRules *rules)
{
	static const struct
	{
		const char *name;
		CheckKind	kind;
		const char *demand;
	}			formats[] =
	{
		{"email", CHECK_EMAIL, "must be an email address"},
		{"phone", CHECK_PHONE, "must be a phone number"},
		{"date", CHECK_DATE, "must be a date"},
		{"numeric", CHECK_NUMERIC, "must be a number"},
		{"url", CHECK_URL, "must be a URL"},
	};
	ColumnType	type = rules->column->type;
	RuleSource *source = NULL;
	JsonNode   *node = find_rule(rules, "format", &source);
	int			i;

	if (node == NULL)
		return;
	for (i = 0; i < lengthof(formats); i++)
		if (node->kind == JSON_STRING && strcmp(node->string, formats[i].name) == 0)
			break;
	if (i == lengthof(formats))
		sigma_document_error(node, 0, "Known are email, phone, date, numeric and url.", "unknown format");
	/* what the type itself sees to needs no check */
	if ((formats[i].kind == CHECK_DATE && DATED(type)) || (formats[i].kind == CHECK_NUMERIC && NUMERICAL(type)))
		return;
	if (!TEXTUAL(type))
		refuse_type(rules, node, "text and dropdown");
	add_check(rules, source, formats[i].kind, "format", "%s", formats[i].demand);
}

/* The list of allowed values, of a multi-select's elements, sorted for searching. */
static void
compile_values(ColumnRules *rules)
{
	ColumnType	type = rules->column->type == COLUMN_MULTI_SELECT ? COLUMN_TEXT : rules->column->type;
	RuleSource *source = NULL;
	JsonNode   *node = find_rule(rules, "values", &source);
	Check	   *check;
	const char *why;
	int			i;

	if (node == NULL)
		return;
	if (!TEXTUAL(type) && !ORDERED(type))
		refuse_type(rules, node, "text, dropdown, multi-select, number, integer, float, date and datetime");
	if (node->kind != JSON_ARRAY || node->count == 0)
		sigma_document_error(node, 0, NULL, "\"values\" must be an array with at least one value");
	if (node->count > MAX_LIST_VALUES)
		sigma_document_error(node, 0, NULL, "\"values\" has more than %d values", MAX_LIST_VALUES);

	check = add_check(rules, source, CHECK_VALUES, "values",
					  rules->column->type == COLUMN_MULTI_SELECT ?
					  "must hold only values of the list" : "must be a value of the list");
	check->values = palloc(sizeof(Datum) * node->count);
	for (i = 0; i < node->count; i++)
	{
		if (node->items[i]->kind == JSON_NULL)
			sigma_document_error(node->items[i], 0, "An empty value is always allowed, unless it is required.",
								 "a list of values holds no null");
		if (!sigma_rule_read_value(type, node->items[i], &check->values[i], &why))
			sigma_document_error(node->items[i], 0, NULL, "a value of the list of column \"%s\" %s",
								 rules->column->name, why);
	}
	check->nvalue = node->count;
	qsort_arg(check->values, check->nvalue, sizeof(Datum), compare_for_sort, &type);
}

static int
compare_for_sort(const void *a, const void *b, void *type)
{
	return sigma_value_compare(*(ColumnType *) type, *(const Datum *) a, *(const Datum *) b);
}

/* The list of a column that stands in another table. */
static void
compile_list(InputTable *table, int place, ColumnRules *rules)
{
	RuleSource *source = NULL;
	JsonNode   *node = find_rule(rules, "values_from", &source);

	if (node != NULL)
		sigma_list_rule_add(table, place, node, source->message, source->warning);
}

/* The formula of a column, which sees the whole row. */
static void
compile_formula(InputTable *table, int place, ColumnRules *rules)
{
	RuleSource *source = NULL;
	JsonNode   *node = find_rule(rules, "formula", &source);

	if (node != NULL)
		sigma_formula_rule_add(table, place, 0, node, source->message, source->warning);
}

/*
 * The rule of that key and the object that holds it, or NULL.  Where several hold
 * it they must agree, and one with severity error goes before one with warn.
 */
static JsonNode *
find_rule(ColumnRules *rules, const char *key, RuleSource **source)
{
	JsonNode   *found = NULL;
	int			i;

	for (i = 0; i < rules->nsource; i++)
	{
		JsonNode   *node;

		/* of the column itself only these two are rules */
		if (i == 0 && strcmp(key, "required") != 0 && strcmp(key, "unique") != 0)
			continue;
		node = sigma_json_get(rules->sources[i].object, key);
		if (node == NULL || node->kind == JSON_NULL)
			continue;
		if (found != NULL && !sigma_json_equal(found, node))
			sigma_document_error(node, 0, psprintf("It also stands at %s.", sigma_json_path(found)),
								 "rule \"%s\" of column \"%s\" has two values", key, rules->column->name);
		if (found == NULL || ((*source)->warning && !rules->sources[i].warning))
		{
			found = node;
			*source = &rules->sources[i];
		}
	}
	return found;
}

/* A new check of the column.  What it demands completes "the value ...". */
static Check *
add_check(ColumnRules *rules, const RuleSource *source, CheckKind kind, const char *rule,
		  const char *demand,...)
{
	Check	   *check = palloc0(sizeof(Check));
	va_list		args;

	check->kind = kind;
	check->rule = rule;
	check->warning = source->warning;
	check->own_message = source->message != NULL;
	if (source->message != NULL)
		check->message = pstrdup(source->message);
	else
	{
		va_start(args, demand);
		check->message = sigma_text_format(demand, args);
		va_end(args);
	}
	rules->checks = lappend(rules->checks, check);
	return check;
}

/* The rule does not suit the column's type. */
static void
refuse_type(const ColumnRules *rules, JsonNode *node, const char *suited)
{
	sigma_document_error(node, 0, psprintf("It suits %s columns.", suited),
						 "rule \"%s\" does not suit column \"%s\" of type %s",
						 node->key, rules->column->name, sigma_column_types[rules->column->type].name);
}

/* A node as a value of a type. */
bool
sigma_rule_read_value(ColumnType type, JsonNode *node, Datum *value, const char **why)
{
	JsonbValue	given;
	bool		isnull;
	Jsonb	   *json;

	switch (node->kind)
	{
		case JSON_NULL:
			given.type = jbvNull;
			break;
		case JSON_BOOL:
			given.type = jbvBool;
			given.val.boolean = node->boolean;
			break;
		case JSON_NUMBER:
			given.type = jbvNumeric;
			given.val.numeric = node->number;
			break;
		case JSON_STRING:
			given.type = jbvString;
			given.val.string.val = node->string;
			given.val.string.len = strlen(node->string);
			break;
		case JSON_ARRAY:
		case JSON_OBJECT:
			json = sigma_json_write(node);
			given.type = jbvBinary;
			given.val.binary.data = &json->root;
			given.val.binary.len = VARSIZE(json) - VARHDRSZ;
			break;
	}
	*why = "is null";
	return sigma_value_from_json(type, &given, value, &isnull, why) && !isnull;
}

static bool
read_flag(JsonNode *node)
{
	if (node->kind != JSON_BOOL)
		sigma_document_error(node, 0, NULL, "\"%s\" must be true or false, not %s",
							 node->key, sigma_json_kind_name(node));
	return node->boolean;
}
