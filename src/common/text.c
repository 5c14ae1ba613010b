/*
 * text.c
 *		Texts for people: put together, and brought to one line.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "common/text.h"

/* See text.h; palloc'd. */
char *
sigma_text_format(const char *format, va_list args)
{
	StringInfoData text;

	initStringInfo(&text);
	for (;;)
	{
		va_list		copy;
		int			needed;

		va_copy(copy, args);
		needed = appendStringInfoVA(&text, format, copy);
		va_end(copy);
		if (needed == 0)
			return text.data;
		enlargeStringInfo(&text, needed);
	}
}

/* See text.h; palloc'd. */
char *
sigma_text_line(const char *text, int characters)
{
	int			length = strlen(text);
	int			kept = pg_mbcharcliplen(text, length, characters);
	char	   *result = kept < length ? psprintf("%.*s...", kept, text) : pstrdup(text);
	char	   *c;

	for (c = result; *c != '\0'; c++)
		if ((unsigned char) *c < ' ' || *c == 0x7f)
			*c = ' ';
	return result;
}
