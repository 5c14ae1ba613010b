/*
 * html_text.c
 *		Dynamic text and formulas of a web page, and errors that become notes.
 *
 * A text is cut into literals and formulas; a formula is one reference, which is read
 * from the context as it is, or a program that is kept for the next page.  What a
 * formula yields is text: markup that texts may hold (headings, lists, bold) is that
 * of the literals alone.
 */
#include "postgres.h"

#include <ctype.h>

#include "utils/memutils.h"

#include "common/attempt.h"
#include "common/document.h"
#include "common/errors.h"
#include "layout/html.h"

const LayoutContextHooks *sigma_layout_contexts = NULL;

/* One formula of a text, for sigma_html_try(). */
typedef struct FormulaWork
{
	const char *formula;
	char	   *text;			/* what it yields */
} FormulaWork;

/* Work on a page that may fail. */
typedef struct HtmlAttempt
{
	HtmlPage   *page;
	HtmlWork	work;
	void	   *arg;
} HtmlAttempt;

static char *copy_text(const void *key);
static void run_formula(HtmlPage *page, void *arg);
static const char *formula_text(HtmlPage *page, const char *formula);
static void put_literal(StringInfo out, const char *text);
static void put_value(StringInfo out, const char *text);
static void put_line(HtmlPage *page, const char *line, int length, const char **open);
static void put_inline(HtmlPage *page, const char *text, int length);
static void switch_block(HtmlPage *page, const char **open, const char *block);
static void attempt_work(void *arg);
static bool may_note(const ErrorData *error);

/* The value of a formula over the page's context.  Raises what it raises. */
void
sigma_html_evaluate(HtmlPage *page, const char *formula, JsonbValue *value)
{
	const char *scope;
	char	   *name;

	if (sigma_split_reference(formula, &scope, &name))
		sigma_layout_contexts->fetch(page->context, scope, name, value);
	else
		sigma_program_run_kept(formula, strlen(formula) + 1, copy_text, "a text", FORMULA_STORED,
							   sigma_layout_contexts->fetch, page->context, value);
}

/* The text of a formula that is found by it. */
static char *
copy_text(const void *key)
{
	return pstrdup(key);
}

/* HtmlWork: a formula as text. */
static void
run_formula(HtmlPage *page, void *arg)
{
	FormulaWork *work = arg;
	JsonbValue	value;

	sigma_html_evaluate(page, work->formula, &value);
	work->text = sigma_html_value_text(&value);
}

/* The same; where it fails, a mark that it did. */
static const char *
formula_text(HtmlPage *page, const char *formula)
{
	FormulaWork work = {formula, NULL};

	if (sigma_html_try(page, run_formula, &work) != NULL)
		return "#ERROR";
	return work.text;
}

/* Dynamic text, its formulas evaluated, not escaped.  NULL: none.  palloc'd, or the text itself. */
char *
sigma_html_dynamic(HtmlPage *page, const char *text)
{
	StringInfoData result;
	List	   *pieces;
	ListCell   *cell;

	if (text == NULL || strchr(text, '{') == NULL || !sigma_dynamic_text_split(text, &pieces))
		return unconstify(char *, text);
	initStringInfo(&result);
	foreach(cell, pieces)
	{
		const TextPiece *piece = lfirst(cell);

		appendStringInfoString(&result, piece->is_formula ? formula_text(page, piece->text) : piece->text);
	}
	return result.data;
}

/* Does a text hold no formulas? */
bool
sigma_html_is_static(const char *text)
{
	List	   *pieces;
	ListCell   *cell;

	if (!sigma_dynamic_text_split(text, &pieces))
		return true;
	foreach(cell, pieces)
		if (((const TextPiece *) lfirst(cell))->is_formula)
			return false;
	return true;
}

/* The value of a control or variable in the page's context; jbvNull where there is none. */
void
sigma_html_control_value(HtmlPage *page, const char *variable, JsonbValue *value)
{
	sigma_layout_contexts->fetch(page->context, "Control", variable, value);
}

/* A value as text shows it. */
char *
sigma_html_value_text(const JsonbValue *value)
{
	return sigma_layout_contexts->text(value);
}

/*
 * Write dynamic text as paragraphs: lines that begin with #, ## or ### are headings,
 * those with "- " list items, blank lines part paragraphs, **bold** is bold.
 */
void
sigma_html_rich_text(HtmlPage *page, const char *text)
{
	StringInfoData escaped;
	List	   *pieces;
	ListCell   *cell;
	const char *open = NULL;
	const char *line;

	initStringInfo(&escaped);
	if (!sigma_dynamic_text_split(text, &pieces))
		put_value(&escaped, text);
	else
		foreach(cell, pieces)
		{
			const TextPiece *piece = lfirst(cell);

			if (piece->is_formula)
				put_value(&escaped, formula_text(page, piece->text));
			else
				put_literal(&escaped, piece->text);
		}
	for (line = escaped.data; *line != '\0';)
	{
		int			length = strcspn(line, "\n");

		put_line(page, line, length, &open);
		line += length + (line[length] == '\n');
	}
	switch_block(page, &open, NULL);
	pfree(escaped.data);
}

/* A literal: escaped, its markup still to be read. */
static void
put_literal(StringInfo out, const char *text)
{
	sigma_html_escape(out, text, strlen(text));
}

/* A value: escaped, and what would be markup in a literal as well. */
static void
put_value(StringInfo out, const char *text)
{
	const char *c;

	for (c = text; *c != '\0'; c++)
	{
		if (*c == '\n')
			appendStringInfoString(out, "<br>");
		else if (strchr("*#-", *c) != NULL)
			appendStringInfo(out, "&#%d;", *c);
		else
			sigma_html_escape(out, c, 1);
	}
}

/* One line of escaped text: a heading, an item of a list, a part of a paragraph. */
static void
put_line(HtmlPage *page, const char *line, int length, const char **open)
{
	int			level = 0;

	while (length > 0 && isspace((unsigned char) line[length - 1]))
		length--;
	while (level < length && level < 4 && line[level] == '#')
		level++;
	if (length == 0)
		switch_block(page, open, NULL);
	else if (level >= 1 && level <= 3 && line[level] == ' ')
	{
		switch_block(page, open, NULL);
		sigma_html_format(page, "<h%d>", level + 1);
		put_inline(page, line + level + 1, length - level - 1);
		sigma_html_format(page, "</h%d>", level + 1);
	}
	else if (length > 2 && line[0] == '-' && line[1] == ' ')
	{
		switch_block(page, open, "ul");
		sigma_html_put(page, "<li>");
		put_inline(page, line + 2, length - 2);
		sigma_html_put(page, "</li>");
	}
	else
	{
		if (*open != NULL && strcmp(*open, "p") == 0)
			sigma_html_put(page, "<br>");
		switch_block(page, open, "p");
		put_inline(page, line, length);
	}
}

/* Escaped text with its bold parts.  What "**" opens and nothing closes stands for itself. */
static void
put_inline(HtmlPage *page, const char *text, int length)
{
	const char *end = text + length;

	while (text < end)
	{
		const char *bold = memmem(text, end - text, "**", 2);
		const char *close = bold == NULL ? NULL : memmem(bold + 2, end - bold - 2, "**", 2);

		if (close == NULL)
		{
			appendBinaryStringInfo(&page->out, text, end - text);
			return;
		}
		if (close == bold + 2)
		{
			/* nothing between them: a line of stars */
			while (close < end && *close == '*')
				close++;
			appendBinaryStringInfo(&page->out, text, close - text);
			text = close;
			continue;
		}
		appendBinaryStringInfo(&page->out, text, bold - text);
		sigma_html_put(page, "<strong>");
		appendBinaryStringInfo(&page->out, bold + 2, close - bold - 2);
		sigma_html_put(page, "</strong>");
		text = close + 2;
	}
}

/* End the paragraph or list that is open and begin another; NULL: none. */
static void
switch_block(HtmlPage *page, const char **open, const char *block)
{
	if (*open != NULL && block != NULL && strcmp(*open, block) == 0)
		return;
	if (*open != NULL)
		sigma_html_format(page, "</%s>", *open);
	if (block != NULL)
		sigma_html_format(page, "<%s>", block);
	*open = block;
}

/* See html.h.  The error is in the memory context of the caller. */
ErrorData *
sigma_html_try(HtmlPage *page, HtmlWork work, void *arg)
{
	HtmlAttempt attempt = {page, work, arg};
	SessionState session = sigma_session;
	HtmlPage	before = *page;
	ErrorData  *error = sigma_attempt(attempt_work, &attempt);

	if (error == NULL)
		return NULL;
	if (!may_note(error))
		ReThrowError(error);
	sigma_session = session;
	page->out.len = before.out.len;
	page->out.data[page->out.len] = '\0';
	page->columns = before.columns;
	page->width = before.width;
	return error;
}

/* Write a part of a page, as work that may fail. */
static void
attempt_work(void *arg)
{
	HtmlAttempt *attempt = arg;

	attempt->work(attempt->page, attempt->arg);
}

/* Is an error about what is shown, and not about the session or the server? */
static bool
may_note(const ErrorData *error)
{
	static const int categories[] = {
		ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION, ERRCODE_DATA_EXCEPTION, ERRCODE_FEATURE_NOT_SUPPORTED,
		ERRCODE_PROGRAM_LIMIT_EXCEEDED, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, ERRCODE_PLPGSQL_ERROR,
		ERRCODE_INVALID_SCHEMA_NAME, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, ERRCODE_FDW_ERROR,
		ERRCODE_SIGMA_DOCUMENT
	};
	int			i;

	for (i = 0; i < lengthof(categories); i++)
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TO_CATEGORY(categories[i]))
			return true;
	return false;
}

/* What stands in the place of something that is not shown. */
void
sigma_html_note(HtmlPage *page, const char *title, const char *detail)
{
	sigma_html_put(page, "<div class=\"note\" role=\"note\">");
	sigma_html_icon(page, "info");
	sigma_html_put(page, "<p><strong>");
	sigma_html_text(page, title);
	sigma_html_put(page, "</strong>");
	if (detail != NULL)
	{
		sigma_html_put(page, "<span>");
		sigma_html_text(page, detail);
		sigma_html_put(page, "</span>");
	}
	sigma_html_put(page, "</p></div>");
}

/* The note for rows that could not be read. */
void
sigma_html_failure(HtmlPage *page, const ErrorData *error)
{
	if (error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE)
		sigma_html_note(page, "You do not have access to this data", error->message);
	else
		sigma_html_note(page, "This data cannot be shown", error->message);
}
