/*
 * inject.h
 *		Faults for tests, of this session.
 */
#ifndef SIGMA_INJECT_H
#define SIGMA_INJECT_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "compat.h"
#include "action/action.h"

extern bool sigma_allow_injection;	/* setting */

extern void sigma_inject(const char *action_id, const char *kind, JsonNode *options);
extern List *sigma_injections_begin(void);
extern void sigma_injections_end(List *aside);
extern void sigma_injections_meet(Run *run, const Step *step);

/* run.c, for faults: what an action that is late, or slow, goes through */
extern void sigma_run_time_out(Run *run, const Step *step) pg_attribute_noreturn();
extern void sigma_run_sleep(int milliseconds);

#endif							/* SIGMA_INJECT_H */
