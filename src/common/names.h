/*
 * names.h
 *		From an input table's id to the names of its relations.
 */
#ifndef SIGMA_NAMES_H
#define SIGMA_NAMES_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* "sigds_<id>" with the id folded (lower case, "_" for what is outside [a-z0-9_]); 42602 where the id is not usable. */
extern char *sigma_data_table_name(const char *id);

/* "sigds_seq_<id>", the sequence of its row ids. */
extern char *sigma_row_sequence_name(const char *id);

/* "sigds_pub_<id>", the published images of rows that a draft changed. */
extern char *sigma_published_name(const char *id);
/* "sigds_wal_<id>", its edit log. */
extern char *sigma_log_name(const char *id);

/* "sigds_entry_<id>" and "sigds_shown_<id>": what was entered into a linked table, and what of it is published. */
extern char *sigma_entry_table_name(const char *id);
extern char *sigma_shown_view_name(const char *id);

/* The table that holds the rows: that of entries where there is one, else the data table. */
extern char *sigma_rows_name(const char *id);

/* Raises 42602 with a hint where an id is empty, too long, or folds to a reserved prefix. */
extern void sigma_check_table_id(const char *id);

/* OIDs, InvalidOid where there is none */
extern Oid	sigma_sigds_namespace(void);
extern Oid	sigma_data_table_oid(const char *id);
extern Oid	sigma_rows_oid(const char *id);

/* A new identifier of "length" characters [A-Z0-9] for a column, from the server's random source. */
extern char *sigma_new_column_id(void);

/* A new uuid as text; one that begins with that time, which is now. */
extern char *sigma_new_uuid(void);
extern char *sigma_new_ordered_uuid(TimestampTz time);

#endif							/* SIGMA_NAMES_H */
