/*
 * context.h
 *		What a run knows: the context it was started with and what it has set since.
 *
 * The context is read in place, from its jsonb: no tree is built where it is
 * canonical already.  What a run sets is laid over it in a list that only grows,
 * so that a rollback is a cut (sigma_context_mark, sigma_context_restore).
 *
 * Every JsonbValue handed out is a scalar, or jbvBinary for an array or object;
 * it lives as long as the context it was read from, or in the current memory
 * context where it had to be made.
 */
#ifndef SIGMA_CONTEXT_H
#define SIGMA_CONTEXT_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "common/jsonb_value.h"
#include "common/jsonb_writer.h"
#include "common/session.h"

/* One thing that a run has set. */
typedef struct RunValue
{
	const char *name;			/* id of a control, name of a variable */
	JsonbValue	value;			/* scalar or jbvBinary */
	MemoryContext cxt;			/* holds both, or the value alone */
} RunValue;

/* What a run has set, oldest first; the last entry of a name holds. */
typedef struct RunValues
{
	RunValue   *items;
	int			count;			/* in use */
	int			capacity;		/* allocated */
	int			fixed;			/* entries below this one must not be changed: a mark stands there */
} RunValues;

/* The context of one run; lives in the memory context it was read in. */
typedef struct RunContext
{
	MemoryContext cxt;			/* holds this struct */
	MemoryContext values;		/* for what is set: that of the innermost loop, else the same */
	Jsonb	   *document;		/* the canonical context, for history and for comparing input */
	const char *user_id;		/* or NULL */
	const char *workbook_id;	/* or NULL */
	const char *element_id;		/* or NULL */
	const char *column_name;	/* column that was clicked, or NULL */
	const char *menu_item_id;	/* or NULL */
	const char *mode;			/* "auto", "draft", "published", or NULL */
	const char *idempotency_key;	/* or NULL */
	JsonbContainer *metadata;	/* or NULL */
	JsonbContainer *selected;	/* selection.rows: an array of objects, or NULL */
	int			selected_length;	/* its bytes */
	JsonbContainer *controls;	/* or NULL */
	JsonbContainer *variables;	/* action_variables, or NULL */
	JsonbContainer *form;		/* or NULL */
	RunValues	set_controls;	/* set during the run */
	RunValues	set_variables;
} RunContext;

/* How a control takes a value: documents call it selection_mode. */
typedef enum SelectionMode
{
	SELECTION_REPLACE,
	SELECTION_ADD,
	SELECTION_REMOVE
} SelectionMode;

/* Where a run stood: what to go back to after a contained failure. */
typedef struct ContextMark
{
	int			controls;
	int			variables;
	int			fixed_controls;
	int			fixed_variables;
	JsonbContainer *selected;	/* a loop selects its rows one by one */
	int			selected_length;
	MemoryContext values;
} ContextMark;

/* A loop: what its rows set is apart, so that what they replace can be freed. */
typedef struct ContextLoop
{
	MemoryContext outer;		/* for what is set around it */
	Size		limit;			/* bytes from which on freeing is worth it */
} ContextLoop;

/*
 * Read a context (NULL: an empty one), normalising it where it is not canonical.
 * Raises SG400 where it cannot be read.
 */
extern RunContext *sigma_context_read(Jsonb *document);

/* What is done now is done for the context's user and mode; the caller puts sigma_session back, in PG_FINALLY. */
extern void sigma_context_enter(const RunContext *context);

/*
 * Reads.  Each sets *value (jbvNull where there is none) and returns whether
 * there was one.  Control: set in the run, else the context's, else the stored
 * value of the declared control (by id, else by name), else its default.
 * Variable: likewise over action_variables.
 */
extern bool sigma_context_control(RunContext *context, const char *id, JsonbValue *value);
extern bool sigma_context_variable(RunContext *context, const char *name, JsonbValue *value);
extern bool sigma_context_form(RunContext *context, const char *field, JsonbValue *value);

/* The selected rows: how many, row "i" as an object, one column of one row. */
extern int	sigma_context_selected_count(const RunContext *context);
extern JsonbContainer *sigma_context_selected_row(const RunContext *context, int i);
extern bool sigma_context_selected_value(const RunContext *context, int i, const char *column,
										 JsonbValue *value);

/* [Selection/column]: the value for one row, an array for several, null for none. */
extern bool sigma_context_selection(const RunContext *context, const char *column, JsonbValue *value);

/*
 * Set a control for the rest of the run.  ADD and REMOVE work on lists: a single
 * value counts as a list of one, null as an empty one; added values that are
 * there already are not doubled.  *now (may be NULL) becomes the control's new value.
 * Raises SG400 where a declared control of that id cannot hold the value.
 */
extern void sigma_context_set_control(RunContext *context, const char *id, const JsonbValue *value,
									  SelectionMode mode, JsonbValue *now);

/* Set a variable for the rest of the run only (output_variable); nothing is stored. */
extern void sigma_context_set_variable(RunContext *context, const char *name, const JsonbValue *value);

/*
 * The step "variable set" (value NULL: "clear", back to null).  A declared
 * variable of scope workbook or user is written to the catalog as the caller,
 * after its type was checked (SG400; 42501 without the right); any other lives
 * in the run alone.  Returns whether something was stored.
 */
extern bool sigma_context_store_variable(RunContext *context, const char *name, const JsonbValue *value);

/* Remember how far the run has come, and go back there, or stay and forget the mark. */
extern ContextMark sigma_context_mark(RunContext *context);
extern void sigma_context_restore(RunContext *context, ContextMark mark);
extern void sigma_context_release(RunContext *context, ContextMark mark);

/*
 * A loop begins, in a memory context that lasts longer than its rows; a row of it, when nothing
 * points at values that the rows before have set; it ends.  An error that passes
 * through it needs no end: whoever contains that goes back to a mark.
 */
extern void sigma_context_begin_loop(RunContext *context, ContextLoop *loop, MemoryContext parent);
extern void sigma_context_next_row(RunContext *context, ContextLoop *loop);
extern void sigma_context_end_loop(RunContext *context, ContextLoop *loop);

/* For the result: an object of what the run has set, as a value. */
extern void sigma_context_write_variables(JsonbWriter *writer, const RunContext *context);
extern void sigma_context_write_controls(JsonbWriter *writer, const RunContext *context);

/*
 * variables.c: declared variables and controls.
 */
typedef enum VariableType
{
	VARIABLE_TEXT,
	VARIABLE_NUMBER,
	VARIABLE_DATE,
	VARIABLE_LOGICAL,
	VARIABLE_LIST,
	VARIABLE_NUMBER_RANGE,
	VARIABLE_DATE_RANGE
} VariableType;

typedef enum VariableScope
{
	SCOPE_SESSION,				/* lives in contexts alone */
	SCOPE_USER,					/* one value per app user */
	SCOPE_WORKBOOK				/* one value */
} VariableScope;

/* A declared variable or control; cached, replaced as a whole after a change. */
typedef struct Variable
{
	const char *id;
	const char *name;			/* or NULL */
	bool		is_control;		/* kind */
	VariableType type;
	VariableScope scope;
	Jsonb	   *default_value;	/* or NULL */
} Variable;

/* By id, else by name; NULL where none is declared.  Valid until transaction end. */
extern const Variable *sigma_variable(const char *id_or_name);

/* Words of documents in the order of VariableType and VariableScope; they end with NULL. */
extern const char *const sigma_variable_types[];
extern const char *const sigma_variable_scopes[];

/* Place of a word (NULL: none) in such a list, or -1. */
extern int	sigma_variable_word(const char *const *words, const char *word);

/* The type as documents call it. */
extern const char *sigma_variable_type_name(VariableType type);

/*
 * The stored value, else the default, by a fresh snapshot; not ACL-checked.
 * "app_user" (NULL: sigma_app_user()) counts for scope user.  False: there is neither.
 */
extern bool sigma_variable_read(const Variable *variable, const char *app_user, JsonbValue *value);

/*
 * Write the value (NULL: forget it, so that the default holds) as the caller.
 * The row triggers check its type; 55000 for scope session, where nothing is stored.
 */
extern void sigma_variable_write(const Variable *variable, const char *app_user, const JsonbValue *value);

/* Does a value fit the type?  False: *why says what is wrong ("is not a number"). Null always fits. */
extern bool sigma_variable_fits(VariableType type, const JsonbValue *value, const char **why);

#endif							/* SIGMA_CONTEXT_H */
