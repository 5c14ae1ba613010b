/*
 * jsonb_writer.c
 *		A jsonb document written from front to back, as the bytes that are stored.
 *
 * pushJsonbValue builds a tree of the whole document first, sorts the keys of each object
 * and then converts it: of entries with thousands of cells that costs more than the cells,
 * of the result of a small run more than its steps.  Here each value is put where it
 * stays, and keys come sorted.  The layout is that of utils/jsonb.h, which a dump by pg_upgrade keeps:
 * a header, a JEntry for each child with its length (of every 32nd: where it ends), then
 * the children; numbers and containers are aligned.
 *
 * A writer has one buffer, in the context of its first document, and keeps it.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "common/jsonb_writer.h"

static inline void reserve(StringInfo buf, Size length);
static inline void append(StringInfo buf, const void *bytes, int length);
static void open_container(JsonbWriter *writer, uint32 header, int entries);
static void close_entry(JsonbWriter *writer, JEntry type, int from);
static void align(JsonbWriter *writer);

void
sigma_jsonb_writer_begin(JsonbWriter *writer)
{
	if (writer->buf.data == NULL)
	{
		initStringInfo(&writer->buf);
		writer->room = 8;
		writer->open = palloc(sizeof(JsonbOpen) * writer->room);
	}
	writer->buf.len = VARHDRSZ;
	writer->depth = 0;
}

/* So many keys and as many values follow. */
void
sigma_jsonb_writer_object(JsonbWriter *writer, int pairs)
{
	open_container(writer, JB_FOBJECT | pairs, 2 * pairs);
}

/* The keys that are present; as many values follow, in the same order. */
void
sigma_jsonb_writer_members(JsonbWriter *writer, const JsonbKey *keys, int count, uint32 present)
{
	int			i;

	Assert(count <= 32 && (count == 32 || present >> count == 0));
	sigma_jsonb_writer_object(writer, pg_popcount32(present));
	for (i = 0; i < count; i++)
	{
		Assert(i == 0 || keys[i].length > keys[i - 1].length ||
			   (keys[i].length == keys[i - 1].length && strcmp(keys[i].text, keys[i - 1].text) > 0));
		if (present & (UINT32_C(1) << i))
			sigma_jsonb_writer_string(writer, keys[i].text, keys[i].length);
	}
}

/* That many values or fewer follow. */
void
sigma_jsonb_writer_array(JsonbWriter *writer, int most)
{
	open_container(writer, JB_FARRAY | most, most);
}

/* Close the innermost container; room for entries that did not come is given back. */
void
sigma_jsonb_writer_end(JsonbWriter *writer)
{
	JsonbOpen  *open = &writer->open[--writer->depth];
	StringInfo	buf = &writer->buf;
	int			spare = (open->count - open->used) * sizeof(JEntry);

	if (spare > 0)
	{
		uint32		header = JB_FARRAY | open->used;

		Assert(*(uint32 *) (buf->data + open->header) & JB_FARRAY); /* an object has all it announced */
		memcpy(buf->data + open->header, &header, sizeof(header));
		memmove(buf->data + open->data - spare, buf->data + open->data, buf->len - open->data);
		buf->len -= spare;
	}
	if (writer->depth > 0)
		close_entry(writer, JENTRY_ISCONTAINER, open->start);
}

/* A key, or any text that ends with a zero byte. */
void
sigma_jsonb_writer_key(JsonbWriter *writer, const char *text)
{
	sigma_jsonb_writer_string(writer, text, strlen(text));
}

/* A key, or a text as a value. */
void
sigma_jsonb_writer_string(JsonbWriter *writer, const char *text, int length)
{
	int			from = writer->buf.len;

	append(&writer->buf, text, length);
	close_entry(writer, JENTRY_ISSTRING, from);
}

/* Any value. */
void
sigma_jsonb_writer_value(JsonbWriter *writer, const JsonbValue *value)
{
	int			from = writer->buf.len;
	Jsonb	   *document;

	switch (value->type)
	{
		case jbvNull:
			close_entry(writer, JENTRY_ISNULL, from);
			return;
		case jbvBool:
			sigma_jsonb_writer_bool(writer, value->val.boolean);
			return;
		case jbvString:
			sigma_jsonb_writer_string(writer, value->val.string.val, value->val.string.len);
			return;
		case jbvNumeric:
			sigma_jsonb_writer_numeric(writer, value->val.numeric);
			return;
		case jbvBinary:
			align(writer);
			append(&writer->buf, value->val.binary.data, value->val.binary.len);
			close_entry(writer, JENTRY_ISCONTAINER, from);
			return;
		case jbvArray:
		case jbvObject:
			document = JsonbValueToJsonb(unconstify(JsonbValue *, value));
			align(writer);
			append(&writer->buf, &document->root, VARSIZE(document) - VARHDRSZ);
			close_entry(writer, JENTRY_ISCONTAINER, from);
			return;
		default:
			elog(ERROR, "a value of type %d has no place in jsonb", (int) value->type);
	}
}

void
sigma_jsonb_writer_text(JsonbWriter *writer, const char *text)
{
	if (text != NULL)
		sigma_jsonb_writer_string(writer, text, strlen(text));
	else
		close_entry(writer, JENTRY_ISNULL, writer->buf.len);
}

void
sigma_jsonb_writer_bool(JsonbWriter *writer, bool boolean)
{
	close_entry(writer, boolean ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE, writer->buf.len);
}

void
sigma_jsonb_writer_numeric(JsonbWriter *writer, Numeric number)
{
	int			from = writer->buf.len;

	align(writer);
	append(&writer->buf, number, VARSIZE_ANY(number));
	close_entry(writer, JENTRY_ISNUMERIC, from);
}

void
sigma_jsonb_writer_int(JsonbWriter *writer, int64 number)
{
	sigma_jsonb_writer_numeric(writer, int64_to_numeric(number));
}

/* The document, in the writer's buffer. */
Jsonb *
sigma_jsonb_writer_finish(JsonbWriter *writer)
{
	Assert(writer->depth == 0);
	SET_VARSIZE(writer->buf.data, writer->buf.len);
	return (Jsonb *) writer->buf.data;
}

/* Room for so many bytes; most of what is written is small and has it. */
static inline void
reserve(StringInfo buf, Size length)
{
	if (length >= (Size) (buf->maxlen - buf->len))
		enlargeStringInfo(buf, (int) length);	/* 54000 where it is too large */
}

/* Bytes, without the terminator that strings have. */
static inline void
append(StringInfo buf, const void *bytes, int length)
{
	reserve(buf, length);
	memcpy(buf->data + buf->len, bytes, length);
	buf->len += length;
}

/* A header and room for that many entries. */
static void
open_container(JsonbWriter *writer, uint32 header, int entries)
{
	StringInfo	buf = &writer->buf;
	JsonbOpen  *open;

	if (writer->depth == writer->room)
	{
		writer->open = repalloc(writer->open, sizeof(JsonbOpen) * writer->room * 2);
		writer->room *= 2;
	}
	open = &writer->open[writer->depth++];
	open->start = buf->len;
	align(writer);
	open->header = buf->len;
	open->count = entries;
	open->used = 0;
	reserve(buf, sizeof(header) + entries * sizeof(JEntry));
	memcpy(buf->data + buf->len, &header, sizeof(header));
	buf->len += sizeof(header) + entries * sizeof(JEntry);
	open->data = buf->len;
}

/* Note a child that stands behind "from" in the innermost container; 54000 where jsonb cannot hold it. */
static void
close_entry(JsonbWriter *writer, JEntry type, int from)
{
	JsonbOpen  *open = &writer->open[writer->depth - 1];
	Size		total = writer->buf.len - open->data;
	JEntry		entry;

	if (total > JENTRY_OFFLENMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("total size of jsonb array elements exceeds the maximum of %u bytes", JENTRY_OFFLENMASK)));
	Assert(open->used < open->count);
	entry = type | (open->used % JB_OFFSET_STRIDE == 0 ? (JEntry) total | JENTRY_HAS_OFF :
					(JEntry) (writer->buf.len - from));
	memcpy(writer->buf.data + open->header + sizeof(uint32) + open->used * sizeof(JEntry), &entry, sizeof(entry));
	open->used++;
}

/* What is read as integers stands at a multiple of their size. */
static void
align(JsonbWriter *writer)
{
	StringInfo	buf = &writer->buf;
	int			padding = INTALIGN(buf->len) - buf->len;

	reserve(buf, sizeof(uint32));
	memset(buf->data + buf->len, 0, padding);
	buf->len += padding;
}
