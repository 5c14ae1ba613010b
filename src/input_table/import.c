/*
 * import.c
 *		import_csv, import_csv_file, infer_columns: CSV into an input table.
 *
 * An import reads records one by one, turns their cells into typed rows and
 * hands them to a batch, which writes all good ones as one statement.  What is
 * held is the input (a parameter; of a file one window), one record, and the
 * batch, which spills to disk.  The table's definition cannot change until the
 * transaction ends: sigma_batch_table locks it.
 *
 * Only the file form reads what the caller did not send: it is for members of
 * pg_read_server_files, as COPY is.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_collation.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/memutils.h"

#include "common/document.h"
#include "common/json_push.h"
#include "compat.h"
#include "common/errors.h"
#include "input_table/batch.h"
#include "input_table/csv.h"
#include "input_table/rules.h"

/* Column names that one message lists at most. */
#define MAX_LISTED	20

/* Bytes of a value that a failure shows. */
#define MAX_SHOWN	1000

/* Imports of that many bytes tell how far they are. */
#define SHOW_PROGRESS	(1024 * 1024)

/* Row ids are returned of imports that are not larger. */
#define MAX_ROW_IDS	10000

/* How the columns of a CSV go to those of the table. */
typedef struct ColumnMap
{
	int			count;			/* columns of the CSV */
	List	   *headers;		/* as given */
	List	   *names;			/* made unique */
	int		   *targets;		/* places in table->columns, or -1: left out */
} ColumnMap;

static const InputTable *import_table(const char *id);
static text *get_csv_arg(FunctionCallInfo fcinfo, int argument);
static char *get_text_arg(FunctionCallInfo fcinfo, int argument, const char *name);
static void get_options(FunctionCallInfo fcinfo, int argument, CsvOptions *options, bool import);
static Jsonb *import(const InputTable *table, CsvReader *reader, CsvOptions *options);
static ColumnMap *map_columns(const InputTable *table, CsvReader *reader, const CsvOptions *options);
static JsonNode *find_mapping(const JsonNode *map, const char *name, const char *header);
static void check_map(const ColumnMap *map, const JsonNode *given);
static const char *show_column(const ColumnMap *map, int column);
static int	find_target(const InputTable *table, const char *name);
static char *fold_name(const char *name);
static void refuse_unknown(const InputTable *table, const List *unknown) pg_attribute_noreturn();
static void refuse_double(const InputTable *table, const ColumnMap *map);
static char *list_names(const List *names);
static void find_date_order(const InputTable *table, const ColumnMap *map,
							CsvReader *reader, CsvOptions *options);
static Batch *begin_batch(const InputTable *table, const ColumnMap *map, const CsvReader *reader, const CsvOptions *options);
static ImportProgress *begin_progress(const InputTable *table, const CsvReader *reader, const CsvOptions *options);
static void import_rows(Batch *batch, const ColumnMap *map, CsvReader *reader, const CsvOptions *options);
static void import_record(Batch *batch, const ColumnMap *map, CsvReader *reader, const CsvOptions *options);
static void import_cell(Batch *batch, int target, const CsvField *field, const CsvOptions *options);
static Jsonb *make_result(const Batch *batch, const ColumnMap *map, const CsvReader *reader, instr_time start);
static void push_columns(JsonbParseState **state, const InputTable *table, const ColumnMap *map);

PG_FUNCTION_INFO_V1(import_csv);
PG_FUNCTION_INFO_V1(import_csv_bytea);
PG_FUNCTION_INFO_V1(import_csv_file);
PG_FUNCTION_INFO_V1(infer_columns);
PG_FUNCTION_INFO_V1(infer_columns_bytea);

/* The table to import into; SG423 for a linked one, whose rows are its source's. */
static const InputTable *
import_table(const char *id)
{
	const InputTable *table = sigma_batch_table(id);

	if (table->nlinked > 0)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_LOCKED),
				 errmsg("rows cannot be imported into linked input table \"%s\"", id),
				 errdetail("Its rows are the keys of its source."),
				 errhint("Import into the source, or UPDATE the entry columns here.")));
	return table;
}

/* import_csv(table_id text, csv text, options jsonb) → jsonb */
Datum
import_csv(PG_FUNCTION_ARGS)
{
	CsvOptions	options;
	const InputTable *table;
	text	   *csv;

	table = import_table(get_text_arg(fcinfo, 0, "table_id"));
	get_options(fcinfo, 2, &options, true);
	csv = get_csv_arg(fcinfo, 1);
	PG_RETURN_JSONB_P(import(table,
							 sigma_csv_open_text(VARDATA_ANY(csv), VARSIZE_ANY_EXHDR(csv), &options),
							 &options));
}

/* import_csv(table_id text, csv bytea, options jsonb) → jsonb */
Datum
import_csv_bytea(PG_FUNCTION_ARGS)
{
	CsvOptions	options;
	const InputTable *table;
	bytea	   *csv;

	table = import_table(get_text_arg(fcinfo, 0, "table_id"));
	get_options(fcinfo, 2, &options, true);
	csv = get_csv_arg(fcinfo, 1);
	PG_RETURN_JSONB_P(import(table,
							 sigma_csv_open_bytes(VARDATA_ANY(csv), VARSIZE_ANY_EXHDR(csv), &options),
							 &options));
}

/* import_csv_file(table_id text, path text, options jsonb) → jsonb; 42501 but for pg_read_server_files */
Datum
import_csv_file(PG_FUNCTION_ARGS)
{
	CsvOptions	options;
	const InputTable *table;
	CsvReader  *reader;
	char	   *path;
	Jsonb	   *result;

	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to import a file of the server"),
				 errdetail("Only roles with privileges of the \"pg_read_server_files\" role may import files."),
				 errhint("Anyone who may write the table can pass a file's content to sigma.import_csv.")));
	table = import_table(get_text_arg(fcinfo, 0, "table_id"));
	get_options(fcinfo, 2, &options, true);
	path = get_text_arg(fcinfo, 1, "path");
	canonicalize_path(path);
	if (!is_absolute_path(path))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("path \"%s\" is relative", path),
				 errhint("Give the absolute path of a file on the server.")));

	reader = sigma_csv_open_file(path, &options);
	result = import(table, reader, &options);
	sigma_csv_close(reader);
	PG_RETURN_JSONB_P(result);
}

/* infer_columns(csv text, options jsonb) → jsonb */
Datum
infer_columns(PG_FUNCTION_ARGS)
{
	CsvOptions	options;
	text	   *csv;

	get_options(fcinfo, 1, &options, false);
	csv = get_csv_arg(fcinfo, 0);
	PG_RETURN_JSONB_P(sigma_json_write(sigma_csv_infer(
		sigma_csv_open_text(VARDATA_ANY(csv), VARSIZE_ANY_EXHDR(csv), &options), &options)));
}

/* infer_columns(csv bytea, options jsonb) → jsonb */
Datum
infer_columns_bytea(PG_FUNCTION_ARGS)
{
	CsvOptions	options;
	bytea	   *csv;

	get_options(fcinfo, 1, &options, false);
	csv = get_csv_arg(fcinfo, 0);
	PG_RETURN_JSONB_P(sigma_json_write(sigma_csv_infer(
		sigma_csv_open_bytes(VARDATA_ANY(csv), VARSIZE_ANY_EXHDR(csv), &options), &options)));
}

/* The CSV itself; its size is checked before it is fetched.  22004 for null, 54000 over the limit. */
static text *
get_csv_arg(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("csv must not be null")));
	sigma_csv_check_size(toast_raw_datum_size(PG_GETARG_DATUM(argument)) - VARHDRSZ);
	return PG_GETARG_TEXT_PP(argument);
}

/* A text argument as a C string; 22004 for null. */
static char *
get_text_arg(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/* The options argument; null is an empty object. */
static void
get_options(FunctionCallInfo fcinfo, int argument, CsvOptions *options, bool import)
{
	sigma_csv_read_options(options,
						   PG_ARGISNULL(argument) ? sigma_json_new(JSON_OBJECT, NULL) :
						   sigma_json_read(PG_GETARG_JSONB_P(argument)),
						   import);
}

/*
 * Import all that the reader has.  Returns the result document.  Raises what the
 * reader and the batch raise, 42703 for columns that the table does not have.
 */
static Jsonb *
import(const InputTable *table, CsvReader *reader, CsvOptions *options)
{
	instr_time	start;
	ColumnMap  *map;
	Batch	   *batch;

	if (!options->dry_run)
		PreventCommandIfReadOnly("import_csv()");
	INSTR_TIME_SET_CURRENT(start);
	map = map_columns(table, reader, options);
	find_date_order(table, map, reader, options);
	batch = begin_batch(table, map, reader, options);
	import_rows(batch, map, reader, options);
	batch->options.row_ids = batch->rows <= MAX_ROW_IDS;
	batch->options.file = reader->path == NULL ? NULL : last_dir_separator(reader->path) + 1;
	batch->options.lines = sigma_csv_lines(reader);
	sigma_batch_write(batch);
	return make_result(batch, map, reader, start);
}

/* Find the table's column for each column of the CSV. */
static ColumnMap *
map_columns(const InputTable *table, CsvReader *reader, const CsvOptions *options)
{
	ColumnMap  *map = palloc0(sizeof(ColumnMap));
	List	   *unknown = NIL;
	int			i;

	map->names = sigma_csv_headers(reader, options, &map->headers);
	map->count = list_length(map->names);
	map->targets = palloc(sizeof(int) * Max(map->count, 1));
	check_map(map, options->map);

	for (i = 0; i < map->count; i++)
	{
		const char *name = list_nth(map->names, i);
		JsonNode   *given = find_mapping(options->map, name, list_nth(map->headers, i));

		map->targets[i] = -1;
		if (given != NULL && given->kind == JSON_NULL)
			continue;
		map->targets[i] = find_target(table, given != NULL ? given->string : name);
		if (map->targets[i] >= 0)
			continue;
		if (given != NULL || sigma_table_is_computed(table, name))
			sigma_column_not_found(table, given != NULL ? given->string : name);
		if (!options->header && i < table->ncolumn)
			map->targets[i] = i;	/* nameless columns go by their place */
		else
			unknown = lappend(unknown, unconstify(char *, show_column(map, i)));
	}
	if (unknown != NIL)
		refuse_unknown(table, unknown);
	refuse_double(table, map);
	return map;
}

/* The member of a map that is for this column: by its unique name, else by the header as given; or NULL. */
static JsonNode *
find_mapping(const JsonNode *map, const char *name, const char *header)
{
	JsonNode   *found = sigma_json_get(map, name);

	return found != NULL ? found : sigma_json_get(map, header);
}

/* Every key of the map must be a header: SG400 with the nearest one else. */
static void
check_map(const ColumnMap *map, const JsonNode *given)
{
	const char **known = palloc(sizeof(char *) * (map->count + 1));
	int			i;
	int			j;

	for (i = 0; i < map->count; i++)
		known[i] = list_nth(map->names, i);
	known[map->count] = NULL;

	for (i = 0; given != NULL && i < given->count; i++)
	{
		const char *key = given->items[i]->key;

		CHECK_FOR_INTERRUPTS();
		for (j = 0; j < map->count; j++)
			if (strcmp(known[j], key) == 0 || strcmp(list_nth(map->headers, j), key) == 0)
				break;
		if (j == map->count)
			sigma_document_error(given->items[i], 0, sigma_hint_names(key, known),
								 "the CSV has no column \"%s\"", key);
	}
}

/* How a message names a column of the CSV: by its header, unless that is empty or there are two. */
static const char *
show_column(const ColumnMap *map, int column)
{
	const char *header = list_nth(map->headers, column);
	int			i;

	if (*header == '\0')
		return list_nth(map->names, column);
	for (i = 0; i < map->count; i++)
		if (i != column && strcmp(list_nth(map->headers, i), header) == 0)
			return list_nth(map->names, column);
	return header;
}

/* The place of a column: of this name, else the one that is the same but for case, blanks and underscores; or -1. */
static int
find_target(const InputTable *table, const char *name)
{
	char	   *folded;
	int			found = -1;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return i;
	folded = fold_name(name);
	for (i = 0; i < table->ncolumn; i++)
		if (strcmp(fold_name(table->columns[i].name), folded) == 0)
		{
			if (found >= 0)
				return -1;		/* it could be either */
			found = i;
		}
	return found;
}

/* A name in lower case without blanks and underscores. */
static char *
fold_name(const char *name)
{
	char	   *result = str_tolower(name, strlen(name), DEFAULT_COLLATION_OID);
	char	   *out = result;
	char	   *c;

	for (c = result; *c != '\0'; c++)
		if (*c != ' ' && *c != '_')
			*out++ = *c;
	*out = '\0';
	return result;
}

/* Raise 42703 with the columns that have no place in the table. */
static void
refuse_unknown(const InputTable *table, const List *unknown)
{
	const char **names = palloc0(sizeof(char *) * (table->ncolumn + 1));
	List	   *known = NIL;
	int			nearest;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		names[i] = table->columns[i].name;
		known = lappend(known, unconstify(char *, table->columns[i].name));
	}
	nearest = sigma_nearest_name(linitial(unknown), names, false);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg_plural("the CSV has a column that input table \"%s\" does not have: %s",
						   "the CSV has columns that input table \"%s\" does not have: %s",
						   list_length(unknown), table->name, list_names(unknown)),
			 errdetail("The table has %s.", list_names(known)),
			 errhint("%sUse the option \"map\": {\"header\": \"column\"}, with null to leave a column out.",
					 nearest < 0 ? "" : psprintf("Perhaps you meant \"%s\".  ", names[nearest]))));
}

/* Raise 42701 where two columns of the CSV go to one, 22023 where none goes anywhere. */
static void
refuse_double(const InputTable *table, const ColumnMap *map)
{
	int			used = 0;
	int			i;
	int			j;

	for (i = 0; i < map->count; i++)
	{
		if (map->targets[i] < 0)
			continue;
		used++;
		for (j = 0; j < i; j++)
			if (map->targets[i] == map->targets[j])
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("columns \"%s\" and \"%s\" of the CSV both go to column \"%s\"",
								(char *) list_nth(map->names, j), (char *) list_nth(map->names, i),
								table->columns[map->targets[i]].name),
						 errhint("Use the option \"map\" to send one of them elsewhere, or to null.")));
	}
	if (map->count > 0 && used == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no column of the CSV is imported"),
				 errhint("The option \"map\" leaves all of them out.")));
}

/* Names in quotes, with commas; a long list is cut. */
static char *
list_names(const List *names)
{
	StringInfoData buf;
	int			i;

	initStringInfo(&buf);
	for (i = 0; i < list_length(names) && i < MAX_LISTED; i++)
		appendStringInfo(&buf, "%s\"%s\"", i > 0 ? ", " : "", (char *) list_nth(names, i));
	if (list_length(names) > MAX_LISTED)
		appendStringInfo(&buf, " and %d more", list_length(names) - MAX_LISTED);
	return buf.data;
}

/* Where dates are imported and nobody said how they are written, the rows are asked first. */
static void
find_date_order(const InputTable *table, const ColumnMap *map, CsvReader *reader, CsvOptions *options)
{
	bool	   *dates = palloc0(sizeof(bool) * Max(map->count, 1));
	bool		any = false;
	int			i;

	if (options->has_date_order)
		return;
	for (i = 0; i < map->count; i++)
		if (map->targets[i] >= 0)
		{
			ColumnType	type = table->columns[map->targets[i]].type;

			dates[i] = type == COLUMN_DATE || type == COLUMN_DATETIME;
			any = any || dates[i];
		}
	if (!any)
		return;
	sigma_csv_find_date_order(reader, options, dates, map->count);
	sigma_csv_rewind(reader, options);
}

/* The batch that takes the rows; SG400 where the key is not in the CSV. */
static Batch *
begin_batch(const InputTable *table, const ColumnMap *map, const CsvReader *reader, const CsvOptions *options)
{
	BatchOptions batch = {0};
	int			i;
	int			j;

	batch.mode = options->mode;
	batch.origin = ORIGIN_IMPORT;
	batch.replace = options->replace;
	batch.check_only = options->dry_run;
	if (reader->input_length >= SHOW_PROGRESS)
		batch.progress = begin_progress(table, reader, options);
	batch.max_failures = options->max_errors;
	sigma_batch_key(&batch, table, options->key, options->on_conflict);
	for (i = 0; batch.key != NULL && i < batch.key->ncolumn; i++)
	{
		for (j = 0; j < map->count && map->targets[j] != batch.key->columns[i]; j++)
			;
		if (j == map->count)
			sigma_document_error(options->key, 0, NULL, "key column \"%s\" is not in the CSV",
								 table->columns[batch.key->columns[i]].name);
	}
	return sigma_batch_begin(table, &batch);
}

/* A large import tells how far it is. */
static ImportProgress *
begin_progress(const InputTable *table, const CsvReader *reader, const CsvOptions *options)
{
	ImportProgress *progress = palloc0(sizeof(ImportProgress));

	progress->relid = table->relid;
	progress->table = table->name;
	progress->read_only = options->dry_run;
	progress->bytes = reader->input_length;
	return progress;
}

/* Hand every record to the batch. */
static void
import_rows(Batch *batch, const ColumnMap *map, CsvReader *reader, const CsvOptions *options)
{
	int			row = 0;

	while (sigma_csv_next(reader))
	{
		MemoryContext caller;

		if (row % 1000 == 0)
		{
			CHECK_FOR_INTERRUPTS();
			if (batch->options.progress != NULL)
				sigma_progress_read(batch->options.progress, sigma_csv_position(reader));
		}
		sigma_batch_row(batch, row++, reader->record_line);
		caller = MemoryContextSwitchTo(batch->row_cxt);
		import_record(batch, map, reader, options);
		MemoryContextSwitchTo(caller);
		sigma_batch_insert(batch);
	}
}

/* The cells of one record into the row that is being filled. */
static void
import_record(Batch *batch, const ColumnMap *map, CsvReader *reader, const CsvOptions *options)
{
	int			i;

	if (reader->nfield != map->count)
	{
		sigma_batch_bad_row(batch, "columns",
							psprintf("the line has %d %s, the CSV has %d %s",
									 reader->nfield, reader->nfield == 1 ? "cell" : "cells",
									 map->count, map->count == 1 ? "column" : "columns"));
		return;
	}
	if (reader->bad_quote > 0)
	{
		sigma_batch_bad_row(batch, "quotes",
							psprintf("cell %d goes on behind its closing quote", reader->bad_quote));
		return;
	}
	for (i = 0; i < map->count; i++)
		if (map->targets[i] >= 0)
			import_cell(batch, map->targets[i], &reader->fields[i], options);
}

/*
 * One cell.  An empty one is null, unless it is quoted and the column is text;
 * blanks alone are a value in text only.
 */
static void
import_cell(Batch *batch, int target, const CsvField *field, const CsvOptions *options)
{
	ColumnType	type = batch->table->columns[target].type;
	Datum		value = (Datum) 0;
	const char *why;

	if (sigma_csv_is_null(field, options) ||
		(type != COLUMN_TEXT && strspn(field->text, " \t") == field->length))
		sigma_batch_value(batch, target, value, true);
	else if (sigma_value_from_text(type, field->text, field->length, &options->format, &value, &why))
		sigma_batch_value(batch, target, value, false);
	else
	{
		if ((type == COLUMN_DATE || type == COLUMN_DATETIME) && !options->has_date_order &&
			options->format.date_order == DATEORDER_YMD &&
			sigma_csv_is_ambiguous_date(field->text, field->length))
			why = "may be day or month first: use the option date_order";
		/* one bad cell must not fill the report */
		sigma_batch_bad_value(batch, target, field->text,
							  pg_mbcliplen(field->text, field->length, MAX_SHOWN), why);
	}
}

/* What the import did. */
static Jsonb *
make_result(const Batch *batch, const ColumnMap *map, const CsvReader *reader, instr_time start)
{
	JsonbParseState *state = NULL;
	instr_time	duration;

	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_batch_push(unconstify(Batch *, batch), &state);
	sigma_push_key(&state, "columns");
	push_columns(&state, batch->table, map);
	sigma_push_int(&state, "lines", sigma_csv_lines(reader));
	sigma_push_int(&state, "skipped_blank", reader->skipped_blank);
	sigma_push_text(&state, "delimiter", pnstrdup(&reader->delimiter, 1));
	sigma_push_text(&state, "encoding", sigma_csv_encoding_name(reader));
	sigma_push_int(&state, "duration_ms", (int64) INSTR_TIME_GET_MILLISEC(duration));
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* [{header, name, type}…]: name and type are null for a column that was left out. */
static void
push_columns(JsonbParseState **state, const InputTable *table, const ColumnMap *map)
{
	int			i;

	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < map->count; i++)
	{
		const TableColumn *column = map->targets[i] < 0 ? NULL : &table->columns[map->targets[i]];

		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		sigma_push_text(state, "header", list_nth(map->headers, i));
		sigma_push_text(state, "name", column == NULL ? NULL : column->name);
		sigma_push_text(state, "type", column == NULL ? NULL : sigma_column_types[column->type].name);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}
