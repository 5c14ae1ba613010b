/*
 * published.h
 *		Draft and published rows: what the files that keep them apart share.
 *
 * A table with data_entry_permission "draft" has a relation sigds.sigds_pub_<id>
 * beside its data table.  The published rows are those of the data table up to row
 * "sigma_through" of the last publish, but for the rows that the draft changed since
 * then: of these the relation holds the image that is published.
 *
 * published.c  the relation: create, adopt, drop; images of rows that change
 * publish.c    publish, publish_preview, discard_draft
 */
#ifndef SIGMA_PUBLISHED_H
#define SIGMA_PUBLISHED_H

#include "postgres.h"

#include "input_table/define.h"
#include "input_table/input_table.h"

/* Row 0 of the relation stands for the last publish; images have the ids of their rows. */
#define PUBLISHED_MARK	"0"

/* published.c */
extern bool sigma_is_draft(const TableDefinition *table);
extern Oid	sigma_published_oid(const char *id);
extern void sigma_published_create(const TableDefinition *table, bool with_rows);
extern void sigma_published_adopt(const TableDefinition *table);
extern void sigma_published_forget(const char *id);
extern void sigma_published_end(const TableDefinition *table);
extern void sigma_published_drop(const char *id);
extern void sigma_published_insert(Relation rel, int64 row_id);
extern char *sigma_published_rows(const char *id, const char *columns);

/* What a publish, or taking back a draft, is about: rows by what the draft did to them. */
typedef struct DraftCounts
{
	int64		inserted;
	int64		updated;
	int64		deleted;
} DraftCounts;

/* published_version.c */
#define VERSION_UNKNOWN	(-1)
#define VERSION_NONE	0

extern int64 sigma_published_version(const char *id);

/* publish.c */
extern void sigma_publish_before_change(const TableDefinition *table, Oid relid);
extern void sigma_count_drafts(const TableDefinition *table, DraftCounts *counts);
extern void sigma_count_drafts_seen(const TableDefinition *table, Oid relid, DraftCounts *counts);
extern void sigma_published_clear(const char *id);

#endif							/* SIGMA_PUBLISHED_H */
