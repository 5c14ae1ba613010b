/*
 * edit_history.h
 *		Reading the edit log: entries in order, columns through time, rows of entries.
 *
 * edit_log_read.c   entries of a log, forwards and backwards
 * edit_log_schema.c columns through time; the rows of an entry
 * edit_log_state.c  the whole table as it was after an edit
 * edit_log_delta.c  what a range of edits, or some statements, changed in sum
 * rebuild.c, as_of.c, history.c, undo.c, compact.c   the functions
 */
#ifndef SIGMA_EDIT_HISTORY_H
#define SIGMA_EDIT_HISTORY_H

#include "postgres.h"

#include "access/genam.h"
#include "access/sdir.h"
#include "common/json.h"
#include "utils/hsearch.h"
#include "utils/snapshot.h"

#include "input_table/edit_log.h"
#include "input_table/input_table.h"

typedef enum LogOperation
{
	LOG_OTHER,
	LOG_CREATE,
	LOG_CHECKPOINT,
	LOG_ADD_COLUMN,
	LOG_UPDATE_COLUMN,
	LOG_DELETE_COLUMN,
	LOG_ADD_ROWS,				/* addRow too, and so on */
	LOG_UPDATE_ROWS,
	LOG_DELETE_ROWS,
	LOG_IMPORT,
	LOG_PUBLISH,
	LOG_UNDO,
	LOG_RESTORE
} LogOperation;

/* One entry; what it points to is good until the next one is read. */
typedef struct LogEntry
{
	int64		number;
	int64		statement;
	TimestampTz at;
	LogOperation operation;
	Datum		values[LOG_ATTRIBUTES];
	bool		nulls[LOG_ATTRIBUTES];
} LogEntry;

typedef struct LogReader LogReader; /* edit_log_read.c */

/* One column, through all the names and types that it had. */
typedef struct LogColumn
{
	int			slot;			/* its number in the schema, never used again */
	const char *id;
	const char *name;
	ColumnType	type;
	const JsonNode *document;
	bool		exists;			/* at the point of time that the schema is at */
} LogColumn;

/* The columns of a table at one point of its log. */
typedef struct LogSchema
{
	MemoryContext cxt;
	int			ncolumn;
	int			size;
	LogColumn **columns;		/* by slot; also those that are gone */
	List	   *order;			/* of LogColumn: those that exist, as the definition lists them */
} LogSchema;

/* System columns of a row. */
typedef struct LogStamps
{
	TimestampTz created_at;
	TimestampTz updated_at;
	const char *created_by;
	const char *updated_by;
	bool		no_created_at;
	bool		no_updated_at;
} LogStamps;

/* One row of an entry. */
typedef struct LogRow
{
	LogOperation operation;		/* LOG_ADD_ROWS, LOG_UPDATE_ROWS or LOG_DELETE_ROWS */
	int64		row_id;
	int			ncell;
	LogColumn **columns;		/* of the cells */
	const JsonbValue *old;		/* NULL for LOG_ADD_ROWS */
	const JsonbValue *new;		/* NULL for LOG_DELETE_ROWS */
	const LogStamps *stamps;	/* of updates just updated_at and updated_by, of deletes none */
} LogRow;

typedef void (*LogRowVisitor) (const LogEntry *entry, const LogRow *row, void *arg);
typedef void (*LogValueVisitor) (LogColumn *column, int64 row_id, const JsonbValue *value, void *arg);

/* edit_log_read.c */
extern LogReader *sigma_log_read(Oid log, Snapshot snapshot, int64 from, int64 to, ScanDirection direction);
extern bool sigma_log_next(LogReader *reader, LogEntry *entry);
extern void sigma_log_read_end(LogReader *reader);
extern const JsonbContainer *sigma_log_payload(const LogEntry *entry);
extern const char *sigma_log_metadata(const LogEntry *entry, const char *key);
extern bool sigma_log_last(Oid log, int64 *number, TimestampTz *at, const char **by);
extern int64 sigma_log_count(Oid log);
extern const InputTable *sigma_logged_table(const char *id);
extern void sigma_log_refuse_gone(const InputTable *table, int64 number) pg_attribute_noreturn();

/* edit_log_schema.c */
extern LogSchema *sigma_log_schema_new(MemoryContext cxt);
extern LogSchema *sigma_log_schema_now(MemoryContext cxt, const char *id);
extern LogSchema *sigma_log_schema_at(MemoryContext cxt, const InputTable *table, Snapshot snapshot, int64 number);
extern LogColumn *sigma_log_column(LogSchema *schema, const char *id);
extern LogColumn *sigma_log_column_named(LogSchema *schema, const char *name, int length);
extern void sigma_log_apply(LogSchema *schema, const LogEntry *entry);
extern void sigma_log_revert(LogSchema *schema, const LogEntry *entry);
extern void sigma_log_rows(LogSchema *schema, const LogEntry *entry, LogRowVisitor visit, void *arg);
extern void sigma_log_column_values(LogSchema *schema, const LogEntry *entry, LogValueVisitor visit, void *arg);
extern bool sigma_log_begins_column_edit(const LogEntry *entry);

#endif							/* SIGMA_EDIT_HISTORY_H */
