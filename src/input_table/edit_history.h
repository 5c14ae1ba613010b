/*
 * edit_history.h
 *		Reading the edit log: entries in order, columns through time, rows of entries.
 *
 * edit_log_read.c   entries of a log, forwards and backwards
 * edit_log_schema.c columns through time; the rows of an entry
 * edit_log_state.c  the whole table as it was after an edit
 * edit_log_untouched.c  rows that no later edit touched, from the table itself
 * edit_log_delta.c  what a range of edits, or some statements, changed in sum
 * edit_log_last.c   which edit wrote a row last
 * past_rights.c     who may see what of the past
 * past_keys.c       rows by their keys
 * rebuild.c, as_of.c, diff.c, history.c, undo.c, compact.c   the functions
 */
#ifndef SIGMA_EDIT_HISTORY_H
#define SIGMA_EDIT_HISTORY_H

#include "postgres.h"

#include "access/genam.h"
#include "access/sdir.h"
#include "compat.h"
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

/* One change of a column. */
typedef struct DeltaColumn
{
	LogColumn  *column;
	const JsonNode *before;		/* NULL: it came */
	const JsonNode *after;		/* NULL: it went */
	int64		position;		/* where it came, or was */
} DeltaColumn;

/* edit_log_read.c */
extern LogReader *sigma_log_read(Oid log, Snapshot snapshot, int64 from, int64 to, ScanDirection direction);
extern bool sigma_log_next(LogReader *reader, LogEntry *entry);
extern void sigma_log_read_end(LogReader *reader);
extern TupleDesc sigma_log_desc(const LogReader *reader);
extern const JsonbContainer *sigma_log_payload(const LogEntry *entry);
extern const char *sigma_log_metadata(const LogEntry *entry, const char *key);
extern bool sigma_log_last(Oid log, int64 *number, TimestampTz *at, const char **by);
extern int64 sigma_log_count(Oid log);
extern const InputTable *sigma_logged_table(const char *id);
extern void sigma_log_refuse_gone(const InputTable *table, int64 number) pg_attribute_noreturn();

/* The edit that wrote a row last. */
typedef struct LastEdit
{
	int64		row_id;			/* hash key, must be first */
	int64		number;			/* of the entry, 0: the log has none */
	int64		statement;		/* 0: a checkpoint's */
} LastEdit;

typedef void (*LogIdVisitor) (const LogEntry *entry, int64 row_id, void *arg);

/* edit_log_last.c */
extern void sigma_log_last_edits(Oid log, HTAB *rows);
extern int64 sigma_log_statement_of(Oid log, int64 number);

/* edit_log_schema.c */
extern void sigma_log_row_ids(const LogEntry *entry, LogIdVisitor visit, void *arg);
extern LogSchema *sigma_log_schema_new(MemoryContext cxt);
extern LogSchema *sigma_log_schema_now(MemoryContext cxt, const char *id);
extern LogSchema *sigma_log_schema_at(MemoryContext cxt, const InputTable *table, Snapshot snapshot, int64 number);
extern LogColumn *sigma_log_column(LogSchema *schema, const char *id);
extern LogColumn *sigma_log_column_named(LogSchema *schema, const char *name, int length);
extern void sigma_log_apply(LogSchema *schema, const LogEntry *entry);
extern void sigma_log_revert(LogSchema *schema, const LogEntry *entry);
extern void sigma_log_rows(LogSchema *schema, const LogEntry *entry, HTAB *only, LogRowVisitor visit, void *arg);
extern void sigma_log_column_values(LogSchema *schema, const LogEntry *entry, LogValueVisitor visit, void *arg);
extern bool sigma_log_begins_column_edit(const LogEntry *entry);
extern void sigma_log_column_edit(LogSchema *schema, const LogEntry *entry, DeltaColumn *change);

/* A row as it was at one point of the log. */
typedef struct LogImage
{
	int64		row_id;
	int64		sequence;		/* of an event: its number among those that were read */
	bool		exists;			/* false after a delete: then nothing follows */
	int			ncolumn;
	LogColumn **columns;		/* those that rows had, in the definition's order */
	ColumnType *types;			/* of theirs */
	Datum	   *values;			/* first the stamps, by the constants below, then the columns' */
	bool	   *nulls;
} LogImage;

/* Places of stamps in an image. */
#define STATE_UPDATED_AT	0
#define STATE_UPDATED_BY	1
#define STATE_CREATED_AT	2
#define STATE_CREATED_BY	3
#define STATE_STAMPS		4

typedef void (*LogImageVisitor) (const LogImage *image, void *arg);

struct LogReplay;				/* edit_log_state.c */
struct LogUntouched;			/* edit_log_untouched.c */

/* The whole table at one point of its log: an image after the other, by row ids. */
typedef struct LogState
{
	MemoryContext cxt;
	int64		base;			/* the entry that it begins with */
	int64		edits;			/* entries that made it */
	int64		last;			/* the newest of them, or 0 */
	int64		rows;			/* so far */
	LogImage	image;			/* the current row, good until the next one; its columns also before the first */
	LogImageVisitor visit;		/* or NULL: is called after each event of a row, in the order of rows, then of events */
	void	   *visit_arg;
	struct LogReplay *replay;
	struct LogUntouched *untouched;	/* rows that come from the table itself, or NULL */
} LogState;

/* edit_log_state.c */
extern LogState *sigma_log_state(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at, HTAB *only);
extern LogState *sigma_log_state_today(const InputTable *table, Snapshot snapshot, int64 through, HTAB *only);
extern LogState *sigma_log_state_past(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at);
extern bool sigma_log_state_next(LogState *state);
extern void sigma_log_state_end(LogState *state);
extern bool sigma_log_default(const LogColumn *column, Datum *value);

/* edit_log_untouched.c */
extern HTAB *sigma_log_touched(const InputTable *table, Snapshot snapshot, int64 through, const TimestampTz *at);
extern struct LogUntouched *sigma_log_untouched(const InputTable *table, Snapshot snapshot, HTAB *touched, const LogImage *image);
extern bool sigma_log_untouched_next(struct LogUntouched *rows, LogImage *image);
extern void sigma_log_untouched_end(struct LogUntouched *rows);

/* What happened to one cell in sum. */
typedef struct DeltaCell
{
	LogColumn  *column;
	ColumnType	old_type;
	ColumnType	new_type;
	JsonbValue	old;
	JsonbValue	new;
} DeltaCell;

/* What happened to one row in sum. */
typedef struct DeltaRow
{
	int64		row_id;			/* hash key, must be first */
	bool		before;			/* was it there? */
	bool		after;			/* is it? */
	int			ncell;
	int			size;
	DeltaCell  *cells;
} DeltaRow;

/* What a range of edits, or some statements, changed. */
typedef struct LogDelta
{
	MemoryContext cxt;
	LogSchema  *schema;			/* as it is after the last edit that was read */
	HTAB	   *rows;
	List	   *columns;		/* of DeltaColumn, in the order in which they changed */
	MemoryContext scratch;
} LogDelta;

/* edit_log_delta.c */
extern LogDelta *sigma_log_delta(const InputTable *table, Snapshot snapshot, int64 from, int64 to,
								 const int64 *statements, int nstatement);
extern int	sigma_log_compare_numbers(const void *a, const void *b);
extern DeltaRow **sigma_log_delta_rows(const LogDelta *delta, int64 *count);
extern List *sigma_log_delta_columns(const LogDelta *delta);
extern DeltaCell *sigma_log_delta_cell(DeltaRow *row, const LogColumn *column);
extern bool sigma_log_same_cell(const JsonbValue *a, const JsonbValue *b);

/* Edits to be reversed: what they did, and where the table is otherwise by now. */
typedef struct Reversal
{
	const InputTable *table;
	const char *id;
	Snapshot	snapshot;
	LogDelta   *delta;
	DeltaRow  **rows;
	int64		nrow;
	List	   *columns;		/* of DeltaColumn: each changed column once, from first to last */
	List	   *versions;		/* of VersionChange: what the edits did to what is published, newest first */
	int64		version;		/* what is to be published instead, if they did anything */
	JsonNode   *conflicts;
	bool		secured;		/* row security applies to who revises */
	bool		hidden;			/* rows that the edits left are not there for him */
	int64		edit_num;		/* the last entry written, or 0 */
} Reversal;

/* undo.c */
extern void sigma_reversal_open(Reversal *reversal, const char *id);
extern void sigma_reversal_begin(Reversal *reversal, int64 from, const List *statements);
extern List *sigma_reversal_of_runs(const Reversal *reversal, const List *execution_ids, int64 first, bool *undone);
extern JsonbValue *sigma_log_numbers(const char *key, const List *numbers, bool redo);

/* A publish, or an undo of one: from one version of what is published to another. */
typedef struct VersionChange
{
	int64		before;			/* the table as it was after that edit, 0: nothing */
	int64		after;
} VersionChange;

/* published_version.c */
extern bool sigma_version_change(const LogEntry *entry, VersionChange *change);
extern void sigma_versions_check(Reversal *reversal);
extern void sigma_versions_apply(const Reversal *reversal);

/* undo_apply.c */
extern void sigma_reversal_check(Reversal *reversal);
extern void sigma_reversal_apply(Reversal *reversal, const char *operation, const JsonbValue *payload);

/* past_rights.c: who may see what of the past */
typedef struct PastRights
{
	const InputTable *table;
	bool		whole;			/* the caller may read the whole table */
	char	   *filter;			/* what rows must satisfy for him to see them, as SQL over "r"; NULL: he sees all */
} PastRights;

typedef struct PastFilter PastFilter;

extern void sigma_past_begin(PastRights *rights, const InputTable *table);
extern bool sigma_past_column(const PastRights *rights, const LogColumn *column);
extern void sigma_past_value(ColumnType type, const JsonbValue *cell, JsonbValue *shown);
extern bool sigma_past_cell(ColumnType type, const JsonbValue *cell, Datum *shown);
extern void sigma_past_record(const LogImage *image, const InputTable *table, TupleDesc desc, Datum *values, bool *nulls);
extern PastFilter *sigma_past_filter(const PastRights *rights);
extern void sigma_past_filter_add(const LogImage *image, void *filter);
extern void sigma_past_filter_run(PastFilter *filter);
extern bool sigma_past_filter_next(PastFilter *filter, int64 *row_id, int64 *sequence, bool *visible);
extern void sigma_past_filter_end(PastFilter *filter);

/* past_keys.c: rows by their keys */
typedef struct PastKeys PastKeys;

extern PastKeys *sigma_past_keys(const InputTable *table);
extern void sigma_past_keys_note(PastKeys *keys, const LogRow *row);
extern void sigma_past_keys_read(PastKeys *keys, Snapshot snapshot, HTAB *only);
extern bool sigma_past_key(const PastKeys *keys, int64 row_id, Datum *key);
extern HTAB *sigma_past_rows_of_key(const InputTable *table, Snapshot snapshot, Jsonb *key);
extern HTAB *sigma_past_ids(void);

#endif							/* SIGMA_EDIT_HISTORY_H */
