/*
 * progress.c
 *		How far a large import is: a NOTICE for each tenth of the way.
 *
 * Reading and checking the rows is a fifth of the way, writing them the rest, which is
 * about what each takes; of a dry run reading is all.  The trigger of the data table
 * counts the rows that are written.
 */
#include "postgres.h"

#include "common/session.h"
#include "input_table/rules.h"

#define SHARE_OF_READING	0.2

static void show(ImportProgress *progress, double done);

/* So much of the input has been read. */
void
sigma_progress_read(ImportProgress *progress, int64 bytes)
{
	double		share = progress->read_only ? 1 : SHARE_OF_READING;

	show(progress, share * Min(bytes, progress->bytes) / progress->bytes);
}

/* One more row has been written. */
void
sigma_progress_wrote(ImportProgress *progress)
{
	progress->written++;
	if (progress->written % 100 == 0 || progress->written == progress->rows)
		show(progress, SHARE_OF_READING + (1 - SHARE_OF_READING) * progress->written / Max(progress->rows, 1));
}

/* Tell of each tenth that is behind, but for the end, which the result tells of. */
static void
show(ImportProgress *progress, double done)
{
	while (progress->shown < 9 && done * 10 >= progress->shown + 1)
	{
		progress->shown++;		/* not in the arguments: what nobody hears is not evaluated */
		ereport(NOTICE,
				(errmsg("import into input table \"%s\": %d %%", progress->table, 10 * progress->shown),
				 errhidestmt(true),
				 errhidecontext(true)));
	}
}
