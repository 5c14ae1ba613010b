/*
 * jsonb_writer.h
 *		A large jsonb document written from front to back, as the bytes that are stored.
 *
 *		sigma_jsonb_writer_begin(&writer);
 *		sigma_jsonb_writer_object(&writer, pairs);	the keys, then their values in the same order
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

#define JSONB_WRITER_DEPTH	8

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
	JsonbOpen	open[JSONB_WRITER_DEPTH];
} JsonbWriter;

/* Begin a document; the buffer is made in the current context once and used again. */
extern void sigma_jsonb_writer_begin(JsonbWriter *writer);

/* Keys must come in the order in which jsonb stores them: shorter ones first, then by their bytes. */
extern void sigma_jsonb_writer_object(JsonbWriter *writer, int pairs);
extern void sigma_jsonb_writer_array(JsonbWriter *writer, int most);
extern void sigma_jsonb_writer_end(JsonbWriter *writer);

extern void sigma_jsonb_writer_string(JsonbWriter *writer, const char *text, int length);
extern void sigma_jsonb_writer_value(JsonbWriter *writer, JsonbValue *value);
extern Jsonb *sigma_jsonb_writer_finish(JsonbWriter *writer);

#endif							/* SIGMA_JSONB_WRITER_H */
