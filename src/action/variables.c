/*
 * variables.c
 *		Declared variables and controls: their definitions and stored values.
 *
 * Definitions are cached as one set per backend.  It is replaced as a whole
 * after a message that sigma_variables changed, which a statement trigger sends
 * for definition columns alone: a set that is in use dies with the transaction.
 * Values are never cached.  One that all users share stands in the variable's
 * row, one per app user in sigma_variable_values; a variable of scope session
 * has none.
 *
 * Definitions and values are read without looking at rights, because a run reads
 * them for roles that need none on the catalog.  Writes go through SPI as the caller.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "action/compare.h"
#include "action/context.h"
#include "common/cache.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/spi.h"
#include "common/value.h"

#define VARIABLES "sigma_variables"
#define USER_VALUES "sigma_variable_values"

/* All definitions, read-only. */
typedef struct VariableSet
{
	MemoryContext cxt;			/* holds this struct and everything in it */
	int			count;
	Variable   *by_id;			/* sorted by id */
	const Variable **by_name;	/* those that have a name, sorted by name, then id */
	int			named;
} VariableSet;

/* In the order of VariableType and VariableScope; end with NULL for hints. */
const char *const sigma_variable_types[] = {
	"text", "number", "date", "logical", "list", "number_range", "date_range", NULL
};
const char *const sigma_variable_scopes[] = {"session", "user", "workbook", NULL};

static const char *const number_ends[] = {"min", "max"};
static const char *const date_ends[] = {"start", "end"};

static VariableSet *cached = NULL;
static bool cache_valid = false;
static uint64 cache_generation = 0; /* counts messages */
static Oid	variables_relid = InvalidOid;

static void hear_change(Oid relid);
static VariableSet *read_definitions(void);
static void sort_definitions(VariableSet *set);
static bool read_definition(HeapTuple row, TupleDesc desc, Variable *variable);
static char *text_column(HeapTuple row, TupleDesc desc, const char *name);
static Jsonb *jsonb_column(HeapTuple row, TupleDesc desc, const char *name);
static int	order_by_id(const void *a, const void *b);
static int	order_by_name(const void *a, const void *b);
static Jsonb *read_value(const char *table, int nkeys, const char *const *keys);
static bool fits_range(const JsonbValue *value, const char *const *ends, ColumnType type, const char **why);
static bool fits_list(const JsonbValue *value, const char **why);
static bool fits_moment(const JsonbValue *value, Datum *moment);

const Variable *
sigma_variable(const char *id_or_name)
{
	VariableSet *set;
	Variable	key;
	const Variable *key_pointer = &key;
	const Variable **found;
	const Variable *variable;

	AcceptInvalidationMessages();
	if (!cache_valid)
		(void) read_definitions();
	set = cached;
	if (set->count == 0)
		return NULL;

	key.id = id_or_name;
	variable = bsearch(&key, set->by_id, set->count, sizeof(Variable), order_by_id);
	if (variable != NULL || set->named == 0)
		return variable;

	key.name = id_or_name;
	key.id = NULL;				/* any */
	found = (const Variable **) bsearch(&key_pointer, set->by_name, set->named, sizeof(Variable *), order_by_name);
	while (found != NULL && found > set->by_name && strcmp(found[-1]->name, id_or_name) == 0)
		found--;
	return found == NULL ? NULL : *found;
}

const char *
sigma_variable_type_name(VariableType type)
{
	return sigma_variable_types[type];
}

int
sigma_variable_word(const char *const *words, const char *word)
{
	int			i;

	for (i = 0; words[i] != NULL; i++)
		if (word != NULL && strcmp(words[i], word) == 0)
			return i;
	return -1;
}

/* A stored value that no longer fits its type counts as none. */
bool
sigma_variable_read(const Variable *variable, const char *app_user, JsonbValue *value)
{
	Jsonb	   *stored = NULL;
	const char *keys[2];
	const char *why;

	keys[0] = variable->id;
	if (variable->scope == SCOPE_WORKBOOK)
		stored = read_value(VARIABLES, 1, keys);
	else if (variable->scope == SCOPE_USER)
	{
		keys[1] = app_user != NULL ? app_user : sigma_app_user();
		stored = read_value(USER_VALUES, 2, keys);
	}
	if (stored != NULL)
	{
		sigma_jsonb_to_value(stored, value);
		if (sigma_variable_fits(variable->type, value, &why))
			return true;
	}
	value->type = jbvNull;
	if (variable->default_value != NULL)
		sigma_jsonb_to_value(variable->default_value, value);
	return variable->default_value != NULL;
}

void
sigma_variable_write(const Variable *variable, const char *app_user, const JsonbValue *value)
{
	static SPIPlanPtr update_plan = NULL;
	static SPIPlanPtr upsert_plan = NULL;
	static SPIPlanPtr forget_plan = NULL;
	const Oid	types[] = {TEXTOID, JSONBOID, TEXTOID};
	const Oid	forget_types[] = {TEXTOID, TEXTOID};
	Datum		values[3];
	char		nulls[] = "   ";
	bool		is_user = variable->scope == SCOPE_USER;
	uint64		found;

	if (variable->scope == SCOPE_SESSION)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("variable \"%s\" has scope session: its value is not stored", variable->id),
				 errhint("Pass it in the context of a run, or give the variable the scope user or workbook.")));

	values[0] = CStringGetTextDatum(variable->id);
	values[1] = value == NULL ? (Datum) 0 : JsonbPGetDatum(sigma_jsonb_from_value(value));
	nulls[1] = value == NULL ? 'n' : ' ';
	if (is_user)
		values[2] = CStringGetTextDatum(app_user != NULL ? app_user : sigma_app_user());

	SPI_connect();
	if (!is_user)
		sigma_spi_execute(sigma_spi_plan(&update_plan,
										 "UPDATE sigma." VARIABLES " SET value = $2"
										 " WHERE id OPERATOR(pg_catalog.=) $1", 2, types),
						  values, nulls, false, SPI_OK_UPDATE);
	else if (value != NULL)
		sigma_spi_execute(sigma_spi_plan(&upsert_plan,
										 "INSERT INTO sigma." USER_VALUES " (variable_id, value, user_id)"
										 " VALUES ($1, $2, $3) ON CONFLICT (variable_id, user_id)"
										 " DO UPDATE SET value = EXCLUDED.value", 3, types),
						  values, nulls, false, SPI_OK_INSERT);
	else
	{
		values[1] = values[2];
		sigma_spi_execute(sigma_spi_plan(&forget_plan,
										 "DELETE FROM sigma." USER_VALUES
										 " WHERE variable_id OPERATOR(pg_catalog.=) $1"
										 " AND user_id OPERATOR(pg_catalog.=) $2", 2, forget_types),
						  values, NULL, false, SPI_OK_DELETE);
	}
	found = SPI_processed;
	SPI_finish();
	if (found == 0 && !is_user)
		sigma_catalog_not_found(DOCUMENT_VARIABLE, variable->id);
}

bool
sigma_variable_fits(VariableType type, const JsonbValue *value, const char **why)
{
	Datum		moment;

	if (value->type == jbvNull)
		return true;
	switch (type)
	{
		case VARIABLE_TEXT:
			*why = "is not text";
			return value->type == jbvString;
		case VARIABLE_NUMBER:
			*why = "is not a number";
			return value->type == jbvNumeric;
		case VARIABLE_DATE:
			*why = "is not a date";
			return fits_moment(value, &moment);
		case VARIABLE_LOGICAL:
			*why = "is not true or false";
			return value->type == jbvBool;
		case VARIABLE_LIST:
			return fits_list(value, why);
		case VARIABLE_NUMBER_RANGE:
			*why = "is not a range of numbers {\"min\", \"max\"}";
			return fits_range(value, number_ends, COLUMN_NUMBER, why);
		case VARIABLE_DATE_RANGE:
			*why = "is not a range of dates {\"start\", \"end\"}";
			return fits_range(value, date_ends, COLUMN_DATETIME, why);
	}
	pg_unreachable();
}

/* A list holds texts, numbers, booleans and nulls. */
static bool
fits_list(const JsonbValue *value, const char **why)
{
	JsonbIterator *iterator;
	JsonbValue	element;

	*why = "is not a list";
	if (!sigma_jsonb_is_list(value))
		return false;
	*why = "is a list with elements that are lists or objects";
	iterator = JsonbIteratorInit(value->val.binary.data);
	(void) JsonbIteratorNext(&iterator, &element, true);
	while (JsonbIteratorNext(&iterator, &element, true) == WJB_ELEM)
		if (element.type == jbvBinary)
			return false;
	return true;
}

/* A range has one or two ends, each of which may be null: open; the lower one is not above the upper. */
static bool
fits_range(const JsonbValue *value, const char *const *ends, ColumnType type, const char **why)
{
	JsonbIterator *iterator;
	JsonbValue	key;
	JsonbValue	end;
	Datum		given[2];
	bool		has[2] = {false, false};

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return false;
	iterator = JsonbIteratorInit(value->val.binary.data);
	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		int			i;

		(void) JsonbIteratorNext(&iterator, &end, true);
		for (i = 0; i < 2; i++)
			if (strlen(ends[i]) == key.val.string.len &&
				memcmp(ends[i], key.val.string.val, key.val.string.len) == 0)
				break;
		if (i == 2)
			return false;
		if (end.type == jbvNull)
			continue;
		if (type == COLUMN_NUMBER ? end.type != jbvNumeric : !fits_moment(&end, &given[i]))
			return false;
		if (type == COLUMN_NUMBER)
			given[i] = NumericGetDatum(end.val.numeric);
		has[i] = true;
	}
	*why = "is a range whose lower end is above its upper end";
	return !has[0] || !has[1] ||
		!DatumGetBool(DirectFunctionCall2(type == COLUMN_NUMBER ? numeric_gt : timestamp_gt,
										  given[0], given[1]));
}

/* A date, with or without a time of day, in ISO form. */
static bool
fits_moment(const JsonbValue *value, Datum *moment)
{
	const char *why;

	return value->type == jbvString &&
		sigma_jsonb_is_date(value) &&
		sigma_value_from_text(COLUMN_DATETIME, value->val.string.val, value->val.string.len,
							  &sigma_plain_format, moment, &why);
}

/* Somebody changed a definition, or everything may have changed.  Mark only. */
static void
hear_change(Oid relid)
{
	if (OidIsValid(relid) && relid != variables_relid)
		return;
	cache_valid = false;
	cache_generation++;
}

/* Read all definitions into a new set and make it the cached one. */
static VariableSet *
read_definitions(void)
{
	static bool listening = false;
	MemoryContext cxt;
	MemoryContext old;
	uint64		generation;
	VariableSet *set;
	Relation	rel;
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	row;
	int			capacity = 16;

	if (!listening)
	{
		sigma_cache_listen(hear_change);
		listening = true;
	}
	/* the lock takes in messages: what comes after it counts */
	rel = table_open(sigma_relation_oid(VARIABLES), AccessShareLock);
	variables_relid = RelationGetRelid(rel);
	generation = cache_generation;

	cxt = AllocSetContextCreate(CurrentMemoryContext, "sigma variables", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(cxt);
	set = palloc0(sizeof(VariableSet));
	set->cxt = cxt;
	set->by_id = palloc(sizeof(Variable) * capacity);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	while ((row = systable_getnext(scan)) != NULL)
	{
		if (set->count == capacity)
		{
			capacity *= 2;
			set->by_id = repalloc_huge(set->by_id, sizeof(Variable) * capacity);
		}
		if (read_definition(row, RelationGetDescr(rel), &set->by_id[set->count]))
			set->count++;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	sort_definitions(set);
	MemoryContextSwitchTo(old);

	/* the old set may be in use: it dies with the transaction */
	if (cached != NULL)
		MemoryContextSetParent(cached->cxt, TopTransactionContext);
	MemoryContextSetParent(cxt, CacheMemoryContext);
	cached = set;
	cache_valid = cache_generation == generation;
	return set;
}

/* Sort by id, and those with names by name. */
static void
sort_definitions(VariableSet *set)
{
	int			i;

	qsort(set->by_id, set->count, sizeof(Variable), order_by_id);
	set->by_name = palloc_extended(sizeof(Variable *) * Max(set->count, 1), MCXT_ALLOC_HUGE);
	for (i = 0; i < set->count; i++)
		if (set->by_id[i].name != NULL)
			set->by_name[set->named++] = &set->by_id[i];
	qsort(set->by_name, set->named, sizeof(Variable *), order_by_name);
}

/* One row as a definition.  False where it is none, which only a write past the triggers can leave. */
static bool
read_definition(HeapTuple row, TupleDesc desc, Variable *variable)
{
	char	   *kind = text_column(row, desc, "kind");
	int			type = sigma_variable_word(sigma_variable_types, text_column(row, desc, "type"));
	int			scope = sigma_variable_word(sigma_variable_scopes, text_column(row, desc, "scope"));

	variable->id = text_column(row, desc, "id");
	variable->name = text_column(row, desc, "name");
	variable->is_control = kind != NULL && strcmp(kind, "control") == 0;
	variable->type = (VariableType) type;
	variable->scope = (VariableScope) scope;
	variable->default_value = jsonb_column(row, desc, "default_value");
	return type >= 0 && scope >= 0;
}

/* A text column of a row, or NULL. */
static char *
text_column(HeapTuple row, TupleDesc desc, const char *name)
{
	bool		isnull;
	Datum		value = heap_getattr(row, SPI_fnumber(desc, name), desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* A jsonb column of a row, copied, or NULL. */
static Jsonb *
jsonb_column(HeapTuple row, TupleDesc desc, const char *name)
{
	bool		isnull;
	Datum		value = heap_getattr(row, SPI_fnumber(desc, name), desc, &isnull);

	return isnull ? NULL : DatumGetJsonbPCopy(value);
}

static int
order_by_id(const void *a, const void *b)
{
	return strcmp(((const Variable *) a)->id, ((const Variable *) b)->id);
}

/* By name, then by id; an id that is NULL is equal to all. */
static int
order_by_name(const void *a, const void *b)
{
	const Variable *left = *(const Variable *const *) a;
	const Variable *right = *(const Variable *const *) b;
	int			order = strcmp(left->name, right->name);

	if (order != 0 || left->id == NULL || right->id == NULL)
		return order;
	return strcmp(left->id, right->id);
}

/*
 * Column "value" of the row that the primary key's leading columns name, by the
 * snapshot that a statement started now would have; NULL where it is NULL or
 * there is no row.
 */
static Jsonb *
read_value(const char *table, int nkeys, const char *const *keys)
{
	Relation	rel = table_open(sigma_relation_oid(table), AccessShareLock);
	Oid			index = sigma_relation_oid(psprintf("%s_pkey", table));
	Snapshot	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	ScanKeyData scan_keys[2];
	SysScanDesc scan;
	HeapTuple	row;
	Jsonb	   *value;
	int			i;

	for (i = 0; i < nkeys; i++)
		ScanKeyEntryInitialize(&scan_keys[i], 0, i + 1, BTEqualStrategyNumber, TEXTOID,
							   DEFAULT_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(keys[i]));
	scan = systable_beginscan(rel, index, true, snapshot, nkeys, scan_keys);
	row = systable_getnext(scan);
	value = row == NULL ? NULL : jsonb_column(row, RelationGetDescr(rel), "value");
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return value;
}
