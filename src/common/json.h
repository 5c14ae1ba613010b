/*
 * json.h
 *		Documents as trees: what definitions are read from, changed as, written back from.
 *
 * A tree is made once per definition, never per row or per step.  Each node
 * remembers where in the caller's document it stood (origin), so that an error
 * names the caller's path however much the tree was rearranged since.
 */
#ifndef SIGMA_JSON_H
#define SIGMA_JSON_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/numeric.h"

typedef enum JsonKind
{
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
} JsonKind;

typedef struct JsonNode JsonNode;

struct JsonNode
{
	JsonKind	kind;
	const char *key;			/* name in the object that holds it, or NULL */
	bool		boolean;		/* JSON_BOOL */
	Numeric		number;			/* JSON_NUMBER */
	char	   *string;			/* JSON_STRING, zero-terminated */
	int			count;			/* members or elements in use */
	int			capacity;		/* members or elements allocated */
	JsonNode  **items;			/* JSON_ARRAY, JSON_OBJECT */
	const JsonNode *origin;		/* what held it in the caller's document, or NULL at the root */
	const char *origin_key;		/* its key there, as the caller spelt it, or NULL */
	int			origin_index;	/* its place there, or -1 */
};

/* reading and writing */
extern JsonNode *sigma_json_read(Jsonb *document);
extern JsonNode *sigma_json_read_value(const JsonbValue *value);
extern Jsonb *sigma_json_write(const JsonNode *node);
extern char *sigma_json_text(const JsonNode *node);
extern char *sigma_json_path(const JsonNode *node);
extern const char *sigma_json_kind_name(const JsonNode *node);

/* making: "origin" is the node that an error about the new one should point at, or NULL */
extern JsonNode *sigma_json_new(JsonKind kind, const JsonNode *origin);
extern JsonNode *sigma_json_new_string(const char *string, const JsonNode *origin);
extern JsonNode *sigma_json_new_bool(bool boolean, const JsonNode *origin);
extern JsonNode *sigma_json_new_int(int64 number, const JsonNode *origin);
extern JsonNode *sigma_json_copy(const JsonNode *node);

/* objects: keys are unique, in the order of insertion */
extern JsonNode *sigma_json_get(const JsonNode *object, const char *key);
extern void sigma_json_set(JsonNode *object, const char *key, JsonNode *value);
extern void sigma_json_add(JsonNode *object, const char *key, JsonNode *value);
extern JsonNode *sigma_json_remove(JsonNode *object, const char *key);

/* arrays */
extern void sigma_json_append(JsonNode *array, JsonNode *value);

extern bool sigma_json_equal(const JsonNode *a, const JsonNode *b);

/* typed reads of an object's member; the default where it is absent or null */
extern char *sigma_json_get_string(const JsonNode *object, const char *key, char *absent);
extern bool sigma_json_get_bool(const JsonNode *object, const char *key, bool absent);
extern int64 sigma_json_get_int(const JsonNode *object, const char *key, int64 absent);

#endif							/* SIGMA_JSON_H */
