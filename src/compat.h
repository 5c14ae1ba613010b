/*
 * compat.h
 *		Differences between PostgreSQL 15, 16, 17 and 18: the only place with PG_VERSION_NUM.
 */
#ifndef SIGMA_COMPAT_H
#define SIGMA_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "sigma needs PostgreSQL 15 or newer"
#endif

#include "common/jsonapi.h"
#include "lib/stringinfo.h"
#include "regex/regex.h"
#include "utils/palloc.h"

/* VARSIZE and its kin have a header of their own since 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Behind a function's parameters: it does not return.  18 has only pg_noreturn, which stands in front. */
#if PG_VERSION_NUM >= 180000
#ifdef __GNUC__
#define pg_attribute_noreturn() __attribute__((noreturn))
#else
#define pg_attribute_noreturn()
#endif
#endif

/* A lexer over JSON text, with de-escaped strings so that bad escapes are found. */
static inline JsonLexContext *
sigma_json_lexer(char *json, int length, int encoding)
{
#if PG_VERSION_NUM >= 170000
	return makeJsonLexContextCstringLen(NULL, json, length, encoding, true);
#else
	return makeJsonLexContextCstringLen(json, length, encoding, true);
#endif
}

/*
 * A regular expression that is freed with a memory context.  Before 16 the engine
 * works with malloc, so a callback of the context frees it; since 16 it allocates in
 * the current context.  sigma_regex_made() says that pg_regcomp() succeeded.
 */
#if PG_VERSION_NUM < 160000
typedef struct OwnedRegex
{
	regex_t		regex;			/* must be first */
	bool		made;
	MemoryContextCallback callback;
} OwnedRegex;

static inline void
sigma_regex_free(void *owned)
{
	if (((OwnedRegex *) owned)->made)
		pg_regfree(&((OwnedRegex *) owned)->regex);
}

static inline regex_t *
sigma_regex_new(MemoryContext cxt)
{
	OwnedRegex *owned = (OwnedRegex *) MemoryContextAllocZero(cxt, sizeof(OwnedRegex));

	owned->callback.func = sigma_regex_free;
	owned->callback.arg = owned;
	MemoryContextRegisterResetCallback(cxt, &owned->callback);
	return &owned->regex;
}

static inline void
sigma_regex_made(regex_t *regex)
{
	((OwnedRegex *) regex)->made = true;
}
#else
static inline regex_t *
sigma_regex_new(MemoryContext cxt)
{
	return (regex_t *) MemoryContextAllocZero(cxt, sizeof(regex_t));
}

static inline void
sigma_regex_made(regex_t *regex)
{
}
#endif

/* The columns of a relation that a query selects, offset by FirstLowInvalidHeapAttributeNumber. */
#if PG_VERSION_NUM >= 160000
#include "parser/parse_relation.h"
#define sigma_selected_columns(query, entry) \
	((entry)->perminfoindex == 0 ? NULL : getRTEPermissionInfo((query)->rteperminfos, entry)->selectedCols)
#else
#define sigma_selected_columns(query, entry)	((entry)->selectedCols)
#endif

/* Give a query the rights that its range table needs, as the parser has noted them. */
#if PG_VERSION_NUM >= 160000
#define SIGMA_TAKE_RIGHTS(query, pstate)	((query)->rteperminfos = (pstate)->p_rteperminfos)
#else
#define SIGMA_TAKE_RIGHTS(query, pstate)	((void) 0)
#endif

/* ExecutorRun's parameters, as declared and as passed on. */
#if PG_VERSION_NUM >= 180000
#define EXECUTOR_RUN_PARAMETERS		QueryDesc *query, ScanDirection direction, uint64 count
#define EXECUTOR_RUN_ARGUMENTS		query, direction, count
#else
#define EXECUTOR_RUN_PARAMETERS		QueryDesc *query, ScanDirection direction, uint64 count, bool execute_once
#define EXECUTOR_RUN_ARGUMENTS		query, direction, count, execute_once
#endif

/* Whose rights on which relations a planned statement needs: a list, and what it holds. */
#if PG_VERSION_NUM >= 160000
#define SIGMA_RIGHTS_OF(statement)	((statement)->permInfos)
#define SigmaRights	RTEPermissionInfo
#else
#define SIGMA_RIGHTS_OF(statement)	((statement)->rtable)
#define SigmaRights	RangeTblEntry
#endif

/* The backend's current local transaction id. */
#if PG_VERSION_NUM >= 170000
#define SIGMA_LOCAL_XID		(MyProc->vxid.lxid)
#else
#define SIGMA_LOCAL_XID		(MyProc->lxid)
#endif

/* Begin an index scan without instrumentation. */
#if PG_VERSION_NUM >= 180000
#define sigma_index_beginscan(heap, index, snapshot, nkeys)	index_beginscan(heap, index, snapshot, NULL, nkeys, 0)
#else
#define sigma_index_beginscan(heap, index, snapshot, nkeys)	index_beginscan(heap, index, snapshot, nkeys, 0)
#endif

/* Index entries for a row that was inserted. */
#if PG_VERSION_NUM >= 160000
#define sigma_insert_index_tuples(result, slot, estate) \
	ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL, false)
#else
#define sigma_insert_index_tuples(result, slot, estate) \
	ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL)
#endif

/* Put a handler in front of the one that cancels statements on SIGINT, but in the place of no other one. */
#if PG_VERSION_NUM >= 180000
#define SIGMA_WRAP_CANCEL(handler) \
	do { \
		if (MyBackendType == B_BACKEND) \
			pqsignal(SIGINT, handler); \
	} while (0)
#else
#define SIGMA_WRAP_CANCEL(handler) \
	do { \
		pqsigfunc	before = pqsignal(SIGINT, handler); \
		if (before != StatementCancelHandler) \
			pqsignal(SIGINT, before); \
	} while (0)
#endif

/* What an access method kept between rows that were put into an index is no longer needed. */
#if PG_VERSION_NUM >= 170000
#define sigma_index_insert_cleanup(index, info) index_insert_cleanup(index, info)
#else
#define sigma_index_insert_cleanup(index, info) ((void) 0)
#endif

/* A table's primary key, or InvalidOid. */
#if PG_VERSION_NUM >= 180000
#define sigma_primary_key(rel)	RelationGetPrimaryKeyIndex(rel, false)
#else
#define sigma_primary_key(rel)	RelationGetPrimaryKeyIndex(rel)
#endif

/* A type by its SQL name; *type stays as it is where there is none.  Raises 42601. */
#include "parser/parse_type.h"
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#endif

static inline void
sigma_parse_type(const char *name, Oid *type)
{
	int32		typmod;
#if PG_VERSION_NUM >= 160000
	ErrorSaveContext missing = {T_ErrorSaveContext};

	(void) parseTypeString(name, type, &typmod, (Node *) &missing);
	if (missing.error_occurred)
		*type = InvalidOid;
#else
	parseTypeString(name, type, &typmod, true);
#endif
}

/* Does the role own the relation? */
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_tablespace.h"
#define sigma_owns_relation(relid, role)	object_ownercheck(RelationRelationId, relid, role)
#else
#define sigma_owns_relation(relid, role)	pg_class_ownercheck(relid, role)
#endif

/* The rights on a schema. */
#if PG_VERSION_NUM >= 160000
#define sigma_namespace_aclcheck(oid, role, mode)	object_aclcheck(NamespaceRelationId, oid, role, mode)
#else
#define sigma_namespace_aclcheck(oid, role, mode)	pg_namespace_aclcheck(oid, role, mode)
#endif

/* The rights on a tablespace, on a function. */
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_proc.h"
#define sigma_tablespace_aclcheck(oid, role, mode)	object_aclcheck(TableSpaceRelationId, oid, role, mode)
#define sigma_function_aclcheck(oid, role, mode)	object_aclcheck(ProcedureRelationId, oid, role, mode)
#else
#define sigma_tablespace_aclcheck(oid, role, mode)	pg_tablespace_aclcheck(oid, role, mode)
#define sigma_function_aclcheck(oid, role, mode)	pg_proc_aclcheck(oid, role, mode)
#endif

/* Nodes of the grammar below which the analysis of a query wants constants: modifiers of types, paths of JSON_TABLE. */
#if PG_VERSION_NUM >= 170000
#define SIGMA_WANTS_RAW_CONSTANTS(node) (IsA(node, TypeName) || IsA(node, JsonTablePathSpec))
#else
#define SIGMA_WANTS_RAW_CONSTANTS(node) IsA(node, TypeName)
#endif

/* Does an expression of SQL/JSON make values of a type from JSON? */
#if PG_VERSION_NUM >= 170000
#define SIGMA_IS_JSON_EXPRESSION(node) (IsA(node, JsonExpr) || IsA(node, JsonConstructorExpr))
#elif PG_VERSION_NUM >= 160000
#define SIGMA_IS_JSON_EXPRESSION(node) IsA(node, JsonConstructorExpr)
#else
#define SIGMA_IS_JSON_EXPRESSION(node) false
#endif

#endif							/* SIGMA_COMPAT_H */
