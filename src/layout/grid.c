/*
 * grid.c
 *		The grid that a page, container or overlay lays its children out on.
 *
 * An element with "column" and "row" has a fixed place, which must lie on the grid of
 * its parent and be its own.  What lacks either is placed where it is drawn: as CSS
 * grids do, row by row in the order of siblings, never going back.  For the check an
 * absent width is one column, an absent height one row.
 *
 * Overlaps are checked after the statement, under the layout's lock, among the
 * children of those elements alone whose grid the statement may have changed.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/rel.h"

#include "common/document_hooks.h"
#include "common/jsonb_value.h"
#include "layout/layout.h"

static int	compare_rows(const void *a, const void *b);
static void refuse_wide(const LayoutTree *tree, const Element *element, const Element *parent) pg_attribute_noreturn();
static void refuse_overlap(const LayoutTree *tree, const Element *a, const Element *b) pg_attribute_noreturn();
static char *describe(const Element *element);

/* The place that settings (NULL: none) give an element. */
void
sigma_grid_read(Jsonb *config, Grid *grid)
{
	JsonbValue	value;

	memset(grid, 0, sizeof(Grid));
	if (config == NULL || !JB_ROOT_IS_OBJECT(config) ||
		getKeyJsonValueFromContainer(&config->root, "grid", strlen("grid"), &value) == NULL ||
		value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
		return;
	grid->column = sigma_jsonb_int(value.val.binary.data, "column", 0);
	grid->row = sigma_jsonb_int(value.val.binary.data, "row", 0);
	grid->width = sigma_jsonb_int(value.val.binary.data, "width", 0);
	grid->height = sigma_jsonb_int(value.val.binary.data, "height", 0);
}

/* The number of columns of an element's own grid; 0 where it has none. */
int
sigma_grid_columns(const ElementKind *kind, Jsonb *config)
{
	if (kind->columns == 0 || config == NULL || !JB_ROOT_IS_OBJECT(config))
		return kind->columns;
	return Min(Max(sigma_jsonb_int(&config->root, "grid_density", kind->columns), 1), SIGMA_GRID_COLUMNS);
}

/* Is the place fixed? */
static bool
is_fixed(const Grid *grid)
{
	return grid->column > 0 && grid->row > 0;
}

/*
 * Check the fixed places of an element's children: a sweep down the rows.  Raises
 * 23514 where one goes beyond the grid or two overlap.
 */
void
sigma_tree_check_grid(LayoutTree *tree, const char *parent_id)
{
	Element    *parent = sigma_tree_fetch(tree, parent_id);
	const Element *last[SIGMA_GRID_COLUMNS + 1] = {NULL};
	const Element **fixed;
	List	   *children;
	int			count = 0;
	int			i;
	ListCell   *cell;

	if (parent == NULL || parent->columns == 0 || parent->arranged)
		return;
	parent->arranged = true;
	children = sigma_tree_children(tree, parent_id);
	fixed = palloc(sizeof(Element *) * (list_length(children) + 1));

	foreach(cell, children)
	{
		const Element *child = lfirst(cell);

		if (child->kind->floats)
			continue;
		if (Max(child->grid.column, 1) + Max(child->grid.width, 1) - 1 > parent->columns)
			refuse_wide(tree, child, parent);
		if (is_fixed(&child->grid))
			fixed[count++] = child;
	}
	qsort(fixed, count, sizeof(Element *), compare_rows);
	for (i = 0; i < count; i++)
	{
		const Grid *grid = &fixed[i]->grid;
		int			column;

		CHECK_FOR_INTERRUPTS();
		for (column = grid->column; column < grid->column + Max(grid->width, 1); column++)
		{
			const Element *above = last[column];

			if (above != NULL && above->grid.row + Max(above->grid.height, 1) > grid->row)
				refuse_overlap(tree, above, fixed[i]);
			last[column] = fixed[i];
		}
	}
	pfree(fixed);
}

static int
compare_rows(const void *a, const void *b)
{
	const Element *x = *(const Element *const *) a;
	const Element *y = *(const Element *const *) b;

	if (x->grid.row != y->grid.row)
		return x->grid.row < y->grid.row ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* Raise 23514: an element is wider than the grid it stands on. */
static void
refuse_wide(const LayoutTree *tree, const Element *element, const Element *parent)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("layout element \"%s\" goes beyond the grid of %s \"%s\", which has %d columns",
					element->id, parent->kind->name, parent->id, parent->columns),
			 errdetail("%s.", describe(element)),
			 errhint("Make it narrower, or give \"%s\" a greater \"grid_density\".", parent->id),
			 errtable(tree->rel)));
}

/* Raise 23514: two elements have places in common. */
static void
refuse_overlap(const LayoutTree *tree, const Element *a, const Element *b)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("layout elements \"%s\" and \"%s\" overlap on the grid of \"%s\"", a->id, b->id, b->parent_id),
			 errdetail("%s; %s.", describe(a), describe(b)),
			 errhint("Move one of them, or leave \"row\" out of its \"grid\": then it goes where there is room."),
			 errtable(tree->rel)));
}

/* "box" takes columns 1-6 of rows 2-3 */
static char *
describe(const Element *element)
{
	const Grid *grid = &element->grid;
	int			column = Max(grid->column, 1);
	int			last = column + Max(grid->width, 1) - 1;
	int			bottom = grid->row + Max(grid->height, 1) - 1;
	char	   *text = psprintf(last > column ? "\"%s\" takes columns %d-%d" : "\"%s\" takes column %d",
								element->id, column, last);

	if (grid->row == 0)
		return text;
	return psprintf(bottom > grid->row ? "%s of rows %d-%d" : "%s of row %d", text, grid->row, bottom);
}
