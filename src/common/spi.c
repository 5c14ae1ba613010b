/*
 * spi.c
 *		SPI as sigma uses it: kept plans for fixed texts, and fixed-form DDL as the owner of sigds.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/queryenvironment.h"
#include "utils/syscache.h"

#include "common/names.h"
#include "common/spi.h"

SPIPlanPtr
sigma_spi_plan(SPIPlanPtr *plan, const char *sql, int nargs, const Oid *argtypes)
{
	if (*plan == NULL)
	{
		SPIPlanPtr	made = SPI_prepare(sql, nargs, unconstify(Oid *, argtypes));

		if (made == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(made);
		*plan = made;
	}
	return *plan;
}

void
sigma_spi_execute(SPIPlanPtr plan, Datum *values, const char *nulls, bool read_only, int expected)
{
	int			code = SPI_execute_plan(plan, values, nulls, read_only, 0);

	if (code != expected)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(code));
}

void
sigma_spi_run(const char *sql, int expected)
{
	int			code = SPI_execute(sql, false, 0);

	if (code != expected)
		elog(ERROR, "SPI_execute returned %s", SPI_result_code_string(code));
}

/* See spi.h.  What SPI remembers of them is allocated in the current context. */
void
sigma_spi_offer(const char *name, Tuplestorestate *rows, TupleDesc desc)
{
	EphemeralNamedRelation relation = palloc0(sizeof(EphemeralNamedRelationData));
	int			code;

	relation->md.name = pstrdup(name);
	relation->md.reliddesc = InvalidOid;
	relation->md.tupdesc = desc;
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = tuplestore_tuple_count(rows);
	relation->reldata = rows;
	code = SPI_register_relation(relation);
	if (code != SPI_OK_REL_REGISTER)
		elog(ERROR, "SPI_register_relation returned %s", SPI_result_code_string(code));
}

/* The owner of schema sigds; 3F000 where the schema is gone. */
Oid
sigma_sigds_owner(void)
{
	return sigma_schema_owner(sigma_sigds_namespace());
}

/* The owner of a schema. */
Oid
sigma_schema_owner(Oid namespace)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(namespace));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %u", namespace);
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* The owner of a relation. */
Oid
sigma_relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

void
sigma_owner_begin(OwnerScope *scope, Oid owner)
{
	GetUserIdAndSecContext(&scope->user, &scope->context);
	SetUserIdAndSecContext(owner, scope->context | SECURITY_LOCAL_USERID_CHANGE);
	scope->nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

void
sigma_owner_end(const OwnerScope *scope)
{
	AtEOXact_GUC(true, scope->nest_level);
	SetUserIdAndSecContext(scope->user, scope->context);
}
