/*
 * relation.c
 *		The columns of a relation as formulas see them, and tables by name.
 *
 * Types that formulas have no kind for arrive as text.  Times with a zone are
 * brought to UTC.  The rows of a relation are read by whoever runs the formula:
 * no right is checked here.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/varlena.h"

#include "compat.h"
#include "formula/compile.h"

static const FormulaRelationHooks *hooks = NULL;

static void read_column(FormulaColumn *column, Form_pg_attribute attribute);
static List *key_column(Relation rel);

/* What the floor of input tables knows; called once, when the library is loaded. */
void
sigma_formula_relation_hooks(const FormulaRelationHooks *given)
{
	hooks = given;
}

/*
 * A relation as formulas see it, in the current context.  It is locked against
 * changes of its columns until the end of the transaction.  42P01 where it is gone.
 */
FormulaRelation *
sigma_formula_relation(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	FormulaRelation *result = palloc0(sizeof(FormulaRelation));
	int			i;

	if (rel == NULL)			/* dropped since it was looked up */
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("a table of the formula was dropped meanwhile")));
	if (rel->rd_rel->relkind == RELKIND_INDEX || rel->rd_rel->relkind == RELKIND_PARTITIONED_INDEX ||
		rel->rd_rel->relkind == RELKIND_SEQUENCE || rel->rd_rel->relkind == RELKIND_COMPOSITE_TYPE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" has no rows that a formula could read", RelationGetRelationName(rel)),
				 errhint("Name a table, view, materialized view or foreign table.")));
	result->name = pstrdup(RelationGetRelationName(rel));
	result->relid = relid;
	result->from = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
											  RelationGetRelationName(rel));
	result->order_by = key_column(rel);
	result->columns = palloc0(sizeof(FormulaColumn) * RelationGetNumberOfAttributes(rel));
	for (i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), i);

		if (!attribute->attisdropped)
			read_column(&result->columns[result->ncolumns++], attribute);
	}
	relation_close(rel, NoLock);
	if (hooks != NULL)
		hooks->extend(result);
	return result;
}

/*
 * The table that a formula calls [name/...]: an input table by id or display name,
 * else a relation by its name, qualified or visible.  NULL where there is none.
 */
FormulaRelation *
sigma_formula_find_table(const char *name)
{
	Oid			relid = hooks == NULL ? InvalidOid : hooks->find(name);

	if (!OidIsValid(relid))
	{
		List	   *parts = NIL;
		ListCell   *lc;
		List	   *names = NIL;
		char	   *copy = pstrdup(name);

		/* as it is written first: a display name may hold capitals, blanks and dots */
		relid = RelnameGetRelid(name);
		if (!OidIsValid(relid) && SplitIdentifierString(copy, '.', &parts) && list_length(parts) <= 2)
		{
			foreach(lc, parts)
				names = lappend(names, makeString(lfirst(lc)));
			if (names != NIL)
				relid = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
		}
	}
	return OidIsValid(relid) ? sigma_formula_relation(relid) : NULL;
}

/*
 * The same table as the current role is shown it: one that may not read an input table's
 * rows, or asks for what is published, reads its warehouse view.  It stays the table that
 * formulas know, by another way.
 */
FormulaRelation *
sigma_formula_shown(const char *name, FormulaRelation *relation)
{
	Oid			relid = hooks == NULL ? InvalidOid : hooks->shown(name);
	FormulaRelation *shown;
	ListCell   *lc;
	int			i;

	if (!OidIsValid(relid) || relid == relation->relid)
		return relation;
	shown = sigma_formula_relation(relid);
	shown->name = relation->name;
	shown->relid = relation->relid;
	shown->order_by = NIL;
	foreach(lc, relation->order_by)
		for (i = 0; i < shown->ncolumns; i++)
			if (shown->columns[i].attribute != NULL && strcmp(shown->columns[i].attribute, lfirst(lc)) == 0)
				shown->order_by = lappend(shown->order_by, lfirst(lc));
	return shown;
}

/* See compile.h. */
FormulaSql *
sigma_formula_column_sql(FormulaRelation *relation, const char *alias, FormulaColumn *column)
{
	FormulaSql *result = palloc0(sizeof(FormulaSql));
	FormulaScope scope = {0};

	result->type = column->type;
	result->form = column->form;
	if (column->formula == NULL)
	{
		result->sql = psprintf("%s%s.%s%s", column->before, alias, column->attribute, column->after);
		return result;
	}
	scope.place = "a computed column";
	scope.row = relation;
	scope.alias = alias;
	scope.tables = true;
	scope.windows = true;
	scope.stored = true;
	scope.as_shown = true;
	result = sigma_formula_compile(column->formula, &scope, TYPE_ANY);
	if (column->form == SQL_DEFAULT)
		return result;
	result = sigma_formula_in_form(result, column->form);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the formula of \"[%s]\" does not yield %s", column->name,
						sigma_formula_type_name(sigma_sql_form_kind(column->form)))));
	return result;
}

/* How one column lies in SQL. */
static void
read_column(FormulaColumn *column, Form_pg_attribute attribute)
{
	column->name = pstrdup(NameStr(attribute->attname));
	column->attribute = quote_identifier(column->name);
	sigma_formula_type_form(column, attribute->atttypid);
}

/*
 * How values of a type lie in SQL: sets kind, form and what stands around them.  A
 * type that is not PostgreSQL's becomes text by its output function: a cast to text
 * could be its owner's.
 */
void
sigma_formula_type_form(FormulaColumn *column, Oid type)
{
	type = getBaseType(type);
	column->before = column->after = "";
	switch (type)
	{
		case TEXTOID:
			column->form = SQL_TEXT;
			break;
		case NUMERICOID:
			column->form = SQL_NUMERIC;
			break;
		case INT2OID:
		case INT4OID:
			column->form = SQL_INT4;
			break;
		case INT8OID:
			column->form = SQL_INT8;
			break;
		case FLOAT4OID:
		case FLOAT8OID:
			column->form = SQL_FLOAT8;
			break;
		case DATEOID:
			column->form = SQL_DATE;
			break;
		case TIMESTAMPOID:
			column->form = SQL_TIMESTAMP;
			break;
		case TIMESTAMPTZOID:
			column->form = SQL_TIMESTAMP;
			column->before = "pg_catalog.timezone('UTC'::pg_catalog.text, ";
			column->after = ")";
			break;
		case BOOLOID:
			column->form = SQL_BOOL;
			break;
		case JSONBOID:
			column->form = SQL_JSONB;
			break;
		case JSONOID:
			column->form = SQL_JSONB;
			column->after = "::pg_catalog.jsonb";
			break;
		case TEXTARRAYOID:
			column->form = SQL_TEXT_ARRAY;
			break;
		default:
			column->form = SQL_TEXT;
			column->after = "::pg_catalog.text";
			if (type >= FirstNormalObjectId)
			{
				column->before = "sigma.fn_output(";
				column->after = ")";
			}
	}
	if (type == FLOAT4OID)
		column->after = "::pg_catalog.float8";
	column->type = sigma_sql_form_kind(column->form);
}

/* The only column of a primary key, which orders the rows for window functions; else NIL. */
static List *
key_column(Relation rel)
{
	Bitmapset  *key;
	int			attribute;

	if (rel->rd_rel->relkind != RELKIND_RELATION && rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return NIL;
	key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	if (!bms_get_singleton_member(key, &attribute))
		return NIL;
	attribute += FirstLowInvalidHeapAttributeNumber;
	return attribute <= 0 ? NIL :
		list_make1(unconstify(char *, quote_identifier(pstrdup(NameStr(TupleDescAttr(RelationGetDescr(rel), attribute - 1)->attname)))));
}
