/*
 * computed_view.c
 *		Computed columns in SQL, for the view of a table.
 *
 * A formula takes the place of the column that is named, so most computed columns
 * are one expression over the row.  A window function or an aggregate cannot stand
 * within another: where a formula names a column that has one, that column is
 * computed in a subquery first.  So the columns lie in stages, each of which reads
 * the one below; stage 0 reads the rows of the table.
 *
 * Other input tables are read as they are published, as everything in a view is.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parsetree.h"
#include "parser/parser.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "access/sysattr.h"
#include "common/attempt.h"
#include "common/document.h"
#include "common/errors.h"
#include "common/names.h"
#include "common/spi.h"
#include "compat.h"
#include "input_table/computed.h"
#include "input_table/linked.h"
#include "input_table/published.h"

typedef enum Progress
{
	UNSEEN,
	BEING_STAGED,
	STAGED
} Progress;

/* A computed column on its way. */
typedef struct Staged
{
	JsonNode   *node;			/* its formula */
	FormulaNode *tree;
	FormulaColumn *column;		/* in the row that formulas see */
	ColumnType	type;
	bool		many;			/* its formula has a window function or an aggregate of its own */
	int			stage;
	Progress	progress;
	char	   *expression;
	char	   *problem;		/* why it is null, or NULL */
} Staged;

typedef struct Stages
{
	JsonNode   *definition;
	FormulaRelation *row;
	int			count;
	Staged	   *columns;
	Staged	   *current;		/* whose references are being visited */
	int			last;			/* greatest stage */
	bool		tolerant;		/* formulas that cannot be compiled are null */
} Stages;

/* A column whose formula may be wrong. */
typedef struct ColumnAttempt
{
	Stages	   *stages;
	Staged	   *column;
	char	   *expression;
} ColumnAttempt;

/* What may be read of the relations of a query. */
typedef struct RightsCheck
{
	const JsonNode *where;
	List	   *free;			/* relations that need no right */
	Oid			user;
	const Query *query;
} RightsCheck;

static void read_columns(Stages *stages);
static void find_stage(Stages *stages, Staged *column);
static bool visit_reference(void *arg, FormulaNode *reference);
static void compile_stages(Stages *stages, ComputedRows *rows);
static void show_stage(Stages *stages, int stage);
static char *try_column(Stages *stages, Staged *column);
static void attempt_column(void *arg);
static bool is_about_formula(const ErrorData *error);
static char *compile_column(Stages *stages, Staged *column);
static char *stage_rows(const Stages *stages, int stage, const char *from);
static void check_rights(const JsonNode *where, const char *sql, List *free);
static bool check_relations(Node *node, void *context);
static void check_relation(RightsCheck *check, RangeTblEntry *entry);
static bool may_not_call(Oid function, void *context);
static bool is_unchanged(const JsonNode *column, const JsonNode *before);

/* See computed.h. */
ComputedRows *
sigma_computed_rows(JsonNode *definition, const char *from, bool tolerant)
{
	ComputedRows *rows = palloc0(sizeof(ComputedRows));
	bool		outer = sigma_reading_published;
	bool		outer_views = sigma_reading_views;
	Stages		stages = {0};
	int			i;

	rows->from = pstrdup(from);
	stages.definition = definition;
	stages.tolerant = tolerant;
	stages.row = sigma_definition_row(definition, true);
	read_columns(&stages);
	if (stages.count == 0)
		return rows;
	for (i = 0; i < stages.count; i++)
		find_stage(&stages, &stages.columns[i]);
	sigma_reading_published = true;
	sigma_reading_views = sigma_is_linked(definition);
	PG_TRY();
	{
		compile_stages(&stages, rows);
	}
	PG_FINALLY();
	{
		sigma_reading_published = outer;
		sigma_reading_views = outer_views;
	}
	PG_END_TRY();
	return rows;
}

/* The computed columns of the definition, and what their formulas are. */
static void
read_columns(Stages *stages)
{
	JsonNode   *columns = sigma_json_get(stages->definition, "columns");
	int			i;

	stages->columns = palloc0(sizeof(Staged) * columns->count);
	for (i = 0; i < columns->count; i++)
	{
		JsonNode   *formula = sigma_column_formula(columns->items[i]);
		Staged	   *column = &stages->columns[stages->count];

		if (formula == NULL)
			continue;
		stages->count++;
		column->node = formula;
		column->tree = sigma_formula_parse_at(sigma_json_path(formula), formula->string);
		column->column = &stages->row->columns[i];
		(void) sigma_column_type(sigma_json_get_string(columns->items[i], "type", ""), &column->type);
		column->many = sigma_formula_uses(column->tree, CLASS_WINDOW) || sigma_formula_uses(column->tree, CLASS_AGGREGATE);
	}
}

/* The stage of a column: above every column with a window function or aggregate that it names.  42P17 for a cycle. */
static void
find_stage(Stages *stages, Staged *column)
{
	Staged	   *outer = stages->current;

	check_stack_depth();
	if (column->progress == STAGED)
		return;
	if (column->progress == BEING_STAGED)
		sigma_document_error(column->node, ERRCODE_INVALID_OBJECT_DEFINITION, NULL,
							 "circular column reference to \"[%s]\"", column->column->name);
	column->progress = BEING_STAGED;
	stages->current = column;
	(void) sigma_formula_visit(column->tree, visit_reference, stages);
	stages->current = outer;
	column->progress = STAGED;
	stages->last = Max(stages->last, column->stage);
}

/* FormulaVisitor: a reference to a computed column of the same table. */
static bool
visit_reference(void *arg, FormulaNode *reference)
{
	Stages	   *stages = arg;
	Staged	   *current = stages->current;
	FormulaColumn *named;
	int			i;

	if (reference->kind != FORMULA_REFERENCE)
		return false;
	if (reference->source != NULL && strcmp(reference->source, stages->row->name) != 0 &&
		strcmp(reference->source, sigma_json_get_string(stages->definition, "id", "")) != 0)
		return false;
	named = sigma_formula_column(stages->row, reference->text);
	for (i = 0; named != NULL && i < stages->count; i++)
		if (stages->columns[i].column == named)
		{
			Staged	   *column = &stages->columns[i];

			find_stage(stages, column);
			current->stage = Max(current->stage, column->stage + (column->many ? 1 : 0));
		}
	return false;
}

/* Compile stage by stage, each over the rows of the one below. */
static void
compile_stages(Stages *stages, ComputedRows *rows)
{
	int			stage;
	int			i;

	for (stage = 0; stage <= stages->last; stage++)
	{
		stages->row->from = rows->from;
		show_stage(stages, stage);
		for (i = 0; i < stages->count; i++)
			if (stages->columns[i].stage == stage)
				stages->columns[i].expression = stages->tolerant ?
					try_column(stages, &stages->columns[i]) : compile_column(stages, &stages->columns[i]);
		if (stage < stages->last)
			rows->from = stage_rows(stages, stage, rows->from);
	}
	rows->count = stages->count;
	rows->columns = palloc(sizeof(ComputedColumn) * stages->count);
	for (i = 0; i < stages->count; i++)
	{
		Staged	   *column = &stages->columns[i];

		rows->columns[i].name = column->column->name;
		rows->columns[i].problem = column->problem;
		rows->columns[i].place = column->column - stages->row->columns;
		rows->columns[i].expression = column->many && column->stage < stages->last ?
			psprintf("r.%s", quote_identifier(column->column->name)) : column->expression;
	}
}

/* Let formulas of a stage see as plain columns what the stages below computed for them. */
static void
show_stage(Stages *stages, int stage)
{
	int			i;

	for (i = 0; i < stages->count; i++)
	{
		Staged	   *column = &stages->columns[i];
		bool		plain = column->many && column->stage < stage;

		column->column->formula = plain ? NULL : column->node->string;
		column->column->attribute = plain ? quote_identifier(column->column->name) : NULL;
	}
}

/* The same as compile_column, but null, with the problem, where what the formula says cannot be compiled. */
static char *
try_column(Stages *stages, Staged *column)
{
	ColumnAttempt attempt = {stages, column, NULL};
	bool		reading = sigma_reading_published;
	bool		reading_views = sigma_reading_views;
	ErrorData  *error = sigma_attempt(attempt_column, &attempt);
	int			i;

	if (error == NULL)
		return attempt.expression;
	if (!is_about_formula(error))
		ReThrowError(error);
	column->problem = error->message;
	sigma_reading_published = reading;
	sigma_reading_views = reading_views;
	for (i = 0; i < stages->row->ncolumns; i++)
		stages->row->columns[i].compiling = false;	/* those that it was about to put in */
	return psprintf("NULL::%s", sigma_column_types[column->type].sql);
}

/* Compile a column, as work that may fail. */
static void
attempt_column(void *arg)
{
	ColumnAttempt *attempt = arg;

	attempt->expression = compile_column(attempt->stages, attempt->column);
}

/* Does an error say that a formula is wrong?  Cancels, and a lack of memory or of anything else, do not. */
static bool
is_about_formula(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION || category == ERRCODE_DATA_EXCEPTION ||
		category == ERRCODE_FEATURE_NOT_SUPPORTED || category == ERRCODE_TO_CATEGORY(ERRCODE_SIGMA_NOT_FOUND);
}

/* A column as SQL of its declared type; 42804 where its formula yields another kind of value. */
static char *
compile_column(Stages *stages, Staged *column)
{
	FormulaScope scope = {0};
	FormulaSql *value;
	FormulaSql *result;

	scope.place = "a computed column";
	scope.row = stages->row;
	scope.alias = "r";
	scope.tables = true;
	scope.windows = true;
	scope.stored = true;
	value = sigma_formula_compile_at(sigma_json_path(column->node), column->node->string, &scope, TYPE_ANY);
	result = sigma_formula_in_form(value, sigma_column_form(column->type));
	if (result == NULL)
		sigma_document_error(column->node, ERRCODE_DATATYPE_MISMATCH,
							 "Declare the type of what the formula yields, or convert that.",
							 "computed column \"%s\" of type %s cannot hold %s", column->column->name,
							 sigma_column_types[column->type].name, sigma_formula_type_name(value->type));
	return psprintf("%s::%s", result->sql, sigma_column_types[column->type].sql);
}

/* The rows of a stage with what it computes for those above it. */
static char *
stage_rows(const Stages *stages, int stage, const char *from)
{
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "(SELECT r.*");
	for (i = 0; i < stages->count; i++)
	{
		Staged	   *column = &stages->columns[i];

		if (column->many && column->stage == stage)
			appendStringInfo(&sql, ", %s AS %s", column->expression, quote_identifier(column->column->name));
	}
	appendStringInfo(&sql, " FROM %s r)", from);
	return sql.data;
}

/* ------------------------------------------------------------------------
 * Rights
 * ------------------------------------------------------------------------ */

/* See computed.h.  The query is analysed, not run, as the owner of schema sigds, whose view it will be. */
void
sigma_computed_check_rights(JsonNode *definition, JsonNode *before, const char *from, List *known, bool tolerant)
{
	const char *id = sigma_json_get_string(definition, "id", "");
	JsonNode   *columns = sigma_json_get(definition, "columns");
	List	   *own = list_make2_oid(sigma_data_table_oid(id), sigma_published_oid(id));
	ComputedRows *rows;
	int			i;

	if (sigma_is_linked(definition))
		return;					/* its view reads with the rights of its reader */
	rows = sigma_computed_rows(definition, from, tolerant);
	known = list_concat_copy(known, own);

	for (i = 0; i < rows->count; i++)
	{
		JsonNode   *column = columns->items[rows->columns[i].place];

		check_rights(sigma_column_formula(column),
					 psprintf("SELECT %s FROM %s r", rows->columns[i].expression, rows->from),
					 is_unchanged(column, before) ? known : own);
	}
}

/* See computed.h. */
void
sigma_check_select_rights(const JsonNode *where, const char *sql)
{
	check_rights(where, sql, NIL);
}

/* The same; "free": relations that need no right. */
static void
check_rights(const JsonNode *where, const char *sql, List *free)
{
	RightsCheck check = {where, free, GetUserId()};
	OwnerScope	scope;
	Query	   *query;

	sigma_owner_begin(&scope, sigma_sigds_owner());
	query = parse_analyze_fixedparams(linitial_node(RawStmt, raw_parser(sql, RAW_PARSE_DEFAULT)), sql, NULL, 0, NULL);
	sigma_owner_end(&scope);
	(void) check_relations((Node *) query, &check);
}

/* Has the stored definition a computed column of that identity with that formula? */
static bool
is_unchanged(const JsonNode *column, const JsonNode *before)
{
	const char *id = sigma_json_get_string(column, "id", "");
	JsonNode   *columns = before == NULL ? NULL : sigma_json_get(before, "columns");
	int			i;

	for (i = 0; columns != NULL && i < columns->count; i++)
		if (strcmp(sigma_json_get_string(columns->items[i], "id", ""), id) == 0)
			return sigma_column_formula(columns->items[i]) != NULL &&
				sigma_json_equal(sigma_column_formula(columns->items[i]), sigma_column_formula(column));
	return false;
}

/* Walker over a query and its subqueries. */
static bool
check_relations(Node *node, void *context)
{
	RightsCheck *check = context;
	ListCell   *lc;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		const Query *outer = check->query;

		check->query = (Query *) node;
		foreach(lc, check->query->rtable)
			if (((RangeTblEntry *) lfirst(lc))->rtekind == RTE_RELATION)
				check_relation(check, lfirst(lc));
		(void) query_tree_walker((Query *) node, check_relations, context, 0);
		check->query = outer;
		return false;
	}
	(void) check_functions_in_node(node, may_not_call, context);
	return expression_tree_walker(node, check_relations, context);
}

/* 42501 where the user may not call a function that is neither sigma's own nor granted to him. */
static bool
may_not_call(Oid function, void *context)
{
	RightsCheck *check = context;

	if (sigma_function_aclcheck(function, check->user, ACL_EXECUTE) == ACLCHECK_OK ||
		(function >= FirstNormalObjectId &&
		 getExtensionOfObject(ProcedureRelationId, function) == get_extension_oid("sigma", false)))
		return false;
	sigma_document_error(check->where, ERRCODE_INSUFFICIENT_PRIVILEGE,
						 "Who defines it needs EXECUTE on what it calls.",
						 "permission denied for function %s", get_func_name(function));
}

/* 42501 where the user may not select the columns that are read, or sees only some of the rows. */
static void
check_relation(RightsCheck *check, RangeTblEntry *entry)
{
	Oid			relid = entry->relid;
	Bitmapset  *columns = sigma_selected_columns(check->query, entry);
	bool		allowed = true;
	int			i = -1;

	if (list_member_oid(check->free, relid))
		return;
	if (pg_class_aclcheck(relid, check->user, ACL_SELECT) != ACLCHECK_OK)
	{
		if (bms_is_empty(columns))
			allowed = pg_attribute_aclcheck_all(relid, check->user, ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK;
		while (allowed && (i = bms_next_member(columns, i)) >= 0)
		{
			AttrNumber	attnum = i + FirstLowInvalidHeapAttributeNumber;

			allowed = attnum != InvalidAttrNumber &&
				pg_attribute_aclcheck(relid, attnum, check->user, ACL_SELECT) == ACLCHECK_OK;
		}
	}
	if (!allowed || check_enable_rls(relid, check->user, true) == RLS_ENABLED)
		sigma_document_error(check->where, ERRCODE_INSUFFICIENT_PRIVILEGE,
							 allowed ? "Row security applies to you there: it would tell of rows that you may not see." :
							 "Who defines it needs SELECT on what it reads.",
							 "permission denied for relation \"%s\"", get_rel_name(relid));
}
