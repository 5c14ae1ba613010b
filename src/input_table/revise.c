/*
 * revise.c
 *		Who may publish an input table, take edits of it back and restore it.
 *
 * Who may write the table may, and who may drop all of its rows (TRUNCATE, an admin's
 * right).  Statements that bring rows back to what they were run as the caller; who has
 * no rights on the rows, or none on what a linked table keeps its entries in, is lent
 * the owner's on that one relation.  Nobody can write anything else in this way: the
 * values come from the edit log or from what is published.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "common/names.h"
#include "formula/trust.h"
#include "input_table/define.h"
#include "input_table/revise.h"
#include "input_table/rules.h"

static Oid	asked_relation(const char *id);

/* 42501 for who may neither write the table (of a linked one: its view) nor drop all of its rows, or has no reason to trust what that reads. */
void
sigma_check_may_revise(const char *id)
{
	Oid			relid = asked_relation(id);

	if (pg_class_aclmask(relid, GetUserId(), ACL_INSERT | ACL_UPDATE | ACL_DELETE | ACL_TRUNCATE, ACLMASK_ANY) == 0 &&
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_INSERT | ACL_UPDATE, ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
	/* a row filter of a linked table may read its source */
	if (relid != sigma_rows_oid(id))
		sigma_trust_check_relation(sigma_rows_oid(id));
}

/* 42501 where rights would be lent to somebody who may write the table, but not that column of it. */
void
sigma_check_may_revise_column(const char *id, Oid rows, const char *name)
{
	Oid			relid = asked_relation(id);

	if (relid != rows && pg_class_aclmask(relid, GetUserId(), ACL_UPDATE | ACL_TRUNCATE, ACLMASK_ANY) == 0 &&
		pg_attribute_aclcheck(relid, get_attnum(relid, name), GetUserId(), ACL_UPDATE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
}

/* Is who may revise the table lent rights on "rows", where its rows are? */
bool
sigma_revises_as_owner(const char *id, Oid rows)
{
	Oid			relid = asked_relation(id);

	return relid != rows || pg_class_aclcheck(relid, GetUserId(), ACL_TRUNCATE) == ACLCHECK_OK;
}

/*
 * Run a text as such a caller; returns SPI's code.  The text must be written for this
 * purpose alone: its rights on "rows" are the owner's where they are lent.
 */
int
sigma_revise_execute(const char *id, Oid rows, const char *sql, const SPIExecuteOptions *options)
{
	return sigma_revises_as_owner(id, rows) ? sigma_statement_execute_as_owner(rows, sql, options) :
		SPI_execute_extended(sql, options);
}

/* A linked table whose source is missing has no view to ask. */
static Oid
asked_relation(const char *id)
{
	Oid			relid = sigma_data_table_oid(id);

	return OidIsValid(relid) ? relid : sigma_rows_oid(id);
}
