/*
 * upkeep.c
 *		The layout's lock, and the statements that the layout itself runs on its table.
 *
 * Whoever changes the shape of the tree holds one transaction-level lock, taken
 * before any row is touched.  The statements here work by the newest snapshot; in
 * REPEATABLE READ and SERIALIZABLE they raise 40001 where they would change a row
 * that the transaction's snapshot does not see as it is, as foreign keys do.
 *
 * Upkeep (levels, children, settings that became ids, subtrees of deleted elements)
 * is fixed text run as the table's owner, and leaves stamps alone.  Inserting nested
 * documents and moving elements is done as the caller, who must have the right.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/cache.h"
#include "common/catalog.h"
#include "common/session.h"
#include "common/spi.h"
#include "layout/layout.h"

#define WRITE_ROWS_SQL \
	"UPDATE sigma.sigma_layout_elements AS e" \
	" SET children = CASE WHEN l.rewrite THEN l.children ELSE e.children END, nesting_level = l.level" \
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4))" \
	" AS l(id, children, rewrite, level)" \
	" WHERE e.id OPERATOR(pg_catalog.=) l.id"
#define WRITE_CONFIG_SQL \
	"UPDATE sigma.sigma_layout_elements AS e SET config = l.config" \
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS l(id, config)" \
	" WHERE e.id OPERATOR(pg_catalog.=) l.id"
#define DELETE_ROWS_SQL \
	"DELETE FROM sigma.sigma_layout_elements WHERE id OPERATOR(pg_catalog.=) ANY ($1)"
#define INSERT_SQL \
	"INSERT INTO sigma.sigma_layout_elements (id, type, parent_id, \"position\", name, metadata, config)" \
	" SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)," \
	" pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6), pg_catalog.unnest($7))"
#define REPLACE_SQL INSERT_SQL \
	" ON CONFLICT (id) DO UPDATE SET type = excluded.type, parent_id = excluded.parent_id," \
	" \"position\" = excluded.\"position\", name = excluded.name, metadata = excluded.metadata, config = excluded.config"
#define MOVE_SQL \
	"UPDATE sigma.sigma_layout_elements AS e SET parent_id = l.parent_id, \"position\" = l.place" \
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS l(id, parent_id, place)" \
	" WHERE e.id OPERATOR(pg_catalog.=) l.id" \
	" AND ((e.parent_id IS NULL) OPERATOR(pg_catalog.<>) (l.parent_id IS NULL)" \
	" OR e.parent_id::pg_catalog.text OPERATOR(pg_catalog.<>) l.parent_id" \
	" OR e.\"position\" IS NULL OR e.\"position\" OPERATOR(pg_catalog.<>) l.place)"

/* Apart from the one- and two-key locks that users take. */
#define LAYOUT_LOCK_SPACE	0x5347

static int	upkeep_depth = 0;	/* statements of ours that are running */

static void execute_latest(SPIPlanPtr *plan, const char *sql, int nargs, const Oid *types,
						   Datum *values, int expected);
static void execute_upkeep(Relation rel, SPIPlanPtr *plan, const char *sql, int nargs,
						   const Oid *types, Datum *values, int expected);
static ArrayType *json_array(List *nodes);
static Datum member_array(List *documents, const char *key);

/* Take the lock on the shape of the layout until the transaction ends. */
void
sigma_layout_lock(void)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, sigma_relation_oid(LAYOUT_TABLE), 0, LAYOUT_LOCK_SPACE);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

bool
sigma_layout_upkeep(void)
{
	return upkeep_depth > 0;
}

/* Set nesting_level, and children where "rewrite" says so. */
void
sigma_layout_write_rows(Relation rel, ArrayType *ids, ArrayType *children, ArrayType *rewrite, ArrayType *levels)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTARRAYOID, JSONBARRAYOID, BOOLARRAYOID, INT4ARRAYOID};
	Datum		values[] = {PointerGetDatum(ids), PointerGetDatum(children),
	PointerGetDatum(rewrite), PointerGetDatum(levels)};

	execute_upkeep(rel, &plan, WRITE_ROWS_SQL, lengthof(types), types, values, SPI_OK_UPDATE);
}

/* Set the settings of elements. */
void
sigma_layout_write_config(Relation rel, ArrayType *ids, ArrayType *configs)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTARRAYOID, JSONBARRAYOID};
	Datum		values[] = {PointerGetDatum(ids), PointerGetDatum(configs)};

	execute_upkeep(rel, &plan, WRITE_CONFIG_SQL, lengthof(types), types, values, SPI_OK_UPDATE);
}

/* Delete elements, without their subtrees. */
void
sigma_layout_delete_rows(Relation rel, ArrayType *ids)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTARRAYOID};
	Datum		values[] = {PointerGetDatum(ids)};

	execute_upkeep(rel, &plan, DELETE_ROWS_SQL, lengthof(types), types, values, SPI_OK_DELETE);
}

/* Insert documents as the caller, in one statement, or replace those that are there.  The triggers do the rest. */
void
sigma_layout_insert(List *documents, bool replace)
{
	static SPIPlanPtr insert_plan = NULL;
	static SPIPlanPtr replace_plan = NULL;
	static const Oid types[] = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID,
	TEXTARRAYOID, JSONBARRAYOID, JSONBARRAYOID};
	static const char *const members[] = {"id", "type", "parent_id", "position", "name", "metadata"};
	Datum		values[lengthof(types)];
	int			i;
	ListCell   *cell;

	if (documents == NIL)
		return;
	for (i = 0; i < lengthof(members); i++)
	{
		values[i] = member_array(documents, members[i]);
		foreach(cell, documents)
			(void) sigma_json_remove(lfirst(cell), members[i]);
	}
	values[i] = PointerGetDatum(json_array(documents));
	SPI_connect();
	if (replace)
		execute_latest(&replace_plan, REPLACE_SQL, lengthof(types), types, values, SPI_OK_INSERT);
	else
		execute_latest(&insert_plan, INSERT_SQL, lengthof(types), types, values, SPI_OK_INSERT);
	SPI_finish();
}

/* Put elements under parents, as the caller, in one statement; those that are there stay untouched. */
void
sigma_layout_move(List *placements)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID};
	int			count = list_length(placements);
	Datum	   *ids = palloc(sizeof(Datum) * Max(count, 1));
	Datum	   *parents = palloc0(sizeof(Datum) * Max(count, 1));
	Datum	   *places = palloc(sizeof(Datum) * Max(count, 1));
	bool	   *roots = palloc(sizeof(bool) * Max(count, 1));
	int			dims[1] = {count};
	int			lower[1] = {1};
	Datum		values[lengthof(types)];
	ListCell   *cell;

	if (count == 0)
		return;
	foreach(cell, placements)
	{
		Placement  *placement = lfirst(cell);
		int			i = foreach_current_index(cell);

		ids[i] = CStringGetTextDatum(placement->id);
		roots[i] = placement->parent_id == NULL;
		if (!roots[i])
			parents[i] = CStringGetTextDatum(placement->parent_id);
		places[i] = Int32GetDatum(placement->position);
	}
	values[0] = PointerGetDatum(construct_array(ids, count, TEXTOID, -1, false, TYPALIGN_INT));
	values[1] = PointerGetDatum(construct_md_array(parents, roots, 1, dims, lower, TEXTOID, -1, false, TYPALIGN_INT));
	values[2] = PointerGetDatum(construct_array(places, count, INT4OID, 4, true, TYPALIGN_INT));
	SPI_connect();
	execute_latest(&plan, MOVE_SQL, lengthof(types), types, values, SPI_OK_UPDATE);
	SPI_finish();
}

/* Sequences that are compiled may target an element that is gone or of another type now: compile them again. */
void
sigma_layout_targets_changed(void)
{
	sigma_cache_send(sigma_relation_oid("sigma_action_sequences"));
}

/* A List of C strings as text[]. */
ArrayType *
sigma_text_array(List *strings)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(list_length(strings), 1));
	ListCell   *cell;

	foreach(cell, strings)
		values[foreach_current_index(cell)] = CStringGetTextDatum(lfirst(cell));
	return construct_array(values, list_length(strings), TEXTOID, -1, false, TYPALIGN_INT);
}

/*
 * Run a fixed text by the newest snapshot.  It reaches rows by their ids alone, and a
 * plan made while the table was small must not become a scan of a large one: the
 * planner is left no other way than the index.
 */
static void
execute_latest(SPIPlanPtr *plan, const char *sql, int nargs, const Oid *types, Datum *values, int expected)
{
	static const char *const settings[][2] = {
		{"enable_seqscan", "off"}, {"enable_hashjoin", "off"}, {"enable_mergejoin", "off"},
		{"plan_cache_mode", "force_generic_plan"}
	};
	int			nest_level = NewGUCNestLevel();
	Snapshot	snapshot = InvalidSnapshot;
	Snapshot	crosscheck = InvalidSnapshot;
	int			code;
	int			i;

	for (i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	if (IsolationUsesXactSnapshot())
	{
		CommandCounterIncrement();
		snapshot = GetLatestSnapshot();
		crosscheck = GetTransactionSnapshot();
	}
	code = SPI_execute_snapshot(sigma_spi_plan(plan, sql, nargs, types), values, NULL,
								snapshot, crosscheck, false, true, 0);
	if (code != expected)
		elog(ERROR, "SPI_execute_snapshot returned %s", SPI_result_code_string(code));
	AtEOXact_GUC(true, nest_level);
}

/* The same as the table's owner, marked as sigma's own work. */
static void
execute_upkeep(Relation rel, SPIPlanPtr *plan, const char *sql, int nargs, const Oid *types,
			   Datum *values, int expected)
{
	SessionOrigin origin = sigma_session.origin;
	OwnerScope	scope;

	SPI_connect();
	sigma_owner_begin(&scope, rel->rd_rel->relowner);
	sigma_session.origin = ORIGIN_SYSTEM;
	upkeep_depth++;
	PG_TRY();
	{
		execute_latest(plan, sql, nargs, types, values, expected);
	}
	PG_FINALLY();
	{
		upkeep_depth--;
		sigma_session.origin = origin;
	}
	PG_END_TRY();
	sigma_owner_end(&scope);
	SPI_finish();
}

/* Trees as jsonb[]. */
static ArrayType *
json_array(List *nodes)
{
	Datum	   *values = palloc(sizeof(Datum) * list_length(nodes));
	ListCell   *cell;

	foreach(cell, nodes)
		values[foreach_current_index(cell)] = JsonbPGetDatum(sigma_json_write(lfirst(cell)));
	return construct_array(values, list_length(nodes), JSONBOID, -1, false, TYPALIGN_INT);
}

/* One member of each document as the array of its column's type. */
static Datum
member_array(List *documents, const char *key)
{
	int			count = list_length(documents);
	bool		is_number = strcmp(key, "position") == 0;
	bool		is_json = strcmp(key, "metadata") == 0;
	Datum	   *values = palloc0(sizeof(Datum) * count);
	bool	   *nulls = palloc0(sizeof(bool) * count);
	int			dims[1] = {count};
	int			lower[1] = {1};
	ListCell   *cell;

	foreach(cell, documents)
	{
		JsonNode   *node = sigma_json_get(lfirst(cell), key);
		int			i = foreach_current_index(cell);

		if (node == NULL || node->kind == JSON_NULL)
			nulls[i] = true;
		else if (is_json)
			values[i] = JsonbPGetDatum(sigma_json_write(node));
		else if (node->kind != (is_number ? JSON_NUMBER : JSON_STRING))
			sigma_document_error(node, 0, NULL, "\"%s\" must be a %s, not %s", key,
								 is_number ? "number" : "string", sigma_json_kind_name(node));
		else if (is_number)
			values[i] = DirectFunctionCall1(numeric_int4, NumericGetDatum(node->number));
		else
			values[i] = CStringGetTextDatum(node->string);
	}
	return PointerGetDatum(is_number ?
						   construct_md_array(values, nulls, 1, dims, lower, INT4OID, 4, true, TYPALIGN_INT) :
						   construct_md_array(values, nulls, 1, dims, lower, is_json ? JSONBOID : TEXTOID,
											  -1, false, TYPALIGN_INT));
}
