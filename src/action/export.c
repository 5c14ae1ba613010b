/*
 * export.c
 *		Steps that export a table or view as CSV or JSON text.
 *
 * Rows are read as the caller, as formulas read them: of an input table what the caller
 * is shown, computed columns included.  They come through a cursor in batches and go
 * into one text, which has at most sigma.export_max_bytes: what a step holds is bounded
 * whatever the table.  Plans go with the compiled sequence and are made anew after any
 * relation, role or search_path has changed.
 */
#include "postgres.h"

#include <ctype.h>

#include "common/shortest_dec.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "action/explain.h"
#include "action/export.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/json_push.h"
#include "formula/compile.h"
#include "formula/trust.h"
#include "input_table/computed.h"

#define BATCH	1000			/* rows held at a time */

int			sigma_export_max_bytes = 64 * 1024 * 1024;

/* One column as it is written. */
typedef struct ExportColumn
{
	const char *name;
	SqlForm		form;
} ExportColumn;

typedef struct ExportStep
{
	bool		is_json;
	const char *target;
	int			nwanted;		/* columns that are named; 0: all */
	const char **wanted;
	int64		limit;			/* -1: none */
	MemoryContextCallback cleanup;

	/* what was looked up */
	MemoryContext cxt;
	uint64		generation;
	SPIPlanPtr	plan;			/* NULL: nothing was looked up */
	List	   *locks;			/* relations that are locked before "generation" is compared */
	int			ncolumn;
	ExportColumn *columns;
} ExportStep;

static FormulaRelation *find_rows(const ExportStep *step, const JsonNode *where, bool as_shown);
static FormulaColumn *find_column(FormulaRelation *relation, const char *name, const JsonNode *where);
static bool is_system_column(const char *name);
static void look_up(ExportStep *step);
static char *make_sql(ExportStep *step, FormulaRelation *relation);
static void write_rows(ExportStep *step, StringInfo text, int64 *count);
static void write_header(const ExportStep *step, StringInfo text);
static void write_row(const ExportStep *step, StringInfo text, HeapTuple row, TupleDesc desc);
static void write_csv(StringInfo text, SqlForm form, Datum value);
static void write_csv_text(StringInfo text, const char *value);
static void write_json(StringInfo text, SqlForm form, Datum value);
static const char *text_list(ArrayType *list);
static const char *date_text(DateADT date, char *buffer);
static const char *timestamp_text(Timestamp time, char *buffer);
static const char *value_text(SqlForm form, Datum value, char *buffer);
static void forget(void *arg);

/* Check the document, and the table and columns that it names; an ExportStep.  SG404, 42703. */
void *
sigma_export_compile(CompileState *state, const StepType *type, JsonNode *action)
{
	ExportStep *step = MemoryContextAllocZero(state->cxt, sizeof(ExportStep));
	JsonNode   *target = sigma_json_get(action, "target");
	JsonNode   *parameters = sigma_json_get(action, "parameters");
	JsonNode   *columns = sigma_json_get(parameters, "columns");
	FormulaRelation *relation;
	int			i;

	step->is_json = type->code == EXPORT_JSON;
	step->target = MemoryContextStrdup(state->cxt, target->string);
	step->limit = sigma_json_get_int(parameters, "limit", -1);
	step->nwanted = columns == NULL ? 0 : columns->count;
	step->wanted = MemoryContextAllocZero(state->cxt, sizeof(char *) * (step->nwanted + 1));
	for (i = 0; i < step->nwanted; i++)
		step->wanted[i] = MemoryContextStrdup(state->cxt, columns->items[i]->string);
	step->cxt = AllocSetContextCreate(state->cxt, "sigma export", ALLOCSET_SMALL_SIZES);
	step->cleanup.func = forget;
	step->cleanup.arg = step;
	MemoryContextRegisterResetCallback(state->cxt, &step->cleanup);
	if (!state->saving)
		return step;
	relation = find_rows(step, target, false);
	for (i = 0; i < step->nwanted; i++)
		(void) find_column(relation, step->wanted[i], columns->items[i]);
	return step;
}

/* Write the text; SPI is connected. */
void
sigma_export_run(Run *run, const Step *compiled, StepOutcome *outcome)
{
	ExportStep *step = compiled->part;
	JsonbParseState *state = NULL;
	StringInfoData text;
	int64		count = 0;

	sigma_trust_lock(step->locks);
	if (step->plan == NULL || step->generation != sigma_formula_generation())
		look_up(step);
	MemoryContextSwitchTo(run->cxt);
	initStringInfo(&text);
	write_rows(step, &text, &count);

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	sigma_push_text(&state, "type", compiled->type->type);
	sigma_push_text(&state, "subtype", compiled->type->subtype);
	sigma_push_text(&state, "target", step->target);
	sigma_push_int(&state, "rows", count);
	sigma_push_int(&state, "bytes", text.len);
	outcome->effect = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	outcome->has_result = true;
	outcome->result.type = jbvString;
	outcome->result.val.string.val = text.data;
	outcome->result.val.string.len = text.len;
}

/* Explain the step: the query of its rows.  SPI is connected. */
void
sigma_export_explain(Explain *explain, JsonNode *step, void *part)
{
	ExportStep *export = part;

	look_up(export);
	MemoryContextSwitchTo(explain->probe.cxt);
	sigma_explain_plan(explain, step, export->plan, NULL, NULL);
}

/*
 * The rows
 */

/* The table or view; SG404 where there is none.  "where": the place in the document, or NULL in a run. */
static FormulaRelation *
find_rows(const ExportStep *step, const JsonNode *where, bool as_shown)
{
	FormulaRelation *relation = sigma_formula_find_table(step->target);

	if (relation == NULL && where != NULL)
		sigma_document_error(where, ERRCODE_SIGMA_NOT_FOUND, sigma_catalog_hint(DOCUMENT_INPUT_TABLE, step->target),
							 "\"%s\" is neither an input table nor a relation", step->target);
	if (relation == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_NOT_FOUND),
				 errmsg("\"%s\" is neither an input table nor a relation", step->target)));
	return as_shown ? sigma_formula_shown(step->target, relation) : relation;
}

/* A column by its name; 42703 with the nearest one. */
static FormulaColumn *
find_column(FormulaRelation *relation, const char *name, const JsonNode *where)
{
	FormulaColumn *column = sigma_formula_column(relation, name);
	const char **names;
	int			i;

	if (column != NULL)
		return column;
	names = palloc(sizeof(char *) * (relation->ncolumns + 1));
	for (i = 0; i < relation->ncolumns; i++)
		names[i] = relation->columns[i].name;
	names[i] = NULL;
	if (where != NULL)
		sigma_document_error(where, ERRCODE_UNDEFINED_COLUMN, sigma_hint_names(name, names),
							 "column \"%s\" of \"%s\" does not exist", name, relation->name);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of \"%s\" does not exist", name, relation->name),
			 errhint("%s", sigma_hint_names(name, names))));
}

/* Does an export of all columns leave it out? */
static bool
is_system_column(const char *name)
{
	return strncmp(name, "sigma_", strlen("sigma_")) == 0;
}

/* The rows as they are now, and a kept plan of them.  SPI is connected. */
static void
look_up(ExportStep *step)
{
	uint64		generation = sigma_formula_generation();
	MemoryContext old;
	SPIPlanPtr	plan;
	List	   *locks;
	char	   *sql;

	forget(step);
	step->locks = NIL;
	MemoryContextReset(step->cxt);
	old = MemoryContextSwitchTo(step->cxt);
	sql = make_sql(step, find_rows(step, NULL, true));
	MemoryContextSwitchTo(old);
	plan = SPI_prepare(sql, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	locks = sigma_trust_check_plan(plan);
	SPI_keepplan(plan);
	step->locks = sigma_trust_keep(locks, step->cxt);
	step->plan = plan;
	step->generation = generation;
}

/* "SELECT column, ... FROM rows": those that are named, else all but the system's, in the order of rows. */
static char *
make_sql(ExportStep *step, FormulaRelation *relation)
{
	StringInfoData sql;
	ListCell   *lc;
	int			i;

	step->ncolumn = 0;
	step->columns = palloc0(sizeof(ExportColumn) * (Max(step->nwanted, relation->ncolumns) + 1));
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (i = 0; i < (step->nwanted > 0 ? step->nwanted : relation->ncolumns); i++)
	{
		FormulaColumn *column = step->nwanted > 0 ? find_column(relation, step->wanted[i], NULL) : &relation->columns[i];
		FormulaSql *value;

		if (step->nwanted == 0 && sigma_formula_is_input_table(step->target) && is_system_column(column->name))
			continue;
		value = sigma_formula_column_sql(relation, "s", column);
		step->columns[step->ncolumn].name = column->name;
		step->columns[step->ncolumn].form = value->form;
		appendStringInfo(&sql, "%s%s", step->ncolumn++ == 0 ? "" : ", ", value->sql);
	}
	appendStringInfo(&sql, " FROM %s AS s", relation->from);
	foreach(lc, relation->order_by)
		appendStringInfo(&sql, "%ss.%s", lc == list_head(relation->order_by) ? " ORDER BY " : ", ", (char *) lfirst(lc));
	if (step->limit >= 0)
		appendStringInfo(&sql, " LIMIT " INT64_FORMAT, step->limit);
	return sql.data;
}

/*
 * Writing
 */

/* All rows, in the current context; 54000 where the text becomes too long. */
static void
write_rows(ExportStep *step, StringInfo text, int64 *count)
{
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(cxt, "sigma export row", ALLOCSET_DEFAULT_SIZES);
	Portal		portal;
	uint64		i;

	/* not read-only: its snapshot is to see what the steps before did */
	portal = SPI_cursor_open(NULL, step->plan, NULL, NULL, false);
	MemoryContextSwitchTo(scratch);
	write_header(step, text);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, BATCH);
		MemoryContextSwitchTo(scratch);
		if (SPI_processed == 0)
			break;
		for (i = 0; i < SPI_processed; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (step->is_json && ++(*count) > 1)
				appendStringInfoString(text, ",\n");
			else if (!step->is_json)
				(*count)++;
			write_row(step, text, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
			if (text->len > sigma_export_max_bytes)
				ereport(ERROR,
						(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						 errmsg("the export of \"%s\" is longer than %d bytes", step->target, sigma_export_max_bytes),
						 errhint("Name fewer \"columns\", set a \"limit\", or raise sigma.export_max_bytes.")));
			MemoryContextReset(scratch);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	MemoryContextSwitchTo(cxt);
	if (step->is_json)
		appendStringInfoString(text, "]");
	MemoryContextDelete(scratch);
}

/* What comes before the rows. */
static void
write_header(const ExportStep *step, StringInfo text)
{
	int			i;

	if (step->is_json)
	{
		appendStringInfoChar(text, '[');
		return;
	}
	for (i = 0; i < step->ncolumn; i++)
	{
		if (i > 0)
			appendStringInfoChar(text, ',');
		write_csv_text(text, step->columns[i].name);
	}
	appendStringInfoChar(text, '\n');
}

/* One row, as a line of CSV or an object. */
static void
write_row(const ExportStep *step, StringInfo text, HeapTuple row, TupleDesc desc)
{
	int			i;

	if (step->is_json)
		appendStringInfoChar(text, '{');
	for (i = 0; i < step->ncolumn; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(row, desc, i + 1, &isnull);

		if (i > 0)
			appendStringInfoChar(text, ',');
		if (step->is_json)
		{
			escape_json(text, step->columns[i].name);
			appendStringInfoChar(text, ':');
			if (isnull)
				appendStringInfoString(text, "null");
			else
				write_json(text, step->columns[i].form, value);
		}
		else if (!isnull)
			write_csv(text, step->columns[i].form, value);
	}
	appendStringInfoChar(text, step->is_json ? '}' : '\n');
}

/* A value as a cell of CSV: null is an empty cell, an empty text is "". */
static void
write_csv(StringInfo text, SqlForm form, Datum value)
{
	char		buffer[MAXDATELEN + 1];

	write_csv_text(text, value_text(form, value, buffer));
}

static void
write_csv_text(StringInfo text, const char *value)
{
	const char *c;

	if (value[0] != '\0' && strcmp(value, "\\.") != 0 && strpbrk(value, ",\"\r\n") == NULL &&
		value[0] != ' ' && value[strlen(value) - 1] != ' ')
	{
		appendStringInfoString(text, value);
		return;
	}
	appendStringInfoChar(text, '"');
	for (c = value; *c != '\0'; c++)
	{
		if (*c == '"')
			appendStringInfoChar(text, '"');
		appendStringInfoChar(text, *c);
	}
	appendStringInfoChar(text, '"');
}

/* A value as JSON; a number that JSON has no word for is a text. */
static void
write_json(StringInfo text, SqlForm form, Datum value)
{
	char		buffer[MAXDATELEN + 1];
	const char *word = value_text(form, value, buffer);
	JsonbValue	list;

	switch (form)
	{
		case SQL_TEXT_ARRAY:
			sigma_form_to_json(form, value, false, &list);
			(void) JsonbToCString(text, list.val.binary.data, list.val.binary.len);
			break;
		case SQL_BOOL:
		case SQL_JSONB:
			appendStringInfoString(text, word);
			break;
		case SQL_INT4:
		case SQL_INT8:
		case SQL_NUMERIC:
		case SQL_FLOAT8:
			if (word[0] == '-' ? isdigit((unsigned char) word[1]) : isdigit((unsigned char) word[0]))
			{
				appendStringInfoString(text, word);
				break;
			}
			/* FALLTHROUGH */
		default:
			escape_json(text, word);
	}
}

/* A value as text that depends on no setting of the session; in "buffer" or the current context. */
static const char *
value_text(SqlForm form, Datum value, char *buffer)
{
	switch (form)
	{
		case SQL_BOOL:
			return DatumGetBool(value) ? "true" : "false";
		case SQL_INT4:
			pg_ltoa(DatumGetInt32(value), buffer);
			return buffer;
		case SQL_INT8:
			pg_lltoa(DatumGetInt64(value), buffer);
			return buffer;
		case SQL_FLOAT8:
			double_to_shortest_decimal_buf(DatumGetFloat8(value), buffer);
			return buffer;
		case SQL_NUMERIC:
			return DatumGetCString(DirectFunctionCall1(numeric_out, value));
		case SQL_DATE:
			return date_text(DatumGetDateADT(value), buffer);
		case SQL_TIMESTAMP:
			return timestamp_text(DatumGetTimestamp(value), buffer);
		case SQL_JSONB:
			return JsonbToCString(NULL, &DatumGetJsonbP(value)->root, VARSIZE(DatumGetJsonbP(value)));
		case SQL_TEXT_ARRAY:
			return text_list(DatumGetArrayTypeP(value));
		default:
			return TextDatumGetCString(value);
	}
}

/* A list as {a,b}, as entry reads it. */
static const char *
text_list(ArrayType *list)
{
	FmgrInfo	output;

	fmgr_info(F_ARRAY_OUT, &output);
	return OutputFunctionCall(&output, PointerGetDatum(list));
}

/* "YYYY-MM-DD" */
static const char *
date_text(DateADT date, char *buffer)
{
	struct pg_tm tm = {0};

	if (DATE_NOT_FINITE(date))
		return DATE_IS_NOBEGIN(date) ? "-infinity" : "infinity";
	j2date(date + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	EncodeDateOnly(&tm, USE_ISO_DATES, buffer);
	return buffer;
}

/* "YYYY-MM-DD HH:MM:SS", with a fraction where there is one */
static const char *
timestamp_text(Timestamp time, char *buffer)
{
	struct pg_tm tm;
	fsec_t		fraction;

	if (TIMESTAMP_NOT_FINITE(time))
		return TIMESTAMP_IS_NOBEGIN(time) ? "-infinity" : "infinity";
	if (timestamp2tm(time, NULL, &tm, &fraction, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	EncodeDateTime(&tm, fraction, false, 0, NULL, USE_ISO_DATES, buffer);
	return buffer;
}

/* The plan of what was looked up, or of a compiled form that goes. */
static void
forget(void *arg)
{
	ExportStep *step = arg;

	if (step->plan != NULL)
		SPI_freeplan(step->plan);
	step->plan = NULL;
}
