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

SessionState sigma_session = {ORIGIN_SQL, NULL, NULL, NULL};

char	   *sigma_user_email = NULL;
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

bool
sigma_restoring(void)
{
	return !check_function_bodies;
}

/*
 * "email" of the JWT claims that PostgREST sets, or NULL.  The text is
 * remembered with what was read from it: it is the same for a whole request.
 */
static char *
claimed_email(void)
{
	static char *last_claims = NULL;
	static char *last_email = NULL;
	const char *claims = GetConfigOption("request.jwt.claims", true, false);

	if (claims == NULL || claims[0] == '\0')
		return NULL;
	if (last_claims == NULL || strcmp(last_claims, claims) != 0)
	{
		Jsonb	   *document = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(claims)));
		JsonbValue	value;
		JsonbValue *found = NULL;
		char	   *email = NULL;

		if (JB_ROOT_IS_OBJECT(document))
			found = getKeyJsonValueFromContainer(&document->root, "email", strlen("email"), &value);
		if (found != NULL && found->type == jbvString)
			email = pnstrdup(found->val.string.val, found->val.string.len);
		if (last_claims != NULL)
			pfree(last_claims);
		if (last_email != NULL)
			pfree(last_email);
		last_claims = last_email = NULL;
		last_email = email == NULL ? NULL : MemoryContextStrdup(TopMemoryContext, email);
		last_claims = MemoryContextStrdup(TopMemoryContext, claims);
	}
	return last_email == NULL ? NULL : pstrdup(last_email);
}
