/*
 * context.c
 *		What a run knows: the context it was started with and what it has set since.
 *
 * A context is read in place.  One that is not canonical (other spellings,
 * unknown keys, keys of other kinds) goes through the reader of documents once,
 * which also raises what is to be raised about it.
 *
 * Nothing here outlives the memory context that the run was started in, and
 * nothing is locked.  Values that are set again are not freed one by one, since the
 * records of steps point at them: a loop, whose records forget with each row, has a
 * memory context of its own for them.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "action/compare.h"
#include "action/context.h"
#include "common/document.h"
#include "common/errors.h"
#include "compat.h"

#define MIN_GARBAGE		((Size) 256 * 1024)	/* bytes of a loop's values that are not looked at */

/* What a top-level key of a context must be. */
typedef enum MemberKind
{
	MEMBER_STRING,
	MEMBER_MODE,
	MEMBER_SELECTION,
	MEMBER_OBJECT
} MemberKind;

/* A known top-level key. */
typedef struct Member
{
	const char *name;			/* canonical spelling */
	MemberKind	kind;
	size_t		offset;			/* of the field in RunContext */
} Member;

static const Member members[] = {
	{"action_variables", MEMBER_OBJECT, offsetof(RunContext, variables)},
	{"column_name", MEMBER_STRING, offsetof(RunContext, column_name)},
	{"controls", MEMBER_OBJECT, offsetof(RunContext, controls)},
	{"element_id", MEMBER_STRING, offsetof(RunContext, element_id)},
	{"form", MEMBER_OBJECT, offsetof(RunContext, form)},
	{"idempotency_key", MEMBER_STRING, offsetof(RunContext, idempotency_key)},
	{"menu_item_id", MEMBER_STRING, offsetof(RunContext, menu_item_id)},
	{"metadata", MEMBER_OBJECT, offsetof(RunContext, metadata)},
	{"mode", MEMBER_MODE, offsetof(RunContext, mode)},
	{"selection", MEMBER_SELECTION, offsetof(RunContext, selected)},
	{"user_id", MEMBER_STRING, offsetof(RunContext, user_id)},
	{"workbook_id", MEMBER_STRING, offsetof(RunContext, workbook_id)},
};

static bool read_members(RunContext *context);
static bool read_member(RunContext *context, const Member *member, const JsonbValue *value);
static bool read_selection(RunContext *context, const JsonbValue *value);
static const Member *find_member(const JsonbValue *key);
static void move_values(RunContext *context, MemoryContext from, MemoryContext to);
static bool find_set(const RunValues *values, const char *name, JsonbValue *value);
static void add_set(RunContext *context, RunValues *values, const char *name, const JsonbValue *value);
static void grow(RunContext *context, RunValues *values);
static int	find_place(const RunValues *values, const char *name, int count);
static void settle(RunValues *values, int count, int fixed);
static bool read_declared(RunContext *context, const char *name, JsonbValue *value);
static void check_declared(const char *noun, const char *name, const JsonbValue *value);
static void change_list(const JsonbValue *old, const JsonbValue *change, bool removing, JsonbValue *result);
static bool list_has(const JsonbValue *list, const JsonbValue *element);
static void write_set(JsonbWriter *writer, const RunValues *values);
static int	compare_set(const void *a, const void *b);

/*
 * The context of a run, in the current memory context.  Raises SG400 where it
 * is no object or a known key holds something else than it should.
 */
RunContext *
sigma_context_read(Jsonb *document)
{
	RunContext *context = palloc0(sizeof(RunContext));
	JsonNode   *tree;

	context->cxt = context->values = CurrentMemoryContext;
	context->document = document;
	if (document == NULL)
	{
		JsonbParseState *state = NULL;

		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		context->document = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
		return context;
	}
	if (JB_ROOT_IS_OBJECT(document) && read_members(context))
		return context;

	tree = sigma_document_normalise(DOCUMENT_CONTEXT, sigma_json_read(document), 0);
	memset(context, 0, sizeof(RunContext));
	context->cxt = context->values = CurrentMemoryContext;
	context->document = sigma_json_write(tree);
	if (!read_members(context))
		elog(ERROR, "normalised context could not be read");
	return context;
}

void
sigma_context_enter(const RunContext *context)
{
	if (context->user_id != NULL)
		sigma_session.user_id = context->user_id;
	if (context->mode != NULL)
		sigma_session.mode = context->mode;
}

/* [Control/id]: set in the run, given by the context, or declared. */
bool
sigma_context_control(RunContext *context, const char *id, JsonbValue *value)
{
	return find_set(&context->set_controls, id, value) ||
		sigma_jsonb_member(context->controls, id, value) ||
		read_declared(context, id, value);
}

/* [ActionVar/name]: set in the run, given by the context, or declared. */
bool
sigma_context_variable(RunContext *context, const char *name, JsonbValue *value)
{
	return find_set(&context->set_variables, name, value) ||
		sigma_jsonb_member(context->variables, name, value) ||
		read_declared(context, name, value);
}

/* [Form/field] */
bool
sigma_context_form(RunContext *context, const char *field, JsonbValue *value)
{
	return sigma_jsonb_member(context->form, field, value);
}

int
sigma_context_selected_count(const RunContext *context)
{
	return context->selected == NULL ? 0 : JsonContainerSize(context->selected);
}

/* Row "i" of the selection: 0 <= i < count. */
JsonbContainer *
sigma_context_selected_row(const RunContext *context, int i)
{
	JsonbValue *row = getIthJsonbValueFromContainer(context->selected, i);

	if (row == NULL || row->type != jbvBinary)
		elog(ERROR, "selected row %d is missing", i);
	return row->val.binary.data;
}

/* One column of one selected row; null where the row has no such key. */
bool
sigma_context_selected_value(const RunContext *context, int i, const char *column, JsonbValue *value)
{
	return sigma_jsonb_member(sigma_context_selected_row(context, i), column, value);
}

/* [Selection/column] */
bool
sigma_context_selection(const RunContext *context, const char *column, JsonbValue *value)
{
	int			count = sigma_context_selected_count(context);
	JsonbParseState *state = NULL;
	bool		found = false;
	int			i;

	value->type = jbvNull;
	if (count <= 1)
		return count == 1 && sigma_context_selected_value(context, 0, column, value);

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < count; i++)
	{
		JsonbValue	element;

		CHECK_FOR_INTERRUPTS();
		if (sigma_context_selected_value(context, i, column, &element))
			found = true;
		pushJsonbValue(&state, WJB_ELEM, &element);
	}
	sigma_jsonb_to_value(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)), value);
	return found;
}

/* Set a control for the rest of the run; SG400 where a declared one cannot hold the value. */
void
sigma_context_set_control(RunContext *context, const char *id, const JsonbValue *value,
						  SelectionMode mode, JsonbValue *now)
{
	JsonbValue	result = *value;

	if (mode != SELECTION_REPLACE)
	{
		JsonbValue	old;

		(void) sigma_context_control(context, id, &old);
		change_list(&old, value, mode == SELECTION_REMOVE, &result);
	}
	check_declared("control", id, &result);
	add_set(context, &context->set_controls, id, &result);
	if (now != NULL)
		(void) find_set(&context->set_controls, id, now);
}

/* Set a variable for the rest of the run. */
void
sigma_context_set_variable(RunContext *context, const char *name, const JsonbValue *value)
{
	add_set(context, &context->set_variables, name, value);
}

/* The step "variable set" or, without a value, "clear". */
bool
sigma_context_store_variable(RunContext *context, const char *name, const JsonbValue *value)
{
	const Variable *variable = sigma_variable(name);
	JsonbValue	nothing;
	bool		stored = false;

	nothing.type = jbvNull;
	if (value == NULL)
		value = &nothing;
	check_declared("variable", name, value);
	if (variable != NULL && variable->scope != SCOPE_SESSION)
	{
		sigma_variable_write(variable, context->user_id, value);
		stored = true;
	}
	add_set(context, &context->set_variables, name, value);
	return stored;
}

/* From here on nothing that was set before is changed in place. */
ContextMark
sigma_context_mark(RunContext *context)
{
	ContextMark mark;

	mark.controls = context->set_controls.count;
	mark.variables = context->set_variables.count;
	mark.fixed_controls = context->set_controls.fixed;
	mark.fixed_variables = context->set_variables.fixed;
	mark.selected = context->selected;
	mark.selected_length = context->selected_length;
	mark.values = context->values;
	context->set_controls.fixed = mark.controls;
	context->set_variables.fixed = mark.variables;
	return mark;
}

/* Forget what was set since the mark. */
void
sigma_context_restore(RunContext *context, ContextMark mark)
{
	context->set_controls.count = mark.controls;
	context->set_variables.count = mark.variables;
	context->set_controls.fixed = mark.fixed_controls;
	context->set_variables.fixed = mark.fixed_variables;
	context->selected = mark.selected;
	context->selected_length = mark.selected_length;
	context->values = mark.values;
}

/* The mark is needed no more; what was set since stays. */
void
sigma_context_release(RunContext *context, ContextMark mark)
{
	settle(&context->set_controls, mark.controls, mark.fixed_controls);
	settle(&context->set_variables, mark.variables, mark.fixed_variables);
}

void
sigma_context_begin_loop(RunContext *context, ContextLoop *loop, MemoryContext parent)
{
	loop->outer = context->values;
	loop->limit = MIN_GARBAGE;
	context->values = AllocSetContextCreate(parent, "sigma loop values", ALLOCSET_DEFAULT_SIZES);
}

/* Where a lot has come together most of it is replaced: what holds still is kept, the rest is freed. */
void
sigma_context_next_row(RunContext *context, ContextLoop *loop)
{
	MemoryContext old = context->values;
	MemoryContext kept;

	if (MemoryContextMemAllocated(old, true) < loop->limit)
		return;
	kept = AllocSetContextCreate(MemoryContextGetParent(old), "sigma loop values", ALLOCSET_DEFAULT_SIZES);
	move_values(context, old, kept);
	context->values = kept;
	MemoryContextDelete(old);
	loop->limit = Max(MIN_GARBAGE, 2 * MemoryContextMemAllocated(kept, true));
}

/* What holds still is of what is around the loop now. */
void
sigma_context_end_loop(RunContext *context, ContextLoop *loop)
{
	move_values(context, context->values, loop->outer);
	context->values = loop->outer;
}

void
sigma_context_write_variables(JsonbWriter *writer, const RunContext *context)
{
	write_set(writer, &context->set_variables);
}

void
sigma_context_write_controls(JsonbWriter *writer, const RunContext *context)
{
	write_set(writer, &context->set_controls);
}

/* Spread the members of context->document over the struct.  False where they are not canonical. */
static bool
read_members(RunContext *context)
{
	JsonbIterator *iterator = JsonbIteratorInit(&context->document->root);
	JsonbValue	key;
	JsonbValue	value;

	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		const Member *member = find_member(&key);

		(void) JsonbIteratorNext(&iterator, &value, true);
		if (member == NULL || !read_member(context, member, &value))
			return false;
	}
	return true;
}

/* One known member; null counts as absent.  Returns whether it is what it should be. */
static bool
read_member(RunContext *context, const Member *member, const JsonbValue *value)
{
	char	   *field = (char *) context + member->offset;
	char	   *text;

	if (value->type == jbvNull)
		return true;
	switch (member->kind)
	{
		case MEMBER_STRING:
		case MEMBER_MODE:
			if (value->type != jbvString)
				return false;
			text = pnstrdup(value->val.string.val, value->val.string.len);
			*(const char **) field = text;
			return member->kind == MEMBER_STRING || strcmp(text, "auto") == 0 ||
				strcmp(text, "draft") == 0 || strcmp(text, "published") == 0;
		case MEMBER_OBJECT:
			if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
				return false;
			*(JsonbContainer **) field = value->val.binary.data;
			return true;
		case MEMBER_SELECTION:
			return read_selection(context, value);
	}
	return false;
}

/* "selection": an object whose "rows" are objects. */
static bool
read_selection(RunContext *context, const JsonbValue *value)
{
	JsonbValue	rows;
	JsonbIterator *iterator;
	JsonbValue	row;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return false;
	if (!sigma_jsonb_member(value->val.binary.data, "rows", &rows) || rows.type == jbvNull)
		return true;
	if (!sigma_jsonb_is_list(&rows))
		return false;
	iterator = JsonbIteratorInit(rows.val.binary.data);
	(void) JsonbIteratorNext(&iterator, &row, true);
	while (JsonbIteratorNext(&iterator, &row, true) == WJB_ELEM)
		if (row.type != jbvBinary || !JsonContainerIsObject(row.val.binary.data))
			return false;
	context->selected = rows.val.binary.data;
	context->selected_length = rows.val.binary.len;
	return true;
}

/* The known member of that name, or NULL. */
static const Member *
find_member(const JsonbValue *key)
{
	int			i;

	for (i = 0; i < lengthof(members); i++)
		if (strlen(members[i].name) == key->val.string.len &&
			memcmp(members[i].name, key->val.string.val, key->val.string.len) == 0)
			return &members[i];
	return NULL;
}

/* Copy the values that one memory context has into another one. */
static void
move_values(RunContext *context, MemoryContext from, MemoryContext to)
{
	RunValues  *const sets[] = {&context->set_controls, &context->set_variables};
	int			i;
	int			j;

	for (i = 0; i < lengthof(sets); i++)
		for (j = 0; j < sets[i]->count; j++)
		{
			RunValue   *one = &sets[i]->items[j];
			JsonbValue	copy;

			if (one->cxt != from)
				continue;
			sigma_jsonb_copy(&one->value, to, &copy);
			one->name = MemoryContextStrdup(to, one->name);
			one->value = copy;
			one->cxt = to;
		}
}

/* What the run has set last under that name. */
static bool
find_set(const RunValues *values, const char *name, JsonbValue *value)
{
	int			place = find_place(values, name, values->count);

	if (place >= 0)
		*value = values->items[place].value;
	else
		value->type = jbvNull;
	return place >= 0;
}

/* Note what the run sets, in place of an older value where no mark stands between. */
static void
add_set(RunContext *context, RunValues *values, const char *name, const JsonbValue *value)
{
	int			place = find_place(values, name, values->count);
	JsonbValue	copy;

	sigma_jsonb_copy(value, context->values, &copy);
	if (place < values->fixed)
	{
		const char *own = place < 0 ? MemoryContextStrdup(context->values, name) : values->items[place].name;

		if (values->count == values->capacity)
			grow(context, values);
		place = values->count++;
		values->items[place].name = own;
	}
	values->items[place].value = copy;
	values->items[place].cxt = context->values;
}

/* Room for more values; the array is as large as it says whatever is raised on the way. */
static void
grow(RunContext *context, RunValues *values)
{
	int			capacity = values->capacity == 0 ? 8 : values->capacity * 2;

	values->items = values->items == NULL ?
		MemoryContextAlloc(context->cxt, sizeof(RunValue) * capacity) :
		repalloc(values->items, sizeof(RunValue) * capacity);
	values->capacity = capacity;
}

/* The last of the first "count" values of that name, or -1. */
static int
find_place(const RunValues *values, const char *name, int count)
{
	int			i;

	for (i = count - 1; i >= 0; i--)
		if (strcmp(values->items[i].name, name) == 0)
			break;
	return i;
}

/*
 * A mark at "count" is taken away: what was set since takes the place of older values of
 * the same names, down to the mark before, so that a loop does not gather them.
 */
static void
settle(RunValues *values, int count, int fixed)
{
	int			kept = count;
	int			i;

	for (i = count; i < values->count; i++)
	{
		int			place = find_place(values, values->items[i].name, kept);

		if (place < fixed)
			place = kept++;
		values->items[place] = values->items[i];
	}
	values->count = kept;
	values->fixed = fixed;
}

/* The stored value or default of a declared variable or control. */
static bool
read_declared(RunContext *context, const char *name, JsonbValue *value)
{
	const Variable *variable = sigma_variable(name);

	value->type = jbvNull;
	return variable != NULL && sigma_variable_read(variable, context->user_id, value);
}

/* Raise SG400 where a declared variable or control of that name cannot hold the value. */
static void
check_declared(const char *noun, const char *name, const JsonbValue *value)
{
	const Variable *variable = sigma_variable(name);
	const char *why;

	if (variable != NULL && !sigma_variable_fits(variable->type, value, &why))
		ereport(ERROR,
				(errcode(ERRCODE_SIGMA_DOCUMENT),
				 errmsg("value of %s \"%s\" %s", noun, name, why),
				 errdetail("It is declared with type %s.", sigma_variable_type_name(variable->type))));
}

/* A list with values added (each once) or removed; single values count as lists of one. */
static void
change_list(const JsonbValue *old, const JsonbValue *change, bool removing, JsonbValue *result)
{
	JsonbParseState *state = NULL;
	JsonbValue	element;
	int			i;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < sigma_list_length(old); i++)
	{
		sigma_list_element(old, i, &element);
		if (!removing || !list_has(change, &element))
			pushJsonbValue(&state, WJB_ELEM, &element);
	}
	for (i = 0; !removing && i < sigma_list_length(change); i++)
	{
		sigma_list_element(change, i, &element);
		if (!list_has(old, &element))
			pushJsonbValue(&state, WJB_ELEM, &element);
	}
	sigma_jsonb_to_value(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)), result);
}

/* Is the element in the value taken as a list? */
static bool
list_has(const JsonbValue *list, const JsonbValue *element)
{
	int			i;

	for (i = 0; i < sigma_list_length(list); i++)
	{
		JsonbValue	other;

		CHECK_FOR_INTERRUPTS();
		sigma_list_element(list, i, &other);
		if (sigma_jsonb_same(&other, element))
			return true;
	}
	return false;
}

/* An object of what was set; of several values under one name the last one holds. */
static void
write_set(JsonbWriter *writer, const RunValues *values)
{
	const RunValue **sorted = palloc(sizeof(RunValue *) * Max(values->count, 1));
	int			count = 0;
	int			i;

	for (i = 0; i < values->count; i++)
		sorted[i] = &values->items[i];
	qsort(sorted, values->count, sizeof(RunValue *), compare_set);
	for (i = 0; i < values->count; i++)
		if (i + 1 == values->count || strcmp(sorted[i]->name, sorted[i + 1]->name) != 0)
			sorted[count++] = sorted[i];
	sigma_jsonb_writer_object(writer, count);
	for (i = 0; i < count; i++)
		sigma_jsonb_writer_string(writer, sorted[i]->name, strlen(sorted[i]->name));
	for (i = 0; i < count; i++)
		sigma_jsonb_writer_value(writer, &sorted[i]->value);
	sigma_jsonb_writer_end(writer);
	pfree(sorted);
}

/* By name in the order of keys in jsonb, then as they were set. */
static int
compare_set(const void *a, const void *b)
{
	const RunValue *left = *(const RunValue *const *) a;
	const RunValue *right = *(const RunValue *const *) b;
	size_t		length = strlen(left->name);
	size_t		other = strlen(right->name);
	int			order;

	if (length != other)
		return length < other ? -1 : 1;
	order = memcmp(left->name, right->name, length);
	return order != 0 ? order : left < right ? -1 : 1;
}
