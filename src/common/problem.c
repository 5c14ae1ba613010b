/*
 * problem.c
 *		What is wrong with an app, gathered for sigma.check().
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "common/problem.h"
#include "common/text.h"

static const char *copy_text(const char *text);

/* See problem.h. */
void
sigma_problem_add(Problems *problems, ProblemSeverity severity, const char *object, const char *path,
				  const char *hint, const char *message,...)
{
	MemoryContext caller = MemoryContextSwitchTo(problems->cxt);
	Problem    *problem = palloc(sizeof(Problem));
	ListCell   *lc;
	va_list		args;

	va_start(args, message);
	problem->message = sigma_text_format(message, args);
	va_end(args);
	problem->severity = severity;
	problem->object = pstrdup(object);
	problem->path = copy_text(path);
	problem->hint = copy_text(hint);
	foreach(lc, problems->found)
	{
		const Problem *other = lfirst(lc);

		if (strcmp(other->object, problem->object) == 0 && strcmp(other->message, problem->message) == 0)
			break;
	}
	if (lc == NULL)
		problems->found = lappend(problems->found, problem);
	MemoryContextSwitchTo(caller);
}

/* A copy in the current context; NULL stays NULL. */
static const char *
copy_text(const char *text)
{
	return text == NULL ? NULL : pstrdup(text);
}
