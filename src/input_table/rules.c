/*
 * rules.c
 *		Compiled input tables: one slot per data table, filled at first use.
 *
 * A set lives in a memory context of its own below CacheMemoryContext and is
 * replaced, never edited, after an invalidation.  The replaced one dies with the
 * transaction: callers may hold a set until transaction end, not across COMMIT.
 *
 * Whoever changes a definition holds SHARE ROW EXCLUSIVE on the data table, so no
 * writer's transaction sees two sets.  The catalog is a plain table, which sends no
 * messages of its own: sigma.invalidate_input_table() does, for the data table.
 * That a relation is no data table is remembered too; sets of dropped tables go when
 * the next one is compiled.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common/cache.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/names.h"
#include "input_table/linked.h"
#include "input_table/rules.h"

#define VALIDATE_TRIGGER "sigma_0_validate"

typedef struct RuleSlot
{
	Oid			relid;			/* hash key, must be first */
	bool		valid;			/* cleared by an invalidation, set last */
	uint64		generation;		/* counts invalidations */
	InputTable *table;			/* NULL: no data table */
} RuleSlot;

static HTAB *slots = NULL;

static RuleSlot *find_slot(Oid relid);
static void invalidate(Oid relid);
static void retire_stale(void);
static bool has_sequence(const InputTable *table);
static InputTable *build(Oid relid);
static InputTable *compile(JsonNode *definition, const char *id, Relation rel, MemoryContext cxt);
static void find_log(InputTable *table, const JsonNode *definition);
static char *read_trigger_id(Relation rel);
static void attach(InputTable *table, Relation rel);
static AttrNumber find_column(Relation rel, const char *name, Oid type);
static bool same_name(const char *a, const char *b);

PG_FUNCTION_INFO_V1(invalidate_input_table);

/* The compiled form of a data table's input table; NULL where it has none (any more). */
const InputTable *
sigma_input_table(Oid relid)
{
	const InputTable *table = sigma_data_table_rules(relid);

	return table != NULL && sigma_is_defined(table) ? table : NULL;
}

/*
 * The same by the input table's id.  Raises SG404 where there is none, 42P01 where
 * its data table is missing, 55000 where a part of that is.  The data table is locked ACCESS SHARE.
 */
const InputTable *
sigma_input_table_by_id(const char *id)
{
	Oid			relid = sigma_rows_oid(id);
	const InputTable *table = NULL;

	if (OidIsValid(relid))
	{
		LockRelationOid(relid, AccessShareLock);
		table = sigma_input_table(relid);
	}
	if (table != NULL && strcmp(table->id, id) == 0)
	{
		if (!sigma_is_whole(table))
			sigma_refuse_broken(relid);
		return table;
	}
	if (!sigma_catalog_exists(DOCUMENT_INPUT_TABLE, id))
		sigma_catalog_not_found(DOCUMENT_INPUT_TABLE, id);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("the data table of input table \"%s\" is missing", id),
			 errdetail("There should be a table sigds.%s with trigger \"%s\".",
					   quote_identifier(sigma_rows_name(id)), VALIDATE_TRIGGER)));
}

/*
 * The compiled form of any relation with the validation trigger, or NULL.  One whose
 * definition is gone has neither columns nor limits, just system columns.
 */
const InputTable *
sigma_data_table_rules(Oid relid)
{
	RuleSlot   *slot = find_slot(relid);
	InputTable *table;
	uint64		generation;

	if (slot->valid && has_sequence(slot->table) &&
		(slot->table == NULL || sigma_formula_rules_valid(slot->table)))
		return slot->table;

	slot->valid = false;
	generation = slot->generation;
	table = build(relid);
	slot = find_slot(relid);
	retire_stale();
	slot->table = table;
	if (table != NULL)
		MemoryContextSetParent(table->cxt, CacheMemoryContext);
	slot->valid = slot->generation == generation;	/* changed meanwhile: use it once */
	return table;
}

/* Is there a definition behind it? */
bool
sigma_is_defined(const InputTable *table)
{
	return table->columns != NULL;
}

/* Has the data table all that sigma keeps in it? */
bool
sigma_is_whole(const InputTable *table)
{
	return AttributeNumberIsValid(table->row_id) &&
		AttributeNumberIsValid(table->created_at) && AttributeNumberIsValid(table->updated_at) &&
		AttributeNumberIsValid(table->created_by) && AttributeNumberIsValid(table->updated_by) &&
		OidIsValid(table->row_sequence);
}

/* Raise 55000 for a relation that is no data table, or one that its owner took something away from. */
void
sigma_refuse_broken(Oid relid)
{
	Relation	rel = relation_open(relid, AccessShareLock);

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" is not a whole data table of an input table",
					RelationGetRelationName(rel)),
			 errdetail("Its name, a system column, its row sequence or trigger \"%s\" is not as it was made.",
					   VALIDATE_TRIGGER),
			 errtable(rel)));
}

/* A column by its name: exact, else the only one that matches without case and outer blanks. */
const TableColumn *
sigma_table_column(const InputTable *table, const char *name)
{
	const TableColumn *found = NULL;
	int			i;

	for (i = 0; i < table->ncolumn; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return &table->columns[i];
	for (i = 0; i < table->ncolumn; i++)
		if (same_name(table->columns[i].name, name))
		{
			if (found != NULL)
				return NULL;
			found = &table->columns[i];
		}
	return found;
}

/* Is it a computed column's name?  Exactly, or the same but for case and outer blanks. */
bool
sigma_table_is_computed(const InputTable *table, const char *name)
{
	int			i;

	for (i = 0; i < table->ncomputed; i++)
		if (same_name(table->computed[i], name))
			return true;
	return false;
}

/* Raise 42703 for an unknown column, hinting at the nearest one; SG423 for a computed one. */
void
sigma_column_not_found(const InputTable *table, const char *name)
{
	const char **names = palloc0(sizeof(char *) * (table->ncolumn + 1));
	int			i;

	if (sigma_table_is_computed(table, name))
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_LOCKED),
				 errmsg("column \"%s\" of input table \"%s\" is computed", name, table->name),
				 errhint("Nobody writes it: leave it out.")));
	for (i = 0; i < table->ncolumn; i++)
		names[i] = table->columns[i].name;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("input table \"%s\" has no column \"%s\"", table->id, name),
			 table->ncolumn == 0 ? 0 : errhint("%s", sigma_hint_names(name, names))));
}

/* AFTER ROW on the catalog: tell everybody that a data table's rules changed. */
Datum
invalidate_input_table(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sigma_catalog_trigger(fcinfo, "invalidate_input_table", "sigma_input_tables",
												 TRIGGER_EVENT_ROW | TRIGGER_EVENT_AFTER,
												 CATALOG_INSERT | CATALOG_UPDATE | CATALOG_DELETE);
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	rows[2];
	int			i;

	rows[0] = trigger->tg_trigtuple;
	rows[1] = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : NULL;
	for (i = 0; i < 2 && rows[i] != NULL; i++)
	{
		bool		isnull;
		Datum		id = heap_getattr(rows[i], SPI_fnumber(desc, "id"), desc, &isnull);
		Oid			relid = sigma_rows_oid(TextDatumGetCString(id));

		if (OidIsValid(relid))
			sigma_cache_send(relid);
	}
	return PointerGetDatum(NULL);
}

/* The slot of a relation, made where there is none; the first call listens for changes. */
static RuleSlot *
find_slot(Oid relid)
{
	RuleSlot   *slot;
	bool		found;

	if (slots == NULL)
	{
		HASHCTL		info = {0};

		info.keysize = sizeof(Oid);
		info.entrysize = sizeof(RuleSlot);
		info.hcxt = CacheMemoryContext;
		slots = hash_create("sigma input tables", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		sigma_cache_listen(invalidate);
	}
	slot = hash_search(slots, &relid, HASH_ENTER, &found);
	if (!found)
	{
		slot->valid = false;
		slot->generation = 0;
		slot->table = NULL;
	}
	return slot;
}

/* Runs inside any lock acquisition: mark, nothing else. */
static void
invalidate(Oid relid)
{
	HASH_SEQ_STATUS scan;
	RuleSlot   *slot;

	if (OidIsValid(relid))
	{
		slot = hash_search(slots, &relid, HASH_FIND, NULL);
		if (slot != NULL)
		{
			slot->valid = false;
			slot->generation++;
		}
		return;
	}
	hash_seq_init(&scan, slots);
	while ((slot = hash_seq_search(&scan)) != NULL)
	{
		slot->valid = false;
		slot->generation++;
	}
}

/*
 * Let go of all sets that an invalidation has made stale, also those of tables that
 * were dropped and that nobody will ask for again.  They may be in use: they die with
 * the transaction.
 */
static void
retire_stale(void)
{
	HASH_SEQ_STATUS scan;
	RuleSlot   *slot;

	hash_seq_init(&scan, slots);
	while ((slot = hash_seq_search(&scan)) != NULL)
		if (!slot->valid && slot->table != NULL)
		{
			MemoryContextSetParent(slot->table->cxt, TopTransactionContext);
			slot->table = NULL;
		}
}

/* Is the row sequence still there?  Who drops that of a table sends no message about the table. */
static bool
has_sequence(const InputTable *table)
{
	return table == NULL || !OidIsValid(table->row_sequence) ||
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table->row_sequence));
}

/* Compile one table in a context below the current one: an error leaks nothing. */
static InputTable *
build(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	const char *id = rel == NULL ? NULL : sigma_data_table_id(rel);
	InputTable *table = NULL;

	if (id != NULL)
	{
		MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "sigma rule documents",
													  ALLOCSET_DEFAULT_SIZES);
		MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma input table",
												  ALLOCSET_SMALL_SIZES);
		MemoryContext caller_cxt = MemoryContextSwitchTo(scratch);

		table = compile(sigma_catalog_read(DOCUMENT_INPUT_TABLE, id), id, rel, cxt);
		MemoryContextSwitchTo(caller_cxt);
		MemoryContextDelete(scratch);
	}
	if (rel != NULL)
		relation_close(rel, AccessShareLock);
	return table;
}

/*
 * A data table's input table as it would be with that canonical definition, which has an
 * id; in the current context, for this statement.  Raises what compiling its rules does.
 */
InputTable *
sigma_input_table_compile(JsonNode *definition, Oid relid)
{
	Relation	rel = relation_open(relid, AccessShareLock);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma input table", ALLOCSET_SMALL_SIZES);
	InputTable *table = compile(definition, sigma_json_get_string(definition, "id", ""), rel, cxt);

	relation_close(rel, NoLock);
	return table;
}

/* Compile a definition, or none, into "cxt"; leaves garbage in the current context. */
static InputTable *
compile(JsonNode *definition, const char *id, Relation rel, MemoryContext cxt)
{
	bool		linked = definition != NULL && sigma_is_linked(definition);
	MemoryContext caller;
	InputTable *table;

	if (linked)
		definition = sigma_linked_document(definition);
	caller = MemoryContextSwitchTo(cxt);
	table = palloc0(sizeof(InputTable));
	table->nlinked = linked ? list_length(sigma_linked_keys(definition)) : 0;
	table->cxt = cxt;
	table->relid = RelationGetRelid(rel);
	table->id = table->name = pstrdup(id);
	table->permission = MODE_PUBLISHED;
	table->allow_bulk = true;
	if (definition != NULL)
	{
		sigma_rules_compile(table, definition);
		find_log(table, definition);
	}
	attach(table, rel);
	MemoryContextSwitchTo(caller);
	if (definition != NULL)
		sigma_formula_rules_plan(table, definition, rel);
	return table;
}

/* The edit log that the definition asks for; without a relation where there is none. */
static void
find_log(InputTable *table, const JsonNode *definition)
{
	char	   *workbook = sigma_json_get_string(sigma_json_get(definition, "metadata"), "workbook_id", NULL);

	sigma_governance_audit(definition, &table->audit, &table->log.chained);
	table->log.numbers = sigma_relation_oid("sigma_edit_num");
	table->log.instance = sigma_relation_oid("sigma_instance");
	table->log.relid = table->audit ? get_relname_relid(sigma_log_name(table->id), sigma_sigds_namespace()) : InvalidOid;
	table->log.id = table->id;
	table->log.name = table->name;
	table->log.workbook = workbook == NULL ? NULL : pstrdup(workbook);
}

/* The id that the validation trigger carries, where the relation is that id's data table. */
char *
sigma_data_table_id(Relation rel)
{
	char	   *id = rel->rd_rel->relkind == RELKIND_RELATION ? read_trigger_id(rel) : NULL;

	if (id == NULL || RelationGetNamespace(rel) != sigma_sigds_namespace() ||
		strcmp(RelationGetRelationName(rel), sigma_rows_name(id)) != 0)
		return NULL;
	return id;
}

/* The argument of the validation trigger, or NULL.  Looks nothing up: that may rebuild the list of triggers. */
static char *
read_trigger_id(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;
	int			i;

	for (i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (strcmp(trigger->tgname, VALIDATE_TRIGGER) == 0 && trigger->tgnargs == 1)
			return pstrdup(trigger->tgargs[0]);
	}
	return NULL;
}

/* Find the compiled table's columns, sequence and unique indexes. */
static void
attach(InputTable *table, Relation rel)
{
	int			i;

	for (i = 0; i < table->ncolumn; i++)
	{
		TableColumn *column = &table->columns[i];

		column->attnum = find_column(rel, column->name, sigma_column_types[column->type].oid);
	}
	table->row_id = find_column(rel, "sigma_row_id", INT8OID);
	table->created_at = find_column(rel, "sigma_created_at", TIMESTAMPTZOID);
	table->updated_at = find_column(rel, "sigma_updated_at", TIMESTAMPTZOID);
	table->created_by = find_column(rel, "sigma_created_by", TEXTOID);
	table->updated_by = find_column(rel, "sigma_updated_by", TEXTOID);
	table->row_sequence = get_relname_relid(sigma_row_sequence_name(table->id), sigma_sigds_namespace());
	sigma_unique_find_indexes(table, rel);
}

/* A column's number, or 0 where there is none of that name and type. */
static AttrNumber
find_column(Relation rel, const char *name, Oid type)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return att->atttypid == type ? att->attnum : InvalidAttrNumber;
	}
	return InvalidAttrNumber;
}

/* The same but for case and blanks at the ends? */
static bool
same_name(const char *a, const char *b)
{
	char	   *left = str_tolower(a, strlen(a), DEFAULT_COLLATION_OID);
	char	   *right = str_tolower(b, strlen(b), DEFAULT_COLLATION_OID);
	char	   *end;

	while (*left == ' ')
		left++;
	while (*right == ' ')
		right++;
	for (end = left + strlen(left); end > left && end[-1] == ' ';)
		*--end = '\0';
	for (end = right + strlen(right); end > right && end[-1] == ' ';)
		*--end = '\0';
	return strcmp(left, right) == 0;
}
