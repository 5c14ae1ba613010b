/*
 * fn_system.c
 *		System functions of formulas: who the user is.
 *
 * The address is that of the app user (common/session.h).  Names and attributes
 * come from request.jwt.claims, which a gateway such as PostgREST sets: they are
 * what the client says unless the gateway checked it.  Teams are database roles,
 * which a client cannot choose.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "common/session.h"
#include "formula/variant.h"

PG_FUNCTION_INFO_V1(fn_currentuseremail);
PG_FUNCTION_INFO_V1(fn_currentuserfullname);
PG_FUNCTION_INFO_V1(fn_currentuserfirstname);
PG_FUNCTION_INFO_V1(fn_currentuserinteam);
PG_FUNCTION_INFO_V1(fn_currentuserattributetext);

static char *full_name(void);
static char *own_claim(const char *name);
static char *claim_text(const char *name, int length);
static bool in_team(const char *team);

/* fn_currentuseremail() */
Datum
fn_currentuseremail(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(sigma_app_user()));
}

/* fn_currentuserfullname(): claim "name", else the address up to its @ */
Datum
fn_currentuserfullname(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(full_name()));
}

/* fn_currentuserfirstname(): claim "given_name", else the first word of the full name */
Datum
fn_currentuserfirstname(PG_FUNCTION_ARGS)
{
	char	   *given = own_claim("given_name");

	if (given == NULL)
	{
		given = full_name();
		given[strcspn(given, " ")] = '\0';
	}
	PG_RETURN_TEXT_P(cstring_to_text(given));
}

/*
 * fn_currentuserinteam(VARIADIC teams): is the current role a member of one of these
 * roles?  A role that does not exist has no members; superusers are in every team.
 */
Datum
fn_currentuserinteam(PG_FUNCTION_ARGS)
{
	ArrayIterator iterator = array_create_iterator(PG_GETARG_ARRAYTYPE_P(0), 0, NULL);
	Datum		team;
	bool		isnull;

	while (array_iterate(iterator, &team, &isnull))
		if (!isnull && in_team(TextDatumGetCString(team)))
			PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(false);
}

/* fn_currentuserattributetext(name): that claim as text; Null where there is none */
Datum
fn_currentuserattributetext(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);
	char	   *value = claim_text(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(value));
}

static char *
full_name(void)
{
	char	   *name = own_claim("name");

	if (name == NULL)
	{
		name = sigma_app_user();
		if (name[0] != '@')
			name[strcspn(name, "@")] = '\0';
	}
	return name;
}

/* A claim about the app user; NULL where there is none, or the claims are about somebody else. */
static char *
own_claim(const char *name)
{
	char	   *email = claim_text("email", strlen("email"));

	if (email != NULL && strcmp(email, sigma_app_user()) != 0)
		return NULL;
	return claim_text(name, strlen(name));
}

/* A claim as text, palloc'd; NULL where there is none or it is null. */
static char *
claim_text(const char *name, int length)
{
	Jsonb	   *claims = sigma_claims();
	JsonbValue	value;
	StringInfoData buf;

	if (claims == NULL || !JB_ROOT_IS_OBJECT(claims) ||
		getKeyJsonValueFromContainer(&claims->root, name, length, &value) == NULL ||
		value.type == jbvNull)
		return NULL;
	initStringInfo(&buf);
	sigma_variant_text(&buf, &value);
	return buf.data;
}

static bool
in_team(const char *team)
{
	Oid			role = get_role_oid(team, true);

	return OidIsValid(role) && is_member_of_role(GetUserId(), role);
}
