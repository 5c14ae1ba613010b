/*
 * notify.c
 *		Steps that send messages: rows of sigma.sigma_outbox, and who is woken for them.
 *
 * A message is a row, so it is there when the transaction commits and not otherwise,
 * and a NOTIFY on channel sigma_outbox says which one; a program of yours sends it.
 * Callers need no right on the table: rows are written as its owner, by a fixed text
 * in which no function stands, with values bound.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "action/action.h"
#include "action/notify.h"
#include "common/catalog.h"
#include "common/errors.h"
#include "common/spi.h"

#define OUTBOX_CHANNEL	"sigma_outbox"
#define DEFAULT_CHANNEL	"email"
#define OUTBOX_COLUMNS	10

/* A message as an object. */
#define MESSAGE_SQL \
	"pg_catalog.jsonb_build_object('channel', channel, 'recipients', recipients, 'subject', subject," \
	" 'body', body, 'action_id', action_id, 'user_id', user_id)"

typedef struct NotifyStep
{
	const char *channel;
	ValueSource *recipients;	/* or NULL: nobody is named */
	ValueSource *subject;		/* or NULL */
	ValueSource *body;			/* or NULL */
} NotifyStep;

static Jsonb *read_recipients(const NotifyStep *step, RunContext *context);
static void add_recipient(JsonbParseState **state, const JsonbValue *value, int *count);
static JsonNode *read_messages(SPIPlanPtr *plan, const char *sql, Oid type, Datum value);
static int64 insert_message(const Run *run, const Step *compiled, Jsonb *recipients, const char *subject, Jsonb *body);

/* Check the document and compile its texts; a NotifyStep.  SG400. */
void *
sigma_notify_compile(CompileState *state, const StepType *type, JsonNode *action)
{
	NotifyStep *step = MemoryContextAllocZero(state->cxt, sizeof(NotifyStep));
	JsonNode   *parameters = sigma_json_get(action, "parameters");
	JsonNode   *node;

	step->channel = MemoryContextStrdup(state->cxt, sigma_json_get_string(parameters, "channel", DEFAULT_CHANNEL));
	if ((node = sigma_json_get(parameters, "recipients")) != NULL)
		step->recipients = sigma_value_source_compile(state, node, false);
	if ((node = sigma_json_get(parameters, "subject")) != NULL)
		step->subject = sigma_dynamic_text_compile(state, node);
	if ((node = sigma_json_get(parameters, "body")) != NULL)
		step->body = node->kind == JSON_STRING ? sigma_dynamic_text_compile(state, node) :
			sigma_value_source_compile(state, node, true);
	return step;
}

/* Write the message; the step's result is its id. */
void
sigma_notify_run(Run *run, const Step *compiled, StepOutcome *outcome)
{
	const NotifyStep *step = compiled->part;
	Jsonb	   *recipients = step->recipients == NULL ? NULL : read_recipients(step, run->context);
	const char *subject = step->subject == NULL ? NULL : sigma_value_source_text(step->subject, run->context);
	Jsonb	   *body = NULL;
	JsonbValue	value;
	int64		id;

	if (step->body != NULL)
	{
		sigma_value_source_evaluate(step->body, run->context, &value);
		body = sigma_jsonb_from_value(&value);
	}
	id = insert_message(run, compiled, recipients, subject, body);
	Async_Notify(OUTBOX_CHANNEL, psprintf(INT64_FORMAT, id));
	MemoryContextSwitchTo(run->cxt);
	outcome->has_result = true;
	outcome->result.type = jbvNumeric;
	outcome->result.val.numeric = int64_to_numeric(id);
}

/*
 * To whom, as an array of texts: lists among the values are taken apart, null is nobody.
 * 22023 where nobody is left: a message that reaches no one must not pass for sent.
 */
static Jsonb *
read_recipients(const NotifyStep *step, RunContext *context)
{
	JsonbParseState *state = NULL;
	JsonbValue	value;
	int			count = 0;

	sigma_value_source_evaluate(step->recipients, context, &value);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	add_recipient(&state, &value, &count);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the message has no recipient"),
				 errhint("\"conditions\" of the action can skip it where there is none.")));
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* One recipient, or those of a list; 22023 for an object. */
static void
add_recipient(JsonbParseState **state, const JsonbValue *value, int *count)
{
	JsonbValue	text;
	int			i;

	check_stack_depth();
	if (value->type == jbvNull)
		return;
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		for (i = 0; i < JsonContainerSize(value->val.binary.data); i++)
			add_recipient(state, getIthJsonbValueFromContainer(value->val.binary.data, i), count);
		return;
	}
	if (value->type == jbvBinary)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a recipient must be a text, not an object")));
	text.type = jbvString;
	text.val.string.val = sigma_jsonb_text(value);
	text.val.string.len = strlen(text.val.string.val);
	if (text.val.string.len == 0)
		return;
	pushJsonbValue(state, WJB_ELEM, &text);
	(*count)++;
}

/* The row of a message, as the owner of the table; returns its id.  SPI is connected. */
static int64
insert_message(const Run *run, const Step *compiled, Jsonb *recipients, const char *subject, Jsonb *body)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[OUTBOX_COLUMNS] = {
		TIMESTAMPTZOID, TEXTOID, JSONBOID, TEXTOID, JSONBOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, NAMEOID
	};
	const NotifyStep *step = compiled->part;
	const Sequence *sequence = run->sequence;
	const char *action = compiled->id != NULL ? compiled->id : sequence->is_action ? sequence->id : NULL;
	OwnerScope	scope;
	Datum		values[OUTBOX_COLUMNS] = {0};
	char		nulls[OUTBOX_COLUMNS + 1] = "          ";	/* none */
	int64		id;
	bool		isnull;

	values[0] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[1] = CStringGetTextDatum(step->channel);
	values[2] = recipients == NULL ? (Datum) 0 : JsonbPGetDatum(recipients);
	nulls[2] = recipients == NULL ? 'n' : ' ';
	values[3] = subject == NULL ? (Datum) 0 : CStringGetTextDatum(subject);
	nulls[3] = subject == NULL ? 'n' : ' ';
	values[4] = body == NULL ? (Datum) 0 : JsonbPGetDatum(body);
	nulls[4] = body == NULL ? 'n' : ' ';
	values[5] = CStringGetTextDatum(run->execution_id);
	values[6] = sequence->is_action ? (Datum) 0 : CStringGetTextDatum(sequence->id);
	nulls[6] = sequence->is_action ? 'n' : ' ';
	values[7] = action == NULL ? (Datum) 0 : CStringGetTextDatum(action);
	nulls[7] = action == NULL ? 'n' : ' ';
	values[8] = CStringGetTextDatum(sigma_app_user());
	values[9] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(sigma_session_role(), false)));

	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_outbox")));
	sigma_spi_execute(sigma_spi_plan(&plan,
									 "INSERT INTO sigma.sigma_outbox (created_at, channel, recipients, subject, body,"
									 " execution_id, sequence_id, action_id, user_id, role)"
									 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
									 OUTBOX_COLUMNS, types),
					  values, nulls, false, SPI_OK_INSERT_RETURNING);
	id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	sigma_owner_end(&scope);
	return id;
}

/* See notify.h. */
JsonNode *
sigma_outbox_of_run(const char *execution_id)
{
	static SPIPlanPtr plan = NULL;

	return read_messages(&plan, "SELECT " MESSAGE_SQL ", xmin FROM sigma.sigma_outbox"
						 " WHERE execution_id OPERATOR(pg_catalog.=) $1 ORDER BY id",
						 TEXTOID, CStringGetTextDatum(execution_id));
}

/* See notify.h. */
JsonNode *
sigma_outbox_since(int64 id)
{
	static SPIPlanPtr plan = NULL;

	return read_messages(&plan, "SELECT " MESSAGE_SQL ", xmin FROM sigma.sigma_outbox"
						 " WHERE id OPERATOR(pg_catalog.>) $1 ORDER BY id",
						 INT8OID, Int64GetDatum(id));
}

/* The messages that a query finds, as far as this transaction has written them, as its table's owner; SPI is connected. */
static JsonNode *
read_messages(SPIPlanPtr *plan, const char *sql, Oid type, Datum value)
{
	MemoryContext cxt = CurrentMemoryContext;
	JsonNode   *messages = sigma_json_new(JSON_ARRAY, NULL);
	OwnerScope	scope;
	uint64		i;

	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_outbox")));
	sigma_spi_execute(sigma_spi_plan(plan, sql, 1, &type), &value, NULL, false, SPI_OK_SELECT);
	MemoryContextSwitchTo(cxt);
	for (i = 0; i < SPI_processed; i++)
	{
		TupleDesc	desc = SPI_tuptable->tupdesc;
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;

		/* whatever other sessions have committed meanwhile */
		if (TransactionIdIsCurrentTransactionId(DatumGetTransactionId(SPI_getbinval(row, desc, 2, &isnull))))
			sigma_json_append(messages, sigma_json_read(DatumGetJsonbPCopy(SPI_getbinval(row, desc, 1, &isnull))));
	}
	SPI_freetuptable(SPI_tuptable);
	sigma_owner_end(&scope);
	MemoryContextSwitchTo(cxt);
	return messages;
}

/* See notify.h. */
int64
sigma_outbox_newest(void)
{
	static SPIPlanPtr plan = NULL;
	MemoryContext cxt = CurrentMemoryContext;
	OwnerScope	scope;
	bool		isnull;
	int64		id;

	sigma_owner_begin(&scope, sigma_relation_owner(sigma_relation_oid("sigma_outbox")));
	sigma_spi_execute(sigma_spi_plan(&plan, "SELECT pg_catalog.max(id) FROM sigma.sigma_outbox", 0, NULL),
					  NULL, NULL, false, SPI_OK_SELECT);
	id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	sigma_owner_end(&scope);
	MemoryContextSwitchTo(cxt);
	return isnull ? 0 : id;
}
