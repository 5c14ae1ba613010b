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
	PG_RETURN_INT32(sigma_injections_clear(0));
}

/* How many there are. */
int
sigma_injections_count(void)
{
	return list_length(injections);
}

/* Forget all but the oldest "kept" ones; how many went. */
int
sigma_injections_clear(int kept)
{
	int			gone = 0;

	for (; list_length(injections) > kept; gone++)
	{
		free_injection(llast(injections));
		injections = list_delete_last(injections);
	}
	return gone;
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

/* SG404 for an id that is neither an action's nor stands in a sequence the caller may read. */
static void
check_action(const char *action_id)
{
	static SPIPlanPtr plan = NULL;
	const Oid	types[] = {TEXTOID};
	Datum		value = CStringGetTextDatum(action_id);
	bool		isnull;
	bool		known;

	SPI_connect();
	sigma_spi_execute(sigma_spi_plan(&plan,
									 "SELECT EXISTS (SELECT FROM sigma.sigma_actions AS a WHERE a.id OPERATOR(pg_catalog.=) $1)"
									 " OR EXISTS (SELECT FROM sigma.sigma_action_sequences AS s"
									 "  WHERE pg_catalog.jsonb_path_exists(s.actions, '$.**.id ? (@ == $id)'::pg_catalog.jsonpath,"
									 "   pg_catalog.jsonb_build_object('id', $1)))",
									 1, types),
					  &value, NULL, false, SPI_OK_SELECT);
	known = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	if (!known)
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_NOT_FOUND),
				 errmsg("action \"%s\" does not exist", action_id),
				 errhint("It is the id of an action, or of one that stands in a sequence.")));
}

static void
free_injection(Injection *injection)
{
	pfree(injection->action_id);
	pfree(injection->message);
	pfree(injection);
}
