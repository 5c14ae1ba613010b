/*
 * document_specs.h
 *		What documents may hold: the tables that the reader of documents works from.
 *
 * One KeySpec is one row of a table: a key, an alias of a key, a key that is
 * dropped, or a foreign word that is refused with a hint.  An ObjectSpec is one
 * kind of object.  All of it is constant; nothing is built at run time.
 * Catalog listings (element types, action types) read the same tables.
 */
#ifndef SIGMA_DOCUMENT_SPECS_H
#define SIGMA_DOCUMENT_SPECS_H

#include "common/document.h"

/* What a value must be and how it is brought into its canonical form. */
typedef enum SpecType
{
	SPEC_TEXT,					/* a string */
	SPEC_NAME,					/* a string that is not empty */
	SPEC_DYNAMIC,				/* dynamic text */
	SPEC_FORMULA,				/* the text of a formula */
	SPEC_COLOR,					/* "#rrggbb" or a colour's name */
	SPEC_BOOL,
	SPEC_INT,					/* a whole number from min to max */
	SPEC_NUMBER,
	SPEC_ENUM,					/* one of "names" */
	SPEC_ANY,					/* any value, kept as it is; null is a value */
	SPEC_OPEN,					/* an object, kept as it is */
	SPEC_SPELLED,				/* an object of any keys, which are respelled */
	SPEC_OBJECT,				/* an object by "object" */
	SPEC_NAME_OR_OBJECT,		/* a name, or an object by "object" */
	SPEC_LIST,					/* an array; its elements are like "of" */
	SPEC_MAP,					/* an object whose keys users name; its values are like "of" */
	SPEC_VALUE,					/* a literal or a value source */
	SPEC_CELL,					/* the same for a table's cell: any object may be data */
	SPEC_CUSTOM,				/* "read" does it */
	SPEC_ALIAS,					/* another name of "other" */
	SPEC_DROPPED,				/* known, of no use in a definition */
	SPEC_REFUSED				/* a foreign word; "other" is the hint */
} SpecType;

/* a flag of the engine's own, beside those of sigma_document_normalise: part of changes, but whole */
#define DOCUMENT_NESTED	0x100

/* flags of a KeySpec */
#define KEY_REQUIRED	0x01	/* must be there, except in changes */
#define KEY_NULL		0x02	/* null is a value of its own, not "absent" */
#define KEY_WRAP		0x04	/* SPEC_LIST: a single value stands for a list of one */
#define KEY_FILLED		0x08	/* where absent, becomes the text "other" */
#define KEY_NOT_EMPTY	0x10	/* SPEC_LIST, SPEC_MAP: at least one */
#define KEY_NO_FALSE	0x20	/* false is the same as absent and left out */
#define KEY_NO_TRUE		0x40	/* true is the same as absent and left out */
#define KEY_COLUMN		0x80	/* stored in a column of its own, apart from what has none */

#define SPEC_MAX_KEYS	256		/* no object of fixed keys has as many */

typedef struct KeySpec KeySpec;
typedef struct ObjectSpec ObjectSpec;

/* A word and what is stored, or said, for it. */
typedef struct WordPair
{
	const char *given;
	const char *other;
} WordPair;

/* The words a value may be. */
typedef struct EnumSpec
{
	const char *const *names;	/* canonical, ends with NULL */
	const WordPair *aliases;	/* ends with NULL, or NULL */
	const WordPair *hints;		/* foreign words and what to use instead, or NULL */
	bool		quoted;			/* its key is no noun: messages name it in quotes */
} EnumSpec;

/* Brings a value into its canonical form: returns it, or another in its place. */
typedef JsonNode *(*SpecReader) (const KeySpec *key, JsonNode *value, int flags);

struct KeySpec
{
	const char *name;			/* NULL ends a table */
	SpecType	type;
	const char *description;	/* for the listings */
	int			flags;
	const char *other;			/* by type and flags: alias of, filled with, hint */
	const EnumSpec *names;		/* SPEC_ENUM */
	const ObjectSpec *object;	/* SPEC_OBJECT, SPEC_NAME_OR_OBJECT */
	const KeySpec *of;			/* SPEC_LIST, SPEC_MAP */
	SpecReader	read;			/* SPEC_CUSTOM */
	int64		min;			/* SPEC_INT, SPEC_NUMBER: limits, unless both are 0 */
	int64		max;
	const char *fallback;		/* as JSON: what readers take where it is absent */
	const char *value_type;		/* SPEC_CUSTOM: what the listings call it */
};

/* One kind of object. */
struct ObjectSpec
{
	const char *noun;			/* with its article: "an input table" */
	const KeySpec *keys;		/* those that every such object has */

	/* further tables by the object's type, ends with NULL; NULL where the type is not known */
	const KeySpec *const *(*variant) (const JsonNode *object);
	/* after respelling: brings what is more than a renaming into its place */
	void		(*before) (JsonNode *object, int flags);
	/* checks between keys */
	void		(*after) (JsonNode *object, int flags);
	/* would both leave an object as it is, whose members by themselves are plain?  NULL: nobody knows */
	bool		(*settled) (JsonbContainer *object);
};

/* One type of layout element. */
typedef struct ElementType
{
	const char *name;
	const char *description;
	const KeySpec *tables[8];	/* its settings, ends with NULL */
} ElementType;

/* One type of control. */
typedef struct ControlType
{
	const char *name;
	const char *description;
	const char *value_types[6]; /* of its variable, the default first; ends with NULL */
	const KeySpec *tables[6];	/* its settings, ends with NULL */
} ControlType;

/* Where an action's target stands. */
typedef enum TargetUse
{
	TARGET_NONE,
	TARGET_OPTIONAL,
	TARGET_REQUIRED,
	TARGET_DYNAMIC				/* required, and dynamic text */
} TargetUse;

/* One type of action with one of its subtypes. */
typedef struct ActionType
{
	const char *type;
	const char *subtype;		/* NULL: the type has none */
	TargetUse	target;
	const char *description;
	const KeySpec *tables[3];	/* its parameters, ends with NULL */
} ActionType;

/* the kinds of documents */
extern const ObjectSpec sigma_input_table_spec;
extern const ObjectSpec sigma_column_spec;
extern const ObjectSpec sigma_rule_spec;
extern const ObjectSpec sigma_row_rule_spec;
extern const ObjectSpec sigma_element_spec;
extern const ObjectSpec sigma_tab_spec;
extern const ObjectSpec sigma_action_spec;
extern const ObjectSpec sigma_sequence_spec;
extern const EnumSpec sigma_trigger_type_names;
extern const ObjectSpec sigma_trigger_spec;
extern const ObjectSpec sigma_condition_spec;
extern const ObjectSpec sigma_selector_spec;
extern const ObjectSpec sigma_variable_spec;
extern const ObjectSpec sigma_value_spec;
extern const ObjectSpec sigma_context_spec;

extern const ElementType sigma_element_types[];		/* ends with NULL */
extern bool sigma_element_is_plain(const char *type, Jsonb *settings, int flags);
extern const ControlType sigma_control_types[];		/* ends with NULL */
extern const EnumSpec sigma_control_type_names;
extern const ControlType *sigma_control_type(const JsonNode *settings);
extern bool sigma_control_holds(const ControlType *type, const char *value_type);
extern const char *sigma_control_value_type(const JsonNode *settings);
extern const ActionType sigma_action_types[];		/* ends with NULL */
extern const KeySpec sigma_element_keys[];			/* of every element */

extern const EnumSpec sigma_operator_names;
extern const EnumSpec sigma_element_type_names;
extern const EnumSpec sigma_action_type_names;
extern const KeySpec sigma_run_time_keys[];			/* dropped from every definition */

/* lists that several specs share */
extern const KeySpec sigma_a_name;
extern const KeySpec sigma_a_cell;
extern const KeySpec sigma_a_value;
extern const KeySpec sigma_an_action;
extern const KeySpec sigma_a_sort_item;

/* document.c: the engine, for the hooks of the tables */
extern JsonNode *sigma_spec_fallback(const KeySpec *key);
extern JsonNode *sigma_spec_read(const ObjectSpec *spec, JsonNode *node, int flags);
extern JsonNode *sigma_spec_read_value(const char *noun, const KeySpec *key, JsonNode *value, int flags);
extern void sigma_spec_read_tables(const char *noun, const KeySpec *const *tables, JsonNode *node, int flags);
extern void sigma_spec_respell(JsonNode *object);
extern void sigma_spec_rename(JsonNode *object, JsonNode *member, const char *name);
extern void sigma_spec_alias(JsonNode *object, const char *given, const char *canonical);
extern void sigma_spec_require(const JsonNode *node, JsonKind kind, const char *name, const char *what);
extern JsonNode *sigma_spec_enum(const char *noun, const char *key, const EnumSpec *names, JsonNode *value);
extern const char *sigma_spec_type_name(const KeySpec *key);
extern bool sigma_is_color(const char *text, int length);

/* document_plain.c */
extern bool sigma_spec_is_plain(const KeySpec *keys, const KeySpec *const *tables, JsonbContainer *object, int flags);

/* document_values.c */
extern JsonNode *sigma_read_value(JsonNode *value, bool cell);
extern JsonNode *sigma_read_condition(const KeySpec *key, JsonNode *condition, int flags);
extern JsonNode *sigma_read_match(const KeySpec *key, JsonNode *value, int flags);
extern JsonNode *sigma_read_context(JsonNode *context);

/* document_text.c */
extern char *sigma_respell(const char *key);
extern bool sigma_is_spelled(const char *key, int length);
extern bool sigma_same_word(const char *a, const char *b);
extern JsonNode *sigma_read_dynamic_text(JsonNode *text);
extern JsonNode *sigma_read_formula(JsonNode *formula);

#endif							/* SIGMA_DOCUMENT_SPECS_H */
