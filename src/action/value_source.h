/*
 * value_source.h
 *		Values, dynamic text and conditions of actions: compiled once, evaluated per run.
 *
 * Compiled forms are read-only and hold nothing of the document they were made
 * from.  Compiling is also the check at save time: what it raises, saving raises.
 */
#ifndef SIGMA_VALUE_SOURCE_H
#define SIGMA_VALUE_SOURCE_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "action/context.h"
#include "common/json.h"
#include "formula/functions.h"

typedef struct ValueSource ValueSource;
typedef struct Condition Condition;

/* While a document is compiled. */
typedef struct CompileState
{
	MemoryContext cxt;			/* holds the compiled form */
	bool		resolve;		/* look outside the document: tables, elements, actions */
	bool		saving;			/* a definition is written: constants must fit what is declared now */
	struct Step *step;			/* that is being compiled, or NULL */
	const char *path;			/* of the document being read within the sequence's; NULL: it is the sequence's */
	List	   *actions;		/* ids of the actions being compiled, the innermost last */
	int			count;			/* steps compiled so far */
} CompileState;

/*
 * Compile a canonical value: a literal, a reference, a formula, a value source, or
 * an array or object of those.  "is_data": the value is for a json column, where an
 * object whose "type" names no value source is data.  Allocated in state->cxt.
 * Raises SG400, and what compiling a formula raises.  A NULL node is null.
 */
extern ValueSource *sigma_value_source_compile(const CompileState *state, const JsonNode *node, bool is_data);

/*
 * Compile dynamic text: {{formula}} is replaced by its value, {{{{ is a literal {{.
 * A node that is no string is compiled as a value (and shown as text later).
 */
extern ValueSource *sigma_dynamic_text_compile(const CompileState *state, const JsonNode *node);

/*
 * Compile the text of a formula that must yield "wanted"; "place" is what messages
 * call it.  One reference alone is read without SQL, and may yield anything.
 */
extern ValueSource *sigma_formula_source_compile(const CompileState *state, const JsonNode *node, const char *place,
												 FormulaType wanted);

/* The kind of value it yields, TYPE_ANY where only a run tells. */
extern FormulaType sigma_value_source_type(const ValueSource *source);

/* The value: a scalar or jbvBinary; jbvNull where there is none. */
extern void sigma_value_source_evaluate(const ValueSource *source, RunContext *context, JsonbValue *value);

/* The value as plain text (see sigma_jsonb_text).  Never NULL. */
extern char *sigma_value_source_text(const ValueSource *source, RunContext *context);

/* The value's text in documents: a literal as JSON, references and formulas as they are written.  palloc'd. */
extern char *sigma_value_source_show(const ValueSource *source);

/* Can it be evaluated without SQL? */
extern bool sigma_value_source_is_plain(const ValueSource *source);

/* Does the value depend on no run?  Then *value (may be NULL) becomes it, living as long as the source. */
extern bool sigma_value_source_is_static(const ValueSource *source, JsonbValue *value);

/*
 * Any value as plain text, as dynamic text shows it: numbers without quotes, null
 * empty, arrays joined by commas, objects as JSON.  palloc'd.
 */
extern char *sigma_jsonb_text(const JsonbValue *value);

/*
 * Compile a condition or an array of them (all must hold).  NULL where there is
 * nothing to hold: a NULL node, null, an empty array.  Raises SG400, and what
 * compiling a formula raises: 42804 for one that is not logical.
 */
extern Condition *sigma_condition_compile(const CompileState *state, const JsonNode *node);

/* Does it hold?  A NULL condition does; an unknown answer is no. */
extern bool sigma_condition_evaluate(const Condition *condition, RunContext *context);

/* The string member "key" of "object"; SG400 where it is missing or no string. */
extern const char *sigma_required_string(const JsonNode *object, const char *noun, const char *key);

#endif							/* SIGMA_VALUE_SOURCE_H */
