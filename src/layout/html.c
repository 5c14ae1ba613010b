/*
 * html.c
 *		sigma.render_html(): the layout as one self-contained web page.
 *
 * The elements are read as the caller, a level at a time; so are the sequences that
 * they start, all at once.  The page refers to nothing outside itself but pictures
 * and plugins that the layout names: its policy (Content-Security-Policy) allows one
 * script, known by its hash, and no connection, so that even markup that got past the
 * escaping could not run.
 */
#include "postgres.h"

#include "common/base64.h"
#include "common/sha2.h"
#include "common/cryptohash.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "common/catalog.h"
#include "common/number.h"
#include "layout/html.h"

PG_FUNCTION_INFO_V1(render_html);

#define FIRST_WIDTH	1200		/* pixels that a page may get */

/* The number of an element in the document. */
typedef struct HtmlId
{
	const char *id;				/* hash key, must be first */
	int			number;
} HtmlId;

static text *render(const char *root, Jsonb *context);
static void begin_page(HtmlPage *page, const char *root, Jsonb *context);
static void read_metadata(HtmlPage *page, JsonbContainer *metadata);
static void find_overlays(HtmlPage *page);
static void put_document(HtmlPage *page, const char *title);
static const char *script_hash(void);
static const char *const *find_pictures(void);
static const char *title_of(HtmlPage *page, const OutlineNode *node, const JsonNode *settings);
static OutlineNode *find_node(HtmlPage *page, const char *id);

/*
 * render_html(root, context): the element and all below it as an HTML document; with
 * NULL all pages.  SG404 for an unknown root, SG400 for a context that cannot be read.
 */
Datum
render_html(PG_FUNCTION_ARGS)
{
	char	   *root = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	Jsonb	   *context = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);
	SessionState saved = sigma_session;
	text	   *result;

	PG_TRY();
	{
		result = render(root, context);
	}
	PG_FINALLY();
	{
		sigma_session = saved;
	}
	PG_END_TRY();
	PG_RETURN_TEXT_P(result);
}

/* The document, in the current context. */
static text *
render(const char *root, Jsonb *context)
{
	HtmlPage	page = {0};
	OutlineNode *first;
	ListCell   *cell;
	StringInfoData body;
	int			pages = 0;
	const char *title = "Workbook";
	int			i;

	begin_page(&page, root, context);
	foreach(cell, page.outline->roots)
		if (root != NULL || strcmp(((OutlineNode *) lfirst(cell))->type, "page") == 0)
			pages++;
	first = NULL;
	if (root == NULL && pages > 1)
		sigma_html_put(&page, "<nav class=\"pages\" aria-label=\"Pages\"><div role=\"tablist\" class=\"tablist open\">");
	foreach(cell, page.outline->roots)
	{
		OutlineNode *node = lfirst(cell);

		if (root == NULL && strcmp(node->type, "page") != 0)
			continue;
		if (first == NULL)
			title = title_of(&page, node, sigma_html_settings(node));
		if (root == NULL && pages > 1)
		{
			int			number = sigma_html_number(&page, node->id);

			sigma_html_format(&page, "<button type=\"button\" role=\"tab\" class=\"tab\" id=\"e%dt\" aria-controls=\"e%d\""
							  " aria-selected=\"%s\" tabindex=\"%d\"", number, number,
							  first == NULL ? "true" : "false", first == NULL ? 0 : -1);
			sigma_html_attribute(&page, "data-sigma-page", node->id);
			sigma_html_put(&page, ">");
			sigma_html_text(&page, title_of(&page, node, sigma_html_settings(node)));
			sigma_html_put(&page, "</button>");
		}
		first = first == NULL ? node : first;
	}
	if (root == NULL && pages > 1)
		sigma_html_put(&page, "</div></nav>");
	if (first == NULL)
		sigma_html_put(&page, "<main class=\"page\"><div class=\"note\"><p><strong>There is no page yet</strong>"
					   "<span>sigma.create_page() makes one.</span></p></div></main>");
	foreach(cell, page.outline->roots)
		if (root != NULL || strcmp(((OutlineNode *) lfirst(cell))->type, "page") == 0)
			sigma_html_page(&page, lfirst(cell), root == NULL && pages > 1, lfirst(cell) != first);
	/* a dialog may hold another one */
	for (i = 0; i < list_length(page.overlays); i++)
		sigma_html_overlay(&page, list_nth(page.overlays, i), false);
	body = page.out;
	initStringInfo(&page.out);
	put_document(&page, title == NULL ? "Workbook" : title);
	appendBinaryStringInfo(&page.out, body.data, body.len);
	pfree(body.data);
	sigma_html_put(&page, "<div class=\"toasts\" role=\"status\" aria-live=\"polite\"></div><script>");
	sigma_html_put(&page, sigma_html_script);
	sigma_html_put(&page, "</script></body></html>\n");
	return cstring_to_text_with_len(page.out.data, page.out.len);
}

/* Read what the page is made of. */
static void
begin_page(HtmlPage *page, const char *root, Jsonb *context)
{
	const char *mode;
	ListCell   *cell;

	if (sigma_layout_contexts == NULL)
		elog(ERROR, "nothing reads contexts");
	initStringInfo(&page->out);
	enlargeStringInfo(&page->out, 65536);
	page->context = sigma_layout_contexts->read(context);
	mode = sigma_layout_contexts->mode(page->context);
	page->mode = mode == NULL ? (EntryMode) sigma_mode : strcmp(mode, "draft") == 0 ? MODE_DRAFT :
		strcmp(mode, "published") == 0 ? MODE_PUBLISHED : MODE_AUTO;
	if (sigma_layout_contexts->user_id(page->context) != NULL)
		sigma_session.user_id = sigma_layout_contexts->user_id(page->context);
	page->row_limit = HTML_ROWS;
	read_metadata(page, sigma_layout_contexts->metadata(page->context));
	page->outline = sigma_outline_read(root);
	page->element_ids = sigma_id_set("elements of a web page", sizeof(HtmlId));
	page->tables = sigma_id_set("input tables of a web page", sizeof(HtmlTable));
	page->columns = HTML_GRID_COLUMNS;
	page->width = FIRST_WIDTH;
	sigma_html_read_triggers(page, page->outline->nodes);
	if (root != NULL)
		find_overlays(page);
	else
		foreach(cell, page->outline->nodes)
		{
			OutlineNode *node = lfirst(cell);

			if (node->parent_id == NULL && (strcmp(node->type, "modal") == 0 || strcmp(node->type, "drawer") == 0))
				page->overlays = lappend(page->overlays, node);
		}
}

/* "row_limit" and "pages" of the context: how many rows elements show, and which. */
static void
read_metadata(HtmlPage *page, JsonbContainer *metadata)
{
	JsonbValue	value;

	if (metadata == NULL)
		return;
	if (getKeyJsonValueFromContainer(metadata, "row_limit", strlen("row_limit"), &value) != NULL &&
		value.type == jbvNumeric)
	{
		const char *why;
		Datum		limit;

		if (sigma_integer_from_numeric(value.val.numeric, &limit, &why))
			page->row_limit = (int) Max(1, Min(DatumGetInt64(limit), HTML_MAX_ROWS));
	}
	if (getKeyJsonValueFromContainer(metadata, "pages", strlen("pages"), &value) != NULL && value.type == jbvBinary)
		page->pages = sigma_json_read_value(&value);
}

/*
 * The dialogs of the workbook that the page's elements open, and what those open.  They
 * stand at the root, so they are not below the page.
 */
static void
find_overlays(HtmlPage *page)
{
	int			i;

	for (i = 0; i < list_length(page->opened); i++)
	{
		char	   *id = list_nth(page->opened, i);
		Outline    *outline;
		OutlineNode *node;

		if (find_node(page, id) != NULL || !sigma_catalog_exists(DOCUMENT_LAYOUT_ELEMENT, id))
			continue;
		outline = sigma_outline_read(id);
		node = linitial(outline->roots);
		if (node->parent_id != NULL || (strcmp(node->type, "modal") != 0 && strcmp(node->type, "drawer") != 0))
			continue;			/* it stands in another page */
		page->overlays = lappend(page->overlays, node);
		sigma_html_read_triggers(page, outline->nodes);
	}
}

static OutlineNode *
find_node(HtmlPage *page, const char *id)
{
	return hash_search(page->outline->index, &id, HASH_FIND, NULL);
}

/* Everything up to what is shown. */
static void
put_document(HtmlPage *page, const char *title)
{
	const char *const *picture;

	sigma_html_put(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
				   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
				   "<meta name=\"color-scheme\" content=\"light dark\">"
				   "<meta name=\"referrer\" content=\"no-referrer\">"
				   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; "
				   "form-action 'none'; style-src 'unsafe-inline'; script-src 'sha256-");
	sigma_html_put(page, script_hash());
	sigma_html_put(page, "'");
	sigma_html_put(page, page->images ? "; img-src 'self' https: http:" : "");
	sigma_html_put(page, page->frames ? "; frame-src https: http:" : "");
	sigma_html_put(page, "\"><title>");
	sigma_html_text(page, title);
	sigma_html_put(page, "</title><style>");
	sigma_html_put(page, sigma_html_style);
	sigma_html_put(page, "</style><noscript><style>tbody[hidden]{display:table-row-group}.pager,.sort-mark{display:none}"
				   "[role=tabpanel][hidden]{display:block}</style></noscript></head><body>"
				   "<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\">");
	for (picture = find_pictures(); picture[0] != NULL; picture += 2)
		sigma_html_format(page, "<symbol id=\"i-%s\" viewBox=\"0 0 16 16\">%s</symbol>", picture[0], picture[1]);
	sigma_html_put(page, "</svg>");
}

/* The SHA-256 of the script, in base 64; worked out once per backend. */
static const char *
script_hash(void)
{
	static char hash[64] = "";

	if (hash[0] == '\0')
	{
		uint8		digest[PG_SHA256_DIGEST_LENGTH];
		pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);
		int			length;

		if (pg_cryptohash_init(ctx) < 0 ||
			pg_cryptohash_update(ctx, (const uint8 *) sigma_html_script, strlen(sigma_html_script)) < 0 ||
			pg_cryptohash_final(ctx, digest, sizeof(digest)) < 0)
			elog(ERROR, "could not work out a hash: %s", pg_cryptohash_error(ctx));
		pg_cryptohash_free(ctx);
		length = pg_b64_encode((const void *) digest, sizeof(digest), hash, sizeof(hash) - 1);
		if (length < 0)
			elog(ERROR, "could not encode a hash");
		hash[length] = '\0';
	}
	return hash;
}

/* Pictures: name, drawing; 16 by 16.  Ends with NULL. */
static const char *const *
find_pictures(void)
{
	static const char *const pictures[] = {
		"text", "<path d=\"M3 12 6.8 3h2.4L13 12M4.6 9h6.8\"/>",
		"number", "<path d=\"M6 2.5 4.8 13.5M11.2 2.5 10 13.5M2.5 6h11.2M2.3 10h11.2\"/>",
		"date", "<path d=\"M2.5 3.5h11v10h-11zM2.5 6.5h11M5.5 2v3M10.5 2v3\"/>",
		"checkbox", "<path d=\"M2.5 2.5h11v11h-11zM5 8l2.2 2.2L11 5.8\"/>",
		"list", "<path d=\"M2.5 4.5h11M2.5 8h11M2.5 11.5h7\"/>",
		"json", "<path d=\"M6 2.5c-2.5 0-.8 5.5-3.5 5.5C5.200 8 3.500 13.500 6 13.500M10 2.500c2.500 0 .8 5.500 3.500 5.500-2.700 0-1 5.500-3.500 5.500\"/>",
		"file", "<path d=\"M4 2h5l3 3v9H4zM9 2v3h3\"/>",
		"close", "<path d=\"m4 4 8 8M12 4l-8 8\"/>",
		"plus", "<path d=\"M8 3v10M3 8h10\"/>",
		"info", "<circle cx=\"8\" cy=\"8\" r=\"6\"/><path d=\"M8 7.200V11M8 5v.4\"/>",
		"left", "<path d=\"M10 3.500 5.500 8l4.500 4.500\"/>",
		"right", "<path d=\"M6 3.500 10.500 8 6 12.500\"/>",
		"down", "<path d=\"M3.500 6 8 10.500 12.500 6\"/>",
		"lock", "<path d=\"M3.500 7.500h9v6h-9zM5.500 7.500V5a2.500 2.500 0 0 1 5 0v2.500\"/>",
		"yes", "<path d=\"m3 8.500 3.200 3.200L13 4.800\"/>",
		"image", "<path d=\"M2.500 3h11v10h-11zM2.500 11l3.500-4 2.500 2.700L10.500 8l3 3.200\"/>",
		NULL
	};

	return pictures;
}

/* The number of an element in the document; the same for the same element. */
int
sigma_html_number(HtmlPage *page, const char *id)
{
	bool		found;
	HtmlId	   *entry = hash_search(page->element_ids, &id, HASH_ENTER, &found);

	if (!found)
		entry->number = ++page->last_id;
	return entry->number;
}

/* An element's settings; an empty object where the row has none, or something else. */
JsonNode *
sigma_html_settings(const OutlineNode *node)
{
	return node->config == NULL || !JB_ROOT_IS_OBJECT(node->config) ?
		sigma_json_new(JSON_OBJECT, NULL) : sigma_json_read(node->config);
}

/* What an element is called: its title, text or label, evaluated, else its name; NULL where it has none. */
static const char *
title_of(HtmlPage *page, const OutlineNode *node, const JsonNode *settings)
{
	static const char *const keys[] = {"title", "label", "text"};
	int			i;

	for (i = 0; i < lengthof(keys); i++)
	{
		const char *text = sigma_json_get_string(settings, keys[i], NULL);

		if (text != NULL && text[0] != '\0')
			return sigma_html_dynamic(page, text);
	}
	return node->name;
}

/* One element of a grid, with everything in it. */
void
sigma_html_element(HtmlPage *page, OutlineNode *node)
{
	static const struct
	{
		const char *type;
		void		(*write) (HtmlPage *page, const HtmlElement *element);
	}			writers[] = {
		{"container", sigma_html_container}, {"header", sigma_html_container}, {"page", sigma_html_container},
		{"tab", sigma_html_container}, {"tabs", sigma_html_tabs}, {"popover", sigma_html_popover},
		{"form", sigma_html_form}, {"input_table", sigma_html_table}, {"table", sigma_html_table},
		{"pivot", sigma_html_pivot}, {"chart", sigma_html_chart}, {"control", sigma_html_control},
		{"button", sigma_html_button}, {"text", sigma_html_prose}, {"image", sigma_html_image},
		{"divider", sigma_html_divider}, {"plugin", sigma_html_plugin},
	};
	HtmlElement element = {0};
	JsonNode   *grid;
	int			i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (strcmp(node->type, "modal") == 0 || strcmp(node->type, "drawer") == 0)
	{
		page->overlays = list_append_unique_ptr(page->overlays, node);
		return;
	}
	element.node = node;
	element.settings = sigma_html_settings(node);
	element.number = sigma_html_number(page, node->id);
	element.title = title_of(page, node, element.settings);
	element.width = page->width;
	grid = sigma_json_get(element.settings, "grid");
	if (grid != NULL && grid->kind == JSON_OBJECT)
		element.height = Max(0, Min(sigma_json_get_int(grid, "height", 0), 200));
	for (i = 0; i < lengthof(writers); i++)
		if (strcmp(writers[i].type, node->type) == 0)
		{
			writers[i].write(page, &element);
			return;
		}
}
