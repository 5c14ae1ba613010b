/*
 * value_source.c
 *		Values of actions: compiled once, evaluated per run.
 *
 * A compiled value is a small tree.  What depends on no run is folded into one
 * jsonb at compile time, so that most values cost nothing when they are needed; a
 * single reference is read where it stands, and only other formulas run as SQL.
 * Compiled forms live in the memory context that the caller names and are never
 * changed; what evaluation makes is in the current one.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "action/eval.h"
#include "action/reference.h"
#include "action/value_source.h"
#include "common/document.h"
#include "formula/compile.h"
#include "layout/layout.h"

typedef enum SourceKind
{
	SOURCE_STATIC,
	SOURCE_REFERENCE,
	SOURCE_FORMULA,				/* more than one reference */
	SOURCE_ARRAY,
	SOURCE_OBJECT,
	SOURCE_TEXT					/* dynamic text: its items joined */
} SourceKind;

struct ValueSource
{
	SourceKind	kind;
	JsonbValue	value;			/* SOURCE_STATIC */
	RunReference reference;		/* SOURCE_REFERENCE */
	FormulaProgram *program;	/* SOURCE_FORMULA; goes with the context */
	int			count;			/* items: elements, members or pieces of text */
	ValueSource **items;
	const char **keys;			/* SOURCE_OBJECT: names of the items */
};

/* An object whose "type" is one of these is a value source. */
typedef struct SourceType
{
	const char *name;
	ReferenceSource from;		/* what it refers to */
	const char *key;			/* the member that names it */
} SourceType;

static const SourceType source_types[] = {
	{"static", 0, "value"},
	{"formula", 0, "formula"},
	{"column", FROM_SELECTION, "column_name"},
	{"control", FROM_CONTROL, "control_id"},
	{"variable", FROM_VARIABLE, "variable"},
	{"form_field", FROM_FORM, "field"},
};

static ValueSource *compile(const CompileState *state, const JsonNode *node, bool is_data);
static ValueSource *compile_object(const CompileState *state, const JsonNode *node, bool is_data);
static ValueSource *compile_items(const CompileState *state, SourceKind kind, const JsonNode *node, bool is_data);
static ValueSource *fold(ValueSource *source);
static const char undeclared_hint[] =
"Controls are named [Control/x], variables [ActionVar/x]; a name alone is that of a declared one, or of a column of the row that is updated.";

static void check_declared(const CompileState *state, const ValueSource *source, const JsonNode *where);
static bool resolve_declared(FormulaScope *scope, const char *source, const char *name, FormulaSql *result);
static FormulaProgram *create_program(const CompileState *state, const char *text, const JsonNode *where,
									  const char *place, FormulaType wanted);
static ValueSource *compile_formula(const CompileState *state, const char *text, const JsonNode *where,
									const char *place, FormulaType wanted);
static ValueSource *compile_text(const CompileState *state, const JsonNode *node);
static ValueSource *new_source(SourceKind kind);
static ValueSource *static_string(const char *text);
static ValueSource *static_node(const JsonNode *node);
static const SourceType *find_type(const char *name);
static void evaluate_items(const ValueSource *source, RunContext *context, JsonbValue *value);
static void show(StringInfo buf, const ValueSource *source);
static void append_text(StringInfo buf, const JsonbValue *value);

/* Compile a canonical value in state->cxt. */
ValueSource *
sigma_value_source_compile(const CompileState *state, const JsonNode *node, bool is_data)
{
	MemoryContext old = MemoryContextSwitchTo(state->cxt);
	ValueSource *source = node == NULL ? static_node(NULL) : compile(state, node, is_data);

	MemoryContextSwitchTo(old);
	return source;
}

/* Compile dynamic text in state->cxt. */
ValueSource *
sigma_dynamic_text_compile(const CompileState *state, const JsonNode *node)
{
	MemoryContext old;
	ValueSource *source;

	if (node == NULL || node->kind != JSON_STRING)
		return sigma_value_source_compile(state, node, false);
	old = MemoryContextSwitchTo(state->cxt);
	source = compile_text(state, node);
	MemoryContextSwitchTo(old);
	return source;
}

/* Compile a formula in state->cxt. */
ValueSource *
sigma_formula_source_compile(const CompileState *state, const JsonNode *node, const char *place, FormulaType wanted)
{
	MemoryContext old = MemoryContextSwitchTo(state->cxt);
	ValueSource *source = compile_formula(state, node->string, node, place, wanted);

	MemoryContextSwitchTo(old);
	return source;
}

FormulaType
sigma_value_source_type(const ValueSource *source)
{
	return source->kind == SOURCE_FORMULA ? sigma_program_type(source->program) : TYPE_ANY;
}

void
sigma_value_source_evaluate(const ValueSource *source, RunContext *context, JsonbValue *value)
{
	switch (source->kind)
	{
		case SOURCE_STATIC:
			*value = source->value;
			break;
		case SOURCE_REFERENCE:
			sigma_reference_read(&source->reference, context, value);
			break;
		case SOURCE_FORMULA:
			sigma_program_run(source->program, sigma_fetch_from_context, context, value);
			break;
		case SOURCE_ARRAY:
		case SOURCE_OBJECT:
			evaluate_items(source, context, value);
			break;
		case SOURCE_TEXT:
			value->type = jbvString;
			value->val.string.val = sigma_value_source_text(source, context);
			value->val.string.len = strlen(value->val.string.val);
			break;
	}
}

char *
sigma_value_source_text(const ValueSource *source, RunContext *context)
{
	StringInfoData buf;
	JsonbValue	value;
	int			i;

	if (source->kind != SOURCE_TEXT)
	{
		sigma_value_source_evaluate(source, context, &value);
		return sigma_jsonb_text(&value);
	}
	initStringInfo(&buf);
	for (i = 0; i < source->count; i++)
	{
		sigma_value_source_evaluate(source->items[i], context, &value);
		append_text(&buf, &value);
	}
	return buf.data;
}

bool
sigma_value_source_is_static(const ValueSource *source, JsonbValue *value)
{
	if (source->kind != SOURCE_STATIC)
		return false;
	if (value != NULL)
		*value = source->value;
	return true;
}

bool
sigma_value_source_is_plain(const ValueSource *source)
{
	int			i;

	check_stack_depth();
	if (source->kind == SOURCE_FORMULA)
		return false;
	for (i = 0; i < source->count; i++)
		if (!sigma_value_source_is_plain(source->items[i]))
			return false;
	return true;
}

char *
sigma_value_source_show(const ValueSource *source)
{
	StringInfoData buf;

	initStringInfo(&buf);
	show(&buf, source);
	return buf.data;
}

/* Append a value as documents have it. */
static void
show(StringInfo buf, const ValueSource *source)
{
	int			i;

	check_stack_depth();
	switch (source->kind)
	{
		case SOURCE_STATIC:
			appendStringInfoString(buf, sigma_json_text(sigma_json_read_value(&source->value)));
			return;
		case SOURCE_REFERENCE:
			appendStringInfoString(buf, sigma_reference_show(&source->reference));
			return;
		case SOURCE_FORMULA:
			appendStringInfoString(buf, sigma_program_text(source->program));
			return;
		case SOURCE_TEXT:
			for (i = 0; i < source->count; i++)
			{
				if (source->items[i]->kind == SOURCE_STATIC)
					append_text(buf, &source->items[i]->value);
				else
				{
					appendStringInfoString(buf, "{{");
					show(buf, source->items[i]);
					appendStringInfoString(buf, "}}");
				}
			}
			return;
		case SOURCE_ARRAY:
		case SOURCE_OBJECT:
			appendStringInfoChar(buf, source->kind == SOURCE_ARRAY ? '[' : '{');
			for (i = 0; i < source->count; i++)
			{
				appendStringInfoString(buf, i == 0 ? "" : ", ");
				if (source->kind == SOURCE_OBJECT)
				{
					escape_json(buf, source->keys[i]);
					appendStringInfoString(buf, ": ");
				}
				show(buf, source->items[i]);
			}
			appendStringInfoChar(buf, source->kind == SOURCE_ARRAY ? ']' : '}');
			return;
	}
}

char *
sigma_jsonb_text(const JsonbValue *value)
{
	StringInfoData buf;

	initStringInfo(&buf);
	append_text(&buf, value);
	return buf.data;
}

const char *
sigma_required_string(const JsonNode *object, const char *noun, const char *key)
{
	const JsonNode *node = sigma_json_get(object, key);

	if (node == NULL)
		sigma_document_error(object, 0, NULL, "%s needs \"%s\"", noun, key);
	if (node->kind != JSON_STRING)
		sigma_document_error(node, 0, NULL, "\"%s\" must be a string, not %s",
							 key, sigma_json_kind_name(node));
	return node->string;
}

/* Compile one value, in the current memory context. */
static ValueSource *
compile(const CompileState *state, const JsonNode *node, bool is_data)
{
	check_stack_depth();
	switch (node->kind)
	{
		case JSON_STRING:
			if (sigma_is_bare_reference(node->string))
				return compile_formula(state, node->string, node, "a value", TYPE_ANY);
			return static_node(node);
		case JSON_ARRAY:
			return compile_items(state, SOURCE_ARRAY, node, is_data);
		case JSON_OBJECT:
			return compile_object(state, node, is_data);
		default:
			return static_node(node);
	}
}

/* An object: a value source, else data, else an object of values. */
static ValueSource *
compile_object(const CompileState *state, const JsonNode *node, bool is_data)
{
	const JsonNode *type = sigma_json_get(node, "type");
	const SourceType *known;
	const char *noun;
	ValueSource *source;

	if (type == NULL || (is_data && type->kind != JSON_STRING))
		return compile_items(state, SOURCE_OBJECT, node, is_data);
	known = type->kind == JSON_STRING ? find_type(type->string) : NULL;
	if (known == NULL && is_data)
		return static_node(node);
	if (known == NULL)
		sigma_document_error(type, 0, NULL, "%s is no type of value source", sigma_json_text(type));

	noun = psprintf("a value source of type \"%s\"", known->name);
	if (strcmp(known->name, "static") == 0)
		return static_node(sigma_json_get(node, "value"));
	(void) sigma_required_string(node, noun, known->key);
	if (strcmp(known->name, "formula") == 0)
	{
		const JsonNode *formula = sigma_json_get(node, known->key);

		return compile_formula(state, formula->string, formula, "a value", TYPE_ANY);
	}
	source = new_source(SOURCE_REFERENCE);
	sigma_reference_make(&source->reference, known->from, sigma_json_get(node, known->key)->string);
	return source;
}

/* An array or object of values; one literal where all of them are. */
static ValueSource *
compile_items(const CompileState *state, SourceKind kind, const JsonNode *node, bool is_data)
{
	ValueSource *source = new_source(kind);
	bool		all_static = true;
	int			i;

	source->count = node->count;
	source->items = palloc(sizeof(ValueSource *) * Max(node->count, 1));
	source->keys = kind == SOURCE_OBJECT ? palloc(sizeof(char *) * Max(node->count, 1)) : NULL;
	for (i = 0; i < node->count; i++)
	{
		source->items[i] = compile(state, node->items[i], is_data);
		all_static = all_static && source->items[i]->kind == SOURCE_STATIC;
		if (kind == SOURCE_OBJECT)
			source->keys[i] = pstrdup(node->items[i]->key);
	}
	return all_static ? fold(source) : source;
}

/* An array or object of literals as one literal; what its parts took is not kept. */
static ValueSource *
fold(ValueSource *source)
{
	MemoryContext target = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(target, "sigma literal", ALLOCSET_SMALL_SIZES);
	JsonbValue	value;
	int			i;

	MemoryContextSwitchTo(work);
	evaluate_items(source, NULL, &value);
	MemoryContextSwitchTo(target);
	for (i = 0; i < source->count; i++)
		pfree(source->items[i]);
	source->kind = SOURCE_STATIC;
	sigma_jsonb_copy(&value, target, &source->value);
	MemoryContextDelete(work);
	return source;
}

/*
 * A formula: one reference, else a program.  Where nothing outside of the document
 * is to be looked at, the reader of documents has said all about it.
 */
static ValueSource *
compile_formula(const CompileState *state, const char *text, const JsonNode *where, const char *place,
				FormulaType wanted)
{
	ValueSource *source = new_source(SOURCE_REFERENCE);
	RunReference scoped;

	if (sigma_reference_of_formula(text, &source->reference))
	{
		if (state->saving && source->reference.from == FROM_CONTROL && !sigma_reference_parse(text, &scoped))
			check_declared(state, source, where);
		return source;
	}
	if (!state->resolve)
		return static_node(NULL);
	source->kind = SOURCE_FORMULA;
	source->program = create_program(state, text, where, place, wanted);
	return source;
}

/* A bare name must be that of a declared control or variable, perhaps with a member of its range: 42703. */
static void
check_declared(const CompileState *state, const ValueSource *source, const JsonNode *where)
{
	const RunReference *reference = &source->reference;

	if (sigma_variable(reference->name) != NULL || (reference->base != NULL && sigma_variable(reference->base) != NULL))
		return;
	sigma_document_error(where, ERRCODE_UNDEFINED_COLUMN, undeclared_hint, "unknown column or control \"[%s]\"", reference->name);
}

/* The same for a name within a formula: FormulaScope.resolve. */
static bool
resolve_declared(FormulaScope *scope, const char *source, const char *name, FormulaSql *result)
{
	if (sigma_resolve_declared(scope, source, name, result))
		return true;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("unknown column or control \"[%s]\"", name),
			 errhint("%s", undeclared_hint)));
}

/* A program in the current context; its errors name the place in the document. */
static FormulaProgram *
create_program(const CompileState *state, const char *text, const JsonNode *where, const char *place,
			   FormulaType wanted)
{
	MemoryContext cxt = CurrentMemoryContext;
	FormulaProgram *volatile program = NULL;

	PG_TRY();
	{
		program = sigma_program_create(text, place, wanted, state->saving ? FORMULA_SAVED : FORMULA_STORED,
									   state->saving ? resolve_declared : NULL, cxt);
	}
	PG_CATCH();
	{
		sigma_document_rethrow(where, cxt);
	}
	PG_END_TRY();
	return program;
}

/* Dynamic text: literal pieces and {{formulas}}; a literal where it has none of these. */
static ValueSource *
compile_text(const CompileState *state, const JsonNode *node)
{
	ValueSource *text;
	List	   *pieces;
	ListCell   *lc;

	if (!sigma_dynamic_text_split(node->string, &pieces))
		sigma_document_error(node, 0, "A literal {{ is written {{{{.",
							 "\"{{\" is not closed by \"}}\"");
	text = new_source(SOURCE_TEXT);
	text->items = palloc(sizeof(ValueSource *) * Max(list_length(pieces), 1));
	foreach(lc, pieces)
	{
		const TextPiece *piece = lfirst(lc);

		text->items[text->count++] = piece->is_formula ?
			compile_formula(state, piece->text, node, "a text", TYPE_ANY) : static_string(piece->text);
	}
	if (text->count == 0)
		return static_string("");
	return text->count == 1 && text->items[0]->kind == SOURCE_STATIC ? text->items[0] : text;
}

static ValueSource *
new_source(SourceKind kind)
{
	ValueSource *source = palloc0(sizeof(ValueSource));

	source->kind = kind;
	return source;
}

/* A literal text. */
static ValueSource *
static_string(const char *text)
{
	ValueSource *source = new_source(SOURCE_STATIC);

	source->value.type = jbvString;
	source->value.val.string.val = pstrdup(text);
	source->value.val.string.len = strlen(text);
	return source;
}

/* A literal of any kind (NULL: null); what its making leaves behind is not kept. */
static ValueSource *
static_node(const JsonNode *node)
{
	ValueSource *source = new_source(SOURCE_STATIC);
	MemoryContext work;
	MemoryContext old;
	JsonbValue	value;

	if (node == NULL)
		node = sigma_json_new(JSON_NULL, NULL);
	if (node->kind == JSON_STRING)
		return static_string(node->string);
	work = AllocSetContextCreate(CurrentMemoryContext, "sigma literal", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(work);
	sigma_jsonb_to_value(sigma_json_write(node), &value);
	MemoryContextSwitchTo(old);
	sigma_jsonb_copy(&value, old, &source->value);
	MemoryContextDelete(work);
	return source;
}

/* The value source of that type, or NULL. */
static const SourceType *
find_type(const char *name)
{
	int			i;

	for (i = 0; i < lengthof(source_types); i++)
		if (strcmp(source_types[i].name, name) == 0)
			return &source_types[i];
	return NULL;
}

/* Evaluate the items of an array or object into one jsonb. */
static void
evaluate_items(const ValueSource *source, RunContext *context, JsonbValue *value)
{
	bool		is_array = source->kind == SOURCE_ARRAY;
	JsonbParseState *state = NULL;
	int			i;

	check_stack_depth();
	pushJsonbValue(&state, is_array ? WJB_BEGIN_ARRAY : WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < source->count; i++)
	{
		JsonbValue	item;

		if (!is_array)
		{
			item.type = jbvString;
			item.val.string.val = unconstify(char *, source->keys[i]);
			item.val.string.len = strlen(source->keys[i]);
			pushJsonbValue(&state, WJB_KEY, &item);
		}
		sigma_value_source_evaluate(source->items[i], context, &item);
		pushJsonbValue(&state, is_array ? WJB_ELEM : WJB_VALUE, &item);
	}
	sigma_jsonb_to_value(JsonbValueToJsonb(pushJsonbValue(&state, is_array ? WJB_END_ARRAY : WJB_END_OBJECT, NULL)),
						 value);
}

/* One value as plain text. */
static void
append_text(StringInfo buf, const JsonbValue *value)
{
	int			i;

	check_stack_depth();
	switch (value->type)
	{
		case jbvNull:
			break;
		case jbvBool:
			appendStringInfoString(buf, value->val.boolean ? "true" : "false");
			break;
		case jbvNumeric:
			appendStringInfoString(buf, DatumGetCString(DirectFunctionCall1(numeric_out,
																			NumericGetDatum(value->val.numeric))));
			break;
		case jbvString:
			appendBinaryStringInfo(buf, value->val.string.val, value->val.string.len);
			break;
		case jbvBinary:
			if (!JsonContainerIsArray(value->val.binary.data))
			{
				(void) JsonbToCString(buf, value->val.binary.data, value->val.binary.len);
				break;
			}
			for (i = 0; i < JsonContainerSize(value->val.binary.data); i++)
			{
				if (i > 0)
					appendStringInfoChar(buf, ',');
				append_text(buf, getIthJsonbValueFromContainer(value->val.binary.data, i));
			}
			break;
		default:
			elog(ERROR, "unexpected jsonb value of type %d", (int) value->type);
	}
}
