/*
 * ddl.c
 *		Fixed-form DDL on schema sigds: its pieces.
 *
 * Everything runs as the owner of schema sigds: names are quoted, types come from
 * the closed list of column types, defaults are literals made from values that
 * were read as their type, or what formulas are compiled to.  No text that a user wrote
 * is parsed as an expression, and no expression is evaluated.
 * SPI is connected and sigma_ddl_begin called before anything else here.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_tablespace.h"
#include "commands/tablespace.h"
#include "catalog/pg_namespace.h"
#include "common/text.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "common/errors.h"
#include "common/names.h"
#include "compat.h"
#include "input_table/computed.h"
#include "input_table/define.h"

static Datum default_datum(const ColumnDefinition *column, bool *isnull);

/*
 * New relations stand in the caller's default tablespace, as if he had made them: 42501
 * where he may not make any there.  To be asked before sigma_ddl_begin.
 */
void
sigma_ddl_check_tablespace(void)
{
	Oid			tablespace = GetDefaultTablespace(RELPERSISTENCE_PERMANENT, false);
	AclResult	result;

	if (!OidIsValid(tablespace) || tablespace == MyDatabaseTableSpace)
		return;
	result = sigma_tablespace_aclcheck(tablespace, GetUserId(), ACL_CREATE);
	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_TABLESPACE, get_tablespace_name(tablespace));
}

/*
 * Become the owner of sigds, with the settings under which values print exactly.
 * 42501 where that role may not use what the triggers of data tables call.
 */
void
sigma_ddl_begin(OwnerScope *scope)
{
	Oid			owner = sigma_sigds_owner();

	if (sigma_namespace_aclcheck(get_namespace_oid("sigma", false), owner, ACL_USAGE) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the owner of schema \"sigds\" may not use schema \"sigma\""),
				 errhint("Grant role \"%s\" USAGE on schema \"sigma\" and EXECUTE on its functions.",
						 GetUserNameFromId(owner, false))));
	sigma_owner_begin(scope, owner);
	(void) set_config_option("datestyle", "ISO, YMD", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("extra_float_digits", "1", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* Run one utility statement. */
void
sigma_ddl_run(const char *format,...)
{
	char	   *sql;
	va_list		args;

	va_start(args, format);
	sql = sigma_text_format(format, args);
	va_end(args);
	sigma_spi_run(sql, SPI_OK_UTILITY);
	pfree(sql);
}

/* A relation of schema sigds, quoted. */
char *
sigma_ddl_name(const char *name)
{
	return quote_qualified_identifier("sigds", name);
}

/*
 * A column's part of CREATE TABLE or ADD COLUMN.  A default that is a formula is set
 * afterwards: for rows that are there it would be evaluated here, as the owner of sigds.
 */
char *
sigma_ddl_column(const ColumnDefinition *column)
{
	char	   *value = sigma_default_formula(column->default_value) != NULL ? NULL : sigma_ddl_default(column);

	return psprintf("%s %s%s%s", quote_identifier(column->name), sigma_column_types[column->type].sql,
					value == NULL ? "" : " DEFAULT ", value == NULL ? "" : value);
}

/* A column's default as a typed literal, or as the SQL of its formula; NULL where it has none. */
char *
sigma_ddl_default(const ColumnDefinition *column)
{
	JsonNode   *formula = sigma_default_formula(column->default_value);
	bool		isnull;
	Datum		value;
	Oid			output;
	bool		is_varlena;

	if (formula != NULL)
		return psprintf("%s::%s", sigma_default_compile(sigma_json_path(formula), formula->string, column->type, false)->sql,
						sigma_column_types[column->type].sql);
	value = default_datum(column, &isnull);
	if (isnull)
		return NULL;
	getTypeOutputInfo(sigma_column_types[column->type].oid, &output, &is_varlena);
	return psprintf("%s::%s", quote_literal_cstr(OidOutputFunctionCall(output, value)),
					sigma_column_types[column->type].sql);
}

/* The one number that a query yields, by the newest snapshot: under our lock that is what is there. */
int64
sigma_ddl_number(const char *sql)
{
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	bool		isnull;

	CommandCounterIncrement();
	if (plan == NULL ||
		SPI_execute_snapshot(plan, NULL, NULL, GetLatestSnapshot(), InvalidSnapshot, true, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not count rows: %s", sql);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* A column's default as its type reads it; SG400 where it does not. */
static Datum
default_datum(const ColumnDefinition *column, bool *isnull)
{
	Datum		value = (Datum) 0;
	const char *why;
	JsonbValue	given;

	*isnull = true;
	if (column->default_value == NULL)
		return value;
	sigma_jsonb_value(sigma_json_write(column->default_value), &given);
	if (!sigma_value_from_json(column->type, &given, &value, isnull, &why))
		sigma_document_error(column->default_value, 0, NULL, "the default of column \"%s\" %s",
							 column->name, why);
	return value;
}
