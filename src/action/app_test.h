/*
 * app_test.h
 *		What the files of tests of an app share.
 */
#ifndef SIGMA_APP_TEST_H
#define SIGMA_APP_TEST_H

#include "postgres.h"

#include "common/json.h"

/* app_test.c: the canonical form of a test's document; SG400, 0A000 */
extern JsonNode *sigma_test_normalise(JsonNode *document);

#endif							/* SIGMA_APP_TEST_H */
