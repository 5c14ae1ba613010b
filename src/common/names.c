/*
 * names.c
 *		From an input table's id to the names of its relations.
 *
 * Every character of the lower-cased id outside [a-z0-9_] becomes "_"; what
 * would overrun PostgreSQL's 63 bytes, or name another kind of relation of
 * schema sigds, is refused.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

#include "common/names.h"

#define LONGEST_PREFIX	"sigds_entry_"
#define SIGDS_SCHEMA	"sigds"

static void draw_random(uint8 *bytes, int count);
static char *fold(const char *id);

char *
sigma_data_table_name(const char *id)
{
	sigma_check_table_id(id);
	return psprintf("sigds_%s", fold(id));
}

char *
sigma_row_sequence_name(const char *id)
{
	sigma_check_table_id(id);
	return psprintf("sigds_seq_%s", fold(id));
}

char *
sigma_published_name(const char *id)
{
	sigma_check_table_id(id);
	return psprintf("sigds_pub_%s", fold(id));
}

char *
sigma_log_name(const char *id)
{
	sigma_check_table_id(id);
	return psprintf("sigds_wal_%s", fold(id));
}

char *
sigma_entry_table_name(const char *id)
{
	sigma_check_table_id(id);
	return psprintf("sigds_entry_%s", fold(id));
}

char *
sigma_shown_view_name(const char *id)
{
	sigma_check_table_id(id);
	return psprintf("sigds_shown_%s", fold(id));
}

char *
sigma_rows_name(const char *id)
{
	char	   *entries = sigma_entry_table_name(id);

	return OidIsValid(get_relname_relid(entries, sigma_sigds_namespace())) ? entries : sigma_data_table_name(id);
}

void
sigma_check_table_id(const char *id)
{
	static const char *const reserved[] = {"wal_", "pub_", "entry_", "shown_", "seq_"};
	char	   *folded = fold(id);
	int			i;

	if (folded[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("the id of an input table must not be empty")));
	if (strlen(LONGEST_PREFIX) + strlen(folded) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("input table id \"%s\" is too long", id),
				 errhint("Its relations are named after it: use at most %d characters.",
						 (int) (NAMEDATALEN - 1 - strlen(LONGEST_PREFIX)))));
	for (i = 0; i < lengthof(reserved); i++)
		if (strncmp(folded, reserved[i], strlen(reserved[i])) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_RESERVED_NAME),
					 errmsg("input table id \"%s\" begins with the reserved prefix \"%s\"", id, reserved[i]),
					 errhint("Relations of schema \"sigds\" with that prefix belong to other input tables.")));
}

Oid
sigma_sigds_namespace(void)
{
	return get_namespace_oid(SIGDS_SCHEMA, false);
}

Oid
sigma_data_table_oid(const char *id)
{
	return get_relname_relid(sigma_data_table_name(id), sigma_sigds_namespace());
}

Oid
sigma_rows_oid(const char *id)
{
	return get_relname_relid(sigma_rows_name(id), sigma_sigds_namespace());
}

/* Ten random characters; unique enough in a table, and checked there. */
char *
sigma_new_column_id(void)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	uint8		bytes[10];
	char	   *id = palloc(sizeof(bytes) + 1);
	int			i;

	draw_random(bytes, sizeof(bytes));
	for (i = 0; i < (int) sizeof(bytes); i++)
		id[i] = alphabet[bytes[i] % 36];
	id[i] = '\0';
	return id;
}

char *
sigma_new_uuid(void)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, DirectFunctionCall1(gen_random_uuid, (Datum) 0)));
}

/*
 * A uuid of version 7 (RFC 9562), which begins with the time: those of one table come in
 * order, so that new ones go to the end of its index.
 */
char *
sigma_new_ordered_uuid(TimestampTz time)
{
	static const char digits[] = "0123456789abcdef";
	int64		ms = (time + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY) / 1000;
	uint8		bytes[UUID_LEN];
	char	   *text = palloc(2 * UUID_LEN + 4 + 1);
	char	   *out = text;
	int			i;

	for (i = 0; i < 6; i++)
		bytes[i] = (uint8) (ms >> (40 - 8 * i));
	draw_random(bytes + 6, UUID_LEN - 6);
	bytes[6] = (bytes[6] & 0x0f) | 0x70;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 0x0f];
	}
	*out = '\0';
	return text;
}

/* Strong random bytes, fetched for many calls at once: a fetch costs more than all else in an id. */
static void
draw_random(uint8 *bytes, int count)
{
	static uint8 pool[512];
	static int	left = 0;

	Assert(count <= (int) sizeof(pool));
	if (left < count)
	{
		if (!pg_strong_random(pool, sizeof(pool)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
		left = sizeof(pool);
	}
	left -= count;
	memcpy(bytes, pool + left, count);
}

/*
 * The id as part of a relation's name, character by character.  Letters beyond
 * ASCII become "_" whatever their case, so the name does not depend on the locale
 * of the database that a dump is restored into.
 */
static char *
fold(const char *id)
{
	char	   *folded = palloc(strlen(id) + 1);
	const char *c = id;
	char	   *out = folded;

	while (*c != '\0')
	{
		char		lower = pg_ascii_tolower((unsigned char) *c);
		bool		plain = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || lower == '_';

		*out++ = plain ? lower : '_';
		c += pg_mblen(c);
	}
	*out = '\0';
	return folded;
}
