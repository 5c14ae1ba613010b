/*
 * data_table.c
 *		The relations of schema sigds behind one input table: create, adopt, alter, drop.
 *
 * All DDL here is of fixed form and runs as the owner of schema sigds: names are
 * quoted, types come from the closed list of column types, defaults are literals
 * made from values that were read as their type.  No text that a user wrote is
 * parsed as an expression.  Callers hold the lock that the change needs; it is
 * taken before anything is looked at and kept until the transaction ends.
 *
 * Nothing depends on the physical order of columns.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/tablecmds.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "parser/parse_func.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/errors.h"
#include "common/names.h"
#include "common/spi.h"
#include "input_table/define.h"

#define DUPLICATES_SHOWN	5

/* A column that sigma keeps in every data table. */
typedef struct SystemColumn
{
	const char *name;
	const char *sql;			/* in DDL */
	Oid			type;
} SystemColumn;

static const SystemColumn system_columns[] = {
	{"sigma_row_id", "pg_catalog.int8 PRIMARY KEY", INT8OID},
	{"sigma_created_at", "pg_catalog.timestamptz", TIMESTAMPTZOID},
	{"sigma_updated_at", "pg_catalog.timestamptz", TIMESTAMPTZOID},
	{"sigma_created_by", "pg_catalog.text", TEXTOID},
	{"sigma_updated_by", "pg_catalog.text", TEXTOID},
};

/* A trigger of every data table; the function takes the table's id. */
typedef struct DataTrigger
{
	const char *name;
	const char *event;			/* up to the table's name */
	const char *scope;			/* after it */
	const char *function;
	bool		counts;			/* only where statements are counted */
} DataTrigger;

static const DataTrigger data_triggers[] = {
	{"sigma_0_statement", "BEFORE INSERT OR UPDATE OR DELETE", "FOR EACH STATEMENT", "check_statement", false},
	{"sigma_0_validate", "BEFORE INSERT OR UPDATE", "FOR EACH ROW", "validate_row", false},
	{"sigma_0_truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT", "refuse_truncate", false},
	{"sigma_1_count_insert", "AFTER INSERT", "REFERENCING NEW TABLE AS sigma_new FOR EACH STATEMENT", "count_rows", true},
	{"sigma_1_count_update", "AFTER UPDATE", "REFERENCING OLD TABLE AS sigma_old NEW TABLE AS sigma_new FOR EACH STATEMENT", "count_rows", true},
	{"sigma_1_count_delete", "AFTER DELETE", "REFERENCING OLD TABLE AS sigma_old FOR EACH STATEMENT", "count_rows", true},
};

static void begin_ddl(OwnerScope *scope);
static void run_ddl(const char *format,...) pg_attribute_printf(1, 2);
static char *qualify(const char *name);
static char *column_sql(const ColumnDefinition *column);
static char *default_sql(const ColumnDefinition *column);
static Datum default_datum(const ColumnDefinition *column, bool *isnull);
static void create_sequence(const TableDefinition *table, Oid relid);
static void set_triggers(const TableDefinition *table, Oid relid, bool counts_only);
static bool counts_statements(const TableDefinition *table);
static bool has_trigger(Oid relid, const char *name, const char *id);
static char *index_name(const char *id, const char *column_id);
static void create_unique_index(const TableDefinition *table, const ColumnDefinition *column, bool may_read);
static void refuse_duplicates(const TableDefinition *table, const ColumnDefinition *column, bool may_read);
static void drop_unique_indexes(Oid relid);
static void check_fits(const TableDefinition *table, Relation rel);
static void misfit(StringInfo buf, const char *format,...) pg_attribute_printf(2, 3);
static void drop_indexes_of_change(TableChange *change);
static void drop_columns(TableChange *change);
static void rename_columns(TableChange *change);
static void alter_columns(TableChange *change);
static int64 count_values(const TableDefinition *table, const ColumnDefinition *column);
static int64 count_rows(const char *sql);
static bool same_default(const ColumnChange *column);
static bool needs_index(const ColumnChange *column);
static bool loses_index(const ColumnChange *column);

/*
 * Create table, sequence, unique indexes and triggers.  Raises 42P07 where a
 * relation of that name exists (the caller has looked, under its lock on the name).
 */
void
sigma_data_table_create(const TableDefinition *table)
{
	char	   *name = qualify(sigma_data_table_name(table->id));
	OwnerScope	scope;
	StringInfoData sql;
	int			i;

	SPI_connect();
	begin_ddl(&scope);
	initStringInfo(&sql);
	for (i = 0; i < table->ncolumn; i++)
		appendStringInfo(&sql, "%s, ", column_sql(&table->columns[i]));
	for (i = 0; i < lengthof(system_columns); i++)
		appendStringInfo(&sql, "%s%s %s", i > 0 ? ", " : "", system_columns[i].name, system_columns[i].sql);
	run_ddl("CREATE TABLE %s (%s)", name, sql.data);
	run_ddl("COMMENT ON TABLE %s IS %s", name,
			quote_literal_cstr(psprintf("rows of input table %s", table->id)));
	create_sequence(table, InvalidOid);
	for (i = 0; i < table->ncolumn; i++)
		if (table->columns[i].unique)
			create_unique_index(table, &table->columns[i], true);
	set_triggers(table, InvalidOid, false);
	sigma_owner_end(&scope);
	SPI_finish();
}

/*
 * Take the existing table as this input table's: its columns must be the
 * definition's and the system's, by name and type (42P07 else).  While a dump is
 * restored nothing is touched: what is missing comes later in the dump.
 * Otherwise indexes, defaults, triggers and sequence are brought in line.
 */
void
sigma_data_table_adopt(const TableDefinition *table, Oid relid, bool restoring)
{
	Relation	rel = table_open(relid, restoring ? AccessShareLock : AccessExclusiveLock);
	bool		may_read = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
	OwnerScope	scope;
	StringInfoData sql;
	int			i;

	check_fits(table, rel);
	if (!restoring)
		CheckTableNotInUse(rel, "ALTER TABLE");
	table_close(rel, NoLock);
	if (restoring)
		return;

	SPI_connect();
	begin_ddl(&scope);
	drop_unique_indexes(relid);
	initStringInfo(&sql);
	for (i = 0; i < table->ncolumn; i++)
	{
		char	   *value = default_sql(&table->columns[i]);

		appendStringInfo(&sql, "%sALTER COLUMN %s %s%s", i > 0 ? ", " : "",
						 quote_identifier(table->columns[i].name),
						 value == NULL ? "DROP DEFAULT" : "SET DEFAULT ", value == NULL ? "" : value);
	}
	run_ddl("ALTER TABLE %s %s", qualify(sigma_data_table_name(table->id)), sql.data);
	for (i = 0; i < table->ncolumn; i++)
		if (table->columns[i].unique)
			create_unique_index(table, &table->columns[i], may_read);
	create_sequence(table, relid);
	set_triggers(table, relid, false);
	sigma_owner_end(&scope);
	SPI_finish();
}

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
	int			i;

	SPI_connect();
	begin_ddl(&scope);
	drop_indexes_of_change(change);
	drop_columns(change);
	rename_columns(change);
	alter_columns(change);
	for (i = 0; i < change->ncolumn; i++)
		if (needs_index(&change->columns[i]))
			create_unique_index(after, change->columns[i].after, may_read);
	if (counts_statements(change->before) != counts_statements(after))
		set_triggers(after, relid, true);
	sigma_owner_end(&scope);
	SPI_finish();
}

/* Drop table, sequence and row counter; 2BP01 where a view of somebody's needs the table. */
void
sigma_data_table_drop(const char *id, Oid relid)
{
	OwnerScope	scope;

	SPI_connect();
	begin_ddl(&scope);
	run_ddl("DROP TABLE %s", qualify(sigma_data_table_name(id)));
	run_ddl("DROP SEQUENCE IF EXISTS %s", qualify(sigma_row_sequence_name(id)));
	sigma_owner_end(&scope);
	SPI_finish();
	sigma_data_table_forget_count(id);
}

/* Insert rows of defaults, one statement each, so that no limit on bulk writes is met. */
void
sigma_data_table_add_blank_rows(const TableDefinition *table, int rows)
{
	OwnerScope	scope;
	int			i;

	SPI_connect();
	begin_ddl(&scope);
	for (i = 0; i < rows && (table->max_rows == 0 || i < table->max_rows); i++)
		sigma_spi_run(psprintf("INSERT INTO %s DEFAULT VALUES", qualify(sigma_data_table_name(table->id))),
					  SPI_OK_INSERT);
	sigma_owner_end(&scope);
	SPI_finish();
}

/* How many rows the table holds now, whatever the transaction's snapshot. */
int64
sigma_data_table_count(const char *id)
{
	OwnerScope	scope;
	int64		rows;

	SPI_connect();
	begin_ddl(&scope);
	rows = count_rows(psprintf("SELECT pg_catalog.count(*) FROM ONLY %s", qualify(sigma_data_table_name(id))));
	sigma_owner_end(&scope);
	SPI_finish();
	return rows;
}

/* Forget how many rows the table has: the next write counts them. */
void
sigma_data_table_forget_count(const char *id)
{
	Oid			counts = get_relname_relid("sigma_row_counts", get_namespace_oid("sigma", false));
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(id);
	OwnerScope	scope;

	if (!OidIsValid(counts))
		return;
	SPI_connect();
	sigma_owner_begin(&scope, sigma_relation_owner(counts));
	if (SPI_execute_with_args("DELETE FROM sigma.sigma_row_counts WHERE id OPERATOR(pg_catalog.=) $1",
							  1, &type, &value, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete from sigma.sigma_row_counts");
	sigma_owner_end(&scope);
	SPI_finish();
}

/* Was this table made for this input table?  Its validation trigger or its comment says so. */
bool
sigma_data_table_is_of(Oid relid, const char *id)
{
	char	   *comment = GetComment(relid, RelationRelationId, 0);

	if (get_rel_relkind(relid) != RELKIND_RELATION)
		return false;
	return has_trigger(relid, "sigma_0_validate", id) ||
		(comment != NULL && strcmp(comment, psprintf("rows of input table %s", id)) == 0);
}

/* Become the owner of sigds, with the settings under which values print exactly. */
static void
begin_ddl(OwnerScope *scope)
{
	sigma_owner_begin(scope, sigma_sigds_owner());
	(void) set_config_option("datestyle", "ISO, YMD", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("extra_float_digits", "1", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* Run one utility statement. */
static void
run_ddl(const char *format,...)
{
	StringInfoData sql;

	initStringInfo(&sql);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&sql, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&sql, needed);
	}
	sigma_spi_run(sql.data, SPI_OK_UTILITY);
	pfree(sql.data);
}

/* A relation of schema sigds, quoted. */
static char *
qualify(const char *name)
{
	return quote_qualified_identifier("sigds", name);
}

/* A column's part of CREATE TABLE or ADD COLUMN. */
static char *
column_sql(const ColumnDefinition *column)
{
	char	   *value = default_sql(column);

	return psprintf("%s %s%s%s", quote_identifier(column->name), sigma_column_types[column->type].sql,
					value == NULL ? "" : " DEFAULT ", value == NULL ? "" : value);
}

/* A column's default as a typed literal, or NULL. */
static char *
default_sql(const ColumnDefinition *column)
{
	bool		isnull;
	Datum		value = default_datum(column, &isnull);
	Oid			output;
	bool		is_varlena;

	if (isnull)
		return NULL;
	getTypeOutputInfo(sigma_column_types[column->type].oid, &output, &is_varlena);
	return psprintf("%s::%s", quote_literal_cstr(OidOutputFunctionCall(output, value)),
					sigma_column_types[column->type].sql);
}

/* A column's default as its type reads it; SG400 where it does not. */
static Datum
default_datum(const ColumnDefinition *column, bool *isnull)
{
	Datum		value = (Datum) 0;
	const char *why;
	JsonbValue	given;
	Jsonb	   *document;

	*isnull = true;
	if (column->default_value == NULL)
		return value;
	document = sigma_json_write(column->default_value);
	if (!JsonbExtractScalar(&document->root, &given))
	{
		given.type = jbvBinary;
		given.val.binary.data = &document->root;
		given.val.binary.len = VARSIZE_ANY_EXHDR(document);
	}
	if (!sigma_value_from_json(column->type, &given, &value, isnull, &why))
		sigma_document_error(column->default_value, 0, NULL, "the default of column \"%s\" %s",
							 column->name, why);
	return value;
}

/*
 * The sequence of row ids.  For an adopted table ("relid") only where there is
 * none, and then it goes on after the highest row id.
 */
static void
create_sequence(const TableDefinition *table, Oid relid)
{
	char	   *name = sigma_row_sequence_name(table->id);

	if (OidIsValid(relid) && OidIsValid(get_relname_relid(name, sigma_sigds_namespace())))
		return;
	run_ddl("CREATE SEQUENCE %s AS pg_catalog.int8", qualify(name));
	if (OidIsValid(relid))
		sigma_spi_run(psprintf("SELECT pg_catalog.setval(%s, pg_catalog.max(sigma_row_id)) FROM ONLY %s "
							   "HAVING pg_catalog.max(sigma_row_id) OPERATOR(pg_catalog.>) 0",
							   quote_literal_cstr(qualify(name)), qualify(sigma_data_table_name(table->id))),
					  SPI_OK_SELECT);
}

/* Give the table the triggers that its definition asks for, and no others of ours. */
static void
set_triggers(const TableDefinition *table, Oid relid, bool counts_only)
{
	char	   *name = qualify(sigma_data_table_name(table->id));
	int			i;

	for (i = 0; i < lengthof(data_triggers); i++)
	{
		const DataTrigger *t = &data_triggers[i];

		if (counts_only && !t->counts)
			continue;
		if (OidIsValid(relid))
			run_ddl("DROP TRIGGER IF EXISTS %s ON %s", t->name, name);
		if (t->counts && !counts_statements(table))
			continue;
		/*FIRST*/ if (!OidIsValid(LookupFuncName(list_make2(makeString("sigma"), makeString((char *) t->function)), 0, NULL, true)))
			continue;
		run_ddl("CREATE TRIGGER %s %s ON %s %s EXECUTE FUNCTION sigma.%s(%s)",
				t->name, t->event, name, t->scope, t->function, quote_literal_cstr(table->id));
	}
}

/* Does the table need triggers that count rows? */
static bool
counts_statements(const TableDefinition *table)
{
	return table->max_rows > 0 || !table->allow_bulk;
}

/* Has the table a trigger of that name with that id as its argument? */
static bool
has_trigger(Oid relid, const char *name, const char *id)
{
	Relation	rel = table_open(relid, AccessShareLock);
	bool		found = false;
	int			i;

	for (i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];

		if (strcmp(trigger->tgname, name) == 0 && trigger->tgnargs == 1 &&
			strcmp(trigger->tgargs[0], id) == 0)
			found = true;
	}
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * "sigds_<id>_<column id>_key" where that fits; else the id is cut and a hash of
 * both ids keeps the name apart from others.
 */
static char *
index_name(const char *id, const char *column_id)
{
	const char *table = sigma_data_table_name(id);
	char	   *name = psprintf("%s_%s_key", table, column_id);
	uint64		hash;
	int			length;

	if (strlen(name) < NAMEDATALEN && strspn(column_id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(column_id))
		return name;
	hash = hash_bytes_extended((const unsigned char *) name, strlen(name), 0);
	length = Min((int) strlen(table), NAMEDATALEN - 1 - 1 - 16 - (int) strlen("_key"));
	return psprintf("%.*s_%016llX_key", length, table, (unsigned long long) hash);
}

/* The unique index of a column; 23505 with the duplicates where there are any. */
static void
create_unique_index(const TableDefinition *table, const ColumnDefinition *column, bool may_read)
{
	refuse_duplicates(table, column, may_read);
	run_ddl(column->ignore_case ? "CREATE UNIQUE INDEX %s ON %s (pg_catalog.lower(%s))" :
			"CREATE UNIQUE INDEX %s ON %s (%s)",
			quote_identifier(index_name(table->id, column->id)),
			qualify(sigma_data_table_name(table->id)), quote_identifier(column->name));
}

/* Raise 23505 where the column's values are not unique; they are named to who may read them. */
static void
refuse_duplicates(const TableDefinition *table, const ColumnDefinition *column, bool may_read)
{
	const char *name = quote_identifier(column->name);
	char	   *value = column->ignore_case ? psprintf("pg_catalog.lower(%s)", name) : pstrdup(name);
	char	   *sql = psprintf("SELECT pg_catalog.left(%s::pg_catalog.text, 60), pg_catalog.count(*)::pg_catalog.text "
							   "FROM ONLY %s WHERE %s IS NOT NULL GROUP BY %s "
							   "HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 "
							   "ORDER BY pg_catalog.count(*) DESC, 1 LIMIT %d",
							   value, qualify(sigma_data_table_name(table->id)), value, value, DUPLICATES_SHOWN);
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	StringInfoData found;
	uint64		i;

	/* rows that were committed while we waited for the lock count, whatever the isolation level */
	if (plan == NULL ||
		SPI_execute_snapshot(plan, NULL, NULL, GetLatestSnapshot(), InvalidSnapshot, true, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for duplicates in column \"%s\"", column->name);
	if (SPI_processed == 0)
		return;
	initStringInfo(&found);
	for (i = 0; i < SPI_processed; i++)
		appendStringInfo(&found, "%s\"%s\" (%s rows)", i > 0 ? ", " : "",
						 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1),
						 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2));
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("column \"%s\" of input table \"%s\" cannot be unique: it holds duplicates",
					column->name, table->id),
			 may_read ? errdetail("Duplicates are %s%s.", found.data,
								  SPI_processed == DUPLICATES_SHOWN ? " and perhaps more" : "") : 0,
			 errhint("Change or delete the rows first.")));
}

/* Drop every unique index that sigma made on the table. */
static void
drop_unique_indexes(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		char	   *name = pstrdup(RelationGetRelationName(index));
		size_t		length = strlen(name);

		if (index->rd_index->indisunique && !index->rd_index->indisprimary &&
			strncmp(name, "sigds_", 6) == 0 && length > 4 && strcmp(name + length - 4, "_key") == 0)
			names = lappend(names, name);
		index_close(index, AccessShareLock);
	}
	table_close(rel, AccessShareLock);
	foreach(lc, names)
		run_ddl("DROP INDEX %s", qualify(lfirst(lc)));
}

/* Raise 42P07 where the table's columns are not those of the definition, naming what differs. */
static void
check_fits(const TableDefinition *table, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			total = table->ncolumn + lengthof(system_columns);
	bool	   *found = palloc0(sizeof(bool) * total);
	StringInfoData differences;
	int			i;
	int			j;

	initStringInfo(&differences);
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped)
			continue;
		for (j = 0; j < total; j++)
		{
			bool		own = j < table->ncolumn;
			const char *name = own ? table->columns[j].name : system_columns[j - table->ncolumn].name;
			Oid			type = own ? sigma_column_types[table->columns[j].type].oid : system_columns[j - table->ncolumn].type;

			if (strcmp(NameStr(att->attname), name) != 0)
				continue;
			found[j] = true;
			if (att->atttypid != type)
				misfit(&differences, "column \"%s\" is of type %s, not %s", name,
					   format_type_be(att->atttypid), format_type_be(type));
			break;
		}
		if (j == total)
			misfit(&differences, "column \"%s\" is not in the definition", NameStr(att->attname));
	}
	for (j = 0; j < total; j++)
		if (!found[j])
			misfit(&differences, "column \"%s\" is missing",
				   j < table->ncolumn ? table->columns[j].name : system_columns[j - table->ncolumn].name);
	if (differences.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"sigds.%s\" exists and does not fit input table \"%s\"",
						RelationGetRelationName(rel), table->id),
				 errdetail("In it, %s.", differences.data),
				 errhint("Give the columns that the table has, or drop the table.")));
}

/* Add one difference to a list of them. */
static void
misfit(StringInfo buf, const char *format,...)
{
	if (buf->len > 0)
		appendStringInfoString(buf, "; ");
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(buf, format, args);
		va_end(args);
		if (needed == 0)
			return;
		enlargeStringInfo(buf, needed);
	}
}

/* Indexes go before their columns change, where they go or must be made anew. */
static void
drop_indexes_of_change(TableChange *change)
{
	int			i;

	for (i = 0; i < change->ncolumn; i++)
		if (loses_index(&change->columns[i]))
			run_ddl("DROP INDEX IF EXISTS %s",
					qualify(index_name(change->before->id, change->columns[i].before->id)));
}

/* Drop what is no longer defined, in one statement. */
static void
drop_columns(TableChange *change)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	for (i = 0; i < change->ncolumn; i++)
		if (change->columns[i].after == NULL)
			appendStringInfo(&sql, "%sDROP COLUMN %s", sql.len > 0 ? ", " : "",
							 quote_identifier(change->columns[i].before->name));
	if (sql.len > 0)
		run_ddl("ALTER TABLE %s %s", qualify(sigma_data_table_name(change->before->id)), sql.data);
}

/*
 * Rename.  Where a new name is still another column's, all go by way of names
 * that no column can have, so that a and b can change places.
 */
static void
rename_columns(TableChange *change)
{
	char	   *table = qualify(sigma_data_table_name(change->after->id));
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
		ColumnChange *column = &change->columns[i];

		if (column->before == NULL || column->after == NULL ||
			strcmp(column->before->name, column->after->name) == 0)
			continue;
		run_ddl("ALTER TABLE %s RENAME COLUMN %s TO %s", table, quote_identifier(column->before->name),
				clash ? psprintf("sigma_renamed_%d", i) : quote_identifier(column->after->name));
	}
	for (i = 0; clash && i < change->ncolumn; i++)
	{
		ColumnChange *column = &change->columns[i];

		if (column->before != NULL && column->after != NULL &&
			strcmp(column->before->name, column->after->name) != 0)
			run_ddl("ALTER TABLE %s RENAME COLUMN sigma_renamed_%d TO %s", table, i,
					quote_identifier(column->after->name));
	}
}

/* Add columns, change types and defaults: one statement, so at most one rewrite. */
static void
alter_columns(TableChange *change)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	for (i = 0; i < change->ncolumn; i++)
	{
		ColumnChange *column = &change->columns[i];
		const char *comma = sql.len > 0 ? ", " : "";
		const char *name;
		char	   *value;

		if (column->after == NULL)
			continue;
		name = quote_identifier(column->after->name);
		value = default_sql(column->after);
		if (column->before == NULL)
		{
			appendStringInfo(&sql, "%sADD COLUMN %s", comma, column_sql(column->after));
			continue;
		}
		if (column->before->type != column->after->type)
		{
			column->converted = count_values(change->after, column->after);
			appendStringInfo(&sql, "%sALTER COLUMN %s DROP DEFAULT, ALTER COLUMN %s TYPE %s "
							 "USING sigma.convert_value(%s, %s, %s, NULL::%s)", comma, name, name,
							 sigma_column_types[column->after->type].sql, name,
							 quote_literal_cstr(sigma_column_types[column->before->type].name),
							 quote_literal_cstr(sigma_column_types[column->after->type].name),
							 sigma_column_types[column->after->type].sql);
			comma = ", ";
		}
		else if (same_default(column))
			continue;
		if (value != NULL)
			appendStringInfo(&sql, "%sALTER COLUMN %s SET DEFAULT %s", comma, name, value);
		else if (column->before->type == column->after->type)
			appendStringInfo(&sql, "%sALTER COLUMN %s DROP DEFAULT", comma, name);
	}
	if (sql.len > 0)
		run_ddl("ALTER TABLE %s %s", qualify(sigma_data_table_name(change->after->id)), sql.data);
	for (i = 0; i < change->ncolumn; i++)
	{
		ColumnChange *column = &change->columns[i];

		if (column->before == NULL || column->after == NULL || column->before->type == column->after->type)
			continue;
		column->nulled = column->converted;
		column->converted = count_values(change->after, column->after);
		column->nulled -= column->converted;
	}
}

/* How many rows hold a value in the column now. */
static int64
count_values(const TableDefinition *table, const ColumnDefinition *column)
{
	return count_rows(psprintf("SELECT pg_catalog.count(%s) FROM ONLY %s", quote_identifier(column->name),
							   qualify(sigma_data_table_name(table->id))));
}

/* The one number that a query yields, by the newest snapshot: under our lock that is what is there. */
static int64
count_rows(const char *sql)
{
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	bool		isnull;

	CommandCounterIncrement();
	if (plan == NULL ||
		SPI_execute_snapshot(plan, NULL, NULL, GetLatestSnapshot(), InvalidSnapshot, true, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not count rows: %s", sql);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* Is the default what it was? */
static bool
same_default(const ColumnChange *column)
{
	const JsonNode *before = column->before->default_value;
	const JsonNode *after = column->after->default_value;

	if (before == NULL || after == NULL)
		return before == after;
	return sigma_json_equal(before, after);
}

/* Must the change make a unique index? */
static bool
needs_index(const ColumnChange *column)
{
	if (column->after == NULL || !column->after->unique)
		return false;
	return column->before == NULL || !column->before->unique ||
		column->before->ignore_case != column->after->ignore_case ||
		column->before->type != column->after->type;
}

/* Must the change drop one first?  That of a dropped column goes with it. */
static bool
loses_index(const ColumnChange *column)
{
	if (column->before == NULL || column->after == NULL || !column->before->unique)
		return false;
	return !column->after->unique || needs_index(column);
}
