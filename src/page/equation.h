/*
 * The equation of the three signals while the service works.
 *
 * How it works: a request goes from signal to signal, and spans from queue to exporter, while somebody
 * counts. So every sum lies in an interval: what was recorded before the reading began is in it, what
 * was being recorded when the reading ended may be. A signal is balanced when its sum lies there; at
 * rest the interval is one number, and nothing is forgiven.
 *
 *     recorded() <= metrics, log, SERVER spans, log records <= recording()
 *
 * What an exporter took from a queue while both were read counts on either side of its line.
 *
 * Threads: any; nothing is locked.
 */
#ifndef GLASSBOX_PAGE_EQUATION_H
#define GLASSBOX_PAGE_EQUATION_H

#include <stdbool.h>
#include <stdint.h>

#include "instruments.h"
#include "reconciliation.h"

struct equation {
    struct recorded before; /* what is in every signal */
    struct recorded after;  /* what may be in one */
    uint64_t spans_taken;   /* from their queue, before it was read */
    uint64_t records_taken; /* likewise, of log records */
    struct reconciliation terms;
};

/* Reads every term, again if need be until nothing moved meanwhile, a few times at most. */
void equation_read(const struct service *service, struct equation *equation);

/* Line by line: whether it adds up. One that is off is true. */
struct verdict {
    bool metrics;
    bool log;
    bool spans; /* SERVER spans, and all of them from queue to exporter */
    bool records;
};

/* Judges every signal that is on. */
struct verdict equation_judge(const struct equation *equation);

#endif
