/*
 * csv.h
 *		Reading CSV: records from text, bytes or a server file, and what they hold.
 *
 * A reader holds one window of the input and one record at a time, whatever the
 * size of the input.  It lives in the memory context that was current when it
 * was opened.
 */
#ifndef SIGMA_CSV_H
#define SIGMA_CSV_H

#include "postgres.h"

#include <stdio.h>

#include "nodes/pg_list.h"

#include "common/json.h"
#include "common/value.h"
#include "input_table/batch.h"

#define SIGMA_MAX_CSV	(200 * 1024 * 1024)	/* bytes of one import */

/* What an options document says; absent settings hold their defaults. */
typedef struct CsvOptions
{
	char		delimiter;		/* '\0': find out */
	char		quote;			/* '\0': cells are not quoted */
	bool		header;			/* the first record names the columns */
	const char *encoding;		/* as given, or NULL: UTF-8 unless a mark says otherwise */
	const char *null_text;		/* an unquoted cell of this text is null, or NULL */
	ValueFormat format;			/* decimal, thousands, order of dates */
	bool		has_date_order; /* given: not to be found out */
	JsonNode   *map;			/* header: column, or null to leave it out; or NULL */
	BatchMode	mode;
	JsonNode   *key;			/* the column that an upsert goes by, or NULL */
	JsonNode   *on_conflict;	/* what becomes of a row whose key exists, or NULL */
	bool		replace;		/* the rows that are there go first */
	bool		dry_run;		/* everything but the write */
	int			max_errors;		/* failures that are returned; 0: sigma.max_errors */
} CsvOptions;

/* How the input is encoded. */
typedef enum CsvCoding
{
	CSV_SERVER,					/* text: the database's encoding, known to be valid */
	CSV_BYTES,					/* an encoding PostgreSQL knows */
	CSV_UTF16LE,
	CSV_UTF16BE
} CsvCoding;

/* One cell of the current record. */
typedef struct CsvField
{
	char	   *text;			/* unquoted, zero-terminated */
	int			length;			/* bytes */
	bool		quoted;			/* it stood in quotes */
	bool		doubled;		/* with doubled quotes inside, until they are undone */
	size_t		start;			/* offset in the window, until the record is whole */
} CsvField;

typedef struct CsvReader
{
	MemoryContext cxt;

	/* where the bytes come from */
	const char *input;			/* text or bytes; NULL: file */
	size_t		input_length;	/* of a file: when it was opened */
	size_t		input_at;		/* bytes taken so far, of a file too */
	FILE	   *file;
	const char *path;
	CsvCoding	coding;
	int			encoding;		/* of CSV_BYTES; of the bytes made from UTF-16 */
	Oid			conversion;		/* to the database's encoding, or InvalidOid */
	int			mark;			/* bytes of the byte order mark */
	char	   *raw;			/* bytes that are not yet text */
	size_t		raw_length;

	/* the window: text in the database's encoding */
	char	   *window;
	size_t		capacity;
	size_t		length;
	size_t		at;				/* start of the next record */
	bool		at_end;			/* nothing comes after the window */

	/* how records look */
	char		delimiter;
	char		quote;
	bool		special[256];	/* ends an unquoted cell */

	/* the current record */
	int			nfield;
	int			max_field;
	CsvField   *fields;
	int64		record_line;	/* 1-based physical line where it began */
	int			bad_quote;		/* 1-based cell with text behind its closing quote, or 0 */
	int64		line;			/* of the next record */
	int64		skipped_blank;
	bool		single;			/* one column: blanks are a value */
} CsvReader;

/* csv_source.c */
extern CsvReader *sigma_csv_open_text(const char *text, size_t length, const CsvOptions *options);
extern CsvReader *sigma_csv_open_bytes(const char *bytes, size_t length, const CsvOptions *options);
extern CsvReader *sigma_csv_open_file(const char *path, const CsvOptions *options);
extern void sigma_csv_close(CsvReader *reader);
extern bool sigma_csv_fill(CsvReader *reader);
extern void sigma_csv_restart(CsvReader *reader);
extern int64 sigma_csv_count_breaks(const char *text, size_t length);
extern const char *sigma_csv_encoding_name(const CsvReader *reader);
extern void sigma_csv_check_size(uint64 size);

/* csv.c */
extern void sigma_csv_begin(CsvReader *reader, const CsvOptions *options);
extern bool sigma_csv_next(CsvReader *reader);
extern void sigma_csv_rewind(CsvReader *reader, const CsvOptions *options);
extern int64 sigma_csv_lines(const CsvReader *reader);
extern int64 sigma_csv_position(const CsvReader *reader);
extern List *sigma_csv_headers(CsvReader *reader, const CsvOptions *options, List **given);
extern bool sigma_csv_is_null(const CsvField *field, const CsvOptions *options);

/* csv_options.c */
extern void sigma_csv_read_options(CsvOptions *options, JsonNode *document, bool import);

/* infer.c */
extern JsonNode *sigma_csv_infer(CsvReader *reader, const CsvOptions *options);
extern void sigma_csv_find_date_order(CsvReader *reader, CsvOptions *options, const bool *dates, int count);
extern bool sigma_csv_is_ambiguous_date(const char *text, int length);

#endif							/* SIGMA_CSV_H */
