/*
 * running.c
 *		Which runs are going on, in all sessions: the lock of a run, its turn, stopping it.
 *
 * A run of a sequence holds a shared advisory lock as long as it lasts, whose key
 * says which sequence it is and when it began: nothing is written, no shared
 * memory of our own is needed, and a lock goes with its transaction however that
 * ends.  Keys of different runs differ, so nobody ever waits for one.
 *
 * A turn, of sequences that run in one session at a time, is a second lock with
 * one key per sequence, held until the caller's transaction ends.
 *
 * Both are in classes of their own: they clash with no lock that users take.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "action/action.h"
#include "common/catalog.h"
#include "common/spi.h"
#include "compat.h"

#define TURN_LOCK_CLASS 0x5347
#define RUN_LOCK_CLASS	0x5348
#define CLOCK_SLACK		60000	/* ms by which a run may seem to begin after now */

PG_FUNCTION_INFO_V1(running);
PG_FUNCTION_INFO_V1(stop_sequence);

/* A run that some session has announced. */
typedef struct AnnouncedRun
{
	int			pid;
	uint32		hash;			/* of the sequence's id */
	TimestampTz started;		/* to the millisecond */
} AnnouncedRun;

static void run_lock_tag(const Run *run, LOCKTAG *tag);
static bool lock_turn(const Run *run, bool wait);
static uint32 hash_id(const char *id);
static List *announced_runs(void);
static TimestampTz start_of(uint32 milliseconds, TimestampTz now);
static int	compare_announced(const ListCell *a, const ListCell *b);
static Oid	role_of_backend(int pid);
static bool may_cancel(Oid role);
static bool cancel_backend(int pid);

/*
 * The lock of a run
 */

/*
 * Let all sessions know of a run; a single action is not announced.  The lock
 * belongs to the current resource owner, which gives it back where an error ends
 * the run.
 */
void
sigma_run_announce(Run *run)
{
	LOCKTAG		tag;

	if (run->sequence->is_action)
		return;
	run_lock_tag(run, &tag);
	(void) LockAcquire(&tag, ShareLock, false, false);
}

/* The run has ended, under the resource owner that it began under. */
void
sigma_run_withdraw(Run *run)
{
	LOCKTAG		tag;

	if (run->sequence->is_action)
		return;
	run_lock_tag(run, &tag);
	(void) LockRelease(&tag, ShareLock, false);
}

/* Its key: the hash of the sequence's id, and the last 32 bits of its start in milliseconds. */
static void
run_lock_tag(const Run *run, LOCKTAG *tag)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, hash_id(run->sequence->id),
						 (uint32) (run->started / 1000), RUN_LOCK_CLASS);
}

/* What hashtext() makes of an id. */
static uint32
hash_id(const char *id)
{
	return DatumGetUInt32(hash_any((const unsigned char *) id, strlen(id)));
}

/*
 * Turns
 */

/* Guarded work: wait until no other session's transaction has run the sequence. */
bool
sigma_run_wait_for_turn(Run *run)
{
	return lock_turn(run, true);
}

/* Guarded work: has no other session's transaction run it?  False: one has. */
bool
sigma_run_try_turn(Run *run)
{
	return lock_turn(run, false);
}

static bool
lock_turn(const Run *run, bool wait)
{
	uint64		hash = DatumGetUInt64(hash_any_extended((const unsigned char *) run->sequence->id,
														strlen(run->sequence->id), 0));
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, TURN_LOCK_CLASS);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

/*
 * Looking
 */

/*
 * running() returns table (pid int, sequence_id text, started_at timestamptz, role name)
 *
 * The runs of all sessions of this database, oldest first.  "sequence_id" is NULL
 * where the definition was deleted meanwhile; "role" is who the session logged in as.
 */
Datum
running(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *names = sigma_catalog_names(DOCUMENT_SEQUENCE);
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, announced_runs())
	{
		AnnouncedRun *one = lfirst(lc);
		char	   *role = GetUserNameFromId(role_of_backend(one->pid), true);
		Datum		values[4];
		bool		nulls[4] = {false, true, false, role == NULL};
		ListCell   *name;

		values[0] = Int32GetDatum(one->pid);
		foreach(name, names)
		{
			const char *id = ((CatalogName *) lfirst(name))->id;

			if (hash_id(id) != one->hash)
				continue;
			values[1] = CStringGetTextDatum(id);
			nulls[1] = false;
			break;
		}
		values[2] = TimestampTzGetDatum(one->started);
		if (role != NULL)
			values[3] = DirectFunctionCall1(namein, CStringGetDatum(role));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* All announced runs of this database, oldest first, as a List of AnnouncedRun. */
static List *
announced_runs(void)
{
	LockData   *data = GetLockStatusData();
	TimestampTz now = GetCurrentTimestamp();
	List	   *runs = NIL;
	int			i;

	for (i = 0; i < data->nelements; i++)
	{
		const LockInstanceData *lock = &data->locks[i];
		AnnouncedRun *one;

		if (lock->locktag.locktag_type != LOCKTAG_ADVISORY ||
			lock->locktag.locktag_field4 != RUN_LOCK_CLASS ||
			lock->locktag.locktag_field1 != MyDatabaseId || lock->holdMask == 0)
			continue;
		one = palloc(sizeof(AnnouncedRun));
		one->pid = lock->pid;
		one->hash = lock->locktag.locktag_field2;
		one->started = start_of(lock->locktag.locktag_field3, now);
		runs = lappend(runs, one);
	}
	list_sort(runs, compare_announced);
	return runs;
}

/* The latest time not after now whose milliseconds end in these 32 bits: they last for 49 days. */
static TimestampTz
start_of(uint32 milliseconds, TimestampTz now)
{
	uint32		ago = (uint32) (now / 1000) - milliseconds;

	if (ago > PG_UINT32_MAX - CLOCK_SLACK)
		ago = 0;				/* the clock was set back */
	return (now / 1000 - ago) * 1000;
}

static int
compare_announced(const ListCell *a, const ListCell *b)
{
	const AnnouncedRun *left = lfirst(a);
	const AnnouncedRun *right = lfirst(b);

	if (left->started != right->started)
		return left->started < right->started ? -1 : 1;
	return left->pid - right->pid;
}

/* Who a backend's session logged in as; InvalidOid where it has ended. */
static Oid
role_of_backend(int pid)
{
	PGPROC	   *proc = BackendPidGetProc(pid);

	return proc == NULL ? InvalidOid : proc->roleId;
}

/*
 * Stopping
 */

/*
 * stop_sequence(id text) returns int
 *
 * Cancels the statements of the other sessions in which the sequence runs; how
 * many.  Only those that pg_cancel_backend() lets the caller cancel: 42501 where
 * there are others alone.  SG404 for an unknown sequence that does not run.
 */
Datum
stop_sequence(PG_FUNCTION_ARGS)
{
	char	   *id = sigma_text_argument(fcinfo, 0, "id");
	uint32		hash = hash_id(id);
	List	   *seen = NIL;
	int			stopped = 0;
	int			refused = 0;
	ListCell   *lc;

	foreach(lc, announced_runs())
	{
		const AnnouncedRun *one = lfirst(lc);
		Oid			role;

		if (one->hash != hash || one->pid == MyProcPid || list_member_int(seen, one->pid))
			continue;
		seen = lappend_int(seen, one->pid);
		role = role_of_backend(one->pid);
		if (!OidIsValid(role))
			continue;
		if (!may_cancel(role))
			refused++;
		else if (cancel_backend(one->pid))
			stopped++;
	}
	if (seen == NIL && !sigma_catalog_exists(DOCUMENT_SEQUENCE, id))
		sigma_catalog_not_found(DOCUMENT_SEQUENCE, id);
	if (stopped == 0 && refused > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to stop runs of sequence \"%s\"", id),
				 errdetail("It runs in %d other sessions, of roles that you may not cancel.", refused),
				 errhint("Runs of a role are stopped by its members, by members of pg_signal_backend, and those of superusers by superusers.")));
	PG_RETURN_INT32(stopped);
}

/* Does pg_cancel_backend() let the caller cancel sessions of a role? */
static bool
may_cancel(Oid role)
{
	if (superuser_arg(role))
		return superuser();
	return has_privs_of_role(GetUserId(), role) || has_privs_of_role(GetUserId(), ROLE_PG_SIGNAL_BACKEND);
}

/* pg_cancel_backend(), with the caller's right to execute it; false: the session has ended. */
static bool
cancel_backend(int pid)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {INT4OID};
	Datum		value = Int32GetDatum(pid);
	bool		isnull;
	bool		sent;

	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan, "SELECT pg_catalog.pg_cancel_backend($1)", 1, types),
					  &value, NULL, true, SPI_OK_SELECT);
	sent = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return sent;
}
