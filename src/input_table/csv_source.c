/*
 * csv_source.c
 *		Where CSV comes from: text, bytes or a server file, brought into the database's encoding.
 *
 * Input is taken in chunks, checked and converted one by one, and appended to
 * the reader's window, so that memory does not grow with the input and a bad
 * byte is reported with the line it stands on.  Conversion comes before any
 * look for delimiters: in some encodings a character's second byte may look
 * like one.
 *
 * A file is opened with AllocateFile: an error closes it.
 */
#include "postgres.h"

#include <ctype.h>
#include <sys/stat.h>

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#include "compat.h"
#include "input_table/csv.h"

#define CHUNK	(64 * 1024)		/* bytes that are taken at once */

static CsvReader *make_reader(const CsvOptions *options);
static void choose_coding(CsvReader *reader, const char *given);
static int	find_mark(CsvReader *reader, const char **means);
static void name_coding(CsvReader *reader, const char *given);
static bool same_name(const char *a, const char *b);
static bool take_raw(CsvReader *reader);
static void append_text(CsvReader *reader, const char *text, size_t length);
static char *reserve_window(CsvReader *reader, size_t more);
static size_t append_checked(CsvReader *reader, const char *bytes, size_t length, bool last);
static void append_converted(CsvReader *reader, const char *bytes, size_t length);
static size_t append_utf16(CsvReader *reader, const char *bytes, size_t length, bool last);
static int	decode_utf16(CsvReader *reader, const unsigned char *at, size_t left, pg_wchar *character);
static void bad_bytes(CsvReader *reader, const char *bytes, size_t good, size_t length) pg_attribute_noreturn();
static int64 line_after(CsvReader *reader, const char *bytes, size_t length);

/* A reader of text in the database's encoding; 22023 where another one is asked for. */
CsvReader *
sigma_csv_open_text(const char *text, size_t length, const CsvOptions *options)
{
	CsvReader  *reader = make_reader(options);

	if (options->encoding != NULL &&
		pg_char_to_encoding(options->encoding) != GetDatabaseEncoding())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("CSV given as text is already in the database's encoding, not in \"%s\"",
						options->encoding),
				 errhint("Pass the file's bytes as bytea, or use sigma.import_csv_file.")));

	sigma_csv_check_size(length);
	reader->input = text;
	reader->input_length = length;
	reader->coding = CSV_SERVER;
	reader->encoding = GetDatabaseEncoding();
	if (reader->encoding == PG_UTF8 && length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		reader->mark = 3;
	sigma_csv_restart(reader);
	sigma_csv_begin(reader, options);
	return reader;
}

/* A reader of bytes in the encoding that the options, a byte order mark or the default (UTF-8) say. */
CsvReader *
sigma_csv_open_bytes(const char *bytes, size_t length, const CsvOptions *options)
{
	CsvReader  *reader = make_reader(options);

	sigma_csv_check_size(length);
	reader->input = bytes;
	reader->input_length = length;
	choose_coding(reader, options->encoding);
	sigma_csv_begin(reader, options);
	return reader;
}

/* A reader of a server file; the caller has checked that its user may read files. */
CsvReader *
sigma_csv_open_file(const char *path, const CsvOptions *options)
{
	CsvReader  *reader = make_reader(options);
	struct stat status;

	/* a pipe or a device could block for ever */
	if (stat(path, &status) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\" for reading: %m", path)));
	if (!S_ISREG(status.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", path)));
	sigma_csv_check_size(status.st_size);

	reader->path = pstrdup(path);
	reader->input_length = status.st_size;
	reader->file = AllocateFile(path, PG_BINARY_R);
	if (reader->file == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\" for reading: %m", path)));
	choose_coding(reader, options->encoding);
	sigma_csv_begin(reader, options);
	return reader;
}

/* Close the file; memory goes with its context. */
void
sigma_csv_close(CsvReader *reader)
{
	if (reader->file != NULL)
		FreeFile(reader->file);
	reader->file = NULL;
}

/* Back to the first byte behind the byte order mark. */
void
sigma_csv_restart(CsvReader *reader)
{
	reader->input_at = reader->mark;
	reader->raw_length = 0;
	reader->length = 0;
	reader->at = 0;
	reader->at_end = false;
	reader->line = 1;
	reader->skipped_blank = 0;
	if (reader->file != NULL && fseeko(reader->file, reader->mark, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", reader->path)));
}

/*
 * Bring more text into the window; what is before the next record leaves it.
 * Returns false where there was no more.  Raises 22021 and 22P05 for bytes that
 * are no text, with their line.
 */
bool
sigma_csv_fill(CsvReader *reader)
{
	size_t		had;

	CHECK_FOR_INTERRUPTS();
	if (reader->at_end)
		return false;
	if (reader->at > 0)
	{
		reader->length -= reader->at;
		memmove(reader->window, reader->window + reader->at, reader->length);
		reader->at = 0;
	}

	had = reader->length;
	while (reader->length == had && !reader->at_end)
	{
		bool		last = !take_raw(reader);
		size_t		used;

		if (reader->coding == CSV_UTF16LE || reader->coding == CSV_UTF16BE)
			used = append_utf16(reader, reader->raw, reader->raw_length, last);
		else if (reader->coding == CSV_BYTES)
			used = append_checked(reader, reader->raw, reader->raw_length, last);
		else
		{
			append_text(reader, reader->raw, reader->raw_length);
			used = reader->raw_length;
		}
		reader->raw_length -= used;
		memmove(reader->raw, reader->raw + used, reader->raw_length);
		reader->at_end = last;
	}
	return reader->length > had;
}

/* Line breaks in a text: LF, CR or both together; one that may go on behind the end is counted. */
int64
sigma_csv_count_breaks(const char *text, size_t length)
{
	const char *end = text + length;
	int64		count = 0;
	const char *p;

	for (p = text; p < end; p++)
		if (*p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n')))
			count++;
	return count;
}

/* What the input was read as, for the result. */
const char *
sigma_csv_encoding_name(const CsvReader *reader)
{
	if (reader->coding == CSV_UTF16LE)
		return "UTF16LE";
	if (reader->coding == CSV_UTF16BE)
		return "UTF16BE";
	return pg_encoding_to_char(reader->encoding);
}

/* Raise 54000 for an input over the limit. */
void
sigma_csv_check_size(uint64 size)
{
	if (size > SIGMA_MAX_CSV)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("CSV is larger than %d MB", SIGMA_MAX_CSV / (1024 * 1024)),
				 errhint("Import it in parts.")));
}

/* An empty reader in the current context. */
static CsvReader *
make_reader(const CsvOptions *options)
{
	CsvReader  *reader = palloc0(sizeof(CsvReader));

	reader->cxt = CurrentMemoryContext;
	reader->quote = options->quote;
	reader->raw = palloc(CHUNK);
	reader->capacity = 4 * CHUNK;
	reader->window = palloc(reader->capacity);
	reader->max_field = 64;
	reader->fields = palloc(sizeof(CsvField) * reader->max_field);
	return reader;
}

/* Settle the encoding of bytes; 22023 where it is unknown or a mark speaks against it. */
static void
choose_coding(CsvReader *reader, const char *given)
{
	const char *marked = NULL;

	(void) take_raw(reader);
	reader->mark = find_mark(reader, &marked);
	if (given != NULL && marked != NULL && !same_name(given, marked) &&
		!(same_name(given, "UTF16") && strncmp(marked, "UTF16", 5) == 0) &&
		!(same_name(given, "UNICODE") && strcmp(marked, "UTF8") == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("encoding is \"%s\", but the CSV begins with a byte order mark of %s",
						given, marked)));
	if (given != NULL && marked == NULL && same_name(given, "UTF16"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("UTF-16 without a byte order mark can be read in two ways"),
				 errhint("Use encoding \"UTF-16LE\" or \"UTF-16BE\".")));
	name_coding(reader, marked != NULL ? marked : given != NULL ? given : "UTF8");

	if (reader->encoding != GetDatabaseEncoding() && reader->encoding != PG_SQL_ASCII &&
		GetDatabaseEncoding() != PG_SQL_ASCII)
	{
		reader->conversion = FindDefaultConversionProc(reader->encoding, GetDatabaseEncoding());
		if (!OidIsValid(reader->conversion))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("default conversion function for encoding \"%s\" to \"%s\" does not exist",
							pg_encoding_to_char(reader->encoding), GetDatabaseEncodingName())));
	}
	sigma_csv_restart(reader);
}

/* Length of a byte order mark at the start of the raw bytes, and what it means. */
static int
find_mark(CsvReader *reader, const char **means)
{
	const char *raw = reader->raw;

	if (reader->raw_length >= 4 &&
		(memcmp(raw, "\xFF\xFE\0\0", 4) == 0 || memcmp(raw, "\0\0\xFE\xFF", 4) == 0))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("CSV in UTF-32 cannot be read"),
				 errhint("Save the file as UTF-8.")));
	if (reader->raw_length >= 3 && memcmp(raw, "\xEF\xBB\xBF", 3) == 0)
	{
		*means = "UTF8";
		return 3;
	}
	if (reader->raw_length >= 2 && memcmp(raw, "\xFF\xFE", 2) == 0)
	{
		*means = "UTF16LE";
		return 2;
	}
	if (reader->raw_length >= 2 && memcmp(raw, "\xFE\xFF", 2) == 0)
	{
		*means = "UTF16BE";
		return 2;
	}
	return 0;
}

/* Set coding and encoding by name; 22023 for an unknown one. */
static void
name_coding(CsvReader *reader, const char *given)
{
	reader->encoding = PG_UTF8;
	if (same_name(given, "UTF16LE"))
		reader->coding = CSV_UTF16LE;
	else if (same_name(given, "UTF16BE"))
		reader->coding = CSV_UTF16BE;
	else
	{
		reader->coding = CSV_BYTES;
		reader->encoding = pg_char_to_encoding(given);
		if (reader->encoding < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown encoding \"%s\"", given),
					 errhint("Encodings are UTF-8, UTF-16 and those that PostgreSQL knows, such as LATIN1, WIN1252 or SJIS.")));
	}
}

/* The same encoding name?  Case and everything but letters and digits is ignored. */
static bool
same_name(const char *a, const char *b)
{
	for (;; a++, b++)
	{
		while (*a != '\0' && !isalnum((unsigned char) *a))
			a++;
		while (*b != '\0' && !isalnum((unsigned char) *b))
			b++;
		if (pg_tolower((unsigned char) *a) != pg_tolower((unsigned char) *b))
			return false;
		if (*a == '\0')
			return true;
	}
}

/* Fill the raw buffer up.  Returns whether there may be more behind it. */
static bool
take_raw(CsvReader *reader)
{
	size_t		room = CHUNK - reader->raw_length;
	size_t		got;

	if (reader->file == NULL)
	{
		got = Min(room, reader->input_length - reader->input_at);
		memcpy(reader->raw + reader->raw_length, reader->input + reader->input_at, got);
	}
	else
	{
		got = fread(reader->raw + reader->raw_length, 1, room, reader->file);
		if (got < room && ferror(reader->file))
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", reader->path)));
		sigma_csv_check_size((uint64) reader->input_at + got);	/* it may be growing */
	}
	reader->raw_length += got;
	reader->input_at += got;
	return got == room;
}

/* Append text to the window as it is. */
static void
append_text(CsvReader *reader, const char *text, size_t length)
{
	memcpy(reserve_window(reader, length), text, length);
	reader->length += length;
}

/* Room for "more" bytes and one more at the window's end. */
static char *
reserve_window(CsvReader *reader, size_t more)
{
	if (reader->length + more + 1 > reader->capacity)
	{
		while (reader->length + more + 1 > reader->capacity)
			reader->capacity *= 2;
		reader->window = repalloc_huge(reader->window, reader->capacity);
	}
	return reader->window + reader->length;
}

/*
 * Check and convert bytes in reader->encoding.  Returns how many were used: a
 * character that is cut at the end stays for the next time unless "last".
 */
static size_t
append_checked(CsvReader *reader, const char *bytes, size_t length, bool last)
{
	size_t		good = pg_encoding_verifymbstr(reader->encoding, bytes, length);

	if (good < length &&
		(last || bytes[good] == '\0' ||
		 length - good >= pg_encoding_max_length(reader->encoding)))
		bad_bytes(reader, bytes, good, length);

	if (OidIsValid(reader->conversion))
	{
		append_converted(reader, bytes, good);
		return good;
	}

	/* from or to SQL_ASCII: the result must be valid where it goes */
	if (reader->encoding != GetDatabaseEncoding())
	{
		size_t		fit = pg_encoding_verifymbstr(GetDatabaseEncoding(), bytes, good);

		if (fit < good && (last || good - fit >= pg_database_encoding_max_length()))
			bad_bytes(reader, bytes, fit, length);
		good = fit;
	}
	append_text(reader, bytes, good);
	return good;
}

/* Append checked bytes in the database's encoding; 22P05 for a character that it does not have. */
static void
append_converted(CsvReader *reader, const char *bytes, size_t length)
{
	size_t		room = length * MAX_CONVERSION_GROWTH + 8;
	char	   *target = reserve_window(reader, room);
	size_t		converted;

	if (length == 0)
		return;
	converted = pg_do_encoding_conversion_buf(reader->conversion,
											  reader->encoding, GetDatabaseEncoding(),
											  (unsigned char *) unconstify(char *, bytes), length,
											  (unsigned char *) target, room, true);
	if (converted < length)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("line " INT64_FORMAT " of the CSV has a character that the database's encoding %s does not have",
						line_after(reader, bytes, converted), GetDatabaseEncodingName()),
				 errhint("The CSV was read as %s; is this its encoding?",
						 sigma_csv_encoding_name(reader))));
	reader->length += strlen(target);
}

/* The same for UTF-16, which becomes UTF-8 on the way. */
static size_t
append_utf16(CsvReader *reader, const char *bytes, size_t length, bool last)
{
	char	   *utf8 = palloc(length * 2 + MAX_MULTIBYTE_CHAR_LEN);
	size_t		filled = 0;
	size_t		used = 0;

	while (used < length)
	{
		pg_wchar	character;
		int			size = decode_utf16(reader, (const unsigned char *) bytes + used,
										length - used, &character);

		if (size == 0 && !last)
			break;
		if (size <= 0)
		{
			/* let the checker say what came before it is well, then where this is */
			used = append_checked(reader, utf8, filled, true);
			bad_bytes(reader, bytes, 0, 0);
		}
		unicode_to_utf8(character, (unsigned char *) utf8 + filled);
		filled += pg_encoding_mblen(PG_UTF8, utf8 + filled);
		used += size;
	}
	(void) append_checked(reader, utf8, filled, true);
	pfree(utf8);
	return used;
}

/* One character; returns its size in bytes, 0 where it is cut off, -1 where it is none. */
static int
decode_utf16(CsvReader *reader, const unsigned char *at, size_t left, pg_wchar *character)
{
	int			low = reader->coding == CSV_UTF16LE ? 0 : 1;
	pg_wchar	second;

	if (left < 2)
		return 0;
	*character = at[low] | (at[1 - low] << 8);
	if (is_utf16_surrogate_second(*character))
		return -1;
	if (!is_utf16_surrogate_first(*character))
		return 2;
	if (left < 4)
		return 0;
	second = at[2 + low] | (at[3 - low] << 8);
	if (!is_utf16_surrogate_second(second))
		return -1;
	*character = surrogate_pair_to_codepoint(*character, second);
	return 4;
}

/* Raise 22021: behind the first "good" bytes there is a NUL or no character. */
static void
bad_bytes(CsvReader *reader, const char *bytes, size_t good, size_t length)
{
	int64		line = line_after(reader, bytes, good);
	StringInfoData shown;
	size_t		i;

	if (good < length && bytes[good] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("line " INT64_FORMAT " of the CSV has a NUL byte", line),
				 errhint("NUL bytes often mean UTF-16: use encoding \"UTF-16LE\" or \"UTF-16BE\".")));

	initStringInfo(&shown);
	for (i = good; i < length && i < good + 4 && (i == good || IS_HIGHBIT_SET(bytes[i])); i++)
		appendStringInfo(&shown, " 0x%02x", (unsigned char) bytes[i]);
	ereport(ERROR,
			(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
			 errmsg("line " INT64_FORMAT " of the CSV is not valid %s",
					line, sigma_csv_encoding_name(reader)),
			 shown.len == 0 ? 0 : errdetail("It has the bytes%s.", shown.data),
			 reader->coding != CSV_BYTES ? 0 :
			 errhint("Use the option \"encoding\" to say how the CSV is encoded, for example \"LATIN1\" or \"WIN1252\".")));
}

/* The line that comes "length" bytes behind the window's end. */
static int64
line_after(CsvReader *reader, const char *bytes, size_t length)
{
	append_text(reader, bytes, length);
	return reader->line +
		sigma_csv_count_breaks(reader->window + reader->at, reader->length - reader->at);
}
