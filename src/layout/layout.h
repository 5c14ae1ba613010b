/*
 * layout.h
 *		What the files of the layout, and the floors above, know of layout elements.
 *
 * The tree lives in sigma.sigma_layout_elements alone: parent_id and position are
 * the truth, nesting_level and children are kept true by the statement triggers.
 */
#ifndef SIGMA_LAYOUT_H
#define SIGMA_LAYOUT_H

#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"

#include "common/catalog.h"
#include "common/json.h"
#include "common/jsonb_writer.h"
#include "formula/compile.h"
#include "formula/references.h"

#define LAYOUT_TABLE		"sigma_layout_elements"
#define LAYOUT_MAX_LEVELS	4	/* of containers and tab sets inside each other */

/* Columns of sigma_layout_elements, by number. */
enum LayoutColumn
{
	LAYOUT_ID = 1,
	LAYOUT_TYPE,
	LAYOUT_CONFIG,
	LAYOUT_PARENT,
	LAYOUT_CHILDREN,
	LAYOUT_LEVEL,
	LAYOUT_CREATED,
	LAYOUT_NAME,
	LAYOUT_METADATA,
	LAYOUT_STATUS,
	LAYOUT_UPDATED,
	LAYOUT_POSITION
};

/* What an element type means for the tree. */
typedef struct ElementKind
{
	const char *name;
	bool		holds;			/* may have children */
	bool		counts;			/* is one of the levels that are limited */
	bool		resets;			/* levels inside it are counted anew */
	int			columns;		/* of its own grid, where its settings do not say; 0: it has none */
	bool		floats;			/* has no place on its parent's grid */
} ElementKind;

/* A place on a grid; 0 stands for a number that is not given. */
typedef struct Grid
{
	int			column;			/* from 1 */
	int			row;			/* from 1 */
	int			width;			/* in columns */
	int			height;			/* in rows */
} Grid;

/* One element as the tree knows it. */
typedef struct Element
{
	const char *id;				/* hash key, must be first */
	bool		exists;			/* there is such a row */
	const ElementKind *kind;
	const char *parent_id;		/* NULL: a root */
	int32		position;
	bool		has_position;
	Timestamp	created_at;
	int32		stored_level;	/* nesting_level of the row */
	int			max_nesting;	/* the element's own limit, 0: none */
	Grid		grid;			/* its place */
	int			columns;		/* of its own grid, 0: none */

	/* worked out by sigma_tree_settle */
	enum
	{
		ELEMENT_UNKNOWN,
		ELEMENT_OPEN,			/* on the way up: seen again, it is a cycle */
		ELEMENT_SETTLED
	}			state;
	bool		touched;		/* written by the statement: its parent must exist */
	struct Element *parent;		/* NULL: a root, or its parent is not there */
	int			level;			/* depth in the tree, a root is 0 */
	int			depth;			/* counted levels on the way up, itself included */
	int			limit;			/* deepest depth allowed in it */
	struct Element *limited_by; /* container whose max_nesting set it, or NULL */
	bool		in_popover;		/* is a popover or in one */

	bool		named;			/* rows may name it as parent: set by sigma_tree_expect_leaves */
	bool		loaded;			/* "children" is known */
	List	   *children;		/* of Element, in order */
	bool		spread;			/* everything below was settled */
	bool		refresh;		/* its row's children are to be compared */
	bool		arranged;		/* the places of its children were checked */
} Element;

/* The elements one check has looked at, by the newest snapshot. */
typedef struct LayoutTree
{
	Relation	rel;
	Oid			id_index;
	Oid			parent_index;
	Snapshot	snapshot;		/* registered */
	HTAB	   *elements;		/* of Element */
	Element    *last;			/* that was looked up, or NULL */
	bool		restoring;		/* parents may be missing, given children are kept */
	Datum	   *values;			/* of the row at hand */
	bool	   *nulls;
	JsonbWriter writer;
	List	   *settled;		/* of Element, whose levels may have changed */
	List	   *refresh;		/* of Element */
} LayoutTree;

/* A document's row whose parent is given by where it stood. */
typedef struct Placement
{
	char	   *id;
	char	   *parent_id;		/* NULL: at the root */
	int32		position;
} Placement;

/* A row that a statement wrote, with what must be done about it. */
typedef struct LayoutChange
{
	char	   *id;
	const ElementKind *kind;
	char	   *old_parent;		/* UPDATE: where it was, NULL at the root */
	char	   *parent;
	bool		inserted;
	bool		moved;			/* parent, type or limit: the subtree is checked */
	bool		reordered;		/* position alone */
	bool		placed;			/* it has another place on its parent's grid */
	bool		regridded;		/* its own grid has another number of columns */
	bool		retyped;		/* it is something else now */
	bool		configured;		/* settings: references are checked */
	bool		brings;			/* settings hold sequences, or it is a control */
	bool		preset;			/* a control that starts with something else now, or with what its new type has */
	bool		rebound;		/* a control that sets another variable now */
	char	   *old_label;		/* a tab that is called something else now: its old label */
	JsonNode   *given;			/* children as written, or NULL */
} LayoutChange;

/* structure.c: the rules of the tree */
extern const ElementKind *sigma_element_kind(const char *type);
extern const ElementKind *sigma_element_kind_of(Datum type);
extern const char *const *sigma_element_kind_names(void);
extern LayoutTree *sigma_tree_open(Relation rel);
extern void sigma_tree_close(LayoutTree *tree);
extern Element *sigma_tree_fetch(LayoutTree *tree, const char *id);
extern List *sigma_tree_children(LayoutTree *tree, const char *parent_id);
extern void sigma_tree_place(LayoutTree *tree, const char *id);
extern void sigma_tree_refresh(LayoutTree *tree, const char *id);
extern void sigma_tree_expect_leaves(LayoutTree *tree, List *ids);	/* of C strings */
extern void sigma_tree_write(LayoutTree *tree);
extern int	sigma_layout_max_nesting(Jsonb *config);

/* lookup.c: rows through the indexes */
extern HeapTuple sigma_layout_row(Relation rel, Snapshot snapshot, const char *id);
extern int32 sigma_layout_next_position(Relation rel, const char *parent_id);
extern bool sigma_layout_named_parents(Relation rel, List *ids, List **parents);

/* elements.c: NULL is the same as NULL alone */
extern bool sigma_same_text(const char *a, const char *b);
extern bool sigma_same_json(const Jsonb *a, const Jsonb *b);

/* grid.c: places on grids */
extern void sigma_grid_read(Jsonb *config, Grid *grid);
extern int	sigma_grid_columns(const ElementKind *kind, Jsonb *config);
extern void sigma_tree_check_grid(LayoutTree *tree, const char *parent_id);

/* upkeep.c: the lock, and statements that the layout runs itself */
extern void sigma_layout_lock(void);
extern bool sigma_layout_upkeep(void);	/* is the running statement one of sigma's own? */
extern void sigma_layout_write_rows(Relation rel, ArrayType *ids, ArrayType *children,
									ArrayType *rewrite, ArrayType *levels);
extern void sigma_layout_write_config(Relation rel, ArrayType *ids, ArrayType *configs);
extern void sigma_layout_delete_rows(Relation rel, ArrayType *ids);
extern void sigma_layout_insert(List *documents, bool replace);	/* of JsonNode, as the caller */
extern void sigma_layout_move(List *placements);	/* of Placement, as the caller */
extern ArrayType *sigma_text_array(List *strings);
extern void sigma_layout_targets_changed(void);

/* nested.c: children that are given as documents or ids */
extern void sigma_layout_fold_tabs(JsonNode *document, bool children_written);
extern void sigma_layout_adopt(Relation rel, List *changes);
extern List *sigma_layout_flatten(Relation rel, JsonNode *documents, bool may_exist);
extern HTAB *sigma_id_set(const char *name, Size entrysize);	/* keyed by pointers to ids */

/* formulas.c: formulas in settings; raises what compiling them raises */
extern void sigma_layout_check_formulas(JsonNode *document);
extern Oid	sigma_layout_relation(const char *name);

/* formulas.c: the relation whose rows an input table, an element or a relation of that name shows, or InvalidOid */
extern Oid	sigma_layout_source_relation(const char *source);

/* documents.c: what settings bring along and what they name */
extern const char *const sigma_layout_sequence_settings[];	/* ends with NULL */
extern bool sigma_layout_brings(const ElementKind *kind, Jsonb *config);
extern void sigma_layout_documents(Relation rel, List *changes);
extern JsonNode *sigma_layout_settings(Relation rel, const char *id);	/* as they are now, or NULL */
extern void sigma_layout_write_settings(Relation rel, List *ids, List *written);	/* of Jsonb */
extern JsonNode *sigma_layout_sequence_document(const ElementKind *kind, const char *element, const char *setting,
												JsonNode *document);
extern const char *sigma_layout_usual_trigger(const ElementKind *kind, const char *setting);

/* references.c: what settings name */
typedef struct SourceColumns SourceColumns;

extern void sigma_layout_check_references(JsonNode *document);
extern bool sigma_layout_column_missing(SourceColumns **columns, const Reference *reference);

/* a source is an input table, an element that shows one, or a relation: is there none of that name? */
extern bool sigma_layout_source_missing(const char *name, const char **noun);

/* a hint that names what is nearest to an id that does not exist, else "otherwise" */
extern char *sigma_layout_hint(DocumentKind kind, const char *id, const char *otherwise);

/* controls.c: controls and their variables */
typedef struct LayoutControl
{
	const char *id;
	const char *variable;		/* that it sets */
	JsonNode   *settings;
} LayoutControl;

extern void sigma_layout_compare_settings(LayoutChange *change, Jsonb *old, Jsonb *config);
extern void sigma_layout_bring_variable(const LayoutChange *change, const JsonNode *settings);
extern void sigma_layout_check_variable(const LayoutChange *change, const JsonNode *settings);
extern void sigma_layout_delete_variable(const char *id);
extern JsonNode *sigma_layout_control_variable(const char *name, const JsonNode *settings);
extern bool sigma_layout_control_takes(const JsonNode *settings, const char *type);
extern List *sigma_layout_controls(const char *variable);	/* of LayoutControl: those that set it; NULL: all */

/* tabs.c: the tab that is shown first */
extern void sigma_layout_check_default_tab(Relation rel, const char *tabs);
extern bool sigma_layout_lost_default_tab(Relation rel, const char *tabs, const char *id, const char *label);
extern void sigma_layout_follow_tabs(Relation rel, List *changes);

/* remove.c */
typedef struct LayoutDeleted
{
	char	   *id;
	char	   *type;
	char	   *parent_id;		/* or NULL */
	Jsonb	   *config;			/* or NULL */
} LayoutDeleted;

typedef struct LayoutRemoval
{
	bool		cascade;		/* what refers to the elements does not stop it */
	int			deleted;		/* rows, counted by the trigger */
} LayoutRemoval;

extern void sigma_layout_delete(const char *id, LayoutRemoval *removal);
extern void sigma_layout_removed(Relation rel, List *deleted);	/* of LayoutDeleted */

/* tree.c: a subtree as the caller may see it */
typedef struct OutlineNode
{
	const char *id;				/* hash key, must be first */
	const char *type;
	const ElementKind *kind;	/* NULL: not a known type */
	char	   *name;			/* or NULL */
	char	   *parent_id;		/* or NULL */
	int			nesting_level;
	bool		has_position;
	int			position;
	Timestamp	created_at;
	Jsonb	   *config;			/* or NULL */
	List	   *children;		/* of OutlineNode, in order */
	int			layout_depth;	/* counted levels, set when the node is reached */
	char	   *path;			/* ids from the root, set then too */
	bool		orphan;			/* its parent is not there */
	bool		reached;		/* guards walks over damaged data */
} OutlineNode;

typedef struct Outline
{
	List	   *roots;			/* of OutlineNode, in order */
	List	   *nodes;			/* of OutlineNode, all that were read */
	HTAB	   *index;
} Outline;

/*
 * What the floor of runs knows about contexts; NULL until it is loaded.  read() raises
 * SG400 and gives what the others take.
 */
typedef struct LayoutContextHooks
{
	void	   *(*read) (Jsonb *document);
	FormulaFetch fetch;
	const char *(*mode) (void *context);	/* "auto", "draft", "published", or NULL */
	const char *(*user_id) (void *context); /* or NULL */
	JsonbContainer *(*metadata) (void *context);	/* or NULL */
	char	   *(*text) (const JsonbValue *value);	/* as dynamic text shows it */
} LayoutContextHooks;

extern const LayoutContextHooks *sigma_layout_contexts; /* html_text.c */

extern Outline *sigma_outline_read(const char *root);
extern bool sigma_outline_reach(OutlineNode *node, const OutlineNode *parent);

/* formulas.c: FormulaScope.resolve for references to a context; a bare name that is no column must be a declared control's */
extern bool sigma_resolve_declared(FormulaScope *scope, const char *source, const char *name, FormulaSql *result);

#endif							/* SIGMA_LAYOUT_H */
