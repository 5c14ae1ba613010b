/*
 * references_formula.c
 *		The names in formulas: finding them, and writing formulas with other names.
 *
 * A string of a document is parsed once; its references point into the trees.  What
 * is renamed there is printed back in the canonical form, which is how it was stored.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "formula/compile.h"
#include "formula/functions.h"
#include "formula/references.h"

/* A part of a string: a formula, or text between formulas. */
typedef struct PlacePart
{
	FormulaNode *tree;			/* NULL: text */
	const char *text;
} PlacePart;

struct FormulaPlace
{
	JsonNode   *where;
	bool		is_text;		/* dynamic text */
	int			count;
	PlacePart	parts[FLEXIBLE_ARRAY_MEMBER];
};

/* While the references of one string are gathered. */
typedef struct Gathering
{
	FormulaPlace *place;
	const char *table;
	List	   *references;
} Gathering;

static void gather(Gathering *gathering, FormulaNode *node);
static void gather_reference(Gathering *gathering, FormulaNode *node);
static void gather_call(Gathering *gathering, FormulaNode *node);
static Reference *add(Gathering *gathering, ReferenceKind kind, const char *name, FormulaNode *node);
static void append_text(StringInfo out, const char *text);

/* The references of a formula.  Raises 42601 with the node's path. */
List *
sigma_formula_references(List *references, JsonNode *where, const char *table)
{
	FormulaPlace *place;
	Gathering	gathering;

	if (where == NULL || where->kind != JSON_STRING)
		return references;
	place = palloc0(offsetof(FormulaPlace, parts) + sizeof(PlacePart));
	place->where = where;
	place->count = 1;
	place->parts[0].tree = sigma_formula_parse_at(sigma_json_path(where), where->string);
	gathering.place = place;
	gathering.table = table;
	gathering.references = references;
	gather(&gathering, place->parts[0].tree);
	return gathering.references;
}

/* The references of dynamic text; none where its braces do not match. */
List *
sigma_text_references(List *references, JsonNode *where)
{
	FormulaPlace *place;
	Gathering	gathering;
	List	   *pieces;
	ListCell   *cell;

	if (where == NULL || where->kind != JSON_STRING || strstr(where->string, "{{") == NULL ||
		!sigma_dynamic_text_split(where->string, &pieces))
		return references;
	place = palloc0(offsetof(FormulaPlace, parts) + sizeof(PlacePart) * list_length(pieces));
	place->where = where;
	place->is_text = true;
	gathering.place = place;
	gathering.table = NULL;
	gathering.references = references;
	foreach(cell, pieces)
	{
		const TextPiece *piece = lfirst(cell);
		PlacePart  *part = &place->parts[place->count++];

		part->text = piece->text;
		if (!piece->is_formula)
			continue;
		part->tree = sigma_formula_parse_at(sigma_json_path(where), piece->text);
		gather(&gathering, part->tree);
	}
	return gathering.references;
}

/* Print the formulas of a place, where names have changed, into its document. */
void
sigma_place_write(FormulaPlace *place)
{
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	for (i = 0; i < place->count; i++)
	{
		const PlacePart *part = &place->parts[i];
		const char *formula;

		if (part->tree == NULL)
		{
			append_text(&out, part->text);
			continue;
		}
		formula = sigma_formula_print(part->tree);
		if (!place->is_text)
			appendStringInfoString(&out, formula);
		else
			appendStringInfo(&out, formula[0] == '{' ? "{{ %s}}" : "{{%s}}", formula);
	}
	place->where->string = out.data;
}

/* The references of a tree. */
static void
gather(Gathering *gathering, FormulaNode *node)
{
	int			i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node->kind == FORMULA_REFERENCE)
		gather_reference(gathering, node);
	else if (node->kind == FORMULA_CALL)
		gather_call(gathering, node);
	for (i = 0; i < node->nchildren; i++)
		gather(gathering, node->children[i]);
}

/*
 * [name] is a column of the rows that the formula is about, where they have one, else
 * a control; [source/name] belongs to the run, or to a table.
 */
static void
gather_reference(Gathering *gathering, FormulaNode *node)
{
	Reference  *reference;

	if (node->source == NULL)
	{
		if (gathering->table != NULL)
		{
			reference = add(gathering, REFERENCE_COLUMN, node->text, node);
			reference->table = gathering->table;
			reference->may_be_other = true;
		}
		reference = add(gathering, REFERENCE_VARIABLE, node->text, node);
		reference->table = gathering->table;
		reference->may_be_other = gathering->table != NULL;
	}
	else if (pg_strcasecmp(node->source, "Control") == 0)
		(void) add(gathering, REFERENCE_VARIABLE, node->text, node);
	else if (pg_strcasecmp(node->source, "ActionVar") == 0)
		add(gathering, REFERENCE_VARIABLE, node->text, node)->may_be_other = true;
	else if (pg_strcasecmp(node->source, "Selection") == 0 || pg_strcasecmp(node->source, "Form") == 0)
		(void) add(gathering, REFERENCE_COLUMN, node->text, node);
	else
	{
		add(gathering, REFERENCE_INPUT_TABLE, node->source, node)->may_be_other = true;
		add(gathering, REFERENCE_COLUMN, node->text, node)->table = node->source;
	}
}

/* A call of a function of the database names it in its first argument. */
static void
gather_call(Gathering *gathering, FormulaNode *node)
{
	const FormulaFunction *function = sigma_function_find(node->text);

	if (function != NULL && function->class == CLASS_CALL && node->nchildren > 0 &&
		node->children[0]->kind == FORMULA_TEXT)
		(void) add(gathering, REFERENCE_FUNCTION, node->children[0]->text, node->children[0]);
}

static Reference *
add(Gathering *gathering, ReferenceKind kind, const char *name, FormulaNode *node)
{
	Reference  *reference = palloc0(sizeof(Reference));

	reference->kind = kind;
	reference->name = name;
	reference->where = gathering->place->where;
	reference->place = gathering->place;
	reference->node = node;
	gathering->references = lappend(gathering->references, reference);
	return reference;
}

/* Literal text of dynamic text, in which two braces are written as four. */
static void
append_text(StringInfo out, const char *text)
{
	for (; *text != '\0'; text++)
		if (strncmp(text, "{{", 2) == 0)
		{
			appendStringInfoString(out, "{{{{");
			text++;
		}
		else
			appendStringInfoChar(out, *text);
}
