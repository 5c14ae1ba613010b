/*
 * csv.c
 *		Records of CSV: cells, quotes, line numbers, the delimiter, the names in the header.
 *
 * Quotes count at the start of a cell only; inside a quoted cell everything is
 * data but the quote, which is doubled.  LF, CR and CRLF end a record, mixed as
 * they come.  A record that does not end in the window is read again from its
 * start once there is more; the window at least doubles before, so a long
 * record costs no more than twice its length.
 *
 * Lines are those of an editor: physical, 1-based, also inside quoted cells.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "input_table/csv.h"

/* Those of a PostgreSQL table but for the five system columns. */
#define MAX_COLUMNS		(MaxHeapAttributeNumber - 5)

/* Bytes of a header that are kept as given. */
#define MAX_HEADER		255

/* How a look at the next record ended. */
typedef enum ScanResult
{
	SCAN_RECORD,				/* a whole one */
	SCAN_MORE,					/* the window ends before it does */
	SCAN_OPEN,					/* so does the input, inside a quoted cell */
	SCAN_END					/* there is none */
} ScanResult;

/* Where a scan stands. */
typedef struct Scan
{
	size_t		at;				/* offset in the window */
	int64		breaks;			/* line breaks inside quoted cells so far */
	int64		open_breaks;	/* SCAN_OPEN: those before the cell that is open */
	int			bad_quote;		/* 1-based cell, or 0 */
} Scan;

/* A column's name that is in use. */
typedef struct TakenName
{
	char		name[NAMEDATALEN];	/* hash key, must be first */
	int			number;			/* last one put behind it */
} TakenName;

static void set_delimiter(CsvReader *reader, char delimiter);
static char sniff_delimiter(CsvReader *reader);
static double score_delimiter(CsvReader *reader);
static ScanResult scan_record(CsvReader *reader, Scan *scan);
static ScanResult scan_quoted(CsvReader *reader, Scan *scan, CsvField *field);
static CsvField *new_field(CsvReader *reader);
static bool scan_break(const CsvReader *reader, Scan *scan);
static bool is_blank_record(const CsvReader *reader);
static void fill_double(CsvReader *reader);
static void check_growth(const CsvReader *reader, const Scan *scan);
static void finish_fields(CsvReader *reader);
static void undo_doubling(CsvReader *reader, CsvField *field);
static char *clean_header(const CsvField *field, int number);
static char *unique_header(HTAB *taken, char *name);
static void take_name(HTAB *taken, const char *name);
static HTAB *make_taken_names(void);
static char *clip_name(const char *name, int room);

/* Settle the delimiter; the reader stands at its start. */
void
sigma_csv_begin(CsvReader *reader, const CsvOptions *options)
{
	set_delimiter(reader, options->delimiter);
	if (options->delimiter == '\0')
		set_delimiter(reader, sniff_delimiter(reader));
}

/*
 * Read the next record that is not blank into reader->fields.  Returns false at
 * the end.  Raises 22P04 for a quote that is never closed, 54000 for a cell over
 * the limit, and what sigma_csv_fill raises.
 */
bool
sigma_csv_next(CsvReader *reader)
{
	for (;;)
	{
		Scan		scan = {reader->at, 0, 0, 0};
		ScanResult	result = scan_record(reader, &scan);

		switch (result)
		{
			case SCAN_END:
				return false;
			case SCAN_MORE:
				check_growth(reader, &scan);
				fill_double(reader);
				continue;
			case SCAN_OPEN:
				ereport(ERROR,
						(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
						 errmsg("the quote that opens on line " INT64_FORMAT " of the CSV is never closed",
								reader->line + scan.open_breaks),
						 errhint("Double a quote that is part of a quoted cell, or set the option \"quote\".")));
				break;
			case SCAN_RECORD:
				break;
		}

		reader->record_line = reader->line;
		reader->line += scan.breaks + 1;
		reader->at = scan.at;
		if (is_blank_record(reader))
		{
			reader->skipped_blank++;
			continue;
		}
		reader->bad_quote = scan.bad_quote;
		finish_fields(reader);
		return true;
	}
}

/* Back to the first record. */
void
sigma_csv_rewind(CsvReader *reader, const CsvOptions *options)
{
	sigma_csv_restart(reader);
	if (options->header)
		(void) sigma_csv_next(reader);
}

/* About how many bytes of the input the records so far took. */
int64
sigma_csv_position(const CsvReader *reader)
{
	return (int64) reader->input_at - (int64) (reader->length - reader->at);
}

/* Physical lines read so far; a last one without a line break counts. */
int64
sigma_csv_lines(const CsvReader *reader)
{
	return reader->line - 1;
}

/*
 * The columns' names, as a List of strings; *given (may be NULL) gets the
 * headers as they stand in the input, or the names where it has none.  The
 * reader stands before the first data row afterwards.  Raises 22P04 where a
 * header is wanted and there is none, 54011 where no table is that wide.
 */
List *
sigma_csv_headers(CsvReader *reader, const CsvOptions *options, List **given)
{
	List	   *names = NIL;
	List	   *headers = NIL;
	bool		found = sigma_csv_next(reader);
	HTAB	   *taken = make_taken_names();
	int			i;

	if (options->header && !found)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("the CSV is empty"),
				 errhint("Its first line should hold the column headers; the option \"header\": false says that there are none.")));
	if (options->header && reader->bad_quote > 0)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("header %d on line " INT64_FORMAT " of the CSV goes on behind its closing quote",
						reader->bad_quote, reader->record_line)));

	if (found && reader->nfield > MAX_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_COLUMNS),
				 errmsg("the CSV has %d columns, an input table can have %d",
						reader->nfield, MAX_COLUMNS)));

	for (i = 0; found && i < reader->nfield; i++)
	{
		char	   *name = options->header ? clean_header(&reader->fields[i], i + 1) :
			psprintf("Column %d", i + 1);

		name = unique_header(taken, name);
		names = lappend(names, name);
		headers = lappend(headers, !options->header ? name :
						  pnstrdup(reader->fields[i].text,
								   pg_mbcliplen(reader->fields[i].text, reader->fields[i].length, MAX_HEADER)));
	}
	hash_destroy(taken);
	reader->single = list_length(names) == 1;
	if (!options->header)
		sigma_csv_restart(reader);
	if (given != NULL)
		*given = headers;
	return names;
}

/* Is the cell null?  Empty ones are, and the null text, unless they are quoted. */
bool
sigma_csv_is_null(const CsvField *field, const CsvOptions *options)
{
	if (field->quoted)
		return false;
	return field->length == 0 ||
		(options->null_text != NULL && strcmp(field->text, options->null_text) == 0);
}

/* Make "delimiter" the one that cells end at. */
static void
set_delimiter(CsvReader *reader, char delimiter)
{
	memset(reader->special, 0, sizeof(reader->special));
	reader->delimiter = delimiter;
	reader->special[(unsigned char) delimiter] = true;
	reader->special['\n'] = true;
	reader->special['\r'] = true;
}

/*
 * The delimiter under which the first window's records have the most cells and
 * the same number of them.  Quoted text is read as such under each candidate.
 */
static char
sniff_delimiter(CsvReader *reader)
{
	static const char candidates[] = {',', ';', '\t', '|'};
	char		best = ',';
	double		best_score = 0;
	int			i;

	(void) sigma_csv_fill(reader);
	for (i = 0; i < lengthof(candidates); i++)
	{
		double		score;

		set_delimiter(reader, candidates[i]);
		score = score_delimiter(reader);
		if (score > best_score)
		{
			best = candidates[i];
			best_score = score;
		}
	}
	return best;
}

/* Cells of the first record, by the share of later records that have as many. */
static double
score_delimiter(CsvReader *reader)
{
	Scan		scan = {reader->at, 0, 0, 0};
	int			cells = 0;
	int			records = 0;
	int			alike = 0;

	while (scan_record(reader, &scan) == SCAN_RECORD)
	{
		if (is_blank_record(reader))
			continue;
		if (records++ == 0)
			cells = reader->nfield;
		if (reader->nfield == cells)
			alike++;
		if (scan.bad_quote > 0)
		{
			alike--;			/* a sign of the wrong delimiter */
			scan.bad_quote = 0;
		}
	}
	if (records == 0)
		cells = reader->nfield; /* one record that is longer than the window */
	if (cells < 2)
		return 0;
	return records == 0 ? cells : (double) cells * Max(alike, 0) / records;
}

/*
 * Look at the record at scan->at.  SCAN_RECORD: reader->fields hold offsets, and
 * scan->at is behind its line break.
 */
static ScanResult
scan_record(CsvReader *reader, Scan *scan)
{
	reader->nfield = 0;
	if (scan->at == reader->length)
		return reader->at_end ? SCAN_END : SCAN_MORE;

	for (;;)
	{
		CsvField   *field = new_field(reader);
		const char *window = reader->window;

		field->start = scan->at;
		field->quoted = field->doubled = false;
		field->length = 0;
		if (reader->quote != '\0' && scan->at < reader->length &&
			window[scan->at] == reader->quote)
		{
			ScanResult	result = scan_quoted(reader, scan, field);

			if (result != SCAN_RECORD)
				return result;
		}
		else
		{
			while (scan->at < reader->length &&
				   !reader->special[(unsigned char) window[scan->at]])
				scan->at++;
			field->length = scan->at - field->start;
		}

		if (scan->at == reader->length)
			return reader->at_end ? SCAN_RECORD : SCAN_MORE;
		if (window[scan->at] != reader->delimiter)
			return scan_break(reader, scan) ? SCAN_RECORD : SCAN_MORE;
		scan->at++;
		if (scan->at == reader->length && !reader->at_end)
			return SCAN_MORE;
	}
}

/* A cell that begins with a quote, up to what ends it. */
static ScanResult
scan_quoted(CsvReader *reader, Scan *scan, CsvField *field)
{
	const char *window = reader->window;
	const char *end = window + reader->length;
	const char *p = window + scan->at + 1;

	field->quoted = true;
	field->start = scan->at + 1;
	scan->open_breaks = scan->breaks;
	for (;;)
	{
		p = p < end ? memchr(p, reader->quote, end - p) : NULL;
		if (p == NULL || (p + 1 == end && !reader->at_end))
		{
			scan->at = reader->length;
			return reader->at_end ? SCAN_OPEN : SCAN_MORE;
		}
		if (p + 1 == end || p[1] != reader->quote)
			break;
		field->doubled = true;
		p += 2;
	}
	field->length = p - window - field->start;
	scan->breaks += sigma_csv_count_breaks(window + field->start, field->length);

	/* blanks behind the quote do no harm, anything else does */
	for (p++; p < end && !reader->special[(unsigned char) *p]; p++)
		if (*p != ' ' && scan->bad_quote == 0)
			scan->bad_quote = reader->nfield;
	scan->at = p - window;
	return SCAN_RECORD;
}

/* One more cell for the current record. */
static CsvField *
new_field(CsvReader *reader)
{
	if (reader->nfield == reader->max_field)
	{
		reader->max_field *= 2;
		reader->fields = repalloc_huge(reader->fields, sizeof(CsvField) * reader->max_field);
	}
	return &reader->fields[reader->nfield++];
}

/* Step over a line break; false where its second half may still come. */
static bool
scan_break(const CsvReader *reader, Scan *scan)
{
	if (reader->window[scan->at++] != '\r')
		return true;
	if (scan->at == reader->length)
		return reader->at_end;
	if (reader->window[scan->at] == '\n')
		scan->at++;
	return true;
}

/*
 * A line with nothing on it, or nothing but blanks.  Where there is one column
 * alone, blanks are its value.
 */
static bool
is_blank_record(const CsvReader *reader)
{
	const CsvField *field = &reader->fields[0];
	int			i;

	if (reader->nfield != 1 || field->quoted || (reader->single && field->length > 0))
		return false;
	for (i = 0; i < field->length; i++)
		if (reader->window[field->start + i] != ' ' && reader->window[field->start + i] != '\t')
			return false;
	return true;
}

/*
 * At least double what there is of the next record, with a stop where one cell
 * becomes too large.
 */
static void
fill_double(CsvReader *reader)
{
	const size_t limit = SIGMA_MAX_CELL + 64 * 1024;
	size_t		present = reader->length - reader->at;
	size_t		wanted = present < limit ? Min(2 * present, limit) : 2 * present;

	while (sigma_csv_fill(reader) && reader->length < wanted)
		 /* fill moves the record to the window's start */ ;
}

/* Raise 54000 where a record that is not whole yet is over the limit for one cell. */
static void
check_growth(const CsvReader *reader, const Scan *scan)
{
	const CsvField *field;

	if (reader->nfield == 0 || reader->length - reader->at <= SIGMA_MAX_CELL)
		return;
	field = &reader->fields[reader->nfield - 1];
	if (reader->length - field->start > SIGMA_MAX_CELL)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the cell that begins on line " INT64_FORMAT " of the CSV is larger than %d MB",
						reader->line + (field->quoted ? scan->open_breaks : scan->breaks),
						SIGMA_MAX_CELL / (1024 * 1024)),
				 field->quoted ? errhint("Is its closing quote missing?") : 0));
}

/* From offsets to zero-terminated texts, once the record is whole. */
static void
finish_fields(CsvReader *reader)
{
	int			i;

	for (i = 0; i < reader->nfield; i++)
	{
		CsvField   *field = &reader->fields[i];

		field->text = reader->window + field->start;
		if (field->doubled)
			undo_doubling(reader, field);
		field->text[field->length] = '\0';
	}
}

/* Two quotes become one, in place. */
static void
undo_doubling(CsvReader *reader, CsvField *field)
{
	const char *from = field->text;
	const char *end = field->text + field->length;
	char	   *to = field->text;

	while (from < end)
	{
		if (*from == reader->quote)
			from++;
		*to++ = *from++;
	}
	field->length = to - field->text;
}

/* A header as a column's name: trimmed, no control characters, none of the reserved prefixes. */
static char *
clean_header(const CsvField *field, int number)
{
	char	   *name = pstrdup(field->text);
	char	   *end;
	char	   *p;

	for (p = name; *p != '\0'; p++)
		if ((unsigned char) *p < ' ' || *p == 0x7F)
			*p = ' ';
	for (;;)
	{
		while (*name == ' ')
			name++;
		if (pg_strncasecmp(name, "sigma_", 6) != 0)
			break;
		name += 6;
	}
	end = name + strlen(name);
	while (end > name && end[-1] == ' ')
		end--;
	*end = '\0';
	if (*name == '\0')
		return psprintf("Column %d", number);
	return clip_name(name, NAMEDATALEN - 1);
}

/*
 * The name, with a number behind it where it is taken already.  PostgreSQL's own
 * column names are.
 */
static char *
unique_header(HTAB *taken, char *name)
{
	char	   *result = name;
	TakenName  *first = hash_search(taken, name, HASH_FIND, NULL);

	if (first != NULL)
	{
		int			number = first->number;

		do
		{
			char		suffix[16];

			snprintf(suffix, sizeof(suffix), " (%d)", ++number);
			result = psprintf("%s%s", clip_name(name, NAMEDATALEN - 1 - strlen(suffix)), suffix);
		} while (hash_search(taken, result, HASH_FIND, NULL) != NULL);
		first->number = number;
	}
	take_name(taken, result);
	return result;
}

/* Note that a column has this name. */
static void
take_name(HTAB *taken, const char *name)
{
	TakenName  *entry = hash_search(taken, name, HASH_ENTER, NULL);

	entry->number = 1;
}

/* The names that a column cannot have any more, to begin with those of system columns. */
static HTAB *
make_taken_names(void)
{
	static const char *const system_names[] = {
		"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"
	};
	HASHCTL		control = {0};
	HTAB	   *taken;
	int			i;

	control.keysize = NAMEDATALEN;
	control.entrysize = sizeof(TakenName);
	control.hcxt = CurrentMemoryContext;
	taken = hash_create("sigma CSV headers", 64, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	for (i = 0; i < lengthof(system_names); i++)
		take_name(taken, system_names[i]);
	return taken;
}

/* As much of a name as fits, in whole characters, without blanks at its end. */
static char *
clip_name(const char *name, int room)
{
	int			length = pg_mbcliplen(name, strlen(name), room);

	while (length > 1 && name[length - 1] == ' ')
		length--;
	return pnstrdup(name, length);
}
