/*
 * infer.c
 *		Which types the columns of a CSV have, and in which order its dates are written.
 *
 * All rows are looked at: a column that holds numbers in its first thousand
 * rows and "n/a" in the next is text.  A type is guessed only where reading a
 * value as it loses nothing: 00123, +49 30 1234 and 1E5 stay text.  Memory is
 * one guess per column.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "common/date.h"
#include "input_table/csv.h"

/* What a column may still be. */
#define MAY_INTEGER		0x01
#define MAY_NUMBER		0x02
#define MAY_CHECKBOX	0x04
#define MAY_YMD			0x08	/* dates that read the same in every order */
#define MAY_DMY			0x10
#define MAY_MDY			0x20
#define MAY_DATE		(MAY_YMD | MAY_DMY | MAY_MDY)
#define MAY_ALL			0x3F

/* Longer values are text. */
#define MAX_NUMBER		1000
#define MAX_DATE		64

/* What is known of one column. */
typedef struct Guess
{
	int			may;			/* MAY_... bits */
	bool		seen;			/* it has a value */
	bool		has_time;		/* a date has a time of day */
} Guess;

static void look_at_rows(CsvReader *reader, const CsvOptions *options, Guess *guesses, int count);
static void look_at(Guess *guess, const char *text, int length, const CsvOptions *options);
static bool is_number(const char *text, int length, const ValueFormat *format, bool *integer);
static const char *skip_digits(const char *text, const char *end, char thousands, int *digits);
static bool skip_exponent(const char **text, const char *end, bool fraction);
static bool fits_integer(const char *text, int length, char thousands);
static int	read_orders(const char *text, int length);
static bool has_long_year(const char *text, int length);
static int	choose_order(const Guess *guesses, int count, const CsvOptions *options);
static const char *choose_type(const Guess *guess, int order);
static void trim_blanks(const char **text, int *length);

/*
 * The columns of a CSV as an array of documents {name, type} that a new input
 * table takes.  Raises 22P04 for an empty one, and what reading it raises.
 */
JsonNode *
sigma_csv_infer(CsvReader *reader, const CsvOptions *options)
{
	List	   *names = sigma_csv_headers(reader, options, NULL);
	int			count = list_length(names);
	Guess	   *guesses = palloc(sizeof(Guess) * Max(count, 1));
	JsonNode   *columns = sigma_json_new(JSON_ARRAY, NULL);
	int			order;
	int			i;

	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("the CSV is empty"),
				 errhint("Columns are inferred from a header line or from rows.")));
	for (i = 0; i < count; i++)
		guesses[i] = (Guess) {MAY_ALL, false, false};
	look_at_rows(reader, options, guesses, count);
	order = choose_order(guesses, count, options);

	for (i = 0; i < count; i++)
	{
		JsonNode   *column = sigma_json_new(JSON_OBJECT, NULL);

		sigma_json_set(column, "name", sigma_json_new_string(list_nth(names, i), NULL));
		sigma_json_set(column, "type",
					   sigma_json_new_string(choose_type(&guesses[i], order), NULL));
		sigma_json_append(columns, column);
	}
	return columns;
}

/*
 * Settle options->format.date_order from the rows: the one order that reads
 * what the other does not, in the columns that "dates" marks.  Unchanged where
 * nothing speaks for one or something for both.  The reader goes to its end.
 */
void
sigma_csv_find_date_order(CsvReader *reader, CsvOptions *options, const bool *dates, int count)
{
	int			proof = 0;

	while (sigma_csv_next(reader))
	{
		int			i;

		for (i = 0; i < Min(reader->nfield, count); i++)
		{
			const char *text = reader->fields[i].text;
			int			length = reader->fields[i].length;
			int			orders;

			if (!dates[i] || length > MAX_DATE)
				continue;
			trim_blanks(&text, &length);
			orders = read_orders(text, length) & (MAY_DMY | MAY_MDY);
			if (orders == MAY_DMY || orders == MAY_MDY)
				proof |= orders;
		}
	}
	if (proof == MAY_DMY)
		options->format.date_order = DATEORDER_DMY;
	else if (proof == MAY_MDY)
		options->format.date_order = DATEORDER_MDY;
}

/* Could a value be a date, if it were known whether day or month comes first? */
bool
sigma_csv_is_ambiguous_date(const char *text, int length)
{
	trim_blanks(&text, &length);
	return length <= MAX_DATE && (read_orders(text, length) & (MAY_DMY | MAY_MDY)) != 0;
}

/* All rows with as many cells as there are headers; others would be rejected anyway. */
static void
look_at_rows(CsvReader *reader, const CsvOptions *options, Guess *guesses, int count)
{
	while (sigma_csv_next(reader))
	{
		int			i;

		if (reader->nfield != count || reader->bad_quote > 0)
			continue;
		for (i = 0; i < count; i++)
		{
			const CsvField *field = &reader->fields[i];
			const char *text = field->text;
			int			length = field->length;

			if (guesses[i].may == 0 || sigma_csv_is_null(field, options))
				continue;
			trim_blanks(&text, &length);
			if (length > 0)
				look_at(&guesses[i], text, length, options);
		}
	}
}

/* Narrow a guess down to what this value can be as well. */
static void
look_at(Guess *guess, const char *text, int length, const CsvOptions *options)
{
	guess->seen = true;
	if (guess->may & (MAY_INTEGER | MAY_NUMBER))
	{
		bool		integer = false;

		if (!is_number(text, length, &options->format, &integer))
			guess->may &= ~(MAY_INTEGER | MAY_NUMBER);
		else if (!integer)
			guess->may &= ~MAY_INTEGER;
	}
	if (guess->may & MAY_CHECKBOX &&
		!(length == 4 && pg_strncasecmp(text, "true", 4) == 0) &&
		!(length == 5 && pg_strncasecmp(text, "false", 5) == 0))
		guess->may &= ~MAY_CHECKBOX;
	if (guess->may & MAY_DATE)
	{
		/* years of two digits only where somebody says that these are dates */
		int			orders = length <= MAX_DATE &&
			(options->has_date_order || has_long_year(text, length)) ?
			read_orders(text, length) : 0;

		guess->may &= orders | ~MAY_DATE;
		if (memchr(text, ':', length) != NULL)
			guess->has_time = true;
	}
}

/*
 * Is this a number that is written as numbers are, with nothing that would be
 * lost?  *integer: it has no fraction and bigint holds it.
 */
static bool
is_number(const char *text, int length, const ValueFormat *format, bool *integer)
{
	const char *end = text + length;
	const char *p = text;
	const char *first;
	int			digits;
	int			decimals = 0;

	if (length > MAX_NUMBER)
		return false;
	if (*p == '-')
		p++;
	first = p;
	p = skip_digits(p, end, format->thousands, &digits);
	if (p == NULL || (digits > 1 && *first == '0'))
		return false;
	if (p == end)
	{
		*integer = digits > 0 && fits_integer(text, length, format->thousands);
		return digits > 0;
	}
	if (*p == format->decimal)
	{
		p = skip_digits(p + 1, end, '\0', &decimals);
		if (decimals == 0)
			return false;
	}
	if (digits + decimals == 0)
		return false;
	return p == end || skip_exponent(&p, end, decimals > 0);
}

/*
 * Behind a run of digits, with separators between groups of three where
 * "thousands" is not '\0'.  NULL where a group has another size.
 */
static const char *
skip_digits(const char *text, const char *end, char thousands, int *digits)
{
	const char *group = text;
	bool		separated = false;

	*digits = 0;
	for (; text < end; text++)
	{
		if (*text >= '0' && *text <= '9')
			(*digits)++;
		else if (thousands != '\0' && *text == thousands)
		{
			int			size = text - group;

			if (separated ? size != 3 : size < 1 || size > 3)
				return NULL;
			separated = true;
			group = text + 1;
		}
		else
			break;
	}
	return separated && text - group != 3 ? NULL : text;
}

/*
 * An exponent that ends the value.  1E5 is as likely to be a code as a number,
 * so it needs a sign, or a fraction before it.
 */
static bool
skip_exponent(const char **text, const char *end, bool fraction)
{
	const char *p = *text;
	bool		has_sign;
	int			digits;

	if (*p != 'e' && *p != 'E')
		return false;
	p++;
	has_sign = p < end && (*p == '+' || *p == '-');
	if (has_sign)
		p++;
	*text = skip_digits(p, end, '\0', &digits);
	return *text == end && digits >= 1 && digits <= 3 && (has_sign || fraction);
}

/* Does bigint hold a whole number of this text, which is well-formed? */
static bool
fits_integer(const char *text, int length, char thousands)
{
	char		plain[24];
	int			n = 0;
	int			i;

	for (i = 0; i < length; i++)
	{
		if (thousands != '\0' && text[i] == thousands)
			continue;
		if (n == lengthof(plain) - 1)
			return false;
		plain[n++] = text[i];
	}
	plain[n] = '\0';
	errno = 0;
	(void) strtoll(plain, NULL, 10);
	return errno == 0;
}

/* The orders in which a value is a date, as MAY_ bits. */
static int
read_orders(const char *text, int length)
{
	static const struct
	{
		int			order;
		int			bit;
	}			orders[] = {
		{DATEORDER_YMD, MAY_YMD}, {DATEORDER_DMY, MAY_DMY}, {DATEORDER_MDY, MAY_MDY}
	};
	int			result = 0;
	int			i;

	for (i = 0; i < lengthof(orders); i++)
	{
		Timestamp	moment;
		const char *why;

		if (sigma_date_read(text, length, orders[i].order, true, &moment, &why))
			result |= orders[i].bit;
	}
	/* a year in front is no sign of the order of other values */
	return (result & MAY_YMD) != 0 ? MAY_DATE : result;
}

/* Is there a year of four digits before the time of day?  Not in a run of digits alone. */
static bool
has_long_year(const char *text, int length)
{
	int			run = 0;
	int			i;

	for (i = 0; i <= length; i++)
	{
		if (i < length && text[i] >= '0' && text[i] <= '9')
			run++;
		else if (run == 4)
			return true;
		else if (i < length && text[i] == ':')
			return false;
		else
			run = 0;
	}
	return false;
}

/*
 * In which order the dates are: as told, else as those columns say that can be
 * read in one way only.  MAY_YMD where they say nothing or contradict each other.
 */
static int
choose_order(const Guess *guesses, int count, const CsvOptions *options)
{
	int			proof = 0;
	int			i;

	if (options->has_date_order)
		return options->format.date_order == DATEORDER_DMY ? MAY_DMY :
			options->format.date_order == DATEORDER_MDY ? MAY_MDY : MAY_YMD;
	for (i = 0; i < count; i++)
	{
		int			orders = guesses[i].may & MAY_DATE;

		if (guesses[i].seen && (orders == MAY_DMY || orders == MAY_MDY))
			proof |= orders;
	}
	return proof == MAY_DMY || proof == MAY_MDY ? proof : MAY_YMD;
}

/* The narrowest type that holds all values. */
static const char *
choose_type(const Guess *guess, int order)
{
	if (!guess->seen)
		return "text";
	if (guess->may & MAY_INTEGER)
		return "integer";
	if (guess->may & MAY_NUMBER)
		return "number";
	if (guess->may & MAY_CHECKBOX)
		return "checkbox";
	if (guess->may & order)
		return guess->has_time ? "datetime" : "date";
	return "text";
}

/* Without blanks and tabs at both ends. */
static void
trim_blanks(const char **text, int *length)
{
	while (*length > 0 && (**text == ' ' || **text == '\t'))
		(*text)++, (*length)--;
	while (*length > 0 && ((*text)[*length - 1] == ' ' || (*text)[*length - 1] == '\t'))
		(*length)--;
}
