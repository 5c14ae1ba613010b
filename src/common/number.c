/*
 * number.c
 *		Reading numbers that people and programs write.
 *
 * Text is cleaned first (blanks, separators, the decimal sign) and judged by its
 * characters alone; an input function is called where it cannot fail any more.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "utils/builtins.h"
#include "utils/float.h"

#include "common/number.h"

/* What numeric holds: digits before and after the point. */
#define NUMERIC_DIGITS_BEFORE	131072
#define NUMERIC_DIGITS_AFTER	16383
#define MAX_NUMBER_TEXT			200000

static const char *const out_of_range = "is out of range";
static const char *const not_a_number = "is not a number";
static const char *const not_finite = "is not a finite number";

/* A number's text, cleaned: sign, digits, point, exponent and nothing else. */
typedef struct NumberText
{
	char	   *text;
	bool		integral;		/* neither a point nor an exponent */
	int			digits;			/* before the point, as written */
} NumberText;

static bool clean_number(const char *text, int length, const ValueFormat *format,
						 NumberText *number, const char **why);
static bool group_ends_well(int since_separator, bool separated);
static bool is_special_number(const char *text, int length);
static bool read_numeric(const NumberText *number, Datum *value, const char **why);
static bool read_integer(const NumberText *number, Datum *value, const char **why);
static bool read_float(const NumberText *number, Datum *value, const char **why);

bool
sigma_number_read(ColumnType type, const char *text, int length, const ValueFormat *format,
				  Datum *value, const char **why)
{
	NumberText	number;

	if (!clean_number(text, length, format, &number, why))
		return false;
	if (type == COLUMN_INTEGER)
		return read_integer(&number, value, why);
	if (type == COLUMN_FLOAT)
		return read_float(&number, value, why);
	return read_numeric(&number, value, why);
}

/*
 * Bring a number that a person or program wrote into the form that numeric and
 * strtod read: no blanks, no separators, a point.  Separators stand between
 * groups of three digits, before the point only.  False where it is no number.
 */
static bool
clean_number(const char *text, int length, const ValueFormat *format,
			 NumberText *number, const char **why)
{
	const char *end;
	char	   *out;
	int			since_separator = 0;
	bool		separated = false;
	int			fraction = 0;

	sigma_trim(&text, &length);
	*why = is_special_number(text, length) ? not_finite : not_a_number;
	if (length > MAX_NUMBER_TEXT)
		*why = out_of_range;
	if (length == 0 || *why != not_a_number)
		return false;

	end = text + length;
	number->text = out = palloc(length + 1);
	number->integral = true;
	number->digits = 0;
	if (*text == '+' || *text == '-')
		*out++ = *text++;
	for (; text < end; text++)
	{
		if (*text >= '0' && *text <= '9')
		{
			*out++ = *text;
			number->digits++;
			since_separator++;
		}
		else if (format->thousands != '\0' && *text == format->thousands)
		{
			if (separated ? since_separator != 3 : since_separator < 1 || since_separator > 3)
				return false;
			separated = true;
			since_separator = 0;
		}
		else
			break;
	}
	if (!group_ends_well(since_separator, separated))
		return false;
	if (text < end && *text == format->decimal)
	{
		*out++ = '.';
		number->integral = false;
		for (text++; text < end && *text >= '0' && *text <= '9'; fraction++)
			*out++ = *text++;
	}
	if (number->digits + fraction == 0)
		return false;
	if (text < end && (*text == 'e' || *text == 'E'))
	{
		const char *digits;

		*out++ = *text++;
		number->integral = false;
		if (text < end && (*text == '+' || *text == '-'))
			*out++ = *text++;
		for (digits = text; text < end && *text >= '0' && *text <= '9';)
			*out++ = *text++;
		if (text == digits)
			return false;
	}
	*out = '\0';
	return text == end;
}

/* Is the last group of digits before the point a whole one? */
static bool
group_ends_well(int since_separator, bool separated)
{
	return !separated || since_separator == 3;
}

/* One of the words that PostgreSQL takes as a number, but a column does not. */
static bool
is_special_number(const char *text, int length)
{
	if (length > 0 && (*text == '+' || *text == '-'))
		text++, length--;
	return (length == 3 && (pg_strncasecmp(text, "nan", 3) == 0 ||
							pg_strncasecmp(text, "inf", 3) == 0)) ||
		(length == 8 && pg_strncasecmp(text, "infinity", 8) == 0);
}

/*
 * Can numeric hold a number of this text, which is well-formed?  Counted as
 * numeric does: digits before the point from the first one that is not zero,
 * digits after it all, both moved by the exponent.
 */
bool
sigma_number_fits(const char *text, int length)
{
	const char *end = text + length;
	long		before = 0;
	long		after = 0;
	long		exponent = 0;
	long		leading = 0;	/* zeros after the point before the first digit */
	bool		significant = false;
	bool		point = false;
	bool		negative = false;

	for (; text < end && *text != 'e' && *text != 'E'; text++)
	{
		if (*text == '.')
			point = true;
		else if (*text >= '0' && *text <= '9')
		{
			if (*text != '0')
				significant = true;
			if (point)
			{
				after++;
				if (!significant)
					leading++;
			}
			else if (significant)
				before++;
		}
	}
	if (text < end)
	{
		text++;
		if (text < end && (*text == '+' || *text == '-'))
			negative = *text++ == '-';
		for (; text < end; text++)
		{
			exponent = exponent * 10 + (*text - '0');
			if (exponent > MAX_NUMBER_TEXT * 2)
				return false;
		}
		if (negative)
			exponent = -exponent;
	}
	if (before == 0)
		before = -leading;
	return (!significant || before + exponent <= NUMERIC_DIGITS_BEFORE) &&
		after - exponent <= NUMERIC_DIGITS_AFTER;
}

static bool
read_numeric(const NumberText *number, Datum *value, const char **why)
{
	if (!sigma_number_fits(number->text, strlen(number->text)))
	{
		*why = out_of_range;
		return false;
	}
	*value = DirectFunctionCall3(numeric_in, CStringGetDatum(number->text),
								 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return true;
}

/* 12, also written 12.0 or 1.2e1. */
static bool
read_integer(const NumberText *number, Datum *value, const char **why)
{
	Datum		numeric;

	if (number->integral && number->digits <= 18)
	{
		*value = Int64GetDatum(strtoll(number->text, NULL, 10));
		return true;
	}
	return read_numeric(number, &numeric, why) &&
		sigma_integer_from_numeric(DatumGetNumeric(numeric), value, why);
}

bool
sigma_integer_from_numeric(Numeric number, Datum *value, const char **why)
{
	Datum		given = NumericGetDatum(number);
	Datum		whole = DirectFunctionCall2(numeric_trunc, given, Int32GetDatum(0));
	char	   *text;
	char	   *end;

	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, whole, given)))
	{
		*why = "is not a whole number";
		return false;
	}
	text = DatumGetCString(DirectFunctionCall1(numeric_out, whole));
	errno = 0;
	*value = Int64GetDatum(strtoll(text, &end, 10));
	if (errno != 0 || *end != '\0')
	{
		*why = out_of_range;
		return false;
	}
	return true;
}

/* As float8in: what is too large, or too small to be told from zero, is out of range. */
static bool
read_float(const NumberText *number, Datum *value, const char **why)
{
	double		result;

	errno = 0;
	result = strtod(number->text, NULL);
	if (isinf(result) || (errno == ERANGE && result == 0.0))
	{
		*why = out_of_range;
		return false;
	}
	*value = Float8GetDatum(result);
	return true;
}

void
sigma_trim(const char **text, int *length)
{
	while (*length > 0 && isspace((unsigned char) **text))
		(*text)++, (*length)--;
	while (*length > 0 && isspace((unsigned char) (*text)[*length - 1]))
		(*length)--;
}
