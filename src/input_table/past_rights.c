/*
 * past_rights.c
 *		Who may see what of a table's past.
 *
 * The past shows no more than the present: a column of today only to who may read it, a
 * column that is gone only to who may read the whole table.  Where the row filter of the
 * definition holds for the caller, he sees an image of a row if the filter of today is
 * true of what the image says, as if that stood in the table: not what the row has become
 * since, and not what it was while it was none of his.  Columns of today that rows did not
 * have then are null.  Where other policies hold for him he sees nothing of the past:
 * they may ask for anything.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "executor/tuptable.h"
#include "access/table.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/tuplestore.h"

#include "common/catalog.h"
#include "common/names.h"
#include "common/spi.h"
#include "compat.h"
#include "formula/trust.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"
#include "input_table/rules.h"

#define IMAGES_NAME		"sigma_past_rows"	/* images, as the filter sees them */
#define FILTER_ALIAS	"r"

/* Columns of the images behind those of the table. */
#define SEQUENCE_NAME	"sigma_past_sequence"
#define EXISTS_NAME		"sigma_past_exists"

/* Which of some images the caller may see. */
struct PastFilter
{
	const PastRights *rights;
	MemoryContext cxt;
	MemoryContext image_cxt;
	TupleDesc	row_desc;		/* of the table */
	TupleDesc	desc;			/* of images */
	Datum	   *values;
	bool	   *nulls;
	Tuplestorestate *images;
	Tuplestorestate *answers;	/* row id, sequence, may it be seen: in the order of the images */
	TupleTableSlot *slot;
};

static TupleDesc image_desc(TupleDesc row);
static bool past_value(const LogImage *image, const InputTable *table, AttrNumber attnum, Datum *value);

/* What the caller may see of a table's past.  42501 where that is nothing. */
void
sigma_past_begin(PastRights *rights, const InputTable *table)
{
	rights->table = table;
	rights->filter = NULL;
	if (sigma_namespace_aclcheck(sigma_sigds_namespace(), GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, "sigds");
	rights->whole = pg_class_aclcheck(table->relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
	if (!rights->whole &&
		pg_attribute_aclcheck_all(table->relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(table->relid));
	if (check_enable_rls(table->relid, InvalidOid, true) != RLS_ENABLED)
		return;
	if (!sigma_row_security_is_own(table->relid))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the past of input table \"%s\"", table->name),
				 errdetail("Policies that are not those of its definition may hide rows of it from you.")));
	rights->filter = sigma_row_data_condition(sigma_definition_read(sigma_catalog_read(DOCUMENT_INPUT_TABLE, table->id)), FILTER_ALIAS, false);
}

/* May he see values of that column? */
bool
sigma_past_column(const PastRights *rights, const LogColumn *column)
{
	int			i;

	if (rights->whole)
		return true;
	for (i = 0; i < rights->table->ncolumn; i++)
		if (strcmp(rights->table->columns[i].id, column->id) == 0)
			return sigma_may_select(rights->table, rights->table->columns[i].attnum);
	return false;
}

/* A cell of the log as a result shows it: as to_jsonb() would. */
void
sigma_past_value(ColumnType type, const JsonbValue *cell, JsonbValue *shown)
{
	Datum		value;

	if (!sigma_log_decode(type, cell, &value))
		shown->type = jbvNull;
	else
		sigma_value_to_json(type, value, false, shown);
}

/* A cell as jsonb; false for null. */
bool
sigma_past_cell(ColumnType type, const JsonbValue *cell, Datum *shown)
{
	JsonbValue	value;

	if (cell->type == jbvNull)
		return false;
	sigma_past_value(type, cell, &value);
	*shown = JsonbPGetDatum(JsonbValueToJsonb(&value));
	return true;
}

/* An image in the shape of the data table of today. */
void
sigma_past_record(const LogImage *image, const InputTable *table, TupleDesc desc, Datum *values, bool *nulls)
{
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		if (i + 1 == table->row_id)
			values[i] = Int64GetDatum(image->row_id);
		nulls[i] = i + 1 != table->row_id && !past_value(image, table, i + 1, &values[i]);
	}
}

/* The value that the data table's column had; false for null, and for a column that was not there. */
static bool
past_value(const LogImage *image, const InputTable *table, AttrNumber attnum, Datum *value)
{
	int			at = attnum == table->updated_at ? STATE_UPDATED_AT : attnum == table->updated_by ? STATE_UPDATED_BY :
		attnum == table->created_at ? STATE_CREATED_AT : attnum == table->created_by ? STATE_CREATED_BY : -1;
	const TableColumn *column = NULL;
	int			i;

	if (at >= 0)
	{
		*value = image->values[at];
		return !image->nulls[at];
	}
	for (i = 0; i < table->ncolumn; i++)
		if (table->columns[i].attnum == attnum)
			column = &table->columns[i];
	for (i = 0; column != NULL && i < image->ncolumn; i++)
		if (strcmp(image->columns[i]->id, column->id) == 0)
			return !image->nulls[STATE_STAMPS + i] &&
				sigma_value_convert(image->types[i], column->type, image->values[STATE_STAMPS + i], value);
	return false;
}

/* A filter of images, in the current context.  The caller's rights have one. */
PastFilter *
sigma_past_filter(const PastRights *rights)
{
	PastFilter *filter = palloc0(sizeof(PastFilter));
	Relation	rel = table_open(rights->table->relid, AccessShareLock);

	filter->rights = rights;
	filter->cxt = CurrentMemoryContext;
	filter->image_cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma row", ALLOCSET_DEFAULT_SIZES);
	filter->row_desc = CreateTupleDescCopy(RelationGetDescr(rel));
	table_close(rel, NoLock);
	filter->desc = image_desc(filter->row_desc);
	filter->values = palloc0(sizeof(Datum) * filter->desc->natts);
	filter->nulls = palloc0(sizeof(bool) * filter->desc->natts);
	filter->images = tuplestore_begin_heap(false, false, work_mem);
	return filter;
}

/* LogImageVisitor: add an image; of a row that does not exist there is nothing to be seen. */
void
sigma_past_filter_add(const LogImage *image, void *arg)
{
	PastFilter *filter = arg;
	MemoryContext caller = MemoryContextSwitchTo(filter->image_cxt);
	int			natts = filter->row_desc->natts;

	if (image->exists)
		sigma_past_record(image, filter->rights->table, filter->row_desc, filter->values, filter->nulls);
	else
		memset(filter->nulls, true, sizeof(bool) * natts);
	filter->values[filter->rights->table->row_id - 1] = Int64GetDatum(image->row_id);
	filter->nulls[filter->rights->table->row_id - 1] = false;
	filter->values[natts] = Int64GetDatum(image->sequence);
	filter->values[natts + 1] = BoolGetDatum(image->exists);
	tuplestore_putvalues(filter->images, filter->desc, filter->values, filter->nulls);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(filter->image_cxt);
}

/* Ask the filter, as the caller, about all of them. */
void
sigma_past_filter_run(PastFilter *filter)
{
	DestReceiver *receiver = CreateDestReceiver(DestTuplestore);
	SPIExecuteOptions options = {0};
	TupleDesc	desc = CreateTemplateTupleDesc(3);
	int			code;

	TupleDescInitEntry(desc, 1, NULL, INT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, NULL, INT8OID, -1, 0);
	TupleDescInitEntry(desc, 3, NULL, BOOLOID, -1, 0);
	filter->answers = tuplestore_begin_heap(false, false, work_mem);
	filter->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	SetTuplestoreDestReceiverParams(receiver, filter->answers, filter->cxt, false, NULL, NULL);
	options.read_only = true;
	options.dest = receiver;

	SPI_connect();
	sigma_spi_offer(IMAGES_NAME, filter->images, filter->desc);
	code = SPI_execute_plan_extended(sigma_trust_prepare(psprintf("SELECT " FILTER_ALIAS ".sigma_row_id, " FILTER_ALIAS "." SEQUENCE_NAME ", "
																  "CASE WHEN " FILTER_ALIAS "." EXISTS_NAME " THEN (%s) IS TRUE ELSE false END "
																  "FROM " IMAGES_NAME " " FILTER_ALIAS, filter->rights->filter),
														 0, NULL), &options);
	if (code != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan_extended returned %s", SPI_result_code_string(code));
	SPI_unregister_relation(IMAGES_NAME);
	SPI_finish();
	tuplestore_end(filter->images);
	filter->images = NULL;
}

/* The answer for the next image, in the order in which they were added; false at the end. */
bool
sigma_past_filter_next(PastFilter *filter, int64 *row_id, int64 *sequence, bool *visible)
{
	MemoryContext caller = MemoryContextSwitchTo(filter->cxt);
	bool		found = tuplestore_gettupleslot(filter->answers, true, false, filter->slot);
	bool		isnull;

	MemoryContextSwitchTo(caller);
	if (!found)
		return false;
	*row_id = DatumGetInt64(slot_getattr(filter->slot, 1, &isnull));
	*sequence = DatumGetInt64(slot_getattr(filter->slot, 2, &isnull));
	*visible = DatumGetBool(slot_getattr(filter->slot, 3, &isnull));
	return true;
}

void
sigma_past_filter_end(PastFilter *filter)
{
	ExecDropSingleTupleTableSlot(filter->slot);
	tuplestore_end(filter->answers);
}

/* The columns of the table, without those that are dropped but in their places, and ours. */
static TupleDesc
image_desc(TupleDesc row)
{
	TupleDesc	desc = CreateTemplateTupleDesc(row->natts + 2);
	int			i;

	for (i = 0; i < row->natts; i++)
		if (TupleDescAttr(row, i)->attisdropped)
			TupleDescInitEntry(desc, i + 1, psprintf("sigma_past_dropped_%d", i), INT4OID, -1, 0);
		else
			TupleDescCopyEntry(desc, i + 1, row, i + 1);
	TupleDescInitEntry(desc, row->natts + 1, SEQUENCE_NAME, INT8OID, -1, 0);
	TupleDescInitEntry(desc, row->natts + 2, EXISTS_NAME, BOOLOID, -1, 0);
	return desc;
}
