/*
 * access.h
 *		Levels of access: who may see, edit, build and administer a workbook.
 *
 * A level is a row of sigma.sigma_access and the plain GRANTs that carry it out.
 * The GRANTs decide what a role can do; the row says which of them the relations
 * made later get.  A row whose role has lost the right to call list_access() (DROP
 * OWNED) counts no longer.
 *
 * access.c          rows of sigma_access, and the SQL functions
 * access_grant.c    from levels to GRANT and REVOKE
 * access_levels.c   tables: what each level may do
 */
#ifndef SIGMA_ACCESS_H
#define SIGMA_ACCESS_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* Levels, as bits of a set. */
#define ACCESS_VIEWER	(1 << 0)
#define ACCESS_EDITOR	(1 << 1)
#define ACCESS_BUILDER	(1 << 2)
#define ACCESS_ADMIN	(1 << 3)
#define ACCESS_LEVELS	4
#define ACCESS_ALL		((1 << ACCESS_LEVELS) - 1)

/*
 * Has the current role one of these levels, for the table or for the whole workbook
 * (table_id NULL: for the workbook)?  True for superusers and the owner of the catalog.
 */
extern bool sigma_access_may(int levels, const char *table_id);

/*
 * Keep the levels as they are until the transaction ends, for whoever is about to make
 * or lock relations of an input table; or, to change them, keep such others off.  Comes
 * before locks on those relations, which who gives a level takes after this one.
 */
extern void sigma_access_lock(bool change);

/*
 * Give everybody who has a level for the input table the rights on its relations
 * (data table, edit log, entries, warehouse view), as far as they are there.  To be
 * called whenever a definition has made one of them.  Does nothing that was done before.
 */
extern void sigma_access_apply(const char *table_id);

/*
 * Make the roles of that level that a definition names exactly these ("roles": List
 * of char *, existing): rows come and go, and with them the GRANTs.  In a restore
 * rows come alone.
 */
extern void sigma_access_govern(const char *table_id, int level, List *roles, bool restoring);

/* Forget the levels for a table that is purged. */
extern void sigma_access_forget(const char *table_id);

/*
 * Between the files of access
 */

/* Which levels a role has: for all tables, and for at least one. */
typedef struct AccessState
{
	int			everywhere;
	int			somewhere;		/* includes "everywhere" */
} AccessState;

/* Relations of schema sigds, and the views. */
typedef enum AccessRelation
{
	ACCESS_DATA,				/* sigds_<id> */
	ACCESS_LOG,					/* sigds_wal_<id> */
	ACCESS_ENTRIES,				/* sigds_entry_<id>, of linked tables */
	ACCESS_VIEW					/* sigma_views.<display name> */
} AccessRelation;

/* A right on a table of schema sigma. */
typedef struct AccessRule
{
	const char *table;
	const char *privileges;
	const char *columns;		/* NULL: the table; "*": each column; else a list */
	int			levels;
	bool		workbook;		/* only by a level for all tables */
	bool		unless_workbook;	/* not beside a level for all tables */
} AccessRule;

extern const char *const sigma_access_level_names[ACCESS_LEVELS + 1];
extern const AccessRule sigma_access_rules[];
extern bool sigma_access_rule_holds(const AccessRule *rule, AccessState state);
extern int	sigma_access_function_levels(const char *name);
extern int	sigma_access_schema_levels(const char *name);
extern const char *sigma_access_relation_privileges(AccessRelation relation, int levels);

/* One row. */
typedef struct AccessRow
{
	Oid			role;
	int			level;
	char	   *table_id;		/* "" for the workbook */
	bool		governance;		/* a definition names the role */
	char	   *granted_by;
} AccessRow;

extern List *sigma_access_rows(Oid role);
extern AccessState sigma_access_state(List *rows, Oid role);
extern int	sigma_access_table_levels(List *rows, Oid role, const char *table_id);

/* Bring the GRANTs of a role from one List of AccessRow to another; table_id NULL: everything. */
extern void sigma_access_let_in(Oid role);
extern void sigma_access_change(Oid role, List *before, List *after, const char *table_id);

#endif							/* SIGMA_ACCESS_H */
