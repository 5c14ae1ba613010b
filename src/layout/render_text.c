/*
 * render_text.c
 *		sigma.render_layout(): the layout as a tree for a terminal.
 *
 * One line per element: type, name, id, place on the grid, the settings that say most
 * about its type, and a warning for everything it names that is not there.  Lines are
 * drawn with Unicode where the database's encoding is UTF-8, with ASCII elsewhere.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "common/attempt.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/text.h"
#include "formula/references.h"
#include "input_table/objects.h"
#include "layout/layout.h"

PG_FUNCTION_INFO_V1(render_layout);

#define MAX_SHOWN	40			/* characters of one setting */

/* What lines are drawn with. */
typedef struct Strokes
{
	const char *branch;			/* before a child that has later siblings */
	const char *last;			/* before the last child */
	const char *bar;			/* below the one */
	const char *blank;			/* below the other */
	const char *separator;		/* between details */
	const char *times;
	const char *warning;
} Strokes;

static const Strokes unicode_strokes = {"├─ ", "└─ ", "│  ", "   ", " · ", "×", "⚠ "};
static const Strokes ascii_strokes = {"|- ", "`- ", "|  ", "   ", ", ", "x", "! "};

/* Settings worth a place on the line, by type; ends with NULL. */
static const struct
{
	const char *type;
	const char *settings[6];
}			shown_settings[] = {
	{"container", {"grid_density", "spacing", "max_nesting", "corner_style"}},
	{"tabs", {"default_tab", "tab_style", "alignment"}},
	{"tab", {"disabled"}},
	{"modal", {"width", "on_open", "on_close"}},
	{"drawer", {"width", "on_open", "on_close"}},
	{"popover", {"width"}},
	{"form", {"input_table", "submit_sequence"}},
	{"input_table", {"source"}},
	{"table", {"source"}},
	{"pivot", {"source"}},
	{"chart", {"chart_type", "source", "x", "y", "series", "aggregate"}},
	{"control", {"control_type", "variable"}},
	{"image", {"url"}},
};

/* One element whose line is still to be written. */
typedef struct RenderStep
{
	OutlineNode *node;
	char	   *indent;			/* of its line, without the branch */
	bool		is_root;
	bool		is_last;
} RenderStep;

static void render_tree(StringInfo out, const Strokes *strokes, OutlineNode *root);
static RenderStep *render_step(OutlineNode *node, char *indent, bool is_root, bool is_last);
static void render_node(StringInfo out, const Strokes *strokes, const OutlineNode *node);
static void render_grid(StringInfo out, const Strokes *strokes, const JsonNode *settings);
static void render_settings(StringInfo out, const Strokes *strokes, const char *type, const JsonNode *settings);
static const char *title_of(const OutlineNode *node, const JsonNode *settings);
static void render_warnings(StringInfo out, const Strokes *strokes, const char *indent, const char *stroke,
							const OutlineNode *node);
static void render_formula_warning(StringInfo out, const char *start, JsonNode *document);
static void check_formulas(void *arg);
static bool is_missing(const Reference *reference, const char **noun);

/* render_layout(root): the tree below root, or with NULL all trees; SG404 for an unknown root. */
Datum
render_layout(PG_FUNCTION_ARGS)
{
	const Strokes *strokes = GetDatabaseEncoding() == PG_UTF8 ? &unicode_strokes : &ascii_strokes;
	Outline    *outline = sigma_outline_read(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)));
	StringInfoData out;
	int			lost = 0;
	ListCell   *cell;

	initStringInfo(&out);
	foreach(cell, outline->roots)
		render_tree(&out, strokes, lfirst(cell));
	foreach(cell, outline->nodes)
		if (!((OutlineNode *) lfirst(cell))->reached)
			lost++;
	if (lost > 0)
		appendStringInfo(&out, "%s%d elements stand inside each other and in no tree\n", strokes->warning, lost);
	if (out.len == 0)
		appendStringInfoString(&out, "no layout elements\n");
	out.data[--out.len] = '\0'; /* lines are separated, not ended */
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* One tree, depth first, without recursion: damaged data may be deep. */
static void
render_tree(StringInfo out, const Strokes *strokes, OutlineNode *root)
{
	List	   *waiting = list_make1(render_step(root, "", true, true));

	while (waiting != NIL)
	{
		RenderStep *step = llast(waiting);
		OutlineNode *node = step->node;
		char	   *below;
		List	   *children = NIL;
		ListCell   *cell;
		int			i;

		CHECK_FOR_INTERRUPTS();
		waiting = list_delete_last(waiting);
		appendStringInfoString(out, step->indent);
		if (!step->is_root)
			appendStringInfoString(out, step->is_last ? strokes->last : strokes->branch);
		render_node(out, strokes, node);

		below = step->is_root ? pstrdup("") :
			psprintf("%s%s", step->indent, step->is_last ? strokes->blank : strokes->bar);
		foreach(cell, node->children)
			if (sigma_outline_reach(lfirst(cell), node))
				children = lappend(children, lfirst(cell));
		render_warnings(out, strokes, below, children == NIL ? strokes->blank : strokes->bar, node);
		for (i = list_length(children) - 1; i >= 0; i--)
			waiting = lappend(waiting, render_step(list_nth(children, i), below, false,
												   i == list_length(children) - 1));

		/* what is drawn needs no memory any more: in a deep chain it would add up */
		if (children == NIL)
			pfree(below);
		if (step->is_last && !step->is_root)
			pfree(step->indent);
		pfree(step);
		pfree(node->path);
		node->path = NULL;
	}
}

static RenderStep *
render_step(OutlineNode *node, char *indent, bool is_root, bool is_last)
{
	RenderStep *step = palloc(sizeof(RenderStep));

	step->node = node;
	step->indent = indent;
	step->is_root = is_root;
	step->is_last = is_last;
	return step;
}

/* An element's line: container "Filters" (box) · at 1,2 size 12×4 · spacing large */
static void
render_node(StringInfo out, const Strokes *strokes, const OutlineNode *node)
{
	JsonNode   *settings = node->config == NULL || !JB_ROOT_IS_OBJECT(node->config) ?
		sigma_json_new(JSON_OBJECT, NULL) : sigma_json_read(node->config);
	const char *title = title_of(node, settings);

	appendStringInfoString(out, node->type);
	if (title != NULL)
		appendStringInfo(out, " \"%s\"", sigma_text_line(title, MAX_SHOWN));
	appendStringInfo(out, " (%s)", node->id);
	render_grid(out, strokes, settings);
	render_settings(out, strokes, node->type, settings);
	if (!sigma_json_get_bool(settings, "visible", true))
		appendStringInfo(out, "%shidden", strokes->separator);
	if (!sigma_json_get_bool(settings, "interactive", true))
		appendStringInfo(out, "%snot interactive", strokes->separator);
	appendStringInfoChar(out, '\n');
}

/* The place on the grid, as far as it is given. */
static void
render_grid(StringInfo out, const Strokes *strokes, const JsonNode *settings)
{
	JsonNode   *grid = sigma_json_get(settings, "grid");
	const char *between = strokes->separator;

	if (grid == NULL || grid->kind != JSON_OBJECT)
		return;
	if (sigma_json_get(grid, "column") != NULL || sigma_json_get(grid, "row") != NULL)
	{
		appendStringInfo(out, "%sat %d,%d", between, (int) sigma_json_get_int(grid, "column", 1),
						 (int) sigma_json_get_int(grid, "row", 1));
		between = " ";
	}
	if (sigma_json_get(grid, "width") != NULL && sigma_json_get(grid, "height") != NULL)
		appendStringInfo(out, "%s%d%s%d", between, (int) sigma_json_get_int(grid, "width", 0), strokes->times,
						 (int) sigma_json_get_int(grid, "height", 0));
	else if (sigma_json_get(grid, "width") != NULL)
		appendStringInfo(out, "%s%d wide", between, (int) sigma_json_get_int(grid, "width", 0));
	else if (sigma_json_get(grid, "height") != NULL)
		appendStringInfo(out, "%s%d high", between, (int) sigma_json_get_int(grid, "height", 0));
}

/* The settings that say most about this type. */
static void
render_settings(StringInfo out, const Strokes *strokes, const char *type, const JsonNode *settings)
{
	int			i;
	int			j;

	for (i = 0; i < lengthof(shown_settings); i++)
		if (strcmp(shown_settings[i].type, type) == 0)
			break;
	if (i == lengthof(shown_settings))
		return;
	for (j = 0; j < lengthof(shown_settings[i].settings) && shown_settings[i].settings[j] != NULL; j++)
	{
		const char *name = shown_settings[i].settings[j];
		JsonNode   *node = sigma_json_get(settings, name);
		char	   *label = pstrdup(name);
		char	   *c;

		if (node == NULL || node->kind == JSON_NULL || (node->kind == JSON_BOOL && !node->boolean))
			continue;
		for (c = label; *c != '\0'; c++)
			if (*c == '_')
				*c = ' ';
		appendStringInfo(out, "%s%s", strokes->separator, label);
		if (node->kind != JSON_BOOL)
			appendStringInfo(out, " %s", sigma_text_line(node->kind == JSON_STRING ? node->string : sigma_json_text(node), MAX_SHOWN));
	}
}

/* What an element is called: its name, else the text that users see; NULL where there is none. */
static const char *
title_of(const OutlineNode *node, const JsonNode *settings)
{
	static const char *const titles[] = {"title", "label", "text", "content"};
	int			i;

	if (node->name != NULL && node->name[0] != '\0')
		return node->name;
	for (i = 0; i < lengthof(titles); i++)
	{
		char	   *title = sigma_json_get_string(settings, titles[i], NULL);

		if (title != NULL && title[0] != '\0')
			return title;
	}
	return NULL;
}

/* A line for everything that an element names and that is not there, and for formulas that are not right any more. */
static void
render_warnings(StringInfo out, const Strokes *strokes, const char *indent, const char *stroke,
				const OutlineNode *node)
{
	JsonNode   *document = sigma_catalog_read(DOCUMENT_LAYOUT_ELEMENT, node->id);
	char	   *start = psprintf("%s%s%s", indent, stroke, strokes->warning);
	SourceColumns *columns = NULL;
	bool		formulas;
	ListCell   *cell;

	if (node->orphan)
		appendStringInfo(out, "%sparent \"%s\" does not exist\n", start, node->parent_id);
	if (document == NULL)
		return;
	formulas = sigma_json_get(document, "filter") != NULL;
	(void) sigma_json_remove(document, "parent_id");
	(void) sigma_json_remove(document, "children");
	foreach(cell, sigma_document_references(DOCUMENT_LAYOUT_ELEMENT, document))
	{
		Reference  *reference = lfirst(cell);
		const char *noun;

		formulas |= reference->place != NULL;
		if (is_missing(reference, &noun))
			appendStringInfo(out, "%s%s \"%s\" does not exist\n", start, noun, sigma_text_line(reference->name, MAX_SHOWN));
		else if (sigma_layout_column_missing(&columns, reference))
			appendStringInfo(out, "%scolumn \"%s\" of \"%s\" does not exist\n", start,
							 sigma_text_line(reference->name, MAX_SHOWN), sigma_text_line(reference->table, MAX_SHOWN));
	}
	if (formulas)
		render_formula_warning(out, start, document);
}

/* A line for the first formula of an element that does not compile. */
static void
render_formula_warning(StringInfo out, const char *start, JsonNode *document)
{
	ErrorData  *error = sigma_attempt(check_formulas, document);
	const char *path = error == NULL || error->detail == NULL || error->detail[0] != '$' ? "" : error->detail;

	if (error == NULL)
		return;
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION &&
		ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_TO_CATEGORY(ERRCODE_SIGMA_DOCUMENT))
		ReThrowError(error);
	if (strncmp(path, "$.", 2) == 0)
		appendStringInfo(out, "%s%s: %s\n", start, pnstrdup(path + 2, strcspn(path + 2, ":\n")), error->message);
	else
		appendStringInfo(out, "%s%s\n", start, error->message);
}

/* AttemptedWork: the formulas of an element's settings. */
static void
check_formulas(void *arg)
{
	sigma_layout_check_formulas(arg);
}

/* Is what a reference names missing?  *noun says what it would be. */
static bool
is_missing(const Reference *reference, const char **noun)
{
	DocumentKind kind;
	NamedObject object;

	switch (reference->kind)
	{
		case REFERENCE_INPUT_TABLE:
			return reference->place == NULL && sigma_layout_source_missing(reference->name, noun);
		case REFERENCE_SEQUENCE:
			kind = DOCUMENT_SEQUENCE;
			break;
		case REFERENCE_ACTION:
			kind = DOCUMENT_ACTION;
			break;
		case REFERENCE_ELEMENT:
			kind = DOCUMENT_LAYOUT_ELEMENT;
			break;
		case REFERENCE_VARIABLE:
			*noun = sigma_catalog_table(DOCUMENT_VARIABLE)->noun;
			return reference->table == NULL && !reference->may_be_other &&
				!sigma_names_resolve(sigma_names_open(), reference, &object);
		case REFERENCE_COLUMN:
		default:
			return false;
	}
	*noun = sigma_catalog_table(kind)->noun;
	return !reference->may_be_other && !sigma_catalog_exists(kind, reference->name);
}
