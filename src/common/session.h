/*
 * session.h
 *		What this backend is doing, and for whom.
 *
 * Plain process state, set by the code that does it and read by triggers that
 * must know: no setting can fake it.  Nested use saves and restores; callers
 * restore in PG_FINALLY.
 */
#ifndef SIGMA_SESSION_H
#define SIGMA_SESSION_H

#include "postgres.h"

#include "utils/jsonb.h"

/* What the statement that is being run was started by. */
typedef enum SessionOrigin
{
	ORIGIN_SQL,					/* a plain statement of the client */
	ORIGIN_ENTRY,				/* sigma.handle_data_entry */
	ORIGIN_IMPORT,				/* sigma.import_csv */
	ORIGIN_ACTION,				/* a step of a run */
	ORIGIN_SYNC,				/* sigma.sync_table_data */
	ORIGIN_UNDO,				/* sigma.undo, redo, restore: rows come back with their ids */
	ORIGIN_SYSTEM				/* sigma itself: retypes, fills, catalog upkeep */
} SessionOrigin;

typedef struct SessionState
{
	SessionOrigin origin;
	const char *execution_id;	/* the run, or NULL */
	const char *user_id;		/* user named by the run's context, or NULL */
	const char *mode;			/* mode named by the run's context, or NULL */
	struct ImportProgress *progress;	/* of the import that is writing its rows, or NULL */
	struct RowWarnings *warnings;	/* of the run: takes what rules of severity warn say; or NULL */
	struct RunEdits *edits;		/* of the run: in which logs its edits are; or NULL */
	struct RowChanges *changes; /* of a preview: which rows are written; or NULL */
	Oid			given_rows;		/* sigma itself writes rows of this data table back as they once were:
								 * row ids, stamps, no rules; or InvalidOid */
	Oid			formula_user;	/* whose rights count where formulas of users are evaluated while sigma works as
								 * another role; InvalidOid: the current role's */
	Oid			run_role;		/* whose rights a run without a caller has; InvalidOid: the session's own */
} SessionState;

extern SessionState sigma_session;

/* Settings (sigma.c defines them). */
extern char *sigma_user_email;
extern char *sigma_workbook_id;
extern int	sigma_mode;			/* an EntryMode */
extern int	sigma_max_errors;

typedef enum EntryMode
{
	MODE_AUTO,
	MODE_DRAFT,
	MODE_PUBLISHED
} EntryMode;

/* Which version of input tables is meant: the run's mode, else sigma.mode. */
extern EntryMode sigma_entry_mode(void);

/*
 * The app user: the run's user, else sigma.user_email, else "email" of
 * request.jwt.claims, else the session user.  Never NULL; palloc'd.
 */
extern char *sigma_app_user(void);

/* The database role that is responsible: who called, or as whom a run without a caller runs. */
extern Oid	sigma_session_role(void);

/*
 * request.jwt.claims, which PostgREST sets; NULL where it is not set.  Throws
 * 22P02 where it is no JSON.  Do not keep or free it.
 */
extern Jsonb *sigma_claims(void);

/*
 * Is a dump being restored?  pg_dump, psql and pg_restore work with
 * check_function_bodies off: PostgreSQL's own sign that names may not exist yet.
 */
extern bool sigma_restoring(void);

#endif							/* SIGMA_SESSION_H */
