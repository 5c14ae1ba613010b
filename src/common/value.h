/*
 * value.h
 *		The column types of input tables: reading values as them and showing them.
 *
 * Reading never throws on bad input: it says what is wrong, so that all
 * failures of a row, and all rows of a batch, are reported together.
 */
#ifndef SIGMA_VALUE_H
#define SIGMA_VALUE_H

#include "postgres.h"

#include "utils/jsonb.h"

typedef enum ColumnType
{
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_INTEGER,
	COLUMN_FLOAT,
	COLUMN_DATE,
	COLUMN_DATETIME,
	COLUMN_CHECKBOX,
	COLUMN_DROPDOWN,
	COLUMN_MULTI_SELECT,
	COLUMN_JSON,
	COLUMN_FILE
} ColumnType;

#define COLUMN_TYPES	11
#define SIGMA_MAX_CELL	(64 * 1024 * 1024)	/* bytes of one cell */

/* One column type. */
typedef struct ColumnTypeInfo
{
	const char *name;			/* in documents */
	const char *sql;			/* in DDL, schema-qualified */
	Oid			oid;
	int16		length;
	bool		by_value;
	char		align;
} ColumnTypeInfo;

extern const ColumnTypeInfo sigma_column_types[COLUMN_TYPES];

/* By canonical name; false where there is none. */
extern bool sigma_column_type(const char *name, ColumnType *type);

/* How text is to be read where it differs from PostgreSQL's own forms (CSV). */
typedef struct ValueFormat
{
	char		decimal;		/* '.' or ',' */
	char		thousands;		/* '\0': none */
	int			date_order;		/* DATEORDER_YMD, _DMY, _MDY */
} ValueFormat;

extern const ValueFormat sigma_plain_format;	/* '.', none, ISO */

/*
 * Read one value.  True: *value is allocated in the current context (*isnull for
 * JSON null; text is never null by itself).  False: *why is a short reason such
 * as "is not a number"; nothing was thrown.  64 MB per cell is checked here too.
 */
extern bool sigma_value_from_json(ColumnType type, const JsonbValue *given,
								  Datum *value, bool *isnull, const char **why);
extern bool sigma_value_from_text(ColumnType type, const char *text, int length,
								  const ValueFormat *format, Datum *value, const char **why);

/*
 * What is wrong with a value that PostgreSQL's type can hold but the column type
 * does not: NaN, infinities, years outside 1 to 9999, NULL in a multi-select, a
 * file of another shape, a cell of more than 64 MB.  NULL where nothing is.
 */
extern const char *sigma_value_refused(ColumnType type, Datum value);

/* Text as jsonb, without throwing; NULL and a reason where it is not JSON. */
extern Jsonb *sigma_jsonb_from_text(const char *text, int length, const char **why);

/* The value as JSON (dates as ISO text, NaN and infinities as strings) and as text for messages. */
extern void sigma_value_to_json(ColumnType type, Datum value, bool isnull, JsonbValue *result);
extern char *sigma_value_to_text(ColumnType type, Datum value);

/*
 * Reading in short: numbers from JSON numbers and text; integers also from 12.0;
 * text and dropdowns also from JSON numbers and booleans; checkboxes from
 * true/false, t/f, yes/no, y/n, on/off, 1/0 in any case; dates as common/date.h
 * says (a time of day is dropped from a date; a datetime with an offset is brought
 * to UTC); multi-selects from a JSON array, in text also from {a,b} or from values
 * separated by ';', else '|', else ','; json from any JSON; files from an object
 * with name, url, size and media_type, one of the first two at the least.
 */

/* Same value?  By the type's own equality, null equal to null. */
extern bool sigma_value_equal(ColumnType type, Datum a, bool a_null, Datum b, bool b_null);

#endif							/* SIGMA_VALUE_H */
