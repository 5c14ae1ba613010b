/*
 * structure_check.h
 *		Are the relations of input tables what their definitions ask for?
 */
#ifndef SIGMA_STRUCTURE_CHECK_H
#define SIGMA_STRUCTURE_CHECK_H

#include "postgres.h"

#include "utils/relcache.h"

#include "common/problem.h"

extern void sigma_structure_check(Problems *problems, const char *id);
extern void sigma_orphans_check(Problems *problems);
extern void sigma_triggers_check(Problems *problems, const char *object, Relation rel);

#endif							/* SIGMA_STRUCTURE_CHECK_H */
