/*
 * unique_index.c
 *		Unique rules of a definition, and the indexes that keep them.
 *
 * A rule's index is known by its name, which is made of the ids of its columns: it
 * stays through renames of columns and of the table.  Indexes are made and dropped
 * under the ACCESS EXCLUSIVE lock of a change that alters the data table; a dump
 * brings them by itself.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "common/errors.h"
#include "common/names.h"
#include "common/spi.h"
#include "input_table/define.h"

#define DUPLICATES_SHOWN	5

static void read_row_rule(TableDefinition *table, const JsonNode *rule);
static const ColumnDefinition *column_named(const TableDefinition *table, const char *name);
static char *index_name(const char *id, const char *column_ids);
static bool has(const TableDefinition *table, const UniqueDefinition *unique);
static bool folds(const UniqueDefinition *unique, int i);
static char *list_expressions(const UniqueDefinition *unique, const char *format, const char *separator);
static void refuse_duplicates(const TableDefinition *table, const UniqueDefinition *unique, bool may_read);
static char *title(const UniqueDefinition *unique);
static JsonNode *find_by(const JsonNode *columns, const char *key, const char *value);

/* ------------------------------------------------------------------------
 * Definitions
 * ------------------------------------------------------------------------ */

/* Fill the unique rules of a definition whose columns have been read; in the current context. */
void
sigma_unique_definitions(TableDefinition *table)
{
	const JsonNode *rules = sigma_json_get(table->document, "row_rules");
	int			nrule = rules == NULL || rules->kind != JSON_ARRAY ? 0 : rules->count;
	int			i;

	table->nunique = 0;
	table->uniques = palloc0(sizeof(UniqueDefinition) * (table->ncolumn + nrule + 1));
	for (i = 0; i < table->ncolumn; i++)
	{
		UniqueDefinition *unique;

		if (!table->columns[i].unique)
			continue;
		unique = &table->uniques[table->nunique++];
		unique->ncolumn = 1;
		unique->columns = palloc(sizeof(ColumnDefinition *));
		unique->columns[0] = &table->columns[i];
		unique->ignore_case = table->columns[i].ignore_case;
		unique->index = index_name(table->id, table->columns[i].id);
	}
	for (i = 0; i < nrule; i++)
		read_row_rule(table, rules->items[i]);
}

/* Add a row rule, if it is a unique one over columns that are there. */
static void
read_row_rule(TableDefinition *table, const JsonNode *rule)
{
	const JsonNode *names = sigma_json_get(rule, "unique");
	UniqueDefinition *unique = &table->uniques[table->nunique];
	StringInfoData ids;
	int			i;

	if (names == NULL || names->kind != JSON_ARRAY || names->count == 0)
		return;
	initStringInfo(&ids);
	unique->ncolumn = names->count;
	unique->columns = palloc(sizeof(ColumnDefinition *) * names->count);
	unique->ignore_case = sigma_json_get_bool(rule, "ignore_case", false);
	for (i = 0; i < names->count; i++)
	{
		unique->columns[i] = column_named(table, names->items[i]->kind == JSON_STRING ? names->items[i]->string : "");
		if (unique->columns[i] == NULL)
			return;
		appendStringInfo(&ids, "+%s", unique->columns[i]->id);
	}
	unique->index = index_name(table->id, ids.data);
	table->nunique++;
}

/* The column of that name, or NULL. */
static const ColumnDefinition *
column_named(const TableDefinition *table, const char *name)
{
	int			i;

	for (i = 0; i < table->ncolumn; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return &table->columns[i];
	return NULL;
}

/*
 * "sigds_<id>_<column id>_key" where that fits; else the id is cut and a hash of
 * all ids keeps the name apart from others.
 */
static char *
index_name(const char *id, const char *column_ids)
{
	const char *table = sigma_data_table_name(id);
	char	   *name = psprintf("%s_%s_key", table, column_ids);
	uint64		hash;
	int			length;

	if (strlen(name) < NAMEDATALEN &&
		strspn(column_ids, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(column_ids))
		return name;
	hash = hash_bytes_extended((const unsigned char *) name, strlen(name), 0);
	length = Min((int) strlen(table), NAMEDATALEN - 1 - 1 - 16 - (int) strlen("_key"));
	return psprintf("%.*s_%016llX_key", length, table, (unsigned long long) hash);
}

/* Does "after" ask for an index that "before" (NULL: nothing) has not? */
bool
sigma_unique_indexes_missing(const TableDefinition *before, const TableDefinition *after)
{
	int			i;

	for (i = 0; i < after->nunique; i++)
		if (before == NULL || !has(before, &after->uniques[i]))
			return true;
	return false;
}

/* Has the table the same index, over columns of the same types? */
static bool
has(const TableDefinition *table, const UniqueDefinition *unique)
{
	int			i;
	int			j;

	for (i = 0; i < table->nunique; i++)
	{
		const UniqueDefinition *other = &table->uniques[i];

		if (strcmp(other->index, unique->index) != 0 || other->ignore_case != unique->ignore_case ||
			other->ncolumn != unique->ncolumn)
			continue;
		for (j = 0; j < unique->ncolumn && other->columns[j]->type == unique->columns[j]->type; j++)
			;
		if (j == unique->ncolumn)
			return true;
	}
	return false;
}

/*
 * Unique rules of the row by the new names of their columns.  Raises SG409 where
 * the columns of a rule that the update did not write ("rules_given") are dropped.
 */
void
sigma_unique_rules_follow(JsonNode *document, JsonNode *stored, bool rules_given)
{
	JsonNode   *rules = sigma_json_get(document, "row_rules");
	const JsonNode *columns = sigma_json_get(document, "columns");
	const JsonNode *old = sigma_json_get(stored, "columns");
	int			i;
	int			j;

	for (i = 0; rules != NULL && rules->kind == JSON_ARRAY && i < rules->count; i++)
	{
		JsonNode   *names = sigma_json_get(rules->items[i], "unique");

		for (j = 0; names != NULL && names->kind == JSON_ARRAY && j < names->count; j++)
		{
			JsonNode   *name = names->items[j];
			JsonNode   *before = name->kind == JSON_STRING ? find_by(old, "name", name->string) : NULL;
			JsonNode   *after;

			/* what the update wrote may be a new name already */
			if (before == NULL || (rules_given && find_by(columns, "name", name->string) != NULL))
				continue;
			after = find_by(columns, "id", sigma_json_get_string(before, "id", ""));
			if (after == NULL && !rules_given)
				sigma_document_error(name, ERRCODE_SIGMA_CONFLICT,
									 "Give \"row_rules\" without the rule in the same update, or take the rule off first.",
									 "column \"%s\" of input table \"%s\" is in use: it is unique together with others",
									 name->string, sigma_json_get_string(stored, "id", ""));
			if (after != NULL)
				names->items[j] = sigma_json_new_string(sigma_json_get_string(after, "name", ""), name);
		}
	}
}

/* The entry of a list of columns whose member "key" is that text, or NULL. */
static JsonNode *
find_by(const JsonNode *columns, const char *key, const char *value)
{
	int			i;

	for (i = 0; columns != NULL && i < columns->count; i++)
		if (strcmp(sigma_json_get_string(columns->items[i], key, ""), value) == 0)
			return columns->items[i];
	return NULL;
}

/* ------------------------------------------------------------------------
 * Indexes.  SPI is connected, and the work is done as the owner of sigds.
 * ------------------------------------------------------------------------ */

/*
 * Make the indexes that "before" (NULL: nothing) has not; 23505 with the duplicates
 * where there are any, which are named to who "may_read" them.
 */
void
sigma_unique_indexes_create(const TableDefinition *table, const TableDefinition *before, bool may_read)
{
	int			i;

	for (i = 0; i < table->nunique; i++)
	{
		const UniqueDefinition *unique = &table->uniques[i];

		if (before != NULL && has(before, unique))
			continue;
		refuse_duplicates(table, unique, may_read);
		sigma_ddl_run("CREATE UNIQUE INDEX %s ON %s (%s)", quote_identifier(unique->index),
					  sigma_ddl_name(table->relation), list_expressions(unique, "%s", ", "));
	}
}

/* Drop the indexes that "after" has no more, or of other types, unless the owner of sigds did. */
void
sigma_unique_indexes_drop(const TableDefinition *before, const TableDefinition *after)
{
	int			i;

	for (i = 0; i < before->nunique; i++)
		if (!has(after, &before->uniques[i]) &&
			OidIsValid(get_relname_relid(before->uniques[i].index, sigma_sigds_namespace())))
			sigma_ddl_run("DROP INDEX %s", sigma_ddl_name(before->uniques[i].index));
}

/* Is that column compared in lower case? */
static bool
folds(const UniqueDefinition *unique, int i)
{
	ColumnType	type = unique->columns[i]->type;

	return unique->ignore_case && (type == COLUMN_TEXT || type == COLUMN_DROPDOWN);
}

/* What is indexed, each in the format (one %s) and with the separator between. */
static char *
list_expressions(const UniqueDefinition *unique, const char *format, const char *separator)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < unique->ncolumn; i++)
	{
		const char *name = quote_identifier(unique->columns[i]->name);

		if (i > 0)
			appendStringInfoString(&list, separator);
		appendStringInfo(&list, format, folds(unique, i) ? psprintf("pg_catalog.lower(%s)", name) : name);
	}
	return list.data;
}

/* Raise 23505 where the values are not unique; they are named to who may read them. */
static void
refuse_duplicates(const TableDefinition *table, const UniqueDefinition *unique, bool may_read)
{
	char	   *group = list_expressions(unique, "%s", ", ");
	char	   *sql = psprintf("SELECT pg_catalog.concat_ws(', ', %s), pg_catalog.count(*)::pg_catalog.text "
							   "FROM ONLY %s WHERE %s GROUP BY %s "
							   "HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 "
							   "ORDER BY pg_catalog.count(*) DESC, 1 LIMIT %d",
							   list_expressions(unique, "pg_catalog.left(%s::pg_catalog.text, 60)", ", "),
							   sigma_ddl_name(table->relation),
							   list_expressions(unique, "%s IS NOT NULL", " AND "), group, DUPLICATES_SHOWN);
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	StringInfoData found;
	uint64		i;

	/* rows that were committed while we waited for the lock count, whatever the isolation level */
	if (plan == NULL ||
		SPI_execute_snapshot(plan, NULL, NULL, GetLatestSnapshot(), InvalidSnapshot, true, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for duplicates in %s", group);
	if (SPI_processed == 0)
		return;
	initStringInfo(&found);
	for (i = 0; i < SPI_processed; i++)
		appendStringInfo(&found, "%s\"%s\" (%s rows)", i > 0 ? ", " : "",
						 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1),
						 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2));
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 unique->ncolumn == 1 ?
			 errmsg("column %s of input table \"%s\" cannot be unique: it holds duplicates", title(unique), table->id) :
			 errmsg("columns %s of input table \"%s\" cannot be unique together: they hold duplicates",
					title(unique), table->id),
			 may_read ? errdetail("Duplicates are %s%s.", found.data,
								  SPI_processed == DUPLICATES_SHOWN ? " and perhaps more" : "") : 0,
			 errhint("Change or delete the rows first.")));
}

/* "A", "B" and "C" */
static char *
title(const UniqueDefinition *unique)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < unique->ncolumn; i++)
		appendStringInfo(&list, "%s\"%s\"", i == 0 ? "" : i == unique->ncolumn - 1 ? " and " : ", ",
						 unique->columns[i]->name);
	return list.data;
}
