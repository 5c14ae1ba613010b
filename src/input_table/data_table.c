/*
 * data_table.c
 *		The relations of schema sigds behind one input table: create, adopt, drop.
 *
 * Callers hold the lock that the change needs; it is taken before anything is
 * looked at and kept until the transaction ends.
 *
 * Nothing depends on the physical order of columns.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/tablecmds.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "common/errors.h"
#include "common/names.h"
#include "common/session.h"
#include "common/spi.h"
#include "input_table/computed.h"
#include "input_table/define.h"
#include "input_table/linked.h"
#include "input_table/published.h"
#include "input_table/row_change.h"

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

/*
 * A trigger of data tables; the function takes the table's id.  The names of those that
 * log sort before all that others are likely to give their triggers.
 */
typedef struct DataTrigger
{
	const char *name;
	const char *event;			/* up to the table's name */
	const char *scope;			/* after it */
	const char *function;
	bool		(*wanted) (const TableDefinition *table);	/* NULL: always */
} DataTrigger;

static bool counts(const TableDefinition *table);
static bool logs(const TableDefinition *table);

#define NEW_ROWS	"REFERENCING NEW TABLE AS sigma_new FOR EACH STATEMENT"
#define OLD_ROWS	"REFERENCING OLD TABLE AS sigma_old FOR EACH STATEMENT"
#define BOTH_ROWS	"REFERENCING OLD TABLE AS sigma_old NEW TABLE AS sigma_new FOR EACH STATEMENT"

static const DataTrigger data_triggers[] = {
	{"sigma_0_statement", "BEFORE INSERT OR UPDATE OR DELETE", "FOR EACH STATEMENT", "check_statement", NULL},
	{"sigma_0_validate", "BEFORE INSERT OR UPDATE", "FOR EACH ROW", "validate_row", NULL},
	{"sigma_0_truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT", "refuse_truncate", NULL},
	{"sigma_1_keep_published", "BEFORE UPDATE OR DELETE", "FOR EACH ROW", "keep_published", sigma_is_draft},
	{"0_sigma_log_insert", "AFTER INSERT", NEW_ROWS, "log_rows", logs},
	{"0_sigma_log_update", "AFTER UPDATE", BOTH_ROWS, "log_rows", logs},
	{"0_sigma_log_delete", "AFTER DELETE", OLD_ROWS, "log_rows", logs},
	{"sigma_1_count_insert", "AFTER INSERT", NEW_ROWS, "count_rows", counts},
	{"sigma_1_count_update", "AFTER UPDATE", BOTH_ROWS, "count_rows", counts},
	{"sigma_1_count_delete", "AFTER DELETE", OLD_ROWS, "count_rows", counts},
};

static void create_sequence(const TableDefinition *table, Oid relid);
static bool has_trigger(Oid relid, const char *name, const char *id);
static void drop_unique_indexes(Oid relid);
static void check_fits(const TableDefinition *table, Relation rel);

/*
 * Create table, sequence, unique indexes, log and triggers.  Raises 42P07 where a
 * relation of that name exists (the caller has looked, under its lock on the name).
 */
void
sigma_data_table_create(const TableDefinition *table)
{
	char	   *name = sigma_ddl_name(table->relation);
	OwnerScope	scope;
	StringInfoData sql;
	int			i;

	sigma_ddl_check_tablespace();
	SPI_connect();
	sigma_ddl_begin(&scope);
	initStringInfo(&sql);
	for (i = 0; i < table->ncolumn; i++)
		appendStringInfo(&sql, "%s, ", sigma_ddl_column(&table->columns[i]));
	for (i = 0; i < lengthof(system_columns); i++)
		appendStringInfo(&sql, "%s%s %s", i > 0 ? ", " : "", system_columns[i].name, system_columns[i].sql);
	sigma_ddl_run("CREATE TABLE %s (%s)", name, sql.data);
	for (i = 0; i < table->ncolumn; i++)
		if (sigma_default_formula(table->columns[i].default_value) != NULL)
			sigma_ddl_run("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s", name,
						  quote_identifier(table->columns[i].name), sigma_ddl_default(&table->columns[i]));
	sigma_ddl_run("COMMENT ON TABLE %s IS %s", name,
				  quote_literal_cstr(psprintf("rows of input table %s", table->id)));
	create_sequence(table, InvalidOid);
	sigma_unique_indexes_create(table, NULL, true);
	if (table->nkey > 0)
		sigma_ddl_run("CREATE UNIQUE INDEX ON %s (%s)", name, sigma_linked_key_index(table));
	sigma_published_forget(table->id);
	if (sigma_is_draft(table))
		sigma_published_create(table, false);
	if (table->audit)
		(void) sigma_log_create(table);
	sigma_data_table_set_triggers(table, InvalidOid, false);
	sigma_owner_end(&scope);
	SPI_finish();
	sigma_change_triggers_set(table->id, false);
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

	sigma_ddl_check_tablespace();
	SPI_connect();
	sigma_ddl_begin(&scope);
	drop_unique_indexes(relid);
	initStringInfo(&sql);
	for (i = 0; i < table->ncolumn; i++)
	{
		char	   *value = sigma_ddl_default(&table->columns[i]);

		appendStringInfo(&sql, "%sALTER COLUMN %s %s%s", i > 0 ? ", " : "",
						 quote_identifier(table->columns[i].name),
						 value == NULL ? "DROP DEFAULT" : "SET DEFAULT ", value == NULL ? "" : value);
	}
	sigma_ddl_run("ALTER TABLE %s %s", sigma_ddl_name(table->relation), sql.data);
	sigma_unique_indexes_create(table, NULL, may_read);
	create_sequence(table, relid);
	sigma_published_adopt(table);
	if (table->audit)
		(void) sigma_log_create(table);
	sigma_data_table_set_triggers(table, relid, false);
	sigma_owner_end(&scope);
	SPI_finish();
	sigma_change_triggers_set(table->id, true);
}

/* Drop table, images, sequence and log, as far as they are there; 2BP01 where a view of somebody's needs the table. */
void
sigma_data_table_drop(const char *id)
{
	OwnerScope	scope;

	SPI_connect();
	sigma_ddl_begin(&scope);
	if (OidIsValid(sigma_rows_oid(id)))
		sigma_ddl_run("DROP TABLE %s", sigma_ddl_name(sigma_rows_name(id)));
	sigma_published_drop(id);
	if (OidIsValid(get_relname_relid(sigma_row_sequence_name(id), sigma_sigds_namespace())))
		sigma_ddl_run("DROP SEQUENCE %s", sigma_ddl_name(sigma_row_sequence_name(id)));
	sigma_log_drop(id);
	sigma_owner_end(&scope);
	SPI_finish();
}

/*
 * Insert rows of defaults, one statement each, as sigma itself: no limit on bulk
 * writes is met, nor the version that the client edits.
 */
void
sigma_data_table_add_blank_rows(const TableDefinition *table, int rows)
{
	SessionState session = sigma_session;
	OwnerScope	scope;
	int			i;

	SPI_connect();
	sigma_ddl_begin(&scope);
	sigma_session.origin = ORIGIN_SYSTEM;
	if (!OidIsValid(session.formula_user))
		sigma_session.formula_user = scope.user;	/* who wrote the rules */
	PG_TRY();
	{
		for (i = 0; i < rows && (table->max_rows == 0 || i < table->max_rows); i++)
			sigma_spi_run(psprintf("INSERT INTO %s DEFAULT VALUES", sigma_ddl_name(table->relation)),
						  SPI_OK_INSERT);
	}
	PG_FINALLY();
	{
		sigma_session = session;
	}
	PG_END_TRY();
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
	sigma_ddl_begin(&scope);
	rows = sigma_ddl_number(psprintf("SELECT pg_catalog.count(*) FROM ONLY %s", sigma_ddl_name(sigma_rows_name(id))));
	sigma_owner_end(&scope);
	SPI_finish();
	return rows;
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

/*
 * The sequence of row ids; one that is left from an earlier table goes on, so that
 * no id is used again.  For an adopted table ("relid") a new one begins after its
 * highest row id.
 */
static void
create_sequence(const TableDefinition *table, Oid relid)
{
	char	   *name = sigma_row_sequence_name(table->id);

	if (get_rel_relkind(get_relname_relid(name, sigma_sigds_namespace())) == RELKIND_SEQUENCE)
		return;
	sigma_ddl_run("CREATE SEQUENCE %s AS pg_catalog.int8", sigma_ddl_name(name));
	if (OidIsValid(relid))
		sigma_spi_run(psprintf("SELECT pg_catalog.setval(%s, pg_catalog.max(sigma_row_id)) FROM ONLY %s "
							   "HAVING pg_catalog.max(sigma_row_id) OPERATOR(pg_catalog.>) 0",
							   quote_literal_cstr(sigma_ddl_name(name)), sigma_ddl_name(table->relation)),
					  SPI_OK_SELECT);
}

/*
 * Give the table the triggers that its definition asks for, and no others of ours.
 * "optional": just those that not every table has.
 */
void
sigma_data_table_set_triggers(const TableDefinition *table, Oid relid, bool optional)
{
	char	   *name = sigma_ddl_name(table->relation);
	int			i;

	for (i = 0; i < lengthof(data_triggers); i++)
	{
		const DataTrigger *t = &data_triggers[i];

		if (optional && t->wanted == NULL)
			continue;
		if (OidIsValid(relid) && OidIsValid(get_trigger_oid(relid, t->name, true)))
			sigma_ddl_run("DROP TRIGGER %s ON %s", quote_identifier(t->name), name);
		if (t->wanted != NULL && !t->wanted(table))
			continue;
		sigma_ddl_run("CREATE TRIGGER %s %s ON %s %s EXECUTE FUNCTION sigma.%s(%s)",
				quote_identifier(t->name), t->event, name, t->scope, t->function, quote_literal_cstr(table->id));
	}
}

/* Do both definitions ask for the same triggers? */
bool
sigma_data_table_same_triggers(const TableDefinition *a, const TableDefinition *b)
{
	int			i;

	for (i = 0; i < lengthof(data_triggers); i++)
		if (data_triggers[i].wanted != NULL && data_triggers[i].wanted(a) != data_triggers[i].wanted(b))
			return false;
	return true;
}

/* The triggers that the definition asks for and the table has not: a List of names. */
List *
sigma_data_table_missing_triggers(const TableDefinition *table, Oid relid)
{
	List	   *missing = NIL;
	int			i;

	for (i = 0; i < lengthof(data_triggers); i++)
		if ((data_triggers[i].wanted == NULL || data_triggers[i].wanted(table)) &&
			!OidIsValid(get_trigger_oid(relid, data_triggers[i].name, true)))
			missing = lappend(missing, unconstify(char *, data_triggers[i].name));
	return missing;
}

/* Does the table need triggers that count rows? */
static bool
counts(const TableDefinition *table)
{
	return table->max_rows > 0 || !table->allow_bulk;
}

/* Is its edit log kept? */
static bool
logs(const TableDefinition *table)
{
	return table->audit;
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
		sigma_ddl_run("DROP INDEX %s", sigma_ddl_name(lfirst(lc)));
}

/* Raise 42P07 where the table's columns are not those of the definition, naming what differs. */
static void
check_fits(const TableDefinition *table, Relation rel)
{
	List	   *differences = sigma_data_table_differences(table, rel);
	StringInfoData detail;
	ListCell   *lc;

	if (differences == NIL)
		return;
	initStringInfo(&detail);
	foreach(lc, differences)
		appendStringInfo(&detail, "%s%s", detail.len > 0 ? "; " : "", (char *) lfirst(lc));
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_TABLE),
			 errmsg("relation \"sigds.%s\" exists and does not fit input table \"%s\"",
					RelationGetRelationName(rel), table->id),
			 errdetail("In it, %s.", detail.data),
			 errhint("Give the columns that the table has, or drop the table.")));
}

/*
 * How the table's columns differ from the definition's and the system's: a List of
 * char *, each a clause about one column; NIL where they fit.  In the current context.
 */
List *
sigma_data_table_differences(const TableDefinition *table, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			total = table->ncolumn + lengthof(system_columns);
	bool	   *found = palloc0(sizeof(bool) * total);
	List	   *differences = NIL;
	int			i;
	int			j;

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
				differences = lappend(differences, psprintf("column \"%s\" is of type %s, not %s", name,
															format_type_be(att->atttypid), format_type_be(type)));
			break;
		}
		if (j == total)
			differences = lappend(differences, psprintf("column \"%s\" is not in the definition", NameStr(att->attname)));
	}
	for (j = 0; j < total; j++)
		if (!found[j])
			differences = lappend(differences, psprintf("column \"%s\" is missing", j < table->ncolumn ?
														table->columns[j].name : system_columns[j - table->ncolumn].name));
	return differences;
}
