/*
 * status.c
 *		sigma.status(): the app and its database in one document, for health checks.
 *
 * What is counted is what the caller sees.  Findings are those of sigma.check(); who may
 * not call that hears that there are some, not which.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "action/check.h"
#include "common/access.h"
#include "common/catalog.h"
#include "common/json.h"
#include "common/spi.h"
#include "compat.h"

#define MAX_ISSUES	100			/* that are shown */

/* A kind of definition that is counted. */
static const struct
{
	const char *key;
	const char *table;
}			counted[] = {
	{"input_tables", "sigma_input_tables"}, {"layout_elements", "sigma_layout_elements"}, {"actions", "sigma_actions"},
	{"sequences", "sigma_action_sequences"}, {"variables", "sigma_variables"},
};

PG_FUNCTION_INFO_V1(status);

static void set_issues(JsonNode *status);
static JsonNode *capabilities(void);
static JsonNode *counts(void);
static JsonNode *settings(void);
static JsonNode *feed(void);
static char *extension_version(void);
static JsonNode *number_of(const char *sql);

/* status() returns jsonb; SPI is used as the caller but for the head of the feed. */
Datum
status(PG_FUNCTION_ARGS)
{
	MemoryContext cxt = CurrentMemoryContext;
	JsonNode   *document = sigma_json_new(JSON_OBJECT, NULL);
	JsonNode   *ai = sigma_json_new(JSON_OBJECT, NULL);

	SPI_connect();
	MemoryContextSwitchTo(cxt);
	sigma_json_set(document, "version", sigma_json_new_string(extension_version(), NULL));
	sigma_json_set(document, "database", sigma_json_new_string(get_database_name(MyDatabaseId), NULL));
	sigma_json_set(document, "server_version", sigma_json_new_string(GetConfigOption("server_version", false, false), NULL));
	set_issues(document);
	sigma_json_set(document, "capabilities", capabilities());
	sigma_json_set(document, "counts", counts());
	sigma_json_set(document, "settings", settings());
	sigma_json_set(document, "feed", feed());
	sigma_json_set(ai, "provider", sigma_json_new(JSON_NULL, NULL));
	sigma_json_set(document, "ai", ai);
	SPI_finish();
	MemoryContextSwitchTo(cxt);
	PG_RETURN_JSONB_P(sigma_json_write(document));
}

/* "status" and "issues": errors alone make it degraded. */
static void
set_issues(JsonNode *status)
{
	List	   *found = sigma_check_app();
	JsonNode   *issues = sigma_json_new(JSON_ARRAY, NULL);
	bool		shown = sigma_access_may(ACCESS_BUILDER | ACCESS_ADMIN, NULL);
	bool		degraded = false;
	ListCell   *lc;

	foreach(lc, found)
	{
		const Problem *problem = lfirst(lc);

		if (problem->severity != PROBLEM_ERROR)
			continue;
		degraded = true;
		if (shown && issues->count < MAX_ISSUES)
			sigma_json_append(issues, sigma_json_new_string(psprintf("%s: %s", problem->object, problem->message), NULL));
	}
	sigma_json_set(status, "status", sigma_json_new_string(degraded ? "degraded" : "healthy", NULL));
	sigma_json_set(status, "issues", issues);
}

/* What this version, in this database, can do. */
static JsonNode *
capabilities(void)
{
	JsonNode   *object = sigma_json_new(JSON_OBJECT, NULL);

	sigma_json_set(object, "input_tables", sigma_json_new_bool(true, NULL));
	sigma_json_set(object, "layout_elements", sigma_json_new_bool(true, NULL));
	sigma_json_set(object, "actions", sigma_json_new_bool(true, NULL));
	sigma_json_set(object, "formulas", sigma_json_new_bool(true, NULL));
	sigma_json_set(object, "ai", sigma_json_new_bool(false, NULL));
	sigma_json_set(object, "http", sigma_json_new_bool(false, NULL));
	/* without pg_cron somebody has to call run_due() */
	sigma_json_set(object, "schedules", sigma_json_new_bool(OidIsValid(get_extension_oid("pg_cron", true)), NULL));
	return object;
}

/* How many definitions the caller sees; null without the right to look. */
static JsonNode *
counts(void)
{
	JsonNode   *object = sigma_json_new(JSON_OBJECT, NULL);
	int			i;

	for (i = 0; i < lengthof(counted); i++)
	{
		Oid			relid = sigma_relation_oid(counted[i].table);
		bool		readable = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
			pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK;

		sigma_json_set(object, counted[i].key, !readable ? sigma_json_new(JSON_NULL, NULL) :
					   number_of(psprintf("SELECT pg_catalog.count(*) FROM sigma.%s", counted[i].table)));
	}
	return object;
}

/* The settings of sigma, as they are in this session. */
static JsonNode *
settings(void)
{
	JsonNode   *object = sigma_json_new(JSON_OBJECT, NULL);
	MemoryContext cxt = CurrentMemoryContext;
	uint64		i;

	sigma_spi_run("SELECT s.name, s.setting FROM pg_catalog.pg_settings AS s"
				  " WHERE pg_catalog.starts_with(s.name, 'sigma.') ORDER BY s.name COLLATE pg_catalog.\"C\"", SPI_OK_SELECT);
	MemoryContextSwitchTo(cxt);
	for (i = 0; i < SPI_processed; i++)
	{
		char	   *name = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		char	   *value = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);

		sigma_json_set(object, pstrdup(name), value == NULL ? sigma_json_new(JSON_NULL, NULL) : sigma_json_new_string(pstrdup(value), NULL));
	}
	MemoryContextSwitchTo(cxt);
	return object;
}

/* The last edit's number, and for how long the oldest transaction that the caller sees has been open. */
static JsonNode *
feed(void)
{
	JsonNode   *object = sigma_json_new(JSON_OBJECT, NULL);
	OwnerScope	scope;
	JsonNode   *head;

	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_edit_num")));
	head = number_of("SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END FROM sigma.sigma_edit_num AS s");
	sigma_owner_end(&scope);
	sigma_json_set(object, "head", head);
	sigma_json_set(object, "oldest_open_xact_age_ms",
				   number_of("SELECT pg_catalog.max((pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) x.at)"
							 " OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8) FROM (SELECT a.xact_start FROM pg_catalog.pg_stat_activity AS a"
							 " WHERE a.backend_xid IS NOT NULL UNION ALL SELECT p.prepared FROM pg_catalog.pg_prepared_xacts AS p) AS x(at)"));
	return object;
}

/* As pg_extension has it. */
static char *
extension_version(void)
{
	MemoryContext cxt = CurrentMemoryContext;
	char	   *version;

	sigma_spi_run("SELECT e.extversion FROM pg_catalog.pg_extension AS e WHERE e.extname OPERATOR(pg_catalog.=) 'sigma'", SPI_OK_SELECT);
	MemoryContextSwitchTo(cxt);
	version = SPI_processed == 0 ? NULL : SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	MemoryContextSwitchTo(cxt);
	return version == NULL ? "" : pstrdup(version);
}

/* The one number that a text yields, or null.  SPI is connected. */
static JsonNode *
number_of(const char *sql)
{
	MemoryContext cxt = CurrentMemoryContext;
	bool		isnull = true;
	Datum		value = (Datum) 0;

	sigma_spi_run(sql, SPI_OK_SELECT);
	MemoryContextSwitchTo(cxt);
	if (SPI_processed > 0)
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? sigma_json_new(JSON_NULL, NULL) : sigma_json_new_int(DatumGetInt64(value), NULL);
}
