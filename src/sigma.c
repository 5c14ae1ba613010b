/*
 * sigma.c
 *		Module start: settings and hooks, nothing else.
 */
#include "postgres.h"

#include <limits.h>

#include "fmgr.h"
#include "utils/guc.h"

#include "action/eval.h"
#include "action/export.h"
#include "action/inject.h"
#include "common/document.h"
#include "common/session.h"
#include "common/zone.h"
#include "formula/formula.h"
#include "input_table/computed.h"
#include "input_table/input_table.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

static const struct config_enum_entry mode_options[] = {
	{"auto", MODE_AUTO, false},
	{"draft", MODE_DRAFT, false},
	{"published", MODE_PUBLISHED, false},
	{NULL, 0, false}
};

void
_PG_init(void)
{
	DefineCustomStringVariable("sigma.user_email",
							   "The app user: who is recorded in stamps, log and history.",
							   NULL, &sigma_user_email, "", PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("sigma.mode",
							 "Which version of input tables this client edits.",
							 "auto allows both; draft and published refuse writes to the other with SG423.",
							 &sigma_mode, MODE_AUTO, mode_options, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("sigma.workbook_id",
							   "The workbook that edit logs name; the database's name where it is empty.",
							   NULL, &sigma_workbook_id, "", PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("sigma.max_errors",
							"How many failures a result lists at the most.",
							NULL, &sigma_max_errors, 1000, 1, INT_MAX, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("sigma.export_max_bytes",
							"How long the text of an exported table may be.",
							NULL, &sigma_export_max_bytes, 64 * 1024 * 1024, 1024, SIGMA_EXPORT_MOST, PGC_USERSET, GUC_UNIT_BYTE,
							NULL, NULL, NULL);
	DefineCustomStringVariable("sigma.timezone",
							   "The time zone of the app: what Now() and Today() of formulas show.",
							   NULL, &sigma_timezone, "UTC", PGC_USERSET, 0, sigma_zone_check, NULL, NULL);
	DefineCustomBoolVariable("sigma.allow_injection",
							 "Tests may let actions of their session fail.",
							 "Without it sigma.inject() is refused, and what was injected does nothing.",
							 &sigma_allow_injection, false, PGC_SUSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("sigma");
	sigma_document_set_formula_reader(sigma_formula_canonical);
	sigma_statement_init();
	sigma_computed_init();
	sigma_eval_init();
}
