/*
 * edit_log.h
 *		The edit log of input tables: who writes it, how it is read.
 *
 * Every input table whose governance_config does not say "audit": false has a table
 * sigds.sigds_wal_<id>.  Each change of its rows or columns adds entries there:
 * triggers of the data table write those of rows, the definition's triggers those of
 * columns, functions those of events (imports, undo, publish).
 *
 * edit_log.c          triggers: rows of a statement to entries
 * edit_log_write.c    entries to rows of the log: number, stamp, metadata, hash
 * edit_log_value.c    cells as JSON and back
 * edit_log_table.c    the log's relation: create, adopt, drop, protect
 * edit_log_columns.c  entries of definitions: columns made, changed, dropped
 * edit_log_checkpoint.c  the whole table as entries
 */
#ifndef SIGMA_EDIT_LOG_H
#define SIGMA_EDIT_LOG_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/relcache.h"

#include "common/value.h"
#include "compat.h"

/* The log's attributes, in the order in which it is made. */
typedef enum LogAttribute
{
	LOG_DS_ID = 1,
	LOG_EDIT_NUM,
	LOG_TIMESTAMP,
	LOG_EDIT,
	LOG_METADATA,
	LOG_XACT,
	LOG_SETTLED,
	LOG_INSTANCE,
	LOG_STATEMENT,
	LOG_HASH
} LogAttribute;

#define LOG_ATTRIBUTES		LOG_HASH
#define LOG_CHUNK_ROWS		1000
#define LOG_CHUNK_BYTES		(1024 * 1024)

/* The log of one input table. */
typedef struct EditLog
{
	Oid			relid;			/* InvalidOid: none is kept */
	Oid			numbers;		/* the sequence of edit numbers */
	Oid			instance;		/* the table that holds this database's number */
	const char *id;				/* the input table's */
	const char *name;			/* its display name */
	const char *workbook;		/* metadata.workbook_id of the definition, or NULL */
	bool		chained;		/* entries carry hashes */
} EditLog;

/*
 * Statements that belong together: what is logged for one table between begin and end
 * has one statement number.  The caller ends it in PG_FINALLY.
 */
typedef struct LogGroup
{
	struct LogGroup *outer;
	Oid			log;
	int64		statement;		/* 0: nothing was logged yet */
	int64		last;			/* the newest entry's number, or 0 */
} LogGroup;

typedef struct LogWriter LogWriter; /* edit_log_write.c */

/* Where the edits of a run are: filled while it writes, lives as long as the run. */
typedef struct RunEdits
{
	MemoryContext cxt;
	List	   *tables;			/* of TableEdits */
} RunEdits;

typedef struct TableEdits
{
	char	   *table_id;
	int64		first;			/* entries of others stand among them; 0: the table has no log */
	int64		last;
} TableEdits;

/* edit_log_write.c */
extern void sigma_log_group_begin(LogGroup *group, Oid log);
extern void sigma_log_group_end(LogGroup *group);
extern LogGroup *sigma_log_group_leave(LogGroup *to);
extern LogWriter *sigma_log_begin(const EditLog *log);
extern void sigma_log_part_of_statement(LogWriter *writer, MemoryContext cxt);
extern int64 sigma_log_put(LogWriter *writer, JsonbValue *edit);
extern int64 sigma_log_put_document(LogWriter *writer, Jsonb *edit);
extern void sigma_log_put_as(LogWriter *writer, JsonbValue *edit, int64 number);
extern void sigma_log_date_back(LogWriter *writer, TimestampTz at, Datum xact, Datum settled, Datum instance, bool hashed);
extern int64 sigma_log_end(LogWriter *writer);
extern void sigma_run_edits_note(const char *table_id, int64 first, int64 last);
extern int64 sigma_log_event(const EditLog *log, const char *operation, const JsonbValue *payload);
extern void sigma_log_check_shape(Relation log);
extern void sigma_log_refuse_missing(const char *id) pg_attribute_noreturn();
extern bytea *sigma_log_hash(const bytea *previous, TupleDesc desc, const Datum *values, const bool *nulls);

/* edit_log_read.c */
extern int64 sigma_log_newest(Oid log);

/* edit_log_value.c: cells of entries; what the value points to must live as long as it */
extern void sigma_log_encode(ColumnType type, Datum value, bool isnull, JsonbValue *cell);
extern bool sigma_log_decode(ColumnType type, const JsonbValue *cell, Datum *value);
extern Size sigma_log_size(ColumnType type, Datum value, bool isnull);
extern char *sigma_log_moment(TimestampTz moment);

#endif							/* SIGMA_EDIT_LOG_H */
