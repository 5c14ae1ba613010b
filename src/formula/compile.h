/*
 * compile.h
 *		From a formula to typed SQL, and from there to something that runs.
 *
 * compile.c       nodes, operators
 * compile_reference.c  references
 * compile_call.c  calls: argument types, templates, the functions templates cannot say
 * compile_rows.c  aggregates and windows: calls over rows
 * compile_sources.c  which rows a call reads
 * compile_total.c  totals and series
 * compile_join.c  lookups
 * compile_passthrough.c  functions of the database
 * sql_form.c      how values lie in SQL: forms, casts, literals
 * relation.c      the columns of a relation as formulas see them
 * expression.c    SQL over one row as a planned expression, for rules
 * formula_at.c    formulas of documents: errors with the document's path
 * visit.c         the references and calls of a formula
 * parameters.c    references to a context as parameters
 * program.c       a formula over a context, for runs and sigma.eval
 * program_cache.c  such formulas that are kept for the next time
 * form_json.c     what a formula yields as JSON
 *
 * Everything is allocated in the current memory context.  Compiling is also the
 * check at save time: 42703 unknown reference, 42702 ambiguous one, 42804 wrong
 * type, 42803 aggregate or window where none may stand, 42P17 cycle of computed
 * columns, 54000 too much SQL; DETAIL says at which character.
 */
#ifndef SIGMA_FORMULA_COMPILE_H
#define SIGMA_FORMULA_COMPILE_H

#include "postgres.h"

#include "access/attnum.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "utils/jsonb.h"
#include "utils/relcache.h"

#include "compat.h"
#include "formula/formula.h"
#include "formula/functions.h"

/* SQL of one formula has at most so many bytes. */
#define FORMULA_MAX_SQL		(4 * 1024 * 1024)

/* A formula, or a part of one, in SQL. */
typedef struct FormulaSql
{
	FormulaType type;			/* TYPE_ANY: Null, or a value that only a run knows */
	SqlForm		form;			/* SQL_NULL with TYPE_ANY */
	char	   *sql;			/* binds like a name: never needs parentheses */
	bool		simple;			/* a column, constant or parameter: costs nothing to be written twice */
	bool		constant;		/* a literal */
	bool		from_json;		/* a value of a context: its text may stand for a date */
	const char *reference;		/* what a reference reads, as it is written without its brackets; else NULL */
} FormulaSql;

/* A column of a relation as formulas see it. */
typedef struct FormulaColumn
{
	const char *name;
	FormulaType type;
	SqlForm		form;			/* of a computed column: what its formula is brought to; SQL_DEFAULT: as it comes */
	const char *attribute;		/* its name in SQL, quoted; of a computed column NULL */
	const char *before;			/* what brings it to its form, around "alias.attribute" */
	const char *after;
	const char *formula;		/* of a computed column: its text, which takes its place */
	bool		compiling;		/* its formula is being compiled */
} FormulaColumn;

/* Rows that formulas may read. */
typedef struct FormulaRelation
{
	const char *name;			/* for messages */
	Oid			relid;			/* what it is; InvalidOid for rows that are no relation */
	const char *from;			/* the same as an item of FROM, without alias */
	List	   *order_by;		/* attributes that order its rows, quoted, of char * */
	bool		from_json;		/* the values are of a context: text may stand for a date */
	int			ncolumns;
	FormulaColumn *columns;
} FormulaRelation;

typedef struct FormulaScope FormulaScope;

/* Where a formula stands: what it may name and use. */
struct FormulaScope
{
	const char *place;			/* for messages: "a rule", "a condition" */
	FormulaRelation *row;		/* it sees one row of this, or NULL */
	const char *alias;			/* of that row in SQL, "" for bare column names */
	bool		tables;			/* other rows may be read: [Table/x], aggregates, Lookup */
	bool		windows;		/* window functions may stand there */
	bool		stored;			/* kept and run by others: calls trusted functions only */
	bool		saving;			/* and being saved: calls what its author may call */
	bool		as_shown;		/* run for the current role: of tables it reads the rows that the role is shown */
	bool		reads;			/* set by compiling: tables are read, or functions of the database called */

	/*
	 * A reference to the context: [Selection/x], [Control/x], [ActionVar/x], [Form/x],
	 * or a bare [x] that is no column (source NULL; it is a control's id then).
	 * Returns false where there is no such thing.  NULL: there is no context.
	 */
	bool		(*resolve) (FormulaScope *scope, const char *source, const char *name, FormulaSql *result);

	/*
	 * The selection as rows for an aggregate; "name" is the column that is read next
	 * and is added where it is missing.  NULL: there is no context.
	 */
	FormulaRelation *(*selection) (FormulaScope *scope, const char *name);
	void	   *arg;			/* of these two */
};

/* compile.c: "wanted" is what it has to yield; TYPE_ANY: anything */
extern FormulaSql *sigma_formula_compile(const char *text, FormulaScope *scope, FormulaType wanted);

/* relation.c: 42P01 where there is none */
extern FormulaRelation *sigma_formula_relation(Oid relid);
extern FormulaRelation *sigma_formula_find_table(const char *name);
extern FormulaRelation *sigma_formula_shown(const char *name, FormulaRelation *relation);
extern void sigma_formula_type_form(FormulaColumn *column, Oid type);

/* What the floor of input tables knows about relations; NULL until it is loaded. */
typedef struct FormulaRelationHooks
{
	Oid			(*find) (const char *name); /* a table by id or display name, or InvalidOid */
	void		(*extend) (FormulaRelation *relation);	/* display name, order, computed columns */
	Oid			(*shown) (const char *name);	/* of such a table: what shows its rows to the current role, or InvalidOid: itself */
} FormulaRelationHooks;

extern void sigma_formula_relation_hooks(const FormulaRelationHooks *hooks);

/* relation.c: one column of rows of that alias, a computed one as its formula */
extern FormulaSql *sigma_formula_column_sql(FormulaRelation *relation, const char *alias, FormulaColumn *column);

/* compile_reference.c: a column by name, exactly, else the only one without regard to case, blanks and underscores, else NULL */
extern FormulaColumn *sigma_formula_column(FormulaRelation *relation, const char *name);

/* compile_reference.c: a value in another form; NULL where its kind has no such form */
extern FormulaSql *sigma_formula_in_form(FormulaSql *value, SqlForm form);

/*
 * visit.c: a visitor sees each reference and each call of a formula and may change it;
 * it returns whether it did.
 */
typedef bool (*FormulaVisitor) (void *arg, FormulaNode *node);

extern bool sigma_formula_visit(FormulaNode *tree, FormulaVisitor visitor, void *arg);
extern char *sigma_formula_rewrite(const char *text, FormulaVisitor visitor, void *arg);
extern bool sigma_formula_uses(const FormulaNode *tree, FunctionClass class);

/* sql_form.c */
extern const char *sigma_sql_form_type(SqlForm form);	/* "pg_catalog.text" */
extern Oid	sigma_sql_form_oid(SqlForm form);
extern FormulaType sigma_sql_form_kind(SqlForm form);
extern SqlForm sigma_sql_form_of(FormulaType type);	/* its first form */
extern const char *sigma_formula_type_name(FormulaType type);	/* "text" */

/*
 * formula_at.c: a formula that stands in a document.  "path" (as sigma_json_path says it)
 * comes into DETAIL of every error about the formula.  PG_CATCH around anything else that
 * reads, compiles or plans such a formula calls sigma_document_rethrow_at().
 */
extern FormulaSql *sigma_formula_compile_at(const char *path, const char *text, FormulaScope *scope,
											FormulaType wanted);
extern FormulaNode *sigma_formula_parse_at(const char *path, const char *text);

/*
 * expression.c: SQL over one row of a relation (alias ""; NULL: over nothing) as a
 * planned expression.  Lives in "cxt" and goes with it; to be made anew where it is
 * not valid any more.  sigma_expression_prepare() is per statement.
 */
typedef struct FormulaExpression FormulaExpression;

extern FormulaExpression *sigma_formula_expression(Relation rel, const FormulaSql *sql, MemoryContext cxt);
extern bool sigma_expression_is_valid(const FormulaExpression *expression);
extern bool sigma_expression_is_foreign(const FormulaExpression *expression);
extern bool sigma_expression_is_volatile(const FormulaExpression *expression);
extern bool sigma_expression_reads(const FormulaExpression *expression, AttrNumber attnum);
extern ExprState *sigma_expression_prepare(const FormulaExpression *expression);

/*
 * parameters.c: the references to a context in a formula, as parameters of its SQL.
 * One list serves the SQL of one statement: compile with sigma_parameters_resolve
 * and the list as "arg".  At save time their kinds are unknown (SQL_NULL).
 */
typedef struct FormulaParameter
{
	const char *source;			/* as FormulaScope.resolve gets them; NULL with a bare name */
	const char *name;			/* NULL: all selected rows, for an aggregate */
	SqlForm		form;			/* what SQL was or is to be compiled for */
	bool		in_rows;		/* a column of all selected rows: only its kind is of interest */
} FormulaParameter;

#define FORMULA_MAX_PARAMETERS	1000

typedef struct FormulaParameters
{
	int			first;			/* number of the first one in SQL: 1 unless others stand before it */
	int			count;
	int			allocated;
	FormulaParameter *items;
} FormulaParameters;

/*
 * Gives the value of a reference in the run, jbvNull where there is none.  "Selection"
 * without a name: all selected rows, as an array of objects.
 */
typedef void (*FormulaFetch) (void *arg, const char *source, const char *name, JsonbValue *value);

extern bool sigma_parameters_resolve(FormulaScope *scope, const char *source, const char *name, FormulaSql *result);
extern FormulaRelation *sigma_parameters_selection(FormulaScope *scope, const char *name);
extern bool sigma_parameters_fetch(FormulaParameters *parameters, FormulaFetch fetch, void *arg, Datum *values,
								   char *nulls);

/* Who a program is for. */
typedef enum FormulaUse
{
	FORMULA_TYPED,				/* whoever runs it has written it */
	FORMULA_STORED,				/* others may have */
	FORMULA_SAVED				/* it is about to be stored */
} FormulaUse;

/*
 * program.c: a formula over a context.  Creating one checks it; its SQL is made and
 * planned for each combination of kinds of values that comes up.  It is freed with
 * the context it was created in, or before.
 */
typedef struct FormulaProgram FormulaProgram;

typedef bool (*FormulaResolve) (FormulaScope *scope, const char *source, const char *name, FormulaSql *result);

/* "resolve": what checks references and calls sigma_parameters_resolve then; NULL: nothing does */
extern FormulaProgram *sigma_program_create(const char *text, const char *place, FormulaType wanted, FormulaUse use,
											FormulaResolve resolve, MemoryContext cxt);
extern void sigma_program_run(FormulaProgram *program, FormulaFetch fetch, void *arg, JsonbValue *result);
extern uint64 sigma_formula_generation(void);	/* another one after a change of any relation */
extern uint64 sigma_formula_changes(void);	/* the same for every role and search_path */
extern bool sigma_program_is_running(const FormulaProgram *program);
extern FormulaType sigma_program_type(const FormulaProgram *program);
extern const char *sigma_program_text(const FormulaProgram *program);
extern void sigma_program_free(FormulaProgram *program);

/*
 * program_cache.c: run a formula that is found by "key" (size bytes and place), made of
 * the text that "text" gives where it is not kept yet.  "place" is a constant.
 */
extern void sigma_program_run_kept(const void *key, Size size, char *(*text) (const void *key), const char *place,
								   FormulaUse use, FormulaFetch fetch, void *arg, JsonbValue *result);

/* form_json.c: the value of a form as JSON: dates as "YYYY-MM-DD HH:MM:SS", numbers without needless zeros. */
extern void sigma_form_to_json(SqlForm form, Datum value, bool isnull, JsonbValue *result);

/* form_json.c: a value of any type in the same way; what JSON has no word for as text. */
extern void sigma_datum_to_json(Oid type, Datum value, bool isnull, JsonbValue *result);

#endif							/* SIGMA_FORMULA_COMPILE_H */
