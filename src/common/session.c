/*
 * session.c
 *		What this backend is doing, and for whom.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "common/session.h"

SessionState sigma_session = {.origin = ORIGIN_SQL};

char	   *sigma_user_email = NULL;
char	   *sigma_workbook_id = NULL;
int			sigma_mode = MODE_AUTO;
int			sigma_max_errors = 1000;

static char *claimed_email(void);

char *
sigma_app_user(void)
{
	char	   *email;

	if (sigma_session.user_id != NULL)
		return pstrdup(sigma_session.user_id);
	if (sigma_user_email != NULL && sigma_user_email[0] != '\0')
		return pstrdup(sigma_user_email);
	email = claimed_email();
	if (email != NULL)
		return email;
	return GetUserNameFromId(GetSessionUserId(), false);
}

EntryMode
sigma_entry_mode(void)
{
	if (sigma_session.mode == NULL)
		return (EntryMode) sigma_mode;
	return pg_strcasecmp(sigma_session.mode, "draft") == 0 ? MODE_DRAFT :
		pg_strcasecmp(sigma_session.mode, "published") == 0 ? MODE_PUBLISHED : MODE_AUTO;
}

Oid
sigma_session_role(void)
{
	return OidIsValid(sigma_session.run_role) ? sigma_session.run_role : GetOuterUserId();
}

bool
sigma_restoring(void)
{
	return !check_function_bodies;
}

/* "email" of the claims, palloc'd, or NULL */
static char *
claimed_email(void)
{
	Jsonb	   *claims = sigma_claims();
	JsonbValue	value;

	if (claims == NULL || !JB_ROOT_IS_OBJECT(claims) ||
		getKeyJsonValueFromContainer(&claims->root, "email", strlen("email"), &value) == NULL ||
		value.type != jbvString)
		return NULL;
	return pnstrdup(value.val.string.val, value.val.string.len);
}

/*
 * The text is remembered with what was read from it: it is the same for a whole
 * request.
 */
Jsonb *
sigma_claims(void)
{
	static char *last_text = NULL;
	static Jsonb *last_claims = NULL;
	const char *given = GetConfigOption("request.jwt.claims", true, false);

	if (given == NULL || given[0] == '\0')
		return NULL;
	if (last_text == NULL || strcmp(last_text, given) != 0)
	{
		Jsonb	   *claims = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(given)));
		char	   *text = MemoryContextStrdup(TopMemoryContext, given);

		if (last_text != NULL)
			pfree(last_text);
		if (last_claims != NULL)
			pfree(last_claims);
		last_text = NULL;
		last_claims = NULL;
		last_claims = MemoryContextAlloc(TopMemoryContext, VARSIZE(claims));
		memcpy(last_claims, claims, VARSIZE(claims));
		last_text = text;
	}
	return last_claims;
}
