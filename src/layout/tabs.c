/*
 * tabs.c
 *		The tab that "tabs" shows first: default_tab, which names it by its id, its label or its place.
 *
 * It is looked up by the newest snapshot, after the statement.  Tabs may come one after
 * the other, so it is checked where it is written and where a tab goes, not where one
 * comes; where a tab gets another label, default_tab follows.
 */
#include "postgres.h"

#include "access/xact.h"

#include "common/errors.h"
#include "layout/layout.h"

static bool has_default(Relation rel, const char *tabs, const JsonNode *wanted, const char ***ids);
static void follow_label(Relation rel, const LayoutChange *change);

/* The default tab of "tabs" must be one of them, once there are any; SG400. */
void
sigma_layout_check_default_tab(Relation rel, const char *tabs)
{
	JsonNode   *settings = sigma_layout_settings(rel, tabs);
	JsonNode   *wanted = settings == NULL ? NULL : sigma_json_get(settings, "default_tab");
	const char **ids;

	if (has_default(rel, tabs, wanted, &ids))
		return;
	if (wanted->kind == JSON_NUMBER)
		sigma_document_error(wanted, 0, "Tabs are counted from 0.", "tabs \"%s\" has no tab %s", tabs, sigma_json_text(wanted));
	sigma_document_error(wanted, 0, sigma_hint_names(wanted->string, ids), "tabs \"%s\" has no tab \"%s\"", tabs, wanted->string);
}

/* Has "tabs" lost the tab that it shows first with the one of that id and label (NULL: none)? */
bool
sigma_layout_lost_default_tab(Relation rel, const char *tabs, const char *id, const char *label)
{
	JsonNode   *settings = sigma_layout_settings(rel, tabs);
	JsonNode   *wanted = settings == NULL ? NULL : sigma_json_get(settings, "default_tab");
	const char **ids;

	if (wanted == NULL || (wanted->kind == JSON_STRING && strcmp(wanted->string, id) != 0 &&
						   (label == NULL || strcmp(wanted->string, label) != 0)))
		return false;
	return !has_default(rel, tabs, wanted, &ids);
}

/* Is the wanted tab (NULL: any) one of the tabs?  Else *ids are those that there are, ending with NULL. */
static bool
has_default(Relation rel, const char *tabs, const JsonNode *wanted, const char ***ids)
{
	LayoutTree *tree;
	List	   *list;
	int			count = 0;
	ListCell   *cell;

	if (wanted == NULL || (wanted->kind != JSON_STRING && wanted->kind != JSON_NUMBER))
		return true;
	CommandCounterIncrement();
	tree = sigma_tree_open(rel);
	list = sigma_tree_children(tree, tabs);
	sigma_tree_close(tree);
	if (list == NIL)
		return true;
	if (wanted->kind == JSON_NUMBER)
	{
		char	   *place = sigma_json_text(wanted);

		return strlen(place) < 10 && atoi(place) < list_length(list);
	}
	*ids = palloc(sizeof(char *) * (list_length(list) + 1));
	foreach(cell, list)
	{
		Element    *tab = lfirst(cell);
		JsonNode   *settings = sigma_layout_settings(rel, tab->id);

		if (strcmp(tab->id, wanted->string) == 0 ||
			(settings != NULL && strcmp(sigma_json_get_string(settings, "label", ""), wanted->string) == 0))
			return true;
		(*ids)[count++] = tab->id;
	}
	(*ids)[count] = NULL;
	return false;
}

/*
 * After a statement: what named a tab by a label that it has no more names it by the
 * new one.  A tab that its tabs show first does not leave them: SG409.
 */
void
sigma_layout_follow_tabs(Relation rel, List *changes)
{
	ListCell   *cell;

	foreach(cell, changes)
	{
		LayoutChange *change = lfirst(cell);
		JsonNode   *settings;

		if (change->kind == NULL || strcmp(change->kind->name, "tab") != 0 || change->inserted)
			continue;
		if (change->old_label != NULL && change->parent != NULL)
			follow_label(rel, change);
		if (change->old_parent == NULL || (change->parent != NULL && strcmp(change->old_parent, change->parent) == 0))
			continue;
		settings = sigma_layout_settings(rel, change->id);
		if (sigma_layout_lost_default_tab(rel, change->old_parent, change->id, change->old_label != NULL || settings == NULL ?
										  change->old_label : sigma_json_get_string(settings, "label", NULL)))
			ereport(ERROR,
					(errcode(ERRCODE_SIGMA_CONFLICT),
					 errmsg("tab \"%s\" cannot leave tabs \"%s\"", change->id, change->old_parent),
					 errdetail("Layout element \"%s\" refers to \"%s\" at $.default_tab.", change->old_parent, change->id),
					 errhint("Change \"default_tab\" of \"%s\" first.", change->old_parent)));
	}
}

/* One tab got another label: its tabs may have named it by the old one. */
static void
follow_label(Relation rel, const LayoutChange *change)
{
	JsonNode   *settings = sigma_layout_settings(rel, change->parent);
	JsonNode   *wanted = settings == NULL ? NULL : sigma_json_get(settings, "default_tab");
	JsonNode   *tab = sigma_layout_settings(rel, change->id);
	const char **ids;
	char	   *label;

	if (wanted == NULL || wanted->kind != JSON_STRING || strcmp(wanted->string, change->old_label) != 0 ||
		has_default(rel, change->parent, wanted, &ids))
		return;
	label = tab == NULL ? change->id : sigma_json_get_string(tab, "label", change->id);
	sigma_json_set(settings, "default_tab", sigma_json_new_string(label, NULL));
	sigma_layout_write_settings(rel, list_make1(change->parent), list_make1(sigma_json_write(settings)));
}
