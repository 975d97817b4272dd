/*
 * A finished request as the page shows it: one JSON object, made on the thread that served it.
 *
 * How it works: it is made of the very things that the signals are made of: the record that the access
 * log was given and the log's own line of it, the span with its items, the series and the exemplar of
 * the observation. So what the page shows side by side are the signals, not a retelling. A request's
 * child spans end before it does: each is put into JSON then, in a place of bounded size that exists
 * only while somebody watches.
 *
 * An object has room for PAGE_RECORD_BYTES. One that is too large is made again without what a request
 * can make long: first without attributes, then with a short path and no log line; it then says
 * `"cut":true`.
 *
 * Threads: the site's own. Memory: nothing is kept but the children, until the request ends.
 */
#ifndef GLASSBOX_PAGE_REQUEST_H
#define GLASSBOX_PAGE_REQUEST_H

#include <stdbool.h>

#include "page/ring.h"
#include "telemetry/access_log.h"
#include "telemetry/metrics.h"
#include "telemetry/trace.h"

struct exchange;

#define PAGE_CHILDREN_BYTES 2048
#define PAGE_PATH_BYTES     200 /* of a path that is cut */

/* The spans that ended within a request, as JSON objects separated by commas. */
struct page_children {
    size_t length;
    bool is_cut; /* there were more */
    char json[PAGE_CHILDREN_BYTES];
};

/* A request that was recorded just now; all is borrowed. */
struct page_request {
    const struct tel_span *span;             /* SERVER, ended */
    const struct page_children *children;    /* or NULL */
    uint64_t end_ns;                         /* monotonic */
    const char *method;                      /* as the metrics have it */
    const struct tel_access_record *record;  /* what the access log was given */
    const struct tel_access_log *access_log; /* NULL: it is off */
    const struct tel_series *series;         /* of the observation */
    const struct tel_exemplar *exemplar;     /* NULL: the histogram has kept none */
    bool sampled;                            /* the span is exported */
    bool failed;                             /* record_is_failure() */
};

/* Makes the record's JSON. `line` is scratch memory, for the log line. Returns whether it found room;
 * if not the record is of no use. */
bool page_request_format(const struct page_request *request, struct tel_buffer *line,
                         struct page_record *record);

/* Adds a span that has ended. */
void page_children_add(struct page_children *children, const struct tel_span *span);

#endif
