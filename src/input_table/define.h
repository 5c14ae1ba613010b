/*
 * define.h
 *		What the files that define input tables share; nobody else includes it.
 *
 * define.c      catalog triggers and functions: which row means which work
 * define_check.c  what a row may say, before it is stored
 * define_apply.c  the relations follow the row, after it was
 * definition.c  definitions as structs: reading, comparing, reporting
 * columns.c     which column of a new list is which stored one
 * data_table.c  the relations of schema sigds: create, adopt, drop
 * data_table_alter.c  what a change of definition does to them
 * ddl.c         the pieces of DDL that both use
 * unique_index.c  unique rules of a definition, and their indexes
 * convert.c     values of one column type as another
 * published.c   what is published of a table that is edited in draft
 * publish.c     publish, publish_preview, discard_draft
 * view.c        the view in schema sigma_views
 * view_users.c  views whose computed columns read other tables, while those change
 * edit_log_table.c, edit_log_columns.c  the log's relation, and its entries about columns
 * duplicate.c   a table like another one
 * csv_first.c   the CSV file that comes with a definition
 * formula_names.c  names in the formulas of a definition
 * existing_rows.c  rows that were there before a rule
 * dependents.c  who names a table or a column, and renames that they follow
 * governance.c  governance_config: roles
 * row_security.c  governance_config: row filters
 * info.c        list_input_tables, table_info
 * structure_check.c  are the relations what the definitions ask for?
 */
#ifndef SIGMA_DEFINE_H
#define SIGMA_DEFINE_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "common/document.h"
#include "common/spi.h"
#include "common/value.h"
#include "formula/compile.h"
#include "compat.h"
#include "input_table/objects.h"
#include "input_table/edit_log.h"

/* One column of a definition. */
typedef struct ColumnDefinition
{
	JsonNode   *node;			/* its document */
	const char *id;				/* its identity */
	const char *name;
	ColumnType	type;
	bool		required;		/* by any of the places a rule can stand */
	bool		unique;			/* likewise */
	bool		ignore_case;	/* unique without regard to case */
	bool		has_validation;	/* rules beyond required, unique and a list type's own list */
	bool		is_protected;
	JsonNode   *default_value;	/* or NULL */
	int			place;			/* in the document's list */
} ColumnDefinition;

/* A unique rule of a definition: of a column, or of the row. */
typedef struct UniqueDefinition
{
	int			ncolumn;
	const ColumnDefinition **columns;
	bool		ignore_case;	/* of texts */
	const char *index;			/* its name */
} UniqueDefinition;

/* A canonical input table document, read. */
typedef struct TableDefinition
{
	JsonNode   *document;
	const char *id;
	const char *name;			/* display name; the id where it has none */
	const char *relation;		/* of schema sigds, that holds the rows */
	int			nkey;			/* linked: the last columns are the source's key */
	int64		max_rows;		/* 0: no limit */
	bool		allow_bulk;
	bool		audit;			/* the edit log is kept */
	bool		chained;		/* its entries carry hashes */
	int			ncolumn;
	ColumnDefinition *columns;	/* those that are entered, in the order of the definition; those of a key behind */
	int			ncomputed;
	ColumnDefinition *computed; /* the others, which the data table does not have */
	int			nunique;
	UniqueDefinition *uniques;	/* of columns, then of the row */
} TableDefinition;

/* One column before and after a change; "before" NULL: added, "after" NULL: dropped. */
typedef struct ColumnChange
{
	const ColumnDefinition *before;
	const ColumnDefinition *after;
	int64		converted;		/* values of a retype that kept their meaning */
	int64		nulled;			/* values of a retype that became NULL */
} ColumnChange;

/* What turns one definition into another. */
typedef struct TableChange
{
	const TableDefinition *before;
	const TableDefinition *after;
	int			ncolumn;
	ColumnChange *columns;		/* those of "after" in their order, then the dropped ones */
	int			ncomputed;
	ColumnChange *computed;		/* likewise */
	bool		alters;			/* columns of the data table change: ACCESS EXCLUSIVE */
	bool		checks;			/* rules or limits change: SHARE ROW EXCLUSIVE */
	bool		rules;			/* rows are to be checked again */
} TableChange;

/* A CSV file that came with a definition. */
typedef struct CsvFile
{
	Oid			type;			/* of the content: TEXTOID or BYTEAOID */
	struct varlena *content;
	Jsonb	   *options;		/* of sigma.import_csv */
} CsvFile;

/* One document that names a table or column. */
typedef struct Dependent
{
	DocumentKind kind;
	const char *id;
	char	   *path;			/* where in its document */
} Dependent;

/* A warehouse view on its way from one definition to another. */
typedef struct ViewChange
{
	Oid			relid;			/* the view as it is, or InvalidOid */
	List	   *reads;			/* OIDs of the relations that it read */
	int			broken;			/* its columns that could not be computed */
	bool		saved;			/* it was dropped: what follows is to be restored */
	Oid			owner;			/* who gave the grants */
	struct ArrayType *acl;		/* of the view, or NULL */
	List	   *columns;		/* of its columns; view_grants.c knows their form */
	const TableChange *change;	/* what renames columns, or NULL */
	struct ViewChange *working; /* of a linked table: the view that is edited, ... */
	struct ViewChange *shown;	/* ... and that of published entries */
	List	   *suspended;		/* linked tables whose views had to go meanwhile; linked_views.c knows their form */
	List	   *users;			/* views of other tables that read it, blank meanwhile; view_users.c knows their form */
} ViewChange;

/* define.c */
extern void sigma_definition_refuse_existing(const char *id);
extern JsonNode *sigma_definition_change(const char *id, JsonNode *changes, bool cascade);

/* definition.c */
extern TableDefinition *sigma_definition_read(JsonNode *document);
extern bool sigma_definition_same(const JsonNode *a, const JsonNode *b);
extern void sigma_definition_refuse_unbuilt(JsonNode *document);
extern void sigma_definition_not_whole(const char *id) pg_attribute_noreturn();
extern void sigma_definition_compare(TableChange *change);
extern JsonNode *sigma_definition_report(const TableChange *change, List *affected);
extern bool sigma_column_retyped(const ColumnChange *column);
extern bool sigma_column_lost(const ColumnChange *column);
extern bool sigma_column_renamed(const ColumnChange *column);
extern ColumnChange *sigma_change_column(const TableChange *change, int i);

/* columns.c */
extern void sigma_columns_first(JsonNode *document);
extern void sigma_columns_resolve(JsonNode *document, JsonNode *stored, bool rules_given);

/* data_table.c */
extern void sigma_data_table_create(const TableDefinition *table);
extern void sigma_data_table_adopt(const TableDefinition *table, Oid relid, bool restoring);
extern List *sigma_data_table_differences(const TableDefinition *table, Relation rel);
extern void sigma_data_table_drop(const char *id);
extern void sigma_data_table_add_blank_rows(const TableDefinition *table, int rows);
extern int64 sigma_data_table_count(const char *id);
extern bool sigma_data_table_is_of(Oid relid, const char *id);
extern List *sigma_data_table_missing_triggers(const TableDefinition *table, Oid relid);

extern bool sigma_data_table_same_triggers(const TableDefinition *a, const TableDefinition *b);
extern void sigma_data_table_set_triggers(const TableDefinition *table, Oid relid, bool optional);

/* data_table_alter.c */
extern void sigma_data_table_alter(TableChange *change, Oid relid);

/* view.c */
extern void sigma_view_check_name(JsonNode *document, bool restoring);
extern int	sigma_view_refresh(const TableDefinition *table, Oid relid, List *known, const char **problem);
extern List *sigma_view_reads(Oid view);
extern void sigma_view_blank(const char *id, Oid relid);
extern Oid	sigma_rule_relation(Oid rule);
extern char *sigma_view_table_id(Oid relid);
extern bool sigma_view_create_linked(const TableDefinition *table, ViewChange *view);
extern void sigma_view_begin_ddl(OwnerScope *scope);
extern void sigma_view_create(const TableDefinition *table);
extern void sigma_view_drop(const char *id);
extern void sigma_view_begin(const TableChange *change, ViewChange *view);
extern void sigma_view_finish(const TableChange *change, ViewChange *view);

/* view_columns.c */
extern char *sigma_view_rows(const TableDefinition *table);
extern int	sigma_view_broken(Oid relid);
extern List *sigma_view_problems(const TableDefinition *table);
extern List *sigma_view_missing_columns(const TableDefinition *table);

/* view_grants.c */
extern void sigma_view_save_grants(ViewChange *view);
extern void sigma_view_restore_grants(const ViewChange *view, Oid relid);

/* view_users.c */
extern List *sigma_view_users_suspend(const char *id, const TableChange *change);
extern List *sigma_view_rules(Oid relid, const Bitmapset *columns);
extern void sigma_view_users_resume(List *users, const char *id, bool cascade);

/* ddl.c: SPI is connected, but for the first one */
extern void sigma_ddl_check_tablespace(void);
extern void sigma_ddl_begin(OwnerScope *scope);
extern void sigma_ddl_run(const char *format,...) pg_attribute_printf(1, 2);
extern char *sigma_ddl_name(const char *name);
extern char *sigma_ddl_column(const ColumnDefinition *column);
extern char *sigma_ddl_default(const ColumnDefinition *column);
extern int64 sigma_ddl_number(const char *sql);

/* edit_log_table.c: SPI is connected and sigma_ddl_begin called, but for the first one */
extern EditLog *sigma_log_of(const TableDefinition *table);
extern bool sigma_log_create(const TableDefinition *table);
extern void sigma_log_drop(const char *id);
extern void sigma_log_allow_changes(bool allowed);

/* edit_log_checkpoint.c */
extern void sigma_log_checkpoint(const TableDefinition *table, Oid relid);

/* edit_log_columns.c */
extern void sigma_log_creation(const TableDefinition *table);
extern void sigma_log_change(const TableChange *change, Oid relid);

/* unique_index.c; SPI is connected for the ones that make or drop */
extern void sigma_unique_definitions(TableDefinition *table);
extern bool sigma_unique_indexes_missing(const TableDefinition *before, const TableDefinition *after);
extern void sigma_unique_indexes_create(const TableDefinition *table, const TableDefinition *before, bool may_read);
extern void sigma_unique_indexes_drop(const TableDefinition *before, const TableDefinition *after);
extern void sigma_unique_rules_follow(JsonNode *document, JsonNode *stored, bool rules_given);

/* existing_rows.c */
extern JsonNode *sigma_on_existing_take(JsonNode *document);
extern bool sigma_on_existing_refuses(const JsonNode *option);
extern void sigma_existing_rows_report(const TableDefinition *table, Oid relid);
extern void sigma_existing_rows_refuse(const TableChange *change, Oid relid);

/* csv_first.c */
extern CsvFile *sigma_csv_take(JsonNode *document);
extern void sigma_csv_import_first(const char *id, const CsvFile *file);

/* convert.c */
extern bool sigma_value_convert(ColumnType from, ColumnType to, Datum given, Datum *value);
extern void sigma_jsonb_value(Jsonb *document, JsonbValue *value);

/* governance.c */
extern void sigma_governance_check(JsonNode *document, JsonNode *stored, bool kept, bool restoring);
extern void sigma_governance_apply(const TableDefinition *table, bool restoring);
extern List *sigma_governance_missing_roles(const JsonNode *document);

/* row_security.c */
extern void sigma_row_security_check(JsonNode *document, bool restoring);
extern bool sigma_row_security_same(JsonNode *before, JsonNode *after);
extern bool sigma_row_security_touched(const TableChange *change);
extern void sigma_row_security_drop(const char *id, Oid relid);
extern void sigma_row_security_create(const TableDefinition *table);
extern void sigma_row_security_suspend(const char *id);
extern void sigma_row_security_resume(const TableDefinition *table);
extern bool sigma_row_secured(const TableDefinition *table);
extern const JsonNode *sigma_row_formula(const JsonNode *document, const char *key);
extern char *sigma_row_filter_sql(const TableDefinition *table, const char *alias);
extern bool sigma_row_security_is_own(Oid relid);
extern List *sigma_row_security_missing(const TableDefinition *table, Oid relid);
extern char *sigma_row_data_condition(const TableDefinition *table, const char *alias, bool edits);
extern char *sigma_row_condition(JsonNode *document, FormulaRelation *row, const char *alias, bool edits);
extern bool sigma_row_security_on(const char *id);

/* formula_names.c */
extern void sigma_formulas_move(JsonNode *document, const char *new_id, const char *new_name);
extern void sigma_formulas_follow(JsonNode *before, JsonNode *after);
extern List *sigma_list_nodes(JsonNode *document);

/* values_from.c */
extern void sigma_list_rules_check(JsonNode *definition, JsonNode *before);

/* dependents.c */
extern void sigma_dependents_lock(void);
extern List *sigma_dependents_find(Names *names, const NamedObject *object);
extern List *sigma_dependents_own(Names *names, const NamedObject *object, JsonNode *document);
extern void sigma_definition_set_names(Names *names, const TableDefinition *table);
extern void sigma_dependents_refuse(const char *what, List *dependents) pg_attribute_noreturn();
extern List *sigma_dependents_rename(const TableChange *change);
extern void sigma_dependents_rename_variable(const char *id, const char *old_name, const char *name);
extern JsonNode *sigma_dependents_report(List *dependents);

#endif							/* SIGMA_DEFINE_H */
