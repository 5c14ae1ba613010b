/*
 * csv_first.c
 *		The CSV file that comes with a definition: "csv_data" of a config.
 *
 * The catalog has no place for it: create_input_table takes it out of the
 * document, infers columns where the document has none, inserts the definition
 * and imports the file.  One bad row refuses the whole: nobody is told of rows
 * that a creation left out.
 *
 * Both calls run as the owner of sigds: whoever may define a table may define it
 * with rows, and the file holds nothing that is evaluated.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "common/errors.h"
#include "common/session.h"
#include "common/spi.h"
#include "compat.h"
#include "input_table/define.h"

#define MEGABYTE	(1024 * 1024)

static void read_content(CsvFile *file, const JsonNode *node);
static bool looks_like_base64(const char *text);
static Datum call(const char *sql, int count, const Oid *types, const Datum *values);
static void infer_columns(JsonNode *document, const CsvFile *file);

/*
 * Take the file and what is said about it out of a canonical document.  Returns
 * NULL where there is none; the document has columns afterwards where there is one.
 * Raises 54000 where the file is larger than "max_size".
 */
CsvFile *
sigma_csv_take(JsonNode *document)
{
	static const char *const keys[] = {"header", "delimiter", "encoding", NULL};
	JsonNode   *data = sigma_json_remove(document, "csv_data");
	JsonNode   *size = sigma_json_remove(document, "max_size");
	JsonNode   *options = sigma_json_new(JSON_OBJECT, NULL);
	CsvFile    *file;
	int			i;

	for (i = 0; keys[i] != NULL; i++)
	{
		JsonNode   *option = sigma_json_remove(document, keys[i]);

		if (option != NULL)
			sigma_json_set(options, keys[i], option);
	}
	if (data == NULL)
	{
		(void) sigma_json_remove(document, "editable_after_upload");
		return NULL;
	}
	file = palloc(sizeof(CsvFile));
	read_content(file, data);
	/* text has come as the database's */
	if (file->type == TEXTOID)
		(void) sigma_json_remove(options, "encoding");
	file->options = sigma_json_write(options);
	if (size != NULL &&
		VARSIZE_ANY_EXHDR(file->content) > DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(size->number))) * MEGABYTE)
		sigma_document_error(data, ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL, "the CSV file is larger than \"max_size\"");
	infer_columns(document, file);
	return file;
}

/* Import the file into the new table. */
void
sigma_csv_import_first(const char *id, const CsvFile *file)
{
	const Oid	types[] = {TEXTOID, file->type, JSONBOID};
	Datum		values[] = {CStringGetTextDatum(id), PointerGetDatum(file->content), JsonbPGetDatum(file->options)};
	Oid			formula_user = sigma_session.formula_user;
	OwnerScope	scope;

	SPI_connect();
	sigma_owner_begin(&scope, sigma_sigds_owner());
	if (!OidIsValid(formula_user))
		sigma_session.formula_user = scope.user;	/* who wrote the rules */
	PG_TRY();
	{
		(void) call("SELECT sigma.import_csv($1, $2, $3)", 3, types, values);
	}
	PG_FINALLY();
	{
		sigma_session.formula_user = formula_user;
	}
	PG_END_TRY();
	sigma_owner_end(&scope);
	SPI_finish();
}

/* A document without columns gets those that the file seems to have. */
static void
infer_columns(JsonNode *document, const CsvFile *file)
{
	const Oid	types[] = {file->type, JSONBOID};
	Datum		values[] = {PointerGetDatum(file->content), JsonbPGetDatum(file->options)};
	JsonNode   *editable = sigma_json_remove(document, "editable_after_upload");
	MemoryContext caller = CurrentMemoryContext;
	JsonNode   *columns;
	Datum		inferred;
	OwnerScope	scope;
	int			i;

	if (sigma_json_get(document, "columns") != NULL)
		return;
	SPI_connect();
	sigma_owner_begin(&scope, sigma_sigds_owner());
	inferred = call("SELECT sigma.infer_columns($1, $2)", 2, types, values);
	sigma_owner_end(&scope);
	MemoryContextSwitchTo(caller);
	columns = sigma_json_read(DatumGetJsonbPCopy(inferred));
	SPI_finish();
	for (i = 0; editable != NULL && !editable->boolean && i < columns->count; i++)
		sigma_json_set(columns->items[i], "editable", sigma_json_new_bool(false, editable));
	sigma_json_set(document, "columns", columns);
}

/* The one value that a query yields. */
static Datum
call(const char *sql, int count, const Oid *types, const Datum *values)
{
	bool		isnull;

	if (SPI_execute_with_args(sql, count, unconstify(Oid *, types), unconstify(Datum *, values),
							  NULL, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not execute: %s", sql);
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
}

/* "csv_data" as bytes where it is base64, as text otherwise; 22023 where a data: URL is broken. */
static void
read_content(CsvFile *file, const JsonNode *node)
{
	static const char prefix[] = ";base64,";
	char	   *text = node->string;
	char	   *comma = strncmp(text, "data:", 5) == 0 ? strstr(text, prefix) : NULL;
	bytea	   *bytes;

	file->type = TEXTOID;
	file->content = cstring_to_text(text);
	if (comma == NULL && !looks_like_base64(text))
		return;
	bytes = DatumGetByteaP(DirectFunctionCall2(binary_decode,
											   CStringGetTextDatum(comma != NULL ? comma + strlen(prefix) : text),
											   CStringGetTextDatum("base64")));
	/* a file has lines: what decodes to none was a word */
	if (comma == NULL && memchr(VARDATA(bytes), '\n', VARSIZE(bytes) - VARHDRSZ) == NULL &&
		memchr(VARDATA(bytes), '\r', VARSIZE(bytes) - VARHDRSZ) == NULL)
		return;
	file->type = BYTEAOID;
	file->content = bytes;
}

/*
 * May this be base64?  It is one line, or lines of the lengths that encoders break
 * at, of nothing but base64's characters and of the right length in all.
 */
static bool
looks_like_base64(const char *text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t		line;

	while (line = strspn(text, alphabet), (line == 64 || line == 76) && (text[line] == '\n' || text[line] == '\r'))
		text += line + strspn(text + line, "\r\n");
	text += line;
	line += strspn(text, "=");
	text += strspn(text, "=");
	return line % 4 == 0 && text[strspn(text, "\r\n")] == '\0';
}
