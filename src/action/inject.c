/*
 * inject.c
 *		Faults for tests: errors, timeouts and delays that actions of this session meet.
 *
 * They live in the backend's memory, outside of transactions, until they are used
 * up or cleared.  They are only taken, and only do anything, where the setting
 * sigma.allow_injection is on, which superusers switch.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "action/action.h"
#include "action/inject.h"
#include "common/document.h"
#include "common/document_specs.h"
#include "common/errors.h"
#include "common/spi.h"
#include "compat.h"

PG_FUNCTION_INFO_V1(inject);
PG_FUNCTION_INFO_V1(clear_injections);

typedef enum InjectionKind
{
	INJECT_ERROR,
	INJECT_TIMEOUT,
	INJECT_SLOW
} InjectionKind;

/* One fault; all of it in TopMemoryContext. */
typedef struct Injection
{
	char	   *action_id;
	InjectionKind kind;
	int			times;			/* how often it is still met; -1: for ever */
	int			sqlstate;		/* error */
	char	   *message;		/* error */
	int			milliseconds;	/* slow */
} Injection;

/* What a fault of each kind may be given. */
static const KeySpec error_keys[] = {
	{"sqlstate", SPEC_TEXT, "the error's code", .fallback = "\"XX000\""},
	{"message", SPEC_TEXT, "its message"},
	{"times", SPEC_INT, "how often it is met; 0: always", .min = 0, .max = PG_INT32_MAX, .fallback = "1"},
	{NULL}
};
static const KeySpec timeout_keys[] = {
	{"times", SPEC_INT, "how often it is met; 0: always", .min = 0, .max = PG_INT32_MAX, .fallback = "1"},
	{NULL}
};
static const KeySpec slow_keys[] = {
	{"ms", SPEC_INT, "how long the action is kept waiting", KEY_REQUIRED, .min = 0, .max = PG_INT32_MAX},
	{"times", SPEC_INT, "how often it is met; 0: always", .min = 0, .max = PG_INT32_MAX, .fallback = "1"},
	{NULL}
};
/* in the order of InjectionKind */
static const char *const kinds[] = {"error", "timeout", "slow", NULL};
static const ObjectSpec option_specs[] = {
	{"an injected error", error_keys},
	{"an injected timeout", timeout_keys},
	{"an injected delay", slow_keys}
};

bool		sigma_allow_injection = false;

static List *injections = NIL;	/* of Injection, in TopMemoryContext */

static void clear_all(void);
static bool use_up(int i);
static InjectionKind read_kind(const char *word);
static int	read_sqlstate(const JsonNode *options);
static void check_action(const char *action_id);
static void free_injection(Injection *injection);

/*
 * inject(action_id text, kind text, options jsonb) returns void
 *
 * From now on the action, of any sequence that this session runs, meets a fault.
 * Raises 55000 where that is not allowed, SG404 for an unknown action, SG400, and
 * 22023 for an unknown kind.
 */
Datum
inject(PG_FUNCTION_ARGS)
{
	char	   *action_id = sigma_text_argument(fcinfo, 0, "action_id");
	InjectionKind kind = read_kind(sigma_text_argument(fcinfo, 1, "kind"));

	check_action(action_id);
	sigma_inject(action_id, kinds[kind], PG_ARGISNULL(2) ? NULL : sigma_json_read(PG_GETARG_JSONB_P(2)));
	PG_RETURN_VOID();
}

/* The same for an action that is known, with options as a document or NULL. */
void
sigma_inject(const char *action_id, const char *kind, JsonNode *options)
{
	Injection	made = {0};
	MemoryContext old;
	Injection  *injection;

	if (!sigma_allow_injection)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("faults must not be injected here"),
				 errhint("A superuser allows it by setting \"sigma.allow_injection\", for a session, a role or a database.")));
	made.kind = read_kind(kind);
	if (options == NULL)
		options = sigma_json_new(JSON_OBJECT, NULL);
	options = sigma_spec_read(&option_specs[made.kind], options, 0);
	made.times = (int) sigma_json_get_int(options, "times", 1);
	if (made.times == 0)
		made.times = -1;
	made.milliseconds = (int) sigma_json_get_int(options, "ms", 0);
	made.sqlstate = read_sqlstate(options);

	old = MemoryContextSwitchTo(TopMemoryContext);
	injection = palloc(sizeof(Injection));
	made.action_id = pstrdup(action_id);
	made.message = pstrdup(sigma_json_get_string(options, "message", "injected error"));
	*injection = made;
	injections = lappend(injections, injection);
	MemoryContextSwitchTo(old);
}

/* clear_injections() returns int: how many there were */
Datum
clear_injections(PG_FUNCTION_ARGS)
{
	int			gone = list_length(injections);

	clear_all();
	PG_RETURN_INT32(gone);
}

/* Forget all faults. */
static void
clear_all(void)
{
	while (injections != NIL)
	{
		free_injection(llast(injections));
		injections = list_delete_last(injections);
	}
}

/* The faults of the session are put aside, until sigma_injections_end(), which the caller calls in PG_FINALLY. */
List *
sigma_injections_begin(void)
{
	List	   *aside = injections;

	injections = NIL;
	return aside;
}

/* They are there again; those that came in between are gone. */
void
sigma_injections_end(List *aside)
{
	clear_all();
	injections = aside;
}

/*
 * Let the current step of a run meet the faults that there are for it, oldest first:
 * waits, then raises.  A timeout is that of the action where it has a limit, else the
 * run's; where neither has one it is the action's.
 */
void
sigma_injections_meet(Run *run, const Step *step)
{
	int			i = 0;

	if (injections == NIL || step->id == NULL || !sigma_allow_injection)
		return;
	while (i < list_length(injections))
	{
		Injection	injection = *(Injection *) list_nth(injections, i);

		if (strcmp(injection.action_id, step->id) != 0)
		{
			i++;
			continue;
		}
		injection.message = pstrdup(injection.message);
		if (!use_up(i))
			i++;
		switch (injection.kind)
		{
			case INJECT_ERROR:
				ereport(ERROR,
						(errcode(injection.sqlstate),
						 errmsg_internal("%s", injection.message)));
				break;
			case INJECT_TIMEOUT:
				sigma_run_time_out(run, step);
				break;
			case INJECT_SLOW:
				sigma_run_sleep(injection.milliseconds);
				break;
		}
	}
}

/* Count a fault as met; the last time it goes, and the next one takes its place: true. */
static bool
use_up(int i)
{
	Injection  *injection = list_nth(injections, i);

	if (injection->times < 0 || --injection->times > 0)
		return false;
	injections = list_delete_nth_cell(injections, i);
	free_injection(injection);
	return true;
}

/* 22023 */
static InjectionKind
read_kind(const char *word)
{
	int			i;

	for (i = 0; kinds[i] != NULL; i++)
		if (strcmp(kinds[i], word) == 0)
			return (InjectionKind) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown kind of fault \"%s\"", word),
			 errhint("%s", sigma_hint_names(word, kinds))));
}

/* Five digits and capital letters, and not success; SG400. */
static int
read_sqlstate(const JsonNode *options)
{
	const char *text = sigma_json_get_string(options, "sqlstate", "XX000");

	if (strlen(text) != 5 || strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 5 ||
		strncmp(text, "00", 2) == 0 || strncmp(text, "01", 2) == 0 || strncmp(text, "02", 2) == 0)
		sigma_document_error(sigma_json_get(options, "sqlstate"), 0,
							 "It has five digits and capital letters; classes 00, 01 and 02 are no errors.",
							 "\"%s\" is no SQLSTATE of an error", text);
	return MAKE_SQLSTATE(text[0], text[1], text[2], text[3], text[4]);
}

/* SG404 for an id that is neither an action's nor stands in a sequence, or an action, that the caller may read. */
static void
check_action(const char *action_id)
{
	static SPIPlanPtr plan = NULL;
	const char **names;
	uint64		i;

	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan,
									 "SELECT DISTINCT n.name COLLATE pg_catalog.\"C\" FROM ("
									 "SELECT a.id::pg_catalog.text FROM sigma.sigma_actions AS a"
									 " UNION ALL SELECT i.id OPERATOR(pg_catalog.#>>) '{}'"
									 " FROM (SELECT s.actions FROM sigma.sigma_action_sequences AS s"
									 "  UNION ALL SELECT p.parameters FROM sigma.sigma_actions AS p) AS d(document),"
									 " LATERAL pg_catalog.jsonb_path_query(d.document,"
									 "  'strict $.** ? (@.type starts with \"\" && @.id starts with \"\").id') AS i(id)"
									 ") AS n(name) ORDER BY 1",
									 0, NULL),
					  NULL, NULL, false, SPI_OK_SELECT);
	names = palloc0(sizeof(char *) * (SPI_processed + 1));
	for (i = 0; i < SPI_processed; i++)
	{
		names[i] = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		if (strcmp(names[i], action_id) == 0)
			break;
	}
	if (i == SPI_processed)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_NOT_FOUND),
				 errmsg("action \"%s\" does not exist", action_id),
				 errdetail("It is the id of an action, or of one that stands in a sequence."),
				 errhint("%s", names[0] == NULL ? "There is no action yet." : sigma_hint_names(action_id, names))));
	SPI_finish();
}

static void
free_injection(Injection *injection)
{
	pfree(injection->action_id);
	pfree(injection->message);
	pfree(injection);
}
