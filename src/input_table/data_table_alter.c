/*
 * data_table_alter.c
 *		From one definition to another: what happens to a data table that has rows.
 *
 * One ALTER TABLE adds columns and changes types and defaults, so a table is
 * rewritten at most once; renames need statements of their own.  No trigger fires:
 * stamps and row ids stay.  The caller holds ACCESS EXCLUSIVE.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common/names.h"
#include "common/spi.h"
#include "input_table/computed.h"
#include "input_table/define.h"
#include "input_table/published.h"

static void alter_relation(const TableChange *change, const char *relation);
static void drop_columns(const TableChange *change, const char *relation);
static void rename_columns(const TableChange *change, const char *relation);
static void alter_columns(const TableChange *change, const char *relation);
static void count_retypes(TableChange *change, bool before);
static int64 count_values(const TableDefinition *table, const ColumnDefinition *column);

/*
 * Bring the table from one definition to another, and count what retypes did.
 * Raises 23505 where a unique rule meets duplicates, 2BP01 where a view of
 * somebody's needs a column that is dropped.
 */
void
sigma_data_table_alter(TableChange *change, Oid relid)
{
	const TableDefinition *after = change->after;
	bool		may_read = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
	OwnerScope	scope;

	if (sigma_unique_indexes_missing(change->before, after))
		sigma_ddl_check_tablespace();
	SPI_connect();
	sigma_ddl_begin(&scope);
	/* before their columns change, where they go or must be made anew */
	sigma_unique_indexes_drop(change->before, after);
	count_retypes(change, true);
	alter_relation(change, sigma_ddl_name(after->relation));
	if (OidIsValid(sigma_published_oid(after->id)))
		alter_relation(change, sigma_ddl_name(sigma_published_name(after->id)));
	count_retypes(change, false);
	sigma_unique_indexes_create(after, change->before, may_read);
	if (sigma_is_draft(after) && !sigma_is_draft(change->before))
		sigma_published_create(after, true);
	if (after->audit && !change->before->audit)
		(void) sigma_log_create(after);
	if (!sigma_data_table_same_triggers(change->before, after))
		sigma_data_table_set_triggers(after, relid, true);
	sigma_owner_end(&scope);
	SPI_finish();
}

/* Columns of the data table, or of what is published of it (the same columns): drop, rename, alter. */
static void
alter_relation(const TableChange *change, const char *relation)
{
	drop_columns(change, relation);
	rename_columns(change, relation);
	alter_columns(change, relation);
}

/* Drop what is no longer defined, in one statement. */
static void
drop_columns(const TableChange *change, const char *relation)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	for (i = 0; i < change->ncolumn; i++)
		if (change->columns[i].after == NULL)
			appendStringInfo(&sql, "%sDROP COLUMN %s", sql.len > 0 ? ", " : "",
							 quote_identifier(change->columns[i].before->name));
	if (sql.len > 0)
		sigma_ddl_run("ALTER TABLE %s %s", relation, sql.data);
}

/*
 * Rename.  Where a new name is still another column's, all go by way of names
 * that no column can have, so that a and b can change places.
 */
static void
rename_columns(const TableChange *change, const char *relation)
{
	bool		clash = false;
	int			i;
	int			j;

	for (i = 0; i < change->ncolumn; i++)
		for (j = 0; j < change->ncolumn; j++)
			if (i != j && change->columns[i].before && change->columns[i].after &&
				change->columns[j].before && change->columns[j].after &&
				strcmp(change->columns[i].after->name, change->columns[j].before->name) == 0)
				clash = true;
	for (i = 0; i < change->ncolumn; i++)
	{
		const ColumnChange *column = &change->columns[i];

		if (!sigma_column_renamed(column))
			continue;
		sigma_ddl_run("ALTER TABLE %s RENAME COLUMN %s TO %s", relation, quote_identifier(column->before->name),
				clash ? psprintf("sigma_renamed_%d", i) : quote_identifier(column->after->name));
	}
	for (i = 0; clash && i < change->ncolumn; i++)
	{
		const ColumnChange *column = &change->columns[i];

		if (sigma_column_renamed(column))
			sigma_ddl_run("ALTER TABLE %s RENAME COLUMN sigma_renamed_%d TO %s", relation, i,
					quote_identifier(column->after->name));
	}
}

/* Add columns, change types and defaults: one statement, so at most one rewrite. */
static void
alter_columns(const TableChange *change, const char *relation)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	for (i = 0; i < change->ncolumn; i++)
	{
		const ColumnChange *column = &change->columns[i];
		const char *comma = sql.len > 0 ? ", " : "";
		const char *name;
		char	   *value;

		if (column->after == NULL)
			continue;
		name = quote_identifier(column->after->name);
		value = sigma_ddl_default(column->after);
		if (column->before == NULL)
		{
			appendStringInfo(&sql, "%sADD COLUMN %s", comma, sigma_ddl_column(column->after));
			if (sigma_default_formula(column->after->default_value) != NULL)
				appendStringInfo(&sql, ", ALTER COLUMN %s SET DEFAULT %s", name, value);
			continue;
		}
		if (column->before->type != column->after->type)
		{
			appendStringInfo(&sql, "%sALTER COLUMN %s DROP DEFAULT, ALTER COLUMN %s TYPE %s "
							 "USING sigma.convert_value(%s, %s, %s, NULL::%s)", comma, name, name,
							 sigma_column_types[column->after->type].sql, name,
							 quote_literal_cstr(sigma_column_types[column->before->type].name),
							 quote_literal_cstr(sigma_column_types[column->after->type].name),
							 sigma_column_types[column->after->type].sql);
			comma = ", ";
		}
		else if (sigma_definition_same(column->before->default_value, column->after->default_value))
			continue;
		if (value != NULL)
			appendStringInfo(&sql, "%sALTER COLUMN %s SET DEFAULT %s", comma, name, value);
		else if (column->before->type == column->after->type)
			appendStringInfo(&sql, "%sALTER COLUMN %s DROP DEFAULT", comma, name);
	}
	if (sql.len > 0)
		sigma_ddl_run("ALTER TABLE %s %s", relation, sql.data);
}

/* Count the values of columns that are retyped, before and after: those that are gone had no meaning. */
static void
count_retypes(TableChange *change, bool before)
{
	int			i;

	for (i = 0; i < change->ncolumn; i++)
	{
		ColumnChange *column = &change->columns[i];
		int64		values;

		if (!sigma_column_retyped(column))
			continue;
		values = count_values(change->after, before ? column->before : column->after);
		column->nulled = before ? values : column->nulled - values;
		column->converted = values;
	}
}

/* How many rows hold a value in the column, by the name that it has now. */
static int64
count_values(const TableDefinition *table, const ColumnDefinition *column)
{
	return sigma_ddl_number(psprintf("SELECT pg_catalog.count(%s) FROM ONLY %s", quote_identifier(column->name),
							   sigma_ddl_name(table->relation)));
}
