/*
 * argument.c
 *		Arguments of SQL functions that must not be null.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "common/argument.h"

/* See argument.h. */
void
sigma_require_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"%s\" must not be null", name)));
}

/* See argument.h. */
char *
sigma_text_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	sigma_require_argument(fcinfo, i, name);
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}
