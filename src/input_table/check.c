/*
 * check.c
 *		Checks against values, and what is reported where they fail.
 *
 * A value is looked at twice at the most: sigma_column_passes() says yes or no
 * without allocating (but for toasted values), which is all that a good row costs;
 * only for a bad one sigma_column_failures() collects what is wrong with it.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/date.h"
#include "common/json_push.h"
#include "compat.h"
#include "input_table/rules.h"

#define MAX_SAMPLE		10		/* failures of sigma_table_count_failures */
#define MAX_SHOWN_VALUE	200		/* characters of a value in a failure */

static bool fits_precision(const Check *check, Datum value);
static int	count_units(ColumnType type, Datum value);
static bool length_passes(const Check *check, ColumnType type, Datum value);
static bool contains_literal(const Check *check, const char *text, int length);
static bool matches_pattern(const Check *check, const char *text, int length);
static bool matches_regex(const Check *check, const char *text, int length);
static bool is_email(const char *text, int length);
static bool is_phone(const char *text, int length);
static bool is_number(const char *text, int length);
static bool is_url(const char *text, int length);
static bool is_listed(const Check *check, ColumnType type, Datum value);
static bool all_are_listed(const Check *check, Datum list);
static char *shorten(char *text);
static bool slot_passes(const InputTable *table, FormulaRun *formulas, TupleTableSlot *slot);
static void sample_slot(const InputTable *table, FormulaRun *formulas, TupleTableSlot *slot, List **failures);

/* ------------------------------------------------------------------------
 * Values
 * ------------------------------------------------------------------------ */

/* The value in a form that comparisons read without further copies. */
Datum
sigma_value_detoast(ColumnType type, Datum value)
{
	switch (type)
	{
		case COLUMN_TEXT:
		case COLUMN_DROPDOWN:
			return PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
		case COLUMN_NUMBER:
		case COLUMN_MULTI_SELECT:
		case COLUMN_JSON:
		case COLUMN_FILE:
			return PointerGetDatum(PG_DETOAST_DATUM(value));
		default:
			return value;
	}
}

/*
 * Order of two values of a scalar type.  Text is ordered by length, then bytes:
 * good enough to search for equal ones, and it needs no collation.
 */
int
sigma_value_compare(ColumnType type, Datum a, Datum b)
{
	int64		left;
	int64		right;

	switch (type)
	{
		case COLUMN_TEXT:
		case COLUMN_DROPDOWN:
			left = VARSIZE_ANY_EXHDR(DatumGetPointer(a));
			right = VARSIZE_ANY_EXHDR(DatumGetPointer(b));
			if (left == right)
				return memcmp(VARDATA_ANY(DatumGetPointer(a)), VARDATA_ANY(DatumGetPointer(b)), left);
			break;
		case COLUMN_NUMBER:
			return DatumGetInt32(DirectFunctionCall2(numeric_cmp, a, b));
		case COLUMN_INTEGER:
		case COLUMN_DATETIME:
			left = DatumGetInt64(a);
			right = DatumGetInt64(b);
			break;
		case COLUMN_FLOAT:
			return float8_cmp_internal(DatumGetFloat8(a), DatumGetFloat8(b));
		case COLUMN_DATE:
			left = DatumGetDateADT(a);
			right = DatumGetDateADT(b);
			break;
		default:
			elog(ERROR, "values of type %s are not compared", sigma_column_types[type].name);
	}
	return left < right ? -1 : left > right ? 1 : 0;
}

/* ------------------------------------------------------------------------
 * One check, one value
 * ------------------------------------------------------------------------ */

/* Does a detoasted value pass?  NULL passes all but "required". */
bool
sigma_check_passes(const Check *check, ColumnType type, Datum value, bool isnull)
{
	const char *text;
	int			length;

	if (isnull)
		return check->kind != CHECK_REQUIRED;
	switch (check->kind)
	{
		case CHECK_REQUIRED:
			return true;
		case CHECK_PRECISION:
			return fits_precision(check, value);
		case CHECK_SCALE:
			return DatumGetInt32(DirectFunctionCall1(numeric_min_scale, value)) <= check->length;
		case CHECK_MIN:
			return sigma_value_compare(type, value, check->limit) >= 0;
		case CHECK_MAX:
			return sigma_value_compare(type, value, check->limit) <= 0;
		case CHECK_MIN_LENGTH:
		case CHECK_MAX_LENGTH:
			return length_passes(check, type, value);
		case CHECK_VALUES:
			return type == COLUMN_MULTI_SELECT ? all_are_listed(check, value) :
				is_listed(check, type, value);
		default:
			break;
	}

	text = VARDATA_ANY(DatumGetPointer(value));
	length = VARSIZE_ANY_EXHDR(DatumGetPointer(value));
	switch (check->kind)
	{
		case CHECK_LITERAL:
			return contains_literal(check, text, length);
		case CHECK_PATTERN:
			return matches_pattern(check, text, length);
		case CHECK_EMAIL:
			return is_email(text, length);
		case CHECK_PHONE:
			return is_phone(text, length);
		case CHECK_DATE:
			{
				Timestamp	moment;
				const char *why;

				return sigma_date_read(text, length, DATEORDER_YMD, false, &moment, &why);
			}
		case CHECK_NUMERIC:
			return is_number(text, length);
		case CHECK_URL:
			return is_url(text, length);
		default:
			elog(ERROR, "unknown check %d", (int) check->kind);
	}
}

/* Digits before the point, or in all where no scale is given. */
static bool
fits_precision(const Check *check, Datum value)
{
	Datum		size = DirectFunctionCall1(numeric_abs, value);
	int			after;

	if (DatumGetInt32(DirectFunctionCall2(numeric_cmp, size, check->limit)) >= 0)
		return false;
	if (check->scale >= 0)
		return true;
	after = DatumGetInt32(DirectFunctionCall1(numeric_min_scale, size));
	if (after == 0)
		return true;
	if (after > check->length)
		return false;
	/* below 10^(precision - after), shifted so that the limit serves as it is */
	size = DirectFunctionCall2(numeric_mul, size,
							   DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf("1e%d", after)),
												   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, size, check->limit)) < 0;
}

/* Characters of text, elements of a list. */
static int
count_units(ColumnType type, Datum value)
{
	if (type == COLUMN_MULTI_SELECT)
		return ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(value)), ARR_DIMS(DatumGetArrayTypeP(value)));
	return pg_mbstrlen_with_len(VARDATA_ANY(DatumGetPointer(value)),
								VARSIZE_ANY_EXHDR(DatumGetPointer(value)));
}

/* Characters are counted only where the number of bytes does not decide. */
static bool
length_passes(const Check *check, ColumnType type, Datum value)
{
	bool		is_max = check->kind == CHECK_MAX_LENGTH;
	int			units;

	if (type != COLUMN_MULTI_SELECT)
	{
		int			bytes = VARSIZE_ANY_EXHDR(DatumGetPointer(value));

		if (bytes <= check->length && is_max)
			return true;
		if (bytes < check->length && !is_max)
			return false;
	}
	units = count_units(type, value);
	return is_max ? units <= check->length : units >= check->length;
}

static bool
contains_literal(const Check *check, const char *text, int length)
{
	const char *last = text + length - check->literal_length;

	if (check->literal_length == 0)
		return true;
	while (text <= last)
	{
		text = memchr(text, check->literal[0], last - text + 1);
		if (text == NULL)
			return false;
		if (memcmp(text, check->literal, check->literal_length) == 0)
			return true;
		text++;
	}
	return false;
}

static bool
matches_pattern(const Check *check, const char *text, int length)
{
	PatternResult result = check->simple == NULL ? PATTERN_UNSURE :
		sigma_pattern_match(check->simple, text, length);

	return result == PATTERN_UNSURE ? matches_regex(check, text, length) : result == PATTERN_MATCHES;
}

static bool
matches_regex(const Check *check, const char *text, int length)
{
	pg_wchar	small[256];
	pg_wchar   *wide = small;
	int			code;
	char		message[100];

	if (length >= lengthof(small))
		wide = palloc_extended((Size) (length + 1) * sizeof(pg_wchar), MCXT_ALLOC_HUGE);
	code = pg_regexec(check->regex, wide, pg_mb2wchar_with_len(text, wide, length),
					  0, NULL, 0, NULL, 0);
	if (wide != small)
		pfree(wide);
	if (code == REG_OKAY || code == REG_NOMATCH)
		return code == REG_OKAY;
	CHECK_FOR_INTERRUPTS();
	pg_regerror(code, check->regex, message, sizeof(message));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_REGULAR_EXPRESSION),
			 errmsg("regular expression failed: %s", message)));
}

/*
 * A mail address as a form takes it: https://html.spec.whatwg.org/#valid-e-mail-address
 * with at least one dot in the domain.  Bytes of other than ASCII characters count as letters.
 */
static bool
is_email(const char *text, int length)
{
	const char *end = text + length;
	const char *at = memchr(text, '@', length);
	const char *label;
	const char *c;

	if (length > 254 || at == NULL || at == text || at - text > 64)
		return false;
	for (c = text; c < at; c++)
		if (!isalnum((unsigned char) *c) && !IS_HIGHBIT_SET(*c) && strchr(".!#$%&'*+/=?^_`{|}~-", *c) == NULL)
			return false;
	label = at + 1;
	for (c = label; c < end; c++)
	{
		if (*c == '.')
		{
			if (c == label || c[-1] == '-' || c - label > 63)
				return false;
			label = c + 1;
		}
		else if (!(isalnum((unsigned char) *c) || IS_HIGHBIT_SET(*c) || (*c == '-' && c > label)))
			return false;
	}
	return label > at + 1 && end - label >= 2 && end - label <= 63 && end[-1] != '-';
}

/* 7 to 15 digits as of E.164, with a plus in front, blanks and - . / ( ) in between. */
static bool
is_phone(const char *text, int length)
{
	int			digits = 0;
	int			open = 0;
	int			i;

	for (i = 0; i < length; i++)
	{
		if (text[i] >= '0' && text[i] <= '9')
			digits++;
		else if (text[i] == '(')
		{
			if (open++ > 0)
				return false;
		}
		else if (text[i] == ')')
		{
			if (open-- != 1)
				return false;
		}
		else if (text[i] == '+' ? i > 0 : strchr(" -./", text[i]) == NULL || digits + open == 0)
			return false;
	}
	return digits >= 7 && digits <= 15 && open == 0;
}

/* What a number column would take, without its limits. */
static bool
is_number(const char *text, int length)
{
	const char *end = text + length;
	int			digits = 0;

	while (text < end && *text == ' ')
		text++;
	while (end > text && end[-1] == ' ')
		end--;
	if (text < end && (*text == '+' || *text == '-'))
		text++;
	for (; text < end && isdigit((unsigned char) *text); text++)
		digits++;
	if (text < end && *text == '.')
		for (text++; text < end && isdigit((unsigned char) *text); text++)
			digits++;
	if (digits == 0)
		return false;
	if (text < end && (*text == 'e' || *text == 'E'))
	{
		text++;
		if (text < end && (*text == '+' || *text == '-'))
			text++;
		if (text == end)
			return false;
		while (text < end && isdigit((unsigned char) *text))
			text++;
	}
	return text == end;
}

/* scheme://host and anything after it that is neither blank nor control character. */
static bool
is_url(const char *text, int length)
{
	int			scheme = 0;
	int			i;

	while (scheme < length && (isalnum((unsigned char) text[scheme]) ||
							   (scheme > 0 && strchr("+-.", text[scheme]) != NULL)))
		scheme++;
	if (scheme == 0 || isdigit((unsigned char) text[0]) ||
		length - scheme < 4 || memcmp(text + scheme, "://", 3) != 0 ||
		strchr("/?#:", text[scheme + 3]) != NULL)
		return false;
	for (i = scheme + 3; i < length; i++)
		if ((unsigned char) text[i] <= ' ' || text[i] == 0x7f || strchr("\"<>\\^`{|}", text[i]) != NULL)
			return false;
	return true;
}

/* Binary search; a handful of values takes a handful of comparisons. */
static bool
is_listed(const Check *check, ColumnType type, Datum value)
{
	int			low = 0;
	int			high = check->nvalue - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = sigma_value_compare(type, value, check->values[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return false;
}

/* Each element of a list, which holds no NULL: that was checked before. */
static bool
all_are_listed(const Check *check, Datum list)
{
	Datum	   *items;
	bool	   *nulls;
	int			count;
	int			i;

	deconstruct_array(DatumGetArrayTypeP(list), TEXTOID, -1, false, TYPALIGN_INT,
					  &items, &nulls, &count);
	for (i = 0; i < count; i++)
		if (nulls[i] || !is_listed(check, COLUMN_TEXT, items[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------------
 * One column, one row
 * ------------------------------------------------------------------------ */

/* Does the value pass all that would reject it? */
bool
sigma_column_passes(const TableColumn *column, Datum value, bool isnull)
{
	int			i;

	if (isnull)
		return !column->required;
	if (sigma_value_too_large(column->type, value))
		return false;
	value = sigma_value_detoast(column->type, value);
	if (column->type != COLUMN_TEXT && column->type != COLUMN_DROPDOWN &&
		sigma_value_refused(column->type, value) != NULL)
		return false;
	for (i = 0; i < column->ncheck; i++)
		if (!column->checks[i].warning &&
			!sigma_check_passes(&column->checks[i], column->type, value, false))
			return false;
	return true;
}

/* Is it a value of variable length over the limit of a cell? */
bool
sigma_value_too_large(ColumnType type, Datum value)
{
	struct varlena *pointer;

	if (sigma_column_types[type].length != -1)
		return false;
	pointer = (struct varlena *) DatumGetPointer(value);
	if (VARATT_IS_SHORT(pointer))
		return false;
	return toast_raw_datum_size(value) - VARHDRSZ > SIGMA_MAX_CELL;
}

/*
 * Append all that is wrong with the value to *failures, warnings too.  Returns the
 * number of errors among them.
 */
int
sigma_column_failures(const TableColumn *column, Datum value, bool isnull, List **failures)
{
	int			errors = 0;
	int			i;

	if (!isnull)
	{
		const char *why = sigma_value_refused(column->type, value);
		bool		too_large = sigma_value_too_large(column->type, value);

		if (why != NULL)
		{
			*failures = lappend(*failures, sigma_failure_new(column, "type", why, value, too_large));
			return 1;
		}
		value = sigma_value_detoast(column->type, value);
	}
	for (i = 0; i < column->ncheck; i++)
	{
		const Check *check = &column->checks[i];
		Failure    *failure;

		if (sigma_check_passes(check, column->type, value, isnull))
			continue;
		failure = sigma_failure_new(column, check->rule, check->message, value, isnull);
		failure->warning = check->warning;
		failure->own_message = check->own_message;
		*failures = lappend(*failures, failure);
		errors += check->warning ? 0 : 1;
	}
	return errors;
}

/* A failure of severity error, allocated in the current context. */
Failure *
sigma_failure_new(const TableColumn *column, const char *rule, const char *message,
				  Datum value, bool isnull)
{
	Failure    *failure = palloc0(sizeof(Failure));

	failure->row = -1;
	failure->column = column->name;
	failure->attnum = column->attnum;
	failure->rule = rule;
	failure->message = message;
	failure->value = isnull ? NULL : shorten(sigma_value_to_text(column->type, value));
	return failure;
}

/* Cut a value that is too long to be read. */
static char *
shorten(char *text)
{
	int			length = strlen(text);
	int			kept = pg_mbcharcliplen(text, length, MAX_SHOWN_VALUE);

	return kept == length ? text : psprintf("%.*s...", kept, text);
}

int
sigma_table_check(const InputTable *table, const Datum *values, const bool *nulls,
				  const bool *changed, List **failures)
{
	int			errors = 0;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
		if (changed == NULL || changed[i])
			errors += sigma_column_failures(&table->columns[i], values[i], nulls[i], failures);
	return errors;
}

/*
 * Reads every committed row, and this transaction's; see input_table.h.  Rows are
 * not ACL-checked.  A list that is gone says nothing about rows that are there: its rule
 * passes.  The failures are allocated in the current context.
 */
int64
sigma_table_count_failures(const InputTable *table, List **failures)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	Relation	rel = table_open(table->relid, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	MemoryContext row_cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma rows", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = CurrentMemoryContext;
	FormulaRun *formulas = sigma_formula_run_begin(table, false);
	int64		failing = 0;

	*failures = NIL;
	if (sigma_formula_run_lists(formulas) != NULL)
		(void) sigma_list_problems(table, sigma_formula_run_lists(formulas));
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		MemoryContextReset(row_cxt);
		MemoryContextSwitchTo(row_cxt);
		if (!slot_passes(table, formulas, slot))
		{
			failing++;
			MemoryContextSwitchTo(caller_cxt);
			if (list_length(*failures) < MAX_SAMPLE)
				sample_slot(table, formulas, slot, failures);
			if (formulas != NULL)
				sigma_formula_run_forget(formulas);
		}
		MemoryContextSwitchTo(caller_cxt);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
	UnregisterSnapshot(snapshot);
	MemoryContextDelete(row_cxt);
	return failing;
}

/* Does a row of the table pass? */
static bool
slot_passes(const InputTable *table, FormulaRun *formulas, TupleTableSlot *slot)
{
	ListRun    *lists = sigma_formula_run_lists(formulas);
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		int			at = table->columns[i].attnum - 1;

		if (at < 0)
			continue;
		if (!sigma_column_passes(&table->columns[i], slot->tts_values[at], slot->tts_isnull[at]))
			return false;
		if (lists != NULL && !sigma_list_run_passes(lists, i, slot->tts_values[at], slot->tts_isnull[at]))
			return false;
	}
	return formulas == NULL || sigma_formula_run_passes(formulas, slot, NULL);
}

/*
 * Append all that is wrong with a row, warnings too; "values", "nulls" and "known"
 * (NULL: all) by place in table->columns.  Rules that read a column that is not known
 * are left out, and unique ones are.  Returns the number of errors.
 */
int
sigma_row_failures(const InputTable *table, FormulaRun *formulas, const Datum *values, const bool *nulls,
				   const bool *known, List **failures)
{
	TupleTableSlot *slot = formulas == NULL ? NULL : sigma_formula_run_row(formulas, values, nulls);
	int			errors = 0;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		if (AttributeNumberIsValid(table->columns[i].attnum) && (known == NULL || known[i]))
		{
			errors += sigma_column_failures(&table->columns[i], values[i], nulls[i], failures);
			if (sigma_formula_run_lists(formulas) != NULL)
				errors += sigma_list_run_failures(sigma_formula_run_lists(formulas), i, values[i], nulls[i], failures);
		}
		if (formulas != NULL)
			errors += sigma_formula_run_failures(formulas, i, slot, NULL, known, failures);
	}
	if (formulas != NULL)
		errors += sigma_formula_run_failures(formulas, -1, slot, NULL, known, failures);
	return errors;
}

/* Add a row's failures to a sample of them. */
static void
sample_slot(const InputTable *table, FormulaRun *formulas, TupleTableSlot *slot, List **failures)
{
	Datum	   *values = palloc0(sizeof(Datum) * Max(table->ncolumn, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(table->ncolumn, 1));
	List	   *found = NIL;
	ListCell   *cell;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		int			at = table->columns[i].attnum - 1;

		nulls[i] = at < 0 || slot->tts_isnull[at];
		if (!nulls[i])
			values[i] = slot->tts_values[at];
	}
	(void) sigma_row_failures(table, formulas, values, nulls, NULL, &found);
	foreach(cell, found)
	{
		Failure    *failure = lfirst(cell);

		if (failure->warning || list_length(*failures) == MAX_SAMPLE)
			continue;
		if (AttributeNumberIsValid(table->row_id))	/* else the owner of sigds took it away */
			failure->row_id = DatumGetInt64(slot->tts_values[table->row_id - 1]);
		*failures = lappend(*failures, failure);
	}
}

/* ------------------------------------------------------------------------
 * Reporting
 * ------------------------------------------------------------------------ */

/*
 * May the current role read the column, so that messages may show its values?  As
 * PostgreSQL decides for its own constraints: the right to SELECT, and no row security.
 */
bool
sigma_may_read(const InputTable *table, AttrNumber attnum)
{
	if (check_enable_rls(table->relid, InvalidOid, true) == RLS_ENABLED)
		return false;
	return sigma_may_select(table, attnum);
}

/* May the current role select the column?  Row security is the statement's own business. */
bool
sigma_may_select(const InputTable *table, AttrNumber attnum)
{
	return pg_class_aclcheck(table->relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		(AttributeNumberIsValid(attnum) &&
		 pg_attribute_aclcheck(table->relid, attnum, GetUserId(), ACL_SELECT) == ACLCHECK_OK);
}

void
sigma_failure_push(JsonbParseState **state, const InputTable *table, const Failure *failure, bool may_read)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	if (failure->row >= 0)
		sigma_push_int(state, "row", failure->row);
	if (failure->line > 0)
		sigma_push_int(state, "line", failure->line);
	if (failure->row_id > 0)
		sigma_push_int(state, "row_id", failure->row_id);
	sigma_push_text(state, "column", failure->column);
	sigma_push_text(state, "rule", failure->rule);
	sigma_push_text(state, "severity", failure->warning ? "warn" : "error");
	if (may_read)
		sigma_push_text(state, "value", failure->value);
	sigma_push_text(state, "message", failure->message);
	if (may_read && failure->conflicts_with > 0)
		sigma_push_int(state, "conflicts_with", failure->conflicts_with);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}
