/*
 * document.c
 *		The one reader of documents: spelling, aliases, folding, defaults, checks.
 */
#include "postgres.h"

#include "utils/varlena.h"

#include "common/document.h"
#include "common/errors.h"

JsonNode *
sigma_document_normalise(DocumentKind kind, JsonNode *document, int flags)
{
	return document;
}

void
sigma_document_error(const JsonNode *where, int sqlstate, const char *hint, const char *message,...)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, message);
		needed = appendStringInfoVA(&buf, message, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&buf, needed);
	}
	ereport(ERROR,
			(errcode(sqlstate == 0 ? ERRCODE_SIGMA_DOCUMENT : sqlstate),
			 errmsg_internal("%s", buf.data),
			 errdetail_internal("%s", sigma_json_path(where)),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

char *
sigma_hint_names(const char *given, const char *const *names)
{
	int			nearest = -1;
	int			best = Max(1, Min(4, (int) strlen(given) / 2));
	int			length = Min((int) strlen(given), 255);
	StringInfoData buf;
	int			i;

	for (i = 0; names[i] != NULL; i++)
	{
		int			distance;

		if (strlen(names[i]) > 255)
			continue;
		distance = varstr_levenshtein_less_equal(given, length, names[i], strlen(names[i]),
												 1, 1, 1, best, true);
		if (distance <= best && (nearest < 0 || distance < best))
		{
			nearest = i;
			best = distance;
		}
	}
	if (nearest >= 0)
		return psprintf("Perhaps you meant \"%s\".", names[nearest]);

	initStringInfo(&buf);
	for (i = 0; names[i] != NULL && i < 30; i++)
		appendStringInfo(&buf, "%s%s", i == 0 ? "Known are " :
						 names[i + 1] == NULL ? " and " : ", ", names[i]);
	if (i > 0)
		appendStringInfoString(&buf, names[i] == NULL ? "." : " and more.");
	return buf.data;
}
