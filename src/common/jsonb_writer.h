/*
 * jsonb_writer.h
 *		A jsonb document written from front to back, as the bytes that are stored.
 *
 *		sigma_jsonb_writer_begin(&writer);
 *		sigma_jsonb_writer_object(&writer, pairs);	the keys, then their values in the same order
 *		sigma_jsonb_writer_members(&writer, ...);	the same with keys of a fixed list; their values follow
 *		sigma_jsonb_writer_array(&writer, most);	... so many values at the most
 *		sigma_jsonb_writer_end(&writer);
 *		sigma_jsonb_writer_end(&writer);
 *		edit = sigma_jsonb_writer_finish(&writer);	good until the next begin
 */
#ifndef SIGMA_JSONB_WRITER_H
#define SIGMA_JSONB_WRITER_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

/* A key of documents that have always the same ones. */
typedef struct JsonbKey
{
	const char *text;
	int			length;
} JsonbKey;

#define JSONB_KEY(literal)	{literal, sizeof(literal) - 1}

/* A container that is being written; offsets in the buffer. */
typedef struct JsonbOpen
{
	int			start;			/* of the container, padding included */
	int			header;
	int			count;			/* room for entries */
	int			used;
	int			data;			/* where its children begin */
} JsonbOpen;

typedef struct JsonbWriter
{
	StringInfoData buf;			/* data is NULL before the first document */
	int			depth;
	int			room;			/* for containers in "open" */
	JsonbOpen  *open;			/* the open ones, the innermost last */
} JsonbWriter;

/* Begin a document; the buffer is made in the current context once and used again. */
extern void sigma_jsonb_writer_begin(JsonbWriter *writer);

/* Keys must come in the order in which jsonb stores them: shorter ones first, then by their bytes. */
extern void sigma_jsonb_writer_object(JsonbWriter *writer, int pairs);
extern void sigma_jsonb_writer_array(JsonbWriter *writer, int most);
extern void sigma_jsonb_writer_end(JsonbWriter *writer);

/* An object with those of "count" keys whose bits are set in "present". */
extern void sigma_jsonb_writer_members(JsonbWriter *writer, const JsonbKey *keys, int count, uint32 present);

/* A key, or a value; a NULL text is null. */
extern void sigma_jsonb_writer_key(JsonbWriter *writer, const char *text);
extern void sigma_jsonb_writer_string(JsonbWriter *writer, const char *text, int length);
extern void sigma_jsonb_writer_value(JsonbWriter *writer, const JsonbValue *value);
extern void sigma_jsonb_writer_text(JsonbWriter *writer, const char *text);
extern void sigma_jsonb_writer_bool(JsonbWriter *writer, bool boolean);
extern void sigma_jsonb_writer_numeric(JsonbWriter *writer, Numeric number);
extern void sigma_jsonb_writer_int(JsonbWriter *writer, int64 number);
extern Jsonb *sigma_jsonb_writer_finish(JsonbWriter *writer);

#endif							/* SIGMA_JSONB_WRITER_H */
