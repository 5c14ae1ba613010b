/*
 * csv_options.c
 *		The options of infer_columns and import_csv, read from their document.
 *
 * One table says which options there are.  Keys may be spelled in camelCase, as
 * in every document; values that cannot be are refused with their path.
 */
#include "postgres.h"

#include <ctype.h>

#include "miscadmin.h"
#include "nodes/pg_list.h"

#include "common/document.h"
#include "common/document_specs.h"
#include "common/errors.h"
#include "compat.h"
#include "input_table/csv.h"

/* How an option's value is read into CsvOptions. */
typedef void (*OptionReader) (CsvOptions *options, const JsonNode *value);

typedef struct OptionSpec
{
	const char *name;
	JsonKind	kind;			/* of its value; JSON_NULL: the reader looks itself */
	bool		import;			/* means nothing to infer_columns */
	OptionReader read;
} OptionSpec;

static void read_delimiter(CsvOptions *options, const JsonNode *value);
static void read_quote(CsvOptions *options, const JsonNode *value);
static void read_header(CsvOptions *options, const JsonNode *value);
static void read_encoding(CsvOptions *options, const JsonNode *value);
static void read_null_text(CsvOptions *options, const JsonNode *value);
static void read_decimal(CsvOptions *options, const JsonNode *value);
static void read_thousands(CsvOptions *options, const JsonNode *value);
static void read_date_order(CsvOptions *options, const JsonNode *value);
static void read_map(CsvOptions *options, const JsonNode *value);
static void read_mode(CsvOptions *options, const JsonNode *value);
static void read_key(CsvOptions *options, const JsonNode *value);
static void read_on_conflict(CsvOptions *options, const JsonNode *value);
static void read_replace(CsvOptions *options, const JsonNode *value);
static void read_dry_run(CsvOptions *options, const JsonNode *value);
static void read_max_errors(CsvOptions *options, const JsonNode *value);
static const OptionSpec *find_option(const JsonNode *value, bool import);
static void unknown_option(const JsonNode *value, const char *name, bool import) pg_attribute_noreturn();
static void check_together(const CsvOptions *options, const JsonNode *document);

static const OptionSpec specs[] = {
	{"delimiter", JSON_STRING, false, read_delimiter},
	{"header", JSON_BOOL, false, read_header},
	{"quote", JSON_STRING, false, read_quote},
	{"encoding", JSON_STRING, false, read_encoding},
	{"null_text", JSON_STRING, false, read_null_text},
	{"decimal", JSON_STRING, false, read_decimal},
	{"thousands", JSON_STRING, false, read_thousands},
	{"date_order", JSON_STRING, false, read_date_order},
	{"map", JSON_OBJECT, true, read_map},
	{"mode", JSON_STRING, true, read_mode},
	{"key", JSON_NULL, true, read_key},
	{"on_conflict", JSON_STRING, true, read_on_conflict},
	{"replace", JSON_BOOL, true, read_replace},
	{"dry_run", JSON_BOOL, true, read_dry_run},
	{"max_errors", JSON_NUMBER, true, read_max_errors}
};

/*
 * Fill *options from a document; an option that is null is absent.  Raises SG400
 * for an unknown option or a value that it cannot have.
 */
void
sigma_csv_read_options(CsvOptions *options, JsonNode *document, bool import)
{
	const OptionSpec *seen[lengthof(specs)];
	int			nseen = 0;
	int			i;

	memset(options, 0, sizeof(CsvOptions));
	options->quote = '"';
	options->header = true;
	options->format = sigma_plain_format;
	options->mode = BATCH_STRICT;
	if (document->kind != JSON_OBJECT)
		sigma_document_error(document, 0, NULL, "options must be an object, not %s",
							 sigma_json_kind_name(document));

	for (i = 0; i < document->count; i++)
	{
		JsonNode   *value = document->items[i];
		const OptionSpec *spec = find_option(value, import);
		int			j;

		for (j = 0; j < nseen; j++)
			if (seen[j] == spec)
				sigma_document_error(value, 0, NULL, "option \"%s\" is given twice", spec->name);
		seen[nseen++] = spec;
		if (value->kind == JSON_NULL)
			continue;
		if (spec->kind != JSON_NULL && value->kind != spec->kind)
			sigma_document_error(value, 0, NULL, "option \"%s\" must be %s, not %s", spec->name,
								 spec->kind == JSON_STRING ? "text" :
								 spec->kind == JSON_BOOL ? "true or false" :
								 spec->kind == JSON_OBJECT ? "an object" : "a number",
								 sigma_json_kind_name(value));
		spec->read(options, value);
	}
	check_together(options, document);
}

/* One byte that can separate cells; "tab" and a written \t are a tab. */
static void
read_delimiter(CsvOptions *options, const JsonNode *value)
{
	const char *text = value->string;

	if (pg_strcasecmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
		text = "\t";
	if (strlen(text) != 1 || strchr("\r\n\"", *text) != NULL || isalnum((unsigned char) *text))
		sigma_document_error(value, 0, "Usual ones are comma, semicolon, tab and \"|\".",
							 "\"%s\" cannot be a delimiter", value->string);
	options->delimiter = *text;
}

/* One byte, or nothing where cells are never quoted. */
static void
read_quote(CsvOptions *options, const JsonNode *value)
{
	if (strlen(value->string) > 1 ||
		(*value->string != '\0' && (strchr("\r\n\t ,;|", *value->string) != NULL ||
									isalnum((unsigned char) *value->string))))
		sigma_document_error(value, 0, "It is \" by default, often ', and empty where cells are never quoted.",
							 "\"%s\" cannot be a quote", value->string);
	options->quote = *value->string;
}

/* Does the first record name the columns? */
static void
read_header(CsvOptions *options, const JsonNode *value)
{
	options->header = value->boolean;
}

/* Its name is looked up by the reader, who knows what the input is. */
static void
read_encoding(CsvOptions *options, const JsonNode *value)
{
	options->encoding = value->string;
}

/* Any text; it stands for null besides the empty one. */
static void
read_null_text(CsvOptions *options, const JsonNode *value)
{
	options->null_text = value->string;
}

/* A point or a comma. */
static void
read_decimal(CsvOptions *options, const JsonNode *value)
{
	if (strcmp(value->string, ".") != 0 && strcmp(value->string, ",") != 0)
		sigma_document_error(value, 0, "It is \".\" or \",\".",
							 "\"%s\" cannot be a decimal point", value->string);
	options->format.decimal = *value->string;
}

/* One of the bytes that people put between groups of digits, or nothing. */
static void
read_thousands(CsvOptions *options, const JsonNode *value)
{
	if (strlen(value->string) > 1 ||
		(*value->string != '\0' && strchr(".,' _", *value->string) == NULL))
		sigma_document_error(value, 0, "It is \".\", \",\", \"'\", \"_\", a blank, or empty for none.",
							 "\"%s\" cannot separate thousands", value->string);
	options->format.thousands = *value->string;
}

/* One of three words, in any case. */
static void
read_date_order(CsvOptions *options, const JsonNode *value)
{
	options->has_date_order = true;
	if (pg_strcasecmp(value->string, "ymd") == 0)
		options->format.date_order = DATEORDER_YMD;
	else if (pg_strcasecmp(value->string, "dmy") == 0)
		options->format.date_order = DATEORDER_DMY;
	else if (pg_strcasecmp(value->string, "mdy") == 0)
		options->format.date_order = DATEORDER_MDY;
	else
		sigma_document_error(value, 0, "It is ymd, dmy or mdy.",
							 "\"%s\" is no order of dates", value->string);
}

/* Headers are looked up once they are known. */
static void
read_map(CsvOptions *options, const JsonNode *value)
{
	int			i;

	for (i = 0; i < value->count; i++)
		if (value->items[i]->kind != JSON_STRING && value->items[i]->kind != JSON_NULL)
			sigma_document_error(value->items[i], 0, NULL,
								 "a header is mapped to the name of a column, or to null to leave it out, not to %s",
								 sigma_json_kind_name(value->items[i]));
	options->map = sigma_json_copy(value);
}

/* As of a data entry. */
static void
read_mode(CsvOptions *options, const JsonNode *value)
{
	options->mode = sigma_batch_mode(value->string);
}

/* Columns are looked up once the table is known. */
static void
read_key(CsvOptions *options, const JsonNode *value)
{
	options->key = sigma_json_copy(value);
}

/* Read together with the key. */
static void
read_on_conflict(CsvOptions *options, const JsonNode *value)
{
	options->on_conflict = sigma_json_copy(value);
}

/* Do the rows that are there go first? */
static void
read_replace(CsvOptions *options, const JsonNode *value)
{
	options->replace = value->boolean;
}

/* Is nothing written? */
static void
read_dry_run(CsvOptions *options, const JsonNode *value)
{
	options->dry_run = value->boolean;
}

/* A whole number of failures that are returned. */
static void
read_max_errors(CsvOptions *options, const JsonNode *value)
{
	const char *text = sigma_json_text(value);

	if (strlen(text) <= 6 && strspn(text, "0123456789") == strlen(text))
		options->max_errors = atoi(text);
	if (options->max_errors < 1 || options->max_errors > 100000)
		sigma_document_error(value, 0, NULL,
							 "option \"max_errors\" must be a whole number from 1 to 100000");
}

/* The option that a member is; raises SG400 for one that is none. */
static const OptionSpec *
find_option(const JsonNode *value, bool import)
{
	const char *name = sigma_respell(value->key);
	int			i;

	if (strcmp(name, "header_row") == 0)
		name = "header";
	for (i = 0; i < lengthof(specs); i++)
		if (strcmp(specs[i].name, name) == 0)
		{
			if (specs[i].import && !import)
				break;
			return &specs[i];
		}
	unknown_option(value, name, import);
}

/* Raise SG400 for an option that is none, or one of the other function. */
static void
unknown_option(const JsonNode *value, const char *name, bool import)
{
	const char *names[lengthof(specs) + 1];
	int			count = 0;
	int			i;

	for (i = 0; i < lengthof(specs); i++)
	{
		if (import || !specs[i].import)
			names[count++] = specs[i].name;
		else if (strcmp(specs[i].name, name) == 0)
			sigma_document_error(value, 0, "It is an option of sigma.import_csv.",
								 "option \"%s\" means nothing to sigma.infer_columns", name);
	}
	names[count] = NULL;
	sigma_document_error(value, 0, sigma_hint_names(name, names),
						 "unknown option \"%s\"", value->key);
}

/* Characters that would mean two things at once: SG400. */
static void
check_together(const CsvOptions *options, const JsonNode *document)
{
	if (options->delimiter != '\0' && options->delimiter == options->quote)
		sigma_document_error(document, 0, NULL, "delimiter and quote are the same character");
	if (options->format.decimal == options->format.thousands)
		sigma_document_error(document, 0, NULL,
							 "decimal point and separator of thousands are the same character");
}
