/*
 * Documents in tests are written with ' for ", which they hold nowhere else.
 */
#ifndef GLASSBOX_TESTS_DOCUMENTS_H
#define GLASSBOX_TESTS_DOCUMENTS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "faults/plan.h"
#include "telemetry/clock.h"

/* 2026-11-26T08:00:00Z, and units of it. */
#define EIGHT_NS  (UINT64_C(1795680000) * TEL_NS_PER_SECOND)
#define SECOND_NS TEL_NS_PER_SECOND
#define MINUTE_NS (60 * TEL_NS_PER_SECOND)

/* Parses in memory of its own, so that a read past the end is found; at eight o'clock, if the
 * document does not say when. */
static inline int documents_parse(const char *text, bool must_begin, struct fault_plan *plan,
                                  char reason[FAULT_REASON_BYTES])
{
    const size_t length = strlen(text);
    char *json = malloc(length > 0 ? length : 1);
    for (size_t i = 0; i < length; i++) {
        json[i] = (char)(text[i] == '\'' ? '"' : text[i]);
    }
    const int result = fault_plan_parse(json, length, must_begin, EIGHT_NS, plan, reason);
    free(json);
    return result;
}

#endif
