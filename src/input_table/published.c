/*
 * published.c
 *		What is published of a table that is edited in draft.
 *
 * The data table holds the draft.  Instead of a second copy, sigds.sigds_pub_<id>
 * holds an image of each published row that the draft has changed or deleted, and
 * in row 0 the greatest row id that the last publish knew ("sigma_through"): rows
 * beyond it are new.  So writing costs an image once per changed row, inserting
 * nothing, and publishing what has changed.  "sigma_absent" marks a row that was
 * not published and came back under its old id.
 *
 * An image is taken by a BEFORE ROW trigger, in the order in which a row changes
 * and under the lock on it: nobody else can be taking one of the same row.  It is
 * put there by heap and index insert, so that writers need no right on it.
 *
 * Row ids come from a sequence that counts up by one, under a lock on the data
 * table; a publish keeps writers out while it reads the sequence, so every row id
 * up to "sigma_through" is then settled.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "common/spi.h"
#include "compat.h"
#include "input_table/published.h"
#include "input_table/rules.h"

/* The columns that images have beside those of their rows. */
#define OWN_COLUMNS \
	"sigma_through pg_catalog.int8, sigma_edit pg_catalog.int8, sigma_absent pg_catalog.bool, " \
	"sigma_deleted_at pg_catalog.timestamptz, sigma_deleted_by pg_catalog.text"

/* What the rows of one statement have in common. */
typedef struct KeepState
{
	const InputTable *table;
	Oid			relid;			/* of the images */
	int64		through;		/* rows beyond are not published */
	int			natts;			/* attributes of an image */
	AttrNumber *sources;		/* by attribute: the data table's, or 0 */
	AttrNumber	row_id;
	AttrNumber	absent;
	AttrNumber	deleted_at;
	AttrNumber	deleted_by;
} KeepState;

static char *published_name(const char *id);
static char *comment_for(const char *id);
static KeepState *begin_rows(Relation rel);
static void keep_row(const KeepState *state, HeapTuple row, TupleDesc desc, int64 row_id, bool deleting);
static AttrNumber attribute_of(Relation rel, const char *name);
static int64 read_through(const KeepState *state);
static SysScanDesc find_image(Relation images, AttrNumber attnum, int64 row_id, HeapTuple *image);
static HeapTuple make_image(const KeepState *state, Relation images, HeapTuple row, TupleDesc desc, int64 row_id);
static HeapTuple mark_deleted(const KeepState *state, Relation images, HeapTuple image);

PG_FUNCTION_INFO_V1(keep_published);

/* Is the table edited in draft? */
bool
sigma_is_draft(const TableDefinition *table)
{
	return strcmp(sigma_json_get_string(table->document, "data_entry_permission", "draft"), "draft") == 0;
}

/* The relation of images, or InvalidOid. */
Oid
sigma_published_oid(const char *id)
{
	return get_relname_relid(sigma_published_name(id), sigma_sigds_namespace());
}

/* The same as a name for SQL. */
static char *
published_name(const char *id)
{
	return sigma_ddl_name(sigma_published_name(id));
}

/* What the relation of images says of itself. */
static char *
comment_for(const char *id)
{
	return psprintf("published images of changed rows of input table %s", id);
}

/*
 * Create the relation of images.  "with_rows": the rows that are there count as
 * published, else none does.  SPI is connected, the owner of sigds is current, and
 * nobody writes the data table.
 */
void
sigma_published_create(const TableDefinition *table, bool with_rows)
{
	char	   *name = published_name(table->id);
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	for (i = 0; i < table->ncolumn; i++)
		appendStringInfo(&sql, "%s %s, ", quote_identifier(table->columns[i].name),
						 sigma_column_types[table->columns[i].type].sql);
	sigma_ddl_run("CREATE TABLE %s (%ssigma_row_id pg_catalog.int8 PRIMARY KEY, "
				  "sigma_created_at pg_catalog.timestamptz, sigma_updated_at pg_catalog.timestamptz, "
				  "sigma_created_by pg_catalog.text, sigma_updated_by pg_catalog.text, " OWN_COLUMNS ")",
				  name, sql.data);
	sigma_ddl_run("COMMENT ON TABLE %s IS %s", name,
				  quote_literal_cstr(comment_for(table->id)));
	sigma_spi_run(psprintf("INSERT INTO %s (sigma_row_id, sigma_through) SELECT " PUBLISHED_MARK ", %s", name,
						   !with_rows ? "0" :
						   psprintf("CASE WHEN s.is_called THEN s.last_value ELSE 0 END FROM %s s",
									sigma_ddl_name(sigma_row_sequence_name(table->id)))),
				  SPI_OK_INSERT);
}

/*
 * A data table was taken over: the images that an earlier definition left stay, as
 * long as the table is edited in draft.  Where there are none its rows are published.
 * Raises 42P07 where a relation of that name does not fit.  As sigma_published_create.
 */
void
sigma_published_adopt(const TableDefinition *table)
{
	Oid			relid = sigma_published_oid(table->id);
	Relation	rel;
	int			i;

	if (!OidIsValid(relid))
	{
		if (sigma_is_draft(table))
			sigma_published_create(table, true);
		return;
	}
	rel = table_open(relid, AccessExclusiveLock);
	for (i = 0; i < table->ncolumn; i++)
	{
		AttrNumber	attnum = get_attnum(relid, table->columns[i].name);

		if (attnum == InvalidAttrNumber ||
			get_atttype(relid, attnum) != sigma_column_types[table->columns[i].type].oid)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_TABLE),
					 errmsg("relation \"sigds.%s\" exists and does not fit input table \"%s\"",
							RelationGetRelationName(rel), table->id),
					 errdetail("It has no column \"%s\" of type %s.", table->columns[i].name,
							   format_type_be(sigma_column_types[table->columns[i].type].oid)),
					 errhint("Drop it: all rows of the data table are then published.")));
	}
	table_close(rel, NoLock);
}

/* Drop the relation of images, if there is one.  As sigma_published_create. */
void
sigma_published_drop(const char *id)
{
	if (OidIsValid(sigma_published_oid(id)))
		sigma_ddl_run("DROP TABLE %s", published_name(id));
}

/* The data table is new: images that one of that id left, whose owner dropped it, go.  As sigma_published_create. */
void
sigma_published_forget(const char *id)
{
	Oid			relid = sigma_published_oid(id);
	char	   *comment = OidIsValid(relid) ? GetComment(relid, RelationRelationId, 0) : NULL;

	if (comment != NULL && strcmp(comment, comment_for(id)) == 0)
		sigma_published_drop(id);
}

/* A table that is edited in its published version, and whose view says so, needs no images. */
void
sigma_published_end(const TableDefinition *table)
{
	OwnerScope	scope;

	if (!OidIsValid(sigma_published_oid(table->id)))
		return;
	SPI_connect();
	sigma_ddl_begin(&scope);
	sigma_published_drop(table->id);
	sigma_owner_end(&scope);
	SPI_finish();
}

/* The published rows of a draft table as a query of these columns, each quoted and preceded by "r.". */
char *
sigma_published_rows(const char *id, const char *columns)
{
	char	   *images = published_name(id);

	return psprintf("SELECT %s FROM %s r "
					"WHERE r.sigma_row_id OPERATOR(pg_catalog.<=) "
					"(SELECT m.sigma_through FROM %s m WHERE m.sigma_row_id OPERATOR(pg_catalog.=) " PUBLISHED_MARK ") "
					"AND NOT EXISTS (SELECT FROM %s i WHERE i.sigma_row_id OPERATOR(pg_catalog.=) r.sigma_row_id) "
					"UNION ALL SELECT %s FROM %s r "
					"WHERE r.sigma_row_id OPERATOR(pg_catalog.>) " PUBLISHED_MARK " AND r.sigma_absent IS NOT TRUE",
					columns, sigma_ddl_name(sigma_rows_name(id)), images, images, columns, images);
}

/*
 * BEFORE UPDATE OR DELETE, each row of a draft table: keep what is published of it.
 * Raises 55000 where the relation of images is missing or broken.
 */
Datum
keep_published(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	KeepState  *state = (KeepState *) fcinfo->flinfo->fn_extra;
	bool		isnull;
	int64		row_id;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger that it is", "keep_published")));
	if (!sigma_is_restore(trigger->tg_relation))
	{
		if (state == NULL)
		{
			MemoryContext caller_cxt = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

			fcinfo->flinfo->fn_extra = state = begin_rows(trigger->tg_relation);
			MemoryContextSwitchTo(caller_cxt);
		}
		row_id = DatumGetInt64(heap_getattr(trigger->tg_trigtuple, state->table->row_id,
											RelationGetDescr(trigger->tg_relation), &isnull));
		if (!isnull && row_id <= state->through)
			keep_row(state, trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation), row_id,
					 TRIGGER_FIRED_BY_DELETE(trigger->tg_event));
	}
	return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple);
}

/*
 * A row comes back under its old id, as undo and its kin do: where the published rows
 * have none of that id, keep that.  "rel" is the data table.
 */
void
sigma_published_insert(Relation rel, int64 row_id)
{
	const KeepState *state = begin_rows(rel);

	if (row_id <= state->through)
		keep_row(state, NULL, NULL, row_id, false);
}

/* Keep the row ("row" NULL: that there is none), unless that was done before; note who deletes it. */
static void
keep_row(const KeepState *state, HeapTuple row, TupleDesc desc, int64 row_id, bool deleting)
{
	Relation	images = table_open(state->relid, RowExclusiveLock);
	HeapTuple	image;
	SysScanDesc scan = find_image(images, state->row_id, row_id, &image);

	if (image == NULL)
	{
		image = make_image(state, images, row, desc, row_id);
		if (deleting)
			image = mark_deleted(state, images, image);
		CatalogTupleInsert(images, image);
	}
	else if (deleting)
		CatalogTupleUpdate(images, &image->t_self, mark_deleted(state, images, image));
	systable_endscan(scan);
	table_close(images, NoLock);
}

/* Work out what holds for all rows of a statement, in the current context. */
static KeepState *
begin_rows(Relation rel)
{
	KeepState  *state = palloc0(sizeof(KeepState));
	Relation	images;
	TupleDesc	desc;
	int			i;

	state->table = sigma_data_table_rules(RelationGetRelid(rel));
	if (state->table == NULL || !sigma_is_whole(state->table))
		sigma_refuse_broken(RelationGetRelid(rel));
	state->relid = sigma_published_oid(state->table->id);
	if (!OidIsValid(state->relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"sigds.%s\" is missing", sigma_published_name(state->table->id)),
				 errdetail("It keeps what is published of input table \"%s\".", state->table->id),
				 errhint("Delete the definition, which keeps the rows, and create it again: they are then published.")));
	images = table_open(state->relid, RowExclusiveLock);
	desc = RelationGetDescr(images);
	state->natts = desc->natts;
	state->sources = palloc0(sizeof(AttrNumber) * Max(desc->natts, 1));
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		AttrNumber	source = att->attisdropped ? InvalidAttrNumber : attribute_of(rel, NameStr(att->attname));

		if (source != InvalidAttrNumber && TupleDescAttr(RelationGetDescr(rel), source - 1)->atttypid == att->atttypid)
			state->sources[i] = source;
	}
	state->row_id = attribute_of(images, "sigma_row_id");
	state->absent = attribute_of(images, "sigma_absent");
	state->deleted_at = attribute_of(images, "sigma_deleted_at");
	state->deleted_by = attribute_of(images, "sigma_deleted_by");
	state->through = read_through(state);
	table_close(images, NoLock);
	return state;
}

/* The number of a column, or 0. */
static AttrNumber
attribute_of(Relation rel, const char *name)
{
	return get_attnum(RelationGetRelid(rel), name);
}

/* The greatest row id of the last publish, by the newest snapshot: no publish can run beside us. */
static int64
read_through(const KeepState *state)
{
	Relation	images = table_open(state->relid, NoLock);
	AttrNumber	attnum = attribute_of(images, "sigma_through");
	HeapTuple	mark = NULL;
	SysScanDesc scan = NULL;
	int64		through = 0;
	bool		isnull = true;

	if (state->row_id != InvalidAttrNumber && attnum != InvalidAttrNumber &&
		state->absent != InvalidAttrNumber && state->deleted_at != InvalidAttrNumber &&
		state->deleted_by != InvalidAttrNumber)
		scan = find_image(images, state->row_id, 0, &mark);
	if (mark != NULL)
		through = DatumGetInt64(heap_getattr(mark, attnum, RelationGetDescr(images), &isnull));
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"sigds.%s\" is not as it was made", RelationGetRelationName(images)),
				 errhint("Drop it, delete the definition, which keeps the rows, and create it again.")));
	systable_endscan(scan);
	table_close(images, NoLock);
	return through;
}

/* Find the image of a row, what this command wrote included; NULL where there is none.  The caller ends the scan. */
static SysScanDesc
find_image(Relation images, AttrNumber attnum, int64 row_id, HeapTuple *image)
{
	ScanKeyData key;
	SysScanDesc scan;

	list_free(RelationGetIndexList(images));	/* finds the primary key */
	ScanKeyInit(&key, attnum, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(row_id));
	scan = systable_beginscan(images, images->rd_pkindex, OidIsValid(images->rd_pkindex), SnapshotSelf, 1, &key);
	*image = systable_getnext(scan);
	return scan;
}

/* The image of a row as it is; of a row that is not there ("row" NULL) that it is absent. */
static HeapTuple
make_image(const KeepState *state, Relation images, HeapTuple row, TupleDesc desc, int64 row_id)
{
	Datum	   *values = palloc0(sizeof(Datum) * state->natts);
	bool	   *nulls = palloc(sizeof(bool) * state->natts);
	int			i;

	for (i = 0; i < state->natts; i++)
	{
		nulls[i] = true;
		if (row != NULL && state->sources[i] != InvalidAttrNumber)
			values[i] = heap_getattr(row, state->sources[i], desc, &nulls[i]);
	}
	values[state->row_id - 1] = Int64GetDatum(row_id);
	nulls[state->row_id - 1] = false;
	if (row == NULL)
	{
		values[state->absent - 1] = BoolGetDatum(true);
		nulls[state->absent - 1] = false;
	}
	return heap_form_tuple(RelationGetDescr(images), values, nulls);
}

/* The image with who deleted its row, and when. */
static HeapTuple
mark_deleted(const KeepState *state, Relation images, HeapTuple image)
{
	int			columns[2] = {state->deleted_at, state->deleted_by};
	Datum		values[2];
	bool		nulls[2] = {false, false};

	values[0] = TimestampTzGetDatum(GetCurrentStatementStartTimestamp());
	values[1] = CStringGetTextDatum(sigma_app_user());
	return heap_modify_tuple_by_cols(image, RelationGetDescr(images), 2, columns, values, nulls);
}
