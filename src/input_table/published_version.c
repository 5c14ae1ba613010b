/*
 * published_version.c
 *		Taking a publish back: which version of a table is published, and another one instead.
 *
 * What a publish shows is the table as it was when its entry was logged; versions are
 * known by the numbers of these entries.  An entry of a publish says which version was
 * published before ("from"), an undo of one both ("from" and "published").  To show an
 * older version again, rows that were edited since get images of what they were then:
 * it costs what has changed, and the log must reach back so far.
 *
 * The caller keeps writers of the data table out.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/queryenvironment.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "common/json.h"
#include "common/names.h"
#include "common/spi.h"
#include "input_table/define.h"
#include "input_table/edit_history.h"
#include "input_table/published.h"

#define VERSION_ROWS	"sigma_version_rows"
#define ABSENT_NAME		"sigma_absent"

/* Rows edited since a version, as images. */
typedef struct VersionRows
{
	const InputTable *table;
	TupleDesc	row_desc;		/* of the data table */
	TupleDesc	desc;			/* with ABSENT_NAME behind */
	Datum	   *values;
	bool	   *nulls;
	Tuplestorestate *rows;
} VersionRows;

static bool number_of(const JsonbContainer *payload, const char *key, int64 *number);
static void add_id(const LogEntry *entry, int64 row_id, void *arg);
static HTAB *edited_since(const InputTable *table, Snapshot snapshot, int64 version);
static VersionRows *make_images(const InputTable *table, Snapshot snapshot, int64 version);
static void put_image(VersionRows *rows);
static void write_images(const Reversal *reversal, VersionRows *rows);
static void set_mark(const Reversal *reversal);
static bool entry_of(const Reversal *reversal, Datum *at, Datum *by);
static char *columns_of(TupleDesc desc);

/* The version that is published; VERSION_NONE or VERSION_UNKNOWN.  The relation of images is there. */
int64
sigma_published_version(const char *id)
{
	OwnerScope	scope;
	int64		version;
	int64		through;

	SPI_connect();
	sigma_ddl_begin(&scope);
	version = sigma_ddl_number(psprintf("SELECT coalesce(pg_catalog.max(m.sigma_edit), 0) FROM %s m WHERE m.sigma_row_id OPERATOR(pg_catalog.=) " PUBLISHED_MARK,
										sigma_ddl_name(sigma_published_name(id))));
	through = sigma_ddl_number(psprintf("SELECT coalesce(pg_catalog.max(m.sigma_through), 0) FROM %s m WHERE m.sigma_row_id OPERATOR(pg_catalog.=) " PUBLISHED_MARK,
										sigma_ddl_name(sigma_published_name(id))));
	sigma_owner_end(&scope);
	SPI_finish();
	return version > 0 ? version : through == 0 ? VERSION_NONE : VERSION_UNKNOWN;
}

/* What the entry of a publish or an undo did to what is published; false where nothing that is known. */
bool
sigma_version_change(const LogEntry *entry, VersionChange *change)
{
	const JsonbContainer *payload;

	if (entry->operation != LOG_PUBLISH && entry->operation != LOG_UNDO)
		return false;
	payload = sigma_log_payload(entry);
	change->after = entry->number;
	return number_of(payload, "from", &change->before) &&
		(entry->operation == LOG_PUBLISH || number_of(payload, "published", &change->after));
}

/* Is what the steps published still published?  Fills in reversal->version, or a conflict. */
void
sigma_versions_check(Reversal *reversal)
{
	ListCell   *lc;

	if (reversal->versions == NIL)
		return;
	reversal->version = sigma_published_version(reversal->id);
	foreach(lc, reversal->versions)
	{
		const VersionChange *change = lfirst(lc);
		JsonNode   *conflict = sigma_json_new(JSON_OBJECT, NULL);

		if (change->after == reversal->version)
		{
			reversal->version = change->before;
			continue;
		}
		sigma_json_set(conflict, "row_id", sigma_json_new(JSON_NULL, NULL));
		sigma_json_set(conflict, "column", sigma_json_new(JSON_NULL, NULL));
		sigma_json_set(conflict, "expected", sigma_json_new(JSON_OBJECT, NULL));
		sigma_json_set(sigma_json_get(conflict, "expected"), "published", sigma_json_new_int(change->after, NULL));
		sigma_json_set(conflict, "found", sigma_json_new(JSON_OBJECT, NULL));
		sigma_json_set(sigma_json_get(conflict, "found"), "published", sigma_json_new_int(reversal->version, NULL));
		sigma_json_append(reversal->conflicts, conflict);
		return;
	}
}

/* Publish reversal->version instead, if the steps did anything to what is published. */
void
sigma_versions_apply(const Reversal *reversal)
{
	VersionRows *rows = NULL;
	OwnerScope	scope;

	if (reversal->versions == NIL)
		return;
	if (reversal->version != VERSION_NONE)
		rows = make_images(reversal->table, reversal->snapshot, reversal->version);
	SPI_connect();
	sigma_ddl_begin(&scope);
	sigma_published_clear(reversal->id);
	if (rows != NULL)
		write_images(reversal, rows);
	set_mark(reversal);
	sigma_owner_end(&scope);
	SPI_finish();
	CommandCounterIncrement();
}

/* A number of a payload; false where there is none. */
static bool
number_of(const JsonbContainer *payload, const char *key, int64 *number)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(unconstify(JsonbContainer *, payload), key, strlen(key), &value) == NULL ||
		value.type != jbvNumeric)
		return false;
	*number = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric)));
	return true;
}

/* LogIdVisitor */
static void
add_id(const LogEntry *entry, int64 row_id, void *arg)
{
	(void) hash_search((HTAB *) arg, &row_id, HASH_ENTER, NULL);
}

/* The ids of the rows that were edited since a version, in the current context. */
static HTAB *
edited_since(const InputTable *table, Snapshot snapshot, int64 version)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma log entry", ALLOCSET_DEFAULT_SIZES);
	HTAB	   *ids = sigma_past_ids();
	LogReader  *reader = sigma_log_read(table->log.relid, snapshot, version + 1, PG_INT64_MAX, ForwardScanDirection);
	MemoryContext caller = MemoryContextSwitchTo(cxt);
	LogEntry	entry;

	while (sigma_log_next(reader, &entry))
	{
		sigma_log_row_ids(&entry, add_id, ids);
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(caller);
	sigma_log_read_end(reader);
	MemoryContextDelete(cxt);
	return ids;
}

/* Images of the rows that were edited since a version, as they were in it, or of their absence; in the current context. */
static VersionRows *
make_images(const InputTable *table, Snapshot snapshot, int64 version)
{
	VersionRows *rows = palloc0(sizeof(VersionRows));
	Relation	rel = table_open(table->relid, NoLock);
	HTAB	   *ids = edited_since(table, snapshot, version);
	LogState   *state = sigma_log_state_today(table, snapshot, version, ids);
	HASH_SEQ_STATUS scan;
	int64	   *id;
	int			i;

	rows->table = table;
	rows->row_desc = CreateTupleDescCopy(RelationGetDescr(rel));
	table_close(rel, NoLock);
	rows->desc = CreateTemplateTupleDesc(rows->row_desc->natts + 1);
	for (i = 0; i < rows->row_desc->natts; i++)
		if (TupleDescAttr(rows->row_desc, i)->attisdropped)
			TupleDescInitEntry(rows->desc, i + 1, psprintf("sigma_dropped_%d", i), INT4OID, -1, 0);
		else
			TupleDescCopyEntry(rows->desc, i + 1, rows->row_desc, i + 1);
	TupleDescInitEntry(rows->desc, i + 1, ABSENT_NAME, BOOLOID, -1, 0);
	rows->values = palloc0(sizeof(Datum) * rows->desc->natts);
	rows->nulls = palloc0(sizeof(bool) * rows->desc->natts);
	rows->rows = tuplestore_begin_heap(false, false, work_mem);
	while (sigma_log_state_next(state))
	{
		sigma_past_record(&state->image, table, rows->row_desc, rows->values, rows->nulls);
		rows->nulls[i] = true;
		put_image(rows);
		(void) hash_search(ids, &state->image.row_id, HASH_REMOVE, NULL);
	}
	sigma_log_state_end(state);
	memset(rows->nulls, true, sizeof(bool) * rows->desc->natts);
	rows->nulls[table->row_id - 1] = rows->nulls[i] = false;
	rows->values[i] = BoolGetDatum(true);
	hash_seq_init(&scan, ids);
	while ((id = hash_seq_search(&scan)) != NULL)
	{
		rows->values[table->row_id - 1] = Int64GetDatum(*id);
		put_image(rows);
	}
	return rows;
}

static void
put_image(VersionRows *rows)
{
	tuplestore_putvalues(rows->rows, rows->desc, rows->values, rows->nulls);
}

/* SPI is connected, and the owner of sigds current. */
static void
write_images(const Reversal *reversal, VersionRows *rows)
{
	EphemeralNamedRelationData relation = {0};

	relation.md.name = VERSION_ROWS;
	relation.md.tupdesc = rows->desc;
	relation.md.enrtype = ENR_NAMED_TUPLESTORE;
	relation.md.enrtuples = tuplestore_tuple_count(rows->rows);
	relation.reldata = rows->rows;
	if (SPI_register_relation(&relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register rows");
	sigma_spi_run(psprintf("INSERT INTO %s (%s, " ABSENT_NAME ") SELECT %s, " ABSENT_NAME " FROM " VERSION_ROWS,
						   sigma_ddl_name(sigma_published_name(reversal->id)), columns_of(rows->row_desc), columns_of(rows->row_desc)),
				  SPI_OK_INSERT);
	SPI_unregister_relation(VERSION_ROWS);
	tuplestore_end(rows->rows);
}

/* Row 0 says which version it is, of when and by whom, and how far row ids have come. */
static void
set_mark(const Reversal *reversal)
{
	Oid			types[] = {INT8OID, TIMESTAMPTZOID, TEXTOID, BOOLOID};
	Datum		values[4] = {0};
	char		nulls[] = "    ";
	bool		known = reversal->version != VERSION_NONE && entry_of(reversal, &values[1], &values[2]);

	values[0] = Int64GetDatum(reversal->version);
	nulls[0] = reversal->version == VERSION_NONE ? 'n' : ' ';
	nulls[1] = nulls[2] = known ? ' ' : 'n';
	values[3] = BoolGetDatum(reversal->version == VERSION_NONE);
	if (SPI_execute_with_args(psprintf("UPDATE %s SET sigma_through = CASE WHEN $4 THEN 0 ELSE "
									   "(SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END FROM %s s) END, "
									   "sigma_edit = $1, sigma_updated_at = $2, sigma_updated_by = $3 "
									   "WHERE sigma_row_id OPERATOR(pg_catalog.=) " PUBLISHED_MARK,
									   sigma_ddl_name(sigma_published_name(reversal->id)),
									   sigma_ddl_name(sigma_row_sequence_name(reversal->id))),
							  4, types, values, nulls, false, 0) != SPI_OK_UPDATE || SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"sigds.%s\" is not as it was made", sigma_published_name(reversal->id))));
}

/* When and by whom the version was published; false where the log does not say. */
static bool
entry_of(const Reversal *reversal, Datum *at, Datum *by)
{
	LogReader  *reader = sigma_log_read(reversal->table->log.relid, reversal->snapshot, reversal->version,
										reversal->version, ForwardScanDirection);
	LogEntry	entry;
	bool		found = sigma_log_next(reader, &entry);
	const char *user = found ? sigma_log_metadata(&entry, "userEmail") : NULL;

	if (user != NULL)
	{
		*at = TimestampTzGetDatum(entry.at);
		*by = CStringGetTextDatum(user);
	}
	sigma_log_read_end(reader);
	return user != NULL;
}

/* The columns that are there, quoted. */
static char *
columns_of(TupleDesc desc)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", quote_identifier(NameStr(TupleDescAttr(desc, i)->attname)));
	return list.data;
}
