/*
 * row_security.c
 *		Row filters of input tables: governance_config.row_filter and row_edit.
 *
 * Both are formulas over one row of the table, evaluated with the rights and as the
 * app user of whoever reads or writes.  They become policies of the data table, so
 * PostgreSQL enforces them on every path: a row that does not satisfy row_filter is
 * not there, one that does not satisfy both cannot be made, changed or deleted, and
 * no row can be changed into one.  The warehouse view has the filter in its own WHERE,
 * since it reads with its owner's rights.  Null is not true.
 *
 * Policies hold for everybody but the owner of schema sigds, superusers and roles with
 * BYPASSRLS.  They are made and dropped under ACCESS EXCLUSIVE on the data table, which
 * callers hold, and are in a dump like those of any table.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_policy.h"
#include "commands/policy.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common/errors.h"
#include "common/names.h"
#include "formula/compile.h"
#include "input_table/linked.h"
#include "input_table/computed.h"
#include "input_table/define.h"

/* A policy of data tables. */
typedef struct DataPolicy
{
	const char *name;
	const char *command;
	bool		uses;			/* has USING */
	bool		checks;			/* has WITH CHECK */
	bool		edits;			/* row_edit counts */
} DataPolicy;

static const DataPolicy policies[] = {
	{"sigma_see", "SELECT", true, false, false},
	{"sigma_add", "INSERT", false, true, true},
	{"sigma_change", "UPDATE", true, true, true},
	{"sigma_remove", "DELETE", true, false, true},
};

static FormulaRelation *row_of(JsonNode *document);
static char *compile_row(FormulaRelation *row, const JsonNode *formula, const char *alias, bool saving);
static FormulaRelation *identified_row(JsonNode *document);
static bool reads_retyped(const char *sql, const JsonNode *before, const JsonNode *after);
static char *condition(const TableDefinition *table, bool edits);
static void check_source_right(JsonNode *document);
static void create_policies(const TableDefinition *table);
static int	drop_policies(Oid relid);
static char *name_of(Oid relid);
static bool has_policies(Oid relid);
static bool is_secured(Oid relid);

/*
 * Check the formulas of a definition that is about to be stored: whatever is wrong is
 * raised with its path.  In a restore only their syntax is.
 */
void
sigma_row_security_check(JsonNode *document, bool restoring)
{
	static const char *const keys[] = {"row_filter", "row_edit"};
	int			i;

	for (i = 0; i < lengthof(keys); i++)
	{
		const JsonNode *formula = sigma_row_formula(document, keys[i]);

		if (formula == NULL)
			continue;
		if (restoring)
			(void) sigma_formula_parse_at(sigma_json_path(formula), formula->string);
		else
			(void) compile_row(row_of(document), formula, "", true);
	}
	if (!restoring && sigma_is_linked(document))
		check_source_right(document);
}

/*
 * 42501 where a row filter of a linked table reads linked columns and the owner of schema
 * sigds, whose view the published entries are, may not select them.
 */
static void
check_source_right(JsonNode *document)
{
	const JsonNode *filter = sigma_row_formula(document, "row_filter");
	LinkedSource source;

	if (filter == NULL || !sigma_linked_source(document, &source) ||
		!sigma_linked_filter_reads_source(sigma_definition_read(document), false) ||
		pg_class_aclcheck(source.published, sigma_sigds_owner(), ACL_SELECT) == ACLCHECK_OK)
		return;
	sigma_document_error(filter, ERRCODE_INSUFFICIENT_PRIVILEGE,
						 psprintf("Grant role \"%s\" SELECT on it, or filter by the key and entry columns.",
								  GetUserNameFromId(sigma_sigds_owner(), false)),
						 "the owner of schema \"sigds\" may not read the source \"%s\"", get_rel_name(source.published));
}

/*
 * Do the formulas of two definitions say the same of every row that is there?  Columns
 * are compared by identity and computed ones by their formulas, so that a renamed
 * column is the same and another one of its name is not; where a column that is read
 * changes its type, values may change.
 */
bool
sigma_row_security_same(JsonNode *before, JsonNode *after)
{
	static const char *const keys[] = {"row_filter", "row_edit"};
	int			i;

	for (i = 0; i < lengthof(keys); i++)
	{
		const JsonNode *old = sigma_row_formula(before, keys[i]);
		const JsonNode *new = sigma_row_formula(after, keys[i]);
		char	   *sql;

		if (old == NULL && new == NULL)
			continue;
		if (old == NULL || new == NULL)
			return false;
		sql = compile_row(identified_row(before), old, "", false);
		if (strcmp(sql, compile_row(identified_row(after), new, "", false)) != 0 ||
			reads_retyped(sql, before, after))
			return false;
	}
	return true;
}

/* Must the policies be made anew, because they or the columns that they read change? */
bool
sigma_row_security_touched(const TableChange *change)
{
	const JsonNode *before = change->before->document;
	const JsonNode *after = change->after->document;

	if (!sigma_definition_same(sigma_row_formula(before, "row_filter"), sigma_row_formula(after, "row_filter")) ||
		!sigma_definition_same(sigma_row_formula(before, "row_edit"), sigma_row_formula(after, "row_edit")))
		return true;
	return change->alters && sigma_row_secured(change->before);
}

/* Does the definition say that not everybody sees or changes every row? */
bool
sigma_row_secured(const TableDefinition *table)
{
	return sigma_row_formula(table->document, "row_filter") != NULL || sigma_row_formula(table->document, "row_edit") != NULL;
}

/* Drop the policies that sigma made; row security goes off unless somebody else made some too. */
void
sigma_row_security_drop(const char *id, Oid relid)
{
	bool		entries = strcmp(get_rel_name(relid), sigma_entry_table_name(id)) == 0;
	OwnerScope	scope;

	SPI_connect();
	sigma_ddl_begin(&scope);
	/* those of entries may have gone with the views */
	if ((drop_policies(relid) > 0 || entries) && is_secured(relid) && !has_policies(relid))
		sigma_ddl_run("ALTER TABLE %s DISABLE ROW LEVEL SECURITY", name_of(relid));
	sigma_owner_end(&scope);
	SPI_finish();
}

/*
 * Make the policies that the definition asks for; there are none of ours.  Those of a
 * linked table may read its source: they come and go with its views, and while there are
 * none, nobody whom row security applies to sees or writes an entry.
 */
void
sigma_row_security_create(const TableDefinition *table)
{
	OwnerScope	scope;

	if (!sigma_row_secured(table))
		return;
	SPI_connect();
	sigma_ddl_begin(&scope);
	if (table->nkey == 0)
		create_policies(table);
	sigma_ddl_run("ALTER TABLE %s ENABLE ROW LEVEL SECURITY", sigma_ddl_name(table->relation));
	sigma_owner_end(&scope);
	SPI_finish();
	CommandCounterIncrement();
}

/* A linked table's views are about to go: so do the policies of its entries.  Within sigma_ddl_begin. */
void
sigma_row_security_suspend(const char *id)
{
	Oid			relid = get_relname_relid(sigma_entry_table_name(id), sigma_sigds_namespace());

	if (OidIsValid(relid))
		(void) drop_policies(relid);
}

/* They are there: make the policies.  Likewise. */
void
sigma_row_security_resume(const TableDefinition *table)
{
	if (sigma_row_secured(table))
		create_policies(table);
}

/* The four policies. */
static void
create_policies(const TableDefinition *table)
{
	char	   *name = sigma_ddl_name(table->relation);
	int			i;

	for (i = 0; i < lengthof(policies); i++)
	{
		const DataPolicy *policy = &policies[i];
		char	   *sql = condition(table, policy->edits);

		sigma_ddl_run("CREATE POLICY %s ON %s FOR %s%s%s", policy->name, name, policy->command,
					  policy->uses ? psprintf(" USING (%s)", sql) : "",
					  policy->checks ? psprintf(" WITH CHECK (%s)", sql) : "");
	}
}

/* Drop the ones that are there; returns how many. */
static int
drop_policies(Oid relid)
{
	int			dropped = 0;
	int			i;

	for (i = 0; i < lengthof(policies); i++)
	{
		if (!OidIsValid(get_relation_policy_oid(relid, policies[i].name, true)))
			continue;
		sigma_ddl_run("DROP POLICY %s ON %s", policies[i].name, name_of(relid));
		dropped++;
	}
	return dropped;
}

/* A relation of schema sigds, for SQL. */
static char *
name_of(Oid relid)
{
	return sigma_ddl_name(get_rel_name(relid));
}

/*
 * The filter of a table as SQL over the rows "alias" of its view, or NULL where all rows
 * may be seen.  In the current context.
 */
char *
sigma_row_filter_sql(const TableDefinition *table, const char *alias)
{
	char	   *sql = sigma_row_condition(table->document, row_of(table->document), alias, false);

	if (sql == NULL || table->nkey == 0 || !sigma_linked_filter_reads_entries(table))
		return sql;
	return psprintf("(%s) AND %s.sigma_created_at IS NOT NULL", sql, alias);
}

/* Has the data table of that input table row security, by its definition or by hand? */
bool
sigma_row_security_on(const char *id)
{
	Oid			relid = sigma_rows_oid(id);

	return OidIsValid(relid) && is_secured(relid);
}

/* Are the policies of the relation those that its definition asks for, and no others? */
bool
sigma_row_security_is_own(Oid relid)
{
	Relation	rel = table_open(PolicyRelationId, AccessShareLock);
	bool		foreign = false;
	bool		sees = false;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			i;

	ScanKeyInit(&key, Anum_pg_policy_polrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, PolicyPolrelidPolnameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		const char *name = NameStr(((Form_pg_policy) GETSTRUCT(tuple))->polname);

		for (i = 0; i < lengthof(policies) && strcmp(policies[i].name, name) != 0; i++)
			;
		foreign = foreign || i == lengthof(policies);
		sees = sees || strcmp(name, "sigma_see") == 0;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return sees && !foreign;
}

/*
 * The policies that the table's rows should have and have not, as a List of names.  Those
 * of a linked table are there while its views are.
 */
List *
sigma_row_security_missing(const TableDefinition *table, Oid relid)
{
	List	   *missing = NIL;
	int			i;

	if (!sigma_row_secured(table) || (table->nkey > 0 && !sigma_linked_views_whole(table->id)))
		return NIL;
	for (i = 0; i < lengthof(policies); i++)
		if (!OidIsValid(get_relation_policy_oid(relid, policies[i].name, true)))
			missing = lappend(missing, unconstify(char *, policies[i].name));
	return missing;
}

/* A formula of governance_config, or NULL. */
const JsonNode *
sigma_row_formula(const JsonNode *document, const char *key)
{
	const JsonNode *governance = sigma_json_get(document, "governance_config");
	const JsonNode *formula;

	if (governance == NULL || governance->kind != JSON_OBJECT)
		return NULL;
	formula = sigma_json_get(governance, key);
	return formula != NULL && formula->kind == JSON_STRING ? formula : NULL;
}

/* The row that filters see. */
static FormulaRelation *
row_of(JsonNode *document)
{
	return sigma_is_linked(document) ? sigma_linked_row(document, false) : sigma_definition_row(document, false);
}

/* A formula as a condition over one row of the table. */
static char *
compile_row(FormulaRelation *row, const JsonNode *formula, const char *alias, bool saving)
{
	FormulaScope scope = {0};

	scope.place = "a row filter";
	scope.row = row;
	scope.alias = alias;
	scope.stored = true;
	scope.saving = saving;
	return sigma_formula_compile_at(sigma_json_path(formula), formula->string, &scope, TYPE_LOGICAL)->sql;
}

/* The row of a definition with each column's identity in the place of its name in SQL. */
static FormulaRelation *
identified_row(JsonNode *document)
{
	FormulaRelation *row = row_of(document);
	JsonNode   *columns = sigma_json_get(document, "columns");
	int			i;

	for (i = 0; i < columns->count && i < row->ncolumns; i++)
		if (row->columns[i].attribute != NULL)
			row->columns[i].attribute = quote_identifier(psprintf("column %s",
																  sigma_json_get_string(columns->items[i], "id", "")));
	return row;
}

/* Does SQL over identities read a column whose type changes? */
static bool
reads_retyped(const char *sql, const JsonNode *before, const JsonNode *after)
{
	const JsonNode *old = sigma_json_get(before, "columns");
	const JsonNode *new = sigma_json_get(after, "columns");
	int			i;
	int			j;

	for (i = 0; i < old->count; i++)
		for (j = 0; j < new->count; j++)
		{
			const char *id = sigma_json_get_string(old->items[i], "id", "");

			if (strcmp(id, sigma_json_get_string(new->items[j], "id", "")) == 0 &&
				!sigma_definition_same(sigma_json_get(old->items[i], "type"), sigma_json_get(new->items[j], "type")) &&
				strstr(sql, quote_identifier(psprintf("column %s", id))) != NULL)
				return true;
		}
	return false;
}

/* What a row of the data table must satisfy to be seen, or to be edited. */
static char *
condition(const TableDefinition *table, bool edits)
{
	char	   *sql = sigma_row_data_condition(table, quote_identifier(table->relation), edits);

	return sql == NULL ? "true" : sql;
}

/*
 * The row filter over rows "alias" of the data table itself, which for a linked table
 * holds the entries, and row_edit where "edits"; NULL where there is none.  In the current
 * context.
 */
char *
sigma_row_data_condition(const TableDefinition *table, const char *alias, bool edits)
{
	LinkedSource source = {InvalidOid, InvalidOid};

	if (table->nkey == 0)
		return sigma_row_condition(table->document, row_of(table->document), alias, edits);
	(void) sigma_linked_source(table->document, &source);
	return sigma_linked_entry_condition(table, source.relid, alias, edits);
}

/*
 * The row filter of a definition, and row_edit where "edits", as SQL over rows "alias";
 * NULL where there is no such formula.  In the current context.
 */
char *
sigma_row_condition(JsonNode *document, FormulaRelation *row, const char *alias, bool edits)
{
	const JsonNode *filter = sigma_row_formula(document, "row_filter");
	const JsonNode *edit = edits ? sigma_row_formula(document, "row_edit") : NULL;

	if (filter == NULL || edit == NULL)
		return filter == NULL && edit == NULL ? NULL : compile_row(row, filter != NULL ? filter : edit, alias, false);
	return psprintf("(%s) AND (%s)", compile_row(row, filter, alias, false), compile_row(row, edit, alias, false));
}

/* Is any policy left on the relation? */
static bool
has_policies(Oid relid)
{
	char	   *sql = psprintf("SELECT pg_catalog.count(*) FROM pg_catalog.pg_policy "
							   "WHERE polrelid OPERATOR(pg_catalog.=) %u", relid);

	return sigma_ddl_number(sql) > 0;
}

/* Is row security on? */
static bool
is_secured(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		secured;

	if (!HeapTupleIsValid(tuple))
		return false;
	secured = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
	ReleaseSysCache(tuple);
	return secured;
}
